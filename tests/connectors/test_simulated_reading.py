"""The connector against the simulated network's own server: reading, and losing nothing."""

import json
from typing import Any

import pytest

from connectors.simulated import SimulatedConnector, cursor_from
from connectors.simulated_wire import page_from
from conversations.model import Unreadable
from conversations.networks import Account, NetworkTrouble
from tests.connectors.conftest import listened
from tests.simulated_network.network import Network


async def test_one_cursor_reads_public_and_private_posts_to_their_end(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    for number in range(3):
        network.says("customer_1", f"@acme {number}")
        network.says("customer_2", f"psst {number}", visibility="private", to="acme")

    first = await connector.fetch(listened(account, None, 2))
    second = await connector.fetch(listened(account, first.cursor, 2))
    third = await connector.fetch(listened(account, second.cursor, 2))

    assert [p.text for p in first.posts] == ["@acme 0", "psst 0", "@acme 1", "psst 1"]
    assert [p.text for p in second.posts] == ["@acme 2", "psst 2"]
    assert (first.goes_on, second.goes_on) == (True, False)
    assert not third.posts
    assert third.cursor == second.cursor


async def test_a_post_is_read_with_all_that_is_known_of_it(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    home = {"country": "DE", "place": "Berlin"}
    network.made("PUT", "/control/people/customer_1", {"followers": 12, "location": home})
    first = network.says("customer_1", "@acme one", created_at="2020-02-03T04:05:06.789+01:00")
    picture = {"kind": "image", "url": "https://x.example/p.png", "alt_text": "a parcel"}
    network.says(
        "customer_1", "", reply_to=first["id"], mention="acme", media=[picture], language="de"
    )

    one, two = (await connector.fetch(listened(account, None, 10))).posts

    assert (one.external_id, one.text, one.created_at) == (first["id"], "@acme one", 1580699106789)
    assert (one.author.handle, one.author.followers) == ("customer_1", 12)
    assert one.author.location == "Berlin, DE"
    assert one.mentions == ("acme",)
    assert (two.in_reply_to, two.thread_root, two.language) == (first["id"], first["id"], "de")
    assert [(m.kind, m.alt_text) for m in two.media] == [("image", "a parcel")]
    assert not one.is_own


async def test_another_brand_is_a_customer_like_any_other(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.account("rival", token="rivals-token")
    network.brand("POST", "/posts", token="rivals-token", json={"text": "@acme hello"})

    (post,) = (await connector.fetch(listened(account, None, 10))).posts

    assert (post.is_own, post.author.handle) == (False, "rival")


async def test_a_page_shuffled_and_doubled_has_the_same_cursor_and_order(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    for number in range(6):
        network.says("customer_1", f"@acme {number}")
    plain = await connector.fetch(listened(account, None, 10))

    network.fault("mentions", "reorder")
    assert await connector.fetch(listened(account, None, 10)) == plain
    network.fault("mentions", "duplicate", times=2)
    doubled = await connector.fetch(listened(account, None, 10))

    assert doubled.cursor == plain.cursor
    assert {p.external_id for p in doubled.posts} == {p.external_id for p in plain.posts}


@pytest.mark.parametrize("path", ["mentions", "direct_messages"])
@pytest.mark.parametrize("kind", ["status", "garbage", "reset"])
async def test_a_failed_poll_is_trouble_and_loses_nothing(
    connector: SimulatedConnector, account: Account, network: Network, path: str, kind: str
) -> None:
    network.says("customer_1", "@acme hello")
    network.fault(path, kind)

    with pytest.raises(NetworkTrouble) as trouble:
        await connector.fetch(listened(account, None, 10))

    assert account.credentials["token"] not in str(trouble.value)
    assert len((await connector.fetch(listened(account, None, 10))).posts) == 1


async def test_a_rate_limited_poll_keeps_what_it_has(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "@acme hello")
    network.says("customer_1", "psst", visibility="private", to="acme")
    network.fault("mentions", "status", status=429, retry_after_s=7)
    network.fault("direct_messages", "status", status=429, retry_after_s=8)

    nothing = await connector.fetch(listened(account, None, 10))
    public = await connector.fetch(listened(account, None, 10))
    private = await connector.fetch(listened(account, public.cursor, 10))

    assert (list(nothing.posts), nothing.retry_after_s) == ([], 7.0)
    assert ([p.text for p in public.posts], public.retry_after_s) == (["@acme hello"], 8.0)
    assert ([p.text for p in private.posts], private.retry_after_s) == (["psst"], None)


@pytest.mark.parametrize("change", [{"suspended": True}, {"token": "another-token"}])
async def test_refused_credentials_are_trouble_that_names_the_cause(
    connector: SimulatedConnector, account: Account, network: Network, change: dict[str, Any]
) -> None:
    network.account(**change)

    with pytest.raises(NetworkTrouble, match=r"unknown_token|account_suspended"):
        await connector.fetch(listened(account, None, 10))


@pytest.mark.parametrize(
    ("poison", "code"),
    [
        ({"omit": ["id"]}, "id_missing"),
        ({"omit": ["author"]}, "author_missing"),
        ({"overrides": {"author": {"handle": "x"}}}, "id_missing"),
        ({"overrides": {"text": 7}}, "text_missing"),
        ({"overrides": {"text": "nul \0"}}, "text_unreadable"),
        ({"overrides": {"text": "half \ud800"}}, "text_unreadable"),
        ({"text": "x" * 1_000_000}, "text_too_long"),
        ({"overrides": {"visibility": "friends"}}, "unknown_visibility"),
        ({"overrides": {"created_at": "yesterday"}}, "created_at_unreadable"),
        ({"overrides": {"created_at": "10000-01-01T00:00:00Z"}}, "created_at_unreadable"),
    ],
)
async def test_poison_is_set_aside_and_its_neighbours_go_on(
    connector: SimulatedConnector,
    account: Account,
    network: Network,
    poison: dict[str, Any],
    code: str,
) -> None:
    network.says("customer_1", "@acme before")
    poisoned = json.dumps({"text": "@acme poison", "mention": "acme"} | poison)
    answer = network.call("POST", "/control/people/customer_1/posts", content=poisoned)
    assert answer.is_success
    network.says("customer_1", "@acme after")

    page = await connector.fetch(listened(account, None, 10))

    assert [p.text for p in page.posts] == ["@acme before", "@acme after"]
    (piece,) = page.unreadable
    assert isinstance(piece, Unreadable)
    assert piece.code == code
    assert "\0" not in piece.raw
    piece.raw.encode()
    assert not (await connector.fetch(listened(account, page.cursor, 10))).unreadable


@pytest.mark.parametrize(
    "strange",
    [
        {"overrides": {"reply_to": 7, "root": [], "media": "no", "location": 3, "mentions": {}}},
        {"overrides": {"media": [{"kind": 1}, None], "language": "\0", "to": "me"}},
        {"overrides": {"location": {"lat": 999, "lon": "x"}, "source_application": {}}},
        {"text": "@acme \u202e\u200b\u2066 👩‍👩‍👧‍👦"},
        {"text": "@acme " + "@u " * 10_000},
        {"created_at": "1970-01-01T00:00:00Z"},
        {"created_at": "9999-12-31T23:59:59Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
    ],
)
async def test_what_is_only_strange_is_taken(
    connector: SimulatedConnector, account: Account, network: Network, strange: dict[str, Any]
) -> None:
    network.says("customer_1", **{"text": "@acme strange"} | strange)

    page = await connector.fetch(listened(account, None, 10))

    assert (len(page.posts), list(page.unreadable)) == (1, [])


async def test_a_foreign_cursor_begins_anew(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "@acme hello")

    for cursor in ("", "x y", "12", '{"a": 1}', "1 2 3"):
        assert len((await connector.fetch(listened(account, cursor, 10))).posts) == 1


async def test_pages_that_are_too_long_are_read_in_smaller_ones(
    connector: SimulatedConnector,
    account: Account,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.simulated.LARGEST_PAGE", 3_000)
    for number in range(9):
        network.says("customer_1", f"@acme {number} {'x' * 500}")

    taken: list[str] = []
    cursor, goes_on = None, True
    while goes_on:
        page = await connector.fetch(listened(account, cursor, 100))
        taken += [p.text[6] for p in page.posts]
        cursor, goes_on = page.cursor, page.goes_on

    assert taken == list("012345678")


async def test_edits_and_deletions_are_followed_from_where_they_were_read(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    post = network.says("customer_1", "@acme teh parcel")
    first = await connector.fetch(listened(account))
    network.made("PATCH", f"/control/posts/{post['id']}", {"text": "@acme the parcel"})
    network.made("DELETE", f"/control/posts/{post['id']}")

    page = await connector.fetch(listened(account, first.cursor))
    nothing = await connector.fetch(listened(account, page.cursor))

    told = [(one.external_id, one.kind.value, one.text) for one in page.changes]
    assert told == [(post["id"], "edited", "@acme the parcel"), (post["id"], "deleted", None)]
    assert list(nothing.changes) == []


@pytest.mark.parametrize("cursor", ["7", "7 8 9 10", "seven 8 9", "", "7  9"])
async def test_a_cursor_of_another_form_begins_anew(
    connector: SimulatedConnector, account: Account, network: Network, cursor: str
) -> None:
    network.says("customer_1", "@acme hello")

    assert len((await connector.fetch(listened(account, cursor))).posts) == 1


def test_a_cursor_of_two_parts_goes_on() -> None:
    assert cursor_from("7 8").text == "7 8 0"


def test_a_change_that_makes_no_sense_changes_nothing(account: Account) -> None:
    senseless = [
        7,
        {},
        {"post_id": "1", "kind": "liked", "at": "2026-01-02T03:04:05Z"},
        {"post_id": "1", "kind": "edited", "at": "2026-01-02T03:04:05Z"},
        {"post_id": 1, "kind": "deleted", "at": "2026-01-02T03:04:05Z"},
        {"post_id": "1", "kind": "deleted", "at": "soon"},
    ]
    body = json.dumps({"posts": [], "changes": senseless}).encode()

    assert page_from(body, account).changes == ()
