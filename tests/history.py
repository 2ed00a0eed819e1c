"""What a database remembers and what the world saw, for the checkers of `tests.invariants`."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, text

from conversations.model import Instant
from storage import clock
from storage.conversation_tables import (
    ConversationRow,
    HandlingRow,
    PostMoveRow,
    PostRow,
    QuarantineRow,
    QueueEntryRow,
    ReplyRow,
)
from storage.log_tables import CommandRow, CounterRow, EventRow
from storage.report_tables import EndedOfferRow, FirstReplyRow
from storage.setup_tables import (
    AgentRow,
    LicenceRow,
    MembershipRow,
    PresenceRow,
    StationRow,
    WorkgroupRow,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """All that a database remembers, read in one transaction; events in their sequence."""

    now: Instant
    agents: list[Row]
    commands: list[Row]
    conversations: list[Row]
    counters: list[Row]
    ended_offers: list[Row]
    events: list[Row]
    first_replies: list[Row]
    handlings: list[Row]
    licences: list[Row]
    memberships: list[Row]
    moves: list[Row]
    posts: list[Row]
    presences: list[Row]
    quarantine: list[Row]
    queue_entries: list[Row]
    replies: list[Row]
    stations: list[Row]
    workgroups: list[Row]

    @property
    def events_by_conversation(self) -> dict[str, list[Row]]:
        """The events about each conversation that show its state after them."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for event in self.events:
            if event["conversation_id"] is not None and event["snapshot"] is not None:
                found[event["conversation_id"]].append(event)
        return found


@dataclass(frozen=True)
class Answer:
    """What a client was answered under an idempotency key."""

    principal_id: str
    key: str
    status: int
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class World:
    """What others saw: posts that were taken with a 2xx, replies that arrived, answers.

    `posts` are pairs of account id and external id; `published` counts by reply id;
    `repeating` are accounts whose network neither answers look-ups nor deduplicates.
    """

    posts: Collection[tuple[str, str]] = ()
    published: Mapping[str, int] = field(default_factory=dict)
    answers: Collection[Answer] = ()
    repeating: frozenset[str] = frozenset()


def read_history(connection: Connection) -> History:
    """Read everything as of one moment; give it to `Database.read`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    def rows(table: Any, *order: str) -> list[Row]:
        query = select(table.__table__).order_by(*(table.__table__.c[name] for name in order))
        return [dict(row) for row in connection.execute(query).mappings()]

    return History(
        now=clock.now(connection),
        agents=rows(AgentRow, "id"),
        commands=rows(CommandRow),
        conversations=rows(ConversationRow, "created_at", "id"),
        counters=rows(CounterRow),
        ended_offers=rows(EndedOfferRow, "ended_at", "offer_id"),
        events=rows(EventRow, "seq", "id"),
        first_replies=rows(FirstReplyRow, "sent_at", "conversation_id"),
        handlings=rows(HandlingRow, "ended_at", "id"),
        licences=rows(LicenceRow, "kind"),
        memberships=rows(MembershipRow),
        moves=rows(PostMoveRow, "id"),
        posts=rows(PostRow, "received_at", "created_at", "external_id"),
        presences=rows(PresenceRow),
        quarantine=rows(QuarantineRow),
        queue_entries=rows(QueueEntryRow, "entered_at", "id"),
        replies=rows(ReplyRow, "created_at", "id"),
        stations=rows(StationRow, "id"),
        workgroups=rows(WorkgroupRow),
    )
