"""Losses of counts and of amounts above zero: of means o > 0, which the exponential of a score gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import log as log_of_number
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.formulas.trees import Expression, Number, exp, log
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations.functions import sigmoid, softplus
from reseau.vocabulary.intervals import NON_NEGATIVE, POSITIVE, Interval
from reseau.vocabulary.losses.loss import (
    NO_BOUNDS,
    Bounds,
    Loss,
    at_least_smallest,
    log_of,
    o,
    plain_number,
    t,
    to_power,
    z,
)


@dataclass(frozen=True)
class Poisson(Loss):
    """The loss of counts: e_j = o_j − o*_j log o_j."""

    name = "poisson"
    words: ClassVar[Words] = Words("Poisson loss", "erreur de Poisson")
    aliases: ClassVar[tuple[str, ...]] = ("poisson_nll", "poisson_nll_loss")
    source = "Nelder and Wedderburn 1972, 'Generalized linear models'"
    formula = o - t * log(o)
    derivative_formula = 1 - t / o
    scores_formula = exp(z) - t * z
    outputs = POSITIVE
    targets = NON_NEGATIVE
    simplifies_with: ClassVar[ActivationName | None] = "exponential"

    def value(self, O: Array, T: Array) -> Array:
        return O - T * log_of(O)

    def derivative(self, O: Array, T: Array) -> Array:
        return 1 - T / at_least_smallest(O)

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        return namespace(Z).exp(Z) - T * Z


@dataclass(frozen=True)
class Gamma(Loss):
    """The loss of amounts above zero whose spread grows with their mean: e_j = log o_j + o*_j/o_j."""

    name = "gamma"
    words: ClassVar[Words] = Words("gamma loss", "erreur gamma")
    aliases: ClassVar[tuple[str, ...]] = ("gamma_loss", "gamma_deviance", "gamma_nll")
    source = "Nelder and Wedderburn 1972, 'Generalized linear models'"
    formula = log(o) + t / o
    derivative_formula = 1 / o - t / o / o
    outputs = POSITIVE
    targets = POSITIVE
    simplifies_with: ClassVar[ActivationName | None] = "exponential"
    delta_formula = 1 - t / o
    scores_formula = z + t * exp(-z)

    def value(self, O: Array, T: Array) -> Array:
        return log_of(O) + T / at_least_smallest(O)

    def derivative(self, O: Array, T: Array) -> Array:
        O = at_least_smallest(O)
        return (1 - T / O) / O

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        return Z + T * namespace(Z).exp(-Z)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """1 − t/o."""
        return 1 - T * namespace(Z).exp(-Z)


@dataclass(frozen=True)
class Tweedie(Loss):
    """The loss of amounts of which many are exactly zero, as claims of the insured are.

    e_j = o^(2−p)/(2 − p) − t o^(1−p)/(1 − p), half the deviance without what the targets alone give. For p = 1 it is
    Poisson's, o − t log o, and for p = 2 that of the gamma distribution, log o + t/o; the variance is as the mean to
    the power p.

    Parameters
    ----------
    power : float
        p, 1 ≤ p ≤ 3. Targets are at least 0 for p < 2, and above it from there on.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Tweedie 1984, 'An index which distinguishes between some important exponential families'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(1), loss=rs.Tweedie(1.7), inputs=2)
    Network(Dense(1, 'exponential'), loss=Tweedie(power=1.7), inputs=2, dtype='float32')
    """

    power: float = 1.5

    name = "tweedie"
    words: ClassVar[Words] = Words("Tweedie loss", "erreur de Tweedie")
    aliases: ClassVar[tuple[str, ...]] = ("tweedie_loss", "tweedie_deviance")
    source = "Tweedie 1984, 'An index which distinguishes between some important exponential families'"
    outputs = POSITIVE
    simplifies_with: ClassVar[ActivationName | None] = "exponential"

    def __post_init__(self) -> None:
        self._real("power", low=1, high=3)

    @property
    def targets(self) -> Interval:
        return NON_NEGATIVE if self.power < 2 else POSITIVE

    def for_kernels(self, outputs: int) -> tuple[float, ...]:
        return 2 - self.power, 1 - self.power

    @property
    def formula(self) -> Expression:
        first, second = plain_number(-self.power, plus=2), plain_number(-self.power, plus=1)

        def integral(q: Number) -> Expression:
            """o^q/|q|."""
            size = q if q.value > 0 else Number(-q.value)
            return to_power(o, q) if size.value == 1 else to_power(o, q) / size

        of_mean = log(o) if first.value == 0 else integral(first) if first.value > 0 else -integral(first)
        return of_mean + t * integral(second) if second.value else of_mean - t * log(o)

    @property
    def derivative_formula(self) -> Expression:
        slope = o ** plain_number(-self.power, plus=1) if self.power != 1 else Number(1)
        return slope - t * to_power(o, plain_number(-self.power))

    @property
    def scores_formula(self) -> Expression:
        def integral(q: Number) -> Expression:
            """e^(q z)/q."""
            scaled = z if q.value == 1 else -z if q.value == -1 else q * z
            return exp(scaled) if q.value == 1 else exp(scaled) / q

        first, second = plain_number(-self.power, plus=2), plain_number(-self.power, plus=1)
        return (integral(first) if first.value else z) - t * (integral(second) if second.value else z)

    def _of_logarithms(self, Z: Array, T: Array) -> Array:
        """Of the logarithm of o; o^q/q becomes log o for q = 0."""
        xp = namespace(Z)
        first, second = (xp.exp(q * Z) / q if q else Z for q in self.for_kernels(1))
        return first - T * second

    def value(self, O: Array, T: Array) -> Array:
        return self._of_logarithms(log_of(O), T)

    def derivative(self, O: Array, T: Array) -> Array:
        xp, Z = namespace(O), log_of(O)
        return xp.exp((1 - self.power) * Z) - T * xp.exp(-self.power * Z)

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        return self._of_logarithms(Z, T)

    @property
    def delta_formula(self) -> Expression:
        first, second = plain_number(-self.power, plus=2), plain_number(-self.power, plus=1)
        return (to_power(o, first) if first.value else Number(1)) - (t * to_power(o, second) if second.value else t)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """o^(2−p) − t o^(1−p)."""
        xp, (p, q) = namespace(Z), self.for_kernels(1)
        return xp.exp(p * Z) - T * xp.exp(q * Z)


@dataclass(frozen=True)
class NegativeBinomial(Loss):
    """The loss of counts that spread more than Poisson's, with the variance o + α o².

    e_j = (t + 1/α) log(1 + α o) − t log o.

    Parameters
    ----------
    dispersion : float
        α > 0; for α → 0 it would be Poisson's loss.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Lawless 1987, 'Negative binomial and mixed Poisson regression'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(1), loss=rs.NegativeBinomial(0.5), inputs=2)
    Network(Dense(1, 'exponential'), loss=NegativeBinomial(dispersion=0.5), inputs=2, dtype='float32')
    """

    dispersion: float = 1.0

    name = "negative_binomial"
    words: ClassVar[Words] = Words("negative binomial loss", "erreur binomiale négative")
    aliases: ClassVar[tuple[str, ...]] = ("nbinom", "nb2", "negative_binomial_nll")
    source = "Lawless 1987, 'Negative binomial and mixed Poisson regression'"
    outputs = POSITIVE
    targets = NON_NEGATIVE
    simplifies_with: ClassVar[ActivationName | None] = "exponential"

    def __post_init__(self) -> None:
        self._real("dispersion", low=0, includes_low=False)

    def for_kernels(self, outputs: int) -> tuple[float, ...]:
        return self.dispersion, log_of_number(self.dispersion)

    @property
    def formula(self) -> Expression:
        alpha = plain_number(self.dispersion)
        return (t + 1 / alpha) * log(1 + alpha * o) - t * log(o)

    @property
    def derivative_formula(self) -> Expression:
        return (1 - t / o) / (1 + plain_number(self.dispersion) * o)

    def value(self, O: Array, T: Array) -> Array:
        return (T + 1 / self.dispersion) * namespace(O).log1p(self.dispersion * O) - T * log_of(O)

    def derivative(self, O: Array, T: Array) -> Array:
        return (1 - T / at_least_smallest(O)) / (1 + self.dispersion * O)

    @property
    def scores_formula(self) -> Expression:
        alpha = plain_number(self.dispersion)
        return (t + 1 / alpha) * log(1 + alpha * exp(z)) - t * z

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        return (T + 1 / self.dispersion) * softplus(Z + log_of_number(self.dispersion)) - T * Z

    @property
    def delta_formula(self) -> Expression:
        return (o - t) / (1 + plain_number(self.dispersion) * o)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """(o − t)/(1 + α o), as φ(u)/α − t φ(−u) with u = z + log α."""
        u = Z + log_of_number(self.dispersion)
        return sigmoid(u) / self.dispersion - T * sigmoid(-u)
