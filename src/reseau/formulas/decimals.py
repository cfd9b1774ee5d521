"""Formulas on decimals of many digits: what they come to as they are written, and what doubles have lost of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from reseau.formulas.trees import (
    Call,
    Cases,
    Condition,
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
    Values,
    Where,
    listed,
    place_of,
)

UNKNOWN = Decimal("NaN1")  # what is left out, or has no value here; 0/0 is a NaN without that number
AsWritten = Callable[[Any, int], Decimal]  # a constant, and to how many digits it is set


def exactly(value: Any, digits: int = 0) -> Decimal:
    """A constant with all of its digits; a fraction to sixty."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Fraction):
        return PLENTY.divide(Decimal(value.numerator), Decimal(value.denominator))
    return value if isinstance(value, Decimal) else Decimal(value)


def context(precision: int) -> Context:
    """Arithmetic with so many digits, in which nothing stops at what has no value."""
    return Context(prec=precision, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


PLENTY = context(60)


def is_unknown(value: Decimal) -> bool:
    """Whether something is left out of what was computed."""
    return value.is_nan() and value.as_tuple().digits == UNKNOWN.as_tuple().digits


@dataclass(frozen=True)
class Decimals:
    """Evaluates formulas on decimals.

    Parameters
    ----------
    arithmetic : Context
        With how many digits.
    read : callable
        What decimal a constant is.
    """

    arithmetic: Context = PLENTY
    read: AsWritten = exactly

    def of(self, node: Expression, values: Values | None = None) -> Decimal:
        """The value of a formula; unknown where something is left out of it or goes by a name alone."""
        return self._of(node, {} if values is None else values)

    def _of(self, node: Expression, values: Values) -> Decimal:
        do = self.arithmetic
        match node:
            case Number(value=value, digits=digits):
                return self.read(value, digits)
            case Named(value=value):
                return Decimal(value)
            case Symbol(name=name, index=index):
                return self._symbol(name, index, values)
            case Sum(terms=terms):
                return self.sum([self._of(term, values) for term in terms])
            case Product(factors=factors):
                found = self._of(factors[0], values)
                for factor in factors[1:]:
                    found = do.multiply(found, self._of(factor, values))
                return found
            case Minus(of=of):
                return do.minus(self._of(of, values))
            case Quotient(above=above, below=below):
                return do.divide(self._of(above, values), self._of(below, values))
            case Power(base=base, exponent=exponent):
                return do.power(self._of(base, values), self._of(exponent, values))
            case Call(function=function, arguments=arguments):
                return self._call(function.name, function.compute, [self._of(x, values) for x in arguments])
            case SumOver(index=index, body=body, counted=counted) if counted in values:
                places = range(len(values[counted]))
                return self.sum([self._of(body, {**values, index: place}) for place in places])
            case Kronecker(i=i, j=j):
                return Decimal(int(values[i] == values[j]))
            case Place(index=index) if index in values:
                return Decimal(1 + place_of(index, values))
            case Cases(cases=cases, otherwise=otherwise):
                holding = (value for value, condition in cases if self._holds(condition, values))
                return self._of(next(holding, otherwise), values)
            case Where(body=body, definitions=definitions):
                known = dict(values)
                for left, right in definitions:
                    if isinstance(left, Symbol) and isinstance(right, Call) and right.function is listed:
                        known[left.name] = [self._of(each, known) for each in right.arguments]
                    elif isinstance(left, Symbol):
                        known[left.name] = self._of(right, known)
                return self._of(body, known)
        return UNKNOWN

    def sum(self, terms: Sequence[Decimal]) -> Decimal:
        """The sum of some numbers."""
        found = terms[0]
        for term in terms[1:]:
            found = self.arithmetic.add(found, term)
        return found

    def _symbol(self, name: str, index: tuple[str | int, ...], values: Values) -> Decimal:
        if name not in values:
            return UNKNOWN
        value = values[name]
        for i in index:
            value = value[place_of(i, values) if isinstance(i, str) else i - 1]
        return exactly(value)

    def _holds(self, condition: Condition | Odd, values: Values) -> bool:
        if isinstance(condition, Odd):
            return condition.holds(values)
        left, right = self._of(condition.left, values), self._of(condition.right, values)
        if left.is_nan() or right.is_nan():
            return False
        return {"<": left < right, "≤": left <= right, ">": left > right, "≥": left >= right}[condition.sign]

    def _call(self, name: str, compute: Callable[..., Any], given: list[Decimal]) -> Decimal:
        for x in given:
            if x.is_nan():
                return x
        if name in self._functions:
            return self._functions[name](*given)
        try:  # cos, erf and Φ, whose doubles are as good as they are written
            with np.errstate(all="ignore"):
                return Decimal(float(compute(*map(float, given))))
        except (TypeError, OverflowError):
            return UNKNOWN

    @cached_property
    def _functions(self) -> Mapping[str, Callable[..., Decimal]]:
        do, one = self.arithmetic, Decimal(1)

        def logistic(x: Decimal) -> Decimal:
            return do.divide(one, do.add(one, do.exp(do.minus(x))))

        def tanh(x: Decimal) -> Decimal:
            square = do.exp(do.multiply(Decimal(-2), x.copy_abs()))
            return do.divide(do.subtract(one, square), do.add(one, square)).copy_sign(x)

        return {
            "exp": do.exp,
            "log": do.ln,
            "tanh": tanh,
            "φ": logistic,
            "√": do.sqrt,
            "abs": do.abs,
            "sign": lambda x: Decimal(int(x > 0) - int(x < 0)),
            "max": do.max,
            "min": do.min,
        }
