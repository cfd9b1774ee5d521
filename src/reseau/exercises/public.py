"""What a teacher and a student call from Python: an exercise, its variants, checks and the marks of a class."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reseau.checks import as_path, integer, known, shown
from reseau.errors import ParameterError
from reseau.exercises.answers import text_of
from reseau.exercises.drawing import Plan, plan
from reseau.exercises.exercise import Checked, Exercise, language
from reseau.exercises.marks import Marks, mark
from reseau.exercises.written import load, plans_from
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.losses import NamedLoss
from reseau.vocabulary.optimizers import Optimizer

Source = Mapping[str, Any] | str | os.PathLike[str]


def exercise(
    layers: str | Sequence[int] = "2-2-1",
    activation: str | Sequence[str] = "sigmoid",
    output_activation: str | None = None,
    loss: NamedLoss = "squared_error",
    *,
    learning_rate: float | None = None,
    optimizer: str | Optimizer = "sgd",
    steps: int = 1,
    rows: int = 1,
    bias: bool = True,
    seed: int = 0,
    lang: str | None = None,
    from_: Source | None = None,
) -> Exercise:
    """Make an exercise: learning steps with easy numbers to be worked out by hand, as `reseau exercise` does.

    Parameters
    ----------
    layers : str or sequence of int
        The inputs and the neurons of each layer, such as "2-2-1"; at most 6 each.
    activation : str or sequence of str
        Of all layers, or one for each.
    output_activation : str or None
        Of the last layer, if another.
    loss : str or loss
        The error.
    learning_rate : float or None
        γ > 0; by default 0.5, and of other optimizers than gradient descent 0.1.
    optimizer : str or Optimizer
        How the parameters change: a name, perhaps with numbers as in "sgd momentum=0.9", or such as rs.Adam(0.1).
    steps, rows : int
        How many steps, one after another, and on how many samples.
    bias : bool
        Whether the layers have biases.
    seed : int
        The same seed gives the same exercise.
    lang : {"en", "fr"} or None
        The language of the sheet; English, or what `from_` says.
    from_ : path, mapping or None
        A file that says what the exercise is, or its content, in place of all above but seed and language:
        {"layers": "2-2-1", "X": [[1, 0.5]], "targets": [[1]], "W1": [[0.5, -1], [1, 0.5]]}. Whatever numbers it leaves
        out are drawn.

    Returns
    -------
    Exercise
        `save` writes its sheet and its solution, `check` tells of answers.

    Raises
    ------
    ParameterError
        For a parameter outside its range.
    DataError
        For a file that is no exercise; the message names the key.

    Examples
    --------
    >>> import reseau as rs
    >>> exercise = rs.exercise("2-2-1", "tanh", seed=3)
    >>> print(exercise.check({"Z1": exercise.board().Z1, "A1": [[0.5, 0.5]]}).sentences()[0])
    2 of 4 numbers are right.
    """
    planned = _plan(
        from_, lang, layers, activation, output_activation, loss, bias, learning_rate, optimizer, steps, rows
    )
    return planned.draw(integer("seed", seed, low=0))


def variants(
    count: int,
    layers: str | Sequence[int] = "2-2-1",
    activation: str | Sequence[str] = "sigmoid",
    output_activation: str | None = None,
    loss: NamedLoss = "squared_error",
    *,
    learning_rate: float | None = None,
    optimizer: str | Optimizer = "sgd",
    steps: int = 1,
    rows: int = 1,
    bias: bool = True,
    seed: int = 0,
    lang: str | None = None,
    from_: Source | None = None,
) -> list[Exercise]:
    """Make so many variants of an exercise, one for each of a class, as `reseau exercise --count` does.

    Parameters
    ----------
    count : int
        How many, at most 500.
    layers, activation, output_activation, loss
        The network; see `exercise`.
    learning_rate, optimizer, steps, rows, bias
        The steps; see `exercise`.
    seed : int
        The same seed gives the same variants.
    lang, from_
        The language, and what says all of this in one; see `exercise`. What a file gives is the same in all variants.

    Returns
    -------
    list of Exercise
        Each with its number as `variant`, and numbers of its own.

    Raises
    ------
    ParameterError
        For a parameter outside its range, and where there are not so many.
    DataError
        For a file that is no exercise; the message names the key.

    Examples
    --------
    >>> import reseau as rs
    >>> [each.variant for each in rs.variants(3, "2-2-1", seed=1)]
    ['1', '2', '3']
    """
    planned = _plan(
        from_, lang, layers, activation, output_activation, loss, bias, learning_rate, optimizer, steps, rows
    )
    return planned.variants(count, seed)


def _plan(source: Source | None, lang: str | None, *said: Any) -> Plan:
    if source is None:
        layers, activation, output_activation, loss, bias, *others = said
        return plan(layers, activation, output_activation, loss, bias, "en" if lang is None else lang, *others)
    if isinstance(source, Mapping):
        try:
            text, place = json.dumps(source), "from_"
        except (TypeError, ValueError) as error:
            raise ParameterError(f"from_ holds what JSON does not ({error}); give lists, numbers and texts.") from None
    else:
        text, place = text_of(as_path(source)), str(source)
    found = plans_from(text, place)
    if len(found) > 1:
        raise ParameterError(f"{place} holds {len(found)} variants; give one exercise.")
    return found[0] if lang is None else replace(found[0], lang=known("lang", lang, LANGUAGES))


def check(
    exercise: Exercise | str | os.PathLike[str],
    answers: Mapping[str, object] | str | os.PathLike[str],
    lang: str | None = None,
) -> Checked:
    """Tell which of a student's numbers first went wrong, and by what likely mistake, as `reseau check` does.

    Parameters
    ----------
    exercise : Exercise, or path
        The exercise, or its .json file.
    answers : mapping, or path
        Numbers, lists or arrays by name, or a .csv or .json file.
    lang : {"en", "fr"} or None
        The language; that of the exercise by default.

    Returns
    -------
    Checked
        Printed, it is some sentences.

    Raises
    ------
    DataError
        For what cannot be read.

    Examples
    --------
    >>> import reseau as rs
    >>> print(rs.check(rs.exercise("2-2-1", seed=3), {"Z1": [[-2, 1]]}))
    Both numbers are right.
    """
    several = [exercise] if isinstance(exercise, Exercise) else load(as_path(exercise))
    if len(several) == 1:
        return several[0].check(answers, lang)
    if isinstance(answers, Mapping):
        raise ParameterError(f"{exercise} holds {len(several)} variants; give the one that these answers belong to.")
    return mark(several, as_path(answers), language(lang, several[0]))


def marks(
    exercises: Exercise | Sequence[Exercise] | str | os.PathLike[str],
    files: Iterable[str | os.PathLike[str]],
    lang: str | None = None,
) -> Marks:
    """The marks of a class: its files of answers checked, whichever variant each belongs to.

    Parameters
    ----------
    exercises : Exercise, sequence of Exercise, or path
        The exercise, its variants, or the .json file of either.
    files : iterable of path
        The files of answers, .csv or .json.
    lang : {"en", "fr"} or None
        The language; that of the exercise by default.

    Returns
    -------
    Marks
        A row for each file; printed, it is a table, and `save` writes it as .csv, .html, .md, .tex or .txt. A file that
        cannot be read is a row with the reason.

    Raises
    ------
    DataError
        For a file that is no exercise.
    ParameterError
        For an unknown language.

    Examples
    --------
    >>> import reseau as rs
    >>> marks = rs.marks(rs.exercise("2-2-1", seed=3), ["nobody.csv"])
    >>> marks.rows[0].reason
    'There is no such file.'
    """
    if isinstance(exercises, Exercise):
        several = [exercises]
    elif isinstance(exercises, list | tuple):
        several = list(exercises)
        if not several or not all(isinstance(each, Exercise) for each in several):
            raise ParameterError(f"exercises is {shown(exercises)}, but must hold exercises, one at least.")
    else:
        several = load(as_path(exercises, ", an exercise, or a list of exercises"))
    if isinstance(files, str | os.PathLike) or not isinstance(files, Iterable):
        raise ParameterError(f"files is {shown(files)}, but must be the paths of several files, as in [path].")
    return Marks.of(several, [as_path(file) for file in files], language(lang, several[0]))
