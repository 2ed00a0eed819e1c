"""What goes with a reply beside its words: files, and which of them a network takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from conversations.errors import AttachmentsNotTaken

LARGEST_BYTES: Final = 8 * 1024 * 1024
"""Larger files reach no network within an attempt's deadline."""

MOST_OF_A_REPLY: Final = 10
IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
ANIMATED: Final = "image/gif"
FILM: Final = "video/mp4"
DOCUMENT: Final = "application/pdf"
KNOWN: Final = IMAGES | {FILM, DOCUMENT}

_FILM_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ")
_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", ANIMATED),
    (b"GIF89a", ANIMATED),
    (b"%PDF-", DOCUMENT),
)


def media_type_of(content: bytes) -> str | None:
    """Return what a file is by its first bytes, whatever it is called; None if it is not known.

    https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern; MP4 by its major brand.
    """
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return FILM if content[4:8] == b"ftyp" and content[8:12] in _FILM_BRANDS else None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a reply; `content` is there only while it is on its way to the network."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    alt_text: str | None = None
    content: bytes = field(default=b"", repr=False, compare=False)

    def described(self, alt_text: str | None) -> "Attachment":
        """Return the file with what it shows in words; blanks are none."""
        return replace(self, alt_text=(alt_text or "").strip() or None)


@dataclass(frozen=True, slots=True)
class AttachmentRule:
    """Which files one reply may have; where `most` is 0 there are none.

    What is in `alone` goes with no other. `longest_alt_text` 0: the network carries none.
    """

    most: int = 0
    media_types: frozenset[str] = frozenset()
    most_bytes: int = LARGEST_BYTES
    alone: frozenset[str] = frozenset()
    longest_alt_text: int = 0
    needs_alt_text: bool = False

    @property
    def without_alt_text(self) -> "AttachmentRule":
        """The rule as far as it can be kept before anybody wrote an alternative text."""
        return replace(self, needs_alt_text=False)


NO_ATTACHMENTS: Final = AttachmentRule()


def require_taken(rule: AttachmentRule, network: str, attachments: Sequence[Attachment]) -> None:
    """Refuse files that the network would not take, before anything is stored.

    Raises:
        AttachmentsNotTaken: it names the file and the limit.
    """
    if len(attachments) > rule.most:
        limit = f"takes {rule.most} at most" if rule.most else "takes none with such a reply"
        raise AttachmentsNotTaken(f"{len(attachments)} files", f"{network} {limit}")
    for one in attachments:
        if (why := _refusal(rule, network, one)) is not None:
            raise AttachmentsNotTaken(one.name, why)
        if one.media_type in rule.alone and len(attachments) > 1:
            raise AttachmentsNotTaken(one.name, f"on {network} {one.media_type} goes alone")


def _refusal(rule: AttachmentRule, network: str, one: Attachment) -> str | None:
    if one.media_type not in rule.media_types:
        taken = ", ".join(sorted(rule.media_types))
        return f"it is {one.media_type}, {network} takes {taken}"
    if one.size_bytes > rule.most_bytes:
        return f"it has {one.size_bytes} bytes, {network} takes {rule.most_bytes}"
    if rule.needs_alt_text and not (one.alt_text or "").strip():
        return "it needs an alternative text, so that everybody knows what it shows"
    said, most = len(one.alt_text or ""), rule.longest_alt_text
    if most and said > most:
        return f"its alternative text has {said} characters, {network} takes {most}"
    return None
