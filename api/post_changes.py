"""The generic door for what authors do to their posts later: edits and deletions."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field, model_validator
from sqlalchemy import Connection

from api.errors import not_found
from api.fields import Body, Moment, Shape
from api.idempotency import Answer, Carried
from api.posts import LONGEST_TEXT, MOST_POSTS, ExternalId
from api.routes import COMMANDS, new_router
from conversations.model import Instant, PostChange, PostChangeKind
from storage import clock, intake, post_changes

router = new_router("posts")


class PostChangeBody(Body):
    """What became of a post, which may come later; an edit has a text, a deletion has none."""

    external_id: ExternalId
    kind: Annotated[PostChangeKind, Field(strict=False)]
    at: Annotated[Moment | None, Field(description="By the network's clock; default: now")] = None
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None

    @model_validator(mode="after")
    def _require_text_of_an_edit(self) -> "PostChangeBody":
        if (self.kind is PostChangeKind.EDITED) is (self.text is None):
            raise ValueError("an edit has a text, a deletion has none")
        return self


class PostChangesBody(Body):
    changes: Annotated[list[PostChangeBody], Field(min_length=1, max_length=MOST_POSTS)]


class FollowedShape(Shape):
    """How many posts were changed, and how many changes wait for posts that are not there."""

    applied: int
    waiting: int


@router.post(
    "/channels/{channel_id}/post-changes",
    status_code=202,
    response_model=FollowedShape,
    responses=COMMANDS,
)
async def create_post_changes(channel_id: str, body: PostChangesBody, once: Carried) -> Response:
    """Follow edits and deletions; what says nothing new, or is older, changes nothing."""

    def follow(connection: Connection) -> Answer:
        found = intake.channel_with_account(connection, channel_id)
        if found is None:
            raise not_found("channel", channel_id)
        now = clock.now(connection)
        changes = [_change(one, now) for one in body.changes]
        followed = post_changes.follow(connection, found.source.account_id, changes)
        shape: dict[str, Any] = {"applied": followed.applied, "waiting": followed.waiting}
        return Answer(202, shape, followed.aftermath)

    return await once.run(follow)


def _change(body: PostChangeBody, now: Instant) -> PostChange:
    at = now if body.at is None else min(body.at, now)
    return PostChange(body.external_id, body.kind, at, body.text)
