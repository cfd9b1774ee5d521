"""The table of kinds of model: a fifth kind is one entry, and then it is saved, loaded, told and exported."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import reseau as rs
from reseau import models
from reseau.cli import app
from reseau.files import model_file
from reseau.model import Model


class Doubled(Model):
    """A toy: a network whose outputs count twice."""

    def __init__(self, network):
        self.network = network

    def __call__(self, X):
        return 2 * self.network(X)

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
    assert np.array_equal(back(X), 2 * doubled.network(X))


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
    with pytest.raises(rs.ParameterError, match=r"which holds a Network, a TableModel, .* or a Doubled of Réseau"):
        rs.save({}, tmp_path / "no.reseau")


def test_every_kind_that_the_schema_knows_has_an_entry():
    schema = json.loads(model_file.SCHEMA.read_text(encoding="utf-8"))
    assert set(schema["properties"]["kind"]["enum"]) == set(models.KINDS)
