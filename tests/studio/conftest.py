"""What tests of the studio's server share: one that runs, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import studio_client
import studio_stand_in as stand_in

from reseau.studio.seats import Seats
from reseau.studio.server import listen, prepare
from reseau.studio.shared import LIMITS


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[studio_client.Running]:
    sessions: list[stand_in.StandIn] = []
    monkeypatch.setattr(stand_in.StandIn, "made", sessions, raising=False)
    monkeypatch.setitem(LIMITS, "bytes", 1000)
    tables = stand_in.Tables()
    seats = Seats(stand_in.StandIn)
    listening = listen(0)
    server, token = prepare(listening, studio_client.PAGE, tables, seats)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield studio_client.Running(listening.getsockname()[1], token, seats, tables, sessions)
    server.should_exit = True
    thread.join(20)
    seats.end()
    assert not thread.is_alive()
    for session in sessions:
        session.close()
