"""ONNX graphs as they grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
