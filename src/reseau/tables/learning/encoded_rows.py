"""The rows of a table that stays on disk, encoded as they are read: what networks of a table model learn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reseau.array_likes import NumberArray
from reseau.arrays import FloatArray
from reseau.errors import DataError
from reseau.stored.converted import Converted
from reseau.stored.rows import Block, StoredRows
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32, Description, Rows, Values
from reseau.tables.reading.cells import Mask
from reseau.tables.reading.stored_table import SampledTable
from reseau.tables.reading.table import Table
from reseau.tables.reading.unreadable import MISSING, Reader
from reseau.tables.targets.target import Target
from reseau.visible import plural

PIECE_BYTES = 1 << 22  # of inputs that are encoded at once
LEAST_ROWS, MOST_ROWS = 1 << 10, 1 << 14
LOOKED_AT = 1 << 12  # rows that tell what all are like


class Encoder:
    """How the rows of a table that stays on disk are read, by descriptions that some of them have told.

    What no description has a place for counts as missing: the cells that cannot be read as what their column holds,
    and the rows whose target cannot be, which are left out. All rows are looked at once, to count these, and are then
    kept as they are encoded, in a temporary file from which all members read them; where the disk has no room for that,
    they are encoded anew whenever they are read.

    Parameters
    ----------
    table : SampledTable
        What the descriptions come from.
    columns : sequence of Description
        Fitted.
    target : Target
        As it encodes the cells.

    Attributes
    ----------
    notes : list of str
        What was left out or counted as missing.
    known : list of int
        For each group, how many rows have a target.
    """

    def __init__(self, table: SampledTable, columns: Sequence[Description], target: Target) -> None:
        self.table, self.columns, self.target = table, columns, target
        self.inputs = [feature for column in columns for feature in column.features]
        self.paces = np.array([pace for column in columns for pace in column.paces], np.float32)
        self.names = [name for name in table.columns if any(d.name == name and d.features for d in columns)]
        self.rows = int(np.clip(PIECE_BYTES // (4 * max(len(self.inputs), 1)), LEAST_ROWS, MOST_ROWS))
        self.known: list[int] = []
        reader = Reader(MISSING)
        some = target.encode(table.column(target.name))[:1]
        self._y_dtype = some.dtype
        counts = [file.groups[place] for file, place, _ in table.whole.groups]
        converted = Converted.where_there_is_room(counts, (np.empty((1, len(self.inputs)), np.float32), some))
        for group, (_, _, begin) in enumerate(table.whole.groups):
            known = 0
            for first, piece in self._pieces(group):
                values, y = self._read(piece, reader)
                known += int(target.known(y).sum())
                if converted is not None and not converted.write(group, first - begin, self._encoded(piece, values), y):
                    converted = None
            self.known.append(known)
        self._converted = converted
        lost = table.whole.rows - sum(self.known)
        self.notes = [f"{plural(lost, 'row')} without a known value in {target.name!r} left out"] * bool(lost)
        self.notes += reader.notes

    def rows_of(self, group: int) -> Iterator[tuple[int, X32, NumberArray]]:
        """Read a group: of some rows after the others the number of the first, the inputs and the target."""
        if self._converted is None:
            reader = Reader(MISSING)
            for first, piece in self._pieces(group):
                values, y = self._read(piece, reader)
                yield first, self._encoded(piece, values), y
            return
        file, place, begin = self.table.whole.groups[group]
        file.check_same()
        for first in range(0, file.groups[place], self.rows):
            rows = min(self.rows, file.groups[place] - first)
            X, y = np.empty((rows, len(self.inputs)), np.float32), np.empty(rows, self._y_dtype)
            self._converted.read(group, first, X, y)
            yield begin + first, X, y

    def _pieces(self, group: int) -> Iterator[tuple[int, Table]]:
        """Read a group: the number of the first row of each piece, and its rows."""
        return self.table.whole.pieces(group, self.rows, [*self.names, self.target.name])

    def _read(self, piece: Table, reader: Reader) -> tuple[list[Values], NumberArray]:
        """The cells of the rows of a piece, and their target."""
        values = columns_module.read_columns(self.columns, piece, reader)
        return values, reader(self.target.encode, piece.column(self.target.name))

    def _encoded(self, piece: Table, values: list[Values]) -> X32:
        """The inputs of the rows of a piece, as they are learned from."""
        X = columns_module.encode(self.columns, values, piece.rows)
        X *= self.paces
        return X


@dataclass(frozen=True)
class Whole:
    """A table on disk, and which of the rows drawn from it are learned from.

    Parameters
    ----------
    encoder : Encoder
        How its rows are read.
    X : ndarray of shape (drawn rows, inputs)
        What it makes of the rows drawn.
    y : ndarray of shape (drawn rows,)
        The target of these.
    train : ndarray of int
        Those that are learned from.
    """

    encoder: Encoder
    X: X32
    y: NumberArray
    train: Rows

    @property
    def rows(self) -> int:
        """How many rows there are to learn from, but for some."""
        return sum(self.encoder.known)

    def but(self, rest: Rows, target: Target, chosen: Mask) -> EncodedRows:
        """All rows but those drawn that are not among `rest`, rows of `train` by their places in it."""
        return EncodedRows(self.encoder, self.X, self.y, self.train[rest], target, chosen)


class EncodedRows(StoredRows):
    """All rows of a table but some of those that were drawn from it.

    Parameters
    ----------
    encoder : Encoder
        How they are read.
    X : ndarray of shape (drawn rows, inputs)
        What it makes of the rows drawn.
    y : ndarray of shape (drawn rows,)
        The target of these.
    learned : ndarray of int
        Which of these are learned from too.
    target : Target
        In the form that is learned.
    chosen : ndarray of shape (inputs,), bool
        The inputs that are learned from.
    """

    def __init__(self, encoder: Encoder, X: X32, y: NumberArray, learned: Rows, target: Target, chosen: Mask) -> None:
        self.encoder, self.target, self.chosen = encoder, target, chosen
        whole, numbers = encoder.table.whole, encoder.table.numbers
        out = np.ones(len(numbers), np.bool_)
        out[learned] = False
        self.left_out = numbers[out]
        known = numbers[out & target.known(y)]
        starts = np.array([first for _, _, first in whole.groups] + [whole.rows])
        counts = np.array(encoder.known) - np.diff(np.searchsorted(known, starts))
        self._places = [int(place) for place in np.nonzero(counts)[0]]
        self.groups = counts[self._places].tolist()
        some = learned[np.linspace(0, len(learned) - 1, min(len(learned), LOOKED_AT)).astype(np.int64)]
        self.some = self._learned(X[some] * encoder.paces, target.taught(y[some]))

    @property
    def inputs(self) -> list[str]:
        return [name for name, used in zip(self.encoder.inputs, self.chosen, strict=True) if used]

    def blocks(self, group: int) -> Iterator[Block]:
        for first, X, y in self.encoder.rows_of(self._places[group]):
            kept = self.target.known(y)
            here = self.left_out[np.searchsorted(self.left_out, first) : np.searchsorted(self.left_out, first + len(y))]
            kept[here - first] = False
            if not kept.all():
                X, y = X[kept], y[kept]
            yield self._learned(X, self.target.taught(y))

    def _learned(self, X: X32, y: NumberArray) -> Block:
        """Rows of the inputs that are learned from."""
        return _Encoded(X if self.chosen.all() else X[:, self.chosen], y)

    def held(self, group: int) -> int:
        return self.encoder.table.whole.held(self._places[group], [*self.encoder.names, self.encoder.target.name])

    def check_same(self, group: int) -> None:
        self.encoder.table.whole.groups[self._places[group]][0].check_same()

    def refuse(self, group: int, row: int, column: int | None, why: str) -> DataError:
        file, place, _ = self.encoder.table.whole.groups[self._places[group]]
        return DataError(f"{file.name}, row group {place + 1}: {why}")

    def describe(self) -> Any:
        told = [columns_module.to_json(column) for column in self.encoder.columns], self.target.to_json(), self.inputs
        sha = hashlib.sha256(json.dumps(told).encode())
        sha.update(self.left_out.tobytes())
        return [self.encoder.table.whole.describe(), sha.hexdigest()]


class _Encoded(Block):
    """Rows whose inputs are encoded already."""

    def __init__(self, X: FloatArray, y: NumberArray) -> None:
        super().__init__((), y)
        self.X = X

    def __getitem__(self, rows: slice) -> Block:
        return _Encoded(self.X[rows], self.y[rows])

    def write(self, X: FloatArray) -> None:
        X[...] = self.X

    def rows(self, dtype: np.dtype[Any]) -> FloatArray:
        return self.X.astype(dtype)
