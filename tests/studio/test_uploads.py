"""What is uploaded and taken away: limits that hold whatever a request says of itself."""

from __future__ import annotations

import json
import select
import socket
import time
from contextlib import suppress

import pytest
from studio_client import Running, begin

from reseau.studio import app


def test_a_table_that_is_uploaded_is_told_of(studio: Running) -> None:
    answer = studio.ask("POST", "/tables?name=p%C3%A9.csv", body=b"a,b\n")
    assert (answer.status, json.loads(answer.body)) == (200, {"table": "1", "name": "pé.csv", "rows": 4})
    assert studio.tables.uploads == [("pé.csv", b"a,b\n")]


def test_a_table_in_parts_of_unknown_length_is_taken_too(studio: Running) -> None:
    chunked = b"3\r\na,b\r\n1\r\n\n\r\n0\r\n\r\n"
    answer = studio.ask("POST", "/tables?name=a.csv", {"Transfer-Encoding": "chunked"}, chunked)
    assert answer.status == 200
    assert studio.tables.uploads == [("a.csv", b"a,b\n")]


def test_what_is_no_table_is_refused_in_the_words_of_the_engine(studio: Running) -> None:
    answer = studio.ask("POST", "/tables?name=a.csv", body=b"no table")
    assert (answer.status, answer.refused["code"], answer.refused["message"]) == (
        422,
        "table_unreadable",
        "it is no table",
    )


@pytest.mark.parametrize("query", ["", "?name=", "?nom=a.csv", f"?name={'a' * 256}"])
def test_an_upload_has_a_name(studio: Running, query: str) -> None:
    assert studio.ask("POST", f"/tables{query}", body=b"a,b\n").refused["code"] == "malformed"


@pytest.mark.parametrize(("headers", "body"), [({}, bytes(1001)), ({"Transfer-Encoding": "chunked"}, None)])
def test_more_bytes_than_allowed_are_refused_whatever_the_length_is_said_to_be(
    studio: Running, headers: dict[str, str], body: bytes | None
) -> None:
    chunked = b"".join(b"200\r\n" + bytes(512) + b"\r\n" for _ in range(4)) + b"0\r\n\r\n"
    answer = studio.ask("POST", "/tables?name=a.csv", headers, chunked if body is None else body)
    assert (answer.status, answer.refused["code"], answer.refused["values"]) == (
        413,
        "too_large",
        {"name": "a.csv", "what": "bytes", "most": 1000},
    )
    assert answer.headers["connection"] == "close"
    assert studio.tables.uploads == []


def test_an_upload_without_end_is_refused_and_not_read_for_ever(
    studio: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "READ_ON", 0.3)
    with studio.raw(_post(studio, "Transfer-Encoding: chunked")) as raw:
        while _sent(raw, b"400\r\n" + bytes(1024) + b"\r\n"):  # until it is cut off
            pass
    assert studio.tables.uploads == []


@pytest.mark.parametrize(("limit", "seconds"), [("CHUNK_WITHIN", 0.2), ("UPLOAD_WITHIN", 0.5)])
def test_a_slow_upload_is_ended(studio: Running, monkeypatch: pytest.MonkeyPatch, limit: str, seconds: float) -> None:
    monkeypatch.setattr(app, limit, seconds)
    with studio.raw(_post(studio, "Content-Length: 100")) as raw:
        while not select.select([raw], [], [], 0.05)[0]:
            if limit == "UPLOAD_WITHIN":
                _sent(raw, b"x")
        told = b""
        with suppress(ConnectionError):
            while part := raw.recv(65536):
                told += part
        assert told.startswith(b"HTTP/1.1 408")
        assert b'"code":"too_slow"' in told


def test_less_than_was_said_is_no_upload(studio: Running) -> None:
    with studio.raw(_post(studio, "Content-Length: 100") + b"a,b\n"):
        time.sleep(0.05)
    assert studio.ask("POST", "/tables?name=b.csv", body=b"x").status == 200
    assert studio.tables.uploads == [("b.csv", b"x")]


@pytest.mark.parametrize("length", ["-1", "+4", "1e3", "0x10", "9" * 30, "4, 4", "4, 5", "٤"])
def test_a_false_length_is_refused(studio: Running, length: str) -> None:
    with studio.raw(_post(studio, f"Content-Length: {length}") + b"a,b\n") as raw:
        raw.settimeout(20)
        raw.shutdown(1)
        raw.recv(65536)
    assert [name for name, content in studio.tables.uploads if content != b"a,b\n"] == []


def test_a_body_where_none_belongs_is_not_read(studio: Running) -> None:
    answer = studio.ask("GET", "/", body=bytes(10**5))
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_code_is_taken_away_as_a_file_with_its_name(studio: Running) -> None:
    with studio.tab() as tab:
        key = begin(tab)
        answer = studio.ask("GET", f"/sessions/{key}/python?lang=fr")
        assert answer.body == b"# fr\n"
        assert answer.headers["content-type"].startswith("text/x-python")
        name = "net%20%221%22%0D%0A%C3%A9.py"
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
        assert studio.ask("GET", f"/sessions/{key}/nothing").refused["message"] == "there is no nothing"
        assert studio.ask("GET", f"/sessions/{key}/python?lang=de").status == 400
        assert studio.ask("GET", f"/sessions/{key}x/python").refused["code"] == "no_session"


def _post(studio: Running, length: str) -> bytes:
    return (
        f"POST /tables?name=a.csv HTTP/1.1\r\nHost: {studio.host}\r\nAuthorization: Bearer {studio.token}\r\n"
        f"{length}\r\n\r\n"
    ).encode()


def _sent(raw: socket.socket, content: bytes) -> bool:
    try:
        raw.sendall(content)
    except ConnectionError:
        return False
    return True
