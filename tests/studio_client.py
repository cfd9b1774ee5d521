"""Ways to talk to a server of the studio that runs beside a test."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import studio_stand_in as stand_in
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from reseau.studio.pages import PageFile
from reseau.studio.seats import Seats
from reseau.studio.server import Prepared


@dataclass
class Answer:
    """A whole answer of HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def refused(self) -> dict[str, Any]:
        event = json.loads(self.body)
        assert event["type"] == "refused"
        return dict(event)


@dataclass
class Running:
    """A server that runs."""

    prepared: Prepared
    tables: stand_in.Tables
    sessions: list[stand_in.StandIn] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.prepared.listening.getsockname()[1])

    @property
    def token(self) -> str:
        return self.prepared.token

    @property
    def seats(self) -> Seats:
        return self.prepared.seats

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None, *, token: bool = True
    ) -> Answer:
        """What a request is answered, with the token unless a test wants none, or gives another."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {"Host": self.host} | ({"Authorization": f"Bearer {self.token}"} if token else {}) | (headers or {})
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            if body is not None and "Content-Length" not in given and "Transfer-Encoding" not in given:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    @contextmanager
    def tab(self, **options: Any) -> Iterator[ClientConnection]:
        """A WebSocket, as the page opens it, or with a test's own headers or protocols."""
        settings: dict[str, Any] = {
            "subprotocols": [Subprotocol("reseau.studio.1"), Subprotocol(f"token.{self.token}")],
            "origin": f"http://{self.host}",
            "max_size": None,
            "open_timeout": 20,
            "close_timeout": 1,
            "compression": None,
        }
        with connect(f"ws://{self.host}/socket", **(settings | options)) as tab:
            yield tab

    def raw(self, content: bytes) -> socket.socket:
        """A connection on which these bytes were sent."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        raw.sendall(content)
        return raw


def say(tab: ClientConnection, **command: Any) -> None:
    tab.send(json.dumps(command))


def hear(tab: ClientConnection) -> Any:
    """The next message: an event, or a frame's bytes."""
    message = tab.recv(timeout=20)
    return json.loads(message) if isinstance(message, str) else message


def hear_the_end(tab: ClientConnection) -> tuple[list[dict[str, Any]], int | None]:
    """The events that come until the socket is closed, and the code that it is closed with."""
    events = []
    try:
        while True:
            event = hear(tab)
            events += [event] if isinstance(event, dict) else []
    except ConnectionClosed as closed:
        return events, closed.rcvd.code if closed.rcvd else None


def begin(tab: ClientConnection, **more: Any) -> str:
    """Open a session; its key."""
    say(tab, id=0, type="open", **more)
    while True:
        event = hear(tab)
        if isinstance(event, dict) and event["answer"] == 0:
            assert event["type"] == "welcome", event
            return str(event["session"])


def wait_until(holds: Callable[[], bool]) -> None:
    """Return once it holds; fail where it does not in a long time."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


PAGE = {
    "/": PageFile(b"<!doctype html>page", "text/html; charset=utf-8"),
    "/index.html": PageFile(b"<!doctype html>page", "text/html; charset=utf-8"),
    "/assets/app-1.js": PageFile(b"'script'", "text/javascript; charset=utf-8"),
}
