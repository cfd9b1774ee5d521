"""Adam and its kin: the mean of the gradient over the root of its mean square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.checks import boolean
from reseau.formulas.trees import HALF, Cases, Condition, Expression, Number, Symbol, maximum, replaced, root
from reseau.formulas.words import Same, Words
from reseau.vocabulary.schedules import Schedule
from reseau.vocabulary.updates.optimizer import Equation, Optimizer, State, change, epsilon, g, gamma, m, t, v, w

g_hat: Symbol = Symbol("g_hat", "g", mark="^")
m_hat, v_hat = Symbol("m_hat", "m", mark="^"), Symbol("v_hat", "v", mark="^")
_gamma_t, _lambda = Symbol("gamma_t", "γ", "t"), Symbol("weight_decay", "λ")
_v_max = Symbol("v_max", "v", "max")
_beta_1, _beta_2 = Symbol("beta_1", "β", "1"), Symbol("beta_2", "β", "2")


@dataclass(frozen=True)
class _Moments(Optimizer):
    """What keeps the mean of the gradient, m, and of its square, v."""

    learning_rate: float | Schedule | Callable[[float], float] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("beta_1", low=0, high=1, includes_high=False)
        self._real("beta_2", low=0, high=1, includes_high=False)
        self._real("epsilon", low=0, includes_low=False)


_MEANS = (
    Equation(m, _beta_1 * m + (1 - _beta_1) * g, state=True),
    Equation(v, _beta_2 * v + (1 - _beta_2) * g**2, state=True),
)


def _means(m: Array, v: Array, g: Array, beta_1: float, beta_2: float) -> tuple[Array, Array]:
    """The new m and v."""
    return beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g


@dataclass(frozen=True)
class Adam(_Moments):
    """Adam: m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; Δw = −γ m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Computed as Δw = −γ_t m/(√v + ε_t) with γ_t = γ √(1 − β₂ᵗ)/(1 − β₁ᵗ) and ε_t = ε √(1 − β₂ᵗ), which is the same
    number.

    Parameters
    ----------
    learning_rate : float, schedule or callable
        γ > 0, or what it follows, see `reseau.vocabulary.schedules`.
    beta_1, beta_2 : float
        The memories of the mean and of the mean square of the gradient, in [0, 1).
    epsilon : float
        ε > 0.
    epsilon_hat : bool
        Whether ε is the paper's ε̂, which is added to √v as it is: Δw = −γ_t m/(√v + ε), as in scikit-learn.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Kingma and Ba 2015, 'Adam: a method for stochastic optimization'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.Adam().equations:
    ...     print(equation)
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    m̂ = m/(1 − β₁ᵗ)
    v̂ = v/(1 − β₂ᵗ)
    Δw = −γ m̂/(√v̂ + ε)
    """

    epsilon_hat: bool = False

    name: ClassVar[str] = "adam"
    words: ClassVar[Words] = Same("Adam")
    source: ClassVar[str] = "Kingma and Ba 2015, 'Adam: a method for stochastic optimization'"
    states: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "epsilon_hat", boolean("epsilon_hat", self.epsilon_hat))

    @property
    def equations(self) -> tuple[Equation, ...]:
        """m and v, their corrections for having begun at 0, and Δw."""
        if self.epsilon_hat:
            corrected: tuple[Equation, ...] = (Equation(_gamma_t, gamma * root(1 - _beta_2**t) / (1 - _beta_1**t)),)
            step = -(_gamma_t * m / (root(v) + epsilon))
        else:
            corrected = (Equation(m_hat, m / (1 - _beta_1**t)), Equation(v_hat, v / (1 - _beta_2**t)))
            step = -(gamma * m_hat / (root(v_hat) + epsilon))
        return *_MEANS, *corrected, Equation(change, step - gamma * _lambda * w if self._decay else step)

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ_t, β₁, β₂, ε_t, and the weight decay of a step, γ λ (0 for Adam itself)."""
        root = sqrt(1 - self.beta_2**t)
        return (
            self.rate * root / (1 - self.beta_1**t),
            self.beta_1,
            self.beta_2,
            self.epsilon if self.epsilon_hat else self.epsilon * root,
            self.rate * self._decay,
        )

    @property
    def _decay(self) -> float:
        return 0.0

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − γ λ w − γ_t m/(√v + ε_t)."""
        gamma_t, beta_1, beta_2, epsilon_t, decay = self.scalars(t)
        m, v = state
        m, v = _means(m, v, g, beta_1, beta_2)
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

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Loshchilov and Hutter 2019, 'Decoupled weight decay regularization'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.AdamW(0.001, weight_decay=0.05).equations:
    ...     print(equation)
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    m̂ = m/(1 − β₁ᵗ)
    v̂ = v/(1 − β₂ᵗ)
    Δw = −γ m̂/(√v̂ + ε) − γ λ w
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
class AMSGrad(Adam):
    """Adam whose mean square never falls: v_max ← max(v_max, v), and Δw = −γ m̂/(√(v_max/(1 − β₂ᵗ)) + ε).

    It is PyTorch's and Keras' Adam with amsgrad=True.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, epsilon_hat
        As for `Adam`.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Reddi, Kale, Kumar 2018, 'On the convergence of Adam and beyond'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.AMSGrad().equations:
    ...     print(equation)
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    v_max ← max(v_max, v)
    m̂ = m/(1 − β₁ᵗ)
    v̂ = v_max/(1 − β₂ᵗ)
    Δw = −γ m̂/(√v̂ + ε)
    """

    name: ClassVar[str] = "amsgrad"
    words: ClassVar[Words] = Same("AMSGrad")
    source: ClassVar[str] = "Reddi, Kale, Kumar 2018, 'On the convergence of Adam and beyond'"
    states: ClassVar[int] = 3

    @property
    def equations(self) -> tuple[Equation, ...]:
        """m, v and the largest v so far, their corrections for having begun at 0, and Δw."""
        first, second, *corrected = super().equations
        largest = Equation(_v_max, maximum(_v_max, v), state=True)
        taken = tuple(Equation(left, replaced(right, {v: _v_max})) for left, right, _ in corrected)
        return first, second, largest, *taken

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m and v as Adam; v_max ← max(v_max, v); w ← w − γ_t m/(√v_max + ε_t)."""
        gamma_t, beta_1, beta_2, epsilon_t, _ = self.scalars(t)
        m, v, largest = state
        xp = namespace(w)
        m, v = _means(m, v, g, beta_1, beta_2)
        largest = xp.where(v > largest, v, largest)
        return w - gamma_t * m / (xp.sqrt(largest) + epsilon_t), (m, v, largest)


@dataclass(frozen=True)
class Nadam(_Moments):
    """Adam with Nesterov's look-ahead: Δw = −γ ((1 − μ_t) g/c + μ_{t+1} m/(1 − μ_{t+1} (1 − c)))/(√v̂ + ε).

    The momentum grows, μ_t = β₁ (1 − ½ 0.96^(t ψ)), and c = 1 − μ_1 ... μ_t corrects for its start. It is PyTorch's.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon
        As for `Adam`.
    momentum_decay : float
        ψ ≥ 0, how fast the momentum grows to β₁.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Dozat 2016, 'Incorporating Nesterov momentum into Adam'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.Nadam().equations:
    ...     print(equation)
    μ = β₁ (1 − ½ · 0.96^{t ψ})
    μ′ = β₁ (1 − ½ · 0.96^{(t + 1) ψ})
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    c ← 1 − μ (1 − c)
    ĝ = (1 − μ) g/c
    m̂ = μ′ m/(1 − μ′ (1 − c))
    v̂ = v/(1 − β₂ᵗ)
    Δw = −γ (ĝ + m̂)/(√v̂ + ε)
    """

    learning_rate: float | Schedule | Callable[[float], float] = 0.002
    momentum_decay: float = 0.004

    name: ClassVar[str] = "nadam"
    words: ClassVar[Words] = Same("Nadam")
    source: ClassVar[str] = "Dozat 2016, 'Incorporating Nesterov momentum into Adam'"
    states: ClassVar[int] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self._real("momentum_decay", low=0)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The momentum of this step and the next, m, v and c, their corrections, and Δw."""
        mu, mu_next, c = Symbol("mu", "μ"), Symbol("mu_next", "μ", mark="′"), Symbol("c")
        psi = Symbol("momentum_decay", "ψ")

        def momentum(step: Expression) -> Expression:
            return _beta_1 * (1 - HALF * Number(Decimal("0.96")) ** (step * psi))

        return (
            Equation(mu, momentum(t)),
            Equation(mu_next, momentum(t + 1)),
            *_MEANS,
            Equation(c, 1 - mu * (1 - c), state=True),
            Equation(g_hat, (1 - mu) * g / c),
            Equation(m_hat, mu_next * m / (1 - mu_next * (1 - c))),
            Equation(v_hat, v / (1 - _beta_2**t)),
            Equation(change, -(gamma * (g_hat + m_hat) / (root(v_hat) + epsilon))),
        )

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ √(1 − β₂ᵗ), β₁, β₂, ε √(1 − β₂ᵗ), μ_t and μ_{t+1}."""
        root = sqrt(1 - self.beta_2**t)
        mu, mu_next = (self.beta_1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay)) for step in (t, t + 1))
        return self.rate * root, self.beta_1, self.beta_2, self.epsilon * root, mu, mu_next

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m and v as Adam; c ← 1 − μ_t (1 − c); w ← w − γ_t ((1 − μ_t) g/c + μ_{t+1} m/(...))/(√v + ε_t)."""
        gamma_t, beta_1, beta_2, epsilon_t, mu, mu_next = self.scalars(t)
        m, v, c = state
        m, v = _means(m, v, g, beta_1, beta_2)
        c = 1 - mu * (1 - c)
        ahead = (1 - mu) * g / c + mu_next * m / (1 - mu_next * (1 - c))
        return w - gamma_t * ahead / (namespace(w).sqrt(v) + epsilon_t), (m, v, c)


@dataclass(frozen=True)
class RAdam(_Moments):
    """Adam with a warm-up of its own: Δw = −γ m̂ at first, and −γ r m̂/√v̂ once the variance of √v̂ is bounded.

    With ρ_max = 2/(1 − β₂) − 1 and ρ_t = ρ_max − 2 t β₂ᵗ/(1 − β₂ᵗ) that is where ρ_t > 5, and
    r² = (ρ_t − 4)(ρ_t − 2) ρ_max/((ρ_max − 4)(ρ_max − 2) ρ_t). As in PyTorch, ε is added to √v.

    Parameters
    ----------
    learning_rate, beta_1, beta_2
        As for `Adam`.
    epsilon : float
        ε > 0.

    Raises
    ------
    ParameterError
        For a number out of its range, and a learning rate that is no number above 0, no schedule and no function.

    References
    ----------
    Liu, Jiang, He, Chen, Liu, Gao, Han 2020, 'On the variance of the adaptive learning rate and beyond'.

    Examples
    --------
    >>> import reseau as rs
    >>> for equation in rs.RAdam().equations:
    ...     print(equation)
    ρ_max = 2/(1 − β₂) − 1
    ρ_t = ρ_max − 2t β₂ᵗ/(1 − β₂ᵗ)
    r_max = (ρ_max − 4) (ρ_max − 2)/ρ_max
    r = √((ρ_t − 4) (ρ_t − 2)/(r_max ρ_t)) for ρ_t > 5, else 1
    m ← β₁ m + (1 − β₁) g
    v ← β₂ v + (1 − β₂) g²
    m̂ = m/(1 − β₁ᵗ)
    Δw = −γ r m̂ √(1 − β₂ᵗ)/(√v + ε) for ρ_t > 5, else −γ m̂
    """

    name: ClassVar[str] = "radam"
    words: ClassVar[Words] = Same("RAdam")
    source: ClassVar[str] = (
        "Liu, Jiang, He, Chen, Liu, Gao, Han 2020, 'On the variance of the adaptive learning rate and beyond'"
    )
    states: ClassVar[int] = 2

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The lengths of the averages and r, m and v, m corrected for having begun at 0, and Δw."""
        longest, length = Symbol("rho_max", "ρ", "max"), Symbol("rho_t", "ρ", "t")
        r, bounded = Symbol("r"), Condition(length, ">", Number(5))
        squares = Symbol("r_max", "r", "max")  # r² of the longest average, in words of its own so that r fits a line
        squared = (length - 4) * (length - 2) / (squares * length)
        rectified = -(gamma * r * m_hat * root(1 - _beta_2**t) / (root(v) + epsilon))
        return (
            Equation(longest, 2 / (1 - _beta_2) - 1),
            Equation(length, longest - 2 * t * _beta_2**t / (1 - _beta_2**t)),
            Equation(squares, (longest - 4) * (longest - 2) / longest),
            Equation(r, Cases(((root(squared), bounded),), Number(1))),
            *_MEANS,
            Equation(m_hat, m / (1 - _beta_1**t)),
            Equation(change, Cases(((rectified, bounded),), -(gamma * m_hat))),
        )

    def scalars(self, t: int) -> tuple[float, ...]:
        """γ_t, β₁, β₂, ε, and whether the step is divided by √v + ε, as 1 or 0."""
        power, longest = self.beta_2**t, 2 / (1 - self.beta_2) - 1
        length = longest - 2 * t * power / (1 - power)
        rate, rectified = self.rate / (1 - self.beta_1**t), length > 5
        if rectified:
            r2 = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            rate *= sqrt((1 - power) * r2)
        return rate, self.beta_1, self.beta_2, self.epsilon, float(rectified)

    def update(self, w: Array, g: Array, state: State, t: int) -> tuple[Array, State]:
        """m and v as Adam; w ← w − γ_t m/(√v + ε), or at first w ← w − γ_t m."""
        gamma_t, beta_1, beta_2, epsilon, rectified = self.scalars(t)
        m, v = state
        m, v = _means(m, v, g, beta_1, beta_2)
        return w - (gamma_t * m / (namespace(w).sqrt(v) + epsilon) if rectified else gamma_t * m), (m, v)
