"""What the user says of columns, and the options that say it."""

from __future__ import annotations

import shlex
from typing import Any

import pandas as pd
import pytest

from reseau.errors import DataError, ParameterError
from reseau.tables.columns.asked import Asked, option
from reseau.tables.reading.table import read_table

TABLE = read_table({"born": ["1/2/2020"], "my col": [1], "a=b": ["x"], "zip": ["01"]})


def test_columns_have_the_kind_that_is_asked_and_dates_their_order() -> None:
    asked = Asked.of(TABLE, category="zip", number=["my col"], date=["born=day-month-year", "a=b"], text=())
    assert asked.kinds == {"zip": "category", "my col": "number", "born": "date", "a=b": "date"}
    assert asked.orders == {"born": "day-month-year"}


def test_an_order_of_dates_may_be_repeated_or_left_out_the_second_time() -> None:
    for date in (
        {"born": "month-day-year"},
        ["born=month-day-year"] * 2,
        ["born=month-day-year", "born"],
        ["born", " born =month-day-year"],
    ):
        assert Asked.of(TABLE, date=date).orders == {"born": "month-day-year"}


def test_marks_are_without_white_space_around_as_cells_are() -> None:
    assert Asked.of(TABLE, missing=[" keine Angabe ", -9999]).missing == ("keine Angabe", "-9999")


@pytest.mark.parametrize(
    ("thousands", "decimal", "expected"),
    [
        (",", None, "."),
        (".", None, ","),
        ("comma", None, "."),
        (",", ".", "."),
        (" ", None, None),
        (" ", ",", ","),
        ("\u202f", None, None),
        ("’", ".", "."),
        ("apostrophe", None, None),
        (None, None, None),
    ],
)
def test_what_groups_digits_is_no_decimal_mark(
    thousands: str | None, decimal: str | None, expected: str | None
) -> None:
    assert Asked.of(TABLE, thousands=thousands, decimal=decimal).decimal == expected


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"date": {"born": "nonsense"}}, "the order of dates is 'nonsense'"),
        ({"category": "zip", "text": "zip"}, "'zip' is asked to be category and text; choose one"),
        ({"category": "zip", "ignore": "zip"}, "'zip' is asked to be left out and category; choose one"),
        ({"date": ["born=day-month-year", "born=month-day-year"]}, "to be day-month-year and month-day-year; choose"),
        ({"date": "born=nonsense"}, "the order of dates is 'nonsense'"),
        ({"decimal": ";"}, "decimal is ';', but must be '.' or ','"),
        ({"decimal": ""}, "decimal is '', but must be '.' or ','"),
        ({"thousands": ";"}, "thousands is ';', but must be what groups digits: ',', '.', ' '"),
        ({"thousands": 5}, "thousands is 5, but must be what groups digits"),
        ({"thousands": ",", "decimal": ","}, "decimal and thousands are both ','"),
        ({"thousands": "point", "decimal": "."}, "decimal and thousands are both '.'"),
        ({"decimal": pd.DataFrame()}, "but must be '.' or ','"),
        ({"number": "zi"}, "no column 'zi'.*did you mean 'zip'"),
        ({"date": "bron=day-month-year"}, "no column 'bron'.*did you mean 'born'"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises((DataError, ParameterError), match=words):
        Asked.of(TABLE, **parameters)


@pytest.mark.parametrize(
    "value",
    ["zip", "my col", "it's", 'b"q', "--odd", "-9999", "$HOME", "it's $5", "a\\b", "it's!", "=x", "né", "", "~"],
)
def test_an_option_is_typed_as_a_shell_reads_it(value: str) -> None:
    assert shlex.split(option("number", value)) == ["--number", value]


def test_an_option_is_quoted_only_where_it_has_to_be() -> None:
    assert option("date", "born=day-month-year") == "--date born=day-month-year"
    assert option("number", "my col") == "--number 'my col'"
    assert option("missing", "x" * 200_000) == "--missing"  # what nobody would type
    assert option("number", "it's") == '--number "it\'s"'
