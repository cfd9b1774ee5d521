"""Probabilities beside what happened, as scikit-learn counts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

import reseau as rs
from reseau.display.calibration import CalibrationDisplay

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(0)
P = RNG.beta(0.4, 0.4, size=300)
HAPPENED = RNG.random(300) < P


@pytest.mark.parametrize("bins", [1, 4, 10])
@pytest.mark.parametrize("decimals", [1, 8])
def test_bins_are_those_of_scikit_learn(ax: Axes, bins: int, decimals: int) -> None:
    given = P.round(decimals)
    display = CalibrationDisplay.from_predictions(HAPPENED, given, bins=bins, ax=ax)
    happened, said = calibration_curve(HAPPENED, given, n_bins=bins, strategy="quantile")
    np.testing.assert_allclose(display.prob_true_, happened)
    np.testing.assert_allclose(display.prob_pred_, said)
    assert display.counts_.sum() == 300
    np.testing.assert_allclose(display.points_.lines[0].get_xydata(), np.column_stack([said, happened]))


def test_lines_are_intervals_of_the_share(ax: Axes) -> None:
    display = CalibrationDisplay.from_predictions([0, 1, 1, 0], [0.5] * 4, bins=1, ax=ax)
    (lines,) = display.points_.lines[2]
    interval = binomtest(2, 4).proportion_ci(0.9, "wilson")
    assert lines.get_segments()[0][:, 1].tolist() == pytest.approx([interval.low, interval.high])


def table(rows: int = 60) -> pd.DataFrame:
    X = np.random.default_rng(1).normal(size=(rows, 2)).round(2)
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.array(["u", "v", "w"])[np.arange(rows) % 3]})


def probabilities(rows: pd.DataFrame) -> Any:
    return softmax(np.column_stack([rows["a"], rows["b"], np.zeros(len(rows))]), axis=1)


def test_of_several_classes_it_is_of_the_one_predicted(ax: Axes, three_classes: rs.TableModel) -> None:
    rows = table()
    expected = probabilities(rows)
    display = CalibrationDisplay.from_estimator(three_classes, rows, bins=5, ax=ax)
    right = np.array(["u", "v", "w"])[expected.argmax(axis=1)] == rows["kind"]
    np.testing.assert_array_equal(display.y_true, right)
    np.testing.assert_allclose(display.y_prob, expected.max(axis=1), rtol=1e-6)
    assert ax.get_xlabel() == "probability of the class predicted"


def test_a_class_may_be_asked_for(ax: Axes, three_classes: rs.TableModel) -> None:
    rows = table()
    display = CalibrationDisplay.from_estimator(three_classes, rows, label="v", ax=ax)
    np.testing.assert_array_equal(display.y_true, rows["kind"] == "v")
    np.testing.assert_allclose(display.y_prob, probabilities(rows)[:, 1], rtol=1e-6)
    assert ax.get_xlabel() == "probability of kind=v"


def test_of_an_estimator_it_is_of_its_own_classes(ax: Axes) -> None:
    rows = table(90)
    y = np.where(rows["a"] + 0.1 * rows["b"] > 0, 10, 9)
    model = rs.TableClassifier(preset="fast", epochs=5, random_state=0).fit(rows[["a", "b"]], y)
    for label, place in ((None, 1), (10, 1), (9, 0)):
        display = CalibrationDisplay.from_estimator(model, rows[["a", "b"]], y, label=label, ax=Figure().add_subplot())
        np.testing.assert_array_equal(display.y_true, y == model.classes_[place])
        np.testing.assert_allclose(display.y_prob, model.predict_proba(rows[["a", "b"]])[:, place], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: CalibrationDisplay(y_true=[0, 2], y_prob=[0.1, 0.2]), "y_true holds 2, but must be 0 or 1"),
        (lambda: CalibrationDisplay(y_true=[0, 1], y_prob=[0.1, 1.2]), "y_prob holds 1.2, but must be between 0 and 1"),
        (lambda: CalibrationDisplay(y_true=[0, 1], y_prob=[0.1]), "y_true has 2 rows and y_prob 1"),
        (lambda: CalibrationDisplay(y_true=[0, 1], y_prob=[0.1, np.nan]), "y_prob holds nan"),
        (lambda: CalibrationDisplay(y_true=[0], y_prob=[0.1], name=3), "name is 3"),  # type: ignore[arg-type]
        (lambda: CalibrationDisplay.from_predictions([0], [0.1], bins=0), "bins is 0"),
        (lambda: CalibrationDisplay.from_estimator(3), "estimator is 3, .*sklearn.calibration.CalibrationDisplay"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call: Any, words: str) -> None:
    with pytest.raises(rs.ReseauError, match=words):
        call()


def test_a_number_has_no_probabilities(linear: rs.TableModel) -> None:
    rows = {"a": [1.0, 2.0], "b": [1.0, 2.0], "c": ["u", "v"], "y": [1.0, 2.0]}
    with pytest.raises(rs.ParameterError, match="estimator predicts 'y', a number, which has no probabilities"):
        CalibrationDisplay.from_estimator(linear, rows)
