"""Tables from files: dialects, types, and errors that name the line."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reseau.errors import DataError, ParameterError
from reseau.tables.reading.table import Table, read_table


def read(folder: Path, content: str | bytes, name: str = "t.csv") -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


def cells(table: Table, name: str) -> list[object]:
    return list(table.columns[name].cells.to_pylist())


def test_a_csv_file_gives_text_columns_in_its_order(tmp_path: Path) -> None:
    table = read(tmp_path, "size,kind\n1.5,a\n2,b\n")
    assert list(table.columns) == ["size", "kind"]
    assert table.rows == 2
    assert cells(table, "size") == ["1.5", "2"]
    assert table.notes == ()


def test_empty_cells_are_missing_and_all_others_as_they_are_written(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\nNA,1\n,1\nnull,1\n?,1\n"",1\n" ",1\n"1,5",1\n$1.50,1\n')
    assert cells(table, "a") == ["NA", None, "null", "?", None, None, "1,5", "$1.50"]


def test_spaces_around_cells_and_names_are_dropped(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "a , b\n x , 1\n"), "a") == ["x"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,x y\n",
        b"a,b\r\n1,x y\r\n",
        b"a,b\r1,x y\r",
        b'"a","b"\n"1","x y"\n',
        b"\n\na,b\n\n1,x y\n\n",
    ],
    ids=["byte order mark", "windows", "old mac", "quoted", "blank lines"],
)
def test_dialects_of_one_table_read_alike(tmp_path: Path, content: bytes) -> None:
    table = read(tmp_path, content)
    assert (cells(table, "a"), cells(table, "b")) == (["1"], ["x y"])


@pytest.mark.parametrize(
    ("delimiter", "name", "said"),
    [(";", "t.csv", "semicolons"), ("\t", "t.csv", "tabs"), ("|", "t.txt", "vertical bars")],
)
def test_another_delimiter_is_found_and_said(tmp_path: Path, delimiter: str, name: str, said: str) -> None:
    table = read(tmp_path, "a;c\n1,5;x,y,z\n2,5;y\n".replace(";", delimiter), name)
    assert cells(table, "c") == ["x,y,z", "y"]
    assert said in table.notes[0]


def test_a_tab_separated_file_needs_no_note(tmp_path: Path) -> None:
    table = read(tmp_path, "a\tb\n1,5\tx,y\n", "t.tsv")
    assert cells(table, "b") == ["x,y"]
    assert not any("separated" in note for note in table.notes)


def test_commas_in_a_comma_file_are_left_alone(tmp_path: Path) -> None:
    assert cells(read(tmp_path, 'a,b\n"1,5",x\n'), "a") == ["1,5"]


def test_a_quoted_field_may_hold_the_delimiter_quotes_and_lines(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\n"x, ""y""\nz",1\nw,2\n')
    assert cells(table, "a") == ['x, "y"\nz', "w"]


def test_a_line_number_counts_the_lines_within_quoted_fields_and_blank_ones(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\n"x\ny\nz",1\n\nw,2\n')
    place = table.columns["a"].place
    assert place(0).endswith("t.csv, line 2")
    assert place(1).endswith("t.csv, line 6")


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, gzip.compress(b"a,b\n1,2\n"), "t.csv.gz")
    assert cells(table, "b") == ["2"]


def test_a_column_without_a_name_is_called_by_its_number(tmp_path: Path) -> None:
    assert list(read(tmp_path, ",b\n1,2\n").columns) == ["column 1", "b"]


def test_a_column_may_be_alone(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "a\n1\n2\n"), "a") == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        ("a,b\n", ["no rows"]),
        ("a,b\n1,2\n3\n4,5\n", ["line 3", "1 field ", "header has 2"]),
        ('a,b\n"1\n2",2\n3,4,5\n', ["line 4", "3 fields", "header has 2"]),
        ("a,b,a\n1,2,3\n", ["line 1", "columns 1 and 3", "'a'"]),
        ('a,b\n1,2\n"3,4\n5,6\n', ["line 3", "quote"]),
        ('a,b\n1,2\n3,"4\n5,6\n', ["line 3", "quote"]),
        (b"a,b\n1,caf\xe9\n", ["line 2", "byte 6", "0xe9", "UTF-8"]),
        (b"a,b\n1,\0\n", ["binary"]),
        (b"a,b\n1,2\ncaf\xe9\n", ["line 3", "byte 4", "0xe9"]),  # which pyarrow cannot show to a handler of such rows
        (b"PK\x03\x04xxxx", ["spreadsheet"]),
        (b"PAR1xxxx", ["Parquet", "damaged"]),
    ],
)
def test_a_file_that_is_no_table_is_refused_where_it_fails(
    tmp_path: Path, content: str | bytes, says: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    for words in ["t.csv", *says]:
        assert words in str(caught.value)


def test_undecodable_bytes_far_down_are_named(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 300_000 + b"\xff,2\n"
    with pytest.raises(DataError, match="line 300002: byte 1 "):
        read(tmp_path, content)


def test_a_ragged_line_far_down_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 300002: 1 field "):
        read(tmp_path, b"a,b\n" + b"1,2\n" * 300_000 + b"3\n")


@pytest.mark.parametrize("name", ["t.out", "t", "t.gz", "t.csv.gz", "T.DATA", "t.2024-05-01"])
def test_plain_delimited_text_is_read_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    assert cells(read(tmp_path, "a,b\n1,2\n", name), "b") == ["2"]


def test_text_of_an_unknown_ending_without_separators_is_refused_with_the_known_endings(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown file ending '\.log'.*\.csv.*\.parquet"):
        read(tmp_path, "started\nstopped\n", "t.log")


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


def test_an_unknown_column_suggests_the_nearest(tmp_path: Path) -> None:
    table = read(tmp_path, "Species,size\na,1\n")
    with pytest.raises(DataError, match=r"'specie'.*did you mean 'Species'"):
        table.column("specie")


def test_a_parquet_file_keeps_its_types_and_its_empty_looking_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    arrow = pa.table({"n": [1, None], "t": ["NA", None], "d": pa.array(["x", "y"]).dictionary_encode()})
    pq.write_table(arrow, path)
    table = read_table(path)
    assert cells(table, "n") == [1, None]
    assert cells(table, "t") == ["NA", None]
    assert cells(table, "d") == ["x", "y"]
    assert table.columns["n"].place(1) == f"{path}, row 2"


@pytest.mark.parametrize("content", [b"a,b\n", b"PAR1", b"PAR1" + b"x" * 50 + b"PAR1"])
def test_a_damaged_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="Parquet"):
        read(tmp_path, content, "t.parquet")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_data_frames_are_tables(make: object) -> None:
    frame = make({"a": [1, 2], "b": ["x", "y"]})  # type: ignore[operator]
    table = read_table(frame)
    assert (cells(table, "a"), cells(table, "b")) == ([1, 2], ["x", "y"])


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(DataError, match="data frame"):
        read_table([[1, 2]])
    with pytest.raises(DataError, match="no rows"):
        read_table(pa.table({"a": pa.array([], pa.int64())}))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(ParameterError, match="not a regular file"):
        read_table(tmp_path / "t.csv")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="not UTF-8"):
        read_table(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_nan_is_a_missing_value_in_every_type_of_float(kind: pa.DataType) -> None:
    values = pa.array(np.array([1.5, np.nan, 2.5], kind.to_pandas_dtype()), kind)
    assert cells(read_table(pa.table({"x": values})), "x") == [1.5, None, 2.5]


def test_a_data_frame_with_two_columns_of_one_name_is_refused() -> None:
    with pytest.raises(DataError, match="the table: columns 1 and 2 are both named 'x'"):
        read_table(pd.concat([pd.DataFrame({"x": [1]})] * 2, axis=1))


def test_a_column_may_be_asked_for_by_anything(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 1"):
        read(tmp_path, "x,y\n1,2\n").column(1)  # type: ignore[arg-type]


def test_the_delimiter_of_a_header_longer_than_the_sample_is_found(tmp_path: Path) -> None:
    names = [f"a long name of a column {i}" for i in range(4000)]
    row = ";".join(["1"] * len(names))
    assert list(read(tmp_path, ";".join(names) + f"\n{row}\n").columns) == names


def test_names_and_cells_may_be_of_any_length_and_the_limit_of_csv_stays(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "x" * 200_000
    table = read(tmp_path, f"{long},y\n1,{long}\n2,z\n")
    assert cells(table, "y") == [long, "z"]
    assert cells(table, long) == ["1", "2"]
    assert table.columns["y"].place(1).endswith("line 3")
    assert csv.field_size_limit() == limit


def test_empty_text_in_a_frame_is_missing_as_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\nx,1,2024-05-31\n,,\ny,3,2024-06-01\n")
    columns = {"a": ["x", "", "y"], "b": ["1", "", "3"], "c": ["2024-05-31", "", "2024-06-01"]}
    arrow = pa.table(columns)
    encoded = pa.table({name: pa.array(cells).dictionary_encode() for name, cells in columns.items()})
    for table in (
        arrow,
        encoded,
        pa.table({name: pa.array(cells, pa.string_view()) for name, cells in columns.items()}),
    ):
        for name, column in read_table(table).columns.items():
            assert column.cells.to_pylist() == read_table(tmp_path / "t.csv").columns[name].cells.to_pylist()
            assert column.cells.null_count == 1
