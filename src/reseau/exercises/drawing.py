"""Drawing exercises: easy numbers, with which something is learned, for whatever was not given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import boolean, integer, known, real, shown, whole_numbers
from reseau.errors import ParameterError
from reseau.exercises.exercise import Exercise
from reseau.formulas.words import LANGUAGES
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.layers import Architecture, Dense, Layer, check_network
from reseau.vocabulary.losses import Loss, loss_of
from reseau.vocabulary.optimizers import OPTIMIZERS, SGD, Optimizer

MOST_NEURONS = 6  # of a layer: what can be done by hand
MOST_ROWS = 6
MOST_STEPS = 10
MOST_VARIANTS = 500

# Numbers that are easy by hand, and no zeros among the weights, whose terms would vanish.
INPUTS = (-1.0, 0.5, 1.0, 2.0)
WEIGHTS = (-1.0, -0.5, 0.5, 1.0)
BIASES = (-0.5, 0.0, 0.5)
TARGETS = (0.0, 1.0, -1.0, 2.0)
LARGEST_SUM = 3.0  # of |z|: beyond, a sigmoid is as good as 0 or 1 and nothing is learned
LEAST_ERROR = 0.01
MOST_DRAWS = 2000
RATE, RATE_OF_OTHERS = 0.5, 0.1  # of gradient descent, and of the other optimizers, which take longer steps


@dataclass(frozen=True)
class Plan:
    """What an exercise is drawn from: the network, and the numbers that are given.

    Attributes
    ----------
    architecture : Architecture
        The network without its numbers.
    optimizer : Optimizer
        How the parameters change.
    steps, rows : int
        How many steps are worked out, on how many samples.
    X, T : ndarray or None
        The samples and their targets; None to have them drawn.
    tensors : mapping of str to ndarray
        The weights and biases that are given, such as W1.
    lang, title, variant : str
        The language of the sheet, its title, if it has one of its own, and which variant it is.
    """

    architecture: Architecture
    optimizer: Optimizer
    steps: int = 1
    rows: int = 1
    X: FloatArray | None = None
    T: FloatArray | None = None
    tensors: Mapping[str, FloatArray] = field(default_factory=dict)
    lang: str = "en"
    title: str = ""
    variant: str = ""

    @property
    def drawn(self) -> list[str]:
        """The names of what is left to be drawn."""
        names = [f"{name}{l}" for l, here in enumerate(self.architecture.places, start=1) for name in here]
        samples = [name for name, given in (("X", self.X), ("targets", self.T)) if given is None]
        return [*samples, *(name for name in names if name not in self.tensors)]

    def draw(self, seed: int, variant: str = "") -> Exercise:
        """An exercise with easy numbers for what is not given; the same seed gives the same one."""
        found = self._best(seed, variant or self.variant, set())
        assert found is not None
        return found

    def variants(self, count: int, seed: int) -> list[Exercise]:
        """So many exercises that differ in what is not given, numbered from 1; the same seed gives the same ones."""
        count = integer("count", count, low=1, high=MOST_VARIANTS)
        if not self.drawn:
            raise ParameterError(
                "every number of the exercise is given, so that all variants would be the same; leave some of them "
                "out, such as X or W1, to have them drawn."
            )
        seeds = np.random.SeedSequence(integer("seed", seed, low=0)).generate_state(count)
        exercises: list[Exercise] = []
        taken: set[str] = set()
        for place, each in enumerate(seeds.tolist(), start=1):
            exercise = self._best(each, str(place).zfill(len(str(count))), taken)
            if exercise is None:
                raise ParameterError(
                    f"count is {count}, but only {len(exercises)} different exercises were found by drawing "
                    f"{', '.join(self.drawn)}; give fewer, or leave more numbers out."
                )
            exercises.append(exercise)
            taken.add(exercise.numbers)
        return exercises

    def _best(self, seed: int, variant: str, taken: set[str]) -> Exercise | None:
        """The exercise of some draws that teaches most, and is none of those that are taken."""
        rng = np.random.default_rng(seed)
        best: tuple[float, Exercise] | None = None
        for _ in range(MOST_DRAWS if self.drawn else 1):
            exercise = self._drawn(rng, variant)
            if exercise.numbers in taken:
                continue
            merit = _merit(exercise) if self.drawn else 0.0
            if best is None or merit > best[0]:
                best = merit, exercise
            if merit >= 1:
                break
        return None if best is None else best[1]

    def _drawn(self, rng: np.random.Generator, variant: str) -> Exercise:
        architecture = self.architecture
        parameters = np.empty(architecture.n_parameters)
        for l, here in enumerate(architecture.places, start=1):
            for name, (start, tensor) in here.items():
                given = self.tensors.get(f"{name}{l}")
                numbers = WEIGHTS if tensor.penalised else BIASES
                values = rng.choice(numbers, tensor.size) if given is None else given.ravel()
                parameters[start : start + tensor.size] = values
        X = rng.choice(INPUTS, (self.rows, architecture.inputs)) if self.X is None else self.X
        T = np.vstack([_targets(architecture, rng) for _ in range(self.rows)]) if self.T is None else self.T
        return Exercise(architecture, parameters, X, T, self.optimizer, self.lang, self.steps, self.title, variant)


def plan(
    layers: str | Sequence[int],
    activation: str | Sequence[str] = "sigmoid",
    output_activation: str | None = None,
    loss: str | Loss = "squared_error",
    bias: bool = True,
    lang: str = "en",
    learning_rate: float | None = None,
    optimizer: str | Optimizer = "sgd",
    steps: int = 1,
    rows: int = 1,
) -> Plan:
    """What an exercise of a network of dense layers is drawn from; see `reseau.exercise`."""
    widths = parse_widths(layers)
    return Plan(
        dense(widths, activation, output_activation, loss, bias),
        optimizer_of(optimizer, learning_rate),
        integer("steps", steps, low=1, high=MOST_STEPS),
        integer("rows", rows, low=1, high=MOST_ROWS),
        lang=known("lang", lang, LANGUAGES),
    )


def dense(
    widths: Sequence[int],
    activation: str | Sequence[str],
    output_activation: str | None,
    loss: str | Loss,
    bias: bool,
) -> Architecture:
    """A network of dense layers, each with its activation, or all with one and the last perhaps with another."""
    depth = len(widths) - 1
    if not isinstance(activation, list | tuple):
        entries = [ACTIVATIONS[known("activation", activation, ACTIVATIONS)]] * depth
        if output_activation is not None:
            entries[-1] = ACTIVATIONS[known("output_activation", output_activation, ACTIVATIONS)]
    else:
        entries = [ACTIVATIONS[known("activation", name, ACTIVATIONS)] for name in activation]
        if len(entries) != depth or output_activation is not None:
            raise ParameterError(
                f"activation has {len(entries)} name(s), but must have one for each of the {depth} layer(s), the last "
                "of which is that of the output."
            )
    boolean("bias", bias)
    named = zip(widths[1:], entries, strict=True)
    layers: tuple[Layer, ...] = tuple(Dense(n, entry.name, bias) for n, entry in named)
    return Architecture(widths[0], *check_network(layers, loss))


def optimizer_of(optimizer: str | Optimizer, learning_rate: float | None = None) -> Optimizer:
    """An optimizer by its name, perhaps with some of its numbers, such as "sgd momentum=0.9", and a learning rate."""
    if isinstance(optimizer, Optimizer):
        if learning_rate is not None:
            raise ParameterError(
                f"learning_rate is {learning_rate!r} and optimizer is {optimizer!r}; give one of them, as an optimizer "
                "has its own learning rate."
            )
        if optimizer.schedule is not None:
            raise ParameterError(f"optimizer is {optimizer!r}, whose learning rate changes; give it a number.")
        return optimizer
    given: object = optimizer
    if not isinstance(given, str):
        known("optimizer", given, OPTIMIZERS)  # which refuses it
    name, *settings = optimizer.split() or [""]
    kind = OPTIMIZERS[known("optimizer", name, OPTIMIZERS)]
    if learning_rate is None:
        learning_rate = RATE if kind is SGD else RATE_OF_OTHERS
    numbers = {"learning_rate": real("learning_rate", learning_rate, low=0, includes_low=False)}
    return optimizer_from(kind, numbers | dict(map(_setting, settings)))


def _setting(text: str) -> tuple[str, object]:
    """Read "momentum=0.9" or "nesterov=true"."""
    name, _, value = text.partition("=")
    truth = {"true": True, "false": False}.get(value.lower())
    try:
        return name, float(value) if truth is None else truth
    except ValueError:
        raise ParameterError(
            f"optimizer has {shown(text)}, but its settings are written as in 'sgd momentum=0.9'."
        ) from None


def optimizer_from(kind: type[Optimizer], numbers: Mapping[str, object]) -> Optimizer:
    """An optimizer of a kind with its numbers by name."""
    taken = kind().hyperparameters()
    for name in numbers:
        known(f"a setting of {kind.name}", name, taken)
    made: Optimizer = kind(**numbers)  # type: ignore[arg-type]
    return made


def parse_widths(layers: str | Sequence[int]) -> list[int]:
    """Read "2-2-1", or [2, 2, 1], as [2, 2, 1]."""
    widths = None
    if isinstance(layers, str):
        widths = whole_numbers(layers, "-")
    elif isinstance(layers, list | tuple):
        widths = [integer("layers", width) for width in layers]
    if widths is None or len(widths) < 2:
        raise ParameterError(
            f"layers is {shown(layers)}, but must be the inputs and the neurons of each layer, joined by '-', "
            "such as 2-2-1."
        )
    check_widths("layers", layers, widths)
    return widths


def check_widths(name: str, value: object, widths: Sequence[int]) -> None:
    """Refuse what nobody could work out by hand."""
    if not all(1 <= width <= MOST_NEURONS for width in widths):
        raise ParameterError(
            f"{name} is {shown(value)}, but what is worked out by hand has 1 to {MOST_NEURONS} inputs and neurons "
            "a layer."
        )


def _targets(architecture: Architecture, rng: np.random.Generator) -> FloatArray:
    """Targets of a row that the outputs can come near, and that the loss is defined for."""
    entry, sigma, n = loss_of(architecture.loss), architecture.layers[-1].range_like, architecture.outputs
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
    board = exercise.in_decimals(1)
    depth = len(exercise.architecture.layers)
    Z = np.concatenate([board[f"Z{l}"].ravel() for l in range(1, depth + 1)])
    delta = np.concatenate([board[f"delta{l}"].ravel() for l in range(1, depth + 1)])
    if not np.isfinite(float(board.E_new)) or not board.E_new < board.E:
        return 0.0
    good = bool(np.abs(Z).max() <= LARGEST_SUM) + bool(np.abs(Z).min() > 0) + bool(float(board.E) >= LEAST_ERROR)
    return (float((np.abs(delta) > 1e-6).mean()) + good) / 4
