"""Rows that stay on disk, as the loop over epochs takes them: an epoch is a sequence of windows that are in memory.

Row groups are taken in a shuffled order, several at the same time, of each the next rows. To the trainer the rows that
fill a window are an epoch, which it shuffles; steps, optimizer and schedule go on from one window to the next. But for
the last, a window has whole steps of rows. While one is trained on, a thread reads the next: from a temporary file that
has the rows as they are learned from, where the disk has room for it. Else they would be unpacked anew in each epoch,
by a thread that training needs for itself.
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
from reseau.stored.converted import Converted
from reseau.stored.rows import Block, StoredRows
from reseau.training.loop import Samples

WINDOW = 1 << 25  # bytes of inputs and targets; two are there at the same time, the one trained on and the next
OPEN = 4  # groups that are read at the same time at most, so that large ones are mixed too...
HELD = 1 << 26  # ... as long as they hold no more bytes
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
    weight : float
        What they count together.
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
        self.rows, self.weight = stored.rows, stored.weight
        self.any_target = False
        self._converted: Converted | None = None
        sha = hashlib.sha256(json.dumps(stored.describe()).encode()) if digested else None
        some = stored.some if stored.some is not None else self._looked_through(sha)
        self.fingerprint = np.frombuffer(b"" if sha is None else sha.digest(), np.uint8)
        X = some.rows(np.dtype(np.float64))
        self.looked_at = Samples(X, targets(some.y), some.s)
        self.any_target = not missing(self.looked_at.T).all() or self.any_target
        row_bytes = X.shape[1] * dtype.itemsize + self.looked_at.T[:1].nbytes
        self._most = int(max(1, WINDOW // row_bytes))

    def _looked_through(self, sha: Any) -> Block:
        """Check all rows, write them as they are learned from, add them to the digest if there is one; return some."""
        every, first = ceil(self.rows / LOOKED_AT), 0
        some: list[Block] = []
        converted: Converted | None = None
        for group, row, block in _ahead(self._all()):
            self._check_inputs(group, row, block)
            T = self._checked_targets(group, row, block)
            self.any_target = self.any_target or not missing(T).all()
            rows = [block.rows(self.dtype), T, *([] if block.s is None else [block.s])]
            if not first:
                converted = Converted.where_there_is_room(self.stored.groups, rows)
            if converted is not None and not converted.write(group, row, *rows):
                converted = None
            if sha is not None:
                for array in rows:
                    sha.update(array.tobytes())
            some.append(block[slice(-first % every, None, every)].copied())  # the block may go
            first += len(block)
        self._converted = converted
        return Block.joined(some)

    def blocks(self) -> Iterator[Samples]:
        """All rows in their order."""
        return _ahead(self._windows(0, 0, False, 1))

    def runs(self, epochs: int, in_a_step: int) -> int:
        """As `Data.runs`: a window is an epoch to the trainer, which so shuffles each in another way."""
        return epochs * ceil(self.rows / self._rows_of_window(in_a_step))

    def _rows_of_window(self, in_a_step: int) -> int:
        return max(1, self._most // in_a_step) * in_a_step

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
            now, errors, counted, steps = of_epochs[len(losses)], 0.0, 0.0, 0
            try:
                for window in windows:
                    n, here = window.weight, ceil(window.rows / in_a_step)
                    most = min((guard.loss - errors / self.weight) * (self.weight / n), sys.float_info.max)
                    [loss] = trainer.run(
                        window.X,
                        window.T,
                        window.s,
                        epochs=1,
                        shuffle=shuffle,
                        rates=None if now is None else now[steps : steps + here],
                        guard=guard._replace(loss=most),
                        **how,
                    )
                    errors, counted = errors + loss * n, counted + n
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
            losses.append(errors / counted)
        return losses, failure

    def _windows(self, seed: int, epoch: int, shuffle: bool, in_a_step: int) -> Iterator[Samples]:
        """The windows of an epoch, which have each row once; their rows are left to the trainer to shuffle."""
        most, n_groups, like = self._rows_of_window(in_a_step), len(self.stored.groups), self.looked_at
        waiting = deque(permutation(n_groups, seed, epoch).tolist() if shuffle else range(n_groups))
        at_once, share = (OPEN, ceil(most / OPEN)) if shuffle else (1, most)
        opened: deque[_Group] = deque()
        left = self.rows
        while left:
            n = min(most, left)
            X, T = np.empty((n, like.X.shape[1]), self.dtype), np.empty((n, *like.T.shape[1:]), like.T.dtype)
            s = None if like.s is None else np.empty(n)
            filled = 0
            while filled < n:
                while waiting and len(opened) < at_once:
                    held = sum(group.held for group in opened) + self.stored.held(waiting[0])
                    if opened and held > HELD:
                        break
                    opened.append(_Group(self.stored, waiting.popleft(), self._converted))
                group_now = opened.popleft()
                end = filled + min(share, n - filled, group_now.left)
                group_now.fill(X[filled:end], T[filled:end], None if s is None else s[filled:end], self.targets)
                filled = end
                if group_now.left:
                    opened.append(group_now)
            left -= n
            yield Samples(X, T, s)

    def _all(self) -> Iterator[tuple[int, int, Block]]:
        """All blocks, each with its group and its first row in it."""
        for place in range(len(self.stored.groups)):
            group = _Group(self.stored, place)
            for block in group.take(group.left):
                yield place, group.made - len(block), block

    def _check_inputs(self, group: int, row: int, block: Block) -> None:
        largest = float(np.finfo(self.dtype).max)
        for place, column in enumerate(block.columns):
            if column.dtype.kind != "f" or (column.max() <= largest and column.min() >= -largest):  # False for NaN
                continue
            wrong = int(np.argmin(np.abs(column) <= largest))
            value = float(column[wrong])
            if np.isnan(value):
                why = "a cell is missing or NaN; fill it in, or leave the row out."
            elif np.isinf(value):
                why = f"a cell is {value}, which is not finite; leave the row out."
            else:
                why = f"a cell is {value:g}, which {self.dtype} cannot hold; scale the column, or use dtype='float64'."
            raise self.stored.refuse(group, row + wrong, place, why)

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
    held : int
        About how many bytes it holds meanwhile, where it is read from its file. The order of rows follows from it, so
        that it counts for those that are converted too.
    """

    def __init__(self, stored: StoredRows, place: int, converted: Converted | None = None) -> None:
        self.made, self.left, self.held = 0, stored.groups[place], stored.held(place)
        self._stored, self._place, self._converted = stored, place, converted
        self._next: Block | None = None
        if converted is None:
            self._blocks = stored.blocks(place)
        else:
            stored.check_same(place)

    def fill(self, X: FloatArray, T: FloatArray | IntArray, s: FloatArray | None, targets: Targets) -> None:
        """Write the next rows, of which at least so many are left, into X, T and, where rows have weights, s."""
        if self._converted is not None:
            self._converted.read(self._place, self.made, X, T, *([] if s is None else [s]))
            self.made, self.left = self.made + len(X), self.left - len(X)
            return
        end = 0
        for block in self.take(len(X)):
            first, end = end, end + len(block)
            block.write(X[first:end])
            T[first:end] = targets(block.y)
            if s is not None:
                s[first:end] = block.s

    def take(self, rows: int) -> Iterator[Block]:
        """The next rows, so many or those that are left."""
        rows = min(rows, self.left)
        while rows:
            block = self._next or next(self._blocks, None)
            if block is None:
                why = "there is no such row any more; was the file written anew?"
                raise self._stored.refuse(self._place, self.made, None, why)
            n = min(rows, len(block))
            self._next = block[n:] if n < len(block) else None
            rows, self.left, self.made = rows - n, self.left - n, self.made + n
            yield block[:n]


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
