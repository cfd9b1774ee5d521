"""Tables that stay on disk: Parquet and Arrow too large for the memory, of which pieces are read as tables."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from reseau.engine.order import GOLDEN, mix
from reseau.errors import DataError, ParameterError
from reseau.stored.files import StoredFile, files_of, spooled
from reseau.tables.reading import folders, sources
from reseau.tables.reading.cells import Codes
from reseau.tables.reading.dialect import SPACE
from reseau.tables.reading.table import Table, place_of, read_table

# Bytes of files, unpacked, from which on a table stays on disk. Inputs take up to 13 times as much, and members have
# copies of them.
LARGE = 1 << 27
SAMPLED = 50_000  # rows that tell what the columns are
PIECE = 1 << 14  # rows that are read at once


class StoredTable:
    """A table that stays on disk.

    Parameters
    ----------
    name : str
        What messages call it.
    files : list of StoredFile
        Its parts.

    Attributes
    ----------
    columns : list of str
        Their names, as `read_table` has them.
    groups : list of (StoredFile, int, int)
        Of each group of rows the file, its place there, and the number of its first row in the table.
    rows : int
        How many there are.
    """

    def __init__(self, name: str, files: list[StoredFile]) -> None:
        self.name, self.files = name, files
        written = files[0].schema.names
        self._named = {name: name.strip(SPACE) or f"column {place}" for place, name in enumerate(written, start=1)}
        self.columns = [self._named[name] for name in written]
        for name, count in Counter(self.columns).items():
            if count > 1:
                raise DataError(f"{files[0].name}: {count} columns are named {name!r}; give each its own name.")
        for file in files:
            if sorted(file.schema.names) != sorted(written):
                other = sorted(set(file.schema.names) ^ set(written)) or ["one that is there twice"]
                raise DataError(
                    f"{file.name} has other columns than {files[0].name}: {', '.join(map(repr, other[:5]))}. The files "
                    "of one table have the same columns; name those to read by a pattern."
                )
        self.groups: list[tuple[StoredFile, int, int]] = []
        self.rows = 0
        for file in files:
            for place, count in enumerate(file.groups):
                if count:
                    self.groups.append((file, place, self.rows))
                    self.rows += count

    def pieces(self, group: int, rows: int, columns: list[str]) -> Iterator[tuple[int, Table]]:
        """Read a group, so many rows at a time: the number of the first row in the table, and the rows as a table."""
        file, place, first = self.groups[group]
        in_file = sum(file.groups[:place])
        for cells in self._cells(file, place, rows, columns):
            if cells.num_rows:
                yield first, self._table(file.name, cells, in_file)
                first, in_file = first + cells.num_rows, in_file + cells.num_rows

    def held(self, group: int, columns: Sequence[str]) -> int:
        """About how many bytes reading these columns of a group holds."""
        file, place, _ = self.groups[group]
        return file.held(place, [name for name, known in self._named.items() if known in columns])

    def _cells(
        self, file: StoredFile, place: int, rows: int = PIECE, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """Read these columns of a group of a file, or all, so many rows at a time."""
        wanted = [name for name, known in self._named.items() if columns is None or known in columns]
        for batch in file.batches(place, wanted, rows):
            cells = pa.Table.from_batches([batch])
            yield cells.rename_columns([self._named[name] for name in cells.column_names])

    def tables(self, columns: list[str]) -> Iterator[Table]:
        """All rows in their order, some at a time, of these columns."""
        for group in range(len(self.groups)):
            for _, piece in self.pieces(group, PIECE, columns):
                yield piece

    def in_memory(self, columns: Sequence[str]) -> Table:
        """All rows of these columns, which may be none."""
        if not columns:
            return Table(self.name, {}, self.rows)
        cells = self._together(
            cells for file, place, _ in self.groups for cells in self._cells(file, place, PIECE, columns)
        )
        found = {name: replace(column, place=self.place) for name, column in read_table(cells).columns.items()}
        return Table(self.name, found, self.rows)

    def place(self, number: int) -> str:
        """What a row is called, given its number, the first being 0."""
        file, place, first = self._group_of(number)
        return _place(file.name, sum(file.groups[:place]), number - first)

    def _group_of(self, number: int) -> tuple[StoredFile, int, int]:
        return self.groups[bisect_right([first for _, _, first in self.groups], number) - 1]

    def row(self, number: int) -> Table:
        """One row as a table, given its number, the first being 0."""
        file, place, first = self._group_of(number)
        in_file = sum(file.groups[:place]) + number - first
        for cells in self._cells(file, place):
            if number < first + cells.num_rows:
                break
            first += cells.num_rows
        return self._table(file.name, cells.slice(number - first, 1), in_file)

    def sample(self, seed: int) -> SampledTable:
        """Draw about SAMPLED of the rows, from everywhere."""
        limit = np.uint64(min(int(SAMPLED / self.rows * 2**64), 2**64 - 1))
        start = np.uint64((int(mix(np.uint64(seed))) + GOLDEN) % 2**64)
        drawn: list[pa.Table] = []
        numbers: list[Codes] = []
        for file, place, first in self.groups:
            for cells in self._cells(file, place):
                number = np.arange(first, first + cells.num_rows, dtype=np.uint64)
                with np.errstate(over="ignore"):
                    here = np.nonzero(mix(start + number * np.uint64(GOLDEN)) <= limit)[0]
                drawn.append(cells.take(pa.array(here)))
                numbers.append(first + here)
                first += cells.num_rows
        found = self._table(self.name, self._together(drawn).combine_chunks(), 0)
        note = (
            f"the table stays on disk: what its columns are, and the scores, are told by {found.rows:,} of its "
            f"{self.rows:,} rows, drawn from everywhere"
        )
        return SampledTable(found.name, found.columns, found.rows, (note,), whole=self, numbers=np.concatenate(numbers))

    def _together(self, parts: Iterable[pa.Table]) -> pa.Table:
        """Rows of all files, one below the other."""
        try:
            return pa.concat_tables(parts, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(
                f"{self.name} has columns of several types ({sources.first_line(error)}); write all files of the table "
                "with the same types."
            ) from None

    def describe(self) -> Any:
        """By what a checkpoint tells it from others, as JSON-able values."""
        told = [(file.size, file.groups, str(file.schema)) for file in self.files]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _table(self, name: str, cells: pa.Table, first: int) -> Table:
        """Cells as a table whose rows are called by their place in a file."""
        table = read_table(cells)
        place = partial(_place, name, first)
        columns = {key: replace(column, place=place) for key, column in table.columns.items()}
        return replace(table, name=name, columns=columns)


@dataclass(frozen=True, kw_only=True)
class SampledTable(Table):
    """Rows of a table that stays on disk.

    Parameters
    ----------
    whole : StoredTable
        That table.
    numbers : ndarray of shape (rows,)
        Which of its rows these are, in increasing order.
    """

    whole: StoredTable
    numbers: Codes

    def holding(self, row: object) -> tuple[Table, int]:
        """Return a row of the whole table as a table of its own."""
        return self.whole.row(place_of(row, self.whole.rows, self.whole.name)), 0


def stored_table(data: Any) -> StoredTable | None:
    """The table, if it is one that stays on disk: in files of Parquet or Arrow of at least LARGE bytes."""
    if isinstance(data, StoredTable):
        return data
    if not isinstance(data, str | os.PathLike) or os.fspath(data) == sources.STANDARD_INPUT:
        return None
    parts = folders.parts_of(data)
    paths: list[Any] = [data] if parts is None else list(parts[0])
    if not all(str(path).lower().endswith((*sources.PARQUET, *sources.ARROW)) for path in paths):
        return None
    try:
        files = files_of(paths)
    except (OSError, DataError, ParameterError):  # reading the table says better what is wrong
        return None
    return StoredTable(str(data), files) if sum(file.unpacked for file in files) >= LARGE else None


def kept_on_disk(data: Any) -> Any:
    """What a stream of record batches gives, which can be gone through once: a table, or one that stays on disk."""
    if not isinstance(data, pa.RecordBatchReader):
        return data
    first: list[pa.RecordBatch] = []
    size = 0
    for batch in data:
        first.append(batch)
        size += batch.nbytes
        if size >= LARGE:
            schema = pa.schema([(field.name, _plain(field.type)) for field in data.schema])
            decoded = (pa.Table.from_batches([batch]).cast(schema) for batch in chain(_emptied(first), data))
            batches = chain.from_iterable(table.to_batches() for table in decoded)
            return StoredTable("the stream", [spooled(pa.RecordBatchReader.from_batches(schema, batches))])
    return pa.Table.from_batches(first, data.schema)


def _emptied(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Each in turn, which then may go."""
    while batches:
        yield batches.pop(0)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of what a dictionary stands for: a file of Arrow has only one of each column."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def sampled(data: Any, seed: int) -> SampledTable | None:
    """Rows drawn from a table that stays on disk; None for one that does not."""
    stored = stored_table(data)
    return None if stored is None else stored.sample(seed)


def _place(name: str, first: int, row: int) -> str:
    return f"{name}, row {first + row + 1}"
