"""Quantities: their logarithm where they are skewed, the least number predicted, intervals."""

from __future__ import annotations

import ctypes
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from compiling import QUICK, shared_library

import reseau as rs
from reseau.tables.model import TableModel
from reseau.tables.targets.quantity import MOST_RESIDUALS, Quantity


def lognormal(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows))
    return pd.DataFrame({"a": a, "b": b, "y": np.exp(a + b / 2 + rng.normal(size=rows) / 2)})


@pytest.fixture(scope="module")
def skewed() -> TableModel:
    return TableModel.train(lognormal(1200, seed=1), "y", epochs=40)


def test_a_lognormal_quantity_is_learned_by_its_logarithm_and_its_sum_is_right(skewed: TableModel) -> None:
    assert isinstance(skewed.target, Quantity)
    assert skewed.target.form == "log"
    assert skewed.target.shift == 0.0
    frame = lognormal(1200, seed=1)
    predicted = np.asarray(skewed.predict(frame).values)
    # E y = E exp(t) is 1 + 1/8 times exp E t here, so that exp of the outputs alone would be 12 % too small.
    assert predicted.sum() == pytest.approx(frame["y"].sum(), rel=0.06)


def test_the_logarithm_is_not_taken_where_numbers_are_negative_or_lie_around_their_mean() -> None:
    frame = lognormal(300)
    below = TableModel.train(frame.assign(y=frame["y"] - 1), "y", epochs=2, preset="fast")
    assert below.target.form == ""
    assert np.asarray(below.predict(frame.assign(a=-9.0)).values).min() < 0
    even = Quantity("y", 0.0, 1.0).fitted(np.arange(100.0))
    assert even.forms(np.arange(100.0)) == (even,)


def test_numbers_of_which_some_are_0_are_moved_before_their_logarithm_is_taken() -> None:
    y = np.concatenate([np.zeros(50), np.exp(np.linspace(-1, 4, 151))])
    plain, log, means = Quantity("y", 0.0, 1.0).fitted(y).forms(y)
    assert log.shift == pytest.approx(np.median(y[y > 0]) / 2)
    t = log.taught(y)
    assert t.mean() == pytest.approx(0, abs=1e-6)
    assert t.std() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(log.numbers(t), y, rtol=2e-6, atol=2e-6)
    for form in (plain, means):
        np.testing.assert_allclose(form.numbers(form.taught(y)), y, rtol=2e-6, atol=2e-6)
    assert means.loss == "poisson"


def test_amounts_of_which_most_are_0_are_learned_as_means_above_0() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2))
    y = np.where(rng.random(800) < 1 / (1 + np.exp(-2 * x[:, 0])), np.exp(x[:, 1] + x[:, 0]), 0.0)
    model = TableModel.train(pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}), "y", epochs=40)
    assert model.target.form == "poisson"
    assert "learned by the loss 'poisson'" in model.target.told(model.training)
    predicted = model.target.numbers(model.evidence.O)
    assert predicted.min() >= 0
    assert predicted.sum() == pytest.approx(y.sum(), rel=0.05)


def test_no_number_below_the_least_met_is_predicted_where_none_is_negative() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 300)
    frame = pd.DataFrame({"x": x, "price": np.maximum(20 * x - 5 + rng.normal(size=300), 1.25)})
    model = TableModel.train(frame, "price", epochs=20)
    predicted = np.asarray(model.predict({"x": np.linspace(-3, 0.3, 100)}).values)
    assert predicted.min() >= 1.25


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e12])
def test_units_of_any_size_are_learned_alike(unit: float) -> None:
    frame = lognormal(400)
    told = [
        np.asarray(TableModel.train(frame.assign(y=frame["y"] * u), "y", epochs=5).predict(frame).values) / u
        for u in (1.0, unit)
    ]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-3)


def test_an_interval_holds_as_many_of_unseen_rows_as_it_says(skewed: TableModel) -> None:
    unseen = lognormal(4000, seed=1)
    for coverage in (0.5, 0.8, 0.9, 0.95):
        table = skewed.predict(unseen, interval=coverage).table
        assert table.column_names == ["prediction", "lower", "upper"]
        lower, upper = (np.asarray(table[name]) for name in ("lower", "upper"))
        inside = (lower <= unseen["y"]) & (unseen["y"] <= upper)
        assert inside.mean() == pytest.approx(coverage, abs=0.03)  # 0.02, and two of the 4,000 rows' deviations
        assert (lower <= np.asarray(table["prediction"])).mean() > 0.99


def test_intervals_are_those_of_the_residuals_that_lie_beyond() -> None:
    target = Quantity("y", mean=10.0, scale=2.0, residuals=tuple(np.arange(-9.0, 10.0)))  # 19 of them
    lower, upper = target.interval(np.array([[0.0], [1.0]]), 0.9)  # one of 20 places at each end
    np.testing.assert_allclose(lower, [10 - 18, 12 - 18])
    np.testing.assert_allclose(upper, [10 + 18, 12 + 18])
    lower, upper = target.interval(np.array([[0.0]]), 0.5)
    np.testing.assert_allclose([*lower, *upper], [10 - 2 * 5, 10 + 2 * 5])
    with pytest.raises(rs.ParameterError, match=r"interval is 0.95, for which 39 rows .* has 19"):
        target.interval(np.array([[0.0]]), 0.95)
    with pytest.raises(rs.ParameterError, match="older release"):
        Quantity("y", 0.0, 1.0).interval(np.array([[0.0]]), 0.5)


def test_residuals_are_out_of_fold_and_as_large_as_those_of_the_mean_of_members() -> None:
    rng = np.random.default_rng(0)
    y, O = rng.normal(5.0, 2.0, 3000), rng.normal(size=(3000, 1)).astype(np.float32)
    target = Quantity("y", 5.0, 2.0)
    r = target.taught(y)[:, 0] - O[:, 0]
    whole = target.out_of_fold(O, y, np.array([0.0]))
    assert len(whole.residuals) == MOST_RESIDUALS
    np.testing.assert_allclose(whole.residuals[::999], np.quantile(r, [0, 0.5, 1]), rtol=1e-5)
    smaller = target.out_of_fold(O, y, np.array([0.36 * float((r**2).mean())]))
    np.testing.assert_allclose(smaller.residuals, 0.8 * np.array(whole.residuals), rtol=1e-5)


@pytest.mark.parametrize("interval", [0.0, 1.0, 1.5, float("nan"), "wide", True])
def test_an_interval_that_is_no_share_is_refused(skewed: TableModel, interval: Any) -> None:
    with pytest.raises(rs.ParameterError, match="interval is"):
        skewed.predict(lognormal(3), interval=interval)


def test_an_interval_of_classes_is_refused() -> None:
    frame = lognormal(60).assign(y=["a", "b"] * 30)
    model = TableModel.train(frame, "y", epochs=1, preset="fast")
    with pytest.raises(rs.ParameterError, match="is of classes, each of which has a probability"):
        model.predict(frame, interval=0.9)


def test_it_loads_as_it_was_saved(skewed: TableModel, tmp_path: Path) -> None:
    skewed.save(tmp_path / "m.reseau")
    loaded = rs.load(tmp_path / "m.reseau")
    assert loaded.target == skewed.target
    rows = lognormal(5)
    assert loaded.predict(rows, interval=0.8).table.equals(skewed.predict(rows, interval=0.8).table)


def test_derivatives_follow_the_logarithm_and_end_where_the_prediction_is_held(skewed: TableModel) -> None:
    rows = lognormal(40, seed=3)
    step = 1e-3
    up, down = (np.asarray(skewed.predict(rows.assign(a=rows["a"] + s)).values) for s in (step, -step))
    found = skewed.jacobian(rows)["a"][:, 0]
    near = np.isclose(found, (up - down) / (2 * step), rtol=0.02, atol=0.01)
    assert near.mean() > 0.8  # the others have the edge of a bin, or the bend of a ReLU, in the step
    np.testing.assert_allclose(skewed.jvp(rows, {"a": 1.0})[:, 0], found, rtol=1e-4)
    np.testing.assert_allclose(skewed.vjp(rows, [1.0])["a"], found, rtol=1e-4)
    target = Quantity("y", 0.0, 1.0, shift=1.0, most=2.0, least=0.5)
    first, second = target.slopes(np.array([[-1.0], [1.0], [3.0]]))
    np.testing.assert_allclose(first[:, 0], [0, np.e, 0])  # e⁻¹ - 1 is below the least, 3 above the most
    np.testing.assert_allclose(second[:, 0], [0, np.e, 0])


def test_exports_predict_as_the_model(skewed: TableModel, tmp_path: Path) -> None:
    rows = pd.concat([lognormal(30, seed=4), pd.DataFrame({"a": [-40.0, 40.0, 0.0], "b": [1.0, 1.0, np.nan]})])
    expected = np.asarray(skewed.predict(rows.drop(columns="y")).values)
    rs.to_python(skewed, tmp_path / "it.py")
    script = runpy.run_path(str(tmp_path / "it.py"))
    cells = rows[["a", "b"]].to_dict("records")
    np.testing.assert_allclose(script["quantity"](script["predict"](script["encode"](cells))), expected, rtol=1e-5)
    rs.to_onnx(skewed, tmp_path / "it.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx")
    (found, *_) = session.run(None, {name: rows[[name]].to_numpy() for name in ("a", "b")})
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    rs.to_c(skewed, tmp_path / "it.c", name="it")
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)
    for (a, b), wanted in zip(rows[["a", "b"]].to_numpy(), expected, strict=True):
        row, prediction = (ctypes.c_double * 2)(a, b), ctypes.c_double()
        assert library.it_predict_row(row, ctypes.byref(prediction)) == 0
        assert prediction.value == pytest.approx(wanted, rel=1e-5)
