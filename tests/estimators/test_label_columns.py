"""Several columns of classes in MLPClassifier, by the rules that scikit-learn's forests have for them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils.class_weight import compute_sample_weight

import reseau as rs
from reseau.models import to_python

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(240, 4))
colour = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
size = 2 * (X[:, 2] > 0).astype(int) + (X[:, 3] > 0)
Y = np.column_stack([colour, size])
NAMES = np.array(["red", "green", "blue"])

KINDS: dict[str, Any] = {
    "whole numbers": Y,
    "small whole numbers": Y.astype(np.uint8),
    "floats": Y.astype(float),
    "text": NAMES[np.column_stack([colour, size % 3])],
    "a frame": pd.DataFrame({"colour": NAMES[colour], "size": size + 10}),
    "lists": [[int(a), "abcd"[b]] for a, b in zip(colour, size, strict=True)],
    "objects": np.array([["abc"[a], bool(b % 2)] for a, b in zip(colour, size, strict=True)], dtype=object),
    "dates": np.array("2020-01-01", "M8[D]") + Y,
    "1 and 2 alone": Y % 2 + 1,
    "a column of one class": np.column_stack([colour, np.full(240, 7), size]),
}


def classifier(**parameters: Any) -> rs.MLPClassifier:
    return rs.MLPClassifier(
        **{"hidden_layer_sizes": (16,), "solver": "lbfgs", "random_state": 0, "max_iter": 60} | parameters
    )


@pytest.mark.parametrize("name", KINDS)
def test_labels_come_back_as_they_are(name: str, tmp_path: Path) -> None:
    y = KINDS[name]
    model = classifier().fit(X, y)
    columns = [np.asarray(y, dtype=object)[:, j] for j in range(np.shape(y)[1])]
    assert [of_column.tolist() for of_column in model.classes_] == [
        np.array(sorted(set(column))).tolist() if name != "dates" else sorted(set(column)) for column in columns
    ]
    found, given = model.predict(X), np.asarray(y, dtype=object)
    assert found.shape == given.shape
    assert {type(value) for value in found.astype(object).ravel()} == {type(value) for value in given.ravel()}
    assert model.score(X, y) == np.mean((found.astype(object) == given).all(axis=1)) > 0.95
    for P, logs, classes in zip(model.predict_proba(X), model.predict_log_proba(X), model.classes_, strict=True):
        assert P.shape == (240, len(classes))
        np.testing.assert_allclose(P.sum(axis=1), 1)
        with np.errstate(divide="ignore"):
            np.testing.assert_array_equal(logs, np.log(P))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), found)
    if name == "dates":
        return
    model.save(tmp_path / "model.reseau")
    loaded = rs.load(tmp_path / "model.reseau")
    np.testing.assert_array_equal(loaded.predict(X), found)
    assert loaded.predict(X).dtype == found.dtype


def test_what_comes_back_has_the_form_that_a_forest_gives() -> None:
    ours, theirs = (model.fit(X, Y) for model in (classifier(), RandomForestClassifier(5, random_state=0)))
    for a, b in zip(ours.classes_, theirs.classes_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [P.shape for P in ours.predict_proba(X)] == [P.shape for P in theirs.predict_proba(X)]
    assert ours.predict(X).shape == theirs.predict(X).shape
    assert MultiOutputClassifier(classifier()).fit(X, Y).score(X, Y) == pytest.approx(ours.score(X, Y), abs=0.02)
    assert (ours.n_outputs_, ours.out_activation_) == (7, "softmax")
    for Z, P in zip(ours.decision_function(X), ours.predict_proba(X), strict=True):
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        np.testing.assert_allclose(e / e.sum(axis=1, keepdims=True), P, atol=1e-12)


def test_the_loss_is_the_sum_of_the_columns_log_losses() -> None:
    model = classifier(alpha=0.0).fit(X, Y)
    of_columns = [log_loss(y, P) for y, P in zip(Y.T, model.predict_proba(X), strict=True)]
    assert model.loss_ == pytest.approx(sum(of_columns), rel=1e-6)
    assert model.network_.architecture.layers[-1].groups == (3, 4)


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam"},
        {"solver": "sgd", "learning_rate_init": 0.2},
        {"solver": "adam", "early_stopping": True, "n_iter_no_change": 60},
        {"solver": "adam", "early_stopping": True, "stratify": True, "early_stopping_metric": "loss"},
        {"loss": "squared_error"},
        {"loss": "focal"},
        {"loss": rs.CrossEntropy(label_smoothing=0.05)},
        {"hidden_layer_sizes": (100,), "hidden_layers": [rs.Dense(16), rs.LayerNorm()]},
        {"solver": "adam", "optimizer": rs.AdamW(0.02)},
        {"warm_start": True},
    ],
    ids=str,
)
def test_the_other_parameters_do_what_they_do_elsewhere(parameters: dict[str, Any]) -> None:
    rate = {"learning_rate_init": 0.02} if "optimizer" not in parameters and parameters.get("solver") == "adam" else {}
    model = classifier(max_iter=150, **{**rate, **parameters}).fit(X, Y)
    if "warm_start" in parameters:
        model.fit(X, Y)
    assert model.score(X, Y) > 0.9
    if "early_stopping" in parameters:
        assert len(model.validation_scores_) == model.n_iter_


def test_rows_weigh_the_product_of_their_classes_weights() -> None:
    weights = [{0: 3.0}, {2: 0.5, 3: 2.0}]
    asked = classifier(max_iter=20, class_weight=weights).fit(X, Y)
    told = classifier(max_iter=20).fit(X, Y, sample_weight=compute_sample_weight(weights, Y))
    np.testing.assert_array_equal(asked.network_.parameters, told.network_.parameters)
    balanced = classifier(max_iter=20, class_weight="balanced").fit(X, Y)
    told = classifier(max_iter=20).fit(X, Y, sample_weight=compute_sample_weight("balanced", Y))
    np.testing.assert_allclose(balanced.predict_proba(X)[0], told.predict_proba(X)[0], rtol=1e-6, atol=1e-9)


def test_partial_fit_is_told_the_classes_of_each_column() -> None:
    few, model = (Y < 2).all(axis=1), classifier(solver="adam", learning_rate_init=0.02)
    model.partial_fit(X[few], Y[few], classes=[[0, 1, 2], range(5)])  # of which only 0 and 1 are there
    assert [of_column.tolist() for of_column in model.classes_] == [[0, 1, 2], [0, 1, 2, 3, 4]]
    for _ in range(30):
        model.partial_fit(X, Y, classes=[range(3), range(5)])
    assert model.score(X, Y) > 0.8
    assert model.predict_proba(X)[1].shape == (240, 5)


def test_zeros_and_ones_stay_labels_of_which_a_row_may_have_several() -> None:
    model = classifier().fit(X, Y > 0)
    assert model.classes_.tolist() == [0, 1]
    assert model.predict_proba(X).shape == (240, 2)


def test_rows_of_zeros_and_ones_alone_are_scored_as_classes_where_there_are_more() -> None:
    few = (Y < 2).all(axis=1)
    model = classifier().fit(X, Y, X_val=X[few], y_val=Y[few])
    assert model.score(X[few], Y[few]) == np.mean((model.predict(X[few]) == Y[few]).all(axis=1))


def test_searches_and_cross_validation_take_them() -> None:
    assert cross_val_score(classifier(), X, Y, cv=2).mean() > 0.6
    search = GridSearchCV(classifier(), {"alpha": [1e-4, 1e4]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"alpha": 1e-4}
    assert clone(search.best_estimator_).fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("as_what", ["frame", "lists", "floats"])
def test_a_label_may_be_missing_in_one_column_alone(loss: str, as_what: str) -> None:
    unknown = np.random.default_rng(1).random(Y.shape) < 0.3
    y: Any = np.where(unknown, None, Y if as_what != "lists" else np.column_stack([NAMES[colour], size]).astype(object))
    y = {"frame": pd.DataFrame(y), "lists": y.tolist(), "floats": np.where(unknown, np.nan, Y)}[as_what]
    model = classifier(loss=loss, masked_targets=True, alpha=0.0).fit(X, y)
    assert [len(of_column) for of_column in model.classes_] == [3, 4]
    if as_what == "lists":
        assert {str(label) for label in model.classes_[0]} == set(NAMES)
    found = model.network_(X)
    right = np.column_stack([P.argmax(axis=1) for P in np.split(found, [3], axis=1)])
    places = np.column_stack([np.searchsorted(sorted(NAMES), NAMES[colour]) if as_what == "lists" else colour, size])
    some = ~unknown.all(axis=1)
    assert model.score(X, y) == np.mean(((right == places) | unknown).all(axis=1)[some]) > 0.9
    if loss == "log_loss":
        errors = [
            np.where(unknown[:, k], 0, -np.log(P[np.arange(240), places[:, k]]))
            for k, P in enumerate(model.predict_proba(X))
        ]
        assert model.loss_ == pytest.approx(sum(errors).mean(), rel=1e-6)


adam = {"solver": "adam", "max_iter": 2}
with_none = np.array(KINDS["objects"])
with_none[5, 1] = None

REFUSED: dict[str, tuple[Any, str]] = {
    "a class each": (
        lambda: classifier().fit(X, np.full((240, 2), 3)),
        r"2 columns with a single class each, \[3\], \[3\]",
    ),
    "one mapping": (lambda: classifier(class_weight={0: 1}).fit(X, Y), "give a list of 2 mappings"),
    "a mapping too few": (lambda: classifier(class_weight=[{0: 1}]).fit(X, Y), "has 1 mappings"),
    "a weight of none": (lambda: classifier(class_weight=[{0: 1}, {9: 1}]).fit(X, Y), r"class_weight\[1\] .* to 9"),
    "no classes": (lambda: classifier(**adam).partial_fit(X, Y), "classes must be passed"),
    "classes of one": (lambda: classifier(**adam).partial_fit(X, Y, classes=[0, 1, 2]), "give a list of 2 lists"),
    "too few classes": (
        lambda: classifier(**adam).partial_fit(X, Y, classes=[[0, 1], [0, 1, 2, 3]]),
        r"not in `self.classes_`: 2 at row \d+, column 0",
    ),
    "classes that mix": (
        lambda: classifier(**adam).partial_fit(X, Y, classes=[range(3), [0, "a"]]),
        r"classes\[1\], of column 1: classes mixes",
    ),
    "other classes later": (
        lambda: (
            classifier(**adam).partial_fit(X, Y, classes=[range(3), range(4)]).partial_fit(X, Y, classes=[range(3)] * 2)
        ),
        "not the same as on last call",
    ),
    "another kind of y": (
        lambda: classifier().fit(X, Y).score(X, colour),
        "one label a row, but .* 2 columns of classes",
    ),
    "more columns": (lambda: classifier().fit(X, Y).score(X, np.hstack([Y, Y])), "y is 4 columns of classes"),
    "columns for one": (lambda: classifier().fit(X, colour).score(X, Y), "y is 2 columns of classes, but .* one label"),
    "text for numbers": (lambda: classifier().fit(X, Y).score(X, Y.astype(str)), r"y\[:, 0\] holds text"),
    "nothing at all": (lambda: classifier().fit(X, with_none), "no label at row 5, column 1: it is None"),
    "mixed in a column": (
        lambda: classifier().fit(X, np.where(np.arange(480).reshape(240, 2) == 9, "x", Y.astype(object))),
        "mixes labels of types int, str: .* row 0, column 1, 'x' at row 4, column 1",
    ),
    "fewer rows": (lambda: classifier().fit(X, Y[:9]), "X has 240 rows but y has 9"),
    "warm, with less": (
        lambda: classifier(warm_start=True).fit(X, Y).fit(X, np.minimum(Y, 2)),
        r"`y` has \[0 1 2\] in column 1",
    ),
    "unknown in validation": (
        lambda: classifier().fit(X, Y, X_val=X, y_val=Y + 1),
        r"y_val holds 3 at row \d+, column 0",
    ),
    "sparse": (lambda: classifier().fit(X, scipy.sparse.csr_array(Y)), r"y.toarray\(\)"),
    "C": (lambda: classifier().fit(X, Y).to_c("model.c"), "no form in C; export its network_"),
    "ONNX": (lambda: classifier().fit(X, Y).to_onnx("model.onnx"), "no form in ONNX; export its network_"),
    "NumPy": (lambda: to_python(classifier().fit(X, Y), "model.py"), "no form in NumPy; export its network_"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_with_the_column(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call, words = REFUSED[name]
    with pytest.raises(rs.ReseauError, match=words):
        call()
    assert list(tmp_path.iterdir()) == []


def test_their_network_is_exported(tmp_path: Path) -> None:
    model = classifier().fit(X, Y)
    to_python(model.network_, tmp_path / "model.py")
    namespace: dict[str, Any] = {"__name__": "model", "__file__": str(tmp_path / "model.py")}
    exec((tmp_path / "model.py").read_text(), namespace)
    np.testing.assert_allclose(namespace["predict"](X), np.hstack(model.predict_proba(X)), atol=1e-12)
