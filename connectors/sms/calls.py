"""Calls to Twilio's REST API and what its answers mean."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer
from connectors.fields import words
from conversations.model import Instant
from conversations.networks import Account, NetworkTrouble, Trouble
from conversations.replies import Certainty, Outcome

HOST = "https://api.twilio.com"
ACCESS_PAUSE_S = 30.0
"""A refused token or a suspended account is tried again so much later."""
QUEUE_PAUSE_S = 60.0
NO_ACCESS = "the account has no valid url, account_sid, number or auth_token"
FAILED = frozenset({"failed", "undelivered", "canceled"})

_ACCESS_CODES = frozenset({20003, 20005})
_TOO_MANY_CODES = frozenset({20429, 21611, 63038})
"""Too many calls; too many messages in the number's queue; too many messages today."""
_REASONS = {
    21211: "this is no number that can be written to",
    21408: "the account may not write to that country",
    21606: "the account's number cannot send, or is not its own",
    21610: "the customer has opted out (STOP): nothing may be sent before START",
    21612: "the network cannot reach that number from the account's",
    21614: "this number cannot receive text messages",
    21617: "the text is longer than 1,600 characters",
    30003: "the telephone is off or out of reach",
    30004: "the message was blocked",
    30005: "the number is not known to its network",
    30006: "the number is a landline, or its network is out of reach",
    30007: "the carrier took the message for spam",
    30008: "the carrier did not say why",
}
_HTTP_UNAUTHORISED = 401
_HTTP_NOT_FOR_YOU = frozenset({403, 404})
_HTTP_REQUEST_TIMEOUT = 408


def request(
    client: httpx.AsyncClient,
    account: Account,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> httpx.Request:
    """Build a call below the account's own address, or to a path that the network named.

    Raises:
        KeyError: the account lacks what every call needs.
        httpx.InvalidURL: its address is none.
    """
    sid, token = str(account.settings["account_sid"]), str(account.credentials["auth_token"])
    access = base64.b64encode(f"{sid}:{token}".encode()).decode()
    host = str(account.settings.get("url") or HOST).rstrip("/")
    below = path if path.startswith("/") else f"/2010-04-01/Accounts/{quote(sid, safe='')}/{path}"
    headers = {"authorization": f"Basic {access}"}
    return client.build_request(method, host + below, headers=headers, params=params, data=form)


def day_of(moment: Instant) -> str:
    """Return the day before, in UTC: a list by days may know another midnight."""
    day_ms = 86_400_000
    return datetime.fromtimestamp(max(0, moment - day_ms) / 1000, UTC).strftime("%Y-%m-%d")


def trouble_of(answer: Answer) -> NetworkTrouble:
    """Say why a list was not given."""
    trouble = Trouble.UNAUTHORISED if _is_refused_access(answer) else Trouble.DOWN
    return NetworkTrouble(f"Twilio answered {_named(answer)}", trouble)


def is_limit(answer: Answer) -> bool:
    return answer.status == HTTP_TOO_MANY or code_of(answer) in _TOO_MANY_CODES


def outcome_of_publishing(answer: Answer) -> Outcome:
    """Say what the answer to an attempt proves."""
    if answer.status // 100 == 2 and (taken := outcome_of_message(answer.json)) is not None:  # noqa: PLR2004
        return taken
    reason = f"Twilio answered {_named(answer)}"
    if is_limit(answer):
        pause_s = answer.retry_after_s
        if pause_s is None and code_of(answer) not in {None, 20429}:
            pause_s = QUEUE_PAUSE_S
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s)
    if _is_refused_access(answer):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status != _HTTP_REQUEST_TIMEOUT:
        return Outcome(Certainty.REJECTED, reason=reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def outcome_of_message(message: Mapping[str, object]) -> Outcome | None:
    """Say what a message of the network is: taken, or failed for good; None when it is none."""
    sid = words(message.get("sid"), 64)
    if sid is None:
        return None
    status = message.get("status")
    if status in FAILED:
        code = message.get("error_code")
        reason = f"the message {status}: {meaning_of(code)}"
        return Outcome(Certainty.REJECTED, external_id=sid, reason=reason)
    return Outcome(Certainty.SENT, external_id=sid)


def meaning_of(code: object) -> str:
    """Return what an error code says, for people."""
    number = int(code) if isinstance(code, str) and code.isdecimal() else code
    if not isinstance(number, int):
        return "no reason was given"
    meaning = _REASONS.get(number)
    return f"{meaning} (Twilio error {number})" if meaning else f"Twilio error {number}"


def code_of(answer: Answer) -> int | None:
    code = answer.json.get("code")
    return code if type(code) is int else None


def _is_refused_access(answer: Answer) -> bool:
    """Whether the account is refused, or is not there, rather than this one message."""
    code = code_of(answer)
    if answer.status == _HTTP_UNAUTHORISED or code in _ACCESS_CODES:
        return True
    return answer.status in _HTTP_NOT_FOR_YOU and code not in _REASONS


def _named(answer: Answer) -> str:
    code = code_of(answer)
    if code is None:
        return str(answer.status)
    if code in _REASONS:
        return f"{answer.status}: {meaning_of(code)}"
    message = words(answer.json.get("message"), 2_000)
    return f"{answer.status}: Twilio error {code}" + (f", {message[:300]}" if message else "")
