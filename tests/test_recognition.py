"""What a column is taken for."""

from __future__ import annotations

import datetime
from typing import Any

import pyarrow as pa
import pytest

from reseau.columns import Boolean, Category, Date, LeftOut, Number
from reseau.errors import DataError
from reseau.recognition import recognise
from reseau.table import Column


def column(values: list[Any], name: str = "x") -> Column:
    text = all(isinstance(value, (str, type(None))) for value in values)
    cells = pa.chunked_array([pa.array(values, pa.large_string() if text else None)])
    return Column(name, cells, lambda row: f"t.csv, line {row + 2}")


def taken_for(values: list[Any], name: str = "x") -> str:
    description, _ = recognise(column(values, name))
    return description.taken_for if isinstance(description, LeftOut) else description.kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", None], Number),
        ([3, 1, 3], Number),
        ([1, 2, 2, 1], Number),
        ([1.5, None], Number),
        (["0", "1", "1"], Number),
        (["yes", "no", None, "no"], Boolean),
        ([True, False], Boolean),
        (["2024-01-01", "2024-01-02"], Date),
        ([datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)], Date),
        (["a", "b", "a", "b", None], Category),
        (["01000", "75001", "01000", "75001"], Category),
        (["1,234", "5,678"] * 3, Number),
    ],
)
def test_a_column_is_recognised_by_its_cells(values: list[Any], kind: type) -> None:
    assert type(recognise(column(values))[0]) is kind


@pytest.mark.parametrize("values", [["a"] * 3, ["7"] * 3, [1.5] * 3, [True] * 3, ["2024-01-01"] * 3])
def test_a_constant_column_is_left_out_and_said(values: list[Any]) -> None:
    description, _ = recognise(column(values))
    assert isinstance(description, LeftOut)
    assert description.taken_for == "constant"
    assert repr(values[0]) in description.reason


def test_a_column_that_is_constant_or_missing_is_kept() -> None:
    assert taken_for(["a", None, "a", "a"]) == "category"
    assert taken_for([1.0, None, 1.0]) == "number"


@pytest.mark.parametrize("values", [[None, None], [float("nan")] * 2])
def test_a_column_without_values_is_left_out_as_empty(values: list[Any]) -> None:
    assert taken_for(values) == "empty"


def test_texts_that_differ_in_every_row_are_an_identifier_or_free_text() -> None:
    assert taken_for([f"k{i}" for i in range(10)]) == "identifier"
    assert taken_for([f"a long remark about the thing number {i}, and more" for i in range(10)]) == "free text"
    assert taken_for([f"name {i // 1.5}" for i in range(30)]) == "free text"


def test_a_count_of_the_rows_is_an_identifier_unless_it_is_all_there_is() -> None:
    values = [str(i) for i in range(1, 21)]
    assert taken_for(values) == "identifier"
    assert recognise(column(values), alone=True)[0] == Number("x")


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId", "rownames", "column 1", "UUID"])
def test_different_whole_numbers_named_like_a_key_are_an_identifier(name: str) -> None:
    assert taken_for([431, 17, 995, 2], name) == "identifier"


@pytest.mark.parametrize("name", ["population", "paid", "year", "humid", "number"])
def test_different_whole_numbers_named_otherwise_stay_numbers(name: str) -> None:
    assert taken_for([431, 17, 995, 2], name) == "number"


def test_repeated_numbers_named_like_a_key_stay_numbers() -> None:
    assert taken_for([4, 4, 7, 7], "id") == "number"


def test_a_few_odd_texts_among_numbers_count_as_missing_and_are_said() -> None:
    description, notes = recognise(column([*map(str, range(5, 40)), "unknown", "9", "unknown"]))
    assert description == Number("x", also_missing=("unknown",))
    (note,) = notes
    assert "2 cells" in note
    assert "'unknown'" in note
    assert "line 37" in note


def test_many_odd_texts_among_numbers_make_a_category_and_are_said() -> None:
    description, (note,) = recognise(column(["1", "2", "3"] * 5 + ["5+", "7+"] * 2))
    assert description == Category("x")
    assert "'5+' (t.csv, line 17)" in note


def test_dates_of_undecidable_order_are_said() -> None:
    _, (note,) = recognise(column(["1/2/2024", "3/4/2024", "3/4/2024", "1/2/2024"]))
    assert "--date x=day-month-year or =month-day-year" in note


def test_nested_cells_are_left_out() -> None:
    assert taken_for([[1], [2, 3]]) == "unsupported"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["1", "2", "inf"], "'inf' .*line 4.* infinite"),
        ([1.0, float("-inf")], "-inf .*line 3.* infinite"),
        (["1", "1e39"], "'1e39' .*line 3.* too large"),
        (["1", "-1e400"], "'-1e400' .*line 3.* too large"),
    ],
)
def test_numbers_that_float32_cannot_hold_are_refused(values: list[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        recognise(column(values))
