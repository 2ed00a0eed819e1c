"""The rules of X's filtered stream, kept in step with the channels that listen to it."""

from collections.abc import Mapping
from typing import Any

import httpx

from connectors.calls import HTTP_TOO_MANY, Answer, call
from connectors.fields import mapping, sequence, words
from connectors.x_calls import app_request, ask, problem_of
from conversations.networks import Account, NetworkTrouble, Trouble

PATH = "/2/tweets/search/stream/rules"
TAG = "parley:"
"""Before a channel's id: rules without it are others', and left alone."""

_MOST_PAGES = 20
_TAKEN = frozenset({200, 201})
_REFUSED = frozenset({401, 403})


def channel_of(tag: object) -> str | None:
    """Return the channel that a rule is for."""
    text = words(tag, 300)
    return text.removeprefix(TAG) if text and text.startswith(TAG) else None


async def keep_in_step(
    client: httpx.AsyncClient, account: Account, wanted: Mapping[str, list[str]], *, is_ours: bool
) -> None:
    """Let X's rules be those of the channels; without the line, only what is missing is added.

    Raises:
        Limited: X takes no more calls for now.
        NetworkTrouble: it did not answer, or refuses a rule.
    """
    there = await _rules(client, account)
    sought = {(f"{TAG}{name}", query) for name, queries in wanted.items() for query in queries}
    surplus = [rule_id for rule_id, rule in there.items() if rule not in sought]
    if is_ours and surplus:
        await _change(client, account, {"delete": {"ids": surplus}})
    missing = sorted(sought - set(there.values()))
    if missing:
        rules = [{"value": value, "tag": tag} for tag, value in missing]
        await _change(client, account, {"add": rules})


async def take_away(client: httpx.AsyncClient, account: Account, channel_id: str) -> None:
    """Delete the rules of a channel that is not listened to any more.

    Raises:
        Limited: X takes no more calls for now.
        NetworkTrouble: it did not answer.
    """
    there = await _rules(client, account)
    surplus = [rule_id for rule_id, (tag, _) in there.items() if tag == f"{TAG}{channel_id}"]
    if surplus:
        await _change(client, account, {"delete": {"ids": surplus}})


async def _rules(client: httpx.AsyncClient, account: Account) -> dict[str, tuple[str, str]]:
    """Return tag and value of each of our rules by its id."""
    found: dict[str, tuple[str, str]] = {}
    params: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        request = app_request(client, account, "GET", PATH, params=params)
        body = (await ask(client, request, "the stream's rules")).json
        for rule in map(mapping, sequence(body.get("data"))):
            rule_id, tag = words(rule.get("id"), 19), words(rule.get("tag"), 300)
            value = words(rule.get("value"), 4_096)
            if rule_id and value and tag and tag.startswith(TAG):
                found[rule_id] = (tag, value)
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
