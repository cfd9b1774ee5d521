"""Dates, months, weeks, quarters and times of day in text: found and read.

A column is of one *order*, a name that the model file keeps. An order has forms (`date_forms`). Forms
that can mean one thing only (the year first, a month by name) are read by every order of days, so
that 2024-01-31 stands beside 31/01/2024; the form that is the order's own decides what a column is
called.

Texts are read whole columns at a time, by pyarrow, each different text once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reseau.tables.reading.cells import Floats, Mask, is_date, is_text
from reseau.tables.reading.date_forms import DIGITS, LAST, LOOKALIKES, MONTHS, ORDERS, OWN, TIME_OF_DAY, ZONES, forms_of
from reseau.tables.reading.numerals import NEARLY_ALL, distinct
from reseau.tables.reading.table import quoted

__all__ = ["DIGITS", "ORDERS", "TIME_OF_DAY", "Found", "find", "read"]

Counts = npt.NDArray[np.int64]

PIVOT = 69  # two-digit years from here are of the 20th century, as POSIX has it
DIGITS_FROM, DIGITS_TO, DIGITS_LEVELS = 1900, 2100, 3  # where digits alone are dates, not numbers
NO_DATE = r"^(?:0|0{8}|0{14}|9{8}|9{14})$"  # beside such dates, where none is known
SAMPLE = 10_000  # cells of a longer column, where nearly all being different means many
DAY = 86400.0  # seconds

# --------------------------------------------------------------------------------------------------
# What others call


@dataclass(frozen=True)
class Found:
    """What dates the texts of a column are."""

    order: str | None  # None if several orders fit
    ambiguous: tuple[str, ...]  # orders that fit as well, and give different dates
    odd: Mask  # (levels,), those that are no date of this order
    notes: tuple[str, ...] = ()  # what is not obvious, a few words each


def read(cells: pa.ChunkedArray, order: str) -> tuple[Floats, Mask]:
    """Read dates or times of day.

    Parameters
    ----------
    cells : pa.ChunkedArray
        Texts, or cells of a type of dates or times.
    order : str
        One of `ORDERS`.

    Returns
    -------
    seconds : (rows,) array
        Since 1970-01-01, in UTC where an offset is written; for times of day since midnight. Weeks,
        months and quarters are their first day. NaN where missing or odd.
    odd : (rows,) array of bool
        Where the cell is present, but no date of this order.

    Examples
    --------
    >>> import pyarrow as pa
    >>> cells = pa.chunked_array([["2 janv. 1970", "02/01/1970", "31/02/1970", None]], pa.large_string())
    >>> read(cells, "day-month-year")
    (array([86400., 86400.,    nan,    nan]), array([False, False,  True, False]))
    """
    if order == DIGITS and (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
        cells = _whole_numbers(cells).cast(pa.large_string())
    if is_text(cells):
        return _read_text(cells, order)
    clock = bool(pa.types.is_time(cells.type))
    if order == TIME_OF_DAY and (clock or pa.types.is_timestamp(cells.type)):
        if not clock:
            cells = cells.cast(pa.timestamp("us"), safe=False)
        microseconds = cells.cast(pa.time64("us"), safe=False).cast(pa.int64())
    elif is_date(cells) and not clock and order != TIME_OF_DAY:
        microseconds = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    else:
        return np.full(len(cells), np.nan), _mask(_array(pc.is_valid(cells)))
    seconds = np.asarray(microseconds.cast(pa.float64(), safe=False).to_numpy(), np.float64) / 1e6
    return seconds, np.zeros(len(cells), np.bool_)


def find(levels: pa.ChunkedArray, counts: Counts, share: float = NEARLY_ALL) -> Found | None:
    """Say which dates the texts of a column are: those of the order that reads most cells.

    Parameters
    ----------
    levels : pa.ChunkedArray
        The different texts.
    counts : (levels,) array
        How many cells hold each.
    share : float
        Of the cells that an order has to read.

    Returns
    -------
    found : Found or None
        None if no order reads that share of the cells.

    Examples
    --------
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> texts = pa.chunked_array([["01/02/24", "31/12/24"]], pa.large_string())
    >>> find(texts, np.array([50, 1])).notes
    ("two-digit years: '01/02/24' is 2024-02-01", "the day is first, as '31/12/24' shows")
    """
    texts = _array(levels)
    counts = np.where(_mask(pc.is_valid(texts)), counts, 0)
    total = int(counts.sum())
    if not total:
        return None
    if _mask(pc.match_substring_regex(texts, r"^\d+$"))[counts > 0].all():
        return _find_digits(texts, counts)
    usual = _matches(texts, OWN[ORDERS[0]][:1])[counts > 0].all()
    for forms in ([r".*\d.*"], chain(*OWN.values())):  # most words have no digit, which is found soon
        if not usual and _cells(_matches(texts, forms), counts) < share * total:
            return None
    readings: dict[str, _Reading] = {}
    for order in ORDERS:
        if order == DIGITS or (order == LAST and readings) or not _matches(texts, OWN[order]).any():
            continue  # an order without forms of its own here reads nothing that others don't
        reading = _read_distinct(texts, order)
        if _cells(reading.good, counts) < share * total or _is_lookalike(texts, order, reading):
            continue
        readings[order] = reading
        if order == "year-month-day" and _cells(reading.own, counts) == total:
            break  # no other order reads this
    scores = {order: (_cells(r.good, counts), _cells(r.own, counts)) for order, r in readings.items()}
    return _best(texts, readings, scores, counts)


# --------------------------------------------------------------------------------------------------
# Reading


@dataclass(frozen=True)
class _Reading:
    """Texts read by an order, (texts,) each."""

    seconds: Floats  # NaN where odd
    own: Mask  # read by a form that is the order's own
    two_digit: Mask  # the year has two digits
    offset: Floats  # from UTC

    @property
    def good(self) -> Mask:
        return ~np.isnan(self.seconds)


def _read_text(cells: pa.ChunkedArray, order: str) -> tuple[Floats, Mask]:
    texts = _array(cells)
    if _differ(texts):
        read = _read_distinct(texts, order).seconds
        return read, np.isnan(read) & _mask(pc.is_valid(texts))
    codes, different = distinct(cells)
    seconds = _read_distinct(different, order).seconds
    read = np.append(seconds, np.nan)[codes]  # code -1 is the last
    return read, np.isnan(read) & (codes >= 0)


def _differ(texts: pa.Array) -> bool:
    """Whether so many texts differ that to look for equal ones costs more than it saves."""
    if len(texts) <= SAMPLE:
        return False
    sample = texts.take(pa.array(np.linspace(0, len(texts) - 1, SAMPLE, dtype=np.int64)))
    return len(sample.unique()) > NEARLY_ALL * SAMPLE


def _read_distinct(texts: pa.Array, order: str) -> _Reading:
    n = len(texts)
    reading = _Reading(np.full(n, np.nan), np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n))
    left = np.flatnonzero(_mask(pc.is_valid(texts)))
    for i, form in enumerate(forms_of(order)):
        if not len(left):
            break
        rest = texts if len(left) == n else texts.take(pa.array(left))
        fits = _matches(rest, [form])
        if fits.any():
            rows = left[fits]
            fitting = rest if fits.all() else rest.filter(pa.array(fits))
            seconds, two_digit, offset = _seconds(pc.extract_regex(fitting, _whole(form)))
            reading.seconds[rows], reading.two_digit[rows], reading.offset[rows] = seconds, two_digit, offset
            reading.own[rows] = ~np.isnan(seconds) & (i < len(OWN[order]))
            left = left[~fits]
    return reading


def _seconds(parts: pa.StructArray) -> tuple[Floats, Mask, Floats]:
    """Seconds since 1970 (NaN where there is no such date), whether the year has two digits, offset."""
    n, groups = len(parts), {field.name for field in parts.type}

    def text(group: str) -> pa.Array:
        return pc.struct_field(parts, group)

    def number(group: str, default: float) -> Floats:
        if group not in groups:
            return np.full(n, default)
        written = text(group)
        absent = pc.equal(written, "")
        if group == "second":
            written = pc.replace_substring(written, ",", ".")
        written = pc.if_else(absent, pa.scalar(str(default), written.type), written)
        return np.asarray(written.cast(pa.float64()), np.float64)

    def mapped(group: str, value: Callable[[str], float]) -> Floats:
        if group not in groups:
            return np.zeros(n)
        encoded = text(group).dictionary_encode()
        values = np.array([value(t) for t in encoded.dictionary.to_pylist()], np.float64)
        return np.take(values, np.asarray(encoded.indices))

    year, two_digit = number("year", 1970), np.zeros(n, np.bool_)
    if "year" in groups:
        two_digit = np.asarray(pc.binary_length(text("year"))) == 2
        year = np.where(two_digit, year + np.where(year >= PIVOT, 1900, 2000), year)
    if "week" in groups:
        days, exists = _day_of_week(year, number("week", 1), number("weekday", 1))
    else:
        quarter = number("quarter", 1)
        month = mapped("name", _month_number) if "name" in groups else number("month", 1) + 3 * (quarter - 1)
        days, exists = _day_of_month(year, month, number("day", 1))
        exists &= (quarter >= 1) & (quarter <= 4)
    hour, minute, second = number("hour", 0), number("minute", 0), number("second", 0)
    half, offset = mapped("half", _half_number), mapped("zone", _offset)
    exists &= (year >= 1) & (hour <= np.where(half > 0, 12, 23)) & (minute < 60) & (second < 61)
    hour = np.where(half > 0, hour % 12 + 12 * (half - 1), hour)
    seconds = days * DAY + hour * 3600 + minute * 60 + second - offset
    return np.where(exists, seconds, np.nan), two_digit, offset


def _day_of_month(year: Floats, month: Floats, day: Floats) -> tuple[Floats, Mask]:
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    return days.astype(np.int64).astype(np.float64), exists


def _day_of_week(year: Floats, week: Floats, weekday: Floats) -> tuple[Floats, Mask]:
    """The day of an ISO week: week 1 has the year's first Thursday, weekday 1 is Monday."""
    fourth = _day_of_month(year, np.full(len(year), 1.0), np.full(len(year), 4.0))[0]
    monday = fourth - (fourth + 3) % 7 + 7 * (week - 1)  # 1970-01-01 was a Thursday
    thursday = (monday + 3).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    exists = (week >= 1) & (thursday == year) & (weekday >= 1) & (weekday <= 7)
    return monday + weekday - 1, exists


def _month_number(name: str) -> float:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return float(MONTHS.get(plain, 0))


def _half_number(letter: str) -> float:
    return {"": 0.0, "a": 1.0, "p": 2.0}[letter.lower()]


def _offset(zone: str) -> float:
    """Seconds to the east of UTC; NaN if there is no such offset."""
    if (zone := zone.upper()) in ZONES:
        return ZONES[zone] * 3600.0
    sign, hours, minutes = re.findall(r"([-+−])(\d{1,2}):?(\d*)$", zone)[0]
    if int(hours) > 23 or int(minutes or 0) > 59:
        return np.nan
    return (1.0 if sign == "+" else -1.0) * (int(hours) * 3600 + int(minutes or 0) * 60)


def _whole(form: str) -> str:
    return f"(?i)^(?:{form})$"


def _matches(texts: pa.Array, forms: Iterable[str]) -> Mask:
    """Which texts one of the forms fits: much faster than to extract the parts."""
    together = re.sub(r"\?P<\w+>", "?:", "|".join(forms))
    return _mask(pc.match_substring_regex(texts, _whole(together)))


def _mask(cells: pa.Array) -> Mask:
    return np.asarray(cells.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)


def _array(cells: pa.ChunkedArray) -> pa.Array:
    combined = cells.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):  # pyarrow < 18 kept no, one or many chunks
        combined = pa.concat_arrays(combined.chunks) if combined.num_chunks else pa.array([], cells.type)
    return combined


def _whole_numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as integers where they all are: pandas has floating-point ones where some are missing."""
    try:
        return cells.cast(pa.int64())
    except pa.ArrowInvalid:
        return cells


# --------------------------------------------------------------------------------------------------
# Finding


def _cells(levels: Mask, counts: Counts) -> int:
    return int(counts[levels].sum())


def _find_digits(texts: pa.Array, counts: Counts) -> Found | None:
    """Digits alone are dates if nearly each is one of our times (or the end of time), and several differ.

    The others may be `NO_DATE`.
    """
    present = counts > 0
    none = present & _mask(pc.match_substring_regex(texts, NO_DATE))
    written = present & ~none
    seconds = _read_distinct(texts, DIGITS).seconds[written]
    with np.errstate(invalid="ignore"):
        years = seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    possible = ~np.isnan(seconds) & (((years >= DIGITS_FROM) & (years <= DIGITS_TO)) | (years == 9999))
    if len(seconds) < DIGITS_LEVELS or not possible.all() or 2 * _cells(none, counts) > counts.sum():
        return None
    first = texts[int(np.argmax(written))].as_py()
    return Found(DIGITS, (), none, (f"digits such as {quoted(first)} are dates",))


def _is_lookalike(texts: pa.Array, order: str, reading: _Reading) -> bool:
    """Whether every text that fits the order is rather something else."""
    good = reading.good
    if order in LOOKALIKES and _mask(pc.match_substring_regex(texts, LOOKALIKES[order]))[good].all():
        return True
    if order != "year-month":
        return False
    months = reading.seconds[good].astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    seasons = months % 12 + 1 == (months // 12 + 1971) % 100  # 2010-11, 2011-12
    return bool(seasons.all()) and not _mask(pc.match_substring_regex(texts, r"\p{L}"))[good].any()


def _best(
    texts: pa.Array, readings: dict[str, _Reading], scores: dict[str, tuple[int, int]], counts: Counts
) -> Found | None:
    """The order with the best score; None of several that score alike and read other dates."""
    ambiguous: tuple[str, ...] = ()
    for score in sorted(set(scores.values()), reverse=True):
        equal = [order for order in readings if scores[order] == score]
        first = readings[equal[0]]
        others = [o for o in equal[1:] if not np.array_equal(readings[o].seconds, first.seconds, equal_nan=True)]
        if not others:
            notes = _notes(texts, equal[0], readings, counts)
            two_digit = equal[0] != LAST and (first.two_digit & first.good).any()
            year_first = two_digit and _cells(_read_distinct(texts, LAST).own, counts) >= score[0]
            return Found(equal[0], (LAST,) if year_first else (), ~first.good & (counts > 0), notes)
        ambiguous = ambiguous or (equal[0], *others)
    if not ambiguous:
        return None
    return Found(None, ambiguous, ~readings[ambiguous[0]].good & (counts > 0))


def _notes(texts: pa.Array, order: str, readings: dict[str, _Reading], counts: Counts) -> tuple[str, ...]:
    reading, notes = readings[order], []

    def example(levels: Mask) -> tuple[str, float]:
        level = int(np.argmax(np.where(levels, counts, -1)))
        return quoted(texts[level].as_py()), reading.seconds[level] + reading.offset[level]

    if (two_digit := reading.two_digit & reading.good).any():
        written, seconds = example(two_digit)
        notes.append(f"two-digit years: {written} is {np.datetime64(int(seconds // DAY), 'D')}")
    if (shifted := (reading.offset != 0) & reading.good).any():
        notes.append(f"times with an offset, such as {example(shifted)[0]}, are converted to UTC")
    twins = {"day-month-year": "month-day-year", "month-day-year": "day-month-year"}
    twin = readings.get(twins.get(order, ""))
    if twin is not None and (decisive := reading.own & ~twin.good).any():
        notes.append(f"the {order.split('-')[0]} is first, as {example(decisive)[0]} shows")
    return tuple(notes)
