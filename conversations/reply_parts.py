"""What a reply is made of: its posts in their order, and what is to become of them afterwards."""

from dataclasses import dataclass
from enum import StrEnum

from conversations.model import Instant

MOST_PARTS = 25
_FIRST_NUMBERED = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One post of a long reply; `attempts` is how many it took, noted when it was sent."""

    text: str
    external_id: str | None = None
    url: str | None = None
    sent_at: Instant | None = None
    attempts: int = 0


class ChangeKind(StrEnum):
    EDIT = "edit"
    DELETE = "delete"


class ChangeState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done about a sent reply; `attempts` fences as a reply's own do.

    `texts` are the new words of each post, `done` how many posts are as they are to be. An edit
    begins with the first post, a deletion with the last, so that no post answers one that is gone.
    """

    kind: ChangeKind
    asked_at: Instant
    text: str | None = None
    texts: tuple[str, ...] = ()
    state: ChangeState = ChangeState.PENDING
    done: int = 0
    attempts: int = 0
    attempt_until: Instant | None = None
    next_attempt_at: Instant | None = None
    reason: str | None = None


def key_of(reply_id: str, index: int) -> str:
    """Return the key of a post of a reply: the reply's id, and `ID-2`, `ID-3` … for later ones."""
    return reply_id if index == 0 else f"{reply_id}-{index + 1}"


def origin_of(key: str) -> tuple[str, int]:
    """Return the id of the reply whose key this would be, and which of its posts."""
    reply_id, dash, number = key.rpartition("-")
    if (
        dash
        and number.isascii()
        and number.isdecimal()
        and _FIRST_NUMBERED <= int(number) <= MOST_PARTS
    ):
        return reply_id, int(number) - 1
    return key, 0
