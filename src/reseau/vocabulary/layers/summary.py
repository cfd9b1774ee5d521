"""A network told in a table of its layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.layers.architecture import Architecture


def table(architecture: Architecture) -> list[tuple[str, ...]]:
    """A row for each layer with its tensors' shapes, activation, dropout and link, below the names of the columns."""
    layers = architecture.layers
    letters = list(dict.fromkeys(letter for layer in layers for letter in layer.letters))
    kinds = len({layer.kind for layer in layers}) > 1
    rows = [("layer", *["kind"] * kinds, *letters, "activation", "", "parameters")]
    formulas = {layer.activation: TextSetter().set(layer.sigma.formula) for layer in layers}
    for place, (layer, n_in) in enumerate(zip(layers, architecture.widths, strict=False), start=1):
        shapes = {tensor.name: tensor.shape for tensor in layer.tensors(n_in)}
        shape_of = [shapes.get(name, ()) for name in letters]
        has = [str(shape if len(shape) > 1 else shape[0]) if shape else "-" for shape in shape_of]
        formula = formulas[layer.activation]
        formula += f", dropout {layer.dropout}" if layer.dropout else ""
        start = place - layer.residual  # of a link
        formula += f" + {f'A{start}' if start else 'X'}" if layer.residual else ""
        count = str(layer.n_parameters(n_in))
        rows.append((str(place), *[layer.kind] * kinds, *has, layer.sigma.name, formula, count))
    return rows


def whole(architecture: Architecture, dtype: np.dtype[Any]) -> str:
    """A line for the whole network."""
    inputs, outputs = architecture.inputs, architecture.outputs
    error = TextSetter().set(architecture.error.formula)
    return (
        f"{inputs} input{'s' if inputs > 1 else ''}, {outputs} output{'s' if outputs > 1 else ''}, loss "
        f"{architecture.loss} {error}, {dtype.name}, {architecture.n_parameters} parameters"
    )


def summary(architecture: Architecture, dtype: np.dtype[Any]) -> str:
    """The table of the layers and the line for the whole, as text."""
    rows = table(architecture)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for *words, count in rows:
        cells = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
        lines.append("  ".join([*cells, count.rjust(widths[-1])]))
    return "\n".join([*lines, whole(architecture, dtype)])
