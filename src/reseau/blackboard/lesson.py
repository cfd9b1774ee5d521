"""What a step says on the blackboard: the symbols, the numbers in their place, and the result, line by line.

The lines are the same for every form; `reseau.blackboard.text`, `html`, `latex` and `markdown` set them. What is
particular to a kind of layer comes from its entry, by `Chalk.equation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, nan
from typing import Any

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.chalk import Chalk, sum_of, without_repeats
from reseau.blackboard.sheet import Chain, Line, Prose, Side, Table, Title, matrix, number, without_gaps
from reseau.blackboard.step import O_STAR, ROWS, E, O, Parameter, Parts, X, constants, derivative_by, of_layer
from reseau.formulas.fractions import floats
from reseau.formulas.trees import DOTS, Expression, Minus, Product, SumOver, Symbol, named, symbols_of, to_float
from reseau.formulas.words import Words
from reseau.vocabulary.activations.activation import group_of
from reseau.vocabulary.losses.loss import o, t
from reseau.vocabulary.optimizers import Equation

MOST_NAMES = 40  # of inputs or outputs that are listed one by one
LITTLE = 1e-3  # relatively: by what two numbers of a few digits may differ and look the same
ROUNDING = 1e-14  # relatively: by what the error may change for having been rounded alone
GAMMA = Symbol("learning_rate", "γ")


@dataclass(frozen=True)
class Lesson(Chalk):
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
        yield from self._error()
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
            yield from self._activation(l)
        else:
            yield self.chain((value.symbol,), (of_layer("Z", l),), result=value.name)
        if layer.residual:
            source = self.task.input(l - layer.residual + 1)
            k = l - layer.residual
            what = self.say(words.OUTPUTS_OF_LAYER, l=k) if k else self.say(words.THE_INPUTS)
            yield self.prose(words.LINK, source=what)
            yield self.sum_of(self.known[f"A{l}"], (value, source))

    def _activation(self, l: int) -> Iterator[Line]:
        sigma, value, z = self.task.layer(l).sigma, self.task.value(l), Symbol("z")
        assert isinstance(value.symbol, Symbol)
        letter = value.symbol.written.lower()
        if sigma.row_wise:
            yield Chain(((Symbol(letter, sigma.letter, index=("j",)),), (sigma.formula,)))
            if sigma.groups:
                sizes = [str(n) for n in sigma.groups]
                yield self.prose(words.IN_GROUPS, groups=self.listed(sizes, ", ", words.AND))
        else:
            yield Chain(((named(sigma.letter)(z),), (sigma.formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    values = {"z": self.parts[f"Z{l}"][r], "j": j}
                    if not sigma.row_wise:
                        values["z"] = values["z"][j]
                    values = _of_group(values, sigma.groups)
                    left = Symbol(letter, index=self.index(j, r), layer=str(l))
                    yield self.worked_chain(left, sigma.formula.plug(values), self.parts[value.name][r, j])
        yield self.chain((value.symbol,), (named(sigma.letter)(of_layer("Z", l)),), result=value.name)

    def _error(self) -> Iterator[Line]:
        L, loss = self.task.depth, self.task.architecture.error
        e = Symbol("e", index=("j",))
        yield self.prose(words.ERROR_OF_EACH, loss=self.say(loss.words))
        yield Chain(((e,), (loss.formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(L)):
                    values = {"o": self.parts[f"A{L}"][r], "t": self.parts["T"][r], "j": j}
                    plugged = loss.formula.plug(_of_group(values, loss.groups))
                    left, value = Symbol("e", index=self.index(j, r)), self.parts["e"][r, j]
                    yield Chain(without_repeats(((left,), *_worked(plugged, value))))
        yield self.chain((Symbol("e"),), result="e")
        if self.rows == 1:
            yield self.prose(words.TOTAL)
            terms = [DOTS if j is None else number(self.parts["e"][0, j]) for j in self.places(L)]
            yield self.chain((E,), (SumOver("j", e, ""),), numbers=(sum_of(terms),), result="E")
        else:
            yield self.prose(words.MEAN, rows=self.rows)
            total = self.over_rows(SumOver("j", e, ""))
            yield self.chain((E,), (self.share(total),), result="E")

    def _backward(self, l: int) -> Iterator[Line]:
        yield self._layer_title(l)
        if l == self.task.depth:
            yield from self._error_derivative()
        if self.has_activation(l):
            yield from self._derivative(l)
        yield from self._delta(l)
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
                yield self.sum_of(self.known[f"dA{l - 1}"], terms)

    def _error_derivative(self) -> Iterator[Line]:
        L, loss = self.task.depth, self.task.architecture.error
        yield self.prose(words.ERROR_DERIVATIVE)
        changed = Symbol("∂E") if loss.per_target > 1 else Symbol("∂e", index=("j",))  # all errors of a target have o_j
        yield Chain(((changed / Symbol("∂o", index=("j",)),), (loss.derivative_formula,)))
        if self.rows > 1:
            yield self.prose(words.AVERAGED, rows=self.rows)
        if self.saturated:
            return
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(L)):
                    values = {"o": self.parts[f"A{L}"][r], "t": self.parts["T"][r], "j": j}
                    plugged = loss.derivative_formula.plug(_of_group(values, loss.groups))
                    plugged = self.share(plugged)
                    left = Symbol("∂E") / Symbol("∂o", index=self.index(j, r))
                    yield Chain(without_repeats(((left,), *_worked(plugged, self.parts[f"dA{L}"][r, j]))))
        yield self.chain((derivative_by("O"),), result=f"dA{L}")

    def _derivative(self, l: int) -> Iterator[Line]:
        sigma, Z, A, D = (
            self.task.layer(l).sigma,
            *(self.parts[name] for name in (f"Z{l}", self.task.value(l).name, f"D{l}")),
        )
        if sigma.row_wise:
            yield self.prose(words.JACOBIAN, l=l)
            yield Chain(((Symbol("D", index=("i", "j")),), (sigma.derivative_formula,)))
            for r in without_gaps(self.places(ROWS)):
                if self.rows > 1:
                    yield self.prose(words.ROW_R, r=r + 1)
                if not self.blank and r in self.worked_rows():
                    first = sigma.groups[0] if sigma.groups else D.shape[2]
                    for j in [j for j in without_gaps(self.places(l)) if j < first][:2]:
                        values = _of_group({"a": A[r], "i": 0, "j": j}, sigma.groups)
                        plugged = sigma.derivative_formula.plug(values)
                        left = Symbol("D", index=(1, j + 1), layer=str(l))
                        yield self.worked_chain(left, plugged, D[r, 0, j])
                shown = self.places(l)
                yield Chain(((of_layer("D", l),), (matrix(D[r], shown, shown, f"D{l}" if self.blank else ""),)))
            return
        yield self.prose(words.DERIVATIVE, l=l)
        prime = named(f"{sigma.letter}′")
        yield Chain(((prime(Symbol("z")),), (sigma.derivative_formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    plugged = sigma.derivative_formula.plug({"z": Z[r, j], "a": A[r, j]})
                    at = prime(Symbol("z", index=self.index(j, r), layer=str(l)))
                    yield self.worked_chain(at, plugged, D[r, j])
        yield self.chain((prime(of_layer("Z", l)),), result=f"D{l}")

    def _delta(self, l: int) -> Iterator[Line]:
        sigma, delta, Z = self.task.layer(l).sigma, of_layer("δ", l), of_layer("Z", l)
        saturated = l == self.task.depth and self.saturated
        G = derivative_by("O" if l == self.task.depth else "A", None if l == self.task.depth else l)
        yield self.prose(words.DELTA if self.task.layer(l).of_neurons else words.DELTA_OF_NUMBERS, l=l)
        if not self.has_activation(l):
            yield self.chain((delta,), (derivative_by("Z", l),), (G,), result=f"delta{l}")
            return
        if saturated:
            product: Side = (G, of_layer("D", l)) if sigma.row_wise else (G, "∘", named(f"{sigma.letter}′")(Z))
            yield Chain(((delta,), (derivative_by("Z", l),), product))
        elif sigma.row_wise:
            numbers: Side = ()
            if self.rows == 1:
                shown = self.places(l)
                numbers = (self.matrix(f"dA{l}"), "·", matrix(self.parts[f"D{l}"][0], shown, shown))
            yield self.chain(
                (delta,), (derivative_by("Z", l),), (G, of_layer("D", l)), numbers=numbers, result=f"delta{l}"
            )
        else:
            numbers = (self.matrix(f"dA{l}"), "∘", self.matrix(f"D{l}"))
            symbols: Side = (G, "∘", named(f"{sigma.letter}′")(Z))
            yield self.chain((delta,), (derivative_by("Z", l),), symbols, numbers=numbers, result=f"delta{l}")
        if l == self.task.depth and self.task.architecture.simplifies and not self.blank:
            yield from self._simplified(delta, saturated)

    def _simplified(self, delta: Expression, saturated: bool) -> Iterator[Line]:
        """What the last layer's δ comes to."""
        l, formula = self.task.depth, self.task.architecture.error.delta_formula
        if formula == o - t:
            yield self.prose(words.SATURATED if saturated else words.SIMPLIFIES)
            difference: Side = (self.share(O - O_STAR),)
            numbers = (self.matrix(f"A{l}"), "−", self.matrix("T")) if self.rows == 1 else ()
            yield self.chain((delta,), difference, numbers=numbers, result=f"delta{l}")
            return
        yield self.prose(words.SATURATED_BECOMES if saturated else words.BECOMES)
        yield Chain(((Symbol("∂E") / Symbol("∂z", index=("j",), layer=str(l)),), (formula,)))
        yield self.chain((delta,), result=f"delta{l}")

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
            left: Side = (equation.left,)
            yield Chain(without_repeats((left, (plugged,), (number(values[equation.left.name]),))), equation.sign)

    def _update_of(self, parameter: Parameter, simple: bool) -> Iterator[Line]:
        tensor, gradient, w = parameter.name, parameter.gradient, parameter.symbol
        changed, new = self.known[f"change_{tensor}"].symbol, self.known[f"{tensor}_new"].symbol
        if simple:
            gamma = self.setting(self.task.optimizer.rate)
            yield self.chain(
                (changed,),
                (Minus(GAMMA), self.known[gradient].symbol),
                numbers=(Minus(gamma), "·", self.matrix(gradient)),
                result=f"change_{tensor}",
            )
        else:
            for equation in self.task.optimizer.equations[:-1]:
                name = f"{equation.left.name}_{tensor}"
                yield self.chain((self.known[name].symbol,), result=name, sign=equation.sign)
            yield self.chain((changed,), result=f"change_{tensor}")
        yield self.chain(
            (new,),
            (w + changed,),
            numbers=(self.matrix(tensor), "+", self.matrix(f"change_{tensor}")),
            result=f"{tensor}_new",
        )

    def _afterwards(self) -> Iterator[Line]:
        yield self.prose(words.NEW_ERROR if self.rows == 1 else words.NEW_ERROR_OF_BATCH)
        yield self.chain((Symbol("O", mark="′"),), result="O_new")
        yield self.chain((Symbol("E", mark="′"),), result="E_new")
        if not self.blank:
            values = {"before": self.parts["E"][()], "after": self.parts["E_new"][()]}
            with np.errstate(all="ignore"):  # what overflows is shown as it is
                values["change"] = abs(values["after"] - values["before"])
            numbers = tuple((name, number(value)) for name, value in values.items())
            yield Prose(self._outcome().in_(self.lang), numbers)

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

    @cached_property
    def saturated(self) -> bool:
        """Whether outputs are so near their limits that the last layer's δ, a difference, is not the product shown."""
        L = self.task.depth
        if self.blank or not self.task.architecture.simplifies:
            return False
        G, D, delta = (floats(self.parts[f"{name}{L}"]) for name in ("dA", "D", "delta"))
        with np.errstate(all="ignore"):
            product = np.einsum("ri,rij->rj", G, D) if D.ndim > delta.ndim else G * D
            near = np.abs(product - delta) <= LITTLE * np.abs(delta) + LITTLE * np.abs(delta).max() / 1000
        return bool(np.isfinite(delta).all() and not near.all())

    def _of(self, l: int) -> list[Parameter]:
        """The parameters of layer l."""
        return [parameter for parameter in self.task.parameters if parameter.layer == l]

    def has_activation(self, l: int) -> bool:
        """Whether an activation of layer l is shown: not where it changes nothing and the layer has no neurons."""
        layer = self.task.layer(l)
        return layer.of_neurons or layer.sigma.formula != Symbol("z")

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


def _of_group(values: Parts, groups: tuple[int, ...]) -> Parts:
    """Rows and a place j in them as they are in the group of outputs that j belongs to."""
    if not groups:
        return values
    group, j = group_of(groups, int(values["j"]))
    return {name: value[group] if np.ndim(value) else value for name, value in values.items()} | {"j": j}


def _hyperparameters(equations: Sequence[Equation]) -> list[Symbol]:
    """The letters of the equations that are settings of the optimizer, the learning rate first."""
    assigned = {equation.left.name for equation in equations} | {"w", "g", "t"}
    found = {symbol.name: symbol for equation in equations for symbol in symbols_of(equation.right)}
    letters = [symbol for name, symbol in found.items() if name not in assigned]
    return sorted(letters, key=lambda symbol: symbol.name != GAMMA.name)


def _worked(plugged: Expression, value: Any) -> tuple[Side, ...]:
    """A formula with its numbers, and its value; the value alone where those numbers, as rounded, do not give it."""
    try:
        with np.errstate(all="ignore"):
            found = to_float(plugged.evaluate({}))
    except (ArithmeticError, ValueError):  # such as the logarithm of 0
        found = nan
    expected = to_float(value)
    true = found == expected or abs(found - expected) <= LITTLE * abs(expected) or not isfinite(expected)
    return ((plugged,), (number(value),)) if true else ((number(value),),)
