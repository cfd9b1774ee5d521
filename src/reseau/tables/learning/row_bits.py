"""A yes or no for each row of a table that stays on disk, a bit each: 12 MB for 100 million rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reseau.tables.reading.cells import Mask


class RowBits:
    """A yes or no for each row, group by group.

    Attributes
    ----------
    counts : list of int
        In how many rows of each group it is yes.
    """

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._rows: list[int] = []
        self._packed: list[npt.NDArray[np.uint8]] = []

    @property
    def count(self) -> int:
        """In how many rows it is yes."""
        return sum(self.counts)

    def append(self, of_group: Mask) -> None:
        """Add those of the next group."""
        self.counts.append(int(np.count_nonzero(of_group)))
        self._rows.append(len(of_group))
        self._packed.append(np.packbits(of_group))

    def of(self, group: int) -> Mask:
        """Those of a group, (rows,), which may be written to."""
        return np.unpackbits(self._packed[group], count=self._rows[group]).view(np.bool_)

    def tobytes(self) -> bytes:
        """All bits."""
        return b"".join(packed.tobytes() for packed in self._packed)
