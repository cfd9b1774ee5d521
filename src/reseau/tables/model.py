"""TableModel: from a table to a trained network, and from the next table to predictions.

The whole road: recognise the columns, hold rows out, fit the descriptions on the others, encode,
train, score. A model holds the descriptions of its columns and of its target, and the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from reseau import engine
from reseau.arrays import ArrayLike, LabelsLike, TableLike
from reseau.checks import as_path, integer, known, real, shown
from reseau.ensemble import Ensemble, member_of
from reseau.errors import DataError, ParameterError
from reseau.formulas.words import LANGUAGES
from reseau.model import Model
from reseau.names import Language, PrecisionName, TaskName, UnreadableName
from reseau.network import Network
from reseau.parts import Parts
from reseau.tables.code.encoder import Cells
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.asked import ColumnNames, names
from reseau.tables.columns.description import Description
from reseau.tables.derivatives import Differentiable
from reseau.tables.learning import fitting
from reseau.tables.learning.evidence import Evidence
from reseau.tables.learning.fitting import OfRows
from reseau.tables.learning.rows import check_names
from reseau.tables.learning.settings import Settings
from reseau.tables.reading.stored_table import kept_on_disk, sampled, stored_table
from reseau.tables.reading.table import Column, Table, listed, read_table
from reseau.tables.reading.unreadable import Reader
from reseau.tables.targets.scores import Scores
from reseau.tables.targets.target import Target
from reseau.tables.understanding.explained import Explained
from reseau.tables.understanding.reported import Reported
from reseau.training.callbacks import Hooks, callbacks_of
from reseau.training.progress import is_verbose, shown_together
from reseau.visible import plural
from reseau.vocabulary.precisions import check_precision

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Unpack

    from reseau.blackboard import Blackboard
    from reseau.tables.learning.settings import Given
    from reseau.training.history import History


@dataclass(frozen=True)
class Predictions:
    """What a model says of the rows of a table, in their order.

    Attributes
    ----------
    values : pyarrow.Array
        The predicted classes, of the type they had at training, or the predicted numbers.
    probabilities : ndarray of shape (rows, classes), float32, or None
        Of each class; None for a regression.
    table : pyarrow.Table
        The same as one table: the columns that were kept, "prediction", then "target=class" for each class, or "lower"
        and "upper" where an interval was asked for.
    scores : ClassScores, QuantityScores or None
        If the table holds the target too.
    notes : tuple of str
        What was noticed in the table.
    """

    values: pa.Array
    probabilities: npt.NDArray[np.float32] | None
    table: pa.Table
    scores: Scores | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Outputs:
    """Outputs of some rows, their target (or why there is none), the columns that are kept, and what was noticed."""

    O: npt.NDArray[Any]
    y: npt.NDArray[Any] | str | None
    kept: pa.Table
    notes: list[str]


class TableModel(Differentiable, Explained, Reported, Model):
    """A network with the description of the table it reads.

    `TableModel.train` makes one, `reseau.load` reads one from a file.

    Attributes
    ----------
    columns : tuple of Description
        In the order of the table; each says how it is encoded, or why it is left out.
    target : Classes or Quantity
        What is predicted.
    network : Network or Ensemble
        From the encoded columns to class probabilities, or to the standardised quantity.
    scores : ClassScores, QuantityScores or None
        On the rows held out, if there were any; else on the rows of the training, each predicted by members that had
        not learned from it. None in old files of models that have none.
    training : dict
        How it was trained: rows, held_out, members, epochs, best_epochs, batch_size, learning_rate, ...
    histories : tuple of History
        Of each member, the loss of each epoch; empty for a model read from a file.
    notes : tuple of str
        What was noticed in the table it was trained on.
    reading : dict
        How text files are read, where the user said it: sep, header, encoding.
    evidence : Evidence or None
        The rows that were scored at training, and what the networks that had not learned from them say. None for a
        model read from a file, a copy, and the `model_` of an estimator, none of which holds the table.

    Examples
    --------
    >>> import numpy as np, pyarrow as pa
    >>> import reseau as rs
    >>> size = np.linspace(0, 1, 60)
    >>> table = pa.table({"size": size, "large": ["yes" if s > 0.5 else "no" for s in size]})
    >>> model = rs.TableModel.train(table, "large", epochs=50, learning_rate=0.01)
    >>> model.predict(pa.table({"size": [0.1, 0.9]})).values.to_pylist()
    ['no', 'yes']
    """

    def __init__(
        self,
        columns: tuple[Description, ...],
        target: Target,
        network: Network | Ensemble,
        scores: Scores | None,
        training: dict[str, Any],
        histories: tuple[History, ...] = (),
        notes: tuple[str, ...] = (),
        reading: dict[str, str | None] | None = None,
    ) -> None:
        self.columns = columns
        self.target = target
        self.network = network
        self.scores = scores
        self.training = training
        self.histories = histories
        self.notes = notes
        self.reading: dict[str, str | None] = reading or {}
        self.evidence: Evidence | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take: all but the rows of a table."""
        return {**self.__dict__, "evidence": None}

    def __repr__(self) -> str:
        used = sum(bool(d.features) for d in self.columns)
        return (
            f"TableModel({self.target.task} of {self.target.name!r} from {plural(used, 'column')}, "
            f"{plural(self.network.n_parameters, 'parameter')})"
        )

    @classmethod
    def train(
        cls,
        data: TableLike,
        target: str,
        *,
        task: TaskName | None = None,
        ignore: ColumnNames = (),
        category: ColumnNames = (),
        number: ColumnNames = (),
        date: ColumnNames = (),
        text: ColumnNames = (),
        missing: ColumnNames = (),
        decimal: Literal[".", ","] | None = None,
        thousands: str | None = None,
        sep: str | None = None,
        header: Literal["none"] | None = None,
        encoding: str | None = None,
        weight: str | ArrayLike | None = None,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        groups: str | LabelsLike | None = None,
        time: str | LabelsLike | None = None,
        cv: int | None = None,
        test: TableLike | None = None,
        threads: int | None = None,
        progress: Callable[[int, int, float, float | None], object] | None = None,
        callback: Hooks = None,
        checkpoint: str | Path | None = None,
        verbose: bool | int = False,
        **settings: Unpack[Given],
    ) -> TableModel:
        """Train a network on a table.

        Parameters
        ----------
        data : path, "-", open file, Table, data frame, dict or list of dicts
            As for `reseau.tables.reading.table.read_table`. Files of Parquet and Arrow that take more than 128 MiB stay
            on disk, and so does what a RecordBatchReader of pyarrow gives, in a temporary file: some 50,000 rows, drawn
            by the seed, tell what the columns are and are scored, and all are learned from; a cell that cannot be read
            as these suggest counts as missing.
        target : str
            The column to predict.
        task : {"classification", "regression"} or None
            None decides from the target's cells.
        ignore : sequence of str
            Columns to leave out.
        category, number, date, text : sequence of str
            Columns that are taken for what is asked, whatever their cells suggest: labels, numbers, dates (with their
            order, if it is open, as in "born=day-month-year" or {"born": "day-month-year"}), or text exactly as it is
            written: labels, or free text where nearly every row has another.
        missing : sequence of str
            Texts, and numbers such as -9999, that mark a missing value, beside the usual ones ("", "NA", "?", ...).
        decimal : {".", ","} or None
            The decimal mark of numbers in text; None finds it.
        thousands : {",", ".", " ", "'"} or None
            What groups the digits of numbers in text, as in 1,184,000; None finds it. The other of point and comma is
            then the decimal mark.
        sep : str or None
            What separates the fields of a text file; None finds it.
        header : {"none"} or None
            "none" for a text file without a line of names, whose columns are then "column 1", "column 2", ...
        encoding : str or None
            Of a text file that is not UTF-8, such as "latin-1" or "cp1252".
        weight : str, array-like of shape (rows,), or None
            How much each row counts for what is learned: a column of numbers, which is then no input, or the numbers;
            at least 0. Rows of weight 0 are left out. Scores count each row alike.
        class_weight : "balanced", dict or None
            How much the rows of each class count for what is learned, as {"yes": 3}; with "balanced" those of each
            class alike, however many they are. Probabilities are then those of such classes.
        groups : str, array-like of shape (rows,), or None
            Which rows belong together: a column of labels, which is then no input, or the labels. Those of a group are
            learned from, scored or held out all together, so that scores are those of groups never seen.
        time : str, array-like of shape (rows,), or None
            When each row was: a column of dates or numbers, which stays an input unless it is ignored, or these
            themselves. The rows that are scored are then later than those learned from: the last fifth of them
            (`test_size`) is held out, or with `cv` each of so many periods is told from all before it.
        cv : int or None
            How often to cross-validate, at least 2: so many parts of the rows are scored, each by a model of its own
            that has not learned from it. `training["cv"]` has each part's scores. The model itself then learns from all
            rows, with scores out of fold.
        test : path, data frame, ... or None
            A table of its own that the model is scored on, of which it learns nothing.
        threads : int or None
            At most as many threads; the result is the same for any number.
        progress : callable or None
            Called after each epoch of a member with the number of epochs that all have made, the most there will be,
            the member's loss, and its validation loss.
        callback : callable, Callback, a list of these, or None
            Called after each epoch of a member with its `History`, as in `reseau.fit_many`: the member's training stops
            when it returns True.
        checkpoint : path or None
            A folder where the training is kept as it stands, so that the same call takes it up from there.
        verbose : bool or int
            Whether progress is shown.
        **settings
            Those of `Settings`: preset, layers, activation, loss, metrics, epochs, batch_size, learning_rate,
            test_size, seed, precision.

        Returns
        -------
        TableModel
            Trained on the rows that were not held out, and scored.

        Raises
        ------
        DataError
            If the table or a column cannot be used: the message names the place and the way out.
        ParameterError
            For a parameter outside its range.
        """
        chosen = Settings.of(settings)
        engine.threads(threads)  # refuses a bad number before the work
        if progress is not None and not callable(progress):
            raise ParameterError(
                f"progress is {shown(progress)}, but must be a function of an epoch's number, the most there will be, "
                "the loss, and the validation loss."
            )
        if cv is not None:
            integer("cv", cv, low=2)
            if chosen.test_size:
                raise ParameterError("cv and test_size both say which rows the model is scored on; leave one out.")
        callbacks = callbacks_of(callback)
        check_names(weight=weight, groups=groups, time=time)
        if checkpoint is not None:
            as_path(checkpoint)
        reading = {"sep": sep, "header": header} | ({} if encoding is None else {"encoding": encoding})
        of_rows = OfRows(weight, groups, time, class_weight)
        data = kept_on_disk(data)
        table = sampled(data, chosen.seed) or read_table(data, **reading)
        asked = {
            "category": category,
            "number": number,
            "date": date,
            "text": text,
            "missing": missing,
            "decimal": decimal,
            "thousands": thousands,
            "ignore": names("ignore", ignore),
        }
        material = fitting.read(table, target, task, of_rows, chosen, asked)
        tested = None if test is None else fitting.table_to_score(test, material, chosen, cv, reading)
        rng = np.random.default_rng(chosen.seed)
        train, held_out = material.split(replace(chosen, test_size=0.0) if tested or cv else chosen, rng)
        parts = () if cv is None else material.parts(cv, chosen)
        n = fitting.networks_of(material, train, chosen) * (1 + len(parts))
        with shown_together(n, leave=False) if is_verbose(verbose) else nullcontext() as show:
            callbacks = [*callbacks_of(show), *callbacks]
            learned = fitting.learn(material, train, chosen, rng, threads, progress, callbacks, checkpoint)
            facts = learned.facts
            if parts:
                facts["cv"] = fitting.cross_validated(material, parts, chosen, threads, progress, callbacks, checkpoint)
        evidence = learned.evidence_of(held_out, threads) if len(held_out) else learned.evidence()
        scores = learned.target.score(evidence.O, evidence.y, facts)
        if learned.trained.of_standard is not None:
            facts["of_standard"] = learned.target.score(learned.trained.of_standard, material.y[train], facts).line()
        histories = learned.trained.histories
        notes = (*material.notes, *learned.notes)
        model = cls(learned.columns, learned.target, learned.network, scores, facts, histories, notes, reading)
        if tested is not None:
            facts |= {"test": Path(tested.name).name, "out_of_fold": scores.line()}
            evidence = Evidence.of(model, tested, threads=threads)
            model.scores = model.target.score(evidence.O, evidence.y, facts)
        model.evidence = evidence
        return model

    def predict(
        self,
        data: TableLike,
        *,
        keep: ColumnNames = (),
        unreadable: UnreadableName = "error",
        interval: float | None = None,
        sep: str | None = None,
        encoding: str | None = None,
        precision: PrecisionName | None = None,
        threads: int | None = None,
    ) -> Predictions:
        """Predict the target for each row of a table.

        Parameters
        ----------
        data : path, "-", open file, Table, data frame, dict or list of dicts
            With the columns the model was trained on, in any order; others are passed over. A dict of single values is
            one row.
        keep : sequence of str
            Columns of the table, such as an identifier, that `Predictions.table` repeats before the predictions.
        unreadable : {"error", "missing"}
            What is done with cells that cannot be read as what their column held at training: they are refused, or
            count as missing, which a note tells.
        interval : float or None
            Of a quantity, between which two numbers it lies with this probability, above 0 and below 1: the columns
            "lower" and "upper" of `Predictions.table`. It is reckoned from the errors of rows out of fold, of which as
            many lie below it as above, and as wide for each row.
        sep, encoding : str or None
            How this text file is read, if not as the one at training was; as for `train`.
        precision : {"bf16", "bf16x3", "bf16x6"} or None
            How the network's products are computed, as when a `Network` is called; for many rows on a processor with
            matrix instructions.
        threads : int or None
            At most as many threads; the result is the same for any number.

        Returns
        -------
        Predictions
            As many as the table has rows, in their order.

        Raises
        ------
        DataError
            If a column is missing, or a cell cannot be read as what its column held at training.
        ParameterError
            For another precision or way with unreadable cells, for a column to keep that is named like one of the
            predictions, and for an interval of classes, or one for which there were too few rows.
        """
        import pyarrow as pa

        check_precision(precision)
        if interval is not None:
            real("interval", interval, low=0, high=1, includes_low=False, includes_high=False)
            self.target.interval(np.zeros((0, self.target.outputs)), interval)  # refuses before the work
        reader = Reader(unreadable)
        given = {name: how for name, how in (("sep", sep), ("encoding", encoding)) if how is not None}
        wanted = names("keep", keep)
        used = [*(d.name for d in self.columns if d.features), self.target.name, *wanted]
        data = kept_on_disk(data)
        stored = stored_table(data)
        tables: Iterable[Table]
        if stored is None:
            table = read_table(data, **{**self.reading, **given})
            columns, tables, told = [*table.columns], [table], [*table.notes]
        else:  # some rows after the others: what is predicted of them takes less memory than they do
            columns, told = stored.columns, []
            tables = stored.tables([name for name in columns if name in used])
        described = {d.name for d in self.columns} | {self.target.name}
        parts = [self._outputs(table, wanted, reader, precision, threads) for table in tables]
        kept = pa.concat_tables([part.kept for part in parts], promote_options="permissive")
        notes = [*dict.fromkeys(note for part in parts for note in part.notes)]
        extra = [name for name in columns if name not in described and name not in kept.column_names]
        if extra:
            notes.insert(
                0,
                f"{plural(len(extra), 'column')} unknown to the model passed over: {listed(extra)}",
            )
        O = parts[0].O if len(parts) == 1 else np.concatenate([part.O for part in parts])
        answer = self.target.answer(O)
        predicted = {"prediction": answer.values, **answer.columns}
        if interval is not None:
            predicted |= zip(("lower", "upper"), map(pa.array, self.target.interval(O, interval)), strict=True)
        for name in kept.column_names:
            if name in predicted:
                raise ParameterError(f"keep has {name!r}, but so is a column of the predictions named; rename it.")
        scores, scoring = self._score(O, [part.y for part in parts])
        return Predictions(
            answer.values,
            answer.probabilities,
            pa.table({**dict(zip(kept.column_names, kept.columns, strict=True)), **predicted}),
            scores,
            (*told, *reader.notes, *notes, *scoring),
        )

    def blackboard(
        self,
        data: TableLike,
        row: int = 1,
        *,
        target: str | float | None = None,
        lang: Language = "en",
        member: int = 1,
        **options: Any,
    ) -> tuple[Blackboard, tuple[str, ...]]:
        """Work out a learning step of the network on a row of a table.

        Parameters
        ----------
        data : path, Table or data frame
            As for `predict`.
        row : int
            Which row, the first being 1.
        target : str, float or None
            What the model should have said, as a cell of the target's column; None takes the table's.
        lang : {"en", "fr"}
            The language of the words.
        member : int
            Of an ensemble, which network, the first being 1.
        **options
            Others of `Network.blackboard`.

        Returns
        -------
        board : Blackboard
            With the names of the columns and classes.
        notes : tuple of str
            What was noticed in the table.

        Raises
        ------
        DataError
            If the row is not there or has no target, or a cell cannot be read.
        """
        import pyarrow as pa

        from reseau.blackboard import Names

        known("lang", lang, LANGUAGES)
        network = member_of(self.network, member)
        cell: Any = target
        if cell is not None and (isinstance(cell, bool) or not isinstance(cell, str | Real)):
            raise ParameterError(f"target is {shown(target)}, but must be text or a number, as in the target's column.")
        table = read_table(data, **self.reading)
        row = table.place_of(row)
        values = columns_module.read_columns(self.columns, table)
        X = columns_module.encode(self.columns, values, table.rows)[row : row + 1]
        if target is not None:
            given = pa.chunked_array([self.target.cell(target)])
            column = Column(self.target.name, given, lambda _: "the target given")
        elif self.target.name in table.columns:
            column = table.columns[self.target.name]
            column = replace(column, cells=column.cells.slice(row, 1), place=lambda _: column.place(row))
        else:
            raise DataError(
                f"{table.name} has no column {self.target.name!r}, so that there is no target; give one (--target)."
            )
        y, outputs = self.target.lesson(self.target.encode(column), row, column.cells[0].as_py(), lang)
        names = Names([name for column in self.columns for name in column.inputs_in(lang)], outputs)
        return network.blackboard(X, y, lang=lang, names=names, **options), table.notes

    def evaluate(self, data: TableLike, *, threads: int | None = None) -> Scores:
        """Score the model on a table that holds the target; parameters as for `predict`.

        Returns
        -------
        Scores
            How well it predicts the rows whose target is there.

        Raises
        ------
        DataError
            If the target is not among the columns, or no row of it can be scored; and as `predict` does.
        """
        table = read_table(data, **self.reading)
        table.column(self.target.name)
        predictions = self.predict(table, threads=threads)
        if predictions.scores is None:
            raise DataError(f"{table.name} cannot be scored: {predictions.notes[-1]}.")
        return predictions.scores

    def parts(self) -> Parts:
        """The columns that give inputs, the network, and the target."""
        used = tuple(column for column in self.columns if column.features)
        encoder = Cells(used, str(self.training.get("table") or ""))
        return Parts(encoder, self.network, self.target)

    def describe(self) -> dict[str, Any]:
        """Return all but the network's weights, as JSON-able values."""
        return {
            "kind": "table_model",
            "target": self.target.to_json(),
            "columns": [columns_module.to_json(d) for d in self.columns],
            "network": self.network.describe(),
            "training": self.training,
            "scores": None if self.scores is None else self.scores.to_json(),
            "notes": list(self.notes),
            "reading": self.reading,
        }

    def described(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a model file holds of it: the description and the network's tensors."""
        return self.describe(), self.network.tensors()

    def rows_of(self, data: TableLike) -> tuple[TableModel, Table]:
        """The model, and rows as it reads them; of a table that stays on disk some that are drawn."""
        some = sampled(data, 0)
        return self, read_table(data, **self.reading) if some is None else replace(some, notes=())

    def evidence_of(
        self,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        threads: int | None = None,
    ) -> tuple[TableModel, Evidence]:
        """The table model, and rows with their targets that it has not learned from."""
        if y is not None:
            raise ParameterError(f"y is given, but a TableModel finds the target {self.target.name!r} in the table.")
        if data is not None:
            return self, Evidence.of(self, self.rows_of(data)[1], threads=threads)
        if self.evidence is None:
            raise DataError("the model was read or copied, and has no rows of its training; give a table (data).")
        return self, self.evidence

    def _outputs(
        self, table: Table, keep: Sequence[str], reader: Reader, precision: PrecisionName | None, threads: int | None
    ) -> _Outputs:
        """What the network says of the rows of a table, and what else of them is needed."""
        import pyarrow as pa

        kept = {column.name: column.cells for column in map(table.column, keep)}
        values = columns_module.read_columns(self.columns, table, reader)
        notes = [note for d, v in zip(self.columns, values, strict=True) for note in d.remarks(v)]
        O = self.network(columns_module.encode(self.columns, values, table.rows), precision=precision, threads=threads)
        y: npt.NDArray[Any] | str | None = None
        if self.target.name in table.columns:
            try:
                y = reader(self.target.encode, table.columns[self.target.name])
            except DataError as error:
                y = f"not scored: {error}"
        return _Outputs(O, y, pa.table(kept), notes)

    def _score(
        self, O: npt.NDArray[Any], parts: Sequence[npt.NDArray[Any] | str | None]
    ) -> tuple[Scores | None, list[str]]:
        """Score the rows whose target is known; say why if there are none."""
        why = [part for part in parts if isinstance(part, str)]
        arrays = [part for part in parts if isinstance(part, np.ndarray)]
        if why or not arrays:
            return None, why[:1]
        y = np.concatenate(arrays)
        notes, usable = self.target.unknown(y), self.target.known(y)
        if not usable.any():
            return None, [*notes, f"no row has a known value in {self.target.name!r}"]
        return self.target.score(O[usable], y[usable], self.training), notes
