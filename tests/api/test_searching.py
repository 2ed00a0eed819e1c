"""Conversations are found by handle, name and words; what a page looked at, it says."""

import pytest
from pydantic import SecretStr

from settings import Settings
from storage import searching
from tests.api.conftest import Caller, Floor, Json


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def found(caller: Caller, query: str) -> list[str]:
    listed = await caller.ok("GET", f"/conversations?{query}")
    return [one["id"] for one in listed["items"]]


def person(external_id: str, **more: str) -> dict[str, dict[str, str]]:
    return {"author": {"external_id": external_id, **more}}


async def test_handles_names_words_and_ids_are_found(floor: Floor) -> None:
    ferry = await floor.open("c1", "My Parcel never came", **person("c1", handle="ferry42"))
    quay = await floor.open("c2", "100% wrong_size", **person("c2", name="Größe Quay"))
    admin = floor.admin

    assert await found(admin, "q=FERRY") == [ferry]
    assert await found(admin, "q=@ferry42") == [ferry]
    assert await found(admin, "q=parcel+NEVER") == [ferry]
    assert await found(admin, "q=ferry42+parcel") == [ferry]
    assert await found(admin, "q=parcel+quay") == []
    assert await found(admin, "q=GR%C3%96SSE") == []
    assert await found(admin, "q=gr%C3%B6%C3%9Fe") == [quay]
    assert await found(admin, f"q={quay}") == [quay]
    assert await found(admin, "q=100%25") == [quay]
    assert await found(admin, "q=wro__") == []
    assert await found(admin, "q=+++") == [ferry, quay]
    assert await found(admin, "newest_first=true") == [quay, ferry]
    assert await found(admin, "network=webhook") == [ferry, quay]
    assert await found(admin, "network=x") == []
    assert await found(admin, "q=parcel&state=connected") == []


async def test_a_page_looks_at_so_many_and_says_how_far_it_came(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SEARCHED", 2)
    all_of_them = [await floor.open(f"c{n}", f"word{n} common") for n in range(5)]
    admin = floor.admin

    first = await admin.ok("GET", "/conversations?q=word4")
    assert (first["items"], bool(first["searched_to"])) == ([], True)
    ids, last = await walked(admin, "q=word4")
    assert (ids, last["searched_to"]) == ([all_of_them[4]], None)
    newest_first, _ = await walked(admin, "q=common&limit=1&newest_first=true")
    assert newest_first == all_of_them[::-1]


async def walked(caller: Caller, query: str) -> tuple[list[str], Json]:
    """Return the ids of all pages, and the last page."""
    path = f"/conversations?{query}"
    page: Json = await caller.ok("GET", path)
    ids = [one["id"] for one in page["items"]]
    while page["next_cursor"]:
        page = await caller.ok("GET", f"{path}&cursor={page['next_cursor']}")
        ids += [one["id"] for one in page["items"]]
    return ids, page
