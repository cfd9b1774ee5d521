"""The C of layers: tables, the map, the activation, and the way back from ∂/∂a to ∂/∂x."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from reseau.export import c_text as c
from reseau.export.steps import Step
from reseau.vocabulary.activations.code import C_FUNCTIONS
from reseau.vocabulary.layers.code import named


class Layer:
    """The C of one layer, the names in which begin with `name`; a `wide` one of float has its sums in double."""

    def __init__(self, name: str, step: Step, kind: str, wide: bool) -> None:
        self.name = name
        self.stem = f"{name}_{step.stem}"  # begins the names of its functions
        self.step = step
        self.place = step.place
        self.kind = kind
        self.sum_kind = "double" if wide else kind
        self.n_in, self.n_out, self.link = step.n_in, step.n_out, step.link
        self.sigma = step.layer.sigma
        self.row_wise = self.sigma.row_wise
        self.value = self._own(self.sigma.code.c)
        self.derivative = self._own(self.sigma.code.c_derivative)
        self.linear = self.value == "z"
        # What the way back needs besides g: of what goes out, and whether what comes in.
        self.needs = "a" if self.row_wise else "".join(v for v in "za" if re.search(rf"\b{v}\b", self.derivative))
        self.needs_x = step.layer.code.needs_x

    def _own(self, code: str) -> str:
        return c.renamed(c.in_type(code, self.kind), C_FUNCTIONS, self.name)

    def _statements(self, code: str, cast: str = "") -> list[str]:
        """Statements of the map with the names and lengths of this layer."""
        names = {letter: f"{cast}{self.name}_{name}" for letter, name in self.step.tensor_names.items()}
        lengths = {"n_in": str(self.n_in), "n_out": str(self.n_out)}
        return [f"    {line}" for line in named(code.strip(), names | lengths).splitlines()]

    def tables(self) -> dict[str, np.ndarray[Any, Any]]:
        """The names and numbers of its tables."""
        return {f"{self.name}_{name}": self.step.tensors[letter] for letter, name in self.step.tensor_names.items()}

    def source(self, loaded: bool) -> str:
        """Its tables, filled or to be loaded, and its functions."""
        tables = []
        for name, numbers in self.tables().items():
            brackets = "".join(f"[{n}]" for n in numbers.shape)
            empty = f"static {self.sum_kind} {name}{brackets};"
            tables.append(empty if loaded else c.table(name, numbers, self.sum_kind))
        if tables:
            what = f"{self.step.where}, the {self.step.layer.code.numbers}: {self.step.meaning('][', 'its input i')}."
            tables[0] = f"{c.comment(what)}\n{tables[0]}"
        functions = [self._scores(), *([] if self.linear else [self._activation()]), self._back()]
        return "\n\n".join([*tables, *map("\n".join, functions)])

    def equation(self, x: str, a: str, linked: str) -> str:
        """What it computes, and the shape of its first table."""
        equation = f"  {a} = {self.step.equation(x)}" + (f" + {linked}" if linked else "")
        for letter, values in self.step.tensors.items():
            return f"{equation:<42}  {self.step.tensor_names[letter]}: {' x '.join(map(str, values.shape))}"
        return equation

    def _scores(self) -> list[str]:
        l, n_in, kind, code = self.place, self.n_in, self.kind, self.step.layer.code
        wide = self.sum_kind != kind
        Z = named(code.equation, self.step.tensor_names)
        return [
            c.comment(
                f"{self.step.where}: {n_in} -> {self.n_out}, z = {Z}"
                + (", summed in double, since its large terms cancel." if wide else ".")
            ),
            f"static void {self.stem}layer_{l}(const {kind} x[{n_in}], {kind} *{self.name.upper()}_RESTRICT z)",
            "{",
            *self._statements(code.c_wide if wide else c.in_type(code.c, kind)),
            "}",
        ]

    def _activation(self) -> list[str]:
        n_out, kind = self.n_out, self.kind
        if self.row_wise:
            body = self._of_groups(self.value, "z", "a")
        else:
            body = [f"    for (int j = 0; j < {n_out}; j++)", f"        a[j] = {_at_j(self.value)};"]
        of = "each group of z" if self.sigma.groups else "z"
        return [
            c.comment(f"{self.step.where}: a = {self.sigma.name} of {of}; they may be the same array."),
            f"static void {self.stem}activation_{self.place}(const {kind} *z, {kind} *a)",
            "{",
            *body,
            "}",
        ]

    def _of_groups(self, function: str, *rows: str) -> list[str]:
        """The call of a function of whole rows, or one for each group of their numbers."""
        calls, first = [], 0
        for n in self.sigma.groups or (self.n_out,):
            given = ", ".join(f"{row} + {first}" if first else row for row in rows)
            calls.append(f"    {function}({given}, {n});")
            first += n
        return calls

    def _back(self) -> list[str]:
        l, n_in, n_out, kind, code = self.place, self.n_in, self.n_out, self.kind, self.step.layer.code
        x = f"const {kind} x[{n_in}], " if self.needs_x else ""
        given = x + "".join(f"const {kind} {v}[{n_out}], " for v in self.needs)
        if self.row_wise:
            body = self._of_groups(self.derivative, "a", "g", "g")
        elif self.linear:
            body = []
        else:
            body = [f"    for (int j = 0; j < {n_out}; j++)", f"        g[j] *= {_at_j(self.derivative)};"]
        delta = "" if self.linear else f", and g becomes delta = d/dz{'' if self.row_wise else ' = g da/dz'}"
        sent = named(code.sent_back, self.step.tensor_names)
        return [
            c.comment(f"Back through {self.step.where.lower()}, from g = d/da to g_in = d/dx{sent}{delta}."),
            f"static void {self.stem}layer_{l}_back({given}{kind} g[{n_out}], {kind} g_in[{n_in}])",
            "{",
            *body,
            *self._statements(c.in_type(code.c_back, kind), "" if self.sum_kind == kind else f"({kind})"),
            "}",
        ]

    @property
    def value_row(self) -> str:
        """The array in which the way back finds what the activation gave: that of a link has more added to it."""
        return f"{'a' if self.link is None else 'v'}{self.place}"

    def forward(self, x: str, a: str, z: str = "", linked: str = "") -> list[str]:
        """The calls that compute a of x; z is kept if it has an array of its own, and what a link adds is added."""
        z = z or a
        calls = [f"{self.stem}layer_{self.place}({x}, {z});"]
        if not self.linear:
            calls.append(f"{self.stem}activation_{self.place}({z}, {a});")
        return [*calls, added(self.name, linked, a, self.n_out)] if linked else calls

    def backward(self, x: str, g: str, g_in: str) -> str:
        """The call of the way back."""
        l = self.place
        given = [
            *([x] if self.needs_x else []),
            *(self.value_row if v == "a" else f"z{l}" for v in self.needs),
            g,
            g_in,
        ]
        return f"{self.stem}layer_{l}_back({', '.join(given)});"


ADD = """\
/* {what} n numbers to others. */
static void {name}_add(const {kind} *from, {kind} *to, int n)
{{
    for (int j = 0; j < n; j++)
        to[j] += from[j];
}}"""


def added(name: str, numbers: str, to: str, n: int) -> str:
    """The call that adds numbers to others, for which `ADD` is there."""
    return f"{name}_add({numbers}, {to}, {n});"


def _at_j(expression: str) -> str:
    """An expression of z and a as one of z[j] and a[j]."""
    return re.sub(r"\b([za])\b", r"\1[j]", expression)
