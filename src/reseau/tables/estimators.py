"""TableClassifier and TableRegressor: scikit-learn's contract around `TableModel.train`, on data frames as they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from reseau import data
from reseau.array_likes import as_array, check_finite, numbers
from reseau.arrays import ArrayLike, LabelsLike, RowsLike, TableLike
from reseau.checks import integer, real, shown
from reseau.errors import DataError, ParameterError
from reseau.model import Model
from reseau.names import ActivationName, PrecisionName, PresetName, TaskName
from reseau.tables.columns.asked import Asked
from reseau.tables.columns.recognition import decimal_mark
from reseau.tables.learning.evidence import Evidence
from reseau.tables.learning.fitting import LEAST_ROWS
from reseau.tables.model import TableModel
from reseau.tables.reading.table import Column, Table, quoted
from reseau.tables.samples import table_of, target_column, target_name
from reseau.tables.targets.classes import UNKNOWN, Classes, place_of
from reseau.tables.targets.table import recognise_target
from reseau.tables.understanding.explained import Explained
from reseau.tables.understanding.reported import Reported

if TYPE_CHECKING:
    from typing_extensions import Self

    from reseau.arrays import FloatArray
    from reseau.estimators.types import RandomState
    from reseau.files.model_file import Tensors
    from reseau.parts import Parts
    from reseau.tables.columns.asked import ColumnNames
    from reseau.vocabulary.losses import NamedLoss

NAMES = ("n_features_in_", "feature_names_in_")


class _TableEstimator(Explained, Reported, Model, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both have: parameters, and how X, y and what is said of rows come to be one table."""

    _task: ClassVar[TaskName]
    model_: TableModel

    def __init__(
        self,
        *,
        preset: PresetName = "standard",
        layers: Sequence[int] = (64, 64),
        activation: ActivationName | None = None,
        loss: NamedLoss | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 0.002,
        precision: PrecisionName | None = None,
        random_state: RandomState = None,
        category: ColumnNames = (),
        number: ColumnNames = (),
        date: ColumnNames = (),
        text: ColumnNames = (),
        missing: ColumnNames = (),
        ignore: ColumnNames = (),
        threads: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.preset = preset
        self.layers = layers
        self.activation = activation
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.precision = precision
        self.random_state = random_state
        self.category = category
        self.number = number
        self.date = date
        self.text = text
        self.missing = missing
        self.ignore = ignore
        self.threads = threads
        self.verbose = verbose

    @abstractmethod
    def _read_target(
        self, column: Column, values: npt.NDArray[Any], table: Table, weights: FloatArray | None
    ) -> tuple[Column, dict[str, Any]]:
        """The target's column as it is learned, and the attributes that it tells, given it and its values."""

    def fit(
        self,
        X: TableLike | RowsLike,
        y: LabelsLike,
        sample_weight: ArrayLike | None = None,
        groups: LabelsLike | None = None,
    ) -> Self:
        """Train the networks on a table.

        Parameters
        ----------
        X : data frame, dict of columns, or array-like of shape (n_samples, n_features)
            A frame of pandas, polars, pyarrow or another library that narwhals knows, of columns of any types. Those of
            an array are called x0, x1, ...
        y : array-like of shape (n_samples,)
            The target of each row, none of which may be missing.
        sample_weight : array-like of shape (n_samples,) or None
            How much each row counts for what is learned, at least 0. Rows of weight 0 are left out.
        groups : array-like of shape (n_samples,) or None
            Which rows belong together, such as those of one patient: each network learns from a group as a whole or not
            at all, so that its epoch, scores and intervals are chosen on groups that it has not seen.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For data and parameters that cannot be used (`DataError`, `ParameterError`). Whatever is raised, the
            estimator is then what it was before the call.
        """
        seen = BaseEstimator()
        table = table_of(X, seen, reset=True)
        if y is None:
            raise DataError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        values = column_or_1d(as_array(y, "y"), warn=True)
        rows = len(values)
        if rows != table.rows:
            raise DataError(f"X has {table.rows:,} rows, but y has {rows:,}; give each row its target.")
        if rows < LEAST_ROWS:
            raise DataError(f"X has n_samples = {rows}, but a minimum of {LEAST_ROWS} is required to train and score.")
        if isinstance(groups, str):
            raise DataError(f"groups is {shown(groups)}, but must hold a label for each row; give that column of X.")
        weights = self._weighed(y, None if sample_weight is None else data.weights(sample_weight, rows))
        target, found = self._read_target(target_column(y, values, target_name(y, table)), values, table, weights)
        with self._seed() as seed:
            model = TableModel.train(
                replace(table, columns={**table.columns, target.name: target}),
                target.name,
                task=self._task,
                weight=weights,
                groups=groups,
                verbose=self.verbose,
                threads=self.threads,
                seed=seed,
                **self._columns(),
                **self._settings(),
            )
        for name in NAMES:
            self.__dict__.pop(name, None)
        self.__dict__.update(vars(seen) | found)
        model.evidence = None  # X is the caller's
        self.model_ = model
        return self

    def _weighed(self, y: Any, weights: FloatArray | None) -> FloatArray | None:
        """How much each row counts, given how much it is said to."""
        return weights

    def _columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("category", "number", "date", "text", "missing", "ignore")}

    def _settings(self) -> dict[str, Any]:
        names = ("preset", "layers", "activation", "loss", "epochs", "batch_size", "learning_rate", "precision")
        return {name: getattr(self, name) for name in names}

    @contextmanager
    def _seed(self) -> Iterator[int]:
        """The seed: `random_state` itself, if it is a number; a generator stays what it was where training fails."""
        given: object = self.random_state
        if not (given is None or given is np.random or isinstance(given, np.random.RandomState)):
            yield integer("random_state", given, low=0, also="None or a numpy.random.RandomState")
            return
        random = check_random_state(given)
        before = random.get_state(legacy=False)
        try:
            yield int(random.randint(np.iinfo(np.int32).max))
        except BaseException:
            random.set_state(before)
            raise

    def _rows(self, X: Any) -> Table:
        """The rows to predict, under the names that columns had at training: they are known by their places."""
        check_is_fitted(self, "model_")
        table = table_of(X, self, reset=False)
        names = [description.name for description in self.model_.columns]
        columns = zip(names, table.columns.values(), strict=True)
        return replace(table, columns={name: replace(column, name=name) for name, column in columns})

    @abstractmethod
    def _encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Targets as the model's target encodes them."""

    def rows_of(self, data: TableLike) -> tuple[TableModel, Table]:
        table = self._rows(data)
        return self.model_, table

    def evidence_of(
        self,
        data: TableLike | None = None,
        y: LabelsLike | None = None,
        threads: int | None = None,
    ) -> tuple[TableModel, Evidence]:
        """The table model, and rows with their targets that it has not learned from."""
        if data is None or y is None:
            raise DataError(f"a {type(self).__name__} has no rows of its training; give X and y that it has not seen.")
        model, table = self.rows_of(data)
        values = column_or_1d(as_array(y, "y"))
        if len(values) != table.rows:
            raise DataError(f"X has {table.rows:,} rows, but y has {len(values):,}; give each row its target.")
        return model, Evidence.of_targets(model, table, self._encoded(values), threads)

    def parts(self) -> Parts:
        """Those of `model_`."""
        check_is_fitted(self, "model_")
        return self.model_.parts()

    def described(self) -> tuple[dict[str, Any], Tensors]:
        """What a model file holds of it, which is `model_`: `reseau.load` gives a `TableModel`."""
        check_is_fitted(self, "model_")
        return self.model_.described()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags


class TableClassifier(ClassifierMixin, _TableEstimator):  # type: ignore[misc]
    """A classifier of the rows of data frames as they are, by scikit-learn's contract.

    It trains what `reseau train` and `TableModel.train` do, the same model on the same rows and seed: what each column
    is, is found out; texts, categories, dates and missing values need no preparation.

    Parameters
    ----------
    preset : {"fast", "standard", "best"}
        One network; the mean of eight; the mean of 32, for a longer time.
    layers : tuple of int
        Neurons of the hidden layers.
    activation : str or None
        Of the hidden layers, a name of `reseau.vocabulary.activations.ACTIVATIONS`. None takes relu, and for classes
        tanh in every second network.
    loss : str, Loss or None
        What is minimised: "cross_entropy" or "focal", and for a regressor "squared_error", "absolute_error", "huber",
        "log_cosh", "quantile", "poisson", "gamma" or "tweedie", or an object with numbers of its own, such as
        `reseau.Quantile(0.9)`. None takes what suits the target.
    epochs : int or None
        How often to go through the rows at most; None decides from how many there are.
    batch_size : int or None
        Rows per step; None decides likewise.
    learning_rate : float
        Adam's, above 0.
    precision : {"bf16", "bf16x3", "bf16x6"} or None
        How the matrix products of training are computed, as in `reseau.Network.fit`.
    random_state : int, RandomState or None
        Fixes the folds, the initial weights and the order of rows; an int is the seed of `TableModel.train`.
    category, number, date, text : sequence of str
        Columns that are taken for what is asked, whatever their cells suggest, as in `TableModel.train`.
    missing : sequence of str
        Texts, and numbers such as -9999, that mark a missing value, beside the usual ones.
    ignore : sequence of str
        Columns to leave out.
    threads : int or None
        At most as many threads; the result is the same for any number.
    verbose : bool or int
        Whether progress is shown.
    class_weight : "balanced", dict or None
        How much the rows of each class count for what is learned, as {"yes": 3}; with "balanced" those of each class
        alike.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted, of their own type.
    model_ : TableModel
        What was trained: its columns, notes, scores out of fold, network. `reseau.save(estimator, path)` writes it, and
        `reseau.load` gives it back.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray
        Their names, where X had names.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> size = np.linspace(0, 1, 60)
    >>> X = {"size": size, "sort": ["plain", "striped"] * 30}
    >>> model = rs.TableClassifier(preset="fast", learning_rate=0.01, random_state=0)
    >>> model = model.fit(X, np.where(size > 0.5, "large", "small"))
    >>> model.predict({"size": [0.1, 0.9], "sort": ["plain", None]})
    array(['small', 'large'], dtype='<U5')
    >>> model.predict_proba({"size": [0.1, 0.9], "sort": ["plain", None]}).shape
    (2, 2)
    """

    _task = "classification"

    def __init__(
        self,
        *,
        preset: PresetName = "standard",
        layers: Sequence[int] = (64, 64),
        activation: ActivationName | None = None,
        loss: NamedLoss | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 0.002,
        precision: PrecisionName | None = None,
        random_state: RandomState = None,
        category: ColumnNames = (),
        number: ColumnNames = (),
        date: ColumnNames = (),
        text: ColumnNames = (),
        missing: ColumnNames = (),
        ignore: ColumnNames = (),
        threads: int | None = None,
        verbose: bool | int = False,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
    ) -> None:
        super().__init__(
            preset=preset,
            layers=layers,
            activation=activation,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            precision=precision,
            random_state=random_state,
            category=category,
            number=number,
            date=date,
            text=text,
            missing=missing,
            ignore=ignore,
            threads=threads,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def _read_target(
        self, column: Column, values: npt.NDArray[Any], table: Table, weights: FloatArray | None
    ) -> tuple[Column, dict[str, Any]]:
        if pa.types.is_integer(column.cells.type) or pa.types.is_boolean(column.cells.type):
            values = column.cells.to_numpy()  # which scikit-learn has as floats, if pandas could mark some as missing
        check_classification_targets(values)
        classes, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        if len(classes) < 2:
            raise DataError(f"y has a single class, {quoted(classes.tolist()[0])}; a classifier needs at least two.")
        if weights is not None and len(np.unique(inverse[weights > 0])) < 2:
            raise DataError("y has a single class in the rows of a sample_weight above 0; at least two are needed.")
        places = self._places_of(column, table, first, inverse)
        if places is None:
            apart = np.array([repr(str(label)) for label in classes.tolist()])[inverse]
            column = replace(column, cells=pa.chunked_array([pa.array(apart, pa.large_string())]), declared="")
            places = self._places_of(column, table, first, inverse)
        if places is None:
            raise ParameterError(f"missing is {shown(self.missing)}, which names classes of y; leave them out of it.")
        return column, {"classes_": classes, "_places": places}

    def _weighed(self, y: Any, weights: FloatArray | None) -> FloatArray | None:
        """How much each row counts, by its class too."""
        if self.class_weight is None:
            return weights
        of_class = compute_sample_weight(self.class_weight, column_or_1d(y))
        return np.asarray(of_class if weights is None else of_class * weights)

    def _places_of(self, column: Column, table: Table, first: Any, inverse: Any) -> npt.NDArray[np.int64] | None:
        """The place of each class among those of a model; None where a model does not tell the classes apart.

        Texts that it reads alike are one class to it, such as "1" and "1.0", or "a" and "a ", and an empty one is none.

        Parameters
        ----------
        column, table
            The target's column, and the table of the others.
        first, inverse : ndarray of int
            A row of each class, and the class of each row.
        """
        table = replace(table, columns={**table.columns, column.name: column})
        asked = Asked.of(table, **self._columns())
        try:
            target, _ = recognise_target(column, self._task, asked, decimal_mark(table, asked))
        except DataError:
            if len(first) > len(inverse) // 2:  # there are too many of them
                raise
            return None
        codes = target.encode(column)
        places = codes[first]
        apart = len(np.unique(places)) == len(places) and (places[inverse] == codes).all() and (codes >= 0).all()
        return np.asarray(places) if apart else None

    def _encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        places = dict(zip(self.classes_.tolist(), self._places.tolist(), strict=True))
        return np.array([places.get(label, UNKNOWN) for label in values.tolist()], np.int64)

    def label_of(self, label: Any) -> Any:
        check_is_fitted(self, "model_")
        if label is None:
            return None
        labels, target = self.classes_.tolist(), self.model_.target
        assert isinstance(target, Classes)
        return target.classes[self._places[place_of(label, labels, list(map(str, labels)))]]

    def predict_proba(self, X: TableLike | RowsLike) -> npt.NDArray[np.float32]:
        """The probability of each class.

        Parameters
        ----------
        X : data frame, dict of columns, or array-like of shape (n_samples, n_features)
            With the columns of training, in their order.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        table = self._rows(X)
        probabilities = self.model_.predict(table, threads=self.threads).probabilities
        assert probabilities is not None
        return np.ascontiguousarray(probabilities[:, self._places])

    def predict(self, X: TableLike | RowsLike) -> npt.NDArray[Any]:
        """The likeliest class of each row.

        Parameters
        ----------
        X : data frame, dict of columns, or array-like of shape (n_samples, n_features)
            As for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels of `classes_`.
        """
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])


class TableRegressor(RegressorMixin, _TableEstimator):  # type: ignore[misc]
    """A regressor on the rows of data frames as they are, by scikit-learn's contract.

    It trains what `reseau train` and `TableModel.train` do, the same model on the same rows and seed.

    Parameters
    ----------
    preset, layers, activation, loss, epochs, batch_size, learning_rate, precision, random_state, category, number, \
date, text, missing, ignore, threads, verbose
        As for `TableClassifier`.

    Attributes
    ----------
    model_, n_features_in_, feature_names_in_
        As for `TableClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = {"x": np.linspace(-1, 1, 60), "sort": ["plain", "striped"] * 30}
    >>> model = rs.TableRegressor(preset="fast", learning_rate=0.01, random_state=0).fit(X, X["x"] ** 2)
    >>> model.predict({"x": [0.5], "sort": ["plain"]}).shape
    (1,)
    >>> low, high = model.predict_interval({"x": [0.5], "sort": ["plain"]}, coverage=0.5)[0]
    >>> bool(low < high)
    True
    """

    _task = "regression"

    def _read_target(
        self, column: Column, values: npt.NDArray[Any], table: Table, weights: FloatArray | None
    ) -> tuple[Column, dict[str, Any]]:
        if pa.types.is_boolean(column.cells.type):
            column = replace(column, cells=column.cells.cast(pa.int8()))
        return column, {}

    def _encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        found = numbers(values, "y", with_missing=True)
        check_finite(found, "y", np.dtype(np.float64), with_missing=True)
        return found.astype(np.float64)

    def predict(self, X: TableLike | RowsLike) -> npt.NDArray[np.float64]:
        """The predicted number of each row.

        Parameters
        ----------
        X : data frame, dict of columns, or array-like of shape (n_samples, n_features)
            With the columns of training, in their order.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the target's own unit.
        """
        table = self._rows(X)
        return np.asarray(self.model_.predict(table, threads=self.threads).values.to_numpy())

    def predict_interval(self, X: TableLike | RowsLike, coverage: float = 0.9) -> npt.NDArray[np.float64]:
        """Between which two numbers the target of each row lies with a probability.

        Parameters
        ----------
        X : data frame, dict of columns, or array-like of shape (n_samples, n_features)
            As for `predict`.
        coverage : float
            That probability, above 0 and below 1.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            The lower and the upper end, from the errors of the rows of training, each predicted out of fold.

        Raises
        ------
        ParameterError
            For another coverage, and one for which there were too few rows.
        """
        coverage = real("coverage", coverage, low=0, high=1, includes_low=False, includes_high=False)
        table = self._rows(X)
        found = self.model_.predict(table, interval=coverage, threads=self.threads).table
        return np.column_stack([found[name].to_numpy() for name in ("lower", "upper")])
