"""Attachments over HTTP: brought, looked at, named by a draft and a reply, thrown away."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.attachments import MOST_UNUSED, AttachedBody
from api.shapes import AttachmentShape
from connectors.webhook import WebhookConnector
from conversations.attachments import IMAGES, KNOWN, LARGEST_BYTES, AttachmentRule
from conversations.capabilities import Capabilities, CountingUnit, LengthRule
from conversations.model import Visibility
from conversations.networks import Account
from settings import Settings
from tests.api.conftest import Caller, Floor
from tests.test_routing_documentation import API, section

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PDF = b"%PDF-1.7\n"
TAKES = Capabilities(
    visibilities=frozenset(Visibility),
    attachments=AttachmentRule(most=2, media_types=IMAGES, most_bytes=500, longest_alt_text=20),
    private_attachments=AttachmentRule(most=1, media_types=frozenset({"application/pdf"})),
    caption_length=LengthRule(CountingUnit.CHARACTERS, 10),
    is_threaded=False,
)


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the accounts of the tests take files by rules that are easily broken."""

    def capabilities(_: WebhookConnector, account: Account) -> Capabilities:
        del account
        return TAKES

    monkeypatch.setattr(WebhookConnector, "capabilities", capabilities)


async def bring(
    agent: Caller,
    opened: str,
    content: bytes = PNG,
    name: str = "cat.png",
    key: str | None = None,
) -> httpx.Response:
    path = f"/api/v1/conversations/{opened}/attachments"
    headers = {"Authorization": f"Bearer {agent.key}", "Content-Type": "image/png"}
    headers |= {"Idempotency-Key": key} if key else {}
    return await agent.http.post(path, params={"name": name}, content=content, headers=headers)


async def brought(agent: Caller, opened: str, content: bytes = PNG, name: str = "cat.png") -> str:
    answer = await bring(agent, opened, content, name)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def refused(answer: httpx.Response, status: int, code: str) -> str:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    return str(problem["detail"])


async def reply(agent: Caller, opened: str, *ids: str, **more: Any) -> httpx.Response:
    body = {"text": "here", "attachments": [{"id": one} for one in ids], **more}
    return await agent.call("POST", f"/conversations/{opened}/replies", body)


async def test_a_file_goes_out_with_a_reply_and_can_be_looked_at(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    answer = await bring(agent, opened, name="a cat (über).png")
    file = answer.json()
    named = [{"id": file["id"], "alt_text": " a cat "}]

    sent = await agent.ok(
        "POST", f"/conversations/{opened}/replies", {"text": "look", "attachments": named}
    )

    meta = {"id": file["id"], "name": "a cat (über).png", "media_type": "image/png"}
    assert file == {**meta, "size_bytes": len(PNG), "alt_text": None}
    assert sent["attachments"] == [{**file, "alt_text": "a cat"}]
    assert (await agent.ok("GET", f"/replies/{sent['id']}"))["attachments"] == sent["attachments"]
    timeline = await agent.ok("GET", f"/conversations/{opened}/timeline")
    (said,) = [one["reply"] for one in timeline["items"] if one["kind"] == "reply"]
    assert said["attachments"] == sent["attachments"]
    shown = await agent.call("GET", f"/attachments/{file['id']}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert shown.headers["content-disposition"] == (
        "inline; filename*=UTF-8''a%20cat%20%28%C3%BCber%29.png"
    )
    assert "script-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"


async def test_before_it_is_sent_only_who_brought_it_sees_it(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    colleague, stranger = await floor.agent(), await floor.agent(member=False)
    file = await brought(agent, opened)
    path = f"/attachments/{file}"

    for other in (colleague, stranger, floor.admin):
        assert (await other.call("GET", path)).status_code in (403, 404)
    for other in (colleague, stranger):
        await other.refused("DELETE", path, None, 404, "not_found")
    assert (await reply(agent, opened, file)).status_code == 202
    assert (await colleague.call("GET", path)).status_code == 200
    assert (await stranger.call("GET", path)).status_code == 404
    nobody = Caller(agent.http, None)
    await nobody.refused("GET", path, None, 401, "unauthenticated")


async def test_what_it_is_its_bytes_say(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    pdf = await bring(agent, opened, PDF, "cat.png")
    page = await bring(agent, opened, b"<html><script>alert(1)</script>", "cat.png")
    empty = await bring(agent, opened, b"")

    assert pdf.json()["media_type"] == "application/pdf"
    saved = await agent.call("GET", f"/attachments/{pdf.json()['id']}")
    assert saved.headers["content-disposition"].startswith("attachment; ")
    detail = await refused(page, 415, "unsupported_media_type")
    assert all(kind in detail for kind in KNOWN)
    await refused(empty, 422, "empty_file")


@pytest.mark.parametrize(
    "name", ["", "a" * 151, "../cat.png", "a\\b.png", "a\nb.png", "a\u202egnp.exe", "a\0b"]
)
async def test_a_name_is_one_line_and_no_path(floor: Floor, name: str) -> None:
    opened, agent = await floor.connect("customer")

    assert (await bring(agent, opened, name=name)).status_code == 422


async def test_what_the_network_takes_in_no_way_is_refused_at_once(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    too_large = await bring(agent, opened, PNG + b"\0" * 500)
    film = await bring(agent, opened, b"\0\0\0\x18ftypisom", "cat.mp4")

    detail = await refused(too_large, 409, "attachments_not_taken")
    assert detail.endswith(f"it has {len(PNG) + 500} bytes, webhook takes 500")
    await refused(film, 409, "attachments_not_taken")


async def test_a_file_may_be_larger_than_other_bodies_but_not_without_end(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    below = await bring(agent, opened, PDF + b"\0" * (LARGEST_BYTES - len(PDF)), "a.pdf")
    above = await bring(agent, opened, PDF + b"\0" * LARGEST_BYTES, "a.pdf")

    assert below.json()["size_bytes"] == LARGEST_BYTES
    await refused(above, 413, "content_too_large")


async def test_the_rule_of_the_audience_is_kept(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    pictures = [await brought(agent, opened) for _ in range(3)]
    bill = await brought(agent, opened, PDF, "bill.pdf")

    too_many = await reply(agent, opened, *pictures)
    wrong = await reply(agent, opened, bill)
    too_long = await reply(agent, opened, pictures[0], text="a" * 11)

    assert "webhook takes 2 at most" in await refused(too_many, 409, "attachments_not_taken")
    assert "it is application/pdf" in await refused(wrong, 409, "attachments_not_taken")
    await refused(too_long, 409, "reply_too_long")
    assert (await reply(agent, opened, *pictures[:2])).status_code == 202


async def test_a_file_goes_out_once(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    elsewhere, other = await floor.connect("customer_2")
    file = await brought(agent, opened)

    twice = await reply(agent, opened, file, file)
    unknown = await reply(agent, opened, "at_none")
    foreign = await reply(other, elsewhere, file)
    first = await reply(agent, opened, file)
    again = await reply(agent, opened, file)
    gone = await agent.call("DELETE", f"/attachments/{file}")

    await refused(twice, 422, "attachment_named_twice")
    await refused(unknown, 422, "unknown_attachment")
    await refused(foreign, 422, "unknown_attachment")
    await refused(again, 409, "attachment_in_use")
    await refused(gone, 409, "attachment_in_use")
    assert first.status_code == 202


async def test_what_was_taken_back_can_go_with_another_reply(floor: Floor) -> None:
    undo = {"undo_window_s": 60}
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", undo)
    opened, agent = await floor.connect("customer")
    file = await brought(agent, opened)
    first = (await reply(agent, opened, file)).json()
    await agent.ok("POST", f"/replies/{first['id']}/undo", {})

    second = await reply(agent, opened, file)

    assert second.status_code == 202
    assert (await agent.ok("GET", f"/replies/{first['id']}"))["attachments"][0]["id"] == file
    await agent.refused("DELETE", f"/attachments/{file}", None, 409, "attachment_in_use")


async def test_a_repeated_call_brings_one_file(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    first = await bring(agent, opened, key="one")
    again = await bring(agent, opened, key="one")
    other = await bring(agent, opened, PNG + b"\1", key="one")

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    await refused(other, 422, "idempotency_key_reused")


async def test_nobody_fills_the_database_with_what_is_never_sent(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    files = [await brought(agent, opened) for _ in range(MOST_UNUSED)]

    await refused(await bring(agent, opened), 409, "too_many_attachments")
    await agent.ok("DELETE", f"/attachments/{files[0]}")
    await agent.refused("GET", f"/attachments/{files[0]}", None, 404, "not_found")
    assert (await bring(agent, opened)).status_code == 201


async def test_a_draft_remembers_its_files(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/draft"
    first, second = await brought(agent, opened), await brought(agent, opened, PNG, "dog.png")
    named = [{"id": second, "alt_text": "a dog"}, {"id": first}, {"id": "at_gone"}]

    kept = await agent.ok("PUT", path, {"text": "half", "attachments": named})

    assert [(one["id"], one["name"], one["alt_text"]) for one in kept["attachments"]] == [
        (second, "dog.png", "a dog"),
        (first, "cat.png", None),
    ]
    assert await agent.ok("GET", path) == kept
    await agent.ok("DELETE", f"/attachments/{first}")
    again = await agent.ok("PUT", path, {"text": "half", "attachments": named})
    assert [one["id"] for one in again["attachments"]] == [second]


async def test_the_rule_is_told_before_anybody_writes(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies/preview"

    public = await agent.ok("POST", path, {"text": "hello"})
    private = await agent.ok("POST", path, {"text": "", "visibility": "private"})
    captioned = await agent.ok("POST", path, {"text": "", "has_attachments": True})
    (webhook,) = [
        one for one in (await agent.ok("GET", "/networks"))["items"] if one["network"] == "webhook"
    ]

    rule = {
        "limit": 2,
        "media_types": sorted(IMAGES),
        "limit_bytes": 500,
        "alone": [],
        "limit_alt_text": 20,
        "needs_alt_text": False,
    }
    assert public["attachments"] == rule == webhook["public_attachments"]
    assert private["attachments"]["media_types"] == ["application/pdf"]
    assert (public["limit"], captioned["limit"]) == (20_000, 10)
    assert webhook["caption_length"]["limit"] == 10


async def test_an_account_can_want_every_picture_described(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    (account,) = (await floor.admin.ok("GET", "/accounts"))["items"]
    wants = {"settings": {"needs_alt_text": True}}
    await floor.admin.ok("PATCH", f"/accounts/{account['id']}", wants)
    file = await brought(agent, opened)

    silent = await reply(agent, opened, file)
    body = {"text": "here", "attachments": [{"id": file, "alt_text": "a cat"}]}
    told = await agent.call("POST", f"/conversations/{opened}/replies", body)

    assert "needs an alternative text" in await refused(silent, 409, "attachments_not_taken")
    assert told.status_code == 202


def test_the_documentation_names_every_field() -> None:
    told = section("Attachments", API)
    for shape in (AttachmentShape, AttachedBody):
        for field in shape.model_fields:
            assert f"`{field}`" in told, field
