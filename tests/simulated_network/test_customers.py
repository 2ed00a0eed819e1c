from tests.simulated_network.network import Network, eventually


def script(network: Network, **wanted: object) -> None:
    body = {"customer": "ferry42", "answers": ["thanks", "bye"], "delay_ms": 50, **wanted}
    network.made("POST", "/control/scripts", body)


def test_a_customer_answers_back_so_often_and_no_more(network: Network) -> None:
    script(network, at_most=2)
    asked = network.says("ferry42", "@acme hello")

    for n in range(3):
        network.publish(f"answer {n}", reply_to=asked["id"])
        eventually(lambda: network.summary()["answers_due"] == 0)

    posts = network.brand("GET", "/mentions").json()["posts"]
    spoken = [post["text"] for post in posts if post["author"]["handle"] == "ferry42"]
    assert spoken == ["@acme hello", "thanks", "bye"]
    assert {post["root"] for post in posts} == {asked["id"]}


def test_a_customer_answers_in_private_what_was_said_in_private(network: Network) -> None:
    script(network)
    network.says("ferry42", "psst", visibility="private", to="acme")
    network.publish("yes?", visibility="private", to="ferry42")

    eventually(lambda: network.texts("/direct_messages") == ["psst", "yes?", "thanks"])


def test_nobody_answers_what_was_said_to_somebody_else(network: Network) -> None:
    script(network, delay_ms=0)
    asked = network.says("quay_9", "@acme hello")
    network.publish("to you, not to @ferry42", reply_to=asked["id"])

    assert network.summary()["answers_due"] == 0
    assert len(network.texts()) == 2


def test_a_late_answer_comes_after_it_was_asked(network: Network) -> None:
    script(network, delay_ms=500)
    asked = network.says("ferry42", "@acme hello")
    network.publish("answer", reply_to=asked["id"])

    assert network.summary()["answers_due"] == 1
    answer = eventually(lambda: network.brand("GET", "/mentions").json()["posts"][2:])[0]
    times = [post["accepted_at"] for post in network.made("GET", "/control/ledger")["posts"]]
    assert answer["text"] == "thanks"
    assert times == sorted(times)


def test_an_answer_that_is_due_survives_kill_9_and_comes_once(own_network: Network) -> None:
    script(own_network, delay_ms=400)
    asked = own_network.says("ferry42", "@acme hello")
    own_network.publish("answer", reply_to=asked["id"])

    own_network.kill()
    own_network.start()

    eventually(lambda: own_network.summary()["answers_due"] == 0)
    assert own_network.texts() == ["@acme hello", "answer", "thanks"]
