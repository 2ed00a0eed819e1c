"""What a network can do: declared by its connector, read by rules, API and desk."""

from dataclasses import dataclass
from enum import StrEnum

from conversations.attachments import NO_ATTACHMENTS, AttachmentRule
from conversations.model import Visibility
from conversations.replies import ReadBack


class Delivery(StrEnum):
    """How an account's posts come: asked for, over a line that stays open, or brought."""

    POLL = "poll"
    STREAM = "stream"
    WEBHOOK = "webhook"


class ReplyDepth(StrEnum):
    """Which posts can be answered: none of them, or all."""

    NONE = "none"
    ANY = "any"


class CountingUnit(StrEnum):
    """In what a network measures a text; the desk counts the same way (`web/`)."""

    CHARACTERS = "characters"
    """Unicode code points."""
    UTF16_UNITS = "utf16_units"
    GRAPHEMES = "graphemes"
    """What a reader takes for one character."""
    BYTES = "bytes"
    """Bytes of UTF-8."""
    X_WEIGHTED = "x_weighted"
    """Code points, most of them outside Latin double; a link counts `link_length`."""
    MASTODON = "mastodon"
    """Graphemes; a link counts `link_length`, a mention without its server."""
    SMS_SEGMENTS = "sms_segments"
    """Segments of GSM-7 or UCS-2."""


@dataclass(frozen=True, slots=True)
class LengthRule:
    """How long one post may be; what is longer becomes a thread where there are threads.

    `most_bytes` is a second limit on the UTF-8 form, 0 when there is none.
    """

    unit: CountingUnit = CountingUnit.CHARACTERS
    most: int = 20_000
    link_length: int = 0
    most_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many calls the network takes in so many seconds; what is over waits.

    `name` is what calls share it; polls leave `kept_for_replies_percent` of it untouched.
    """

    name: str
    calls: int
    per_s: int
    kept_for_replies_percent: int = 0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an account of the network can do; `length` is for each visibility that it speaks.

    `poll_allowance` and `reply_allowances` name the entries of `allowances` that a poll, and a
    reply of a visibility, use up.
    """

    deliveries: frozenset[Delivery] = frozenset()
    visibilities: frozenset[Visibility] = frozenset({Visibility.PUBLIC})
    may_initiate_private: bool = False
    """Whether a private message may go to somebody who never wrote in private."""
    may_answer_in_private: bool = False
    """Whether a public post can be answered with one private message, whoever wrote it."""
    reply_depth: ReplyDepth = ReplyDepth.ANY
    length: LengthRule = LengthRule()
    private_length: LengthRule | None = None
    """The rule for private messages when it is another one."""
    attachments: AttachmentRule = NO_ATTACHMENTS
    private_attachments: AttachmentRule | None = None
    """Which files private messages may have when it is another rule."""
    caption_length: LengthRule | None = None
    """The rule for a text that goes with files when it is another one."""
    is_threaded: bool = True
    """Whether a long text may go out as several posts, each answering the one before."""
    can_edit: bool = False
    can_delete: bool = False
    can_change_private: bool = True
    """Whether edits and deletions, where there are any, are possible in private, too."""
    has_idempotency: bool = False
    """Whether the network itself folds two attempts with one key."""
    read_back: ReadBack = ReadBack.IMPOSSIBLE
    allowances: tuple[Allowance, ...] = ()
    poll_allowance: str | None = None
    public_reply_allowance: str | None = None
    private_reply_allowance: str | None = None

    def may_edit(self, visibility: Visibility) -> bool:
        return self.can_edit and self._may_change(visibility)

    def may_delete(self, visibility: Visibility) -> bool:
        return self.can_delete and self._may_change(visibility)

    def _may_change(self, visibility: Visibility) -> bool:
        return visibility is Visibility.PUBLIC or self.can_change_private

    def attachments_of(self, visibility: Visibility) -> AttachmentRule:
        if visibility is Visibility.PRIVATE and self.private_attachments is not None:
            return self.private_attachments
        return self.attachments

    def length_of(self, visibility: Visibility, *, has_attachments: bool = False) -> LengthRule:
        if has_attachments and self.caption_length is not None:
            return self.caption_length
        if visibility is Visibility.PRIVATE and self.private_length is not None:
            return self.private_length
        return self.length
