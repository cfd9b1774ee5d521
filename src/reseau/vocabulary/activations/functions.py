"""The functions of activations and their derivatives, as arrays of any library that follows the array API take them."""

from __future__ import annotations

from math import pi, sqrt

from reseau.arrays import Array, namespace


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
    """Φ(z) = ½ (1 + erf(z/√2)), as ½ erfcx(|z|/√2) e^(−z²/2) for z < 0, which keeps all digits of a small one."""
    below = 0.5 * _erfcx(namespace(Z).abs(Z) / sqrt(2)) * _gaussian(Z)
    return namespace(Z).where(Z >= 0, 1 - below, below)


def _erfcx(Z: Array) -> Array:
    """e^(z²) (1 − erf z). The array API has no such function: it is SciPy's."""
    import scipy.special

    xp = namespace(Z)
    if xp.__name__ == "numpy":
        return scipy.special.erfcx(Z)
    import numpy as np

    return xp.asarray(scipy.special.erfcx(np.from_dlpack(Z)))


def softmax_jacobian(S: Array) -> Array:
    """D_ij = S_i (δ_ij − S_j), shape (rows, n, n)."""
    xp = namespace(S)
    unit = xp.eye(S.shape[-1], dtype=S.dtype)
    return S[:, :, None] * (unit[None, :, :] - S[:, None, :])


def softmax_pullback(S: Array, G: Array) -> Array:
    """Σ_i g_i S_i (δ_ij − S_j) = S_j (g_j − Σ_i g_i S_i); and D v too, as D is symmetric."""
    return S * (G - namespace(S).sum(G * S, axis=-1, keepdims=True))


def softmax_pullback_changed(S: Array, G: Array, dS: Array) -> Array:
    """Ṡ_j (g_j − Σ_i g_i S_i) − S_j Σ_i g_i Ṡ_i."""
    xp = namespace(S)
    return dS * (G - xp.sum(G * S, axis=-1, keepdims=True)) - S * xp.sum(G * dS, axis=-1, keepdims=True)


def log_softmax_jacobian(A: Array) -> Array:
    """D_ij = δ_ij − S_j with S = e^A, shape (rows, n, n)."""
    xp = namespace(A)
    unit = xp.eye(A.shape[-1], dtype=A.dtype)
    return unit[None, :, :] - xp.exp(A)[:, None, :]


def log_softmax_pullback(A: Array, G: Array) -> Array:
    """Σ_i g_i (δ_ij − S_j) = g_j − S_j Σ_i g_i."""
    xp = namespace(A)
    return G - xp.exp(A) * xp.sum(G, axis=-1, keepdims=True)


def log_softmax_push(A: Array, V: Array) -> Array:
    """Σ_j (δ_ij − S_j) v_j = v_i − Σ_j S_j v_j."""
    xp = namespace(A)
    return V - xp.sum(xp.exp(A) * V, axis=-1, keepdims=True)


def log_softmax_pullback_changed(A: Array, G: Array, dA: Array) -> Array:
    """−S_j ȧ_j Σ_i g_i."""
    xp = namespace(A)
    return -xp.exp(A) * dA * xp.sum(G, axis=-1, keepdims=True)


def increasing(Z: Array) -> Array:
    """a_1 = z_1, a_j = a_{j−1} + softplus(z_j): numbers that ascend along a row."""
    xp, steps = namespace(Z), softplus(Z)
    columns = [Z[:, 0]]
    for j in range(1, Z.shape[1]):
        columns.append(columns[-1] + steps[:, j])
    return xp.stack(columns, axis=1)


def _increasing_slopes(A: Array) -> Array:
    """∂a_i/∂z_j for i ≥ j: 1 for j = 1, else φ(z_j) = 1 − e^−softplus(z_j), (rows, n)."""
    xp = namespace(A)
    return xp.concat([xp.ones_like(A[:, :1]), -xp.expm1(A[:, :-1] - A[:, 1:])], axis=1)


def increasing_jacobian(A: Array) -> Array:
    """D_ij = 1 for j = 1, φ(z_j) for 1 < j ≤ i, else 0, shape (rows, n, n)."""
    xp = namespace(A)
    reached = xp.tril(xp.ones((A.shape[1], A.shape[1]), dtype=A.dtype))
    return reached[None, :, :] * _increasing_slopes(A)[:, None, :]


def _sums_back(G: Array) -> Array:
    """Σ_{i≥j} g_i."""
    columns = [G[:, -1]]
    for j in range(G.shape[1] - 2, -1, -1):
        columns.insert(0, columns[0] + G[:, j])
    return namespace(G).stack(columns, axis=1)


def increasing_pullback(A: Array, G: Array) -> Array:
    """Σ_{i≥j} g_i times the slope by z_j."""
    return _sums_back(G) * _increasing_slopes(A)


def increasing_push(A: Array, V: Array) -> Array:
    """Σ_{j≤i} of v_j times the slope by z_j."""
    steps = V * _increasing_slopes(A)
    columns = [steps[:, 0]]
    for j in range(1, V.shape[1]):
        columns.append(columns[-1] + steps[:, j])
    return namespace(A).stack(columns, axis=1)


def increasing_pullback_changed(A: Array, G: Array, dA: Array) -> Array:
    """Σ_{i≥j} g_i times the change of the slope, e^(a_{j−1} − a_j) (ȧ_j − ȧ_{j−1}); the first slope is always 1."""
    xp = namespace(A)
    changes = xp.exp(A[:, :-1] - A[:, 1:]) * (dA[:, 1:] - dA[:, :-1])
    return _sums_back(G) * xp.concat([xp.zeros_like(A[:, :1]), changes], axis=1)


def _is_mean(Z: Array) -> Array:
    """Which numbers of a row are the first of their pair."""
    xp = namespace(Z)
    return xp.arange(Z.shape[1]) % 2 == 0


def mean_scale(Z: Array) -> Array:
    """z_1, e^{z_2}, z_3, e^{z_4}, ...: of every pair a mean and a scale."""
    xp, is_mean = namespace(Z), _is_mean(Z)
    return xp.where(is_mean, Z, xp.exp(xp.where(is_mean, xp.zeros_like(Z), Z)))


def _mean_scale_slopes(A: Array) -> Array:
    """1 and a by turns."""
    xp = namespace(A)
    return xp.where(_is_mean(A), xp.ones_like(A), A)


def mean_scale_jacobian(A: Array) -> Array:
    """1 and a by turns on the diagonal, shape (rows, n, n)."""
    xp = namespace(A)
    return xp.eye(A.shape[1], dtype=A.dtype)[None, :, :] * _mean_scale_slopes(A)[:, None, :]


def mean_scale_pullback(A: Array, G: Array) -> Array:
    """g times 1 and a by turns; and D v too, as D is diagonal."""
    return G * _mean_scale_slopes(A)


def mean_scale_pullback_changed(A: Array, G: Array, dA: Array) -> Array:
    """0 and g ȧ by turns."""
    xp = namespace(A)
    return xp.where(_is_mean(A), xp.zeros_like(A), G * dA)


def step(Z: Array) -> Array:
    """1 for z > 0, else 0."""
    return namespace(Z).astype(Z > 0, Z.dtype)


LEAK = 0.01  # the slope of leaky ReLU for z < 0 (Maas, Hannun, Ng 2013)

# Klambauer et al. 2017, "Self-normalizing neural networks": the pair for which mean 0 and variance 1 are a fixed point.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def leaky_relu(Z: Array) -> Array:
    """z, or λz for z < 0."""
    return namespace(Z).where(Z > 0, Z, LEAK * Z)


def elu(Z: Array) -> Array:
    """z, or e^z − 1 for z < 0."""
    xp = namespace(Z)
    return xp.where(Z > 0, Z, xp.expm1(-relu(-Z)))


def elu_derivative(Z: Array, A: Array) -> Array:
    """1, or e^z = a + 1 for z < 0."""
    xp = namespace(Z)
    return xp.where(Z > 0, xp.ones_like(Z), A + 1)


def selu(Z: Array) -> Array:
    """λz, or λα(e^z − 1) for z < 0."""
    xp = namespace(Z)
    return SELU_SCALE * xp.where(Z > 0, Z, SELU_ALPHA * xp.expm1(-relu(-Z)))


def selu_derivative(Z: Array, A: Array) -> Array:
    """λ, or λαe^z = a + λα for z < 0."""
    xp = namespace(Z)
    return xp.where(Z > 0, xp.full_like(Z, SELU_SCALE), A + SELU_SCALE * SELU_ALPHA)


def normal_pdf(Z: Array) -> Array:
    """The density of the normal distribution, e^(−z²/2)/√(2π)."""
    return _gaussian(Z) / sqrt(2 * pi)


def _gaussian(Z: Array) -> Array:
    """e^(−z²/2), as e^(−r²/2) e^(−d(r + d/2)): a square of hundreds, rounded, would cost as many last digits.

    z = r + d, with an r so short that its square is exact.
    """
    xp = namespace(Z)
    near = xp.clip(Z, -40.0, 40.0)  # e^−800 is 0 in double precision, and the square cannot overflow
    s = 2.0**20 if xp.finfo(Z.dtype).bits == 64 else 64.0
    r = xp.round(s * near) / s
    d = near - r
    return xp.exp(-0.5 * r * r) * xp.exp(-d * (r + 0.5 * d))


# Hendrycks and Gimpel 2016: Φ(z) ≈ ½ (1 + tanh u) = φ(2u), u = √(2/π) (z + 0.044715 z³). The sum with 1 would lose the
# digits of a small one.
GELU_SLOPE = sqrt(2 / pi)
GELU_CUBIC = 0.044715
GELU_FAR = 30.0  # from here on φ(2u) is 0 or 1 in double precision, and the cube cannot overflow

# 2u = z (k + c z²), k = 2 √(2/π) and c = 0.044715 k. For each precision: s, and k and c as sums of two parts, the first
# so short that its product with r, or r³, is exact for a multiple r of 1/s up to where φ(−2u) is 0.
GELU_PARTS = {
    32: (4.0, (1.5957717895507812, -2.6679450505382404e-06), (0.072265625, -0.0009108087273997513)),
    64: (256.0, (1.5957691216062813, -5.505482686972437e-13), (0.07135772705078125, -2.9107781810012236e-06)),
}


def gelu_tanh_gate(Z: Array) -> Array:
    """φ(2u), by which `gelu_tanh` multiplies z.

    Far to the left that is e^2u, in which rounding 2u would cost as many units in the last place as 2u is large: some
    hundreds. So |z| is taken as r + d, and e^−|2u| as e^−kr e^−cr³ e^−rest, the first two of exact arguments.
    """
    xp = namespace(Z)
    size = xp.abs(xp.clip(Z, -GELU_FAR, GELU_FAR))
    s, (k, k_rest), (c, c_rest) = GELU_PARTS[xp.finfo(Z.dtype).bits]
    r = xp.round(s * size) / s
    d, cube = size - r, r * r * r
    rest = d * ((k + k_rest) + (c + c_rest) * (3 * r * (r + d) + d * d)) + (k_rest * r + c_rest * cube)
    e = xp.exp(-k * r) * xp.exp(-c * cube) * xp.exp(-rest)
    return xp.where(Z >= 0, 1 / (1 + e), e / (1 + e))


def gelu_tanh_derivative(Z: Array, A: Array) -> Array:
    """φ(2u) + z φ'(2u) 2u'."""
    s = gelu_tanh_gate(Z)
    near = namespace(Z).clip(Z, -GELU_FAR, GELU_FAR)
    return s + near * s * (1 - s) * 2 * GELU_SLOPE * (1 + 3 * GELU_CUBIC * near * near)


def silu_derivative(Z: Array, A: Array) -> Array:
    """φ(z) + a (1 − φ(z))."""
    s = sigmoid(Z)
    return s + A * (1 - s)


def mish_derivative(Z: Array, A: Array) -> Array:
    """tanh s + z (1 − tanh² s) φ(z), s = softplus(z)."""
    t = tanh(softplus(Z))
    return t + Z * (1 - t * t) * sigmoid(Z)


def softsign_derivative(Z: Array, A: Array) -> Array:
    """1/(1 + |z|)²."""
    r = 1 / (1 + namespace(Z).abs(Z))
    return r * r


def hard_sigmoid(Z: Array) -> Array:
    """z/6 + ½, between 0 and 1."""
    return namespace(Z).clip(Z / 6 + 0.5, 0.0, 1.0)


def hard_sigmoid_derivative(Z: Array, A: Array) -> Array:
    """1/6 between −3 and 3, else 0."""
    xp = namespace(Z)
    return xp.astype((Z > -3) & (Z < 3), Z.dtype) / 6


def hard_swish_derivative(Z: Array, A: Array) -> Array:
    """0 up to −3, 1 from 3 on, and z/3 + ½ between."""
    xp = namespace(Z)
    return xp.where(Z >= 3, xp.ones_like(Z), xp.astype(Z > -3, Z.dtype) * (Z / 3 + 0.5))


def zero(Z: Array, A: Array) -> Array:
    """σ″ of what is made of straight lines."""
    return namespace(Z).zeros_like(Z)


def elu_second_derivative(Z: Array, A: Array) -> Array:
    """0, or e^z = a + 1 for z < 0."""
    return namespace(Z).where(Z > 0, 0 * A, A + 1)


def selu_second_derivative(Z: Array, A: Array) -> Array:
    """0, or λαe^z = a + λα for z < 0."""
    return namespace(Z).where(Z > 0, 0 * A, A + SELU_SCALE * SELU_ALPHA)


def gelu_second_derivative(Z: Array, A: Array) -> Array:
    """(2 − z²) e^(−z²/2)/√(2π), with a z that is kept from overflowing."""
    near = namespace(Z).clip(Z, -40.0, 40.0)
    return normal_pdf(Z) * (2 - near * near)


def gelu_tanh_second_derivative(Z: Array, A: Array) -> Array:
    """2 s' w' + z (s' (1 − 2s) w'² + s' w″) with w = 2u, s = φ(w), s' = s (1 − s)."""
    s = gelu_tanh_gate(Z)
    near = namespace(Z).clip(Z, -GELU_FAR, GELU_FAR)
    slope = 2 * GELU_SLOPE * (1 + 3 * GELU_CUBIC * near * near)
    curve = 2 * GELU_SLOPE * 6 * GELU_CUBIC * near
    return s * (1 - s) * (2 * slope + near * ((1 - 2 * s) * slope * slope + curve))


_FAR = 1e4  # from here on what is exponential is 0, and nothing that it is multiplied by overflows


def silu_second_derivative(Z: Array, A: Array) -> Array:
    """φ(z) (1 − φ(z)) (2 + z (1 − 2 φ(z)))."""
    s = sigmoid(Z)
    return s * (1 - s) * (2 + namespace(Z).clip(Z, -_FAR, _FAR) * (1 - 2 * s))


def mish_second_derivative(Z: Array, A: Array) -> Array:
    """(1 − t²) φ(z) (2 + z (1 − φ(z) − 2 t φ(z))) with t = tanh(softplus(z))."""
    t, s = tanh(softplus(Z)), sigmoid(Z)
    return (1 - t * t) * s * (2 + namespace(Z).clip(Z, -_FAR, _FAR) * (1 - s - 2 * t * s))


def softplus_second_derivative(Z: Array, A: Array) -> Array:
    """φ(z) (1 − φ(z)), which is the same for −z."""
    s = sigmoid(-namespace(Z).abs(Z))
    return s * (1 - s)


def softsign_second_derivative(Z: Array, A: Array) -> Array:
    """−2 sign(z)/(1 + |z|)³."""
    xp = namespace(Z)
    r = 1 / (1 + xp.abs(Z))
    return -2 * xp.sign(Z) * (r * r * r)


def hard_swish_second_derivative(Z: Array, A: Array) -> Array:
    """1/3 between −3 and 3, else 0."""
    xp = namespace(Z)
    return xp.astype((Z > -3) & (Z < 3), Z.dtype) / 3
