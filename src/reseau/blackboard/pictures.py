"""The network of a step drawn with its numbers, on the way forward and on the way back."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.drawing import Drawing, Label, Neuron, Weight
from reseau.blackboard.lesson import Lesson
from reseau.blackboard.sheet import number
from reseau.blackboard.step import Parameter
from reseau.formulas.fractions import floats
from reseau.formulas.trees import Expression, Symbol
from reseau.visible import visible

LONGEST_NAME, LONGEST_LINE = 18, 18  # letters
MOST_WRITTEN = 64  # numbers on the lines between two layers, or none could be read
O_STAR, E_J, E = Symbol("o", mark="*"), Symbol("e"), Symbol("E")
BY_OUTPUT = Symbol("∂E") / Symbol("∂o")


def drawings(lesson: Lesson) -> tuple[Drawing, Drawing]:
    """The way forward, and the way back."""
    return _Forward(lesson).drawing(), _Backward(lesson).drawing()


@dataclass(frozen=True)
class _Way(ABC):
    """What both ways have in common: columns, lines and links."""

    lesson: Lesson

    title = words.FORWARD_DRAWN
    caption = words.HOW_FORWARD
    of_row = words.OF_ROW
    back = False

    @abstractmethod
    def inside(self, l: int, j: int) -> Sequence[Any]:
        """The numbers in neuron j of layer l."""

    @abstractmethod
    def of(self, parameter: Parameter) -> Any:
        """The array that is written at the places of a parameter."""

    @abstractmethod
    def above(self, parameter: Parameter, value: Expression) -> Label:
        """What stands above a neuron."""

    @abstractmethod
    def outcome(self, j: int) -> Iterator[Label]:
        """What stands beside output j, line by line."""

    @property
    def total(self) -> Label:
        """What stands at the right end."""
        return (E, "=", number(self.lesson.parts["E"][()]))

    @property
    def row(self) -> int:
        """Which sample's numbers the neurons have."""
        return self.lesson.worked_rows()[0]

    def _bias(self, l: int) -> Parameter | None:
        """What is added to each number of layer l: the second of its tensors."""
        several = self._tensors(l)
        return several[1] if len(several) > 1 else None

    def _tensors(self, l: int) -> list[Parameter]:
        return [parameter for parameter in self.lesson.task.parameters if parameter.layer == l]

    def drawing(self) -> Drawing:
        """The whole."""
        lesson, depth = self.lesson, self.lesson.task.depth
        caption = [lesson.say(self.caption)]
        if lesson.rows > 1:
            caption.append(lesson.say(self.of_row, r=self.row + 1, rows=lesson.rows))
        if any(None in lesson.places(l) for l in range(depth + 1)):
            caption.append(lesson.say(words.LEFT_OUT))
        layers = range(1, depth + 1)
        if any(self._count(l) > MOST_WRITTEN for l in layers):
            caption.append(lesson.say(words.TOO_MANY_LINES, most=MOST_WRITTEN))
        return Drawing(
            title=lesson.say(self.title),
            described=f"{lesson.say(self.title)}. {' '.join(caption)}",
            caption=" ".join(caption),
            columns=tuple(tuple(self._column(l)) for l in range(depth + 1)),
            below=((lesson.say(words.COLUMN_OF_INPUTS),), *(tuple(self._below(l)) for l in layers)),
            weights=tuple(tuple(self._weights(l)) for l in layers),
            links=tuple((l - lesson.task.layer(l).residual, l) for l in layers if lesson.task.layer(l).residual),
            total=self.total,
            back=self.back,
        )

    def _column(self, l: int) -> Iterator[Neuron | None]:
        lesson = self.lesson
        for j in lesson.places(l):
            if j is None:
                yield None
            elif l == 0:
                yield Neuron((number(lesson.parts["X"][self.row, j]),), beside=(self._name_of_input(j),))
            else:
                bias = self._bias(l)
                above = () if bias is None else self.above(bias, number(self.of(bias)[j]))
                beside = tuple(self.outcome(j)) if l == lesson.task.depth else ()
                yield Neuron(tuple(map(number, self.inside(l, j))), above, beside)

    def _name_of_input(self, j: int) -> Label:
        names = self.lesson.names.inputs
        return (_short(names[j]),) if names else (Symbol("x", index=(j + 1,)),)

    def _below(self, l: int) -> Iterator[str]:
        """Which layer it is, and what its numbers go through."""
        lesson, layer = self.lesson, self.lesson.task.layer(l)
        yield lesson.say(words.COLUMN_OF_LAYER, l=l)
        if not layer.of_neurons:
            count = lesson.task.architecture.widths[l]
            numbers = lesson.say(words.ONE_NUMBER) if count == 1 else lesson.say(words.NUMBERS, count=count)
            yield from textwrap.wrap(lesson.say(layer.words, neurons=numbers, numbers=numbers), LONGEST_LINE)
        if lesson.has_activation(l):
            yield from textwrap.wrap(lesson.say(layer.sigma.words), LONGEST_LINE)

    def _weights(self, l: int) -> Iterator[Weight]:
        """The lines to layer l: all with all, or each number with its own."""
        lesson, several = self.lesson, self._tensors(l)
        values = self.of(several[0]) if several else None
        size = np.zeros(1) if values is None else np.nan_to_num(floats(values), posinf=1.0, neginf=-1.0)
        largest = float(np.abs(size).max(initial=0.0)) or 1.0
        written = self._count(l) <= MOST_WRITTEN
        for a, i in enumerate(lesson.places(l - 1)):
            for b, j in enumerate(lesson.places(l)):
                one_by_one = not lesson.task.layer(l).of_neurons
                if i is None or j is None or (one_by_one and i != j):
                    continue
                if values is None:
                    yield Weight(a, b)
                    continue
                place = (i, j) if values.ndim == 2 else (j,)
                label = (number(values[place]),) if written else ()
                yield Weight(a, b, label, float(size[place]) / largest)

    def _count(self, l: int) -> int:
        """How many lines lead to layer l."""
        before, here = (sum(place is not None for place in self.lesson.places(k)) for k in (l - 1, l))
        return before * here if self.lesson.task.layer(l).of_neurons else here


class _Forward(_Way):
    """Sums and activations in the neurons, weights on the lines, and the error."""

    def inside(self, l: int, j: int) -> Sequence[Any]:
        parts = self.lesson.parts
        shown = ["Z", "A"] if self.lesson.has_activation(l) or self.lesson.task.layer(l).residual else ["Z"]
        return [parts[f"{letter}{l}"][self.row, j] for letter in shown]

    def of(self, parameter: Parameter) -> Any:
        return self.lesson.parts[parameter.name]

    def above(self, parameter: Parameter, value: Expression) -> Label:
        return (Symbol(parameter.tensor.symbol.written.lower()), "=", value)

    def outcome(self, j: int) -> Iterator[Label]:
        parts, names = self.lesson.parts, self.lesson.names.outputs
        if names:
            yield (_short(names[j]),)
        yield (O_STAR, "=", number(parts["T"][self.row, j]))
        yield (E_J, "=", number(parts["e"][self.row, j]))


class _Backward(_Way):
    """δ in the neurons, and on the lines what the error's derivative by each weight is."""

    title = words.BACKWARD_DRAWN
    caption = words.HOW_BACKWARD
    of_row = words.OF_ROW_BACK
    back = True
    total = (E,)

    def inside(self, l: int, j: int) -> Sequence[Any]:
        return [self.lesson.parts[f"delta{l}"][self.row, j]]

    def of(self, parameter: Parameter) -> Any:
        return self.lesson.parts[parameter.gradient]

    def above(self, parameter: Parameter, value: Expression) -> Label:
        return (value,)

    def outcome(self, j: int) -> Iterator[Label]:
        if not self.lesson.saturated:
            yield (BY_OUTPUT, "=", number(self.lesson.parts[f"dA{self.lesson.task.depth}"][self.row, j]))


def _short(name: str) -> str:
    """A name in one line."""
    line = visible(" ".join(name.split()))
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
