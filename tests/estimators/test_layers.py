"""Hidden layers of any kind, dropout and optimizers in the estimators."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs
from reseau.estimators.parameters import _OF_SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(IRIS)
FAST: dict[str, Any] = {"random_state": 0, "max_iter": 5}
DEEP = [
    rs.Dense(6),
    rs.LayerNorm(),
    rs.Residual(rs.Dense(6, "gelu", dropout=0.25)),
    rs.Dense(5, bias=False),
    rs.PReLU(),
]
KINDS = [(rs.MLPClassifier, SPECIES), (rs.MLPRegressor, IRIS[:, :2])]
OPTIMIZERS = [rs.SGD(0.1, momentum=0.9, nesterov=True), rs.Adam(0.01), rs.AdamW(0.01), rs.RMSprop(0.01)]


@pytest.mark.parametrize(("kind", "y"), KINDS)
def test_any_layers_can_be_hidden_ones(kind: Any, y: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = kind(hidden_layers=DEEP, activation="tanh", **{**FAST, "max_iter": 80}, learning_rate_init=0.02).fit(X, y)
    assert [str(layer) for layer in model.network_.architecture.layers[:-1]] == [
        "Dense(6, 'tanh')",
        "LayerNorm()",
        "Dense(6, 'gelu', dropout=0.25, residual=1)",
        "Dense(5, 'identity', bias=False)",  # the parametric ReLU is its activation
        "PReLU()",
    ]
    assert model.score(X, y) > 0.7
    assert [W.shape for W in model.coefs_] == [(4, 6), (6, 6), (6, 5), (5, model.n_outputs_)]
    assert [b.shape for b in model.intercepts_] == [(6,), (6,), (model.n_outputs_,)]
    model.coefs_ = [np.zeros_like(W) for W in model.coefs_]
    assert not model.network_.layers[0].W.any()


def test_their_weights_begin_as_those_of_a_network_and_by_random_state_alone() -> None:
    layers = [rs.Dense(200, "relu"), rs.Dense(200, "tanh", init="lecun_normal")]
    still = {"hidden_layers": layers, "solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 1}
    a, b, c = (rs.MLPClassifier(**still, random_state=seed).fit(X, SPECIES) for seed in (0, 0, 1))
    assert a.coefs_[1].tobytes() == b.coefs_[1].tobytes() != c.coefs_[1].tobytes()
    # He's normal distribution for ReLU, √(2/n_in); LeCun's, √(1/n_in); biases of 0
    assert a.coefs_[0].std() == pytest.approx(np.sqrt(2 / 4), rel=0.1)
    assert a.coefs_[1].std() == pytest.approx(np.sqrt(1 / 200), rel=0.02)
    assert abs(a.intercepts_[0]).max() < 1e-9


def test_without_hidden_layers_the_model_is_linear() -> None:
    model = rs.MLPClassifier(hidden_layers=[], **FAST).fit(X, SPECIES)
    assert [W.shape for W in model.coefs_] == [(4, 3)]


def test_dropout_follows_every_hidden_layer_and_predictions_are_those_of_the_whole() -> None:
    model, again, without = (
        rs.MLPClassifier((20, 10), dropout=p, **{**FAST, "max_iter": 1}, solver="sgd", learning_rate_init=1e-12).fit(
            X, SPECIES
        )
        for p in (0.5, 0.5, 0.0)
    )
    assert [layer.dropout for layer in model.network_.architecture.layers] == [0.5, 0.5, 0.0]
    np.testing.assert_allclose(model.predict_proba(X), without.predict_proba(X), rtol=1e-9)  # the same first weights
    assert model.loss_ == again.loss_ != without.loss_


def test_dropout_is_drawn_anew_in_a_warm_start_and_goes_on_in_copies_and_files(tmp_path: Path) -> None:
    still = {
        "hidden_layer_sizes": (20,),
        "dropout": 0.5,
        "solver": "sgd",
        "learning_rate_init": 1e-12,
        "shuffle": False,
    }
    warm = rs.MLPClassifier(**still, random_state=0, max_iter=1, warm_start=True).fit(X, SPECIES).fit(X, SPECIES)
    assert warm.loss_curve_[0] != warm.loss_curve_[1]  # the weights are the same
    model = rs.MLPClassifier((20,), dropout=0.5, random_state=0).partial_fit(X, SPECIES, classes=[0, 1, 2])
    model.partial_fit(X, SPECIES)
    model.save(tmp_path / "model.reseau")
    copies = [pickle.loads(pickle.dumps(model)), rs.load(tmp_path / "model.reseau")]
    expected = model.partial_fit(X, SPECIES).partial_fit(X, SPECIES).coefs_[0].tobytes()
    for other in copies:
        assert other.partial_fit(X, SPECIES).partial_fit(X, SPECIES).coefs_[0].tobytes() == expected


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: each.name)
def test_an_optimizer_takes_the_place_of_the_solver(
    optimizer: Any, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = rs.MLPClassifier((8,), optimizer=optimizer, **{**FAST, "max_iter": 60}).fit(X, SPECIES)
    assert model.score(X, SPECIES) > 0.9
    # the same steps as those of the network itself, from the same weights
    settings = {"optimizer": optimizer, "alpha": 0.1, "batch_size": 50, "shuffle": False}
    first = rs.MLPRegressor(hidden_layer_sizes=(8,), **settings, random_state=0).partial_fit(X, IRIS[:, 0])
    net = rs.Network(rs.Dense(8, "relu"), rs.Dense(1), inputs=4, dtype="float64")
    start = rs.MLPRegressor(hidden_layer_sizes=(8,), solver="sgd", learning_rate_init=1e-300, random_state=0)
    net.parameters[...] = start.partial_fit(X, IRIS[:, 0]).network_.parameters
    net.fit(X, IRIS[:, 0], optimizer=optimizer, epochs=1, batch_size=50, shuffle=False, l2=0.1)
    np.testing.assert_array_equal(first.network_.parameters, net.parameters)


def test_a_solver_and_the_optimizer_that_it_stands_for_give_the_same_bytes() -> None:
    by_solver = rs.MLPClassifier((8,), learning_rate_init=0.01, **FAST).fit(X, SPECIES)
    by_object = rs.MLPClassifier((8,), optimizer=rs.Adam(0.01, epsilon_hat=True), **FAST).fit(X, SPECIES)
    assert by_solver.coefs_[0].tobytes() == by_object.coefs_[0].tobytes()


def test_searches_try_optimizers_layers_and_what_is_within_them() -> None:
    grid: list[dict[str, list[Any]]] = [
        {"optimizer": [*OPTIMIZERS, "adam"]},
        {"optimizer": [rs.Adam()], "optimizer__learning_rate": [0.5, 0.01]},
        {"hidden_layers": [[rs.Dense(5)], [rs.Dense(5), rs.LayerNorm()]]},
        {"dropout": [0.0, 0.2]},
    ]
    search = GridSearchCV(rs.MLPClassifier(**FAST), grid, cv=2)
    search.fit(X, SPECIES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier(optimizer=rs.SGD(0.1)))
    pipeline.set_params(mlpclassifier__optimizer__momentum=0.5)
    assert pipeline[-1].optimizer == rs.SGD(0.1, momentum=0.5)


def test_what_is_within_an_optimizer_is_set_in_a_new_one() -> None:
    optimizer = rs.SGD(0.1)
    model = rs.MLPClassifier(optimizer=optimizer)
    assert model.get_params()["optimizer__learning_rate"] == 0.1
    assert "optimizer__learning_rate" not in model.get_params(deep=False)
    model.set_params(optimizer__momentum=0.9, optimizer__nesterov=True, alpha=0.5)  # in one, as each alone is refused
    assert (model.optimizer, model.alpha) == (rs.SGD(0.1, momentum=0.9, nesterov=True), 0.5)
    assert optimizer == rs.SGD(0.1)
    assert model.set_params(optimizer="adam", optimizer__beta_1=0.5).optimizer == rs.Adam(beta_1=0.5)


@pytest.mark.parametrize("held", [False, True])
def test_a_rate_that_follows_the_loss_follows_that_of_validation_and_begins_anew(held: bool) -> None:
    rate = rs.ReduceOnPlateau(0.1, factor=1e-200, patience=1, min_delta=1e9)  # no loss but the first is an improvement
    settings = {"optimizer": rs.SGD(rate), "warm_start": True, "random_state": 0}
    more = {"X_val": X, "y_val": SPECIES} if held else {}
    model = rs.MLPClassifier((5,), **settings, max_iter=4).fit(X, SPECIES, **more)
    before = model.coefs_[0].copy()
    np.testing.assert_array_equal(model.set_params(max_iter=1).fit(X, SPECIES, **more).coefs_[0] == before, False)
    # the rate falls after the second epoch, so that two of four change the weights
    two = rs.MLPClassifier((5,), **settings, max_iter=2).fit(X, SPECIES, **more)
    np.testing.assert_allclose(before, two.coefs_[0], rtol=1e-12)


def test_a_rate_that_goes_by_how_far_a_fit_has_come_is_refused_by_partial_fit() -> None:
    model = rs.MLPClassifier((5,), optimizer=rs.Adam(rs.Cosine(0.01, warmup=0.1)), **FAST)
    with pytest.raises(rs.ParameterError, match="partial_fit does not support the optimizer's learning rate Cosine"):
        model.partial_fit(X, SPECIES, classes=[0, 1, 2])
    assert model.fit(X, SPECIES).set_params(optimizer__learning_rate__warmup=0.5).optimizer.learning_rate.warmup == 0.5


def test_a_derived_class_may_have_fewer_parameters() -> None:
    class Mine(rs.MLPClassifier):
        def __init__(self, alpha: float = 0.5) -> None:
            super().__init__(alpha=alpha, max_iter=2, optimizer=rs.Adam(0.01))

    assert Mine().get_params() == {"alpha": 0.5}
    assert clone(Mine().set_params(alpha=1.0)).fit(X, SPECIES).alpha == 1.0
    with pytest.raises(ValueError, match="Invalid parameter 'optimizer'"):
        Mine().set_params(optimizer__learning_rate=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"optimizer__beta_1": 0.5},
            r"optimizer__beta_1 cannot be set: optimizer is SGD.* has learning_rate, momentum",
        ),
        ({"optimizer__learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"optimizer__learning_rate__warmup": 1}, "optimizer__learning_rate is 0.1, which has no parameters"),
        ({"loss__delta": 1}, "loss is 'log_loss', which has no parameters"),
        ({"nothing": 1}, "Invalid parameter 'nothing'"),
    ],
    ids=str,
)
def test_parameters_that_there_are_not_cannot_be_set(change: dict[str, Any], words: str) -> None:
    model = rs.MLPClassifier(optimizer=rs.SGD(0.1))
    before = model.get_params()
    with pytest.raises(ValueError, match=words):
        model.set_params(alpha=7.0, **change)
    assert model.get_params() == before or "nothing" in change  # scikit-learn sets those before it


@pytest.mark.parametrize(("kind", "y"), KINDS)
def test_copies_and_files_keep_layers_and_optimizer(kind: Any, y: Any, tmp_path: Path) -> None:
    nested = [rs.Dense(6), rs.Residual(rs.Residual(rs.Dense(6)), rs.Dropout(0.1))]
    for layers, optimizer in ((DEEP, rs.AdamW(0.01)), (nested, "rmsprop"), ([], rs.SGD(0.1, momentum=0.5))):
        model = kind(hidden_layers=layers, optimizer=optimizer, **FAST).fit(X, y).partial_fit(X, y)
        model.save(tmp_path / "model.reseau")
        loaded = rs.load(tmp_path / "model.reseau")
        assert loaded.get_params() | {"hidden_layers": list(loaded.hidden_layers)} == model.get_params()
        for other in (pickle.loads(pickle.dumps(model)), loaded):
            np.testing.assert_array_equal(other.predict(X), model.predict(X))
        again = loaded.partial_fit(X, y).network_.parameters
        np.testing.assert_array_equal(again, model.partial_fit(X, y).network_.parameters)
        assert clone(model).fit(X, y).score(X, y) == clone(loaded).fit(X, y).score(X, y)


def test_sparse_rows_go_into_a_dense_layer_and_are_refused_by_another() -> None:
    sparse = scipy.sparse.csr_array(X)
    model = rs.MLPClassifier(hidden_layers=DEEP, **FAST).fit(sparse, SPECIES).partial_fit(sparse, SPECIES)
    np.testing.assert_array_equal(model.predict_proba(sparse), model.predict_proba(X))
    with pytest.raises(rs.DataError, match="X is sparse, but the first layer is LayerNorm"):
        rs.MLPClassifier(hidden_layers=[rs.LayerNorm()], **FAST).fit(sparse, SPECIES)


def test_what_is_exported_and_worked_out_has_the_layers(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = rs.MLPClassifier(hidden_layers=DEEP, **FAST).fit(X.astype(np.float32), SPECIES)
    model.to_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    found = session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})
    np.testing.assert_allclose(found[1], model.predict_proba(X.astype(np.float32)), atol=1e-5)
    model.to_c(tmp_path / "model.c")
    assert "layer normalisation" in (tmp_path / "model.c").read_text("utf-8").lower()
    assert "γ" in str(model.network_.blackboard(X[:1], [1]))


def test_scalers_do_not_become_part_of_other_layers_than_dense_ones() -> None:
    pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier(hidden_layers=DEEP, **FAST)).fit(IRIS, SPECIES)
    with pytest.raises(rs.ParameterError, match=r"Layer 1 of the estimator's network is LayerNorm.*keep the scalers"):
        rs.from_sklearn(pipeline)
    alone = rs.from_sklearn(pipeline[-1])
    np.testing.assert_array_equal(alone.predict_proba(X), pipeline[-1].predict_proba(X))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_layers": [64]}, r"hidden_layers\[0\] is 64, but must be a layer such as Dense\(64\)"),
        ({"hidden_layers": [rs.Dense(3), "relu"]}, r"hidden_layers\[1\] is 'relu', but must be a layer"),
        ({"hidden_layers": 64}, "hidden_layers is 64, but must be a list of layers"),
        ({"hidden_layers": [rs.Dense(3)], "hidden_layer_sizes": (3,)}, "both say what the hidden layers are; give one"),
        ({"hidden_layers": [rs.Dense(3)], "dropout": 0.1}, r"have it in each layer, such as Dense\(64, dropout=0.1\)"),
        ({"hidden_layers": [rs.Residual(rs.Dense(5))]}, "hidden_layers=.*A residual link adds the 4 inputs"),
        ({"dropout": 1.0}, "dropout is 1.0, but must be a finite number at least 0 and below 1"),
        ({"dropout": "a"}, "dropout is 'a'"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "dropout needs steps on batches"),
        ({"hidden_layers": [rs.Dense(3, dropout=0.1)], "solver": "lbfgs"}, "dropout needs steps on batches"),
        ({"optimizer": 0.1}, "optimizer is 0.1, but must be an optimizer such as"),
        ({"optimizer": "adma"}, "optimizer is 'adma', which is unknown. Did you mean 'adam'"),
        ({"optimizer": rs.Adam, "max_iter": 1}, "optimizer is <class .*Adam'>, but must be an optimizer"),
        ({"optimizer": rs.Adam(), "solver": "sgd"}, "and solver is 'sgd', but the optimizer says all of that itself"),
        ({"optimizer": rs.Adam(), "solver": "lbfgs"}, "and solver is 'lbfgs'"),
        ({"optimizer": "adamw", "learning_rate_init": 0.1}, "and learning_rate_init is 0.1.* give the optimizer its"),
        ({"optimizer": "sgd", "learning_rate": "adaptive"}, "and learning_rate is 'adaptive'"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused_by_name(settings: dict[str, Any], words: str) -> None:
    model = rs.MLPClassifier(**settings)
    with pytest.raises(rs.ParameterError, match=words):
        model.fit(X, SPECIES)
    assert not hasattr(model, "classes_")


def test_a_network_with_other_layers_is_not_gone_on_with() -> None:
    model = rs.MLPClassifier(hidden_layers=[rs.Dense(3)], warm_start=True, **FAST).fit(X, SPECIES)
    with pytest.raises(rs.ParameterError, match=r"hidden_layers=.*the network to be continued has other layers"):
        model.set_params(hidden_layers=[rs.Dense(4)]).fit(X, SPECIES)


@pytest.mark.parametrize("kind", [rs.MLPClassifier, rs.MLPRegressor])
def test_what_an_optimizer_says_itself_is_compared_with_the_defaults(kind: Any) -> None:
    parameters = inspect.signature(kind).parameters
    assert {name: parameters[name].default for name in _OF_SOLVERS} == _OF_SOLVERS
    assert parameters["hidden_layer_sizes"].default == (100,)
