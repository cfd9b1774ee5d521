"""Losses of the residual alone: of numbers anywhere, whose errors depend on t − o."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log as log_of_number
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from reseau.arrays import Array, FloatArray, namespace
from reseau.checks import real, shown
from reseau.errors import ParameterError
from reseau.formulas.trees import (
    HALF,
    Cases,
    Condition,
    Expression,
    Number,
    Symbol,
    Where,
    absolute,
    exp,
    listed,
    log,
    sign,
    tanh,
)
from reseau.formulas.words import Same, Words
from reseau.names import ActivationName
from reseau.vocabulary.activations.functions import softplus_of_minus_abs
from reseau.vocabulary.losses.loss import NO_BOUNDS, Bounds, Loss, o, plain_number, t

_r = Symbol("r")
_RESIDUAL = ((_r, o - t),)
_UNDERSHOOT = ((_r, t - o),)


@dataclass(frozen=True)
class SquaredError(Loss):
    """The lecture's error, e_j = ½ (o*_j − o_j)²; its best outputs are means."""

    name = "squared_error"
    words: ClassVar[Words] = Words("squared error", "erreur quadratique")
    aliases: ClassVar[tuple[str, ...]] = ("mse", "mean_squared_error", "mse_loss", "l2", "l2_loss", "sse")
    source = "Rumelhart, Hinton, Williams 1986, 'Learning representations by back-propagating errors'"
    formula = HALF * (t - o) ** 2
    derivative_formula = o - t
    simplifies_with: ClassVar[ActivationName | None] = "identity"
    scikit_learn_averages = True

    def value(self, O: Array, T: Array) -> Array:
        return 0.5 * (T - O) * (T - O)

    def derivative(self, O: Array, T: Array) -> Array:
        return O - T

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        return self.value(Z, T)


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """The error e_j = |o*_j − o_j|, whose best outputs are medians."""

    name = "absolute_error"
    words: ClassVar[Words] = Words("absolute error", "erreur absolue")
    aliases: ClassVar[tuple[str, ...]] = ("mae", "mean_absolute_error", "l1", "l1_loss", "sae")
    source = "Koenker and Bassett 1978, 'Regression quantiles': that of the median, doubled"
    formula = absolute(t - o)
    derivative_formula = sign(o - t)

    def value(self, O: Array, T: Array) -> Array:
        return namespace(O).abs(T - O)

    def derivative(self, O: Array, T: Array) -> Array:
        return namespace(O).sign(O - T)


@dataclass(frozen=True)
class Huber(Loss):
    """Squared for small residuals, absolute for large ones, so that outliers move it less.

    e_j = ½ r² for |r| ≤ δ, else δ (|r| − ½ δ), with the residual r = o_j − o*_j.

    Parameters
    ----------
    delta : float
        δ > 0, in the units of the targets: from where on a residual counts as an outlier.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Huber 1964, 'Robust estimation of a location parameter'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(1), loss=rs.Huber(1.5), inputs=2)
    Network(Dense(1, 'identity'), loss=Huber(delta=1.5), inputs=2, dtype='float32')
    """

    delta: float = 1.0

    name = "huber"
    words: ClassVar[Words] = Words("Huber loss", "erreur de Huber")
    aliases: ClassVar[tuple[str, ...]] = ("huber_loss", "smooth_l1", "smooth_l1_loss")
    source = "Huber 1964, 'Robust estimation of a location parameter'"

    def __post_init__(self) -> None:
        self._real("delta", low=0, includes_low=False)

    @property
    def _small(self) -> Condition:
        return Condition(absolute(_r), "≤", plain_number(self.delta))

    @property
    def formula(self) -> Expression:
        d = plain_number(self.delta)
        large = absolute(_r) - HALF if self.delta == 1 else d * (absolute(_r) - HALF * d)
        return Where(Cases(((HALF * _r**2, self._small),), large), _RESIDUAL)

    @property
    def derivative_formula(self) -> Expression:
        large = sign(_r) if self.delta == 1 else plain_number(self.delta) * sign(_r)
        return Where(Cases(((_r, self._small),), large), _RESIDUAL)

    def value(self, O: Array, T: Array) -> Array:
        xp = namespace(O)
        r = xp.abs(O - T)
        return xp.where(r <= self.delta, 0.5 * r * r, self.delta * (r - 0.5 * self.delta))

    def derivative(self, O: Array, T: Array) -> Array:
        return namespace(O).clip(O - T, -self.delta, self.delta)


@dataclass(frozen=True)
class LogCosh(Loss):
    """The error e_j = log cosh(o_j − o*_j), a smooth relative of Huber's: ½ r² near 0, |r| − log 2 far out."""

    name = "log_cosh"
    words: ClassVar[Words] = Same("log-cosh")
    aliases: ClassVar[tuple[str, ...]] = ("logcosh", "log_cosh_loss")
    source = "Green 1990, 'Bayesian reconstructions from emission tomography data using a modified EM algorithm'"
    formula = Where(log((exp(_r) + exp(-_r)) / 2), _RESIDUAL)
    derivative_formula = tanh(o - t)

    def value(self, O: Array, T: Array) -> Array:
        """As −½ log(1 − tanh² r) up to |r| = 1, which keeps the digits of a small one."""
        xp = namespace(O)
        r = xp.abs(O - T)
        slope = xp.tanh(xp.clip(r, None, 1.0))
        return xp.where(r <= 1, -0.5 * xp.log1p(-slope * slope), r + (softplus_of_minus_abs(2 * r) - log_of_number(2)))

    def derivative(self, O: Array, T: Array) -> Array:
        return namespace(O).tanh(O - T)


@dataclass(frozen=True)
class Quantile(Loss):
    """The pinball loss, whose best outputs are quantiles: several at once, which never cross.

    e_j = τ_j r for r ≥ 0, else (τ_j − 1) r, with r = o*_j − o_j: of the level τ = 0.9 an output that is too low counts
    nine times as much as one that is too high. With several levels the last layer has a neuron for each, `Dense(1)`
    stands for them, and where it is given no activation it has "increasing", so that predictions (rows, levels)
    ascend along each row. E is the sum over the levels.

    Parameters
    ----------
    levels : float or sequence of float
        τ, each above 0 and below 1, ascending. Several of them are of one target, y of shape (rows,) or (rows, 1).

    Raises
    ------
    ParameterError
        For no levels, one out of range, or levels that do not ascend.

    References
    ----------
    Koenker and Bassett 1978, 'Regression quantiles'.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(32, "tanh"), rs.Dense(1), loss=rs.Quantile([0.1, 0.5, 0.9]), seed=0)
    >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=2)
    >>> net(X).shape
    (64, 3)
    >>> bool((np.diff(net(X), axis=1) >= 0).all())
    True
    """

    levels: float | tuple[float, ...] = 0.5

    name = "quantile"
    words: ClassVar[Words] = Words("quantile loss", "erreur de quantile")
    aliases: ClassVar[tuple[str, ...]] = ("pinball", "pinball_loss", "quantile_loss", "quantile_error")
    source = "Koenker and Bassett 1978, 'Regression quantiles'"

    def __post_init__(self) -> None:
        levels: Any = self.levels
        if isinstance(levels, np.ndarray):
            levels = levels.tolist()
        if isinstance(levels, Real):
            checked: Any = real("levels", levels, low=0, high=1, includes_low=False, includes_high=False)
        else:
            if not isinstance(levels, list | tuple) or not levels:
                raise ParameterError(
                    f"levels is {shown(levels)}, but must be a number above 0 and below 1, such as 0.5, or several, "
                    "such as [0.1, 0.5, 0.9]."
                )
            checked = tuple(
                real(f"levels[{i}]", tau, low=0, high=1, includes_low=False, includes_high=False)
                for i, tau in enumerate(levels)
            )
            for i, (low, high) in enumerate(pairwise(checked), start=1):
                if low >= high:
                    raise ParameterError(
                        f"levels[{i}] is {high:g} after {low:g}, but levels must ascend: predictions stand in their "
                        f"order; give levels={sorted(set(checked))}."
                    )
        object.__setattr__(self, "levels", checked)

    @property
    def _levels(self) -> tuple[float, ...]:
        return self.levels if isinstance(self.levels, tuple) else (self.levels,)

    def constants(self, T: FloatArray) -> FloatArray:
        """The quantiles."""
        levels = np.resize(self._levels, T.shape[1])
        return np.array([np.quantile(t, tau) for t, tau in zip(T.T, levels, strict=True)])

    def points(self, O: FloatArray) -> FloatArray:
        """Of several quantiles that nearest to the median; the mean of two on either side of it that are as near."""
        if self.per_target == 1:
            return O
        off = np.abs(np.array(self._levels) - 0.5)
        middle: FloatArray = O[:, off <= off.min() + 1e-9].mean(axis=1, keepdims=True)
        return middle

    @property
    def per_target(self) -> int:
        return len(self._levels)

    @property
    def output(self) -> ActivationName:
        return "increasing" if self.per_target > 1 else "identity"

    def check_outputs(self, n: int) -> None:
        if self.per_target not in (1, n):
            raise ParameterError(
                f"loss={self.shown} has {self.per_target} levels of one target, but the last layer has {n} neurons; "
                f"give it {self.per_target}, or 1, which stands for them, and a network of its own to each target."
            )

    def for_kernels(self, outputs: int) -> tuple[float, ...]:
        return self._levels * (outputs // self.per_target)

    @property
    def _tau(self) -> tuple[Expression, tuple[tuple[Expression, Expression], ...]]:
        """The level of an output, and its definition."""
        if self.per_target == 1:
            return plain_number(self._levels[0]), ()
        return Symbol("τ", index=("j",)), ((Symbol("τ"), listed(*map(plain_number, self._levels))),)

    @property
    def formula(self) -> Expression:
        tau, definition = self._tau
        return Where(Cases(((tau * _r, Condition(_r, "≥", Number(0))),), (tau - 1) * _r), (*_UNDERSHOOT, *definition))

    @property
    def derivative_formula(self) -> Expression:
        tau, definition = self._tau
        below, above = Condition(_r, ">", Number(0)), Condition(_r, "<", Number(0))
        return Where(Cases(((-tau, below), (1 - tau, above)), Number(0)), (*_UNDERSHOOT, *definition))

    def _row(self, O: Array) -> Array:
        return namespace(O).asarray(self.for_kernels(O.shape[1]), dtype=O.dtype)

    def value(self, O: Array, T: Array) -> Array:
        tau, r = self._row(O), T - O
        return namespace(O).where(r >= 0, tau * r, (tau - 1) * r)

    def derivative(self, O: Array, T: Array) -> Array:
        tau, r, xp = self._row(O), T - O, namespace(O)
        return xp.where(r > 0, -tau, xp.where(r < 0, 1 - tau, r))
