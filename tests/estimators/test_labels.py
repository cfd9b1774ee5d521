"""Class labels keep their value and type; what is no label is refused with its place and the way out."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score

import reseau as rs
from reseau.estimators import labels

ROWS = 30
k = np.arange(ROWS) % 3
X = np.eye(6)[np.arange(ROWS) % 6] + np.random.default_rng(0).normal(size=(ROWS, 6)) / 10  # so that 2 or 3 are learnt
BIG = 2**53  # the first whole number that float64 cannot tell from its neighbour


@pytest.fixture(autouse=True)
def _unfinished_fits_are_fine() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def classifier(**settings: Any) -> rs.MLPClassifier:
    return rs.MLPClassifier(**{"hidden_layer_sizes": (8,), "solver": "lbfgs", "random_state": 0, **settings})


def cycled(*values: Any) -> list[Any]:
    """These values, over and over."""
    return [values[i % len(values)] for i in range(ROWS)]


IDS = cycled(BIG, BIG + 1, BIG + 2)
UNSIGNED = cycled(2**63, 2**63 + 1, 2**64 - 1)
TAKEN: dict[str, tuple[Any, list[Any], str]] = {
    "a list of large ids": (IDS, IDS, "int64"),
    "int64": (np.array(IDS), IDS, "int64"),
    "uint64": (np.array(UNSIGNED, np.uint64), UNSIGNED, "uint64"),
    "a list beyond int64": (UNSIGNED, UNSIGNED, "uint64"),
    "a list on both sides": (cycled(2**63 + 1, 5, 2**63), cycled(2**63 + 1, 5, 2**63), "uint64"),
    "a list that no type holds": (cycled(2**63, -1, 2**63 + 1), cycled(2**63, -1, 2**63 + 1), "object"),
    "a list beyond 64 bits": (cycled(2**70, 2**70 + 1, 3), cycled(2**70, 2**70 + 1, 3), "object"),
    "pandas Int64": (pd.Series(IDS, dtype="Int64"), IDS, "int64"),
    "pandas UInt64": (pd.Series(UNSIGNED, dtype="UInt64"), UNSIGNED, "uint64"),
    "pandas on pyarrow": (pd.Series(IDS, dtype="int64[pyarrow]"), IDS, "int64"),
    "pyarrow": (pa.array(IDS), IDS, "int64"),
    "pyarrow in pieces": (pa.chunked_array([IDS[:7], IDS[7:]]), IDS, "int64"),
    "polars": (pl.Series(IDS), IDS, "int64"),
    "objects that are ints": (pd.Series(cycled(1, 2, 7), dtype=object), cycled(1, 2, 7), "int64"),
    "objects that are NumPy's": (np.array(cycled(np.int8(1), np.int8(2)), object), cycled(1, 2), "int8"),
    "objects that are booleans": (pd.Series(cycled(True, False), dtype=object), cycled(True, False), "bool"),
    "whole floats": (cycled(1.0, 2.0, 4), cycled(1.0, 2.0, 4.0), "float64"),
    "half precision": (np.array(cycled(1, 2), np.float16), cycled(1.0, 2.0), "float16"),
    "pandas string": (pd.Series(cycled("a", "b", "Île"), dtype="string"), cycled("a", "b", "Île"), "object"),
    "categories": (pd.Series(cycled("a", "b"), dtype="category"), cycled("a", "b"), "object"),
    "a list of text": (cycled("a", "bb"), cycled("a", "bb"), "<U2"),
    "NumPy's text": (np.array(cycled("a", "bb"), np.dtypes.StringDType()), cycled("a", "bb"), "object"),
    "a frame of one column": (pd.DataFrame({"y": IDS}), IDS, "int64"),
    "dates": (np.array(cycled("2020", "2021"), "M8[D]"), np.array(cycled("2020", "2021"), "M8[D]").tolist(), "<M8[D]"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.filterwarnings("ignore:A column-vector")
def test_labels_come_back_with_their_value_and_type(name: str) -> None:
    y, expected, dtype = TAKEN[name]
    model = classifier().fit(X, y)
    assert model.classes_.dtype == np.dtype(dtype)
    assert model.classes_.tolist() == sorted(set(expected))
    assert model.predict(X).tolist() == expected
    assert model.score(X, y) == 1.0
    by_parts = classifier(solver="adam").partial_fit(X, y, classes=model.classes_)
    assert by_parts.partial_fit(X, y).classes_.tolist() == model.classes_.tolist()
    steps: dict[str, Any] = {
        "learning_rate_init": 0.05,
        "max_iter": 60,
        "n_iter_no_change": 60,
        "validation_fraction": 0.2,
    }
    stopped = classifier(solver="adam", early_stopping=True, **steps).fit(X, y)
    assert stopped.score(X, y) > 0.8


@pytest.mark.parametrize("name", [name for name in TAKEN if name != "dates"])
@pytest.mark.filterwarnings("ignore:A column-vector")
def test_a_file_brings_them_back_too(name: str, tmp_path: Path) -> None:
    y, _, _ = TAKEN[name]
    model = classifier(solver="adam", max_iter=2).fit(X, y)
    model.save(tmp_path / "model.reseau")
    again = rs.load(tmp_path / "model.reseau")
    assert again.classes_.dtype == model.classes_.dtype
    assert [type(label) for label in again.classes_.tolist()] == [type(label) for label in model.classes_.tolist()]
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert again.partial_fit(X, y).t_ == 3 * ROWS


TYPES = [np.int64, np.uint64, object, "Int64", "UInt64"]


@pytest.mark.parametrize("then", TYPES)
@pytest.mark.parametrize("first", TYPES)
def test_ids_of_one_type_are_those_of_another(first: Any, then: Any) -> None:
    one, other = (pd.Series(IDS).astype(each) for each in (first, then))
    model = classifier(warm_start=True).fit(X, one)
    assert model.score(X, other) == 1.0
    model.fit(X, other)
    assert model.predict(X).tolist() == IDS
    with pytest.raises(rs.DataError, match=rf"{BIG + 3} at row 1"):
        model.set_params(solver="adam").partial_fit(X, np.where(k == 1, other.to_numpy() + 3 - 1, other.to_numpy()))


def test_floats_are_those_whole_numbers_alone_that_they_are() -> None:
    classes = np.array([BIG, BIG + 1, BIG + 2])
    assert labels.number(np.array([BIG, BIG + 2], float), classes).tolist() == [0, 2]
    assert labels.number(classes, np.array([BIG, BIG + 2], float)).tolist() == [0, -1, 1]
    assert labels.number(np.array([True, False]), np.array([0, 1], np.uint8)).tolist() == [1, 0]
    assert labels.number(np.array([2**64 - 1], np.uint64), np.array([-1])).tolist() == [-1]


REFUSED: dict[str, tuple[Any, str]] = {
    "text with None": (np.array(cycled("a", None), object), "no label at row 1: it is None. Leave out"),
    "a list with None": (cycled("a", "b", None), "no label at row 2: it is None"),
    "text with NaN": (np.array(cycled("a", float("nan")), object), "no label at row 1: it is nan"),
    "text with NA": (pd.Series(cycled("a", None), dtype="string"), "no label at row 1: it is <NA>"),
    "Int64 with NA": (pd.Series(cycled(BIG, None), dtype="Int64"), "no label at row 1"),
    "pyarrow with null": (pa.array(cycled(BIG, None)), "no label at row 1"),
    "polars with null": (pl.Series(cycled("a", None)), "no label at row 1"),
    "booleans with None": (pd.Series(cycled(True, None), dtype=object), "no label at row 1"),
    "categories with NaN": (pd.Series(cycled("a", None), dtype="category"), "no label at row 1"),
    "dates with NaT": (np.array(cycled("2020", "NaT"), "M8[D]"), "no label at row 1: it is NaT"),
    "masked labels": (np.ma.array(k, mask=np.arange(ROWS) == 4), "no label at row 4: it is masked"),
    "numbers and text": (cycled(1, "a"), "mixes labels of types int, str: 1 at row 0, 'a' at row 1"),
    "booleans and numbers": (cycled(2, True), "mixes labels of types bool, int"),
    "fractions": (cycled(1.0, 0.5), "Unknown label type: continuous.*0.5 at row 1.*MLPRegressor"),
    "infinity": (cycled(1.0, np.inf), "inf at row 1"),
    "bytes": (np.array(cycled(b"a", b"b")), "decode"),
    "objects that are bytes": (cycled("a", b"b"), "b'b' at row 1, of type bytes.*decode"),
    "decimals": (cycled(Decimal(1), Decimal(2)), r"Decimal\('1'\) at row 0, of type Decimal.*y.astype\(str\)"),
    "days": (cycled(datetime.date(2020, 1, 1)), r"row 0, of type date.*y.astype\(str\)"),
    "lists of labels": (cycled(["a"], ["a", "b"]), "MultiLabelBinarizer"),
    "columns of fractions": (np.c_[k, k + 0.5], "0.5 at row 0, column 1"),
    "sparse indicators of 2": (
        scipy.sparse.csr_array(2 * np.eye(ROWS, 3, dtype=int)),
        r"holds 2 at row 0, column 0.*y.toarray\(\)",
    ),
    "complex numbers": (k * 1j, "of type complex128"),
    "a single text": ("abc", "of type str, but must be an array or list"),
    "a generator": (iter(k), "of type .*iterator, but must be an array or list"),
}


@pytest.mark.parametrize("how", ["fit", "partial_fit", "score"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_label_is_refused_with_its_row_and_what_to_do(name: str, how: str) -> None:
    y, words = REFUSED[name]
    model = classifier(solver="adam", max_iter=2)
    if how == "score":
        model.fit(X, k)
    with pytest.raises(rs.DataError, match=words):
        getattr(model, how)(X, y, **({"classes": [0, 1]} if how == "partial_fit" else {}))


@pytest.mark.parametrize(
    "classes",
    [{2, 0, 1}, frozenset((0, 1, 2)), range(3), {0: "a", 1: "b", 2: "c"}, (i for i in (2, 1, 0)), pd.Index([0, 1, 2]),
     pd.Series([0, 1, 2, 2], dtype="Int64"), pa.array([0, 1, 2]), np.array([0, 1, 2], np.uint64)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_classes_may_be_anything_that_lists_them(classes: Any) -> None:
    model = classifier(solver="adam").partial_fit(X, k, classes=classes)
    assert model.classes_.tolist() == [0, 1, 2]
    model.partial_fit(X, k, classes=[2, 1, 0]).partial_fit(X, k)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([0, np.nan], "classes has no label at place 1: it is nan"),
        (["a", None], "classes has no label at place 1"),
        ([0, "a"], "classes mixes labels of types int, str"),
        ([], r"classes has shape \(0,\)"),
        ([[0, 1]], r"classes has shape \(1, 2\)"),
        ("ab", "classes is 'ab'"),
        (3, "classes is 3"),
        (np.array(None, dtype=object), r"classes has shape \(\)"),
        (scipy.sparse.coo_matrix([[1, 2]]), "classes cannot be read as an array"),
        (None, "classes must be passed"),
    ],
    ids=str,
)
def test_classes_that_are_none_are_refused(classes: Any, words: str) -> None:
    with pytest.raises(rs.ParameterError, match=words):
        classifier(solver="adam").partial_fit(X, k, classes=classes)


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (k, k.astype(str), r"y holds text, such as '0' at row 0, but .* numbers: \[0, 1, 2\]; .*astype\(int\)"),
        (k.astype(str), k, r"y holds numbers, such as 0 at row 0, but .* text: \['0', '1', '2'\]; .*\(str\)"),
        (k.astype(str), k == 1, "y holds numbers, such as False at row 0"),
        (k, np.c_[k == 0, k == 1], r"y is a matrix of 2 labels a row, but .* is for one label a row: \[0, 1, 2"),
        (np.c_[k == 0, k == 1], k % 2, "y is one label a row, but the estimator is for a matrix of 2 labels a row"),
        (np.c_[k == 0, k == 1], np.c_[k == 0, k == 1, k == 2], "a matrix of 3 labels a row, but .* a matrix of 2"),
        (k == 1, k, r"2 at row 2. `self.classes_` has \[False, True\]"),
    ],
    ids=["text for ints", "ints for text", "bools for text", "indicators", "labels", "more columns", "ints for bools"],
)  # fmt: skip
def test_another_kind_of_labels_than_before_is_told_in_words_that_do_not_contradict(
    first: Any, then: Any, words: str
) -> None:
    model = classifier(solver="adam", max_iter=2).fit(X, first)
    with pytest.raises(rs.DataError, match=words):
        model.partial_fit(X, then)


def test_many_classes_are_warned_of_unless_they_were_declared() -> None:
    many = np.arange(ROWS) // 1.5 // 1
    with pytest.warns(UserWarning, match="unique classes is greater than 50%") as caught:
        classifier(solver="adam", max_iter=3, early_stopping=True, validation_fraction=0.8).fit(X, many)
    assert sum("unique classes" in str(warning.message) for warning in caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = classifier(solver="adam").partial_fit(X, many, classes=np.unique(many))
        model.partial_fit(X, many)
        model.score(X, many)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_the_score_is_scikit_learn_s_accuracy(several: bool, weighted: bool) -> None:
    y = np.c_[k == 0, k == 1].astype(int) if several else k
    s = np.random.default_rng(1).uniform(size=ROWS) if weighted else None
    model = classifier(solver="adam", max_iter=3).fit(X, y)
    expected = accuracy_score(y, model.predict(X), sample_weight=s)
    assert 0 < expected < 1
    assert model.score(X, y, s) == expected
    if several:
        assert model.score(X, scipy.sparse.csr_array(y), s) == expected
    theirs = neural_network.MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    assert model.score(X, y, s) == theirs.score(X, y, s)


def test_labels_that_differ_in_zeros_at_their_end_alone_are_different() -> None:
    texts = ["a", "a\0", "b"] * 10
    model = rs.MLPClassifier(max_iter=1).fit(X[:30], texts)
    assert model.classes_.tolist() == ["a", "a\0", "b"]
    assert model.score(X[:30], texts) == np.mean(model.predict(X[:30]) == np.array(texts, dtype=object))


@pytest.mark.parametrize("values", [[0, 1, 2], [False, True, True], ["a", "b", "c"]])
def test_a_list_of_arrays_of_one_label_each_is_taken(values: list[Any]) -> None:
    model = rs.MLPClassifier(max_iter=1).fit(X[:30], [np.array(value) for value in values] * 10)
    assert model.classes_.tolist() == sorted(set(values))


@pytest.mark.parametrize("call", ["partial_fit", "score"])
def test_durations_are_no_dates(call: str) -> None:
    days = np.arange(30) % 3
    dates, durations = days.astype("M8[D]"), days.astype("m8[D]")
    for known, other, words in ((dates, durations, "durations, .*dates"), (durations, dates, "dates, .*durations")):
        model = rs.MLPClassifier(max_iter=1).fit(X[:30], known)
        with pytest.raises(rs.DataError, match=words):
            getattr(model, call)(X[:30], other)


def test_a_list_s_masked_label_is_missing_and_so_is_nan_in_a_sparse_matrix() -> None:
    with pytest.raises(rs.DataError, match="y has no label at row 1"):
        rs.MLPClassifier().fit(X[:2], [0, np.ma.masked])
    with pytest.raises(rs.DataError, match="y has no label at row 1, column 0: it is nan"):
        rs.MLPClassifier().fit(X[:2], scipy.sparse.csr_matrix([[0.0, 1.0], [np.nan, 1.0]]))


def test_text_where_booleans_were_learnt_is_converted_as_is_told() -> None:
    flags = np.arange(30) % 2 == 1
    model = rs.MLPClassifier(max_iter=1).fit(X[:30], flags)
    y = flags.astype(str)
    with pytest.raises(rs.DataError, match=r"convert with \(y == 'True'\)"):
        model.partial_fit(X[:30], y)
    assert model.partial_fit(X[:30], (y == "True")).classes_.tolist() == [False, True]
