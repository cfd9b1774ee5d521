"""What table models and the estimators around them say of themselves: which columns matter, how, and for which row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from reseau.arrays import LabelsLike, TableLike
from reseau.tables.understanding import explanation
from reseau.tables.understanding.explanation import Explanation
from reseau.tables.understanding.importance import Importance, permutation_importance
from reseau.tables.understanding.partial_dependence import Effect, effect

if TYPE_CHECKING:
    from reseau.tables.learning.evidence import Evidence
    from reseau.tables.model import TableModel
    from reseau.tables.reading.table import Table


class Explained(ABC):
    """Explanations of a table model, and of what is around one."""

    @abstractmethod
    def rows_of(self, data: TableLike) -> tuple[TableModel, Table]:
        """The table model, and rows as it reads them; of a table that stays on disk some that are drawn."""

    @abstractmethod
    def evidence_of(
        self,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        threads: int | None = None,
    ) -> tuple[TableModel, Evidence]:
        """The table model, and rows with their targets that it has not learned from; parameters as for `importance`."""

    def label_of(self, label: Any) -> Any:
        """A class as the table model has it."""
        return label

    def explain(
        self,
        data: TableLike,
        row: int = 1,
        *,
        label: Any = None,
        background: TableLike | None = None,
        samples: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> Explanation:
        """What each column contributes to the prediction of a row: its Shapley value, beside the rows of a background.

        With the columns S as in the row, and all others as in a row of the background, the prediction is v(S) in the
        mean over the background. A column contributes what it adds to the columns before it, in the mean over all
        orders of the columns. What columns contribute sums to the prediction less the mean prediction of the
        background (see `reseau.tables.understanding.shapley`).

        Parameters
        ----------
        data : path, Table, data frame, dict or list of dicts
            A table, as for `predict`.
        row : int
            Which of its rows, the first being 1.
        label : str, or a class as it is
            Of classes, whose probability is explained; None takes the class that is predicted.
        background : path, Table, data frame, dict, list of dicts or None
            The rows beside which the row is seen; None takes those of the table itself. Of many, 256 are drawn, and
            fewer of a table with very many columns.
        samples : int or None
            How many orders of the columns are drawn for each row of the background, at least 2, each with its reverse.
            None takes all sets of columns where these are few, about ten, so that values are exact; else as many orders
            as suit.
        seed : int
            Fixes what is drawn.
        threads : int or None
            At most as many threads; the result is the same for any number.

        Returns
        -------
        Explanation
            Printed, it is a table; a notebook shows it as one.

        Raises
        ------
        DataError
            If there is no such row, or only this one and no background; if a column is missing or a cell cannot be
            read.
        ParameterError
            For an unknown class, and a number outside its range.

        Examples
        --------
        >>> import numpy as np
        >>> import reseau as rs
        >>> table = {"size": np.linspace(0, 1, 60), "sort": ["plain", "striped"] * 30}
        >>> model = rs.TableModel.train(table | {"price": 3 * table["size"]}, "price", preset="fast", epochs=20)
        >>> found = model.explain(table, row=60)
        >>> found.columns, found.cells
        (('size', 'sort'), ('1', 'striped'))
        >>> bool(np.isclose(found.base + found.contributions.sum(), found.prediction))
        True
        """
        model, table = self.rows_of(data)
        if background is not None:
            background = self.rows_of(background)[1]
        return explanation.explain(
            model,
            table,
            row,
            label=self.label_of(label),
            background=background,
            samples=samples,
            seed=seed,
            threads=threads,
        )

    def effect(
        self,
        data: TableLike,
        column: str,
        *,
        points: int | None = None,
        lines: int = 30,
        label: Any = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> Effect:
        """How what is predicted of the rows of a table follows one of its columns.

        Parameters
        ----------
        data : path, Table, data frame, dict or list of dicts
            A table, as for `predict`.
        column, points, lines, label, seed, threads
            As for `reseau.tables.understanding.partial_dependence.effect`.

        Returns
        -------
        Effect
            The mean prediction at each value of the column, and the lines of some rows.
        """
        model, table = self.rows_of(data)
        label = self.label_of(label)
        return effect(model, table, column, points=points, lines=lines, label=label, seed=seed, threads=threads)

    def importance(
        self,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        *,
        repeats: int = 5,
        seed: int = 0,
        threads: int | None = None,
    ) -> Importance:
        """By how much the error grows where the values of a column are shuffled among rows that were not learned from.

        Parameters
        ----------
        data : path, Table, data frame, dict, list of dicts or None
            A table that was not learned from, as for `predict`, with the target. None takes the rows of the training of
            a `TableModel`, out of fold.
        y : array-like of shape (rows,) or None
            For an estimator, the targets.
        repeats, seed, threads
            As for `reseau.tables.understanding.importance.permutation_importance`.

        Returns
        -------
        Importance
            The columns in falling order.

        Raises
        ------
        DataError
            Without data where there are no rows of a training, as of a model read from a file.
        """
        model, evidence = self.evidence_of(data, y, threads)
        return permutation_importance(model, evidence, repeats=repeats, seed=seed, threads=threads)
