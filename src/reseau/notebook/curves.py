"""The curves of a fit in SVG: the loss of each epoch, and the validation loss beside it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10

from reseau.notebook.page import FIRST, SECOND, line, svg, words_at

WIDTH, HEIGHT = 420.0, 160.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 10.0, 20.0, 22.0
MOST_POINTS = 400  # of a curve; more than that no eye tells apart
WIDE = 30.0  # from such a ratio of the largest loss to the smallest on, the scale is logarithmic


def curves(loss: Sequence[float], validation_loss: Sequence[float], best_epoch: int | None) -> str:
    """A picture of both, or nothing where there is no finite loss."""
    finite = [value for value in (*loss, *validation_loss) if isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = log10 if low > 0 and high / low > WIDE else float
    bottom, top = scale(low), scale(high)
    epochs = len(loss)

    def x(epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (0.5 if epochs == 1 else (epoch - 1) / (epochs - 1))

    def y(value: float) -> float:
        share = 0.5 if top == bottom else (scale(value) - bottom) / (top - bottom)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def curve(values: Sequence[float], colour: str) -> str:
        every = -(-len(values) // MOST_POINTS)
        chosen = [*range(1, len(values), every), len(values)]
        points = [(x(epoch), y(values[epoch - 1])) for epoch in chosen if isfinite(values[epoch - 1])]
        if len(points) == 1:
            return f'<circle cx="{points[0][0]:.5g}" cy="{points[0][1]:.5g}" r="3" fill="{colour}"/>'
        path = "L".join(f"{a:.5g} {b:.5g}" for a, b in points)
        return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>' if points else ""

    shapes = [
        line(LEFT, TOP, LEFT, HEIGHT - BOTTOM),
        line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM),
        words_at(LEFT - 4, TOP + 4, f"{high:.3g}", "end"),
        words_at(LEFT - 4, HEIGHT - BOTTOM, f"{low:.3g}" if high > low else "", "end"),
        words_at(LEFT, HEIGHT - 7, 1),
        words_at(WIDTH - RIGHT, HEIGHT - 7, f"epoch {epochs}", "end"),
        f'<g fill="{FIRST}">{words_at(LEFT + 8, 11, "loss")}</g>',
    ]
    if validation_loss:
        shapes.append(f'<g fill="{SECOND}">{words_at(LEFT + 45, 11, "validation loss")}</g>')
        shapes.append(curve(validation_loss, SECOND))
    if best_epoch is not None:
        shapes.append(line(x(best_epoch), TOP, x(best_epoch), HEIGHT - BOTTOM, 'stroke-dasharray="2 3" opacity="0.6"'))
    shapes.append(curve(loss, FIRST))
    of_both = f"and the validation loss of {epochs} epochs" if validation_loss else f"of {epochs} epochs"
    return svg(WIDTH, HEIGHT, f"The loss {of_both}, between {low:.3g} and {high:.3g}", shapes)
