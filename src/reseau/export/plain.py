"""Rows of numbers, as they are or scaled, which go into networks, estimators and pipelines; and outputs as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reseau.export import c_text as c
from reseau.export import numpy_code, onnx_layers
from reseau.export.c_code import Code, File
from reseau.export.onnx_graph import Graph, tensor
from reseau.parts import Decoder, Encoder, Scaling

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network


@dataclass(frozen=True)
class Inputs(Encoder):
    """X is what the model is given, once it is scaled."""

    names: list[str] | None = None
    scalings: tuple[Scaling, ...] = ()

    def behind(self, scalings: Sequence[Scaling], names: list[str] | None) -> Inputs:
        """The same behind other scalers."""
        return Inputs(self.names if names is None else names, (*scalings, *self.scalings))

    def in_c(self, file: File, decoder: Decoder) -> Code:
        """The scalers, the names, and all that the decoder has."""
        behind: Code = decoder.in_c(file)
        if self.names is not None:
            names = f"const char *const {file.name}_input_names[{file.upper}_INPUTS]"
            behind = replace(
                behind,
                declarations=(f"{c.comment('What the inputs are.')}\nextern {names};", *behind.declarations),
                definitions=(c.texts(names, self.names), *behind.definitions),
            )
        if not self.scalings:
            return behind
        return replace(
            behind,
            equations=tuple(self._equations()),
            functions=(*_scaled_in_c(file.name, self.scalings, file.kind, file.inputs), *behind.functions),
            scales=True,
            slopes=(f"{file.name}_slope(x, i)", *behind.slopes),
        )

    def _equations(self) -> Iterator[str]:
        x = "x"
        for place, scaling in enumerate(self.scalings, start=1):
            held = "" if np.isinf(scaling.low) else f", within {scaling.low:g} .. {scaling.high:g}"
            yield f"  x{place} = ({x} - shift{place})/scale{place}{held}"
            x = f"x{place}"

    def in_numpy(self, decoder: Any) -> numpy_code.Code:
        """The scalers and the names."""
        tables = [] if self.names is None else [f"inputs = [\n{c.filled(map(repr, self.names), '    ')},\n]"]
        for place, scaling in enumerate(self.scalings, start=1):
            tables.append(numpy_code.array(f"shift{place}", scaling.shift, "float"))
            tables.append(numpy_code.array(f"scale{place}", scaling.scale, "float"))
        if not self.scalings:
            return numpy_code.Code(tables=tuple(tables))
        lines = ["def scaled(X):", "    # The inputs as the network takes them: each column scaled, in double."]
        for place, scaling in enumerate(self.scalings, start=1):
            lines.append(f"    X = (X - shift{place}) / scale{place}")
            if np.isfinite(scaling.low):
                lines.append(f"    X = np.clip(X, {scaling.low!r}, {scaling.high!r})")
        return numpy_code.Code(
            before=("\n".join([*lines, "    return X"]),),
            given="scaled(np.asarray(X, float)).astype(dtype)",
            tables=tuple(tables),
        )

    def in_onnx(self, g: Graph, inputs: int, taken: Sequence[str]) -> tuple[str, list[Any], Any]:
        """X, scaled in double."""
        g.reserve(["X"])
        X = "X"
        for scaling in self.scalings:
            wide = X if X != "X" else g.cast(X, np.float64)
            X = g("Div", g("Sub", wide, scaling.shift), scaling.scale)
            if np.isfinite(scaling.low):
                X = g("Clip", X, np.array(scaling.low), np.array(scaling.high))
        return g.cast(X, g.dtype) if self.scalings else X, [tensor("X", g.dtype, "N", inputs)], self.names


@dataclass(frozen=True)
class Outputs(Decoder):
    """The answer is O, in the unit of its target."""

    kind = "network"
    onnx_outputs: ClassVar[tuple[str, ...]] = ("O",)
    scaling: Scaling | None = None

    def in_unit_of(self, scaling: Scaling) -> Outputs:
        """The same of a scaled target."""
        return replace(self, scaling=scaling)

    def in_c(self, file: File) -> Code:
        """The loop that takes outputs back to the unit of a scaled target."""
        if self.scaling is None:
            return Code()
        named = {"unit": self.scaling.scale, "origin": self.scaling.shift}
        tables = {f"{file.name}_{what}": np.broadcast_to(values, (file.outputs,)) for what, values in named.items()}
        value = f"(double)o[k] * {file.name}_unit[k] + {file.name}_origin[k]"
        return Code(
            unit=", o then in the unit of the target",
            functions=tuple(c.table(name, values, "double") for name, values in tables.items()),
            after=(f"for (int k = 0; k < {file.upper}_OUTPUTS; k++)", f"    o[k] = {c.cast(value, file.kind)};"),
            slopes=(f"{file.name}_unit[k]",),
        )

    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """The same of a script."""
        if self.scaling is None:
            return numpy_code.Code()
        return numpy_code.Code(
            after=("a = (a * unit + origin).astype(dtype)  # in the unit of the target",),
            tables=(
                numpy_code.array("unit", np.broadcast_to(self.scaling.scale, (outputs,)), "float"),
                numpy_code.array("origin", np.broadcast_to(self.scaling.shift, (outputs,)), "float"),
            ),
        )

    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """O, in the unit of its target."""
        (name,) = self.onnx_outputs
        if self.scaling is None:
            onnx_layers.layers(g, network, X, name)
        else:
            O = g.cast(onnx_layers.layers(g, network, X, g.free("A")), np.float64)
            g.cast(g("Add", g("Mul", O, self.scaling.scale), self.scaling.shift), g.dtype, name=name)
        return [tensor(name, g.dtype, "N", network.outputs)], {}


def _scaled_in_c(name: str, lines: tuple[Scaling, ...], kind: str, inputs: int) -> Iterator[str]:
    """The tables of scalers, and the functions that scale an input and say how it then changes."""
    for place, scaling in enumerate(lines, start=1):
        for what, values in (("shift", scaling.shift), ("scale", scaling.scale)):
            yield c.table(f"{name}_{what}{place}", values, "double")
    value, slope = [], []
    for place, scaling in enumerate(lines, start=1):
        value.append(f"v = (v - {name}_shift{place}[i]) / {name}_scale{place}[i];")
        slope += [value[-1], f"slope /= {name}_scale{place}[i];"]
        if np.isfinite(scaling.low):
            low, high = c.bracketed(scaling.low), c.bracketed(scaling.high)
            value.append(f"v = v < {low} ? {low} : v > {high} ? {high} : v;")
            slope += [f"slope = v < {low} || v > {high} ? 0.0 : slope;", value[-1]]
    yield "\n".join(
        [
            c.comment("The inputs as the network takes them, scaled in double: float has too few digits far from 0."),
            f"static void {name}_scaled(const {kind} x[{inputs}], {kind} a[{inputs}])",
            "{",
            f"    for (int i = 0; i < {inputs}; i++) {{",
            "        double v = (double)x[i];",
            *(f"        {line}" for line in value),
            f"        a[i] = {'v' if kind == 'double' else '(float)v'};",
            "    }",
            "}",
        ]
    )
    yield "\n".join(
        [
            c.comment("How much input i changes when x[i] does."),
            f"static double {name}_slope(const {kind} x[{inputs}], int i)",
            "{",
            "    double v = (double)x[i], slope = 1.0;",
            *(f"    {line}" for line in slope),
            "    return slope;",
            "}",
        ]
    )
