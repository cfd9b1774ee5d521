"""Exercises: easy numbers, blanks, and a solution that is right."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import reseau as rs
from reseau.blackboard.forms import FORMS, set_lines
from reseau.blackboard.sheet import Chain, Matrix
from reseau.exercises.exercise import BIASES, INPUTS, WEIGHTS, draw, from_json, load
from reseau.formulas.trees import Blank
from reseau.formulas.typesetting import BLANK
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES


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
        text = set_lines(exercise.lines(solved, "reseau check a.json b.csv", "b.csv"), ending, lang, 4)
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
    assert len(lines) == 1 + sum(exercise.board()[name].size for name in exercise.asked)
    assert "delta1;1;2;;δ₁" in lines
    assert draw("2-2-1", seed=3).template().splitlines()[1] == "Z1,1,1,,Z₁"


def test_an_exercise_comes_back_from_its_file(tmp_path: Path) -> None:
    exercise = draw("2-2-1", "tanh", seed=9, lang="fr")
    path = tmp_path / "exercise.json"
    path.write_text(exercise.to_json(), "utf-8")
    back = load(path)
    assert back.to_json() == exercise.to_json()
    np.testing.assert_array_equal(back.parameters, exercise.parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not an exercise"),
        ({"version": 99}, "version 99"),
        ({"X": [[1.0]]}, "X must be finite numbers of shape"),
        ({"X": [["a", 1.0]]}, "is damaged"),
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"lang": "de"}, "lang is 'de'"),
        ({"parameters": []}, "parameters must be"),
        ({"network": {}}, "is damaged"),
        ({"version": "9" * 5000}, "has version '999"),
        ({"lang": "x" * 5000}, "is damaged"),
        ({"X": [[10**400, 1.0]]}, "is damaged"),
        ({"X": {"a": 1}}, "is damaged"),
        ({"network": []}, "is damaged"),
        ({"learning_rate": 10**400}, "learning_rate is 1000"),
    ],
    ids=lambda change: str(change)[:30],
)
def test_a_damaged_exercise_is_refused(change: dict[str, object], message: str) -> None:
    facts = {**json.loads(draw("2-2-1").to_json()), **change}
    with pytest.raises(rs.DataError, match=message) as caught:
        from_json(json.dumps(facts), "exercise.json")
    assert len(str(caught.value)) < 500


def test_an_exercise_whose_error_is_of_no_distribution_is_refused_with_what_goes_with_it() -> None:
    facts = json.loads(draw("2-2-2").to_json())
    facts["network"]["loss"] = "cross_entropy"
    with pytest.raises(rs.DataError, match=r"activation 'sigmoid' gives values in.*use one of softmax, log_softmax"):
        from_json(json.dumps(facts), "exercise.json")
    with pytest.raises(rs.ParameterError, match="use one of softmax, log_softmax"):
        draw("2-2-2", loss="cross_entropy")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"format": ' + "9" * 5000, "\ufeff{}", ""]
)
def test_what_is_no_exercise_at_all_is_refused(text: str) -> None:
    with pytest.raises(
        rs.DataError, match=r"exercise\.json is not .*; give the \.json file that reseau exercise wrote"
    ):
        from_json(text, "exercise.json")


@pytest.mark.parametrize(
    ("layers", "message"),
    [("2", "joined by '-'"), ("2-x", "joined by"), ("2-0", "1 to 6"), ("2-7-1", "1 to 6"), ("", "-")],
)
def test_layers_that_nobody_could_work_out_are_refused(layers: str, message: str) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        draw(layers)
