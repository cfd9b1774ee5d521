"""What every loss has: its error e_j of output neuron j, from the output o and the target t (the lecture's o*).

The functions take array-API arrays O and T of shape (rows, outputs) and return the same shape. A loss that has several
outputs for each target, such as a mean and a scale, gets each target as often as it has outputs for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import Field, fields
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import inf
from typing import Any, ClassVar

import numpy as np

from reseau.arrays import Array, FloatArray, namespace
from reseau.checks import known, real
from reseau.errors import ParameterError
from reseau.formulas.fractions import each, floats, rational
from reseau.formulas.trees import Expression, Number, Symbol
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations import ACTIVATIONS, Activation
from reseau.vocabulary.activations.activation import by_group
from reseau.vocabulary.intervals import EVERYWHERE, Interval

Bounds = tuple[float, float]
NO_BOUNDS: Bounds = (-inf, inf)

# Of neuron j; the target as the lecture's o*.
o, t = Symbol("o", index=("j",)), Symbol("t", "o", index=("j",), mark="*")
z = Symbol("z", index=("j",))  # the score


class Loss(ABC):
    """One entry of the table: a frozen dataclass, whose fields are the numbers that define it.

    Attributes
    ----------
    name : str
        The name users write.
    words : Words
        What it is called, in each language.
    source : str
        Where it comes from.
    formula, derivative_formula : Expression
        e_j and ∂e_j/∂o_j, of the outputs `o` and the targets `t` of a row, and the place `j`. Where an error depends
        on another output too, the derivative is ∂E/∂o_j.
    outputs, targets : Interval
        Where o and t must lie.
    per_target : int
        How many outputs there are for each target, one after another.
    simplifies_with : str or None
        The activation with which error and ∂E/∂Z are computed from the raw scores.
    is_entropy : bool
        Whether it is a cross-entropy, whose errors are logarithms of probabilities and can be kept within bounds.
    distribution : bool
        Whether rows of outputs and of targets are distributions over classes, Σ_j o_j = Σ_j t_j = 1, without which it
        has no minimum; integer labels then stand for one-hot rows.
    scikit_learn_averages : bool
        Whether scikit-learn reports its mean over several outputs, where ours is the sum.
    aliases : tuple of str
        What other libraries call it, for those who ask for it so.
    own : bool
        Whether a Python function of the user's computes it, see `own`.
    groups : tuple of int
        How many outputs are in each of the groups that have distributions of their own; none where all make up one.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # one's own apart
    name: ClassVar[str]
    words: ClassVar[Words]
    source: ClassVar[str]
    outputs: ClassVar[Interval] = EVERYWHERE
    simplifies_with: ClassVar[ActivationName | None] = None
    is_entropy: ClassVar[bool] = False
    distribution: ClassVar[bool] = False
    scikit_learn_averages: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[bool] = False
    groups: tuple[int, ...] = ()

    @property
    def targets(self) -> Interval:
        """Where targets must lie."""
        return EVERYWHERE

    @property
    def per_target(self) -> int:
        """How many outputs there are for each target."""
        return 1

    @property
    def output(self) -> ActivationName:
        """The activation of a last layer that is given none."""
        return self.simplifies_with or "identity"

    @property
    @abstractmethod
    def formula(self) -> Expression:
        """The error e_j."""

    @property
    @abstractmethod
    def derivative_formula(self) -> Expression:
        """Its derivative ∂E/∂o_j."""

    @property
    def delta_formula(self) -> Expression:
        """∂E/∂z_j with the activation it simplifies with."""
        return o - t

    @property
    def scores_formula(self) -> Expression | None:
        """The error e_j of the scores `z` with the activation it simplifies with, where no output can saturate."""
        return None

    @abstractmethod
    def value(self, O: Array, T: Array) -> Array:
        """The error e_j of each output neuron."""

    @abstractmethod
    def derivative(self, O: Array, T: Array) -> Array:
        """∂E/∂O."""

    def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
        """The error e_j with the activation it simplifies with, of the raw scores, so that nothing saturates.

        With bounds, the error of a cross-entropy for a target of 1 (or 0) is kept between them.
        """
        assert self.simplifies_with is not None
        return self.value(ACTIVATIONS[self.simplifies_with].value(Z), T)

    def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
        """∂E/∂Z with the activation it simplifies with."""
        return O - T

    def least(self, T: Array) -> Array:
        """The error e_j of the best outputs."""
        return self.value(T, T)

    def constants(self, T: FloatArray) -> FloatArray:
        """The constant outputs that are about the best for these targets, unless their means are."""
        return np.median(T, axis=0)

    def points(self, O: FloatArray) -> FloatArray:
        """Of each target the one number that its outputs predict, (rows, targets)."""
        return O

    def takes(self, sigma: Activation) -> bool:
        """Whether it is defined for the outputs of an activation."""
        return sigma.distribution is not None if self.distribution else self.outputs.contains(sigma.range)

    @property
    def needed(self) -> str:
        """Where outputs must lie, in words."""
        return "rows that are distributions over classes, summing to 1" if self.distribution else str(self.outputs)

    def check_outputs(self, n: int) -> None:
        """Raise ParameterError for a number of outputs that it is not defined for."""
        if n % self.per_target:
            raise ParameterError(
                f"loss={self.shown} has {self.per_target} outputs for each target, but the last layer has {n}; give it "
                f"1 neuron, which stands for {self.per_target}, or {self.per_target} for each target."
            )

    def of(self, sigma: Activation) -> Loss:
        """The loss as it is for the outputs of an activation that it takes."""
        return self

    def for_labels(self, one_of_many: bool) -> Loss:
        """The loss of classes of which one is right, or of each label by itself, that goes by the same numbers."""
        return self

    def in_groups(self, groups: tuple[int, ...]) -> Loss:
        """The same of outputs of which each group has a distribution of its own; their errors add up."""
        if not groups:
            return self
        loss: Loss = _kind_in_groups(type(self))(**self.numbers())
        object.__setattr__(loss, "groups", groups)
        object.__setattr__(loss, "whole", self)
        return loss

    @property
    def deviation(self) -> float | None:
        """How many scales, which it predicts for each target, are a standard deviation; None if it predicts none."""
        return None

    def numbers(self) -> dict[str, Any]:
        """The numbers that define it, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def for_kernels(self, outputs: int) -> tuple[float, ...]:
        """The numbers as the native engine's entry takes them."""
        return tuple(float(number) for number in self.numbers().values())

    def on_fractions(self) -> Loss:
        """The same loss for arrays of fractions, computed by its formulas."""
        exact: Loss = _exact_kind(type(self))(**self.numbers())
        return exact

    @property
    def is_plain(self) -> bool:
        """Whether it is the one that its name alone stands for."""
        return self == type(self)()

    @property
    def shown(self) -> str:
        """As one would write it."""
        return repr(self.name) if self.is_plain else str(self)

    def _real(self, name: str, **bounds: Any) -> None:
        """Check a number and keep it as a plain float: one of NumPy's own would raise float32 arrays to float64."""
        object.__setattr__(self, name, real(name, getattr(self, name), **bounds))


def numbers_from(name: str, kind: type[Loss], numbers: Mapping[str, Any]) -> Loss:
    """Rebuild a loss from its numbers by name, checking each."""
    for number in numbers:
        known(f"a number of the loss {name!r}", number, [field.name for field in fields(kind)])
    return kind(**numbers)


@cache
def _kind_in_groups(kind: type[Loss]) -> Any:
    """A loss of each of the groups of outputs, each as `whole` computes it."""

    class LossInGroups(kind):  # type: ignore[misc, valid-type]
        whole: Loss

        def value(self, O: Array, T: Array) -> Array:
            return by_group(self.whole.value, self.groups, O, T)

        def derivative(self, O: Array, T: Array) -> Array:
            return by_group(self.whole.derivative, self.groups, O, T)

        def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
            return by_group(lambda z, t: self.whole.value_from_scores(z, t, bounds), self.groups, Z, T)

        def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
            return by_group(self.whole.delta_from_scores, self.groups, Z, O, T)

        def least(self, T: Array) -> Array:
            return by_group(self.whole.least, self.groups, T)

        def for_kernels(self, outputs: int) -> tuple[float, ...]:
            return tuple(number for n in self.groups for number in self.whole.for_kernels(n))

        def on_fractions(self) -> Loss:
            return self.whole.on_fractions().in_groups(self.groups)

    return LossInGroups


@cache
def _exact_kind(kind: type[Loss]) -> Any:
    """A loss that computes with fractions."""

    class ExactLoss(kind):  # type: ignore[misc, valid-type]
        def value(self, O: Array, T: Array) -> Array:
            return _by_rows(self.formula, super().value, O, T)

        def derivative(self, O: Array, T: Array) -> Array:
            return _by_rows(self.derivative_formula, super().derivative, O, T)

        def value_from_scores(self, Z: Array, T: Array, bounds: Bounds = NO_BOUNDS) -> Array:
            e = self.value(ACTIVATIONS[self.simplifies_with].on_fractions().value(Z), T)
            known_better = super().value_from_scores(floats(Z), floats(T), bounds)
            return each(lambda x, y: x if isinstance(x, Fraction) else float(y), e, known_better)

        def delta_from_scores(self, Z: Array, O: Array, T: Array) -> Array:
            return _by_rows(self.delta_formula, super().delta_from_scores, Z, O, T)

    return ExactLoss


def _by_rows(formula: Expression, of_floats: Any, *arrays: Array) -> Array:
    """A formula's value at every place where it is rational, else the float that the loss's own function gives.

    The last two arrays are outputs and targets.
    """
    O, T = arrays[-2:]

    def one(r: int, j: int) -> Any:
        otherwise = lambda: of_floats(*(floats(A[r : r + 1]) for A in arrays))[0, j]  # noqa: E731
        return rational(formula, {"o": O[r], "t": T[r], "j": j}, otherwise)

    rows, places = np.indices(O.shape, dtype=object)
    return each(one, rows, places)


def smallest(O: Array) -> float:
    """The smallest normal number of O's type: what a probability that has underflowed to 0 is taken for."""
    return float(namespace(O).finfo(O.dtype).smallest_normal)


def at_least_smallest(O: Array) -> Array:
    """What can be divided by, and has a logarithm."""
    return namespace(O).clip(O, smallest(O), None)


def log_of(O: Array) -> Array:
    """The logarithm of what is positive, or has underflowed to 0."""
    return namespace(O).log(at_least_smallest(O))


def plain_number(x: float, plus: int = 0) -> Number:
    """A number of a loss, as it was given, in a formula; or one beside it, computed with the digits it was given."""
    exactly = Decimal(repr(x)) + plus
    return Number(int(exactly) if exactly == int(exactly) else exactly)


def to_power(base: Expression, exponent: Number) -> Expression:
    """The base itself where the exponent is 1."""
    return base if exponent.value == 1 else base**exponent
