"""Calls to a Matrix homeserver's client interface and what its answers mean."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer
from connectors.fields import words
from connectors.patience import Busy
from conversations.attachments import Attachment
from conversations.networks import Account, NetworkTrouble, Trouble
from conversations.replies import Certainty, Outcome

CLIENT = "/_matrix/client/v3"
MEDIA = "/_matrix/media/v3/upload"
LARGEST_SYNC = 32 * 1024 * 1024
ACCESS_PAUSE_S = 30.0
"""A refused token is tried again so much later."""
BUSY_PAUSE_S = 1.0
NO_ACCESS = "the account has no valid url, user_id or access_token"

_ACCESS_CODES = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"})
_HTTP_UNAUTHORISED = 401
_HTTP_REQUEST_TIMEOUT = 408


def host_of(account: Account) -> str:
    return str(account.settings["url"]).rstrip("/")


def request(  # what a call is
    client: httpx.AsyncClient,
    account: Account,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    content: Mapping[str, object] | None = None,
) -> httpx.Request:
    """Build a call of the client interface.

    Raises:
        KeyError: the account lacks what every call needs.
        httpx.InvalidURL: its address is none.
    """
    headers = {"authorization": f"Bearer {account.credentials['access_token']}"}
    url = host_of(account) + CLIENT + path
    return client.build_request(method, url, headers=headers, params=params, json=content)


def upload_request(
    client: httpx.AsyncClient, account: Account, attachment: Attachment
) -> httpx.Request:
    """Build the call that brings a file to the homeserver.

    Raises:
        KeyError, httpx.InvalidURL: as `request`.
    """
    headers = {
        "authorization": f"Bearer {account.credentials['access_token']}",
        "content-type": attachment.media_type,
    }
    url, params = host_of(account) + MEDIA, {"filename": attachment.name}
    content = attachment.content
    return client.build_request("POST", url, headers=headers, params=params, content=content)


def room_path(room: str, *rest: str) -> str:
    return "/".join(["/rooms", *(quote(part, safe="") for part in (room, *rest))])


def split_id(external_id: str | None) -> tuple[str, str] | None:
    """Return the room and the event of a post; None when it is none of this network's."""
    room, mark, event = (external_id or "").partition(":$")
    return (room, f"${event}") if mark and event and room.startswith("!") else None


def joined_id(room: str, event: str) -> str:
    return f"{room}:{event}"


def checked(answer: Answer) -> dict[str, object]:
    """Return what was asked for.

    Raises:
        Busy: the network takes no calls for a while.
        NetworkTrouble: it refused, or gave something else.
    """
    if answer.status == HTTP_TOO_MANY:
        raise Busy(pause_s(answer))
    if answer.status != 200:  # noqa: PLR2004
        trouble = Trouble.UNAUTHORISED if is_refused_access(answer) else Trouble.DOWN
        raise NetworkTrouble(f"the homeserver answered {_named(answer)}", trouble)
    if not answer.is_whole or not answer.json:
        raise NetworkTrouble("the homeserver's answer cannot be read")
    return answer.json


def pause_s(answer: Answer) -> float:
    """Return how long the homeserver wants to be left alone."""
    wanted_ms = answer.json.get("retry_after_ms")
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    return wanted_ms / 1000 if type(wanted_ms) is int and wanted_ms >= 0 else BUSY_PAUSE_S


def outcome_of(answer: Answer, room: str | None) -> Outcome:
    """Say what the answer to a send, an edit or a redaction proves."""
    event = words(answer.json.get("event_id"))
    if answer.status // 100 == 2 and event is not None:  # noqa: PLR2004
        return Outcome(Certainty.SENT, joined_id(room, event) if room else None)
    reason = f"the homeserver answered {_named(answer)}"
    if answer.status == HTTP_TOO_MANY:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s(answer))
    if is_refused_access(answer):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status != _HTTP_REQUEST_TIMEOUT:
        return Outcome(Certainty.REJECTED, reason=reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def code_of(answer: Answer) -> str:
    return words(answer.json.get("errcode")) or ""


def is_refused_access(answer: Answer) -> bool:
    return answer.status == _HTTP_UNAUTHORISED or code_of(answer) in _ACCESS_CODES


def _named(answer: Answer) -> str:
    told = words(answer.json.get("error"), 5_000)
    return f"{answer.status} {code_of(answer)}".rstrip() + (f": {told[:300]}" if told else "")
