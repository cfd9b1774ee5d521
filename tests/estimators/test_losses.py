"""Every loss that an estimator offers: what it reports, what it predicts, and that all the rest goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

import reseau as rs
from reseau.estimators.rules import CLASSIFICATION_LOSSES, LOG_LOSS, REGRESSION_LOSSES
from reseau.files import model_file

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(IRIS)
TARGETS: dict[str, Any] = {
    "two classes": SPECIES > 0,
    "three classes": np.array(["setosa", "versicolor", "virginica"])[SPECIES],
    "several labels": np.stack([SPECIES > 0, SPECIES == 1], axis=1).astype(int),
    "a number": IRIS[:, 0],
    "numbers": IRIS[:, :2],
}
CLASSES = list(TARGETS)[:3]
OFFERED = [
    (kind, loss, name)
    for kind, losses, names in (
        (rs.MLPClassifier, CLASSIFICATION_LOSSES, CLASSES),
        (rs.MLPRegressor, REGRESSION_LOSSES, list(TARGETS)[3:]),
    )
    for loss in losses
    for name in names
]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6,), "activation": "tanh", "random_state": 0}


def taught(model: Any, y: Any) -> Any:
    """Targets as the outputs are compared with them."""
    if isinstance(model, rs.MLPRegressor):
        return y.reshape(len(y), -1)
    if y.ndim == 2:
        return y
    places = np.searchsorted(model.classes_, y)
    return np.eye(len(model.classes_))[places] if len(model.classes_) > 2 else places[:, None]


def reported(model: Any, y: Any, alpha: float) -> float:
    """The loss as the docstrings define it, of a model as it is."""
    T = taught(model, y).astype(float)
    E = model.network_.errors(X, T).sum(axis=1).mean()
    if isinstance(model, rs.MLPRegressor):
        if model.loss == "squared_error":
            E /= T.shape[1]
        if model.loss == "poisson":
            E += (scipy.special.xlogy(T, T) - T).sum(axis=1).mean()
    return E + 0.5 * alpha * sum((W**2).sum() for W in model.coefs_) / len(X)


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
def test_the_loss_that_is_reported_is_the_one_of_the_docstring(kind: Any, loss: str, name: str) -> None:
    y, settings = TARGETS[name], {**SMALL, "loss": loss, "alpha": 3.0}
    still = kind(**settings, solver="sgd", learning_rate_init=1e-12, max_iter=1).fit(X, y)
    assert still.loss_ == still.loss_curve_[0] == still.best_loss_ == pytest.approx(reported(still, y, 3.0), rel=1e-9)
    minimised = kind(**settings, solver="lbfgs", max_iter=20).fit(X, y)
    assert minimised.loss_ == pytest.approx(reported(minimised, y, 3.0), rel=1e-9)
    assert minimised.loss_ < 0.9 * still.loss_


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "lbfgs", "max_iter": 25}], ids=str)
def test_it_is_learnt_by_every_solver_and_with_early_stopping(
    kind: Any, loss: str, name: str, settings: dict[str, Any], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    y = TARGETS[name]
    settings = {"learning_rate_init": 0.05, "max_iter": 150, "n_iter_no_change": 150, **settings}
    model = kind(**SMALL, loss=loss, **settings).fit(X, y)
    assert model.score(X, y) > 0.6
    if not (model.early_stopping or model.solver == "lbfgs"):
        before = model.score(X, y)
        for _ in range(20):
            model.partial_fit(scipy.sparse.csr_matrix(X), y, np.ones(len(X)))
        assert model.score(X, y) > before - 0.05


@pytest.mark.parametrize(
    ("loss", "expected"),
    # of four targets of 1 and one of 10: the mean, the median, where 4 (o − 1) = 1 (Huber's derivative is at most 1)
    [("squared_error", 2.8), ("absolute_error", 1.0), ("huber", 1.25), ("poisson", 2.8)],
)
def test_a_constant_is_learnt_as_the_loss_has_it(loss: str, expected: float) -> None:
    y = np.array([1.0, 1.0, 1.0, 1.0, 10.0])
    settings = {"alpha": 0.0, "learning_rate_init": 0.01, "max_iter": 3000, "tol": 0.0, "n_iter_no_change": 3000}
    model = rs.MLPRegressor(loss, (), random_state=0, **settings).fit(np.zeros((5, 1)), y)
    assert model.predict([[0.0]])[0] == pytest.approx(expected, abs=0.02)


def test_every_loss_of_numbers_is_tried_on_a_constant() -> None:
    (mark,) = [m for m in test_a_constant_is_learnt_as_the_loss_has_it.pytestmark if m.name == "parametrize"]
    assert [loss for loss, _ in mark.args[1]] == list(REGRESSION_LOSSES)


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
def test_a_model_file_keeps_it_and_learning_goes_on(kind: Any, loss: str, name: str, tmp_path: Path) -> None:
    y, path = TARGETS[name], tmp_path / "model.reseau"
    model = kind(**SMALL, loss=loss, max_iter=3).fit(X, y).partial_fit(X, y)
    rs.save(model, path)
    again = rs.load(path)
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.partial_fit(X, y).coefs_[0], model.partial_fit(X, y).coefs_[0])
    # what was set since the fit is kept beside the network as it is
    other = next(each for each in ("huber", "squared_error") if each != loss)
    rs.save(model.set_params(loss=other), path)
    assert rs.load(path).network_.loss == model.network_.loss


def test_a_file_of_a_classifier_by_the_log_loss_has_no_parameter_that_older_releases_lack(
    tmp_path: Path,
) -> None:
    for loss, there in ((LOG_LOSS, False), ("huber", True)):
        rs.save(rs.MLPClassifier(**SMALL, loss=loss, max_iter=1).fit(X, SPECIES), tmp_path / "model.reseau")
        description, _ = model_file.read(tmp_path / "model.reseau")
        assert ("loss" in description["parameters"]) is there


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
def test_another_loss_does_not_go_on_with_a_network(kind: Any, loss: str, name: str) -> None:
    y, other = TARGETS[name], next(each for each in ("huber", "squared_error") if each != loss)
    model = kind(**SMALL, loss=loss, max_iter=1).fit(X, y).set_params(loss=other)
    with pytest.raises(rs.ParameterError, match="other layers or another loss"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("loss", ["log-loss", "Huber", "mse", "brier", 3, None, ["huber"]])
def test_what_is_no_loss_for_classes_is_refused_by_name(loss: Any) -> None:
    with pytest.raises(rs.ParameterError, match=r"^loss is .*Known: log_loss, squared_error, "):
        rs.MLPClassifier(loss=loss).fit(X, SPECIES)


def test_targets_that_a_loss_is_not_defined_for_are_refused() -> None:
    with pytest.raises(rs.DataError, match=r"y holds -1 at row 3, but loss='poisson' needs targets in"):
        rs.MLPRegressor("poisson").fit(X, np.where(np.arange(150) == 3, -1.0, 2.0))


def test_another_loss_than_that_of_the_network_to_be_continued_is_refused_with_layers_as_one_writes_them() -> None:
    model = rs.MLPRegressor(**SMALL).partial_fit(X, IRIS[:, 0])
    with pytest.raises(
        rs.ParameterError, match=r"would be Dense\(6, 'tanh'\), Dense\(1, 'exponential'\) with loss='poi"
    ):
        model.set_params(loss="poisson").partial_fit(X, IRIS[:, 0])
