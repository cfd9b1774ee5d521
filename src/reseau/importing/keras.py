"""`from_keras`: a Keras model of dense layers, as a network."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from reseau.errors import ParameterError
from reseau.importing.chain import Affine, Array, Chain
from reseau.network import Network
from reseau.vocabulary.losses import NamedLoss

_WAY_OUT = (
    "give a Sequential or functional model that is one chain of Dense, activations and Dropout, with Add for links"
)
# Of keras.layers. Only a class itself is known: one derived from it may do anything.
_UNCHANGED = (
    *("InputLayer", "Identity", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    "ActivityRegularization",
)
_RESHAPED = ("Flatten", "Reshape")  # which keep the numbers of a row in their order
_FUNCTIONS = ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax")
_SCALES = ("Rescaling", "Normalization", "BatchNormalization")
_OF_ROWS = ("Dense", "LayerNormalization", "PReLU", "Add", *_FUNCTIONS)  # of one axis
_KNOWN = (*_UNCHANGED, *_RESHAPED, *_SCALES, *_OF_ROWS)


def from_keras(model: Any, *, loss: NamedLoss | None = None) -> Network:
    """Take over the weights of a Keras model.

    Parameters
    ----------
    model : keras.Sequential or keras.Model
        Built; a chain, on any backend, of Dense, LayerNormalization, PReLU, Activation, ReLU, LeakyReLU, ELU, Softmax,
        Dropout, Identity, Rescaling, Normalization, BatchNormalization, Flatten, Reshape and models of such, with
        activations that Réseau has too. An Add of what comes and of what came out of an earlier layer of the chain is a
        residual link. Layers and models of a class of your own, derived ones too, are refused. A copy is made: the
        network does not share its weights.
    loss : str, loss or None
        What the network is to be trained on with, a name of `reseau.vocabulary.losses.LOSSES`. None takes the one that
        suits the output: "cross_entropy" for a softmax or its log, "binary_cross_entropy" for a sigmoid, "poisson" for
        an exponential, "squared_error" for all others.

    Returns
    -------
    Network
        With the outputs of `model.predict`, up to rounding: dropout is left out. It takes inputs with several axes as
        X.reshape(rows, inputs). It is in float64 if the model first takes off the inputs more than what is left of
        them, which would lose digits in float32.

    Raises
    ------
    ParameterError
        For anything but a chain of such layers; it names the layer.

    Notes
    -----
    Rescaling, Normalization and BatchNormalization become part of the layer beside them. Between layers, relu6 and what
    else clips become hard sigmoids, and leaky ReLUs of any slope two neurons, max(0, z) − λ max(0, −z), with the
    weights of the next layer to match. A PReLU whose slopes are shared (shared_axes) becomes one of a slope for each
    neuron, all the same. Mind that Keras's leaky ReLU has the slope 0.3 unless it is given one: Réseau's
    is 0.01, and as the output of a model there is no other.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])  # doctest: +SKIP
    >>> rs.from_keras(model)  # doctest: +SKIP
    Network(Dense(3, 'softmax'), loss='cross_entropy', inputs=4, dtype='float32')
    """
    keras = sys.modules.get("keras")  # whoever has a model has loaded it
    if keras is None or not isinstance(model, keras.Model):
        what = f"the class {model.__name__}" if isinstance(model, type) else f"of type {type(model).__name__}"
        hint = "load it with keras.saving.load_model first" if isinstance(model, str | bytes) else _WAY_OUT
        raise ParameterError(f"model is {what}, but must be a Keras model; {hint}.")
    calls = list(_calls(keras, model))
    chain = Chain("the model")
    shape = tuple(model.inputs[0].shape[1:])  # of each row
    inputs = None if None in shape else math.prod(shape)
    marks: dict[int, int] = {}  # of tensors that links begin at, after how many layers they come
    for layer, added, wanted in calls:
        if layer is None:
            marks |= {tensor: chain.mark("a model within the model") for tensor in wanted}
            continue
        kind = type(layer).__name__
        what = f"layer {layer.name!r} ({kind})"
        _check(keras, layer, what)
        if kind in _OF_ROWS and len(shape) != 1:
            raise ParameterError(f"{what} takes inputs with {len(shape) + 1} axes; flatten them first.")
        if kind == "Flatten" and layer.data_format == "channels_first" and len(shape) > 1:
            raise ParameterError(f"{what} puts the numbers in another order (channels_first); {_WAY_OUT}.")
        if kind == "Dense":
            chain.linear(
                _numbers(keras, layer.kernel), None if layer.bias is None else _numbers(keras, layer.bias), what
            )
            chain.apply(partial(_applied, keras, layer.activation), f"{what} with {_told(keras, layer)}")
        elif kind == "LayerNormalization":
            chain.norm(*_scale_and_shift(keras, layer, what), layer.epsilon, what)
        elif kind == "PReLU":
            chain.prelu(_numbers(keras, layer.alpha), what)
        elif kind in _FUNCTIONS:
            chain.apply(partial(_applied, keras, layer), f"{what} with {_told(keras, layer)}")
        elif kind in _SCALES:
            chain.affine(_scaled(keras, layer, shape, what), what)
        for tensor in added:
            chain.link(marks[tensor], what)
        if kind in ("Dense", *_RESHAPED):
            shape = tuple(layer.compute_output_shape((None, *shape))[1:])
        marks |= {tensor: chain.mark(what) for tensor in wanted}
    return chain.network(loss, inputs=inputs)


def _is(keras: Any, layer: Any, names: tuple[str, ...]) -> bool:
    """Whether the layer is of one of these classes of keras.layers, and not of one derived from it."""
    kind = type(layer)
    return kind.__name__ in names and kind is getattr(keras.layers, kind.__name__, None)


def _check(keras: Any, layer: Any, what: str) -> None:
    """Refuse what is not known to the last."""
    if _adds(layer) and not isinstance(layer, keras.layers.Layer):
        return  # the operator +
    if not isinstance(layer, keras.layers.Layer):
        raise ParameterError(
            f"{what} is an operation on a tensor; make it a layer (Rescaling for numbers, Activation for functions)."
        )
    if not type(layer).__module__.startswith("keras."):
        raise ParameterError(f"{what} is a layer of a class of your own, which may do anything; {_WAY_OUT}.")
    if not _is(keras, layer, _KNOWN):
        raise ParameterError(f"{what} is no part of a network of dense layers; {_WAY_OUT}.")
    if "call" in vars(layer) or getattr(layer, "_forward_hooks", None) or getattr(layer, "_forward_pre_hooks", None):
        raise ParameterError(f"{what} has a call or hooks of its own, which may do anything; {_WAY_OUT}.")
    if getattr(layer, "quantization_mode", None) is not None:
        raise ParameterError(f"{what} is quantized to {layer.quantization_mode}; give the model from before.")
    if layer.compute_dtype not in ("float32", "float64"):
        raise ParameterError(
            f"{what} computes in {layer.compute_dtype}, but Réseau in float32 or float64; give the model one of "
            "them as its dtype policy."
        )


def _adds(operation: Any) -> bool:
    """Whether it is Keras's own addition of tensors."""
    return type(operation).__name__ == "Add" and type(operation).__module__.startswith("keras.")


Call: TypeAlias = tuple[Any, tuple[int, ...], tuple[int, ...]]
"""A layer, or None for the end of a model, the tensors that it adds, and what it gives where a link begins."""


def _calls(keras: Any, model: Any) -> Iterator[Call]:
    """The layers in order, those of models among them in their place."""
    kind = type(model)
    is_functional = kind.__name__ == "Functional" and kind.__module__.startswith("keras.")
    if kind is not keras.Sequential and not is_functional:
        hint = _WAY_OUT
        if isinstance(model, keras.Sequential):
            hint = "if it does no more than keras.Sequential, give keras.Sequential(that_model.layers)"
        raise ParameterError(f"{model.name!r} is a model of your own, whose call may do anything; {hint}.")
    if not model.built:
        raise ParameterError(f"the model {model.name!r} has no weights yet; build it or call it once first.")
    if "call" in vars(model) or getattr(model, "_forward_hooks", None) or getattr(model, "_forward_pre_hooks", None):
        raise ParameterError(f"the model {model.name!r} has a call or hooks of its own; {_WAY_OUT}.")
    for layer, added, wanted in _chained(model) if is_functional else [(layer, (), ()) for layer in model.layers]:
        if isinstance(layer, keras.Model):
            yield from _calls(keras, layer)
            yield None, (), wanted
        else:
            yield layer, added, wanted


def _chained(model: Any) -> list[Call]:
    """The calls of a functional model, each of which takes what the one before gives; those of Add more than that."""
    calls = [call for _, calls in sorted(model._nodes_by_depth.items(), reverse=True) for call in calls]
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ParameterError(
            f"the model {model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; {_WAY_OUT}."
        )
    added: list[tuple[int, ...]] = [()]
    made = {id(calls[0].output_tensors[0])}
    for before, call in itertools.pairwise(calls):
        kind, name = type(call.operation).__name__, call.operation.name
        others = tuple(id(tensor) for tensor in call.input_tensors if tensor is not before.output_tensors[0])
        follows = len(call.input_tensors) - len(others) == 1
        if not follows or (others and not (_adds(call.operation) and made.issuperset(others))):
            raise ParameterError(
                f"layer {name!r} ({kind}) does not simply follow layer {before.operation.name!r}; {_WAY_OUT}."
            )
        told = [f"{key}={value!r}" for key, value in call.arguments.kwargs.items() if value not in (None, False)]
        if told:
            raise ParameterError(f"layer {name!r} ({kind}) is called with {', '.join(told)}; {_WAY_OUT}.")
        added.append(others)
        made.add(id(call.output_tensors[0]))
    if model.outputs[0] is not calls[-1].output_tensors[0]:
        raise ParameterError(f"the output of the model {model.name!r} is not that of its last layer; {_WAY_OUT}.")
    wanted = {tensor for others in added for tensor in others}
    return [
        (call.operation, others, tuple({id(call.output_tensors[0])} & wanted))
        for call, others in zip(calls, added, strict=True)
    ]


def _scale_and_shift(keras: Any, layer: Any, what: str) -> tuple[Array | None, Array | None]:
    """γ and β of a layer normalisation, where it has them."""
    if layer.rms_scaling:
        raise ParameterError(f"{what} divides by the deviation alone (rms_scaling=True); {_WAY_OUT}.")
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if list(axes) not in ([-1], [1]):
        raise ParameterError(
            f"{what} normalises over the axes {list(axes)}, not over the numbers of a row; {_WAY_OUT}."
        )
    gamma, beta = (None if part is None else _numbers(keras, part) for part in (layer.gamma, layer.beta))
    return gamma, beta


def _scaled(keras: Any, layer: Any, shape: tuple[Any, ...], what: str) -> Affine:
    """x·scale + shift of every column, in the order that they have flattened."""
    if None in shape:
        raise ParameterError(f"{what} takes inputs of any width; give the model's Input a shape without None.")
    kind = type(layer).__name__
    if kind == "Rescaling":
        scale, shift = (np.asarray(value, np.float64) for value in (layer.scale, layer.offset))
        if (scale.ndim or shift.ndim) and keras.config.image_data_format() == "channels_first":
            raise ParameterError(f"{what} scales channels that come first; {_WAY_OUT}.")
    elif kind == "Normalization":
        if layer.mean is None:
            raise ParameterError(f"{what} has no mean yet; adapt it first.")
        mean, variance = (_numbers(keras, value).astype(np.float64) for value in (layer.mean, layer.variance))
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        scale, shift = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
        scale, shift = scale[0], shift[0]  # of each row
    else:
        mean, variance = (
            _numbers(keras, value).astype(np.float64) for value in (layer.moving_mean, layer.moving_variance)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 1 / np.sqrt(variance + layer.epsilon)
        if layer.gamma is not None:
            scale = scale * _numbers(keras, layer.gamma)
        shift = -mean * scale + (0 if layer.beta is None else _numbers(keras, layer.beta))
        along = [1] * len(shape)
        along[layer.axis - (layer.axis > 0)] = -1  # axes are counted from the rows
        scale, shift = scale.reshape(along), shift.reshape(along)
    if scale.ndim == shift.ndim == 0:
        return Affine(float(scale), float(shift))
    try:
        return Affine(*(np.broadcast_to(vector, shape).ravel() for vector in (scale, shift)))
    except ValueError:
        raise ParameterError(f"{what} scales by {scale.shape} numbers what has the shape {shape}.") from None


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
