"""MLPRegressor's solvers "lm" and "br"."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import reseau as rs

SOLVERS = ["lm", "br"]


def problem(outputs: int = 1) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (80, 2))
    y = np.stack([np.sin(3 * X[:, 0]) + X[:, 1] ** 2, X[:, 0] * X[:, 1]], axis=1) + 0.1 * rng.normal(size=(80, 2))
    return X, y if outputs == 2 else y[:, 0]


def regressor(solver: str, **parameters: Any) -> rs.MLPRegressor:
    return rs.MLPRegressor(
        **{
            "hidden_layer_sizes": (6,),
            "activation": "tanh",
            "solver": solver,
            "random_state": 0,
            "max_iter": 500,
            **parameters,
        }
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_makes_the_steps_of_the_network_from_the_estimator_s_first_weights(solver):
    X, y = problem()
    model = regressor(solver, tol=0.0, max_iter=7, alpha=0.3)
    with pytest.warns(ConvergenceWarning, match=f"{solver} failed to converge after 7 iteration"):
        model.fit(X, y)
    net = rs.Network(rs.Dense(6, "tanh"), rs.Dense(1), inputs=2, dtype="float64")
    untrained = rs.MLPRegressor(
        hidden_layer_sizes=(6,), activation="tanh", solver="sgd", learning_rate_init=1e-300, max_iter=1, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.parameters[...] = untrained.fit(X, y).network_.parameters
    history = net.fit(X, y, optimizer=solver, epochs=7, l2=0.3 if solver == "lm" else 0.0)
    np.testing.assert_allclose(model.network_.parameters, net.parameters, rtol=1e-9)
    penalty = 0.15 * sum((W**2).sum() for W in model.coefs_) / len(X) if solver == "lm" else 0.0
    assert model.loss_ == pytest.approx(history.loss[-1] + penalty, rel=1e-9)
    assert (model.n_iter_, len(model.loss_curve_)) == (7, 7)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_it_converges_without_a_word_and_predicts(solver, outputs):
    X, y = problem(outputs)
    model = regressor(solver).fit(X, y)
    assert model.n_iter_ < 500
    assert model.score(X, y) > 0.95
    assert model.predict(X).shape == y.shape


def test_bayesian_regularisation_tells_how_many_parameters_the_data_determine():
    X, y = problem()
    model = regressor("br").fit(X, y)
    assert 6 < model.n_effective_parameters_ < model.network_.n_parameters
    assert model.beta_**-0.5 == pytest.approx(0.1, rel=0.25)
    assert model.alpha_ > 0
    assert not hasattr(model.set_params(solver="lm").fit(X, y), "alpha_")


@pytest.mark.parametrize("solver", SOLVERS)
def test_files_clones_searches_and_warm_starts_know_the_solvers(solver, tmp_path):
    X, y = problem()
    model = regressor(solver, max_iter=100).fit(X, y)
    model.save(tmp_path / "model.reseau")
    back = rs.load(tmp_path / "model.reseau")
    assert back.predict(X).tobytes() == model.predict(X).tobytes()
    assert {
        name: getattr(back, name)
        for name in vars(model)
        if name.endswith("_") and name[0] != "_" and isinstance(getattr(model, name), float)
    } == {
        name: value
        for name, value in vars(model).items()
        if name.endswith("_") and name[0] != "_" and isinstance(value, float)
    }
    again = clone(model).fit(X, y)
    assert again.predict(X).tobytes() == model.predict(X).tobytes()
    search = GridSearchCV(regressor("adam", max_iter=100), {"solver": [solver]}, cv=2).fit(X, y)
    assert search.best_params_ == {"solver": solver}
    before = model.loss_
    model.set_params(warm_start=True).fit(X, y)
    assert model.loss_ == pytest.approx(before, rel=0.05)


def test_weights_of_rows_and_sparse_rows_count():
    X, y = problem()
    X[X < 0] = 0
    s = np.random.default_rng(1).integers(0, 3, len(X))
    weighted = regressor("lm").fit(X, y, sample_weight=s).predict(X)
    repeated = regressor("lm").fit(np.repeat(X, s, axis=0), np.repeat(y, s)).predict(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-3)
    np.testing.assert_allclose(
        regressor("lm").fit(scipy.sparse.csr_matrix(X), y, sample_weight=s).predict(X), weighted, atol=1e-3
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (rs.MLPClassifier(solver="lm"), "solver is 'lm', which is unknown. Known: lbfgs, sgd, adam"),
        (regressor("lm", loss="huber"), "solver is 'lm', which is for loss='squared_error', but loss is 'huber'"),
        (regressor("br", precision="bf16"), "precision is 'bf16', which solver='br' has no use for"),
        (
            regressor("adam", optimizer=rs.LevenbergMarquardt(), precision="bf16"),
            "precision is 'bf16', which optimizer=LevenbergMarquardt.* has no use for",
        ),
        (regressor(["lm"]), r"solver is \['lm'\], which is unknown. Known: lbfgs, sgd, adam, lm, br"),
        (regressor("lm", hidden_layer_sizes=(500_000,)), r"3 matrices of 2,000,001 × 2,000,001 numbers, 96,000 GB"),
    ],
)
def test_what_cannot_be_is_refused_and_the_estimator_stays_unfitted(model, words):
    X, y = problem()
    with pytest.raises(rs.ParameterError, match=words):
        model.fit(X, y > 0 if isinstance(model, rs.MLPClassifier) else y)
    assert not hasattr(model, "n_iter_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_leaves_no_scores_of_steps_that_it_does_not_end():
    X, y = problem()
    model = regressor("lm", max_iter=5, early_stopping=True, warm_start=True).fit(X, y, X_val=X[:9], y_val=y[:9])
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert model.best_loss_ == min(model.loss_curve_)
    model.set_params(solver="adam").fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_bayesian_regularisation_has_found_goes_with_the_next_fit():
    X, y = problem()
    model = regressor("br", max_iter=5, warm_start=True).fit(X, y)
    assert model.n_effective_parameters_ > 0
    model.set_params(solver="adam").fit(X, y)
    assert not {"n_effective_parameters_", "alpha_", "beta_"} & vars(model).keys()


def test_there_is_no_partial_fit_with_steps_on_all_rows():
    assert not hasattr(regressor("lm"), "partial_fit")
    assert hasattr(regressor("adam"), "partial_fit")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_method_may_be_given_as_an_optimizer_with_its_own_numbers(solver, tmp_path):
    X, y = problem()
    kind = {"lm": rs.LevenbergMarquardt, "br": rs.BayesianRegularization}[solver]
    model = regressor("adam", optimizer=kind()).fit(X, y)
    assert model.predict(X).tobytes() == regressor(solver).fit(X, y).predict(X).tobytes()
    assert not hasattr(model, "partial_fit")
    model.set_params(optimizer__mu=0.5).save(tmp_path / "model.reseau")
    assert rs.load(tmp_path / "model.reseau").optimizer == kind(mu=0.5)
    classifier = rs.MLPClassifier((4,), "tanh", loss="squared_error", optimizer=kind(), max_iter=500, random_state=0)
    assert classifier.fit(X, y > 1).score(X, y > 1) > 0.9
    with pytest.raises(
        rs.ParameterError, match="is for loss='squared_error', but the network's is 'binary_cross_entropy'"
    ):
        rs.MLPClassifier(optimizer=kind()).fit(X, y > 1)
