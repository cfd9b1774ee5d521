"""Activations in other languages: what an entry of the table says of each, and the functions that it may call there."""

from __future__ import annotations

from dataclasses import dataclass

from reseau.activations.functions import GELU_CUBIC, GELU_FAR, GELU_SLOPE
from reseau.activations.onnx import Emitter


@dataclass(frozen=True)
class Code:
    """σ as it is written in the files of `reseau.export`: C99 for double, NumPy, and ONNX.

    An elementwise one is given by expressions: of `z`, its derivative also of the value `a`. A row-wise one is given by
    names of functions: in C ``value(z, a, n)`` writes the row `a`, and ``derivative(a, g, delta, n)`` writes the row
    δ = g D. Both may call the functions of math.h (`reseau.export` turns them and all constants to float where asked)
    or of NumPy, and those of `C_FUNCTIONS` and `NUMPY_FUNCTIONS`. In ONNX it is a function of a growing graph and the
    name of Z that gives the name of A (see `reseau.activations.onnx`). As everywhere, nothing may overflow on the way.
    """

    c: str
    c_derivative: str
    numpy: str
    onnx: Emitter


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
