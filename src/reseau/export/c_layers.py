"""The C of layers: tables, Z = A W + b, the activation, and the way back from ∂/∂a to ∂/∂x."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.export import c_text as c
from reseau.vocabulary.activations.code import C_FUNCTIONS

if TYPE_CHECKING:
    from reseau.network import LayerView


class Layer:
    """The C of one layer, the names in which begin with `name`; a `wide` one of float has its sums in double."""

    def __init__(self, name: str, place: int, view: LayerView, kind: str, wide: bool) -> None:
        self.name = name
        self.place = place
        self.kind = kind
        self.sum_kind = "double" if wide else kind
        self.W, self.b = view.W, view.b
        self.n_in, self.n_out = view.W.shape
        self.sigma = view.description.sigma
        self.row_wise = self.sigma.row_wise
        self.value = self._own(self.sigma.code.c)
        self.derivative = self._own(self.sigma.code.c_derivative)
        self.linear = self.value == "z"
        # What the way back needs besides g.
        self.needs = "a" if self.row_wise else "".join(v for v in "za" if re.search(rf"\b{v}\b", self.derivative))

    def _own(self, code: str) -> str:
        return c.renamed(c.in_type(code, self.kind), C_FUNCTIONS, self.name)

    def tables(self) -> dict[str, np.ndarray[Any, Any]]:
        """The names and numbers of its tables."""
        named = {f"{self.name}_W{self.place}": self.W}
        return named if self.b is None else {**named, f"{self.name}_b{self.place}": self.b}

    def source(self, loaded: bool) -> str:
        """Its tables, filled or to be loaded, and its functions."""
        l = self.place
        what = c.comment(f"Layer {l}, the weights: W{l}[i][j] leads from its input i to its neuron j.")
        tables = []
        for name, numbers in self.tables().items():
            brackets = "".join(f"[{n}]" for n in numbers.shape)
            empty = f"static {self.sum_kind} {name}{brackets};"
            tables.append(empty if loaded else c.table(name, numbers, self.sum_kind))
        functions = [self._scores(), *([] if self.linear else [self._activation()]), self._back()]
        return "\n\n".join([f"{what}\n{tables[0]}", *tables[1:], *map("\n".join, functions)])

    def equation(self, x: str, a: str) -> str:
        """What it computes, and the shape of its weights."""
        l = self.place
        Z = f"{x} W{l}" + ("" if self.b is None else f" + b{l}")
        return f"  {a} = {self.sigma.name}({Z})".ljust(44) + f"W{l}: {self.n_in} x {self.n_out}"

    def _scores(self) -> list[str]:
        l, n_in, n_out, kind = self.place, self.n_in, self.n_out, self.kind
        restrict, W = f"{self.name.upper()}_RESTRICT", f"{self.name}_W{self.place}"
        start = c.in_type("0.0", self.sum_kind) if self.b is None else f"{self.name}_b{l}[j]"
        Z = f"z = x W{l}" + ("" if self.b is None else f" + b{l}")
        head = [
            c.comment(
                f"Layer {l}: {n_in} -> {n_out}, {Z}"
                + (", summed in double, since its large terms cancel." if self.sum_kind != kind else ".")
            ),
            f"static void {self.name}_layer_{l}(const {kind} x[{n_in}], {kind} *{restrict} z)",
            "{",
        ]
        if self.sum_kind != kind:
            return [
                *head,
                f"    for (int j = 0; j < {n_out}; j++) {{",
                f"        double sum = {start};",
                f"        for (int i = 0; i < {n_in}; i++)",
                f"            sum += (double)x[i] * {W}[i][j];",
                f"        z[j] = ({kind})sum;",
                "    }",
                "}",
            ]
        return [
            *head,
            f"    for (int j = 0; j < {n_out}; j++)",
            f"        z[j] = {start};",
            f"    for (int i = 0; i < {n_in}; i++)",
            f"        for (int j = 0; j < {n_out}; j++)",
            f"            z[j] += x[i] * {W}[i][j];",
            "}",
        ]

    def _activation(self) -> list[str]:
        n_out, kind = self.n_out, self.kind
        if self.row_wise:
            body = [f"    {self.value}(z, a, {n_out});"]
        else:
            body = [f"    for (int j = 0; j < {n_out}; j++)", f"        a[j] = {_at_j(self.value)};"]
        return [
            c.comment(f"Layer {self.place}: a = {self.sigma.name} of z; they may be the same array."),
            f"static void {self.name}_activation_{self.place}(const {kind} *z, {kind} *a)",
            "{",
            *body,
            "}",
        ]

    def _back(self) -> list[str]:
        l, n_in, n_out, kind = self.place, self.n_in, self.n_out, self.kind
        given = "".join(f"const {kind} {v}[{n_out}], " for v in self.needs)
        weight = f"{self.name}_W{l}[i][j]"
        if self.row_wise:
            body = [f"    {self.derivative}(a, g, g, {n_out});"]
        elif self.linear:
            body = []
        else:
            body = [f"    for (int j = 0; j < {n_out}; j++)", f"        g[j] *= {_at_j(self.derivative)};"]
        delta = "" if self.linear else f", and g becomes delta = d/dz{'' if self.row_wise else ' = g da/dz'}"
        return [
            c.comment(f"Back through layer {l}, from g = d/da to g_in = d/dx = delta W{l}^T{delta}."),
            f"static void {self.name}_layer_{l}_back({given}{kind} g[{n_out}], {kind} g_in[{n_in}])",
            "{",
            *body,
            f"    for (int i = 0; i < {n_in}; i++) {{",
            f"        g_in[i] = {c.in_type('0.0', kind)};",
            f"        for (int j = 0; j < {n_out}; j++)",
            f"            g_in[i] += g[j] * {weight if self.sum_kind == kind else f'({kind}){weight}'};",
            "    }",
            "}",
        ]

    def forward(self, x: str, a: str, z: str = "") -> list[str]:
        """The calls that compute a of x; z is kept if it has an array of its own."""
        z = z or a
        calls = [f"{self.name}_layer_{self.place}({x}, {z});"]
        return calls if self.linear else [*calls, f"{self.name}_activation_{self.place}({z}, {a});"]

    def backward(self, g: str, g_in: str) -> str:
        """The call of the way back."""
        l = self.place
        return f"{self.name}_layer_{l}_back({''.join(f'{v}{l}, ' for v in self.needs)}{g}, {g_in});"


def _at_j(expression: str) -> str:
    """An expression of z and a as one of z[j] and a[j]."""
    return re.sub(r"\b([za])\b", r"\1[j]", expression)
