"""Cells read as numbers, booleans, dates or labels: whole columns at a time, by pyarrow.

Each function returns NumPy values and a mask of the cells that are something else (`odd`); a
missing cell is NaN (or code -1) and never odd. What to do about an odd cell is the caller's
decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reseau.errors import DataError
from reseau.tables.reading import numerals
from reseau.tables.reading.table import Column, quoted, written

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Texts that stand for a missing value: what pandas takes for one with the other spellings of the same words, what
# databases (\N), SAS (.), spreadsheets (#DIV/0!) and people write.
MISSING = (
    *("", "?", "??", ".", "..", "...", "-", "--", "---", "–", "—", "\\N", "NA", "na", "N/A", "n/a", "n.a.", "N.A."),
    *("<NA>", "#N/A", "#N/A N/A", "#NA", "NaN", "NAN", "nan", "-NaN", "-nan", "NaT", "NULL", "Null", "null", "(null)"),
    *("<null>", "None", "none", "NONE", "nil", "NIL", "n.d.", "N.D.", "n/d", "N/D", "1.#IND", "-1.#IND", "1.#QNAN"),
    *("-1.#QNAN", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"),
    *("#N/D", "#DIV/0 !", "#VALEUR!", "#VALEUR !", "#NOMBRE!", "#NOMBRE !", "#NOM?", "#NOM ?", "#NUL!", "#NUL !"),
)
# Words for true and for false, whose first letters stand for them too; a column of booleans has both of a pair.
WORDS = {
    "true/false": ("true", "false"),
    "yes/no": ("yes", "no"),
    "vrai/faux": ("vrai", "faux"),
    "oui/non": ("oui", "non"),
}
WHOLE = re.compile(r"-?[1-9]\d*|0")  # a mark of a missing value such as -9999
PLAIN_DECIMAL = re.compile(r"-?\d+\.\d+")
PLAIN_NUMBER = re.compile(r"[+-]?(\d{1,40}([.,]\d{0,40})?|[.,]\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
MOST_SPELLINGS = 20  # of the words of one pair: True, TRUE, true, T, t, ...


@dataclass(frozen=True)
class Labels:
    """A column of labels: `levels[codes[i]]` is cell i; -1 is missing."""

    codes: npt.NDArray[np.int64]  # (rows,)
    texts: pa.Array  # the levels, as large_string

    @cached_property
    def levels(self) -> list[str]:
        """The different labels, in the order in which they are met."""
        return list(self.texts.to_pylist())

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> Labels:
        return replace(self, codes=self.codes[rows])

    @property
    def column(self) -> pa.ChunkedArray:
        """The different labels, as a column of cells."""
        return pa.chunked_array([self.texts])

    def counts(self, rows: npt.NDArray[np.int64] | slice = slice(None)) -> npt.NDArray[np.int64]:
        """How many of the rows hold each level."""
        codes = self.codes[rows]
        return np.bincount(codes[codes >= 0], minlength=len(self.texts))


def is_text(cells: pa.ChunkedArray) -> bool:
    """Whether the cells are text (of a CSV file, or of a column of strings)."""
    return bool(pa.types.is_large_string(cells.type))


def is_typed(column: Column) -> bool:
    """Whether the cells of a column come with a type, so that they have a value rather than a spelling."""
    return bool(column.declared) or not is_text(column.cells)


def is_date(cells: pa.ChunkedArray) -> bool:
    """Whether the column comes with a type of dates, or of times of day."""
    return bool(pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type) or pa.types.is_time(cells.type))


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


def without(cells: pa.ChunkedArray, marks: Iterable[str]) -> pa.ChunkedArray:
    """The cells with those that are one of the marks made missing: the same text, or the same number.

    A text that writes a whole number with zeros behind the decimal mark is the same number: -9999.0, 999,00.
    """
    if is_text(cells):
        marks = list(marks)
        absent = pc.is_in(cells, value_set=pa.array(marks, pa.large_string()))
        if whole := [mark for mark in marks if WHOLE.fullmatch(mark)]:
            long, short = (
                "|".join(mark for mark in whole if (len(mark.lstrip("-")) > 3) is lengthy) for lengthy in (True, False)
            )
            forms = [f"(?:{long})[.,]0+"] * bool(long) + [f"(?:{short})[.,](?:0{{1,2}}|0{{4,}})"] * bool(short)
            absent = pc.or_(absent, pc.match_substring_regex(cells, f"^(?:{'|'.join(forms)})$"))
    elif is_number(cells) and (sentinels := as_numbers(marks)):
        absent = pa.array(np.isin(numbers(cells)[0], sentinels))
    else:
        return cells
    return pc.if_else(absent, pa.scalar(None, cells.type), cells) if pc.any(absent).as_py() else cells


def marks_met(cells: pa.ChunkedArray, marks: Iterable[str]) -> tuple[str, ...]:
    """Which of the marks there are among cells of text, the empty one aside."""
    if not is_text(cells):
        return ()
    absent = pc.is_in(cells, value_set=pa.array([mark for mark in marks if mark], pa.large_string()))
    return tuple(sorted(cells.filter(absent).unique().to_pylist()))


def numbers(cells: pa.ChunkedArray, decimal: str = "", unit: str = "") -> tuple[Floats, Mask]:
    """Read numbers; times of day and durations become seconds, booleans 0 and 1.

    Text is read with this decimal mark, or with what the cells themselves say, and this unit; see `numerals`.
    """
    odd = np.zeros(len(cells), np.bool_)
    if is_text(cells):
        return numerals.read(cells, decimal, unit)
    if pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type):
        cells = cells.cast(pa.int8())
    elif pa.types.is_time(cells.type):
        cells = pc.divide(cells.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
    elif pa.types.is_duration(cells.type):
        microseconds = cells.cast(pa.duration("us"), safe=False).cast(pa.int64())
        cells = pc.divide(microseconds.cast(pa.float64(), safe=False), 1e6)
    elif not is_number(cells):
        return np.full(len(cells), np.nan), mask(pc.is_valid(cells))
    return floats(cells.cast(pa.float64(), safe=False)), odd


def quantities(
    column: Column, also_missing: Sequence[str], decimal: str, unit: str, grouped: bool, is_not: str
) -> Floats:
    """Read a column of numbers as it was learnt; `is_not` says in an error what a cell is not.

    `also_missing` count as missing beside the usual marks. `decimal` and `unit` are those of the numbers at training,
    and `grouped` says whether points or commas grouped their digits.
    """
    if is_text(column.cells):
        column = replace(column, cells=without(column.cells, (*MISSING, *also_missing)))
    values, odd = numbers(column.cells, decimal, unit)
    values = blank(values, as_numbers(also_missing, decimal, unit) if also_missing else ())
    refuse_odd(column, odd, is_not)
    refuse_undecidable(column, decimal, unit, grouped)
    refuse_too_large(column, values)
    return values


def refuse_undecidable(column: Column, decimal: str, unit: str, grouped: bool) -> None:
    """Raise for text whose size is open: 1,184 where no number had groups at training, or 5 % where none had a unit."""
    if not is_text(column.cells):
        return
    if not unit:
        percent = mask(pc.or_(pc.match_substring(column.cells, "%"), pc.match_substring(column.cells, "‰")))
        refuse_odd(
            column, percent, "is a share, and no number of this column had such a unit at training; write it plainly."
        )
    if grouped:
        return
    doubtful = numerals.undecidable(column.cells, decimal, column.separator)
    if doubtful.any():
        row = int(doubtful.argmax())
        alone = column.cells.slice(row, 1)
        either = " or ".join(f"{numerals.read(alone, mark)[0][0]:.15g}" for mark in numerals.MARKS)
        refuse_odd(
            column,
            doubtful,
            f"may be {either}, and this column had no such groups of digits at training; write it plainly.",
        )


def pair_of_words(labels: Labels) -> str:
    """The pair of words for true and false that the levels are, with both of them there; "" if they are not."""
    if len(labels.texts) > MOST_SPELLINGS:
        return ""
    met = {level.lower() for level in labels.levels}
    for pair, (yes, no) in WORDS.items():
        if met <= {yes, no, yes[0], no[0]} and met & {yes, yes[0]} and met & {no, no[0]}:
            return pair
    return ""


def booleans(cells: pa.ChunkedArray, words: str = "") -> tuple[Floats, Mask]:
    """Read booleans as 0 and 1: the type, the numbers 0 and 1, or a pair of words ("" for any)."""
    if not is_text(cells):
        read, odd = numbers(cells)
        odd |= (read != 0) & (read != 1) & ~np.isnan(read)
        return np.where(odd, np.nan, read), odd
    labels = label_codes(cells)
    values: dict[str, float] = {}
    for pair in reversed([words] if words else list(WORDS)):
        for word, value in zip(WORDS[pair], (1.0, 0.0), strict=True):
            values |= {word: value, word[0]: value}
    of_numbers, _ = numbers(labels.column)
    for level, number in zip(labels.levels, of_numbers, strict=True):
        if number in (0.0, 1.0):
            values[level.lower()] = float(number)
    read = np.array([*(values.get(level.lower(), np.nan) for level in labels.levels), np.nan])[labels.codes]
    return read, np.isnan(read) & (labels.codes >= 0)


def label_codes(cells: pa.ChunkedArray) -> Labels:
    """Read the cells as labels, whatever their type."""
    if pa.types.is_boolean(cells.type):
        cells = pc.if_else(cells, "True", "False")  # as pandas writes them
    if not is_text(cells):
        cells = written(cells)
    return Labels(*numerals.distinct(cells))


def labels_of(column: Column) -> Labels:
    """Read a column as labels; an `UnreadableError` for cells of a type that has none, such as lists."""
    cells = column.cells
    plain = is_text(cells) or is_number(cells) or is_date(cells)
    if not (plain or pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type)):
        refuse_odd(column, mask(pc.is_valid(cells)), f"is of type {cells.type}, not text or a number.")
        cells = pa.chunked_array([pa.nulls(len(cells), pa.large_string())])
    return label_codes(cells)


def as_written(labels: Labels, known: Iterable[str], typed: bool) -> Labels:
    """Labels under the texts that are known for their values.

    Of cells of a type 1 is "1.0" or "01", and True is "TRUE". Of text 1 is "1.0", as pandas writes whole numbers once
    one of them is missing, and no more. A label for which several texts are known stays as it is.
    """
    value = _value if typed else _whole
    texts: dict[object, list[str]] = {}
    for text in known:
        texts.setdefault(value(text), []).append(text)
    levels = []
    for level in labels.levels:
        alike = texts.get(value(level), [])
        levels.append(alike[0] if len(alike) == 1 else level)
    return Labels(labels.codes, pa.array(levels, pa.large_string()))


def _value(text: str) -> object:
    """What a text stands for, exactly: a number, true or false, or itself."""
    if PLAIN_NUMBER.fullmatch(text):
        return Decimal(text.replace(",", "."))
    return text.lower() if text.lower() in WORDS["true/false"] else text


def _whole(text: str) -> str:
    """The text, that of a whole number without ".0"."""
    return text.removesuffix(".0") if WHOLE.fullmatch(text.removesuffix(".0")) else text


class UnreadableError(DataError):
    """Cells cannot be read as what their column is; `cells` says which, and the message names the first of them."""

    def __init__(self, column: Column, cells: Mask, is_not: str) -> None:
        row = int(cells.argmax())
        value: Any = column.cells[row].as_py()
        super().__init__(f"column {column.name!r}: {quoted(value)} ({column.place(row)}) {is_not}")
        self.cells = cells


def refuse_odd(column: Column, odd: Mask, is_not: str) -> None:
    """Raise the error that names the first odd cell, if there is one."""
    if odd.any():
        raise UnreadableError(column, odd, is_not)


def refuse_too_large(column: Column, values: Floats) -> None:
    """Raise for an infinite value, or one that float32 cannot hold."""
    with np.errstate(invalid="ignore"):
        large = np.abs(values) > np.finfo(np.float32).max
    if not large.any():
        return
    row = int(large.argmax())
    written = str(column.cells[row].as_py()).lower().lstrip("+-")
    if np.isinf(values[row]) and written in ("inf", "infinity"):
        refuse_odd(column, large, "is infinite; correct it, or leave the cell empty for a missing value.")
    refuse_odd(
        column,
        large,
        "is too large for float32 (beyond 3.4e38); correct it, or give the column in another unit.",
    )


def floats(cells: pa.ChunkedArray) -> Floats:
    """The cells as an array, NaN where they are missing."""
    return np.asarray(cells.to_numpy(), dtype=np.float64)


def mask(cells: pa.ChunkedArray) -> Mask:
    """Turn a column of booleans into a NumPy mask; missing is False."""
    return np.asarray(cells.fill_null(False).to_numpy(), dtype=np.bool_)


def as_numbers(marks: Iterable[str], decimal: str = "", unit: str = "") -> list[float]:
    """The marks that are numbers as a column has them; where it has no unit, none has one."""
    texts = pa.chunked_array([pa.array(list(marks), pa.large_string())])
    values, _ = numerals.read(texts, decimal or ".", unit or "none")
    return [float(value) for value in values if not np.isnan(value)]


def spelled(marks: tuple[str, ...], decimal: str) -> tuple[str, ...]:
    """The marks, and those with a decimal point, as options have numbers, as a column of decimal commas has them."""
    commas = (mark.replace(".", ",") for mark in marks if decimal == "," and PLAIN_DECIMAL.fullmatch(mark))
    return tuple(dict.fromkeys((*marks, *commas)))


def blank(values: Floats, sentinels: Sequence[float]) -> Floats:
    """The values, NaN where they are one of the sentinels: -9999 is one however it is written (-9 999,00 €)."""
    return np.where(np.isin(values, sentinels), np.nan, values) if len(sentinels) else values
