"""Numbers that stand for a missing value: -9999, or 97, 98 and 99, met again far from all the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from reseau.tables.columns.asked import option
from reseau.visible import plural

if TYPE_CHECKING:
    from reseau.tables.reading.cells import Floats

SENTINEL = re.compile(r"-?(9{2,}(\.9+)?|9\.9{2,})")
MOST = 4  # that follow one another: 96, 97, 98, 99


def sentinels(cells: pa.ChunkedArray, values: Floats) -> list[str]:
    """Tell of the numbers of a column, as its cells write them, that stand apart; nothing if there are none."""
    present = values[~np.isnan(values)]
    found, others = apart(present)
    if not len(found):
        return []
    written = [cells[int((values == value).argmax())].as_py() for value in found]
    marks = [mark if isinstance(mark, str) else f"{mark:.15g}" for mark in written]
    options = " ".join(option("missing", mark) for mark in marks)
    rows = plural(int(np.isin(present, found).sum()), "row")
    several = len(found) > 1
    stand, marks_missing = ("stand", "they mark missing values") if several else ("stands", "it marks a missing value")
    where = f"{', '.join(marks)} in {rows} {stand} apart from the others ({others.min():.6g} to {others.max():.6g})"
    return [f"{where}; if {marks_missing}, {options} {'read them' if several else 'reads it'} so"]


def apart(present: Floats) -> tuple[Floats, Floats]:
    """Return the sentinels among numbers, in increasing order, and the different other numbers."""
    values, counts = np.unique(present, return_counts=True)
    for step in (1, -1):  # from either end
        ends, met = values[::step], counts[::step]
        if not SENTINEL.fullmatch(f"{ends[0]:.15g}"):
            continue
        n = 1  # the codes just before it too: no answer, does not know, does not apply
        inwards = -1.0 if ends[0] > 0 else 1.0
        while n < min(MOST, len(values) - 1) and ends[n] == ends[n - 1] + inwards:
            n += 1
        others = ends[n:]
        if met[:n].min() < 2 or met[n:].sum() < 2:
            continue
        low, high = float(others.min()), float(others.max())
        gap = abs(ends[n - 1] - others[0])
        if gap > max(high - low, abs(low) / 2, abs(high) / 2) or ends[0] < 0 <= low:
            return np.sort(ends[:n]), others
    return values[:0], values
