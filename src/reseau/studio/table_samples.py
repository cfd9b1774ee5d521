"""The rows of a table as the data of a document."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.blackboard import Names
from reseau.errors import ReseauError
from reseau.network import Network
from reseau.studio.data import Axis, Data, Floats32, Numbers
from reseau.studio.frames import thinned
from reseau.studio.refusal import Refusal
from reseau.tables.columns.description import Scaled
from reseau.tables.columns.kinds import Number
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Table
from reseau.tables.table_data import TableData
from reseau.tables.targets.quantity import OF_MEANS
from reseau.vocabulary.losses import LOSSES

LOOKED_AT = 5000  # rows that tell what is typical


class TableSamples(Data):
    """Rows of a table, of a document's `Table`.

    Attributes
    ----------
    table_data : TableData
    """

    def __init__(self, table: Table, description: dict[str, Any], loss: str, like: TableModel | None = None) -> None:
        if like is not None and (description["target"] != like.target.name or description["columns"]):
            like = None  # which says neither
        self.description = {name: value for name, value in description.items() if name != "like" or like is not None}
        given = {"held_out": description["held_out"], "seed": description["seed"], "columns": description["columns"]}
        try:
            data = TableData(table, description["target"], like=like, **given)
        except ReseauError as error:
            raise Refusal("table_unreadable", str(error), name=table.name, message=str(error)) from None
        losses = data.target.losses if like is None else (str(data.target.loss),)
        self.losses = {name: LOSSES[name].output for name in losses}
        self.of_means = like is None and loss in OF_MEANS and loss in self.losses
        if self.of_means:
            try:
                data = TableData(table, description["target"], loss=LOSSES[loss], **given)
            except ReseauError as error:
                raise Refusal("network_refused", str(error), message=str(error)) from None
        self.table_data, self.X, self.X_val = data, data.X, data.X_val
        self.task, self.target = data.target.task, data.target.name
        self.classes, self.inputs, self.notes = data.classes, data.inputs, list(data.notes)
        stops = list(accumulate(len(column.features) for column in data.columns))
        self._inputs = [slice(stop - len(c.features), stop) for c, stop in zip(data.columns, stops, strict=True)]
        self._drawn = [
            place
            for place, column in enumerate(data.columns)
            if isinstance(column, Number) and column.features and not column.still
        ]
        self._rows = (data.rows, data.rows_val)
        every = np.concatenate(self._rows)
        self.axes = [Axis.around(data.columns[place].name, self._numbers(place)[every]) for place in self._drawn]
        self._typical = self._of_typical_cells()

    def is_taught_alike(self, loss: str) -> bool:
        of_means = "like" not in self.description and loss in OF_MEANS and loss in self.losses
        return of_means == self.of_means

    def labels(self, validation: bool) -> Numbers:
        return self.table_data.truth(self._rows[validation])

    def taught(self, loss: str, validation: bool = False) -> Numbers:
        return self.table_data.y_val if validation else self.table_data.y

    def numbers(self, network: Network, O: Numbers) -> npt.NDArray[np.float64]:
        return self.table_data.target.predicted(O)

    def across(self, axis: int, validation: bool) -> npt.NDArray[np.float64]:
        return self._numbers(self._drawn[axis])[self._rows[validation]]

    def on(self, places: Mapping[int, Numbers]) -> Floats32:
        X = np.repeat(self._typical, len(next(iter(places.values()))), axis=0)
        for axis, numbers in places.items():
            place = self._drawn[axis]
            self.table_data.columns[place].encode(np.asarray(numbers, np.float64), X[:, self._inputs[place]])
        return X

    def names(self, validation: bool, row: int, lang: str) -> Names:
        truth = self.labels(validation)[row : row + 1]
        _, outputs = self.table_data.target.lesson(truth, row, None, lang)
        return Names([name for column in self.table_data.columns for name in column.inputs_in(lang)], outputs)

    def _numbers(self, place: int) -> npt.NDArray[np.float64]:
        """What was read in a column of numbers; where it is missing, what the network takes for it."""
        column, values = self.table_data.columns[place], np.asarray(self.table_data.values(place), np.float64)
        assert isinstance(column, Scaled)
        return np.where(np.isnan(values), column.fill, values)

    def _of_typical_cells(self) -> Floats32:
        """The inputs of a row whose numbers are the medians, and whose labels are the most frequent, (1, inputs)."""
        typical = np.zeros((1, len(self.inputs)), np.float32)
        some = self.X[thinned(len(self.X), LOOKED_AT)]
        for column, inputs in zip(self.table_data.columns, self._inputs, strict=True):
            if isinstance(column, Scaled):
                column.encode(np.array([column.fill]), typical[:, inputs])
            elif column.features:
                rows, counts = np.unique(some[:, inputs], axis=0, return_counts=True)
                typical[0, inputs] = rows[counts.argmax()] if counts.max() > 1 else np.median(rows, axis=0)
        return typical
