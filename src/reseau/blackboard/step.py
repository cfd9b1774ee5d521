"""A learning step as named quantities, each computed from those before it by one line of the reference engine.

The names are those of the equations: X, T (the targets), W1, b1, Z1, A1, ..., e, E; dA2 for ∂E/∂A₂, D2 for the
derivative of the activation, delta2, dW2, db2, dA1, ...; change_W1, W1_new, ...; O_new, E_new. An optimizer's state and
what it computes on the way are called m_W1, v_b1, m_hat_W1, with m_W1_before for the state before the step.

Because each quantity is a function of those before it, one of them can be computed again from other numbers, such as a
student's (`reseau.blackboard.mistakes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reseau.arrays import Array
from reseau.engine import reference
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.optimizers import Optimizer

Parts = dict[str, Any]  # the numbers of a step by name


@dataclass(frozen=True)
class Quantity:
    """One line of a step: what it is called, and how it follows from the parts before it."""

    name: str
    compute: Callable[[Parts], Any]


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

    def tensors(self) -> list[tuple[str, str]]:
        """The name of each parameter and of its gradient, layer by layer: ("W1", "dW1"), ("b1", "db1"), ..."""
        return [
            (f"{name}{l}", f"d{name}{l}") for l, here in enumerate(self.architecture.places, start=1) for name in here
        ]

    def parameters(self, p: Parts, l: int, after: str = "") -> Parts:
        """The tensors of layer l by name, as they are, or with `after="_new"` as they are after the step."""
        return {name: p[f"{name}{l}{after}"] for name in self.architecture.places[l - 1]}


def input_name(l: int) -> str:
    """What layer l, from 1, is given: X, or the A of the layer before."""
    return f"A{l - 1}" if l > 1 else "X"


def value_name(task: Task, l: int) -> str:
    """What σ_l gives: A of the layer, or V where a residual link makes A of it."""
    return f"V{l}" if task.architecture.layers[l - 1].residual else f"A{l}"


def share(parts: Parts) -> Any:
    """What one row counts: 1/rows."""
    rows = parts["X"].shape[0]
    return Fraction(1, rows) if parts["X"].dtype == object else 1 / rows


def quantities(task: Task) -> list[Quantity]:
    """All quantities of a step, in the order in which they are computed."""
    layers = range(1, task.depth + 1)
    lines: list[Quantity] = []
    for l in layers:
        lines += _forward(task, l)
    lines += _error(task)
    for l in reversed(layers):
        lines += _backward(task, l)
    for tensor, gradient in task.tensors():
        lines += _update(task, tensor, gradient)
    return [*lines, *_afterwards(task)]


def take(task: Task, given: Parts) -> Parts:
    """Work out a step: what is given (X, T, W1, ..., and the optimizer's state) and all that follows."""
    parts = dict(given)
    with np.errstate(all="ignore"):  # what overflows is shown as it is
        for line in quantities(task):
            parts[line.name] = np.asarray(line.compute(parts))
    return parts


def _forward(task: Task, l: int) -> Iterator[Quantity]:
    layer = task.architecture.layers[l - 1]
    yield Quantity(f"Z{l}", lambda p: layer.scores(p[input_name(l)], task.parameters(p, l)))
    yield Quantity(value_name(task, l), lambda p: layer.sigma.value(p[f"Z{l}"]))
    if layer.residual:
        yield Quantity(f"A{l}", lambda p: p[f"V{l}"] + p[input_name(l - layer.residual + 1)])


def _error(task: Task) -> Iterator[Quantity]:
    L, architecture = task.depth, task.architecture
    yield Quantity("e", lambda p: reference.output_error(architecture, p[f"Z{L}"], p[f"A{L}"], p["T"]))
    yield Quantity("E", lambda p: (share(p) * p["e"]).sum())


def _backward(task: Task, l: int) -> Iterator[Quantity]:
    architecture, layer = task.architecture, task.architecture.layers[l - 1]

    def delta(p: Parts) -> Array:
        if l == task.depth and architecture.simplifies:
            return share(p) * (p[f"A{l}"] - p["T"])
        return layer.sigma.through(p[f"dA{l}"], p[f"D{l}"])

    def gradient(p: Parts, name: str) -> Array:
        return layer.gradients(p[f"delta{l}"], p[input_name(l)], task.parameters(p, l))[name]

    def sent_back(p: Parts) -> Array:
        dA = layer.sent_back(p[f"delta{l}"], p[input_name(l)], task.parameters(p, l))
        for m, later in enumerate(architecture.layers, start=1):  # in the order in which the engines add
            if later.residual and m - later.residual == l - 1:
                dA = dA + p[f"dA{m}"]
        return dA

    if l == task.depth:
        yield Quantity(f"dA{l}", lambda p: share(p) * architecture.error.derivative(p[f"A{l}"], p["T"]))
    yield Quantity(f"D{l}", lambda p: layer.sigma.slopes(p[f"Z{l}"], p[value_name(task, l)]))
    yield Quantity(f"delta{l}", delta)
    for name in architecture.places[l - 1]:
        yield Quantity(f"d{name}{l}", lambda p, name=name: gradient(p, name))  # type: ignore[misc]
    if l > 1:
        yield Quantity(f"dA{l - 1}", sent_back)


def _update(task: Task, tensor: str, gradient: str) -> Iterator[Quantity]:
    equations = task.optimizer.equations
    states = [equation.left.name for equation in equations if equation.state]

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

    for place, equation in enumerate(equations):
        yield Quantity(f"{equation.left.name}_{tensor}", lambda p, place=place: compute(p, place))  # type: ignore[misc]
    yield Quantity(f"{tensor}_new", lambda p: p[tensor] + p[f"change_{tensor}"])


def constants(task: Task, exact: bool) -> Parts:
    """The optimizer's hyperparameters and the number of the step, by the names they have in its equations."""
    known = {k: v for k, v in task.optimizer.hyperparameters().items() if not isinstance(v, bool)}
    return {"t": task.t, **({k: simplest(v) for k, v in known.items()} if exact else known)}


def _afterwards(task: Task) -> Iterator[Quantity]:
    def outcome(p: Parts) -> tuple[Array, Array]:
        A = [p["X"]]
        for l, layer in enumerate(task.architecture.layers, start=1):
            Z = layer.scores(A[-1], task.parameters(p, l, after="_new"))
            V = layer.sigma.value(Z)
            A.append(V + A[l - layer.residual] if layer.residual else V)
        return A[-1], (share(p) * reference.output_error(task.architecture, Z, A[-1], p["T"])).sum()

    yield Quantity("O_new", lambda p: outcome(p)[0])
    yield Quantity("E_new", lambda p: outcome(p)[1])


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
