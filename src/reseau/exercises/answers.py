"""A student's answers: a small CSV or JSON file, read with commas or points, fractions, and blanks.

CSV has a line for each number: its name, row, column and value, as in the table that `reseau exercise` writes. JSON
has an object of names with numbers, or lists of them, or lists of lists; null is a blank. Python's numbers, lists and
arrays are read as JSON is. Which variant of an exercise the answers belong to, and whose they are, may stand among
them: lines such as "variant,,,7" and "student,,,Ada".

What is wrong with answers is said to the student, in the language of the exercise.
"""

from __future__ import annotations

import csv
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isinf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.errors import DataError
from reseau.exercises import words
from reseau.formulas.words import Words

TRUSTED_DECIMALS = 2  # a number with fewer is not taken for a rounded one: 0 is no answer to 0.3
LONGEST_FILE = 1 << 20  # bytes
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
PLACE = re.compile(r"\d{1,9}")
DECIMALS = re.compile(r"\d{1,20}(e[+-]?\d{1,3})?", re.IGNORECASE)  # behind a comma between commas
FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)")
VARIANT, STUDENT = words.VARIANT_KEY, words.STUDENT_KEY
SPACES = re.compile("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]")  # between groups of digits


@dataclass
class Answers:
    """Answers by name, in the shapes of what was asked; nan where there is none.

    Attributes
    ----------
    values : dict of str to ndarray
        The numbers.
    units : dict of str to ndarray
        Half of the last decimal of each, by which it may differ for having been rounded.
    transposed : str or None
        The name of the first matrix whose rows and columns are exchanged, which cannot be read further.
    """

    values: dict[str, FloatArray] = field(default_factory=dict)
    units: dict[str, FloatArray] = field(default_factory=dict)
    transposed: str | None = None


class Label(NamedTuple):
    """What a file says of itself: whose answers it has, and to which variant; "" where it does not say."""

    student: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Reader:
    """What is needed to read answers.

    Parameters
    ----------
    place : str
        What errors call the file.
    shapes : mapping of str to tuple of int
        Of everything asked for.
    given : mapping of str to str
        Other names under which an answer may be given, such as W1 for W1_new.
    lang : str
        The language of errors.
    """

    place: str
    shapes: Mapping[str, tuple[int, ...]]
    given: Mapping[str, str]
    lang: str = "en"

    def text(self, text: str) -> Answers:
        """Read the content of a file; DataError, with the line, for what cannot be read."""
        if text.lstrip()[:1] in ("{", "["):
            return self._some(self._of_names(loaded(text, self.place, self.lang)))
        return self._some(self._of_lines(rows_of(text, self.place, self.lang)))

    def mapping(self, facts: Mapping[str, object]) -> Answers:
        """Read numbers, lists and arrays by name."""
        return self._some(self._of_names([(str(name), _plain(value)) for name, value in facts.items()]))

    def refusal(self, what: Words, **fields: object) -> DataError:
        """An error in the language."""
        return refusal(what, self.lang, place=self.place, **fields)

    def _some(self, answers: Answers) -> Answers:
        if not answers.transposed and not any((~np.isnan(values)).any() for values in answers.values.values()):
            raise self.refusal(words.NO_ANSWERS)
        return answers

    def _name(self, word: str, where: str) -> str:
        name = self.given.get(word, word)
        if name not in self.shapes:
            near = difflib.get_close_matches(name, self.shapes, n=1)
            hint = words.DID_YOU_MEAN.in_(self.lang).format(near=repr(near[0])) if near else ""
            raise self.refusal(words.NOT_ASKED, where=where, word=shown(word), hint=hint, known=", ".join(self.shapes))
        return name

    # --- lines of name, row, column and value -------------------------------------------------------------------------

    def _of_lines(self, lines: Iterable[tuple[int, list[str]]]) -> Answers:
        cells: dict[str, dict[tuple[int, int], tuple[int, str, tuple[float, float]]]] = {}
        for line, row in lines:
            where = words.LINE.in_(self.lang).format(place=self.place, line=line)
            if _is_label(row):
                continue
            if len(row) < 4:
                raise self.refusal(words.ONE_CELL if len(row) == 1 else words.FEW_CELLS, where=where, count=len(row))
            name = self._name(row[0].strip(), where)
            if not _is_place(row):
                raise self.refusal(words.NO_PLACE, where=where, row=shown(row[1]), column=shown(row[2]))
            written = _value_cell(row)
            value = number(written, where, self.lang)
            if np.isnan(value[0]):
                continue
            at = int(row[1]), int(row[2])
            first, before, old = cells.setdefault(name, {}).setdefault(at, (line, written, value))
            if old != value:
                raise self.refusal(
                    words.TWICE,
                    first=first,
                    second=line,
                    name=name,
                    row=at[0],
                    column=at[1],
                    one=before.strip(),
                    other=written.strip(),
                )
        answers = Answers()
        for name, found in cells.items():
            self._fill(answers, name, {at: value for at, (_, _, value) in found.items()})
        return answers

    def _fill(self, answers: Answers, name: str, found: Mapping[tuple[int, int], tuple[float, float]]) -> None:
        """Put the cells of one name in their places."""
        rows, columns = two(self.shapes[name])
        over = next(((i, j) for i, j in found if i > rows or j > columns), None)
        if over and all(i <= columns and j <= rows for i, j in found):
            answers.transposed = answers.transposed or name
            return
        if over:
            raise self.refusal(words.OVER, name=name, row=over[0], column=over[1], rows=rows, columns=columns)
        values, units = np.full((rows, columns), np.nan), np.zeros((rows, columns))
        for (i, j), (number_there, unit) in found.items():
            values[i - 1, j - 1], units[i - 1, j - 1] = number_there, unit
        shape = self.shapes[name]
        answers.values[name], answers.units[name] = values.reshape(shape), units.reshape(shape)

    # --- an object of names -------------------------------------------------------------------------------------------

    def _of_names(self, facts: Iterable[tuple[str, Any]]) -> Answers:
        answers, seen = Answers(), set()
        for word, value in facts:
            if word.casefold() in (*VARIANT, *STUDENT):
                continue
            name = self._name(word, self.place)
            if word in seen or name in answers.values:
                what = words.TWICE_IN_JSON if word in seen else words.ALIAS_TOO
                raise self.refusal(what, word=shown(word), name=name)
            seen.add(word)
            cells = self._nested(value, words.NAME_OF.in_(self.lang).format(place=self.place, name=name))
            rows, columns = two(self.shapes[name])
            if cells.shape[:2] != (rows, columns) and cells.shape[:2] == (columns, rows):
                answers.transposed = answers.transposed or name
                continue
            if cells.shape[:2] != (rows, columns):
                raise self.refusal(
                    words.OTHER_SHAPE,
                    word=word,
                    found_rows=cells.shape[0],
                    found_columns=cells.shape[1],
                    rows=rows,
                    columns=columns,
                )
            answers.values[name] = cells[..., 0].reshape(self.shapes[name])
            answers.units[name] = cells[..., 1].reshape(self.shapes[name])
        return answers

    def _nested(self, value: Any, where: str) -> FloatArray:
        """Numbers, lists of them, lists of lists or of these as (rows, columns, 2): the value and half its decimal."""
        if not isinstance(value, list):
            value = [[value]]
        elif not any(isinstance(row, list) for row in value):
            value = [value]
        while value and all(isinstance(row, list) and row and isinstance(row[0], list) for row in value):
            value = [row for several in value for row in several]  # the Jacobians of the rows, one below another
        if not value or not all(isinstance(row, list) and len(row) == len(value[0]) and row for row in value):
            raise self.refusal(words.NO_ROWS, where=where)
        return np.array([[number(cell, where, self.lang) for cell in row] for row in value])


def refusal(what: Words, lang: str, **fields: object) -> DataError:
    """An error that speaks to the student, in a language."""
    return DataError(what.in_(lang).format(**fields))


def number(word: object, where: str, lang: str = "en") -> tuple[float, float]:
    """A number and half its last decimal; nan for a blank."""

    def refused(what: Words) -> DataError:
        return refusal(what, lang, where=where, word=shown(word))

    if not isinstance(word, str | None):
        raise refused(words.NOT_A_NUMBER)
    text = "" if word is None else SPACES.sub("", word.strip()).replace("−", "-")
    if not text:
        return float("nan"), 0.0
    if not FRACTION.fullmatch(text) and not NUMBER.fullmatch(text):
        raise refused(words.NOT_A_WRITTEN_NUMBER)
    try:
        value, unit = _value(text)
    except ZeroDivisionError:
        raise refused(words.DIVIDES_BY_ZERO) from None
    except (ValueError, OverflowError):  # Python reads no whole number of more than 4,300 digits
        value, unit = inf, 0.0
    if isinf(value):
        raise refused(words.TOO_LARGE)
    return value, unit


def _value(text: str) -> tuple[float, float]:
    """The value of a written number, and half its last decimal."""
    if fraction := FRACTION.fullmatch(text):
        return float(Fraction(int(fraction[1]), int(fraction[2]))), 0.0
    written = text.lower().replace(",", ".")
    mantissa, _, exponent = written.partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return float(written), 0.5 * 10.0**-decimals if decimals >= TRUSTED_DECIMALS else 0.0


def _plain(value: object) -> Any:
    """Python's values as JSON has them: lists, and numbers as they are written; nan, None and ... are blanks."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is ... or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, int | float | Fraction) and not isinstance(value, bool):
        return str(value)
    return value


def rows_of(text: str, place: str, lang: str) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file that are not blank, each with the number of its line, and without the header."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    begin = 0
    if first.lower().startswith("sep="):  # how a spreadsheet is told its delimiter
        begin, delimiter = lines.index(first) + 1, first[4:5] or ","
    else:
        delimiter = next((mark for mark in (";", "\t") if mark in first), ",")
    try:
        rows = list(csv.reader(lines[begin:], delimiter=delimiter))
    except csv.Error as error:
        raise refusal(words.NO_TABLE, lang, place=place, why=error) from None
    found = [(line, row) for line, row in enumerate(rows, start=begin + 1) if any(cell.strip() for cell in row)]
    if found and found[0][0] == begin + 1 and not _is_place(found[0][1]) and not _is_label(found[0][1]):
        del found[0]
    return found


def _is_place(row: list[str]) -> bool:
    return len(row) > 2 and all(PLACE.fullmatch(cell.strip()) and int(cell) > 0 for cell in row[1:3])


def _is_label(row: list[str]) -> bool:
    return row[0].strip().casefold() in (*VARIANT, *STUDENT)


def _value_cell(row: list[str]) -> str:
    """The value of a line; one with a decimal comma between commas has become two cells."""
    return f"{row[3]},{row[4].strip()}" if len(row) > 4 and DECIMALS.fullmatch(row[4].strip()) else row[3]


def two(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a matrix, of a vector, of a number, or of Jacobians of rows, one below another."""
    if len(shape) < 2:
        rows, columns = (1, 1, *shape)[-2:]
        return rows, columns
    return int(np.prod(shape[:-1])), shape[-1]


def loaded(text: str, place: str, lang: str) -> list[tuple[str, Any]]:
    """The names and values of an object of JSON, whose numbers are kept as they are written."""
    try:
        # with the zeros that tell how a number was rounded, and every name that is there twice
        facts = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise refusal(words.NOT_JSON, lang, place=place, why=error) from None
    if not isinstance(facts, _Pairs):
        raise refusal(words.A_LIST, lang, place=place, example='{"Z1": [[0.5]]}')
    return list(facts)


class _Pairs(tuple[Any, ...]):
    """An object of JSON as its names and values, in their order."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(dict(self))


def label_of(text: str, place: str, lang: str) -> Label:
    """What a file of answers says of itself."""
    found: dict[str, str] = {}
    if text.lstrip()[:1] in ("{", "["):
        pairs = [(name, value) for name, value in loaded(text, place, lang) if isinstance(value, str)]
    else:
        pairs = [
            (row[0].strip(), next(filter(None, map(str.strip, row[1:])), "")) for _, row in rows_of(text, place, lang)
        ]
    for name, value in pairs:
        found.setdefault(name.casefold(), value.strip())
    return Label(*(next((found[key] for key in keys if found.get(key)), "") for keys in (STUDENT, VARIANT)))


def text_of(path: Path, lang: str = "en") -> str:
    """The text of a file: UTF-8, with the byte order mark that spreadsheets write or without, UTF-16, or cp1252."""
    with open(path, "rb") as file:  # also of a pipe, but never all of what does not end
        content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise refusal(words.TOO_LONG, lang, place=path, most=f"{LONGEST_FILE:,}")
    if content[:2] == b"PK":  # a workbook
        encodings: list[str] = []
    elif content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in content:  # no mark, but every other byte of its signs and digits is 0
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refusal(words.NOT_TEXT, lang, place=path)
