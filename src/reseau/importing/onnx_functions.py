"""What operators of ONNX compute, of numbers: those of which activations are written, and those that scale columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reseau.importing.chain import Affine, Array
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.activations.functions import SELU_ALPHA, SELU_SCALE

Attributes = dict[str, Any]


def _ours(name: str) -> Callable[..., Any]:
    """An operator that is an entry of the table."""
    return lambda attributes, x: ACTIVATIONS[name].value(np.asarray(x, np.float64))


def _along_rows(name: str) -> Callable[..., Any]:
    def value(attributes: Attributes, x: Array) -> Array:
        axis = attributes.get("axis", -1 if attributes.get("opset", 13) >= 13 else 1)
        if axis not in (-1, 1):
            raise ValueError(f"its axis is {axis}, not that of the neurons.")
        result: Array = ACTIVATIONS[name].value(x)
        return result

    return value


def _reduction(function: Callable[..., Array]) -> Callable[..., Any]:
    def value(attributes: Attributes, x: Array, axes: Array | None = None) -> Array:
        given = attributes.get("axes", axes)
        if given is None or list(np.ravel(given)) not in ([-1], [1]) or not attributes.get("keepdims", 1):
            raise ValueError("it must go along the neurons and keep the axis.")
        return function(x, axis=-1, keepdims=True)

    return value


def _elu(alpha: float, x: Array) -> Array:
    result: Array = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return result


def _gelu(attributes: Attributes, x: Array) -> Array:
    name = {b"none": "gelu", b"tanh": "gelu_tanh"}[attributes.get("approximate", b"none")]
    result: Array = ACTIVATIONS[name].value(x)
    return result


def _clip(attributes: Attributes, x: Array, low: Any = None, high: Any = None) -> Array:
    low = attributes.get("min", -np.inf) if low is None else low
    high = attributes.get("max", np.inf) if high is None else high
    result: Array = np.minimum(np.maximum(x, low), high)
    return result


def _erf(attributes: Attributes, x: Array) -> Any:
    import scipy.special

    return scipy.special.erf(x)


def _folded_over(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def value(attributes: Attributes, *values: Any) -> Any:
        result = values[0]
        for other in values[1:]:
            result = function(result, other)
        return result

    return value


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, *values: function(*values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Celu": lambda a, x: np.where(x > 0, x, _elu(a.get("alpha", 1.0), x / a.get("alpha", 1.0))),
    "Clip": _clip,
    "Div": _plain(np.divide),
    "Elu": lambda a, x: _elu(a.get("alpha", 1.0), x),
    "Equal": _plain(np.equal),
    "Erf": _erf,
    "Exp": _plain(np.exp),
    "Gelu": _gelu,
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "HardSigmoid": lambda a, x: np.clip(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1),
    "HardSwish": _ours("hard_swish"),
    "LeakyRelu": lambda a, x: np.where(x >= 0, x, a.get("alpha", 0.01) * x),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Log": _plain(np.log),
    "LogSoftmax": _along_rows("log_softmax"),
    "Max": _folded_over(np.maximum),
    "Min": _folded_over(np.minimum),
    "Mish": _ours("mish"),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "Pow": _plain(np.power),
    "Reciprocal": _plain(np.reciprocal),
    "ReduceMax": _reduction(np.max),
    "ReduceMean": _reduction(np.mean),
    "ReduceSum": _reduction(np.sum),
    "Relu": _ours("relu"),
    "Selu": lambda a, x: a.get("gamma", SELU_SCALE) * _elu(a.get("alpha", SELU_ALPHA), x),
    "Sigmoid": _ours("sigmoid"),
    "Sign": _plain(np.sign),
    "Softmax": _along_rows("softmax"),
    "Softplus": _ours("softplus"),
    "Softsign": _ours("softsign"),
    "Sqrt": _plain(np.sqrt),
    "Sub": _plain(np.subtract),
    "Sum": _folded_over(np.add),
    "Swish": lambda a, x: x * ACTIVATIONS["sigmoid"].value(a.get("alpha", 1.0) * x),
    "Tanh": _ours("tanh"),
    "ThresholdedRelu": lambda a, x: np.where(x > a.get("alpha", 1.0), x, 0),
    "Where": _plain(np.where),
}


def _inverse(divisor: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / divisor)


def _normalised(attributes: Attributes, X: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Affine:
    """(x − mean)/√(variance + ε)·scale + shift, with the statistics that training left."""
    if attributes.get("training_mode", 0) or not attributes.get("is_test", 1):
        raise ValueError("it normalises by the batch (training_mode); export the model for inference.")
    scale, shift, mean, variance = (np.asarray(vector, np.float64) for vector in (scale, shift, mean, variance))
    if any(vector.shape != scale.shape or vector.ndim != 1 for vector in (scale, shift, mean, variance)):
        raise ValueError("its statistics have different lengths.")
    with np.errstate(divide="ignore", invalid="ignore"):
        k = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    return Affine(k, shift - mean * k)


def _of_scaler(attributes: Attributes, X: Any) -> Affine:
    """(x − offset)·scale."""
    offset, scale = (
        np.asarray(attributes.get(name, [default]), np.float64) for name, default in (("offset", 0.0), ("scale", 1.0))
    )
    one = [float(vector[0]) if vector.size == 1 else vector for vector in (scale, -offset * scale)]
    return Affine(*one)


SCALES: dict[str, Callable[..., Affine]] = {"BatchNormalization": _normalised, "Scaler": _of_scaler}
"""Operators that scale columns, each by its own numbers."""

# Of data and a constant: what is done to the data, which may come first or second.
ARITHMETIC: dict[str, Callable[[Array, bool], Affine | None]] = {
    "Add": lambda constant, first: Affine(1.0, constant),
    "Sum": lambda constant, first: Affine(1.0, constant),
    "Sub": lambda constant, first: Affine(1.0, -constant) if first else Affine(-1.0, constant),
    "Mul": lambda constant, first: Affine(constant, 0.0),
    "Div": lambda constant, first: Affine(_inverse(constant), 0.0) if first else None,
}


def told(attributes: Attributes) -> str:
    """Attributes for a message: " with alpha=0.2"."""
    plain = {name: value for name, value in attributes.items() if isinstance(value, int | float | bytes)}
    shown = [
        f"{name}={value.decode(errors='replace') if isinstance(value, bytes) else f'{value:.6g}'}"
        for name, value in plain.items()
    ]
    return f" with {', '.join(shown)}" if shown else ""
