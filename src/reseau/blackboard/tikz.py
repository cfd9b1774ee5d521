"""The drawing of a network in LaTeX, for the package tikz; a document that does not load it goes without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reseau.blackboard.drawing import FONT, Arc, Drawing, Label, Picture, Stroke, Written, placed
from reseau.formulas.typesetting import Setter, TextSetter

WIDEST = 480.0  # points that a line of A4 has between margins of 2 cm
LARGEST = 0.75  # points for a pixel
COLOURS = {"plus": "reseauplus", "minus": "reseauminus", "plain": "black", "arrow": "black"}
ANCHORS = {"start": "west", "middle": "center", "end": "east"}
DOT = 1.2


def picture(drawing: Drawing, setter: Setter, escaped: Callable[[str], str]) -> list[str]:
    """The lines of a tikzpicture.

    Parameters
    ----------
    drawing : Drawing
        What is drawn.
    setter : Setter
        Of LaTeX's mathematics.
    escaped : callable
        Of names, so that LaTeX prints them as they are.
    """
    found = placed(drawing, TextSetter(setter.lang, setter.digits))
    scale = min(LARGEST, WIDEST / found.width)
    size = FONT * scale
    return [
        r"\ifcsname tikzpicture\endcsname",
        r"\begingroup\catcode`\;=12 \catcode`\:=12 % which French makes commands of",
        r"\definecolor{reseauplus}{HTML}{3987C9}\definecolor{reseauminus}{HTML}{D9701F}%",
        rf"\begin{{tikzpicture}}[x={scale:.3f}pt, y=-{scale:.3f}pt, inner sep=0pt, >=stealth,",
        rf"  every node/.style={{font=\fontsize{{{size:.1f}}}{{{1.2 * size:.1f}}}\selectfont}}]",
        *map(_stroke, found.strokes),
        *map(_arc, found.arcs),
        *_neurons(found, scale),
        *(_text(text, setter, escaped) for text in found.texts),
        r"\end{tikzpicture}\par\endgroup",
        r"\fi",
    ]


def _at(x: float, y: float) -> str:
    return f"({x:.1f}, {y:.1f})"


def _stroke(stroke: Stroke) -> str:
    head = "->, " if stroke.kind == "arrow" else ""
    look = f"{head}{COLOURS[stroke.kind]}, line width={0.6 * stroke.width:.2f}pt"
    return rf"\draw[{look}] {_at(stroke.x0, stroke.y0)} -- {_at(stroke.x1, stroke.y1)};"


def _arc(arc: Arc) -> str:
    """A residual link; a curve reaches three quarters of the way to its two middle points."""
    low = min(arc.y0, arc.y1)
    high = low - (low - arc.high) * 4 / 3
    middle = f"{_at(arc.x0, high)} and {_at(arc.x1, high)}"
    return rf"\draw[->, dashed] {_at(arc.x0, arc.y0)} .. controls {middle} .. {_at(arc.x1, arc.y1)};"


def _neurons(found: Picture, scale: float) -> Iterator[str]:
    half, high = found.half
    for x, y in found.neurons:
        ends = f"{_at(x - half, y - high)} rectangle {_at(x + half, y + high)}"
        yield rf"\draw[rounded corners={min(half, high) * scale:.2f}pt] {ends};"
    for x, y in found.dots:
        for away in (-8, 0, 8):
            yield rf"\fill {_at(x, y + away)} circle[radius={DOT}pt];"


def _text(text: Written, setter: Setter, escaped: Callable[[str], str]) -> str:
    anchor = ANCHORS[text.anchor]
    return rf"\node[anchor={anchor}] at {_at(text.x, text.y)} {{{_label(text.label, setter, escaped)}}};"


def _label(label: Label, setter: Setter, escaped: Callable[[str], str]) -> str:
    if all(isinstance(piece, str) for piece in label):
        return escaped(" ".join(str(piece) for piece in label))
    return f"${' '.join(piece if isinstance(piece, str) else setter.set(piece) for piece in label)}$"
