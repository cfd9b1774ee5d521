"""Dates, months, weeks, quarters and times of day: how they are written, found and read.

A column is of one *order*, a name that the model file keeps. An order has forms, regular expressions
whose groups are the parts of a date. Forms that can mean one thing only (the year first, a month by
name) are read by every order of days, so that 2024-01-31 stands beside 31/01/2024; the form that is
the order's own decides what a column is called.

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

from reseau.cells import Floats, Mask, is_date, is_text
from reseau.table import quoted

Counts = npt.NDArray[np.int64]

SHARE = 0.9  # of the cells that an order reads, from which the others count as missing
PIVOT = 69  # two-digit years from here are of the 20th century, as POSIX has it
DIGITS_FROM, DIGITS_TO, DIGITS_LEVELS = 1900, 2100, 3  # where digits alone are dates, not numbers
SAMPLE = 10_000  # cells of a longer column, where a share of `SHARE` of different ones means many
DAY = 86400.0  # seconds

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv",
            "february feb fevrier fevr fev",
            "march mar mars",
            "april apr avril avr",
            "may mai",
            "june jun juin",
            "july jul juillet juil",
            "august aug aout aou",
            "september sept sep septembre",
            "october oct octobre",
            "november nov novembre",
            "december dec decembre",
        ),
        start=1,
    )
    for name in names.split()
}
ZONES = {"": 0, "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "CET": 1, "CEST": 2}  # in hours; those of America as RFC 5322
ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

# --------------------------------------------------------------------------------------------------
# The forms

_S = r"[\s\x{a0}\x{2009}\x{202f}]"  # also the no-break spaces that JavaScript and spreadsheets write
_JOINT = rf"(?:{_S}|[-/.,])"
_SEPARATOR = rf"(?:{_S}*[-/.]{_S}*|{_S}+)"
_UNDOTTED = rf"(?:{_S}*[-/]{_S}*|{_S}+)"

_WEEKDAY = (
    rf"(?:le{_S}+)?(?:(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
    rf"|(?:lun|mar|mer(?:cre)?|jeu|ven(?:dre)?|same?)(?:di)?|dim(?:anche)?)(?:[.,]+{_S}*|{_S}+))?"
)
_Y4, _Y2, _Y = r"(?P<year>\d{4})", r"(?P<year>\d{2})", r"['’]?(?P<year>\d{4}|\d{2})"
_YEAR_OF_MONTH = r"(?P<year>[12]\d{3})"
_M, _MM, _D, _DD = r"(?P<month>\d{1,2})", r"(?P<month>\d{2})", r"(?P<day>\d{1,2})", r"(?P<day>\d{2})"
_NAME = r"(?P<name>[a-zà-ÿ\x{300}-\x{302}]+)\.?"  # accents may be characters of their own
_NTH = rf"{_D}(?:st|nd|rd|th|er)?"

_HOUR, _MINUTE = r"(?P<hour>\d{1,2})", r"(?P<minute>\d{2})"
_SECOND = r"(?P<second>\d{2}(?:[.,]\d+)?)"
_HALF = rf"{_S}*(?P<half>[ap])\.?{_S}*m\.?"
_H, _MIN = rf"{_S}*h{_S}*", rf"{_S}*m(?:i?n)?{_S}*"
_CLOCK = (  # after a date, where nothing else can be meant
    rf"{_HOUR}(?:(?:[:.]|{_H})?{_MINUTE}(?:(?:[:.]|{_MIN})?{_SECOND}(?:{_S}*s)?|{_MIN})?|{_H})?(?:{_HALF})?"
)
_ZONE = (
    rf"(?P<zone>(?:UTC|GMT)?{_S}?[-+−]\d{{1,2}}(?::?\d{{2}})?|{'|'.join(name for name in ZONES if name)})"
    rf"(?:{_S}+[A-Z]{{3,5}})?(?:{_S}*[(\[][^)\]]*[)\]])?"  # and the name of the zone once more
)
_CLOCK_AND_ZONE = rf"{_CLOCK}(?:{_S}*{_ZONE})?"
_BETWEEN = rf"(?:T|{_S}*,{_S}*|{_S}+(?:(?:-|–|at|à){_S}+)?)"
_TIME = rf"(?:{_BETWEEN}{_CLOCK_AND_ZONE})?"
_PLAIN_TIME = (  # what nearly all files have, and nothing that takes long; XML gives a day alone a zone too
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?(?: (?P<half>[ap])m)?)?"
    r"(?P<zone>Z|[-+]\d{2}:?\d{2})?"
)

_YMD = rf"{_WEEKDAY}{_Y4}{_SEPARATOR}{_M}{_SEPARATOR}{_D}"
_DMY = rf"{_WEEKDAY}{_D}{_SEPARATOR}{_M}{_SEPARATOR}{_Y4}"
_MDY = rf"{_WEEKDAY}{_M}{_UNDOTTED}{_D}{_UNDOTTED}{_Y4}"

_YEAR_FIRST = (
    rf"{_Y4}[-/.]{_M}[-/.]{_D}{_PLAIN_TIME}",
    rf"{_YMD}{_TIME}",
    rf"{_Y4}{_MM}{_DD}(?:T|{_S}|_)(?P<hour>\d{{2}}):?{_MINUTE}(?::?{_SECOND})?(?:{_S}*{_ZONE})?",  # 20240131T1200Z
    rf"{_Y4}{_JOINT}*{_NAME}{_JOINT}*{_D}{_TIME}",
    rf"{_Y4}:{_MM}:{_DD}{_S}{_CLOCK_AND_ZONE}",  # of photographs
)
_DAY_NAMED = (
    rf"{_D}[- /]{_NAME}[- /]{_Y4}{_PLAIN_TIME}",
    rf"{_WEEKDAY}{_NTH}{_JOINT}*(?:of{_S}+)?{_NAME}{_JOINT}*{_Y}{_TIME}",
    rf"{_D}/?{_NAME}/?{_Y4}:{_CLOCK_AND_ZONE}",  # of Apache and SAS
)
_MONTH_NAMED = (
    rf"{_NAME}[- /]{_D},?[- /]{_Y4}{_PLAIN_TIME}",
    rf"{_WEEKDAY}{_NAME}{_JOINT}*{_NTH}{_JOINT}+{_Y}{_TIME}",
    rf"{_WEEKDAY}{_NAME}{_S}+{_D}{_S}+{_CLOCK_AND_ZONE}{_S}+{_Y4}",  # of C and Twitter
)
_MONTHS_YEAR_FIRST = (
    rf"{_YEAR_OF_MONTH}[-/]{_M}",
    rf"{_YEAR_OF_MONTH}-?M{_MM}",  # of statistical offices
    rf"{_YEAR_OF_MONTH}{_JOINT}*{_NAME}",
)
_MONTHS_YEAR_LAST = (
    rf"{_M}[-/]{_YEAR_OF_MONTH}",
    rf"{_NAME}{_JOINT}*{_YEAR_OF_MONTH}",
    rf"{_NAME}(?:[-/]|{_S}*['’]){_Y2}",
)
_QUARTER = r"(?P<quarter>\d)"
_QUARTER_MARK = rf"(?:Q(?:tr\.?)?|T){_S}*"

DIGITS, LAST = "yyyymmdd", "two-digit-year-month-day"
_OWN = {
    "year-month-day": _YEAR_FIRST,
    "day-month-year": (
        rf"{_D}[-/.]{_M}[-/.]{_Y4}{_PLAIN_TIME}",
        rf"{_DMY}{_TIME}",
        rf"{_WEEKDAY}{_D}[-/]{_M}[-/]{_Y2}{_TIME}",
        rf"{_WEEKDAY}{_DD}\.{_MM}\.{_Y2}{_TIME}",  # but 1.2.10 is a version
        *_DAY_NAMED,
    ),
    "month-day-year": (
        rf"{_M}[-/]{_D}[-/]{_Y4}{_PLAIN_TIME}",
        rf"{_MDY}{_TIME}",
        rf"{_WEEKDAY}{_M}[-/]{_D}[-/]{_Y2}{_TIME}",
        *_MONTH_NAMED,
    ),
    "year-month": _MONTHS_YEAR_FIRST,
    "month-year": _MONTHS_YEAR_LAST,
    "year-week": (
        rf"{_YEAR_OF_MONTH}(?:{_S}|[-/])*(?:W(?:eek)?|semaine){_S}*(?P<week>\d{{1,2}})(?:-?(?P<weekday>\d))?",
        rf"{_YEAR_OF_MONTH}(?:{_S}|[-/])*S(?P<week>\d{{2}})(?:-?(?P<weekday>\d))?",  # but 2024-S1 is half a year
        rf"(?:W(?:eek)?|semaine){_S}*(?P<week>\d{{1,2}}){_JOINT}*{_YEAR_OF_MONTH}",
        rf"S(?P<week>\d{{2}}){_JOINT}*{_YEAR_OF_MONTH}",
    ),
    "year-quarter": (
        rf"{_YEAR_OF_MONTH}(?:{_JOINT}|:)*{_QUARTER_MARK}{_QUARTER}",
        rf"{_QUARTER_MARK}{_QUARTER}{_JOINT}*{_YEAR_OF_MONTH}",
        rf"{_QUARTER_MARK}{_QUARTER}{_S}*['’]{_Y2}",
        rf"{_QUARTER}[QT]{_JOINT}*{_YEAR_OF_MONTH}",
        rf"{_QUARTER}(?:st|nd|rd|th|er|[eè]me|e)?{_S}*(?:quarter|trimestre){_S}+(?:of{_S}+|de{_S}+)?{_YEAR_OF_MONTH}",
    ),
    "time of day": (
        rf"{_HOUR}:{_MINUTE}(?::{_SECOND})?(?:{_HALF})?",
        rf"{_HOUR}{_H}(?:{_MINUTE}(?:{_MIN}(?:{_SECOND}{_S}*s?)?)?)?",
        rf"{_HOUR}(?:\.{_MINUTE})?{_HALF}",
    ),
    DIGITS: (rf"{_Y4}{_MM}{_DD}(?:(?P<hour>\d{{2}}){_MINUTE}(?P<second>\d{{2}})?)?",),
    LAST: (rf"{_Y2}[-/]{_M}[-/]{_D}{_TIME}", rf"{_Y2}\.{_MM}\.{_DD}{_TIME}"),
}
ORDERS = tuple(_OWN)
TIME_OF_DAY = "time of day"

_DAYS_AS_ANYWHERE = (*_YEAR_FIRST, *_DAY_NAMED, *_MONTH_NAMED)
_MONTHS_AS_ANYWHERE = (*_MONTHS_YEAR_FIRST, *_MONTHS_YEAR_LAST)
_DAYS = ("year-month-day", "day-month-year", "month-day-year", DIGITS, LAST)
_SHARED: dict[str, tuple[str, ...]] = dict.fromkeys(_DAYS, _DAYS_AS_ANYWHERE)
_SHARED |= dict.fromkeys(("year-month", "month-year"), _MONTHS_AS_ANYWHERE)

# What is something else if every text of a column is of this kind.
_LOOKALIKES = {
    "year-month": r"^\d{4}[-/]\d$",  # 2024-1 is a term
    "month-year": r"^1/\d{4}$",  # 1/2000 is a fraction
    "time of day": rf"(?i)^(?:1:\d\d|\d+{_S}*h)$",  # 1:50 is a ratio, 8h a duration
}


def _whole(form: str) -> str:
    return f"(?i)^(?:{form})$"


def _forms(order: str) -> list[str]:
    """The forms that an order reads, its own first."""
    return list(dict.fromkeys((*_OWN[order], *_SHARED.get(order, ()))))


def _matches(texts: pa.Array, forms: Iterable[str]) -> Mask:
    """Which texts one of the forms fits: much faster than to extract the parts."""
    together = re.sub(r"\?P<\w+>", "?:", "|".join(forms))
    return _mask(pc.match_substring_regex(texts, _whole(together)))


# --------------------------------------------------------------------------------------------------
# What others call


@dataclass(frozen=True)
class Found:
    """What dates the texts of a column are."""

    order: str | None  # None if several orders fit
    ambiguous: tuple[str, ...]  # orders that fit equally well, and give different dates
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
    if pa.types.is_time(cells.type) and order == TIME_OF_DAY:
        microseconds = cells.cast(pa.time64("us"), safe=False).cast(pa.int64())
    elif is_date(cells) and order != TIME_OF_DAY:
        microseconds = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    else:
        return np.full(len(cells), np.nan), _mask(_array(pc.is_valid(cells)))
    seconds = np.asarray(microseconds.cast(pa.float64(), safe=False).to_numpy(), np.float64) / 1e6
    return seconds, np.zeros(len(cells), np.bool_)


def find(levels: pa.ChunkedArray, counts: Counts) -> Found | None:
    """Say which dates the texts of a column are: those of the order that reads most cells.

    Parameters
    ----------
    levels : pa.ChunkedArray
        The different texts.
    counts : (levels,) array
        How many cells hold each.

    Returns
    -------
    found : Found or None
        None if no order reads a share of `SHARE` of the cells.

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
    for forms in ([r".*\d.*"], chain(*_OWN.values())):  # most words have no digit, which is found soon
        if _cells(_matches(texts, forms), counts) < SHARE * total:
            return None
    if _mask(pc.match_substring_regex(texts, r"^\d+$"))[counts > 0].all():
        return _find_digits(texts, counts)
    readings: dict[str, _Reading] = {}
    for order in ORDERS:
        if order == DIGITS or (order == LAST and readings) or not _matches(texts, _OWN[order]).any():
            continue  # an order without forms of its own here reads nothing that others don't
        reading = _read_distinct(texts, order)
        if _cells(reading.good, counts) < SHARE * total or _is_lookalike(texts, order, reading):
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
    encoded = texts.dictionary_encode()
    seconds = _read_distinct(encoded.dictionary, order).seconds
    codes = np.asarray(encoded.indices.fill_null(-1), np.int64)
    read = np.append(seconds, np.nan)[codes]  # code -1 is the last
    return read, np.isnan(read) & (codes >= 0)


def _differ(texts: pa.Array) -> bool:
    """Whether so many texts differ that to look for equal ones costs more than it saves."""
    if len(texts) <= SAMPLE:
        return False
    sample = texts.take(pa.array(np.linspace(0, len(texts) - 1, SAMPLE, dtype=np.int64)))
    return len(sample.unique()) > SHARE * SAMPLE


def _read_distinct(texts: pa.Array, order: str) -> _Reading:
    n = len(texts)
    reading = _Reading(np.full(n, np.nan), np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n))
    left = np.flatnonzero(_mask(pc.is_valid(texts)))
    for i, form in enumerate(_forms(order)):
        if not len(left):
            break
        rest = texts if len(left) == n else texts.take(pa.array(left))
        fits = _matches(rest, [form])
        if fits.any():
            rows = left[fits]
            fitting = rest if fits.all() else rest.filter(pa.array(fits))
            seconds, two_digit, offset = _seconds(pc.extract_regex(fitting, _whole(form)))
            reading.seconds[rows], reading.two_digit[rows], reading.offset[rows] = seconds, two_digit, offset
            reading.own[rows] = ~np.isnan(seconds) & (i < len(_OWN[order]))
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
    """Digits alone are dates if each is one of our times (or the end of time), and several differ."""
    seconds = _read_distinct(texts, DIGITS).seconds[counts > 0]
    with np.errstate(invalid="ignore"):
        years = seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    possible = ~np.isnan(seconds) & (((years >= DIGITS_FROM) & (years <= DIGITS_TO)) | (years == 9999))
    if len(seconds) < DIGITS_LEVELS or not possible.all():
        return None
    first = texts[int(np.argmax(counts > 0))].as_py()
    return Found(DIGITS, (), np.zeros(len(texts), np.bool_), (f"digits such as {quoted(first)} are dates",))


def _is_lookalike(texts: pa.Array, order: str, reading: _Reading) -> bool:
    """Whether every text that fits the order is rather something else."""
    good = reading.good
    if order in _LOOKALIKES and _mask(pc.match_substring_regex(texts, _LOOKALIKES[order]))[good].all():
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
            return Found(equal[0], (), ~first.good & (counts > 0), notes)
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
