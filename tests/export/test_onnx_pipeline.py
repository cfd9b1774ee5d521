"""Pipelines of scikit-learn as one ONNX graph, run by onnxruntime from the raw columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import reseau as rs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 60, "random_state": 0, "learning_rate_init": 0.01}


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    frame = pd.read_csv(PENGUINS)
    frame["sex"] = frame["sex"].fillna("")
    numbers = frame.select_dtypes("number").columns
    return frame.astype(dict.fromkeys(numbers, np.float64))


def columns_pipeline(estimator: Any) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        ),
        estimator,
    )


def ran(path: Path, inputs: dict[str, Any]) -> list[Any]:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    found: list[Any] = onnxruntime.InferenceSession(path).run(None, inputs)
    return found


def cells(frame: pd.DataFrame) -> dict[str, Any]:
    """Each column as the graph takes it, (N, 1)."""
    return {
        str(name): frame[[name]].to_numpy(np.float64 if pd.api.types.is_numeric_dtype(frame[name]) else object)
        for name in frame
    }


def test_raw_columns_give_label_and_probabilities(penguins: pd.DataFrame, tmp_path: Path) -> None:
    X, y = penguins.drop(columns="species"), penguins["species"]
    pipeline = columns_pipeline(rs.MLPClassifier(**SMALL)).fit(X, y)
    for sample in (X, pl.from_pandas(X)):
        rs.to_onnx(pipeline, tmp_path / "m.onnx", sample=sample)
        labels, probabilities = ran(tmp_path / "m.onnx", cells(X))
        assert labels.tolist() == pipeline.predict(X).tolist()
        np.testing.assert_allclose(probabilities, pipeline.predict_proba(X), atol=2e-5)  # the imputer is in float32
    metadata = {entry.key: entry.value for entry in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert metadata["classes"] == '["Adelie", "Chinstrap", "Gentoo"]'


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_s_pipeline_needs_no_sample_and_keeps_its_precision(dtype: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(5, 3, size=(80, 6)).astype(dtype)
    pipeline = make_pipeline(StandardScaler(), PCA(4), rs.MLPRegressor(**SMALL)).fit(X, X[:, 0])
    rs.to_onnx(pipeline, tmp_path / "m.onnx")
    (found,) = ran(tmp_path / "m.onnx", {"X": X})
    assert found.dtype == dtype
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found[:, 0], pipeline.predict(X), rtol=tolerance, atol=tolerance)


def test_a_pipeline_of_the_estimator_alone_is_the_estimator(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(80, 3))
    pipeline = make_pipeline(rs.MLPClassifier(**SMALL)).fit(X, X[:, 0] > 0)
    rs.to_onnx(pipeline, tmp_path / "pipeline.onnx")
    rs.to_onnx(pipeline[-1], tmp_path / "estimator.onnx")
    assert (tmp_path / "pipeline.onnx").read_bytes() == (tmp_path / "estimator.onnx").read_bytes()


def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    penguins: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, path = penguins.drop(columns="species"), penguins["species"], tmp_path / "m.onnx"
    pipeline = columns_pipeline(rs.MLPClassifier(**SMALL)).fit(X, y)
    with pytest.raises(rs.ParameterError, match=r"fitted on a data frame; give a row of it"):
        rs.to_onnx(pipeline, path)
    numbers = X[["year"]]
    odd = make_pipeline(FunctionTransformer(lambda frame: frame + 1), rs.MLPClassifier(**SMALL)).fit(numbers, y)
    with pytest.raises(rs.ReseauError, match=r"step of the pipeline cannot be written as ONNX: .*FunctionTransformer"):
        rs.to_onnx(odd, path, sample=numbers)
    theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, y)
    with pytest.raises(rs.ParameterError, match="a Pipeline that ends in a LogisticRegression, but must be"):
        rs.to_onnx(theirs, path)
    renamed = X.rename(columns={"year": "label"})
    pipeline = columns_pipeline(rs.MLPClassifier(**SMALL)).fit(renamed, y)
    with pytest.raises(rs.ReseauError, match="'label' has the name of an output"):
        rs.to_onnx(pipeline, path, sample=renamed)
    monkeypatch.setitem(sys.modules, "skl2onnx.common.data_types", None)
    with pytest.raises(rs.ReseauError, match="package skl2onnx, which is not installed"):
        rs.to_onnx(pipeline, path, sample=renamed)
    assert not list(tmp_path.iterdir())
