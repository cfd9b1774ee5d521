"""Files that are complete or as they were: written beside their place, synced, and renamed.

What is being written is locked, so that what a killed process left is told from what another one writes now.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Mapping
from io import RawIOBase, TextIOBase
from pathlib import Path
from typing import IO, Any

from reseau.checks import as_path
from reseau.errors import ParameterError
from reseau.visible import visible

try:
    import fcntl
except ImportError:  # of WebAssembly
    fcntl = None  # type: ignore[assignment]

LONGEST_NAME = 255  # bytes of a file's name, on all common file systems
MARK = r"\.[0-9a-f]{8}\.part"  # after a point and the name: what tells one writing from another
Place = str | os.PathLike[str] | IO[bytes]  # where something is written


def write_bytes(place: Place, content: bytes) -> None:
    """Write a file so that it is complete, or as it was; or write to a file that is open.

    Parameters
    ----------
    place : path or binary file object
        Of what is open, no more is promised than its own `write` does.
    content : bytes
        All of it.

    Raises
    ------
    ParameterError
        When `place` is neither, and for a file object that is closed, or open as text or for reading.
    OSError
        When the folder is missing or cannot be written, when the file is write-protected, and when something else than
        a regular file is there.
    """
    if hasattr(place, "write"):
        _write_to(place, content)
    else:
        write_together({as_path(place, " or a binary file object"): content})


def _write_to(file: Any, content: bytes) -> None:
    """Write to a file object; what is unbuffered may take less than it is given."""
    refuse_text(file, "wb")
    left: bytes | memoryview = content
    try:
        while left:
            written = file.write(left)
            if written is None and not isinstance(file, RawIOBase):  # a writer of the user's own, which took it all
                return
            if not written or written < 0:  # nothing is taken, such as by a pipe that is full and does not block
                raise BlockingIOError(errno.EAGAIN, f"the file object takes no more; {len(left):,} bytes are left")
            left = memoryview(left)[written:]
    except (TypeError, ValueError) as error:  # io.UnsupportedOperation is a ValueError too
        raise ParameterError('path is a file object that takes no bytes; give one of open(name, "wb").') from error


def refuse_text(file: object, mode: str) -> None:
    """Refuse a file object that reads or writes text; `mode` is how it should have been opened."""
    if isinstance(file, TextIOBase):
        raise ParameterError(f'path is a file opened as text; open it as binary, as in open(name, "{mode}").')


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files so that each is complete or as it was, and none is new unless all are; errors as of `write_bytes`."""
    for path in files:
        _check_place(path)
    targets = {path: Path(os.path.realpath(path)) for path in files}  # of a link, what it leads to is replaced
    beside: dict[Path, tuple[Path, IO[bytes]]] = {}
    new: list[Path] = []  # what has been made where there was nothing
    current = next(iter(files))
    try:
        for current, target in targets.items():
            remove_leftovers(target)
            beside[current] = _open_beside(target)
            file = beside[current][1]
            file.write(files[current])
            file.flush()
            os.fsync(file.fileno())
        for current, target in targets.items():
            is_new = not target.exists()
            os.replace(beside[current][0], target)
            new += [target] * is_new
    except BaseException as error:
        for leftover in [*(neighbour for neighbour, _ in beside.values()), *new]:
            with contextlib.suppress(OSError):
                leftover.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # name what the user knows, not the neighbour
            raise OSError(error.errno, error.strerror, str(current)) from None
        raise
    finally:
        for _, file in beside.values():
            with contextlib.suppress(OSError):  # of what a full disk did not take
                file.close()


def _check_place(path: Path) -> None:
    """Refuse a path that no file can be written at, in words that name it."""
    shown = visible(str(path))
    if path.is_dir():
        raise IsADirectoryError(f"{shown} is a folder; name a file in it.")
    if path.exists() and not path.is_file():  # renaming would put a file in the place of a device
        raise FileExistsError(f"{shown} is there and is not a regular file; choose another name.")
    if path.exists() and not os.access(path, os.W_OK):  # renaming would not ask
        raise PermissionError(errno.EACCES, "is write-protected; choose another name", str(path))
    if not path.parent.is_dir():
        folder, name = visible(str(path.parent)), visible(path.name)
        raise FileNotFoundError(f"The folder {folder} does not exist; create it, or choose another place for {name}.")


def _open_beside(target: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside a target, locked, with the permissions that the target has, and its owner where that may be."""
    before = target.stat() if target.exists() else None
    mode = None if before is None else stat.S_IMODE(before.st_mode)
    while True:
        path = target.with_name(f"{_stem(target)}.{secrets.token_hex(4)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = open(os.open(path, flags, 0o666 if mode is None else mode & 0o666), "wb")  # noqa: SIM115
        if before is not None and mode is not None:
            _give(file, before)  # first, as it takes away bits of the mode
            with contextlib.suppress(OSError):  # a file system without permissions
                os.fchmod(file.fileno(), mode)
        with contextlib.suppress(OSError):  # where a file system knows no locks, nobody removes leftovers either
            _lock(file, wait=True)
        if path.exists():  # another process may have taken it for a leftover before it was locked
            return path, file
        file.close()


def _lock(file: IO[bytes], *, wait: bool) -> None:
    """Lock a file once nobody else has it locked; raise OSError rather than wait, and where nothing can be locked."""
    if fcntl is None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _give(file: IO[bytes], before: os.stat_result) -> None:
    """Give a file to whom the one before belonged, or at least to its group: only root may give files away."""
    for owner in (before.st_uid, -1):
        with contextlib.suppress(OSError):
            os.fchown(file.fileno(), owner, before.st_gid)
            return


def _stem(target: Path) -> str:
    """What begins the names of files beside a target: its name where that leaves room for the rest, else a digest."""
    name = os.fsencode(target.name)
    room = LONGEST_NAME - len("..12345678.part")
    return f".{target.name}" if len(name) <= room else f".{hashlib.sha256(name).hexdigest()}"


def remove_leftovers(path: Path) -> None:
    """Remove what processes left that were killed while they wrote this file; what is being written now is locked."""
    mine = re.compile(re.escape(_stem(path)) + MARK)
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if mine.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), open(entry.path, "r+b") as left:
                    _lock(left, wait=False)
                    os.unlink(entry.path)
