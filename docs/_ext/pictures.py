"""Small pictures of functions, as SVG within the page, so that their colours follow its scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT, EDGE = 260, 150, 8
ROOM = 14  # for the figures at the axes
JUMP = 0.25  # of the height, from where on neighbouring points are not joined


@dataclass(frozen=True)
class Curve:
    """One line of a picture: its points, what it is, and whether it is dashed."""

    x: Floats
    y: Floats
    name: str
    dashed: bool = False


def picture(curves: Sequence[Curve], *, ends: tuple[float, float] | None = None, flat: bool = False) -> str:
    """Curves in one pair of axes, which cross at 0 where that is in sight.

    Parameters
    ----------
    curves : sequence of Curve
        What is drawn.
    ends : (float, float) or None
        From where to where y goes; None takes the least and the greatest of all curves.
    flat : bool
        Whether a unit is as long upwards as sideways, as in a map.
    """
    xs, ys = np.concatenate([c.x for c in curves]), np.concatenate([c.y for c in curves])
    left, right = float(xs.min()), float(xs.max())
    low, high = ends or (float(ys[np.isfinite(ys)].min()), float(ys[np.isfinite(ys)].max()))
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    if flat:
        middle, half = (low + high) / 2, (right - left) * HEIGHT / WIDTH / 2
        low, high = min(low, middle - half), max(high, middle + half)

    def across(x: float) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (x - left) / (right - left)

    def down(y: float) -> float:
        return HEIGHT - ROOM - (HEIGHT - 2 * ROOM) * (y - low) / (high - low)

    origin_x, origin_y = across(min(max(0.0, left), right)), down(min(max(0.0, low), high))
    parts = [f'<path class="axis" d="M{EDGE} {origin_y:.1f}H{WIDTH - EDGE}M{origin_x:.1f} {ROOM}V{HEIGHT - ROOM}"/>']
    for curve in curves:
        points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if low - 1e-9 <= y <= high + 1e-9]
        path, before = "", None
        for x, y in points:
            apart = before is None or (not flat and abs(y - before) > JUMP * (high - low))
            path += f"{'M' if apart else 'L'}{across(x):.1f} {down(y):.1f}"
            before = y
        parts.append(f'<path class="{"dashed" if curve.dashed else "line"}" d="{path}"/>')
    if not flat:
        parts += _figures(left, right, low, high, origin_x, origin_y)
    names = escape(", ".join(curve.name for curve in curves if curve.name))
    return f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{names}">{"".join(parts)}</svg>'


def _figures(left: float, right: float, low: float, high: float, x: float, y: float) -> list[str]:
    """The numbers at the ends of the axes."""
    below = y + 11 if y < HEIGHT - ROOM / 2 else y - 3
    side, anchor = (x + 3, "start") if x < WIDTH - 40 else (x - 3, "end")
    texts = [
        (WIDTH - EDGE, below, "end", right),
        (side, ROOM - 3, anchor, high),
        *([(EDGE, below, "start", left)] if x > EDGE + 30 else []),
        *([(side, HEIGHT - 3, anchor, low)] if y < HEIGHT - ROOM - 12 else []),
    ]
    return [
        f'<text x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}">{_short(value)}</text>'
        for across, down, anchor, value in texts
    ]


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
