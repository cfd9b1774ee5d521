"""Estimators from model files: rebuilt of what `description` says, and told in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reseau.arrays import FloatArray, ResumePoint
from reseau.checks import tensor as check_tensor
from reseau.errors import ReseauError
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.description import RECORDS, back
from reseau.estimators.perceptron import Perceptron
from reseau.estimators.regressor import MLPRegressor
from reseau.files.model_file import LAYERS, STATE
from reseau.network import Network
from reseau.visible import short, visible
from reseau.vocabulary.layers import Dense

ESTIMATORS: dict[str, type[MLPClassifier] | type[MLPRegressor]] = {
    kind.__name__: kind for kind in (MLPClassifier, MLPRegressor)
}


def from_description(
    description: Mapping[str, Any], tensors: Mapping[str, FloatArray] | None
) -> MLPClassifier | MLPRegressor:
    """Rebuild an estimator from what `description.described` gave; without tensors it can only be shown.

    Raises
    ------
    ReseauError
        When a parameter is out of range, a tensor is missing or of another shape, or the parts do not fit.
    """
    try:
        parameters = {key: back(value) for key, value in description["parameters"].items()}
        estimator = ESTIMATORS[description["estimator"]](**parameters)
        estimator._check_parameters()
    except RecursionError:  # of layers within layers
        raise ReseauError("The parameters hold one another too deeply.") from None
    layers = None
    if tensors is not None:
        layers = {name: tensor for name, tensor in tensors.items() if name.startswith(LAYERS)}
    network = Network.from_description(description["network"], layers)
    estimator.__dict__.update(estimator._read_classes(description["classes"]))  # they decide what the network must be
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
            if "seed" in description["progress"]:
                fitted["_seed"] = int(description["progress"]["seed"])
        if others:
            raise ReseauError(f"Tensor {min(others)!r} has no place in an {type(estimator).__name__}.")
    estimator._take_over(network, fitted, progress)
    return estimator


def _check_network(estimator: MLPClassifier | MLPRegressor, network: Network) -> None:
    """Refuse a network that such an estimator could not have fitted."""
    architecture = network.architecture
    last = architecture.layers[-1]
    expected = estimator._output_of(architecture)
    found = (architecture.outputs, last.activation, architecture.loss)
    if found != expected:
        raise ReseauError(
            f"The network has {found[0]} outputs with {found[1]!r} and the loss {found[2]!r}, but an "
            f"{type(estimator).__name__} like this has {expected[0]} with {expected[1]!r} and {expected[2]!r}."
        )
    plain = Dense(architecture.outputs, last.activation, groups=estimator._groups)
    if last.kind != plain.kind or last.but(init=None) != plain:
        raise ReseauError(f"The network ends in {last}, but that of an {type(estimator).__name__} in {plain}.")


def _progress(entry: Mapping[str, Any], tensors: dict[str, FloatArray], network: Network) -> ResumePoint:
    """The optimizer's state; its tensors are taken out."""
    expected = (network.architecture.n_parameters,)
    vectors: list[FloatArray] = []
    while (name := f"{STATE}{len(vectors)}") in tensors:
        vector = tensors.pop(name)
        check_tensor(name, vector, expected, network.dtype)
        vectors.append(vector)
    return ResumePoint(int(entry["steps"]), int(entry["epochs"]), tuple(vectors))


def _record(name: str, numbers: FloatArray) -> list[float]:
    check_tensor(name, numbers, (numbers.size,), np.dtype(np.float64))
    values: list[float] = numbers.tolist()
    return values


def told(name: str, description: Mapping[str, Any], estimator: Perceptron) -> list[str]:
    """What a terminal tells of a file of this name, given its description and the estimator of that."""
    fitted, classes = description["fitted"], description["classes"]
    changed = " ".join(repr(estimator).split())
    lines = [f"{name}: {changed}", ""]
    if classes is not None and "columns" in classes:
        counts = ", ".join(f"{len(column['values'])}" for column in classes["columns"])
        lines += [f"Columns of classes: {len(classes['columns'])}, of {counts} classes"]
    elif classes is not None:
        shown = [short(str(label), 24) for label in classes["values"][:8]]
        rest = len(classes["values"]) - len(shown)
        what = "Labels, of which a row may have several" if classes["several"] else "Classes"
        lines += [f"{what}: {', '.join(shown)}{f' and {rest:,} others' if rest else ''}"]
    lines += told_features(fitted.get("feature_names_in_", []))
    lines += ["", estimator._network.summary(), ""]
    loss = fitted.get("loss_")
    told = "" if not isinstance(loss, float) else f", loss {loss:.4g}"
    lines += [f"Training: {fitted['n_iter_']:,} epochs of the last fit{told}"]
    if description["progress"] is not None:
        lines += ["The optimizer's state is kept, so that partial_fit goes on from it."]
    return lines


def told_features(names: Sequence[str]) -> list[str]:
    """The line that names the inputs, if they have names."""
    rest = len(names) - 8
    shown = ", ".join(visible(name) for name in names[:8])
    return [f"Features: {shown}{f' and {rest:,} others' if rest > 0 else ''}"] * (len(names) > 0)
