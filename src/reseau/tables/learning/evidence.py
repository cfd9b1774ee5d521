"""Rows that a table model has not learned from, and what it says of them: what scores and reports are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.errors import DataError
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32, Rows
from reseau.tables.reading.cells import Codes
from reseau.tables.reading.table import Table, read_table

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network
    from reseau.tables.model import TableModel
    from reseau.tables.targets.target import Values

MOST_SHOWN, SHOWN_NBYTES = 4096, 1 << 25  # rows, and bytes of their inputs, that are kept of all networks together


@dataclass(frozen=True)
class Held:
    """Rows that a network has not learned from, with their inputs.

    Attributes
    ----------
    network : Network or Ensemble
        A member of the model's network, or all of it.
    rows : ndarray of int
        Places in the evidence.
    X : ndarray of shape (rows, inputs)
        What the network has of these rows.
    """

    network: Network | Ensemble
    rows: Rows
    X: X32


@dataclass(frozen=True)
class Evidence:
    """Rows of a table whose target is known, that the model has not learned from.

    Attributes
    ----------
    table : Table
        Where they are from.
    rows : ndarray of int
        Which rows of it, the first being 0, in increasing order.
    y : ndarray of shape (rows,)
        Their target, as the model's target encodes it.
    O : ndarray of shape (rows, outputs)
        The outputs: out of fold the mean of the members that have not learned from the row.
    folds : ndarray of int
        The fold of each row, by which scores can be told apart; one fold where rows were held out, or are new.
    held : tuple of Held
        Some of the rows, at most 4,096 and 32 MB of inputs in all, with what a network has of them.
    """

    table: Table
    rows: Rows
    y: Values
    O: npt.NDArray[np.floating[Any]]
    folds: Codes
    held: tuple[Held, ...]

    @classmethod
    def of(cls, model: TableModel, data: Any, *, threads: int | None = None) -> Evidence:
        """What a model says of a table that it has not learned from.

        Parameters
        ----------
        model : TableModel
        data : path, "-", open file, Table, data frame, dict or list of dicts
            With the target.
        threads : int or None
            At most as many threads; the result is the same for any number.

        Raises
        ------
        DataError
            If the target is missing in each row, or a cell cannot be read.
        """
        table = read_table(data, **model.reading)
        return cls.of_targets(model, table, model.target.encode(table.column(model.target.name)), threads)

    @classmethod
    def of_targets(cls, model: TableModel, table: Table, y: Values, threads: int | None) -> Evidence:
        """Of a table that a model has not learned from, with the targets y, (rows,), as the model's target has them."""
        rows = np.nonzero(model.target.known(y))[0]
        if not len(rows):
            raise DataError(f"{table.name} has no row with a known value in {model.target.name!r}.")
        values = columns_module.read_columns(model.columns, table)
        X = columns_module.encode(model.columns, values, table.rows)[rows]
        return cls.of_inputs(table, rows, y[rows], X, model.network, threads)

    @classmethod
    def of_inputs(
        cls, table: Table, rows: Rows, y: Values, X: X32, network: Network | Ensemble, threads: int | None
    ) -> Evidence:
        """Of rows of a table whose inputs are X, (rows, inputs), and that no part of the network has learned from."""
        few = some(np.arange(len(rows)), X.shape[1], 1, [0])
        held = Held(network, few, X[few])
        return cls(table, rows, y, network(X, threads=threads), np.zeros(len(rows), np.int64), (held,))


def some(rows: Rows, inputs: int, networks: int, seed: Sequence[int]) -> Rows:
    """Draw as many of the rows as one of so many networks has its share of as evidence, in increasing order."""
    most = max(min(MOST_SHOWN, SHOWN_NBYTES // (4 * max(inputs, 1))) // networks, 1)
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
