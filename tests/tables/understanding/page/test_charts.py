"""Drawings in SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from reseau.tables.understanding.page import charts
from reseau.tables.understanding.page.charts import Chart, Scale, nice
from reseau.tables.understanding.page.markup import Language

EN = Language("en")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.3, 9.7, [2, 4, 6, 8]),
        (-5.0, 1e5, [0, 20000, 40000, 60000, 80000, 100000]),
        (1e-9, 3e-9, [1e-9, 1.5e-9, 2e-9, 2.5e-9, 3e-9]),
    ],
)
def test_ticks_are_round_numbers_within_the_ends(low, high, expected):
    np.testing.assert_allclose(nice(low, high, 6), expected, rtol=1e-12, atol=1e-15)


def test_a_scale_goes_from_one_place_to_the_other_and_stays_between():
    np.testing.assert_allclose(Scale(0, 10, 100, 0)([0, 5, 10, 20]), [100, 50, 0, 0])
    np.testing.assert_allclose(Scale(1, 100, 0, 2, log=True)([1, 10, 100]), [0, 1, 2])
    np.testing.assert_allclose(Scale(3, 3, 0, 8)([3]), [4])
    np.testing.assert_allclose(Scale(-1.7e308, 1.7e308, 0, 2)([0.0]), [1])


def test_a_drawing_is_xml_that_says_what_is_seen():
    chart = Chart.of(EN, (0, 2), (0, 1))
    chart.line([0, 1, 2], [0, np.nan, 1], "a")
    chart.dots([0, 1], [0.5, 0.5], "b")
    chart.bars([0, 1, 2], [0.5, 1], "soft")
    drawn = chart.drawing("<told>", "a & b", "<bdi>share</bdi>", labels=["<one>", "two", "three"])
    root = ET.fromstring(drawn)
    assert root.attrib["role"] == "img"
    assert root[0].tag == "title"
    texts = [element.text for element in root.iter("text")]
    assert {"<one>", "two", "a & b"} <= set(texts)
    paths = [element.attrib["d"] for element in root.iter("path") if element.attrib.get("class") == "line a"]
    assert paths[0].count("M") == 2  # a gap where there is no number


def test_dots_are_one_path():
    chart = Chart.of(EN, (0, 1), (0, 1))
    chart.dots(np.linspace(0, 1, 500), np.linspace(0, 1, 500), "a")
    assert len(chart.shapes) == 1


def test_a_bar_and_a_small_histogram_are_drawn_whatever_the_numbers():
    for share, deviation in ((0.5, 0.1), (-1.0, 3.0), (2.0, 0.0)):
        ET.fromstring(charts.bar(share, "told", deviation=deviation))
    for heights in ([], [0, 0], [1, 10**9]):
        ET.fromstring(charts.spark(heights, "told"))


def test_numbers_at_an_axis_have_the_decimals_that_tell_them_apart():
    chart = Chart.of(EN, (1, 3), (5.7031, 5.7084))
    root = ET.fromstring(chart.drawing("told", "x", "y", whole=True))
    texts = [element.text for element in root.iter("text")]
    assert texts[:-2] == ["5.704", "5.705", "5.706", "5.707", "5.708", "1", "2", "3"]
    few = Chart.of(EN, (0, 1e-9), (0, 2))
    texts = [element.text for element in ET.fromstring(few.drawing("told", "x", "y", counts=True)).iter("text")]
    assert texts[:3] == ["0", "1", "2"]
    assert "2·10⁻¹⁰" in texts
