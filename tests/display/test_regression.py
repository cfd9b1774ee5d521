"""Outputs over targets, beside SciPy's linear regression."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression

import reseau as rs
from reseau.display.regression import RegressionDisplay

pytestmark = pytest.mark.filterwarnings("error")

rng = np.random.default_rng(0)
T = rng.normal(size=(50, 2))
O = 0.8 * T + 0.2 + 0.1 * rng.normal(size=(50, 2))


def of(t: Any, o: Any, **options: Any) -> RegressionDisplay:
    return RegressionDisplay.from_predictions(t, o, ax=Figure().add_subplot(), **options)


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e-3, 1e8, 1e200])
@pytest.mark.parametrize("shift", [0.0, 3.0])
@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_the_line_and_r_are_those_of_scipy_at_any_scale(scale: float, shift: float, slope: float) -> None:
    t, o = T + shift, slope * O + shift
    expected = scipy.stats.linregress(t.ravel(), o.ravel())
    display = of(scale * t, scale * o)
    assert display.slope_ == pytest.approx(expected.slope, rel=1e-10)
    assert display.intercept_ == pytest.approx(scale * expected.intercept, rel=1e-9)
    assert display.r_ == pytest.approx(expected.rvalue, rel=1e-10)


def test_points_lines_and_title_say_it() -> None:
    display = of([1.0, 2.0, 3.0], [3.0, 4.0, 8.0])  # o = 2.5 t, R = 5/√(2·14)
    assert (display.slope_, display.intercept_) == (2.5, 0.0)
    assert display.points_.get_xdata().tolist() == [1, 2, 3]
    assert display.points_.get_ydata().tolist() == [3, 4, 8]
    assert display.line_ is not None
    assert display.line_.get_xydata().tolist() == [[1, 2.5], [3, 7.5]]
    assert display.equality_.get_xydata().tolist() == [[1, 1], [8, 8]]
    assert display.ax_.get_title() == f"R = {5 / 28**0.5:.5g}\no = 2.5 t + 0"
    assert of([0.0, 1.0], [-1.0, 0.0], name="validation").ax_.get_title() == "validation: R = 1\no = 1 t − 1"


def test_missing_targets_and_their_outputs_are_left_out() -> None:
    t = T.copy()
    t[[3, 8], [0, 1]] = np.nan
    there = ~np.isnan(t)
    expected = scipy.stats.linregress(t[there], O[there])
    display = of(t, O)
    assert display.r_ == pytest.approx(expected.rvalue)
    assert len(display.points_.get_xdata()) == 98


@pytest.mark.parametrize("targets", [[0.1, 0.1, 0.1], [0.1, 0.1 + 2**-56, 0.1], [5.0]])
def test_equal_targets_have_no_line_and_no_r(targets: list[float]) -> None:
    display = of(targets, [1.0, 2.0, 3.0][: len(targets)])
    assert (display.slope_, display.intercept_, display.r_, display.line_) == (None, None, None, None)
    assert display.ax_.get_title() == "R undefined, as all targets are equal"


@pytest.mark.parametrize("outputs", [[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [0.1, 0.1 + 2**-56, 0.1]])
def test_equal_outputs_have_a_level_line_and_no_r(outputs: list[float]) -> None:
    display = of([1.0, 2.0, 3.0], outputs, name="all")
    assert (display.slope_, display.r_) == (0.0, None)
    assert display.intercept_ == pytest.approx(outputs[0])
    assert display.ax_.get_title() == "all: R undefined, as all outputs are equal"


def test_r_of_points_on_a_line_is_1_and_not_beyond() -> None:
    for n in (2, 3, 10, 1000):
        t = rng.normal(size=n)
        for sign in (1, -1):
            assert of(t, sign * 3 * t + 1).r_ == pytest.approx(sign, abs=1e-15)
            assert abs(of(t, sign * 3 * t + 1).r_ or 0) <= 1


def test_integers_fractions_and_booleans_are_numbers() -> None:
    assert of([1, 2, 3], np.array([2, 4, 6], np.uint8)).slope_ == 2
    assert of([Fraction(1, 2), Fraction(1, 4)], [1.0, 0.5]).slope_ == 2
    assert of([True, False, True], [0.75, 0.25, 0.75]).slope_ == pytest.approx(0.5)


def test_a_name_with_dollars_is_no_formula() -> None:
    display = of([1.0, 2.0], [1.0, 2.0], name="$a_{$ and \x1b")
    display.figure_.draw_without_rendering()
    assert display.ax_.get_title().startswith(r"$a_{$ and \x1b: R")


def test_a_model_is_asked_what_it_predicts() -> None:
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    net = rs.Network(rs.Dense(1), inputs=2, dtype="float64", seed=0)
    model = LinearRegression().fit(X, y)
    for estimator, o in ((net, net(X)[:, 0]), (model, model.predict(X))):
        display = RegressionDisplay.from_estimator(estimator, X, y, ax=Figure().add_subplot())
        assert display.r_ == pytest.approx(scipy.stats.pearsonr(y, o).statistic, rel=1e-10)
        np.testing.assert_array_equal(display.points_.get_ydata(), o)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: of([1.0], [1.0, 2.0]), r"y_true has shape \(1,\) and y_pred \(2,\)"),
        (lambda: of([1.0], [1.0], name=3), "name is 3, but must be text"),
        (lambda: of([1.7e308, -1.7e308], [1.0, 2.0]), "y_true spreads from -1.7e"),
        (lambda: of([1.0, 2.0], [1.7e308, -1.7e308]), "y_pred spreads from -1.7e"),
        (lambda: of([["a"]], [1.0]), "y_true holds"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call: Any, words: str) -> None:
    with pytest.raises(rs.ReseauError, match=words):
        call()
