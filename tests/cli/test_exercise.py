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


MINE = (
    '{"layers": "2-2-1", "lang": "fr", "title": "Devoir 3", "steps": 2, "optimizer": "sgd momentum=0.9", "X": [1, 0.5]}'
)


def test_an_exercise_of_ones_own_is_made_and_made_again_from_what_was_written(folder: Path) -> None:
    Path("mine.json").write_text(MINE, "utf-8")
    assert run("exercise", "--from", "mine.json", "--seed", "4").exit_code == 0
    assert "Devoir 3" in Path("exercise.html").read_text("utf-8")
    first = Path("exercise.json").read_bytes()
    assert run("exercise", "--from", "exercise.json", "-o", "again.html").exit_code == 0
    assert Path("again.json").read_bytes() == first
    assert run("exercise", "--from", "exercise.json", "-o", "english.html", "--lang", "en").exit_code == 0
    assert "Fill in the blanks" in Path("english.html").read_text("utf-8")


def test_optimizers_steps_and_rows_are_options(folder: Path) -> None:
    assert run("exercise", "--optimizer", "adam", "--steps", "2", "--rows", "3").exit_code == 0
    facts = json.loads(Path("exercise.json").read_text("utf-8"))
    assert (facts["optimizer"]["name"], facts["learning_rate"]) == ("adam", 0.1)
    assert (facts["steps"], len(facts["X"])) == (2, 3)


def test_a_class_gets_its_variants_and_its_marks(folder: Path) -> None:
    told = run("exercise", "--count", "3", "--seed", "1", "--lang", "fr", "-o", "devoir.html").stdout
    assert "3 variantes\N{NO-BREAK SPACE}: devoir.html, et chacune à part, comme devoir-1.html" in told
    assert "reseau check devoir.json devoir-*-answers.csv" in told
    names = {path.name for path in folder.iterdir()}
    each = {f"devoir-{n}{end}" for n in (1, 2, 3) for end in (".html", "-answers.csv")}
    assert names == {"devoir.html", "devoir-solution.html", "devoir.json"} | each
    sheets = Path("devoir.html").read_text("utf-8")
    for n in (1, 2, 3):
        assert f"(variante {n})</h1>" in sheets
        assert f"(variante {n})</h1>" in Path("devoir-solution.html").read_text("utf-8")
        assert f"variante;;;{n};" in Path(f"devoir-{n}-answers.csv").read_text("utf-8-sig").splitlines()
    assert sheets.count('<hr class="new-page">') == 2
    Path("devoir-1-answers.csv").write_text("Z1;1;1;99\n", "utf-8")
    arguments = ["check", "devoir.json", "devoir-1-answers.csv", "devoir-2-answers.csv", "no.csv"]
    result = run(*arguments, "-o", "notes.csv")
    assert result.exit_code == 1
    assert "1 fichier lu" in result.stdout
    assert len(Path("notes.csv").read_text("utf-8-sig").splitlines()) == 4
    assert run(*arguments[:2], "devoir-1-answers.csv", "-o", "notes.html").exit_code == 1
    assert "devoir-1-answers.csv" in Path("notes.html").read_text("utf-8")
    refused = run(*arguments, "-o", "devoir.json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is read by this command" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(("ending", "count"), [(".ipynb", 5), (".xml", 3)])
def test_notebooks_and_quizzes_of_several_variants_are_written(ending: str, count: int, folder: Path) -> None:
    assert run("exercise", "--count", "2", "-o", f"sheet{ending}").exit_code == 0
    assert len(list(folder.iterdir())) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "no.json"], "no.json: no such file"),
        (["--from", "bad.json"], "bad.json is not JSON"),
        (["--from", "odd.json"], "odd.json: 'weights' says nothing about an exercise"),
        (["--from", "mine.json", "--layers", "2-1"], "--layers is given, but mine.json says what the exercise is"),
        (["--from", "mine.json", "-o", "mine.html"], "mine.json is read by this command"),
        (["--count", "0"], "count is 0"),
        (["--count", "1000"], "count is 1000"),
        (["--optimizer", "sgd momentum"], "its settings are written as in 'sgd momentum=0.9'"),
        (["--optimizer", "sgd momentom=0.9"], "a setting of sgd is 'momentom', which is unknown. Did you mean"),
        (["--steps", "99"], "steps is 99"),
        (["--rows", "7"], "rows is 7"),
    ],
)
def test_what_is_wrong_with_an_exercise_of_ones_own_is_one_clear_error(
    arguments: list[str], message: str, folder: Path
) -> None:
    Path("mine.json").write_text(MINE, "utf-8")
    Path("bad.json").write_text("{'layers'}", "utf-8")
    Path("odd.json").write_text('{"weights": 1}', "utf-8")
    before = set(folder.iterdir())
    result = run("exercise", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert set(folder.iterdir()) == before
