"""Exercises: a learning step with easy numbers and blanks, its solution, and the file by which answers are checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from reseau.arrays import FloatArray
from reseau.blackboard import words
from reseau.blackboard.board import Blackboard, network_line, work_out
from reseau.blackboard.sheet import Line, Title
from reseau.blackboard.step import Task, parts_of, quantities
from reseau.checks import integer, known, real, shown, whole_numbers
from reseau.errors import DataError, ParameterError
from reseau.exercises.answers import read, two
from reseau.exercises.mistakes import DIGITS, Verdict, check
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.layers import (
    Architecture,
    Dense,
    Layer,
    architecture_from_description,
    check_network,
    check_output,
)
from reseau.vocabulary.losses import Loss, loss_of
from reseau.vocabulary.optimizers import SGD

FORMAT, VERSION = "reseau exercise", 1
MOST_NEURONS = 6  # of a layer: what can be done by hand

# Numbers that are easy by hand, and no zeros among the weights, whose terms would vanish.
INPUTS = (-1.0, 0.5, 1.0, 2.0)
WEIGHTS = (-1.0, -0.5, 0.5, 1.0)
BIASES = (-0.5, 0.0, 0.5)
TARGETS = (0.0, 1.0, -1.0, 2.0)
LARGEST_SUM = 3.0  # of |z|: beyond, a sigmoid is as good as 0 or 1 and nothing is learned
LARGEST_DENOMINATOR = 10_000  # of a fraction that is easier than its decimals
LEAST_ERROR = 0.01
MOST_DRAWS = 2000
LONGEST_FILE = 1 << 20  # bytes
LONGEST_REASON = 300  # characters of what is wrong with a file, which may quote it


@dataclass(frozen=True)
class Exercise:
    """A learning step to be worked out by hand, one sample and gradient descent.

    Attributes
    ----------
    architecture : Architecture
        The network without its numbers.
    parameters : ndarray of shape (n_parameters,)
        Its weights and biases.
    X, T : ndarray of shape (1, inputs) and (1, outputs)
        The sample and its targets.
    learning_rate : float
        γ.
    lang : str
        The language of the sheet.

    Examples
    --------
    >>> exercise = draw("2-2-1", seed=3)
    >>> exercise.board().E.shape
    ()
    """

    architecture: Architecture
    parameters: FloatArray
    X: FloatArray
    T: FloatArray
    learning_rate: float
    lang: str

    def board(self) -> Blackboard:
        """The step worked out; in fractions if all of them are easy."""
        board = self._board(exact=True)
        numbers: list[object] = [value for name in self.asked for value in np.ravel(board[name]).tolist()]
        easy = all(isinstance(value, Fraction) and value.denominator <= LARGEST_DENOMINATOR for value in numbers)
        return board if easy else self._board(exact=False)

    def _board(self, exact: bool) -> Blackboard:
        optimizer = SGD(self.learning_rate)
        return work_out(
            self.architecture,
            self.parameters,
            self.X,
            self.T,
            optimizer,
            exact=exact,
            lang=self.lang,
            digits=DIGITS,
        )

    @property
    def asked(self) -> list[str]:
        """The names of what is to be found, in order."""
        return [line.name for line in quantities(self.task)]

    @property
    def task(self) -> Task:
        """What is to be worked out."""
        return Task(self.architecture, SGD(self.learning_rate))

    def check(self, text: str, place: str) -> Verdict:
        """Compare the content of a file of answers with the solution.

        Parameters
        ----------
        text : str
            CSV or JSON, see `reseau.exercises.answers`.
        place : str
            What errors call the file.

        Raises
        ------
        DataError
            For what cannot be read.
        """
        step = self._board(exact=False).steps[0]
        tensors = [parameter.name for parameter in self.task.parameters]
        others = self.task.aliases | {tensor: f"{tensor}_new" for tensor in tensors}
        answers = read(text, place, {name: step[name].shape for name in self.asked}, others)
        given = {name: step[name] for name in ("X", "T", *tensors)}
        return check(self.task, given, answers)

    def lines(self, solved: bool, how_to_check: str | None = None, answers: str | None = None) -> Iterator[Line]:
        """The sheet, or with the numbers filled in its solution."""
        board = self.board()
        lesson = board.lesson(board.steps[0], blank=not solved)
        yield Title(lesson.say(words.SOLUTION if solved else words.EXERCISE), 1)
        yield network_line(lesson)
        if solved:
            yield board.rounding(lesson)
        else:
            yield lesson.prose(words.FILL_IN, digits=DIGITS)
        yield from lesson.given()
        yield from lesson.step()
        if how_to_check is not None and not solved:
            yield lesson.prose(words.HOW_TO_CHECK, answers=answers, command=how_to_check)

    def template(self) -> str:
        """An empty table of answers: a line for each number, to be filled in."""
        board, delimiter = self.board(), ";" if self.lang == "fr" else ","
        setter = TextSetter(self.lang, DIGITS)
        rows = [words.TEMPLATE_HEADER.in_(self.lang).split()]
        parts = parts_of(self.task)
        for name in self.asked:
            array = np.empty(two(board[name].shape))
            symbol = setter.set(parts[name].symbol)
            rows += [[name, str(i + 1), str(j + 1), "", symbol] for i, j in np.ndindex(*array.shape)]
        return "".join(delimiter.join(row) + "\n" for row in rows)

    # --- how it is kept -----------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The exercise as text that `from_json` reads."""
        facts = {
            "format": FORMAT,
            "version": VERSION,
            "lang": self.lang,
            "network": self.architecture.describe(),
            "X": self.X.tolist(),
            "T": self.T.tolist(),
            "learning_rate": self.learning_rate,
            "parameters": self.parameters.tolist(),
        }
        return json.dumps(facts, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(text: str, place: str) -> Exercise:
    """Read what `Exercise.to_json` wrote; `place` is what errors call the file."""
    advice = "give the .json file that reseau exercise wrote"
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not JSON ({error}); {advice}.") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise DataError(f"{place} is not an exercise; {advice}.")
    if facts.get("version") != VERSION:
        raise DataError(f"{place} has version {shown(facts.get('version'))}, but this release reads version {VERSION}.")
    try:
        architecture = architecture_from_description(facts["network"])
        check_output(architecture.layers[-1], architecture.loss)
        shapes = {
            "X": (1, architecture.inputs),
            "T": (1, architecture.outputs),
            "parameters": (architecture.n_parameters,),
        }
        arrays = {name: np.array(facts[name], dtype=np.float64) for name in shapes}
        for name, shape in shapes.items():
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise DataError(f"{name} must be finite numbers of shape {shape}")
        rate = real("learning_rate", facts["learning_rate"], low=0, includes_low=False)
        lang = known("lang", facts["lang"], LANGUAGES)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        why = str(error)[:LONGEST_REASON]
        raise DataError(f"{place} is damaged ({why}); write it again with reseau exercise.") from None
    return Exercise(architecture, arrays["parameters"], arrays["X"], arrays["T"], rate, lang)


def load(path: Path) -> Exercise:
    """Read an exercise from its file."""
    return from_json(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The text of a file; a byte order mark, which spreadsheets write, is left out."""
    with open(path, "rb") as file:  # also of a pipe, but never all of what does not end
        content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise DataError(
            f"{path} has more than {LONGEST_FILE:,} bytes, which no exercise has and no answers to one have; "
            "give another file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from None


# --- drawing one ------------------------------------------------------------------------------------------------------


def draw(
    layers: str,
    activation: str = "sigmoid",
    output_activation: str | None = None,
    loss: str | Loss = "squared_error",
    learning_rate: float = 0.5,
    bias: bool = True,
    seed: int = 0,
    lang: str = "en",
) -> Exercise:
    """Draw an exercise with easy numbers.

    Parameters
    ----------
    layers : str
        The inputs and the neurons of each layer, such as "2-2-1"; at most 6 each.
    activation : str
        Of all layers.
    output_activation : str or None
        Of the last layer, if another.
    loss : str or loss
        The error.
    learning_rate : float
        γ > 0.
    bias : bool
        Whether the layers have biases.
    seed : int
        The same seed gives the same exercise.
    lang : {"en", "fr"}
        The language of the sheet.

    Raises
    ------
    ParameterError
        For a parameter outside its range.
    """
    widths = parse_widths(layers)
    hidden = ACTIVATIONS[known("activation", activation, ACTIVATIONS)].name
    last = ACTIVATIONS[known("output_activation", output_activation or activation, ACTIVATIONS)].name
    known("lang", lang, LANGUAGES)
    rate = real("learning_rate", learning_rate, low=0, includes_low=False)
    dense: tuple[Layer, ...] = tuple(
        Dense(n, last if place == len(widths) - 2 else hidden, bias) for place, n in enumerate(widths[1:])
    )
    architecture = Architecture(widths[0], *check_network(dense, loss))
    rng = np.random.default_rng(integer("seed", seed, low=0))
    best: tuple[float, Exercise] | None = None
    for _ in range(MOST_DRAWS):
        exercise = _drawn(architecture, rate, lang, rng)
        merit = _merit(exercise)
        if best is None or merit > best[0]:
            best = merit, exercise
        if merit >= 1:
            break
    assert best is not None
    return best[1]


def parse_widths(layers: str) -> list[int]:
    """Read "2-2-1" as [2, 2, 1]."""
    widths = whole_numbers(layers, "-")
    if widths is None or len(widths) < 2:
        raise ParameterError(
            f"layers is {shown(layers)}, but must be the inputs and the neurons of each layer, joined by '-', "
            "such as 2-2-1."
        )
    if not all(1 <= width <= MOST_NEURONS for width in widths):
        raise ParameterError(
            f"layers is {shown(layers)}, but what is worked out by hand has 1 to {MOST_NEURONS} inputs and neurons "
            "a layer."
        )
    return widths


def _drawn(architecture: Architecture, rate: float, lang: str, rng: np.random.Generator) -> Exercise:
    parameters = np.empty(architecture.n_parameters)
    for here in architecture.places:
        for start, tensor in here.values():
            numbers = WEIGHTS if tensor.penalised else BIASES
            parameters[start : start + tensor.size] = rng.choice(numbers, tensor.size)
    X = rng.choice(INPUTS, (1, architecture.inputs))
    return Exercise(architecture, parameters, X, _targets(architecture, rng), rate, lang)


def _targets(architecture: Architecture, rng: np.random.Generator) -> FloatArray:
    """Targets that the outputs can come near, and that the loss is defined for."""
    entry, sigma, n = loss_of(architecture.loss), architecture.layers[-1].sigma, architecture.outputs
    if sigma.groups:
        return np.hstack([np.eye(size)[[rng.integers(size)]] for size in sigma.groups])
    if entry.distribution or (sigma.distribution and n > 1 and sigma.range.contains(Interval(0.0, 1.0))):
        return np.eye(n)[[rng.integers(n)]]
    low, high = sigma.range.low, sigma.range.high
    possible = [t for t in TARGETS if low <= t <= high and not entry.targets.lacks(t)]
    T = rng.choice(possible or [0.0], (1, architecture.targets))
    return np.repeat(T, n // architecture.targets, axis=1)


def _merit(exercise: Exercise) -> float:
    """How much of an exercise teaches something: the share of its deltas that are not 0; 1 and more is good enough."""
    board = exercise._board(exact=False)
    depth = len(exercise.architecture.layers)
    Z = np.concatenate([board[f"Z{l}"].ravel() for l in range(1, depth + 1)])
    delta = np.concatenate([board[f"delta{l}"].ravel() for l in range(1, depth + 1)])
    if not np.isfinite(float(board.E_new)) or not board.E_new < board.E:
        return 0.0
    good = bool(np.abs(Z).max() <= LARGEST_SUM) + bool(np.abs(Z).min() > 0) + bool(float(board.E) >= LEAST_ERROR)
    return (float((np.abs(delta) > 1e-6).mean()) + good) / 4
