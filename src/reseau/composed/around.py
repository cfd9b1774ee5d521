"""Estimators of scikit-learn that are built around others, as nodes, where skl2onnx has no converter that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skl2onnx.common.data_types import Int64TensorType
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from reseau.composed.operators import TENSORS, Converter, cells, declared, hand_over, precision, row
from reseau.composed.steps import applied
from reseau.errors import ReseauError
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.regressor import MLPRegressor
from reseau.export.onnx_graph import Graph

# Those that say the class of the largest probability, so that nothing else is needed to know it.
SAY_THE_LIKELIEST = (
    MLPClassifier,
    VotingClassifier,
    BaggingClassifier,
    CalibratedClassifierCV,
    AdaBoostClassifier,
    LogisticRegression,
)

# --- a target that is transformed -------------------------------------------------------------------------------------


def _target(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    _, Y = declared(scope, model.regressor_, operator.inputs, g.dtype.name)
    hand_over(scope, container, g, [(inverse(g, Y, model.transformer_), operator.outputs[0])])


def inverse(g: Graph, Y: str, transformer: Any) -> str:
    """What a transformer of targets undoes, Y (N, targets); a ReseauError names one that is not known."""
    if isinstance(transformer, Pipeline):
        for _, step in reversed(transformer.steps):
            Y = inverse(g, Y, step)
        return Y
    if isinstance(transformer, FunctionTransformer):
        return applied(g, Y, transformer.inverse_func, transformer.inv_kw_args)
    if isinstance(transformer, MinMaxScaler):
        return g("Div", g("Sub", Y, row(g, transformer.min_)), row(g, transformer.scale_))
    if isinstance(transformer, (StandardScaler, RobustScaler, MaxAbsScaler)):
        centres = {StandardScaler: ("with_mean", "mean_"), RobustScaler: ("with_centering", "center_")}
        is_centred, center = centres.get(type(transformer), ("", ""))
        if transformer.scale_ is not None:
            Y = g("Mul", Y, row(g, transformer.scale_))
        return g("Add", Y, row(g, getattr(transformer, center))) if getattr(transformer, is_centred, False) else Y
    raise ReseauError(
        f"A step of the pipeline cannot be written as ONNX: what a {type(transformer).__name__} does to the target "
        "cannot be undone; scale it with a StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler, or a function."
    )


# --- calibrated probabilities -----------------------------------------------------------------------------------------


def _calibrated(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    n = len(model.classes_)
    probabilities = []
    for one in model.calibrated_classifiers_:
        given, are_scores = _responses(scope, model, one.estimator, operator.inputs, g)
        if one.method == "temperature":
            if not are_scores:
                logits = g("Log", g("Add", given, 1e-12))
            else:
                logits = g("Concat", g("Neg", given), given, axis=1) if n == 2 else given
            probabilities.append(g("Softmax", g("Mul", float(one.calibrators[0].beta_), logits), axis=1))
            continue
        places = np.searchsorted(one.classes, one.estimator.classes_)
        of_two = [0] if are_scores else [1]
        columns = [
            _CALIBRATORS[one.method](g, g("Gather", given, np.array([j]), axis=1), calibrator)
            for j, calibrator in zip(of_two if n == 2 else range(len(places)), one.calibrators, strict=True)
        ]
        if n == 2:
            probabilities.append(g("Concat", g("Sub", 1.0, columns[0]), columns[0], axis=1))
            continue
        nothing = g("Mul", 0.0, columns[0])  # a class that this one has not seen
        found = dict(zip(places.tolist(), columns, strict=True))
        whole = g("Concat", *(found.get(k, nothing) for k in range(n)), axis=1)
        total = g("MatMul", whole, np.ones((n, 1), g.dtype))
        is_zero = g("Equal", total, np.array(0.0, g.dtype))
        share = g("Div", whole, g("Where", is_zero, np.array(1.0, g.dtype), total))
        probabilities.append(g("Where", is_zero, np.array(1 / n, g.dtype), share))
    mean = g("Div", g("Sum", *probabilities), float(len(probabilities)))
    place = g("ArgMax", mean, axis=1, keepdims=0)
    hand_over(scope, container, g, zip([place, mean], operator.outputs, strict=True))


def _sigmoid(g: Graph, p: str, calibrator: Any) -> str:
    """1/(1 + e^(a p + b))."""
    exponent = g("Add", g("Mul", float(calibrator.a_), p), float(calibrator.b_))
    return g("Div", 1.0, g("Add", 1.0, g("Exp", exponent)))


def _isotonic(g: Graph, p: str, calibrator: Any) -> str:
    """y_0 + Σ_k s_k (x − x_k, kept between 0 and x_(k+1) − x_k), which is linear between knots, and level beyond."""
    x, y = (np.asarray(knots, np.float64) for knots in (calibrator.X_thresholds_, calibrator.y_thresholds_))
    if len(x) < 2:
        x, y = np.array([0.0, 1.0]), np.full(2, y[0])
    steps = np.diff(x)
    within = g("Max", g("Min", g("Sub", p, row(g, x[:-1])), row(g, steps)), np.zeros((1, 1), g.dtype))
    return g("Add", float(y[0]), g("MatMul", within, row(g, np.diff(y) / steps).T))


_CALIBRATORS: dict[str, Callable[[Graph, str, Any], str]] = {"sigmoid": _sigmoid, "isotonic": _isotonic}


# --- what scikit-learn asks a classifier for: its decision function, or else its probabilities ------------------------


def _responses(scope: Any, model: Any, estimator: Any, inputs: Any, g: Graph) -> tuple[str, bool]:
    """Let skl2onnx write what a model asks of a classifier in it, and say whether these are scores.

    Scores are (N, 1) of two classes and (N, classes) of more; probabilities are (N, classes).
    """
    if not hasattr(estimator, "decision_function"):
        return declared(scope, estimator, inputs, g.dtype.name)[1], False
    return declared(scope, _giving_scores(model, estimator), inputs, g.dtype.name)[1], True


def _giving_scores(model: Any, estimator: Any) -> Any:
    """The regressor that predicts what a classifier's decision function gives; of a pipeline at its end."""
    if type(estimator) is Pipeline:
        *steps, (name, last) = estimator.steps
        return Pipeline([*steps, (name, _giving_scores(model, last))])
    if type(estimator) is not MLPClassifier:
        raise ReseauError(
            f"A step of the pipeline cannot be written as ONNX: a {type(model).__name__} of a "
            f"{type(estimator).__name__}, whose decision function would be asked."
        )
    regressor = MLPRegressor()
    regressor._take_over(estimator._up_to_date().with_output("identity"), {})
    return regressor


# --- one against the rest ---------------------------------------------------------------------------------------------


def _one_against_the_rest(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    asked, said, limit = [], [], 0.5
    for estimator in model.estimators_:
        found, are_scores = _responses(scope, model, estimator, operator.inputs, g)
        if are_scores:
            asked.append(found)
            said.append(g("Sigmoid", found))
            limit = 0.0
        else:
            said.append(g("Gather", found, np.array([1]), axis=1))
            asked.append(said[-1])
    raw, P = g("Concat", *asked, axis=1), g("Concat", *said, axis=1)
    if model.multilabel_:
        results = [g.cast(g("Greater", raw, limit), np.int64), P]
    elif len(said) == 1:
        place = g("Squeeze", g.cast(g("Greater", raw, limit), np.int64), np.array([1]))
        results = [place, g("Concat", g("Sub", 1.0, P), P, axis=1)]
    else:
        total = g("MatMul", P, np.ones((len(said), 1), g.dtype))
        one, zero = np.array(1.0, g.dtype), np.array(0.0, g.dtype)
        share = g("Div", P, g("Where", g("Equal", total, zero), one, total))
        results = [g("ArgMax", raw, axis=1, keepdims=0), share]
    hand_over(scope, container, g, zip(results, operator.outputs, strict=True))


# --- several targets --------------------------------------------------------------------------------------------------


def _several(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    said = [declared(scope, estimator, operator.inputs, g.dtype.name) for estimator in model.estimators_]
    columns = g("Concat", *(g("Reshape", first, np.array([-1, 1])) for first, _ in said), axis=1)
    results = [columns]
    if is_classifier(model):
        results.append(g("SequenceConstruct", *(P for _, P in said)))
    hand_over(scope, container, g, zip(results, operator.outputs, strict=True))


# --- stacks -----------------------------------------------------------------------------------------------------------


def _stacked(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    binary = is_classifier(model) and len(model.classes_) == 2
    methods = getattr(model, "stack_method_", ["predict"] * len(model.estimators_))
    said = []
    for estimator, method in zip(model.estimators_, methods, strict=True):
        if method not in ("predict_proba", "predict") or (method == "predict" and is_classifier(estimator)):
            raise ReseauError(
                f"A step of the pipeline cannot be written as ONNX: a stack on the {method} of a "
                f"{type(estimator).__name__}; take stack_method='predict_proba'."
            )
        _, values = declared(scope, estimator, operator.inputs, g.dtype.name)
        said.append(g("Gather", values, np.array([1]), axis=1) if binary else values)
    if model.passthrough:
        if any(cells(g, operator).texts):
            raise ReseauError("A stack with passthrough=True cannot be written as ONNX where columns are text.")
        said.append(cells(g, operator).matrix())
    merged = scope.declare_local_variable(
        "stacked", TENSORS[g.dtype.name]([None, model.final_estimator_.n_features_in_])
    )
    label, values = declared(scope, model.final_estimator_, [merged], g.dtype.name)
    if isinstance(model.final_estimator_, SAY_THE_LIKELIEST):
        label = g("ArgMax", values, axis=1, keepdims=0)
    results = [label, values] if is_classifier(model) else [values]
    pairs = [(g("Concat", *said, axis=1), merged), *zip(results, operator.outputs, strict=True)]
    hand_over(scope, container, g, pairs)


# --- thresholds -------------------------------------------------------------------------------------------------------


def _thresholded(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    if model.response_method == "decision_function":
        raise ReseauError("A threshold on a decision function cannot be written as ONNX; take one on probabilities.")
    _, P = declared(scope, getattr(model, "estimator_", model.estimator), operator.inputs, g.dtype.name)
    if isinstance(model, TunedThresholdClassifierCV):
        threshold, label = model.best_threshold_, model._curve_scorer._get_pos_label()
    else:
        threshold, label = 0.5 if model.threshold == "auto" else model.threshold, model.pos_label
    chosen = 1 if label is None else int(np.flatnonzero(model.classes_ == label)[0])
    over = g("GreaterOrEqual", g("Gather", P, np.array(chosen), axis=1), np.array(threshold, g.dtype))
    place = g("Where", over, np.array(chosen), np.array(1 - chosen))
    hand_over(scope, container, g, zip([place, P], operator.outputs, strict=True))


# --- their outputs ----------------------------------------------------------------------------------------------------


def _regressor_shape(operator: Any) -> None:
    operator.outputs[0].type = TENSORS[precision(operator)]([None, None])


def _classifier_shape(operator: Any) -> None:
    model = operator.raw_operator
    several = getattr(model, "multilabel_", False)
    operator.outputs[0].type = Int64TensorType([None, len(model.classes_)] if several else [None])
    operator.outputs[1].type = TENSORS[precision(operator)]([None, len(model.classes_)])


def _several_shape(operator: Any) -> None:  # skl2onnx knows the types already
    operator.outputs[0].type = type(operator.outputs[0].type)([None, len(operator.raw_operator.estimators_)])


AROUND: dict[type, tuple[Callable[[Any], None], Converter]] = {
    CalibratedClassifierCV: (_classifier_shape, _calibrated),
    FixedThresholdClassifier: (_classifier_shape, _thresholded),
    MultiOutputClassifier: (_several_shape, _several),
    MultiOutputRegressor: (_several_shape, _several),
    OneVsRestClassifier: (_classifier_shape, _one_against_the_rest),
    StackingClassifier: (_classifier_shape, _stacked),
    StackingRegressor: (_regressor_shape, _stacked),
    TransformedTargetRegressor: (_regressor_shape, _target),
    TunedThresholdClassifierCV: (_classifier_shape, _thresholded),
}
