"""Text in other encodings than UTF-8."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Table, read_table

TEXT = "é;œ\nß;€\nä;7\n"
READ = {"é": ["ß", "ä"], "œ": ["€", "7"]}


def rows(table: Table) -> dict[str, list[Any]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_of_byte_order_tells_the_encoding_whatever_is_said(encoding: str) -> None:
    content = TEXT.encode(encoding)
    assert rows(read_table(io.BytesIO(content))) == READ
    if encoding != "utf-8":
        assert rows(read_table(io.BytesIO(content), encoding="latin-1")) == READ
    assert rows(read_table(io.BytesIO(b"\xfe\xff" + TEXT.encode("utf-16-be")))) == READ


@pytest.mark.parametrize("encoding", ["cp1252", "CP1252", "iso8859-15", "utf-16-le", "UTF8", "cp1250"])
def test_the_encoding_may_be_named(tmp_path: Path, encoding: str) -> None:
    text = TEXT.replace("œ", "o") if encoding == "cp1250" else TEXT
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_table(tmp_path / "t.csv", encoding=encoding)
    assert list(rows(table).values()) == list(READ.values())
    assert table.columns["é"].place(1) == f"{tmp_path / 't.csv'}, line 3"


def test_what_has_no_encoding_is_read_as_it_is(tmp_path: Path) -> None:
    assert rows(read_table(io.StringIO(TEXT), encoding="utf-16")) == READ
    assert rows(read_table({"é": ["ß"]}, encoding="utf-16")) == {"é": ["ß"]}
    (tmp_path / "t.jsonl").write_text('{"é": "ß"}', encoding="utf-8")
    assert rows(read_table(tmp_path / "t.jsonl", encoding="latin-1")) == {"é": ["ß"]}


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"a,b\n1,2\n3,\x81\n", "cp1252", r"line 3: byte 11 of the file \(0x81\) is not cp1252 text; name another"),
        (b"a,b\n1,\xe9\n", "ascii", r"line 2: byte 7 of the file \(0xe9\) is not ascii text"),
        (b"a,b\n1,\xe9\n", None, r"line 2: byte 3 of the line \(0xe9\) is not UTF-8.*such as --encoding cp1252"),
        (b"a,b\n1,\xe9\n", "utf_8", r"line 2: byte 3 of the line \(0xe9\) is not UTF-8"),
        (TEXT.encode("utf-16")[:-1], None, r"line 3: byte \d+ of the file \(0x0a\) is not utf-16 text"),
    ],
)
def test_a_byte_that_is_no_text_is_refused_by_its_place(
    tmp_path: Path, content: bytes, encoding: str | None, says: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"t\.csv, {says}"):
        read_table(tmp_path / "t.csv", encoding=encoding)


@pytest.mark.parametrize("encoding", ["nope", "rot13", "hex", "", 5, "ut\0f", "undefined"])
def test_what_is_no_encoding_of_text_is_refused(encoding: Any) -> None:
    with pytest.raises(ParameterError, match=r"encoding is .* such as 'utf-8', 'latin-1', 'cp1252' or 'utf-16'"):
        read_table(io.BytesIO(TEXT.encode()), encoding=encoding)


def test_a_model_reads_with_the_encoding_that_it_learnt_with(tmp_path: Path) -> None:
    lines = [f"{'éè'[i % 2]},{i % 2}.5" for i in range(40)]
    (tmp_path / "t.csv").write_bytes("\n".join(["c,y", *lines]).encode("latin-1"))
    model = TableModel.train(tmp_path / "t.csv", "y", task="regression", epochs=2, encoding="latin-1")
    model.save(tmp_path / "m.reseau")
    again = rs.load(tmp_path / "m.reseau")
    assert isinstance(again, TableModel)
    assert again.reading == {"sep": None, "header": None, "encoding": "latin-1"}
    assert again.predict(tmp_path / "t.csv").table == model.predict({"c": ["é", "è"] * 20}).table
