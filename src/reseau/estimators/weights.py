"""The weights of an estimator: who holds the newest of them, how they are read, changed, copied and brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sklearn.base import BaseEstimator

from reseau import engine
from reseau.array_likes import numbers
from reseau.arrays import ArrayLike, FloatArray, ResumePoint
from reseau.checks import shown
from reseau.engine.door import Trainer
from reseau.errors import DataError
from reseau.network import Network
from reseau.vocabulary.losses import Bounds
from reseau.vocabulary.optimizers import Optimizer


class _Parameters(list[FloatArray]):
    """Arrays of which each can be assigned to: its numbers then change, and with them the network's."""

    def __setitem__(self, place: Any, value: Any) -> None:
        if isinstance(place, slice):
            raise DataError("only one array at a time can be assigned to here; assign a list to the attribute for all.")
        array = numbers(value, "the array")
        if array.shape != self[place].shape:
            raise DataError(f"an array of shape {array.shape} cannot stand for one of {self[place].shape} here.")
        self[place][...] = array


class Weights(BaseEstimator):  # type: ignore[misc]
    """The part of an estimator that has its network.

    Where the newest weights are, its trainer knows (see `reseau.engine.Trainer`): in the network's flat vector or, only
    after a `partial_fit`, in the engine. `partial_fit` leaves them there as long as nobody outside was given arrays of
    the network, which are to stay the live ones: `network_`, `coefs_` and `intercepts_` give them, and from then on the
    flat vector is up to date after each call. Whoever reads or changes the network here asks `_up_to_date` for it.

    After a copy, or from a file, there is no trainer; `_progress` is then where its optimizer goes on.
    """

    _network: Network
    _trainer: Trainer | None
    _handed_out: bool  # whether somebody outside may have arrays of the network
    _progress: ResumePoint  # where the optimizer stands: that of a copy, or after the last partial_fit
    _rate_factor: float  # the learning rate as a multiple of the first
    _seed: int  # what decides which numbers are dropped, where there is dropout

    def _hold(self, network: Network) -> None:
        """Have another network, of which nobody knows yet."""
        self._network, self._trainer, self._handed_out = network, None, False

    def _up_to_date(self, to_change: bool = False) -> Network:
        """The network, its flat vector with the newest weights; they may be changed only if that is said."""
        if self._trainer is not None:
            self._trainer.take_back(to_change)
        if to_change:
            self._network.own_parameters()
        return self._network

    @property
    def _optimizer(self) -> Optimizer:
        """The optimizer at its learning rate of now, by scikit-learn's name for it."""
        trainer = vars(self).get("_trainer")
        if trainer is None:  # for those who go through all attributes, as skl2onnx does
            raise AttributeError(f"This {type(self).__name__} has not been trained in steps.")
        optimizer: Optimizer = trainer.optimizer
        return optimizer

    def _take_trainer(
        self, optimizer: Optimizer, precision: str | None, bounds: Bounds, *, sparse: bool, goes_on: bool
    ) -> Trainer:
        """Have a trainer: the one there is, if a run `goes_on` with the same kind of optimizer, else a new one."""
        trainer = self._trainer
        same_kind = trainer is not None and type(trainer.optimizer) is type(optimizer)
        if goes_on and trainer is not None and same_kind:
            if trainer.precision == precision:
                return trainer
            self._progress = trainer.progress()  # the new one's kernels go on from the same state
        network = self._up_to_date(to_change=True)
        inputs, threads = network.architecture.inputs, engine.threads()
        trainer = network.trainer(
            optimizer,
            inputs=inputs,
            threads=threads,
            seed=vars(self).get("_seed"),
            precision=precision,
            bounds=bounds,
            sparse=sparse,
        )
        self._trainer = trainer
        before = self.__dict__.pop("_progress", None)
        if goes_on and before is not None and len(before.state) == optimizer.states:
            trainer.go_on_from(before)
        else:
            self._rate_factor = 1.0
        return trainer

    def _may_leave(self, trainer: Trainer) -> bool:
        """Whether a run may leave the newest weights with the engine."""
        return trainer.leaves and not self._handed_out

    def _way_back(self, *, leaves: bool = False) -> Callable[[], None]:
        """What brings weights and optimizer back to where they are now.

        A run that `leaves` its weights in the kernels need not be given a copy: the network's own stay what they are.
        """
        network, trainer = self._network, self._trainer
        weights = None if leaves else network.parameters.copy()
        progress: ResumePoint | None = self.__dict__.get("_progress")
        if trainer is not None and progress is None:
            progress = trainer.progress()

        def go_back() -> None:
            if trainer is not None and progress is not None:
                trainer.go_on_from(progress)
            if weights is not None:
                network.parameters[...] = weights

        return go_back

    @property
    def network_(self) -> Network:
        """The network itself."""
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no network_ before fit.")
        self._handed_out = True
        return self._up_to_date(to_change=True)

    @property
    def coefs_(self) -> list[FloatArray]:
        """W of each dense layer, (n_in, n_out): writable views of the network's parameters."""
        return _Parameters(self._fitted_tensors("coefs_"))

    @coefs_.setter
    def coefs_(self, values: Iterable[ArrayLike]) -> None:
        self._replace("coefs_", values)

    @property
    def intercepts_(self) -> list[FloatArray]:
        """The biases of each dense layer that has some, (n_out,): writable views of the network's parameters."""
        return _Parameters(self._fitted_tensors("intercepts_"))

    @intercepts_.setter
    def intercepts_(self, values: Iterable[ArrayLike]) -> None:
        self._replace("intercepts_", values)

    def _fitted_tensors(self, name: str) -> list[FloatArray]:
        if "_network" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name} before fit.")
        letter = "W" if name == "coefs_" else "b"
        return [layer.tensors[letter] for layer in self.network_.layers if letter in layer.tensors]

    def _replace(self, name: str, values: Any) -> None:
        """Give the network other weights or biases, of the same shapes."""
        views = self._fitted_tensors(name)
        if not isinstance(values, Iterable):
            raise DataError(f"{name} is {shown(values)}, but must be a list of an array a layer.")
        arrays = [numbers(value, f"{name}[{i}]") for i, value in enumerate(values)]
        given = [array.shape for array in arrays]
        if given != [view.shape for view in views]:
            raise DataError(f"{name} has shapes {given}, but must have {[view.shape for view in views]}.")
        for view, array in zip(views, arrays, strict=True):
            view[...] = array

    def __getstate__(self) -> Any:
        # The trainer lives in native memory; a copy makes one of its own that goes on from there.
        if "_network" in vars(self):
            self._up_to_date()
        state = dict(super().__getstate__())
        if state.get("_trainer") is not None:
            state["_progress"] = state["_trainer"].progress()
            state["_trainer"] = None
        return state
