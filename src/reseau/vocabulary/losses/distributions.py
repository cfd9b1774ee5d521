"""Losses of a whole distribution of each target: its mean and its scale are both predicted."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import inf, sqrt
from typing import ClassVar

import numpy as np

from reseau.arrays import Array, FloatArray, namespace
from reseau.formulas.trees import HALF, Cases, Expression, Odd, Symbol, Where, log
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations import Activation
from reseau.vocabulary.losses.loss import Loss, at_least_smallest, o, plain_number, t

_r, _beside, _before = Symbol("r"), Symbol("o", index=("j+1",)), Symbol("o", index=("j−1",))
_OF_MEAN, _OF_SCALE = ((_r, (t - o) / _beside),), ((_r, (t - _before) / o),)


class _LocationAndScale(Loss):
    """Two outputs for each target, m and s > 0, one beside the other; of r = (t − m)/s the error is f(r) + log s.

    The error of m is f(r), that of s is log s, and E is their sum: −log p of the target, without its constant.
    """

    @property
    def per_target(self) -> int:
        return 2

    @property
    def output(self) -> ActivationName:
        return "mean_scale"

    @property
    def needed(self) -> str:
        return "pairs of a mean and a scale above 0"

    def takes(self, sigma: Activation) -> bool:
        return sigma.has_scales

    @property
    @abstractmethod
    def _of_residual(self) -> tuple[Expression, Expression]:
        """The formulas of f(r) and f'(r)."""

    @abstractmethod
    def _f(self, r: Array) -> Array:
        """The error f(r)."""

    @abstractmethod
    def _slope(self, r: Array) -> Array:
        """Its derivative f'(r)."""

    @property
    def formula(self) -> Expression:
        f, _ = self._of_residual
        return Cases(((Where(f, _OF_MEAN), Odd("j")),), log(o))

    @property
    def derivative_formula(self) -> Expression:
        _, slope = self._of_residual
        return Cases(
            ((Where(-(slope / _beside), _OF_MEAN), Odd("j")),),
            Where((1 - _r * slope) / o, _OF_SCALE),
        )

    def _split(self, O: Array, T: Array) -> tuple[Array, Array]:
        """The residuals r and the scales, (rows, targets)."""
        s = at_least_smallest(O[:, 1::2])
        return (T[:, 0::2] - O[:, 0::2]) / s, s

    def _beside(self, of_means: Array, of_scales: Array) -> Array:
        xp = namespace(of_means)
        return xp.reshape(xp.stack([of_means, of_scales], axis=2), (of_means.shape[0], 2 * of_means.shape[1]))

    def value(self, O: Array, T: Array) -> Array:
        r, s = self._split(O, T)
        return self._beside(self._f(r), namespace(O).log(s))

    def derivative(self, O: Array, T: Array) -> Array:
        r, s = self._split(O, T)
        slope = self._slope(r)
        return self._beside(-slope / s, (1 - r * slope) / s)

    def least(self, T: Array) -> Array:
        """Nothing: a scale may be as small as it likes."""
        return namespace(T).zeros_like(T)

    def points(self, O: FloatArray) -> FloatArray:
        """The means."""
        return O[:, 0::2]

    def constants(self, T: FloatArray) -> FloatArray:
        """Medians, and beside each the spread of the middle half as that of a normal distribution."""
        low, middle, high = np.quantile(T[:, ::2], [0.25, 0.5, 0.75], axis=0)
        return np.stack([middle, (high - low) / 1.349], axis=1).ravel()


@dataclass(frozen=True)
class Gaussian(_LocationAndScale):
    """The loss of a normal distribution whose mean and standard deviation are predicted: E = ½ r² + log s."""

    name = "gaussian"
    words: ClassVar[Words] = Words("Gaussian loss", "erreur gaussienne")
    aliases: ClassVar[tuple[str, ...]] = ("gaussian_nll", "gaussian_nll_loss", "normal", "heteroscedastic")
    source = "Nix and Weigend 1994, 'Estimating the mean and variance of the target probability distribution'"

    @property
    def _of_residual(self) -> tuple[Expression, Expression]:
        return HALF * _r**2, _r

    @property
    def deviation(self) -> float:
        return 1.0

    def constants(self, T: FloatArray) -> FloatArray:
        """Means, and beside each the standard deviation."""
        return np.stack([T[:, ::2].mean(axis=0), T[:, ::2].std(axis=0)], axis=1).ravel()

    def _f(self, r: Array) -> Array:
        return 0.5 * r * r

    def _slope(self, r: Array) -> Array:
        return r


@dataclass(frozen=True)
class StudentT(_LocationAndScale):
    """The loss of Student's t distribution whose location and scale are predicted, robust against outliers.

    E = ½ (ν + 1) log(1 + r²/ν) + log s with r = (t − m)/s. Outputs are m and s of each target, one beside the other;
    `Dense(1)` stands for both of one target.

    Parameters
    ----------
    df : float
        ν > 0, the degrees of freedom: the fewer, the heavier the tails. For ν > 2 the standard deviation is
        s √(ν/(ν − 2)).

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Lange, Little, Taylor 1989, 'Robust statistical modeling using the t distribution'.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(1), loss=rs.StudentT(5), inputs=2)
    >>> net
    Network(Dense(2, 'mean_scale'), loss=StudentT(df=5.0), inputs=2, dtype='float32')
    """

    df: float = 4.0

    name = "student_t"
    words: ClassVar[Words] = Words("Student’s t loss", "erreur de Student")
    aliases: ClassVar[tuple[str, ...]] = ("studentt", "student", "student_t_nll")
    source = "Lange, Little, Taylor 1989, 'Robust statistical modeling using the t distribution'"

    def __post_init__(self) -> None:
        self._real("df", low=0, includes_low=False)

    @property
    def _of_residual(self) -> tuple[Expression, Expression]:
        nu = plain_number(self.df)
        return (nu + 1) / 2 * log(1 + _r**2 / nu), (nu + 1) * _r / (nu + _r**2)

    @property
    def deviation(self) -> float:
        return sqrt(self.df / (self.df - 2)) if self.df > 2 else inf

    def _f(self, r: Array) -> Array:
        return 0.5 * (self.df + 1) * namespace(r).log1p(r * r / self.df)

    def _slope(self, r: Array) -> Array:
        return (self.df + 1) * r / (self.df + r * r)
