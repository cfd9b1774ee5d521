"""Losses of classes: the cross-entropies, and those that count sure rows less."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.formulas.trees import Expression, Number, SumOver, Symbol, Where, exp, log
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations import Activation
from reseau.vocabulary.activations.functions import log_softmax, relu, sigmoid, softplus, softplus_of_minus_abs
from reseau.vocabulary.intervals import CLOSED_UNIT, POSITIVE, UNIT, Interval
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

_smoothed, _n = Symbol("t_smoothed", "t", label="j"), Symbol("n")


@dataclass(frozen=True)
class _OfClasses(Loss):
    """Targets are probabilities; with label smoothing ε each is drawn towards an even distribution over the classes."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        self._real("label_smoothing", low=0, high=1, includes_high=False)

    @property
    def targets(self) -> Interval:
        return CLOSED_UNIT

    def _classes(self, outputs: int) -> int:
        """Among how many the rest is shared out."""
        return outputs

    def for_kernels(self, outputs: int) -> tuple[float, ...]:
        return 1 - self.label_smoothing, self.label_smoothing / self._classes(outputs)

    def seen(self, T: Array) -> Array:
        """The targets as they are compared: (1 − ε) t + ε/n."""
        keep, add = self.for_kernels(T.shape[1])
        return keep * T + add if add else T

    @property
    def _t(self) -> Symbol:
        """The target as it is compared."""
        return _smoothed if self.label_smoothing else t

    @property
    def _n(self) -> tuple[Expression, tuple[tuple[Expression, Expression], ...]]:
        """Among how many the rest is shared out, and its definition."""
        return _n, ((_n, SumOver("i", Number(1), "o")),)

    def _where(self, formula: Expression) -> Expression:
        """A formula of such targets."""
        if not self.label_smoothing:
            return formula
        epsilon, (n, count) = plain_number(self.label_smoothing), self._n
        return Where(formula, (*count, (_smoothed, (1 - epsilon) * t + epsilon / n)))

    @property
    def delta_formula(self) -> Expression:
        return self._where(o - self._t)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """o − t, t with its smoothing."""
        return O - self.seen(T)

    def least(self, T: Array) -> Array:
        return self.value(self.seen(T), T)


@dataclass(frozen=True)
class BinaryCrossEntropy(_OfClasses):
    """The cross-entropy of two classes, or of several labels at once: e_j = −t log o − (1 − t) log(1 − o).

    Parameters
    ----------
    label_smoothing : float
        ε, 0 ≤ ε < 1: t = (1 − ε) o* + ½ ε instead of the target o* itself.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Bishop 1995, 'Neural networks for pattern recognition', chapter 6; Szegedy et al. 2016, 'Rethinking the Inception
    architecture for computer vision' (label smoothing).

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(1), loss=rs.BinaryCrossEntropy(label_smoothing=0.1), inputs=2)
    >>> net.layers[0].description.activation
    'sigmoid'
    """

    name = "binary_cross_entropy"
    words: ClassVar[Words] = Words("binary cross-entropy", "entropie croisée binaire")
    aliases: ClassVar[tuple[str, ...]] = ("bce", "bce_loss", "bce_with_logits", "bce_with_logits_loss", "log_loss")
    source = "Bishop 1995, 'Neural networks for pattern recognition', chapter 6"
    outputs = UNIT
    simplifies_with: ClassVar[ActivationName | None] = "sigmoid"
    is_entropy = True

    def _classes(self, outputs: int) -> int:
        return 2

    @property
    def _n(self) -> tuple[Expression, tuple[tuple[Expression, Expression], ...]]:
        return Number(2), ()

    def for_labels(self, one_of_many: bool) -> Loss:
        return CrossEntropy(self.label_smoothing) if one_of_many else self

    @property
    def formula(self) -> Expression:
        return self._where(-(self._t * log(o)) - (1 - self._t) * log(1 - o))

    @property
    def derivative_formula(self) -> Expression:
        return self._where((1 - self._t) / (1 - o) - self._t / o)

    @property
    def scores_formula(self) -> Expression:
        return self._where(log(1 + exp(z)) - self._t * z)

    def value(self, O: Array, T: Array) -> Array:
        T = self.seen(T)
        return -(T * log_of(O) + (1 - T) * log_of(1 - O))

    def derivative(self, O: Array, T: Array) -> Array:
        T = self.seen(T)
        return (1 - T) / at_least_smallest(1 - O) - T / at_least_smallest(O)

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        """log(1 + e^z) − t z, summed so that the small error of a right answer keeps its digits."""
        e = (relu(Z) - self.seen(T) * Z) + softplus_of_minus_abs(Z)
        return e if bounds == NO_BOUNDS else namespace(Z).clip(e, *bounds)


@dataclass(frozen=True)
class CrossEntropy(_OfClasses):
    """The cross-entropy of classes of which one is right: e_j = −t_j log o_j.

    Parameters
    ----------
    label_smoothing : float
        ε, 0 ≤ ε < 1: t_j = (1 − ε) o*_j + ε/n for n classes instead of the target o*_j itself, so that no output is
        driven to be sure.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Bridle 1990, 'Probabilistic interpretation of feedforward classification network outputs'; Szegedy et al. 2016,
    'Rethinking the Inception architecture for computer vision' (label smoothing).

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(3), loss=rs.CrossEntropy(label_smoothing=0.1), inputs=2)
    >>> net.errors([[0.0, 0.0]], [2]).shape
    (1, 3)
    """

    name = "cross_entropy"
    words: ClassVar[Words] = Words("cross-entropy", "entropie croisée")
    aliases: ClassVar[tuple[str, ...]] = (
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "cross_entropy_loss",
        "nll",
        "nll_loss",
        "log_loss",
    )
    source = "Bridle 1990, 'Probabilistic interpretation of feedforward classification network outputs'"
    outputs = POSITIVE
    simplifies_with: ClassVar[ActivationName | None] = "softmax"
    is_entropy = True
    distribution = True

    def of(self, sigma: Activation) -> Loss:
        of_logarithms = CrossEntropyOfLogarithms(self.label_smoothing)
        return of_logarithms if sigma.distribution == "logarithms" else self

    def for_labels(self, one_of_many: bool) -> Loss:
        return self if one_of_many else BinaryCrossEntropy(self.label_smoothing)

    @property
    def formula(self) -> Expression:
        return self._where(-(self._t * log(o)))

    @property
    def derivative_formula(self) -> Expression:
        return self._where(-(self._t / o))

    @property
    def scores_formula(self) -> Expression:
        return self._where(self._t * (log(SumOver("i", exp(z.at("i")), "z")) - z))

    def value(self, O: Array, T: Array) -> Array:
        return -self.seen(T) * log_of(O)

    def derivative(self, O: Array, T: Array) -> Array:
        return -self.seen(T) / at_least_smallest(O)

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        if bounds == NO_BOUNDS:
            return -self.seen(T) * log_softmax(Z)
        return self.seen(T) * namespace(Z).clip(-log_softmax(Z), *bounds)


@dataclass(frozen=True)
class CrossEntropyOfLogarithms(_OfClasses):
    """The cross-entropy of outputs that are the logarithms of a distribution."""

    name = "cross_entropy_of_logarithms"
    words: ClassVar[Words] = Words("cross-entropy", "entropie croisée")
    source = "as `cross_entropy`"
    outputs: ClassVar[Interval] = Interval(-inf, 0.0)
    is_entropy = True
    distribution = True

    @property
    def formula(self) -> Expression:
        return self._where(-(self._t * o))

    @property
    def derivative_formula(self) -> Expression:
        return self._where(-self._t)

    def value(self, O: Array, T: Array) -> Array:
        return -self.seen(T) * O

    def derivative(self, O: Array, T: Array) -> Array:
        return -self.seen(T)


@dataclass(frozen=True)
class _Focal(Loss):
    """Probabilities, of which those that are right and sure count less, by (1 − p)^γ."""

    gamma: float = 2.0

    def __post_init__(self) -> None:
        self._real("gamma", low=0)

    @property
    def targets(self) -> Interval:
        return CLOSED_UNIT

    def _weighed(self, rest: Expression, of: Expression) -> Expression:
        """(1 − p)^γ times something, with rest = 1 − p."""
        return to_power(rest, plain_number(self.gamma)) * of if self.gamma else of

    def _slope(self, p: Expression, rest: Expression) -> Expression:
        """The derivative of −(1 − p)^γ log p, with rest = 1 − p."""
        if not self.gamma:
            return -(1 / p)
        gamma, less = plain_number(self.gamma), plain_number(self.gamma, plus=-1)
        by_weight = gamma * to_power(rest, less) * log(p) if less.value else log(p)
        return by_weight - to_power(rest, gamma) / p

    def _parts(self, P: Array, rest: Array) -> Array:
        return -(rest**self.gamma) * log_of(P)

    def _slopes(self, P: Array, rest: Array) -> Array:
        power = rest**self.gamma
        return self.gamma * (power / at_least_smallest(rest)) * log_of(P) - power / at_least_smallest(P)


@dataclass(frozen=True)
class Focal(_Focal):
    """A cross-entropy in which rows that are right and sure count less: e_j = −t_j (1 − o_j)^γ log o_j.

    For classes of which some are rare: with γ = 2, a row whose class has probability 0.9 counts a hundredth.

    Parameters
    ----------
    gamma : float
        γ ≥ 0; with 0 it is the cross-entropy.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár 2017, 'Focal loss for dense object detection'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(3), loss=rs.Focal(1.5), inputs=2)
    Network(Dense(3, 'softmax'), loss=Focal(gamma=1.5), inputs=2, dtype='float32')
    """

    name = "focal"
    words: ClassVar[Words] = Words("focal loss", "erreur focale")
    aliases: ClassVar[tuple[str, ...]] = ("focal_loss", "categorical_focal_crossentropy")
    source = "Lin, Goyal, Girshick, He, Dollár 2017, 'Focal loss for dense object detection'"
    outputs = UNIT
    distribution = True

    @property
    def output(self) -> ActivationName:
        return "softmax"

    def of(self, sigma: Activation) -> Loss:
        return FocalOfLogarithms(self.gamma) if sigma.distribution == "logarithms" else self

    def for_labels(self, one_of_many: bool) -> Loss:
        return self if one_of_many else BinaryFocal(self.gamma)

    @property
    def formula(self) -> Expression:
        return -(t * self._weighed(1 - o, log(o)))

    @property
    def derivative_formula(self) -> Expression:
        return t * self._slope(o, 1 - o)

    def value(self, O: Array, T: Array) -> Array:
        return T * self._parts(O, 1 - O)

    def derivative(self, O: Array, T: Array) -> Array:
        return T * self._slopes(O, 1 - O)


@dataclass(frozen=True)
class FocalOfLogarithms(_Focal):
    """The focal loss of outputs that are the logarithms of a distribution."""

    name = "focal_of_logarithms"
    words: ClassVar[Words] = Words("focal loss", "erreur focale")
    source = "as `focal`"
    outputs: ClassVar[Interval] = Interval(-inf, 0.0)
    distribution = True

    @property
    def formula(self) -> Expression:
        return -(t * self._weighed(1 - exp(o), o))

    @property
    def derivative_formula(self) -> Expression:
        return t * self._slope(exp(o), 1 - exp(o)) * exp(o)

    def value(self, O: Array, T: Array) -> Array:
        return -T * (-namespace(O).expm1(O)) ** self.gamma * O

    def derivative(self, O: Array, T: Array) -> Array:
        xp = namespace(O)
        rest = -xp.expm1(O)
        power = rest**self.gamma
        return T * (self.gamma * (power / at_least_smallest(rest)) * (xp.exp(O) * O) - power)


@dataclass(frozen=True)
class BinaryFocal(_Focal):
    """The focal loss of two classes, or of several labels: e_j = −t (1 − o)^γ log o − (1 − t) o^γ log(1 − o).

    Parameters
    ----------
    gamma : float
        γ ≥ 0; with 0 it is the binary cross-entropy.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár 2017, 'Focal loss for dense object detection'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(1), loss=rs.BinaryFocal(1.5), inputs=2)
    Network(Dense(1, 'sigmoid'), loss=BinaryFocal(gamma=1.5), inputs=2, dtype='float32')
    """

    name = "binary_focal"
    words: ClassVar[Words] = Words("binary focal loss", "erreur focale binaire")
    aliases: ClassVar[tuple[str, ...]] = ("binary_focal_loss", "binary_focal_crossentropy", "sigmoid_focal_loss")
    source = "Lin, Goyal, Girshick, He, Dollár 2017, 'Focal loss for dense object detection'"
    outputs = UNIT
    simplifies_with: ClassVar[ActivationName | None] = "sigmoid"

    def for_labels(self, one_of_many: bool) -> Loss:
        return Focal(self.gamma) if one_of_many else self

    @property
    def formula(self) -> Expression:
        return -(t * self._weighed(1 - o, log(o))) - (1 - t) * self._weighed(o, log(1 - o))

    @property
    def derivative_formula(self) -> Expression:
        return t * self._slope(o, 1 - o) - (1 - t) * self._slope(1 - o, o)

    @property
    def scores_formula(self) -> Expression:
        one, zero, gamma = log(1 + exp(-z)), log(1 + exp(z)), plain_number(self.gamma)
        if not self.gamma:
            return t * one + (1 - t) * zero
        return t * one / to_power(1 + exp(z), gamma) + (1 - t) * zero / to_power(1 + exp(-z), gamma)

    def value(self, O: Array, T: Array) -> Array:
        return T * self._parts(O, 1 - O) + (1 - T) * self._parts(1 - O, O)

    def derivative(self, O: Array, T: Array) -> Array:
        return T * self._slopes(O, 1 - O) - (1 - T) * self._slopes(1 - O, O)

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        """With log o = −softplus(−z) and log(1 − o) = −softplus(z)."""
        xp, minus, plus = namespace(Z), softplus(-Z), softplus(Z)
        return T * xp.exp(-self.gamma * plus) * minus + (1 - T) * xp.exp(-self.gamma * minus) * plus

    @property
    def delta_formula(self) -> Expression:
        gamma = plain_number(self.gamma)
        one = gamma * o * log(o) - (1 - o) if self.gamma else -(1 - o)
        zero = o - gamma * (1 - o) * log(1 - o) if self.gamma else o
        return t * self._weighed(1 - o, one) + (1 - t) * self._weighed(o, zero)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """The same of ∂E/∂Z: t (1 − o)^γ (γ o log o − (1 − o)), and (1 − t) o^γ (o − γ (1 − o) log(1 − o))."""
        xp, minus, plus, rest = namespace(Z), softplus(-Z), softplus(Z), sigmoid(-Z)
        of_one = xp.exp(-self.gamma * plus) * (-self.gamma * O * minus - rest)
        of_zero = xp.exp(-self.gamma * minus) * (O + self.gamma * rest * plus)
        return T * of_one + (1 - T) * of_zero
