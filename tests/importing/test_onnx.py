"""Graphs of ONNX run here with equal outputs, or are refused by their node."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numerics import drawn
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import reseau as rs
from reseau.checks import DTYPES
from reseau.files import model_file
from reseau.vocabulary.activations import ACTIVATIONS

Array = npt.NDArray[Any]


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


GEMM = ("Gemm", "X W b", "z")
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
        rtol=100 * np.finfo(X.dtype).eps,
        atol=100 * np.finfo(X.dtype).eps,
    )


# Of nodes that no chain of layers has elsewhere; model files keep them.
NOT_READ = ("increasing", "mean_scale")


@pytest.mark.parametrize("name", NOT_READ)
def test_what_ascends_along_a_row_or_has_scales_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    rs.Network(rs.Dense(4, name), inputs=2, seed=0).to_onnx(tmp_path / "net.onnx")
    with pytest.raises(
        rs.ModelFileError, match=r"node \d+ \(.*\) is (an operator that is )?no part of a chain of layers"
    ):
        rs.from_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in NOT_READ])
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


@pytest.mark.parametrize("loss", ["huber", rs.Huber(1.5), rs.Tweedie(1.7), rs.Quantile(0.9)], ids=str)
def test_the_loss_comes_back_with_its_numbers(loss: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), loss=loss, inputs=3, seed=0)
    net.to_onnx(tmp_path / "net.onnx")
    assert rs.from_onnx(tmp_path / "net.onnx").loss == loss


GELU_BY_ERF = [("Div", "z r", "a"), ("Erf", "a", "e"), ("Add", "e one", "p"), ("Mul", "z p", "q"), ("Mul", "q h", "A")]
GELU_BY_ERF_OF_Y = [
    *(("Div", "y r", "a"), ("Erf", "a", "e"), ("Add", "e one", "p"), ("Mul", "y p", "q"), ("Mul", "q half", "O")),
]
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


@pytest.mark.parametrize(("activation", "loss"), [("sigmoid", "binary_cross_entropy"), ("softplus", "squared_error")])
def test_a_loss_that_earlier_releases_wrote_with_outputs_it_does_not_go_with_is_replaced(activation, loss, tmp_path):
    net = rs.Network(rs.Dense(3, activation), inputs=2, seed=0)
    description = {"kind": "network", "network": {**net.describe(), "loss": "cross_entropy"}}
    model_file.write(tmp_path / "old.reseau", description, net.tensors())
    rs.load(tmp_path / "old.reseau").to_onnx(tmp_path / "old.onnx")
    again = rs.from_onnx(tmp_path / "old.onnx")
    assert again.loss == loss
    assert again.parameters.tobytes() == net.parameters.tobytes()
    with pytest.raises(rs.ParameterError, match=f"'{activation}' gives values in"):
        rs.from_onnx(tmp_path / "old.onnx", loss="cross_entropy")


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
        ([GEMM, ("Relu", "z", "a"), ("Gemm", "a U", "y"), ("Add", "y z", "O")], r"node 4 \(Add\) joins the outputs"),
        ([GEMM, ("Gemm", "X W", "y"), ("Add", "y z", "O")], r"node 2 \(Gemm\) takes an output that another layer"),
        ([GEMM, ("Gemm", "z U", "y"), ("Gemm", "z U", "v"), ("Add", "v y", "O")], r"node 3 \(Gemm\) takes an output"),
        ([GEMM, ("Pow", "z b", "O")], r"node 2 \(Pow\) has different constants for the neurons"),
        ([GEMM, ("Mul", "z column", "O")], r"node 2 \(Mul\) has different constants for the neurons"),
        ([GEMM, ("Sub", "z mean", "O")], r"node 2 \(Sub\) is for 3 columns, but takes 4"),
        ([GEMM, ("Relu", "z", "A"), ("Mul", "A b", "O")], r"node 3 \(Mul\) changes what the last activation gives"),
        ([GEMM, ("Relu", "z", "A"), ("Mul", "A b", "B"), ("Tanh", "B", "O")], r"node 4 \(Tanh\) follows .*node 3"),
        ([GEMM, ("Mul", "z b", "A"), ("Add", "A z", "O")], r"node 3 \(Add\) joins the outputs of different layers"),
        ([GEMM, ("Mul", "z b", "A"), ("Gemm", "z U", "B"), ("Add", "B A", "O")], "takes an output that another layer"),
        ([GEMM, ("Relu", "z", "A"), ("Concat", "A z", "O", {"axis": 1})], r"node 3 \(Concat\) joins other columns"),
        ([GEMM, ("Elu", "z", "A", {"alpha": 0.5}), ("Gemm", "A U", "O")], r"node 2 \(Elu\) with alpha=0.5, after la"),
        ([GEMM, ("Add", "z wide", "O")], r"node 2 \(Add\) has a constant of shape \(2, 4\), which makes other rows"),
        (
            [("Tanh", "X", "x"), ("Gemm", "x W b", "O")],
            r"node 1 \(Tanh\), before the first layer of .* changes the inputs",
        ),
        ([("Relu", "X", "O")], "[Tt]here is no layer in"),
        ([GEMM, ("LpNormalization", "z", "O")], r"node 2 \(LpNormalization\) is an operator that is no part"),
        ([GEMM, ("Softmax", "z", "O", {"axis": 0})], r"node 2 \(Softmax\) .* axis is 0"),
        (
            [("MatMul", "X one_column", "z"), ("Softmax", "z", "O")],
            r"Layer 1 of the ONNX model .*Dense\(1, 'softmax'\)",
        ),
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
        "column": drawn(4, 1),
        "one_column": drawn(3, 1),
        "wide": np.ones((2, 4), np.float32),
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


# Of float32, with the products of at most 8 terms of order 1 that stand here.
FOLDED: list[tuple[list[Any], list[rs.Dense]]] = [
    ([("MatMul", "X W", "p"), ("Add", "p half", "z"), ("Relu", "z", "O")], [rs.Dense(4, "relu")]),
    ([("MatMul", "X W", "p"), ("Mul", "p half", "z"), ("Softmax", "z", "O")], [rs.Dense(4, "softmax", bias=False)]),
    ([GEMM, ("Div", "z six", "y"), ("Sub", "half y", "x"), ("Sigmoid", "x", "O")], [rs.Dense(4, "sigmoid")]),
    ([GEMM, ("Mul", "z half", "y"), *GELU_BY_ERF_OF_Y], [rs.Dense(4, "gelu")]),
    ([GEMM, ("Neg", "z", "y"), ("Add", "half y", "O")], [rs.Dense(4, "identity")]),
    ([GEMM, ("Mul", "z k", "y"), ("Add", "y b", "x"), ("Tanh", "x", "O")], [rs.Dense(4, "tanh")]),
    ([GEMM, ("Sub", "b z", "y"), ("Div", "y k", "x"), ("Tanh", "x", "O")], [rs.Dense(4, "tanh")]),
    (
        [GEMM, ("Tanh", "z", "A"), ("Mul", "A six", "B"), ("Sub", "B half", "C"), ("MatMul", "C V", "O")],
        [rs.Dense(4, "tanh"), rs.Dense(2, "identity")],
    ),
    (
        [GEMM, ("Relu", "z", "A"), ("Mul", "k A", "B"), ("Sub", "B b", "C"), ("MatMul", "C V", "O")],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity")],
    ),
    ([("Div", "X six", "x"), ("MatMul", "x W", "O")], [rs.Dense(4, "identity", bias=False)]),
    ([("Sub", "X m", "y"), ("Div", "y s", "x"), ("Gemm", "x W b", "O")], [rs.Dense(4, "identity")]),
    (
        [
            GEMM,
            ("BatchNormalization", "z k b b2 v", "y", {"epsilon": 0.01}),
            ("Relu", "y", "A"),
            ("MatMul", "A V", "O"),
        ],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity", bias=False)],
    ),
    (
        [GEMM, ("Relu", "z", "y"), ("BatchNormalization", "y k b b2 v", "A"), ("MatMul", "A V", "O")],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity")],
    ),
    ([("BatchNormalization", "X s m m s", "x"), ("Gemm", "x W b", "O")], [rs.Dense(4, "identity")]),
    (
        [GEMM, ("Clip", "z zero six", "A"), ("MatMul", "A V", "O")],
        [rs.Dense(4, "hard_sigmoid"), rs.Dense(2, "identity", bias=False)],
    ),
    (
        [GEMM, ("HardSigmoid", "z", "A"), ("MatMul", "A V", "O")],
        [rs.Dense(4, "hard_sigmoid"), rs.Dense(2, "identity", bias=False)],
    ),
    (
        [("MatMul", "X W", "z"), ("LeakyRelu", "z", "A", {"alpha": 0.2}), ("MatMul", "A V", "O")],
        [rs.Dense(8, "relu", bias=False), rs.Dense(2, "identity", bias=False)],
    ),
    (
        [GEMM, ("PRelu", "z k", "A"), ("Mul", "A k", "B"), ("Add", "B b", "C"), ("MatMul", "C V", "O")],
        [rs.Dense(4, "identity"), rs.PReLU(), rs.Dense(2, "identity")],
    ),
    (
        [GEMM, ("PRelu", "z half", "A"), ("MatMul", "A V", "O")],
        [rs.Dense(4, "identity"), rs.PReLU(), rs.Dense(2, "identity", bias=False)],
    ),
]


@pytest.mark.parametrize(
    ("nodes", "layers"),
    FOLDED,
    ids=lambda value: " ".join(str(part[0]) for part in value[:4]) if isinstance(value[0], tuple) else "",
)
def test_what_scales_columns_becomes_part_of_the_layer_beside_it(nodes: list[Any], layers: list[rs.Dense]) -> None:
    values: dict[str, Any] = NUMBERS | {
        "W": W,
        "b": b,
        "V": V,
        "half": c(0.5),
        "k": np.array([2, -1, 0.25, 3], np.float32),
        "b2": drawn(4)[::-1],
        "v": np.array([0.5, 1, 2, 3], np.float32),
        "m": np.array([-3, 1, 4], np.float32),
        "s": np.array([0.5, 2, 1], np.float32),
    }
    used = {word for _, inputs, *_ in nodes for word in inputs.split()}
    proto = graph(nodes, {key: value for key, value in values.items() if key in used})
    net = rs.from_onnx(proto)
    assert [layer.description for layer in net.layers] == layers
    X = drawn(40, 3) * 3
    assert_runs_alike(proto, net, X.astype(np.float32))


FUNCTIONS = (
    "Relu",
    "Sigmoid",
    "Tanh",
    "Softplus",
    "Elu",
    "Softmax",
    "LeakyRelu",
    "HardSigmoid",
    "Neg",
    "Abs",
    "Identity",
)
STEPS = (*FUNCTIONS, "Gemm", "PRelu", "BatchNormalization", "Max", *("Add", "Sub", "Mul", "Div") * 2)


def random_chain(rng: np.random.Generator) -> Any:
    """A graph that begins and ends with a layer, with whatever between."""
    constants: dict[str, Any] = {}
    nodes: list[tuple[Any, ...]] = []

    def constant(value: Any) -> str:
        constants[f"c{len(constants)}"] = np.asarray(value, np.float32)
        return f"c{len(constants) - 1}"

    before = name = "X"
    width = 3
    for place, step in enumerate(["Gemm", *rng.choice(STEPS, rng.integers(1, 6)), "Gemm"]):
        inputs = [name]
        if step == "Gemm":
            n = int(rng.integers(1, 5))
            inputs += [constant(rng.normal(size=(width, n))), constant(rng.normal(size=n))]
            width = n
        elif step == "PRelu":
            inputs.append(constant(rng.normal(size=rng.choice([1, width]))))
        elif step == "BatchNormalization":
            inputs += [constant(rng.normal(size=width)) for _ in range(3)] + [constant(rng.uniform(0.1, 2, width))]
        elif step == "Max":
            inputs.append(before)
        elif step in ("Add", "Sub", "Mul", "Div"):
            shape = [(), (1,), (1, 1), (width,), (1, width)][rng.integers(5)]
            inputs.insert(rng.integers(2), constant(rng.choice([-1, 0.5, 2, 3, 6], size=shape)))
        nodes.append((str(step), " ".join(inputs), f"t{place}"))
        before, name = name, f"t{place}"
    return graph(nodes, constants, outputs=(name,)), name


def test_random_chains_run_as_in_onnxruntime_or_are_refused(helper: Any) -> None:
    runtime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    taken = 0
    for _ in range(200):
        proto, output = random_chain(rng)
        try:
            net = rs.from_onnx(proto)
        except rs.ModelFileError:
            continue
        taken += 1
        X = 2 * rng.normal(size=(20, 3)).astype(np.float32)
        session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        (theirs,) = session.run([output], {"X": X})
        # Seven steps at most, whose numbers are of the order of the outputs at most a hundredfold.
        np.testing.assert_allclose(net(X), theirs, rtol=0, atol=700 * np.finfo(c).eps * max(1, np.abs(theirs).max()))
    assert taken > 50


def test_inputs_far_from_zero_are_taken_in_double_or_refused() -> None:
    nodes = [("Sub", "X m", "y"), ("Div", "y s", "x"), ("Gemm", "x W b", "O")]
    for far, dtype in ((0.5, "float32"), (1e5, "float64")):
        constants = {"W": W, "b": b, "m": np.array([0.1, far, 0], np.float32), "s": np.ones(3, np.float32)}
        proto = graph(nodes, constants)
        net = rs.from_onnx(proto)
        assert net.dtype == dtype
        X = drawn(20, 3) + constants["m"]
        runtime = pytest.importorskip("onnxruntime")
        (theirs,) = runtime.InferenceSession(proto.SerializeToString()).run(None, {"X": X})
        np.testing.assert_allclose(net(X), theirs, rtol=0, atol=1e-5)
    constants["m"] = np.array([0, 1e10, 0], np.float32)
    with pytest.raises(rs.ModelFileError, match=r"node 1 \(Sub\) takes off 1e\+10 times .* in column 1"):
        rs.from_onnx(graph(nodes, constants))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("scaled", [False, True])
def test_our_own_classifiers_and_scaled_pipelines_are_read(
    dtype: str, classes: int, scaled: bool, tmp_path: Path
) -> None:
    pytest.importorskip("skl2onnx")
    X = drawn(60, 4, dtype=dtype) * np.array([1, 10, 0.1, 1], dtype) + np.array([0, 30, 0, 1], dtype)
    y = np.digitize(X[:, 0], [-0.5, 0.5][: classes - 1])
    model = rs.MLPClassifier((5,), max_iter=300, tol=0, n_iter_no_change=1000, random_state=0)
    scalers = (StandardScaler(), RobustScaler(), MinMaxScaler((-2, 1)), MaxAbsScaler()) if scaled else ()
    for pipeline in [make_pipeline(scaler, model) for scaler in scalers] or [model]:
        with pytest.warns(ConvergenceWarning):  # it has not converged
            pipeline.fit(X, y)
        path = tmp_path / "classifier.onnx"
        rs.to_onnx(pipeline, path)
        net = rs.from_onnx(path)
        assert net.loss == "cross_entropy"
        np.testing.assert_allclose(net(X), pipeline.predict_proba(X), rtol=0, atol=1e3 * np.finfo(dtype).eps)


def test_the_weights_of_a_binary_classifier_stay_what_they_were(tmp_path: Path) -> None:
    X = drawn(40, 3)
    with pytest.warns(ConvergenceWarning):
        model = rs.MLPClassifier((4,), max_iter=2, random_state=0).fit(X, X[:, 0] > 0)
    model.to_onnx(tmp_path / "classifier.onnx")
    first, last = rs.from_onnx(tmp_path / "classifier.onnx").layers
    np.testing.assert_array_equal(first.W, model.coefs_[0])
    np.testing.assert_array_equal(last.W, np.hstack([np.zeros((4, 1)), model.coefs_[1]]))
    assert last.description == rs.Dense(2, "softmax")


def test_a_regressor_and_bytes_and_files_are_read(tmp_path: Path) -> None:
    X = drawn(40, 3)
    with pytest.warns(ConvergenceWarning):
        model = rs.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, X[:, 0])
    path = tmp_path / "regressor.onnx"
    model.to_onnx(path)
    for given in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), path.open("rb")):
        net = rs.from_onnx(given)
        np.testing.assert_array_equal(net(X)[:, 0], model.predict(X))
        if hasattr(given, "close"):
            given.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "model is of type NoneType, but must be the path"),
        (3, "of type int"),
        (rs.Network, "the class Network"),
        ([], "of type list"),
    ],
)
def test_what_can_be_no_model_says_what_can(given: Any, message: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_onnx(given)
    (tmp_path / "text").write_text("")
    with (tmp_path / "text").open() as file, pytest.raises(rs.ParameterError, match="a file opened as text"):
        rs.from_onnx(file)


def beside(folder: Path, **entries: Any) -> Path:
    """A file whose weights lie in weights.bin beside it, with other words about where that is."""
    onnx = pytest.importorskip("onnx")
    path = folder / "big.onnx"
    proto = graph([("Gemm", "X W b", "O")], {"W": drawn(3, 4), "b": drawn(4)})
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    proto = onnx.load(path, load_external_data=False)
    for entry in proto.graph.initializer[0].external_data:
        entry.value = str(entries.get(entry.key, entry.value))
    path.write_bytes(proto.SerializeToString())
    return path


def test_weights_in_a_file_beside_it_are_read(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = beside(tmp_path)
    assert (tmp_path / "weights.bin").stat().st_size >= 64
    net = rs.from_onnx(path)
    np.testing.assert_array_equal(net.layers[0].W, drawn(3, 4))
    np.testing.assert_array_equal(net.layers[0].b, drawn(4))
    for given in (path.read_bytes(), onnx.load(path, load_external_data=False)):
        with pytest.raises(rs.ModelFileError, match=r"lies in another file, 'weights\.bin', .*give the path"):
            rs.from_onnx(given)
    folder = tmp_path / "deeper"
    folder.mkdir()
    (tmp_path / "weights.bin").rename(folder / "weights.bin")
    assert rs.from_onnx(beside_moved(path, "deeper/weights.bin")).layers[0].W[0, 0] == drawn(3, 4)[0, 0]


def beside_moved(path: Path, location: str) -> Path:
    onnx = pytest.importorskip("onnx")
    proto = onnx.load(path, load_external_data=False)
    for tensor in proto.graph.initializer:
        for entry in tensor.external_data:
            entry.value = location if entry.key == "location" else entry.value
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"location": "../weights.bin"}, "not the name of one in the model's own folder"),
        ({"location": "deeper/../weights.bin"}, "not the name of one in"),
        ({"location": "/etc/passwd"}, "not the name of one in"),
        ({"location": "..\\weights.bin"}, "not the name of one in"),
        ({"location": ""}, "not the name of one in"),
        ({"location": "none.bin"}, "is not there; put it beside"),
        ({"location": "link.bin"}, "to which a link leads"),
        ({"location": "linked/weights.bin"}, "to which a link leads"),
        ({"location": "pipe"}, "is not a regular file"),
        ({"location": "."}, "is not the name|is not a regular file"),
        ({"offset": 1 << 40}, "but that file has"),
        ({"offset": -4}, "but that file has"),
        ({"offset": "x"}, "at a place that is no number"),
        ({"length": 1 << 50}, "but that file has"),
        ({"length": 44}, r"shape \(3, 4\), which takes 48 bytes of float32, but there are 44"),
    ],
)
def test_no_other_file_is_read(entries: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = beside(folder, **entries)
    (tmp_path / "weights.bin").write_bytes(bytes(100))
    (folder / "link.bin").symlink_to(folder / "weights.bin")
    (folder / "linked").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    with pytest.raises(rs.ModelFileError, match=message):
        rs.from_onnx(path)


def test_impossible_shapes_and_numbers_that_are_none_are_refused() -> None:
    proto = graph([GEMM, ("Relu", "z", "O")], {"W": W, "b": b})
    for dims, message in (
        ([-1, 4], r"shape \(-1, 4\), in which a length is negative"),
        ([3, 1 << 60], "bytes of float32, but there are 48; the file is damaged"),
        ([3, 5], "takes 60 bytes of float32, but there are 48"),
        ([], "takes 4 bytes of float32, but there are 48"),
        ([0, 4], "takes 0 bytes of float32"),
    ):
        odd = type(proto)()
        odd.CopyFrom(proto)
        odd.graph.initializer[0].dims[:] = dims
        with pytest.raises(rs.ModelFileError, match=message):
            rs.from_onnx(odd)
    for name, value in (("W", np.nan), ("b", np.inf)):
        constants = {"W": W.copy(), "b": b.copy()}
        constants[name].flat[2] = value
        with pytest.raises(rs.ModelFileError, match=rf"node 1 \(Gemm\) holds {value} among its"):
            rs.from_onnx(graph([GEMM, ("Relu", "z", "O")], constants))


def test_numbers_too_large_for_the_precision_are_refused() -> None:
    nodes = [("Mul", "X k", "x"), ("MatMul", "x W", "O")]
    with pytest.raises(rs.ModelFileError, match=r"columns of .* are scaled by numbers beyond float32"):
        rs.from_onnx(graph(nodes, {"k": np.full(3, 1e30, np.float32), "W": np.full((3, 2), 1e30, np.float32)}))
    nodes = [GEMM, ("Div", "z k", "O")]
    with pytest.raises(rs.ModelFileError, match=r"node 2 \(Div\)"):
        rs.from_onnx(graph(nodes, {"k": np.zeros(4, np.float32), "W": W, "b": b}))


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
