"""What each column of a table is, from all of its cells: the rules are here and nowhere else.

- All cells missing: left out as empty. Always the same value: left out as constant.
- All cells numbers: a number, however few different ones there are. Nearly all: a number too, where
  the few other texts count as missing. A number with a leading zero (01000) is a code, so text.
- Words for true and false: a boolean. Dates: a date, unless the order of day and month is open.
- Other text: a category; but a different text in (nearly) every row is an identifier or free text.
- Whole numbers that count the rows, or that differ in every row and are named like a key: an
  identifier.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reseau import cells as read
from reseau.columns import Boolean, Category, Date, Description, LeftOut, Number, plural
from reseau.table import Column, listed, quoted

if TYPE_CHECKING:
    from reseau.cells import Floats

NUMBER_SHARE = 0.9  # of the cells that are numbers, from which the others count as missing...
ODD_SPELLINGS = 5  # ... if they are at most this many different texts
KEY_NAME = re.compile(
    r"(column 1|index|key|rownames?|row|unnamed: \d+|nr|no|obs|case|serial"
    r"|(.*[_\W])?(id|uuid|guid))",
    re.IGNORECASE,
)
KEY_CAMEL = re.compile(r".*[a-z](Id|ID)")
IDENTIFIER_LENGTH = 40  # characters on average; longer distinct texts are free text


def recognise(column: Column, alone: bool = False) -> tuple[Description, str]:
    """Say what a column is, from all of its cells.

    Parameters
    ----------
    column : Column
    alone : bool
        Whether it is the only one to learn from: then even a column that counts its rows is kept.

    Returns
    -------
    description : Description
        Not fitted yet.
    note : str
        What the user should know of how the column was taken; "" if there is nothing to say.

    Raises
    ------
    DataError
        If a number is infinite or too large for float32.
    """
    name, cells = column.name, column.cells
    if cells.null_count == len(cells):
        return LeftOut(name, "empty", "all values are missing"), ""
    if pa.types.is_boolean(cells.type):
        return _unless_constant(column, Boolean(name)), ""
    if read.is_date(cells):
        return _unless_constant(column, Date(name)), ""
    if read.is_number(cells):
        return _recognise_number(column, *read.numbers(cells), alone)
    if read.is_text(cells):
        return _recognise_text(column, alone)
    return LeftOut(name, "unsupported", f"cells of type {cells.type} cannot be used"), ""


def _recognise_number(column: Column, values: Floats, odd: read.Mask, alone: bool) -> tuple[Description, str]:
    name = column.name
    read.refuse_too_large(column, values)
    present = values[~np.isnan(values)]
    if not len(present):
        return LeftOut(name, "empty", "all values are missing"), ""
    if odd.any():
        count = int(odd.sum())
        texts = column.cells.filter(pa.array(odd))
        spellings = texts.unique().to_pylist()
        first = int(odd.argmax())
        verb = "is not a number and counts" if count == 1 else "are not numbers and count"
        which = f"{listed(spellings)}, first at {column.place(first)}"
        note = f"{plural(count, 'cell')} {verb} as missing: {which}"
        return Number(name, also_missing=tuple(spellings)), note
    whole = len(present) == len(values) and not np.mod(present, 1.0).any()
    if len(values) > 1 and len(present) == len(values) and (present == present[0]).all():
        return _constant(column), ""
    if whole and not alone and len(present) > 2 and len(np.unique(present)) == len(present):
        counting = present[0] in (0.0, 1.0) and (np.diff(present) == 1.0).all()
        if counting:
            return LeftOut(name, "identifier", "counts the rows"), ""
        if KEY_NAME.fullmatch(name) or KEY_CAMEL.fullmatch(name):
            return LeftOut(name, "identifier", "a different whole number in every row"), ""
    return Number(name), ""


def _recognise_text(column: Column, alone: bool) -> tuple[Description, str]:
    name, cells = column.name, column.cells
    present = len(cells) - cells.null_count
    values, odd = read.numbers(cells)
    n_odd = int(odd.sum())
    coded = n_odd == 0 and read.has_codes(cells)
    if n_odd == 0 and not coded:
        return _recognise_number(column, values, odd, alone)
    labels = read.label_codes(cells)
    distinct = pa.chunked_array([pa.array(labels.levels, pa.large_string())])
    if len(labels.levels) == 1 and present == len(cells):
        return _constant(column), ""
    if not read.booleans(distinct)[1].any():
        return Boolean(name), ""
    order, ambiguous = read.date_order(distinct)
    if order:
        return Date(name, order), ""
    if n_odd <= (1 - NUMBER_SHARE) * present:
        spellings = len(cells.filter(pa.array(odd)).unique())
        if spellings <= ODD_SPELLINGS and not coded:
            return _recognise_number(column, values, odd, alone)
    note = ""
    if ambiguous:
        note = "dates with day or month first, undecidable; write them year-month-day to use them"
    elif 0 < n_odd < 0.5 * present:
        first = int(odd.argmax())
        example = f"{quoted(cells[first].as_py())} ({column.place(first)})"
        note = f"mostly numbers, but {example} and others are not"
    n_levels = len(labels.levels)
    if n_levels > max(0.5 * present, 2):
        length = pc.mean(pc.utf8_length(cells)).as_py()
        every = "a different text in every row"
        if n_levels == present and length <= IDENTIFIER_LENGTH:
            return LeftOut(name, "identifier", every), note
        many = every if n_levels == present else f"{n_levels} different texts in {present} rows"
        return LeftOut(name, "free text", many), note
    return Category(name), note


def _unless_constant(column: Column, description: Description) -> Description:
    if column.cells.null_count or len(column.cells) == 1 or len(column.cells.unique()) > 1:
        return description
    return _constant(column)


def _constant(column: Column) -> LeftOut:
    return LeftOut(column.name, "constant", f"always {quoted(column.cells[0].as_py())}")
