"""How a training is repeated: what it was of, with which settings, and by which command."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseau.errors import DataError
from reseau.tables.reading.folders import parts_of
from reseau.tables.reading.sources import STANDARD_INPUT
from reseau.version import __version__

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

LARGEST = 1 << 31  # bytes of a file of which a digest is taken: a few seconds
MOST_FILES = 20
# What is told of a training, by its names in the model file, which are those of parameters.
SETTINGS = (
    "preset",
    "seed",
    "epochs",
    "batch_size",
    "learning_rate",
    "l2",
    "precision",
    "weight",
    "groups",
    "time",
    "loss",
)


@dataclass(frozen=True)
class FileSeen:
    """A file of the table: its name, its size, and the SHA-256 of its bytes where it is not too large."""

    name: str
    nbytes: int
    digest: str


@dataclass(frozen=True)
class Repeat:
    """What repeats a training.

    Attributes
    ----------
    command : str
        What was typed into a shell; "" where it was no command.
    version : str
        Of Réseau.
    settings : tuple of (str, Any)
    files : tuple of FileSeen
        The first files of the tables; empty for what was in memory.
    more : int
        How many files there are besides.
    """

    command: str
    version: str
    settings: tuple[tuple[str, Any], ...]
    files: tuple[FileSeen, ...]
    more: int

    @classmethod
    def of(cls, model: TableModel, command: str, tables: Sequence[str]) -> Repeat:
        """What repeats the training of a model on these tables."""
        files = [file for name in tables for file in _files(name)]
        settings = tuple((key, model.training[key]) for key in SETTINGS if key in model.training)
        seen = tuple(map(_seen, files[:MOST_FILES]))
        return cls(command, __version__, settings, seen, len(files) - len(seen))


def _files(name: str) -> list[Path]:
    """The files that a table of this name is read from."""
    try:
        parts = parts_of(name)
    except DataError:  # they are gone, or it is no name of files
        return []
    found = [Path(name)] * (name != STANDARD_INPUT) if parts is None else parts[0]
    try:
        return [path for path in found if path.is_file()]
    except (OSError, ValueError):  # a text that is no path
        return []


def _seen(path: Path) -> FileSeen:
    nbytes, digest = path.stat().st_size, ""
    if nbytes <= LARGEST:
        sha = hashlib.sha256()
        with open(path, "rb") as file:
            while part := file.read(1 << 20):
                sha.update(part)
        digest = sha.hexdigest()
    return FileSeen(path.name, nbytes, digest)
