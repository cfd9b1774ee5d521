"""What waits to be sent to a tab: bounded, however slowly the tab reads.

An engine that trains sends frames faster than some tabs take them. Two frames that wait beside each other and answer
nothing become one, so that of numbers only the newest wait. Anything else answers a command, or is rare; where it piles
up all the same, the tab does not read at all, and its socket is closed.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reseau.studio.frames import unpacked
from reseau.studio.merged import merged

MOST_MESSAGES = 256
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Ending:
    """Why the server closes a tab's socket: the code of a WebSocket's close, and what is said with it."""

    code: int
    reason: str


TAKEN = Ending(4001, "taken by another tab")
UNREAD = Ending(1008, "too much was left unread")


@dataclass(frozen=True)
class _Waiting:
    """A message that waits, and whether it is a frame that answers nothing."""

    content: str | bytes
    loose: bool


class Outbox:
    """The messages to one tab: put in from any thread, taken out by the loop that made it.

    Attributes
    ----------
    asked : set of int
        The ids of commands that are not answered yet; whoever passes one on adds it.
    overflowed : asyncio.Event
        Set once the tab has left too much unread.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._ending: Ending | None = None
        self._news = asyncio.Event()
        self.asked: set[int] = set()
        self.overflowed = asyncio.Event()

    def send(self, message: dict[str, Any] | bytes) -> None:
        """Have a message sent, and return at once. After the end, nothing is sent any more."""
        if isinstance(message, bytes):
            answer = unpacked(message)[0]["answer"]
            waiting = _Waiting(message, answer is None)
        else:
            answer = message["answer"]
            waiting = _Waiting(json.dumps(message, allow_nan=False), False)
        self.asked.discard(answer)
        with self._lock:
            if self._ending is not None:
                return
            self._put(waiting)
            full = len(self._waiting) > MOST_MESSAGES or self._bytes > MOST_BYTES
            if full:
                self._ending = UNREAD
                self._waiting.clear()
                self._bytes = 0
        self._tell(self.overflowed if full else self._news)

    def end(self, ending: Ending) -> None:
        """Have what waits sent, and the socket closed then."""
        with self._lock:
            self._ending = self._ending or ending
        self._tell(self._news)

    async def take(self) -> str | bytes | Ending:
        """The next message when there is one, or why there is none any more."""
        while True:
            with self._lock:
                if self._waiting:
                    content = self._waiting.popleft().content
                    self._bytes -= len(content)
                    return content
                if self._ending is not None:
                    return self._ending
                self._news.clear()
            await self._news.wait()

    def _put(self, waiting: _Waiting) -> None:
        if waiting.loose and self._waiting and self._waiting[-1].loose:
            last = self._waiting.pop().content
            self._bytes -= len(last)
            assert isinstance(last, bytes)
            assert isinstance(waiting.content, bytes)
            waiting = _Waiting(merged(last, waiting.content), True)
        self._waiting.append(waiting)
        self._bytes += len(waiting.content)

    def _tell(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # of a loop that has ended
            self._loop.call_soon_threadsafe(event.set)
