"""kill -9 of the worker, the API, Temporal and of everything: nothing lost, nothing said twice."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.database import open_database
from tests.e2e.running import ApiFloor, Caller, Running, eventually
from tests.history import History, World, read_history
from tests.invariants import violations_when_quiet

VICTIMS = ("worker", "api", "temporal", "all")
CUSTOMERS = 6


class Day:
    """Customers who write and agents who answer, whatever dies meanwhile."""

    def __init__(self, floor: ApiFloor) -> None:
        self.floor = floor
        self.posted: list[str] = []
        self.replies: list[str] = []
        self._closing, self._closed = threading.Event(), threading.Event()
        self._customers = [self._thread(self._customer, n) for n in range(CUSTOMERS)]
        self._agents = [self._thread(self._agent, caller) for caller in floor.agents]

    @staticmethod
    def _thread(target: Any, argument: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=(argument,), daemon=True)
        thread.start()
        return thread

    def _customer(self, number: int) -> None:
        turn = 0
        while not self._closing.is_set():
            page = self.floor.page(f"{number}-{turn}-{time.time_ns()}", "hello", "anybody?")
            path = f"/channels/{self.floor.channel}/posts"
            taken = self.floor.admin.persist("POST", path, page)
            assert taken.status_code == 202, taken.text
            self.posted += [post["external_id"] for post in page["posts"]]
            turn += 1
            time.sleep(0.3)

    def _agent(self, caller: Caller) -> None:
        me = caller.persist("GET", "/agents/me").json()["id"]
        while not self._closed.is_set():
            path = f"/conversations?state=alerting&agent_id={me}&limit=20"
            page = caller.persist("GET", path).json()
            for conversation in page["items"]:
                self._serve(caller, conversation)
            time.sleep(0.1)

    def _serve(self, caller: Caller, conversation: dict[str, Any]) -> None:
        path = f"/conversations/{conversation['id']}"
        if conversation["state"] != "alerting":
            return
        if caller.persist("POST", f"{path}/pickup", {}).status_code != 200:
            return
        reply = caller.persist("POST", f"{path}/replies", {"text": "Here you are"})
        if reply.status_code == 202:
            self.replies.append(reply.json()["id"])
        caller.persist("POST", f"{path}/disconnect", {})

    def close(self) -> None:
        """Let nobody write any more, and wait until everybody is served."""
        self._closing.set()
        for customer in self._customers:
            customer.join(120)

        def all_done() -> bool:
            found = self.floor.conversations()
            return bool(found) and all(c["state"] == "completed" for c in found)

        eventually(all_done, "every conversation ends", 120)
        self._closed.set()

        def all_said() -> bool:
            published = self.floor.receiver.published
            return all(published.get(reply_id) for reply_id in self.replies)

        eventually(all_said, "every reply is said", 120)
        time.sleep(2)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path).start()
    yield started
    started.stop()


def die(running: Running, victim: str) -> None:
    if victim == "all":
        running.kill_all()
        running.start()
    else:
        running.kill(victim)


def the_day_was_lawful(running: Running, day: Day) -> None:
    """Check the invariants on the database against the receiver's ledger."""

    async def read() -> History:
        database = open_database(running.database_url)
        try:
            return await database.read(read_history)
        finally:
            await database.close()

    posts = {(day.floor.account, external_id) for external_id in day.posted}
    world = World(posts=posts, published=day.floor.receiver.published)
    assert violations_when_quiet(asyncio.run(read()), world) == []
    assert set(day.replies) <= set(world.published)


@pytest.mark.timeout(300)
def test_each_kind_of_death_once(running: Running) -> None:
    floor = ApiFloor(running, agents=4, offer_timeout_s=120)
    day = Day(floor)

    for victim in VICTIMS:
        time.sleep(2)
        die(running, victim)
    time.sleep(2)
    day.close()

    the_day_was_lawful(running, day)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_hundred_and_twenty_deaths(running: Running) -> None:
    floor = ApiFloor(running, agents=4, offer_timeout_s=600)
    draw = random.Random(20)

    for _ in range(12):
        day = Day(floor)
        for _ in range(10):
            time.sleep(draw.random() * 4)
            die(running, draw.choices(VICTIMS, weights=(6, 3, 2, 1))[0])
        day.close()
        the_day_was_lawful(running, day)
