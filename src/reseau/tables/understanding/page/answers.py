"""The sections on what the model says: curves of its training, confusions or errors, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from reseau.tables.reading.cells import Floats
from reseau.tables.understanding.page import charts
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.charts import Chart, figure, pictures
from reseau.tables.understanding.page.contents import Contents
from reseau.tables.understanding.page.markup import Html, Language, joined, name, tag
from reseau.tables.understanding.page.of_classes import ClassesSeen, Reliability
from reseau.tables.understanding.page.of_quantity import QuantitySeen
from reseau.tables.understanding.page.sections import Section, counted, folded, table

MOST_OF_CURVE = 100  # points; more than that no eye tells apart
HEAT = 75  # per cent of the colour that a share of all has
LEAST_ROWS_RANGE = 0.04  # of a range, that is added at both ends


def curves(contents: Contents, language: Language) -> list[Section]:
    """The losses of each network over the epochs; nothing of a model that was read from a file."""
    model = contents.model
    histories = model.histories
    both = [value for h in histories for value in (*h.loss, *h.validation_loss) if isfinite(value)]
    if not both:
        return []
    low, high = min(both), max(both)
    epochs = max(history.epochs for history in histories)
    log = low > 0 and high / low > charts.WIDE
    chart = Chart.of(language, (1, max(epochs, 2)), (low, high), log_y=log, width=480.0, height=280.0)
    pale = 1.0 if len(histories) == 1 else 0.75 if len(histories) <= 8 else 0.4
    for history in histories:
        for values, class_ in ((history.loss, "a thin"), (history.validation_loss, "b thin")):
            places = _some(len(values))
            chart.line(places + 1, np.asarray(values, np.float64)[places], class_, pale)
    for history in histories:
        best = history.best_epoch
        if best is not None and history.validation_loss and isfinite(history.validation_loss[best - 1]):
            chart.dots([best], [history.validation_loss[best - 1]], "b")
    learned = min(value for h in histories for value in h.loss if isfinite(value))
    others = [value for h in histories for value in h.validation_loss if isfinite(value)]
    of_all = language(
        w.CURVES_ARE,
        epochs=language.count(epochs),
        learned=language.number(learned, 3),
        other=language.number(min(others), 3) if others else "–",
    )
    facts = language(
        w.CURVES_TOLD,
        networks=counted(language, len(histories), w.NETWORKS),
        parameters=counted(language, model.network.n_parameters, w.PARAMETERS),
    )
    legend = tag(
        "ul",
        tag("li", language(w.LEARNED), class_="a"),
        tag("li", language(w.NOT_LEARNED), class_="b"),
        class_="legend",
    )
    drawn = figure(chart.drawing(of_all, language(w.EPOCH), language(w.LOSS), whole=True), of_all)
    return [Section.of("curves", language(w.CURVES), tag("p", facts), legend, drawn)]


def _some(n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_OF_CURVE)).astype(np.int64))


def said(contents: Contents, language: Language) -> list[Section]:
    """What the model says of the rows, beside what is."""
    seen = contents.answers
    if isinstance(seen, ClassesSeen):
        return [_confusion(seen, language), _calibration(seen.reliability, language)]
    return [_predicted(seen, contents, language), _intervals(seen, language)]


# --- classes ----------------------------------------------------------------------------------------------------------


def _confusion(seen: ClassesSeen, language: Language) -> Section:
    parts: list[Html] = []
    if seen.matrix:
        parts += [tag("p", language(w.CONFUSION_TOLD)), _matrix(seen, language)]
    else:
        parts.append(tag("h3", language(w.COMMON_CONFUSIONS)))
        head = [language(words) for words in (w.IS_, w.TAKEN, w.COUNT_OF_ROWS, w.SHARE_OF_CLASS)]
        body = [
            [name(c.is_, 60), name(c.taken_for, 60), language.count(c.rows), language.share(c.share)]
            for c in seen.confusions
        ]
        parts.append(table(head, body, numbers=(2, 3)) if body else tag("p", language(w.NO_CONFUSIONS)))
    head = [language(words) for words in (w.CLASS, w.COUNT_OF_ROWS, w.RECALL, w.PRECISION)] + [joined("F1")]
    body = [
        [
            name(r.label, 60),
            language.count(r.rows),
            language.share(r.recall),
            language.share(r.precision),
            language.fixed(r.f1, 3),
        ]
        for r in seen.rates
    ]
    parts += [tag("h3", language(w.RATES)), tag("p", language(w.RATES_TOLD), class_="faint")]
    parts.append(table(head, body, numbers=(1, 2, 3, 4)))
    if len(seen.rates) < len(seen.labels):
        shown, all_ = language.count(len(seen.rates)), language.count(len(seen.labels))
        parts.append(tag("p", language(w.COMMONEST_CLASSES, shown=shown, all=all_), class_="faint"))
    return Section.of("confusion", language(w.CONFUSION), *parts)


def _matrix(seen: ClassesSeen, language: Language) -> Html:
    labels = [name(label, 24) for label in seen.labels]
    above = tag(
        "tr",
        tag("th", language(w.ACTUAL), scope="col", rowspan=2.0),
        tag("th", language(w.PREDICTION), scope="colgroup", colspan=float(len(labels))),
    )
    head = tag("tr", *(tag("th", label, scope="col") for label in labels))
    body = []
    for label, row in zip(labels, seen.matrix, strict=True):
        size = sum(row)
        cells = []
        for count in row:
            share = count / size if size else 0.0
            shown = language.share(share) if size else "–"
            told = joined(shown, tag("small", language.count(count)))
            cells.append(tag("td", told, style=f"--share:{HEAT * share:.0f}%"))
        body.append(tag("tr", tag("th", label, scope="row"), *cells))
    return tag("div", tag("table", tag("thead", above, head), tag("tbody", *body), class_="heat"), class_="wide")


def _calibration(seen: Reliability, language: Language) -> Section:
    said, met, rows = (np.array(values, np.float64) for values in (seen.said, seen.met, seen.rows))
    error = 2 * np.sqrt(np.maximum(met * (1 - met), 0.25 / (rows + 4)) / rows)
    chart = Chart.of(language, (0.0, 1.0), (0.0, 1.0), height=320.0)
    chart.line([0, 1], [0, 1], "guide")
    chart.whiskers(said, met - error, met + error, "b thin")
    chart.line(said, met, "a")
    chart.dots(said, met, "a large")
    of = name(seen.of, 60) if seen.of else language(w.THE_PREDICTED)
    ece = language(w.ECE, error=language.share(seen.error))
    curve = figure(chart.drawing(ece, language(w.SAID), language(w.MET)), ece)
    most = max(max(seen.steps), 1)
    bars = Chart.of(language, (0.0, 1.0), (0.0, float(most)), height=320.0)
    bars.bars(np.linspace(0, 1, len(seen.steps) + 1), seen.steps, "soft")
    sure = language(w.HOW_SURE)
    histogram = figure(bars.drawing(sure, language(w.SAID), language(w.COUNT_OF_ROWS), counts=True), sure)
    head = [language(w.SAID), language(w.MET), language(w.COUNT_OF_ROWS)]
    body = [
        [language.share(p), language.share(so), language.count(n)]
        for p, so, n in zip(seen.said, seen.met, seen.rows, strict=True)
    ]
    return Section.of(
        "calibration",
        language(w.CALIBRATION),
        tag("p", language(w.CALIBRATION_TOLD, of=of)),
        pictures(curve, histogram),
        folded(language(w.IN_NUMBERS), table(head, body, numbers=(0, 1, 2))),
    )


# --- numbers ----------------------------------------------------------------------------------------------------------


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    apart = LEAST_ROWS_RANGE * (high - low)
    return low - apart, high + apart


def _predicted(seen: QuantitySeen, contents: Contents, language: Language) -> Section:
    both = np.concatenate([seen.y, seen.predicted])
    log = bool(contents.model.target.form) and float(both.min()) > 0
    ends = (float(both.min()), float(both.max())) if log else _range(both)
    chart = Chart.of(language, ends, ends, log_x=log, log_y=log, height=360.0)
    chart.line(ends, ends, "guide")
    pale = 0.75 if len(seen.y) <= 400 else 0.4
    chart.dots(seen.y, seen.predicted, "a small", pale)
    target = name(contents.model.target.name, 40)
    actual, predicted = language(w.ACTUAL_OF, target=target), language(w.PREDICTED_OF, target=target)
    shown = language(w.PREDICTED_ACTUAL_TOLD)
    if len(seen.y) < seen.rows:
        some = language(w.SOME_POINTS, shown=language.count(len(seen.y)), all=language.count(seen.rows))
        shown = joined(shown, " ", some)
    points = figure(chart.drawing(shown, actual, predicted), shown)
    bars = Chart.of(
        language, (float(seen.edges[0]), float(seen.edges[-1])), (0.0, float(max(seen.errors))), height=360.0
    )
    bars.bars(seen.edges, seen.errors, "soft")
    if seen.edges[0] < 0 < seen.edges[-1]:
        bars.upright(0.0)
    median, bias = language.number(seen.median), language.number(seen.bias, 3)
    about = language(w.ERRORS_TOLD, bias=bias, median=median)
    errors = figure(bars.drawing(about, language(w.ERRORS), language(w.COUNT_OF_ROWS), counts=True), about)
    return Section.of("errors", language(w.PREDICTED_ACTUAL), pictures(points, errors))


def _intervals(seen: QuantitySeen, language: Language) -> Section:
    if not seen.coverages:
        return Section.of("intervals", language(w.INTERVALS), tag("p", language(w.TOO_FEW)))
    head = [language(words) for words in (w.PROMISED, w.HELD, w.WIDTH)]
    body: Sequence[Sequence[str]] = [
        [language.share(c.promised, 0), language.share(c.held), language.number(c.width)] for c in seen.coverages
    ]
    words = w.INTERVALS_TOLD if seen.out_of_fold else w.INTERVALS_OF_ROWS
    about = tag("p", language(words))
    return Section.of("intervals", language(w.INTERVALS), about, table(head, body, numbers=(0, 1, 2)))
