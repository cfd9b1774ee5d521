"""`reseau blackboard`, as a user meets it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

import reseau as rs
from reseau.cli import app
from reseau.vocabulary.optimizers import OPTIMIZERS

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
TEXT = PENGUINS.read_text()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "penguins.reseau"
    rs.TableModel.train(PENGUINS, "species", preset="fast", epochs=10, layers=(5,)).save(path)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["blackboard", *arguments])


def test_the_row_may_come_from_standard_input(model: str) -> None:
    result = CliRunner().invoke(app, ["blackboard", model, "-", "--row", "3"], input=PENGUINS.read_bytes())
    assert (result.exit_code, result.stdout) == (0, run(model, str(PENGUINS), "--row", "3").stdout)


def test_the_step_is_shown_with_the_columns_real_names(model: str) -> None:
    result = run(model, str(PENGUINS), "--row", "3")
    assert result.exit_code == 0
    for name in (
        "bill_length_mm",
        "sex=female",
        "species = Adelie",
        "1. Forward",
        "5. After the step",
        "The error falls",
    ):
        assert name in result.stdout


def test_in_french_it_has_french_words_and_decimal_commas(model: str) -> None:
    text = run(model, str(PENGUINS), "--row", "3", "--lang", "fr").stdout
    for word in ("Propagation", "Rétropropagation", "Mise à jour", "taux d’apprentissage", "bill_length_mm", "0,1"):
        assert word in text
    assert not re.search(r"\d\.\d", text)


def test_its_inputs_are_what_the_model_reads_in_that_row(model: str) -> None:
    loaded = rs.load(model)
    for row in (1, 3, 344):
        board, _ = loaded.blackboard(PENGUINS, row)
        np.testing.assert_allclose(board.O[0], loaded.predict(PENGUINS).probabilities[row - 1], atol=1e-6)
        species = TEXT.splitlines()[row].split(",")[0]
        assert board.T[0].tolist() == [float(label == species) for label in ("Adelie", "Chinstrap", "Gentoo")]


def test_files_are_written_in_the_forms_asked_for(model: str) -> None:
    result = run(model, str(PENGUINS), "--html", "a.html", "--latex", "a.tex", "--markdown", "a.md")
    assert (result.exit_code, result.stdout) == (0, "")
    for name, beginning in (
        ("a.html", "<!DOCTYPE html>"),
        ("a.tex", r"\documentclass"),
        ("a.md", "# At the blackboard"),
    ):
        text = Path(name).read_text("utf-8")
        assert text.startswith(beginning)
        assert "length" in text
        assert name in result.stderr


def test_the_ending_of_an_output_says_its_form(model: str) -> None:
    names = ("a.html", "a.tex", "a.md", "a.txt", "a.ipynb", "a.png", "B.HTML")
    result = run(model, str(PENGUINS), *(word for name in names for word in ("-o", name)))
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("a.html").read_text("utf-8") == Path("B.HTML").read_text("utf-8")
    assert Path("a.txt").read_text("utf-8").startswith("At the blackboard")
    assert json.loads(Path("a.ipynb").read_text("utf-8"))["nbformat"] == 4
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    assert all(f"Blackboard: {name}" in result.stderr for name in names)
    options = ["--ipynb", "b.ipynb", "--png", "b.png"]
    assert run(model, str(PENGUINS), *options).exit_code == 0
    assert Path("b.ipynb").read_bytes() == Path("a.ipynb").read_bytes()
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_slides_are_a_page_of_html_with_a_script(model: str) -> None:
    for options in (["--html", "a.html"], ["-o", "a.html"]):
        assert run(model, str(PENGUINS), *options, "--slides", "--lang", "fr").exit_code == 0
        page = Path("a.html").read_text("utf-8")
        assert page.count("<script>") == 1
        assert "Diapositives" in page
    assert run(model, str(PENGUINS), "--html", "a.html").exit_code == 0
    assert "<script" not in Path("a.html").read_text("utf-8")


def test_without_matplotlib_a_picture_is_refused_before_the_work(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reseau.plots.importlib.util.find_spec", lambda name: None)
    result = run(model, str(PENGUINS), "-o", "a.md", "--png", "a.png")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "pip install 'reseau[plot]'" in result.stderr
    assert not Path("a.md").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_the_latex_compiles_with_names_that_latex_would_choke_on(folder: Path) -> None:
    odd = "a_b %{}#&$^~\\ été"
    table = pa.table({odd: np.linspace(0, 1, 40), "t": ["<&>_%" if i % 2 else "é$" for i in range(40)]})
    board, _ = rs.TableModel.train(table, "t", preset="fast", epochs=2, layers=(3,)).blackboard(table, 2, lang="fr")
    board.to_latex("a.tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_table_without_the_target_takes_it_from_the_option(model: str, folder: Path) -> None:
    header, *lines = TEXT.splitlines()
    Path("new.csv").write_text("\n".join(line.partition(",")[2] for line in (header, *lines)) + "\n")
    refused = run(model, "new.csv")
    assert refused.exit_code == 2
    assert "no column 'species'" in refused.stderr
    assert "--target" in refused.stderr
    assert run(model, "new.csv", "--target", "Gentoo").exit_code == 0


def test_a_number_as_target_is_shown_standardised(folder: Path) -> None:
    rs.TableModel.train(PENGUINS, "body_mass_g", preset="fast", epochs=3, layers=(4,)).save("mass.reseau")
    loaded = rs.load("mass.reseau")
    board, _ = loaded.blackboard(PENGUINS, 1)
    assert float(board.T[0, 0]) == pytest.approx((3750 - loaded.target.mean) / loaded.target.scale, rel=1e-6)
    assert "(body_mass_g − " in run("mass.reseau", str(PENGUINS), "--row", "1").stdout
    missing = next(i for i, line in enumerate(TEXT.splitlines()) if line.split(",")[5] in ("", "NA"))
    refused = run("mass.reseau", str(PENGUINS), "--row", str(missing))
    assert refused.exit_code == 2
    assert "missing" in refused.stderr
    assert run("mass.reseau", str(PENGUINS), "--row", str(missing), "--target", "4000").exit_code == 0


def test_the_help_names_every_optimizer() -> None:
    assert set(OPTIMIZERS) <= set(re.findall(r"\w+", run("--help").output))


def test_steps_optimizers_digits_and_focus_are_passed_on(model: str) -> None:
    text = run(
        model,
        str(PENGUINS),
        "--steps",
        "5",
        "--optimizer",
        "adam",
        "--digits",
        "2",
        "--focus",
        "inputs=7",
        "--focus",
        "1=4",
    ).stdout
    for sign in ("m̂", "β₁", "Neuron 4, written out", "x₇ w₇₄", "error, step by step"):
        assert sign in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", "0"], "row is 0"),
        (["--row", "345"], "has 344 rows, so there is no row 345"),
        (["--target", "Emperor"], "'Emperor', which is none of 'Adelie', 'Chinstrap', 'Gentoo'"),
        (["--lang", "de"], "lang is 'de'"),
        (["--html", "a.tex"], "its ending must be .html"),
        (["--ipynb", "a.html"], "--ipynb is a.html, but its ending must be .ipynb"),
        (["--png", "a.svg"], "--png is a.svg, but its ending must be .png"),
        (["-o", "a.pdf"], "--output is a.pdf, but its ending must be .html, .tex, .md, .txt, .ipynb or .png"),
        (["--slides"], "--slides is of a page of HTML; name one, such as --html slides.html"),
        (["--slides", "-o", "a.md"], "--slides is of a page of HTML"),
        (["--latex", "no/a.tex"], "does not exist"),
        (["--focus", "inputs"], "--focus is 'inputs'"),
        (["--focus", "inputs=0"], "places from 1"),
        (["--focus", "foo=1"], "has 'foo', which is no axis"),
        (["--focus", "outputs=4"], "counted from 0, but there are 3"),
        (["--focus", "1=" + "9" * 5000], "places from 1"),
        (["--focus", "9" * 5000 + "=1"], "which is no axis"),
        (["--focus", "1=²"], "places from 1"),
        (["--optimizer", "sdg"], "Did you mean 'sgd'"),
        (["--learning-rate", "0"], "learning_rate is 0"),
        (["--steps", "0"], "steps is 0"),
        (["--digits", "99"], "digits is 99"),
    ],
)
def test_what_is_wrong_is_one_clear_error(model: str, arguments: list[str], message: str) -> None:
    result = run(model, str(PENGUINS), *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_a_network_alone_cannot_read_a_table(folder: Path) -> None:
    rs.Network(rs.Dense(1), inputs=2).save("net.reseau")
    result = run("net.reseau", str(PENGUINS))
    assert result.exit_code == 2
    assert "Network.blackboard" in result.stderr


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_saved_model_with_every_kind_of_layer_is_worked_out(model: str, tmp_path: Path, lang: str) -> None:
    loaded = rs.load(model)
    inputs, outputs = loaded.network.architecture.inputs, loaded.network.architecture.outputs
    layers = (rs.Dropout(0.1), rs.Dense(4), rs.PReLU(), rs.Residual(rs.LayerNorm(), rs.Dense(4, "tanh")))
    net = rs.Network(*layers, rs.Dense(outputs, "softmax"), loss="cross_entropy", inputs=inputs, seed=0)
    path = tmp_path / "kinds.reseau"
    loaded.network = net
    loaded.save(path)
    result = run(str(path), str(PENGUINS), "--row", "3", "--lang", lang, "--optimizer", "adam", "--focus", "4=2")
    assert result.exit_code == 0, result.output
    for expected in ("x̂_j⁽⁴⁾ = (a_j⁽³⁾ − μ₄)/√(s₄² + ε₄)", "α_j⁽³⁾ min(0", "A₅ = V₅ + A₃", "γ₄′ = γ₄ + Δγ₄"):
        assert expected in result.stdout, expected
    assert ("layer normalisation" if lang == "en" else "normalisation de couche") in result.stdout
