"""X and y, as scikit-learn has them, as a table and its target's column."""

from __future__ import annotations

from collections.abc import Mapping
from io import IOBase
from pathlib import Path
from typing import Any

import narwhals
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import assert_all_finite, validate_data

from reseau.array_likes import as_array
from reseau.checks import shown
from reseau.errors import DataError
from reseau.tables.reading import cells as read
from reseau.tables.reading.dialect import SPACE
from reseau.tables.reading.table import Column, Table, read_table

TARGET = "target"  # what it is called where y has no name


def table_of(X: Any, estimator: Any, *, reset: bool) -> Table:
    """X as a table, whose width and names are noted by scikit-learn's rules, or held against those noted before."""
    if isinstance(X, str | Path | IOBase):
        raise DataError(f"X is {shown(X)}, but must be a data frame or an array; TableModel.train reads files.")
    if _has_names(X):
        table = read_table(X)
        known = narwhals.dependencies.is_into_dataframe(X)  # of what scikit-learn reads the names
        frame = X if known else pa.table({name: column.cells for name, column in table.columns.items()})
        validate_data(estimator, frame, reset=reset, skip_check_array=True)
        return table
    if not issparse(X):
        as_array(X, "X")  # says what is no array at all
    array = check_array(X, dtype=None, ensure_all_finite="allow-nan", estimator=estimator, input_name="X")
    if isinstance(X, list | tuple) and array.dtype.kind in "SU":
        array = np.array(X, dtype=object)  # of which some may be numbers
    validate_data(estimator, array, reset=reset, skip_check_array=True)
    return read_table({f"x{place}": column for place, column in enumerate(array.T)})


def _has_names(X: Any) -> bool:
    """Whether it is a table with named columns, or rows that are dicts, rather than an array."""
    if isinstance(X, np.ndarray):
        return X.dtype.names is not None
    if issparse(X):  # of which some are dicts
        return False
    if isinstance(X, list | tuple):
        return len(X) > 0 and isinstance(X[0], Mapping)
    return isinstance(X, Mapping | Table) or hasattr(type(X), "columns") or hasattr(X, "__arrow_c_stream__")


def target_name(y: Any, table: Table) -> str:
    """The name of y, if it has one, else "target"; changed where a column of X has it."""
    given = y.columns[0] if len(getattr(y, "columns", ())) == 1 else getattr(y, "name", None)
    name = (given.strip(SPACE) if isinstance(given, str) else "") or TARGET
    while name in table.columns:
        name += "_"
    return name


def target_column(y: Any, values: npt.NDArray[Any], name: str) -> Column:
    """y as a column, given its values too; what is missing is refused."""
    if values.dtype.kind == "c":
        raise DataError("Complex data not supported: y holds complex numbers.")
    alone = len(getattr(y, "shape", (0,))) == 1 and not isinstance(y, np.ndarray)
    column = column_of(name, y if alone else values)
    for row in np.nonzero(read.mask(column.cells.is_null()))[0]:
        if not isinstance(values[row], str | bytes):  # an empty text is a class
            raise DataError(f"Input y contains NaN: row {row + 1} has no target; leave such rows out of X and y.")
    if values.dtype.kind == "f":
        assert_all_finite(values, input_name="y")
    return column


def column_of(name: str, values: Any) -> Column:
    """Values as the column of a table."""
    return next(iter(read_table({name: values}).columns.values()))
