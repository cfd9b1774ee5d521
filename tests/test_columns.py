"""The encoding of columns, as their descriptions say."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import StandardScaler

from reseau.columns import (
    MAX_LEVELS,
    Boolean,
    Category,
    Date,
    Description,
    LeftOut,
    Number,
    encode,
    from_json,
    mean_and_scale,
    read_columns,
    to_json,
)
from reseau.errors import DataError
from reseau.table import Column, Table


def column(values: list[Any], name: str = "x") -> Column:
    text = all(isinstance(value, (str, type(None))) for value in values)
    cells = pa.chunked_array([pa.array(values, pa.large_string() if text else None)])
    return Column(name, cells, lambda row: f"t.csv, line {row + 2}")


def fitted(description: Description, values: list[Any]) -> Description:
    return description.fit(description.read(column(values)), np.arange(len(values)))


def encoded(description: Description, values: list[Any]) -> list[list[float]]:
    X = encode([description], [description.read(column(values))], len(values))
    assert X.dtype == np.float32
    assert X.shape == (len(values), len(description.features))
    return X.tolist()


def test_numbers_are_standardised_as_scikit_learn_does() -> None:
    values = [3.5, -1.0, 10.0, 2.25]
    expected = StandardScaler().fit_transform(np.array(values)[:, None])
    np.testing.assert_allclose(encoded(fitted(Number("x"), values), values), expected, rtol=1e-6)


def test_a_missing_number_is_the_median_and_marked() -> None:
    description = fitted(Number("x"), ["1", "2", "6", None])  # median 2, mean 3
    assert description.features == ["x", "x is missing"]
    X = encoded(description, [None, "3"])
    np.testing.assert_allclose(X, [[-1 / np.std([1, 2, 6]), 1], [0, 0]], rtol=1e-6)


def test_a_number_missing_only_later_is_the_median() -> None:
    description = fitted(Number("x"), ["1", "2", "6"])
    assert encoded(description, [None]) == encoded(description, ["2"])


def test_only_the_training_rows_count() -> None:
    values = Number("x").read(column(["1", "3", "1000", None]))
    description = Number("x").fit(values, np.array([0, 1]))
    assert (description.mean, description.scale, description.fill) == (2.0, 1.0, 2.0)
    assert not description.missing


def test_numbers_far_out_are_kept_within_the_limit() -> None:
    description = fitted(Number("x"), ["-1", "1"])
    assert encoded(description, ["3e38", "-3e38"]) == [[5.0], [-5.0]]


@pytest.mark.parametrize("values", [[0.1] * 7, [1e30] * 5, [0.0], [1e16, 1e16 + 2]])
def test_values_that_do_not_vary_have_scale_one(values: list[float]) -> None:
    assert mean_and_scale(np.array(values))[1] == 1.0


def test_tiny_values_that_vary_are_scaled() -> None:
    assert mean_and_scale(np.array([1e-30, 3e-30]))[1] == pytest.approx(1e-30)


def test_texts_that_counted_as_missing_at_training_do_so_later_and_others_do_not() -> None:
    description = fitted(Number("x", also_missing=("unknown",)), ["1", "3", "unknown"])
    assert encoded(description, ["unknown"]) == encoded(description, [None])
    with pytest.raises(DataError, match=r"column 'x': 'heavy' \(t.csv, line 3\) is not a number"):
        description.read(column(["1", "heavy"]))


def test_booleans_are_zero_and_one_and_the_share_where_missing() -> None:
    description = fitted(Boolean("x"), ["yes", "no", "yes", None, "yes"])
    assert encoded(description, ["yes", "no", None]) == [[1, 0], [0, 0], [0.75, 1]]
    with pytest.raises(DataError, match=r"'maybe' \(t.csv, line 2\)"):
        description.read(column(["maybe"]))


def test_a_category_has_an_input_per_level_and_one_for_missing() -> None:
    description = fitted(Category("x"), ["b", "a", "b", None, "a"])
    assert description.features == ["x=a", "x=b", "x is missing"]
    assert encoded(description, ["b", None, "a"]) == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_an_unseen_level_is_all_zeros_and_said() -> None:
    description = fitted(Category("x"), ["a", "b", "a", "b"])
    assert encoded(description, ["c", None]) == [[0, 0], [0, 0]]
    (remark,) = description.remarks(description.read(column(["a", "c", "c", None])))
    assert "unseen" in remark
    assert "'c'" in remark
    assert "2 rows" in remark


def test_levels_met_once_share_an_input_with_unseen_ones() -> None:
    description = fitted(Category("x"), ["a", "a", "b", "b", "c", "d"])
    assert description.features == ["x=a", "x=b", "x is rare"]
    assert encoded(description, ["c", "d", "e", "a"]) == [[0, 0, 1]] * 3 + [[1, 0, 0]]


def test_of_very_many_levels_the_commonest_are_kept() -> None:
    values = [f"v{i}" for i in range(MAX_LEVELS + 50) for _ in range(2 + (i >= 50))]
    description = fitted(Category("x"), values)
    assert set(description.levels) == {f"v{i}" for i in range(50, MAX_LEVELS + 50)}
    assert description.other


def test_numbers_given_to_a_category_are_its_levels_as_text() -> None:
    description = fitted(Category("x"), ["1", "1", "2", "2"])
    assert encoded(description, [2, 1]) == [[0, 1], [1, 0]]


def test_a_date_gives_days_and_the_cycles_that_vary() -> None:
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(0, 400, 7)]
    description = fitted(Date("x"), [day.isoformat() for day in days])
    assert description.cycles == ("year",)  # always a Monday, at midnight
    assert description.features == ["x: days", "x: sin of time of year", "x: cos of time of year"]
    (first, new_year) = encoded(description, ["2024-01-01", "2025-01-01"])
    assert first[1:] == new_year[1:] == [0.0, 1.0]
    assert first[0] < 0 < new_year[0]


def test_the_week_starts_on_monday_and_the_day_at_midnight() -> None:
    times = ["2024-01-01 00:00", "2024-01-04 12:00", "2024-01-08 06:00"]  # Monday, Thursday, Monday
    description = fitted(Date("x"), times)
    assert description.cycles == ("year", "week", "day")
    X = np.array(encoded(description, times))
    thursday = 2 * np.pi * 3 / 7
    np.testing.assert_allclose(X[:, 3:5], [[0, 1], [np.sin(thursday), np.cos(thursday)], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(X[:, 5:7], [[0, 1], [0, -1], [1, 0]], atol=1e-6)


def test_a_date_of_another_order_is_refused() -> None:
    description = fitted(Date("x", "day-month-year"), ["31/12/2024", "1/1/2025"])
    with pytest.raises(DataError, match=r"'12/31/2024'.*\(day-month-year\)"):
        description.read(column(["12/31/2024"]))


@pytest.mark.parametrize(
    "description",
    [
        fitted(Number("n", also_missing=("?!",)), ["1", "2", None, "?!"]),
        fitted(Boolean("b"), ["yes", "no"]),
        fitted(Category("c"), ["é", "é", "a", "b", None]),
        fitted(Date("d"), ["2024-01-01", "2024-02-02"]),
        LeftOut("o", "identifier", "a different text in every row"),
    ],
    ids=lambda description: description.kind,
)
def test_a_description_survives_json(description: Description) -> None:
    assert from_json(json.loads(json.dumps(to_json(description)))) == description


def test_columns_that_lack_are_named_with_their_nearest() -> None:
    table = Table("t.csv", {"Size": column(["1"], "Size")}, 1)
    with pytest.raises(DataError, match=r"lacks 2 columns.*'size' \(did you mean 'Size'\?\); 'colour'"):
        read_columns([Number("size"), Category("colour"), LeftOut("id")], table)


def test_bytes_of_any_kind_are_no_labels() -> None:
    for kind in (pa.binary(), pa.large_binary(), pa.binary(2)):
        column = Column("c", pa.chunked_array([pa.array([b"\xff\x00"], kind)]), lambda row: f"row {row + 1}")
        with pytest.raises(DataError, match=r"column 'c' .*not text or numbers"):
            Category("c").read(column)
