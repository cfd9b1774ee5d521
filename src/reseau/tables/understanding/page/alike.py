"""Rows with the same inputs, and columns with the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.tables.columns.description import Values
from reseau.tables.reading.cells import Codes, Labels
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.findings import Counted, Finding, Share, Typed, few
from reseau.tables.understanding.page.leaks import Columns, groups_of

Hashes = npt.NDArray[np.uint64]
BEYOND_CHANCE = 10.0  # times as many pairs of rows are alike as of columns that have nothing to do with one another


def alike(used: Columns, y: npt.NDArray[Any], task: str, target: str, grouped: bool) -> list[Finding]:
    """Find rows whose inputs are those of another, with the same target or another one, and columns that are copies.

    Copies of rows are grave where it is no chance that they are alike, and nobody has kept rows together in groups.
    """
    rows = np.zeros(len(y), np.uint64)
    columns: dict[int, list[str]] = {}
    for place, (description, values) in enumerate(used):
        hashed = _hashed(values)
        rows = _mixed(rows ^ (hashed * np.uint64(2 * place + 1)))
        columns.setdefault(hash(hashed.tobytes()), []).append(description.name)
    found = [Finding(w.SAME_COLUMNS, parts={"columns": few(names)}) for names in columns.values() if len(names) > 1]
    _, first, inputs = np.unique(rows, return_index=True, return_inverse=True)
    of_target = _bits(y.astype(np.float64))
    both = _mixed(rows) ^ of_target
    sizes = np.unique(both, return_counts=True)[1]
    copies = int(sizes[sizes > 1].sum())
    if copies:
        chance = _alike(of_target)  # that two rows are alike, if columns had nothing to do with one another
        for _, values in used:
            chance *= _alike(_hashed(values)[first])
        grave = len(used) > 1 and not grouped and _alike(both) > BEYOND_CHANCE * chance
        parts = {"rows": Counted(copies, w.ROWS), "option": Typed("--groups")}
        found.append(Finding(w.COPIES if grave else w.COPIES_NOTED, grave, parts))
    return found + _CONTRADICTIONS[task](inputs.astype(np.int64), y, target)


def _hashed(values: Values) -> Hashes:
    """A number for each value of a column, the same for the same value."""
    return _mixed(_in_order(groups_of(values)) if isinstance(values, Labels) else _bits(values))


def _alike(hashed: Hashes) -> float:
    """The share of pairs of rows that are alike."""
    n, counts = len(hashed), np.unique(hashed, return_counts=True)[1].astype(np.float64)
    return float(counts @ (counts - 1)) / (n * (n - 1)) if n > 1 else 0.0


def _in_order(codes: Codes) -> Hashes:
    """The codes of labels, numbered anew in the order in which they are met, so that their names do not matter."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first)).astype(np.uint64)[inverse]


def _bits(values: npt.NDArray[np.float64]) -> Hashes:
    """The bits of numbers, of which equal ones have the same."""
    plain = np.where(np.isnan(values), np.nan, values + 0.0)
    return plain.view(np.uint64)


def _mixed(bits: Hashes) -> Hashes:
    """Whole numbers of 64 bits, spread over all of them [1].

    [1] G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, 2014: SplitMix64.
    """
    z = bits + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _contradicting_classes(inputs: Codes, y: Codes, target: str) -> list[Finding]:
    """Rows with inputs of which there are several classes; at best each gets its commonest."""
    k = int(y.max()) + 1
    pairs, counts = np.unique(inputs * k + y, return_counts=True)
    most = np.zeros(int(inputs.max()) + 1, np.int64)
    np.maximum.at(most, pairs // k, counts)
    sizes = np.bincount(inputs)
    rows = int(sizes[sizes > most].sum())
    parts = {"rows": Counted(rows, w.ROWS), "target": target, "share": Share(most.sum() / len(y))}
    return [Finding(w.CONTRADICTING_CLASSES, parts=parts)] if rows else []


def _contradicting_numbers(inputs: Codes, y: npt.NDArray[np.float64], target: str) -> list[Finding]:
    """Rows with inputs of which there are several numbers; at best each gets their mean."""
    sizes = np.bincount(inputs)
    away = y - (np.bincount(inputs, y) / sizes)[inputs]
    away[np.abs(away) <= 1e-9 * np.abs(y)] = 0.0
    differing = np.bincount(inputs, away != 0) > 0
    rows, total = int(sizes[differing].sum()), float(((y - y.mean()) ** 2).sum())
    if not rows or not total:
        return []
    best = 1 - float(away @ away) / total
    return [
        Finding(w.CONTRADICTING_NUMBERS, parts={"rows": Counted(rows, w.ROWS), "target": target, "r2": max(best, 0.0)})
    ]


_CONTRADICTIONS: dict[str, Callable[..., list[Finding]]] = {
    "classification": _contradicting_classes,
    "regression": _contradicting_numbers,
}
