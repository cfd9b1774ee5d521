"""Validation rows: given to fit or taken aside, their loss after each epoch, and what early stopping goes by."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, log_loss, mean_poisson_deviance, mean_squared_error, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
ORDER = np.random.default_rng(0).permutation(150)
X, X_VAL = (StandardScaler().fit_transform(IRIS)[part] for part in (ORDER[:100], ORDER[100:]))
Y, Y_VAL = (NAMES[part] for part in (ORDER[:100], ORDER[100:]))
FAST: dict[str, Any] = {"hidden_layer_sizes": (6,), "random_state": 0, "learning_rate_init": 0.02, "max_iter": 30}
HELD: dict[str, Any] = {"X_val": X_VAL, "y_val": Y_VAL}


def part(of: Any) -> tuple[Any, Any]:
    """Targets of the rows for training, and of those for validation."""
    return of[ORDER[:100]], of[ORDER[100:]]


def test_the_parameters_of_fit_are_those_of_scikit_learn_s_other_estimator_with_validation_rows() -> None:
    theirs = inspect.signature(HistGradientBoostingClassifier.fit).parameters
    for kind in (rs.MLPClassifier, rs.MLPRegressor):
        ours = inspect.signature(kind.fit).parameters
        assert [(p.name, p.kind, p.default) for p in ours.values() if p.name != "y"] == [
            (p.name, p.kind, p.default) for p in theirs.values() if p.name != "y"
        ]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_last_validation_loss_is_scikit_learn_s_log_loss_of_the_rows(
    solver: str, weighted: bool, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    s = np.random.default_rng(1).uniform(0, 3, 50) if weighted else None
    settings = {**FAST, "solver": solver, "max_iter": 7, "alpha": 1.0}
    model = rs.MLPClassifier(**settings).fit(X, Y, **HELD, sample_weight_val=s)
    expected = log_loss(Y_VAL, model.predict_proba(X_VAL), sample_weight=s)
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-10)
    assert len(model.validation_loss_curve_) == model.n_iter_
    # nothing else changes by it
    alone = rs.MLPClassifier(**settings).fit(X, Y)
    assert alone.coefs_[0].tobytes() == model.coefs_[0].tobytes()
    assert not hasattr(alone, "validation_loss_curve_")


@pytest.mark.parametrize(
    ("loss", "y", "metric"),
    [
        ("squared_error", IRIS[:, 0], lambda t, o: mean_squared_error(t, o) / 2),
        ("squared_error", IRIS[:, :3], lambda t, o: mean_squared_error(t, o) / 2),
        ("poisson", SPECIES.astype(float), lambda t, o: mean_poisson_deviance(t, o) / 2),
    ],
    ids=["a number", "numbers", "counts"],
)
def test_the_validation_loss_of_numbers_is_in_the_units_of_the_loss(loss: str, y: Any, metric: Any) -> None:
    y, y_val = part(y)
    model = rs.MLPRegressor(loss, **FAST).fit(X, y, X_val=X_VAL, y_val=y_val)
    assert model.validation_loss_curve_[-1] == pytest.approx(metric(y_val, model.predict(X_VAL)), rel=1e-10)


def test_a_single_weight_is_that_of_every_validation_row() -> None:
    found = [rs.MLPClassifier(**FAST).fit(X, Y, **HELD, sample_weight_val=s) for s in (2.0, None)]
    np.testing.assert_allclose(found[0].validation_loss_curve_, found[1].validation_loss_curve_, rtol=1e-12)


def test_several_labels_have_a_validation_loss_and_a_score_of_their_own() -> None:
    y = np.stack([SPECIES > 0, SPECIES == 1, SPECIES == 2], axis=1).astype(int)
    for kind in (np.asarray, scipy.sparse.csr_matrix):
        train, held = (kind(each) for each in part(y))
        settings = {**FAST, "early_stopping": True, "early_stopping_metric": "f1_micro"}
        model = rs.MLPClassifier(**settings).fit(X, train, X_val=X_VAL, y_val=held)
        assert model.best_validation_score_ == f1_score(held, model.predict(X_VAL), average="micro")
        P = model.predict_proba(X_VAL)
        expected = sum(log_loss(part(y)[1][:, j], P[:, j]) for j in range(3))
        best = int(np.argmax(model.validation_scores_))
        assert model.validation_loss_curve_[best] == pytest.approx(expected, rel=1e-10)


def test_rows_taken_aside_have_a_validation_loss_too() -> None:
    model = rs.MLPClassifier(**{**FAST, "hidden_layer_sizes": ()}, early_stopping=True).fit(X, Y)
    random = np.random.RandomState(0)
    random.uniform(size=(4, 3)), random.uniform(size=3)  # drawn first: the weights and biases
    _, held, _, y_held = train_test_split(X, Y, random_state=random, test_size=0.1)
    best = int(np.argmax(model.validation_scores_))
    expected = log_loss(y_held, model.predict_proba(held), labels=model.classes_)
    assert model.validation_loss_curve_[best] == pytest.approx(expected, rel=1e-10)


def test_early_stopping_goes_by_the_rows_that_are_given_and_takes_none_aside() -> None:
    model = rs.MLPClassifier(**FAST, early_stopping=True, validation_fraction=0.9).fit(X, Y, **HELD)
    assert model.t_ == model.n_iter_ * 100
    assert model.best_validation_score_ == model.score(X_VAL, Y_VAL)


def test_by_the_loss_the_weights_of_the_smallest_come_back() -> None:
    noise = np.random.default_rng(0).permutation(Y)  # learning by heart, so that the loss rises soon
    settings = {**FAST, "early_stopping": True, "early_stopping_metric": "loss", "max_iter": 300, "alpha": 0.0}
    model = rs.MLPClassifier(**settings).fit(X, noise, **HELD)
    assert model.n_iter_ < 300
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    assert log_loss(Y_VAL, model.predict_proba(X_VAL)) == pytest.approx(min(model.validation_loss_curve_), rel=1e-10)
    assert model.validation_loss_curve_[-1] > min(model.validation_loss_curve_)


@pytest.mark.parametrize(
    ("metric", "score"),
    [
        ("f1_macro", lambda m: f1_score(Y_VAL, m.predict(X_VAL), average="macro")),
        ("roc_auc_ovr", lambda m: roc_auc_score(Y_VAL, m.predict_proba(X_VAL), multi_class="ovr")),
        ("neg_log_loss", lambda m: -log_loss(Y_VAL, m.predict_proba(X_VAL))),
        (lambda m, X, y: float((m.predict(X) == y).sum()), lambda m: (m.predict(X_VAL) == Y_VAL).sum()),
    ],
    ids=["f1_macro", "roc_auc_ovr", "neg_log_loss", "own"],
)
def test_early_stopping_goes_by_any_scorer(metric: Any, score: Any) -> None:
    model = rs.MLPClassifier(**FAST, early_stopping=True, early_stopping_metric=metric).fit(X, Y, **HELD)
    assert score(model) == pytest.approx(model.best_validation_score_, rel=1e-12)


def test_two_classes_of_text_are_scored_as_they_are() -> None:
    # A scorer of encoded labels would find no "versicolor".
    scorer = sklearn.metrics.make_scorer(f1_score, pos_label="versicolor")
    two, two_val = (np.where(y == "setosa", "setosa", "versicolor") for y in (Y, Y_VAL))
    for held in ({"X_val": X_VAL, "y_val": two_val}, {}):
        model = rs.MLPClassifier(**FAST, early_stopping=True, early_stopping_metric=scorer).fit(X, two, **held)
        assert model.best_validation_score_ > 0.9


@pytest.mark.parametrize("metric", ["max_error", "neg_mean_absolute_error", lambda m, X, y: 1.0])
def test_a_scorer_gets_the_weights_of_the_rows_where_it_takes_them(metric: Any) -> None:
    metric = "neg_" + metric if metric == "max_error" else metric
    y, y_val = part(IRIS[:, 0])
    settings = {**FAST, "early_stopping": True, "early_stopping_metric": metric}
    s = np.linspace(0, 1, 50)
    model = rs.MLPRegressor(**settings).fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=s)
    error = np.abs(y_val - model.predict(X_VAL))
    expected = {"neg_max_error": -error.max(), "neg_mean_absolute_error": -np.average(error, weights=s)}
    assert model.best_validation_score_ == pytest.approx(expected.get(str(metric), 1.0))


def test_frames_keep_their_names_and_nothing_is_warned_of() -> None:
    frame, held = (pd.DataFrame(rows, columns=list("abcd")) for rows in (X, X_VAL))
    settings = {**FAST, "early_stopping": True, "early_stopping_metric": "accuracy"}
    for more in ({"X_val": held, "y_val": Y_VAL}, {}):
        model = rs.MLPClassifier(**settings).fit(frame, Y, **more)
        assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        rs.MLPClassifier(**settings).fit(frame, Y, X_val=held[list("badc")], y_val=Y_VAL)


def test_sparse_rows_give_the_same_bytes() -> None:
    settings = {**FAST, "early_stopping": True, "early_stopping_metric": "neg_log_loss"}
    dense = rs.MLPClassifier(**settings).fit(X, Y, **HELD)
    sparse = rs.MLPClassifier(**settings).fit(
        scipy.sparse.csc_array(X), Y, X_val=scipy.sparse.coo_matrix(X_VAL), y_val=Y_VAL
    )
    assert sparse.validation_loss_curve_ == dense.validation_loss_curve_
    assert sparse.coefs_[0].tobytes() == dense.coefs_[0].tobytes()


def test_a_pipeline_transforms_the_rows_if_it_is_told_to() -> None:
    X, X_val = part(IRIS)
    with sklearn.config_context(enable_metadata_routing=True):
        model = rs.MLPClassifier(**FAST).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("learn", model)], transform_input=["X_val"])
        pipeline.fit(X, Y, X_val=X_val, y_val=Y_VAL)
    expected = log_loss(Y_VAL, pipeline.predict_proba(X_val))
    assert pipeline[-1].validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-10)


def test_a_search_passes_the_rows_on_and_tries_metrics() -> None:
    search = GridSearchCV(
        rs.MLPClassifier(**FAST, early_stopping=True), {"early_stopping_metric": ["loss", "accuracy", None]}, cv=2
    )
    search.fit(X, Y, **HELD)
    assert len(search.best_estimator_.validation_loss_curve_) == search.best_estimator_.n_iter_


def test_copies_and_files_keep_the_curve_and_a_warm_start_goes_on_with_it(tmp_path: Path) -> None:
    settings = {**FAST, "early_stopping": True, "early_stopping_metric": "loss", "warm_start": True, "max_iter": 4}
    model = rs.MLPClassifier(**settings).fit(X, Y, **HELD)
    model.save(tmp_path / "model.reseau")
    assert clone(model).get_params() == model.get_params()
    for other in (pickle.loads(pickle.dumps(model)), rs.load(tmp_path / "model.reseau")):
        assert other.get_params() == model.get_params()
        assert other.validation_loss_curve_ == model.validation_loss_curve_
        assert len(other.fit(X, Y, **HELD).validation_loss_curve_) == 8
    assert not hasattr(model.set_params(warm_start=False, early_stopping=False).fit(X, Y), "validation_loss_curve_")


def test_a_file_has_no_place_for_a_metric_of_one_s_own(tmp_path: Path) -> None:
    model = rs.MLPClassifier(**FAST, early_stopping_metric=lambda m, X, y: 0.0).fit(X, Y)
    with pytest.raises(rs.ParameterError, match=r"early_stopping_metric is .* which a model file has no place for"):
        model.save(tmp_path / "model.reseau")


def test_the_losses_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for solver in ("adam", "lbfgs"):
        model = rs.MLPClassifier(**{**FAST, "max_iter": 3, "solver": solver}, verbose=True).fit(X, Y, **HELD)
        told = capsys.readouterr().out
        assert told.count("Iteration") == told.count("Validation loss = ") == 3
        assert f"Validation loss = {model.validation_loss_curve_[-1]:.8f}" in told


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"X_val": X_VAL}, "y_val is None, but X_val is given"),
        ({"y_val": Y_VAL}, "X_val is None, but y_val is given"),
        ({"sample_weight_val": np.ones(50)}, "sample_weight_val is given, but X_val and y_val"),
        ({**HELD, "X_val": X_VAL[:, :2]}, "X_val has 2 columns, but X has 4"),
        ({**HELD, "X_val": X_VAL[:-1]}, "X_val has 49 rows but y_val has 50"),
        ({**HELD, "X_val": np.where(X_VAL > 2, np.nan, X_VAL)}, "X_val holds nan at row"),
        ({**HELD, "X_val": X_VAL[:0], "y_val": Y_VAL[:0]}, "X_val is empty"),
        ({**HELD, "y_val": np.where(np.arange(50) == 3, "rose", Y_VAL)}, "y_val holds 'rose' at row 3, .* none of the"),
        ({**HELD, "y_val": np.arange(50)}, "y_val holds numbers, .* but the classes are text"),
        ({**HELD, "y_val": np.eye(50)[:, :3]}, "y_val is a matrix of 3 labels a row, but y is one label a row"),
        ({**HELD, "sample_weight_val": -np.ones(50)}, "sample_weight_val holds -1 at row 0"),
        ({**HELD, "sample_weight_val": np.ones(49)}, r"sample_weight_val has shape \(49,\)"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_rows_that_cannot_be_are_refused_and_change_nothing(more: dict[str, Any], words: str) -> None:
    model = rs.MLPClassifier(**FAST).fit(X, Y)
    before = model.coefs_[0].tobytes(), model.loss_curve_.copy()
    with pytest.raises(rs.ReseauError, match=words):
        model.fit(X, Y, **more)
    assert (model.coefs_[0].tobytes(), model.loss_curve_) == before


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("acuracy", "early_stopping_metric is 'acuracy', which is unknown. Did you mean 'accuracy'"),
        (3, "early_stopping_metric is 3, but must be 'loss', the name"),
        (dict, "early_stopping_metric is <class 'dict'>, but must be"),
        ("f1", "early_stopping_metric is 'f1', which cannot score this MLPClassifier: Target is multiclass"),
        (lambda m, X, y: "good", "early_stopping_metric, <function .* gave 'good' on .* must give a number"),
        (lambda m, X, y: float("nan"), "early_stopping_metric, <function .* gave nan on the validation rows, but must"),
    ],
)
def test_metrics_that_cannot_be_are_refused_by_name(metric: Any, words: str) -> None:
    model = rs.MLPClassifier(**FAST, early_stopping=True, early_stopping_metric=metric)
    with pytest.raises(rs.ParameterError, match=words):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_what_a_metric_of_one_s_own_raises_reaches_the_caller_and_changes_nothing() -> None:
    def broken(model: Any, X: Any, y: Any) -> float:
        raise ValueError("my own")

    model = rs.MLPClassifier(**FAST, early_stopping=True, early_stopping_metric=broken)
    with pytest.raises(ValueError, match="my own"):
        model.fit(X, Y)
    assert not hasattr(model, "classes_")
