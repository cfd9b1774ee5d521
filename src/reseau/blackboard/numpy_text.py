"""Formulas and arrays as Python with NumPy, as in the cells of a notebook.

A formula of one number is written for whole arrays where that is the same, ``np.exp(Z) / np.exp(Z).sum(axis=1,
keepdims=True)``, and else as a comprehension over rows and places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from reseau.formulas.fractions import floats
from reseau.formulas.trees import (
    Call,
    Cases,
    Condition,
    Constant,
    Expression,
    Kronecker,
    Minus,
    Named,
    Number,
    Odd,
    Place,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    Where,
    symbols_of,
)

TERM, FACTOR, RAISED, WHOLE = range(4)  # how strongly a text holds together
LONGEST_LINE = 100  # of an array that is written in one line

FUNCTIONS = {
    "exp": "np.exp({})",
    "log": "np.log({})",
    "tanh": "np.tanh({})",
    "cos": "np.cos({})",
    "floor": "np.floor({})",
    "√": "np.sqrt({})",
    "abs": "np.abs({})",
    "sign": "np.sign({})",
    "max": "np.maximum({}, {})",
    "min": "np.minimum({}, {})",
    "erf": "np.vectorize(math.erf)({})",
    "Φ": "np.vectorize(math.erfc)(-({}) / np.sqrt(2)) / 2",
    "φ": "1 / (1 + np.exp(-({})))",
    "": "np.array([{}])",
}


def array_text(values: Any) -> str:
    """An array, as one writes it; a matrix row by row where it is long."""
    array = np.asarray(floats(np.asarray(values)), dtype=np.float64)
    if array.ndim == 0:
        return _float(float(array))
    if array.ndim == 1:
        return f"np.array([{', '.join(map(_float, array.tolist()))}])"
    rows = [f"[{', '.join(map(_float, row))}]" for row in array.tolist()]
    line = f"np.array([{', '.join(rows)}])"
    if len(line) <= LONGEST_LINE:
        return line
    return "np.array([\n" + "".join(f"    {row},\n" for row in rows) + "])"


def _float(value: float) -> str:
    return repr(value) if np.isfinite(value) else f"np.{value}" if value > 0 or value != value else "-np.inf"


def _constant(value: Constant) -> str:
    if isinstance(value, Fraction) and Fraction(float(value)) != value:
        return f"({value})"
    if isinstance(value, Fraction | Decimal) and value == int(value):
        return str(int(value))
    return str(value) if isinstance(value, int) else _float(float(value))


def whole(formula: Expression) -> bool:
    """Whether a formula of the number j of a row is the same for whole arrays."""
    return _whole(formula, "j")


def _whole(node: Any, free: str | None) -> bool:
    """Whether its symbols with an index have this one, and nothing else asks for a place."""
    if isinstance(node, Kronecker | Place | Odd):
        return False
    if isinstance(node, Symbol):
        return node.index in ((), (free,))
    if isinstance(node, SumOver):
        return free == "j" and any(symbol.index for symbol in symbols_of(node.body)) and _whole(node.body, node.index)
    if isinstance(node, tuple):
        return all(_whole(part, free) for part in node)
    return all(_whole(part, free) for part in vars(node).values()) if isinstance(node, Expression | Condition) else True


@dataclass(frozen=True)
class Writer:
    """Writes formulas.

    Parameters
    ----------
    names : mapping
        What is written for each symbol, by its name.
    by_place : bool
        Whether a symbol with an index is one number of it, as within a comprehension; else it is the array.
    scalar : bool
        Whether conditions are of single numbers.
    """

    names: Mapping[str, str]
    by_place: bool = False
    scalar: bool = False

    def write(self, node: Expression) -> str:
        """A formula."""
        return self._set(node)[0]

    def _within(self, node: Expression, least: int) -> str:
        text, strength = self._set(node)
        return text if strength >= least else f"({text})"

    def _set(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number(value=value):
                text = _constant(value)
                return text, TERM if text.startswith("-") else WHOLE
            case Named(value=value):
                return ("np.pi" if value == np.pi else repr(value)), WHOLE
            case Symbol():
                return self._symbol(node)
            case Place(index=index):
                return f"({self._place(index)} + 1)", WHOLE
            case Kronecker(i=i, j=j):
                return f"({i} == {j})", WHOLE
            case Sum(terms=terms):
                text = self._within(terms[0], TERM)
                for term in terms[1:]:
                    sign, of = ("-", term.of) if isinstance(term, Minus) else ("+", term)
                    text += f" {sign} {self._within(of, FACTOR)}"
                return text, TERM
            case Minus(of=of):
                return f"-{self._within(of, FACTOR)}", TERM
            case Product(factors=factors):
                return " * ".join(self._within(f, RAISED if n else FACTOR) for n, f in enumerate(factors)), FACTOR
            case Quotient(above=above, below=below):
                return f"{self._within(above, FACTOR)} / {self._within(below, RAISED)}", FACTOR
            case Power(base=base, exponent=exponent):
                return f"{self._within(base, WHOLE)} ** {self._within(exponent, RAISED)}", RAISED
            case Call(function=function, arguments=arguments):
                several = [self.write(argument) for argument in arguments]
                form = FUNCTIONS[function.name]
                text = form.format(", ".join(several)) if function.name == "" else form.format(*several)
                return text, WHOLE if form.endswith(")") and "/" not in form else FACTOR
            case SumOver(index=index, body=body, counted=counted):
                return self._sum_over(index, body, counted), WHOLE
            case Cases(cases=cases, otherwise=otherwise):
                return self._cases(cases, otherwise), WHOLE
            case Where(body=body, definitions=definitions):
                names = dict(self.names)
                for left, right in definitions:
                    if isinstance(left, Symbol):
                        names[left.name] = f"({Writer(names, self.by_place, self.scalar).write(right)})"
                return Writer(names, self.by_place, self.scalar)._set(body)
        raise TypeError(f"{type(node).__name__} is not written as NumPy.")

    def _symbol(self, symbol: Symbol) -> tuple[str, int]:
        text = self.names[symbol.name]
        if self.by_place and symbol.index:
            return f"{text}[{self._place(symbol.index[0])}]", WHOLE
        return text, WHOLE

    def _place(self, index: str | int) -> str:
        if isinstance(index, int):
            return str(index - 1)
        return index[0] + {"": "", "+1": " + 1", "−1": " - 1"}[index[1:]]

    def _sum_over(self, index: str, body: Expression, counted: str) -> str:
        text = self.write(body)
        if self.by_place:
            return f"sum({text} for {index} in range(len({self.names[counted]})))"
        return f"({text}).sum(axis=1, keepdims=True)"

    def _cases(self, cases: tuple[tuple[Expression, Condition | Odd], ...], otherwise: Expression) -> str:
        text = self.write(otherwise)
        for value, condition in reversed(cases):
            holds = self._condition(condition)
            if self.by_place or self.scalar:
                text = f"({self.write(value)} if {holds} else {text})"
            else:
                text = f"np.where({holds}, {self.write(value)}, {text})"
        return text

    def _condition(self, condition: Condition | Odd) -> str:
        if isinstance(condition, Odd):
            return f"{self._place(condition.index)} % 2 == 0"
        sign = {"<": "<", "≤": "<=", ">": ">", "≥": ">="}[condition.sign]
        return f"{self._within(condition.left, TERM)} {sign} {self._within(condition.right, TERM)}"
