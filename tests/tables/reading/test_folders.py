"""Tables in several files: folders and patterns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reseau.errors import DataError
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Table, read_table

PARTS = {"part-1.csv": "a,b\n1,x\n2,y\n", "part-2.csv": "b,a\nz,3\n", "part-3.csv": "a,b\n4,w\n\n5,v\n"}
READ = {"a": ["1", "2", "3", "4", "5"], "b": ["x", "y", "z", "w", "v"]}


def rows(table: Table) -> dict[str, list[object]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "sales"
    path.mkdir()
    for name, content in reversed(PARTS.items()):
        (path / name).write_text(content)
    return path


def test_a_folder_and_a_pattern_are_read_as_one_table_in_the_order_of_names(folder: Path) -> None:
    for data in (folder, str(folder), f"{folder}/", f"{folder}/part-*.csv", folder / "part-?.csv", f"{folder}/**/p*"):
        table = read_table(data)
        assert rows(table) == READ
        assert (table.name, table.rows, table.notes) == (str(data), 5, ())
        assert [table.columns["b"].place(i) for i in (1, 2, 3, 4)] == [
            f"{folder}/part-1.csv, line 3",
            f"{folder}/part-2.csv, line 2",
            f"{folder}/part-3.csv, line 2",
            f"{folder}/part-3.csv, line 4",
        ]


def test_a_file_with_the_characters_of_a_pattern_in_its_name_is_that_file(folder: Path) -> None:
    (folder / "part-[1].csv").write_text("c\n1\n")
    assert list(read_table(folder / "part-[1].csv").columns) == ["c"]


def test_parts_may_be_compressed_or_hidden(folder: Path) -> None:
    (folder / "part-1.csv").unlink()
    (folder / "part-1.csv.gz").write_bytes(gzip.compress(PARTS["part-1.csv"].encode()))
    (folder / "_SUCCESS").write_text("")
    (folder / ".part-1.csv.crc").write_bytes(b"\0")
    assert rows(read_table(folder)) == READ


def test_what_is_passed_over_is_told(folder: Path) -> None:
    (folder / "README.md").write_text("sales")
    (folder / "old").mkdir()
    (folder / "part-0.csv").write_text("a,b\n")
    (folder / "part-9.csv").write_text("")
    (folder / "part-5.csv").write_text("a;b\n6;u\n")
    table = read_table(folder)
    assert table.rows == 6
    assert table.notes == (
        "README.md, old passed over, beside the files of the table",
        "the fields are separated by semicolons (--sep for another separator) (in 1 of 4 files)",
        "'part-0.csv', 'part-9.csv' without rows passed over",
    )
    assert rows(read_table(f"{folder}/*.csv")) == rows(table)


def test_parquet_files_give_the_wider_type(folder: Path) -> None:
    for i, values in enumerate([pa.array([1, 2]), pa.array([None], pa.null()), pa.array([0.5])]):
        pq.write_table(pa.table({"a": values, "b": [f"x{i}"] * len(values)}), folder / f"p{i}.parquet")
    table = read_table(f"{folder}/*.parquet")
    assert rows(table) == {"a": [1.0, 2.0, None, 0.5], "b": ["x0", "x0", "x1", "x2"]}
    assert table.columns["a"].place(3) == f"{folder}/p2.parquet, row 1"
    pq.write_table(pa.table({"a": ["5"], "b": ["x"]}), folder / "p4.parquet")
    with pytest.raises(
        DataError, match=r"column 'a' has cells of type double in .*p0\.parquet and .*string in .*p4\.par"
    ):
        read_table(f"{folder}/*.parquet")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("part-3.csv", "a,b\n4,w\n5\n", r"part-3\.csv, line 3: 1 field where the header has 2"),
        (
            "part-3.csv",
            "a,c\n4,w\n",
            r"part-3\.csv has other columns than .*part-1\.csv: it lacks 'b' and has 'c' besides",
        ),
        ("part-2.csv", "a\n4\n", r"part-2\.csv has other columns than .*: it lacks 'b'\. "),
        ("part-2.csv", "7,8\n9,10\n", r"part-2\.csv has other columns.*The header seems to be missing"),
        ("part-4.csv", "PK\x03\x04", r"part-4\.csv is a damaged zip archive"),
        ("part-4.csv", "a,b\n1,\0\n", r"part-4\.csv holds binary data"),
        ("part-4.tsv", "a\tb\n1\t2\n", r"with 3 files ending in \.csv and 1 file ending in \.tsv; choose by a pattern"),
    ],
)
def test_a_part_that_is_no_part_is_named(folder: Path, name: str, content: str, says: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(DataError, match=says):
        read_table(folder)


def test_a_folder_without_tables_and_a_pattern_without_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder without a table.*it is empty"):
        read_table(tmp_path)
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(DataError, match=r"it has notes\.md\. .*/\*', takes files of any name"):
        read_table(tmp_path)
    (tmp_path / "year=2024").mkdir()
    (tmp_path / "year=2024" / "part-0.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"it has notes\.md, year=2024\. .*/\*\*/\*', takes files of any name"):
        read_table(tmp_path)
    assert read_table(tmp_path / "**" / "*.csv").rows == 1
    with pytest.raises(DataError, match=r"no file's name fits the pattern .*part-\*\.csv"):
        read_table(tmp_path / "part-*.csv")
    (tmp_path / "part-1.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"no rows, in 1 file: 'part-1\.csv'"):
        read_table(tmp_path / "part-*.csv")


def test_parts_give_the_same_model_as_one_file(tmp_path: Path) -> None:
    lines = [f"{i % 17},{'uv'[i % 2]},{i % 17 * 2.5}" for i in range(60)]
    (tmp_path / "all.csv").write_text("\n".join(["x,c,y", *lines]))
    for i in range(3):
        (tmp_path / f"part-{i}.csv").write_text("\n".join(["x,c,y", *lines[20 * i : 20 * i + 20]]))
    whole, parts = (TableModel.train(tmp_path / name, "y", epochs=3) for name in ("all.csv", "part-*.csv"))
    assert whole.columns == parts.columns
    assert whole.predict(tmp_path / "all.csv").table == parts.predict(tmp_path / "part-*.csv").table
