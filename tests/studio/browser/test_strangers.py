"""In a browser: a page of somebody else's, open beside the studio, gets nothing of it, not even with its token."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

ATTACK = """async ([home, token]) => {
    const told = {};
    const socket = await new Promise((resolve) => {
        const socket = new WebSocket(home.replace("http", "ws") + "socket", ["reseau.studio.1", "token." + token]);
        socket.onopen = () => resolve("opened");
        socket.onclose = () => resolve("refused");
    });
    const asked = { method: "POST", body: "a,b\\n1,2\\n3,4\\n", headers: { "Content-Type": "text/plain" } };
    const authorised = { Authorization: "Bearer " + token };
    const tries = {
        post: () => fetch(home + "tables?name=a.csv", asked),
        with_token: () => fetch(home + "tables?name=a.csv", { ...asked, headers: authorised }),
        read: () => fetch(home),
    };
    for (const [name, ask] of Object.entries(tries)) {
        told[name] = await ask().then((answer) => answer.status, () => "refused");
    }
    const blind = await fetch(home + "tables?name=a.csv", { ...asked, mode: "no-cors" }).catch(() => null);
    told.blind = blind ? blind.type : "refused";
    const frame = document.createElement("iframe");
    frame.src = home;
    document.body.append(frame);
    await new Promise((resolve) => (frame.onload = resolve));
    let inside = null;
    try { inside = frame.contentDocument?.body.textContent ?? null; } catch {}
    return { ...told, socket, inside };
}"""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of another page on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Elsewhere</title><link rel=icon href='data:,'><body>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_of_another_origin_is_refused(visit, shared, heard, stranger: str) -> None:
    tab = visit()
    known = tab.page.get_by_role("tab", name="Tables")
    heard.expected += [
        r"WebSocket connection to .* failed",
        "CORS policy",
        "ERR_FAILED",
        "status of 403",
        "frame-ancestors",
        "ERR_BLOCKED",
    ]
    page = visit(stranger, ready=False).page
    token = shared.address.partition("token=")[2]
    told = page.evaluate(ATTACK, [shared.home, token])
    blind = told.pop("blind")
    assert blind in ("refused", "opaque")  # it may not be told which
    assert told == dict.fromkeys(("socket", "post", "with_token", "read"), "refused") | {"inside": None}
    tab.page.reload()
    tab.ready()
    known.click()
    assert tab.page.get_by_role("button", name="a.csv").count() == 0
