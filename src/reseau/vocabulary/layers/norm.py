"""Layer normalisation: Z = γ x̂ + β, x̂ = (x − μ)/√(s² + ε) with the mean μ and the variance s² of a row's numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.checks import boolean, real
from reseau.errors import ParameterError
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact


def row_mean(A: Array) -> Array:
    """The mean of each row's numbers, (rows, 1)."""
    xp = namespace(A)
    return xp.sum(A, axis=1, keepdims=True) / A.shape[1]


def row_scale(A: Array, epsilon: float) -> Array:
    """√(s² + ε) of each row, s² = mean((x − μ)²), (rows, 1)."""
    d = A - row_mean(A)
    return namespace(A).sqrt(row_mean(d * d) + epsilon)


def normalised(A: Array, epsilon: float) -> Array:
    """x̂ = (x − μ)/√(s² + ε) of each row, (rows, n)."""
    return (A - row_mean(A)) / row_scale(A, epsilon)


def sent_back(delta: Array, A: Array, gamma: Array, epsilon: float) -> Array:
    """∂E/∂x = (g − mean(g) − x̂ mean(g x̂))/√(s² + ε) with g = γ δ, (rows, n)."""
    x_hat, g = normalised(A, epsilon), delta * gamma
    return (g - row_mean(g) - x_hat * row_mean(g * x_hat)) / row_scale(A, epsilon)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalisation: a row's numbers brought to mean 0 and variance 1, then scaled and shifted, A = σ(γ x̂ + β).

    x̂ = (x − μ)/√(s² + ε), with the mean μ and the variance s² = mean((x − μ)²) of the row's own numbers, so that
    training and prediction are the same (Ba, Kiros, Hinton 2016, 'Layer normalization'). γ begins at 1, β at 0; the
    penalty l2 counts neither.

    Parameters
    ----------
    activation : str or None
        σ, a name of `reseau.vocabulary.activations.ACTIVATIONS`; None as of `Dense`.
    bias : bool
        Whether β is added.
    epsilon : float
        ε > 0.
    dropout : float
        As of `Dense`.
    residual : int
        As of `Dense`.

    Raises
    ------
    ParameterError
        For a name that is not in its table, and for an epsilon or a dropout out of range.

    Examples
    --------
    >>> import reseau as rs
    >>> net = rs.Network(rs.LayerNorm(), inputs=4, dtype="float64")
    >>> net([[1.0, 2.0, 3.0, 4.0]]).round(4)  # μ = 2.5, s² = 1.25
    array([[-1.3416, -0.4472,  0.4472,  1.3416]])
    """

    activation: str | None = "identity"
    bias: bool = True
    epsilon: float = 1e-5
    dropout: float = field(default=0.0, kw_only=True)
    residual: int = field(default=0, repr=False, kw_only=True)

    kind: ClassVar[str] = "layer_norm"
    letters: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "bias", boolean("bias", self.bias))
        object.__setattr__(self, "epsilon", real("epsilon", self.epsilon, low=0, includes_low=False))

    def check_inputs(self, n_in: int) -> None:
        if n_in == 1:
            raise ParameterError(
                f"{self} stands on a single number, of which x − μ is 0 whatever it is; give the layer before it more "
                "neurons, or leave it out."
            )

    def width(self, n_in: int | None) -> int | None:
        return n_in

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        gamma = Tensor("gamma", (n_in,), 1.0)
        return (gamma, Tensor("beta", (n_in,))) if self.bias else (gamma,)

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        Z = normalised(A, self.epsilon) * p["gamma"]
        return Z + p["beta"] if self.bias else Z

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return sent_back(delta, A, p["gamma"], self.epsilon)

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        xp = namespace(delta)
        found = {"gamma": xp.sum(delta * normalised(A, self.epsilon), axis=0)}
        return {**found, "beta": xp.sum(delta, axis=0)} if self.bias else found
