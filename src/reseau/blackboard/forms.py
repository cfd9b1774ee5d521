"""The forms of a board by the endings of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from reseau.blackboard import html, latex, markdown, text
from reseau.blackboard.sheet import Line
from reseau.errors import ParameterError
from reseau.formulas.typesetting import TextSetter

FORMS: dict[str, Callable[[list[Line], str, int], str]] = {
    ".html": lambda lines, lang, digits: html.page(lines, html.MathmlSetter(lang, digits)),
    ".tex": lambda lines, lang, digits: latex.render(lines, latex.LatexSetter(lang, digits)),
    ".md": lambda lines, lang, digits: markdown.render(lines, markdown.MarkdownSetter(lang, digits)),
    ".txt": lambda lines, lang, digits: text.render(lines, TextSetter(lang, digits)),
}


def check_ending(path: Path, option: str, *wanted: str) -> None:
    """Refuse a file whose ending names no form, or none of the wanted ones."""
    endings = wanted or tuple(FORMS)
    if path.suffix.lower() not in endings:
        *others, last = endings
        told = f"{', '.join(others)} or {last}" if others else last
        raise ParameterError(f"{option} is {path}, but its ending must be {told}.")


def set_lines(lines: Iterable[Line], ending: str, lang: str, digits: int) -> str:
    """Set lines in the form of an ending."""
    return FORMS[ending.lower()](list(lines), lang, digits)
