"""Models of scikit-learn around our estimators as one ONNX graph, run by onnxruntime from the raw columns."""

from __future__ import annotations

import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

import reseau as rs

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of scikit-learn, about its own next release
]

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.01}
# A hundred roundings in either precision, of numbers of order one.
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def C(seed: int = 0) -> rs.MLPClassifier:
    return rs.MLPClassifier(**{**SMALL, "random_state": seed})


def R(seed: int = 0) -> rs.MLPRegressor:
    return rs.MLPRegressor(**{**SMALL, "random_state": seed})


def written(model: Any, sample: Any = None, **settings: Any) -> bytes:
    file = io.BytesIO()
    rs.to_onnx(model, file, sample=sample, **settings)
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()), full_check=True)
    return file.getvalue()


def metadata(content: bytes) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def ran(content: bytes, inputs: dict[str, Any]) -> dict[str, Any]:
    started = session(content)
    names = [output.name for output in started.get_outputs()]
    return dict(zip(names, started.run(None, inputs), strict=True))


def fed(content: bytes, X: Any) -> dict[str, Any]:
    """Samples as the graph says that it takes them, from their own cells and not from our way of reading them."""
    proto = onnx.load_from_string(content)
    types = {given.name: given.type.tensor_type.elem_type for given in proto.graph.input}
    if not hasattr(X, "columns"):
        dense = X.toarray() if scipy.sparse.issparse(X) else X
        return {"X": dense.astype(onnx.helper.tensor_dtype_to_np_dtype(types["X"]))}
    frame = X.to_pandas() if hasattr(X, "to_pandas") else X
    inputs = {}
    for entry in json.loads(metadata(content)["inputs"]):
        cells = list(frame[entry["name"]])
        if types[entry["input"]] == onnx.TensorProto.STRING:
            column = np.array(["" if pd.isna(cell) else str(cell) for cell in cells], object)
        else:
            numbers = np.array([np.nan if pd.isna(cell) else cell for cell in cells])
            column = numbers.astype(onnx.helper.tensor_dtype_to_np_dtype(types[entry["input"]]))
        inputs[entry["input"]] = column.reshape(-1, 1)
    return inputs


def assert_same(model: Any, content: bytes, X: Any, tolerance: float) -> None:
    """The graph gives what the model predicts: labels of the same type, numbers within the tolerance."""
    found, expected = ran(content, fed(content, X)), model.predict(X)
    if not is_classifier(model):
        assert found["prediction"].ndim == 2
        size = max(1.0, abs(expected).max())
        np.testing.assert_allclose(found["prediction"].reshape(expected.shape), expected, rtol=0, atol=tolerance * size)
        return
    label = found["label"]
    assert label.dtype == expected.dtype or (label.dtype == object and expected.dtype.kind in "UO")
    assert label.tolist() == expected.tolist()
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(X)
        every = zip(found["probabilities"], probabilities, strict=True) if isinstance(probabilities, list) else None
        for one, other in every or [(found["probabilities"], probabilities)]:
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


# --- arrays -----------------------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3, 2, size=(120, 5))
GAPS = np.where(RANDOM.random(X.shape) < 0.1, np.nan, X)
y = (X[:, 0] + X[:, 1] * X[:, 2] > 10).astype(int) + (X[:, 3] > 4)
t = X[:, 0] * 2 + X[:, 1] ** 2
LETTERS = np.array(["u", "v", "w"])
MANY = np.stack([y > 0, y > 1], axis=1).astype(int)

ARRAYS: dict[str, tuple[Any, Any, Any]] = {
    "polynomials": (make_pipeline(StandardScaler(), PolynomialFeatures(3), C()), X, y),
    "polynomials without powers": (
        make_pipeline(PolynomialFeatures(2, interaction_only=True, include_bias=False), StandardScaler(), C()),
        X,
        y,
    ),
    "bins": (make_pipeline(KBinsDiscretizer(4), C()), X, y),
    "bins, dense": (make_pipeline(KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), C()), X, y),
    "bins, by number": (make_pipeline(KBinsDiscretizer(4, encode="ordinal"), StandardScaler(), R()), X, t),
    "passthrough": (Pipeline([("a", "passthrough"), ("b", StandardScaler()), ("c", None), ("d", C())]), X, y),
    "passthrough alone": (Pipeline([("a", "passthrough"), ("b", C())]), X, y),
    "columns by number": (
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), [0, -1]), ("passthrough", slice(1, 3)), (MinMaxScaler(), [False] * 3 + [True, False])
            ),
            R(),
        ),
        X,
        t,
    ),
    "remainder": (make_pipeline(make_column_transformer((RobustScaler(), [1]), remainder="passthrough"), C()), X, y),
    "imputed": (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), C()), GAPS, y),
    "indicated": (make_pipeline(make_union(SimpleImputer(), MissingIndicator()), C()), GAPS, y),
    "neighbours": (make_pipeline(KNNImputer(), StandardScaler(), C()), GAPS, y),
    "near neighbours": (make_pipeline(KNNImputer(n_neighbors=2, weights="distance"), StandardScaler(), C()), GAPS, y),
    "functions": (make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), R()), abs(X), t),
    "binary": (make_pipeline(Binarizer(threshold=3.0), C()), X, y > 0),
    "components": (make_pipeline(StandardScaler(), PCA(3, whiten=True), R()), X, t),
    "union": (
        make_pipeline(
            FeatureUnion(
                [("a", TruncatedSVD(2)), ("b", "passthrough"), ("c", "drop"), ("d", SelectKBest(k=2))],
                transformer_weights={"a": 2.0},
            ),
            C(),
        ),
        X,
        y,
    ),
    "chosen": (make_pipeline(VarianceThreshold(), SelectKBest(k=3), MaxAbsScaler(), C()), X, LETTERS[y]),
    "sparse": (make_pipeline(MaxAbsScaler(), C()), scipy.sparse.csr_matrix(X * (X > 4)), y),
    "whole numbers": (make_pipeline(StandardScaler(), C()), (X * 100).astype(np.int32), y),
    "several outputs": (make_pipeline(StandardScaler(), R()), X, X[:, 1:3]),
    "several labels": (make_pipeline(StandardScaler(), C()), X, MANY),
    "voting": (
        VotingClassifier([("a", C()), ("b", make_pipeline(StandardScaler(), C(1)))], voting="soft", weights=[1, 2]),
        X,
        LETTERS[y],
    ),
    "voting without one": (VotingClassifier([("a", C()), ("b", "drop"), ("c", C(1))], voting="soft"), X, y),
    "a show of hands": (VotingClassifier([("a", C()), ("b", C(1)), ("c", LogisticRegression())]), X, y),
    "voting numbers": (
        VotingRegressor([("a", R()), ("b", make_pipeline(StandardScaler(), R(1)))], weights=[1, 3]),
        X,
        t,
    ),
    "stacked numbers": (StackingRegressor([("a", R()), ("b", Ridge())], final_estimator=R(3), cv=2), X, t),
    "stacked": (StackingClassifier([("a", make_pipeline(StandardScaler(), C())), ("b", C(1))], cv=2), X, LETTERS[y]),
    "stacked, two classes": (
        StackingClassifier([("a", C())], final_estimator=C(1), cv=2, passthrough=True),
        X,
        y > 0,
    ),
    "bagged": (BaggingClassifier(make_pipeline(StandardScaler(), C()), 3, max_features=0.6, random_state=0), X, y > 0),
    "bagged numbers": (BaggingRegressor(R(), 3, random_state=0), X, t),
    "calibrated": (CalibratedClassifierCV(C(), cv=2), X, LETTERS[y]),
    "calibrated by steps": (
        CalibratedClassifierCV(make_pipeline(StandardScaler(), C()), cv=2, method="isotonic"),
        X,
        y > 0,
    ),
    "calibrated by steps, three classes": (
        CalibratedClassifierCV(C(), cv=2, method="isotonic", ensemble=False),
        X,
        y,
    ),
    "calibrated, two classes": (CalibratedClassifierCV(C(), cv=2), X, y > 0),
    "calibrated by the temperature": (CalibratedClassifierCV(C(), cv=2, method="temperature"), X, LETTERS[y]),
    "calibrated by the temperature, two classes": (
        CalibratedClassifierCV(make_pipeline(StandardScaler(), C()), cv=2, method="temperature"),
        X,
        y > 0,
    ),
    "one against the rest": (OneVsRestClassifier(C()), X, LETTERS[y]),
    "one against the rest, several labels": (OneVsRestClassifier(C()), X, MANY),
    "several targets": (MultiOutputClassifier(C()), X, LETTERS[MANY]),
    "several targets, yes or no": (MultiOutputClassifier(C()), X, MANY > 0),
    "several targets, small": (MultiOutputClassifier(C()), X, (MANY + y[:, None]).astype(np.int8)),
    "several target numbers": (MultiOutputRegressor(R()), X, X[:, 1:3]),
    "searched": (
        GridSearchCV(make_pipeline(StandardScaler(), C()), {"mlpclassifier__alpha": [1e-4, 1e-2]}, cv=2),
        X,
        y,
    ),
    "searched within": (make_pipeline(StandardScaler(), GridSearchCV(C(), {"alpha": [1e-4]}, cv=2)), X, y > 0),
    "a scaled target": (
        TransformedTargetRegressor(make_pipeline(StandardScaler(), R()), transformer=StandardScaler()),
        X,
        t,
    ),
    "a target's logarithm": (
        TransformedTargetRegressor(make_pipeline(StandardScaler(), R()), func=np.log1p, inverse_func=np.expm1),
        X,
        abs(t),
    ),
    "a target in steps": (
        make_pipeline(
            StandardScaler(),
            TransformedTargetRegressor(R(), transformer=make_pipeline(RobustScaler(), MinMaxScaler(), MaxAbsScaler())),
        ),
        X,
        X[:, 1:3],
    ),
    "a threshold": (FixedThresholdClassifier(make_pipeline(StandardScaler(), C()), threshold=0.3), X, y > 0),
    "a tuned threshold": (TunedThresholdClassifierCV(C(), cv=2), X, LETTERS[(y > 0).astype(int)]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_model_of_arrays_is_one_graph_in_its_own_precision(name: str) -> None:
    model, rows, targets = ARRAYS[name]
    model.fit(rows, targets)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing falls back on float32
        for sample in (None, rows[:30]):
            content = written(model, sample)
            if sample is not None or rows.dtype == np.float64:
                assert_same(model, content, rows, TOLERANCE["float64"])
    started = session(content)
    (given,) = started.get_inputs()
    assert given.name == "X"
    for count in (0, 1):
        inputs = {"X": np.zeros((count, 5), next(iter(fed(content, rows).values())).dtype) + 1}
        assert {len(values) for values in started.run(None, inputs) if isinstance(values, np.ndarray)} == {count}


@pytest.mark.parametrize("name", ["polynomials", "bins", "imputed", "calibrated by steps", "a target's logarithm"])
def test_float32_can_be_asked_for_and_is_what_float32_models_have(name: str) -> None:
    model, rows, targets = ARRAYS[name]
    model.fit(rows, targets)
    content = written(model, rows[:30], dtype="float32")
    proto = onnx.load_from_string(content)
    types = {value.type.tensor_type.elem_type for value in [*proto.graph.input, *proto.graph.output]}
    assert onnx.TensorProto.DOUBLE not in types | {weight.data_type for weight in proto.graph.initializer}
    found, label = ran(content, fed(content, rows)), model.predict(rows)
    if not is_classifier(model):
        np.testing.assert_allclose(found["prediction"][:, 0], label, rtol=1e-4)
        return
    probabilities = model.predict_proba(rows)
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-4)
    first, second = np.sort(probabilities, axis=1)[:, [-1, -2]].T
    clear = first - second > 2e-4
    assert (found["label"][clear] == label[clear]).all()
    model.fit(rows.astype(np.float32), targets)
    assert {"X": np.float32} == {key: value.dtype for key, value in fed(written(model), rows).items()}


def test_neighbours_far_from_zero_are_found_in_float32() -> None:
    rows = GAPS + np.array([4096.0, 0.0, -1024.0, 512.0, 8192.0])
    rows = rows.astype(np.float32).astype(np.float64)  # so that the graph is given the same numbers
    model = make_pipeline(KNNImputer(), StandardScaler(), C()).fit(rows, y)
    content = written(model, dtype="float32")
    found = ran(content, {"X": rows.astype(np.float32)})["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(rows), rtol=0, atol=1e-2)  # not of other rows


def test_several_targets_are_of_the_estimator_behind_any_steps() -> None:
    model = MultiOutputClassifier(make_pipeline(make_pipeline(StandardScaler(), PCA(3)), C())).fit(X, LETTERS[MANY])
    assert_same(model, written(model, X[:30]), X, TOLERANCE["float64"])


def test_what_has_no_graph_in_float64_falls_back_on_float32_and_says_so() -> None:
    model = make_pipeline(PowerTransformer(), C()).fit(X, y)
    with pytest.warns(UserWarning, match=r"no valid graph in float64.*dtype='float32'") as said:
        content = written(model, X)
    assert len(said) == 1
    found = ran(content, {"X": X})  # the inputs and outputs stay float64
    assert found["probabilities"].dtype == np.float64
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), atol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            ran(written(model, X, dtype="float32"), {"X": X.astype(np.float32)})["label"].tolist()
            == model.predict(X).tolist()
        )
    with pytest.raises(rs.ReseauError):
        written(model, X, dtype="float64")


def test_without_onnxruntime_the_checker_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), C()).fit(X, y)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "onnxruntime", None)
        content = written(model)
    assert_same(model, content, X, TOLERANCE["float64"])


def test_a_graph_that_gives_something_else_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from reseau.composed import steps

    def wrong(g: Any, cells: Any, op: Any) -> str:
        return str(g("Add", cells.matrix(), 1.0))

    monkeypatch.setitem(steps.EMITTERS, FunctionTransformer, wrong)
    model = make_pipeline(FunctionTransformer(np.tanh), R()).fit(X, t)
    for sample in (None, X):
        with pytest.raises(rs.ReseauError, match=r"graph in float64 gives \[.*\] for row \d+ of the sample, where the"):
            rs.to_onnx(model, tmp_path / "m.onnx", sample=sample)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "function", ["exp", "expm1", "log", "log10", "log1p", "log2", "reciprocal", "sign", "sqrt", "tanh"]
)
def test_functions_of_numpy_keep_their_digits(function: str) -> None:
    from reseau.composed.steps import applied
    from reseau.export.onnx_graph import Graph
    from reseau.export.onnx_graph import tensor as described

    x = np.array([1e-300, 1e-17, 1e-9, 0.01, 0.5, 1.0, 1.5, 30.0, 700.0, 1e200])
    g = Graph("float64", ("X", "Y"))
    g("Identity", applied(g, "X", getattr(np, function), None), name="Y")
    graph = onnx.helper.make_graph(
        g.nodes, "one", [described("X", np.float64, "N")], [described("Y", np.float64, "N")], initializer=g.weights
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    with np.errstate(all="ignore"):
        expected = getattr(np, function)(x)
    found = ran(model.SerializeToString(), {"X": x})["Y"]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("opset", [13, 15, 18, 21, 22])
def test_the_version_of_the_operators_can_be_chosen(opset: int) -> None:
    model = make_pipeline(KNNImputer(weights="distance"), PolynomialFeatures(2), StandardScaler(), C()).fit(GAPS, y)
    content = written(model, opset=opset)
    assert {entry.domain: entry.version for entry in onnx.load_from_string(content).opset_import}[""] == opset
    assert_same(model, content, GAPS, TOLERANCE["float64"])


# --- frames -----------------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    {
        "a": X[:, 0],
        "b": X[:, 1],
        "i": RANDOM.integers(0, 5, 120),
        "t": RANDOM.choice(["x", "y", "zz"], 120),
        "u": RANDOM.choice(["p", "q"], 120),
        "flag": RANDOM.random(120) > 0.5,
    }
)
NUMBERS, TEXTS = ["a", "b", "i"], ["t", "u"]
LACKING = FRAME.astype({"t": object, "u": object})
LACKING.loc[3:9, "a"] = np.nan
LACKING.loc[5:20, "t"] = np.nan
NULLABLE = FRAME.astype(
    {"a": "Float64", "i": "Int64", "t": "category", "u": "string", "flag": "boolean", "b": np.float32}
)
NULLABLE.loc[4:8, "i"] = pd.NA
NULLABLE.loc[7:9, "flag"] = pd.NA


def prepared(*more: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer((numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), TEXTS), *more)


def encoded(*steps: tuple[Any, Any]) -> Any:
    return make_pipeline(make_column_transformer(*steps, (StandardScaler(), ["b"])), C())


IMPUTED_TEXT = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
FRAMES: dict[str, tuple[Any, Any, Any]] = {
    "raw columns": (make_pipeline(prepared(), C()), LACKING, y),
    "polars": (make_pipeline(prepared(), C()), pl.from_pandas(FRAME), y),
    "polars' categories": (
        make_pipeline(prepared(), C()),
        pl.from_pandas(FRAME).with_columns(pl.col("t").cast(pl.Categorical)),
        y,
    ),
    "pandas' own types": (
        make_pipeline(prepared((SimpleImputer(strategy="most_frequent"), ["flag"])), C()),
        NULLABLE,
        y,
    ),
    "passthrough": (make_pipeline(prepared(("passthrough", ["flag", "b"])), C()), FRAME, LETTERS[y]),
    "remainder": (
        make_pipeline(make_column_transformer((OneHotEncoder(), TEXTS), remainder="passthrough"), C()),
        FRAME,
        y,
    ),
    "dropped": (make_pipeline(prepared(("drop", ["flag"])), C()), FRAME.assign(flag=pd.Timestamp("2024-05-31")), y),
    "numbers alone": (make_pipeline(StandardScaler(), C()), FRAME[NUMBERS], y),
    "text alone": (make_pipeline(OneHotEncoder(sparse_output=False), C()), FRAME[TEXTS], y),
    "text in an array": (make_pipeline(OneHotEncoder(), C()), FRAME[TEXTS].to_numpy(object), y),
    "text and numbers alike": (make_pipeline(OneHotEncoder(handle_unknown="ignore"), C()), FRAME[["i", "t", "u"]], y),
    "one-hot, the first dropped": (encoded((OneHotEncoder(drop="first"), [*TEXTS, "i"])), FRAME, y),
    "one-hot, one of two dropped": (encoded((OneHotEncoder(drop="if_binary"), [*TEXTS, "flag"])), FRAME, y),
    "one-hot, rare ones together": (
        encoded((OneHotEncoder(min_frequency=35, handle_unknown="infrequent_if_exist"), [*TEXTS, "i"])),
        FRAME,
        y,
    ),
    "one-hot, rare ones dropped": (encoded((OneHotEncoder(max_categories=2, drop="first"), [*TEXTS, "i"])), FRAME, y),
    "one-hot of missing ones": (encoded((OneHotEncoder(), TEXTS)), LACKING, y),
    "one-hot of fractions": (encoded((OneHotEncoder(), ["a"])), LACKING.assign(a=LACKING["a"].round() / 8), y),
    "by number": (encoded((OrdinalEncoder(), TEXTS)), FRAME, y),
    "by number, missing and unknown": (
        encoded(
            (
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                [*TEXTS, "a"],
            )
        ),
        LACKING,
        y,
    ),
    "by target": (encoded((TargetEncoder(random_state=0), TEXTS)), FRAME, LETTERS[y]),
    "imputed text": (encoded((IMPUTED_TEXT, TEXTS)), LACKING, y),
    "within": (
        make_pipeline(
            make_column_transformer(
                (make_column_transformer((StandardScaler(), ["a"]), ("passthrough", ["b"])), ["b", "a"]),
                (make_pipeline(make_column_transformer((OneHotEncoder(), ["u"]), (OrdinalEncoder(), ["t"]))), TEXTS),
            ),
            C(),
        ),
        FRAME,
        y,
    ),
    "one after another": (
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), ["a", "b"]),
                (OneHotEncoder(sparse_output=False), ["t"]),
                verbose_feature_names_out=False,
            ).set_output(transform="pandas"),
            make_column_transformer((MinMaxScaler(), ["a"]), remainder="passthrough"),
            C(),
        ),
        FRAME,
        y,
    ),
    "selected by type": (
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), make_column_selector(dtype_include="number")),
                (OneHotEncoder(), make_column_selector(pattern="^[tu]$")),
            ),
            C(),
        ),
        FRAME,
        y,
    ),
    "voting pipelines": (
        VotingClassifier(
            [("a", make_pipeline(prepared(), C())), ("b", make_pipeline(prepared(), C(1)))], voting="soft"
        ),
        FRAME,
        y,
    ),
    "stacked pipelines": (
        StackingClassifier([("a", make_pipeline(prepared(), C())), ("b", make_pipeline(prepared(), C(1)))], cv=2),
        FRAME,
        y,
    ),
    "several targets of pipelines": (
        MultiOutputClassifier(make_pipeline(prepared(), C())),
        LACKING,
        np.stack([y, y[::-1]], axis=1),
    ),
    "several target numbers of pipelines": (
        MultiOutputRegressor(make_pipeline(prepared(), R())),
        LACKING,
        X[:, 1:3],
    ),
    "passed through within": (
        encoded((make_pipeline("passthrough"), ["a"]), (Pipeline([("a", None), ("b", "passthrough")]), ["i"])),
        FRAME,
        y,
    ),
    "a searched pipeline": (
        GridSearchCV(make_pipeline(prepared(), C()), {"mlpclassifier__alpha": [1e-4, 1e-2]}, cv=2),
        LACKING,
        y,
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_model_of_frames_takes_their_columns(name: str) -> None:
    model, rows, targets = FRAMES[name]
    model.fit(rows, targets)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = written(model, rows)
    single = any(
        kind == "float32" for kind in map(str, getattr(rows, "dtypes", []))
    )  # scaled in float32 by scikit-learn
    assert_same(model, content, rows, TOLERANCE["float32" if single else "float64"])


def test_columns_have_the_types_of_the_frame_or_those_that_can_be_missing() -> None:
    content = written(make_pipeline(prepared(), C()).fit(NULLABLE, y), NULLABLE)
    types = {i.name: i.type.tensor_type.elem_type for i in onnx.load_from_string(content).graph.input}
    P = onnx.TensorProto
    assert types == {"a": P.DOUBLE, "b": P.FLOAT, "i": P.DOUBLE, "t": P.STRING, "u": P.STRING, "flag": P.DOUBLE}
    content = written(make_pipeline(prepared(), C()).fit(FRAME, y), FRAME.head(1))
    types = {i.name: i.type.tensor_type.elem_type for i in onnx.load_from_string(content).graph.input}
    assert types == {"a": P.DOUBLE, "b": P.DOUBLE, "i": P.INT64, "t": P.STRING, "u": P.STRING, "flag": P.BOOL}


def test_a_missing_text_is_the_empty_one_and_an_unknown_one_is_none(penguins: pd.DataFrame) -> None:
    frame, species = penguins.drop(columns="species"), penguins["species"]
    frame["sex"] = frame["sex"].where(frame["sex"] != "", None)
    model = columns_pipeline(C()).fit(frame, species)
    content = written(model, frame)
    rows = frame.head(3).assign(sex=[None, "unseen", "male"])
    found = ran(content, {**fed(content, rows), "sex": np.array([[""], ["unseen"], ["male"]], object)})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(rows), atol=TOLERANCE["float64"])


def test_a_category_that_the_encoder_refuses_is_refused_by_the_graph() -> None:
    model = encoded((OneHotEncoder(), TEXTS), (OrdinalEncoder(), ["i"])).fit(FRAME, y)
    content = written(model, FRAME)
    for column in ("t", "i"):
        inputs = fed(content, FRAME)
        inputs[column][0, 0] = "unseen" if column == "t" else 99
        with pytest.raises(Exception, match="out of data bounds"):
            session(content).run(None, inputs)


ENCODERS = [
    OneHotEncoder(handle_unknown="ignore", drop="first"),
    OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=35),
    OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=2, drop="first"),
    OneHotEncoder(handle_unknown="warn", max_categories=1),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, max_categories=2),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-3, encoded_missing_value=-5, min_frequency=35),
    TargetEncoder(random_state=0),
]


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("encoder", ENCODERS, ids=map(str, ENCODERS))
def test_rare_unknown_and_missing_categories_are_what_the_encoder_makes_of_them(encoder: Any) -> None:
    model = encoded((encoder, [*TEXTS, "i"])).fit(LACKING, y)
    rows = LACKING.head(20).copy()
    rows.loc[:3, "t"], rows.loc[2:7, "i"] = "unseen", 99
    assert_same(model, written(model, LACKING), rows, TOLERANCE["float64"])


def test_categories_that_the_precision_cannot_tell_apart_are_refused() -> None:
    frame = FRAME.assign(i=2**24 + FRAME["i"])
    model = encoded((OneHotEncoder(), ["i"])).fit(frame, y)
    assert_same(model, written(model, frame), frame, TOLERANCE["float64"])
    with pytest.raises(rs.ReseauError, match="categories that are all 16777216 in float32; make them text,"):
        written(model, frame, dtype="float32")


def test_text_that_is_empty_and_text_that_is_missing_cannot_be_told_apart() -> None:
    frame = LACKING.copy()
    frame.loc[0, "t"] = ""
    model = encoded((OneHotEncoder(), TEXTS)).fit(frame, y)
    with pytest.raises(rs.ReseauError, match="both empty text and missing cells"):
        written(model, frame)


def test_columns_with_names_that_no_input_can_have_are_renamed_and_the_metadata_tells() -> None:
    names = {"a": "label", "b": "b c", "t": "", "u": "é\0té"}
    frame = FRAME[list(names)].rename(columns=names)
    model = make_pipeline(
        make_column_transformer((StandardScaler(), ["label", "b c"]), (OneHotEncoder(), ["", "é\0té"])), C()
    ).fit(frame, y)
    with pytest.warns(UserWarning, match=r"'label \(input\)' for 'label', 'column' for '', ") as said:
        content = written(model, frame)
    assert len(said) == 1
    told = {entry["name"]: entry["input"] for entry in json.loads(metadata(content)["inputs"])}
    assert told == {"label": "label (input)", "b c": "b c", "": "column", "é\0té": "é_té"}
    assert_same(model, content, frame, TOLERANCE["float64"])


@pytest.mark.parametrize("name", ["steps/columns", "columns", "Cast", "constant", "_steps/", "X", "O"])
def test_columns_may_have_the_names_that_the_graph_would_use(name: str) -> None:
    frame = FRAME[["a", "i"]].rename(columns={"a": name})
    model = make_pipeline(StandardScaler(), C()).fit(frame, y)
    assert_same(model, written(model, frame), frame, TOLERANCE["float64"])


def test_columns_of_numbers_need_no_sample() -> None:
    model = make_pipeline(SimpleImputer(), StandardScaler(), C()).fit(LACKING[["a", "b"]], y)
    content = written(model)
    assert [entry["name"] for entry in json.loads(metadata(content)["inputs"])] == ["a", "b"]
    assert_same(model, content, LACKING[["a", "b"]], TOLERANCE["float64"])
    text = make_pipeline(OneHotEncoder(handle_unknown="ignore"), C()).fit(FRAME[TEXTS], y)
    with pytest.raises(rs.ReseauError, match=r"sample is None, .* fitted on a data frame; give a row of it"):
        written(text)


def test_a_frame_whose_columns_have_no_names_is_an_array() -> None:
    frame = pd.DataFrame(X)
    model = make_pipeline(StandardScaler(), C()).fit(frame, y)
    assert written(model, frame.head(3)) == written(model, X[:3]) == written(model)


@pytest.mark.parametrize("sample", ["table.csv", {"a": [1.0]}, X[0], 3.5, pl.LazyFrame({"a": [1.0]}), np.zeros((3, 0))])
def test_what_is_no_sample_is_refused(sample: Any) -> None:
    model = make_pipeline(StandardScaler(), C()).fit(X, y)
    with pytest.raises(rs.ParameterError, match=r"sample is a .* but must be a data frame, or an array of rows"):
        written(model, sample)


# --- what was asked of pipelines before -------------------------------------------------------------------------------


@pytest.fixture
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


def test_a_file_of_penguins_says_its_classes_and_columns(penguins: pd.DataFrame, tmp_path: Path) -> None:
    frame, species = penguins.drop(columns="species"), penguins["species"]
    model = columns_pipeline(C()).fit(frame, species)
    for sample in (frame, pl.from_pandas(frame)):
        rs.to_onnx(model, tmp_path / "m.onnx", sample=sample)
        content = (tmp_path / "m.onnx").read_bytes()
        assert_same(model, content, frame, TOLERANCE["float64"])
        assert metadata(content)["classes"] == '["Adelie", "Chinstrap", "Gentoo"]'
        assert metadata(content)["loss"] == "cross_entropy"
        assert [entry["name"] for entry in json.loads(metadata(content)["inputs"])] == list(frame)


def test_a_pipeline_of_the_estimator_alone_is_the_estimator(tmp_path: Path) -> None:
    pipeline = make_pipeline(C()).fit(X, y)
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4]}, cv=2).fit(X, y)
    for model, core in ((pipeline, pipeline[-1]), (search, search.best_estimator_[-1])):
        assert written(model) == written(core)


def test_skl2onnx_takes_pipelines_with_our_estimators_once_it_was_told_of_them() -> None:
    import skl2onnx

    import reseau.composed.pipeline  # noqa: F401

    for model, options in (
        (make_pipeline(StandardScaler(), C()).fit(X, LETTERS[y]), {"zipmap": False}),
        (make_pipeline(StandardScaler(), C()).fit(X, y > 0), {"zipmap": False}),
        (BaggingClassifier(C(), 2, random_state=0).fit(X, y), {"zipmap": False}),
    ):
        proto = skl2onnx.to_onnx(model, X[:1], options={id(model): options})
        label, probabilities = session(proto.SerializeToString()).run(None, {"X": X})
        assert (label == model.predict(X)).all()
        np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=TOLERANCE["float64"])
    mapped = skl2onnx.to_onnx(model, X[:1].astype(np.float32))  # as skl2onnx has probabilities by default
    _, probabilities = session(mapped.SerializeToString()).run(None, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(
        [list(row.values()) for row in probabilities], model.predict_proba(X), atol=TOLERANCE["float32"]
    )
    regressor = make_pipeline(StandardScaler(), R()).fit(X, t)
    (found,) = session(skl2onnx.to_onnx(regressor, X[:1]).SerializeToString()).run(None, {"X": X})
    np.testing.assert_allclose(found[:, 0], regressor.predict(X), rtol=1e-12)


def test_a_subclass_of_ours_is_written_as_what_it_is() -> None:
    class Own(rs.MLPClassifier):
        pass

    model = make_pipeline(StandardScaler(), Own(**SMALL)).fit(X, y)
    assert_same(model, written(model), X, TOLERANCE["float64"])


def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    penguins: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, species, path = penguins.drop(columns="species"), penguins["species"], tmp_path / "m.onnx"
    pipeline = columns_pipeline(C()).fit(frame, species)

    def refuses(model: Any, match: str, error: type[Exception] = rs.ReseauError, **settings: Any) -> None:
        with pytest.raises(error, match=match):
            rs.to_onnx(model, path, **settings)
        assert not list(tmp_path.iterdir())

    refuses(pipeline, r"fitted on a data frame; give a row of it", rs.ParameterError)
    refuses(pipeline, "sample lacks 1 column that the model takes: 'year'", sample=frame.drop(columns="year"))
    refuses(pipeline, "sample is not as the model takes it", sample=frame.assign(year="late"))
    refuses(pipeline, "opset is 12, but must be", rs.ParameterError, sample=frame, opset=12)
    refuses(pipeline, "opset is 2.5, but must be a whole number", rs.ParameterError, sample=frame, opset=2.5)
    refuses(pipeline, "opset is 99, but must be a whole number of .*at most", rs.ParameterError, sample=frame, opset=99)
    refuses(pipeline, "dtype is 'float16'", rs.ParameterError, sample=frame, dtype="float16")
    numbers = frame[["year"]]
    for function in (lambda frame: frame + 1, np.cbrt):
        odd = make_pipeline(FunctionTransformer(function), C()).fit(numbers, species)
        refuses(
            odd, r"cannot be written as ONNX: .*FunctionTransformer of '(<lambda>|cbrt)'; known are", sample=numbers
        )
    theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, species)
    refuses(theirs, "a Pipeline that ends in a LogisticRegression, but must be", rs.ParameterError, sample=numbers)
    refuses(ClassifierChain(C()).fit(X, MANY), "cannot be written as ONNX: .*ClassifierChain")
    scaled = TransformedTargetRegressor(R(), transformer=QuantileTransformer(n_quantiles=10)).fit(X, t)
    refuses(scaled, "what a QuantileTransformer does to the target cannot be undone")
    search = GridSearchCV(C(), {"alpha": [1e-4]}, cv=2, refit=False).fit(X, y)
    refuses(search, "refit=False", rs.ParameterError)
    refuses(make_pipeline(StandardScaler(), C()), "not fitted", NotFittedError)
    dates = FRAME.assign(b=pd.Timestamp("2024-05-31"))
    dated = make_pipeline(prepared(), C()).fit(FRAME, y)
    refuses(dated, "sample", rs.ParameterError, sample=dates)
    mixed = make_pipeline(OneHotEncoder(), C()).fit(FRAME[["t", "i"]].to_numpy(object), y)
    refuses(mixed, "array that holds cells of type int and str", sample=FRAME[["t", "i"]].to_numpy(object))
    lost = make_pipeline(StandardScaler(), C()).fit(X, y)
    lost[-1].coefs_[0][0, 0] = np.nan
    refuses(lost, "not finite")
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    refuses(pipeline, "package skl2onnx, which is not installed", sample=frame)
