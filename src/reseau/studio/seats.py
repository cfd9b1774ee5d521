"""The sessions of a server: who has which, how long one is kept that nobody has, and how many there may be."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from reseau.studio.aside import aside
from reseau.studio.outbox import TAKEN, Outbox
from reseau.studio.refusal import Refusal

MOST_SESSIONS = 16
KEPT_FOR = 600.0  # seconds that a session is kept after its tab has gone
END_WITHIN = 2.0  # seconds for all sessions to end their training, after which nobody waits for them

T = TypeVar("T")
Send = Callable[[dict[str, Any] | bytes], None]


class Session(Protocol):
    """What is asked of a session here; `reseau.studio.session.Session` is one."""

    key: str

    def do(self, command: dict[str, Any]) -> None: ...
    def attach(self, send: Send) -> None: ...
    def detach(self) -> None: ...
    def take(self, what: str, lang: str) -> tuple[str, str, bytes]: ...
    def close(self) -> None: ...


class Seat:
    """A session, which one thread at a time works on, and the tab that has it, if one does."""

    def __init__(self, session: Session, outbox: Outbox) -> None:
        self.session = session
        self.outbox: Outbox | None = outbox
        self.left_at = 0.0
        self.expiry: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()

    async def work(self, work: Callable[..., T], *arguments: Any) -> T:
        """What work on the session returns or raises, after all work on it that was asked for before.

        Whoever is cancelled while waiting leaves the work going on, and the next in turn still waits for it.
        """

        async def in_turn() -> T:
            async with self._lock:
                return await aside(work, *arguments)

        return await asyncio.shield(asyncio.ensure_future(in_turn()))


class Seats:
    """The sessions of a server by their keys.

    Parameters
    ----------
    begin : callable
        Makes a session from a tab's `send` and the document that it begins with, or None.
    """

    def __init__(self, begin: Callable[[Send, dict[str, Any] | None], Session]) -> None:
        self._begin = begin
        self._seats: dict[str, Seat] = {}
        self._coming = 0
        self._closing: set[asyncio.Future[None]] = set()

    def find(self, key: str) -> Seat:
        """The session of this key; a Refusal if there is none."""
        if key not in self._seats:
            raise Refusal("no_session", "The session is not there, or no longer; begin a new one.")
        return self._seats[key]

    async def open(self, key: str | None, document: dict[str, Any] | None, outbox: Outbox) -> Seat:
        """The session of this key, taken from the tab that has it, or a new one; a Refusal where there are too many."""
        if key is not None and key in self._seats:
            return await self._take_up(self._seats[key], outbox)
        self._make_room()
        self._coming += 1
        try:
            session = await aside(self._begin, outbox.send, document)
        finally:
            self._coming -= 1
        seat = self._seats[session.key] = Seat(session, outbox)
        return seat

    async def leave(self, seat: Seat, outbox: Outbox) -> None:
        """A tab has gone: unless another has the session, it is paused, and closed after some minutes."""
        if seat.outbox is not outbox:
            return
        seat.outbox = None
        seat.left_at = time.monotonic()
        loop = asyncio.get_running_loop()
        seat.expiry = loop.call_later(KEPT_FOR, self._close, seat)
        await seat.work(self._detach, seat)

    def end(self) -> None:
        """Close all sessions, in a time that is bounded: training ends after the epoch or sooner."""
        threads = [threading.Thread(target=seat.session.close, daemon=True) for seat in self._seats.values()]
        self._seats.clear()
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + END_WITHIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    async def _take_up(self, seat: Seat, outbox: Outbox) -> Seat:
        if seat.expiry is not None:
            seat.expiry.cancel()
        before, seat.outbox = seat.outbox, outbox
        if before is not None and before is not outbox:
            before.send(Refusal("taken", "Another tab has taken up this session; this one shows it no longer.").event())
            before.end(TAKEN)
        await seat.work(seat.session.attach, outbox.send)
        return seat

    def _detach(self, seat: Seat) -> None:
        if seat.outbox is None:  # nobody has come meanwhile
            seat.session.detach()

    def _make_room(self) -> None:
        """Have a place free for one more: that of the session left for longest, if none is."""
        if len(self._seats) + self._coming < MOST_SESSIONS:
            return
        left = [seat for seat in self._seats.values() if seat.outbox is None]
        if not left:
            raise Refusal(
                "busy",
                f"There are {MOST_SESSIONS} sessions already, each open in a tab; close one of these tabs.",
                sessions=MOST_SESSIONS,
            )
        self._close(min(left, key=lambda seat: seat.left_at))

    def _close(self, seat: Seat) -> None:
        """Forget a session that nobody has, and end it beside the loop."""
        if seat.expiry is not None:
            seat.expiry.cancel()
        del self._seats[seat.session.key]
        closing = asyncio.ensure_future(seat.work(seat.session.close))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
