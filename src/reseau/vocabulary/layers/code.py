"""Kinds of layers in other languages: what an entry says of its map for the files of `reseau.export`.

What follows the map, the activation and a residual link, is the same for all kinds and written by the exports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Emitter: TypeAlias = "Callable[[Graph, str, Mapping[str, str]], str]"
"""Of the graph, the name of A and those of the tensors by their letters; gives the name of Z."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Code:
    """The map from A_{l−1} to Z_l as it is written: for people, in C99 for double, in NumPy, and in ONNX.

    All name the layer's tensors by their letters, for which `reseau.export` puts the names that they have in the file.

    Attributes
    ----------
    title : str
        What the layer is; "" of the dense one, which its activation says enough of.
    equation : str
        Z of a row x.
    numbers : str
        What the tensors are, such as "weights".
    meaning : str
        Of the places in them, each of which stands in braces, such as "{W} leads from {input} to its neuron j", where
        the input is "its input i" or "input i of layer 1".
    c : str
        Statements that write z (n_out) of x (n_in). Constants, functions and types are turned to float where asked.
    sent_back : str
        What g_in is, after "g_in = d/dx", such as " = delta W^T".
    c_back : str
        Statements that write g_in = ∂/∂x (n_in) of g = ∂/∂z (n_out), and of x where they name it.
    c_wide : str
        Those of `c` for float with tables and sums in double, where `Layer.cancels` may ask for it.
    numpy : tuple of str
        Statements, of which the last gives z (rows, n_out) of a (rows, n_in).
    onnx : function
        Of a growing graph, see `Emitter`.
    """

    title: str
    equation: str
    numbers: str
    meaning: str
    c: str
    sent_back: str = ""
    c_back: str
    c_wide: str = ""
    numpy: tuple[str, ...]
    onnx: Emitter

    @property
    def needs_x(self) -> bool:
        """Whether the way back needs the inputs."""
        return re.search(r"\bx\b", self.c_back) is not None


def named(text: str, names: Mapping[str, str]) -> str:
    """A text with other names for its words.

    Examples
    --------
    >>> named("x W + b", {"x": "a1", "W": "W2", "b": "b2"})
    'a1 W2 + b2'
    """
    return re.sub(rf"\b({'|'.join(map(re.escape, names))})\b", lambda found: names[found[0]], text) if names else text


class Bounded(NamedTuple):
    """Numbers of rows, and how far rounding can lead from them; each (rows, n).

    Attributes
    ----------
    A, A_error : ndarray
        Values, and bounds on their errors.
    T, size, T_error : ndarray
        Derivatives along a direction, what they would be if nothing cancelled, and bounds on their errors.
    """

    A: Floats
    A_error: Floats
    T: Floats
    size: Floats
    T_error: Floats
