"""Exercises for Moodle: questions of the type Cloze, with a field for each number, for Moodle's import of XML.

A field is written into the text, ``{1:NUMERICAL:=0.35:0.0035~%0%0.7:0.007#Likely mistake: ...}``: the right number with
its tolerance, and wrong ones that a usual mistake leads to, with what is said of them. Moodle compares with fixed
numbers, and so does not follow a student's own ones as `reseau check` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from reseau.arrays import FloatArray
from reseau.blackboard.latex import LatexSetter
from reseau.blackboard.sheet import Chain, Hint, Line, Matrix, Prose, Title
from reseau.exercises import words
from reseau.exercises.mistakes import DIGITS, RELATIVE, Mistake, keys_of, mistakes, walk
from reseau.exercises.report import named_mistake
from reseau.exercises.room import blanks_of

if TYPE_CHECKING:
    from reseau.exercises.exercise import Exercise

MOST_FEEDBACK = 4  # wrong numbers of a field that are named
LEAST = 1e-6  # the tolerance of a number that is 0
ESCAPES = {"}": r"\}", "#": r"\#", "~": "&#126;", '"': "&quot;", "/": "&#47;", "\\": "&#92;", "&": "&amp;"}
PENALTY = "0.3333333"  # of each further try, Moodle's default


def quiz(exercises: Sequence[Exercise], hints: bool = False) -> str:
    """A file for Moodle's import: one question for each variant, in a category of their own."""
    root = ElementTree.Element("quiz")
    category = ElementTree.SubElement(root, "question", type="category")
    title = exercises[0].title or words.EXERCISE.in_(exercises[0].lang)
    _text(category, "category", "$course$/top/" + title.replace("/", "//"))
    for exercise in exercises:
        question = ElementTree.SubElement(root, "question", type="cloze")
        _text(question, "name", exercise.heading(False))
        _text(question, "questiontext", "\n".join(_body(exercise, hints)), format="html")
        _text(question, "generalfeedback", "", format="html")
        ElementTree.SubElement(question, "penalty").text = PENALTY
        ElementTree.SubElement(question, "hidden").text = "0"
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(ElementTree.SubElement(parent, name, attributes), "text").text = text


# --- the text of a question -------------------------------------------------------------------------------------------


def _body(exercise: Exercise, hints: bool) -> Iterator[str]:
    """The sheet as HTML with fields, formulas in LaTeX, which Moodle's filters set."""
    setter = LatexSetter(exercise.lang, DIGITS)
    board = exercise.board()
    yield f"<p>{_words(words.FILL_IN_FIELDS.in_(exercise.lang).format(digits=DIGITS))}</p>"
    for line in board.lesson(board.steps[0], blank=True).given():
        yield from _set(line, setter)
    fields = Fields(exercise)
    for step in board.steps:
        left = {line.name: fields.of(line.name, t) for _, t, line in keys_of(exercise.tasks) if t == step.task.t}
        for line in exercise.of_step(board, step, False, hints):
            blanks = blanks_of(line.sides[-1]) if isinstance(line, Chain) else []
            if isinstance(line, Chain) and blanks:
                yield from _asked(line, left[blanks[0].name], setter)
            else:
                yield from _set(line, setter)


def _asked(chain: Chain, left: list[str], setter: LatexSetter) -> Iterator[str]:
    """An equation that ends in fields, which are taken from those that are left; what was asked before has none."""
    before = setter.chain(Chain(chain.sides[:-1], chain.sign))
    end = chain.sides[-1][0]
    rows = [len(row) for row in end.rows] if isinstance(end, Matrix) else [1]
    if len(left) < sum(rows):
        yield f"<p>{_formula(before)}</p>"
        return
    if rows == [1]:
        yield f"<p>{_formula(before + ' =')} {left.pop(0)}</p>"
        return
    yield f"<p>{_formula(before + ' =')}</p>"
    cells = [[f"<td>{left.pop(0)}</td>" for _ in range(count)] for count in rows]
    yield f"<table><tbody>{''.join(f'<tr>{chr(32).join(row)}</tr>' for row in cells)}</tbody></table>"


def _set(line: Line, setter: LatexSetter) -> Iterator[str]:
    match line:
        case Title(text=text, level=level):
            yield f"<h{level + 2}>{_words(text)}</h{level + 2}>"
        case Prose(text=text, numbers=numbers):
            text = _words(text)
            for name, value in numbers:
                text = text.replace(f"{{{name}}}", _formula(setter.set(value)))
            yield f"<p>{text}</p>"
        case Chain():
            yield f"<p>{_formula(setter.chain(line))}</p>"
        case Hint(title=title, chains=chains):
            inside = "".join(f"<p>{_formula(setter.chain(chain))}</p>" for chain in chains)
            yield f"<details><summary>{_words(title)}</summary>{inside}</details>"


def _words(text: str) -> str:
    return escape(text, quote=False)


def _formula(latex: str) -> str:
    r"""A formula between \( and \); a brace is kept from what begins a field, a brace, digits and a colon."""
    return rf"\({escape(re.sub(r'{(?=[0-9]*:)', '{ ', latex), quote=False)}\)"


# --- fields -----------------------------------------------------------------------------------------------------------


class Fields:
    """The fields of an exercise: the right numbers, and those that mistakes lead to."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        tasks, given = exercise.tasks, exercise.given
        self.truth = walk(tasks, given, {})
        self.wrong: list[tuple[Mistake, list[tuple[dict[str, Any], dict[str, Any]]]]] = []
        for mistake in mistakes(tasks, 1):
            if mistake.t is not None:
                continue
            try:
                self.wrong.append((mistake, walk(tasks, given, {}, mistake)))
            except ValueError:  # shapes that do not fit: this mistake cannot be made here
                continue
        self.replaced = {(line.name, t): line.replaces for _, t, line in keys_of(tasks)}

    def of(self, name: str, t: int) -> list[str]:
        """The fields of one quantity, row by row."""
        following, own = self.truth[t - 1]
        true = following[name]
        tolerances = _tolerance(true, own.get(self.replaced[name, t]))
        # first the mistakes that are made here, then those that lead here
        here = sorted(self.wrong, key=lambda found: name not in found[0].changes)
        wrong = [(mistake, done[t - 1][0][name]) for mistake, done in here]
        return [
            self._field(float(true[at]), float(tolerances[at]), [(mistake, float(w[at])) for mistake, w in wrong])
            for at in np.ndindex(*true.shape)
        ]

    def _field(self, value: float, tolerance: float, wrong: Sequence[tuple[Mistake, float]]) -> str:
        lang = self.exercise.lang
        parts = [f"={_number(value)}:{_number(tolerance)}"]
        taken = [(value, tolerance)]
        for mistake, other in wrong:
            near = max(RELATIVE * abs(other), LEAST)
            apart = all(abs(other - number) > near + margin for number, margin in taken)
            if np.isfinite(other) and apart and len(taken) <= MOST_FEEDBACK:
                taken.append((other, near))
                said = words.LIKELY.in_(lang).format(mistake=named_mistake(mistake, lang))
                parts.append(f"%0%{_number(other)}:{_number(near)}#{cloze_escaped(said)}")
        return f"{{1:NUMERICAL:{'~'.join(parts)}}}"


def _tolerance(true: FloatArray, old: FloatArray | None) -> FloatArray:
    """1 % of each number, of a new weight at most of its change; and what rounding to the digits asked for may take."""
    with np.errstate(all="ignore"):
        size = np.abs(true)
        digits = 0.5 * 10.0 ** (np.floor(np.log10(np.where(size > 0, size, 1.0))) - DIGITS + 1)
        change = size if old is None else np.minimum(size, np.abs(true - old))
    return np.asarray(np.maximum(np.maximum(RELATIVE * change, np.where(size > 0, digits, 0.0)), LEAST))


def _number(value: float) -> str:
    """A number as Moodle reads it, in any language."""
    return f"{value:.8g}"


def cloze_escaped(text: str) -> str:
    """Text within a field, of which Cloze takes nothing for a sign of its own.

    Moodle takes the backslash away only before the first two; the others it reads as entities of HTML.
    """
    return "".join(ESCAPES.get(c, c) for c in text)
