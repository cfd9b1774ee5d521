"""JSON lines: an object for each row."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reseau.errors import DataError
from reseau.tables.reading.table import Table, read_table


def read(content: str | bytes) -> Table:
    return read_table(io.BytesIO(content.encode() if isinstance(content, str) else content))


def rows(table: Table) -> dict[str, list[Any]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


CONTENT = '{"a":1,"b":"x"}\n{"a":2.5,"b":null}\n\n{"b":"01","c":true}\n'


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "T.JSONL", "t.json", "t.txt", "t"])
def test_json_lines_are_known_by_their_first_line_or_their_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONTENT)
    table = read_table(tmp_path / name)
    assert rows(table) == {"a": [1.0, 2.5, None], "b": ["x", None, "01"], "c": [None, None, True]}
    assert [table.columns["a"].place(i) for i in (0, 1, 2)] == [f"{tmp_path / name}, line {i}" for i in (1, 2, 4)]


def test_json_lines_may_be_compressed_parts_of_a_folder_with_a_mark_of_byte_order(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl.gz").write_bytes(gzip.compress(b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n'))
    (tmp_path / "2.jsonl").write_text('{"a": 3}')
    assert rows(read_table(tmp_path)) == {"a": [1, 2, 3]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", '"x"', "2.5", "null"], ["1", "x", "2.5", None]),
        (["1", "2.5"], [1.0, 2.5]),
        (["true", "1"], ["True", "1"]),
        (["true", "null", "false"], [True, None, False]),
        (["1", "NaN"], [1.0, None]),
        (['"2024-01-31"', '"2023-12-01"'], ["2024-01-31", "2023-12-01"]),
        (['"2024-01-31T10:00:00"', "null"], ["2024-01-31T10:00:00", None]),
        (['"01000"', '"75001"'], ["01000", "75001"]),
        (["12345678901234567890", "12345678901234567891"], [12345678901234567890, 12345678901234567891]),
        (["1" + 29 * "0", "2"], ["1" + 29 * "0", "2"]),
        (['"\\u00e9 \\ud83d\\ude00"', '"é"'], ["é 😀", "é"]),
        (['"a\\nb"', '" c "'], ["a\nb", "c"]),
    ],
)
def test_values_keep_what_they_are(values: list[str], expected: list[Any]) -> None:
    table = read("\n".join(f'{{"a": {value}, "b": 1}}' for value in values))
    assert [str(cell) for cell in rows(table)["a"]] == [str(cell) for cell in expected]


def test_a_line_may_be_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reseau.tables.reading.json_lines.BLOCK_BYTES", 100)
    long = "x" * 1000
    (tmp_path / "t.jsonl").write_text(json.dumps({"a": long}) + "\n" + json.dumps({"a": "y"}))
    assert rows(read_table(tmp_path / "t.jsonl")) == {"a": [long, "y"]}


def test_what_pandas_writes_is_read() -> None:
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", "é"], "c": [True, False], "d": [1, 2]})
    written = io.StringIO()
    frame.to_json(written, orient="records", lines=True)
    assert rows(read(written.getvalue())) == {"a": [1.5, None], "b": ["x", "é"], "c": [True, False], "d": [1, 2]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a":1}\n{"a":2\n{"a":3}', "line 2 is no JSON: .* at character 7; JSON lines have an object"),
        ('{"a":1}\n\n[1]', r"line 3 is \[1\]; JSON lines have an object"),
        ('{"a":1}\n5', "line 2 is 5; JSON lines"),
        ('{"a":1}\n{"a":[1, 2]}', r"line 2: column 'a' is \[1, 2\], and a cell holds a single value; flatten it"),
        ('{"a":1, "b":{"c":1}}', "line 1: column 'b' is {'c': 1}, and a cell"),
        (b'{"a":1}\n{"a":"\xe9"}', r"line 2: byte 7 of the line \(0xe9\) is not UTF-8"),
        (b'{"a":"\xe9"}', r"line 1: byte 7 of the line \(0xe9\) is not UTF-8"),
        (b'{"\xe9":1}\n{"\xe9":2}', r"line 1: byte 3 of the line \(0xe9\) is not UTF-8"),
        ('{"a":1}\n{"a":' + "[" * 100_000, "line 2 cannot be read: .*recursion"),
        ('{"a":1, "a ":2}', "columns 1 and 2 are both named 'a'"),
        ("{}\n{}", "has no columns"),
        ('{\n"a": 1}', "is JSON; read it with pandas.read_json"),
        ('[{"a": 1}]', "is JSON; read it with pandas.read_json"),
    ],
)
def test_a_line_that_is_no_row_is_refused_by_its_place(content: str | bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(content)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"a": i * 7919 % 1000}) + "\n" for i in range(5000))
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:2000])
    with pytest.raises(DataError, match=r"t\.jsonl\.gz cannot be read: "):
        read_table(tmp_path / "t.jsonl.gz")
