"""A tab's socket: hostile messages, tabs that go, come back, or do not read, and two tabs of one session."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, suppress

import pytest
import studio_stand_in as stand_in
from studio_client import Running, begin, hear, hear_the_end, say, wait_until
from websockets.exceptions import ConnectionClosed

from reseau.studio import outbox, seats, server


def test_a_session_is_opened_and_does_commands_in_their_order(studio: Running) -> None:
    with studio.tab() as tab:
        assert begin(tab) == studio.sessions[0].key
        for number in range(1, 50):
            say(tab, id=number, type="set", tensor="layers.0.W", index=[0, number], value=0.5)
        assert [hear(tab)["answer"] for _ in range(1, 50)] == list(range(1, 50))
        assert [command["index"][1] for command in studio.sessions[0].done[1:]] == list(range(1, 50))


def test_before_it_is_opened_there_is_no_session(studio: Running) -> None:
    with studio.tab() as tab:
        say(tab, id=7, type="run", what="play")
        assert {"answer": 7, "code": "no_session"}.items() <= hear(tab).items()
        assert studio.sessions == []


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("", None),
        ("no JSON", None),
        ('{"id": 1, "type": "run", "what": "play"', None),
        ("null", None),
        ("[]", None),
        ('"open"', None),
        ("{}", None),
        ("[" * 10**5, None),
        ('{"id":1,"type":"open","document":' + '{"a":' * 10**5, None),
        ('{"id": NaN, "type": "run", "what": "play"}', None),
        ('{"id": 1, "type": "set", "tensor": "W", "index": [0], "value": Infinity}', None),
        ('{"id": 1, "type": "set", "tensor": "W", "index": [0], "value": -1e999}', None),
        ('{"id": 1, "type": "set", "tensor": "W", "index": [0], "value": ' + "9" * 10**6 + "}", None),
        ('{"id": 1, "type": "set", "tensor": "W", "index": [0], "value": 0.' + "9" * 10**6 + "}", None),
        ('{"id": ' + "9" * 300 + ', "type": "run", "what": "play"}', None),
        ('{"id": -1, "type": "run", "what": "play"}', None),
        ('{"id": 1.5, "type": "run", "what": "play"}', None),
        ('{"id": true, "type": "run", "what": "play"}', None),
        ('{"id": "1", "type": "run", "what": "play"}', None),
        ('{"type": "run", "what": "play"}', None),
        ('{"id": 1, "type": "run"}', 1),
        ('{"id": 1, "type": "run", "what": "jump"}', 1),
        ('{"id": 1, "type": "run", "what": "play", "more": 1}', 1),
        ('{"id": 1, "type": "__class__"}', 1),
        ('{"id": 1, "type": ["run"]}', 1),
        ('{"id": 1, "type": "welcome"}', 1),
        ('{"id": 1, "type": "keep", "__proto__": {}}', 1),
        ('{"id": 1, "type": "set", "tensor": "W", "index": [0, 1, 2], "value": 1}', 1),
        ('{"id": 1, "type": "set", "tensor": "' + "W" * 41 + '", "index": [0], "value": 1}', 1),
        ('{"id": 1, "type": "open", "session": "\\ud800"}', None),
        ('{"id": 1, "type": "change", "network": {"layers": [], "loss": "x", "seed": 0}}', 1),
        ('{"id": 1, "type": "open", "document": {}}', 1),
    ],
)
def test_what_is_no_command_is_refused_and_the_socket_lives(studio: Running, message: str, answer: int | None) -> None:
    with studio.tab() as tab:
        begin(tab)
        tab.send(message)
        event = hear(tab)
        assert (event["type"], event["code"], event["answer"]) == ("refused", "malformed", answer)
        assert len(event["message"]) < 1000
        say(tab, id=2, type="run", what="pause")
        assert hear(tab)["answer"] == 2
        assert [command["type"] for command in studio.sessions[0].done] == ["open", "run"]


def test_a_whole_number_is_one_however_it_is_written(studio: Running) -> None:
    with studio.tab() as tab:
        begin(tab)
        tab.send('{"id": 1.0, "type": "set", "tensor": "W", "index": [2e0], "value": 3.0}')
        assert hear(tab) == {"type": "done", "answer": 1}
        assert [
            type(number) for number in (*studio.sessions[0].done[1]["index"], studio.sessions[0].done[1]["value"])
        ] == [
            int,
            int,
        ]


def test_binary_messages_are_refused_and_the_socket_lives(studio: Running) -> None:
    with studio.tab() as tab:
        begin(tab)
        tab.send(b'{"id": 1, "type": "run", "what": "play"}')
        assert hear(tab)["code"] == "malformed"
        say(tab, id=2, type="run", what="pause")
        assert hear(tab)["answer"] == 2


def test_a_message_that_is_too_large_ends_the_socket_and_nothing_else(studio: Running) -> None:
    with studio.tab() as tab:
        key = begin(tab)
        with suppress(ConnectionClosed):  # while it is being sent, or after
            tab.send(" " * (server.LARGEST_MESSAGE + 1))
        hear_the_end(tab)
    with studio.tab() as tab:
        assert begin(tab, session=key) == key


def test_a_text_that_is_not_in_utf_8_ends_the_socket_and_nothing_else(studio: Running) -> None:
    with studio.tab() as tab:
        begin(tab)
        tab.send(b"\xff\xfe", text=True)
        hear_the_end(tab)
    with studio.tab() as tab:
        begin(tab)
    assert len(studio.sessions) == 2


def test_a_refusal_of_the_engine_and_an_error_of_ours_are_answered(
    studio: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with studio.tab() as tab:
        begin(tab)
        say(tab, id=3, type="keep")
        assert hear(tab) == {
            "type": "refused", "answer": 3, "code": "network_refused", "message": "not this one", "values": {"layer": 2}
        }  # fmt: skip
        say(tab, id=4, type="forget", run=1)
        assert {"answer": 4, "code": "failed"}.items() <= hear(tab).items()
        assert "ZeroDivisionError" in caplog.text
        say(tab, id=5, type="run", what="pause")
        assert hear(tab)["answer"] == 5


def test_a_tab_that_is_closed_pauses_the_training_and_one_that_comes_back_takes_it_up(studio: Running) -> None:
    with studio.tab() as tab:
        key = begin(tab)
        say(tab, id=1, type="run", what="play")
        wait_until(lambda: studio.sessions[0].epoch > 3)
    wait_until(lambda: not studio.sessions[0].plays.is_set())
    with studio.tab() as tab:
        assert begin(tab, session=key) == key
        say(tab, id=1, type="run", what="pause")
        assert hear(tab)["answer"] == 1
    assert len(studio.sessions) == 1


def test_a_tab_that_vanishes_without_a_word_pauses_the_training(studio: Running) -> None:
    with studio.tab() as tab:
        begin(tab)
        say(tab, id=1, type="run", what="play")
        wait_until(lambda: studio.sessions[0].epoch > 3)
        tab.socket.shutdown(2)
        wait_until(lambda: not studio.sessions[0].plays.is_set())


def test_the_newer_of_two_tabs_takes_the_session_and_the_older_is_told(studio: Running) -> None:
    with studio.tab() as older, studio.tab() as newer:
        key = begin(older)
        say(older, id=1, type="run", what="play")
        wait_until(lambda: studio.sessions[0].epoch > 0)
        assert begin(newer, session=key) == key
        _, code = hear_the_end(older)
        assert code == 4001
        assert studio.sessions[0].plays.is_set()  # it goes on, and the newer sees it
        assert any(isinstance(hear(newer), bytes) for _ in range(20))
    assert len(studio.sessions) == 1


def test_a_tab_that_opens_another_session_leaves_the_one_it_had(studio: Running) -> None:
    with studio.tab() as tab:
        first = begin(tab)
        say(tab, id=1, type="run", what="play")
        wait_until(lambda: studio.sessions[0].plays.is_set())
        assert begin(tab) != first
        wait_until(lambda: not studio.sessions[0].plays.is_set())
        assert begin(tab, session=first) == first
        assert begin(tab, session=first) == first  # of its own, which does not end it
    assert len(studio.sessions) == 2


def test_a_document_begins_a_session_and_a_key_that_is_unknown_a_new_one(studio: Running) -> None:
    training = {"optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "batch_size": 8, "l2": 0,
                "epochs": None, "patience": None, "stop_loss": None}  # fmt: skip
    document = {
        "version": 1,
        "data": {"kind": "toy", "name": "moons", "samples": 50, "noise": 0.1, "classes": 2, "seed": 0, "held_out": 0.2},
        "network": {"layers": [{"kind": "dense", "neurons": 2}], "loss": "squared_error", "seed": 0},
        "training": training,
        "fits": [],
    }
    with studio.tab() as tab:
        begin(tab, session="of another run", document=document)
    assert studio.sessions[0].document == document


def test_a_session_that_nobody_takes_up_is_closed(studio: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "KEPT_FOR", 0.1)
    with studio.tab() as tab:
        key = begin(tab)
    wait_until(studio.sessions[0].closed.is_set)
    with studio.tab() as tab:
        assert begin(tab, session=key) != key


def test_a_session_that_is_taken_up_in_time_is_kept(studio: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "KEPT_FOR", 0.3)
    with studio.tab() as tab:
        key = begin(tab)
    with studio.tab() as tab:
        assert begin(tab, session=key) == key
        assert not studio.sessions[0].closed.wait(0.6)


def test_there_are_so_many_sessions_and_no_more(studio: Running) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(studio.tab()) for _ in range(seats.MOST_SESSIONS)]
        for tab in tabs:
            begin(tab)
        more = stack.enter_context(studio.tab())
        say(more, id=1, type="open")
        assert {"answer": 1, "code": "too_many_sessions", "values": {"sessions": 16}}.items() <= hear(more).items()
        tabs[5].close()
        wait_until(lambda: any(seat.outbox is None for seat in studio.seats._seats.values()))
        begin(more)
        wait_until(studio.sessions[5].closed.is_set)
    assert len(studio.sessions) == seats.MOST_SESSIONS + 1


def test_of_a_tab_that_does_not_read_only_the_newest_numbers_wait(studio: Running) -> None:
    with studio.tab(max_queue=1) as tab:
        begin(tab)
        say(tab, id=1, type="run", what="play")
        session = studio.sessions[0]
        wait_until(lambda: session.epoch > 100)  # 50 MB, of which the tab has read next to nothing
        box = next(iter(studio.seats._seats.values())).outbox
        assert box is not None
        assert len(box._waiting) <= 2
        assert box._bytes < 3 * 2**20
        session.plays.clear()
        seen, last = 0, session.epoch
        while True:
            message = hear(tab)
            if isinstance(message, bytes):
                seen += 1
                epoch = json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])["epoch"]
                if epoch >= last:
                    break
        assert seen < last


def test_a_tab_that_reads_no_answers_is_closed(studio: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_BYTES", 8 * 2**20)
    with studio.tab(max_queue=1) as tab:
        begin(tab)
        for number in range(1, 100):
            tab.send(json.dumps({"id": number, "type": "board", "sample": {"part": "training", "row": 0}, "lang": "en",
                                 "digits": 4}))  # fmt: skip
        (seat,) = studio.seats._seats.values()
        wait_until(lambda: seat.outbox is None)
        assert len(studio.sessions[0].done) < 100


def test_commands_that_are_not_done_may_not_pile_up(studio: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in.StandIn, "do", lambda session, command: session.done.append(command))
    with studio.tab() as tab:
        say(tab, id=0, type="open")
        for number in range(1, 300):
            say(tab, id=number, type="run", what="epoch")
        told = [hear(tab) for _ in range(100)]
        assert [(event["answer"], event["code"]) for event in told] == [(number, "busy") for number in range(200, 300)]
        assert len(studio.sessions[0].done) == 200
        studio.sessions[0].send({"type": "done", "answer": 3})
        assert hear(tab) == {"type": "done", "answer": 3}
        say(tab, id=300, type="run", what="epoch")
        wait_until(lambda: len(studio.sessions[0].done) == 201)


def test_the_server_ends_while_sessions_train_and_tabs_do_not_read(studio: Running) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            tab = stack.enter_context(studio.tab(max_queue=1))
            begin(tab)
            say(tab, id=1, type="run", what="play")
        wait_until(lambda: all(session.epoch > 20 for session in studio.sessions))
        ending = threading.Thread(target=studio.seats.end)
        ending.start()
        ending.join(10)
        assert not ending.is_alive()
    assert all(session.closed.is_set() for session in studio.sessions)
