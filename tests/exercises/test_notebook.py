"""Exercises as notebooks: valid, run as they are, solved, and with a student's mistake."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest

from reseau.exercises.exercise import Exercise
from reseau.exercises.notebook import notebook
from reseau.exercises.public import exercise as draw


def run(text: str, change: tuple[str, str] = ("", "")) -> list[str]:
    """What the cells print, one after another, perhaps with a line that is another one."""
    names: dict[str, Any] = {}
    printed = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(cell["source"].replace(*change) if change[0] else cell["source"], names)
            printed.append(out.getvalue().strip())
    return [line for line in printed if line]


EXERCISES = {
    "plain": draw("2-2-1", seed=3),
    "a batch in French": draw("2-2-3", "tanh", "softmax", "cross_entropy", rows=2, seed=1, lang="fr"),
    "several steps": draw("2-1", "tanh", steps=2, optimizer="sgd momentum=0.9", seed=1),
}


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
@pytest.mark.parametrize("hints", [False, True])
def test_a_notebook_is_valid(exercise: Exercise, hints: bool) -> None:
    nbformat = pytest.importorskip("nbformat")
    for solved in (False, True):
        nbformat.validate(json.loads(notebook(exercise, solved, hints)))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_an_empty_notebook_runs_and_a_solved_one_has_every_number_right(exercise: Exercise) -> None:
    empty = run(notebook(exercise))
    assert set(empty) <= {
        "answers: no answers yet; fill in values first.",
        "answers\N{NO-BREAK SPACE}: pas encore de réponses\N{NARROW NO-BREAK SPACE}; remplissez d’abord des valeurs.",
    }
    solved = run(notebook(exercise, solved=True))
    assert len(solved) == len(empty)
    asked = exercise.check({exercise.asked[0]: 0} if exercise.asked[0] == "E" else _first(exercise)).asked
    assert str(asked) in solved[-1]
    assert not any("wrong" in line or "faux" in line for line in solved)


def _first(exercise: Exercise) -> dict[str, Any]:
    """An answer to what is asked first."""
    return {exercise.asked[0]: exercise.in_decimals().Z1}


def test_a_mistake_is_named_below_the_cell_in_which_it_was_made() -> None:
    exercise = draw("2-2-1", seed=3)
    board = exercise.board()
    right, doubled = f"{float(board.e[0, 0]):.6g}", f"2 * {float(board.e[0, 0]):.6g}"
    printed = run(notebook(exercise, solved=True), (f'answers["e"] = [[{right}]]', f'answers["e"] = [[{doubled}]]'))
    assert printed[1] == "All 6 numbers are right."
    assert printed[2].splitlines()[-1] == "Likely mistake: the factor ½ of the error was forgotten."


def test_a_notebook_does_not_give_the_numbers_away_and_hides_the_equations_in_hints() -> None:
    exercise = draw("2-2-1", seed=3)
    text = notebook(exercise)
    assert f"{float(exercise.board().A2[0, 0]):.4f}"[:6] not in text
    assert "<details>" not in text
    sources = [cell["source"] for cell in json.loads(notebook(exercise, hints=True))["cells"]]
    (layer,) = [source for source in sources if source.startswith("## 1. Forward")]
    assert layer.index("<details>") < layer.index("Z_{1} = X W_{1} + b_{1}") < layer.index("</details>")
