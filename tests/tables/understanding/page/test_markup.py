"""Pieces of HTML, and numbers as a language writes them."""

from __future__ import annotations

import pytest

from reseau.formulas.words import Words
from reseau.tables.understanding.page.markup import Html, Language, joined, name, plain, short_of, tag, text

EN, FR = Language("en"), Language("fr")


def test_whatever_is_no_html_is_escaped():
    assert text('<b>"') == "&lt;b&gt;&quot;"
    assert text(Html("<b>")) == "<b>"
    assert tag("td", "a & b", tag("i", "<"), class_='"') == '<td class="&quot;">a &amp; b<i>&lt;</i></td>'
    assert joined("<", Html("<br/>")) == "&lt;<br/>"


def test_parts_of_words_are_escaped_unless_they_are_html():
    words = Words("{a} < {b}", "{b} ?")
    assert EN(words, a="<x>", b=tag("i", "{c}")) == "&lt;x&gt; &lt; <i>{c}</i>"
    assert FR(words, a="", b="1") == "1\N{NARROW NO-BREAK SPACE}?"


def test_a_name_has_a_direction_of_its_own_and_hides_nothing():
    assert name("\u202eabc") == "<bdi>\\u202eabc</bdi>"
    assert name("אב") == "<bdi>אב</bdi>"
    assert plain(name("a<b")) == "a&lt;b"


def test_the_middle_of_what_is_long_is_left_out():
    assert short_of("a" * 50 + "z" * 50, 20) == "aaaaaaaaaaaaa…zzzzzz"
    assert len(short_of("x" * 10**6)) == 160
    assert short_of("short", 5) == "short"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0.12345, "0.1235", "0,1235"),
        (2007, "2007", "2007"),
        (12346.0, "12,350", "12\N{NARROW NO-BREAK SPACE}350"),
        (-3.5, "−3.5", "−3,5"),
        (1.5e-9, "1.5·10⁻⁹", "1,5·10⁻⁹"),
        (float("nan"), "–", "–"),
    ],
)
def test_numbers_are_written_as_in_the_language(value, english, french):
    assert (EN.number(value), FR.number(value)) == (english, french)


def test_all_digits_of_a_count_are_told():
    assert EN.count(1234567) == "1,234,567"
    assert FR.count(1234567) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.5, "50.0%"), (1.0, "100.0%"), (0.0, "0.0%"), (0.99999, "> 99.9%"), (0.00001, "< 0.1%"), (-0.02, "−2.0%")],
)
def test_what_is_neither_nothing_nor_all_does_not_look_so(value, written):
    assert EN.share(value) == written
    assert FR.share(value) == written.replace(".", ",").replace("%", "\N{NO-BREAK SPACE}%")


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (0.98765, 0.0123, "0.988 ± 0.012"),
        (305.2, 12.4, "305 ± 12"),
        (241.83, 0.95, "241.83 ± 0.95"),
        (-0.0001, 0.1, "0.00 ± 0.10"),
        (3e-9, 1e-10, "3·10⁻⁹ ± 1·10⁻¹⁰"),
        (2.0, 0.0, "2 ± 0"),
    ],
)
def test_an_estimate_has_the_decimals_of_its_error(value, error, written):
    assert EN.estimate(value, error) == written
