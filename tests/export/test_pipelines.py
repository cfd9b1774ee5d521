"""Pipelines of scalers and an estimator as C files and NumPy scripts."""

from __future__ import annotations

import ctypes
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import neural_network
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)) * [1.0, 1e-3, 50.0] + [1e5, 0.0, -3.0]  # 1e5 ± 1, as Unix times and pressures are
LABELS = np.array(["b", "a", "c"])[np.argmax((X - X.mean(0)) / X.std(0), axis=1)]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.05}

SCALERS: dict[str, Any] = {
    "standard": StandardScaler(),
    "without mean": StandardScaler(with_mean=False),
    "without deviation": StandardScaler(with_std=False),
    "min and max": MinMaxScaler(),
    "clipped": MinMaxScaler((-0.5, 2.0), clip=True),
    "largest": MaxAbsScaler(),
    "robust": RobustScaler(),
    "robust without median": RobustScaler(with_centering=False),
    "nothing": "passthrough",
    "no function": FunctionTransformer(),
    "nested": Pipeline(
        [("first", MinMaxScaler()), ("rest", Pipeline([("x", "passthrough"), ("second", RobustScaler())]))]
    ),
}


def library(model: Any, folder: Path, dtype: str | None = None) -> ctypes.CDLL:
    """The exported C, which tests itself first, as a shared library."""
    rs.to_c(model, folder / "m.c", dtype=dtype)
    return built(folder)


def built(folder: Path) -> ctypes.CDLL:
    flags = ["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion", "-Wdouble-promotion", "-O1"]
    for more in (["-DRESEAU_TEST", "-o", "test"], ["-shared", "-fPIC", "-o", "m.so"]):
        subprocess.run([*flags, "m.c", "-lm", *more], cwd=folder, check=True)
    subprocess.run([folder / "test"], cwd=folder, check=True, capture_output=True)
    return ctypes.CDLL(str(folder / "m.so"))


def changed_and_tested(folder: Path, table: str, change: float) -> int:
    """What the file's test returns when the first number of a table is another."""
    text = (folder / "m.c").read_text()
    start = text.index("{", text.index(f" {table}[")) + 1
    number = re.search(r"-?\d+\.\d+(e-?\d+)?", text[start:])
    assert number is not None
    changed = repr(float(number.group()) + change)
    (folder / "m.c").write_text(text[: start + number.start()] + changed + text[start + number.end() :])
    subprocess.run(["cc", "-DRESEAU_TEST", "m.c", "-lm", "-o", "test"], cwd=folder, check=True)
    return subprocess.run([folder / "test"], capture_output=True, check=False).returncode


def outputs(lib: ctypes.CDLL, rows: Any, count: int, dtype: str = "float64", function: str = "m_predict") -> Any:
    found = np.full((len(rows), count), 7.0, dtype)
    for row, o in zip(np.ascontiguousarray(rows, dtype), found, strict=True):
        getattr(lib, function)(row.ctypes.data_as(ctypes.c_void_p), o.ctypes.data_as(ctypes.c_void_p))
    return found


def new_rows() -> Any:
    """Rows within what was learned from, and far outside."""
    middle, spread = X.mean(0), X.std(0)
    return np.concatenate([X, middle + spread * np.random.default_rng(1).normal(size=(20, 3)) * 5])


@pytest.mark.parametrize("name", SCALERS)
def test_a_scaler_before_a_classifier_is_written_as_c_and_as_a_script(name: str, tmp_path: Path) -> None:
    model = make_pipeline(SCALERS[name], rs.MLPClassifier(**SMALL)).fit(X, LABELS)
    expected, rows = model.predict_proba(new_rows()), new_rows()
    lib = library(model, tmp_path)
    # Scaled inputs differ by a few roundings of what they were made of, at most |a/s| of them.
    tolerance = 1e-7 if name.startswith(("robust without", "without", "nothing", "no fun", "largest")) else 1e-9
    np.testing.assert_allclose(outputs(lib, rows, 3), expected, rtol=0, atol=tolerance)
    rs.to_python(model, tmp_path / "m.py")
    script = runpy.run_path(str(tmp_path / "m.py"))
    O = script["predict"](rows)
    np.testing.assert_allclose(O, expected, rtol=0, atol=tolerance)
    assert script["labels"](O).tolist() == model.predict(rows).tolist()


def test_inputs_far_from_zero_keep_their_digits_in_float(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL)).fit(X, LABELS)
    rows = new_rows().astype(np.float32)
    expected = model.predict_proba(rows.astype(np.float64))
    found = outputs(library(model, tmp_path, "float32"), rows, 3, "float32")
    # Scaled in double and rounded, weights rounded: some tens of roundings of numbers up to about 10.
    np.testing.assert_allclose(found, expected, rtol=0, atol=100 * np.finfo(np.float32).eps)
    rs.to_python(model, tmp_path / "m.py", dtype="float32")
    O = runpy.run_path(str(tmp_path / "m.py"))["predict"](rows)
    assert O.dtype == np.float32
    np.testing.assert_allclose(O, expected, rtol=0, atol=100 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("write", [rs.to_c, rs.to_python, rs.to_onnx])
def test_a_precision_may_be_a_type_of_numpy_as_in_a_network(write: Any, tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL)).fit(X, LABELS)
    path = tmp_path / f"m.{write.__name__.removeprefix('to_').replace('python', 'py')}"
    written = []
    for dtype in ("float32", np.float32, np.dtype("float32")):
        write(model, path, dtype=dtype)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
    write(model, path, dtype=float)
    assert path.read_bytes() != written[0]
    with pytest.raises(rs.ParameterError, match="dtype is 'float16'"):
        write(model, path, dtype=np.float16)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("table", "change"), [("m_shift1", 1e-3), ("m_scale1", 1e-3), ("m_W1", 1e-3)])
def test_the_self_test_notices_a_change_where_inputs_are_far_from_zero(
    table: str, change: float, dtype: str, tmp_path: Path
) -> None:
    model = make_pipeline(StandardScaler(), rs.MLPRegressor(**SMALL)).fit(X, (X - X.mean(0)) @ [1.0, 100.0, 0.1])
    rs.to_c(model, tmp_path / "m.c", dtype=dtype)
    assert changed_and_tested(tmp_path, table, change) == 1


@pytest.mark.parametrize("weights", ["inside", "file"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scalers_that_are_part_of_a_layer_keep_the_digits(dtype: str, weights: str, tmp_path: Path) -> None:
    folded = folded_regressor()
    rs.to_c(folded, tmp_path / "m.c", dtype=dtype, weights=weights)
    lib = built(tmp_path)
    if weights == "file":
        assert lib.m_load(bytes(tmp_path / "m.bin")) == 0
    rows = new_rows().astype(dtype)
    expected = folded.predict(rows.astype(np.float64))
    # In float the first layer sums in double, so that what is left are the roundings of the others.
    tolerance = (100 if dtype == "float32" else 1e7) * np.finfo(dtype).eps * (1 + np.abs(expected).max())
    np.testing.assert_allclose(outputs(lib, rows, 1, dtype)[:, 0], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("table", ["m_W1", "m_b1", "m_W2", "m_b2"])
def test_the_self_test_notices_a_change_where_scalers_are_part_of_a_layer(
    table: str, dtype: str, tmp_path: Path
) -> None:
    rs.to_c(folded_regressor(), tmp_path / "m.c", dtype=dtype)
    assert changed_and_tested(tmp_path, table, 2.9e-2) == 1


def folded_regressor() -> rs.MLPRegressor:
    theirs = neural_network.MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", max_iter=30, random_state=0)
    y = (X - X.mean(0)) @ [1.0, 100.0, 0.1]
    return rs.from_sklearn(make_pipeline(StandardScaler(), theirs).fit(X, y))


def test_the_jacobian_is_that_of_the_whole_pipeline(tmp_path: Path) -> None:
    steps = [MinMaxScaler(clip=True), StandardScaler()]
    model = make_pipeline(*steps, rs.MLPRegressor(**SMALL, activation="tanh")).fit(X, X[:, :2] * [1e-5, 10.0])
    lib = library(model, tmp_path)
    inside = X[~np.isin(X, [X.min(0), X.max(0)]).any(1)][:20]
    rows = np.concatenate([inside, X.max(0)[None] + [[1.0, 1.0, 1.0]]])
    J = outputs(lib, rows, 6, function="m_jacobian").reshape(-1, 2, 3)
    h = X.std(0) * 1e-5
    for i in range(3):
        step = np.eye(3)[i] * h
        numeric = (model.predict(inside + step) - model.predict(inside - step)) / (2 * h[i])
        scale = np.abs(numeric).max()
        np.testing.assert_allclose(J[:-1, :, i], numeric, rtol=0, atol=1e-5 * scale)
    assert not J[-1].any()  # held at the limit


def test_a_scaled_target_comes_back_in_its_own_unit(tmp_path: Path) -> None:
    y = X[:, [1, 0]] * [1e4, 3.0]
    inner = make_pipeline(StandardScaler(), rs.MLPRegressor(**SMALL))
    for target in (y, y[:, 0]):
        model = TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, target)
        expected = model.predict(X).reshape(60, -1)
        folder = tmp_path / str(target.ndim)
        folder.mkdir()
        found = outputs(library(model, folder), X, expected.shape[1])
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
        rs.to_python(model, folder / "m.py")
        O = runpy.run_path(str(folder / "m.py"))["predict"](X)
        np.testing.assert_allclose(O, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_the_best_pipeline_of_a_search_is_written_with_the_names_of_its_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["time", "M_PI", 'a "b"'])
    pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1.0]}, cv=2).fit(frame, LABELS)
    lib = library(search, tmp_path)
    names = (ctypes.c_char_p * 3).in_dll(lib, "m_input_names")
    assert [name.decode() for name in names] == list(frame)
    np.testing.assert_allclose(outputs(lib, X, 3), search.predict_proba(frame), rtol=0, atol=1e-9)
    rs.to_python(search, tmp_path / "m.py")
    assert runpy.run_path(str(tmp_path / "m.py"))["inputs"] == list(frame)


class Own(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> Own:
        return self

    def transform(self, X: Any) -> Any:
        return X


class OwnScaler(StandardScaler):
    def transform(self, X: Any, copy: Any = None) -> Any:
        return super().transform(X) ** 2


@pytest.mark.parametrize("write", [rs.to_c, rs.to_python, rs.save])
@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([("poly", PolynomialFeatures())], "the step 'poly' is a PolynomialFeatures"),
        ([("mine", Own())], "the step 'mine' is a Own,"),
        ([("mine", OwnScaler())], "the step 'mine' is a OwnScaler,"),
        ([("f", FunctionTransformer(np.tanh))], "the step 'f' is a FunctionTransformer with the function <ufunc"),
        ([("in", Pipeline([("deep", Own())]))], "the step 'in__deep' is a Own,"),
    ],
)
def test_another_step_is_refused_by_its_name(write: Any, steps: Any, says: str, tmp_path: Path) -> None:
    model = Pipeline([*steps, ("net", rs.MLPClassifier(**SMALL))]).fit(X / [1e5, 1, 1], LABELS)
    ending = {"to_c": "c", "to_python": "py", "save": "reseau"}[write.__name__]
    with pytest.raises(rs.ParameterError, match=re.escape(says)) as error:
        write(model, tmp_path / f"m.{ending}")
    assert "reseau.to_onnx" in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [rs.to_c, rs.to_python, rs.save])
def test_what_is_not_fitted_or_not_ours_is_refused(write: Any, tmp_path: Path) -> None:
    path = tmp_path / {"to_c": "m.c", "to_python": "m.py", "save": "m.reseau"}[write.__name__]
    with pytest.raises(NotFittedError):
        write(make_pipeline(StandardScaler(), rs.MLPClassifier()), path)
    with pytest.raises(NotFittedError):
        write(GridSearchCV(rs.MLPClassifier(), {"alpha": [1.0]}), path)
    theirs = make_pipeline(StandardScaler(), neural_network.MLPClassifier(max_iter=2)).fit(X, LABELS)
    with pytest.raises(rs.ParameterError, match="MLPClassifier"):
        write(theirs, path)
    for odd in (make_pipeline(StandardScaler()).fit(X), Pipeline([("a", "passthrough")]), 5, None, "net"):
        with pytest.raises(rs.ReseauError):
            write(odd, path)
    assert not list(tmp_path.iterdir())
