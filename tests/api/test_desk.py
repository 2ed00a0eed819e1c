"""What the desk keeps on the server: drafts, canned replies, and who else is there."""

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from api.canned_replies import CannedReplyBody, RenderedShape
from api.drafts import DraftBody, DraftShape
from api.onlookers import OnlookerShape
from settings import Settings
from tests.api.conftest import Caller, Floor, Json
from tests.test_routing_documentation import API, section

EMPTY: dict[str, Any] = {
    "text": "",
    "visibility": None,
    "in_reply_to": None,
    "attachments": [],
    "updated_at": None,
    "version": 0,
}


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def put(agent: Caller, opened: str, body: Any, if_match: int) -> httpx.Response:
    headers = {"Authorization": f"Bearer {agent.key}", "If-Match": f'"{if_match}"'}
    return await agent.http.put(f"/api/v1/conversations/{opened}/draft", json=body, headers=headers)


async def test_a_draft_lives_until_it_is_thrown_away(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/draft"
    assert await agent.ok("GET", path) == {"conversation_id": opened, **EMPTY}

    body = {"text": "Dear\n  ", "visibility": "private", "in_reply_to": "p_1"}
    kept = await agent.ok("PUT", path, body)
    assert kept.items() >= body.items()
    assert await agent.ok("GET", path) == kept
    again = await agent.ok("PUT", path, {"text": ""})
    assert (again["text"], again["visibility"], again["version"] > kept["version"]) == (
        "",
        None,
        True,
    )
    for _ in range(2):
        await agent.ok("DELETE", path)
    assert (await agent.ok("GET", path))["version"] == 0


async def test_a_draft_is_read_by_nobody_else(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    colleague, stranger = await floor.agent(), await floor.agent(member=False)
    path = f"/conversations/{opened}/draft"
    await agent.ok("PUT", path, {"text": "canary"})

    assert (await colleague.ok("GET", path))["text"] == ""
    await colleague.ok("DELETE", path)
    await floor.admin.refused("GET", path, None, 403, "forbidden")
    for method, body in (("GET", None), ("PUT", {"text": "x"}), ("DELETE", None)):
        await stranger.refused(method, path, body, 404, "not_found")
    told = [
        await floor.admin.call("GET", f"/conversations/{opened}{rest}")
        for rest in ("", "/timeline", "/decisions")
    ]
    assert not [answer.text for answer in told if "canary" in answer.text]
    assert (await agent.ok("GET", path))["text"] == "canary"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "x" * 20_001},
        {"text": "x", "visibility": "secret"},
        {"text": "x", "in_reply_to": ""},
        {"text": "x", "note": "y"},
        {"text": "NUL \x00"},
    ],
)
async def test_a_draft_that_could_be_no_reply_is_422(floor: Floor, body: Json) -> None:
    opened, agent = await floor.connect("customer")

    answer = await agent.call("PUT", f"/conversations/{opened}/draft", body)

    assert answer.status_code == 422


async def test_a_reply_ends_the_draft_that_it_was_made_from(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/draft"
    kept = await agent.ok("PUT", path, {"text": "Here you are"})

    await agent.ok("POST", f"/conversations/{opened}/replies", {"text": "by a program"})
    assert await agent.ok("GET", path) == kept
    reply = {"text": "Here you are", "from_draft": True}
    await agent.ok("POST", f"/conversations/{opened}/replies", reply)
    assert await agent.ok("GET", path) == {"conversation_id": opened, **EMPTY}


async def test_a_refused_reply_leaves_the_draft(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/draft"
    kept = await agent.ok("PUT", path, {"text": "Here you are"})
    await agent.ok("POST", f"/conversations/{opened}/hold", {})

    reply = {"text": "Here you are", "from_draft": True}
    await agent.refused("POST", f"/conversations/{opened}/replies", reply, 409, "conversation_held")

    assert await agent.ok("GET", path) == kept


async def test_words_on_their_way_do_not_bring_back_what_was_sent(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/draft"
    first = await put(agent, opened, {"text": "Here you"}, 0)
    assert (first.status_code, first.headers["etag"]) == (200, f'"{first.json()["version"]}"')
    reply = {"text": "Here you are", "from_draft": True}
    await agent.ok("POST", f"/conversations/{opened}/replies", reply)

    late = await put(agent, opened, {"text": "Here you are"}, first.json()["version"])

    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    assert (await agent.ok("GET", path))["version"] == 0
    next_one = await put(agent, opened, {"text": "And"}, 0)
    assert next_one.json()["version"] > first.json()["version"]


async def canned(floor: Floor, shortcut: str, text: str, **fields: Any) -> str:
    body = {"shortcut": shortcut, "text": text, **fields}
    return str((await floor.admin.ok("POST", "/canned-replies", body))["id"])


async def shortcuts(caller: Caller, query: str = "") -> list[str]:
    listed = await caller.ok("GET", f"/canned-replies{query}")
    return [one["shortcut"] for one in listed["items"]]


async def test_a_canned_reply_lives_as_set_up_resources_do(floor: Floor) -> None:
    admin = floor.admin
    body: Json = {"shortcut": "Late", "text": "Sorry, {customer_name}!", "language": "en"}
    body |= {"workgroups": [floor.workgroup]}
    made = await admin.ok("POST", "/canned-replies", body)
    path = f"/canned-replies/{made['id']}"
    assert made.items() >= {**body, "version": 1}.items()
    assert await admin.ok("GET", path) == made

    headers = {"Authorization": f"Bearer {admin.key}", "If-Match": '"1"'}
    patch = {"text": "So sorry", "workgroups": None}
    changed = await admin.http.patch(f"/api/v1{path}", json=patch, headers=headers)
    stale = await admin.http.patch(f"/api/v1{path}", json=patch, headers=headers)
    assert changed.json().items() >= {"text": "So sorry", "workgroups": [], "version": 2}.items()
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    await admin.ok("DELETE", path)
    for method in ("GET", "DELETE"):
        await admin.refused(method, path, None, 404, "not_found")


async def test_a_key_makes_one_canned_reply(admin: Caller) -> None:
    body = {"shortcut": "late", "text": "Sorry"}

    answers = await asyncio.gather(
        *(admin.call("POST", "/canned-replies", body, key="once") for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_shortcut_is_taken_once_in_a_language(floor: Floor) -> None:
    admin = floor.admin
    await canned(floor, "late", "Sorry")
    german = await canned(floor, "late", "Verzeihung", language="de")
    taken = {"shortcut": "LATE", "text": "Sorry"}

    await admin.refused("POST", "/canned-replies", taken, 409, "name_taken")
    change = {"language": None}
    await admin.refused("PATCH", f"/canned-replies/{german}", change, 409, "name_taken")
    answers = await asyncio.gather(
        *(admin.call("POST", "/canned-replies", {**taken, "shortcut": "new"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert (await admin.ok("GET", f"/canned-replies/{german}"))["language"] == "de"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": "Hi {first_name}"}, "{first_name} is no variable"),
        ({"text": " "}, "pattern"),
        ({"shortcut": "two words"}, "pattern"),
        ({"shortcut": "/late"}, "pattern"),
        ({"language": "not a language"}, "pattern"),
        ({"subject": "x"}, "Extra"),
    ],
)
async def test_a_mistake_in_a_canned_reply_is_told_at_its_field(
    admin: Caller, wrong: Json, said: str
) -> None:
    body = {"shortcut": "late", "text": "Sorry", **wrong}

    problem = await admin.refused("POST", "/canned-replies", body, 422, "invalid_request")

    (error,) = problem["errors"]
    assert error["loc"] == ["body", *wrong]
    assert said in error["msg"]


async def test_a_workgroup_that_does_not_exist_gets_none(floor: Floor) -> None:
    body = {"shortcut": "late", "text": "Sorry", "workgroups": ["wg_none"]}

    await floor.admin.refused("POST", "/canned-replies", body, 422, "unknown_reference")

    assert await shortcuts(floor.admin) == []


async def test_agents_find_those_of_their_workgroups_by_beginnings(floor: Floor) -> None:
    other = await Floor(floor.admin).set_up()
    agent = await floor.agent()
    await canned(floor, "parcel", "It is on its way", workgroups=[floor.workgroup])
    await canned(floor, "thanks", "Thank you for the Parcel, Größe 5_0%")
    theirs = await canned(floor, "parking", "Not ours", workgroups=[other.workgroup])
    await canned(floor, "both", "x", workgroups=[floor.workgroup, other.workgroup], language="de")

    assert await shortcuts(agent) == ["both", "parcel", "thanks"]
    assert await shortcuts(agent, "?q=PARC") == ["parcel", "thanks"], "shortcuts come first"
    assert await shortcuts(agent, "?q=grösse%205") == ["thanks"]
    assert await shortcuts(agent, "?q=p%25") == ["thanks"], "signs are no part of words"
    for nothing in ("arcel", "par_", "way parcel", "!"):
        assert await shortcuts(agent, f"?q={nothing}") == []
    assert await shortcuts(floor.admin, "?q=par") == ["parcel", "parking", "thanks"]
    of_other = f"?workgroup_id={other.workgroup}"
    assert await shortcuts(floor.admin, of_other) == ["both", "parking", "thanks"]
    assert await shortcuts(agent, of_other) == ["both", "thanks"]
    assert await shortcuts(agent, "?language=DE") == ["both", "parcel", "thanks"]
    assert await shortcuts(agent, "?language=EN") == ["parcel", "thanks"]
    await agent.refused("GET", f"/canned-replies/{theirs}", None, 404, "not_found")
    await agent.refused("POST", "/canned-replies", {}, 403, "forbidden")


async def test_pages_of_canned_replies_hold_each_once(floor: Floor) -> None:
    for number in range(7):
        await canned(floor, f"a{number}", "aa" if number % 2 else "words")
    await canned(floor, "zz", "a word")
    seen: list[str] = []
    cursor = ""
    while True:
        page = await floor.admin.ok("GET", f"/canned-replies?q=a&limit=3{cursor}")
        seen += [one["shortcut"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == [*(f"a{number}" for number in range(7)), "zz"]


async def test_a_canned_reply_is_filled_in_as_plain_text(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    author = {"external_id": "c2", "name": "<b>{agent_name}</b>"}
    hostile = await floor.open("c2", author=author)
    me = await agent.ok("GET", "/agents/me")
    text = "Hi {customer_name}, {agent_name} here: {conversation_id} {}"
    path = f"/canned-replies/{await canned(floor, 'hi', text)}/render"

    filled = await agent.ok("POST", path, {"conversation_id": hostile})
    said = f"Hi <b>{{agent_name}}</b>, {me['name']} here: {hostile} {{}}"
    assert filled == {"text": said, "missing": []}
    nameless = await agent.ok("POST", path, {"conversation_id": opened})
    assert nameless["missing"] == ["customer_name"]
    await agent.refused("POST", path, {"conversation_id": "cv_none"}, 404, "not_found")
    stranger = await floor.agent(member=False)
    await stranger.refused("POST", path, {"conversation_id": opened}, 404, "not_found")
    private = await Floor(floor.admin).set_up()
    other = await canned(floor, "other", "x", workgroups=[private.workgroup])
    theirs = f"/canned-replies/{other}/render"
    await agent.refused("POST", theirs, {"conversation_id": opened}, 404, "not_found")


async def test_a_workgroup_with_canned_replies_is_in_use(floor: Floor) -> None:
    other = await Floor(floor.admin).set_up()
    path = f"/workgroups/{other.workgroup}"
    await floor.admin.ok("DELETE", f"/channels/{other.channel}")
    made = await canned(floor, "late", "Sorry", workgroups=[other.workgroup])

    problem = await floor.admin.refused("DELETE", path, None, 409, "in_use")

    assert "canned replies" in problem["detail"]
    await floor.admin.ok("DELETE", f"/canned-replies/{made}")
    await floor.admin.ok("DELETE", path)


async def test_each_sees_who_else_is_at_the_conversation(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    colleague, stranger = await floor.agent(), await floor.agent(member=False)
    me = await agent.ok("GET", "/agents/me")
    path = f"/conversations/{opened}/presence"
    before = await floor.admin.ok("GET", f"/conversations/{opened}")
    assert (await agent.call("POST", path, {"activity": "typing"})).status_code == 204
    await floor.admin.ok("POST", path, {"activity": "looking"})

    seen = await colleague.ok("GET", path)
    assert [(one["agent_id"], one["name"], one["activity"]) for one in seen["items"]] == [
        (me["id"], me["name"], "typing"),
        (None, "administrator", "looking"),
    ]
    assert [one["agent_id"] for one in (await agent.ok("GET", path))["items"]] == [None]
    await agent.ok("POST", path, {"activity": "gone"})
    assert len((await colleague.ok("GET", path))["items"]) == 1
    assert await floor.admin.ok("GET", f"/conversations/{opened}") == before
    for method, body in (("GET", None), ("POST", {"activity": "looking"})):
        await stranger.refused(method, path, body, 404, "not_found")
    await agent.refused("POST", path, {"activity": "asleep"}, 422, "invalid_request")


async def test_presence_is_kept_with_no_key(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/presence"

    for activity in ("looking", "gone", "looking"):
        answer = await agent.call("POST", path, {"activity": activity}, key="same")
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (204, False)

    assert len((await floor.admin.ok("GET", path))["items"]) == 1


def test_the_documentation_names_every_field() -> None:
    shapes: dict[str, tuple[type[BaseModel], ...]] = {
        "Drafts": (DraftBody, DraftShape),
        "Canned replies": (CannedReplyBody, RenderedShape),
        "Who else is there": (OnlookerShape,),
    }

    for title, models in shapes.items():
        told = section(title, API)
        for model in models:
            missing = [name for name in model.model_fields if f"`{name}`" not in told]
            assert missing == [], title
