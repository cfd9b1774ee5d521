"""What a model of two inputs says over their plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs

pytestmark = pytest.mark.filterwarnings("error")

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
LABELS = np.array(["no", "yes", "yes", "yes"])


def of(estimator: Any, *arguments: Any, **options: Any) -> rs.DecisionBoundaryDisplay:
    return rs.DecisionBoundaryDisplay.from_estimator(estimator, *arguments, ax=Figure().add_subplot(), **options)


def network(*parameters: float, outputs: int = 1, activation: str = "identity", **options: Any) -> rs.Network:
    net = rs.Network(rs.Dense(outputs, activation), inputs=2, dtype="float64", **options)
    net.parameters[...] = parameters
    return net


def crossings(display: rs.DecisionBoundaryDisplay) -> np.ndarray[Any, Any]:
    return np.concatenate([path.vertices for each in display.boundaries_ for path in each.get_paths()])


@pytest.mark.parametrize(
    ("activation", "loss", "level"),
    [("sigmoid", "binary_cross_entropy", 0.5), ("sigmoid", "squared_error", 0.5), ("tanh", "squared_error", 0.0)],
)
def test_the_boundary_is_where_a_bounded_output_is_in_the_middle_of_its_range(
    activation: str, loss: str, level: float
) -> None:
    display = of(network(1.0, 1.0, -1.0, activation=activation, loss=loss), X, [0, 1, 1, 1])
    assert display.level == level
    np.testing.assert_allclose(crossings(display).sum(axis=1), 1.0, atol=1e-3)  # x₁ + x₂ = 1


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_of_classes_the_plane_has_their_probabilities_and_a_boundary_around_each(activation: str) -> None:
    net = network(*[1, 0, -1, 0, 2, 0], 0, 0, 0, outputs=3, activation=activation, loss="cross_entropy")
    display = of(net, X - 0.5, [0, 1, 2, 1], grid_resolution=50)
    assert display.response.shape == (50, 50, 3)
    np.testing.assert_allclose(display.response.sum(axis=2), 1.0)
    assert len(display.boundaries_) == 3
    assert [len(points.get_offsets()) for points in display.points_] == [1, 2, 1]


def test_two_classes_have_one_boundary_where_they_are_as_probable() -> None:
    net = network(0.0, 1.0, 0.0, 1.0, 0.0, -1.0, outputs=2, activation="softmax", loss="cross_entropy")
    display = of(net, X, [[1, 0], [0, 1], [0, 1], [0, 1]])
    assert len(display.boundaries_) == 1
    np.testing.assert_allclose(crossings(display).sum(axis=1), 1.0, atol=1e-3)


def test_a_number_without_bounds_has_no_boundary_and_missing_targets_no_points() -> None:
    display = of(network(1.0, 1.0, -1.0), X, [0.0, np.nan, 1.0, 2.0])
    assert (display.level, display.boundaries_) == (None, [])
    assert len(display.points_[0].get_offsets()) == 3


def test_an_output_of_several_is_chosen() -> None:
    net = network(1.0, 5.0, 1.0, 5.0, -1.0, 0.0, outputs=2)
    with pytest.raises(rs.DataError, match=r"2 outputs that are no probabilities .* output=0"):
        of(net, X)
    y = np.stack([X[:, 0], X[:, 1]], axis=1)
    display = of(net, X, y, output=0, grid_resolution=3)
    assert display.response[1, 1] == pytest.approx(0.0)
    assert display.points_[0].get_array().tolist() == [0, 1, 0, 1]
    with pytest.raises(rs.ParameterError, match="output is 2"):
        of(net, X, output=2)


@pytest.mark.parametrize("frame", [False, True])
def test_classifiers_of_any_kind_are_drawn_with_their_labels(frame: bool) -> None:
    given: Any = pd.DataFrame(X, columns=["length", "cost in $"]) if frame else X
    for estimator in (make_pipeline(StandardScaler(), LogisticRegression()), rs.MLPClassifier(solver="lbfgs")):
        display = of(estimator.fit(given, LABELS), given, LABELS)
        assert display.classes == ["no", "yes"]
        assert [len(points.get_offsets()) for points in display.points_] == [1, 3]
        assert display.ax_.get_ylabel() == ("cost in $" if frame else "x₂")
        display.figure_.canvas.draw()


def test_the_axes_have_the_names_of_a_table_of_arrow() -> None:
    display = of(network(1.0, 1.0, 0.0), pa.table({"length": X[:, 0], "width": X[:, 1]}))
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("length", "width")


def test_a_regressor_and_an_ensemble_are_drawn_too() -> None:
    regressor = of(LinearRegression().fit(X, X.sum(axis=1)), X, X.sum(axis=1), grid_resolution=3)
    assert regressor.response[1, 1] == pytest.approx(1.0)
    ensemble = rs.Ensemble([network(1.0, 1.0, 0.0), network(3.0, 1.0, 0.0)])
    assert of(ensemble, X, grid_resolution=3).response[1, 1] == pytest.approx(1.5)


def test_without_targets_there_are_no_points() -> None:
    assert of(network(1.0, 1.0, 0.0), X).points_ == []


def test_samples_of_one_place_have_a_plane_around_them() -> None:
    display = of(network(1.0, 1.0, 0.0), [[2.0, 3.0]])
    assert (display.xx0[0], display.xx0[-1], display.xx1[0], display.xx1[-1]) == (1.5, 2.5, 2.5, 3.5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: of(network(1.0, 1.0, 0.0), X[:, :1]), r"X has shape \(4,\).* two inputs"),
        (lambda: of(network(1.0, 1.0, 0.0), np.ones((3, 4))), r"X has shape \(3, 4\)"),
        (lambda: of(network(1.0, 1.0, 0.0), X, grid_resolution=1), "grid_resolution is 1"),
        (lambda: of("net", X), "estimator is 'net'"),
        (lambda: of(LogisticRegression().fit(X, LABELS), X, ["no", "no", "perhaps", "no"]), "y holds 'perhaps'"),
        (
            lambda: rs.DecisionBoundaryDisplay(xx0=[0, 1], xx1=[0, 1, 2], response=[[1, 2], [3, 4]]),
            "response has shape",
        ),
        (lambda: rs.DecisionBoundaryDisplay(xx0=[0], xx1=[0], response=[[[1.0]]]), "1 classes"),
        (lambda: rs.DecisionBoundaryDisplay(xx0=[0], xx1=[0], response=[[1.0]], X=[[1]]), "X has shape"),
        (lambda: rs.DecisionBoundaryDisplay(xx0=[0], xx1=[0], response=[[1.0]], X=[[1, 2]], y=[1, 2]), "y has shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(wrong: Any, words: str) -> None:
    with pytest.raises(rs.ReseauError, match=words):
        wrong()
