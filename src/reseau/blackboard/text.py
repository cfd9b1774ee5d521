"""The blackboard in a terminal: matrices aligned at their decimals, lines broken to its width, perhaps colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reseau.blackboard.sheet import (
    Chain,
    Curve,
    Hint,
    Line,
    Matrix,
    NewPage,
    Piece,
    Prose,
    Room,
    Table,
    Title,
    broken,
    chosen,
)
from reseau.formulas.trees import Expression, Number
from reseau.formulas.typesetting import TextSetter
from reseau.visible import cell_len, visible

BOLD, COLOUR, RESULT, PLAIN = "\033[1m", "\033[36m", "\033[32m", "\033[0m"
INDENT = "  "
LONGEST_BAR = 40
UNDERLINES = {1: "═", 2: "─"}


@dataclass(frozen=True)
class Block:
    """Some lines of text of one width; `base` is the line that stands on the level of the others."""

    lines: tuple[str, ...]
    base: int = 0

    @property
    def width(self) -> int:
        """In cells of a terminal."""
        return cell_len(self.lines[0])

    def coloured(self) -> tuple[str, ...]:
        """The lines, in the colour of results."""
        return tuple(f"{RESULT}{line}{PLAIN}" for line in self.lines)


def render(lines: Iterable[Line], setter: TextSetter, width: int = 80, colour: bool = False) -> str:
    """Set the lines of a board as text."""
    out: list[str] = []
    for line in lines:
        match line:
            case Title(text=text, level=level):
                text = visible(text)
                title = f"{BOLD}{COLOUR}{text}{PLAIN}" if colour else text
                out += ["", title, *([UNDERLINES[level] * min(cell_len(text), width)] if level in UNDERLINES else [])]
            case Prose(text=text, numbers=numbers):
                if numbers:
                    text = text.format(**{name: setter.set(value) for name, value in numbers})
                out += ["", *_wrapped(visible(text), width)]
            case Chain():
                out += [INDENT + row for row in _chain(line, setter, width - len(INDENT), colour)]
            case Table(header=header, rows=rows):
                out += ["", *_table(header, rows, setter)]
            case Curve():
                out += ["", *_curve(line, setter, width)]
            case Room(lines=lines_of_room):
                out += [row for _ in range(lines_of_room) for row in ("", INDENT + "." * (width - len(INDENT)))]
            case Hint(title=title, chains=chains):
                out += ["", *_wrapped(visible(title), width)]
                out += [INDENT + row for chain in chains for row in _chain(chain, setter, width - len(INDENT), colour)]
            case NewPage():
                out += ["", "═" * width]
    return "\n".join(row.rstrip() for row in out).strip("\n") + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _chain(chain: Chain, setter: TextSetter, width: int, colour: bool) -> list[str]:
    def block_of(piece: Piece) -> Block:
        return block(piece, setter)

    lines = broken(chain, width, lambda piece: block_of(piece).width + (0 if isinstance(piece, str) else 1))
    result = chain.sides[-1][0] if isinstance(chain.sides[-1][0], Matrix | Number) else None
    indent = sum(block_of(piece).width for piece in chain.sides[0])
    out: list[str] = []
    for place, pieces in enumerate(lines):
        row = [] if place == 0 else [Block((" " * indent,))]
        row += [block_of(piece) for piece in pieces]
        last = colour and bool(pieces) and pieces[-1] is result and place == len(lines) - 1
        out += _within(_beside(_spaced(row, pieces, place), last), width, indent)
    return out


def _within(rows: list[str], width: int, indent: int) -> list[str]:
    """Rows; a single one that is still too wide is cut at its spaces, within parentheses too."""
    if len(rows) > 1 or cell_len(rows[0]) <= width:
        return rows
    return textwrap.wrap(
        rows[0],
        width,
        subsequent_indent=" " * (indent + 2),
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _spaced(row: list[Block], pieces: list[Piece], place: int) -> list[Block]:
    """Put a space between two things that have no sign between them."""
    offset = 1 if place else 0
    out = row[:offset]
    for i, piece in enumerate(pieces):
        if i and not isinstance(piece, str) and not isinstance(pieces[i - 1], str):
            out.append(Block((" ",)))
        out.append(row[i + offset])
    return out


def block(piece: Piece, setter: TextSetter) -> Block:
    """One piece of a chain."""
    if isinstance(piece, str):
        return Block((setter.operator(piece),))
    if isinstance(piece, Matrix):
        return _matrix(piece, setter)
    return Block((setter.set(piece),))


def _matrix(matrix: Matrix, setter: TextSetter) -> Block:
    columns = []
    gap_rows = [all(cell is None for cell in row) for row in matrix.rows]
    for cells in zip(*matrix.rows, strict=True):
        texts = [
            _dots(gap_rows[i], all(c is None for c in cells)) if c is None else setter.set(c)
            for i, c in enumerate(cells)
        ]
        columns.append(_aligned(texts, setter.mark))
    rows = ["  ".join(parts) for parts in zip(*columns, strict=True)]
    return Block(tuple(_bracketed(rows)), (len(rows) - 1) // 2)


def _dots(row_left_out: bool, column_left_out: bool) -> str:
    return "⋱" if row_left_out and column_left_out else "⋮" if row_left_out else "⋯"


def _aligned(texts: Sequence[str], mark: str) -> list[str]:
    """Set the numbers of a column with their decimals under one another."""
    split = [text.partition(mark) for text in texts]
    before = max(cell_len(whole) for whole, _, _ in split)
    out = [" " * (before - cell_len(whole)) + whole + sign + decimals for whole, sign, decimals in split]
    width = max(map(cell_len, out))
    return [text + " " * (width - cell_len(text)) for text in out]


def _bracketed(rows: Sequence[str]) -> list[str]:
    if len(rows) == 1:
        return [f"[{rows[0]}]"]
    left = ["⎡", *["⎢"] * (len(rows) - 2), "⎣"]
    right = ["⎤", *["⎥"] * (len(rows) - 2), "⎦"]
    return [f"{a}{row}{b}" for a, row, b in zip(left, rows, right, strict=True)]


def _beside(blocks: Sequence[Block], colour_last: bool = False) -> list[str]:
    """Blocks side by side, on one level."""
    above = max(b.base for b in blocks)
    below = max(len(b.lines) - b.base for b in blocks)
    rows = [""] * (above + below)
    for place, b in enumerate(blocks):
        lines = b.coloured() if colour_last and place == len(blocks) - 1 else b.lines
        for i in range(len(rows)):
            inside = 0 <= i - above + b.base < len(lines)
            rows[i] += lines[i - above + b.base] if inside else " " * b.width
    return rows


def _table(header: Sequence[str], rows: Sequence[Sequence[Expression | str]], setter: TextSetter) -> list[str]:
    texts = [
        list(map(visible, header)),
        *([visible(cell) if isinstance(cell, str) else setter.set(cell) for cell in row] for row in rows),
    ]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    lines = [
        INDENT + INDENT.join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        for row in texts
    ]
    rule = INDENT + INDENT.join("─" * width for width in widths)
    return [lines[0], rule, *lines[1:]]


def _curve(curve: Curve, setter: TextSetter, width: int) -> list[str]:
    """A bar for each step, as long as the error is large."""
    rows = []
    shown = curve_places(curve)
    longest = min(LONGEST_BAR, width - 30)
    for place in shown:
        if place is None:
            rows.append(("⋮", "⋮", ""))
        else:
            value = curve.values[place]
            rows.append((str(place), setter.number(value), "█" * round(curve.height(value) * longest) or "▏"))
    return _table((curve.steps, curve.error, ""), rows, setter)


MOST_BARS = 20


def curve_places(curve: Curve) -> list[int | None]:
    """The steps that are listed."""
    if len(curve.values) <= MOST_BARS:
        return list(range(len(curve.values)))
    apart = (len(curve.values) - 1) / (MOST_BARS - 2)
    return chosen(len(curve.values), sorted({round(i * apart) for i in range(MOST_BARS - 1)}))
