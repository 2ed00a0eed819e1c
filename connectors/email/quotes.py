"""What is new in a mail, and the history that mail programs put below it."""

import re
from typing import Final

_SEPARATOR = re.compile(
    r"^\s*[-_=]{2,}\s*(?:original message|original appointment|ursprüngliche nachricht"
    r"|originalnachricht|message d['\u2019]origine|mensaje original|mensagem original"
    r"|messaggio originale|oorspronkelijk bericht|ursprungligt meddelande)\s*[-_=]{2,}\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\*?\s{0,4}(?:from|von|de|da|van|från|fra)\s{0,3}:\*?\s", re.IGNORECASE)
_SENT = re.compile(
    r"^\*?\s{0,4}(?:sent|date|gesendet|datum|envoyé|enviado|enviada|fecha|inviato|data"
    r"|verzonden|skickat|dato)\s{0,3}:",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"(?:wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev)\b.{0,80}:\s*$"
    r"|^.{0,200}[@<].{0,200}:\s*$",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"^\s{0,4}(?:on|am|le|el|il|op|den|em|på)\s", re.IGNORECASE)
_RULE = re.compile(r"^\s*[_-]{5,}\s*$")
_NEAR: Final = 5
_LONGEST_LINE: Final = 500


def split_history(text: str) -> tuple[str, str]:
    """Return what was written now, and what was quoted below it.

    Answers between quoted lines stay with them; a mail that only quotes is all its own.
    """
    lines = text.split("\n")
    at = min(_copied_from(lines), _quoted_from(lines))
    new = "\n".join(lines[:at]).rstrip()
    if not new.strip():
        return text, ""
    return new, "\n".join(lines[at:]).strip()


def _copied_from(lines: list[str]) -> int:
    """Return where the mail before was copied below with its headers, or the end."""
    for number, line in enumerate(lines):
        short = line[:_LONGEST_LINE]
        if _SEPARATOR.match(short):
            return number
        following = lines[number + 1 : number + _NEAR]
        if _FROM.match(short) and any(_SENT.match(one[:_LONGEST_LINE]) for one in following):
            has_rule = number > 0 and _RULE.match(lines[number - 1][:_LONGEST_LINE])
            return number - 1 if has_rule else number
    return len(lines)


def _quoted_from(lines: list[str]) -> int:
    """Return where the quotation begins that the text ends with, or the end."""
    at, is_quoting = len(lines), False
    while at > 0 and (not lines[at - 1].strip() or lines[at - 1].startswith(">")):
        at -= 1
        is_quoting = is_quoting or lines[at].startswith(">")
    if not is_quoting:
        return len(lines)
    while not lines[at].startswith(">"):
        at += 1
    return _attributed_from(lines, at)


def _attributed_from(lines: list[str], at: int) -> int:
    """Include the line, perhaps broken in two, that says who wrote what is quoted."""
    end = at
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    found = at
    for begin in range(end - 1, max(-1, end - 4), -1):
        if not lines[begin].strip():
            break
        if _ATTRIBUTION.search(" ".join(lines[begin:end])[-_LONGEST_LINE:]):
            found = begin if found == at or _BEGINS.match(lines[begin]) else found
    return found
