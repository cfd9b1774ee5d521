"""Times one case: everybody in turn, round after round, after showing that they compute the same."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from cases import Case, Problem, problem
from ceilings import Ceilings
from peers import Peer, Setting

LOSS_TOLERANCE = 1e-3  # relative, after an epoch; the peers put Adam's ε in different places
OUTPUT_TOLERANCE = {"float32": 1e-4, "float64": 1e-10}  # of the largest output
HOPELESS = 1.5  # a setting this much slower than the peer's fastest, when first timed, is not timed further
PAUSE = 0.02  # seconds before a turn, in which the threads of the turn before stop spinning


class DisagreementError(Exception):
    """A peer does not compute what Réseau computes."""


@dataclass
class Runner:
    """A peer ready to do a case in one of its settings.

    Attributes
    ----------
    peer, setting
        Who, and how.
    run : callable
        Does so many epochs or inferences.
    steps : int
        Training steps or inferences in one of them.
    count : int
        How many make a turn.
    times : list of float
        Seconds a step, of each round.
    """

    peer: Peer
    setting: Setting
    run: Callable[[int], object]
    steps: int
    count: int = 1
    times: list[float] = field(default_factory=list)

    def turn(self) -> float:
        """Run `count` times; returns the seconds a step."""
        time.sleep(PAUSE)
        with self.peer.using(self.setting):
            start = time.perf_counter()
            self.run(self.count)
            return (time.perf_counter() - start) / (self.count * self.steps)

    def calibrate(self, seconds: float) -> float:
        """Set `count` for turns of about so many seconds; returns the seconds a step."""
        while True:
            step = self.turn()
            if step * self.count * self.steps > seconds / 4:
                self.count = max(1, round(seconds / (step * self.steps)))
                return step
            self.count *= 4

    @property
    def median(self) -> float:
        """Seconds a step."""
        return statistics.median(self.times)


@dataclass
class Result:
    """What a case came to.

    Attributes
    ----------
    case : Case
        Which.
    best : dict of str to Runner
        By peer, its fastest setting.
    floor : float
        Seconds below which no step can go, the least of the rounds; NaN where the ceilings are not known.
    lacking : list of str
        Whom the case is not for, and why.
    failed : list of str
        Who raised an error.
    wrong : list of str
        Who does not compute the same.
    """

    case: Case
    best: dict[str, Runner]
    floor: float
    lacking: list[str]
    failed: list[str]
    wrong: list[str]

    def ratio(self, peer: str) -> float:
        """How many times Réseau's time a peer takes; NaN when it was left out."""
        return self.best[peer].median / self.best["Réseau"].median if peer in self.best else math.nan


def prepare(peer: Peer, setting: Setting, case: Case, data: Problem) -> tuple[Runner, np.ndarray]:
    """A runner, and what it has to show: the loss of the first epoch, or the outputs."""
    with peer.using(setting):
        if case.task == "train":
            epochs = peer.trainer(case, data, setting)
            return Runner(peer, setting, epochs, case.batches), np.array(epochs(1))
        predict = peer.predictor(case, data, setting)
        shown = np.array(predict()).reshape(case.batch, -1)  # copied: a later call may write there

    def predictions(count: int) -> None:
        for _ in range(count):
            predict()

    return Runner(peer, setting, predictions, 1), shown


def check(case: Case, shown: np.ndarray, expected: np.ndarray) -> None:
    """Raise DisagreementError unless a peer shows what Réseau shows."""
    tolerance = LOSS_TOLERANCE if case.task == "train" else OUTPUT_TOLERANCE[case.dtype]
    largest = float(np.abs(expected).max())
    difference = float(np.abs(shown - expected).max()) / largest
    if not difference <= tolerance:
        what = "loss of the first epoch" if case.task == "train" else "outputs"
        raise DisagreementError(f"its {what} differ{'s' if case.task == 'train' else ''} by {difference:.1g}")


def measure(
    case: Case, peers: list[Peer], processors: int, ceilings: Ceilings | None, rounds: int, seconds: float
) -> Result:
    """Time a case.

    Parameters
    ----------
    case : Case
        What to time.
    peers : list of Peer
        Réseau first.
    processors : int
        The most threads that anyone gets.
    ceilings : Ceilings or None
        Measured in every round too.
    rounds : int
        Turns of each.
    seconds : float
        Length of a turn.
    """
    data = problem(case)
    runners: list[Runner] = []
    lacking: list[str] = []
    failed: list[str] = []
    wrong: list[str] = []
    expected: np.ndarray | None = None
    for peer in peers:
        missing = peer.lacks(case)
        if missing is not None:
            lacking.append(f"{peer.name}: {missing}")
            continue
        ready: list[tuple[float, Runner]] = []
        for setting in peer.settings(processors):
            try:
                runner, shown = prepare(peer, setting, case, data)
                expected = shown if expected is None else expected
                check(case, shown, expected)
            except DisagreementError as error:
                wrong.append(f"{peer.name}, {setting}: {error}")
            except Exception as error:  # whatever a peer may raise: the others are still measured
                reason = str(error).strip().partition("\n")[0]
                failed.append(f"{peer.name}, {setting}: {type(error).__name__}: {reason}")
            else:
                ready.append((runner.calibrate(seconds), runner))
        runners += [runner for step, runner in ready if step <= HOPELESS * min(ready, key=lambda r: r[0])[0]]
    floor = math.inf
    for _ in range(rounds):
        if ceilings is not None:
            floor = min(floor, ceilings.floor(case, processors))
        for runner in runners:
            runner.times.append(runner.turn())
    best: dict[str, Runner] = {}
    for runner in sorted(runners, key=lambda r: r.median):
        best.setdefault(runner.peer.name, runner)
    for peer in peers:
        peer.forget()
    return Result(case, best, floor if ceilings is not None else math.nan, lacking, failed, wrong)
