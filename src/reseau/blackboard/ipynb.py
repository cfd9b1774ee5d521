"""The blackboard as a Jupyter notebook: the stages as text, and the same numbers computed by NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from reseau.blackboard.cells import Code
from reseau.blackboard.drawing import Drawing
from reseau.blackboard.markdown import MarkdownSetter, render
from reseau.blackboard.sheet import Line, Title
from reseau.blackboard.step import Parts, Task


def notebook(lines: Sequence[Line], steps: Sequence[tuple[Task, Parts]], setter: MarkdownSetter) -> str:
    """A notebook of the format 4.5.

    Parameters
    ----------
    lines : sequence of Line
        What stands on the board.
    steps : sequence of (Task, dict)
        The steps that are written out there, with their numbers.
    setter : MarkdownSetter
        Of formulas.
    """
    cells: list[dict[str, Any]] = []
    for place, (text, codes) in enumerate(_cells(lines, steps, setter)):
        cells.append({"cell_type": "markdown", "id": f"stage-{place}", "metadata": {}, "source": text})
        for number, code in enumerate(codes):
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"stage-{place}-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": code,
                }
            )
    facts: dict[str, Any] = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"


def _cells(
    lines: Sequence[Line], steps: Sequence[tuple[Task, Parts]], setter: MarkdownSetter
) -> Iterator[tuple[str, list[str]]]:
    """The text of each stage, and its cells of code."""
    codes = list(_codes(steps, setter))
    if any("math." in code for several in codes for code in several):
        codes[0][0] = f"import math\n\n{codes[0][0]}"
    stages = _stages(lines)
    codes += [[] for _ in range(len(stages) - len(codes))]  # of a curve over many steps there is none
    for stage, several in zip(stages, codes, strict=True):
        yield render(stage, setter), several


def _codes(steps: Sequence[tuple[Task, Parts]], setter: MarkdownSetter) -> Iterator[list[str]]:
    yield [f"import numpy as np\n\nnp.set_printoptions(precision={setter.digits})"]
    for place, (task, parts) in enumerate(steps):
        code = Code(task, parts, setter.lang)
        if place == 0:
            yield list(code.given())
        yield from code.stages(first=place == 0)


def _stages(lines: Sequence[Line]) -> list[list[Line]]:
    """What stands below each title, or below several in a row."""
    found: list[list[Line]] = []
    before: Line | None = None
    for line in lines:
        if isinstance(line, Drawing):
            continue
        if isinstance(line, Title) and not isinstance(before, Title):
            found.append([])
        found[-1].append(line)
        before = line
    return found
