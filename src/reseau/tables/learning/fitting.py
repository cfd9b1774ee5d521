"""From a table to what a model is made of: the target found, columns recognised and described, networks trained.

`read` looks at a table once; `learn` learns from some of its rows, as often as there are parts of it to be scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reseau.errors import DataError, ParameterError
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.asked import LEFT_OUT, Asked, option
from reseau.tables.columns.description import X32, Description, Rows, Scaled, Values
from reseau.tables.columns.jagged import jagged
from reseau.tables.columns.kinds import Number
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.recognition import decimal_mark, recognise, recognise_all
from reseau.tables.learning.encoded_rows import Encoder, Whole
from reseau.tables.learning.evidence import Evidence
from reseau.tables.learning.rows import (
    Beside,
    class_weights,
    column_names,
    groups_of,
    times_of,
    weights_of,
    with_class_weights,
)
from reseau.tables.learning.splits import folds_of, parts_by_time, split, split_by_time
from reseau.tables.learning.training import Trained, networks, train_members
from reseau.tables.reading.stored_table import SampledTable
from reseau.tables.reading.table import read_table
from reseau.tables.targets.table import recognise_target, task_of
from reseau.training import in_tasks
from reseau.visible import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reseau.arrays import FloatArray
    from reseau.ensemble import Ensemble
    from reseau.network import Network
    from reseau.tables.learning.settings import Settings
    from reseau.tables.learning.training import Progress
    from reseau.tables.reading.cells import Codes, Mask
    from reseau.tables.reading.table import Table
    from reseau.tables.targets.target import Target
    from reseau.tables.targets.target import Values as Targets
    from reseau.training.callbacks import Callback

LEAST_ROWS = 10


@dataclass(frozen=True)
class OfRows:
    """What is said of rows beside their cells, each by the name of a column, or an array-like of shape (rows,).

    Attributes
    ----------
    weight, groups, time : str, array-like or None
        How much each counts; which belong together; when each was.
    class_weight : "balanced", mapping or None
        How much the rows of each class count.
    """

    weight: Any = None
    groups: Any = None
    time: Any = None
    class_weight: Any = None

    def beside(self, table: Table, asked: Asked, mark: str, drawn: Rows | None = None) -> Beside:
        """What it is of each row; of very many, rows that are drawn tell what columns are."""
        weights, groups = weights_of(table, self.weight, asked, mark), groups_of(table, self.groups)
        return Beside(weights, groups, times_of(table, self.time, asked, mark, drawn))

    def named(self, table: Table, target: str) -> dict[str, str]:
        """The columns that are named, by the parameter."""
        return column_names(table, target, weight=self.weight, groups=self.groups, time=self.time)


@dataclass(frozen=True)
class Material:
    """A table to learn from.

    Attributes
    ----------
    table : Table
    target : Target
        Not fitted.
    y : ndarray of shape (rows,)
        The target of each row.
    usable : ndarray of int
        The rows that have a target and a weight.
    columns, values : list
        The other columns, as recognised and as read.
    weights, groups, times : ndarray of shape (rows,) or None
        Of each row.
    by_class : ndarray of shape (classes,), "balanced" or None
        How much the rows of each class count.
    of_whole : Beside
        What is said of all rows, where the table stays on disk and these are drawn from it.
    named : dict
        The columns that said so.
    asked : Asked
        What the user says of columns.
    mark : str
        The decimal mark that the table proves, "" if it proves none.
    notes : list of str
        What was noticed.
    """

    table: Table
    target: Target
    y: Targets
    usable: Rows
    columns: list[Description]
    values: list[Values]
    weights: FloatArray | None
    groups: Codes | None
    times: FloatArray | None
    by_class: Any
    of_whole: Beside
    named: dict[str, str]
    asked: Asked
    mark: str
    notes: list[str]

    def split(self, settings: Settings, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """The rows to learn from, and those held out to score what was learned; an error where these are none."""
        share, rows = settings.held_out(by_time=self.times is not None), self.usable
        if self.times is not None and share:
            rest, held_out = split_by_time(self.times[rows], share)
        else:
            groups = None if self.groups is None else self.groups[rows]
            rest, held_out = split(len(rows), share, rng, self.target.strata(self.y[rows]), groups)
        if share and not len(held_out):
            raise ParameterError(
                f"test_size is {share:g}, which holds out none of {plural(len(rows), 'row')}; give a larger share, or "
                "0 for no score."
            )
        return rows[rest], rows[held_out]

    def parts(self, cv: int, settings: Settings) -> list[tuple[Rows, Rows]]:
        """For each of so many parts of the usable rows those to learn from, and those of the part."""
        rows = self.usable
        if self.times is not None:
            parts = parts_by_time(self.times[rows], cv)
        else:
            groups = None if self.groups is None else self.groups[rows]
            if len(rows) < cv:
                raise ParameterError(
                    f"cv is {cv}, but there are {plural(len(rows), 'row')}; take at most as many parts."
                )
            rng = np.random.default_rng([settings.seed, cv])
            folds = folds_of(len(rows), rng, self.target.strata(self.y[rows]), groups, cv)
            if folds.max() + 1 < cv:
                raise ParameterError(f"cv is {cv}, but there are {int(folds.max()) + 1} groups; take as many at most.")
            parts = [(np.nonzero(folds != k)[0], np.nonzero(folds == k)[0]) for k in range(cv)]
        for rest, _ in parts:
            self.target.fitted(self.y[rows[rest]])  # refuses before the work
        return [(rows[rest], rows[out]) for rest, out in parts]

    def weights_of(self, rows: Rows) -> FloatArray | None:
        """How much each of these rows counts, by itself and by its class."""
        weights = None if self.weights is None else self.weights[rows]
        return with_class_weights(weights, self.by_class, self.y[rows], self.target.outputs)

    def whole(self, encoder: Encoder, X: X32, train: Rows) -> Whole:
        """The table on disk of which these rows are learned from, and all others that may be with them."""
        return Whole.of(encoder, X, self.y, train, np.setdiff1d(self.usable, train), self.of_whole, self.by_class)


def read(
    table: Table, target: str, task: str | None, of_rows: OfRows, settings: Settings, asked: Mapping[str, Any]
) -> Material:
    """Find out what a table holds to learn from.

    Parameters
    ----------
    table : Table
    target : str
        The column to predict.
    task : str or None
        What it has to be.
    of_rows : OfRows
    settings : Settings
    asked : mapping
        What the user says of columns: parameters of `Asked.of`.

    Raises
    ------
    DataError, ParameterError
        For what cannot be used, with its place and the way out.
    """
    target_column = table.column(target)
    target = target_column.name
    named = of_rows.named(table, target)
    out = [column for parameter, column in named.items() if parameter != "time"]
    found = Asked.of(table, **{**asked, "ignore": (*asked["ignore"], *out)})
    if found.kinds.get(target) == LEFT_OUT:
        raise ParameterError(f"the target {target!r} cannot be ignored; it is what is predicted.")
    mark = decimal_mark(table, found)
    task = task_of(settings.loss, settings.metrics) if task is None else task
    description, told = recognise_target(target_column, task, found, mark)
    if settings.loss is not None:
        description = description.learned_by(settings.loss)
    description.check_metrics(settings.metrics)
    y: npt.NDArray[Any] = description.encode(target_column)
    known_rows = description.known(y)
    if isinstance(table, SampledTable):
        whole = table.whole.in_memory([*named.values()])
        of_whole = of_rows.beside(whole, found, mark, table.numbers)
        beside = of_whole.of(table.numbers)
    else:
        of_whole = beside = of_rows.beside(table, found, mark)
    weights, groups, times = beside.weights, beside.groups, beside.times
    by_class = class_weights(description, of_rows.class_weight)
    counting = known_rows if weights is None else known_rows & (weights > 0)
    if by_class is not None and not isinstance(by_class, str):
        counting = counting & (np.append(by_class, 0.0)[y] > 0)
    usable = np.nonzero(counting)[0]
    if len(usable) < LEAST_ROWS:
        weighed = weights is not None or by_class is not None
        raise DataError(
            f"{table.name} has {plural(len(usable), 'row')} with a value in {target!r}"
            f"{' and a weight above 0' if weighed else ''}; at least {LEAST_ROWS} are needed to train and score a "
            "network."
        )
    recognised, notes = recognise_all(table, target, found, mark)
    lost, unweighed = int((~known_rows).sum()), int(known_rows.sum()) - len(usable)
    drawn = isinstance(table, SampledTable)  # all rows of which are told of later
    if unweighed and not drawn:
        told.insert(0, f"{plural(unweighed, 'row')} of weight 0 left out")
    if lost and not drawn:
        told.insert(0, f"{plural(lost, 'row')} without a value in {target!r} left out")
    values = columns_module.read_columns(recognised, table)
    noticed = [*table.notes, *told, *notes]
    of_each = weights, groups, times, by_class, of_whole, named
    return Material(table, description, y, usable, recognised, values, *of_each, found, mark, noticed)


@dataclass(frozen=True)
class Learned:
    """What was learned from some of the rows.

    Attributes
    ----------
    material : Material
    train : ndarray of int
        The rows learned from.
    columns : tuple of Description
        Fitted; those that give no input that is used are left out.
    target : Target
        In the form that was learned, with what rows out of fold say of it.
    network : Network or Ensemble
    trained : Trained
    X : ndarray of shape (rows, inputs)
        All rows, encoded, with the inputs of columns that were left out after.
    inputs : ndarray of shape (inputs,), bool
        Those that the network has.
    facts : dict
        How it was trained, and on what.
    notes : list of str
        What the rows said of columns.
    """

    material: Material
    train: Rows
    columns: tuple[Description, ...]
    target: Target
    network: Network | Ensemble
    trained: Trained
    X: X32
    inputs: Mask
    facts: dict[str, Any]
    notes: list[str]

    def evidence(self) -> Evidence:
        """Out of fold."""
        held, predicted = self.trained.held(self.network, self.inputs), self.train[self.trained.predicted]
        y = self.material.y[predicted]
        return Evidence(self.material.table, predicted, y, self.trained.O, self.trained.folds, held)

    def evidence_of(self, rows: Rows, threads: int | None) -> Evidence:
        """Of rows that were not learned from."""
        X, material = self.X[np.ix_(rows, self.inputs)], self.material
        return Evidence.of_inputs(material.table, rows, material.y[rows], X, self.network, threads)


@dataclass(frozen=True)
class Encoded:
    """A table as some of its rows, those to learn from, say that its columns are.

    Attributes
    ----------
    train : ndarray of int
        These rows.
    columns : tuple of Description
        Fitted.
    values : list
        What was read in each.
    target : Target
        Fitted.
    T : ndarray of shape (rows of train, signals)
        What effects of a column are effects on.
    X : ndarray of shape (rows, inputs)
        All rows, encoded.
    notes : list of str
        What the rows said of columns.
    """

    train: Rows
    columns: tuple[Description, ...]
    values: list[Values]
    target: Target
    T: npt.NDArray[np.float64]
    X: X32
    notes: list[str]

    def out_of_fold(self, folds: npt.NDArray[np.int64], out: int) -> None:
        """Write into X what the target tells of rows to learn from, of each by other folds than its own and `out`.

        Where all these rows are learned from, `out` is −1, which no fold is.
        """
        columns_module.encode_out_of_fold(self.columns, self.values, self.X, self.train, folds, out, self.T)


def encode(material: Material, train: Rows, settings: Settings) -> Encoded:
    """Describe the columns by these rows, and encode all rows."""
    y, table = material.y[train], material.table
    target = material.target.fitted(y)
    T = target.signals(y)
    recognised, values, notes = _with_labels(material, train, T)
    columns = tuple(d.fit(v, train) for d, v in zip(recognised, values, strict=True))
    bins = settings.bins_for(sum(isinstance(d, Scaled) for d in columns))
    columns = tuple(d.detailed(v, train, bins, T) for d, v in zip(columns, values, strict=True))
    columns_module.refuse_nothing(columns, table, target.name)
    X = columns_module.encode(columns, values, table.rows)
    return Encoded(train, columns, values, target, T, X, notes)


def learn(
    material: Material,
    train: Rows,
    settings: Settings,
    rng: np.random.Generator,
    threads: int | None,
    progress: Progress | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | Path | None = None,
) -> Learned:
    """Learn from these rows; parameters as for `train_members`."""
    y, table = material.y[train], material.table
    encoded = encode(material, train, settings)
    columns, values, target, notes = encoded.columns, encoded.values, encoded.target, encoded.notes
    X = encoded.X

    def inputs(folds: npt.NDArray[np.int64], out: int) -> X32:
        encoded.out_of_fold(folds, out)
        return X if len(train) == len(X) else X[train]

    whole = None
    if isinstance(table, SampledTable):
        encoder = Encoder(table, columns, target, material.of_whole.weights, material.by_class)
        whole = material.whole(encoder, X, train)
        notes += whole.encoder.notes
    trained = train_members(
        inputs,
        np.array([pace for d in columns for pace in d.paces], np.float32),
        sum(bool(d.features) for d in columns),
        y,
        target,
        settings,
        rng,
        threads,
        progress,
        callbacks,
        checkpoint,
        material.weights_of(train) if whole is None else whole.weights_of_drawn,
        None if material.groups is None else material.groups[train],
        whole,
    )
    absent = {d.name: d.absent(table.columns[d.name], v) for d, v in zip(columns, values, strict=True)}
    absent[target.name] = int((~material.target.known(material.y)).sum())
    facts = {
        "table": Path(table.name).name,
        "table_rows": table.whole.rows if isinstance(table, SampledTable) else table.rows,
        "missing": {name: absent[name] for name in table.columns if absent[name]},
        "rows": len(material.usable) if whole is None else whole.encoder.known.count,
        "held_out": len(material.usable) - len(train) if whole is None else whole.held_out,
        **material.named,
        **trained.facts,
        **({"metrics": list(settings.metrics)} if settings.metrics else {}),
        **target.facts(y),
    }
    columns, kept = columns_module.without_unused(columns, trained.used, len(train))
    target = trained.target.out_of_fold(trained.O, y[trained.predicted], trained.excess)
    return Learned(material, train, columns, target, trained.network_on(kept), trained, X, kept, facts, notes)


def networks_of(material: Material, train: Rows, settings: Settings) -> int:
    """How many networks `learn` trains."""
    y = material.y[train]
    columns = sum(not isinstance(d, LeftOut) for d in material.columns)
    return networks(y, columns, material.target.fitted(y), settings)


def _with_labels(
    material: Material, train: Rows, T: npt.NDArray[np.float64]
) -> tuple[list[Description], list[Values], list[str]]:
    """The columns and their values, of which whole numbers are labels where the target jumps from one to the next."""
    columns, values, notes = list(material.columns), list(material.values), []
    for place, (column, numbers) in enumerate(zip(columns, values, strict=True)):
        name, kinds = column.name, material.asked.kinds
        if not isinstance(column, Number) or name in kinds or not jagged(np.asarray(numbers)[train], T):
            continue
        cells = material.table.columns[name]
        asked = replace(material.asked, kinds={**kinds, name: "category"})
        columns[place], _ = recognise(cells, asked, material.mark)
        values[place] = columns[place].read(cells)
        notes.append(
            f"{name}: whole numbers are taken for labels, as the target jumps from one to the next; "
            f"{option('number', name)} reads numbers"
        )
    return columns, values, notes


def table_to_score(
    data: Any, material: Material, settings: Settings, cv: int | None, reading: Mapping[str, Any]
) -> Table:
    """Read a table that a model is to be scored on, with all that the material has.

    Raises
    ------
    DataError
        For a column that it lacks, a cell that cannot be read, and a target that is missing in each row.
    ParameterError
        Where other rows are to be held out too.
    """
    if settings.test_size or (material.times is not None and cv is None):
        what = "test_size" if settings.test_size else "time"
        raise ParameterError(f"test and {what} both say which rows the model is scored on; leave one out.")
    table = read_table(data, **reading)
    name = material.target.name
    if not material.target.known(material.target.encode(table.column(name))).any():
        raise DataError(f"{table.name} has no row with a known value in {name!r}.")
    columns_module.read_columns(material.columns, table)
    return table


def cross_validated(
    material: Material,
    parts: Sequence[tuple[Rows, Rows]],
    settings: Settings,
    threads: int | None,
    progress: Progress | None,
    callbacks: Sequence[Callback],
    checkpoint: str | Path | None,
) -> list[dict[str, Any]]:
    """The scores of each part by a model of its own, which learned from the rows beside it."""
    of_part = partial(_scores_of_part, material, settings, threads, progress, callbacks, checkpoint)
    return in_tasks.run(of_part, [(k, rest, out) for k, (rest, out) in enumerate(parts, start=1)])


def _scores_of_part(
    material: Material,
    settings: Settings,
    threads: int | None,
    progress: Progress | None,
    callbacks: Sequence[Callback],
    checkpoint: str | Path | None,
    k: int,
    rest: Rows,
    out: Rows,
) -> dict[str, float | None]:
    rng = np.random.default_rng([settings.seed, k])
    folder = None if checkpoint is None else Path(checkpoint, f"cv {k}")
    learned = learn(material, rest, settings, rng, threads, progress, callbacks, folder)
    evidence = learned.evidence_of(out, threads)
    return learned.target.score(evidence.O, evidence.y, learned.facts).of_part()
