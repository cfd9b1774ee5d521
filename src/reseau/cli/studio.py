"""`reseau studio`: a network that is built, trained and understood in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reseau.cli import completion
from reseau.cli.common import note, refusals, tell
from reseau.errors import ParameterError, ReseauError

if TYPE_CHECKING:
    from reseau.studio.session import Studio


def studio(
    what: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE|MODEL",
            help="A table, as for train, or a model file.",
            show_default="samples made up",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The column to predict.", show_default="found by its name, or the last")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where it is served.", show_default="the first free from 7481")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether a browser is opened on the page.")
    ] = True,
    lang: Annotated[
        str | None, typer.Option(help="en or fr.", autocompletion=completion.languages, show_default="the browser's")
    ] = None,
) -> None:
    """See a network being built, trained and understood, in the browser.

    The page is served to this machine alone, at the address that is printed,
    until Ctrl-C. Nothing leaves the machine. Tables may be dropped onto it.
    """
    with refusals():
        from functools import partial

        from reseau.checks import known

        if lang is not None:
            known("--lang", lang, ("en", "fr"))
        if target is not None and what is None:
            raise ParameterError(f"--target is {target!r}, but there is no TABLE whose column it could be; name one.")
        _require_server()
        from reseau.studio import pages
        from reseau.studio.seats import Seats
        from reseau.studio.server import listen, prepare
        from reseau.studio.session import Session

        page = pages.read_page(pages.FOLDER)
        with listen(port) as listening:
            shared = _shared(what, target)
            seats = Seats(partial(Session, shared))
            prepared = prepare(listening, page, shared, seats, lang)
            tell(f"Studio: {prepared.address}")
            tell("Ctrl-C ends it.", err=True)
            if browser:
                _open(prepared.once)
            prepared.run()


def _shared(what: Path | None, target: str | None) -> Studio:
    """What the sessions share, with a document that begins on what was given."""
    from reseau.studio.refusal import Refusal
    from reseau.studio.session import Studio

    try:
        shared = Studio([] if what is None else [what])
        if target is not None and shared.begin is not None:
            if "start" in shared.begin["network"]:
                raise ParameterError(f"--target is {target!r}, but {what} is a model, which predicts what it does.")
            shared.begin = shared.beginning(shared.begin["data"]["table"], target)
    except Refusal as refusal:
        raise ParameterError(refusal.message) from None
    return shared


def _require_server() -> None:
    """Raise the error that says how to install what serves pages, if it is missing."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn", "websockets") if find_spec(name) is None]
    if missing:
        raise ReseauError(
            f"the studio is served with {' and '.join(missing)}, not installed here; install what it needs with: pip "
            "install 'reseau[studio]'."
        )


def _open(address: str) -> None:
    """Open a browser beside the server, which answers it; say so where there is none."""
    import threading
    import webbrowser

    def open_there() -> None:
        if not _has_windows() or not webbrowser.open(address):
            note("No browser was found here; open the address in one")

    threading.Thread(target=open_there, daemon=True).start()


def _has_windows() -> bool:
    """Whether a browser has somewhere to open a window: else a terminal's own would take this terminal."""
    import os
    import sys

    if sys.platform in ("darwin", "win32") or "BROWSER" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
