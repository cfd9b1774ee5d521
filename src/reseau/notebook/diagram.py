"""The picture of a network in SVG: a column of circles for each layer, a line for each weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reseau.arrays import FloatArray
from reseau.notebook.page import FIRST, SECOND, svg, words_at
from reseau.vocabulary.layers import Architecture, Layer

MOST = 8  # neurons of a layer that are drawn, with the dots for those between
ROW, COLUMN, RADIUS = 22.0, 120.0, 7.0
MARGIN, BELOW = 60.0, 34.0


def diagram(architecture: Architecture, tensors: Sequence[Mapping[str, FloatArray]] | None) -> str:
    """A picture of the layers; the colours of the lines are those of the weights, where there are any.

    Blue is a positive weight, orange a negative one, and the wider its line, the larger it is beside the others of its
    layer.
    """
    widths = architecture.widths
    drawn = [_drawn(width) for width in widths]
    height = max(map(len, drawn)) * ROW + BELOW
    middle = (height - BELOW) / 2

    def place(column: int, row: int) -> tuple[float, float]:
        return MARGIN + column * COLUMN, middle + (row - (len(drawn[column]) - 1) / 2) * ROW

    shapes = []
    for l, layer in enumerate(architecture.layers):
        matrix = next(iter(tensors[l].values()), None) if tensors is not None else None
        if layer.of_neurons:
            pairs = [(i, j) for i in range(len(drawn[l])) for j in range(len(drawn[l + 1]))]
        else:  # a layer that takes its numbers one by one
            pairs, matrix = [(i, i) for i in range(min(len(drawn[l]), len(drawn[l + 1])))], None
        shapes += _lines(pairs, drawn[l], drawn[l + 1], matrix, [place(l, i) for i in range(len(drawn[l]))],
                         [place(l + 1, j) for j in range(len(drawn[l + 1]))])  # fmt: skip
    for column, (width, rows) in enumerate(zip(widths, drawn, strict=True)):
        for row, neuron in enumerate(rows):
            x, y = place(column, row)
            if neuron is None:
                shapes.append(words_at(x, y + 4, "⋮", "middle"))
            else:
                shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS:g}" stroke="currentColor" fill="#8885"/>')
        layer_name = "inputs" if column == 0 else _name(architecture.layers[column - 1])
        shapes.append(words_at(MARGIN + column * COLUMN, height - 18, width, "middle"))
        shapes.append(words_at(MARGIN + column * COLUMN, height - 4, layer_name, "middle"))
    label = "A network of " + ", ".join(map(str, widths)) + " neurons, the first being the inputs"
    return svg(2 * MARGIN + (len(widths) - 1) * COLUMN, height, label, shapes)


def _name(layer: Layer) -> str:
    kind, sigma = layer.kind.replace("_", " "), layer.sigma.name
    return sigma if layer.of_neurons else kind if sigma == type(layer).activation else f"{kind} {sigma}"


def _drawn(width: int) -> list[int | None]:
    """Which neurons of a layer are drawn; None for dots."""
    return list(range(width)) if width <= MOST else [*range(MOST - 2), None, width - 1]


def _lines(
    pairs: Sequence[tuple[int, int]],
    starts: Sequence[int | None],
    ends: Sequence[int | None],
    matrix: FloatArray | None,
    at: Sequence[tuple[float, float]],
    to: Sequence[tuple[float, float]],
) -> list[str]:
    """A line for each pair of drawn neurons."""
    largest = 0.0
    if matrix is not None:
        chosen = matrix[np.ix_(*([k for k in side if k is not None] for side in (starts, ends)))]
        largest = float(np.nan_to_num(np.abs(chosen)).max(initial=0.0))
    shapes = []
    for i, j in pairs:
        first, second = starts[i], ends[j]
        if first is None or second is None:
            continue
        (x, y), (to_x, to_y) = at[i], to[j]
        colour, width = "currentColor", 0.8
        if matrix is not None and largest > 0:
            w = float(np.nan_to_num(matrix[first, second]))
            colour, width = FIRST if w >= 0 else SECOND, 0.4 + 2.0 * min(abs(w) / largest, 1.0)
        shapes.append(
            f'<path d="M{x + RADIUS:g} {y:g}L{to_x - RADIUS:g} {to_y:g}" stroke="{colour}" stroke-width="{width:.2g}" '
            'opacity="0.6"/>'
        )
    return shapes
