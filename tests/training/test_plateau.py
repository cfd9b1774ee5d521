"""Fits that end no better than constant outputs: when that is said, with which cause, and when it is not."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_absolute_error, mean_poisson_deviance, mean_squared_error

import reseau as rs
from reseau.training.constants import loss_of_constants, room_below

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 5))
Y = np.sin(X[:, 0]) + X[:, 1]
LABELS = (Y > 0).astype(int)
NOISE = rng.normal(size=400)


def network(activation: str = "relu", outputs: int = 1, **options: Any) -> rs.Network:
    return rs.Network(rs.Dense(16, activation), rs.Dense(outputs), **{"seed": 0, "inputs": 5, **options})


def dead(**options: Any) -> rs.Network:
    net = network(**options)
    net.layers[0].b[...] = -100
    return net


def told(net: rs.Network, X: Any, y: Any, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y, **{"epochs": 30, **options})
    assert all(w.category is UserWarning and w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize(
    ("net", "options", "cause"),
    [
        (dead, {}, r"All neurons of layer 1, Dense\(16, 'relu'\), give 0 for every row.*smaller learning rate"),
        (lambda **k: dead(outputs=2, loss="cross_entropy", **k), {"y": LABELS}, "give 0 for every row"),
        (lambda **k: dead(loss="absolute_error", **k), {"y": np.exp(Y), "optimizer": rs.Adam(0.05)}, "layer 1.*give 0"),
        (network, {"optimizer": rs.Adam(1e-8)}, "weights have hardly moved: use a larger learning rate"),
        (network, {"optimizer": rs.SGD(1e-7)}, "weights have hardly moved"),
        (network, {"X": X * 1e-6}, "inputs hardly differ, no column of X spreads by more than 1.02e-06: standardise"),
        (network, {"X": X * 1e4}, "The inputs are out of scale, X holds -38994.2 at row 95, column 3: standardise"),
        (network, {"y": Y * 1e6}, "The targets are out of scale, y holds"),
        (network, {"y": Y + 1e4}, "The targets are out of scale, y holds"),
        (network, {"y": Y * 1e-6}, "The targets hardly differ, y spreads by 1.19e-06: standardise them"),
        (
            network,
            {"l2": 1e3, "batch_size": 400, "epochs": 300, "optimizer": rs.SGD(0.1)},
            "weights have become next to 0: use a smaller penalty",
        ),
    ],
)  # fmt: skip
def test_the_warning_names_the_loss_of_constant_outputs_and_the_likely_cause(engine, net, options, cause):
    (words,) = told(net(engine=engine), **{"X": X, "y": Y, **options})
    assert words.startswith(f"after {options.get('epochs', 30)} epochs the loss is ")
    assert "that of constant outputs" in words
    assert re.search(cause, words)


def test_sigmoids_at_the_end_of_their_range_are_named(engine):
    net = network("sigmoid", engine=engine)
    net.layers[0].b[...] = 100
    (words,) = told(net, X, Y, optimizer=rs.Adam(0.01))
    assert "All neurons of layer 1, Dense(16, 'sigmoid'), give the same for every row, being at the end" in words


@pytest.mark.parametrize(
    ("y", "options"),
    [
        (Y, {}),
        (Y, {"epochs": 9, "optimizer": rs.Adam(1e-8)}),  # too short to say anything
        (Y, {"epochs": 30, "batch_size": 400, "optimizer": rs.Adam(1e-8)}),
        (Y, {"optimizer": rs.Adam(1e-5)}),  # on its way
        (NOISE, {}),
        (NOISE, {"epochs": 100}),
        (NOISE, {"optimizer": rs.SGD(0.01)}),
        (np.ones(400), {}),
        (np.zeros(400), {}),
    ],
    ids=["learnt", "short", "few steps", "on its way", "noise", "noise by heart", "sgd", "ones", "zeros"],
)
def test_other_fits_are_not_said(engine, y, options):
    assert told(network(engine=engine), X, y, **options) == []


def test_labels_that_nothing_tells_are_not_said(engine):
    net = network(outputs=2, loss="cross_entropy", engine=engine)
    assert told(net, X, rng.integers(0, 2, 400)) == []
    net = network(outputs=2, loss="cross_entropy", engine=engine)
    assert told(net, X, 0 * LABELS) == []


def test_rows_that_count_nothing_are_left_out(engine):
    # Those that count are all the same, and have been learnt.
    y, s = np.where(X[:, 0] > 0, 1.0, 100 * NOISE), (X[:, 0] > 0).astype(float)
    assert told(network(engine=engine), X, y, sample_weight=s) == []
    (words,) = told(dead(engine=engine), X, Y, sample_weight=s, optimizer=rs.Adam(0.01))
    assert "give 0 for every row" in words


def test_many_networks_are_told_of_once(recwarn):
    nets = [network(), dead(), dead(seed=1)]
    rs.fit_many(nets, X, Y, epochs=30)
    (warning,) = recwarn
    assert str(warning.message).startswith("networks[1]: after 30 epochs the loss is")
    assert "1 more" in str(warning.message)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("X", "y", "cause"),
    [
        (X + 1.6e9, Y, "The inputs are out of scale"),
        (X * 1e-8, Y, "The inputs hardly differ"),
        (X, Y * 1e-8, "The targets hardly differ"),
    ],
    ids=["offset", "small inputs", "small targets"],
)
def test_estimators_say_it_too(solver, X, y, cause, recwarn):
    rs.MLPRegressor(hidden_layer_sizes=(3,), solver=solver, random_state=0, max_iter=100, tol=1e-5).fit(X, y)
    said = [w for w in recwarn if "constant outputs" in str(w.message) or "More iterations" in str(w.message)]
    assert len(said) == 1
    assert issubclass(said[0].category, ConvergenceWarning)
    assert cause in str(said[0].message)
    assert said[0].filename == __file__


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lbfgs_does_not_ask_for_more_iterations_that_cannot_help(dtype):
    # The scores are some 10⁶: the loss is at its upper bound, whatever the weights, and no step is found.
    samples = (X * 1e6).astype(dtype)
    with pytest.warns(ConvergenceWarning) as said:
        rs.MLPClassifier(solver="lbfgs", random_state=0).fit(samples, LABELS)
    (words,) = {str(w.message) for w in said}
    assert "max_iter" not in words
    assert "More iterations will not help. The inputs are out of scale, X holds" in words


def test_lbfgs_asks_for_more_iterations_where_they_help():
    with pytest.warns(ConvergenceWarning, match="Raise max_iter or max_fun"):
        rs.MLPRegressor(solver="lbfgs", random_state=0, max_iter=3).fit(X, Y)


# --- the loss of constants --------------------------------------------------------------------------------------------


def of(loss: str, outputs: int, output: str | None = None) -> Any:
    return rs.Network(rs.Dense(outputs, output), loss=loss, inputs=1).architecture


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_constants_is_that_of_scikit_learn_s_dummies(weighted):
    s = rng.uniform(size=400) if weighted else None
    y = rng.integers(0, 4, 400)
    prior = DummyClassifier(strategy="prior").fit(X, y, s).predict_proba(X)
    assert loss_of_constants(of("cross_entropy", 4), y, s) == pytest.approx(log_loss(y, prior, sample_weight=s))
    one_hot = np.eye(4)[y]
    assert loss_of_constants(of("cross_entropy", 4), one_hot, s) == pytest.approx(log_loss(y, prior, sample_weight=s))
    T = np.column_stack([Y, NOISE])
    mean = DummyRegressor().fit(X, T, s).predict(X)
    expected = 0.5 * sum(mean_squared_error(T, mean, sample_weight=s, multioutput="raw_values"))
    assert loss_of_constants(of("squared_error", 2), T, s) == pytest.approx(expected)
    counts = rng.poisson(3, size=(400, 1))
    mean = DummyRegressor().fit(X, counts, s).predict(X)
    saturated = np.average(np.where(counts > 0, counts - counts * np.log(np.maximum(counts, 1)), 0).ravel(), weights=s)
    deviance = mean_poisson_deviance(counts, mean, sample_weight=s)
    assert loss_of_constants(of("poisson", 1), counts, s) == pytest.approx(deviance / 2 + saturated)


def test_the_loss_of_constants_is_that_of_the_median_where_it_is_smaller():
    T = np.exp(2 * NOISE)[:, None]
    median = DummyRegressor(strategy="median").fit(X, T).predict(X)
    assert loss_of_constants(of("absolute_error", 1), T) == pytest.approx(mean_absolute_error(T, median))


def test_the_loss_of_constants_with_a_scale_is_that_of_the_best_normal_distribution():
    T = np.repeat(np.column_stack([3 + 2 * Y, 1e6 * NOISE]), 2, axis=1)
    density = scipy.stats.norm.logpdf(T[:, ::2], T[:, ::2].mean(axis=0), T[:, ::2].std(axis=0)).sum(axis=1)
    expected = -density.mean() - 2 * 0.5 * np.log(2 * np.pi)
    assert loss_of_constants(of("gaussian", 4), T) == pytest.approx(expected)
    assert np.isnan(loss_of_constants(of("gaussian", 4), np.ones((400, 4))))
    student = loss_of_constants(of("student_t", 4), T)
    best = sum(
        scipy.optimize.minimize(
            lambda p, t=t: np.mean(2.5 * np.log1p(((t - p[0]) / p[1]) ** 2 / 4)) + np.log(p[1]),
            [np.median(t), t.std()],
            method="Nelder-Mead",
        ).fun
        for t in T[:, ::2].T
    )  # fmt: skip
    assert best <= student < best + 0.1


def test_the_room_below_is_what_outputs_that_are_the_targets_leave():
    counts = rng.poisson(3e5, size=(400, 1)).astype(float)
    best = loss_of_constants(of("poisson", 1), counts)
    assert best < 0
    deviance = mean_poisson_deviance(counts[:, 0], np.full(400, counts.mean()))
    assert room_below(best, of("poisson", 1), counts) == pytest.approx(deviance / 2, rel=1e-4)
    assert room_below(2.0, of("squared_error", 1), Y[:, None]) == 2.0
    assert room_below(-20.0, of("gaussian", 2), np.repeat(Y[:, None], 2, axis=1)) == 1.0


@pytest.mark.parametrize("factor", [1e12, 1e-9])
@pytest.mark.parametrize(
    "loss", ["gaussian", "student_t", "gamma", "tweedie", "poisson", rs.Quantile([0.1, 0.9])], ids=range(6)
)
def test_targets_out_of_scale_are_named_whatever_the_loss(loss, factor):
    y = np.exp(0.5 * Y) * factor
    words = told(rs.Network(rs.Dense(16), rs.Dense(1), loss=loss, seed=0, inputs=5, dtype="float64"), X, y)
    way_out = "divide them by their mean" if loss in ("gamma", "tweedie", "poisson") else "standardise them"
    assert any(re.search(f"The targets (are out of scale|hardly differ), .*: {way_out}", w) for w in words)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = rs.MLPRegressor(loss, random_state=0, max_iter=30).fit(X, y)
    (words,) = (str(w.message) for w in caught if "that of constant outputs" in str(w.message))
    found = re.match(r"after 30 epochs the loss is (\S+),", words)
    assert found is not None
    assert float(found[1]) == pytest.approx(model.loss_, rel=0.05)
    assert way_out in words


@pytest.mark.parametrize("loss", ["gaussian", "student_t", "gamma", "tweedie", "negative_binomial"])
def test_nothing_is_said_of_a_fit_that_learns(loss):
    net = rs.Network(rs.Dense(16, "tanh"), rs.Dense(1), loss=loss, seed=0, inputs=5)
    assert told(net, X, np.exp(0.3 * Y), optimizer=rs.Adam(0.01)) == []
