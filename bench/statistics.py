"""What a wallboard asks for, beside a full floor and a long past."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from bench.caller import Caller
from bench.crowded import crowd
from bench.instance import Parley
from bench.samples import percentile
from bench.sizes import Sizes
from storage.database import open_database

NEW_READING_S = 0.55
"""A reading is shared for half a second: after this long every answer is a reading of its own."""


async def measure(parley: Parley, sizes: Sizes) -> dict[str, float]:
    """Ask for the floor now and for the last half hour, as a wallboard does; and for a day."""
    database = open_database(parley.database_url)
    try:
        await crowd(database, sizes.crowded)
    finally:
        await database.close()
    caller = Caller(parley.port, parley.admin_key)
    first = await _timed(caller, "/statistics/now")
    now = [await _timed(caller, "/statistics/now") for _ in range(sizes.readings)]
    lines = [await _timed(caller, _intervals(hours=0.5, width_s=60)) for _ in range(sizes.readings)]
    days = [await _timed(caller, _intervals(hours=24, width_s=900)) for _ in range(10)]
    return {
        "statistics.first": first,
        "statistics.now_p50": percentile(now, 50),
        "statistics.now_p99": percentile(now, 99),
        "statistics.half_hour_p50": percentile(lines, 50),
        "statistics.half_hour_p99": percentile(lines, 99),
        "statistics.day_p50": percentile(days, 50),
    }


def _intervals(*, hours: float, width_s: int) -> str:
    until = datetime.now(UTC)
    since = until - timedelta(hours=hours)
    period = f"from={quote(since.isoformat())}&to={quote(until.isoformat())}"
    return f"/statistics/intervals?{period}&width_s={width_s}"


async def _timed(caller: Caller, path: str) -> float:
    began_s = time.perf_counter()
    await caller.ok("GET", path)
    took_s = time.perf_counter() - began_s
    await asyncio.sleep(NEW_READING_S)
    return took_s * 1000
