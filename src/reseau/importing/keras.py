"""`from_keras`: a Keras model of dense layers, as a network."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from reseau.errors import ParameterError
from reseau.importing.chain import Array, Chain
from reseau.network import Network

_WAY_OUT = "give a Sequential or functional model that is one chain of Dense, activations and Dropout"
# Layers that change nothing when a model predicts.
_UNCHANGED = ("InputLayer", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization")
_FUNCTIONS = ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax")


def from_keras(model: Any, *, loss: str | None = None) -> Network:
    """Take over the weights of a Keras model.

    Parameters
    ----------
    model : keras.Sequential or keras.Model
        Built; a chain, on any backend, of Dense, Activation, ReLU, LeakyReLU, ELU, Softmax, Dropout, Flatten and
        Sequential models of such, with activations that Réseau has too. A copy is made: the network does not share
        its weights.
    loss : str or None
        What the network is to be trained on with, a name of `reseau.losses.LOSSES`. None takes the one that suits the
        output: "cross_entropy" for a softmax, "binary_cross_entropy" for a sigmoid, "poisson" for an exponential,
        "squared_error" for all others.

    Returns
    -------
    Network
        With the outputs of `model.predict`, up to rounding: dropout is left out.

    Raises
    ------
    ParameterError
        For anything but a chain of such layers; it names the layer. Mind that Keras's leaky ReLU has slopes of its own
        unless it is given one: Réseau's is 0.01.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])  # doctest: +SKIP
    >>> rs.from_keras(model)  # doctest: +SKIP
    Network(Dense(3, 'softmax'), loss='cross_entropy', inputs=4, dtype='float32')
    """
    keras = sys.modules.get("keras")  # whoever has a model has loaded it
    if keras is None or not isinstance(model, keras.Model):
        raise ParameterError(f"model is of type {type(model).__name__}, but must be a Keras model; {_WAY_OUT}.")
    chain = Chain("the model")
    layers = list(_layers(keras, model))
    axes = len(model.input_shape)
    for layer in layers:
        kind = type(layer).__name__
        what = f"layer {layer.name!r} ({kind})"
        if not type(layer).__module__.startswith("keras."):
            raise ParameterError(f"{what} is a layer of your own, which may do anything; {_WAY_OUT}.")
        if layer.compute_dtype not in ("float32", "float64"):
            raise ParameterError(
                f"{what} computes in {layer.compute_dtype}, but Réseau in float32 or float64; give the model one of "
                "them as its dtype policy."
            )
        if isinstance(layer, keras.layers.Dense):
            if getattr(layer, "quantization_mode", None) is not None:
                raise ParameterError(f"{what} is quantized to {layer.quantization_mode}; give the model from before.")
            if axes != 2:
                raise ParameterError(f"{what} takes inputs with {axes} axes; flatten them first.")
            chain.linear(
                _numbers(keras, layer.kernel), None if layer.bias is None else _numbers(keras, layer.bias), what
            )
            chain.apply(
                partial(_applied, keras, layer.activation),
                f"{what} with {_told(keras, layer)}",
            )
        elif kind in _FUNCTIONS:
            chain.apply(
                partial(_applied, keras, layer),
                f"{what} with {_told(keras, layer)}",
            )
        elif kind == "Flatten":
            axes = 2
        elif kind not in _UNCHANGED:
            raise ParameterError(f"{what} is no part of a network of dense layers; {_WAY_OUT}.")
    return chain.network(loss)


def _layers(keras: Any, model: Any) -> Iterator[Any]:
    """The layers in order, those of models among them in their place."""
    if not model.built:
        raise ParameterError(f"the model {model.name!r} has no weights yet; build it or call it once first.")
    if isinstance(model, keras.Sequential):
        layers = model.layers
    elif type(model).__name__ == "Functional":
        layers = _chained(model)
    else:
        raise ParameterError(f"{model.name!r} is a model of your own, whose call may do anything; {_WAY_OUT}.")
    for layer in layers:
        if isinstance(layer, keras.Model):
            yield from _layers(keras, layer)
        else:
            yield layer


def _chained(model: Any) -> list[Any]:
    """The layers of a functional model, each as often as it is called; every call takes what the one before gives."""
    calls = [call for _, calls in sorted(model._nodes_by_depth.items(), reverse=True) for call in calls]
    for before, call in itertools.pairwise(calls):
        if len(call.input_tensors) != 1 or call.input_tensors[0] is not before.output_tensors[0]:
            kind, name = type(call.operation).__name__, call.operation.name
            raise ParameterError(
                f"layer {name!r} ({kind}) does not simply follow layer {before.operation.name!r}; {_WAY_OUT}."
            )
    return [call.operation for call in calls]


def _applied(keras: Any, function: Any, Z: Array) -> Array:
    return np.asarray(keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(Z))))


def _numbers(keras: Any, variable: Any) -> Array:
    return np.array(keras.ops.convert_to_numpy(variable))


def _told(keras: Any, layer: Any) -> str:
    """The activation of a layer for a message."""
    for name in ("activation", "max_value", "negative_slope", "alpha", "axis"):
        value = getattr(layer, name, None)
        if value is not None:
            return f"{name}={value if not callable(value) else keras.activations.serialize(value)}"
    return "its activation"
