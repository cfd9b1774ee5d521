"""Steps of one length for every parameter, in the direction of a momentum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.formulas.trees import Symbol, sign
from reseau.formulas.words import Same, Words
from reseau.vocabulary.schedules import Schedule
from reseau.vocabulary.updates.optimizer import Equation, Optimizer, State, change, g, gamma, m, w

_beta_1, _beta_2 = Symbol("beta_1", "β", "1"), Symbol("beta_2", "β", "2")
_u, _lambda = Symbol("u"), Symbol("weight_decay", "λ")


@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion: u = β₁ m + (1 − β₁) g; m ← β₂ m + (1 − β₂) g; Δw = −γ sign(u) − γ λ w.

    Parameters
    ----------
    learning_rate : float, schedule or callable
        γ > 0, or what it follows, see `reseau.vocabulary.schedules`; a third to a tenth of Adam's.
    beta_1, beta_2 : float
        The memories of the mean of the gradient: of the one that gives the step, and of the one that is kept, in
        [0, 1).
    weight_decay : float
        λ ≥ 0, for every parameter.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Chen et al. 2023, 'Symbolic discovery of optimization algorithms'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.Lion(0.0001, weight_decay=0.1).equations:
    ...     print(equation)
    u = β₁ m + (1 − β₁) g
    m ← β₂ m + (1 − β₂) g
    Δw = −γ sign u − γ λ w
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.0001
    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.0

    name: ClassVar[str] = "lion"
    words: ClassVar[Words] = Same("Lion")
    source: ClassVar[str] = "Chen et al. 2023, 'Symbolic discovery of optimization algorithms'"
    states: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("beta_1", low=0, high=1, includes_high=False)
        self._real("beta_2", low=0, high=1, includes_high=False)
        self._real("weight_decay", low=0)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """u, m, and Δw."""
        step = -(gamma * sign(_u))
        return (
            Equation(_u, _beta_1 * m + (1 - _beta_1) * g),
            Equation(m, _beta_2 * m + (1 - _beta_2) * g, state=True),
            Equation(change, step - gamma * _lambda * w if self.weight_decay else step),
        )

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, β₁, β₂, γ λ."""
        return self.rate, self.beta_1, self.beta_2, self.rate * self.weight_decay

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m ← β₂ m + (1 − β₂) g; w ← w − γ λ w − γ sign(β₁ m + (1 − β₁) g)."""
        gamma, beta_1, beta_2, decay = self.scalars(t)
        (m,) = state
        u = beta_1 * m + (1 - beta_1) * g
        return w - decay * w - gamma * namespace(w).sign(u), (beta_2 * m + (1 - beta_2) * g,)
