"""Networks trained elsewhere run here with equal outputs, or are refused with the place and the way out."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.neural_network
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler

import reseau as rs
from reseau.activations import ACTIVATIONS
from reseau.importing.chain import PROBE, recognise

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:__array__ implementation:DeprecationWarning",  # of Keras on JAX
)
DTYPES = ["float32", "float64"]


# --- what is recognised -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_activation_is_recognised_from_its_values_in_either_precision(name: str, dtype: str) -> None:
    with np.errstate(over="ignore"):
        assert recognise(ACTIVATIONS[name].value(PROBE.astype(dtype))) == name


@pytest.mark.parametrize(
    "function",
    [
        lambda z: np.where(z > 0, z, 0.0101 * z),
        lambda z: np.clip(z, 0, 6),
        lambda z: np.clip(0.2 * z + 0.5, 0, 1),
        lambda z: np.where(z > 0, z, 0.99 * np.expm1(np.minimum(z, 0))),
        lambda z: z + 1e-4,
        lambda z: z[::-1],
        lambda z: np.cumsum(np.abs(z), axis=1),
        lambda z: np.exp(z) / np.exp(z).sum(axis=0),
        lambda z: z[:, :2],
        lambda z: np.full_like(z, np.nan),
        lambda z: np.zeros_like(z),
    ],
)
def test_what_is_nearly_an_activation_is_none(function: Callable[[Array], Array]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert recognise(function(PROBE)) is None


# --- ONNX -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helper() -> Any:
    return pytest.importorskip("onnx").helper


def graph(
    nodes: list[tuple[Any, ...]],
    constants: dict[str, Any],
    *,
    shape: tuple[Any, ...] = ("N", 3),
    opset: int = 17,
    outputs: tuple[str, ...] = ("O",),
    dtype: str = "float32",
) -> Any:
    """A model of nodes (operator, inputs, output, attributes...), checked by onnx; text separates inputs by spaces."""
    onnx = pytest.importorskip("onnx")
    code = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    made = [
        onnx.helper.make_node(operator, inputs.split(), output.split(), **(attributes[0] if attributes else {}))
        for operator, inputs, output, *attributes in nodes
    ]
    weights = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(
            made,
            "g",
            [onnx.helper.make_tensor_value_info("X", code, shape)],
            [onnx.helper.make_tensor_value_info(name, code, ("N", "n")) for name in outputs],
            initializer=weights,
        ),
        opset_imports=[onnx.helper.make_opsetid("", opset)],
        ir_version=8,
    )
    onnx.checker.check_model(proto)
    return proto


def drawn(*shape: int, dtype: str = "float32") -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


W, b, V = drawn(3, 4), drawn(4), drawn(4, 2)
c = np.float32  # a constant, as exporters write them


def assert_runs_alike(proto: Any, net: rs.Network, X: Array | None = None, output: str = "O") -> None:
    """Compare with onnxruntime; the products here have at most some twenty terms of order 1."""
    runtime = pytest.importorskip("onnxruntime")
    X = drawn(20, 3, dtype=net.dtype.name) * 3 if X is None else X
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (theirs,) = session.run([output], {session.get_inputs()[0].name: X})
    np.testing.assert_allclose(
        net(X.reshape(len(X), -1)),
        theirs,
        rtol=100 * np.finfo(net.dtype).eps,
        atol=100 * np.finfo(net.dtype).eps,
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_was_written_is_read_back_with_the_same_weights(name: str, dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    for bias in (True, False):
        layers = [rs.Dense(5, name, bias=bias), rs.Dense(3, name, bias=not bias)]
        net = rs.Network(*layers, loss="absolute_error", inputs=4, dtype=dtype, seed=1)
        net.to_onnx(tmp_path / "net.onnx")
        again = rs.from_onnx(tmp_path / "net.onnx")
        assert [layer.description for layer in again.layers] == layers
        assert again.loss == "absolute_error"
        assert again.dtype == net.dtype
        np.testing.assert_array_equal(again.parameters, net.parameters)


GELU_BY_ERF = [("Div", "z r", "a"), ("Erf", "a", "e"), ("Add", "e one", "p"), ("Mul", "z p", "q"), ("Mul", "q h", "A")]
GELU_BY_TANH = [
    *(("Pow", "z three", "z3"), ("Mul", "z3 k", "kz3"), ("Add", "z kz3", "s"), ("Mul", "s slope", "u")),
    *(("Tanh", "u", "t"), ("Add", "one t", "p"), ("Mul", "z h", "hz"), ("Mul", "hz p", "A")),
]
NUMBERS = {
    "r": c(np.sqrt(2)),
    "one": c(1),
    "h": c(0.5),
    "three": c(3),
    "k": c(0.044715),
    "slope": c(np.sqrt(2 / np.pi)),
    "zero": c(0),
    "six": c(6),
}


@pytest.mark.parametrize(
    ("name", "nodes", "opset"),
    [
        ("gelu", GELU_BY_ERF, 17),
        ("gelu", [("Gelu", "z", "A")], 20),
        ("gelu_tanh", GELU_BY_TANH, 17),
        ("gelu_tanh", [("Gelu", "z", "A", {"approximate": "tanh"})], 20),
        ("silu", [("Sigmoid", "z", "s"), ("Mul", "z s", "A")], 17),
        ("mish", [("Softplus", "z", "s"), ("Tanh", "s", "t"), ("Mul", "z t", "A")], 17),
        ("mish", [("Mish", "z", "A")], 18),
        ("softplus", [("Exp", "z", "e"), ("Add", "e one", "p"), ("Log", "p", "A")], 17),
        ("softsign", [("Abs", "z", "a"), ("Add", "one a", "p"), ("Div", "z p", "A")], 17),
        ("leaky_relu", [("LeakyRelu", "z", "A")], 17),
        ("leaky_relu", [("PRelu", "z slopes", "A")], 17),
        ("elu", [("Elu", "z", "A")], 17),
        ("elu", [("Celu", "z", "A")], 17),
        ("selu", [("Selu", "z", "A")], 17),
        ("relu", [("Max", "z zero", "A")], 17),
        ("relu", [("Greater", "z zero", "g"), ("Where", "g z zero", "A")], 17),
        ("hard_sigmoid", [("HardSigmoid", "z", "A", {"alpha": 1 / 6})], 17),
        ("hard_sigmoid", [("Add", "z three", "p"), ("Clip", "p zero six", "q"), ("Div", "q six", "A")], 17),
        ("hard_swish", [("HardSwish", "z", "A")], 17),
        (
            "hard_swish",
            [("Add", "z three", "p"), ("Clip", "p zero six", "q"), ("Div", "q six", "g"), ("Mul", "z g", "A")],
            17,
        ),
        ("identity", [("Identity", "z", "A")], 17),
        ("softmax", [("Softmax", "z", "A", {"axis": 1})], 17),
        ("softmax", [("Softmax", "z", "A")], 11),
        (
            "softmax",
            [
                *(("ReduceMax", "z", "m", {"axes": [-1]}), ("Sub", "z m", "s"), ("Exp", "s", "e")),
                *(("ReduceSum", "e axis", "t"), ("Div", "e t", "A")),
            ],
            17,
        ),
        ("log_softmax", [("LogSoftmax", "z", "A")], 17),
    ],
)
def test_activations_are_known_in_the_forms_that_exporters_write(name: str, nodes: list[Any], opset: int) -> None:
    constants = NUMBERS | {"W": W, "b": b, "V": V, "axis": np.array([-1]), "slopes": np.full(4, 0.01, np.float32)}
    used = {word for _, inputs, *_ in nodes for word in inputs.split()} | {"W", "b", "V"}
    constants = {key: value for key, value in constants.items() if key in used}
    proto = graph([("Gemm", "X W b", "z"), *nodes, ("MatMul", "A V", "O")], constants, opset=opset)
    net = rs.from_onnx(proto)
    assert [layer.description for layer in net.layers] == [
        rs.Dense(4, name),
        rs.Dense(2, "identity", bias=False),
    ]
    assert_runs_alike(proto, net)


@pytest.mark.parametrize(
    "nodes",
    [
        [("Gemm", "X W b", "O")],
        [("Gemm", "X Wt b", "O", {"transB": 1, "alpha": 0.5, "beta": 2.0})],
        [("Gemm", "X W row", "O")],
        [("Gemm", "X W one", "O")],
        [("MatMul", "X W", "p"), ("Add", "p b", "O")],
        [("MatMul", "X W", "p"), ("Add", "row p", "O")],
        [("MatMul", "X W", "p"), ("Sub", "p b", "O")],
        [("Gemm", "X W b", "p"), ("Add", "p b", "O")],
        [("Transpose", "Wt", "T"), ("MatMul", "X T", "p"), ("Add", "p b", "O")],
        [("Constant", "", "k", {"value_floats": [1.0, 2, 3, 4]}), ("MatMul", "X W", "p"), ("Add", "p k", "O")],
    ],
)
def test_weights_and_biases_are_found_wherever_they_are(nodes: list[Any]) -> None:
    values = {"W": W, "Wt": W.T.copy(), "b": b, "row": b.reshape(1, 4), "one": np.array([2], np.float32)}
    used = {word for _, inputs, *_ in nodes for word in inputs.split()}
    proto = graph(nodes, {key: value for key, value in values.items() if key in used})
    net = rs.from_onnx(proto)
    assert len(net.layers) == 1
    assert net.layers[0].b is not None
    assert_runs_alike(proto, net)


def test_a_single_neuron_s_bias_is_one_number() -> None:
    w = drawn(3, 1)
    for shape in ((1,), (1, 1)):
        nodes = [("MatMul", "X w", "p"), ("Add", "p k", "z"), ("Sigmoid", "z", "O")]
        proto = graph(nodes, {"w": w, "k": np.full(shape, 0.3, np.float32)})
        net = rs.from_onnx(proto)
        assert str(net).startswith("Network(Dense(1, 'sigmoid'), loss='binary_cross_entropy'")
        assert_runs_alike(proto, net)


def test_what_changes_nothing_is_passed_over() -> None:
    nodes = [
        *(("Flatten", "X", "f"), ("Cast", "f", "g", {"to": 1}), ("Gemm", "g W b", "z"), ("Relu", "z", "A")),
        *(("Dropout", "A", "B"), ("Reshape", "B shape", "C"), ("Identity", "C", "D"), ("MatMul", "D V", "O")),
    ]
    constants = {"W": drawn(6, 4), "b": b, "V": V, "shape": np.array([-1, 4])}
    proto = graph(nodes, constants, shape=("N", 2, 3))
    net = rs.from_onnx(proto)
    assert net.architecture.widths == (6, 4, 2)
    assert_runs_alike(proto, net, X=drawn(9, 2, 3))


def test_double_precision_stays_and_the_loss_can_be_chosen(helper: Any) -> None:
    w = W.astype(np.float64)
    proto = graph([("MatMul", "X W", "z"), ("Softmax", "z", "O")], {"W": w}, dtype="float64")
    assert rs.from_onnx(proto).dtype == np.float64
    assert rs.from_onnx(proto).loss == "cross_entropy"
    assert rs.from_onnx(proto, loss="squared_error").loss == "squared_error"
    with pytest.raises(rs.ParameterError, match="loss is 'no'"):
        rs.from_onnx(proto, loss="no")
    assert_runs_alike(proto, rs.from_onnx(proto))


def test_of_several_outputs_one_is_chosen() -> None:
    nodes = [("MatMul", "X W", "z"), ("Softmax", "z", "P"), ("ArgMax", "z", "label", {"axis": 1})]
    proto = graph(nodes, {"W": W}, outputs=("P", "z"))
    with pytest.raises(rs.ModelFileError, match="several outputs; choose one of them with output=: 'P', 'z'"):
        rs.from_onnx(proto)
    with pytest.raises(rs.ModelFileError, match="output is 'Q'"):
        rs.from_onnx(proto, output="Q")
    assert_runs_alike(proto, rs.from_onnx(proto, output="P"), output="P")
    assert rs.from_onnx(proto, output="z").layers[0].description.activation == "identity"


GEMM = ("Gemm", "X W b", "z")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [GEMM, ("LeakyRelu", "z", "O", {"alpha": 0.2})],
            r"node 2 \(LeakyRelu\) with alpha=0.2, after layer 1 of .* none",
        ),
        ([GEMM, ("Clip", "z zero six", "O")], r"node 2 \(Clip\), after layer 1"),
        ([GEMM, ("HardSigmoid", "z", "O")], r"node 2 \(HardSigmoid\), after layer 1"),
        ([GEMM, ("Relu", "z", "A"), ("Add", "A z", "O")], r"node 2 \(Relu\), then node 3 \(Add\), after layer 1"),
        ([GEMM, ("Gemm", "z U", "y"), ("Add", "y z", "O")], r"node 3 \(Add\) joins the outputs of different layers"),
        ([GEMM, ("Gemm", "z U", "y"), ("Gemm", "z U", "v"), ("Add", "v y", "O")], r"node 3 \(Gemm\) takes an output"),
        ([GEMM, ("Mul", "z b", "O")], r"node 2 \(Mul\) has different constants for the neurons"),
        ([("Sub", "X mean", "x"), ("Gemm", "x W b", "O")], r"node 1 \(Sub\) has different constants"),
        (
            [("Tanh", "X", "x"), ("Gemm", "x W b", "O")],
            r"node 1 \(Tanh\), before the first layer of .* changes the inputs",
        ),
        ([("Relu", "X", "O")], "has no dense layer"),
        ([GEMM, ("LayerNormalization", "z b", "O")], r"node 2 \(LayerNormalization\) is an operator that is no part"),
        ([GEMM, ("Softmax", "z", "O", {"axis": 0})], r"node 2 \(Softmax\) .* axis is 0"),
        ([GEMM, ("Transpose", "z", "O")], r"node 2 \(Transpose\)"),
        ([("Transpose", "X", "x"), ("Gemm", "x W b", "O", {"transA": 1})], r"node 1 \(Transpose\)"),
        ([("Gemm", "X W b", "O", {"transA": 1})], "transposes its inputs"),
        ([("MatMul", "left X", "O")], r"node 1 \(MatMul\) is not a product of the layer before with constant weights"),
        ([GEMM, ("Cast", "z", "O", {"to": 10})], r"node 2 \(Cast\) converts to a type"),
        ([GEMM, ("Reshape", "z shape", "O")], r"node 2 \(Reshape\) makes other rows"),
        ([GEMM, ("Flatten", "z", "O", {"axis": 0})], r"node 2 \(Flatten\) joins rows"),
        ([GEMM, ("Dropout", "z h yes", "O")], r"node 2 \(Dropout\) drops in training mode"),
        ([GEMM, ("Identity", "b", "O")], "does not depend on the input"),
        ([("Gemm", "X W h64", "O")], "holds float64 where the first layer holds float32"),
        ([("Gemm", "X W b", "z"), ("Gemm", "z W", "O")], "takes 3 inputs, but the layer before gives 4"),
    ],
)
def test_what_is_no_chain_of_dense_layers_is_refused_by_its_node(nodes: list[Any], message: str) -> None:
    values: dict[str, Any] = NUMBERS | {
        "W": W,
        "b": b,
        "U": drawn(4, 4),
        "mean": drawn(3),
        "left": drawn(2, 2),
        "yes": np.array(True),
        "shape": np.array([-1, 2]),
        "h64": b.astype(np.float64),
    }
    used = {word for _, inputs, *_ in nodes for word in inputs.split()}
    proto = graph(nodes, {key: value for key, value in values.items() if key in used})
    with pytest.raises(rs.ModelFileError, match=message):
        rs.from_onnx(proto)


def test_a_bias_on_one_of_two_ways_is_not_put_on_both() -> None:
    nodes = [("MatMul", "X W", "p"), ("Identity", "p", "i"), ("Add", "i b", "z"), ("Add", "z p", "O")]
    with pytest.raises(rs.ModelFileError, match=r"node 4 \(Add\) joins"):
        rs.from_onnx(graph(nodes, {"W": W, "b": b}))


def test_half_precision_says_what_to_do() -> None:
    proto = graph([("MatMul", "X W", "O")], {"W": W.astype(np.float16)}, dtype="float16")
    with pytest.raises(rs.ModelFileError, match="holds float16, but Réseau computes in float32 or float64"):
        rs.from_onnx(proto)


def test_images_must_be_flattened_in_the_graph() -> None:
    with pytest.raises(rs.ModelFileError, match="inputs with 3 axes; flatten"):
        rs.from_onnx(graph([("MatMul", "X W", "O")], {"W": W}, shape=("N", 2, 3)))
    nodes = [("Reshape", "X shape", "x"), ("MatMul", "x W", "O")]
    with pytest.raises(rs.ModelFileError, match=r"\(Reshape\) makes other rows"):
        rs.from_onnx(graph(nodes, {"W": W, "shape": np.array([-1, 3])}, shape=("N", 2, 3)))


def test_other_domains_and_several_inputs_are_refused(helper: Any) -> None:
    proto = graph([GEMM, ("Relu", "z", "O")], {"W": W, "b": b})
    proto.graph.node[1].domain = "com.microsoft"
    with pytest.raises(rs.ModelFileError, match=r"an operator of com\.microsoft"):
        rs.from_onnx(proto)
    proto.graph.input.append(helper.make_tensor_value_info("Y", 1, ["N", 1]))
    with pytest.raises(rs.ModelFileError, match=r"2 inputs \('X', 'Y'\)"):
        rs.from_onnx(proto)


def test_weights_in_another_file_are_refused_and_not_opened(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "big.onnx"
    proto = graph([("MatMul", "X W", "O")], {"W": drawn(3, 400)})
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(rs.ModelFileError, match="'W' in another file"):
        rs.from_onnx(path)


def test_a_file_that_is_none_says_so(tmp_path: Path, helper: Any) -> None:
    with pytest.raises(FileNotFoundError, match="no ONNX file"):
        rs.from_onnx(tmp_path / "none.onnx")
    with pytest.raises(rs.ModelFileError, match="is a folder"):
        rs.from_onnx(tmp_path)
    for content in (b"", b"not a model", b"\x00" * 100):
        (tmp_path / "odd.onnx").write_bytes(content)
        with pytest.raises(rs.ModelFileError, match=r"odd\.onnx"):
            rs.from_onnx(tmp_path / "odd.onnx")


def test_a_damaged_file_is_refused_wherever_it_is_cut(tmp_path: Path, helper: Any) -> None:
    path = tmp_path / "net.onnx"
    rs.Network(rs.Dense(2, "gelu"), rs.Dense(1, "sigmoid"), inputs=2, seed=0).to_onnx(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(rs.ModelFileError):
            rs.from_onnx(path)


def test_small_constants_cannot_be_made_into_huge_ones() -> None:
    long = np.ones((1 << 20, 1), np.float32)
    nodes = [("Add", "long wide", "W"), ("MatMul", "X W", "O")]
    with pytest.raises(rs.ModelFileError, match="a larger constant of smaller ones"):
        rs.from_onnx(graph(nodes, {"long": long, "wide": long.T.copy()}))


# --- scikit-learn -----------------------------------------------------------------------------------------------------

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
    assert ours.get_params() == theirs.get_params()
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


# --- PyTorch ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


TORCH_FORMS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda nn: nn.Identity(),
    "sigmoid": lambda nn: nn.Sigmoid(),
    "tanh": lambda nn: nn.Tanh(),
    "softmax": lambda nn: nn.Softmax(dim=-1),
    "log_softmax": lambda nn: nn.LogSoftmax(dim=1),
    "relu": lambda nn: nn.ReLU(),
    "leaky_relu": lambda nn: nn.LeakyReLU(),
    "elu": lambda nn: nn.ELU(),
    "selu": lambda nn: nn.SELU(),
    "gelu": lambda nn: nn.GELU(),
    "gelu_tanh": lambda nn: nn.GELU(approximate="tanh"),
    "silu": lambda nn: nn.SiLU(),
    "mish": lambda nn: nn.Mish(),
    "softplus": lambda nn: nn.Softplus(),
    "softsign": lambda nn: nn.Softsign(),
    "hard_sigmoid": lambda nn: nn.Hardsigmoid(),
    "hard_swish": lambda nn: nn.Hardswish(),
}


def torch_outputs(torch: Any, module: Any, X: Array) -> Array:
    with torch.no_grad():
        return np.asarray(module.eval()(torch.from_numpy(X)).numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TORCH_FORMS)
def test_a_sequential_module_gives_the_same_outputs_here(name: str, dtype: str, torch: Any) -> None:
    nn = torch.nn
    activation = TORCH_FORMS[name](nn)
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Flatten(), nn.Linear(6, 8), activation, nn.Dropout(0.3)),
        nn.Sequential(nn.Linear(8, 5, bias=False), activation, nn.Identity()),
        *(nn.Linear(5, 3), activation),
    ).to(getattr(torch, dtype))
    net = rs.from_torch(module)
    assert [layer.description for layer in net.layers] == [
        rs.Dense(8, name),
        rs.Dense(5, name, bias=False),
        rs.Dense(3, name),
    ]
    X = drawn(20, 2, 3, dtype=dtype)
    np.testing.assert_allclose(
        net(X.reshape(20, 6)), torch_outputs(torch, module, X), rtol=0, atol=100 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize(
    ("output", "loss"),
    [
        (lambda nn: nn.Softmax(-1), "cross_entropy"),
        (lambda nn: nn.Sigmoid(), "binary_cross_entropy"),
        (lambda nn: nn.Identity(), "squared_error"),
        (lambda nn: nn.Tanh(), "squared_error"),
    ],
)
def test_the_loss_is_the_one_that_suits_the_output(output: Callable[[Any], Any], loss: str, torch: Any) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), output(torch.nn))
    assert rs.from_torch(module).loss == loss
    assert rs.from_torch(module, loss="huber").loss == "huber"


def test_a_module_shares_nothing_with_the_network(torch: Any) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 1))
    net = rs.from_torch(module)
    before = net.parameters.copy()
    with torch.no_grad():
        module[0].weight.zero_()
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2)),
            r"layer 1: LeakyReLU\(negative_slope=0.2\), after layer 1",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.ReLU6()), r"layer 1: ReLU6\(\)"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=0)), r"layer 1: Softmax\(dim=0\)"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.PReLU()), "layer 1: PReLU.* is no part"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), "layer 1: BatchNorm1d.* is no part"),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Conv1d(1, 1, 1))),
            "layer 1.0: Conv1d.* is no part",
        ),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3, elementwise_affine=False)),
            "layer 1: LayerNorm.* is no part",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), "takes 2 inputs, but the layer before gives 3"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3)).half(), r"torch.float16; convert it first: module.float\(\)"),
        (lambda nn: nn.Sequential(nn.LazyLinear(3)), "no weights yet"),
        (lambda nn: nn.Sequential(nn.Flatten(0), nn.Linear(2, 3)), "joins rows"),
        (
            lambda nn: nn.Sequential(nn.Tanh(), nn.Linear(2, 3)),
            "layer 0: Tanh.*before the first layer.* changes the inputs",
        ),
        (lambda nn: nn.Sequential(nn.ReLU()), "before the first layer|has no dense layer"),
        (lambda nn: nn.Sequential(), "has no dense layer"),
        (lambda nn: nn.Linear(2, 3).state_dict(), "a state_dict, which knows nothing of activations"),
        (lambda nn: 3, "module is int, but must be a torch.nn.Module"),
    ],
)
def test_other_modules_are_refused_by_their_layer(made: Callable[[Any], Any], message: str, torch: Any) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_torch(made(torch.nn))


def test_modules_that_may_do_anything_are_refused(torch: Any) -> None:
    class Own(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(rs.ParameterError, match=r"the module: Own.* is no part"):
        rs.from_torch(Own())
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    module[0].register_forward_hook(lambda *_: None)
    with pytest.raises(rs.ParameterError, match=r"layer 0: Linear.* has hooks"):
        rs.from_torch(module)


def test_without_torch_nothing_is_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(rs.ParameterError, match="module is a state_dict"):
        rs.from_torch({})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_s_own_export_is_read_too(torch: Any, tmp_path: Path) -> None:
    nn = torch.nn
    module = nn.Sequential(
        *(nn.Linear(3, 8), nn.GELU(), nn.Dropout(0.1), nn.Linear(8, 6), nn.SiLU(), nn.Linear(6, 5), nn.Mish()),
        *(nn.Linear(5, 5), nn.Hardswish(), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 2), nn.Softmax(dim=-1)),
    ).eval()
    path = tmp_path / "module.onnx"
    # The exporter that needs no further package.
    torch.onnx.export(module, (torch.zeros(1, 3),), path, dynamo=False, input_names=["X"], dynamic_axes={"X": {0: "N"}})
    net = rs.from_onnx(path)
    np.testing.assert_array_equal(net.parameters, rs.from_torch(module).parameters)
    X = drawn(20, 3)
    np.testing.assert_allclose(net(X), torch_outputs(torch, module, X), rtol=0, atol=1e-6)


# --- Keras ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("jax") is not None and importlib.util.find_spec("tensorflow") is None:
            patch.setenv("KERAS_BACKEND", "jax")
        return pytest.importorskip("keras")


KERAS_NAMES = {"linear": "identity", "hard_silu": "hard_swish"} | {
    name: name
    for name in (
        *("sigmoid", "tanh", "softmax", "log_softmax", "relu", "elu", "selu", "gelu", "silu", "mish", "softplus"),
        *("softsign", "hard_sigmoid", "exponential"),
    )
}


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_a_keras_model_gives_the_same_outputs_here(name: str, keras: Any) -> None:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            *(keras.Input((2, 3)), layers.Flatten(), layers.Dense(8, name), layers.Dropout(0.3)),
            keras.Sequential([keras.Input((8,)), layers.Dense(5, use_bias=False), layers.Activation(name)]),
            layers.Dense(3, activation=name),
        ]
    )
    for layer in (model.layers[1], model.layers[-1]):
        layer.bias.assign(drawn(*layer.bias.shape))
    net = rs.from_keras(model)
    ours = KERAS_NAMES[name]
    assert [layer.description for layer in net.layers] == [
        rs.Dense(8, ours),
        rs.Dense(5, ours, bias=False),
        rs.Dense(3, ours),
    ]
    X = drawn(20, 2, 3)
    theirs = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(net(X.reshape(20, 6)), theirs, rtol=2e-5, atol=2e-6)


def test_a_functional_chain_and_layers_of_activations_are_read(keras: Any) -> None:
    layers = keras.layers
    inputs = x = keras.Input((4,))
    for layer in (
        *(layers.Dense(6), layers.LeakyReLU(negative_slope=0.01), layers.Dense(5), layers.ReLU(), layers.Dense(5)),
        *(layers.ELU(), layers.Dropout(0.5), layers.Dense(3), layers.Softmax()),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    net = rs.from_keras(model)
    names = [layer.description.activation for layer in net.layers]
    assert names == ["leaky_relu", "relu", "elu", "softmax"]
    assert net.loss == "cross_entropy"
    X = drawn(20, 4)
    np.testing.assert_allclose(net(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda k, l: [k.Input((2,)), l.Dense(3, "relu6")], r"\(Dense\) with activation=relu6, after layer 1"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.LeakyReLU()], r"\(LeakyReLU\) with negative_slope=0.3"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.ReLU(max_value=6)], r"\(ReLU\) with max_value=6"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.BatchNormalization()], r"\(BatchNormalization\) is no part"),
        (lambda k, l: [k.Input((2,)), l.Normalization(), l.Dense(3)], r"\(Normalization\) is no part"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.Lambda(lambda x: x)], r"\(Lambda\) is no part"),
        (lambda k, l: [k.Input((2, 2)), l.Dense(3)], "inputs with 3 axes; flatten them"),
        (lambda k, l: [l.Dense(3)], "has no weights yet"),
        (lambda k, l: [k.Input((2,)), l.Dense(3, dtype="mixed_float16")], "computes in float16"),
    ],
)
def test_other_keras_models_are_refused_by_their_layer(
    made: Callable[[Any, Any], list[Any]], message: str, keras: Any
) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_keras(keras.Sequential(made(keras, keras.layers)))


def test_a_layer_called_twice_is_two_layers_and_one_of_two_models_is_read_as_there(keras: Any) -> None:
    inputs = keras.Input((3,))
    first, second = keras.layers.Dense(3, "tanh"), keras.layers.Dense(3)
    first.build((None, 3))
    first.bias.assign([0.1, 0.2, 0.3])
    X = drawn(20, 3)
    for model, layers in (
        (keras.Model(inputs, second(first(first(inputs)))), 3),
        (keras.Model(inputs, first(second(inputs))), 2),
    ):
        net = rs.from_keras(model)
        assert len(net.layers) == layers
        np.testing.assert_allclose(net(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


def test_a_model_that_learnt_its_inputs_at_the_first_call_is_read(keras: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")])
    X = drawn(20, 3)
    theirs = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(rs.from_keras(model)(X), theirs, rtol=0, atol=1e-6)


def test_keras_models_that_are_no_chain_are_refused(keras: Any) -> None:
    class Own(keras.Model):  # type: ignore[misc, name-defined]
        def call(self, x: Any) -> Any:
            return x

    inputs = keras.Input((3,))
    first, second = keras.layers.Dense(3), keras.layers.Dense(3)
    skipping = keras.Model(inputs, keras.layers.Add()([inputs, second(first(inputs))]))
    own = Own()
    own(np.zeros((1, 3), np.float32))
    for model, message in (
        (skipping, r"\(Add\) does not simply follow layer"),
        (own, "is a model of your own"),
        (3, "of type int, but must be a Keras model"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_keras(model)
