"""What a lesson says of functions, which rounding may hide: activations and the error, there and back.

Where an output is so near its limit that a double cannot tell it from that, differences from the limit are lost. Then
lines that would be false are left out, the error is worked out from the scores where a formula allows it, and what the
computation goes on with is said to be only near the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import isinf
from typing import Any

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.chalk import Chalk, sum_of, without_repeats
from reseau.blackboard.sheet import Chain, Line, Prose, Side, matrix, number, without_gaps
from reseau.blackboard.step import O_STAR, ROWS, E, O, Parts, derivative_by, of_its_layer, of_layer
from reseau.blackboard.truth import LITTLE, Truth, agrees, as_number, of_group
from reseau.blackboard.written import formula_with
from reseau.formulas.fractions import floats
from reseau.formulas.trees import DOTS, Expression, SumOver, Symbol, named, replaced, symbols_of, to_float
from reseau.vocabulary.losses.loss import o, t


@dataclass(frozen=True)
class Functions(Chalk):
    """The lines about activations and the error."""

    @cached_property
    def truth(self) -> Truth:
        """What they come to in truth."""
        return Truth(self.task, self.parts)

    # --- forward ------------------------------------------------------------------------------------------------------

    def activation(self, l: int) -> Iterator[Line]:
        """A = σ(Z)."""
        sigma, value, z = self.task.layer(l).sigma, self.task.value(l), Symbol("z")
        assert isinstance(value.symbol, Symbol)
        letter = value.symbol.written.lower()
        if sigma.row_wise:
            yield Chain(((Symbol(letter, sigma.letter, index=("j",)),), (sigma.formula,)))
            if sigma.groups:
                sizes = [str(n) for n in sigma.groups]
                yield self.prose(words.IN_GROUPS, groups=self.listed(sizes, ", ", words.AND))
        else:
            yield Chain(((named(sigma.letter)(z),), (sigma.formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    values = {"z": self.parts[f"Z{l}"][r], "j": j}
                    if not sigma.row_wise:
                        values["z"] = values["z"][j]
                    plugged = _plugged(sigma.formula, of_group(values, sigma.groups))
                    left = Symbol(letter, index=self.index(j, r), layer=str(l))
                    yield self.worked_chain(left, plugged, value=self.parts[value.name][r, j])
            yield from self._at_limits(l, letter)
        symbols: Side = (named(sigma.letter)(of_layer("Z", l)),)
        yield from self.chain((value.symbol,), symbols, result=value.name, near=self._overflows(l))

    def _overflows(self, l: int) -> bool:
        """Whether an activation gives what is too large for a double."""
        value, Z = (self.parts[name] for name in (self.task.value(l).name, f"Z{l}"))
        return any(isinf(to_float(value[r, j])) and not isinf(to_float(Z[r, j])) for r, j in self._shown(l))

    def _at_limits(self, l: int, letter: str) -> Iterator[Line]:
        """Tell which outputs are no more to be told from a limit that they do not reach."""
        sigma, value = self.task.layer(l).sigma, self.parts[self.task.value(l).name]
        for limit in (sigma.range.low, sigma.range.high):
            found: list[Expression] = []
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    if isinf(limit) or to_float(value[r, j]) != limit:
                        continue
                    truth = self.truth.outputs(l, r)[j]
                    if not truth.is_nan() and truth != Decimal(limit):
                        found.append(Symbol(letter, index=self.index(j, r), layer=str(l)))
            if found:
                fields = [f"s{place}" for place in range(len(found))]
                listed = self.listed([f"{{{name}}}" for name in fields], ", ", words.AND)
                text = words.AT_LIMIT if len(found) == 1 else words.SEVERAL_AT_LIMIT
                numbers = (*zip(fields, found, strict=True), ("limit", number(limit)))
                yield Prose(self.say(text, outputs=listed, limit="{limit}"), numbers)

    # --- the error ----------------------------------------------------------------------------------------------------

    def error(self) -> Iterator[Line]:
        """e of each output, and E."""
        L, loss = self.task.depth, self.task.architecture.error
        e = Symbol("e", index=("j",))
        yield self.prose(words.ERROR_OF_EACH, loss=self.say(loss.words))
        yield Chain(((e,), (loss.formula,)))
        near = self._any_near("e", L, self.truth.error)
        if not self.blank:
            yield from self._errors()
        yield from self.chain((Symbol("e"),), result="e", near=near)
        if self.rows == 1:
            yield self.prose(words.TOTAL)
            terms = [DOTS if j is None else number(self.parts["e"][0, j]) for j in self.places(L)]
            numbers: Side = () if near else (sum_of(terms),)
            yield from self.chain((E,), (SumOver("j", e, ""),), numbers=numbers, result="E", near=near, tell=False)
        else:
            yield self.prose(words.MEAN, rows=self.rows)
            total = self.over_rows(SumOver("j", e, ""))
            yield from self.chain((E,), (self.share(total),), result="E", near=near, tell=False)

    def _errors(self) -> Iterator[Line]:
        """The errors of the worked rows, from the outputs or, where these do not tell them, from the scores."""
        L, architecture = self.task.depth, self.task.architecture
        loss, from_scores = architecture.error, []
        for r in self.worked_rows():
            for j in without_gaps(self.places(L)):
                value, values = self.parts["e"][r, j], self._of_row(r, j)
                left = Symbol("e", index=self.index(j, r))
                formula = formula_with(_plugged(loss.formula, values), value, self.digits)
                truth = self.truth.error(r, j)
                if formula is not None and agrees(value, truth):
                    yield Chain(without_repeats(((left,), (formula,), (number(value),))))
                elif architecture.simplifies and loss.scores_formula is not None:
                    from_scores.append((left, _plugged(loss.scores_formula, values), value))
                else:
                    yield from self._as_it_is(left, value, truth, not self.truth.saturates(L, r))
        if from_scores:
            assert loss.scores_formula is not None
            formula = loss.scores_formula
            letters: dict[Expression, Expression] = {
                symbol: of_its_layer(symbol, L) for symbol in symbols_of(formula) if symbol.name == "z"
            }
            yield self.prose(words.FROM_SCORES)
            yield Chain(((Symbol("e", index=("j",)),), (replaced(formula, letters),)))
            for left, plugged, value in from_scores:
                yield self.worked_chain(left, plugged, value=value)

    def error_derivative(self) -> Iterator[Line]:
        """∂E/∂O."""
        L, loss = self.task.depth, self.task.architecture.error
        yield self.prose(words.ERROR_DERIVATIVE)
        changed = Symbol("∂E") if loss.per_target > 1 else Symbol("∂e", index=("j",))  # all errors of a target have o_j
        yield Chain(((changed / Symbol("∂o", index=("j",)),), (loss.derivative_formula,)))
        if self.rows > 1:
            yield self.prose(words.AVERAGED, rows=self.rows)
        if self.saturated:
            return
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(L)):
                    plugged = self.share(_plugged(loss.derivative_formula, self._of_row(r, j)))
                    left = Symbol("∂E") / Symbol("∂o", index=self.index(j, r))
                    value, truth = self.parts[f"dA{L}"][r, j], self.truth.by_output(r, j)
                    yield from self._worked(left, plugged, value, truth, not self.truth.saturates(L, r))
        near = self._any_near(f"dA{L}", L, self.truth.by_output)
        yield from self.chain((derivative_by("O"),), result=f"dA{L}", near=near)

    # --- back through an activation -----------------------------------------------------------------------------------

    def derivative(self, l: int) -> Iterator[Line]:
        """σ′(Z), or the Jacobian D of each row."""
        sigma, Z, A, D = (
            self.task.layer(l).sigma,
            *(self.parts[name] for name in (f"Z{l}", self.task.value(l).name, f"D{l}")),
        )
        near = self._derivative_is_near(l)
        if sigma.row_wise:
            yield self.prose(words.JACOBIAN, l=l)
            yield Chain(((Symbol("D", index=("i", "j")),), (sigma.derivative_formula,)))
            for r in without_gaps(self.places(ROWS)):
                if self.rows > 1:
                    yield self.prose(words.ROW_R, r=r + 1)
                if not self.blank and r in self.worked_rows():
                    first = sigma.groups[0] if sigma.groups else D.shape[2]
                    for j in [j for j in without_gaps(self.places(l)) if j < first][:2]:
                        values = of_group({"a": A[r], "i": 0, "j": j}, sigma.groups)
                        left = Symbol("D", index=(1, j + 1), layer=str(l))
                        plugged = _plugged(sigma.derivative_formula, values)
                        truth, known = self.truth.slope(l, r, j, 0), not self.truth.saturates(l, r)
                        yield from self._worked(left, plugged, D[r, 0, j], truth, known, strictly=True)
                shown = self.places(l)
                of_row = matrix(D[r], shown, shown, f"D{l}" if self.blank else "")
                yield from self.chain((of_layer("D", l),), result=of_row, near=near)
            return
        yield self.prose(words.DERIVATIVE, l=l)
        prime = named(f"{sigma.letter}′")
        yield Chain(((prime(Symbol("z")),), (sigma.derivative_formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    plugged = _plugged(sigma.derivative_formula, {"z": Z[r, j], "a": A[r, j]})
                    at = prime(Symbol("z", index=self.index(j, r), layer=str(l)))
                    truth, known = self.truth.slope(l, r, j), not self.truth.saturates(l, r)
                    yield from self._worked(at, plugged, D[r, j], truth, known, strictly=True)
        yield from self.chain((prime(of_layer("Z", l)),), result=f"D{l}", near=near)

    def delta(self, l: int) -> Iterator[Line]:
        """δ = ∂E/∂Z."""
        sigma, delta, Z, last = self.task.layer(l).sigma, of_layer("δ", l), of_layer("Z", l), l == self.task.depth
        G = derivative_by("O" if last else "A", None if last else l)
        yield self.prose(words.DELTA if self.task.layer(l).of_neurons else words.DELTA_OF_NUMBERS, l=l)
        if not self.has_activation(l):
            yield from self.chain((delta,), (derivative_by("Z", l),), (G,), result=f"delta{l}")
            return
        simplifies = last and self.task.architecture.simplifies and not self.blank
        lost = self._derivative_is_near(l) or (last and self._any_near(f"dA{l}", l, self.truth.by_output))
        if (last and self.saturated) or lost:
            product: Side = (G, of_layer("D", l)) if sigma.row_wise else (G, "∘", named(f"{sigma.letter}′")(Z))
            yield Chain(((delta,), (derivative_by("Z", l),), product))
            if not simplifies:
                yield from self.chain((delta,), result=f"delta{l}", near=self._delta_is_near(l), tell=False)
        elif sigma.row_wise:
            numbers: Side = ()
            if self.rows == 1:
                shown = self.places(l)
                numbers = (self.matrix(f"dA{l}"), "·", matrix(self.parts[f"D{l}"][0], shown, shown))
            yield from self.chain(
                (delta,), (derivative_by("Z", l),), (G, of_layer("D", l)), numbers=numbers, result=f"delta{l}"
            )
        else:
            numbers = (self.matrix(f"dA{l}"), "∘", self.matrix(f"D{l}"))
            symbols: Side = (G, "∘", named(f"{sigma.letter}′")(Z))
            yield from self.chain((delta,), (derivative_by("Z", l),), symbols, numbers=numbers, result=f"delta{l}")
        if simplifies:
            yield from self._simplified(delta, self.saturated or lost)

    def _simplified(self, delta: Expression, saturated: bool) -> Iterator[Line]:
        """What the last layer's δ comes to."""
        l, formula = self.task.depth, self.task.architecture.error.delta_formula
        near = self._delta_is_near(l)
        if formula == o - t:
            yield self.prose(words.SATURATED if saturated else words.SIMPLIFIES)
            difference: Side = (self.share(O - O_STAR),)
            numbers = (self.matrix(f"A{l}"), "−", self.matrix("T")) if self.rows == 1 and not near else ()
            yield from self.chain((delta,), difference, numbers=numbers, result=f"delta{l}", near=near, tell=False)
            return
        yield self.prose(words.SATURATED_BECOMES if saturated else words.BECOMES)
        yield Chain(((Symbol("∂E") / Symbol("∂z", index=("j",), layer=str(l)),), (formula,)))
        yield from self.chain((delta,), result=f"delta{l}", near=near, tell=False)

    # --- what is true -------------------------------------------------------------------------------------------------

    @cached_property
    def saturated(self) -> bool:
        """Whether outputs are so near their limits that the last layer's δ, a difference, is not the product shown."""
        L = self.task.depth
        if self.blank or not self.task.architecture.simplifies:
            return False
        G, D, delta = (floats(self.parts[f"{name}{L}"]) for name in ("dA", "D", "delta"))
        with np.errstate(all="ignore"):
            product = np.einsum("ri,rij->rj", G, D) if D.ndim > delta.ndim else G * D
            near = np.abs(product - delta) <= LITTLE * np.abs(delta) + LITTLE * np.abs(delta).max() / 1000
        return bool(np.isfinite(delta).all() and not near.all())

    def _shown(self, l: int) -> Iterator[tuple[int, int]]:
        """The shown rows and neurons of a layer."""
        columns = list(without_gaps(self.places(l)))
        return ((r, j) for r in without_gaps(self.places(ROWS)) for j in columns)

    def _any_near(self, name: str, l: int, truth: Callable[[int, int], Decimal], strictly: bool = False) -> bool:
        """Whether a shown number has lost its digits; strictly, also one that is 0 for being too small."""
        values = self.parts[name]
        shown = () if self.blank else self._shown(l)
        return any(not agrees(values[r, j], truth(r, j), not strictly) for r, j in shown)

    def _derivative_is_near(self, l: int) -> bool:
        if self.blank or not self.has_activation(l):
            return False
        if not self.task.layer(l).sigma.row_wise:
            return self._any_near(f"D{l}", l, lambda r, j: self.truth.slope(l, r, j), strictly=True)
        D, places = self.parts[f"D{l}"], list(without_gaps(self.places(l)))
        return any(
            not agrees(D[r, i, j], self.truth.slope(l, r, j, i), False) for r, j in self._shown(l) for i in places
        )

    def _delta_is_near(self, l: int) -> bool:
        return self._any_near(f"delta{l}", l, lambda r, j: self.truth.delta(l, r, j), strictly=True)

    def _of_row(self, r: int, j: int) -> Parts:
        """What the error of output j of a row is worked out from."""
        L = self.task.depth
        values = {"o": self.parts[f"A{L}"][r], "t": self.parts["T"][r], "z": self.parts[f"Z{L}"][r], "j": j}
        return of_group(values, self.task.architecture.error.groups)

    def _worked(
        self, left: Expression, plugged: Expression, value: Any, truth: Decimal, known: bool, strictly: bool = False
    ) -> Iterator[Line]:
        """One number, worked out unless its digits are lost."""
        if agrees(value, truth, not strictly):
            yield self.worked_chain(left, plugged, value=value)
        else:
            yield from self._as_it_is(left, value, truth, known)

    def _as_it_is(self, left: Expression, value: Any, truth: Decimal, known: bool) -> Iterator[Line]:
        """One number without its calculation, which rounding has spoilt; nor that where no double stands for it."""
        true = number(value) if truth.is_nan() else as_number(truth) if known else None
        if true is not None:
            yield Chain(((left,), (true,)))

    def has_activation(self, l: int) -> bool:
        """Whether an activation of layer l is shown: not where it changes nothing and the layer has no neurons."""
        layer = self.task.layer(l)
        return layer.of_neurons or layer.sigma.formula != Symbol("z")


def _plugged(formula: Expression, values: Parts) -> Expression:
    """A formula with numbers; what overflows within it is shown as it is."""
    with np.errstate(all="ignore"):
        return formula.plug(values)
