"""What may be said where: an account's capabilities, and a text as the posts it becomes."""

from dataclasses import replace

from sqlalchemy import Connection

from api.context import Context
from connectors.splitting import TooLongError, split
from conversations import commands as c
from conversations.agent_commands import require_sayable
from conversations.attachments import NO_ATTACHMENTS
from conversations.capabilities import Capabilities, LengthRule
from conversations.errors import ConversationError, ReplyTooLong
from conversations.model import Conversation, Visibility
from conversations.networks import Account
from storage import accounts, conversations, reply_rows

FREE = LengthRule()
NEEDS_ALT_TEXT = "needs_alt_text"
"""The setting that any account may have, whatever its network."""


def capabilities_of(
    context: Context, connection: Connection, account_id: str
) -> Capabilities | None:
    """Return what the account can do; None on a network that no connector speaks."""
    row = accounts.get(connection, account_id)
    if row is None or row["network"] not in context.connectors:
        return None
    account = Account(row["id"], row["network"], row["settings"])
    known = context.connectors[row["network"]].capabilities(account)
    return _described(known) if account.settings.get(NEEDS_ALT_TEXT) is True else known


def _described(known: Capabilities) -> Capabilities:
    """Let no picture go out that says nothing to those who do not see it."""
    rules = (known.attachments, known.private_attachments)
    public, private = (rule and replace(rule, needs_alt_text=True) for rule in rules)
    return replace(known, attachments=public or NO_ATTACHMENTS, private_attachments=private)


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


def may_be_said(
    connection: Connection,
    conversation: Conversation,
    actor: c.Actor,
    known: Capabilities | None,
    visibility: Visibility,
) -> ConversationError | None:
    """Return why a reply of this visibility would be refused, whoever has the conversation."""
    command = c.SendReply(actor, "", visibility, confirm_public=True, capabilities=known)
    facts = conversations.speech_facts(connection, conversation, c.Policy(), command)
    try:
        require_sayable(conversation, command, facts)
    except ConversationError as refused:
        return refused
    return None


def rule_of(
    known: Capabilities | None, visibility: Visibility, *, has_attachments: bool = False
) -> LengthRule:
    if known is None:
        return FREE
    return known.length_of(visibility, has_attachments=has_attachments)


def posts_of(
    text: str,
    known: Capabilities | None,
    visibility: Visibility,
    *,
    has_attachments: bool = False,
) -> tuple[str, ...]:
    """Return the posts that a text becomes, itself alone when it fits.

    Raises:
        ReplyTooLong: the network takes no text of this length, in one post or several.
    """
    if known is None:
        return (text,)
    try:
        rule = known.length_of(visibility, has_attachments=has_attachments)
        return split(text, rule, is_threaded=known.is_threaded)
    except TooLongError as refused:
        raise ReplyTooLong(refused.count, refused.limit, refused.why) from refused
