"""What the sections of a lesson are made of: sentences, matrices, chains, and the equations of any kind of layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.sheet import Chain, Line, Matrix, Piece, Prose, Side, chosen, matrix, number, without_gaps
from reseau.blackboard.step import ONE, ROWS, Part, Parts, Placed, Task, of_its_layer, parts_of, simplest
from reseau.blackboard.written import formula_with, side_with
from reseau.formulas.trees import (
    DOTS,
    Blank,
    Expression,
    Minus,
    Number,
    Product,
    Sum,
    SumOver,
    Symbol,
    replaced,
    symbols_of,
    to_float,
)
from reseau.formulas.words import Words
from reseau.vocabulary.layers.equations import OfMatrices, OfNumbers


@dataclass(frozen=True)
class Names:
    """What a table calls the inputs and outputs, and what its cells held.

    Attributes
    ----------
    inputs, outputs : sequence of str
        One for each input and each output neuron.
    """

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Chalk:
    """What a lesson is written with.

    Parameters
    ----------
    task : Task
        What it is a step of.
    parts : dict
        Its numbers.
    lang : str
        The language of the sentences.
    focus : mapping
        Of "rows" or the number of a layer (0 for the inputs): the places shown whatever the size.
    blank : bool
        Whether the results are left to be filled in.
    names : Names
        Of inputs and outputs.
    digits : int
        To how many significant digits numbers are rounded, where no more are needed.
    """

    task: Task
    parts: Parts
    lang: str = "en"
    focus: Mapping[str | int, Sequence[int]] = field(default_factory=dict)
    blank: bool = False
    names: Names = Names()
    digits: int = 4

    @cached_property
    def known(self) -> dict[str, Part]:
        """What has numbers, by name."""
        return parts_of(self.task)

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(self.parts["X"].shape[0])

    # --- words --------------------------------------------------------------------------------------------------------

    def say(self, what: Words, **fields: Any) -> str:
        """A sentence in the language."""
        return what.in_(self.lang).format(**fields)

    def prose(self, what: Words, **fields: Any) -> Prose:
        """A sentence as a line."""
        return Prose(self.say(what, **fields))

    def listed(self, items: Sequence[str], comma: str, last: Words) -> str:
        """Some words, one after another."""
        *before, end = items
        return self.say(last).join([comma.join(before), end]) if before else end

    # --- numbers ------------------------------------------------------------------------------------------------------

    def places(self, axis: str | int) -> list[int | None]:
        """The shown places of an axis: "rows", or a layer's neurons (0 for the inputs)."""
        size = self.rows if axis == ROWS else 1 if axis == ONE else self.task.architecture.widths[int(axis)]
        return chosen(size, self.focus.get(axis, ()))

    def worked_rows(self) -> list[int]:
        """The rows whose numbers are written out one by one."""
        return list(self.focus.get(ROWS, ())) or [0]

    def worked(self, l: int) -> list[int]:
        """The neurons of a layer whose sum is written out."""
        return list(self.focus.get(l, ())) or [0]

    def matrix(self, name: str, blank: bool = False) -> Matrix:
        """The shown part of a matrix; a vector is a row."""
        array, axes = np.atleast_2d(self.parts[name]), self.known[name].axes
        rows = self.places(axes[0]) if len(axes) > 1 else [0]
        return matrix(array, rows, self.places(axes[-1]), name if blank else "")

    def transposed(self, name: str) -> Matrix:
        """The same, transposed."""
        shown = self.matrix(name)
        return Matrix(tuple(zip(*shown.rows, strict=True)))

    def result(self, name: str) -> Piece:
        """What a chain ends with: the numbers, or blanks for them."""
        value = self.parts[name]
        if value.ndim == 0:
            return Blank(name) if self.blank else number(value[()])
        return self.matrix(name, self.blank)

    def chain(
        self,
        left: Side,
        *symbols: Side,
        numbers: Side = (),
        result: str | Piece,
        sign: str = "=",
        near: bool = False,
        tell: bool = True,
    ) -> Iterator[Line]:
        """left = symbols = numbers = result; without the numbers where the result is to be found by hand.

        Nor do numbers stand there which, as they are written, give something else. What is only near the truth is said
        to be so, on a line of its own: what rounding has changed, and what is too large for a double; with a sentence,
        unless it has been told.
        """
        shown = self.result(result) if isinstance(result, str) else result
        written = () if self.blank or not numbers else self._fitting(numbers, shown)
        if written is None:
            near = near or not all(map(isfinite, _values(shown)))
        middle = (*symbols, written) if written else symbols
        if not near or self.blank:
            yield Chain(without_repeats((left, *middle, (shown,))), sign)
            return
        if middle:
            yield Chain(without_repeats((left, *middle)), sign)
        if tell:
            yield self.prose(words.NEAR if all(map(isfinite, _values(shown))) else words.BEYOND)
        yield Chain((left, (shown,)), "≈")

    def _fitting(self, numbers: Side, result: Piece) -> Side | None:
        """A side with the digits that its result takes."""
        if isinstance(result, Matrix):
            return side_with(numbers, result, self.digits)
        (formula,) = numbers
        assert isinstance(formula, Expression)
        assert isinstance(result, Number)
        found = formula_with(formula, result.value, self.digits)
        return None if found is None else (found,)

    def sum_of(self, left: Part, terms: Sequence[Part]) -> Iterator[Line]:
        """A matrix as the sum of others."""
        symbols: list[Piece] = []
        numbers: list[Piece] = []
        for term in terms:
            symbols += ["+", term.symbol]
            numbers += ["+", self.matrix(term.name)]
        yield from self.chain((left.symbol,), tuple(symbols[1:]), numbers=tuple(numbers[1:]), result=left.name)

    def share(self, of: Expression) -> Expression:
        """What a row counts of a batch: 1/rows of it."""
        return of if self.rows == 1 else Product((Number(1) / Number(self.rows), of))

    def over_rows(self, of: Expression) -> Expression:
        """The sum over the rows."""
        return SumOver(self.say(words.ROWS), of, "")

    def setting(self, value: float) -> Number:
        """A hyperparameter as the user wrote it."""
        return Number(simplest(value) if self.parts["X"].dtype == object else Decimal(repr(value)))

    def index(self, j: int, r: int) -> tuple[int, ...]:
        """The index of one number of a matrix, which is without its row where there is but one."""
        return (j + 1,) if self.rows == 1 else (r + 1, j + 1)

    def worked_chain(self, left: Expression, *sides: Expression, value: Any, sign: str = "=") -> Chain:
        """One number: its letter, perhaps a formula, the formula with numbers, its value.

        The numbers have the digits that the value takes; where none are enough, they are left out, or where the value
        is too large for a double, the value.
        """
        *symbols, plugged = sides
        formula = formula_with(plugged, value, self.digits)
        if isinstance(plugged, Minus) and plugged.of == number(-value):
            formula = number(value)  # once, not −1 = −1
        if formula is None:
            last: tuple[Side, ...] = ((number(value),),) if isfinite(to_float(value)) else ((plugged,),)
        else:
            last = ((formula,), (number(value),))
        return Chain(without_repeats(((left,), *((side,) for side in symbols), *last)), sign)

    # --- the equations of layers --------------------------------------------------------------------------------------

    def equation(self, placed: Placed, l: int) -> Iterator[Line]:
        """An equation of layer l: with symbols, with numbers, and what it gives."""
        equation = placed.equation
        if equation.words is not None:
            yield self.prose(equation.words)
        if isinstance(equation, OfMatrices):
            yield from self._of_matrices(equation, placed.name, l)
        elif isinstance(equation, OfNumbers):
            yield from self._of_numbers(equation, placed, l)

    def _of_matrices(self, equation: OfMatrices, name: str, l: int) -> Iterator[Line]:
        names = self.task.names(l)
        symbols: list[Piece] = []
        numbers: list[Piece] = []
        for side in equation.sides:
            if isinstance(side, str):
                symbols.append(side)
                numbers.append(side)
                continue
            part = self.known[names[side.name]]
            if numbers and not isinstance(numbers[-1], str):
                numbers.append("·")
            numbers.append(self.transposed(part.name) if side.mark == "T" else self.matrix(part.name))
            assert isinstance(part.symbol, Symbol)
            symbols.append(replace(part.symbol, mark=side.mark))
        if equation.summed and self.rows > 1:
            assert isinstance(symbols[0], Expression)
            symbols[0] = self.over_rows(symbols[0])
        if equation.summed and (self.rows > 1 or len(symbols) == 1):  # a single row is its own sum
            numbers = []
        yield from self.chain((self.known[name].symbol,), tuple(symbols), numbers=tuple(numbers), result=name)

    def written_out(self, placed: Placed, l: int) -> Iterator[Line]:
        """The sums that products of matrices are, of some neurons."""
        equation = placed.equation
        if self.blank or not isinstance(equation, OfMatrices) or len(equation.sides) < 2:
            return
        for r in self.worked_rows():
            for j in self.worked(l):
                yield self.prose(words.EACH_NEURON_OF_ROW if self.rows > 1 else words.EACH_NEURON, j=j + 1, r=r + 1)
                yield self._sum_of_products(equation, placed.name, l, r, j)

    def _sum_of_products(self, equation: OfMatrices, name: str, l: int, r: int, j: int) -> Chain:
        """One number of A W + b as the sum that it is."""
        names = self.task.names(l)
        symbols: list[Expression] = []
        numbers: list[Expression] = []
        for group in _products(equation.sides):
            values = [self.parts[names[symbol.name]] for symbol in group]
            letters = [of_its_layer(symbol.at("j"), l) for symbol in group]
            letters = [replace(symbol, letter=symbol.written.lower()) for symbol in letters]
            if len(group) == 1:
                symbols.append(letters[0].at(j + 1))
                numbers.append(number(values[0][j]))
                continue
            for i in self.places(l - 1):
                if i is None:
                    symbols.append(DOTS)
                    numbers.append(DOTS)
                else:
                    symbols.append(letters[0].at(*self.index(i, r)) * letters[1].at(i + 1, j + 1))
                    numbers.append(Product((number(values[0][r, i]), number(values[1][i, j]))))
        left = _element(Placed(equation, l), self.index(j, r))
        return self.worked_chain(left, sum_of(symbols), sum_of(numbers), value=self.parts[name][r, j])

    def _of_numbers(self, equation: OfNumbers, placed: Placed, l: int) -> Iterator[Line]:
        name = placed.name
        values, several, one = self.task.numbers(self.parts, l), self.rows > 1, "one" in equation.axes
        formula = replaced(
            equation.formula, {symbol: of_its_layer(symbol, l) for symbol in symbols_of(equation.formula)}
        )
        yield Chain(((_element(placed, () if one else ("j",)),), (formula,)))
        if not self.blank:
            for r in self.worked_rows():
                if one and several:
                    yield self.prose(words.ROW_R, r=r + 1)
                for j in without_gaps(self.places(self.known[name].axes[-1])):
                    left = _element(placed, () if one else self.index(j, r))
                    yield self.worked_chain(left, equation.plugged(values, r, j), value=self.parts[name][r, j])
        if self.blank or several or not one:
            yield from self.chain((self.known[name].symbol,), result=name)


def _element(placed: Placed, index: tuple[int | str, ...]) -> Expression:
    """One number of what an equation gives."""
    equation = placed.equation
    letter = equation.symbol.written.lower()
    if equation.derivative:
        return Symbol("∂E") / Symbol(f"∂{letter}", index=index, layer=str(placed.of))
    symbol = replace(equation.symbol, letter=letter, index=index)
    return replace(symbol, layer=str(placed.of)) if index else replace(symbol, label=str(placed.of))


def _values(piece: Piece) -> Iterator[float]:
    """The numbers of a matrix, or the one."""
    cells = [cell for row in piece.rows for cell in row] if isinstance(piece, Matrix) else [piece]
    return (to_float(cell.value) for cell in cells if isinstance(cell, Number))


def _products(sides: Sequence[Symbol | str]) -> list[list[Symbol]]:
    """The terms of a sum of matrices, each as what is multiplied."""
    groups: list[list[Symbol]] = [[]]
    for side in sides:
        if isinstance(side, str):
            groups.append([])
        else:
            groups[-1].append(side)
    return groups


def sum_of(terms: Sequence[Expression]) -> Expression:
    """The sum of some terms, or the only one."""
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def without_repeats(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """Leave out a side that says the same as the one before."""
    kept = [side for before, side in zip((None, *sides), sides, strict=False) if side != before]
    return tuple(kept)
