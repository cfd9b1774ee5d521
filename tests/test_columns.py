"""Columns that will hardly be learnt as they are, and the one warning of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import reseau as rs

rng = np.random.default_rng(0)
NORMAL = rng.normal(size=(300, 3))


def told(X: Any, y: Any = None, model: Any = None) -> list[Any]:
    """What one epoch on such samples warns of."""
    model = rs.Network(rs.Dense(1), seed=0) if model is None else model
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, np.zeros(X.shape[0]) if y is None else y, **({"epochs": 1} if type(model) is rs.Network else {}))
    return [w for w in caught if "scales" in str(w.message)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scales", [[1, 1e4, 3], [1e-5, 3, 1], [1e3, 2e6, 100], [2, 1e30, 1]], ids=str)
def test_the_columns_that_spread_most_and_least_are_named_with_their_spreads(scales, dtype):
    X = (NORMAL * scales + [0, 5, -3]).astype(dtype)
    (warning,) = told(X)
    assert warning.category is UserWarning
    assert warning.filename == __file__
    wide, narrow = np.argmax(scales), np.argmin(scales)
    sample = X[np.linspace(0, 299, 256).astype(int)].astype("float64").std(axis=0)
    assert str(warning.message).startswith(
        f"X: columns are on wildly different scales: the values of column {wide} spread by {sample[wide]:.3g}, "
        f"those of column {narrow} spread by {sample[narrow]:.3g}."
    )
    assert "standardise" in str(warning.message)
    assert told(StandardScaler().fit_transform(X)) == []


def test_columns_of_a_frame_are_named_by_their_names():
    frame = pd.DataFrame(
        {"age": rng.uniform(18, 80, 100), "rate": rng.uniform(0, 0.05, 100), "id": np.arange(100) * 37}
    )
    (warning,) = told(frame)
    assert "column 'id' (column 2)" in str(warning.message)
    assert "column 'rate' (column 1)" in str(warning.message)


@pytest.mark.parametrize(
    "X",
    [
        NORMAL,
        NORMAL * [1, 50, 500],
        NORMAL * [1, 0, 1] + [0, 1e9, 0],  # constant
        np.column_stack([NORMAL, 1e3 + 1e-13 * NORMAL[:, 0]]),  # constant but for rounding
        np.column_stack([NORMAL, np.arange(300) == 7]),  # an indicator that is hardly ever on
        np.column_stack([np.exp(2 * NORMAL), NORMAL]),  # a few that are far out
        np.where(np.arange(900).reshape(300, 3) == 100, 1e30, NORMAL),  # one wrong number
        np.tile([0.1 + 0.2, 0.3], (9, 1)),
        np.ones((1, 3)) * [1, 1e9, 1e-9],  # one row
        NORMAL[:, :1] * 1e9,  # one column
        NORMAL > 0,
        np.arange(600).reshape(300, 2),
        np.zeros((5, 2)),
        *(load(return_X_y=True)[0] for load in (load_iris, load_digits, load_diabetes)),
    ],
    ids=[
        "normal", "some", "constant", "rounded", "indicator", "far out", "wrong", "same", "row", "column", "bool",
        "ints", "zeros", "iris", "digits", "diabetes",
    ],
)  # fmt: skip
def test_ordinary_columns_are_not_said(X):
    assert told(X) == []


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_tables_with_columns_in_other_units_are_said_until_they_are_standardised(load):
    X = load(return_X_y=True)[0]
    said = len(told(X))
    spreads = X.std(axis=0)
    assert said == (spreads.max() > 2e3 * spreads.min())
    assert told(StandardScaler().fit_transform(X)) == []


def test_sparse_columns_are_compared_by_the_numbers_that_are_there():
    X = scipy.sparse.random(400, 30, density=0.05, random_state=0, format="csr")
    assert told(X) == []
    (warning,) = told(X @ scipy.sparse.diags([1.0] * 12 + [1e5] + [1.0] * 17))
    assert "column 12 are about" in str(warning.message)
    assert "MaxAbsScaler" in str(warning.message)
    assert told(scipy.sparse.random(400, 3000, density=0.002, random_state=0, format="csr")) == []


@pytest.mark.parametrize("model", [rs.MLPRegressor, rs.MLPClassifier])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_estimators_say_it_as_what_keeps_them_from_converging(model, solver):
    X, y = NORMAL * [1, 1e5, 1], (NORMAL[:, 0] > 0).astype(int)
    (warning,) = told(X, y, model((3,), max_iter=2, solver=solver) if model is rs.MLPClassifier else model(
        hidden_layer_sizes=(3,), max_iter=2, solver=solver
    ))  # fmt: skip
    assert warning.category is ConvergenceWarning
    assert warning.filename == __file__


def test_partial_fit_says_it_once(recwarn):
    model = rs.MLPRegressor(hidden_layer_sizes=(3,))
    frame = pd.DataFrame(NORMAL * [1, 1e5, 1], columns=["a", "b", "c"])
    for _ in range(3):
        model.partial_fit(frame, NORMAL[:, 0])
    assert len(recwarn) == 1


def test_many_networks_are_told_once_of_what_they_share(recwarn):
    nets = [rs.Network(rs.Dense(1), seed=seed) for seed in range(5)]
    rs.fit_many(nets, NORMAL * [1, 1e5, 1], NORMAL[:, 0], epochs=1)
    assert len(recwarn) == 1
    assert "X: columns are on wildly different scales" in str(recwarn[0].message)


def test_columns_that_merge_are_said_instead(recwarn):
    X = np.column_stack([NORMAL[:, 0], 1.7e9 + np.arange(300)])
    rs.Network(rs.Dense(1), seed=0).fit(X, np.zeros(300), epochs=1)
    assert len(recwarn) == 1
    assert "too close together" in str(recwarn[0].message)
