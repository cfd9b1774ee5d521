"""Commands drawn by chance, in any order: each is answered, none is a mistake of ours, and the code stays true."""

from __future__ import annotations

import runpy
import warnings

import numpy as np
import pytest
from studio_page import Page, dense, same_bytes, toy

from reseau.studio.document import RATES
from reseau.studio.session import Studio
from reseau.studio.toys import TOYS
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS

COMMANDS = 60


@pytest.fixture(scope="module")
def studio():
    return Studio()


class Draws:
    """What a page may ask, by chance."""

    def __init__(self, seed, page):
        self.rng, self.page = np.random.default_rng(seed), page

    def of(self, *values):
        return values[self.rng.integers(len(values))]

    def number(self, most):
        return int(self.rng.integers(most))

    def layer(self):
        kind = self.of("dense", "dense", "dense", "layer_norm", "prelu", "dropout", "conv")
        layer = {"kind": kind}
        if kind == "dense":
            layer = dense(self.of(1, 2, 3, 9, 40), self.of(*ACTIVATIONS), bias=self.of(True, False))
        if self.rng.random() < 0.2:
            layer |= {"dropout": self.of(0.0, 0.4), "residual": self.of(True, False)}
        return layer

    def network(self):
        now = self.page.document["network"]
        how = self.number(4)
        if how == 0:
            return {**now, "loss": self.of(*LOSSES)}
        if how == 1:
            last = now["layers"][-1]
            return {**now, "layers": [*(self.layer() for _ in range(self.number(4))), last]}
        if how == 2:
            return {**now, "layers": [self.layer() for _ in range(1 + self.number(3))], "loss": self.of(*LOSSES)}
        return {**now, "seed": self.number(9)}

    def data(self):
        if self.rng.random() < 0.3:
            key = self.page.welcome["tables"][0]["table"]
            columns = {self.of("island", "sex", "year"): self.of("number", "category", "date", "text", "ignore")}
            described = self.page.studio.table_described(key, self.of("species", "body_mass_g", "year", "island"))
            return {**described, "columns": self.of({}, columns), "held_out": self.of(0, 0.2, 0.9)}
        sizes = {"samples": self.of(10, 57, 200), "held_out": self.of(0, 0.25, 0.9), "noise": self.of(0, 0.4)}
        return toy(self.of(*TOYS), classes=self.of(2, 3, 5), seed=self.number(5), **sizes)

    def training(self):
        return {
            **self.page.document["training"],
            "optimizer": self.of(*OPTIMIZERS),
            "learning_rate": self.of(1e-4, 0.01, 0.3, 50.0),
            "schedule": self.of("constant", "constant", *RATES),
            "batch_size": self.of(1, 7, 32, 1000),
            "l2": self.of(0, 0.01, 100.0),
            "epochs": self.of(None, 1, 3, 30),
            "patience": self.of(None, None, 1, 5),
            "stop_loss": self.of(None, None, 0.5, 10.0),
        }

    def command(self):
        what = self.of(
            "change", "change", "change", "run", "run", "run", "run", "set", "look", "board", "keep", "forget"
        )
        sample = {"part": self.of("training", "validation"), "row": self.of(0, 3, 100)}
        if what == "change":
            parts = self.of(("data",), ("network",), ("training",), ("training",), ("data", "network", "training"))
            return what, {part: getattr(self, part)() for part in parts}
        if what == "run":
            return what, {"what": self.of("play", "pause", "epoch", "epoch", "step", "step", "rewind")}
        if what == "set":
            tensor = self.of(*self.page.state["network"]["tensors"], {"name": "layers.9.W", "shape": [1, 1]})
            index = [self.number(size + (self.rng.random() < 0.1)) for size in tensor["shape"]]
            return what, {"tensor": tensor["name"], "index": index, "value": self.of(0, -1.5, 1e-3, 7)}
        if what == "look":
            axes = self.of(None, [0, 0], [0, 1], [3, 1])
            return what, {"axes": axes, "sample": self.of(None, sample), "lang": "en"}
        if what == "board":
            return what, {"sample": sample, "lang": self.of("en", "fr"), "digits": self.of(1, 4)}
        return what, {"run": self.number(4)} if what == "forget" else {}


@pytest.mark.parametrize("seed", range(6))
def test_each_command_is_answered_and_none_is_a_mistake_of_ours(studio, seed, tmp_path, monkeypatch):
    page = Page(studio)
    draws = Draws(seed, page)
    for _ in range(COMMANDS):
        what, values = draws.command()
        page.ask(what, **values)
    page.ask("run", what="pause")
    failed = [event for event in page.seen if event["type"] == "refused" and event["code"] == "failed"]
    assert failed == []
    monkeypatch.chdir(tmp_path)
    code = page.session.take("python")[2].decode()
    tmp_path.joinpath("code.py").write_text(code, "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library notices, which the session has told
        made = runpy.run_path(str(tmp_path / "code.py"))["net"]
    assert same_bytes(made.parameters, page.parameters()), code
    again = Page(studio, page.document)
    again.paused()
    assert same_bytes(again.parameters(), page.parameters())
    again.close()
    page.close()
