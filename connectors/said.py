"""What somebody said, as a post keeps it: it may be empty, but it must be fit to be kept."""

from connectors.fields import LONGEST_TEXT, NotUnderstood, is_keepable


def said(value: object) -> str:
    """Return the text of a post.

    Raises:
        NotUnderstood: it is no text, or one that nobody can keep.
    """
    if not isinstance(value, str):
        raise NotUnderstood("text_missing", "a post has a text, which may be empty")
    if not is_keepable(value):
        raise NotUnderstood("text_unreadable", "the text has a NUL or half of a surrogate pair")
    if len(value) > LONGEST_TEXT:
        detail = f"{len(value)} characters, {LONGEST_TEXT} at most"
        raise NotUnderstood("text_too_long", detail)
    return value
