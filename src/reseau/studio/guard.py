"""Who may ask the server of the studio, and the headers of every answer.

The server listens on this machine alone, but every page that is open in a browser of this machine can send requests to
it. So each request is held against the names that the server has (a page whose own name was pointed here has another),
against the page that it comes from, and, where it is about sessions or tables, against the token of this run.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, MutableMapping

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from reseau.studio.refusal import Refusal

PROTOCOL = "reseau.studio.1"

HEADERS = {
    "cache-control": "no-store",  # on this machine sending again costs nothing; what is kept may be another version's
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """The application behind its checks: Host and Origin of every request, and the headers of every answer.

    Parameters
    ----------
    app : ASGI application
        What is guarded. It decides on `scope["path"]`, never on an address put together from a request's Host.
    port : int
        The port that is listened on.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}{end}" for name in ("127.0.0.1", "localhost") for end in _ends(port)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        host = self._host(scope)
        with_headers = _with_headers(scope, send, host)
        if host is None or not _from_own_page(scope, host):
            await forbid(
                scope,
                receive,
                with_headers,
                "The studio answers its own page only, at http://127.0.0.1 or http://localhost with the port that "
                "reseau studio printed.",
            )
            return
        try:
            await self._app(scope, receive, with_headers)
        except Exception:  # ours, which the application has told the page of; whoever runs the command may report it
            logging.getLogger("reseau.studio").exception("The studio failed to answer %r.", scope["path"])

    def _host(self, scope: Scope) -> str | None:
        """The name by which the server was asked, None unless it is one of its own."""
        named = _values(scope, b"host")
        return named[0] if len(named) == 1 and named[0] in self._hosts else None


class Token:
    """The secret of a run, which its page was given: compared in a time that tells nothing of it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def is_borne_by(self, scope: Scope) -> bool:
        """Whether a request has it: in `Authorization`, or among the protocols of a WebSocket."""
        if scope["type"] == "websocket":
            offered = [protocol for protocol in scope["subprotocols"] if protocol.startswith("token.")]
            return PROTOCOL in scope["subprotocols"] and self._is(offered, "token.")
        return self._is(_values(scope, b"authorization"), "Bearer ")

    def _is(self, given: list[str], before: str) -> bool:
        expected = f"{before}{self._text}".encode()
        return len(given) == 1 and secrets.compare_digest(given[0].encode("utf-8", "replace"), expected)


class Ticket:
    """An address that leads to the page once: a browser is opened with it, as others may see how it was called.

    Parameters
    ----------
    text : str
        The secret in the address.
    where : str
        The page, with all that its address holds.
    """

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._valid = True

    def taken(self, text: str) -> str | None:
        """Where the page is, for whoever comes first with the ticket; None for all others."""
        if not (secrets.compare_digest(text.encode("utf-8", "replace"), self._text.encode()) and self._valid):
            return None
        self._valid = False
        return self._where


async def forbid(scope: Scope, receive: Receive, send: Send, message: str) -> None:
    """Refuse a request, or a WebSocket before it is one."""
    answer: Response = JSONResponse(Refusal("forbidden", message).event(), 403)
    if scope["type"] == "http":
        await answer(scope, receive, send)
        return
    socket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await socket.send_denial_response(answer)
    else:
        await socket.close()


def _ends(port: int) -> Iterable[str]:
    """How Host ends: browsers leave out the port that is http's own."""
    return (f":{port}", "") if port == 80 else (f":{port}",)


def _from_own_page(scope: Scope, host: str) -> bool:
    """Whether a request comes from a page of this server, or from none: browsers name it in WebSockets and POST."""
    origins = _values(scope, b"origin")
    if not origins:
        return bool(scope["type"] == "http")
    return origins == [f"http://{host}"]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _policy(host: str | None) -> str:
    """What a page may load: its own files, and for browsers to which 'self' is no WebSocket, this one by name."""
    socket = f" ws://{host}" if host else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        f"connect-src 'self'{socket}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _with_headers(scope: Scope, send: Send, host: str | None) -> Send:
    """Send answers with the headers that all have."""
    headers = HEADERS | {"content-security-policy": _policy(host)}
    has_body = any(_values(scope, name) for name in (b"content-length", b"transfer-encoding"))

    async def sending(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
            # What is left of a body that was not read to its end would else be read for as long as it is sent.
            ends = message["type"] == "http.response.start" and (has_body or message["status"] >= 400)
            _add(message, headers | ({"connection": "close"} if ends else {}))
        await send(message)

    return sending


def _add(message: MutableMapping[str, object], headers: dict[str, str]) -> None:
    given = message.get("headers", [])
    assert isinstance(given, list | tuple)
    message["headers"] = [*given, *((name.encode(), value.encode("latin-1")) for name, value in headers.items())]
