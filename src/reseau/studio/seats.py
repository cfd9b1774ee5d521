"""The sessions of a server: who has which, how long one is kept that nobody has, and how many there may be."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from reseau.studio.aside import aside
from reseau.studio.outbox import TAKEN, Outbox
from reseau.studio.refusal import Refusal

MOST_SESSIONS = 16
KEPT_FOR = 600.0  # seconds that a session is kept after its tab has gone
END_WITHIN = 2.0  # seconds for all sessions to end their training, after which nobody waits for them

Send = Callable[[dict[str, Any] | bytes], None]


class Session(Protocol):
    """What is asked of a session here, as `reseau.studio.session.Session`: all but take and close return at once."""

    key: str

    def do(self, command: dict[str, Any]) -> None: ...
    def attach(self, send: Send) -> None: ...
    def detach(self) -> None: ...
    def take(self, what: str, lang: str) -> tuple[str, str, bytes]: ...
    def close(self) -> None: ...


class Seat:
    """A session, and the tab that has it, if one does."""

    def __init__(self, session: Session, outbox: Outbox) -> None:
        self.session = session
        self.outbox: Outbox | None = outbox
        self.left_at = 0.0
        self.expiry: asyncio.TimerHandle | None = None


class Seats:
    """The sessions of a server by their keys, for the loop that the server runs in.

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

    def find(self, key: str) -> Session:
        """The session of this key; a Refusal if there is none."""
        if key not in self._seats:
            raise Refusal("no_session", "The session is not there, or no longer; begin a new one.")
        return self._seats[key].session

    async def open(self, key: str | None, document: dict[str, Any] | None, outbox: Outbox) -> Seat:
        """The session of this key, taken from the tab that has it, or a new one; a Refusal where there are too many."""
        if key is not None and key in self._seats:
            return self._taken_up(self._seats[key], outbox)
        self._make_room()
        self._coming += 1
        try:
            session = await aside(self._begin, outbox.send, document)
        finally:
            self._coming -= 1
        seat = self._seats[session.key] = Seat(session, outbox)
        return seat

    def leave(self, seat: Seat, outbox: Outbox) -> None:
        """A tab has gone: unless another has the session, it is paused, and closed after some minutes."""
        if seat.outbox is not outbox:
            return
        seat.session.detach()
        seat.outbox = None
        seat.left_at = time.monotonic()
        seat.expiry = asyncio.get_running_loop().call_later(KEPT_FOR, self._close, seat)

    def end(self) -> None:
        """Close all sessions, and wait for them a bounded time."""
        threads = [threading.Thread(target=seat.session.close, daemon=True) for seat in self._seats.values()]
        self._seats.clear()
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + END_WITHIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _taken_up(self, seat: Seat, outbox: Outbox) -> Seat:
        if seat.expiry is not None:
            seat.expiry.cancel()
        before, seat.outbox = seat.outbox, outbox
        seat.session.attach(outbox.send)
        if before is not None and before is not outbox:
            before.end(TAKEN)
        return seat

    def _make_room(self) -> None:
        """Have a place free for one more: that of the session left for longest, if none is."""
        if len(self._seats) + self._coming < MOST_SESSIONS:
            return
        left = [seat for seat in self._seats.values() if seat.outbox is None]
        if not left:
            message = f"There are {MOST_SESSIONS} sessions already, each open in a tab; close one of these tabs."
            raise Refusal("too_many_sessions", message, sessions=MOST_SESSIONS)
        self._close(min(left, key=lambda seat: seat.left_at))

    def _close(self, seat: Seat) -> None:
        """Forget a session that nobody has, and end it beside the loop."""
        if seat.expiry is not None:
            seat.expiry.cancel()
        del self._seats[seat.session.key]
        closing = asyncio.ensure_future(aside(seat.session.close))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
