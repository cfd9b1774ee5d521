"""Estimators of scikit-learn that are made of others: what is in them, and copies that are plainer to write."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from reseau.estimators.perceptron import Perceptron
from reseau.estimators.pipelines import opened

# Where estimators keep the fitted ones that they predict with; such lists may also hold pairs with a name.
_PARTS = ("estimators_", "estimator_", "final_estimator_", "regressor_", "calibrated_classifiers_")


class Chosen(TransformerMixin, BaseEstimator):
    """A step that gives some columns of a matrix."""

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns = columns

    def get_feature_names_out(self, names: Any = None) -> Any:
        """As many as columns."""
        return [str(column) for column in self.columns]


def innermost(model: Any) -> Any:
    """The estimator itself, where a search has found it or a pipeline is nothing else.

    Raises
    ------
    ParameterError
        For a search that has fitted none at its end.
    """
    model = opened(model)
    while isinstance(model, Pipeline) and len(steps := _steps(model)) == 1:
        model = opened(steps[0][1])
    return model


def networks(model: Any) -> Iterator[Perceptron]:
    """Our fitted estimators in another one."""
    if isinstance(model, Perceptron):
        if hasattr(model, "_network"):
            yield model
    elif isinstance(model, (list, tuple)):
        for part in model:
            yield from networks(part)
    elif isinstance(model, BaseEstimator) or hasattr(model, "calibrators"):
        for part in vars(model).values():
            yield from networks(part)


def plain(model: Any, dress: Callable[[Any], None] | None = None) -> Any:
    """A copy of a fitted estimator that says the same in fewer ways.

    There are no searches, no steps that pass everything through, no columns by name, and no choices of how to return
    what is not asked for here. What is fitted is shared. `dress` is called with every copy.
    """
    if isinstance(model, (list, tuple)):
        return type(model)(plain(part, dress) for part in model)
    if not isinstance(model, BaseEstimator) and not hasattr(model, "calibrators"):
        return model
    model = innermost(model)
    if isinstance(model, Pipeline) and not _steps(model):
        model = _same()
    if isinstance(model, Perceptron):
        return model
    model = copy.copy(model)
    if isinstance(model, Pipeline):
        model.steps = [(name, plain(step, dress)) for name, step in _steps(model)]
        model.steps[1:] = [
            (name, _union(step, dress) if isinstance(step, ColumnTransformer) else step)
            for name, step in model.steps[1:]
        ]
    elif isinstance(model, FeatureUnion):
        model.transformer_list = [
            (name, plain(_same() if part == "passthrough" else part, dress))
            for name, part in model.transformer_list
            if not isinstance(part, str) or part != "drop"
        ]
    elif isinstance(model, ColumnTransformer):
        model.transformers_ = [
            (name, plain(_same() if part == "passthrough" else part, dress), positions(columns, model))
            for name, part, columns in model.transformers_
            if not isinstance(part, str) or part != "drop"
        ]
    elif isinstance(model, (VotingClassifier, VotingRegressor)):
        model.weights = None if model.weights is None else np.asarray(model._weights_not_none, np.float64)
        model.flatten_transform = False
    # What has no such part may predict with its `estimator`; elsewhere that was copied to be fitted, and is not.
    for name in [part for part in _PARTS if part in vars(model)] or ["estimator"]:
        if name in vars(model):
            setattr(model, name, plain(vars(model)[name], dress))
    if dress is not None:
        dress(model)
    return model


def _union(model: ColumnTransformer, dress: Callable[[Any], None] | None) -> FeatureUnion:
    """What a ColumnTransformer does with the columns of a matrix."""
    parts = []
    for name, part, columns in model.transformers_:
        if columns:
            chosen = plain(Chosen(columns), dress)
            chosen.n_features_in_ = model.n_features_in_
            parts.append((name, Pipeline([("columns", chosen), ("then", part)])))
    return FeatureUnion(parts, transformer_weights=model.transformer_weights)


def positions(columns: Any, model: Any) -> list[int]:
    """The places of columns that are given in any way that a fitted ColumnTransformer knows."""
    names = list(getattr(model, "feature_names_in_", []))
    places = np.arange(model.n_features_in_)

    def place(column: Any) -> Any:
        return names.index(column) if isinstance(column, str) else column

    if isinstance(columns, slice):
        stop = columns.stop
        stop = place(stop) + 1 if isinstance(stop, str) else stop  # a slice of names holds its end
        return [int(p) for p in places[slice(place(columns.start), stop, columns.step)]]
    given = np.atleast_1d(np.asarray(columns, dtype=object))
    if all(isinstance(column, (bool, np.bool_)) for column in given):
        return [int(p) for p in places[given.astype(bool)]] if len(given) else []
    return [int(places[place(column)]) for column in given]


def _steps(pipeline: Pipeline) -> list[tuple[str, Any]]:
    return [(name, step) for name, step in pipeline.steps if step is not None and not isinstance(step, str)]


def _same() -> FunctionTransformer:
    return FunctionTransformer()
