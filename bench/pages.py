"""The pages in a real Chromium on a real Parley: requests, bytes, latency, frames, memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from playwright.async_api import CDPSession, ConsoleMessage, Page, Request, async_playwright

from bench.caller import LOOPBACK
from bench.floor import Floor, add_channel, floor
from bench.instance import Parley
from bench.samples import percentile
from bench.sizes import Sizes

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
AGENTS = 4
PAGE = 100
MIB = 1024 * 1024
SHOWN_WITHIN_S = 60.0
SETTLES_S = 2.0
PAUSE_S = 0.05
NOBODYS_SKILL = [{"skill": "volapuk", "min_proficiency": 50}]
WEIGHED_AT_PERCENT = (10, 50, 100)
EVENTS_EACH = 3
"""A conversation is created, gets its post, and is discarded."""

SHORTEST_TOLD_MS = 16.0
"""Browsers tell of no key that was painted sooner."""

COUNT = "document.querySelector('.floor')?.innerText.match(/(\\d+) open conversation/)?.[1]"
WATCH_COUNT = f"""() => {{
  globalThis.benchSeen = {{}};
  const look = () => {{ benchSeen[{COUNT}] ??= Date.now(); }};
  new MutationObserver(look).observe(document.body, {{ subtree: true, childList: true, characterData: true }});
  look();
}}"""  # noqa: E501
WATCH_KEYS = """() => {
  globalThis.benchKeys = [];
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'keydown') benchKeys.push(duration);
  }).observe({ type: 'event', durationThreshold: 16 });
}"""  # noqa: E501
SCROLL = """async () => {
  const frame = document.querySelector('.table-frame');
  const gaps = [];
  let last = performance.now();
  const next = () => new Promise(requestAnimationFrame);
  while (frame.scrollTop + frame.clientHeight < frame.scrollHeight - 1) {
    frame.scrollTop += 400;
    await next();
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  frame.scrollTop = 0;
  return gaps;
}"""


@dataclass(slots=True)
class Visit:
    """A page, what it asked for, and what its console complained of."""

    page: Page
    protocol: CDPSession
    complaints: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def listen(self) -> None:
        def hear(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.complaints.append(message.text)

        self.page.on("console", hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

        def note(request: Request) -> None:
            self.asked.append(request)

        self.page.on("requestfinished", note)

    async def weight_kb(self) -> float:
        sizes = [await request.sizes() for request in self.asked]
        return sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes) / 1000

    async def heap_mib(self) -> float:
        await self.protocol.send("HeapProfiler.collectGarbage")
        usage = await self.protocol.send("Runtime.getHeapUsage")
        return float(usage["usedSize"]) / MIB


@asynccontextmanager
async def visiting(parley: Parley) -> AsyncIterator[Visit]:
    """Open a browser in which the administrator is logged in."""
    if not HAS_CHROMIUM:
        raise RuntimeError(f"there is no {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(
            base_url=f"http://{LOOPBACK}:{parley.port}", viewport={"width": 1440, "height": 900}
        )
        page = await context.new_page()
        visit = Visit(page, await context.new_cdp_session(page))
        visit.listen()
        try:
            yield visit
        finally:
            await browser.close()


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Look at a floor of waiting conversations while things happen on it."""
    async with floor(parley, AGENTS) as made, visiting(parley) as visit:
        channel_id = await add_channel(made, "a wall in Volapük", required_skills=NOBODYS_SKILL)
        for _ in range(sizes.pages_open // PAGE):
            await made.send(made.posts(PAGE), channel_id)
        found = await _first_page(visit, made)
        found |= await _floor(visit, made, channel_id, sizes)
        found |= await _memory(visit, made, sizes)
        found["pages.complaints"] = float(len(visit.complaints))
    return found


async def _first_page(visit: Visit, made: Floor) -> dict[str, float]:
    """Load the page where one logs in; then log in by the session, as the form does."""
    await visit.page.goto("/", wait_until="networkidle")
    visit.complaints.clear()  # The first question about the session is answered with 401.
    first, weight_kb = len(visit.asked), await visit.weight_kb()
    answer = await visit.page.request.post(
        "/api/v1/session", data={"key": made.admin.key}, headers={"Origin": _origin(visit)}
    )
    if not answer.ok:
        raise RuntimeError(f"the log-in was answered with {answer.status}")
    return {"pages.requests": float(first), "pages.weight": weight_kb}


def _origin(visit: Visit) -> str:
    return "/".join(visit.page.url.split("/")[:3])


async def _floor(visit: Visit, made: Floor, channel_id: str, sizes: Sizes) -> dict[str, float]:
    page = visit.page
    began_s = time.perf_counter()
    await page.goto("/#/floor")
    await page.reload()
    await _until(visit, f"Number({COUNT}) >= {sizes.pages_open}")
    drawn_ms = (time.perf_counter() - began_s) * 1000
    await asyncio.sleep(SETTLES_S)
    gaps = await page.evaluate(SCROLL)
    ages = await _ages_ms(visit, made, channel_id, sizes.page_samples)
    keys = await _keys_ms(visit, sizes.page_samples)
    return {
        "pages.open": float(sizes.pages_open),
        "pages.drawn": drawn_ms,
        "pages.frame_p95": percentile(gaps, 95),
        "pages.event_p50": percentile(ages, 50),
        "pages.event_p95": percentile(ages, 95),
        "pages.key_p95": percentile(keys, 95),
    }


async def _ages_ms(visit: Visit, made: Floor, channel_id: str, samples: int) -> list[float]:
    """Open one conversation after the other; answer how old its event was when it was drawn.

    The event's moment is the database's clock in its transaction, shortly before the commit.
    """
    await visit.page.evaluate(WATCH_COUNT)
    count = int(await visit.page.evaluate(COUNT))
    ages: list[float] = []
    for number in range(1, samples + 1):
        (conversation_id,) = await made.send(made.posts(1), channel_id)
        seen_ms = await _until(visit, f"benchSeen[{count + number}]")
        read = await made.admin.ok("GET", f"/conversations/{conversation_id}")
        at_ms = datetime.fromisoformat(read["created_at"]).timestamp() * 1000
        ages.append(seen_ms - at_ms)
        await asyncio.sleep(PAUSE_S)
    return ages


async def _until(visit: Visit, expression: str) -> float:
    """Ask again and again: the pages' policy lets no text become code later on."""
    deadline_s = time.monotonic() + SHOWN_WITHIN_S
    while time.monotonic() < deadline_s:
        if found := await visit.page.evaluate(expression):
            return float(found)
        await asyncio.sleep(PAUSE_S)
    raise RuntimeError(f"the page never showed {expression}")


async def _keys_ms(visit: Visit, samples: int) -> list[float]:
    """Walk down the list; what is painted sooner than is told counts as the shortest told."""
    await visit.page.evaluate(WATCH_KEYS)
    for _ in range(samples):
        await visit.page.keyboard.press("j")
        await asyncio.sleep(PAUSE_S)
    await asyncio.sleep(SETTLES_S)
    told = [float(one) for one in await visit.page.evaluate("benchKeys")]
    return told + [SHORTEST_TOLD_MS] * max(0, samples - len(told))


async def _memory(visit: Visit, made: Floor, sizes: Sizes) -> dict[str, float]:
    """Let conversations come and go before a page that is open, and weigh it three times."""
    channel_id = await add_channel(made, "another wall in Volapük", required_skills=NOBODYS_SKILL)
    marks = [sizes.page_events * share // 100 for share in WEIGHED_AT_PERCENT]
    heaps, told = [], 0
    await visit.page.evaluate("location.hash = '#/floor'")
    for mark in marks:
        while told < mark:
            told += await _come_and_go(
                made, channel_id, min(PAGE, -(-(mark - told) // EVENTS_EACH))
            )
        await asyncio.sleep(SETTLES_S)
        heaps.append(await visit.heap_mib())
    return {
        "pages.events": float(told),
        "pages.heap_first": heaps[0],
        "pages.heap_half": heaps[1],
        "pages.heap": heaps[-1],
        "pages.heap_growth": heaps[-1] - heaps[0],
    }


async def _come_and_go(made: Floor, channel_id: str, count: int) -> int:
    """Open conversations and end them; return how many events that told."""
    ids = await made.send(made.posts(count), channel_id)
    for conversation_id in ids:
        await made.command(made.admin, conversation_id, "discard", {"reason": "measured"})
    return count * EVENTS_EACH
