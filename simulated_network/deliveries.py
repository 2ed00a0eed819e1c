"""Webhooks out: each account's posts in pages, signed, again and again until they are taken."""

import asyncio
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import structlog

from simulated_network import accounts, posts, signing
from simulated_network.answering import GARBAGE
from simulated_network.database import Writing
from simulated_network.faults import Hit
from simulated_network.model import Account, Post
from simulated_network.wire import encoded, post_json
from simulated_network.world import World, wait_for_ring

FIRST_BACK_OFF_S = 0.25
LONGEST_BACK_OFF_S = 30.0
ANSWER_TIMEOUT_S = 10.0
_REORDERED_POSTS = 50

_log = structlog.get_logger()


@dataclass(slots=True)
class Health:
    """What became of an account's deliveries since the server started."""

    attempts: int = 0
    failures: int = 0
    last_status: int | None = None
    bad_signatures_accepted: int = 0


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One request to come: its id stays the same over all attempts."""

    webhook_id: str
    body: bytes


@dataclass(slots=True)
class Deliveries:
    """One sender per account that has a webhook."""

    world: World
    health: defaultdict[int, Health] = field(default_factory=lambda: defaultdict(Health))
    _senders: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, trust_env=False)
    )

    async def look_for_accounts(self) -> None:
        """Start a sender for every account that has none."""
        for account in await self.world.read(accounts.all_accounts):
            running = self._senders.get(account.id)
            if running is None or running.done():
                self._senders[account.id] = asyncio.create_task(self._send_all(account.id))

    async def close(self) -> None:
        for sender in self._senders.values():
            sender.cancel()
        await asyncio.gather(*self._senders.values(), return_exceptions=True)
        await self._client.aclose()

    async def listing(self) -> list[dict[str, Any]]:
        return [
            {"account": account.handle, "url": account.webhook_url}
            | asdict(self.health[account.id])
            for account in await self.world.read(accounts.all_accounts)
        ]

    async def _send_all(self, account_id: int) -> None:
        while True:
            ring = self.world.bells[account_id].next_ring
            account = await self._account(account_id)
            if account is None:
                return
            if not await self._send_next(account):
                await wait_for_ring(ring, timeout_s=None)

    async def _send_next(self, account: Account) -> bool:
        """Deliver the next posts; False when there is nothing to deliver."""
        if account.webhook_url is None or account.suspended:
            return False
        found = await self._next_posts(account, account.webhook_page_size)
        if not found:
            return False
        hit = self.world.faults.hit(account.handle, "webhook")
        await asyncio.sleep(hit.delay_ms / 1000)
        if hit.kind == "reorder":
            found = await self._next_posts(account, _REORDERED_POSTS)
        await self._send_spoilt(account, hit)
        parcels = self._parcels(account, found, hit)
        if hit.kind == "reorder":
            # At once, so that not even the order of sending is an order.
            await asyncio.gather(*(self._insist(account.id, parcel) for parcel in parcels))
        else:
            for parcel in parcels:
                await self._insist(account.id, parcel, loses_answer=hit.kind == "lost_answer")
        place = found[-1][0]
        await self.world.write(lambda writing: _advance(writing, account.id, place))
        return True

    def _parcels(self, account: Account, found: list[tuple[int, Post]], hit: Hit) -> list[_Parcel]:
        if hit.kind == "reorder":
            self.world.faults.chance.shuffle(found := list(found))
        size = account.webhook_page_size
        pages = [found[start : start + size] for start in range(0, len(found), size)]
        copies = hit.fault.times if hit.fault is not None and hit.kind == "duplicate" else 1
        return [
            _Parcel(_webhook_id(account, page, copy), self._body(account, page))
            for page in pages
            for copy in range(copies)
        ]

    def _body(self, account: Account, page: list[tuple[int, Post]]) -> bytes:
        shapes = [post_json(post, viewer=account, base_url=self.world.base_url) for _, post in page]
        return encoded({"account": account.handle, "posts": shapes})

    async def _send_spoilt(self, account: Account, hit: Hit) -> None:
        """Send what no receiver may take, before the true page."""
        at_s = int(time.time())
        if hit.kind == "garbage":
            await self._post(account, _Parcel(f"wh_garbage_{account.id}_{at_s}", GARBAGE))
        if hit.kind == "bad_signature":
            parcel = _Parcel(f"wh_forged_{account.id}_{at_s}", b'{"account":"","posts":[]}')
            if await self._post(account, parcel, secret="whsec_" + "Zm9yZ2Vk" * 4):
                self.health[account.id].bad_signatures_accepted += 1

    async def _insist(
        self, account_id: int, parcel: _Parcel, *, loses_answer: bool = False
    ) -> None:
        """Send until it is taken; the account is read anew, so a changed address counts at once."""
        back_off_s = FIRST_BACK_OFF_S
        while True:
            ring = self.world.bells[account_id].next_ring
            account = await self._account(account_id)
            if account is None:
                return
            if account.webhook_url is not None and not account.suspended:
                is_taken = await self._post(account, parcel)
                if is_taken and not loses_answer:
                    return
            loses_answer = False
            jitter = 0.8 + 0.4 * self.world.faults.chance.random()
            if account.webhook_url is None:
                await wait_for_ring(ring, timeout_s=None)
            else:
                await asyncio.sleep(back_off_s * jitter)
            back_off_s = min(back_off_s * 2, LONGEST_BACK_OFF_S)

    async def _post(self, account: Account, parcel: _Parcel, *, secret: str | None = None) -> bool:
        health = self.health[account.id]
        health.attempts += 1
        headers = signing.headers(
            secret or account.webhook_secret or "",
            webhook_id=parcel.webhook_id,
            timestamp_s=int(time.time()),
            body=parcel.body,
        )
        try:
            answer = await self._client.post(
                account.webhook_url or "",
                content=parcel.body,
                headers=headers | {"content-type": "application/json"},
            )
        except httpx.HTTPError as error:
            health.failures += 1
            health.last_status = None
            _log.info("webhook_failed", account=account.handle, error=type(error).__name__)
            return False
        health.last_status = answer.status_code
        if not answer.is_success:
            health.failures += 1
            _log.info("webhook_refused", account=account.handle, status=answer.status_code)
        return answer.is_success

    async def _account(self, account_id: int) -> Account | None:
        return await self.world.read(lambda db: accounts.account_by_id(db, account_id))

    async def _next_posts(self, account: Account, limit: int) -> list[tuple[int, Post]]:
        return await self.world.read(
            lambda db: posts.inbox_after(db, account, account.webhook_cursor, limit=limit)
        )


def _webhook_id(account: Account, page: list[tuple[int, Post]], copy: int) -> str:
    places = [place for place, _ in page]
    again = f"_again{copy}" if copy else ""
    return f"wh_{account.id}_{min(places)}_{max(places)}{again}"


def _advance(writing: Writing, account_id: int, place: int) -> None:
    writing.db.execute(
        "UPDATE accounts SET webhook_cursor = ? WHERE id = ? AND webhook_cursor < ?",
        (place, account_id, place),
    )
