"""The equations of a network, one readable line each, for any library of the array API.

Letters are those of the equations: X the inputs, W and b a layer's parameters, Z = A W + b, A = σ(Z), O the output, T
the targets, delta = ∂E/∂Z. The map from A to Z and back is each kind of layer's own (`reseau.vocabulary.layers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import numpy as np

from reseau.arrays import (
    Array,
    Slopes,
    namespace,
)
from reseau.vocabulary.activations.activation import by_group
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.layers.layer import Rounding, exact
from reseau.vocabulary.losses import NO_BOUNDS, Bounds, OwnLoss

Masks: TypeAlias = Mapping[int, Array]  # l: M_l, the mask of zeros and ones of A_l, (rows, n_l)
NO_MASKS: Masks = {}


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


def output_slope(architecture: Architecture, forward: Trace, j: int) -> tuple[Array, Array]:
    """∂o_j/∂Z_L, (rows, outputs), the unit vector pulled back through σ_L; and the unit vector, ∂o_j/∂O."""
    xp = namespace(forward.O)
    row = xp.astype(xp.arange(architecture.outputs) == j, forward.O.dtype)
    unit = xp.zeros_like(forward.O) + row
    return architecture.layers[-1].sigma.pullback(forward.Z[-1], forward.V[-1], unit), unit
