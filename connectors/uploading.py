"""Files that a network wants before the post: nothing is said until all of them are there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import httpx

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, cause_of
from conversations.attachments import Attachment
from conversations.replies import Certainty, Outcome

Uploaded = TypeVar("Uploaded")

UPLOADS_WITHIN_S: Final = 8.0
"""The post itself needs what is left of an attempt's time."""

_SOON: Final = frozenset({401, 403, 408, 425})


class NotUploaded(Exception):
    """A file did not arrive, so that surely nothing was said; `outcome` is the attempt's."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


async def all_uploaded(
    attachments: Sequence[Attachment], upload: Callable[[Attachment], Awaitable[Uploaded]]
) -> list[Uploaded]:
    """Upload the files one after the other, and return what the network calls each.

    Raises:
        NotUploaded: one did not arrive in time, or at all.
    """
    try:
        async with asyncio.timeout(UPLOADS_WITHIN_S):
            return [await upload(one) for one in attachments]
    except TimeoutError as error:
        raise not_uploaded(f"the files did not arrive within {UPLOADS_WITHIN_S:.0f} s") from error
    except httpx.HTTPError as error:
        raise not_uploaded(f"a file did not arrive: {cause_of(error)}") from error


def not_uploaded(reason: str, pause_s: float | None = None) -> NotUploaded:
    return NotUploaded(Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s))


def require_uploaded(answer: Answer, attachment: Attachment, says: str | None) -> None:
    """Refuse any answer but success; `says` is what the network calls the reason.

    Raises:
        NotUploaded: the file is refused for good, or may be brought again.
    """
    if answer.status // 100 == 2:  # noqa: PLR2004 - the class of success
        return
    reason = f"{attachment.name} was answered {answer.status}" + (f": {says}" if says else "")
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status not in _SOON and answer.status != HTTP_TOO_MANY:
        raise NotUploaded(Outcome(Certainty.REJECTED, reason=reason))
    raise not_uploaded(reason, answer.retry_after_s)
