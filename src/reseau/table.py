"""A table from a file or a data frame: named columns, and where each of their cells stands.

CSV cells are kept as text (`columns` decides what they are), stripped of the spaces around them,
and null where they hold one of the usual marks of a missing value. Parquet files and data frames
keep the types they come with, and null, NaN and empty text are missing.
"""

from __future__ import annotations

import csv
import difflib
import errno
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reseau.checks import as_path, file_to_read
from reseau.errors import DataError

COMPRESSED = (".gz", ".bz2", ".zst")
TEXT = (".csv", ".tsv", ".tab", ".txt")
PARQUET = (".parquet", ".pq")

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SAMPLE_CHARACTERS = 1 << 16  # of a file, to find its delimiter
SAMPLE_RECORDS = 50
LONGEST_QUOTED = 120  # characters of a cell in a message
BLOCK_BYTES = 4 << 20  # what pyarrow reads at once; a record has to fit in two
DECIMAL_COMMA = r"^([+-]?\d*),(\d+)$"
PLAIN_NUMBER = r"^[+-]?\d+$"


@dataclass(frozen=True)
class Column:
    """One column: its name, its cells, and how to call the place of a row in an error message."""

    name: str
    cells: pa.ChunkedArray
    place: Callable[[int], str]
    separator: str = ""
    declared: str = ""


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Parameters
    ----------
    name : str
        What messages call the table: the file's path, or "the table".
    columns : dict of str to Column
        In the order of the file.
    rows : int
        At least 1.
    notes : tuple of str
        What was noticed while reading, to be told to the user.
    """

    name: str
    columns: dict[str, Column]
    rows: int
    notes: tuple[str, ...] = field(default=())

    def column(self, name: str) -> Column:
        """Return the column of that name; a `DataError` suggests the nearest name there is."""
        if not isinstance(name, str) or name not in self.columns:
            raise DataError(
                f"{self.name} has no column {name!r}{did_you_mean(name, self.columns)}; its columns are "
                f"{listed(self.columns)}."
            )
        return self.columns[name]


def read_table(data: Any, *, sep: str | None = None, header: str | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    data : path, Table or data frame
        A file (.csv, .tsv, .tab, .txt, also compressed as .gz, .bz2 or .zst; .parquet, .pq), or any
        data frame known to narwhals (pandas, polars, pyarrow and others). The delimiter of a text
        file (comma, semicolon, tab or vertical bar) is found from its first lines; in a file that
        is not delimited by commas, decimal commas are understood.

    Returns
    -------
    Table
        With at least one column and one row.

    Raises
    ------
    DataError
        If the table cannot be understood: the message names the file and the line.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = read_table(pa.table({"length": [39.1, 39.5], "species": ["Adelie", "Gentoo"]}))
    >>> table.rows, list(table.columns)
    (2, ['length', 'species'])
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, os.PathLike)):
        return _read_file(as_path(data))
    return _from_frame(data)


def table_format(path: Path) -> str:
    """Return "csv" or "parquet", from the name of a file; a `DataError` lists the endings known."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
        if suffixes and suffixes[-1] in TEXT:
            return "csv"
    elif suffixes and suffixes[-1] in TEXT:
        return "csv"
    elif suffixes and suffixes[-1] in PARQUET:
        return "parquet"
    raise DataError(
        f"{path}: unknown file ending {path.suffix!r}; tables are read from {', '.join(TEXT)} (also with "
        f"{', '.join(COMPRESSED)}) and {', '.join(PARQUET)} files."
    )


def did_you_mean(name: object, known: Any) -> str:
    """Return " (did you mean 'x'?)" with the nearest of the known names, or nothing."""
    by_lower = {str(other).lower(): str(other) for other in known}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""


def listed(names: Any, limit: int = 12) -> str:
    """Return the names as a list for a sentence, cut after `limit`."""
    names = list(names)
    rest = len(names) - limit
    return ", ".join(quoted(name) for name in names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def quoted(value: object) -> str:
    """Return a name or the value of a cell for a sentence, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


def _read_file(path: Path) -> Table:
    file_to_read(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; name one CSV or Parquet file", str(path))
    with open(path, "rb") as file:  # raises the OSError of a file that is missing or forbidden
        head = file.read(4)
    kind = table_format(path)
    if not head:
        raise DataError(f"{path} is empty: a table needs a line of column names, then its rows.")
    if kind == "parquet":
        return _read_parquet(path)
    _refuse_other_formats(path, head)
    return _read_text(path)


def _refuse_other_formats(path: Path, head: bytes) -> None:
    """Name what a file is whose ending says text and whose first bytes say otherwise."""
    for magic, what in (
        (b"PAR1", "a Parquet file; rename it to end in .parquet"),
        (b"PK\x03\x04", "a zip archive or a spreadsheet; save the sheet as CSV (UTF-8)"),
        (b"\xd0\xcf\x11\xe0", "a spreadsheet; save the sheet as CSV (UTF-8)"),
        (b"\xff\xfe", "UTF-16 text; save it as CSV (UTF-8)"),
        (b"\xfe\xff", "UTF-16 text; save it as CSV (UTF-8)"),
    ):
        if head.startswith(magic):
            raise DataError(f"{path} is {what}.")


# --------------------------------------------------------------------------------------------------
# CSV


def _read_text(path: Path) -> Table:
    delimiter, width = _dialect(path)
    # The header is read as a row like the others: its names may be repeated or empty, and every
    # column is text.
    names = [f"f{i}" for i in range(width)]
    import pyarrow.csv

    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            arrow = pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES),
                parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: pa.large_string() for name in names},
                    strings_can_be_null=False,
                ),
            )
    except (pa.ArrowInvalid, OSError) as error:
        raise _text_error(path, delimiter, width, error) from None
    _refuse_open_quote(path, delimiter, arrow)
    header = [str(column[0]).strip() for column in arrow.columns]
    if arrow.num_rows == 1:
        raise DataError(f"{path} has a line of column names and no rows.")
    arrow = arrow.slice(1).rename_columns(_column_names(path, header))

    notes = []
    if delimiter != "," and not (delimiter == "\t" and ".tsv" in path.suffixes):
        notes.append(f"the fields are separated by {DELIMITERS[delimiter]}")
    columns: dict[str, Column] = {}
    with_commas: list[str] = []
    place = _LineOf(path, delimiter)
    for name in arrow.column_names:
        cells = _stripped(arrow[name])
        columns[name] = Column(name, cells, place, delimiter)
    if with_commas:
        notes.append(f"decimal commas are read as decimal points in {listed(with_commas)}")
    return Table(str(path), columns, arrow.num_rows, tuple(notes))


def _column_names(path: Path, header: list[str]) -> list[str]:
    """Give nameless columns (row numbers of pandas and R) a name, and refuse names met twice."""
    names = [name or f"column {i + 1}" for i, name in enumerate(header)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(
                f"{path}, line 1: columns {names.index(name) + 1} and {i + 1} are both named {name!r}; give each "
                "its own name."
            )
    return names


def _stripped(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    cells = pc.utf8_trim_whitespace(cells)
    missing = pc.equal(cells, "")
    return pc.if_else(missing, pa.scalar(None, pa.large_string()), cells)


def _has_decimal_commas(cells: pa.ChunkedArray) -> bool:
    """Whether nearly all cells are numbers, whole or with a comma, and some have the comma."""
    commas = pc.sum(pc.match_substring_regex(cells, DECIMAL_COMMA)).as_py() or 0
    if not commas:
        return False
    whole = pc.sum(pc.match_substring_regex(cells, PLAIN_NUMBER)).as_py() or 0
    return bool(commas + whole >= 0.9 * (len(cells) - cells.null_count))


def _dialect(path: Path) -> tuple[str, int]:
    """Find the delimiter that cuts the first records like the header, and into how many fields."""
    try:
        with _open_text(path) as text:
            sample = text.read(SAMPLE_CHARACTERS)
    except OSError as error:  # a damaged compressed file
        raise DataError(f"{path} cannot be read: {error}.") from None
    if not sample.strip():
        raise DataError(f"{path} is empty: a table needs a line of column names, then its rows.")
    if "\0" in sample:
        raise DataError(f"{path} holds binary data (a NUL byte), not text; save the table as CSV (UTF-8).")
    best = (0.0, ",")
    order = sorted(DELIMITERS, key=lambda delimiter: delimiter == "\t", reverse=".tsv" in path.suffixes)
    for delimiter in order:
        widths = _widths(sample, delimiter)
        share = sum(width == widths[0] for width in widths) / len(widths) if widths and widths[0] > 1 else 0.0
        if share > best[0]:
            best = (share, delimiter)
    _, header = next(_records(path, best[1], False))
    return best[1], len(header)


def _widths(sample: str, delimiter: str) -> list[int]:
    widths = []
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if record:
                widths.append(len(record))
            if len(widths) == SAMPLE_RECORDS:
                break
        else:
            if len(sample) == SAMPLE_CHARACTERS and len(widths) > 1:
                widths.pop()  # the sample ends within a record
    except csv.Error:  # a field beyond the module's limit: judge by the records before it
        pass
    return widths


def _open_text(path: Path) -> io.TextIOWrapper:
    stream = pa.input_stream(str(path), compression="detect")
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")


def _records(path: Path, delimiter: str, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the number of its first line."""
    with _open_text(path) as text:
        reader = csv.reader(text, delimiter=delimiter, strict=strict)
        line = 1
        try:
            for record in reader:
                if record:
                    yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{path}, line {line}: the record that starts here cannot be read ({error}); is a quote opened in "
                "it and never closed?"
            ) from None


@dataclass(frozen=True)
class _LineOf:
    """Find the line of a row, by reading the file again: only an error or a note asks for it."""

    path: Path
    delimiter: str

    def __call__(self, row: int) -> str:
        try:
            for i, (line, _) in enumerate(_records(self.path, self.delimiter, False)):
                if i == row + 1:  # the header is record 0
                    return f"{self.path}, line {line}"
        except (DataError, OSError):  # read differently by the two readers, or gone meanwhile
            pass
        return f"{self.path}, row {row + 1}"


def _refuse_open_quote(path: Path, delimiter: str, arrow: pa.Table) -> None:
    """Refuse a quote that is never closed: it swallows the rest, which pyarrow accepts silently."""
    last = [str(column[-1]) for column in arrow.columns]
    if any("\n" in cell or "\r" in cell for cell in last):
        for _ in _records(path, delimiter, True):
            pass


def _text_error(path: Path, delimiter: str, width: int, error: Exception) -> DataError:
    """Say where pyarrow stopped: it knows what is wrong, and rarely the line."""
    undecodable = _undecodable(path)
    if undecodable is not None:
        return undecodable
    try:
        for line, record in _records(path, delimiter, True):
            if len(record) != width:
                return DataError(
                    f"{path}, line {line}: {_fields(len(record))} where the header has {width} (separated by "
                    f"{DELIMITERS[delimiter]}); quote a field that holds the separator, or complete the line."
                )
    except DataError as problem:
        return problem
    except OSError:
        pass
    return DataError(f"{path} cannot be read: {_first_line(error)}.")


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _undecodable(path: Path) -> DataError | None:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            content = stream.read()
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        return DataError(
            f"{path}, line {line}: byte {column} of the line (0x{content[error.start]:02x}) is not UTF-8 text; "
            "save the file as UTF-8."
        )
    except OSError:
        pass
    return None


# --------------------------------------------------------------------------------------------------
# Parquet and data frames


def _read_parquet(path: Path) -> Table:
    import pyarrow.parquet

    try:
        arrow = pyarrow.parquet.read_table(str(path), partitioning=None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{path} is not a Parquet file, or a damaged one: {_first_line(error)}.") from None
    return _from_arrow(str(path), arrow)


def _from_frame(frame: Any) -> Table:
    import narwhals
    from narwhals.exceptions import NarwhalsError

    try:
        arrow = narwhals.from_native(frame, eager_only=True).to_arrow()
    except TypeError as error:
        raise DataError(
            f"a table is a path or a data frame (pandas, polars, pyarrow), not {type(frame).__name__}: "
            f"{_first_line(error)}."
        ) from None
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"a column of the data frame mixes types: {_first_line(error)}.") from None
    except (pa.ArrowNotImplementedError, NarwhalsError) as error:
        words = " ".join(str(error).split())
        raise DataError(f"the data frame cannot be used as a table: {words}.") from None
    return _from_arrow("the table", arrow)


def _from_arrow(name: str, arrow: pa.Table) -> Table:
    names = arrow.column_names
    for i, column_name in enumerate(names):
        if column_name in names[:i]:
            raise DataError(f"{name} has two columns named {column_name!r}; give each its own name.")
    if not names:
        raise DataError(f"{name} has no columns.")
    if arrow.num_rows == 0:
        raise DataError(f"{name} has columns and no rows.")

    def place(row: int) -> str:
        return f"{name}, row {row + 1}"

    columns = {str(n): Column(str(n), _plain(arrow[n]), place) for n in names}
    return Table(name, columns, arrow.num_rows)


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Undo the encodings that only concern storage, and make NaN and empty text what they mean, a missing value."""
    if pa.types.is_dictionary(cells.type) and not isinstance(cells.type.value_type, pa.BaseExtensionType):
        cells = cells.cast(cells.type.value_type)
    if pa.types.is_string(cells.type) or pa.types.is_string_view(cells.type):
        cells = cells.cast(pa.large_string())
    if pa.types.is_large_string(cells.type):
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, cells.type), cells)
    return cells


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
