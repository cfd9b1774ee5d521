"""Cells that cannot be read as what their column held at training: refused, or counted as missing and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reseau.checks import known
from reseau.errors import DataError
from reseau.tables.reading.cells import UnreadableError
from reseau.tables.reading.table import Column, quoted
from reseau.visible import plural

ERROR, MISSING = "error", "missing"
WAYS = (ERROR, MISSING)

V = TypeVar("V")


@dataclass(frozen=True)
class Reader:
    """Reads columns, and does with unreadable cells what `unreadable`, one of `WAYS`, says; `notes` tell of them.

    `unread` has, of each column with such cells, how many there were so far, and the first.
    """

    unreadable: str
    unread: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known("unreadable", self.unreadable, WAYS)

    def __call__(self, read: Callable[[Column], V], column: Column) -> V:
        """What `read` makes of a column; a `DataError` names the first cell that it cannot read."""
        cells = column.cells
        unread = np.zeros(len(cells), np.bool_)
        while True:
            try:
                values = read(column)
            except UnreadableError as error:
                if self.unreadable == ERROR:
                    raise DataError(
                        f"{error} Or count such cells as missing (--unreadable missing, or unreadable='missing')."
                    ) from None
                unread |= error.cells  # cells that are wrong in another way may be left
                left = pc.if_else(pa.array(unread), pa.scalar(None, cells.type), cells)
                column = replace(column, cells=left)
            else:
                break
        if unread.any():
            row = int(unread.argmax())
            before, first = self.unread.get(column.name, (0, f"{quoted(cells[row].as_py())} ({column.place(row)})"))
            self.unread[column.name] = before + int(unread.sum()), first
        return values

    @property
    def notes(self) -> list[str]:
        """What is told of unreadable cells, column by column."""
        return [
            f"{name}: {plural(count, 'cell')} that cannot be read "
            f"{'is read as missing:' if count == 1 else 'are read as missing, the first being'} {first}"
            for name, (count, first) in self.unread.items()
        ]
