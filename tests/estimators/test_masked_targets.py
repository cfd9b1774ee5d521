"""Targets that are missing, in the estimators: what counts is what scikit-learn's linear models make of the rest."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.class_weight import compute_class_weight

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
NUMBERS = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(80, 2))
LABELS = (NUMBERS > 0).astype(float)
MISSING = RNG.uniform(size=(80, 2)) < 0.3
MISSING[5] = True
WORDS = np.array(["low", "middle", "high"])[np.digitize(NUMBERS[:, 0], [-1, 1])]
LINEAR: dict[str, Any] = {
    "hidden_layer_sizes": (),
    "solver": "lbfgs",
    "max_iter": 5000,
    "tol": 1e-12,
    "random_state": 0,
    "masked_targets": True,
}


def test_each_output_of_a_regressor_is_learnt_from_the_rows_that_have_it(engine: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    s = RNG.uniform(0.5, 2, 80)
    model = rs.MLPRegressor(**LINEAR, alpha=0).fit(X, np.where(MISSING, np.nan, NUMBERS), s)
    for j in range(2):
        rows = ~MISSING[:, j]
        line = LinearRegression().fit(X[rows], NUMBERS[rows, j], s[rows])
        np.testing.assert_allclose(model.coefs_[0][:, j], line.coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_each_label_of_a_row_is_learnt_from_the_rows_that_have_it(kind: Any) -> None:
    missing: Any = -1 if kind is np.int64 else np.nan
    Y = np.where(MISSING, missing, LABELS).astype(kind)
    model = rs.MLPClassifier(**LINEAR, alpha=1.0).fit(X, Y)
    for j in range(2):
        rows = ~MISSING[:, j]
        line = LogisticRegression(C=1.0, tol=1e-10).fit(X[rows], LABELS[rows, j])
        np.testing.assert_allclose(model.coefs_[0][:, j], line.coef_[0], rtol=1e-3, atol=1e-4)
    assert model.predict(X).dtype == np.int64
    decided = model.predict(X)
    right = ((decided == LABELS) | MISSING).all(axis=1)[~MISSING.all(axis=1)]
    assert model.score(X, Y) == right.mean()


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("of", [2, 3])
def test_rows_without_a_label_change_nothing(loss: str, of: int) -> None:
    y = WORDS if of == 3 else np.where(WORDS == "low", "low", "high")
    there = ~MISSING[:, 0]
    labels = np.where(there, y.astype(object), None)
    options: dict[str, Any] = {**LINEAR, "alpha": 0.5, "loss": loss, "class_weight": "balanced"}
    model = rs.MLPClassifier(**options).fit(X, labels)
    few = rs.MLPClassifier(**{**options, "masked_targets": False}).fit(X[there], y[there])
    np.testing.assert_array_equal(model.classes_, few.classes_)
    np.testing.assert_allclose(model.predict_proba(X), few.predict_proba(X), atol=2e-4)
    assert model.score(X, labels) == few.score(X[there], y[there])


def test_balanced_weights_count_the_labels_that_are_there() -> None:
    y = np.where(np.arange(80) % 4 == 0, "a", "b")
    labels = [None if missing else label for label, missing in zip(y, MISSING[:, 0], strict=True)]
    there = ~MISSING[:, 0]
    found = compute_class_weight("balanced", classes=np.array(["a", "b"]), y=y[there])
    options: dict[str, Any] = {**LINEAR, "alpha": 0.3}
    balanced = rs.MLPClassifier(**options, class_weight="balanced").fit(X, labels)
    named = rs.MLPClassifier(**options, class_weight=dict(zip("ab", found, strict=True))).fit(X, labels)
    np.testing.assert_allclose(balanced.coefs_[0], named.coefs_[0], rtol=1e-6)


WHOLE = [1, 0, 1, 1, 0, 1]
LACKING = [1, 0, None, 1, 0, 1]


@pytest.mark.parametrize(
    "y",
    [
        LACKING,
        [1.0, 0.0, np.nan, 1.0, 0.0, 1.0],
        np.array([1, 0, np.nan, 1, 0, 1]),
        np.ma.masked_array(WHOLE, [0, 0, 1, 0, 0, 0]),
        pd.Series(LACKING, dtype="Int64"),
        pd.Series(LACKING, dtype="boolean"),
        pd.Series(LACKING, dtype="category"),
        pl.Series(LACKING),
        np.array(["1", "0", None, "1", "0", "1"], object),
        [[1], [0], [None], [1], [0], [1]],
        np.array(["2021-01-02", "2021-01-01", "NaT", "2021-01-02", "2021-01-01", "2021-01-02"], "M8[D]"),
    ],
    ids=range(11),
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_whatever_stands_for_a_missing_label_is_one(y: Any) -> None:
    model = rs.MLPClassifier((2,), max_iter=2, random_state=0, masked_targets=True).fit(X[:6], y)
    whole = rs.MLPClassifier((2,), max_iter=2, random_state=0).fit(X[:6], WHOLE, [1, 1, 0, 1, 1, 1])
    assert len(model.classes_) == 2
    assert model.score(X[:6], y) == whole.score(X[[0, 1, 3, 4, 5]], [1, 0, 1, 0, 1])
    with pytest.raises(rs.DataError, match=r"y has no label at row 2|y has masked values|y holds"):
        model.set_params(masked_targets=False).fit(X[:6], y)


@pytest.mark.parametrize(
    "Y",
    [
        pd.DataFrame({"a": [1.2, None, 0.7, 0.5], "b": [None, 0.3, 0.1, 0.2]}),
        pl.DataFrame({"a": [1.2, None, 0.7, 0.5], "b": [None, 0.3, 0.1, 0.2]}),
        [[1.2, None], [None, 0.3], [0.7, 0.1], [0.5, 0.2]],
        np.ma.masked_invalid([[1.2, np.nan], [np.nan, 0.3], [0.7, 0.1], [0.5, 0.2]]),
    ],
    ids=range(4),
)
def test_whatever_stands_for_a_missing_number_is_one(Y: Any) -> None:
    options: dict[str, Any] = {"hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0}
    model = rs.MLPRegressor(**options, masked_targets=True).fit(X[:4], Y)
    same = rs.MLPRegressor(**options, masked_targets=True).fit(
        X[:4], np.array([[1.2, np.nan], [np.nan, 0.3], [0.7, 0.1], [0.5, 0.2]])
    )
    np.testing.assert_array_equal(model.coefs_[0], same.coefs_[0])
    with pytest.raises(rs.DataError, match=r"y (holds|has) .*row [01], .*"):
        model.set_params(masked_targets=False).fit(X[:4], Y)


def test_r2_is_the_mean_of_that_of_each_output_over_the_rows_that_have_it() -> None:
    T, s = np.where(MISSING, np.nan, NUMBERS), np.arange(80.0)
    model = rs.MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0, masked_targets=True)
    model.fit(X, T)
    O = model.predict(X)
    each = [r2_score(NUMBERS[rows, j], O[rows, j], sample_weight=s[rows]) for j, rows in enumerate(~MISSING.T)]
    assert model.score(X, T, s) == pytest.approx(np.mean(each), rel=1e-12)
    assert model.score(X, NUMBERS) == r2_score(NUMBERS, O)


@pytest.mark.parametrize("metric", [None, "loss", "r2"])
def test_early_stopping_compares_what_is_there(metric: Any) -> None:
    T = np.where(MISSING, np.nan, NUMBERS)
    options: dict[str, Any] = {"hidden_layer_sizes": (4,), "random_state": 0, "masked_targets": True}
    model = rs.MLPRegressor(**options, early_stopping=True, early_stopping_metric=metric, max_iter=15)
    model.fit(X[:60], T[:60], X_val=X[60:], y_val=T[60:])
    assert np.isfinite(model.validation_scores_).all()
    assert np.isfinite(model.validation_loss_curve_).all()
    if metric == "r2":  # scikit-learn's knows of nothing missing: it gets whole rows
        one = model.set_params(max_iter=1).fit(X[:60], T[:60], X_val=X[60:], y_val=T[60:])
        rows = 60 + np.flatnonzero(~MISSING[60:].any(axis=1))
        assert one.validation_scores_[-1] == pytest.approx(r2_score(NUMBERS[rows], one.predict(X[rows])))
    held = rs.MLPRegressor(**options, early_stopping=True, max_iter=15).fit(X, T)
    assert np.isfinite(held.validation_scores_).all()
    words = np.where(MISSING[:, 0], None, WORDS.astype(object))
    options |= {"early_stopping": True, "early_stopping_metric": "balanced_accuracy", "max_iter": 5}
    classifier = rs.MLPClassifier(**options, validation_fraction=0.3).fit(X, words)
    assert np.isfinite(classifier.validation_scores_).all()


def test_validation_rows_without_targets_are_refused() -> None:
    T = np.where(np.arange(80) < 2, 1.0, np.nan)
    model = rs.MLPRegressor(hidden_layer_sizes=(2,), masked_targets=True, early_stopping=True, random_state=0)
    with pytest.raises(rs.DataError, match="early_stopping=True has for validation hold fewer than 2 targets"):
        model.fit(X, T)
    with pytest.raises(rs.DataError, match="y_val holds no target"):
        model.fit(X, X[:, 0], X_val=X, y_val=np.full(80, np.nan))
    with pytest.raises(rs.DataError, match="y has no label at all"):
        rs.MLPClassifier(masked_targets=True).fit(X, [None] * 80)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([None, 0, 1, 1.5], r"1\.5 at row 3"),
        ([None, 1.5, 0, 1], r"1\.5 at row 1"),
        ([None, "a", 2, "b"], r"mixes labels of types int, str: .*'a'.* at row"),
        ([None, 0, -1, np.inf], r"inf at row 3"),
    ],
)
def test_what_is_no_label_is_refused_by_its_place(y: Any, message: str) -> None:
    with pytest.raises(rs.DataError, match=message):
        rs.MLPClassifier(masked_targets=True).fit(X[:4], y)


def test_minus_one_is_a_class_where_a_row_has_one_label() -> None:
    model = rs.MLPClassifier((2,), masked_targets=True, max_iter=2).fit(X[:4], [-1, 1, None, 1])
    np.testing.assert_array_equal(model.classes_, [-1, 1])


def test_labels_beyond_those_known_are_refused_by_their_row() -> None:
    model = rs.MLPClassifier((2,), masked_targets=True, random_state=0)
    model.partial_fit(X[:4], ["a", None, "b", "c"], classes=["a", "b", "c"])
    model.partial_fit(X[:4], [None, "a", "a", None])
    with pytest.raises(rs.DataError, match="'d' at row 3"):
        model.partial_fit(X[:4], [None, "a", "a", "d"])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm", "br"])
def test_every_solver_takes_what_is_missing(solver: str) -> None:
    options: dict[str, Any] = {"hidden_layer_sizes": (3,), "activation": "tanh", "max_iter": 60, "random_state": 0}
    model = rs.MLPRegressor(**options, solver=solver, masked_targets=True).fit(X, np.where(MISSING, np.nan, NUMBERS))
    assert np.isfinite(model.loss_)
    start = rs.MLPRegressor(**options, solver="sgd", masked_targets=True).set_params(
        max_iter=1, learning_rate_init=1e-9
    )
    assert model.loss_ < start.fit(X, np.where(MISSING, np.nan, NUMBERS)).loss_


@pytest.mark.parametrize("loss", ["poisson", "gamma", "huber", "gaussian", rs.Quantile([0.2, 0.8])], ids=range(5))
def test_the_loss_is_that_of_what_is_there(loss: Any) -> None:
    y = np.exp(NUMBERS[:, 0])
    T = np.where(MISSING[:, 0], np.nan, y)
    options: dict[str, Any] = {
        "hidden_layer_sizes": (3,),
        "solver": "sgd",
        "max_iter": 1,
        "random_state": 0,
        "alpha": 0,
    }
    options |= {"learning_rate_init": 1e-12, "batch_size": 80}
    there = ~MISSING[:, 0]
    model = rs.MLPRegressor(loss, **options, masked_targets=True).fit(X, T)
    few = rs.MLPRegressor(loss, **{**options, "batch_size": int(there.sum())}).fit(X[there], y[there])
    assert model.loss_ == pytest.approx(few.loss_ * there.mean(), rel=1e-9)


def test_it_is_a_parameter_as_any_other(tmp_path: Path) -> None:
    T = np.where(MISSING, np.nan, NUMBERS)
    model = clone(rs.MLPRegressor(hidden_layer_sizes=(3,), masked_targets=True, max_iter=3, random_state=0)).fit(X, T)
    rs.save(model, tmp_path / "model.reseau")
    for again in (rs.load(tmp_path / "model.reseau"), pickle.loads(pickle.dumps(model))):
        assert again.masked_targets is True
        again.partial_fit(X, T)
        np.testing.assert_array_equal(again.coefs_[0], clone(model).fit(X, T).partial_fit(X, T).coefs_[0])
    search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=KFold(3), error_score="raise").fit(X, T)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    with pytest.raises(rs.ParameterError, match="masked_targets is 'yes', but must be True or False"):
        clone(model).set_params(masked_targets="yes").fit(X, T)
    plain, masked = (
        rs.MLPRegressor(hidden_layer_sizes=(3,), masked_targets=m, max_iter=3, random_state=0) for m in (False, True)
    )
    np.testing.assert_array_equal(plain.fit(X, NUMBERS).coefs_[0], masked.fit(X, NUMBERS).coefs_[0])


def test_scores_of_other_targets_are_refused_in_a_sentence() -> None:
    T = np.where(MISSING, np.nan, NUMBERS)
    model = rs.MLPRegressor(hidden_layer_sizes=(2,), masked_targets=True, max_iter=2).fit(X, T)
    with pytest.raises(rs.DataError, match=r"y has shape \(80,\), but 2 number\(s\) a row are predicted"):
        model.score(X, T[:, 0])
    with pytest.raises(rs.DataError, match=r"X has 80 rows but y has 20"):
        model.score(X, T[:20])
    with pytest.raises(rs.DataError, match=r"y has no label at row 1: it is None\. .*masked_targets=True"):
        rs.MLPClassifier().fit(X[:3], ["a", None, "b"])


def test_a_loss_of_one_s_own_with_a_value_a_row_is_told_to_see_to_what_is_missing() -> None:
    def careless(O: Any, T: Any) -> Any:
        return ((O - T) ** 2).sum(axis=1), 2 * (O - T)

    def careful(O: Any, T: Any) -> Any:
        r = np.where(np.isnan(T), 0, O - T)
        return (r**2).sum(axis=1), 2 * r

    T = np.where(MISSING, np.nan, NUMBERS)
    options: dict[str, Any] = {"hidden_layer_sizes": (3,), "masked_targets": True, "max_iter": 3, "random_state": 0}
    with pytest.raises(rs.ParameterError, match=r"careless\) returned nan as the value of a row of which a"):
        rs.MLPRegressor(careless, **options).fit(X, T)
    table = rs.MLPRegressor("squared_error", **options).fit(X, T)
    np.testing.assert_allclose(
        rs.MLPRegressor(careful, **{**options, "alpha": 2e-4}).fit(X, T).loss_, 4 * table.loss_, rtol=0.02
    )


def test_labels_may_be_missing_in_one_column_of_classes_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    colour, size = np.where(X[:, 0] > 0, "red", "blue").astype(object), (X[:, 1] > 0).astype(int) + 2 * (X[:, 2] > 1)
    Y = np.column_stack([colour, size.astype(object)])
    Y[::4, 0], Y[1::4, 1] = None, None
    options = {"hidden_layer_sizes": (8,), "solver": "lbfgs", "alpha": 0.0, "max_iter": 300, "random_state": 0}
    model = rs.MLPClassifier(masked_targets=True, **options).fit(X, Y)
    assert [classes.tolist() for classes in model.classes_] == [["blue", "red"], [0, 1, 2, 3]]
    assert model.score(X, Y) > 0.98
    right = model.predict(X) == np.column_stack([colour, size.astype(object)])
    assert right.mean() > 0.95  # where the label was missing too
    with pytest.raises(rs.DataError, match=r"y has no label at row 0, column 0: .* masked_targets=True"):
        rs.MLPClassifier(**options).fit(X, Y)
    Y[:, 1] = None
    with pytest.raises(rs.DataError, match="y has no label at all in column 1"):
        rs.MLPClassifier(masked_targets=True, **options).fit(X, Y)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_rows_that_lack_a_label_of_a_column_are_left_out_of_a_scorer_and_of_what_is_enough_to_stop_early():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    Y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int).astype(object) + 1
    Y[:, 1][rng.random(100) < 0.3] = None
    scored = []

    def metric(model: Any, X: Any, y: Any) -> float:
        scored.append(len(X))
        return model.score(X, y)

    options = {"masked_targets": True, "max_iter": 2, "hidden_layer_sizes": (4,), "random_state": 0}
    model = rs.MLPClassifier(early_stopping=True, early_stopping_metric=metric, **options)
    model.fit(X, Y, X_val=X, y_val=Y)
    assert scored == [sum(label is not None for label in Y[:, 1])] * model.n_iter_
    few = np.full((100, 2), None, dtype=object)
    few[:4] = [[1, 2], [2, 1], [3, 2], [1, 1]]
    with pytest.raises(rs.DataError, match="hold fewer than 2 targets of each output that are not missing"):
        rs.MLPClassifier(early_stopping=True, validation_fraction=0.1, **options).fit(X, few)
