"""`reseau exercise` and `reseau check`, as a teacher and a student meet them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from reseau.cli import app
from reseau.exercises.written import load

FILES = {"exercise.html", "exercise-solution.html", "exercise.json", "exercise-answers.csv"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def filled(change: str = "", factor: float = 1.0) -> str:
    """The table of answers with the right numbers, those of one name times a factor."""
    board = load(Path("exercise.json"))[0].board()
    lines = Path("exercise-answers.csv").read_text("utf-8-sig").splitlines()
    out = [lines[0]]
    for line in lines[1:]:
        name, row, column, _, symbol = line.split(";" if ";" in line else ",")
        if not row:  # whose answers these are
            continue
        array = np.asarray(board[name], float)
        value = array.reshape((1, 1, *array.shape)[-2:])[int(row) - 1, int(column) - 1]
        text = f"{value * (factor if name == change else 1):.6f}".replace(".", ",")
        out.append(";".join([name, row, column, text, symbol]))
    return "\n".join(out) + "\n"


def test_the_sheet_its_solution_and_a_table_of_answers_are_written(folder: Path) -> None:
    arguments = ["--layers", "2-2-1", "--activation", "sigmoid", "--seed", "3", "--lang", "fr"]
    result = run("exercise", *arguments)
    assert result.exit_code == 0
    assert {path.name for path in folder.iterdir()} == FILES
    for name in FILES - {"exercise-answers.csv"}:
        assert name in result.stdout
    assert "Exercice" in Path("exercise.html").read_text("utf-8")
    assert "reseau check exercise.json exercise-answers.csv" in Path("exercise.html").read_text("utf-8")
    assert "Corrigé" in Path("exercise-solution.html").read_text("utf-8")


def test_a_filled_in_table_is_checked(folder: Path) -> None:
    run("exercise", "--lang", "fr")
    Path("mine.csv").write_text(filled(), "utf-8-sig")  # as spreadsheets write it
    right = run("check", "exercise.json", "mine.csv")
    assert (right.exit_code, right.stdout) == (0, "Les 46 nombres sont justes.\n")
    Path("mine.csv").write_text(filled("change_W1", -1.0), "utf-8")
    wrong = run("check", "exercise.json", "mine.csv", "--lang", "en")
    assert wrong.exit_code == 1
    assert "change_W1" in wrong.stdout
    assert "the sign of the update" in wrong.stdout


def test_answers_that_are_there_are_not_replaced(folder: Path) -> None:
    assert run("exercise").exit_code == 0
    assert run("exercise").exit_code == 0  # an empty table may be written again
    Path("exercise-answers.csv").write_text(filled(), "utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused = run("exercise", "--seed", "2")
    assert refused.exit_code == 2
    assert "exercise-answers.csv is there already" in refused.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("ending", [".tex", ".md", ".txt", ".HTML"])
def test_the_ending_chooses_the_form(ending: str, folder: Path) -> None:
    assert run("exercise", "-o", f"sheet{ending}").exit_code == 0
    assert {path.name for path in folder.iterdir()} == {
        f"sheet{ending}",
        f"sheet-solution{ending}",
        "sheet.json",
        "sheet-answers.csv",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layers", "2"], "layers is '2'"),
        (["--activation", "sigmoïd"], "activation is 'sigmoïd'"),
        (["-o", "a.pdf"], "its ending must be"),
        (["-o", "no/a.html"], "does not exist"),
        (["--learning-rate", "-1"], "learning_rate is -1"),
        (["--loss", "cross_entropy", "--activation", "tanh", "--layers", "2-2"], "loss='cross_entropy'"),
        (["--lang", "de"], "lang is 'de'"),
    ],
)
def test_what_is_wrong_with_an_exercise_is_one_clear_error(arguments: list[str], message: str, folder: Path) -> None:
    result = run("exercise", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert not list(folder.iterdir())


def test_what_is_wrong_with_answers_is_one_clear_error(folder: Path) -> None:
    run("exercise")
    Path("bad.json").write_text(json.dumps({"Z7": 1}))
    Path("latin.csv").write_bytes("Z1,1,1,é".encode("latin-1"))
    for file, message in {
        "exercise-answers.csv": "no answers yet",
        "bad.json": "'Z7', which is not asked for",
        "latin.csv": "'é', which is not a number",
        "none.csv": "no such file",
    }.items():
        result = run("check", "exercise.json", file)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in " ".join(result.stderr.split())
    swapped = run("check", "exercise-answers.csv", "exercise.json")
    assert swapped.exit_code == 2
    assert "give the .json file that reseau exercise wrote" in " ".join(swapped.stderr.split())


def test_a_file_that_does_not_end_or_is_too_long_is_refused_unread(folder: Path) -> None:
    assert run("exercise").exit_code == 0
    (folder / "long.csv").write_bytes(b"Z1,1,1,0.5\n" * 100_000)
    for arguments in (["/dev/zero", "long.csv"], ["exercise.json", "/dev/zero"], ["exercise.json", "long.csv"]):
        result = run("check", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "has more than 1,048,576 bytes" in " ".join(result.stderr.split())


def test_numbers_of_layers_that_python_does_not_read_are_refused(folder: Path) -> None:
    for layers in ("2-2-" + "9" * 5000, "2-²", "2-1_0", "9" * 5000, "2-" * 1000):
        result = run("exercise", "--layers", layers)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "joined by '-', such as 2-2-1" in " ".join(result.stderr.split())
        assert len(result.stderr) < 300
    assert list(folder.iterdir()) == []


def test_what_was_written_is_told_in_the_language_asked_for(folder: Path) -> None:
    told = run("exercise", "--seed", "3", "--lang", "fr").stdout
    assert "Corrigé\N{NO-BREAK SPACE}: exercise-solution.html" in told
    assert "Pour vérifier des réponses\N{NO-BREAK SPACE}: reseau check exercise.json exercise-answers.csv" in told
