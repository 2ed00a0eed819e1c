"""What the fake X lists: mentions, searches, own posts, messages; always the newest first."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tests.fakes import x_problems
from tests.fakes.x_ledger import FIRST_MS, StoredMessage, StoredPost
from tests.fakes.x_search import BadQuery, predicate
from tests.fakes.x_shown import shown_messages, shown_posts

if TYPE_CHECKING:
    from tests.fakes.x import Call

Stored = TypeVar("Stored", StoredPost, StoredMessage)
Answer = tuple[int, dict[str, Any]]

MOST_MENTIONS = 800
WEEK_MS = 7 * 86_400_000


def me(call: "Call") -> Answer:
    user = call.fake.ledger.users[call.caller]
    return 200, {"data": {name: user[name] for name in ("id", "name", "username")}}


def mentions(call: "Call") -> Answer:
    ledger, user_id = call.fake.ledger, call.path["id"]
    if user_id not in ledger.users:
        raise x_problems.invalid("there is no such user")
    found = [one for one in _posts(call) if ledger.is_mentioned(one, user_id)]
    return _listed(call, found[:MOST_MENTIONS])


def own_posts(call: "Call") -> Answer:
    return _listed(call, [one for one in _posts(call) if one.author_id == call.path["id"]])


def search(call: "Call") -> Answer:
    since = int(call.query.get("since_id", 0))
    oldest = (int(time.time() * 1000) - WEEK_MS - FIRST_MS) << 22
    if 0 < since < oldest:
        raise x_problems.invalid(f"'since_id' must be a number greater than {oldest}")
    if len(call.query["query"]) > 512:
        raise x_problems.invalid("the query is longer than 512 characters")
    try:
        matches = predicate(call.query["query"])
    except BadQuery as reason:
        raise x_problems.invalid(str(reason)) from None
    ledger = call.fake.ledger
    recent = [one for one in _posts(call) if one.id >= oldest]
    return _listed(call, [one for one in recent if matches(ledger.searched(one))])


def messages(call: "Call") -> Answer:
    """List what the caller takes part in, and nothing of others."""
    return _messages(call, lambda _: True)


def pair(call: "Call") -> Answer:
    both = frozenset({call.caller, call.path["id"]})
    return _messages(call, lambda one: one.participants == both)


def group(call: "Call") -> Answer:
    return _messages(call, lambda one: one.conversation_id == call.path["id"])


def _messages(call: "Call", belongs: Any) -> Answer:
    stored = list(call.fake.ledger.messages)
    own = [one for one in stored if call.caller in one.participants and belongs(one)]
    page, older = _page(call, sorted(own, key=_newest_first))
    body = shown_messages(call.fake.ledger, page, call.query)
    return 200, _with_token(body, older)


def _posts(call: "Call") -> list[StoredPost]:
    """Return what is newer than asked; ids are compared as numbers."""
    since = int(call.query.get("since_id", 0))
    start_ms = _moment_ms(call.query.get("start_time")) if since == 0 else 0
    stored = list(call.fake.ledger.posts.values())
    found = [one for one in stored if one.id > since and one.created_ms >= start_ms]
    return sorted(found, key=_newest_first)


def _newest_first(one: StoredPost | StoredMessage) -> int:
    return -one.id


def _listed(call: "Call", found: Iterable[StoredPost]) -> Answer:
    page, older = _page(call, list(found))
    body = shown_posts(call.fake.ledger, page, call.query)
    if page:
        body["meta"] |= {"newest_id": str(page[0].id), "oldest_id": str(page[-1].id)}
    return 200, _with_token(body, older)


def _page(call: "Call", found: list[Stored]) -> tuple[list[Stored], str | None]:
    token = call.query.get("pagination_token") or call.query.get("next_token")
    if token is not None:
        if not token.startswith("b26"):
            raise x_problems.invalid("the pagination token is none")
        found = [one for one in found if one.id < int(token[3:])]
    most = int(call.query.get("max_results", 10))
    page = found[:most]
    return page, f"b26{page[-1].id}" if len(found) > most else None


def _with_token(body: dict[str, Any], older: str | None) -> dict[str, Any]:
    if older is not None:
        body["meta"]["next_token"] = older
    return body


def _moment_ms(text: str | None) -> int:
    if text is None:
        return 0
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
