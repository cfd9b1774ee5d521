"""The encoding of columns, as their descriptions say."""

from __future__ import annotations

import datetime
import json
import math
import sys
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler

from reseau.errors import DataError
from reseau.tables.columns.category import MAX_LEVELS, Category
from reseau.tables.columns.description import Description
from reseau.tables.columns.kinds import (
    Boolean,
    Date,
    LeftOut,
    Number,
    encode,
    from_json,
    read_columns,
    to_json,
)
from reseau.tables.columns.statistics import median_and_spread
from reseau.tables.reading.table import Column, Table, read_table


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


def test_numbers_of_which_one_is_far_out_are_scaled_by_quartiles_as_scikit_learn_does_and_squashed() -> None:
    values = [3.5, -1.0, 10.0, 2.25, 120.0]
    expected = [[math.asinh(z)] for (z,) in RobustScaler().fit_transform(np.array(values)[:, None])]
    np.testing.assert_allclose(encoded(fitted(Number("x"), values), values), expected, rtol=1e-7)


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
    assert (description.centre, description.scale, description.fill) == (2.0, 1.0, 2.0)
    assert not description.missing


@pytest.mark.parametrize("values", [["-1", "1"], ["-1", "0", "1"] * 5 + ["99"]])
def test_numbers_far_out_are_kept_within_the_limit(values: list[str]) -> None:
    description = fitted(Number("x"), values)
    assert encoded(description, ["3e38", "-3e38"]) == [[5.0], [-5.0]]


def test_a_column_without_a_value_at_training_makes_no_input_that_training_never_saw() -> None:
    description = Number("x").fit(np.array([np.nan, 5.0]), np.array([0]))
    X = encoded(description, [3e38, None])
    np.testing.assert_allclose(X, [[0.0, 0.0], [0.0, 1.0]], atol=1e-12)


def test_outliers_leave_the_other_numbers_as_far_apart_as_they_were() -> None:
    ordinary = np.random.default_rng(0).normal(20.0, 3.0, 3000)
    with_absurd = np.concatenate([ordinary, [1e6] * 30, [-9999.0] * 30])  # 2 %
    X = np.ravel(encoded(fitted(Number("x"), list(with_absurd)), list(ordinary)))
    assert 0.5 < X.std() < 1.0
    order = np.argsort(ordinary)
    assert (np.diff(X[order]) >= 0).all()
    assert len(np.unique(X)) > 2900  # in float32


@pytest.mark.parametrize(
    ("values", "median", "spread"),
    [
        ([0.0] * 9 + [5.0], 0.0, 5.0),
        ([0.0] * 60 + [100.0, 300.0, 500.0, 700.0] * 10, 0.0, 400.0),  # the quartiles are 0 and 100
        ([7.0] * 50 + [6.0] * 10 + [10.0] * 30, 7.0, 3.0),
        ([3.0, 3.0, 3.0, -1e38], 3.0, 1e38),
    ],
)
def test_where_most_are_one_value_the_others_say_how_far_they_are_from_it(
    values: list[float], median: float, spread: float
) -> None:
    assert median_and_spread(np.array(values)) == (median, spread)


@pytest.mark.parametrize("values", [[0.1] * 7, [1e30] * 5, [0.0], [1e16, 1e16 + 2], [0.0, 5e-324, 1e-320]])
def test_values_that_do_not_vary_have_scale_one(values: list[float]) -> None:
    assert median_and_spread(np.array(values))[1] == 1.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.1, -3e-5, 1e-30, 1.5, 1000.25, 1e30])
def test_a_number_that_varies_by_rounding_alone_makes_no_input_that_training_never_saw(
    value: float, dtype: Any
) -> None:
    values = np.full(50, value, dtype)
    values[::7] = np.nextafter(values[0], dtype(np.inf))
    learnt = fitted(Number("x"), [*values.astype(float).tolist(), None])
    new = [float(values[0]), float(values[1]), value * 1.001, value + 1, -value, 1e38, -1e38, None]
    X = np.array(encoded(learnt, new))
    assert X.shape == (8, 2)
    assert np.abs(X[:, 0]).max() <= 1e-12
    assert X[:, 1].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "values",
    [
        [1_700_000_000.0, 1_700_000_128.0, 1_700_000_001.0],  # seconds since 1970
        [16_777_216.0, 16_777_218.0],
        [2_460_000.5, 2_460_000.51, 2_460_000.52],  # Julian days
        [0.1, 0.10001],
        [1.0, 1.0 + 1e-9],
    ],
)
def test_a_number_that_varies_little_is_scaled_all_the_same(values: list[float]) -> None:
    X = np.array(encoded(fitted(Number("x"), values * 10), values))
    assert np.ptp(X[:, 0]) > 1


def test_a_cycle_in_which_dates_hardly_differ_is_none_of_theirs() -> None:
    def cycles(times: list[str]) -> tuple[str, ...]:
        description = fitted(Date("x"), [f"2024-01-31 {time}" for time in times])
        assert isinstance(description, Date)
        return description.cycles

    assert cycles([f"12:00:{i:02d}" for i in range(60)]) == ()
    assert cycles([f"12:{i:02d}:00" for i in range(60)]) == ("day",)


@pytest.mark.parametrize("size", [1e-99, 1e-30, 1.0, 1e30, 1e36])
def test_tiny_and_huge_values_that_vary_are_scaled(size: float) -> None:
    values = [size * x for x in (-4.0, -2.0, 0.0, 2.0, 4.0)]
    description = fitted(Number("x"), values)
    np.testing.assert_allclose(encoded(description, values), [[z / 2**0.5] for z in (-2, -1, 0, 1, 2)], atol=1e-6)
    far = fitted(Number("x"), [*values, size * 100.0])
    assert far.squash
    assert np.isfinite(encoded(far, [*values, 3.4e38])).all()


def test_texts_that_counted_as_missing_at_training_do_so_later_and_others_do_not() -> None:
    description = fitted(Number("x", also_missing=("unknown",)), ["1", "3", "unknown"])
    assert encoded(description, ["unknown"]) == encoded(description, [None])
    with pytest.raises(DataError, match=r"column 'x': 'heavy' \(t.csv, line 3\) is not a number"):
        description.read(column(["1", "heavy"]))


@pytest.mark.parametrize(
    ("kind", "cells"),
    [(Boolean, ["yes", "no", "yes"]), (Category, ["a", "b", "a", "b"]), (Date, ["2024-01-01", "2024-02-02"])],
)
def test_columns_of_every_kind_have_texts_that_count_as_missing(kind: Any, cells: list[str]) -> None:
    description = fitted(kind("x", also_missing=("not said", "…")), [*cells, "not said"])
    assert description.missing
    assert description.features[-1] == "x is missing"
    assert encoded(description, ["not said", "…"]) == encoded(description, [None, None])
    assert description == fitted(kind("x", also_missing=("not said", "…")), [*cells, None])


def test_a_text_that_counts_as_missing_is_the_number_that_it_is_with_the_decimal_mark_of_the_column() -> None:
    commas = Number("x", also_missing=("1.5", "-99,5"), decimal=",")
    assert commas.sentinels == (-99.5,)
    assert np.isnan(commas.read(column([1.5, -99.5, 2.0]))).tolist() == [False, True, False]
    assert np.isnan(commas.read(column(["1,5", "1.5", "-99,5"]))).tolist() == [False, True, True]


def test_texts_that_count_as_missing_have_the_place_of_missing_cells() -> None:
    with_missing = Category("x", levels=("a", "NA"), other=True, missing=True, also_missing=("not said",))
    places, other, missing = with_missing.places()
    assert (other, missing) == (2, 3)
    assert {text: places[text] for text in ("a", "NA", "", "not said", "?")} == {
        "a": 0, "NA": 1, "": 3, "not said": 3, "?": 3,
    }  # fmt: skip
    without = Category("x", levels=("a", "b"), other=True, also_missing=("not said",))
    assert without.places()[0]["not said"] == without.places()[2] == 3  # beyond the 3 inputs
    assert encoded(without, ["not said", "c"]) == [[0, 0, 0], [0, 0, 1]]
    verbatim = Category("x", levels=("a", "?"), missing=True, also_missing=("not said",), verbatim=True)
    assert verbatim.places() == ({"a": 0, "?": 1, "": 2, "not said": 2}, 3, 2)


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
    remark, absent = description.remarks(description.read(column(["a", "c", "c", None])))
    assert absent == "x: missing in 1 row, and never at training; taken for no level"
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


def test_the_days_of_a_date_are_scaled_as_numbers_are() -> None:
    days = ["2024-01-01", "2024-01-03", "2024-01-05", "2024-01-07", "2024-01-09"]  # deviation √8
    description = fitted(Date("x"), days)
    X = np.array(encoded(description, [*days, "9999-12-31", None]))[:, 0]
    np.testing.assert_allclose(X, [z / 2**0.5 for z in (-2, -1, 0, 1, 2)] + [5, 0], atol=1e-6)


def test_end_dates_far_away_leave_the_others_apart() -> None:
    days = [f"2024-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
    robust = fitted(Date("x"), [*days, *["9999-12-31"] * (len(days) // 20)])
    X = np.array(encoded(robust, [*days, "9999-12-31"]))[:, 0]
    assert 0.4 < X[:-1].std() < 1.0
    assert (np.diff(X) > 0).all()


def test_a_time_of_day_is_a_part_of_the_day_and_its_place_in_it() -> None:
    description = Date("x", "time of day").fit(np.array([0.25, 0.5, 0.75]), np.arange(3))
    assert description.features == ["x: part of the day", "x: sin of time of day", "x: cos of time of day"]
    assert description.summary == "time of day; used as part of the day, time of day"
    X = encode([description], [np.array([0.75])], 1)
    np.testing.assert_allclose(X, [[1.5**0.5, -1, 0]], atol=1e-6)


def test_summaries_say_what_numbers_are_scaled_by() -> None:
    assert fitted(Number("x"), [1.0, 2.0, 3.0, 4.0, 5.0, 99.0]).summary == "median 3.5, spread 2.5"
    assert fitted(Number("x"), [2.0, 3.0]).summary == "mean 2.5, deviation 0.5"


def test_what_older_releases_wrote_is_encoded_as_they_did() -> None:
    number = {"name": "n", "kind": "number", "fill": 1, "missing": True, "mean": 2, "scale": 4, "limit": 5.0}
    date = {"name": "d", "kind": "date", "order": "year-month-day", "fill": 1.0, "missing": False, "mean": 2.0}
    descriptions = [from_json(number | {"also_missing": ["?!"]}), from_json(date | {"scale": 0.5, "cycles": []})]
    assert descriptions == [
        Number("n", fill=1.0, missing=True, centre=2.0, scale=4.0, limit=5.0, also_missing=("?!",)),
        Date("d", fill=1.0, centre=2.0, scale=0.5, limit=sys.float_info.max),
    ]
    X = encode(descriptions, [np.array([np.nan, 4.0, 1e9]), np.array([1e6, 2.5, np.nan])], 3)
    assert X.tolist() == [[-0.25, 1, 1999996], [0.5, 0, 1], [5, 0, -2]]


def test_a_date_of_another_order_is_refused() -> None:
    description = fitted(Date("x", "day-month-year"), ["31/12/2024", "1/1/2025"])
    with pytest.raises(DataError, match=r"'12/31/2024'.*\(day-month-year\)"):
        description.read(column(["12/31/2024"]))


@pytest.mark.parametrize(
    "description",
    [
        fitted(Number("n", also_missing=("?!",)), ["1", "2", None, "?!"]),
        Number("n", decimal=",", unit="%"),
        fitted(Boolean("b", also_missing=("-",), words="yes/no"), ["yes", "no"]),
        fitted(Category("c", also_missing=("-",), verbatim=True), ["é", "é", "a", "b", None]),
        fitted(Date("d", also_missing=("0000-00-00",)), ["2024-01-01", "2024-02-02"]),
        Date("t", "time of day"),
        LeftOut("o", "identifier", "a different text in every row"),
    ],
    ids=lambda description: f"{description.kind} {description.name}",
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
        with pytest.raises(DataError, match=r"column 'c': .* \(row 1\) is of type .*binary.*, not text or a number"):
            Category("c").read(column)


@pytest.mark.parametrize(
    ("texts", "typed"),
    [
        (["1.0", "2.0", "3."], [1.0, 2.0, 3.0]),
        (["01", "02", "13"], [1, 2, 13]),
        (["0,5", ".25", "1e3"], [0.5, 0.25, 1000.0]),
        (["True", "FALSE"], [True, False]),
        (["+1234567890123456789", "1234567890123456788"], [1234567890123456789, 1234567890123456788]),
    ],
)
def test_typed_cells_are_the_levels_of_text_that_have_their_values(texts: list[str], typed: list[Any]) -> None:
    category = fitted(Category("x"), texts * 2)
    assert category.remarks(category.read(column(typed))) == []
    assert encoded(category, typed) == encoded(category, texts)
    declared = read_table({"x": pd.Categorical(typed)}).columns["x"]
    assert encode([category], [category.read(declared)], len(typed)).tolist() == encoded(category, texts)


def test_typed_cells_of_which_several_levels_have_the_value_are_those_written_alike_or_unseen() -> None:
    category = fitted(Category("x"), ["1", "01", "02", "2.0"] * 2)
    assert encoded(category, [1, 2]) == [[0, 0, 1, 0], [0, 0, 0, 0]]


def test_booleans_taken_for_labels_are_written_as_pandas_writes_them() -> None:
    category = fitted(Category("x"), [True, False, None] * 2)
    assert category.levels == ("False", "True")
    assert encoded(category, ["True", "False", None]) == encoded(category, [True, False, None])


@pytest.mark.parametrize(
    ("levels", "cells", "expected"),
    [
        (("1", "2", "7"), ["1.0", "7.0", None], [0, 2, None]),
        (("1.0", "2.0", "7.0"), ["1", "7", "7.0"], [0, 2, 2]),
        (("1", "1.0", "2"), ["1.0", "1", "2.0"], [1, 0, 2]),
        (("0.5", "1.5"), ["0.50", "1.5"], [None, 1]),
        (("01", "1"), ["01", "001", "1.0"], [0, None, 1]),
        (("-3", "v2"), ["-3.0", "v2.0"], [0, None]),
    ],
)
def test_whole_numbers_among_labels_are_the_same_with_and_without_a_decimal_zero(
    levels: tuple[str, ...], cells: list[str | None], expected: list[int | None]
) -> None:
    def inputs(description: Category) -> list[int | None]:
        table = pa.table({"x": pa.array(cells, pa.large_string())})
        X = np.zeros((len(cells), len(levels)), np.float32)
        description.encode(description.read(read_table(table).columns["x"]), X)
        return [int(row.argmax()) if row.any() else None for row in X]

    assert inputs(Category("x", levels=levels)) == expected
    as_written = [levels.index(cell) if cell in levels else None for cell in cells]
    assert inputs(Category("x", levels=levels, verbatim=True)) == as_written


def test_inputs_have_names_in_french_too_and_their_english_ones_stay():
    date = Date("jour", order="year-month-day", cycles=("week",), missing=True)
    species = Category("espèce", levels=("Adelie",), other=True, missing=True, effects=(0.0,) * 3)
    assert date.features == date.inputs_in("en")
    assert date.inputs_in("en")[1:] == ["jour: sin of time of week", "jour: cos of time of week", "jour is missing"]
    wide = "\N{NO-BREAK SPACE}"
    assert date.inputs_in("fr") == [
        f"jour{wide}: jours",
        f"jour{wide}: sin du moment de la semaine",
        f"jour{wide}: cos du moment de la semaine",
        "jour manque",
    ]
    assert species.inputs_in("fr") == ["espèce=Adelie", "espèce est rare", "espèce manque", f"espèce{wide}: effet"]
    assert species.features == ["espèce=Adelie", "espèce is rare", "espèce is missing", "espèce: effect"]
    number = Number("masse", edges=(0.5, 2.0), ranks=(0.0, 1.0))
    assert number.inputs_in("fr") == ["masse", "masse par rang", "masse de 0,5 à 2"]
