"""What may be asked of a reply that was sent: to say something else, or to be gone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangeReply:
    """A reply that was sent is to be edited or deleted; until then the workflow lives on."""

    reply_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class SettleChange:
    """An edit or a deletion is done, or the network refused it."""

    reply_id: str
    kind: str
    done: bool
