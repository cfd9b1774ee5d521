"""The drawing of a network as SVG within a page, in the colours of the page, with its title and what it shows."""

from __future__ import annotations

import html

from reseau.blackboard.drawing import FONT, Arc, Drawing, Picture, Stroke, Written, placed, plain
from reseau.formulas.typesetting import TextSetter
from reseau.notebook.page import FIRST, SECOND
from reseau.visible import visible

COLOURS = {"plus": FIRST, "minus": SECOND, "plain": "currentColor", "arrow": "currentColor"}
HEAD, HALF_HEAD = 8.0, 3.5  # of an arrow: its length, and how far it reaches to each side
DOT = 2.0


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def figure(drawing: Drawing, setter: TextSetter) -> str:
    """The drawing with its caption, as a part of a page."""
    picture = placed(drawing, setter)
    # Where it is wider than the page it is scrolled, which those do too who have only a keyboard.
    return (
        '<figure class="network"><div class="scrolled" role="group" tabindex="0" '
        f'aria-label="{_escaped(drawing.title)}">'
        f"{svg(drawing, picture, setter)}</div><figcaption>{_escaped(drawing.caption)}</figcaption></figure>"
    )


def svg(drawing: Drawing, picture: Picture, setter: TextSetter) -> str:
    """The drawing alone."""
    half, high = picture.half
    size = f'width="{2 * half:.1f}" height="{2 * high:.1f}" rx="{min(half, high):.1f}"'
    shapes = [_stroke(stroke) for stroke in picture.strokes]
    shapes += [_arc(arc) for arc in picture.arcs]
    shapes += [f'<rect x="{x - half:.1f}" y="{y - high:.1f}" {size}/>' for x, y in picture.neurons]
    shapes += [
        f'<circle cx="{x:.1f}" cy="{y + away:.1f}" r="{DOT:g}" fill="currentColor"/>'
        for x, y in picture.dots
        for away in (-8, 0, 8)
    ]
    texts = [_text(text, setter) for text in picture.texts]
    return (
        f'<svg viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" width="{picture.width:.0f}" '
        f'height="{picture.height:.0f}" role="img">'
        f"<title>{_escaped(drawing.title)}</title><desc>{_escaped(drawing.described)}</desc>"
        f'<g fill="none" stroke="currentColor">{"".join(shapes)}</g>'
        f'<g fill="currentColor" font-size="{FONT:g}" font-family="system-ui, sans-serif">{"".join(texts)}</g></svg>'
    )


def _stroke(stroke: Stroke) -> str:
    line = (
        f'<path d="M{stroke.x0:.1f} {stroke.y0:.1f}L{stroke.x1:.1f} {stroke.y1:.1f}" '
        f'stroke="{COLOURS[stroke.kind]}" stroke-width="{stroke.width:.2g}"/>'
    )
    return line + (_head(stroke.x0, stroke.y0, stroke.x1, stroke.y1) if stroke.kind == "arrow" else "")


def _head(x0: float, y0: float, x1: float, y1: float) -> str:
    """The head of an arrow."""
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    u, v = (x1 - x0) / length, (y1 - y0) / length
    back = x1 - HEAD * u, y1 - HEAD * v
    sides = [(back[0] - side * HALF_HEAD * v, back[1] + side * HALF_HEAD * u) for side in (1, -1)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((x1, y1), *sides))
    return f'<polygon points="{points}" fill="currentColor" stroke="none"/>'


def _arc(arc: Arc) -> str:
    """A residual link; a curve reaches three quarters of the way to its two middle points."""
    low = min(arc.y0, arc.y1)
    high = low - (low - arc.high) * 4 / 3
    return (
        f'<path d="M{arc.x0:.1f} {arc.y0:.1f}C{arc.x0:.1f} {high:.1f} {arc.x1:.1f} {high:.1f} {arc.x1:.1f} '
        f'{arc.y1:.1f}" stroke-dasharray="5 4"/>' + _head(arc.x1, high, arc.x1, arc.y1)
    )


def _text(text: Written, setter: TextSetter) -> str:
    result = ' class="result"' if text.result else ""
    return (
        f'<text x="{text.x:.1f}" y="{text.y + 0.35 * FONT:.1f}" text-anchor="{text.anchor}"{result}>'
        f"{_escaped(plain(text.label, setter))}</text>"
    )
