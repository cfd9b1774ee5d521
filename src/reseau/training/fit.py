"""fit: data checked, a run on disk taken up or begun, the loop, and what is said if it went wrong."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from math import ceil, inf, nan
from os import PathLike
from typing import Any

import numpy as np

from reseau import engine
from reseau.arrays import Failure, FloatArray, Slopes, SparseRows
from reseau.checks import boolean, frames_within
from reseau.engine.door import Training
from reseau.errors import ParameterError, ReseauError
from reseau.stored.rows import StoredRows
from reseau.training import divergence, least_squares, plateau
from reseau.training.callbacks import Callback, Hooks, callbacks_of, stopped_by, told
from reseau.training.checkpoints import DATA, Checkpoints, Snapshot
from reseau.training.constants import loss_of_constants, room_below
from reseau.training.evaluation import Outputs, compared, mean_error_of, outputs_of
from reseau.training.given import Found, Given, Trainable, checked, digest_of
from reseau.training.history import History
from reseau.training.least_squares import LeastSquares
from reseau.training.loop import Run, Samples, train
from reseau.training.metrics import measured
from reseau.training.progress import INTERVAL, Show, is_verbose, shown
from reseau.training.settings import Settings
from reseau.vocabulary.losses import OwnLoss

Errors = divergence.Errors
AS_MANY_AS_THERE_ARE = 2**62


class Epochs:
    """The rules of `fit`: any order of the engine's, the smallest validation loss, patience and callbacks that stop."""

    leave = False
    record: FloatArray | None = None

    def __init__(
        self,
        network: Trainable,
        errors: Errors,
        outputs: Outputs,
        samples: Given,
        validation: Given | None,
        settings: Settings,
        callbacks: Sequence[Callback],
        show: Show | None,
        history: History,
    ) -> None:
        self.network, self.errors, self.outputs, self.settings = network, errors, outputs, settings
        self.validation, self.measured_on = validation, samples if validation is None else validation
        self.callbacks, self.show, self.history = callbacks, show, history
        self.trained: FloatArray = network.parameters
        asked = callbacks or validation is not None or settings.metrics
        self.at_once = 1 if asked or show is not None else AS_MANY_AS_THERE_ARE
        self.grows: bool = show is not None and not asked
        self.began = self.told = time.perf_counter() - history.seconds
        self.waiting = Waiting(settings)
        for loss in history.validation_loss:
            self.waiting.is_over(loss)

    def followed(self) -> list[float]:
        """Those of validation, where there are any."""
        return self.history.loss if self.validation is None else self.history.validation_loss

    def order(self) -> None:
        """The engine's."""

    def is_best(self, losses: list[float], failure: Failure | None) -> bool:
        """Write the history on."""
        self._check_same()
        history, settings, loss = self.history, self.settings, nan
        numbers: Mapping[str, float] = {}
        if failure is None:  # what may fail, before anything of the epoch is written down
            if settings.metrics:
                numbers = measured(
                    settings.metrics, *compared(self.outputs, self.measured_on), self.network.architecture
                )
            if self.validation is not None:
                loss = mean_error_of(lambda block: self.errors(self.trained, block), self.validation)
        history.loss += losses
        if failure is not None:
            history.diverged = history.epochs
        for metric in settings.metrics:
            history.metrics.setdefault(metric.name, []).append(numbers.get(metric.name, nan))
        if self.validation is None:
            return False
        best = inf if history.best_epoch is None else history.validation_loss[history.best_epoch - 1]
        history.validation_loss.append(loss)
        if loss < best:
            history.best_epoch = history.epochs
        return loss < best

    def goes_on(self, failure: Failure | None) -> bool:
        """Unless the method has come to its end, patience is at its end, or a callback says True."""
        history, now = self.history, time.perf_counter()
        if self.grows:  # as many epochs as take no longer than the eye
            took, self.told = max(now - self.told, 1e-9), now
            self.at_once = max(1, int(self.at_once * min(2.0, INTERVAL / took)))
        history.seconds = now - self.began
        waited = self.validation is not None and self.waiting.is_over(history.validation_loss[-1])
        if failure is not None:
            history.stopped = "diverged"
        elif history.stopped is None and waited:
            history.stopped = self.waiting.reason
        elif history.stopped is None and history.epochs >= history.planned:
            history.stopped = "epochs"
        asked = stopped_by(self.callbacks, history)
        self._check_same()
        if asked and history.stopped is None:
            history.stopped = "callback"
        stops = history.stopped is not None
        history.stopped_early = stops and failure is None and history.epochs < history.planned
        if self.show is not None:
            self.show(history)
        return not stops

    def ends_by_interruption(self) -> bool:
        """Never: the caller hears of Ctrl-C, and the network has the weights of the last complete epoch."""
        return False

    def _check_same(self) -> None:
        """Refuse to go on where the network has been given other parameters than those that are trained."""
        if self.network.parameters is not self.trained:
            raise _built_anew()


def _built_anew() -> ReseauError:
    return ReseauError(
        "The network was built anew while it was trained, by its callback or another thread, and has none of this "
        "training; build it before fit or after it."
    )


class Waiting:
    """How long the validation loss has not fallen.

    `patience` and `min_delta` are those of the settings; without the first, a method of least squares has `max_fail`.
    """

    def __init__(self, settings: Settings) -> None:
        self.patience, self.min_delta, self.reason = settings.patience, settings.min_delta, "patience"
        if self.patience is None and settings.least_squares is not None:
            self.patience, self.reason = settings.least_squares.max_fail, "max_fail"
        self.best, self.epochs = inf, 0

    def is_over(self, loss: float) -> bool:
        """Note the loss of the next epoch; return whether patience is at its end."""
        better = loss < self.best - self.min_delta if self.best < inf else loss < inf
        self.best, self.epochs = (loss, 0) if better else (self.best, self.epochs + 1)
        return self.patience is not None and self.epochs >= self.patience


class Fit:
    """A fit that has been checked, and changes nothing before it is `completed`.

    Parameters
    ----------
    network : Trainable
        What is trained.
    X, y, dy, validation_data, sample_weight, masked_targets, checkpoint, callback, threads
        Those of `Network.fit`.
    settings : Settings
        How.
    showing : context manager of Show, or None
        What shows its progress while it runs.
    found : Found or None
        What the checks of fits like this one have found.
    names : (str, str)
        What to call X and y in an error.

    Attributes
    ----------
    warning : str or None
        What is to be said of it once it is complete, if it went wrong.
    advice : str or None
        What is to be said if it went well, and came to nothing.
    trainer : Training or None
        What makes the epochs, while they are made; whoever looks on may ask it how far it has come.

    Raises
    ------
    ReseauError
        For whatever `Network.fit` refuses.
    """

    def __init__(
        self,
        network: Trainable,
        X: object,
        y: object,
        settings: Settings,
        *,
        validation_data: object,
        sample_weight: object,
        checkpoint: str | PathLike[str] | None,
        callback: Hooks,
        threads: int,
        masked_targets: bool = False,
        showing: AbstractContextManager[Show | None] | None = None,
        dy: object = None,
        found: Found | None = None,
        names: tuple[str, str] = ("X", "y"),
    ) -> None:
        settings.check_dtype(network.dtype)
        if settings.keep_best and validation_data is None:
            asked = "keep_best=True" if settings.patience is None else f"patience={settings.patience}"
            raise ParameterError(f"{asked} needs validation_data: the best epoch is that with the smallest loss on it.")
        if dy is None and settings.dy_weight != 1:
            raise ParameterError(
                f"dy_weight is {settings.dy_weight:g}, but there is no dy; give dy, the derivatives to learn, too."
            )
        if dy is not None and settings.precision is not None:
            raise ParameterError(
                f"precision is {settings.precision!r}, but derivatives (dy) are learnt in the network's dtype alone; "
                "leave precision out."
            )
        self.callbacks, self.showing = callbacks_of(callback), showing or nullcontext()
        found = Found() if found is None else found
        self.network, self.settings, self.threads = network, settings, threads
        arrays = (X, y, sample_weight, validation_data, dy, boolean("masked_targets", masked_targets))
        if isinstance(X, StoredRows) and settings.least_squares is not None:
            raise ParameterError(
                f"X stays on disk, but {type(settings.optimizer).__name__} takes all rows at once; use another "
                "optimizer, or give arrays."
            )
        self.samples: Given
        self.architecture, self.samples, self.validation = checked(
            network, *arrays, found, names, checkpoint is not None
        )
        if isinstance(self.samples, Samples) and self.samples.slopes is not None:
            # the checks, whose findings networks share, know no weight
            self.samples = self.samples._replace(slopes=Slopes(self.samples.slopes.wanted, settings.dy_weight))
        if settings.least_squares is not None:
            least_squares.check(settings.least_squares, self.architecture, settings.l2, dy is not None)
        settings.check_outputs(self.architecture)
        measured_on, name = (self.samples, names[1]) if self.validation is None else (self.validation, "validation y")
        for metric in settings.metrics:
            metric.check(measured_on.looked_at.T, name, self.architecture)
        settings.treatment.check(self.architecture)
        self.checkpoint = checkpoint
        self._checkpoints: Checkpoints | None = None
        self._snapshot: Snapshot | None = None
        self.warning: str | None = None
        self.advice: str | None = None
        self.trainer: Training | None = None
        self._found = found

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: all but what was found of other fits, and of the checkpoint until now."""
        return {**self.__dict__, "_found": Found(), "_checkpoints": None, "_snapshot": None, "trainer": None}

    def _of_constants(self) -> float:
        """The loss that constant outputs reach; NaN where it is not known."""
        if self.settings.output_weights is not None:
            return nan
        _, T, s, slopes = self.samples.looked_at
        of_values: float = self._found.once(
            ("loss of constants", id(T), id(s), self.architecture.loss, self.architecture.outputs),
            lambda: loss_of_constants(self.architecture, T, s),
        )
        if slopes is None:
            return of_values
        return of_values + float(np.average(_slope_errors(0, slopes).sum(axis=1), weights=s))  # constants have none

    @property
    def _steps_of_an_epoch(self) -> int:
        return ceil(self.samples.rows / self.settings.batch_size)

    @property
    def work(self) -> int:
        """Roughly the multiply-adds of it all, to compare."""
        X = self.samples.looked_at.X
        rows = self.samples.rows if not isinstance(X, SparseRows) else 1 + len(X.numbers) // X.width
        n = self.architecture.n_parameters
        return self.settings.epochs * rows * n * (1 if self.settings.least_squares is None else n)

    def look_for_a_checkpoint(self) -> None:
        """Make its folder, or read the one that is there; raises what `Checkpoints` does."""
        if self.checkpoint is None:
            return
        network = self.network
        run_of = {
            "network": {"dtype": network.dtype.name, **self.architecture.describe()},
            "seed": network.seed,
            **self._own_loss(),
            **self.settings.describe(),
            DATA: digest_of(self.samples, self.validation),
        }
        self._checkpoints = Checkpoints(self.checkpoint, run_of, self.architecture)
        self._snapshot = self._checkpoints.read(network.dtype, self.settings.states)

    def _own_loss(self) -> dict[str, str]:
        """By what a checkpoint tells apart losses of one's own."""
        loss = self.architecture.error
        return {"own_loss": loss.called} if isinstance(loss, OwnLoss) else {}

    def completed(self) -> History:
        """Train the network."""
        if not self.network.built:
            self.network.build_as(self.architecture)
        history = History() if self._snapshot is None else self._snapshot.history
        history.planned = self.settings.epochs
        with ExitStack() as around:
            around.callback(setattr, self, "trainer", None)
            around.enter_context(told(self.callbacks, self.network, history))
            self._train(history, around.enter_context(self.showing))
        return history

    def _train(self, history: History, show: Show | None) -> None:
        if self.network.architecture != self.architecture:  # by a callback, at the beginning
            raise _built_anew()
        network, settings, architecture, samples = self.network, self.settings, self.architecture, self.samples
        checkpoints, snapshot = self._checkpoints, self._snapshot
        if snapshot is not None:
            network.generator_state = snapshot.generator
        trainer = self.trainer = self._trainer(history)
        parameters = network.parameters
        start = parameters.copy()
        run = Run()
        if snapshot is not None:
            parameters[...] = snapshot.parameters
            in_a_step = min(settings.batch_size, samples.rows) * settings.accumulate
            made = snapshot.progress.epochs
            trainer.go_on_from(snapshot.progress._replace(epochs=samples.runs(made, in_a_step)))
            run = Run(history.epochs, history.learning_rate, snapshot.best, snapshot.failure, snapshot.finished)
        history.learning_rate = run.rates

        def errors(w: FloatArray, of: Samples) -> FloatArray:
            e = network.compute.errors(architecture, w, of.X, of.T, self.threads)
            if of.slopes is not None and not isinstance(of.X, SparseRows):
                squares = _slope_errors(network.compute.jacobian(architecture, w, of.X, self.threads), of.slopes)
                e = e + (squares if e.shape == squares.shape else squares.sum(axis=1, keepdims=True))
            return settings.weighted(e, architecture)

        def write(run: Run) -> None:
            assert checkpoints is not None
            progress = trainer.progress()._replace(epochs=history.epochs)  # not those of the trainer, see Data.runs
            if run.failure is not None:  # there is nothing to go on from, and the state may not be finite
                progress = progress._replace(state=tuple(map(np.zeros_like, progress.state)))
            state = network.generator_state
            checkpoints.write(
                Snapshot(trainer.seed, state, progress, parameters, history, run.finished, run.best, run.failure)
            )

        outputs = outputs_of(network.compute, architecture, parameters, self.threads)
        steps = settings.epochs * self._steps_of_an_epoch
        looked_at = samples.looked_at
        guard = divergence.guard_of(errors, looked_at, start, steps, self._of_constants)
        rules = Epochs(network, errors, outputs, samples, self.validation, settings, self.callbacks, show, history)
        train(run, trainer, parameters, samples, settings, rules, guard, None if checkpoints is None else write)
        if run.failure is not None:
            self.warning = divergence.of_training(
                errors, looked_at, history, run, settings, start, guard, architecture.error
            )
            if looked_at is not samples:
                self.warning += f" Rows are those of {looked_at.rows:,} that were looked at, from everywhere."
        elif self.validation is not None:
            self.warning = divergence.of_validation(history, self.validation.looked_at)
        if run.failure is None:
            self.advice = self._of_plateau(history, start)

    def _of_plateau(self, history: History, start: FloatArray) -> str | None:
        """What is to be said of it, if it ended no better than constant outputs."""
        settings, samples = self.settings, self.samples.looked_at
        steps = history.epochs * self._steps_of_an_epoch

        def of_constants() -> tuple[float, float]:
            best = self._of_constants()
            return best, room_below(best, self.architecture, samples.T, samples.s)

        if settings.least_squares is not None or not plateau.is_suspect(history.loss, steps, of_constants):
            return None
        way_out = (
            f"Try another learning rate (now {settings.stepwise.learning_rate}), a smaller l2 (now {settings.l2:g}), "
            "or more epochs; or X tells nothing of y."
        )
        told = plateau.of_fit(self.architecture, self.network.parameters, samples, history.loss, start, way_out)
        return None if told is None else f"after {history.epochs} epochs {told}"

    def _trainer(self, history: History) -> Training:
        """What makes the epochs, of a network that is built."""
        network, settings, snapshot = self.network, self.settings, self._snapshot
        if settings.least_squares is not None:
            network.own_parameters()
            return LeastSquares(
                network.compute, self.architecture, network.parameters, settings.least_squares, self.threads, history
            )
        return network.trainer(
            settings.stepwise,
            inputs=self.architecture.inputs,
            threads=self.threads,
            precision=settings.precision,
            seed=None if snapshot is None else snapshot.seed,
            sparse=isinstance(self.samples.looked_at.X, SparseRows),
            treatment=settings.treatment if settings.treatment.is_any else None,
            by_slopes=self.samples.looked_at.slopes is not None,
        )


def fit(
    network: Trainable,
    X: object,
    y: object,
    settings: Settings,
    *,
    threads: int | None,
    verbose: object = False,
    **options: Any,
) -> History:
    """Train a network; the parameters are described at `Network.fit`."""
    showing = shown() if is_verbose(verbose) else None
    run = Fit(network, X, y, settings, threads=engine.threads(threads), showing=showing, **options)
    run.look_for_a_checkpoint()
    history = run.completed()
    if run.warning is not None:
        warnings.warn(run.warning, RuntimeWarning, stacklevel=frames_within())
    if run.advice is not None:
        warnings.warn(run.advice, UserWarning, stacklevel=frames_within())
    return history


def _slope_errors(J: FloatArray | float, slopes: Slopes) -> FloatArray:
    """½ w Σ_i (∂o_j/∂x_i − wanted)² of rows and outputs, of what is not missing, (rows, outputs)."""
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.where(np.isnan(slopes.wanted), 0, np.subtract(J, slopes.wanted, dtype=np.float64))
        return np.asarray(0.5 * slopes.weight * (off * off).sum(axis=2))
