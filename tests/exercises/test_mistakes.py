"""Checking answers: a student's step, written out in NumPy with the mistakes that students make."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from random import Random
from typing import Any

import mutations
import numpy as np
import pytest

import reseau as rs
from reseau.blackboard import words as board_words
from reseau.exercises import words
from reseau.exercises.exercise import Exercise
from reseau.exercises.mistakes import Verdict, close
from reseau.exercises.public import exercise as draw
from reseau.exercises.report import report
from reseau.exercises.written import exercises_from
from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.layers import Architecture, dense

Answers = dict[str, Any]
RATE = 0.5


def exercise(output: str = "sigmoid", widths: tuple[int, int, int] = (2, 2, 2)) -> Exercise:
    """Two layers with plain numbers; square, so that every forgotten transposition can be made."""
    d, n, m = widths
    rng = np.random.default_rng(5)
    architecture = Architecture(d, (rs.Dense(n, "sigmoid"), rs.Dense(m, output)), "squared_error")
    parameters = rng.choice([-1.0, -0.5, 0.5, 1.0], architecture.n_parameters)
    X, T = np.array([[1.0, -0.5, 2.0][:d]]), np.array([[1.0, 0.0, 0.0][:m]])
    return Exercise(architecture, parameters, X, T, rs.SGD(RATE), "en")


def phi(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def student(task: Exercise, mistake: str = "") -> Answers:
    """The step by hand, with a mistake."""
    (W1, b1), (W2, b2) = (view.values() for view in task.architecture.views(task.parameters))
    softmax = task.architecture.layers[1].activation == "softmax"
    a: Answers = {}
    a["Z1"] = task.X @ W1 + (0 if mistake == "bias" else b1)
    a["A1"] = a["Z1"] if mistake == "activation" else phi(a["Z1"])
    a["Z2"] = a["A1"] @ (W2.T if mistake == "forward transposed" else W2) + b2
    a["A2"] = np.exp(a["Z2"]) / np.exp(a["Z2"]).sum() if softmax else phi(a["Z2"])
    o = a["A2"]
    a["e"] = (1.0 if mistake == "half" else 0.5) * (task.T - o) ** 2
    a["E"] = a["e"].sum()
    a["dA2"] = (task.T - o) if mistake == "sign of the error" else (o - task.T)
    if mistake == "half of the derivative":
        a["dA2"] = 2 * a["dA2"]
    if softmax:
        D = np.diag(o[0]) - np.outer(o[0], o[0])
        a["D2"] = D[None]
        a["delta2"] = a["dA2"] * o * (1 - o) if mistake == "elementwise" else a["dA2"] @ D
    else:
        inside = a["Z2"] if mistake == "derivative of z" else o
        a["D2"] = inside * (1 - inside)
        a["delta2"] = a["dA2"] if mistake == "derivative" else a["dA2"] * a["D2"]
    a["dW2"] = a["delta2"].T @ a["A1"] if mistake == "gradient transposed" else a["A1"].T @ a["delta2"]
    a["db2"] = a["delta2"][0]
    back = W2 - RATE * a["dW2"] if mistake == "updated too soon" else W2
    a["dA1"] = a["delta2"] @ (back if mistake == "back transposed" else back.T)
    inside = a["Z1"] if mistake == "derivative of z" else a["A1"]
    a["D1"] = inside * (1 - inside)
    a["delta1"] = a["dA1"] if mistake in ("derivative", "derivative of the first") else a["dA1"] * a["D1"]
    a["dW1"] = a["delta1"].T @ task.X if mistake == "gradient transposed" else task.X.T @ a["delta1"]
    a["db1"] = a["delta1"][0]
    sign = 1 if mistake == "sign of the update" else -1
    rate = 1 if mistake == "rate" else RATE
    for name, old in {"W1": W1, "b1": b1, "W2": W2, "b2": b2}.items():
        a[f"change_{name}"] = sign * rate * a[f"d{name}"]
        a[f"{name}_new"] = a[f"change_{name}"] + (0 if mistake == "only the change" else old)
    return a


MISTAKES = {
    "bias": dense.FORGOT_BIAS.words,
    "activation": board_words.FORGOT_ACTIVATION,
    "forward transposed": dense.TRANSPOSED_FORWARD.words,
    "half": board_words.FORGOT_HALF,
    "half of the derivative": board_words.FORGOT_HALF_OF_DERIVATIVE,
    "sign of the error": board_words.SIGN_OF_ERROR,
    "derivative": board_words.FORGOT_DERIVATIVE,
    "derivative of the first": board_words.FORGOT_DERIVATIVE,
    "derivative of z": board_words.DERIVATIVE_OF_Z,
    "gradient transposed": dense.TRANSPOSED_GRADIENT.words,
    "updated too soon": dense.UPDATED_TOO_SOON.words,
    "back transposed": dense.TRANSPOSED_BACK.words,
    "sign of the update": board_words.SIGN_OF_UPDATE,
    "rate": board_words.FORGOT_RATE,
    "only the change": board_words.ONLY_THE_CHANGE,
}
FIRST_WRONG = {
    "bias": "Z1",
    "activation": "A1",
    "forward transposed": "Z2",
    "half": "e",
    "half of the derivative": "dA2",
    "sign of the error": "dA2",
    "derivative": "delta2",
    "derivative of the first": "delta1",
    "derivative of z": "D2",
    "gradient transposed": "dW2",
    "updated too soon": "dA1",
    "back transposed": "dA1",
    "sign of the update": "change_W1",
    "rate": "change_W1",
    "only the change": "W1_new",
}


def as_json(answers: Answers, digits: int = 4) -> str:
    return json.dumps({name: rounded(np.asarray(values), digits) for name, values in answers.items()})


def rounded(values: Any, digits: int) -> Any:
    return np.vectorize(lambda value: float(f"{value:.{digits}g}"))(values).tolist()


def as_csv(answers: Answers, delimiter: str, comma: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["name", "row", "column", "value"])
    for name, values in answers.items():
        matrix = np.asarray(values, dtype=float).reshape((1, 1, *np.shape(values))[-2:])
        for (i, j), value in np.ndenumerate(matrix):
            text = f"{value:.4g}"
            writer.writerow([name, i + 1, j + 1, text.replace(".", ",") if comma else text])
    return out.getvalue()


def only_weights(answers: Answers) -> Answers:
    return {name: values for name, values in answers.items() if name.endswith("_new")}


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_right_answers_are_all_right_even_rounded(output: str) -> None:
    task = exercise(output)
    for digits in (4, 6, 15):
        verdict = task.check_text(as_json(student(task), digits), "answers").verdict
        assert verdict.all_right, verdict
        assert verdict.right == verdict.answered == sum(np.size(values) for values in student(task).values())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_where_it_was_made(mistake: str) -> None:
    task = exercise()
    verdict = task.check_text(as_json(student(task, mistake)), "answers").verdict
    assert verdict.first is not None
    assert verdict.first.name == FIRST_WRONG[mistake]
    assert [found.words for found in verdict.mistakes] == [MISTAKES[mistake]]


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - {"half"}))  # the error itself does not enter the weights
def test_a_mistake_shows_in_the_new_weights_alone(mistake: str) -> None:
    task = exercise()
    verdict = task.check_text(as_json(only_weights(student(task, mistake)), 9), "answers").verdict
    assert verdict.first is not None
    assert verdict.first.name in ("W1_new", "b1_new", "W2_new", "b2_new")
    assert MISTAKES[mistake] in [found.words for found in verdict.mistakes]


def test_the_derivative_of_softmax_taken_element_by_element_is_found() -> None:
    task = exercise("softmax")
    for answers in (student(task, "elementwise"), only_weights(student(task, "elementwise"))):
        verdict = task.check_text(as_json(answers, 6), "answers").verdict
        assert [found.words for found in verdict.mistakes] == [board_words.SOFTMAX_ELEMENTWISE]


def test_the_layer_of_a_mistake_is_told() -> None:
    task = exercise()
    made = ("derivative", "derivative of the first")
    everywhere, first = (task.check_text(as_json(student(task, m)), "").verdict for m in made)
    assert everywhere.mistakes[0].layer is None
    assert first.mistakes[0].layer == 1


@pytest.mark.parametrize(("delimiter", "comma"), [(",", False), (";", True), (";", False), ("\t", True)])
def test_tables_are_read_with_points_and_commas(delimiter: str, comma: bool) -> None:
    task = exercise()
    assert task.check_text(as_csv(student(task), delimiter, comma), "answers").verdict.all_right
    wrong = task.check_text(as_csv(student(task, "sign of the update"), delimiter, comma), "answers").verdict
    assert [found.words for found in wrong.mistakes] == [board_words.SIGN_OF_UPDATE]


def test_a_number_that_follows_from_a_wrong_one_is_right() -> None:
    task = exercise()
    answers = student(task, "derivative of the first")
    verdict = task.check_text(as_json(answers), "answers").verdict
    assert verdict.answered - verdict.right == answers["delta1"].size


def test_a_slip_that_no_mistake_explains_is_said_to_be_one() -> None:
    task = exercise()
    answers = student(task)
    answers["Z2"] = answers["Z2"] + 0.3
    verdict = task.check_text(as_json(answers), "answers").verdict
    assert verdict.first is not None
    assert (verdict.first.name, verdict.first.place, verdict.mistakes) == ("Z2", (1, 1), ())
    assert words.NO_KNOWN_MISTAKE.en in told(task, verdict)


def told(task: Exercise, verdict: Verdict, lang: str = "en") -> str:
    return "\n".join(report(task.tasks, verdict, TextSetter(lang, 4)))


def test_the_report_tells_the_number_the_place_and_the_mistake() -> None:
    task = exercise()
    verdict = task.check_text(as_json(student(task, "sign of the update")), "answers").verdict
    W1 = task.parameters[0]
    text = told(task, verdict)
    assert "ΔW₁, row 1, column 1 (change_W1)" in text
    assert "the sign of the update" in text
    assert (
        told(task, task.check_text(as_json({"W1": student(task)["W1_new"]}), "").verdict) == "All 4 numbers are right."
    )
    assert task.parameters[0] == W1
    french = told(task, verdict, "fr")
    assert "Erreur probable\N{NO-BREAK SPACE}: le signe de la mise à jour" in french
    assert "ligne 1, colonne 1" in french


def test_a_matrix_with_rows_and_columns_exchanged_is_named() -> None:
    task = exercise(widths=(3, 2, 2))
    answers = student(task)
    answers["dW1"] = answers["dW1"].T
    for text in (as_json(answers), as_csv(answers, ",", False)):
        verdict = task.check_text(text, "answers").verdict
        assert verdict.transposed == "dW1"
        assert not verdict.all_right
        assert "rows and columns exchanged" in told(task, verdict)


def small_steps(rate: float = 2e-5) -> Exercise:
    """An exercise whose steps are too small for four digits: W1 is of halves and ones, and moves by less than 5e-5."""
    return dataclasses.replace(exercise(), optimizer=rs.SGD(rate))


def new_weights(task: Exercise, write: str) -> str:
    """A table of the new weights of the first layer, each written in a way."""
    W = task.board().W1_new
    return "\n".join(f"W1_new,{i + 1},{j + 1},{format(float(W[i, j]), write)}" for i, j in np.ndindex(2, 2))


@pytest.mark.parametrize("write", [".4g", ".4f", ".3f", ".2f"])  # 0.5, 0.5000, 0.500, 0.50
def test_steps_that_are_lost_in_rounding_are_no_mistakes_and_are_said(write: str) -> None:
    task = small_steps()
    assert 0 < np.abs(task.board().change_W1).max() < 5e-6
    verdict = task.check_text(new_weights(task, write), "answers").verdict
    assert verdict.all_right
    assert (verdict.answered, verdict.right, len(verdict.lost)) == (4, 4, 4)
    first = verdict.lost[0]
    lines = report(task.tasks, verdict, TextSetter("en", 4))
    assert lines[0] == "All 4 numbers are right."
    assert lines[1].startswith(
        "4 steps are lost in rounding, which is no mistake. The first is W₁′, row 1, column 1 (W1_new)"
    )
    assert f"given as {first.given:g}, as before".replace("-", "−") in lines[1]
    assert not lines[1].endswith(f"it is {TextSetter('en', 4).number(first.expected)}.")  # but what tells the two apart
    assert "se perdent dans l’arrondi" in report(task.tasks, verdict, TextSetter("fr", 4))[1]


def test_a_single_step_that_is_lost_is_said_to_be_one() -> None:
    task = small_steps()
    verdict = task.check_text(new_weights(task, ".4g").splitlines()[0], "answers").verdict
    assert report(task.tasks, verdict, TextSetter("en", 4))[1].startswith(
        "One step is lost in rounding, which is no mistake"
    )


def test_a_small_step_in_full_is_right_and_its_sign_a_mistake() -> None:
    task = small_steps()
    verdict = task.check_text(new_weights(task, ".12f"), "answers").verdict
    assert (verdict.all_right, verdict.lost) == (True, ())
    board = task.board()
    wrong = task.check_text(as_json({"W1_new": board.W1 - board.change_W1}, 12), "answers").verdict
    assert wrong.first is not None
    assert "the sign of the update" in told(task, wrong)
    given, expected = re.findall(r"(\S+) instead of (\S+)\.\n", told(task, wrong) + "\n")[0]
    assert given != expected


@pytest.mark.parametrize(("written", "lost"), [("-1", True), ("-1.00", True), ("-1.0000", False), ("-0.9967", False)])
def test_a_step_within_the_one_percent_that_the_help_promises_is_lost_as_far_as_it_is_not_written(
    written: str, lost: bool
) -> None:
    task = small_steps()
    W, change = task.board().W1, task.board().change_W1
    i, j = np.argwhere(W == -1)[0]
    task = small_steps(2e-5 * 0.0033 / abs(float(change[i, j])))  # so that the new weight is 1.0033 or 0.9967
    new = float(task.board().W1_new[i, j])
    assert abs(abs(new) - 1) == pytest.approx(0.0033)
    if new > -1:
        written = written.replace("0.9967", "1.0033")
    checked = task.check_text(f"W1_new,{i + 1},{j + 1},{written}", "answers")
    assert (checked.all_right, checked.right, len(checked.verdict.lost)) == (lost, lost, lost)


def test_a_step_that_four_digits_show_is_not_lost() -> None:
    task = small_steps(0.5)
    board = task.board()
    assert np.abs(board.change_W1).min() > 1e-3
    forgotten = task.check_text(as_json({"W1_new": board.W1}, 4), "answers").verdict
    assert forgotten.first is not None
    assert task.check_text(new_weights(task, ".4g"), "answers").verdict.lost == ()


def test_a_large_number_may_be_rounded_to_the_digits_that_are_asked_for() -> None:
    assert close(123.5, 123.456, 0.0, 123.0)
    assert close(1.0, 1.00003, 0.0, 1.0)
    assert not close(123.4, 123.456, 0.0, 123.0)
    assert not close(0.0, 0.3, 0.0)
    assert not close(0.50001, 0.49999, 0.000005, 0.5)


def test_fractions_signs_and_blanks_are_read() -> None:
    task = exercise()
    W1 = task.parameters[:4].reshape(2, 2)
    Z1 = task.X @ W1 + task.parameters[4:6]
    cells = [
        f"Z1,1,1,{int(Z1[0, 0] * 4)}/4",
        "Z1,1,2,",
        "",
        f"dA2,1,1,{'−' if student(task)['dA2'][0, 0] < 0 else ''}1/1",
    ]
    verdict = task.check_text("\n".join(cells), "answers").verdict
    assert (verdict.answered, verdict.right) == (2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no answers yet"),
        ("name,row,column,value\nZ1,1,1,\n", "no answers yet"),
        ("name,row,column,value\nZ9,1,1,0.5\n", "line 2 has 'Z9', which is not asked for"),
        ("name,row,column,value\nZ1,1,1,abc\n", "line 2 has 'abc', which is not a number"),
        ("name,row,column,value\nZ1,1,1\n", "line 2 has 3 cells"),
        ("name,row,column,value\nZ1,one,1,2\n", "row 'one' and column '1'"),
        ("name,row,column,value\nZ1,3,3,2\n", "Z1 at row 3, column 3"),
        ("name,row,column,value\nZ1,1,1,1/0\n", "divides by zero"),
        ('{"Z1": [[1, 2]', "not JSON"),
        ('{"Z1": [[1, 2], [3]]}', "rows of one length"),
        ('{"Z1": [[1, 2, 3]]}', "1 row.s. and 3 column"),
        ('{"Z1": [["x", 2]]}', "'x', which is not a number"),
        ('{"Z1": [[true, 2]]}', "True, which is not a number"),
        ('{"delta3": 1}', "'delta3', which is not asked for"),
        ("[1, 2]", "holds a list"),
        ('{"Z1": [[1, 2]], "Z1": [[1, 3]]}', "has 'Z1' twice"),
        ("Z1,1,1," + "9" * 5000, "999…, which is too long or too large to be an answer"),
        ("Z1,1,1,1/" + "9" * 5000, "too long or too large"),
        ("Z1,1,1,1e" + "9" * 5000, "too long or too large"),
        ("Z1,1,1,1e-" + "9" * 4000, "too long or too large"),
        ("Z1,1,1,1e400", "'1e400', which is too long or too large"),
        ("\nZ1," + "9" * 5000 + ",1,1", "which must be whole numbers from 1"),
        ("Z1,1,1,1" + "x" * 200_000, "is no table of answers: field larger than field limit"),
        ("Z" * 1000 + ",1,1,1", "ZZZ…, which is not asked for"),
        ('{"Z1": ' + "9" * 5000 + "}", "999…, which is too long or too large"),
        ('{"Z1": 1e999}', "'1e999', which is too long or too large"),
        ('{"Z1": ' + "[" * 100_000, "is not JSON: maximum recursion depth"),
        ('{"Z1": NaN}', "nan, which is not a number"),
        ('{"Z1": [[{}, 2]]}', "{}, which is not a number"),
        ('{"Z1": []}', "rows of one length"),
        ("Z1,1,1,0.5\nZ1,1,2,0.5\nZ1,1,1,0.7", "lines 1 and 3 both answer Z1 at row 1, column 1: 0.5 and 0.7"),
        ("W1,1,1,0.5\nW1_new,1,1,0.7", "lines 1 and 2 both answer W1_new at row 1, column 1: 0.5 and 0.7"),
        ('{"W1": [[1, 2], [3, 4]], "W1_new": [[1, 2], [3, 5]]}', "has 'W1_new', which is W1_new, and that too"),
    ],
    ids=lambda text: text[:24],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(rs.DataError, match=message) as caught:
        exercise().check_text(text, "answers.csv")
    assert str(caught.value).startswith("answers.csv")
    assert len(str(caught.value)) < 300


def test_whatever_stands_in_the_files_they_are_checked_or_refused() -> None:
    drawn = [draw("2-2-1", seed=3), draw("2-3-2", "tanh", "softmax", seed=1, lang="fr")]
    refused = 0
    for seed in range(200):
        random = Random(seed)
        task = random.choice(drawn)
        board = task.board()
        facts, answers = json.loads(task.to_json()), json.loads(as_json({name: board[name] for name in task.asked}))
        changed = random.choice([facts, answers])
        for _ in range(random.randint(1, 3)):
            mutations.mutated_json(changed, random)
        try:
            again = exercises_from(json.dumps(facts), "exercise.json")[0]
            str(again.check_text(json.dumps(answers), "answers.json"))
        except rs.DataError:  # any other error fails the test
            refused += 1
    assert 50 < refused < 200


def test_answers_to_a_drawn_exercise_are_checked_too() -> None:
    task = draw("3-2-1", "tanh", seed=7)
    board = task.board()
    answers = {name: board[name] for name in task.asked}
    assert task.check_text(as_json(answers), "answers").verdict.all_right
    answers["W2_new"] = answers["W2_new"] - 2 * answers["change_W2"]
    assert task.check_text(as_json(only_weights(answers), 9), "answers").verdict.first is not None
