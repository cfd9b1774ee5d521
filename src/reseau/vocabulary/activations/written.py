"""Formulas of activations in C, NumPy and ONNX, where they may be computed as they are written.

Some may not: e^z overflows long before 1/(1 + e^−z) leaves its range, and e^z − 1 loses the digits of a small z. So an
exponential is written only where it is all of the formula, a logarithm never, and neither is what would be computed
several times. The entry writes these by hand; `Unwritable` says what is in the way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from reseau.formulas.trees import (
    Call,
    Cases,
    Condition,
    Constant,
    Expression,
    Minus,
    Number,
    Odd,
    Place,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Where,
    replaced,
    to_float,
)
from reseau.formulas.typesetting import TextSetter

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

# How strongly the parts of an expression hold together: what holds less than its place needs gets parentheses.
_CHOICE, _SUM, _PRODUCT, _SIGNED, _ATOM = range(5)
_SIGNS = {"<": "<", "≤": "<=", ">": ">", "≥": ">="}
_MOST_FACTORS = 4  # of a power that is written as a product


class Unwritable(TypeError):
    """A formula that may not be computed as it is written."""

    def __init__(self, node: Expression) -> None:
        super().__init__(f"{TextSetter().set(node)} may not be computed as it is written; write it by hand.")


class Clip(NamedTuple):
    """min(high, max(low, of))."""

    of: Expression
    low: Number
    high: Number


def as_clip(node: Expression) -> Clip | None:
    """Read min(high, max(low, x)) of two numbers."""
    match node:
        case Call(function=least, arguments=(Number() as high, Call(function=most, arguments=(Number() as low, of)))):
            return Clip(of, low, high) if (least.name, most.name) == ("min", "max") else None
    return None


def numbers_joined(node: Product) -> tuple[Expression, ...]:
    """The factors of a product, its numbers as one."""
    numbers = [to_float(factor.value) for factor in node.factors if isinstance(factor, Number)]
    if len(numbers) < 2:
        return node.factors
    return (Number(reduce(mul, numbers)), *(factor for factor in node.factors if not isinstance(factor, Number)))


def with_numbers(node: Expression) -> Expression:
    """A formula with its definitions put in: numbers for letters; a function is defined by its code."""
    if not isinstance(node, Where):
        return node
    letters: dict[Expression, Expression] = {
        left: right for left, right in node.definitions if isinstance(left, Symbol)
    }
    if not all(isinstance(right, Number) for right in letters.values()):
        raise Unwritable(node)  # it would be computed again wherever its letter stands
    return replaced(node.body, letters)


class Language(ABC):
    """Writes formulas in a language for people and compilers."""

    functions: ClassVar[dict[str, str]]  # by their names in formulas

    def write(self, formula: Expression) -> str:
        """A formula as an expression of the language, of z and a."""
        match formula:
            case Call(function=function, arguments=(Symbol(name=name),)) if function.name == "exp":
                return f"{self.functions['exp']}({name})"
        return self._write(with_numbers(formula))[0]

    def _at_least(self, node: Expression, least: int) -> str:
        text, holds = self._write(node)
        return f"({text})" if holds < least else text

    def _write(self, node: Expression) -> tuple[str, int]:
        """The text of a formula, and how strongly it holds together."""
        clip = as_clip(node)
        if clip is not None:
            return self.clip(clip)
        match node:
            case Symbol(name=name, index=()):
                return name, _ATOM
            case Number(value=Fraction(denominator=below) as value) if below & (below - 1):  # no power of two
                return f"{self.number(value.numerator)} / {self.number(below)}", _PRODUCT
            case Number(value=value):
                return self.number(value), _ATOM if value >= 0 else _SIGNED
            case Minus(of=of):
                return f"-{self._at_least(of, _PRODUCT)}", _SUM
            case Sum(terms=terms):
                text = self._at_least(terms[0], _SUM)
                for term in terms[1:]:
                    sign, of = ("-", term.of) if isinstance(term, Minus) else ("+", term)
                    text += f" {sign} {self._at_least(of, _PRODUCT)}"
                return text, _SUM
            case Product():
                first, *others = numbers_joined(node)
                texts = [self._at_least(first, _PRODUCT), *(self._at_least(other, _SIGNED) for other in others)]
                return " * ".join(texts), _PRODUCT
            case Quotient(above=above, below=below):
                return f"{self._at_least(above, _PRODUCT)} / {self._at_least(below, _SIGNED)}", _PRODUCT
            case Power(base=Symbol() as base, exponent=Number(value=int(n))) if 2 <= n <= _MOST_FACTORS:
                return " * ".join([self._write(base)[0]] * n), _PRODUCT
            case Cases(cases=cases, otherwise=otherwise):
                return self.choice([(self.condition(c), self._at_least(v, _SUM)) for v, c in cases], otherwise)
            case Call(function=function, arguments=(Number() as bound, of)) if function.name in ("max", "min"):
                return self.bound(function.name, bound, of)
            case Call(function=function, arguments=(of,)) if function.name != "exp" and function.name in self.functions:
                return f"{self.functions[function.name]}({self._write(of)[0]})", _ATOM
        raise Unwritable(node)

    def condition(self, condition: Condition | Odd) -> str:
        """A comparison."""
        if isinstance(condition, Odd):
            raise Unwritable(Place(condition.index))
        return (
            f"{self._at_least(condition.left, _SUM)} {_SIGNS[condition.sign]} {self._at_least(condition.right, _SUM)}"
        )

    @abstractmethod
    def number(self, value: Constant) -> str:
        """A number."""

    @abstractmethod
    def choice(self, cases: list[tuple[str, str]], otherwise: Expression) -> tuple[str, int]:
        """The value that goes with the first condition that holds, else another."""

    @abstractmethod
    def bound(self, which: str, bound: Number, of: Expression) -> tuple[str, int]:
        """The larger or the smaller, "max" or "min", of a number and something; not a number if that is none."""

    @abstractmethod
    def clip(self, clip: Clip) -> tuple[str, int]:
        """Something kept between two numbers."""


class C(Language):
    """C99, for double."""

    functions: ClassVar[dict[str, str]] = {
        "exp": "exp",
        "tanh": "tanh",
        "abs": "fabs",
        "φ": "sigmoid",
        "Φ": "normal_cdf",
    }

    def number(self, value: Constant) -> str:
        text = repr(to_float(value))
        return text if "." in text else text.replace("e", ".0e")

    def choice(self, cases: list[tuple[str, str]], otherwise: Expression) -> tuple[str, int]:
        return "".join(f"{condition} ? {value} : " for condition, value in cases) + self._write(otherwise)[0], _CHOICE

    def bound(self, which: str, bound: Number, of: Expression) -> tuple[str, int]:
        if not isinstance(of, Symbol):
            raise Unwritable(of)
        sign = "<" if which == "max" else ">"
        return self.choice([(self.condition(Condition(of, sign, bound)), self._write(bound)[0])], of)

    def clip(self, clip: Clip) -> tuple[str, int]:
        if not isinstance(clip.of, Symbol):
            raise Unwritable(clip.of)
        ends = (Condition(clip.of, "≤", clip.low), clip.low), (Condition(clip.of, "≥", clip.high), clip.high)
        return self.choice([(self.condition(c), self._write(end)[0]) for c, end in ends], clip.of)


class NumPy(Language):
    """NumPy, for arrays of either precision, which Python's numbers do not change."""

    functions: ClassVar[dict[str, str]] = {
        "exp": "np.exp",
        "tanh": "np.tanh",
        "abs": "np.abs",
        "φ": "sigmoid",
        "Φ": "normal_cdf",
    }

    def number(self, value: Constant) -> str:
        return str(value) if isinstance(value, int | Decimal) else repr(to_float(value))

    def choice(self, cases: list[tuple[str, str]], otherwise: Expression) -> tuple[str, int]:
        text = self._write(otherwise)[0]
        for condition, value in reversed(cases):
            text = f"np.where({condition}, {value}, {text})"
        return text, _ATOM

    def bound(self, which: str, bound: Number, of: Expression) -> tuple[str, int]:
        return f"np.{which}imum({self._write(of)[0]}, {self._write(bound)[0]})", _ATOM

    def clip(self, clip: Clip) -> tuple[str, int]:
        return f"np.clip({', '.join(self._write(part)[0] for part in clip)})", _ATOM


def to_onnx(g: Graph, formula: Expression, Z: str) -> str:
    """Add the nodes of a formula of z to a graph; gives the name of its value."""
    value = _nodes(g, formula, Z)
    return value if isinstance(value, str) else g.constant(value)


def _nodes(g: Graph, node: Expression, Z: str) -> str | float:
    clip = as_clip(node)
    if clip is not None:
        return g("Clip", *(_nodes(g, part, Z) for part in clip))
    match node:
        case Symbol(name="z", index=()):
            return Z
        case Number(value=value):
            return to_float(value)
        case Minus(of=of):
            return g("Neg", _nodes(g, of, Z))
        case Sum(terms=(first, *terms)):
            total = _nodes(g, first, Z)
            for term in terms:
                operator, of = ("Sub", term.of) if isinstance(term, Minus) else ("Add", term)
                total = g(operator, total, _nodes(g, of, Z))
            return total
        case Product():
            parts = [_nodes(g, factor, Z) for factor in numbers_joined(node)]
            return reduce(lambda left, right: g("Mul", left, right), parts)
        case Quotient(above=above, below=below):
            return g("Div", _nodes(g, above, Z), _nodes(g, below, Z))
        case Call(function=function, arguments=(of,)) if function.name in _OPERATORS:
            return g(_OPERATORS[function.name], _nodes(g, of, Z))
        case Call(function=function, arguments=(of,)) if function.name == "φ":
            return gate(g, _nodes(g, of, Z))
        case Call(function=function, arguments=(Number(value=0), of)) if function.name == "max":
            return g("Relu", _nodes(g, of, Z))
    raise Unwritable(node)


_OPERATORS = {"tanh": "Tanh", "abs": "Abs"}


def gate(g: Graph, Z: str | float) -> str:
    """φ(z) = e^min(z, 0)/(1 + e^−|z|), with all digits of a small one, which a factor z would else bring to light."""
    return g("Div", g("Exp", g("Min", Z, 0.0)), g("Add", 1.0, g("Exp", g("Neg", g("Abs", Z)))))
