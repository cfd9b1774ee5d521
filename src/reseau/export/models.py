"""What every export asks of a model: its network, the precision, finite numbers, the labels of its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau.checks import finite_layers, precision_of
from reseau.errors import ParameterError, ReseauError
from reseau.estimators.scaling import Wrapped
from reseau.network import Network

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from reseau.estimators.mlp import MLPClassifier
    from reseau.estimators.perceptron import Perceptron
    from reseau.tables.model import TableModel

    Model: TypeAlias = Network | TableModel | Perceptron | Pipeline


def taken_apart(model: object, language: str) -> Wrapped:
    """A model of any kind with what pipelines put around it; its `network_of` is there.

    Raises
    ------
    ParameterError
        For what is no model of ours, and for a step that cannot be written, by its name.
    sklearn.exceptions.NotFittedError
        Before fit.
    """
    if isinstance(model, Network):
        return Wrapped(model)
    from reseau.estimators.pipelines import unwrapped

    wrapped = unwrapped(model, "write it with reseau.to_onnx, which knows the steps of scikit-learn.")
    network_of(wrapped.model, language)
    return wrapped


def network_of(model: object, language: str) -> Network:
    """The network of a model of any kind; ParameterError for what is none."""
    if isinstance(model, Network):
        return model
    from sklearn.utils.validation import check_is_fitted

    from reseau.estimators.perceptron import Perceptron
    from reseau.tables.model import TableModel

    if isinstance(model, TableModel):
        return model.network
    if isinstance(model, Perceptron):
        check_is_fitted(model, "_network")
        return model.network_
    theirs = type(model).__module__.startswith("sklearn.neural_network")
    raise ParameterError(
        f"a {type(model).__name__} cannot be written as {language}; give a Network, a TableModel, an MLPClassifier or "
        "an MLPRegressor of Réseau, or a Pipeline that ends in one."
        + (" reseau.from_sklearn takes over one of scikit-learn." if theirs else "")
    )


def dtype_of(network: Network, dtype: npt.DTypeLike | None) -> str:
    """The precision asked for, or that of the network."""
    return network.dtype.name if dtype is None else precision_of(dtype).name


def check_finite(network: Network, dtype: str) -> None:
    """Refuse parameters that are not finite, or not in the precision asked for."""
    finite_layers((layer.tensors for layer in network.layers), dtype)


def summary(network: Network) -> str:
    """The widths of the layers and their activations, in a line.

    Examples
    --------
    >>> import reseau as rs
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "identity"), inputs=3))
    '3 inputs -> 2 tanh -> 1 identity'
    """
    inputs = network.architecture.inputs
    architecture = network.architecture
    layers = [
        f"{width} {layer.activation}" for layer, width in zip(architecture.layers, architecture.widths[1:], strict=True)
    ]
    return " -> ".join([f"{inputs} input{'s' if inputs > 1 else ''}", *layers])


def class_labels(estimator: MLPClassifier) -> list[str]:
    """The classes as text; a `ReseauError` if there is but one, so that there is nothing to predict."""
    labels = [str(label) for label in np.asarray(estimator.classes_).tolist()]
    if len(labels) == 1:
        raise ReseauError(
            f"The classifier knows a single class, {labels[0]!r}, so that there is nothing to export; fit it on two."
        )
    return labels
