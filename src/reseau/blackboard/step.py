"""A learning step as named quantities, each computed from those before it by one line of the reference engine.

The names are those of the equations: X, T (the targets), W1, b1, Z1, A1, ..., e, E; dA2 for ∂E/∂A₂, D2 for the
derivative of the activation, delta2, dW2, db2, dA1, ...; change_W1, W1_new, ...; O_new, E_new. Other kinds of layers
have their own (`Layer.equations`): gamma1, mu1, x_hat1, dgamma1, .... Where a residual link ends in layer 2, V2 is the
value of its activation and A2 what goes on; where one begins, R2 is what layer 2 sends back, a part of dA1. An
optimizer's state and what it computes on the way are called m_W1, v_b1, m_hat_W1, with m_W1_before for the state before
the step.

Because each quantity is a function of those before it, one of them can be computed again from other numbers, such as a
student's (`reseau.exercises.mistakes`). It knows besides how it is written, what its rows and columns are, and how it
is likely to be got wrong; nothing is read from its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from reseau.arrays import Array
from reseau.blackboard import words
from reseau.engine import equations
from reseau.formulas.trees import Expression, Symbol, named, symbols_of
from reseau.vocabulary.layers import Architecture, Layer, Tensor
from reseau.vocabulary.layers.equations import DELTA, Equation, Equations, Numbers, Slip
from reseau.vocabulary.optimizers import Equation as Update
from reseau.vocabulary.optimizers import Optimizer

Parts = dict[str, Any]  # the numbers of a step by name

ROWS, ONE = "rows", "one"
Axis = str | int  # ROWS, the neurons of a layer (0 for the inputs), or ONE for a single place
X, O, E = Symbol("X"), Symbol("O"), Symbol("E")
O_STAR = Symbol("T", "O", mark="*")


@dataclass(frozen=True)
class Part:
    """Something on the board that has numbers.

    Attributes
    ----------
    name : str
        What it is called in code and in files.
    symbol : Expression
        How it is written.
    axes : tuple of (str or int)
        What its rows and columns are; of a vector, its numbers; () of a single number.
    """

    name: str
    symbol: Expression
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Quantity(Part):
    """One line of a step: what it gives, and how that follows from the parts before it.

    Attributes
    ----------
    compute : callable
        It, of the parts.
    slips : tuple of Slip
        The likely mistakes; what they compute instead is a function of the parts too.
    layer : int or None
        To which layer it belongs, from 1.
    replaces : str
        The name of what it takes the place of after the step.
    """

    compute: Callable[[Parts], Any]
    slips: tuple[Slip, ...] = ()
    layer: int | None = None
    replaces: str = ""


class Parameter(NamedTuple):
    """One tensor of a layer, by the names of its parts."""

    name: str  # such as W1
    gradient: str  # such as dW1
    layer: int  # from 1
    tensor: Tensor

    @property
    def symbol(self) -> Symbol:
        """The letter with the layer below."""
        return replace(self.tensor.symbol, label=str(self.layer))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Of a matrix its inputs and its neurons, of a vector its neurons."""
        return (self.layer - 1, self.layer)[-len(self.tensor.shape) :]


class Placed(NamedTuple):
    """An equation of a layer at its place in the network."""

    equation: Equation
    of: int  # the layer that what it gives belongs to, such as 1 for ∂E/∂A₁ in the equations of layer 2

    @property
    def name(self) -> str:
        """Of what it gives."""
        return f"{self.equation.name}{self.of}"


def of_layer(letter: str, l: int, mark: str = "") -> Symbol:
    """The letter with the layer below."""
    return Symbol(letter, label=str(l), mark=mark)


def of_its_layer(symbol: Symbol, l: int) -> Symbol:
    """A letter in the equations of layer l with the layer that its numbers belong to: a_j⁽¹⁾, the inputs of layer 2.

    It stands above where the places stand below, and below where there are none, as in ε₂; inputs of the network have
    no layer, and neither have n and the learning rate.
    """
    of = l - 1 if symbol.name == "A" else l
    if not of or symbol.name in ("n", "learning_rate"):
        return symbol
    return replace(symbol, layer=str(of)) if symbol.index else replace(symbol, label=str(of))


def derivative_by(letter: str, l: int | None = None) -> Expression:
    """∂E/∂ some letter."""
    return Symbol("∂E") / Symbol(f"∂{letter}", label="" if l is None else str(l))


@dataclass(frozen=True)
class Task:
    """What a step is a step of: the network without its numbers, the optimizer, and the number of the step from 1."""

    architecture: Architecture
    optimizer: Optimizer
    t: int = 1

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.architecture.layers)

    @property
    def parameters(self) -> list[Parameter]:
        """The tensors layer by layer: W1, b1, ..."""
        return [
            Parameter(f"{name}{l}", f"d{name}{l}", l, tensor)
            for l, here in enumerate(self.architecture.places, start=1)
            for name, (_, tensor) in here.items()
        ]

    @property
    def aliases(self) -> dict[str, str]:
        """Other names of parts: O and ∂E/∂O."""
        return {"O": f"A{self.depth}", "dO": f"dA{self.depth}"}

    def layer(self, l: int) -> Layer:
        """Layer l, from 1."""
        return self.architecture.layers[l - 1]

    def input(self, l: int) -> Part:
        """What layer l, from 1, is given: X, or the A of the layer before."""
        return Part("X", X, (ROWS, 0)) if l == 1 else Part(f"A{l - 1}", of_layer("A", l - 1), (ROWS, l - 1))

    def value(self, l: int) -> Part:
        """What σ_l gives: A of the layer, or V where a residual link makes A of it."""
        letter = "V" if self.layer(l).residual else "A"
        return Part(f"{letter}{l}", of_layer(letter, l), (ROWS, l))

    def links_from(self, l: int) -> list[int]:
        """The layers in which residual links from the outputs of layer l end."""
        return [
            m for m, layer in enumerate(self.architecture.layers, start=1) if layer.residual and m - layer.residual == l
        ]

    def forward(self, l: int) -> list[Placed]:
        """The equations of layer l that lead to Z_l."""
        return [Placed(equation, l) for equation in self._equations(l).forward]

    def gradients(self, l: int) -> list[Placed]:
        """Those of its gradients."""
        return [Placed(equation, l) for equation in self._equations(l).gradients]

    def back(self, l: int) -> list[Placed]:
        """Those that lead to ∂E/∂A_{l−1}, or to R_l where residual links bring more; none for the first layer."""
        if l == 1:
            return []
        *before, last = self._equations(l).back
        if self.links_from(l - 1):
            final = Placed(replace(last, symbol=Symbol("R"), derivative=False), l)
        else:
            final = Placed(last, l - 1)
        return [*(Placed(equation, l) for equation in before), final]

    def _equations(self, l: int) -> Equations:
        return _equations(self.layer(l), "x" if l == 1 else "a")

    def names(self, l: int) -> dict[str, str]:
        """The names of parts by those that they have in the equations of layer l."""
        names = {"A": self.input(l).name, "delta": f"delta{l}"}
        for parameter in self.parameters:
            if parameter.layer == l:
                names[parameter.tensor.name] = parameter.name
        for placed in (*self.forward(l), *self.gradients(l), *self.back(l)):
            names[placed.equation.name] = placed.name
        return names

    def numbers(self, parts: Parts, l: int) -> Numbers:
        """What the equations of layer l are computed from."""
        exact = parts["X"].dtype == object
        settings = {symbol.name: getattr(self.layer(l), symbol.name) for symbol in self.layer(l).constants}
        settings["learning_rate"] = self.optimizer.rate
        return {
            "n": self.architecture.widths[l - 1],
            **({k: simplest(v) for k, v in settings.items()} if exact else settings),
            **{name: parts[place] for name, place in self.names(l).items() if place in parts},
        }

    def axes(self, equation: Equation, l: int) -> tuple[Axis, ...]:
        """The axes of what an equation of layer l gives."""
        of: dict[str, Axis] = {"rows": ROWS, "in": l - 1, "out": l, "one": ONE}
        return tuple(of[axis] for axis in equation.axes)


@lru_cache(maxsize=64)
def _equations(layer: Layer, letter: str) -> Equations:
    """A layer's equations, with a letter for its inputs."""
    return layer.equations(Symbol("A", letter))


def share(parts: Parts) -> Any:
    """What one row counts: 1/rows."""
    rows = parts["X"].shape[0]
    return Fraction(1, rows) if parts["X"].dtype == object else 1 / rows


def given(task: Task) -> list[Part]:
    """What a step begins with."""
    parameters = (Part(p.name, p.symbol, p.axes) for p in task.parameters)
    return [task.input(1), Part("T", O_STAR, (ROWS, task.depth)), *parameters]


def quantities(task: Task) -> list[Quantity]:
    """All quantities of a step, in the order in which they are computed."""
    layers = range(1, task.depth + 1)
    lines: list[Quantity] = []
    for l in layers:
        lines += _forward(task, l)
    lines += _error(task)
    for l in reversed(layers):
        lines += _backward(task, l)
    for parameter in task.parameters:
        lines += _update(task, parameter)
    return [*lines, *_afterwards(task)]


def parts_of(task: Task) -> dict[str, Part]:
    """What is given and all quantities, by name."""
    return {part.name: part for part in (*given(task), *quantities(task))}


def take(task: Task, given: Parts) -> Parts:
    """Work out a step: what is given (X, T, W1, ..., and the optimizer's state) and all that follows."""
    parts = dict(given)
    with np.errstate(all="ignore"):  # what overflows is shown as it is
        for line in quantities(task):
            parts[line.name] = np.asarray(line.compute(parts))
    return parts


def _of_equation(task: Task, placed: Placed, l: int) -> Quantity:
    """What an equation of layer l gives."""
    equation = placed.equation
    letter = equation.symbol.written
    if equation.derivative:
        # That of a matrix of rows is large, whatever the letter of its numbers: ∂E/∂A₁, of the numbers a_j.
        symbol = derivative_by(letter.upper() if "rows" in equation.axes else letter, placed.of)
    else:
        symbol = replace(equation.symbol, label=str(placed.of))

    def here(compute: Callable[[Numbers], Any]) -> Callable[[Parts], Any]:
        return lambda parts: compute(task.numbers(parts, l))

    slips = tuple(replace(slip, compute=here(slip.compute)) for slip in equation.slips)
    return Quantity(placed.name, symbol, task.axes(equation, l), here(equation.compute), slips, l)


def _forward(task: Task, l: int) -> Iterator[Quantity]:
    layer, value, Z = task.layer(l), task.value(l), f"Z{l}"
    for placed in task.forward(l):
        yield _of_equation(task, placed, l)
    forgotten = Slip(words.FORGOT_ACTIVATION, lambda p: p[Z])
    yield Quantity(value.name, value.symbol, value.axes, lambda p: layer.sigma.value(p[Z]), (forgotten,), l)
    if layer.residual:
        source = task.input(l - layer.residual + 1)
        alone = Slip(words.FORGOT_LINK, lambda p: p[value.name])
        A = of_layer("A", l)
        yield Quantity(f"A{l}", A, (ROWS, l), lambda p: p[value.name] + p[source.name], (alone,), l)


def _error(task: Task) -> Iterator[Quantity]:
    L, architecture = task.depth, task.architecture

    def errors(p: Parts) -> Array:
        return equations.output_error(architecture, p[f"Z{L}"], p[f"A{L}"], p["T"])

    doubled = Slip(words.FORGOT_HALF, lambda p: 2 * errors(p), "error")
    yield Quantity("e", Symbol("e"), (ROWS, L), errors, (doubled,))
    yield Quantity("E", E, (), lambda p: (share(p) * p["e"]).sum())


def _backward(task: Task, l: int) -> Iterator[Quantity]:
    architecture, sigma = task.architecture, task.layer(l).sigma
    G, D, Z, value, last = f"dA{l}", f"D{l}", f"Z{l}", task.value(l).name, l == task.depth

    def by_outputs(p: Parts) -> Array:
        return share(p) * architecture.error.derivative(p[f"A{l}"], p["T"])

    def delta(p: Parts) -> Array:
        if last and architecture.simplifies:
            return share(p) * architecture.error.delta_from_scores(p[Z], p[f"A{l}"], p["T"])
        return sigma.through(p[G], p[D])

    delta_slips = [Slip(words.FORGOT_DERIVATIVE, lambda p: p[G])]
    if last:
        slips = (
            Slip(words.SIGN_OF_ERROR, lambda p: -by_outputs(p), "error"),
            Slip(words.FORGOT_HALF_OF_DERIVATIVE, lambda p: 2 * by_outputs(p), "error"),
        )
        yield Quantity(G, derivative_by("A", l), (ROWS, l), by_outputs, slips, l)
        if architecture.simplifies:
            delta_slips.append(Slip(words.SIGN_OF_ERROR, lambda p: -delta(p), "error"))
    if sigma.row_wise:
        symbol: Expression = of_layer("D", l)
        d_slips: tuple[Slip, ...] = ()
        along_the_diagonal = lambda p: p[G] * np.diagonal(p[D], axis1=1, axis2=2)  # noqa: E731
        delta_slips.append(Slip(words.SOFTMAX_ELEMENTWISE, along_the_diagonal))
    else:
        symbol = named(f"{sigma.letter}′")(of_layer("Z", l))
        d_slips = (Slip(words.DERIVATIVE_OF_Z, lambda p: sigma.slopes(p[Z], p[Z])),)
    axes = (ROWS, l, l) if sigma.row_wise else (ROWS, l)
    yield Quantity(D, symbol, axes, lambda p: sigma.slopes(p[Z], p[value]), d_slips, l)
    yield Quantity(f"delta{l}", of_layer(DELTA.written, l), (ROWS, l), delta, tuple(delta_slips), l)
    for placed in (*task.gradients(l), *task.back(l)):
        yield _of_equation(task, placed, l)
    links = task.links_from(l - 1)
    if l > 1 and links:

        def with_links(p: Parts) -> Array:
            dA = p[f"R{l}"]
            for m in links:  # in the order in which the engines add
                dA = dA + p[f"dA{m}"]
            return dA

        alone = Slip(words.FORGOT_LINK_BACK, lambda p: p[f"R{l}"])
        yield Quantity(f"dA{l - 1}", derivative_by("A", l - 1), (ROWS, l - 1), with_links, (alone,), l)


def _update(task: Task, parameter: Parameter) -> Iterator[Quantity]:
    tensor, gradient, l, _ = parameter
    equations, rate = task.optimizer.equations, task.optimizer.rate
    states = [equation.left.name for equation in equations if equation.state]
    several = of_each(equations)

    def compute(p: Parts, place: int) -> Array:
        exact = p["X"].dtype == object
        values: Parts = {
            "w": p[tensor],
            "g": p[gradient],
            **constants(task, exact),
            **{state: p[f"{state}_{tensor}_before"] for state in states},
            **{equation.left.name: p[f"{equation.left.name}_{tensor}"] for equation in equations[:place]},
        }
        return equations[place].right.evaluate(values, exact)

    change = f"change_{tensor}"
    for place, equation in enumerate(equations):
        last = place == len(equations) - 1
        symbol = Symbol(f"Δ{parameter.symbol.written}", label=str(l)) if last else equation.left
        slips: tuple[Slip, ...] = ()
        if last:
            slips = (
                Slip(words.SIGN_OF_UPDATE, lambda p: rate * p[gradient], "change"),
                Slip(words.FORGOT_RATE, lambda p: -p[gradient], "change"),
            )
        elif equation.left.name in several:
            symbol = replace(equation.left, label=parameter.symbol)
        yield Quantity(
            f"{equation.left.name}_{tensor}",
            symbol,
            parameter.axes if equation.left.name in several else (),
            lambda p, place=place: compute(p, place),  # type: ignore[misc]
            slips,
            l,
        )
    yield Quantity(
        f"{tensor}_new",
        replace(parameter.symbol, mark="′"),
        parameter.axes,
        lambda p: p[tensor] + p[change],
        (
            Slip(words.SIGN_OF_UPDATE, lambda p: p[tensor] - p[change], "new"),
            Slip(words.ONLY_THE_CHANGE, lambda p: p[change], "new"),
        ),
        l,
        tensor,
    )


def of_each(equations: Sequence[Update]) -> set[str]:
    """The names in an optimizer's equations that stand for a number of each parameter; the others are one for all."""
    several = {"w", "g", *(equation.left.name for equation in equations if equation.state)}
    for equation in equations:
        if any(symbol.name in several for symbol in symbols_of(equation.right)):
            several.add(equation.left.name)
    return several


def constants(task: Task, exact: bool) -> Parts:
    """The optimizer's hyperparameters and the number of the step, by the names they have in its equations."""
    known = {k: v for k, v in task.optimizer.hyperparameters().items() if not isinstance(v, bool)}
    return {"t": task.t, **({k: simplest(v) for k, v in known.items()} if exact else known)}


def _afterwards(task: Task) -> Iterator[Quantity]:
    def outcome(p: Parts) -> Parts:
        again: Parts = {"X": p["X"], "T": p["T"]}
        again |= {parameter.name: p[f"{parameter.name}_new"] for parameter in task.parameters}
        for l in range(1, task.depth + 1):
            for line in _forward(task, l):
                again[line.name] = line.compute(again)
        for line in _error(task):
            again[line.name] = line.compute(again)
        return again

    L = task.depth
    yield Quantity("O_new", replace(O, mark="′"), (ROWS, L), lambda p: outcome(p)[f"A{L}"])
    yield Quantity("E_new", replace(E, mark="′"), (), lambda p: outcome(p)["E"])


def simplest(value: Any, dtype: Any = np.float64) -> Fraction:
    """The fraction with the smallest denominator that a precision cannot tell from a number.

    Examples
    --------
    >>> import numpy as np
    >>> simplest(np.float32(1) / 3, np.float32)
    Fraction(1, 3)
    >>> simplest(0.1)
    Fraction(1, 10)
    """
    exactly = Fraction(float(value))
    for size in range(1, 18):
        near = exactly.limit_denominator(10**size)
        if dtype(float(near)) == dtype(value):
            return near
    return exactly
