"""Whole networks against answers from outside: NIST's certified regressions, textbooks, exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.optimize

import reseau as rs

# NIST StRD, nonlinear regression, Rat42 (Ratkowsky 1983, pasture yields): y = b1/(1 + exp(b2 − b3 x)) + e.
RAT42_X = np.array([[9.0], [14.0], [21.0], [28.0], [42.0], [57.0], [63.0], [70.0], [79.0]])
RAT42_Y = np.array([[8.93], [10.80], [18.59], [22.33], [39.35], [56.11], [61.73], [64.62], [67.08]])
RAT42_CERTIFIED = np.array([7.2462237576e01, 2.6180768402e00, 6.7359200066e-02])
RAT42_RSS = 8.0565229338
RAT42_STARTS = [(100.0, 1.0, 0.1), (75.0, 2.5, 0.07)]

# NIST StRD, linear regression, Norris: y = B0 + B1 x + e.
NORRIS = np.array(
    [
        *(
            (0.1, 0.2),
            (338.8, 337.4),
            (118.1, 118.2),
            (888.0, 884.6),
            (9.2, 10.1),
            (228.1, 226.5),
            (668.5, 666.3),
            (998.5, 996.3),
        ),
        *(
            (449.1, 448.6),
            (778.9, 777.0),
            (559.2, 558.2),
            (0.3, 0.4),
            (0.1, 0.6),
            (778.1, 775.5),
            (668.8, 666.9),
            (339.3, 338.0),
        ),
        *(
            (448.9, 447.5),
            (10.8, 11.6),
            (557.7, 556.0),
            (228.3, 228.1),
            (998.0, 995.8),
            (888.8, 887.6),
            (119.6, 120.2),
            (0.3, 0.3),
        ),
        *(
            (0.6, 0.3),
            (557.6, 556.8),
            (339.3, 339.1),
            (888.0, 887.2),
            (998.5, 999.0),
            (778.9, 779.0),
            (10.2, 11.1),
            (117.6, 118.3),
        ),
        *((228.9, 229.2), (668.4, 669.1), (449.2, 448.9), (0.2, 0.5)),
    ]
)
NORRIS_CERTIFIED = (-0.262323073774029, 1.00211681802045)
NORRIS_RSS = 26.6173985294224


def rat42_network(engine: str, b: Any) -> rs.Network:
    """b1 φ(b3 x − b2): a sigmoid neuron with weight b3 and bias −b2, and a linear output with weight b1 and no bias."""
    net = rs.Network(
        rs.Dense(1, "sigmoid"), rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", engine=engine
    )
    net.parameters[...] = [b[2], -b[1], b[0]]
    return net


def test_the_certified_parameters_of_rat42_give_the_certified_sum_of_squares(engine):
    net = rat42_network(engine, RAT42_CERTIFIED)
    rss = 2 * net.errors(RAT42_X, RAT42_Y).sum()
    assert rss == pytest.approx(RAT42_RSS, rel=1e-10)
    E, g = net.value_and_gradient(RAT42_X, RAT42_Y)
    assert 2 * len(RAT42_X) * E == pytest.approx(RAT42_RSS, rel=1e-10)
    assert np.abs(g).max() < 1e-6  # they are a minimum, to their 11 digits


@pytest.mark.parametrize("start", RAT42_STARTS)
def test_l_bfgs_finds_the_certified_parameters_of_rat42_from_nist_s_starts(engine, start):
    net = rat42_network(engine, start)
    scale = np.abs(net.parameters.copy())  # so that a step means as much for every parameter

    def value_and_gradient(u: Any) -> tuple[float, Any]:
        net.parameters[...] = u * scale
        E, g = net.value_and_gradient(RAT42_X, RAT42_Y)
        return E, g * scale

    result = scipy.optimize.minimize(
        value_and_gradient,
        net.parameters / scale,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxcor": 20, "ftol": 1e-16, "gtol": 1e-10},
    )
    net.parameters[...] = result.x * scale
    found = np.array([net.layers[1].W[0, 0], -net.layers[0].b[0], net.layers[0].W[0, 0]])
    np.testing.assert_allclose(found, RAT42_CERTIFIED, rtol=1e-6)
    assert 2 * net.errors(RAT42_X, RAT42_Y).sum() == pytest.approx(RAT42_RSS, rel=1e-10)


def test_l_bfgs_finds_rat42_through_the_gradient_of_each_layer(engine):
    net = rat42_network(engine, RAT42_STARTS[1])

    def error(u: Any) -> float:
        net.parameters[...] = u
        return float(net.errors(RAT42_X, RAT42_Y).mean())

    def gradient(u: Any) -> Any:
        net.parameters[...] = u
        return np.concatenate(
            [part.ravel() for layer in net.gradient(RAT42_X, RAT42_Y) for part in layer if part is not None]
        )

    start = net.parameters.copy()
    result = scipy.optimize.minimize(
        error,
        start,
        jac=gradient,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxcor": 20, "ftol": 1e-16, "gtol": 1e-10},
    )
    b3, minus_b2, b1 = result.x
    np.testing.assert_allclose([b1, -minus_b2, b3], RAT42_CERTIFIED, rtol=1e-5)


def test_a_linear_neuron_trained_on_norris_finds_the_certified_line(engine):
    y, x = NORRIS.T
    middle, spread = x.mean(), x.std()
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, dtype="float64", seed=0, engine=engine)
    # On standardised inputs the error's curvature is the identity: gradient descent with γ = 1 is Newton's method.
    history = net.fit(
        ((x - middle) / spread)[:, None], y, optimizer=rs.SGD(1.0), epochs=5, batch_size=len(x), shuffle=False
    )
    slope = net.layers[0].W[0, 0] / spread
    intercept = net.layers[0].b[0] - slope * middle
    assert slope == pytest.approx(NORRIS_CERTIFIED[1], rel=1e-12)
    assert intercept == pytest.approx(NORRIS_CERTIFIED[0], rel=1e-9)  # what 500 − 500 leaves of 15 digits
    assert 2 * len(x) * history.loss[-1] == pytest.approx(NORRIS_RSS, rel=1e-10)


def test_one_step_of_mazur_s_published_example_gives_his_numbers(engine):
    # M. Mazur, "A step by step backpropagation example" (2015): 2-2-2 sigmoid neurons, one sample, γ = ½.
    net = rs.Network(rs.Dense(2, "sigmoid"), rs.Dense(2, "sigmoid"), inputs=2, dtype="float64", engine=engine)
    hidden, output = net.layers
    hidden.W[...] = np.array([[0.15, 0.20], [0.25, 0.30]]).T
    output.W[...] = np.array([[0.40, 0.45], [0.50, 0.55]]).T
    hidden.b[...], output.b[...] = 0.35, 0.60
    x, target = [[0.05, 0.10]], [[0.01, 0.99]]
    np.testing.assert_allclose(net(x), [[0.75136507, 0.772928465]], atol=5e-10, rtol=5e-9)
    np.testing.assert_allclose(net.errors(x, target), [[0.274811083, 0.023560026]], atol=5e-10)
    E = net.step(x, target, learning_rate=0.5)
    assert pytest.approx(0.298371109, abs=5e-10) == E
    np.testing.assert_allclose(output.W.T, [[0.35891648, 0.408666186], [0.511301270, 0.561370121]], atol=5e-9)
    np.testing.assert_allclose(hidden.W.T, [[0.149780716, 0.19956143], [0.24975114, 0.29950229]], atol=5e-9)


def test_a_step_through_two_layers_without_bias_is_that_of_the_blackboard_in_30_digits(engine):
    # The lecture's layers, written out with scalars: 2 inputs, 2 sigmoid neurons, 1 tanh neuron, E = ½ (t − o)².
    W1, W2 = [["0.5", "-0.3"], ["0.8", "0.2"]], ["1.5", "-0.7"]
    x, t, gamma = ["1", "-2"], "0.25", "0.5"
    with mp.workdps(30):
        W1, W2, x = [[mp.mpf(w) for w in row] for row in W1], [mp.mpf(w) for w in W2], [mp.mpf(v) for v in x]
        h = [1 / (1 + mp.exp(-(x[0] * W1[0][j] + x[1] * W1[1][j]))) for j in range(2)]
        o = mp.tanh(h[0] * W2[0] + h[1] * W2[1])
        delta = (o - mp.mpf(t)) * (1 - o**2)
        new_W2 = [W2[j] - mp.mpf(gamma) * h[j] * delta for j in range(2)]
        deltas = [delta * W2[j] * h[j] * (1 - h[j]) for j in range(2)]
        new_W1 = [[W1[i][j] - mp.mpf(gamma) * x[i] * deltas[j] for j in range(2)] for i in range(2)]
    net = rs.Network(
        rs.Dense(2, "sigmoid", bias=False), rs.Dense(1, "tanh", bias=False), inputs=2, dtype="float64", engine=engine
    )
    net.parameters[...] = [0.5, -0.3, 0.8, 0.2, 1.5, -0.7]
    assert net.step([[1.0, -2.0]], [[0.25]], learning_rate=0.5) == pytest.approx(
        float((o - mp.mpf(t)) ** 2 / 2), rel=1e-14
    )
    np.testing.assert_allclose(net.layers[0].W, np.array(new_W1, dtype=float), rtol=1e-14)
    np.testing.assert_allclose(net.layers[1].W[:, 0], np.array(new_W2, dtype=float), rtol=1e-14)


def test_a_step_of_a_piecewise_linear_network_is_exact_in_fractions(engine):
    # ReLU and a linear output on dyadic numbers: nothing is rounded, so every bit must be right.
    W1, b1 = [[Fraction(1, 2), Fraction(-1)], [Fraction(1, 4), Fraction(2)]], [Fraction(1, 2), Fraction(-1, 4)]
    w2, b2 = [Fraction(3, 2), Fraction(-1, 2)], Fraction(1, 4)
    X, T = [[Fraction(1), Fraction(2)], [Fraction(-2), Fraction(1)]], [Fraction(1, 2), Fraction(-1)]
    dW1, db1 = [[Fraction(0)] * 2 for _ in range(2)], [Fraction(0)] * 2
    dw2, db2, E = [Fraction(0)] * 2, Fraction(0), Fraction(0)
    for x, t in zip(X, T, strict=True):
        z = [x[0] * W1[0][j] + x[1] * W1[1][j] + b1[j] for j in range(2)]
        a = [max(Fraction(0), z_j) for z_j in z]
        o = a[0] * w2[0] + a[1] * w2[1] + b2
        E += (o - t) ** 2 / 4  # ½, and the mean of two rows
        delta = (o - t) / 2
        db2 += delta
        for j in range(2):
            dw2[j] += a[j] * delta
            delta_j = delta * w2[j] * (z[j] > 0)
            db1[j] += delta_j
            for i in range(2):
                dW1[i][j] += x[i] * delta_j
    for dtype in ("float32", "float64"):
        net = rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=2, dtype=dtype, engine=engine)
        net.parameters[...] = [float(v) for v in (*W1[0], *W1[1], *b1, *w2, b2)]
        value, g = net.value_and_gradient([[float(v) for v in row] for row in X], [float(t) for t in T])
        assert value == float(E)
        assert g.tolist() == [float(v) for v in (*dW1[0], *dW1[1], *db1, *dw2, db2)]


def test_the_relu_solution_of_xor_in_the_textbook_is_exact(engine):
    # Goodfellow, Bengio, Courville 2016, Deep Learning, section 6.1.
    net = rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=2, engine=engine)
    net.layers[0].W[...], net.layers[0].b[...] = [[1, 1], [1, 1]], [0, -1]
    net.layers[1].W[...], net.layers[1].b[...] = [[1], [-2]], 0
    assert net([[0, 0], [0, 1], [1, 0], [1, 1]]).ravel().tolist() == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_xor_is_learnt(engine, dtype):
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = rs.Network(
        rs.Dense(8, "tanh"), rs.Dense(2, "softmax"), loss="cross_entropy", dtype=dtype, seed=0, engine=engine
    )
    history = net.fit(X, y, optimizer=rs.Adam(0.05), epochs=300, batch_size=4)
    assert net(X).argmax(axis=1).tolist() == y
    assert history.loss[-1] < 0.01 < history.loss[0]
