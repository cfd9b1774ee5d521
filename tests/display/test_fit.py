"""Targets, outputs and the curve between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from matplotlib.figure import Figure
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import reseau as rs
from reseau.display.fit import FitDisplay

pytestmark = pytest.mark.filterwarnings("error")

X = np.array([[2.0], [-1.0], [0.5], [1.0]])
Y = np.array([4.0, 1.0, 0.0, 2.0])
NET = rs.Network(rs.Dense(1), inputs=1, dtype="float64")
NET.parameters[...] = [2.0, 1.0]  # o = 2 x + 1


def of(estimator: Any, X: Any, y: Any) -> FitDisplay:
    return FitDisplay.from_estimator(estimator, X, y, ax=Figure().add_subplot())


def test_points_are_the_targets_and_outputs_and_lines_the_errors_between() -> None:
    display = of(NET, X, Y)
    assert display.targets_.get_xydata().tolist() == [[2, 4], [-1, 1], [0.5, 0], [1, 2]]
    assert display.outputs_.get_xydata().tolist() == [[2, 5], [-1, -1], [0.5, 2], [1, 3]]
    segments = [segment.tolist() for segment in display.errors_.get_segments()]
    assert segments == [[[2, 4], [2, 5]], [[-1, 1], [-1, -1]], [[0.5, 0], [0.5, 2]], [[1, 2], [1, 3]]]


def test_the_curve_is_the_model_from_the_smallest_to_the_largest_input() -> None:
    display = of(NET, X, Y)
    assert display.curve_ is not None
    x, o = display.curve_.get_data()
    assert (x[0], x[-1], len(x)) == (-1, 2, 500)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(o, 2 * x + 1, rtol=1e-14)


def test_missing_targets_have_no_points_and_the_curve_goes_on() -> None:
    display = of(NET, X, [np.nan, 1.0, 0.0, 2.0])
    assert display.targets_.get_xdata().tolist() == display.outputs_.get_xdata().tolist() == [-1, 0.5, 1]
    assert len(display.errors_.get_segments()) == 3
    assert display.curve_ is not None
    assert display.curve_.get_xdata()[-1] == 2


@pytest.mark.parametrize(
    "samples",
    [
        X.tolist(),
        pd.DataFrame({"time": X[:, 0]}),
        pd.DataFrame(X),
        pl.DataFrame({"time": X[:, 0]}),
        pa.table({"time": X[:, 0]}),
        scipy.sparse.csr_matrix(X),
    ],
    ids=["list", "pandas", "numbered", "polars", "pyarrow", "sparse"],
)
def test_samples_may_be_whatever_the_model_takes(samples: Any) -> None:
    model = rs.MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(samples, Y)
    display = of(model, samples, Y)
    assert display.curve_ is not None
    x, o = display.curve_.get_data()
    np.testing.assert_allclose(o, model.network_(x[:, None])[:, 0])
    np.testing.assert_allclose(display.outputs_.get_ydata(), model.network_(X)[:, 0])


def test_pipelines_draw_their_curve_in_the_units_of_the_data() -> None:
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), PolynomialFeatures(3), LinearRegression()), transformer=StandardScaler()
    ).fit(X, Y)
    display = of(model, X, Y)
    np.testing.assert_allclose(display.outputs_.get_ydata(), Y, atol=1e-9)  # a cubic through four points
    assert display.curve_ is not None
    x, o = display.curve_.get_data()
    np.testing.assert_allclose(o, np.polyval(np.polyfit(X[:, 0], Y, 3), x), atol=1e-9)


def test_one_sample_is_drawn_too() -> None:
    display = of(NET, [[3.0]], [1.0])
    assert display.outputs_.get_xydata().tolist() == [[3, 7]]


def test_predictions_are_drawn_over_any_column_without_a_curve() -> None:
    display = FitDisplay.from_predictions(X, Y[:, None], NET(X), ax=Figure().add_subplot())
    assert display.curve_ is None
    assert display.outputs_.get_xydata().tolist() == [[2, 5], [-1, -1], [0.5, 2], [1, 3]]


TWO_INPUTS = rs.Network(rs.Dense(1), inputs=2, seed=0)
TWO_OUTPUTS = rs.Network(rs.Dense(2), inputs=1, seed=0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: of(TWO_INPUTS, np.hstack([X, X]), Y),
            r"X has 2 columns.*over one input.*FitDisplay.from_predictions\(X\[:, 0\], y, y_pred\).*RegressionDisplay",
        ),
        (lambda: of(TWO_INPUTS, scipy.sparse.csr_matrix((4, 10**6)), Y), "X has 1000000 columns"),
        (
            lambda: of(TWO_OUTPUTS, X, np.stack([Y, Y], axis=1)),
            r"y has 2 columns.*FitDisplay.from_predictions\(X, y\[:, 0\], y_pred\[:, 0\]\)",
        ),
        (lambda: of(NET, X[:, 0], Y), r"X.reshape\(-1, 1\)"),
        (lambda: of(NET, X, Y[:3]), "X has 4 rows but y has 3"),
        (lambda: of(NET, X, None), "y is None"),
        (lambda: of(NET, [["a"]], [1.0]), "X holds 'a'|X holds the text"),
        (lambda: of(3, X, Y), "estimator is 3"),
        (lambda: FitDisplay.from_predictions(X, Y, Y[:3]), r"y_true has shape \(4,\) and y_pred \(3,\)"),
        (lambda: FitDisplay.from_predictions(X[:3], Y, Y), "x has 3 rows and y_true 4"),
        (lambda: FitDisplay.from_predictions([[1, 2]] * 4, Y, Y), r"x has 2 columns, but must have one.*x\[:, 0\]"),
        (lambda: FitDisplay.from_predictions(X, [[1, 2]] * 4, [[1, 2]] * 4), "y_true has 2 columns"),
        (lambda: FitDisplay.from_predictions([np.nan] * 4, Y, Y), "x holds nan at row 0"),
        (lambda: FitDisplay.from_predictions(X, Y, Y, ax=3), "ax is 3"),
        (lambda: FitDisplay(x=X, y_true=Y, y_pred=Y, curve=3), "curve is 3"),
        (lambda: FitDisplay(x=X, y_true=Y, y_pred=Y, curve=([1, 2], [1])), "curve has 2 inputs and 1 outputs"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_way_out(call: Any, words: str) -> None:
    with pytest.raises(rs.ReseauError, match=words):
        call()


def test_a_table_model_is_refused_with_a_way_out() -> None:
    table = pa.table({"x": np.linspace(0, 1, 30), "y": np.linspace(0, 2, 30)})
    model = rs.TableModel.train(table, "y", preset="fast", epochs=1)
    with pytest.raises(rs.ParameterError, match=r"FitDisplay.from_predictions\(table\[column\], y, model.predict"):
        of(model, table, table["y"])
    display = FitDisplay.from_predictions(
        table["x"], table["y"], model.predict(table).values, ax=Figure().add_subplot()
    )
    assert len(display.targets_.get_xdata()) == 30
