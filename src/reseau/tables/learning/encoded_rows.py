"""The rows of a table that stays on disk, encoded as they are read: what networks of a table model learn from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reseau.array_likes import NumberArray
from reseau.arrays import FloatArray
from reseau.errors import DataError
from reseau.stored.converted import Converted
from reseau.stored.rows import Block, StoredRows
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32, Description, Rows, Values
from reseau.tables.learning.row_bits import RowBits
from reseau.tables.learning.rows import NOTHING_SAID, Beside, with_class_weights
from reseau.tables.reading.cells import Codes, Mask
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
    weights : ndarray of shape (rows,) or None
        How much each row of the whole table counts; those of weight 0 are left out.
    of_classes : ndarray of shape (classes,), "balanced" or None
        How much the rows of each class count.

    Attributes
    ----------
    notes : list of str
        What was left out or counted as missing.
    spans : list of (int, int)
        Of each group the number of its first row, and of that after its last.
    known : RowBits
        Which rows have a target, and count.
    y : ndarray of shape (rows,) or None
        The class of each row, where classes count differently.
    """

    def __init__(
        self,
        table: SampledTable,
        columns: Sequence[Description],
        target: Target,
        weights: FloatArray | None = None,
        of_classes: FloatArray | str | None = None,
    ) -> None:
        self.table, self.columns, self.target = table, columns, target
        self.inputs: list[str] = [feature for column in columns for feature in column.features]
        self.paces = np.array([pace for column in columns for pace in column.paces], np.float32)
        self.names: list[str] = [name for name in table.columns if any(d.name == name and d.features for d in columns)]
        begins = [first for _, _, first in table.whole.groups]
        self.spans = list(pairwise([*begins, table.whole.rows]))
        self.rows: int = int(np.clip(PIECE_BYTES // (4 * max(len(self.inputs), 1)), LEAST_ROWS, MOST_ROWS))
        self.known = RowBits()
        classes: list[NumberArray] = []
        without_target = 0
        reader = Reader(MISSING)
        some = target.encode(table.column(target.name))[:1]
        self._y_dtype = some.dtype
        counts = [end - begin for begin, end in self.spans]
        converted = Converted.where_there_is_room(counts, (np.empty((1, len(self.inputs)), np.float32), some))
        for group, (begin, _) in enumerate(self.spans):
            known: list[Mask] = []
            for first, piece in self._pieces(group):
                values, y = self._read(piece, reader)
                known.append(target.known(y))
                without_target += len(y) - int(known[-1].sum())
                if weights is not None:
                    known[-1] &= weights[first : first + len(y)] > 0
                if isinstance(of_classes, np.ndarray):
                    known[-1] &= np.append(of_classes, 0.0)[y] > 0
                if of_classes is not None:
                    classes.append(y.astype(np.int32))
                if converted is not None and not converted.write(group, first - begin, self._encoded(piece, values), y):
                    converted = None
            self.known.append(np.concatenate(known))
        self._converted = converted
        self.y = np.concatenate(classes) if classes else None
        lost, of_none = without_target, table.whole.rows - without_target - self.known.count
        self.notes = [f"{plural(lost, 'row')} without a known value in {target.name!r} left out"] * bool(lost)
        self.notes += [f"{plural(of_none, 'row')} of weight 0 left out"] * bool(of_none) + reader.notes

    def rows_of(self, group: int) -> Iterator[tuple[int, X32, NumberArray]]:
        """Read a group: of some rows after the others the number of the first, the inputs and the target."""
        if self._converted is None:
            reader = Reader(MISSING)
            for first, piece in self._pieces(group):
                values, y = self._read(piece, reader)
                yield first, self._encoded(piece, values), y
            return
        self.table.whole.groups[group][0].check_same()
        begin, end = self.spans[group]
        for first in range(begin, end, self.rows):
            rows = min(self.rows, end - first)
            X, y = np.empty((rows, len(self.inputs)), np.float32), np.empty(rows, self._y_dtype)
            self._converted.read(group, first - begin, X, y)
            yield first, X, y

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
    """A table on disk, and which of its rows are learned from.

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
    allowed : RowBits
        Which of the rows that were not drawn are learned from.
    held_out : int
        How many rows are not because they, their group or their time are held out.
    groups : ndarray of shape (rows,) or None
        The group of each row of the table.
    weights : ndarray of shape (rows,) or None
        How much each counts; 1 in the mean of those learned from.
    """

    encoder: Encoder
    X: X32
    y: NumberArray
    train: Rows
    allowed: RowBits
    held_out: int
    groups: Codes | None
    weights: FloatArray | None

    @classmethod
    def of(
        cls,
        encoder: Encoder,
        X: X32,
        y: NumberArray,
        train: Rows,
        out: Rows,
        said: Beside = NOTHING_SAID,
        of_classes: FloatArray | str | None = None,
    ) -> Whole:
        """The table where some of the rows drawn are learned from, and not the rows `out`, which are held out.

        With these go all rows of their groups, and all that are not before the first of them.
        """
        numbers, known, allowed = encoder.table.numbers, encoder.known, RowBits()
        times = said.times if len(out) else None
        groups = said.groups if said.times is None else None
        banned = _banned(groups, numbers[out])
        for group, (begin, end) in enumerate(encoder.spans):
            rows = known.of(group)
            if times is not None:
                rows &= times[begin:end] < times[numbers[out]].min()
            if groups is not None:
                rows &= ~banned[groups[begin:end]]
            allowed.append(rows)
        held_out = known.count - allowed.count + (len(out) if times is None and groups is None else 0)
        weights = None
        if said.weights is not None or of_classes is not None:
            learned = np.concatenate([allowed.of(group) for group in range(len(encoder.spans))])
            learned[numbers[out]] = False
            classes = np.zeros(0) if encoder.y is None else encoder.y[learned]
            own = None if said.weights is None else said.weights[learned]
            found = with_class_weights(own, of_classes, classes, encoder.target.outputs)
            assert found is not None
            if (found != found[0]).any():
                found /= found.mean()  # beside them l2 weighs as ever
                weights = np.zeros(len(learned))
                weights[learned] = found
        return cls(encoder, X, y, train, allowed, held_out, said.groups, weights)

    @property
    def rows(self) -> int:
        """How many rows there are to learn from, but for some."""
        return self.allowed.count

    @property
    def weights_of_drawn(self) -> FloatArray | None:
        """How much those of the rows drawn count that are learned from."""
        return None if self.weights is None else self.weights[self.encoder.table.numbers[self.train]]

    def but(self, rest: Rows, target: Target, chosen: Mask) -> EncodedRows:
        """All rows but those drawn, and their groups, that are not among `rest`: rows of `train` by their places."""
        return EncodedRows(self, self.train[rest], target, chosen)


class EncodedRows(StoredRows):
    """All rows of a table that are learned from but some of those that were drawn, and their groups.

    Parameters
    ----------
    whole : Whole
        The table.
    learned : ndarray of int
        Which of the rows drawn are learned from too.
    target : Target
        In the form that is learned.
    chosen : ndarray of shape (inputs,), bool
        The inputs that are learned from.
    """

    def __init__(self, whole: Whole, learned: Rows, target: Target, chosen: Mask) -> None:
        self.whole, self.encoder, self.target, self.chosen = whole, whole.encoder, target, chosen
        numbers = self.encoder.table.numbers
        out = np.ones(len(numbers), np.bool_)
        out[learned] = False
        self.left_out = numbers[out]
        banned = _banned(whole.groups, numbers[np.setdiff1d(whole.train, learned)])
        self._learned = RowBits()
        for group, (begin, end) in enumerate(self.encoder.spans):
            rows = whole.allowed.of(group)
            here = slice(*np.searchsorted(self.left_out, (begin, end)))
            rows[self.left_out[here] - begin] = False
            if whole.groups is not None:
                rows &= ~banned[whole.groups[begin:end]]
            self._learned.append(rows)
        self._places = [place for place, count in enumerate(self._learned.counts) if count]
        self.groups: list[int] = [self._learned.counts[place] for place in self._places]
        some = learned[np.linspace(0, len(learned) - 1, min(len(learned), LOOKED_AT)).astype(np.int64)]
        s = None if whole.weights is None else whole.weights[numbers[some]]
        self.some = self._block(whole.X[some] * self.encoder.paces, whole.y[some], s)

    @property
    def weight(self) -> float:
        weights, spans = self.whole.weights, self.encoder.spans
        if weights is None:
            return self.rows
        return sum(float(weights[slice(*spans[place])][self._learned.of(place)].sum()) for place in self._places)

    @property
    def inputs(self) -> list[str]:
        return [name for name, used in zip(self.encoder.inputs, self.chosen, strict=True) if used]

    def blocks(self, group: int) -> Iterator[Block]:
        place = self._places[group]
        learned, begin = self._learned.of(place), self.encoder.spans[place][0]
        for first, X, y in self.encoder.rows_of(place):
            rows = slice(first - begin, first - begin + len(y))
            s = None if self.whole.weights is None else self.whole.weights[first : first + len(y)]
            if not learned[rows].all():
                X, y, s = X[learned[rows]], y[learned[rows]], None if s is None else s[learned[rows]]
            yield self._block(X, y, s)

    def _block(self, X: X32, y: NumberArray, s: FloatArray | None) -> Block:
        """Rows of the inputs that are learned from."""
        return _Encoded(X if self.chosen.all() else X[:, self.chosen], self.target.taught(y), s)

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
        sha.update(self._learned.tobytes())
        sha.update(b"" if self.whole.weights is None else self.whole.weights.tobytes())
        return [self.encoder.table.whole.describe(), sha.hexdigest()]


def _banned(groups: Codes | None, numbers: Rows) -> Mask:
    """Which groups have some of these rows, (groups,)."""
    found = np.zeros(0 if groups is None else int(groups.max()) + 1, np.bool_)
    if groups is not None:
        found[groups[numbers]] = True
    return found


class _Encoded(Block):
    """Rows whose inputs are encoded already."""

    def __init__(self, X: FloatArray, y: NumberArray, s: FloatArray | None) -> None:
        super().__init__((), y, s)
        self.X = X

    def __getitem__(self, rows: slice) -> Block:
        return _Encoded(self.X[rows], self.y[rows], None if self.s is None else self.s[rows])

    def write(self, X: FloatArray) -> None:
        X[...] = self.X

    def rows(self, dtype: np.dtype[Any]) -> FloatArray:
        return self.X.astype(dtype)
