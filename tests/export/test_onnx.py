"""ONNX files: onnx's checker accepts them, and onnxruntime computes from them what we do."""

from __future__ import annotations

import datetime
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import every_column
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import reseau as rs
from reseau import models
from reseau.export import onnx_labels, onnx_layers
from reseau.export.onnx_graph import OPSET, Graph
from reseau.tables import table_file
from reseau.tables.code import onnx_columns
from reseau.tables.reading.cells import MISSING, without
from reseau.tables.reading.table import read_table
from reseau.vocabulary.activations import ACTIVATIONS, RowWise

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

EXAMPLES = Path(__file__).parents[2] / "examples"
DTYPES = ["float32", "float64"]

# How much an activation can stretch a small error of z.
SLOPES = dict.fromkeys(ACTIVATIONS, 1.2) | {"selu": 1.76, "hard_swish": 1.5, "log_softmax": 2.0}


def checked(model: object, **settings: Any) -> Any:
    proto = models.to_onnx_model(model, **settings)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def session(proto: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(proto: Any, **inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    started = session(proto)
    names = [output.name for output in started.get_outputs()]
    return dict(zip(names, started.run(names, inputs), strict=True))


def metadata(proto: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in proto.metadata_props}


def rounding(net: rs.Network, X: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """How far rounding may take the outputs: a product of n terms loses n + 2 roundings of Σ |a||w| + |b|, and the
    activation a few of 1 + |z| + |σ(z)|; what came in as an error is passed on with the slope."""
    eps = float(np.finfo(net.dtype).eps)
    A, error = X.astype(np.float64), np.zeros(X.shape)
    for layer in net.layers:
        name = layer.description.activation
        W = layer.W.astype(np.float64)
        b = np.zeros(W.shape[1]) if layer.b is None else layer.b.astype(np.float64)
        with np.errstate(over="ignore"):
            Z = A @ W + b
            error = error @ abs(W) + (len(W) + 2) * eps * (abs(A) @ abs(W) + abs(b))
            A = ACTIVATIONS[name].value(Z)
            exponentials = {"exponential": np.exp(Z + error), "mean_scale": np.maximum(1.0, np.exp(Z + error))}
            slope = exponentials.get(name, SLOPES[name])
            error = slope * error + 4 * eps * (1 + abs(Z) + abs(A))
        if isinstance(ACTIVATIONS[name], RowWise):  # each neuron's error reaches all
            error = np.broadcast_to(error.max(axis=1, keepdims=True), A.shape)
    return error


def assert_equal_up_to_rounding(net: rs.Network, X: npt.NDArray[Any], O: npt.NDArray[Any]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        ours = net(X)
        assert O.dtype == ours.dtype
        assert O.shape == ours.shape
        far = (abs(O.astype(np.float64) - ours) > rounding(net, X)) & (ours != O)
    assert not far.any(), (O[far], ours[far])


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_gives_our_outputs_of_every_activation(activation: str, dtype: str, bias: bool) -> None:
    hidden = rs.Dense(6, activation, bias=bias)
    random = np.random.default_rng(1)
    X = random.normal(size=(50, 5)).astype(dtype)
    for layers in (
        [hidden, rs.Dense(3, "identity", bias=bias)],
        [rs.Dense(6, "tanh", bias=bias), hidden],
        [hidden] * 2,
    ):
        net = rs.Network(*layers, inputs=5, dtype=dtype, seed=0)
        net.parameters[...] = random.normal(size=net.n_parameters) * 0.7
        proto = checked(net)
        assert_equal_up_to_rounding(net, X, run(proto, X=X)["O"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_gives_our_outputs_of_extreme_scores(activation: str, dtype: str) -> None:
    net = rs.Network(rs.Dense(2, activation, bias=False), inputs=2, dtype=dtype)
    net.layers[0].W[...] = np.eye(2)  # so that scores are exact
    far = np.array([0.0, 1e-30, 1e-8, 3.0, 6.0, 20.0, 40.0, 87.0, 100.0, 700.0, 1e4])
    z = np.concatenate([far, -far])
    X = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 2).astype(dtype)
    assert_equal_up_to_rounding(net, X, run(checked(net), X=X)["O"])


def test_the_input_is_x_the_output_is_o_and_any_number_of_rows_may_come() -> None:
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(2, "softmax"), inputs=4, loss="cross_entropy", seed=0)
    started = session(checked(net))
    assert [(i.name, i.type, i.shape) for i in started.get_inputs()] == [("X", "tensor(float)", ["N", 4])]
    assert [(o.name, o.type, o.shape) for o in started.get_outputs()] == [("O", "tensor(float)", ["N", 2])]
    for rows in (0, 1, 7):
        assert started.run(None, {"X": np.zeros((rows, 4), np.float32)})[0].shape == (rows, 2)


def test_the_file_is_of_a_widely_known_version_and_says_whence_it_comes(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(1, "sigmoid"), inputs=4, loss="binary_cross_entropy")
    net.to_onnx(tmp_path / "net.onnx")
    proto = onnx.load(tmp_path / "net.onnx")
    assert proto.ir_version == 8
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 17)]
    assert metadata(proto) == {
        "library": "reseau",
        "version": rs.__version__,
        "kind": "network",
        "loss": "binary_cross_entropy",
    }


def test_equal_networks_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        rs.Network(rs.Dense(3, "gelu"), rs.Dense(1, "mish"), inputs=2, seed=3, dtype="float64").to_onnx(tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


OPSETS = [13, 15, 17, 18, 20, 22]


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_version_of_the_operators_can_be_chosen(dtype: str, opset: int) -> None:
    names = [name for name, entry in ACTIVATIONS.items() if not isinstance(entry, RowWise) and name != "exponential"]
    net = rs.Network(*(rs.Dense(4, name) for name in names), rs.Dense(2, "softmax"), inputs=3, dtype=dtype, seed=0)
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(dtype)
    proto = checked(net, opset=opset)
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", opset)]
    assert_equal_up_to_rounding(net, X, run(proto, X=X)["O"])


@pytest.mark.parametrize("opset", [12, 0, -1, 1000, 17.0, "17", True])
def test_another_version_is_refused_by_name_and_range(opset: Any, tmp_path: Path) -> None:
    with pytest.raises(
        rs.ParameterError, match=rf"opset is {opset!r}, but must be a whole number of at least 13 and at"
    ):
        rs.Network(rs.Dense(1), inputs=1).to_onnx(tmp_path / "net.onnx", opset=opset)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("own", "other"), [("float32", "float64"), ("float64", "float32")])
def test_the_precision_can_be_chosen(own: str, other: str, tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(6, "elu"), rs.Dense(3, "softmax"), inputs=4, loss="cross_entropy", dtype=own, seed=0)
    twin = rs.Network(rs.Dense(6, "elu"), rs.Dense(3, "softmax"), inputs=4, loss="cross_entropy", dtype=other)
    twin.parameters[...] = net.parameters
    X = np.random.default_rng(0).normal(size=(20, 4)).astype(other)
    net.to_onnx(tmp_path / "net.onnx", dtype=other)
    assert_equal_up_to_rounding(twin, X, run(onnx.load(tmp_path / "net.onnx"), X=X)["O"])
    assert models.to_onnx_model(net, dtype=own) == models.to_onnx_model(net)
    with pytest.raises(rs.ParameterError, match="dtype is 'float16'"):
        net.to_onnx(tmp_path / "no.onnx", dtype="float16")


def test_a_file_that_is_open_for_bytes_is_written_to(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(3, "gelu"), rs.Dense(1), inputs=2, seed=3)
    net.to_onnx(tmp_path / "net.onnx")
    expected = (tmp_path / "net.onnx").read_bytes()
    memory = io.BytesIO(b"")
    net.to_onnx(memory)
    assert memory.getvalue() == expected
    with tempfile.NamedTemporaryFile() as file:
        net.to_onnx(file)
        file.seek(0)
        assert file.read() == expected
    with open(tmp_path / "text", "w") as text, tempfile.NamedTemporaryFile("w") as other:
        for target in (text, other, io.StringIO(), 3):
            with pytest.raises(rs.ParameterError, match=r"path is .*(binary|takes no bytes)"):
                net.to_onnx(target)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_weights_that_are_not_finite_in_the_precision_are_refused_and_leave_what_was_there(
    value: float, tmp_path: Path
) -> None:
    net = rs.Network(rs.Dense(2, "tanh"), rs.Dense(1), inputs=2, dtype="float64", seed=0)
    path = tmp_path / "net.onnx"
    path.write_bytes(b"before")
    net.layers[1].W[0, 0] = value
    for dtype in ("float32",) if value == 1e300 else DTYPES:
        with pytest.raises(rs.ReseauError, match=f"layer 2 has parameters that are not finite in {dtype}"):
            net.to_onnx(path, dtype=dtype)
        memory = io.BytesIO()
        with pytest.raises(rs.ReseauError, match="not finite"):
            net.to_onnx(memory, dtype=dtype)
        assert memory.getvalue() == b""
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("net.onnx", b"before")]


def test_a_network_without_inputs_cannot_be_exported_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(rs.ReseauError, match="inputs"):
        rs.Network(rs.Dense(1)).to_onnx(tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_only_models_can_be_exported(tmp_path: Path) -> None:
    with pytest.raises(rs.ParameterError, match="is a dict, but must be a Network"):
        rs.to_onnx({}, tmp_path / "no.onnx")


def test_what_one_file_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_layers, "LARGEST", 39)
    with pytest.raises(rs.ReseauError, match=r"10 parameters take .* at most 2"):
        models.to_onnx_model(rs.Network(rs.Dense(2), inputs=4))


def test_without_onnx_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = rs.Network(rs.Dense(1), inputs=1)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(rs.ReseauError, match=r"pip install 'reseau\[onnx\]'"):
        net.to_onnx(tmp_path / "net.onnx")
    with pytest.raises(rs.ReseauError, match=r"pip install 'reseau\[onnx\]'"):
        rs.from_onnx(tmp_path / "net.onnx")


# --- estimators -------------------------------------------------------------------------------------------------------


def blobs(classes: int, dtype: str = "float64") -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    random = np.random.default_rng(0)
    y = np.arange(90) % classes
    X = random.normal(size=(90, 3)) + y[:, None] * np.array([1.0, -1.0, 0.5])
    return X.astype(dtype), y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"], [-1, 7], [2, 3, 5], [False, True], [1.0, 2.0, 4.0]])
def test_a_classifier_gives_labels_and_probabilities(labels: list[Any], dtype: str, tmp_path: Path) -> None:
    X, y = blobs(len(labels), dtype)
    model = rs.MLPClassifier((5,), max_iter=20, random_state=0).fit(X, np.array(labels)[y])
    model.to_onnx(tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    found = run(proto, X=X)
    assert list(found) == ["label", "probabilities"]
    assert found["label"].tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), atol=50 * np.finfo(dtype).eps, rtol=0)
    assert json.loads(metadata(proto)["classes"]) == labels


LABELS = {
    "int64 beyond 2^53": np.array([2**53 + 1, 2**53 + 2, -(2**63)]),
    "uint64 beyond 2^63": np.array([2**63 + 1, 2**63 + 3, 2**64 - 1], np.uint64),
    "int8": np.array([-3, 0, 5], np.int8),
    "uint8": np.array([1, 2, 255], np.uint8),
    "int32": np.array([1, 2, -(2**31)], np.int32),
    "float32": np.array([1, 2, 4], np.float32),
    "float16": np.array([1, 2, 4], np.float16),
    "bool": np.array([False, True, True]),
    "text": np.array(["", "é", "a longer one"]),
    "objects": np.array(["b", "a", np.str_("c")], object),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", LABELS)
def test_labels_keep_their_value_and_their_type(name: str) -> None:
    X, y = blobs(3)
    model = rs.MLPClassifier((5,), max_iter=20, random_state=0).fit(X, LABELS[name][y])
    proto = checked(model)
    label, expected = run(proto, X=X)["label"], model.predict(X)
    assert label.dtype == (object if expected.dtype.kind in "UO" else expected.dtype)
    assert label.tolist() == expected.tolist()
    assert set(label.tolist()) == set(LABELS[name].tolist())
    assert json.loads(metadata(proto)["classes"]) == model.classes_.tolist()


@pytest.mark.parametrize(
    ("classes", "table"),
    [
        ([1, 2, 2**63 + 5], np.array([1, 2, 2**63 + 5], np.uint64)),
        ([np.int8(1), 2], np.array([1, 2])),
        ([False, True], np.array([False, True])),
        ([0.5, np.float32(1)], np.array([0.5, 1.0])),
    ],
)
def test_objects_are_what_they_all_are(classes: list[Any], table: npt.NDArray[Any]) -> None:
    found = onnx_labels.label_table(np.array(classes, object))
    assert found.dtype == table.dtype
    assert found.tolist() == table.tolist()


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ([2**63, -1], "9223372036854775808 is of type int, for which ONNX has no tensors"),
        ([1, 2.5], "1 is of type int, for which ONNX has no tensors"),
        (["a", None], "None is of type NoneType"),
        (np.array([1, 2], np.longdouble), "of type (float128|float96|longdouble)"),
        (np.array(["2024-05-31"], "datetime64[D]"), "of type datetime64"),
        (["a", "b\ud800"], "is not UTF-8 text"),
    ],
)
def test_classes_without_a_tensor_are_refused(classes: Any, match: str) -> None:
    with pytest.raises(rs.ReseauError, match=match):
        onnx_labels.label_table(classes if isinstance(classes, np.ndarray) else np.array(classes, object))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_float32_decides_as_float64_does_where_that_is_clear() -> None:
    X, y = blobs(3)
    model = rs.MLPClassifier((5,), max_iter=20, random_state=0).fit(X, y)
    found = run(checked(model, dtype="float32"), X=X.astype(np.float32))
    probabilities = model.predict_proba(X)
    rounding = 50 * float(np.finfo(np.float32).eps)
    np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=rounding)
    first, second = np.sort(probabilities, axis=1)[:, [-1, -2]].T
    clear = first - second > 2 * rounding
    assert clear.mean() > 0.95
    assert (found["label"][clear] == model.predict(X)[clear]).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_several_labels_at_once_are_indicators() -> None:
    X, y = blobs(3)
    Y = np.stack([y > 0, y == 1], axis=1).astype(int)
    model = rs.MLPClassifier((5,), max_iter=20, random_state=0).fit(X, Y)
    found = run(checked(model), X=X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-14)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_regressor_gives_predictions_and_keeps_the_names_of_its_inputs(loss: str) -> None:
    pd = pytest.importorskip("pandas")
    X, y = blobs(3)
    frame = pd.DataFrame(X, columns=["a", "b", "é"])
    model = rs.MLPRegressor(loss, (5,), max_iter=20, random_state=0).fit(frame, y)
    proto = checked(model)
    np.testing.assert_allclose(run(proto, X=X)["prediction"][:, 0], model.predict(frame), rtol=1e-13)
    assert json.loads(metadata(proto)["inputs"]) == ["a", "b", "é"]


def test_an_estimator_before_fit_is_refused_as_scikit_learn_does(tmp_path: Path) -> None:
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        rs.MLPClassifier().to_onnx(tmp_path / "model.onnx")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_classifier_of_a_single_class_is_refused() -> None:
    X, y = blobs(1)
    with pytest.raises(rs.ReseauError, match="a single class, 'only'"):
        models.to_onnx_model(rs.MLPClassifier((2,), max_iter=2).fit(X, np.array(["only"])[y]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classes_that_are_no_text_or_numbers_are_refused() -> None:
    X, y = blobs(2)
    model = rs.MLPClassifier((2,), max_iter=2).fit(X, y)
    model.classes_ = np.array([datetime.date(2024, 1, 1), datetime.date(2025, 1, 1)], object)
    with pytest.raises(rs.ReseauError, match=r"2024.* of type date.* text, or numbers of one type"):
        models.to_onnx_model(model)


# --- tables -----------------------------------------------------------------------------------------------------------


def cells(model: rs.TableModel, table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """The inputs of a table model's graph, from the table's own cells and not from our way of reading them."""
    inputs = {}
    for entry in json.loads(metadata(models.to_onnx_model(model))["inputs"]):
        values = table[entry["name"]].to_pylist()
        column: Any
        if entry["kind"] == "category":
            column = np.array(["" if value is None else str(value) for value in values], object)
        elif entry["kind"] == "date":
            epoch = datetime.datetime(1970, 1, 1)
            days = [None if v is None else (v - epoch) / datetime.timedelta(days=1) for v in values]
            column = np.array(days, np.float64)
        else:
            column = np.array(values, np.float64)  # None is NaN
        inputs[entry["input"]] = column.reshape(-1, 1)
    return inputs


def small(model: rs.TableModel) -> float:
    """A bound for rounding in float32: networks of this size, weights of order 1, inputs within 5."""
    return 200 * float(np.finfo(np.float32).eps) * max(1.0, float(abs(model.network.parameters).max()))


@pytest.fixture(scope="module")
def penguins() -> rs.TableModel:
    return rs.TableModel.train(EXAMPLES / "penguins.csv", "species", preset="fast", epochs=10, seed=0)


def test_a_table_model_goes_from_raw_columns_to_class_and_probabilities(penguins: rs.TableModel) -> None:
    columns = read_table(EXAMPLES / "penguins.csv").columns
    table = pa.table({name: without(column.cells, MISSING) for name, column in columns.items()})
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    for name in numbers:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.float64()))
    assert sum(table[name].null_count for name in table.column_names) > 0
    proto = checked(penguins)
    inputs = cells(penguins, table)
    assert set(inputs) == {*numbers, "island", "sex"} - {d.name for d in penguins.columns if not d.features}
    found = run(proto, **inputs)
    ours = penguins.predict(table)
    assert ours.probabilities is not None
    np.testing.assert_allclose(found["probabilities"], ours.probabilities, rtol=0, atol=small(penguins))
    clear = np.sort(ours.probabilities, axis=1)
    clear = clear[:, -1] - clear[:, -2] > 2 * small(penguins)
    assert clear.mean() > 0.99
    assert found["prediction"][clear].tolist() == np.array(ours.values.to_pylist())[clear].tolist()
    assert json.loads(metadata(proto)["classes"]) == ["Adelie", "Chinstrap", "Gentoo"]


def test_missing_and_unknown_cells_count_as_they_do_with_us(penguins: rs.TableModel) -> None:
    table = pa.table(
        {
            "island": ["Torgersen", "Atlantis", None],
            "bill_length_mm": [39.1, None, 1e6],  # beyond the limit
            "bill_depth_mm": [None, 18.0, -1e6],
            "flipper_length_mm": [181.0, 200.0, None],
            "body_mass_g": [3750.0, None, None],
            "sex": ["male", None, "unknown"],
            "year": [2007.0, 2010.0, None],
        }
    )
    found = run(checked(penguins), **cells(penguins, table))
    ours = penguins.predict(table)
    np.testing.assert_allclose(found["probabilities"], ours.probabilities, rtol=0, atol=small(penguins))
    assert found["prediction"].tolist() == ours.values.to_pylist()


def test_empty_text_and_missing_text_are_the_same_everywhere() -> None:
    random = np.random.default_rng(0)
    town = random.choice(["Rome", "Oslo", ""], 90).astype(object)
    y = np.where(town == "", "none", town)
    for gap in ("", None, np.nan):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame({"town": np.where(town == "", gap, town), "x": random.normal(size=90), "y": y})
        model = rs.TableModel.train(frame, "y", preset="fast", epochs=20, seed=0)
        (column,) = (d for d in model.columns if d.name == "town")
        assert (column.levels, column.missing) == (("Oslo", "Rome"), True)  # type: ignore[attr-defined]
        rows = [model.predict(pa.table({"town": ["Rome", cell], "x": [0.0, 0.0]})) for cell in ("", None)]
        found = run(checked(model), town=np.array([["Rome"], [""]], object), x=np.zeros((2, 1)))
        for ours in rows:
            np.testing.assert_allclose(found["probabilities"], ours.probabilities, rtol=0, atol=small(model))
            assert ours.values.to_pylist() == found["prediction"].tolist() == ["Rome", "none"]


def test_a_level_of_empty_text_in_an_older_model_is_what_a_missing_cell_is() -> None:
    table = pa.table({"town": ["Rome", "Oslo", "gap"] * 20, "y": ["a", "b", "c"] * 20})
    model = rs.TableModel.train(table, "y", preset="fast", epochs=20, seed=0)
    description = model.describe()
    description["columns"][0]["levels"] = ["", "Oslo", "Rome"]  # as releases before had it, for "gap"
    older = table_file.from_description(description, model.network.tensors())
    predictions = [older.predict(pa.table({"town": pa.array([cell], pa.string())})) for cell in ("", None)]
    found = run(checked(older), town=np.array([[""]], object))["probabilities"]
    for ours in predictions:
        np.testing.assert_allclose(found, ours.probabilities, rtol=0, atol=small(model))
    # The places of the levels were those of Oslo, Rome and gap, in this order.
    np.testing.assert_array_equal(
        predictions[0].probabilities, model.predict(pa.table({"town": ["Oslo"]})).probabilities
    )


@pytest.fixture(scope="module")
def visits() -> pa.Table:
    """Every kind of column, with cells missing in each, rare levels, and dates before and after 1970."""
    random = np.random.default_rng(0)
    n = 400
    when = [datetime.datetime(1890, 1, 1) + datetime.timedelta(hours=float(h)) for h in random.uniform(0, 2e6, n)]
    ends = [(1900, 2, 28), (1900, 3, 1), (2000, 2, 29), (2000, 12, 31), (2004, 12, 31), (2005, 1, 1), (1969, 12, 31)]
    when[: len(ends)] = [datetime.datetime(*end) for end in ends]
    town = random.choice(["Rome", "Oslo", "Zürich", "\U0001f600"], n).tolist()
    town[7:12] = [f"rare {i}" for i in range(5)]
    open_ = random.choice([True, False], n).tolist()
    size = (random.normal(size=n) * 1e3 + 1e6).tolist()
    y = [s - 1e6 + 500 * o + 300 * (w.month > 6) for s, o, w in zip(size, open_, when, strict=True)]
    gap = lambda values, k: [None if i % k == 3 else value for i, value in enumerate(values)]  # noqa: E731
    return pa.table(
        {
            "when": pa.array(gap(when, 17), pa.timestamp("us")),
            "town": gap(town, 13),
            "open": gap(open_, 11),
            "prediction": gap(size, 19),  # a name that the graph has a use for
            "y": y,
        }
    )


@pytest.mark.filterwarnings("ignore:An input cannot have the name")
def test_dates_booleans_and_rare_levels_give_a_quantity_in_its_own_unit(visits: pa.Table, tmp_path: Path) -> None:
    model = rs.TableModel.train(visits, "y", preset="fast", epochs=15, seed=0)
    assert {d.kind for d in model.columns} == {"date", "category", "boolean", "number"}
    assert next(d for d in model.columns if d.kind == "date").cycles == ("year", "week", "day")  # type: ignore[attr-defined]
    assert next(d for d in model.columns if d.kind == "category").other  # type: ignore[attr-defined]
    with pytest.warns(UserWarning, match=r"'prediction \(input\)' for 'prediction'"):
        model.to_onnx(tmp_path / "visits.onnx")
    proto = onnx.load(tmp_path / "visits.onnx")
    onnx.checker.check_model(proto, full_check=True)
    told = {entry["name"]: entry["input"] for entry in json.loads(metadata(proto)["inputs"])}
    assert told == {"when": "when", "town": "town", "open": "open", "prediction": "prediction (input)"}
    inputs = cells(model, visits)
    assert set(inputs) == {"when", "town", "open", "prediction (input)"}
    assert all(column.dtype in (np.float64, object) for column in inputs.values())
    found = run(proto, **inputs)["prediction"]
    ours = np.array(model.predict(visits).values.to_pylist())
    np.testing.assert_allclose(found, ours, rtol=0, atol=small(model) * model.target.scale)  # type: ignore[union-attr]
    for settings in ({"dtype": "float64"}, {"opset": 13}, {"opset": 22, "dtype": "float64"}):
        found = run(checked(model, **settings), **inputs)["prediction"]
        np.testing.assert_allclose(found, ours, rtol=0, atol=small(model) * model.target.scale)  # type: ignore[union-attr]


def test_the_day_of_the_year_is_the_calendar_s() -> None:
    from onnx import TensorProto, helper

    first = datetime.date(1599, 12, 25)
    days = [first + datetime.timedelta(days=n) for n in range(0, 366 * 850, 5)]
    ends = [datetime.date(y, m, d) for y in range(1600, 2410) for m, d in ((1, 1), (2, 28), (3, 1), (12, 31))]
    g = Graph(np.dtype(np.float64), taken=("whole", "day"))
    g("Identity", onnx_columns._day_of_year(g, "whole"), name="day")
    tensors = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", 1]) for name in ("whole", "day")]
    graph = helper.make_graph(g.nodes, "calendar", tensors[:1], tensors[1:], initializer=g.weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    whole = np.array([[(day - datetime.date(1970, 1, 1)).days] for day in days + ends], np.float64)
    expected = [day.timetuple().tm_yday - 1 for day in days + ends]
    assert run(proto, whole=whole)["day"][:, 0].tolist() == expected


@pytest.mark.parametrize(("dtype", "opset"), [("float32", 17), ("float64", 17), ("float32", 13), ("float64", 22)])
def test_columns_of_every_kind_are_encoded_as_in_python(dtype: str, opset: int) -> None:
    from onnx import helper

    proto = checked(every_column.model(), dtype=dtype, opset=opset)
    told = {entry["name"]: entry["cells"] for entry in json.loads(metadata(proto)["inputs"])}
    assert told["at"] == "the part of the day that is over, NaN where it is missing"
    assert told["when"] == "days since 1970-01-01, NaN where it is missing"
    (X,) = (node.output[0] for node in proto.graph.node if node.op_type == "Concat")
    proto.graph.output.append(helper.make_tensor_value_info(X, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), None))
    inputs = {}
    for d in every_column.COLUMNS:
        column = every_column.ROWS[d.name]
        if d.kind == "category":
            inputs[d.name] = np.array([cell or "" for cell in column], object)[:, None]
        elif d.kind == "date":
            inputs[d.name] = np.array([every_column.days(cell) for cell in column])[:, None]
        else:
            inputs[d.name] = np.array(column, np.float64)[:, None]
    expected = every_column.encoded()
    # Python's are rounded to float32; ours are double here, or rounded too, maybe to the neighbour.
    circular = np.array([" of time of " in feature for feature in every_column.FEATURES])
    eps = float(np.finfo(np.float32).eps)
    found = run(proto, **inputs)[X]
    assert found.dtype == dtype
    np.testing.assert_allclose(found[:, ~circular], expected[:, ~circular], rtol=eps, atol=1e-44)
    np.testing.assert_allclose(found[:, circular], expected[:, circular], rtol=0, atol=eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_asinh_has_all_the_digits_of_float_wherever_it_is_taken(dtype: Any) -> None:
    from mpmath import mp
    from onnx import TensorProto, helper

    g = Graph(np.dtype(np.float64), taken=("z", "a"))
    g("Identity", onnx_columns._asinh(g, "z"), name="a")
    tensors = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N"]) for name in ("z", "a")]
    graph = helper.make_graph(g.nodes, "asinh", tensors[:1], tensors[1:], initializer=g.weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    size = np.concatenate([10.0 ** np.linspace(-300, 150, 1500), 10.0 ** np.linspace(-6, -4, 500)])
    z = np.concatenate([size, -size, [0.0]])
    found = run(proto, z=z)["a"].astype(dtype).astype(np.float64)
    exact = np.array([float(mp.asinh(mp.mpf(x))) for x in z])
    bound, least = (1e-10 + 2**-24, float(np.finfo(np.float32).tiny)) if dtype == np.float32 else (1e-10, 0.0)
    assert (abs(found - exact) <= bound * abs(exact) + least).all()


@pytest.mark.parametrize("kind", ["integer", "boolean", "text"])
def test_the_classes_of_a_table_come_back_as_they_were(kind: str) -> None:
    x = np.linspace(0, 1, 60)
    y = {"integer": [3, 8], "boolean": [False, True], "text": ["nein", "ja"]}[kind]
    table = pa.table({"x": x, "y": [y[int(v > 0.5)] for v in x]})
    model = rs.TableModel.train(table, "y", preset="fast", epochs=30, learning_rate=0.01, seed=0)
    found = run(checked(model), x=x.reshape(-1, 1))["prediction"]
    assert found.tolist() == model.predict(table).values.to_pylist()
    assert set(found.tolist()) == set(y)
