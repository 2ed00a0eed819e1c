"""Calls to Slack's Web API and what its answers mean; most refusals come with status 200."""

from collections.abc import Mapping

import httpx

from connectors.calls import HTTP_TOO_MANY, Answer, call
from connectors.fields import words
from connectors.patience import Busy
from conversations.networks import Account, NetworkTrouble, Trouble
from conversations.replies import Certainty, Outcome

HOST = "https://slack.com"
LARGEST_LIST = 16 * 1024 * 1024
ACCESS_PAUSE_S = 30.0
BUSY_PAUSE_S = 1.0
NO_ACCESS = "the account has no valid url, bot_user_id or bot_token"

_ACCESS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
        "ekm_access_denied",
        "team_access_not_granted",
        "access_denied",
        "org_login_required",
    }
)
_NOT_NOW = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_NOBODY_KNOWS = frozenset(
    {"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
_REASONS = {
    "channel_not_found": "the channel is not there, or the app is not in it",
    "not_in_channel": "the app is not in the channel",
    "is_archived": "the channel is archived",
    "msg_too_long": "the text is longer than 40,000 characters",
    "no_text": "there is no text",
    "restricted_action": "the workspace does not let the app write there",
    "cannot_reply_to_message": "the message cannot be answered in a thread",
    "message_not_found": "the message is not there",
    "cant_update_message": "the message is not the app's own",
    "edit_window_closed": "the workspace lets nobody edit the message any more",
    "cant_delete_message": "the message is not the app's own",
}
_HTTP_UNAUTHORISED = 401


def request(
    client: httpx.AsyncClient, account: Account, method: str, form: Mapping[str, str]
) -> httpx.Request:
    """Build a call of a Web API method.

    Raises:
        KeyError: the account lacks what every call needs.
        httpx.InvalidURL: its address is none.
    """
    host = str(account.settings.get("url") or HOST).rstrip("/")
    headers = {"authorization": f"Bearer {account.credentials['bot_token']}"}
    return client.build_request("POST", f"{host}/api/{method}", headers=headers, data=dict(form))


async def asked(
    client: httpx.AsyncClient, account: Account, method: str, form: Mapping[str, str]
) -> dict[str, object]:
    """Return what a method that reads answers.

    Raises:
        Busy: the network takes no calls for a while.
        NetworkTrouble: it refused, or gave something else.
        httpx.HTTPError: the line broke.
    """
    answer = await call(client, request(client, account, method, form), largest=LARGEST_LIST)
    if is_limit(answer):
        raise Busy(answer.retry_after_s if answer.retry_after_s is not None else BUSY_PAUSE_S)
    if not is_ok(answer):
        trouble = Trouble.UNAUTHORISED if is_refused_access(answer) else Trouble.DOWN
        raise NetworkTrouble(f"{method} was answered {named(answer)}", trouble)
    return answer.json


def is_ok(answer: Answer) -> bool:
    return answer.status == 200 and answer.json.get("ok") is True  # noqa: PLR2004


def is_limit(answer: Answer) -> bool:
    return answer.status == HTTP_TOO_MANY or error_of(answer) in _NOT_NOW


def is_refused_access(answer: Answer) -> bool:
    return answer.status == _HTTP_UNAUTHORISED or error_of(answer) in _ACCESS


def error_of(answer: Answer) -> str:
    return words(answer.json.get("error")) or ""


def refusal_of(answer: Answer) -> Outcome:
    """Say what an answer that is no success proves."""
    reason, error = f"Slack answered {named(answer)}", error_of(answer)
    if is_limit(answer):
        pause_s = answer.retry_after_s
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s)
    if is_refused_access(answer):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    is_refusal = answer.status == 200 and answer.json.get("ok") is False  # noqa: PLR2004
    if is_refusal and error and error not in _NOBODY_KNOWS:
        return Outcome(Certainty.REJECTED, reason=reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def named(answer: Answer) -> str:
    error = error_of(answer)
    meaning = _REASONS.get(error)
    return f"{answer.status} {error}".rstrip() + (f": {meaning}" if meaning else "")
