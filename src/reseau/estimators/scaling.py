"""What stands around a model: columns scaled one by one, and a target that is scaled too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaling:
    """x' = (x - shift)/scale of each column, held within low .. high; shift and scale (columns,)."""

    shift: Floats
    scale: Floats
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, X: Floats) -> Floats:
        """X' (rows, columns) of X."""
        return np.clip((X - self.shift) / self.scale, self.low, self.high)

    def slope(self, X: Floats) -> Floats:
        """∂x'/∂x (rows, columns) at X: 1/scale, and 0 where x' is held."""
        scaled = (X - self.shift) / self.scale
        return np.where((scaled < self.low) | (scaled > self.high), 0.0, 1 / self.scale)

    def back(self, X: Floats) -> Floats:
        """The X that give X'."""
        return X * self.scale + self.shift


@dataclass(frozen=True)
class Wrapped:
    """A model with what pipelines put around it.

    Attributes
    ----------
    model : object
        The innermost estimator.
    scalings : tuple of Scaling
        Of the inputs, in their order.
    target : Scaling or None
        Of which what is predicted is taken `back`.
    features : list of str or None
        The names of the inputs, as the outermost was fitted on.
    """

    model: Any
    scalings: tuple[Scaling, ...] = ()
    target: Scaling | None = None
    features: list[str] | None = None
