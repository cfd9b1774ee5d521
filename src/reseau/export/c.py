"""Models as one C99 file and its header: no dependency but the C library, no heap, constant tables, readable.

The file holds for each layer its tables, Z = A W + b with its activation, and the way back from ∂/∂a to ∂/∂x (see
`c_layers`); `predict` chains the first, `jacobian` goes back once for each output. A table model also has a `struct`
for a row, `encode` from it to the inputs, and `predict_row` (see `c_table`); an estimator has the names of its classes,
and `class` (see `c_estimator`); a pipeline scales its inputs first. Every name begins with the model's, static ones
too, so that several models may be one translation unit. Compiled with -DRESEAU_TEST the file is a program that compares
itself with test vectors (see `vectors`).

Sums are taken in the order of the inputs, beginning with b, and without fused multiply-adds unless the compiler is told
to use them, so that outputs differ from the engines' by rounding only. What was tried: GCC and Clang, as C99, as C++,
and under their sanitizers, and GCC with -Ofast.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.checks import as_path, known
from reseau.errors import ParameterError
from reseau.export import c_program, c_weights
from reseau.export import c_text as c
from reseau.export.c_layers import Layer, scalings
from reseau.export.models import check_finite, dtype_of, network_of, summary, taken_apart
from reseau.export.vectors import Vectors, vectors, wide_first_layer
from reseau.files.writing import write_together
from reseau.network import Network
from reseau.version import __version__
from reseau.vocabulary.activations.code import C_FUNCTIONS

if TYPE_CHECKING:
    from reseau.estimators.scaling import Wrapped
    from reseau.export.models import Model

WEIGHTS = ("inside", "file")

# Scores are in an array of their own. Told so, GCC 12 -O2 uses vectors: 784-128-10 takes 9 µs instead of 61 (Zen 4).
RESTRICT = """\
#ifdef __cplusplus
#define {upper}_RESTRICT __restrict /* its name in C++ */
#else
#define {upper}_RESTRICT restrict
#endif"""

NAN = """\
/* Whether v is NaN, by its bits: options such as -Ofast let compilers forget that there is one. */
static int {name}_is_nan({kind} v)
{{
    {bits} bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits & {all}) > {infinity};
}}

/* Fill numbers with NaN, likewise. */
static void {name}_fill_with_nan({kind} *numbers, int n)
{{
    const {bits} bits = {nan};
    for (int i = 0; i < n; i++)
        memcpy(&numbers[i], &bits, sizeof bits);
}}"""

BITS = {
    "float": {"bits": "uint32_t", "all": "0x7fffffffu", "infinity": "0x7f800000u", "nan": "0x7fc00000u"},
    "double": {
        "bits": "uint64_t",
        "all": "0x7fffffffffffffffu",
        "infinity": "0x7ff0000000000000u",
        "nan": "0x7ff8000000000000u",
    },
}


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


def to_c(
    model: Model,
    path: str | Path,
    *,
    name: str | None = None,
    dtype: npt.DTypeLike | None = None,
    weights: str = "inside",
) -> None:
    """Write a model as one C99 file without dependencies, and its header beside it; all complete, or none.

    Parameters
    ----------
    model : Network, TableModel, MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        What to write; built, trained or fitted. The steps of a pipeline before one of the estimators may be
        StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, "passthrough", and pipelines of them; inputs are then
        scaled in double. Of a search its best_estimator_ is written, and a TransformedTargetRegressor with such a
        scaler gives predictions in the target's own unit.
    path : path
        Of the C file; it has to end in ".c", and the header then ends in ".h".
    name : str or None
        What the names in the files begin with, such as "digits" in ``digits_predict``; None takes it from the path.
    dtype : {"float32", "float64"} or None
        The precision to compute in; None takes the network's.
    weights : {"inside", "file"}
        Where the weights are. Those inside are constants to be read. A compiler takes a minute and gigabytes of memory
        for millions of them, so they may be in a file of their own, beside the others and ending in ".bin":
        ``digits_load("digits.bin")`` reads it, once, into memory that the program has from its start, and outputs are
        NaN until then. Reading at the start of the program works with every compiler, from any folder, and on machines
        of either byte order, unlike ``#embed`` and ``.incbin``; the file is known by its checksum.

    Raises
    ------
    ParameterError
        For another ending, a name that C does not allow, a dtype that is not one, or a step that cannot be written.
    ReseauError
        When the network has no parameters yet, or some that are not finite.
    sklearn.exceptions.NotFittedError
        Before fit.
    OSError
        When a file cannot be written.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import reseau as rs
    >>> pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier((8,), max_iter=2000, random_state=0))
    >>> rs.to_c(pipeline.fit(*load_iris(return_X_y=True)), "iris.c")
    """
    path = as_path(path)
    if path.suffix.lower() != ".c":
        raise ParameterError(f"{path} has to end in .c; its header is written beside it, ending in .h.")
    header_path = path.with_suffix(".h")
    files = _files(model, header_path.name, name, dtype, known("weights", weights, WEIGHTS) == "file")
    written = {header_path: files.header().encode(), path: files.source().encode()}
    if files.loaded:
        written[path.with_name(files.weights_name)] = files.weights.content
    write_together(written)


def sources(
    model: Model,
    header_name: str,
    *,
    name: str | None = None,
    dtype: npt.DTypeLike | None = None,
    weights: str = "inside",
) -> tuple[str, str]:
    """The content of the header and of the C file; parameters as for `to_c`."""
    files = _files(model, header_name, name, dtype, known("weights", weights, WEIGHTS) == "file")
    return files.header(), files.source()


def _files(model: Model, header_name: str, name: str | None, dtype: npt.DTypeLike | None, loaded: bool) -> _Files:
    if not header_name.isprintable() or set(header_name) & set('"\\'):
        raise ParameterError(f"{header_name!r} cannot be named in a C file; choose a name without quotes.")
    name = c.prefix(Path(header_name).stem, "model") if name is None else c.check_identifier(name)
    wrapped = taken_apart(model, "C")
    network = network_of(wrapped.model, "C")
    dtype = dtype_of(network, dtype)
    check_finite(network, dtype)
    parts = _parts(wrapped, name, c.TYPES[dtype])
    expected = vectors(network, dtype, parts.X, wrapped.scalings, wrapped.target)
    return _Files(network, wrapped, parts, name, dtype, header_name, expected, loaded)


def _parts(wrapped: Wrapped, name: str, kind: str) -> Parts:
    if isinstance(wrapped.model, Network):
        return Parts()
    from reseau.export import c_estimator
    from reseau.export.c_table import table_parts
    from reseau.tables.model import TableModel

    if isinstance(wrapped.model, TableModel):
        return table_parts(wrapped.model, name, kind)
    return c_estimator.parts(wrapped, name, kind)


class _Files:
    """The header and the C file of a network, with what its model adds."""

    def __init__(
        self,
        network: Network,
        wrapped: Wrapped,
        parts: Parts,
        name: str,
        dtype: str,
        header_name: str,
        expected: Vectors,
        loaded: bool,
    ) -> None:
        self.network = network
        self.scalings = wrapped.scalings
        self.target = wrapped.target
        self.parts = parts
        self.name = name
        self.upper = name.upper()
        self.kind = kind = c.TYPES[dtype]
        self.header_name = header_name
        self.source_name = Path(header_name).with_suffix(".c").name
        self.weights_name = Path(header_name).with_suffix(".bin").name
        self.expected = expected
        self.loaded = loaded
        wide = wide_first_layer(network, dtype)
        self.layers = [
            Layer(name, place, view, kind, wide and place == 1) for place, view in enumerate(network.layers, start=1)
        ]
        self.weights = c_weights.Weights(name, self.layers if loaded else [])
        self.x = f"const {kind} x[{self.upper}_INPUTS]"
        self.o = f"{kind} o[{self.upper}_OUTPUTS]"
        self.J = f"{kind} J[{self.upper}_OUTPUTS][{self.upper}_INPUTS]"

    def header(self) -> str:
        """The content of the header."""
        name, upper, architecture = self.name, self.upper, self.network.architecture
        title = self.parts.title or f"A dense neural network: {summary(self.network)}."
        of_a_row = f", which {name}_encode makes of a row" if self.parts.title else ""
        blocks = [
            c.comment(f"{name}: {title}", "", f"Defined and explained in {c.plain(self.source_name)}."),
            f"#ifndef {upper}_H\n#define {upper}_H",
            '#ifdef __cplusplus\nextern "C" {\n#endif',
            f"#define {upper}_INPUTS {architecture.inputs}\n#define {upper}_OUTPUTS {architecture.outputs}",
            *([self.weights.declaration()] if self.loaded else []),
            f"{c.comment(f'The outputs o of the inputs x{of_a_row}.')}\nvoid {name}_predict({self.x}, {self.o});",
            "\n".join(
                [
                    c.comment("The derivatives of the outputs at x: J[k][i] = do_k/dx_i."),
                    f"void {name}_jacobian({self.x}, {self.J});",
                ]
            ),
            *self.parts.declarations,
            "#ifdef __cplusplus\n}\n#endif",
            "#endif",
        ]
        return "\n\n".join(blocks) + "\n"

    def source(self) -> str:
        """The content of the C file."""
        codes = [code for layer in self.layers for code in (layer.sigma.code.c, layer.sigma.code.c_derivative)]
        functions = [
            c.renamed(c.in_type(text.strip(), self.kind), C_FUNCTIONS, self.name)
            for text in c.functions_for(codes, C_FUNCTIONS)
        ]
        needed = {"math.h", "stdint.h", "string.h", *self.parts.includes, *self.weights.includes}
        blocks = [
            self._about(),
            f'#include "{self.header_name}"\n\n' + "\n".join(f"#include <{header}>" for header in sorted(needed)),
            RESTRICT.format(upper=self.upper),
            NAN.format(name=self.name, kind=self.kind, **BITS[self.kind]),
            *functions,
            *(scalings(self.name, self.scalings, self.kind, self.layers[0].n_in) if self.scalings else []),
            *self._units(),
            *(layer.source(self.loaded) for layer in self.layers),
            *([self.weights.definition()] if self.loaded else []),
            self._predict(),
            self._jacobian(),
            *self.parts.definitions,
            c_program.written(
                self.name,
                self.kind,
                self.expected,
                self.parts.test_tables,
                self.parts.test_checks,
                self.weights.test(self.weights_name) if self.loaded else [],
            ),
        ]
        return "\n\n".join(blocks) + "\n"

    def _about(self) -> str:
        network, name = self.network, self.name
        title = self.parts.title or "a dense neural network."
        x, equations = "x", []
        for place, scaling in enumerate(self.scalings, start=1):
            held = "" if np.isinf(scaling.low) else f", within {scaling.low:g} .. {scaling.high:g}"
            equations.append(f"  x{place} = ({x} - shift{place})/scale{place}{held}")
            x = f"x{place}"
        for l, layer in enumerate(self.layers, start=1):
            a = "o" if l == len(self.layers) else f"a{l}"
            b = "" if layer.b is None else f" + b{l}"
            Z = f"{x} W{l}{b}"
            equations.append(f"  {a} = {layer.sigma.name}({Z})".ljust(44) + f"W{l}: {layer.n_in} x {layer.n_out}")
            x = a
        if self.target is not None:
            equations[-1] += ", o then in the unit of the target"
        beside = f" Its numbers are in {c.plain(self.weights_name)}, which {name}_load reads first."
        return c.comment(
            f"{name}: {title}",
            "",
            f"{summary(network)}, {network.n_parameters} parameters, in {self.kind}. With row vectors:",
            "",
            *equations,
            "",
            *self.parts.about,
            (
                f"{name}_predict computes the outputs o of x, {name}_jacobian their derivatives J[k][i] = do_k/dx_i; x "
                "must not overlap them. "
                + ("Nothing else is kept" if self.loaded else "Nothing is allocated and nothing kept")
                + " between calls, so that they may run in several threads at once; their arrays take "
                f"{self._stack(self._rows())} and {self._stack(self._kept())} bytes of the stack. A NaN in x makes the "
                "outputs NaN, whatever options the compiler is given." + (beside if self.loaded else "")
            ),
            "",
            (
                "To compile it: any compiler for C99 or C++11, and the mathematical library (-lm). To test it, which "
                "compares it with what the model's equations give in double precision:"
            ),
            "",
            f"  cc -DRESEAU_TEST {c.plain(self.source_name)} -lm && ./a.out",
            "",
            f"Written by reseau {__version__}.",
        )

    # --- the functions ------------------------------------------------------------------------------------------------

    def _stack(self, arrays: dict[str, int]) -> int:
        return sum(arrays.values()) * (4 if self.kind == "float" else 8)

    def _rows(self) -> dict[str, int]:
        """The arrays of `predict`, with their lengths: two rows in turn, as wide as the widest that goes there."""
        made = [layer.n_in for layer in self.layers if layer.place > 1 or self.scalings]
        return {name: max(made[first::2]) for first, name in enumerate("uv") if made[first::2]}

    def _kept(self) -> dict[str, int]:
        """The arrays of `jacobian`: what each layer gave, as far as the way back needs it, and two rows for that."""
        arrays = {"a0": self.layers[0].n_in} if self.scalings else {}
        for layer in self.layers:
            if "z" in layer.needs and not layer.linear:
                arrays[f"z{layer.place}"] = layer.n_out
            if layer.place < len(self.layers) or "a" in layer.needs:
                arrays[f"a{layer.place}"] = layer.n_out
        return arrays | {f"g{side}": max(width) for side, width in self._sides().items()}

    def _sides(self) -> dict[int, list[int]]:
        """How wide the rows are that hold ∂/∂a of the layers, which take turns."""
        sides: dict[int, list[int]] = {}
        for layer in self.layers:
            sides.setdefault(layer.place % 2, []).append(layer.n_out)
        return sides

    def _declared(self, arrays: dict[str, int]) -> list[str]:
        named = [f"{name}[{length}]" for name, length in arrays.items()]
        if not named:
            return []
        return [f"{c.filled(named, f'    {self.kind} ')};".replace(f"\n    {self.kind} ", "\n        ")]

    def _refused(self, numbers: str, count: str) -> list[str]:
        """What returns NaN for x that has one, and where the weights are not there."""
        condition = f"has_nan || !{self.name}_loaded" if self.loaded else "has_nan"
        return [
            f"    for (int i = 0; i < {self.upper}_INPUTS; i++)",
            f"        has_nan |= {self.name}_is_nan(x[i]);",
            f"    if ({condition}) {{",
            f"        {self.name}_fill_with_nan({numbers}, {count});",
            "        return;",
            "    }",
        ]

    def _predict(self) -> str:
        x, rows = "x", "uv"
        calls = []
        if self.scalings:
            calls.append(f"{self.name}_scaled(x, u);")
            x, rows = "u", "vu"
        for layer in self.layers:
            a = "o" if layer.place == len(self.layers) else rows[(layer.place - 1) % 2]
            calls += layer.forward(x, a)
            x = a
        return "\n".join(
            [
                f"void {self.name}_predict({self.x}, {self.o})",
                "{",
                *self._declared(self._rows()),
                "    int has_nan = 0;",
                *self._refused("o", f"{self.upper}_OUTPUTS"),
                *(f"    {call}" for call in calls),
                *self._in_unit("o[k]", "    "),
                "}",
            ]
        )

    def _units(self) -> list[str]:
        """The tables of a scaled target."""
        if self.target is None:
            return []
        shape = (self.network.architecture.outputs,)
        named = {"unit": self.target.scale, "origin": self.target.shift}
        tables = {f"{self.name}_{what}": np.broadcast_to(values, shape) for what, values in named.items()}
        return [c.table(name, values, "double") for name, values in tables.items()]

    def _in_unit(self, number: str, indent: str) -> list[str]:
        """The loop that takes outputs back to the unit of a scaled target."""
        if self.target is None:
            return []
        value = f"(double){number} * {self.name}_unit[k] + {self.name}_origin[k]"
        return [
            f"{indent}for (int k = 0; k < {self.upper}_OUTPUTS; k++)",
            f"{indent}    {number} = {c.cast(value, self.kind)};",
        ]

    def _jacobian(self) -> str:
        name, kind, upper = self.name, self.kind, self.upper
        last = self.layers[-1]
        arrays = self._kept()
        x = "x"
        forward: list[str] = []
        backward: list[str] = []
        if self.scalings:
            forward.append(f"{name}_scaled(x, a0);")
            x = "a0"
        for layer in self.layers:
            l, a = layer.place, f"a{layer.place}"
            if layer is last and a not in arrays:
                if f"z{l}" in arrays:
                    forward += [layer.forward(x, "", f"z{l}")[0]]
            else:
                forward += layer.forward(x, a, f"z{l}" if f"z{l}" in arrays else "")
            backward.insert(0, layer.backward(f"g{l % 2}", "J[k]" if l == 1 else f"g{(l - 1) % 2}"))
            x = a
        one, zero = (c.in_type(digits, kind) for digits in ("1.0", "0.0"))
        slopes = []
        if self.scalings or self.target is not None:
            factors = [f"{name}_slope(x, i)"] * bool(self.scalings) + [f"{name}_unit[k]"] * (self.target is not None)
            value = " * ".join(["(double)J[k][i]", *factors])
            slopes = [
                f"        for (int i = 0; i < {upper}_INPUTS; i++)",
                f"            J[k][i] = {c.cast(value, kind)};",
            ]
        return "\n".join(
            [
                f"void {name}_jacobian({self.x}, {self.J})",
                "{",
                *self._declared(arrays),
                "    int has_nan = 0;",
                *self._refused("&J[0][0]", f"{upper}_OUTPUTS * {upper}_INPUTS"),
                *(f"    {call}" for call in forward),
                f"    for (int k = 0; k < {upper}_OUTPUTS; k++) {{ /* back from output k: g = do_k/da */",
                f"        for (int j = 0; j < {upper}_OUTPUTS; j++)",
                f"            g{last.place % 2}[j] = j == k ? {one} : {zero};",
                *(f"        {call}" for call in backward),
                *slopes,
                "    }",
                "}",
            ]
        )
