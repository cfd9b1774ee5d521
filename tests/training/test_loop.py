"""The loop over epochs, with a trainer and rules that only note what is asked of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reseau.arrays import Failure, Guard
from reseau.training.loop import Run, Samples, train
from reseau.training.settings import Settings

SAMPLES = Samples(np.zeros((10, 2)), np.zeros((10, 1)))


class Counting:
    """A trainer whose only parameter is the number of epochs it has made; one of them may fail or be interrupted."""

    def __init__(self, fails_in: int = 0, interrupted_in: int = 0) -> None:
        self.parameters, self.failure = np.zeros(1), None
        self.fails_in, self.interrupted_in = fails_in, interrupted_in
        self.calls: list[dict[str, Any]] = []

    def run(self, *samples: Any, epochs: int, **options: Any) -> list[float]:
        self.calls.append({"epochs": epochs, **options})
        made = []
        for _ in range(epochs):
            epoch = int(self.parameters[0]) + 1
            if epoch == self.interrupted_in:
                raise KeyboardInterrupt
            made.append(float(epoch))
            if epoch == self.fails_in:
                self.failure = Failure(1, "loss")
                break
            self.parameters[0] = epoch
        return made


class Noting:
    """Rules by which some epoch is the best, another the last, and Ctrl-C ends the run or does not."""

    leave, record = False, None

    def __init__(self, at_once: int = 1, best: int = 0, last: int = 99, ends: bool = False) -> None:
        self.at_once, self.best, self.last, self.ends = at_once, best, last, ends
        self.losses: list[float] = []

    def order(self) -> None:
        pass

    def is_best(self, losses: list[float], failure: Failure | None) -> bool:
        self.losses += losses
        return losses[-1] == self.best

    def goes_on(self, failure: Failure | None) -> bool:
        return self.losses[-1] < self.last

    def ends_by_interruption(self) -> bool:
        return self.ends


def made(trainer: Counting, rules: Noting, run: Run | None = None, **settings: Any) -> tuple[Run, float, list[int]]:
    """The run, the weights it ends with, and after which epochs a checkpoint was written."""
    run, written = run or Run(), []
    note = (lambda run: written.append(run.epochs)) if "checkpoint_every" in settings else None
    train(run, trainer, trainer.parameters, SAMPLES, Settings(**{"epochs": 7, **settings}), rules, Guard(), note)
    return run, float(trainer.parameters[0]), written


def test_epochs_run_in_one_call_where_nobody_asks_in_between() -> None:
    trainer = Counting()
    run, weights, _ = made(trainer, Noting(at_once=100), l2=0.5, shuffle=False, batch_size=4)
    assert (run.epochs, run.finished, weights) == (7, True, 7)
    (call,) = trainer.calls
    assert {name: call[name] for name in ("epochs", "l2", "shuffle", "batch_size", "guard")} == {
        "epochs": 7, "l2": 0.5, "shuffle": False, "batch_size": 4, "guard": Guard(),
    }  # fmt: skip


def test_a_batch_has_no_more_rows_than_there_are() -> None:
    trainer = Counting()
    made(trainer, Noting(), batch_size=1000)
    assert {call["batch_size"] for call in trainer.calls} == {10}


def test_checkpoints_are_written_every_few_epochs_and_at_the_end() -> None:
    trainer = Counting()
    assert made(trainer, Noting(at_once=100), checkpoint_every=3)[2] == [3, 6, 7]
    assert [call["epochs"] for call in trainer.calls] == [3, 3, 1]
    assert made(Counting(), Noting(last=4), checkpoint_every=3)[2] == [3, 4]
    assert made(Counting(fails_in=2), Noting(), checkpoint_every=3)[2] == [2]


def test_the_best_weights_come_back_only_where_they_are_kept() -> None:
    assert made(Counting(), Noting(best=3), keep_best=True)[1] == 3
    assert made(Counting(), Noting(best=3))[1] == 7


def test_an_epoch_that_fails_ends_the_run_with_the_weights_before_it_or_the_best() -> None:
    run, weights, _ = made(Counting(fails_in=5), Noting())
    assert (run.epochs, run.finished, weights, run.failure) == (5, True, 4, Failure(1, "loss"))
    assert made(Counting(fails_in=5), Noting(best=2), keep_best=True)[1] == 2


def test_rules_end_a_run() -> None:
    run, weights, _ = made(Counting(), Noting(last=4))
    assert (run.epochs, run.finished, run.failure, weights) == (4, True, None, 4)


def test_ctrl_c_reaches_the_caller_with_whole_epochs_or_ends_the_run() -> None:
    trainer = Counting(interrupted_in=4)
    with pytest.raises(KeyboardInterrupt):
        made(trainer, Noting(best=2), keep_best=True)
    assert trainer.parameters == 3  # the last complete epoch
    run, weights, _ = made(Counting(interrupted_in=4), Noting(best=2, ends=True), keep_best=True)
    assert (run.interrupted, run.epochs, weights) == (True, 3, 2)


def test_a_run_goes_on_from_where_it_stood_and_a_finished_one_only_gives_its_best() -> None:
    trainer = Counting()
    trainer.parameters[0] = 5
    assert made(trainer, Noting(), Run(epochs=5))[0].epochs == 7
    assert len(trainer.calls) == 2
    trainer = Counting()
    assert made(trainer, Noting(), Run(epochs=7, best=np.array([4.0]), finished=True))[1] == 4
    assert not trainer.calls
