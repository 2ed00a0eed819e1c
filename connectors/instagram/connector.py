"""Instagram: comments on an account's pictures, mentions of it, and its direct messages."""

import re

from connectors.instagram.reading import own_answers, said_on_account
from connectors.instagram.wire import change_from, mentioned_at
from connectors.meta.connector import ANY_NUMBER, SETTINGS, MetaConnector
from connectors.meta.cursor import Found
from connectors.meta.deliveries import Dialect
from connectors.meta.graph import Graph
from connectors.meta.reading import messages_since
from connectors.meta.replies import attempted, outcome_of
from connectors.meta.values import PUBLIC_ID
from conversations.capabilities import (
    Allowance,
    Capabilities,
    CountingUnit,
    Delivery,
    LengthRule,
)
from conversations.connector import Setting
from conversations.model import Instant, Visibility
from conversations.networks import Account
from conversations.replies import Certainty, Outcome, ReadBack, Reply

LONGEST_COMMENT = 2_200
LONGEST_ADDRESS = 32
"""An answer to an answer begins with `@handle `, for Instagram has one level of answers."""
LONGEST_MESSAGE_BYTES = 1_000

_HANDLE = re.compile(r"[A-Za-z0-9._]{1,30}")

CAPABILITIES = Capabilities(
    deliveries=frozenset({Delivery.WEBHOOK, Delivery.POLL}),
    visibilities=frozenset(Visibility),
    length=LengthRule(most=LONGEST_COMMENT - LONGEST_ADDRESS),
    private_length=LengthRule(CountingUnit.BYTES, LONGEST_MESSAGE_BYTES),
    can_delete=True,
    can_change_private=False,
    may_answer_in_private=True,
    read_back=ReadBack.LOOK_UP,
    allowances=(
        Allowance("instagram_conversations", calls=2, per_s=1),
        Allowance("instagram_messages", calls=300, per_s=1),
    ),
    poll_allowance="instagram_conversations",
    private_reply_allowance="instagram_messages",
)


class InstagramConnector(MetaConnector):
    """Speaks for a professional account, with the token of its page or its own."""

    network = "instagram"
    title = "Instagram"
    platform = "instagram"
    address_setting = "instagram_id"
    settings = (
        Setting("instagram_id", "the professional account's number"),
        Setting("username", "the account's name, by which its own words are known too"),
        *SETTINGS,
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    def _dialect(self, account: Account) -> Dialect:
        return Dialect("instagram", lambda own_id: self._ours(account, own_id), change_from)

    async def _listed(
        self, graph: Graph, account: Account, public_floor: Instant, private_floor: Instant
    ) -> list[Found]:
        ours = self._ours(account)
        instagram_id = str(account.settings.get("instagram_id") or "me")
        public = await said_on_account(graph, instagram_id, ours, public_floor)
        return public + await messages_since(graph, self.platform, ours, private_floor)

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        """Return that nobody can look below somebody else's picture, where a mention is."""
        if reply.visibility is Visibility.PUBLIC and mentioned_at(reply.in_reply_to or ""):
            return ReadBack.IMPOSSIBLE
        return super().read_back(account, reply, now)

    async def _publish_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        mention = mentioned_at(reply.in_reply_to or "")
        if mention is not None:
            return await _answer_mention(graph, account, reply, mention)
        top = _top_of(reply)
        if top is None:
            reason = "only a comment or a mention can be answered in public on Instagram"
            return Outcome(Certainty.REJECTED, reason=reason)
        answer = await attempted(graph, f"{top}/replies", message=_addressed(reply))
        return outcome_of(graph, answer, "id", reply)

    async def _find_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        top = _top_of(reply)
        if top is None:
            return Outcome(Certainty.MAYBE, reason="nobody can look where a mention is")
        said = await own_answers(graph, top, self._ours(account), ANY_NUMBER)
        return self._verdict(said, reply, _addressed(reply))


async def _answer_mention(
    graph: Graph, account: Account, reply: Reply, mention: tuple[str, str | None]
) -> Outcome:
    media_id, comment_id = mention
    fields = {"media_id": media_id, "message": reply.text}
    if comment_id is not None:
        fields["comment_id"] = comment_id
    instagram_id = str(account.settings.get("instagram_id") or "me")
    answer = await attempted(graph, f"{instagram_id}/mentions", **fields)
    return outcome_of(graph, answer, "id", reply)


def _top_of(reply: Reply) -> str | None:
    """Return the comment below which the answer goes: one that answers none itself."""
    if reply.in_reply_to is None or not PUBLIC_ID.fullmatch(reply.in_reply_to):
        return None
    is_rooted = reply.thread_root is not None and PUBLIC_ID.fullmatch(reply.thread_root)
    return reply.thread_root if is_rooted else reply.in_reply_to


def _addressed(reply: Reply) -> str:
    """Say whom an answer to an answer is for, unless its author did."""
    handle = (reply.to_handle or "").removeprefix("@")
    if reply.in_reply_to == _top_of(reply) or not _HANDLE.fullmatch(handle):
        return reply.text
    if f"@{handle}".casefold() in reply.text.casefold():
        return reply.text
    return f"@{handle} {reply.text}"
