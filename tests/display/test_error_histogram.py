"""Errors as a histogram, beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs
from reseau.display.error_histogram import ErrorHistogramDisplay

pytestmark = pytest.mark.filterwarnings("error")

rng = np.random.default_rng(0)
T = rng.normal(size=(60, 2))
O = T + 0.1 * rng.normal(size=(60, 2))


def axes() -> Any:
    return Figure().add_subplot()


def of(t: Any, o: Any, **options: Any) -> ErrorHistogramDisplay:
    return ErrorHistogramDisplay.from_predictions(t, o, ax=axes(), **options)


def errors_of(display: ErrorHistogramDisplay) -> list[float]:
    return np.sort(display.errors).tolist()


@pytest.mark.parametrize("bins", [1, 7, 20])
def test_counts_are_those_of_numpy_over_all_outputs(bins: int) -> None:
    display = of(T, O, bins=bins)
    counts, edges = np.histogram((T - O).ravel(), bins)
    np.testing.assert_array_equal(display.counts_[0], counts)
    np.testing.assert_allclose(display.edges_, edges, rtol=1e-12, atol=1e-12)
    bars = display.bars_[0].patches
    assert [bar.get_height() for bar in bars] == counts.tolist()
    assert [bar.get_x() for bar in bars] == display.edges_[:-1].tolist()
    assert list(display.zero_.get_xdata()) == [0, 0]


def test_there_are_twenty_bins() -> None:
    assert len(of(T, O).counts_[0]) == 20


def test_validation_errors_are_stacked_on_the_others_in_common_bins() -> None:
    display = of(T[:40], O[:40], y_val=T[40:], y_val_pred=O[40:])
    _, edges = np.histogram((T - O).ravel(), 20)
    below, above = display.counts_
    np.testing.assert_array_equal(below, np.histogram(T[:40] - O[:40], edges)[0])
    np.testing.assert_array_equal(above, np.histogram(T[40:] - O[40:], edges)[0])
    assert [bar.get_y() for bar in display.bars_[1].patches] == below.tolist()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert set(labels) == {"training", "validation", "no error"}
    display.figure_.draw_without_rendering()
    assert display.ax_.get_ylim()[1] > (below + above).max()


@pytest.mark.parametrize(
    "t",
    [
        [1.0, np.nan, 3.0],
        [1.0, None, 3.0],
        np.array([[1.0], [np.nan], [3.0]]),
        pd.Series([1, None, 3], dtype="Int64"),
        pl.Series([1.0, None, 3.0]),
        np.ma.masked_invalid([1.0, np.nan, 3.0]),
    ],
    ids=["nan", "none", "column", "pandas", "polars", "masked"],
)
def test_missing_targets_are_left_out(t: Any) -> None:
    assert errors_of(of(t, [0.5, 9.0, 5.0])) == [-2.0, 0.5]


@pytest.mark.parametrize("value", [0.0, -2.5, 1e20, 1e-300, 1e-308])
def test_equal_errors_are_in_one_bin(value: float) -> None:
    display = of([value] * 5, [0.0] * 5)
    assert display.counts_[0].sum() == display.counts_[0].max() == 5
    assert (np.diff(display.edges_) > 0).all()


def test_errors_that_differ_by_roundings_are_counted_all() -> None:
    t = 1e16 + np.arange(5.0) * 2
    display = of(t, np.zeros(5))
    assert display.counts_[0].sum() == 5
    assert (np.diff(display.edges_) > 0).all()


def test_a_network_and_an_estimator_are_asked_what_they_predict() -> None:
    X = rng.normal(size=(30, 3))
    y = X @ [1.0, -1.0, 2.0] + 1
    net = rs.Network(rs.Dense(2), inputs=3, dtype="float32", seed=0)
    T = np.stack([y, 2 * y], axis=1)
    T[3, 1] = np.nan
    expected = np.sort((T - net(X)).ravel()[~np.isnan(T.ravel())])
    found = ErrorHistogramDisplay.from_estimator(net, X, T, ax=axes())
    np.testing.assert_array_equal(errors_of(found), expected)
    for model in (LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())):
        model.fit(X[:20], y[:20] ** 2)
        found = ErrorHistogramDisplay.from_estimator(model, X[:20], y[:20], X_val=X[20:], y_val=y[20:], ax=axes())
        np.testing.assert_array_equal(errors_of(found), np.sort(y[:20] - model.predict(X[:20])))
        assert found.validation_errors is not None
        np.testing.assert_array_equal(found.validation_errors, y[20:] - model.predict(X[20:]))


def test_labels_of_several_columns_are_compared_with_the_probabilities_of_each() -> None:
    X, labels = rng.normal(size=(12, 2)), np.column_stack([np.arange(12) % 3, np.arange(12) % 2])
    net = rs.Network(rs.Dense(5, groups=(3, 2)), loss="cross_entropy", inputs=2, dtype="float64")
    found = ErrorHistogramDisplay.from_estimator(net, X, labels, ax=axes())
    one_hot = np.hstack([np.eye(3)[labels[:, 0]], np.eye(2)[labels[:, 1]]])
    np.testing.assert_array_equal(errors_of(found), np.sort((one_hot - net(X)).ravel()))


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_labels_are_compared_with_probabilities(activation: str) -> None:
    X, labels = rng.normal(size=(12, 2)), np.arange(12) % 3
    net = rs.Network(rs.Dense(3, activation), loss="cross_entropy", inputs=2, dtype="float64", seed=0)
    P = net(X) if activation == "softmax" else np.exp(net(X))
    found = ErrorHistogramDisplay.from_estimator(net, X, labels, ax=axes())
    np.testing.assert_array_equal(errors_of(found), np.sort((np.eye(3)[labels] - P).ravel()))
    labels[5] = -1
    found = ErrorHistogramDisplay.from_estimator(net, X, labels, ax=axes())
    assert len(found.errors) == 33


def test_of_a_loss_with_a_scale_the_mean_is_compared() -> None:
    X, y = rng.normal(size=(12, 2)), rng.normal(size=12)
    net = rs.Network(rs.Dense(1), loss="gaussian", inputs=2, dtype="float64", seed=0)
    found = ErrorHistogramDisplay.from_estimator(net, X, y, ax=axes())
    np.testing.assert_array_equal(errors_of(found), np.sort(y - net(X)[:, 0]))


@pytest.fixture(scope="module")
def table() -> tuple[rs.TableModel, pd.DataFrame]:
    frame = pd.DataFrame({"length": np.linspace(1, 5, 60), "kind": ["a", "b"] * 30})
    frame["mass"] = 3 * frame["length"] + (frame["kind"] == "a")
    return rs.TableModel.train(frame, "mass", preset="fast", epochs=3), frame


def test_a_table_model_finds_its_targets_in_the_table(table: tuple[rs.TableModel, pd.DataFrame]) -> None:
    model, frame = table
    errors = np.sort(frame["mass"] - model.predict(frame).values.to_numpy())
    for y in (None, frame["mass"]):
        found = ErrorHistogramDisplay.from_estimator(model, frame, y, ax=axes())
        np.testing.assert_allclose(errors_of(found), errors, atol=1e-9)
    frame.loc[4, "mass"] = np.nan
    assert len(ErrorHistogramDisplay.from_estimator(model, frame, ax=axes()).errors) == 59
    with pytest.raises(rs.DataError, match="no column 'mass'"):
        ErrorHistogramDisplay.from_estimator(model, frame[["length", "kind"]], ax=axes())


def test_what_predicts_classes_is_refused_with_a_way_out(table: tuple[rs.TableModel, pd.DataFrame]) -> None:
    X, labels = rng.normal(size=(12, 2)), np.arange(12) % 2
    classifier = LogisticRegression().fit(X, labels)
    with pytest.raises(rs.ParameterError, match=r"is a classifier.*predict_proba"):
        ErrorHistogramDisplay.from_estimator(classifier, X, labels, ax=axes())
    _, frame = table
    kinds = rs.TableModel.train(frame.drop(columns="mass"), "kind", preset="fast", epochs=1)
    with pytest.raises(rs.ParameterError, match=r"classes of 'kind'.*probabilities"):
        ErrorHistogramDisplay.from_estimator(kinds, frame, ax=axes())
    with pytest.raises(NotFittedError):
        ErrorHistogramDisplay.from_estimator(rs.MLPRegressor(), X, labels, ax=axes())


NET = rs.Network(rs.Dense(1), inputs=1, dtype="float64", seed=0)
QUANTILES = rs.Network(rs.Dense(1), loss=rs.Quantile([0.1, 0.5, 0.9]), inputs=1, dtype="float64", seed=0)
X1 = [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: of([1.0, 2.0], [1.0]), rs.DataError, r"y_true has shape \(2,\) and y_pred \(1,\)"),
        (lambda: of([1.0, 2.0], [[1.0, 2.0]] * 2), rs.DataError, r"\(2, 2\).*choose the columns"),
        (lambda: of([1.0, "a"], [1.0, 2.0]), rs.DataError, "y_true holds 'a'|y_true holds the text 'a'"),
        (lambda: of([1.0, 2.0], [1.0, np.nan]), rs.DataError, "y_pred holds nan at row 1"),
        (lambda: of([1.0, np.inf], [1.0, 2.0]), rs.DataError, "y_true holds inf at row 1"),
        (lambda: of([np.nan, np.nan], [1.0, 2.0]), rs.DataError, "y_true has no target that is there"),
        (lambda: of([], []), rs.DataError, "y_true is empty"),
        (lambda: of(1.0, 1.0), rs.DataError, "y_true has shape"),
        (lambda: of(None, [1.0]), rs.DataError, "y_true has 0 dimension"),
        (lambda: of([1.0, 1.7e308], [1.0, -1.7e308]), rs.DataError, "scale"),
        (lambda: of([1.0], [1.0], y_val=[1.0]), rs.DataError, "y_val_pred"),
        (lambda: of([1.0], [1.0], y_val_pred=[1.0]), rs.DataError, "y_val"),
        (lambda: of([1.0], [1.0], bins=0), rs.ParameterError, "bins is 0"),
        (lambda: of([1.0], [1.0], bins="auto"), rs.ParameterError, "bins is 'auto'"),
        (lambda: of([1.0], [1.0], bins=10**12), rs.ParameterError, "bins is 1000000000000"),
        (lambda: ErrorHistogramDisplay.from_predictions([1.0], [1.0], ax=3), rs.ParameterError, "ax is 3"),
        (lambda: ErrorHistogramDisplay(errors=[[1.0, 2.0]]), rs.DataError, "errors has 2 columns"),
        (lambda: ErrorHistogramDisplay(errors=[np.nan]), rs.DataError, "errors holds nan"),
        (lambda: ErrorHistogramDisplay.from_estimator(3, X1, [1, 2]), rs.ParameterError, "estimator is 3"),
        (lambda: ErrorHistogramDisplay.from_estimator(LinearRegression, X1, [1, 2]), rs.ParameterError, "estimator is"),
        (
            lambda: ErrorHistogramDisplay.from_estimator(NET, X1),
            rs.DataError,
            "y is None, but must be the targets",
        ),
        (lambda: ErrorHistogramDisplay.from_estimator(NET, X1, [1, 2, 3]), rs.DataError, "X has 2 rows but y has 3"),
        (lambda: ErrorHistogramDisplay.from_estimator(NET, X1, [1, 2], y_val=[1]), rs.ParameterError, "without X_val"),
        (lambda: ErrorHistogramDisplay.from_estimator(NET, X1, [1, 2], X_val=X1), rs.DataError, "y_val is None"),
        (
            lambda: ErrorHistogramDisplay.from_estimator(QUANTILES, X1, [1, 2]),
            rs.DataError,
            r"y has shape \(2,\) and what is predicted of X \(2, 3\).*choose the columns, and give them to from_pred",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()
