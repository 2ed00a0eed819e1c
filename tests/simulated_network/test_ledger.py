from tests.simulated_network.network import Network


def test_the_summary_counts_what_happened(network: Network) -> None:
    asked = network.says("ferry42", "@acme hello")
    network.says("ferry42", "psst", visibility="private", to="acme")
    network.publish("yes?", reply_to=asked["id"], reference="r-1")
    network.publish("again", reply_to=asked["id"])

    summary = network.summary()

    assert summary["posts"] == 4
    assert summary["posts_by_people"] == summary["posts_by_accounts"] == 2
    assert summary["direct_messages"] == 1
    assert summary["publishes"] == 2
    assert summary["references"] == summary["publishes_without_reference"] == 1
    assert summary["references_published_more_than_once"] == 0
    assert summary["inboxes"] == {"acme": {"posts": 4, "webhook_pending": 0}}


def test_the_ledger_is_read_in_pages(network: Network) -> None:
    for n in range(5):
        network.publish(f"post {n}")

    first = network.made("GET", "/control/ledger?limit=3")
    rest = network.made(
        "GET",
        f"/control/ledger?after_call={first['next_after_call']}"
        f"&after_place={first['next_after_place']}",
    )

    calls = [call["text"] for call in first["publishes"] + rest["publishes"]]
    assert calls == [post["text"] for post in first["posts"] + rest["posts"]]
    assert calls == [f"post {n}" for n in range(5)]


def test_a_reset_keeps_accounts_when_asked_to(network: Network) -> None:
    before = network.publish("x").json()
    network.made("POST", "/control/reset", {"keep_accounts": True})

    assert network.summary()["posts"] == network.summary()["publishes"] == 0
    assert int(network.publish("y").json()["id"]) > int(before["id"])


def test_a_handle_and_a_token_belong_to_one_account(network: Network) -> None:
    network.says("ferry42", "hello")
    taken = network.call("PUT", "/control/accounts/FERRY42", json={})
    again = network.call("PUT", "/control/accounts/harbour", json={"token": "token-of-acme"})

    assert (taken.status_code, taken.json()["code"]) == (409, "handle_taken")
    assert (again.status_code, again.json()["code"]) == (409, "token_taken")


def test_an_account_is_changed_field_by_field(network: Network) -> None:
    network.account(name="Acme Parcels", limits={"publish": {"calls": 5, "window_s": 60}})
    network.account(deduplicates=True)

    me = network.brand("GET", "/accounts/me").json()

    assert me["name"] == "Acme Parcels"
    assert me["limits"] == {"publish": {"calls": 5, "window_s": 60}}
    assert me["deduplicates"] is True
    assert "token" not in me
