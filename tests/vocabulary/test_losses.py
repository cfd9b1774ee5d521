"""The table of losses: against SciPy, scikit-learn and mpmath, in both engines."""

from __future__ import annotations

import pickle
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics

import reseau as rs
from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.losses import LOSSES, Loss

# e(o, t) once more, from other libraries or in arbitrary precision.
EXACT = {
    "squared_error": lambda o, t: (t - o) ** 2 / 2,
    "absolute_error": lambda o, t: abs(t - o),
    "huber": lambda o, t: (t - o) ** 2 / 2 if abs(t - o) <= 1 else abs(t - o) - mp.mpf("0.5"),
    "log_cosh": lambda o, t: mp.log(mp.cosh(t - o)),
    "quantile": lambda o, t: abs(t - o) / 2,  # at the median
    "binary_cross_entropy": lambda o, t: -t * mp.log(o) - (1 - t) * mp.log(1 - o),
    "cross_entropy": lambda o, t: -t * mp.log(o),
    "binary_focal": lambda o, t: -t * (1 - o) ** 2 * mp.log(o) - (1 - t) * o**2 * mp.log(1 - o),
    "focal": lambda o, t: -t * (1 - o) ** 2 * mp.log(o),
    "poisson": lambda o, t: o - t * mp.log(o),
    "gamma": lambda o, t: mp.log(o) + t / o,
    "tweedie": lambda o, t: 2 * mp.sqrt(o) + 2 * t / mp.sqrt(o),
    "negative_binomial": lambda o, t: (t + 1) * mp.log(1 + o) - t * mp.log(o),
}
OF_PAIRS = {"gaussian", "student_t"}  # of a mean and a scale, below
OUTPUTS = {
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "binary_focal": "sigmoid",
    "focal": "softmax",
    **dict.fromkeys(("poisson", "gamma", "tweedie", "negative_binomial"), "exponential"),
    "gaussian": "mean_scale",
}


def network(
    loss: str | Loss, outputs: int, output: str | None = None, engine: str | None = None, dtype: str = "float64"
) -> rs.Network:
    """The network O = σ(X): errors are then a function of the scores X alone."""
    layer = rs.Dense(outputs, output or (OUTPUTS.get(loss, "identity") if isinstance(loss, str) else None), bias=False)
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
    assert set(EXACT) | OF_PAIRS == set(LOSSES)


@pytest.mark.parametrize("loss", EXACT)
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
    delta = entry.delta_from_scores(Z, O, T)
    np.testing.assert_allclose(sigma.pullback(Z, O, entry.derivative(O, T)), delta, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(entry.value_from_scores(Z, T), entry.value(O, T), rtol=1e-13, atol=1e-14)


SIMPLIFYING = [
    *(entry for entry in LOSSES.values() if entry.simplifies_with),
    rs.CrossEntropy(label_smoothing=0.3),
    rs.BinaryCrossEntropy(label_smoothing=0.3),
    *(rs.BinaryFocal(gamma) for gamma in (0, 1, 1.7)),
    *(rs.Tweedie(power) for power in (1, 1.7, 2, 2.5, 3)),
    rs.NegativeBinomial(0.3),
]


@pytest.mark.parametrize("entry", SIMPLIFYING, ids=str)
def test_the_formulas_of_a_simplified_pair_give_what_is_computed(entry):
    rng = np.random.default_rng(4)
    Z, T = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(3), 4)
    O = ACTIVATIONS[entry.simplifies_with].value(Z)
    delta, e = entry.delta_from_scores(Z, O, T), entry.value(O, T)
    for r, j in np.ndindex(Z.shape):
        values = {"o": O[r], "t": T[r], "j": j}
        assert entry.delta_formula.evaluate(values) == pytest.approx(delta[r, j], rel=1e-12, abs=1e-14)
        assert entry.formula.evaluate(values) == pytest.approx(e[r, j], rel=1e-12, abs=1e-14)


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
    assert entry.takes(ACTIVATIONS[entry.output])


# --- losses with numbers ----------------------------------------------------------------------------------------------

# Every loss with each of its numbers away from its default.
WITH_NUMBERS = [
    rs.Huber(1.5),
    rs.Huber(0.25),
    rs.Quantile(0.9),
    rs.Quantile([0.1, 0.5, 0.9]),
    rs.BinaryCrossEntropy(label_smoothing=0.1),
    rs.CrossEntropy(label_smoothing=0.25),
    rs.BinaryFocal(gamma=0.5),
    rs.BinaryFocal(gamma=0),
    rs.Focal(gamma=1),
    rs.Focal(gamma=0.7),
    rs.Tweedie(1.0),
    rs.Tweedie(1.8),
    rs.Tweedie(2.0),
    rs.Tweedie(3.0),
    rs.NegativeBinomial(0.3),
    rs.StudentT(2.5),
]


def tried(loss: Loss, engine: str | None = None, dtype: str = "float64", rows: int = 9) -> tuple[rs.Network, Any, Any]:
    """A small network with the loss's own output, and data that it takes."""
    rng = np.random.default_rng(8)
    outputs = 3 if loss.distribution else 1
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(outputs), loss=loss, inputs=2, dtype=dtype, seed=3, engine=engine)
    X = rng.normal(size=(rows, 2))
    if loss.distribution:
        return net, X, rng.dirichlet(np.ones(3), rows)
    return net, X, rng.uniform(0.1, 0.9, rows)


def test_every_loss_that_has_numbers_is_tried_with_others():
    assert {type(loss) for loss in WITH_NUMBERS} == {type(entry) for entry in LOSSES.values() if entry.numbers()}


@pytest.mark.parametrize("loss", WITH_NUMBERS, ids=str)
def test_a_loss_with_numbers_has_the_numerical_gradient(engine, loss):
    net, X, T = tried(loss, engine)
    E, g = net.value_and_gradient(X, T)
    assert pytest.approx(net.errors(X, T).sum(axis=1).mean(), rel=1e-14) == E
    w, h = net.parameters.copy(), 1e-6
    for place in range(w.size):
        found = []
        for step in (h, -h):
            net.parameters[...] = w
            net.parameters[place] += step
            found.append(net.errors(X, T).sum(axis=1).mean())
        assert (found[0] - found[1]) / (2 * h) == pytest.approx(g[place], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [*WITH_NUMBERS, *LOSSES.values()], ids=str)
def test_both_engines_compute_the_same_of_a_loss_whatever_its_numbers(native, loss, dtype):
    found = []
    for name in ("native", "reference"):
        net, X, T = tried(loss, name, dtype, rows=37)
        history = net.fit(X, T, optimizer=rs.SGD(0.01), epochs=2, batch_size=8)
        found.append((net.parameters, net.errors(X, T), history.loss))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e3 * np.finfo(dtype).eps, atol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("loss", WITH_NUMBERS, ids=str)
def test_a_loss_with_numbers_goes_wherever_a_name_goes(loss, tmp_path):
    net, X, T = tried(loss)
    assert net.loss == loss
    assert f"loss={loss}" in repr(net)
    assert str(loss) in net.summary()
    net.save(tmp_path / "net.reseau")
    for other in (rs.load(tmp_path / "net.reseau"), pickle.loads(pickle.dumps(net))):
        assert other.loss == loss
        assert other.errors(X, T).tobytes() == net.errors(X, T).tobytes()
    for lang in ("en", "fr"):
        board = net.blackboard(X[:2], T[:2], lang=lang, digits=6)
        np.testing.assert_allclose(board.e, net.errors(X[:2], T[:2]), rtol=1e-12, atol=1e-15)
        assert board.to_html()
        assert board.to_latex()
    again = rs.Network(rs.Dense(4, "tanh"), rs.Dense(3 if loss.distribution else 1), loss=loss, seed=3)
    rs.fit_many([again, tried(loss)[0]], X, T, epochs=1)


@pytest.mark.parametrize("loss", [*(x for x in WITH_NUMBERS if not x.distribution), LOSSES["gaussian"]], ids=str)
def test_the_formulas_of_a_loss_with_numbers_have_the_values_of_its_functions(loss):
    for o, t in ((0.3, 0.25), (0.3, 0.9), (0.7, 0.1)):
        O, T = np.array([[o] * loss.per_target]), np.array([[t] * loss.per_target])
        for j in range(loss.per_target):
            values = {"o": O[0], "t": T[0], "j": j}
            assert loss.formula.evaluate(values) == pytest.approx(loss.value(O, T)[0, j], rel=1e-14)
            assert loss.derivative_formula.evaluate(values) == pytest.approx(loss.derivative(O, T)[0, j], rel=1e-14)
        assert TextSetter().set(loss.formula)


def test_a_run_with_other_numbers_does_not_take_up_a_checkpoint(tmp_path):
    for loss in (rs.Huber(1.5), rs.Huber(1.5)):
        net, X, T = tried(loss)
        net.fit(X, T, epochs=2, checkpoint=tmp_path)
    net, X, T = tried(rs.Huber(2.0))
    with pytest.raises(rs.ReseauError, match=r"another run|other"):
        net.fit(X, T, epochs=2, checkpoint=tmp_path)


def test_the_numbers_that_a_name_stands_for_are_that_name():
    for loss in (rs.Huber(), rs.Huber(1), rs.Quantile(0.5), rs.Tweedie(1.5), rs.CrossEntropy(), rs.StudentT(4)):
        net = rs.Network(rs.Dense(3), loss=loss, inputs=2) if loss.distribution else rs.Network(rs.Dense(1), loss=loss)
        assert net.loss == loss.name
    plain = rs.Network(rs.Dense(2), loss="huber", inputs=2)
    assert plain.describe()["loss"] == "huber"
    assert "loss_numbers" not in plain.describe()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.Huber(0), "delta is 0, but must be a finite number above 0"),
        (lambda: rs.Huber("1"), "delta is '1'"),
        (lambda: rs.Huber(np.inf), "delta is inf"),
        (lambda: rs.Quantile([]), r"levels is \[\], but must be a number above 0 and below 1"),
        (lambda: rs.Quantile(1.0), "levels is 1.0, but must be a finite number above 0 and below 1"),
        (lambda: rs.Quantile([0.5, 0.1]), r"levels\[1\] is 0.1 after 0.5, but levels must ascend.*\[0.1, 0.5\]"),
        (lambda: rs.Quantile([0.5, 0.5]), "must ascend"),
        (lambda: rs.Quantile([0.5, np.nan]), r"levels\[1\] is nan"),
        (lambda: rs.Quantile("0.5"), "levels is '0.5'"),
        (lambda: rs.Tweedie(0.5), "power is 0.5, but must be a finite number at least 1 and at most 3"),
        (lambda: rs.CrossEntropy(1.0), "label_smoothing is 1.0"),
        (lambda: rs.Focal(-1), "gamma is -1"),
        (lambda: rs.NegativeBinomial(0), "dispersion is 0"),
        (lambda: rs.StudentT(0), "df is 0"),
        (
            lambda: rs.Network(rs.Dense(1), loss=rs.Huber),
            r"loss is the class Huber, but must be .*: Huber\(",
        ),
        (lambda: rs.Network(rs.Dense(2), loss=rs.Quantile([0.1, 0.5, 0.9])), "3 levels of one target.*has 2 neurons"),
        (lambda: rs.Network(rs.Dense(3), loss="gaussian"), "2 outputs for each target, but the last layer has 3"),
        (lambda: rs.Network(rs.Dense(2, "identity"), loss="gaussian"), "pairs of a mean and a scale.*mean_scale"),
    ],
)
def test_numbers_and_outputs_that_make_no_loss_are_refused_in_a_sentence(make, words):
    with pytest.raises(rs.ParameterError, match=words):
        make()


def test_targets_outside_of_what_a_loss_is_defined_for_are_refused():
    for loss, wrong in (("gamma", 0.0), ("tweedie", -1.0), (rs.Tweedie(2.5), 0.0), ("negative_binomial", -1.0)):
        net = rs.Network(rs.Dense(1), loss=loss, inputs=1, seed=0)
        with pytest.raises(rs.DataError, match=f"y holds {wrong:g} at row 1, but loss=.* needs targets in"):
            net.errors([[1.0], [2.0]], [1.0, wrong])
    net = rs.Network(rs.Dense(1), loss=rs.Quantile([0.1, 0.9]), inputs=1, seed=0)
    with pytest.raises(rs.DataError, match=r"2 output\(s\) for 1 target\(s\): it must be \(2, 1\)"):
        net.errors([[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]])


# --- against other libraries ------------------------------------------------------------------------------------------

SCORES, LABELS = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]), np.array([2, 1])


def errors_and_slopes(loss: Loss | str, scores: Any, T: Any, engine: str) -> tuple[Any, Any]:
    """The error of each row, and ∂E/∂Z of it."""
    scores, T = np.asarray(scores, dtype=float), np.asarray(T)
    net = network(loss, scores.shape[1], engine=engine)
    slopes = [net.value_and_gradient(z[None, :], T[r : r + 1])[1].reshape(len(z), -1) for r, z in enumerate(scores)]
    # ∂E/∂W_ij = z_i δ_j
    return net.errors(scores, T), np.array([g[0] / z[0] for g, z in zip(slopes, scores, strict=True)])


def test_huber_is_torch_s(engine):
    # torch.nn.HuberLoss(delta=1.5, reduction="none")(O, T) in float64, and its gradient
    O, T = [[-2.0, 0.25], [0.75, 3.0]], [[1.0, 0.5], [0.5, -1.0]]
    e, slopes = errors_and_slopes(rs.Huber(1.5), O, T, engine)
    np.testing.assert_allclose(e, [[3.375, 0.03125], [0.03125, 4.875]], rtol=1e-15)
    np.testing.assert_allclose(slopes, [[-1.5, -0.25], [0.25, 1.5]], rtol=1e-14)


def test_label_smoothing_is_torch_s(engine):
    # torch.nn.CrossEntropyLoss(label_smoothing=0.1, reduction="none")(SCORES, LABELS), and its gradient
    e, slopes = errors_and_slopes(rs.CrossEntropy(label_smoothing=0.1), SCORES, LABELS, engine)
    np.testing.assert_allclose(e.sum(axis=1), [0.391311296657157, 1.5723392760738908], rtol=1e-14)
    expected = [
        [0.14195705880670337, 0.0057792399373541165, -0.14773629874405747],
        [0.6851070078177316, -0.7274967293356818, 0.04238972151795018],
    ]
    np.testing.assert_allclose(slopes, expected, rtol=1e-13)
    # the same with label_smoothing=0.25 of probabilities
    P = [[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]
    e, _ = errors_and_slopes(rs.CrossEntropy(0.25), SCORES, P, engine)
    np.testing.assert_allclose(e.sum(axis=1), [1.516311296657157, 1.559839276073891], rtol=1e-14)


def test_the_smoothing_of_two_classes_is_that_of_a_softmax_of_two(engine):
    z = np.array([[0.5], [-3.0], [2.0]])
    one = network(rs.BinaryCrossEntropy(0.2), 1, engine=engine).errors(z, [1.0, 1.0, 0.0])
    both = network(rs.CrossEntropy(0.2), 2, engine=engine).errors(np.hstack([0 * z, z]), [1, 1, 0])
    np.testing.assert_allclose(one[:, 0], both.sum(axis=1), rtol=1e-14)


def test_focal_losses_are_keras_s():
    # keras.losses.CategoricalFocalCrossentropy(alpha=1, gamma=2), BinaryFocalCrossentropy(gamma=1.5), in float32
    P, T = np.array([[0.2, 0.7, 0.1], [0.4, 0.35, 0.25]]), np.array([[0.0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(rs.Focal(2).value(P, T).sum(axis=1), [0.0321, 0.3299], atol=5e-5)
    P, T = np.array([[0.3], [0.2]]), np.array([[1.0], [0.0]])
    np.testing.assert_allclose(rs.BinaryFocal(1.5).value(P, T)[:, 0], [0.7051, 0.0200], atol=5e-5)


def test_without_gamma_a_focal_loss_is_the_cross_entropy(engine):
    focal, plain = (
        [network(loss, n, engine=engine).errors(SCORES[:, :n], T) for loss, n, T in pairs]
        for pairs in (
            ((rs.Focal(0), 3, LABELS), (rs.BinaryFocal(0), 2, [[0.0, 1.0], [1.0, 0.25]])),
            ((rs.CrossEntropy(), 3, LABELS), (rs.BinaryCrossEntropy(), 2, [[0.0, 1.0], [1.0, 0.25]])),
        )
    )
    for ours, theirs in zip(focal, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_quantiles_are_scikit_learn_s_pinball_losses(engine):
    rng = np.random.default_rng(4)
    levels = [0.05, 0.3, 0.5, 0.95]
    net = rs.Network(
        rs.Dense(4, "identity", bias=False), loss=rs.Quantile(levels), inputs=4, dtype="float64", engine=engine
    )
    net.layers[0].W[...] = np.eye(4)
    X, y = rng.normal(size=(31, 4)), rng.normal(size=31)
    expected = [sklearn.metrics.mean_pinball_loss(y, X[:, k], alpha=tau) for k, tau in enumerate(levels)]
    np.testing.assert_allclose(net.errors(X, y).mean(axis=0), expected, rtol=1e-13)


@pytest.mark.parametrize("power", [1.0, 1.2, 1.5, 1.9, 2.0, 3.0])
def test_tweedie_is_half_scikit_learn_s_deviance_up_to_what_the_targets_alone_give(engine, power):
    rng = np.random.default_rng(5)
    X, T = rng.normal(size=(25, 1)), rng.gamma(2.0, 1.0, 25)
    T = np.where(np.arange(25) % 3, T, 0.0) if power < 2 else T
    loss = rs.Tweedie(power)
    E = network(loss, 1, engine=engine).errors(X, T).mean()
    at_best = loss.least(T[:, None]).mean()
    deviance = sklearn.metrics.mean_tweedie_deviance(T, np.exp(X[:, 0]), power=power)
    assert pytest.approx(deviance / 2, rel=1e-12) == E - at_best


def test_gamma_is_half_scikit_learn_s_deviance_and_scipy_s_density(engine):
    rng = np.random.default_rng(6)
    X, T = rng.normal(size=(25, 1)), rng.gamma(2.0, 1.0, 25)
    net = network("gamma", 1, engine=engine)
    at_best = (1 + np.log(T)).mean()
    deviance = sklearn.metrics.mean_gamma_deviance(T, np.exp(X[:, 0]))
    assert pytest.approx(deviance / 2, rel=1e-12) == net.errors(X, T).mean() - at_best
    exponential = -scipy.stats.expon.logpdf(T, scale=np.exp(X[:, 0]))  # the gamma distribution of shape 1
    np.testing.assert_allclose(net.errors(X, T)[:, 0], exponential, rtol=1e-13)


@pytest.mark.parametrize("alpha", [0.01, 0.5, 3.0])
def test_negative_binomial_is_scipy_s_density_up_to_what_the_targets_alone_give(engine, alpha):
    rng = np.random.default_rng(7)
    X, T = rng.normal(size=(30, 1)), rng.poisson(2.0, 30).astype(float)
    o = np.exp(X[:, 0])
    e = network(rs.NegativeBinomial(alpha), 1, engine=engine).errors(X, T)[:, 0]
    log_pmf = scipy.stats.nbinom.logpmf(T, 1 / alpha, 1 / (1 + alpha * o))
    gammaln = scipy.special.gammaln
    of_targets = gammaln(T + 1 / alpha) - gammaln(1 / alpha) - gammaln(T + 1) + T * np.log(alpha)
    np.testing.assert_allclose(e, -log_pmf + of_targets, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("score", [-800.0, -90.0, 90.0, 300.0])
@pytest.mark.parametrize("loss", ["gamma", "tweedie", rs.Tweedie(1.2), "negative_binomial", rs.NegativeBinomial(0.01)])
def test_losses_of_means_stay_finite_where_the_mean_over_or_underflows(engine, loss, score):
    net = rs.Network(rs.Dense(1, bias=False), loss=loss, inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 1
    E, g = net.value_and_gradient([[score / 2]], [0.5])
    assert np.isfinite([E, *g]).all()
    counts = rs.Network(rs.Dense(1, bias=False), loss=rs.NegativeBinomial(2.0), inputs=1, engine=engine)
    counts.parameters[...] = 1
    E, g = counts.value_and_gradient([[score]], [3.0])  # from the score: o itself is 0 or infinite
    assert np.isfinite([E, *g]).all()
    slope = -3.0 if score < 0 else 0.5  # (o − t)/(1 + α o) at both ends
    assert g[0] == pytest.approx(score * slope, rel=1e-6)


def test_mean_and_scale_are_those_of_scipy_s_densities_and_of_torch(engine):
    mean, scale, t = np.array([0.5, -1.0, 2.0]), np.array([0.5, 2.0, 1.25]), np.array([1.0, 1.0, -0.5])
    scores = np.column_stack([mean, np.log(scale)])
    for loss, distribution in (("gaussian", scipy.stats.norm), (rs.StudentT(5), scipy.stats.t(5))):
        net = network(loss, 2, engine=engine)
        np.testing.assert_allclose(net(scores), np.column_stack([mean, scale]), rtol=1e-15)
        E = net.errors(scores, t).sum(axis=1)
        density = distribution.logpdf((t - mean) / scale) - np.log(scale)
        np.testing.assert_allclose(E, distribution.logpdf(0.0) - density, rtol=1e-13)
    # torch.nn.GaussianNLLLoss(reduction="none")(mean, t, scale**2), and its gradient by mean and scale
    E = network("gaussian", 2, engine=engine).errors(scores, t).sum(axis=1)
    np.testing.assert_allclose(E, [-0.1931471805599453, 1.1931471805599454, 2.2231435513142097], rtol=1e-14)
    _, slopes = errors_and_slopes("gaussian", scores, t, engine)
    np.testing.assert_allclose(slopes, np.column_stack([[-2.0, -0.5, 1.6], [0.0, 0.0, -2.4 * 1.25]]), atol=1e-14)


@pytest.mark.parametrize("targets", [1, 2, 5, 20])
@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_target_has_a_mean_and_a_scale_beside_it(engine, targets, rows, dtype):
    rng = np.random.default_rng(targets)
    net = rs.Network(rs.Dense(2 * targets), loss="gaussian", inputs=3, dtype=dtype, seed=0, engine=engine)
    X, T = rng.normal(size=(rows, 3)), rng.normal(size=(rows, targets))
    O = net(X).astype(np.float64)
    mean, scale = O[:, 0::2], O[:, 1::2]
    assert (scale > 0).all()
    e = net.errors(X, T)
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(e[:, 0::2], ((T - mean) / scale) ** 2 / 2, rtol=tolerance * 10, atol=tolerance)
    np.testing.assert_allclose(e[:, 1::2], np.log(scale), rtol=tolerance, atol=tolerance)
    _, g = net.value_and_gradient(X, T)
    r = (T - mean) / scale
    delta = np.stack([-r / scale, 1 - r * r], axis=2).reshape(rows, -1) / rows  # ∂E/∂Z, the scale being e^z
    expected = np.vstack([X.T @ delta, delta.sum(axis=0)])
    np.testing.assert_allclose(g.reshape(4, -1), expected, rtol=0, atol=20 * tolerance * np.abs(delta).max() * rows)


@pytest.mark.parametrize("levels", [2, 3, 16, 17, 40])
@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_levels_ascends_along_each_row(engine, levels, rows, dtype):
    rng = np.random.default_rng(levels)
    taus = np.arange(1, levels + 1) / (levels + 1)
    net = rs.Network(rs.Dense(1), loss=rs.Quantile(taus), inputs=3, dtype=dtype, seed=1, engine=engine)
    X, y = 3 * rng.normal(size=(rows, 3)), rng.normal(size=(rows, 1))
    O = net(X)
    assert O.shape == (rows, levels)
    assert (np.diff(O, axis=1) >= 0).all()
    scores = X @ net.layers[0].W.astype(np.float64) + net.layers[0].b
    expected = np.cumsum(np.hstack([scores[:, :1], np.logaddexp(0, scores[:, 1:])]), axis=1)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(O, expected, rtol=0, atol=8 * eps * levels * (1 + np.abs(expected).max()))
    r = y - O.astype(np.float64)
    np.testing.assert_allclose(net.errors(X, y), np.maximum(taus * r, (taus - 1) * r), rtol=8 * eps, atol=8 * eps)
    _, g = net.value_and_gradient(X, y)
    by_outputs = np.where(r > 0, -taus, 1 - taus) / rows
    delta = np.cumsum(by_outputs[:, ::-1], axis=1)[:, ::-1]
    delta[:, 1:] *= scipy.special.expit(scores[:, 1:])
    expected = np.vstack([X.T @ delta, delta.sum(axis=0)])
    near = np.abs(r).min() > 1e-5 * (1 + np.abs(O).max())  # no residual near its kink
    assert near
    size = 1 + np.abs(O).max()
    np.testing.assert_allclose(
        g.reshape(4, -1), expected, rtol=0, atol=40 * eps * levels * size * (1 + np.abs(X).max())
    )


def test_quantiles_of_a_skewed_target_are_learnt(engine):
    rng = np.random.default_rng(0)
    y = rng.exponential(size=4000)
    net = rs.Network(rs.Dense(1), loss=rs.Quantile([0.1, 0.5, 0.9]), inputs=1, dtype="float64", seed=0, engine=engine)
    with pytest.warns(UserWarning, match="The inputs are the same for every row"):
        net.fit(np.zeros((4000, 1)), y, optimizer=rs.Adam(0.02), epochs=30, batch_size=100)
    found = net([[0.0]])[0]
    np.testing.assert_allclose(found, np.quantile(y, [0.1, 0.5, 0.9]), rtol=0.08)


@pytest.mark.filterwarnings("ignore:.*The inputs are the same for every row")
def test_mean_and_scale_of_noise_are_learnt(engine):
    rng = np.random.default_rng(1)
    y = 3 + 0.5 * rng.normal(size=4000)
    net = rs.Network(rs.Dense(1), loss="gaussian", inputs=1, dtype="float64", seed=0, engine=engine)
    net.fit(np.zeros((4000, 1)), y, optimizer=rs.Adam(0.02), epochs=30, batch_size=100)
    np.testing.assert_allclose(net([[0.0]])[0], [y.mean(), y.std()], rtol=0.05)
