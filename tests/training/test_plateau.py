"""Fits that end no better than constant outputs: when that is said, with which cause, and when it is not."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_absolute_error, mean_poisson_deviance, mean_squared_error

import reseau as rs
from reseau.training.constants import loss_of_constants

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
