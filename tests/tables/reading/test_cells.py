"""Cells read as numbers, booleans, dates and labels."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseau.errors import DataError
from reseau.tables.reading import cells
from reseau.tables.reading.table import Column


def column(*values: object, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    text = all(isinstance(value, (str, type(None))) for value in values)
    return pa.chunked_array([pa.array(values, kind or (pa.large_string() if text else None))])


def test_numbers_in_text_are_read_and_others_are_odd() -> None:
    values, odd = cells.numbers(column("1", "-2.5e3", ".5", "+7.", None, "-inf", "1,5", "x", "0x10", "1_0"))
    np.testing.assert_array_equal(values, [1, -2500, 0.5, 7, np.nan, -np.inf, np.nan, np.nan, np.nan, np.nan])
    assert odd.tolist() == [False] * 6 + [True] * 4


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_any_number_written_by_python_is_read_back(numbers: list[float]) -> None:
    values, odd = cells.numbers(column(*map(repr, numbers)))
    assert values.tolist() == numbers
    assert not odd.any()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1.0),
        (2**60, 2.0**60),
        (decimal.Decimal("1.25"), 1.25),
        (datetime.time(1, 2, 3), 3723.0),
        (datetime.timedelta(hours=1), 3600.0),
    ],
)
def test_other_types_are_numbers_too(value: object, number: float) -> None:
    values, odd = cells.numbers(column(value, None))
    np.testing.assert_array_equal(values, [number, np.nan])
    assert not odd.any()


def test_dates_and_lists_are_no_numbers() -> None:
    assert cells.numbers(column(datetime.date(2024, 1, 1), None))[1].tolist() == [True, False]
    assert cells.numbers(column([1], None))[1].tolist() == [True, False]


@pytest.mark.parametrize("words", [("yes", "no"), ("True", "FALSE"), ("oui", "non"), ("1", "0")])
def test_words_for_true_and_false_are_booleans(words: tuple[str, str]) -> None:
    values, odd = cells.booleans(column(*words, None))
    np.testing.assert_array_equal(values, [1, 0, np.nan])
    assert not odd.any()


def test_other_words_and_numbers_are_no_booleans() -> None:
    assert cells.booleans(column("yes", "maybe"))[1].any()
    assert cells.booleans(column(0, 2))[1].tolist() == [False, True]


def test_labels_are_codes_into_levels_over_all_chunks() -> None:
    chunks = pa.chunked_array([["a", None], ["b", "a"]], pa.large_string())
    labels = cells.label_codes(chunks)
    assert [None if code < 0 else labels.levels[code] for code in labels.codes] == ["a", None, "b", "a"]
    assert dict(zip(labels.levels, labels.counts().tolist(), strict=True)) == {"a": 2, "b": 1}


def test_a_time_of_day_in_nanoseconds_is_read_to_the_microsecond() -> None:
    values, _ = cells.numbers(column(3_600_000_001_999, kind=pa.time64("ns")))
    assert values.tolist() == [3600.000001]


def test_the_longest_durations_are_read() -> None:
    values, _ = cells.numbers(column(10**18, kind=pa.duration("us")))
    assert values.tolist() == [1e12]


def test_a_long_cell_is_cut_in_a_message() -> None:
    long = Column("x", column("a" * 10_000), lambda row: f"row {row + 1}")
    with pytest.raises(DataError, match=r"aaa… \(row 1\) is no good") as caught:
        cells.refuse_odd(long, np.array([True]), "is no good")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("mark", "text", "same"),
    [
        ("-9999", "-9999.0", True),
        ("-9999", "-9999.000", True),
        ("9999", "9999,000", True),
        ("999", "999.00", True),
        ("999", "999.000", False),
        ("999", "9990", False),
        ("999", "999.01", False),
        ("0", "0.0", True),
        ("01", "01.0", False),
        ("9.9", "9.90", False),
        ("NA", "NA.0", False),
    ],
)
def test_a_mark_that_is_a_whole_number_is_one_with_zeros_behind_the_decimal_mark_too(
    mark: str, text: str, same: bool
) -> None:
    column = pa.chunked_array([pa.array([text, None, "5", mark], pa.large_string())])
    assert cells.without(column, [mark, "x"]).to_pylist() == [None if same else text, None, "5", None]
