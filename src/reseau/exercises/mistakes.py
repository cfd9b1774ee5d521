"""Checking a student's answers: which number first went wrong, and by what likely mistake.

Every quantity of a step is a function of those before it (`reseau.blackboard.step`). An answer is right if it is the
true number, or the one that follows from the student's own numbers before it. A mistake is a course of steps in which
one of the functions is another one; the likely one is the one whose course explains the first wrong number and most of
the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from reseau.arrays import FloatArray
from reseau.blackboard.step import Parts, Quantity, Task, quantities
from reseau.exercises.answers import Answers
from reseau.formulas.typesetting import CLOSE
from reseau.formulas.words import Words
from reseau.vocabulary.layers.equations import Slip

DIGITS = 4  # significant ones, that a sheet asks for
TINY = 1e-9
RELATIVE = 0.01  # what rounding on the way, to the digits that the sheet asks for, may add up to
Changes = Mapping[str, Callable[[Parts], Any]]  # of a step: the name of a quantity, and how it is computed instead
Tasks: TypeAlias = Sequence[Task]  # of an exercise: its steps, one after another


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong: what it is called, where and at which step, and what is computed instead."""

    words: Words
    layer: int | None  # None: everywhere
    changes: Changes
    t: int | None = None  # None: at every step

    def at(self, t: int) -> Changes:
        """What is computed instead at a step."""
        return self.changes if self.t in (None, t) else {}


@dataclass(frozen=True)
class Wrong:
    """One number that is not what it should be.

    Attributes
    ----------
    key, name : str
        What it belongs to is called so among the answers, and in its step.
    t : int
        The step, from 1.
    place, shape : tuple of int
        Its row and column from 1, or () for a single number; and the shape of what it belongs to.
    given, expected : float
        What was answered, and what follows from the numbers before it.
    """

    key: str
    name: str
    t: int
    place: tuple[int, ...]
    shape: tuple[int, ...]
    given: float
    expected: float


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a student's answers.

    Attributes
    ----------
    asked, answered, right : int
        How many numbers are asked for, how many were given, and how many of these are right, from the numbers before
        them at least.
    wrong : tuple of Wrong
        Those that are not, in the order of the steps.
    lost : tuple of Wrong
        New weights that are right as far as they are written, but are so the old ones too.
    mistakes : tuple of Mistake
        The likely mistakes, the likeliest first; several if they cannot be told apart.
    transposed : str or None
        The name of the first matrix that was given with rows and columns exchanged; what comes after it is not looked
        at.
    """

    asked: int
    answered: int
    right: int
    wrong: tuple[Wrong, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    transposed: str | None = None
    lost: tuple[Wrong, ...] = ()

    @property
    def first(self) -> Wrong | None:
        """The first that went wrong."""
        return self.wrong[0] if self.wrong else None

    @property
    def all_right(self) -> bool:
        """Whether nothing went wrong, in what was given."""
        return not self.wrong and self.transposed is None

    @property
    def mark(self) -> float:
        """How many of the numbers asked for are right, from 0 to 1."""
        return self.right / self.asked


def key_of(name: str, t: int, steps: int) -> str:
    """What a quantity of step t is called among the answers: Z1, or of several steps Z1_t2."""
    return name if steps == 1 else f"{name}_t{t}"


def keys_of(tasks: Tasks) -> list[tuple[str, int, Quantity]]:
    """All that is asked for, in order: what it is called, its step from 1, and the quantity."""
    return [
        (key_of(line.name, t, len(tasks)), t, line)
        for t, task in enumerate(tasks, start=1)
        for line in quantities(task)
    ]


def check(tasks: Tasks, given: Parts, answers: Answers) -> Verdict:
    """Compare answers with some steps: what is given at first, and all that follows."""
    truth, following = walk(tasks, given, {}), walk(tasks, given, answers.values)
    asked = sum(truth[t - 1][0][line.name].size for _, t, line in keys_of(tasks))
    answered = right = 0
    wrong: list[Wrong] = []
    lost: list[Wrong] = []
    transposed = None
    for key, t, line in keys_of(tasks):
        if answers.transposed == key:
            transposed = None if wrong else key
            break
        values = answers.values.get(key)
        if values is None:
            continue
        for place in places_of(values):
            value, unit = float(values[place]), float(answers.units[key][place])
            answered += 1
            expected, old = following[t - 1][0][line.name][place], _old(following[t - 1][1], line, place)
            # What should stand there: what follows from the numbers before it, which were right, if rounded.
            at = tuple(int(i) + 1 for i in place)
            found = Wrong(key, line.name, t, at, values.shape, value, float(expected))
            true = truth[t - 1][0][line.name][place], _old(truth[t - 1][1], line, place)
            if any(close(value, number, unit, before) for number, before in ((expected, old), true)):
                right += 1
                if line.replaces and _is_lost(found, old, unit):
                    lost.append(found)
            elif line.replaces and _is_lost(found, old, unit):
                right += 1
                lost.append(found)
            else:
                wrong.append(found)
    likely = tuple(_likely(tasks, given, answers, wrong[0])) if wrong else ()
    return Verdict(asked, answered, right, tuple(wrong), likely, transposed, tuple(lost))


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
    """Whether a new weight, as it is written, could be the old one, from which it differs by no more than rounding."""
    change, off = abs(found.expected - old), abs(found.given - found.expected)
    if off <= RELATIVE * change or off > RELATIVE * abs(found.expected) + unit:
        return False
    if 0 < unit < (1 - RELATIVE) * change:  # so many decimals would have shown the step
        return False
    return abs(found.given - old) <= unit or is_rounded(found.given, old)


def places_of(values: FloatArray) -> list[tuple[int, ...]]:
    """Where there is an answer."""
    return [place for place in np.ndindex(*values.shape) if not np.isnan(values[place])]


def _old(given: Parts, line: Quantity, place: tuple[Any, ...]) -> float:
    """The number that one of a step takes the place of, or 0."""
    return float(given[line.replaces][place]) if line.replaces else 0.0


def walk(
    tasks: Tasks, given: Parts, answers: Mapping[str, FloatArray], mistake: Mistake | None = None
) -> list[tuple[Parts, Parts]]:
    """Work out some steps from a student's numbers, as far as there are any: each quantity follows from those before.

    Returns
    -------
    list of (dict, dict)
        Of each step the numbers that follow, and the student's own: those that the next ones are computed from.
    """
    done: list[tuple[Parts, Parts]] = []
    with np.errstate(all="ignore"):
        for t, task in enumerate(tasks, start=1):
            changes: Changes = {} if mistake is None else mistake.at(t)
            own, following = dict(given), dict(given)
            for line in quantities(task):
                value = np.asarray(line.compute(own), dtype=np.float64)
                if line.name in changes:
                    shape, value = value.shape, np.asarray(changes[line.name](own), dtype=np.float64)
                    if value.shape != shape:
                        raise ValueError(f"{line.name} would have the shape {value.shape}")
                following[line.name] = value
                mine = answers.get(key_of(line.name, t, len(tasks)))
                own[line.name] = value if mine is None else np.where(np.isnan(mine), value, mine)
            done.append((following, own))
            given = _after(task, own)
    return done


def _after(task: Task, parts: Parts) -> Parts:
    """What the next step begins with."""
    states = [equation.left.name for equation in task.optimizer.equations if equation.state]
    given = {"X": parts["X"], "T": parts["T"]}
    for parameter in task.parameters:
        given[parameter.name] = parts[f"{parameter.name}_new"]
        given |= {f"{state}_{parameter.name}_before": parts[f"{state}_{parameter.name}"] for state in states}
    return given


def _likely(tasks: Tasks, given: Parts, answers: Answers, first: Wrong) -> list[Mistake]:
    """The mistakes that explain the first wrong number, those first that explain most of the answers."""
    place = tuple(i - 1 for i in first.place)
    unit = answers.units[first.key][place]
    lines = keys_of(tasks)
    here = next(line for key, _, line in lines if key == first.key)
    found: list[tuple[int, Mistake]] = []
    for mistake in mistakes(tasks, first.t):
        try:
            done = walk(tasks, given, answers.values, mistake)
        except ValueError:  # shapes that do not fit: this mistake cannot be made here
            continue
        following, own = done[first.t - 1]
        if close(first.given, float(following[first.name][place]), unit, _old(own, here, place)):
            found.append((_explained(lines, done, answers), mistake))
    most = max((score for score, _ in found), default=0)
    likely: list[Mistake] = []
    for score, mistake in found:
        if score == most and all(mistake.words != other.words for other in likely):
            likely.append(mistake)
    return likely


def _explained(
    lines: Sequence[tuple[str, int, Quantity]], done: Sequence[tuple[Parts, Parts]], answers: Answers
) -> int:
    count = 0
    for key, t, line in lines:
        values = answers.values.get(key)
        if values is not None:
            following, own = done[t - 1]
            count += sum(
                close(values[place], following[line.name][place], answers.units[key][place], _old(own, line, place))
                for place in places_of(values)
            )
    return count


# --- the mistakes -----------------------------------------------------------------------------------------------------


def mistakes(tasks: Tasks, t: int) -> Iterator[Mistake]:
    """Every mistake that the quantities know, at each layer and then everywhere, in the order of a step.

    Of several steps it may have been made at each of them, or at step t alone.
    """
    found: dict[tuple[Words, str], list[tuple[Quantity, Slip]]] = {}
    for line in quantities(tasks[t - 1]):
        for slip in line.slips:
            found.setdefault((slip.words, slip.together), []).append((line, slip))
    for (text, together), slips in found.items():
        for at in (None,) if len(tasks) == 1 else (None, t):
            if not together:
                for line, slip in slips:
                    yield Mistake(text, line.layer, {line.name: slip.compute}, at)
            if together or len(slips) > 1:
                yield Mistake(text, None, {line.name: slip.compute for line, slip in slips}, at)
