"""An exercise as a Jupyter notebook: cells that the student fills in, and cells that check them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.blackboard.markdown import MarkdownSetter, render
from reseau.blackboard.sheet import Chain, Hint, Line, Prose, Room, Title
from reseau.blackboard.step import parts_of
from reseau.exercises import words
from reseau.exercises.answers import two
from reseau.exercises.facts import facts_of
from reseau.exercises.mistakes import DIGITS, key_of
from reseau.exercises.room import blanks_of
from reseau.formulas.typesetting import TextSetter

if TYPE_CHECKING:
    from reseau.blackboard.board import Blackboard
    from reseau.blackboard.named import Step
    from reseau.exercises.exercise import Exercise

SOLVED = 6  # significant digits of the numbers of a solution


def notebook(exercise: Exercise, solved: bool = False, hints: bool = False) -> str:
    """The exercise as a notebook, or with its cells filled in the solution."""
    cells: list[dict[str, Any]] = [
        {"id": f"cell-{place}", "cell_type": kind, "metadata": {}, "source": source.rstrip("\n")}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for place, (kind, source) in enumerate(_cells(exercise, solved, hints))
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    facts = {"cells": cells, "metadata": {**kernel, "language_info": {"name": "python"}}}
    return json.dumps({**facts, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1) + "\n"


def _cells(exercise: Exercise, solved: bool, hints: bool) -> Iterator[tuple[str, str]]:
    """The kind of each cell, and what it holds."""
    lang, board = exercise.lang, exercise.in_decimals()
    setter = MarkdownSetter(lang, DIGITS)
    intro = words.FILL_IN_CELLS.in_(lang).format(digits=DIGITS, blank="...")
    yield "markdown", render([Title(exercise.heading(solved), 1), Prose(intro)], setter)
    yield "code", _setup(exercise)
    yield "markdown", render(board.lesson(board.steps[0], blank=True).given(), setter)
    yield "code", _given(exercise)
    for step in board.steps:
        asked: set[str] = set()
        lines = list(exercise.of_step(board, step, False, hints))
        for stage in _stages(lines):
            yield "markdown", _markdown(stage, setter)
            names = [
                blanks[0].name for line in stage if isinstance(line, Chain) and (blanks := blanks_of(line.sides[-1]))
            ]
            new = [name for name in dict.fromkeys(names) if name not in asked]
            asked |= set(new)
            if new:
                yield "code", _to_fill_in(exercise, board, step, new, solved)
                yield "code", "check()"


def _setup(exercise: Exercise) -> str:
    facts = ",\n".join(f"    {key!r}: {value!r}" for key, value in facts_of(exercise).items())
    return (
        "import numpy as np\nimport reseau as rs\n\n"
        f"exercise = rs.exercise(from_={{\n{facts},\n}})\nanswers = {{}}\n\n\n"
        f'def check():\n    """{words.WHAT_CHECK_DOES.in_(exercise.lang)}"""\n'
        "    try:\n        print(exercise.check(answers))\n    except rs.ReseauError as error:\n        print(error)"
    )


def _given(exercise: Exercise) -> str:
    """The given numbers, to compute with."""
    board = exercise.in_decimals(1)
    names = ["X", "T", *(parameter.name for parameter in exercise.tasks[0].parameters)]
    return "\n".join(f"{name} = np.array({np.asarray(board[name]).tolist()!r})" for name in names)


def _stages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines between one title and the next; a title that follows another stands with it."""
    stage: list[Line] = []
    for line in lines:
        if isinstance(line, Title) and not all(isinstance(before, Title) for before in stage):
            yield stage
            stage = []
        stage.append(line)
    yield stage


def _markdown(stage: Sequence[Line], setter: MarkdownSetter) -> str:
    """What is said and which equations hold, without the blanks, which are the cell's; a hint can be closed."""
    out: list[str] = []
    for line in stage:
        if isinstance(line, Room):
            continue
        if isinstance(line, Hint):
            inside = render(line.chains, setter)
            out.append(f"<details><summary>{line.title}</summary>\n\n{inside}\n</details>\n")
        elif isinstance(line, Chain) and blanks_of(line.sides[-1]):
            if len(line.sides) > 2:
                out.append(render([replace(line, sides=line.sides[:-1])], setter))
        else:
            out.append(render([line], setter))
    return "\n".join(out)


def _to_fill_in(exercise: Exercise, board: Blackboard, step: Step, names: Sequence[str], solved: bool) -> str:
    """A line for each quantity, with ... for each of its numbers, or with the numbers."""
    setter, parts = TextSetter(exercise.lang, DIGITS), parts_of(step.task)
    lines = []
    for name in names:
        values = np.asarray(step[name], dtype=np.float64)
        cells = values.reshape(two(values.shape)).tolist()
        written: Any = [[f"{value:.{SOLVED}g}" if solved else "..." for value in row] for row in cells]
        text = "[" + ", ".join(f"[{', '.join(row)}]" for row in written) + "]"
        if values.ndim == 0:
            text = written[0][0]
        elif values.ndim == 1:
            text = f"[{', '.join(written[0])}]"
        key = key_of(name, step.task.t, exercise.steps)
        lines.append(f'answers["{key}"] = {text}  # {setter.set(parts[name].symbol)}')
    return "\n".join(lines)
