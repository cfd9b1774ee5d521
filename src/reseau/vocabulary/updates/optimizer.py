"""What every optimizer has.

An optimizer is a frozen description with two functions, `init` and `update`, after its `equations`: w are the
parameters, g = ∂E/∂w the gradient of a batch, γ the learning rate, t = 1, 2, ... the step. `update` takes and returns
arrays of any array-API library and changes nothing in place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, TypeVar

from reseau.arrays import Array, namespace
from reseau.checks import real
from reseau.formulas.trees import Expression, Symbol
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import Words
from reseau.vocabulary.schedules import Schedule, as_rate

State = tuple[Array, ...]
Kind = TypeVar("Kind", bound="Optimizer")

# The letters of the equations; those of hyperparameters are called as these are.
w, g, t, change = Symbol("w"), Symbol("g"), Symbol("t"), Symbol("change", "Δw")
m, v = Symbol("m"), Symbol("v")
gamma, epsilon = Symbol("learning_rate", "γ"), Symbol("epsilon", "ε")


class Equation(NamedTuple):
    """One line of an update: what is computed, and from what. A state of the optimizer takes the place of the last."""

    left: Symbol
    right: Expression
    state: bool = False

    def __str__(self) -> str:
        return TextSetter().equation(self.left, self.right, self.sign)

    @property
    def sign(self) -> str:
        """Between the two."""
        return "←" if self.state else "="


@dataclass(frozen=True)
class Optimizer(ABC):
    """What every optimizer has.

    Attributes
    ----------
    name : str
        Its name in the table.
    words : Words
        What it is called, in each language.
    source : str
        Where it comes from.
    aliases : tuple of str
        What other libraries call it, for those who ask for it so.
    equations : tuple of Equation
        The update as formulas of `w`, `g`, the states, `t` and the hyperparameters; the last gives Δw.
    states : int
        How many vectors as long as the parameters it keeps between steps.
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.01

    name: ClassVar[str]
    words: ClassVar[Words]
    source: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning_rate", as_rate(self.learning_rate))

    def _real(self, name: str, **bounds: Any) -> None:
        """Check a number and keep it as a plain float: one of NumPy's own would raise float32 parameters to float64."""
        object.__setattr__(self, name, real(name, getattr(self, name), **bounds))

    def init(self, w: Array) -> State:
        """The state before the first step: zeros."""
        xp = namespace(w)
        return tuple(xp.zeros_like(w) for _ in range(self.states))

    @abstractmethod
    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """One step t ≥ 1: the new parameters and the new state."""

    @property
    @abstractmethod
    def equations(self) -> tuple[Equation, ...]:
        """The update as formulas, the last of which gives Δw."""

    @abstractmethod
    def scalars(self, t: int) -> tuple[float, ...]:
        """The numbers of step t that are the same for every parameter, in double precision."""

    @property
    def schedule(self) -> Schedule | None:
        """What its learning rate follows, if it does."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else None

    @property
    def rate(self) -> float:
        """γ; with a schedule the highest."""
        rate: Any = self.learning_rate  # a function has become a schedule
        return rate.highest if isinstance(rate, Schedule) else rate

    def at(self: Kind, rate: float) -> Kind:
        """The same at another learning rate, which need not be above 0."""
        other = copy(self)
        object.__setattr__(other, "learning_rate", rate)
        return other

    def hyperparameters(self) -> dict[str, Any]:
        """The numbers that define it, by name, with the `rate`."""
        return {**{field.name: getattr(self, field.name) for field in fields(self)}, "learning_rate": self.rate}

    def describe(self) -> dict[str, Any]:
        """What it is, as JSON-able values."""
        described = {"name": self.name, **self.hyperparameters()}
        return described if self.schedule is None else {**described, "learning_rate": self.schedule.describe()}
