"""Test vectors: samples of a model, what it gives for them, and by how much rounding may change that.

What is expected is computed in float64, with the equations of the reference engine and the parameters as the exported
file has them. The bounds are first-order bounds on the error of the same computation in the file's precision, doubled;
they follow every number through the layers (ε is the spacing of the precision's numbers at 1):

- X' = (X − a)/s of scalers, in float64: Δx' ≤ 4 ε₆₄ (|x| + |a|)/|s|, in any order, and 4 ε |x'| once they are rounded;
- Z = A W + b: Δz ≤ Σ Δa |w| + (n_in + 2) ε (Σ |a| |w| + |b|), in any order of summation, with ε₆₄ where the first layer
  is summed in double;
- A = σ(Z): Δa ≤ |σ'| Δz, and what computing σ adds: 8 ε (|a| + |z σ'|) for a number alone, (n + 8) ε (|a| + 1) for one
  of a row of n;
- J v likewise: through W as above, and through σ with the change of σ' between z − p and z + p, p = 2 Δz + 8 ε |z|,
  which is its curvature, or the jump at a kink that rounding may put a score on the other side of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from reseau.vocabulary.layers import Architecture

if TYPE_CHECKING:
    from reseau.network import Network
    from reseau.parts import Parts, Scaling

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

CANCELLED = 256.0  # of the terms of a score: 8 of the 24 digits of float
COUNT = 5  # vectors
SAFETY = 2.0  # for the terms of second order


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
    """Whether the terms of the first layer are large and cancel.

    So it is where inputs far from zero, standardised, were made part of the layer (as `from_sklearn` does).
    """
    b = network.layers[0].b
    return b is not None and float(np.abs(b).max()) > CANCELLED


def wide_first_layer(network: Network, dtype: str) -> bool:
    """Whether float has too few digits for the sums of the first layer, which are then in double."""
    return dtype == "float32" and network.dtype == np.float64 and cancels(network)


def vectors(parts: Parts, dtype: str) -> Vectors:
    """Make test vectors for a model whose network is computed in "float32" or "float64".

    They are at the encoder's samples, or at random ones, such as the scalings take to about 1 or the first layer to
    scores that are not all far from zero. What is predicted is in the unit of a scaled target.
    """
    network, X, scalings, target = parts.network, parts.encoder.samples(), parts.encoder.scalings, parts.decoder.scaling
    rng = np.random.default_rng(0)
    architecture = network.architecture
    wide, cancelled = wide_first_layer(network, dtype), cancels(network)
    w = network.parameters.astype(dtype).astype(np.float64)
    if wide:
        first = architecture.layers[0].n_parameters(architecture.inputs)
        w[:first] = network.parameters[:first]
    spread: Floats | float = 1.0
    if X is None:
        X = np.round(rng.normal(size=(COUNT, architecture.inputs)), 3)
        largest = float(np.sqrt(np.finfo(dtype).max))
        if cancelled:
            X, spread = _near_the_middle(network, X)
        with np.errstate(all="ignore"):
            while (
                not cancelled and X.any() and not _within(largest, architecture, w, X)
            ):  # exponentials of exponentials
                X = np.round(X / 2, 9)
        for scaling in reversed(scalings):
            X, spread = scaling.back(X), spread * np.abs(scaling.scale)
    X = X.astype(dtype).astype(np.float64)
    V = (np.round(rng.normal(size=X.shape), 3) * spread).astype(dtype).astype(np.float64)
    with np.errstate(all="ignore"):
        outputs, along = _followed(architecture, w, X, V, dtype, scalings, wide)
    if target is not None:
        eps, size = float(np.finfo(dtype).eps), np.abs(target.scale)
        O = target.back(outputs[0])
        outputs = O, outputs[1] * size + eps * (2 * np.abs(O) + size * np.abs(outputs[0]))
        along = along[0] * target.scale, along[1] * size + 2 * eps * size * np.abs(along[0])
    return Vectors(X, *outputs, V, *along)


def _near_the_middle(network: Network, X: Floats) -> tuple[Floats, Floats]:
    """Samples around the x at which the first layer's scores are smallest, and how far it takes them to change by 1."""
    W, b = network.layers[0].W.astype(np.float64), np.asarray(network.layers[0].b, np.float64)
    spread = 1 / np.maximum(np.linalg.norm(W, axis=1), np.finfo(np.float32).tiny)
    middle = np.linalg.lstsq((spread[:, None] * W).T, -b, rcond=None)[0]
    return (middle + X) * spread, spread


def _within(largest: float, architecture: Architecture, w: Floats, X: Floats) -> bool:
    from reseau.engine import reference

    forward = reference.trace(architecture, w, X)
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
    A_error, T_error = A_error + rounded * np.abs(A), rounded * size
    for place, (layer, p) in enumerate(zip(architecture.layers, architecture.views(w), strict=True)):
        W, b = p["W"], p.get("b")
        n_in, n_out = W.shape
        sigma, absolute = layer.sigma, np.abs(W)
        Z = A @ W if b is None else A @ W + b
        terms = np.abs(A) @ absolute + (0.0 if b is None else np.abs(b))
        if wide and place == 0:  # summed in double, then rounded
            Z_error = (n_in + 2) * float(np.finfo(np.float64).eps) * terms + eps * np.abs(Z)
        else:
            Z_error = A_error @ absolute + (n_in + 2) * eps * terms
        T, size = T @ W, size @ absolute
        T_error = T_error @ absolute + (n_in + n_out + 4) * eps * size
        A = np.asarray(sigma.value(Z))
        if sigma.row_wise:
            D = np.asarray(sigma.slopes(Z, A))
            A_error = _row_times(np.abs(D), Z_error) + (n_out + 8) * eps * (np.abs(A) + 1)
            change = np.abs(sigma.slopes(Z, A + A_error) - sigma.slopes(Z, A - A_error))
            D_error = change + (n_out + 16) * eps * (1 + np.abs(D))
            T_error = _row_times(np.abs(D), T_error) + _row_times(D_error, size)
            T, size = _row_times(D, T), _row_times(np.abs(D), size)
        else:
            D = np.asarray(sigma.slopes(Z, A))
            p = 2 * Z_error + 8 * eps * np.abs(Z)
            above, below = (sigma.slopes(near, sigma.value(near)) for near in (Z + p, Z - p))
            D_error = np.abs(above - below) + 16 * eps * (1 + np.abs(D))
            A_error = np.abs(D) * Z_error + 8 * eps * (np.abs(A) + np.abs(Z * D))
            T_error = np.abs(D) * T_error + D_error * size
            T, size = D * T, np.abs(D) * size
    return (A, SAFETY * A_error + tiny), (T, SAFETY * T_error + tiny)


def _row_times(D: Floats, vectors: Floats) -> Floats:
    """D v of each row."""
    return np.asarray(np.einsum("rij,rj->ri", D, vectors))
