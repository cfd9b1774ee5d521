"""The application that the server of the studio runs: the page, its socket, uploads, and what is taken away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from reseau.studio.aside import aside
from reseau.studio.guard import PROTOCOL, Guard, Ticket, Token
from reseau.studio.pages import PageFile
from reseau.studio.refusal import Refusal
from reseau.studio.seats import Seats
from reseau.studio.tab import FAILED, attend
from reseau.studio.tables import LIMITS

UPLOAD_WITHIN = 120.0  # seconds for all of an upload
CHUNK_WITHIN = 10.0  # seconds from one part of an upload to the next
READ_ON = 5.0  # seconds that an upload which is refused is read on, so that its sender gets to read why

STATUSES = {"no_session": 404, "unknown_table": 404, "too_large": 413, "too_slow": 408, "busy": 503, "failed": 500}
LANGUAGES = ("en", "fr")
NO_TOKEN = "The token is missing or another run's; open the address that reseau studio printed."


class Tables(Protocol):
    """What is asked of the engine for uploads; `reseau.studio.session.Studio` does it."""

    def upload(self, name: str, content: bytes) -> dict[str, Any]: ...


def application(
    page: Mapping[str, PageFile], tables: Tables, seats: Seats, *, port: int, token: Token, ticket: Ticket
) -> Guard:
    """The application of one run.

    Parameters
    ----------
    page : mapping
        The files of the page by their paths.
    tables : Studio
        Takes uploads.
    seats : Seats
        The sessions.
    port : int
        Where the server listens.
    token : Token
        The secret that the page is given.
    ticket : Ticket
        What the browser that the command opens is sent to the page for.
    """

    async def first(request: Request) -> Response:
        where = ticket.taken(request.path_params["ticket"])
        if where is None:
            raise HTTPException(404, "This address works once, and has; open the one that reseau studio printed.")
        return Response(status_code=303, headers={"location": where})

    async def file(request: Request) -> Response:
        found = page.get(request.scope["path"])
        if found is None:
            raise HTTPException(404)
        return Response(found.content, media_type=found.media_type)

    async def upload(request: Request) -> Response:
        _demand(token, request)
        name = request.query_params.get("name", "")
        if not 0 < len(name) <= 255:
            raise HTTPException(400, "An upload needs the name of its file: POST /tables?name=penguins.csv.")
        content = await _body(request, name, LIMITS["bytes"])
        return JSONResponse(await aside(tables.upload, name, content))

    async def take(request: Request) -> Response:
        _demand(token, request)
        lang = request.query_params.get("lang", "en")
        if lang not in LANGUAGES:
            raise HTTPException(400, "lang is en or fr.")
        session = seats.find(request.path_params["key"])
        name, media_type, content = await aside(session.take, request.path_params["what"], lang)
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
        return Response(content, media_type=media_type, headers={"content-disposition": disposition})

    async def socket(socket: WebSocket) -> None:
        if not token.is_borne_by(socket.scope):
            await socket.send_denial_response(JSONResponse(Refusal("forbidden", NO_TOKEN).event(), 401))
            return
        await socket.accept(PROTOCOL)
        await attend(socket, seats)

    routes = [
        WebSocketRoute("/socket", socket),
        Route("/open/{ticket}", first, methods=["GET"]),
        Route("/tables", upload, methods=["POST"]),
        Route("/sessions/{key}/{what}", take, methods=["GET"]),
        Route("/{path:path}", file, methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {Refusal: _refusal, HTTPException: _http_error, Exception: _failure}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # it would lead to an address put together from Host
    return Guard(app, port)


def _demand(token: Token, request: Request) -> None:
    if not token.is_borne_by(request.scope):
        raise HTTPException(401, NO_TOKEN)


async def _body(request: Request, name: str, most: int) -> bytes:
    """What is uploaded; a Refusal where it is larger than that many bytes, whatever it says of itself, or too slow."""
    chunks: list[bytes] = []
    size = 0
    stream = request.stream()
    deadline = time.monotonic() + UPLOAD_WITHIN
    while True:
        left = deadline - time.monotonic()
        try:
            with anyio.fail_after(min(CHUNK_WITHIN, left)):
                chunk = await anext(stream)
        except StopAsyncIteration:
            break
        except TimeoutError:
            if size <= most:
                raise Refusal("too_slow", f"{name} came too slowly; upload it again.", name=name) from None
            break
        except ClientDisconnect:
            raise HTTPException(400, "The upload was broken off.") from None
        before, size = size, size + len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif before <= most:
            chunks.clear()
            deadline = time.monotonic() + READ_ON
    if size > most:
        message = f"{name} has more than {most:,} bytes; upload a part of it, or name it when the studio begins."
        raise Refusal("too_large", message, name=name, what="bytes", most=most)
    return b"".join(chunks)


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.event(), STATUSES.get(error.code, 422))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "forbidden" if error.status_code == 401 else "malformed"
    return JSONResponse(Refusal(code, error.detail).event(), error.status_code, error.headers)


async def _failure(_: Request, __: Exception) -> Response:
    return JSONResponse(Refusal("failed", FAILED).event(), 500)
