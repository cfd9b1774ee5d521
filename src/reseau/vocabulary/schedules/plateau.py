"""The schedule that follows the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from reseau.arrays import FloatArray, IntArray
from reseau.errors import ParameterError
from reseau.formulas.trees import Expression, Symbol, maximum
from reseau.formulas.words import Words
from reseau.vocabulary.schedules.schedule import FACTOR, Warmed, gamma

_times, _lowest = Symbol("times", "k"), Symbol("min_learning_rate", "γ", "min")


@dataclass(frozen=True)
class ReduceOnPlateau(Warmed):
    """γ f^k, k being how often the loss has not fallen for long enough: that of validation, where there is one.

    A loss that is smaller than the best so far by more than `min_delta` is the new best. After `patience` epochs in a
    row without one the rate is f times what it was, and counting begins anew, after `cooldown` epochs more.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    factor : float
        f in (0, 1).
    patience : int
        Epochs without progress after which the rate falls, at least 1.
    min_delta : float
        How much a loss has to be smaller, at least 0.
    cooldown : int
        Epochs after a fall that are not counted, at least 0.
    min_learning_rate : float
        γ_min ≥ 0, below which the rate does not fall.
    warmup : float
        As for `Constant`.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Chollet 2015, 'Keras', callback ReduceLROnPlateau.

    Examples
    --------
    >>> import reseau as rs
    >>> plateau = rs.ReduceOnPlateau(0.8, factor=0.5, patience=2)
    >>> [float(plateau.rates(e, 1, 6, 1, [1.0, 0.9, 0.9, 0.9, 0.9, 0.9][:e])[0]) for e in range(6)]
    [0.8, 0.8, 0.8, 0.8, 0.4, 0.4]
    """

    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    cooldown: int = 0
    min_learning_rate: float = 0.0

    name: ClassVar[str] = "reduce_on_plateau"
    words: ClassVar[Words] = Words("reduced on a plateau", "réduit sur un plateau")
    source: ClassVar[str] = "Chollet 2015, 'Keras', callback ReduceLROnPlateau"
    equation: ClassVar[Expression] = maximum(gamma * FACTOR**_times, _lowest)
    follows_loss: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("factor", low=0, high=1, includes_low=False, includes_high=False)
        self._integer("patience", low=1)
        self._real("min_delta", low=0)
        self._integer("cooldown", low=0)
        self._real("min_learning_rate", low=0)
        if self.min_learning_rate > self.learning_rate:
            raise ParameterError(
                f"min_learning_rate is {self.min_learning_rate:g}, but must be at most the learning_rate, "
                f"{self.learning_rate:g}."
            )

    def times(self, losses: Sequence[float]) -> int:
        """How often the rate has fallen after these losses."""
        best, waited, cooling, k = inf, 0, 0, 0
        for loss in losses:
            if cooling > 0:
                cooling, waited = cooling - 1, 0
            if loss < best - self.min_delta:
                best, waited = loss, 0
            elif cooling == 0:
                waited += 1
                if waited >= self.patience:
                    k, cooling, waited = k + 1, self.cooldown, 0
        return k

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        rate = max(self.learning_rate * self.factor ** self.times(losses), self.min_learning_rate)
        return np.full(len(t), rate)
