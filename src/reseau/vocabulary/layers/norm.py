"""Layer normalisation: Z = γ x̂ + β, x̂ = (x − μ)/√(s² + ε) with the mean μ and the variance s² of a row's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from reseau.arrays import Array, namespace
from reseau.checks import boolean, real
from reseau.errors import ParameterError
from reseau.formulas.trees import Expression, SumOver, Symbol, root, symbols_of
from reseau.formulas.words import Words
from reseau.names import ActivationName
from reseau.vocabulary.activations import written
from reseau.vocabulary.layers.code import Bounded, Code
from reseau.vocabulary.layers.equations import DELTA, Equation, Equations, N, OfMatrices, OfNumbers, Slip, Z
from reseau.vocabulary.layers.layer import Layer, Parameters, Rounding, Tensor, exact

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

_C_STATISTICS = """
double mean = 0.0, variance = 0.0, scale;
for (int i = 0; i < n_in; i++)
    mean += x[i];
mean /= (double)n_in;
for (int i = 0; i < n_in; i++)
    variance += (x[i] - mean) * (x[i] - mean);
variance /= (double)n_in;
scale = 1.0 / sqrt(variance + epsilon);"""


def row_mean(A: Array) -> Array:
    """The mean of each row's numbers, (rows, 1)."""
    xp = namespace(A)
    return xp.sum(A, axis=1, keepdims=True) / A.shape[1]


def centred(A: Array) -> Array:
    """x − μ of each row, (rows, n).

    It is counted from the row's first number on: equal numbers give exactly 0, and far from zero no digit is lost.
    """
    d = A - A[:, :1]
    return d - row_mean(d)


def row_scale(A: Array, epsilon: float) -> Array:
    """√(s² + ε) of each row, s² = mean((x − μ)²), (rows, 1)."""
    d = centred(A)
    return namespace(A).sqrt(row_mean(d * d) + epsilon)


def normalised(A: Array, epsilon: float) -> Array:
    """x̂ = (x − μ)/√(s² + ε) of each row, (rows, n)."""
    return centred(A) / row_scale(A, epsilon)


def sent_back(delta: Array, A: Array, gamma: Array, epsilon: float) -> Array:
    """∂E/∂x = (g − mean(g) − x̂ mean(g x̂))/√(s² + ε) with g = γ δ, (rows, n)."""
    x_hat, g = normalised(A, epsilon), delta * gamma
    return (g - row_mean(g) - x_hat * row_mean(g * x_hat)) / row_scale(A, epsilon)


def normalised_changed(dA: Array, A: Array, epsilon: float) -> Array:
    """How x̂ changes along with x, in the direction dA: (t − mean(t) − x̂ mean(x̂ t))/√(s² + ε) with t = dA."""
    return sent_back(dA, A, namespace(A).ones_like(A), epsilon)


GAMMA, BETA, EPSILON = Symbol("gamma", "γ"), Symbol("beta", "β"), Symbol("epsilon", "ε")
MU, VARIANCE, X_HAT = Symbol("mu", "μ"), Symbol("variance", "s", mark="²"), Symbol("x_hat", "X", mark="^")
G, G_MEAN, C = Symbol("g", "G"), Symbol("g_mean", "ḡ"), Symbol("c")
x_hat, g = Symbol("x_hat", "x", mark="^"), Symbol("g")

DIVIDED_BY_LESS = Slip(
    Words(
        "the variance was divided by n − 1 instead of n, as an estimate from a sample is",
        "la variance a été divisée par n − 1 au lieu de n, comme on l’estime sur un échantillon",
    ),
    lambda p: ((p["A"] - p["mu"]) ** 2).sum(axis=1, keepdims=True) / (p["n"] - 1),
)
FORGOT_ROOT = Slip(
    Words(
        "the root was forgotten: x − μ was divided by the variance",
        "la racine a été oubliée : x − μ divisé par la variance",
    ),
    lambda p: (p["A"] - p["mu"]) / (p["variance"] + p["epsilon"]),
)
FORGOT_MEAN = Slip(
    Words("the mean was not taken off", "la moyenne n’a pas été retranchée"),
    lambda p: p["A"] / (p["variance"] + p["epsilon"]) ** 0.5,
)
FORGOT_SHIFT = Slip(Words("the shift β was forgotten", "le décalage β a été oublié"), lambda p: p["gamma"] * p["x_hat"])
BY_THE_INPUTS = Slip(
    Words(
        "δ was multiplied by the inputs instead of the normalised numbers x̂",
        "δ a été multiplié par les entrées au lieu des nombres normalisés x̂",
    ),
    lambda p: (p["delta"] * p["A"]).sum(axis=0),
)
TAKEN_FOR_CONSTANTS = Slip(
    Words(
        "the mean and the variance were taken for constants, but they follow every number of the row",
        "la moyenne et la variance ont été prises pour des constantes, mais elles suivent chaque nombre de la ligne",
    ),
    lambda p: p["g"] / (p["variance"] + p["epsilon"]) ** 0.5,
)


def mean(term: Expression) -> Expression:
    """The mean of a term over the n numbers of a row."""
    numbers = next(symbol.name for symbol in symbols_of(term) if symbol.index)
    return SumOver("i", term, numbers) / N


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

    activation: ActivationName | None = "identity"
    bias: bool = True
    epsilon: float = 1e-5
    dropout: float = field(default=0.0, kw_only=True)
    residual: int = field(default=0, repr=False, kw_only=True)

    kind: ClassVar[str] = "layer_norm"
    letters: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    words: ClassVar[Words] = Words("layer normalisation of {numbers}", "normalisation de couche de {numbers}")
    constants: ClassVar[tuple[Symbol, ...]] = (EPSILON,)

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
        gamma = Tensor("gamma", (n_in,), 1.0, letter="γ", words=Words("gains", "facteurs"))
        beta = Tensor("beta", (n_in,), letter="β", words=Words("shifts", "décalages"))
        return (gamma, beta) if self.bias else (gamma,)

    def scores(self, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        Z = normalised(A, self.epsilon) * p["gamma"]
        return Z + p["beta"] if self.bias else Z

    def sent_back(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> Array:
        return sent_back(delta, A, p["gamma"], self.epsilon)

    def gradients(self, delta: Array, A: Array, p: Parameters, rounded: Rounding = exact) -> dict[str, Array]:
        xp = namespace(delta)
        found = {"gamma": xp.sum(delta * normalised(A, self.epsilon), axis=0)}
        return {**found, "beta": xp.sum(delta, axis=0)} if self.bias else found

    def scores_changed(self, dA: Array, A: Array, p: Parameters) -> Array:
        return normalised_changed(dA, A, self.epsilon) * p["gamma"]

    def sent_back_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> Array:
        """The change of (g − mean(g) − x̂ mean(g x̂))/√(s² + ε), where that of 1/√(s² + ε) is −c times as large."""
        x_hat, changed = normalised(A, self.epsilon), normalised_changed(dA, A, self.epsilon)
        scale, g = row_scale(A, self.epsilon), delta * p["gamma"]
        c = row_mean(x_hat * dA) / scale
        turned = x_hat * row_mean(g * changed) + changed * row_mean(g * x_hat)
        of_delta = sent_back(d_delta, A, p["gamma"], self.epsilon)
        return of_delta - turned / scale - c * self.sent_back(delta, A, p)

    def gradients_changed(self, d_delta: Array, delta: Array, dA: Array, A: Array, p: Parameters) -> dict[str, Array]:
        xp = namespace(delta)
        x_hat, changed = normalised(A, self.epsilon), normalised_changed(dA, A, self.epsilon)
        found = {"gamma": xp.sum(d_delta * x_hat + delta * changed, axis=0)}
        return {**found, "beta": xp.sum(d_delta, axis=0)} if self.bias else found

    def equations(self, x: Symbol) -> Equations:
        scale = root(VARIANCE + EPSILON)
        z = GAMMA.at("j") * x_hat.at("j")
        forward: tuple[Equation, ...] = (
            OfNumbers(
                symbol=MU,
                axes=("rows", "one"),
                formula=mean(x.at("i")),
                words=Words("The mean of a row’s n numbers:", "La moyenne des n nombres d’une ligne :"),
            ),
            OfNumbers(
                symbol=VARIANCE,
                axes=("rows", "one"),
                formula=mean((x.at("i") - MU) ** 2),
                words=Words("Their variance:", "Leur variance :"),
                slips=(DIVIDED_BY_LESS,),
            ),
            OfNumbers(
                symbol=X_HAT,
                axes=("rows", "out"),
                formula=(x.at("j") - MU) / scale,
                words=Words(
                    "The numbers brought to mean 0 and variance 1, but for ε:",
                    "Les nombres ramenés à la moyenne 0 et à la variance 1, à ε près :",
                ),
                slips=(FORGOT_ROOT, FORGOT_MEAN),
            ),
            OfNumbers(
                symbol=Z,
                axes=("rows", "out"),
                formula=z + BETA.at("j") if self.bias else z,
                words=Words("Scaled and shifted:", "Mis à l’échelle et décalés :")
                if self.bias
                else Words("Scaled:", "Mis à l’échelle :"),
                slips=(FORGOT_SHIFT,) if self.bias else (),
            ),
        )
        by_gamma: Equation = OfMatrices(
            symbol=GAMMA,
            derivative=True,
            axes=("out",),
            summed=True,
            sides=(DELTA, "∘", X_HAT),
            function=lambda p: (p["delta"] * p["x_hat"]).sum(axis=0),
            slips=(BY_THE_INPUTS,),
        )
        by_beta = OfMatrices(
            symbol=BETA,
            derivative=True,
            axes=("out",),
            summed=True,
            sides=(DELTA,),
            function=lambda p: p["delta"].sum(axis=0),
        )
        back: tuple[Equation, ...] = (
            OfNumbers(
                symbol=G,
                axes=("rows", "out"),
                formula=GAMMA.at("j") * DELTA.at("j"),
                words=Words("What reaches the normalised numbers:", "Ce qui parvient aux nombres normalisés :"),
            ),
            OfNumbers(
                symbol=G_MEAN,
                axes=("rows", "one"),
                formula=mean(g.at("i")),
                words=Words(
                    "Its mean, as the mean μ follows every number:",
                    "Sa moyenne, car la moyenne μ suit chaque nombre :",
                ),
            ),
            OfNumbers(
                symbol=C,
                axes=("rows", "one"),
                formula=mean(g.at("i") * x_hat.at("i")),
                words=Words(
                    "The mean of its products with them, as the variance s² follows every number:",
                    "La moyenne de ses produits avec eux, car la variance s² suit chaque nombre :",
                ),
            ),
            OfNumbers(
                symbol=x,
                derivative=True,
                axes=("rows", "in"),
                formula=(g.at("j") - G_MEAN - C * x_hat.at("j")) / scale,
                words=Words("All three together:", "Les trois ensemble :"),
                slips=(TAKEN_FOR_CONSTANTS,),
            ),
        )
        return Equations(forward, (by_gamma, by_beta) if self.bias else (by_gamma,), back)

    @property
    def code(self) -> Code:
        beta = " + beta" if self.bias else ""
        shift = " + beta[j]" if self.bias else ""
        statistics = _C_STATISTICS.replace("epsilon", written.C().number(self.epsilon))
        return Code(
            title="layer normalisation",
            equation=f"gamma (x - mean(x))/sqrt(variance(x) + {self.epsilon!r}){beta}",
            numbers="scales and shifts" if self.bias else "scales",
            meaning="{gamma} multiplies its number j, once normalised" + (", and {beta} is added" if self.bias else ""),
            c=f"""{statistics}
for (int j = 0; j < n_out; j++)
    z[j] = gamma[j] * ((x[j] - mean) * scale){shift};
""",
            c_back=f"""{statistics}
/* g_in = (h - mean(h) - y mean(h y)) scale, h_i = gamma[i] g[i], y = (x - mean) scale. */
double mean_h = 0.0, mean_hx = 0.0;
for (int i = 0; i < n_in; i++) {{
    mean_h += gamma[i] * g[i];
    mean_hx += gamma[i] * g[i] * ((x[i] - mean) * scale);
}}
mean_h /= (double)n_in;
mean_hx /= (double)n_in;
for (int i = 0; i < n_in; i++)
    g_in[i] = (gamma[i] * g[i] - mean_h - (x[i] - mean) * scale * mean_hx) * scale;
""",
            numpy=(
                "d = a - a[:, :1]  # so that equal numbers give exactly 0",
                "d = d - d.mean(axis=1, keepdims=True)",
                f"z = d / np.sqrt((d * d).mean(axis=1, keepdims=True) + {self.epsilon!r}) * gamma{beta}",
            ),
            onnx=self._onnx,
        )

    def _onnx(self, g: Graph, A: str, tensors: Mapping[str, str]) -> str:
        """The operator, or what it is composed of: before opset 17, and in float64, since its ε is of float32."""
        if g.opset >= 17 and not g.is_double:
            return g("LayerNormalization", A, *tensors.values(), axis=-1, epsilon=self.epsilon)
        d = g("Sub", A, g.mean(A))
        Z = g("Div", d, g("Sqrt", g("Add", g.mean(g("Mul", d, d)), self.epsilon)))
        Z = g("Mul", Z, tensors["gamma"])
        return g("Add", Z, tensors["beta"]) if self.bias else Z

    def bounded(self, row: Bounded, p: Parameters, eps: float, eps_of_sums: float) -> Bounded:
        """Follow d = x − μ, v = s² + ε and x̂ = d/√v, and J v = γ (t − mean(t) − x̂ mean(x̂ t))/√v.

        Δd ≤ Δx + mean(Δx) + (n + 2) ε (|x| + mean |x|); Δv ≤ 2 mean(|d| Δd) + (n + 4) ε v, and r = Δv/(2 v) is what
        that makes of 1/√v; Δx̂ ≤ Δd/√v + |x̂| (r + 4 ε).
        """
        A, A_error, T, size, T_error = row
        n, gamma = A.shape[1], np.abs(p["gamma"])
        d = centred(A)
        v = row_mean(d * d) + self.epsilon
        x_hat, root = d / np.sqrt(v), np.sqrt(v)
        d_error = A_error + row_mean(A_error) + (n + 2) * eps * (np.abs(A) + row_mean(np.abs(A)))
        r = (2 * row_mean(np.abs(d) * d_error) + (n + 4) * eps * v) / (2 * v)
        error = d_error / root + np.abs(x_hat) * (r + 4 * eps)
        Z = self.scores(A, p)
        Z_error = gamma * error + 4 * eps * (gamma * np.abs(x_hat) + np.abs(p.get("beta", 0.0)))

        far = np.abs(x_hat)

        def through(vectors: Array) -> Array:
            return gamma / root * (vectors + row_mean(vectors) + far * row_mean(far * vectors))

        T = p["gamma"] / root * (T - row_mean(T) - x_hat * row_mean(x_hat * T))
        changed = gamma / root * (error * row_mean(far * size) + far * row_mean(error * size))
        T_error = through(T_error) + changed
        size = through(size)
        return Bounded(Z, Z_error, T, size, T_error + (r + (3 * n + 16) * eps) * size)
