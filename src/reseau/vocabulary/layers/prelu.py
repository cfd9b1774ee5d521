"""Parametric ReLU: Z = max(0, A) + α min(0, A), with a slope α for each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from reseau.arrays import Array, namespace
from reseau.checks import real
from reseau.formulas.trees import Cases, Condition, Number, Symbol, maximum, minimum
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.layers.code import Bounded, Code
from reseau.vocabulary.layers.equations import DELTA, Equations, OfMatrices, OfNumbers, Slip, Z
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact

ALPHA, NEGATIVE = Symbol("alpha", "α"), Symbol("negative", "N")

AS_RELU = Slip(
    Words(
        "negative numbers were set to 0, as by ReLU, instead of multiplied by α",
        "les nombres négatifs ont été mis à 0, comme par ReLU, au lieu d’être multipliés par α",
    ),
    lambda p: p["A"] * (p["A"] > 0),
)
ALL_COUNTED = Slip(
    Words(
        "the gradient of α was taken of all numbers, but positive ones do not follow α",
        "le gradient de α a été pris de tous les nombres, mais les positifs ne suivent pas α",
    ),
    lambda p: (p["delta"] * p["A"]).sum(axis=0),
)
BACK_AS_RELU = Slip(
    Words(
        "the derivative for negative numbers was taken for 0, as of ReLU, instead of α",
        "la dérivée pour les nombres négatifs a été prise pour 0, comme de ReLU, au lieu de α",
    ),
    lambda p: p["delta"] * (p["A"] > 0),
)

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph


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
    activation: ActivationName | None = field(default="identity", init=False, repr=False)

    kind: ClassVar[str] = "prelu"
    letters: ClassVar[tuple[str, ...]] = ("alpha",)
    words: ClassVar[Words] = Words("parametric ReLU of {numbers}", "ReLU paramétrique de {numbers}")
    activates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "slope", real("slope", self.slope))

    def width(self, n_in: int | None) -> int | None:
        return n_in

    def tensors(self, n_in: int) -> tuple[Tensor, ...]:
        return (Tensor("alpha", (n_in,), self.slope, letter="α", words=Words("slopes", "coefficients")),)

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return namespace(A).where(A > 0, A, p["alpha"] * A)

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return namespace(A).where(A > 0, delta, p["alpha"] * delta)

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        xp = namespace(A)
        return {"alpha": xp.sum(xp.where(A > 0, xp.zeros_like(A), A * delta), axis=0)}

    def scores_changed(self, dA: Array, A: Array, p: Parameters) -> Array:
        return self.sent_back(dA, A, p)

    def gradients_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> dict[str, Array]:
        xp = namespace(A)
        return {"alpha": xp.sum(xp.where(A > 0, xp.zeros_like(A), A * d_delta + dA * delta), axis=0)}

    def equations(self, x: Symbol) -> Equations:
        a, alpha, delta = x.at("j"), ALPHA.at("j"), DELTA.at("j")
        forward = OfNumbers(
            symbol=Z,
            axes=("rows", "out"),
            formula=maximum(0, a) + alpha * minimum(0, a),
            words=Words(
                "Each number, with a slope α of its own if it is negative:",
                "Chaque nombre, avec son propre coefficient α s’il est négatif :",
            ),
            slips=(AS_RELU,),
        )
        negative = OfNumbers(
            symbol=NEGATIVE,
            axes=("rows", "out"),
            formula=minimum(0, a),
            words=Words("Only negative numbers follow α:", "Seuls les nombres négatifs suivent α :"),
        )
        by_alpha = OfMatrices(
            symbol=ALPHA,
            derivative=True,
            axes=("out",),
            summed=True,
            sides=(DELTA, "∘", NEGATIVE),
            function=lambda p: (p["delta"] * p["negative"]).sum(axis=0),
            slips=(ALL_COUNTED,),
        )
        back = OfNumbers(
            symbol=x,
            derivative=True,
            axes=("rows", "in"),
            formula=Cases(((delta, Condition(a, ">", Number(0))),), alpha * delta),
            slips=(BACK_AS_RELU,),
        )
        return Equations((forward,), (negative, by_alpha), (back,))

    @property
    def code(self) -> Code:
        return Code(
            title="parametric ReLU",
            equation="max(0, x) + alpha min(0, x)",
            numbers="slopes",
            meaning="{alpha} multiplies its number j where that is negative",
            c="""
for (int j = 0; j < n_out; j++)
    z[j] = x[j] > 0.0 ? x[j] : alpha[j] * x[j];
""",
            c_back="""
for (int i = 0; i < n_in; i++)
    g_in[i] = x[i] > 0.0 ? g[i] : alpha[i] * g[i];
""",
            numpy=("z = np.where(a > 0, a, alpha * a)",),
            onnx=_prelu,
        )

    def bounded(self, row: Bounded, p: Parameters, eps: float, eps_of_sums: float) -> Bounded:
        """Δz ≤ Δa times the larger slope that rounding may put a on the side of, and ε |z|; J v likewise."""
        A, A_error, T, size, T_error = row
        D, above, below = (np.where(near > 0, 1.0, p["alpha"]) for near in (A, A + 2 * A_error, A - 2 * A_error))
        steepest, jump = np.maximum(np.abs(above), np.abs(below)), np.abs(above - below)
        Z = self.scores(A, p)
        Z_error = steepest * A_error + 2 * eps * np.abs(Z)
        T_error = np.abs(D) * T_error + (jump + 2 * eps * np.abs(D)) * size
        return Bounded(Z, Z_error, D * T, np.abs(D) * size, T_error)


def _prelu(g: Graph, A: str, tensors: Mapping[str, str]) -> str:
    """The operator, which onnxruntime has in float32 alone; max(0, a) + α min(0, a) else."""
    if g.is_double:
        below = g("Mul", tensors["alpha"], g("Min", A, 0.0))
        return g("Add", g("Relu", A), below)
    return g("PRelu", A, tensors["alpha"])
