import httpx
import pytest

from tests.simulated_network.network import Network


def test_accepted_but_answered_with_500(network: Network) -> None:
    network.fault("publish", "accept_then_500", account="acme")

    assert network.publish("x", reference="r-1").status_code == 500
    assert network.brand("GET", "/posts", params={"reference": "r-1"}).status_code == 200
    calls = network.made("GET", "/control/ledger")["publishes"]
    assert [(call["reference"], call["fault"]) for call in calls] == [("r-1", "accept_then_500")]
    assert network.publish("y").status_code == 201


def test_accepted_but_the_connection_is_reset(network: Network) -> None:
    network.fault("publish", "accept_then_reset")

    with pytest.raises(httpx.ReadError):
        network.publish("x", reference="r-1")

    assert network.summary()["publishes"] == 1


def test_accepted_but_no_answer_comes_in_time(network: Network) -> None:
    network.fault("publish", "accept_then_timeout", delay_ms=2000)

    with pytest.raises(httpx.ReadTimeout):
        network.brand("POST", "/posts", json={"text": "x"}, timeout=0.3)

    assert network.summary()["publishes"] == 1


def test_accepted_but_answered_with_garbage(network: Network) -> None:
    network.fault("publish", "accept_then_garbage")
    answer = network.publish("x")

    assert answer.status_code == 201
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert network.summary()["publishes"] == 1


def test_a_reset_before_acceptance_leaves_nothing(network: Network) -> None:
    network.fault("publish", "reset")

    with pytest.raises(httpx.ReadError):
        network.publish("x")

    assert network.summary()["publishes"] == 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_before_acceptance_leaves_nothing(network: Network, status: int) -> None:
    network.fault("publish", "status", status=status, retry_after_s=3)
    answer = network.publish("x")

    assert (answer.status_code, answer.headers["retry-after"]) == (status, "3")
    assert network.summary()["publishes"] == 0


def test_a_slow_call_is_accepted_although_its_caller_is_gone(network: Network) -> None:
    network.fault("publish", "delay", delay_ms=400)

    with pytest.raises(httpx.ReadTimeout):
        network.brand("POST", "/posts", json={"text": "x"}, timeout=0.1)
    assert network.summary()["publishes"] == 0

    # The delayed call holds nobody else up, and happens all the same.
    assert network.publish("quick").status_code == 201
    while network.summary()["publishes"] < 2:
        pass
    assert network.texts() == ["quick", "x"]


def test_pages_are_repeated_and_shuffled(network: Network) -> None:
    network.made(
        "POST",
        "/control/people/ferry42/posts",
        {"posts": [{"text": f"@acme {n}"} for n in range(12)]},
    )
    in_order = [f"@acme {n}" for n in range(12)]

    network.fault("mentions", "duplicate", times=3)
    assert network.texts() == [text for text in in_order for _ in range(3)]
    network.fault("mentions", "reorder")
    shuffled = network.brand("GET", "/mentions").json()

    texts = [post["text"] for post in shuffled["posts"]]
    assert texts != in_order
    assert sorted(texts) == sorted(in_order)
    assert network.texts(since_id=shuffled["next_since_id"]) == []
    assert network.texts() == in_order


def test_a_fault_hits_its_account_its_operation_and_its_number_of_calls(network: Network) -> None:
    network.account("harbour", token="token-of-harbour")
    network.fault("mentions", "status", account="ACME", next_calls=2)

    assert network.brand("GET", "/mentions", token="token-of-harbour").status_code == 200
    assert network.brand("GET", "/direct_messages").status_code == 200
    statuses = [network.brand("GET", "/mentions").status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    armed = network.made("GET", "/control/faults")["faults"]
    assert [(fault["remaining"], fault["hits"]) for fault in armed] == [(0, 2)]


def test_faults_with_a_probability_fall_the_same_with_the_same_seed(network: Network) -> None:
    def drawn() -> list[int]:
        network.made("POST", "/control/reset", {"seed": 41, "keep_accounts": True})
        network.fault("lookup", "status", probability=0.5)
        return [network.brand("GET", "/posts/1").status_code for _ in range(20)]

    first = drawn()

    assert set(first) == {404, 500}
    assert drawn() == first


def test_faults_can_be_taken_back(network: Network) -> None:
    fault = network.fault("lookup", "status", next_calls=100)
    network.made("DELETE", f"/control/faults/{fault['id']}")

    assert network.brand("GET", "/posts/1").status_code == 404
    assert network.call("DELETE", f"/control/faults/{fault['id']}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "publish", "kind": "duplicate", "next_calls": 1},
        {"operation": "lookup", "kind": "accept_then_500", "next_calls": 1},
        {"operation": "publish", "kind": "reset"},
        {"operation": "publish", "kind": "reset", "next_calls": 1, "probability": 0.5},
        {"operation": "publish", "kind": "delay", "next_calls": 1},
        {"operation": "publish", "kind": "status", "status": 404, "next_calls": 1},
        {"operation": "gossip", "kind": "reset", "next_calls": 1},
    ],
)
def test_an_impossible_fault_is_refused(network: Network, body: object) -> None:
    assert network.call("POST", "/control/faults", json=body).status_code == 422
