"""Rows that a table model can read, to try out what is written of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from reseau.tables.columns.category import Category
from reseau.tables.columns.description import Description
from reseau.tables.columns.kinds import Boolean, Date, Number, encode, read_columns
from reseau.tables.columns.text import Text
from reseau.tables.reading.cells import Floats
from reseau.tables.reading.dates import TIME_OF_DAY
from reseau.tables.reading.table import read_table

Cell: TypeAlias = float | str | datetime | time | None
Row: TypeAlias = list[Cell]

COUNT = 5  # rows
LARGEST = float(np.finfo(np.float32).max)
UNKNOWN = "something else"  # a text that no column knows
FAR = 1e5  # scales from the centre: beyond the limit, and still a number of float
EPOCH = datetime(1970, 1, 1)
DAYS_KNOWN = 700_000  # how far from 1970 a date may be that `datetime` can hold


def rows(columns: Sequence[Description]) -> list[Row]:
    """Rows that columns can read, a cell for each of them: ordinary, far, unknown and missing ones."""
    rng = np.random.default_rng(0)
    return [[_cell(d, (r + c) % COUNT, r, float(rng.normal())) for c, d in enumerate(columns)] for r in range(COUNT)]


def _cell(description: Description, which: int, row: int, deviations: float) -> Cell:
    """The cell of a row: missing, far or unknown, else ordinary, so many deviations from the middle."""
    if which == COUNT - 1:
        return None
    return _CELLS[description.cell_kind][1](description, which == COUNT - 2, row, deviations)


def _number(d: Number, far: bool, row: int, deviations: float) -> Cell:
    digits = 2 - int(np.floor(np.log10(d.scale)))  # a few of what varies
    value = round(d.centre + _out(d, far, deviations) * d.scale, digits)
    return float(np.clip(value, -LARGEST, LARGEST))


def _boolean(d: Boolean, far: bool, row: int, deviations: float) -> Cell:
    return float(deviations > 0)


def _category(d: Category, far: bool, row: int, deviations: float) -> Cell:
    return UNKNOWN if far or not d.levels else d.levels[row % len(d.levels)]


def _text(d: Text, far: bool, row: int, deviations: float) -> Cell:
    return UNKNOWN if far else f"L'été à Évreux, MAISON de {row} pièces — maison Nº {row * row}"


def _date(d: Date, far: bool, row: int, deviations: float) -> datetime:
    return _moment(d, far, deviations, -DAYS_KNOWN, DAYS_KNOWN)


def _time(d: Date, far: bool, row: int, deviations: float) -> time:
    return _moment(d, far, deviations, 0.0, 86399 / 86400).time()


def _moment(d: Date, far: bool, deviations: float, first: float, last: float) -> datetime:
    days = float(np.clip(d.centre + _out(d, far, deviations) * d.scale, first, last))
    return EPOCH + timedelta(seconds=round(days * 86400))


def _out(d: Number | Date, far: bool, deviations: float) -> float:
    """Further out, where what is far is squashed."""
    return deviations * FAR if far and d.squash else deviations


_CELLS: dict[str, tuple[pa.DataType, Callable[[Any, bool, int, float], Cell]]] = {
    "number": (pa.float64(), _number),
    "boolean": (pa.float64(), _boolean),
    "category": (pa.large_string(), _category),
    "text": (pa.large_string(), _text),
    "date": (pa.timestamp("us"), _date),
    TIME_OF_DAY: (pa.time64("us"), _time),
}


def seconds(cell: datetime | time) -> float:
    """The seconds since 1970 of a date, since midnight of a time."""
    return ((cell if isinstance(cell, datetime) else datetime.combine(EPOCH, cell)) - EPOCH).total_seconds()


def encoded(columns: Sequence[Description], cells: Sequence[Row]) -> Floats:
    """What the columns make of such rows: X (rows, d), numbers of float32."""
    cells_of = {
        d.name: pa.array([row[place] for row in cells], _CELLS[d.cell_kind][0]) for place, d in enumerate(columns)
    }
    table = read_table(pa.table(cells_of))
    return encode(columns, read_columns(columns, table), table.rows).astype(np.float64)
