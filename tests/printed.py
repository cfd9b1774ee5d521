"""What stands on a board, read back: each number from the figures it is set with, and formulas by mpmath."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath as mp

from reseau.blackboard import Blackboard
from reseau.blackboard.sheet import Chain, Matrix, Piece
from reseau.formulas import trees
from reseau.formulas.typesetting import TextSetter

MINUSES = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
FUNCTIONS = {
    "exp": mp.exp, "log": mp.log, "tanh": mp.tanh, "cos": mp.cos, "erf": mp.erf,
    "Φ": lambda x: mp.ncdf(max(min(x, 1000), -1000)),  # beyond, mpmath itself overflows
    "√": mp.sqrt,
    "abs": abs, "sign": mp.sign, "max": max, "min": min, "φ": lambda x: 1 / (1 + mp.exp(-x)),
}  # fmt: skip
Rows = list[list[Any]]


class Unread(Exception):
    """What has no value: letters, dots, blanks."""


def read(text: str) -> Any:
    """A number from its figures."""
    if text in ("∞", "−∞", "?"):
        return {"∞": mp.inf, "−∞": -mp.inf, "?": mp.nan}[text]
    for written, plain in (("½", "1/2"), (",", "."), ("\N{NARROW NO-BREAK SPACE}", ""), ("·10", "e")):
        text = text.replace(written, plain)
    text = text.translate(MINUSES)
    above, _, below = text.partition("/")
    return mp.mpf(above) / mp.mpf(below or 1)


def value(node: trees.Expression, setter: TextSetter) -> Any:
    """What a formula without letters comes to from its numbers as they are set."""
    of = lambda part: value(part, setter)  # noqa: E731
    match node:
        case trees.Number():
            return read(setter.set(node))
        case trees.Named(letter="π"):
            return +mp.pi
        case trees.Sum(terms=terms):
            return mp.fsum(map(of, terms))
        case trees.Product(factors=factors):
            return mp.fprod(map(of, factors))
        case trees.Minus(of=inner):
            return -of(inner)
        case trees.Quotient(above=above, below=below):
            return of(above) / of(below)
        case trees.Power(base=base, exponent=exponent):
            return of(base) ** of(exponent)
        case trees.Call(function=function, arguments=arguments) if function.name in FUNCTIONS:
            return FUNCTIONS[function.name](*map(of, arguments))
    raise Unread


def rows_of(piece: Piece, setter: TextSetter) -> Rows:
    """The numbers of a matrix; of anything else one."""
    if isinstance(piece, Matrix):
        return [[read("?") if cell is None else value(cell, setter) for cell in row] for row in piece.rows]
    assert isinstance(piece, trees.Expression)
    return [[value(piece, setter)]]


def side_of(side: tuple[Piece, ...], setter: TextSetter) -> Rows:
    """A side of a chain."""
    total: Rows = [[0]]
    term: Rows = [[1]]
    signs, sign, sort = {"+": 1, "−": -1}, 1, "·"
    for piece in (*side, "+"):
        if isinstance(piece, str) and piece in signs:
            total = each(lambda a, b, sign=sign: a + sign * b, total, term)
            term, sign, sort = [[1]], signs[piece], "·"
        elif isinstance(piece, str):
            sort = piece
        else:
            more = rows_of(piece, setter)
            one = len(term) == len(term[0]) == 1 and len(more) != 1
            term = each(lambda a, b: a * b, term, more) if one or sort == "∘" or term == [[1]] else product(term, more)
    return total


def each(do: Any, a: Rows, b: Rows) -> Rows:
    """Element by element; a single row or number goes with every one."""
    at = lambda rows, i, j: rows[min(i, len(rows) - 1)][min(j, len(rows[0]) - 1)]  # noqa: E731
    columns = range(max(len(a[0]), len(b[0])))
    return [[do(at(a, i, j), at(b, i, j)) for j in columns] for i in range(max(len(a), len(b)))]


def product(a: Rows, b: Rows) -> Rows:
    """The product of two matrices, or of a number and a row."""
    if (len(a[0]) == 1 and len(b) > 1) or len(a[0]) != len(b):
        return each(lambda x, y: x * y, a, b)
    return [[mp.fsum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def untrue(chain: Chain, setter: TextSetter) -> Iterator[str]:
    """The sides of a chain that do not come to its last one, as it is set, but for its last digit."""
    (last, *more), others = chain.sides[-1], chain.sides[1:-1]
    if chain.sign == "≈" or more or isinstance(last, str):
        return
    cells = last.rows if isinstance(last, Matrix) else ((last,),)
    for other in others:
        try:
            given, found = side_of(other, setter), rows_of(last, setter)
        except Unread:
            continue
        except ZeroDivisionError:
            yield f"{chain} divides by 0"
            continue
        for i, row in enumerate(cells):
            for j, cell in enumerate(row):
                a, b = given[i][j], found[i][j]
                if not (mp.isnan(a) or mp.isnan(b) or a == b or abs(a - b) <= 1.5 * last_digit(cell, b, setter)):
                    yield f"{setter.set(cell)} is not {mp.nstr(a, 12)} in {chain}"


def last_digit(cell: Any, size: Any, setter: TextSetter) -> Any:
    """One in the last of the digits of a number; nothing but what is less than any double counts as 0."""
    if not size or mp.isinf(size):
        return mp.mpf("1e-300") if not size else mp.mpf(0)
    return mp.mpf(10) ** (mp.floor(mp.log10(abs(size))) - (getattr(cell, "digits", 0) or setter.digits) + 1)


def lies(board: Blackboard) -> list[str]:
    """What does not follow from the numbers beside it, as they are set."""
    setter = TextSetter(board.lang, board.digits)
    with mp.workdps(60):
        return [lie for line in board.lines() if isinstance(line, Chain) for lie in untrue(line, setter)]
