"""The demonstration, as the README tells it, on the real thing."""

import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from operation.demo import WAITING
from operation.demo_people import AGENTS
from tests.operation.real import Person, RealUp
from tests.operation.running import eventually

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[RealUp]:
    running = RealUp(tmp_path / "data", "--demo")
    yield running
    running.stop()


def test_three_posts_wait_and_a_customer_answers_back(up: RealUp) -> None:
    run = up.start()
    assert set(run["keys"]) == {"admin", "supervisor", "integrator", "agents"}
    assert set(run["keys"]["agents"]) == set(AGENTS)

    supervisor = Person(run, run["keys"]["supervisor"])
    agent = Person(run, run["keys"]["agents"]["agent-7"])
    with closing(supervisor), closing(agent):
        assert len(supervisor.listed(state="queued")) == len(WAITING)
        agent.call("PUT", "/agents/me/status", {"routing_status": "on_queue"})
        (offered,) = eventually(lambda: supervisor.listed(state="alerting"))

        path = f"/conversations/{offered['id']}"
        agent.call("POST", f"{path}/pickup")
        agent.call("POST", f"{path}/replies", {"text": "We look into it."})

        answered = eventually(lambda: _if_answered(agent, path))
        assert answered["state"] == "connected"
        assert answered["post_count"] == 2
        agent.call("POST", f"{path}/disconnect")


def _if_answered(agent: Person, path: str) -> Any:
    conversation = agent.get(path)
    return conversation if conversation["post_count"] > 1 else None


def assert_both_doors_lead_to(username: str, password: str, browser: httpx.Client) -> None:
    doors = (
        ("/session/demo", {"username": username}),
        ("/session", {"username": username, "password": password}),
    )
    for path, body in doors:
        assert browser.post(path, json=body).status_code == 204
        assert browser.get("/session").json()["username"] == username


def test_started_again_it_goes_on_with_the_same_keys_passwords_and_posts(up: RealUp) -> None:
    before = up.start()
    up.stop()

    after = up.start()

    assert after["keys"] == before["keys"]
    assert after["passwords"] == before["passwords"]
    assert set(after["passwords"]) == {*AGENTS, "supervisor", "administrator"}
    assert len(set(after["passwords"].values())) == len(after["passwords"])
    assert stat.S_IMODE((up.folder / "run.json").stat().st_mode) == 0o600
    with httpx.Client(base_url=after["api_url"]) as browser:
        people = browser.get("/session/demo").json()["items"]
        assert {one["username"] for one in people} == set(after["passwords"])
        for username, password in after["passwords"].items():
            assert_both_doors_lead_to(username, password, browser)
    with closing(Person(after, after["keys"]["supervisor"])) as supervisor:
        assert len(supervisor.listed()) == len(WAITING)
        channel = supervisor.get("/channels")["items"]
        assert len(channel) == 1


def test_a_network_that_has_to_move_is_found_again(up: RealUp) -> None:
    before = up.start()
    up.stop()
    port = urlsplit(before["simulated_network_url"]).port

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        after = up.start()

    assert after["keys"] == before["keys"]
    assert after["simulated_network_url"] != before["simulated_network_url"]
    with closing(Person(after, after["keys"]["admin"])) as admin:
        (account,) = admin.get("/accounts")["items"]
        assert account["settings"]["url"] == after["simulated_network_url"]
