"""ArrowRows: samples and targets in columns of Parquet, Arrow or a stream, for `Network.fit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.array_likes import NumberArray
from reseau.arrays import FloatArray, StoredLike
from reseau.checks import shown
from reseau.errors import DataError, ParameterError
from reseau.stored.files import StoredFile, files_of
from reseau.stored.rows import Block, StoredRows

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 1 << 20  # of float32 that are converted at once: columns become rows in the processor's own memory
LEAST_ROWS, MOST_ROWS = 64, 1 << 16  # of such a block
MOST_NAMES = 12  # in a message


class ArrowRows(StoredRows):
    """Samples and targets that stay on disk while a network is trained on them: columns of Parquet, Arrow or a stream.

    `Network.fit` takes it in the place of X and y, and of validation data. Some 100 MB are in memory at the same time,
    whatever the size of the files.

    Parameters
    ----------
    source : path, list of paths, pyarrow Dataset, or what gives a stream of Arrow
        A file of Parquet or Arrow (IPC, Feather); a folder of such, in which those in folders within are found too; a
        pattern, such as "part-*.parquet"; a list of these; a Dataset of files. Or a stream of Arrow, such as a
        RecordBatchReader, or a query of DuckDB: whatever has `__arrow_c_stream__`. A stream can be gone through only
        once; it is written to a temporary file (in the folder that the environment variable TMPDIR names), which is
        removed with this object.
    targets : str or list of str
        The column of the targets, or of the labels (whole numbers from 0); several for as many targets.
    inputs : list of str or None
        The columns of X, in this order; None takes all others, in the order of the first file.

    Attributes
    ----------
    rows : int
        How many there are.
    groups : list of int
        How many rows each row group has, or each record batch of Arrow.
    inputs, targets : tuple of str
        The columns.

    Raises
    ------
    DataError
        If there is no such column or it holds no numbers, or a file cannot be read: the message names the file.
    ParameterError
        If `source` is none of these, or a column is named twice.
    OSError
        If a file cannot be opened.

    Notes
    -----
    An epoch takes each row once. Row groups are taken in an order that is drawn anew for each epoch, at most four of
    them at the same time, of each the next rows in their order. Those that fill a window of 32 MB are shuffled among
    themselves. So the order follows from the seed of the network, the row groups and the batch size alone. Files whose
    rows are sorted are shuffled the better, the smaller their row groups are, and so is the memory: some 100,000 rows
    each are good.

    A first pass looks at every cell, so that what cannot be used is refused before the training, and writes the rows as
    they are learned from into a temporary file (where TMPDIR says, and only where at least twice as much is free on a
    disk), from which all epochs read them. So unpacking takes its time once.

    Examples
    --------
    >>> import numpy as np, pyarrow as pa, pyarrow.parquet as pq, reseau as rs, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> for part in range(3):
    ...     x = np.random.default_rng(part).uniform(-1, 1, 200)
    ...     pq.write_table(pa.table({"x": x, "y": np.sin(3 * x)}), f"{folder.name}/part-{part}.parquet")
    >>> rows = rs.ArrowRows(f"{folder.name}/part-*.parquet", targets="y")
    >>> rows
    ArrowRows(600 rows in 3 groups, 1 input, targets 'y')
    >>> net = rs.Network(rs.Dense(16, "tanh"), rs.Dense(1), seed=0)
    >>> history = net.fit(rows, optimizer=rs.Adam(0.02), epochs=40)
    >>> history.loss[-1] < 0.01
    True
    """

    def __init__(
        self, source: StoredLike, targets: str | Sequence[str], *, inputs: Sequence[str] | None = None
    ) -> None:
        self._single = isinstance(targets, str)
        self.targets: tuple[str, ...] = _names("targets", (targets,) if isinstance(targets, str) else targets)
        wanted = None if inputs is None else _names("inputs", inputs)
        for name in wanted or ():
            if name in self.targets:
                raise ParameterError(f"inputs holds {name!r}, which is a target too; leave it out of one of them.")
        files = files_of(source, None if wanted is None else [*wanted, *self.targets])
        if wanted is None:
            wanted = tuple(name for name in files[0].schema.names if name not in self.targets)
        self._inputs, self._columns = wanted, [*wanted, *self.targets]
        if not wanted:
            raise DataError(f"{files[0].name} has no column but the targets; there is nothing to learn from.")
        for file in files:
            for name in (*wanted, *self.targets):
                _check_column(file, name)
        self._files = files
        self._groups = [
            (file, group, count)
            for file in files
            for group, count in enumerate(file.groups)
            if count  # may be empty
        ]
        self.groups: list[int] = [count for _, _, count in self._groups]
        if not self.groups:
            raise DataError(f"{files[0].name}{' and the other files have' if files[1:] else ' has'} no rows.")
        self._block = int(np.clip(BLOCK_BYTES // (4 * len(wanted)), LEAST_ROWS, MOST_ROWS))

    @property
    def inputs(self) -> tuple[str, ...]:
        return self._inputs

    def __repr__(self) -> str:
        counts = f"{self.rows:,} rows in {len(self.groups):,} group{'s' * (len(self.groups) > 1)}"
        inputs = f"{len(self.inputs)} input{'s' * (len(self.inputs) > 1)}"
        return f"ArrowRows({counts}, {inputs}, targets {', '.join(map(repr, self.targets))})"

    def __iter__(self) -> Iterator[tuple[FloatArray, npt.NDArray[Any]]]:
        """Go through the rows in the order of the files: X (rows, inputs) in float32 and y of some rows at a time."""
        for group in range(len(self.groups)):
            for block in self.blocks(group):
                yield block.rows(np.dtype(np.float32)), block.y

    def blocks(self, group: int) -> Iterator[Block]:
        file, place, _ = self._groups[group]
        for batch in file.batches(place, self._columns, self._block):
            cells = dict(zip(batch.schema.names, map(_numbers, batch.columns), strict=True))
            y = [cells[name] for name in self.targets]
            yield Block([cells[name] for name in self.inputs], y[0] if self._single else np.column_stack(y))

    def held(self, group: int) -> int:
        file, place, _ = self._groups[group]
        return file.held(place, self._columns)

    def check_same(self, group: int) -> None:
        self._groups[group][0].check_same()

    def refuse(self, group: int, row: int, column: int | None, why: str) -> DataError:
        file, place, _ = self._groups[group]
        in_file = sum(file.groups[:place]) + row
        name = ", ".join(map(repr, self.targets)) if column is None else repr(self.inputs[column])
        return DataError(f"{file.name}, row {in_file + 1} (of row group {place + 1}), column {name}: {why}")

    def describe(self) -> Any:
        return {"inputs": list(self.inputs), "targets": list(self.targets), "groups": list(self.groups)}


def _names(parameter: str, given: Any) -> tuple[str, ...]:
    """Names of columns, each once."""
    names = tuple(given) if isinstance(given, list | tuple) else None
    if not names or not all(isinstance(name, str) for name in names):
        raise ParameterError(f"{parameter} is {shown(given)}, but must be a list of names of columns.")
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ParameterError(f"{parameter} holds {name!r} twice; name each column once.")
    return names


def _check_column(file: StoredFile, name: str) -> None:
    """Refuse a column that is not there, or not of numbers."""
    import pyarrow as pa

    known = file.schema.names
    if known.count(name) != 1:
        more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
        columns = ", ".join(map(repr, known[:MOST_NAMES])) + more
        number = "several columns" if name in known else "no column"
        raise DataError(f"{file.name} has {number} named {name!r}; its columns are {columns}.")
    kind = file.schema.field(name).type
    types = pa.types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)):
        raise DataError(
            f"{file.name}, column {name!r} is of type {kind}, but a network learns from numbers; leave it out by "
            "inputs=[...], or let TableModel.train read the table."
        )


def _numbers(cells: pa.Array) -> NumberArray:
    """A column as NumPy has it, NaN where a cell is missing."""
    import pyarrow as pa

    if pa.types.is_decimal(cells.type):
        cells = cells.cast(pa.float64())
    if cells.null_count and pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    found: NumberArray = cells.to_numpy(zero_copy_only=False)
    return found
