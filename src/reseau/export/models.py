"""What every export asks of a model: its network, the precision, finite numbers, the labels of its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reseau.checks import finite_layers, known
from reseau.errors import ParameterError, ReseauError
from reseau.network import DTYPES, Network

if TYPE_CHECKING:
    from reseau.estimators import MLPClassifier


def network_of(model: object, language: str) -> Network:
    """The network of a model of any kind; ParameterError for what is none."""
    if isinstance(model, Network):
        return model
    from sklearn.utils.validation import check_is_fitted

    from reseau.perceptron import Perceptron
    from reseau.table_model import TableModel

    if isinstance(model, TableModel):
        return model.network
    if isinstance(model, Perceptron):
        check_is_fitted(model, "_network")
        return model.network_
    raise ParameterError(
        f"a {type(model).__name__} cannot be written as {language}; give a Network, a TableModel, an MLPClassifier or "
        "an MLPRegressor."
    )


def dtype_of(network: Network, dtype: str | None) -> str:
    """The precision asked for, or that of the network."""
    return network.dtype.name if dtype is None else known("dtype", dtype, DTYPES)


def check_finite(network: Network, dtype: str) -> None:
    """Refuse parameters that are not finite, or not in the precision asked for."""
    finite_layers(((layer.W, layer.b) for layer in network.layers), dtype)


def summary(network: Network) -> str:
    """The widths of the layers and their activations, in a line.

    Examples
    --------
    >>> import reseau as rs
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "identity"), inputs=3))
    '3 inputs -> 2 tanh -> 1 identity'
    """
    inputs = network.architecture.inputs
    layers = [f"{layer.neurons} {layer.activation}" for layer in network.architecture.layers]
    return " -> ".join([f"{inputs} input{'s' if inputs > 1 else ''}", *layers])


def class_labels(estimator: MLPClassifier) -> list[str]:
    """The classes as text; a `ReseauError` if there is but one, so that there is nothing to predict."""
    labels = [str(label) for label in np.asarray(estimator.classes_).tolist()]
    if len(labels) == 1:
        raise ReseauError(
            f"The classifier knows a single class, {labels[0]!r}, so that there is nothing to export; fit it on two."
        )
    return labels
