"""What X's refusals mean: for these words for good, for this account, or for now."""

import time

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer
from connectors.x.calls import Problem, pause_s, problem_of
from conversations.replies import Certainty, Outcome, Reply

ACCESS_PAUSE_S = 30.0
"""A revoked key or a locked account is tried again so much later."""

DAILY_PAUSE_S = 900.0

ABSENT = "X does not have it"
SAME_WORDS = "X refuses to take the same words from one account twice"
MAYBE_THERE = "X says that it already has these words"

_HTTP_UNAUTHORISED = 401
_HTTP_NO_CREDIT = 402
_HTTP_FORBIDDEN = 403
_HTTP_NOT_FOUND = 404
_UNCERTAIN = frozenset({408, 409})
_ACCOUNT_TROUBLE = frozenset(
    {"client-forbidden", "oauth1-permissions", "unsupported-authentication", "usage-capped"}
)
_ACCOUNT_WORDS = (
    "suspended",
    "temporarily locked",
    "oauth1 app permissions",
)
_DAILY_WORDS = ("daily status update limit", "over daily", "daily limit")
_REASONS = (
    (
        ("mentioned or otherwise engaged", "not been summoned"),
        "X lets this account answer in public only where the author mentioned or quoted it",
    ),
    (
        ("who can reply", "not allowed to reply", "reply to this conversation is not allowed"),
        "the author lets only some people answer this post",
    ),
    (
        ("deleted or not visible", "not visible to you", "that you are attempting to reply to"),
        "the answered post is not there any more, or hidden from this account",
    ),
    (
        ("cannot send messages", "dm_participants", "can't be sent", "message requests"),
        "this person takes no direct messages from the account",
    ),
    (("blocked",), "this person has blocked the account"),
    (("too long", "longer than", "character limit"), "the text is too long for X"),
    (("cashtag",), "X takes one cashtag ($…) a post"),
)


def outcome_of_refusal(answer: Answer, reply: Reply) -> Outcome:
    """Say what it means that X did not answer a post or message with success."""
    problem = problem_of(answer)
    reason = _words(answer, problem)
    if answer.status == HTTP_TOO_MANY:
        seconds = pause_s(answer.headers, time.time())
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=seconds)
    if _is_of_the_account(answer, problem):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    if _has(problem, _DAILY_WORDS):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=DAILY_PAUSE_S)
    if answer.status == _HTTP_FORBIDDEN and _has(problem, ("duplicate content",)):
        return _outcome_of_duplicate(reply)
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status not in _UNCERTAIN:
        return Outcome(Certainty.REJECTED, reason=_understood(problem) or reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def _outcome_of_duplicate(reply: Reply) -> Outcome:
    """Judge "duplicate content" by what was tried before.

    On a first attempt it is another post that has these words, and so it is when a look-up has
    just shown that no earlier attempt arrived. Otherwise an earlier attempt may have done so.
    """
    if reply.attempts <= 1 or reply.reason == ABSENT:
        return Outcome(Certainty.REJECTED, reason=SAME_WORDS)
    return Outcome(Certainty.MAYBE, reason=MAYBE_THERE)


def is_absent(answer: Answer) -> bool:
    """Whether X says that what is to be deleted is not there."""
    if answer.status == _HTTP_NOT_FOUND:
        return True
    return problem_of(answer).name == "resource-not-found"


def _is_of_the_account(answer: Answer, problem: Problem) -> bool:
    if answer.status in {_HTTP_UNAUTHORISED, _HTTP_NO_CREDIT}:
        return True
    if answer.status != _HTTP_FORBIDDEN:
        return False
    return problem.name in _ACCOUNT_TROUBLE or _has(problem, _ACCOUNT_WORDS)


def _understood(problem: Problem) -> str | None:
    return next((reason for words, reason in _REASONS if _has(problem, words)), None)


def _has(problem: Problem, words: tuple[str, ...]) -> bool:
    said = problem.detail.casefold()
    return any(word in said for word in words)


def _words(answer: Answer, problem: Problem) -> str:
    reason = f"X answered {answer.status} {problem.name}".rstrip()
    return f"{reason}: {problem.detail[:500]}" if problem.detail else reason
