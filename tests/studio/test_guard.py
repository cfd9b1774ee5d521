"""Who may ask: hostile hosts, pages and tokens, on every route and by every method; and the headers of every answer."""

from __future__ import annotations

import json
from itertools import product

import pytest
from studio_client import Running, begin, wait_until
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

PATHS = ("/", "/assets/app-1.js", "/tables?name=a.csv", "/sessions/session-1/python", "/socket", "/nowhere", "//", "*")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil.example",
             "localhost", "LOCALHOST:{port} ", "[::1]:{port}", "user@127.0.0.1:{port}", "127.0.0.1:{port}/x", ""],
)  # fmt: skip
def test_a_request_by_another_name_is_refused_on_every_route_and_by_every_method(studio: Running, host: str) -> None:
    for path, method in product(PATHS, METHODS):
        answer = studio.ask(method, path, {"Host": host.format(port=studio.port)})
        assert answer.status == 403, (method, path)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://localhost:{port}",
               "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1", "file://", ""],
)  # fmt: skip
def test_a_request_from_another_page_is_refused_on_every_route_and_by_every_method(
    studio: Running, origin: str
) -> None:
    for path, method in product(PATHS, METHODS):
        answer = studio.ask(method, path, {"Origin": origin.format(port=studio.port)})
        assert answer.status == 403, (method, path)


def test_two_names_or_two_pages_are_refused(studio: Running) -> None:
    own = f"http://{studio.host}"
    for lines in (
        f"Host: {studio.host}\r\nOrigin: {own}\r\nOrigin: {own}",
        f"Host: {studio.host}\r\nOrigin: {own}\r\nOrigin: http://evil.example",
    ):
        with studio.raw(f"GET / HTTP/1.1\r\n{lines}\r\n\r\n".encode()) as raw:
            assert raw.recv(65536).startswith(b"HTTP/1.1 403")
    with studio.raw(f"GET / HTTP/1.1\r\nHost: {studio.host}\r\nHost: {studio.host}\r\n\r\n".encode()) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 400")
    with studio.raw(b"GET / HTTP/1.0\r\n\r\n") as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 403")


def test_the_page_is_answered_by_both_of_its_names(studio: Running) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{studio.port}"
        answer = studio.ask("GET", "/", {"Host": host, "Origin": f"http://{host}"}, token=False)
        assert (answer.status, answer.body) == (200, b"<!doctype html>page")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic x", "{token}", "bearer {token}",
                                           "Bearer {token} ", "Bearer {token}x", "Bearer é"])  # fmt: skip
def test_without_the_token_nothing_is_uploaded_or_taken_away(studio: Running, authorization: str) -> None:
    given = authorization.format(token=studio.token)
    if given.strip() == f"Bearer {studio.token}":
        given = "Bearer"  # spaces around a header's value are no part of it
    with studio.tab() as tab:
        key = begin(tab)
        for method, path in (("POST", "/tables?name=a.csv"), ("GET", f"/sessions/{key}/python")):
            answer = studio.ask(method, path, {"Authorization": given}, b"a,b\n", token=False)
            assert (answer.status, answer.refused["code"]) == (401, "forbidden")
    assert studio.tables.uploads == []


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": None}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"subprotocols": None}, 401),
        ({"subprotocols": ["reseau.studio.1"]}, 401),
        ({"subprotocols": ["reseau.studio.1", "token."]}, 401),
        ({"subprotocols": ["reseau.studio.1", "token.wrong"]}, 401),
        ({"subprotocols": ["token.TOKEN"]}, 401),
        ({"subprotocols": ["reseau.studio.1", "token.wrong", "token.TOKEN"]}, 401),
    ],
)
def test_a_socket_of_another_page_or_without_the_token_is_refused_before_it_is_one(
    studio: Running, options: dict[str, object], status: int
) -> None:
    offered = options.get("subprotocols")
    if isinstance(offered, list):
        options = options | {"subprotocols": [Subprotocol(one.replace("TOKEN", studio.token)) for one in offered]}
    with pytest.raises(InvalidStatus) as failure, studio.tab(**options):
        pass
    response = failure.value.response
    assert response.status_code == status
    assert json.loads(response.body or b"")["code"] == "forbidden"
    assert HEADERS.items() <= {name.lower(): value for name, value in response.headers.raw_items()}.items()
    assert studio.sessions == []


@pytest.mark.parametrize(
    ("path", "host"), [("/elsewhere", None), ("/", None), ("/socket/", None), ("/socket", "evil.example")]
)
def test_a_socket_elsewhere_or_by_another_name_is_none(studio: Running, path: str, host: str | None) -> None:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host or studio.host}\r\nOrigin: http://{host or studio.host}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: reseau.studio.1, token.{studio.token}\r\n\r\n"
    )
    with studio.raw(request.encode()) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 403")


def test_the_socket_speaks_the_first_of_the_protocols_and_does_not_repeat_the_token(studio: Running) -> None:
    with studio.tab() as tab:
        assert tab.subprotocol == "reseau.studio.1"
        assert tab.response is not None
        assert studio.token not in str(tab.response.headers)


def test_every_answer_has_the_headers_that_keep_others_out(studio: Running) -> None:
    with studio.tab() as tab:
        key = begin(tab)
        asked = [
            ("GET", "/", {}, None, 200),
            ("GET", "/assets/app-1.js", {}, None, 200),
            ("HEAD", "/", {}, None, 200),
            ("GET", "/nowhere", {}, None, 404),
            ("PUT", "/", {}, None, 405),
            ("GET", "/", {"Host": "evil.example"}, None, 403),
            ("POST", "/tables?name=a.csv", {}, b"a,b\n", 200),
            ("POST", "/tables?name=a.csv", {"Authorization": "no"}, b"a,b\n", 401),
            ("POST", "/tables?name=a.csv", {}, bytes(2000), 413),
            ("POST", "/tables?name=a.csv", {}, b"bug", 500),
            ("GET", f"/sessions/{key}/python", {}, None, 200),
            ("GET", f"/sessions/{key}/nothing", {}, None, 500),
            ("GET", "/sessions/none/python", {}, None, 404),
        ]
        for method, path, headers, body, status in asked:
            answer = studio.ask(method, path, headers, body)
            assert answer.status == status, (method, path)
            assert HEADERS.items() <= answer.headers.items()
            policy = answer.headers["content-security-policy"].split("; ")
            assert policy[0] == "default-src 'none'"
            assert {"script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
            assert "access-control-allow-origin" not in answer.headers
            assert "server" not in answer.headers
            assert "location" not in answer.headers


def test_what_fails_is_told_in_the_terminal_without_the_token(
    studio: Running, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = studio.ask("POST", f"/tables?name={studio.token}", {}, b"bug")
    assert (answer.status, answer.refused["code"]) == (500, "failed")
    wait_until(lambda: "ZeroDivisionError" in caplog.text)
    told = caplog.text + "".join(capfd.readouterr())
    assert studio.token not in told


def test_the_address_that_a_browser_is_opened_with_leads_to_the_page_once(studio: Running) -> None:
    path = studio.prepared.once.removeprefix(f"http://{studio.host}")
    assert studio.token not in path
    assert studio.ask("GET", path + "x", token=False).status == 404
    answer = studio.ask("GET", path, token=False)
    assert (answer.status, answer.headers["location"]) == (303, f"/#token={studio.token}&lang=fr")
    assert answer.headers["cache-control"] == "no-store"
    assert studio.ask("GET", path, token=False).status == 404
    assert studio.prepared.address == f"http://{studio.host}/#token={studio.token}&lang=fr"


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/assets/../../server.py", "/..%2fserver.py", "/%2e%2e/server.py", "/%252e%252e/server.py",
        "/..%5cserver.py", "/..\\server.py", "//etc/passwd", "/assets//etc/passwd", "/etc/passwd", "/%2fetc%2fpasswd",
        "/assets/app-1.js/", "/assets/app-1.js%00.css", "/./index.html", "/assets/", "/assets", "/ASSETS/app-1.js",
        "/assets/%61pp-1.js%2f..%2f..%2fserver.py", "/C:/windows/win.ini", "/file:///etc/passwd", "/index.html::$DATA",
        "http://evil.example/", "/%ff%fe", "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_there_are_no_files_but_those_of_the_page(studio: Running, path: str) -> None:
    answer = studio.ask("GET", path)
    assert (answer.status, answer.refused["code"]) == (404, "malformed")


def test_letters_that_are_encoded_needlessly_are_the_same_file(studio: Running) -> None:
    assert studio.ask("GET", "/assets/%61pp-1.js").body == b"'script'"
