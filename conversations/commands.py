"""What may be asked of a conversation: by agents, by supervisors, by networks and by time."""

from dataclasses import dataclass

from conversations.attachments import Attachment
from conversations.capabilities import Capabilities
from conversations.change_commands import ChangeReply, SettleChange
from conversations.model import (
    Instant,
    Location,
    OfferTimeoutAction,
    RequiredSkill,
    Ring,
    Visibility,
    WrapUpMode,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who commands: an agent, a supervisor, or both; the principal is for the audit."""

    agent_id: str | None = None
    is_supervisor: bool = False
    principal_id: str | None = None


SYSTEM = Actor(is_supervisor=True)
"""Time, networks and operators act with a supervisor's rights."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one agent stands to one conversation now: why not (empty: eligible), and its weight."""

    agent_id: str
    reasons: tuple[str, ...]
    weight_percent: int
    load_percent: int

    @property
    def is_eligible(self) -> bool:
        return not self.reasons


WRAP_UP_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Policy:
    """The workgroup's settings that a transition needs."""

    offer_timeout_s: int = 20
    decline_backoff_s: int = 10
    preferred_agent_wait_s: int = 10
    wrap_up_mode: WrapUpMode = WrapUpMode.NONE
    wrap_up_timeout_s: int = WRAP_UP_TIMEOUT_S
    wrap_up_codes: tuple[str, ...] = ()
    """The codes that may be given; none named: any."""
    offer_timeout_action: OfferTimeoutAction = OfferTimeoutAction.NOT_RESPONDING
    auto_accept: bool = False
    keeps_age_on_transfer: bool = True
    """Whether who comes by a transfer has waited here since the first queue, or begins to."""
    rings: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision depends on besides the conversation itself.

    `candidate` is the agent who wants it or is to get it; `customer_wrote_privately` and
    `may_write_first` answer whether a private message may leave. `others` are more agents who
    are to be offered it at once. `reach` counts the agents whom the circle reaches, room or not:
    without a ring, with the first, with the first two … `entered_policy` is that of the workgroup
    which the conversation is to enter, where it is another one.
    """

    policy: Policy
    candidate: Standing | None = None
    others: tuple[Standing, ...] = ()
    reach: tuple[int, ...] = ()
    entered_policy: Policy | None = None
    customer_wrote_privately: bool = False
    may_write_first: bool = False


@dataclass(frozen=True, slots=True)
class PickUp:
    actor: Actor
    offer_id: str | None
    received_at: Instant


@dataclass(frozen=True, slots=True)
class Decline:
    actor: Actor
    offer_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Hold:
    actor: Actor


@dataclass(frozen=True, slots=True)
class Resume:
    actor: Actor


@dataclass(frozen=True, slots=True)
class Park:
    actor: Actor
    until: Instant | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Unpark:
    actor: Actor


@dataclass(frozen=True, slots=True)
class TransferToWorkgroup:
    actor: Actor
    workgroup_id: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class TransferToAgent:
    actor: Actor
    agent_id: str
    offer_id: str
    comment: str | None
    override_capacity: bool = False
    """A supervisor's: the agent gets it also without room."""


@dataclass(frozen=True, slots=True)
class Consult:
    """The owner asks another agent, who sees the conversation and may write notes."""

    actor: Actor
    agent_id: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class EndConsult:
    actor: Actor


@dataclass(frozen=True, slots=True)
class SendReply:
    """`capabilities` are those of the conversation's account, None on a network of no connector."""

    actor: Actor
    reply_id: str
    visibility: Visibility
    confirm_public: bool
    capabilities: Capabilities | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Disconnect:
    actor: Actor
    wrap_up_code: str | None


@dataclass(frozen=True, slots=True)
class FinishWrapUp:
    actor: Actor
    wrap_up_code: str | None
    done: bool


@dataclass(frozen=True, slots=True)
class Discard:
    """`cause` names what ends it where that is nobody: a routing rule."""

    actor: Actor
    reason: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    actor: Actor
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivePosts:
    """Posts of the conversation's affinity key were stored in the same transaction."""

    post_ids: tuple[str, ...]
    last_post_at: Instant


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """The match chose agents; their standings are in the facts, one offer id for each."""

    offer_ids: tuple[str, ...]
    decision_id: str


@dataclass(frozen=True, slots=True)
class ExpireOffer:
    """The offer's deadline has passed without a pick-up."""


@dataclass(frozen=True, slots=True)
class RescindOffer:
    """The offered agent left the queue."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class LoseAgent:
    """The agent was away for longer than the grace: what he has is for others to finish."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class Reconsider:
    """A wait for the preferred agent, or an agent's turn to be passed over, is up."""


@dataclass(frozen=True, slots=True)
class OpenRing:
    """The time of the next ring has come, or nobody is in the circle; the reach is in the facts."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """The workgroup is closed, or one waits too long there: the conversation waits elsewhere."""

    workgroup_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class AnswerByItself:
    """The workgroup is closed and tells the customer so; the reply is written with the change."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class Reroute:
    """Routing rules changed how a conversation is routed; `rules` are the names of those."""

    workgroup_id: str
    priority: int
    required_skills: tuple[RequiredSkill, ...]
    preferred_skills: tuple[RequiredSkill, ...]
    preferred_agent_id: str | None
    tags: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lapse:
    """The affinity window closed on a conversation whose posts are all answered."""


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    """The time for wrapping up is over."""


@dataclass(frozen=True, slots=True)
class SettleReply:
    """The network's answer about a reply is final; `covers` is the post count it answered."""

    reply_id: str
    sent: bool
    covers: int


@dataclass(frozen=True, slots=True)
class NoteReplyState:
    """A reply moved on without being settled; viewers are told."""

    reply_id: str
    state: str


@dataclass(frozen=True, slots=True)
class NotePostChange:
    """The author of a post edited or deleted it."""

    post_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class CountAnswered:
    """A reply of a conversation that was merged into this one was sent."""

    answered_count: int


@dataclass(frozen=True, slots=True)
class EndByOperator:
    """The workflow was cancelled in the Temporal web UI."""

    cause: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """The customer withdrew before anybody picked up; `cause` says how that is known."""

    cause: str


@dataclass(frozen=True, slots=True)
class LinkContinuation:
    """A later conversation of the same affinity key continues this one."""

    continued_by: str


Command = (
    PickUp
    | Decline
    | Hold
    | Resume
    | Park
    | Unpark
    | TransferToWorkgroup
    | TransferToAgent
    | Consult
    | EndConsult
    | SendReply
    | Disconnect
    | FinishWrapUp
    | Discard
    | Release
    | ReceivePosts
    | MakeOffer
    | ExpireOffer
    | RescindOffer
    | LoseAgent
    | Reconsider
    | OpenRing
    | Reroute
    | Overflow
    | AnswerByItself
    | Lapse
    | EndWrapUp
    | SettleReply
    | NoteReplyState
    | NotePostChange
    | ChangeReply
    | SettleChange
    | CountAnswered
    | EndByOperator
    | Abandon
    | LinkContinuation
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new conversation starts from: the channel's settings and the first posts."""

    conversation_id: str
    network: str
    account_id: str
    channel_id: str
    workgroup_id: str
    customer_id: str
    affinity_key: str
    affinity_window_s: int
    priority: int
    visibility: Visibility
    required_skills: tuple[RequiredSkill, ...]
    post_ids: tuple[str, ...]
    last_post_at: Instant
    continues: str | None = None
    preferred_agent_id: str | None = None
    preferred_skills: tuple[RequiredSkill, ...] = ()
    tags: tuple[str, ...] = ()
    location: Location | None = None
