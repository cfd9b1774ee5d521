"""Edges of bins where the target jumps with a number."""

import numpy as np
import pytest

import reseau as rs
from reseau.tables.columns.bins import edges_of
from reseau.tables.columns.jumps import MOST_JUMPS, with_jumps

RNG = np.random.default_rng(8)
ROWS = 1000
X = RNG.normal(size=ROWS)
NOISE = RNG.normal(size=ROWS)
EDGES = edges_of(X, 24)


def added(x, T):
    edges = edges_of(x, 24)
    found = with_jumps(x, np.asarray(T, float).reshape(len(x), -1), edges)
    assert np.isin(edges, found).all()
    assert (np.diff(found) > 0).all()
    return np.setdiff1d(found, edges)


@pytest.mark.parametrize("threshold", [-1.3, 0.013, 0.71])
@pytest.mark.parametrize("made", [lambda above: above, lambda above: 9 * above + NOISE, lambda above: 2 * above + X])
def test_the_values_on_both_sides_of_a_threshold_become_edges(threshold, made):
    above = threshold < X
    found = np.union1d(added(X, made(above).astype(float)), EDGES)
    below, next_above = X[~above].max(), X[above].min()
    assert below in found
    assert next_above in found


def test_of_classes_each_may_have_a_threshold_of_its_own():
    classes = np.digitize(X, [-0.8, 0.1234, 1.1])
    T = (classes[:, None] == np.arange(4)).astype(float)
    assert len(added(X, T)) >= 4


@pytest.mark.parametrize(
    "T", [NOISE, X + NOISE, np.sin(3 * X) + 0.1 * NOISE, X**2, np.exp(X), 1 / (1 + np.exp(-2 * X)) > RNG.random(ROWS)]
)
def test_what_changes_slowly_or_not_at_all_has_no_jumps(T):
    assert not len(added(X, T))


def test_noise_makes_jumps_less_than_once_in_a_hundred_columns():
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=(ROWS, 300))
    assert not any(len(added(x, rng.standard_t(3, (ROWS, 2)))) for x in numbers.T)
    assert not any(len(added(x, rng.random((ROWS, 2)) < 0.1)) for x in numbers.T)


def test_there_are_three_jumps_at_most():
    steps = np.floor(20 * X) % 2
    assert 0 < len(added(X, steps)) <= 2 * MOST_JUMPS


def test_few_rows_a_constant_target_and_few_values_have_none():
    assert not len(added(X[:31], X[:31] > 0))
    assert not len(added(X, np.zeros(ROWS)))
    assert not len(with_jumps(np.round(X) > 0, (X > 0)[:, None].astype(float), np.empty(0)))


def test_rows_in_another_order_have_the_same_jumps():
    order = RNG.permutation(ROWS)
    T = (X > 0.3) + 0.1 * NOISE
    assert added(X, T).tolist() == added(X[order], T[order]).tolist()


def test_a_threshold_of_many_rows_is_found_to_their_twenty_thousandth():
    x = RNG.normal(size=200_000)
    found = added(x, x > 0.4321)
    assert np.abs(found - 0.4321).min() < 0.001


def test_a_class_that_a_threshold_makes_is_told_with_certainty():
    rng = np.random.default_rng(4)
    weight, age = rng.normal(7.1, 1.5, 800).round(2), rng.normal(27, 6, 800).round()
    label = np.where(weight <= 5.5, "low", "not low")
    model = rs.TableModel.train({"weight": weight, "age": age, "label": label}, target="label", seed=0)
    assert {weight[weight <= 5.5].max(), weight[weight > 5.5].min()} <= set(model.columns[0].edges)
    assert model.scores.log_loss < 0.01
