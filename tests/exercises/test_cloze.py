"""Moodle's Cloze: the file against a schema, each field against Cloze's own grammar, and what a student is told."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest

import reseau as rs
from reseau.exercises.cloze import cloze_escaped, quiz
from reseau.exercises.exercise import Exercise
from reseau.exercises.public import exercise as draw
from reseau.vocabulary.activations import ACTIVATIONS

# How Moodle takes a field apart: {weight:TYPE:alternative~alternative}, each with a share, an answer and a feedback.
FIELD = re.compile(r"\{(?P<weight>[0-9]*):(?P<kind>NUMERICAL|NM|MULTICHOICE|MC|SHORTANSWER|SA):")
SHARE = re.compile(r"=|%(-?[0-9]+(?:[.,][0-9]*)?)%")
ANSWER = re.compile(r".+?(?<!\\|&)(?=[~#}])")
FEEDBACK = re.compile(r"#(.*?(?<!\\))(?=[~}])")
REAL = r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
NUMERICAL = re.compile(rf"({REAL}):({REAL})")


class Alternative(NamedTuple):
    share: float
    value: float
    tolerance: float
    feedback: str


def fields(text: str) -> list[list[Alternative]]:
    """Every field of a question, taken apart; what does not follow the grammar fails."""
    found = []
    place = 0
    while begin := FIELD.search(text, place):
        assert begin["kind"] == "NUMERICAL"
        assert begin["weight"] == "1"
        place, alternatives = begin.end(), []
        while True:
            share = SHARE.match(text, place)
            assert share, text[place : place + 50]
            answer = ANSWER.match(text, share.end())
            assert answer
            number = NUMERICAL.fullmatch(answer[0])
            assert number, answer[0]
            place, said = answer.end(), FEEDBACK.match(text, answer.end())
            if said:
                place = said.end()
            feedback = html.unescape(said[1]).replace(r"\}", "}").replace(r"\#", "#") if said else ""
            fraction = 100.0 if share[0] == "=" else float(share[1])
            alternatives.append(Alternative(fraction, float(number[1]), float(number[2]), feedback))
            if text[place] == "}":
                break
            assert text[place] == "~"
            place += 1
        found.append(alternatives)
    return found


def questions(exercises: list[Exercise]) -> list[str]:
    """The text of each question, as Moodle gets it."""
    root = ElementTree.fromstring(quiz(exercises))
    return [node.findtext("questiontext/text") or "" for node in root.iter("question") if node.get("type") == "cloze"]


def numbers(exercise: Exercise) -> list[float]:
    """What is asked for, in order."""
    board = exercise.in_decimals()
    names = [name.rpartition("_t")[0] or name for name in exercise.asked]
    steps = [int(name.rpartition("_t")[2]) if exercise.steps > 1 else 1 for name in exercise.asked]
    return [float(value) for name, t in zip(names, steps, strict=True) for value in np.ravel(board.steps[t - 1][name])]


EXERCISES = {
    "plain": draw("2-2-1", seed=3),
    "fractions": draw("2-2-1", "relu", "identity", seed=2, lang="fr"),
    "softmax of a batch": draw("2-2-3", "tanh", "softmax", "cross_entropy", rows=2, seed=1),
    "several steps": draw("2-1", "tanh", steps=2, optimizer="adam", seed=1, lang="fr"),
}


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_a_quiz_follows_the_schema(exercise: Exercise) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(Path(__file__).with_name("moodle.xsd"))
    schema.validate(quiz([exercise]))
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(quiz([exercise]).replace('type="cloze"', 'type="clozed"'))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_there_is_a_field_for_every_number_which_takes_it_to_one_percent(exercise: Exercise) -> None:
    (text,) = questions([exercise])
    found = fields(text)
    assert len(found) == text.count(":NUMERICAL:") == len(numbers(exercise))
    for alternatives, number in zip(found, numbers(exercise), strict=True):
        right, *wrong = alternatives
        assert right.share == 100
        assert right.value == pytest.approx(number, rel=1e-7, abs=1e-12)
        assert right.tolerance <= max(0.01 * abs(number), 1e-6) * 1.001
        assert abs(float(f"{number:.4g}") - right.value) <= right.tolerance  # as the sheet asks for it
        for other in wrong:
            assert other.share == 0
            assert other.feedback.startswith(("Likely mistake: ", "Erreur probable\N{NO-BREAK SPACE}: "))
            assert abs(other.value - right.value) > other.tolerance + right.tolerance


def test_what_a_mistake_leads_to_is_told_as_the_check_tells_it() -> None:
    exercise = draw("2-2-1", seed=3)
    board = exercise.board()
    doubled = 2 * float(board.e[0, 0])
    place = numbers(exercise).index(float(board.e[0, 0]))
    (found,) = [a for a in fields(questions([exercise])[0])[place] if abs(a.value - doubled) <= a.tolerance]
    assert found.feedback == "Likely mistake: the factor ½ of the error was forgotten."
    assert found.feedback in exercise.check({"e": [[doubled]]}).sentences()


def test_each_variant_is_a_question_of_its_own_under_its_name() -> None:
    variants = rs.variants(3, "2-1", seed=1, lang="fr")
    root = ElementTree.fromstring(quiz(variants))
    names = [node.findtext("name/text") for node in root.iter("question")]
    assert names == [None, *(exercise.heading(False) for exercise in variants)]
    assert names[3].endswith("(variante 3)")
    assert len(set(questions(variants))) == 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_asked_for_in_fields(activation: str) -> None:
    exercise = draw("2-2", activation, seed=1)
    assert len(fields(questions([exercise])[0])) == len(numbers(exercise))


def test_the_signs_of_cloze_are_kept_from_it_in_a_feedback() -> None:
    said = 'a } b ~ c # d " e \\ f / g & h = i % j {1:NUMERICAL:=2} √½'
    text = f"before {{1:NUMERICAL:=0.5:0.005~%0%1:0.01#{cloze_escaped(said)}}} after"
    ((_, wrong),) = fields(text)
    assert wrong.feedback == said


def test_hints_are_closed_and_formulas_begin_no_field() -> None:
    (text,) = [
        node.findtext("questiontext/text") or ""
        for node in ElementTree.fromstring(quiz([draw("2-2-1")], hints=True)).iter("question")
        if node.get("type") == "cloze"
    ]
    assert "<details><summary>Hint: the equations to use</summary><p>\\(Z_{1} = X W_{1} + b_{1}\\)</p>" in text
    assert len(fields(text)) == len(numbers(draw("2-2-1")))
