"""What every schedule of the learning rate has.

A schedule stands where a learning rate stands, in any optimizer. In a run of n steps, t = 0, 1, ..., n − 1 counts those
before a step, and m is how many there are in an epoch; the rate of step t follows its `equation`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from reseau.arrays import FloatArray, IntArray
from reseau.checks import integer, real
from reseau.formulas.trees import Expression, Symbol
from reseau.formulas.words import Words

# The letters of the equations; those of parameters are called as these are.
gamma, t, n, m = Symbol("learning_rate", "γ"), Symbol("t"), Symbol("n"), Symbol("m")
FACTOR = Symbol("factor", "f")


@dataclass(frozen=True)
class Schedule(ABC):
    """What every schedule has.

    Attributes
    ----------
    name : str
        Its name in the table.
    words : Words
        What it is called, in each language.
    source : str
        Where it comes from.
    equation : Expression
        The rate of a step as a formula of `t`, `n`, `m` and the parameters, after the warm-up where it has one.
    follows_loss : bool
        Whether it depends on the losses so far; its rate is then the same all through an epoch.
    described_whole : bool
        Whether its description says all of it, so that a file can hold it.
    """

    name: ClassVar[str]
    words: ClassVar[Words]
    source: ClassVar[str]
    equation: ClassVar[Expression]
    follows_loss: ClassVar[bool] = False
    described_whole: ClassVar[bool] = True

    def _real(self, name: str, **bounds: Any) -> None:
        object.__setattr__(self, name, real(name, getattr(self, name), **bounds))

    def _integer(self, name: str, low: int) -> None:
        object.__setattr__(self, name, integer(name, getattr(self, name), low=low))

    @property
    @abstractmethod
    def highest(self) -> float:
        """The highest rate there may be."""

    @abstractmethod
    def rates(self, first: int, count: int, n: int, m: int = 1, losses: Sequence[float] = ()) -> FloatArray:
        """The rates of some steps.

        Parameters
        ----------
        first, count : int
            The steps from `first` on, which is counted from 0, and how many.
        n : int
            The steps of the whole run.
        m : int
            Those of an epoch.
        losses : sequence of float
            The loss of each epoch so far.

        Returns
        -------
        ndarray of shape (count,), float64
            γ of each.
        """

    def describe(self) -> dict[str, Any]:
        """What it is, as JSON-able values."""
        return {"name": self.name, **{field.name: getattr(self, field.name) for field in fields(self)}}


@dataclass(frozen=True)
class OfRate(Schedule):
    """A schedule that goes out from a rate, γ > 0."""

    learning_rate: float

    def __post_init__(self) -> None:
        self._real("learning_rate", low=0, includes_low=False)

    @property
    def highest(self) -> float:
        """That rate, unless others are higher."""
        return self.learning_rate


@dataclass(frozen=True)
class Warmed(OfRate):
    """A schedule that may begin with a warm-up.

    Of n steps in all the first w = round(`warmup` n) rise evenly, step t taking γ (t + 1)/(w + 1); the schedule itself
    has the others, as if there were no more.
    """

    warmup: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("warmup", low=0, high=1, includes_high=False)

    def rates(self, first: int, count: int, n: int, m: int = 1, losses: Sequence[float] = ()) -> FloatArray:
        """γ of each step from `first` on, the warm-up and what follows."""
        warm = min(round(self.warmup * n), n - 1)
        t = np.arange(first, first + count, dtype=np.int64)
        after = self._after(np.maximum(t - warm, 0), n - warm, m, losses)
        return np.where(t < warm, self.learning_rate * ((t + 1) / (warm + 1)), after)

    @abstractmethod
    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        """The rates of steps t of n, without the warm-up."""
