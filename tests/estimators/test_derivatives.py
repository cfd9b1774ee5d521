"""Derivatives of the estimators' outputs by their features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import reseau as rs
from reseau import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)


def numerical(answer, X, h=1e-5):
    """∂answer/∂x of each sample, (rows, outputs, features)."""
    columns = []
    for shift in h * np.eye(X.shape[1]):
        columns.append((answer(X + shift) - answer(X - shift)) / (2 * h))
    return np.stack([c.reshape(len(X), -1) for c in columns], axis=-1)


def check(model, answer):
    J = model.jacobian(X)
    np.testing.assert_allclose(J, numerical(answer, X), rtol=1e-5, atol=1e-7)
    v, u = [1.0, -2.0, 0.5, 0.0], np.arange(1.0, J.shape[1] + 1)
    np.testing.assert_allclose(model.jvp(X, v), J @ np.array(v), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(model.vjp(X, u), np.einsum("o,roi->ri", u, J), rtol=1e-10, atol=1e-12)
    h = 1e-5
    bent = (model.jacobian(X + h * np.array(v)) - model.jacobian(X - h * np.array(v))) / (2 * h)
    np.testing.assert_allclose(model.hessian_vector(X, v), bent, rtol=1e-5, atol=1e-7)


def test_those_of_a_classifier_are_of_its_probabilities():
    model = MLPClassifier((8,), activation="tanh", max_iter=30, random_state=0).fit(X, y)
    check(model, model.predict_proba)


def test_of_two_classes_they_are_of_the_second_s_probability():
    model = MLPClassifier((8,), activation="tanh", max_iter=30, random_state=0).fit(X, y == 2)
    check(model, lambda X: model.predict_proba(X)[:, 1])


@pytest.mark.parametrize("targets", [X[:, 0] * X[:, 1], np.c_[X[:, 0] * X[:, 1], np.sin(X[:, 2])]])
def test_those_of_a_regressor_are_of_its_predictions(targets):
    model = MLPRegressor(hidden_layer_sizes=(8,), activation="logistic", max_iter=30, random_state=0).fit(X, targets)
    check(model, model.predict)


def test_samples_are_checked_as_for_predict():
    with pytest.raises(NotFittedError):
        MLPRegressor().jvp(X, [1.0] * 4)
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(frame, y)
    assert model.jacobian(frame).shape == (150, 1, 4)
    with pytest.raises(ValueError, match="feature names should match"):
        model.jacobian(frame[["b", "a", "c", "d"]])
    with pytest.raises(rs.DataError, match=r"v has shape \(3,\)"):
        model.hessian_vector(frame, [1.0, 2.0, 3.0])
