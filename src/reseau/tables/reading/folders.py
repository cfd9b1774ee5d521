"""The files that a folder, or a pattern such as part-*.csv, stands for: parts of one table, in the order of names."""

from __future__ import annotations

import glob
import os
from collections import Counter
from pathlib import Path
from typing import Any

from reseau.checks import as_path
from reseau.errors import DataError
from reseau.tables.reading.sources import COMPRESSED, STANDARD_INPUT, TABLES
from reseau.visible import plural

MOST_NAMES = 5  # of files in a message
NOT_TOLD = (".", "_")  # begin the names of files that are not part of a table, such as _SUCCESS


def parts_of(data: Any) -> tuple[list[Path], tuple[str, ...]] | None:
    """The files of a folder or a pattern, and notes on what of it is passed over; None for what is neither.

    Of a folder these are the files that end as tables do, all in the same way; of a pattern all files that fit it.

    Raises
    ------
    DataError
        If there is no such file, or tables of several kinds are in the folder.
    """
    name = os.fspath(data) if isinstance(data, str | os.PathLike) else None
    if not isinstance(name, str) or name == STANDARD_INPUT or "\n" in name or "://" in name:
        return None
    path = as_path(data)
    if path.is_dir():
        return _of_folder(path)
    if path.exists() or not glob.has_magic(name):
        return None
    found = [Path(match) for match in sorted(glob.glob(name, recursive=True))]
    files = [match for match in found if not match.is_dir()]
    if not files:
        raise DataError(f"no file's name fits the pattern {name}.")
    return files, _passed_over([match for match in found if match.is_dir()])


def would_join(data: Path, file: Path) -> bool:
    """Whether a file, once it is written, would be one of those of a folder or a pattern."""
    if parts_of(data) is None:
        return False
    if data.is_dir():
        is_part = ending(file) in TABLES and not file.name.startswith(NOT_TOLD)
        return is_part and file.absolute().parent.resolve() == data.resolve()
    return file.absolute().match(str(data.absolute()))


def _of_folder(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith(NOT_TOLD))
    files = [entry for entry in entries if not entry.is_dir() and ending(entry) in TABLES]
    endings = Counter(map(ending, files))
    if not files:
        what = f"it has {_names(entries)}" if entries else "it is empty"
        below = "**/*" if any(entry.is_dir() for entry in entries) else "*"
        raise DataError(
            f"{folder} is a folder without a table, whose name ends in {', '.join(TABLES)}: {what}. A pattern, such as "
            f"'{folder}/{below}', takes files of any name."
        )
    if len(endings) > 1:
        kinds = " and ".join(f"{plural(count, 'file')} ending in {kind}" for kind, count in endings.items())
        raise DataError(
            f"{folder} is a folder with {kinds}; choose by a pattern, such as '{folder}/*{next(iter(endings))}'."
        )
    read = set(files)
    return files, _passed_over([entry for entry in entries if entry not in read])


def ending(path: Path) -> str:
    """How a file's name ends, without what says that it is compressed."""
    inner = Path(path.stem).suffix.lower()
    return inner if path.suffix.lower() in COMPRESSED and inner else path.suffix.lower()


def _passed_over(entries: list[Path]) -> tuple[str, ...]:
    if not entries:
        return ()
    return (f"{_names(entries)} passed over, beside the files of the table",)


def _names(entries: list[Path]) -> str:
    rest = len(entries) - MOST_NAMES
    return ", ".join(entry.name for entry in entries[:MOST_NAMES]) + f" and {rest} more" * (rest > 0)
