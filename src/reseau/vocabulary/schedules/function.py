"""The schedule that is any function of the progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from reseau.arrays import FloatArray
from reseau.checks import shown
from reseau.errors import ParameterError
from reseau.formulas.trees import Expression, named
from reseau.formulas.words import Words
from reseau.vocabulary.schedules.schedule import Schedule, n, t

PLACES = 16  # places of the progress at which a function is known for what it is


@dataclass(frozen=True)
class Function(Schedule):
    """f(t/n), any function of the progress; an optimizer that is given a function makes one of it.

    Parameters
    ----------
    learning_rate : callable
        f, of the progress t/n in [0, 1) the rate, at least 0. It has to give the same whenever it is asked: a
        checkpoint knows it by its rates at sixteen places.

    References
    ----------
    Paszke et al. 2019, 'PyTorch: an imperative style, high-performance deep learning library', LambdaLR.

    Examples
    --------
    >>> import reseau as rs
    >>> optimizer = rs.SGD(lambda progress: 0.5 * (1 - progress) ** 2)
    >>> optimizer.learning_rate.rates(0, 4, 4)
    array([0.5    , 0.28125, 0.125  , 0.03125])
    """

    learning_rate: Callable[[float], float]
    _known: tuple[float, ...] = field(init=False, repr=False, compare=False)  # its rates at these places

    name: ClassVar[str] = "function"
    words: ClassVar[Words] = Words("a function of the progress", "une fonction de l’avancement")
    source: ClassVar[str] = (
        "Paszke et al. 2019, 'PyTorch: an imperative style, high-performance deep learning library', LambdaLR"
    )
    described_whole: ClassVar[bool] = False
    equation: ClassVar[Expression] = named("f")(t / n)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", tuple(self._at(place / PLACES) for place in range(PLACES)))

    def _at(self, progress: float) -> float:
        try:
            value = self.learning_rate(progress)
        except TypeError as error:  # mostly a function of something else
            raise ParameterError(
                f"learning_rate is {shown(self.learning_rate)}, which raises TypeError for the progress {progress:g} "
                f"({error}), but must be a number, a schedule, or a function of the progress."
            ) from error
        try:
            rate = float(value)
        except (TypeError, ValueError):
            rate = -1.0
        if not (isfinite(rate) and rate >= 0) or isinstance(value, str | bool):
            raise ParameterError(
                f"learning_rate is a function that gives {shown(value)} for the progress {progress:g}, but must give a "
                "finite number of at least 0."
            )
        return rate

    @property
    def highest(self) -> float:
        """The highest at the places where it is known."""
        return max(self._known)

    def rates(self, first: int, count: int, n: int, m: int = 1, losses: Sequence[float] = ()) -> FloatArray:
        """f at the progress of each step."""
        return np.array([self._at(t / n) for t in range(first, first + count)], dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """Its name, and its rates at some places."""
        return {"name": self.name, "rates": list(self._known)}
