"""What is predicted: the choice of the task, and classes back as they came."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reseau.errors import DataError, ParameterError
from reseau.tables.columns.asked import Asked
from reseau.tables.reading.table import Column
from reseau.tables.targets.classes import Classes
from reseau.tables.targets.quantity import Quantity
from reseau.tables.targets.table import from_json, recognise_target


def recognised(*arguments: Any) -> Classes | Quantity:
    return recognise_target(*arguments)[0]


def column(values: list[Any]) -> Column:
    text = all(isinstance(value, (str, type(None))) for value in values)
    cells = pa.chunked_array([pa.array(values, pa.large_string() if text else None)])
    return Column("y", cells, lambda row: f"t.csv, line {row + 2}")


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["b", "a", None] * 5, "text", ("a", "b")),
        (["yes", "no"] * 5, "text", ("no", "yes")),
        (["1", "0", "2"] * 10, "integer", (0, 1, 2)),
        ([2.0, 1.0, None] * 10, "integer", (1, 2)),
        ([0.5, 1.5], "number", (0.5, 1.5)),
        ([True, False, None, True], "boolean", (False, True)),
    ],
)
def test_classes_are_found_and_come_back_as_they_were(values: list[Any], kind: str, classes: tuple[Any, ...]) -> None:
    target = recognised(column(values))
    assert target == Classes("y", kind, classes)
    codes = target.encode(column(values))
    kept = [value for value in values if value is not None]
    back = target.decode(codes[codes >= 0]).to_pylist()
    assert back == [int(v) if kind == "integer" else v for v in kept]
    assert {type(value) for value in back} == {type(value) for value in classes}
    assert (codes == -1).sum() == len(values) - len(kept)


def test_a_class_unknown_to_the_model_is_told_from_a_missing_one() -> None:
    assert Classes("y", "text", ("a", "b")).encode(column(["c", None, "b"])).tolist() == [-2, -1, 1]
    integers = Classes("y", "integer", (1, 5))
    assert integers.encode(column(["5", "3", None, "x", "9"])).tolist() == [1, -2, -1, -2, -2]


@pytest.mark.parametrize(
    "values",
    [
        [str(i / 7) for i in range(50)],
        [str(i % 21) for i in range(500)],  # too many different ones
        [str(i % 5) for i in range(49)],  # each met less than ten times
        [0.5, 1.5, 2.5] * 20,
    ],
)
def test_other_numbers_are_a_quantity(values: list[Any]) -> None:
    assert isinstance(recognised(column(values)), Quantity)


def test_the_task_can_be_chosen() -> None:
    assert isinstance(recognised(column(["1", "0"] * 10), "regression"), Quantity)
    few = recognised(column(["0.5", "1.5", "2.5"] * 3), "classification")
    assert few == Classes("y", "number", (0.5, 1.5, 2.5))
    with pytest.raises(ParameterError, match="classification, regression"):
        recognised(column(["1", "0"]), "guess")


@pytest.mark.parametrize(
    ("values", "task", "says"),
    [
        ([None, None], None, "missing in every row"),
        ([float("nan")] * 2, None, "missing in every row"),
        (["a"] * 5, None, "single class, 'a'"),
        (["3"] * 5, None, "3 in every row"),
        ([True] * 5, None, "single class, True"),
        (["1", "2", "three", "4"], None, r"'three' \(t.csv, line 4\) is text where 3 cells are numbers"),
        (["a", "b", "3", "c"], None, r"'3' \(t.csv, line 4\) is a number where 3 cells are text"),
        ([f"k{i}" for i in range(20)], None, "20 classes in 20 rows"),
        ([str(i / 7) for i in range(20)], "classification", "20 classes in 20 rows"),
        (["1.5", "inf", "2", "3"], None, r"'inf' \(t.csv, line 3\) is infinite"),
        (["1.5", "1e39", "2", "3"], None, r"'1e39' \(t.csv, line 3\) is too large"),
        (["a", "b"], "regression", r"'a' \(t.csv, line 2\) is not a number"),
        ([datetime.date(2024, 1, 1)] * 2, None, "dates"),
        ([[1], [2]], None, "type list"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(values: list[Any], task: str | None, says: str) -> None:
    with pytest.raises(DataError, match=says):
        recognised(column(values), task)


def test_a_quantity_is_scaled_by_the_training_rows() -> None:
    assert Quantity("y", 0.0, 1.0).fitted(np.array([1.0, 3.0])) == Quantity("y", 2.0, 1.0, least=1.0)
    assert Quantity("y", 0.0, 1.0).fitted(np.array([-1.0, 3.0])) == Quantity("y", 1.0, 2.0)


@pytest.mark.parametrize(
    "target",
    [Classes("y", "integer", (1, 2)), Quantity("y", 2.5, 0.5), Quantity("y", 0.0, 2.0).learned_by("poisson")],
)
def test_a_target_survives_json_beside_the_loss_of_the_network(target: Classes | Quantity) -> None:
    assert from_json(json.loads(json.dumps(target.to_json())), target.loss) == target


def test_labels_of_numbers_are_short() -> None:
    assert Classes("y", "number", (0.1, 2.0)).labels == ["0.1", "2"]


def test_labels_of_numbers_are_all_different() -> None:
    assert Classes("y", "number", (0.3, 0.1 + 0.2)).labels == ["0.3", "0.30000000000000004"]


def test_numbers_that_begin_like_a_code_are_classes_as_they_are_written() -> None:
    codes = column(["01", "02", "10"] * 20)
    assert recognised(codes) == Classes("y", "text", ("01", "02", "10"))
    assert isinstance(recognised(codes, "regression"), Quantity)


@pytest.mark.parametrize("values", [[1e-200, 2e-200], [1e9, 1e9 + 1e-5], [5.0, 5.0]])
def test_a_quantity_that_does_not_vary_beyond_rounding_is_refused(values: list[float]) -> None:
    with pytest.raises(DataError, match="varies too little"):
        Quantity("y", 0.0, 1.0).fitted(np.array(values))


def test_a_target_that_is_asked_to_be_a_date_is_refused_whatever_its_cells() -> None:
    with pytest.raises(ParameterError, match="'y' is asked to be a date, which cannot be predicted"):
        recognise_target(column(["a", "b"] * 20), asked=Asked({"y": "date"}))


@pytest.mark.parametrize("kind", ["category", "text"])
def test_labels_that_are_asked_for_are_no_quantity(kind: str) -> None:
    asked = Asked({"y": kind})
    with pytest.raises(ParameterError, match=f"'y' is asked to be {kind}.*give the task classification"):
        recognise_target(column([1, 2] * 20), "regression", asked=asked)
    assert recognise_target(column([1, 2] * 20), asked=asked)[0].task == "classification"


@pytest.mark.parametrize("task", ["regression", None])
def test_texts_among_the_numbers_of_a_target_are_left_out_by_the_option_that_the_error_names(task: str | None) -> None:
    with pytest.raises(DataError, match="--missing 'not met'"):
        recognise_target(column([*map(str, range(30)), "not met"]), task)


def test_dates_in_text_are_no_target() -> None:
    with pytest.raises(DataError, match="'y' holds dates"):
        recognised(column([f"2024-01-{day:02}" for day in range(1, 32)]))


@pytest.mark.parametrize(
    ("mark", "typed"),
    [*((mark, mark) for mark in ["None", "NA", "null", "-", "NaN"]), ("?", "'?'"), ("#N/A", "'#N/A'")],
)
def test_a_class_that_is_a_mark_of_missing_values_elsewhere_is_kept_and_said(mark: str, typed: str) -> None:
    target, (note,) = recognise_target(column([mark, "mild", "severe"] * 10))
    assert target == Classes("y", "text", tuple(sorted([mark, "mild", "severe"])))
    assert f"{mark!r} in 10 rows of 'y' is a class like the others; --missing {typed} leaves them out" in note
    assert target.encode(column([mark, "mild", None, ""])).tolist()[:3] == [
        target.classes.index(mark),
        target.classes.index("mild"),
        -1,
    ]


def test_a_mark_that_the_user_names_is_missing_in_a_target_of_text_and_said() -> None:
    target, (note,) = recognise_target(column(["NA", "mild", "severe"] * 10), None, Asked(missing=("NA",)))
    assert target == Classes("y", "text", ("mild", "severe"), ("NA",))
    assert note == "'NA' in 'y' is read as missing"
    assert target.encode(column(["NA", "mild"])).tolist() == [-1, 0]


def test_marks_among_numbers_are_missing_and_said() -> None:
    target, (note,) = recognise_target(column([*(f"{i / 7:.3f}" for i in range(50)), "NA", "?"]))
    assert isinstance(target, Quantity)
    assert note == "'?', 'NA' in 'y' are read as missing"
    assert np.isnan(target.encode(column(["NA", "."]))).all()


@pytest.mark.parametrize(
    "labels",
    [
        ("01", "2A", "75"),
        ("1", "2", "3", "4+"),
        ("250", "V58", "401"),
        ("1", "2", "three or more"),
        ("0.5", "1", "some"),
    ],
)
@pytest.mark.parametrize("task", [None, "classification", "Classification "])
def test_numbers_and_texts_of_one_set_are_labels(labels: tuple[str, ...], task: str | None) -> None:
    assert recognised(column([*labels] * 20), task) == Classes("y", "text", tuple(sorted(labels)))


def test_whole_numbers_beyond_what_float64_tells_apart_are_told_apart() -> None:
    ids = [2**53, 2**53 + 1, 2**53 + 2]
    typed, written = (recognised(column(values * 20)) for values in (ids, [str(i) for i in ids]))
    assert typed == Classes("y", "integer", tuple(ids))
    assert written == Classes("y", "text", tuple(str(i) for i in ids))
    for target in (typed, written):
        assert target.encode(column(ids)).tolist() == [0, 1, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "value"),
    [("12.5 %", 12.5), ("$1,234.50", 1234.5), ("1 234,56", 1234.56), ("\u22125.25", -5.25), ("(5.25)", -5.25)],
)
def test_a_quantity_may_be_written_in_any_way(written: str, value: float) -> None:
    others = [written.replace("5", str(i % 9 + 1)) for i in range(40)]
    target = recognised(column([*others, written]))
    assert isinstance(target, Quantity)
    assert target.encode(column([written])).tolist() == [value]


def test_percents_of_which_there_are_few_are_classes_as_they_are_written() -> None:
    assert recognised(column(["5.5 %", "20 %"] * 20)) == Classes("y", "text", ("20 %", "5.5 %"))


@pytest.mark.parametrize(
    ("texts", "separator", "asked", "expected"),
    [
        (("1.184", "950", "2.300"), ";", Asked(decimal=","), ("text", ("1.184", "2.300", "950"))),
        (("3,000", "4,000"), ";", Asked(), ("text", ("3,000", "4,000"))),
        (("3,0", "4,0"), ";", Asked(), ("text", ("3,0", "4,0"))),
        (("1,184", "12345"), "\t", Asked(decimal="."), ("integer", (1184, 12345))),
        (("1,184", "950"), "\t", Asked(), ("integer", (950, 1184))),
    ],
)
def test_classes_of_numbers_are_what_the_decimal_mark_makes_of_them(
    texts: tuple[str, ...], separator: str, asked: Asked, expected: tuple[str, tuple[object, ...]]
) -> None:
    cells = replace(column(list(texts) * 20), separator=separator)
    target, _ = recognise_target(cells, "classification", asked)
    assert target == Classes("y", *expected)
    one = replace(column([texts[0]]), separator=separator)  # whatever stands beside
    codes = target.encode(one)
    assert codes.tolist() == target.encode(cells)[:1].tolist()
    assert target.decode(codes).to_pylist() == [expected[1][codes[0]]]


def test_a_quantity_without_any_number_is_refused_without_bad_advice() -> None:
    with pytest.raises(DataError, match=r"'5 kg' .* is not a number, nor is any other cell of the column"):
        recognised(column(["5 kg", "7 kg"] * 5), "regression")


def test_a_task_is_taken_in_any_case() -> None:
    assert isinstance(recognised(column(["1", "0"] * 10), "Regression"), Quantity)


@pytest.mark.parametrize(("kind", "expected"), [("category", Classes), ("text", Classes), ("number", Quantity)])
def test_what_the_user_says_of_the_target_decides_on_the_task(kind: str, expected: type) -> None:
    values = column(["1", "2", "3"] * 20 if kind == "number" else [str(i % 25) for i in range(100)])
    assert isinstance(recognised(values, None, Asked({"y": kind})), expected)


def test_a_declared_category_is_a_target_of_classes() -> None:
    values = replace(column([str(i % 25) for i in range(100)]), declared="category")
    assert recognised(values) == Classes("y", "integer", tuple(range(25)))


@pytest.mark.parametrize(("texts", "typed"), [(["True", "False"], [True, False]), (["01", "2A", "10"], [1, None, 10])])
def test_classes_of_text_are_known_again_in_typed_cells(texts: list[str], typed: list[Any]) -> None:
    target, _ = recognise_target(column(texts * 10), "classification")
    expected = [
        -1 if cell is None else target.encode(column([text]))[0] for text, cell in zip(texts, typed, strict=True)
    ]
    assert target.encode(column(typed)).tolist() == expected


def test_a_value_that_stands_apart_from_the_others_of_a_quantity_is_said() -> None:
    values = [0.5 * i for i in range(100)]
    for cells in ([*values, -9999.0, -9999.0], [*map(str, values), "-9999", "-9999"]):
        notes = recognise_target(column(cells), "regression")[1]
        assert [note for note in notes if "--missing -9999" in note and "the target 'y': -9999 in 2 rows" in note]
        asked = Asked(missing=("-9999",))
        assert not any("stands apart" in note for note in recognise_target(column(cells), "regression", asked=asked)[1])
