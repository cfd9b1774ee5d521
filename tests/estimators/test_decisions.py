"""decision_function: the scores of which probabilities are made; and validation rows by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True)
FAST: dict[str, Any] = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 30, "learning_rate_init": 0.02}
SEVERAL = np.stack([SPECIES > 0, SPECIES == 2, SPECIES == 1], axis=1).astype(int)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize(
    ("y", "shape"),
    [(np.where(SPECIES > 1, "b", "a"), (150,)), (SPECIES, (150, 3)), (SEVERAL, (150, 3)), (SPECIES * 0, (150,))],
    ids=["two", "three", "several", "one"],
)
def test_the_scores_are_those_of_which_the_probabilities_are_made(
    y: Any, shape: Any, loss: str, dtype: Any, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    rows = X.astype(dtype)
    model = rs.MLPClassifier(**FAST, loss=loss).fit(rows, y)
    Z, P = model.decision_function(rows), model.predict_proba(rows)
    assert Z.shape == shape
    assert Z.dtype == dtype
    eps = np.finfo(dtype).eps
    if shape == (150, 3) and y.ndim == 1:
        np.testing.assert_allclose(scipy.special.softmax(Z, axis=1), P, rtol=50 * eps)
        np.testing.assert_array_equal(model.predict(rows), model.classes_[Z.argmax(axis=1)])
    else:
        np.testing.assert_allclose(scipy.special.expit(Z), P if y.ndim == 2 else P[:, 1], rtol=50 * eps)
        if y.ndim == 2:
            np.testing.assert_array_equal(model.predict(rows), Z > 0)
        elif len(model.classes_) == 2:
            np.testing.assert_array_equal(model.predict(rows), model.classes_[(Z > 0).astype(int)])
    np.testing.assert_array_equal(model.decision_function(scipy.sparse.csr_array(rows)), Z)
    W, b = model.coefs_, model.intercepts_
    by_hand = np.maximum(rows @ W[0] + b[0], 0) @ W[1] + b[1]
    np.testing.assert_allclose(Z, by_hand if Z.ndim == 2 else by_hand[:, 0], rtol=1e3 * eps, atol=1e3 * eps)


def test_the_scores_follow_changed_weights_and_partial_fit() -> None:
    model = rs.MLPClassifier(**FAST).partial_fit(X, SPECIES, classes=[0, 1, 2])
    first = model.decision_function(X)
    assert not np.array_equal(model.partial_fit(X, SPECIES).decision_function(X), first)
    model.coefs_ = [np.zeros_like(W) for W in model.coefs_]
    np.testing.assert_array_equal(model.decision_function(X), np.tile(model.intercepts_[-1], (150, 1)))
    with pytest.raises(rs.DataError, match="nan"):
        model.decision_function(np.where(X > 5, np.nan, X))


def test_scorers_and_calibration_take_the_scores() -> None:
    y = SPECIES > 1
    model = rs.MLPClassifier(**FAST).fit(X, y)
    assert get_scorer("roc_auc")(model, X, y) > 0.9
    calibrated = CalibratedClassifierCV(rs.MLPClassifier(**FAST), cv=3).fit(X, y)
    assert calibrated.score(X, y) > 0.8


def held_of(model: Any, X: Any, y: Any) -> Any:
    """The classes of the rows that early stopping takes aside."""
    seen: list[Any] = []
    model.set_params(early_stopping_metric=lambda m, X, y: seen.append(y) or 0.0, max_iter=1, early_stopping=True)
    model.fit(X, y)
    return seen[0]


def test_rows_of_any_number_of_classes_are_taken_aside_by_class() -> None:
    digits, y = load_digits(return_X_y=True)
    y = y.astype(str)
    held = held_of(rs.MLPClassifier(**FAST, stratify=True), digits, y)
    expected = train_test_split(y, test_size=0.1, stratify=y, random_state=1)[1]
    assert np.array_equal(*(np.unique(part, return_counts=True)[1] for part in (held, expected)))
    # without being asked to, it takes scikit-learn's
    random = np.random.RandomState(0)
    for shape in ((64, 6), 6, (6, 10), 10):  # drawn first: the weights and biases
        random.uniform(size=shape)
    expected = train_test_split(y, test_size=0.1, random_state=random)[1]
    np.testing.assert_array_equal(held_of(rs.MLPClassifier(**FAST), digits, y), expected)


def test_two_classes_are_taken_aside_alike_whether_asked_to_or_not() -> None:
    y = SPECIES > 1
    a, b, c = (held_of(rs.MLPClassifier(**FAST, stratify=each), X, y) for each in (None, True, False))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.6])
def test_rare_classes_keep_a_row_to_be_trained_on_and_others_their_share(fraction: float) -> None:
    y = np.concatenate([np.zeros(100, int), np.ones(60, int), [2, 3, 4, 4, 5, 5, 5]])
    Z = np.random.default_rng(0).normal(size=(len(y), 2))
    held = held_of(rs.MLPClassifier(**FAST, stratify=True, validation_fraction=fraction), Z, y)
    counts = np.bincount(held, minlength=6)
    assert counts.sum() == np.ceil(fraction * len(y))
    assert (counts < np.bincount(y)).all()
    shares = (np.bincount(y) - 1) * counts.sum() / (len(y) - 6)
    assert (abs(counts - shares) <= 1).all()


def test_more_classes_than_validation_rows_and_several_labels_are_taken_aside_too() -> None:
    y = np.repeat(np.arange(15), 10)
    assert len(np.unique(held_of(rs.MLPClassifier(**FAST, stratify=True, validation_fraction=0.05), X, y))) == 8
    held = held_of(rs.MLPClassifier(**FAST, stratify=True), X, SEVERAL)
    assert held.sum(axis=0).tolist() == [10, 5, 5]


def test_where_no_class_could_keep_a_row_it_is_refused() -> None:
    with pytest.raises(rs.DataError, match=r"take 2 of 5 .* aside, but each of 5 classes is to keep"):
        rs.MLPClassifier(early_stopping=True, stratify=True, validation_fraction=0.3).fit(X[:5], np.arange(5))
    with pytest.raises(rs.DataError, match="validation set is too small"):
        rs.MLPClassifier(early_stopping=True, stratify=True).fit(X[:9], SPECIES[:9])
    for y in ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1, 2, 2, 3]):
        with pytest.raises(rs.DataError, match=r"needs at least 2 rows in it, and validation_fraction=0\.1 of 9 .* 1;"):
            rs.MLPClassifier(early_stopping=True, stratify=True).fit(X[:9], y)
    with pytest.raises(rs.DataError, match="or take stratify=True, which leaves it for training"):
        rs.MLPClassifier(early_stopping=True).fit(X, np.where(np.arange(150) == 7, "rare", "common"))
    with pytest.raises(rs.ParameterError, match="stratify is 'yes', but must be True, False or None"):
        rs.MLPClassifier(stratify="yes").fit(X, SPECIES)
