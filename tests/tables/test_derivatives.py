"""Derivatives of what table models predict, in the units of the columns, by differences of the predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import reseau as rs
from reseau.tables.columns import kinds as columns
from reseau.tables.columns.kinds import Number
from reseau.tables.model import TableModel
from reseau.tables.reading.table import read_table
from reseau.tables.targets.quantity import Quantity

TABLE = pd.DataFrame(
    {
        "mass": np.random.default_rng(0).lognormal(8, 1.5, 120),  # far out values: squashed
        "place": np.tile(["north", "south", "east"], 40),
        "metres": np.random.default_rng(1).normal(size=120) * 1e-6,
        "day": pd.date_range("2020-01-01", periods=120),
        "gap": np.where(np.arange(120) % 7 == 0, np.nan, np.random.default_rng(2).normal(5, 2, 120)),
    }
)
TABLE["y"] = np.log(TABLE["mass"]) * 1e3 + 1e9 * TABLE["metres"] + TABLE["gap"].fillna(0)
TABLE["kind"] = np.where(TABLE["y"] > TABLE["y"].median(), "large", "small")
NUMBERS = ["mass", "metres", "gap"]
ROWS = TABLE[np.arange(120) % 7 != 0].iloc[:25]


@pytest.fixture(scope="module", params=["y", "kind"])
def model(request: Any) -> TableModel:
    other = {"y": "kind", "kind": "y"}[request.param]
    return TableModel.train(
        TABLE,
        request.param,
        ignore=[other],
        preset="fast",
        epochs=40,
        layers=(8,),
        activation="tanh",
        learning_rate=0.01,
    )


def size(model: TableModel) -> float:
    """By how much an answer follows an output: y is learned as it is, and probabilities are outputs."""
    if not isinstance(model.target, Quantity):
        return 1.0
    assert model.target.shift is None
    return model.target.scale


def answers(model: TableModel, table: pd.DataFrame) -> Any:
    """What is predicted, in float64, which the differences need, by the model's own columns, target and weights."""
    read = read_table(table)
    values = columns.read_columns(model.columns, read)
    Z = np.zeros((len(table), sum(len(c.features) for c in model.columns)), np.float64)
    place = 0
    for column, cells in zip(model.columns, values, strict=True):
        width = len(column.features)
        column.encode(cells, Z[:, place : place + width])  # type: ignore[arg-type]
        place += width
    outputs = []
    for member in model.network.networks:
        net = rs.Network(*member.architecture.layers, loss=member.loss, inputs=place, dtype="float64")
        net.parameters[...] = member.parameters
        outputs.append(net(Z))
    return np.mean(outputs, axis=0) * size(model)


def moved(table: pd.DataFrame, v: dict[str, Any], h: float) -> pd.DataFrame:
    return table.assign(**{name: table[name] + h * np.asarray(speed) for name, speed in v.items()})


def numerical(model: TableModel, v: dict[str, Any], h: float = 1e-4) -> Any:
    return (answers(model, moved(ROWS, v, h)) - answers(model, moved(ROWS, v, -h))) / (2 * h)


DIRECTION = {"mass": 300.0, "metres": np.linspace(-1, 1, 25) * 1e-6, "gap": -0.5}


def test_the_jacobian_is_that_of_the_predictions(model: TableModel) -> None:
    J = model.jacobian(ROWS)
    assert list(J) == NUMBERS
    for name, unit in (("mass", 100.0), ("metres", 1e-6), ("gap", 1.0)):
        np.testing.assert_allclose(J[name] * unit, numerical(model, {name: unit}), rtol=1e-3, atol=1e-4 * size(model))


def test_jvp_is_the_change_of_the_predictions_along_a_direction(model: TableModel) -> None:
    found = model.jvp(ROWS, DIRECTION)
    np.testing.assert_allclose(found, numerical(model, DIRECTION), rtol=1e-3, atol=1e-4 * size(model))
    assert model.jvp(ROWS, {}).tolist() == np.zeros(found.shape).tolist()


def test_vjp_is_the_gradient_of_a_sum_of_the_predictions(model: TableModel) -> None:
    J = model.jacobian(ROWS)
    outputs = J["mass"].shape[1]
    for u in (np.arange(1.0, outputs + 1), np.random.default_rng(3).normal(size=(25, outputs))):
        for name, gradient in model.vjp(ROWS, u).items():
            wanted = (J[name] * u).sum(axis=1)
            np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


def test_hessian_vector_is_the_change_of_the_jacobian_along_a_direction(model: TableModel) -> None:
    found, h = model.hessian_vector(ROWS, DIRECTION), 1e-3
    assert list(found) == NUMBERS
    ahead, behind = (model.jacobian(moved(ROWS, DIRECTION, shift)) for shift in (h, -h))
    for name in NUMBERS:
        bent = (ahead[name] - behind[name]) / (2 * h)
        np.testing.assert_allclose(found[name], bent, rtol=0.02, atol=0.02 * np.abs(bent).max())


def test_what_is_missing_has_no_derivative_and_what_lies_far_out_has_0(model: TableModel) -> None:
    rows = ROWS.iloc[:3].assign(gap=[5.0, None, 1e12])
    for found in (
        model.jacobian(rows),
        model.hessian_vector(rows, {"mass": 1.0}),
        model.vjp(rows, np.arange(1.0, model.network.architecture.outputs + 1)),
    ):
        gap = np.asarray(found["gap"]).reshape(3, -1)
        assert np.isnan(gap[1]).all()
        assert (gap[0] != 0).all()
        assert (gap[2] == 0).all()
        assert np.isfinite(found["mass"]).all()
    assert np.isnan(model.jvp(rows, {"gap": 1.0})[1]).all()
    assert (model.jvp(rows, {"gap": 1.0})[2] == 0).all()
    assert np.isfinite(model.jvp(rows, {"mass": 1.0, "gap": [1.0, 0.0, 1.0]})).all()
    assert np.isnan(model.hessian_vector(rows, {"gap": 1.0})["mass"][1]).all()


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_may_be_of_any_size(model: TableModel, unit: float) -> None:
    """In other units the network is another, but each derivative is that of the very predictions."""
    small = TABLE[["mass", "y"]].assign(mass=TABLE["mass"] * unit)
    other = TableModel.train(small, "y", preset="fast", epochs=3, layers=(4,), activation="tanh")
    J = other.jacobian(small)["mass"]
    # In some rows what the neurons say cancels: rounding in float32 is that of the largest.
    np.testing.assert_allclose(other.jvp(small, {"mass": 1.0}), J, rtol=1e-5, atol=1e-6 * np.abs(J).max())
    H = other.hessian_vector(small, {"mass": unit})["mass"] * unit
    assert np.isfinite(H).all()
    assert (H != 0).any()


@pytest.mark.parametrize(
    ("v", "message"),
    [
        ({"plaice": 1.0}, r"v names 'plaice', unknown to the model \(did you mean 'place'\?\)"),
        ({"place": 1.0}, r"v names 'place', which is of the kind 'category'; .* alone: .*mass.*metres.*gap"),
        ({"day": 1.0}, r"v names 'day', which is of the kind 'date'"),
        ({"mass": [1.0, 2.0]}, r"v\['mass'\] has shape \(2,\), but must be a number, or \(25,\)"),
        ({"mass": np.nan}, r"v\['mass'\] holds nan"),
        ({"mass": ["fast"] * 25}, r"v\['mass'\] holds 'fast' at row 0"),
        ([1.0, 2.0, 3.0], r"v is \[1.0, 2.0, 3.0\], but must be a mapping from columns of numbers"),
    ],
)
def test_directions_are_refused_by_name(model: TableModel, v: Any, message: str) -> None:
    for ask in (model.jvp, model.hessian_vector):
        with pytest.raises(rs.DataError, match=message):
            ask(ROWS, v)


def test_weights_of_another_shape_are_refused(model: TableModel) -> None:
    with pytest.raises(rs.DataError, match=r"u has shape \(9,\)"):
        model.vjp(ROWS, [1.0] * 9)


@pytest.mark.parametrize("target", ["y", "kind"])
def test_the_jacobian_of_columns_with_bins_is_that_of_the_predictions_inside_a_bin(target: str) -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": rng.normal(size=400), "b": rng.lognormal(1, 2, 400), "level": rng.integers(0, 40, 400)})
    table["b"] = table["b"].where(np.arange(400) % 8 > 0)
    table["level"] = "level " + table["level"].astype(str)
    table["y"] = np.sin(3 * table["a"]) + np.log(table["b"].fillna(1.0)) - 2
    table["kind"] = np.where(table["y"] > 0, "large", "small")
    model = TableModel.train(
        table, target, ignore=[{"y": "kind", "kind": "y"}[target]], epochs=10, layers=(6,), activation="tanh"
    )
    assert len(model.network.networks) == 8
    described = {d.name: d for d in model.columns if isinstance(d, Number)}
    edges = {name: np.array(d.edges) for name, d in described.items()}
    assert list(edges) == ["a", "b"]
    between = {name: np.resize((e[1:] + e[:-1]) / 2, 40) for name, e in edges.items()}
    rows = pd.DataFrame({**between, "level": table["level"][:40]})
    J = model.jacobian(rows)
    for name, e in edges.items():
        h = 1e-3 * np.resize(np.diff(e), 40)  # which stays in the bin
        ahead, behind = (answers(model, rows.assign(**{name: rows[name] + step})) for step in (h, -h))
        expected = (ahead - behind) / (2 * h[:, None])
        np.testing.assert_allclose(J[name], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
        assert np.ptp(J[name]) > 0.1 * np.abs(J[name]).max()
    # Beyond the last edge nothing but the scaled number moves, until it is held.
    beyond = rows.assign(a=edges["a"][-1] + 0.5)
    ahead, behind = (answers(model, beyond.assign(a=beyond["a"] + step)) for step in (1e-4, -1e-4))
    np.testing.assert_allclose(model.jacobian(beyond)["a"], (ahead - behind) / 2e-4, rtol=1e-3, atol=1e-5 * size(model))
    assert np.isnan(model.jacobian(rows.assign(b=None))["b"]).all()
