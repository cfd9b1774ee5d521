"""Targets and what is predicted of them, side by side, from any model and from arrays."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from reseau import data
from reseau.array_likes import check_finite, is_frame, numbers
from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.engine.reference import dense_targets
from reseau.ensemble import Ensemble
from reseau.errors import DataError, ParameterError
from reseau.network import Network
from reseau.vocabulary.losses import loss_of

if TYPE_CHECKING:
    from reseau.tables.model import TableModel

FLOAT64 = np.dtype(np.float64)
LARGEST = 1e300  # spread that matplotlib leaves room around
ROUNDINGS = 8  # of the largest number: what spreads by no more is constant


def compared(
    y_true: object, y_pred: object, names: tuple[str, str] = ("y_true", "y_pred")
) -> tuple[FloatArray, FloatArray]:
    """Targets, NaN where missing, and predictions in float64: (rows,) both, or (rows, columns) of several.

    Raises
    ------
    DataError
        For what is no array of numbers, for other shapes, for no row, and if all targets are missing.
    """
    t, o = column(y_true, names[0], with_missing=True), column(y_pred, names[1])
    if t.shape != o.shape:
        way_out = "; choose the columns, and give them to from_predictions" if len(t) == len(o) else ""
        raise DataError(
            f"{names[0]} has shape {t.shape} and {names[1]} {o.shape}, but there must be a prediction for each "
            f"target{way_out}."
        )
    if np.isnan(t).all():
        raise DataError(f"{names[0]} has no target that is there; at least one is needed.")
    return t, o


def column(values: object, name: str, *, with_missing: bool = False) -> FloatArray:
    """Numbers in float64: (rows,), which (rows, 1) becomes too, or (rows, columns)."""
    array = numbers(values, name, with_missing=with_missing)
    check_finite(array, name, FLOAT64, values, with_missing=with_missing)
    array = array.astype(np.float64)
    if array.ndim not in (1, 2):
        raise DataError(f"{name} has shape {array.shape}, but must be (rows,) or (rows, columns).")
    if not array.size:
        raise DataError(f"{name} is empty, shape {array.shape}; at least one row is needed.")
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def one_column(name: str, values: object) -> FloatArray:
    """Numbers, (rows,) in float64."""
    array = column(values, name)
    if array.ndim == 2:
        raise DataError(f"{name} has {array.shape[1]} columns, but must have one; choose it, as {name}[:, 0].")
    return array


def measured(t: FloatArray, o: FloatArray) -> tuple[FloatArray, FloatArray]:
    """All targets that are there, and their outputs, (n,)."""
    there = ~np.isnan(t)
    return t[there], o[there]


def spread(values: FloatArray, name: str) -> float:
    """The difference of the largest and the smallest; DataError where it cannot be drawn."""
    with np.errstate(over="ignore"):
        width = float(np.ptp(values))
    if not width < LARGEST:
        raise DataError(
            f"{name} spreads from {values.min():g} to {values.max():g}, too far to be drawn; scale it first."
        )
    return width


def roundings(values: FloatArray) -> float:
    """By how much numbers spread at most that differ by their roundings alone."""
    return ROUNDINGS * float(np.spacing(np.abs(values).max()))


def is_table_model(estimator: object) -> TypeGuard[TableModel]:
    """Whether it is a model of tables, for which what reads tables is not loaded: then there is none."""
    tables = sys.modules.get("reseau.tables.model")
    return tables is not None and isinstance(estimator, tables.TableModel)


def predicted(estimator: Any, X: Any) -> Any:
    """What a fitted model predicts: of a loss with a scale the mean, of a distribution the probabilities.

    Raises
    ------
    ParameterError
        For what predicts no numbers.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise ParameterError(
            f"estimator is {shown(estimator)}, but must be a fitted regressor, a Network, an Ensemble or a TableModel; "
            "of anything else compare the predictions, with from_predictions(y, y_pred)."
        )
    if isinstance(estimator, Network | Ensemble):
        O = estimator(X)
        architecture = estimator.networks[0].architecture
        if loss_of(estimator.loss).deviation is not None:
            return O[:, :: architecture.error.per_target]
        return np.exp(O) if architecture.layers[-1].range_like.distribution == "logarithms" else O
    if is_table_model(estimator):
        if estimator.target.task == "classification":
            raise ParameterError(
                f"estimator is a TableModel of the classes of {estimator.target.name!r}, which are no numbers; compare "
                "the probability of one with 0 and 1, by from_predictions(y == name, probabilities[:, place])."
            )
        return estimator.predict(X).values.to_numpy()
    if hasattr(estimator, "__sklearn_tags__"):
        from sklearn.base import is_classifier

        if is_classifier(estimator):
            raise ParameterError(
                "estimator is a classifier, whose labels are no numbers; compare the probability of a class with 0 and "
                "1, such as by from_predictions(y == model.classes_[1], model.predict_proba(X)[:, 1])."
            )
    return estimator.predict(X)


def targets_and_predictions(
    estimator: Any, X: Any, y: object, names: tuple[str, str] = ("X", "y")
) -> tuple[FloatArray, FloatArray]:
    """Targets and what a fitted model predicts of them, as `compared` gives them.

    Of a network the targets are those that its outputs are compared with, of labels 1 for the right class and 0 for the
    others. A table model finds the targets in the table, if there is no y.

    Raises
    ------
    ParameterError
        For what predicts no numbers.
    DataError
        For samples and targets that the model or `compared` refuses.
    """
    if is_table_model(estimator):
        from reseau.tables.reading.table import read_table

        X = read_table(X, **estimator.reading)
    o = predicted(estimator, X)
    if is_table_model(estimator) and y is None:
        target = estimator.target
        y = target.encode(X.column(target.name))
    elif y is None:
        raise DataError(f"{names[1]} is None, but must be the targets of {names[0]}.")
    elif isinstance(estimator, Network | Ensemble):
        y = _taught(estimator, y, names[1], len(o))
    return compared(y, o, (names[1], f"what is predicted of {names[0]}"))


def _taught(net: Network | Ensemble, y: object, name: str, rows: int) -> FloatArray:
    """What the outputs are compared with, a column for each target; NaN where it is missing."""
    architecture = net.networks[0].architecture
    T = dense_targets(architecture, data.targets(y, name, architecture, rows, FLOAT64, masked=True), FLOAT64)
    return T[:, :: architecture.error.per_target]


def like(X: Any, values: FloatArray) -> Any:
    """Rows of other values; where X is a frame, one with its names."""
    if is_frame(X):
        import narwhals

        names = narwhals.from_native(X, eager_only=True).columns
        if all(isinstance(name, str) for name in names):
            columns = dict(zip(names, values.T, strict=True))
            return narwhals.from_dict(columns, backend=narwhals.get_native_namespace(X)).to_native()
    return values
