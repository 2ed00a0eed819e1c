"""Routing rules through the API: written, refused at their place, versioned, tried, explained."""

from typing import Any

import pytest

from tests.api.conftest import Caller, Floor, Json

REFUND: Json = {
    "name": "refunds",
    "when": {"fact": "post.text", "contains_any": ["refund"]},
    "then": [{"action": "set_priority", "priority": 90}],
}
ARRIVAL: Json = {"trigger": "arrival", "rules": [REFUND]}
POST: Json = {"external_id": "p-try", "author": {"external_id": "ada"}, "text": "A refund!"}


@pytest.fixture
async def floor(admin: Caller) -> Floor:
    return await Floor(admin).set_up()


async def test_rules_are_created_read_listed_changed_and_deleted(admin: Caller) -> None:
    made = await admin.ok("POST", "/rules", ARRIVAL)
    assert made["rules"] == [REFUND]
    assert (made["version"], made["enabled"], made["position"]) == (1, True, 0)
    await admin.ok("POST", "/rules", {"trigger": "ring_step", "rules": [], "name": "rings"})

    path = f"/rules/{made['id']}"
    assert await admin.ok("GET", path) == made
    assert len((await admin.ok("GET", "/rules"))["items"]) == 2
    (listed,) = (await admin.ok("GET", "/rules?trigger=arrival"))["items"]
    assert listed == made

    changed = await admin.ok("PATCH", path, {"rules": [], "enabled": False})
    assert (changed["version"], changed["rules"], changed["enabled"]) == (2, [], False)
    await admin.ok("DELETE", path)
    await admin.refused("GET", path, None, 404, "not_found")

    versions = (await admin.ok("GET", f"{path}/versions"))["items"]
    assert [(v["version"], v["rules"], v["enabled"]) for v in versions] == [
        (1, [REFUND], True),
        (2, [], False),
    ]
    await admin.refused("GET", "/rules/ru_none/versions", None, 404, "not_found")


async def test_versions_are_read_page_by_page(admin: Caller) -> None:
    path = f"/rules/{(await admin.ok('POST', '/rules', ARRIVAL))['id']}"
    for position in (1, 2):
        await admin.ok("PATCH", path, {"position": position})

    first = await admin.ok("GET", f"{path}/versions?limit=2")
    rest = await admin.ok("GET", f"{path}/versions?limit=2&cursor={first['next_cursor']}")

    seen = [v["version"] for page in (first, rest) for v in page["items"]]
    assert (seen, rest["next_cursor"]) == ([1, 2, 3], None)


async def test_every_mistake_is_told_with_its_place(admin: Caller) -> None:
    wrong = {
        "trigger": "arrival",
        "rules": [
            {
                "name": "wrong",
                "when": {"any": [{"fact": "post.text", "matches": "("}]},
                "then": [
                    {"action": "discard", "reason": "spam"},
                    {"action": "set_workgroup", "workgroup_id": "wg"},
                ],
            }
        ],
    }

    problem = await admin.refused("POST", "/rules", wrong, 422, "invalid_request")

    places = {".".join(map(str, e["loc"])): e["msg"] for e in problem["errors"]}
    assert set(places) == {"body.rules.0.when.any.0.matches", "body.rules.0.then"}
    assert "only tags go with a discard" in places["body.rules.0.then"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"trigger": "arrival"},
        {"trigger": "dawn", "rules": []},
        {"trigger": "arrival", "rules": {}},
        {"trigger": "arrival", "rules": [5]},
        {"trigger": "arrival", "rules": [], "more": 1},
        {"trigger": "arrival", "rules": [REFUND, REFUND]},
        {"trigger": "arrival", "rules": [{**REFUND, "when": {"all": [REFUND["when"]] * 64}}]},
        {
            "trigger": "transfer_conversation",
            "rules": [{**REFUND, "then": [{"action": "discard", "reason": "x"}]}],
        },
        {
            "trigger": "arrival",
            "rules": [{**REFUND, "then": [{"action": "set_workgroup", "workgroup_id": "wg_0"}]}],
        },
    ],
)
async def test_bad_rules_are_refused(admin: Caller, body: Any) -> None:
    answer = await admin.call("POST", "/rules", body)

    assert answer.status_code == 422, answer.text


async def test_a_patch_that_makes_rules_invalid_changes_nothing(admin: Caller) -> None:
    made = await admin.ok("POST", "/rules", ARRIVAL)
    path = f"/rules/{made['id']}"

    for patch in ({"rules": [{"name": "x"}]}, {"trigger": "ring_step"}):
        answer = await admin.call("PATCH", path, patch)
        assert answer.status_code == 422, answer.text

    assert await admin.ok("GET", path) == made


async def test_a_change_may_be_meant_for_one_version_only(admin: Caller) -> None:
    made = await admin.ok("POST", "/rules", ARRIVAL)
    headers = {"Authorization": f"Bearer {admin.key}", "If-Match": '"7"'}

    answer = await admin.http.patch(
        f"/api/v1/rules/{made['id']}", json={"enabled": False}, headers=headers
    )

    assert answer.status_code == 412


async def test_a_repeated_creation_is_answered_alike(admin: Caller) -> None:
    first, again = [await admin.call("POST", "/rules", ARRIVAL, key="k1") for _ in range(2)]

    assert first.json() == again.json()
    assert len((await admin.ok("GET", "/rules"))["items"]) == 1


async def test_rules_route_what_comes_in_and_the_decisions_tell_why(floor: Floor) -> None:
    made = await floor.admin.ok("POST", "/rules", ARRIVAL)
    agent = await floor.agent()
    (conversation_id,) = set((await floor.post("ada", "A refund"))["conversation_ids"].values())

    conversation = await agent.ok("GET", f"/conversations/{conversation_id}")
    assert conversation["priority"] == 90
    decisions = (await agent.ok("GET", f"/conversations/{conversation_id}/decisions"))["items"]
    by_kind = {d["kind"]: d for d in decisions}
    assert set(by_kind) == {"rules", "match"}
    told = by_kind["rules"]["rules"]
    assert (told["rule_set_id"], told["fired"]) == (made["id"], ["refunds"])
    assert told["rules"][0]["when"]["matched"] == ["refund"]
    assert by_kind["rules"]["workgroup_id"] == floor.workgroup
    assert by_kind["match"]["rules"] is None


async def test_what_rules_said_comes_out_again_byte_for_byte(floor: Floor) -> None:
    first = await floor.admin.ok("POST", "/rules", ARRIVAL)
    taken = await floor.post("ada", "A refund", location={"lat": 48.2, "lon": 16.4})
    (conversation_id,) = set(taken["conversation_ids"].values())
    await floor.admin.ok("PATCH", f"/rules/{first['id']}", {"rules": []})
    await floor.admin.ok("DELETE", f"/rules/{first['id']}")

    path = f"/conversations/{conversation_id}/decisions?evaluate=true"
    (told,) = [d for d in (await floor.admin.ok("GET", path))["items"] if d["kind"] == "rules"]

    assert told["evaluated"] == {"is_reproduced": True, "agent": None}
    assert "A refund" not in str(told["rules"]["facts"])


async def test_a_discarded_arrival_is_a_conversation_with_its_post(floor: Floor) -> None:
    spam = {**REFUND, "then": [{"action": "discard", "reason": "an advert"}]}
    await floor.admin.ok("POST", "/rules", {"trigger": "arrival", "rules": [spam]})
    (conversation_id,) = set((await floor.post("ada", "A refund"))["conversation_ids"].values())

    conversation = await floor.admin.ok("GET", f"/conversations/{conversation_id}")
    assert (conversation["state"], conversation["ended_by"]) == ("discarded", "routing_rules")
    timeline = (await floor.admin.ok("GET", f"/conversations/{conversation_id}/timeline"))["items"]
    assert [entry["kind"] for entry in timeline].count("post") == 1


async def test_the_author_may_be_verified_and_the_location_have_a_region(floor: Floor) -> None:
    both = {
        "all": [
            {"fact": "author.verified", "equals": True},
            {"fact": "location.region", "equals": "Styria"},
        ]
    }
    await floor.admin.ok(
        "POST", "/rules", {"trigger": "arrival", "rules": [{**REFUND, "when": both}]}
    )
    author = {"external_id": "ada", "verified": True}
    taken = await floor.post("ada", "Hi", author=author, location={"region": "Styria"})
    (conversation_id,) = set(taken["conversation_ids"].values())

    assert (await floor.admin.ok("GET", f"/conversations/{conversation_id}"))["priority"] == 90


async def test_a_customers_tags_are_set_read_and_looked_at(floor: Floor) -> None:
    tagged = {**REFUND, "when": {"fact": "customer.tags", "contains_any": ["vip"]}}
    await floor.admin.ok("POST", "/rules", {"trigger": "arrival", "rules": [tagged]})
    (first,) = set((await floor.post("ada"))["conversation_ids"].values())
    customer = (await floor.admin.ok("GET", f"/conversations/{first}"))["customer"]["id"]

    card = await floor.admin.ok("PATCH", f"/customers/{customer}", {"tags": ["vip", "vip"]})

    assert card["tags"] == ["vip"]
    assert await floor.admin.ok("GET", f"/customers/{customer}") == card
    answer = await floor.admin.call("PATCH", f"/customers/{customer}", {"tags": [" x"]})
    assert answer.status_code == 422


async def test_a_workgroup_that_rules_name_cannot_be_deleted(floor: Floor) -> None:
    group = await floor.admin.ok("POST", "/workgroups", {"name": "named by a rule"})
    moved = {**REFUND, "then": [{"action": "set_workgroup", "workgroup_id": group["id"]}]}
    made = await floor.admin.ok("POST", "/rules", {"trigger": "arrival", "rules": [moved]})
    path = f"/workgroups/{group['id']}"

    problem = await floor.admin.refused("DELETE", path, None, 409, "in_use")
    assert "routing rules" in problem["detail"]

    await floor.admin.ok("DELETE", f"/rules/{made['id']}")
    await floor.admin.ok("DELETE", path)


async def test_an_agent_whom_rules_name_cannot_be_deleted(floor: Floor) -> None:
    agent = await floor.admin.ok("POST", "/agents", {"username": "kim", "name": "kim"})
    prefers = {**REFUND, "then": [{"action": "prefer_agent", "agent_id": agent["id"]}]}
    await floor.admin.ok("POST", "/rules", {"trigger": "arrival", "rules": [prefers]})

    await floor.admin.refused("DELETE", f"/agents/{agent['id']}", None, 409, "in_use")


async def test_a_dry_run_changes_nothing(floor: Floor) -> None:
    made = await floor.admin.ok("POST", "/rules", {**ARRIVAL, "enabled": False})
    path = f"/rules/{made['id']}/test"

    tried = await floor.admin.ok("POST", path, {"channel_id": floor.channel, "post": POST})

    assert tried["rules"]["fired"] == ["refunds"]
    assert tried["rules"]["after"]["priority"] == 90
    assert tried["rules"]["before"]["workgroup_id"] == floor.workgroup
    assert (await floor.admin.ok("GET", "/conversations"))["items"] == []


async def test_a_dry_run_on_a_conversation_tells_what_would_be(floor: Floor) -> None:
    (conversation_id,) = set((await floor.post("ada", "A refund"))["conversation_ids"].values())
    made = await floor.admin.ok("POST", "/rules", {**ARRIVAL, "enabled": False})
    path = f"/rules/{made['id']}/test"

    tried = await floor.admin.ok("POST", path, {"conversation_id": conversation_id})

    assert tried["rules"]["fired"] == ["refunds"]
    assert (await floor.admin.ok("GET", f"/conversations/{conversation_id}"))["priority"] == 50


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"post": POST}, 422, "invalid_request"),
        ({"conversation_id": "cv_none"}, 404, "not_found"),
        ({"channel_id": "ch_none", "post": POST}, 404, "not_found"),
    ],
)
async def test_a_dry_run_on_nothing_is_refused(
    admin: Caller, body: Json, status: int, code: str
) -> None:
    made = await admin.ok("POST", "/rules", ARRIVAL)

    await admin.refused("POST", f"/rules/{made['id']}/test", body, status, code)


async def test_only_an_administrator_sees_rules(floor: Floor) -> None:
    agent = await floor.agent("agent", "supervisor", "integrator")

    await agent.refused("GET", "/rules", None, 403, "forbidden")
    await agent.refused("POST", "/rules", ARRIVAL, 403, "forbidden")
