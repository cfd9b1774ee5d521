"""Scores, against scikit-learn's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from reseau.tables.targets.scores import MOST_IN_MATRIX, from_json, score_classes, score_quantity


def test_scores_of_classes_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 50)
    probabilities = rng.dirichlet([1, 1, 1], 50)
    frequencies = np.array([0.2, 0.5, 0.3])
    scores = score_classes(codes, probabilities, frequencies, ["a", "b", "c"])
    guess = probabilities.argmax(axis=1)
    assert scores.rows == 50
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(codes, guess))
    assert scores.log_loss == pytest.approx(metrics.log_loss(codes, probabilities))
    assert scores.confusion == tuple(map(tuple, metrics.confusion_matrix(codes, guess).tolist()))
    assert scores.commonest == "b"
    assert scores.baseline == pytest.approx((codes == 1).mean())
    always = np.tile(frequencies, (50, 1))
    assert scores.baseline_log_loss == pytest.approx(metrics.log_loss(codes, always))


def test_scores_of_a_quantity_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    y, o = rng.normal(5, 2, 40), rng.normal(5, 2, 40)
    scores = score_quantity(y, o, 4.5)
    assert scores.r2 == pytest.approx(metrics.r2_score(y, o))
    assert scores.rmse == pytest.approx(metrics.root_mean_squared_error(y, o))
    assert scores.mae == pytest.approx(metrics.mean_absolute_error(y, o))
    always = np.full(40, 4.5)
    assert scores.baseline_rmse == pytest.approx(metrics.root_mean_squared_error(y, always))
    assert scores.baseline_mae == pytest.approx(metrics.mean_absolute_error(y, always))


def test_a_class_given_no_probability_costs_much_but_not_infinity() -> None:
    scores = score_classes(np.array([0]), np.array([[0.0, 1.0]]), np.array([0.5, 0.5]), ["a", "b"])
    assert 80 < scores.log_loss < 100


def test_predictions_no_better_than_the_guess_are_not_useful() -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert not score_quantity(y, np.full(3, 2.0), 2.0).useful
    assert score_quantity(y, np.array([1.1, 2.0, 2.9]), 2.0).useful


def test_the_matrix_of_very_many_classes_is_left_out() -> None:
    k = MOST_IN_MATRIX + 1
    scores = score_classes(np.arange(k), np.eye(k), np.full(k, 1 / k), [str(i) for i in range(k)])
    assert scores.accuracy == 1.0
    assert scores.confusion == ()


def test_scores_survive_json() -> None:
    classes = score_classes(np.array([0, 1]), np.eye(2), np.array([0.5, 0.5]), ["a", "b"])
    quantity = score_quantity(np.array([1.0]), np.array([2.0]), 0.0)  # R² is not defined
    for scores in (classes, quantity):
        text = json.dumps(scores.to_json(), allow_nan=False)
        assert repr(from_json(json.loads(text))) == repr(scores)
