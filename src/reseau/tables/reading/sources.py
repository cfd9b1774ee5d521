"""Where a table comes from: a file, standard input or an open file, compressed or not, as bytes to be read again."""

from __future__ import annotations

import io
import json
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from reseau.checks import as_path, file_to_read, shown
from reseau.engine.machine import memory
from reseau.errors import DataError, ParameterError

COMPRESSED = (".gz", ".bz2", ".zst", ".xz", ".zip")
TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".psv")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc", ".arrows")
JSON_LINES = (".jsonl", ".ndjson")
SPREADSHEETS = (".xlsx", ".xlsm")
TABLES = TEXT + PARQUET + ARROW + JSON_LINES + SPREADSHEETS
STANDARD_INPUT = "-"

HEAD_BYTES = 1024  # in which a format is recognised
# Of damaged files, and of archives packed in a way that the standard library does not know.
UNREADABLE = (pa.ArrowInvalid, OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError)
CODECS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
WORKBOOK = "xl/workbook.xml"  # a file in the archive that a spreadsheet is
XZ, ZIP = b"\xfd7zXZ\x00", b"PK\x03\x04"
SAVE = "save the table as CSV (UTF-8)"
FORMATS = {
    b"PK\x05\x06": "a zip archive without a file in it",
    b"PK": f"a damaged zip archive or spreadsheet; {SAVE}",
    b"\xd0\xcf\x11\xe0": "a spreadsheet; save the sheet as CSV (UTF-8)",
    b"%PDF": f"a PDF; {SAVE}",
    b"SQLite format 3": "an SQLite database; export the table as CSV, or read it with pandas.read_sql",
    b"\x80\x04": "a pickle; load it in Python, and give the data frame",
    b"\x80\x05": "a pickle; load it in Python, and give the data frame",
    b"\x93NUMPY": "an array of NumPy; load it, and give a dict of its columns",
    b"FEA1": "a Feather file of version 1; read it with pyarrow.feather.read_table, and give that table",
    b"ORC": "an ORC file; read it with pyarrow.orc.read_table, and give that table",
    b"\x89HDF": "an HDF5 file; read it with pandas.read_hdf, and give the data frame",
    b"$FL2": "a file of SPSS; read it with pandas.read_spss, and give the data frame",
    b"<stata_dta>": "a file of Stata; read it with pandas.read_stata, and give the data frame",
    b"RDX": "a file of R; save the data frame with write.csv",
    b"X\n\x00\x00\x00": "a file of R; save the data frame with write.csv",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"{\\rtf": f"an RTF document; {SAVE}",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


@dataclass(frozen=True)
class Source:
    """Bytes that can be read from their beginning as often as needed.

    Parameters
    ----------
    name : str
        What messages call them: the path, "standard input" or "the text".
    open : callable
        Opens a binary file object of them.
    path : Path or None
        Of the file, if it is one.
    decoded : bool
        Whether it was text already, so that its bytes are UTF-8.
    """

    name: str
    open: Callable[[], Any]
    path: Path | None = None
    decoded: bool = False

    def open_anywhere(self) -> Any:
        """Open it so that it can be read from anywhere, as formats with a table of contents are."""
        file = self.open()
        return file if file.seekable() else pa.BufferReader(file.read())

    def ends(self, endings: tuple[str, ...]) -> bool:
        """Whether the name of its file ends in one of these, but for what says that it is compressed."""
        if self.path is None:
            return False
        inner = self.path.stem if self.path.suffix.lower() in COMPRESSED else self.path.name
        return inner.lower().endswith(endings)

    def read(self, count: int = -1) -> bytes:
        """The bytes from their beginning, at most `count`; a `DataError` says that they are damaged."""
        try:
            with self.open() as file:
                return bytes(file.read() if count < 0 else file.read(count))
        except UNREADABLE as error:
            raise damaged(self.name, error) from None


def is_source(data: object) -> bool:
    """Whether it is a path, "-" or an open file."""
    return isinstance(data, str | os.PathLike) or callable(getattr(data, "read", None))


def open_source(data: Any) -> Source:
    """Find the bytes of a path, of standard input ("-") or of an open file, and decompress them where they need it.

    Raises
    ------
    ParameterError
        If it is no path, or an open file that cannot be read.
    DataError
        If there is nothing in it, or an archive that holds several files.
    OSError
        If the file cannot be opened.
    """
    if not isinstance(data, str | os.PathLike):
        source = _of_stream(data)
    elif os.fspath(data) == STANDARD_INPUT:
        if sys.stdin is None:
            raise ParameterError("standard input is closed; name a file.")
        source = _in_memory("standard input", *_content(getattr(sys.stdin, "buffer", sys.stdin), "standard input"))
    else:
        source = _of_path(data)
    for _ in range(2):  # an archive may hold what is compressed once more
        source = _decompressed(source, source.read(HEAD_BYTES))
    return source


def refuse_other_formats(source: Source, head: bytes) -> None:
    """Name what the bytes are where they are no delimited text, and the way out."""
    for magic, what in FORMATS.items():
        if head.startswith(magic):
            raise DataError(f"{source.name} is {what}.")
    if head[257:262] == b"ustar":
        raise DataError(f"{source.name} is a tar archive; unpack it, and name one of its files.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = start[:100].lower()
    if lower.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml")):
        raise DataError(f"{source.name} is HTML or XML; {SAVE}.")
    if lower.startswith(b"@relation") or (lower.startswith(b"%") and b"@relation" in head.lower()):
        raise DataError(f"{source.name} is an ARFF file of Weka; {SAVE}.")
    if _is_json(start):
        raise DataError(
            f"{source.name} is JSON; read it with pandas.read_json, and give the data frame, or {SAVE} or JSON lines."
        )


def _is_json(start: bytes) -> bool:
    if start[:1] == b"{":
        return start[1:].lstrip()[:1] in (b'"', b"}")
    if start[:1] != b"[":
        return False
    if start[1:].lstrip()[:1] in (b"{", b"["):
        return True
    try:
        json.loads(start.split(b"\n")[0])
    except ValueError:
        return False
    return True


def damaged(name: str, error: BaseException | str) -> DataError:
    """Say what another library found wrong with the bytes of a source."""
    return DataError(f"{name} cannot be read: {first_line(error)}. Is it damaged, or was it cut off?")


def first_line(error: BaseException | str) -> str:
    """What an error of another library says, for a sentence."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def _of_path(data: Any) -> Source:
    if isinstance(data, str) and "\n" in data:
        raise ParameterError(f"path is {shown(data)}; give the text of a table as io.StringIO(text).")
    if isinstance(data, str) and "://" in data:
        raise ParameterError(f"path is {shown(data)}; download it, and name the file.")
    path = as_path(data, ", '-' for standard input, an open file or a data frame")
    file_to_read(path)
    with open(path, "rb"):  # raises the OSError of a file that is missing or forbidden
        pass
    return Source(str(path), lambda: pa.OSFile(str(path)), path=path)


def _of_stream(file: Any) -> Source:
    name = getattr(file, "name", None)
    name = name if isinstance(name, str) and name else "the text"
    return _in_memory(name, *_content(file, name))


def _content(file: Any, name: str) -> tuple[bytes, bool]:
    """What an open file gives as bytes, and whether it was text."""
    try:
        content = file.read()
    except ValueError as error:  # closed, open for writing only, or bytes that are no text
        raise ParameterError(
            f"{name} cannot be read ({first_line(error)}); give a file that is open to be read."
        ) from None
    if isinstance(content, str):
        return content.encode("utf-8", "surrogateescape"), True
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content), False
    raise ParameterError(f"{name} gives {type(content).__name__} where text or bytes are read; give an open file.")


def _in_memory(name: str, content: bytes, decoded: bool = False) -> Source:
    return Source(name, lambda: pa.BufferReader(content), decoded=decoded)


def replaced(source: Source, content: bytes, name: str = "") -> Source:
    """The same source with other bytes in its place, and another name where that is given."""
    return _in_memory(name or source.name, content)


def is_workbook(source: Source, head: bytes) -> bool:
    """Whether it is a spreadsheet, which is an archive too."""
    return head.startswith(ZIP) and WORKBOOK in [entry.filename for entry in _entries(source)]


# --- compressed -------------------------------------------------------------------------------------------------------


def _decompressed(source: Source, head: bytes) -> Source:
    """What a compressed source holds, known by its first bytes, whatever it is called."""
    codec = next((codec for magic, codec in CODECS.items() if head.startswith(magic)), None)
    if codec:
        return replace(source, open=lambda: _Bounded(source.name, pa.CompressedInputStream(source.open(), codec)))
    if head.startswith(XZ):
        return replace(source, open=lambda: _Bounded(source.name, lzma.LZMAFile(source.open())))
    if head.startswith(ZIP) and not is_workbook(source, head):
        member = _member(source)

        def unpacked() -> _Bounded:
            return _Bounded(source.name, zipfile.ZipFile(source.open_anywhere()).open(member))

        return replace(source, open=unpacked)
    return source


class _Bounded(io.RawIOBase):
    """What a compressed file unpacks to, which is refused once it is more than half of the memory, as cells take more.

    A small file may unpack to any size, and the system ends a process that asks for too much.
    """

    def __init__(self, name: str, stream: Any) -> None:
        self.stream = stream
        self.left = self.most = memory() // 2
        self.title = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self.stream.readinto(buffer))
        self.left -= count
        if self.left < 0:
            raise DataError(
                f"{self.title} unpacks to more than {self.most / 1e9:.3g} GB, half of the memory; split it, or "
                "leave out columns."
            )
        return count

    def close(self) -> None:
        self.stream.close()
        super().close()


def _member(source: Source) -> str:
    """The one table of a zip archive."""
    entries = _entries(source)
    names = [entry.filename for entry in entries]
    if "[Content_Types].xml" in names or "content.xml" in names:
        raise DataError(f"{source.name} is a spreadsheet; save the sheet as CSV (UTF-8).")
    usual = [
        entry for entry in entries if "__MACOSX" not in entry.filename and not Path(entry.filename).name.startswith(".")
    ]
    tables = [entry for entry in usual if Path(entry.filename).suffix.lower() in TABLES]
    csv = [entry for entry in tables if Path(entry.filename).suffix.lower() == ".csv"]
    for choice in (usual, csv, tables):
        if len(choice) == 1:
            if choice[0].flag_bits & 1:
                raise DataError(f"{source.name} is encrypted; unpack it, and name its file.")
            return choice[0].filename
    if not usual:
        raise DataError(f"{source.name} is a zip archive without a file in it.")
    several = ", ".join(shown(entry.filename) for entry in usual[:12]) + " and more" * (len(usual) > 12)
    raise DataError(f"{source.name} is a zip archive of several files: {several}; unpack it, and name one.")


def _entries(source: Source) -> list[zipfile.ZipInfo]:
    """The files of a zip archive."""
    try:
        with source.open_anywhere() as file, zipfile.ZipFile(file) as archive:
            return [entry for entry in archive.infolist() if not entry.is_dir()]
    except UNREADABLE:
        raise DataError(f"{source.name} is {FORMATS[b'PK']}.") from None
