"""Hears that the process is asked to end, before its server begins to wait for open connections."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def heard(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` in the loop at the first signal, and then whoever listened before.

    A server waits for its connections before the application's lifespan ends; streams that
    never end by themselves would use its whole patience up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        listener = before[signal.Signals(number)]
        if callable(listener):
            listener(number, frame)

    mine = [number for number, listener in before.items() if callable(listener)]
    for number in mine:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])
