"""The drawing of a network by matplotlib, the extra `plot`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reseau.blackboard.drawing import FONT, Drawing, Picture, placed, plain
from reseau.formulas.typesetting import TextSetter
from reseau.notebook.page import FIRST, SECOND
from reseau.plots import check_axes, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 72.0  # in an inch
PER_INCH = 100.0  # units of the drawing, in a figure of its own
TITLE = 24.0  # units, above each drawing
DOTS_PER_INCH = 150
DOT = 2.0


def draw(drawing: Drawing, setter: TextSetter, ax: Axes | None) -> Axes:
    """Draw into axes, as large as they are now, or into those of a new figure; return them."""
    require_matplotlib()
    check_axes(ax)
    found = placed(drawing, setter)
    if ax is None:
        import matplotlib.pyplot as plt

        size = (found.width / PER_INCH, (found.height + TITLE) / PER_INCH)
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    _draw(ax, drawing, found, setter)
    return ax


def png(drawings: Sequence[Drawing], setter: TextSetter) -> bytes:
    """Some drawings, one below the other, as a PNG."""
    require_matplotlib()
    from matplotlib.figure import Figure

    found = [placed(drawing, setter) for drawing in drawings]
    heights = [picture.height + TITLE for picture in found]
    width, height = max(picture.width for picture in found), sum(heights)
    figure = Figure(figsize=(width / PER_INCH, height / PER_INCH))  # no window system is needed
    top = height
    for drawing, picture in zip(drawings, found, strict=True):
        top -= picture.height + TITLE
        ax = figure.add_axes((0.0, top / height, picture.width / width, picture.height / height))
        _draw(ax, drawing, picture, setter)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return file.getvalue()


def _draw(ax: Axes, drawing: Drawing, found: Picture, setter: TextSetter) -> None:
    import matplotlib as mpl
    from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
    from matplotlib.path import Path

    ax.set_axis_off()
    ax.set_xlim(0, found.width)
    ax.set_ylim(found.height, 0)
    ax.set_aspect("equal")
    figure: Any = ax.figure
    root = figure.canvas.figure  # of a subfigure too
    root.draw_without_rendering()  # a layout manager places the axes only then
    box = ax.get_window_extent()
    unit = min(box.width / found.width, box.height / found.height) * POINTS / root.dpi  # points for a unit
    ink: Any = mpl.rcParams["text.color"]
    colours = {"plus": FIRST, "minus": SECOND, "plain": ink, "arrow": ink}
    ax.set_title(drawing.title, fontsize=1.1 * FONT * unit, parse_math=False)
    for stroke in found.strokes:
        xs, ys, width = [stroke.x0, stroke.x1], [stroke.y0, stroke.y1], stroke.width * unit
        if stroke.kind == "arrow":
            head = FancyArrowPatch(
                (xs[0], ys[0]),
                (xs[1], ys[1]),
                arrowstyle="-|>",
                mutation_scale=9 * unit,
                color=ink,
                linewidth=width,
                shrinkA=0,
                shrinkB=0,
            )
            ax.add_patch(head)
        else:
            ax.plot(xs, ys, color=colours[stroke.kind], linewidth=width, solid_capstyle="butt", zorder=1)
    for arc in found.arcs:
        low = min(arc.y0, arc.y1)
        high = low - (low - arc.high) * 4 / 3  # of which a curve reaches three quarters
        path = Path(
            [(arc.x0, arc.y0), (arc.x0, high), (arc.x1, high), (arc.x1, arc.y1)],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=ink, linewidth=unit, linestyle="--"))
    half, high = found.half
    for x, y in found.neurons:
        box_style = f"round,pad=0,rounding_size={min(half, high)}"
        place = (x - half, y - high)
        ax.add_patch(
            FancyBboxPatch(place, 2 * half, 2 * high, box_style, facecolor="none", edgecolor=ink, linewidth=unit)
        )
    for x, y in found.dots:
        for away in (-8, 0, 8):
            ax.add_patch(Circle((x, y + away), DOT, facecolor=ink, edgecolor="none"))
    for text in found.texts:
        ax.text(
            text.x,
            text.y,
            plain(text.label, setter),
            fontsize=FONT * unit,
            color=ink,
            ha={"start": "left", "middle": "center", "end": "right"}[text.anchor],
            va="center_baseline",
            parse_math=False,
        )
