"""A feed's document as entries, whatever its dialect: RSS 2.0, RSS 1.0 (RDF), Atom 1.0.

Read with defusedxml, which refuses document types and so every entity of the document's own;
feedparser guesses more, but falls back to a parser that takes anything for a feed.
"""

import codecs
import html
import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from connectors.charsets import decoded

MOST_ENTRIES: Final = 1_000
_FRAMES: Final = frozenset(["rss", "rdf", "feed"])
_ENTRIES: Final = frozenset(["item", "entry"])
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITY = re.compile(r"&(#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31})?(;?)")
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_XML_NAMES: Final = frozenset(["amp", "lt", "gt", "quot", "apos"])
_PREFIX = re.compile(r"<(/?)[A-Za-z0-9_]{1,40}:")


class NotAFeed(Exception):
    """What came is no feed; nothing of it can be used."""


def read_feed(body: bytes) -> Element:
    """Return the document's root; one that is nearly XML is mended.

    Raises:
        NotAFeed: it is none, or it declares a document type.
    """
    try:
        root = _parsed(body)
    except (ParseError, ValueError, LookupError):
        root = _mended(body)
    if name_of(root) not in _FRAMES:
        raise NotAFeed(f"the document is a {name_of(root)[:40]}, no feed")
    return root


def _parsed(body: bytes | str) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NotAFeed("the document declares a document type or entities") from error
    return root


def _mended(body: bytes) -> Element:
    """Read what browsers would: wrong charsets, bare ampersands, names that only HTML knows."""
    found = _DECLARED.match(body)
    text = decoded(body.removeprefix(codecs.BOM_UTF8), found[1].decode() if found else None)
    text = _UNWRITABLE.sub("", _DECLARATION.sub("", text, count=1))
    try:
        return _parsed(_ENTITY.sub(_entity, text).encode())
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise NotAFeed("the document is not XML") from error


def _entity(found: re.Match[str]) -> str:
    name, end = found[1], found[2]
    if not name or not end:
        return "&amp;" + (name or "") + end
    if name.startswith("#") or name in _XML_NAMES:
        return found[0]
    letters = html.unescape(f"&{name};")
    return f"&amp;{name};" if letters.startswith("&") else letters


def name_of(element: Element) -> str:
    """Return an element's name without its namespace, in lower case."""
    return element.tag.rpartition("}")[2].lower()


def entries_of(root: Element) -> list[Element]:
    """Return the entries in the order of the document, the first thousand."""
    holders = [root, *(child for child in root if name_of(child) == "channel")]
    found = [one for holder in holders for one in holder if name_of(one) in _ENTRIES]
    return found[:MOST_ENTRIES]


def tombstones_of(root: Element) -> list[Element]:
    """Return what says that an entry was taken back (RFC 6721)."""
    return [one for one in root if name_of(one) == "deleted-entry"][:MOST_ENTRIES]


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield children by name, those of the first name first."""
    for name in names:
        yield from (child for child in element if name_of(child) == name)


def said(element: Element, *names: str) -> str:
    """Return the words of the first child of these names that has any."""
    for child in children(element, *names):
        words = "".join(child.itertext()).strip()
        if words:
            return words
    return ""


def markup(element: Element, *names: str) -> str:
    """Return the first child that says something as HTML, in whatever way it holds it."""
    for child in children(element, *names):
        kind = (child.get("type") or ("text" if child.tag.startswith(_ATOM) else "html")).lower()
        if kind == "xhtml" or (len(child) and kind != "text"):
            return _PREFIX.sub(r"<\1", tostring(child, encoding="unicode"))
        words = "".join(child.itertext()).strip()
        if words:
            is_html = kind in ("html", "text/html") or name_of(child) in ("encoded", "description")
            return words if is_html else html.escape(words).replace("\n", "<br>")
    return ""
