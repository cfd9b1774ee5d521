"""What a teacher and a student call from Python, on NumPy alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reseau as rs
from reseau.exercises.written import load


def test_an_exercise_is_the_one_of_the_command_and_its_file_makes_it_again(tmp_path: Path) -> None:
    exercise = rs.exercise("2-2-1", "tanh", seed=3, lang="fr")
    exercise.save(tmp_path / "mine.json")
    again = rs.exercise(from_=tmp_path / "mine.json")
    assert again.to_json() == exercise.to_json() == load(tmp_path / "mine.json")[0].to_json()
    assert rs.exercise(from_=json.loads(exercise.to_json()), lang="en").lang == "en"


def test_numbers_arrays_lists_and_blanks_are_answers() -> None:
    exercise = rs.exercise("2-2-1", seed=3)
    board = exercise.board()
    answers = {
        "Z1": board.Z1,
        "A1": [[..., float(board.A1[0, 1])]],
        "A2": np.nan,
        "W1": board.W1_new.tolist(),
        "E": None,
    }
    checked = exercise.check(answers)
    assert (checked.right, checked.answered, checked.asked, checked.all_right) == (7, 7, 46, True)
    assert str(checked) == "All 7 numbers are right."
    assert checked.sentences("fr") == ["Les 7 nombres sont justes."]
    assert repr(checked) == "Checked(7 right of 7 answered, of 46 asked)"
    for odd in ("x", object(), {"a": 1}, True, [[1, 2], [3]]):
        with pytest.raises(rs.DataError, match="answers, Z1"):
            exercise.check({"Z1": odd})
    with pytest.raises(rs.DataError, match="answers: no answers yet"):
        exercise.check({"Z1": [[..., None]]})


def test_files_are_checked_by_their_paths(tmp_path: Path) -> None:
    variants = rs.variants(3, "2-1", seed=1)
    (tmp_path / "exercise.json").write_text(variants[0].to_json(), "utf-8")
    (tmp_path / "ada.csv").write_text(f"Z1,1,1,{float(variants[0].board().Z1[0, 0]):.4f}", "utf-8")
    paths = str(tmp_path / "exercise.json"), str(tmp_path / "ada.csv")
    assert rs.check(*paths).all_right
    assert rs.check(variants[0], paths[1], lang="fr").sentences() == ["Le seul nombre est juste."]
    assert [row.mark for row in rs.marks(paths[0], [paths[1]]).rows] == [1 / rs.check(*paths).asked]
    assert rs.marks(variants[0], [paths[1]]).all_right
    with pytest.raises(rs.ParameterError, match="lang is 'de'"):
        rs.check(*paths, lang="de")


@pytest.mark.parametrize("ending", [".html", ".tex", ".md", ".txt", ".ipynb", ".xml", ".json"])
def test_a_sheet_is_written_in_the_form_of_its_ending(ending: str, tmp_path: Path) -> None:
    exercise = rs.exercise("1-1", seed=1)
    for solved, hints in ((False, False), (False, True), (True, False)):
        exercise.save(tmp_path / f"sheet{ending}", solved=solved, hints=hints)
        assert (tmp_path / f"sheet{ending}").stat().st_size > 100
    with pytest.raises(rs.ParameterError, match=r"its ending must be \.html, .* or \.json"):
        exercise.save(tmp_path / "sheet.pdf")


def test_an_optimizer_has_its_own_learning_rate() -> None:
    exercise = rs.exercise("2-1", optimizer=rs.Adam(0.25), steps=2)
    assert exercise.optimizer == rs.Adam(0.25)
    assert rs.exercise("2-1", optimizer="adam").optimizer.rate == 0.1
    assert rs.exercise("2-1").optimizer == rs.SGD(0.5)
    with pytest.raises(rs.ParameterError, match="give one of them"):
        rs.exercise("2-1", optimizer=rs.Adam(0.25), learning_rate=0.5)
    with pytest.raises(rs.ParameterError, match="whose learning rate changes; give it a number"):
        rs.exercise("2-1", optimizer=rs.SGD(rs.Cosine(0.1)))


@pytest.mark.parametrize(
    ("answers", "place"),
    [
        ({"Z1": [[9, 9, 9], [9, 9, 9]]}, "Z₁, row 1, column 1 (Z1)"),
        ({"D1": [[0, 0, 0]] * 6}, "D₁ of sample 1, row 1, column 1 (D1)"),
        ({"db1": [9, 9, 9]}, "∂E/∂b₁, number 1 (db1)"),
        ({"W1": [[9, 9, 9], [9, 9, 9]]}, "W₁′, row 1, column 1 (W1_new)"),
        ({"E": 9}, "E (E)"),
    ],
)
def test_the_place_of_a_number_in_a_batch_is_told(answers: dict[str, object], place: str) -> None:
    exercise = rs.exercise("2-3", "softmax", rows=2, seed=1)
    assert f"The first that went wrong is {place}: " in exercise.check(answers).sentences()[1]


def test_numpy_is_all_that_exercises_need() -> None:
    code = (
        "import sys, reseau as rs\n"
        "exercise = rs.exercise('2-2-1', seed=3)\n"
        "exercise.check({'Z1': [[1, 2]]})\n"
        "[exercise.sheet(ending) for ending in ('.html', '.tex', '.md', '.txt', '.ipynb', '.xml')]\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert {"narwhals", "pyarrow", "rich", "scipy", "sklearn", "typer"}.isdisjoint(loaded)
