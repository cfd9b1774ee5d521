"""The loop over epochs: the only one, for networks, estimators and tables.

What holds for every run is here: when it ends, which weights it ends with, what becomes of an epoch that fails or is
interrupted, when a checkpoint is written. What a run does in its own way between epochs, its `Rules` say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from reseau.arrays import Failure, FloatArray, Guard, IntArray, Slopes, SparseRows
from reseau.engine.door import Training
from reseau.training.rates import Rates
from reseau.training.settings import Settings


class Samples(NamedTuple):
    """Checked rows, as the engines take them.

    Attributes
    ----------
    X : ndarray or SparseRows of shape (rows, inputs)
        Inputs.
    T : ndarray of shape (rows, outputs), or (rows,)
        Targets, or labels.
    s : ndarray of shape (rows,) or None
        How much each row counts.
    slopes : Slopes or None
        What the outputs' derivatives by the inputs are to be, where they are learnt too.
    """

    X: FloatArray | SparseRows
    T: FloatArray | IntArray
    s: FloatArray | None = None
    slopes: Slopes | None = None

    def block(self, first: int, last: int) -> Samples:
        """The rows from `first` up to, not including, `last`."""
        X = self.X.block(first, last) if isinstance(self.X, SparseRows) else self.X[first:last]
        s = None if self.s is None else self.s[first:last]
        slopes = None if self.slopes is None else Slopes(self.slopes.wanted[first:last], self.slopes.weight)
        return Samples(X, self.T[first:last], s, slopes)

    @property
    def rows(self) -> int:
        return len(self.X)

    @property
    def weight(self) -> float:
        """What the rows count together."""
        return self.rows if self.s is None else float(self.s.sum())

    @property
    def looked_at(self) -> Samples:
        return self

    def blocks(self) -> Iterator[Samples]:
        yield self

    def runs(self, epochs: int, in_a_step: int) -> int:
        return epochs

    def trained_by(
        self,
        trainer: Training,
        made: int,
        in_a_step: int,
        *,
        epochs: int,
        rates: FloatArray | None,
        guard: Guard,
        shuffle: bool,
        **how: Any,
    ) -> tuple[list[float], Failure | None]:
        run = {"epochs": epochs, "rates": rates, "guard": guard, "shuffle": shuffle, **how}
        return trainer.run(self.X, self.T, self.s, slopes=self.slopes, **run), trainer.failure


class Data(Protocol):
    """What is learnt or validated on: `Samples`, or rows that are not all in memory."""

    @property
    def rows(self) -> int:
        """How many there are."""

    @property
    def looked_at(self) -> Samples:
        """All of them, or some from everywhere, by which is told what they are like."""

    def blocks(self) -> Iterator[Samples]:
        """All of them, some after the others."""

    def runs(self, epochs: int, in_a_step: int) -> int:
        """For how many epochs of the trainer's it has been trained on these rows for so many epochs."""

    def trained_by(
        self,
        trainer: Training,
        made: int,
        in_a_step: int,
        *,
        epochs: int,
        rates: FloatArray | None,
        guard: Guard,
        shuffle: bool,
        **how: Any,
    ) -> tuple[list[float], Failure | None]:
        """Train for some epochs after those that were made; return the mean error of the rows in each, and a failure.

        A step takes so many rows, and all others are parameters of `Training.run`. An epoch that raises has not changed
        the parameters of the network.
        """


class Rules(Protocol):
    """What a run does in its own way between epochs. Each is asked in this order.

    Attributes
    ----------
    at_once : int
        How many epochs may run now without anybody being asked or told in between.
    leave : bool
        Whether the weights may stay where the engine has them after an epoch.
    record : ndarray of shape (batches, 2) or None
        Where the engine notes the sums of each batch of an epoch.
    """

    at_once: int
    leave: bool
    record: FloatArray | None

    def followed(self) -> Sequence[float]:
        """The loss of each epoch so far that a schedule follows."""

    def order(self) -> IntArray | None:
        """The order in which the next epoch takes the rows; None leaves it to the engine."""

    def is_best(self, losses: list[float], failure: Failure | None) -> bool:
        """Note the mean errors of the epochs that were made; return whether no weights so far were better."""

    def goes_on(self, failure: Failure | None) -> bool:
        """Whether to make another epoch, if the last has not failed and was not the last anyway."""

    def ends_by_interruption(self) -> bool:
        """Whether Ctrl-C ends the run as if it were complete; else it reaches the caller."""


@dataclass
class Run:
    """A run as it stands after an epoch.

    Attributes
    ----------
    epochs : int
        Made so far, with one that failed.
    rates : list of float
        The learning rate of the last step of each of them.
    best : ndarray of shape (n_parameters,) or None
        The weights of the best epoch, where they are kept.
    failure : Failure or None
        Where the last epoch failed, if it did.
    finished : bool
        Whether there is nothing more to do.
    interrupted : bool
        Whether Ctrl-C has ended it.
    """

    epochs: int = 0
    rates: list[float] = field(default_factory=list)
    best: FloatArray | None = None
    failure: Failure | None = None
    finished: bool = False
    interrupted: bool = False


def train(
    run: Run,
    trainer: Training,
    parameters: FloatArray,
    samples: Data,
    settings: Settings,
    rules: Rules,
    guard: Guard,
    checkpoint: Callable[[Run], None] | None = None,
) -> None:
    """Bring a run to its end.

    It ends after its epochs, when its rules say so, and with an epoch that fails: whose numbers are no longer finite,
    or larger than the guard lets them be. The parameters are then those of the best epoch, where they are kept, else
    those of the last epoch that did not fail. An epoch that is interrupted, or in which something fails, has not taken
    place.

    Parameters
    ----------
    run : Run
        From where it goes on.
    trainer : Training
        What makes the epochs.
    parameters : ndarray of shape (n_parameters,)
        The flat vector that it trains.
    samples : Samples or Data
        What is learnt.
    settings : Settings
        How.
    rules : Rules
        What it does in its own way.
    guard : Guard
        How large its numbers may become.
    checkpoint : callable or None
        Called after every `settings.checkpoint_every` epochs and at the end.
    """
    of_a_run = {**settings.of_a_run, "batch_size": min(settings.batch_size, samples.rows)}
    every = settings.checkpoint_every
    in_a_step = of_a_run["batch_size"] * settings.accumulate
    rates = Rates(settings.optimizer.schedule, settings.epochs, samples.rows, in_a_step)
    try:
        while not run.finished:
            at_once = min(rules.at_once, rates.at_once)
            if checkpoint is not None:
                at_once = min(at_once, every - run.epochs % every)
            epochs = min(at_once, settings.epochs - run.epochs)
            now = rates.of(run.epochs, epochs, rules)
            losses, run.failure = samples.trained_by(
                trainer,
                run.epochs,
                in_a_step,
                epochs=epochs,
                rates=now,
                order=rules.order(),
                record=rules.record,
                leave=rules.leave,
                guard=guard,
                **of_a_run,
            )
            run.epochs += len(losses)
            if rules.is_best(losses, run.failure) and settings.keep_best:
                run.best = parameters.copy()
            run.rates += rates.last(now, len(losses), settings.optimizer.rate)
            goes_on = rules.goes_on(run.failure)
            run.finished = not goes_on or run.failure is not None or run.epochs >= settings.epochs
            if checkpoint is not None and (run.finished or run.epochs % every == 0):
                checkpoint(run)
    except KeyboardInterrupt:
        if not rules.ends_by_interruption():
            raise
        run.interrupted = True
    if run.best is not None:
        parameters[...] = run.best
