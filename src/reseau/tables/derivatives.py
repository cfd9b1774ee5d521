"""How the predictions of a table model follow the columns of numbers, in the units of the table."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reseau.array_likes import check_finite, numbers
from reseau.arrays import ArrayLike, TableLike
from reseau.checks import shown
from reseau.ensemble import Ensemble
from reseau.errors import DataError
from reseau.network import Network
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.description import X32, Description
from reseau.tables.reading.cells import Floats
from reseau.tables.reading.table import did_you_mean, listed, read_table
from reseau.tables.targets.target import Target


@dataclass(frozen=True)
class _Input:
    """What a column of numbers gives: inputs z from `place` on, and their ∂z/∂x and ∂²z/∂x², NaN where x is missing."""

    place: int
    slope: Floats  # (rows, inputs)
    bend: Floats

    def of(self, J: Floats) -> Floats:
        """∂p/∂x (rows, outputs) of J = ∂p/∂z (rows, outputs, all inputs): Σ ∂p/∂z ∂z/∂x."""
        return self._sum(J, self.slope)

    def bent(self, J: Floats) -> Floats:
        """Σ ∂p/∂z ∂²z/∂x² (rows, outputs)."""
        return self._sum(J, self.bend)

    def _sum(self, J: Floats, by: Floats) -> Floats:
        return np.asarray((J[:, :, self.place : self.place + by.shape[1]] * by[:, None]).sum(axis=2))


class Differentiable(ABC):
    """The derivatives of a table model; with z the inputs made of the numbers x, ∂p/∂x = ∂p/∂z ∂z/∂x."""

    columns: tuple[Description, ...]
    target: Target
    network: Network | Ensemble
    reading: Mapping[str, str | None]

    def jacobian(self, data: TableLike, *, threads: int | None = None) -> dict[str, Floats]:
        """How what is predicted follows each column of numbers, in the units of the table.

        Parameters
        ----------
        data : path, Table, data frame, dict or list of dicts
            As for `predict`.
        threads : int or None
            As for `predict`.

        Returns
        -------
        dict of str to ndarray of shape (rows, outputs)
            By the name of each column of numbers that the model uses: of a quantity ∂(prediction)/∂(number), (rows, 1),
            and of classes that of the probability of each. It is NaN where the cell is missing, and 0 where the number
            lies so far out that the model takes it for nearer, or the prediction is held at the least number met.

        Raises
        ------
        DataError
            If a column is missing, or a cell cannot be read as what its column held at training.
        """
        Z, inputs = self._inputs(data)
        J = self.network.jacobian(Z, threads=threads).astype(np.float64)
        slope, _ = self._slopes(Z, threads)
        return {name: slope * each.of(J) for name, each in inputs.items()}

    def jvp(self, data: TableLike, v: Mapping[str, ArrayLike | float], *, threads: int | None = None) -> Floats:
        """How what is predicted changes where columns of numbers move in the direction v: `jacobian` times v.

        Parameters
        ----------
        data, threads
            As of `jacobian`.
        v : mapping of str to float or array-like of shape (rows,)
            By the name of a column of numbers how fast it moves, in its units; columns that are not named stay.

        Returns
        -------
        ndarray of shape (rows, outputs)
            Outputs are as of `jacobian`. NaN where a cell that moves is missing.

        Raises
        ------
        DataError
            For a v that names what is no column of numbers, or holds what is not finite; and as `jacobian` does.

        Examples
        --------
        >>> import reseau as rs
        >>> table = {"x": range(20), "y": [3 * x for x in range(20)]}
        >>> model = rs.TableModel.train(table, "y", epochs=5)
        >>> row = {"x": [4.5]}
        >>> bool(abs(model.jvp(row, {"x": 2.0}) - 2 * model.jacobian(row)["x"]) < 1e-5)
        True
        """
        Z, inputs = self._inputs(data)
        _, V, lengths = self._direction(v, inputs, len(Z))
        slope, _ = self._slopes(Z, threads)
        return slope * self.network.jvp(Z, V, threads=threads) * lengths[:, None]

    def vjp(self, data: TableLike, u: ArrayLike, *, threads: int | None = None) -> dict[str, Floats]:
        """The gradient of the sum of what is predicted, weighed by u, by each column of numbers: uᵀ times `jacobian`.

        Parameters
        ----------
        data, threads
            As of `jacobian`.
        u : array-like of shape (rows, outputs), or (outputs,)
            The weights of each row's outputs, or the same for all.

        Returns
        -------
        dict of str to ndarray of shape (rows,)
            By the name of each column of numbers; NaN and 0 as of `jacobian`.

        Raises
        ------
        DataError
            For weights that are not finite numbers of the right shape; and as `jacobian` does.
        """
        Z, inputs = self._inputs(data)
        slope, _ = self._slopes(Z, threads)
        weights = numbers(u, "u")
        if weights.shape in (slope.shape, slope.shape[1:]):  # others are refused by the network
            u = weights * slope
        G = self.network.vjp(Z, u, threads=threads).astype(np.float64)
        return {name: each.of(G[:, None])[:, 0] for name, each in inputs.items()}

    def hessian_vector(
        self, data: TableLike, v: Mapping[str, ArrayLike | float], *, threads: int | None = None
    ) -> dict[str, Floats]:
        """How `jacobian` changes where columns of numbers move in the direction v: the Hessian of each output times v.

        Parameters
        ----------
        data, v, threads
            As of `jvp`.

        Returns
        -------
        dict of str to ndarray of shape (rows, outputs)
            By the name of each column i of numbers Σ_k ∂²p/∂x_i∂x_k v_k, NaN where its cell, or one that moves, is
            missing. A network of ReLUs is made of straight lines, and bends only where a column is squashed.

        Raises
        ------
        DataError
            As `jvp` does.
        """
        Z, inputs = self._inputs(data)
        speeds, V, lengths = self._direction(v, inputs, len(Z))
        H = self.network.hessian_vector(Z, V, threads=threads) * lengths[:, None, None]
        found = {name: each.of(H) for name, each in inputs.items()}
        J = self.network.jacobian(Z, threads=threads).astype(np.float64)
        for name, speed in speeds.items():
            found[name] += inputs[name].bent(J) * speed[:, None]
        slope, bend = self._slopes(Z, threads)
        moved = self.network.jvp(Z, V, threads=threads) * lengths[:, None]
        return {name: slope * bent + bend * moved * inputs[name].of(J) for name, bent in found.items()}

    def _slopes(self, Z: X32, threads: int | None) -> tuple[Floats, Floats]:
        """The first two derivatives of what is predicted by the outputs, (rows, outputs) each."""
        return self.target.slopes(self.network(Z, threads=threads))

    def _inputs(self, data: Any) -> tuple[X32, dict[str, _Input]]:
        """The inputs of the rows of a table, and which of them columns of numbers give."""
        table = read_table(data, **self.reading)
        values = columns_module.read_columns(self.columns, table)
        found, place = {}, 0
        for column, cells in zip(self.columns, values, strict=True):
            slopes = column.slopes(cells)
            if slopes is not None:
                found[column.name] = _Input(place, *slopes)
            place += len(column.features)
        return columns_module.encode(self.columns, values, table.rows), found

    def _direction(self, v: Any, inputs: Mapping[str, _Input], rows: int) -> tuple[dict[str, Floats], Floats, Floats]:
        """How fast each column moves, how the inputs then do, and how often as fast that is as is said.

        Of each row the inputs move by no more than 1, which any precision holds. The last is NaN where a cell that
        moves is missing.
        """
        speeds = {name: self._speed(name, speed, inputs, rows) for name, speed in self._named(v).items()}
        V = np.zeros((rows, sum(len(column.features) for column in self.columns)))
        for name, speed in speeds.items():
            each = inputs[name]
            moving = np.where(speed[:, None] == 0, 0, each.slope * speed[:, None])
            V[:, each.place : each.place + moving.shape[1]] = moving
        lengths = np.abs(V).max(axis=1, initial=0)
        V = np.divide(V, lengths[:, None], out=np.zeros_like(V), where=lengths[:, None] > 0)
        return speeds, V, lengths

    def _named(self, v: Any) -> Mapping[str, Any]:
        if not isinstance(v, Mapping):
            raise DataError(f"v is {shown(v)}, but must be a mapping from columns of numbers to how fast they move.")
        return v

    def _speed(self, name: Any, speed: Any, inputs: Mapping[str, _Input], rows: int) -> Floats:
        """How fast a column moves in each row."""
        if name not in inputs:
            kinds = {column.name: column.kind for column in self.columns}
            what = (
                f"which is of the kind {kinds[name]!r}"
                if name in kinds
                else f"unknown to the model{did_you_mean(name, kinds)}"
            )
            raise DataError(
                f"v names {shown(name)}, {what}; there are derivatives by columns of numbers alone: {listed(inputs)}."
            )
        array = numbers(speed, f"v[{name!r}]").astype(np.float64)
        if array.shape not in ((), (rows,)):
            raise DataError(
                f"v[{name!r}] has shape {array.shape}, but must be a number, or ({rows},), one for each row."
            )
        array = np.broadcast_to(array, (rows,))
        check_finite(array, f"v[{name!r}]", array.dtype)
        return array
