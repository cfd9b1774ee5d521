"""What is said of rows beside their cells: how much each counts, and which belong together and are never parted."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau import data
from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.errors import DataError, ParameterError
from reseau.tables import cells as read
from reseau.tables.asked import Asked
from reseau.tables.cells import Codes
from reseau.tables.description import Rows
from reseau.tables.table import Column, Table, quoted, read_table
from reseau.visible import plural


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
        column = read_table({"groups": given}).columns["groups"]
        if len(column.cells) != table.rows:
            raise DataError(
                f"groups has {plural(len(column.cells), 'label')}, but there are {plural(table.rows, 'row')}; give one "
                "for each."
            )
    codes = read.labels_of(column).codes
    _refuse(column, codes < 0, "group", "give each row its group, a row that belongs to no other one of its own.")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _refuse(column: Column, wrong: read.Mask, what: str, way_out: str) -> None:
    """Raise a `DataError` that names the first row whose weight or group is wrong."""
    if not wrong.any():
        return
    row = int(wrong.argmax())
    cell = column.cells[row].as_py()
    is_what = "is missing" if cell is None else f"is {quoted(cell)}"
    raise DataError(f"the {what} in {column.name!r} {is_what} ({column.place(row)}); {way_out}")


def folds_of_groups(groups: Codes, most: int, rng: np.random.Generator, strata: Codes | None = None) -> Codes:
    """Draw the fold of each row, (rows,), so that the rows of a group are in one.

    The groups are gone through from the largest to the smallest, those of one size in any order. Each goes where there
    is least yet of the classes it has, every class counted as a share of its rows; and of such folds to that with the
    fewest rows.

    Parameters
    ----------
    groups : ndarray of shape (rows,)
        Of each row.
    most : int
        How many folds there are; as many as groups, where these are fewer.
    rng : numpy.random.Generator
        What draws.
    strata : ndarray of shape (rows,) or None
        The class of each row.
    """
    groups = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(groups)
    _refuse_single(len(sizes))
    classes = np.zeros(len(groups), np.int64) if strata is None else strata
    k = int(classes.max()) + 1
    counts = np.bincount(groups * k + classes, minlength=len(sizes) * k).reshape(-1, k)
    shares = counts / np.maximum(counts.sum(axis=0), 1)  # (groups, classes)
    folds = min(most, len(sizes))
    there, rows = np.zeros((folds, k)), np.zeros(folds, np.int64)
    fold_of = np.empty(len(sizes), np.int64)
    order = rng.permutation(len(sizes))
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        alike = there @ shares[group]
        fold = np.where(alike == alike.min(), rows, np.iinfo(np.int64).max).argmin()
        fold_of[group] = fold
        there[fold] += shares[group]
        rows[fold] += sizes[group]
    return np.asarray(fold_of[groups])


def split_groups(groups: Codes, share: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Draw whole groups with about a share of the rows; at least one, and not all.

    Returns
    -------
    rest, drawn : ndarray of int
        The row numbers, in increasing order.
    """
    groups = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(groups)
    _refuse_single(len(sizes))
    order = rng.permutation(len(sizes))
    wanted, rows = share * len(groups), np.cumsum(sizes[order])
    n = int(np.abs(rows - wanted).argmin()) + 1 if share else 0
    drawn = np.isin(groups, order[: min(n, len(sizes) - 1)])
    return np.nonzero(~drawn)[0], np.nonzero(drawn)[0]


def _refuse_single(groups: int) -> None:
    if groups < 2:
        raise DataError("all rows to learn from are of one group; at least two are needed, to learn from one another.")


def check_names(**given: Any) -> None:
    """Refuse what can be neither the name of a column nor a value for each row."""
    for name, value in given.items():
        if value is not None and not isinstance(value, str) and not (hasattr(value, "__len__") and len(value)):
            raise ParameterError(
                f"{name} is {shown(value)}, but must be the name of a column, or a list of a value for each row."
            )
