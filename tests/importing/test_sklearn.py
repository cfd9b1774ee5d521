"""Perceptrons of scikit-learn, and the scalers around them, are Réseau's own with equal predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.neural_network
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

import reseau as rs
from reseau.checks import DTYPES

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


IRIS: tuple[Array, Array] = load_iris(return_X_y=True)
THEIRS = sklearn.neural_network


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_scikit_learn_s_classifier_becomes_ours(activation: str, classes: int, dtype: str) -> None:
    X, y = IRIS[0][IRIS[1] < classes].astype(dtype), IRIS[1][IRIS[1] < classes]
    names = np.array(["setosa", "versicolor", "virginica"])
    theirs = THEIRS.MLPClassifier((7, 5), activation=activation, max_iter=5, random_state=0).fit(X, names[y])
    ours = rs.from_sklearn(theirs)
    assert isinstance(ours, rs.MLPClassifier)
    assert ours.get_params() == {**rs.MLPClassifier().get_params(), **theirs.get_params()}
    eps = np.finfo(dtype).eps
    probabilities = ours.predict_proba(X)
    assert probabilities.dtype == dtype
    np.testing.assert_allclose(probabilities, theirs.predict_proba(X), rtol=0, atol=100 * eps)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    for name in ("loss_", "loss_curve_", "n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "best_loss_"):
        assert getattr(ours, name) == getattr(theirs, name)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_scikit_learn_s_regressor_becomes_ours(loss: str, outputs: int) -> None:
    X, y = IRIS[0][:, :2], IRIS[0][:, 2 : 2 + outputs]
    y = y[:, 0] if outputs == 1 else y
    theirs = THEIRS.MLPRegressor(loss, (6,), max_iter=5, random_state=0).fit(X, y)
    ours = rs.from_sklearn(theirs)
    assert isinstance(ours, rs.MLPRegressor)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12, atol=1e-13)
    assert ours.network_.loss == loss


def test_several_labels_and_the_names_of_columns_come_along() -> None:
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(IRIS[0], columns=list("abcd"))
    Y = np.stack([IRIS[1] > 0, IRIS[1] == 1], axis=1).astype(int)
    theirs = THEIRS.MLPClassifier((6,), max_iter=30, random_state=0, early_stopping=True).fit(X, Y)
    ours = rs.from_sklearn(theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-12, atol=1e-14)
    assert ours.feature_names_in_.tolist() == list("abcd")
    assert ours.validation_scores_ == theirs.validation_scores_
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(X.rename(columns={"a": "z"}))


@pytest.mark.parametrize("warm", ["partial_fit", "fit"])
def test_training_goes_on_here_and_leaves_theirs_alone(warm: str) -> None:
    X, y = IRIS
    theirs = THEIRS.MLPClassifier((6,), max_iter=20, random_state=0, warm_start=True).fit(X, y)
    before = theirs.predict_proba(X)
    ours = rs.from_sklearn(theirs)
    losses = []
    for _ in range(3):
        getattr(ours, warm)(X, y)
        losses.append(ours.loss_)
    assert losses[-1] < losses[0] < theirs.loss_
    np.testing.assert_array_equal(theirs.predict_proba(X), before)
    assert len(theirs.loss_curve_) == 20


SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 3)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, with_scaling=False),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scalers_before_it_become_part_of_the_first_layer(scaler: Any, dtype: str) -> None:
    X, y = (IRIS[0] * [1, 10, 100, 1e-3] + [0, 2000, -5, 0]).astype(dtype), IRIS[1]
    theirs = make_pipeline(
        scaler, "passthrough", MinMaxScaler(), THEIRS.MLPClassifier((8,), max_iter=30, random_state=0)
    )
    theirs.fit(X, y)
    ours = rs.from_sklearn(theirs)
    assert isinstance(ours, rs.MLPClassifier)
    assert ours.network_.dtype == np.float64
    # What is taken off and then divided by is at most some thousands here, whose rounding theirs has too.
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=2e4 * eps)
    assert ours.score(X, y) == theirs.score(X, y)


def test_a_pipeline_of_a_frame_takes_the_frame() -> None:
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(IRIS[0], columns=list("abcd"))
    theirs = make_pipeline(
        StandardScaler(), THEIRS.MLPRegressor(hidden_layer_sizes=(5,), max_iter=30, random_state=0)
    ).fit(X, IRIS[1])
    ours = rs.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-11)
    assert ours.feature_names_in_.tolist() == list("abcd")


def test_other_steps_are_refused_with_a_way_out_that_works() -> None:
    X, y = IRIS
    pipeline = Pipeline([("poly", PolynomialFeatures()), ("mlp", THEIRS.MLPClassifier((5,), max_iter=5))]).fit(X, y)
    with pytest.raises(rs.ParameterError, match="the step 'poly' is a PolynomialFeatures"):
        rs.from_sklearn(pipeline)
    ours = Pipeline([*pipeline.steps[:-1], ("mlp", rs.from_sklearn(pipeline[-1]))])
    np.testing.assert_allclose(ours.predict_proba(X), pipeline.predict_proba(X), rtol=1e-10, atol=1e-14)
    clipping = make_pipeline(MinMaxScaler(clip=True), THEIRS.MLPClassifier((5,), max_iter=5)).fit(X, y)
    with pytest.raises(rs.ParameterError, match="MinMaxScaler with clip=True"):
        rs.from_sklearn(clipping)


def test_a_column_too_far_from_zero_to_be_folded_is_refused() -> None:
    X = IRIS[0] + [0, 0, 1e10, 0]
    pipeline = make_pipeline(StandardScaler(), THEIRS.MLPClassifier((5,), max_iter=5)).fit(X, IRIS[1])
    with pytest.raises(rs.ParameterError, match=r"in column 2; .* would lose digits"):
        rs.from_sklearn(pipeline)


def test_other_estimators_are_refused() -> None:
    with pytest.raises(rs.ParameterError, match="of type LogisticRegression, but must be an MLPClassifier"):
        rs.from_sklearn(LogisticRegression())
    search = GridSearchCV(THEIRS.MLPClassifier((3,), max_iter=2), {"alpha": [1e-4]}, cv=2).fit(*IRIS)
    with pytest.raises(rs.ParameterError, match="give its best_estimator_"):
        rs.from_sklearn(search)
    with pytest.raises(NotFittedError):
        rs.from_sklearn(THEIRS.MLPClassifier())


TARGETS = [
    StandardScaler(),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    RobustScaler(),
    make_pipeline(MaxAbsScaler(), StandardScaler()),
    None,
]


@pytest.mark.parametrize("transformer", TARGETS, ids=str)
@pytest.mark.parametrize("outputs", [1, 2])
def test_scalers_of_targets_become_part_of_the_last_layer(transformer: Any, outputs: int) -> None:
    X, y = IRIS[0][:, :2], 1000 + 50 * IRIS[0][:, 2 : 2 + outputs]
    y = y[:, 0] if outputs == 1 else y
    inner = THEIRS.MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=0)
    theirs = make_pipeline(
        StandardScaler(), TransformedTargetRegressor(make_pipeline(MinMaxScaler(), inner), transformer=transformer)
    )
    theirs.fit(X, y)
    ours = rs.from_sklearn(theirs)
    assert isinstance(ours, rs.MLPRegressor)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda mlp: TransformedTargetRegressor(mlp, func=np.log, inverse_func=np.exp),
            r"applies a function \(log, exp\)",
        ),
        (
            lambda mlp: TransformedTargetRegressor(mlp, transformer=PowerTransformer()),
            "'transformer' is a PowerTransformer",
        ),
        (lambda mlp: make_pipeline(FunctionTransformer(np.log1p), mlp), "'functiontransformer' applies a function"),
        (lambda mlp: make_pipeline(make_pipeline(Normalizer()), mlp), r"'pipeline\.normalizer' is a Normalizer"),
        (lambda mlp: make_pipeline(StandardScaler(), PCA(2), mlp), "'pca' is a PCA"),
        (lambda mlp: MultiOutputRegressor(mlp), "of type MultiOutputRegressor, but must be"),
        (lambda mlp: MyRegressor(max_iter=5), "of type MyRegressor, which is derived from MLPRegressor and may do"),
        (lambda mlp: Ours(max_iter=5), "of type Ours, which is derived from MLPRegressor and may do"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_line_is_refused_by_its_step(made: Any, message: str) -> None:
    model = made(THEIRS.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5))
    model.fit(IRIS[0], IRIS[0][:, 1:2] if isinstance(model, MultiOutputRegressor) else IRIS[0][:, 1])
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_sklearn(model)


class MyRegressor(THEIRS.MLPRegressor):  # type: ignore[misc, name-defined]
    def predict(self, X: Any) -> Any:
        return 2 * super().predict(X)


class Ours(rs.MLPRegressor):
    def predict(self, X: Any) -> Any:
        return 2 * super().predict(X)


def test_targets_of_an_output_that_is_no_line_are_refused() -> None:
    model = TransformedTargetRegressor(THEIRS.MLPRegressor("poisson", (3,), max_iter=5), transformer=MaxAbsScaler())
    model.fit(IRIS[0], IRIS[0][:, 1])
    with pytest.raises(
        rs.ParameterError, match="the transformer of the targets changes what the last activation gives"
    ):
        rs.from_sklearn(model)


@pytest.mark.parametrize("dtype", DTYPES)
def test_our_own_estimators_are_taken_too(dtype: str) -> None:
    X, y = (IRIS[0] * [1, 10, 100, 1e-3] + [0, 20, -5, 0]).astype(dtype), np.array(["a", "b", "c"])[IRIS[1]]
    theirs = make_pipeline(
        StandardScaler(),
        "passthrough",
        FunctionTransformer(),
        rs.MLPClassifier((8,), activation="gelu", max_iter=30, random_state=0),
    )
    theirs.fit(X, y)
    ours = rs.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=2e4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    ours.partial_fit(X, y)  # an optimizer that starts afresh
    copied = rs.from_sklearn(theirs[-1])
    Z = theirs[:-1].transform(X)
    before = theirs.predict_proba(X)
    np.testing.assert_array_equal(copied.predict_proba(Z), before)
    copied.partial_fit(Z, y)
    np.testing.assert_array_equal(theirs.predict_proba(X), before)


def test_the_names_of_the_outermost_inputs_are_kept() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(IRIS[0], columns=list("abcd"))
    mlp = THEIRS.MLPClassifier((5,), max_iter=5)
    theirs = make_pipeline("passthrough", StandardScaler(), mlp).fit(frame, IRIS[1])
    assert rs.from_sklearn(theirs).feature_names_in_.tolist() == list("abcd")
    theirs = make_pipeline(StandardScaler().set_output(transform="pandas"), mlp).fit(IRIS[0], IRIS[1])
    assert hasattr(theirs[-1], "feature_names_in_")
    assert not hasattr(rs.from_sklearn(theirs), "feature_names_in_")


def test_weights_that_are_not_finite_and_classes_of_estimators_are_refused() -> None:
    theirs = THEIRS.MLPClassifier((3,), max_iter=2).fit(*IRIS)
    theirs.coefs_[1][2, 0] = np.nan
    with pytest.raises(rs.ParameterError, match="layer 2 holds nan among its weights"):
        rs.from_sklearn(theirs)
    for given, message in (
        (THEIRS.MLPClassifier, "the class MLPClassifier, not an instance"),
        (None, "of type NoneType"),
        (b"", "of type bytes"),
        (make_pipeline(StandardScaler(), "passthrough"), "of type str"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_sklearn(given)
