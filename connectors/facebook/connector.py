"""Facebook: a page's posts and comments, and its conversations on Messenger."""

import httpx

from connectors.calls import outcome_of_failure
from connectors.facebook.reading import own_comments, said_on_page
from connectors.facebook.wire import change_from
from connectors.fields import mapping
from connectors.meta.connector import ANY_NUMBER, SETTINGS, MetaConnector
from connectors.meta.cursor import Found
from connectors.meta.deliveries import Dialect
from connectors.meta.graph import Graph, NoAccess
from connectors.meta.messages import Ours
from connectors.meta.reading import messages_since
from connectors.meta.replies import attempted, no_access, outcome_of, refusal_of, since_of
from connectors.meta.values import PUBLIC_ID, identifier
from conversations.capabilities import Allowance, Capabilities, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Instant, Visibility
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Certainty, Outcome, ReadBack, Reply

LONGEST_COMMENT = 8_000
LONGEST_MESSAGE = 2_000

CAPABILITIES = Capabilities(
    deliveries=frozenset({Delivery.WEBHOOK, Delivery.POLL}),
    visibilities=frozenset(Visibility),
    length=LengthRule(most=LONGEST_COMMENT),
    private_length=LengthRule(most=LONGEST_MESSAGE),
    can_edit=True,
    can_delete=True,
    can_change_private=False,
    may_answer_in_private=True,
    read_back=ReadBack.LOOK_UP,
    allowances=(
        Allowance("facebook_conversations", calls=2, per_s=1),
        Allowance("facebook_messages", calls=300, per_s=1),
    ),
    poll_allowance="facebook_conversations",
    private_reply_allowance="facebook_messages",
)


class FacebookConnector(MetaConnector):
    """Speaks for a page; the reply's id is the metadata of a message on Messenger."""

    network = "facebook"
    title = "Facebook"
    platform = "messenger"
    has_metadata = True
    address_setting = "page_id"
    settings = (
        Setting("page_id", "the page's number"),
        Setting("username", "the page's name, for channels with handles", is_required=False),
        *SETTINGS,
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    def _dialect(self, account: Account) -> Dialect:
        return Dialect("page", lambda own_id: self._ours(account, own_id), change_from)

    async def _listed(
        self, graph: Graph, account: Account, public_floor: Instant, private_floor: Instant
    ) -> list[Found]:
        ours = self._ours(account)
        page_id = str(account.settings.get("page_id") or "me")
        public = await said_on_page(graph, page_id, ours, public_floor)
        return public + await messages_since(graph, self.platform, ours, private_floor)

    def _private_target(self, reply: Reply) -> str:
        """Tell a comment from a post, which is in no thread but its own."""
        return "post_id" if reply.thread_root is None else "comment_id"

    async def _publish_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        del account
        target = _target(reply)
        if target is None:
            reason = "only a post or a comment can be answered in public on Facebook"
            return Outcome(Certainty.REJECTED, reason=reason)
        answer = await attempted(graph, f"{target}/comments", message=reply.text)
        return outcome_of(graph, answer, "id", reply)

    async def _find_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        """Look below what was answered, and beside it: Facebook may put an answer one level up."""
        target = _target(reply)
        if target is None:
            return Outcome(Certainty.MAYBE, reason="nobody knows what was answered")
        ours = self._ours(account)
        verdict = await self._find_below(graph, target, ours, reply)
        if verdict.certainty is Certainty.SENT or reply.thread_root in (None, target):
            return verdict
        parent_id = await _parent_of(graph, target)
        if parent_id is None:
            return verdict
        return await self._find_below(graph, parent_id, ours, reply)

    async def _find_below(self, graph: Graph, target: str, ours: Ours, reply: Reply) -> Outcome:
        said = await own_comments(graph, target, ours, since_of(reply), ANY_NUMBER)
        return self._verdict([one for one in said if one.parent_id == target], reply, reply.text)

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        """Give a comment another text; a message on Messenger keeps its own."""
        external_id = reply.external_id
        if external_id is None or reply.visibility is Visibility.PRIVATE:
            reason = "a message on Messenger cannot be edited from here"
            return Outcome(Certainty.REJECTED, reason=reason)
        try:
            graph = Graph(self._client, account)
            answer = await graph.post(external_id, message=text)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except NoAccess:
            return no_access()
        if answer.json.get("success") is True:
            return Outcome(Certainty.SENT, external_id)
        return refusal_of(graph.meaning(answer), reply)


def _target(reply: Reply) -> str | None:
    """Return the post or the comment that is answered; a reaction is about one."""
    target = (reply.in_reply_to or "").partition(":reaction:")[0]
    return target if PUBLIC_ID.fullmatch(target) else None


async def _parent_of(graph: Graph, comment_id: str) -> str | None:
    """Return the comment that a comment answers.

    Raises:
        NetworkTrouble: that cannot be found out.
    """
    try:
        answer = await graph.get(comment_id, fields="id,parent{id}")
    except httpx.HTTPError as error:
        raise NetworkTrouble(f"the comment did not answer: {type(error).__name__}") from error
    if identifier(answer.json.get("id")) is None:
        raise NetworkTrouble(f"the comment was answered {graph.meaning(answer).reason}")
    return identifier(mapping(answer.json.get("parent")).get("id"))
