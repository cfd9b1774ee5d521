"""Estimators as model files hold them: parameters, classes, what `fit` left, from where `partial_fit` goes on."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from reseau.arrays import FloatArray, Progress
from reseau.checks import tensor as check_tensor
from reseau.errors import ParameterError, ReseauError
from reseau.estimators.mlp import REGRESSION_LOSSES, MLPClassifier, MLPRegressor
from reseau.estimators.perceptron import RECORDS, Perceptron
from reseau.files.model_file import LAYERS, STATE
from reseau.network import Network
from reseau.vocabulary.layers import Dense, default_output

ESTIMATORS: dict[str, type[MLPClassifier] | type[MLPRegressor]] = {
    kind.__name__: kind for kind in (MLPClassifier, MLPRegressor)
}
MOST_TEXT = 64 << 20  # bytes of an array of classes, in which each takes as much as the longest
TWISTER = "MT19937"  # the generator of every RandomState that NumPy makes by itself


def described(estimator: Perceptron) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """The description and the tensors of a fitted estimator.

    Raises
    ------
    ReseauError
        For a subclass, and for parameters or classes that JSON has no place for.
    sklearn.exceptions.NotFittedError
        Before fit.
    """
    name = type(estimator).__name__
    if ESTIMATORS.get(name) is not type(estimator):
        raise ReseauError(
            f"A {name} cannot be kept in a model file, which holds an {' or '.join(ESTIMATORS)} alone; save its "
            "network_, or pickle it."
        )
    check_is_fitted(estimator, "_network")
    estimator._check_parameters()
    state = estimator.__getstate__()  # with the weights and the progress that the engine may still have
    network: Network = state["_network"]
    progress: Progress | None = state.get("_progress")
    tensors = network.tensors()
    if progress is not None:
        tensors |= {f"{STATE}{place}": vector for place, vector in enumerate(progress.state)}
    fitted = {record: state[record] for record in (*RECORDS, "_no_improvement_count") if record in state}
    for record in [record for record, value in fitted.items() if isinstance(value, list)]:
        tensors[record] = np.array(fitted.pop(record), np.float64)  # as numbers: JSON knows none that are not finite
    if "feature_names_in_" in state:
        fitted["feature_names_in_"] = [str(feature) for feature in state["feature_names_in_"]]
    description = {
        "kind": "estimator",
        "estimator": name,
        "parameters": {key: plain(key, value) for key, value in estimator.get_params(deep=False).items()},
        "network": network.describe(),
        "classes": _described_classes(estimator) if isinstance(estimator, MLPClassifier) else None,
        "fitted": {key: plain(key, value) for key, value in fitted.items()},
        "progress": None
        if progress is None
        else {"steps": progress.steps, "epochs": progress.epochs, "rate_factor": float(state["_rate_factor"])},
    }
    return description, tensors


def from_description(
    description: Mapping[str, Any], tensors: Mapping[str, FloatArray] | None
) -> MLPClassifier | MLPRegressor:
    """Rebuild an estimator from what `described` gave; without tensors it can only be shown.

    Raises
    ------
    ReseauError
        When a parameter is out of range, a tensor is missing or of another shape, or the parts do not fit.
    """
    parameters = {key: back(value) for key, value in description["parameters"].items()}
    estimator = ESTIMATORS[description["estimator"]](**parameters)
    estimator._check_parameters()
    layers = None
    if tensors is not None:
        layers = {name: tensor for name, tensor in tensors.items() if name.startswith(LAYERS)}
    network = Network.from_description(description["network"], layers)
    estimator.__dict__.update(_classes(estimator, description["classes"]))  # they decide what the network must be
    _check_network(estimator, network)
    fitted = {key: back(value) for key, value in description["fitted"].items()}
    if "feature_names_in_" in fitted:
        fitted["feature_names_in_"] = np.array(fitted["feature_names_in_"], dtype=object)
        if len(fitted["feature_names_in_"]) != network.architecture.inputs:
            raise ReseauError(
                f"{len(fitted['feature_names_in_'])} features are named, but the network has "
                f"{network.architecture.inputs} inputs."
            )
    progress = None
    if tensors is not None:
        others = {name: tensor for name, tensor in tensors.items() if not name.startswith(LAYERS)}
        for record in RECORDS:
            if record in others:
                fitted[record] = _record(record, others.pop(record))
        if description["progress"] is not None:
            progress = _progress(description["progress"], others, network)
            fitted["_rate_factor"] = float(description["progress"]["rate_factor"])
        if others:
            raise ReseauError(f"Tensor {min(others)!r} has no place in an {type(estimator).__name__}.")
    estimator._take_over(network, fitted, progress)
    return estimator


def _check_network(estimator: MLPClassifier | MLPRegressor, network: Network) -> None:
    """Refuse a network that such an estimator could not have fitted."""
    architecture = network.architecture
    last = architecture.layers[-1]
    if isinstance(estimator, MLPClassifier):
        expected = estimator._output(np.empty((0, len(estimator.classes_))))
    else:
        loss = REGRESSION_LOSSES.get(architecture.loss)
        expected = (architecture.outputs, default_output(loss) if loss else "", architecture.loss)
    found = (architecture.outputs, last.activation, architecture.loss)
    if found != expected:
        raise ReseauError(
            f"The network has {found[0]} outputs with {found[1]!r} and the loss {found[2]!r}, but an "
            f"{type(estimator).__name__} like this has {expected[0]} with {expected[1]!r} and {expected[2]!r}."
        )
    dense = [Dense(n, layer.activation) for layer, n in zip(architecture.layers, architecture.widths[1:], strict=True)]
    if [layer.but(init=None) if layer.kind == Dense.kind else layer for layer in architecture.layers] != dense:
        raise ReseauError("The network has a layer without bias or with dropout, which estimators do not know.")


def _progress(entry: Mapping[str, Any], tensors: dict[str, FloatArray], network: Network) -> Progress:
    """The optimizer's state; its tensors are taken out."""
    expected = (network.architecture.n_parameters,)
    vectors: list[FloatArray] = []
    while (name := f"{STATE}{len(vectors)}") in tensors:
        vector = tensors.pop(name)
        check_tensor(name, vector, expected, network.dtype)
        vectors.append(vector)
    return Progress(int(entry["steps"]), int(entry["epochs"]), tuple(vectors))


def _record(name: str, numbers: FloatArray) -> list[float]:
    check_tensor(name, numbers, (numbers.size,), np.dtype(np.float64))
    values: list[float] = numbers.tolist()
    return values


# --- classes ----------------------------------------------------------------------------------------------------------


def _described_classes(estimator: MLPClassifier) -> dict[str, Any]:
    """The classes as JSON-able values."""
    classes = np.asarray(estimator.classes_)
    odd = [label for label in classes.tolist() if not isinstance(label, str | int | float)]  # a bool is an int
    dtype = {"U": "text", "O": "object"}.get(classes.dtype.kind, classes.dtype.name)
    if odd or classes.dtype.kind not in "UObiuf":
        what = f"class {odd[0]!r} is of type {type(odd[0]).__name__}" if odd else f"classes are {classes.dtype}"
        raise ReseauError(f"The {what}, which a model file has no place for; make the classes text or numbers.")
    return {
        "dtype": dtype,
        "values": classes.tolist(),
        "several": estimator._several,
        "sparse": bool(estimator._sparse_labels),
    }


def _classes(estimator: MLPClassifier | MLPRegressor, entry: Mapping[str, Any] | None) -> dict[str, Any]:
    """The attributes that a classifier has of its classes, and a regressor has not."""
    if (entry is None) is isinstance(estimator, MLPClassifier):
        raise ReseauError(f"classes is {entry}, of an {type(estimator).__name__}.")
    if entry is None:
        return {}
    values, dtype = entry["values"], entry["dtype"]
    if dtype == "text":
        longest = max(len(label) if isinstance(label, str) else 0 for label in values)
        if 4 * longest * len(values) > MOST_TEXT:
            raise ReseauError(f"{len(values)} classes of up to {longest:,} letters are too much text.")
    classes = np.array(values, {"text": np.str_, "object": object}.get(dtype, dtype))
    if classes.tolist() != values or not np.array_equal(np.unique(classes), classes):
        raise ReseauError(f"The classes are no {dtype} in ascending order.")
    return {"classes_": classes, "_several": entry["several"], "_sparse_labels": entry["sparse"]}


# --- values -----------------------------------------------------------------------------------------------------------


def plain(name: str, value: Any) -> Any:
    """A value as JSON has it: what NumPy made as what Python has, numbers that are not finite as texts."""
    if value is np.random:
        return None  # the same to scikit-learn
    if isinstance(value, np.random.RandomState):
        state: Any = value.get_state(legacy=False)
        if state["bit_generator"] != TWISTER:
            raise ParameterError(f"{name} draws from a {state['bit_generator']}; a model file can keep a {TWISTER}.")
        kept = {**state["state"], "has_gauss": state["has_gauss"], "cached_gaussian": state["gauss"]}
        return {key: plain(name, part) for key, part in kept.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, list | tuple | range):
        return [plain(name, part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ParameterError(
        f"{name} is {value!r}, of type {type(value).__name__}, which a model file has no place for; give plain numbers."
    )


def back(value: Any) -> Any:
    """The value that `plain` wrote."""
    if isinstance(value, dict):
        random = np.random.RandomState(np.random.MT19937())
        words = {"key": np.array(value["key"], np.uint32), "pos": value["pos"]}
        random.set_state(
            {
                "bit_generator": TWISTER,
                "state": words,
                "has_gauss": value["has_gauss"],
                "gauss": value["cached_gaussian"],
            }
        )
        return random
    if value in ("inf", "-inf", "nan"):
        return float(value)
    return tuple(value) if isinstance(value, list) else value
