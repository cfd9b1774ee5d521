"""Work beside the loop, in threads that keep neither the loop nor the end of the program waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def aside(work: Callable[..., T], *arguments: Any) -> T:
    """What work returns, or raises, in a thread of its own; the loop goes on meanwhile.

    It is a daemon: where the loop ends first, nobody waits for it.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[], None]) -> None:
        if not outcome.done():
            how()

    def run() -> None:
        try:
            result = work(*arguments)
        except BaseException as error:
            how = partial(outcome.set_exception, error)
        else:
            how = partial(outcome.set_result, result)
        with suppress(RuntimeError):  # of a loop that has ended
            loop.call_soon_threadsafe(settle, how)

    threading.Thread(target=run, daemon=True, name="reseau studio").start()
    return await outcome
