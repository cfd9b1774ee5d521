"""A network told in a table of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.layers.architecture import Architecture


class Flatness(NamedTuple):
    """Where a layer's activation passed next to nothing back, on some rows.

    Attributes
    ----------
    share : float
        Of all numbers.
    dead : int
        How many neurons it was so of on every row, the slope being exactly 0.
    saturated : int
        How many others it was so of on every row.
    """

    share: float
    dead: int
    saturated: int

    @property
    def percent(self) -> str:
        """The share, which is 0 % or 100 % only where it is exactly that."""
        rounded = round(100 * self.share)
        return f"{min(max(rounded, 1), 99) if 0 < self.share < 1 else rounded} %"


def table(architecture: Architecture, flatness: Sequence[Flatness | None] | None = None) -> list[tuple[str, ...]]:
    """A row for each layer with its tensors' shapes, activation, dropout and link, below the names of the columns.

    With the flatness of each layer on some rows it has two columns more.
    """
    layers = architecture.layers
    letters = list(dict.fromkeys(letter for layer in layers for letter in layer.letters))
    kinds = len({layer.kind for layer in layers}) > 1
    of_rows = [] if flatness is None else ["flat", "stuck"]
    rows = [("layer", *["kind"] * kinds, *letters, "activation", "", *of_rows, "parameters")]
    formulas = {layer.activation: TextSetter().set(layer.sigma.formula) for layer in layers}
    for place, (layer, n_in) in enumerate(zip(layers, architecture.widths, strict=False), start=1):
        shapes = {tensor.name: tensor.shape for tensor in layer.tensors(n_in)}
        shape_of = [shapes.get(name, ()) for name in letters]
        has = [str(shape if len(shape) > 1 else shape[0]) if shape else "-" for shape in shape_of]
        formula = formulas[layer.activation]
        formula += f", groups {layer.groups}" if layer.groups else ""
        formula += f", dropout {layer.dropout}" if layer.dropout else ""
        start = place - layer.residual  # of a link
        formula += f" + {f'A{start}' if start else 'X'}" if layer.residual else ""
        count = str(layer.n_parameters(n_in))
        if flatness is not None:
            flat = flatness[place - 1]
            of_rows = ["-", "-"] if flat is None else [flat.percent, str(flat.dead + flat.saturated)]
        rows.append((str(place), *[layer.kind] * kinds, *has, layer.sigma.name, formula, *of_rows, count))
    return rows


def whole(architecture: Architecture, dtype: np.dtype[Any]) -> str:
    """A line for the whole network."""
    inputs, outputs = architecture.inputs, architecture.outputs
    error = TextSetter().set(architecture.error.formula)
    return (
        f"{inputs} input{'s' if inputs > 1 else ''}, {outputs} output{'s' if outputs > 1 else ''}, loss "
        f"{architecture.loss} {error}, {dtype.name}, {architecture.n_parameters} parameters"
    )


def summary(architecture: Architecture, dtype: np.dtype[Any], flatness: Sequence[Flatness | None] | None = None) -> str:
    """The table of the layers and the line for the whole, as text; and what to do about neurons that do not learn."""
    rows = table(architecture, flatness)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for *words, count in rows:
        cells = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
        lines.append("  ".join([*cells, count.rjust(widths[-1])]))
    lines.append(whole(architecture, dtype))
    for place, flat in enumerate(flatness or (), start=1):
        lines += [] if flat is None else _advice(architecture, place, flat)
    return "\n".join(lines)


def _advice(architecture: Architecture, place: int, flat: Flatness) -> list[str]:
    """A line for neurons that learn nothing on any row, and one for those that hardly do."""
    name, n = architecture.layers[place - 1].sigma.name, architecture.widths[place]
    lines = []
    if flat.dead:
        lines.append(
            f"Layer {place}: {_neurons(flat.dead, n, name)} dead: the slope is 0 on all of these rows, and no "
            "gradient comes through. Train anew with a smaller learning rate and with standardised inputs, or with an "
            "activation that has a slope everywhere, such as 'leaky_relu' or 'silu'."
        )
    if flat.saturated:
        lines.append(
            f"Layer {place}: {_neurons(flat.saturated, n, name)} saturated: the slope is next to 0 on all of these "
            "rows, and hardly any gradient comes through. Standardise the inputs, begin with smaller weights, add l2, "
            "or let a LayerNorm stand before."
        )
    return lines


def _neurons(count: int, n: int, activation: str) -> str:
    return f"{count} of {n} neurons ({activation}) {'is' if count == 1 else 'are'}"
