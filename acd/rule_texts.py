"""How rules look into what customers wrote: words in any case, and patterns that always end."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

LONGEST_PATTERN = 500
PATTERN_MEMORY_BYTES = 1 << 20
"""What one compiled pattern may take; RE2 refuses a larger one and never backtracks."""

_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff"
)
"""Scripts that do not set words apart: Thai, Lao, Burmese, Khmer, kana, ideographs, Hangul."""
_LETTER = rf"[^\W{_UNSPACED}]"
_IS_LETTER = re.compile(_LETTER)


class BadPattern(ValueError):
    """A pattern that RE2 does not take."""


@lru_cache(maxsize=64)
def folded(text: str) -> str:
    """Return the text as it is compared: composed, and without a difference of case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase, found as whole words where words are set apart."""

    word: str
    first: str
    sought: re.Pattern[str]

    def is_in(self, folded_text: str) -> bool:
        # Looking for plain letters first is what makes hundreds of keywords cheap.
        return self.first in folded_text and self.sought.search(folded_text) is not None


def keyword(word: str) -> Keyword:
    """Prepare a word that has at least one visible letter."""
    parts = folded(word).split()
    phrase = " ".join(parts)
    before = rf"(?<!{_LETTER})" if _IS_LETTER.match(phrase[0]) else ""
    after = rf"(?!{_LETTER})" if _IS_LETTER.match(phrase[-1]) else ""
    sought = re.compile(before + r"\s+".join(re.escape(part) for part in parts) + after)
    return Keyword(word, parts[0], sought)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of RE2: its time grows with the text, whatever the text is."""

    source: str
    compiled: Any

    def found_in(self, text: str) -> str | None:
        """Return the piece of the text that matches, None when none does."""
        raw = text.encode("utf-8", "replace")
        match = self.compiled.search(raw)
        return None if match is None else match.group().decode("utf-8", "replace")


def pattern(source: str) -> Pattern:
    """Compile a pattern.

    Raises:
        BadPattern: RE2 does not take it, and why.
    """
    options = re2.Options()
    options.max_mem = PATTERN_MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    try:
        return Pattern(source, re2.compile(source.encode(), options))
    except UnicodeEncodeError:
        raise BadPattern("it has half of a surrogate pair") from None
    except re2.error as error:
        raise BadPattern(_reason(error)) from None


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
