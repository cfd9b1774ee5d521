"""Pieces of texts against scikit-learn's, and their hash against its published parts."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from reseau.tables.columns import ngrams


def counted(*texts: str) -> np.ndarray:
    return ngrams.counted(pa.array(texts, pa.large_string())).toarray()


def fnv_1a(codes: list[int]) -> int:
    h = 0xCBF29CE484222325
    for code in codes:
        h = (h ^ code) * 0x100000001B3 % 2**64
    return h


def expected(pieces: Counter[str]) -> np.ndarray:
    counts = np.zeros(ngrams.SLOTS)
    for piece, count in pieces.items():
        h = fnv_1a(list(map(ord, piece)))
        h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD % 2**64  # the first half of fmix64
        h ^= h >> 33
        counts[h % ngrams.SLOTS] += -count if h >> 63 else count
    return counts


TEXTS = ["the cat sat on a mat, the mat", "x", "12 monkeys/12 rooms", "кот и пёс", "東京都 の 天気 です", "— !", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_are_those_of_scikit_learn_under_a_known_hash(text: str) -> None:
    assert fnv_1a(list(b"foobar")) == 0x85944171F73967E8  # as its authors give it
    analyse = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()
    words = " ".join(text.replace(",", " ").replace("/", " ").replace("—", " ").replace("!", " ").split())
    np.testing.assert_array_equal(counted(text)[0], expected(Counter(analyse(words.replace("ё", "е")))))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Économie à l'ÉTÉ", "economie a l ete"),
        (unicodedata.normalize("NFD", "Crème brûlée"), "CRÈME BRÛLÉE"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("Tiếng Việt", "tieng viet"),
        ("İstanbul", "istanbul"),
        ("  one\t two\n\n(three)  ", "one two three"),
        ("a-b_c.d…e«f»", "a b c d e f"),
        ("x²", "x2"),
    ],
)
def test_case_accents_and_what_is_between_words_make_no_difference(text: str, same: str) -> None:
    assert counted(same).any()
    np.testing.assert_array_equal(counted(text), counted(same))


@pytest.mark.parametrize("text", ["Straße", "œuvre", "हिन्दी", "日本語", "Ægir", "😀😀😀"])
def test_letters_of_their_own_are_kept(text: str) -> None:
    assert counted(text).any()
    assert (counted(text) != counted("strasse")).any()


def test_texts_are_counted_alike_however_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = counted(*TEXTS)
    monkeypatch.setattr(ngrams, "AT_ONCE", 10)
    np.testing.assert_array_equal(counted(*TEXTS), at_once)
    assert counted().shape == (0, ngrams.SLOTS)
