"""Delimited text is cut as Python's own reader cuts it, and refused in one way only."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseau.errors import ReseauError
from reseau.tables.reading.table import read_table

CELLS = st.text(alphabet='ab1,;\t|" \n.é', max_size=6)
PIECES = st.sampled_from([*',;\t|"# 1', "2.5", "a", "\n", "\r\n", "\x1a", "sep=;\n", "\ufeff", "é", "x,y\n", "1,2\n"])


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_is_read_back(rows: list[list[str]], separator: str, quoting: int, end: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerows([["name", "size", "kind"], *rows])
    table = read_table(io.StringIO(file.getvalue(), newline=""), sep=separator)
    columns = [column.cells.to_pylist() for column in table.columns.values()]
    assert list(map(list, zip(*columns, strict=True))) == [[cell.strip() or None for cell in row] for row in rows]


@given(st.lists(PIECES, max_size=25), st.sampled_from([{}, {"header": "none"}, {"sep": ";"}, {"sep": "space"}]))
def test_any_text_is_a_table_or_refused_and_every_row_has_a_line(pieces: list[str], options: dict[str, str]) -> None:
    limit = csv.field_size_limit()
    try:
        table = read_table(io.StringIO("".join(pieces), newline=""), **options)
    except ReseauError:
        pass
    else:
        for column in table.columns.values():
            assert len(column.cells) == table.rows
            assert column.place(table.rows - 1).startswith("the text, line ")
    assert csv.field_size_limit() == limit


def test_a_cell_of_several_blocks_is_read() -> None:
    long = "x" * 9_000_000
    table = read_table(io.StringIO(f"a,b\n1,{long}\n2,y\n"))
    assert table.columns["b"].cells.to_pylist() == [long, "y"]


@pytest.mark.parametrize(("rows", "line"), [(1, 3), (300_000, 300_002)])
def test_comments_far_down_are_passed_over_and_counted_in_lines(rows: int, line: int) -> None:
    table = read_table(io.StringIO("a,b\n" + "1,2\n" * rows + "# a pause\n3,4\n"))
    assert table.rows == rows + 1
    assert table.columns["a"].place(rows) == f"the text, line {line + 1}"


@pytest.mark.parametrize("error", ["#N/A", "#N/D", "#DIV/0!", "#VALEUR!", "#NOM ?", "#BEZUG!"])
def test_an_error_of_a_spreadsheet_is_no_comment(error: str) -> None:
    table = read_table(io.StringIO("a,b\n" + "1,2\n" * 9 + f"{error},3\n4,5\n"))
    assert table.rows == 11
    assert table.columns["a"].cells[9].as_py() == error
    assert table.notes == ()
