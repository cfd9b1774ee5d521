"""Server and engine together, as a page meets them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from studio_client import Running, begin, hear, say
from websockets.sync.client import ClientConnection

import reseau as rs
from reseau.studio.frames import unpacked

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def test_a_tab_that_reads_late_has_the_whole_curve_and_the_newest_numbers(real: Running) -> None:
    with real.tab(max_queue=1) as tab:
        begin(tab)
        say(tab, id=1, type="run", what="play")
        (box,) = (seat.outbox for seat in real.seats._seats.values() if seat.outbox is not None)
        deadline = time.monotonic() + 60
        while not any(waiting.loose for waiting in box._waiting):  # the kernel's own buffers are full
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)  # in which more come, and become one
        say(tab, id=2, type="run", what="pause")
        curve = np.empty((2, 0), np.float32)
        paused = False
        while True:
            message = hear(tab)
            if isinstance(message, dict):
                paused |= message["answer"] == 2
                continue
            header, arrays = unpacked(message)
            if "curve" in arrays:
                assert header["curve_from"] <= curve.shape[1], "epochs are missing between two frames"
                curve = np.concatenate([curve[:, : header["curve_from"]], arrays["curve"]], axis=1)
                assert curve.shape[1] == header["epoch"]
            if paused:
                break
        assert np.isfinite(curve).all()


def test_a_table_that_is_uploaded_is_learned_and_what_was_learned_is_taken_away(real: Running, tmp_path: Path) -> None:
    answer = real.ask("POST", "/tables?name=my%20penguins.csv", body=PENGUINS.read_bytes())
    table = json.loads(answer.body)
    assert (answer.status, table["name"], table["rows"]) == (200, "my penguins.csv", 344)
    data = {"kind": "table", "table": table["table"], "target": "island", "columns": {}, "seed": 1, "held_out": 0.2}
    with real.tab() as tab:
        key = begin(tab)
        say(tab, id=1, type="change", data=data)
        say(tab, id=2, type="run", what="epoch")
        state = until(tab, 2)
        assert state["data"]["target"] == "island"
        tab.close()
    with real.tab() as tab:
        assert begin(tab, session=key) == key
        model = real.ask("GET", f"/sessions/{key}/model")
        assert model.status == 200, model.body
        (tmp_path / "model.reseau").write_bytes(model.body)
        found = rs.load(tmp_path / "model.reseau").predict(PENGUINS).values.to_pylist()
        assert (len(found), set(found) <= {"Biscoe", "Dream", "Torgersen"}) == (344, True)
        taken = json.loads(real.ask("GET", f"/sessions/{key}/session?lang=fr").body)
        assert taken["document"]["data"] == data
    with real.tab() as tab:
        assert begin(tab, document=taken["document"]) != key
        while (event := hear(tab))["type"] != "state" or event["phase"] != "paused":
            pass
        assert event["document"] == taken["document"]


def test_what_cannot_be_read_is_refused(real: Running) -> None:
    broken = {"a.csv": b"", "a.parquet": b"PAR1" + bytes(100), "a.xlsx": b"PK\3\4", "a.csv.gz": b"\x1f\x8b"}
    for name, content in broken.items():
        answer = real.ask("POST", f"/tables?name={name}", body=content)
        assert (answer.status, answer.refused["code"]) == (422, "table_unreadable"), name


def until(tab: ClientConnection, answer: int) -> Any:
    """The event that answers a command."""
    while True:
        event = hear(tab)
        if isinstance(event, dict) and event["answer"] == answer:
            assert event["type"] != "refused", event
            return event
