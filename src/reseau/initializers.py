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

_AT_ONCE = 2**16


@dataclass(frozen=True)
class Initializer:
    """One entry: its name, the variance of a weight as text and as a function of (n_in, n_out), and the law."""

    name: str
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


_ENTRIES: tuple[Initializer, ...] = (
    Initializer("glorot_uniform", "2/(n_in + n_out)", _glorot, uniform=True),
    Initializer("glorot_normal", "2/(n_in + n_out)", _glorot, uniform=False),
    Initializer("he_uniform", "2/n_in", _he, uniform=True),
    Initializer("he_normal", "2/n_in", _he, uniform=False),
    Initializer("lecun_uniform", "1/n_in", _lecun, uniform=True),
    Initializer("lecun_normal", "1/n_in", _lecun, uniform=False),
)

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in _ENTRIES}
"""Every initialisation by its name."""
