"""Validation rows of a fit: what is asked of the model on them after each epoch."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names

from reseau import data, engine
from reseau.arrays import FloatArray, IntArray, SparseRows, missing
from reseau.checks import known, shown
from reseau.errors import ParameterError

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron

LOSS = "loss"  # the metric that is the loss itself


def check_metric(metric: object) -> None:
    """Refuse what is no `early_stopping_metric`."""
    if metric is None or (callable(metric) and not isinstance(metric, type)):
        return
    if isinstance(metric, str):
        known("early_stopping_metric", metric, [LOSS, *get_scorer_names()])
        return
    raise ParameterError(
        f"early_stopping_metric is {shown(metric)}, but must be {LOSS!r}, the name of one of scikit-learn's scorers, a "
        "scorer (estimator, X, y) -> number, or None."
    )


@dataclass(frozen=True)
class Validation:
    """Rows that are not trained on.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (rows, inputs)
        Samples.
    y : ndarray of shape (rows,) or (rows, outputs)
        What the estimator's own score compares with outputs; labels are places among the classes.
    T : ndarray
        Targets as the network takes them.
    s : ndarray of shape (rows,) or None
        How much each row counts.
    units : float, and float or ndarray of shape (rows,)
        The estimator's `_units` of T.
    """

    X: Any
    y: Any
    T: FloatArray | IntArray
    s: FloatArray | None
    units: tuple[float, Any]

    @cached_property
    def rows(self) -> FloatArray | SparseRows:
        """X as the engines take it."""
        return data.checked_rows(self.X)

    @cached_property
    def _whole(self) -> tuple[Any, Any, FloatArray | None]:
        """X, y and weights of the rows that lack no target, of which scikit-learn's scorers know nothing."""
        there = ~missing(self.T).reshape(len(self.T), -1).any(axis=1)
        if there.all():
            return self.X, self.y, self.s
        return self.X[there], self.y[there], None if self.s is None else self.s[there]

    def loss(self, model: Perceptron) -> float:
        """The mean error of the rows in the units of `loss_`, without the penalty."""
        network, (a, c) = model._up_to_date(), self.units
        with np.errstate(over="ignore", invalid="ignore"):
            E = network.compute.errors(network.architecture, network.parameters, self.rows, self.T, engine.threads())
            errors = a * E.sum(axis=1, dtype=np.float64) + c
        return float(np.average(errors, weights=self.s))

    def score(self, model: Perceptron, loss: float) -> float:
        """What early stopping compares, the greater the better; `loss` is that of the rows."""
        metric: Any = model.early_stopping_metric
        if metric is None:
            return model._network_score(self.rows, self.y, self.s)
        if metric == LOSS:
            return -loss
        scorer = get_scorer(metric) if isinstance(metric, str) else metric
        X, y, s = self._whole
        weights = {} if s is None or not _takes_weights(scorer) else {"sample_weight": s}
        # The rows have no names any more, which those of the fit may have.
        names = model.__dict__.pop("feature_names_in_", None)
        try:
            value = scorer(model, X, model._as_given(y), **weights)
        except (ValueError, TypeError, AttributeError) as error:
            if metric is scorer:  # one of the user's own
                raise
            raise ParameterError(
                f"early_stopping_metric is {metric!r}, which cannot score this {type(model).__name__}: {error}"
            ) from None
        finally:
            if names is not None:
                model.feature_names_in_ = names
        if isinstance(value, bool) or not isinstance(value, Real) or isnan(value):
            raise ParameterError(
                f"early_stopping_metric, {shown(metric)}, gave {shown(value)} on the validation rows, but must give a "
                "number, the greater the better."
            )
        return float(value)


def _takes_weights(scorer: Any) -> bool:
    """Whether a scorer, or the metric that it stands for, takes sample_weight."""
    try:
        parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):  # of what is not written in Python
        return False
    return "sample_weight" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
