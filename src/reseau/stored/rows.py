"""What rows are that stay on disk: groups of them, each read from its beginning, a block at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from reseau.array_likes import NumberArray
from reseau.arrays import FloatArray


class Block:
    """Rows that follow one another.

    Parameters
    ----------
    columns : sequence of ndarray of shape (rows,)
        Of X, of whatever numbers; NaN where a cell is missing.
    y : ndarray of shape (rows,) or (rows, targets)
        Targets as they stand there.
    s : ndarray of shape (rows,) or None
        How much each row counts, above 0.
    """

    def __init__(self, columns: Sequence[NumberArray], y: NumberArray, s: FloatArray | None = None) -> None:
        self.columns: Sequence[NumberArray] = columns
        self.y: NumberArray = y
        self.s: FloatArray | None = s

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: slice) -> Block:
        s = None if self.s is None else self.s[rows]
        return Block([column[rows] for column in self.columns], self.y[rows], s)

    def copied(self) -> Block:
        """The same rows, which keep nothing else in memory."""
        s = None if self.s is None else self.s.copy()
        return Block([column.copy() for column in self.columns], self.y.copy(), s)

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """The rows of some blocks, of each column those of the same type."""
        columns = zip(*(block.columns for block in blocks), strict=True)
        weights = [block.s for block in blocks if block.s is not None]
        s = np.concatenate(weights) if weights else None
        return cls([*map(np.concatenate, columns)], np.concatenate([block.y for block in blocks]), s)

    def write(self, X: FloatArray) -> None:
        """Write the rows into X (rows, inputs); what its precision cannot hold becomes infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            for place, column in enumerate(self.columns):
                X[:, place] = column

    def rows(self, dtype: np.dtype[Any]) -> FloatArray:
        """X (rows, inputs) in this precision."""
        X = np.empty((len(self), len(self.columns)), dtype)
        self.write(X)
        return X


class StoredRows(ABC):
    """Rows that are read again in each epoch, so that only some are in memory at the same time.

    Attributes
    ----------
    groups : sequence of int
        How many rows each group has, at least 1.
    some : Block or None
        Rows from everywhere that tell what all are like, where all have been looked at; None to have that done.
    """

    groups: Sequence[int]
    some: Block | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.groups)

    @property
    def weight(self) -> float:
        """What all of them count together: each as 1, unless blocks say how much."""
        return self.rows

    @property
    def shape(self) -> tuple[int, int]:
        """Those of X: rows and inputs."""
        return self.rows, len(self.inputs)

    @property
    @abstractmethod
    def inputs(self) -> Sequence[str]:
        """The names of the columns of X."""

    @abstractmethod
    def blocks(self, group: int) -> Iterator[Block]:
        """Read a group from its beginning."""

    @abstractmethod
    def held(self, group: int) -> int:
        """About how many bytes reading a group holds in memory besides a block."""

    @abstractmethod
    def check_same(self, group: int) -> None:
        """Refuse a group whose file was written anew or removed since it was opened."""

    def frame(self, X: FloatArray) -> Any:
        """Some rows of X as a data frame, which has the names of the columns."""
        import pyarrow as pa

        return pa.table([*map(pa.array, X.T)], names=list(self.inputs))

    @abstractmethod
    def refuse(self, group: int, row: int, column: int | None, why: str) -> Exception:
        """What is raised for a row of a group, for its input `column` or for its targets (None)."""

    @abstractmethod
    def describe(self) -> Any:
        """By what a checkpoint tells these rows from others besides their numbers, as JSON-able values."""
