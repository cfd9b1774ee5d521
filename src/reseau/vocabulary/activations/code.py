"""Activations in other languages: what an entry of the table says of each, and the functions that it may call there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reseau.formulas.trees import Expression
from reseau.vocabulary.activations.functions import GELU_CUBIC, GELU_FAR, GELU_PARTS, GELU_SLOPE
from reseau.vocabulary.activations.onnx import Emitter, Operator
from reseau.vocabulary.activations.written import C, NumPy, to_onnx

if TYPE_CHECKING:
    from reseau.export.onnx_graph import Graph

_SHORT, _SHORT_K, _SHORT_C = GELU_PARTS[64]
# The same coefficients k and c in two parts, the first of 24 bits: float and double have it alike.
_K, _K_REST, _C, _C_REST = 1.5957691669464111, -4.534068042105272e-08, 0.07135481387376785, 2.3988323959931355e-09


@dataclass(frozen=True, kw_only=True)
class Code:
    """σ as it is written in the files of `reseau.export`: C99 for double, NumPy, and ONNX.

    An elementwise one is given by expressions: of `z`, its derivative also of the value `a`. A row-wise one is given by
    names of functions: in C ``value(z, a, n)`` writes the row `a`, and ``derivative(a, g, delta, n)`` writes the row
    δ = g D. Both may call the functions of math.h (`reseau.export` turns them and all constants to float where asked)
    or of NumPy, and those of `C_FUNCTIONS` and `NUMPY_FUNCTIONS`. In ONNX it is a function of a growing graph and the
    name of Z that gives the name of A (see `reseau.vocabulary.activations.onnx`). As everywhere, nothing may overflow
    on the way.
    """

    c: str
    c_derivative: str
    numpy: str
    onnx: Emitter


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What of an entry's `Code` is given, because its formulas may not be computed as they are written.

    The entry says beside it why not. `operator` is the operator of ONNX that says the same, where there is one; where a
    graph cannot have it, `onnx` is taken.
    """

    c: str | None = None
    c_derivative: str | None = None
    numpy: str | None = None
    onnx: Emitter | None = None
    operator: Operator | None = None

    def completed(self, formula: Expression, derivative_formula: Expression) -> Code:
        """The code, from formulas where it is not given."""

        def emit(g: Graph, Z: str) -> str:
            if self.operator is not None and self.operator.suits(g):
                return g(self.operator.name, Z, **self.operator.attributes)
            return to_onnx(g, formula, Z) if self.onnx is None else self.onnx(g, Z)

        return Code(
            c=C().write(formula) if self.c is None else self.c,
            c_derivative=C().write(derivative_formula) if self.c_derivative is None else self.c_derivative,
            numpy=NumPy().write(formula) if self.numpy is None else self.numpy,
            onnx=emit,
        )


NOTHING_BY_HAND = ByHand()

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
/* (1 + tanh(u))/2 = 1/(1 + e^-2u), u = sqrt(2/pi) (z + 0.044715 z^3): in double 0 or 1 from |z| = 30 on, long before
 * the cube could overflow. Far below zero that is e^2u, in which an error of 2 u in its last place would be one of as
 * many last places as 2 u is large: so 2 u = z (k + c z^2) is computed in two parts, from k and c in two parts. */
static double gelu_gate(double z)
{{
    double near_z = z < -{GELU_FAR} ? -{GELU_FAR} : z > {GELU_FAR} ? {GELU_FAR} : z;
    double square = near_z * near_z, cubic = {_C} * square, factor = {_K} + cubic, back = factor - {_K};
    double rest = ({_K} - (factor - back)) + (cubic - back) + {_K_REST} + {_C_REST} * square
                  + {_C} * fma(near_z, near_z, -square) + fma({_C}, square, -cubic);
    double product = near_z * factor, low = fma(near_z, factor, -product) + near_z * rest, high = product + low;
    double e = exp(-fabs(high));
    low += product - high;
    e += e * (z < 0.0 ? low : -low);
    return (z < 0.0 ? e : 1.0) / (1.0 + e);
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
    "increasing": """
/* a_1 = z_1 and a_j = a_(j-1) + log(1 + e^z_j): numbers that ascend. */
static void increasing(const double *z, double *a, int n)
{
    a[0] = z[0];
    for (int j = 1; j < n; j++)
        a[j] = a[j - 1] + softplus(z[j]);
}
""",
    "increasing_back": """
/* delta_j = sum_(i >= j) g_i da_i/dz_j with da_i/dz_j = 1 - e^(a_(j-1) - a_j), or 1 for the first. */
static void increasing_back(const double *a, const double *g, double *delta, int n)
{
    double sum = 0.0;
    for (int j = n - 1; j >= 0; j--) {
        sum += g[j];
        delta[j] = j > 0 ? -expm1(a[j - 1] - a[j]) * sum : sum;
    }
}
""",
    "mean_scale": """
/* z and e^z by turns. */
static void mean_scale(const double *z, double *a, int n)
{
    for (int j = 0; j < n; j++)
        a[j] = j % 2 ? exp(z[j]) : z[j];
}
""",
    "mean_scale_back": """
/* delta_j = g_j da_j/dz_j, which is g_j and g_j a_j by turns. */
static void mean_scale_back(const double *a, const double *g, double *delta, int n)
{
    for (int j = 0; j < n; j++)
        delta[j] = j % 2 ? g[j] * a[j] : g[j];
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
    # (1 + tanh(u))/2 = 1/(1 + e^-2u) with u = sqrt(2/pi) (z + 0.044715 z^3); 0 or 1 from |z| = {GELU_FAR:g} on. Far
    # below zero that is e^2u, in which rounding 2 u = z (k + c z^2) would cost as many units in the last place as 2 u
    # is large: so |z| is r + d with a short r, whose products with the first parts of k and c are exact.
    size = np.abs(np.clip(z, -{GELU_FAR:g}, {GELU_FAR:g}).astype(float))
    r = np.round({_SHORT:g} * size) / {_SHORT:g}
    d, cube = size - r, r * r * r
    rest = d * ({2 * GELU_SLOPE} + {2 * GELU_SLOPE * GELU_CUBIC} * (3 * r * (r + d) + d * d))
    rest += {_SHORT_K[1]} * r + {_SHORT_C[1]} * cube
    e = np.exp(-{_SHORT_K[0]} * r) * np.exp(-{_SHORT_C[0]} * cube) * np.exp(-rest)
    return (np.where(z < 0, e, 1) / (1 + e)).astype(z.dtype)
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
    "increasing": """
def increasing(z):
    # z_1, and the softplus of each other z, summed up along the row.
    return np.cumsum(np.hstack([z[:, :1], softplus(z[:, 1:])]), axis=1)
""",
    "mean_scale": """
def mean_scale(z):
    # z and e^z by turns.
    a = z.copy()
    a[:, 1::2] = np.exp(z[:, 1::2])
    return a
""",
}
