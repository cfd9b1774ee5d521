"""Cells read as numbers, booleans, dates or labels: whole columns at a time, by pyarrow.

Each function returns NumPy values and a mask of the cells that are something else (`odd`); a
missing cell is NaN (or code -1) and never odd. What to do about an odd cell is the caller's
decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reseau.errors import DataError
from reseau.table import Column, quoted

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)$"
LEADING_ZERO = r"^0\d"  # 01000 is a code (a postal code, a department), not the number 1000
WORDS = {
    word: value
    for yes, no in (
        ("true", "false"),
        ("yes", "no"),
        ("t", "f"),
        ("y", "n"),
        ("vrai", "faux"),
        ("oui", "non"),
    )
    for word, value in ((yes, 1.0), (no, 0.0))
}

# The orders of day, month and year; the first that fits every cell of a column, if no other fits
# too.
_TIME = (
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?$"
)
_DAY, _MONTH, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4})"
DATE_ORDERS = {
    "year-month-day": f"^{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}{_TIME}",
    "day-month-year": f"^{_DAY}[-/.]{_MONTH}[-/.]{_YEAR}{_TIME}",
    "month-day-year": f"^{_MONTH}[-/]{_DAY}[-/]{_YEAR}{_TIME}",
}


@dataclass(frozen=True)
class Labels:
    """A column of labels: `levels[codes[i]]` is cell i; -1 is missing."""

    codes: npt.NDArray[np.int64]  # (rows,)
    levels: list[str]

    def counts(self, rows: npt.NDArray[np.int64] | slice = slice(None)) -> npt.NDArray[np.int64]:
        """How many of the rows hold each level."""
        codes = self.codes[rows]
        return np.bincount(codes[codes >= 0], minlength=len(self.levels))


def is_text(cells: pa.ChunkedArray) -> bool:
    """Whether the cells are text (of a CSV file, or of a column of strings)."""
    return bool(pa.types.is_large_string(cells.type))


def is_date(cells: pa.ChunkedArray) -> bool:
    """Whether the column comes with a type of dates."""
    return bool(pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type))


def is_number(cells: pa.ChunkedArray) -> bool:
    """Whether the column comes with a type of numbers (a duration is a number of seconds)."""
    kind = cells.type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_time(kind)
        or pa.types.is_duration(kind)
    )


def has_codes(cells: pa.ChunkedArray) -> bool:
    """Whether a cell of text begins like a code: digits after a zero."""
    return bool(pc.any(pc.match_substring_regex(cells, LEADING_ZERO)).as_py())


def numbers(cells: pa.ChunkedArray) -> tuple[Floats, Mask]:
    """Read numbers; times of day and durations become seconds, booleans 0 and 1."""
    odd = np.zeros(len(cells), np.bool_)
    if pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type):
        cells = cells.cast(pa.int8())
    elif pa.types.is_time(cells.type):
        cells = pc.divide(cells.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
    elif pa.types.is_duration(cells.type):
        microseconds = cells.cast(pa.duration("us"), safe=False).cast(pa.int64())
        cells = pc.divide(microseconds.cast(pa.float64(), safe=False), 1e6)
    elif is_text(cells):
        if not _castable(cells):
            fits = pc.match_substring_regex(cells, NUMBER)
            odd = mask(pc.invert(fits))
            cells = pc.if_else(fits, cells, pa.scalar(None, cells.type))
    elif not is_number(cells):
        return np.full(len(cells), np.nan), mask(pc.is_valid(cells))
    return _floats(cells.cast(pa.float64(), safe=False)), odd


def booleans(cells: pa.ChunkedArray) -> tuple[Floats, Mask]:
    """Read booleans as 0 and 1: the type, the numbers 0 and 1, or the usual pairs of words."""
    if is_text(cells):
        labels = label_codes(cells)
        values = np.array([WORDS.get(level.lower(), np.nan) for level in labels.levels] + [np.nan])
        read = values[labels.codes]
        odd = np.isnan(read) & (labels.codes >= 0)
        if not odd.any():
            return read, odd
    read, odd = numbers(cells)
    odd |= (read != 0) & (read != 1) & ~np.isnan(read)
    return np.where(odd, np.nan, read), odd


def dates(cells: pa.ChunkedArray, order: str) -> tuple[Floats, Mask]:
    """Read dates as seconds since 1970 (UTC where a zone is written)."""
    if is_date(cells):
        microseconds = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return _floats(microseconds.cast(pa.float64(), safe=False)) / 1e6, np.zeros(len(cells), np.bool_)
    valid = mask(pc.is_valid(cells))
    if not is_text(cells):
        return np.full(len(cells), np.nan), valid
    parts = pc.extract_regex(cells, DATE_ORDERS[order])
    fits = mask(pc.is_valid(parts))

    def part(name: str, least: float) -> Floats:
        text = pc.struct_field(parts, name)
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
        return np.nan_to_num(_floats(text.cast(pa.float64())), nan=least)

    year, month, day = part("year", 1970), part("month", 1), part("day", 1)
    hour, minute, second = part("hour", 0), part("minute", 0), part("second", 0)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    exists = (month >= 1) & (month <= 12) & (days.astype("datetime64[M]") == months) & (day >= 1)
    exists &= (year >= 1) & (hour < 24) & (minute < 60) & (second < 61)
    seconds = days.astype(np.int64) * 86400.0 + hour * 3600 + minute * 60 + second
    seconds -= _zone_seconds(pc.struct_field(parts, "zone"))
    good = fits & exists
    return np.where(good, seconds, np.nan), valid & ~good


def date_order(cells: pa.ChunkedArray) -> tuple[str | None, bool]:
    """Find the one order of day, month and year that fits; else None, and whether several do."""
    if is_date(cells):
        return "year-month-day", False
    if not is_text(cells):
        return None, False
    fitting = [order for order in DATE_ORDERS if not dates(cells, order)[1].any()]
    return (fitting[0] if len(fitting) == 1 else None), len(fitting) > 1


def label_codes(cells: pa.ChunkedArray) -> Labels:
    """Read the cells as labels, whatever their type."""
    if not is_text(cells):
        cells = cells.cast(pa.large_string())
    encoded = cells.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):  # pyarrow < 18 kept no, one or many chunks
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = np.asarray(encoded.indices.fill_null(-1), dtype=np.int64)
    return Labels(codes, encoded.dictionary.to_pylist())


def refuse(column: Column, row: int, is_not: str) -> NoReturn:
    """Raise the error that names a cell, its column and its place."""
    value: Any = column.cells[row].as_py()
    raise DataError(f"column {column.name!r}: {quoted(value)} ({column.place(row)}) {is_not}")


def refuse_odd(column: Column, odd: Mask, is_not: str) -> None:
    """Raise the error that names the first odd cell, if there is one."""
    if odd.any():
        refuse(column, int(odd.argmax()), is_not)


def refuse_too_large(column: Column, values: Floats) -> None:
    """Raise for an infinite value, or one that float32 cannot hold."""
    with np.errstate(invalid="ignore"):
        large = np.abs(values) > np.finfo(np.float32).max
    if not large.any():
        return
    row = int(large.argmax())
    written = str(column.cells[row].as_py()).lower().lstrip("+-")
    if np.isinf(values[row]) and written in ("inf", "infinity"):
        refuse(column, row, "is infinite; correct it, or leave the cell empty for a missing value.")
    refuse(
        column,
        row,
        "is too large for float32 (beyond 3.4e38); correct it, or give the column in another unit.",
    )


def _zone_seconds(zone: pa.ChunkedArray) -> Floats:
    written = label_codes(zone)
    offsets = [0.0]  # code -1, no date at all, is the last: any number will do
    for level in reversed(written.levels):
        sign = -1 if level.startswith("-") else 1
        digits = level.lstrip("+-").replace(":", "")
        hours_minutes = digits not in ("", "Z")
        offset = sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60) if hours_minutes else 0
        offsets.insert(0, float(offset))
    return cast("Floats", np.array(offsets)[written.codes])


def _castable(cells: pa.ChunkedArray) -> bool:
    try:
        cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _floats(cells: pa.ChunkedArray) -> Floats:
    return np.asarray(cells.to_numpy(), dtype=np.float64)


def mask(cells: pa.ChunkedArray) -> Mask:
    """Turn a column of booleans into a NumPy mask; missing is False."""
    return np.asarray(cells.fill_null(False).to_numpy(), dtype=np.bool_)
