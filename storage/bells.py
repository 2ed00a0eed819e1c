"""Which conversations' workflows were told, and which have seen, what version."""

from collections.abc import Collection, Iterable

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from conversations.messages import Bell, Shown
from conversations.model import FINAL_STATES, Instant
from storage.conversation_tables import BellRow, ConversationRow
from storage.log_tables import CounterRow

BELLS = BellRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
COUNTERS = CounterRow.__table__  # type: ignore[attr-defined]
BEAT = "marker_beat"
SHOWN = (
    CONVERSATIONS.c.state,
    CONVERSATIONS.c.workgroup_id,
    CONVERSATIONS.c.reopened_at,
    func.coalesce(CONVERSATIONS.c.offer_agent_id, CONVERSATIONS.c.agent_id).label("shown_agent_id"),
)

NOT_RUNG_AFTER_MS = 10_000
NOT_SEEN_AFTER_MS = 60_000
SWEEP_BATCH = 200


def note_rung(connection: Connection, bells: Iterable[tuple[str, int]], now: Instant) -> None:
    """Remember which versions were rung; raises no version, so that nothing rings for it."""
    rung = (
        update(BELLS)
        .where(BELLS.c.conversation_id == bindparam("bell_id"))
        .values(
            rung_at=now,
            rung_version=case(
                (BELLS.c.rung_version > bindparam("rung"), BELLS.c.rung_version),
                else_=bindparam("rung"),
            ),
        )
    )
    rows = [{"bell_id": bell_id, "rung": version} for bell_id, version in sorted(bells)]
    if rows:
        connection.execute(rung, rows)


def note_seen(connection: Connection, seen: Iterable[tuple[str, int, str | None]]) -> None:
    """Remember which versions (id, version, run id if known) the workflows have seen."""
    newer = (
        update(BELLS)
        .where(BELLS.c.conversation_id == bindparam("bell_id"))
        .where(BELLS.c.seen_version < bindparam("seen"))
        .values(
            seen_version=bindparam("seen"),
            run_id=func.coalesce(bindparam("run", type_=BELLS.c.run_id.type), BELLS.c.run_id),
        )
    )
    rows = [
        {"bell_id": i, "seen": version, "run": run_id}
        for i, version, run_id in sorted(seen, key=lambda fact: fact[:2])
    ]
    if rows:
        connection.execute(newer, rows)


def run_ids(connection: Connection, conversation_ids: Collection[str]) -> dict[str, str | None]:
    """Return the last known workflow run of each conversation, for links to the Temporal web UI."""
    query = select(BELLS.c.conversation_id, BELLS.c.run_id).where(
        BELLS.c.conversation_id.in_(sorted(conversation_ids))
    )
    return {row.conversation_id: row.run_id for row in connection.execute(query)}


def note_changed(
    connection: Connection, changed: Iterable[tuple[str, str, int]], new_ids: set[str], now: Instant
) -> None:
    """Write the versions (id, network, version) that a transaction gave its conversations."""
    rows = sorted(changed)
    fresh = [
        {
            "conversation_id": i,
            "network": n,
            "version": v,
            "changed_at": now,
            "rung_version": 0,
            "seen_version": 0,
        }
        for i, n, v in rows
        if i in new_ids
    ]
    old = [{"bell_id": i, "new_version": v} for i, _, v in rows if i not in new_ids]
    if fresh:
        connection.execute(insert(BELLS), fresh)
    if old:
        raised = (
            update(BELLS)
            .where(BELLS.c.conversation_id == bindparam("bell_id"))
            .values(version=bindparam("new_version"), changed_at=now)
        )
        connection.execute(raised, old)


def to_ring_again(connection: Connection, now: Instant, limit: int = SWEEP_BATCH) -> list[Bell]:
    """Return bells that were lost: not rung for 10 s or not seen for 60 s, oldest first.

    Never one that rang within 60 s: what is only slow would be rung again and again, and a
    backlog would grow by the sweep itself.
    """
    quiet = or_(BELLS.c.rung_at.is_(None), BELLS.c.rung_at < now - NOT_SEEN_AFTER_MS)
    not_rung = and_(
        BELLS.c.version > BELLS.c.rung_version, BELLS.c.changed_at < now - NOT_RUNG_AFTER_MS
    )
    not_seen = and_(
        BELLS.c.version <= BELLS.c.rung_version, BELLS.c.changed_at < now - NOT_SEEN_AFTER_MS
    )
    lost = (
        select(BELLS.c.conversation_id, BELLS.c.network, BELLS.c.version, *SHOWN)
        .join(CONVERSATIONS, CONVERSATIONS.c.id == BELLS.c.conversation_id)
        .where(BELLS.c.version > BELLS.c.seen_version, quiet, or_(not_rung, not_seen))
        .order_by(BELLS.c.changed_at)
        .limit(limit)
    )
    rows = connection.execute(lost).mappings()
    return [_nudge(row, row["version"]) for row in rows]


def of_those_that_go_on(connection: Connection, conversation_ids: Collection[str]) -> list[Bell]:
    """Return bells for those of the conversations whose life is not over."""
    query = (
        select(BELLS.c.conversation_id, BELLS.c.network, *SHOWN)
        .join(CONVERSATIONS, CONVERSATIONS.c.id == BELLS.c.conversation_id)
        .where(BELLS.c.conversation_id.in_(_goes_on(conversation_ids)))
    )
    rows = connection.execute(query).mappings()
    return [_nudge(row, 0) for row in rows]


def _nudge(row: RowMapping, version: int) -> Bell:
    shown = Shown(row["state"], row["workgroup_id"], row["shown_agent_id"])
    return Bell(
        row["conversation_id"],
        row["network"],
        "nudged",
        version,
        shown=shown,
        is_reopened=row["reopened_at"] is not None,
    )


def _goes_on(conversation_ids: Collection[str] | None = None) -> Select[tuple[str]]:
    ended = [state.value for state in FINAL_STATES]
    query = select(CONVERSATIONS.c.id).where(
        or_(CONVERSATIONS.c.state.not_in(ended), CONVERSATIONS.c.unsettled_replies > 0)
    )
    if conversation_ids is None:
        return query
    return query.where(CONVERSATIONS.c.id.in_(sorted(conversation_ids)))


def backlog(connection: Connection, limit: int = 1_000) -> int:
    """Return how many conversations' newest version is not seen, counted up to `limit`."""
    waiting = select(BELLS.c.conversation_id).where(BELLS.c.version > BELLS.c.seen_version)
    return len(connection.execute(waiting.limit(limit)).all())


def known_beat(connection: Connection) -> int:
    """Return the marker's last beat that the database knows, 0 before the first."""
    beat = select(COUNTERS.c.value).where(COUNTERS.c.name == BEAT)
    return connection.execute(beat).scalar_one_or_none() or 0


def keep_beat(connection: Connection, beat: int) -> None:
    kept = update(COUNTERS).where(COUNTERS.c.name == BEAT).values(value=beat)
    if connection.execute(kept).rowcount == 0:
        connection.execute(insert(COUNTERS).values(name=BEAT, value=beat))


def reset(connection: Connection) -> int:
    """Forget what was rung and seen of every conversation whose life goes on; return how many.

    Called when Temporal is new or came back from a backup: the sweep then rings them all again.
    """
    forgotten = (
        update(BELLS)
        .where(BELLS.c.conversation_id.in_(_goes_on()))
        .values(rung_version=0, seen_version=0, rung_at=None)
    )
    return connection.execute(forgotten).rowcount
