"""What is said of answers: a verdict in sentences, for the student, in the language of the exercise."""

from __future__ import annotations

from dataclasses import replace

from reseau.blackboard.step import ROWS, parts_of
from reseau.exercises import words
from reseau.exercises.mistakes import Mistake, Tasks, Verdict, Wrong
from reseau.formulas.typesetting import ALL_DIGITS, Setter
from reseau.formulas.words import Words

MOST_NAMED = 3  # likely mistakes that are told


def report(tasks: Tasks, verdict: Verdict, setter: Setter) -> list[str]:
    """A verdict in sentences."""
    lang = setter.lang
    if verdict.transposed is not None:
        return [words.IS_TRANSPOSED.in_(lang).format(**transposed(tasks, verdict.transposed, setter))]
    lines = [_agreeing(verdict).in_(lang).format(right=verdict.right, answered=verdict.answered)]
    if verdict.first is not None:
        given, expected = _told_apart(verdict.first.given, verdict.first.expected, setter)
        place = place_in_words(tasks, verdict.first, setter)
        lines.append(words.FIRST_WRONG.in_(lang).format(place=place, given=given, expected=expected))
        if verdict.mistakes:
            named = [named_mistake(mistake, lang) for mistake in verdict.mistakes[:MOST_NAMED]]
            lines.append(words.LIKELY.in_(lang).format(mistake=words.OR.in_(lang).join(named)))
        else:
            lines.append(words.NO_KNOWN_MISTAKE.in_(lang))
    return [*lines, *_lost(tasks, verdict, setter)]


def _agreeing(verdict: Verdict) -> Words:
    """How many numbers are right, in the words that agree with how many they are."""
    if verdict.right == verdict.answered:
        return {1: words.ONE_RIGHT, 2: words.BOTH_RIGHT}.get(verdict.answered, words.ALL_RIGHT)
    if verdict.right == 0:
        return words.NONE_RIGHT_OF_ONE if verdict.answered == 1 else words.NONE_RIGHT
    return words.ONE_OF_SEVERAL_RIGHT if verdict.right == 1 else words.SOME_RIGHT


def named_mistake(mistake: Mistake, lang: str) -> str:
    """A mistake with the layer and the step at which it was made, as far as it was not made everywhere."""
    several = {
        (False, False): words.AT_LAYER_AND_STEP,
        (False, True): words.AT_LAYER,
        (True, False): words.AT_STEP,
    }
    text = mistake.words.in_(lang)
    template = several.get((mistake.layer is None, mistake.t is None))
    return text if template is None else template.in_(lang).format(mistake=text, l=mistake.layer, t=mistake.t)


def transposed(tasks: Tasks, key: str, setter: Setter) -> dict[str, str]:
    """How a matrix is written, and what it is called."""
    name = key.rpartition("_t")[0] if len(tasks) > 1 else key
    return {"symbol": setter.set(parts_of(tasks[0])[name].symbol), "name": key}


def place_in_words(tasks: Tasks, number: Wrong, setter: Setter) -> str:
    """Where a number stands, in words."""
    part = parts_of(tasks[number.t - 1])[number.name]
    symbol = setter.set(part.symbol)
    if not number.place:
        return f"{symbol} ({number.key})"
    place = number.place
    if ROWS in part.axes and number.shape[0] == 1:
        place = place[1:]
    sample, row, column = (1, 1, *place)[-3:]
    template = (words.IN_COLUMN, words.AT_ROW, words.AT_ROW_OF)[len(place) - 1]
    return template.in_(setter.lang).format(symbol=symbol, row=row, column=column, sample=sample, name=number.key)


def _told_apart(given: float, expected: float, setter: Setter) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in range(setter.digits, ALL_DIGITS + 1):
        finer = replace(setter, digits=digits)
        shown = finer.number(given), finer.number(expected)
        if given == expected or float(f"{given:.{digits - 1}e}") != float(f"{expected:.{digits - 1}e}"):
            break
    return shown


def _lost(tasks: Tasks, verdict: Verdict, setter: Setter) -> list[str]:
    """What is said of new weights whose change is lost in rounding."""
    if not verdict.lost:
        return []
    first = verdict.lost[0]
    given, expected = _told_apart(first.given, first.expected, setter)
    template = words.LOST if len(verdict.lost) == 1 else words.SEVERAL_LOST
    return [
        template.in_(setter.lang).format(
            place=place_in_words(tasks, first, setter), given=given, expected=expected, count=len(verdict.lost)
        )
    ]
