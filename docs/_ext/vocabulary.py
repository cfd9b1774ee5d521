"""The directive `entries`: a table of the vocabulary, each entry with its formulas, a picture and where it comes from.

It takes the name of a table, such as `activations`. What stands on a page is read from the entries when it is built:
nothing is listed twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from math import exp, inf, pi, sqrt
from typing import Any, ClassVar

import numpy as np
from docutils import nodes
from pictures import Curve, Floats, picture
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

import reseau
from reseau.blackboard.html import MathmlSetter
from reseau.formulas.trees import Expression, Symbol, named
from reseau.vocabulary.activations import ACTIVATIONS, Activation
from reseau.vocabulary.initializers import INITIALIZERS, Initializer
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.layers.equations import OfNumbers
from reseau.vocabulary.layers.table import LAYERS
from reseau.vocabulary.losses import LOSSES, Loss
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer
from reseau.vocabulary.schedules import SCHEDULES, Schedule

SET = MathmlSetter()
HIGHEST = 4.0  # of a curve that grows without bound


class Entry:
    """What stands on a page of one entry."""

    name: str
    formulas: tuple[str, ...] = ()  # in MathML
    curves: tuple[Curve, ...] = ()
    ends: tuple[float, float] | None = None
    flat: ClassVar[bool] = False

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        """What else is said, each with what it is: a name of code is a literal, a link a node."""
        yield from ()


class OfActivation(Entry):
    """σ and σ′; of a row-wise one the second value of the row (0, z), and its derivative by z."""

    def __init__(self, sigma: Activation) -> None:
        self.sigma, self.name = sigma, sigma.name
        z = np.linspace(-4.0, 4.0, 321)
        if sigma.row_wise:
            Z = np.column_stack([np.zeros_like(z), z])
            A = sigma.value(Z)
            value, slope = A[:, 1], sigma.slopes(Z, A)[:, 1, 1]
            of: Expression = Symbol("a", sigma.letter, index=("j",))
            derivative: Expression = Symbol("D", index=("i", "j"))
        else:
            Z = z[:, None]
            A = sigma.value(Z)
            value, slope = A[:, 0], sigma.slopes(Z, A)[:, 0]
            of, derivative = (named(f"{sigma.letter}{prime}")(Symbol("z")) for prime in ("", "′"))
        self.formulas = (SET.equation(of, sigma.formula), SET.equation(derivative, sigma.derivative_formula))
        self.curves = (Curve(z, value, sigma.name), Curve(z, slope, "its derivative", dashed=True))
        both = np.concatenate([value, slope])
        self.ends = max(both.min(), -HIGHEST), min(both.max(), HIGHEST)

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        sigma = self.sigma
        yield "Name", (sigma.words.en,)
        yield "Values", (_interval(sigma.range),)
        if sigma.row_wise:
            yield "Picture", ("of the row (0, z) the second value, and its derivative by z",)
        yield "Weights begin as", (Link("reference/initializers", sigma.initializer),)
        yield from _elsewhere((*sigma.aliases, *([sigma.scikit_learn] if sigma.scikit_learn else [])))
        yield "Source", (sigma.source,)


class OfInitializer(Entry):
    """The density of a weight of a layer with 4 inputs and 8 neurons."""

    def __init__(self, entry: Initializer) -> None:
        self.entry, self.name = entry, entry.name
        letters = {name: Symbol(name, "n", index=(name[2:],)) for name in ("n_in", "n_out")}
        variance: Expression = eval(entry.formula, {}, letters)  # a formula of ours, of whole numbers and these letters
        self.formulas = (SET.equation(Symbol("v"), variance),)
        v = entry.variance(4, 8)
        w = np.linspace(-1.6, 1.6, 401)
        limit = sqrt(3 * v)
        normal = np.array([exp(-x * x / (2 * v)) for x in w]) / sqrt(2 * pi * v)
        density = np.where(np.abs(w) < limit, 1 / (2 * limit), 0.0) if entry.uniform else normal
        self.curves = (Curve(w, density, f"the density of a weight, {entry.name}"),)
        self.ends = 0.0, float(density.max()) * 1.1

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        law = "uniform between −√(3 v) and √(3 v)" if self.entry.uniform else "normal with mean 0"
        yield "Law", (f"{law}, of variance v",)
        yield (
            "Suits",
            tuple(Link("reference/activations", name) for name, s in ACTIVATIONS.items() if s.initializer == self.name),
        )
        yield from _elsewhere(self.entry.aliases)
        yield "Source", (self.entry.source,)


class OfLoss(Entry):
    """e and its derivative over the output, for one target."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.name = loss, loss.name
        e, o = Symbol("e", index=("j",)), Symbol("o", index=("j",))
        total = Symbol("E") if loss.per_target > 1 else e
        self.formulas = (
            SET.equation(e, loss.formula),
            _quotient_equation(total, o, loss.derivative_formula),
        )
        low, high = loss.outputs.low, loss.outputs.high
        if loss.distribution or high == 1.0:
            x, self.target = np.linspace(0.02, 0.98, 193), 1.0
        elif low == 0.0:
            x, self.target = np.linspace(0.1, 6.0, 237), 2.0
        else:
            x, self.target = np.linspace(-3.0, 3.0, 241), 0.0
        O, T = x[:, None], np.full((len(x), 1), self.target)
        if loss.distribution:
            O, T = np.column_stack([x, 1 - x]), np.column_stack([T[:, 0], 1 - T[:, 0]])
        elif loss.per_target == 2:
            O, T = np.column_stack([x, np.ones_like(x)]), np.repeat(T, 2, axis=1)
        value, slope = loss.value(O, T)[:, 0], loss.derivative(O, T)[:, 0]
        self.curves = (Curve(x, value, loss.name), Curve(x, slope, "its derivative", dashed=True))
        both = np.concatenate([value, slope])
        self.ends = max(both.min(), -HIGHEST), min(both.max(), HIGHEST)

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        loss = self.loss
        yield "Name", (loss.words.en,)
        beside = ", the output beside it being 1" if loss.per_target == 2 else ""
        yield "Picture", (f"for the target {self.target:g}{beside}",)
        yield "Outputs", (loss.needed.replace("inf", "∞"),)
        yield "Targets", (_interval(loss.targets),)
        yield "Last layer", (Link("reference/activations", loss.output), "where it is given no activation")
        if loss.simplifies_with:
            formula = SET.equation(Symbol("δ", index=("j",)), loss.delta_formula)
            yield "From the scores", (_math(formula), Raw(" = ∂E/∂z<sub>j</sub>, with this activation"))
        yield from _of_class(type(loss))
        yield from _elsewhere(loss.aliases)
        yield "Source", (loss.source,)


class OfOptimizer(Entry):
    """Its equations, and its steps down a long valley at the best of some rates."""

    flat = True
    START, STEPS = (-2.0, 0.55), 40

    def __init__(self, kind: type[Optimizer]) -> None:
        self.kind, self.name = kind, kind.name
        optimizer = kind()
        self.formulas = tuple(SET.equation(e.left, e.right, e.sign) for e in optimizer.equations)
        paths = [(rate, self._path(optimizer.at(rate))) for rate in 2.0 ** np.arange(-9, -1)]
        self.rate, path = min(paths, key=lambda found: _height(found[1][-self.STEPS // 4 :]))
        ring = np.linspace(0, 2 * np.pi, 73)
        rings = [Curve(r * np.cos(ring), r * np.sin(ring) / sqrt(20), "", dashed=True) for r in (0.7, 1.4, 2.1)]
        self.curves = (*rings, Curve(path[:, 0], path[:, 1], f"the path of {kind.name}"))

    def _path(self, optimizer: Optimizer) -> Floats:
        w = np.array(self.START)
        state, path = optimizer.init(w), [w]
        for t in range(1, self.STEPS + 1):
            w, state = optimizer.update(w, np.array([1.0, 20.0]) * w, state, t)
            path.append(w)
        return np.array(path)

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        yield from _of_class(self.kind)
        yield "Picture", (f"{self.STEPS} steps with γ = {self.rate:g}",)
        yield "Keeps", (f"{self.kind.states} × as many numbers as there are parameters",)
        yield from _elsewhere(self.kind.aliases)
        yield "Source", (self.kind.source,)


class OfSchedule(Entry):
    """The rate over a run of 30 epochs."""

    EPOCHS, STEPS = 30, 10

    def __init__(self, kind: type[Schedule]) -> None:
        self.kind, self.name = kind, kind.name
        rate = 0.1 if fields(kind)[0].type == "float" else lambda progress: 0.1 * (1 - progress) ** 2
        schedule: Any = kind(rate)  # type: ignore[call-arg]
        self.formulas = (SET.equation(Symbol("γ", index=("t",)), schedule.equation),)
        n = self.EPOCHS * self.STEPS
        losses = [
            max(1 - epoch / 8, 0.0) for epoch in range(self.EPOCHS)
        ]  # which falls no more from the ninth epoch on
        rates = [
            schedule.rates(self.STEPS * epoch, self.STEPS, n, self.STEPS, losses[:epoch])
            for epoch in range(self.EPOCHS)
        ]
        y = np.concatenate(rates)
        self.curves = (Curve(np.arange(n) / self.STEPS, y, f"the rate over a run, {kind.name}"),)
        self.ends = 0.0, 0.1

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        yield "Name", (self.kind.words.en,)
        yield from _of_class(self.kind)
        if self.kind.follows_loss:
            yield "Picture", ("for a loss that falls no more from the ninth epoch on",)
        yield "Source", (self.kind.source,)


class OfLayer(Entry):
    """The map there and back."""

    def __init__(self, kind: Any) -> None:
        self.kind, self.name = kind, kind.kind
        layer = kind(*_needed(kind))
        equations = layer.equations(Symbol("A"))
        self.formulas = tuple(_of_map(e) for e in (*equations.forward, *equations.gradients, *equations.back))

    def rows(self) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
        yield from _of_class(self.kind)
        letters = ", ".join(self.kind.letters)
        yield "Learns", (letters or "nothing",)


class Link(nodes.reference):
    """A place on another page, by its page and the name of an entry there."""

    def __init__(self, page: str, name: str) -> None:
        super().__init__("", "", nodes.literal(text=name), internal=True)
        self.page, self.name = page, name


class Raw(nodes.raw):
    """HTML."""

    def __init__(self, html: str) -> None:
        super().__init__("", html, format="html")


def _math(formula: str, block: bool = False) -> Raw:
    if block:
        return Raw(f'<div class="formula left"><math displaystyle="true">{formula}</math></div>')
    return Raw(f"<math>{formula}</math>")


def _quotient_equation(above: Symbol, below: Symbol, right: Expression) -> str:
    partial = "<mi>∂</mi>"
    left = f"<mfrac><mrow>{partial}{SET.set(above)}</mrow><mrow>{partial}{SET.set(below)}</mrow></mfrac>"
    return f"{left}<mo>=</mo>{SET.set(right)}"


def _of_map(equation: Any) -> str:
    """A line of a layer's map, set as on the blackboard."""
    symbol = equation.symbol
    if isinstance(equation, OfNumbers):
        if "one" not in equation.axes:
            symbol = Symbol(symbol.name, symbol.written.lower(), mark=symbol.mark, index=(*symbol.index, "j"))
        right = SET.set(equation.formula)
    else:
        right = SET.side(equation.sides)
        if equation.summed:
            right = f"<munder><mo movablelimits='false'>∑</mo><mtext>rows</mtext></munder>{right}"
    left = SET.set(symbol)
    if equation.derivative:
        left = f"<mfrac><mrow><mi>∂</mi><mi>E</mi></mrow><mrow><mi>∂</mi>{left}</mrow></mfrac>"
    return f"{left}<mo>=</mo>{right}"


def _needed(kind: Any) -> list[Any]:
    """What a constructor asks for."""
    return [3 if f.type == "int" else 0.5 for f in fields(kind) if _is_needed(f)]


def _is_needed(field: Any) -> bool:
    return field.init and field.default is MISSING and field.default_factory is MISSING


def _interval(interval: Interval) -> str:
    return str(interval).replace("inf", "∞").replace("-", "−") if interval.high != -inf else ""


def _elsewhere(names: Iterable[str]) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
    several = dict.fromkeys(names)
    if several:
        yield "Elsewhere called", tuple(nodes.literal(text=name) for name in several)


def _of_class(kind: type) -> Iterator[tuple[str, tuple[str | nodes.Node, ...]]]:
    """The class that is described further down, where users write it."""
    if kind.__name__ in reseau.__all__ and getattr(reseau, kind.__name__) is kind:
        name = f"reseau.{kind.__name__}"
        target = addnodes.pending_xref(refdomain="py", reftype="obj", reftarget=name, refexplicit=True, refwarn=True)
        target += nodes.literal(text=name)
        yield "In Python", (target,)


def _height(path: Floats) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        height = float((path[:, 0] ** 2 + 20 * path[:, 1] ** 2).mean())
    return height if np.isfinite(height) else inf


TABLES: Mapping[str, tuple[type[Entry], Mapping[str, Any]]] = {
    "activations": (OfActivation, ACTIVATIONS),
    "initializers": (OfInitializer, INITIALIZERS),
    "layers": (OfLayer, LAYERS),
    "losses": (OfLoss, LOSSES),
    "optimizers": (OfOptimizer, OPTIMIZERS),
    "schedules": (OfSchedule, SCHEDULES),
}


class Entries(SphinxDirective):
    """All entries of a table, a section each."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind, table = TABLES[self.arguments[0]]
        return [self._section(kind(entry)) for entry in table.values()]  # type: ignore[call-arg]

    def _section(self, entry: Entry) -> nodes.section:
        section = nodes.section(
            ids=[nodes.make_id(entry.name) if "_" not in entry.name else entry.name], classes=["entry"]
        )
        section["names"] = []
        section += nodes.title("", "", nodes.literal(text=entry.name))
        if entry.curves:
            section += Raw(picture(entry.curves, ends=entry.ends, flat=entry.flat))
        for formula in entry.formulas:
            section += _math(formula, block=True)
        listed = nodes.field_list(classes=["facts"])
        for name, said in entry.rows():
            paragraph = nodes.paragraph()
            for place, piece in enumerate(said):
                apart = place and not isinstance(piece, Raw)
                paragraph += [nodes.Text(", " if apart and not isinstance(piece, str) else " " if apart else "")]
                paragraph += self._piece(piece)
            listed += nodes.field("", nodes.field_name(text=name), nodes.field_body("", paragraph))
        section += listed
        return section

    def _piece(self, piece: str | nodes.Node) -> nodes.Node:
        if isinstance(piece, str):
            return nodes.Text(piece)
        if isinstance(piece, Link):
            here = self.env.app.builder.get_relative_uri(self.env.docname, piece.page)
            return nodes.reference("", "", *piece.children, internal=True, refuri=f"{here}#{piece.name}")
        if isinstance(piece, addnodes.pending_xref):
            piece["refdoc"] = self.env.docname
        return piece


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("entries", Entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
