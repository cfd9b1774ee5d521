"""The table of losses: against SciPy, scikit-learn and mpmath, in both engines."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special
import sklearn.metrics

import reseau as rs
from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")

# e(o, t) once more, from other libraries or in arbitrary precision.
EXACT = {
    "squared_error": lambda o, t: (t - o) ** 2 / 2,
    "absolute_error": lambda o, t: abs(t - o),
    "huber": lambda o, t: (t - o) ** 2 / 2 if abs(t - o) <= 1 else abs(t - o) - mp.mpf("0.5"),
    "binary_cross_entropy": lambda o, t: -t * mp.log(o) - (1 - t) * mp.log(1 - o),
    "cross_entropy": lambda o, t: -t * mp.log(o),
    "poisson": lambda o, t: o - t * mp.log(o),
}
OUTPUTS = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax", "poisson": "exponential"}


def network(
    loss: str, outputs: int, output: str | None = None, engine: str | None = None, dtype: str = "float64"
) -> rs.Network:
    """The network O = σ(X): errors are then a function of the scores X alone."""
    layer = rs.Dense(outputs, output or OUTPUTS.get(loss, "identity"), bias=False)
    net = rs.Network(layer, loss=loss, inputs=outputs, dtype=dtype, engine=engine)
    net.layers[0].W[...] = np.eye(outputs)
    return net


def points(loss: str) -> tuple[Any, Any]:
    """Outputs and targets inside a loss's domain and on the finite ends of its targets."""
    entry = LOSSES[loss]
    o = (
        [-2.5, -1.0, -0.2, 0.0, 0.3, 1.0, 4.0]
        if entry.outputs.low < 0
        else [1e-6, 0.1, 0.3, 0.5, 0.9, 1 - 1e-6, 2.0, 30.0]
    )
    t = [-2.0, -0.5, 0.0, 0.2, 1.0, 3.0]
    o = [x for x in o if entry.outputs.contains(Interval(x, x, True, True))]
    t = [x for x in t if entry.targets.contains(Interval(x, x, True, True))]
    O, T = np.meshgrid(o, t)
    return O, T


def test_every_loss_has_an_exact_formula_here():
    assert set(EXACT) == set(LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
def test_values_and_derivatives_are_those_of_arbitrary_precision(loss):
    O, T = points(loss)
    entry = LOSSES[loss]
    values, slopes = entry.value(O, T), entry.derivative(O, T)
    for o, t, value, slope in zip(O.flat, T.flat, values.flat, slopes.flat, strict=True):
        with mp.workdps(60):
            exact = EXACT[loss](mp.mpf(o), mp.mpf(t))
            h = mp.mpf(10) ** -25
            exact_slope = (EXACT[loss](mp.mpf(o) + h, mp.mpf(t)) - EXACT[loss](mp.mpf(o) - h, mp.mpf(t))) / (2 * h)
        # 1 − o and sums are off by an ulp of numbers of size 1 or of the larger term.
        size = 1 + abs(o) + abs(t) * (1 + abs(np.log(abs(o))) if o else 1) + float(abs(exact))
        assert abs(value - exact) <= 4 * 2.3e-16 * size
        assert abs(slope - exact_slope) <= 4 * 2.3e-16 * (1 + abs(o) + abs(t) + 2 * float(abs(exact_slope)))


def test_huber_is_scipy_s():
    O, T = points("huber")
    np.testing.assert_allclose(LOSSES["huber"].value(O, T), scipy.special.huber(1.0, O - T), rtol=1e-15)


def test_squared_and_absolute_errors_are_scikit_learn_s(engine):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    squared = network("squared_error", 3, engine=engine).errors(X, T).mean()
    assert squared == pytest.approx(sklearn.metrics.mean_squared_error(T, X) / 2, rel=1e-14)
    absolute = network("absolute_error", 3, engine=engine).errors(X, T).mean()
    assert absolute == pytest.approx(sklearn.metrics.mean_absolute_error(T, X), rel=1e-14)


def test_cross_entropy_is_scikit_learn_s_log_loss(engine):
    rng = np.random.default_rng(1)
    X, labels = rng.normal(0, 3, (30, 4)), np.arange(30) % 4
    net = network("cross_entropy", 4, engine=engine)
    E = net.errors(X, labels).sum(axis=1)
    exact = sklearn.metrics.log_loss(labels, scipy.special.softmax(X, axis=1), labels=range(4))
    assert E.mean() == pytest.approx(exact, rel=1e-13)
    s = rng.uniform(0.1, 2, 30)
    weighted, _ = net.value_and_gradient(X, labels, sample_weight=s)
    exact = sklearn.metrics.log_loss(labels, scipy.special.softmax(X, axis=1), labels=range(4), sample_weight=s)
    assert weighted == pytest.approx(exact, rel=1e-13)


def test_binary_cross_entropy_is_scikit_learn_s_log_loss(engine):
    rng = np.random.default_rng(2)
    X, y = rng.normal(0, 3, (30, 1)), np.arange(30) % 2
    E = network("binary_cross_entropy", 1, engine=engine).errors(X, y)
    assert E.mean() == pytest.approx(sklearn.metrics.log_loss(y, scipy.special.expit(X[:, 0])), rel=1e-13)


def test_poisson_is_half_scikit_learn_s_deviance_up_to_what_the_targets_alone_give(engine):
    rng = np.random.default_rng(3)
    X, T = rng.normal(size=(25, 1)), rng.poisson(2.0, (25, 1)).astype(float)
    E = network("poisson", 1, engine=engine).errors(X, T).mean()
    of_targets = (T - scipy.special.xlogy(T, T)).mean()
    deviance = sklearn.metrics.mean_poisson_deviance(T[:, 0], np.exp(X[:, 0]))
    assert pytest.approx(deviance / 2 + of_targets, rel=1e-13) == E


@pytest.mark.parametrize("loss", [name for name, entry in LOSSES.items() if entry.simplifies_with])
def test_a_simplified_pair_is_the_chain_rule(loss):
    entry, rng = LOSSES[loss], np.random.default_rng(4)
    sigma = ACTIVATIONS[entry.simplifies_with]
    Z, T = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(3), 40)
    O = sigma.value(Z)
    np.testing.assert_allclose(sigma.pullback(Z, O, entry.derivative(O, T)), O - T, rtol=0, atol=1e-14)
    np.testing.assert_allclose(entry.value_from_scores(Z, T), entry.value(O, T), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("score", [30.0, 90.0, 800.0, 1e30])
def test_cross_entropies_of_saturated_outputs_are_computed_from_the_scores(engine, score, dtype):
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_normal)
    small = float(mp.log1p(mp.exp(-mp.mpf(score))))
    # Sure and wrong: −log φ(−z) = z + log(1 + e^−z), and for softmax of (z, 0) the same.
    binary = network("binary_cross_entropy", 1, engine=engine, dtype=dtype)
    assert binary.errors([[-score]], [1.0])[0, 0] == pytest.approx(score + small, rel=2 * eps)
    assert binary.errors([[score]], [0.0])[0, 0] == pytest.approx(score + small, rel=2 * eps)
    categorical = network("cross_entropy", 2, engine=engine, dtype=dtype)
    np.testing.assert_allclose(categorical.errors([[score, 0.0]], [1]), [[0.0, score + small]], rtol=2 * eps)
    # Sure and right: e^−z.
    assert binary.errors([[score]], [1.0])[0, 0] == pytest.approx(small, rel=4 * eps, abs=tiny)
    assert binary.errors([[-score]], [0.0])[0, 0] == pytest.approx(small, rel=4 * eps, abs=tiny)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_does_not_depend_on_what_all_scores_have_in_common(engine, dtype):
    net = network("cross_entropy", 3, engine=engine, dtype=dtype)
    scores, T = np.array([[0.5, -1.25, 0.75]]), [[0.25, 0.25, 0.5]]
    # 2^17 + z is exact in both precisions; log Σ e^z beside it would have lost z's last 17 bits.
    np.testing.assert_allclose(
        net.errors(scores + 2.0**17, T), net.errors(scores, T), rtol=4 * float(np.finfo(dtype).eps)
    )


@pytest.mark.parametrize(
    ("loss", "output"),
    [("cross_entropy", "log_softmax"), ("binary_cross_entropy", "softmax"), ("poisson", "softplus")],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_output_that_has_underflowed_to_zero_gives_a_large_error_and_no_nan(engine, loss, output, dtype):
    net = network(loss, 2, output, engine=engine, dtype=dtype)
    E, g = net.value_and_gradient([[-5000.0, 5000.0]], [[1.0, 0.0]])
    assert 80 < E <= 1e4  # −log of the smallest normal number, 87.3 or 708.4; Poisson adds o = 5000; −log S = 10⁴
    assert np.isfinite(g).all()


def test_of_logarithms_the_cross_entropy_is_its_value_at_the_exponential():
    rng = np.random.default_rng(5)
    O, T = np.log(rng.dirichlet(np.ones(3), 40)), rng.dirichlet(np.ones(3), 40)
    entry = LOSSES["cross_entropy"]
    of_logarithms = entry.of(ACTIVATIONS["log_softmax"])
    assert entry.of(ACTIVATIONS["softmax"]) is entry
    np.testing.assert_allclose(of_logarithms.value(O, T), entry.value(np.exp(O), T), rtol=1e-13, atol=1e-15)
    chain = entry.derivative(np.exp(O), T) * np.exp(O)  # dp/do = p for p = e^o
    np.testing.assert_allclose(of_logarithms.derivative(O, T), chain, rtol=1e-13)
    for j in range(3):
        values = {"o": O[0], "t": T[0], "j": j}
        assert of_logarithms.formula.evaluate(values, False) == pytest.approx(
            of_logarithms.value(O, T)[0, j], rel=1e-14
        )
        slope = of_logarithms.derivative_formula.evaluate(values, False)
        assert slope == of_logarithms.derivative(O, T)[0, j]


@pytest.mark.parametrize("loss", LOSSES)
def test_every_entry_says_what_it_is(loss):
    entry = LOSSES[loss]
    assert entry.name == loss
    assert entry.words.en
    assert entry.words.fr
    assert TextSetter().set(entry.formula)
    assert TextSetter().set(entry.derivative_formula)
    assert entry.simplifies_with is None or entry.takes(ACTIVATIONS[entry.simplifies_with])
    assert (entry.simplifies_with is None) == (entry.value_from_scores is None)
