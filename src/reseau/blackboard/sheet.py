"""What can stand on a blackboard, whatever the form: titles, sentences, chains of equations, tables, a curve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from reseau.formula import Blank, Expression, Number


@dataclass(frozen=True)
class Matrix:
    """Numbers in rows and columns; None stands for dots, where some are left out."""

    rows: tuple[tuple[Expression | None, ...], ...]


Piece: TypeAlias = "Expression | Matrix | str"  # a string is a sign between the others
Side: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True)
class Chain:
    """left = side = side ...; the sign of the first may be another."""

    sides: tuple[Side, ...]
    sign: str = "="


@dataclass(frozen=True)
class Prose:
    """A sentence; with numbers, their names in braces stand for them."""

    text: str
    numbers: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True)
class Table:
    """Words, letters and numbers in columns under a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[Expression | str, ...], ...]


@dataclass(frozen=True)
class Curve:
    """The error before the first step and after each; `name` is the title."""

    name: str
    steps: str
    error: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Title:
    """A heading; level 1 is that of the whole, 2 of its parts, 3 of a layer."""

    text: str
    level: int


Line: TypeAlias = Title | Prose | Chain | Table | Curve

CORNER = 2  # rows or columns shown at the beginning of a long axis; at its end, one
LONGEST = 6  # an axis that is shown whole


def chosen(size: int, focus: Sequence[int] = ()) -> list[int | None]:
    """The places of an axis that are shown, from 0, with None for a gap.

    Examples
    --------
    >>> chosen(4), chosen(100), chosen(100, [50])
    ([0, 1, 2, 3], [0, 1, None, 99], [0, None, 50, None, 99])
    """
    if size <= LONGEST:
        return list(range(size))
    wanted = sorted({0, *focus, size - 1}) if focus else [*range(CORNER), size - 1]
    out: list[int | None] = []
    for before, place in zip([-1, *wanted], wanted, strict=False):
        if place - before == 2:  # a single one left out takes no more room than its dots
            out.append(place - 1)
        elif place - before > 2:
            out.append(None)
        out.append(place)
    return out


def number(value: Any) -> Number:
    """A number of an array, as a formula."""
    return Number(value if not isinstance(value, np.generic) else value.item())


def matrix(array: Any, rows: Sequence[int | None], columns: Sequence[int | None], blank: bool = False) -> Matrix:
    """The chosen rows and columns of a matrix; blank, its places without the numbers."""

    def cell(i: int | None, j: int | None) -> Expression | None:
        if i is None or j is None:
            return None
        return Blank() if blank else number(array[i, j])

    return Matrix(tuple(tuple(cell(i, j) for j in columns) for i in rows))


def without_gaps(places: Sequence[int | None]) -> Iterator[int]:
    """The places that are shown."""
    return (place for place in places if place is not None)


def broken(chain: Chain, width: int, measure: Callable[[Piece], int]) -> list[list[Piece]]:
    """Break a chain into lines that fit a width: before a sign of equality, or if one side is too wide, within it.

    Parameters
    ----------
    chain : Chain
        What is to be set.
    width : int
        Of a line.
    measure : callable
        The width of a piece, in the same unit; signs count with the spaces around them.

    Returns
    -------
    list of list of Piece
        The lines; all but the first begin with a sign.
    """
    left, *others = chain.sides
    indent = sum(map(measure, left))
    lines: list[list[Piece]] = [list(left)]
    used = indent
    for place, side in enumerate(others):
        for group in _groups((chain.sign if place == 0 else "=", *side), width - indent, measure):
            size = sum(map(measure, group))
            if used + size > width and used > indent:
                lines.append([])
                used = indent
            lines[-1] += group
            used += size
    return lines


def _groups(side: Side, width: int, measure: Callable[[Piece], int]) -> list[list[Piece]]:
    """A side whole, or if it is too wide, cut before its signs."""
    if sum(map(measure, side)) <= width:
        return [list(side)]
    groups: list[list[Piece]] = [[]]
    for piece in side:
        if isinstance(piece, str) and len(groups[-1]) > 1:
            groups.append([])
        groups[-1].append(piece)
    return groups
