import time

import httpx
import pytest

from tests.simulated_network.network import Network


def test_ids_only_rise_and_carry_the_time(network: Network) -> None:
    ids = [int(network.says("ferry42", f"@acme {n}")["id"]) for n in range(20)]
    bulk = {"posts": [{"text": f"@acme {n}"} for n in range(200)]}
    ids += map(int, network.made("POST", "/control/people/ferry42/posts", bulk)["ids"])

    assert ids == sorted(set(ids))
    assert len(str(ids[0])) == 19


def test_pages_hold_every_post_once_oldest_first(network: Network) -> None:
    network.made(
        "POST",
        "/control/people/ferry42/posts",
        {"posts": [{"text": f"@acme {n}"} for n in range(25)]},
    )

    seen, since, has_more = [], "0", True
    while has_more:
        page = network.brand("GET", "/mentions", params={"since_id": since, "limit": 10}).json()
        seen += [post["text"] for post in page["posts"]]
        since, has_more = page["next_since_id"], page["has_more"]

    assert seen == [f"@acme {n}" for n in range(25)]
    assert network.brand("GET", "/mentions", params={"since_id": since}).json() == {
        "posts": [],
        "next_since_id": since,
        "has_more": False,
    }


def test_recorded_posts_with_older_ids_are_not_skipped(network: Network) -> None:
    new = network.says("ferry42", "@acme new")
    network.says("quay_9", "@acme recorded", id="1245403438755852288")

    assert network.texts(since_id=new["id"]) == ["@acme recorded"]


def test_the_same_recorded_post_again_changes_nothing(network: Network) -> None:
    for _ in range(2):
        network.says("quay_9", "@acme recorded", id="1245403438755852288")
    other = network.call(
        "POST", "/control/people/quay_9/posts", json={"text": "other", "id": "1245403438755852288"}
    )

    assert network.summary()["posts"] == 1
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")


def test_a_post_that_names_two_brands_reaches_both(network: Network) -> None:
    network.account("harbour", token="token-of-harbour")
    network.says("ferry42", "@acme @HARBOUR who has my parcel?")

    theirs = network.brand("GET", "/mentions", token="token-of-harbour").json()["posts"]

    assert network.texts() == [post["text"] for post in theirs]


def test_a_brand_sees_nobody_else_s_direct_messages(network: Network) -> None:
    network.account("harbour", token="token-of-harbour")
    post = network.says("ferry42", "secret @acme", visibility="private", to="harbour")

    assert network.texts("/direct_messages") == []
    assert network.texts() == []
    assert network.brand("GET", f"/posts/{post['id']}").status_code == 404


def test_a_post_carries_what_its_author_is(network: Network) -> None:
    place = {"country": "FR", "place": "Brest", "lat": 48.39, "lon": -4.49}
    network.made(
        "PUT",
        "/control/people/ferry42",
        {"name": "Ferry", "followers": 1200, "language": "fr", "location": place},
    )
    network.says(
        "ferry42",
        "",
        mention="acme",
        created_at="2020-02-29T12:00:00+01:00",
        language="fr",
        media=[{"kind": "image", "url": "https://example.org/a.jpg"}],
    )

    post = network.brand("GET", "/mentions").json()["posts"][0]

    assert post["author"]["followers"] == 1200
    assert post["author"]["location"] == place
    assert post["created_at"] == "2020-02-29T11:00:00.000Z"
    assert post["media"][0]["kind"] == "image"
    assert post["mentions"] == ["acme"]
    assert post["url"].endswith(f"/posts/{post['id']}")


def test_poison_is_delivered_as_it_was_ordered(network: Network) -> None:
    network.says("mole77", "@acme \x00 \u202e", created_at="1970-01-01T00:00:00Z")
    network.says("mole77", "@acme far", created_at="9999-12-31T23:59:59.999Z")
    network.says("mole77", "@acme wrong", overrides={"visibility": 7, "author": None}, omit=["id"])
    network.says("mole77", "@acme " + "@who " * 10_000)
    half = b'{"text": "@acme half", "overrides": {"text": "\\ud800"}}'
    assert network.call("POST", "/control/people/mole77/posts", content=half).status_code == 201

    posts = network.brand("GET", "/mentions").json()["posts"]

    assert posts[0]["text"] == "@acme \x00 \u202e"
    assert posts[0]["created_at"] == "1970-01-01T00:00:00.000Z"
    assert posts[1]["created_at"] == "9999-12-31T23:59:59.999Z"
    assert (posts[2]["visibility"], posts[2]["author"], "id" in posts[2]) == (7, None, False)
    assert len(posts) == 5


@pytest.mark.parametrize(
    "query", ["since_id=abc", "since_id=-1", "limit=0", "limit=501", "limit=x"]
)
def test_a_malformed_query_is_refused(network: Network, query: str) -> None:
    assert network.brand("GET", f"/mentions?{query}").status_code == 422


@pytest.mark.parametrize("post_id", ["0", "abc", "-1", "9" * 19, "9" * 40, "٣"])
def test_an_id_that_cannot_be_is_not_found(network: Network, post_id: str) -> None:
    assert network.brand("GET", f"/posts/{post_id}").status_code == 404


@pytest.mark.parametrize(
    ("handle", "body", "status"),
    [
        ("acme", {"text": "x"}, 409),
        ("no-handle", {"text": "x"}, 422),
        ("ferry42", {"posts": []}, 422),
        ("ferry42", {"posts": [{"text": "x"}] * 501}, 422),
        ("ferry42", {"text": "x", "created_at": "yesterday"}, 422),
        ("ferry42", {"text": "x", "created_at": "2026-01-01T00:00:00"}, 422),
        ("ferry42", {"text": "x", "created_at": "0001-01-01T00:00:00+14:00"}, 422),
        ("ferry42", {"posts": [{"text": "fine"}, {"text": "x", "reply_to": "12"}]}, 422),
    ],
)
def test_customers_cannot_write_nonsense_either(
    network: Network, handle: str, body: object, status: int
) -> None:
    answer = network.call("POST", f"/control/people/{handle}/posts", json=body)

    assert answer.status_code == status
    assert network.summary()["posts"] == 0


def test_a_bulk_of_many_customers_keeps_its_order(network: Network) -> None:
    posts = [{"author": f"u_{n}", "text": f"@acme {n}"} for n in range(100)]
    written = network.made("POST", "/control/posts", {"posts": posts})

    assert written["created"] == 100
    assert network.texts() == [f"@acme {n}" for n in range(100)]


def test_no_answer_waits_for_an_acknowledgement(network: Network) -> None:
    """Without TCP_NODELAY each answer on a kept connection takes 40 ms longer."""
    took_ms = []
    with httpx.Client(base_url=network.url, trust_env=False) as client:
        for _ in range(21):
            began = time.perf_counter()
            client.get("/livez").raise_for_status()
            took_ms.append((time.perf_counter() - began) * 1000)

    assert sorted(took_ms)[10] < 35
