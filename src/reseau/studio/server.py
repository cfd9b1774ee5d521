"""The server of the studio: on this machine alone, with a secret of its own, until Ctrl-C."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import uvicorn

from reseau.errors import ParameterError
from reseau.studio.app import Tables, application
from reseau.studio.guard import Ticket, Token
from reseau.studio.pages import PageFile
from reseau.studio.seats import Seats

ADDRESS = "127.0.0.1"
PORTS = range(7481, 7501)  # the first free one, so that what a browser keeps for the page's address is found again
LARGEST_MESSAGE = 4 * 2**20  # bytes of a command, of which open brings a document with all numbers set by hand
END_WITHIN = 1  # seconds for requests to end after Ctrl-C


def listen(port: int | None) -> socket.socket:
    """A socket on this machine's own address that listens; ParameterError where the port is taken.

    Parameters
    ----------
    port : int or None
        0 takes any free one, None the first free one of `PORTS`, or any.
    """
    if port is not None:
        return _bound(port)
    for usual in PORTS:
        try:
            return _bound(usual)
        except ParameterError:
            continue
    return _bound(0)


@dataclass(frozen=True)
class Prepared:
    """A server that has yet to run.

    Attributes
    ----------
    server : uvicorn.Server
        It ends when its `should_exit` is set, or by Ctrl-C.
    listening : socket
        Where it is asked.
    seats : Seats
        Its sessions.
    token : str
        Its secret.
    address : str
        The page, with the secret.
    once : str
        An address that leads there once.
    """

    server: uvicorn.Server
    listening: socket.socket
    seats: Seats
    token: str
    address: str
    once: str

    def run(self) -> None:
        """Serve until Ctrl-C, then end the sessions."""
        try:
            self.server.run(sockets=[self.listening])
        except KeyboardInterrupt:  # which uvicorn raises again once it has ended
            pass
        finally:
            self.seats.end()


def prepare(
    listening: socket.socket, page: Mapping[str, PageFile], tables: Tables, seats: Seats, lang: str | None = None
) -> Prepared:
    """A server of the studio.

    Parameters
    ----------
    listening : socket
        As `listen` gives it.
    page : mapping
        The files of the page.
    tables : Studio
        Takes uploads.
    seats : Seats
        The sessions.
    lang : str, optional
        The language that the page is to have, instead of the browser's.
    """
    port = listening.getsockname()[1]
    token, once = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    where = "/#" + urlencode({"token": token} | ({"lang": lang} if lang else {}))
    app = application(page, tables, seats, port=port, token=Token(token), ticket=Ticket(once, where))
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # nothing is saved by packing what stays on this machine
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what fails is told by the guard
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=END_WITHIN,
    )
    here = f"http://{ADDRESS}:{port}"
    return Prepared(uvicorn.Server(config), listening, seats, token, here + where, f"{here}/open/{once}")


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # or the port of a run just ended is still taken
        listening.bind((ADDRESS, port))
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ParameterError(
                f"--port is {port}, but something listens there already; leave the option out for a free one."
            ) from None
        if error.errno == errno.EACCES:
            raise ParameterError(f"--port is {port}, which is kept for the system; choose one above 1023.") from None
        raise
    return listening
