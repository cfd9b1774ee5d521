"""class_weight: the same as the weights of rows that scikit-learn makes of it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = (part[:120] for part in load_iris(return_X_y=True))  # the last class is rare
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
SEVERAL = np.stack([SPECIES > 0, SPECIES == 2], axis=1).astype(int)
S = np.random.default_rng(0).uniform(0, 2, 120)
FAST: dict[str, Any] = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 6}


def bytes_of(model: Any) -> bytes:
    return bytes(model.network_.parameters.tobytes())


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"warm_start": True}], ids=str)
@pytest.mark.parametrize(
    ("y", "weights"),
    [
        (NAMES, "balanced"),
        (NAMES, {"virginica": 5, "setosa": 0.5}),
        (NAMES, {"virginica": 0.0}),
        (NAMES, {}),
        (SPECIES, {2: 5.0, 0: 1}),
        (SPECIES.astype(float), {np.int64(2): np.float32(2.5)}),
        (SPECIES > 1, {True: 3, False: 1}),
        (SPECIES > 1, "balanced"),
        (SEVERAL, "balanced"),
        (SEVERAL, [{0: 1, 1: 3}, {1: 7}]),
        (np.zeros(120, int), "balanced"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str | dict | list) else f"{value.dtype} {value.ndim}",
)
def test_it_is_the_weight_of_the_rows_byte_for_byte(y: Any, weights: Any, settings: dict[str, Any]) -> None:
    asked = weights
    if isinstance(weights, dict) and y.ndim == 1:  # scikit-learn's looks up ints and texts alone
        keys = y.tolist()
        by_row = np.array([float(weights.get(key, 1)) for key in keys])
    else:
        by_row = compute_sample_weight(weights, y)
    ours = rs.MLPClassifier(class_weight=asked, **FAST, **settings).fit(X, y)
    theirs = rs.MLPClassifier(**FAST, **settings).fit(X, y, sample_weight=by_row)
    assert bytes_of(ours) == bytes_of(theirs)
    if settings.get("solver") != "lbfgs":
        assert ours.loss_curve_ == theirs.loss_curve_
    # beside other weights their product, where "balanced" counts rows by their weights
    if weights != "balanced":
        ours, theirs = ours.fit(X, y, S), theirs.fit(X, y, by_row * S)
        assert bytes_of(ours) == bytes_of(theirs)


def test_balanced_counts_rows_by_their_weights_as_scikit_learn_does() -> None:
    names = np.unique(NAMES)
    by_class = compute_class_weight("balanced", classes=names, y=NAMES, sample_weight=S)
    ours = rs.MLPClassifier(class_weight="balanced", **FAST).fit(X, NAMES, S)
    theirs = rs.MLPClassifier(**FAST).fit(X, NAMES, S * by_class[np.searchsorted(names, NAMES)])
    assert bytes_of(ours) == bytes_of(theirs)


def test_whole_weights_stand_for_repeated_rows() -> None:
    s = np.arange(120) % 3
    settings = {**FAST, "class_weight": "balanced", "solver": "lbfgs", "alpha": 0.0}
    weighted = rs.MLPClassifier(**settings).fit(X, NAMES, s)
    repeated = rs.MLPClassifier(**settings).fit(np.repeat(X, s, axis=0), np.repeat(NAMES, s))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-6)


def test_a_rare_class_is_found_by_it() -> None:
    y = np.random.default_rng(0).uniform(size=2000) < 0.03
    Z = np.random.default_rng(1).normal(size=(2000, 2)) + 1.2 * y[:, None]
    settings = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "random_state": 0}
    plain, weighted = (
        balanced_accuracy_score(y, rs.MLPClassifier(**settings, class_weight=w).fit(Z, y).predict(Z))
        for w in (None, "balanced")
    )
    assert weighted > plain + 0.1


def test_partial_fit_takes_a_mapping_of_all_classes_and_balances_nothing() -> None:
    weights = {"virginica": 4.0}
    by_row = np.where(NAMES == "virginica", 4.0, 1.0)
    classes = np.unique(NAMES)
    ours = rs.MLPClassifier(class_weight=weights, **FAST).partial_fit(X[:60], NAMES[:60], classes=classes)
    theirs = rs.MLPClassifier(**FAST).partial_fit(X[:60], NAMES[:60], by_row[:60], classes=classes)
    assert bytes_of(ours.partial_fit(X, NAMES)) == bytes_of(theirs.partial_fit(X, NAMES, by_row))
    with pytest.raises(rs.ParameterError, match="class_weight='balanced' is not supported for partial_fit"):
        ours.set_params(class_weight="balanced").partial_fit(X, NAMES)


def test_copies_and_files_keep_it(tmp_path: Path) -> None:
    for y, weights in (
        (NAMES, {"virginica": 2.0}),
        (SPECIES, {2: 0.5, 1: 3}),
        (SPECIES > 1, {True: 2}),
        (SEVERAL, [{1: 2.0}, {0: 0.5}]),
        (NAMES, "balanced"),
    ):
        model = rs.MLPClassifier(class_weight=weights, **FAST).fit(X, y)
        model.save(tmp_path / "model.reseau")
        for other in (clone(model), pickle.loads(pickle.dumps(model)), rs.load(tmp_path / "model.reseau")):
            assert other.get_params() == model.get_params()
            assert bytes_of(other.fit(X, y)) == bytes_of(model)


@pytest.mark.parametrize(
    ("y", "weights", "words"),
    [
        (NAMES, "balance", "class_weight is 'balance', but must be 'balanced', a mapping"),
        (NAMES, 3, "class_weight is 3, but must be 'balanced'"),
        (NAMES, {"rose": 2}, "class_weight gives a weight to 'rose', which is none of the classes: .'setosa', "),
        (NAMES, {0: 2}, "class_weight gives a weight to 0, which is none of the classes"),
        (SPECIES, {"2": 2}, "class_weight gives a weight to '2', which is none of the classes"),
        (SPECIES, {2: -1}, r"class_weight\[2\] is -1, but must be a finite number at least 0"),
        (SPECIES, {2: "a"}, r"class_weight\[2\] is 'a', but must be a finite number"),
        (SPECIES, {2: np.nan}, r"class_weight\[2\] is nan"),
        (SPECIES, {2.5: 1}, "class_weight holds 2.5 at place 0"),
        (SPECIES, {0: 0, 1: 0, 2: 0}, "class_weight holds only zeros"),
        (SPECIES, [{0: 1}], "y has one label a row; give one mapping"),
        (SEVERAL, {0: 1}, "y has 2 labels a row; give a list of 2 mappings"),
        (SEVERAL, [{0: 1}], "class_weight has 1 mappings, but y has 2 labels a row"),
        (SEVERAL, [{0: 1}, 3], r"class_weight\[1\] is 3, but must be a mapping"),
        (SEVERAL, [{0: 1}, {2: 3}], r"class_weight\[1\] gives a weight to 2, which is none of the classes: \[0, 1\]"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_name_and_changes_nothing(y: Any, weights: Any, words: str) -> None:
    model = rs.MLPClassifier(class_weight=weights, **FAST)
    with pytest.raises(rs.ReseauError, match=words):
        model.fit(X, y)
    assert not hasattr(model, "classes_")
