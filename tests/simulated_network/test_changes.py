"""Posts that get other words or are taken back, and who is told of it."""

from tests.simulated_network.network import Network


def changes(network: Network, since: str = "0") -> list[dict[str, str]]:
    page = network.brand("GET", "/mentions", params={"changes_since": since}).json()
    found: list[dict[str, str]] = page["changes"]
    return found


def test_an_own_post_gets_other_words_however_often(network: Network) -> None:
    post = network.publish("teh answer", reference="re-1").json()

    first = network.brand("PATCH", f"/posts/{post['id']}", json={"text": "the answer"})
    again = network.brand("PATCH", f"/posts/{post['id']}", json={"text": "the answer"})

    assert (first.status_code, again.json()["text"]) == (200, "the answer")
    assert network.summary()["edits"] == 1
    assert network.brand("GET", f"/posts/{post['id']}").json()["text"] == "the answer"


def test_what_was_taken_back_is_seen_by_nobody(network: Network) -> None:
    post = network.publish("never mind", reference="re-1").json()

    gone = network.brand("DELETE", f"/posts/{post['id']}")
    again = network.brand("DELETE", f"/posts/{post['id']}")

    assert (gone.status_code, again.status_code) == (204, 404)
    assert network.brand("GET", f"/posts/{post['id']}").status_code == 404
    assert network.brand("GET", "/posts", params={"reference": "re-1"}).status_code == 404
    assert network.texts() == []
    assert network.made("GET", "/control/ledger")["deleted"] == [post["id"]]


def test_nobody_changes_what_another_wrote(network: Network) -> None:
    post = network.says("customer_1", "@acme hello")

    edited = network.brand("PATCH", f"/posts/{post['id']}", json={"text": "bye"})
    deleted = network.brand("DELETE", f"/posts/{post['id']}")

    assert (edited.status_code, edited.json()["code"]) == (403, "not_your_post")
    assert deleted.status_code == 403
    assert network.texts() == ["@acme hello"]


def test_an_account_is_told_what_became_of_customers_posts(network: Network) -> None:
    network.publish("our own")
    edited, deleted = network.says("customer_1", "@acme a"), network.says("customer_1", "@acme b")
    network.says("customer_1", "to somebody else")

    network.made("PATCH", f"/control/posts/{edited['id']}", {"text": "@acme A"})
    network.made("DELETE", f"/control/posts/{deleted['id']}")

    told = [(each["post_id"], each["kind"], each["text"]) for each in changes(network)]
    assert told == [(edited["id"], "edited", "@acme A"), (deleted["id"], "deleted", None)]
    assert network.texts() == ["our own", "@acme A"]


def test_changes_are_read_on_from_where_they_were_read(network: Network) -> None:
    post = network.says("customer_1", "@acme a")
    for text in ("@acme b", "@acme c", "@acme d"):
        network.made("PATCH", f"/control/posts/{post['id']}", {"text": text})

    wanted = {"changes_since": "0", "limit": 2}
    page = network.brand("GET", "/mentions", params=wanted).json()
    rest = changes(network, page["next_changes_since"])

    assert [each["text"] for each in page["changes"]] == ["@acme b", "@acme c"]
    assert [each["text"] for each in rest] == ["@acme d"]
    assert "changes" not in network.brand("GET", "/mentions").json()
