"""Exercises: learning steps with easy numbers and blanks, their solution, and the table in which answers are given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.blackboard import html
from reseau.blackboard.board import Blackboard, network_line, work_out
from reseau.blackboard.forms import check_ending
from reseau.blackboard.named import Step
from reseau.blackboard.sheet import Line, Title
from reseau.blackboard.step import Parts, Task, parts_of
from reseau.checks import as_path, boolean, integer, known, shown
from reseau.errors import ParameterError
from reseau.exercises import words
from reseau.exercises.answers import Answers, Reader, text_of, two
from reseau.exercises.facts import to_json
from reseau.exercises.files import ENDINGS, sheet
from reseau.exercises.mistakes import DIGITS, Verdict, check, key_of, keys_of
from reseau.exercises.report import report
from reseau.exercises.room import to_work_on
from reseau.files.writing import write_bytes
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.optimizers import Optimizer

NAME_DOTS = 40  # of the line for a student's name
LARGEST_DENOMINATOR = 10_000  # of a fraction that is easier than its decimals


@dataclass(frozen=True, eq=False)
class Exercise:
    """Learning steps to be worked out by hand; `reseau.exercise` makes one.

    Attributes
    ----------
    architecture : Architecture
        The network without its numbers.
    parameters : ndarray of shape (n_parameters,)
        Its weights and biases.
    X, T : ndarray of shape (rows, inputs) and (rows, outputs)
        The samples and their targets.
    optimizer : Optimizer
        How the parameters change, with its learning rate γ.
    lang : str
        The language of the sheet.
    steps : int
        How many steps are asked for, all on these samples.
    title, variant : str
        What the sheet is called, if not as others, and which of several variants it is.

    Examples
    --------
    >>> import reseau as rs
    >>> exercise = rs.exercise("2-2-1", seed=3)
    >>> exercise.asked[:3]
    ['Z1', 'A1', 'Z2']
    >>> print(exercise.check({"Z1": [[-2, 1]], "A1": [[0.1192, 0.7311]]}))
    All 4 numbers are right.
    """

    architecture: Architecture
    parameters: FloatArray
    X: FloatArray
    T: FloatArray
    optimizer: Optimizer
    lang: str
    steps: int = 1
    title: str = ""
    variant: str = ""

    def board(self) -> Blackboard:
        """The steps worked out; in fractions if all of them are easy."""
        board = self.in_decimals()
        if self.steps > 1:  # whose fractions grow with every step
            return board
        exact = self._board(True, 1)
        numbers: list[object] = [value for name in self.asked for value in np.ravel(exact[name]).tolist()]
        easy = all(isinstance(value, Fraction) and value.denominator <= LARGEST_DENOMINATOR for value in numbers)
        return exact if easy else board

    def in_decimals(self, steps: int | None = None) -> Blackboard:
        """The same in double precision, whether the numbers are easy or not.

        Parameters
        ----------
        steps : int or None
            How many of the steps; None for all.
        """
        return self._board(False, self.steps if steps is None else integer("steps", steps, low=1, high=self.steps))

    def _board(self, exact: bool, steps: int) -> Blackboard:
        return work_out(
            self.architecture,
            self.parameters,
            self.X,
            self.T,
            self.optimizer,
            steps=steps,
            exact=exact,
            lang=self.lang,
            digits=DIGITS,
        )

    @property
    def asked(self) -> list[str]:
        """The names of what is to be found, in order: "Z1", or where there are several steps "Z1_t1"."""
        return [key for key, _, _ in keys_of(self.tasks)]

    @property
    def tasks(self) -> list[Task]:
        """What is to be worked out, step by step."""
        return [Task(self.architecture, self.optimizer, t) for t in range(1, self.steps + 1)]

    @property
    def numbers(self) -> str:
        """What tells it from other exercises of the same network."""
        return repr((self.parameters.tolist(), self.X.tolist(), self.T.tolist()))

    # --- checking answers ---------------------------------------------------------------------------------------------

    def check(self, answers: Mapping[str, object] | str | os.PathLike[str], lang: str | None = None) -> Checked:
        """Tell which of a student's numbers first went wrong, and by what likely mistake.

        Parameters
        ----------
        answers : mapping, or path of a file
            Numbers, lists or arrays by name, such as {"Z1": [[0.5, 0.35]]}, in which None, nan and ... are blanks; or
            a file as `reseau check` reads it. Any of the numbers may be left out.
        lang : {"en", "fr"} or None
            The language; that of the exercise by default.

        Returns
        -------
        Checked
            What is to be said of them: printed, it is some sentences.

        Raises
        ------
        DataError
            For what cannot be read: the message names the place.
        """
        lang = language(lang, self)
        if isinstance(answers, Mapping):
            return self._checked(self._reader("answers", lang).mapping(answers), lang)
        path = as_path(answers, ", or numbers by name")
        return self.check_text(text_of(path, lang), str(path), lang)

    def check_text(self, text: str, place: str, lang: str | None = None) -> Checked:
        """Check the content of a file of answers.

        Parameters
        ----------
        text : str
            CSV or JSON.
        place : str
            What errors call the file.
        lang : {"en", "fr"} or None
            The language; that of the exercise by default.
        """
        lang = language(lang, self)
        if not isinstance(text, str):
            raise ParameterError(f"text is {shown(text)}, but must be the text of a file of answers.")
        return self._checked(self._reader(str(place), lang).text(text), lang)

    def _checked(self, answers: Answers, lang: str) -> Checked:
        return Checked(self, check(self.tasks, self.given, answers), lang)

    @property
    def given(self) -> Parts:
        """What the steps begin with."""
        first = self.in_decimals(1).steps[0]
        computed = {line.name for _, _, line in keys_of(self.tasks[:1])}
        return {name: first[name] for name in first if name not in computed}

    def _reader(self, place: str, lang: str) -> Reader:
        first, others = self.in_decimals(1).steps[0], dict[str, str]()
        shapes = {key: first[line.name].shape for key, _, line in keys_of(self.tasks)}
        for task in self.tasks:
            aliases = task.aliases | {parameter.name: f"{parameter.name}_new" for parameter in task.parameters}
            others |= {
                key_of(alias, task.t, self.steps): key_of(to, task.t, self.steps) for alias, to in aliases.items()
            }
        return Reader(place, shapes, others, lang)

    # --- the sheet ----------------------------------------------------------------------------------------------------

    def lines(self, solved: bool, how_to_check: tuple[str, str] | None = None, hints: bool = False) -> Iterator[Line]:
        """The sheet, or with the numbers filled in its solution.

        Parameters
        ----------
        solved : bool
            Whether it has the numbers.
        how_to_check : (str, str) or None
            The command that checks a table of answers, and that table.
        hints : bool
            Whether the equations of each stage are left to a hint.
        """
        board = self.board()
        lesson = board.lesson(board.steps[0], blank=not solved)
        yield Title(self.heading(solved), 1)
        yield network_line(lesson)
        if solved:
            yield board.rounding(lesson)
        else:
            yield lesson.prose(words.NAME_LINE, line="." * NAME_DOTS)
            yield lesson.prose(words.FILL_IN, digits=DIGITS)
        yield from lesson.given()
        for step in board.steps:
            yield from self.of_step(board, step, solved, hints)
        if how_to_check is not None and not solved:
            command, answers = how_to_check
            yield lesson.prose(words.HOW_TO_CHECK, answers=answers, command=command)

    def of_step(self, board: Blackboard, step: Step, solved: bool, hints: bool) -> Iterator[Line]:
        """The lines of one step.

        Parameters
        ----------
        board, step : Blackboard, Step
            What is worked out, and which step of it.
        solved, hints : bool
            As of `lines`.
        """
        lesson = board.lesson(step, blank=not solved)
        if self.steps > 1:
            yield Title(lesson.say(words.STEP_OF, t=step.task.t, steps=self.steps), 2)
        if step.task.t > 1:
            yield lesson.prose(words.FROM_NEW, before=step.task.t - 1)
        yield from lesson.step() if solved else to_work_on(lesson.step(), words.HINT.in_(self.lang) if hints else None)

    def sheet(self, ending: str = ".html", solved: bool = False, hints: bool = False) -> str:
        """The sheet, or its solution, as text.

        Parameters
        ----------
        ending : str
            The form: .html, .tex, .md, .txt, .ipynb or .xml.
        solved, hints : bool
            As of `save`.

        Returns
        -------
        str
            What `save` writes.

        Raises
        ------
        ParameterError
            For another ending.
        """
        known("ending", ending, ENDINGS)
        return sheet(self, ending, boolean("solved", solved), boolean("hints", hints))

    def save(self, path: str | os.PathLike[str], *, solved: bool = False, hints: bool = False) -> None:
        """Write the sheet, or its solution, in the form of the file's ending; or with .json the exercise itself.

        Parameters
        ----------
        path : path
            Its ending is one of .html, .tex, .md, .txt, .ipynb (a notebook), .xml (for Moodle) and .json.
        solved : bool
            Whether it has the numbers.
        hints : bool
            Whether the equations of each stage are left to a hint.
        """
        place, solved, hints = as_path(path), boolean("solved", solved), boolean("hints", hints)
        if place.suffix == ".json":
            text = self.to_json()
        else:
            check_ending(place, "path", *ENDINGS, ".json")
            text = sheet(self, place.suffix, solved, hints)
        write_bytes(place, text.encode())

    def to_json(self) -> str:
        """The exercise as text: what `reseau check` and ``rs.exercise(from_=...)`` read."""
        return to_json([self])

    def __str__(self) -> str:
        return self.sheet(".txt")

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.architecture.widths))
        return f"Exercise({widths}, {self.optimizer!r}, steps={self.steps}, rows={len(self.X)}, lang={self.lang!r})"

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return html.fragment(list(self.lines(False)), html.MathmlSetter(self.lang, DIGITS))

    def heading(self, solved: bool) -> str:
        """The title of the sheet, or of its solution.

        Parameters
        ----------
        solved : bool
            Which of them.
        """
        several = self.steps > 1
        kind = (words.SOLUTION, words.SOLUTION_OF_SEVERAL) if solved else (words.EXERCISE, words.EXERCISE_OF_SEVERAL)
        text = kind[several].in_(self.lang).format(steps=self.steps)
        if self.title:
            text = words.SOLUTION_TITLED.in_(self.lang).format(title=self.title) if solved else self.title
        return words.TITLE_OF_VARIANT.in_(self.lang).format(title=text, variant=self.variant) if self.variant else text

    def template(self) -> str:
        """An empty table of answers: a line for each number, to be filled in."""
        board, delimiter = self.in_decimals(1), ";" if self.lang == "fr" else ","
        setter = TextSetter(self.lang, DIGITS)
        rows = [words.TEMPLATE_HEADER.in_(self.lang).split()]
        rows.append([words.STUDENT_KEY.in_(self.lang), "", "", "", ""])
        if self.variant:
            rows.append([words.VARIANT_KEY.in_(self.lang), "", "", self.variant, ""])
        parts = parts_of(self.tasks[0])
        for key, _, line in keys_of(self.tasks):
            array: Any = np.empty(two(board[line.name].shape))
            symbol = setter.set(parts[line.name].symbol)
            rows += [[key, str(i + 1), str(j + 1), "", symbol] for i, j in np.ndindex(*array.shape)]
        return "".join(delimiter.join(row) + "\n" for row in rows)


def language(lang: str | None, exercise: Exercise) -> str:
    """The language that is asked for, or the exercise's own."""
    return exercise.lang if lang is None else known("lang", lang, LANGUAGES)


class Checked:
    """What is to be said of some answers to an exercise; printed, it is some sentences.

    Attributes
    ----------
    verdict : Verdict
        Which numbers are wrong, and by what likely mistakes.
    asked, answered, right : int
        How many numbers are asked for, were given, and are right.
    mark : float
        How many of the numbers asked for are right, from 0 to 1: right is also what follows from the student's own
        numbers before it.
    all_right : bool
        Whether nothing that was given is wrong.

    Examples
    --------
    >>> import reseau as rs
    >>> checked = rs.exercise("2-2-1", seed=3).check({"Z1": [[-2, 0.7]]})
    >>> checked.right, checked.answered, checked.all_right
    (1, 2, False)
    """

    def __init__(self, exercise: Exercise, verdict: Verdict, lang: str) -> None:
        self.exercise = exercise
        self.verdict = verdict
        self.lang = lang

    @property
    def asked(self) -> int:
        """How many numbers are asked for."""
        return self.verdict.asked

    @property
    def answered(self) -> int:
        """How many numbers were given."""
        return self.verdict.answered

    @property
    def right(self) -> int:
        """How many of these are right."""
        return self.verdict.right

    @property
    def mark(self) -> float:
        """The share of the numbers asked for that are right."""
        return self.verdict.mark

    @property
    def all_right(self) -> bool:
        """Whether nothing that was given is wrong."""
        return self.verdict.all_right

    def sentences(self, lang: str | None = None) -> list[str]:
        """What is said, sentence by sentence, perhaps in another language."""
        return report(self.exercise.tasks, self.verdict, TextSetter(lang or self.lang, DIGITS))

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def __repr__(self) -> str:
        return f"Checked({self.right} right of {self.answered} answered, of {self.asked} asked)"
