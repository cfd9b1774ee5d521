"""A student's answers: a small CSV or JSON file, read with commas or points, fractions, and blanks.

CSV has a line for each number: its name, row, column and value, as in the table that `reseau exercise` writes. JSON
has an object of names with numbers, or lists of them, or lists of lists; null is a blank.
"""

from __future__ import annotations

import csv
import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isinf
from typing import Any

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.errors import DataError

TRUSTED_DECIMALS = 2  # a number with fewer is not taken for a rounded one: 0 is no answer to 0.3
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
PLACE = re.compile(r"\d{1,9}")
FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)")


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


def read(text: str, place: str, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, str]) -> Answers:
    """Read answers.

    Parameters
    ----------
    text : str
        The content of the file.
    place : str
        What errors call it.
    shapes : mapping of str to tuple of int
        Of everything asked for.
    given : mapping of str to str
        Other names under which an answer may be given, such as W1 for W1_new.

    Raises
    ------
    DataError
        For what cannot be read: the message names the line.
    """
    begins = text.lstrip()[:1]
    answers = _from_json(text, place, shapes, given) if begins in ("{", "[") else _from_csv(text, place, shapes, given)
    if not answers.transposed and not any((~np.isnan(values)).any() for values in answers.values.values()):
        raise DataError(f"{place} has no answers yet; fill in values first.")
    return answers


def _name(word: object, where: str, shapes: Mapping[str, Any], given: Mapping[str, str]) -> str:
    name = given.get(str(word), str(word))
    if name not in shapes:
        near = difflib.get_close_matches(name, shapes, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{where} has {shown(word)}, which is not asked for.{hint} Known: {', '.join(shapes)}.")
    return name


def number(word: object, where: str) -> tuple[float, float]:
    """A number and half its last decimal; nan for a blank."""
    if not isinstance(word, str | None):
        raise DataError(f"{where} has {shown(word)}, which is not a number.")
    text = "" if word is None else word.strip().replace("−", "-")
    if not text:
        return float("nan"), 0.0
    if not FRACTION.fullmatch(text) and not NUMBER.fullmatch(text):
        raise DataError(f"{where} has {shown(word)}, which is not a number; write it as 0.25, 0,25 or 1/4.")
    try:
        value, unit = _value(text)
    except ZeroDivisionError:
        raise DataError(f"{where} has {shown(word)}, which divides by zero.") from None
    except (ValueError, OverflowError):  # Python reads no whole number of more than 4,300 digits
        value, unit = inf, 0.0
    if isinf(value):
        raise DataError(f"{where} has {shown(word)}, which is too long or too large to be an answer.")
    return value, unit


def _value(text: str) -> tuple[float, float]:
    """The value of a written number, and half its last decimal."""
    if fraction := FRACTION.fullmatch(text):
        return float(Fraction(int(fraction[1]), int(fraction[2]))), 0.0
    written = text.lower().replace(",", ".")
    mantissa, _, exponent = written.partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return float(written), 0.5 * 10.0**-decimals if decimals >= TRUSTED_DECIMALS else 0.0


def _from_csv(text: str, place: str, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, str]) -> Answers:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((mark for mark in (";", "\t") if mark in first), ",")
    cells: dict[str, dict[tuple[int, int], tuple[float, float]]] = {}
    try:
        lines = list(csv.reader(text.splitlines(), delimiter=delimiter))
    except csv.Error as error:
        raise DataError(
            f"{place} is no table of answers: {error}; give lines of name, row, column and value."
        ) from None
    for place_of_line, row in enumerate(lines, start=1):
        where = f"{place}, line {place_of_line}"
        if not any(cell.strip() for cell in row) or (place_of_line == 1 and not _is_place(row)):
            continue  # a blank line, or the header
        if len(row) < 4:
            raise DataError(f"{where} has {len(row)} cells, but needs a name, a row, a column and a value.")
        name = _name(row[0].strip(), where, shapes, given)
        if not _is_place(row):
            raise DataError(
                f"{where} has row {shown(row[1])} and column {shown(row[2])}, which must be whole numbers from 1."
            )
        value = number(row[3], where)
        if np.isnan(value[0]):
            continue
        at = int(row[1]), int(row[2])
        if cells.setdefault(name, {}).setdefault(at, value) != value:
            raise DataError(f"{where} has another value for {name} at row {at[0]}, column {at[1]}; leave one of them.")
    answers = Answers()
    for name, found in cells.items():
        rows, columns = two(shapes[name])
        over = next(((i, j) for i, j in found if i > rows or j > columns), None)
        if over and all(i <= columns and j <= rows for i, j in found):
            answers.transposed = answers.transposed or name
            continue
        if over:
            raise DataError(
                f"{place} has {name} at row {over[0]}, column {over[1]}, but it has {rows} row(s) and {columns} "
                "column(s)."
            )
        values, units = np.full((rows, columns), np.nan), np.zeros((rows, columns))
        for (i, j), (number_there, unit) in found.items():
            values[i - 1, j - 1], units[i - 1, j - 1] = number_there, unit
        answers.values[name], answers.units[name] = values.reshape(shapes[name]), units.reshape(shapes[name])
    return answers


def _is_place(row: list[str]) -> bool:
    return len(row) > 2 and all(PLACE.fullmatch(cell.strip()) and int(cell) > 0 for cell in row[1:3])


def two(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a matrix, of a vector, of a number, or of the Jacobian of one row."""
    rows, columns = (1, 1, *shape)[-2:]
    return rows, columns


def _from_json(text: str, place: str, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, str]) -> Answers:
    try:
        facts = json.loads(text, parse_float=str, parse_int=str)  # with the zeros that tell how it was rounded
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not JSON: {error}.") from None
    if not isinstance(facts, dict):
        raise DataError(
            f'{place} holds a list, but must hold an object of names with their numbers, {{"Z1": [[0.5]]}}.'
        )
    answers = Answers()
    for word, value in facts.items():
        name = _name(word, place, shapes, given)
        if name in answers.values:
            raise DataError(f"{place} has {shown(word)}, which is {name}, and that too; leave one of them.")
        cells = _nested(value, f"{place}, {name}")
        rows, columns = two(shapes[name])
        if cells.shape[:2] != (rows, columns) and cells.shape[:2] == (columns, rows):
            answers.transposed = answers.transposed or name
            continue
        if cells.shape[:2] != (rows, columns):
            raise DataError(
                f"{place} has {word} with {cells.shape[0]} row(s) and {cells.shape[1]} column(s), but it has {rows} "
                f"and {columns}."
            )
        answers.values[name] = cells[..., 0].reshape(shapes[name])
        answers.units[name] = cells[..., 1].reshape(shapes[name])
    return answers


def _nested(value: Any, where: str) -> FloatArray:
    """Numbers, lists of them or lists of lists as (rows, columns, 2): the value and half its last decimal."""
    if not isinstance(value, list):
        value = [[value]]
    elif not any(isinstance(row, list) for row in value):
        value = [value]
    while len(value) == 1 and value[0] and all(isinstance(row, list) for row in value[0]):
        value = value[0]  # the one row of a Jacobian
    if not value or not all(isinstance(row, list) and len(row) == len(value[0]) and row for row in value):
        raise DataError(f"{where} must be a number, a list of numbers, or a list of rows of one length.")
    return np.array([[number(cell, where) for cell in row] for row in value])
