"""What makes a blackboard with blanks a sheet to work on: lines to write on, and equations that are left to hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reseau.blackboard.sheet import Chain, Hint, Line, Matrix, Room, Side, Title
from reseau.blackboard.step import O
from reseau.exercises import words
from reseau.formulas.trees import Blank

MOST_LINES = 4  # of room after one equation


def to_work_on(lines: Iterable[Line], hint: str | None) -> Iterator[Line]:
    """The lines of a step with room to work on after each blank; `hint` is what hides the equations, if they are."""
    stage: list[Line] = []
    for line in lines:
        if isinstance(line, Title):
            yield from _with_room(stage, hint)
            stage = []
        stage.append(line)
    yield from _with_room(stage, hint)


def _with_room(stage: list[Line], hint: str | None) -> Iterator[Line]:
    """One stage: its title, its hint, and the rest."""
    hidden: list[Chain] = []
    rest: list[Line] = []
    for line in stage:
        if not isinstance(line, Chain):
            rest.append(line)
            continue
        count = len(blanks_of(line.sides[-1]))
        equation = replace(line, sides=line.sides[:-1]) if count else line
        if hint is not None and len(equation.sides) > 1:
            hidden.append(equation)
        if hint is None or count:
            rest.append(line if hint is None else replace(line, sides=(line.sides[0], line.sides[-1]), sign="="))
        if count and line.sides[0] != (O,):  # which only names what has been found
            rest.append(Room(min(count, MOST_LINES)))
    if rest and isinstance(rest[0], Title):
        yield rest.pop(0)
    if hint is not None and hidden:
        yield Hint(hint, tuple(hidden))
    yield from rest


def blanks_of(side: Side) -> list[Blank]:
    """The blanks of a side, row by row."""
    cells = [cell for piece in side for cell in _cells(piece)]
    return [cell for cell in cells if isinstance(cell, Blank)]


def _cells(piece: object) -> list[object]:
    return [cell for row in piece.rows for cell in row] if isinstance(piece, Matrix) else [piece]


def hints_at_the_end(lines: Iterable[Line], lang: str) -> Iterator[Line]:
    """The same sheet for paper, where a hint cannot be closed: hints are the last that one reads."""
    hints: list[Hint] = []
    section = title = ""
    for line in lines:
        if isinstance(line, Title):
            section = line.text if line.level < 3 else section
            title = section if line.level < 3 else f"{section} · {line.text}"
        if isinstance(line, Hint):
            hints.append(Hint(words.HINT_FOR.in_(lang).format(stage=title), line.chains))
        else:
            yield line
    if hints:
        yield Title(words.HINTS.in_(lang), 2)
        yield from hints
