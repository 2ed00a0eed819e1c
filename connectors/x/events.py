"""What X brings by webhook: X Activity, and Account Activity in the first API's shapes."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from connectors.fields import mapping, sequence, shown, words
from connectors.x.ids import number
from connectors.x.legacy import instant_of, modern_post, modern_user
from connectors.x.message_wire import found_message, modern
from connectors.x.wire import Found, Includes, Us, author_from, found_from, includes_of
from conversations.model import Instant, Post, PostChange, PostChangeKind, PostKind, Unreadable
from conversations.networks import BadSignature, DeliveryRequest, Page, WebAnswer

SIGNATURE = "x-twitter-webhooks-signature"
_FOR_US = frozenset({"post.mention.create", "post.reply.create", "post.quote.create"})
_POSTS = _FOR_US | {"post.create", "post.repost.create"}
_MESSAGES = frozenset({"dm.received", "dm.sent"})
_CHALLENGE = re.compile(r"[A-Za-z0-9+/=_.~-]{1,256}")


def signed(secret: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(digest).decode()}"


def verify(secret: object, request: DeliveryRequest) -> None:
    """Check the signature over the raw body.

    Raises:
        BadSignature: X did not sign these bytes.
    """
    if not isinstance(secret, str) or not secret:
        raise BadSignature("the account has no consumer_secret, so nothing can be signed for it")
    offered = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(signed(secret, request.body).encode(), offered.encode()):
        raise BadSignature(f"{SIGNATURE} is missing or does not hold")


def answer_to_challenge(secret: object, token: str) -> WebAnswer:
    """Prove that we know the secret.

    A challenge is signed as a delivery is: one that could be a delivery would be a forger's.

    Raises:
        BadSignature: the challenge is none, or there is no secret.
    """
    if not isinstance(secret, str) or not secret:
        raise BadSignature("the account has no consumer_secret, so it can prove nothing")
    if not _CHALLENGE.fullmatch(token):
        raise BadSignature("crc_token is no challenge of X's")
    answer = {"response_token": signed(secret, token.encode())}
    return WebAnswer(json.dumps(answer), "application/json")


def pages_of(body: bytes, us: Us) -> dict[str | None, Page]:
    """Return what a delivery says, by the user id that it is for; None when it names none."""
    try:
        delivered = json.loads(body)
    except (ValueError, RecursionError):
        return {None: _quarantined("not_json", body)}
    if not isinstance(delivered, dict):
        return {None: _quarantined("not_an_object", body)}
    event = mapping(delivered.get("data"))
    if "for_user_id" in delivered:
        user_id = words(delivered["for_user_id"], 19)
        return {user_id: _page(_account_activity(delivered, _us(us, user_id)))}
    if "event_type" in event:
        user_id = words(mapping(event.get("filter")).get("user_id"), 19)
        return {user_id: _page(_activity(event, _us(us, user_id)))}
    if "matching_rules" in delivered:
        return {None: _page([found_from(event, includes_of(delivered.get("includes")), us)])}
    return {None: _quarantined("unknown_delivery", body)}


def _us(called: Us, user_id: str | None) -> Us:
    """Return the account that a delivery is for; of another one only the id is known."""
    return called if user_id in (None, called.user_id) else Us(user_id)


def _quarantined(code: str, body: bytes) -> Page:
    raw = shown(body.decode("utf-8", "replace"))
    return Page(unreadable=(Unreadable(code, "the delivery is none of X's kinds", raw),))


def _page(entries: Iterable[Found | PostChange]) -> Page:
    return page_of(list(entries))


def page_of(entries: list[Found | PostChange], cursor: str | None = None) -> Page:
    """Return a page of what was found, in the order of its ids, each post once."""
    found = {one.key: one for one in entries if isinstance(one, Found)}
    ordered = sorted(found.values(), key=lambda one: one.number)
    changes = [one.change for one in ordered if one.change is not None]
    changes += [one for one in entries if isinstance(one, PostChange)]
    return Page(
        posts=[one.post for one in ordered if isinstance(one.post, Post)],
        unreadable=[one.post for one in ordered if isinstance(one.post, Unreadable)],
        changes=changes,
        cursor=cursor,
    )


def _activity(event: dict[str, Any], us: Us) -> Iterable[Found | PostChange]:
    kind, payload = str(event["event_type"]), mapping(event.get("payload"))
    beside = event.get("includes") or payload.get("includes")
    us = _named(us, mapping(beside).get("users"))
    if kind in _POSTS:
        yield found_from(payload, includes_of(beside), us, is_for_us=kind in _FOR_US)
    elif kind == "post.delete":
        yield from _deletion(payload.get("id"), int(time.time() * 1000))
    elif kind in _MESSAGES:
        yield from _messages(payload, us)
    elif kind == "like.create":
        yield from _like(payload, includes_of(beside), us)
    elif kind == "chat.received":
        detail = "an encrypted message: only X's own programs can read it"
        yield Found(0, shown(payload), Unreadable("encrypted_chat", detail, shown(payload)))


def _named(us: Us, users: object) -> Us:
    """Return the account with the name that the delivery gives it."""
    if us.handle or us.user_id is None:
        return us
    user = includes_of({"users": users}).users.get(us.user_id, {})
    handle = words(user.get("username"), 200)
    return Us(us.user_id, handle.casefold()) if handle else us


def _account_activity(delivered: dict[str, Any], us: Us) -> Iterable[Found | PostChange]:
    for status in map(mapping, sequence(delivered.get("tweet_create_events"))):
        post, beside = modern_post(status)
        yield found_from(post, includes_of(beside), us)
    for deleted in map(mapping, sequence(delivered.get("tweet_delete_events"))):
        at = instant_of(deleted.get("timestamp_ms")) or int(time.time() * 1000)
        yield from _deletion(mapping(deleted.get("status")).get("id"), at)
    yield from _messages(delivered, us)
    for liked in map(mapping, sequence(delivered.get("favorite_events"))):
        user = modern_user(mapping(liked.get("user")))
        post_id = mapping(liked.get("favorited_status")).get("id_str")
        fields = {"liked_tweet_id": post_id, **liked}
        yield from _like(fields, includes_of({"users": [user]}), us)


def _deletion(post_id: object, at: Instant) -> Iterable[PostChange]:
    if number(post_id) is not None:
        yield PostChange(str(post_id), PostChangeKind.DELETED, at)


def _messages(payload: dict[str, Any], us: Us) -> Iterable[Found]:
    users = {key: modern_user(mapping(user)) for key, user in mapping(payload.get("users")).items()}
    for event in map(mapping, sequence(payload.get("direct_message_events"))):
        if event.get("type", "message_create") != "message_create":
            continue
        message = mapping(mapping(event.get("message_create")).get("message_data"))
        medium = mapping(mapping(message.get("attachment")).get("media"))
        media = {str(medium["id_str"]): _medium(medium)} if "id_str" in medium else {}
        found = found_message(modern(event, us.user_id), Includes(users, media, {}), us)
        if found is not None:
            yield found


def _medium(medium: dict[str, Any]) -> dict[str, Any]:
    return {"type": medium.get("type"), "url": medium.get("media_url_https")}


def _like(payload: dict[str, Any], includes: Includes, us: Us) -> Iterable[Found]:
    """Return a like, when the one who gave it is named: the post's author is no giver."""
    liked_id, author_id = payload.get("liked_tweet_id"), payload.get("liked_tweet_author_id")
    givers = [user_id for user_id in includes.users if user_id != author_id]
    like_id, at = words(payload.get("id"), 200), instant_of(payload.get("timestamp_ms"))
    if len(givers) != 1 or like_id is None or at is None or number(liked_id) is None:
        return
    user = includes.users[givers[0]]
    like = Post(
        external_id=f"like:{like_id}",
        author=author_from(givers[0], user),
        text="",
        created_at=at,
        in_reply_to=str(liked_id),
        is_own=us.is_author(user, givers[0]),
        mentions=(us.handle,) if us.handle else (),
        kind=PostKind.LIKE,
    )
    yield Found(0, like.external_id, like)
