"""What can stand on a blackboard or a sheet, whatever the form: titles, sentences, equations, tables, a curve, room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from reseau.blackboard.drawing import Drawing
from reseau.formulas.trees import Blank, Clause, Expression, Minus, Number, Product, Sum, Where


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

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most that is drawn; 0 is between them."""
        finite = [value for value in self.values if isfinite(value)]
        low, high = min([0.0, *finite]), max([0.0, *finite])
        return (low, high) if high > low else (0.0, 1.0)

    def height(self, value: float) -> float:
        """Where a value lies between the ends, from 0 to 1; what is not finite stands at the top."""
        low, high = self.ends
        return (value - low) / (high - low) if isfinite(value) else 1.0


@dataclass(frozen=True)
class Title:
    """A heading; level 1 is that of the whole, 2 of its parts, 3 of a layer."""

    text: str
    level: int


@dataclass(frozen=True)
class Room:
    """Empty lines to work on by hand, as many as are told."""

    lines: int


@dataclass(frozen=True)
class Hint:
    """Equations that are shown to who asks for them; `title` is what one opens."""

    title: str
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class NewPage:
    """What follows begins a page."""


Line: TypeAlias = Title | Prose | Chain | Table | Curve | Drawing | Room | Hint | NewPage

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


def matrix(array: Any, rows: Sequence[int | None], columns: Sequence[int | None], blank: str = "") -> Matrix:
    """The chosen rows and columns of a matrix; blank, its places without the numbers, which belong to what is named."""

    def cell(i: int | None, j: int | None) -> Expression | None:
        if i is None or j is None:
            return None
        return Blank(blank) if blank else number(array[i, j])

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
    """A side whole, or if it is too wide, cut before its signs into parts that fit, as far as they can."""
    if sum(map(measure, side)) <= width:
        return [list(side)]
    groups: list[list[Piece]] = [[]]
    used = 0
    for part in _parts([piece for whole in side for piece in _terms(whole)]):
        size = sum(map(measure, part))
        if groups[-1] and used + size > width and groups[-1] != [side[0]]:
            groups.append([])
            used = 0
        groups[-1] += part
        used += size
    return groups


def _terms(piece: Piece) -> list[Piece]:
    """A sum as its terms with the signs between them, and what follows it."""
    match piece:
        case Where(body=body, definitions=definitions):
            return [*_terms(body), Clause(definitions)]
        case Sum(terms=terms):
            out: list[Piece] = [terms[0]]
            for term in terms[1:]:
                negative = isinstance(term, Number) and term.value < 0
                out += ["−", term.of] if isinstance(term, Minus) else ["+", Product((term,)) if negative else term]
            return out
    return [piece]


def _parts(pieces: list[Piece]) -> list[list[Piece]]:
    """What stays together: a sign and what follows it."""
    parts: list[list[Piece]] = []
    for piece in pieces:
        if parts and isinstance(parts[-1][-1], str) and len(parts[-1]) == 1:
            parts[-1].append(piece)
        else:
            parts.append([piece])
    return parts
