import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.simulated_network.network import TOKEN, Network


class Listener:
    """Reads lines of the stream: posts, and empty ones that keep it alive."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def line(self) -> str:
        return next(self._lines)

    def listen_to_the_end(self) -> None:
        for _ in self._lines:
            pass

    def posts(self, count: int) -> list[Any]:
        found: list[Any] = []
        while len(found) < count:
            line = self.line()
            if line:
                found.append(json.loads(line))
        return found

    def texts(self, count: int) -> list[str]:
        return [post["text"] for post in self.posts(count)]


@contextmanager
def listening(network: Network, **params: str) -> Iterator[Listener]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with (
        httpx.Client(base_url=network.url, timeout=5, trust_env=False) as client,
        client.stream("GET", "/api/stream", params=params, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        listener = Listener(answer)
        assert listener.line() == ""
        yield listener


def test_the_stream_brings_what_is_new_public_and_private(network: Network) -> None:
    network.says("ferry42", "@acme before")
    with listening(network) as stream:
        network.says("ferry42", "@acme hello")
        network.says("ferry42", "psst", visibility="private", to="acme")
        network.publish("yes?", visibility="private", to="ferry42")

        assert stream.texts(3) == ["@acme hello", "psst", "yes?"]


def test_the_stream_resumes_behind_a_post_without_gap_or_repeat(network: Network) -> None:
    first = network.says("ferry42", "@acme 1")
    network.says("ferry42", "@acme 2")
    with listening(network, since_id=first["id"]) as stream:
        assert stream.texts(1) == ["@acme 2"]
        third = network.says("ferry42", "@acme 3")
        assert stream.texts(1) == ["@acme 3"]
    network.says("ferry42", "@acme 4")

    with listening(network, since_id=third["id"]) as stream:
        assert stream.texts(1) == ["@acme 4"]
    with listening(network, since_id="0") as stream:
        assert stream.texts(4) == [f"@acme {n}" for n in range(1, 5)]


def test_a_silent_stream_is_kept_alive(network: Network) -> None:
    with listening(network) as stream:
        assert [stream.line(), stream.line()] == ["", ""]


def test_a_stream_reset_in_the_middle_of_a_line_can_be_resumed(network: Network) -> None:
    network.says("ferry42", "@acme hello")
    network.fault("stream", "reset")

    with pytest.raises(httpx.HTTPError), listening(network, since_id="0") as stream:
        stream.posts(1)
    with listening(network, since_id="0") as stream:
        assert stream.texts(1) == ["@acme hello"]


def test_garbage_repeats_and_refused_connections(network: Network) -> None:
    network.says("ferry42", "@acme hello")
    network.fault("stream", "garbage")
    with listening(network, since_id="0") as stream:
        assert "\ufffd" in stream.line()
        assert stream.texts(1) == ["@acme hello"]

    network.fault("stream", "duplicate")
    with listening(network, since_id="0") as stream:
        assert stream.texts(2) == ["@acme hello"] * 2

    network.fault("stream_connect", "status", status=503)
    assert network.brand("GET", "/stream").status_code == 503


def test_a_revoked_token_ends_the_stream(network: Network) -> None:
    with listening(network) as stream:
        network.account(token="another-token")

        stream.listen_to_the_end()


def test_an_open_stream_does_not_keep_the_server_from_stopping(own_network: Network) -> None:
    with listening(own_network) as stream:
        assert own_network.stop() in {0, -15}
        stream.listen_to_the_end()
