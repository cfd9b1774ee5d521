"""Parquet, Arrow, data frames, dicts of columns and lists of rows, as columns of pyarrow."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import numbers
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa

from reseau.checks import shown
from reseau.errors import DataError
from reseau.tables.reading.sources import ARROW, PARQUET, UNREADABLE, Source, first_line
from reseau.visible import plural

Named = tuple[list[str], list[Any]]  # names of columns, and the cells of each
PARQUET_MAGIC = b"PAR1"
DAMAGED = (pa.ArrowException, UnicodeDecodeError, *UNREADABLE)
ARROW_FILE, ARROW_STREAM = b"ARROW1", b"\xff\xff\xff\xff"
NUMBERS = (numbers.Number, np.generic, decimal.Decimal)
TIMES = (datetime.date, datetime.time, datetime.timedelta)
SCALARS = (str, bytes, *NUMBERS, *TIMES, uuid.UUID, PurePath, enum.Enum)  # what a cell holds
MISSING_TYPES = ("NoneType", "NAType", "NaTType")
NO_NAMES = "give a dict of columns, such as {'length': [1.5, 2.5]}, or a data frame with named columns"


def is_parquet(source: Source, head: bytes) -> bool:
    """Whether a source is Parquet by its first bytes or its name."""
    return head.startswith(PARQUET_MAGIC) or source.ends(PARQUET)


def is_arrow(source: Source, head: bytes) -> bool:
    """Whether a source is a file or a stream of Arrow by its first bytes or its name."""
    return head.startswith((ARROW_FILE, ARROW_STREAM)) or source.ends(ARROW)


def read_parquet(source: Source, head: bytes) -> Named:
    """The columns of a Parquet file; a `DataError` if it is none, as its first bytes tell."""
    import pyarrow.parquet

    if not head.startswith(PARQUET_MAGIC):
        raise DataError(f"{source.name} is not a Parquet file; if it is text, rename it to end in .csv.")
    try:
        with source.open_anywhere() as file:
            parquet = pyarrow.parquet.ParquetFile(file)
            return columns_of(_as_declared(parquet.read(), parquet.metadata.metadata or {}))
    except DAMAGED as error:
        raise DataError(f"{source.name} is a damaged Parquet file: {first_line(error)}.") from None


def read_arrow(source: Source, head: bytes) -> Named:
    """The columns of a file or stream of Arrow (Feather); a `DataError` if it is none, as its first bytes tell."""
    if not head.startswith((ARROW_FILE, ARROW_STREAM)):
        raise DataError(f"{source.name} is not an Arrow file; if it is text, rename it to end in .csv.")
    try:
        if head.startswith(ARROW_FILE):
            with source.open_anywhere() as file:
                table = pa.ipc.open_file(file).read_all()
        else:
            with source.open() as file:
                table = pa.ipc.open_stream(file).read_all()
        table.validate(full=True)  # what is damaged would be read beyond its end
        return columns_of(table)
    except DAMAGED as error:
        raise DataError(f"{source.name} is a damaged Arrow file: {first_line(error)}.") from None


def _as_declared(table: pa.Table, metadata: dict[bytes, bytes]) -> pa.Table:
    """The table with the dictionaries that it was written with, as pyarrow restores those of text alone."""
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[b"ARROW:schema"])))
    except (KeyError, ValueError, OSError):  # written by others
        return table
    for i, name in enumerate(table.column_names):
        place = schema.get_field_index(name)
        kinds = table.schema.types[i], schema.types[place] if place >= 0 else pa.null()
        if pa.types.is_dictionary(kinds[1]) and kinds[0] == kinds[1].value_type:
            table = table.set_column(i, name, table[i].dictionary_encode())
    return table


def columns_of(data: Any) -> Named:
    """The columns of a data frame, a dict of columns, a dict of one row or a list of such dicts.

    Raises
    ------
    DataError
        If it is none of these, or a column of it cannot be used.
    """
    if isinstance(data, Mapping):
        return _of_dict(data)
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.RecordBatchReader):
        data = data.read_all()
    if isinstance(data, pa.Table):
        return [*data.column_names], data.columns
    if isinstance(data, Sequence) and not isinstance(data, str | bytes | bytearray):
        return _of_rows(data)
    if isinstance(data, np.ndarray):
        if data.dtype.names and data.ndim == 1:
            return [*data.dtype.names], [_cells(data[name], name) for name in data.dtype.names]
        raise DataError(f"an array of shape {data.shape} has no names of columns; {NO_NAMES}.")
    if isinstance(data, str | bytes | bytearray):
        raise DataError(f"a table is not {type(data).__name__}; give its text as io.BytesIO or io.StringIO.")
    return _of_frame(data)


def _of_dict(data: Mapping[Any, Any]) -> Named:
    if not data:
        raise DataError("the dict is empty; a table needs at least one column.")
    single = [name for name, values in data.items() if _is_single(values)]
    names = [name_of(label) for label in data]
    if len(single) == len(data):
        return names, [of_values([value[()] if isinstance(value, np.ndarray) else value]) for value in data.values()]
    for name in single:
        raise DataError(
            f"column {name_of(name)!r} of the dict is {shown(data[name])}, where others hold several rows; give each "
            "column a list of its values, or each a single one for a table of one row."
        )
    cells = [_cells(values, name) for name, values in zip(names, data.values(), strict=True)]
    lengths = {name: len(column) for name, column in zip(names, cells, strict=True)}
    first = names[0]
    for name, length in lengths.items():
        if length != lengths[first]:
            raise DataError(
                f"the columns of the dict have different lengths: {first!r} has {lengths[first]} values, {name!r} "
                f"{length}."
            )
    return names, cells


def _is_single(value: object) -> bool:
    """Whether it is one cell: the missing values of pandas are classes of their own, and an array may have no axis."""
    if value is None or isinstance(value, SCALARS) or getattr(value, "ndim", None) == 0:
        return True
    return not (isinstance(value, Iterable) or hasattr(value, "__array__"))


def _of_rows(data: Sequence[Any]) -> Named:
    if not len(data):
        raise DataError("the list is empty; a table needs at least one row.")
    names: dict[Any, None] = {}
    for i, row in enumerate(data):
        if not isinstance(row, Mapping):
            raise DataError(
                f"a list is a table if each of its rows is a dict, but row {i + 1} is {shown(row)}, without names of "
                f"columns; {NO_NAMES}."
            )
        names.update(dict.fromkeys(row))
    if not names:
        raise DataError("the rows of the list are empty dicts; a table needs at least one column.")
    return [name_of(label) for label in names], [of_values([row.get(label) for row in data]) for label in names]


def _of_frame(frame: Any) -> Named:
    """The columns of any frame that narwhals knows; what is lazy is collected."""
    import narwhals
    from narwhals.exceptions import NarwhalsError

    if narwhals.dependencies.is_pandas_dataframe(frame):
        names = [name_of(label) for label in frame.columns]
        return names, [_of_pandas(frame.iloc[:, i]) for i in range(len(names))]
    if narwhals.dependencies.is_into_series(frame):
        raise DataError(
            "a table has named columns; of a series that is one of them give series.to_frame(), of one that is a row "
            "series.to_dict()."
        )
    if hasattr(frame, "__arrow_c_array__") and not hasattr(frame, "__arrow_c_stream__"):
        return _of_arrow(frame)
    try:
        eager = narwhals.from_native(frame)
        if isinstance(eager, narwhals.LazyFrame):
            eager = eager.collect()
        if eager.implementation.is_pandas_like():
            return _of_frame(eager.to_pandas())
        return [*eager.columns], [_of_series(eager[name]) for name in eager.columns]
    except TypeError:
        if hasattr(frame, "__arrow_c_stream__"):
            return _of_arrow(frame)
        raise DataError(
            "a table is a path, '-' for standard input, an open file, a data frame (pandas, polars, pyarrow), a dict "
            f"of columns or a list of dicts, not {type(frame).__name__}."
        ) from None
    except (pa.ArrowException, NarwhalsError) as error:
        raise DataError(f"the data frame cannot be used as a table: {' '.join(str(error).split())}.") from None


def _of_arrow(data: Any) -> Named:
    """The columns of anything that hands out its rows as Arrow does."""
    try:
        return columns_of(pa.table(data))
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the {type(data).__name__} hands out no table with named columns ({first_line(error)}); {NO_NAMES}."
        ) from None


def index_of(data: Any) -> str:
    """The names of a pandas frame's index, which is no column of it, for a sentence; "" if it has none."""
    names = [label for label in getattr(getattr(data, "index", None), "names", ()) if label is not None]
    return " and ".join(repr(name_of(label)) for label in names)


def name_of(label: object) -> str:
    """The name of a column as text; that of several levels is all of them."""
    if isinstance(label, tuple):
        return " ".join(filter(None, map(name_of, label)))
    return "" if _is_missing(label) else str(label)


def _cells(values: Any, name: str) -> Any:
    """The cells of a column of a dict: a list, an array, a series."""
    import narwhals

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if narwhals.dependencies.is_pandas_series(values):
        return _of_pandas(values)
    if narwhals.dependencies.is_into_series(values):
        return _of_series(narwhals.from_native(values, series_only=True))
    if isinstance(values, Mapping):
        raise DataError(f"column {name!r} is a dict; give the list of its values.")
    if type(values).__module__.startswith("pandas"):  # a Categorical, an Index and the like
        import pandas as pd

        if isinstance(values, pd.DataFrame):
            raise DataError(f"column {name!r} is a frame of {plural(values.shape[1], 'column')}; give one of them.")
        return _of_pandas(pd.Series(values))
    array = np.asarray(values) if hasattr(values, "__array__") and not isinstance(values, np.ndarray) else values
    if isinstance(array, np.ndarray):
        if array.ndim != 1:
            raise DataError(
                f"column {name!r} is an array of shape {array.shape}; give each of its columns its own name."
            )
        return _of_array(array)
    return of_values(list(values))


def _of_array(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    try:
        return pa.array(array) if array.dtype.kind in "biufmM" else of_values(array.tolist())
    except pa.ArrowNotImplementedError:  # dates that are months or years
        return of_values(array.tolist())


def _of_series(series: Any) -> Any:
    """The cells of a series of narwhals, some types of which pyarrow doesn't know."""
    if str(series.dtype) == "Object":
        return of_values(series.to_list())
    try:
        return series.to_arrow()
    except (pa.ArrowException, TypeError, ValueError):
        return of_values(series.to_list())


def _of_pandas(series: Any) -> Any:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        return _of_pandas(series.sparse.to_dense())
    if isinstance(dtype, pd.CategoricalDtype):
        return pa.DictionaryArray.from_arrays(
            pa.array(series.cat.codes.to_numpy(), mask=series.isna().to_numpy()),
            _of_pandas(dtype.categories.to_series()),
        )
    if isinstance(dtype, np.dtype):
        return _of_array(series.to_numpy())
    if isinstance(dtype, pd.IntervalDtype):
        return of_values(series.tolist())
    try:
        return pa.Array.from_pandas(series.dt.to_timestamp() if isinstance(dtype, pd.PeriodDtype) else series)
    except (pa.ArrowException, TypeError, ValueError):
        return of_values(series.tolist())


def of_values(values: list[Any]) -> Any:
    """Python's objects as one type, or as the text that a file would hold where they are of several."""
    kinds = _kinds(values)
    alike = len(kinds) == 1 or not any(map(_is_scalar, kinds))
    if uuid.UUID not in kinds and (
        alike or all(issubclass(kind, numbers.Real) and not issubclass(kind, bool) for kind in kinds)
    ):
        try:
            return pa.array(values, from_pandas=True)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass
    if all(map(_is_scalar, kinds)):
        return pa.array([None if _is_missing(value) else written(value) for value in values], pa.large_string())
    return pa.array([None if _is_missing(value) else [str(value)] for value in values], pa.list_(pa.large_string()))


def _kinds(values: list[Any]) -> set[type]:
    """The types of the values that are there; a float that is always NaN is none."""
    kinds = {kind for kind in set(map(type, values)) if kind.__name__ not in MISSING_TYPES}
    if len(kinds) > 1:
        for kind in [kind for kind in kinds if issubclass(kind, float | np.floating)]:
            if all(value != value for value in values if type(value) is kind):
                kinds.remove(kind)
    return kinds


def _is_scalar(kind: type) -> bool:
    return kind.__name__ == "Interval" or (issubclass(kind, SCALARS) and not issubclass(kind, complex))


def _is_missing(value: object) -> bool:
    """Whether it is None, NaN, or pandas' NA or NaT."""
    if type(value).__name__ in MISSING_TYPES:
        return True
    return isinstance(value, float | np.floating | decimal.Decimal) and value != value


def written(value: object) -> str:
    """A value as a cell's text, which UTF-8 can hold."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = str(value.value if isinstance(value, enum.Enum) else value)
    return text.encode("utf-8", "replace").decode()
