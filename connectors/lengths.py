"""How long a text is to a network; `web/core/count.js` counts the same, held to one table."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping

import regex

from conversations.capabilities import CountingUnit, LengthRule

SINGLE_SMS, SMS_OF_SEVERAL = 160, 153
"""Septets of one message, and of each of several, which carry a header."""

SINGLE_UCS2, UCS2_OF_SEVERAL = 70, 67
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_ESCAPED = frozenset("\f^{}\\[~]|€")
"""Of the extension table: each takes an escape before it."""

X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that X counts once; all others count twice."""

_BEYOND_BMP = 0xFFFF
_ACCENTED = r"\xC0-\xD6\xD8-\xF6\xF8-\u024F\u02BB\u0300-\u036F\u1E00-\u1EFF"
_HOST = r"[^!'#%&()*+,\-./:;<=>?@\[\]\^_{|}~$\\\s\u180E\uFFFE\uFEFF\uFFFF\u200E\u200F\u061C]"
_LABEL = rf"{_HOST}(?:(?:{_HOST}|[_\-]){{0,61}}{_HOST})?\."
_PLAIN_LABEL = rf"[a-z0-9{_ACCENTED}](?:[\-a-z0-9{_ACCENTED}]{{0,61}}[a-z0-9{_ACCENTED}])?\."
_ENDING = r"(?![0-9a-z@+\-])"
_GENERIC = (
    "academy|agency|app|art|bank|berlin|biz|blog|business|care|cat|center|chat|city|cloud|club"
    "|coffee|com|community|company|cool|coop|deals|design|dev|digital|edu|email|energy|events|expert"
    "|fashion|finance|fit|fun|fund|games|global|gmbh|gov|group|guide|health|help|host|hotel|info|int"
    "|international|jobs|land|legal|life|link|live|loan|london|love|ltd|market|marketing|media|mil"
    "|mobi|money|museum|name|net|network|news|nyc|one|online|org|paris|page|partners|photo|photos"
    "|plus|press|pro|radio|rocks|run|sale|school|science|services|shop|show|site|social|software"
    "|solutions|space|sport|store|stream|studio|style|support|systems|team|tech|technology|tel"
    "|today|tools|top|tours|town|training|travel|tube|video|vip|website|wiki|wine|work|works|world"
    "|xyz|zone"
)
"""Names that make a link of a text without `https://`; two letters are a country's."""

_PATH = rf"[a-z\u0400-\u04FF0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTED}]"
_PATH_END = rf"[a-z\u0400-\u04FF0-9=_#/+\-{_ACCENTED}]"
_PARENS = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_TAIL = (
    rf"(?::[0-9]+)?(?:/(?:(?:{_PATH}|{_PARENS})*(?:{_PATH_END}|{_PARENS}))?)?"
    r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?"
)
_BEFORE = r"(?<![A-Za-z0-9@\uFF20$#\uFF03\uFFFE\uFEFF\uFFFF])"
_WITH_PROTOCOL = rf"https?://(?:{_LABEL}){{1,20}}(?:[a-z]{{2,24}}|xn--[\-0-9a-z]+|\p{{L}}{{2,24}})"
_WITHOUT = rf"(?<![\-_./])(?:{_PLAIN_LABEL}){{1,20}}(?:{_GENERIC}|[a-z]{{2}}|xn--[\-0-9a-z]+)"

LINK = regex.compile(rf"{_BEFORE}{_WITH_PROTOCOL}{_ENDING}{_TAIL}", regex.IGNORECASE)
"""A link as Mastodon sees one."""

X_LINK = regex.compile(
    rf"{_BEFORE}(?:{_WITH_PROTOCOL}|{_WITHOUT}){_ENDING}{_TAIL}", regex.IGNORECASE
)
"""A link as X sees one: `example.com` is one, too."""

_NAME = r"\p{L}\p{N}_"
MENTION = regex.compile(
    rf"(?<![{_NAME}/])@([{_NAME}]+(?:[.\-]+[{_NAME}]+)*)(@[{_NAME}.\-]*[{_NAME}])?"
)
GRAPHEME = regex.compile(r"\X")
_EMOJI = regex.compile(
    r"[#*0-9]\uFE0F?\u20E3|\p{Regional_Indicator}{2}"
    r"|[\u00A9\u00AE\u2122\u265F]\uFE0F|(?![\u00A9\u00AE\u2122\u265F])\p{Extended_Pictographic}(?!\uFE0E)"
)


def length_of(text: str, rule: LengthRule) -> int:
    """Return how long the text is by the rule's unit."""
    return _COUNTERS[rule.unit](text, rule.link_length)


def fits(text: str, rule: LengthRule) -> bool:
    if rule.most_bytes and len(encoded(text)) > rule.most_bytes:
        return False
    return length_of(text, rule) <= rule.most


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def graphemes(text: str) -> list[str]:
    return list(GRAPHEME.findall(text))


def _utf16_units(text: str) -> int:
    return sum(1 + (ord(letter) > _BEYOND_BMP) for letter in text)


def _x_weighted(text: str, link_length: int) -> int:
    """Count as twitter-text 3 does: a link as `link_length`, an emoji as 2, others by script."""
    text = unicodedata.normalize("NFC", text)
    weight, rest = 0, 0
    for link in X_LINK.finditer(text):
        weight += link_length + _weight(text[rest : link.start()])
        rest = link.end()
    return weight + _weight(text[rest:])


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        2 if _EMOJI.match(grapheme) else sum(_letter_weight(letter) for letter in grapheme)
        for grapheme in graphemes(text)
    )


def _letter_weight(letter: str) -> int:
    return 1 if any(first <= ord(letter) <= last for first, last in X_LIGHT) else 2


def _mastodon(text: str, link_length: int) -> int:
    """Count graphemes; a link is `link_length` of them, a mention is without its server."""
    links = len(LINK.findall(text))
    without = MENTION.sub(r"@\1", LINK.sub(" ", text))
    return len(graphemes(without)) + links * (link_length - 1)


def _sms_segments(text: str) -> int:
    if not text:
        return 0
    if set(text) <= GSM7 | GSM7_ESCAPED:
        sizes = [1 + (letter in GSM7_ESCAPED) for letter in text]
        return _segments(sizes, SINGLE_SMS, SMS_OF_SEVERAL)
    sizes = [1 + (ord(letter) > _BEYOND_BMP) for letter in text]
    return _segments(sizes, SINGLE_UCS2, UCS2_OF_SEVERAL)


def _segments(sizes: list[int], single: int, of_several: int) -> int:
    """Count messages; what takes two places is never torn apart."""
    if sum(sizes) <= single:
        return 1
    count, room = 1, of_several
    for size in sizes:
        if size > room:
            count, room = count + 1, of_several
        room -= size
    return count


_COUNTERS: Mapping[CountingUnit, Callable[[str, int], int]] = {
    CountingUnit.CHARACTERS: lambda text, _: len(text),
    CountingUnit.UTF16_UNITS: lambda text, _: _utf16_units(text),
    CountingUnit.GRAPHEMES: lambda text, _: len(graphemes(text)),
    CountingUnit.BYTES: lambda text, _: len(encoded(text)),
    CountingUnit.X_WEIGHTED: _x_weighted,
    CountingUnit.MASTODON: _mastodon,
    CountingUnit.SMS_SEGMENTS: lambda text, _: _sms_segments(text),
}


def atoms(text: str) -> Iterator[str]:
    """Yield the pieces of a text that are never torn apart: links, mentions, graphemes."""
    reached = 0
    for start, end in _whole(text):
        if start < reached:
            continue
        yield from graphemes(text[reached:start])
        yield text[start:end]
        reached = end
    yield from graphemes(text[reached:])


def _whole(text: str) -> list[tuple[int, int]]:
    found = [match.span() for match in X_LINK.finditer(text)]
    return sorted(found + [match.span() for match in MENTION.finditer(text)])
