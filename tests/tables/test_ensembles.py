"""Table models whose network is an ensemble: saved, loaded, shown, worked out and exported as those of one network."""

from __future__ import annotations

import ctypes
import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import pytest
from compiling import QUICK, pointer, self_test, shared_library
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app
from reseau.files import model_file

RNG = np.random.default_rng(5)
ROWS = 120
TABLE = pa.table(
    {
        "size": RNG.normal(10, 3, ROWS),
        "sort": pa.array([[None, "a", "b", "c"][row % 4] for row in range(ROWS)]),
        "weight": [None if row % 9 == 0 else value for row, value in enumerate(RNG.lognormal(2, 1, ROWS))],
    }
)
SMALL = TABLE["size"].to_numpy() < 9
TARGETS = {
    "class": [["small", "large", "odd"][2 * (row % 7 == 0) or int(not small)] for row, small in enumerate(SMALL)],
    "price": 7 * TABLE["size"].to_numpy() ** 2 - 500,  # some below 0, so that all members learn it as it is
}


def member(target: str, seed: int) -> rs.TableModel:
    table = TABLE.append_column(target, pa.array(TARGETS[target]))
    return rs.TableModel.train(table, target, preset="fast", layers=(6, 5), epochs=4, seed=seed, threads=1)


@cache
def several(target: str) -> tuple[rs.TableModel, list[rs.TableModel]]:
    """A model of three networks, and the models that each has one of them."""
    members = [member(target, seed) for seed in range(3)]
    model = member(target, 0)
    model.network = rs.Ensemble([one.network for one in members])
    return model, members


BOTH = pytest.mark.parametrize("target", TARGETS)


def outputs(model: rs.TableModel, table: pa.Table = TABLE) -> Any:
    """Probabilities, or numbers."""
    found = model.predict(table)
    return found.values.to_numpy() if found.probabilities is None else found.probabilities


def scale(model: rs.TableModel) -> float:
    """What a rounding in float32 may change, some times over."""
    return 1e-5 * float(np.abs(outputs(model)).max())


def test_what_is_predicted_is_the_mean_of_what_the_members_predict():
    model, members = several("class")
    expected = np.mean([outputs(one).astype(np.float64) for one in members], axis=0)
    np.testing.assert_allclose(outputs(model), expected, rtol=1e-6)
    assert model.predict(TABLE).values.to_pylist() == [model.target.classes[k] for k in expected.argmax(axis=1)]
    model, members = several("price")
    np.testing.assert_allclose(outputs(model), np.mean([outputs(one) for one in members], axis=0), rtol=1e-5)


@BOTH
def test_it_loads_as_it_was_saved(target, tmp_path):
    model, _ = several(target)
    model.save(tmp_path / "m.reseau")
    back = rs.load(tmp_path / "m.reseau")
    assert isinstance(back.network, rs.Ensemble)
    assert repr(back) == repr(model)
    assert outputs(back).tobytes() == outputs(model).tobytes()
    back.save(tmp_path / "again.reseau")
    assert (tmp_path / "again.reseau").read_bytes() == (tmp_path / "m.reseau").read_bytes()


def test_the_file_of_one_network_is_as_ever():
    one = several("class")[1][0]
    description, tensors = one.described()
    assert set(description["network"]) == {"dtype", "inputs", "layers", "loss"}
    assert next(iter(tensors)) == "layers.0.W"


def test_networks_on_other_inputs_than_the_columns_give_are_refused(tmp_path):
    description, tensors = several("class")[0].described()
    other = rs.Ensemble(rs.Network(rs.Dense(3), loss="cross_entropy", inputs=9, seed=seed) for seed in (0, 1))
    description["network"], tensors = other.describe(), other.tensors()
    model_file.write(tmp_path / "odd.reseau", description, tensors)
    with pytest.raises(rs.ModelFileError, match=r"The columns give \d+ inputs .* but the network has 9"):
        rs.load(tmp_path / "odd.reseau")
    description["network"]["networks"][0]["layers"] = []
    model_file.write(tmp_path / "odd.reseau", description, tensors)
    with pytest.raises(rs.ModelFileError, match=r"layers must contain at least 1 items"):
        rs.load(tmp_path / "odd.reseau")


@BOTH
def test_derivatives_are_the_means_of_those_of_the_members(target):
    model, members = several(target)
    v, u = {"size": 2.0, "weight": -1.0}, np.ones(model.network.outputs)
    for found, of_all in [
        (model.jacobian(TABLE), [one.jacobian(TABLE) for one in members]),
        (model.vjp(TABLE, u), [one.vjp(TABLE, u) for one in members]),
        (model.hessian_vector(TABLE, {"size": 1.0}), [one.hessian_vector(TABLE, {"size": 1.0}) for one in members]),
        ({"v": model.jvp(TABLE, v)}, [{"v": one.jvp(TABLE, v)} for one in members]),
    ]:
        for name, values in found.items():
            expected = np.mean([one[name] for one in of_all], axis=0)
            np.testing.assert_allclose(
                values, expected, rtol=1e-4, atol=1e-6 * (model.target.scale if target == "price" else 1)
            )


def test_a_blackboard_is_that_of_the_chosen_member():
    model, members = several("class")
    for place, one in enumerate(members, start=1):
        board, _ = model.blackboard(TABLE, 3, target="odd", member=place)
        assert str(board) == str(one.blackboard(TABLE, 3, target="odd")[0])
    with pytest.raises(rs.ParameterError, match="member is 4"):
        model.blackboard(TABLE, 3, target="odd", member=4)
    with pytest.raises(rs.ParameterError, match="member is 2"):
        members[0].blackboard(TABLE, 3, target="odd", member=2)


def test_commands_take_it_as_any_model(tmp_path):
    model, path, rows = several("class")[0], tmp_path / "m.reseau", tmp_path / "rows.csv"
    model.save(path)
    pyarrow.csv.write_csv(TABLE, rows)

    def run(*arguments: Any) -> Any:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    shown = run("show", path)
    assert shown.exit_code == 0
    assert "Networks 1 to 3:" in shown.stdout
    assert f"The mean of 3 networks, {model.network.n_parameters} parameters" in shown.stdout
    assert len(json.loads(run("show", path, "--json").stdout)["network"]["networks"]) == 3
    assert f"in order (table model, {model.network.n_parameters:,} weights" in run("verify", path).stdout
    assert run("predict", path, rows, "-o", tmp_path / "out.csv").exit_code == 0
    found = pyarrow.csv.read_csv(tmp_path / "out.csv")
    assert found["prediction"].to_pylist() == model.predict(TABLE).values.to_pylist()

    boards = [run("blackboard", path, rows, "--target", "odd", "--member", place).stdout for place in (1, 2, 3)]
    assert len(set(boards)) == 3
    assert run("blackboard", path, rows, "--target", "odd").stdout == boards[0]
    refused = run("blackboard", path, rows, "--target", "odd", "--member", 4)
    assert refused.exit_code == 2
    assert "member is 4" in refused.stderr
    for name in ("m.c", "m.py", "m.onnx"):
        assert run("export", path, tmp_path / name).exit_code == 0


def test_one_line_tells_of_the_networks():
    from reseau.tables import report

    model, (one, *_) = several("class")
    line = report.network(one)
    n, all_n = one.network.n_parameters, model.network.n_parameters
    assert line.endswith(f" inputs -> 6 relu -> 5 relu -> 3 softmax, {n:,} parameters")
    assert report.network(model) == line.replace("Network:", "Mean of 3 networks:").replace(f"{n:,} p", f"{all_n:,} p")


# --- exports ----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c_goes_from_rows_to_what_is_predicted(target, dtype, tmp_path):
    model, _ = several(target)
    model.to_c(tmp_path / "it.c", dtype=dtype)
    tested = self_test(QUICK, tmp_path / "it.c")
    assert (tested.returncode, tested.stdout[:10]) == (0, "it: passed"), tested.stdout
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)

    class Row(ctypes.Structure):
        _fields_ = [("size", ctypes.c_double), ("sort", ctypes.c_char_p), ("weight", ctypes.c_double)]

    found = np.zeros((ROWS, model.network.outputs), np.float64 if target == "price" else dtype)
    for row, o in zip(TABLE.to_pylist(), found, strict=True):
        sort, weight = row["sort"], row["weight"]
        cells = Row(row["size"], None if sort is None else sort.encode(), np.nan if weight is None else weight)
        assert library.it_predict_row(ctypes.byref(cells), pointer(o)) == 0
    np.testing.assert_allclose(found.squeeze(), outputs(model), rtol=0, atol=scale(model))


@BOTH
def test_a_script_goes_from_rows_to_what_is_predicted(target, tmp_path):
    model, _ = several(target)
    rs.to_python(model, tmp_path / "it.py")
    script = runpy.run_path(str(tmp_path / "it.py"))
    O = script["predict"](script["encode"](TABLE.to_pylist()))
    found = script["quantity"](O) if "quantity" in script else O
    np.testing.assert_allclose(found, outputs(model), rtol=0, atol=scale(model))


@BOTH
def test_onnx_goes_from_columns_to_what_is_predicted(target, tmp_path: Path):
    model, _ = several(target)
    model.to_onnx(tmp_path / "it.onnx")
    given = {
        "size": TABLE["size"].to_numpy()[:, None],
        "sort": np.array([[cell or ""] for cell in TABLE["sort"].to_pylist()], object),
        "weight": np.array([[cell] for cell in TABLE["weight"].to_pylist()], np.float64),
    }
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx")
    name = "prediction" if target == "price" else "probabilities"
    (found,) = session.run([name], given)
    np.testing.assert_allclose(found, outputs(model), rtol=0, atol=scale(model))


def test_a_diagram_is_that_of_the_chosen_member():
    pytest.importorskip("matplotlib")
    model, members = several("class")
    for place, one in enumerate(members, start=1):
        display = rs.NetworkDisplay.from_estimator(model, member=place)
        expected = rs.NetworkDisplay.from_estimator(one)
        assert all((a == b).all() for a, b in zip(display.weights, expected.weights, strict=True))
        assert display.input_names == expected.input_names
    with pytest.raises(rs.ParameterError, match="member is 0"):
        rs.NetworkDisplay.from_estimator(model, member=0)
