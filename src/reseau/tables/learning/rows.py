"""What is said of rows beside their cells: how much each counts, which belong together, and when each was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import issparse

from reseau import data
from reseau.arrays import FloatArray
from reseau.checks import real, shown
from reseau.errors import DataError, ParameterError
from reseau.tables.columns.asked import Asked, option
from reseau.tables.columns.description import Rows
from reseau.tables.columns.kinds import Date, Number
from reseau.tables.columns.recognition import recognise
from reseau.tables.reading import cells as read
from reseau.tables.reading.cells import Codes
from reseau.tables.reading.table import Column, Table, quoted, read_table
from reseau.tables.targets.target import Target, Values
from reseau.visible import plural

BALANCED = "balanced"  # each class counts alike, however many rows it has


@dataclass(frozen=True)
class Beside:
    """What is said of each row of a table beside its cells.

    Attributes
    ----------
    weights, groups, times : ndarray of shape (rows,) or None
        As `weights_of`, `groups_of` and `times_of` have them.
    """

    weights: FloatArray | None
    groups: Codes | None
    times: FloatArray | None

    def of(self, rows: Rows) -> Beside:
        """The same of some rows."""
        return Beside(
            None if self.weights is None else self.weights[rows],
            None if self.groups is None else self.groups[rows],
            None if self.times is None else self.times[rows],
        )


NOTHING_SAID = Beside(None, None, None)


def column_names(table: Table, target: str, **given: Any) -> dict[str, str]:
    """The columns that are named for what is said of rows, by the parameter; such a column is no input.

    Raises
    ------
    ParameterError
        For the target, which cannot be one of them.
    DataError
        For a column that the table has not.
    """
    found = {parameter: table.column(name).name for parameter, name in given.items() if isinstance(name, str)}
    for parameter, name in found.items():
        if name == target:
            raise ParameterError(f"{parameter} is {name!r}, which is the target; give another column.")
    return found


def weights_of(table: Table, given: Any, asked: Asked, mark: str) -> FloatArray | None:
    """How much each row counts, (rows,), at least 0.

    Parameters
    ----------
    table : Table
    given : str, array-like of shape (rows,), or None
        The name of a column of numbers, or the weights themselves.
    asked : Asked
        What the user says of columns.
    mark : str
        The decimal mark that the table proves, "" if it proves none.

    Raises
    ------
    DataError
        For what is no number, negative or missing, with its place, and where no row counts.
    """
    if given is None:
        return None
    if isinstance(given, str):
        column = table.column(given)
        values = read.quantities(column, asked.missing, mark, "", False, "is not a number, and a weight is one.")
        _refuse(column, np.isnan(values), "weight", "write 0 for a row that does not count.")
        _refuse(column, values < 0, "weight", "a weight cannot be negative.")
        given, name = values, f"the column {column.name!r}"
    else:
        name = "weight"
    return data.weights(given, table.rows, name)


def groups_of(table: Table, given: Any) -> Codes | None:
    """The group of each row, (rows,), from 0 on.

    Parameters
    ----------
    table : Table
    given : str, array-like of shape (rows,), or None
        The name of a column of labels, or the labels themselves.

    Raises
    ------
    DataError
        For a missing label, with its place, and for a single group.
    """
    if given is None:
        return None
    if isinstance(given, str):
        column = table.column(given)
    else:
        column = _one_a_row("groups", given, table, "label")
    codes = read.labels_of(column).codes
    _refuse(column, codes < 0, "group", "give each row its group, a row that belongs to no other one of its own.")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def times_of(table: Table, given: Any, asked: Asked, mark: str, drawn: Rows | None = None) -> FloatArray | None:
    """When each row was, (rows,): days, or whatever numbers tell which rows come first.

    Parameters
    ----------
    table : Table
    given : str, array-like of shape (rows,), or None
        The name of a column of dates or numbers, or these themselves.
    asked : Asked
        What the user says of columns.
    mark : str
        The decimal mark that the table proves, "" if it proves none.
    drawn : ndarray of int or None
        The rows that tell what the column is: of very many, to look at all would take much memory. None for all.

    Raises
    ------
    DataError
        For labels, which have no order, and for a missing time, with its place.
    """
    if given is None:
        return None
    if isinstance(given, str):
        column = table.column(given)
    else:
        column = _one_a_row("time", given, table, "date or number")
    kind = asked.kinds.get(column.name)
    kinds = {**asked.kinds, column.name: kind} if kind in ("date", "number") else {}
    looked_at = column
    if drawn is not None:
        looked_at = replace(
            column, cells=column.cells.take(pa.array(drawn)), place=lambda row: column.place(int(drawn[row]))
        )
    description, _ = recognise(looked_at, replace(asked, kinds=kinds), mark, alone=True)
    if not isinstance(description, Number | Date):
        cell = column.cells.drop_null().slice(0, 1).to_pylist()
        raise DataError(
            f"the time {column.name!r} is taken for {description.taken_for}"
            f"{f', such as {quoted(cell[0])}' if cell else ''}; "
            f"give a column of numbers or dates ({option('date', f'{column.name}=day-month-year')} says how these are "
            "written), which tell what comes first."
        )
    times = description.read(column)
    _refuse(column, np.isnan(times), "time", "give each row its time, or leave such rows out.")
    return np.asarray(times)


def class_weights(target: Target, given: Any) -> FloatArray | str | None:
    """How much the rows of each class count, (classes,); "balanced" where that follows from the rows learned from.

    Parameters
    ----------
    target : Target
    given : "balanced", mapping from class to weight, or None
        A class that is not in the mapping has the weight 1.

    Raises
    ------
    ParameterError
        For a target without classes, a class that there is not, and a weight below 0.
    """
    if given is None:
        return None
    if target.strata(np.zeros(1, np.int64)) is None:
        raise ParameterError(
            f"class_weight is {shown(given)}, but {target.name!r} is a number, which has no classes; leave it out, or "
            "give each row a weight."
        )
    if isinstance(given, str) and given == BALANCED:
        return BALANCED
    if not isinstance(given, Mapping):
        raise ParameterError(f"class_weight is {shown(given)}, but must be 'balanced', or a weight for each class.")
    weights = np.ones(target.outputs)
    for label, weight in given.items():
        weights[target.place(label)] = real(f"class_weight of {label!r}", weight, low=0)
    if not weights.any():
        raise ParameterError(
            f"class_weight is {shown(given)}, so that no row counts; give some class a weight above 0."
        )
    return weights


def with_class_weights(
    weights: FloatArray | None, of_classes: FloatArray | str | None, y: Values, outputs: int
) -> FloatArray | None:
    """How much rows count, by themselves and by their class; None where nothing says so.

    Parameters
    ----------
    weights : ndarray of shape (rows,) or None
    of_classes : ndarray of shape (classes,), "balanced" or None
        As `class_weights` has it.
    y : ndarray of shape (rows,)
        The class of each row.
    outputs : int
        How many classes there are.
    """
    if of_classes is None:
        return weights
    if isinstance(of_classes, str):
        counts = np.bincount(y, weights, minlength=outputs)
        of_classes = counts.sum() / np.maximum(np.count_nonzero(counts) * counts, np.finfo(float).tiny)
    return np.asarray(of_classes[y] if weights is None else of_classes[y] * weights)


def _one_a_row(name: str, given: Any, table: Table, what: str) -> Column:
    """Values for the rows as a column of this name."""
    column = read_table({name: given}).columns[name]
    if len(column.cells) != table.rows:
        raise DataError(
            f"{name} has {plural(len(column.cells), what)}, but there are {plural(table.rows, 'row')}; give one for "
            "each."
        )
    return column


def _refuse(column: Column, wrong: read.Mask, what: str, way_out: str) -> None:
    """Raise a `DataError` that names the first row whose weight or group is wrong."""
    if not wrong.any():
        return
    row = int(wrong.argmax())
    cell = column.cells[row].as_py()
    is_what = "is missing" if cell is None else f"is {quoted(cell)}"
    raise DataError(f"the {what} in {column.name!r} {is_what} ({column.place(row)}); {way_out}")


def check_names(**given: Any) -> None:
    """Refuse what can be neither the name of a column nor a value for each row."""
    for name, value in given.items():
        single = np.ndim(value) == 0 if isinstance(value, np.ndarray) else not hasattr(value, "__len__")
        if value is not None and not isinstance(value, str) and (single or issparse(value) or not len(value)):
            raise ParameterError(
                f"{name} is {shown(value)}, but must be the name of a column, or a list of a value for each row."
            )
