"""`reseau check`: which of a student's numbers first went wrong, and the marks of a class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reseau.cli import completion
from reseau.cli.common import check_output, refusals, tell

WRONG = 1  # the exit code, as of a comparison that finds a difference


def check(
    exercise: Annotated[
        Path, typer.Argument(metavar="EXERCISE", help="The .json file of an exercise.", show_default=False)
    ],
    answers: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWERS", help="The .csv or .json files of students.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the marks: .csv, .html, .tex, .md or .txt.", show_default=False),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="en or fr.", autocompletion=completion.languages, show_default="that of the exercise"),
    ] = None,
) -> None:
    """Tell which of a student's numbers first went wrong, and by what likely mistake; or the marks of a class.

    ANSWERS may hold any of the numbers, or only the new weights: lines of name, row, column and value
    such as "Z1,1,2,0.35" (the table that "reseau exercise" writes, filled in), or JSON such as
    {"Z1": [[0.5, 0.35]], "W1_new": ...}. Numbers are taken for right if they follow from the
    student's own numbers before them, to 1 %; a step that is lost in rounding is no mistake.

    Of several files, or with --output, a table of marks is made: the share of the numbers asked for
    that are right, where each first went wrong, and how often each mistake was made. A file that
    cannot be read is a row with the reason. To which of several variants a file belongs is told by
    a line in it, "variant,,,7", or by its name, exercise-07-answers.csv.

    The exit code is 1 if a number is wrong, or one of several files cannot be read; 2 if nothing
    could be done.
    """
    with refusals():
        from reseau.checks import known
        from reseau.exercises.marks import Marks, mark
        from reseau.exercises.written import load
        from reseau.files.writing import write_together
        from reseau.formulas.words import LANGUAGES

        if lang is not None:
            known("--lang", lang, LANGUAGES)
        exercises = load(exercise)
        lang = lang or exercises[0].lang
        if len(answers) == 1 and output is None:
            checked = mark(exercises, answers[0], lang)
            tell(str(checked))
            right = checked.all_right
        else:
            if output is not None:
                check_output(output, [exercise, *answers])
            marks = Marks.of(exercises, answers, lang)
            if output is not None:
                write_together({output: marks.in_form(output, "--output")})
            tell(str(marks))
            right = marks.all_right
        if not right:
            raise typer.Exit(WRONG)
