"""Dates, months, weeks, quarters and times of day in text: what is read, found, and left alone."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reseau.tables.reading import dates

DAY_ORDERS = ("year-month-day", "day-month-year", "month-day-year")


def column(*values: object, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    text = all(isinstance(value, (str, type(None))) for value in values)
    return pa.chunked_array([pa.array(values, kind or (pa.large_string() if text else None))])


def found(*texts: str, counts: list[int] | None = None) -> dates.Found | None:
    return dates.find(column(*texts), np.array(counts or [1] * len(texts)))


def order(*texts: str, counts: list[int] | None = None) -> str | None:
    what = found(*texts, counts=counts)
    return what.order if what else None


def times(*expected: str) -> list[float]:
    """Seconds since 1970 of what pandas reads, in the ISO form."""
    return [pd.Timestamp(text).timestamp() for text in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the year first
        ("2024-01-31", "2024-01-31"),
        ("2024/1/31", "2024-01-31"),
        ("2024.01.31", "2024-01-31"),
        ("2024 01 31", "2024-01-31"),
        ("2024-01-31T12:00", "2024-01-31 12:00"),
        ("2024-01-31, 12:00:05", "2024-01-31 12:00:05"),
        ("2024-01-31 12:00:05,25", "2024-01-31 12:00:05.25"),
        ("2024-01-31 12:00:05.123456789", "2024-01-31 12:00:05.123456789"),
        ("2024-01-31 1:05 pm", "2024-01-31 13:05"),
        ("2024-01-31 01:05:00 PM", "2024-01-31 13:05"),
        ("2024-01-31 1:05\u202fPM", "2024-01-31 13:05"),
        ("2024-01-31 12:10 a.m.", "2024-01-31 00:10"),
        ("2024-01-31 12:10 P.M.", "2024-01-31 12:10"),
        ("2024-01-31 12AM", "2024-01-31 00:00"),
        ("2024-01-31 14h30", "2024-01-31 14:30"),
        ("2024-01-31 14 h 30", "2024-01-31 14:30"),
        ("2024-01-31 14h", "2024-01-31 14:00"),
        ("2024:01:31 10:00:00", "2024-01-31 10:00"),
        ("20240131T120000", "2024-01-31 12:00"),
        ("20240131T1205", "2024-01-31 12:05"),
        ("20240131T120000Z", "2024-01-31 12:00"),
        ("20240131 12:00:00", "2024-01-31 12:00"),
        ("2024-Jan-31", "2024-01-31"),
        ("1900-02-28", "1900-02-28"),
        ("1969-12-31 23:59:59", "1969-12-31 23:59:59"),
        # offsets
        ("2024-01-31T12:00:00Z", "2024-01-31 12:00"),
        ("2024-01-31t12:00:00z", "2024-01-31 12:00"),
        ("2024-01-31 12:00 UTC", "2024-01-31 12:00"),
        ("2024-01-31 12:00 GMT", "2024-01-31 12:00"),
        ("2024-01-31 12:00+02", "2024-01-31 10:00"),
        ("2024-01-31 12:00 +0200", "2024-01-31 10:00"),
        ("2024-01-31 12:00:00.5+02:00", "2024-01-31 10:00:00.5"),
        ("2024-01-31T12:00-05:30", "2024-01-31 17:30"),
        ("2024-01-31T12:00−05:30", "2024-01-31 17:30"),
        ("2024-01-31 12:00:00 +0200 CEST", "2024-01-31 10:00"),
        ("2024-01-31T12:00+01:00[Europe/Paris]", "2024-01-31 11:00"),
        ("2024-01-31+02:00", "2024-01-30 22:00"),
        ("2024-01-31Z", "2024-01-31"),
        # months by name
        ("12 janvier 2024", "2024-01-12"),
        ("12 janv. 2024", "2024-01-12"),
        ("12 févr. 2024", "2024-02-12"),
        ("12 fe\u0301vrier 2024", "2024-02-12"),
        ("12 FEVRIER 2024", "2024-02-12"),
        ("12 FÉVRIER 2024", "2024-02-12"),
        ("1er mars 2024", "2024-03-01"),
        ("le 3 août 2024 à 10h05", "2024-08-03 10:05"),
        ("3 aout 2024", "2024-08-03"),
        ("12 juil. 2024", "2024-07-12"),
        ("31 déc. 2024", "2024-12-31"),
        ("vendredi 12 janvier 2024", "2024-01-12"),
        ("ven. 12 janv. 2024", "2024-01-12"),
        ("mar. 12 mars 2024", "2024-03-12"),
        ("12th March 2024", "2024-03-12"),
        ("2nd of May 2024", "2024-05-02"),
        ("12-Jan-2024", "2024-01-12"),
        ("12-Jan-24", "2024-01-12"),
        ("12 Sept. 2024", "2024-09-12"),
        ("12JAN2024", "2024-01-12"),
        ("12JAN2024:10:05:00", "2024-01-12 10:05"),
        ("12/Jan/2024:10:00:00 +0200", "2024-01-12 08:00"),
        ("12-JAN-24 10.05.00.000000 PM", "2024-01-12 22:05"),
        ("Fri, 12 Jan 2024 10:00:00 GMT", "2024-01-12 10:00"),
        ("Fri, 12 Jan 2024 10:00:00 -0500", "2024-01-12 15:00"),
        ("March 12, 2024", "2024-03-12"),
        ("Mar. 12, 2024 at 10:05 AM", "2024-03-12 10:05"),
        ("Jan 12 2024 10:05", "2024-01-12 10:05"),
        ("Jan 12, '24", "2024-01-12"),
        ("Friday, January 12, 2024", "2024-01-12"),
        ("Fri Jan 12 10:00:00 2024", "2024-01-12 10:00"),
        ("Fri Jan 12 10:00:00 UTC 2024", "2024-01-12 10:00"),
        ("Mon Apr 06 22:19:45 PDT 2009", "2009-04-07 05:19:45"),
        ("Fri Jan 12 10:00:00 +0000 2024", "2024-01-12 10:00"),
        ("Fri Jan 12 2024 10:00:00 GMT+0100 (Central European Standard Time)", "2024-01-12 09:00"),
    ],
)
def test_a_date_that_can_mean_one_thing_only_is_read_by_every_order_of_days(text: str, expected: str) -> None:
    for name in (*DAY_ORDERS, "yyyymmdd", "two-digit-year-month-day"):
        values, odd = dates.read(column(text, None), name)
        np.testing.assert_allclose(values, [*times(expected), np.nan], rtol=0, atol=1e-6, err_msg=name)
        assert odd.tolist() == [False, False]
    assert order(text) in DAY_ORDERS


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("31/12/2024", "day-month-year", "2024-12-31"),
        ("1-2-2024", "day-month-year", "2024-02-01"),
        ("01.02.2024", "day-month-year", "2024-02-01"),
        ("31 12 2024", "day-month-year", "2024-12-31"),
        ("31. 12. 2024", "day-month-year", "2024-12-31"),
        ("31/12/24", "day-month-year", "2024-12-31"),
        ("31.12.24", "day-month-year", "2024-12-31"),
        ("31/12/68", "day-month-year", "2068-12-31"),
        ("31/12/69", "day-month-year", "1969-12-31"),
        ("31/12/2024 14h30", "day-month-year", "2024-12-31 14:30"),
        ("31/12/2024 - 10:05", "day-month-year", "2024-12-31 10:05"),
        ("le 31/12/2024", "day-month-year", "2024-12-31"),
        ("mar. 31/12/2024 à 10:05", "day-month-year", "2024-12-31 10:05"),
        ("12/31/24", "month-day-year", "2024-12-31"),
        ("12/31/2024 1:05:09 PM", "month-day-year", "2024-12-31 13:05:09"),
        ("12-31-2024, 01:05 pm", "month-day-year", "2024-12-31 13:05"),
        ("99-12-31", "two-digit-year-month-day", "1999-12-31"),
        ("99/05/31 10:00", "two-digit-year-month-day", "1999-05-31 10:00"),
        ("2024-02", "year-month", "2024-02-01"),
        ("2024/02", "year-month", "2024-02-01"),
        ("2024-Feb", "year-month", "2024-02-01"),
        ("2024M02", "year-month", "2024-02-01"),
        ("02/2024", "month-year", "2024-02-01"),
        ("2-2024", "month-year", "2024-02-01"),
        ("Feb 2024", "month-year", "2024-02-01"),
        ("février 2024", "month-year", "2024-02-01"),
        ("janv.-24", "month-year", "2024-01-01"),
        ("Jan-24", "month-year", "2024-01-01"),
        ("Jan '98", "month-year", "1998-01-01"),
        ("2024-Q2", "year-quarter", "2024-04-01"),
        ("2024Q4", "year-quarter", "2024-10-01"),
        ("Q1 2024", "year-quarter", "2024-01-01"),
        ("T3 2024", "year-quarter", "2024-07-01"),
        ("2024-T3", "year-quarter", "2024-07-01"),
        ("Q3'24", "year-quarter", "2024-07-01"),
        ("1er trimestre 2024", "year-quarter", "2024-01-01"),
        ("08:30", "time of day", "1970-01-01 08:30"),
        ("8:30:15.5", "time of day", "1970-01-01 08:30:15.5"),
        ("8:30:15,5", "time of day", "1970-01-01 08:30:15.5"),
        ("8:30 PM", "time of day", "1970-01-01 20:30"),
        ("8:30p.m.", "time of day", "1970-01-01 20:30"),
        ("8.30 pm", "time of day", "1970-01-01 20:30"),
        ("12 AM", "time of day", "1970-01-01"),
        ("14h30", "time of day", "1970-01-01 14:30"),
        ("14 h 30", "time of day", "1970-01-01 14:30"),
        ("23:59:59", "time of day", "1970-01-01 23:59:59"),
    ],
)
def test_each_order_is_found_and_reads_its_forms(text: str, name: str, expected: str) -> None:
    values, odd = dates.read(column(text, None), name)
    np.testing.assert_allclose(values, [*times(expected), np.nan], rtol=0, atol=1e-6)
    assert not odd.any()
    what = found(text)
    assert what is not None
    assert name in (what.order, *what.ambiguous)


@pytest.mark.parametrize("text", ["2024-W05-3", "2024W053", "2020-W53-7", "2021-W01-1", "2026-W53-4", "1999-W52-5"])
def test_a_week_is_read_as_iso_8601_counts_it(text: str) -> None:
    year, week, weekday = int(text[:4]), int(text[4:].strip("-W")[:2]), int(text[-1])
    expected = datetime.datetime.fromisocalendar(year, week, weekday).replace(tzinfo=datetime.timezone.utc)
    assert dates.read(column(text), "year-week")[0].tolist() == [expected.timestamp()]


@pytest.mark.parametrize(
    "text", ["2024-W05", "2024W5", "2024-S05", "2024 S05", "W05 2024", "S05-2024", "semaine 5 2024"]
)
def test_a_week_without_a_day_is_its_monday(text: str) -> None:
    assert dates.read(column(text), "year-week")[0].tolist() == times("2024-01-29")
    assert order(text) == "year-week"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2023-02-29", "year-month-day"),
        ("1900-02-29", "year-month-day"),
        ("2024-13-01", "year-month-day"),
        ("2024-00-10", "year-month-day"),
        ("2024-01-00", "year-month-day"),
        ("0000-00-00", "year-month-day"),
        ("0000-01-01", "year-month-day"),
        ("2024-01-01 24:00", "year-month-day"),
        ("2024-01-01 12:60", "year-month-day"),
        ("2024-01-01 13:05 PM", "year-month-day"),
        ("2024-01-01 12:00+99:00", "year-month-day"),
        ("31 avril 2024", "day-month-year"),
        ("12 brumaire 2024", "day-month-year"),
        ("20240131", "year-month-day"),
        ("31/12/2024", "year-month-day"),
        ("31/12/2024", "month-day-year"),
        ("1.2.10", "day-month-year"),
        ("12/31/2024", "day-month-year"),
        ("2024-13", "year-month"),
        ("2024-W00", "year-week"),
        ("2024-W53", "year-week"),
        ("2024-W05-8", "year-week"),
        ("2024-Q0", "year-quarter"),
        ("2024-Q5", "year-quarter"),
        ("24:00", "time of day"),
        ("16:9", "time of day"),
        ("8:60", "time of day"),
        ("unknown", "year-month-day"),
    ],
)
def test_what_does_not_exist_or_has_another_form_is_odd(text: str, name: str) -> None:
    values, odd = dates.read(column(text, None), name)
    assert np.isnan(values).all()
    assert odd.tolist() == [True, False]
    assert order(text) != name


@pytest.mark.parametrize(
    "texts",
    [
        ("1", "2", "3"),
        ("10-20", "20-30", "30-40"),
        ("1/2", "3/4"),
        ("3-1", "2-2", "10-0"),
        ("1.2.3", "1.2.10", "2.10.1"),
        ("192.168.0.1", "10.0.0.1"),
        ("16:9", "4:3", "21:9"),
        ("1:10", "1:20", "1:50"),
        ("06 12 34 56 78", "01 02 03 04 05"),
        ("06-12-01-02-03", "06.12.01.02.03"),
        ("555-123-4567", "202-555-0123"),
        ("120/80", "110/70"),
        ("8h", "12h", "24h"),
        ("2010-11", "2011-12"),
        ("2023/24", "2024/25"),
        ("2023-1", "2023-2", "2024-1"),
        ("2024-S1", "2024-S2"),
        ("1/1000", "1/2000"),
        ("4711-12", "4712-01"),
        ("7732-18-5", "64-17-5"),
        ("36-24-36", "34-28-40"),
        ("978-3-16-148410-0", "978-0-306-40615-7"),
        ("01", "2A", "75"),
        ("1", "2", "3", "4+"),
        ("2.5", "12.75", "08.30"),
        ("A12 2024", "B3 2023"),
        ("Lot 12, 2024", "Lot 13, 2024"),
        ("Mary 12 2024", "Decker 12 2024"),
        ("may", "march", "june"),
        ("Monday", "Tuesday"),
        ("T1", "T2", "Q4"),
        ("Jan 12 10:05:10", "Jan 13 10:05:10"),
        ("-2024-01-01", "+2024-01-02"),
        ("2024-01-01 to 2024-02-01", "2024-03-01 to 2024-04-01"),
        ("12.03", "11.04"),
        ("10/20/30/40", "1/2/3/4"),
        ("1A", "2A", "3P"),
        ("5 a", "6 p", "12 p"),
        ("2024", "2025", "2026"),
        ("123456", "202401"),
        ("20240131", "20240201"),
        ("20240131", "20240201", "20240230"),
        ("20240131", "20240201", "20240229", "9"),
        ("10000101", "10000102", "10000103"),
        ("12345678", "23456789", "34567890"),
        ("", "-", "?"),
    ],
)
def test_lookalikes_are_no_dates(texts: tuple[str, ...]) -> None:
    assert found(*texts) is None


def test_three_different_digits_alone_are_dates_if_each_is_one() -> None:
    what = found("20240131", "20240229", "99991231")
    assert what is not None
    assert what.order == "yyyymmdd"
    assert what.notes == ("digits such as '20240131' are dates",)
    assert order("20240131120000", "20240131120001", "20240131120002") == "yyyymmdd"
    assert dates.read(column("20240131120000"), "yyyymmdd")[0].tolist() == times("2024-01-31 12:00")


@pytest.mark.parametrize("none", ["0", "00000000", "99999999", "00000000000000"])
def test_noughts_or_nines_beside_digits_that_are_dates_are_no_date(none: str) -> None:
    what = found("20240131", none, "20240201", "20240229")
    assert what is not None
    assert what.order == "yyyymmdd"
    assert what.odd.tolist() == [False, True, False, False]


@pytest.mark.parametrize("numbers", [(20240131, None), (20240131.0, None)])
def test_numbers_are_read_as_digits_of_a_date(numbers: tuple[float | None, ...]) -> None:
    values, odd = dates.read(column(*numbers), "yyyymmdd")
    np.testing.assert_array_equal(values, [*times("2024-01-31"), np.nan])
    assert not odd.any()
    assert dates.read(column(20240131.5, None), "yyyymmdd")[1].tolist() == [True, False]
    assert dates.read(column(*numbers), "year-month-day")[1].tolist() == [True, False]


@pytest.mark.parametrize(
    ("texts", "name", "ambiguous"),
    [
        (("1/2/2024", "31/12/2024"), "day-month-year", ()),
        (("1/2/2024", "12/31/2024"), "month-day-year", ()),
        (("1/2/2024", "3/4/2024"), None, ("day-month-year", "month-day-year")),
        (("1/2/24 10:00 AM", "3/4/24 11:00 PM"), None, ("day-month-year", "month-day-year")),
        (("1/1/2024", "2/2/2024"), "day-month-year", ()),
        (("1.2.2024",), "day-month-year", ()),
        (("2024-02-01", "01/02/2024", "13/02/2024"), "day-month-year", ()),
        (("Jan 12 2024", "2/1/2024"), "month-day-year", ()),
        (("2024-01", "2024-02", "Mar 2024"), "year-month", ()),
    ],
)
def test_the_order_that_reads_most_wins_and_a_tie_with_other_dates_is_told(
    texts: tuple[str, ...], name: str | None, ambiguous: tuple[str, ...]
) -> None:
    what = found(*texts)
    assert what is not None
    assert (what.order, what.ambiguous) == (name, ambiguous)
    assert not what.odd.any()


def test_cells_count_not_levels_and_the_few_others_are_odd() -> None:
    what = found("2024-01-31", "unknown", "0000-00-00", counts=[90, 5, 5])
    assert what is not None
    assert what.order == "year-month-day"
    assert what.odd.tolist() == [False, True, True]
    assert found("2024-01-31", "unknown", "0000-00-00", counts=[89, 6, 5]) is None
    assert order("31/12/2024", "01/02/2024", "unknown", counts=[1, 98, 1]) == "day-month-year"


def test_unambiguous_dates_stand_if_the_few_others_could_mean_two_days() -> None:
    what = found("2024-01-31", "01/02/2024", counts=[95, 5])
    assert what is not None
    assert what.order == "year-month-day"
    assert what.odd.tolist() == [False, True]


def test_missing_levels_and_empty_columns_are_no_dates() -> None:
    what = dates.find(column("2024-01-31", None), np.array([1, 100]))
    assert what is not None
    assert what.odd.tolist() == [False, False]
    assert dates.find(column(None), np.array([3])) is None
    assert dates.find(pa.chunked_array([], pa.large_string()), np.array([], np.int64)) is None
    assert len(dates.read(pa.chunked_array([], pa.large_string()), "year-month-day")[0]) == 0


@pytest.mark.parametrize(
    ("texts", "note"),
    [
        (("31/12/24", "01/02/24"), "two-digit years: '01/02/24' is 2024-02-01"),
        (("31/12/24", "01/02/24"), "the day is first, as '31/12/24' shows"),
        (("Feb-70", "Jan-70"), "two-digit years: 'Jan-70' is 1970-01-01"),
        (("2024-01-31 23:00-05:00",), "times with an offset, such as '2024-01-31 23:00-05:00', are converted to UTC"),
        (("31/12/24 23:00 -0500",), "two-digit years: '31/12/24 23:00 -0500' is 2024-12-31"),
    ],
)
def test_what_is_not_obvious_is_noted(texts: tuple[str, ...], note: str) -> None:
    what = found(*texts, counts=[1, 98][: len(texts)])
    assert what is not None
    assert note in what.notes


def test_nothing_is_noted_of_plain_dates() -> None:
    what = found("2024-01-31T12:00:00Z", "2024-02-01")
    assert what is not None
    assert what.notes == ()


@given(st.datetimes(), st.sampled_from("T "), st.sampled_from(DAY_ORDERS))
def test_any_time_written_by_python_is_read_back(time: datetime.datetime, sep: str, name: str) -> None:
    values, odd = dates.read(column(time.isoformat(sep=sep)), name)
    assert not odd.any()
    since = time - datetime.datetime(1970, 1, 1)
    assert values[0] == pytest.approx(since.total_seconds(), abs=1e-4)


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: datetime.timezone(datetime.timedelta(minutes=m)))


@given(st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 1, 1), timezones=OFFSETS))
def test_any_time_with_an_offset_written_by_python_is_read_back(time: datetime.datetime) -> None:
    values, odd = dates.read(column(time.isoformat()), "year-month-day")
    assert not odd.any()
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    assert values[0] == pytest.approx((time - epoch).total_seconds(), abs=1e-4)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("%d/%m/%Y %H:%M:%S", "day-month-year"),
        ("%m/%d/%Y %I:%M:%S %p", "month-day-year"),
        ("%d.%m.%y %H:%M:%S", "day-month-year"),
        ("%a, %d %b %Y %H:%M:%S", "day-month-year"),
        ("%A, %B %d, %Y %I:%M:%S %p", "month-day-year"),
        ("%d-%b-%y %H.%M.%S", "day-month-year"),
        ("%c", "month-day-year"),
        ("%Y%m%d%H%M%S", "yyyymmdd"),
        ("%Y%m%dT%H%M%S", "year-month-day"),
        ("%y-%m-%d %H:%M:%S", "two-digit-year-month-day"),
    ],
)
@settings(max_examples=30)
@given(time=st.datetimes(datetime.datetime(1969, 1, 1), datetime.datetime(2068, 12, 31)))
def test_what_strftime_writes_is_read_as_strptime_reads_it(form: str, name: str, time: datetime.datetime) -> None:
    written = time.strftime(form)
    values, _ = dates.read(column(written), name)
    expected = datetime.datetime.strptime(written, form).replace(tzinfo=datetime.timezone.utc)
    assert values.tolist() == [expected.timestamp()]


@given(st.lists(st.text(st.sampled_from("0123456789-/.: TWQShapm+Zjanfevr"), max_size=20), min_size=1, max_size=20))
def test_any_text_is_either_read_or_odd(texts: list[str]) -> None:
    for name in dates.ORDERS:
        values, odd = dates.read(column(*texts), name)
        assert (np.isnan(values) == odd).all()
    what = found(*texts)
    if what is not None and what.order:
        assert (dates.read(column(*texts), what.order)[1] == what.odd).all()


def test_columns_of_many_and_of_few_different_cells_are_read_alike() -> None:
    days = pd.date_range("1950-01-01", periods=20_000, freq="D")
    texts = pa.array([*days.strftime("%d/%m/%Y"), "x", None], pa.large_string())
    many, odd = dates.read(pa.chunked_array([texts[:7], texts[7:]]), "day-month-year")
    np.testing.assert_array_equal(many[:-2], (days - pd.Timestamp("1970-01-01")).total_seconds())
    assert np.flatnonzero(odd).tolist() == [20_000]
    rows = np.arange(50_000) % 100
    few, _ = dates.read(pa.chunked_array([texts.take(pa.array(rows))]), "day-month-year")
    np.testing.assert_array_equal(few, many[rows])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (datetime.date(2024, 1, 31), times("2024-01-31")[0]),
        (datetime.datetime(2024, 1, 31, 12, 0, 0, 500_000), times("2024-01-31 12:00:00.5")[0]),
    ],
)
def test_cells_of_a_type_of_dates_are_read_by_every_order_but_times_of_day(cell: object, expected: float) -> None:
    for name in dates.ORDERS:
        values, odd = dates.read(column(cell, None), name)
        if name == "time of day" and not isinstance(cell, datetime.datetime):
            assert odd.tolist() == [True, False]
        elif name == "time of day":
            np.testing.assert_array_equal(values, [expected % 86400, np.nan])
        else:
            np.testing.assert_array_equal(values, [expected, np.nan])
            assert not odd.any()


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("ns")])
def test_cells_of_a_type_of_times_are_times_of_day(kind: pa.DataType) -> None:
    cells = column(datetime.time(1, 2, 3), None, kind=kind)
    values, odd = dates.read(cells, "time of day")
    np.testing.assert_array_equal(values, [3723.0, np.nan])
    assert not odd.any()
    assert dates.read(cells, "year-month-day")[1].tolist() == [True, False]


def test_other_types_are_odd() -> None:
    assert dates.read(column(1.5, None), "year-month-day")[1].tolist() == [True, False]
    assert dates.read(column([1], None), "time of day")[1].tolist() == [True, False]
