"""The table of activations: every formula and derivative against mpmath, in both engines, at huge arguments too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import reseau as rs
from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise, RowWise
from reseau.vocabulary.activations.functions import SELU_ALPHA, SELU_SCALE, softmax
from reseau.vocabulary.initializers import INITIALIZERS

pytestmark = pytest.mark.filterwarnings("error")


def positive_part(z: Any) -> Any:
    return z if z > 0 else mp.mpf(0)


# The functions once more, in arbitrary precision, from their definitions.
EXACT: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": positive_part,
    "leaky_relu": lambda z: z if z > 0 else mp.mpf("0.01") * z,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "selu": lambda z: mp.mpf(SELU_SCALE) * (z if z > 0 else mp.mpf(SELU_ALPHA) * mp.expm1(z)),
    "gelu": lambda z: z * mp.ncdf(z),
    # ½ (1 + tanh u) = 1/(1 + e^−2u), which needs fewer digits than there are in front of a small one
    "gelu_tanh": lambda z: z / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3))),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "mish": lambda z: z * mp.tanh(mp.log1p(mp.exp(z))),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "softsign": lambda z: z / (1 + abs(z)),
    "hard_sigmoid": lambda z: min(mp.mpf(1), positive_part(z / 6 + mp.mpf("0.5"))),
    "hard_swish": lambda z: z * min(mp.mpf(1), positive_part(z / 6 + mp.mpf("0.5"))),
    "exponential": mp.exp,
}
# The derivatives are mpmath's numerical ones, except where a kink or a limit needs saying.
KINKS = {"relu": {0}, "leaky_relu": {0}, "selu": {0}, "hard_sigmoid": {-3, 3}, "hard_swish": {-3, 3}}
AT_KINK = {
    ("relu", 0.0): 0,
    ("leaky_relu", 0.0): "0.01",
    ("selu", 0.0): mp.mpf(SELU_SCALE) * mp.mpf(SELU_ALPHA),
    ("hard_sigmoid", -3.0): 0,
    ("hard_sigmoid", 3.0): 0,
    ("hard_swish", -3.0): 0,
    ("hard_swish", 3.0): 1,
}
POINTS = [
    0.0,
    1e-30,
    1e-8,
    1e-3,
    0.1,
    0.5,
    0.7,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    3.5,
    4.0,
    5.0,
    6.5,
    8.0,
    9.5,
    12.0,
    15.0,
    19.0,
    25.0,
    36.0,
    50.0,
    80.0,
]
ORDINARY = np.array(sorted({sign * z for z in POINTS for sign in (-1, 1)}))
HUGE = {
    "float32": [90.0, 104.0, 1e3, 1e10, 1e20, 1e37],
    "float64": [90.0, 104.0, 710.0, 745.0, 1e3, 1e10, 1e100, 1e150, 1e200, 1e307],
}

ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if isinstance(entry, Elementwise)]
ROW_WISE = [name for name, entry in ACTIVATIONS.items() if isinstance(entry, RowWise)]


def exact_value(name: str, z: float) -> Any:
    with mp.workdps(60):
        return EXACT[name](mp.mpf(z)) if abs(z) < 1e4 else limit(name, z)[0]


def exact_derivative(name: str, z: float) -> Any:
    if (name, z) in AT_KINK:
        return mp.mpf(AT_KINK[name, z])
    if abs(z) >= 1e4:
        return limit(name, z)[1]
    with mp.workdps(120):
        h = mp.mpf(10) ** -40  # central differences are off by h² and by 10⁻¹²⁰/h
        return (EXACT[name](mp.mpf(z) + h) - EXACT[name](mp.mpf(z) - h)) / (2 * h)


def limit(name: str, z: float) -> tuple[Any, Any]:
    """Value and derivative at a huge z, by hand: beyond |z| = 10⁴ all that is exponential is 0 or infinite."""
    if name == "softsign":
        return mp.mpf(z) / (1 + abs(mp.mpf(z))), 1 / (1 + abs(mp.mpf(z))) ** 2
    if name == "exponential":
        return (mp.inf, mp.inf) if z > 0 else (0, 0)
    slopes = {"leaky_relu": (mp.mpf("0.01"), 1), "identity": (1, 1), "selu": (0, mp.mpf(SELU_SCALE))}
    ends = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "tanh": (-1, 1)}
    if name in ends:
        return ends[name][int(z > 0)], 0
    left, right = slopes.get(name, (0, 1))
    if z > 0:
        return right * mp.mpf(z), right
    floor = {"elu": -1, "selu": -mp.mpf(SELU_SCALE) * mp.mpf(SELU_ALPHA)}
    return floor.get(name, left * mp.mpf(z)), left


def on_the_line(engine: str, name: str, precision: str) -> rs.Network:
    """The network o = σ(x)."""
    net = rs.Network(rs.Dense(1, name, bias=False), inputs=1, dtype=precision, engine=engine)
    net.parameters[...] = 1
    return net


def test_every_elementwise_activation_has_an_exact_formula_here():
    assert set(EXACT) == set(ELEMENTWISE)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_are_those_of_the_formula_in_arbitrary_precision(engine, name, precision):
    z = ORDINARY.astype(precision).astype(float)
    computed = on_the_line(engine, name, precision)(z[:, None])[:, 0]
    assert computed.dtype == precision
    eps = float(np.finfo(precision).eps)
    for point, value in zip(z, computed.astype(float), strict=True):
        exact = exact_value(name, point)
        if abs(exact) > np.finfo(precision).max:
            assert value == np.inf
            continue
        # A few roundings, plus half an ulp of z seen through σ: small values keep their digits too.
        tolerance = 8 * eps * (float(abs(exact)) + abs(point * float(exact_derivative(name, point))))
        tolerance += 2 * float(np.finfo(precision).smallest_normal)
        assert abs(value - float(exact)) <= tolerance, (point, value, float(exact))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivatives_are_those_of_the_formula_in_arbitrary_precision(engine, name, precision):
    z = ORDINARY.astype(precision).astype(float)
    computed = on_the_line(engine, name, precision).jacobian(z[:, None])[:, 0, 0]
    assert computed.dtype == precision
    eps = float(np.finfo(precision).eps)
    for point, value in zip(z, computed.astype(float), strict=True):
        exact = exact_derivative(name, point)
        if abs(exact) > np.finfo(precision).max:
            assert value == np.inf
            continue
        # σ' is made of numbers of size 1 (or its own); 1 − t² is multiplied by z (1 + z²) in the Gaussian-like ones.
        size = 1 + float(abs(exact)) * (1 + abs(point)) + min(abs(point), 8.0) ** 3
        assert abs(value - float(exact)) <= 8 * eps * size, (point, value, float(exact))


# The jumps of the second derivatives, at which they are taken for 0, or for the value on the left.
BENT = {"elu": {0}, "softsign": {0}}


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_second_derivatives_are_those_of_the_formula_in_arbitrary_precision(engine, name, precision):
    jumps = KINKS.get(name, set()) | BENT.get(name, set())
    z = np.array([z for z in ORDINARY if z not in jumps]).astype(precision).astype(float)
    computed = on_the_line(engine, name, precision).hessian_vector(z[:, None], [1.0])[:, 0, 0]
    eps = float(np.finfo(precision).eps)
    for point, value in zip(z, computed.astype(float), strict=True):
        with mp.workdps(150):
            h = mp.mpf(10) ** -40
            ahead, here, behind = (EXACT[name](mp.mpf(point) + shift) for shift in (h, 0, -h))
            exact = (ahead - 2 * here + behind) / h**2
        if abs(exact) > np.finfo(precision).max:
            assert value == np.inf
            continue
        size = 2 + float(abs(exact)) * (1 + abs(point)) + min(abs(point), 8.0) ** 4
        assert abs(value - float(exact)) <= 8 * eps * size, (point, value, float(exact))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_second_derivatives_at_huge_arguments_neither_overflow_nor_warn(engine, name):
    for precision in ("float32", "float64"):
        z = np.array([sign * x for x in HUGE[precision] for sign in (1.0, -1.0)])
        z = z[z < 80] if name == "exponential" else z
        found = on_the_line(engine, name, precision).hessian_vector(z[:, None], [1.0])[:, 0, 0]
        assert np.abs(found).max() <= 3e-6


# Derivatives that the engines take from the value alone: where that is near an end, only 1 − a is known of it.
FROM_VALUE = {"sigmoid", "tanh", "elu", "selu", "exponential"}


@cache
def over_the_whole_range(name: str, precision: str) -> list[tuple[float, Any, Any]]:
    """z, σ(z) and σ'(z), from where σ is zero in this precision to where nothing changes any more."""
    end = {"float32": 104.0, "float64": 746.0}[precision]
    z = np.concatenate([np.linspace(-end, end, 97), np.linspace(-40.3, 11.7, 211)])
    z = np.unique(z.astype(precision)).astype(float)
    return [(point, exact_value(name, point), exact_derivative(name, point)) for point in z if point != 0]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_over_the_whole_range_values_and_derivatives_keep_their_last_digits(engine, name, precision):
    points = over_the_whole_range(name, precision)
    net, z = on_the_line(engine, name, precision), np.array([[point] for point, *_ in points])
    with np.errstate(over="ignore"):  # that of e^z itself
        values, slopes = net(z)[:, 0].astype(float), net.jacobian(z)[:, 0, 0].astype(float)
    info = np.finfo(precision)
    for (point, exact, exact_slope), value, slope in zip(points, values, slopes, strict=True):
        if abs(exact) > info.max:
            assert value == slope == np.inf
            continue
        lost = (1 + abs(point)) * float(info.smallest_normal)  # by a factor below the normal numbers
        assert abs(value - exact) <= 6 * info.eps * abs(exact) + lost, point
        terms = abs(exact_slope) + abs(exact / point)  # σ' is made of these; near a zero of it they cancel
        bound = 32 * info.eps * terms + lost + (2 * info.eps if name in FROM_VALUE else 0)
        assert abs(slope - exact_slope) <= bound, point


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_huge_arguments_neither_overflow_nor_warn(engine, name, precision):
    z = np.array([sign * x for x in HUGE[precision] for sign in (1.0, -1.0)])
    if name == "exponential":
        z = z[z < np.log(np.finfo(precision).max)]  # beyond, e^z itself is out of range
    net = on_the_line(engine, name, precision)
    values, slopes = net(z[:, None])[:, 0], net.jacobian(z[:, None])[:, 0, 0]
    eps, tiny = float(np.finfo(precision).eps), float(np.finfo(precision).smallest_normal)
    z = z.astype(precision).astype(float)
    for point, value, slope in zip(z, values.astype(float), slopes.astype(float), strict=True):
        exact, exact_slope = exact_value(name, point), exact_derivative(name, point)
        tolerance = 8 * eps * float(abs(exact)) * (1 + (abs(point) if abs(point) < 1e3 else 0)) + 2 * tiny
        assert abs(value - float(exact)) <= tolerance, (point, value)
        assert abs(slope - float(exact_slope)) <= 8 * eps * (1 + abs(point) * (name == "exponential")), (point, slope)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_values_lie_in_the_declared_range_and_come_near_its_ends(name):
    entry = ACTIVATIONS[name]
    z = np.arange(-60 * 1024, 60 * 1024 + 1) / 1024
    values = entry.value(z)
    low, high = entry.range.low, entry.range.high
    assert values.min() >= low
    assert values.max() <= high
    assert values.min() <= -0.5 if low == -np.inf else values.min() - low < 2e-2
    assert values.max() >= 50 if high == np.inf else high - values.max() < 2e-2
    lowest = exact_value(name, float(z[np.argmin(values)]))
    assert entry.range.includes_low == (name in MINIMA or lowest == low)


# Where the smooth activations with a least value have it: mpmath's roots of their derivatives.
MINIMA = {
    name: float(mp.findroot(lambda z, name=name: mp.diff(EXACT[name], z), -1))  # type: ignore[misc]
    for name in ("gelu", "gelu_tanh", "silu", "mish")
}


@pytest.mark.parametrize("name", MINIMA)
def test_a_declared_least_value_is_the_exact_one(name):
    with mp.workdps(40):
        z = mp.findroot(lambda z: mp.diff(EXACT[name], z), MINIMA[name])
        assert ACTIVATIONS[name].range.low == float(EXACT[name](z))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_is_never_hidden(name):
    Z = np.array([[0.5, -1.0, 2.0], [0.5, np.nan, 2.0]])
    A = ACTIVATIONS[name].value(Z)
    assert np.isfinite(A[0]).all()
    assert np.isnan(A[1, 1])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_infinite_score_gives_the_limit_or_nan_but_no_other_number(name):
    with np.errstate(invalid="ignore"):
        values = ACTIVATIONS[name].value(np.array([[-np.inf, np.inf]]))[0]
    for value, end in zip(values, (-1e30, 1e30), strict=True):
        expected = float(exact_value(name, end))
        expected = np.copysign(np.inf, expected) if abs(expected) > 1e20 else expected
        assert np.isnan(value) or value == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_softmax_is_that_of_arbitrary_precision(engine, precision):
    Z = np.array(
        [[0.5, -1.25, 3.0], [100.0, 100.5, 99.0], [-700.0, -700.0, -700.0], [0.0, 80.0, -80.0], [1e4, -1e4, 0.0]]
    )
    net = rs.Network(rs.Dense(3, "softmax", bias=False), inputs=3, dtype=precision, engine=engine)
    net.layers[0].W[...] = np.eye(3)
    J, S, eps = net.jacobian(Z), net(Z), float(np.finfo(precision).eps)
    for row in range(len(Z)):
        with mp.workdps(50):
            e = [mp.exp(mp.mpf(z)) for z in Z[row]]
            exact = [x / sum(e) for x in e]
        for i in range(3):
            # Half an ulp of z − max is an error of as much relative to e^z.
            tolerance = eps * (8 + 2 * float(Z[row].max() - Z[row, i]))
            assert abs(float(S[row, i]) - exact[i]) <= tolerance * exact[i] + 2 * np.finfo(precision).smallest_normal
            for j in range(3):
                assert abs(float(J[row, i, j]) - exact[i] * ((i == j) - exact[j])) <= 64 * eps


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_log_softmax_is_that_of_arbitrary_precision(engine, precision):
    Z = np.array(
        [[0.5, -1.25, 3.0], [100.0, 100.5, 99.0], [-700.0, -700.0, -700.0], [0.0, 80.0, -80.0], [1e4, -1e4, 0.0]]
    )
    net = rs.Network(rs.Dense(3, "log_softmax", bias=False), inputs=3, dtype=precision, engine=engine)
    net.layers[0].W[...] = np.eye(3)
    J, A, eps = net.jacobian(Z), net(Z), float(np.finfo(precision).eps)
    for row in range(len(Z)):
        with mp.workdps(50):
            total = sum(mp.exp(mp.mpf(z)) for z in Z[row])
            exact = [z - mp.log(total) for z in Z[row]]
            S = [mp.exp(mp.mpf(z)) / total for z in Z[row]]
        for i in range(3):
            assert abs(float(A[row, i]) - exact[i]) <= 4 * eps * (1 + np.abs(Z[row]).max())
            for j in range(3):
                assert abs(float(J[row, i, j]) - ((i == j) - S[j])) <= 64 * eps * (1 + min(np.abs(Z[row]).max(), 100))


finite_rows = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(-1e300, 1e300))


@given(finite_rows)
def test_softmax_rows_sum_to_one_and_keep_the_order_of_the_scores(Z):
    S = softmax(Z)
    assert (S >= 0).all()
    np.testing.assert_allclose(S.sum(axis=1), 1, rtol=1e-14)
    order = np.argsort(Z, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(S, order, axis=1), axis=1) >= 0).all()


@given(arrays(np.float64, (3, 5), elements=st.floats(-50, 50)), st.integers(-1000, 1000))
def test_softmax_does_not_see_a_shift_of_all_scores(Z, shift):
    Z = np.round(Z * 2**20) / 2**20  # so that the shift is exact
    np.testing.assert_array_equal(softmax(Z), softmax(Z + shift))


@pytest.mark.parametrize("name", ROW_WISE)
def test_the_pullback_is_the_product_with_the_full_jacobian(name):
    rng = np.random.default_rng(0)
    entry, Z, G = ACTIVATIONS[name], rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    A = entry.value(Z)
    product = np.einsum("ri,rij->rj", G, entry.jacobian(A))
    np.testing.assert_allclose(entry.pullback(Z, A, G), product, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_gradient_passes_through_the_slopes_of_any_kind(name):
    rng = np.random.default_rng(2)
    entry, Z, G, h = ACTIVATIONS[name], rng.uniform(-2, 2, (6, 4)), rng.normal(size=(6, 4)), 1e-6
    D = np.empty((6, 4, 4))  # D[r, i, j] = ∂A_ri/∂Z_rj
    for j in range(4):
        step = h * np.eye(4)[j]
        D[:, :, j] = (entry.value(Z + step) - entry.value(Z - step)) / (2 * h)
    slopes = entry.slopes(Z, entry.value(Z))
    assert slopes.shape == (D.shape if entry.row_wise else Z.shape)
    np.testing.assert_allclose(entry.through(G, slopes), np.einsum("ri,rij->rj", G, D), rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_strict_array_api_arrays_give_what_numpy_gives(name):
    xp = pytest.importorskip("array_api_strict")
    rng = np.random.default_rng(1)
    entry, Z, G = ACTIVATIONS[name], rng.normal(0, 3, (5, 4)), rng.normal(size=(5, 4))
    A = entry.value(Z)
    strict_Z = xp.asarray(Z)
    strict_A = entry.value(strict_Z)
    np.testing.assert_allclose(np.from_dlpack(strict_A), A, rtol=1e-15)
    np.testing.assert_allclose(
        np.from_dlpack(entry.pullback(strict_Z, strict_A, xp.asarray(G))), entry.pullback(Z, A, G), rtol=1e-14
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_precision_of_the_scores_is_kept(name, precision):
    entry, Z = ACTIVATIONS[name], np.linspace(-4, 4, 12, dtype=precision).reshape(3, 4)
    A = entry.value(Z)
    assert A.dtype == precision
    assert entry.pullback(Z, A, np.ones_like(A)).dtype == precision


def test_selu_keeps_mean_zero_and_variance_one():
    # What defines its two constants (Klambauer et al. 2017): E σ(z) = 0 and E σ(z)² = 1 for standard normal z.
    def moment(power: int) -> Any:
        return mp.quad(lambda z: EXACT["selu"](z) ** power * mp.npdf(z), [-mp.inf, 0, mp.inf])

    assert abs(moment(1)) < 1e-14
    assert abs(moment(2) - 1) < 1e-14


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_entry_says_what_it_is(name):
    entry = ACTIVATIONS[name]
    assert entry.name == name
    assert entry.words.en
    assert entry.words.fr
    assert TextSetter().set(entry.formula)
    assert TextSetter().set(entry.derivative_formula)
    assert entry.letter
    assert entry.initializer in INITIALIZERS
