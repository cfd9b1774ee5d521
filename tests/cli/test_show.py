"""`reseau show` and `reseau verify`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app
from reseau.files import model_file

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
CORPUS = sorted(Path(__file__).parents[1].glob("corpus/v*/*.reseau"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_it_tells_what_a_table_model_holds(model: str) -> None:
    text = run("show", model).stdout
    for words in ("classification of 'species'", "penguins.csv", "bill_length_mm", "(64, 64)", "accuracy", "sha256"):
        assert words in text
    described = json.loads(run("show", model, "--json").stdout)
    assert described["target"]["name"] == "species"
    assert described["scores"]["rows"] == 43  # the fold on which the epoch of the one network was chosen
    assert described["file"]["bytes"] == Path(model).stat().st_size
    assert described["file"]["tensors"]["layers.1.W"] == {"dtype": "F32", "shape": [64, 64]}


def test_it_tells_what_a_network_file_holds(folder: Path) -> None:
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1, "identity"), inputs=2)
    net.save("net.reseau")
    assert net.summary() in run("show", "net.reseau").stdout


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_tells_what_an_estimator_file_holds(folder: Path) -> None:
    X = np.arange(40.0).reshape(20, 2)
    model = rs.MLPClassifier((7,), alpha=0.5, max_iter=3).fit(X, np.array(["no", "yes"])[np.arange(20) % 2])
    model.save("model.reseau")
    text = run("show", "model.reseau").stdout
    for words in ("MLPClassifier(alpha=0.5, hidden_layer_sizes=(7,), max_iter=3)", "no, yes", "(2, 7)", "3 epochs"):
        assert words in text


def test_it_tells_how_far_a_checkpoint_has_come(folder: Path) -> None:
    net = rs.Network(rs.Dense(1), seed=3)
    net.fit(np.ones((6, 2)), np.ones((6, 1)), epochs=4, batch_size=2, checkpoint=folder)
    text = run("show", "checkpoint.reseau").stdout
    assert "the checkpoint of a training, finished" in text
    assert "12 steps" in text


def test_only_the_header_is_read(model: str, folder: Path) -> None:
    content = bytearray(Path(model).read_bytes())
    content[-1] ^= 1  # of the weights
    Path("changed.reseau").write_bytes(content)
    assert run("show", "changed.reseau").exit_code == 0
    assert run("verify", "changed.reseau").exit_code == 2


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_every_file_of_the_corpus_is_shown_and_in_order(path: Path) -> None:
    assert run("show", str(path)).exit_code == 0
    assert (
        json.loads(run("show", str(path), "--json").stdout)["kind"] == model_file.read_header(path).description["kind"]
    )
    assert run("verify", str(path)).stdout.startswith(f"{path}: in order (")


@pytest.mark.parametrize("command", ["show", "verify"])
@pytest.mark.parametrize("path", ["none.reseau", str(PENGUINS), "."])
def test_what_is_no_model_file_is_refused(command: str, path: str) -> None:
    result = run(command, path)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


def test_all_files_are_verified_though_one_fails(model: str, folder: Path) -> None:
    Path("cut.reseau").write_bytes(Path(model).read_bytes()[:-1])
    result = run("verify", "cut.reseau", model, "none.reseau")
    assert result.exit_code == 2
    assert "penguins.reseau: in order (table model, 5,379 weights" in result.stdout
    assert result.stderr.count("Error: ") == 2


def test_weights_that_are_not_finite_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1), inputs=2)
    net.layers[1].W[1:] = np.nan
    monkeypatch.setattr(model_file, "finite_layers", lambda layers: None)  # as version 0.1 wrote it
    net.save("net.reseau")
    result = run("verify", "net.reseau")
    assert result.exit_code == 2
    assert "2 numbers of its layers.1.W are not finite" in result.stderr.replace("\n", " ")
