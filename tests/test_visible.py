"""Text from strangers: what steers a terminal, turns or hides text is escaped; the letters of the world stay."""

from __future__ import annotations

import pickle
import unicodedata

import pytest
import rich.cells

import reseau as rs
from reseau.visible import cell_len, visible

HOSTILE = {
    "\x1b]52;c;aGVsbG8=\x07": r"\x1b]52;c;aGVsbG8=\x07",  # writes the clipboard
    "\x1b]0;title\x1b\\": r"\x1b]0;title\x1b" + "\\",
    "\x9b2J": r"\x9b2J",  # clears the screen where C1 characters count
    "a\rb": r"a\rb",
    "a\b\bb": r"a\x08\x08b",
    "a\x00b": r"a\x00b",
    "a\x7fb": r"a\x7fb",
    "invoice\u202efdp.csv": r"invoice\u202efdp.csv",
    "\u2067a\u2069": r"\u2067a\u2069",
    "a\u200eb\u200f\u061c": r"a\u200eb\u200f\u061c",
    "a\u2028b\u2029c\x85": r"a\u2028b\u2029c\x85",
    "pass\u200bword\u2060\ufeff\xad": r"pass\u200bword\u2060\ufeff\xad",
    "pay\u200dpal\u200c": r"pay\u200dpal\u200c",
    "a\U000e0041\U000e007f": r"a\U000e0041\U000e007f",
    "\ud800 \udcff": r"\ud800 \udcff",
    "\u115f\u3164\uffa0": r"\u115f\u3164\uffa0",
}
HARMLESS = [
    "bill_length_mm",
    "état, œuvre, naïve : « où » — 10 °C",
    "e\u0301 n\u0303 q\u0303\u0331",  # combining marks
    "长度 ながさ 길이",
    "العمر می\u200cخواهم אורך",  # with the joiner that Persian writes
    "क्\u200dष",
    "👩\u200d🔬 ❤\ufe0f 👍🏽 🇫🇷 1\ufe0f\u20e3",
    "x\u00a0y\u202fz\u3000w",
    "葛\U000e0100",  # a variant of a character
    r"C:\new\table.csv",
    "[bold]<b>&amp;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_steers_turns_or_hides_is_escaped(text: str) -> None:
    assert visible(text) == HOSTILE[text]
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_letters_marks_and_emoji_stay(text: str) -> None:
    assert visible(text) == text


def test_lines_stay_lines_where_they_are_meant() -> None:
    assert visible("a\n\tb\r\n\x1b", lines=True) == "a\n\tb\\r\n\\x1b"
    assert visible("a\n\tb") == r"a\n\tb"


def test_no_control_or_direction_character_of_unicode_passes() -> None:
    bidirectional = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN")
    kept = [
        character
        for character in map(chr, range(0x110000))
        if (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"))
        or (unicodedata.bidirectional(character) in bidirectional and unicodedata.category(character) == "Cf")
        if visible(character) == character
    ]
    assert kept == []


@pytest.mark.parametrize("kind", [rs.ReseauError, rs.ParameterError, rs.DataError, rs.ModelFileError])
def test_the_message_of_every_error_is_safe_to_print(kind: type[rs.ReseauError]) -> None:
    error = kind("the column \x1b[2J\u202e is odd;\nrename it")
    assert str(error) == "the column \\x1b[2J\\u202e is odd;\nrename it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    "text", ["plain", "Δw₁₁⁽²⁾ = −γ ∂E/∂w", "été", "e\u0301te\u0301", "長さ 7", "「ｱ」", "👩 3", ""]
)
def test_a_text_takes_as_many_cells_of_a_terminal_as_rich_counts(text):
    assert cell_len(text) == rich.cells.cell_len(text)
