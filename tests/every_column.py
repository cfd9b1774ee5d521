"""A table model with columns of every kind, as trained models and those of older releases have them, and its rows."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

import reseau as rs
from reseau.tables.columns import kinds as columns
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import Description
from reseau.tables.columns.kinds import Boolean, Date, Number
from reseau.tables.reading.table import Column
from reseau.tables.targets.quantity import Quantity

SCALED: dict[str, Any] = {"missing": True, "limit": 10.0, "squash": True}
TEXTS = ("-", 'not "said"??/', "ohne Angabe — né")  # that count as missing
COLUMNS: tuple[Description, ...] = (
    Number("size", fill=0.0, centre=0.0, scale=1.0, **SCALED),
    Number("tiny", fill=3e-30, centre=3e-30, scale=1e-30, **SCALED),
    Number("huge", fill=-1e37, centre=-1e37, scale=2e37, **SCALED),
    Number("old", fill=1.5, centre=2.0, scale=0.5, limit=5.0),
    Number("still", fill=0.1, centre=0.1, scale=1.0, limit=1e-12, missing=True),  # what did not vary at training
    Date("when", fill=19000.25, centre=19000.25, scale=400.0, cycles=("year", "week", "day"), **SCALED),
    Date("old date", fill=7.5, missing=True, centre=19000.0, scale=3000.0, cycles=("week",)),
    Date("at", "time of day", fill=0.5, centre=0.5, scale=0.25, cycles=("day",), **SCALED),
    Category("place", levels=("a", "b"), other=True, missing=True, also_missing=TEXTS),
    Category("sort", levels=("a",), other=True, also_missing=("?",)),  # where a missing cell has no input
    Category("answer", levels=("NA", "none", "yes"), missing=True, verbatim=True),
    Boolean("flag", fill=0.25, missing=True, also_missing=("-",)),
    Number("sent", fill=1.0, centre=1.0, scale=2.0, also_missing=("-9999", "999.5"), **SCALED),
    Boolean("coded", fill=0.5, missing=True, also_missing=("-1",)),
)
FEATURES = [feature for description in COLUMNS for feature in description.features]

# None of them is below the normal numbers of float32, which -Ofast takes for 0, in the whole process.
_SIZES = [0.0, *(10.0**k for k in (-300, -37, -20, -9, -6, -5, -4.9, -3, -1, 0, 1, 3, 4, 4.1, 9, 30, 38))]
_STEPS = [0.0, *(sign * size for size in _SIZES[1:] for sign in (1, -1))]
_WHEN = [datetime(2022, 1, 8, 6) + timedelta(days=float(np.clip(400 * z, -7e5, 7e5))) for z in _STEPS]
_TIMES = [time(0), time(12), time(8, 30), time(23, 59, 59), time(6, 0, 0, 250_000)]


def _of(values: list[Any]) -> list[Any]:
    """As many as there are rows, the last of them missing."""
    return [values[i % len(values)] for i in range(len(_STEPS))] + [None]


ROWS: dict[str, list[Any]] = {
    "size": _of(_STEPS),
    "tiny": _of([float(np.clip((3 + z) * 1e-30, -3e38, 3e38)) for z in _STEPS]),
    "huge": _of([float(np.clip((2 * z - 1) * 1e37, -3e38, 3e38)) for z in _STEPS]),
    "old": _of([float(np.clip(z, -3e38, 3e38)) for z in _STEPS]),
    "still": _of([float(np.clip(0.1 + z, -3e38, 3e38)) for z in _STEPS]),
    "when": _of(_WHEN),
    "old date": _of(_WHEN[::-1]),
    "at": _of(_TIMES),
    "place": _of(["a", "b", "c", "", "NA", "?", *TEXTS]),
    "sort": _of(["a", "b", "?", "", "n/a"]),
    "answer": _of(["NA", "none", "yes", "null", ""]),
    "flag": _of([1.0, 0.0]),
    "sent": _of([-9999.0, -9998.0, 999.5, 999.0, 1.0]),
    "coded": _of([0.0, 1.0, -1.0]),
}


def model() -> rs.TableModel:
    """The model: the quantity is what a network with random weights makes of them."""
    network = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1, "identity"), inputs=len(FEATURES), seed=0)
    return rs.TableModel(COLUMNS, Quantity("y", 3.0, 2.0), network, None, {})


def days(cell: datetime | time | None) -> float:
    """What a date or time is in days since 1970; NaN if it is missing."""
    if cell is None:
        return np.nan
    if isinstance(cell, time):
        cell = datetime.combine(datetime(1970, 1, 1), cell)
    return (cell - datetime(1970, 1, 1)) / timedelta(days=1)


def encoded() -> np.ndarray[Any, Any]:
    """What Python makes of the rows: X (rows, features) in float32."""
    values: list[Any] = []
    for description in COLUMNS:
        cells = ROWS[description.name]
        if isinstance(description, Category):
            text = pa.chunked_array([pa.array([cell or None for cell in cells], pa.large_string())])
            values.append(description.read(Column(description.name, text, str)))
        elif isinstance(description, Date):
            values.append(np.array([days(cell) for cell in cells]))
        else:
            numbers = pa.chunked_array([pa.array(cells, pa.float64())])
            values.append(description.read(Column(description.name, numbers, str)))
    return columns.encode(COLUMNS, values, len(cells))
