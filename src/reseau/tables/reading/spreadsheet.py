"""Spreadsheets (.xlsx), by openpyxl: the first sheet as the text that it would be saved as, a line for each row."""

from __future__ import annotations

import csv
import datetime
import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from typing import Any

from reseau.errors import DataError, MissingPackageError
from reseau.packages import how_to_install
from reseau.tables.reading.sources import SAVE, Source, first_line, replaced

MOST_NAMES = 5  # of sheets in a note
MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]+[0-9]+:[A-Z]+([0-9]+))"')
# A formula without the value that it had when the sheet was saved; an empty text is a value.
NOT_COMPUTED = re.compile(
    rb"<(?:\w+:)?c ([^>]*)>\s*<(?:\w+:)?f(?: [^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v ?/>|<v></v>)?\s*</"
)
REF = re.compile(rb'\br="([A-Z]+[0-9]+)"')


@dataclass(frozen=True)
class Sheet:
    """A sheet as text whose fields are separated by commas, and what of it a text does not say.

    Parameters
    ----------
    text : Source
        Line i is row i of the sheet.
    merged : tuple of (str, int)
        The ranges of merged cells, such as "A2:A5", and the last row of each.
    notes : tuple of str
        What was decided and is not obvious.
    """

    text: Source
    merged: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]

    def refuse_merged(self, first: int) -> None:
        """Refuse cells that are merged from a row on: titles before the header may be."""
        for cells, last in self.merged:
            if last >= first:
                raise DataError(
                    f"{self.text.name}: the cells {cells} are merged, so that all but one of them are empty; unmerge "
                    "them, and fill each, or delete what is no row of the table."
                )


def read_sheet(source: Source) -> Sheet:
    """The first sheet of a workbook that is shown.

    Raises
    ------
    ReseauError
        If openpyxl is not installed.
    DataError
        If the workbook is damaged or holds no sheet with cells, or a formula of the sheet was never computed.
    """
    try:
        import openpyxl
    except ImportError:
        raise MissingPackageError(
            f"{source.name} is a spreadsheet, and to read it needs openpyxl; install it with: "
            f"{how_to_install('openpyxl')}, or {SAVE}."
        ) from None
    try:
        with source.open_anywhere() as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a sheet has besides cells
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
            if not shown:
                raise DataError(f"{source.name} is a spreadsheet without a sheet of cells.")
            sheet = shown[0]
            sheet.reset_dimensions()  # some programs write wrong ones
            rows = [[_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
            with zipfile.ZipFile(file) as archive:
                xml = archive.read(sheet._worksheet_path)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # of openpyxl, of many classes
        raise DataError(f"{source.name} is a damaged spreadsheet: {first_line(error)}.") from None
    several = len(book.worksheets) > 1
    name = f"{source.name}, sheet {sheet.title!r}" if several else source.name
    _refuse_not_computed(name, xml)
    merged = tuple((cells.decode(), int(last)) for cells, last in MERGED.findall(xml))
    others = ", ".join([repr(other.title) for other in book.worksheets if other is not sheet][:MOST_NAMES])
    notes = (f"the sheet {sheet.title!r} is read, and no other ({others}); save another as CSV to read that",) * several
    return Sheet(replaced(source, _as_csv(rows), name), merged, notes)


def _refuse_not_computed(name: str, xml: bytes) -> None:
    for attributes in NOT_COMPUTED.findall(xml):
        if b't="str"' not in attributes:
            cell = REF.search(attributes)
            raise DataError(
                f"{name}: the cell {cell[1].decode() if cell else '?'} holds a formula without a value; open the file "
                "in a spreadsheet program, and save it."
            )


def _text(value: Any) -> str:
    """A cell as a text has it: whole numbers without a decimal point, dates with the year first."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, datetime.timedelta):
        return repr(value.total_seconds())
    return " ".join(str(value).splitlines())


def _as_csv(rows: list[list[str]]) -> bytes:
    """The rows as lines of text, without columns on the left and the right in which there is nothing."""
    filled = [[i for i, cell in enumerate(row) if cell.strip()] for row in rows]
    left = min((cells[0] for cells in filled if cells), default=0)
    right = max((cells[-1] + 1 for cells in filled if cells), default=0)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row, cells in zip(rows, filled, strict=True):
        if cells:
            writer.writerow((row + [""] * right)[left:right])
        else:
            text.write("\n")
    return text.getvalue().encode()
