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
from math import inf, pi, sqrt

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
class Code:
    """σ as it is written in the files of `reseau.export`: C99 for double, and NumPy.

    An elementwise one is given by expressions: of `z`, its derivative also of the value `a`. A row-wise one is given by
    names of functions: in C ``value(z, a, n)`` writes the row `a`, and ``derivative(a, g, delta, n)`` writes the row
    δ = g D. Both may call the functions of math.h (`reseau.export` turns them and all constants to float where asked)
    or of NumPy, and those of `C_FUNCTIONS` and `NUMPY_FUNCTIONS`. As everywhere, nothing may overflow on the way.
    """

    c: str
    c_derivative: str
    numpy: str


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
        Where its values lie (in exact arithmetic); a loss may accept only some of them.
    value : callable
        Z (rows, neurons) -> A (rows, neurons).
    initializer : str
        The name of the initialisation that suits it (see `reseau.initializers`).
    code : Code
        Value and derivative in the languages that networks are exported to.
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


# --- the functions ----------------------------------------------------------------------------------------------------


def sigmoid(Z: Array) -> Array:
    """φ(z) = 1/(1 + e^−z); for z < 0 as e^z/(1 + e^z), so that the exponential never exceeds 1."""
    xp = namespace(Z)
    e = xp.exp(-xp.abs(Z))
    return xp.where(Z >= 0, 1 / (1 + e), e / (1 + e))


def tanh(Z: Array) -> Array:
    """tanh z = (1 − e^−2z)/(1 + e^−2z)."""
    return namespace(Z).tanh(Z)


def softmax(Z: Array) -> Array:
    """S_j = e^{z_j} / Σ_i e^{z_i}, from which the row's largest score is taken off first against overflow."""
    xp = namespace(Z)
    e = xp.exp(Z - xp.max(Z, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def log_softmax(Z: Array) -> Array:
    """z_j − log Σ_i e^{z_i}, from which the row's largest score is taken off first, against overflow and rounding."""
    xp = namespace(Z)
    shifted = Z - xp.max(Z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def relu(Z: Array) -> Array:
    """max(0, z)."""
    return namespace(Z).clip(Z, 0.0, None)


def softplus(Z: Array) -> Array:
    """log(1 + e^z), as max(z, 0) + log(1 + e^−|z|)."""
    return relu(Z) + softplus_of_minus_abs(Z)


def softplus_of_minus_abs(Z: Array) -> Array:
    """log(1 + e^−|z|)."""
    xp = namespace(Z)
    return xp.log1p(xp.exp(-xp.abs(Z)))


def normal_cdf(Z: Array) -> Array:
    """Φ(z) = ½ (1 + erf(z/√2)), with all digits of a small one; the array API has no such function: it is SciPy's."""
    import scipy.special

    xp = namespace(Z)
    if xp.__name__ == "numpy":
        return scipy.special.ndtr(Z)
    import numpy as np

    return xp.asarray(scipy.special.ndtr(np.from_dlpack(Z)))


def softmax_jacobian(S: Array) -> Array:
    """D_ij = S_i (δ_ij − S_j), shape (rows, n, n)."""
    xp = namespace(S)
    unit = xp.eye(S.shape[-1], dtype=S.dtype)
    return S[:, :, None] * (unit[None, :, :] - S[:, None, :])


def softmax_pullback(S: Array, G: Array) -> Array:
    """Σ_i g_i S_i (δ_ij − S_j) = S_j (g_j − Σ_i g_i S_i)."""
    return S * (G - namespace(S).sum(G * S, axis=-1, keepdims=True))


def log_softmax_jacobian(A: Array) -> Array:
    """D_ij = δ_ij − S_j with S = e^A, shape (rows, n, n)."""
    xp = namespace(A)
    unit = xp.eye(A.shape[-1], dtype=A.dtype)
    return unit[None, :, :] - xp.exp(A)[:, None, :]


def log_softmax_pullback(A: Array, G: Array) -> Array:
    """Σ_i g_i (δ_ij − S_j) = g_j − S_j Σ_i g_i."""
    xp = namespace(A)
    return G - xp.exp(A) * xp.sum(G, axis=-1, keepdims=True)


def step(Z: Array) -> Array:
    """1 for z > 0, else 0."""
    return namespace(Z).astype(Z > 0, Z.dtype)


LEAK = 0.01  # the slope of leaky ReLU for z < 0 (Maas, Hannun, Ng 2013)

# Klambauer et al. 2017, "Self-normalizing neural networks": the pair for which mean 0 and variance 1 are a fixed point.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def _leaky_relu(Z: Array) -> Array:
    return namespace(Z).where(Z > 0, Z, LEAK * Z)


def _elu(Z: Array) -> Array:
    xp = namespace(Z)
    return xp.where(Z > 0, Z, xp.expm1(-relu(-Z)))


def _elu_derivative(Z: Array, A: Array) -> Array:
    xp = namespace(Z)
    return xp.where(Z > 0, xp.ones_like(Z), A + 1)


def _selu(Z: Array) -> Array:
    xp = namespace(Z)
    return SELU_SCALE * xp.where(Z > 0, Z, SELU_ALPHA * xp.expm1(-relu(-Z)))


def _selu_derivative(Z: Array, A: Array) -> Array:
    xp = namespace(Z)
    return xp.where(Z > 0, xp.full_like(Z, SELU_SCALE), A + SELU_SCALE * SELU_ALPHA)


def _normal_pdf(Z: Array) -> Array:
    xp = namespace(Z)
    near = xp.clip(Z, -40.0, 40.0)  # e^−800 is 0 in double precision, and the square cannot overflow
    return xp.exp(-0.5 * near * near) / sqrt(2 * pi)


# Hendrycks and Gimpel 2016: Φ(z) ≈ ½ (1 + tanh u) = φ(2u), u = √(2/π) (z + 0.044715 z³). The sum with 1 would lose the
# digits of a small one.
GELU_SLOPE = sqrt(2 / pi)
GELU_CUBIC = 0.044715
GELU_FAR = 30.0  # from here on φ(2u) is 0 or 1 in double precision, and the cube cannot overflow


def _gelu_tanh_gate(Z: Array) -> Array:
    near = namespace(Z).clip(Z, -GELU_FAR, GELU_FAR)
    return sigmoid(2 * GELU_SLOPE * (near + GELU_CUBIC * near * near * near))


def _gelu_tanh_derivative(Z: Array, A: Array) -> Array:
    s = _gelu_tanh_gate(Z)
    near = namespace(Z).clip(Z, -GELU_FAR, GELU_FAR)
    return s + near * s * (1 - s) * 2 * GELU_SLOPE * (1 + 3 * GELU_CUBIC * near * near)


def _silu_derivative(Z: Array, A: Array) -> Array:
    s = sigmoid(Z)
    return s + A * (1 - s)


def _mish_derivative(Z: Array, A: Array) -> Array:
    t = tanh(softplus(Z))
    return t + Z * (1 - t * t) * sigmoid(Z)


def _softsign_derivative(Z: Array, A: Array) -> Array:
    r = 1 / (1 + namespace(Z).abs(Z))
    return r * r


def _hard_sigmoid(Z: Array) -> Array:
    return namespace(Z).clip(Z / 6 + 0.5, 0.0, 1.0)


def _hard_sigmoid_derivative(Z: Array, A: Array) -> Array:
    xp = namespace(Z)
    return xp.astype((Z > -3) & (Z < 3), Z.dtype) / 6


def _hard_swish_derivative(Z: Array, A: Array) -> Array:
    xp = namespace(Z)
    return xp.where(Z >= 3, xp.ones_like(Z), xp.astype(Z > -3, Z.dtype) * (Z / 3 + 0.5))


# --- in other languages -----------------------------------------------------------------------------------------------
# What the entries' codes call besides the libraries: C99 for double, and NumPy. In ASCII, as they end in users' files.

C_FUNCTIONS: dict[str, str] = {
    "sigmoid": """
/* 1/(1 + e^-z), for z < 0 as e^z/(1 + e^z): the exponential is at most 1. */
static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z < 0.0 ? e : 1.0) / (1.0 + e);
}
""",
    "softplus": """
/* log(1 + e^z), as max(z, 0) + log(1 + e^-|z|): the exponential is at most 1. */
static double softplus(double z)
{
    return (z > 0.0 ? z : 0.0) + log1p(exp(-fabs(z)));
}
""",
    "mish_derivative": """
/* The derivative of z t with t = tanh(softplus(z)): t + z (1 - t^2) sigmoid(z). */
static double mish_derivative(double z)
{
    double t = tanh(softplus(z));
    return t + z * (1.0 - t * t) * sigmoid(z);
}
""",
    "normal_cdf": """
/* Phi(z) = (1 + erf(z/sqrt(2)))/2, as erfc(-z/sqrt(2))/2, which keeps the digits of small values. */
static double normal_cdf(double z)
{
    return 0.5 * erfc(-0.7071067811865476 * z);
}
""",
    "normal_density": """
/* e^(-z^2/2)/sqrt(2 pi): in double 0 from |z| = 40 on, long before the square could overflow. */
static double normal_density(double z)
{
    return fabs(z) < 40.0 ? 0.3989422804014327 * exp(-0.5 * z * z) : 0.0;
}
""",
    "gelu_gate": f"""
/* (1 + tanh(u))/2 = sigmoid(2 u) with u = sqrt(2/pi) (z + 0.044715 z^3): in double 0 or 1 from |z| = 30 on, long before
 * the cube could overflow. */
static double gelu_gate(double z)
{{
    double near_z = z < -{GELU_FAR} ? -{GELU_FAR} : z > {GELU_FAR} ? {GELU_FAR} : z;
    return sigmoid({2 * GELU_SLOPE} * (near_z + {GELU_CUBIC} * near_z * near_z * near_z));
}}
""",
    "gelu_rest": f"""
/* z times the derivative of gelu_gate: z s (1 - s) 2 sqrt(2/pi) (1 + 3 * 0.044715 z^2), s = gelu_gate(z). */
static double gelu_rest(double z)
{{
    double near_z = z < -{GELU_FAR} ? -{GELU_FAR} : z > {GELU_FAR} ? {GELU_FAR} : z;
    double s = gelu_gate(z);
    return near_z * s * (1.0 - s) * {2 * GELU_SLOPE} * (1.0 + {3 * GELU_CUBIC} * near_z * near_z);
}}
""",
    "softmax": """
/* a_j = e^z_j / sum_i e^z_i; the largest z is taken off first, so that no exponential overflows. */
static void softmax(const double *z, double *a, int n)
{
    double largest = z[0], sum = 0.0;
    for (int j = 1; j < n; j++)
        if (z[j] > largest)
            largest = z[j];
    for (int j = 0; j < n; j++) {
        a[j] = exp(z[j] - largest);
        sum += a[j];
    }
    for (int j = 0; j < n; j++)
        a[j] /= sum;
}
""",
    "softmax_back": """
/* delta_j = sum_i g_i da_i/dz_j with da_i/dz_j = a_i ((i = j) - a_j), which is a_j (g_j - sum_i g_i a_i). */
static void softmax_back(const double *a, const double *g, double *delta, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += g[i] * a[i];
    for (int j = 0; j < n; j++)
        delta[j] = a[j] * (g[j] - sum);
}
""",
    "log_softmax": """
/* a_j = z_j - log(sum_i e^z_i); the largest z is taken off first, so that no exponential overflows. */
static void log_softmax(const double *z, double *a, int n)
{
    double largest = z[0], sum = 0.0;
    for (int j = 1; j < n; j++)
        if (z[j] > largest)
            largest = z[j];
    for (int j = 0; j < n; j++)
        sum += exp(z[j] - largest);
    for (int j = 0; j < n; j++)
        a[j] = z[j] - largest - log(sum);
}
""",
    "log_softmax_back": """
/* delta_j = sum_i g_i da_i/dz_j with da_i/dz_j = (i = j) - e^a_j, which is g_j - e^a_j sum_i g_i. */
static void log_softmax_back(const double *a, const double *g, double *delta, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += g[i];
    for (int j = 0; j < n; j++)
        delta[j] = g[j] - exp(a[j]) * sum;
}
""",
}

NUMPY_FUNCTIONS: dict[str, str] = {
    "sigmoid": """
def sigmoid(z):
    # 1/(1 + e^-z), for z < 0 as e^z/(1 + e^z): the exponential is at most 1.
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)
""",
    "softplus": """
def softplus(z):
    # log(1 + e^z), as max(z, 0) + log(1 + e^-|z|): the exponential is at most 1.
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
""",
    "normal_cdf": """
def normal_cdf(z):
    # Phi(z) = (1 + erf(z/sqrt(2)))/2, as erfc(-z/sqrt(2))/2, which keeps the digits of small values.
    return 0.5 * np.array([math.erfc(-x) for x in (z / math.sqrt(2)).flat], z.dtype).reshape(z.shape)
""",
    "gelu_gate": f"""
def gelu_gate(z):
    # (1 + tanh(u))/2 = sigmoid(2 u) with u = sqrt(2/pi) (z + 0.044715 z^3); 0 or 1 from |z| = {GELU_FAR:g} on.
    z = np.clip(z, -{GELU_FAR:g}, {GELU_FAR:g})
    return sigmoid({2 * GELU_SLOPE} * (z + {GELU_CUBIC} * z**3))
""",
    "softmax": """
def softmax(z):
    # e^z_j / sum_i e^z_i of each row; its largest z is taken off first, so that no exponential overflows.
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
""",
    "log_softmax": """
def log_softmax(z):
    # z_j - log(sum_i e^z_i) of each row; its largest z is taken off first, so that no exponential overflows.
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
""",
}


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

_ENTRIES: tuple[Activation, ...] = (
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
        code=Code("z", "1.0", "z"),
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
        code=Code("sigmoid(z)", "a * (1.0 - a)", "sigmoid(z)"),
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
        code=Code("tanh(z)", "1.0 - a * a", "np.tanh(z)"),
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
        code=Code("softmax", "softmax_back", "softmax(z)"),
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
        code=Code("log_softmax", "log_softmax_back", "log_softmax(z)"),
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
        code=Code("z < 0.0 ? 0.0 : z", "z > 0.0 ? 1.0 : 0.0", "np.maximum(z, 0)"),
    ),
    Elementwise(
        "leaky_relu",
        Words("leaky ReLU", "ReLU à fuite"),
        "σ",
        _positive(z, _LEAK * z),
        _positive(Number(1), Number(_LEAK)),
        EVERYWHERE,
        _leaky_relu,
        "he_normal",
        lambda Z, A: LEAK + (1 - LEAK) * step(Z),
        code=Code(f"z > 0.0 ? z : {LEAK} * z", f"z > 0.0 ? 1.0 : {LEAK}", f"np.where(z > 0, z, {LEAK} * z)"),
    ),
    Elementwise(
        "elu",
        Words("ELU", "ELU"),
        "σ",
        _positive(z, exp(z) - 1),
        _positive(Number(1), _a("a") + 1),
        Interval(-1.0, inf),
        _elu,
        "he_normal",
        _elu_derivative,
        code=Code(
            "z > 0.0 ? z : expm1(z)", "z > 0.0 ? 1.0 : a + 1.0", "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))"
        ),
    ),
    Elementwise(
        "selu",
        Words("SELU", "SELU"),
        "σ",
        Where(_positive(_lambda * z, _lambda * _alpha * (exp(z) - 1)), _SELU_CONSTANTS),
        Where(_positive(_lambda, _a("a") + _lambda * _alpha), _SELU_CONSTANTS),
        Interval(-SELU_SCALE * SELU_ALPHA, inf),
        _selu,
        "lecun_normal",
        _selu_derivative,
        code=Code(
            f"z > 0.0 ? {SELU_SCALE} * z : {SELU_SCALE * SELU_ALPHA} * expm1(z)",
            f"z > 0.0 ? {SELU_SCALE} : a + {SELU_SCALE * SELU_ALPHA}",
            f"{SELU_SCALE} * np.where(z > 0, z, {SELU_ALPHA} * np.expm1(np.minimum(z, 0)))",
        ),
    ),
    Elementwise(
        "gelu",
        Words("GELU", "GELU"),
        "σ",
        Where(z * Phi(z), ((Phi(z), HALF * (1 + erf(z / root(2)))),)),
        Phi(z) + z * exp(-(z**2 / 2)) / root(2 * PI),
        Interval(-0.17004, inf),
        lambda Z: Z * normal_cdf(Z),
        "he_normal",
        lambda Z, A: normal_cdf(Z) + Z * _normal_pdf(Z),
        code=Code("z * normal_cdf(z)", "normal_cdf(z) + z * normal_density(z)", "z * normal_cdf(z)"),
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
        Interval(-0.17005, inf),
        lambda Z: Z * _gelu_tanh_gate(Z),
        "he_normal",
        _gelu_tanh_derivative,
        code=Code("z * gelu_gate(z)", "gelu_gate(z) + gelu_rest(z)", "z * gelu_gate(z)"),
    ),
    Elementwise(
        "silu",
        Words("SiLU", "SiLU"),
        "σ",
        z * phi(z),
        phi(z) + _a("a") * (1 - phi(z)),
        Interval(-0.27847, inf),
        lambda Z: Z * sigmoid(Z),
        "he_normal",
        _silu_derivative,
        code=Code("z * sigmoid(z)", "sigmoid(z) + a * (1.0 - sigmoid(z))", "z * sigmoid(z)"),
    ),
    Elementwise(
        "mish",
        Words("Mish", "Mish"),
        "σ",
        z * tanh_of(log(1 + exp(z))),
        Where(_t + z * (1 - _t**2) * phi(z), ((_t, tanh_of(log(1 + exp(z)))),)),
        Interval(-0.30885, inf),
        lambda Z: Z * tanh(softplus(Z)),
        "he_normal",
        _mish_derivative,
        code=Code("z * tanh(softplus(z))", "mish_derivative(z)", "z * np.tanh(softplus(z))"),
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
        code=Code("softplus(z)", "sigmoid(z)", "softplus(z)"),
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
        _softsign_derivative,
        code=Code("z / (1.0 + fabs(z))", "1.0 / (1.0 + fabs(z)) / (1.0 + fabs(z))", "z / (1 + np.abs(z))"),
    ),
    Elementwise(
        "hard_sigmoid",
        Words("hard sigmoid", "sigmoïde par morceaux"),
        "σ",
        _GATE,
        Cases(((Number(Fraction(1, 6)), Condition(absolute(z), "<", Number(3))),), Number(0)),
        CLOSED_UNIT,
        _hard_sigmoid,
        "glorot_uniform",
        _hard_sigmoid_derivative,
        code=Code(
            "z <= -3.0 ? 0.0 : z >= 3.0 ? 1.0 : z / 6.0 + 0.5",
            "z > -3.0 && z < 3.0 ? 1.0 / 6.0 : 0.0",
            "np.clip(z / 6 + 0.5, 0, 1)",
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
        lambda Z: Z * _hard_sigmoid(Z),
        "he_normal",
        _hard_swish_derivative,
        code=Code(
            "z <= -3.0 ? 0.0 : z >= 3.0 ? z : z * (z / 6.0 + 0.5)",
            "z <= -3.0 ? 0.0 : z >= 3.0 ? 1.0 : z / 3.0 + 0.5",
            "z * np.clip(z / 6 + 0.5, 0, 1)",
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
        code=Code("exp(z)", "a", "np.exp(z)"),
    ),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
"""Every activation by its name."""
