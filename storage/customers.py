"""Customers and their faces on the networks."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Author, Instant, Post, Visibility
from storage import setup
from storage.conversation_tables import CustomerRow, IdentityRow
from storage.ids import new_id
from storage.setup_tables import AgentRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CUSTOMERS = CustomerRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]

_SHOWN = ("handle", "name", "avatar_url", "followers", "language", "location")


@dataclass(frozen=True, slots=True)
class _Seen:
    author: Author
    wrote_privately: bool


def customers_of(
    connection: Connection, network: str, posts: Sequence[Post], now: Instant
) -> dict[str, str]:
    """Return the customer of each author's external id, meeting the new ones.

    What a network newly tells of a known author is kept; what it leaves out is not forgotten.
    """
    seen = _seen(posts)
    query = select(IDENTITIES).where(
        IDENTITIES.c.network == network, IDENTITIES.c.external_id.in_(sorted(seen))
    )
    known = {row["external_id"]: row for row in connection.execute(query).mappings()}
    for external_id in sorted(known):
        _refresh(connection, network, known[external_id], seen[external_id])
    strangers = sorted(set(seen) - set(known))
    if not strangers:
        return {external_id: row["customer_id"] for external_id, row in known.items()}
    met = _meet(connection, network, [seen[external_id] for external_id in strangers], now)
    if met is not None:
        return {i: row["customer_id"] for i, row in known.items()} | met
    rows = connection.execute(query).mappings()
    return {row["external_id"]: row["customer_id"] for row in rows}


def _seen(posts: Iterable[Post]) -> dict[str, _Seen]:
    """Return what the posts tell of each author; the newest post has the last word."""
    seen: dict[str, _Seen] = {}
    for post in sorted(posts, key=lambda p: p.created_at):
        before = seen.get(post.author.external_id)
        private = post.visibility is Visibility.PRIVATE or bool(before and before.wrote_privately)
        author = post.author
        if before is not None:
            told = {f: v for f in _SHOWN if (v := getattr(author, f)) is not None}
            author = replace(before.author, **told)
        seen[post.author.external_id] = _Seen(author, private)
    return seen


def _refresh(connection: Connection, network: str, row: Any, seen: _Seen) -> None:  # noqa: ANN401
    told = {f: v for f in _SHOWN if (v := getattr(seen.author, f)) is not None and v != row[f]}
    if seen.wrote_privately and not row["wrote_privately"]:
        told["wrote_privately"] = True
    if told:
        here = and_(IDENTITIES.c.network == network, IDENTITIES.c.external_id == row["external_id"])
        connection.execute(update(IDENTITIES).where(here).values(told))


def _meet(
    connection: Connection, network: str, strangers: Sequence[_Seen], now: Instant
) -> dict[str, str] | None:
    """Write new customers and return them by external id; None when another page met one meanwhile.

    That one keeps the other page's customer.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    ids = [new_id("cu") for _ in strangers]
    connection.execute(
        dialect.insert(CUSTOMERS),
        [
            {"id": i, "name": s.author.name or s.author.handle, "created_at": now}
            for i, s in zip(ids, strangers, strict=True)
        ],
    )
    written = connection.execute(
        dialect.insert(IDENTITIES)
        .values(
            [
                {
                    "network": network,
                    "external_id": s.author.external_id,
                    "customer_id": i,
                    "wrote_privately": s.wrote_privately,
                    **{f: getattr(s.author, f) for f in _SHOWN},
                }
                for i, s in zip(ids, strangers, strict=True)
            ]
        )
        .on_conflict_do_nothing()
        .returning(IDENTITIES.c.external_id)
    ).all()
    if len(written) != len(strangers):
        return None
    return {s.author.external_id: i for i, s in zip(ids, strangers, strict=True)}


def get(connection: Connection, customer_id: str) -> RowMapping | None:
    return setup.find(connection, CUSTOMERS, customer_id)


def faces_of(connection: Connection, customer_ids: Collection[str]) -> dict[str, list[RowMapping]]:
    """Return the identities of several customers, by customer."""
    query = (
        select(IDENTITIES)
        .where(IDENTITIES.c.customer_id.in_(sorted(customer_ids)))
        .order_by(IDENTITIES.c.network, IDENTITIES.c.external_id)
    )
    found: dict[str, list[RowMapping]] = {one: [] for one in customer_ids}
    for row in connection.execute(query).mappings():
        found[row["customer_id"]].append(row)
    return found


def set_own_agent(connection: Connection, customer_id: str, agent_id: str | None) -> None:
    """Give the customer an agent of his own, or none.

    Raises:
        UnknownReference: there is no such agent.
    """
    setup.require_known(connection, AGENTS, "own_agent_id", [agent_id] if agent_id else [])
    owned = update(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)
    connection.execute(owned.values(own_agent_id=agent_id))


def set_tags(connection: Connection, customer_id: str, tags: Sequence[str]) -> None:
    """Say what kind of customer it is; routing rules may look at it."""
    tagged = update(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)
    connection.execute(tagged.values(tags=list(tags)))


def own_agents(connection: Connection, customer_ids: Collection[str]) -> dict[str, str]:
    """Return the own agents of those customers who have one."""
    query = select(CUSTOMERS.c.id, CUSTOMERS.c.own_agent_id).where(
        CUSTOMERS.c.id.in_(sorted(customer_ids)), CUSTOMERS.c.own_agent_id.is_not(None)
    )
    return {row.id: row.own_agent_id for row in connection.execute(query)}
