"""Random merges, splits and their undoing among random posts and replies; nothing gets lost."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from conversations import commands as c
from conversations import joining
from conversations.joining import Joint, Said, Stay, answered_posts
from conversations.joining_commands import Merge, Portion, Split, Unmerge
from conversations.lifecycle import Decision, decide, open_conversation
from conversations.model import Conversation, ConversationState, Visibility, holders
from tests.conversations.samples import NOW, OWNER, POLICY, SUPERVISOR, agent, eligible

S = ConversationState
PICKS = st.integers(0, 10_000)
KEYS = st.sampled_from("abcd")
FACTS = c.Facts(POLICY)
WINDOW_S = 10**6


class JoinedLives(RuleBasedStateMachine):
    """One customer on several keys; each step takes a millisecond, so that order is known."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.conversations: dict[str, Conversation] = {}
        self.stays: dict[str, list[Stay]] = {}
        self.said: list[Said] = []
        self.moved_by_merge: dict[tuple[str, str], set[str]] = {}

    def tick(self) -> int:
        self.now += 1
        return self.now

    def some(self, pick: int, *states: ConversationState) -> Conversation | None:
        fitting = [x for x in self.conversations.values() if x.state in states]
        return fitting[pick % len(fitting)] if fitting else None

    def in_conversation(self, conversation_id: str) -> list[str]:
        return [
            p for p, stays in self.stays.items() if stays[-1].conversation_id == conversation_id
        ]

    def answered_in(self, post_ids: list[str]) -> int:
        return len(answered_posts({p: self.stays[p] for p in post_ids}, self.said))

    def portion(self, post_ids: list[str]) -> Portion:
        came = max((self.stays[p][0].since for p in post_ids), default=0)
        return Portion(tuple(post_ids), self.answered_in(post_ids), came)

    def move(self, post_ids: list[str], to: str) -> None:
        for post_id in post_ids:
            last = self.stays[post_id].pop()
            self.stays[post_id].append(Stay(last.conversation_id, last.since, self.now))
            self.stays[post_id].append(Stay(to, self.now))

    def apply(self, conversation: Conversation, command: c.Command) -> Decision | None:
        decision = decide(conversation, command, eligible(OWNER), self.now)
        if not isinstance(decision, Decision):
            return None
        self.conversations[conversation.id] = decision.conversation
        return decision

    def keep(self, joint: Joint) -> None:
        for decision in (joint.source, joint.target):
            self.conversations[decision.conversation.id] = decision.conversation

    @rule(key=KEYS)
    def a_post_arrives(self, key: str) -> None:
        """Join what the key leads to over all merges, or open a conversation."""
        now, post_id = self.tick(), f"post-{len(self.stays)}"
        known = [x for x in self.conversations.values() if x.affinity_key == key]
        last = max(known, key=lambda x: (x.is_open, x.created_at), default=None)
        end = last
        while end is not None and end.merged_into is not None:
            end = self.conversations[end.merged_into]
        if end is not None and end.is_open:
            assert self.apply(end, c.ReceivePosts((post_id,), now)) is not None
            self.stays[post_id] = [Stay(end.id, now)]
            if last is not None and last.id != end.id and last.merged_into == end.id:
                self.moved_by_merge[last.id, end.id].add(post_id)
            return
        opening = c.Opening(
            conversation_id=f"cv-{len(self.conversations)}",
            network="simulated",
            account_id="account-1",
            channel_id="channel-1",
            workgroup_id="workgroup-1",
            customer_id="customer-1",
            affinity_key=key,
            affinity_window_s=WINDOW_S,
            priority=50,
            visibility=Visibility.PUBLIC,
            required_skills=(),
            post_ids=(post_id,),
            last_post_at=now,
        )
        opened = open_conversation(opening, POLICY, now).conversation
        self.conversations[opened.id] = opened
        self.stays[post_id] = [Stay(opened.id, now)]

    @rule(pick=PICKS)
    def somebody_picks_up(self, pick: int) -> None:
        now, conversation = self.tick(), self.some(pick, S.QUEUED)
        if conversation is not None:
            self.apply(conversation, c.PickUp(agent(), None, now))

    @rule(pick=PICKS)
    def somebody_is_answered(self, pick: int) -> None:
        now, conversation = self.tick(), self.some(pick, S.CONNECTED)
        if conversation is None:
            return
        command = c.SendReply(agent(), "reply", Visibility.PUBLIC, confirm_public=False)
        taken = self.apply(conversation, command)
        assert taken is not None
        self.said.append(Said(conversation.id, now))
        covers = taken.conversation.post_count
        self.apply(taken.conversation, c.SettleReply("reply", sent=True, covers=covers))

    @rule(pick=PICKS, what=st.sampled_from(["park", "hold", "disconnect"]))
    def somebody_goes_on(self, pick: int, what: str) -> None:
        self.tick()
        conversation = self.some(pick, S.CONNECTED)
        commands: dict[str, c.Command] = {
            "park": c.Park(agent(), None, None),
            "hold": c.Hold(agent()),
            "disconnect": c.Disconnect(agent(), None),
        }
        if conversation is not None and (what != "disconnect" or pick % 3 == 0):
            self.apply(conversation, commands[what])

    @rule(pick=PICKS, other=PICKS)
    def two_are_merged(self, pick: int, other: int) -> None:
        now = self.tick()
        source = self.some(pick, S.QUEUED, S.CONNECTED, S.HELD, S.PARKED)
        target = self.some(other, S.QUEUED, S.CONNECTED, S.HELD, S.PARKED)
        if source is None or target is None:
            return
        joint = joining.merge(source, target, Merge(SUPERVISOR, None), FACTS, now)
        assert isinstance(joint, Joint) == (source.id != target.id)
        if isinstance(joint, Joint):
            moved = self.in_conversation(source.id)
            self.keep(joint)
            self.move(moved, target.id)
            self.moved_by_merge[source.id, target.id] = set(moved)

    @rule(pick=PICKS, count=st.integers(0, 4))
    def one_is_split(self, pick: int, count: int) -> None:
        now = self.tick()
        conversation = self.some(pick, S.QUEUED, S.CONNECTED, S.HELD, S.PARKED)
        if conversation is None:
            return
        here = self.in_conversation(conversation.id)
        moved, left = self.portion(here[:count]), self.portion(here[count:])
        new_id = f"cv-{len(self.conversations)}"
        command = Split(SUPERVISOR, new_id, "customer-1", moved, left)
        joint = joining.split(conversation, command, FACTS, now)
        assert isinstance(joint, Joint) == (0 < len(moved.post_ids) < len(here))
        if isinstance(joint, Joint):
            self.keep(joint)
            self.move(here[:count], new_id)

    @rule(pick=PICKS)
    def one_is_unmerged(self, pick: int) -> None:
        now, source = self.tick(), self.some(pick, S.MERGED)
        if source is None or source.merged_into is None:
            return
        target = self.conversations[source.merged_into]
        here = self.in_conversation(target.id)
        back = [p for p in here if p in self.moved_by_merge[source.id, target.id]]
        left = [p for p in here if p not in back]
        command = Unmerge(SUPERVISOR, self.portion(back), self.portion(left))
        joint = joining.unmerge(source, target, command, FACTS, now)
        assert isinstance(joint, Joint) == bool(target.is_open and back and left)
        if isinstance(joint, Joint):
            self.keep(joint)
            self.move(back, source.id)

    @invariant()
    def every_post_is_in_one_conversation_which_counts_it(self) -> None:
        held = Counter(stays[-1].conversation_id for stays in self.stays.values())
        for conversation in self.conversations.values():
            assert conversation.post_count == held[conversation.id]
            assert conversation.post_count > 0 or conversation.state is S.MERGED

    @invariant()
    def answered_is_what_replies_could_see(self) -> None:
        for conversation in self.conversations.values():
            truth = self.answered_in(self.in_conversation(conversation.id))
            assert conversation.answered_count == truth, conversation.id

    @invariant()
    def a_key_has_one_open_conversation_and_merged_ones_carry_nothing(self) -> None:
        known = self.conversations.values()
        assert max(Counter(x.affinity_key for x in known if x.is_open).values(), default=0) <= 1
        for conversation in known:
            assert (conversation.state is S.MERGED) == (conversation.merged_into is not None)
            assert conversation.is_open == (conversation.ended_at is None)
            assert conversation.state is not S.MERGED or holders(conversation) == ()


TestJoinedLives = JoinedLives.TestCase
TestJoinedLives.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
