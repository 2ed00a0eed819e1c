"""A look-up whose line may break: whatever the line does says nothing about the reply."""

import asyncio
from collections.abc import Awaitable

import httpx

from connectors.patience import Busy
from conversations.networks import NetworkTrouble
from conversations.replies import Certainty, Outcome

LOOK_UP_WITHIN_S = 8.0


async def looked_up(asking: Awaitable[Outcome], no_access: str) -> Outcome:
    """Return what the network told, or MAYBE; `no_access` is said when the account lacks a setting.

    A missing setting shows as `KeyError`, a wrong address as `httpx.InvalidURL`.
    """
    try:
        async with asyncio.timeout(LOOK_UP_WITHIN_S):
            return await asking
    except Busy as busy:
        pause_s = busy.retry_after_s
        return Outcome(Certainty.MAYBE, reason="too many look-ups", retry_after_s=pause_s)
    except (httpx.HTTPError, TimeoutError, NetworkTrouble) as error:
        return Outcome(Certainty.MAYBE, reason=f"look-up failed: {type(error).__name__}")
    except (KeyError, httpx.InvalidURL):
        return Outcome(Certainty.MAYBE, reason=no_access)
