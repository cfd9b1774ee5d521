"""The words of the blackboard: complete in every language, with the same fields, and set as French is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from chains import ALONE

from reseau.blackboard import words
from reseau.exercises import words as exercise_words
from reseau.formulas import words as formula_words
from reseau.formulas.trees import Symbol
from reseau.formulas.words import LANGUAGES, Same, Words
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Dropout, Layer, LayerNorm
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS

# One of every kind, and what a kind says else with other values.
KINDS = (*ALONE, LayerNorm(bias=False), Dropout(0.5))


def words_of(layer: Layer) -> Iterator[Words]:
    """What a kind of layer says on the blackboard."""
    yield layer.words
    yield from (tensor.words for tensor in layer.tensors(3))
    for section in layer.equations(Symbol("A", "a")):
        for equation in section:
            yield from [equation.words] if equation.words else []
            yield from (slip.words for slip in equation.slips)


CATALOGUE: dict[str, Words] = {
    **{f"{layer}: {entry.en}": entry for layer in KINDS for entry in words_of(layer)},
    **{name: value for name, value in vars(words).items() if isinstance(value, Words)},
    **{f"{name} of exercises": value for name, value in vars(exercise_words).items() if isinstance(value, Words)},
    **{
        f"{name} of the tables": entry.words
        for table in (ACTIVATIONS, LOSSES, OPTIMIZERS)
        for name, entry in table.items()  # type: ignore[attr-defined]
    },
    **{f"{name} of formulas": value for name, value in vars(formula_words).items() if isinstance(value, Words)},
    **{f"{name} of functions": value for name, value in formula_words.FUNCTIONS.items()},
}
EVERY = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)


def fields(text: str) -> set[Any]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def test_the_catalogue_is_found():
    assert len(CATALOGUE) > 80
    assert {"TITLE", "FALLS", "relu of the tables", "sgd of the tables", "ELSE of formulas"} <= set(CATALOGUE)


def test_nothing_is_said_in_one_language_only():
    alone = {name for name, value in vars(words).items() if isinstance(value, str) and not name.startswith("_")}
    assert alone <= {"annotations"}


@EVERY
def test_every_entry_has_a_text_in_every_language(entry):
    assert LANGUAGES == ("en", "fr")
    for lang in LANGUAGES:
        assert entry.in_(lang).strip(), lang


@EVERY
def test_the_fields_are_the_same_in_every_language_and_have_names(entry):
    assert fields(entry.en) == fields(entry.fr)
    assert "" not in fields(entry.en)


@EVERY
def test_french_differs_from_english_but_where_it_is_said_to_be_the_same(entry):
    assert (entry.en == entry.fr) is isinstance(entry, Same)


@EVERY
def test_french_has_a_space_that_does_not_break_before_its_double_signs(entry):
    text = entry.in_("fr")
    for found in re.finditer(r"(\s?)([:;?!»])(?=\s|$)", text):
        expected = "\N{NO-BREAK SPACE}" if found[2] in ":»" else "\N{NARROW NO-BREAK SPACE}"
        assert found[1] == expected, f"{found[0]!r} in {text!r}"
    assert not re.search("«(?!\N{NO-BREAK SPACE})", text)
    assert not re.search(r"(?<!«)\N{NO-BREAK SPACE}(?![:%»])|\N{NARROW NO-BREAK SPACE}(?![;?!])", text)


@EVERY
def test_english_has_no_space_before_its_signs(entry):
    assert not re.search(r"\s[:;?!,.]", entry.en.strip()) or entry.en in (", or ",)


@EVERY
def test_apostrophes_and_quotation_marks_are_typographic(entry):
    for lang in LANGUAGES:
        assert "'" not in entry.in_(lang)
        assert '"' not in entry.in_(lang)


@EVERY
def test_texts_have_single_spaces_and_say_minus_with_its_sign(entry):
    for text in (entry.en, entry.fr):
        assert "  " not in text
        assert not re.search(r"\s-\s|(?<!\w)-\d", text)


@EVERY
def test_a_sentence_ends_alike_in_both_languages(entry):
    if entry == formula_words.DECIMAL_MARK:
        return
    ends = {re.sub(r"[^.:?]", "", text.strip()[-1:]) for text in (entry.en, entry.fr)}
    assert len(ends) == 1
