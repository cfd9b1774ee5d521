"""Where tables come from: files, archives, standard input and open files, by what is in them."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reseau.errors import DataError, ParameterError
from reseau.tables.reading.table import Table, read_table

TEXT = b"a,b\n1,x\n2,y\n"
WRONG = b"a,b\n1,x\n2\n"


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": ["1", "2"], "b": ["x", "y"]}), sink)
    return sink.getvalue()


def rows(table: Table) -> dict[str, list[object]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


READ = {"a": ["1", "2"], "b": ["x", "y"]}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "t.csv.gz": gzip.compress,
    "T.CSV.GZ": gzip.compress,
    "called.csv": gzip.compress,
    "t.csv.bz2": bz2.compress,
    "t.csv.zst": lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
    "t.csv.xz": lzma.compress,
    "t.csv.zip": lambda content: zipped(**{"t.csv": content}),
    "mac.zip": lambda content: zipped(**{"f/t.csv": content, "__MACOSX/f/._t.csv": b"\0", "f/.DS_Store": b"\0"}),
    "notes.zip": lambda content: zipped(**{"t.csv": content, "README.txt": b"hello"}),
    "twice.zip": lambda content: zipped(**{"t.csv.gz": gzip.compress(content)}),
    "plain.csv.gz": bytes,
}


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_compressed_file_is_known_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(COMPRESSIONS[name](TEXT))
    table = read_table(tmp_path / name)
    assert rows(table) == READ
    assert table.columns["a"].place(1) == f"{tmp_path / name}, line 3"
    (tmp_path / name).write_bytes(COMPRESSIONS[name](WRONG))
    with pytest.raises(DataError, match="line 3: 1 field where the header has 2"):
        read_table(tmp_path / name)
    assert rows(read_table(io.BytesIO(COMPRESSIONS[name](TEXT)))) == READ


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.zst", "t.csv.xz", "t.csv.zip"])
@pytest.mark.parametrize("content", [b"a,b\n" + b"1,2\n" * 300_000, b'{"a": 1}\n' * 100_000], ids=["csv", "json"])
def test_what_unpacks_to_more_than_half_of_the_memory_is_refused(
    tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(COMPRESSIONS[name](content))
    monkeypatch.setattr("reseau.tables.reading.sources.memory", lambda: 1_000_000)
    with pytest.raises(DataError, match=r"t\.csv\..* unpacks to more than 0\.0005 GB, half of the memory; split it"):
        read_table(tmp_path / name)
    monkeypatch.setattr("reseau.tables.reading.sources.memory", lambda: 10_000_000)
    assert read_table(tmp_path / name).rows == content.count(b"\n") - (content[:1] == b"a")


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.zst", "t.csv.xz"])
def test_compressed_parts_one_behind_the_other_are_one_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(COMPRESSIONS[name](TEXT[:7]) + COMPRESSIONS[name](TEXT[7:]))
    assert rows(read_table(tmp_path / name)) == READ


@pytest.mark.parametrize("name", ["t.parquet", "t.pq", "t.csv", "t"])
def test_parquet_is_known_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(parquet())
    assert rows(read_table(tmp_path / name)) == READ
    assert rows(read_table(io.BytesIO(gzip.compress(parquet())))) == READ


def arrow(table: pa.Table, new: Callable[..., Any], compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    with new(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("name", ["t.arrow", "t.feather", "t.csv", "t"])
def test_arrow_files_and_streams_are_known_by_their_first_bytes(
    tmp_path: Path, name: str, compression: str | None, new: Callable[..., Any]
) -> None:
    content = arrow(pa.table({"a": [1, None], "b": pa.array(["x", "y"]).dictionary_encode()}), new, compression)
    (tmp_path / name).write_bytes(content)
    table = read_table(tmp_path / name)
    assert rows(table) == {"a": [1, None], "b": ["x", "y"]}
    assert (table.columns["b"].declared, table.columns["a"].place(1)) == ("category", f"{tmp_path / name}, row 2")
    assert rows(read_table(io.BytesIO(gzip.compress(content)))) == rows(table)


def test_damaged_arrow_is_refused_and_never_read_beyond_its_end() -> None:
    table = pa.table({"a": [1, 2, None], "b": pa.array(["x", "y", "x"]).dictionary_encode(), "c": ["u", "", None]})
    rng = random.Random(0)
    for content in (arrow(table, pa.ipc.new_file), arrow(table, pa.ipc.new_stream)):
        for cut in range(8, len(content), 40):
            with contextlib.suppress(DataError):
                read_table(io.BytesIO(content[:cut]))
        for _ in range(300):
            changed = bytearray(content)
            for _ in range(rng.randint(1, 4)):
                changed[rng.randrange(6, len(changed))] = rng.randrange(256)
            with contextlib.suppress(DataError):
                read_table(io.BytesIO(changed))
    with pytest.raises(DataError, match="is a damaged Arrow file: "):
        read_table(io.BytesIO(content[:200]))


def test_text_named_as_arrow_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.arrow").write_bytes(TEXT)
    with pytest.raises(DataError, match=r"t\.arrow is not an Arrow file; if it is text, rename it to end in \.csv"):
        read_table(tmp_path / "t.arrow")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(**{"a.csv": TEXT, "b.csv": TEXT}), r"several files: 'a.csv', 'b.csv'; unpack it"),
        (zipped(**{"[Content_Types].xml": b"", "xl/workbook.bin": b""}), "spreadsheet; save the sheet as CSV"),
        (zipped(**{"mimetype": b"", "content.xml": b""}), "spreadsheet; save the sheet as CSV"),
        (zipped(**{"a.csv": TEXT})[:40], "damaged zip archive"),
        (bytes(pa.compress(TEXT * 5000, codec="zstd", asbytes=True))[:-6], "cannot be read: .*cut off"),
        (zipped(**{"a.csv": TEXT}).replace(b"2,y", b"2,z"), "cannot be read: Bad CRC-32 for file 'a.csv'"),
        (zipped(**{"a.csv": TEXT}).replace(b"PK\1\2\x14\3\x14", b"PK\1\2\x14\3\xf3"), "zip"),  # of a version to come
        (zipped(**{"__MACOSX/._t.csv": b""}), "zip archive without a file"),
        (zipped(), "zip archive without a file"),
        (zipped(**{"a.xlsx": zipped(**{"[Content_Types].xml": b""})}), "spreadsheet"),
        (gzip.compress(TEXT * 5000)[:60], "cannot be read: "),
        (lzma.compress(TEXT * 5000)[:80], "cannot be read: "),
        (bz2.compress(TEXT * 5000)[:60], "cannot be read: "),
        (gzip.compress(b""), "is empty"),
        (b"\xd0\xcf\x11\xe0", "spreadsheet; save the sheet as CSV"),
        (b'[{"a": 1}]', "JSON; read it with pandas.read_json"),
        (b'{\n "a": [1]}', "JSON"),
        (b"[1, 2]\n", "JSON"),
        (b"<!DOCTYPE html><table>", "HTML"),
        (b'\n<?xml version="1.0"?>', "XML"),
        (b"% iris\n@RELATION iris\n", "ARFF"),
        (b"%PDF-1.4", "PDF"),
        (b"\x80\x04\x95", "pickle"),
        (b"SQLite format 3\0", "SQLite"),
        (gzip.compress(b"X\n\0\0\0\x03"), "file of R"),
        (gzip.compress(b"t.csv" + b"\0" * 252 + b"ustar" + b"\0" * 300), "tar archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a gzip file holds the time
)
def test_what_is_no_table_is_named_for_what_it_is(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"t\.csv.*{says}"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(DataError, match=f"^the text.*{says}"):
        read_table(io.BytesIO(content))


def test_a_header_in_brackets_is_no_json() -> None:
    assert list(read_table(io.StringIO("[a],[b]\n1,2\n")).columns) == ["[a]", "[b]"]


def test_open_files_are_read_from_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,é\n".encode("latin-1"))
    with open(path, encoding="latin-1") as file:
        table = read_table(file)
    assert rows(table) == {"a": ["1"], "b": ["é"]}
    assert table.name == str(path)
    file = io.BytesIO(b"x\n" + TEXT)
    file.readline()
    assert rows(read_table(file)) == READ
    assert rows(read_table(io.StringIO(TEXT.decode()))) == READ


def test_open_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    closed = io.StringIO("a,b\n")
    closed.close()
    with pytest.raises(ParameterError, match=r"the text cannot be read .*closed"):
        read_table(closed)
    with open(tmp_path / "t.csv", "w") as file, pytest.raises(ParameterError, match="not readable"):
        read_table(file)
    with pytest.raises(ParameterError, match=r"io\.StringIO\(text\)"):
        read_table("a,b\n1,2\n")
    with pytest.raises(ParameterError, match=r"io\.StringIO\(text\)"):
        read_table("a*,b\n" + "1,2\n" * 5000)
    with pytest.raises(DataError, match=r"io\.BytesIO"):
        read_table(TEXT)
    with pytest.raises(ParameterError, match="download it"):
        read_table("https://example.org/t.csv")


@pytest.mark.parametrize("name", ["-", Path("-")])
def test_standard_input_is_read_once_and_called_so(monkeypatch: pytest.MonkeyPatch, name: object) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT))))
    table = read_table(name)
    assert (table.name, rows(table)) == ("standard input", READ)
    assert table.columns["a"].place(1) == "standard input, line 3"
    with pytest.raises(DataError, match="standard input is empty"):
        read_table(name)
    monkeypatch.setattr(sys, "stdin", io.StringIO(WRONG.decode()))
    with pytest.raises(DataError, match="standard input, line 3: 1 field"):
        read_table(name)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ParameterError, match="standard input is closed"):
        read_table(name)
