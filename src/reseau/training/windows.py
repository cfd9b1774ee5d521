"""Rows that stay on disk, as the loop over epochs takes them: an epoch is a sequence of windows that are in memory.

Row groups are taken in a shuffled order, several at the same time, of each the next rows. The rows that fill a window
are shuffled, and are trained on as if they were all there are; steps, optimizer and schedule go on from one window to
the next. But for the last, a window has whole steps of rows. While one is trained on, a thread reads the next.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any, TypeVar

import numpy as np

from reseau.array_likes import NumberArray
from reseau.arrays import Failure, FloatArray, Guard, IntArray, missing
from reseau.engine.door import Training
from reseau.engine.order import permutation
from reseau.errors import DataError
from reseau.stored.rows import Block, StoredRows
from reseau.training.loop import Samples

WINDOW = 1 << 25  # bytes of inputs and targets; two are there at the same time, the one trained on and the next
OPEN = 4  # groups that are read at the same time, so that large ones are mixed too
LOOKED_AT = 1 << 14  # rows that are kept to tell what all are like

Targets = Callable[[NumberArray], "FloatArray | IntArray"]  # checks them, as `reseau.data.targets` does
T = TypeVar("T")


class Windows:
    """Stored rows that have been looked through: each is a sample that can be learnt from.

    Parameters
    ----------
    stored : StoredRows
        The rows.
    targets : callable
        Makes what the engines take of the targets as they are stored, or raises DataError.
    dtype : numpy.dtype
        The network's precision.
    digested : bool
        Whether the fingerprint is needed.

    Attributes
    ----------
    rows : int
        How many there are.
    looked_at : Samples
        Some of them, from everywhere.
    any_target : bool
        Whether some target is not missing.
    fingerprint : ndarray of uint8
        The SHA-256 of all numbers and of what their order depends on; empty if it is not needed.

    Raises
    ------
    DataError
        For a cell that is missing, not finite, or too large for the precision, and for a target that `targets` refuses;
        the message names the place.
    """

    def __init__(self, stored: StoredRows, targets: Targets, dtype: np.dtype[Any], digested: bool = False) -> None:
        self.stored, self.targets, self.dtype = stored, targets, dtype
        self.rows = stored.rows
        self.any_target = False
        sha = hashlib.sha256(json.dumps(stored.describe()).encode()) if digested else None
        every, first = ceil(self.rows / LOOKED_AT), 0
        some: list[Block] = []
        for group, row, block in _ahead(self._all(np.dtype(np.float64))):
            self._check_inputs(group, row, block)
            T = self._checked_targets(group, row, block)
            self.any_target = self.any_target or not missing(T).all()
            if sha is not None:
                sha.update(np.ascontiguousarray(block.X, dtype).tobytes())
                sha.update(T.tobytes())
            chosen = slice(-first % every, None, every)
            some.append(Block(block.X[chosen].copy(), block.y[chosen].copy()))  # the block itself may go
            first += len(block.X)
        self.fingerprint = np.frombuffer(b"" if sha is None else sha.digest(), np.uint8)
        X, y = (np.concatenate(arrays) for arrays in zip(*some, strict=True))
        self.looked_at = Samples(X, targets(y))
        T = self.looked_at.T
        self._row_bytes = len(stored.inputs) * dtype.itemsize + T[0:1].nbytes

    def blocks(self) -> Iterator[Samples]:
        """All rows in their order."""
        return _ahead(self._windows(0, 0, False, 1))

    def trained_by(
        self,
        trainer: Training,
        made: int,
        in_a_step: int,
        *,
        epochs: int,
        rates: FloatArray | None,
        guard: Guard,
        shuffle: bool,
        **how: Any,
    ) -> tuple[list[float], Failure | None]:
        """Train for some epochs, as `Data.trained_by`."""
        losses: list[float] = []
        failure = None
        of_epochs = [None] * epochs if rates is None else np.split(rates, epochs)
        while len(losses) < epochs and failure is None:
            before = trainer.parameters.copy()
            windows = _ahead(self._windows(trainer.seed, made + len(losses), shuffle, in_a_step))
            now, errors, rows, steps = of_epochs[len(losses)], 0.0, 0, 0
            try:
                for window in windows:
                    n, here = window.rows, ceil(window.rows / in_a_step)
                    most = min((guard.loss - errors / self.rows) * (self.rows / n), sys.float_info.max)
                    [loss] = trainer.run(
                        window.X,
                        window.T,
                        None,
                        epochs=1,
                        shuffle=False,
                        rates=None if now is None else now[steps : steps + here],
                        guard=guard._replace(loss=most),
                        **how,
                    )
                    errors, rows = errors + loss * n, rows + n
                    failure = trainer.failure
                    if failure is not None:
                        failure = failure._replace(step=failure.step + steps)
                        break
                    steps += here
            except BaseException:
                trainer.parameters[...] = before
                raise
            finally:
                windows.close()
            if failure is not None:
                trainer.parameters[...] = before
            losses.append(errors / rows)
        return losses, failure

    def _windows(self, seed: int, epoch: int, shuffle: bool, in_a_step: int) -> Iterator[Samples]:
        """The windows of an epoch, which has each row once."""
        most = max(1, WINDOW // (self._row_bytes * in_a_step)) * in_a_step
        n_groups = len(self.stored.groups)
        waiting = iter(permutation(n_groups, seed, epoch, 0).tolist() if shuffle else range(n_groups))
        at_once, share = (OPEN, ceil(most / OPEN)) if shuffle else (1, most)
        opened: deque[_Group] = deque()
        left, place = self.rows, 0
        like = self.looked_at.T
        while left:
            n, place = min(most, left), place + 1
            X = np.empty((n, len(self.stored.inputs)), self.dtype)
            T = np.empty((n, *like.shape[1:]), like.dtype)
            to = permutation(n, seed, epoch, place) if shuffle else None
            filled = 0
            while filled < n:
                while len(opened) < at_once and (group := next(waiting, None)) is not None:
                    opened.append(_Group(self.stored, group, self.dtype))
                group_now = opened.popleft()
                for block in group_now.take(min(share, n - filled)):
                    end = filled + len(block.X)
                    rows: Any = slice(filled, end) if to is None else to[filled:end]
                    X[rows], T[rows] = block.X, self.targets(block.y)
                    filled = end
                if group_now.left:
                    opened.append(group_now)
            left -= n
            yield Samples(X, T)

    def _all(self, dtype: np.dtype[Any]) -> Iterator[tuple[int, int, Block]]:
        """All blocks, each with its group and its first row in it."""
        for place in range(len(self.stored.groups)):
            group = _Group(self.stored, place, dtype)
            while group.left:
                for block in group.take(group.left):
                    yield place, group.made - len(block.X), block

    def _check_inputs(self, group: int, row: int, block: Block) -> None:
        largest = float(np.finfo(self.dtype).max)
        right = np.abs(block.X) <= largest  # False for NaN
        if right.all():
            return
        wrong, column = (int(place) for place in np.unravel_index(int(np.argmin(right)), right.shape))
        value = float(block.X[wrong, column])
        if np.isnan(value):
            why = "a cell is missing or NaN; fill it in, or leave the row out."
        elif np.isinf(value):
            why = f"a cell is {value}, which is not finite; leave the row out."
        else:
            why = f"a cell is {value:g}, which {self.dtype} cannot hold; scale the column, or use dtype='float64'."
        raise self.stored.refuse(group, row + wrong, column, why)

    def _checked_targets(self, group: int, row: int, block: Block) -> FloatArray | IntArray:
        try:
            return self.targets(block.y)
        except DataError as error:
            for place in range(len(block.y)):
                try:
                    self.targets(block.y[place : place + 1])
                except DataError as of_row:
                    why = str(of_row).replace(" at row 0", "")
                    raise self.stored.refuse(group, row + place, None, why) from None
            raise error


class _Group:
    """A group that is being read.

    Attributes
    ----------
    made, left : int
        How many of its rows were taken, and how many were not.
    """

    def __init__(self, stored: StoredRows, place: int, dtype: np.dtype[Any]) -> None:
        self.made, self.left = 0, stored.groups[place]
        self._blocks = stored.blocks(place, dtype)
        self._refuse = stored.refuse, place
        self._next: Block | None = None

    def take(self, rows: int) -> Iterator[Block]:
        """The next rows, so many or those that are left."""
        rows = min(rows, self.left)
        while rows:
            block = self._next or next(self._blocks, None)
            if block is None:
                refuse, place = self._refuse
                raise refuse(place, self.made, None, "there is no such row any more; was the file written anew?")
            n = min(rows, len(block.X))
            self._next = Block(block.X[n:], block.y[n:]) if n < len(block.X) else None
            rows, self.left, self.made = rows - n, self.left - n, self.made + n
            yield Block(block.X[:n], block.y[:n])


def _ahead(source: Iterable[T]) -> Generator[T, None, None]:
    """The same, of which a thread of its own makes the next one meanwhile."""
    entries = iter(source)
    end: Any = object()
    with ThreadPoolExecutor(1, "reseau-reads") as thread:
        coming = thread.submit(next, entries, end)
        try:
            while (entry := coming.result()) is not end:
                coming = thread.submit(next, entries, end)
                yield entry
                del entry  # while the next is waited for
        finally:
            coming.cancel()
