"""What is predicted as a column changes, against predictions of tables in which it is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.tables.columns.kinds import Number
from reseau.tables.targets.quantity import Quantity
from reseau.tables.understanding.partial_dependence import effect

RNG = np.random.default_rng(0)
ROWS = 120
TABLE = pd.DataFrame(
    {
        "size": [f"{value:.3f}".replace(".", ",") for value in RNG.lognormal(1, 1, ROWS)],
        "gap": np.where(np.arange(ROWS) % 5 == 0, np.nan, RNG.normal(size=ROWS)),
        "sort": [["a", "b", None, "c", "b"][row % 5] for row in range(ROWS)],
        "new": [["oui", "non"][row % 2] for row in range(ROWS)],
        "when": pd.date_range("2021-03-01", periods=ROWS, freq="31h"),
        "at": [f"{row % 24:02d}:{row * 7 % 60:02d}" for row in range(ROWS)],
        "always": "x",
    }
)
SIZE = TABLE["size"].str.replace(",", ".").astype(float)
TARGETS = {
    "price": SIZE**2 + 10 * (TABLE["sort"] == "a"),  # skewed, so that its logarithm may be learned
    "large": np.where(SIZE + TABLE["gap"].fillna(0) > 3, "yes", "no"),
    "kind": [["u", "v", "w"][int(value > 2) + int(value > 5)] for value in SIZE],
}


@pytest.fixture(scope="module", params=TARGETS)
def model(request: Any) -> rs.TableModel:
    table = TABLE.assign(**{request.param: TARGETS[request.param]})
    return rs.TableModel.train(table, request.param, preset="fast", epochs=15)


def predicted(model: rs.TableModel, table: pd.DataFrame) -> Any:
    """The numbers that a model predicts, (rows, answers)."""
    found = model.predict(table)
    return found.values.to_numpy()[:, None] if found.probabilities is None else found.probabilities


def test_each_line_is_what_is_predicted_of_the_row_with_its_cell_changed(model):
    cells = {
        "size": lambda value: f"{value:.3f}".replace(".", ","),
        "gap": float,
        "sort": lambda value: None if value == "(missing)" else value,
        "new": str,
        "when": pd.Timestamp,
        "at": lambda hours: f"{int(hours + 1e-6):02d}:{round(hours * 60) % 60:02d}",
    }
    for column, cell in cells.items():
        found = effect(model, TABLE, column, points=3, lines=10)
        assert found.of_rows == ROWS
        for point, value in enumerate(found.grid):
            expected = predicted(model, TABLE.assign(**{column: [cell(value)] * ROWS}))
            expected = expected[:, 1:] if expected.shape[1] == 2 else expected
            np.testing.assert_allclose(found.lines[:, point], expected[found.rows], rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(found.mean[point], expected.mean(axis=0, dtype=np.float64), rtol=1e-6, atol=1e-6)


def test_kinds_of_columns_are_gone_through_by_what_they_are(model):
    of = {column: effect(model, TABLE, column, lines=1) for column in ("size", "sort", "new", "when", "at")}
    assert {column: found.kind for column, found in of.items()} == {
        "size": "number",
        "sort": "category",
        "new": "boolean",
        "when": "date",
        "at": "time of day",
    }
    np.testing.assert_allclose(of["size"].grid[[0, -1]], [SIZE.min(), SIZE.max()])
    assert (np.diff(of["size"].grid) > 0).all()
    assert set(of["size"].grid) <= set(SIZE)
    assert of["sort"].grid.tolist() == ["b", "a", "c", "(missing)"]
    assert of["new"].grid.tolist() == ["non", "oui"]
    assert of["when"].grid[0] == np.datetime64("2021-03-01")
    assert of["at"].grid.min() == 0.0
    assert 23 < of["at"].grid.max() < 24


def test_of_two_classes_it_is_the_second_and_of_more_each(model):
    found = effect(model, TABLE, "gap", points=2, lines=0)
    expected = {"price": ("price",), "large": ("large=yes",), "kind": ("kind=u", "kind=v", "kind=w")}
    assert found.answers == expected[model.target.name]
    assert found.mean.shape == (2, len(found.answers))
    assert found.lines.shape == (0, 2, len(found.answers))
    if model.target.name == "kind":
        np.testing.assert_allclose(found.mean.sum(axis=1), 1, atol=1e-6)


def test_told_it_is_short(model):
    found = effect(model, TABLE, "sort", lines=1)
    answers = {"price": "price", "large": "large=yes", "kind": "3 answers"}[model.target.name]
    assert repr(found) == f"Effect(sort, a category, on {answers}: 4 points, 1 line)"


def test_a_class_may_be_asked_for(model):
    if model.target.name == "price":
        with pytest.raises(ParameterError, match="the class 'u' is asked of 'price', which is a number"):
            effect(model, TABLE, "gap", label="u")
        return
    label = {"large": "no", "kind": "v"}[model.target.name]
    found = effect(model, TABLE, "gap", points=2, label=label)
    assert found.answers == (f"{model.target.name}={label}",)
    with pytest.raises(ParameterError, match="the class is 'x', which is unknown"):
        effect(model, TABLE, "gap", label="x")


class Linear(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """2 a − 3 b, as scikit-learn has it."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X) @ [2.0, -3.0]


def test_it_is_scikit_learns_of_a_linear_model():
    net = rs.Network(rs.Dense(1, bias=False), inputs=2, dtype="float64")
    net.parameters[...] = [2, -3]
    model = rs.TableModel((Number("a"), Number("b")), Quantity("y", 0.0, 1.0), net, None, {})
    X = pd.DataFrame(RNG.normal(size=(20, 2)).astype(np.float32), columns=["a", "b"])
    found = effect(model, X, "b", lines=20)
    theirs = partial_dependence(Linear().fit(X), X, ["b"], kind="both", custom_values={"b": found.grid})
    np.testing.assert_allclose(found.mean[:, 0], theirs["average"][0], atol=1e-6)
    np.testing.assert_allclose(found.lines[:, :, 0], theirs["individual"][0], atol=1e-6)


def test_of_many_rows_some_are_drawn_by_the_seed(model):
    table = pd.concat([TABLE] * 5)
    first, again, other = (effect(model, table, "gap", points=2, seed=seed) for seed in (1, 1, 2))
    assert first.of_rows == 512
    assert len(first.rows) == 30
    np.testing.assert_array_equal(first.lines, again.lines)
    assert (first.rows != other.rows).any()


def test_a_column_that_is_not_used_is_refused_and_says_why(model):
    with pytest.raises(ParameterError, match="the column 'always' is not used by the model: left out: "):
        effect(model, TABLE, "always")
    with pytest.raises(ParameterError, match=r"the model uses no column 'sise' \(did you mean 'size'\?\); its columns"):
        effect(model, TABLE, "sise")
    with pytest.raises(DataError, match="the column 'gap' is missing in each row"):
        effect(model, TABLE.assign(gap=np.nan), "gap")


@pytest.mark.parametrize("parameter", [{"points": 1}, {"lines": -1}, {"seed": 0.5}])
def test_what_cannot_be_is_refused(model, parameter):
    with pytest.raises(ParameterError, match=f"{next(iter(parameter))} is"):
        effect(model, TABLE, "gap", **parameter)
