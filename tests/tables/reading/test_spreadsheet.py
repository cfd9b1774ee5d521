"""Spreadsheets: the first sheet of a workbook is the text that it would be saved as."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import random
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reseau.errors import DataError, ReseauError
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Table, read_table

openpyxl = pytest.importorskip("openpyxl")

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
Rows = Sequence[Sequence[Any]]


def workbook(rows: Rows, change: Callable[[Any, Any], object] = lambda book, sheet: None) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for row in rows:
        book.active.append(row)
    change(book, book.active)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rows(table: Table) -> dict[str, list[Any]]:
    return {name: column.cells.to_pylist() for name, column in table.columns.items()}


def test_cells_are_the_text_that_people_see(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    day = datetime.date(2024, 1, 31)
    path.write_bytes(
        workbook(
            [
                ["n", "text", "day", "time", "true"],
                [1, "01000", day, datetime.time(12, 30), True],
                [2.5, "#N/A", datetime.datetime(2024, 1, 31, 8, 5), None, False],
                [],
                [-0.125, "two\nlines", None, datetime.timedelta(hours=30), None],
            ]
        )
    )
    table = read_table(path)
    assert rows(table) == {
        "n": ["1", "2.5", "-0.125"],
        "text": ["01000", "#N/A", "two lines"],
        "day": ["2024-01-31", "2024-01-31 08:05:00", None],
        "time": ["12:30:00", None, "108000.0"],
        "true": ["True", "False", None],
    }
    assert (table.name, table.notes, table.columns["n"].place(2)) == (str(path), (), f"{path}, line 5")


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv", "T.XLSX"])
def test_a_sheet_is_known_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    content = workbook([["a", "b"], [1, 2]])
    (tmp_path / name).write_bytes(content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t.xlsx", content)
    for data in (tmp_path / name, io.BytesIO(content), io.BytesIO(gzip.compress(content)), packed):
        if data is packed:
            packed.seek(0)
        assert rows(read_table(data)) == {"a": ["1"], "b": ["2"]}


def test_a_sheet_and_the_text_of_it_give_the_same_model(tmp_path: Path) -> None:
    sheet, text = tmp_path / "penguins.xlsx", tmp_path / "penguins.csv"
    frame = pd.read_csv(PENGUINS)
    frame.to_excel(sheet, index=False)
    frame.to_csv(text, index=False)
    of_sheet, of_text = (TableModel.train(data, "species", epochs=2) for data in (sheet, text))
    assert of_sheet.columns == of_text.columns
    assert of_sheet.predict(sheet).table == of_text.predict(text).table


def test_titles_and_empty_margins_are_passed_over() -> None:
    table = read_table(
        io.BytesIO(
            workbook(
                [[None, "Sales of 2024"], [], [None, "a", "b", "c"], [None, 1, None, 3], [None, 4, 5, 6, None, None]],
                lambda book, sheet: sheet.merge_cells("B1:D1"),
            )
        )
    )
    assert rows(table) == {"a": ["1", "4"], "b": [None, "5"], "c": ["3", "6"]}
    assert table.notes == ("line 1 is passed over, before the header, line 3",)


def test_the_first_sheet_that_is_shown_is_read_and_told() -> None:
    def change(book: Any, sheet: Any) -> None:
        other = book.create_sheet("Other")
        other.append(["p", "q"])
        other.append([1, 2])
        book.create_sheet("Empty")
        sheet.sheet_state = "hidden"

    table = read_table(io.BytesIO(workbook([["a", "b"], [1, 2]], change)))
    assert rows(table) == {"p": ["1"], "q": ["2"]}
    assert table.name == "the text, sheet 'Other'"
    assert table.notes == (
        "the sheet 'Other' is read, and no other ('Data', 'Empty'); save another as CSV to read that",
    )


@pytest.mark.parametrize(
    ("content", "change", "says"),
    [
        ([["a", "b"], ["g", 1], [None, 2]], lambda book, sheet: sheet.merge_cells("A2:A3"), "A2:A3 are merged"),
        ([["a", None], [1, 2]], lambda book, sheet: sheet.merge_cells("A1:B1"), "A1:B1 are merged"),
        ([["a", "b"], [1, 2], [3, "=A2+B2"]], lambda book, sheet: None, "the cell B3 holds a formula without a value"),
        ([["a", "a"], [1, 2]], lambda book, sheet: None, "columns 1 and 2 are both named 'a'"),
        ([["a", "b"]], lambda book, sheet: None, "no rows"),
        ([], lambda book, sheet: None, "is empty"),
    ],
)
def test_what_would_be_read_as_empty_is_refused(content: Rows, change: Callable[[Any, Any], object], says: str) -> None:
    with pytest.raises(DataError, match=f"the text.*{says}"):
        read_table(io.BytesIO(workbook(content, change)))


def test_a_damaged_workbook_is_refused() -> None:
    content = workbook([["a", "b"], [1, 2]])
    rng = random.Random(0)
    for _ in range(100):
        changed = bytearray(content)
        for _ in range(3):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        with contextlib.suppress(DataError):
            read_table(io.BytesIO(changed))
    with pytest.raises(DataError, match="damaged"):
        read_table(io.BytesIO(content[: len(content) // 2]))


def test_without_openpyxl_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook([["a", "b"], [1, 2]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ReseauError, match=r"needs openpyxl; install it with: pip install 'reseau\[excel\]', or save"):
        read_table(io.BytesIO(content))
