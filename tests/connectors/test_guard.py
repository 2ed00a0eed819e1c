"""The guard's judgement of addresses, and the client whose every connection it judges."""

import ipaddress
from collections.abc import Sequence

import httpx
import pytest

from connectors.calls import call, new_client, outcome_of_failure
from connectors.guard import ALLOWED_BY, STRICT, ForbiddenTarget, Guard
from connectors.guarded_transport import RefusedTarget
from conversations.networks import NetworkTrouble
from conversations.replies import Certainty
from settings import environment_name
from tests.connectors.counting import CountingListener

SPECIAL_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.254 168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.9 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1 192.175.48.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 :: ::1 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8
::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%1 fec0::1
ff02::1 4000::1 e000::1
"""
PUBLIC_ADDRESSES = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
172.15.255.255 172.32.0.0 192.167.255.255 193.0.0.1 198.17.255.255 198.20.0.0 223.255.255.255
2606:4700:4700::1111 2a00:1450:4001:800::1 2001:4860:4860::8888 2003::1
"""


@pytest.mark.parametrize("text", SPECIAL_ADDRESSES.split())
def test_an_address_of_special_use_is_refused(text: str) -> None:
    assert not STRICT.is_allowed(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC_ADDRESSES.split())
def test_a_public_address_is_allowed(text: str) -> None:
    assert STRICT.is_allowed(ipaddress.ip_address(text))


def test_what_the_operator_allows_is_allowed_and_nothing_beside_it() -> None:
    guard = Guard.allowing(["10.1.0.0/16", "fd00:1::/32"])

    assert guard.is_allowed(ipaddress.ip_address("10.1.2.3"))
    assert guard.is_allowed(ipaddress.ip_address("fd00:1::9"))
    assert not guard.is_allowed(ipaddress.ip_address("10.2.0.1"))
    assert not guard.is_allowed(ipaddress.ip_address("::ffff:10.1.2.3"))


def test_the_refusal_names_the_setting_that_would_allow_it() -> None:
    assert environment_name("internal_targets") == ALLOWED_BY


async def test_one_forbidden_address_among_public_ones_refuses_the_name() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["1.1.1.1", "10.0.0.1"]

    with pytest.raises(ForbiddenTarget, match=r"private use.*PARLEY_INTERNAL_TARGETS"):
        await Guard((), resolve).addresses_of("both.example", 443)


async def test_a_refused_call_made_no_connection_and_was_certainly_not_sent() -> None:
    with CountingListener() as listener:
        async with new_client(STRICT) as client:
            request = client.build_request("POST", listener.url, content=b"words")
            with pytest.raises(RefusedTarget) as refused:
                await call(client, request)
    outcome = outcome_of_failure(refused.value)

    assert listener.connections == 0
    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert ALLOWED_BY in (outcome.reason or "")


def test_the_trouble_that_a_refusal_makes_names_it() -> None:
    trouble = NetworkTrouble("/posts did not answer: RefusedTarget")
    trouble.__cause__ = RefusedTarget("it leads inside")

    assert str(trouble) == "/posts did not answer: RefusedTarget: it leads inside"


async def test_the_answer_that_was_judged_is_the_one_that_is_connected_to() -> None:
    """A name whose second answer would be another is asked once."""
    with CountingListener() as allowed:
        answers = [["127.0.0.1"], ["169.254.169.254"]]
        asked = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            asked.append((host, port))
            return answers[len(asked) - 1]

        guard = Guard.allowing(["127.0.0.0/8"], resolve)
        async with new_client(guard) as client:
            answer = await client.get(f"http://changing.example:{allowed.port}/")

    assert answer.status_code == httpx.codes.OK
    assert asked == [("changing.example", allowed.port)]
    assert allowed.connections == 1
    assert f"host: changing.example:{allowed.port}" in allowed.heard.lower()


async def test_every_address_of_a_name_is_tried() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["127.0.0.2", "127.0.0.1"]

    with CountingListener() as listener:
        guard = Guard.allowing(["127.0.0.0/8"], resolve)
        async with new_client(guard) as client:
            answer = await client.get(f"http://two.example:{listener.port}/")

    assert answer.status_code == httpx.codes.OK


async def test_a_proxy_of_the_environment_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with CountingListener() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with new_client(STRICT) as client:
            with pytest.raises(RefusedTarget):
                await client.get("http://127.0.0.1:1/")

    assert proxy.connections == 0


async def test_a_network_that_drips_is_left_after_a_while() -> None:
    with CountingListener(drips=True) as listener:
        async with new_client(Guard.allowing(["127.0.0.0/8"])) as client:
            request = client.build_request("GET", listener.url)
            with pytest.raises(httpx.ReadTimeout):
                await call(client, request, within_s=0.5)
