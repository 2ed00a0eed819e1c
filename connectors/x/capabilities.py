"""What an account can do on X, and what it has to be told for it."""

from connectors.x.pictures import ONE_PICTURE, PICTURES
from conversations.capabilities import (
    Allowance,
    Capabilities,
    CountingUnit,
    Delivery,
    LengthRule,
)
from conversations.connector import Setting
from conversations.model import Visibility
from conversations.networks import Account
from conversations.replies import ReadBack

QUARTER_S, DAY_S = 900, 86_400
MESSAGE_READS = 15
"""How often X lets a user read direct messages in a quarter of an hour."""

SETTINGS = (
    Setting("user_id", "the account's number on X"),
    Setting("handle", "its name, without @"),
    Setting("delivery", "poll, stream or webhook", is_required=False),
    Setting("direct_messages", "false where only posts are heard and answered", is_required=False),
    Setting("reposts", "true to bring reposts of what is searched for, too", is_required=False),
    Setting("longest_post", "280; more for an account that may write more", is_required=False),
    Setting("message_reads", "how many X allows in 15 minutes (15)", is_required=False),
    Setting("vocabulary", "tweets, or posts for X's newer names", is_required=False),
    Setting("base_url", "where X's API is, if not at api.x.com", is_required=False),
    Setting("consumer_key", "the app's API key", is_secret=True),
    Setting("consumer_secret", "the app's API key secret; signs webhooks too", is_secret=True),
    Setting("access_token", "the account's token for the app", is_secret=True),
    Setting("access_token_secret", "the secret of that token", is_secret=True),
    Setting(
        "bearer_token",
        "the app's own token, for stream and search",
        is_secret=True,
        is_required=False,
    ),
)

_ALLOWANCES = (
    Allowance("posts", 100, QUARTER_S),
    Allowance("direct_messages", 15, QUARTER_S),
    Allowance("direct_messages_a_day", 1_440, DAY_S),
    Allowance("mentions", 300, QUARTER_S),
    Allowance("message_reads", MESSAGE_READS, QUARTER_S),
)


def capabilities_of(account: Account) -> Capabilities:
    """Return what the account can do; X's limits are those of one user."""
    with_messages = has_messages(account)
    return Capabilities(
        deliveries=frozenset(Delivery),
        visibilities=frozenset(Visibility) if with_messages else frozenset({Visibility.PUBLIC}),
        may_initiate_private=with_messages,
        length=LengthRule(CountingUnit.X_WEIGHTED, longest_post(account), link_length=23),
        private_length=LengthRule(CountingUnit.CHARACTERS, 10_000),
        attachments=PICTURES,
        private_attachments=ONE_PICTURE,
        can_delete=True,
        can_change_private=False,
        read_back=ReadBack.LOOK_UP,
        allowances=_ALLOWANCES,
        poll_allowance="mentions",
        public_reply_allowance="posts",
        private_reply_allowance="direct_messages",
    )


def has_messages(account: Account) -> bool:
    return account.settings.get("direct_messages") not in (False, "false", "no")


def keeps_reposts(account: Account) -> bool:
    return account.settings.get("reposts") in (True, "true", "yes")


def longest_post(account: Account) -> int:
    return _number(account, "longest_post", 280, 25_000)


def message_pause_s(account: Account) -> float:
    """Return how long to leave messages alone after they were read."""
    return QUARTER_S / _number(account, "message_reads", MESSAGE_READS, 900_000)


def _number(account: Account, name: str, usual: int, most: int) -> int:
    try:
        value = int(account.settings.get(name) or usual)
    except (TypeError, ValueError):
        return usual
    return value if 1 <= value <= most else usual
