"""The generic door: posts of any network, judged one by one, committed before the answer."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import Field, ValidationError
from sqlalchemy import Connection

from api import json_body
from api.context import Context, ContextOf
from api.errors import not_found
from api.fields import Body, Line, LocationBody, Moment, Shape, Stamp, maybe_rfc3339, rfc3339
from api.idempotency import Answer, Carried
from api.routes import COMMANDS, LenientRoute, new_router
from conversations.errors import ConversationError
from conversations.model import (
    Author,
    Instant,
    Location,
    Media,
    Post,
    Unreadable,
    Visibility,
)
from storage import clock, intake
from storage.ingest import Taken
from storage.intake import SMALL_PAGE, ChannelWithAccount

router = new_router("posts", LenientRoute)

MOST_POSTS = 500
LONGEST_TEXT = 100_000
LARGEST_SKEW_MS = 5 * 60_000

ExternalId = Annotated[str, Field(min_length=1, max_length=255)]
Url = Annotated[str, Field(max_length=4_000)]


class AuthorBody(Body):
    external_id: ExternalId
    handle: Line | None = None
    name: Line | None = None
    avatar_url: Url | None = None
    followers: Annotated[int, Field(ge=0, le=2**53)] | None = None
    language: Line | None = None
    location: Line | None = None
    verified: Annotated[bool | None, Field(description="The network says who it is")] = None
    created_at: Annotated[
        Moment | None, Field(description="When the account was made on its network")
    ] = None


class MediaBody(Body):
    kind: Annotated[str, Field(min_length=1, max_length=50)]
    url: Url
    alt_text: Annotated[str, Field(max_length=10_000)] | None = None
    mime_type: Line | None = None


class PostBody(Body):
    """A post as a network tells it; its text may be empty when it has media."""

    external_id: ExternalId
    author: AuthorBody
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PUBLIC
    created_at: Annotated[
        Moment | None,
        Field(description="By the network's clock; one ahead of ours by over 5 min counts as now"),
    ] = None
    in_reply_to: ExternalId | None = None
    thread_root: ExternalId | None = None
    url: Url | None = None
    media: Annotated[list[MediaBody], Field(max_length=50)] = []
    language: Line | None = None
    location: LocationBody | None = None
    source_application: Line | None = None


class PageBody(Body):
    """1 to 500 posts; each is judged for itself."""

    posts: Annotated[list[Any], Field(min_length=1, max_length=MOST_POSTS)]


class RejectedShape(Shape):
    index: int
    code: str
    detail: str


class TakenShape(Shape):
    accepted: int
    duplicates: int
    withdrawn: Annotated[int, Field(description="Deleted by their authors before they came")]
    rejected: list[RejectedShape]
    conversation_ids: dict[str, str]


class EarlierTextShape(Shape):
    text: str
    until: Stamp


class PostShape(Shape):
    id: str
    external_id: str
    author: dict[str, Any]
    text: str
    visibility: Literal["public", "private"]
    created_at: Stamp
    received_at: Stamp
    is_late: bool
    in_reply_to: str | None
    thread_root: str | None
    url: str | None
    media: list[dict[str, Any]]
    language: str | None
    location: dict[str, Any] | None
    source_application: str | None
    kind: Literal["post", "quote", "repost", "like"]
    edited_at: Stamp | None
    deleted_at: Annotated[
        Stamp | None, Field(description="By its author; no word of it is left here")
    ]
    earlier_texts: Annotated[
        list[EarlierTextShape], Field(description="What it said before its author edited it")
    ]


def post_shape(row: dict[str, Any]) -> dict[str, Any]:
    """Return a stored post in the contract's form."""
    moments = ("created_at", "received_at", "edited_at", "deleted_at")
    shown = {name: row[name] for name in PostShape.model_fields if name not in moments}
    author = {**row["author"], "created_at": maybe_rfc3339(row["author"].get("created_at"))}
    earlier = [{**each, "until": rfc3339(each["until"])} for each in row["earlier_texts"]]
    stamps = {name: maybe_rfc3339(row[name]) for name in moments}
    return {**shown, "author": author, "earlier_texts": earlier, **stamps}


@router.post(
    "/channels/{channel_id}/posts",
    status_code=202,
    response_model=TakenShape,
    responses=COMMANDS,
)
async def create_posts(
    channel_id: str, body: PageBody, once: Carried, context: ContextOf
) -> Response:
    """Take posts in; 202 is sent when they can no longer be lost."""
    page = judge(body.posts)
    if len(body.posts) <= SMALL_PAGE:
        return await once.run(lambda k: take_at_once(k, context, channel_id, page))

    async def take() -> Answer:
        found, now = await context.database.read(lambda k: _channel(k, channel_id))
        taken = await context.intake.take_in(found.source, page.posts(now), page.unreadable)
        _count(context, found.network, taken, page)
        return Answer(202, _taken_shape(taken, page))

    return await once.run_in_parts(take)


def take_at_once(
    connection: Connection, context: Context, channel_id: str, page: "Judged"
) -> Answer:
    """Take a small page in the commit of its key; it is matched before it is answered."""
    found, now = _channel(connection, channel_id)
    try:
        taken = context.intake.take_at_once(
            connection, found.source, page.posts(now), page.unreadable
        )
    except ConversationError as error:
        # A refusal would be kept with the key, and the posts would be lost with it.
        raise RuntimeError("posts are never refused by a conversation") from error

    async def follow() -> None:
        _count(context, found.network, taken, page)
        await context.following.follow(taken.aftermath)

    shape = _taken_shape(taken, page)
    return Answer(202, shape, taken.aftermath, before_answering=follow)


def _channel(connection: Connection, channel_id: str) -> tuple[ChannelWithAccount, Instant]:
    found = intake.channel_with_account(connection, channel_id)
    if found is None:
        raise not_found("channel", channel_id)
    return found, clock.now(connection)


@dataclass(frozen=True, slots=True)
class Judged:
    """A page whose posts were told from what cannot be taken, which is known by its place."""

    good: list[PostBody]
    bad: dict[int, Unreadable]

    @property
    def unreadable(self) -> list[Unreadable]:
        return list(self.bad.values())

    def posts(self, now: Instant) -> list[Post]:
        return [post_of(body, now) for body in self.good]


def judge(pieces: list[Any]) -> Judged:
    """Judge each piece for itself, before a transaction holds anything."""
    good: list[PostBody] = []
    bad: dict[int, Unreadable] = {}
    for index, piece in enumerate(pieces):
        judged = _read(piece)
        if isinstance(judged, Unreadable):
            bad[index] = judged
        else:
            good.append(judged)
    return Judged(good, bad)


def _read(piece: Any) -> PostBody | Unreadable:  # noqa: ANN401 - any JSON
    raw = json.dumps(piece)
    external_id = piece.get("external_id") if isinstance(piece, dict) else None
    if not isinstance(external_id, str) or json_body.unkeepable(external_id):
        external_id = None
    reason = json_body.unkeepable(piece)
    if reason is not None:
        return Unreadable("unkeepable_text", reason, raw, external_id)
    try:
        body = PostBody.model_validate_json(raw)
    except ValidationError as error:
        return Unreadable("invalid_post", _first(error), raw, external_id)
    return _empty(body) or body


def page_of(body: PostBody) -> Judged:
    """Return a page of one post that is read already."""
    empty = _empty(body)
    return Judged([], {0: empty}) if empty else Judged([body], {})


def _empty(body: PostBody) -> Unreadable | None:
    if body.text or body.media:
        return None
    detail = "text: may be empty only with media"
    return Unreadable("empty_post", detail, body.model_dump_json(), body.external_id)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, found['loc'])) or 'post'}: {found['msg']}"


def post_of(body: PostBody, now: Instant) -> Post:
    location = Location(**body.location.model_dump()) if body.location else None
    return Post(
        external_id=body.external_id,
        author=Author(**{**body.author.model_dump(), "created_at": body.author.created_at}),
        text=body.text,
        created_at=_written_at(body.created_at, now),
        visibility=body.visibility,
        in_reply_to=body.in_reply_to,
        thread_root=body.thread_root,
        url=body.url,
        media=tuple(Media(**medium.model_dump()) for medium in body.media),
        language=body.language,
        location=location,
        source_application=body.source_application,
    )


def _written_at(told: Instant | None, now: Instant) -> Instant:
    """Return when a post was written, as far as it can be believed.

    The past is believed back to the year 1. Nothing is written after it was received: a moment
    ahead by more than clocks differ would put the post behind all that are still to come.
    """
    return now if told is None or told > now + LARGEST_SKEW_MS else told


def _count(context: Context, network: str, taken: Taken, page: Judged) -> None:
    results = {
        "accepted": len(taken.accepted),
        "duplicate": taken.duplicates,
        "rejected": len(page.bad),
    }
    for result, count in results.items():
        context.metrics.posts.labels(network, result).inc(count)


def _taken_shape(taken: Taken, page: Judged) -> dict[str, Any]:
    return {
        "accepted": len(taken.accepted),
        "duplicates": taken.duplicates,
        "withdrawn": taken.withdrawn,
        "rejected": [
            {"index": index, "code": piece.code, "detail": piece.detail}
            for index, piece in page.bad.items()
        ],
        "conversation_ids": taken.conversation_ids,
    }
