"""What a replay must not break, judged from the network's ledger and Parley's own answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

ENDED = frozenset({"completed", "abandoned", "discarded", "merged"})


@dataclass(frozen=True, slots=True)
class LedgerPost:
    """A post as the network's ledger has it; `brands` are the other accounts it reaches."""

    id: str
    author: str
    text: str
    brands: frozenset[str]
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class SeenReply:
    """A reply as Parley tells it."""

    id: str
    conversation_id: str
    text: str
    state: str
    external_id: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeenConversation:
    """A conversation with its timeline, as Parley tells it."""

    id: str
    brand: str
    state: str
    post_count: int
    wait_s: float | None
    posts: tuple[str, ...]
    replies: tuple[SeenReply, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a replay is judged by.

    What earlier replays left on the same data is judged too; `played` are this one's posts,
    `accepted` its replies that got a 202, and only these are counted in the table.
    """

    brands: frozenset[str]
    ledger: Sequence[LedgerPost]
    conversations: Sequence[SeenConversation]
    accepted: frozenset[str]
    played: frozenset[str]
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of the table, and every breach in words."""

    posts: int
    conversations: int
    joined: int
    waits_s: tuple[float, ...]
    replies: int
    lost: int
    doubled: int
    breaches: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.breaches


@dataclass(slots=True)
class _Findings:
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    other: set[str] = field(default_factory=set)


def judge(evidence: Evidence) -> Verdict:
    """Judge a replay that has come to its end."""
    findings = _Findings()
    _judge_posts(evidence, findings)
    _judge_replies(evidence, findings)
    _judge_order(evidence, findings)
    _judge_ends(evidence, findings)
    opened = [one for one in evidence.conversations if set(one.posts[:1]) & evidence.played]
    placed = sum(len(evidence.played.intersection(one.posts)) for one in evidence.conversations)
    return Verdict(
        posts=len(evidence.played),
        conversations=len(opened),
        joined=placed - len(opened),
        waits_s=tuple(sorted(one.wait_s for one in opened if one.wait_s is not None)),
        replies=len(evidence.accepted),
        lost=len(findings.lost),
        doubled=len(findings.doubled),
        breaches=tuple(sorted(findings.lost | findings.doubled | findings.other)),
    )


def _judge_posts(evidence: Evidence, findings: _Findings) -> None:
    """I1 and I2: each post of each brand is in exactly one conversation, and nothing else is."""
    wanted = {(brand, post.id) for post in evidence.ledger for brand in post.brands}
    placed = Counter((one.brand, post) for one in evidence.conversations for post in one.posts)
    for brand, post in wanted - set(placed):
        findings.lost.add(f"lost: post {post} of @{brand} is in no conversation")
    for (brand, post), times in placed.items():
        if times > 1:
            findings.doubled.add(f"doubled: post {post} of @{brand} is there {times} times")
        if (brand, post) not in wanted:
            findings.other.add(f"foreign: post {post} was never sent to @{brand}")
    if evidence.quarantined:
        findings.other.add(f"quarantined: {evidence.quarantined} posts could not be understood")


def _judge_replies(evidence: Evidence, findings: _Findings) -> None:
    """I3 and I8: a reply that was accepted is there once, in its own words, and nothing else is."""
    published: dict[str, list[LedgerPost]] = defaultdict(list)
    for post in evidence.ledger:
        if post.author in evidence.brands and post.reference is not None:
            published[post.reference].append(post)
    seen = {reply.id: reply for one in evidence.conversations for reply in one.replies}
    for reply_id in evidence.accepted - set(seen):
        findings.lost.add(f"lost: reply {reply_id} was accepted and is unknown")
    for reply in seen.values():
        _judge_reply(reply, published.get(reply.id, []), findings)
    for reference in set(published) - set(seen):
        findings.other.add(f"foreign: {reference} was published and is no reply")


def _judge_reply(reply: SeenReply, posts: Sequence[LedgerPost], findings: _Findings) -> None:
    if len(posts) > 1:
        findings.doubled.add(f"doubled: reply {reply.id} was published {len(posts)} times")
    if reply.state == "sent" and not posts:
        findings.lost.add(f"lost: reply {reply.id} counts as sent and was never published")
    if reply.state not in {"sent", "rejected"}:
        findings.lost.add(f"lost: reply {reply.id} is {reply.state} at the end: {reply.reason}")
    if reply.state == "rejected":
        findings.other.add(f"rejected: reply {reply.id}: {reply.reason}")
    findings.other |= set(_untruths(reply, posts))


def _untruths(reply: SeenReply, posts: Sequence[LedgerPost]) -> Iterator[str]:
    if reply.state == "rejected" and posts:
        yield f"untrue: reply {reply.id} counts as rejected and was published"
    for post in posts:
        if post.text != reply.text:
            yield f"untrue: reply {reply.id} was published in other words"
        if reply.state == "sent" and post.id != reply.external_id:
            yield f"untrue: reply {reply.id} is not post {reply.external_id}"


def _judge_order(evidence: Evidence, findings: _Findings) -> None:
    """I6: a conversation's posts and replies stand in the order in which they were said."""
    places = {post.id: place for place, post in enumerate(evidence.ledger)}
    by_reply: dict[str, int] = {}
    for place, post in enumerate(evidence.ledger):
        if post.reference is not None:
            by_reply.setdefault(post.reference, place)
    for one in evidence.conversations:
        said = [places[post] for post in one.posts if post in places]
        answered = [by_reply[reply.id] for reply in one.replies if reply.id in by_reply]
        if said != sorted(said):
            findings.other.add(f"order: the posts of conversation {one.id}")
        if answered != sorted(answered):
            findings.other.add(f"order: the replies of conversation {one.id}")


def _judge_ends(evidence: Evidence, findings: _Findings) -> None:
    for one in evidence.conversations:
        if one.state not in ENDED:
            findings.other.add(f"unended: conversation {one.id} is {one.state}")
        if one.post_count != len(one.posts):
            findings.other.add(
                f"untrue: conversation {one.id} counts {one.post_count} posts, has {len(one.posts)}"
            )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the nearest-rank percentile of sorted values; None when there are none."""
    if not values:
        return None
    rank = max(1, -(-len(values) * percent // 100))
    return values[rank - 1]


def brands_reached(
    author: str, mentions: Iterable[str], brands: Mapping[str, str]
) -> frozenset[str]:
    """Return the brands, by casefolded handle, that a post reaches besides its own author."""
    named = {brands[handle.casefold()] for handle in mentions if handle.casefold() in brands}
    return frozenset(named - {author})
