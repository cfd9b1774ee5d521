"""Test vectors: samples of a model, what it gives for them, and by how much rounding may change that.

What is expected is computed in float64, with the equations of the reference engine and the parameters as the exported
file has them. The bounds are first-order bounds on the error of the same computation in the file's precision, doubled;
they follow every number through the layers (ε is the spacing of the precision's numbers at 1):

- X' = (X − a)/s of scalers, in float64: Δx' ≤ 4 ε₆₄ (|x| + |a|)/|s|, in any order, and 4 ε |x'| once they are rounded;
- Z of A: what the layer's kind says (`Layer.bounded`), with ε₆₄ where the first layer is summed in double;
- A = σ(Z): Δa ≤ |σ'| Δz, and what computing σ adds: 8 ε (|a| + |z σ'|) for a number alone, (n + 8) ε (|a| + 1) for one
  of a row of n;
- A + A_k of a residual link: Δ and Δ_k, and ε of the sum;
- O after so many layers that these bounds would let anything pass: 100 times the error that the reference engine makes
  in float32, in ε of the file's precision;
- the mean of m networks: the mean of their Δ, and 2 (m − 1) ε of the mean of their sizes, as it is summed one by one;
- J v likewise, without what is measured: through the maps, and through σ with the change of σ' between z − p and z + p,
  p = 2 Δz + 8 ε |z|, which is its curvature, or the jump at a kink that rounding may put a score on the other side of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from reseau.vocabulary.activations import Activation
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.layers.code import Bounded

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.parts import Parts, Scaling

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

COUNT = 5  # vectors
SAFETY = 2.0  # for the terms of second order
USELESS = 0.01  # of the largest output: a bound above says nothing of a model
OF_MEASURED = 100.0  # how often the error that float32 makes here it may be elsewhere


@dataclass(frozen=True)
class Vectors:
    """Samples X (rows, d), outputs O (rows, n), directions V (rows, d), J V (rows, n), and bounds on their errors."""

    X: Floats
    O: Floats
    O_bounds: Floats
    V: Floats
    JV: Floats
    JV_bounds: Floats


def cancels(network: Network) -> bool:
    """Whether the terms of the first layer are large and cancel."""
    return network.architecture.layers[0].cancels(network.layers[0].tensors)


def wide_first_layer(network: Network, dtype: str) -> bool:
    """Whether float has too few digits for the sums of the first layer, which are then in double."""
    return dtype == "float32" and network.dtype == np.float64 and cancels(network)


def vectors(parts: Parts, dtype: str) -> Vectors:
    """Make test vectors for a model whose network is computed in "float32" or "float64".

    They are at the encoder's samples, or at random ones, such as the scalings take to about 1 or the first layer to
    scores that are not all far from zero. What is predicted is in the unit of a scaled target.
    """
    networks, X, scalings, target = (
        parts.network.networks,
        parts.encoder.samples(),
        parts.encoder.scalings,
        parts.decoder.scaling,
    )
    rng = np.random.default_rng(0)
    weights = [_as_exported(net, dtype) for net in networks]
    cancelling = next((net for net in networks if cancels(net)), None)
    spread: Floats | float = 1.0
    if X is None:
        X = np.round(rng.normal(size=(COUNT, parts.network.inputs)), 3)
        largest = float(np.sqrt(np.finfo(dtype).max))
        if cancelling is not None:
            X, spread = _near_the_middle(cancelling, X)
        with np.errstate(all="ignore"):
            while (  # exponentials of exponentials
                cancelling is None
                and X.any()
                and not all(_within(largest, net.architecture, w, X) for net, w in zip(networks, weights, strict=True))
            ):
                X = np.round(X / 2, 9)
        for scaling in reversed(scalings):
            X, spread = scaling.back(X), spread * np.abs(scaling.scale)
    X = X.astype(dtype).astype(np.float64)
    V = (np.round(rng.normal(size=X.shape), 3) * spread).astype(dtype).astype(np.float64)
    values, along = [], []
    with np.errstate(all="ignore"):
        for net, w in zip(networks, weights, strict=True):
            architecture, wide = net.architecture, wide_first_layer(net, dtype)
            (O, O_bounds), of_JV = _followed(architecture, w, X, V, dtype, scalings, wide)
            values.append((O, _measured(architecture, w, X, O, O_bounds, dtype, scalings)))
            along.append(of_JV)
        (O, O_bounds), (JV, JV_bounds) = _averaged(values, dtype), _averaged(along, dtype)
    if target is not None:
        eps, size = float(np.finfo(dtype).eps), np.abs(target.scale)
        O, scaled = target.back(O), O
        O_bounds = O_bounds * size + eps * (2 * np.abs(O) + size * np.abs(scaled))
        JV, JV_bounds = JV * target.scale, JV_bounds * size + 2 * eps * size * np.abs(JV)
    return Vectors(X, O, O_bounds, V, JV, JV_bounds)


def _as_exported(network: Network, dtype: str) -> Floats:
    """The parameters as the file has them."""
    w = network.parameters.astype(dtype).astype(np.float64)
    if wide_first_layer(network, dtype):
        first = network.architecture.layers[0].n_parameters(network.inputs)
        w[:first] = network.parameters[:first]
    return w


def _averaged(of_networks: list[tuple[Floats, Floats]], dtype: str) -> tuple[Floats, Floats]:
    """The mean of numbers, each with bounds on their errors."""
    m = len(of_networks)
    if m == 1:
        return of_networks[0]
    numbers, bounds = (np.array(several) for several in zip(*of_networks, strict=True))
    summed = 2 * (m - 1) * float(np.finfo(dtype).eps) * np.abs(numbers).mean(axis=0)
    return numbers.mean(axis=0), bounds.mean(axis=0) + summed


def _near_the_middle(network: Network, X: Floats) -> tuple[Floats, Floats]:
    """Samples around the x at which the first layer's scores are smallest, and how far it takes them to change by 1."""
    W, b = network.layers[0].W.astype(np.float64), np.asarray(network.layers[0].b, np.float64)
    spread = 1 / np.maximum(np.linalg.norm(W, axis=1), np.finfo(np.float32).tiny)
    middle = np.linalg.lstsq((spread[:, None] * W).T, -b, rcond=None)[0]
    return (middle + X) * spread, spread


def _within(largest: float, architecture: Architecture, w: Floats, X: Floats) -> bool:
    from reseau.engine import equations

    forward = equations.trace(architecture, w, X)
    return all(bool((np.abs(numbers) < largest).all()) for numbers in [*forward.Z, *forward.A])


def _followed(
    architecture: Architecture,
    w: Floats,
    X: Floats,
    V: Floats,
    dtype: str,
    scalings: Sequence[Scaling],
    wide: bool,
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """O and J V, each with bounds on the errors of its numbers: A and T = ∂A/∂X V are followed through the layers."""
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_normal)
    A, T = X, V
    A_error = np.zeros_like(X)
    for scaling in scalings:  # in double, in any order: also as x/s - a/s
        A_error = (A_error + 4 * float(np.finfo(np.float64).eps) * (np.abs(A) + np.abs(scaling.shift))) / scaling.scale
        T, A, A_error = T * scaling.slope(A), scaling(A), np.abs(A_error)
    size = np.abs(T)  # what T would be if nothing cancelled
    rounded = 4 * eps if scalings else 0.0
    rows = [Bounded(A, A_error + rounded * np.abs(A), T, size, rounded * size)]  # of A_0, A_1, ...
    for place, (layer, p) in enumerate(zip(architecture.layers, architecture.views(w), strict=True)):
        eps_of_sums = float(np.finfo(np.float64).eps) if wide and place == 0 else eps
        row = _activated(layer.sigma, layer.bounded(rows[-1], p, eps, eps_of_sums), eps)
        rows.append(_joined(row, rows[place + 1 - layer.residual], eps) if layer.residual else row)
    O, O_error, T, _, T_error = rows[-1]
    return (O, SAFETY * O_error + tiny), (T, SAFETY * T_error + tiny)


def _measured(
    architecture: Architecture,
    w: Floats,
    X: Floats,
    O: Floats,
    bounds: Floats,
    dtype: str,
    scalings: Sequence[Scaling],
) -> Floats:
    """The bounds of outputs, and others in place of those that would let anything pass, as after many layers."""
    from reseau.engine import equations

    for scaling in scalings:
        X = scaling(X)
    float32 = np.finfo(np.float32)
    rounded = equations.trace(architecture, w.astype(np.float32), X.astype(np.float32)).A[-1]
    largest = np.max(np.abs(O))
    difference = np.max(np.abs(rounded - O)) + float32.eps * largest
    measured = OF_MEASURED * difference * float(np.finfo(dtype).eps / float32.eps)
    useless = (bounds > USELESS * largest) & (measured < bounds)  # neither is so where numbers are not finite
    bounds[useless] = measured
    return bounds


def _activated(sigma: Activation, row: Bounded, eps: float) -> Bounded:
    """What the activation makes of scores."""
    Z, Z_error, T, size, T_error = row
    n = Z.shape[1]
    A = np.asarray(sigma.value(Z))
    D = np.asarray(sigma.slopes(Z, A))
    if sigma.row_wise:
        A_error = _row_times(np.abs(D), Z_error) + (n + 8) * eps * (np.abs(A) + 1)
        change = np.abs(sigma.slopes(Z, A + A_error) - sigma.slopes(Z, A - A_error))
        D_error = change + (n + 16) * eps * (1 + np.abs(D))
        T_error = _row_times(np.abs(D), T_error) + _row_times(D_error, size)
        return Bounded(A, A_error, _row_times(D, T), _row_times(np.abs(D), size), T_error)
    p = 2 * Z_error + 8 * eps * np.abs(Z)
    above, below = (sigma.slopes(near, sigma.value(near)) for near in (Z + p, Z - p))
    D_error = np.abs(above - below) + 16 * eps * (1 + np.abs(D))
    A_error = np.abs(D) * Z_error + 8 * eps * (np.abs(A) + np.abs(Z * D))
    T_error = np.abs(D) * T_error + D_error * size
    return Bounded(A, A_error, D * T, np.abs(D) * size, T_error)


def _joined(row: Bounded, linked: Bounded, eps: float) -> Bounded:
    """What a residual link makes of a layer's numbers and those that it brings; the way back adds once more."""
    A, A_error, T, size, T_error = (np.add(*values) for values in zip(row, linked, strict=True))
    return Bounded(A, A_error + eps * np.abs(A), T, size, T_error + 2 * eps * size)


def _row_times(D: Floats, vectors: Floats) -> Floats:
    """D v of each row."""
    return np.asarray(np.einsum("rij,rj->ri", D, vectors))
