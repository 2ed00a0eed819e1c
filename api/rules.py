"""Routing rules: sets of typed condition trees with actions, every version of them, a dry run."""

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, model_validator
from sqlalchemy import Connection, RowMapping

from acd.rule_facts import Trigger
from acd.rule_reading import MOST_RULES, read_rules
from acd.rules import RuleSet
from api.context import ContextOf
from api.errors import not_found
from api.fields import Body, Id, Name, Shape, Stamp, plain, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.posts import PostBody, post_of
from api.routes import CHANGES, COMMANDS, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from storage import clock, rule_trials, rules

router = new_router("rules")

KIND = "rule set"


class RuleSetBody(Body):
    """An ordered list of rules that is asked at one trigger."""

    trigger: Annotated[
        Trigger, Field(strict=False, description="When they are asked; never changes")
    ]
    rules: Annotated[
        list[dict[str, Any]],
        Field(
            max_length=MOST_RULES,
            description="Asked in their order: {name, when, then, stop}; docs/routing-rules.md",
            examples=[
                [
                    {
                        "name": "Refunds in German",
                        "when": {
                            "all": [
                                {"fact": "post.language", "equals": "de"},
                                {"fact": "post.text", "contains_any": ["refund", "Erstattung"]},
                            ]
                        },
                        "then": [
                            {"action": "raise_priority", "by": 20},
                            {"action": "require_skill", "skill_from": "post.language"},
                        ],
                    }
                ]
            ],
        ),
    ]
    name: Name | None = None
    position: Annotated[
        int, Field(ge=0, le=1_000, description="Sets of one trigger are asked in this order")
    ] = 0
    enabled: bool = True


class RuleSetShape(RuleSetBody):
    id: Id
    version: int
    created_at: Stamp


class RuleSetVersionShape(Shape):
    version: int
    trigger: Trigger
    rules: list[dict[str, Any]]
    enabled: bool
    at: Stamp


class TrialBody(Body):
    """What the rules are tried on: a conversation, or a post as it would reach a channel."""

    conversation_id: Id | None = None
    channel_id: Id | None = None
    post: PostBody | None = None

    @model_validator(mode="after")
    def _be_one_of_two(self) -> "TrialBody":
        is_post = self.post is not None and self.channel_id is not None
        if is_post is (self.conversation_id is not None):
            raise ValueError("name either a conversation_id, or a channel_id with a post")
        return self


class TrialShape(Shape):
    """What the rules would do; nothing was changed."""

    at: Stamp
    rules: Annotated[dict[str, Any], Field(description="As a decision record of kind rules has it")]


def _read(body: RuleSetBody) -> RuleSet:
    """Read the rules of a body.

    Raises:
        RequestValidationError: they are not valid; each mistake stands at its place.
    """
    reading = read_rules(body.rules, body.trigger, ("body", "rules"))
    if reading.faults:
        raise RequestValidationError(
            [
                {"loc": fault.path, "msg": fault.reason, "type": "routing_rule"}
                for fault in reading.faults
            ]
        )
    return RuleSet(body.trigger, reading.rules)


def _body_of(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in RuleSetBody.model_fields}


def _shape(row: RowMapping) -> dict[str, Any]:
    created_at = rfc3339(row["created_at"])
    return {"id": row["id"], **_body_of(row), "version": row["version"], "created_at": created_at}


@router.post("/rules", status_code=201, response_model=RuleSetShape, responses=CREATES)
async def create_rules(body: RuleSetBody, once: Carried) -> Response:
    """Create a set of rules; enabled ones count from the commit on."""
    read = _read(body)

    def create(connection: Connection) -> Answer:
        rule_set_id = rules.create(connection, plain(body), read)
        return Answer(201, _shape(found(rules.get(connection, rule_set_id), KIND, rule_set_id)))

    return await once.run(create)


@router.get("/rules", response_model=Listing[RuleSetShape], responses=READS)
async def list_rules(
    context: ContextOf, window: Asked, trigger: Annotated[Trigger | None, Query()] = None
) -> dict[str, Any]:
    """List sets of rules by creation."""
    page = await context.database.read(lambda k: rules.listed(k, window, trigger))
    return listing([_shape(row) for row in page.rows], page.next)


@router.get("/rules/{rule_set_id}", response_model=RuleSetShape, responses=READS_ONE)
async def get_rules(rule_set_id: str, context: ContextOf) -> Response:
    """Read a set of rules; its version is the `ETag`."""
    row = await context.database.read(lambda k: rules.get(k, rule_set_id))
    return with_etag(_shape(found(row, KIND, rule_set_id)))


@router.patch(
    "/rules/{rule_set_id}",
    response_model=RuleSetShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(RuleSetBody),
)
async def change_rules(
    rule_set_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change a set of rules; effective at once, and the version before stays readable."""

    def change(connection: Connection) -> dict[str, Any]:
        row = found(rules.lock(connection, rule_set_id), KIND, rule_set_id)
        require_version(row, if_match)
        body = patched(RuleSetBody, _body_of(row), patch)
        rules.change(connection, row, plain(body), _read(body))
        return _shape(found(rules.get(connection, rule_set_id), KIND, rule_set_id))

    return with_etag(await context.database.write(change))


@router.delete("/rules/{rule_set_id}", status_code=204, responses=DELETES)
async def delete_rules(rule_set_id: str, context: ContextOf) -> None:
    """Delete a set of rules; its versions stay, because decision records name them."""

    def remove(connection: Connection) -> None:
        found(rules.lock(connection, rule_set_id), KIND, rule_set_id)
        rules.remove(connection, rule_set_id)

    await context.database.write(remove)


@router.get(
    "/rules/{rule_set_id}/versions",
    response_model=Listing[RuleSetVersionShape],
    responses=READS_ONE,
)
async def list_rules_versions(
    rule_set_id: str, context: ContextOf, window: Asked
) -> dict[str, Any]:
    """List every version of a set, the first one first, also after its deletion."""

    def read(connection: Connection) -> dict[str, Any]:
        if not rules.exists(connection, rule_set_id):
            raise not_found(KIND, rule_set_id)
        page = rules.versions(connection, rule_set_id, window)
        return listing([_version_shape(row) for row in page.rows], page.next)

    return await context.database.read(read)


def _version_shape(row: RowMapping) -> dict[str, Any]:
    kept = {name: row[name] for name in ("version", "trigger", "rules", "enabled")}
    return {**kept, "at": rfc3339(row["at"])}


@router.post("/rules/{rule_set_id}/test", response_model=TrialShape, responses=COMMANDS)
async def test_rules(rule_set_id: str, body: TrialBody, once: Carried) -> Response:
    """Ask a set, enabled or not, about a conversation or a post; nothing is changed."""

    def ask(connection: Connection) -> Answer:
        row = found(rules.get(connection, rule_set_id), KIND, rule_set_id)
        now = clock.now(connection)
        if body.post is None:
            subject = f"conversation {body.conversation_id}"
            record = rule_trials.on_conversation(connection, row, str(body.conversation_id))
        else:
            subject = f"channel {body.channel_id}"
            post = post_of(body.post, now)
            record = rule_trials.on_post(connection, row, str(body.channel_id), post)
        if record is None:
            raise not_found("conversation or channel", subject)
        return Answer(200, {"at": rfc3339(now), "rules": record})

    return await once.run(ask)
