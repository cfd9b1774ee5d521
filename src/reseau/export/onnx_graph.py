"""ONNX graphs as they grow, and how every activation is written in them.

What an operator of opset 17 says exactly, and onnxruntime has in the network's precision, is that operator; all else is
composed of simpler ones so that nothing overflows. An attribute of an operator is a float32 whatever the type of its
tensors, so that in float64 a slope of 0.01 has to be a constant of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reseau.activations import GELU_CUBIC, GELU_FAR, GELU_SLOPE, LEAK, SELU_ALPHA, SELU_SCALE
from reseau.errors import ReseauError

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
Array = np.ndarray[Any, Any]


def onnx_package() -> Any:
    """The package onnx; a `ReseauError` says how to get it."""
    try:
        import onnx
    except ImportError:
        raise ReseauError(
            "ONNX files are written and read with the package onnx, which is not installed; install it with "
            "pip install 'reseau[onnx]'."
        ) from None
    return onnx


class Graph:
    """A graph as it grows: called with an operator and its inputs, it adds the node and returns the output's name.

    Parameters
    ----------
    dtype : dtype
        The precision of the network, and of Python numbers among the inputs.
    taken : sequence of str
        Names that nodes and weights must not have.
    """

    def __init__(self, dtype: np.dtype[Any], taken: Sequence[str] = ()) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._taken = set(taken)
        self._constants: dict[tuple[str, bytes], str] = {}
        self._stem = ""

    @property
    def is_double(self) -> bool:
        """Whether the network is in float64."""
        return self.dtype == np.float64

    def within(self, stem: str) -> None:
        """Begin the names of what comes now with this."""
        self._stem = stem

    def free(self, wanted: str) -> str:
        """Take a name like this one that nothing else has."""
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def __call__(
        self, operator: str, *inputs: str | float | Array, name: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node. Numbers become constants of the network's precision, arrays those of their own.

        `name` is that of the output, one of the names taken for it.
        """
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        name = self.free(f"{self._stem}{operator}") if name is None else name
        self.nodes.append(helper.make_node(operator, names, [name], name=name, domain=domain, **attributes))
        return name

    def weight(self, name: str, value: Array) -> str:
        """Hold an array under a name like this one."""
        from onnx import numpy_helper

        name = self.free(name)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def constant(self, value: float | Array) -> str:
        """Hold a number or array, once, whatever its name."""
        array = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value, self.dtype)
        key = (f"{array.dtype.str}{array.shape}", array.tobytes())
        if array.dtype.kind == "O" or key not in self._constants:  # the bytes of objects are their places in memory
            self._constants[key] = self.weight("constant", array)
        return self._constants[key]

    def cast(self, value: str, dtype: Any, name: str | None = None) -> str:
        """Convert a tensor to another type."""
        from onnx import helper

        return self("Cast", value, name=name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


# --- activations ------------------------------------------------------------------------------------------------------

Emitter = Callable[[Graph, str], str]  # of the graph and the name of Z; gives the name of A


def _operator(name: str, in_double: Emitter | None = None, **attributes: Any) -> Emitter:
    """An operator of ONNX; in float64 perhaps others, where onnxruntime or its attributes know float32 alone."""

    def emit(g: Graph, Z: str) -> str:
        return in_double(g, Z) if g.is_double and in_double is not None else g(name, Z, **attributes)

    return emit


def _identity(g: Graph, Z: str) -> str:
    return Z


def _gate(g: Graph, Z: str) -> str:
    """φ(z) = e^min(z, 0)/(1 + e^−|z|), with all digits of a small one, which a factor z would else bring to light."""
    return g("Div", g("Exp", g("Min", Z, 0.0)), g("Add", 1.0, g("Exp", g("Neg", g("Abs", Z)))))


def _leaky_relu(g: Graph, Z: str) -> str:
    return g("Max", Z, g("Mul", LEAK, Z))


def _elu(g: Graph, Z: str) -> str:
    """max(z, 0) + (e^m − 1), m = min(z, 0), with e^m − 1 = tanh(m/2)·(e^m + 1), which cancels nothing."""
    m = g("Min", Z, 0.0)
    return g("Add", g("Relu", Z), g("Mul", g("Tanh", g("Mul", 0.5, m)), g("Add", g("Exp", m), 1.0)))


def _selu(g: Graph, Z: str) -> str:
    m = g("Min", Z, 0.0)
    below = g("Mul", g("Tanh", g("Mul", 0.5, m)), g("Add", g("Exp", m), 1.0))
    return g("Add", g("Mul", SELU_SCALE, g("Relu", Z)), g("Mul", SELU_SCALE * SELU_ALPHA, below))


def _gelu(g: Graph, Z: str) -> str:
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


def _gelu_tanh(g: Graph, Z: str) -> str:
    near = g("Clip", Z, -GELU_FAR, GELU_FAR)
    cubic = g("Add", 1.0, g("Mul", GELU_CUBIC, g("Mul", near, near)))
    return g("Mul", Z, _gate(g, g("Mul", 2 * GELU_SLOPE, g("Mul", near, cubic))))


def _silu(g: Graph, Z: str) -> str:
    return g("Mul", Z, _gate(g, Z))


def _softplus(g: Graph, Z: str) -> str:
    return g("Add", g("Relu", Z), g("Log", g("Add", 1.0, g("Exp", g("Neg", g("Abs", Z))))))


def _mish(g: Graph, Z: str) -> str:
    return g("Mul", Z, g("Tanh", EMITTERS["softplus"](g, Z)))


def _softsign(g: Graph, Z: str) -> str:
    return g("Div", Z, g("Add", 1.0, g("Abs", Z)))


def _hard_sigmoid(g: Graph, Z: str) -> str:
    return g("Clip", g("Add", g("Div", Z, 6.0), 0.5), 0.0, 1.0)


def _hard_swish(g: Graph, Z: str) -> str:
    return g("Mul", Z, _hard_sigmoid(g, Z))


EMITTERS: dict[str, Emitter] = {
    "identity": _identity,
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "softmax": _operator("Softmax", axis=-1),
    "log_softmax": _operator("LogSoftmax", axis=-1),
    "relu": _operator("Relu"),
    "leaky_relu": _operator("LeakyRelu", _leaky_relu, alpha=LEAK),
    "elu": _operator("Elu", _elu),
    "selu": _operator("Selu", _selu, alpha=SELU_ALPHA, gamma=SELU_SCALE),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": _silu,
    "mish": _mish,
    "softplus": _operator("Softplus", _softplus),
    "softsign": _operator("Softsign", _softsign),
    "hard_sigmoid": _operator("HardSigmoid", _hard_sigmoid, alpha=1 / 6, beta=0.5),
    "hard_swish": _operator("HardSwish", _hard_swish),
    "exponential": _operator("Exp"),
}
"""How to write each activation, by the names of `reseau.activations.ACTIVATIONS`."""
