"""The table of losses: e_j, the error of output neuron j, from the output o and the target t (the lecture's o*).

The error of a sample is E = Σ_j e_j, and a batch averages E over its rows. Each entry has the error, its derivative
∂e/∂o, the outputs and the targets it is defined for, and the one activation it *simplifies with*: with that
activation in the output layer ∂E/∂Z = o − t exactly, and the error is computed from the raw scores Z, so that a
saturated output loses nothing.

The functions take array-API arrays O and T of shape (rows, outputs) and return the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from reseau.activations import CLOSED_UNIT, EVERYWHERE, NON_NEGATIVE, POSITIVE, UNIT, Activation, Interval
from reseau.activations.functions import log_softmax, relu, softplus_of_minus_abs
from reseau.arrays import Array, namespace
from reseau.formula import HALF, Cases, Condition, Expression, Number, Symbol, Where, absolute, log, sign
from reseau.typesetting import Words


@dataclass(frozen=True)
class Loss:
    """One entry of the table.

    Attributes
    ----------
    name : str
        The name users write.
    words : Words
        What it is called, in each language.
    formula, derivative_formula : Expression
        e_j and ∂e_j/∂o_j, of the outputs `o` and the targets `t` of a row, and the place `j`.
    outputs, targets : Interval
        Where o and t must lie.
    value, derivative : callable
        (O, T) -> e and ∂e/∂O.
    simplifies_with : str
        The activation with which ∂E/∂Z = o − t.
    value_from_scores : callable
        (Z, T) -> e, for that activation.
    is_entropy : bool
        Whether it is a cross-entropy, whose errors are logarithms of probabilities and can be kept within bounds.
    distribution : bool
        Whether rows of outputs and of targets are distributions over classes, Σ_j o_j = Σ_j t_j = 1, without which it
        has no minimum; integer labels then stand for one-hot rows.
    of_logarithms : Loss or None
        The same error of outputs that are the logarithms of such a distribution.
    """

    name: str
    words: Words
    formula: Expression
    derivative_formula: Expression
    outputs: Interval
    targets: Interval
    value: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]
    simplifies_with: str | None = None
    value_from_scores: Callable[[Array, Array], Array] | None = None
    is_entropy: bool = False
    distribution: bool = False
    of_logarithms: Loss | None = None

    def takes(self, sigma: Activation) -> bool:
        """Whether it is defined for the outputs of an activation."""
        return sigma.distribution is not None if self.distribution else self.outputs.contains(sigma.range)

    def of(self, sigma: Activation) -> Loss:
        """The loss as it is for the outputs of an activation that it takes."""
        return self.of_logarithms if self.of_logarithms and sigma.distribution == "logarithms" else self


Bounds = tuple[float, float]
NO_BOUNDS: Bounds = (-inf, inf)


def smallest(O: Array) -> float:
    """The smallest normal number of O's type: what a probability that has underflowed to 0 is taken for."""
    return float(namespace(O).finfo(O.dtype).smallest_normal)


def _log(O: Array) -> Array:
    xp = namespace(O)
    return xp.log(xp.clip(O, smallest(O), None))


def _squared_error(O: Array, T: Array) -> Array:
    return 0.5 * (T - O) * (T - O)


def _huber(O: Array, T: Array) -> Array:
    xp = namespace(O)
    r = xp.abs(O - T)
    return xp.where(r <= 1, 0.5 * r * r, r - 0.5)


def _binary_cross_entropy(O: Array, T: Array) -> Array:
    return -(T * _log(O) + (1 - T) * _log(1 - O))


def _binary_cross_entropy_derivative(O: Array, T: Array) -> Array:
    xp, tiny = namespace(O), smallest(O)
    return (1 - T) / xp.clip(1 - O, tiny, None) - T / xp.clip(O, tiny, None)


def _cross_entropy_derivative(O: Array, T: Array) -> Array:
    return -T / namespace(O).clip(O, smallest(O), None)


o, t = (
    Symbol("o", index=("j",)),
    Symbol("t", "o", index=("j",), mark="*"),
)  # of neuron j; the target as the lecture's o*
_r = Symbol("r")
_SMALL = Condition(absolute(_r), "≤", Number(1))
_RESIDUAL = ((_r, o - t),)

_ENTRIES: tuple[Loss, ...] = (
    Loss(
        "squared_error",
        Words("squared error", "erreur quadratique"),
        HALF * (t - o) ** 2,
        o - t,
        EVERYWHERE,
        EVERYWHERE,
        _squared_error,
        lambda O, T: O - T,
        simplifies_with="identity",
        value_from_scores=_squared_error,
    ),
    Loss(
        "absolute_error",
        Words("absolute error", "erreur absolue"),
        absolute(t - o),
        sign(o - t),
        EVERYWHERE,
        EVERYWHERE,
        lambda O, T: namespace(O).abs(T - O),
        lambda O, T: namespace(O).sign(O - T),
    ),
    Loss(
        "huber",
        Words("Huber loss", "erreur de Huber"),
        Where(Cases(((HALF * _r**2, _SMALL),), absolute(_r) - HALF), _RESIDUAL),
        Where(Cases(((_r, _SMALL),), sign(_r)), _RESIDUAL),
        EVERYWHERE,
        EVERYWHERE,
        _huber,
        lambda O, T: namespace(O).clip(O - T, -1.0, 1.0),
    ),
    Loss(
        "binary_cross_entropy",
        Words("binary cross-entropy", "entropie croisée binaire"),
        -(t * log(o)) - (1 - t) * log(1 - o),
        (1 - t) / (1 - o) - t / o,
        UNIT,
        CLOSED_UNIT,
        _binary_cross_entropy,
        _binary_cross_entropy_derivative,
        simplifies_with="sigmoid",
        # log(1 + e^z) − t z, summed so that the small error of a right answer keeps its digits.
        value_from_scores=lambda Z, T: (relu(Z) - T * Z) + softplus_of_minus_abs(Z),
        is_entropy=True,
    ),
    Loss(
        "cross_entropy",
        Words("cross-entropy", "entropie croisée"),
        -(t * log(o)),
        -(t / o),
        POSITIVE,
        CLOSED_UNIT,
        lambda O, T: -T * _log(O),
        _cross_entropy_derivative,
        simplifies_with="softmax",
        value_from_scores=lambda Z, T: -T * log_softmax(Z),
        is_entropy=True,
        distribution=True,
        of_logarithms=Loss(
            "cross_entropy_of_logarithms",
            Words("cross-entropy", "entropie croisée"),
            -(t * o),
            -t,
            Interval(-inf, 0.0),
            CLOSED_UNIT,
            lambda O, T: -T * O,
            lambda O, T: -T,
            is_entropy=True,
            distribution=True,
        ),
    ),
    Loss(
        "poisson",
        Words("Poisson loss", "erreur de Poisson"),
        o - t * log(o),
        1 - t / o,
        POSITIVE,
        NON_NEGATIVE,
        lambda O, T: O - T * _log(O),
        lambda O, T: 1 - T / namespace(O).clip(O, smallest(O), None),
        simplifies_with="exponential",
        value_from_scores=lambda Z, T: namespace(Z).exp(Z) - T * Z,
    ),
)

LOSSES: dict[str, Loss] = {entry.name: entry for entry in _ENTRIES}
"""Every loss by its name."""
