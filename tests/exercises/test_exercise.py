"""Exercises: easy numbers, blanks, and a solution that is right."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import reseau as rs
from reseau.blackboard.forms import FORMS, set_lines
from reseau.blackboard.sheet import Chain, Matrix
from reseau.exercises.drawing import BIASES, INPUTS, WEIGHTS
from reseau.exercises.exercise import Exercise
from reseau.exercises.public import exercise as draw
from reseau.exercises.written import exercises_from, load, plans_from
from reseau.formulas.trees import Blank
from reseau.formulas.typesetting import BLANK
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Architecture, check_network
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_gives_an_exercise_that_teaches_something(activation: str) -> None:
    exercise = draw("2-2-2", activation, seed=1)
    board = exercise.board()
    assert float(board.E_new) < float(board.E)
    for view in exercise.architecture.views(exercise.parameters):
        assert set(view["W"].ravel().tolist()) <= set(WEIGHTS)
        assert set(view["b"].tolist()) <= set(BIASES)
    assert set(exercise.X.ravel().tolist()) <= set(INPUTS)


def test_the_solution_is_what_both_engines_compute(engine: str) -> None:
    exercise = draw("3-2-2", "tanh", "softmax", seed=5, learning_rate=0.25)
    layers = (rs.Dense(2, "tanh"), rs.Dense(2, "softmax"))
    net = rs.Network(*layers, inputs=3, dtype="float64", engine=engine)
    net.parameters[...] = exercise.parameters
    E = net.step(exercise.X, exercise.T, learning_rate=0.25)
    board = exercise.board()
    assert pytest.approx(float(board.E), rel=1e-13) == E
    for l, layer in enumerate(net.layers, start=1):
        np.testing.assert_allclose(np.asarray(board[f"W{l}_new"], float), layer.W, rtol=1e-13)
        np.testing.assert_allclose(np.asarray(board[f"b{l}_new"], float), layer.b, rtol=1e-13)


def test_the_same_seed_gives_the_same_exercise_and_another_another() -> None:
    assert draw("2-2-1", seed=3).to_json() == draw("2-2-1", seed=3).to_json()
    assert len({draw("2-2-1", seed=seed).to_json() for seed in range(10)}) == 10


def test_without_bias_there_is_none() -> None:
    exercise = draw("2-2-1", bias=False)
    assert not any(name.startswith("db") for name in exercise.asked)
    assert exercise.architecture.n_parameters == 6


def test_a_rational_exercise_is_solved_in_fractions() -> None:
    board = draw("2-2-1", "relu", "identity", seed=2).board()
    assert isinstance(board.E[()], Fraction)
    assert isinstance(draw("2-2-1", "sigmoid").board().E[()], np.floating)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_gets_targets_it_is_defined_for(loss: str) -> None:
    output = LOSSES[loss].output
    exercise = draw("2-2-2", "tanh", output, loss, seed=4)
    assert np.isfinite(float(exercise.board().E))
    assert (LOSSES[loss].targets.low <= exercise.T).all()


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_activation_that_a_loss_takes_is_drawn_set_and_checked(loss: str) -> None:
    taken = 0
    for activation in ACTIVATIONS:
        try:
            exercise = draw("2-2", activation, None, loss, seed=1)
        except rs.ParameterError:
            continue
        taken += 1
        for ending in (".html", ".tex", ".md", ".txt", ".ipynb", ".xml"):
            assert exercise.sheet(ending)
        board = exercise.in_decimals()
        checked = exercise.check({name: board[name] for name in exercise.asked})
        assert (checked.all_right, checked.mark) == (True, 1.0), activation
    assert taken


def test_the_sheet_has_a_blank_for_every_number_that_the_solution_gives() -> None:
    exercise = draw("2-2-1", seed=3)
    sheet, solution = (list(exercise.lines(solved)) for solved in (False, True))

    def ends(lines: list[object]) -> list[object]:
        return [line.sides[-1][0] for line in lines if isinstance(line, Chain)]

    blanks = sum(
        isinstance(cell, Blank)
        for end in ends(sheet)
        for cell in ([c for row in end.rows for c in row] if isinstance(end, Matrix) else [end])
    )
    asked = sum(exercise.board()[name].size for name in exercise.asked)
    assert blanks == asked + exercise.board().O.size  # O is asked for as A2 too
    assert not any(isinstance(cell, Blank) for end in ends(solution) for cell in ([end]))


def test_a_sheet_does_not_give_the_numbers_away() -> None:
    exercise = draw("2-2-1", seed=3)
    sheet = set_lines(exercise.lines(False), ".txt", "en", 4)
    solution = set_lines(exercise.lines(True), ".txt", "en", 4)
    assert BLANK in sheet
    assert BLANK not in solution
    for name in ("A1", "A2", "delta1", "dW1"):
        for value in np.ravel(exercise.board()[name]):
            shown = f"{abs(float(value)):.4g}"
            assert shown in solution
            assert shown not in sheet


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("ending", FORMS)
def test_sheets_are_set_in_every_form_and_language(ending: str, lang: str) -> None:
    exercise = draw("2-3-2", "tanh", "softmax", seed=1, lang=lang)
    for solved in (False, True):
        text = set_lines(exercise.lines(solved, ("reseau check a.json b.csv", "b.csv")), ending, lang, 4)
        title = {
            ("en", False): "Exercise",
            ("en", True): "Solution",
            ("fr", False): "Exercice",
            ("fr", True): "Corrigé",
        }
        assert title[lang, solved] in text
        assert ("b.csv" in text) is not solved


def test_the_table_of_answers_has_a_line_for_every_number() -> None:
    exercise = draw("2-2-1", seed=3, lang="fr")
    lines = exercise.template().splitlines()
    assert lines[0] == "nom;ligne;colonne;valeur;symbole"
    assert lines[1] == "élève;;;;"
    assert len(lines) == 2 + sum(exercise.board()[name].size for name in exercise.asked)
    assert "delta1;1;2;;δ₁" in lines
    assert draw("2-2-1", seed=3).template().splitlines()[1:3] == ["student,,,,", "Z1,1,1,,Z₁"]


def test_an_exercise_comes_back_from_its_file(tmp_path: Path) -> None:
    exercise = draw("2-2-1", "tanh", seed=9, lang="fr")
    path = tmp_path / "exercise.json"
    path.write_text(exercise.to_json(), "utf-8")
    (back,) = load(path)
    assert back.to_json() == exercise.to_json()
    np.testing.assert_array_equal(back.parameters, exercise.parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not an exercise"),
        ({"version": 99}, "version 99, but this release reads versions 1 and 2"),
        ({"version": "9" * 5000}, "has version '999"),
        ({"X": [[1.0]]}, r"X has 1 row\(s\) of 1 number\(s\), but the network has 2 input\(s\)"),
        ({"X": [["a", 1.0]]}, "X has 'a', which is not a number; write it as 0.25, 0,25 or 1/4"),
        ({"X": [["", 1.0]]}, "X has an empty text in the place of a number"),
        ({"X": [[True, 1.0]]}, "X has True in the place of a number"),
        ({"X": [[10**400, 1.0]]}, "X has a number that is too large"),
        ({"X": {"a": 1}}, "X has .* in the place of a number"),
        ({"X": []}, "X must be finite numbers, and at least one"),
        ({"X": [[1, 2], [3]]}, "X has rows of different lengths"),
        ({"X": [[1, 2]] * 7}, "X has 7 rows, but what is worked out by hand has at most 6"),
        ({"X": [[1, 2]] * 2}, r"targets has 1 row\(s\), but there are 2 sample\(s\); give a row for each"),
        ({"rows": 3}, r"X has 1 row\(s\), but there are 3 sample\(s\)"),
        ({"targets": [[1, 0]]}, "targets"),
        ({"T": [[1]]}, "'T' says nothing about an exercise. Did you mean 'targets'"),
        ({"W3": [[1]]}, "'W3' says nothing about an exercise. Known: .*W1, b1, W2, b2"),
        ({"W1": [[1, 2, 3], [4, 5, 6]]}, r"W1 has 2 row\(s\) of 3 number\(s\), but must have 2 row\(s\), one for each"),
        ({"b1": [1]}, r"b1 has 1 number\(s\), but must have a list of 2 number\(s\), one for each neuron of layer 1"),
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"learning_rate": 10**400}, "learning_rate is 1000"),
        ({"optimizer": "adem"}, "optimizer is 'adem', which is unknown. Did you mean 'adam'"),
        ({"optimizer": {"name": "adam", "beta1": 0.5}}, "a setting of adam is 'beta1', which is unknown. Did you mean"),
        ({"optimizer": {"name": "sgd", "momentum": 2}}, "momentum is 2"),
        ({"optimizer": 3}, "optimizer is 3, but must be a text or an object"),
        ({"steps": 0}, "steps is 0, but must be a whole number of at least 1 and at most 10"),
        ({"lang": "de"}, "lang is 'de'"),
        ({"lang": "x" * 5000}, "lang is 'xxx"),
        ({"layers": "2-7-1"}, "layers is '2-7-1', but what is worked out by hand has 1 to 6"),
        ({"layers": 3}, "layers is 3, but must be a text or a list"),
        ({"layers": "2-1-1-1"}, r"activation has 2 name\(s\), but must have one for each of the 3 layer"),
        ({"activation": ["sigmoid", "sigmoïd"]}, "activation is 'sigmoïd', which is unknown. Did you mean 'sigmoid'"),
        ({"loss": {"name": "huber", "delta": -1}}, "delta is -1"),
        ({"loss": {"delta": 1}}, "loss is None, which is unknown"),
        ({"title": "a\nb"}, "title is 'a.nb', but must be a line of at most 200 characters"),
        ({"network": {}}, "network is damaged"),
        ({"network": []}, "network is \\[\\], but must be an object"),
        ({"variants": []}, "variants must be a list of exercises"),
        ({"variants": [{}, {}]}, "each of its variants needs a name of its own"),
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_is_wrong_with_a_file_is_told_with_its_key_and_the_way_out(
    change: dict[str, object], message: str
) -> None:
    facts = {**json.loads(draw("2-2-1").to_json()), **change}
    with pytest.raises(rs.DataError, match=message) as caught:
        exercises_from(json.dumps(facts), "exercise.json")
    assert str(caught.value).startswith("exercise.json")
    assert len(str(caught.value)) < 700


VERSION_1 = """{
 "format": "reseau exercise", "version": 1, "lang": "fr",
 "network": {"inputs": 2, "layers": [
  {"type": "dense", "neurons": 2, "activation": "tanh", "bias": true, "init": "glorot_uniform"},
  {"type": "dense", "neurons": 1, "activation": "sigmoid", "bias": true, "init": "glorot_uniform"}],
  "loss": "squared_error"},
 "X": [[0.5, -1.0]], "T": [[1.0]], "learning_rate": 0.25, "parameters": [1, 2, 3, 4, 5, 6, 7, 8, 9]
}"""


def test_the_file_of_an_earlier_release_is_read() -> None:
    (exercise,) = exercises_from(VERSION_1, "exercise.json")
    assert exercise.architecture.widths == (2, 2, 1)
    assert [layer.activation for layer in exercise.architecture.layers] == ["tanh", "sigmoid"]
    assert exercise.parameters.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (exercise.X.tolist(), exercise.T.tolist()) == ([[0.5, -1.0]], [[1.0]])
    assert (exercise.optimizer, exercise.lang, exercise.steps) == (rs.SGD(0.25), "fr", 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"parameters": [1, ', '"parameters": ['), ("0.25", "-1"), ('"fr"', '"de"'), ('"tanh"', '"tan"')],
)
def test_a_damaged_file_of_an_earlier_release_is_refused(old: str, new: str) -> None:
    with pytest.raises(rs.DataError, match=r"exercise\.json is damaged .*; write it again with reseau exercise"):
        exercises_from(VERSION_1.replace(old, new), "exercise.json")


BY_HAND = """{
 "title": "Devoir 3", "lang": "fr", "layers": [2, 3, 1], "activation": ["tanh", "sigmoid"],
 "optimizer": "sgd momentum=0.9", "learning_rate": 0.25, "steps": 2,
 "X": [[1, "1/2"], [-1, "0,25"]], "targets": [1, 0], "W2": [[0.5], [-1], ["−1/4"]], "b1": [0, 0.5, 0]
}"""


def test_an_exercise_is_written_by_hand_and_what_it_leaves_out_is_drawn() -> None:
    (planned,) = plans_from(BY_HAND, "mine.json")
    assert planned.drawn == ["W1", "b2"]
    exercise = planned.draw(seed=4)
    first, last = exercise.architecture.views(exercise.parameters)
    assert exercise.X.tolist() == [[1, 0.5], [-1, 0.25]]
    assert exercise.T.tolist() == [[1], [0]]
    assert (first["b"].tolist(), last["W"].ravel().tolist()) == ([0, 0.5, 0], [0.5, -1, -0.25])
    assert set(first["W"].ravel().tolist()) <= set(WEIGHTS)
    assert exercise.optimizer == rs.SGD(0.25, momentum=0.9)
    assert exercise.heading(False) == "Devoir 3"
    assert exercise.heading(True) == "Corrigé\N{NO-BREAK SPACE}: Devoir 3"
    assert exercises_from(exercise.to_json(), "")[0].to_json() == exercise.to_json()


def test_a_file_that_leaves_numbers_out_is_nothing_to_check_with() -> None:
    with pytest.raises(rs.DataError, match=r"mine\.json leaves W1, b2 to be drawn"):
        exercises_from(BY_HAND, "mine.json")


@pytest.mark.parametrize(
    ("targets", "activation", "loss", "expected"),
    [
        (1, "softmax", "cross_entropy", [[0, 1, 0]]),
        ([1], "softmax", "cross_entropy", [[0, 1, 0]]),
        ([0, 1, 0], "softmax", "cross_entropy", [[0, 1, 0]]),
        ([[0, "1/2", "1/2"]], "softmax", "cross_entropy", [[0, 0.5, 0.5]]),
        ([1, 0, 2], "identity", "squared_error", [[1, 0, 2]]),
    ],
)
def test_targets_are_written_as_one_likes(targets: object, activation: str, loss: str, expected: object) -> None:
    facts = {"layers": "2-3", "activation": activation, "loss": loss, "targets": targets}
    (planned,) = plans_from(json.dumps(facts), "mine.json")
    assert planned.T is not None
    assert planned.T.tolist() == expected


def test_a_network_of_other_kinds_of_layers_comes_back_from_its_file() -> None:
    layers, loss = check_network((rs.Dense(3), rs.LayerNorm(), rs.Residual(rs.Dense(3, "tanh")), rs.Dense(1)), "huber")
    facts = {"network": Architecture(2, layers, loss).describe(), "gamma2": [1, 2, 1]}
    (planned,) = plans_from(json.dumps(facts), "mine.json")
    exercise = planned.draw(seed=1)
    assert exercise.architecture.views(exercise.parameters)[1]["gamma"].tolist() == [1, 2, 1]
    assert exercises_from(exercise.to_json(), "")[0].to_json() == exercise.to_json()
    with pytest.raises(rs.DataError, match="network says all of the layers, and layers too"):
        plans_from(json.dumps({**facts, "layers": "2-1"}), "mine.json")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_is_worked_out_for_several_steps_on_a_batch_and_checked(optimizer: str) -> None:
    exercise = draw("2-2-2", "tanh", "softmax", optimizer=optimizer, steps=3, rows=2, seed=1)
    board = exercise.in_decimals()
    answers = {f"{name}_t{t}": board.steps[t - 1][name] for t in (1, 2, 3) for name in names_of_a_step(exercise)}
    checked = exercise.check(answers)
    assert checked.all_right
    assert (checked.answered, checked.mark) == (checked.asked, 1.0)
    assert [name for name in exercise.asked if name not in answers] == []


def names_of_a_step(exercise: Exercise) -> list[str]:
    """The names of what is asked in one of its steps."""
    return [name.removesuffix("_t1") for name in exercise.asked if name.endswith("_t1")]


def test_a_mistake_of_every_step_and_one_of_a_single_step_are_told_apart() -> None:
    exercise = draw("2-2-1", "tanh", steps=2, seed=3)

    def updated(signs: tuple[int, int]) -> dict[str, object]:
        given, answers = exercise, {}
        for t, sign in enumerate(signs, start=1):
            step = given.in_decimals(1).steps[0]
            new = {name: step[name] + sign * step[f"change_{name}"] for name in ("W1", "b1", "W2", "b2")}
            answers |= {f"{name}_new_t{t}": values for name, values in new.items()}
            given = replace(given, parameters=np.concatenate([values.ravel() for values in new.values()]))
        return answers

    always, once = exercise.check(updated((-1, -1))), exercise.check(updated((1, -1)))
    assert (always.verdict.first.key, always.verdict.mistakes[0].t) == ("W1_new_t1", None)
    assert (once.verdict.first.key, once.verdict.mistakes[0].t) == ("W1_new_t2", 2)


def test_several_steps_are_shown_one_after_another_with_all_their_blanks() -> None:
    exercise = draw("2-2-1", steps=2, rows=2, optimizer="adam", seed=3, lang="fr")
    sheet = set_lines(exercise.lines(False), ".txt", "fr", 4)
    assert "Pas 1 sur 2" in sheet
    assert "Pas 2 sur 2" in sheet
    lines = [line for line in exercise.lines(False) if isinstance(line, Chain)]
    blanks = sum(
        isinstance(cell, Blank)
        for line in lines
        for piece in line.sides[-1]
        for cell in ([c for row in piece.rows for c in row] if isinstance(piece, Matrix) else [piece])
    )
    board = exercise.in_decimals()
    assert blanks == exercise.check({"Z1_t1": board.Z1}).asked + 2 * board.O.size  # O is asked for as A2 too
    assert "Z1_t2;2;1;;Z₁" in exercise.template().splitlines()


def test_an_exercise_whose_error_is_of_no_distribution_is_refused_with_what_goes_with_it() -> None:
    facts = json.loads(draw("2-2-2").to_json())
    facts["loss"] = "cross_entropy"
    with pytest.raises(rs.DataError, match=r"activation 'sigmoid' gives values in.*use one of softmax, log_softmax"):
        exercises_from(json.dumps(facts), "exercise.json")
    with pytest.raises(rs.ParameterError, match="use one of softmax, log_softmax"):
        draw("2-2-2", loss="cross_entropy")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"format": ' + "9" * 5000, "\ufeff{}", ""]
)
def test_what_is_no_exercise_at_all_is_refused(text: str) -> None:
    with pytest.raises(
        rs.DataError, match=r"exercise\.json is not .*; give the \.json file that reseau exercise wrote"
    ):
        exercises_from(text, "exercise.json")


@pytest.mark.parametrize(
    ("layers", "message"),
    [("2", "joined by '-'"), ("2-x", "joined by"), ("2-0", "1 to 6"), ("2-7-1", "1 to 6"), ("", "-")],
)
def test_layers_that_nobody_could_work_out_are_refused(layers: str, message: str) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        draw(layers)
