"""Models as one C99 file and its header: no dependency but the C library, no heap, constant tables, readable.

The file holds for each layer its tables, its map such as Z = A W + b with its activation, and the way back from ∂/∂a to
∂/∂x (see `c_layers`); `predict` chains the first, `jacobian` goes back once for each output (see `c_network`, also for
the mean of several networks). What stands around the network is given by its encoder and its decoder (see
`reseau.parts`). Every name begins with the model's, static ones too, so that several models may be one translation
unit. Compiled with -DRESEAU_TEST the file is a program that compares itself with test vectors (see `vectors`).

Sums are taken in the order of the inputs, beginning with b, and without fused multiply-adds unless the compiler is told
to use them, so that outputs differ from the engines' by rounding only. What was tried: GCC and Clang, as C99, as C++,
and under their sanitizers, and GCC with -Ofast.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy.typing as npt

from reseau.checks import as_path, known
from reseau.errors import ParameterError
from reseau.export import c_program, c_weights
from reseau.export import c_text as c
from reseau.export.c_code import Code, File
from reseau.export.c_layers import ADD, Layer
from reseau.export.c_network import Chain, Mean, declared
from reseau.export.common import check_finite, dtype_of, summary, title
from reseau.export.steps import members
from reseau.export.vectors import vectors, wide_first_layer
from reseau.files.writing import write_together
from reseau.version import __version__
from reseau.vocabulary.activations.code import C_FUNCTIONS

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network
    from reseau.parts import Parts

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


def write(parts: Parts, path: str | Path, *, name: str | None, dtype: npt.DTypeLike | None, weights: str) -> None:
    """Write the C file of a model and what belongs beside it; parameters and errors are those of `reseau.to_c`."""
    path = as_path(path)
    if path.suffix.lower() != ".c":
        raise ParameterError(f"{path} has to end in .c; its header is written beside it, ending in .h.")
    header_path = path.with_suffix(".h")
    files = _files(parts, header_path.name, name, dtype, known("weights", weights, WEIGHTS) == "file")
    written = {header_path: files.header().encode(), path: files.source().encode()}
    if files.loaded:
        written[path.with_name(files.weights_name)] = files.weights.content
    write_together(written)


def sources(
    parts: Parts,
    header_name: str,
    *,
    name: str | None = None,
    dtype: npt.DTypeLike | None = None,
    weights: str = "inside",
) -> tuple[str, str]:
    """The content of the header and of the C file; parameters as for `write`."""
    files = _files(parts, header_name, name, dtype, known("weights", weights, WEIGHTS) == "file")
    return files.header(), files.source()


def _files(parts: Parts, header_name: str, name: str | None, dtype: npt.DTypeLike | None, loaded: bool) -> _Files:
    if not header_name.isprintable() or set(header_name) & set('"\\'):
        raise ParameterError(f"{header_name!r} cannot be named in a C file; choose a name without quotes.")
    name = c.prefix(Path(header_name).stem, "model") if name is None else c.check_identifier(name)
    dtype = dtype_of(parts.network, dtype)
    check_finite(parts.network, dtype)
    return _Files(parts, name, dtype, header_name, loaded and parts.network.n_parameters > 0)


def _whole(network: Network | Ensemble, name: str, dtype: str, scales: bool) -> Chain | Mean:
    """The C of a network, or of several."""
    written = []
    for net, found in zip(network.networks, members(network), strict=True):
        wide = wide_first_layer(net, dtype)
        layers = [Layer(name, step, c.TYPES[dtype], wide and step.place == 1) for step in found]
        written.append(Chain(name, layers, scales and len(network.networks) == 1))
    return written[0] if len(written) == 1 else Mean(written, scales)


class _Files:
    """The header and the C file of a network, with what its model adds."""

    def __init__(self, parts: Parts, name: str, dtype: str, header_name: str, loaded: bool) -> None:
        self.network = network = parts.network
        self.name = name
        self.upper = name.upper()
        self.kind = kind = c.TYPES[dtype]
        file = File(name, kind, network.inputs, network.outputs)
        self.code: Code = parts.encoder.in_c(file, parts.decoder)
        self.header_name = header_name
        self.source_name = Path(header_name).with_suffix(".c").name
        self.weights_name = Path(header_name).with_suffix(".bin").name
        self.expected = vectors(parts, dtype)
        self.loaded = loaded
        self.whole = _whole(network, name, dtype, self.code.scales)
        self.layers = self.whole.layers
        self.weights = c_weights.Weights(name, self.layers if loaded else [])
        self.x = f"const {kind} x[{self.upper}_INPUTS]"
        self.o = f"{kind} o[{self.upper}_OUTPUTS]"
        self.J = f"{kind} J[{self.upper}_OUTPUTS][{self.upper}_INPUTS]"

    def header(self) -> str:
        """The content of the header."""
        name, upper, network = self.name, self.upper, self.network
        what = self.code.title or f"{title(network)}: {summary(network)}."
        blocks = [
            c.comment(f"{name}: {what}", "", f"Defined and explained in {c.plain(self.source_name)}."),
            f"#ifndef {upper}_H\n#define {upper}_H",
            '#ifdef __cplusplus\nextern "C" {\n#endif',
            f"#define {upper}_INPUTS {network.inputs}\n#define {upper}_OUTPUTS {network.outputs}",
            *([self.weights.declaration()] if self.loaded else []),
            f"{c.comment(f'The outputs o of the inputs x{self.code.x}.')}\nvoid {name}_predict({self.x}, {self.o});",
            "\n".join(
                [
                    c.comment("The derivatives of the outputs at x: J[k][i] = do_k/dx_i."),
                    f"void {name}_jacobian({self.x}, {self.J});",
                ]
            ),
            *self.code.declarations,
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
        adds = self.whole.adds
        needed = {"math.h", "stdint.h", "string.h", *self.code.includes, *self.weights.includes}
        blocks = [
            self._about(),
            f'#include "{self.header_name}"\n\n' + "\n".join(f"#include <{header}>" for header in sorted(needed)),
            RESTRICT.format(upper=self.upper),
            NAN.format(name=self.name, kind=self.kind, **BITS[self.kind]),
            *functions,
            *self.code.functions,
            *([ADD.format(what=adds, name=self.name, kind=self.kind)] if adds else []),
            *(layer.source(self.loaded) for layer in self.layers),
            *([self.weights.definition()] if self.loaded else []),
            *self.whole.functions(),
            self._predict(),
            self._jacobian(),
            *self.code.definitions,
            c_program.written(
                self.name,
                self.kind,
                self.expected,
                self.code.test_tables,
                self.code.test_checks,
                self.weights.test(self.weights_name) if self.loaded else [],
            ),
        ]
        return "\n\n".join(blocks) + "\n"

    def _about(self) -> str:
        network, name = self.network, self.name
        words = title(network)
        what = self.code.title or f"{words[0].lower()}{words[1:]}."
        equations = list(self.code.equations)
        equations += self.whole.equations(f"x{len(equations)}" if equations else "x")
        equations[-1] += self.code.unit
        of_predict, of_jacobian = (n * (4 if self.kind == "float" else 8) for n in self.whole.stack())
        beside = f" Its numbers are in {c.plain(self.weights_name)}, which {name}_load reads first."
        return c.comment(
            f"{name}: {what}",
            "",
            f"{summary(network)}, {network.n_parameters} parameters, in {self.kind}. With row vectors:",
            "",
            *equations,
            "",
            *self.code.about,
            (
                f"{name}_predict computes the outputs o of x, {name}_jacobian their derivatives J[k][i] = do_k/dx_i; x "
                "must not overlap them. "
                + ("Nothing else is kept" if self.loaded else "Nothing is allocated and nothing kept")
                + " between calls, so that they may run in several threads at once; their arrays take "
                f"{of_predict} and {of_jacobian} bytes of the stack. A NaN in x makes the "
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
        return "\n".join(
            [
                f"void {self.name}_predict({self.x}, {self.o})",
                "{",
                *declared(self.kind, self.whole.rows()),
                "    int has_nan = 0;",
                *self._refused("o", f"{self.upper}_OUTPUTS"),
                *(f"    {call}" for call in self.whole.predict()),
                *(f"    {line}" for line in self.code.after),
                "}",
            ]
        )

    def _jacobian(self) -> str:
        upper, slopes = self.upper, []
        if self.code.slopes:
            value = " * ".join(["(double)J[k][i]", *self.code.slopes])
            slopes = [
                f"for (int i = 0; i < {upper}_INPUTS; i++)",
                f"    J[k][i] = {c.cast(value, self.kind)};",
            ]
        return "\n".join(
            [
                f"void {self.name}_jacobian({self.x}, {self.J})",
                "{",
                *declared(self.kind, self.whole.kept()),
                "    int has_nan = 0;",
                *self._refused("&J[0][0]", f"{upper}_OUTPUTS * {upper}_INPUTS"),
                *(f"    {line}" for line in self.whole.jacobian(slopes)),
                "}",
            ]
        )
