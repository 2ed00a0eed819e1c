"""Customers are found by handle and name, by whoever sees a conversation of theirs."""

import pytest
from pydantic import SecretStr

from settings import Settings
from storage import customer_search
from tests.api.conftest import Caller, Floor


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def found(caller: Caller, query: str) -> list[str]:
    listed = await caller.ok("GET", f"/customers?{query}")
    return [one["identities"][0]["external_id"] for one in listed["items"]]


async def meet(floor: Floor, external_id: str, **more: str) -> None:
    await floor.open(external_id, author={"external_id": external_id, **more})


async def test_customers_are_found_by_every_word_of_handle_and_name(floor: Floor) -> None:
    await meet(floor, "c1", handle="ferry42", name="Ferry Quay")
    await meet(floor, "c2", handle="quay_9", name="Größe 100%")
    admin = floor.admin

    assert await found(admin, "") == ["c2", "c1"]
    assert await found(admin, "q=QUAY") == ["c2", "c1"]
    assert await found(admin, "q=@ferry42+quay") == ["c1"]
    assert await found(admin, "q=gr%C3%B6%C3%9Fe") == ["c2"]
    assert await found(admin, "q=100%25") == ["c2"]
    assert await found(admin, "q=f__ry") == []
    (one,) = (await admin.ok("GET", "/customers?q=ferry42"))["items"]
    assert await found(admin, f"q={one['id']}") == ["c1"]
    assert one["identities"][0]["handle"] == "ferry42"


async def test_an_agent_finds_those_of_whom_it_sees_a_conversation(floor: Floor) -> None:
    await meet(floor, "c1", handle="ferry42")
    member, stranger = await floor.agent(), await floor.agent(member=False)

    assert await found(member, "q=ferry") == ["c1"]
    assert await found(stranger, "q=ferry") == []
    assert await found(stranger, "") == []


async def test_a_page_looks_at_so_many_and_leads_on(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_search, "SEARCHED", 2)
    for number in range(5):
        await meet(floor, f"c{number}", handle=f"walker{number}")
    path, ids, pages = "/customers?q=alker0", [], 0

    page = await floor.admin.ok("GET", path)
    while True:
        ids += [one["identities"][0]["external_id"] for one in page["items"]]
        pages += 1
        if not page["next_cursor"]:
            break
        page = await floor.admin.ok("GET", f"{path}&cursor={page['next_cursor']}")

    assert (ids, pages) == (["c0"], 3)
    stranger = await floor.agent(member=False)
    nothing = await stranger.ok("GET", "/customers")
    assert (nothing["items"], bool(nothing["next_cursor"])) == ([], True)


async def test_a_whole_handle_is_found_at_once_and_only_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_search, "SEARCHED", 2)
    for number in range(5):
        await meet(floor, f"c{number}", handle=f"walker{number}", name=f"also @walker0, {number}")
    stranger = await floor.agent(member=False)

    first = await floor.admin.ok("GET", "/customers?q=@Walker0&limit=2")
    ids, page = [], first
    while page["next_cursor"]:
        path = f"/customers?q=@Walker0&limit=2&cursor={page['next_cursor']}"
        page = await floor.admin.ok("GET", path)
        ids += [one["identities"][0]["external_id"] for one in page["items"]]

    assert [one["identities"][0]["external_id"] for one in first["items"]] == ["c0", "c4", "c3"]
    assert ids == ["c2", "c1"]
    assert await found(stranger, "q=walker0") == []
