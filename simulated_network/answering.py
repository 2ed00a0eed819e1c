"""How a call that meets a fault is answered, before the network acted and after it did."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from simulated_network.connection import reset
from simulated_network.faults import ACCEPT_THEN, Hit
from simulated_network.model import Refusal

GARBAGE = b'{"posts": [{"id": "12\xff\xfe'
"""Neither JSON nor UTF-8."""


class Spoilt(Exception):
    """The answer to this call is given already, and it is not what the caller hoped for."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def meet(request: Request, hit: Hit) -> None:
    """Let the call meet its fault before the network does anything for it.

    Raises:
        Refusal, Spoilt, ConnectionWasReset: the call ends here and had no effect.
    """
    await asyncio.sleep(hit.delay_ms / 1000)
    fault = hit.fault
    if fault is None or fault.kind in ACCEPT_THEN:
        return
    if fault.kind == "status":
        raise _failure(fault.status, fault.retry_after_s)
    if fault.kind == "reset":
        await reset(request)
    if fault.kind == "garbage":
        raise Spoilt(Response(GARBAGE, media_type="application/json"))


async def meet_after_acceptance(request: Request, hit: Hit) -> None:
    """Let the caller of an accepted call learn something else, or nothing."""
    fault = hit.fault
    if fault is None or fault.kind not in ACCEPT_THEN:
        return
    if fault.kind == "accept_then_500":
        raise _failure(fault.status, fault.retry_after_s)
    if fault.kind == "accept_then_garbage":
        raise Spoilt(Response(GARBAGE, status_code=201, media_type="application/json"))
    if fault.kind == "accept_then_timeout":
        await asyncio.sleep(fault.delay_ms / 1000)
    await reset(request)


def _failure(status: int, retry_after_s: int | None) -> Refusal:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Refusal(status, "fault", "this failure was asked for", headers=headers)
