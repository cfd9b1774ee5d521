"""What stands in the engine's place in tests of the server: sessions that send what a test wants, at once."""

from __future__ import annotations

import itertools
import json
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from reseau.studio.refusal import Refusal

Send = Callable[[dict[str, Any] | bytes], None]


def frame(answer: int | None, epoch: int, arrays: dict[str, tuple[str, list[int], bytes]], **more: Any) -> bytes:
    """A frame, as the protocol describes it."""
    told, content = [], b""
    for name, (dtype, shape, numbers) in arrays.items():
        told.append({"name": name, "dtype": dtype, "shape": shape, "offset": len(content)})
        content += numbers + bytes(-len(numbers) % 8)
    scores = dict.fromkeys(("loss", "validation_loss", "score", "validation_score"))
    header = {
        "type": "frame",
        "answer": answer,
        "epoch": epoch,
        "step": 0,
        "steps": 1,
        "seconds": 0.0,
        "steps_per_second": 0,
        "scores": scores,
        "arrays": told,
        **more,
    }
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + bytes(-(4 + len(text)) % 8) + content


def parts(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A frame's header, and the bytes of its arrays by name."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    start = 4 + length + -(4 + length) % 8
    arrays = {}
    for told in header["arrays"]:
        size = 1 if told["dtype"] == "uint8" else 4
        for extent in told["shape"]:
            size *= extent
        arrays[told["name"]] = message[start + told["offset"] : start + told["offset"] + size]
        assert len(arrays[told["name"]]) == size
    return header, arrays


class StandIn:
    """A session whose training is a thread that sends frames of half a megabyte, one after another."""

    made: list[StandIn]  # one list a test, which the fixture gives

    keys = itertools.count(1)

    def __init__(self, send: Send, document: dict[str, Any] | None) -> None:
        self.key = f"session-{next(self.keys)}"
        self.send = send
        self.document = document
        self.done: list[dict[str, Any]] = []
        self.plays = threading.Event()
        self.closed = threading.Event()
        self.epoch = 0
        self.thread: threading.Thread | None = None
        self.made.append(self)

    def do(self, command: dict[str, Any]) -> None:
        self.done.append(command)
        kind, answer = command["type"], command["id"]
        if kind == "open":
            self.send({"type": "welcome", "answer": answer, "session": self.key})
        elif kind == "run" and command["what"] == "play":
            self.plays.set()
            if self.thread is None:
                self.thread = threading.Thread(target=self._train)
                self.thread.start()
            self.send({"type": "state", "answer": answer, "phase": "running"})
        elif kind == "run":
            self.plays.clear()
            self.send({"type": "state", "answer": answer, "phase": "paused"})
        elif kind == "keep":
            raise Refusal("network_refused", "not this one", layer=2)
        elif kind == "forget":
            raise ZeroDivisionError("an error of ours")
        elif kind == "board":
            self.send({"type": "board", "answer": answer, "html": "x" * 2**20, "stages": []})
        elif kind == "look":
            self.send(frame(answer, self.epoch, {}))
        else:
            self.send({"type": "done", "answer": answer})

    def _train(self) -> None:
        while not self.closed.is_set():
            if self.plays.wait(0.01):
                self.epoch += 1
                self.send(frame(None, self.epoch, {"boundary": ("uint8", [2**19], bytes(2**19))}))
                time.sleep(0.001)

    def attach(self, send: Send) -> None:
        self.send = send

    def detach(self) -> None:
        self.plays.clear()

    def take(self, what: str, lang: str) -> tuple[str, str, bytes]:
        if what != "python":
            raise Refusal("failed", f"there is no {what}")
        return 'net "1"\r\né.py', "text/x-python", f"# {lang}\n".encode()

    def close(self) -> None:
        self.closed.set()
        if self.thread is not None:
            self.thread.join()


class Tables:
    """Takes uploads."""

    def __init__(self) -> None:
        self.uploads: list[tuple[str, bytes]] = []

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        if content == b"no table":
            raise Refusal("table_unreadable", "it is no table")
        if content == b"bug":
            raise ZeroDivisionError("an error of ours")
        self.uploads.append((name, content))
        return {"table": "1", "name": name, "rows": len(content)}
