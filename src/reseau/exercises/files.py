"""The files of an exercise: sheets, solutions, tables of answers, and the exercise itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reseau.blackboard.forms import check_ending, set_lines
from reseau.blackboard.sheet import Line, NewPage, Table, Title, number
from reseau.errors import ParameterError
from reseau.exercises import words
from reseau.exercises.cloze import quiz
from reseau.exercises.facts import to_json
from reseau.exercises.mistakes import DIGITS
from reseau.exercises.notebook import notebook
from reseau.exercises.room import hints_at_the_end
from reseau.formulas.trees import Expression

if TYPE_CHECKING:
    from reseau.exercises.exercise import Exercise

CLOSING = ".html"  # the form in which a hint can be closed
NOTEBOOK, MOODLE = ".ipynb", ".xml"
PAGES = (".html", ".tex", ".md", ".txt")
ENDINGS = (*PAGES, NOTEBOOK, MOODLE)


def sheet(exercise: Exercise, ending: str, solved: bool = False, hints: bool = False) -> str:
    """One sheet, or its solution, in the form of an ending."""
    if ending.lower() == NOTEBOOK:
        return notebook(exercise, solved, hints)
    if ending.lower() == MOODLE:
        return quiz([exercise], hints)
    return _set(exercise.lines(solved, hints=hints), ending, exercise.lang)


def _set(lines: Iterable[Line], ending: str, lang: str) -> str:
    ready = lines if ending.lower() == CLOSING else hints_at_the_end(lines, lang)
    return set_lines(ready, ending, lang, DIGITS)


def files_of(exercises: Sequence[Exercise], output: Path, hints: bool = False) -> dict[Path, bytes]:
    """What `reseau exercise` writes: of one exercise, or of several variants.

    Raises
    ------
    ParameterError
        For an ending that names no form, and where a table of answers is there already that is not empty.
    """
    check_ending(output, "--output", *ENDINGS)
    ending = output.suffix.lower()
    if ending == NOTEBOOK:
        texts, tables = _notebooks(exercises, output, hints), dict[Path, str]()
    elif ending == MOODLE:
        # what Moodle asks it also answers; the key is for the teacher to look at
        solution = output.with_name(f"{output.stem}-solution{CLOSING}")
        texts, tables = {output: quiz(exercises, hints), solution: _key(exercises, CLOSING)}, {}
    else:
        texts, tables = _sheets(exercises, output, hints)
    texts[output.with_suffix(".json")] = to_json(exercises)
    for path, template in tables.items():
        _check_unanswered(path, template)
    return {path: text.encode() for path, text in texts.items()} | {
        path: template.encode("utf-8-sig")  # spreadsheets take what has no byte order mark for something else
        for path, template in tables.items()
    }


def _own(exercises: Sequence[Exercise], exercise: Exercise, output: Path) -> Path:
    """The sheet of one of several variants."""
    return output if len(exercises) == 1 else output.with_name(f"{output.stem}-{exercise.variant}{output.suffix}")


def _notebooks(exercises: Sequence[Exercise], output: Path, hints: bool) -> dict[Path, str]:
    """A notebook for each variant, and one with its solution."""
    texts: dict[Path, str] = {}
    for exercise in exercises:
        own = _own(exercises, exercise, output)
        texts[own] = notebook(exercise, False, hints)
        texts[own.with_name(f"{own.stem}-solution{own.suffix}")] = notebook(exercise, True)
    return texts


def _sheets(exercises: Sequence[Exercise], output: Path, hints: bool) -> tuple[dict[Path, str], dict[Path, str]]:
    """A sheet and an empty table of answers for each variant, all sheets to be printed at once, and the key."""
    ending, lang = output.suffix, exercises[0].lang
    texts: dict[Path, str] = {}
    tables: dict[Path, str] = {}
    sheets: list[Line] = []
    for exercise in exercises:
        own = _own(exercises, exercise, output)
        answers = own.with_name(f"{own.stem}-answers.csv")
        how = f"reseau check {output.with_suffix('.json').name} {answers.name}", answers.name
        lines = list(exercise.lines(False, how, hints))
        texts[own] = _set(lines, ending, lang)
        tables[answers] = exercise.template()
        sheets += [*([NewPage()] if sheets else []), *lines]
    if len(exercises) > 1:
        texts[output] = _set(sheets, ending, lang)
    texts[output.with_name(f"{output.stem}-solution{ending}")] = _key(exercises, ending)
    return texts, tables


def _key(exercises: Sequence[Exercise], ending: str) -> str:
    return _set(key(exercises), ending, exercises[0].lang)


def _check_unanswered(path: Path, template: str) -> None:
    """Refuse to replace somebody's answers; an empty table may be written again."""
    if path.is_file() and path.read_bytes() not in (template.encode(), template.encode("utf-8-sig")):
        raise ParameterError(
            f"{path} is there already, perhaps with somebody's answers; move it away, or choose another --output."
        )


def key(exercises: Sequence[Exercise]) -> Iterator[Line]:
    """The solution of an exercise; of several variants their main numbers in a table, and then each on its page."""
    if len(exercises) > 1:
        yield from _summary(exercises)
    for exercise in exercises:
        if len(exercises) > 1:
            yield NewPage()
        yield from exercise.lines(True)


def _summary(exercises: Sequence[Exercise]) -> Iterator[Line]:
    """What one looks up first: of each variant the error before the steps and after."""
    lang = exercises[0].lang
    yield Title(words.KEY.in_(lang).format(count=len(exercises)), 1)
    header = [what.in_(lang) for what in (words.VARIANT_KEY, words.ERROR_BEFORE, words.ERROR_AFTER)]
    rows: list[tuple[Expression | str, ...]] = []
    for exercise in exercises:
        board = exercise.in_decimals()
        errors = [number(float(value)) for value in board.errors[[0, -1]]]
        rows.append((exercise.variant, *errors))
    yield Table(tuple(header), tuple(rows))
