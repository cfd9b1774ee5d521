"""Numbers as people write them, and how a column says which notation it has."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseau.tables.reading import numerals
from reseau.tables.reading.numerals import Evidence, code_among, evidence, found

NARROW, NO_BREAK, THIN = "\u202f", "\u00a0", "\u2009"
MINUS, DASH, APOSTROPHE = "\u2212", "\u2013", "\u2019"


def cells(*texts: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def of(*texts: str) -> Evidence:
    counts = Counter(texts)
    return evidence(list(counts), list(counts.values()))


def value(text: str, decimal: str) -> float | None:
    values, odd = numerals.read(cells(text), decimal)
    return None if odd[0] else float(values[0])


def swapped(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))


SIGNS = [
    *[("5", 5.0), ("+5", 5.0), ("-5", -5.0), (f"{MINUS}5", -5.0), (f"{DASH}5", -5.0), ("(5)", -5.0), ("( 5 )", -5.0)],
    *[("-0", -0.0), ("007", 7.0), ("5e3", 5000.0), ("5E+03", 5000.0), (f"{MINUS}5e{MINUS}3", -0.005)],
    *[("inf", math.inf), ("-Infinity", -math.inf), (f"{MINUS}INF", -math.inf), ("1e999", math.inf), ("1e-999", 0.0)],
]
GROUPS = [
    *[(f"1{space}234{space}567", 1234567.0) for space in (" ", NARROW, NO_BREAK, THIN, "'", APOSTROPHE)],
    *[("12 345", 12345.0), ("-1 234", -1234.0), (f"(123{NARROW}456)", -123456.0)],
]
UNITS = [
    *[("12%", 12.0), ("12 %", 12.0), (f"12{NARROW}%", 12.0), ("%12", 12.0), ("3‰", 3.0), ("-12 %", -12.0)],
    *[("$5", 5.0), ("-$5", -5.0), ("$-5", -5.0), (f"{MINUS}$5", -5.0), ("$ 5", 5.0), ("5$", 5.0), ("5 €", 5.0)],
    *[("€5", 5.0), (f"5{NO_BREAK}€", 5.0), ("£5", 5.0), ("¥5", 5.0), ("₹5", 5.0), ("5 CHF", 5.0), ("EUR 5", 5.0)],
    *[("5 kr", 5.0), ("5 zł", 5.0), ("SEK 5", 5.0), ("5 Kč", 5.0), ("(5 PLN)", -5.0)],
    *[("5EUR", 5.0), ("CAD5", 5.0), ("5e3EUR", 5000.0), ("-5 USD", -5.0), ("1 234 €", 1234.0), ("$1'234", 1234.0)],
    *[
        ("US$5", 5.0),
        ("R$ 5", 5.0),
        ("5 C$", 5.0),
        ("-R$5", -5.0),
        ("($5)", -5.0),
        ("$(5)", -5.0),
        ("(5 €)", -5.0),
        ("(5) €", -5.0),
        ("(5%)", -5.0),
        ("$   5", 5.0),
    ],
]
POINT = [
    *[("1.5", 1.5), ("0.184", 0.184), (".5", 0.5), ("5.", 5.0), ("-.5", -0.5), ("1.5e3", 1500.0), ("1.5E+03", 1500.0)],
    *[("1,234.50", 1234.5), ("1,184", 1184.0), ("1,184,000", 1184000.0), ("12,345,678.9", 12345678.9)],
    *[("1 234.5", 1234.5), (f"1{NARROW}234.5", 1234.5), ("1'234.56", 1234.56), (f"1{APOSTROPHE}234.56", 1234.56)],
    *[("$1,234.50", 1234.5), ("($1,234.50)", -1234.5), ("-$1,234.50", -1234.5), ("12.5 %", 12.5), ("12.5%", 12.5)],
    *[("(5.0)", -5.0), ("1,234.", 1234.0), ("0123.45", 123.45), ("1234567.891", 1234567.891), ("1.184e3", 1184.0)],
]
INDIAN = [("12,34,567", 1234567.0), ("1,23,45,678.5", 12345678.5), ("₹12,34,567.00", 1234567.0)]
NEVER = [
    *["1_0", "0x10", "5-", "1/2", "12 34", "1,2,3", "1 2345", "--5", "+-5", "5 kg", "1e", "e5", "$", "()", "1.2.3"],
    *["-", "+", ".", ",", "%", "nan", "NaN", "unknown", "$5 USD", "$5%", "(-5)", "-(5)", "(5", "5)", "- 5", "1e5.5"],
    *["1 234'567", f"1 234{NARROW}567", "1,234.567,8", "0 184", "1234 567", " 5", "5\n", "1..5", "1,,5", "5 $ 5"],
    *["١٢x", "1e3e3", "$$5", "5%%", "inf %x", "infinit", "2A004", "0,1,2", "1,234 567", "$-5 -"],
]


@pytest.mark.parametrize(("text", "number"), SIGNS + GROUPS + UNITS)
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_number_without_points_and_commas_is_one_under_both_decimal_marks(
    text: str, number: float, decimal: str
) -> None:
    read = value(text, decimal)
    assert read == number
    assert math.copysign(1, read) == math.copysign(1, number)


@pytest.mark.parametrize(("text", "number"), POINT + INDIAN)
def test_a_number_with_a_decimal_point_is_read(text: str, number: float) -> None:
    assert value(text, ".") == number


@pytest.mark.parametrize(("text", "number"), POINT)
def test_a_number_with_a_decimal_comma_is_read(text: str, number: float) -> None:
    assert value(swapped(text), ",") == number


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("text", NEVER)
def test_what_is_not_a_number_is_odd(text: str, decimal: str) -> None:
    assert value(text, decimal) is None


@pytest.mark.parametrize(
    "text", ["1,5", "1,23", "0,184", "1.234,56", "1.184.000", ",5", "1234,567", "1,184E+03", "12,3456"]
)
def test_a_number_of_one_decimal_mark_is_none_of_the_other(text: str) -> None:
    assert value(text, ".") is None
    assert value(swapped(text), ",") is None
    assert value(text, ",") is not None


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_any_number_written_by_python_is_read_back(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    for decimal, written in ((".", texts), (",", [swapped(text) for text in texts])):
        values, odd = numerals.read(cells(*written), decimal)
        assert values.tolist() == numbers
        assert not odd.any()


@given(
    st.lists(
        st.floats(allow_nan=False) | st.integers(-(2**53), 2**53) | st.decimals(-1000000, 1000000, places=3), min_size=1
    )
)
def test_any_number_that_python_groups_is_read_back(numbers: list[float]) -> None:
    texts = [f"{number:,}" for number in numbers]
    for decimal, written in ((".", texts), (",", [swapped(text) for text in texts])):
        values, odd = numerals.read(cells(*written), decimal)
        assert values.tolist() == [float(number) for number in numbers]
        assert not odd.any()


@given(st.text(alphabet="0123456789.,eE+-% $()'\u202f\u2212x"), st.sampled_from(".,"))
def test_whatever_python_reads_as_a_number_is_the_same_one_here(text: str, decimal: str) -> None:
    try:
        number = float(text if decimal == "." else swapped(text))
    except ValueError:
        return
    if text == text.strip():
        assert value(text, decimal) == number


AS_WRITTEN = st.sampled_from([*NEVER, *(text for text, _ in SIGNS + GROUPS + UNITS + POINT), "1,5", "1.184.000"])


@given(st.lists(AS_WRITTEN | st.floats().map(repr) | st.none(), min_size=1), st.sampled_from(".,"))
def test_a_cell_is_read_the_same_beside_any_others(texts: list[str | None], decimal: str) -> None:
    values, odd = numerals.read(cells(*texts), decimal, "$")
    alone = [numerals.read(cells(text), decimal, "$") for text in texts]
    np.testing.assert_array_equal(values, [value[0] for value, _ in alone])
    assert odd.tolist() == [bool(o[0]) for _, o in alone]


@given(st.lists(AS_WRITTEN | st.floats(1, 2000).map("{:.3f}".format), min_size=1))
def test_a_column_alone_is_read_in_the_notation_that_is_found_for_it(texts: list[str]) -> None:
    notation = found(of(*texts))
    values, odd = numerals.read(cells(*texts))
    expected, expected_odd = numerals.read(cells(*texts), notation.decimal or ".", notation.unit)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(odd, expected_odd)


def test_missing_cells_are_neither_numbers_nor_odd() -> None:
    for texts in (["1", None], ["$1", None], ["1,5", None]):
        values, odd = numerals.read(cells(*texts))
        assert math.isnan(values[1])
        assert not odd.any()
    values, odd = numerals.read(cells(None, None))
    assert np.isnan(values).all()
    assert not odd.any()
    assert [len(part) for part in numerals.read(cells())] == [0, 0]
    assert [len(part) for part in numerals.read(pa.chunked_array([], pa.large_string()))] == [0, 0]


def test_cells_in_several_chunks_are_read_in_order() -> None:
    chunks = pa.chunked_array([["$1", "x"], [], [None, "$3", "$1"]], pa.large_string())
    values, odd = numerals.read(chunks)
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, 3, 1])
    assert odd.tolist() == [False, True, False, False, False]


def test_the_decimal_mark_is_found_from_the_cells_alone_where_none_is_given() -> None:
    assert numerals.read(cells("1.184", "12.5"))[0].tolist() == [1.184, 12.5]
    assert numerals.read(cells("1.184", "12,5"))[0].tolist() == [1184.0, 12.5]
    assert numerals.read(cells("1,184", "950"))[0].tolist() == [1184.0, 950.0]
    assert numerals.read(cells(*["1.184"] * 40, "950"))[0].tolist() == [1184.0] * 40 + [950.0]
    assert numerals.read(cells("1.184", "950"), ",")[0].tolist() == [1184.0, 950.0]
    assert numerals.read(cells("1.5", "2"), ",")[1].tolist() == [True, False]


def test_a_given_unit_and_none_are_accepted_and_others_are_odd() -> None:
    texts = cells("$5", "€6", "7", "€8", "9 %")
    assert numerals.read(texts)[1].tolist() == [True, False, False, False, True]
    assert numerals.read(texts, unit="$")[1].tolist() == [False, True, False, True, True]
    assert numerals.read(texts, ".", "%")[1].tolist() == [True, True, False, True, False]
    assert numerals.read(cells("$5", "€6"))[1].tolist() == [False, True]


def test_evidence_counts_the_cells_of_each_sort() -> None:
    e = evidence(
        ["1.5", "1,5", "1,184", "1.184", "12", "12500", "1 234", "5e3", "x", "$3", "0.184", "1.184.000", "7 %"],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    )
    assert (e.cells, e.point, e.comma, e.open_comma, e.open_point) == (91, 1 + 11, 2 + 12, 3, 4)
    assert (e.short, e.long, e.alike) == (5 + 10 + 13, 6 + 7, 5 + 6 + 7 + 8 + 10 + 13)
    assert (e.numbers("."), e.numbers(",")) == (49 + 7 + 12, 49 + 7 + 14)
    assert (e.units, e.bare) == ({"$": 10, "%": 13}, 91 - 9 - 23)
    assert e.examples == {
        "alike": "12",
        "point": "1.5",
        "comma": "1,5",
        "open_comma": "1,184",
        "open_point": "1.184",
        "short": "12",
        "long": "12500",
        "bare": "1.5",
    }


def test_evidence_of_no_texts_is_none() -> None:
    e = of()
    assert (e.cells, e.numbers("."), e.numbers(","), e.proves, e.examples) == (0, 0, 0, "", {})
    assert found(e).decimal == ""


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1,5", "2"], ","),
        (["1.5"], "."),
        (["3", "4"], ""),
        (["1.5", "a", "b"], ""),
        (["1,5"] * 9 + ["x"], ","),
        (["1,5"] * 8 + ["x"], ""),
    ],
)
def test_what_a_column_proves_for_its_table_is_what_nearly_all_its_numbers_prove(texts: list[str], mark: str) -> None:
    assert of(*texts).mark == mark


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.5", "2", None], "."),
        (["1.184", "2.5"], "."),
        (["1", "-2", "3e5"], ""),
        (["1.184", "2.350"], None),  # open
        (["1.5", "x"], None),
        (["1.5", "nan"], None),
        (["01", "12"], None),  # codes
        ([str(2**53)], None),
    ],
)
def test_numbers_as_computers_write_them_are_told_at_once(texts: list[str | None], mark: str | None) -> None:
    found = numerals.as_computers_write(pa.chunked_array([texts], pa.large_string()))
    if mark is None:
        assert found is None
    else:
        assert found is not None
        np.testing.assert_array_equal(found[0], [np.nan if text is None else float(text) for text in texts])
        assert found[1] == mark


MANY = [f"1.{n}" for n in range(200, 230)]


@pytest.mark.parametrize(
    ("texts", "options", "decimal"),
    [
        (["1,5", "1.184"], {}, ","),
        (["1.5", "1,184"], {"table_mark": ","}, "."),  # its own texts before the table's
        (["1.5", "1.5", "2,5"], {}, "."),
        (["1,184", "2,5", "3,5", "1.5"], {}, ","),
        (["1.5", "2,5"], {"table_mark": ","}, ","),
        (["1.5", "2,5"], {}, "."),
        (["1.5", "1,184"], {"decimal": ","}, "."),  # under a comma half of it would be no number
        (["1,184"], {"decimal": ","}, ","),
        (["1,184"], {"table_mark": ","}, ","),
        (["1.184"], {"table_mark": ","}, ","),
        (["1.184"], {"table_mark": "."}, "."),
        (["12", "13"], {"table_mark": ","}, ","),
        (["12", "13"], {}, ""),
        (["x"], {}, ""),
        (["1,184", "950"], {}, "."),
        (["1,184", "950"], {"separator": "\t"}, "."),
        (["1,184", "950"], {"separator": "|"}, "."),
        (["1,184", "950"], {"separator": ";"}, "."),
        (["1,184"], {"separator": "\t"}, "."),
        (["1,184"], {"separator": ";"}, ","),
        (["1,184", "12500"], {}, ","),
        (["1,184", "12500", "950"], {"separator": ","}, ","),
        (["1,184", "12 500"], {}, ","),
        (["1.184"], {}, "."),
        (["1.184", "950"], {}, "."),
        ([*MANY, "950"], {}, ","),
        ([*MANY[1:], "950"], {}, "."),
        (MANY, {}, "."),
        ([*MANY, "950", "12500"], {}, "."),
        ([*MANY * 5, "950", "12500"], {}, ","),  # one that somebody forgot to group
        (["1,184"] * 150 + ["950", "12500"], {}, "."),
        (["1,184"] * 1000 + ["950", "12,5"], {}, ","),
        (["$1,184", "$950"], {}, "."),
        (["1,184 %", "12500 %"], {}, ","),
        (["1,184", "1,185", "1.184", "950"], {}, "."),
        (["1,184", "1,185", "1.184", "12500"], {}, ","),
        (["1,184", "1.184"], {}, "."),
        (["1,184", "1.184", "12500"], {}, "."),
    ],
)
def test_the_decimal_mark_follows_from_the_column_then_the_table_then_what_stands_beside(
    texts: list[str], options: dict[str, str], decimal: str
) -> None:
    assert found(of(*texts), **options).decimal == decimal


@pytest.mark.parametrize(
    ("texts", "options", "note"),
    [
        (
            ["1,184", "950"],
            {},
            "'1,184' is read as 1184 (groups of three digits throughout, beside '950'); --decimal , reads it as 1.184",
        ),
        (
            ["$1,184"],
            {},
            "'$1,184' is read as 1184 (groups of three digits throughout); --decimal , reads it as 1.184",
        ),
        (
            ["1,184", "12500"],
            {},
            "'1,184' is read as 1.184 ('12500' beside is not grouped); --decimal . reads it as 1184",
        ),
        (
            ["1,184"],
            {"separator": ";"},
            "'1,184' is read as 1.184 (semicolons separate the fields); --decimal . reads it as 1184",
        ),
        (["1.184"], {}, "'1.184' is read as 1.184 (a point is mostly a decimal mark); --decimal , reads it as 1184"),
        (
            [*MANY, "950"],
            {},
            "'1.200' is read as 1200 (groups of three digits throughout, beside '950'); --decimal . reads it as 1.2",
        ),
        (
            ["1,184"] * 101 + ["12,5"],
            {},
            "'1,184' is read as 1.184 (as in '12,5'); --decimal . reads it as 1184",
        ),
        (
            ["1.184"],
            {"table_mark": ","},
            "'1.184' is read as 1184 (other columns have decimal commas); --decimal . reads it as 1.184",
        ),
        (
            ["1,184"],
            {"table_mark": "."},
            "'1,184' is read as 1184 (other columns have decimal points); --decimal , reads it as 1.184",
        ),
    ],
)
def test_a_choice_among_open_texts_is_said_with_the_option_that_changes_it(
    texts: list[str], options: dict[str, str], note: str
) -> None:
    assert found(of(*texts), **options).notes == (note,)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["1.184", "12.5"], {}),
        (["1,184", "12,5"], {}),
        (["1.184"], {"table_mark": "."}),
        (["1,184"], {"table_mark": ","}),
        (["1,184"], {"decimal": ","}),
        (["1.184"] * 100 + ["12.5"], {}),
        (["1,184"] * 1000 + ["12.5"], {}),
        (["5", "12500"], {"table_mark": ","}),
        (["$5", "$6"], {}),
    ],
)
def test_what_is_proven_or_asked_for_needs_no_note(texts: list[str], options: dict[str, str]) -> None:
    assert found(of(*texts), **options).notes == ()


def test_the_unit_is_the_commonest_and_a_number_without_it_is_said() -> None:
    notation = found(of("5 %", "6 %", "0.3", "€7", "x"))
    assert notation.unit == "%"
    assert notation.notes == ("'0.3' has no % and is read as if it had",)
    assert found(of("5", "6")).unit == ""
    assert found(of("$5", "5 %")).unit == "$"


@pytest.mark.parametrize(
    ("texts", "example"),
    [
        (["01000", "75001"], "01000"),
        (["75001", "01000", "2A004", "unknown"], "01000"),
        (["1", "2", "00"], "00"),
        (["0123", "n.d."], "0123"),
        (["75 001", "01000"], "01000"),
        (["3130000000000000123", "3130000000000000124"], "3130000000000000123"),
        (["3130000000000000123", "5130000000000000124", "lost"], "3130000000000000123"),
        (["9007199254740993", "9007199254740992", "1", "2", "3"], "9007199254740993"),
        (["7", "-9007199254740993"], "-9007199254740993"),
    ],
)
def test_leading_zeros_and_numbers_that_float64_would_merge_are_codes(texts: list[str], example: str) -> None:
    assert code_among(texts) == example


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["0123.45", "12.5", "007"],
        ["0123,45", "12,5", "007"],
        ["007", "1,184"],
        ["007", "1e3"],
        ["0", "10", "100"],
        ["0.5", "1"],
        ["01a", "02b"],
        ["9007199254740991", "1"],
        ["12345678901234567890", "0.5"],
        ["1", "2", "3", "10000000000000000"],  # one that is far out
    ],
)
def test_numbers_are_no_codes_and_a_code_has_no_decimal_mark(texts: list[str]) -> None:
    assert code_among(texts) == ""
