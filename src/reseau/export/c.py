"""Models as one C99 file and its header: no dependency but the C library, no heap, constant tables, readable.

The file holds for each layer its tables, Z = A W + b with its activation, and the way back from ∂/∂a to ∂/∂x; `predict`
chains the first, `jacobian` goes back once for each output. A table model also has a `struct` for a row, `encode` from
it to the inputs, and `predict_row` (see `c_table`); an estimator has the names of its classes, and `class` (see
`c_estimator`). Compiled with -DRESEAU_TEST the file is a program that compares itself with test vectors (see
`vectors`).

Sums are taken in the order of the inputs, beginning with b, and without fused multiply-adds unless the compiler is told
to use them, so that outputs differ from the engines' by rounding only. What was tried: GCC and Clang, as C99, as C++,
and under their sanitizers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau import __version__
from reseau.activations import RowWise
from reseau.activations.code import C_FUNCTIONS
from reseau.errors import ParameterError
from reseau.export import c_text as c
from reseau.export.models import check_finite, dtype_of, network_of, summary
from reseau.export.vectors import Vectors, vectors
from reseau.files import write_together
from reseau.network import LayerView, Network

if TYPE_CHECKING:
    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel


# Scores are in an array of their own. Told so, GCC 12 -O2 uses vectors: 784-128-10 takes 9 µs instead of 61 (Zen 4).
RESTRICT = """\
#ifdef __cplusplus
#define restrict __restrict /* its name in C++ */
#endif"""

TEST_CHECK = """\
static int failures = 0;
static double largest = 0.0; /* of the differences, as a part of what rounding explains */

static void check(const char *what, int place, double found, double expected, double rounding)
{
    double part = fabs(found - expected) / rounding;
    if (part > largest)
        largest = part;
    if (!(part <= 1.0)) {
        failures++;
        printf("%s %d: %.9g instead of %.9g\\n", what, place, found, expected);
    }
}"""


@dataclass(frozen=True)
class Parts:
    """What a table model or an estimator adds to the files of its network: lines of each place in them."""

    title: str = ""
    about: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    declarations: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    test_tables: tuple[str, ...] = ()
    test_checks: tuple[str, ...] = ()
    X: np.ndarray[Any, Any] | None = None  # samples for the test


def export(
    model: Network | TableModel | Perceptron, path: str | Path, *, name: str | None = None, dtype: str | None = None
) -> tuple[Path, Path]:
    """Write a model as a C file, and its header beside it; both complete, or neither.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier or MLPRegressor
        What to write; built, trained or fitted.
    path : path
        Of the C file; it has to end in ".c", and the header then ends in ".h".
    name : str or None
        What the names in the files begin with; None takes it from the path.
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.

    Returns
    -------
    tuple of Path
        The header and the C file.

    Raises
    ------
    ParameterError
        For another ending, a name that C does not allow, or a dtype that is not one.
    ReseauError
        When the network has no parameters yet, or some that are not finite.
    OSError
        When a file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".c":
        raise ParameterError(f"{path} has to end in .c; its header is written beside it, ending in .h.")
    header_path = path.with_suffix(".h")
    header, source = sources(model, header_path.name, name=name, dtype=dtype)
    write_together({header_path: header.encode(), path: source.encode()})
    return header_path, path


def sources(
    model: Network | TableModel | Perceptron, header_name: str, *, name: str | None = None, dtype: str | None = None
) -> tuple[str, str]:
    """The content of the header and of the C file; parameters as for `export`."""
    if not header_name.isprintable() or set(header_name) & set('"\\'):
        raise ParameterError(f"{header_name!r} cannot be named in a C file; choose a name without quotes.")
    name = c.prefix(Path(header_name).stem, "model") if name is None else c.check_identifier(name)
    network, parts = (model, Parts()) if isinstance(model, Network) else _network_and_parts(model, name, dtype)
    dtype = dtype_of(network, dtype)
    check_finite(network, dtype)
    files = _Files(network, parts, name, c.TYPES[dtype], header_name)
    return files.header(), files.source(vectors(network, dtype, parts.X))


def _network_and_parts(model: object, name: str, dtype: str | None) -> tuple[Network, Parts]:
    from reseau.export import c_estimator
    from reseau.export.c_table import table_parts
    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel

    if isinstance(model, TableModel):
        return model.network, table_parts(model, name, c.TYPES[dtype_of(model.network, dtype)])
    network = network_of(model, "C")
    assert isinstance(model, Perceptron)
    kind = c.TYPES[dtype_of(network, dtype)]
    return network, Parts(
        about=(c_estimator.about(model, name), ""),
        declarations=tuple(c_estimator.declarations(model, name, kind)),
        definitions=tuple(c_estimator.definitions(model, name, kind)),
    )


class _Layer:
    """The C of one layer."""

    def __init__(self, place: int, view: LayerView, kind: str) -> None:
        self.place = place
        self.view = view
        self.kind = kind
        self.n_in, self.n_out = view.W.shape
        self.sigma = view.description.sigma
        self.row_wise = isinstance(self.sigma, RowWise)
        self.value = c.in_type(self.sigma.code.c, kind)
        self.derivative = c.in_type(self.sigma.code.c_derivative, kind)
        # What the way back needs besides g.
        self.needs = "a" if self.row_wise else "".join(v for v in "za" if re.search(rf"\b{v}\b", self.derivative))

    def source(self) -> str:
        """Its tables and its two functions."""
        l, kind, n_in, n_out = self.place, self.kind, self.n_in, self.n_out
        W, b = self.view.W, self.view.b
        Z = f"z = x W{l}" + ("" if b is None else f" + b{l}")
        what = c.comment(f"Layer {l}, the weights: W{l}[i][j] leads from its input i to its neuron j.")
        tables = [f"{what}\n{c.table(f'W{l}', W, kind)}", *([] if b is None else [c.table(f"b{l}", b, kind)])]
        start = "0.0" if b is None else f"b{l}[j]"
        forward = [
            c.comment(f"Layer {l}: {n_in} -> {n_out}, {Z}, a = {self.sigma.name} of z."),
            f"static void layer_{l}(const {kind} x[{n_in}], {kind} *restrict z, {kind} a[{n_out}])",
            "{",
            f"    for (int j = 0; j < {n_out}; j++)",
            f"        z[j] = {c.in_type(start, kind)};",
            f"    for (int i = 0; i < {n_in}; i++)",
            f"        for (int j = 0; j < {n_out}; j++)",
            f"            z[j] += x[i] * W{l}[i][j];",
            *self._activated(),
            "}",
        ]
        given = "".join(f"const {kind} {v}[{n_out}], " for v in self.needs)
        backward = [
            c.comment(
                f"Back through layer {l}, from g = d/da to g_in = d/dx: delta = d/dz "
                + ("" if self.row_wise else "= g da/dz ")
                + f"and g_in = delta W{l}^T."
            ),
            f"static void layer_{l}_back({given}const {kind} g[{n_out}], {kind} g_in[{n_in}])",
            "{",
            f"    {kind} delta[{n_out}];",
            *self._sent_back(),
            f"    for (int i = 0; i < {n_in}; i++) {{",
            f"        g_in[i] = {c.in_type('0.0', kind)};",
            f"        for (int j = 0; j < {n_out}; j++)",
            f"            g_in[i] += delta[j] * W{l}[i][j];",
            "    }",
            "}",
        ]
        return "\n\n".join([*tables, "\n".join(forward), "\n".join(backward)])

    def _activated(self) -> list[str]:
        if self.row_wise:
            return [f"    {self.value}(z, a, {self.n_out});"]
        return [f"    for (int j = 0; j < {self.n_out}; j++)", f"        a[j] = {_at_j(self.value)};"]

    def _sent_back(self) -> list[str]:
        if self.row_wise:
            return [f"    {self.derivative}(a, g, delta, {self.n_out});"]
        factor = _at_j(self.derivative)
        return [f"    for (int j = 0; j < {self.n_out}; j++)", f"        delta[j] = g[j] * ({factor});"]

    def forward_call(self, x: str, z: str, a: str) -> str:
        """A call of its first function."""
        return f"layer_{self.place}({x}, {z}, {a});"

    def backward_call(self, g_in: str) -> str:
        """A call of its second function."""
        l = self.place
        return f"layer_{l}_back({''.join(f'{v}{l}, ' for v in self.needs)}g{l}, {g_in});"


def _at_j(expression: str) -> str:
    """An expression of z and a as one of z[j] and a[j]."""
    return re.sub(r"\b([za])\b", r"\1[j]", expression)


class _Files:
    """The header and the C file of a network, with the parts of a table model if it has one."""

    def __init__(self, network: Network, parts: Parts, name: str, kind: str, header_name: str) -> None:
        self.network = network
        self.parts = parts
        self.name = name
        self.upper = name.upper()
        self.kind = kind
        self.header_name = header_name
        self.source_name = Path(header_name).with_suffix(".c").name
        self.layers = [_Layer(place, view, kind) for place, view in enumerate(network.layers, start=1)]

    def header(self) -> str:
        """The content of the header."""
        name, upper, kind, architecture = self.name, self.upper, self.kind, self.network.architecture
        title = self.parts.title or f"A dense neural network: {summary(self.network)}."
        of_a_row = f", which {name}_encode makes of a row" if self.parts.title else ""
        blocks = [
            c.comment(f"{name}: {title}", "", f"Defined and explained in {c.plain(self.source_name)}."),
            f"#ifndef {upper}_H\n#define {upper}_H",
            '#ifdef __cplusplus\nextern "C" {\n#endif',
            f"#define {upper}_INPUTS {architecture.inputs}\n#define {upper}_OUTPUTS {architecture.outputs}",
            "\n".join(
                [
                    c.comment(f"The outputs o of the inputs x{of_a_row}."),
                    f"void {name}_predict(const {kind} x[{upper}_INPUTS], {kind} o[{upper}_OUTPUTS]);",
                ]
            ),
            "\n".join(
                [
                    c.comment("The derivatives of the outputs at x: J[k][i] = do_k/dx_i."),
                    f"void {name}_jacobian(const {kind} x[{upper}_INPUTS], {kind} J[{upper}_OUTPUTS][{upper}_INPUTS]);",
                ]
            ),
            *self.parts.declarations,
            "#ifdef __cplusplus\n}\n#endif",
            "#endif",
        ]
        return "\n\n".join(blocks) + "\n"

    def source(self, expected: Vectors) -> str:
        """The content of the C file."""
        codes = [code for layer in self.layers for code in (layer.sigma.code.c, layer.sigma.code.c_derivative)]
        functions = [c.in_type(text.strip(), self.kind) for text in c.functions_for(codes, C_FUNCTIONS)]
        system = sorted({"math.h", *self.parts.includes})
        blocks = [
            self._about(),
            f'#include "{self.header_name}"\n\n' + "\n".join(f"#include <{header}>" for header in system),
            RESTRICT,
            *functions,
            *(layer.source() for layer in self.layers),
            self._predict(),
            self._jacobian(),
            *self.parts.definitions,
            self._test(expected),
        ]
        return "\n\n".join(blocks) + "\n"

    def _about(self) -> str:
        network, size = self.network, 4 if self.kind == "float" else 8
        title = self.parts.title or "a dense neural network."
        widths = [layer.n_out for layer in self.layers]
        equations = []
        for l, layer in enumerate(self.layers, start=1):
            x, a = "x" if l == 1 else f"a{l - 1}", "o" if l == len(self.layers) else f"a{l}"
            b = "" if layer.view.b is None else f" + b{l}"
            equations.append(
                f"  {a} = {layer.sigma.name}({x} W{l}{b})".ljust(44) + f"W{l}: {layer.n_in} x {layer.n_out}"
            )
        stack = sum(widths[:-1]) + sum(widths), 3 * sum(widths) + max(widths)
        return c.comment(
            f"{self.name}: {title}",
            "",
            f"{summary(network)}, {network.n_parameters} parameters, in {self.kind}. With row vectors:",
            "",
            *equations,
            "",
            *self.parts.about,
            (
                f"{self.name}_predict computes the outputs o of x, {self.name}_jacobian their derivatives J[k][i] = "
                "do_k/dx_i. Nothing is allocated and nothing kept between calls, so that they may run in several "
                f"threads at once; their arrays take {stack[0] * size} and {stack[1] * size} bytes of the stack. A NaN "
                "in x makes the outputs NaN."
            ),
            "",
            (
                "To compile it: any compiler for C99 or C++11, and the mathematical library (-lm). To test it, which "
                "compares it with what the network's equations give in double precision:"
            ),
            "",
            f"  cc -DRESEAU_TEST {c.plain(self.source_name)} -lm && ./a.out",
            "",
            f"Written by reseau {__version__}.",
        )

    def _predict(self) -> str:
        kind, upper = self.kind, self.upper
        last = len(self.layers)
        arrays = [f"z{layer.place}[{layer.n_out}]" for layer in self.layers]
        arrays += [f"a{layer.place}[{layer.n_out}]" for layer in self.layers[:-1]]
        calls = []
        for l, layer in enumerate(self.layers, start=1):
            x, a = "x" if l == 1 else f"a{l - 1}", "o" if l == last else f"a{l}"
            calls.append("    " + layer.forward_call(x, f"z{l}", a))
        return "\n".join(
            [
                f"void {self.name}_predict(const {kind} x[{upper}_INPUTS], {kind} o[{upper}_OUTPUTS])",
                "{",
                f"{c.filled(arrays, f'    {kind} ')};".replace(f"\n    {kind} ", "\n        "),
                *calls,
                "}",
            ]
        )

    def _jacobian(self) -> str:
        kind, upper = self.kind, self.upper
        last = self.layers[-1]
        arrays = [f"{letter}{layer.place}[{layer.n_out}]" for letter in "zag" for layer in self.layers]
        forward: list[str] = []
        backward: list[str] = []
        for l, layer in enumerate(self.layers, start=1):
            forward.append("    " + layer.forward_call("x" if l == 1 else f"a{l - 1}", f"z{l}", f"a{l}"))
            backward.insert(0, "        " + layer.backward_call("J[k]" if l == 1 else f"g{l - 1}"))
        one, zero = (c.in_type(digits, kind) for digits in ("1.0", "0.0"))
        return "\n".join(
            [
                f"void {self.name}_jacobian(const {kind} x[{upper}_INPUTS], {kind} J[{upper}_OUTPUTS][{upper}_INPUTS])",
                "{",
                f"{c.filled(arrays, f'    {kind} ')};".replace(f"\n    {kind} ", "\n        "),
                *forward,
                f"    for (int k = 0; k < {last.n_out}; k++) {{ /* back from output k: g = do_k/da */",
                f"        for (int j = 0; j < {last.n_out}; j++)",
                f"            g{last.place}[j] = j == k ? {one} : {zero};",
                *backward,
                "    }",
                "}",
            ]
        )

    def _test(self, expected: Vectors) -> str:
        name, upper, kind = self.name, self.upper, self.kind
        count = len(expected.X)
        blocks = [
            "#ifdef RESEAU_TEST",
            c.comment(
                "The test. For some x it holds the outputs o, and J v for a direction v, all computed in double "
                "precision, and how far from them rounding can lead."
            ),
            "#include <stdio.h>",
            c.table("test_x", expected.X, kind),
            c.table("test_o", expected.O, "double"),
            c.table("test_o_rounding", expected.O_bounds, "double"),
            c.table("test_v", expected.V, kind),
            c.table("test_Jv", expected.JV, "double"),
            c.table("test_Jv_rounding", expected.JV_bounds, "double"),
            *self.parts.test_tables,
            TEST_CHECK,
            "\n".join(
                [
                    "int main(void)",
                    "{",
                    f"    static {kind} o[{upper}_OUTPUTS], J[{upper}_OUTPUTS][{upper}_INPUTS];",
                    f"    for (int t = 0; t < {count}; t++) {{",
                    f"        {name}_predict(test_x[t], o);",
                    f"        {name}_jacobian(test_x[t], J);",
                    f"        for (int k = 0; k < {upper}_OUTPUTS; k++) {{",
                    "            double Jv = 0.0;",
                    f"            for (int i = 0; i < {upper}_INPUTS; i++)",
                    "                Jv += (double)J[k][i] * (double)test_v[t][i];",
                    '            check("output", k, (double)o[k], test_o[t][k], test_o_rounding[t][k]);',
                    '            check("J v, output", k, Jv, test_Jv[t][k], test_Jv_rounding[t][k]);',
                    "        }",
                    "    }",
                    *self.parts.test_checks,
                    f'    printf("{name}: %s; the largest difference is %.2g of what rounding explains\\n",',
                    '           failures ? "FAILED" : "passed", largest);',
                    "    return failures > 0;",
                    "}",
                ]
            ),
            "#endif",
        ]
        return "\n\n".join(blocks)
