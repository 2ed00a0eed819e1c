"""X's texts: its shortened links written out, its escapes undone, two texts compared."""

import re
import unicodedata
from typing import Any

from connectors.fields import mapping, sequence, web_address

_SIGNS = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_REWRITTEN = re.compile(r"https?://t\.co/[A-Za-z0-9]+|&lt;|&gt;|&amp;")
_LEADING_NAMES = re.compile(r"^(?:\s*@[A-Za-z0-9_]+)+(?=\s|$)")
_SCHEME = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_LINK_END = re.compile(r"/(?=\s|$)")


def plain(text: str, links: object) -> str:
    """Return a text as its author wrote it; a link that only stands for a medium is left out."""
    targets = {
        link["url"]: _target(link)
        for link in map(mapping, sequence(links))
        if isinstance(link.get("url"), str)
    }

    def written_out(found: re.Match[str]) -> str:
        piece = found.group()
        return _SIGNS.get(piece) or targets.get(piece, piece)

    return _REWRITTEN.sub(written_out, text).rstrip() if targets else unescaped(text)


def unescaped(text: str) -> str:
    return _REWRITTEN.sub(lambda found: _SIGNS.get(found.group(), found.group()), text)


def _target(link: dict[str, Any]) -> str:
    if link.get("media_key") or str(link.get("display_url", "")).startswith("pic."):
        return ""
    return web_address(link.get("expanded_url")) or str(link["url"])


def are_the_same(ours: str, theirs: str) -> bool:
    """Whether X shows our text: it puts names in front, trims, and completes links."""
    return _bare(ours) == _bare(theirs)


def _bare(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    without_names = _LEADING_NAMES.sub("", composed)
    without_scheme = _LINK_END.sub("", _SCHEME.sub("", without_names))
    return " ".join(without_scheme.split()).casefold()
