"""A feed's entry as a post: an article by its link, a comment below the article it is about."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree.ElementTree import Element

from connectors.charsets import kept
from connectors.feed.xml import children, entries_of, markup, name_of, said, tombstones_of
from connectors.fields import (
    LONGEST_ID,
    LONGEST_TEXT,
    NotUnderstood,
    instant,
    web_address,
    words,
)
from connectors.html_text import text_of
from conversations.model import (
    Author,
    Instant,
    Media,
    Post,
    PostChange,
    PostChangeKind,
    Unreadable,
)

CUT: Final = "\n\n[cut here: the whole text is behind the link]"
_MOST_MEDIA: Final = 20
_KINDS: Final = frozenset(["image", "video", "audio"])
_WITH_NAME = re.compile(r"^\s*(\S+@\S+)\s*\((.{1,200})\)\s*$")
_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y-%m",
    "%Y",
)


@dataclass(frozen=True, slots=True)
class Feed:
    """A document and what it is to the account."""

    root: Element
    url: str
    is_comments: bool
    own_author: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was understood, or not; `version` changes when its words do."""

    external_id: str
    version: str
    found: Post | Unreadable
    changed_at: Instant


def entries_from(feed: Feed, now: Instant) -> list[Entry]:
    """Understand the entries of a document, the oldest first; each is judged for itself."""
    found = [_entry(element, feed, now) for element in entries_of(feed.root)]
    in_order = sorted(enumerate(found), key=lambda each: (_moment(each[1], now), -each[0]))
    once = {entry.external_id: entry for _, entry in in_order}
    return list(once.values())


def _moment(entry: Entry, now: Instant) -> Instant:
    return entry.found.created_at if isinstance(entry.found, Post) else now


def _entry(element: Element, feed: Feed, now: Instant) -> Entry:
    external_id = _id_of(element)
    try:
        post = _post(element, external_id, feed, now)
    except NotUnderstood as reason:
        raw = " ".join("".join(element.itertext()).split())
        return Entry(external_id, "", reason.unreadable(kept(raw), external_id), now)
    version = hashlib.sha256(post.text.encode()).hexdigest()
    changed_at = _date(element, "updated", "modified") or now
    return Entry(external_id, version, post, changed_at)


def _id_of(element: Element) -> str:
    """Return what the entry is known by; one that names nothing by what never changes of it."""
    about = next((v for k, v in element.attrib.items() if k.endswith("}about")), "")
    for known in (said(element, "guid", "id"), about.strip(), _link(element, "")):
        if known and len(known) <= LONGEST_ID:
            return kept(known)
        if known:
            return "sha256:" + hashlib.sha256(known.encode("utf-8", "replace")).hexdigest()
    parts = [said(element, name) for name in ("title", "pubdate", "published", "date", "creator")]
    whole = "\n".join(parts) if any(parts) else "".join(element.itertext())
    return "sha256:" + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _post(element: Element, external_id: str, feed: Feed, now: Instant) -> Post:
    link = _link(element, feed.url)
    parent, root = _thread(element, link) if feed.is_comments else (None, link)
    author = _author(element, feed)
    text, media = _words(element, is_comment=feed.is_comments), _media(element, feed.url)
    if not text and not media:
        raise NotUnderstood("text_missing", "the entry says nothing")
    ours = feed.own_author.casefold()
    return Post(
        external_id=external_id,
        author=author,
        text=text,
        created_at=_date(element, "published", "pubdate", "issued", "created", "date", "updated")
        or now,
        in_reply_to=parent,
        thread_root=root if root and len(root) <= LONGEST_ID else None,
        url=web_address(link),
        media=media,
        language=words(said(_holder(feed), "language"), 35),
        is_own=bool(ours)
        and ours in {(author.name or "").casefold(), author.external_id.casefold()},
    )


def _thread(element: Element, link: str) -> tuple[str | None, str | None]:
    """Return what a comment answers (RFC 4685, or its link's page), and the article's page."""
    page = urldefrag(link).url or None
    for answered in children(element, "in-reply-to"):
        ref, href = answered.get("ref") or "", answered.get("href") or ""
        if (ref or href) and len(ref or href) <= LONGEST_ID:
            return kept(ref or href), page
    return (page if page and len(page) <= LONGEST_ID else None), page


def _link(element: Element, base: str) -> str:
    """Return the entry's page."""
    for link in children(element, "link"):
        relation = link.get("rel") or "alternate"
        address = (link.get("href") or "".join(link.itertext())).strip()
        if address and relation == "alternate":
            try:
                return kept(urljoin(base, address))
            except ValueError:
                continue
    guid = next(children(element, "guid"), None)
    is_page = guid is not None and (guid.get("isPermaLink") or "true").lower() == "true"
    return (web_address(said(element, "guid")) or "") if is_page else ""


def _author(element: Element, feed: Feed) -> Author:
    """Return who wrote it; a feed that does not say speaks for itself."""
    for told in children(element, "author", "creator", "dc:creator"):
        name, address, page = said(told, "name"), said(told, "email"), said(told, "uri")
        plain = "" if len(told) else "".join(told.itertext()).strip()
        if both := _WITH_NAME.match(plain[:400]):
            address, plain = both[1], both[2]
        name = _line(name or plain)
        external_id = _line(page or address or name, LONGEST_ID)
        if external_id:
            return Author(external_id, name or external_id, name or None)
    host = urlsplit(feed.url).hostname or "feed"
    return Author(host, host, _line(said(_holder(feed), "title")) or None)


def _holder(feed: Feed) -> Element:
    """Return what tells of the feed itself."""
    return next(children(feed.root, "channel"), feed.root)


def _line(text: str, longest: int = 200) -> str:
    return " ".join(kept(text).split())[:longest]


def _words(element: Element, *, is_comment: bool) -> str:
    """Return the words below their title; a comment's title only says what it is about."""
    title = " ".join(text_of(markup(element, "title")).split())[:500]
    body = text_of(markup(element, "encoded", "content", "description", "summary"))
    if is_comment and body:
        title = ""
    if title and body.startswith(title.rstrip("….")):
        title = ""
    text = kept("\n\n".join(part for part in (title, body) if part))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - len(CUT)] + CUT


def _media(element: Element, base: str) -> tuple[Media, ...]:
    found: dict[str, Media] = {}
    for each in element.iter():
        name = name_of(each)
        is_link = name == "link" and each.get("rel") == "enclosure"
        is_content = name == "content" and bool(each.get("url"))
        if not (is_link or is_content or name == "enclosure") or len(found) >= _MOST_MEDIA:
            continue
        try:
            url = web_address(urljoin(base, each.get("url") or each.get("href") or ""))
        except ValueError:
            continue
        mime = words(each.get("type"), 100)
        main = (each.get("medium") or mime or "").partition("/")[0]
        if url:
            found[url] = Media(main if main in _KINDS else "file", url, None, mime)
    return tuple(found.values())


def _date(element: Element, *names: str) -> Instant | None:
    for name in names:
        moment = moment_of(said(element, name))
        if moment is not None:
            return moment
    return None


def moment_of(text: str) -> Instant | None:
    """Read a date in one of the ways that feeds have; one without a zone is UTC."""
    text = " ".join(text.split())[:60]
    if not text:
        return None
    if (moment := instant(text[:40])) is not None:
        return moment
    try:
        return _milliseconds(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    for form in _FORMATS:
        try:
            return _milliseconds(datetime.strptime(text, form))  # noqa: DTZ007 - UTC if it has none
        except (ValueError, OverflowError):
            continue
    return None


def _milliseconds(moment: datetime) -> Instant:
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(whole.timestamp() * 1000)


def deletions_from(feed: Feed, now: Instant) -> list[PostChange]:
    return [
        PostChange(ref, PostChangeKind.DELETED, moment_of(each.get("when") or "") or now)
        for each in tombstones_of(feed.root)
        if (ref := words(each.get("ref"), LONGEST_ID))
    ]
