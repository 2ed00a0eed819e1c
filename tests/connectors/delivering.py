"""Drives a connector as production does, by the production rules, on a clock that skips waits."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field, replace

from conversations.capabilities import Delivery
from conversations.model import Author, Post, ReplyState, Visibility
from conversations.networks import ListenedChannel, Page
from conversations.replies import Reply, Step, after_attempt, after_look_up, next_step
from tests.connectors.peer import Peer, Published

MOST_STEPS = 60
ARRIVES_WITHIN_S = 30.0
BREATH_S = 0.02


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def unique(words: str) -> str:
    """Return words that nobody else says in this run."""
    return f"{words} {uuid.uuid4().hex[:12]}"


def visibilities(peer: Peer) -> list[Visibility]:
    return sorted(peer.connector.capabilities(peer.account).visibilities)


def hears(peer: Peer) -> bool:
    """Whether the network can be asked for posts."""
    return Delivery.POLL in peer.connector.capabilities(peer.account).deliveries


def reply_to(post: Post, peer: Peer, text: str) -> Reply:
    """Return an agent's answer as the core would hand it to the connector."""
    now = now_ms()
    return Reply(
        id=f"re_{uuid.uuid4().hex}",
        conversation_id="cv-1",
        account_id=peer.account.id,
        channel_id="ch-1",
        network=peer.account.network,
        agent_id="ag-1",
        text=text,
        visibility=post.visibility,
        to_external_id=post.author.external_id,
        to_handle=post.author.handle,
        in_reply_to=post.external_id,
        state=ReplyState.ACCEPTED,
        covers=1,
        created_at=now,
        tried_since=now,
        thread_root=post.thread_root,
    )


async def deliver(peer: Peer, reply: Reply) -> Reply:
    """Take the reply's steps until it is settled or a human is asked; waits cost nothing."""
    connector, account, skipped_ms = peer.connector, peer.account, 0
    for _ in range(MOST_STEPS):
        now = now_ms() + skipped_ms
        step = next_step(reply, connector.read_back(account, reply, now), now)
        reply = step.reply
        if step.step is Step.STOP:
            return reply
        if step.step is Step.WAIT:
            skipped_ms += step.wait_ms + 1
            await asyncio.sleep(BREATH_S)
            continue
        call = connector.publish if step.step is Step.SEND else connector.look_up
        outcome = await call(account, reply)
        move = after_attempt if step.step is Step.SEND else after_look_up
        reply = move(reply, outcome, now_ms() + skipped_ms)
    return reply


async def said(peer: Peer, text: str) -> list[Published]:
    """Return what the brand has on the network with these words, by the server's own account."""
    return [one for one in await peer.published() if text in one.text]


@dataclass
class Reader:
    """Polls as a listener does: page by page, from the cursor that it was given last."""

    peer: Peer
    limit: int = 100
    cursor: str | None = None
    seen: list[Post] = field(default_factory=list)

    async def page(self) -> Page:
        channel = ListenedChannel(
            self.peer.account, poll_interval_ms=1_000, post_limit=self.limit, cursor=self.cursor
        )
        page = await self.peer.connector.fetch(replace(channel, id="ch-1"))
        assert len(page.posts) <= self.limit * len(visibilities(self.peer))
        if page.cursor is not None:
            self.cursor = page.cursor
        self.seen += page.posts
        return page

    async def until(self, *external_ids: str) -> list[Post]:
        """Poll until all of these came, and return them in the order in which they came."""
        wanted, deadline = set(external_ids), time.monotonic() + ARRIVES_WITHIN_S
        while not wanted <= {post.external_id for post in self.seen}:
            page = await self.page()
            missing = wanted - {post.external_id for post in self.seen}
            assert time.monotonic() < deadline, f"these never came: {missing}"
            if not page.goes_on:
                await asyncio.sleep(min(1.0, page.retry_after_s or 0.1))
        return [post for post in self.seen if post.external_id in wanted]


async def heard(
    peer: Peer, words: str, *, visibility: Visibility, to: str | None = None
) -> tuple[Reader, Post]:
    """Let a customer say something and return it as the connector brings it, if it hears."""
    reader = Reader(peer)
    external_id = await peer.customer_says(words, visibility=visibility, to=to)
    if not hears(peer):
        return reader, Post(external_id, Author("c-1", "customer"), words, now_ms(), visibility)
    (post,) = await reader.until(external_id)
    return reader, post
