"""Rows in the form in which they are learned from, in a temporary file: read again without unpacking, in each epoch."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

IN_MEMORY = ("tmpfs", "ramfs")  # file systems whose files take the memory that is to be spared
SHARE = 2  # of the space that is free one part is taken at most; others write there too, such as checkpoints


class Converted:
    """Some arrays of as many rows each, group by group, in a temporary file that has no name and goes with the object.

    Numbers are read into the arrays that they are needed in. Pages of a file that is mapped would count as memory of
    the process. Another process gets None in its place.

    Parameters
    ----------
    groups : sequence of int
        How many rows each group has.
    like : sequence of ndarray
        For each array one row or more of the same type and shape.

    Raises
    ------
    OSError
        If there is no room for it.
    """

    def __init__(self, groups: Sequence[int], like: Sequence[npt.NDArray[Any]]) -> None:
        self._dtypes = [array.dtype for array in like]
        self._row_bytes = [array.dtype.itemsize * int(np.prod(array.shape[1:])) for array in like]
        self._groups = list(groups)
        self._starts = [0, *accumulate(rows * sum(self._row_bytes) for rows in groups)]
        folder = tempfile.gettempdir()
        if _is_in_memory(folder) or shutil.disk_usage(folder).free < SHARE * self._starts[-1]:
            raise OSError(f"there is no room in {folder}")
        self._file = tempfile.TemporaryFile(buffering=0, prefix="reseau-")  # noqa: SIM115 - it is open as long as the object
        weakref.finalize(self, self._file.close)

    @classmethod
    def where_there_is_room(cls, groups: Sequence[int], like: Sequence[npt.NDArray[Any]]) -> Converted | None:
        """Such a file; None where there is no room for it."""
        try:
            return cls(groups, like)
        except OSError:
            return None

    def __reduce__(self) -> Any:
        return type(None), ()

    def write(self, group: int, first: int, *arrays: npt.NDArray[Any]) -> bool:
        """Write rows of a group from the row `first` on; return whether the disk had room."""
        try:
            for array, dtype, place in zip(arrays, self._dtypes, self._places(group, first), strict=True):
                left = np.ascontiguousarray(array, dtype).reshape(-1).view(np.uint8).data
                while left:
                    written = os.pwrite(self._file.fileno(), left, place)
                    left, place = left[written:], place + written
        except OSError:
            self._file.close()
            return False
        return True

    def read(self, group: int, first: int, *arrays: npt.NDArray[Any]) -> None:
        """Fill arrays, which have to be contiguous, with rows of a group from the row `first` on."""
        for array, place in zip(arrays, self._places(group, first), strict=True):
            left = array.reshape(-1).view(np.uint8).data
            while left:
                n = os.preadv(self._file.fileno(), [left], place)
                if not n:
                    raise OSError("the temporary file of converted rows was cut short")
                left, place = left[n:], place + n

    def _places(self, group: int, first: int) -> list[int]:
        """Where in the file each array has this row."""
        place, places = self._starts[group], []
        for row_bytes in self._row_bytes:
            places.append(place + first * row_bytes)
            place += self._groups[group] * row_bytes
        return places


def _is_in_memory(folder: str) -> bool:
    """Whether the files of a folder take memory, as far as Linux tells."""
    device = os.stat(folder).st_dev
    here = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return False
    kinds = (after.split()[0] for before, _, after in (m.partition(" - ") for m in mounts) if before.split()[2] == here)
    return next(kinds, "") in IN_MEMORY
