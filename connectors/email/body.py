"""The body of a mail from a stranger: its words, and what is attached to them."""

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final
from urllib.parse import quote

from connectors.charsets import decoded, kept
from connectors.email.headers import words
from connectors.html_text import text_of
from conversations.model import Media

MOST_PARTS: Final = 300
DEEPEST: Final = 30
MOST_ATTACHMENTS: Final = 40
_LONGEST_NAME: Final = 200
_KINDS: Final = frozenset(["image", "video", "audio"])
_MIME = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")


@dataclass
class Body:
    """What was found in a mail; parts beyond the bounds are not looked at."""

    message_id: str
    attachments: list[Media] = field(default_factory=list)
    _parts: int = 0

    def words_of(self, part: Message, depth: int = 0) -> str:
        """Return the words of a part, and note what is attached."""
        self._parts += 1
        if self._parts > MOST_PARTS or depth > DEEPEST:
            return ""
        kind = part.get_content_type()
        if part.is_multipart() and kind != "message/rfc822":
            return self._words_of_several(part, kind, depth)
        if kind.startswith("multipart/"):  # by its name only: there is no boundary in it
            return _words_of_text(part, "text/plain")
        if _is_attached(part) or kind not in ("text/plain", "text/html"):
            self._attach(part, kind)
            return ""
        return _words_of_text(part, kind)

    def _words_of_several(self, part: Message, kind: str, depth: int) -> str:
        within = [one for one in part.get_payload() if isinstance(one, Message)]
        if kind == "multipart/alternative":
            said = [(one, self.words_of(one, depth + 1)) for one in within]
            spoken = [(one, text) for one, text in said if text.strip()]
            plain = [text for one, text in spoken if one.get_content_type() == "text/plain"]
            return (plain or [text for _, text in spoken] or [""])[-1]
        found = [self.words_of(one, depth + 1) for one in within]
        return "\n\n".join(text for text in found if text.strip())

    def _attach(self, part: Message, kind: str) -> None:
        """Note an attachment; what only adorns the HTML is none."""
        is_adornment = part.get("Content-ID") and not _is_attached(part)
        if is_adornment or len(self.attachments) >= MOST_ATTACHMENTS:
            return
        number = len(self.attachments) + 1
        main = kind.partition("/")[0]
        self.attachments.append(
            Media(
                kind=main if main in _KINDS else "file",
                url=mid(self.message_id, f"attachment-{number}"),
                alt_text=_name_of(part) or None,
                mime_type=kind if _MIME.fullmatch(kind) else None,
            )
        )


def mid(message_id: str, piece: str) -> str:
    """Return where a piece of a mail is: a URL of RFC 2392, for which there is no download."""
    return f"mid:{quote(message_id, safe='@')}/{piece}"


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_name_of(part))


def _name_of(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001 - a stranger's bytes meet the parser, whatever it trips over
        return "unreadable name"
    return words(re.split(r"[/\\]", str(name))[-1], _LONGEST_NAME)


def _words_of_text(part: Message, kind: str) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        charset = part.get_content_charset()
    except Exception:  # noqa: BLE001 - a stranger's bytes meet the parser, whatever it trips over
        charset = None
    text = decoded(raw, charset).replace("\r\n", "\n").replace("\r", "\n")
    if kind == "text/html":
        return text_of(text, marks_quotes=True)
    return _unflowed(text) if part.get_param("format") == "flowed" else kept(text).strip()


def _unflowed(text: str) -> str:
    """Join the lines that the sender's program broke (RFC 3676)."""
    joined: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        if goes_on and not line.startswith(">"):
            joined[-1] += line
        else:
            joined.append(line)
        goes_on = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "\n".join(line.rstrip() for line in joined).strip()
