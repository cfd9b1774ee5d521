"""Files that are complete or as they were: written beside their place, synced, and renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that it is complete, or as it was.

    Raises
    ------
    OSError
        When the folder is missing or cannot be written, and when something else than a regular file is there.
    """
    write_together({Path(path): content})


def remove_leftovers(path: Path) -> None:
    """Remove what processes left that were killed while they wrote this file."""
    for left in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files so that each is complete or as it was, and none is new unless all are; errors as of `write_bytes`."""
    for path in files:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file in it.")
        if path.exists() and not path.is_file():  # renaming would put a file in the place of a device
            raise FileExistsError(f"{path} is there and is not a regular file; choose another name.")
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"The folder {path.parent} does not exist; create it, or choose another place for {path.name}."
            )
    targets = {path: Path(os.path.realpath(path)) for path in files}  # of a link, what it leads to is replaced
    neighbours = {p: target.with_name(f".{target.name}.{secrets.token_hex(4)}.part") for p, target in targets.items()}
    new: list[Path] = []  # what has been made where there was nothing
    current = next(iter(files))
    try:
        for current, content in files.items():
            with open(neighbours[current], "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if targets[current].exists():
                shutil.copymode(targets[current], neighbours[current])
        for current, target in targets.items():
            is_new = not target.exists()
            os.replace(neighbours[current], target)
            new += [target] * is_new
    except BaseException as error:
        for leftover in [*neighbours.values(), *new]:
            with contextlib.suppress(OSError):
                leftover.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # name what the user knows, not the neighbour
            raise OSError(error.errno, error.strerror, str(current)) from None
        raise
