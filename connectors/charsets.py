"""Bytes of strangers as text, whatever charset they claim to be in; never an error."""

import codecs
from typing import Final

_UNSAFE: Final = frozenset(
    ["idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"]
)
"""Codecs that are slow, make halves of surrogate pairs, or hide what is said."""

_LATIN: Final = frozenset(["ascii", "cp1252", "iso8859-1", "iso8859-15"])


def decoded(raw: bytes, charset: str | None) -> str:
    """Read bytes as their charset, or as what they more probably are.

    Bytes that are UTF-8 are seldom anything else; what is not understood is Windows' Latin, in
    which no byte has no meaning.
    """
    named = _known(charset)
    for candidate in ("utf-8" if named in _LATIN else named, "utf-8"):
        try:
            return kept(raw.decode(candidate))
        except UnicodeError:
            continue
    fallback = "cp1252" if named in _LATIN or named == "utf-8" else named
    return kept(raw.decode(fallback, "replace"))


def _known(charset: str | None) -> str:
    try:
        name = codecs.lookup((charset or "utf-8").strip("\"' ")).name
        "".encode(name)  # a codec that is not for text refuses
    except (LookupError, ValueError, TypeError):
        return "utf-8"
    name = name.replace("_", "-")
    return "utf-8" if name in _UNSAFE or name.startswith("mbcs") else name


def kept(text: str) -> str:
    """Return the text as every database keeps it."""
    whole = text.encode("utf-8", "replace").decode()
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
