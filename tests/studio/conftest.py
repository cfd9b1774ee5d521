"""What tests of the studio's server share: one that runs, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import studio_client
import studio_stand_in as stand_in

from reseau.studio.seats import Seats
from reseau.studio.server import listen, prepare
from reseau.studio.tables import LIMITS


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[studio_client.Running]:
    sessions: list[stand_in.StandIn] = []
    monkeypatch.setattr(stand_in.StandIn, "made", sessions, raising=False)
    monkeypatch.setitem(LIMITS, "bytes", 1000)
    tables = stand_in.Tables()
    seats = Seats(stand_in.StandIn)
    listening = listen(0)
    prepared = prepare(listening, studio_client.PAGE, tables, seats, "fr")
    thread = threading.Thread(target=prepared.run)
    thread.start()
    yield studio_client.Running(prepared, tables, sessions)
    prepared.server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
    for session in sessions:
        session.close()
