"""What several tests need: problems from the tables, numerical derivatives, and bounds on rounding errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reseau.engine import equations
from reseau.vocabulary.activations import ACTIVATIONS, Activation, RowWise
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.layers import Architecture, Dense
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, AdamW, AMSGrad, Lion, Nadam, RAdam, RMSprop

Vector = np.ndarray[Any, np.dtype[np.float64]]

# Where the activations and losses of the tables have a kink or a jump in their second derivative: in z, and in |o − t|.
KINKS = (-3.0, 0.0, 3.0)
RESIDUAL_KINKS = (0.0, 1.0)


# Entries of the table with each of their numbers away from its default, and every other entry.
_WITH_NUMBERS = [
    SGD(0.1),
    SGD(0.1, momentum=0.9),
    SGD(0.05, momentum=0.8, nesterov=True),
    Adam(0.02),
    Adam(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    Adam(0.02, beta_2=0.9, epsilon=1e-3, epsilon_hat=True),
    AdamW(0.02, weight_decay=0.3),
    RMSprop(0.01),
    RMSprop(0.02, rho=0.5, epsilon=0.01),
    AMSGrad(0.02, beta_2=0.6, epsilon=1e-3),
    AMSGrad(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3, epsilon_hat=True),
    Nadam(0.02),
    Nadam(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3, momentum_decay=0.3),
    RAdam(0.02),
    RAdam(0.02, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    Lion(0.01),
    Lion(0.01, beta_1=0.5, beta_2=0.8, weight_decay=0.3),
    Adagrad(0.05),
    Adagrad(0.05, epsilon=1e-3),
]
_OTHERS = [kind for kind in OPTIMIZERS.values() if kind not in map(type, _WITH_NUMBERS)]
EVERY_OPTIMIZER = [*_WITH_NUMBERS, *(kind(0.02) for kind in _OTHERS)]


def outputs_for(loss: str) -> set[str]:
    """The activations whose values a loss is defined for, by trying scores from −20 to 20."""
    Z = np.linspace(-20, 20, 82).reshape(-1, 2)

    def fits(sigma: Activation) -> bool:
        if LOSSES[loss].distribution:
            return sigma.distribution is not None
        if LOSSES[loss].per_target == 2:  # of a mean and a scale
            return bool((sigma.value(Z)[:, 1] > 0).all() and sigma.value(Z).min() < 0)
        return all(LOSSES[loss].outputs.contains(Interval(a, a, True, True)) for a in sigma.value(Z).flat)

    return {name for name, sigma in ACTIVATIONS.items() if fits(sigma)}


def targets_for(loss: str, rows: int, outputs: int, rng: np.random.Generator) -> Vector:
    """Targets that a loss is defined for, with the ends of its interval among them, for so many outputs."""
    outputs //= LOSSES[loss].per_target
    if LOSSES[loss].distribution:
        T = rng.dirichlet(np.ones(outputs), rows)
        T[0] = np.eye(outputs)[-1]
        return T
    low, high = LOSSES[loss].targets.low, LOSSES[loss].targets.high
    if np.isfinite(high):
        T = rng.uniform(low, high, (rows, outputs))
        T[0, 0], T[-1, -1] = low, high
        return T
    if np.isfinite(low):
        return low + rng.poisson(1.5, (rows, outputs)) + (0.0 if LOSSES[loss].targets.includes_low else 0.25)
    return rng.normal(0.0, 1.5, (rows, outputs))


def whole(architecture: Architecture, T: Vector) -> Vector:
    """Targets as the engines take them, each as often as the loss has outputs for it."""
    return np.repeat(T, architecture.outputs // T.shape[1], axis=1)


def clear_of_kinks(architecture: Architecture, w: Vector, X: Vector, T: Vector, margin: float) -> bool:
    """Whether no score and no residual comes within `margin` of a kink."""
    forward = equations.trace(architecture, w, X)
    scores_clear = all(np.abs(Z_l - kink).min() > margin for Z_l in forward.Z for kink in KINKS)
    return scores_clear and all(
        np.abs(np.abs(forward.O - whole(architecture, T)) - kink).min() > margin for kink in RESIDUAL_KINKS
    )


def smooth_problem(architecture: Architecture, rows: int, margin: float = 1e-3) -> tuple[Vector, Vector, Vector]:
    """Parameters, X and T, always the same for an architecture, that stay clear of every kink."""
    for attempt in range(1000):
        rng = np.random.default_rng(attempt)
        w = rng.normal(0.0, 0.7, architecture.n_parameters)
        X = rng.uniform(-2.0, 2.0, (rows, architecture.inputs))
        T = targets_for(architecture.loss, rows, architecture.outputs, rng)
        if clear_of_kinks(architecture, w, X, T, margin):
            return w, X, T
    raise AssertionError(f"no data clear of kinks for {architecture}")


def central_difference(f: Callable[[Vector], Any], x: Vector, h: float = 1e-5) -> Vector:
    """(f(x + h u) − f(x − h u))/2h for every unit vector u, in the last axis; off by h² f‴/6 and ε f/h."""
    columns = []
    for place in range(x.size):
        ahead, behind = x.copy(), x.copy()
        ahead.flat[place] += h
        behind.flat[place] -= h
        columns.append((np.asarray(f(ahead)) - np.asarray(f(behind))) / (2 * h))
    return np.stack(columns, axis=-1)


def norm(array: Any) -> float:
    """The Euclidean norm of all numbers."""
    return float(np.linalg.norm(np.asarray(array, dtype=np.float64)))


class RoundingBounds:
    """First-order bounds on the norms of rounding errors, forward and backward, from the norms of the operands.

    Computing in precision u (half a unit in the last place is u = eps/2; eps is used, for a factor 2 of slack):

    - a product over k terms is off by at most k eps ‖A‖ ‖W‖, in any order of summation, plus ‖W‖ times the error of A;
    - an activation passes on errors of Z by at most its slope, and adds up to 16 eps of its own (elementary functions,
      a few operations, cancellation against numbers of size 1 or z);
    - its derivative changes with Z by at most its curvature, here bounded by 2 + 2 slope for every entry of the table;
    - ∂E/∂o changes with o by at most 1: so it is for the simplifying pairs, the squared, the Huber and (off its kink)
      the absolute error, but not for other pairs of output and loss.
    """

    def __init__(self, architecture: Architecture, w: Vector, X: Vector, T: Vector, precision: str) -> None:
        self.eps = eps = float(np.finfo(precision).eps)
        self.architecture = architecture
        self.views = architecture.views(w)
        self.forward = equations.trace(architecture, w, X)
        self.Z, _, self.A = self.forward
        self.rows = rows = X.shape[0]
        self.T = T = whole(architecture, T)
        self.slopes = [
            max(
                1.0,
                float(np.linalg.norm(layer.sigma.jacobian(A), axis=(1, 2)).max())
                if isinstance(layer.sigma, RowWise)
                else float(np.abs(layer.sigma.pullback(Z, A, np.ones_like(A))).max()),
            )
            for layer, Z, A in zip(architecture.layers, self.Z, self.A[1:], strict=True)
        ]
        self.A_errors, self.Z_errors = [eps * norm(X)], []
        for p, slope, A_in, A, Z in zip(self.views, self.slopes, self.A, self.A[1:], self.Z, strict=False):
            W = p["W"]
            size = norm(A_in) * norm(W) + np.sqrt(rows) * norm(p.get("b", 0.0))
            self.Z_errors.append(self.A_errors[-1] * norm(W) + (W.shape[0] + 2) * eps * size)
            self.A_errors.append(slope * self.Z_errors[-1] + 16 * eps * (norm(A) + norm(Z) + np.sqrt(A.size)))

    @property
    def outputs(self) -> float:
        """The bound on ‖O − exact O‖."""
        return self.A_errors[-1]

    @property
    def errors(self) -> float:
        """The bound on ‖e − exact e‖: e changes with O or Z by at most |o − t| or 1."""
        Z, O = self.Z[-1], self.A[-1]
        change = max(1.0, float(np.abs(O - self.T).max()))
        size = norm(O) ** 2 + norm(self.T) ** 2 + (1 + norm(self.T)) * (norm(Z) + np.sqrt(Z.size))
        return change * (self.A_errors[-1] + self.Z_errors[-1]) + 16 * self.eps * size

    def _back(self, delta: Vector, delta_error: float) -> tuple[list[float], list[float]]:
        """Bounds on the norms of δ_1 W_1ᵀ, δ_1, ..., δ_L and of their errors, given those of δ_L."""
        sizes, errors = [norm(delta)], [delta_error]
        for place in range(len(self.views) - 1, -1, -1):
            W = self.views[place]["W"]
            size = sizes[0] * norm(W)
            error = errors[0] * norm(W) + (W.shape[1] + 2) * self.eps * size
            if place > 0:
                slope = self.slopes[place - 1]
                error = slope * (error + 16 * self.eps * size) + (2 + 2 * slope) * size * self.Z_errors[place - 1]
                size *= slope
            sizes.insert(0, size)
            errors.insert(0, error)
        return sizes, errors

    def gradient(self, sample_share: Vector, l2_share: float = 0.0) -> float:
        """The bound on ‖g − exact g‖; row r counts sample_share[r], summing to 1."""
        O = self.A[-1]
        delta = sample_share[:, None] * equations.output_delta(self.architecture, self.forward, self.T)[0]
        slope, largest = self.slopes[-1], max(1.0, float(np.abs(O - self.T).max()))
        share = float(sample_share.max())
        delta_error = share * (
            slope * self.A_errors[-1]
            + (2 + 2 * slope) * largest * self.Z_errors[-1]
            + 16 * self.eps * slope * (norm(O) + norm(self.T))
        )
        sizes, errors = self._back(delta, delta_error)
        total = 0.0
        for place, p in enumerate(self.views):
            W, A, size, error = p["W"], self.A[place], sizes[place + 1], errors[place + 1]
            ones = np.sqrt(self.rows)  # db = 1ᵀ δ
            total += (norm(A) + ones) * error + self.A_errors[place] * size
            total += (self.rows + 4) * self.eps * (norm(A) + ones) * size + 4 * self.eps * l2_share * norm(W)
        return total

    def jacobian(self) -> float:
        """The bound on ‖J − exact J‖: one backward pass from a unit vector for every output."""
        slope, outputs = self.slopes[-1], self.architecture.outputs
        unit = np.full((self.rows, outputs), slope)
        delta_error = (2 + 2 * slope) * self.Z_errors[-1] + 16 * self.eps * slope * np.sqrt(unit.size)
        return float(outputs * self._back(unit, delta_error)[1][0])


def uniform_network(widths: tuple[int, ...], activation: str, output: str, loss: str, bias: bool) -> Architecture:
    """An architecture with the same activation in every hidden layer."""
    hidden = tuple(Dense(n, activation, bias=bias) for n in widths[1:-1])
    return Architecture(widths[0], (*hidden, Dense(widths[-1], output, bias=bias)), loss)


def drawn(*shape: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    """Normal numbers, the same for the same shape."""
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)
