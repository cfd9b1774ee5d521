"""What is predicted: the choice of the task, and classes back as they came."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reseau.errors import DataError, ParameterError
from reseau.table import Column
from reseau.target import Classes, Quantity, from_json, recognise_target, scaled, to_json


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
    assert scaled(Quantity("y", 0.0, 1.0), np.array([1.0, 3.0])) == Quantity("y", 2.0, 1.0)


@pytest.mark.parametrize("target", [Classes("y", "integer", (1, 2)), Quantity("y", 2.5, 0.5)])
def test_a_target_survives_json(target: Classes | Quantity) -> None:
    assert from_json(json.loads(json.dumps(to_json(target)))) == target


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
        scaled(Quantity("y", 0.0, 1.0), np.array(values))


def test_dates_in_text_are_no_target() -> None:
    with pytest.raises(DataError, match="'y' holds dates"):
        recognised(column([f"2024-01-{day:02}" for day in range(1, 32)]))
