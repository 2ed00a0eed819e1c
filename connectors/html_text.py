"""HTML from strangers as plain text: paragraphs and lines stay, links are kept, nothing runs."""

import re
from html.parser import HTMLParser
from typing import Final

import nh3

LONGEST_HTML: Final = 1_500_000
"""Characters; what is beyond is not read."""

MOST_TAGS: Final = 40_000
DEEPEST: Final = 400
"""Nothing that people write has more, or is nested so deeply: tags beyond are taken away."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINES: Final = _names(
    "address article aside center dd div dl dt figure footer form header hr li main nav section tr"
)
_PARAGRAPHS: Final = _names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_BLOCKS: Final = _LINES | _PARAGRAPHS
_KEPT: Final = set(_BLOCKS | _names("a b br em font i img q s span strong td th u"))
_DROPPED_WHOLE: Final = set(
    _names(
        "applet audio canvas iframe math noembed noframes noscript object script select style"
        " svg template textarea title video"
    )
)
_VOID: Final = _names("br hr img")
_UNCLOSED: Final = _VOID | _names(
    "area base col dd dt embed input li link meta option p param source td th tr track wbr"
)
_ATTRIBUTES: Final = {"a": {"href"}, "img": {"alt"}, "*": {"hidden", "style"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_LONGEST_ALT: Final = 200
_ENTER, _LEAVE = "\ue000", "\ue001"
"""Where a quotation begins and ends; letters of private use that nobody's text may bring."""

_BLANKS = re.compile(r"[ \t\r\f\v\n\xa0]+")
_INVISIBLE = re.compile("[\ue000\ue001\u00ad\u034f\u200b\u2060\ufeff\0]")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|(?:font-size|max-height|opacity)\s*:\s*0(?:\.0*)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WHOLE_TAG = re.compile(r"<[^<>]*>")
_BARE = re.compile(r"^(?:https?://|mailto:|tel:)", re.IGNORECASE)


class _Text(HTMLParser):
    """Writes text down as a reader would see it; what it gets is well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._link: tuple[str, int] | None = None
        self._hidden = 0
        self._ends_lines = 2
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if self._hidden or _is_hidden(told):
            self._hidden += tag not in _VOID
            return
        if tag == "br":
            self._write("\n")
        elif tag == "a":
            self._link = (told.get("href") or "", len(self._written))
        elif tag == "img":
            self.handle_data((told.get("alt") or "")[:_LONGEST_ALT])
        elif tag in ("td", "th"):
            self._write(" ")
        else:
            self._begin_block(tag)

    def _begin_block(self, tag: str) -> None:
        self._break(tag)
        if tag == "li":
            self._write("• ")
        self._preformatted += tag == "pre"
        if tag == "blockquote":
            self._written.append(_ENTER)

    def _break(self, tag: str) -> None:
        """Let what follows a block begin on a line of its own, or after an empty one."""
        wanted = 2 if tag in _PARAGRAPHS else int(tag in _BLOCKS)
        self._write("\n" * max(0, wanted - self._ends_lines))

    def _write(self, text: str) -> None:
        if not text:
            return
        self._written.append(text)
        words = text.rstrip(" \n")
        self._ends_lines = (0 if words else self._ends_lines) + text.count("\n", len(words))

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        if tag == "a" and self._link is not None:
            self._end_link(*self._link)
            self._link = None
        if tag == "blockquote":
            self._written.append(_LEAVE)
        self._preformatted -= tag == "pre"
        self._break(tag)

    def _end_link(self, address: str, begin: int) -> None:
        """Name the address behind words that do not."""
        shown = "".join(self._written[begin:]).strip()
        if _BARE.match(address) and _bare(address) != _bare(shown):
            self._write(f" ({address})" if shown else address)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = _INVISIBLE.sub("", data)
        self._write(data if self._preformatted else _BLANKS.sub(" ", data))

    @property
    def lines(self) -> list[tuple[int, str]]:
        """Each line with the depth of the quotation that it stands in."""
        found, depth = [], 0
        for line in "".join(self._written).split("\n"):
            words = line.lstrip(_ENTER + _LEAVE + " ")
            before = line[: len(line) - len(words)]
            depth = max(0, depth + before.count(_ENTER) - before.count(_LEAVE))
            found.append((depth, re.sub(" {2,}", " ", words.rstrip(_LEAVE + " "))))
            depth = max(0, depth - words.count(_LEAVE))
        return found


def _is_hidden(told: dict[str, str | None]) -> bool:
    return "hidden" in told or bool(_HIDING.search(told.get("style") or ""))


def _bare(address: str) -> str:
    return _BARE.sub("", address.strip()).rstrip("/")


def text_of(html: str, *, marks_quotes: bool = False) -> str:
    """Return the text of a piece of HTML; scripts, styles and what is hidden are left out.

    Links are kept as `words (address)`, or as the bare address where the words are the same.
    Quotations have `> ` before each line when they are to be marked.
    """
    clean = nh3.clean(
        _bounded(html[:LONGEST_HTML]).encode("utf-8", "replace").decode(),
        tags=_KEPT,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    reader = _Text()
    reader.feed(clean)
    reader.close()
    written = [
        "> " * depth + line if marks_quotes and line else line for depth, line in reader.lines
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(written)).strip()


def _bounded(html: str) -> str:
    """Take the tags away from where they are too many or too deep; the words stay.

    What needs no end tag counts for no depth.
    """
    depth = 0
    for number, found in enumerate(_TAG.finditer(html)):
        if found[2].lower() not in _UNCLOSED:
            depth = max(0, depth + (-1 if found[1] else 1))
        if depth > DEEPEST or number > MOST_TAGS:
            begin = found.start()
            return html[:begin] + _WHOLE_TAG.sub(" ", html[begin:])
    return html
