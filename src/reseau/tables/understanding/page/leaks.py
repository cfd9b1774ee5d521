"""Columns of which one alone tells the target nearly perfectly: most often it was written down after the target.

Each row is told by the others: of a column of numbers by the nearest ones before and behind it, of labels by those of
the same label. This sees copies, thresholds and whatever rises or falls with the target, and noise makes it worse than
a model would be, so that what is found is no matter of chance. Numbers are told by rank, so that the largest do not
decide alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau.tables.columns.asked import option
from reseau.tables.columns.description import Description, Values
from reseau.tables.reading.cells import Codes, Floats, Labels
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.findings import Finding, Share, Typed, few

LEAK = 0.99  # of the rows that one column tells, or the R² of it by rank
LEAST_ROWS = 30  # among which a column that tells the target does not do so by chance
MOST_ROWS, MOST_CELLS = 20_000, 10_000_000  # in which leaks are looked for
FEWEST_ROWS = 500  # in which they are, however many columns there are
BETTER = 10  # times fewer rows are wrong than for the simplest guess, or a class is merely common
MOST_ALIKE = 5  # that have a sentence of their own

Columns: TypeAlias = list[tuple[Description, Values]]  # that the model has inputs of, with their values
_Told: TypeAlias = Callable[[Values], float]


def leaks(used: Columns, y: npt.NDArray[Any], task: str, target: str) -> list[Finding]:
    """Find the columns that alone tell the target, (rows,)."""
    n = len(y)
    if n < LEAST_ROWS:
        return []
    most = min(n, MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // max(len(used), 1)))
    order = np.random.default_rng(0).permutation(n)[:most]  # so that equal cells lie beside one another in any order
    told_by, words, as_told = _TASKS[task]
    told = told_by(y[order])
    scores = [(told(of_rows(values, order)), d.name) for d, values in used]
    found = sorted((pair for pair in scores if pair[0] > LEAK), key=lambda pair: -pair[0])
    findings = []
    for score, name in found[:MOST_ALIKE]:
        parts = {"column": name, "target": target, "score": as_told(score), "option": Typed(option("ignore", name))}
        findings.append(Finding(words, True, parts))
    rest = [name for _, name in found[MOST_ALIKE:]]
    return findings + [Finding(w.MORE_LEAKS, True, {"columns": few(rest), "target": target})] * bool(rest)


def of_rows(values: Values, rows: npt.NDArray[np.int64]) -> Values:
    """The values of these rows."""
    return values[rows]


def groups_of(values: Labels) -> Codes:
    """The label of each row, from 0 on; missing cells are one too."""
    codes = np.where(values.codes < 0, len(values.texts), values.codes)
    return np.asarray(np.unique(codes, return_inverse=True)[1], np.int64)


def _classes(y: Codes) -> _Told:
    """The share of rows of the class that most of the nearest rows have; 0 where guessing is nearly as good."""
    k, n, rows = int(y.max()) + 1, len(y), np.arange(len(y))
    commonest = int(np.bincount(y).argmax())
    simplest = int((y != commonest).sum())

    def told(values: Values) -> float:
        if isinstance(values, Labels):
            codes = groups_of(values)
            others = np.bincount(codes * k + y, minlength=(int(codes.max()) + 1) * k).reshape(-1, k)[codes]
            others[rows, y] -= 1
            wrong = int((np.where(others.any(axis=1), others.argmax(axis=1), commonest) != y).sum())
        else:
            order, places = _neighbours(values)
            near = y[order][places]  # (rows, 4)
            votes = (near[:, :, None] == near[:, None, :]).sum(axis=2)
            wrong = int((near[rows, votes.argmax(axis=1)] != y[order]).sum())
        if BETTER * wrong >= simplest:
            return 0.0
        return 1 - (wrong - (wrong == 1)) / n  # one may be where a class ends and the next begins

    return told


def _quantity(y: Floats) -> _Told:
    """R², in ranks, of the mean of the nearest rows."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[inverse]
    ranks -= ranks.mean()
    total = float(ranks @ ranks)

    def told(values: Values) -> float:
        if isinstance(values, Labels):
            codes = groups_of(values)
            others = np.bincount(codes)[codes] - 1
            error = ranks - (np.bincount(codes, ranks)[codes] - ranks) / np.maximum(others, 1)
        else:
            order, places = _neighbours(values)
            error = ranks[order] - ranks[order][places[:, :2]].mean(axis=1)
        return 1 - float(error @ error) / total

    return told


def _neighbours(values: Floats) -> tuple[Codes, Codes]:
    """The rows in the order of their values, missing ones last; and the places beside each there, the nearest first."""
    order = np.argsort(values, kind="stable")
    n = len(order)
    places = np.arange(n)[:, None] + np.array([-1, 1, -2, 2])
    places = np.where(places < 0, places + 5, np.where(places >= n, places - 5, places))  # at the ends one farther in
    return order, places


_TASKS: dict[str, tuple[Callable[[npt.NDArray[Any]], _Told], Any, Callable[[float], float]]] = {
    "classification": (_classes, w.LEAK_OF_CLASS, Share),
    "regression": (_quantity, w.LEAK_OF_NUMBER, lambda score: round(score, 4)),
}
