"""The search for a learning rate, on losses that are known, and on networks that stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_diabetes

import reseau as rs

pytestmark = pytest.mark.filterwarnings("error")

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4))
Y = X @ [[1.0], [-2.0], [0.5], [1.5]]


def network(engine: str | None = None) -> rs.Network:
    return rs.Network(rs.Dense(1, "identity"), inputs=4, dtype="float64", seed=0, engine=engine)


def test_a_network_is_left_as_it_was(engine: str) -> None:
    for net in (network(engine), rs.Network(rs.Dense(1), seed=3, engine=engine)):
        before = net.built, net.parameters.copy() if net.built else None, net.generator_state
        rs.find_learning_rate(net, X, Y)
        assert (net.built, net.generator_state) == (before[0], before[2])
        if net.built:
            np.testing.assert_array_equal(net.parameters, before[1])


def test_the_losses_are_those_of_the_batches_before_each_step(engine: str) -> None:
    net = network(engine)
    found = rs.find_learning_rate(net, X[:30], Y[:30], optimizer="sgd", low=1e-3, high=1e-1, steps=20, batch_size=30)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-3, 1e-1, 20))
    by_hand = network("reference")
    losses = [by_hand.step(X[:30], Y[:30], learning_rate=rate) for rate in found.rates]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-12)


def test_gradient_descent_on_a_quadratic_is_told_a_rate_below_that_at_which_it_diverges(engine: str) -> None:
    # One batch is all rows: E = ½ eᵀ H e with H = X₁ᵀ X₁/rows, and descent diverges above 2/(its largest eigenvalue).
    X1 = np.hstack([X, np.ones((300, 1))])
    limit = 2 / np.linalg.eigvalsh(X1.T @ X1 / 300).max()
    found = rs.find_learning_rate(network(engine), X, Y, optimizer=rs.SGD(), low=1e-4, high=1e3, batch_size=300)
    assert limit / 1000 < found.suggestion < limit
    assert found.rates[-1] > limit  # where it was given up
    history = network(engine).fit(X, Y, optimizer=rs.SGD(found.suggestion), epochs=50, batch_size=300)
    assert history.loss[-1] < history.loss[0] / 2


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("optimizer", [rs.SGD, rs.Adam])
def test_batches_that_differ_more_than_a_step_changes_do_not_hide_the_rate(optimizer: Any, seed: int) -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y = X / X.std(axis=0), (y - y.mean()) / y.std()

    def net() -> rs.Network:
        return rs.Network(rs.Dense(64), rs.Dense(1), seed=seed)

    found = rs.find_learning_rate(net(), X, y, optimizer=optimizer())
    slow, good = (net().fit(X, y, optimizer=optimizer(found.suggestion * factor)).loss[-1] for factor in (0.01, 1))
    assert good < 0.4  # that of constant outputs is 0.5
    assert 1.2 * good < slow


@pytest.mark.parametrize("optimizer", ["adam", rs.Lion(), rs.Adam(rs.Cosine(0.1)), None], ids=str)
def test_any_optimizer_will_do_whatever_its_own_rate(engine: str, optimizer: Any) -> None:
    found = rs.find_learning_rate(network(engine), X, Y, optimizer=optimizer)
    assert found.rates[0] == pytest.approx(1e-6)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 100
    assert found.suggestion in found.rates


def test_the_result_is_the_same_in_any_number_of_threads_and_each_time() -> None:
    found = [rs.find_learning_rate(network(), X, Y, threads=threads) for threads in (1, 2, 1)]
    assert len({one.losses.tobytes() for one in found}) == 1
    assert len({one.suggestion for one in found}) == 1


def test_sparse_rows_weights_and_few_rows_are_taken(engine: str) -> None:
    weights = np.ones(300)
    weights[:150] = 0
    dense = rs.find_learning_rate(network(engine), X, Y, sample_weight=weights, steps=40)
    sparse = rs.find_learning_rate(network(engine), scipy.sparse.csr_array(X), Y, sample_weight=weights, steps=40)
    np.testing.assert_allclose(dense.losses, sparse.losses, rtol=1e-10)
    assert rs.find_learning_rate(network(engine), X[:5], Y[:5]).suggestion > 0


def test_a_missing_target_counts_nothing(engine: str) -> None:
    # One batch of all rows: E of a step is the mean over all of them, of which the missing ones have 0.
    T, there = Y.copy(), np.arange(300) % 3 > 0
    T[~there] = np.nan
    plan: dict[str, Any] = {"low": 1e-3, "high": 1e-1, "steps": 20, "batch_size": 300}
    found = rs.find_learning_rate(network(engine), X, T, masked_targets=True, **plan)
    weighted = rs.find_learning_rate(network(engine), X, Y, sample_weight=there, optimizer="adam", **plan)
    np.testing.assert_allclose(found.losses[0], weighted.losses[0] * 2 / 3, rtol=1e-12)
    with pytest.raises(rs.DataError, match=r"y holds nan at row 0, column 0; .* or give masked_targets=True"):
        rs.find_learning_rate(network(engine), X, T, **plan)


def test_it_is_drawn() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    found = rs.find_learning_rate(network(), X, Y)
    ax = Figure().add_subplot()
    assert found.plot(ax) is ax
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), found.smoothed)
    assert ax.get_xscale() == "log"
    with pytest.raises(rs.ParameterError, match="ax is 3"):
        found.plot(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"low": 0}, "low is 0"),
        ({"low": 1, "high": 0.5}, "high is 0.5, but must be .* above 1"),
        ({"steps": 3}, "steps is 3, but must be a whole number of at least 10"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"optimizer": "adan"}, "optimizer is 'adan'"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(rs.ParameterError, match=words):
        rs.find_learning_rate(network(), X, Y, **options)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(rs.ParameterError, match="net is 3, but must be a Network"):
        rs.find_learning_rate(3, X, Y)  # type: ignore[arg-type]


def test_a_loss_that_is_infinite_from_the_start_is_said(engine: str) -> None:
    with pytest.raises(rs.ReseauError, match="finite for 0 steps only"):
        rs.find_learning_rate(network(engine), X * 1e200, Y)
