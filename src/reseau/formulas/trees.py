"""Formulas as trees: written once in the tables, then set for people, evaluated, and filled in with numbers.

A formula is written with Python's operators, ``1 / (1 + exp(-z))``, and is kept as it was written: nothing is
simplified or put in another order. `Expression.evaluate` gives its value, on floats, on arrays, or exactly on
fractions; `Expression.plug` puts numbers in the place of its symbols, as on a blackboard. A tree does not know how it
is set: `reseau.formulas.typesetting` sets it as text, and the floors above as LaTeX and MathML.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import inf, isqrt, pi
from typing import Any, TypeAlias

import numpy as np

Constant: TypeAlias = int | Fraction | Decimal | float
Values: TypeAlias = Mapping[str, Any]  # of symbols, by name; of an index, the place it stands for, from 0

MOST_TERMS = 6  # of a sum that is written out; of a longer one the first, dots and the last


class Expression(ABC):
    """A formula, or a part of one. Operators make larger ones."""

    @abstractmethod
    def evaluate(self, values: Values, exact: bool = False) -> Any:
        """Its value; with `exact`, constants are fractions, so that what is rational stays so."""

    @abstractmethod
    def plug(self, values: Values) -> Expression:
        """The formula with numbers for symbols, sums written out, and of several cases the one that holds."""

    def __add__(self, other: Expression | Constant) -> Expression:
        return Sum((*terms(self), *terms(as_expression(other))))

    def __radd__(self, other: Constant) -> Expression:
        return as_expression(other) + self

    def __sub__(self, other: Expression | Constant) -> Expression:
        return Sum((*terms(self), Minus(as_expression(other))))

    def __rsub__(self, other: Constant) -> Expression:
        return as_expression(other) - self

    def __mul__(self, other: Expression | Constant) -> Expression:
        return Product((*factors(self), *factors(as_expression(other))))

    def __rmul__(self, other: Constant) -> Expression:
        return as_expression(other) * self

    def __truediv__(self, other: Expression | Constant) -> Expression:
        return Quotient(self, as_expression(other))

    def __rtruediv__(self, other: Constant) -> Expression:
        return as_expression(other) / self

    def __pow__(self, other: Expression | Constant) -> Expression:
        return Power(self, as_expression(other))

    def __neg__(self) -> Expression:
        return Minus(self)


def place_of(index: str, values: Values) -> int:
    """The place, from 0, that an index stands for; or all places, where it stands for a slice."""
    place: int = values[index[0]]
    return place + {"+1": 1, "−1": -1}[index[1:]] if index[1:] else place


def as_expression(value: Expression | Constant) -> Expression:
    """A constant as a formula."""
    return value if isinstance(value, Expression) else Number(value)


def terms(expression: Expression) -> tuple[Expression, ...]:
    """What a sum adds up; of anything else, itself."""
    return expression.terms if isinstance(expression, Sum) else (expression,)


def factors(expression: Expression) -> tuple[Expression, ...]:
    """What a product multiplies; of anything else, itself."""
    return expression.factors if isinstance(expression, Product) else (expression,)


def replaced(expression: Expression, letters: Mapping[Expression, Expression]) -> Expression:
    """A formula with other letters in the place of some."""
    if expression in letters:
        return letters[expression]
    return type(expression)(**{name: _replaced_within(part, letters) for name, part in vars(expression).items()})


def _replaced_within(value: Any, letters: Mapping[Expression, Expression]) -> Any:
    if isinstance(value, Expression):
        return replaced(value, letters)
    if isinstance(value, Condition):
        return replace(value, left=replaced(value.left, letters), right=replaced(value.right, letters))
    return tuple(_replaced_within(part, letters) for part in value) if isinstance(value, tuple) else value


def symbols_of(expression: Expression) -> Iterator[Symbol]:
    """The letters in a formula, in the order in which they are read."""
    if isinstance(expression, Symbol):
        yield expression
    for part in vars(expression).values():
        yield from _symbols_within(part)


def _symbols_within(value: Any) -> Iterator[Symbol]:
    if isinstance(value, Expression):
        yield from symbols_of(value)
    elif isinstance(value, Condition):
        yield from _symbols_within((value.left, value.right))
    elif isinstance(value, tuple):
        for part in value:
            yield from _symbols_within(part)


# --- the parts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number(Expression):
    """A number, set after its type: a `Decimal` with all of its digits, a `Fraction` as one, a float rounded.

    Parameters
    ----------
    value : int, Fraction, Decimal or float
        It.
    digits : int
        To how many significant digits it is rounded where more are needed than of the others; 0 where not.
    """

    value: Constant
    digits: int = 0

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        if exact:
            return Fraction(self.value)
        return self.value if isinstance(self.value, int) else float(self.value)

    def plug(self, values: Values) -> Expression:
        return self


@dataclass(frozen=True)
class Symbol(Expression):
    """A letter that stands for a number, or with indices for one number of several.

    Parameters
    ----------
    name : str
        What its value is called.
    letter : str
        How it is written; the name itself unless given.
    label : str or Symbol
        Below it, a part of what it is called: the 1 of β₁, or of the layer in W₁; or the letter that it belongs to.
    index : tuple of str or int
        Below it, which of several numbers it is; a letter is looked up among the values, "j+1" and "j−1" are the places
        beside that of j, and a number is a place from 1.
    mark : str
        Above it: "^" for a hat, "*" or "′" for a star or a prime, "T" for a transposed matrix, "²" of what is one
        quantity as a square, such as a variance.
    layer : str
        Above it in parentheses, the layer it belongs to: the 2 of z₁⁽²⁾, one number of Z₂.
    """

    name: str
    letter: str = ""
    label: str | Symbol = ""
    index: tuple[str | int, ...] = ()
    mark: str = ""
    layer: str = ""

    @property
    def written(self) -> str:
        """The letter alone."""
        return self.letter or self.name

    @property
    def below(self) -> tuple[str | int | Symbol, ...]:
        """What is written below it."""
        return (self.label, *self.index) if self.label else self.index

    @property
    def on_the_line(self) -> str:
        """The letter with its label beside it, as within the index of another."""
        return f"{self.written}{self.label}"

    def at(self, *index: str | int) -> Symbol:
        """The same letter with indices."""
        return replace(self, index=index)

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        value = values[self.name]
        for i in self.index:
            value = value[place_of(i, values) if isinstance(i, str) else i - 1]
        return value

    def plug(self, values: Values) -> Expression:
        return Number(self.evaluate(values)) if self.name in values else self


@dataclass(frozen=True)
class Named(Expression):
    """A number that goes by a letter and is never written out, such as π; it is not rational."""

    letter: str
    value: float

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        return self.value

    def plug(self, values: Values) -> Expression:
        return self


@dataclass(frozen=True)
class Sum(Expression):
    """The sum of some terms."""

    terms: tuple[Expression, ...]

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        first, *rest = (term.evaluate(values, exact) for term in self.terms)
        for term in rest:
            first = first + term
        return first

    def plug(self, values: Values) -> Expression:
        return Sum(tuple(term.plug(values) for term in self.terms))


@dataclass(frozen=True)
class Product(Expression):
    """The product of some factors."""

    factors: tuple[Expression, ...]

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        first, *rest = (factor.evaluate(values, exact) for factor in self.factors)
        for factor in rest:
            first = first * factor
        return first

    def plug(self, values: Values) -> Expression:
        return Product(tuple(factor.plug(values) for factor in self.factors))


@dataclass(frozen=True)
class Minus(Expression):
    """The negative of something."""

    of: Expression

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        return -self.of.evaluate(values, exact)

    def plug(self, values: Values) -> Expression:
        return Minus(self.of.plug(values))


@dataclass(frozen=True)
class Quotient(Expression):
    """One thing divided by another."""

    above: Expression
    below: Expression

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        return self.above.evaluate(values, exact) / self.below.evaluate(values, exact)

    def plug(self, values: Values) -> Expression:
        return Quotient(self.above.plug(values), self.below.plug(values))


@dataclass(frozen=True)
class Power(Expression):
    """A base with an exponent."""

    base: Expression
    exponent: Expression

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        return self.base.evaluate(values, exact) ** self.exponent.evaluate(values, exact)

    def plug(self, values: Values) -> Expression:
        return Power(self.base.plug(values), self.exponent.plug(values))


@dataclass(frozen=True)
class Function:
    """A function by its name: how it is computed, and where its value is rational.

    Calling it on formulas makes a formula.
    """

    name: str
    compute: Callable[..., Any]
    exactly: Callable[..., Fraction | tuple[Fraction, ...] | None]
    only_a_name: bool = False

    def __call__(self, *arguments: Expression | Constant) -> Call:
        return Call(self, tuple(as_expression(argument) for argument in arguments))


def named(name: str) -> Function:
    """A function that is written, never computed."""

    def refuse(*_: Any) -> Any:
        raise TypeError(f"{name} is only a name here.")

    return Function(name, refuse, refuse, only_a_name=True)


@dataclass(frozen=True)
class Call(Expression):
    """A function of something."""

    function: Function
    arguments: tuple[Expression, ...]

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        given = [argument.evaluate(values, exact) for argument in self.arguments]
        if not exact:
            return self.function.compute(*given)
        if any(isinstance(x, np.ndarray) for x in given):
            return np.frompyfunc(self._exactly, len(given), 1)(*given)
        return self._exactly(*given)

    def _exactly(self, *given: Any) -> Any:
        """The value at fractions, if it is rational; else that at the nearest floats."""
        value = self.function.exactly(*given) if all(isinstance(x, Fraction) for x in given) else None
        return self.function.compute(*map(to_float, given)) if value is None else value

    def plug(self, values: Values) -> Expression:
        return Call(self.function, tuple(argument.plug(values) for argument in self.arguments))


@dataclass(frozen=True)
class SumOver(Expression):
    """Σ over an index: all the places that the indexed symbols of its body have."""

    index: str
    body: Expression
    counted: str  # the name of a symbol that has as many places

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        places = range(len(values[self.counted]))
        return sum(self.body.evaluate({**values, self.index: place}, exact) for place in places)

    def plug(self, values: Values) -> Expression:
        count = len(values[self.counted])
        all_terms = count <= MOST_TERMS
        shown = range(count) if all_terms else (0, 1, count - 1)
        written: list[Expression] = [self.body.plug({**values, self.index: place}) for place in shown]
        if not all_terms:
            written.insert(2, DOTS)
        return written[0] if count == 1 else Sum(tuple(written))


@dataclass(frozen=True)
class Kronecker(Expression):
    """δ_ij: 1 where two indices stand for the same place, else 0."""

    i: str
    j: str

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        same = int(values[self.i] == values[self.j])
        return Fraction(same) if exact else same

    def plug(self, values: Values) -> Expression:
        return Number(self.evaluate(values))


@dataclass(frozen=True)
class Place(Expression):
    """An index as a number, from 1."""

    index: str

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        place = 1 + place_of(self.index, values)
        return Fraction(place) if exact else place

    def plug(self, values: Values) -> Expression:
        return Number(self.evaluate(values)) if self.index in values else self


@dataclass(frozen=True)
class Odd:
    """The condition that an index, as a number from 1, is odd."""

    index: str

    def holds(self, values: Values, exact: bool = False) -> bool:
        """Whether it is."""
        return place_of(self.index, values) % 2 == 0


@dataclass(frozen=True)
class Condition:
    """A comparison of two formulas."""

    left: Expression
    sign: str  # "<", "≤", ">", "≥"
    right: Expression

    def holds(self, values: Values, exact: bool = False) -> Any:
        """Whether it does; element by element for arrays."""
        left, right = self.left.evaluate(values, exact), self.right.evaluate(values, exact)
        return {"<": left < right, "≤": left <= right, ">": left > right, "≥": left >= right}[self.sign]


@dataclass(frozen=True)
class Cases(Expression):
    """The value that goes with the first condition that holds, else another."""

    cases: tuple[tuple[Expression, Condition | Odd], ...]
    otherwise: Expression

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        holding = [condition.holds(values, exact) for _, condition in self.cases]
        if not any(isinstance(holds, np.ndarray) for holds in holding):
            return self._holding(holding).evaluate(values, exact)
        found = self.otherwise.evaluate(values, exact)
        for (value, _), holds in zip(reversed(self.cases), reversed(holding), strict=True):
            found = np.where(np.asarray(holds, dtype=bool), value.evaluate(values, exact), found)
        return found

    def plug(self, values: Values) -> Expression:
        return self._holding([condition.holds(values) for _, condition in self.cases]).plug(values)

    def _holding(self, holding: Sequence[Any]) -> Expression:
        return next((value for (value, _), holds in zip(self.cases, holding, strict=True) if holds), self.otherwise)


@dataclass(frozen=True)
class Where(Expression):
    """A formula with the definitions of some of its letters."""

    body: Expression
    definitions: tuple[tuple[Expression, Expression], ...]

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        return self.body.evaluate(self._with_definitions(values, exact), exact)

    def plug(self, values: Values) -> Expression:
        return self.body.plug(self._with_definitions(values, False))

    def _with_definitions(self, values: Values, exact: bool) -> Values:
        known = dict(values)
        for left, right in self.definitions:
            if isinstance(left, Symbol):
                known[left.name] = right.evaluate(known, exact)
        return known


@dataclass(frozen=True)
class Clause(Expression):
    """The definitions of some letters, set apart from their formula."""

    definitions: tuple[tuple[Expression, Expression], ...]

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        raise TypeError("Definitions alone have no value.")

    def plug(self, values: Values) -> Expression:
        return self


@dataclass(frozen=True)
class Dots(Expression):
    """What is left out of a sum."""

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        raise TypeError("A formula with dots has no value.")

    def plug(self, values: Values) -> Expression:
        return self


DOTS = Dots()


@dataclass(frozen=True)
class Blank(Expression):
    """A place to be filled in by hand; `name` is what its number belongs to."""

    name: str = ""

    def evaluate(self, values: Values, exact: bool = False) -> Any:
        raise TypeError("A blank has no value.")

    def plug(self, values: Values) -> Expression:
        return self


def to_float(value: Any) -> float:
    """The nearest float; of a fraction beyond the largest, infinity."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


# --- the functions ----------------------------------------------------------------------------------------------------


def _at(*points: tuple[int, Fraction | int]) -> Callable[[Fraction], Fraction | None]:
    """A function that is rational at these points only."""
    return {Fraction(point): Fraction(value) for point, value in points}.get


def _exact_root(x: Fraction) -> Fraction | None:
    above, below = isqrt(max(x.numerator, 0)), isqrt(x.denominator)
    return Fraction(above, below) if above * above == x.numerator and below * below == x.denominator else None


def _erf(x: Any) -> Any:
    from scipy.special import erf as scipy_erf

    return scipy_erf(x)


def _ndtr(x: Any) -> Any:
    from scipy.special import ndtr

    return ndtr(x)


def _sigmoid(x: Any) -> Any:
    from scipy.special import expit

    return expit(x)


exp = Function("exp", np.exp, _at((0, 1)))
log = Function("log", np.log, _at((1, 0)))
tanh = Function("tanh", np.tanh, _at((0, 0)))
cosine = Function("cos", np.cos, _at((0, 1)))
floor = Function("floor", np.floor, lambda x: Fraction(x // 1))
erf = Function("erf", _erf, _at((0, 0)))
phi = Function("φ", _sigmoid, _at((0, Fraction(1, 2))))
Phi = Function("Φ", _ndtr, _at((0, Fraction(1, 2))))
root = Function("√", np.sqrt, _exact_root)
absolute = Function("abs", np.abs, abs)
sign = Function("sign", np.sign, lambda x: Fraction((x > 0) - (x < 0)))
maximum = Function("max", np.maximum, max)
minimum = Function("min", np.minimum, min)

listed = Function("", lambda *x: x, lambda *x: x)  # several numbers, as one

HALF = Number(Fraction(1, 2))
PI = Named("π", pi)
