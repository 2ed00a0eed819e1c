"""The contract's manners: problems, idempotency keys, pages, versions, bounds."""

import asyncio

import pytest

from tests.api.conftest import Caller, Floor


async def test_every_answer_names_its_request(admin: Caller) -> None:
    ids = {
        (await admin.call("GET", path)).headers["x-request-id"]
        for path in ("/workgroups", "/conversations/none", "/nowhere")
    }

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/campaigns", 404, "not_found"),
        ("PUT", "/workgroups", 405, "method_not_allowed"),
        ("GET", "/conversations/none", 404, "not_found"),
        ("GET", "/workgroups?limit=201", 422, "invalid_request"),
        ("GET", "/workgroups?cursor=mine", 422, "unknown_cursor"),
        ("GET", "/conversations?state=ringing", 422, "invalid_request"),
    ],
)
async def test_mistakes_are_problems(
    admin: Caller, method: str, path: str, status: int, code: str
) -> None:
    problem = await admin.refused(method, path, None, status, code)

    assert problem["type"] == f"urn:parley:problem:{code}"
    assert {"title", "detail", "instance"} <= problem.keys()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "colour": "red"},
        {"name": ""},
        {},
        {"name": "x", "rings": [{}]},
        {"name": "x", "business_hours": {}},
        {"name": "x", "offer_timeout_s": "20"},
        {"name": "x", "utilization": {"social_conversation": {"percent": 101}}},
        {"name": "x", "utilization": {"carrier_pigeon": {"percent": 5}}},
        {"name": "x", "wrap_up": {"mode": "timeboxed"}},
        {"name": "NUL \x00"},
    ],
)
async def test_a_body_with_a_mistake_is_422_and_names_it(
    admin: Caller, body: dict[str, object]
) -> None:
    answer = await admin.call("POST", "/workgroups", body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "raw",
    [b"{", b'{"name": NaN}', b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 5_000, b"7" * 6_000],
)
async def test_hostile_json_is_422(admin: Caller, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {admin.key}", "Content-Type": "application/json"}

    answer = await admin.http.post("/api/v1/workgroups", content=raw, headers=headers)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_beyond_its_bound_is_413_and_other_types_are_415(admin: Caller) -> None:
    await admin.refused("POST", "/workgroups", {"name": "x" * 2_000_000}, 413, "content_too_large")
    headers = {"Authorization": f"Bearer {admin.key}", "Content-Type": "text/plain"}
    answer = await admin.http.post("/api/v1/workgroups", content=b"{}", headers=headers)
    assert answer.status_code == 415


async def test_a_key_is_one_command(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies"

    answers = await asyncio.gather(
        *(agent.call("POST", path, {"text": "once"}, key="k1") for _ in range(20))
    )

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await agent.call("POST", path, {"text": "twice"}, key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    replayed = await agent.call("POST", path, {"text": "once"}, key="k1")
    assert replayed.headers["idempotency-replayed"] == "true"


async def test_a_refusal_is_kept_with_its_key_and_a_mistake_is_not(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    async def command(name: str, body: object) -> int:
        path = f"/conversations/{opened}/{name}"
        return (await agent.call("POST", path, body, key=name)).status_code

    assert await command("resume", {}) == 409
    await agent.ok("POST", f"/conversations/{opened}/hold", {})
    assert await command("resume", {}) == 409
    assert await command("hold", {"why": "typing error"}) == 422
    await agent.ok("POST", f"/conversations/{opened}/resume", {})
    assert await command("hold", {}) == 200


async def test_a_key_belongs_to_its_principal(floor: Floor) -> None:
    first, one = await floor.connect("one")
    second, two = await floor.connect("two")

    answers = [
        await one.call("POST", f"/conversations/{first}/hold", {}, key="same"),
        await two.call("POST", f"/conversations/{second}/hold", {}, key="same"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_created_key_is_shown_once(floor: Floor) -> None:
    agent = await floor.agent()
    path = f"/agents/{(await agent.ok('GET', '/agents/me'))['id']}/keys"

    first = await floor.admin.call("POST", path, {}, key="make")
    again = await floor.admin.call("POST", path, {}, key="make")

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "key_already_shown")


async def test_pages_stay_stable_while_rows_are_added(floor: Floor) -> None:
    opened = [await floor.open(f"c{n}") for n in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await floor.admin.ok("GET", f"/conversations?limit=2{cursor}")
        seen += [conversation["id"] for conversation in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        if len(seen) == 2:
            opened.append(await floor.open("late"))

    assert seen == opened


async def test_a_merge_patch_changes_what_it_names_and_guards_its_version(floor: Floor) -> None:
    path = f"/workgroups/{floor.workgroup}"
    before = await floor.admin.ok("GET", path)

    headers = {"Authorization": f"Bearer {floor.admin.key}", "If-Match": f'"{before["version"]}"'}
    body = {"offer_timeout_s": 33, "wrap_up": {"mode": "optional"}}
    changed = await floor.admin.http.patch(f"/api/v1{path}", json=body, headers=headers)
    stale = await floor.admin.http.patch(f"/api/v1{path}", json=body, headers=headers)

    assert changed.json()["offer_timeout_s"] == 33
    assert changed.json()["name"] == before["name"]
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    await floor.admin.refused("PATCH", path, {"colour": "red"}, 422, "invalid_request")


async def test_what_is_in_use_is_not_deleted(floor: Floor) -> None:
    await floor.open("customer")

    await floor.admin.refused("DELETE", f"/workgroups/{floor.workgroup}", None, 409, "in_use")
    await floor.admin.refused("DELETE", f"/channels/{floor.channel}", None, 409, "in_use")


async def test_secrets_go_in_and_never_come_out(admin: Caller) -> None:
    body = {
        "network": "webhook",
        "name": "brand",
        "settings": {"reply_url": "http://x/", "secret": "whsec_canary"},
        "credentials": {"token": "canary-token"},
    }
    made = await admin.ok("POST", "/accounts", body)
    answers = [
        (await admin.call("GET", f"/accounts/{made['id']}")).text,
        (await admin.call("GET", "/accounts")).text,
        (await admin.call("PATCH", f"/accounts/{made['id']}", {"name": "other"})).text,
    ]

    assert not [text for text in answers if "canary" in text]
    assert made["secrets_set"] == ["secret", "token"]


async def test_probes_and_metrics_answer_without_a_key(admin: Caller) -> None:
    assert (await admin.http.get("/livez")).json() == {"status": "ok"}
    ready = await admin.http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "parley_http_request_duration_seconds" in (await admin.http.get("/metrics")).text
