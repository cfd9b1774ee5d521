"""Rows on disk: whatever they come from, they are the same rows in the same order, and what is wrong has a place."""

from __future__ import annotations

import gc
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.stored import arrow_rows, files

ROWS = 230
rng = np.random.default_rng(0)
TABLE = pa.table(
    {
        "a": rng.normal(size=ROWS),
        "n": np.arange(ROWS),
        "small": rng.normal(size=ROWS).astype(np.float32),
        "yes": rng.random(ROWS) < 0.5,
        "price": pa.array([f"{i}.50" for i in range(ROWS)]).cast(pa.decimal128(8, 2)),
        "y": rng.normal(size=ROWS),
    }
)
X = np.column_stack([TABLE[name].cast(pa.float64()).to_numpy() for name in TABLE.column_names[:-1]])
Y = TABLE["y"].to_numpy()


def parts(folder: Path) -> Path:
    for part in range(3):
        pq.write_table(TABLE.slice(100 * part, 100), folder / f"part-{part}.parquet", row_group_size=40)
    return folder


def all_of(rows: rs.ArrowRows) -> tuple[Any, Any]:
    return tuple(map(np.concatenate, zip(*rows, strict=True)))


def stream() -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=7))


class Again:
    """What gives a new stream each time it is asked for one."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return stream().__arrow_c_stream__(requested_schema)


def sources(folder: Path) -> dict[str, Any]:
    parts(folder)
    within = folder / "within"
    within.mkdir()
    pq.write_table(TABLE, within / "all.parquet")
    pyarrow.feather.write_feather(TABLE, within / "all.feather", compression="lz4", chunksize=50)
    with pa.OSFile(str(within / "all.arrow"), "wb") as file, pa.ipc.new_file(file, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=60)
    with pa.OSFile(str(within / "all.arrows"), "wb") as file, pa.ipc.new_stream(file, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=60)
    return {
        "pattern": str(folder / "part-*.parquet"),
        "list": [folder / f"part-{part}.parquet" for part in range(3)],
        "file": within / "all.parquet",
        "feather": within / "all.feather",
        "arrow": within / "all.arrow",
        "stream in a file": within / "all.arrows",
        "dataset": pyarrow.dataset.dataset([str(folder / f"part-{part}.parquet") for part in range(3)]),
        "reader": stream(),
        "table": TABLE,
        "what has a stream": Again(),
    }


def test_all_sources_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_rows, "LEAST_ROWS", 16)
    monkeypatch.setattr(arrow_rows, "BLOCK_BYTES", 1)  # so that a group is read in several blocks
    for source in sources(tmp_path).values():
        rows = rs.ArrowRows(source, "y")
        assert rows.inputs == ("a", "n", "small", "yes", "price")
        found, y = all_of(rows)
        assert rows.rows == len(found) == ROWS
        np.testing.assert_array_equal(found, X.astype(np.float32))
        np.testing.assert_array_equal(y, Y)


def test_groups_are_those_of_the_files_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    parts(tmp_path)
    pq.write_table(TABLE.slice(0, 0), tmp_path / "part-0b.parquet")
    assert list(rs.ArrowRows(tmp_path, "y").groups) == [40, 40, 20, 40, 40, 20, 30]


def test_a_folder_has_files_in_folders_within_and_no_hidden_ones(tmp_path: Path) -> None:
    for count, name in enumerate(("b/1.parquet", "a/2.pq", "_temporary/3.parquet", ".4.parquet", "5.csv"), start=1):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(TABLE.slice(0, 10 * count), tmp_path / name)
    assert list(rs.ArrowRows(tmp_path, "y").groups) == [20, 10]


def test_columns_are_those_named_in_that_order(tmp_path: Path) -> None:
    rows = rs.ArrowRows(parts(tmp_path), ["y", "a"], inputs=["small", "n"])
    found, y = all_of(rows)
    np.testing.assert_array_equal(found, X[:, [2, 1]].astype(np.float32))
    np.testing.assert_array_equal(y, np.column_stack([Y, X[:, 0]]))


@pytest.mark.parametrize("chunk", [1, 7, 230])
def test_a_stream_has_the_same_groups_however_it_comes(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SPOOLED_ROWS", 100)
    batches = TABLE.to_batches(max_chunksize=chunk)
    rows = rs.ArrowRows(pa.RecordBatchReader.from_batches(TABLE.schema, batches), "y")
    assert list(rows.groups) == [100, 100, 30]
    np.testing.assert_array_equal(all_of(rows)[1], Y)


def test_csv_comes_as_a_stream(tmp_path: Path) -> None:
    pyarrow.csv.write_csv(TABLE, tmp_path / "rows.csv")
    with pytest.raises(DataError, match=r"rows.csv is neither Parquet nor Arrow; .*pyarrow\.csv\.open_csv"):
        rs.ArrowRows(tmp_path / "rows.csv", "y")
    rows = rs.ArrowRows(pyarrow.csv.open_csv(tmp_path / "rows.csv"), "y")
    np.testing.assert_array_equal(all_of(rows)[1], Y)


def test_the_temporary_file_of_a_stream_goes_with_the_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = rs.ArrowRows(stream(), "y", inputs=["n"])
    assert len(os.listdir(tmp_path)) == 1
    del rows
    gc.collect()
    assert os.listdir(tmp_path) == []

    def broken() -> Any:
        yield from TABLE.to_batches(max_chunksize=100)[:1]
        raise OSError("the line is cut")

    with pytest.raises(OSError, match="the line is cut"):
        rs.ArrowRows(pa.RecordBatchReader.from_batches(TABLE.schema, broken()), "y")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"targets": "z"}, DataError, "part-0.parquet has no column named 'z'; its columns are 'a', 'n', "),
        ({"inputs": ["b"]}, DataError, "part-0.parquet has no column named 'b'"),
        ({"targets": []}, ParameterError, "targets is [], but must be a list of names of columns"),
        ({"targets": None}, ParameterError, "targets is None, but must be"),
        ({"inputs": "a"}, ParameterError, "inputs is 'a', but must be a list of names"),
        ({"inputs": ["a", "a"]}, ParameterError, "inputs holds 'a' twice"),
        ({"inputs": ["a", "y"]}, ParameterError, "inputs holds 'y', which is a target too"),
        ({"source": 5}, ParameterError, "source is 5, but must be the path"),
        ({"source": []}, ParameterError, "source is an empty list"),
        ({"source": "nothing-*.parquet"}, DataError, "no file's name fits the pattern nothing-*.parquet"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        rs.ArrowRows(**{"source": parts(tmp_path), "targets": "y", **arguments})


def test_columns_without_numbers_and_files_without_rows_are_refused(tmp_path: Path) -> None:
    text = TABLE.set_column(0, "a", pa.array(["x"] * ROWS))
    with pytest.raises(DataError, match=r"the stream, column 'a' is of type string, .* inputs=\[\.\.\.\]"):
        rs.ArrowRows(text, "y")
    assert rs.ArrowRows(text, "y", inputs=["n"]).rows == ROWS
    pq.write_table(TABLE.slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(DataError, match=r"none.parquet has no rows\."):
        rs.ArrowRows(tmp_path, "y")
    with pytest.raises(DataError, match="has no column but the targets"):
        rs.ArrowRows(TABLE.select(["y"]), "y")
    with pytest.raises(FileNotFoundError):
        rs.ArrowRows(tmp_path / "not.parquet", "y")
    (tmp_path / "none.parquet").unlink()
    with pytest.raises(DataError, match=r"is a folder without a file whose name ends in \.parquet"):
        rs.ArrowRows(tmp_path, "y")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    pq.write_table(TABLE, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"cut.parquet cannot be read: .*Is it damaged"):
        rs.ArrowRows(path, "y")


@pytest.mark.parametrize(
    ("value", "why"), [(None, "missing or NaN"), (np.inf, "inf, which is not"), (1e300, r"1e\+300, which")]
)
def test_a_cell_that_cannot_be_used_has_a_place(tmp_path: Path, value: float | None, why: str) -> None:
    cells = TABLE["a"].to_pylist()
    cells[171] = value
    parts(tmp_path)
    table = TABLE.set_column(0, "a", pa.array(cells, pa.float64()))
    pq.write_table(table.slice(100, 100), tmp_path / "part-1.parquet", row_group_size=40)
    net = rs.Network(rs.Dense(1), seed=0)
    with pytest.raises(DataError, match=rf"part-1.parquet, row 72 \(of row group 2\), column 'a': a cell is {why}"):
        net.fit(rs.ArrowRows(tmp_path, "y"))
    assert not net.built


def test_a_target_that_cannot_be_used_has_a_place(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(200), loss="cross_entropy")
    message = r"part-2.parquet, row 1 \(of row group 1\), column 'n': y holds 200, but a label must be"
    with pytest.raises(DataError, match=message):
        net.fit(rs.ArrowRows(parts(tmp_path), "n"))
    table = TABLE.set_column(5, "y", pa.array([1.0, None] * (ROWS // 2)))
    with pytest.raises(DataError, match=r"the stream, row 2 \(of row group 1\), column 'y': .*masked_targets=True"):
        rs.Network(rs.Dense(1)).fit(rs.ArrowRows(table, "y"))
    assert rs.Network(rs.Dense(1)).fit(rs.ArrowRows(table, "y"), epochs=1, masked_targets=True).epochs == 1
