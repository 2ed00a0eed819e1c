"""What routing rules looked at, kept beside what they said: enough to ask them again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from acd.rule_actions import Routing
from acd.rule_facts import ConversationFacts, CustomerFacts, PostFacts, RoutingFacts, Trigger
from acd.rule_reading import rule_set
from acd.rule_trace import as_record
from acd.rules import RuleSet, Verdict, evaluate
from conversations.model import Author, MediaType, Post, RequiredSkill, Visibility
from storage.conversation_tables import PostRow
from storage.rows import location_from
from storage.setup_tables import RuleSetVersionRow

POSTS = PostRow.__table__  # type: ignore[attr-defined]
VERSIONS = RuleSetVersionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules are asked about: a conversation, and the post of which they see the text."""

    conversation_id: str
    post_id: str | None = None


def record_of(
    verdict: Verdict, facts: RoutingFacts, before: Routing, subject: Subject
) -> dict[str, Any]:
    """Return the record of one set: what it said, and what it said it of."""
    return {**as_record(verdict, before), "facts": _facts_values(facts, subject.post_id)}


def _facts_values(facts: RoutingFacts, post_id: str | None) -> dict[str, Any]:
    """Write facts as plain values; of the post only the id, its words stay where they are."""
    return {
        "now": facts.now,
        "media_type": facts.media_type.value,
        **{name: getattr(facts, name) for name in ("network", "account_id", "channel_id")},
        "conversation": {
            **asdict(facts.conversation),
            "tags": sorted(facts.conversation.tags),
        },
        "customer": {**asdict(facts.customer), "tags": sorted(facts.customer.tags)},
        "location": asdict(facts.location) if facts.location else None,
        "is_open": dict(facts.is_open),
        "places": {row_id: asdict(place) for row_id, place in facts.places.items()},
        "post_id": post_id,
    }


def is_reproduced(connection: Connection, record: Mapping[str, Any]) -> bool | None:
    """Whether the same rules, asked again about the same facts, say the same, byte for byte.

    None where what they were asked about is not kept any more.
    """
    kept, rules = record.get("facts"), _rules_of(connection, record)
    if kept is None or rules is None:
        return None
    post = post_facts(connection, kept["post_id"])
    if post is None and kept["post_id"] is not None:
        return None
    facts, before = _facts_from(kept, post), _routing_from(record["before"])
    again = {**record, **as_record(evaluate(rules, facts, before), before)}
    return json.dumps(again, sort_keys=True) == json.dumps(dict(record), sort_keys=True)


def _rules_of(connection: Connection, record: Mapping[str, Any]) -> RuleSet | None:
    version = record["rule_set_version"]
    query = select(VERSIONS).where(
        VERSIONS.c.rule_set_id == record["rule_set_id"], VERSIONS.c.version == version
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    try:
        return rule_set(
            row["rules"], Trigger(row["trigger"]), set_id=row["rule_set_id"], version=version
        )
    except ValueError:
        return None


def _facts_from(kept: Mapping[str, Any], post: PostFacts | None) -> RoutingFacts:
    conversation, customer = kept["conversation"], kept["customer"]
    places = {row_id: location_from(place) for row_id, place in kept["places"].items()}
    return RoutingFacts(
        now=kept["now"],
        media_type=MediaType(kept["media_type"]),
        network=kept["network"],
        account_id=kept["account_id"],
        channel_id=kept["channel_id"],
        conversation=ConversationFacts(**{**conversation, "tags": frozenset(conversation["tags"])}),
        post=post,
        customer=CustomerFacts(**{**customer, "tags": frozenset(customer["tags"])}),
        location=location_from(kept["location"]),
        is_open=kept["is_open"],
        places={row_id: place for row_id, place in places.items() if place is not None},
    )


def _routing_from(kept: Mapping[str, Any]) -> Routing:
    skills = {
        name: tuple(RequiredSkill(**skill) for skill in kept[name])
        for name in ("required_skills", "preferred_skills")
    }
    return Routing(**{**kept, **skills, "tags": tuple(kept["tags"])})


def facts_of_post(post: Post) -> PostFacts:
    """Return what rules see of a post on its way in."""
    return PostFacts(
        text=post.text,
        visibility=post.visibility,
        author=post.author,
        has_media=bool(post.media),
        language=post.language,
        source_application=post.source_application,
    )


def post_facts(connection: Connection, post_id: str | None) -> PostFacts | None:
    """Return what rules see of a stored post, None when there is none."""
    query = select(POSTS).where(POSTS.c.id == post_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else facts_of_row(row)


def facts_of_row(row: RowMapping) -> PostFacts:
    return PostFacts(
        text=row["text"],
        visibility=Visibility(row["visibility"]),
        author=Author(**row["author"]),
        has_media=bool(row["media"]),
        language=row["language"],
        source_application=row["source_application"],
    )
