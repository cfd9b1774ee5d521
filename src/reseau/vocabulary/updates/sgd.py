"""Gradient descent, with momentum and without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from reseau.arrays import Array
from reseau.checks import boolean
from reseau.errors import ParameterError
from reseau.formulas.trees import Symbol
from reseau.formulas.words import Words
from reseau.vocabulary.schedules import Schedule
from reseau.vocabulary.updates.optimizer import Equation, Optimizer, State, change, g, gamma, v

_mu = Symbol("momentum", "μ")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: v ← μ v − γ g and Δw = v, or (Nesterov) Δw = μ v − γ g; without momentum Δw = −γ g.

    Parameters
    ----------
    learning_rate : float, schedule or callable
        γ > 0, or what it follows, see `reseau.vocabulary.schedules`.
    momentum : float
        μ in [0, 1].
    nesterov : bool
        Nesterov's look-ahead; needs momentum > 0.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton 2013, 'On the importance of initialization and momentum in deep learning'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.SGD(0.1, momentum=0.9).equations:
    ...     print(equation)
    v ← μ v − γ g
    Δw = v
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    name: ClassVar[str] = "sgd"
    words: ClassVar[Words] = Words("gradient descent", "descente de gradient")
    source: ClassVar[str] = (
        "Sutskever, Martens, Dahl, Hinton 2013, 'On the importance of initialization and momentum in deep learning'"
    )
    aliases: ClassVar[tuple[str, ...]] = ("sgdm", "gd", "momentum", "traingd", "traingdm")
    states: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("momentum", low=0, high=1)
        object.__setattr__(self, "nesterov", boolean("nesterov", self.nesterov))
        if self.nesterov and self.momentum == 0:
            raise ParameterError("nesterov=True needs a momentum above 0, such as momentum=0.9.")

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Δw = −γ g; with momentum by way of v."""
        if self.momentum == 0:
            return (Equation(change, -(gamma * g)),)
        new = _mu * v - gamma * g
        return Equation(v, new, state=True), Equation(change, new if self.nesterov else v)

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, μ, and 1 for Nesterov's form, else 0."""
        return self.rate, self.momentum, float(self.nesterov)

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """v ← μ v − γ g; w ← w + v, or for Nesterov w ← w + μ v − γ g."""
        gamma, mu, nesterov = self.scalars(t)
        (v,) = state
        v = mu * v - gamma * g
        return (w + (mu * v - gamma * g) if nesterov else w + v), (v,)
