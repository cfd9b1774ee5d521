"""A network of a document as it is trained: one call of fit after the other, with edits, and looks into an epoch.

Everything here happens in one thread. What a fit asks for between epochs, whether to go on, a `Session` answers.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import engine
from reseau.arrays import FloatArray
from reseau.engine.order import row_order
from reseau.errors import ReseauError
from reseau.network import Network
from reseau.studio.document import network_of, planned, settings_of
from reseau.studio.refusal import Refusal
from reseau.training.callbacks import Callback
from reseau.training.fit import Fit, Waiting
from reseau.training.history import History
from reseau.training.settings import Settings

if TYPE_CHECKING:
    from reseau.studio.data import Data

MOST_FITS, MOST_EDITS = 1000, 100_000
ONE_AT_A_TIME = threading.Lock()  # what is recorded of warnings is one place for all threads

Between = Callable[[], bool]  # asked after each epoch: whether to make another


class Curve:
    """The losses of all epochs, of training and validation, (2, epochs) in float32; of validation NaN without."""

    def __init__(self) -> None:
        self._numbers = np.full((2, 1024), np.nan, np.float32)
        self.epochs = 0

    def add(self, losses: Sequence[float], validation: Sequence[float]) -> None:
        """Write more epochs down."""
        end = self.epochs + len(losses)
        if end > self._numbers.shape[1]:
            wider = np.full((2, 2 * end), np.nan, np.float32)
            wider[:, : self.epochs] = self._numbers[:, : self.epochs]
            self._numbers = wider
        with np.errstate(over="ignore"):
            self._numbers[0, self.epochs : end] = losses
            self._numbers[1, self.epochs : self.epochs + len(validation)] = validation
        self.epochs = end

    def since(self, first: int) -> FloatArray:
        """Those of the epochs after so many."""
        return self._numbers[:, first : self.epochs].copy()


class Look:
    """A look into the coming epoch: a copy of the network, which makes its steps one by one.

    Attributes
    ----------
    network : Network
        The copy.
    made, steps : int
        Of the epoch.
    """

    def __init__(self, run: Run, fit: Fit, settings: Settings, made: int) -> None:
        self.network = copied(run.network)
        self.steps, self.made = run.steps, 0
        self._settings, self._samples = settings, fit.samples.looked_at
        live = fit.trainer
        self._trainer = self.network.trainer(
            settings.stepwise,
            inputs=self.network.inputs,
            threads=fit.threads,
            seed=None if live is None else live.seed,
        )
        if live is not None:
            self._trainer.go_on_from(live.progress())
        self._order = row_order(self._samples.rows, self._trainer.seed, made)
        schedule = settings.optimizer.schedule
        self._rates: FloatArray | None = None
        if schedule is not None:
            losses = run.followed()
            self._rates = schedule.rates(
                made * self.steps, self.steps, settings.epochs * self.steps, self.steps, losses
            )

    def step(self) -> None:
        """Make the next step."""
        size = min(self._settings.batch_size, self._samples.rows)
        rows = self._order[self.made * size : (self.made + 1) * size]
        X, T = self._samples.X, self._samples.T
        assert isinstance(X, np.ndarray)
        self._trainer.run(
            X[rows],
            T[rows],
            None,
            epochs=1,
            batch_size=len(rows),
            shuffle=False,
            l2=self._settings.l2,
            rates=None if self._rates is None else self._rates[self.made : self.made + 1],
        )
        self.made += 1


def copied(network: Network) -> Network:
    """A network of its own with the same parameters, and what it draws next."""
    made = Network.from_flat(network.describe(), network.parameters)
    made.generator_state = network.generator_state
    return made


class Run:
    """A network with what it was trained so far.

    Parameters
    ----------
    data : Data
    network : dict
        Of the document; it begins with its first weights.
    notice : callable
        Told what there is to say: a `Refusal`.
    weights : ndarray or None
        What it begins with in the place of weights that are drawn.

    Attributes
    ----------
    fits : list of dict
        As the document has them; the last may still be going on, and may have no epoch yet.
    ends : list of (str or None)
        Why each of them has come to its end, if it has by itself.
    waited : float
        Seconds of the fit that is going on which were spent on something else.
    """

    def __init__(
        self,
        data: Data,
        network: Mapping[str, Any],
        notice: Callable[[Refusal], object],
        weights: FloatArray | None = None,
    ) -> None:
        self.data, self.described, self.notice = data, dict(network), notice
        self.network, self._weights = network_of(network, data), weights
        if weights is not None:
            self.network.parameters[...] = weights
        loss = str(self.network.loss)
        self._y, self._y_val = data.taught(loss), data.taught(loss, validation=True)
        self.fits: list[dict[str, Any]] = []
        self.ends: list[str | None] = []
        self.waited = self._seconds = 0.0
        self.curve = Curve()
        self.look: Look | None = None
        self.touched = False  # whether weights have changed since the losses of the last epoch
        self._before = 0  # epochs of the fits before the one that is going on
        self._fit: Fit | None = None
        self._settings: Settings | None = None
        self._history: History | None = None
        self._written = 0  # epochs of it that are in the curve
        self._said: set[str] = set()

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def epochs(self) -> int:
        """Complete ones since the first weights."""
        return self._before + (0 if self._history is None else len(self._history.loss))

    @property
    def stopped(self) -> str | None:
        """Why the last fit has come to its end, if it has by itself."""
        return self.ends[-1] if self.ends else None

    @property
    def seconds(self) -> float:
        """Spent training."""
        return self._seconds + (0.0 if self._history is None else self._history.seconds - self.waited)

    @property
    def live(self) -> bool:
        """Whether a fit is going on, or waits between epochs."""
        return self._history is not None

    def steps_of(self, training: Mapping[str, Any]) -> int:
        """Steps of an epoch."""
        return ceil(len(self.data.X) / int(training["batch_size"]))

    @property
    def steps(self) -> int:
        """Steps of an epoch of the fit that is going on or was the last."""
        return self.steps_of(self.fits[-1]["training"])

    @property
    def shown(self) -> Network:
        """The network that is looked at: in the midst of an epoch that is looked into, its copy."""
        return self.network if self.look is None else self.look.network

    def followed(self) -> Sequence[float]:
        """The losses so far that a schedule of the fit follows."""
        if self._history is None:
            return ()
        return self._history.validation_loss or self._history.loss

    def written(self) -> list[dict[str, Any]]:
        """The fits as the document has them."""
        if self._history is not None:
            self.fits[-1]["epochs"] = len(self._history.loss)
        return deepcopy([fit for fit in self.fits if fit["epochs"] or fit["edits"]])

    def gather(self) -> Curve:
        """The curve, with the epochs that the fit has made since."""
        history = self._history
        if history is not None and len(history.loss) > self._written:
            self.curve.add(history.loss[self._written :], history.validation_loss[self._written :])
            self._written = len(history.loss)
        return self.curve

    def describe(self) -> dict[str, Any]:
        """As `NetworkInfo` has it."""
        architecture = self.network.architecture
        tensors = [
            {"name": f"layers.{l}.{name}", "layer": l, "shape": list(tensor.shape), "offset": offset}
            for l, here in enumerate(architecture.places)
            for name, (offset, tensor) in here.items()
        ]
        return {"widths": list(architecture.widths), "parameters": architecture.n_parameters, "tensors": tensors}

    # --- what it does -------------------------------------------------------------------------------------------------

    def edit(self, tensor: str, index: Sequence[int], value: float, training: Mapping[str, Any]) -> None:
        """Set a number of a tensor, after the epochs so far; the training is that of a fit to come."""
        self.check_edit(tensor, index, value)
        if not self.fits:
            self.begin(training)
        if len(self.fits[-1]["edits"]) >= MOST_EDITS:
            raise Refusal(
                "too_many", f"{MOST_EDITS:,} numbers were set already; rewind, to begin anew.", most=MOST_EDITS
            )
        epoch = self.fits[-1]["epochs"] if self._history is None else len(self._history.loss)
        self._set({"epoch": epoch, "tensor": tensor, "index": list(index), "value": float(value)})
        self.look = None

    def check_edit(self, tensor: str, index: Sequence[int], value: float) -> None:
        """Refuse what cannot be set."""
        views = self.network.tensors()
        shape = views[tensor].shape if tensor in views else ()
        if not shape or len(index) != len(shape) or any(map(int.__ge__, index, shape)):
            raise _no_number(f"{tensor}[{', '.join(map(str, index))}] is no number of this network", views)
        with np.errstate(over="ignore"):
            if not isfinite(np.float32(value)):
                raise _no_number(f"{value} is beyond what float32 holds, for {tensor}", views)

    def _set(self, edit: Mapping[str, Any]) -> None:
        self.network.tensors()[edit["tensor"]][tuple(edit["index"])] = edit["value"]
        self.fits[-1]["edits"].append(dict(edit))
        self.touched = True

    def anew(self) -> Run:
        """The same with its first weights."""
        return Run(self.data, self.described, self.notice, self._weights)

    def begin(self, training: Mapping[str, Any]) -> None:
        """Have a fit to come with this training, unless one is going on."""
        if self.live:
            return
        if self.fits and not self.fits[-1]["epochs"]:
            self.fits[-1]["training"] = dict(training)
            return
        if len(self.fits) >= MOST_FITS:
            message = f"The training was changed {MOST_FITS:,} times already; rewind, to begin anew."
            raise Refusal("too_many", message, most=MOST_FITS)
        self.fits.append({"training": dict(training), "epochs": 0, "edits": []})
        self.ends.append(None)

    def step(self) -> bool:
        """Look one step further into the coming epoch; return whether that was its last."""
        if self.look is None:
            settings = self._settings or settings_of(self.fits[-1]["training"])
            fit = self._fit or self._made(settings, [])
            self.look = Look(self, fit, settings, 0 if self._history is None else len(self._history.loss))
        if self.look.made + 1 >= self.look.steps:
            return True
        self.look.step()
        return False

    def fit(self, goes_on: Between, edits: Sequence[Mapping[str, Any]] = ()) -> None:
        """Make the fit that was begun, until it ends or is not to go on.

        Parameters
        ----------
        goes_on : callable
            Asked after each epoch.
        edits : sequence of dict
            What is set on the way, where it is made again.
        """
        record = self.fits[-1]
        settings = settings_of(record["training"])
        generator, self.ends[-1] = self.network.generator_state, None
        fit = self._made(settings, [_Between(self, record["training"], goes_on, edits)])
        self._fit, self._settings, self._written, self.waited = fit, settings, 0, 0.0
        try:
            fit.completed()
        finally:
            self._ended(record, generator)
        if self.stopped == "diverged":
            self.notice(Refusal("diverged", str(fit.warning), epoch=self.epochs + 1))
        elif fit.warning or fit.advice:
            self._note(str(fit.warning or fit.advice))

    def again(self, edits: Sequence[Mapping[str, Any]]) -> None:
        """Set what was set in a fit without an epoch."""
        for edit in edits:
            self._set(edit)

    def _ended(self, record: dict[str, Any], generator: dict[str, Any]) -> None:
        """Write down what the fit has made, however it has ended."""
        history = self._history
        if history is not None:
            if history.diverged is not None:
                del history.loss[-1], history.validation_loss[len(history.loss) :]
            self.gather()
            record["epochs"] = len(history.loss)
        if not record["epochs"]:
            self.network.generator_state = generator  # as if it had not been
        self._before += record["epochs"]
        self._seconds = self.seconds
        self._fit = self._settings = self._history = None
        self.look = None

    def _made(self, settings: Settings, callbacks: list[Callback]) -> Fit:
        """A fit, with what the library notices in the data told once."""
        validation = (self.data.X_val, self._y_val) if len(self.data.X_val) else None
        with ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                fit = Fit(
                    self.network,
                    self.data.X,
                    self._y,
                    settings,
                    validation_data=validation,
                    sample_weight=None,
                    checkpoint=None,
                    callback=callbacks,
                    threads=engine.threads(None),
                )
            except ReseauError as error:
                raise Refusal("training_refused", str(error), message=str(error)) from None
        for warning in caught:
            self._note(str(warning.message))
        return fit

    def _note(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.notice(Refusal("note", text, message=text))


class _Between(Callback):
    """What happens between the epochs of a fit: numbers are set, and it ends when it should."""

    def __init__(
        self, run: Run, training: Mapping[str, Any], goes_on: Between, edits: Sequence[Mapping[str, Any]]
    ) -> None:
        self.run, self.goes_on, self.edits = run, goes_on, list(edits)
        self.stop_loss, self.planned, patience = training["stop_loss"], planned(training), training["patience"]
        self.waiting = None if patience is None else Waiting(Settings(patience=patience))
        self.best = run.network.parameters

    def on_fit_begin(self, network: Network, history: History) -> None:
        self.run._history = history
        self._set(0)

    def on_epoch_end(self, history: History) -> bool:
        run, epochs = self.run, len(history.loss)
        run.look, run.touched, stopped = None, False, None
        if history.diverged is not None:
            stopped = "diverged"
        elif self.waiting is not None and self._waited_enough(history.validation_loss[-1]):
            run.network.parameters[...] = self.best
            stopped, run.touched = "patience", True
        elif epochs >= self.planned:
            stopped = "epochs"
        elif self.stop_loss is not None and history.loss[-1] < self.stop_loss:
            stopped = "stop_loss"
        if self.edits:
            self._set(epochs)
        if stopped is not None:
            run.ends[-1] = stopped
            return True
        return not self.goes_on()

    def _waited_enough(self, loss: float) -> bool:
        """Keep the weights of the best epoch; return whether there was none for long enough."""
        assert self.waiting is not None
        over = self.waiting.is_over(loss)
        if not self.waiting.epochs:
            self.best = self.run.network.parameters.copy()
        return over

    def _set(self, epoch: int) -> None:
        while self.edits and self.edits[0]["epoch"] <= epoch:
            self.run._set(self.edits.pop(0))


def _no_number(what: str, views: Mapping[str, FloatArray]) -> Refusal:
    message = f"{what}; it has {', '.join(f'{name} {view.shape}' for name, view in views.items())}."
    return Refusal("network_refused", message, message=message)
