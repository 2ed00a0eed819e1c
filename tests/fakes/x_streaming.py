"""The fake X's filtered stream: rules of the app, one line, a sign of life now and then."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from tests.fakes import x_problems
from tests.fakes.x_ledger import StoredPost, rfc_3339
from tests.fakes.x_search import BadQuery, predicate
from tests.fakes.x_shown import shown_posts

if TYPE_CHECKING:
    from tests.fakes.x import Call, FakeX

Answer = tuple[int, dict[str, Any]]
LOOK_EVERY_S = 0.02
MOST_RULES = 1_000
LONGEST_RULE = 1_024


def list_rules(call: "Call") -> Answer:
    rules = list(call.fake.ledger.rules.values())
    body: dict[str, Any] = {"meta": {"sent": _now(), "result_count": len(rules)}}
    return 200, body | ({"data": rules} if rules else {})


def change_rules(call: "Call") -> Answer:
    if "delete" in call.body:
        wanted = call.body["delete"].get("ids", [])
        gone = [call.fake.ledger.rules.pop(one, None) for one in wanted]
        deleted = sum(one is not None for one in gone)
        summary = {"deleted": deleted, "not_deleted": len(gone) - deleted}
        return 200, {"meta": {"sent": _now(), "summary": summary}}
    added = [_added(call.fake, rule) for rule in call.body["add"]]
    rules = [rule for rule in added if "type" not in rule]
    errors = [rule for rule in added if "type" in rule]
    summary = {
        "created": len(rules),
        "not_created": len(errors),
        "valid": len(rules),
        "invalid": len(errors),
    }
    body: dict[str, Any] = {"meta": {"sent": _now(), "summary": summary}}
    body |= {"data": rules} if rules else {}
    return 200, body | ({"errors": errors} if errors else {})


def _added(fake: "FakeX", rule: dict[str, str]) -> dict[str, Any]:
    rules, kind = fake.ledger.rules, "https://api.twitter.com/2/problems/"
    if any(one["value"] == rule["value"] for one in rules.values()):
        return {"title": "DuplicateRule", "type": f"{kind}duplicate-rules", **rule}
    try:
        predicate(rule["value"])
    except BadQuery as reason:
        return {"title": "InvalidRule", "type": f"{kind}invalid-rules", "detail": str(reason)}
    if len(rule["value"]) > LONGEST_RULE or len(rules) >= MOST_RULES:
        return {"title": "RulesCapExceeded", "type": f"{kind}rule-cap", "detail": "no more"}
    stored = {"id": str(fake.ledger.new_id()), **rule}
    rules[stored["id"]] = stored
    return stored


def stream(call: "Call", headers: dict[str, str]) -> StreamingResponse:
    """Open the app's line: the only one that it may have."""
    if call.fake.lines > 0:
        raise x_problems.too_many_lines()
    if not call.fake.ledger.rules:
        raise x_problems.problem(409, "ConnectionException", "there are no rules")
    call.fake.lines += 1
    return StreamingResponse(_lines(call), 200, headers, "application/json")


async def _lines(call: "Call") -> AsyncIterator[bytes]:
    fake, sent = call.fake, set(call.fake.ledger.posts)
    alive_at = time.monotonic()
    try:
        yield b"\r\n"
        while fake.lines > 0 and not fake.is_closing:
            for post in [one for one in list(fake.ledger.posts.values()) if one.id not in sent]:
                sent.add(post.id)
                if (line := _line(call, post)) is not None:
                    alive_at = time.monotonic()
                    yield line
            if time.monotonic() - alive_at > fake.heartbeat_s:
                alive_at = time.monotonic()
                yield b"\r\n"
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        fake.lines = max(0, fake.lines - 1)


def _line(call: "Call", post: StoredPost) -> bytes | None:
    ledger = call.fake.ledger
    searched = ledger.searched(post)
    matching = [
        {name: rule[name] for name in ("id", "tag") if name in rule}
        for rule in ledger.rules.values()
        if predicate(rule["value"])(searched)
    ]
    if not matching:
        return None
    shown = shown_posts(ledger, [post], call.query)
    line: dict[str, Any] = {"data": shown["data"][0], "matching_rules": matching}
    if "includes" in shown:
        line["includes"] = shown["includes"]
    return json.dumps(line).encode() + b"\r\n"


def _now() -> str:
    return rfc_3339(int(time.time() * 1000))
