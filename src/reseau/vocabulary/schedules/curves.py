"""Schedules whose rates are known beforehand: curves over the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from reseau.arrays import FloatArray, IntArray
from reseau.formulas.trees import HALF, PI, Cases, Condition, Expression, Symbol, Where, cosine, floor
from reseau.formulas.words import Words
from reseau.vocabulary.schedules.schedule import FACTOR, OfRate, Warmed, gamma, m, n, t

_end, _power, _restarts = Symbol("end_learning_rate", "γ", "end"), Symbol("power", "p"), Symbol("restarts", "r")
_size, _share, _turn = Symbol("step_size", "s"), Symbol("pct_start", "a"), Symbol("e")
_below, _further_below = Symbol("div_factor", "d"), Symbol("final_div_factor", "D")


@dataclass(frozen=True)
class Constant(Warmed):
    """γ, after a warm-up; without one it is what the number alone is.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    warmup : float
        The share of all steps in which the rate rises evenly to γ, in [0, 1).

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Goyal et al. 2017, 'Accurate, large minibatch SGD: training ImageNet in 1 hour'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Constant(0.5, warmup=0.4).rates(0, 10, 10)
    array([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """

    name: ClassVar[str] = "constant"
    words: ClassVar[Words] = Words("constant", "constant")
    source: ClassVar[str] = "Goyal et al. 2017, 'Accurate, large minibatch SGD: training ImageNet in 1 hour'"
    equation: ClassVar[Expression] = gamma

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        return np.full(len(t), self.learning_rate)


@dataclass(frozen=True)
class Step(Warmed):
    """γ f^⌊t/(s m)⌋: after every s epochs the rate is f times what it was.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    step_size : int
        s ≥ 1, the epochs between two falls.
    factor : float
        f in (0, 1].
    warmup : float
        As for `Constant`.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Bottou 2012, 'Stochastic gradient descent tricks'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Step(0.8, step_size=2, factor=0.5).rates(0, 5, 5)  # one step an epoch
    array([0.8, 0.8, 0.4, 0.4, 0.2])
    """

    step_size: int = 10
    factor: float = 0.1

    name: ClassVar[str] = "step"
    words: ClassVar[Words] = Words("in steps", "par paliers")
    source: ClassVar[str] = "Bottou 2012, 'Stochastic gradient descent tricks'"
    equation: ClassVar[Expression] = gamma * FACTOR ** floor(t / (_size * m))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._integer("step_size", low=1)
        self._real("factor", low=0, high=1, includes_low=False)

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        # t is below n, and so a fall that is further off than n steps never comes.
        return self.learning_rate * self.factor ** (t // min(self.step_size * m, n)).astype(np.float64)


@dataclass(frozen=True)
class Exponential(Warmed):
    """γ f^(t/m): with every epoch the rate is f times what it was, a little less at each step.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    factor : float
        f in (0, 1].
    warmup : float
        As for `Constant`.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Senior, Heigold, Ranzato, Yang 2013, 'An empirical study of learning rates in deep neural networks for speech
    recognition'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Exponential(0.8, factor=0.25).rates(0, 4, 4, m=2)  # two steps an epoch
    array([0.8, 0.4, 0.2, 0.1])
    """

    factor: float = 0.9

    name: ClassVar[str] = "exponential"
    words: ClassVar[Words] = Words("exponential", "exponentiel")
    source: ClassVar[str] = (
        "Senior, Heigold, Ranzato, Yang 2013, 'An empirical study of learning rates in deep neural networks for speech "
        "recognition'"
    )
    equation: ClassVar[Expression] = gamma * FACTOR ** (t / m)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("factor", low=0, high=1, includes_low=False)

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        return self.learning_rate * self.factor ** (t / m)


@dataclass(frozen=True)
class Polynomial(Warmed):
    """γ_end + (γ − γ_end) (1 − t/n)^p, by default a straight line to 0.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    end_learning_rate : float
        γ_end ≥ 0, what it goes to.
    power : float
        p > 0.
    warmup : float
        As for `Constant`.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Chen, Papandreou, Kokkinos, Murphy, Yuille 2016, 'DeepLab: semantic image segmentation with deep convolutional
    nets'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Polynomial(0.8).rates(0, 4, 4)
    array([0.8, 0.6, 0.4, 0.2])
    """

    end_learning_rate: float = 0.0
    power: float = 1.0

    name: ClassVar[str] = "polynomial"
    words: ClassVar[Words] = Words("polynomial", "polynomial")
    source: ClassVar[str] = (
        "Chen, Papandreou, Kokkinos, Murphy, Yuille 2016, 'DeepLab: semantic image segmentation with deep "
        "convolutional nets'"
    )
    equation: ClassVar[Expression] = _end + (gamma - _end) * (1 - t / n) ** _power

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("end_learning_rate", low=0)
        self._real("power", low=0, includes_low=False)

    @property
    def highest(self) -> float:
        """γ or γ_end."""
        return max(self.learning_rate, self.end_learning_rate)

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        end = self.end_learning_rate
        return end + (self.learning_rate - end) * (1 - t / n) ** self.power


@dataclass(frozen=True)
class Cosine(Warmed):
    """γ_end + ½ (γ − γ_end) (1 + cos(π t/n)), half a wave from γ to γ_end; ½ γ (1 + cos(π t/n)) as it is by default.

    With r restarts the steps have r + 1 equal parts, and each is such a half wave.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    warmup : float
        As for `Constant`; t and n then count the steps after it.
    restarts : int
        r ≥ 0.
    end_learning_rate : float
        γ_end ≥ 0.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Loshchilov and Hutter 2017, 'SGDR: stochastic gradient descent with warm restarts'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Cosine(0.8).rates(0, 3, 3)
    array([0.8, 0.6, 0.2])
    >>> rs.Cosine(0.8, restarts=1).rates(0, 4, 4)
    array([0.8, 0.4, 0.8, 0.4])
    """

    restarts: int = field(default=0, kw_only=True)
    end_learning_rate: float = field(default=0.0, kw_only=True)

    name: ClassVar[str] = "cosine"
    words: ClassVar[Words] = Words("cosine", "cosinus")
    source: ClassVar[str] = "Loshchilov and Hutter 2017, 'SGDR: stochastic gradient descent with warm restarts'"
    equation: ClassVar[Expression] = _end + HALF * (gamma - _end) * (
        1 + cosine(PI * ((_restarts + 1) * t / n - floor((_restarts + 1) * t / n)))
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._integer("restarts", low=0)
        self._real("end_learning_rate", low=0)

    @property
    def highest(self) -> float:
        """γ or γ_end."""
        return max(self.learning_rate, self.end_learning_rate)

    def _after(self, t: IntArray, n: int, m: int, losses: Sequence[float]) -> FloatArray:
        end, through = self.end_learning_rate, t * ((self.restarts + 1) % n) % n / n
        return end + 0.5 * (self.learning_rate - end) * (1 + np.cos(np.pi * through))


@dataclass(frozen=True)
class OneCycle(OfRate):
    """Up from γ/d to γ in the first share a of the steps, then down to γ/(d D), both as half a wave of the cosine.

    With e = a n − 1 step t takes γ/d + ½ (γ − γ/d) (1 − cos(π t/e)) up to t = e, and γ/(d D) + ½ (γ − γ/(d D))
    (1 + cos(π (t − e)/(n − 1 − e))) after it. Momentum stays what it is.

    Parameters
    ----------
    learning_rate : float
        γ > 0, the highest.
    pct_start : float
        a in (0, 1), the share of the steps in which it rises.
    div_factor : float
        d ≥ 1.
    final_div_factor : float
        D ≥ 1.

    Raises
    ------
    ParameterError
        For a number out of its range.

    References
    ----------
    Smith and Topin 2019, 'Super-convergence: very fast training of neural networks using large learning rates'.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.OneCycle(0.8, pct_start=0.5, div_factor=4, final_div_factor=1).rates(0, 6, 6).round(6)
    array([0.2 , 0.5 , 0.8 , 0.65, 0.35, 0.2 ])
    """

    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    name: ClassVar[str] = "one_cycle"
    words: ClassVar[Words] = Words("one cycle", "un cycle")
    source: ClassVar[str] = (
        "Smith and Topin 2019, 'Super-convergence: very fast training of neural networks using large learning rates'"
    )
    equation: ClassVar[Expression] = Where(
        Cases(
            (
                (
                    gamma / _below + HALF * (gamma - gamma / _below) * (1 - cosine(PI * t / _turn)),
                    Condition(t, "≤", _turn),
                ),
            ),
            gamma / (_below * _further_below)
            + HALF * (gamma - gamma / (_below * _further_below)) * (1 + cosine(PI * (t - _turn) / (n - 1 - _turn))),
        ),
        ((_turn, _share * n - 1),),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("pct_start", low=0, high=1, includes_low=False, includes_high=False)
        self._real("div_factor", low=1)
        self._real("final_div_factor", low=1)

    def rates(self, first: int, count: int, n: int, m: int = 1, losses: Sequence[float] = ()) -> FloatArray:
        """γ of each step from `first` on, rising and then falling."""
        t = np.arange(first, first + count, dtype=np.float64)
        top = self.learning_rate
        bottom = top / self.div_factor
        lowest = bottom / self.final_div_factor
        end = self.pct_start * n - 1
        rising = bottom + 0.5 * (top - bottom) * (1 - np.cos(np.pi * t / end)) if end > 0 else top
        falling = lowest + 0.5 * (top - lowest) * (1 + np.cos(np.pi * (t - end) / (n - 1 - end)))
        return np.where(t <= end, rising, falling)
