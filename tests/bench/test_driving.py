import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.bounds import at_once
from bench.caller import LOOPBACK, Caller, UnexpectedAnswer, read_head
from bench.instance import cpu_ms_each
from bench.network import Network

REQUESTS = list[tuple[str, dict[str, str], bytes]]


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[int, REQUESTS, list[int]]]:
    """Run a server that gives its answers in turn, and notes requests and connections."""
    requests: REQUESTS = []
    connections: list[int] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        while left:
            try:
                first, headers = await read_head(reader)
            except asyncio.IncompleteReadError:
                break
            body = await reader.readexactly(int(headers["content-length"]))
            requests.append((first, dict(headers), body))
            writer.write(left.pop(0))
        writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1], requests, connections


def answer(status: str, body: object, *headers: str) -> bytes:
    raw = b"" if body is None else json.dumps(body).encode()
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", *headers, "", ""])
    return head.encode() + raw


async def test_calls_stay_connected_and_carry_key_and_idempotency_key() -> None:
    ok = answer("200 OK", {"id": "cv-1"})
    async with answering(ok, ok) as (port, requests, connections):
        caller = Caller(port, "a-key")
        first = await caller.ok("POST", "/conversations/cv-1/hold", {})
        await caller.ok("POST", "/conversations/cv-1/resume", {})
        await caller.close()

    keys = [headers["idempotency-key"] for _, headers, _ in requests]
    assert first == {"id": "cv-1"}
    assert requests[0][0] == "POST /api/v1/conversations/cv-1/hold HTTP/1.1"
    assert requests[0][1]["authorization"] == "Bearer a-key"
    assert len(set(keys)) == 2
    assert len(connections) == 1


async def test_an_answer_without_a_body_is_an_empty_one() -> None:
    async with answering(answer("204 No Content", None)) as (port, _, _):
        caller = Caller(port, "a-key")
        assert await caller.ok("PUT", "/workgroups/wg-1/members/ag-1") == {}
        await caller.close()


async def test_a_refusal_is_told_with_its_words() -> None:
    refusal = answer("409 Conflict", {"code": "offer_expired"}, "Connection: close")
    async with answering(refusal) as (port, _, _):
        with pytest.raises(UnexpectedAnswer, match=r"409.*offer_expired"):
            await Caller(port, "a-key").ok("POST", "/conversations/cv-1/pickup", {})


async def test_a_reply_may_arrive_before_or_after_somebody_waits_for_it() -> None:
    async with Network() as network:
        port = int(network.url.rpartition(":")[2].partition("/")[0])
        sender = Caller(port, "nobody's")
        await sender.ok("POST", "/replies", {"reply_id": "re-1"})
        await network.arrival("re-1")
        waiting = asyncio.create_task(network.arrival("re-2"))
        await sender.ok("POST", "/replies", {"reply_id": "re-2"})
        await waiting
        await sender.close()


async def test_so_many_are_done_with_so_many_at_work() -> None:
    done: list[int] = []
    at_work = 0
    most = 0

    async def one(number: int) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        done.append(number)

    await at_once(50, 4, one)

    assert sorted(done) == list(range(50))
    assert most == 4


def test_cpu_time_is_shared_among_what_was_done() -> None:
    assert cpu_ms_each({"api": 1.0}, {"api": 3.0}, 100) == {"api": 20.0}
