"""Estimators as C files and NumPy scripts: outputs, the class they say, the names."""

from __future__ import annotations

import ctypes
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import reseau as rs
from reseau.estimators.rules import CLASSIFICATION_LOSSES, REGRESSION_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 3))
SMALL: dict[str, Any] = {"hidden_layer_sizes": (5,), "max_iter": 20, "random_state": 0, "learning_rate_init": 0.05}
TARGETS: dict[str, Any] = {
    "three texts": np.array(["b", 'a "quoted"', "Île"])[np.argmax(X, axis=1)],
    "two": X[:, 0] > 0.2,
    "integers": (np.argmin(X, axis=1) * 10).astype(np.int16),
}


def library(model: Any, folder: Path) -> ctypes.CDLL:
    """The exported C, which tests itself first, as a shared library."""
    model.to_c(folder / "m.c")
    flags = ["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion", "-O1"]
    for more in (["-DRESEAU_TEST", "-o", "test"], ["-shared", "-fPIC", "-o", "m.so"]):
        subprocess.run([*flags, "m.c", "-lm", *more], cwd=folder, check=True)
    subprocess.run([folder / "test"], check=True, capture_output=True)
    return ctypes.CDLL(str(folder / "m.so"))


def script_of(model: Any, folder: Path) -> dict[str, Any]:
    """What the exported script defines."""
    rs.to_python(model, folder / "m.py")
    return runpy.run_path(str(folder / "m.py"))


def outputs_and_class(lib: ctypes.CDLL, x: Any, outputs: int) -> tuple[Any, int]:
    pointer = ctypes.POINTER(ctypes.c_double)
    row, o = np.ascontiguousarray(x), np.zeros(outputs)
    lib.m_predict(row.ctypes.data_as(pointer), o.ctypes.data_as(pointer))
    return o, lib.m_class(o.ctypes.data_as(pointer))


@pytest.mark.parametrize("name", TARGETS)
def test_a_classifier_in_c_gives_its_probabilities_and_its_class(name: str, tmp_path: Path) -> None:
    model = rs.MLPClassifier(**SMALL).fit(X, TARGETS[name])
    lib = library(model, tmp_path)
    names = (ctypes.c_char_p * len(model.classes_)).in_dll(lib, "m_class_names")
    labels = [text.decode() for text in names]
    assert labels == [str(label) for label in model.classes_.tolist()]
    found = [outputs_and_class(lib, x, model.n_outputs_) for x in X]
    np.testing.assert_allclose([o for o, _ in found], model.network_(X), rtol=1e-12)
    assert [labels[place] for _, place in found] == [str(label) for label in model.predict(X).tolist()]


@pytest.mark.parametrize("name", TARGETS)
def test_a_classifier_as_a_script_gives_its_probabilities_and_its_class(name: str, tmp_path: Path) -> None:
    model = rs.MLPClassifier(**SMALL).fit(X, TARGETS[name])
    script = script_of(model, tmp_path)
    O = script["predict"](X)
    np.testing.assert_allclose(O, model.network_(X), rtol=1e-12)
    labels = script["labels"](O)
    assert labels.dtype == model.classes_.dtype
    np.testing.assert_array_equal(labels, model.predict(X))


LOSSES = [
    *((rs.MLPClassifier, loss, TARGETS["three texts"]) for loss in CLASSIFICATION_LOSSES),
    *((rs.MLPRegressor, loss, np.abs(X[:, 0])) for loss in REGRESSION_LOSSES),
]


@pytest.mark.parametrize(("kind", "loss", "y"), LOSSES, ids=str)
def test_an_estimator_of_any_loss_is_written_as_c_as_a_script_and_as_onnx(
    kind: Any, loss: str, y: Any, tmp_path: Path
) -> None:
    model = kind(loss=loss, **SMALL).fit(X, y)
    O = model.network_(X)
    lib, found = library(model, tmp_path), np.zeros(O.shape)
    pointer = ctypes.POINTER(ctypes.c_double)
    for x, o in zip(X, found, strict=True):
        lib.m_predict(x.ctypes.data_as(pointer), o.ctypes.data_as(pointer))
    np.testing.assert_allclose(found, O, rtol=1e-12)
    np.testing.assert_allclose(script_of(model, tmp_path)["predict"](X), O, rtol=1e-12)
    onnx = pytest.importorskip("onnx.reference")
    model.to_onnx(tmp_path / "m.onnx")
    answers = onnx.ReferenceEvaluator(str(tmp_path / "m.onnx")).run(None, {"X": X})
    np.testing.assert_allclose(answers[-1], O, rtol=1e-12)


LABELS: dict[str, Any] = {
    "int8": np.array([-3, 7], np.int8),
    "uint64": np.array([2**63 + 1, 2**63 + 3], np.uint64),
    "int64": np.array([2**53, 2**53 + 1]),
    "bool": np.array([False, True]),
    "float32": np.array([-1.0, 2.0], np.float32),
    "float64": np.array([0.0, 1e9]),
    "text": np.array(["it's \\", 'a\n"b"\x1b\u202e']),
    "objects of text": np.array(["a", "bb"], object),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_a_script_keep_their_value_and_type(name: str, tmp_path: Path) -> None:
    model = rs.MLPClassifier(**SMALL).fit(X, LABELS[name][(X[:, 0] > 0).astype(int)])
    expected = model.predict(X)
    found = (script := script_of(model, tmp_path))["labels"](script["predict"](X))
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()
    assert list(map(type, found.tolist())) == list(map(type, expected.tolist()))


@pytest.mark.parametrize("label", [1, True, 2.5, np.int8(3), np.str_("a"), None, float("inf")])
def test_an_object_as_label_keeps_its_type(label: Any, tmp_path: Path) -> None:
    model = rs.MLPClassifier(**SMALL).fit(X, X[:, 0] > 0)
    model.classes_ = np.array([label, "other"], object)
    first = script_of(model, tmp_path)["classes"][0]
    assert (type(first), first) == (type(label), label)
    model.classes_ = np.array([label, {1}], object)
    with pytest.raises(rs.ReseauError, match="of type set"):
        rs.to_python(model, tmp_path / "n.py")


def test_many_weights_are_in_a_file_beside_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = rs.Network(rs.Dense(500, "tanh"), rs.Dense(200, bias=False), rs.Dense(2, "softmax"), inputs=10, seed=0)
    rs.to_python(net, tmp_path / "big.py")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big.npz", "big.py"]
    assert len((tmp_path / "big.py").read_text()) < 10_000
    monkeypatch.chdir("/")  # the file is found beside the script
    script = runpy.run_path(str(tmp_path / "big.py"))
    given = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    np.testing.assert_allclose(script["predict"](given), net(given), rtol=1e-5)
    assert script["W2"].tobytes() == net.layers[1].W.tobytes()
    rs.to_python(net, tmp_path / "twice.py", dtype="float64")
    assert runpy.run_path(str(tmp_path / "twice.py"))["predict"](given).dtype == np.float64
    shutil.copy(tmp_path / "twice.npz", tmp_path / "big.npz")
    with pytest.raises(ValueError, match=r"big.npz is not the file that was written with this script"):
        runpy.run_path(str(tmp_path / "big.py"))


def test_several_labels_and_numbers_are_outputs_alone(tmp_path: Path) -> None:
    several = rs.MLPClassifier(**SMALL).fit(X, (X > 0).astype(int))
    numbers = rs.MLPRegressor(**SMALL).fit(pd.DataFrame(X, columns=["a", "b", "ç"]), X[:, :2])
    for place, model in enumerate((several, numbers)):
        folder = tmp_path / str(place)
        folder.mkdir()
        lib = library(model, folder)
        assert not hasattr(lib, "m_class")
        assert hasattr(lib, "m_input_names") == hasattr(model, "feature_names_in_")
        script = script_of(model, folder)
        np.testing.assert_allclose(script["predict"](X), model.network_(X), rtol=1e-12)
        assert "labels" not in script


@pytest.mark.parametrize("write", [rs.to_c, rs.to_python])
def test_what_is_no_fitted_estimator_of_two_classes_is_refused(write: Any, tmp_path: Path) -> None:
    path = tmp_path / ("m.c" if write is rs.to_c else "m.py")
    with pytest.raises(NotFittedError):
        write(rs.MLPClassifier(), path)
    with pytest.raises(rs.ReseauError, match="a single class, '0'"):
        write(rs.MLPClassifier(**SMALL).fit(X, np.zeros(60, int)), path)
    with pytest.raises(rs.ParameterError, match="a list cannot be written"):
        write([1], path)
    assert not list(tmp_path.iterdir())
