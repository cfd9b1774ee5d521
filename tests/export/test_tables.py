"""Columns with bins, ranks and effects in C, as scripts and in ONNX: what is predicted from them is Python's."""

from __future__ import annotations

import ctypes
import datetime
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from compiling import QUICK, pointer, self_test, shared_library

import reseau as rs
from reseau.tables.columns import category
from reseau.tables.columns.kinds import Category, Date, Number

ROWS = 900
EPOCH = datetime.datetime(1970, 1, 1)
CELLS = ("size", "weight", "steps", "when", "place")


def table() -> pa.Table:
    rng = np.random.default_rng(9)
    places = np.minimum(rng.geometric(0.04, ROWS), 60)
    size, weight, steps = rng.normal(1e3, 30, ROWS), rng.lognormal(2, 2, ROWS), rng.integers(0, 4, ROWS)
    hours = rng.integers(0, 24 * 900, ROWS)
    y = size + 40 * np.sin(places) + 10 * steps + rng.normal(size=ROWS)
    return pa.table(
        {
            "size": size,
            "weight": [None if row % 9 == 0 else value for row, value in enumerate(weight.tolist())],
            "steps": steps.astype(float),
            "when": [EPOCH + datetime.timedelta(days=15_000, hours=int(h)) for h in hours],
            "place": [None if row % 11 == 0 else f"größe {k}" for row, k in enumerate(places)],
            "y": y - 1000,
            "kind": [["low", "middle", "high"][int(value)] for value in np.digitize(y, [985, 1030])],
        }
    )


TABLE = table()


def asked() -> dict[str, list[Any]]:
    """Rows of the training, and others: edges, cells far out, between and missing, and levels never seen."""
    rows = {name: TABLE[name].to_pylist()[:60] for name in CELLS}
    for d in model("y").columns:
        if isinstance(d, Number):
            rows[d.name] += [*d.edges[:20], -3e30, 3e30, d.edges[0] - 1e-6, d.edges[-1] + 1e-6, None]
        elif isinstance(d, Date):
            moments = [EPOCH + datetime.timedelta(seconds=round(86400 * edge)) for edge in d.edges[:20]]
            rows[d.name] += [*moments, datetime.datetime(1700, 3, 1), datetime.datetime(2400, 2, 29, 12), None]
        elif isinstance(d, Category):
            rows[d.name] += [*d.levels[:12], *d.rarer[:9], "never", "", "NA", None]
    n = max(map(len, rows.values()))
    return {name: cells + cells[: n - len(cells)] for name, cells in rows.items()}


@cache
def model(target: str) -> rs.TableModel:
    levels, category.MAX_LEVELS = category.MAX_LEVELS, 20
    try:
        other = {"y": "kind", "kind": "y"}[target]
        found = rs.TableModel.train(TABLE, target, ignore=[other], layers=(6,), epochs=3, learning_rate=0.01)
    finally:
        category.MAX_LEVELS = levels
    used = {d.name: d for d in found.columns if d.features}
    assert set(used) == set(CELLS)
    assert all(len(used[name].edges) > 2 for name in CELLS[:4])
    place = used["place"]
    assert isinstance(place, Category)
    assert len(place.rarer) > 5
    assert len(place.effects) == (len(place.known) + 2) * (1 if target == "y" else 3)
    return found


BOTH = pytest.mark.parametrize("target", ["y", "kind"])


def outputs(target: str) -> Any:
    found = model(target).predict(asked())
    return found.values.to_numpy()[:, None] if found.probabilities is None else found.probabilities


def tolerance(target: str) -> float:
    """Some roundings in float32 of the inputs, of which hundreds are 1 or less, and of the sums over them."""
    return 3e-5 * (model("y").target.scale if target == "y" else 1.0)


def seconds(moment: datetime.datetime | None) -> float:
    return np.nan if moment is None else (moment - EPOCH).total_seconds()


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c_predicts_from_rows_what_the_model_predicts(target: str, dtype: str, tmp_path: Path) -> None:
    model(target).to_c(tmp_path / "it.c", dtype=dtype)
    tested = self_test(QUICK, tmp_path / "it.c")
    assert (tested.returncode, tested.stdout[:10]) == (0, "it: passed"), tested.stdout
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)

    class Row(ctypes.Structure):
        _fields_ = [*((name, ctypes.c_double) for name in CELLS[:4]), ("place", ctypes.c_char_p)]

    rows, expected = asked(), outputs(target)
    found = np.zeros(expected.shape, np.float64 if target == "y" else dtype)
    for cells, o in zip(zip(*rows.values(), strict=True), found, strict=True):
        numbers = [np.nan if cell is None else cell for cell in cells[:3]]
        row = Row(*numbers, seconds(cells[3]), None if cells[4] is None else cells[4].encode())
        assert library.it_predict_row(ctypes.byref(row), pointer(o)) == 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance(target))


@BOTH
def test_a_script_encodes_rows_as_the_model_and_predicts_the_same(target: str, tmp_path: Path) -> None:
    rs.to_python(model(target), tmp_path / "it.py")
    script = runpy.run_path(str(tmp_path / "it.py"))
    rows = [dict(zip(asked(), cells, strict=True)) for cells in zip(*asked().values(), strict=True)]
    O = script["predict"](script["encode"](rows))
    found = np.reshape(script["quantity"](O), (-1, 1)) if target == "y" else O
    np.testing.assert_allclose(found, outputs(target), rtol=0, atol=tolerance(target))


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_predicts_from_columns_what_the_model_predicts(target: str, dtype: str, tmp_path: Path) -> None:
    model(target).to_onnx(tmp_path / "it.onnx", dtype=dtype)
    rows = asked()
    given = {name: np.array([[np.nan if c is None else c] for c in rows[name]], np.float64) for name in CELLS[:3]}
    given["when"] = np.array([[seconds(moment) / 86400] for moment in rows["when"]])
    given["place"] = np.array([[cell or ""] for cell in rows["place"]], object)
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx")
    (found,) = session.run(["prediction" if target == "y" else "probabilities"], given)
    np.testing.assert_allclose(
        np.reshape(found, outputs(target).shape), outputs(target), rtol=0, atol=tolerance(target)
    )
