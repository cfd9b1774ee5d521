"""`reseau explain`: what each column contributed to the prediction of a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app

PENGUINS = str(Path(__file__).parents[2] / "examples" / "penguins.csv")
COLUMNS = {"island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"}


def explain(*words: str) -> Any:
    return CliRunner().invoke(app, ["explain", *words])


def predicted(model: str, row: int) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["predict", model, PENGUINS, "--json"])
    return dict(json.loads(result.stdout.splitlines()[row - 1]))


def test_a_row_is_explained_in_a_table(model):
    result = explain(model, PENGUINS, "--row", "3")
    assert result.exit_code == 0
    said = predicted(model, 3)
    label = said["prediction"]
    title, empty, head, *lines, total = result.stdout.splitlines()
    assert title.startswith(f"penguins.csv, row 3: species={label} {said[f'species={label}']:.6g}; mean of 256 of its ")
    assert (empty, head.split()) == ("", ["column", "value", "contribution"])
    assert {line.split()[0] for line in lines} == COLUMNS
    assert {line.split()[1] for line in lines} == {"Torgersen", "40.3", "18.0", "195", "3250", "female", "2007"}
    contributions = [float(line.split()[2].replace("−", "-")) for line in lines]
    assert np.abs(contributions).tolist() == sorted(np.abs(contributions), reverse=True)
    assert float(total.split()[1].replace("−", "-")) == pytest.approx(sum(contributions), abs=1e-3)


def test_json_has_all_that_is_told(model):
    result = explain(model, PENGUINS, "--row", "200", "--class", "Gentoo", "--samples", "2", "--seed", "5", "--json")
    found = rs.load(model).explain(PENGUINS, 200, label="Gentoo", samples=2, seed=5)
    assert json.loads(result.stdout) == found.to_json()
    assert found.prediction == pytest.approx(predicted(model, 200)["species=Gentoo"], rel=1e-6)
    assert found.errors is not None


def test_a_single_row_has_other_rows_as_its_background(model, folder):
    lines = Path(PENGUINS).read_text().splitlines()
    (folder / "one.csv").write_text("\n".join(lines[:2]))
    refused = explain(model, "one.csv")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: one.csv has a single row")
    result = explain(model, "one.csv", "--background", PENGUINS)
    assert "; mean of 256 of the rows of penguins.csv " in result.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--row", "345"], "has 344 rows, so there is no row 345."),
        (["--row", "0"], "row is 0, but must be a whole number of at least 1."),
        (["--class", "gento"], "the class is 'gento', which is unknown. Did you mean 'Gentoo'?"),
        (["--samples", "1"], "samples is 1, but must be a whole number of at least 2 and at most 10000."),
        (["--seed", "-1"], "seed is -1, but must be a whole number of at least 0."),
        (["--background", "none.csv"], "none.csv: no such file or directory."),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(model, words, message):
    result = explain(model, PENGUINS, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert " ".join(result.stderr.split()).startswith("Error: ")
    assert message in " ".join(result.stderr.split())


def test_a_model_that_reads_no_table_is_refused(folder):
    rs.Network(rs.Dense(2, "tanh"), rs.Dense(1), inputs=3).save(folder / "net.reseau")
    result = explain("net.reseau", PENGUINS)
    assert result.exit_code == 2
    assert "net.reseau holds a Network, which does not know how to read a table" in " ".join(result.stderr.split())


def test_names_and_cells_from_outside_cannot_steer_the_terminal(folder):
    names = ["n", "sort\u202e"]
    sorts = ["plain", "\x1b]0;x\x07"]
    rows = [f"{place},{sorts[place % 2]},{3 * place}" for place in range(40)]
    (folder / "t.csv").write_text("\n".join([",".join([*names, "y\x1b"]), *rows]), "utf-8")
    rs.TableModel.train("t.csv", "y\x1b", preset="fast", epochs=2).save("m.reseau")
    for option in ([], ["--json"]):
        result = explain("m.reseau", "t.csv", "--row", "2", *option)
        assert result.exit_code == 0
        assert not set(result.stdout + result.stderr) & set("\x1b\x07\u202e")
        assert "u202e" in result.stdout
