"""The table of kinds of model: another kind is one entry, and then it is saved, loaded, told and exported."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

import reseau as rs
from reseau import models
from reseau.cli import app
from reseau.export.plain import Inputs, Outputs
from reseau.files import model_file
from reseau.model import Model
from reseau.parts import Parts, Scaling

HALF, ONE = np.full(2, 0.5), np.ones(1)


class Doubled(Model):
    """A toy: a network that takes X − 1, within −2 .. 2, twice, and whose outputs count twice, and 1 more."""

    def __init__(self, network):
        self.network = network

    def __call__(self, X):
        return 2 * self.network(np.clip(2 * (X - 1), -2, 2)) + 1

    def parts(self):
        return Parts(
            Inputs(["a", "b"], (Scaling(2 * HALF, HALF, -2.0, 2.0),)), self.network, Outputs(Scaling(ONE, 2 * ONE))
        )

    def described(self):
        return {"kind": "doubled", "network": self.network.describe()}, self.network.tensors()


class DoubledForm:
    """How it stands in a file."""

    def from_description(self, description, tensors):
        return Doubled(rs.Network.from_description(description["network"], tensors))

    def told(self, name, description, model):
        return [f"{name}: twice a network", "", model.network.summary()]


@pytest.fixture
def doubled(monkeypatch, tmp_path):
    """A model of a kind that has its entry, and its form in the schema."""
    schema = json.loads(model_file.SCHEMA.read_text(encoding="utf-8"))
    schema["properties"]["kind"]["enum"].append("doubled")
    network = schema["definitions"]["network"]
    schema["definitions"]["doubled"] = {
        **network,
        "properties": {**network["properties"], "kind": {"enum": ["doubled"]}},
    }
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema), encoding="utf-8")
    monkeypatch.setattr(model_file, "SCHEMA", path)
    monkeypatch.setitem(models.KINDS, "doubled", models.Kind(DoubledForm, ("a Doubled",)))
    model_file._validator.cache_clear()
    yield Doubled(rs.Network(rs.Dense(3, "tanh"), rs.Dense(1, "identity"), inputs=2, seed=0))
    model_file._validator.cache_clear()


def test_a_kind_of_model_is_saved_and_loaded(doubled, tmp_path):
    X = np.array([[0.5, -1.0], [2.0, 3.0]], np.float32)
    rs.save(doubled, tmp_path / "a.reseau")
    doubled.save(tmp_path / "b.reseau")
    assert (tmp_path / "a.reseau").read_bytes() == (tmp_path / "b.reseau").read_bytes()
    back = rs.load(tmp_path / "a.reseau")
    assert type(back) is Doubled
    assert np.array_equal(back(X), doubled(X))


def test_a_kind_of_model_is_exported_from_its_parts(doubled, tmp_path):
    X = np.array([[0.5, -1.0], [2.0, 3.0], [1.25, 0.75]], np.float32)
    expected = doubled(X)
    rs.to_python(doubled, tmp_path / "a.py")
    np.testing.assert_allclose(runpy.run_path(str(tmp_path / "a.py"))["predict"](X), expected, rtol=1e-6)

    onnxruntime = pytest.importorskip("onnxruntime")
    rs.to_onnx(doubled, tmp_path / "a.onnx")
    (found,) = onnxruntime.InferenceSession(tmp_path / "a.onnx").run(None, {"X": X})
    np.testing.assert_allclose(found, expected, rtol=1e-6)

    rs.to_c(doubled, tmp_path / "a.c", name="toy")
    doubled.to_c(tmp_path / "b.c", name="toy")
    assert (tmp_path / "b.h").read_text().replace("b.c", "a.c") == (tmp_path / "a.h").read_text()
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    program = str(tmp_path / "a.out")
    subprocess.run([compiler, "-DRESEAU_TEST", str(tmp_path / "a.c"), "-lm", "-o", program], check=True)
    assert "toy: passed" in subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_a_kind_of_model_is_told_in_a_terminal_and_verified(doubled, tmp_path):
    path = tmp_path / "a.reseau"
    doubled.save(path)
    told = CliRunner().invoke(app, ["show", str(path)])
    assert told.exit_code == 0
    assert told.stdout.startswith(f"{path}: twice a network\n\nlayer  W")
    assert json.loads(CliRunner().invoke(app, ["show", str(path), "--json"]).stdout)["kind"] == "doubled"
    assert "in order (doubled, 13 weights" in CliRunner().invoke(app, ["verify", str(path)]).stdout


def test_commands_for_tables_ask_the_entry_whether_a_kind_reads_them(doubled, tmp_path):
    path = tmp_path / "a.reseau"
    doubled.save(path)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    for command in ("predict", "blackboard"):
        found = CliRunner().invoke(app, [command, str(path), str(tmp_path / "t.csv")])
        assert found.exit_code == 2
        assert "holds a Doubled, which does not know how to read a table" in " ".join(found.stderr.split())


def test_messages_name_every_kind(doubled, tmp_path):
    with pytest.raises(
        rs.ParameterError, match=r"which holds a Network, an Ensemble, a TableModel, .* or a Doubled of Réseau"
    ):
        rs.save({}, tmp_path / "no.reseau")
    with pytest.raises(rs.ParameterError, match="or a Doubled of Réseau, or a Pipeline that ends in one"):
        rs.to_c({}, tmp_path / "no.c")
    with pytest.raises(rs.ParameterError, match="or a Doubled of Réseau, or an estimator of scikit-learn"):
        rs.to_onnx({}, tmp_path / "no.onnx")


def test_a_scaled_target_of_classes_is_refused(tmp_path):
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    inner = rs.MLPClassifier((2,), max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model = TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, [0.0, 1.0, 0.0, 1.0])
    with pytest.raises(rs.ParameterError, match="a target that is scaled has to be a number"):
        rs.to_c(model, tmp_path / "no.c")


def test_every_kind_that_the_schema_knows_has_an_entry():
    schema = json.loads(model_file.SCHEMA.read_text(encoding="utf-8"))
    assert set(schema["properties"]["kind"]["enum"]) == set(models.KINDS)
