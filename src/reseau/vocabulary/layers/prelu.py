"""Parametric ReLU: Z = max(0, A) + α min(0, A), with a slope α for each number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from reseau.arrays import Array, namespace
from reseau.checks import real
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact


@dataclass(frozen=True)
class PReLU(Layer):
    """Parametric ReLU: max(0, a) + α min(0, a), whose slope α for negative numbers is learned, one for each neuron.

    A layer in the place of an activation: a `Dense` without an activation before it has identity. The derivative is 1
    for a > 0, else α, and ∂/∂α = min(0, a) (He, Zhang, Ren, Sun 2015, 'Delving deep into rectifiers', who leave α out
    of the penalty, as here).

    Parameters
    ----------
    slope : float
        With what α begins.
    dropout : float
        As of `Dense`.
    residual : int
        As of `Dense`.

    Raises
    ------
    ParameterError
        For a slope that is no finite number, or a dropout out of range.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Network(rs.Dense(64), rs.PReLU(), rs.Dense(1))
    Network(Dense(64, 'identity'), PReLU(), Dense(1, 'identity'), loss='squared_error', dtype='float32')
    """

    slope: float = 0.25
    dropout: float = field(default=0.0, kw_only=True)
    residual: int = field(default=0, repr=False, kw_only=True)
    activation: str | None = field(default="identity", init=False, repr=False)

    kind: ClassVar[str] = "prelu"
    letters: ClassVar[tuple[str, ...]] = ("alpha",)
    activates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "slope", real("slope", self.slope))

    def width(self, n_in: int | None) -> int | None:
        return n_in

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        return (Tensor("alpha", (n_in,), self.slope),)

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return namespace(A).where(A > 0, A, p["alpha"] * A)

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return namespace(A).where(A > 0, delta, p["alpha"] * delta)

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        xp = namespace(A)
        return {"alpha": xp.sum(xp.where(A > 0, xp.zeros_like(A), A * delta), axis=0)}
