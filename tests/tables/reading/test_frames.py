"""Data frames of any library, dicts of columns and lists of rows, of any types."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import io
import uuid
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from reseau.errors import DataError
from reseau.tables.reading.cells import label_codes
from reseau.tables.reading.table import Table, read_table


class Size(enum.Enum):
    """A cell that is a member of an enumeration."""

    SMALL = "small"


class Stream:
    """What hands out its rows as a stream of Arrow, and nothing else."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class Array:
    """What hands out its rows as an array of Arrow, and nothing else."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self.batch.__arrow_c_array__(requested_schema)


def cells(data: Any, name: str = "a") -> list[Any]:
    return list(read_table(data).columns[name].cells.to_pylist())


def rows(table: Table) -> dict[str, list[Any]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        (True, "True"),
        (np.bool_(False), "False"),
        (None, None),
        (float("nan"), None),
        (np.nan, None),
        (pd.NA, None),
        (pd.NaT, None),
        ("  ", None),
        (" x\u00a0", "x"),
        (b"bytes", "bytes"),
        (datetime.date(2024, 5, 31), "2024-05-31"),
        (datetime.datetime(2024, 5, 31, 8), "2024-05-31 08:00:00"),
        (pd.Timestamp("2024-05-31 08:00"), "2024-05-31 08:00:00"),
        (datetime.time(8), "08:00:00"),
        (decimal.Decimal("1.50"), "1.50"),
        (2**70, str(2**70)),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Size.SMALL, "small"),
        (pd.Interval(0, 1), "(0, 1]"),
    ],
)
def test_cells_of_several_types_are_the_text_that_a_file_would_hold(value: object, written: str | None) -> None:
    expected = ["text", written, "2.5"]
    assert cells(pd.DataFrame({"a": pd.Series(["text", value, 2.5], dtype=object)})) == expected
    assert cells({"a": ["text", value, 2.5]}) == expected
    assert cells([{"a": "text"}, {"a": value}, {"a": 2.5}]) == expected
    assert cells(pl.DataFrame({"a": pl.Series(["text", value, 2.5], dtype=pl.Object)})) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([np.float64(1.5), 2], [1.5, 2.0]),
        ([True, None, False], [True, None, False]),
        ([True, 1, 0], ["True", "1", "0"]),
        ([1.0, True], ["1.0", "True"]),
        ([1, float("nan")], [1, None]),
        (["x", float("nan")], ["x", None]),
        (
            [datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1, 5)],
            ["2024-01-01", "2024-01-01 05:00:00"],
        ),
        ([decimal.Decimal("1.5"), None], [decimal.Decimal("1.5"), None]),
        ([2**70, 1], [str(2**70), "1"]),
        ([b"x", b"y"], ["x", "y"]),
    ],
)
def test_python_values_keep_a_type_that_they_share(values: list[Any], expected: list[Any]) -> None:
    assert cells({"a": values}) == expected
    assert cells(pd.DataFrame({"a": pd.Series(values, dtype=object)})) == expected


@pytest.mark.parametrize(
    "values",
    [[[1], [2]], [{"x": 1}, {"y": 2}], [[1], 2], [{1}, {2}], [1j, 2j], [object(), object()], [np.arange(2)] * 2],
)
def test_nested_cells_are_of_a_nested_type_and_refuse_no_table(values: list[Any]) -> None:
    for data in ({"a": values, "x": [1, 2]}, pd.DataFrame({"a": pd.Series(values, dtype=object), "x": [1, 2]})):
        table = read_table(data)
        assert pa.types.is_nested(table.columns["a"].cells.type)
        assert cells(table, "x") == [1, 2]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.array([1, None], "Int64"), [1, None]),
        (pd.array([1.5, None], "Float64"), [1.5, None]),
        (pd.array([True, None], "boolean"), [True, None]),
        (pd.array(["x ", None], "string"), ["x", None]),
        (pd.array([1, 2], pd.ArrowDtype(pa.int32())), [1, 2]),
        (pd.arrays.SparseArray([0, 1]), [0, 1]),
        (pd.interval_range(0, 2), ["(0, 1]", "(1, 2]"]),
        (
            pd.period_range("2024-01", periods=2, freq="M"),
            [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1)],
        ),
        (pd.to_timedelta([1, None], "h"), [datetime.timedelta(hours=1), None]),
        (pd.to_datetime(["2024-01-01", None]), [datetime.datetime(2024, 1, 1), None]),
        (np.array([1, np.nan], np.float16), [1.0, None]),
        (np.array([1, 2], np.longdouble), [1.0, 2.0]),
        (np.array([1, 2], ">i4"), [1, 2]),
        (np.array(["2024-01", "NaT"], "M8[M]"), [datetime.datetime(2024, 1, 1), None]),
    ],
)
def test_types_of_pandas_and_numpy_are_read(values: Any, expected: list[Any]) -> None:
    assert cells(pd.DataFrame({"a": values})) == expected


@pytest.mark.parametrize(
    ("categories", "written"),
    [
        ([1, 2], ["1", "2"]),
        ([1.5, 2.0], ["1.5", "2"]),
        ([True, False], ["True", "False"]),
        (["u ", "v"], ["u", "v"]),
        ([1, "x"], ["1", "x"]),
        (pd.to_datetime(["2024-01-01", "2024-01-02"]), ["2024-01-01", "2024-01-02"]),
    ],
)
def test_declared_categories_are_text_and_known_as_categories(categories: Any, written: list[str]) -> None:
    values = pd.Categorical([categories[0], None, categories[1]], categories=categories)
    for data in (pd.DataFrame({"a": values}), {"a": values}):
        column = read_table(data).columns["a"]
        assert column.cells.to_pylist() == [written[0], None, written[1]]
        assert column.declared == "category"


@pytest.mark.parametrize(
    "data",
    [
        pa.table({"a": pa.array([1, 2]).dictionary_encode()}),
        pd.DataFrame({"a": pd.Series([1, 2], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.int64())))}),
        pl.DataFrame({"a": pl.Series(["1", "2"], dtype=pl.Categorical)}),
        pl.LazyFrame({"a": pl.Series(["1", "2"], dtype=pl.Enum(["1", "2"]))}),
        {"a": pl.Series(["1", "2"], dtype=pl.Categorical)},
    ],
)
def test_dictionaries_and_enumerations_are_declared_categories(data: Any) -> None:
    column = read_table(data).columns["a"]
    assert (column.cells.to_pylist(), column.declared) == (["1", "2"], "category")


def test_other_columns_are_not_declared() -> None:
    assert {c.declared for c in read_table(pd.DataFrame({"a": ["x"], "b": [1]})).columns.values()} == {""}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([0, 1], ["0", "1"]),
        ([1.5, 2.5], ["1.5", "2.5"]),
        ([("a", "x"), ("a", "")], ["a x", "a"]),
        ([" a ", ""], ["a", "column 2"]),
        ([None, "b"], ["column 1", "b"]),
    ],
)
def test_names_of_any_type_are_text(labels: list[Any], names: list[str]) -> None:
    frame = pd.DataFrame([[1, 2]])
    frame.columns = pd.MultiIndex.from_tuples(labels) if isinstance(labels[0], tuple) else pd.Index(labels)
    table = read_table(frame)
    assert list(table.columns) == names
    for label, name in zip(labels, names, strict=True):
        if label:
            assert table.column(label) is table.columns[name]


def test_names_that_are_the_same_as_text_are_refused() -> None:
    with pytest.raises(DataError, match="columns 1 and 2 are both named '1'"):
        read_table(pd.DataFrame([[1, 2]], columns=[1, "1"]))


def test_a_dict_of_columns_may_hold_any_sequences() -> None:
    columns: list[Any] = [
        [1, 2],
        (1, 2),
        range(1, 3),
        np.array([1, 2]),
        pd.Series([1, 2], index=[7, 8]),
        pd.Index([1, 2]),
        pl.Series([1, 2]),
        pa.array([1, 2]),
        pa.chunked_array([[1], [2]]),
        collections.deque([1, 2]),
        {1: 0, 2: 0}.keys(),
        (i for i in (1, 2)),
    ]
    table = read_table({str(i): column for i, column in enumerate(columns)})
    assert all(column.cells.to_pylist() == [1, 2] for column in table.columns.values())
    assert cells({"a": np.ma.array([1, 2], mask=[False, True])}) == [1, None]


def test_a_dict_of_single_values_is_one_row() -> None:
    row = {"a": 1, "b": " x ", "c": None, "d": np.float64(2.5), "e": datetime.date(2024, 5, 31), "f": pd.NA}
    assert rows(read_table(row)) == {
        "a": [1],
        "b": ["x"],
        "c": [None],
        "d": [2.5],
        "e": [datetime.date(2024, 5, 31)],
        "f": [None],
    }


def test_a_list_of_dicts_is_rows_whose_absent_keys_are_missing() -> None:
    table = read_table([{"a": 1, "b": "x"}, {"b": "y", "c": 2.5}])
    assert rows(table) == {"a": [1, None], "b": ["x", "y"], "c": [None, 2.5]}
    assert table.columns["a"].place(1) == "the table, row 2"


@pytest.mark.parametrize(
    "data",
    [
        pl.LazyFrame({"a": [1]}),
        pa.record_batch({"a": [1]}),
        pa.table({"a": [1]}).to_reader(),
        Stream(pa.table({"a": [1]})),
        Array(pa.record_batch({"a": [1]})),
        np.array([(1,)], dtype=[("a", "i4")]),
    ],
)
def test_other_tables_are_collected(data: Any) -> None:
    assert rows(read_table(data)) == {"a": [1]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "the dict is empty"),
        ([], "the list is empty"),
        ([{}], "empty dicts"),
        ({"a": []}, "no rows"),
        ({"a": [1, 2], "b": [1]}, "different lengths: 'a' has 2 values, 'b' 1"),
        ({"a": [1, 2], "b": 5}, "column 'b' of the dict is 5"),
        ({"a": "abc", "b": [1]}, "column 'a' of the dict is 'abc'"),
        ({"a": np.zeros((2, 2))}, r"column 'a' is an array of shape \(2, 2\)"),
        ({"a": {0: 1}}, "column 'a' is a dict"),
        ([{"a": 1}, [2]], r"row 2 is \[2\], without names"),
        ([1, 2], "row 1 is 1, without names of columns; give a dict of columns"),
        (np.zeros((2, 3)), r"array of shape \(2, 3\) has no names"),
        (pd.Series([1, 2]), r"give series.to_frame\(\)"),
        (pd.DataFrame({"a": [1], "b": ["x"]}).iloc[0], r"that is a row series.to_dict\(\)"),
        (pl.Series([1, 2]), r"give series.to_frame\(\)"),
        (Stream(pa.chunked_array([[1]])), "the Stream hands out no table with named columns"),
        (Array(pa.array([1])), "the Array hands out no table with named columns"),
        (None, "not NoneType"),
        (5, "not int"),
        (pd.DataFrame({"a": []}), "no rows"),
        (pd.DataFrame(index=[1, 2]), "no columns"),
        (pl.LazyFrame({"a": [1]}).select("b"), 'cannot be used as a table: .*"b"'),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(data: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_table(data)


def test_a_category_of_dates_is_the_same_in_a_file() -> None:
    days = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-01"]))
    file = io.StringIO(pd.DataFrame({"a": days.astype("category")}).to_csv(index=False))
    written = read_table(file).columns["a"].cells.to_pylist()
    for cells in (days, days.astype("category")):
        labels = label_codes(read_table({"a": cells}).columns["a"].cells)
        assert [labels.levels[code] if code >= 0 else None for code in labels.codes] == written
    times = read_table({"a": pd.Categorical(pd.to_datetime(["2024-01-01 12:30:00", "2024-01-01 00:00:01"]))})
    assert times.columns["a"].cells.to_pylist()[0] == "2024-01-01 12:30:00"


def test_the_named_index_of_a_frame_is_told_to_be_no_column() -> None:
    frame = pd.DataFrame({"key": ["u", "v"], "a": [1, 2]})
    table = read_table(frame.set_index("key"))
    assert list(table.columns) == ["a"]
    assert table.notes == ("the index of the frame, 'key', is passed over; frame.reset_index() makes it a column",)
    with pytest.raises(DataError, match=r"no column 'key'.*The index of the frame is 'key'; frame.reset_index\(\)"):
        table.column("key")
    assert "'key' and 'n', is" in read_table(frame.assign(n=[3, 4], b=5).set_index(["key", "n"])).notes[0]
    for other in (frame, frame.iloc[1:], frame.to_dict("list"), pl.DataFrame(frame), pa.table(frame)):
        assert read_table(other).notes == ()


def test_a_row_may_hold_arrays_of_no_axis() -> None:
    row = {"a": np.asarray(1.5), "b": np.asarray("x"), "c": np.int8(3), "d": np.asarray(2, np.float32)}
    assert rows(read_table(row)) == {"a": [1.5], "b": ["x"], "c": [3], "d": [2.0]}
