"""scikit-learn's MLPClassifier and MLPRegressor."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
from cases import LEARNING_RATES, MOMENTUM, Array, Case, Problem

from peers.peer import Peer, Setting

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def model(case: Case, problem: Problem) -> Any:
    """The case's estimator, with its weights."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    # Told to stop after so many epochs, it always warns that it has not converged.
    warnings.simplefilter("ignore", ConvergenceWarning)
    kind = MLPClassifier if case.output == "softmax" else MLPRegressor
    estimator = kind(
        hidden_layer_sizes=case.widths[1:-1],
        activation=ACTIVATIONS[case.activation],
        solver=case.optimizer,
        alpha=0.0,
        batch_size=case.batch,
        learning_rate_init=LEARNING_RATES[case.optimizer],
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        shuffle=False,
        warm_start=True,
        max_iter=1,
        n_iter_no_change=math.inf,  # or it would stop, and its count goes on from fit to fit
    )
    # Its arrays are made by a first fit, on a few rows which have all classes and all outputs.
    outputs = case.widths[-1]
    rows = max(outputs, case.batch) if case.output == "softmax" else case.batch
    y = np.arange(rows) % outputs if case.output == "softmax" else np.zeros((rows, outputs), case.dtype)
    estimator.fit(np.zeros((rows, case.widths[0]), case.dtype), y if outputs > 1 else y.ravel())
    for (W, b), coef, intercept in zip(problem.weights, estimator.coefs_, estimator.intercepts_, strict=True):
        coef[...] = W
        intercept[...] = b
    return estimator


class ScikitLearn(Peer):
    """`fit` with a warm start, which neither scores nor shuffles; `predict_proba` or `predict`."""

    name = "scikit-learn"
    packages = ("scikit-learn",)

    @cached_property
    def _controller(self) -> Any:
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController()

    def using(self, setting: Setting) -> AbstractContextManager[object]:
        limit: AbstractContextManager[object] = self._controller.limit(limits=setting.threads, user_api="blas")
        return limit

    def lacks(self, case: Case) -> str | None:
        if case.activation not in ACTIVATIONS:
            return f"no {case.activation}"
        if case.output == "softmax" and case.widths[-1] == 2:
            return "for two classes it has one logistic output, another network"
        return None

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        estimator, (X, y) = model(case, problem), (problem.X, problem.y)
        outputs = case.widths[-1]
        y = y.ravel() if outputs == 1 else y
        # Its squared error is the mean over the outputs, though its gradient is that of the sum.
        scale = 1 if case.output == "softmax" else outputs

        def epochs(count: int) -> float:
            estimator.set_params(max_iter=count).fit(X, y)
            if estimator.n_iter_ != count:
                raise RuntimeError(f"it stopped after {estimator.n_iter_} of {count} epochs")
            return float(estimator.loss_ * scale)

        return epochs

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        estimator, X = model(case, problem), problem.X
        predict = estimator.predict_proba if case.output == "softmax" else estimator.predict
        return lambda: predict(X)
