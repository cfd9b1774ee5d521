"""Files of Parquet and Arrow: where they are, their groups of rows, and how these are read in little memory."""

from __future__ import annotations

import glob
import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseau.checks import as_path, shown
from reseau.errors import DataError, ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".arrows")
NOT_TOLD = (".", "_")  # begin the names of what is no part of a table, such as _SUCCESS
PARQUET, ARROW, STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
BUFFER = 1 << 16  # bytes of each column that are read at once; else a whole column of a row group would be
PAGE = 1 << 20  # bytes of a column of Parquet that are decoded at once, as most writers have it
LARGE_BATCH = 1 << 26  # bytes: batches above are mapped, not read, so that the system may let go of them
SPOOLED_ROWS = 1 << 16  # of a group that a stream is cut into
SPOOLED_BYTES = 1 << 23  # of such a group, at most


class StoredFile(ABC):
    """One file.

    Attributes
    ----------
    name : str
        What messages call it.
    schema : pyarrow.Schema
        Its columns.
    groups : list of int
        How many rows each of its groups has.
    size, unpacked : int
        Its bytes, and about how many they are in memory.
    """

    name: str
    schema: pa.Schema
    groups: list[int]
    size: int
    unpacked: int

    def __init__(self, path: str, files: pa.fs.FileSystem, name: str = "") -> None:
        self.name, self._path, self._files = name or path, path, files
        info = files.get_file_info(path)
        self.size, self._written = info.size, info.mtime_ns

    @abstractmethod
    def batches(self, group: int, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Read columns of a group from its beginning, at most so many rows at a time."""

    @abstractmethod
    def held(self, group: int, columns: Sequence[str]) -> int:
        """About how many bytes reading these columns of a group holds."""

    def check_same(self) -> None:
        """Refuse a file that was written anew or removed since it was opened."""
        now = self._files.get_file_info(self._path)
        if (now.size, now.mtime_ns) != (self.size, self._written):
            raise DataError(f"{self.name} was written anew or removed since it was opened; open it once more.")

    def damaged(self, error: BaseException) -> DataError:
        """What is raised where another library cannot read it."""
        return DataError(
            f"{self.name} cannot be read: {str(error).strip().splitlines()[0].rstrip('.')}. Is it damaged, or was it "
            "written anew meanwhile?"
        )


class ParquetFile(StoredFile):
    """A file of Parquet, whose groups are its row groups."""

    def __init__(self, path: str, files: pa.fs.FileSystem) -> None:
        super().__init__(path, files)
        with _errors_of(self):
            parquet = self._open()
            self._metadata, self.schema = parquet.metadata, parquet.schema_arrow
            parquet.close()
        self.groups = [self._metadata.row_group(place).num_rows for place in range(self._metadata.num_row_groups)]
        self.unpacked: int = sum(self._metadata.row_group(place).total_byte_size for place in range(len(self.groups)))

    def _open(self, metadata: Any = None) -> Any:
        import pyarrow.parquet

        file = self._files.open_input_file(self._path)
        return pyarrow.parquet.ParquetFile(file, metadata=metadata, buffer_size=BUFFER, pre_buffer=False)

    def batches(self, group: int, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        with _errors_of(self), self._open(self._metadata) as parquet:
            yield from parquet.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False)

    def held(self, group: int, columns: Sequence[str]) -> int:
        wanted, chunks = set(columns), self._metadata.row_group(group)
        sizes = [
            chunks.column(place).total_uncompressed_size
            for place in range(chunks.num_columns)
            if not wanted.isdisjoint(_names_within(chunks.column(place).path_in_schema))
        ]
        return sum(2 * min(size, PAGE) for size in sizes)  # a page as it is stored, and as it is read


class ArrowFile(StoredFile):
    """A file of Arrow (IPC, Feather), whose groups are its record batches."""

    def __init__(self, path: str, files: pa.fs.FileSystem, name: str = "") -> None:
        import pyarrow.fs

        super().__init__(path, files, name)
        self._local = isinstance(files, pyarrow.fs.LocalFileSystem)
        self.unpacked: int = self.size
        self._mapped = False
        with _errors_of(self):
            reader = self._open()
            self.schema, count = reader.schema, reader.num_record_batches
            self._mapped = self._local and self.size > LARGE_BATCH * max(count, 1)
            narrow = self._open([0] if len(self.schema) else [], mapped=self._local)
            self.groups = [narrow.get_batch(place).num_rows for place in range(count)]

    def _open(self, columns: list[int] | None = None, mapped: bool = False) -> Any:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=columns)
        file = pa.memory_map(self._path) if mapped or self._mapped else self._files.open_input_file(self._path)
        return pa.ipc.open_file(file, options=options)

    def batches(self, group: int, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        with _errors_of(self):
            places = sorted(map(self.schema.get_field_index, columns))
            batch = self._open(places).get_batch(group).select(list(columns))
        for first in range(0, batch.num_rows, rows):
            yield batch.slice(first, rows)

    def held(self, group: int, columns: Sequence[str]) -> int:
        share = self.groups[group] / max(sum(self.groups), 1) * len(columns) / max(len(self.schema), 1)
        return 0 if self._mapped else int(self.size * share)


@contextmanager
def _errors_of(file: StoredFile) -> Iterator[None]:
    """Say what another library finds wrong with a file."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise file.damaged(error) from None


def files_of(source: Any, columns: Sequence[str] | None = None) -> list[StoredFile]:
    """The files that a source stands for; a stream becomes one, of which only `columns` are kept if they are given.

    Raises
    ------
    ParameterError
        If it is nothing that stands for files.
    DataError
        If there is none, or one is neither Parquet nor Arrow.
    OSError
        If a file cannot be opened.
    """
    import pyarrow as pa
    import pyarrow.fs

    local = pyarrow.fs.LocalFileSystem()
    if isinstance(source, str | os.PathLike):
        return [_opened(path, local, columns) for path in _paths(source)]
    if isinstance(source, list | tuple):
        if not source:
            raise ParameterError("source is an empty list; name at least one file.")
        return [_opened(path, local, columns) for entry in source for path in _paths(entry)]
    if hasattr(source, "get_fragments") and hasattr(source, "filesystem"):
        return [_opened(path, source.filesystem, columns) for path in source.files]
    if isinstance(source, pa.RecordBatchReader):
        return [spooled(source, columns)]
    if hasattr(source, "__arrow_c_stream__"):
        try:
            reader = pa.RecordBatchReader.from_stream(source)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(f"the {type(source).__name__} gives no stream of Arrow: {error}.") from None
        return [spooled(reader, columns)]
    raise ParameterError(
        f"source is {shown(source)}, but must be the path of a Parquet or Arrow file, of a folder of them, a pattern "
        "such as 'part-*.parquet', a list of paths, a pyarrow Dataset of files, or what gives a stream of Arrow."
    )


def _paths(source: Any) -> list[str]:
    """The files of a path, a folder (those in folders within too) or a pattern, in the order of their names."""
    path = as_path(source)
    name = str(path)
    if path.is_dir():
        within = sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in ENDINGS and entry.is_file())
        told = [entry for entry in within if not _is_hidden(entry.relative_to(path))]
        if not told:
            raise DataError(f"{name} is a folder without a file whose name ends in {', '.join(ENDINGS)}.")
        return [str(entry) for entry in told]
    if path.exists() or not glob.has_magic(name):
        with open(path, "rb"):  # raises the OSError of a file that is missing or forbidden
            return [name]
    found = sorted(match for match in glob.glob(name, recursive=True) if not os.path.isdir(match))
    if not found:
        raise DataError(f"no file's name fits the pattern {name}.")
    return found


def _names_within(path: str) -> list[str]:
    """The columns that a path in the schema may be of: its own name may have points, as those within a struct have."""
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(NOT_TOLD) for part in path.parts)


def _opened(path: str, files: pa.fs.FileSystem, columns: Sequence[str] | None) -> StoredFile:
    """The file, known by its first bytes."""
    import pyarrow as pa

    with files.open_input_file(path) as file:
        head = file.read(8)
    if head.startswith(PARQUET):
        return ParquetFile(path, files)
    if head.startswith(ARROW):
        return ArrowFile(path, files)
    if head.startswith(STREAM):
        try:
            return spooled(pa.ipc.open_stream(files.open_input_file(path)), columns)
        except pa.ArrowException as error:
            raise DataError(f"{path} is a damaged stream of Arrow: {error}.") from None
    raise DataError(
        f"{path} is neither Parquet nor Arrow; give text as a stream, such as pyarrow.csv.open_csv({path!r})."
    )


def spooled(reader: pa.RecordBatchReader, columns: Sequence[str] | None = None) -> StoredFile:
    """Write a stream, which can be gone through only once, into a temporary file that goes with the object.

    Its rows are put into groups of one size, however they come.
    """
    import pyarrow as pa
    import pyarrow.fs

    kept = [name for name in reader.schema.names if columns is None or name in columns]
    plain = pa.schema([reader.schema.field(name) for name in kept])
    handle, path = tempfile.mkstemp(prefix="reseau-", suffix=".arrow")
    os.close(handle)
    try:
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, plain) as writer:
            for batch in _regrouped(batch.select(kept) for batch in reader):
                writer.write_batch(batch)
        found = ArrowFile(path, pyarrow.fs.LocalFileSystem(), "the stream")
    except pa.ArrowException as error:
        os.unlink(path)
        raise DataError(f"the stream of Arrow cannot be read: {error}.") from None
    except BaseException:
        os.unlink(path)
        raise
    weakref.finalize(found, _remove, path)
    return found


def _regrouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of one size, which follows from the first rows."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        size = size or max(1, min(SPOOLED_ROWS, SPOOLED_BYTES * batch.num_rows // max(batch.nbytes, 1)))
        waiting.append(batch)
        while sum(part.num_rows for part in waiting) >= size:
            table = pa.Table.from_batches(waiting)
            yield from table.slice(0, size).combine_chunks().to_batches()
            waiting = table.slice(size).to_batches()
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
