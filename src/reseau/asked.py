"""What the user says of a table's columns, before any rule decides what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeAlias

from reseau import dates
from reseau.checks import known, shown
from reseau.errors import ParameterError
from reseau.table import Table

ColumnNames: TypeAlias = str | int | Iterable[str | int]


@dataclass(frozen=True)
class Asked:
    """What the user says of columns; the rules decide on the rest.

    `kinds` has "category", "number", "date" or "text" by name of column, and `orders` the order of dates where it is
    given; `missing` are marks of a missing value, `decimal` is the decimal mark of the table.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    decimal: str | None = None

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
    ) -> Asked:
        """What is asked of the columns of a table, whose dates may have their order, as "born=day-month-year".

        Raises
        ------
        DataError
            For a column that the table has not.
        ParameterError
            For a column of two kinds, an order of dates or a decimal mark that is none.
        """
        if decimal is not None:
            known("decimal", decimal, (".", ","))
        kinds: dict[str, str] = {}
        orders: dict[str, str] = {}
        for kind, given in (("category", category), ("number", number), ("date", date), ("text", text)):
            for name in names(kind, given):
                column = name
                if kind == "date" and name not in table.columns and "=" in name:
                    column, order = name.rsplit("=", 1)
                    orders[column] = known("the order of dates", order, dates.ORDERS)
                if kinds.setdefault(table.column(column).name, kind) != kind:
                    raise ParameterError(
                        f"the column {column!r} is asked to be {kinds[column]} and {kind}; choose one."
                    )
        return cls(kinds, orders, names("missing", missing), decimal)


def names(parameter: str, given: object) -> tuple[str, ...]:
    """The names of columns (or marks) that a parameter has: of a single one, not its letters; a number is its text.

    Raises
    ------
    ParameterError
        If it has anything else.
    """
    try:
        found: tuple[Any, ...] = (given,) if isinstance(given, str | bytes | Real) else tuple(given)  # type: ignore[arg-type]
    except TypeError:
        found = (given,)
    if any(isinstance(name, bool) or not isinstance(name, str | Real) for name in found):
        what = "marks of missing values" if parameter == "missing" else "names of columns"
        raise ParameterError(f"{parameter} is {shown(given)}, but must be a list of the {what}.")
    return tuple(str(name) for name in found)


NOTHING = Asked()
