"""The gradient over the root of its square, in the mean or in the sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.formulas.trees import Symbol, root
from reseau.formulas.words import Same, Words
from reseau.vocabulary.schedules import Schedule
from reseau.vocabulary.updates.optimizer import Equation, Optimizer, State, change, epsilon, g, gamma, v

_rho = Symbol("rho", "ρ")


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: v ← ρ v + (1 − ρ) g²; Δw = −γ g/(√v + ε).

    Parameters
    ----------
    learning_rate : float, schedule or callable
        γ > 0, or what it follows, see `reseau.vocabulary.schedules`.
    rho : float
        ρ, the memory of the mean square, in [0, 1).
    epsilon : float
        ε > 0.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Tieleman and Hinton 2012, lecture 6.5 of 'Neural networks for machine learning'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.RMSprop().equations:
    ...     print(equation)
    v ← ρ v + (1 − ρ) g²
    Δw = −γ g/(√v + ε)
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    name: ClassVar[str] = "rmsprop"
    words: ClassVar[Words] = Same("RMSprop")
    source: ClassVar[str] = "Tieleman and Hinton 2012, lecture 6.5 of 'Neural networks for machine learning'"
    states: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("rho", low=0, high=1, includes_high=False)
        self._real("epsilon", low=0, includes_low=False)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """v, and Δw."""
        return (
            Equation(v, _rho * v + (1 - _rho) * g**2, state=True),
            Equation(change, -(gamma * g / (root(v) + epsilon))),
        )

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, ρ, ε."""
        return self.rate, self.rho, self.epsilon

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """v ← ρ v + (1 − ρ) g²; w ← w − γ g/(√v + ε)."""
        gamma, rho, epsilon = self.scalars(t)
        (v,) = state
        v = rho * v + (1 - rho) * g * g
        return w - gamma * g / (namespace(w).sqrt(v) + epsilon), (v,)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: v ← v + g²; Δw = −γ g/(√v + ε).

    Parameters
    ----------
    learning_rate : float, schedule or callable
        γ > 0, or what it follows, see `reseau.vocabulary.schedules`.
    epsilon : float
        ε > 0.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Duchi, Hazan, Singer 2011, 'Adaptive subgradient methods for online learning and stochastic optimization'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.Adagrad().equations:
    ...     print(equation)
    v ← v + g²
    Δw = −γ g/(√v + ε)
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.01
    epsilon: float = 1e-10

    name: ClassVar[str] = "adagrad"
    words: ClassVar[Words] = Same("Adagrad")
    source: ClassVar[str] = (
        "Duchi, Hazan, Singer 2011, 'Adaptive subgradient methods for online learning and stochastic optimization'"
    )
    states: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("epsilon", low=0, includes_low=False)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """v, and Δw."""
        return Equation(v, v + g**2, state=True), Equation(change, -(gamma * g / (root(v) + epsilon)))

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, ε."""
        return self.rate, self.epsilon

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """v ← v + g²; w ← w − γ g/(√v + ε)."""
        gamma, epsilon = self.scalars(t)
        (v,) = state
        v = v + g * g
        return w - gamma * g / (namespace(w).sqrt(v) + epsilon), (v,)
