"""What a step says on the blackboard: the symbols, the numbers in their place, and the result, line by line.

The lines are the same for every form; `reseau.blackboard.text`, `html`, `latex` and `markdown` set them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from math import isfinite, nan
from typing import Any

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.sheet import (
    Chain,
    Line,
    Matrix,
    Piece,
    Prose,
    Side,
    Table,
    Title,
    chosen,
    matrix,
    number,
    without_gaps,
)
from reseau.blackboard.step import Parts, Task, constants, input_name, simplest
from reseau.formulas.fractions import floats
from reseau.formulas.trees import (
    DOTS,
    Blank,
    Expression,
    Minus,
    Number,
    Product,
    Sum,
    SumOver,
    Symbol,
    named,
    symbols_of,
    to_float,
)
from reseau.formulas.words import Words
from reseau.vocabulary.layers import Layer
from reseau.vocabulary.optimizers import Equation

ROWS = "rows"
MOST_NAMES = 40  # of inputs or outputs that are listed one by one
LITTLE = 1e-3  # relatively: by what two numbers of a few digits may differ and look the same
ROUNDING = 1e-14  # relatively: by what the error may change for having been rounded alone
X, E, O = Symbol("X"), Symbol("E"), Symbol("O")
O_STAR = Symbol("T", "O", mark="*")
GAMMA = Symbol("learning_rate", "γ")


def derivative_by(letter: str, l: int | None = None) -> Expression:
    """∂E/∂ some letter."""
    return Symbol("∂E") / Symbol(f"∂{letter}", label="" if l is None else str(l))


def of_layer(letter: str, l: int, mark: str = "") -> Symbol:
    """The letter with the layer below."""
    return Symbol(letter, label=str(l), mark=mark)


@dataclass(frozen=True)
class Names:
    """What a table calls the inputs and outputs, and what its cells held.

    Attributes
    ----------
    inputs, outputs : sequence of str
        One for each input and each output neuron.
    """

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Lesson:
    """The lines of one step.

    Parameters
    ----------
    task : Task
        What it is a step of.
    parts : dict
        Its numbers.
    lang : str
        The language of the sentences.
    focus : mapping
        Of "rows" or the number of a layer (0 for the inputs): the places shown whatever the size.
    blank : bool
        Whether the results are left to be filled in.
    names : Names
        Of inputs and outputs.
    """

    task: Task
    parts: Parts
    lang: str = "en"
    focus: Mapping[str | int, Sequence[int]] = field(default_factory=dict)
    blank: bool = False
    names: Names = Names()

    # --- the sections -------------------------------------------------------------------------------------------------

    def given(self) -> Iterator[Line]:
        """The network, the sample, the parameters."""
        rows = self.parts["X"].shape[0]
        yield Title(self.say(words.GIVEN), 2)
        yield self.prose(words.SAMPLE) if rows == 1 else self.prose(words.BATCH, rows=rows)
        yield from self._names()
        yield Chain(((X,), (self.matrix("X"),)))
        yield Chain(((O_STAR,), (self.matrix("T"),)))
        yield self.prose(words.PARAMETERS if any(map(self.has_bias, range(1, self.task.depth + 1))) else words.WEIGHTS)
        for tensor, _ in self.task.tensors():
            yield Chain(((Symbol(tensor[0], label=tensor[1:]),), (self.matrix(tensor),)))
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

    def _settings(self) -> Iterator[Line]:
        optimizer = self.task.optimizer
        letters = sorted(_hyperparameters(optimizer.equations), key=lambda symbol: symbol.name != GAMMA.name)
        if len(letters) == 1:
            yield self.prose(words.LEARNING_RATE)
        else:
            yield self.prose(words.SETTINGS, optimizer=self.say(optimizer.words))
        for symbol in letters:
            yield Chain(((symbol,), (self._setting(optimizer.hyperparameters()[symbol.name]),)))

    def _forward(self, l: int) -> Iterator[Line]:
        layer, Z, A, W, b = self.layers[l - 1], of_layer("Z", l), of_layer("A", l), of_layer("W", l), of_layer("b", l)
        before = X if l == 1 else of_layer("A", l - 1)
        yield self._layer_title(l)
        symbols: Side = (before, W, "+", b) if self.has_bias(l) else (before, W)
        numbers: Side = (self.matrix(input_name(l)), "·", self.matrix(f"W{l}"))
        if self.has_bias(l):
            numbers = (*numbers, "+", self.matrix(f"b{l}"))
        yield self.chain((Z,), symbols, numbers=numbers, result=f"Z{l}")
        if not self.blank:
            for r in self.worked_rows():
                for j in self.worked(l):
                    yield self.prose(words.EACH_NEURON_OF_ROW if self.rows > 1 else words.EACH_NEURON, j=j + 1, r=r + 1)
                    yield self._written_out(l, r, j)
        sigma, z = layer.sigma, Symbol("z")
        if sigma.row_wise:
            yield Chain(((Symbol("a", sigma.letter, index=("j",)),), (sigma.formula,)))
        else:
            yield Chain(((named(sigma.letter)(z),), (sigma.formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    values = {"z": self.parts[f"Z{l}"][r], "j": j}
                    if not sigma.row_wise:
                        values["z"] = values["z"][j]
                    yield self.worked_chain("a", j, r, sigma.formula.plug(values), self.parts[f"A{l}"][r, j])
        yield self.chain((A,), (named(sigma.letter)(Z),), result=f"A{l}")

    def _written_out(self, l: int, r: int, j: int) -> Chain:
        """z_j as the sum that it is."""
        A, W = self.parts[input_name(l)], self.parts[f"W{l}"]
        letter = "x" if l == 1 else "a"
        symbols: list[Expression] = []
        numbers: list[Expression] = []
        for i in self.places(l - 1):
            if i is None:
                symbols.append(DOTS)
                numbers.append(DOTS)
            else:
                symbols.append(Symbol(letter, index=self._element(i, r)) * Symbol("w", index=(i + 1, j + 1)))
                numbers.append(Product((number(A[r, i]), number(W[i, j]))))
        if self.has_bias(l):
            symbols.append(Symbol("b", index=(j + 1,)))
            numbers.append(number(self.parts[f"b{l}"][j]))
        left = Symbol("z", index=self._element(j, r))
        return Chain(((left,), (_sum(symbols),), (_sum(numbers),), (number(self.parts[f"Z{l}"][r, j]),)))

    def _error(self) -> Iterator[Line]:
        L, loss = self.task.depth, self.task.architecture.error
        e = Symbol("e", index=("j",))
        yield self.prose(words.ERROR_OF_EACH, loss=self.say(loss.words))
        yield Chain(((e,), (loss.formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(L)):
                    plugged = loss.formula.plug({"o": self.parts[f"A{L}"][r], "t": self.parts["T"][r], "j": j})
                    left, value = Symbol("e", index=self._element(j, r)), self.parts["e"][r, j]
                    yield Chain(_without_repeats(((left,), *_worked(plugged, value))))
        yield self.chain((Symbol("e"),), result="e")
        if self.rows == 1:
            yield self.prose(words.TOTAL)
            terms = [DOTS if j is None else number(self.parts["e"][0, j]) for j in self.places(L)]
            yield self.chain((E,), (SumOver("j", e, ""),), numbers=(_sum(terms),), result="E")
        else:
            yield self.prose(words.MEAN, rows=self.rows)
            total = self._over_rows(SumOver("j", e, ""))
            yield self.chain((E,), (self._share(total),), result="E")

    def _backward(self, l: int) -> Iterator[Line]:
        L = self.task.depth
        yield self._layer_title(l)
        if l == L:
            yield from self._error_derivative()
        yield from self._derivative(l)
        yield from self._delta(l)
        A, delta = (X if l == 1 else of_layer("A", l - 1)), of_layer("δ", l)
        yield self.prose(words.GRADIENT if self.has_bias(l) else words.GRADIENT_OF_WEIGHTS, l=l)
        transposed = Symbol(A.name, A.letter, A.label, A.index, "T")
        yield self.chain(
            (derivative_by("W", l),),
            (transposed, delta),
            numbers=(self.transposed(input_name(l)), "·", self.matrix(f"delta{l}")),
            result=f"dW{l}",
        )
        if self.has_bias(l):
            total = delta if self.rows == 1 else self._over_rows(delta)
            yield self.chain((derivative_by("b", l),), (total,), result=f"db{l}")
        if l > 1:
            yield self.prose(words.SENT_BACK, l=l, before=l - 1)
            yield self.chain(
                (derivative_by("A", l - 1),),
                (delta, of_layer("W", l, "T")),
                numbers=(self.matrix(f"delta{l}"), "·", self.transposed(f"W{l}")),
                result=f"dA{l - 1}",
            )

    def _error_derivative(self) -> Iterator[Line]:
        L, loss = self.task.depth, self.task.architecture.error
        yield self.prose(words.ERROR_DERIVATIVE)
        left = Symbol("∂e", index=("j",)) / Symbol("∂o", index=("j",))
        yield Chain(((left,), (loss.derivative_formula,)))
        if self.rows > 1:
            yield self.prose(words.AVERAGED, rows=self.rows)
        if self.saturated:
            return
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(L)):
                    values = {"o": self.parts[f"A{L}"][r], "t": self.parts["T"][r], "j": j}
                    plugged = loss.derivative_formula.plug(values)
                    plugged = self._share(plugged)
                    left = Symbol("∂E") / Symbol("∂o", index=self._element(j, r))
                    yield Chain(_without_repeats(((left,), *_worked(plugged, self.parts[f"dA{L}"][r, j]))))
        yield self.chain((derivative_by("O"),), result=f"dA{L}")

    def _derivative(self, l: int) -> Iterator[Line]:
        sigma, Z, A, D = self.layers[l - 1].sigma, *(self.parts[f"{letter}{l}"] for letter in ("Z", "A", "D"))
        if sigma.row_wise:
            yield self.prose(words.JACOBIAN, l=l)
            yield Chain(((Symbol("D", index=("i", "j")),), (sigma.derivative_formula,)))
            for r in without_gaps(self.places(ROWS)):
                if self.rows > 1:
                    yield self.prose(words.ROW_R, r=r + 1)
                if not self.blank and r in self.worked_rows():
                    for j in list(without_gaps(self.places(l)))[:2]:
                        plugged = sigma.derivative_formula.plug({"a": A[r], "i": 0, "j": j})
                        left = Symbol("D", index=(1, j + 1))
                        yield Chain(_without_repeats(((left,), (plugged,), (number(D[r, 0, j]),))))
                shown = self.places(l)
                yield Chain(((of_layer("D", l),), (matrix(D[r], shown, shown, self.blank),)))
            return
        yield self.prose(words.DERIVATIVE, l=l)
        prime = named(f"{sigma.letter}′")
        yield Chain(((prime(Symbol("z")),), (sigma.derivative_formula,)))
        if not self.blank:
            for r in self.worked_rows():
                for j in without_gaps(self.places(l)):
                    plugged = sigma.derivative_formula.plug({"z": Z[r, j], "a": A[r, j]})
                    at = prime(Symbol("z", index=self._element(j, r)))
                    yield Chain(_without_repeats(((at,), (plugged,), (number(D[r, j]),))))
        yield self.chain((prime(of_layer("Z", l)),), result=f"D{l}")

    def _delta(self, l: int) -> Iterator[Line]:
        sigma, delta, Z = self.layers[l - 1].sigma, of_layer("δ", l), of_layer("Z", l)
        saturated = l == self.task.depth and self.saturated
        G = derivative_by("O" if l == self.task.depth else "A", None if l == self.task.depth else l)
        yield self.prose(words.DELTA, l=l)
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
            yield self.prose(words.SATURATED if saturated else words.SIMPLIFIES)
            alone = self.rows == 1
            difference: Side = (self._share(O - O_STAR),)
            numbers = (self.matrix(f"A{l}"), "−", self.matrix("T")) if alone else ()
            yield self.chain((delta,), difference, numbers=numbers, result=f"delta{l}")

    def _update(self) -> Iterator[Line]:
        optimizer = self.task.optimizer
        yield self.prose(words.UPDATE_OF_EACH, optimizer=self.say(optimizer.words))
        for equation in optimizer.equations:
            yield Chain(((equation.left,), (equation.right,)), equation.sign)
        yield self.prose(words.WITH_GRADIENT)
        simple = len(optimizer.equations) == 1
        if not simple:
            yield self.prose(words.STEP_NUMBER, t=self.task.t)
        for l in range(1, self.task.depth + 1):
            yield Title(self.say(words.LAYER_L, l=l), 3)
            if not simple and not self.blank:
                yield self.prose(words.FIRST_ELEMENT, l=l)
                yield from self._first_element(l)
            for tensor, gradient in self.task.tensors():
                if tensor[1:] == str(l):
                    yield from self._update_of(tensor, gradient, simple)

    def _first_element(self, l: int) -> Iterator[Line]:
        tensor, first = f"W{l}", (0, 0)
        values: Parts = {"w": self.parts[tensor][first], "g": self.parts[f"d{tensor}"][first]}
        for name, value in constants(self.task, False).items():
            values[name] = value if name == "t" else self._setting(value).value
        for equation in self.task.optimizer.equations:
            if equation.state:
                values[equation.left.name] = self.parts[f"{equation.left.name}_{tensor}_before"][first]
        for equation in self.task.optimizer.equations:
            plugged = equation.right.plug(values)
            part = self.parts[f"{equation.left.name}_{tensor}"]
            values[equation.left.name] = part[first] if part.ndim else part[()]
            left: Side = (equation.left,)
            yield Chain(_without_repeats((left, (plugged,), (number(values[equation.left.name]),))), equation.sign)

    def _update_of(self, tensor: str, gradient: str, simple: bool) -> Iterator[Line]:
        letter, l = tensor[0], int(tensor[1:])
        w, changed = of_layer(letter, l), of_layer(f"Δ{letter}", l)
        if simple:
            gamma = self._setting(self.task.optimizer.learning_rate)
            yield self.chain(
                (changed,),
                (Minus(GAMMA), derivative_by(letter, l)),
                numbers=(Minus(gamma), "·", self.matrix(gradient)),
                result=f"change_{tensor}",
            )
        else:
            for equation in self.task.optimizer.equations[:-1]:
                name = f"{equation.left.name}_{tensor}"
                of_tensor = replace(equation.left, label=f"{letter}{l}")
                left = of_tensor if self.parts[name].ndim else equation.left  # γ_t is one for all
                yield self.chain((left,), result=name, sign=equation.sign)
            yield self.chain((changed,), result=f"change_{tensor}")
        yield self.chain(
            (of_layer(letter, l, "′"),),
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
        still = (f"change_{tensor}" for tensor, _ in self.task.tensors())
        if all(np.all(self.parts[name] == 0) for name in (*still, *(gradient for _, gradient in self.task.tensors()))):
            return words.NO_GRADIENT
        if abs(after - before) <= ROUNDING * max(abs(before), abs(after)):
            return words.STAYS
        little = abs(after - before) < LITTLE * abs(before)
        if after < before:
            return words.FALLS_A_LITTLE if little else words.FALLS
        return words.RISES_A_LITTLE if little else words.RISES

    # --- what the sections are made of --------------------------------------------------------------------------------

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

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the network."""
        return self.task.architecture.layers

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(self.parts["X"].shape[0])

    def say(self, what: Words, **fields: Any) -> str:
        """A sentence in the language."""
        return what.in_(self.lang).format(**fields)

    def prose(self, what: Words, **fields: Any) -> Prose:
        """A sentence as a line."""
        return Prose(self.say(what, **fields))

    def has_bias(self, l: int) -> bool:
        """Whether layer l has biases."""
        return "b" in self.task.architecture.places[l - 1]

    def _layer_title(self, l: int) -> Title:
        layer = self.layers[l - 1]
        count = self.task.architecture.widths[l]
        text = self.say(
            words.LAYER,
            l=l,
            neurons=self.say(words.ONE_NEURON) if count == 1 else self.say(words.NEURONS, count=count),
            activation=self.say(layer.sigma.words),
        )
        return Title(text + ("" if self.has_bias(l) else f", {self.say(words.WITHOUT_BIAS)}"), 3)

    def places(self, axis: str | int, size: int | None = None) -> list[int | None]:
        """The shown places of an axis: "rows", or a layer's neurons (0 for the inputs)."""
        if size is None:
            size = self.rows if axis == ROWS else self.task.architecture.widths[int(axis)]
        return chosen(size, self.focus.get(axis, ()))

    def worked_rows(self) -> list[int]:
        """The rows whose numbers are written out one by one."""
        return list(self.focus.get(ROWS, ())) or [0]

    def worked(self, l: int) -> list[int]:
        """The neurons of a layer whose sum is written out."""
        return list(self.focus.get(l, ())) or [0]

    def axes(self, name: str) -> tuple[str | int, str | int]:
        """Of a matrix, what its rows and its columns are: "rows", or the neurons of a layer."""
        if name in ("X", "T", "e", "O_new"):
            return ROWS, 0 if name == "X" else self.task.depth
        stem = name.removesuffix("_new").rpartition("_")[2]
        l = int("".join(filter(str.isdigit, stem)))
        letter = stem.rstrip("0123456789").removeprefix("d")
        if letter == "W":
            return l - 1, l
        return ROWS, l

    def matrix(self, name: str, blank: bool = False) -> Matrix:
        """The shown part of a matrix; a vector is a row."""
        array = np.atleast_2d(self.parts[name])
        rows, columns = self.axes(name)
        one_row = self.parts[name].ndim < 2
        return matrix(array, [0] if one_row else self.places(rows), self.places(columns), blank)

    def transposed(self, name: str) -> Matrix:
        """The same, transposed."""
        shown = self.matrix(name)
        return Matrix(tuple(zip(*shown.rows, strict=True)))

    def result(self, name: str) -> Piece:
        """What a chain ends with: the numbers, or blanks for them."""
        value = self.parts[name]
        if value.ndim == 0:
            return Blank() if self.blank else number(value[()])
        return self.matrix(name, self.blank)

    def chain(self, left: Side, *symbols: Side, numbers: Side = (), result: str, sign: str = "=") -> Chain:
        """left = symbols = numbers = result; without the numbers where the result is to be found by hand."""
        middle = (*symbols, numbers) if numbers and not self.blank else symbols
        return Chain(_without_repeats((left, *middle, (self.result(result),))), sign)

    def _share(self, of: Expression) -> Expression:
        """What a row counts of a batch: 1/rows of it."""
        return of if self.rows == 1 else Product((Number(1) / Number(self.rows), of))

    def _over_rows(self, of: Expression) -> Expression:
        return SumOver(self.say(words.ROWS), of, "")

    def _setting(self, value: float) -> Number:
        """A hyperparameter as the user wrote it."""
        return Number(simplest(value) if self.parts["X"].dtype == object else Decimal(repr(value)))

    def _element(self, j: int, r: int) -> tuple[int, ...]:
        return (j + 1,) if self.rows == 1 else (r + 1, j + 1)

    def worked_chain(self, letter: str, j: int, r: int, plugged: Expression, value: Any) -> Chain:
        """One element: its letter, the formula with its numbers, its value."""
        left = Symbol(letter, index=self._element(j, r))
        return Chain(_without_repeats(((left,), (plugged,), (number(value),))))


def _hyperparameters(equations: Sequence[Equation]) -> list[Symbol]:
    """The letters of the equations that are settings of the optimizer."""
    assigned = {equation.left.name for equation in equations} | {"w", "g", "t"}
    found = {symbol.name: symbol for equation in equations for symbol in symbols_of(equation.right)}
    return [symbol for name, symbol in found.items() if name not in assigned]


def _sum(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


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


def _without_repeats(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """Leave out a side that says the same as the one before."""
    kept = [side for before, side in zip((None, *sides), sides, strict=False) if side != before]
    return tuple(kept)


def symbol_of(task: Task, name: str) -> Expression:
    """How a quantity is written: ∂E/∂W₁ for dW1."""
    alone = {"e": Symbol("e"), "E": E, "O_new": Symbol("O", mark="′"), "E_new": Symbol("E", mark="′")}
    if name in alone:
        return alone[name]
    new, change = name.endswith("_new"), name.startswith("change_")
    stem = name.removesuffix("_new").removeprefix("change_")
    letter, l = stem.rstrip("0123456789"), int(stem[len(stem.rstrip("0123456789")) :])
    if letter == "D":
        sigma = task.architecture.layers[l - 1].sigma
        return of_layer("D", l) if sigma.row_wise else named(f"{sigma.letter}′")(of_layer("Z", l))
    if letter.startswith("d") and letter != "delta":
        return derivative_by(letter[1:], l)
    return of_layer("δ" if letter == "delta" else f"Δ{letter}" if change else letter, l, "′" if new else "")
