"""HTML from strangers as plain text: paragraphs and lines stay, links are kept, nothing runs."""

import re
from html.parser import HTMLParser
from typing import Final

import nh3

_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_PARAGRAPHS: Final = frozenset(
    ["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"]
)
_KEPT: Final = set(_BLOCKS | {"a", "br", "span", "td", "th"})
_BLANKS = re.compile(r"[ \t\r\f\v\n]+")
_SCHEMES: Final = {"http", "https", "mailto", "tel"}


class _Text(HTMLParser):
    """Writes text down as a reader would see it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._written.append("\n")
        elif tag == "li":
            self._written.append("\n• ")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self._written))
        elif tag in _BLOCKS:
            self._written.append("\n\n" if tag in _PARAGRAPHS else "\n")
        elif tag in ("td", "th"):
            self._written.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self._end_link(*self._link)
            self._link = None
        elif tag in _BLOCKS:
            self._written.append("\n\n" if tag in _PARAGRAPHS else "\n")

    def _end_link(self, address: str, begin: int) -> None:
        """Name the address behind words that do not."""
        shown = "".join(self._written[begin:]).strip()
        if address and _bare(address) != _bare(shown):
            self._written.append(f" ({address})" if shown else address)

    def handle_data(self, data: str) -> None:
        self._written.append(_BLANKS.sub(" ", data))

    @property
    def text(self) -> str:
        lines = (line.strip() for line in "".join(self._written).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://|mailto:|tel:)", "", address.strip()).rstrip("/")


def text_of(html: str) -> str:
    """Return the text of a piece of HTML; scripts and styles are left out with their content."""
    clean = nh3.clean(
        html, tags=_KEPT, attributes={"a": {"href"}}, url_schemes=_SCHEMES, link_rel=None
    )
    reader = _Text()
    reader.feed(clean)
    reader.close()
    return reader.text
