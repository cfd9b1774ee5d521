"""`reseau studio`: what it refuses, what it prints and opens, and how it ends."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from reseau.cli import app
from reseau.studio import pages, server

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
PAGE = "<!doctype html><title>the page</title>"


@pytest.fixture
def page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page in the place of the one that may not be built."""
    built = folder / "page"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(PAGE)
    (built / "assets" / "app.js").write_text("1")
    monkeypatch.setattr(pages, "FOLDER", built)
    return built


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["studio", "--no-browser", *arguments])


def refused(*arguments: str) -> str:
    """The paragraph that a command is refused with."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    return " ".join(result.stderr.split())


def test_what_is_asked_for_wrongly_is_refused_in_a_sentence(page: Path) -> None:
    assert "Known: en, fr." in refused("--lang", "de")
    assert "there is no TABLE" in refused("--target", "species")
    assert "no such file" in refused("nowhere.csv")
    assert "no column 'kind'" in refused(str(PENGUINS), "--target", "kind")
    assert run("--port", "65536").exit_code == 2


def test_without_the_page_it_is_said_how_to_build_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "FOLDER", folder / "none")
    assert "cd studio && npm ci && npm run build" in refused()


def test_without_what_serves_it_is_said_how_to_install_it(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "uvicorn" else find(name, *more)
    )
    assert "uvicorn, not installed here; install what it needs with: pip install 'reseau[studio]'." in refused()


def test_a_port_that_is_taken_is_refused(page: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"--port is {port}, but something listens there already" in refused("--port", str(port))


def test_of_the_usual_ports_the_first_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, server.listen(0) as free:
        port, next_port = other.getsockname()[1], free.getsockname()[1]
        free.close()
        monkeypatch.setattr(server, "PORTS", (port, next_port))
        with server.listen(None) as listening:
            assert listening.getsockname() == ("127.0.0.1", next_port)
            with server.listen(None) as another:  # none of the usual ones is free
                assert another.getsockname()[1] not in (port, next_port)


def test_the_files_of_the_page_are_those_of_its_folder(page: Path) -> None:
    files = pages.read_page(page)
    assert set(files) == {"/", "/index.html", "/assets/app.js"}
    assert (files["/"].content, files["/assets/app.js"].media_type) == (PAGE.encode(), "text/javascript; charset=utf-8")


@pytest.mark.parametrize("there", [True, False])
def test_a_browser_is_opened_with_an_address_that_works_once(
    page: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    opened: list[str] = []
    tried = threading.Event()

    def open_there(address: str) -> bool:
        opened.append(address)
        tried.set()
        return there

    def stop_once_opened(prepared: server.Prepared) -> None:
        tried.wait(20)
        time.sleep(0.05)

    monkeypatch.setenv("BROWSER", "any")
    monkeypatch.setattr(webbrowser, "open", open_there)
    monkeypatch.setattr(server.Prepared, "run", stop_once_opened)
    result = CliRunner().invoke(app, ["studio", "--port", "0", "--lang", "fr"])
    assert result.exit_code == 0, result.output
    word, _, address = result.stdout.strip().partition(" ")
    where, _, token = address.partition("/#token=")
    assert (word, token.endswith("&lang=fr")) == ("Studio:", True)
    assert opened[0].startswith(f"{where}/open/")
    assert token.removesuffix("&lang=fr") not in opened[0]
    assert ("No browser was found" in result.stderr) == (not there)


def test_a_browser_of_the_terminal_is_not_opened_in_it(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail("it was opened"))
    monkeypatch.setattr(server.Prepared, "run", lambda prepared: time.sleep(0.2))
    result = CliRunner().invoke(app, ["studio", "--port", "0"])
    assert "No browser was found here" in result.stderr


@contextmanager
def served(page: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it prints."""
    code = (
        "import sys, pathlib; from reseau.studio import pages; from reseau.cli import main; "
        f"pages.FOLDER = pathlib.Path({str(page)!r}); sys.argv = ['reseau', 'studio', *sys.argv[1:]]; main()"
    )
    command = [sys.executable, "-c", code, "--no-browser", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Studio: http://127.0.0.1:"), line
        yield process, line.split()[1]
    finally:
        process.kill()
        process.communicate()


def tab(address: str) -> ClientConnection:
    where, _, token = address.partition("/#token=")
    protocols = [Subprotocol("reseau.studio.1"), Subprotocol(f"token.{token}")]
    socket_address = where.replace("http:", "ws:") + "/socket"
    return connect(socket_address, origin=where, subprotocols=protocols, max_size=None, close_timeout=1)  # type: ignore[arg-type]


def hear(tab: ClientConnection) -> Any:
    """The next event, or header of a frame."""
    message = tab.recv(timeout=30)
    if isinstance(message, str):
        return json.loads(message)
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("arguments", [(), (str(PENGUINS), "--target", "island")])
def test_ctrl_c_ends_it_while_a_session_trains(page: Path, arguments: tuple[str, ...]) -> None:
    with served(page, *arguments) as (process, address):
        assert urllib.request.urlopen(address.partition("#")[0]).read().decode() == PAGE
        with tab(address) as connection:
            connection.send('{"id": 0, "type": "open"}')
            assert hear(connection)["type"] == "welcome"
            state = hear(connection)
            assert state["data"]["target"] == ("island" if arguments else state["data"]["target"])
            connection.send('{"id": 1, "type": "run", "what": "play"}')
            while True:
                event = hear(connection)
                if event["type"] == "frame" and event["epoch"] > 10:
                    break
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "Ctrl-C ends it.\n"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_while_an_epoch_is_long(page: Path) -> None:
    with served(page) as (process, address), tab(address) as connection:
        connection.send('{"id": 0, "type": "open"}')
        hear(connection)
        document = hear(connection)["document"]
        layers = [{"kind": "dense", "neurons": 550, "activation": "tanh"}] * 4 + document["network"]["layers"][-1:]
        change = {
            "data": document["data"] | {"samples": 5000},
            "network": document["network"] | {"layers": layers},
            "training": document["training"] | {"batch_size": 1},
        }
        connection.send(json.dumps({"id": 1, "type": "change", **change}))
        while (event := hear(connection))["answer"] != 1 or event["type"] != "state":
            assert event["type"] != "refused", event
        connection.send('{"id": 2, "type": "run", "what": "play"}')
        while (event := hear(connection))["answer"] != 2:
            pass
        assert event["phase"] == "running"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_the_command_ends_on_sigterm_too(page: Path) -> None:
    with served(page) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM


def test_nothing_listens_on_other_addresses_of_the_machine(page: Path) -> None:
    with served(page) as (_, address):
        port = int(address.partition("/#")[0].rpartition(":")[2])
        for other in ("127.0.0.2", "::1"):
            with pytest.raises(OSError, match=os.strerror(111) + "|" + os.strerror(99)):
                socket.create_connection((other, port), timeout=5)
