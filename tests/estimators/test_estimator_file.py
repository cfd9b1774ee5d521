"""Estimators in model files: what comes back predicts, tells and learns on as what was written."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier as TheirClassifier

import reseau as rs
from reseau.estimators.estimator_file import from_description
from reseau.files import model_file

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
SMALL: dict[str, Any] = {"hidden_layer_sizes": (5, 3), "max_iter": 3, "random_state": 0}

CLASSES: dict[str, Any] = {
    "text": np.array(["b", "a", "Île"])[np.arange(60) % 3],
    "two texts": np.array(["yes", "no"])[np.arange(60) % 2],
    "objects": np.array(["b", "a", "c"], dtype=object)[np.arange(60) % 3],
    "booleans": X[:, 0] > 0,
    "small integers": (np.arange(60) % 4).astype(np.int8),
    "integers beyond 2^53": np.array([0, 2**53 + 1, 2**62])[np.arange(60) % 3],
    "numbers": np.array([0.1, 2.0])[np.arange(60) % 2].astype(np.float32).astype(int).astype(np.float32),
    "several": (X[:, :3] > 0).astype(int),
    "several, sparse": scipy.sparse.csr_matrix((X[:, :3] > 0).astype(int)),
    "one": np.zeros(60, int),
}


def came_back(estimator: Any, tmp_path: Path) -> Any:
    estimator.save(tmp_path / "model.reseau")
    return rs.load(tmp_path / "model.reseau")


def same(found: Any, expected: Any) -> None:
    """Every attribute is equal, whatever it is made of."""
    found, expected = vars(pickle.loads(pickle.dumps(found))), vars(pickle.loads(pickle.dumps(expected)))
    made_again = {"_optimizer", "_rate_factor", "_handed_out", "_trainer"}
    assert found.keys() - made_again == expected.keys() - made_again
    for name in expected.keys() - made_again:
        value = expected[name]
        if name == "_network":
            assert found[name].architecture == value.architecture
            assert found[name].parameters.tobytes() == value.parameters.tobytes()
        elif name == "_progress":
            assert found[name][:2] == value[:2]
            assert [v.tobytes() for v in found[name].state] == [v.tobytes() for v in value.state]
        elif isinstance(value, np.random.RandomState):
            assert found[name].get_state()[1].tolist() == value.get_state()[1].tolist()
        elif isinstance(value, np.ndarray):
            assert found[name].dtype == value.dtype
            np.testing.assert_array_equal(found[name], value)
        else:
            assert found[name] == value, name
            assert type(found[name]) is type(value) or not name.endswith("_")  # parameters are plain numbers again


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classes_of_every_type_come_back(tmp_path: Path, name: str) -> None:
    model = rs.MLPClassifier(**SMALL).fit(X, CLASSES[name])
    again = came_back(model, tmp_path)
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.classes_, model.classes_)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    found, expected = again.predict(X), model.predict(X)
    assert type(found) is type(expected)
    if scipy.sparse.issparse(found):
        found, expected = found.toarray(), expected.toarray()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "model",
    [
        rs.MLPClassifier(**SMALL),
        rs.MLPClassifier(**SMALL, early_stopping=True),
        rs.MLPClassifier(**{**SMALL, "random_state": np.random.RandomState(4), "n_iter_no_change": np.inf}),
        rs.MLPClassifier(**{**SMALL, "random_state": np.random, "solver": "sgd", "learning_rate": "adaptive"}),
        rs.MLPClassifier((np.int64(4),), alpha=np.float32(0.25), batch_size=np.int32(7), max_iter=3, random_state=1),
        rs.MLPClassifier(8, solver="lbfgs", max_iter=3, random_state=1),
        rs.MLPRegressor(**SMALL, activation="gelu"),
        rs.MLPRegressor("poisson", **SMALL, solver="sgd", momentum=0.5),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_everything_that_was_fitted_comes_back(tmp_path: Path, model: Any) -> None:
    y = np.arange(60) % 3
    again = came_back(model.fit(X, y), tmp_path)
    assert type(again) is type(model)
    if model.random_state is np.random:
        assert again.random_state is None  # the same to scikit-learn
        model.random_state = None
    same(again, model)
    if hasattr(model, "partial_fit") and not model.early_stopping and model.random_state is not None:
        for _ in range(3):
            model.partial_fit(X, y)
            again.partial_fit(X, y)
        same(again, model)
        assert again.t_ == 6 * 60


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_names_of_features_and_precision_come_back(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "ç", "d"]).astype(np.float32)
    model = rs.MLPRegressor(**SMALL).fit(frame, X[:, 0])
    again = came_back(model, tmp_path)
    assert again.network_.dtype == np.float32
    assert again.feature_names_in_.tolist() == ["a", "b", "ç", "d"]
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "ç", "d"]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_that_were_assigned_are_the_ones_written(tmp_path: Path) -> None:
    model = rs.MLPRegressor(**SMALL).fit(X, X[:, 0])
    model.partial_fit(X, X[:, 0])
    model.coefs_[0][...] = 0.5
    assert (came_back(model, tmp_path).coefs_[0] == 0.5).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_came_from_scikit_learn_can_be_kept(tmp_path: Path) -> None:
    theirs = TheirClassifier((5,), max_iter=3, random_state=0).fit(X, CLASSES["text"])
    again = came_back(rs.from_sklearn(theirs), tmp_path)
    np.testing.assert_allclose(again.predict_proba(X), theirs.predict_proba(X), rtol=1e-12)
    assert again.loss_curve_ == theirs.loss_curve_


class Other(rs.MLPClassifier):
    pass


def of_classes(classes: Any) -> rs.MLPClassifier:
    model = rs.MLPClassifier(**SMALL).fit(X, X[:, 0] > 0)
    model.classes_ = classes
    return model


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rs.MLPClassifier(), NotFittedError, "not fitted"),
        (lambda: Other(**SMALL).fit(X, X[:, 0] > 0), rs.ReseauError, "Other cannot be kept"),
        (lambda: rs.MLPClassifier(**SMALL).fit(X, X[:, 0] > 0).set_params(alpha=-1), rs.ParameterError, "alpha is -1"),
        (
            lambda: rs.MLPClassifier(**SMALL).fit(X, X[:, 0] > 0).set_params(verbose=1 + 0j),
            rs.ParameterError,
            "verbose is",
        ),
        (lambda: of_classes(np.array([b"a", b"b"])), rs.ReseauError, "class b'a' is of type bytes"),
        (lambda: of_classes(np.array(["2024-01-01", "2024-01-02"], "datetime64[D]")), rs.ReseauError, "of type date"),
        (
            lambda: (
                rs.MLPClassifier(**SMALL)
                .fit(X, X[:, 0] > 0)
                .set_params(random_state=np.random.RandomState(np.random.PCG64()))
            ),
            rs.ParameterError,
            "draws from a PCG64",
        ),
    ],
)
def test_what_a_file_has_no_place_for_is_refused_and_nothing_is_written(
    tmp_path: Path, make: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make().save(tmp_path / "model.reseau")
    assert not list(tmp_path.iterdir())


def classes(dtype: str, values: list[Any]) -> dict[str, Any]:
    return {"classes": {"dtype": dtype, "values": values, "several": False, "sparse": False}}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimator": "MLPRegressor"}, "classes is"),
        ({"classes": None}, "classes is None, of an MLPClassifier"),
        (classes("int64", [0, 1]), "has 3 outputs"),
        (classes("int64", ["a", "b", "c"]), "does not describe a model"),
        (classes("text", ["b", "a", "c"]), "ascending"),
        (classes("text", ["b" * 10**6, *map(str, range(99))]), "too much text"),
        ({"parameters": {"alpha": "x"}}, "alpha is 'x'"),
        ({"parameters": {"colour": 1}}, "colour"),
        ({"fitted": {"n_iter_": 1, "t_": 1, "feature_names_in_": ["a"]}}, "1 features are named"),
        ({"progress": {"steps": -1, "epochs": 1, "rate_factor": 1.0}}, "description.progress"),
        ({"progress": None}, "Tensor 'state.0' has no place"),
        ({"network": {}}, "description.network"),
    ],
    ids=str,
)
def test_a_description_that_fits_no_estimator_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "model.reseau"
    rs.MLPClassifier(**SMALL).fit(X, np.arange(60) % 3).save(path)
    description, tensors = model_file.read(path)
    model_file.write(path, {**description, **change}, tensors)
    with pytest.raises(rs.ModelFileError, match=message):
        rs.load(path)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["state.1", "loss_curve_"])
def test_tensors_of_another_shape_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.reseau"
    rs.MLPClassifier(**SMALL).fit(X, np.arange(60) % 3).save(path)
    description, tensors = model_file.read(path)
    model_file.write(path, description, {**tensors, name: tensors[name].reshape(1, -1)})
    with pytest.raises(rs.ModelFileError, match=f"'{name}' is float64 of shape"):
        rs.load(path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("optimizer", {"optimizer": "adma"}, "optimizer is 'adma', which is unknown"),
        ("optimizer", {"optimizer": "adam", "nothing": 1}, "a parameter of adam is 'nothing'"),
        ("hidden_layers", [{"type": "dense"}], "a dense needs neurons, which is missing"),
        ("hidden_layers", [{"type": "residual", "layers": [3]}], "Layer 0 of Residual is 3"),
        ("hidden_layers", [{"type": "residual"}], "A layer of hidden_layers is .* which is none"),
        ("class_weight", {"mapping": [[1]]}, "which is no key with a value"),
        ("alpha", {"nothing": 1}, "A parameter is .* which is no value of one"),
    ],
)
def test_what_no_release_has_written_of_a_parameter_is_refused(name: str, value: Any, words: str) -> None:
    description, tensors = rs.MLPClassifier((2,)).partial_fit(X, X[:, 0] > 0, classes=[False, True]).described()
    changed = {**description, "parameters": {**description["parameters"], name: value}}
    with pytest.raises(rs.ReseauError, match=words):
        from_description(changed, tensors)


def test_layers_that_hold_one_another_too_deeply_are_refused() -> None:
    deep: dict[str, Any] = {"type": "dense", "neurons": 3}
    for _ in range(1000):
        deep = {"type": "residual", "layers": [deep]}
    description, tensors = rs.MLPClassifier((2,)).partial_fit(X, X[:, 0] > 0, classes=[False, True]).described()
    changed = {**description, "parameters": {**description["parameters"], "hidden_layers": [deep]}}
    with pytest.raises(rs.ReseauError, match="hold one another too deeply"):
        from_description(changed, tensors)
