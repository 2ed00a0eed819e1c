"""Which posts of an account belong to a channel: by the handles and the words in them."""

import re
from collections.abc import Collection, Sequence

from conversations.model import Post, PostKind

_NAMED = re.compile(r"(?<![A-Za-z0-9_@])@([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)")


def belongs(post: Post, *, handles: Sequence[str], keywords: Sequence[str]) -> bool:
    """Say whether the post is one of the channel's.

    It is when it names one of the handles or contains one of the keywords; a channel that has
    neither takes everything that reaches its account.
    """
    if not handles and not keywords:
        return True
    named = {_bare(handle) for handle in (*post.mentions, *_NAMED.findall(post.text))}
    if any(_bare(handle) in named for handle in handles):
        return True
    return any(_contains(post.text, keyword) for keyword in keywords)


def is_wanted(post: Post, include: Collection[str]) -> bool:
    """Say whether the channel wants posts of the kind; real posts it always does."""
    return post.kind is PostKind.POST or f"{post.kind.value}s" in include


def _bare(handle: str) -> str:
    return handle.removeprefix("@").casefold()


def _contains(text: str, keyword: str) -> bool:
    """Look for a word or phrase in any case, as whole words where words are set apart.

    Only letters of scripts that write spaces have boundaries: others would never match.
    """
    sought = keyword.strip().casefold()
    if not sought:
        return False
    before = r"(?<![a-z0-9_])" if _is_word_letter(sought[0]) else ""
    after = r"(?![a-z0-9_])" if _is_word_letter(sought[-1]) else ""
    phrase = r"\s+".join(re.escape(word) for word in sought.split())
    return re.search(before + phrase + after, text.casefold()) is not None


def _is_word_letter(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")
