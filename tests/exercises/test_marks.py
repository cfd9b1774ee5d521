"""A class: its variants, and the marks of its files."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

import reseau as rs
from reseau.exercises.answers import text_of
from reseau.exercises.drawing import plan
from reseau.exercises.exercise import Exercise
from reseau.exercises.facts import to_json
from reseau.exercises.mistakes import keys_of
from reseau.exercises.written import exercises_from, plans_from

VARIANTS = plan("2-2-1").variants(12, seed=1)


def filled(exercise: Exercise, student: str = "", change: str = "", factor: float = 1.0, leave: int = 0) -> str:
    """The table of answers with the right numbers, those of one name times a factor, and the last ones left blank."""
    board = exercise.in_decimals()
    values = {
        (name, str(i + 1), str(j + 1)): value * (factor if name == change else 1)
        for name, _, _ in keys_of(exercise.tasks)
        for (i, j), value in np.ndenumerate(np.atleast_2d(board[name]))
    }
    rows = [line.split(",") for line in exercise.template().splitlines()]
    for row in rows[: len(rows) - leave]:
        if tuple(row[:3]) in values:
            row[3] = f"{values[row[0], row[1], row[2]]:.6g}"
        elif row[0] == "student":
            row[3] = student
    return "\n".join(",".join(row) for row in rows)


def written(folder: Path, **texts: str | bytes) -> list[Path]:
    """Files of answers by their names without the ending."""
    paths = []
    for name, text in texts.items():
        paths.append(folder / f"{name.replace('_', '-')}.csv")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def test_variants_differ_and_are_the_same_again_for_a_seed() -> None:
    assert len({exercise.numbers for exercise in VARIANTS}) == 12
    assert [exercise.variant for exercise in VARIANTS] == [f"{n:02}" for n in range(1, 13)]
    assert to_json(plan("2-2-1").variants(12, seed=1)) == to_json(VARIANTS)
    assert plan("2-2-1").variants(12, seed=2)[0].numbers != VARIANTS[0].numbers


def test_variants_come_back_from_their_one_file() -> None:
    text = to_json(VARIANTS)
    assert to_json(exercises_from(text, "exercise.json")) == text


def test_variants_keep_what_is_given_and_are_refused_where_nothing_is_left_to_be_drawn() -> None:
    (planned,) = plans_from('{"layers": "1-1", "W1": [[2]], "b1": [0.5], "targets": 1}', "mine.json")
    found = planned.variants(4, seed=0)
    assert {float(exercise.X[0, 0]) for exercise in found} == {-1.0, 0.5, 1.0, 2.0}
    with pytest.raises(rs.ParameterError, match="count is 5, but only 4 different exercises were found by drawing X;"):
        planned.variants(5, seed=0)
    (given,) = plans_from('{"layers": "1-1", "W1": 2, "b1": 0, "targets": 1, "X": 1}', "a")
    with pytest.raises(rs.ParameterError, match="every number of the exercise is given"):
        given.variants(2, seed=0)


def test_a_class_gets_its_marks(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        ada=filled(VARIANTS[0], "Ada"),
        ben=filled(VARIANTS[1], "Ben", "e", 2.0),
        exercise_03_answers=filled(VARIANTS[2], leave=6),
        damaged=filled(VARIANTS[3], "Dan").replace("Z1,1,1,", "Z1,1,1,x"),
        empty=VARIANTS[4].template(),
    )
    marks = rs.marks(VARIANTS, [*files, tmp_path / "none.csv"])
    ada, ben, third, damaged, empty, none = marks.rows
    assert (ada.student, ada.variant, ada.mark) == ("Ada", "01", 1.0)
    assert (ben.student, ben.mistake("en")) == ("Ben", "the factor ½ of the error was forgotten")
    assert ben.checked is not None
    assert (ben.checked.right, ben.checked.asked) == (45, 46)
    assert third.mark == pytest.approx(40 / 46)
    assert (third.student, third.variant) == ("", "03")
    assert damaged.checked is None
    assert damaged.reason.startswith("Line 4 has 'x")
    assert empty.reason == "No answers yet; fill in values first."
    assert none.reason == "There is no such file."
    assert marks.mistakes == {"the factor ½ of the error was forgotten": 1}
    assert not marks.all_right
    text = str(marks)
    assert "Ben" in text
    assert re.search(r"Ben +02 +45/46 +97% +A +e, number 1", text)
    assert "3 files were read; the mean mark is 94%." in text
    rows = list(csv.reader(io.StringIO(marks.to_csv())))
    assert rows[0][:4] == ["file", "student", "variant", "right"]
    assert rows[2][:7] == ["ben.csv", "Ben", "02", "45", "46", "46", "97.8"]
    assert rows[4][-1] == damaged.reason


def test_a_file_tells_its_variant_by_a_line_or_else_by_its_name(tmp_path: Path) -> None:
    third = filled(VARIANTS[2])
    unsaid = third.replace("variant,,,03,\n", "")
    files = written(
        tmp_path,
        said=third.replace(",03,", ",3,"),  # as a spreadsheet leaves it
        Ada_2026_exercise_03_answers=unsaid,
        exercise_03=unsaid,
        unsaid=unsaid,
        other=third.replace(",03,", ",99,"),
        two_03_04=unsaid,
    )
    by_line, by_name, by_number, neither, other, two = rs.marks(VARIANTS, files).rows
    assert [row.variant for row in (by_line, by_name, by_number)] == ["03"] * 3
    assert [row.mark for row in (by_line, by_name, by_number)] == [1.0] * 3
    assert "Does not say which variant it answers; give it a line such as variant,,,12" in neither.reason
    assert "Has the variant 99, but the exercise has 01–12" in other.reason
    assert "Does not say which variant" in two.reason


def test_the_marks_are_written_in_every_form_and_language(tmp_path: Path) -> None:
    hostile = filled(VARIANTS[1], "=cmd|x", "e", 2.0)
    files = written(tmp_path, ada=filled(VARIANTS[0], "Ada <b>"), ben=hostile)
    for lang, title in (("en", "Marks"), ("fr", "Notes")):
        marks = rs.marks(VARIANTS, files, lang)
        for ending in (".csv", ".html", ".tex", ".md", ".txt"):
            marks.save(tmp_path / f"marks{ending}")
        table = (tmp_path / "marks.csv").read_bytes()
        assert table.startswith(b"\xef\xbb\xbf")
        assert "'=cmd|x" in table.decode("utf-8-sig")
        page = (tmp_path / "marks.html").read_text("utf-8")
        assert f"<title>{title}</title>" in page
        assert "Ada &lt;b&gt;" in page
    with pytest.raises(rs.ParameterError, match=r"its ending must be \.csv, \.html"):
        marks.save(tmp_path / "marks.pdf")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b""), ("cp1252", b"")],
)
def test_answers_are_read_in_the_encodings_of_windows(encoding: str, mark: bytes, tmp_path: Path) -> None:
    text = "name,row,column,value\nstudent,,,Zoé\nZ1,1,1,0.5\n"
    path = tmp_path / "answers.csv"
    path.write_bytes(mark + text.encode(encoding))
    assert text_of(path) == text


@pytest.mark.parametrize("content", [b"PK\x03\x04 a workbook", b"Z1,1,1,\x81", b"\xff\xfe\x00"])
def test_what_is_no_text_is_refused_with_the_way_out(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(rs.DataError, match=r"is no text: .* save it as CSV or JSON in UTF-8"):
        text_of(path)
    with pytest.raises(rs.DataError, match="enregistrez-le en CSV ou JSON"):
        text_of(path, "fr")


def test_what_is_wrong_is_said_to_the_student_in_the_language_asked_for() -> None:
    exercise = VARIANTS[0]
    for text, said in (
        ("nom;ligne;colonne;valeur\nZ1;1;1;0,5\nZ1;1;1;0,7", "les lignes 2 et 3 répondent toutes deux à Z1"),
        ("Z1;1;1;abc", "ligne 1 a 'abc', qui n’est pas un nombre"),
        ("delta3;1;1;0,5", "qui n’est pas demandé. Vouliez-vous dire 'delta"),
        ("", "pas encore de réponses"),
    ):
        with pytest.raises(rs.DataError, match=said):
            exercise.check_text(text, "mine.csv", "fr")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("sep=;\nname;row;column;value\nZ1;1;1;{0}", 1),
        ("Z1,1,1,{0},Z₁", 1),  # a decimal comma between commas
        ("Z1,1,1,{0}0e+00,Z₁", 1),
        ('Z1,1,1,"{0}"', 1),
        ("Z1\t1\t1\t{0}", 1),
    ],
)
def test_tables_as_spreadsheets_write_them_are_read(text: str, right: int) -> None:
    exercise = VARIANTS[0]
    value = f"{float(exercise.in_decimals().Z1[0, 0]):.2f}".replace(".", ",")
    assert exercise.check_text(text.format(value), "answers.csv").right == right


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"Z1": [[1, 2]]}, ("Both numbers are right.", "Les deux nombres sont justes.")),
        ({"Z2": 1}, ("The one number is right.", "Le seul nombre est juste.")),
        ({"Z2": 9}, ("The one number is not right.", "Le seul nombre n’est pas juste.")),
        ({"Z1": [[9, 9]]}, ("None of the 2 numbers is right.", "Aucun des 2 nombres n’est juste.")),
        ({"Z1": [[1, 9]]}, ("1 of 2 numbers is right.", "1 nombre sur 2 est juste.")),
        ({"Z1": [[1, 2]], "A1": [[0, 9]]}, ("2 of 4 numbers are right.", "2 nombres sur 4 sont justes.")),
    ],
)
def test_how_many_are_right_is_said_in_words_that_agree(answers: dict[str, object], sentence: tuple[str, str]) -> None:
    facts = {"layers": "1-2-1", "X": 1, "W1": [[1, 2]], "b1": [0, 0], "W2": [[1], [0]], "b2": [0], "targets": 0}
    exercise = rs.exercise(from_={**facts, "activation": ["tanh", "identity"]})
    if "Z2" in answers and answers["Z2"] == 1:
        answers = {"Z2": float(np.tanh(1.0))}
    for lang, said in zip(("en", "fr"), sentence, strict=True):
        assert exercise.check(answers, lang).sentences()[0] == said
