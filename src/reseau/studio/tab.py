"""A tab's socket, from its first command to its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from reseau.studio.commands import MalformedError, read_command
from reseau.studio.outbox import Ending, Outbox
from reseau.studio.refusal import Refusal
from reseau.studio.seats import Seat, Seats

MOST_ASKED = 200  # commands of a tab that wait to be done
FAILED = "The studio failed; its terminal tells where."


async def attend(socket: WebSocket, seats: Seats) -> None:
    """Do a tab's commands one after another, and send it what its session has to say, until either side ends it."""
    tab = _Tab(seats)
    sending = asyncio.ensure_future(_send(socket, tab.outbox))
    overflow = asyncio.ensure_future(tab.outbox.overflowed.wait())
    try:
        while True:
            receiving = asyncio.ensure_future(socket.receive())
            await asyncio.wait({receiving, sending, overflow}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() or overflow.done():
                receiving.cancel()
                return
            message = receiving.result()
            if message["type"] != "websocket.receive":
                return
            await tab.hear(message.get("text"))
    finally:
        sending.cancel()
        overflow.cancel()
        tab.leave()


class _Tab:
    """A tab's messages in both directions, and the session that it has, if it has opened one."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._seat: Seat | None = None
        self.outbox = Outbox()

    async def hear(self, text: str | None) -> None:
        """Do the command of a message; whatever is wrong with it is answered, and the socket lives."""
        answer = None
        try:
            if text is None:
                raise MalformedError("A command is a text, which the message is not.")
            command = read_command(text)
            answer = command["id"]
            await self._do(command)
        except MalformedError as error:
            self.outbox.send(error.event(error.answer))
        except Refusal as error:
            self.outbox.send(error.event(answer))
        except Exception:  # ours; whoever runs the command may report it
            logging.getLogger("reseau.studio").exception("The studio failed to do a command.")
            self.outbox.send(Refusal("failed", FAILED).event(answer))

    def leave(self) -> None:
        """Leave the session, if there is one, for whoever takes it up."""
        if self._seat is not None:
            self._seats.leave(self._seat, self.outbox)

    async def _do(self, command: dict[str, Any]) -> None:
        if command["type"] == "open":
            before = self._seat
            self._seat = await self._seats.open(command.get("session"), command.get("document"), self.outbox)
            if before is not None and before is not self._seat:
                self._seats.leave(before, self.outbox)
        if self._seat is None or self._seat.outbox is not self.outbox:
            raise Refusal("no_session", "This tab has no session, or no longer; open one.")
        asked = self.outbox.asked
        if len(asked) >= MOST_ASKED:
            raise Refusal("busy", f"There are {len(asked)} commands that are not done yet; wait for their answers.")
        asked.add(command["id"])
        self._seat.session.do(command)


async def _send(socket: WebSocket, outbox: Outbox) -> None:
    """Send what waits, until there is an end; a socket that is gone is one."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await outbox.take()
            if isinstance(message, Ending):
                await socket.close(message.code, message.reason)
                return
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)
