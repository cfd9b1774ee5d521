"""The reference engine: the equations of a network, one readable line each, for any library of the array API.

It is the oracle the native engine is tested against, and the way to run where no native engine was built. Letters are
those of the equations: X the inputs, W and b a layer's parameters, Z = A W + b, A = σ(Z), O the output, T the
targets, delta = ∂E/∂Z. The map from A to Z and back is each kind of layer's own (`reseau.vocabulary.layers`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

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
    namespace,
)
from reseau.engine.order import keeps, row_order
from reseau.vocabulary.activations.activation import by_group
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.layers.layer import Rounding, exact
from reseau.vocabulary.losses import NO_BOUNDS, Bounds, OwnLoss
from reseau.vocabulary.optimizers import Optimizer, State
from reseau.vocabulary.precisions import PRECISIONS
from reseau.vocabulary.treatment import Treatment

NAME = "reference"
stop = None

Masks: TypeAlias = Mapping[int, Array]  # l: M_l, the mask of zeros and ones of A_l, (rows, n_l)
NO_MASKS: Masks = {}


def instruction_set() -> str:
    """Whatever the array library uses."""
    return "that of NumPy"


def dropped(architecture: Architecture, masks: Masks, l: int, A: Array) -> Array:
    """Dropout: A · M_l/(1 − p_l), or A itself where A_l has no mask."""
    return A * masks[l] / (1 - architecture.layers[l - 1].dropout) if l in masks else A


class Trace(NamedTuple):
    """A forward pass: Z_1..Z_L; V_1..V_L, V_l = σ_l(Z_l); and A_0..A_L, what goes on from each layer, A_0 = X.

    A_l is V_l · M_l/(1 − p_l), plus A_{l−k} where a residual link leads over k layers.
    """

    Z: list[Array]
    V: list[Array]
    A: list[Array]

    @property
    def O(self) -> Array:  # noqa: E743
        """The output, (rows, outputs)."""
        return self.A[-1]


def trace(
    architecture: Architecture, parameters: Array, X: Array, masks: Masks = NO_MASKS, rounded: Rounding = exact
) -> Trace:
    """Forward, keeping everything: Z_l from A_{l−1} by the layer's map, such as Z_l = A_{l−1} W_l + b_l."""
    Z: list[Array] = []
    V: list[Array] = []
    A: list[Array] = [X]
    for l, (layer, p) in enumerate(zip(architecture.layers, architecture.views(parameters), strict=True), start=1):
        Z.append(layer.scores(A[-1], p, rounded))
        V.append(layer.sigma.value(Z[-1]))
        passed = dropped(architecture, masks, l, V[-1])
        A.append(passed + A[l - layer.residual] if layer.residual else passed)
    return Trace(Z, V, A)


def backward(
    architecture: Architecture,
    parameters: Array,
    forward: Trace,
    delta: Array,
    G: Array | None = None,
    masks: Masks = NO_MASKS,
    rounded: Rounding = exact,
    to_inputs: bool = False,
    sent: list[Array] | None = None,
) -> tuple[list[Array], Array | None]:
    """From δ_L back to δ_1, and to ∂E/∂X if that is asked for.

    G_l = ∂E/∂A_l is what layer l + 1 sends back, such as δ_{l+1} W_{l+1}ᵀ, plus what a residual link brings;
    δ_l = (G_l · M_l/(1 − p_l)) · σ'_l. G_L is needed where a link ends in the last layer. Into `sent`, if it is given,
    go G_{L−1}, ..., G_1, and G_0 = ∂E/∂X if that is asked for.
    """
    deltas = [delta]
    views = architecture.views(parameters)
    brought: dict[int, Array] = {}  # by residual links
    for l in range(len(views), 0, -1):
        layer = architecture.layers[l - 1]
        if layer.residual:
            assert G is not None
            start = l - layer.residual
            brought[start] = brought[start] + G if start in brought else G
        if l == 1 and not to_inputs:
            return deltas, None
        G = layer.sent_back(deltas[0], forward.A[l - 1], views[l - 1], rounded)
        if l - 1 in brought:
            G = G + brought.pop(l - 1)
        if sent is not None:
            sent.append(G)
        if l > 1:
            sigma = architecture.layers[l - 2].sigma
            passed = dropped(architecture, masks, l - 1, G)
            deltas.insert(0, sigma.pullback(forward.Z[l - 2], forward.V[l - 2], passed))
    return deltas, G


def is_missing(T: Array) -> Array:
    """Where targets are NaN; of fractions none is."""
    return T != T


def counted(x: Array, T: Array, output_weights: Array | None = None) -> Array:
    """c_j x_j, and nothing where target t_j is missing or c_j is 0, even of infinity and NaN."""
    xp = namespace(T)
    zero = xp.zeros_like(x)
    there = xp.where(is_missing(T), zero, x)
    return there if output_weights is None else xp.where(output_weights > 0, output_weights * there, zero)


class Changes(NamedTuple):
    """How a forward pass changes along with X, in a direction: dZ_1..dZ_L; and dA_0..dA_L, dA_0 the direction."""

    Z: list[Array]
    A: list[Array]


def changes(architecture: Architecture, parameters: Array, forward: Trace, dX: Array) -> Changes:
    """Forward along a direction dX of the inputs: dA_l = σ'_l dZ_l, with the derivative dZ_l of the layer's map."""
    dZ: list[Array] = []
    dA: list[Array] = [dX]
    for l, (layer, p) in enumerate(zip(architecture.layers, architecture.views(parameters), strict=True), start=1):
        dZ.append(layer.scores_changed(dA[-1], forward.A[l - 1], p))
        passed = layer.sigma.pushed(forward.Z[l - 1], forward.V[l - 1], dZ[-1])
        dA.append(passed + dA[l - layer.residual] if layer.residual else passed)
    return Changes(dZ, dA)


def backward_changes(
    architecture: Architecture,
    parameters: Array,
    forward: Trace,
    along: Changes,
    deltas: list[Array],
    G: list[Array],
) -> tuple[list[Array], Array]:
    """How δ_1..δ_L and ∂E/∂X change along with X, where ∂E/∂O stays the same; G_l = ∂E/∂A_l, l from 0 to L.

    It is the derivative of `backward`: dδ_l = dG_l · σ'_l + G_l · σ″_l dZ_l.
    """
    xp = namespace(forward.O)
    d_deltas: list[Array] = []
    views = architecture.views(parameters)
    brought: dict[int, Array] = {}  # by residual links
    dG = xp.zeros_like(forward.O)
    for l in range(len(views), 0, -1):
        layer, Z, V = architecture.layers[l - 1], forward.Z[l - 1], forward.V[l - 1]
        if layer.residual:
            start = l - layer.residual
            brought[start] = brought[start] + dG if start in brought else dG
        bent = layer.sigma.pullback_changed(Z, V, G[l], along.Z[l - 1])
        d_deltas.insert(0, layer.sigma.pullback(Z, V, dG) + bent)
        dG = layer.sent_back_changed(d_deltas[0], deltas[l - 1], along.A[l - 1], forward.A[l - 1], views[l - 1])
        if l - 1 in brought:
            dG = dG + brought.pop(l - 1)
    return d_deltas, dG


def output_error(architecture: Architecture, Z: Array, O: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
    """The error e_j of each output neuron, (rows, outputs); from the raw scores where output and loss simplify.

    With bounds, the error of a cross-entropy for a target of 1 (or 0) is kept between them, as if probabilities were.
    Where a target is missing there is none.
    """
    return counted(_output_error(architecture, Z, O, T, bounds), T)


def _output_error(architecture: Architecture, Z: Array, O: Array, T: Array, bounds: Bounds) -> Array:
    loss = architecture.error
    return loss.value_from_scores(Z, T, bounds) if architecture.simplifies else loss.value(O, T)


def output_delta(
    architecture: Architecture, forward: Trace, T: Array, output_weights: Array | None = None
) -> tuple[Array, Array | None]:
    """δ_L = ∂E/∂Z_L of each row, such as o − t where output and loss simplify; and ∂E/∂O, by which it else comes.

    Of softmax with the cross-entropy, e_j = −t_j ln o_j, weights and what is missing belong to the targets, whose sum
    is then not 1, and δ is o Σ_i c_i t_i − c t, of each group of outputs by itself.
    """
    xp = namespace(T)
    counts_all = output_weights is None and not xp.any(is_missing(T))
    if architecture.simplifies and architecture.error.distribution and not counts_all:
        delta = architecture.error.delta_from_scores(forward.Z[-1], forward.O, T)
        T = counted(forward.O - delta, T, output_weights)
        of_group = lambda O, T: O * xp.sum(T, axis=1, keepdims=True) - T  # noqa: E731
        return by_group(of_group, architecture.groups or (architecture.outputs,), forward.O, T), None
    if architecture.simplifies:
        delta = architecture.error.delta_from_scores(forward.Z[-1], forward.O, T)
        return counted(delta, T, output_weights), None
    G = counted(architecture.error.derivative(forward.O, T), T, output_weights)
    return architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], G), G


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
    output_weights: Array | None = None,
    slopes: Slopes | None = None,
) -> tuple[float, Array]:
    """E, the mean error of the rows, and its gradient in the layout of the parameters, with the l2 term.

    With weights s_r, rows count s_r/Σs instead of 1/rows; with weights c_j of the outputs, or of targets with several
    outputs each, E_r is Σ_j c_j e_j. Where slopes are wanted, e_j has ½ w Σ_i (∂o_j/∂x_i − wanted_ji)² too. The
    gradient is that of (Σ_r s_r E_r + ½ l2 Σ W²)/Σs.
    """
    xp = namespace(X)
    rows = X.shape[0]
    forward = trace(architecture, parameters, X, masks, rounded)
    total = float(rows) if sample_weight is None else float(xp.sum(sample_weight))
    share = xp.full((rows, 1), 1 / total, dtype=X.dtype)
    if sample_weight is not None:
        share = xp.astype(xp.reshape(sample_weight / total, (rows, 1)), X.dtype)
    c = None if output_weights is None else xp.astype(architecture.of_outputs(output_weights), X.dtype)
    errors: Array
    G: Array | None
    if isinstance(architecture.error, OwnLoss):
        errors, G = architecture.error.evaluate(forward.O, T, c)
        errors = np.pad(errors, ((0, 0), (0, forward.O.shape[1] - errors.shape[1])))  # one of a row counts once
        delta = architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], G)
    else:
        errors = counted(output_error(architecture, forward.Z[-1], forward.O, T, bounds), T, c)
        delta, G = output_delta(architecture, forward, T, c)
    delta, G = share * delta, None if G is None else share * G
    # The error of a row without weight counts nothing, even if it is infinite, but what is no number in δ is told.
    E = float(xp.sum(xp.where(share > 0, share * errors, delta)))
    deltas, _ = backward(architecture, parameters, forward, delta, G, masks, rounded)
    pieces: list[Array] = []
    for layer, delta_l, A, p, here in zip(
        architecture.layers, deltas, forward.A, architecture.views(parameters), architecture.places, strict=False
    ):
        gradients = layer.gradients(delta_l, A, p, rounded)
        for name, (_, tensor) in here.items():
            penalised = l2 and tensor.penalised
            g = gradients[name] + (l2 / total) * p[name] if penalised else gradients[name]
            pieces.append(xp.reshape(g, (-1,)))
    g = xp.concat(pieces) if pieces else xp.zeros_like(parameters)
    if slopes is None:
        return E, g
    of_slopes, change = slope_error(architecture, parameters, forward, share, slopes, c)
    return E + of_slopes, g + change


def slope_error(
    architecture: Architecture,
    parameters: Array,
    forward: Trace,
    share: Array,
    slopes: Slopes,
    output_weights: Array | None = None,
) -> tuple[float, Array]:
    """½ w Σ_r share_r Σ_j c_j Σ_i r_ji² with r_j = ∂o_j/∂x − wanted_j, and its gradient.

    For each output j that of ½ |r_j|² is the change of ∂o_j/∂θ along the direction r_j of x. Wanted slopes that are
    NaN are missing, and do not count.
    """
    xp = namespace(forward.O)
    E, g = 0.0, xp.zeros_like(parameters)
    views = architecture.views(parameters)
    for j in range(architecture.outputs):
        deltas, G = way_back(architecture, parameters, forward, j)
        wanted = slopes.wanted[:, j, :]
        of_output = slopes.weight if output_weights is None else slopes.weight * output_weights[j]
        counts = of_output * share
        residual = xp.where((counts > 0) & ~is_missing(wanted), G[0] - wanted, xp.zeros_like(wanted))
        E += 0.5 * float(xp.sum(counts * residual * residual))
        along = changes(architecture, parameters, forward, counts * residual)
        d_deltas, _ = backward_changes(architecture, parameters, forward, along, deltas, G)
        pieces = []
        for l, (layer, p) in enumerate(zip(architecture.layers, views, strict=True)):
            changed = layer.gradients_changed(d_deltas[l], deltas[l], along.A[l], forward.A[l], p)
            pieces += [xp.reshape(changed[name], (-1,)) for name in architecture.places[l]]
        g = g + xp.concat(pieces) if pieces else g
    return E, g


def way_back(architecture: Architecture, parameters: Array, forward: Trace, j: int) -> tuple[list[Array], list[Array]]:
    """δ_1..δ_L and G_0..G_L of output j in the place of the error: G_l = ∂o_j/∂A_l."""
    slope, unit = output_slope(architecture, forward, j)
    G: list[Array] = [unit]
    deltas, _ = backward(architecture, parameters, forward, slope, unit, to_inputs=True, sent=G)
    return deltas, G[::-1]


# --- the engine's face (see door.py), on NumPy arrays: what overflows is inf, and not said, as in the native engine -


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


def output_slope(architecture: Architecture, forward: Trace, j: int) -> tuple[Array, Array]:
    """∂o_j/∂Z_L, (rows, outputs), the unit vector pulled back through σ_L; and the unit vector, ∂o_j/∂O."""
    xp = namespace(forward.O)
    row = xp.astype(xp.arange(architecture.outputs) == j, forward.O.dtype)
    unit = xp.zeros_like(forward.O) + row
    return architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], unit), unit


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
