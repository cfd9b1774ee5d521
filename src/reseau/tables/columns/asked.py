"""What the user says of a table's columns, before any rule decides what they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeAlias

from reseau.checks import known, shown
from reseau.errors import ParameterError
from reseau.tables.reading import dates, numerals
from reseau.tables.reading.dialect import SPACE
from reseau.tables.reading.frames import written
from reseau.tables.reading.table import LONGEST_QUOTED, Table

OTHER_MARK = {".": ",", ",": "."}
GROUPS: dict[str, str] = {mark: mark for mark in OTHER_MARK} | dict.fromkeys((*numerals.SPACES, "space"), " ")
GROUPS |= dict.fromkeys((*numerals.APOSTROPHES, "apostrophe"), "'") | {"comma": ",", "point": "."}
LEFT_OUT = "left out"
ColumnNames: TypeAlias = str | int | Iterable[str | int]


@dataclass(frozen=True)
class Asked:
    """What the user says of columns; the rules decide on the rest.

    `kinds` has "category", "number", "date", "text" or "left out" by name of column, and `orders` the order of dates
    where it is given; `missing` are marks of a missing value, `decimal` is the decimal mark of the table, and
    `thousands` what groups digits in it.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None

    @classmethod
    def of(
        cls,
        table: Table,
        *,
        category: ColumnNames = (),
        number: ColumnNames = (),
        date: ColumnNames = (),
        text: ColumnNames = (),
        missing: ColumnNames = (),
        decimal: str | None = None,
        thousands: str | None = None,
        ignore: ColumnNames = (),
    ) -> Asked:
        """What is asked of the columns of a table; dates may have their order, as in "born=day-month-year" or a dict.

        Raises
        ------
        DataError
            For a column that the table has not.
        ParameterError
            For a column of two kinds or orders, one that is left out besides, an order of dates or a decimal mark that
            is none.
        """
        mark: object = decimal  # a data frame compares with each
        if mark is not None and not (isinstance(mark, str) and mark in (".", ",")):
            raise ParameterError(f"decimal is {shown(decimal)}, but must be '.' or ','.")
        groups = _groups_given(thousands)
        if groups is not None and groups == decimal:
            raise ParameterError(f"decimal and thousands are both {decimal!r}; digits are grouped by something else.")
        if decimal is None:
            decimal = OTHER_MARK.get(groups or "")
        kinds: dict[str, str] = {table.column(name).name: LEFT_OUT for name in names("ignore", ignore)}
        if isinstance(date, Mapping):
            date = [f"{name}={order}" for name, order in date.items()]
        orders: dict[str, str] = {}
        for kind, given in (("category", category), ("number", number), ("date", date), ("text", text)):
            for name in names(kind, given):
                column, order = name, ""
                if kind == "date" and name.strip(SPACE) not in table.columns and "=" in name:
                    column, order = name.rsplit("=", 1)
                    known("the order of dates", order, dates.ORDERS)
                column = table.column(column).name
                said = [(kinds.setdefault(column, kind), kind)]
                said += [(orders.setdefault(column, order), order)] if order else []
                for before, now in said:
                    if before != now:
                        raise ParameterError(f"the column {column!r} is asked to be {before} and {now}; choose one.")
        marks = tuple(written(mark).strip(SPACE) for mark in names("missing", missing))  # as the cells are
        return cls(kinds, orders, marks, decimal, groups)

    def groups(self, decimal: str) -> bool:
        """Whether points or commas are said to group digits beside such a decimal mark."""
        return self.thousands is not None and self.thousands == OTHER_MARK.get(decimal)


def _groups_given(thousands: object) -> str | None:
    """What groups digits, as a parameter says, or None."""
    if thousands is None:
        return None
    found = GROUPS.get(thousands.lower()) if isinstance(thousands, str) else None
    if found is None:
        raise ParameterError(
            f"thousands is {shown(thousands)}, but must be what groups digits: ',', '.', ' ' (or 'space') or \"'\"."
        )
    return found


def option(name: str, value: str) -> str:
    """An option of the command line as it is typed into a shell; its name alone where nobody would type the value."""
    if len(value) > LONGEST_QUOTED:
        return f"--{name}"
    if re.fullmatch(r"[-\w.][-\w.=]*", value):
        return f"--{name} {value}"
    bare = "'" in value and not re.search(r'["$`\\!]', value)
    return f'--{name} "{value}"' if bare else f"--{name} {shlex.quote(value)}"


def names(parameter: str, given: Any) -> tuple[str, ...]:
    """The names of columns (or marks) that a parameter has: of a single one, not its letters; a number is its text.

    Raises
    ------
    ParameterError
        If it has anything else.
    """
    try:
        found: tuple[Any, ...] = (given,) if isinstance(given, str | bytes | Real) else tuple(given)
    except TypeError:
        found = (given,)
    if any(isinstance(name, bool) or not isinstance(name, str | Real) for name in found):
        what = "marks of missing values" if parameter == "missing" else "names of columns"
        raise ParameterError(f"{parameter} is {shown(given)}, but must be a list of the {what}.")
    return tuple(str(name) for name in found)


NOTHING = Asked()
