"""What a step's functions come to in truth, from the scores and with many digits: doubles lose some near a limit.

An output of 1 − 4·10⁻¹⁸ is 1 as a double, and its 1 − o is 0, as are the derivatives that follow from it. Here outputs
are computed from the scores with as many digits as it takes, by the formulas of the tables, and so is what follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite, isinf
from typing import Any

import numpy as np

from reseau.blackboard.step import Parts, Task
from reseau.blackboard.written import SMALLEST
from reseau.formulas.decimals import PLENTY, UNKNOWN, Decimals, context, exactly
from reseau.formulas.trees import Expression, Number, Values, to_float
from reseau.vocabulary.activations.activation import group_of

LITTLE = 1e-3  # relatively: by what two numbers of a few digits may differ and look the same
DIGITS = 60  # besides those that 1 − o takes
MOST_MORE = 700  # which the tanh of 800 takes; no double is so small


def agrees(value: Any, truth: Decimal, underflow: bool = True) -> bool:
    """Whether a double has the digits of what it stands for, as far as that is known.

    Parameters
    ----------
    value : number
        What was computed.
    truth : Decimal
        What it should be, or what is unknown.
    underflow : bool
        Whether 0 may stand for what is smaller than any double.
    """
    found = to_float(value)
    if truth.is_nan():
        return True
    if not isfinite(found):
        return truth.is_infinite()
    if not found and truth:
        return underflow and truth.copy_abs() < SMALLEST
    if abs(Decimal(found)) < SMALLEST and truth.copy_abs() < SMALLEST:
        return True
    return PLENTY.subtract(Decimal(found), truth).copy_abs() <= PLENTY.multiply(Decimal(LITTLE), truth.copy_abs())


@dataclass(frozen=True)
class Truth:
    """The true values of a step, row by row."""

    task: Task
    parts: Parts
    _outputs: dict[tuple[int, int], list[Decimal]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def outputs(self, l: int, r: int) -> list[Decimal]:
        """σ_l of a row, or V_l."""
        if (l, r) not in self._outputs:
            sigma, row = self.task.layer(l).sigma, self._scores(l, r)
            exact = self._arithmetic(l, r)
            found = []
            for j, z in enumerate(row):
                values: Values = {"z": z} if not sigma.row_wise else of_group({"z": row, "j": j}, sigma.groups)
                value = exact.of(sigma.formula, values) if z.is_finite() else UNKNOWN
                found.append(self._inside(l, value, exact.arithmetic.prec) if self.saturates(l, r) else value)
            self._outputs[l, r] = found
        return self._outputs[l, r]

    def saturates(self, l: int, r: int) -> bool:
        """Whether not even so many digits tell the outputs of a row from their limits."""
        return self._more(l, r) > MOST_MORE

    def slope(self, l: int, r: int, j: int, i: int | None = None) -> Decimal:
        """σ′ of number j of a row, or of a row-wise σ D_ij."""
        sigma, a = self.task.layer(l).sigma, self.outputs(l, r)
        if sigma.row_wise:
            assert i is not None
            return self._in_jacobian(l, r, i, j)
        return self._arithmetic(l, r).of(sigma.derivative_formula, {"z": self._scores(l, r)[j], "a": a[j]})

    def error(self, r: int, j: int) -> Decimal:
        """e_j of a row."""
        return self._of_loss(self.task.architecture.error.formula, r, j)

    def by_output(self, r: int, j: int) -> Decimal:
        """∂E/∂o_j of a row, with what the row counts."""
        return self._share(self._of_loss(self.task.architecture.error.derivative_formula, r, j))

    def delta(self, l: int, r: int, j: int) -> Decimal:
        """∂E/∂z_j of a row; of a hidden layer from the ∂E/∂A that was computed."""
        architecture, L = self.task.architecture, self.task.depth
        if l == L and architecture.simplifies:
            return self._share(self._of_loss(architecture.error.delta_formula, r, j))
        exact = self._arithmetic(l, r)

        def reaching(i: int) -> Decimal:
            return self.by_output(r, i) if l == L else exactly(self.parts[f"dA{l}"][r, i])

        if not self.task.layer(l).sigma.row_wise:
            return exact.arithmetic.multiply(reaching(j), self.slope(l, r, j))
        places = range(architecture.widths[l])
        return exact.sum([exact.arithmetic.multiply(reaching(i), self.slope(l, r, j, i)) for i in places])

    # --- how it is computed -------------------------------------------------------------------------------------------

    def _scores(self, l: int, r: int) -> list[Decimal]:
        return [exactly(z) for z in self.parts[f"Z{l}"][r]]

    def _arithmetic(self, l: int, r: int) -> Decimals:
        """As many digits as it takes."""
        return Decimals(context(DIGITS + int(min(self._more(l, r), MOST_MORE))))

    def _more(self, l: int, r: int) -> float:
        """How many digits 1 − e^−2z takes, where there is a limit to come near to."""
        sigma = self.task.layer(l).sigma
        if not sigma.row_wise and isinf(sigma.range.low) and isinf(sigma.range.high):
            return 0.0
        sizes = (abs(to_float(z)) for z in self.parts[f"Z{l}"][r])
        return 0.87 * max(filter(isfinite, sizes), default=0.0)

    def _inside(self, l: int, value: Decimal, precision: int) -> Decimal:
        """What has come to a limit that is never reached, a little before it."""
        span, little = self.task.layer(l).sigma.range, Decimal(1).scaleb(10 - precision)
        if value == Decimal(span.low) and not span.includes_low:
            return context(precision).add(value, little)
        if value == Decimal(span.high) and not span.includes_high:
            return context(precision).subtract(value, little)
        return value

    def _in_jacobian(self, l: int, r: int, i: int, j: int) -> Decimal:
        sigma, a = self.task.layer(l).sigma, self.outputs(l, r)
        if sigma.groups:
            (here, in_group), (there, place) = group_of(sigma.groups, j), group_of(sigma.groups, i)
            if here != there:
                return Decimal(0)
            a, i, j = a[here], place, in_group
        return self._arithmetic(l, r).of(sigma.derivative_formula, {"a": a, "i": i, "j": j})

    def _of_loss(self, formula: Expression, r: int, j: int) -> Decimal:
        L, loss = self.task.depth, self.task.architecture.error
        exact, o = self._arithmetic(L, r), self.outputs(L, r)
        if self.task.layer(L).residual:
            V, A = (self.parts[f"{name}{L}"][r] for name in "VA")
            o = [exact.arithmetic.add(v, exactly(a - b)) for v, a, b in zip(o, A, V, strict=True)]
        t = [exactly(value) for value in self.parts["T"][r]]
        return exact.of(formula, of_group({"o": o, "t": t, "j": j}, loss.groups))

    def _share(self, value: Decimal) -> Decimal:
        rows = self.parts["X"].shape[0]
        return value if rows == 1 else Decimals().arithmetic.divide(value, Decimal(rows))


def of_group(values: Parts, groups: tuple[int, ...]) -> Parts:
    """Rows and a place j in them as they are in the group of outputs that j belongs to."""
    if not groups:
        return values
    group, j = group_of(groups, int(values["j"]))
    return {name: value[group] if np.ndim(value) else value for name, value in values.items()} | {"j": j}


def as_number(truth: Decimal) -> Number | None:
    """A true value as a number, if a double can stand for it."""
    found = float(truth)
    return Number(found) if isfinite(found) and (not truth or truth.copy_abs() >= SMALLEST) else None
