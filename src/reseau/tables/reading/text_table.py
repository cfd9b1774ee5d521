"""Delimited text, read by pyarrow as columns of text; only errors and places of rows ask for a second pass."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reseau.errors import DataError
from reseau.tables.reading import dialect
from reseau.tables.reading.dialect import SEPARATORS, SPACE, Dialect, any_length
from reseau.tables.reading.sources import COMPRESSED, TABLES, TEXT, UNREADABLE, Source, damaged, replaced

SAMPLE_CHARACTERS = 1 << 16  # in which the dialect is found, if at least two records end in them
BLOCK_BYTES = 4 << 20  # what pyarrow reads at once; a record has to fit in two...
LARGE_BLOCK = 1 << 28  # ... of these, where it is larger than that
HEADER_NONE = 'if there is no header, say so (--header none, or header="none")'


@dataclass(frozen=True)
class Text:
    """What a text holds.

    Parameters
    ----------
    names : list of str
        Of the columns; empty where the header has no name.
    cells : list of pyarrow.ChunkedArray
        Of each column, as they are written.
    header : int
        The header's line, or 0.
    separator : str
        Of the fields.
    place : callable
        The line of a row, for messages.
    notes : tuple of str
        What was decided and is not obvious.
    hint : str
        What to say if a column is not found; "" for nothing.
    """

    names: list[str]
    cells: list[pa.ChunkedArray]
    header: int
    separator: str
    place: LineOf
    notes: tuple[str, ...] = ()
    hint: str = ""


def read_text(source: Source, sep: str, has_header: bool) -> Text:
    """Read a delimited text; `sep` is "" for the separator that its first records show."""
    found = _dialect(source, sep, has_header)
    separator = found.separator
    if separator == " ":
        content = _decoded(source)
        source = replaced(source, dialect.single_tabs(content).encode())
    cut = "\t" if separator == " " else separator
    dropped: list[str] = []
    arrow = _parsed(source, found, cut, dropped)
    lines = LineOf(source, cut, len(found.names), found.skip)
    if arrow.num_rows:
        _refuse_open_quote(lines, arrow)
        arrow = _without_end(arrow)
    rows = _without_comments(arrow)
    comments = len(dropped) + arrow.num_rows - rows.num_rows
    lines = LineOf(source, cut, len(found.names), found.skip, rows.num_rows < arrow.num_rows)
    names = [name.strip(SPACE) for name in found.names]
    notes, hint = _notes(source, found, sep, comments)
    if found.row_names:
        names[0] = "rownames" if "rownames" not in names else ""
        notes.append(f"the header has no name for the first column, which is called {names[0] or 'column 1'!r}")
    cells = list(rows.columns)
    while found.header and len(names) > 1 and not names[-1] and _is_empty(cells[-1]):  # separators at the ends of lines
        names.pop()
        cells.pop()
    return Text(names, cells, found.header, separator, lines, tuple(notes), hint)


def _notes(source: Source, found: Dialect, sep: str, comments: int) -> tuple[list[str], str]:
    notes = []
    usual = found.separator == "," or (found.separator == "\t" and ".tsv" in source.name.lower())
    if not sep and not usual:
        how = SEPARATORS.get(found.separator, repr(found.separator))
        notes.append(f"the fields are separated by {how} (--sep for another separator)")
    if found.passed_over:
        first, last = found.passed_over[0], found.passed_over[-1]
        which = f"line {first} is" if first == last else f"lines {first} to {last} are"
        before = f"the header, line {found.header}" if found.header else "the rows"
        notes.append(f"{which} passed over, before {before}")
    if found.commented:
        notes.append(f"line {found.header}, which begins with #, is taken for the header")
    if comments:
        which = "1 line that begins" if comments == 1 else f"{comments} lines that begin"
        notes.append(f"{which} with # passed over")
    hint = ""
    if found.like_data:
        if not found.counts:
            notes.append(f"line {found.header} is taken for the header and looks like a row; {HEADER_NONE}")
        hint = (
            f" The header seems to be missing, as line {found.header} looks like a row: add a line of names, or train "
            'with --header none (header="none"), which names the columns column 1, column 2 and so on.'
        )
    if sep and len(found.names) == 1:
        how = SEPARATORS.get(sep, repr(sep))
        hint = f" The text is cut at {how}, as --sep (sep) says or said at training, which gives a single column."
    return notes, hint


def _dialect(source: Source, sep: str, has_header: bool) -> Dialect:
    """Find how a text is cut from its beginning, which holds a few records, however long they are."""
    try:
        with _open_text(source) as text:
            sample = text.read(SAMPLE_CHARACTERS)
            complete = len(sample) < SAMPLE_CHARACTERS
            while not complete and sample.count("\n") + sample.count("\r") < 4:
                more = text.read(len(sample))
                complete = not more
                sample += more
    except UNREADABLE as error:  # a damaged compressed file
        raise damaged(source.name, error) from None
    if "\0" in sample:
        raise DataError(f"{source.name} holds binary data (a NUL byte), not text; save the table as CSV (UTF-8).")
    found = dialect.find(sample.lstrip("\ufeff"), complete, sep, has_header)
    if not found.names:
        raise DataError(f"{source.name} is empty: a table needs a line of column names, then its rows.")
    if any("\ufffd" in name for name in found.names):
        _decoded(source)
    endings = None if source.path is None else source.path.suffixes[-2:]
    known_ending = endings is None or any(ending.lower() in TEXT + COMPRESSED for ending in endings)
    if len(found.names) == 1 and not known_ending and not sep:
        raise DataError(
            f"{source.name}: unknown file ending {''.join((endings or [''])[-1:])!r}, and a text without separators; "
            f"tables are read from files that end in {', '.join(TABLES)}."
        )
    return found


def _open_text(source: Source) -> io.TextIOWrapper:
    return io.TextIOWrapper(source.open(), encoding="utf-8-sig", errors="replace", newline="")


def _is_empty(cells: pa.ChunkedArray) -> bool:
    return not pc.any(pc.not_equal(pc.utf8_trim(cells, characters=SPACE), "")).as_py()


# --- parsing ----------------------------------------------------------------------------------------------------------


def _parsed(source: Source, found: Dialect, separator: str, dropped: list[str]) -> pa.Table:
    """All the rows, but for blank lines and comments between them, which `dropped` collects."""
    import pyarrow.csv

    names = [f"f{i}" for i in range(len(found.names))]

    def other_row(row: Any) -> str:
        text = row.text.strip(SPACE + '"')
        if dialect.is_comment(text):
            dropped.append(text)
        return "error" if text and not dialect.is_comment(text) else "skip"

    def read(block: int, handler: Any) -> pa.Table:
        dropped.clear()
        with source.open() as stream:
            return pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=block, skip_rows=found.skip),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=separator, newlines_in_values=True, invalid_row_handler=handler
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: pa.large_string() for name in names},
                    strings_can_be_null=False,
                ),
            )

    block, handler = BLOCK_BYTES, None
    while True:
        try:
            return read(block, handler)
        except UNREADABLE as error:
            problem = str(error)
        if handler is None and re.search(r"Expected \d+ columns, got \d+", problem):
            _refuse_bytes(source)  # pyarrow cannot show them to a handler
            handler = other_row
        elif block == BLOCK_BYTES and (
            "Could not skip" in problem or "straddl" in problem
        ):  # a record beyond the block
            block = LARGE_BLOCK
        else:
            break
    if "Empty CSV file" in problem or "Could not skip" in problem:  # nothing after the header
        return pa.table({name: pa.array([], pa.large_string()) for name in names})
    evened = _evened(source, found, separator)
    if evened is None:
        raise _text_error(source, found, separator, problem)
    return _parsed(evened, replace(found, skip=0), separator, dropped)


def _evened(source: Source, found: Dialect, separator: str) -> Source | None:
    """The rows without the separators at the ends of some of them, or None if they differ in more than these."""
    width = len(found.names)
    named = max((i for i, name in enumerate(found.names, 1) if name or not found.header), default=width)
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, delimiter=separator)
    changed = False
    try:
        _decoded(source)
        with any_length():
            for _, record in LineOf(source, separator, width, found.skip).records(True):
                if len(record) < named or any(cell.strip(SPACE) for cell in record[width:]):
                    return None
                changed |= len(record) != width
                writer.writerow((record + [""] * width)[:width])
    except (DataError, *UNREADABLE):
        return None
    return replaced(source, rows.getvalue().encode()) if changed else None


def _without_end(arrow: pa.Table) -> pa.Table:
    """The rows without the last, if that is only the mark of the end of a DOS file."""
    ends = arrow.num_columns == 1 and str(arrow[0][-1]).strip(SPACE) == "" and "\x1a" in str(arrow[0][-1])
    return arrow.slice(0, arrow.num_rows - 1) if ends else arrow


def _without_comments(arrow: pa.Table) -> pa.Table:
    """The rows without comments, where all others begin with a number."""
    first = arrow[0]
    marked = pc.starts_with(first, "#")
    if not pc.any(marked).as_py():
        return arrow
    others = first.filter(pc.invert(marked)).unique().to_pylist()
    marked = pc.and_not(marked, pc.match_substring_regex(first, f"^{dialect.SPREADSHEET_ERROR.pattern}"))
    is_column_of_numbers = others and all(map(dialect.is_number_or_missing, others))
    return arrow.filter(pc.invert(marked)) if is_column_of_numbers else arrow


# --- places and errors ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineOf:
    """Find the line of a row, by reading the text again: only an error or a note asks for it."""

    source: Source = field(repr=False)
    separator: str
    width: int
    skip: int
    without_comments: bool = False

    def __call__(self, row: int) -> str:
        """The place of a row, the first being 0."""
        try:
            with any_length():
                for i, (line, _) in enumerate(self.records(False)):
                    if i == row:
                        return f"{self.source.name}, line {line}"
        except (DataError, *UNREADABLE):  # read differently by the two readers, or gone meanwhile
            pass
        return f"{self.source.name}, row {row + 1}"

    def records(self, strict: bool) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows, each with the number of its first line."""
        with _open_text(self.source) as text:
            for _ in range(self.skip):
                text.readline()
            reader = csv.reader(text, delimiter=self.separator, strict=strict)
            line = self.skip + 1
            try:
                for record in reader:
                    if record and not self._is_none(record):
                        yield line, record
                    line = self.skip + reader.line_num + 1
            except csv.Error as error:
                raise DataError(
                    f"{self.source.name}, line {line}: the record that starts here cannot be read ({error}); is a "
                    "quote opened in it and never closed?"
                ) from None

    def _is_none(self, record: list[str]) -> bool:
        """Whether it is a comment or a line of white space."""
        first = record[0].strip(SPACE)
        if len(record) == self.width:
            return self.without_comments and dialect.is_comment(first)
        return dialect.is_comment(first) or (len(record) == 1 and not first)


def _refuse_open_quote(lines: LineOf, arrow: pa.Table) -> None:
    """Refuse a quote that is never closed: it swallows the rest, which pyarrow accepts silently."""
    last = [str(column[-1]) for column in arrow.columns]
    if any("\n" in cell or "\r" in cell for cell in last):
        with any_length():
            for _ in lines.records(True):
                pass


def _text_error(source: Source, found: Dialect, separator: str, error: str) -> DataError:
    """Say where pyarrow stopped: it knows what is wrong, and rarely the line."""
    width = len(found.names)
    try:
        _decoded(source)
        with any_length():
            for line, record in LineOf(source, separator, width, found.skip).records(True):
                if len(record) != width:
                    whose = "the header has" if found.header else "others have"
                    how = SEPARATORS.get(found.separator, repr(found.separator))
                    return DataError(
                        f"{source.name}, line {line}: {_fields(len(record))} where {whose} {width} (separated by "
                        f"{how}); quote a field that holds the separator, complete the line, or "
                        "name the separator (--sep)."
                    )
    except DataError as problem:
        return problem
    except UNREADABLE:
        pass
    return damaged(source.name, error)


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _refuse_bytes(source: Source) -> None:
    """Refuse what is not UTF-8, a block at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open() as stream:
        try:
            while block := bytes(stream.read(BLOCK_BYTES)):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            _decoded(source)


def _decoded(source: Source) -> str:
    """All of the text; a `DataError` names the first byte that is none."""
    content = source.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + 3 * content.startswith(b"\xef\xbb\xbf")
        line = content.count(b"\n", 0, start) + 1
        column = start - (content.rfind(b"\n", 0, start) + 1) + 1
        raise DataError(
            f"{source.name}, line {line}: byte {column} of the line (0x{content[start]:02x}) is not UTF-8 text; "
            "name its encoding (such as --encoding cp1252), or save the file as UTF-8."
        ) from None
