"""Shapley values against closed forms, and against the definition: the mean over all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from reseau.errors import DataError, ParameterError
from reseau.tables.understanding.shapley import contributions, rows_for

RNG = np.random.default_rng(0)
B = RNG.normal(size=(30, 4))
X_ROW = np.array([1.0, -2.0, 0.5, 3.0])
ROUNDING = 1e-12


def tangled(X):
    """Every two and three of the four act together."""
    return np.exp(0.3 * X[:, 0] * X[:, 1]) + np.sin(X[:, 1] + X[:, 2] * X[:, 3]) * X[:, 0]


def by_definition(f, x, background):
    """What each adds to those before it, in the mean over all orders and rows, one call at a time."""
    values = np.zeros(len(x))
    orders = list(permutations(range(len(x))))
    for order in orders:
        X = background.copy()
        before = f(X).mean()
        for j in order:
            X[:, j] = x[j]
            after = f(X).mean()
            values[j] += (after - before) / len(orders)
            before = after
    return values


def test_of_few_parts_they_are_what_the_definition_says():
    found = contributions(tangled, X_ROW, B)
    np.testing.assert_allclose(found.values, by_definition(tangled, X_ROW, B), atol=ROUNDING)
    assert found.errors is None


def test_of_a_linear_function_each_is_its_weight_times_how_far_it_lies_from_the_mean():
    w = np.array([2.0, -1.0, 0.0, 0.5])
    for samples in (None, 2):
        found = contributions(lambda X: X @ w + 7, X_ROW, B, samples=samples)
        np.testing.assert_allclose(found.values, w * (X_ROW - B.mean(axis=0)), atol=ROUNDING)


def test_of_a_linear_model_of_scikit_learn_too():
    model = LinearRegression().fit(B, B @ [1.0, 2.0, 3.0, 4.0])
    found = contributions(model.predict, X_ROW, B)
    np.testing.assert_allclose(found.values, model.coef_ * (X_ROW - B.mean(axis=0)), atol=ROUNDING)
    assert found.answer == pytest.approx(model.predict(X_ROW[None])[0])


def test_parts_that_do_the_same_contribute_the_same():
    found = contributions(lambda X: np.abs(X[:, 0] + X[:, 1]) ** 3, np.array([2.0, 2.0]), np.zeros((1, 2)))
    np.testing.assert_allclose(found.values, [32.0, 32.0])


def test_what_the_function_does_not_use_contributes_nothing():
    found = contributions(lambda X: X[:, 0] ** 2, X_ROW, B)
    np.testing.assert_array_equal(found.values[1:], 0)


@pytest.mark.parametrize("samples", [None, 2, 9])
def test_they_sum_to_the_answer_beside_the_mean_of_the_background(samples):
    forest = RandomForestRegressor(5, random_state=0).fit(B, tangled(B))
    for f in (tangled, forest.predict):
        found = contributions(f, X_ROW, B, samples=samples)
        assert found.base == pytest.approx(f(B).mean(), abs=ROUNDING)
        assert found.answer == f(X_ROW[None])[0]
        assert found.values.sum() == pytest.approx(found.answer - found.base, abs=ROUNDING)


def test_orders_that_are_drawn_come_near_within_their_errors():
    exact = contributions(tangled, X_ROW, B).values
    off = []
    for seed in range(200):
        found = contributions(tangled, X_ROW, B, samples=4, seed=seed)
        assert found.errors is not None
        off.append((found.values - exact) / found.errors)
    assert np.abs(np.mean(off)) < 4 / np.sqrt(np.size(off))  # unbiased
    assert 0.9 < np.std(off) < 1.15  # each error is estimated from 90 degrees of freedom


def test_where_at_most_two_act_together_drawing_is_exact():
    M = RNG.normal(size=(4, 4))
    exact = contributions(lambda X: ((X @ M) * X).sum(axis=1), X_ROW, B)
    drawn = contributions(lambda X: ((X @ M) * X).sum(axis=1), X_ROW, B, samples=2)
    np.testing.assert_allclose(drawn.values, exact.values, atol=1e-11)
    assert drawn.errors is not None
    np.testing.assert_allclose(drawn.errors, 0, atol=1e-11)


def test_inputs_of_a_part_are_replaced_together():
    def only_pairs(X):
        assert (X[:, 0] == X[:, 1]).all()
        return X[:, 0] * X[:, 2]

    background = np.array([[1.0, 1.0, 5.0], [2.0, 2.0, 6.0]])
    parts = [slice(0, 2), slice(2, 3)]
    found = contributions(only_pairs, np.array([3.0, 3.0, 4.0]), background, parts)
    expected = by_definition(lambda X: X[:, 0] * X[:, 1], np.array([3.0, 4.0]), background[:, 1:])
    np.testing.assert_allclose(found.values, expected)


def test_many_parts_are_drawn_and_the_same_again_for_a_seed():
    background = np.random.default_rng(2).normal(size=(5, 40))
    f = lambda X: np.prod(X[:, :3], axis=1) + X.sum(axis=1)  # noqa: E731
    first, again, other = (contributions(f, np.ones(40), background, seed=seed) for seed in (1, 1, 2))
    assert first.errors is not None
    assert again.errors is not None
    assert first.values.tobytes() == again.values.tobytes()
    assert first.errors.tobytes() == again.errors.tobytes()
    assert first.values.tobytes() != other.values.tobytes()
    assert (first.errors[:3] > 1e-3).all()
    np.testing.assert_allclose(first.values[3:], 1 - background[:, 3:].mean(axis=0), atol=ROUNDING)


def test_parts_that_are_the_same_in_all_rows_cost_nothing():
    """Forty parts of which three differ are still gone through set by set."""
    background = np.ones((5, 40))
    background[:, :3] = 0
    found = contributions(lambda X: X[:, :3].prod(axis=1), np.ones(40), background)
    assert found.errors is None
    np.testing.assert_allclose(found.values, [1 / 3] * 3 + [0] * 37)


def test_a_row_like_all_others_has_no_contributions():
    found = contributions(tangled, B[0], B[:1])
    np.testing.assert_array_equal(found.values, 0)
    assert found.base == found.answer
    sampled = contributions(tangled, B[0], B[:1], samples=2)
    np.testing.assert_array_equal(sampled.values, 0)


def test_a_single_part_has_it_all():
    for samples in (None, 3):
        found = contributions(lambda X: X[:, 0] ** 2, np.array([3.0]), np.array([[0.0], [1.0]]), samples=samples)
        np.testing.assert_allclose(found.values, [8.5])


@pytest.mark.parametrize("samples", [1, 0, -3, 2.5, "many", True])
def test_fewer_than_two_orders_are_refused(samples):
    with pytest.raises(ParameterError, match="samples is"):
        contributions(tangled, X_ROW, B, samples=samples)


def test_a_background_of_other_inputs_is_refused():
    for background in (B[:, :3], B[:0], B[0]):
        with pytest.raises(DataError, match="background"):
            contributions(tangled, X_ROW, background)


def test_of_a_wide_table_fewer_rows_are_a_background():
    assert rows_for(parts=10, inputs=100, most=256, least=16) == 256
    assert rows_for(parts=1000, inputs=2000, most=256, least=16) == 65
    assert rows_for(parts=10_000, inputs=10_000, most=256, least=16) == 16


def test_whole_numbers_are_replaced_by_what_x_has():
    found = contributions(lambda X: X.sum(axis=1), np.array([0.25, 1.5]), np.array([[0, 1]]))
    np.testing.assert_array_equal(found.values, [0.25, 0.5])


def test_a_function_of_several_answers_is_refused():
    with pytest.raises(
        DataError, match=r"f answers to X of shape \(30, 4\) with shape \(30, 2\), but must with \(30,\)"
    ):
        contributions(lambda X: X[:, :2], X_ROW, B)
