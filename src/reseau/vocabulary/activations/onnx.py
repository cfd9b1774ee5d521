"""Activations as nodes of an ONNX graph.

What an operator says exactly, and onnxruntime has in the network's precision, is that operator; all else is
composed of simpler ones so that nothing overflows. An attribute of an operator is a float32 whatever the type of its
tensors, so that in float64 a slope of 0.01 has to be a constant of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from reseau.vocabulary.activations.functions import GELU_CUBIC, GELU_FAR, GELU_SLOPE, LEAK, SELU_ALPHA, SELU_SCALE
from reseau.vocabulary.activations.written import gate

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

Array = np.ndarray[Any, Any]
Emitter: TypeAlias = "Callable[[Graph, str], str]"  # of the graph and the name of Z; gives the name of A


@dataclass(frozen=True)
class Operator:
    """An operator of ONNX with its attributes, since a version; perhaps not `in_double`.

    There onnxruntime, or the operator's attributes, may know float32 alone. There and before that version it is
    composed of simpler ones.
    """

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    since: int = 0
    in_double: bool = True

    def suits(self, g: Graph) -> bool:
        """Whether a graph can have it."""
        return (self.in_double or not g.is_double) and g.opset >= self.since


def leaky_relu(g: Graph, Z: str) -> str:
    """max(z, λz)."""
    return g("Max", Z, g("Mul", LEAK, Z))


def elu(g: Graph, Z: str) -> str:
    """max(z, 0) + (e^m − 1), m = min(z, 0), with e^m − 1 = tanh(m/2)·(e^m + 1), which cancels nothing."""
    m = g("Min", Z, 0.0)
    return g("Add", g("Relu", Z), g("Mul", g("Tanh", g("Mul", 0.5, m)), g("Add", g("Exp", m), 1.0)))


def selu(g: Graph, Z: str) -> str:
    """λ max(z, 0) + λα (e^m − 1), m = min(z, 0), as `elu` has it."""
    m = g("Min", Z, 0.0)
    below = g("Mul", g("Tanh", g("Mul", 0.5, m)), g("Add", g("Exp", m), 1.0))
    return g("Add", g("Mul", SELU_SCALE, g("Relu", Z)), g("Mul", SELU_SCALE * SELU_ALPHA, below))


def gelu(g: Graph, Z: str) -> str:
    """z·Φ(z) = ½ z (1 + erf(z/√2))."""
    if g.is_double:
        return _gelu_in_double(g, Z)
    return g("Mul", g("Mul", 0.5, Z), g("Add", 1.0, g("Erf", g("Mul", float(np.sqrt(0.5)), Z))))


def _gelu_in_double(g: Graph, Z: str) -> str:
    """max(z, 0) − |z| q with q = Φ(−|z|) = ½ erfc(y), y = |z|/√2: onnxruntime has no error function in float64.

    With t = 2/(2 + y) in (0, 1], erfc(y) = t e^(−y² + P(t)) for a function P that is smooth up to both ends; here it is
    a polynomial in u = 2t − 1, by Horner's rule.
    """
    size = g("Abs", Z)
    t = g("Div", 2.0, g("Add", 2.0, g("Mul", float(np.sqrt(0.5)), size)))
    u = g("Sub", g("Mul", 2.0, t), 1.0)
    coefficients = _tail_coefficients()
    P: str | float = float(coefficients[-1])
    for c in coefficients[-2::-1]:
        P = g("Add", g("Mul", P, u), float(c))
    exponent = g("Sub", P, g("Mul", 0.5, g("Mul", size, size)))
    q = g("Mul", g("Mul", 0.5, t), g("Exp", exponent))
    return g("Sub", g("Relu", Z), g("Mul", size, q))


def _tail_coefficients() -> Array:
    """P of `_gelu_in_double` as a polynomial in u: interpolated at Chebyshev's points, where its error is level.

    Its Chebyshev coefficients fall more than fourfold each, faster than powers of u grow in them (1 + √2 each), so that
    the sum by powers loses no digits; from that of degree 24 on they are below 1e-15.
    """
    from numpy.polynomial import Chebyshev, Polynomial
    from scipy.special import erfcx

    def P(u: Array) -> Array:
        t = (u + 1) / 2
        return np.asarray(np.log(erfcx(2 / t - 2) / t))

    coefficients: Array = Chebyshev.interpolate(P, 24).convert(kind=Polynomial).coef
    return coefficients


def gelu_tanh(g: Graph, Z: str) -> str:
    """z φ(2u), u = √(2/π) (z + 0.044715 z³), with the cube of a z that is kept from overflowing."""
    near = g("Clip", Z, -GELU_FAR, GELU_FAR)
    cubic = g("Add", 1.0, g("Mul", GELU_CUBIC, g("Mul", near, near)))
    return g("Mul", Z, gate(g, g("Mul", 2 * GELU_SLOPE, g("Mul", near, cubic))))


def softplus(g: Graph, Z: str) -> str:
    """max(z, 0) + log(1 + e^−|z|)."""
    return g("Add", g("Relu", Z), g("Log", g("Add", 1.0, g("Exp", g("Neg", g("Abs", Z))))))


def mish(g: Graph, Z: str) -> str:
    """z tanh(softplus(z))."""
    return g("Mul", Z, g("Tanh", softplus(g, Z)))


def increasing(g: Graph, Z: str) -> str:
    """z_1, and the softplus of each other z, summed up along the row."""
    columns = np.array([1])
    first = g("Slice", Z, np.array([0]), np.array([1]), columns)
    rest = softplus(g, g("Slice", Z, np.array([1]), np.array([np.iinfo(np.int64).max]), columns))
    return g("CumSum", g("Concat", first, rest, axis=1), np.array(1))


def mean_scale(g: Graph, Z: str) -> str:
    """z and e^z by turns."""
    places = g("Range", np.array(0), g("Gather", g("Shape", Z), np.array(1)), np.array(1))
    is_mean = g("Equal", g("Mod", places, np.array(2)), np.array(0))
    return g("Where", is_mean, Z, g("Exp", Z))
