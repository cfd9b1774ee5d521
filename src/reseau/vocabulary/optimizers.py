"""The table of optimizers: how the parameters follow the gradient.

An optimizer is a frozen description with two functions, `init` and `update`, after its `equations`: w are the
parameters, g = ∂E/∂w the gradient of a batch, γ the learning rate, t = 1, 2, ... the step. `update` takes and returns
arrays of any array-API library and changes nothing in place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any, ClassVar, NamedTuple

from reseau.arrays import Array, namespace
from reseau.checks import known, real
from reseau.errors import ParameterError
from reseau.formulas.trees import Expression, Symbol, root
from reseau.formulas.typesetting import TextSetter
from reseau.formulas.words import Same, Words

State = tuple[Array, ...]

# The letters of the equations; those of hyperparameters are called as these are.
w, g, t, change = Symbol("w"), Symbol("g"), Symbol("t"), Symbol("change", "Δw")
m, v, m_hat, v_hat = Symbol("m"), Symbol("v"), Symbol("m_hat", "m", mark="^"), Symbol("v_hat", "v", mark="^")
_gamma, _mu, _rho = Symbol("learning_rate", "γ"), Symbol("momentum", "μ"), Symbol("rho", "ρ")
_gamma_t = Symbol("gamma_t", "γ", "t")
_beta_1, _beta_2 = Symbol("beta_1", "β", "1"), Symbol("beta_2", "β", "2")
_epsilon, _lambda = Symbol("epsilon", "ε"), Symbol("weight_decay", "λ")


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

    learning_rate: float = 0.01

    name: ClassVar[str]
    words: ClassVar[Words]
    source: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[int]

    def __post_init__(self) -> None:
        self._real("learning_rate", low=0, includes_low=False)

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

    def hyperparameters(self) -> dict[str, Any]:
        """The numbers that define it, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: v ← μ v − γ g and Δw = v, or (Nesterov) Δw = μ v − γ g; without momentum Δw = −γ g.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    momentum : float
        μ in [0, 1].
    nesterov : bool
        Nesterov's look-ahead; needs momentum > 0.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton 2013, 'On the importance of initialization and momentum in deep learning'.
    """

    learning_rate: float = 0.01
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
        if not isinstance(self.nesterov, bool):
            raise ParameterError(f"nesterov is {self.nesterov!r}, but must be True or False.")
        if self.nesterov and self.momentum == 0:
            raise ParameterError("nesterov=True needs a momentum above 0, such as momentum=0.9.")

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Δw = −γ g; with momentum by way of v."""
        if self.momentum == 0:
            return (Equation(change, -(_gamma * g)),)
        new = _mu * v - _gamma * g
        return Equation(v, new, state=True), Equation(change, new if self.nesterov else v)

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, μ, and 1 for Nesterov's form, else 0."""
        return self.learning_rate, self.momentum, float(self.nesterov)

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """v ← μ v − γ g; w ← w + v, or for Nesterov w ← w + μ v − γ g."""
        gamma, mu, nesterov = self.scalars(t)
        (v,) = state
        v = mu * v - gamma * g
        return (w + (mu * v - gamma * g) if nesterov else w + v), (v,)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; Δw = −γ m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Computed as Δw = −γ_t m/(√v + ε_t) with γ_t = γ √(1 − β₂ᵗ)/(1 − β₁ᵗ) and ε_t = ε √(1 − β₂ᵗ), which is the same
    number.

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    beta_1, beta_2 : float
        The memories of the mean and of the mean square of the gradient, in [0, 1).
    epsilon : float
        ε > 0.
    epsilon_hat : bool
        Whether ε is the paper's ε̂, which is added to √v as it is: Δw = −γ_t m/(√v + ε), as in scikit-learn.

    References
    ----------
    Kingma and Ba 2015, 'Adam: a method for stochastic optimization'.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    name: ClassVar[str] = "adam"
    words: ClassVar[Words] = Same("Adam")
    source: ClassVar[str] = "Kingma and Ba 2015, 'Adam: a method for stochastic optimization'"
    states: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("beta_1", low=0, high=1, includes_high=False)
        self._real("beta_2", low=0, high=1, includes_high=False)
        self._real("epsilon", low=0, includes_low=False)
        if not isinstance(self.epsilon_hat, bool):
            raise ParameterError(f"epsilon_hat is {self.epsilon_hat!r}, but must be True or False.")

    @property
    def equations(self) -> tuple[Equation, ...]:
        """m and v, their corrections for having begun at 0, and Δw."""
        states = (
            Equation(m, _beta_1 * m + (1 - _beta_1) * g, state=True),
            Equation(v, _beta_2 * v + (1 - _beta_2) * g**2, state=True),
        )
        if self.epsilon_hat:
            corrected: tuple[Equation, ...] = (Equation(_gamma_t, _gamma * root(1 - _beta_2**t) / (1 - _beta_1**t)),)
            step = -(_gamma_t * m / (root(v) + _epsilon))
        else:
            corrected = (Equation(m_hat, m / (1 - _beta_1**t)), Equation(v_hat, v / (1 - _beta_2**t)))
            step = -(_gamma * m_hat / (root(v_hat) + _epsilon))
        return *states, *corrected, Equation(change, step - _gamma * _lambda * w if self._decay else step)

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ_t, β₁, β₂, ε_t, and the weight decay of a step, γ λ (0 for Adam itself)."""
        root = sqrt(1 - self.beta_2**t)
        return (
            self.learning_rate * root / (1 - self.beta_1**t),
            self.beta_1,
            self.beta_2,
            self.epsilon if self.epsilon_hat else self.epsilon * root,
            self.learning_rate * self._decay,
        )

    @property
    def _decay(self) -> float:
        return 0.0

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − γ λ w − γ_t m/(√v + ε_t)."""
        gamma_t, beta_1, beta_2, epsilon_t, decay = self.scalars(t)
        m, v = state
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        return w - decay * w - gamma_t * m / (namespace(w).sqrt(v) + epsilon_t), (m, v)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay λ: Δw = −γ m̂/(√v̂ + ε) − γ λ w, for every parameter.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, epsilon_hat
        As for `Adam`.
    weight_decay : float
        λ ≥ 0.

    References
    ----------
    Loshchilov and Hutter 2019, 'Decoupled weight decay regularization'.
    """

    weight_decay: float = 0.01

    name: ClassVar[str] = "adamw"
    words: ClassVar[Words] = Same("AdamW")
    source: ClassVar[str] = "Loshchilov and Hutter 2019, 'Decoupled weight decay regularization'"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("weight_decay", low=0)

    @property
    def _decay(self) -> float:
        return self.weight_decay


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: v ← ρ v + (1 − ρ) g²; Δw = −γ g/(√v + ε).

    Parameters
    ----------
    learning_rate : float
        γ > 0.
    rho : float
        ρ, the memory of the mean square, in [0, 1).
    epsilon : float
        ε > 0.

    References
    ----------
    Tieleman and Hinton 2012, lecture 6.5 of 'Neural networks for machine learning'.
    """

    learning_rate: float = 0.001
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
            Equation(change, -(_gamma * g / (root(v) + _epsilon))),
        )

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ, ρ, ε."""
        return self.learning_rate, self.rho, self.epsilon

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """v ← ρ v + (1 − ρ) g²; w ← w − γ g/(√v + ε)."""
        gamma, rho, epsilon = self.scalars(t)
        (v,) = state
        v = rho * v + (1 - rho) * g * g
        return w - gamma * g / (namespace(w).sqrt(v) + epsilon), (v,)


def check_optimizer(optimizer: object) -> Optimizer:
    """Return an optimizer, for a name the one of that name as it is by default, or raise ParameterError."""
    if isinstance(optimizer, str):
        return OPTIMIZERS[known("optimizer", optimizer, OPTIMIZERS)]()
    if not isinstance(optimizer, Optimizer):
        raise ParameterError(
            f"optimizer is {optimizer!r}, but must be an optimizer such as Adam(0.001) or SGD(0.1, momentum=0.9), or "
            f"the name of one: {', '.join(OPTIMIZERS)}."
        )
    return optimizer


OPTIMIZERS: dict[str, type[Optimizer]] = {entry.name: entry for entry in (SGD, Adam, AdamW, RMSprop)}
"""Every optimizer by its name."""
