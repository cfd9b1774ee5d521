"""Equations as they are written: with as many digits as it takes to get the value from them, or without the numbers.

What stands on the board is rounded, and is computed from the unrounded numbers. Where what is written would give
another value, as in a difference of two numbers that look the same, the numbers are written with more digits; where no
digits of a double suffice, they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor, inf, isfinite, isinf, isnan, log10
from typing import Any, TypeAlias

from reseau.blackboard.sheet import Matrix, Piece, Side
from reseau.formulas.decimals import PLENTY, UNKNOWN, Decimals, is_unknown
from reseau.formulas.trees import Expression, Number, to_float
from reseau.formulas.typesetting import as_fraction, as_whole, as_written

MOST = 17  # significant digits, which tell a double from every other
SEEN = 0.1  # of a change: by how much what it gives may be rounded, so that it is seen
SMALLEST = Decimal("1e-300")  # below it a double has no digits left

Grid: TypeAlias = list[list[Decimal]]
Digits: TypeAlias = list[list[int]]


def value_of(formula: Expression, digits: int) -> Decimal:
    """What a formula comes to from its numbers as they are written."""
    return Decimals(PLENTY, lambda value, more: as_written(value, more or digits)).of(formula)


def last_unit(value: float, digits: int) -> Decimal:
    """One in the last of so many significant digits."""
    return Decimal(1).scaleb((floor(log10(abs(value))) if value else SMALLEST.adjusted()) - digits + 1)


def is_so(found: Decimal, value: Any, digits: int) -> bool | None:
    """Whether a value is the one that follows from what is written, but for its last digit; None if that is unknown."""
    shown = to_float(value)
    if is_unknown(found):
        return None
    if found.is_nan() or isnan(shown):
        return found.is_nan() and isnan(shown)
    if not isfinite(shown) or found.is_infinite():
        return float(found) == shown and found.is_infinite()
    if abs(Decimal(shown)) < SMALLEST and found.copy_abs() < SMALLEST:
        return True
    return PLENTY.subtract(found, Decimal(shown)).copy_abs() <= last_unit(shown, digits)


def finer(formula: Expression, digits: int) -> Expression:
    """A formula whose rounded numbers are written with so many digits."""
    if isinstance(formula, Number):
        value = formula.value
        rounded = not (isinstance(value, Decimal) or as_fraction(value) or as_whole(value))
        return replace(formula, digits=digits) if rounded else formula
    return type(formula)(**{name: _finer_within(part, digits) for name, part in vars(formula).items()})


def _finer_within(part: Any, digits: int) -> Any:
    if isinstance(part, Expression):
        return finer(part, digits)
    return tuple(_finer_within(each, digits) for each in part) if isinstance(part, tuple) else part


def formula_with(formula: Expression, value: Any, digits: int) -> Expression | None:
    """A formula of numbers with the digits that its value takes; None where none are enough.

    Of finite numbers it is finite, however large: that a double is not says nothing of it.
    """
    if isinf(to_float(value)) and not any(isinf(size) for size in _sizes(formula)):
        return None
    for more in range(digits, MOST + 1):
        written = formula if more == digits else finer(formula, more)
        so = is_so(value_of(written, digits), value, digits)
        if so or so is None:
            return written
    return None


def _sizes(part: Any) -> Iterator[float]:
    """The numbers in a formula, as floats."""
    if isinstance(part, Number):
        yield to_float(part.value)
    elif isinstance(part, Expression | tuple):
        for each in vars(part).values() if isinstance(part, Expression) else part:
            yield from _sizes(each)


# --- matrices ---------------------------------------------------------------------------------------------------------


def side_with(side: Side, result: Matrix, digits: int) -> Side | None:
    """A side of matrices with the digits that its result takes, each number with as many as the results it goes into.

    None where no digits are enough for one of them. Of what is left out of a matrix nothing is known, and of what it
    goes into neither. The result's own numbers may ask for more digits.
    """
    fine = [[[digits] * len(row) for row in piece.rows] if isinstance(piece, Matrix) else [] for piece in side]
    for _ in range(MOST - digits + 1):
        found = _value(side, fine, digits)
        wrong = [
            [
                isinstance(cell, Number) and is_so(known, cell.value, cell.digits or digits) is False
                for cell, known in zip(cells, row, strict=True)
            ]
            for cells, row in zip(result.rows, found, strict=True)
        ]
        if not any(map(any, wrong)):
            return tuple(_finer_piece(piece, more, digits) for piece, more in zip(side, fine, strict=True))
        _ask_for_more(side, fine, wrong)
    return None


def _finer_piece(piece: Piece, fine: Digits, digits: int) -> Piece:
    if not isinstance(piece, Matrix):
        return piece
    return Matrix(
        tuple(
            tuple(
                finer(cell, more) if cell is not None and more > digits else cell
                for cell, more in zip(*row, strict=True)
            )
            for row in zip(piece.rows, fine, strict=True)
        )
    )


def _terms(side: Side) -> list[list[int]]:
    """The places of what is multiplied, term by term of a sum."""
    terms: list[list[int]] = [[]]
    for place, piece in enumerate(side):
        if piece in ("+", "−"):
            terms.append([])
        elif not isinstance(piece, str):
            terms[-1].append(place)
    return terms


def _value(side: Side, fine: Sequence[Digits], digits: int) -> Grid:
    """What a side comes to as it is written."""
    total: Grid | None = None
    for places in _terms(side):
        factors = [_grid(side[place], fine[place], digits) for place in places]
        found = factors[0]
        for place, factor in zip(places[1:], factors[1:], strict=True):
            elementwise = side[place - 1] == "∘" or not isinstance(side[place - 2], Matrix)
            found = _each(PLENTY.multiply, found, factor) if elementwise else _product(found, factor)
        before = side[places[0] - 1] if places[0] else "+"
        add = PLENTY.subtract if before == "−" else PLENTY.add
        total = found if total is None else _each(add, total, found)
    assert total is not None
    return total


def _grid(piece: Piece, fine: Digits, digits: int) -> Grid:
    if isinstance(piece, Matrix):
        return [
            [
                as_written(cell.value, more) if isinstance(cell, Number) else UNKNOWN
                for cell, more in zip(row, of_row, strict=True)
            ]
            for row, of_row in zip(piece.rows, fine, strict=True)
        ]
    assert isinstance(piece, Expression)
    return [[value_of(piece, digits)]]


def _each(do: Callable[[Decimal, Decimal], Decimal], a: Grid, b: Grid) -> Grid:
    """Element by element; a single row or number goes with every one."""
    rows, columns = max(len(a), len(b)), max(len(a[0]), len(b[0]))

    def at(grid: Grid, i: int, j: int) -> Decimal:
        return grid[i if len(grid) > 1 else 0][j if len(grid[0]) > 1 else 0]

    return [[do(at(a, i, j), at(b, i, j)) for j in range(columns)] for i in range(rows)]


def _product(a: Grid, b: Grid) -> Grid:
    """The product of two matrices."""
    arithmetic = Decimals(PLENTY)
    columns = list(zip(*b, strict=True))
    return [
        [arithmetic.sum([PLENTY.multiply(x, y) for x, y in zip(row, column, strict=True)]) for column in columns]
        for row in a
    ]


def _ask_for_more(side: Side, fine: Sequence[Digits], wrong: Sequence[Sequence[bool]]) -> None:
    """Give one digit more to what goes into the numbers that are wrong."""
    rows, columns = list(map(any, wrong)), list(map(any, zip(*wrong, strict=True)))
    for places in _terms(side):
        matrices = [place for place in places if isinstance(side[place], Matrix)]
        multiplied = len(matrices) > 1 and side[matrices[1] - 1] != "∘"
        for place in matrices:
            grid = fine[place]
            for i, row in enumerate(grid):
                for j in range(len(row)):
                    if multiplied:
                        more = rows[i] if place == matrices[0] else columns[j]
                    elif len(grid) == 1:
                        more = columns[j] if len(row) > 1 else any(columns)
                    else:
                        more = wrong[i][j] if len(row) > 1 else rows[i]
                    row[j] += more


def apart(a: Any, b: Any, digits: int) -> int:
    """With how many digits two numbers do not look the same; as many as given where they never do."""
    differing = (more for more in range(digits, MOST + 1) if as_written(a, more) != as_written(b, more))
    return next(differing, digits)


def with_its_change(new: Matrix, change: Matrix, digits: int) -> Matrix:
    """New numbers with as many digits as it takes to see what changed them."""

    def cell(after: Expression | None, by: Expression | None) -> Expression | None:
        if not isinstance(after, Number) or not isinstance(by, Number):
            return after
        size, step = abs(to_float(after.value)), abs(to_float(by.value))
        if not 0 < step < inf or not 0 < size < inf:
            return after
        more = floor(log10(size)) - floor(log10(SEEN * step)) + 1
        return finer(after, more) if digits < more < MOST else after

    rows = zip(new.rows, change.rows, strict=True)
    return Matrix(tuple(tuple(cell(*pair) for pair in zip(*both, strict=True)) for both in rows))
