"""The table of activations: A = σ(Z), and how a gradient passes back through σ.

Each entry carries its formula, its derivative, the interval its values lie in and the initialisation that suits it.
An *elementwise* activation acts on every number alone, so that ∂E/∂Z = ∂E/∂A · σ'(Z); a *row-wise* one (softmax)
mixes the neurons of a sample, so that ∂E/∂Z = ∂E/∂A · D with a full Jacobian matrix D for every row.

The functions take arrays of any library that follows the array API (NumPy, JAX, CuPy, array-api-strict, ...), of shape
(rows, neurons), and are written so that no intermediate result overflows. Everything that needs to know about
activations reads this table; nothing else names them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import inf

from reseau.activations import onnx
from reseau.activations.code import Code
from reseau.activations.functions import (
    LEAK,
    SELU_ALPHA,
    SELU_SCALE,
    elu,
    elu_derivative,
    gelu_tanh_derivative,
    gelu_tanh_gate,
    hard_sigmoid,
    hard_sigmoid_derivative,
    hard_swish_derivative,
    leaky_relu,
    log_softmax,
    log_softmax_jacobian,
    log_softmax_pullback,
    mish_derivative,
    normal_cdf,
    normal_pdf,
    relu,
    selu,
    selu_derivative,
    sigmoid,
    silu_derivative,
    softmax,
    softmax_jacobian,
    softmax_pullback,
    softplus,
    softsign_derivative,
    step,
    tanh,
)
from reseau.arrays import Array, namespace
from reseau.formula import (
    HALF,
    PI,
    Cases,
    Condition,
    Expression,
    Kronecker,
    Number,
    Phi,
    SumOver,
    Symbol,
    Where,
    absolute,
    erf,
    exp,
    log,
    maximum,
    minimum,
    phi,
    root,
)
from reseau.formula import tanh as tanh_of
from reseau.typesetting import Words


@dataclass(frozen=True)
class Interval:
    """The numbers between two ends; an end that is not itself reached is open."""

    low: float
    high: float
    includes_low: bool = False
    includes_high: bool = False

    def contains(self, other: Interval) -> bool:
        """Whether every number of `other` lies in this interval."""
        above = self.low < other.low or (self.low == other.low and self.includes_low >= other.includes_low)
        below = other.high < self.high or (self.high == other.high and self.includes_high >= other.includes_high)
        return above and below

    def __str__(self) -> str:
        return f"{'[' if self.includes_low else '('}{self.low:g}, {self.high:g}{']' if self.includes_high else ')'}"


EVERYWHERE = Interval(-inf, inf)
POSITIVE = Interval(0.0, inf)
NON_NEGATIVE = Interval(0.0, inf, includes_low=True)
UNIT = Interval(0.0, 1.0)
CLOSED_UNIT = Interval(0.0, 1.0, includes_low=True, includes_high=True)


@dataclass(frozen=True)
class Activation(ABC):
    """What every activation has.

    Attributes
    ----------
    name : str
        The name users write.
    words : Words
        What it is called, in each language.
    letter : str
        How it is written in equations: A = letter(Z).
    formula : Expression
        Its value: of `z`, or if it is row-wise the one at index j, of the row `z`.
    derivative_formula : Expression
        Its derivative: of `z` and of the value `a`, or if it is row-wise D_ij of the row `a`.
    range : Interval
        Where its values lie, and no further (in exact arithmetic); a loss may accept only some of them.
    value : callable
        Z (rows, neurons) -> A (rows, neurons).
    initializer : str
        The name of the initialisation that suits it (see `reseau.initializers`).
    code : Code
        What it is in the languages that networks are exported to.
    distribution : {"probabilities", "logarithms"} or None
        What a row of its values says of classes: their probabilities, which sum to 1, or the logarithms of these; None
        for nothing of the kind.
    """

    name: str
    words: Words
    letter: str
    formula: Expression
    derivative_formula: Expression
    range: Interval
    value: Callable[[Array], Array]
    initializer: str
    code: Code = field(kw_only=True)
    distribution: str | None = field(default=None, kw_only=True)

    @abstractmethod
    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """Turn G = ∂E/∂A into ∂E/∂Z."""


@dataclass(frozen=True)
class Elementwise(Activation):
    """An activation of each number alone: `derivative` takes (Z, A) and gives σ'(Z), of their shape."""

    derivative: Callable[[Array, Array], Array]

    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """∂E/∂Z = ∂E/∂A · σ'(Z), element by element."""
        return G * self.derivative(Z, A)


@dataclass(frozen=True)
class RowWise(Activation):
    """An activation of a whole row: `jacobian` takes A (rows, n) and gives D (rows, n, n), D[r, i, j] = ∂A_ri/∂Z_rj.

    `row_pullback` takes (A, G) and gives G · D without forming D, which for a thousand classes would hold a million
    numbers a row.
    """

    jacobian: Callable[[Array], Array]
    row_pullback: Callable[[Array, Array], Array]

    def pullback(self, Z: Array, A: Array, G: Array) -> Array:
        """∂E/∂Z_j = Σ_i ∂E/∂A_i · D_ij, with the full Jacobian D."""
        return self.row_pullback(A, G)


# --- the table --------------------------------------------------------------------------------------------------------

z, z_i, z_j = Symbol("z"), Symbol("z", index=("i",)), Symbol("z", index=("j",))
_t, _lambda, _alpha = Symbol("t"), Symbol("λ"), Symbol("α")


def _a(letter: str, *index: str) -> Symbol:
    """The value of an activation, as its derivative is written in terms of it."""
    return Symbol("a", letter, index=index)


def _positive(value: Expression, otherwise: Expression) -> Expression:
    """One value for z > 0, else another."""
    return Cases(((value, Condition(z, ">", Number(0))),), otherwise)


_SUM_OF_EXPONENTIALS = SumOver("i", exp(z_i), "z")
_GATE = minimum(1, maximum(0, z / 6 + HALF))
_SELU_CONSTANTS = ((_lambda, Number(SELU_SCALE)), (_alpha, Number(SELU_ALPHA)))
_CUBIC, _THREE_CUBICS, _LEAK = Decimal("0.044715"), Decimal("0.134145"), Decimal("0.01")

_ENTRIES: tuple[Elementwise | RowWise, ...] = (
    Elementwise(
        "identity",
        Words("identity", "identité"),
        "id",
        z,
        Number(1),
        EVERYWHERE,
        lambda Z: Z,
        "glorot_uniform",
        lambda Z, A: namespace(Z).ones_like(Z),
        code=Code(
            "z",
            "1.0",
            "z",
            onnx.identity,
        ),
    ),
    Elementwise(
        "sigmoid",
        Words("sigmoid", "sigmoïde"),
        "φ",
        1 / (1 + exp(-z)),
        _a("φ") * (1 - _a("φ")),
        UNIT,
        sigmoid,
        "glorot_uniform",
        lambda Z, A: A * (1 - A),
        code=Code(
            "sigmoid(z)",
            "a * (1.0 - a)",
            "sigmoid(z)",
            onnx.operator("Sigmoid"),
        ),
    ),
    Elementwise(
        "tanh",
        Words("hyperbolic tangent", "tangente hyperbolique"),
        "tanh",
        (1 - exp(-(2 * z))) / (1 + exp(-(2 * z))),
        1 - _a("tanh") ** 2,
        Interval(-1.0, 1.0),
        tanh,
        "glorot_uniform",
        lambda Z, A: 1 - A * A,
        code=Code(
            "tanh(z)",
            "1.0 - a * a",
            "np.tanh(z)",
            onnx.operator("Tanh"),
        ),
    ),
    RowWise(
        "softmax",
        Words("softmax", "softmax"),
        "S",
        exp(z_j) / _SUM_OF_EXPONENTIALS,
        _a("S", "i") * (Kronecker("i", "j") - _a("S", "j")),
        UNIT,
        softmax,
        "glorot_uniform",
        softmax_jacobian,
        softmax_pullback,
        code=Code(
            "softmax",
            "softmax_back",
            "softmax(z)",
            onnx.operator("Softmax", axis=-1),
        ),
        distribution="probabilities",
    ),
    RowWise(
        "log_softmax",
        Words("log-softmax", "log-softmax"),
        "σ",
        z_j - log(_SUM_OF_EXPONENTIALS),
        Kronecker("i", "j") - exp(_a("a", "j")),
        Interval(-inf, 0.0),
        log_softmax,
        "glorot_uniform",
        log_softmax_jacobian,
        log_softmax_pullback,
        code=Code(
            "log_softmax",
            "log_softmax_back",
            "log_softmax(z)",
            onnx.operator("LogSoftmax", axis=-1),
        ),
        distribution="logarithms",
    ),
    Elementwise(
        "relu",
        Words("ReLU", "ReLU"),
        "ReLU",
        maximum(0, z),
        _positive(Number(1), Number(0)),
        NON_NEGATIVE,
        relu,
        "he_normal",
        lambda Z, A: step(Z),
        code=Code(
            "z < 0.0 ? 0.0 : z",
            "z > 0.0 ? 1.0 : 0.0",
            "np.maximum(z, 0)",
            onnx.operator("Relu"),
        ),
    ),
    Elementwise(
        "leaky_relu",
        Words("leaky ReLU", "ReLU à fuite"),
        "σ",
        _positive(z, _LEAK * z),
        _positive(Number(1), Number(_LEAK)),
        EVERYWHERE,
        leaky_relu,
        "he_normal",
        lambda Z, A: LEAK + (1 - LEAK) * step(Z),
        code=Code(
            f"z > 0.0 ? z : {LEAK} * z",
            f"z > 0.0 ? 1.0 : {LEAK}",
            f"np.where(z > 0, z, {LEAK} * z)",
            onnx.operator("LeakyRelu", onnx.leaky_relu, alpha=LEAK),
        ),
    ),
    Elementwise(
        "elu",
        Words("ELU", "ELU"),
        "σ",
        _positive(z, exp(z) - 1),
        _positive(Number(1), _a("a") + 1),
        Interval(-1.0, inf),
        elu,
        "he_normal",
        elu_derivative,
        code=Code(
            "z > 0.0 ? z : expm1(z)",
            "z > 0.0 ? 1.0 : a + 1.0",
            "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
            onnx.operator("Elu", onnx.elu),
        ),
    ),
    Elementwise(
        "selu",
        Words("SELU", "SELU"),
        "σ",
        Where(_positive(_lambda * z, _lambda * _alpha * (exp(z) - 1)), _SELU_CONSTANTS),
        Where(_positive(_lambda, _a("a") + _lambda * _alpha), _SELU_CONSTANTS),
        Interval(-SELU_SCALE * SELU_ALPHA, inf),
        selu,
        "lecun_normal",
        selu_derivative,
        code=Code(
            f"z > 0.0 ? {SELU_SCALE} * z : {SELU_SCALE * SELU_ALPHA} * expm1(z)",
            f"z > 0.0 ? {SELU_SCALE} : a + {SELU_SCALE * SELU_ALPHA}",
            f"{SELU_SCALE} * np.where(z > 0, z, {SELU_ALPHA} * np.expm1(np.minimum(z, 0)))",
            onnx.operator("Selu", onnx.selu, alpha=SELU_ALPHA, gamma=SELU_SCALE),
        ),
    ),
    Elementwise(
        "gelu",
        Words("GELU", "GELU"),
        "σ",
        Where(z * Phi(z), ((Phi(z), HALF * (1 + erf(z / root(2)))),)),
        Phi(z) + z * exp(-(z**2 / 2)) / root(2 * PI),
        Interval(-0.16997120747990366, inf, includes_low=True),
        lambda Z: Z * normal_cdf(Z),
        "he_normal",
        lambda Z, A: normal_cdf(Z) + Z * normal_pdf(Z),
        code=Code(
            "z * normal_cdf(z)",
            "normal_cdf(z) + z * normal_density(z)",
            "z * normal_cdf(z)",
            onnx.gelu,
        ),
    ),
    Elementwise(
        "gelu_tanh",
        Words("GELU (by tanh)", "GELU (par tanh)"),
        "σ",
        Where(HALF * z * (1 + _t), ((_t, tanh_of(root(2 / PI) * (z + _CUBIC * z**3))),)),
        Where(
            HALF * (1 + _t) + HALF * z * (1 - _t**2) * root(2 / PI) * (1 + _THREE_CUBICS * z**2),
            ((_t, tanh_of(root(2 / PI) * (z + _CUBIC * z**3))),),
        ),
        Interval(-0.17004075057125406, inf, includes_low=True),
        lambda Z: Z * gelu_tanh_gate(Z),
        "he_normal",
        gelu_tanh_derivative,
        code=Code(
            "z * gelu_gate(z)",
            "gelu_gate(z) + gelu_rest(z)",
            "z * gelu_gate(z)",
            onnx.gelu_tanh,
        ),
    ),
    Elementwise(
        "silu",
        Words("SiLU", "SiLU"),
        "σ",
        z * phi(z),
        phi(z) + _a("a") * (1 - phi(z)),
        Interval(-0.2784645427610738, inf, includes_low=True),
        lambda Z: Z * sigmoid(Z),
        "he_normal",
        silu_derivative,
        code=Code(
            "z * sigmoid(z)",
            "sigmoid(z) + a * (1.0 - sigmoid(z))",
            "z * sigmoid(z)",
            onnx.silu,
        ),
    ),
    Elementwise(
        "mish",
        Words("Mish", "Mish"),
        "σ",
        z * tanh_of(log(1 + exp(z))),
        Where(_t + z * (1 - _t**2) * phi(z), ((_t, tanh_of(log(1 + exp(z)))),)),
        Interval(-0.30884341301725043, inf, includes_low=True),
        lambda Z: Z * tanh(softplus(Z)),
        "he_normal",
        mish_derivative,
        code=Code(
            "z * tanh(softplus(z))",
            "mish_derivative(z)",
            "z * np.tanh(softplus(z))",
            onnx.mish,
        ),
    ),
    Elementwise(
        "softplus",
        Words("softplus", "softplus"),
        "σ",
        log(1 + exp(z)),
        phi(z),
        POSITIVE,
        softplus,
        "he_normal",
        lambda Z, A: sigmoid(Z),
        code=Code(
            "softplus(z)",
            "sigmoid(z)",
            "softplus(z)",
            onnx.operator("Softplus", onnx.softplus),
        ),
    ),
    Elementwise(
        "softsign",
        Words("softsign", "softsign"),
        "σ",
        z / (1 + absolute(z)),
        1 / (1 + absolute(z)) ** 2,
        Interval(-1.0, 1.0),
        lambda Z: Z / (1 + namespace(Z).abs(Z)),
        "glorot_uniform",
        softsign_derivative,
        code=Code(
            "z / (1.0 + fabs(z))",
            "1.0 / (1.0 + fabs(z)) / (1.0 + fabs(z))",
            "z / (1 + np.abs(z))",
            onnx.operator("Softsign", onnx.softsign),
        ),
    ),
    Elementwise(
        "hard_sigmoid",
        Words("hard sigmoid", "sigmoïde par morceaux"),
        "σ",
        _GATE,
        Cases(((Number(Fraction(1, 6)), Condition(absolute(z), "<", Number(3))),), Number(0)),
        CLOSED_UNIT,
        hard_sigmoid,
        "glorot_uniform",
        hard_sigmoid_derivative,
        code=Code(
            "z <= -3.0 ? 0.0 : z >= 3.0 ? 1.0 : z / 6.0 + 0.5",
            "z > -3.0 && z < 3.0 ? 1.0 / 6.0 : 0.0",
            "np.clip(z / 6 + 0.5, 0, 1)",
            onnx.operator("HardSigmoid", onnx.hard_sigmoid, alpha=1 / 6, beta=0.5),
        ),
    ),
    Elementwise(
        "hard_swish",
        Words("hard swish", "swish par morceaux"),
        "σ",
        z * _GATE,
        Cases(
            (
                (Number(0), Condition(z, "≤", Number(-3))),
                (Number(1), Condition(z, "≥", Number(3))),
            ),
            z / 3 + HALF,
        ),
        Interval(-0.375, inf, includes_low=True),
        lambda Z: Z * hard_sigmoid(Z),
        "he_normal",
        hard_swish_derivative,
        code=Code(
            "z <= -3.0 ? 0.0 : z >= 3.0 ? z : z * (z / 6.0 + 0.5)",
            "z <= -3.0 ? 0.0 : z >= 3.0 ? 1.0 : z / 3.0 + 0.5",
            "z * np.clip(z / 6 + 0.5, 0, 1)",
            onnx.operator("HardSwish", onnx.hard_swish, since=14),
        ),
    ),
    Elementwise(
        "exponential",
        Words("exponential", "exponentielle"),
        "exp",
        exp(z),
        _a("a"),
        POSITIVE,
        lambda Z: namespace(Z).exp(Z),
        "glorot_uniform",
        lambda Z, A: A,
        code=Code(
            "exp(z)",
            "a",
            "np.exp(z)",
            onnx.operator("Exp"),
        ),
    ),
)

ACTIVATIONS: dict[str, Elementwise | RowWise] = {entry.name: entry for entry in _ENTRIES}
"""Every activation by its name."""
