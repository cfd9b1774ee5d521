"""How a delimited text is cut: its separator, its header, and what stands before it, from its first records."""

from __future__ import annotations

import csv
import io
import operator
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, takewhile

from reseau.checks import shown
from reseau.errors import ParameterError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|", "space": " "}
FOUND = ("\t", ";", "|", ",")  # in this order where several cut equally well: a comma may be within names and numbers
DECLARED = re.compile(r'"?sep=(\\t|[\t !#-&(-/:-@\[-`{-~])"?[ \t]*(\r\n|\r|\n)', re.IGNORECASE)
SAMPLE_RECORDS = 1000
# White space, no-break spaces and marks of byte order that are no part of a cell; the last is the end of a DOS file.
SPACE = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
SPACE += "\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\x1a"
NUMBER = re.compile(r"[-+−(]?\s?[$€£]?\s?(\d[\d.,'’\s]*|[.,]\d+)(e[-+]?\d+)?\s?[%$€£)]?", re.IGNORECASE)
EMPTY = re.compile(r"[\W_]*|na|nan|n/a|#n/a|null|none", re.IGNORECASE)
SPREADSHEET_ERROR = re.compile(r"#(N/[AD]|NA\b|[A-Z]+(/0)? ?[!?])")  # in any language: #VALUE!, #VALEUR!, #NOM?
SHORT_WORD = re.compile(r"\D{0,4}")  # among numbers: a mark of a missing value, most likely


@dataclass(frozen=True)
class Record:
    """The fields of a record, its first and last line, from 1, what the first begins with, and where it stands."""

    first: int
    last: int
    fields: list[str]
    begins: str
    apart: bool  # whether a blank line stands before it

    @property
    def comment(self) -> bool:
        """Whether it is a comment, or begins like one."""
        return self.begins == "#"


@dataclass(frozen=True)
class Dialect:
    """How a text is cut.

    Parameters
    ----------
    separator : str
        Of the fields, one character; a space stands for any white space.
    names : list of str
        What the header calls the fields of a row; empty where it has no name.
    header : int
        The header's line, or 0 if there is none.
    skip : int
        Lines before the first row.
    passed_over : tuple of int
        The lines before the header that are neither blank nor part of it.
    row_names : bool
        Whether the header has no name for the first field.
    commented : bool
        Whether the header begins with # as comments do.
    like_data : bool
        Whether the header looks like a row.
    counts : bool
        Whether it does so because its names are numbers that count up, as years do.
    """

    separator: str
    names: list[str]
    header: int
    skip: int
    passed_over: tuple[int, ...] = ()
    row_names: bool = False
    commented: bool = False
    like_data: bool = False
    counts: bool = False


@contextmanager
def any_length() -> Iterator[None]:
    """Let the module csv read fields of any length meanwhile; its limit is one for all of a process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def separator_given(sep: object) -> str:
    """The separator that a parameter names, "" for None."""
    if sep is None:
        return ""
    found = NAMES.get(sep.lower(), sep) if isinstance(sep, str) else ""
    if len(found) != 1 or not found.isascii() or found.isalnum() or found in "\"'\n\r\0.+-#":
        raise ParameterError(
            f"sep is {shown(sep)}, but must be the one character between the fields, such as ',', ';', '|' or 'tab'; "
            "'space' stands for any white space."
        )
    return found


def header_given(header: object) -> bool:
    """Whether a table has a header, as the parameter says: None, or "none" without one."""
    if header is not None and not (isinstance(header, str) and header.lower() == "none"):
        raise ParameterError(f"header is {shown(header)}, but must be 'none' for a table without a header, or None.")
    return header is None


def single_tabs(content: str) -> str:
    """The same with one tab for the white space between fields, and none around the lines."""
    parts = content.strip(" \t").split('"')
    for i in range(0, len(parts), 2):  # the others are quoted
        parts[i] = re.sub(r"[ \t]+", "\t", re.sub(r"[ \t]*(\r\n|\r|\n)[ \t]*", r"\1", parts[i]))
    return '"'.join(parts)


def find(sample: str, complete: bool, sep: str, has_header: bool) -> Dialect:
    """Find how a text is cut.

    Parameters
    ----------
    sample : str
        Its beginning, without the mark of byte order.
    complete : bool
        Whether that is all of it.
    sep : str
        The separator, "" for the one that cuts the records most alike.
    has_header : bool
        Whether the first record names the columns.
    """
    start = 1
    declared = DECLARED.match(sample)
    if declared:  # as spreadsheets write it
        sep, start = sep or NAMES.get(declared[1].lower(), declared[1]), 2
        sample = sample[declared.end() :]
    with any_length():
        if sep:
            records = _records(sample, sep, complete, start)
            width = _evenness(records)[1]
        else:
            sep, records, width = _most_even(sample, complete, start)
    return _with_header(sep, records, width, has_header) if records else Dialect(sep, [], 0, 0)


def _most_even(sample: str, complete: bool, start: int) -> tuple[str, list[Record], int]:
    """The separator that cuts the records most alike, the records, and their usual number of fields."""
    best, found = 0.0, None
    for separator in FOUND:
        records = _records(sample, separator, complete, start)
        share, width = _evenness(records)
        if share > best:
            best, found = share, (separator, records, width)
    if found is None:
        records = _records(sample, " ", complete, start)
        width = _evenness(records)[1]
        if _is_spaced(records, width):
            return " ", records, width
        records = _records(sample, ",", complete, start)
        found = ",", records, len(_first(records).fields) if records else 0
    return found


def _records(sample: str, separator: str, complete: bool, start: int) -> list[Record]:
    """The first records that are not blank; the last of an incomplete sample may be cut short, and is left out."""
    if separator == " ":
        sample, separator = single_tabs(sample), "\t"
    lines = re.split("\r\n|\r|\n", sample)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    records: list[Record] = []
    line, apart = 1, False
    try:
        for fields in reader:
            if any(field.strip(SPACE) for field in fields):
                begins = lines[line - 1].lstrip()[:1]
                records.append(Record(line + start - 1, reader.line_num + start - 1, fields, begins, apart))
                apart = False
            elif len(fields) < 2:
                apart = True
            line = reader.line_num + 1
            if len(records) > SAMPLE_RECORDS:
                break
    except csv.Error:  # judge by the records before it
        pass
    if len(records) > SAMPLE_RECORDS or (not complete and len(records) > 1):
        records.pop()
    return records


def _first(records: list[Record]) -> Record:
    return next((record for record in records if not record.comment), records[0])


def _evenness(records: list[Record]) -> tuple[float, int]:
    """The share of the records that are cut into the usual number of fields, and that number; 0.0 if it is no cut."""
    told = [record for record in records if not record.comment] or records
    if not told:
        return 0.0, 0
    widths = [len(record.fields) for record in reversed(told)]  # of as many, that of later ones
    usual = Counter(width for width in widths if width > 1).most_common(1)
    if not usual:
        return 0.0, 1
    width, count = usual[0]
    share = count / len(widths)
    is_table = share >= 0.5 or len(told[0].fields) > 1 or (width > 2 and count > 1 and set(widths[:count]) == {width})
    return (share if is_table else 0.0), width


def _is_spaced(records: list[Record], width: int) -> bool:
    """Whether white space separates fields: it also does words, so that all records must agree, and hold numbers."""
    told = [record for record in records if not record.comment]
    widths = [len(record.fields) for record in told]
    if len(told) < 2 or widths[0] < 2 or widths[0] not in (width, width - 1) or set(widths[1:]) != {width}:
        return False
    return bool(_numeric([record.fields for record in told[1:]]))


def is_number(cell: str) -> bool:
    """Whether a cell looks like a number, in any notation."""
    return NUMBER.fullmatch(cell.strip(SPACE)) is not None


def is_number_or_missing(cell: str) -> bool:
    """Whether a cell looks like a number, or like a mark of a missing value."""
    return is_number(cell) or EMPTY.fullmatch(cell.strip(SPACE)) is not None


def is_comment(line: str) -> bool:
    """Whether a line begins with #, and with none of the errors of spreadsheets, such as #N/A."""
    return line.startswith("#") and not SPREADSHEET_ERROR.match(line)


def _numeric(rows: list[list[str]]) -> list[int]:
    """The columns that hold numbers throughout, but for marks of missing values."""
    found = []
    for j, column in enumerate(zip(*rows, strict=True)):
        cells = [cell.strip(SPACE) for cell in column]
        numbers = sum(map(is_number, cells))
        others = [cell for cell in cells if not is_number(cell)]
        if numbers and numbers >= sum(map(bool, others)) and all(SHORT_WORD.fullmatch(cell) for cell in others):
            found.append(j)
    return found


def _like_data(fields: list[str], numeric: list[int]) -> bool:
    """Whether fields are numbers, or empty, wherever a column holds numbers."""
    cells = [fields[j].strip(SPACE) for j in numeric]
    return any(map(is_number, cells)) and all(is_number(cell) or EMPTY.fullmatch(cell) for cell in cells)


def _met_again(fields: list[str], rows: list[list[str]]) -> bool:
    """Whether each of several fields is met again in its column."""
    columns = list(zip(*rows, strict=True))
    return len(fields) == len(columns) > 1 and all(map(operator.contains, columns, fields))


def _like_names(fields: list[str], numeric: list[int]) -> bool:
    """Whether fields are words wherever a column holds numbers, of which there are some."""
    cells = [fields[j].strip(SPACE) for j in numeric]
    return bool(cells) and not any(is_number(cell) or EMPTY.fullmatch(cell) for cell in cells)


def _with_header(separator: str, records: list[Record], width: int, has_header: bool) -> Dialect:
    """Tell the header from what stands before it and from the rows."""
    comments = list(takewhile(lambda record: record.comment, records))
    if len(comments) == len(records):  # none of them, if there is nothing else
        comments = []
    body = [r for r in records[len(comments) :] if not r.comment or len(r.fields) == width]
    at = next((i for i, record in enumerate(body) if len(record.fields) == width), 0)
    rows = [record for record in body[at:] if len(record.fields) == width] or body[:1]
    numeric = _numeric([row.fields for row in rows[1:] or rows])

    def header(i: int, names: list[str], **flags: bool) -> Dialect:
        record = body[i]
        return Dialect(separator, names, record.first, record.last, _lines((*comments, *body[:i])), **flags)

    if not has_header:
        unnamed = [""] * len(rows[0].fields)
        return Dialect(separator, unnamed, 0, body[at].first - 1, _lines((*comments, *body[:at])))
    if comments and not at and (names := _commented(comments[-1], rows[0].fields, numeric)):
        last = comments[-1]
        return Dialect(separator, names, last.first, last.last, _lines(comments[:-1]), commented=names[0] != "#")
    if at and not _like_names(rows[0].fields, numeric):
        names = _names_of_rows(body[at - 1].fields, rows, numeric, separator)
        if names:
            return header(at - 1, names, row_names=len(body[at - 1].fields) < width and not names[0])
        apart = width > 2 or body[at].apart
        if _like_data(rows[0].fields, numeric) or len(body[0].fields) > width or not apart:
            return header(0, body[0].fields)  # which is at fault: reading the rows says so
    if len(rows) == 1 and len(body) > 1 and not at:
        short = len(body[1].fields)  # of a header that alone has separators at its end
        if not any(field.strip(SPACE) for field in body[0].fields[short:]):
            return header(0, body[0].fields[:short])
    at = _after_titles(body, at, width, numeric)
    fields = body[at].fields
    below = [record.fields for record in body[at + 1 :] if len(record.fields) == width]
    numeric = _numeric(below)
    like_data = _like_data(fields, numeric) if numeric else _met_again(fields, below)
    return header(at, fields, like_data=like_data, counts=like_data and _counts(fields, numeric))


def _names_of_rows(header: list[str], rows: list[Record], numeric: list[int], separator: str) -> list[str] | None:
    """The names of a header that has another number of fields than the rows, or None if it is none of theirs.

    There may be separators at the ends of the lines, or names of rows, as R writes them.
    """
    width = len(rows[0].fields)
    names = [field.strip(SPACE) for field in header]
    beyond = [row.fields[len(names) :] for row in rows]
    if not any(names[width:]) and not any(field.strip(SPACE) for fields in beyond for field in fields):
        return (names + [""] * width)[:width]
    if len(names) != width - 1 or len({row.fields[0] for row in rows}) < len(rows):
        return None
    if len(names) == 1:  # else it is a decimal comma
        told = _like_data(rows[0].fields, numeric) and (separator != "," or all(row.begins == '"' for row in rows))
    else:
        told = _like_data(rows[0].fields, numeric) or not numeric
    return ["", *names] if told else None


def _commented(record: Record, row: list[str], numeric: list[int]) -> list[str] | None:
    """The names of a header that is commented out, or None if the comment does not look like one."""
    first = record.fields[0].strip(SPACE)
    name = first[1:].strip(SPACE)
    names = record.fields[1:] if not name and len(record.fields) > len(row) else [name or first, *record.fields[1:]]
    if first.startswith("##") or len(names) != len(row):
        return None
    told = _like_data(row, numeric) or (len(row) > 1 and not numeric and not any(map(is_number, names)))
    return names if told else None


def _after_titles(body: list[Record], at: int, width: int, numeric: list[int]) -> int:
    """The header's place, after titles that are padded to the width of the rows, or apart from it by a blank line."""
    filled = [sum(bool(field.strip(SPACE)) for field in record.fields) for record in body]
    titles = takewhile(lambda i: filled[i] == 1 and body[i].fields[0].strip(SPACE), range(at, len(body)))
    after = at + len(list(titles))
    if width > 2 and at < after < len(body) - 1:
        whole = filled[after] == width and not any(map(is_number, body[after].fields))
        at = after if whole or after == at + 1 else at
    padded = True  # so far
    for i in range(at + 1, min(at + 20, len(body) - 1)):
        fields = body[i].fields
        padded = padded and filled[i - 1] < width and not (i > at + 1 and _like_data(body[i - 1].fields, numeric))
        if (body[i].apart or padded) and filled[i] == len(fields) == width and not any(map(is_number, fields)):
            rows = [record.fields for record in body[i + 1 :] if len(record.fields) == width]
            if _like_names(fields, _numeric(rows)):
                return i
    return at


def _counts(fields: list[str], numeric: list[int]) -> bool:
    """Whether the numbers of a header count up, as years and places do."""
    cells = [fields[j].strip(SPACE) for j in numeric]
    whole = [int(cell) for cell in cells if re.fullmatch(r"[0-9]{1,9}", cell)]
    return len(whole) == len(cells) > 1 and all(b - a == 1 for a, b in pairwise(whole))


def _lines(records: tuple[Record, ...] | list[Record]) -> tuple[int, ...]:
    return tuple(line for record in records for line in range(record.first, record.last + 1))
