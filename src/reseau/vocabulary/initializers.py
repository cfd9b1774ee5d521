"""The table of initialisations: how the weights W (n_in, n_out) of a layer are drawn; biases start at zero.

All are centred on zero with variance gain/fan, so that signals keep their size from layer to layer: Glorot and Bengio
(2010) with fan = (n_in + n_out)/2 for sigmoid-like activations, He et al. (2015) with gain 2 and fan = n_in for
ReLU-like ones, LeCun et al. (1998) with fan = n_in for SELU. The uniform forms are on (−√(3 v), √(3 v)), which has
variance v.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from reseau.arrays import FloatArray
from reseau.names import InitializerName

_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True)
class Initializer:
    """One entry: its name, the variance of a weight as text and as a function of (n_in, n_out), and the law.

    `source` says where it comes from, `aliases` what other libraries call it.
    """

    name: InitializerName
    aliases: tuple[str, ...]
    source: str
    formula: str
    variance: Callable[[int, int], float]
    uniform: bool

    def draw(self, rng: np.random.Generator, W: FloatArray) -> None:
        """Draw the weights into W (n_in, n_out), which has its numbers in C order."""
        variance = self.variance(*W.shape)
        if self.uniform:
            limit = sqrt(3 * variance)
            fill(W, lambda count: rng.uniform(-limit, limit, count))
        else:
            fill(W, lambda count: rng.normal(0.0, sqrt(variance), count))


def fill(array: FloatArray, draw: Callable[[int], FloatArray]) -> None:
    """Draw an array's numbers, in C order, some at a time: at once they would take as much memory again, or more."""
    flat = array.reshape(-1)
    for first in range(0, len(flat), _AT_ONCE):
        part = flat[first : first + _AT_ONCE]
        part[...] = draw(len(part))


def _glorot(n_in: int, n_out: int) -> float:
    return 2 / (n_in + n_out)


def _he(n_in: int, n_out: int) -> float:
    return 2 / n_in


def _lecun(n_in: int, n_out: int) -> float:
    return 1 / n_in


_GLOROT = "Glorot and Bengio 2010, 'Understanding the difficulty of training deep feedforward neural networks'"
_HE = "He, Zhang, Ren, Sun 2015, 'Delving deep into rectifiers'"
_LECUN = "LeCun, Bottou, Orr, Müller 1998, 'Efficient backprop'"

_ENTRIES: tuple[Initializer, ...] = (
    Initializer(
        name="glorot_uniform",
        aliases=("xavier_uniform", "xavier", "glorot"),
        source=_GLOROT,
        formula="2/(n_in + n_out)",
        variance=_glorot,
        uniform=True,
    ),
    Initializer(
        name="glorot_normal",
        aliases=("xavier_normal", "xavier", "glorot"),
        source=_GLOROT,
        formula="2/(n_in + n_out)",
        variance=_glorot,
        uniform=False,
    ),
    Initializer(
        name="he_uniform",
        aliases=("kaiming_uniform", "kaiming", "he"),
        source=_HE,
        formula="2/n_in",
        variance=_he,
        uniform=True,
    ),
    Initializer(
        name="he_normal",
        aliases=("kaiming_normal", "kaiming", "he"),
        source=_HE,
        formula="2/n_in",
        variance=_he,
        uniform=False,
    ),
    Initializer(
        name="lecun_uniform", aliases=("lecun",), source=_LECUN, formula="1/n_in", variance=_lecun, uniform=True
    ),
    Initializer(
        name="lecun_normal", aliases=("lecun",), source=_LECUN, formula="1/n_in", variance=_lecun, uniform=False
    ),
)

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in _ENTRIES}
"""Every initialisation by its name."""
