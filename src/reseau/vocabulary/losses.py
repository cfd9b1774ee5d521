"""The table of losses: e_j, the error of output neuron j, from the output o and the target t (the lecture's o*).

The error of a sample is E = Σ_j e_j, and a batch averages E over its rows. Each entry has the error, its derivative
∂e/∂o, the outputs and the targets it is defined for, and the one activation it *simplifies with*: with that
activation in the output layer ∂E/∂Z = o − t exactly, and the error is computed from the raw scores Z, so that a
saturated output loses nothing.

The functions take array-API arrays O and T of shape (rows, outputs) and return the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import Any, ClassVar

from reseau.arrays import Array, namespace
from reseau.formulas.fractions import each, floats, rational
from reseau.formulas.trees import HALF, Cases, Condition, Expression, Number, Symbol, Where, absolute, log, sign
from reseau.formulas.words import Words
from reseau.vocabulary.activations import ACTIVATIONS, Activation
from reseau.vocabulary.activations.functions import log_softmax, relu, softplus_of_minus_abs
from reseau.vocabulary.intervals import CLOSED_UNIT, EVERYWHERE, NON_NEGATIVE, POSITIVE, UNIT, Interval


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One entry of the table.

    Attributes
    ----------
    name : str
        The name users write.
    words : Words
        What it is called, in each language.
    source : str
        Where it comes from.
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
    scikit_learn_averages : bool
        Whether scikit-learn reports its mean over several outputs, where ours is the sum.
    aliases : tuple of str
        What other libraries call it, for those who ask for it so.
    """

    name: str
    words: Words
    source: str
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
    scikit_learn_averages: bool = False
    aliases: tuple[str, ...] = ()
    own: ClassVar[bool] = False  # whether a Python function computes it, see own_loss.py

    def takes(self, sigma: Activation) -> bool:
        """Whether it is defined for the outputs of an activation."""
        return sigma.distribution is not None if self.distribution else self.outputs.contains(sigma.range)

    def of(self, sigma: Activation) -> Loss:
        """The loss as it is for the outputs of an activation that it takes."""
        return self.of_logarithms if self.of_logarithms and sigma.distribution == "logarithms" else self

    def on_fractions(self) -> Loss:
        """The same loss for arrays of fractions, computed by its formulas."""

        def value(O: Array, T: Array) -> Array:
            def one(o: Any, t: Any) -> Any:
                otherwise = lambda: self.value(floats([[o]]), floats([[t]]))  # noqa: E731
                return rational(self.formula, {"o": [o], "t": [t], "j": 0}, otherwise)

            return each(one, O, T)

        def derivative(O: Array, T: Array) -> Array:
            def one(o: Any, t: Any) -> Any:
                otherwise = lambda: self.derivative(floats([[o]]), floats([[t]]))  # noqa: E731
                return rational(self.derivative_formula, {"o": [o], "t": [t], "j": 0}, otherwise)

            return each(one, O, T)

        if self.simplifies_with is None or self.value_from_scores is None:
            return replace(self, value=value, derivative=derivative)
        sigma, of_floats = ACTIVATIONS[self.simplifies_with].on_fractions(), self.value_from_scores

        def value_from_scores(Z: Array, T: Array) -> Array:
            e = value(sigma.value(Z), T)
            return each(lambda x, y: x if isinstance(x, Fraction) else float(y), e, of_floats(floats(Z), floats(T)))

        return replace(self, value=value, derivative=derivative, value_from_scores=value_from_scores)


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
        name="squared_error",
        words=Words("squared error", "erreur quadratique"),
        aliases=("mse", "mean_squared_error", "mse_loss", "l2", "l2_loss", "sse"),
        source="Rumelhart, Hinton, Williams 1986, 'Learning representations by back-propagating errors'",
        formula=HALF * (t - o) ** 2,
        derivative_formula=o - t,
        outputs=EVERYWHERE,
        targets=EVERYWHERE,
        value=_squared_error,
        derivative=lambda O, T: O - T,
        simplifies_with="identity",
        value_from_scores=_squared_error,
        scikit_learn_averages=True,
    ),
    Loss(
        name="absolute_error",
        words=Words("absolute error", "erreur absolue"),
        aliases=("mae", "mean_absolute_error", "l1", "l1_loss", "sae"),
        source="Koenker and Bassett 1978, 'Regression quantiles': that of the median, doubled",
        formula=absolute(t - o),
        derivative_formula=sign(o - t),
        outputs=EVERYWHERE,
        targets=EVERYWHERE,
        value=lambda O, T: namespace(O).abs(T - O),
        derivative=lambda O, T: namespace(O).sign(O - T),
    ),
    Loss(
        name="huber",
        words=Words("Huber loss", "erreur de Huber"),
        aliases=("huber_loss", "smooth_l1", "smooth_l1_loss"),
        source="Huber 1964, 'Robust estimation of a location parameter', with its bound at 1",
        formula=Where(Cases(((HALF * _r**2, _SMALL),), absolute(_r) - HALF), _RESIDUAL),
        derivative_formula=Where(Cases(((_r, _SMALL),), sign(_r)), _RESIDUAL),
        outputs=EVERYWHERE,
        targets=EVERYWHERE,
        value=_huber,
        derivative=lambda O, T: namespace(O).clip(O - T, -1.0, 1.0),
    ),
    Loss(
        name="binary_cross_entropy",
        words=Words("binary cross-entropy", "entropie croisée binaire"),
        aliases=("bce", "bce_loss", "bce_with_logits", "bce_with_logits_loss", "log_loss"),
        source="Bishop 1995, 'Neural networks for pattern recognition', chapter 6",
        formula=-(t * log(o)) - (1 - t) * log(1 - o),
        derivative_formula=(1 - t) / (1 - o) - t / o,
        outputs=UNIT,
        targets=CLOSED_UNIT,
        value=_binary_cross_entropy,
        derivative=_binary_cross_entropy_derivative,
        simplifies_with="sigmoid",
        # log(1 + e^z) − t z, summed so that the small error of a right answer keeps its digits.
        value_from_scores=lambda Z, T: (relu(Z) - T * Z) + softplus_of_minus_abs(Z),
        is_entropy=True,
    ),
    Loss(
        name="cross_entropy",
        words=Words("cross-entropy", "entropie croisée"),
        aliases=(
            "categorical_crossentropy",
            "sparse_categorical_crossentropy",
            "cross_entropy_loss",
            "nll",
            "nll_loss",
            "log_loss",
        ),
        source="Bridle 1990, 'Probabilistic interpretation of feedforward classification network outputs'",
        formula=-(t * log(o)),
        derivative_formula=-(t / o),
        outputs=POSITIVE,
        targets=CLOSED_UNIT,
        value=lambda O, T: -T * _log(O),
        derivative=_cross_entropy_derivative,
        simplifies_with="softmax",
        value_from_scores=lambda Z, T: -T * log_softmax(Z),
        is_entropy=True,
        distribution=True,
        of_logarithms=Loss(
            name="cross_entropy_of_logarithms",
            words=Words("cross-entropy", "entropie croisée"),
            source="as `cross_entropy`",
            formula=-(t * o),
            derivative_formula=-t,
            outputs=Interval(-inf, 0.0),
            targets=CLOSED_UNIT,
            value=lambda O, T: -T * O,
            derivative=lambda O, T: -T,
            is_entropy=True,
            distribution=True,
        ),
    ),
    Loss(
        name="poisson",
        words=Words("Poisson loss", "erreur de Poisson"),
        aliases=("poisson_nll", "poisson_nll_loss"),
        source="Nelder and Wedderburn 1972, 'Generalized linear models'",
        formula=o - t * log(o),
        derivative_formula=1 - t / o,
        outputs=POSITIVE,
        targets=NON_NEGATIVE,
        value=lambda O, T: O - T * _log(O),
        derivative=lambda O, T: 1 - T / namespace(O).clip(O, smallest(O), None),
        simplifies_with="exponential",
        value_from_scores=lambda Z, T: namespace(Z).exp(Z) - T * Z,
    ),
)

LOSSES: dict[str, Loss] = {entry.name: entry for entry in _ENTRIES}
"""Every loss by its name."""
