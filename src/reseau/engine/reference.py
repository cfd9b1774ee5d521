"""The reference engine: the equations of a network, one readable line each, for any library of the array API.

It is the oracle the native engine is tested against, and the way to run where no native engine was built. Letters are
those of the equations: X the inputs, W and b a layer's parameters, Z = A W + b, A = σ(Z), O the output, T the
targets, delta = ∂E/∂Z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from reseau.arrays import Array, Failure, FloatArray, IntArray, Predictor, Progress, SparseRows, namespace
from reseau.engine.order import keeps, row_order
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NO_BOUNDS, Bounds
from reseau.vocabulary.optimizers import Optimizer, State

NAME = "reference"

Masks: TypeAlias = Mapping[int, Array]  # l: M_l, the mask of zeros and ones of A_l, (rows, n_l)
NO_MASKS: Masks = {}
Rounding: TypeAlias = Callable[[Array], Array]  # of the factors of a matrix product


def exact(A: Array) -> Array:
    """No rounding."""
    return A


def bfloat16(A: Array) -> Array:
    """A float32 array with each number rounded to the nearest bfloat16, ties to even.

    Examples
    --------
    >>> import numpy as np
    >>> bfloat16(np.array([1 + 2**-8, 1 + 3 * 2**-8], dtype="float32")).tolist()
    [1.0, 1.015625]
    """
    bits = np.ascontiguousarray(A, dtype="float32").view("uint32")
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(A), A, rounded.view("float32"))


def instruction_set() -> str:
    """Whatever the array library uses."""
    return "that of NumPy"


def dropped(architecture: Architecture, masks: Masks, l: int, A: Array) -> Array:
    """Dropout: A · M_l/(1 − p_l), or A itself where A_l has no mask."""
    return A * masks[l] / (1 - architecture.layers[l - 1].dropout) if l in masks else A


def scores(A: Array, W: Array, b: Array | None) -> Array:
    """Z = A W + b, what the neurons of a layer sum up, (rows, n)."""
    return A @ W if b is None else A @ W + b


def sent_back(delta: Array, W: Array) -> Array:
    """∂E/∂A = δ Wᵀ, what a layer sends back to its inputs, (rows, n_in)."""
    return delta @ W.T


def weight_gradient(A: Array, delta: Array) -> Array:
    """∂E/∂W = Aᵀ δ, (n_in, n)."""
    return A.T @ delta


def bias_gradient(delta: Array) -> Array:
    """∂E/∂b = Σ_rows δ, (n,)."""
    return namespace(delta).sum(delta, axis=0)


def trace(
    architecture: Architecture, parameters: Array, X: Array, masks: Masks = NO_MASKS, rounded: Rounding = exact
) -> tuple[list[Array], list[Array]]:
    """Forward, keeping everything: Z_1..Z_L and A_0..A_L, with A_0 = X, Z_l = A_{l−1} W_l + b_l, A_l = σ_l(Z_l).

    Where there is a mask, the next layer's input is A_l · M_l/(1 − p_l); A_l stays what σ_l gave.
    """
    Z: list[Array] = []
    A: list[Array] = [X]
    for l, (layer, (W, b)) in enumerate(zip(architecture.layers, architecture.views(parameters), strict=True)):
        Z.append(scores(rounded(dropped(architecture, masks, l, A[l])), rounded(W), b))
        A.append(layer.sigma.value(Z[-1]))
    return Z, A


def backward(
    architecture: Architecture,
    parameters: Array,
    Z: list[Array],
    A: list[Array],
    delta: Array,
    masks: Masks = NO_MASKS,
    rounded: Rounding = exact,
) -> list[Array]:
    """From δ_L back to δ_1: δ_{l−1} = (δ_l W_lᵀ) · σ'_{l−1}, times M_{l−1}/(1 − p_{l−1}) where there is a mask."""
    deltas = [delta]
    views = architecture.views(parameters)
    for place in range(len(views) - 1, 0, -1):
        W, _ = views[place]
        sigma = architecture.layers[place - 1].sigma
        G = dropped(architecture, masks, place, sent_back(rounded(deltas[0]), rounded(W)))
        deltas.insert(0, sigma.pullback(Z[place - 1], A[place], G))
    return deltas


def output_error(architecture: Architecture, Z: Array, O: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
    """The error e_j of each output neuron, (rows, outputs); from the raw scores where output and loss simplify.

    With bounds, the error of a cross-entropy for a target of 1 (or 0) is kept between them, as if probabilities were.
    """
    loss = architecture.error
    if not architecture.simplifies or loss.value_from_scores is None:
        return loss.value(O, T)
    if bounds == NO_BOUNDS or not loss.is_entropy:
        return loss.value_from_scores(Z, T)
    clip = namespace(Z).clip
    if loss.distribution:
        return T * clip(loss.value_from_scores(Z, namespace(T).ones_like(T)), *bounds)
    return clip(loss.value_from_scores(Z, T), *bounds)


def output_delta(architecture: Architecture, Z: Array, O: Array, T: Array) -> Array:
    """δ_L = ∂E/∂Z_L of each row: o − t where output and loss simplify, else through the chain rule."""
    if architecture.simplifies:
        return O - T
    return architecture.layers[-1].sigma.pullback(Z, O, architecture.error.derivative(O, T))


def value_and_gradient(
    architecture: Architecture,
    parameters: Array,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    l2: float = 0.0,
    masks: Masks = NO_MASKS,
    rounded: Rounding = exact,
    bounds: Bounds = NO_BOUNDS,
) -> tuple[float, Array]:
    """E, the mean error of the rows, and its gradient in the layout of the parameters, with the l2 term.

    With weights s_r, rows count s_r/Σs instead of 1/rows. The gradient is that of (Σ_r s_r E_r + ½ l2 Σ W²)/Σs.
    """
    xp = namespace(X)
    rows = X.shape[0]
    Z, A = trace(architecture, parameters, X, masks, rounded)
    total = float(rows) if sample_weight is None else float(xp.sum(sample_weight))
    share = xp.full((rows, 1), 1 / total, dtype=X.dtype)
    if sample_weight is not None:
        share = xp.astype(xp.reshape(sample_weight / total, (rows, 1)), X.dtype)
    errors = output_error(architecture, Z[-1], A[-1], T, bounds)
    delta_L = share * output_delta(architecture, Z[-1], A[-1], T)
    # The error of a row without weight counts nothing, even if it is infinite, but what is no number in δ is told.
    E = float(xp.sum(xp.where(share > 0, share * errors, delta_L)))
    deltas = backward(architecture, parameters, Z, A, delta_L, masks, rounded)
    pieces: list[Array] = []
    for l, (delta, (W, b)) in enumerate(zip(deltas, architecture.views(parameters), strict=True)):
        dW = weight_gradient(rounded(dropped(architecture, masks, l, A[l])), rounded(delta))
        pieces.append(xp.reshape(dW + (l2 / total) * W if l2 else dW, (-1,)))
        if b is not None:
            pieces.append(bias_gradient(delta))
    return E, xp.concat(pieces)


# --- the engine's face (see engine.py), on NumPy arrays: what overflows is inf, and not said, as in the native engine -


_DENSE_AT_ONCE = 2**20  # numbers of sparse rows


def _as(parameters: FloatArray, X: FloatArray | SparseRows) -> FloatArray:
    dense = X[:] if isinstance(X, SparseRows) else X
    return dense.astype(parameters.dtype, copy=False)


def dense_targets(architecture: Architecture, T: FloatArray | IntArray, dtype: np.dtype[Any]) -> FloatArray:
    """Targets as rows; class labels (rows,) become zeros with a one."""
    if T.ndim == 2:
        return T  # type: ignore[return-value]
    one_hot = np.zeros((len(T), architecture.outputs), dtype=dtype)
    one_hot[np.arange(len(T)), T] = 1
    return one_hot


def predictor(architecture: Architecture, parameters: FloatArray, threads: Callable[[], int]) -> Predictor:
    """A function of (X, threads) that returns O, the output of the last layer, (rows, outputs).

    It reads `parameters` each time it is called. X need not have been checked: for what is not a plain matrix of finite
    numbers of the right width it returns None. Given no threads, it asks `threads` if it needs them.
    """

    def predict(X: object, n_threads: int | None) -> FloatArray | None:
        if type(X) is not np.ndarray or X.dtype.kind != "f" or X.ndim != 2 or X.shape[1] != architecture.inputs:
            return None
        with np.errstate(over="ignore"):
            inputs = _as(parameters, X)
        return forward(architecture, parameters, inputs) if len(X) and np.isfinite(inputs).all() else None

    return predict


@np.errstate(over="ignore", invalid="ignore")
def forward(architecture: Architecture, parameters: FloatArray, X: FloatArray) -> FloatArray:
    """O, the output of the last layer, (rows, outputs)."""
    _, A = trace(architecture, parameters, X)
    return np.asarray(A[-1])


def outputs(architecture: Architecture, parameters: FloatArray, X: SparseRows, threads: int) -> FloatArray:
    """O of sparse rows; not all of them are made dense at once."""
    return np.concatenate([forward(architecture, parameters, _as(parameters, X[block])) for block in _blocks(X)])


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
    if isinstance(X, SparseRows):
        return np.concatenate([errors(architecture, parameters, X[block], T[block], threads) for block in _blocks(X)])
    Z, A = trace(architecture, parameters, _as(parameters, X))
    return np.asarray(output_error(architecture, Z[-1], A[-1], dense_targets(architecture, T, parameters.dtype)))


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
) -> tuple[float, FloatArray]:
    """E and ∂E/∂w, as `value_and_gradient`."""
    rows = dense_targets(architecture, T, parameters.dtype)
    return value_and_gradient(architecture, parameters, _as(parameters, X), rows, sample_weight, l2, bounds=bounds)


def output_slope(architecture: Architecture, Z: list[Array], A: list[Array], j: int) -> Array:
    """δ_L of o_j alone, ∂o_j/∂Z_L, (rows, outputs): the unit vector pulled back through σ_L."""
    unit = np.zeros_like(A[-1])
    unit[:, j] = 1
    return architecture.layers[-1].sigma.pullback(Z[-1], A[-1], unit)


@np.errstate(over="ignore", invalid="ignore")
def jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂X, (rows, outputs, inputs): for each output neuron a backward pass from the unit vector, and δ_1 W_1ᵀ."""
    W_1, _ = architecture.views(parameters)[0]
    Z, A = trace(architecture, parameters, _as(parameters, X))
    J = np.empty((X.shape[0], architecture.outputs, architecture.inputs), dtype=parameters.dtype)
    for j in range(architecture.outputs):
        delta_1 = backward(architecture, parameters, Z, A, output_slope(architecture, Z, A, j))[0]
        J[:, j, :] = sent_back(delta_1, W_1)
    return J


@np.errstate(over="ignore", invalid="ignore")
def parameter_jacobian(architecture: Architecture, parameters: FloatArray, X: FloatArray, threads: int) -> FloatArray:
    """∂O/∂w, (rows, outputs, n_parameters): for each output neuron a backward pass from the unit vector.

    Of each row, ∂o_j/∂W_l = a_{l−1}ᵀ δ_l and ∂o_j/∂b_l = δ_l.
    """
    Z, A = trace(architecture, parameters, _as(parameters, X))
    rows, outputs = A[-1].shape
    J = np.empty((rows, outputs, parameters.size), dtype=parameters.dtype)
    for j in range(outputs):
        deltas = backward(architecture, parameters, Z, A, output_slope(architecture, Z, A, j))
        for a, delta, (w, n_in, n_out, b) in zip(A, deltas, architecture.places(), strict=False):
            J[:, j, w : w + n_in * n_out] = (a[:, :, None] * delta[:, None, :]).reshape(rows, -1)
            if b >= 0:
                J[:, j, b : b + n_out] = delta
    return J


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
    precision : {"bf16"} or None
        What the factors of products are rounded to.
    bounds : (float, float)
        Between what the errors of a cross-entropy are kept, see `output_error`.
    sparse : bool
        Whether X will be sparse rows.
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
    ) -> None:
        self.architecture = architecture
        self.parameters = parameters
        self.optimizer = optimizer
        self.seed = seed
        self.epoch = 0
        self.steps = 0
        self.state: State = optimizer.init(parameters)
        self.rounded: Rounding = exact if precision is None else bfloat16
        self.bounds = bounds
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
        guard: bool = False,
    ) -> list[float]:
        """Train for some epochs; return the mean error of the rows in each, as met on the way.

        Rows are taken in the order given, if one is. Into `record` (batches, 2) goes for each batch of the last epoch
        the sum of its rows' errors, each times its weight, and Σ W² before the step. With `leave` the parameters need
        not be brought up to date before they are taken back; this engine has nothing to leave.

        With `guard` the run ends with the first step whose error is not finite, and after the first epoch that leaves a
        weight or a number of the optimizer's state that is not: `failure` then tells where, that epoch's error is the
        last returned, and the parameters stay what they were before it. Such a trainer has nothing to go on from.
        """
        losses: list[float] = []
        self.failure = None
        with np.errstate(over="ignore", invalid="ignore"):
            while len(losses) < epochs and self.failure is None:
                losses.append(self._epoch(X, T, sample_weight, batch_size, shuffle, l2, order, record, guard))
        return losses

    def take_back(self, to_change: bool = True) -> None:
        """Bring the parameters up to date if they were left; unless `to_change`, they must stay as they then are."""

    def progress(self, into: Progress | None = None) -> Progress:
        """How far it has come; the state may go into the vectors of an earlier answer, if one is given."""
        return Progress(self.steps, self.epoch, tuple(np.array(vector) for vector in self.state))

    def go_on_from(self, progress: Progress) -> None:
        """Take up what `progress` gave; the parameters are those of the flat vector."""
        self.steps, self.epoch, self.state = progress

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
        guard: bool,
    ) -> float:
        rows, dtype = X.shape[0], self.parameters.dtype
        if order is None:
            order = row_order(rows, self.seed, self.epoch) if shuffle else np.arange(rows)
        w, state, steps, error_sum, total = self.parameters, self.state, self.steps, 0.0, 0.0
        for start in range(0, rows, batch_size):
            batch = order[start : start + batch_size]
            s = None if sample_weight is None else sample_weight[batch]
            weight = float(len(batch)) if s is None else float(s.sum())
            if weight == 0:
                continue
            T_batch = dense_targets(self.architecture, T[batch], dtype)
            steps += 1
            masks = self._masks(steps, len(batch))
            X_batch = X[batch].astype(dtype, copy=False)
            E, g = value_and_gradient(self.architecture, w, X_batch, T_batch, s, l2, masks, self.rounded, self.bounds)
            if record is not None:
                squares = sum(float((W * W).sum(dtype="float64")) for W, _ in self.architecture.views(w))
                record[start // batch_size] = E * weight, squares
            error_sum += E * weight
            total += weight
            if guard and not isfinite(E):
                self.failure = Failure(steps - self.steps, "loss")
                return error_sum / total
            w, state = self.optimizer.update(w, g, state, steps)
        if guard and not all(np.isfinite(vector).all() for vector in (w, *state)):
            self.failure = Failure(steps - self.steps, "state" if np.isfinite(w).all() else "weights")
            return error_sum / total
        self.parameters[...] = w
        self.state, self.steps, self.epoch = state, steps, self.epoch + 1
        return error_sum / total

    def _masks(self, step: int, rows: int) -> Masks:
        return {
            l: keeps(self.seed, step, l - 1, rows, layer.neurons, layer.dropout).astype(self.parameters.dtype)
            for l, layer in enumerate(self.architecture.layers, start=1)
            if layer.dropout
        }
