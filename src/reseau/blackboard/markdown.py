"""The blackboard in Markdown: formulas in LaTeX between dollars."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reseau.blackboard.latex import LatexSetter
from reseau.blackboard.sheet import Chain, Curve, Hint, Line, NewPage, Prose, Room, Table, Title
from reseau.blackboard.text import LONGEST_BAR, curve_places
from reseau.formulas.trees import Expression
from reseau.visible import visible

SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|$~^&@!]|:(?=\S)|(?<=www)\.")  # also what GitHub makes links and signs of

LINE_OF_ROOM = 40  # signs of three points each


class MarkdownSetter(LatexSetter):
    """Sets formulas for what reads LaTeX in Markdown."""

    def blank(self) -> str:
        return r"\underline{\qquad\qquad}"


def escaped(text: str) -> str:
    """Plain text, so that Markdown shows it as it is."""
    return SPECIAL.sub(r"\\\g<0>", visible(text))


def render(lines: Iterable[Line], setter: MarkdownSetter) -> str:
    """Set the lines of a board as Markdown."""
    out: list[str] = []
    for line in lines:
        match line:
            case Title(text=text, level=level):
                out += ["#" * level + " " + escaped(text), ""]
            case Prose(text=text, numbers=numbers):
                text = escaped(text)
                for name, value in numbers:
                    text = text.replace(rf"\{{{name}\}}", f"${setter.set(value)}$")
                out += [text, ""]
            case Chain():
                out += ["$$", setter.chain(line), "$$", ""]
            case Table(header=header, rows=rows):
                out += [*_table(list(header), [[_cell(cell, setter) for cell in row] for row in rows]), ""]
            case Curve():
                out += [*_curve(line, setter), ""]
            case Room(lines=lines_of_room):
                out += [item for _ in range(lines_of_room) for item in ("…" * LINE_OF_ROOM, "")]
            case Hint(title=title, chains=chains):
                out += [f"*{escaped(title)}*", ""]
                out += [text for chain in chains for text in ("$$", setter.chain(chain), "$$", "")]
            case NewPage():
                out += ["---", ""]
    return "\n".join(out).strip() + "\n"


def _cell(cell: Expression | str, setter: MarkdownSetter) -> str:
    return escaped(cell) if isinstance(cell, str) else f"${setter.set(cell)}$"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"| {' | '.join('---' for _ in header)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _curve(curve: Curve, setter: MarkdownSetter) -> list[str]:
    rows = []
    for place in curve_places(curve):
        if place is None:
            rows.append(["⋮", "⋮", ""])
            continue
        value = curve.values[place]
        bar = "█" * round(curve.height(value) * LONGEST_BAR / 2)
        rows.append([str(place), f"${setter.number(value)}$", bar])
    return _table([escaped(curve.steps), escaped(curve.error), " "], rows)
