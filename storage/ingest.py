"""Inbox first: a page of posts becomes rows, joined or new conversations, in one commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, RowMapping, Text, literal, select, text, union_all
from sqlalchemy.dialects import postgresql, sqlite

from conversations import commands as c
from conversations.affinity import affinity_key, is_within_window
from conversations.commands import Policy
from conversations.errors import ConversationError
from conversations.joining_commands import MoveKind
from conversations.lifecycle import decide, due, open_conversation
from conversations.model import (
    Conversation,
    Instant,
    Post,
    PostChange,
    PostChangeKind,
    RequiredSkill,
    Threading,
    holders,
)
from storage import clock
from storage.admission import Admission
from storage.candidates import locked_agents
from storage.conversation_tables import PostChangeRow, PostRow
from storage.customers import customers_of, own_agents
from storage.database import ConcurrentChange
from storage.ids import new_id
from storage.journal import Aftermath, Journal
from storage.latest import Latest
from storage.post_moves import Way, note_joined
from storage.rows import policy_from, required_skills_from
from storage.rule_asking import ROUTING_RULES, Arrivals, location_of
from storage.setup_tables import WorkgroupRow

CHANGES = PostChangeRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

CHUNK = 50
"""So many posts at most are taken in one commit: 500 would hold SQLite's writer for 2 s."""


@dataclass(frozen=True, slots=True)
class Source:
    """The channel that posts come through, as taking them in needs it."""

    channel_id: str
    account_id: str
    network: str
    workgroup_id: str
    threading: Threading
    affinity_window_s: int
    priority: int
    required_skills: tuple[RequiredSkill, ...]
    preferred_skills: tuple[RequiredSkill, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page: where each post is, new or known before."""

    accepted: tuple[str, ...] = ()
    duplicates: int = 0
    conversation_ids: dict[str, str] = field(default_factory=dict)
    withdrawn: int = 0
    """Posts that their authors had deleted before they came: they are not kept."""
    aftermath: Aftermath = field(default_factory=Aftermath)

    def __or__(self, other: "Taken") -> "Taken":
        return Taken(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.conversation_ids | other.conversation_ids,
            self.withdrawn + other.withdrawn,
            self.aftermath | other.aftermath,
        )


def source_from(channel: RowMapping, network: str) -> Source:
    """Read a source from a channel's row and its account's network."""
    return Source(
        channel_id=channel["id"],
        account_id=channel["account_id"],
        network=network,
        workgroup_id=channel["workgroup_id"],
        threading=Threading(channel["threading"]),
        affinity_window_s=channel["affinity_window_s"],
        priority=channel["priority"],
        required_skills=required_skills_from(channel["required_skills"]),
        preferred_skills=required_skills_from(channel["preferred_skills"]),
    )


def take_in(connection: Connection, secret: bytes, source: Source, posts: Sequence[Post]) -> Taken:
    """Take in at most `CHUNK` posts of customers, with all that they change.

    Locks in the common order: affinity keys, conversations, then the agents of those
    conversations that lapsed. A post that is known already is answered, not repeated.

    Raises:
        ConcurrentChange: another channel of the account took one of the posts meanwhile.
    """
    unique = {post.external_id: post for post in reversed(posts)}
    keys = {
        i: affinity_key(secret, source.channel_id, source.threading, p) for i, p in unique.items()
    }
    _lock_keys(connection, source.account_id, sorted(set(keys.values())))
    known, changes = _known(connection, source.account_id, sorted(unique))
    unknown = [post for external_id, post in unique.items() if external_id not in known]
    gone = {i for i, change in changes.items() if change.kind is PostChangeKind.DELETED}
    fresh = [post for post in unknown if post.external_id not in gone]
    duplicates, withdrawn = len(posts) - len(unknown), len(unknown) - len(fresh)
    if not fresh:
        return Taken((), duplicates, known, withdrawn)
    page = _Page(connection, source, keys, fresh, changes)
    placed = page.take_in()
    return Taken(tuple(placed), duplicates, known | placed, withdrawn, page.journal.aftermath())


def _lock_keys(connection: Connection, account_id: str, keys: list[str]) -> None:
    """Let pages with a customer in common take turns; SQLite has one writer anyway.

    Whoever follows changes of the account's posts waits for them, or they for him.
    """
    if connection.dialect.name != "postgresql":
        return
    turns = text(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended(:account_id, 4)) UNION ALL"
        " SELECT pg_advisory_xact_lock(hashtextextended(k, 1))"
        " FROM unnest(CAST(:keys AS text[])) AS k"
    )
    connection.execute(turns, {"account_id": account_id, "keys": keys})


def _known(
    connection: Connection, account_id: str, external_ids: list[str]
) -> tuple[dict[str, str], dict[str, PostChange]]:
    """Return where the posts that are known are, and what happened to those that are not yet.

    One statement: hardly any page has such changes.
    """
    none = literal(None, Text)
    there = select(
        POSTS.c.external_id, POSTS.c.conversation_id, none, none, literal(None, BigInteger)
    ).where(POSTS.c.account_id == account_id, POSTS.c.external_id.in_(external_ids))
    coming = select(
        CHANGES.c.external_id, none, CHANGES.c.kind, CHANGES.c.text, CHANGES.c.at
    ).where(CHANGES.c.account_id == account_id, CHANGES.c.external_id.in_(external_ids))
    known, changes = {}, {}
    for external_id, conversation_id, kind, words, at in connection.execute(
        union_all(there, coming)
    ):
        if kind is None:
            known[external_id] = conversation_id
        else:
            changes[external_id] = PostChange(external_id, PostChangeKind(kind), at, words)
    return known, changes


class _Page:
    """One chunk of new posts on its way into conversations."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        keys: dict[str, str],
        fresh: list[Post],
        changes: Mapping[str, PostChange],
    ) -> None:
        self._connection = connection
        self._source = source
        self._edits = changes
        fresh = [self._as_edited(post) for post in fresh] if changes else fresh
        self._by_key: dict[str, list[Post]] = {}
        for post in sorted(fresh, key=lambda p: (p.created_at, p.external_id)):
            self._by_key.setdefault(keys[post.external_id], []).append(post)
        self._fresh = fresh
        self._post_ids = {post.external_id: new_id("po") for post in fresh}
        self._placed: dict[str, str] = {}
        self._late: set[str] = set()
        self._ways: list[tuple[tuple[str, ...], Way]] = []
        self._own_agents: dict[str, str] | None = None

    def take_in(self) -> dict[str, str]:
        """Return, for each new post's external id, the conversation that it is in."""
        self._latest = Latest(self._connection, self._by_key)
        now = clock.now(self._connection)
        self.journal = Journal(self._connection, now)
        self._admission = Admission(self.journal)
        self._rules = Arrivals(self.journal)
        policies = self._policies(self._latest)
        self._let_lapse(policies)
        self._customers = customers_of(self._connection, self._source.network, self._fresh, now)
        for key, posts in self._by_key.items():
            joined = self._latest.at_the_end(key)
            if joined is not None and joined.is_open:
                self._join(key, joined, posts, policies[joined.workgroup_id])
            else:
                self._open(key, posts, policies)
        self.journal.flush()
        self._rules.write()
        self._insert_posts()
        self._admission.write_replies()
        for ids, way in self._ways:
            note_joined(self._connection, ids, way)
        return self._placed

    def _policies(self, conversations: Iterable[Conversation]) -> dict[str, Policy]:
        ids = {self._source.workgroup_id, *(conv.workgroup_id for conv in conversations)}
        return {i: policy_from(self.journal.workgroup(i)) for i in sorted(ids)}

    def _let_lapse(self, policies: dict[str, Policy]) -> None:
        """End the conversations whose window has closed, before anything joins them."""
        lapsed = [conv for conv in self._latest if _has_lapsed(conv, self.journal.now)]
        carriers = {each.agent_id for conv in lapsed for each in holders(conv)}
        self.journal.agents_are_locked(locked_agents(self._connection, carriers, self.journal.now))
        for conversation in lapsed:
            policy = policies[conversation.workgroup_id]
            self._decide(conversation, c.Lapse(), policy, "nudged")

    def _decide(
        self, conversation: Conversation, command: c.Command, policy: Policy, bell: str
    ) -> None:
        decision = decide(conversation, command, c.Facts(policy), self.journal.now)
        if isinstance(decision, ConversationError):
            raise decision
        self._latest.keep(self.journal.record(conversation, decision, bell))

    def _join(
        self, key: str, conversation: Conversation, posts: list[Post], policy: Policy
    ) -> None:
        """Let posts join, also where the key's own conversation was merged into another."""
        self._late |= {p.external_id for p in posts if p.created_at < conversation.last_post_at}
        received = c.ReceivePosts(self._ids(posts), max(p.created_at for p in posts))
        self._decide(conversation, received, policy, "post_received")
        self._place(posts, conversation.id)
        last = self._latest.last(key)
        if last is not None and last.id != conversation.id:
            way = Way(last.id, conversation.id, MoveKind.JOIN, None, self.journal.now)
            self._ways.append((self._ids(posts), way))

    def _open(self, key: str, posts: list[Post], policies: dict[str, Policy]) -> None:
        last, policy = self._latest.last(key), policies[self._source.workgroup_id]
        opening, discard_reason = self._rules.route(self._opening(key, posts, last), posts[0])
        if opening.workgroup_id != self._source.workgroup_id:
            policy = policy_from(self.journal.workgroup(opening.workgroup_id))
        opened = open_conversation(opening, policy, self.journal.now)
        conversation = self.journal.record(None, opened, "post_received")
        if discard_reason is None:
            self._admission.admit(conversation, "post_received")
        else:
            discard = c.Discard(c.SYSTEM, discard_reason, cause=ROUTING_RULES)
            self._decide(conversation, discard, policy, "post_received")
        if last is not None:
            self._decide(last, c.LinkContinuation(opening.conversation_id), policy, "nudged")
        self._place(posts, opening.conversation_id)

    def _opening(self, key: str, posts: list[Post], last: Conversation | None) -> c.Opening:
        """Return how the channel would have the conversation opened."""
        source, customer_id = self._source, self._customers[posts[0].author.external_id]
        return c.Opening(
            conversation_id=new_id("cv"),
            network=source.network,
            account_id=source.account_id,
            channel_id=source.channel_id,
            workgroup_id=source.workgroup_id,
            customer_id=customer_id,
            affinity_key=key,
            affinity_window_s=source.affinity_window_s,
            priority=source.priority,
            visibility=posts[0].visibility,
            required_skills=source.required_skills,
            preferred_skills=source.preferred_skills,
            post_ids=self._ids(posts),
            last_post_at=posts[-1].created_at,
            continues=last.id if last else None,
            preferred_agent_id=self._who_knows(key, customer_id),
            location=location_of(posts[0]),
        )

    def _who_knows(self, key: str, customer_id: str) -> str | None:
        """Return who had the customer last, within the window, or else the customer's own agent."""
        ended = self._latest.at_the_end(key)
        if ended is not None and ended.agent_id and is_within_window(ended, self.journal.now):
            return ended.agent_id
        if self._own_agents is None:
            self._own_agents = own_agents(self._connection, self._customers.values())
        return self._own_agents.get(customer_id)

    def _ids(self, posts: list[Post]) -> tuple[str, ...]:
        return tuple(self._post_ids[post.external_id] for post in posts)

    def _place(self, posts: list[Post], conversation_id: str) -> None:
        self._placed |= {post.external_id: conversation_id for post in posts}

    def _insert_posts(self) -> None:
        rows = [
            self._values(post, self._customers[post.author.external_id])
            for post in sorted(self._fresh, key=lambda p: p.external_id)
        ]
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        ignoring = dialect.insert(POSTS).values(rows).on_conflict_do_nothing()
        written = self._connection.execute(ignoring.returning(POSTS.c.id)).all()
        if len(written) != len(rows):
            raise ConcurrentChange(self._source.account_id)

    def _as_edited(self, post: Post) -> Post:
        """Return the post with its newest words: they came before it did."""
        edit = self._edits.get(post.external_id)
        return post if edit is None or edit.text is None else replace(post, text=edit.text)

    def _values(self, post: Post, customer_id: str) -> dict[str, Any]:
        edit = self._edits.get(post.external_id)
        return {
            "id": self._post_ids[post.external_id],
            "account_id": self._source.account_id,
            "channel_id": self._source.channel_id,
            "external_id": post.external_id,
            "conversation_id": self._placed[post.external_id],
            "customer_id": customer_id,
            "author": asdict(post.author),
            "text": post.text,
            "visibility": post.visibility.value,
            "created_at": post.created_at,
            "received_at": self.journal.now,
            "is_late": post.external_id in self._late,
            "in_reply_to": post.in_reply_to,
            "thread_root": post.thread_root,
            "url": post.url,
            "media": [asdict(medium) for medium in post.media],
            "language": post.language,
            "location": asdict(post.location) if post.location else None,
            "source_application": post.source_application,
            "kind": post.kind.value,
            "earlier_texts": [],
            "edited_at": edit.at if edit else None,
        }


def _has_lapsed(conversation: Conversation, now: Instant) -> bool:
    falls_due = due(conversation)
    return falls_due is not None and isinstance(falls_due.command, c.Lapse) and falls_due.at <= now
