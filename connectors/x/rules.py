"""The rules of X's filtered stream, kept in step with the channels that listen to it."""

import hashlib
from collections.abc import Collection
from typing import Any

import httpx

from connectors.calls import HTTP_TOO_MANY, Answer, call
from connectors.fields import mapping, sequence, words
from connectors.x.calls import app_request, ask, problem_of
from conversations.networks import Account, NetworkTrouble, Trouble

PATH = "/2/tweets/search/stream/rules"
TAG = "parley:"
"""Before a rule's mark: rules without it are others', and left alone."""

_MOST_PAGES = 20
_TAKEN = frozenset({200, 201})
_REFUSED = frozenset({401, 403})


def tag_of(query: str) -> str:
    """Return the mark of a rule: X keeps a query once, however many channels have it."""
    return TAG + hashlib.sha256(query.encode()).hexdigest()[:16]


async def keep_in_step(
    client: httpx.AsyncClient, account: Account, wanted: Collection[str], *, is_ours: bool
) -> list[str]:
    """Let our rules on X be these queries; return those that were missing there.

    Only who has the app's line takes others away: they may be what it is open for.

    Raises:
        Limited: X takes no more calls for now.
        NetworkTrouble: it did not answer, or refuses a rule.
    """
    there = await _rules(client, account)
    surplus = [rule_id for rule_id, query in there.items() if query not in wanted]
    if is_ours and surplus:
        await _change(client, account, {"delete": {"ids": surplus}})
    missing = sorted(set(wanted) - set(there.values()))
    if missing:
        rules = [{"value": query, "tag": tag_of(query)} for query in missing]
        await _change(client, account, {"add": rules})
    return missing


async def take_away(client: httpx.AsyncClient, account: Account, queries: Collection[str]) -> None:
    """Delete the rules that were added for a line that there is none for.

    Raises:
        Limited: X takes no more calls for now.
        NetworkTrouble: it did not answer.
    """
    there = await _rules(client, account)
    if surplus := [rule_id for rule_id, query in there.items() if query in queries]:
        await _change(client, account, {"delete": {"ids": surplus}})


async def _rules(client: httpx.AsyncClient, account: Account) -> dict[str, str]:
    """Return the query of each of our rules by the rule's id."""
    found: dict[str, str] = {}
    params: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        request = app_request(client, account, "GET", PATH, params=params)
        body = (await ask(client, request, "the stream's rules")).json
        for rule in map(mapping, sequence(body.get("data"))):
            rule_id, tag = words(rule.get("id"), 19), words(rule.get("tag"), 300)
            value = words(rule.get("value"), 4_096)
            if rule_id and value and tag and tag.startswith(TAG):
                found[rule_id] = value
        token = words(mapping(body.get("meta")).get("next_token"), 300)
        if token is None:
            break
        params = {"pagination_token": token}
    return found


async def _change(client: httpx.AsyncClient, account: Account, body: dict[str, Any]) -> None:
    request = app_request(client, account, "POST", PATH, json=body)
    try:
        answer = await call(client, request)
    except httpx.HTTPError as error:
        raise NetworkTrouble(f"the stream's rules: {type(error).__name__}") from error
    if (trouble := _trouble(answer)) is not None:
        raise trouble


def _trouble(answer: Answer) -> NetworkTrouble | None:
    """Return what went wrong; a rule that somebody added meanwhile is there, and no trouble."""
    problem = problem_of(answer)
    is_doubled = problem.name in {"duplicate-rules", "DuplicateRule"}
    if answer.status in _TAKEN and (not answer.json.get("errors") or is_doubled):
        return None
    if answer.status == HTTP_TOO_MANY:
        return NetworkTrouble("the stream's rules: X takes no more changes for now")
    detail = f"the stream's rules: X answered {answer.status} {problem.name}".rstrip()
    is_refused = answer.status in _REFUSED
    return NetworkTrouble(detail, Trouble.UNAUTHORISED if is_refused else Trouble.DOWN)
