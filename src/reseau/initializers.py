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


@dataclass(frozen=True)
class Initializer:
    """One entry: its name, the variance of a weight as text and as a function of (n_in, n_out), and the law."""

    name: str
    formula: str
    variance: Callable[[int, int], float]
    uniform: bool

    def draw(self, rng: np.random.Generator, n_in: int, n_out: int) -> FloatArray:
        """Draw W (n_in, n_out) in float64."""
        variance = self.variance(n_in, n_out)
        if self.uniform:
            limit = sqrt(3 * variance)
            return rng.uniform(-limit, limit, (n_in, n_out))
        return rng.normal(0.0, sqrt(variance), (n_in, n_out))


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
