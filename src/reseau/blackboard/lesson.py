"""What a step says on the blackboard: the symbols, the numbers in their place, and the result, line by line.

The lines are the same for every form; `reseau.blackboard.text`, `html`, `latex` and `markdown` set them. What is
particular to a kind of layer comes from its entry, by `Chalk.equation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.functions import Functions
from reseau.blackboard.sheet import Chain, Line, Prose, Table, Title, number
from reseau.blackboard.step import O_STAR, O, Parameter, Parts, X, constants, derivative_by, of_layer
from reseau.blackboard.truth import LITTLE
from reseau.blackboard.written import apart, finer, with_its_change
from reseau.formulas.trees import Expression, Minus, Product, Symbol, symbols_of, to_float
from reseau.formulas.words import Words
from reseau.vocabulary.optimizers import Equation

MOST_NAMES = 40  # of inputs or outputs that are listed one by one
ROUNDING = 1e-14  # relatively: by what the error may change for having been rounded alone
GAMMA = Symbol("learning_rate", "γ")


@dataclass(frozen=True)
class Lesson(Functions):
    """The lines of one step."""

    # --- the sections -------------------------------------------------------------------------------------------------

    def given(self) -> Iterator[Line]:
        """The network, the sample, the parameters."""
        rows = self.parts["X"].shape[0]
        yield Title(self.say(words.GIVEN), 2)
        yield self.prose(words.SAMPLE) if rows == 1 else self.prose(words.BATCH, rows=rows)
        yield from self._names()
        yield Chain(((X,), (self.matrix("X"),)))
        yield Chain(((O_STAR,), (self.matrix("T"),)))
        yield from self._parameters()
        yield from self._settings()

    def step(self) -> Iterator[Line]:
        """Forward, error, backward, update, and the error after the step."""
        yield Title(self.say(words.FORWARD), 2)
        for l in range(1, self.task.depth + 1):
            yield from self._forward(l)
        yield self.prose(words.OUTPUT_IS)
        yield Chain(((O,), (of_layer("A", self.task.depth),), (self.result(f"A{self.task.depth}"),)))
        yield Title(self.say(words.ERROR), 2)
        yield from self.error()
        yield Title(self.say(words.BACKWARD), 2)
        for l in range(self.task.depth, 0, -1):
            yield from self._backward(l)
        yield Title(self.say(words.UPDATE), 2)
        yield from self._update()
        yield Title(self.say(words.AFTERWARDS), 2)
        yield from self._afterwards()

    def _names(self) -> Iterator[Line]:
        """What the inputs and outputs mean, and their numbers in the first shown row."""
        for names, title, letter, part in (
            (self.names.inputs, words.INPUT, "x", "X"),
            (self.names.outputs, words.OUTPUT, "o", "T"),
        ):
            if not names:
                continue
            axis = 0 if part == "X" else self.task.depth
            places = range(len(names)) if len(names) <= MOST_NAMES else self.places(axis)
            rows: list[tuple[Expression | str, ...]] = []
            for place in places:
                if place is None:
                    rows.append(("⋮", "⋮", "⋮"))
                else:
                    value = number(self.parts[part][self.worked_rows()[0], place])
                    rows.append((Symbol(letter, index=(place + 1,)), names[place], value))
            value_title = words.VALUE if part == "X" else words.TARGET
            yield Table((self.say(title), self.say(words.MEANING), self.say(value_title)), tuple(rows))

    def _parameters(self) -> Iterator[Line]:
        """What the layers learn, and the constants of their maps."""
        called = [f"{self.say(p.tensor.words)} {p.tensor.symbol.written}" for p in self.task.parameters]
        if called:
            tensors = self.listed(list(dict.fromkeys(called)), self.say(words.COMMA_THE), words.AND_THE)
            yield self.prose(words.PARAMETERS, tensors=tensors)
        for l in range(1, self.task.depth + 1):
            for parameter in self._of(l):
                yield Chain(((parameter.symbol,), (self.matrix(parameter.name),)))
            layer = self.task.layer(l)
            for symbol in layer.constants:
                yield Chain(((replace(symbol, label=str(l)),), (self.setting(getattr(layer, symbol.name)),)))

    def _settings(self) -> Iterator[Line]:
        optimizer = self.task.optimizer
        letters = _hyperparameters(optimizer.equations)
        if len(letters) == 1:
            yield self.prose(words.LEARNING_RATE)
        else:
            yield self.prose(words.SETTINGS, optimizer=self.say(optimizer.words))
        for symbol in letters:
            yield Chain(((symbol,), (self.setting(optimizer.hyperparameters()[symbol.name]),)))

    def _forward(self, l: int) -> Iterator[Line]:
        layer, value = self.task.layer(l), self.task.value(l)
        yield self._layer_title(l)
        if layer.dropout:
            yield Prose(self.say(words.DROPPED, p="{p}"), (("p", self.setting(layer.dropout)),))
        for placed in self.task.forward(l):
            yield from self.equation(placed, l)
            yield from self.written_out(placed, l)
        if self.has_activation(l):
            yield from self.activation(l)
        else:
            yield from self.chain((value.symbol,), (of_layer("Z", l),), result=value.name)
        if layer.residual:
            source = self.task.input(l - layer.residual + 1)
            k = l - layer.residual
            what = self.say(words.OUTPUTS_OF_LAYER, l=k) if k else self.say(words.THE_INPUTS)
            yield self.prose(words.LINK, source=what)
            yield from self.sum_of(self.known[f"A{l}"], (value, source))

    def _backward(self, l: int) -> Iterator[Line]:
        yield self._layer_title(l)
        if l == self.task.depth:
            yield from self.error_derivative()
        if self.has_activation(l):
            yield from self.derivative(l)
        yield from self.delta(l)
        tensors = [self.say(parameter.tensor.words) for parameter in self._of(l)]
        if tensors:
            yield self.prose(
                words.GRADIENT, l=l, tensors=self.listed(tensors, self.say(words.COMMA_OF_THE), words.AND_OF_THE)
            )
        for placed in self.task.gradients(l):
            yield from self.equation(placed, l)
        if l > 1:
            yield self.prose(words.SENT_BACK, l=l, before=l - 1)
            for placed in self.task.back(l):
                yield from self.equation(placed, l)
            links = self.task.links_from(l - 1)
            for m in links:
                yield self.prose(words.LINKED_BACK, l=m)
            if links:
                terms = [self.known[f"R{l}"], *(self.known[f"dA{m}"] for m in links)]
                yield from self.sum_of(self.known[f"dA{l - 1}"], terms)

    def _update(self) -> Iterator[Line]:
        optimizer = self.task.optimizer
        yield self.prose(words.UPDATE_OF_EACH, optimizer=self.say(optimizer.words))
        simple = self._descends
        if simple:
            yield Chain(((Symbol("change", "Δw"),), (Minus(GAMMA), derivative_by("w"))))
        else:
            for equation in optimizer.equations:
                yield Chain(((equation.left,), (equation.right,)), equation.sign)
            yield self.prose(words.WITH_GRADIENT)
        yield from self._letters_of_settings()
        if not simple:
            yield self.prose(words.STEP_NUMBER, t=self.task.t)
        for l in range(1, self.task.depth + 1):
            parameters = self._of(l)
            if parameters:
                yield Title(self.say(words.LAYER_L, l=l), 3)
            if parameters and not simple and not self.blank:
                yield self.prose(words.FIRST_ELEMENT, l=l, tensor=self.say(parameters[0].tensor.words))
                yield from self._first_element(parameters[0])
            for parameter in parameters:
                yield from self._update_of(parameter, simple)

    def _letters_of_settings(self) -> Iterator[Line]:
        """Tell the optimizer's settings from what has the same letter in a layer."""
        layers = range(1, self.task.depth + 1)
        symbols = [parameter.symbol for parameter in self.task.parameters]
        for l in layers:
            symbols += self.task.layer(l).constants
            symbols += [placed.equation.symbol for placed in (*self.task.forward(l), *self.task.back(l))]
        letters = {symbol.written for symbol in symbols}
        alike = [symbol for symbol in _hyperparameters(self.task.optimizer.equations) if symbol.written in letters]
        if alike:
            fields = [f"s{place}" for place in range(len(alike))]
            listed = self.listed([f"{{{name}}}" for name in fields], ", ", words.AND)
            text = self.say(words.A_SETTING if len(alike) == 1 else words.SOME_SETTINGS, letters=listed)
            yield Prose(text, tuple(zip(fields, alike, strict=True)))

    def _first_element(self, parameter: Parameter) -> Iterator[Line]:
        tensor, first = parameter.name, (0,) * len(parameter.axes)
        values: Parts = {"w": self.parts[tensor][first], "g": self.parts[parameter.gradient][first]}
        for name, value in constants(self.task, False).items():
            values[name] = value if name == "t" else self.setting(value).value
        for equation in self.task.optimizer.equations:
            if equation.state:
                values[equation.left.name] = self.parts[f"{equation.left.name}_{tensor}_before"][first]
        for equation in self.task.optimizer.equations:
            plugged = equation.right.plug(values)
            part = self.parts[f"{equation.left.name}_{tensor}"]
            values[equation.left.name] = part[first] if part.ndim else part[()]
            value = values[equation.left.name]
            yield self.worked_chain(equation.left, plugged, value=value, sign=equation.sign)

    def _update_of(self, parameter: Parameter, simple: bool) -> Iterator[Line]:
        tensor, gradient, w = parameter.name, parameter.gradient, parameter.symbol
        changed, new = self.known[f"change_{tensor}"].symbol, self.known[f"{tensor}_new"].symbol
        if simple:
            gamma = self.setting(self.task.optimizer.rate)
            yield from self.chain(
                (changed,),
                (Minus(GAMMA), self.known[gradient].symbol),
                numbers=(Minus(gamma), "·", self.matrix(gradient)),
                result=f"change_{tensor}",
            )
        else:
            for equation in self.task.optimizer.equations[:-1]:
                name = f"{equation.left.name}_{tensor}"
                yield from self.chain((self.known[name].symbol,), result=name, sign=equation.sign)
            yield from self.chain((changed,), result=f"change_{tensor}")
        change = self.matrix(f"change_{tensor}")
        yield from self.chain(
            (new,),
            (w + changed,),
            numbers=(self.matrix(tensor), "+", change),
            result=self.result(f"{tensor}_new")
            if self.blank
            else with_its_change(self.matrix(f"{tensor}_new"), change, self.digits),
        )

    def _afterwards(self) -> Iterator[Line]:
        yield self.prose(words.NEW_ERROR if self.rows == 1 else words.NEW_ERROR_OF_BATCH)
        yield from self.chain((Symbol("O", mark="′"),), result="O_new")
        yield from self.chain((Symbol("E", mark="′"),), result="E_new")
        if not self.blank:
            values = {"before": self.parts["E"][()], "after": self.parts["E_new"][()]}
            with np.errstate(all="ignore"):  # what overflows is shown as it is
                values["change"] = abs(values["after"] - values["before"])
            outcome = self._outcome()
            numbers: dict[str, Expression] = {name: number(value) for name, value in values.items()}
            if outcome not in (words.STAYS, words.NO_GRADIENT):
                more = apart(values["before"], values["after"], self.digits)
                if more > self.digits:
                    numbers |= {name: finer(numbers[name], more) for name in ("before", "after")}
            yield Prose(outcome.in_(self.lang), tuple(numbers.items()))

    def _outcome(self) -> Words:
        """What the step did to the error."""
        before, after = to_float(self.parts["E"][()]), to_float(self.parts["E_new"][()])
        if not isfinite(before) or not isfinite(after):
            return words.NOT_FINITE
        still = [name for p in self.task.parameters for name in (f"change_{p.name}", p.gradient)]
        if all(np.all(self.parts[name] == 0) for name in still):
            return words.NO_GRADIENT
        if abs(after - before) <= ROUNDING * max(abs(before), abs(after)):
            return words.STAYS
        little = abs(after - before) < LITTLE * abs(before)
        if after < before:
            return words.FALLS_A_LITTLE if little else words.FALLS
        return words.RISES_A_LITTLE if little else words.RISES

    # --- what the sections ask ----------------------------------------------------------------------------------------

    @property
    def _descends(self) -> bool:
        """Whether the optimizer is plain gradient descent, Δw = −γ ∂E/∂w, told from its equation."""
        equations = self.task.optimizer.equations
        return len(equations) == 1 and equations[0].right == Minus(Product((GAMMA, Symbol("g"))))

    def _of(self, l: int) -> list[Parameter]:
        """The parameters of layer l."""
        return [parameter for parameter in self.task.parameters if parameter.layer == l]

    def _layer_title(self, l: int) -> Title:
        layer, count = self.task.layer(l), self.task.architecture.widths[l]
        neurons = self.say(words.ONE_NEURON) if count == 1 else self.say(words.NEURONS, count=count)
        numbers = self.say(words.ONE_NUMBER) if count == 1 else self.say(words.NUMBERS, count=count)
        text = [self.say(words.LAYER, l=l, kind=self.say(layer.words, neurons=neurons, numbers=numbers))]
        if self.has_activation(l):
            text.append(self.say(words.WITH_ACTIVATION, activation=self.say(layer.sigma.words)))
        if not layer.bias:
            text.append(self.say(words.WITHOUT_BIAS))
        return Title(", ".join(text), 3)


def _hyperparameters(equations: Sequence[Equation]) -> list[Symbol]:
    """The letters of the equations that are settings of the optimizer, the learning rate first."""
    assigned = {equation.left.name for equation in equations} | {"w", "g", "t"}
    found = {symbol.name: symbol for equation in equations for symbol in symbols_of(equation.right)}
    letters = [symbol for name, symbol in found.items() if name not in assigned]
    return sorted(letters, key=lambda symbol: symbol.name != GAMMA.name)
