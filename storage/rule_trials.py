"""Dry runs of routing rules: what they would say, while nothing is changed."""

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from acd.rule_actions import Routing
from acd.rule_facts import RoutingFacts, Trigger
from acd.rule_reading import rule_set
from acd.rules import RuleSet
from conversations import commands as c
from conversations.model import Post
from storage import clock, conversations
from storage.conversation_tables import IdentityRow
from storage.ingest import Source, source_from
from storage.journal import Journal
from storage.rule_asking import ask, facts_of, facts_of_opening, location_of, routing_of
from storage.rule_records import Subject
from storage.setup_tables import AccountRow, ChannelRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]

NOBODY = ""


def on_conversation(
    connection: Connection, row: RowMapping, conversation_id: str
) -> dict[str, Any] | None:
    """Ask a set about a conversation as it is now; None when there is none."""
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        return None
    journal = Journal(connection, clock.now(connection))
    rules = _rules_of(row)
    facts, subject = facts_of(journal, [rules], conversation)
    return _record(rules, facts, routing_of(conversation), subject)


def on_post(
    connection: Connection, row: RowMapping, channel_id: str, post: Post
) -> dict[str, Any] | None:
    """Ask a set about a post as if it opened a conversation; None without such a channel."""
    query = select(CHANNELS).where(CHANNELS.c.id == channel_id)
    channel = connection.execute(query).mappings().one_or_none()
    if channel is None:
        return None
    network = select(ACCOUNTS.c.network).where(ACCOUNTS.c.id == channel["account_id"])
    source = source_from(channel, connection.execute(network).scalar_one())
    opening = _opening(connection, source, post)
    routing = Routing(
        opening.workgroup_id, opening.priority, required_skills=opening.required_skills
    )
    journal, rules = Journal(connection, clock.now(connection)), _rules_of(row)
    facts = facts_of_opening(journal, [rules], opening, post)
    return _record(rules, facts, routing, Subject(NOBODY))


def _rules_of(row: RowMapping) -> RuleSet:
    return rule_set(row["rules"], Trigger(row["trigger"]), set_id=row["id"], version=row["version"])


def _opening(connection: Connection, source: Source, post: Post) -> c.Opening:
    known = select(IDENTITIES.c.customer_id).where(
        IDENTITIES.c.network == source.network,
        IDENTITIES.c.external_id == post.author.external_id,
    )
    return c.Opening(
        conversation_id=NOBODY,
        network=source.network,
        account_id=source.account_id,
        channel_id=source.channel_id,
        workgroup_id=source.workgroup_id,
        customer_id=connection.execute(known).scalar_one_or_none() or NOBODY,
        affinity_key=NOBODY,
        affinity_window_s=source.affinity_window_s,
        priority=source.priority,
        visibility=post.visibility,
        required_skills=source.required_skills,
        post_ids=(NOBODY,),
        last_post_at=post.created_at,
        location=location_of(post),
    )


def _record(
    rules: RuleSet, facts: RoutingFacts, before: Routing, subject: Subject
) -> dict[str, Any]:
    ((_, record),) = ask([rules], facts, before, subject).records
    return record
