"""What a column is taken for."""

from __future__ import annotations

import datetime
import shlex
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from reseau.errors import DataError
from reseau.tables.columns.asked import Asked
from reseau.tables.columns.category import Category
from reseau.tables.columns.description import Description
from reseau.tables.columns.kinds import Boolean, Date, LeftOut, Number
from reseau.tables.columns.recognition import decimal_mark, recognise, recognise_all
from reseau.tables.columns.text import Text
from reseau.tables.reading.table import Column, Table


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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("k{}", "identifier"),
        ("AB-{} 7", "identifier"),
        ("Patient {}", "identifier"),
        ("3fa8-{}-beef", "identifier"),
        ("person{}@post.example", "identifier"),
        ("a long remark about the thing number {}, and more", "text"),
        ("Braund, Mr. Owen the {}", "text"),
        ("{} rue de l'Église", "text"),
        ("red mug {}", "text"),
        ("これは良い商品{}", "text"),
        ("https://shop.example/a/very/long/address/of/thing/{}", "text"),
    ],
)
def test_texts_that_differ_in_every_row_are_an_identifier_or_free_text(text: str, kind: str) -> None:
    assert taken_for([text.format(i) for i in range(10)]) == kind


def test_nearly_as_many_texts_as_rows_are_free_text() -> None:
    cells = [f"name{i // 1.5}" for i in range(30)]
    assert recognise(column(cells))[0] == Text("x")
    assert taken_for(cells[:15] * 2 + cells[:3]) == "category"


def test_free_text_may_be_asked_for() -> None:
    cells = [*(f"k{i}" for i in range(9)), "NA"]
    description, _ = recognise(column(cells), Asked({"x": "text"}))
    assert description == Text("x", verbatim=True, kept=True)
    assert isinstance(description, Text)
    assert description.read(column(cells)).codes.min() == 0
    assert recognise(column(cells), Asked({"x": "category"}))[0].taken_for == "identifier"


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


@pytest.mark.parametrize("share", [0.2, 0.45])
def test_many_different_numbers_or_dates_are_no_labels_beside_a_word_that_is_often_met(share: float) -> None:
    n = 200
    words = ["unknown"] * int(share / (1 - share) * n)
    description, (note,) = recognise(column([*(f"{i}.25" for i in range(n)), *words]))
    assert description == Number("x", also_missing=("unknown",), decimal=".")
    assert f"{len(words)} cells are not numbers and count as missing: 'unknown', first at t.csv, line 202" in note
    description, (note,) = recognise(column([*(f"2024-01-{1 + i % 31:02}" for i in range(n)), *words]))
    assert description == Date("x", also_missing=("unknown",))
    assert f"{len(words)} cells are not dates and count as missing: 'unknown', first at t.csv, line 202" in note


def test_dashes_are_labels_beside_pluses() -> None:
    description, notes = recognise(column(["+", "++", "-", "--", "NA", None] * 9))
    assert notes == []
    assert isinstance(description, Category)
    cells = column(["+", "++", "-", "--", "NA", None, "?"])
    fitted = description.fit(description.read(cells), np.arange(4).repeat(2))
    assert fitted.levels == ("+", "++", "-", "--")
    assert fitted.read(cells).codes.tolist() == [0, 1, 2, 3, -1, -1, -1]


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


# --- booleans, codes, labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pair"),
    [
        (("Y", "N"), "yes/no"),
        (("TRUE", "False"), "true/false"),
        (("t", "F"), "true/false"),
        (("vrai", "faux"), "vrai/faux"),
        (("Oui", "N"), "oui/non"),
        (("yes", "y", "no"), "yes/no"),
    ],
)
def test_words_for_both_sides_of_one_pair_are_booleans(words: tuple[str, ...], pair: str) -> None:
    assert recognise(column([*words] * 10)) == (Boolean("x", words=pair), [])


@pytest.mark.parametrize(
    "letters",
    [("N", "F"), ("T", "Y"), ("yes", "true"), ("N", "n"), ("F", "n"), ("T", "F", "N", "Y"), ("Y", "F"), ("yes",)],
)
def test_letters_and_words_that_are_not_both_sides_of_one_pair_are_labels(letters: tuple[str, ...]) -> None:
    description, notes = recognise(column([*letters, None] * 10))
    assert description == Category("x")
    assert notes == []


@pytest.mark.parametrize("odd", ["unknown", "2A004", "n/a?"])
def test_a_leading_zero_decides_whatever_else_is_odd(odd: str) -> None:
    description, (note,) = recognise(column(["01000", "75001", "69002"] * 10 + [odd] * 2))
    assert description == Category("x")
    assert note == "'01000' and others are taken for codes, not numbers; --number x reads numbers"


def test_a_code_has_no_decimal_point() -> None:
    assert recognise(column(["0123.45", "12.5", "7"] * 5))[0] == Number("x", decimal=".")


@pytest.mark.parametrize("texts", [True, False])
def test_long_whole_numbers_are_told_apart_exactly(texts: bool) -> None:
    serials = [3130000000000000123 + i for i in range(20)]
    values: list[Any] = [str(serial) for serial in serials] if texts else serials
    assert taken_for(values) == "identifier"
    assert taken_for(values[:2] * 10) == "category"


@pytest.mark.parametrize(
    ("labels", "numbers"),
    [(["4+"], "123"), (["2A", "2B"], ["75", "13", "69"]), (["V58"], ["250", "401"]), ([">5"], "12345")],
)
def test_texts_with_digits_met_again_among_few_whole_numbers_are_labels(labels: list[str], numbers: list[str]) -> None:
    description, (note,) = recognise(column([*numbers] * 30 + labels * 2))
    assert description == Category("x")
    assert "--number x counts them as missing" in note


@pytest.mark.parametrize("slip", ["3O", "12 kg", "n=4"])
def test_a_slip_of_the_pen_among_numbers_counts_as_missing(slip: str) -> None:
    description, (note,) = recognise(column([*"123"] * 30 + [slip]))
    assert description == Number("x", also_missing=(slip,))
    assert f"{slip!r}, first at t.csv, line 92" in note
    assert "--category x keeps all as labels" in note


# --- missing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["NA", ".", "-", "\\N", "#N/A", "n.d.", "null", "?", "#DIV/0!", "NaT", "None"])
def test_usual_marks_are_missing_at_any_share(mark: str) -> None:
    assert recognise(column(["1.5", "2"] + [mark] * 98)) == (Number("x", decimal="."), [])
    assert recognise(column(["2024-01-31", "2024-02-01"] + [mark] * 98)) == (Date("x"), [])
    assert recognise(column(["yes", "no"] + [mark] * 98)) == (Boolean("x", words="yes/no"), [])
    assert recognise(column(["a", "b"] * 3 + [mark] * 98))[0] == Category("x", also_missing=(mark,))


def test_a_word_that_is_read_as_missing_among_labels_is_said() -> None:
    _, (note,) = recognise(column(["None", "mild", "severe"] * 10))
    assert note == "'None' is read as missing; --text x keeps labels as written"


@pytest.mark.parametrize("sentinel", [-9999, 999, -99, 999.9])
def test_a_sentinel_that_stands_apart_is_said(sentinel: float) -> None:
    _, (note,) = recognise(column([0.5, 1.5, 2.5] * 10 + [sentinel] * 2))
    assert note.startswith(f"{sentinel:g} in 2 rows stands apart from the others (0.5 to 2.5)")
    assert f"--missing {sentinel:g} reads it so" in note


def test_sentinels_that_follow_one_another_are_said_together() -> None:
    _, (note,) = recognise(column([1, 2, 3, 4, 5] * 9 + [97, 98, 99] * 2))
    assert note.startswith("97, 98, 99 in 6 rows stand apart from the others (1 to 5)")
    assert "--missing 97 --missing 98 --missing 99 read them so" in note


@pytest.mark.parametrize("written", ["-9999", "-9999.0", "-9999.00", "-9999,0", "-9999.9", "-9999,90"])
def test_a_sentinel_is_named_as_it_is_written_and_then_read_as_missing(written: str) -> None:
    mark = "," if "," in written else "."
    cells = column([text.replace(".", mark) for text in ["0.5", "1.5", "2.5"] * 10] + [written] * 2)
    _, (*_, note) = recognise(cells)
    assert f"--missing {shlex.quote(written)} reads it so" in note
    for said in {written, "-9999"} if written.rstrip("0") in ("-9999", "-9999.", "-9999,") else {written}:
        description, notes = recognise(cells, Asked(missing=(said,)))
        assert notes == []
        assert isinstance(description, Number)
        assert np.isnan(description.read(cells)).sum() == 2


@pytest.mark.parametrize(
    "values",
    [
        [90, 95, 99, 99],
        [-99, -50, 0, 99],
        [92, 93, 95, 99],
        [98, 99],
        [-98, -99],
        [9999, 1, 9000, 9999],
        [1e6, 1e6, 3, 4],
    ],
)
def test_numbers_that_are_no_sentinels_are_not_said(values: list[float]) -> None:
    assert recognise(column(values * 5))[1] == []


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["unknown", "0000-00-00", "2024-02-30"])
def test_a_cell_that_is_no_date_counts_as_missing_and_is_said(odd: str) -> None:
    days = [f"2024-01-{day:02}" for day in range(1, 32)]
    description, (note,) = recognise(column([*days, odd]))
    assert description == Date("x", also_missing=(odd,))
    assert f"1 cell is not a date and counts as missing: {odd!r}, first at t.csv, line 33" in note


def test_dates_beside_many_other_texts_are_not_dropped_without_a_word() -> None:
    days = [f"{day}/{month}/1948" for day in range(1, 29) for month in range(1, 13)]
    unknown = [f"-9/{month}/1948" for month in range(1, 13)]
    description, (note,) = recognise(column(days + unknown, "ends"))
    assert isinstance(description, LeftOut)
    assert note == (
        "mostly dates, but '-9/1/1948' (t.csv, line 338) and others are not; --date ends counts them as missing"
    )
    assert isinstance(recognise(column(days + unknown, "ends"), Asked({"ends": "date"}))[0], Date)


def test_mostly_dates_are_said_where_the_others_are_too_many_to_be_missing() -> None:
    days = [f"{day}/{month}/2009" for day in range(1, 29) for month in range(1, 13)]
    _, (note,) = recognise(column([*days, *[f"{day} - {day}" for day in days[:100]]]))
    assert note.startswith("mostly dates, but '1/1/2009 - 1/1/2009' (t.csv, line 338) and others are not; --date x")
    assert recognise(column([*days, *[f"{day} - {day}" for day in days], "1/1/2009 - 1/2/2009"]))[1] == []


def test_times_of_day_are_dates_of_their_own_order_in_text_and_by_their_type() -> None:
    times = [datetime.time(hour, 30) for hour in range(24)]
    for values in ([time.isoformat("minutes") for time in times], times):
        assert recognise(column(values))[0] == Date("x", order="time of day")


# --- what the user and types say --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [["1", "2", "3"] * 5, ["75.5", "76", "77"] * 5])
def test_a_declared_category_is_one_whatever_its_cells_are(cells: list[str]) -> None:
    declared = replace(column(cells), declared="category")
    assert recognise(declared)[0] == Category("x")


def test_marks_are_missing_in_a_declared_category_unless_they_are_its_labels() -> None:
    declared = replace(column(["a", "NA", None] * 4), declared="category")
    description, _ = recognise(declared)
    assert isinstance(description, Category)
    fitted = description.fit(description.read(declared), np.arange(12))
    assert fitted.levels == ("NA", "a")
    assert fitted.read(column(["a", "NA", "NULL", None])).codes.tolist() == [0, 1, -1, -1]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("category", ["1", "2", "3"] * 5, Category("x")),
        ("category", [1, 2, 3] * 5, Category("x")),
        ("number", ["01000", "75001", "2A004"] * 5, Number("x", also_missing=("2A004",))),
        ("number", list(range(20)), Number("x")),
        ("date", ["01/02/2024", "03/04/2024"] * 5, Date("x", order="day-month-year")),
        ("date", [20240131, 20240201] * 5, Date("x", order="yyyymmdd")),
        ("text", ["NA", "EU", "yes", "no"] * 5, Category("x", verbatim=True)),
        ("text", ["1.0", "1", "01"] * 5, Category("x", verbatim=True)),
    ],
)
def test_what_the_user_says_of_a_column_is_done(kind: str, values: list[Any], expected: Description) -> None:
    assert recognise(column(values), Asked({"x": kind}))[0] == expected


@pytest.mark.parametrize("values", [[20240131, 20240201, 99991231] * 5, [20240131.0, None, 20240201.0, 20240229.0] * 5])
def test_digits_of_dates_are_dates_in_frames_as_in_files(values: list[Any]) -> None:
    description, notes = recognise(column(values))
    assert description == Date("x", order="yyyymmdd")
    assert notes == ["digits such as '20240131' are dates; --number x reads numbers"]
    as_text = column([None if value is None else str(int(value)) for value in values])
    assert recognise(as_text) == (description, notes)
    np.testing.assert_array_equal(description.read(column(values)), description.read(as_text))
    assert recognise(column(values), Asked({"x": "number"}))[0] == Number("x")


@pytest.mark.parametrize(
    ("none", "values"),
    [
        ("00000000", ["20240131", "20240201", "20240229"]),
        ("0", ["20240131", "20240201", "20240229"]),
        ("0", [20240131, 20240201, 20240229]),
        ("99999999", [20240131.0, 20240201.0, 20240229.0]),
    ],
)
def test_digits_that_say_that_there_is_no_date_are_missing_and_said(none: str, values: list[Any]) -> None:
    dates = column([type(values[0])(none), *values * 5])
    description, notes = recognise(dates)
    assert description == Date("x", order="yyyymmdd", also_missing=(none,))
    assert notes == [
        "digits such as '20240131' are dates; --number x reads numbers",
        (
            f"1 cell is not a date and counts as missing: '{none}', first at t.csv, line 2; "
            "--category x keeps all as labels"
        ),
    ]
    np.testing.assert_array_equal(description.read(dates)[:2], [np.nan, 19753.0])


@pytest.mark.parametrize("text", ["24-01-31", "24/01/31"])
def test_two_digits_that_may_be_year_or_day_are_said_with_the_option_that_decides(text: str) -> None:
    cells = column([text, "24-02-15"] * 5)
    note = f"two-digit years: '{text}' is 2031-01-24; --date x=two-digit-year-month-day reads the year first"
    assert recognise(cells) == (Date("x", order="day-month-year"), [note])
    asked = Asked({"x": "date"}, {"x": "two-digit-year-month-day"})
    assert recognise(cells, asked)[0].read(cells)[0] == 19753.0  # 2024-01-31


def test_digits_of_dates_are_such_behind_many_empty_cells() -> None:
    assert recognise(column([None] * 200 + ["20240131", "20240201", "20240229"] * 5))[0] == Date("x", order="yyyymmdd")


@pytest.mark.parametrize(
    "values", [[20240131, 20240201, 20240231] * 5, [45000, 45001, 45002] * 5, [20240131.5, 20240201.0, 20240202.0] * 5]
)
def test_whole_numbers_that_are_no_digits_of_dates_are_numbers(values: list[Any]) -> None:
    assert recognise(column(values))[0] == Number("x")


def test_the_order_of_dates_that_the_user_says_is_taken() -> None:
    asked = Asked({"x": "date"}, {"x": "month-day-year"})
    assert recognise(column(["01/02/2024", "03/04/2024"] * 5), asked) == (Date("x", order="month-day-year"), [])


def test_the_order_of_dates_that_the_user_leaves_open_is_said_with_the_other() -> None:
    _, notes = recognise(column(["01/02/2024", "03/04/2024"] * 5, "my day"), Asked({"my day": "date"}))
    assert notes == ["dates are read as day-month-year; --date 'my day=month-day-year' reads them otherwise"]


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("number", ["a", "b"] * 5, r"'a' \(t.csv, line 2\) is not a number, nor is any other"),
        ("date", ["a", "b"] * 5, r"'a' \(t.csv, line 2\) is not a date"),
        ("date", [1.5, 2.5], r"1.5 \(t.csv, line 2\) is not a date"),
    ],
)
def test_what_a_column_cannot_be_is_refused(kind: str, values: list[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        recognise(column(values), Asked({"x": kind}))


def test_a_column_that_counts_the_rows_is_kept_as_it_says_unless_its_name_is_that_of_a_key() -> None:
    described, _ = recognise(column(list(range(1, 50)), "day of year"))
    assert described == LeftOut("day of year", "identifier", "counts the rows; --number 'day of year' keeps it")
    assert recognise(column(list(range(1, 50)), "id"))[0] == LeftOut("id", "identifier", "counts the rows")
    kept, _ = recognise(column(list(range(1, 50)), "day of year"), Asked({"day of year": "number"}))
    assert isinstance(kept, Number)


@pytest.mark.parametrize(
    "name", ["id_client", "N°", "n° client", "numero", "Numéro", "identifiant", "__index_level_0__"]
)
def test_keys_in_the_french_order_and_the_index_of_pandas_are_identifiers(name: str) -> None:
    assert taken_for([431, 17, 995, 2], name) == "identifier"


def test_the_table_proves_a_decimal_mark_where_its_columns_prove_one_and_the_same() -> None:
    def mark(*columns: list[Any], **asked: Any) -> str:
        named = {str(i): column(cells, str(i)) for i, cells in enumerate(columns)}
        return decimal_mark(Table("t.csv", named, len(columns[0])), Asked(**asked))

    assert mark(["1,5", "2"], ["1", "2"], ["a", "b"]) == ","
    assert mark(["1.5", "2"], ["1", "2"]) == "."
    assert mark(["1,5", "2"], ["1.5", "2"]) == ""
    assert mark(["1", "2"], [1.5, 2.5]) == ""
    assert mark(["1,5", "2"], decimal=".") == "."


def test_decimal_commas_are_said_of_the_columns_that_have_them() -> None:
    named = {name: column(cells, name) for name, cells in (("a", ["1,5", "2"]), ("b", ["1", "2"]), ("y", ["0", "1"]))}
    _, notes = recognise_all(Table("t.csv", named, 2), "y", Asked(), ",")
    assert notes == ["decimal commas are read as such in 'a'"]
