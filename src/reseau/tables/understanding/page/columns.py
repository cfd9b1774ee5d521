"""The sections on columns: which matter, and how predictions follow them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.formulas.words import Same
from reseau.tables.reading.cells import Floats
from reseau.tables.understanding.page import charts
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.charts import Chart, figure, pictures
from reseau.tables.understanding.page.contents import Contents
from reseau.tables.understanding.page.markup import Html, Language, joined, name, tag
from reseau.tables.understanding.page.sections import Section, counted, table

if TYPE_CHECKING:
    from reseau.tables.understanding.partial_dependence import Effect

MOST_COLUMNS = 20
COLOURS = ("a", "b", "c", "d")  # of classes, of which as many are drawn
EDGE = 0.04  # of a range, that is left free at both ends
ABSENT = "(missing)"  # what an effect calls a missing level
FAR = 3.0  # times the range of the others, that an axis would be long
DAY = np.timedelta64(1, "D")


def importance(contents: Contents, language: Language) -> list[Section]:
    """By how much the error grows where a column tells nothing."""
    found = contents.importance
    shown = min(len(found.columns), MOST_COLUMNS)
    most = float(found.means[0])
    scale = 1 / most if most > 0 and np.isfinite(1 / most) else 0.0  # nothing is drawn where no column matters
    body = []
    for column, mean, deviation in zip(found.columns[:shown], found.means, found.deviations, strict=False):
        told = language(w.GROWTH_OF, column=name(column, 60))
        grown = language.estimate(float(mean), float(deviation))
        body.append([name(column), grown, charts.bar(mean * scale, told, deviation=deviation * scale)])
    facts = language(
        w.IMPORTANCE_TOLD,
        measured=language(w.NAMES.get(found.measured, Same(found.measured))),
        error=language.number(found.error),
        repeats=language.count(found.increases.shape[1]),
        rows=counted(language, found.rows, w.ROWS),
    )
    parts = [tag("p", facts), table([language(w.COLUMN), language(w.GROWTH), ""], body, numbers=(1,))]
    if len(found.columns) > shown:
        rest = counted(language, len(found.columns) - shown, w.COLUMNS)
        growth = language.number(float(found.means[shown]), 3)
        parts.append(tag("p", language(w.MORE_IMPORTANT, columns=rest, growth=growth)))
    return [Section.of("importance", language(w.IMPORTANCE), *parts)]


def effects(contents: Contents, language: Language) -> list[Section]:
    """How predictions follow the most important columns; nothing where no column matters."""
    if not contents.effects:
        return []
    shown = _shown(contents)
    target, answers = contents.model.target, contents.effects[0].answers
    if len(answers) == 1:
        of = name(target.name if target.outputs == 1 else target.names[1], 40)
        up = language(w.PREDICTED_OF, target=of) if target.outputs == 1 else language(w.PROBABILITY_OF, label=of)
        legend: list[Html] = []
    else:
        up = language(w.PROBABILITY_OF_CLASS)
        labels = zip(shown, COLOURS, strict=False)
        legend = [
            tag("ul", *(tag("li", name(target.names[i], 40), class_=colour) for i, colour in labels), class_="legend")
        ]
    figures = [_effect(found, shown, up, language) for found in contents.effects]
    about = tag("p", language(w.EFFECTS_TOLD))
    return [Section.of("effects", language(w.EFFECTS), about, *legend, pictures(*figures))]


def _shown(contents: Contents) -> list[int]:
    """The places of the answers that are drawn: of many classes the commonest."""
    n = len(contents.effects[0].answers)
    if n <= len(COLOURS):
        return list(range(n))
    counts = np.asarray(contents.model.training["class_counts"])
    return sorted(np.argsort(-counts, kind="stable")[: len(COLOURS)].tolist())


def _effect(found: Effect, shown: list[int], up: Html, language: Language) -> Html:
    lines, mean = found.lines[:, :, shown], found.mean[:, shown]
    low, high = min(float(lines.min()), float(mean.min())), max(float(lines.max()), float(mean.max()))
    of_classes = len(found.answers) > 1 or "=" in found.answers[0]
    apart = EDGE * (high - low)
    ends = (0.0, 1.0) if of_classes else (low - apart, high + apart)
    labels, xs = _places(found, language)
    across = (-0.5, len(found.grid) - 0.5) if labels is not None else _ends(xs)
    chart = Chart.of(language, across, ends, height=280.0)
    several = len(shown) > 1
    for j, colour in zip(range(len(shown)), COLOURS, strict=False):
        for line in lines[:, :, j]:
            chart.line(xs, line, f"{colour if several else 'soft'} thin", 0.35 if several else 0.9)
    for j, colour in zip(range(len(shown)), COLOURS, strict=False):
        chart.line(xs, mean[:, j], f"{colour} thick")
        if labels is not None:
            chart.dots(xs, mean[:, j], f"{colour} large")
    column = name(found.column, 40)
    if several:
        column = joined(column, ", ", name(found.answers[shown[0]], 40))
    first = mean[:, 0]
    numbers = {"first": first[0], "last": first[-1], "low": first.min(), "high": first.max()}
    shown_as = language.share if of_classes else partial(language.number, digits=3)
    told = language(w.EFFECT_IS, column=column, **{key: shown_as(float(value)) for key, value in numbers.items()})
    drawn = chart.drawing(told, name(found.column, 40), up, labels=labels, dates=found.kind == "date")
    return figure(drawn, told)


def _ends(xs: Floats) -> tuple[float, float]:
    """The ends of an axis, without the outermost points where these lie far off."""
    if len(xs) > 4 and xs[-1] - xs[0] > FAR * (xs[-2] - xs[1]) > 0:
        return float(xs[1]), float(xs[-2])
    return float(xs[0]), float(xs[-1])


def _places(found: Effect, language: Language) -> tuple[list[str] | None, Floats]:
    """Names for the places 0, 1, 2, ..., or None where the grid is of numbers; and the places."""
    grid: npt.NDArray[Any] = found.grid
    if grid.dtype.kind == "M":
        return None, (grid - np.datetime64(0, "s")) / DAY
    if grid.dtype.kind in "fiu":
        return None, grid.astype(np.float64)
    missing = f"({language(w.NOTHING_HERE)})"
    return [missing if value == ABSENT else str(value) for value in grid.tolist()], np.arange(
        len(grid), dtype=np.float64
    )
