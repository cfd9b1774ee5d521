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

from reseau.studio.merged import answers, merged

MOST_MESSAGES = 256
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Ending:
    """Why the server closes a tab's socket: what the page is told, and the code of a WebSocket's close."""

    code: int
    reason: str


TAKEN = Ending(4001, "taken by another tab")
UNREAD = Ending(1008, "too much was left unread")


class Outbox:
    """The messages to one tab: put in from any thread, taken out by the loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[str | bytes] = deque()
        self._bytes = 0
        self._ending: Ending | None = None
        self._news = asyncio.Event()
        self.overflowed = asyncio.Event()

    def send(self, message: dict[str, Any] | bytes) -> None:
        """Have a message sent, and return at once. After the end, nothing is sent any more."""
        content = message if isinstance(message, bytes) else json.dumps(message, allow_nan=False)
        with self._lock:
            if self._ending is not None:
                return
            self._put(content)
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
                    content = self._waiting.popleft()
                    self._bytes -= len(content)
                    return content
                if self._ending is not None:
                    return self._ending
                self._news.clear()
            await self._news.wait()

    def _put(self, content: str | bytes) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(content, bytes) and isinstance(last, bytes) and not (answers(content) or answers(last)):
            self._bytes -= len(self._waiting.pop())
            content = merged(last, content)
        self._waiting.append(content)
        self._bytes += len(content)

    def _tell(self, event: asyncio.Event) -> None:
        with suppress(RuntimeError):  # of a loop that has ended
            self._loop.call_soon_threadsafe(event.set)
