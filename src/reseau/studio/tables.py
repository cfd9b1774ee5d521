"""Tables that the studio has: read once, within limits, and told column by column."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from reseau.errors import DataError, ReseauError
from reseau.studio.refusal import Refusal
from reseau.tables.columns.asked import NOTHING
from reseau.tables.columns.description import Scalar
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.recognition import decimal_mark, recognise
from reseau.tables.reading import cells as read
from reseau.tables.reading import sources
from reseau.tables.reading.table import Column, Table, read_table
from reseau.tables.table_data import AS
from reseau.tables.targets.table import recognise_target
from reseau.visible import short, visible

LIMITS = {"bytes": 50_000_000, "rows": 200_000, "columns": 500, "cells": 5_000_000}
UNPACKED = 4 * LIMITS["bytes"]
SECONDS = 20.0  # in which a table has to be read
EXAMPLES, LONGEST = 3, 40  # cells that are told of a column, and characters of each
NAMED_SO = ("target", "label", "class", "species", "outcome", "y")  # what people call the column to predict
PARQUET = b"PAR1"
ONE_AT_A_TIME = threading.Semaphore(2)  # tables that are read at the same time


@dataclass(frozen=True)
class Held:
    """A table that the studio has.

    Attributes
    ----------
    key : str
        The same for the same name and content.
    name : str
        Of its file.
    table : Table
    info : dict
        As `TableInfo` has it.
    content : bytes or None
        Of its file, where it was uploaded.
    path : Path or None
        Of its file, where it lies on the disk.
    shipped : bool
        Whether it comes with the package.
    """

    key: str
    name: str
    table: Table
    info: dict[str, Any]
    content: bytes | None = None
    path: Path | None = None
    shipped: bool = False

    def file(self) -> bytes:
        """What stands in its file."""
        if self.content is not None:
            return self.content
        assert self.path is not None
        if not self.path.is_file() or self.path.stat().st_size > LIMITS["bytes"]:
            raise _too_large("bytes", self.name)
        return self.path.read_bytes()


def uploaded(name: str, content: bytes) -> Held:
    """A table of a file that was uploaded.

    Raises
    ------
    Refusal
        too_large, too_slow or table_unreadable.
    """
    name = short(visible(Path(name.replace("\\", "/")).name), 100) or "table.csv"
    if len(content) > LIMITS["bytes"]:
        raise _too_large("bytes", name)
    key = _key(name, content)
    return _in_time(name, lambda: _held(key, name, _read(name, content), content=content))


def on_disk(path: str | Path, shipped: bool = False) -> Held:
    """A table of a file, folder or pattern on the disk, however large; what is wrong with it is the library's error."""
    table = read_table(path)
    file = Path(path)
    content = file.read_bytes() if file.is_file() and file.stat().st_size <= LIMITS["bytes"] else str(path).encode()
    held = _held(_key(file.name, content), file.name, table, path=file)
    return replace(held, shipped=shipped)


def _key(name: str, content: bytes) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass") + b"\0" + content).hexdigest()[:32]


def _in_time(name: str, reading: Callable[[], Held]) -> Held:
    """What a thread of its own reads, unless it takes too long."""
    if not ONE_AT_A_TIME.acquire(timeout=SECONDS):
        raise Refusal("busy", "Other tables are being read; try again.")
    answer: Future[Held] = Future()

    def work() -> None:
        try:
            answer.set_result(reading())
        except BaseException as error:  # which whoever waits is told
            answer.set_exception(error)
        finally:
            ONE_AT_A_TIME.release()

    threading.Thread(target=work, name="reseau-studio-reads", daemon=True).start()
    try:
        return answer.result(SECONDS)
    except TooLong:
        raise Refusal(
            "too_slow",
            f"{name} takes more than {SECONDS:g} s to be read; give a part of it, or name it when the studio begins.",
            name=name,
            seconds=SECONDS,
        ) from None
    except (ReseauError, OSError) as error:
        raise Refusal("table_unreadable", str(error), name=name, message=str(error)) from None
    except MemoryError:
        raise _too_large("bytes", name) from None


def _read(name: str, content: bytes) -> Table:
    """Read a table, which may be packed, within the limits."""
    file = io.BytesIO(content)
    file.name = name
    source = sources.open_source(file)
    head = source.read(len(PARQUET))
    if head == PARQUET:
        _check_parquet(name, content)
    elif head == sources.ZIP:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED:
                raise _too_large("bytes", name)
    elif len(unpacked := source.read(UNPACKED + 1)) > UNPACKED:
        raise _too_large("bytes", name)
    elif len(unpacked) != len(content):
        content = unpacked
    file = io.BytesIO(content)
    file.name = name
    table = read_table(file)
    _check(name, table.rows, len(table.columns))
    return table


def _check_parquet(name: str, content: bytes) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        facts = pyarrow.parquet.ParquetFile(pa.BufferReader(content)).metadata
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{name} is a damaged Parquet file: {error}.") from None
    _check(name, facts.num_rows, facts.num_columns)
    if sum(facts.row_group(place).total_byte_size for place in range(facts.num_row_groups)) > UNPACKED:
        raise _too_large("bytes", name)


def _check(name: str, rows: int, columns: int) -> None:
    for what, found in (("rows", rows), ("columns", columns), ("cells", rows * columns)):
        if found > LIMITS[what]:
            raise _too_large(what, name, found)


def _too_large(what: str, name: str, found: int | None = None) -> Refusal:
    most = LIMITS[what]
    has = f"has {found:,} {what}" if found is not None else f"takes more than {most:,} {what}"
    return Refusal(
        "too_large",
        f"{name} {has}, but at most {most:,} are taken; give a part of it, or name it when the studio begins.",
        name=name,
        what=what,
        most=most,
    )


# --- what is told of it -----------------------------------------------------------------------------------------------


def _held(key: str, name: str, table: Table, **where: Any) -> Held:
    """A table with what is told of it."""
    table = replace(table, name=name)
    mark = decimal_mark(table, NOTHING)
    columns = [_column(column, mark) for column in table.columns.values()]
    info = {
        "table": key,
        "name": name,
        "rows": table.rows,
        "columns": columns,
        "target": _target(table, mark),
    }
    return Held(key, name, table, info, **where)


def _column(column: Column, mark: str) -> dict[str, Any]:
    """As `ColumnInfo` has it."""
    try:
        description, _ = recognise(column, NOTHING, mark)
    except DataError as error:
        description = LeftOut(column.name, "unsupported", str(error))
    kind = description.kind
    if kind not in AS:
        kind = "ignore" if kind == LeftOut.kind else "category"  # a boolean is one of two
    cells = column.cells.drop_null()
    distinct = pc.count_distinct(cells).as_py() if len(cells) and _hashable(cells) else len(cells)
    examples = [short(visible(str(cell)), LONGEST) for cell in _first(cells)]
    if isinstance(description, Scalar):
        missing = description.absent(column, np.asarray(description.read(column)))
    else:
        missing = int(read.without(column.cells, description.marks).null_count)
    return {"name": column.name, "kind": kind, "missing": missing, "distinct": distinct, "examples": examples}


def _hashable(cells: Any) -> bool:
    import pyarrow as pa

    return not pa.types.is_nested(cells.type)


def _first(cells: Any) -> list[Any]:
    """The first few different cells."""
    found: list[Any] = []
    for cell in cells[:1000].to_pylist():
        if cell not in found:
            found.append(cell)
        if len(found) == EXAMPLES:
            break
    return found


def _target(table: Table, mark: str) -> str:
    """The column that is likely to be predicted: one that is called so, else the last that can be."""
    names = list(table.columns)
    by_name = [name for wanted in NAMED_SO for name in names if name.lower() == wanted]
    for name in (*by_name, *reversed(names)):
        try:
            recognise_target(table.columns[name], None, NOTHING, mark)
        except ReseauError:
            continue
        return name
    return names[-1]
