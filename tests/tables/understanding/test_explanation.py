"""What columns contribute to a prediction, against closed forms and against what `predict` says."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.tables.columns.kinds import LeftOut, Number
from reseau.tables.targets.quantity import Quantity

RNG = np.random.default_rng(0)
ROWS = 90
TABLE = pd.DataFrame(
    {
        "size": [f"{value:.3f}".replace(".", ",") for value in RNG.lognormal(1, 1, ROWS)],
        "gap": np.where(np.arange(ROWS) % 5 == 0, np.nan, RNG.normal(size=ROWS)),
        "sort": [["a", "b", None][row % 3] for row in range(ROWS)],
        "when": pd.date_range("2021-03-01", periods=ROWS, freq="31h"),
        "always": "x",
    }
)
SIZE = TABLE["size"].str.replace(",", ".").astype(float)
TARGETS = {
    "price": SIZE**2 + 10 * (TABLE["sort"] == "a"),  # skewed: its logarithm is learned
    "large": np.where(SIZE + TABLE["gap"].fillna(0) > 3, "yes", "no"),
    "kind": [["u", "v", "w"][int(value > 2) + int(value > 5)] for value in SIZE],
}


@pytest.fixture(scope="module", params=TARGETS)
def model(request: Any) -> rs.TableModel:
    table = TABLE.assign(**{request.param: TARGETS[request.param]})
    return rs.TableModel.train(table, request.param, preset="fast", epochs=15)


def linear(weights: list[float], *columns: Any) -> rs.TableModel:
    net = rs.Network(rs.Dense(1, bias=False), inputs=len(weights), dtype="float64")
    net.parameters[...] = weights
    return rs.TableModel(columns, Quantity("y", 0.0, 1.0), net, None, {})


def test_of_a_linear_model_each_is_its_weight_times_how_far_the_cell_lies_from_the_mean():
    model = linear([2, -3, 0], Number("a"), LeftOut("id"), Number("b"), Number("c"))
    table = {"id": ["u", "v", "w"], "a": [1, 2, 6], "b": [0.5, 4.5, 1.0], "c": [7, 8, 9]}
    found = model.explain(table, row=2)
    assert (found.answer, found.prediction, found.base) == ("y", 2 * 2 - 3 * 4.5, 2 * 3 - 3 * 2)
    assert found.columns == ("b", "a", "c")
    assert found.cells == ("4.5", "2", "8")
    np.testing.assert_allclose(found.contributions, [-3 * 2.5, 2 * -1, 0], atol=1e-12)
    assert found.exact


def test_a_background_of_its_own_is_what_the_row_is_seen_beside():
    model = linear([2, -3], Number("a"), Number("b"))
    found = model.explain({"a": 1, "b": 1}, background={"a": [0, 4], "b": [1, 1]})
    np.testing.assert_allclose(found.contributions, [2 * -1, 0])
    assert (found.base, found.background_rows, found.columns) == (2 * 2 - 3, 2, ("a", "b"))


@pytest.mark.parametrize("samples", [None, 3])
def test_they_sum_to_what_is_predicted_beside_the_mean_of_what_is_predicted(model, samples):
    said = model.predict(TABLE)
    for row in (1, 46):
        found = model.explain(TABLE, row=row, samples=samples)
        if said.probabilities is None:
            told = said.values.to_numpy()
            assert found.answer == "price"
        else:
            label = said.values[row - 1].as_py()
            told = said.probabilities[:, model.target.labels.index(label)].astype(float)
            assert found.answer == f"{model.target.name}={label}"
        assert found.prediction == told[row - 1]
        assert found.base == pytest.approx(told.mean(), rel=1e-12)
        assert found.contributions.sum() == pytest.approx(found.prediction - found.base, abs=1e-9 * abs(told).max())
        assert found.exact == (samples is None)
        assert found.background_rows == ROWS
    assert set(found.columns) == {"size", "gap", "sort", "when"}


def test_what_is_drawn_comes_near_to_what_is_exact(model):
    exact = model.explain(TABLE, row=7)
    drawn = model.explain(TABLE, row=7, samples=8, seed=3)
    of = dict(zip(exact.columns, exact.contributions, strict=True))
    assert drawn.errors is not None
    for name, value, error in zip(drawn.columns, drawn.contributions, drawn.errors, strict=True):
        assert abs(value - of[name]) <= 5 * error + 1e-9 * abs(exact.prediction)


def test_a_class_may_be_asked_for(model):
    if model.target.name == "price":
        with pytest.raises(ParameterError, match="the class 'u' is asked of 'price', which is a number"):
            model.explain(TABLE, label="u")
        return
    labels = model.target.labels
    each = [model.explain(TABLE, row=5, label=label) for label in labels]
    assert sum(found.prediction for found in each) == pytest.approx(1, abs=1e-6)
    by_name = [dict(zip(found.columns, found.contributions, strict=True)) for found in each]
    for name in by_name[0]:
        assert sum(of_class[name] for of_class in by_name) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ParameterError, match="the class is 'x', which is unknown"):
        model.explain(TABLE, label="x")


def test_cells_are_as_the_table_writes_them(model):
    found = model.explain(TABLE, row=6)
    cells = dict(zip(found.columns, found.cells, strict=True))
    assert cells == {"size": TABLE["size"][5], "gap": None, "sort": None, "when": "2021-03-07 11:00:00"}


def test_times_and_durations_are_written_as_people_do():
    model = linear([1, 1], Number("for"), Number("at"))
    table = {"for": [timedelta(hours=1.5), timedelta(0)], "at": [time(14, 30), None]}
    found = model.explain(table)
    assert dict(zip(found.columns, found.cells, strict=True)) == {"for": "1:30:00", "at": "14:30:00"}
    np.testing.assert_allclose(found.contributions, [14.5 * 3600 / 2, 1.5 * 3600 / 2])


def test_told_it_is_a_table_of_the_largest_first():
    model = linear([2, -300, 0.001], Number("a"), Number("b"), Number("a very long name of a column, for a table"))
    table = {"a": [1, 2], "b": [None, 1.25], "a very long name of a column, for a table": [7, 9]}
    assert str(model.explain(table, row=1)).splitlines() == [
        "the table, row 1: y 2.007; mean of 2 of its rows -184.492".replace("-", "−"),
        "",
        "  column                            value      contribution",
        "  b                                 (missing)        +187.5",
        "  a                                 1                  −1.0",
        "  a very long name of a column, f…  7                  −0.0",
        "  sum                                                +186.5",
    ]


def test_numbers_to_the_last_digit_are_told_shorter_and_kept():
    model = linear([2, -3], Number("a"), Number("b"))
    found = model.explain({"a": [2 / 3, 1e-20 / 3], "b": ["1.00", "12345678901234567890"]}, row=1)
    assert found.cells == ("1.00", "0.6666666666666666")
    assert [line.split()[1] for line in found.lines()[3:5]] == ["1.00", "0.666667"]
    other = model.explain({"a": [2 / 3, 1e-20 / 3], "b": ["1.00", "12345678901234567890"]}, row=2)
    assert [line.split()[1] for line in other.lines()[3:5]] == ["12345678901234567890", "3.33333e-21"]


def test_free_text_contributes_as_a_whole():
    rng = np.random.default_rng(3)
    kinds = rng.integers(0, 2, 120)
    texts = [f"{['leather boots', 'mobile phone'][kind]} n° {rng.integers(10**6)} of ours" for kind in kinds]
    table = {"title": texts, "z": rng.normal(size=120), "kind": kinds.astype(str)}
    model = rs.TableModel.train(table, "kind", preset="fast", epochs=20, text="title")
    found = model.explain(table, row=2)
    assert (found.columns[0], found.cells[0]) == ("title", texts[1])
    assert found.contributions.sum() == pytest.approx(found.prediction - found.base, abs=1e-9)
    assert model.importance().columns[0] == "title"


def test_many_columns_are_told_together():
    names = [f"c{place}" for place in range(60)]
    model = linear([1.0] * 60, *map(Number, names))
    table = {name: [place, 0] for place, name in enumerate(names)}
    found = model.explain(table, row=1)
    assert not found.exact
    lines = str(found).splitlines()
    assert len(lines) == 2 + 1 + 40 + 1 + 1
    assert lines[-2].split() == ["20", "other", "columns", f"+{sum(range(20)) / 2:.2f}"]
    assert lines[2].split() == ["column", "value", "contribution", "±"]
    assert lines[3].split() == ["c59", "59", "+29.50", "0.00"]


def test_it_is_told_in_notebooks_and_in_json(model):
    table = TABLE.assign(sort=["<b>", *TABLE["sort"][1:]])
    for samples in (None, 2):
        found = model.explain(table, row=1, samples=samples)
        assert "&lt;b&gt;" in found._repr_html_()
        told = json.loads(json.dumps(found.to_json()))
        assert [each["column"] for each in told["columns"]] == list(found.columns)
        assert [each["contribution"] for each in told["columns"]] == found.contributions.tolist()
        assert ["error" in each for each in told["columns"]] == [samples is not None] * 4
        assert told["exact"] == found.exact
        assert (told["prediction"], told["base"], told["row"]) == (found.prediction, found.base, 1)
    assert repr(found).startswith(f"Explanation({found.answer} of row 1 is ")


def test_the_same_seed_draws_the_same_background_and_another_one_another():
    model = linear([1.0], Number("a"))
    table = {"a": RNG.normal(size=1000)}
    first, again, other = (model.explain(table, seed=seed) for seed in (1, 1, 2))
    assert first.background_rows == 256
    assert first.base == again.base != other.base


def test_a_row_that_is_not_there_is_refused(model):
    for row in (0, -1, 1.5, "first", None):
        with pytest.raises(ParameterError, match=r"row is .*, but must be a whole number of at least 1"):
            model.explain(TABLE, row=row)
    with pytest.raises(DataError, match="the table has 90 rows, so there is no row 91"):
        model.explain(TABLE, row=91)


def test_a_single_row_needs_others_beside_it(model):
    with pytest.raises(DataError, match=r"the table has a single row, .* \(--background\)"):
        model.explain(TABLE.iloc[:1])
    assert model.explain(TABLE.iloc[:1], background=TABLE).background_rows == ROWS


def test_estimators_on_frames_are_explained_by_their_classes():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"a": rng.normal(size=80), "b": ["u", "v"] * 40})
    y = np.where(X["a"] > 0, 10, 9)  # "10" would come before "9"
    model = rs.TableClassifier(preset="fast", epochs=30, random_state=0).fit(X, y)
    proba = model.predict_proba(X)
    for place, label in enumerate([9, 10]):
        found = model.explain(X, row=3, label=label)
        assert (found.prediction, found.answer) == (proba[2, place], f"target={label}")
        effect = model.effect(X, "b", label=label)
        expected = [model.predict_proba(X.assign(b=level))[:, place].mean() for level in effect.grid]
        np.testing.assert_allclose(effect.mean[:, 0], expected, rtol=1e-5)
    importance = model.importance(X, y)
    assert importance.columns == ("a", "b")
    assert importance.error == pytest.approx(-np.log(proba[np.arange(80), (y == 10).astype(int)]).mean(), rel=1e-6)
    with pytest.raises(DataError, match="give X and y that it has not seen"):
        model.importance()
    with pytest.raises(DataError, match="X has 80 rows, but y has 79"):
        model.importance(X, y[1:])
    regressor = rs.TableRegressor(preset="fast", epochs=30, random_state=0).fit(X, 3.0 * X["a"])
    found = regressor.explain(X, row=3)
    assert (found.prediction, found.columns[0]) == (regressor.predict(X)[2], "a")
    assert regressor.importance(X, 3.0 * X["a"]).columns == ("a", "b")


def test_the_importance_of_columns_is_that_of_the_rows_of_training_or_of_others(model, tmp_path):
    table = TABLE.assign(**{model.target.name: TARGETS[model.target.name]})
    assert model.importance(repeats=2).rows == model.scores.rows  # type: ignore[union-attr]
    assert model.importance(table.iloc[:30], repeats=2).rows == 30
    with pytest.raises(ParameterError, match="y is given, but a TableModel finds the target"):
        model.importance(table, table[model.target.name])
    model.save(tmp_path / "m.reseau")
    with pytest.raises(DataError, match="has no rows of its training; give a table"):
        rs.load(tmp_path / "m.reseau").importance()
