"""A page that looks on: what a session sends it is held against the protocol, and kept."""

from __future__ import annotations

import copy
import json
import queue
from pathlib import Path

import fastjsonschema
import numpy as np

import reseau.studio
from reseau.studio.frames import unpacked
from reseau.studio.session import Session, Studio

SCHEMA = json.loads(Path(reseau.studio.__file__).with_name("protocol.schema.json").read_text("utf-8"))


def checks(what):
    """A function that refuses what is no such thing of the protocol."""
    return fastjsonschema.compile({"definitions": SCHEMA["definitions"], "$ref": f"#/definitions/{what}"})


CHECK_EVENT, CHECK_COMMAND, CHECK_FILE = checks("Event"), checks("Command"), checks("SessionFile")
LONG = 60.0  # seconds, after which nothing comes any more


class Page:
    """Asks a session of the engine, and waits for its answers."""

    def __init__(self, studio=None, document=None):
        self.studio = Studio() if studio is None else studio
        self.events = queue.Queue()
        self.seen = []
        self.state = self.header = self.arrays = None
        self.session = Session(self.studio, self.events.put)
        self._id = 0
        self.welcome = self.ask("open", **({} if document is None else {"document": document}))
        self.until(lambda event: event["type"] == "state" and event["answer"] == self._id)

    def send(self, what, /, **values):
        self._id += 1
        command = {"id": self._id, "type": what, **values}
        CHECK_COMMAND(copy.deepcopy(command))
        self.session.do(command)
        return self._id

    def ask(self, what, /, **values):
        """Send a command and wait for its answer."""
        number = self.send(what, **values)
        return self.until(lambda event: event.get("answer") == number)

    def until(self, wanted):
        """Wait for an event that is wanted, and return it."""
        while True:
            event = self.next()
            if wanted(event):
                return event

    def next(self):
        event = self.events.get(timeout=LONG)
        if isinstance(event, bytes):
            event, self.arrays = unpacked(event)
            self.header = event
        CHECK_EVENT(copy.deepcopy(event))
        self.seen.append(event)
        if event["type"] == "state":
            self.state = event
        return event

    def paused(self):
        """Wait until it pauses by itself, if it has not."""
        while self.state["phase"] != "paused":
            self.next()

    def drain(self):
        """Take what was sent already."""
        while not self.events.empty():
            self.next()

    def run(self, what):
        return self.ask("run", what=what)

    def train(self, epochs):
        """Make so many epochs, one by one."""
        for _ in range(epochs):
            self.run("epoch")
            self.paused()

    def change(self, **values):
        """Change parts of the document: of the data, the network or the training, what is given by name."""
        now = self.state["document"]
        return self.ask("change", **{name: {**now[name], **changes} for name, changes in values.items()})

    @property
    def document(self):
        return self.state["document"]

    def parameters(self):
        """All weights, after whole epochs."""
        return self.session._asked(lambda: self.session._run.network.parameters.copy())

    def look(self, axes=None, sample=None):
        return self.ask("look", axes=axes, sample=sample, lang="en")

    def close(self):
        self.session.close()


def same_bytes(a, b):
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


def toy(name="circles", **values):
    """A document's samples made up."""
    usual = {"samples": 120, "noise": 0.1, "classes": 2, "seed": 0, "held_out": 0.25}
    return {"kind": "toy", "name": name, **usual, **values}


def dense(neurons, activation="tanh", **values):
    return {"kind": "dense", "neurons": neurons, "activation": activation, **values}
