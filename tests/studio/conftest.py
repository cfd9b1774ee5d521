"""What tests of the studio's server share: one that runs, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import studio_client
import studio_stand_in as stand_in

from reseau.studio.seats import Seats
from reseau.studio.server import Prepared, listen, prepare
from reseau.studio.session import Session, Studio
from reseau.studio.tables import LIMITS


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[studio_client.Running]:
    """A server with sessions that do what a test wants."""
    sessions: list[stand_in.StandIn] = []
    monkeypatch.setattr(stand_in.StandIn, "made", sessions, raising=False)
    monkeypatch.setitem(LIMITS, "bytes", 1000)
    tables = stand_in.Tables()
    with running(prepare(listen(0), studio_client.PAGE, tables, Seats(stand_in.StandIn), "fr")) as prepared:
        yield studio_client.Running(prepared, tables, sessions)
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def real() -> Iterator[studio_client.Running]:
    """A server with the engine itself."""
    shared = Studio()
    with running(prepare(listen(0), studio_client.PAGE, shared, Seats(partial(Session, shared)))) as prepared:
        yield studio_client.Running(prepared, stand_in.Tables())


@contextmanager
def running(prepared: Prepared) -> Iterator[Prepared]:
    """The server in a thread, until the test is over."""
    thread = threading.Thread(target=prepared.run)
    thread.start()
    yield prepared
    prepared.server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
