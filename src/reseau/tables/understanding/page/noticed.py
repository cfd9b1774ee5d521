"""What is remarkable about a table and its target, each as a `Finding`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.tables.columns import sentinels
from reseau.tables.columns.asked import option
from reseau.tables.columns.kinds import Number
from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading.cells import Codes, Floats, Labels, Mask
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.alike import alike
from reseau.tables.understanding.page.findings import Counted, Finding, Share, Typed, few
from reseau.tables.understanding.page.leaks import Columns, leaks, of_rows
from reseau.visible import plural

if TYPE_CHECKING:
    from reseau.tables.model import TableModel
    from reseau.tables.understanding.page.seen import Seen

RARE, RARE_SHARE = 10, 0.01  # rows of a class, and their share
COMMON = 0.9  # the share of a class from which accuracies say little
SKEWED = 2.0  # skewness from which a target is called skewed; an exponential distribution has it
HUMP = 0.1  # share of rows with one and the same number, among many others
MANY_MISSING = 0.5
BEYOND_CHANCE = 5.0  # deviations, from which what goes with the target does not do so by chance
LEAST_DIFFERENCE = 0.1, 0.3  # of shares, and of means in deviations, that is worth a word
MOST_ALIKE = 5  # findings of one kind


def notice(model: TableModel, evidence: Evidence, seen: Seen) -> tuple[list[Finding], list[str]]:
    """What is noticed, what is grave first; and the notes of the model that tell something else.

    Parameters
    ----------
    model : TableModel
    evidence : Evidence
        From a table.
    seen : Seen
        The same table as it was read.
    """
    y, task, target = seen.y, model.target.task, model.target.name
    values = seen.values
    used = [(d, of_rows(v, seen.rows)) for d, v in zip(model.columns, values, strict=True) if d.features]
    notes, found = list(model.notes), []
    lost = seen.target.missing
    if lost:
        found.append(Finding(w.TARGET_MISSING, parts={"rows": Counted(lost, w.ROWS), "target": target}))
        notes = [note for note in notes if note != f"{plural(lost, 'row')} without a value in {target!r} left out"]
    for d, v in zip(model.columns, values, strict=True):
        if isinstance(d, Number) and not isinstance(v, Labels) and not np.isnan(v).all():
            told = sentinels.sentinels(evidence.table.columns[d.name].cells, v)
            if told:
                found.append(_sentinels(d.name, v))
                notes = [note for note in notes if note != f"{d.name}: {told[0]}"]
    grouped = "groups" in model.training
    found += [*leaks(used, y, task, target), *alike(used, y, task, target, grouped)]
    found += [*_OF_TARGET[task](model, y), *_missing(used, y, task, model)]
    return sorted(found, key=lambda finding: not finding.grave), notes


def _sentinels(name: str, values: Floats) -> Finding:
    marks, others = sentinels.apart(values[~np.isnan(values)])
    rows = Counted(int(np.isin(values, marks).sum()), w.ROWS)
    written = [f"{mark:.15g}" for mark in marks]
    typed = Typed(" ".join(option("missing", mark) for mark in written))
    parts = {"column": name, "marks": written, "rows": rows, "option": typed}
    return Finding(w.SENTINELS, True, parts | {"low": float(others.min()), "high": float(others.max())})


# --- the target -------------------------------------------------------------------------------------------------------


def _classes(model: TableModel, y: Codes) -> Iterator[Finding]:
    names, n = model.target.names, len(y)
    counts = np.bincount(y, minlength=len(names))
    order = np.argsort(counts, kind="stable")
    rare = [int(i) for i in order if counts[i] < max(RARE, RARE_SHARE * n)]
    if rare:
        named = few([names[i] for i in rare])
        yield Finding(w.RARE, parts={"classes": named, "count": Counted(len(rare), w.RARE_CLASSES)})
    if counts.max() > COMMON * n:
        most = int(counts.argmax())
        parts = {"share": Share(counts[most] / n), "label": names[most], "target": model.target.name}
        yield Finding(w.IMBALANCE, parts=parts)


def _quantity(model: TableModel, y: Floats) -> Iterator[Finding]:
    target, name = model.target, model.target.name
    deviation = float(y.std())
    if deviation and abs(float((((y - y.mean()) / deviation) ** 3).mean())) > SKEWED:
        parts = {"target": name, "low": float(y.min()), "median": float(np.median(y)), "high": float(y.max())}
        learned = w.LEARNED_AS.get(target.form, w.LEARNED_AS_MEAN)
        yield Finding(w.SKEWED, parts=parts | {"learned": learned})
    met, counts = np.unique(y, return_counts=True)
    if len(met) > 2 / HUMP and counts.max() > HUMP * len(y):
        most = int(counts.argmax())
        parts = {"share": Share(counts[most] / len(y)), "target": name, "value": float(met[most])}
        yield Finding(w.HUMP, parts=parts)


_OF_TARGET: dict[str, Callable[[TableModel, npt.NDArray[Any]], Iterator[Finding]]] = {
    "classification": _classes,
    "regression": _quantity,
}


# --- missing cells ----------------------------------------------------------------------------------------------------


def _missing(used: Columns, y: npt.NDArray[Any], task: str, model: TableModel) -> list[Finding]:
    many, told = [], []
    for d, values in used:
        absent = values.codes < 0 if isinstance(values, Labels) else np.isnan(values)
        share = float(absent.mean())
        if share > MANY_MISSING:
            many.append((d.name, Share(share)))
        if 0 < share < 1:
            found = _GOES_WITH[task](absent, y, model)
            if found is not None:
                told.append((found[0], d.name, found[1]))
    findings = [Finding(w.MANY_MISSING, parts={"columns": few(many)})] if many else []
    words = w.MISSING_TELLS_CLASS if task == "classification" else w.MISSING_TELLS_NUMBER
    told.sort(key=lambda one: -one[0])
    for _, name, parts in told[:MOST_ALIKE]:
        findings.append(Finding(words, parts={"column": name, "target": model.target.name, **parts}))
    return findings


def _class_goes_with(absent: Mask, y: Codes, model: TableModel) -> tuple[float, dict[str, Any]] | None:
    """The class whose share differs most where a column is missing, by so many deviations of chance."""
    n, k, names = len(y), len(model.target.names), model.target.names
    m = int(absent.sum())
    of_absent, of_all = np.bincount(y[absent], minlength=k), np.bincount(y, minlength=k)
    there, elsewhere, p = of_absent / m, (of_all - of_absent) / (n - m), of_all / n
    z = np.abs(there - elsewhere) / np.sqrt(np.maximum(p * (1 - p), 1e-12) * (1 / m + 1 / (n - m)))
    j = int(z.argmax())
    if z[j] < BEYOND_CHANCE or abs(there[j] - elsewhere[j]) < LEAST_DIFFERENCE[0]:
        return None
    return float(z[j]), {"label": names[j], "there": Share(there[j]), "elsewhere": Share(elsewhere[j])}


def _number_goes_with(absent: Mask, y: Floats, model: TableModel) -> tuple[float, dict[str, Any]] | None:
    """The means where a column is missing and where it is not, if they differ by so many deviations of chance."""
    n, m, deviation = len(y), int(absent.sum()), float(y.std())
    there, elsewhere = float(y[absent].mean()), float(y[~absent].mean())
    apart = abs(there - elsewhere)
    if not deviation or apart < LEAST_DIFFERENCE[1] * deviation:
        return None
    z = apart / (deviation * np.sqrt(1 / m + 1 / (n - m)))
    return (float(z), {"there": there, "elsewhere": elsewhere}) if z > BEYOND_CHANCE else None


_GOES_WITH: dict[str, Callable[..., tuple[float, dict[str, Any]] | None]] = {
    "classification": _class_goes_with,
    "regression": _number_goes_with,
}
