"""Scores, their errors and their spread over folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

import reseau as rs
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.spread import scores_of

N = 240
RNG = np.random.default_rng(2)
X = RNG.normal(size=(N, 2))
QUICK: dict[str, Any] = {"layers": (4,), "epochs": 3, "learning_rate": 0.02}


def table(y: Any) -> dict[str, Any]:
    return {"a": X[:, 0], "b": X[:, 1], "y": y}


@pytest.fixture(scope="module")
def quantity() -> rs.TableModel:
    return rs.TableModel.train(table(X[:, 0] + 0.5 * RNG.normal(size=N)), "y", **QUICK)


@pytest.fixture(scope="module")
def classes() -> rs.TableModel:
    return rs.TableModel.train(table(np.where(X[:, 0] + RNG.normal(size=N) > 1, "yes", "no")), "y", **QUICK)


def test_scores_of_numbers_are_those_of_the_model_and_of_scikit_learn(quantity):
    evidence, scores = quantity.evidence, quantity.scores
    found = {score.words: score for score in scores_of(quantity, evidence)}
    o = quantity.target.numbers(evidence.O)
    assert found[w.R2].of_all.value == pytest.approx(scores.r2) == metrics.r2_score(evidence.y, o)
    assert found[w.RMSE].of_all.value == pytest.approx(scores.rmse)
    assert found[w.RMSE].of_all.simplest == pytest.approx(scores.baseline_rmse)
    assert found[w.MAE].of_all.value == pytest.approx(metrics.mean_absolute_error(evidence.y, o))
    inside = evidence.folds == 3
    assert found[w.MAE].folds[3] == pytest.approx(np.abs(evidence.y - o)[inside].mean())
    assert len(found[w.R2].folds) == 8


def test_scores_of_classes_are_those_of_the_model_and_of_scikit_learn(classes):
    evidence, scores = classes.evidence, classes.scores
    found = {score.words: score.of_all for score in scores_of(classes, evidence)}
    y, P = evidence.y, evidence.O
    assert found[w.ACCURACY][0] == pytest.approx(scores.accuracy)
    assert found[w.ACCURACY].simplest == pytest.approx(scores.baseline)
    assert found[w.LOG_LOSS][0] == pytest.approx(metrics.log_loss(y, P / P.sum(axis=1, keepdims=True)), rel=1e-6)
    assert found[w.LOG_LOSS].simplest == pytest.approx(scores.baseline_log_loss)
    assert found[w.AUC].value == pytest.approx(metrics.roc_auc_score(y, P[:, 1]))
    assert found[w.BALANCED].value == pytest.approx(metrics.balanced_accuracy_score(y, P.argmax(axis=1)))


@pytest.mark.parametrize("task", ["quantity", "classes"])
def test_errors_are_those_of_the_bootstrap(task, request):
    """Within 15 %, of 600 draws, whose deviations are known to 3 %."""
    model = request.getfixturevalue(task)
    evidence = model.evidence
    drawn: dict[Any, list[float]] = {}
    rng = np.random.default_rng(0)
    for _ in range(600):
        rows = rng.integers(0, N, N)
        part = type(evidence)(
            evidence.table, rows, evidence.y[rows], evidence.O[rows], np.zeros(N, np.int64), evidence.held
        )
        for score in scores_of(model, part):
            drawn.setdefault(score.words, []).append(score.of_all.value)
    for score in scores_of(model, evidence):
        assert score.of_all.error == pytest.approx(np.std(drawn[score.words]), rel=0.15)


def test_metrics_that_were_asked_for_stand_beside_the_usual_scores():
    model = rs.TableModel.train(table(X[:, 0]), "y", preset="fast", metrics=["mape"], **QUICK)
    names = [score.words.en for score in scores_of(model, model.evidence)]
    assert names == ["R²", w.RMSE.en, w.MAE.en, "mape"]
    assert all(score.folds == () for score in scores_of(model, model.evidence))
