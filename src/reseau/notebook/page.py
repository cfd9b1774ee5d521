"""The pieces of HTML: everything is escaped, and has the colour of the text around it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from reseau.visible import visible

FIRST, SECOND = "#3987c9", "#d9701f"  # to be seen on white and on black, and told apart by the colour-blind


def text(value: object) -> str:
    """Any value as text in HTML, without characters that hide or turn what is around them."""
    return escape(visible(str(value)))


def paragraph(words: str) -> str:
    """A line of text."""
    return f'<p style="margin:0.3em 0">{text(words)}</p>'


def table(rows: Sequence[Sequence[object]]) -> str:
    """A table whose first row has the names of the columns."""
    cell = 'style="text-align:left;padding:0.1em 0.8em 0.1em 0"'
    lines = [
        "<tr>" + "".join(f"<{tag} {cell}>{text(value)}</{tag}>" for value in row) + "</tr>"
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    return f'<table style="border-collapse:collapse">{"".join(lines)}</table>'


def svg(width: float, height: float, label: str, shapes: Sequence[str]) -> str:
    """A picture of this size, told to those who do not see it by its label."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{text(label)}" width="{width:g}" '
        f'height="{height:g}" viewBox="0 0 {width:g} {height:g}" style="max-width:100%;height:auto" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">{"".join(shapes)}</svg>'
    )


def words_at(x: float, y: float, words: object, anchor: str = "start") -> str:
    """A text in a picture."""
    return f'<text x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}">{text(words)}</text>'


def line(x: float, y: float, to_x: float, to_y: float, style: str = 'opacity="0.35"') -> str:
    """A straight line in a picture."""
    return f'<path d="M{x:.4g} {y:.4g}L{to_x:.4g} {to_y:.4g}" stroke="currentColor" {style}/>'


def block(*parts: str) -> str:
    """The whole."""
    return f'<div style="overflow-x:auto">{"".join(parts)}</div>'
