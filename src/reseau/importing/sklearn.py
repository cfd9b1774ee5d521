"""`from_sklearn`: a fitted perceptron, and the scalers around it, as one estimator of Réseau's own."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn import neural_network, preprocessing
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from reseau.errors import ParameterError
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.description import RECORDS
from reseau.estimators.pipelines import SCALERS
from reseau.estimators.regressor import MLPRegressor
from reseau.estimators.rules import ACTIVATIONS_BY_NAME
from reseau.importing.chain import Affine, Array, Chain, default_loss
from reseau.network import Network
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import NamedLoss

Step = tuple[str, Any]  # its name, and the transformer

_KINDS = {neural_network.MLPClassifier: MLPClassifier, neural_network.MLPRegressor: MLPRegressor}


def from_sklearn(estimator: Any) -> MLPClassifier | MLPRegressor:
    """Take over a fitted perceptron of scikit-learn, or of Réseau, with the scalers around it.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, sklearn.pipeline.Pipeline, or sklearn.compose.TransformedTargetRegressor
        Fitted; of sklearn.neural_network or of Réseau. In a pipeline it is the last step, and those before it are
        StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, FunctionTransformer without a function, "passthrough"
        or pipelines of such: x ↦ (x − c)·k becomes part of the first layer, σ(x · kW + b − ckW), so that the result
        takes the pipeline's own X. So do such transformers of targets become part of the last layer, and the result
        predicts in the targets' own unit. Such a network is in float64.

    Returns
    -------
    MLPClassifier or MLPRegressor
        Réseau's own, fitted, with the same parameters, classes, records and weights (copies of them), and the same
        predictions up to rounding. `partial_fit` and a warm start go on from these weights, with an optimizer that
        starts afresh.

    Raises
    ------
    ParameterError
        For another estimator, one of a class derived from these, or another step of a pipeline; it names it.
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
    before, theirs, after = _parts(estimator)
    ours, layers, loss = _perceptron(theirs)
    last = estimator.steps[-1][0] if type(estimator) is Pipeline else "mlp"
    way_out = (
        f"keep it before ours: Pipeline([*pipeline.steps[:-1], ({last!r}, rs.from_sklearn(pipeline[-1]))]), which "
        "predicts the same"
    )
    chain = Chain("the estimator", way_out=way_out)
    scales = [(step, _affine(step, transformer, way_out)) for step, transformer in before]
    targets = [
        (
            step,
            _affine(step, transformer, "train it on targets so changed, and change back what it predicts", "targets"),
        )
        for step, transformer in after
    ]
    changed = any(not affine.is_identity for _, affine in (*scales, *targets))
    if changed or type(theirs) in _KINDS:
        for step, affine in scales:
            chain.affine(affine, f"the step {step!r}")
        for place, (W, b, activation) in enumerate(layers, start=1):
            chain.linear(W, b, f"layer {place}")
            chain.apply(ACTIVATIONS[activation].value, f"layer {place}'s {activation}")
        for step, affine in targets:
            k = np.asarray(1 / affine.scale)
            chain.affine(Affine(k, -affine.shift * k), f"the {step} of the targets")
        network = chain.network(loss, dtype="float64" if changed else None, init="glorot_uniform")
        ours._take_over(network, {})
        ours.__dict__.pop("_progress", None)  # of an optimizer of other weights
    if theirs is not estimator:
        _rename(ours, estimator)
    return ours


def _parts(estimator: Any) -> tuple[list[Step], Any, list[Step]]:
    """What inputs go through, the perceptron, and what the outputs go back through."""
    if type(estimator) is Pipeline:
        *steps, (_, last) = estimator.steps
        before, theirs, after = _parts(last)
        return [*steps, *before], theirs, after
    if type(estimator) is TransformedTargetRegressor:
        check_is_fitted(estimator)
        before, theirs, after = _parts(estimator.regressor_)
        return before, theirs, [*after, ("transformer", estimator.transformer_)]
    return [], estimator, []


def _perceptron(
    theirs: Any,
) -> tuple[MLPClassifier | MLPRegressor, Iterable[tuple[Array, Array | None, str]], NamedLoss]:
    """Our estimator, fitted but for the network if it comes from scikit-learn; W, b and σ of each layer; the loss."""
    if type(theirs) in _KINDS.values():
        check_is_fitted(theirs, "_network")
        ours: MLPClassifier | MLPRegressor = copy.deepcopy(theirs)
        network = ours._network
        return ours, _layers(network), network.loss
    kind = _KINDS.get(type(theirs))
    if kind is None:
        raise ParameterError(
            f"estimator is {_said(theirs)}, but must be an MLPClassifier or MLPRegressor of sklearn.neural_network or "
            "Réseau, a Pipeline that ends in one, or a TransformedTargetRegressor of one"
            + ("; give its best_estimator_." if hasattr(theirs, "best_estimator_") else ".")
        )
    check_is_fitted(theirs)
    ours = kind(**theirs.get_params(deep=False))
    named = (*RECORDS, "feature_names_in_")
    learnt = {name: getattr(theirs, name) for name in named if hasattr(theirs, name)}
    learnt = {name: value.copy() if isinstance(value, list) else value for name, value in learnt.items()}
    loss = theirs.loss
    hidden = [theirs.activation] * (len(theirs.coefs_) - 1)
    activations = [ACTIVATIONS_BY_NAME[name].name for name in (*hidden, theirs.out_activation_)]
    if is_classifier(theirs):
        binarizer = theirs._label_binarizer
        loss = default_loss(activations[-1])
        learnt |= {
            "classes_": theirs.classes_,
            "_several": binarizer.y_type_.startswith("multilabel"),
            "_sparse_labels": binarizer.sparse_input_,
        }
    ours.__dict__.update(learnt)
    return ours, zip(theirs.coefs_, theirs.intercepts_, activations, strict=True), loss


def _layers(network: Network) -> Iterator[tuple[Array, Array | None, str]]:
    """W, b and σ of each layer of our own network, of which others can become part."""
    for place, layer in enumerate(network.layers):
        kind = layer.description
        if not kind.of_neurons or kind.dropout or kind.residual:
            raise ParameterError(
                f"Layer {place} of the estimator's network is {kind}, but scalers become part of dense layers alone, "
                "without dropout and residual links; keep the scalers before the estimator, in the pipeline."
            )
        yield layer.W, layer.b, kind.sigma.name


def _said(estimator: Any) -> str:
    """What was given instead of an estimator."""
    if isinstance(estimator, type):
        return f"the class {estimator.__name__}, not an instance of it"
    derived = next((kind for kind in (*_KINDS, *_KINDS.values()) if isinstance(estimator, kind)), None)
    own = "" if derived is None else f", which is derived from {derived.__name__} and may do anything"
    return f"of type {type(estimator).__name__}{own}"


def _rename(ours: MLPClassifier | MLPRegressor, estimator: Any) -> None:
    """Let our inputs have the names of the whole estimator's."""
    ours.__dict__.pop("feature_names_in_", None)
    first = next((step for step in _first(estimator) if not _passes(step)), None)
    names = getattr(first, "feature_names_in_", None)
    if names is not None:
        ours.feature_names_in_ = names


def _first(estimator: Any) -> Iterator[Any]:
    """What takes the inputs, the outermost step at first."""
    if type(estimator) is Pipeline:
        for _, step in estimator.steps:
            yield from _first(step)
    elif type(estimator) is TransformedTargetRegressor:
        yield from _first(estimator.regressor_)
    else:
        yield estimator


def _passes(transformer: Any) -> bool:
    return transformer is None or (isinstance(transformer, str) and transformer == "passthrough")


def _affine(step: str, transformer: Any, way_out: str, of: str = "inputs") -> Affine:
    """What a step makes of each column, (x − c)·k."""
    if _passes(transformer):
        return Affine()
    if type(transformer) is Pipeline:
        affine = Affine()
        for name, inner in transformer.steps:
            affine = affine.then(_affine(f"{step}.{name}", inner, way_out, of))
        return affine
    if type(transformer) is preprocessing.FunctionTransformer:
        functions = [transformer.func, transformer.inverse_func if of == "targets" else None]
        told = [getattr(function, "__name__", repr(function)) for function in functions if function is not None]
        if told:
            raise ParameterError(
                f"the step {step!r} applies a function ({', '.join(told)}), which cannot become part of a layer; "
                f"{way_out}."
            )
        return Affine()
    scaler = SCALERS.get(type(transformer))
    clips = scaler is not None and bool(np.isfinite(scaler.limits(transformer)).any())
    if scaler is None or clips:
        raise ParameterError(
            f"the step {step!r} is a {type(transformer).__name__}{' with clip=True' * clips}, which cannot become part "
            f"of a layer; {way_out}."
        )
    check_is_fitted(transformer)
    return _centred(*scaler.line(transformer))


def _centred(center: Any, scale: Any) -> Affine:
    """(x − center)/scale; None where a scaler was told not to use it."""
    k = 1 / np.asarray(1.0 if scale is None else scale, np.float64)
    return Affine(k, -np.asarray(0.0 if center is None else center, np.float64) * k)
