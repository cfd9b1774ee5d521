"""Checking a student's answers: which number first went wrong, and by what likely mistake.

Every quantity of a step is a function of those before it (`reseau.blackboard.step`). An answer is right if it is the
true number, or the one that follows from the student's own numbers before it. A mistake is a step in which one of the
functions is another one; the likely one is the one whose step explains the first wrong number and most of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.blackboard import words
from reseau.blackboard.step import ROWS, Parts, Quantity, Task, parts_of, quantities
from reseau.exercises.answers import Answers
from reseau.formulas.typesetting import ALL_DIGITS, CLOSE, Setter
from reseau.formulas.words import Words
from reseau.vocabulary.layers.equations import Slip

DIGITS = 4  # significant ones, that a sheet asks for
MOST_NAMED = 3  # likely mistakes that are told
TINY = 1e-9
RELATIVE = 0.01  # what rounding on the way, to the digits that the sheet asks for, may add up to
Changes = Mapping[str, Callable[[Parts], Any]]  # of a step: the name of a quantity, and how it is computed instead


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong: what it is called, where, and what is computed instead."""

    words: Words
    layer: int | None  # None: everywhere
    changes: Changes


@dataclass(frozen=True)
class Wrong:
    """One number that is not what it should be; `place` is its row and column from 1, or () for a single number."""

    name: str
    place: tuple[int, ...]
    given: float
    expected: float


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a student's answers.

    Attributes
    ----------
    answered, right : int
        How many numbers were given, and how many of them are right, from the numbers before them at least.
    first : Wrong or None
        The first that went wrong.
    lost : tuple of Wrong
        New weights that are right as far as they are written, but are so the old ones too.
    mistakes : tuple of Mistake
        The likely mistakes, the likeliest first; several if they cannot be told apart.
    transposed : str or None
        The name of the first matrix that was given with rows and columns exchanged.
    """

    answered: int
    right: int
    first: Wrong | None
    mistakes: tuple[Mistake, ...]
    transposed: str | None = None
    lost: tuple[Wrong, ...] = ()

    @property
    def all_right(self) -> bool:
        """Whether nothing went wrong."""
        return self.first is None and self.transposed is None


def check(task: Task, given: Parts, answers: Answers) -> Verdict:
    """Compare answers with a step: what is given, and all that follows."""
    truth = walk(task, given, {}, {})
    following = walk(task, given, answers.values, {})
    answered = right = 0
    first: Wrong | None = None
    lost: list[Wrong] = []
    for line in quantities(task):
        if answers.transposed == line.name and first is None:
            return Verdict(answered, right, None, (), line.name)
        values = answers.values.get(line.name)
        if values is None:
            continue
        for place in places_of(values):
            value, unit = values[place], answers.units[line.name][place]
            answered += 1
            old = _old(given, line, place)
            # What should stand there: what follows from the numbers before it, which were right, if rounded.
            index = tuple(int(i) + 1 for i in place[-2:])
            found = Wrong(line.name, index, float(value), float(following[line.name][place]))
            if any(close(value, parts[line.name][place], unit, old) for parts in (truth, following)):
                right += 1
                if line.replaces and _is_lost(found, old, unit):
                    lost.append(found)
            elif first is None:
                first = found
    likely = tuple(_likely(task, given, answers, first)) if first else ()
    return Verdict(answered, right, first, likely, lost=tuple(lost))


def close(value: float, expected: float, unit: float, old: float = 0.0) -> bool:
    """Whether an answer is a number, as far as its rounding tells.

    Parameters
    ----------
    value, expected : float
        What was given, and what it should be.
    unit : float
        Half of the last decimal that was given; 0 if that is not to be trusted.
    old : float
        Of a new weight, the old one: it is by the change that the new one is judged.
    """
    if not np.isfinite(expected):
        return bool(value == expected)
    near = abs(value - expected) <= RELATIVE * abs(expected - old) + unit + TINY
    return bool(near or is_rounded(value, expected))


def is_rounded(value: float, expected: float) -> bool:
    """Whether an answer is a number rounded to the digits that the sheet asks for; zeros at its end may be left out."""
    return value != 0 and abs(value - float(f"{expected:.{DIGITS - 1}e}")) <= CLOSE * abs(value)


def _is_lost(found: Wrong, old: float, unit: float) -> bool:
    """Whether a new weight, as it is written, could be the old one, which it is not."""
    change = found.expected - old
    if not change or abs(found.given - found.expected) <= RELATIVE * abs(change):
        return False
    return abs(found.given - old) <= unit or is_rounded(found.given, old)


def places_of(values: FloatArray) -> list[tuple[int, ...]]:
    """Where there is an answer."""
    return [place for place in np.ndindex(*values.shape) if not np.isnan(values[place])]


def _old(given: Parts, line: Quantity, place: tuple[Any, ...]) -> float:
    """The number that one of a step takes the place of, or 0."""
    return float(given[line.replaces][place]) if line.replaces else 0.0


def walk(task: Task, given: Parts, answers: Mapping[str, FloatArray], changes: Changes) -> Parts:
    """Work out a step from a student's numbers, as far as there are any: each quantity as it follows from those before.

    What is returned are the numbers that follow; those that the next ones are computed from are the student's own.
    """
    own, following = dict(given), dict(given)
    with np.errstate(all="ignore"):
        for line in quantities(task):
            value = np.asarray(line.compute(own), dtype=np.float64)
            if line.name in changes:
                shape, value = value.shape, np.asarray(changes[line.name](own), dtype=np.float64)
                if value.shape != shape:
                    raise ValueError(f"{line.name} would have the shape {value.shape}")
            following[line.name] = value
            mine = answers.get(line.name)
            own[line.name] = value if mine is None else np.where(np.isnan(mine), value, mine)
    return following


def _likely(task: Task, given: Parts, answers: Answers, first: Wrong) -> list[Mistake]:
    """The mistakes that explain the first wrong number, those first that explain most of the answers."""
    place = tuple(i - 1 for i in first.place)
    unit = _last_two(answers.units[first.name])[place]
    lines = {line.name: line for line in quantities(task)}
    old = _old(given, lines[first.name], place)
    found: list[tuple[int, Mistake]] = []
    for mistake in mistakes(task):
        try:
            parts = walk(task, given, answers.values, mistake.changes)
        except ValueError:  # shapes that do not fit: this mistake cannot be made here
            continue
        if close(first.given, float(_last_two(parts[first.name])[place]), unit, old):
            found.append((_explained(lines, given, parts, answers), mistake))
    most = max((score for score, _ in found), default=0)
    likely: list[Mistake] = []
    for score, mistake in found:
        if score == most and all(mistake.words != other.words for other in likely):
            likely.append(mistake)
    return likely


def _last_two(array: FloatArray) -> FloatArray:
    """Without the axis of rows that a Jacobian of one row has before its two."""
    return array.reshape(array.shape[-2:])


def _explained(lines: Mapping[str, Quantity], given: Parts, parts: Parts, answers: Answers) -> int:
    return sum(
        close(values[place], parts[name][place], answers.units[name][place], _old(given, lines[name], place))
        for name, values in answers.values.items()
        for place in places_of(values)
    )


def report(task: Task, verdict: Verdict, setter: Setter) -> list[str]:
    """A verdict in sentences."""
    lang = setter.lang
    if verdict.transposed is not None:
        symbol = setter.set(parts_of(task)[verdict.transposed].symbol)
        return [words.IS_TRANSPOSED.in_(lang).format(symbol=symbol, name=verdict.transposed)]
    lost = _lost(task, verdict, setter)
    if verdict.first is None:
        return [_count(verdict, lang), *lost]
    first = verdict.first
    given, expected = _told_apart(first.given, first.expected, setter)
    lines = [_count(verdict, lang)]
    lines.append(words.FIRST_WRONG.in_(lang).format(place=_place(task, first, setter), given=given, expected=expected))
    if verdict.mistakes:
        named = [
            mistake.words.in_(lang)
            if mistake.layer is None
            else words.AT_LAYER.in_(lang).format(mistake=mistake.words.in_(lang), l=mistake.layer)
            for mistake in verdict.mistakes[:MOST_NAMED]
        ]
        lines.append(words.LIKELY.in_(lang).format(mistake=words.OR.in_(lang).join(named)))
    else:
        lines.append(words.NO_KNOWN_MISTAKE.in_(lang))
    return [*lines, *lost]


def _count(verdict: Verdict, lang: str) -> str:
    """How many numbers are right."""
    if verdict.right == verdict.answered:
        text = words.ALL_RIGHT if verdict.answered > 1 else words.THE_ONE_RIGHT
    else:
        text = {0: words.NONE_RIGHT, 1: words.ONE_RIGHT}.get(verdict.right, words.SOME_RIGHT)
    return text.in_(lang).format(right=verdict.right, answered=verdict.answered)


def _place(task: Task, number: Wrong, setter: Setter) -> str:
    """Where a number stands, in words."""
    part = parts_of(task)[number.name]
    symbol = setter.set(part.symbol)
    if not number.place:
        return f"{symbol} ({number.name})"
    row, column = (1, *number.place)[-2:]
    template = words.AT_ROW if len(set(part.axes) - {ROWS}) > 1 else words.IN_COLUMN
    return template.in_(setter.lang).format(symbol=symbol, row=row, column=column, name=number.name)


def _told_apart(given: float, expected: float, setter: Setter) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in range(setter.digits, ALL_DIGITS + 1):
        finer = replace(setter, digits=digits)
        shown = finer.number(given), finer.number(expected)
        if given == expected or float(f"{given:.{digits - 1}e}") != float(f"{expected:.{digits - 1}e}"):
            break
    return shown


def _lost(task: Task, verdict: Verdict, setter: Setter) -> list[str]:
    """What is said of new weights whose change is lost in rounding."""
    if not verdict.lost:
        return []
    first = verdict.lost[0]
    given, expected = _told_apart(first.given, first.expected, setter)
    template = words.LOST if len(verdict.lost) == 1 else words.SEVERAL_LOST
    return [
        template.in_(setter.lang).format(
            place=_place(task, first, setter), given=given, expected=expected, count=len(verdict.lost)
        )
    ]


# --- the mistakes -----------------------------------------------------------------------------------------------------


def mistakes(task: Task) -> Iterator[Mistake]:
    """Every mistake that the quantities know, at each layer and then everywhere, in the order of a step."""
    found: dict[tuple[Words, str], list[tuple[Quantity, Slip]]] = {}
    for line in quantities(task):
        for slip in line.slips:
            found.setdefault((slip.words, slip.together), []).append((line, slip))
    for (text, together), slips in found.items():
        if not together:
            for line, slip in slips:
                yield Mistake(text, line.layer, {line.name: slip.compute})
        if together or len(slips) > 1:
            yield Mistake(text, None, {line.name: slip.compute for line, slip in slips})
