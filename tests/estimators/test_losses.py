"""Every loss that an estimator offers: what it reports, what it predicts, and that all the rest goes with it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.special
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
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
# On targets far from 0 a loss that predicts a scale too learns that first, and takes longer.
CENTRED = {
    name: (y - y.mean(axis=0)) / y.std(axis=0) if name in list(TARGETS)[3:] else y for name, y in TARGETS.items()
}
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
        of_targets = {  # half the deviance is left without them
            "poisson": lambda T: scipy.special.xlogy(T, T) - T,
            "gamma": lambda T: -1 - np.log(T),
            "tweedie": lambda T: -4 * np.sqrt(T),
            "negative_binomial": lambda T: scipy.special.xlogy(T, T) - (T + 1) * np.log1p(T),
        }
        if model.loss in of_targets:
            E += of_targets[model.loss](T).sum(axis=1).mean()
    return E + 0.5 * alpha * sum((W**2).sum() for W in model.coefs_) / len(X)


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
def test_the_loss_that_is_reported_is_the_one_of_the_docstring(kind: Any, loss: str, name: str) -> None:
    y, settings = TARGETS[name], {**SMALL, "loss": loss, "alpha": 3.0}
    still = kind(**settings, solver="sgd", learning_rate_init=1e-12, max_iter=1).fit(X, y)
    # The one step of it is tiny, but the slope of a Gaussian loss is steep.
    assert still.loss_ == still.loss_curve_[0] == still.best_loss_ == pytest.approx(reported(still, y, 3.0), rel=1e-7)
    minimised = kind(**settings, solver="lbfgs", max_iter=20).fit(X, y)
    assert minimised.loss_ == pytest.approx(reported(minimised, y, 3.0), rel=1e-9)
    assert minimised.loss_ < still.loss_ - 0.1 * abs(still.loss_)


@pytest.mark.parametrize(("kind", "loss", "name"), OFFERED)
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "lbfgs", "max_iter": 25}], ids=str)
def test_it_is_learnt_by_every_solver_and_with_early_stopping(
    kind: Any, loss: str, name: str, settings: dict[str, Any], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    y = CENTRED[name] if kind is rs.MLPRegressor and REGRESSION_LOSSES[loss].per_target > 1 else TARGETS[name]
    settings = {"learning_rate_init": 0.05, "max_iter": 150, "n_iter_no_change": 150, **settings}
    model = kind(**SMALL, loss=loss, **settings).fit(X, y)
    assert model.score(X, y) > 0.6
    of_scale = (
        kind is rs.MLPRegressor and REGRESSION_LOSSES[loss].per_target > 1
    )  # steep, as the noise is learnt to be 0
    if not (model.early_stopping or model.solver == "lbfgs" or of_scale):
        before = model.score(X, y)
        for _ in range(20):
            model.partial_fit(scipy.sparse.csr_matrix(X), y, np.ones(len(X)))
        assert model.score(X, y) > before - 0.05


@pytest.mark.parametrize(
    ("loss", "expected"),
    # of four targets of 1 and one of 10: the mean, the median, where 4 (o − 1) = 1 (Huber's derivative is at most 1)
    # log-cosh: 4 tanh(o − 1) = tanh(10 − o) ≈ 1
    [
        ("squared_error", 2.8),
        ("absolute_error", 1.0),
        ("huber", 1.25),
        ("log_cosh", 1 + np.arctanh(0.25)),
        ("quantile", 1.0),
        ("poisson", 2.8),
        ("gamma", 2.8),
        ("tweedie", 2.8),
        ("negative_binomial", 2.8),
        ("gaussian", 2.8),
    ],
)
def test_a_constant_is_learnt_as_the_loss_has_it(loss: str, expected: float) -> None:
    y = np.array([1.0, 1.0, 1.0, 1.0, 10.0])
    settings = {"alpha": 0.0, "learning_rate_init": 0.01, "max_iter": 3000, "tol": 0.0, "n_iter_no_change": 3000}
    model = rs.MLPRegressor(loss, (), random_state=0, **settings).fit(np.zeros((5, 1)), y)
    assert model.predict([[0.0]])[0] == pytest.approx(expected, abs=0.02)


def test_every_loss_of_numbers_is_tried_on_a_constant() -> None:
    (mark,) = [m for m in test_a_constant_is_learnt_as_the_loss_has_it.pytestmark if m.name == "parametrize"]
    # Student's t has none: the scale of four equal targets may be as small as it likes.
    assert [*(loss for loss, _ in mark.args[1]), "student_t"] == list(REGRESSION_LOSSES)


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


# --- losses with numbers, and with several outputs for a target -------------------------------------------------------

NUMBER = CENTRED["a number"]


def test_a_loss_with_numbers_is_a_parameter_as_any_other(tmp_path: Path) -> None:
    for loss in (rs.Huber(0.3), rs.Quantile([0.1, 0.9]), rs.Tweedie(1.2), rs.StudentT(5)):
        model = clone(rs.MLPRegressor(loss, (6,), max_iter=5, random_state=0))
        y = np.abs(NUMBER) + 0.1
        model.fit(X, y).partial_fit(X, y)
        assert model.network_.loss == model.get_params()["loss"] == loss
        rs.save(model, tmp_path / "model.reseau")
        again = rs.load(tmp_path / "model.reseau")
        assert again.loss == loss
        assert again.predict(X).tobytes() == model.predict(X).tobytes()
    search = GridSearchCV(rs.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), {"loss": [rs.Huber(0.3), "huber"]})
    assert search.fit(X, NUMBER).best_params_["loss"] in (rs.Huber(0.3), "huber")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_quantiles_are_a_column_each_and_the_score_is_that_of_the_middle_one(early_stopping: bool) -> None:
    settings: dict[str, Any] = {"learning_rate_init": 0.02, "max_iter": 300, "n_iter_no_change": 300}
    rng = np.random.default_rng(0)
    Z = rng.uniform(-1, 1, (600, 1))
    y = Z[:, 0] + rng.normal(size=600)
    model = rs.MLPRegressor(
        rs.Quantile([0.1, 0.5, 0.9]), (6,), random_state=0, early_stopping=early_stopping, **settings
    ).fit(Z, y)
    bands = model.predict(Z)
    assert bands.shape == (600, 3)
    assert (np.diff(bands, axis=1) >= 0).all()
    assert model.score(Z, y) == r2_score(y, bands[:, 1])
    np.testing.assert_allclose((y[:, None] <= bands).mean(axis=0), [0.1, 0.5, 0.9], atol=0.06)
    with pytest.raises(rs.ParameterError, match=r"3 quantiles of one target, but y has 2 columns"):
        model.fit(X, CENTRED["numbers"])


def test_a_mean_and_its_standard_deviation_are_predicted_of_one_target_and_of_several() -> None:
    rng = np.random.default_rng(0)
    Z = rng.uniform(-1, 1, (600, 1))
    scale = np.where(Z[:, 0] > 0, 0.5, 0.1)
    y = Z[:, 0] + scale * rng.normal(size=600)
    model = rs.MLPRegressor("gaussian", (16,), "tanh", random_state=0, learning_rate_init=0.01, max_iter=300).fit(Z, y)
    at = np.array([[-0.6], [0.6]])
    np.testing.assert_allclose(model.predict(at), [-0.6, 0.6], atol=0.12)
    np.testing.assert_allclose(model.predict_std(at), [0.1, 0.5], rtol=0.35)
    O = model.network_(Z)
    assert model.predict(Z).tobytes() == O[:, 0].tobytes()
    assert model.score(Z, y) == r2_score(y, O[:, 0])
    both = rs.MLPRegressor(rs.StudentT(5), (4,), random_state=0, max_iter=3).fit(Z, np.column_stack([y, -y]))
    O = both.network_(Z)
    assert both.predict(Z).tobytes() == np.ascontiguousarray(O[:, 0::2]).tobytes()
    np.testing.assert_allclose(both.predict_std(Z), O[:, 1::2] * np.sqrt(5 / 3), rtol=1e-15)
    np.testing.assert_allclose(both.network_.predict_std(Z), both.predict_std(Z), rtol=1e-15)
    assert not hasattr(rs.MLPRegressor("huber"), "predict_std")
    with pytest.raises(rs.ReseauError, match="predicts no standard deviation"):
        rs.MLPRegressor("huber", (2,), max_iter=1).fit(Z, y).network_.predict_std(Z)


@pytest.mark.parametrize(
    ("loss", "of_two", "of_many"),
    [
        ("focal", "binary_focal", "focal"),
        (rs.Focal(1.5), rs.BinaryFocal(1.5), rs.Focal(1.5)),
        (rs.CrossEntropy(0.1), rs.BinaryCrossEntropy(0.1), rs.CrossEntropy(0.1)),
        (rs.BinaryCrossEntropy(0.1), rs.BinaryCrossEntropy(0.1), rs.CrossEntropy(0.1)),
        (rs.Huber(0.5), rs.Huber(0.5), rs.Huber(0.5)),
    ],
)
def test_a_loss_of_classes_is_the_one_that_goes_with_the_labels(loss: Any, of_two: Any, of_many: Any) -> None:
    settings: dict[str, Any] = {**SMALL, "loss": loss, "learning_rate_init": 0.05}
    for name in CLASSES:
        model = rs.MLPClassifier(**settings).fit(X, TARGETS[name])
        assert model.network_.loss == (of_many if name == "three classes" else of_two)
        assert model.score(X, TARGETS[name]) > 0.6


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (rs.MLPClassifier(loss=rs.StudentT(3)), SPECIES),
        (rs.MLPClassifier(loss=rs.Quantile([0.1, 0.9])), SPECIES),
        (rs.MLPRegressor(rs.CrossEntropy(0.1)), NUMBER),
    ],
)
def test_an_object_that_is_no_loss_for_it_is_refused_with_those_that_are(model: Any, y: Any) -> None:
    with pytest.raises(rs.ParameterError, match=r"^loss is .*, which is unknown\..* Known: "):
        model.fit(X, y)


# --- a loss of one's own ------------------------------------------------------------------------------------------


def half_squares(O, T):
    return 0.5 * (O - T) ** 2, O - T


@pytest.mark.parametrize("loss", [half_squares, rs.OwnLoss(half_squares)], ids=["function", "object"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_regressor_learns_a_loss_of_one_s_own_as_the_same_of_the_table(loss, solver):
    X, y = np.linspace(-1, 1, 60).reshape(20, 3), np.linspace(0, 1, 20) ** 2
    options = {"hidden_layer_sizes": (4,), "solver": solver, "random_state": 0, "max_iter": 20}
    own = clone(rs.MLPRegressor(loss, **options)).fit(X, y, X_val=X[:5], y_val=y[:5])
    table = rs.MLPRegressor("squared_error", **options).fit(X, y, X_val=X[:5], y_val=y[:5])
    assert own.loss_ == pytest.approx(table.loss_, rel=1e-6)
    assert own.validation_loss_curve_ == pytest.approx(table.validation_loss_curve_, rel=1e-6)
    np.testing.assert_allclose(own.predict(X), table.predict(X), rtol=1e-5)
    again = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(again.predict(X), own.predict(X))


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_learns_a_loss_of_one_s_own_with_weights_of_classes_and_validation_rows(classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.array(["a", "b", "c"])[np.arange(60) % classes]
    options = {
        "hidden_layer_sizes": (4,),
        "random_state": 0,
        "max_iter": 8,
        "class_weight": "balanced",
        "early_stopping": True,
        "early_stopping_metric": "loss",
    }
    own = rs.MLPClassifier(loss=half_squares, **options).fit(X, y)
    table = rs.MLPClassifier(loss="squared_error", **options).fit(X, y)
    assert own.validation_loss_curve_ == pytest.approx(table.validation_loss_curve_, rel=1e-9)
    np.testing.assert_allclose(own.predict_proba(X), table.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("loss", [rs.Huber(2.0), "gaussian", rs.Quantile([0.1, 0.9]), half_squares], ids=range(4))
@pytest.mark.parametrize("options", [{"solver": "lm"}, {"solver": "br"}, {"optimizer": rs.LevenbergMarquardt()}])
def test_least_squares_are_refused_with_other_losses(loss, options):
    with pytest.raises(rs.ParameterError, match="which is for loss='squared_error', but"):
        rs.MLPRegressor(loss, (3,), **options).fit(np.ones((4, 1)), np.arange(4.0))


def test_an_estimator_with_a_loss_of_one_s_own_is_kept_in_no_file(tmp_path):
    model = rs.MLPRegressor(half_squares, (3,), max_iter=1).fit(np.ones((4, 1)), np.arange(4.0))
    with pytest.raises(
        rs.ParameterError, match=r"loss is .*has no place for; pickle the estimator, or save its network_"
    ):
        model.save(tmp_path / "model.reseau")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: rs.MLPRegressor(rs.Huber).fit(X, NUMBER),
        lambda: rs.MLPClassifier(loss=rs.Focal).fit(X, SPECIES),
        lambda: rs.Network(rs.Dense(1), loss=rs.Huber),
    ],
    ids=["regressor", "classifier", "network"],
)
def test_a_class_of_losses_is_refused_with_how_one_makes_an_object_of_it(ask):
    with pytest.raises(
        rs.ParameterError,
        match=r"^loss is the class (Huber|Focal), but must be an object of it: (Huber|Focal)\(\.\.\.\)",
    ):
        ask()
