"""`reseau info`, `--version`, `--help`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau import engine
from reseau.cli import app

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "penguins.reseau"
    rs.TableModel.train(PENGUINS, "species", epochs=2).save(path)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_info_tells_what_would_compute() -> None:
    result = run("info")
    assert result.exit_code == 0
    for value in (rs.__version__, engine.info()["instruction_set"]):
        assert str(value) in result.stdout
    assert json.loads(run("info", "--json").stdout) == engine.info()


def test_info_tells_what_a_model_file_holds(model: str) -> None:
    text = run("info", model).stdout
    for words in ("classification of 'species'", "penguins.csv", "bill_length_mm", "(64, 64)", "accuracy"):
        assert words in text
    described = json.loads(run("info", model, "--json").stdout)
    assert described["target"]["name"] == "species"
    assert described["scores"]["rows"] == 69


def test_info_tells_what_a_network_file_holds(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1, "identity"), inputs=2)
    net.save(tmp_path / "net.reseau")
    assert net.summary() in run("info", str(tmp_path / "net.reseau")).stdout


@pytest.mark.parametrize("path", ["none.reseau", str(PENGUINS), "."])
def test_what_is_no_model_file_is_refused(path: str) -> None:
    result = run("info", path)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"reseau {rs.__version__}\n"


def test_alone_it_prints_its_help() -> None:
    result = run()
    for command in ("train", "predict", "info"):
        assert command in result.stdout + result.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['reseau', 'train', '--help']\nfrom reseau.cli import main\ntry:\n    "
        "main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "--target" in done.stdout
    assert {"numpy", "pyarrow", "sklearn", "matplotlib"}.isdisjoint(done.stderr.split())
