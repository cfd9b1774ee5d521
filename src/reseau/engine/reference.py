"""The reference engine: the equations of `reseau.engine.equations` on NumPy arrays.

It is the oracle the native engine is tested against, and the way to run where no native engine was built. What
overflows is inf, and not said, as in the native engine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reseau.arrays import (
    Array,
    Failure,
    FloatArray,
    Guard,
    IntArray,
    Predictor,
    ResumePoint,
    Slopes,
    SparseRows,
    are_labels,
)
from reseau.engine.equations import (
    Masks,
    backward,
    backward_changes,
    changes,
    counted,
    output_delta,
    output_error,
    output_slope,
    trace,
    value_and_gradient,
    way_back,
)
from reseau.engine.order import keeps, row_order
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.layers.layer import Rounding, exact
from reseau.vocabulary.losses import NO_BOUNDS, Bounds, OwnLoss
from reseau.vocabulary.optimizers import Optimizer, State
from reseau.vocabulary.precisions import PRECISIONS
from reseau.vocabulary.treatment import Treatment

NAME = "reference"
stop = None


def instruction_set() -> str:
    """Whatever the array library uses."""
    return "that of NumPy"


_DENSE_AT_ONCE = 2**20  # numbers of sparse rows


def _as(parameters: FloatArray, X: FloatArray | SparseRows) -> FloatArray:
    dense = X[:] if isinstance(X, SparseRows) else X
    return dense.astype(parameters.dtype, copy=False)


def dense_targets(architecture: Architecture, T: FloatArray | IntArray, dtype: np.dtype[Any]) -> FloatArray:
    """Targets as rows; class labels become zeros with a one, of each group of outputs, and a missing one NaN."""
    if not are_labels(T):
        return T  # type: ignore[return-value]
    columns = []
    for labels, n in zip(T.reshape(len(T), -1).T, architecture.groups or (architecture.outputs,), strict=True):
        one_hot = np.zeros((len(T), n), dtype=dtype)
        one_hot[np.arange(len(T)), labels] = 1
        one_hot[labels < 0] = np.nan
        columns.append(one_hot)
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def predictor(
    architecture: Architecture, parameters: FloatArray, threads: Callable[[], int], precision: str | None = None
) -> Predictor:
    """A function of (X, threads) that returns O, the output of the last layer, (rows, outputs).

    It reads `parameters` each time it is called. X need not have been checked: for what is not a plain matrix of finite
    numbers of the right width it returns None. Given no threads, it asks `threads` if it needs them. `precision` is as
    in `Trainer`.
    """

    def predict(X: object, n_threads: int | None) -> FloatArray | None:
        if type(X) is not np.ndarray or X.dtype.kind != "f" or X.ndim != 2 or X.shape[1] != architecture.inputs:
            return None
        with np.errstate(over="ignore"):
            inputs = _as(parameters, X)
        if not len(X) or not np.isfinite(inputs).all():
            return None
        return forward(architecture, parameters, inputs, precision)

    return predict


@np.errstate(over="ignore", invalid="ignore")
def forward(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, precision: str | None = None
) -> FloatArray:
    """O, the output of the last layer, (rows, outputs)."""
    return np.asarray(trace(architecture, parameters, X, rounded=_rounding(precision)).O)


def _rounding(precision: str | None) -> Rounding:
    return exact if precision is None else PRECISIONS[precision].rounded


def outputs(
    architecture: Architecture, parameters: FloatArray, X: SparseRows, threads: int, precision: str | None = None
) -> FloatArray:
    """O of sparse rows; not all of them are made dense at once."""
    return np.concatenate(
        [forward(architecture, parameters, _as(parameters, X[block]), precision) for block in _blocks(X)]
    )


def _blocks(X: SparseRows) -> Iterator[slice]:
    """The rows of one block after another, each small enough to be dense."""
    count = max(1, _DENSE_AT_ONCE // X.width)
    return (slice(first, first + count) for first in range(0, len(X), count))


@np.errstate(over="ignore", invalid="ignore")
def errors(
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    threads: int,
) -> FloatArray:
    """e_j, the error of each output neuron, (rows, outputs)."""
    if architecture.error.own:
        if isinstance(X, SparseRows):
            O = outputs(architecture, parameters, X, threads)
        else:
            O = forward(architecture, parameters, _as(parameters, X))
        return np.asarray(architecture.error.value(O, T))
    if isinstance(X, SparseRows):
        return np.concatenate([errors(architecture, parameters, X[block], T[block], threads) for block in _blocks(X)])
    passed = trace(architecture, parameters, _as(parameters, X))
    T = dense_targets(architecture, T, parameters.dtype)
    return np.asarray(output_error(architecture, passed.Z[-1], passed.O, T))


@np.errstate(over="ignore", invalid="ignore")
def gradient(
    architecture: Architecture,
    parameters: FloatArray,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    sample_weight: FloatArray | None,
    l2: float,
    threads: int,
    bounds: Bounds = NO_BOUNDS,
    output_weights: FloatArray | None = None,
    slopes: Slopes | None = None,
) -> tuple[float, FloatArray]:
    """E and ∂E/∂w, as `value_and_gradient`."""
    rows = dense_targets(architecture, T, parameters.dtype)
    return value_and_gradient(
        architecture,
        parameters,
        _as(parameters, X),
        rows,
        sample_weight,
        l2,
        bounds=bounds,
        output_weights=output_weights,
        slopes=slopes,
    )


@np.errstate(over="ignore", invalid="ignore")
def jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂X, (rows, outputs, inputs): for each output neuron a backward pass from the unit vector to the inputs."""
    forward = trace(architecture, parameters, _as(parameters, X))
    J = np.empty((X.shape[0], architecture.outputs, architecture.inputs), dtype=parameters.dtype)
    for j in range(architecture.outputs):
        slope, unit = output_slope(architecture, forward, j)
        _, J[:, j, :] = backward(architecture, parameters, forward, slope, unit, to_inputs=True)
    return J


@np.errstate(over="ignore", invalid="ignore")
def jvp(architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int) -> FloatArray:
    """J v of each row, (rows, outputs); of vectors v (rows, inputs), or (1, inputs) for all rows."""
    forward = trace(architecture, parameters, _as(parameters, X))
    direction = np.broadcast_to(v, (X.shape[0], architecture.inputs))
    return np.asarray(changes(architecture, parameters, forward, direction).A[-1])


@np.errstate(over="ignore", invalid="ignore")
def vjp(architecture: Architecture, parameters: FloatArray, X: FloatArray, u: FloatArray, threads: int) -> FloatArray:
    """uᵀ J of each row, (rows, inputs); of vectors u (rows, outputs), or (1, outputs) for all rows."""
    forward = trace(architecture, parameters, _as(parameters, X))
    G = np.broadcast_to(u, forward.O.shape)
    delta = architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], G)
    _, found = backward(architecture, parameters, forward, delta, G, to_inputs=True)
    return np.asarray(found)


@np.errstate(over="ignore", invalid="ignore")
def hessian_vector(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, v: FloatArray, threads: int
) -> FloatArray:
    """∂²o_j/∂x² v of each row and output, (rows, outputs, inputs); of vectors v as in `jvp`."""
    forward = trace(architecture, parameters, _as(parameters, X))
    along = changes(architecture, parameters, forward, np.broadcast_to(v, (X.shape[0], architecture.inputs)))
    H = np.empty((X.shape[0], architecture.outputs, architecture.inputs), dtype=parameters.dtype)
    for j in range(architecture.outputs):
        deltas, G = way_back(architecture, parameters, forward, j)
        _, H[:, j, :] = backward_changes(architecture, parameters, forward, along, deltas, G)
    return H


@np.errstate(over="ignore", invalid="ignore")
def inside(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, scores: bool, threads: int
) -> list[FloatArray]:
    """A_1..A_L of the rows, or Z_1..Z_L, each (rows, n_l)."""
    forward = trace(architecture, parameters, _as(parameters, X))
    return forward.Z if scores else forward.A[1:]


@np.errstate(over="ignore", invalid="ignore")
def layer_gradients(
    architecture: Architecture, parameters: FloatArray, X: FloatArray, T: FloatArray | IntArray, threads: int
) -> list[FloatArray]:
    """∂E/∂A_1..∂E/∂A_L, each (rows, n_l), where E is the row's own error."""
    forward = trace(architecture, parameters, _as(parameters, X))
    rows = dense_targets(architecture, T, parameters.dtype)
    sent: list[Array]
    if isinstance(architecture.error, OwnLoss):
        sent = [architecture.error.derivative(forward.O, rows)]
        delta = architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], sent[0])
    else:
        sent = [counted(architecture.error.derivative(forward.O, rows), rows)]
        delta, _ = output_delta(architecture, forward, rows)
    backward(architecture, parameters, forward, delta, sent[0], sent=sent)
    return sent[::-1]


@np.errstate(over="ignore", invalid="ignore")
def parameter_jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂w, (rows, outputs, n_parameters): for each output neuron a backward pass, and the gradients of each row."""
    forward = trace(architecture, parameters, _as(parameters, X))
    rows, outputs = forward.O.shape
    J = np.empty((rows, outputs, parameters.size), dtype=parameters.dtype)
    views = architecture.views(parameters)
    for j in range(outputs):
        deltas, _ = backward(architecture, parameters, forward, *output_slope(architecture, forward, j))
        for layer, delta, A, p, here in zip(
            architecture.layers, deltas, forward.A, views, architecture.places, strict=False
        ):
            for r in range(rows):
                gradients = layer.gradients(delta[r : r + 1], A[r : r + 1], p)
                for name, (start, tensor) in here.items():
                    J[r, j, start : start + tensor.size] = gradients[name].reshape(-1)
    return J


def _failed(w: FloatArray, state: State, guard: Guard) -> str | None:
    """What of an epoch's weights and state is not finite, or too large."""
    if not np.isfinite(w).all():
        return "weights"
    if not all(np.isfinite(vector).all() for vector in state):
        return "state"
    return "growth" if np.abs(w).max(initial=0) > guard.weight else None


def _weight(sample_weight: FloatArray | None, rows: IntArray) -> float:
    """What some rows weigh."""
    return float(len(rows)) if sample_weight is None else float(sample_weight[rows].sum())


def parameter_jacobians(
    architecture: Architecture, parameters: FloatArray, threads: int
) -> Callable[[FloatArray], FloatArray]:
    """∂O/∂w of X, at the parameters as they are at each call."""
    return lambda X: parameter_jacobian(architecture, parameters, X, threads)


class Trainer:
    """A training run in progress: the optimizer's state and the count of steps and epochs.

    Parameters
    ----------
    architecture : Architecture
        What is trained.
    parameters : ndarray of shape (n_parameters,)
        The flat vector; brought up to date at the end of every epoch, and untouched by an epoch that is interrupted.
    optimizer : Optimizer
        How they follow the gradient.
    seed : int
        What the order of rows depends on, with the epoch, and what is dropped, with the step.
    threads : int
        At most as many threads; this engine leaves them to the array library.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the products of dense layers are computed, see `reseau.vocabulary.precisions`.
    bounds : (float, float)
        Between what the errors of a cross-entropy are kept, see `output_error`.
    sparse : bool
        Whether X will be sparse rows.
    treatment : Treatment or None
        What is done to gradient and weights besides. Where it averages the weights, the flat vector gets the average,
        and the weights themselves stand behind the optimizer's state.
    by_slopes : bool
        Whether runs will be given slopes.
    """

    leaves = False  # whether a run can leave the new parameters where they are, and the flat vector as it was

    def __init__(
        self,
        architecture: Architecture,
        parameters: FloatArray,
        optimizer: Optimizer,
        seed: int,
        threads: int,
        precision: str | None = None,
        bounds: Bounds = NO_BOUNDS,
        sparse: bool = False,
        treatment: Treatment | None = None,
        by_slopes: bool = False,
    ) -> None:
        self.architecture = architecture
        self.parameters = parameters
        self.optimizer = optimizer
        self.seed = seed
        self.precision = precision
        self.epoch = 0
        self.steps = 0
        self.state: State = optimizer.init(parameters)
        self.rounded = _rounding(precision)
        self.bounds = bounds
        self.treatment = Treatment() if treatment is None else treatment
        self.weights: FloatArray | None = None  # those that are trained, where the flat vector gets their average
        self.failure: Failure | None = None  # where the last run failed, if it was guarded and did

    def run(
        self,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        *,
        epochs: int,
        batch_size: int,
        shuffle: bool,
        l2: float,
        order: IntArray | None = None,
        record: FloatArray | None = None,
        leave: bool = False,
        guard: Guard | None = None,
        rates: FloatArray | None = None,
        output_weights: FloatArray | None = None,
        slopes: Slopes | None = None,
    ) -> list[float]:
        """Train for some epochs; return the mean error of the rows in each, as met on the way.

        Rows are taken in the order given, if one is. Into `record` (batches, 2) goes for each batch of the last epoch
        the sum of its rows' errors, each times its weight, and Σ W² before the step. With `leave` the parameters need
        not be brought up to date before they are taken back; this engine has nothing to leave. With `slopes` the error
        of a row counts how far ∂O/∂X is from them too.

        With `guard` the run ends with the first step whose error is not finite, or after which the epoch's mean error
        is above the guard's whatever comes; and after the first epoch that leaves a weight or a number of the
        optimizer's state that is not finite, or a weight that is too large. `failure` then tells where, the mean error
        of that epoch's rows so far is the last returned, and the parameters stay what they were before it. Such a
        trainer has nothing to go on from.

        `rates` (epochs · steps,) are the learning rates of the steps, if not all have that of the optimizer.
        """
        losses: list[float] = []
        self.failure = None
        of_epochs = [None] * epochs if rates is None else np.split(rates, epochs)
        with np.errstate(over="ignore", invalid="ignore"):
            while len(losses) < epochs and self.failure is None:
                now = of_epochs[len(losses)]
                how = l2, order, record, guard, now, output_weights, slopes
                losses.append(self._epoch(X, T, sample_weight, batch_size, shuffle, *how))
        return losses

    def take_back(self, to_change: bool = True) -> None:
        """Bring the flat vector up to date, as it is here."""

    def progress(self, into: ResumePoint | None = None) -> ResumePoint:
        """How far it has come; the state may go into the vectors of an earlier answer, if one is given."""
        vectors = self.state if self.treatment.average is None else (*self.state, self._trained())
        return ResumePoint(self.steps, self.epoch, tuple(np.array(vector) for vector in vectors))

    def go_on_from(self, progress: ResumePoint) -> None:
        """Take up what `progress` gave; the parameters are those of the flat vector."""
        self.steps, self.epoch, self.state = progress
        if self.treatment.average is not None:
            *state, self.weights = progress.state
            self.state = tuple(state)

    def finite(self) -> bool:
        """Whether all parameters are, whether they were left or not; after a guarded run that failed they are not."""
        return self.failure is None and bool(np.isfinite(self.parameters).all())

    def _epoch(
        self,
        X: FloatArray | SparseRows,
        T: FloatArray | IntArray,
        sample_weight: FloatArray | None,
        batch_size: int,
        shuffle: bool,
        l2: float,
        order: IntArray | None,
        record: FloatArray | None,
        guard: Guard | None,
        rates: FloatArray | None,
        output_weights: FloatArray | None,
        slopes: Slopes | None,
    ) -> float:
        rows, dtype = X.shape[0], self.parameters.dtype
        if order is None:
            order = row_order(rows, self.seed, self.epoch) if shuffle else np.arange(rows)
        w, state, steps, error_sum, total = self._trained(), self.state, self.steps, 0.0, 0.0
        how, mean, in_a_step = self.treatment, self.parameters, batch_size * self.treatment.accumulate
        most_error = sys.float_info.max
        if guard is not None:
            most_error = min(guard.loss * _weight(sample_weight, order), most_error)
        for first in range(0, rows, in_a_step):
            together = order[first : first + in_a_step]  # the rows of a step
            of_all, gradients = _weight(sample_weight, together), []
            if of_all == 0:
                continue
            steps += 1
            for start in range(0, len(together), batch_size):
                batch = together[start : start + batch_size]
                if (weight := _weight(sample_weight, batch)) == 0:
                    continue
                s = None if sample_weight is None else sample_weight[batch]
                T_batch = dense_targets(self.architecture, T[batch], dtype)
                masks = self._masks(steps, start, len(batch))
                X_batch = X[batch].astype(dtype, copy=False)
                share = weight / of_all  # 1 of a batch alone
                of_batch = None if slopes is None else Slopes(slopes.wanted[batch], slopes.weight)
                then = l2 * share, masks, self.rounded, self.bounds, output_weights, of_batch
                E, g = value_and_gradient(self.architecture, w, X_batch, T_batch, s, *then)
                if record is not None:
                    record[(first + start) // batch_size] = E * weight, self.architecture.squares(w)
                error_sum += E * weight
                total += weight
                if guard is not None and not error_sum <= most_error:
                    self.failure = Failure(steps - self.steps, "loss")
                    return error_sum / total
                gradients.append(share * g)
            optimizer = self.optimizer if rates is None else self.optimizer.at(float(rates[first // in_a_step]))
            g = how.gradient(self.architecture, w, sum(gradients[1:], gradients[0]), of_all)
            w, state = how.moved(self.architecture, optimizer, w, g, state, steps)
            mean = w if how.average is None else how.averaged(mean, w, steps)
        part = None if guard is None else _failed(w, state, guard)
        if part is not None:
            self.failure = Failure(steps - self.steps, part)
            return error_sum / total
        self.parameters[...] = mean
        self.weights = None if how.average is None else w
        self.state, self.steps, self.epoch = state, steps, self.epoch + 1
        return error_sum / total

    def _trained(self) -> FloatArray:
        """The weights that are trained."""
        return self.parameters if self.weights is None else self.weights

    def _masks(self, step: int, first: int, rows: int) -> Masks:
        return {
            l: keeps(self.seed, step, l - 1, rows, width, layer.dropout, first).astype(self.parameters.dtype)
            for l, (layer, width) in enumerate(
                zip(self.architecture.layers, self.architecture.widths[1:], strict=True), start=1
            )
            if layer.dropout
        }
