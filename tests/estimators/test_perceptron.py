"""The estimators against scikit-learn's own, its checks, and its tools."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
import sklearn.neural_network
from sklearn import neural_network
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import reseau as rs
from reseau import MLPClassifier, MLPRegressor

PAIRS = [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)]
IRIS = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def _unfinished_fits_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def give_weights(ours, theirs):
    """Put the weights of scikit-learn's model into ours."""
    for mine, W in zip(ours.coefs_, theirs.coefs_, strict=True):
        mine[...] = W
    for mine, b in zip(ours.intercepts_, theirs.intercepts_, strict=True):
        mine[...] = b


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_scikit_learn_s_own_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_constructor_is_scikit_learn_s(ours, theirs):
    def parameters(cls):
        return [(p.name, p.kind, p.default) for p in inspect.signature(cls).parameters.values()]

    keyword = inspect.Parameter.KEYWORD_ONLY
    none = ("precision", "early_stopping_metric", "hidden_layers", "optimizer", "class_weight", "stratify")
    more = [("loss", keyword, "log_loss"), ("dropout", keyword, 0.0), ("masked_targets", keyword, False)]
    more += [(name, keyword, None) for name in none]
    assert [p for p in parameters(ours) if p not in more] == parameters(theirs)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_with_scikit_learn_s_weights_the_probabilities_are_its_own(classes, activation):
    X, y = (part[IRIS[1] < classes] for part in IRIS)
    settings = {"hidden_layer_sizes": (7, 5), "activation": activation, "max_iter": 5, "random_state": 0}
    theirs = neural_network.MLPClassifier(**settings).fit(X, y)
    ours = MLPClassifier(**settings).fit(X, y)
    assert [W.shape for W in ours.coefs_] == [W.shape for W in theirs.coefs_]
    give_weights(ours, theirs)
    assert ours.out_activation_ == theirs.out_activation_
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-12)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1},
        {"solver": "adam", "epsilon": 1e-12},  # it stands on the uncorrected root there, so that a large one would show
    ],
    ids=lambda s: " ".join(map(str, s.values())),
)
@pytest.mark.parametrize("weighted", [False, True])
def test_from_the_same_weights_training_follows_scikit_learn_s(settings, weighted):
    X, y = IRIS
    X = StandardScaler().fit_transform(X)
    s = np.random.default_rng(0).uniform(0.5, 2.0, len(y)) if weighted else None
    settings = {"learning_rate_init": 0.05, "alpha": 0.1, **settings}
    common = {"hidden_layer_sizes": (6,), "activation": "tanh", "shuffle": False, "batch_size": 40, "warm_start": True}
    theirs = neural_network.MLPClassifier(**common, random_state=0, max_iter=1, solver="sgd", learning_rate_init=1e-9)
    theirs.fit(X, y)
    ours = MLPClassifier(**common, max_iter=1, solver="sgd", learning_rate_init=1e-9).fit(X, y)
    give_weights(ours, theirs)
    for model in (theirs, ours):
        model.t_ = 0
        model._no_improvement_count = model._no_improvement = 0
        model.set_params(max_iter=12, **settings).fit(X, y, sample_weight=s)
    for W, W_theirs in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(W, W_theirs, rtol=1e-7, atol=1e-9)
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize(
    ("estimators", "settings", "targets"),
    [
        (PAIRS[0], {}, IRIS[1]),
        (PAIRS[1], {}, IRIS[0][:, 0]),
        (PAIRS[1], {}, IRIS[0][:, :3]),
        (PAIRS[1], {"loss": "poisson"}, IRIS[1] * 10),
    ],
    ids=["classes", "number", "numbers", "counts"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_from_the_same_weights_the_losses_are_scikit_learn_s(estimators, settings, targets, weighted):
    X = StandardScaler().fit_transform(IRIS[0])
    s = np.random.default_rng(0).uniform(1, 9, len(X)) if weighted else None
    common = {
        **settings,
        "hidden_layer_sizes": (6,),
        "activation": "tanh",
        "solver": "sgd",
        "shuffle": False,
        "warm_start": True,
        "alpha": 5.0,
    }
    ours, theirs = (cls(**common, learning_rate_init=1e-9, max_iter=1).fit(X, targets) for cls in estimators)
    give_weights(ours, theirs)
    for model in (ours, theirs):
        model.set_params(learning_rate_init=0.01, max_iter=4).fit(X, targets, sample_weight=s)
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-10)


def test_lbfgs_finds_as_low_a_loss_as_scikit_learn_s():
    X, y = load_diabetes(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    settings = {"hidden_layer_sizes": (5,), "activation": "tanh", "solver": "lbfgs", "alpha": 5.0, "max_iter": 2000}
    best = [
        min(cls(**settings, random_state=seed).fit(X, y).loss_ for seed in range(4))
        for cls in (MLPRegressor, neural_network.MLPRegressor)
    ]
    assert best[0] == pytest.approx(best[1], rel=0.02)


def test_digits_are_read_about_as_well_as_by_scikit_learn():
    X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    settings = {"hidden_layer_sizes": (32,), "max_iter": 30, "random_state": 0}
    ours = MLPClassifier(**settings).fit(X / 16, y).score(X_test / 16, y_test)
    theirs = neural_network.MLPClassifier(**settings).fit(X / 16, y).score(X_test / 16, y_test)
    assert ours > theirs - 0.03


def test_pipelines_searches_and_cross_validation_work():
    X, y = IRIS
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9
    grid = {"mlpclassifier__hidden_layer_sizes": [(4,), (8,)], "mlpclassifier__alpha": [1e-4, 1e-2]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.9
    assert search.best_params_.keys() == grid.keys()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_are_taken_with_their_names(frame):
    X, y = IRIS
    columns = {name: X[:, i] for i, name in enumerate("abcd")}
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    model = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(frame(columns), labels)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert set(model.predict(frame(columns))) == set(labels)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame({name: columns[name] for name in "badc"}))


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [7, -3], [1.0, 2.0]])
def test_two_classes_of_any_kind_come_back_as_they_were(labels):
    X, y = (part[IRIS[1] < 2] for part in IRIS)
    y = np.array(labels)[y]
    model = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, y)
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(X).dtype == y.dtype
    assert (model.predict(X) == y).all()
    assert model.predict_proba(X).shape == (len(y), 2)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_several_labels_at_once_are_learnt():
    X, y = IRIS
    Y = np.stack([y > 0, y == 1, X[:, 2] > 1.9], axis=1).astype(int)
    model = MLPClassifier((16,), solver="lbfgs", random_state=0, max_iter=1000).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.95
    assert model.predict_proba(X).shape == Y.shape
    with pytest.raises(rs.DataError, match="y is a matrix of 2 labels a row, but the estimator is for a matrix of 3"):
        model.score(X, Y[:, :2])


def test_several_numbers_at_once_are_learnt():
    X = np.linspace(-1, 1, 60).reshape(-1, 1)
    Y = np.hstack([X, X**2])
    model = MLPRegressor(
        hidden_layer_sizes=(10,), activation="tanh", solver="lbfgs", random_state=0, max_iter=2000, alpha=1e-6
    ).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.99


def test_poisson_regression_predicts_positive_means():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (500, 1))
    mean = np.exp(1 + X[:, 0])
    model = MLPRegressor("poisson", (8,), activation="tanh", solver="lbfgs", random_state=0).fit(X, rng.poisson(mean))
    assert (model.predict(X) > 0).all()
    assert np.corrcoef(model.predict(X), mean)[0, 1] > 0.98
    with pytest.raises(ValueError, match="targets in"):
        model.fit(X, -mean)


def test_float32_is_trained_in_float32():
    X, y = IRIS
    model = MLPClassifier((4,), max_iter=3).fit(X.astype(np.float32), y)
    assert model.coefs_[0].dtype == model.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert MLPClassifier((4,), max_iter=3).fit(X, y).coefs_[0].dtype == np.float64


def test_sparse_input_gives_the_dense_result():
    X, y = load_digits(return_X_y=True)
    settings = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    dense = MLPClassifier(**settings).fit(X, y)
    sparse = MLPClassifier(**settings).fit(scipy.sparse.csr_array(X), y)
    np.testing.assert_array_equal(dense.coefs_[0], sparse.coefs_[0])
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(scipy.sparse.csc_array(X)))


def test_the_same_random_state_gives_the_same_bytes():
    X, y = IRIS
    settings = {"hidden_layer_sizes": (8,), "max_iter": 10, "early_stopping": True}
    a, b, c = (MLPClassifier(**settings, random_state=seed).fit(X, y) for seed in (3, 3, 4))
    assert a.coefs_[0].tobytes() == b.coefs_[0].tobytes() != c.coefs_[0].tobytes()


def test_early_stopping_returns_to_the_best_weights():
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier((16,), early_stopping=True, n_iter_no_change=3, random_state=0, learning_rate_init=0.02)
    model.fit(X, y)
    assert model.n_iter_ == len(model.validation_scores_) == len(model.loss_curve_) < model.max_iter
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    random = np.random.RandomState(0)
    for shape in ((64, 16), 16, (16, 10), 10):  # drawn first: the weights and biases
        random.uniform(size=shape)
    _, X_val, _, y_val = train_test_split(X, y, random_state=random, test_size=0.1)
    assert model.score(X_val, y_val) == model.best_validation_score_


def test_a_warm_start_goes_on_and_other_classes_are_refused():
    X, y = IRIS
    model = MLPClassifier((8,), warm_start=True, max_iter=20, random_state=0).fit(X, y)
    first = model.loss_
    model.fit(X, y)
    assert len(model.loss_curve_) == 40
    assert model.loss_ < first
    with pytest.raises(ValueError, match="classes"):
        model.fit(X, np.minimum(y, 1))
    with pytest.raises(ValueError, match="other layers"):
        model.set_params(hidden_layer_sizes=(9,)).fit(X, y)


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"loss": "poisson"}])
def test_what_a_continued_network_cannot_take_up_is_refused(change):
    X, y = IRIS
    model = MLPRegressor(hidden_layer_sizes=(5,), warm_start=True, max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="other layers or another loss"):
        model.set_params(**change).fit(X, y)
    with pytest.raises(ValueError, match="other layers or another loss"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("change", [{"solver": "sgd"}, {"learning_rate_init": 0.5}, {"beta_1": 0.1}], ids=str)
def test_partial_fit_takes_up_what_has_been_set_since(change):
    X, y = IRIS
    model, changed = (MLPClassifier((5,), random_state=0).partial_fit(X, y, classes=[0, 1, 2]) for _ in range(2))
    model.partial_fit(X, y)
    changed.set_params(**change).partial_fit(X, y)
    assert not np.array_equal(model.coefs_[0], changed.coefs_[0])


def test_lbfgs_leaves_no_record_of_epochs():
    X, y = IRIS
    model = MLPClassifier((5,), max_iter=3).fit(X, y)
    model.set_params(solver="lbfgs").fit(X, y)
    assert not hasattr(model, "loss_curve_")
    assert len(model.set_params(solver="adam").partial_fit(X, y).loss_curve_) == 1


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_call_by_call_is_fit_epoch_by_epoch(solver):
    X, y = IRIS
    settings = {"hidden_layer_sizes": (5,), "solver": solver, "shuffle": False, "random_state": 0}
    whole = MLPClassifier(**settings, max_iter=7).fit(X, y)
    pieces = MLPClassifier(**settings)
    for _ in range(7):
        pieces.partial_fit(X, y, classes=[0, 1, 2])
    assert pieces.coefs_[0].tobytes() == whole.coefs_[0].tobytes()
    assert pieces.t_ == whole.t_ == 7 * len(y)


def test_partial_fit_needs_the_classes_first_and_refuses_new_ones():
    X, y = IRIS
    model = MLPClassifier((5,))
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, y)
    model.partial_fit(X[:50], y[:50], classes=[0, 1])
    with pytest.raises(ValueError, match="classes not in"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="not the same"):
        model.partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="early_stopping"):
        MLPRegressor(early_stopping=True).partial_fit(X, y)


def test_weights_of_rows_stand_for_repeated_rows():
    X, y = IRIS
    s = np.arange(len(y)) % 3
    settings = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "random_state": 0, "max_iter": 5, "alpha": 0.5}
    weighted = MLPClassifier(**settings).fit(X, y, sample_weight=s)
    repeated = MLPClassifier(**settings).fit(np.repeat(X, s, axis=0), np.repeat(y, s))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_predicts_alike_and_can_be_trained_on(duplicate):
    X, y = IRIS
    model = MLPClassifier((5,), max_iter=5, random_state=0).fit(X, y)
    other = duplicate(model)
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    before = model.coefs_[0].copy()
    other.partial_fit(X, y)
    assert not np.array_equal(other.coefs_[0], before)
    np.testing.assert_array_equal(model.coefs_[0], before)


def test_sample_weights_are_routed_where_that_is_asked_for():
    X, y = IRIS
    weights = np.where(y == 2, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier((8,), max_iter=60, random_state=0, learning_rate_init=0.02)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        found = cross_validate(model, X, y, params={"sample_weight": weights}, return_estimator=True, cv=3)
    for fitted in found["estimator"]:
        assert 2 not in fitted.predict(X)  # a class without weight is not learnt


def test_weights_can_be_given_to_a_fitted_estimator():
    X, y = IRIS
    a, b = (MLPClassifier((4,), max_iter=3, random_state=seed).fit(X, y) for seed in (0, 1))
    b.coefs_, b.intercepts_ = a.coefs_, a.intercepts_
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    with pytest.raises(rs.DataError, match="coefs_ has shapes"):
        b.coefs_ = [np.zeros((2, 2))]
    with pytest.raises(AttributeError, match="before fit"):
        MLPClassifier().coefs_ = a.coefs_


def test_one_array_of_weights_can_be_replaced_and_stays_the_network_s():
    X, y = IRIS
    model = MLPClassifier((4,), random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    held = model.coefs_[0]
    model.coefs_[0] = np.zeros((4, 4))
    assert not held.any()
    model.partial_fit(X, y)
    assert held.any()  # the arrays that somebody holds are the live ones, as in scikit-learn
    held[...] = 7
    np.testing.assert_array_equal(model.network_.layers[0].W, 7)
    with pytest.raises(rs.DataError, match="cannot stand for one of"):
        model.coefs_[0] = np.zeros(3)


@pytest.mark.parametrize(
    "weights",
    [3, [np.ones((4, 10))], [np.ones((4, 10)), np.full((10, 3), "b")], [np.ones((4, 10)), np.full((10, 3), 1j)]],
)
def test_weights_that_are_refused_change_nothing(weights):
    model = MLPClassifier((10,), max_iter=2, random_state=0).fit(*IRIS)
    before = model.network_.parameters.copy()
    with pytest.raises(rs.DataError, match="coefs_"):
        model.coefs_ = weights
    for place in (0, slice(None)):
        with pytest.raises(rs.DataError):
            model.coefs_[place] = weights
    np.testing.assert_array_equal(model.network_.parameters, before)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("maker", [neural_network.MLPClassifier, MLPClassifier])
def test_a_copy_goes_on_from_the_state_of_the_optimizer(maker, solver, how):
    X, y = IRIS
    model = maker((6,), solver=solver, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    copied = how(model.partial_fit(X, y))
    for estimator in (model, copied):
        estimator.partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(model.coefs_[1], copied.coefs_[1])


def test_sparse_labels_are_predicted_sparse():
    X, y = IRIS
    Y = scipy.sparse.csr_matrix(np.stack([y == 0, y > 0], axis=1).astype(int))
    ours, theirs = (
        m((5,), max_iter=5, random_state=0).fit(X, Y) for m in (MLPClassifier, neural_network.MLPClassifier)
    )
    assert scipy.sparse.issparse(ours.predict(X))
    np.testing.assert_array_equal(ours.predict(X).toarray(), theirs.predict(X).toarray())


def test_a_diverging_fit_with_early_stopping_returns_to_the_best_weights(engine, monkeypatch):
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    X, y = IRIS
    settings = {"activation": "identity", "solver": "sgd", "learning_rate_init": 1, "max_iter": 20}
    with np.errstate(all="ignore"):
        model = MLPRegressor(hidden_layer_sizes=100, **settings, early_stopping=True, random_state=0).fit(X, y)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.predict(X)).all()


def test_a_single_sample_weight_is_that_of_every_row():
    X, y = IRIS
    a, b = (
        MLPClassifier((4,), max_iter=3, random_state=0).fit(X, y, sample_weight=s) for s in (2.0, np.full(150, 2.0))
    )
    np.testing.assert_array_equal(a.coefs_[0], b.coefs_[0])


def test_a_clone_is_unfitted_with_the_same_parameters():
    model = MLPRegressor("poisson", (5,), alpha=0.3).fit(IRIS[0], IRIS[1])
    other = clone(model)
    assert other.get_params() == model.get_params()
    assert not hasattr(other, "coefs_")
    with pytest.raises(NotFittedError):
        other.predict(IRIS[0])


def test_an_unfinished_fit_warns_and_a_single_class_is_learnt():
    X, y = IRIS
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        MLPClassifier((5,), max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2"):
        MLPClassifier((5,), solver="lbfgs", max_iter=2).fit(X, y)
    with pytest.warns(UserWarning, match="clipped: from 1000 to 150"):
        MLPClassifier((5,), max_iter=2, batch_size=1000).fit(X, y)
    assert (MLPClassifier((5,), max_iter=2).fit(X, np.full(150, "only")).predict(X) == "only").all()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes is 0"),
        ({"hidden_layer_sizes": -1}, "hidden_layer_sizes is -1"),
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"activation": "softmax"}, "activation is 'softmax'"),
        ({"solver": "adamw"}, "Did you mean 'adam'"),
        ({"alpha": -1.0}, "alpha is -1.0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": "all"}, "batch_size is 'all'"),
        ({"learning_rate": "cosine"}, "learning_rate is 'cosine'"),
        ({"learning_rate_init": 0.0}, "learning_rate_init is 0.0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"momentum": 1.5, "solver": "sgd"}, "momentum is 1.5"),
        ({"momentum": 1.5}, "momentum is 1.5"),
        ({"beta_1": 1.0}, "beta_1 is 1.0"),
        ({"beta_1": 1.0, "solver": "sgd"}, "beta_1 is 1.0"),
        ({"verbose": "yes"}, "verbose is 'yes'"),
        ({"verbose": -1}, "verbose is -1"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1.0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change is 0"),
        ({"shuffle": "yes"}, "shuffle is 'yes'"),
        ({"hidden_layer_sizes": (i for i in (3, 4))}, "or a tuple of such"),
        ({"hidden_layer_sizes": {3, 4}}, "or a tuple of such"),
        ({"hidden_layer_sizes": np.array(2.5)}, "hidden_layer_sizes is 2.5"),
        ({"batch_size": 0.5}, "at least 1, or 'auto'"),
        ({"n_iter_no_change": -np.inf}, "at least 1, or inf"),
        ({"random_state": "a"}, "random_state is 'a'"),
        ({"random_state": -1}, "random_state is -1"),
        ({"early_stopping": True, "validation_fraction": 0.0}, "validation_fraction is 0.0, but early_stopping=True"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "validation_fraction=0.001 of 150 row.s. makes 1"),
        ({"early_stopping": True, "validation_fraction": 0.999}, "0 of 150 row.s. are left for training"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_parameter_out_of_range_is_refused_by_name(setting, words):
    with pytest.raises(ValueError, match=words):
        MLPClassifier(**setting).fit(*IRIS)


@pytest.mark.parametrize("sizes", [np.array(5), np.int64(5), [5], np.array([5]), range(5, 6), pd.Series([5])])
def test_a_single_hidden_layer_may_be_any_whole_number(sizes):
    model = MLPClassifier(sizes, max_iter=1).fit(*IRIS)
    assert [W.shape for W in model.coefs_] == [(4, 5), (5, 3)]


@pytest.mark.parametrize("layers", [(10,), 10, [5, 5]])
def test_layers_in_the_place_of_the_loss_are_told_where_they_belong(layers):
    with pytest.raises(rs.ParameterError, match=r"the second: MLPRegressor\(hidden_layer_sizes="):
        MLPRegressor(layers).fit(*IRIS)


def test_too_few_rows_of_two_classes_are_told_in_the_estimator_s_words():
    with pytest.raises(rs.DataError, match=r"early_stopping=True and validation_fraction=.* 1 of 4 row\(s\) are left"):
        MLPClassifier(early_stopping=True, validation_fraction=0.7).fit(IRIS[0][:4], [0, 1, 0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_whose_squares_the_precision_cannot_hold_are_refused_and_others_learnt(dtype):
    X = IRIS[0].astype(dtype)
    limit = np.sqrt(np.finfo(dtype).max)  # 1.8e19 in float32
    y = np.where(np.arange(150) == 7, 1.01 * float(limit), 1.0)
    for solver in ("adam", "lbfgs"):
        with pytest.raises(rs.DataError, match=r"at row 7, whose square .* cannot hold; scale y"):
            MLPRegressor(hidden_layer_sizes=(4,), solver=solver).fit(X, y)
    assert np.isfinite(MLPRegressor(hidden_layer_sizes=(4,), max_iter=5).fit(X, y * 0.9).loss_)
    inner = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
    scaled = TransformedTargetRegressor(inner, transformer=StandardScaler())
    far = IRIS[0][:, 0] * 1e25
    assert scaled.fit(X, far).score(X, far) > 0.99  # the way out that is told


def test_lbfgs_that_single_precision_keeps_from_a_first_step_says_so():
    X = StandardScaler().fit_transform(IRIS[0]).astype(np.float32)
    model = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
    with pytest.warns(ConvergenceWarning, match="y reaches .*give X in float64"):
        assert model.fit(X, X[:, 0] * 1e12).score(X, X[:, 0] * 1e12) < 0.1
    assert model.fit(X.astype(float), X[:, 0] * 1e12).score(X, X[:, 0] * 1e12) > 0.99


def in_steps(precision, **options):
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    return MLPClassifier((20,), random_state=0, max_iter=20, precision=precision, **options).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("precision", "least", "most"), [("bf16", 1e-5, 0.1), ("bf16x3", 1e-8, 1e-3), ("bf16x6", 0, 1e-4)]
)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_precision_changes_the_weights_as_much_as_it_rounds(precision, least, most, solver):
    exact, found = (in_steps(each, solver=solver).coefs_ for each in (None, precision))
    assert least <= max(np.abs(a - b).max() for a, b in zip(exact, found, strict=True)) < most


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_precision_is_kept_in_copies_and_files_and_changes_no_prediction(tmp_path):
    model = in_steps("bf16x3")
    X = IRIS[0].astype(np.float32)
    assert model.predict_proba(X).tolist() == model.network_(X).tolist()
    model.save(tmp_path / "model.reseau")
    for other in (clone(model), pickle.loads(pickle.dumps(model)), rs.load(tmp_path / "model.reseau")):
        assert other.get_params()["precision"] == "bf16x3"
    again = clone(model).fit(X, IRIS[1])
    assert again.coefs_[0].tobytes() == model.coefs_[0].tobytes()


def test_partial_fit_takes_up_a_precision_with_the_optimizer_s_state():
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    exact, changed = (MLPClassifier((20,), random_state=0) for _ in range(2))
    for model in (exact, changed):
        for _ in range(20):
            model.partial_fit(X, y, classes=[0, 1, 2])
    changed.set_params(precision="bf16")
    for model in (exact, changed):
        model.partial_fit(X, y)
    differences = np.abs(exact.coefs_[0] - changed.coefs_[0])
    assert 0 < differences.max() < 1e-4  # a state begun anew would move the weights by the learning rate, 1e-3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp16"}, "precision is 'fp16', which is unknown.* Known: bf16, bf16x3, bf16x6"),
        ({"precision": True}, "precision is True, which is unknown"),
        ({"precision": "bf16"}, "goes with float32 alone, .* would be of float64, as X is; give X in float32"),
        ({"precision": "bf16x6", "solver": "lbfgs"}, "which solver='lbfgs' has no use for; use 'adam' or 'sgd'"),
    ],
    ids=str,
)
def test_a_precision_that_cannot_be_is_refused(options, words):
    model = MLPClassifier(**options)
    with pytest.raises(rs.ParameterError, match=words):
        model.fit(*IRIS)
    assert not hasattr(model, "network_")


def test_an_unknown_loss_is_refused_by_name():
    with pytest.raises(
        ValueError, match=r"Did you mean 'absolute_error'\? Known: squared_error, absolute_error, huber, "
    ):
        MLPRegressor("absolute").fit(*IRIS)
    with pytest.raises(ValueError, match="loss is 'binary_cross_entropy', which is unknown"):
        MLPRegressor("binary_cross_entropy").fit(*IRIS)


def test_a_fit_that_diverges_says_so():
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(rs.ReseauError, match="non-finite parameter weights"), np.errstate(all="ignore"):
        MLPRegressor(
            "squared_error", (5,), "identity", solver="sgd", learning_rate_init=1e3, momentum=0, max_iter=50
        ).fit(X * 1e3, y)


ONES = np.ones((64, 1))
DOUBLING = {  # one weight, which goes away from 1 by a factor of some 2 at each step
    "hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0, "batch_size": 64, "random_state": 0,
    "learning_rate_init": 1.5, "max_iter": 1000,
}  # fmt: skip


def test_a_fit_whose_loss_grows_to_a_million_times_the_start_is_given_up_by_name():
    model = MLPRegressor(**DOUBLING)
    with pytest.raises(rs.ReseauError, match=r"10⁶ times.*step 1 of epoch \d+\..*smaller learning_rate_init than 1.5"):
        model.fit(ONES, ONES.ravel())
    assert not hasattr(model, "n_iter_")


def test_with_early_stopping_a_grown_fit_ends_with_its_best_weights():
    model = MLPRegressor(**{**DOUBLING, "batch_size": 16}, early_stopping=True, tol=0)
    y = np.linspace(0, 2, 64)
    with pytest.warns(ConvergenceWarning, match=r"weights of the best validation score so far. The loss has grown"):
        model.fit(ONES, y)
    assert np.isfinite(model.coefs_[0]).all()
    assert model.loss_ > 1e5
    assert model.loss_curve_[-1] == model.loss_


def test_partial_fit_gives_up_a_call_that_has_outgrown_the_first_and_stays_as_it_was():
    model = MLPRegressor(**DOUBLING)
    before = None

    def calls():
        nonlocal before
        for _ in range(100):
            before = [model.coefs_[0].copy(), len(model.loss_curve_)] if hasattr(model, "coefs_") else None
            model.partial_fit(ONES, ONES.ravel())

    with pytest.raises(rs.ReseauError, match=r"10⁶ times that at the start.*It happened in this call"):
        calls()
    assert before is not None
    assert model.coefs_[0] == before[0]
    assert len(model.loss_curve_) == before[1]


def test_partial_fit_takes_targets_that_are_suddenly_larger_as_they_are():
    model = MLPRegressor(random_state=0, learning_rate_init=1e-6)
    model.partial_fit(ONES, 1e-3 * ONES.ravel())
    model.partial_fit(ONES, np.linspace(-1e5, 1e5, 64))
    assert model.loss_ > 1e6 * model.loss_curve_[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_classifier_may_have_weights_of_any_size_as_scikit_learn_s():
    X, y = np.array([[1.0], [2.0], [-3.0], [-4.0]]), [1, 1, 0, 0]
    options = {"solver": "sgd", "learning_rate_init": 1e8, "momentum": 0, "max_iter": 5, "random_state": 0}
    ours, theirs = (kind((), **options).fit(X, y) for kind in (MLPClassifier, sklearn.neural_network.MLPClassifier))
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0])
    assert abs(ours.coefs_[0]).max() > 1e7


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_verbose_prints_every_epoch(solver, capsys):
    MLPClassifier((5,), solver=solver, max_iter=3, verbose=True).fit(*IRIS)
    assert capsys.readouterr().out.count("Iteration") == 3


@pytest.mark.parametrize("how", ["fit", "partial_fit"])
def test_labels_of_mixed_types_are_one_clear_error(how):
    y = np.array([1, "a"] * 10, dtype=object)
    more = {"classes": ["1", "a"]} if how == "partial_fit" else {}
    with pytest.raises(rs.DataError, match="y mixes labels of types int, str"):
        getattr(MLPClassifier(), how)(np.ones((20, 2)), y, **more)
