import threading
import time

import httpx

from tests.simulated_network.network import TOKEN, Network


def test_whatever_was_answered_with_201_survives_kill_9(own_network: Network) -> None:
    acknowledged: list[tuple[str, str]] = []

    def publish_until_the_end(writer: int) -> None:
        with httpx.Client(base_url=own_network.url, trust_env=False) as client:
            for n in range(10_000):
                reference = f"r-{writer}-{n}"
                try:
                    answer = client.post(
                        "/api/posts",
                        json={"text": reference, "reference": reference},
                        headers={"authorization": f"Bearer {TOKEN}"},
                    )
                except httpx.HTTPError:
                    return
                assert answer.status_code == 201
                acknowledged.append((reference, answer.json()["id"]))

    writers = [threading.Thread(target=publish_until_the_end, args=(n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 60:
        time.sleep(0.01)
    own_network.kill()
    for writer in writers:
        writer.join()
    own_network.start()

    ledger = own_network.made("GET", "/control/ledger")
    published = {(call["reference"], call["id"]) for call in ledger["publishes"]}
    assert set(acknowledged) <= published
    assert {(post["reference"], post["id"]) for post in ledger["posts"]} == published
    assert len(published) <= len(acknowledged) + len(writers)
    assert own_network.summary()["references_published_more_than_once"] == 0

    new = own_network.says("ferry42", "@acme after")
    assert int(new["id"]) > max(int(post["id"]) for post in ledger["posts"])


def test_accounts_and_people_survive_kill_9(own_network: Network) -> None:
    own_network.says("ferry42", "@acme hello")
    own_network.kill()
    own_network.start()

    assert own_network.texts() == ["@acme hello"]
    assert own_network.brand("GET", "/accounts/me").json()["handle"] == "acme"
