"""`reseau check`: which of a student's numbers first went wrong, and by what likely mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli.common import refusals, tell

WRONG = 1  # the exit code, as of a comparison that finds a difference


def check(
    exercise: Annotated[
        Path, typer.Argument(metavar="EXERCISE", help="The .json file of an exercise.", show_default=False)
    ],
    answers: Annotated[
        Path, typer.Argument(metavar="ANSWERS", help="A student's .csv or .json file.", show_default=False)
    ],
    lang: Annotated[str | None, typer.Option(help="en or fr.", show_default="that of the exercise")] = None,
) -> None:
    """Tell which of a student's numbers first went wrong, and by what likely mistake.

    ANSWERS may hold any of the numbers, or only the new weights: lines of name, row, column and value
    such as "Z1,1,2,0.35" (the table that "reseau exercise" writes, filled in), or JSON such as
    {"Z1": [[0.5, 0.35]], "W1_new": ...}. Numbers are taken for right if they follow from the
    student's own numbers before them, to 1 %. The exit code is 1 if a number is wrong.
    """
    with refusals():
        from reseau.checks import known
        from reseau.exercises.exercise import load, text_of
        from reseau.exercises.mistakes import DIGITS, report
        from reseau.formulas.typesetting import TextSetter
        from reseau.formulas.words import LANGUAGES

        if lang is not None:
            known("--lang", lang, LANGUAGES)
        task = load(exercise)
        verdict = task.check(text_of(answers), str(answers))
        setter = TextSetter(lang or task.lang, DIGITS)
        tell("\n".join(report(task.task, verdict, setter)))
        if not verdict.all_right:
            raise typer.Exit(WRONG)
