"""What a kind of layer shows of its map on a blackboard: its equations there and back, and what goes wrong in them.

An equation gives one quantity from those before it. It is written either with whole matrices, Z = A W + b, or for one
number of a row, z_j = γ_j x̂_j + β_j, and then computed from what is written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from reseau.arrays import Array
from reseau.formulas.trees import Expression, Symbol, symbols_of
from reseau.formulas.words import Words

Axis: TypeAlias = Literal["rows", "in", "out", "one"]  # "in" and "out": the layer's inputs and its outputs
Numbers: TypeAlias = dict[str, Any]
"""Of one layer by name: A, its inputs (rows, n_in); n, how many a row has; its tensors and constants; delta; the
quantities of the equations before; and the optimizer's learning_rate."""

DELTA, Z = Symbol("delta", "δ"), Symbol("Z")
N = Symbol("n")


def transposed(symbol: Symbol) -> Symbol:
    """The transposed matrix."""
    return replace(symbol, mark="T")


@dataclass(frozen=True, eq=False, repr=False)
class Slip:
    """A likely mistake in one equation.

    Attributes
    ----------
    words : Words
        What it is.
    compute : callable
        What is computed instead.
    together : str
        What is computed so everywhere at once by whoever makes it; "" if it may be made at one layer alone.
    """

    words: Words
    compute: Callable[[Numbers], Any]
    together: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Equation(ABC):
    """One line of a layer's map.

    Attributes
    ----------
    symbol : Symbol
        What it gives, or by what the derivative of E is taken.
    axes : tuple of str
        What the rows and columns of that are; of a vector, its numbers.
    derivative : bool
        Whether it gives ∂E/∂ the symbol.
    words : Words or None
        What is said before it.
    slips : tuple of Slip
        The likely mistakes.
    """

    symbol: Symbol
    axes: tuple[Axis, ...]
    derivative: bool = False
    words: Words | None = None
    slips: tuple[Slip, ...] = ()

    @property
    def name(self) -> str:
        """Of the quantity: "Z", or "dW" for ∂E/∂W."""
        return f"d{self.symbol.name}" if self.derivative else self.symbol.name

    @abstractmethod
    def compute(self, p: Numbers) -> Array:
        """The quantity, of those before it."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OfMatrices(Equation):
    """An equation of whole matrices.

    Attributes
    ----------
    sides : tuple of Symbol or str
        What is written: matrices beside one another are multiplied, and those with the mark "T" transposed.
    summed : bool
        Whether what is written is summed over the rows.
    function : callable
        What is computed.
    """

    sides: tuple[Symbol | str, ...]
    summed: bool = False
    function: Callable[[Numbers], Array]

    def compute(self, p: Numbers) -> Array:
        return self.function(p)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OfNumbers(Equation):
    """An equation of single numbers, the j-th of a row where it has an index.

    Attributes
    ----------
    formula : Expression
        What is written and computed.
    """

    formula: Expression

    def compute(self, p: Numbers) -> Array:
        values: dict[str, Any] = {"j": slice(None)}  # all numbers of a row at once, and all rows beside one another
        for symbol in symbols_of(self.formula):
            values[symbol.name] = _columns(p[symbol.name], bool(symbol.index))
        found = self.formula.evaluate(values, exact=p["A"].dtype == object)
        return found[:, np.newaxis] if "one" in self.axes else found.T

    def plugged(self, p: Numbers, r: int, j: int) -> Expression:
        """The formula with the numbers of one place."""
        values: dict[str, Any] = {"j": j}
        for symbol in symbols_of(self.formula):
            value = p[symbol.name]
            row = value[r] if np.ndim(value) == 2 else value
            values[symbol.name] = row if symbol.index or np.ndim(value) < 2 else row[0]
        return self.formula.plug(values)


def _columns(value: Any, indexed: bool) -> Any:
    """A matrix with its rows as columns, a vector as a column, what has one number a row as a vector."""
    if np.ndim(value) == 2:
        return value.T if indexed else value[:, 0]
    return value[:, np.newaxis] if np.ndim(value) else value


class Equations(NamedTuple):
    """A layer's map, line by line.

    Attributes
    ----------
    forward : tuple of Equation
        The last gives Z.
    gradients : tuple of Equation
        ∂E/∂ each tensor, of δ.
    back : tuple of Equation
        The last gives ∂E/∂A.
    """

    forward: tuple[Equation, ...]
    gradients: tuple[Equation, ...]
    back: tuple[Equation, ...]
