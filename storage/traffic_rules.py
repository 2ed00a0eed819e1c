"""How other routing rules would have had the recorded arrivals opened."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, select

from acd.rule_actions import Routing
from acd.rules import RuleSet
from acd.simulated_people import Arrival
from conversations import commands as c
from conversations.model import Author, Post, Visibility
from storage.conversation_tables import PostRow
from storage.journal import Journal
from storage.rows import location_from, required_skills_from
from storage.rule_asking import ask, facts_of_opening
from storage.rule_records import Subject
from storage.setup_tables import ChannelRow

CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]


def routed(
    connection: Connection, arrivals: Sequence[Arrival], rule_set: RuleSet
) -> list[Arrival | None]:
    """Return the arrivals as these rules, instead of those in force, open them; None: discarded.

    Each begins as its channel has it today. One whose first post or channel is gone stays as it
    was.
    """
    posts = _first_posts(connection, arrivals)
    channels = {
        row["id"]: row
        for row in connection.execute(
            select(CHANNELS).where(CHANNELS.c.id.in_({a.opening.channel_id for a in arrivals}))
        ).mappings()
    }
    return [
        _routed(connection, arrival, posts, channels.get(arrival.opening.channel_id), rule_set)
        for arrival in arrivals
    ]


def _first_posts(connection: Connection, arrivals: Sequence[Arrival]) -> dict[str, Post]:
    ids = [arrival.opening.post_ids[0] for arrival in arrivals if arrival.opening.post_ids]
    rows = connection.execute(select(POSTS).where(POSTS.c.id.in_(ids))).mappings()
    return {row["id"]: _post(row) for row in rows}


def _post(row: RowMapping) -> Post:
    return Post(
        external_id=row["external_id"],
        author=Author(**row["author"]),
        text=row["text"],
        created_at=row["created_at"],
        visibility=Visibility(row["visibility"]),
        media=tuple(row["media"]),
        language=row["language"],
        location=location_from(row["location"]),
        source_application=row["source_application"],
    )


def _routed(
    connection: Connection,
    arrival: Arrival,
    posts: Mapping[str, Post],
    channel: RowMapping | None,
    rule_set: RuleSet,
) -> Arrival | None:
    opening = arrival.opening
    post = posts.get(opening.post_ids[0]) if opening.post_ids else None
    if post is None or channel is None:
        return arrival
    base = replace(
        opening,
        workgroup_id=channel["workgroup_id"],
        priority=channel["priority"],
        required_skills=required_skills_from(channel["required_skills"]),
        preferred_skills=(),
        tags=(),
    )
    facts = facts_of_opening(Journal(connection, arrival.at), (rule_set,), base, post)
    before = Routing(
        base.workgroup_id,
        base.priority,
        base.required_skills,
        base.preferred_skills,
        base.preferred_agent_id,
        base.tags,
    )
    after = ask((rule_set,), facts, before, Subject(opening.conversation_id)).routing
    return None if after.discard_reason is not None else _opened_as(arrival, base, after)


def _opened_as(arrival: Arrival, base: c.Opening, routing: Routing) -> Arrival:
    opening = replace(
        base,
        workgroup_id=routing.workgroup_id,
        priority=routing.priority,
        required_skills=routing.required_skills,
        preferred_skills=routing.preferred_skills,
        preferred_agent_id=routing.preferred_agent_id,
        tags=routing.tags,
    )
    return Arrival(arrival.at, opening)
