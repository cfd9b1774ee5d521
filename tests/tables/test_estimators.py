"""TableClassifier and TableRegressor: scikit-learn's contract, on data frames as they are."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import warnings
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import StackingClassifier, VotingRegressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app
from reseau.tables.learning.settings import Settings

ROWS = 120
RNG = np.random.default_rng(4)
SIZE = RNG.normal(10, 3, ROWS)
SORT = RNG.choice(["plain", "striped", "dotted"], ROWS)
X = pd.DataFrame(
    {
        "size": SIZE,
        "sort": SORT,
        "born": pd.date_range("2021-01-01", periods=ROWS, freq="3D"),
        "gaps": np.where(RNG.random(ROWS) < 0.2, np.nan, RNG.normal(size=ROWS)),
        "level": pd.Categorical(RNG.choice(["low", "high"], ROWS)),
        "sold": RNG.random(ROWS) < 0.5,
    }
)
Y = pd.Series(np.where(SIZE > 10, "left", "right"), name="side")
PRICE = pd.Series(20 * SIZE + 30 * (SORT == "striped") + RNG.normal(size=ROWS), name="price")
GROUPS = np.arange(ROWS) // 6
QUICK: dict[str, Any] = {"preset": "fast", "epochs": 12, "learning_rate": 0.01, "threads": 1}
KINDS = pytest.mark.parametrize(("estimator", "y"), [(rs.TableClassifier, Y), (rs.TableRegressor, PRICE)])


def file_of(model: Any) -> bytes:
    file = io.BytesIO()
    rs.save(model, file)
    return file.getvalue()


def classifier(**settings: Any) -> rs.TableClassifier:
    return rs.TableClassifier(**{**QUICK, "random_state": 3, **settings})


def regressor(**settings: Any) -> rs.TableRegressor:
    return rs.TableRegressor(**{**QUICK, "random_state": 3, **settings})


def failed_checks(estimator: Any) -> dict[str, str]:
    return {
        "check_sample_weight_equivalence_on_dense_data": "sample_weight is not equivalent to repeating samples: folds "
        "are drawn of rows, each has a best epoch of its own, and fewer than ten rows are refused"
    }


@parametrize_with_checks(
    [rs.TableClassifier(preset="fast", epochs=40), rs.TableRegressor(preset="fast", epochs=40)],
    expected_failed_checks=failed_checks,
)
def test_scikit_learn_s_own_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([rs.TableClassifier(), rs.TableRegressor()], expected_failed_checks=failed_checks)
def test_scikit_learn_s_own_checks_pass_by_default(estimator, check):
    check(estimator)


@KINDS
def test_parameters_have_the_names_and_defaults_of_the_settings(estimator, y):
    given = {name: p.default for name, p in inspect.signature(estimator).parameters.items()}
    settings = {field.name: field.default for field in fields(Settings)}
    assert {name: given[name] for name in settings.keys() & given.keys()} == {
        name: default for name, default in settings.items() if name not in ("seed", "test_size", "metrics")
    }
    asked = ("category", "number", "date", "text", "missing", "ignore")
    more = {"random_state": None, "threads": None, "verbose": False} | dict.fromkeys(asked, ())
    more |= {"class_weight": None} if estimator is rs.TableClassifier else {}
    assert {name: default for name, default in given.items() if name not in settings} == more


@KINDS
def test_it_is_the_model_of_the_table_with_the_same_seed(estimator, y):
    fitted = estimator(**QUICK, random_state=3).fit(X, y)
    trained = rs.TableModel.train(X.assign(**{y.name: y}), y.name, seed=3, **QUICK)
    assert file_of(fitted) == file_of(trained)
    np.testing.assert_array_equal(fitted.predict(X), trained.predict(X).values.to_numpy(zero_copy_only=False))
    assert file_of(estimator(**QUICK, random_state=4).fit(X, y)) != file_of(trained)


@KINDS
def test_it_predicts_what_the_command_line_s_model_does(estimator, y, tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "m.reseau"
    X.assign(**{y.name: y}).to_csv(path, index=False)
    options = ["--preset", "fast", "--epochs", "12", "--learning-rate", "0.01", "--threads", "1", "--seed", "3"]
    run = CliRunner().invoke(app, ["train", str(path), "--target", y.name, "-o", str(model), *options])
    assert run.exit_code == 0, run.output
    fitted = estimator(**QUICK, random_state=3).fit(pd.read_csv(path).drop(columns=y.name), y)
    theirs = rs.load(model)
    assert fitted.model_.network.parameters.tobytes() == theirs.network.parameters.tobytes()
    found = theirs.predict(path).values.to_numpy(zero_copy_only=False)
    np.testing.assert_array_equal(fitted.predict(pd.read_csv(path).drop(columns=y.name)), found)


@KINDS
def test_frames_of_all_libraries_give_the_same_bytes(estimator, y):
    table = pa.Table.from_pandas(X, preserve_index=False)
    frames = [X, pl.from_pandas(X), table, pl.from_pandas(X).lazy(), table.to_batches()[0], dict(X.items())]
    fits = [estimator(**QUICK, random_state=0).fit(frame, y) for frame in frames]
    fits.append(estimator(**QUICK, random_state=0).fit(pl.from_pandas(X), pl.Series(y.name, y.to_list())))
    assert len({file_of(fitted) for fitted in fits}) == 1
    for fitted in fits:
        assert fitted.n_features_in_ == 6
        assert fitted.feature_names_in_.tolist() == list(X.columns)
    assert len({fits[0].predict(frame).tobytes() for frame in frames}) == 1


def test_a_saved_estimator_loads_as_its_table_model(tmp_path):
    fitted = classifier().fit(X, Y)
    fitted.save(tmp_path / "m.reseau")
    loaded = rs.load(tmp_path / "m.reseau")
    assert isinstance(loaded, rs.TableModel)
    assert loaded.predict(X).probabilities.tobytes() == fitted.predict_proba(X).tobytes()
    fitted.to_c(tmp_path / "m.c")
    assert "side" in (tmp_path / "m.c").read_text()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left", "right"),
        (True, False),
        (1, 0),
        (-7, 300),
        (1.0, 2.0),
        ("10", "9"),  # which as numbers stand in the other order
        ("1", "1.0"),  # which a table would take for the same
        ("a ", "a"),
        ("", "x"),
        ("NA", "1"),
        (2**60, 2**60 + 1),
    ],
    ids=repr,
)
def test_classes_come_back_as_they_came(left, right):
    y = np.where(Y == "left", left, right)
    fitted = classifier(epochs=20).fit(X, y)
    np.testing.assert_array_equal(fitted.classes_, np.unique(y))
    assert fitted.classes_.dtype == fitted.predict(X).dtype == y.dtype
    assert fitted.score(X, y) > 0.7
    P = fitted.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(fitted.classes_[P.argmax(axis=1)], fitted.predict(X))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (Y.astype("category"), ["left", "right"]),
        (Y.to_list(), ["left", "right"]),
        (pa.array(Y.to_list()), ["left", "right"]),
        (pl.Series(Y.to_list(), dtype=pl.Categorical), ["left", "right"]),
        ((Y == "left").astype("Int64"), [0, 1]),
        ((Y == "left").astype("boolean"), [False, True]),
        ((Y == "left").astype("int8"), [0, 1]),
        (pd.Series(RNG.integers(0, 5, ROWS)), [0, 1, 2, 3, 4]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_targets_of_all_libraries_are_classes(y, classes):
    fitted = classifier(epochs=2).fit(X, y)
    assert fitted.classes_.tolist() == classes
    assert [type(label) for label in fitted.classes_.tolist()] == [type(label) for label in classes]
    assert set(fitted.predict(X)) <= set(classes)
    assert fitted.predict_proba(X).shape == (ROWS, len(classes))


def test_numbers_are_always_a_number_to_the_one_and_classes_to_the_other():
    y = np.tile([1, 2, 3, 4], ROWS // 4)
    assert regressor(epochs=2).fit(X, y).model_.target.task == "regression"
    assert classifier(epochs=2).fit(X, y).model_.target.task == "classification"
    yes = (Y == "left").to_numpy()
    np.testing.assert_array_equal(regressor().fit(X, yes).predict(X), regressor().fit(X, yes.astype(int)).predict(X))
    both = [regressor(epochs=2).fit(X, y.astype(dtype)).predict(X) for dtype in ("int8", "float32", "float64", object)]
    assert len({found.tobytes() for found in both}) == 1


def test_a_column_of_one_target_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning):
        fitted = regressor(epochs=2).fit(X, PRICE.to_frame())
    assert fitted.model_.target.name == "price"


def test_a_feature_may_be_named_like_the_target():
    fitted = classifier(epochs=2).fit(X.rename(columns={"sort": "side", "born": "side_"}), Y)
    assert fitted.model_.target.name == "side__"
    assert fitted.feature_names_in_.tolist() == ["size", "side", "side_", "gaps", "level", "sold"]
    assert classifier(epochs=2).fit(X, Y.to_numpy()).model_.target.name == "target"


def test_arrays_have_numbered_columns_and_their_objects_types():
    A = X[["size", "gaps"]].to_numpy()
    fitted = classifier(epochs=2).fit(A, Y)
    assert [column.name for column in fitted.model_.columns] == ["x0", "x1"]
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.predict_proba(A.tolist()).tobytes() == fitted.predict_proba(A).tobytes()
    rows = X[["size", "sort"]].to_numpy()
    of_objects = classifier(epochs=2).fit(rows, Y)
    assert [column.kind for column in of_objects.model_.columns] == ["number", "category"]
    assert file_of(classifier(epochs=2).fit(rows.tolist(), Y)) == file_of(of_objects)
    numbered = X.set_axis(range(6), axis=1)
    by_place = classifier(epochs=2).fit(numbered, Y)
    np.testing.assert_array_equal(by_place.predict_proba(numbered), by_place.predict_proba(X.to_numpy()))


def test_columns_are_held_against_those_of_training_by_scikit_learn_s_rules():
    fitted = classifier(epochs=2).fit(X, Y)
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="yet now missing:\n- sold"):
        fitted.predict(X.drop(columns="sold"))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found = fitted.predict(X.to_numpy())
    np.testing.assert_array_equal(found, fitted.predict(X))
    with pytest.raises(NotFittedError):
        rs.TableClassifier().predict(X)
    with pytest.raises(NotFittedError):
        file_of(rs.TableRegressor())


def test_columns_are_taken_for_what_is_asked_and_marks_are_missing():
    frame = pd.DataFrame(
        {"code": RNG.integers(0, 5, ROWS), "x": np.where(np.arange(ROWS) % 7, SIZE, -9999), "id": SIZE}
    )
    fitted = classifier(epochs=2, category=["code"], missing=[-9999], ignore="id").fit(frame, Y)
    kinds = {column.name: column.kind for column in fitted.model_.columns}
    assert kinds == {"code": "category", "x": "number", "id": "left out"}
    assert fitted.model_.training["missing"] == {"x": -(-ROWS // 7)}
    same = classifier(epochs=2, missing=["left", 99]).fit(X, Y)  # y has no missing values, whatever X marks so
    assert same.classes_.tolist() == ["left", "right"]
    assert same.model_.training["rows"] == ROWS


def test_intervals_are_those_of_the_model_and_cover_about_what_is_asked():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 2400)
    y, A = x + rng.normal(size=2400), x[:, None]
    fitted = rs.TableRegressor(epochs=15, threads=1, random_state=0).fit(A[:400], y[:400])
    found = fitted.predict_interval(A[400:], coverage=0.8)
    inside = ((found[:, 0] <= y[400:]) & (y[400:] <= found[:, 1])).mean()
    assert abs(inside - 0.8) < 4 * np.sqrt(0.8 * 0.2 * (1 / 400 + 1 / 2000))  # of 400 residuals, and of 2000 rows
    table = fitted.model_.predict({"x0": A[400:, 0]}, interval=0.8).table
    np.testing.assert_array_equal(found, np.column_stack([table["lower"], table["upper"]]))
    assert (fitted.predict_interval(A)[:, 1] > fitted.predict_interval(A, 0.5)[:, 1]).all()
    with pytest.raises(rs.ParameterError, match="coverage is 90"):
        fitted.predict_interval(A, 90)
    with pytest.raises(rs.ParameterError, match="1,999 rows out of fold are needed"):
        fitted.predict_interval(A, 0.999)


@KINDS
def test_weights_and_groups_go_through(estimator, y):
    w = np.random.default_rng(0).uniform(0.2, 3, ROWS)
    plain, weighed, grouped = (
        estimator(**QUICK, random_state=0).fit(X, y, **given)
        for given in ({}, {"sample_weight": w}, {"groups": GROUPS})
    )
    assert len({fitted.predict(X).tobytes() for fitted in (plain, weighed, grouped)}) > 1
    assert len({fitted.model_.network.parameters.tobytes() for fitted in (plain, weighed, grouped)}) == 3
    table = X.assign(**{y.name: y})
    trained = rs.TableModel.train(table.assign(w=w, g=GROUPS), y.name, weight="w", groups="g", **QUICK)
    both = estimator(**QUICK, random_state=0).fit(X, y, sample_weight=w.tolist(), groups=pd.Series(GROUPS))
    assert both.model_.network.parameters.tobytes() == trained.network.parameters.tobytes()


@pytest.mark.parametrize(
    ("X_given", "y_given", "more", "message"),
    [
        (X, ["one"] * ROWS, {}, "y has a single class, 'one'"),
        (X, Y, {"sample_weight": (Y == "left").astype(float)}, "single class in the rows of a sample_weight above 0"),
        (X[:3], Y[:3], {}, "n_samples = 3, but a minimum of 10"),
        (X[["level"]].assign(level="same", other=1), Y, {}, "no column to learn 'side' from: 'level' always 'same'"),
        (X, Y[:-1], {}, "X has 120 rows, but y has 119"),
        (X, Y, {"sample_weight": -np.ones(ROWS)}, "sample_weight holds -1 at row 0, but a weight cannot be negative"),
        (X, Y, {"sample_weight": np.ones(3)}, r"sample_weight has shape \(3,\)"),
        (X, Y, {"sample_weight": np.full(ROWS, np.nan)}, "sample_weight.*NaN|sample_weight holds nan"),
        (X, Y, {"groups": [1, 2]}, "groups has 2 labels, but there are 120 rows"),
        (X, Y, {"groups": [1] * ROWS}, "of one group"),
        (X, Y, {"groups": "level"}, "groups is 'level', but must hold a label for each row"),
        (X, Y.where(Y.index != 4), {}, "Input y contains NaN: row 5 has no target"),
        (X, [None, *Y[1:]], {}, "row 1 has no target"),
        (X, None, {}, "requires y to be passed"),
        (X, PRICE, {}, "Unknown label type: continuous"),
        (X, np.column_stack([Y, Y]), {}, "1d array"),
        (X, pd.DataFrame(np.column_stack([Y, Y]), columns=["a", "a"]), {}, "1d array"),
        (X, np.arange(ROWS) // 1, {}, "120 classes in 120 rows"),
        ("sales.csv", Y, {}, "X is 'sales.csv', but must be a data frame"),
        (X["size"], Y, {}, "a table has named columns"),
        (X[:0], Y[:0], {}, "columns and no rows"),
        (X.assign(size=np.inf), Y, {}, "'size': inf .* is infinite"),
        (X.set_axis(["size", "size", "c", "d", "e", "f"], axis=1), Y, {}, "both named 'size'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_a_refused_fit_leaves_a_fitted_estimator_as_it_was(X_given, y_given, more, message):
    fitted = classifier(epochs=1).fit(X, Y)
    before, file = dict(vars(fitted)), file_of(fitted)
    with pytest.raises(ValueError, match=message):
        fitted.fit(X_given, y_given, **more)
    assert vars(fitted) == before
    assert file_of(fitted) == file


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "quick"}, "preset is 'quick'"),
        ({"layers": 5}, "layers is 5"),
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"activation": "rel"}, "activation is 'rel'"),
        ({"precision": "bf8"}, "precision is 'bf8'"),
        ({"random_state": "a"}, "random_state is 'a'"),
        ({"category": ["nope"]}, "no column 'nope'"),
        ({"category": ["sort"], "number": ["sort"]}, "'sort' is asked to be category and number"),
        ({"threads": 0}, "threads is 0"),
        ({"verbose": "much"}, "verbose is 'much'"),
        ({"missing": ["left"], "text": [3.5]}, "no column '3.5'"),
    ],
    ids=str,
)
def test_parameters_are_checked_by_fit_and_not_before(settings, message):
    estimator = classifier(**settings)
    with pytest.raises(rs.ReseauError, match=message):
        estimator.fit(X, Y)
    assert estimator.get_params() == classifier(**settings).get_params()


def test_a_regressor_refuses_what_is_no_number():
    with pytest.raises(rs.DataError, match=r"'left' .* is not a number"):
        regressor().fit(X, Y.where(Y == "left", "left"))
    with pytest.raises(rs.DataError, match="row 2 has no target"):
        regressor().fit(X, PRICE.where(PRICE.index != 1))
    with pytest.raises(ValueError, match="y contains infinity"):
        regressor().fit(X, PRICE.where(PRICE.index != 1, np.inf))
    with pytest.raises(rs.DataError, match="is 1 in every row"):
        regressor().fit(X, np.ones(ROWS))


def test_a_random_state_is_a_seed_a_generator_or_chance():
    def of(state: Any) -> bytes:
        return classifier(epochs=1, random_state=state).fit(X, Y).model_.network.parameters.tobytes()

    assert of(5) == of(np.int64(5)) != of(6)
    assert of(np.random.RandomState(1)) == of(np.random.RandomState(1)) != of(np.random.RandomState(2))
    assert of(None) != of(None)
    state = np.random.RandomState(1)
    assert of(state) != of(state)
    state = np.random.RandomState(1)
    with pytest.raises(rs.DataError):
        classifier(random_state=state).fit(X.assign(size=np.inf), Y)
    assert state.randint(1000) == np.random.RandomState(1).randint(1000)


def test_copies_and_pickles_predict_the_same_and_clones_are_unfitted():
    fitted = classifier(epochs=2).fit(X, Y)
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted)), copy.copy(fitted)):
        assert other.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
        assert file_of(other) == file_of(fitted)
    assert not hasattr(clone(fitted), "model_")
    assert clone(fitted).set_params(layers=(5,)).get_params()["layers"] == (5,)


def test_progress_is_shown_when_it_is_asked_for(capsys):
    regressor(epochs=1).fit(X, PRICE)
    assert capsys.readouterr() == ("", "")
    regressor(epochs=1, verbose=True).fit(X, PRICE)
    assert capsys.readouterr().err


# --- within scikit-learn ----------------------------------------------------------------------------------------------


def test_it_ends_a_pipeline_whose_steps_give_frames():
    scaled = make_column_transformer(
        (StandardScaler(), ["size"]), remainder="passthrough", verbose_feature_names_out=False
    )
    pipeline = make_pipeline(scaled.set_output(transform="pandas"), classifier()).fit(X, Y)
    assert {column.kind for column in pipeline[-1].model_.columns} >= {"number", "category", "date", "boolean"}
    assert pipeline.score(X, Y) > 0.7
    np.testing.assert_array_equal(pipeline[:-1].transform(X).columns, pipeline[-1].feature_names_in_)


def test_searches_find_its_parameters():
    search = GridSearchCV(classifier(), {"layers": [(4,), (8, 8)], "epochs": [1, 15]}, cv=2, scoring="neg_log_loss")
    search.fit(X, Y)
    assert search.best_params_["epochs"] == 15
    assert isinstance(rs.load(file_of(search)), rs.TableModel)


@pytest.mark.parametrize(
    "library", [pd.DataFrame, pl.from_pandas, lambda X: pa.Table.from_pandas(X, preserve_index=False)]
)
def test_cross_validation_takes_frames_of_all_libraries(library):
    P = cross_val_predict(
        classifier(), library(X), Y.to_numpy(), cv=GroupKFold(3), groups=GROUPS, method="predict_proba"
    )
    assert P.shape == (ROWS, 2)
    assert ((P[:, 0] > 0.5) == (Y == "left")).mean() > 0.7


def test_importance_by_permutation_finds_the_columns_that_matter():
    found = permutation_importance(regressor(epochs=60).fit(X, PRICE), X, PRICE, n_repeats=2, random_state=0)
    means = dict(zip(X.columns, found.importances_mean, strict=True))
    assert max(means, key=lambda name: means[name]) == "size"
    assert means["sort"] > max(means["gaps"], means["sold"])


def test_calibrations_stacks_votes_and_transformed_targets_are_built_of_it():
    assert CalibratedClassifierCV(classifier(), cv=2).fit(X, Y).score(X, Y) > 0.7
    stack = StackingClassifier([("a", classifier()), ("b", classifier(layers=(4,)))], LogisticRegression(), cv=2)
    assert stack.fit(X, Y).score(X, Y) > 0.7
    A = X[["size"]]
    vote = VotingRegressor([("table", regressor()), ("line", LinearRegression())]).fit(A, PRICE)
    np.testing.assert_allclose(vote.predict(A), np.mean([one.predict(A) for one in vote.estimators_], axis=0))
    in_logs = TransformedTargetRegressor(regressor(), func=np.log1p, inverse_func=np.expm1).fit(X, PRICE + 100)
    assert in_logs.score(X, PRICE + 100) > 0.5


def test_weights_and_groups_are_routed_by_scikit_learn():
    w = np.linspace(0.2, 3, ROWS)
    with config_context(enable_metadata_routing=True):
        asking = classifier().set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=False)
        given = {"sample_weight": w, "groups": GROUPS}
        found = cross_validate(asking, X, Y, cv=GroupKFold(2), params=given, return_estimator=True)["estimator"]
    first = next(GroupKFold(2).split(X, Y, GROUPS))[0]
    alone = classifier().fit(X.iloc[first], Y.iloc[first], sample_weight=w[first], groups=GROUPS[first])
    assert file_of(found[0]) == file_of(alone)


@pytest.mark.slow
def test_two_processes_find_what_one_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of loky, of a worker that it stops
        found = [cross_val_score(classifier(), X, Y, cv=2, n_jobs=jobs).tolist() for jobs in (1, 2)]
    assert found[0] == found[1]
