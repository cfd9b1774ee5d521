"""TableData: a table as arrays for a network of one's own, and from the network back to a model of tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reseau.arrays import TableLike
from reseau.checks import known, real, shown
from reseau.errors import DataError, ParameterError
from reseau.names import ColumnKind, TaskName
from reseau.network import Network
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.asked import NOTHING
from reseau.tables.columns.description import X32, Description, Rows, Values
from reseau.tables.learning import fitting
from reseau.tables.learning.evidence import Evidence
from reseau.tables.learning.fitting import LEAST_ROWS, Encoded, Material, OfRows
from reseau.tables.learning.rows import NOTHING_SAID
from reseau.tables.learning.settings import FOLDS, Settings
from reseau.tables.learning.splits import folds_of
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Table, read_table
from reseau.tables.targets.target import Target
from reseau.visible import plural
from reseau.vocabulary.losses import NamedLoss

AS = ("number", "category", "date", "text", "ignore")  # what a column may be said to be


class TableData:
    """A table as arrays that a network of one's own learns from.

    Its columns are recognised, described by the rows that are learned from, and encoded as for the one network of
    ``TableModel.train(..., preset="fast")``: numbers and dates scaled, labels as zeros and ones, what is missing told
    by an input of its own.

    Parameters
    ----------
    data : path, "-", open file, Table, data frame, dict or list of dicts
        As for `TableModel.train`; all of it is read into memory.
    target : str
        The column to predict.
    held_out : float
        The share of the rows that is not learned from, at least 0 and below 1; of classes the same share of each.
    seed : int
        By which these are drawn.
    columns : mapping or None
        Columns that are taken for what is said, by name: "number", "category", "date", "text", or "ignore", which
        leaves one out.
    task : {"classification", "regression"} or None
        None decides from the target's cells.
    loss : str, Loss or None
        Of the network that will learn it; None takes the cross-entropy or the squared error. Of a loss of means above
        0, such as "poisson", `y` is divided by its mean, and not standardised.
    like : TableModel or None
        A model that says what columns and target are, in the place of this table's rows: its network then learns from
        the arrays as from those that it has learned from.
    sep, header, encoding : str or None
        How text is read, as for `TableModel.train`.

    Attributes
    ----------
    X, X_val : ndarray of shape (rows, inputs), float32
        The rows that are learned from, and those held out. What is told of the former's labels and texts by the target
        comes from other rows than their own.
    y, y_val : ndarray of shape (rows,) or (rows, 1)
        What the network learns of each: the place of its class among `classes`, as int64; or a number in float32,
        standardised by the rows that are learned from.
    rows, rows_val : ndarray of int
        Which rows of the table they are, from 0.
    inputs : list of str
        The name of each input.
    classes : list of str
        Those of the target; none of a regression.
    columns : tuple of Description
        The others, each of which says how it is encoded, or why it is left out.
    target : Classes or Quantity
        What is predicted.
    notes : tuple of str
        What was noticed in the table.

    Raises
    ------
    DataError
        If the table or a column cannot be used: the message names the place and the way out.
    ParameterError
        For a parameter outside its range.

    Examples
    --------
    >>> import numpy as np, pyarrow as pa
    >>> import reseau as rs
    >>> size = np.linspace(0, 1, 60)
    >>> table = pa.table({"size": size, "large": ["yes" if s > 0.5 else "no" for s in size]})
    >>> data = rs.TableData(table, "large", held_out=0.25)
    >>> data.X.shape, data.X_val.shape, data.classes
    ((45, 1), (15, 1), ['no', 'yes'])
    >>> net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(2), loss="cross_entropy", seed=0)
    >>> history = net.fit(data.X, data.y, optimizer=rs.Adam(0.01), epochs=100, batch_size=16)
    >>> data.model(net).predict(pa.table({"size": [0.1, 0.9]})).values.to_pylist()
    ['no', 'yes']
    """

    rows: Rows
    rows_val: Rows
    X: X32
    X_val: X32
    y: npt.NDArray[Any]
    y_val: npt.NDArray[Any]

    def __init__(
        self,
        data: TableLike,
        target: str,
        *,
        held_out: float = 0.25,
        seed: int = 0,
        columns: Mapping[str, ColumnKind] | None = None,
        task: TaskName | None = None,
        loss: NamedLoss | None = None,
        like: TableModel | None = None,
        sep: str | None = None,
        header: Literal["none"] | None = None,
        encoding: str | None = None,
    ) -> None:
        real("held_out", held_out, low=0, high=1, includes_high=False)
        if like is not None and not isinstance(like, TableModel):
            raise ParameterError(f"like is {shown(like)}, but must be a TableModel or None.")
        settings = Settings(preset="fast", loss=loss, test_size=held_out, seed=seed)
        given = {"sep": sep, "header": header} | ({} if encoding is None else {"encoding": encoding})
        self._reading = given if like is None else {**like.reading, **{k: v for k, v in given.items() if v is not None}}
        table, self._like = read_table(data, **self._reading), like
        if like is None:
            material = fitting.read(table, target, task, OfRows(), settings, _asked(columns))
        else:
            material = _as_in(like, table, target, columns=columns, task=task, loss=loss)
        rng = np.random.default_rng(seed)
        self.rows, self.rows_val = material.split(settings, rng)
        encoded = fitting.encode(material, self.rows, settings) if like is None else _encoded(like, material, self.rows)
        self.X_val = encoded.X[self.rows_val]
        if like is None and any(column.follows_target for column in encoded.columns):
            y = material.y[self.rows]
            encoded.out_of_fold(folds_of(len(y), rng, material.target.strata(y), most=FOLDS), -1)
        self.X = encoded.X[self.rows]
        self.columns: tuple[Description, ...] = encoded.columns
        self.target: Target = encoded.target
        self.y, self.y_val = (np.asarray(self.target.taught(material.y[rows])) for rows in (self.rows, self.rows_val))
        self.inputs: list[str] = [feature for column in self.columns for feature in column.features]
        self.classes: list[str] = self.target.names if self.target.task == "classification" else []
        self.notes: tuple[str, ...] = (*material.notes, *encoded.notes)
        self._material, self._seed, self._values = material, seed, encoded.values
        self._missing = {
            column.name: column.absent(table.columns[column.name], values)
            for column, values in zip(self.columns, encoded.values, strict=True)
        }
        self._missing[self.target.name] = int((~self.target.known(material.y)).sum())

    def __repr__(self) -> str:
        what = f"{self.X.shape[0]:,} rows and {self.X_val.shape[0]:,} held out, {self.X.shape[1]} inputs"
        return f"TableData({self.target.task} of {self.target.name!r}: {what})"

    def truth(self, rows: Rows) -> npt.NDArray[Any]:
        """The target of `rows` of the table as it is there: the place of a class, or a number in its own unit."""
        return self._material.y[rows]

    def values(self, place: int) -> Values:
        """What was read in column `place`, of all rows of the table: numbers, NaN where missing, or labels."""
        return self._values[place]

    def model(self, network: Network) -> TableModel:
        """A model that predicts from tables, of a network that has learned from these arrays.

        It is scored on the rows that were held out, if there are any. It keeps the network itself, not a copy.

        Parameters
        ----------
        network : Network
            Of as many inputs and outputs as `X` and the target have.

        Returns
        -------
        TableModel
            Which is saved, exported and explained as one of `TableModel.train`.

        Raises
        ------
        ParameterError
            For a network of other inputs or outputs, or whose loss goes with another y.
        """
        target = self._check(network)
        y = self._material.y
        facts = {
            "table": Path(self._material.table.name).name,
            "table_rows": self._material.table.rows,
            "missing": {name: count for name, count in self._missing.items() if count},
            "rows": len(self._material.usable),
            "held_out": len(self.rows_val),
            "validation": 0,
            "members": 1,
            "epochs": 0,  # the network's own fit is not known
            "best_epochs": [0],
            "batch_size": 0,
            "learning_rate": 0.0,
            "seed": self._seed,
            **target.facts(y[self.rows]),
        }
        model = TableModel(self.columns, target, network, None, facts, (), self.notes, self._reading)
        if len(self.rows_val):
            held = self.rows_val
            evidence = Evidence.of_inputs(self._material.table, held, y[held], self.X_val, network, None)
            model.scores, model.evidence = target.score(evidence.O, evidence.y, facts), evidence
        return model

    def _check(self, network: object) -> Target:
        """The target as the network has learned it, if it can have."""
        if not isinstance(network, Network):
            raise ParameterError(f"network is {shown(network)}, but must be a Network.")
        found, wanted = (network.inputs, network.outputs), (len(self.inputs), self.target.outputs)
        if found != wanted:
            raise ParameterError(
                f"the network has {found[0]} inputs and {found[1]} outputs, but the table gives {wanted[0]} inputs and "
                f"takes {wanted[1]} outputs."
            )
        last = network.architecture.layers[-1].range_like
        if self.target.task == "classification" and last.distribution != "probabilities":
            raise ParameterError(
                f"the network's outputs are those of {last.name!r}, but of classes they have to be probabilities; let "
                f"the last layer have the activation {self.target.activation!r}."
            )
        if self._like is not None:
            target = self.target.learned_by(network.loss)
            if target != self.target:
                raise ParameterError(
                    f"the network has the loss {network.loss!r}, but the model that the data are like has "
                    f"{self.target.loss!r}."
                )
            return target
        target = self._material.target.learned_by(network.loss).fitted(self._material.y[self.rows])
        if target.learned_by(self.target.loss) != self.target:
            raise ParameterError(
                f"the network has the loss {network.loss!r}, for which y is scaled otherwise; give it to TableData too."
            )
        return target


def _as_in(model: TableModel, table: Table, target: str, **said: object) -> Material:
    """What a table holds for a model to learn from; nothing else may be said of its columns."""
    for name, value in said.items():
        if value:
            raise ParameterError(f"{name} is {shown(value)}, but like is a model, which says so; leave {name} out.")
    if target != model.target.name:
        raise ParameterError(
            f"target is {target!r}, but the model that is given as like predicts {model.target.name!r}."
        )
    y = model.target.encode(table.column(target))
    usable = np.nonzero(model.target.known(y))[0]
    if len(usable) < LEAST_ROWS:
        raise DataError(
            f"{table.name} has {plural(len(usable), 'row')} with a value in {target!r}, too few to learn from."
        )
    values = columns_module.read_columns(model.columns, table)
    notes = [*table.notes, *(note for d, v in zip(model.columns, values, strict=True) for note in d.remarks(v))]
    return Material(
        table=table,
        target=model.target,
        y=y,
        usable=usable,
        columns=list(model.columns),
        values=values,
        weights=None,
        groups=None,
        times=None,
        by_class=None,
        of_whole=NOTHING_SAID,
        named={},
        asked=NOTHING,
        mark="",
        notes=notes,
    )


def _encoded(model: TableModel, material: Material, train: Rows) -> Encoded:
    X = columns_module.encode(model.columns, material.values, material.table.rows)
    T = model.target.signals(material.y[train])
    return Encoded(train, model.columns, material.values, model.target, T, X, [])


def _asked(columns: Mapping[str, str] | None) -> dict[str, list[str]]:
    """What is said of columns, by what they are said to be."""
    if columns is not None and not isinstance(columns, Mapping):
        raise ParameterError(f"columns is {shown(columns)}, but must say of columns by name what they are.")
    asked: dict[str, list[str]] = {kind: [] for kind in AS}
    for name, kind in (columns or {}).items():
        asked[known(f"columns[{name!r}]", kind, AS)].append(name)
    return asked
