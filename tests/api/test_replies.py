"""Replies over HTTP: how long they may be, what they become, and second thoughts about them."""

from typing import Any

import pytest

from connectors.webhook import WebhookConnector
from conversations.capabilities import Capabilities, CountingUnit, LengthRule
from conversations.model import Visibility
from conversations.networks import Account
from tests.api.conftest import Caller, Floor

SHORT = Capabilities(
    visibilities=frozenset(Visibility),
    length=LengthRule(CountingUnit.X_WEIGHTED, 40, link_length=23),
    private_length=LengthRule(most=1_000),
    can_edit=True,
    can_delete=True,
)
SENTENCES = "This is one sentence. This is another one. And this is the last."


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> dict[str, Capabilities]:
    """Let the accounts of the tests be able to do something else than a webhook."""
    able = {"now": SHORT}

    def capabilities(_: WebhookConnector, account: Account) -> Capabilities:
        del account
        return able["now"]

    monkeypatch.setattr(WebhookConnector, "capabilities", capabilities)
    return able


async def replied(agent: Caller, conversation_id: str, **body: Any) -> Any:
    return await agent.ok("POST", f"/conversations/{conversation_id}/replies", body)


@pytest.mark.usefixtures("network")
async def test_a_long_text_is_shown_and_taken_as_numbered_parts(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies"

    preview = await agent.ok("POST", f"{path}/preview", {"text": SENTENCES})
    reply = await replied(agent, opened, text=SENTENCES)

    texts = [
        "This is one sentence. (1/3)",
        "This is another one. (2/3)",
        "And this is the last. (3/3)",
    ]
    assert preview["parts"] == [{"text": text, "length": len(text)} for text in texts]
    assert (preview["unit"], preview["limit"], preview["link_length"]) == ("x_weighted", 40, 23)
    assert [(part["text"], part["state"]) for part in reply["parts"]] == [
        (text, "accepted") for text in texts
    ]
    assert (reply["text"], reply["state"], reply["change"]) == (SENTENCES, "accepted", None)


async def test_without_threads_it_is_refused_before_anything_is_stored(
    floor: Floor, network: dict[str, Capabilities]
) -> None:
    network["now"] = Capabilities(length=LengthRule(most=10), is_threaded=False)
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies"

    problem = await agent.refused("POST", path, {"text": "a" * 11}, 409, "reply_too_long")

    assert "counts 11, the network takes 10 characters" in problem["detail"]
    assert (await agent.ok("GET", f"/conversations/{opened}"))["unanswered_count"] == 1
    timeline = await agent.ok("GET", f"/conversations/{opened}/timeline")
    assert [entry for entry in timeline["items"] if entry["kind"] == "reply"] == []
    await agent.refused("POST", f"{path}/preview", {"text": "a" * 11}, 409, "reply_too_long")


@pytest.mark.usefixtures("network")
async def test_a_preview_of_nothing_is_the_rule(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies/preview"

    told = await agent.ok("POST", path, {"text": "", "visibility": "private"})

    assert (
        told.items()
        >= {
            "parts": [],
            "unit": "characters",
            "limit": 1_000,
            "link_length": 0,
            "limit_bytes": 0,
            "is_threaded": True,
        }.items()
    )


async def test_a_network_without_private_messages_takes_none(
    floor: Floor, network: dict[str, Capabilities]
) -> None:
    network["now"] = Capabilities()
    opened, agent = await floor.connect("customer")
    body = {"text": "psst", "visibility": "private"}

    path = f"/conversations/{opened}/replies"
    await agent.refused("POST", path, body, 409, "visibility_not_spoken")


async def test_a_reply_is_withdrawn_within_its_window(admin: Caller, floor: Floor) -> None:
    await admin.ok("PATCH", f"/workgroups/{floor.workgroup}", {"undo_window_s": 30})
    opened, agent = await floor.connect("customer")
    reply = await replied(agent, opened, text="too hasty")
    assert reply["undo_until"] > reply["created_at"]

    withdrawn = await agent.ok("POST", f"/replies/{reply['id']}/undo", {})

    assert (withdrawn["state"], withdrawn["reason"]) == (
        "rejected",
        "withdrawn before it was sent",
    )
    assert (await agent.ok("GET", f"/conversations/{opened}"))["unanswered_count"] == 1
    path = f"/replies/{reply['id']}/undo"
    await agent.refused("POST", path, {}, 409, "undo_window_over")


async def test_without_a_window_nothing_is_withdrawn(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    reply = await replied(agent, opened, text="at once")

    assert reply["undo_until"] is None
    path = f"/replies/{reply['id']}/undo"
    await agent.refused("POST", path, {}, 409, "undo_window_over")
    await agent.refused("POST", "/replies/re_nothing/undo", {}, 404, "not_found")


async def test_only_what_is_sent_is_changed_and_only_where_that_is_possible(
    floor: Floor, network: dict[str, Capabilities]
) -> None:
    opened, agent = await floor.connect("customer")
    reply = await replied(agent, opened, text="hello")
    edit, delete = f"/replies/{reply['id']}/edit", f"/replies/{reply['id']}/delete"

    problem = await agent.refused("POST", edit, {"text": "x"}, 409, "cannot_change_reply")
    assert "it is accepted, not sent" in problem["detail"]
    await agent.refused("POST", edit, {"text": "x " * 3_000}, 409, "reply_too_long")
    await agent.refused("POST", delete, {}, 409, "cannot_change_reply")
    network["now"] = Capabilities()
    problem = await agent.refused("POST", edit, {"text": "x"}, 409, "cannot_change_reply")
    assert "webhook knows no edits" in problem["detail"]
    problem = await agent.refused("POST", delete, {}, 409, "cannot_change_reply")
    assert "webhook cannot take a post back" in problem["detail"]


async def test_everybody_who_is_signed_in_sees_what_networks_can_do(
    floor: Floor, nobody: Caller
) -> None:
    agent = await floor.agent("agent")

    networks = {each["network"]: each for each in (await agent.ok("GET", "/networks"))["items"]}

    assert {"simulated", "webhook"} <= set(networks)
    simulated = networks["simulated"]
    assert simulated["public_length"]["limit"] > 0
    assert simulated["capabilities"]["visibilities"] == ["private", "public"]
    token = next(each for each in simulated["settings"] if each["name"] == "token")
    assert (token["is_secret"], token["is_required"]) == (True, True)
    await nobody.refused("GET", "/networks", None, 401, "unauthenticated")


async def test_a_preview_says_which_audience_would_be_refused_and_why(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")

    shown = await agent.ok("POST", f"/conversations/{opened}/replies/preview", {"text": ""})

    refusals = {one["visibility"]: one["refusal"] for one in shown["audiences"]}
    assert refusals["public"] is None
    assert refusals["private"]["code"] == "cannot_initiate_direct_message"
    assert shown["reply_depth"] == "any"
    body = {"text": "psst", "visibility": "private"}
    path = f"/conversations/{opened}/replies"
    await agent.refused("POST", path, body, 409, refusals["private"]["code"])
