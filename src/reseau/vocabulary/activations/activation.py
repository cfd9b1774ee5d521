"""What an activation is: its formulas, its functions, and how a gradient passes back through it.

An *elementwise* activation acts on every number alone, so that ∂E/∂Z = ∂E/∂A · σ'(Z); a *row-wise* one (softmax)
mixes the neurons of a sample, so that ∂E/∂Z = ∂E/∂A · D with a full Jacobian matrix D for every row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reseau.arrays import Array, namespace
from reseau.formulas.fractions import each, floats, rational
from reseau.formulas.trees import Expression
from reseau.formulas.words import Words
from reseau.names import ActivationName, InitializerName
from reseau.vocabulary.activations.code import NOTHING_BY_HAND, ByHand, Code
from reseau.vocabulary.intervals import Interval

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

FLAT = 0.05


@dataclass(frozen=True, kw_only=True)
class Activation(ABC):
    """What every activation has.

    Attributes
    ----------
    name : str
        The name users write.
    words : Words
        What it is called, in each language.
    source : str
        Where it comes from.
    letter : str
        How it is written in equations: A = letter(Z).
    formula : Expression
        Its value: of `z`, or if it is row-wise the one at index j, of the row `z`.
    derivative_formula : Expression
        Its derivative: of `z` and of the value `a`, or if it is row-wise D_ij of the row `a`.
    second_derivative_formula : Expression
        σ″, of `z` and `a` likewise, or if it is row-wise ∂D_ij/∂z_k of the row `a`.
    range : Interval
        Where its values lie, and no further (in exact arithmetic); a loss may accept only some of them.
    value : callable
        Z (rows, neurons) -> A (rows, neurons).
    initializer : str
        The name of the initialisation that suits it (see `reseau.vocabulary.initializers`).
    by_hand : ByHand
        What it is in the languages that networks are exported to, where `formula` and `derivative_formula` may not be
        computed as they are written.
    distribution : {"probabilities", "logarithms"} or None
        What a row of its values says of classes: their probabilities, which sum to 1, or the logarithms of these; None
        for nothing of the kind.
    has_scales : bool
        Whether every second value is above zero: the scale of the one before it.
    groups : tuple of int
        How many numbers are in each of the groups that it takes a row for, one after another; none where a row is one.
    aliases : tuple of str
        What other libraries call it, for those who ask for it so.
    scikit_learn : str or None
        What scikit-learn calls it, if that is not its name.
    """

    name: ActivationName
    words: Words
    source: str
    letter: str
    formula: Expression
    derivative_formula: Expression
    second_derivative_formula: Expression
    range: Interval
    value: Callable[[Array], Array]
    initializer: InitializerName
    by_hand: ByHand = NOTHING_BY_HAND
    distribution: str | None = None
    has_scales: bool = False
    groups: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    scikit_learn: str | None = None

    row_wise: ClassVar[bool]

    @cached_property
    def code(self) -> Code:
        """What it is in the languages that networks are exported to."""
        return self.by_hand.completed(self.formula, self.derivative_formula)

    @abstractmethod
    def slopes(self, Z: Array, A: Array) -> Array:
        """D = ∂A/∂Z: of shape (rows, n), or of a row-wise one (rows, n, n) with D[r, i, j] = ∂A_ri/∂Z_rj."""

    @abstractmethod
    def through(self, G: Array, D: Array) -> Array:
        """∂E/∂Z from G = ∂E/∂A (rows, n) and the D that `slopes` gives."""

    @abstractmethod
    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """Turn G = ∂E/∂A into ∂E/∂Z."""

    @abstractmethod
    def pushed(self, Z: Array, A: Array, dZ: Array) -> Array:
        """How A changes along with Z, in the direction dZ (rows, n)."""

    @abstractmethod
    def pullback_changed(self, Z: Array, A: Array, G: Array, dZ: Array) -> Array:
        """How ∂E/∂Z changes along with Z, in the direction dZ, where G = ∂E/∂A stays the same."""

    @abstractmethod
    def flat(self, Z: Array, A: Array) -> Array | None:
        """Where σ passes next to nothing back, (rows, n); None where that cannot be said of single numbers."""

    @abstractmethod
    def on_fractions(self) -> Activation:
        """The same activation for arrays of fractions, computed by its formulas."""


@dataclass(frozen=True, kw_only=True)
class Elementwise(Activation):
    """An activation of each number alone: `derivative` takes (Z, A) and gives σ'(Z), of their shape; so for σ″."""

    derivative: Callable[[Array, Array], Array]
    second_derivative: Callable[[Array, Array], Array]

    row_wise: ClassVar[bool] = False

    def slopes(self, Z: Array, A: Array) -> Array:
        """σ'(Z)."""
        return self.derivative(Z, A)

    def through(self, G: Array, D: Array) -> Array:
        """G · D, element by element."""
        return G * D

    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """∂E/∂Z = ∂E/∂A · σ'(Z), element by element."""
        return self.through(G, self.derivative(Z, A))

    def pushed(self, Z: Array, A: Array, dZ: Array) -> Array:
        """σ'(Z) · dZ, element by element."""
        return self.derivative(Z, A) * dZ

    def pullback_changed(self, Z: Array, A: Array, G: Array, dZ: Array) -> Array:
        """G · σ″(Z) · dZ, element by element."""
        return G * self.second_derivative(Z, A) * dZ

    @cached_property
    def steepest(self) -> float:
        """The largest |σ'| near 0, where numbers of a network that is begun well lie."""
        Z = np.linspace(-4.0, 4.0, 801)
        return float(np.abs(self.derivative(Z, self.value(Z))).max())

    def flat(self, Z: Array, A: Array) -> Array | None:
        """Where |σ'| is below a twentieth of what it is where it is steepest, or of 1."""
        return namespace(Z).abs(self.derivative(Z, A)) < FLAT * min(1.0, self.steepest)

    def on_fractions(self) -> Elementwise:
        """The same activation for arrays of fractions, number by number."""

        def value(Z: Array) -> Array:
            return each(lambda z: rational(self.formula, {"z": z}, lambda: self.value(floats([[z]]))), Z)

        def derivative(Z: Array, A: Array) -> Array:
            def one(z: Any, a: Any) -> Any:
                otherwise = lambda: self.derivative(floats([[z]]), floats([[a]]))  # noqa: E731
                return rational(self.derivative_formula, {"z": z, "a": a}, otherwise)

            return each(one, Z, A)

        return replace(self, value=value, derivative=derivative)


@dataclass(frozen=True, kw_only=True)
class RowWise(Activation):
    """An activation of a whole row: `jacobian` takes A (rows, n) and gives D (rows, n, n), D[r, i, j] = ∂A_ri/∂Z_rj.

    `row_pullback` takes (A, G) and gives G · D without forming D, which for a thousand classes would hold a million
    numbers a row. So does `row_push` of (A, dZ), for D · dZ; and `row_pullback_changed` takes (A, G, dA) and says how
    G · D changes where A changes by dA.
    """

    jacobian: Callable[[Array], Array]
    row_pullback: Callable[[Array, Array], Array]
    row_push: Callable[[Array, Array], Array]
    row_pullback_changed: Callable[[Array, Array, Array], Array]

    row_wise: ClassVar[bool] = True

    def in_groups(self, groups: tuple[int, ...]) -> InGroups:
        """The same of groups of so many numbers, into which a row falls."""
        of_groups = {
            name: partial(by_group, getattr(self, name), groups)
            for name in ("value", "row_pullback", "row_push", "row_pullback_changed")
        }
        what = {field.name: getattr(self, field.name) for field in fields(self)}
        jacobian = partial(_in_blocks, self.jacobian, groups)
        return InGroups(**{**what, **of_groups, "jacobian": jacobian, "groups": groups, "whole": self})

    def slopes(self, Z: Array, A: Array) -> Array:
        """The Jacobian of each row."""
        return self.jacobian(A)

    def through(self, G: Array, D: Array) -> Array:
        """Σ_i G_i D_ij, the product of each row with its Jacobian."""
        return namespace(D).sum(G[:, :, None] * D, axis=1)

    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """∂E/∂Z_j = Σ_i ∂E/∂A_i · D_ij, with the full Jacobian D."""
        return self.row_pullback(A, G)

    def pushed(self, Z: Array, A: Array, dZ: Array) -> Array:
        """D · dZ."""
        return self.row_push(A, dZ)

    def pullback_changed(self, Z: Array, A: Array, G: Array, dZ: Array) -> Array:
        """G times the change of D."""
        return self.row_pullback_changed(A, G, self.row_push(A, dZ))

    def flat(self, Z: Array, A: Array) -> Array | None:
        """Each number passes back to all of its row."""
        return None

    def on_fractions(self) -> RowWise:
        """The same activation for arrays of fractions, row by row."""

        def value(Z: Array) -> Array:
            A = np.empty(Z.shape, dtype=object)
            for row, j in np.ndindex(*Z.shape):
                otherwise = lambda row=row, j=j: self.value(floats(Z[row : row + 1]))[0, j]  # noqa: E731
                A[row, j] = rational(self.formula, {"z": Z[row], "j": j}, otherwise)
            return A

        def jacobian(A: Array) -> Array:
            D = np.empty((*A.shape, A.shape[1]), dtype=object)
            for row, i, j in np.ndindex(*D.shape):
                D[row, i, j] = self.derivative_formula.evaluate({"a": A[row], "i": i, "j": j}, exact=True)
            return D

        def row_pullback(A: Array, G: Array) -> Array:
            return self.through(G, jacobian(A))

        return replace(self, value=value, jacobian=jacobian, row_pullback=row_pullback)


@dataclass(frozen=True, kw_only=True)
class InGroups(RowWise):
    """A row-wise activation, `whole`, of each of the groups that a row falls into."""

    whole: RowWise

    @cached_property
    def code(self) -> Code:
        """As that of whole rows in C, where exports call it for each group."""
        code, ends = self.whole.code, list(accumulate(self.groups))

        def emit(g: Graph, Z: str) -> str:
            places = [np.array([place]) for place in (0, *ends)]
            parts = [code.onnx(g, g("Slice", Z, first, end, np.array([1]))) for first, end in pairwise(places)]
            return g("Concat", *parts, axis=1)

        numpy = f"np.hstack([{code.numpy} for z in np.split(z, {ends[:-1]}, axis=1)])"
        return replace(code, numpy=numpy, onnx=emit)

    def on_fractions(self) -> RowWise:
        """The same activation for arrays of fractions, row by row and group by group."""
        return self.whole.on_fractions().in_groups(self.groups)


def group_of(groups: tuple[int, ...], j: int) -> tuple[slice, int]:
    """The group of number j of a row, and its place in the group."""
    first, end = next(ends for ends in pairwise(accumulate((0, *groups))) if j < ends[1])
    return slice(first, end), j - first


def by_group(function: Callable[..., Array], groups: tuple[int, ...], *arrays: Array) -> Array:
    """A function of rows (rows, n), of each group of their numbers, side by side again."""
    parts = (function(*(A[:, first:end] for A in arrays)) for first, end in pairwise(accumulate((0, *groups))))
    return namespace(arrays[0]).concat(list(parts), axis=1)


def _in_blocks(jacobian: Callable[[Array], Array], groups: tuple[int, ...], A: Array) -> Array:
    """D of each group, and zeros where two groups meet."""
    xp = namespace(A)
    D = []
    for first, end in pairwise(accumulate((0, *groups))):
        of_group = jacobian(A[:, first:end])
        before, behind = (xp.zeros((A.shape[0], end - first, n), dtype=A.dtype) for n in (first, A.shape[1] - end))
        D.append(xp.concat([before, of_group, behind], axis=2))
    return xp.concat(D, axis=1)
