"""The one transaction that changes a conversation."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from acd.eligibility import Reason, reach, standing
from acd.model import Agent
from acd.rings import workgroups_in_reach
from conversations import commands as c
from conversations.attachments import Attachment
from conversations.capabilities import Capabilities
from conversations.errors import ConversationError
from conversations.lifecycle import alarm_at, decide, due
from conversations.model import (
    Conversation,
    Instant,
    MediaType,
    RoutingStatus,
    Visibility,
    holders,
)
from conversations.replies import Reply
from storage import clock, decisions, dispositions, reply_rows, rule_asking
from storage.admission import Admission
from storage.candidates import agents_on_queue, locked_agents
from storage.conversation_tables import ConversationRow, IdentityRow
from storage.journal import Aftermath, Journal
from storage.reply_rows import Wording
from storage.rows import conversation_from, policy_from, routing_policy_from
from storage.setup_tables import AccountRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]

DUE_BOUND = 8
"""So many things at most fall due in one transaction; the workflow's alarm asks for the rest."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: the conversation after it, or why it was refused.

    `conversation` is None when there is no such conversation. Also a refused command may have
    changed it, because what had fallen due happened first.
    """

    conversation: Conversation | None
    refusal: ConversationError | None = None
    aftermath: Aftermath = field(default_factory=Aftermath)
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """What an agent wants to say."""

    reply_id: str
    actor: c.Actor
    text: str
    visibility: Visibility | None
    in_reply_to: str | None
    confirm_public: bool
    parts: tuple[str, ...] = ()
    capabilities: Capabilities | None = None
    attachments: tuple[Attachment, ...] = ()


Build = Callable[[Conversation, Instant], c.Command]
"""Makes the command from the locked conversation and the moment of the command's receipt."""


def get(connection: Connection, conversation_id: str) -> Conversation | None:
    query = select(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation_id)
    row = connection.execute(query).mappings().one_or_none()
    return conversation_from(row) if row else None


def lock(
    connection: Connection, conversation_ids: Collection[str], *, skip_locked: bool = False
) -> dict[str, Conversation]:
    """Lock conversations in the order of their ids; unknown (or skipped) ones are left out.

    Others may go on to refer to them: a match writes why it found nobody for those that it did
    not lock.
    """
    query = (
        select(CONVERSATIONS)
        .where(CONVERSATIONS.c.id.in_(sorted(conversation_ids)))
        .order_by(CONVERSATIONS.c.id)
        .with_for_update(skip_locked=skip_locked, key_share=True)
    )
    return {row["id"]: conversation_from(row) for row in connection.execute(query).mappings()}


def carry_out(
    connection: Connection,
    conversation_id: str,
    build: Build,
    elapsed_ms: Callable[[], int] = lambda: 0,
) -> Outcome:
    """Let happen what has fallen due, then decide the command, and write both.

    `elapsed_ms` tells how long ago the command was received: it is judged at its receipt, so
    a pick-up that waited for this transaction is not late.
    """
    locked = lock(connection, [conversation_id])
    if conversation_id not in locked:
        return Outcome(None)
    now = clock.now(connection)
    received_at = now - elapsed_ms()
    journal = Journal(connection, now)
    change = _Change(journal, locked[conversation_id], build, received_at, Admission(journal))
    outcome = change.run()
    journal.flush()
    change.admission.write_replies()
    return Outcome(outcome.conversation, outcome.refusal, journal.aftermath(), outcome.reply)


def let_due_happen(connection: Connection, conversation_id: str) -> Outcome:
    """Let happen what the workflow's alarm is for; offers have their grace."""
    locked = lock(connection, [conversation_id])
    if conversation_id not in locked:
        return Outcome(None)
    journal = Journal(connection, clock.now(connection))
    conversation = locked[conversation_id]
    journal.conversation_is_locked(conversation)
    agents = lock_touched(journal, conversation, ())
    conversation = _happen(journal, conversation, agents, _With(alarm_at, journal.now))
    journal.flush()
    return Outcome(conversation, aftermath=journal.aftermath())


@dataclass(frozen=True, slots=True)
class _With:
    """Which moment counts as due, and up to when."""

    moment_of: Callable[[Conversation], Instant | None]
    until: Instant

    def is_due(self, conversation: Conversation) -> bool:
        moment = self.moment_of(conversation)
        return moment is not None and moment <= self.until


def _due_at(conversation: Conversation) -> Instant | None:
    falls_due = due(conversation)
    return falls_due.at if falls_due else None


@dataclass(slots=True)
class _Change:
    journal: Journal
    conversation: Conversation
    build: Build
    received_at: Instant
    admission: Admission

    def run(self) -> Outcome:
        journal, conversation = self.journal, self.conversation
        journal.conversation_is_locked(conversation)
        command = self.build(conversation, self.received_at)
        candidate_id = candidate_of(command, conversation)
        agents = lock_touched(journal, conversation, [candidate_id] if candidate_id else ())
        conversation = let_happen(journal, conversation, agents, self.received_at)
        facts = gather_facts(journal, conversation, command, agents)
        decision = decide(conversation, command, facts, journal.now)
        if isinstance(decision, ConversationError):
            return Outcome(conversation, decision)
        if isinstance(command, c.TransferToAgent) and decision.conversation.offers:
            self._explain(conversation, command, agents[command.agent_id])
        changed = journal.record(conversation, decision, "commanded")
        if isinstance(command, c.TransferToWorkgroup | c.TransferToAgent):
            changed = rule_asking.after_transfer(journal, changed)
        if isinstance(command, c.TransferToWorkgroup):
            changed = self.admission.admit(changed, "commanded")
        return Outcome(changed)

    def _explain(
        self, conversation: Conversation, command: c.TransferToAgent, agent: Agent
    ) -> None:
        connection, now = self.journal.connection, self.journal.now
        policy = routing_policy_from(self.journal.workgroup(conversation.workgroup_id))
        decisions.record_named_agent(
            connection, conversation, agent, policy, offer_id=command.offer_id, now=now
        )


def lock_touched(
    journal: Journal, conversation: Conversation, others: Collection[str]
) -> dict[str, Agent]:
    """Lock every agent whom a change of this conversation can touch."""
    touched = {*others, *(carrier.agent_id for carrier in holders(conversation))}
    if conversation.agent_id is not None:
        touched.add(conversation.agent_id)
    agents = locked_agents(journal.connection, touched, journal.now)
    journal.agents_are_locked(agents)
    return agents


def candidate_of(command: c.Command, conversation: Conversation) -> str | None:
    """Name the agent whose eligibility the command depends on."""
    match command:
        case c.PickUp(actor=actor):
            return actor.agent_id
        case c.TransferToAgent(agent_id=agent_id) | c.Consult(agent_id=agent_id):
            return agent_id
        case c.Unpark():
            return conversation.agent_id
        case _:
            return None


def let_happen(
    journal: Journal, conversation: Conversation, agents: dict[str, Agent], until: Instant
) -> Conversation:
    """Carry out what has fallen due before a command is decided."""
    return _happen(journal, conversation, agents, _With(_due_at, until))


def _happen(
    journal: Journal, conversation: Conversation, agents: dict[str, Agent], due_with: _With
) -> Conversation:
    """Carry out what has fallen due, one thing after the other."""
    for _ in range(DUE_BOUND):
        falls_due = due(conversation)
        if falls_due is None or not due_with.is_due(conversation):
            break
        facts = gather_facts(journal, conversation, falls_due.command, agents)
        decision = decide(conversation, falls_due.command, facts, journal.now)
        if isinstance(decision, ConversationError):
            raise decision
        for agent_id in agents.keys() & set(decision.not_responding_agent_ids):
            agents[agent_id] = replace(
                agents[agent_id], routing_status=RoutingStatus.NOT_RESPONDING
            )
        before, conversation = conversation, journal.record(conversation, decision, "nudged")
        if conversation.ring > before.ring:
            conversation = rule_asking.after_ring(journal, conversation)
    return conversation


def gather_facts(
    journal: Journal, conversation: Conversation, command: c.Command, agents: dict[str, Agent]
) -> c.Facts:
    """Read what the decision depends on; only what this command needs."""
    workgroup = journal.workgroup(conversation.workgroup_id)
    policy = policy_from(workgroup)
    match command:
        case c.SendReply():
            return speech_facts(journal.connection, conversation, policy, command)
        case c.TransferToWorkgroup(workgroup_id=workgroup_id):
            return c.Facts(policy, entered_policy=policy_from(journal.workgroup(workgroup_id)))
        case c.OpenRing():
            return c.Facts(policy, reach=reach_of(journal, conversation))
        case c.Disconnect() | c.FinishWrapUp() if (workgroup["wrap_up"] or {}).get("only_offered"):
            offered = dispositions.offered_codes(journal.connection, workgroup)
            return c.Facts(replace(policy, wrap_up_codes=offered))
    candidate_id = candidate_of(command, conversation)
    if candidate_id not in agents:
        return c.Facts(policy)
    candidate = standing(
        conversation,
        agents[candidate_id],
        routing_policy_from(workgroup),
        journal.now,
        ignoring=_ignored(command),
    )
    return c.Facts(policy, candidate)


def speech_facts(
    connection: Connection, conversation: Conversation, policy: c.Policy, command: c.SendReply
) -> c.Facts:
    """Read what decides whether words may be said with their visibility."""
    known = command.capabilities
    may_write_first = known is not None and (
        known.may_initiate_private or known.may_answer_in_private
    )
    return c.Facts(
        policy,
        customer_wrote_privately=_wrote_privately(connection, conversation),
        may_write_first=may_write_first or _may_write_first(connection, conversation),
    )


def reach_of(journal: Journal, conversation: Conversation) -> tuple[int, ...]:
    """Count whom the circle reaches, ring by ring."""
    policy = routing_policy_from(journal.workgroup(conversation.workgroup_id))
    everywhere = workgroups_in_reach(replace(conversation, ring=len(policy.rings)), policy)
    agents = agents_on_queue(journal.connection, everywhere, journal.now)
    return reach(conversation, agents, policy, journal.now)


def _ignored(command: c.Command) -> frozenset[Reason]:
    """Let no earlier decline stop a human's own choice."""
    if isinstance(command, c.PickUp | c.TransferToAgent | c.Unpark):
        return frozenset({Reason.PASSED_OVER})
    return frozenset()


def _wrote_privately(connection: Connection, conversation: Conversation) -> bool:
    if conversation.media_type is MediaType.SOCIAL_DIRECT_MESSAGE:
        return True
    query = select(IDENTITIES.c.customer_id).where(
        IDENTITIES.c.network == conversation.network,
        IDENTITIES.c.customer_id == conversation.customer_id,
        IDENTITIES.c.wrote_privately,
    )
    return connection.execute(query.limit(1)).first() is not None


def _may_write_first(connection: Connection, conversation: Conversation) -> bool:
    query = select(ACCOUNTS.c.settings).where(ACCOUNTS.c.id == conversation.account_id)
    settings = connection.execute(query).scalar_one()
    return bool(settings.get("may_write_first", False))


def reply(
    connection: Connection,
    conversation_id: str,
    draft: ReplyDraft,
    elapsed_ms: Callable[[], int] = lambda: 0,
) -> Outcome:
    """Take a reply: the command and the reply's row are one commit."""

    def build(conversation: Conversation, _: Instant) -> c.Command:
        visibility = draft.visibility or reply_rows.visibility_of(conversation)
        return c.SendReply(
            draft.actor,
            draft.reply_id,
            visibility,
            draft.confirm_public,
            draft.capabilities,
            draft.attachments,
        )

    outcome = carry_out(connection, conversation_id, build, elapsed_ms)
    conversation = outcome.conversation
    if conversation is None or outcome.refusal is not None:
        return outcome
    covers = conversation.post_count
    wording = Wording(
        draft.reply_id,
        draft.text,
        covers,
        draft.visibility,
        draft.in_reply_to,
        draft.parts,
        draft.attachments,
    )
    taken = reply_rows.write(connection, conversation, wording)
    return Outcome(conversation, None, outcome.aftermath, taken)
