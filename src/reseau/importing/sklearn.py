"""`from_sklearn`: a fitted perceptron of scikit-learn, as Réseau's own estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import neural_network, preprocessing
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from reseau.errors import ParameterError
from reseau.estimators import MLPClassifier, MLPRegressor
from reseau.layers import Dense
from reseau.network import Network
from reseau.perceptron import RECORDS

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_ENTRIES = {"logistic": "sigmoid", "exp": "exponential"}  # of the table of activations; the others have its names
FARTHEST = 2.0**26  # deviations from zero: half of float64's digits


def from_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Take over a fitted perceptron of scikit-learn.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier, MLPRegressor, or sklearn.pipeline.Pipeline
        Fitted. In a pipeline it is the last step, and those before it are StandardScaler, MinMaxScaler, MaxAbsScaler or
        RobustScaler: x ↦ (x − c)·k becomes part of the first layer, σ(x · kW + b − ckW), so that the result takes the
        pipeline's own X; such a network is in float64.

    Returns
    -------
    MLPClassifier or MLPRegressor
        Réseau's own, fitted, with the same parameters, classes, records and weights (copies of them), and the same
        predictions up to rounding. `partial_fit` and a warm start go on from these weights, with an optimizer that
        starts afresh.

    Raises
    ------
    ParameterError
        For another estimator, or another step of a pipeline; it names it.
    sklearn.exceptions.NotFittedError
        Before fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> import reseau as rs
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = MLPClassifier((8,), solver="lbfgs", max_iter=500, random_state=0).fit(X, y)
    >>> ours = rs.from_sklearn(theirs)
    >>> bool(abs(ours.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-12)
    True
    """
    if not isinstance(estimator, Pipeline):
        return _perceptron(estimator)
    *before, (name, last) = estimator.steps
    ours = _perceptron(last)
    center: Floats = np.zeros(1)
    scale: Floats = np.ones(1)
    for step, transformer in before:
        c, k = _affine(step, transformer, name)
        center, scale = center + c / scale, scale * k  # ((x − center)·scale − c)·k
    _fold(ours, center, scale)
    for attribute in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, attribute):
            setattr(ours, attribute, getattr(estimator, attribute))
    return ours


def _perceptron(theirs: Any) -> MLPClassifier | MLPRegressor:
    kinds = {neural_network.MLPClassifier: MLPClassifier, neural_network.MLPRegressor: MLPRegressor}
    kind = next((ours for cls, ours in kinds.items() if isinstance(theirs, cls)), None)
    if kind is None:
        hint = "; give its best_estimator_" if hasattr(theirs, "best_estimator_") else ""
        raise ParameterError(
            f"estimator is of type {type(theirs).__name__}, but must be an MLPClassifier or MLPRegressor of "
            f"sklearn.neural_network, or a Pipeline that ends in one{hint}."
        )
    check_is_fitted(theirs)
    ours: MLPClassifier | MLPRegressor = kind(**theirs.get_params(deep=False))
    named = (*RECORDS, "feature_names_in_")
    learnt = {name: getattr(theirs, name) for name in named if hasattr(theirs, name)}
    learnt = {name: value.copy() if isinstance(value, list) else value for name, value in learnt.items()}
    loss = theirs.loss
    if is_classifier(theirs):
        binarizer = theirs._label_binarizer
        loss = "cross_entropy" if theirs.out_activation_ == "softmax" else "binary_cross_entropy"
        learnt |= {
            "classes_": theirs.classes_,
            "_several": binarizer.y_type_.startswith("multilabel"),
            "_sparse_labels": binarizer.sparse_input_,
        }
    network = Network(
        *(
            Dense(W.shape[1], _ENTRIES.get(name, name), init="glorot_uniform")
            for W, name in zip(
                theirs.coefs_,
                [*[theirs.activation] * (len(theirs.coefs_) - 1), theirs.out_activation_],
                strict=True,
            )
        ),
        loss=loss,
        inputs=theirs.coefs_[0].shape[0],
        dtype=theirs.coefs_[0].dtype.name,
        seed=0,  # what it draws is replaced
    )
    for layer, W, b in zip(network.layers, theirs.coefs_, theirs.intercepts_, strict=True):
        layer.W[...] = W
        assert layer.b is not None
        layer.b[...] = b
    ours._take_over(network, learnt)
    return ours


def _affine(step: str, transformer: Any, last: str) -> tuple[Floats, Floats]:
    """(c, k) of a step that makes (x − c)·k of each column."""
    if transformer in (None, "passthrough"):
        return np.zeros(1), np.ones(1)
    way_out = (
        f"keep it before ours: Pipeline([*pipeline.steps[:-1], ({last!r}, rs.from_sklearn(pipeline[-1]))]), which "
        "predicts the same."
    )
    found = next((values for kind, values in _SCALERS.items() if type(transformer) is kind), None)
    if found is None or getattr(transformer, "clip", False):
        clips = " with clip=True" if found is not None else ""
        raise ParameterError(
            f"the step {step!r} is a {type(transformer).__name__}{clips}, which cannot become part of a layer; "
            f"{way_out}"
        )
    check_is_fitted(transformer)
    c, k = (np.asarray(value, np.float64) for value in found(transformer))
    far = np.abs(c * k)
    if far.max() > FARTHEST:
        raise ParameterError(
            f"the step {step!r} takes off {far.max():.3g} times what it then divides by in column "
            f"{int(far.argmax())}; as part of a layer that would lose digits, so {way_out}"
        )
    return c, k


def _or(value: Any, otherwise: float) -> Any:
    """A scaler's statistic; None where it was told not to use it."""
    return otherwise if value is None else value


_SCALERS: dict[type, Any] = {
    preprocessing.StandardScaler: lambda s: (_or(s.mean_ if s.with_mean else None, 0.0), 1 / _scale(s)),
    preprocessing.MinMaxScaler: lambda s: (-s.min_ / s.scale_, s.scale_),
    preprocessing.MaxAbsScaler: lambda s: (0.0, 1 / s.scale_),
    preprocessing.RobustScaler: lambda s: (_or(s.center_, 0.0), 1 / _scale(s)),
}
"""Of each scaler that is one line: c and k, of every column or of all."""


def _scale(scaler: Any) -> Floats:
    return np.asarray(_or(scaler.scale_, 1.0), np.float64)


def _fold(ours: MLPClassifier | MLPRegressor, center: Floats, scale: Floats) -> None:
    """Give the network inputs x for (x − center)·scale: W becomes scale·W, b becomes b − (center·scale) W."""
    if not (center.any() or (scale != 1).any()):
        return
    network = ours._network
    W = network.layers[0].W.astype(np.float64)
    folded = Network(
        *(layer.description for layer in network.layers),
        loss=network.loss,
        inputs=W.shape[0],
        dtype="float64",
        seed=0,
    )
    folded.parameters[...] = network.parameters
    first = folded.layers[0]
    assert first.b is not None
    first.W[...] = scale.reshape(-1, 1) * W
    first.b[...] -= np.broadcast_to(center * scale, W.shape[:1]) @ W
    ours._network = folded
