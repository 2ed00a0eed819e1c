"""What may be said where: an account's capabilities, and a text as the posts it becomes."""

from dataclasses import replace

from sqlalchemy import Connection

from api.context import Context
from connectors.splitting import TooLongError, split
from conversations.capabilities import Capabilities, LengthRule
from conversations.errors import ReplyTooLong
from conversations.model import Visibility
from conversations.networks import Account
from storage import accounts, conversations, reply_rows

FREE = LengthRule()


def capabilities_of(
    context: Context, connection: Connection, account_id: str
) -> Capabilities | None:
    """Return what the account can do; None on a network that no connector speaks."""
    row = accounts.get(connection, account_id)
    if row is None or row["network"] not in context.connectors:
        return None
    account = Account(row["id"], row["network"], row["settings"])
    return context.connectors[row["network"]].capabilities(account)


def spoken_in(
    context: Context, connection: Connection, conversation_id: str, wanted: Visibility | None
) -> tuple[Capabilities | None, Visibility]:
    """Return the capabilities of a conversation's account, and the visibility of a reply in it."""
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        return None, wanted or Visibility.PUBLIC
    usual = reply_rows.visibility_of(conversation)
    visibility = wanted or usual
    known = capabilities_of(context, connection, conversation.account_id)
    is_answer_in_private = visibility is Visibility.PRIVATE and usual is Visibility.PUBLIC
    if known is not None and known.may_answer_in_private and is_answer_in_private:
        known = replace(known, is_threaded=False)  # there is room for one message
    return known, visibility


def rule_of(known: Capabilities | None, visibility: Visibility) -> LengthRule:
    return FREE if known is None else known.length_of(visibility)


def posts_of(text: str, known: Capabilities | None, visibility: Visibility) -> tuple[str, ...]:
    """Return the posts that a text becomes, itself alone when it fits.

    Raises:
        ReplyTooLong: the network takes no text of this length, in one post or several.
    """
    if known is None:
        return (text,)
    try:
        return split(text, known.length_of(visibility), is_threaded=known.is_threaded)
    except TooLongError as refused:
        raise ReplyTooLong(refused.count, refused.limit, refused.why) from refused
