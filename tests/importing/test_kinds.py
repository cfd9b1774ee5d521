"""Layer normalisations, parametric ReLUs and residual links from elsewhere run here with equal outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from chains import CHAINS, N, chains
from numerics import drawn

import reseau as rs
from reseau.checks import DTYPES
from reseau.export.steps import steps

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on JAX
D, LN, P = rs.Dense, rs.LayerNorm, rs.PReLU


@pytest.fixture(scope="module")
def onnx() -> Any:
    return pytest.importorskip("onnx")


def described(net: rs.Network) -> list[Any]:
    """What its layers are and their numbers, but for those that only train."""
    return [
        (step.layer.kind, step.layer.activation, step.layer.epsilon, step.link, tensors_of(step)) for step in steps(net)
    ]


def tensors_of(step: Any) -> dict[str, bytes]:
    return {letter: values.tobytes() for letter, values in step.tensors.items()}


# A network of nothing but a dropout has no layer to read, and a link that ends behind one ends before it too.
READ_BACK = [case for case in CHAINS if case not in (("dropout", "alone"), ("dropout", "at the end of a link"))]


@pytest.mark.parametrize("opset", [13, 17, 18])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "name"), READ_BACK)
def test_what_was_written_is_read_back_with_the_same_layers_and_numbers(
    kind: str, name: str, dtype: str, opset: int, onnx: Any, tmp_path: Path
) -> None:
    for change in (0.0, 0.5):  # also as drawn: with all slopes the same, and ones and zeros
        net = rs.Network(*chains(kind)[name], inputs=N, dtype=dtype, seed=1)
        net.parameters[...] += change * np.random.default_rng(0).normal(size=net.n_parameters)
        rs.to_onnx(net, tmp_path / "net.onnx", opset=opset)
        again = rs.from_onnx(tmp_path / "net.onnx")
        assert described(again) == described(net)
        assert (again.dtype, again.loss) == (net.dtype, net.loss)
        X = drawn(8, N, dtype=dtype)
        assert again(X).tobytes() == net(X).tobytes()


def graph(onnx: Any, nodes: list[tuple[Any, ...]], constants: dict[str, Any], opset: int = 17) -> Any:
    """A model of nodes (operator, inputs, output, attributes...) from X (N, 4) to O."""
    helper = onnx.helper
    made = [helper.make_node(op, i.split(), [o], **(more[0] if more else {})) for op, i, o, *more in nodes]
    used = {name for node in made for name in node.input}
    weights = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items() if name in used]
    first, last = (helper.make_tensor_value_info(name, 1, ["N", n]) for name, n in (("X", 4), ("O", "n")))
    proto = helper.make_model(
        helper.make_graph(made, "g", [first], [last], weights),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto


NUMBERS: dict[str, Any] = {
    "W": drawn(4, 4),
    "V": drawn(4, 4)[::-1].copy(),
    "b": drawn(4),
    "g": np.array([0.5, -2, 1, 3], np.float32),
    "h": np.array([1, 0, -1, 2], np.float32),
    "s": np.array([0.25, -1, 0, 2], np.float32),
    "e": np.array(1e-5, np.float32),
    "two": np.array(2, np.float32),
    "half": np.array(0.5, np.float32),
    "minus": np.array(-0.5, np.float32),
    "zero": np.array(0, np.float32),
}


def mean(x: str, name: str) -> tuple[Any, ...]:
    return ("ReduceMean", x, name, {"axes": [-1]})


# What exporters make of a layer normalisation of x: PyTorch's before opset 17, and those of Keras and TensorFlow.
CENTRED = [mean("x", "m"), ("Sub", "x m", "d")]
SQUARED = [("Pow", "d two", "q"), mean("q", "v"), ("Add", "v e", "w"), ("Sqrt", "w", "r")]
SCALED = [("Mul", "n g", "k"), ("Add", "k h", "y")]
FORMS: dict[str, list[Any]] = {
    "torch": [*CENTRED, *SQUARED, ("Div", "d r", "n"), *SCALED],
    "twice the difference": [mean("x", "m"), ("Sub", "x m", "c"), *CENTRED[1:], *SQUARED, ("Div", "c r", "n"), *SCALED],
    "products, the other way round": [
        *(*CENTRED, ("Mul", "d d", "q"), mean("q", "v"), ("Add", "e v", "w"), ("Sqrt", "w", "r"), ("Div", "d r", "n")),
        *(("Mul", "g n", "k"), ("Add", "h k", "y")),
    ],
    "by a reciprocal": [*CENTRED, *SQUARED, ("Reciprocal", "r", "i"), ("Mul", "i d", "n"), *SCALED],
    "by a power": [
        *(*CENTRED, ("Mul", "d d", "q"), mean("q", "v"), ("Add", "v e", "w"), ("Pow", "w minus", "i")),
        *(("Mul", "d i", "n"), *SCALED),
    ],
    "keras": [
        *(*CENTRED, *SQUARED, ("Reciprocal", "r", "i"), ("Mul", "i g", "j"), ("Neg", "m", "o"), ("Mul", "o j", "p")),
        *(("Add", "p h", "t"), ("Mul", "x j", "u"), ("Add", "u t", "y")),
    ],
    "tensorflow": [
        *(*CENTRED, *SQUARED, ("Reciprocal", "r", "i"), ("Mul", "i g", "j"), ("Mul", "m j", "p"), ("Sub", "h p", "t")),
        *(("Mul", "x j", "u"), ("Add", "u t", "y")),
    ],
    "scaled only": [*CENTRED, *SQUARED, ("Div", "d r", "n"), ("Mul", "n g", "y")],
    "shifted only": [*CENTRED, *SQUARED, ("Div", "d r", "n"), ("Add", "n h", "y")],
    "neither": [*CENTRED, *SQUARED, ("Div", "d r", "y")],
    "shifted first": [
        *(*CENTRED, *SQUARED, ("Reciprocal", "r", "i"), ("Mul", "m i", "p"), ("Sub", "h p", "t"), ("Mul", "x i", "u")),
        ("Add", "u t", "y"),
    ],
}


def assert_runs_alike(proto: Any, net: rs.Network) -> None:
    runtime = pytest.importorskip("onnxruntime")
    X = drawn(20, 4) * 3
    (theirs,) = runtime.InferenceSession(proto.SerializeToString()).run(["O"], {"X": X})
    np.testing.assert_allclose(net(X), theirs, rtol=0, atol=200 * np.finfo("float32").eps * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize("form", FORMS)
def test_a_layer_normalisation_is_known_in_the_forms_that_exporters_write(form: str, onnx: Any) -> None:
    bias = not {"scaled only", "neither"} & {form}
    for before, layer in (("Identity", "identity"), ("Tanh", "tanh")):
        nodes = [("Gemm", "X W b", "z"), (before, "z", "x"), *FORMS[form], ("Relu", "y", "a"), ("MatMul", "a V", "O")]
        proto = graph(onnx, nodes, NUMBERS, 13)
        net = rs.from_onnx(proto)
        expected = [D(4, layer), LN("relu", bias=bias), D(4, "identity", bias=False)]
        assert [layer.description for layer in net.layers] == expected
        scaled = form not in ("shifted only", "neither", "shifted first")
        np.testing.assert_array_equal(net.layers[1].gamma, NUMBERS["g"] if scaled else np.ones(4))
        if bias:
            np.testing.assert_array_equal(net.layers[1].beta, NUMBERS["h"])
        assert_runs_alike(proto, net)
    first = graph(onnx, [("Identity", "X", "x"), *FORMS[form], ("Identity", "y", "O")], NUMBERS, 13)
    net = rs.from_onnx(first)
    assert [layer.description for layer in net.layers] == [LN(bias=bias)]
    assert_runs_alike(first, net)


PRELUS: dict[str, list[Any]] = {
    "operator": [("PRelu", "z s", "y")],
    "least": [("Min", "z zero", "l"), ("Mul", "l s", "p"), ("Relu", "z", "r"), ("Add", "r p", "y")],
    "keras": [
        *(("Relu", "z", "r"), ("Neg", "z", "n"), ("Relu", "n", "l"), ("Neg", "s", "t"), ("Mul", "t l", "p")),
        ("Add", "r p", "y"),
    ],
    "a difference": [
        *(("Relu", "z", "r"), ("Neg", "z", "n"), ("Relu", "n", "l"), ("Mul", "l s", "p"), ("Sub", "r p", "y")),
    ],
}


@pytest.mark.parametrize("form", PRELUS)
def test_a_parametric_relu_is_known_in_the_forms_that_exporters_write(form: str, onnx: Any) -> None:
    proto = graph(onnx, [("Gemm", "X W b", "z"), *PRELUS[form], ("MatMul", "y V", "O")], NUMBERS)
    net = rs.from_onnx(proto)
    assert [layer.description for layer in net.layers] == [D(4, "identity"), P(), D(4, "identity", bias=False)]
    np.testing.assert_array_equal(net.layers[1].alpha, NUMBERS["s"])
    assert_runs_alike(proto, net)


# Blocks as they are drawn in papers: pre-activation, post-activation and pre-normalisation.
BLOCKS: dict[str, tuple[list[Any], list[Any]]] = {
    "around two": (
        [("Gemm", "X W b", "p"), ("Tanh", "p", "q"), ("Gemm", "q V", "r"), ("Add", "r X", "O")],
        [rs.Residual(D(4, "tanh"), D(4, "identity", bias=False))],
    ),
    "the other way round": (
        [("Gemm", "X W b", "p"), ("Sigmoid", "p", "q"), ("Add", "X q", "x"), ("Gemm", "x V", "O")],
        [rs.Residual(D(4, "sigmoid")), D(4, "identity", bias=False)],
    ),
    "then a ReLU": (
        [("Gemm", "X W b", "p"), ("Relu", "p", "x"), ("Gemm", "x V", "q"), ("Add", "q x", "r"), ("Relu", "r", "O")],
        [D(4, "relu"), rs.Residual(D(4, "identity", bias=False)), P()],
    ),
    "of nothing, with itself and once more": (
        [("Gemm", "X W b", "p"), ("Tanh", "p", "x"), ("Add", "x x", "q"), ("Add", "q x", "O")],
        [D(4, "tanh"), rs.Residual(rs.Residual(rs.Dropout(0.0)))],
    ),
    "normalised before": (
        [
            *(("Gemm", "X W b", "x"), ("LayerNormalization", "x g h", "n"), ("Gemm", "n V", "p"), ("Gelu", "p", "q")),
            *(("Add", "x q", "y"), ("LayerNormalization", "y g", "O", {"epsilon": 0.01})),
        ],
        [D(4, "identity"), rs.Residual(LN(), D(4, "gelu", bias=False)), LN(bias=False, epsilon=0.01)],
    ),
    "normalised node by node": (
        [("Gemm", "X W b", "x"), *FORMS["torch"], ("Gemm", "y V", "p"), ("Add", "p x", "O")],
        [D(4, "identity"), rs.Residual(LN(), D(4, "identity", bias=False))],
    ),
    "one in another": (
        [
            *(
                ("Gemm", "X W b", "p"),
                ("Tanh", "p", "q"),
                ("Gemm", "q V", "r"),
                ("Add", "r q", "s1"),
                ("Add", "s1 X", "y"),
            ),
            ("Gemm", "y W", "O"),
        ],
        [rs.Residual(D(4, "tanh"), rs.Residual(D(4, "identity", bias=False))), D(4, "identity", bias=False)],
    ),
    "with a leaky ReLU of its own": (
        [("Gemm", "X W b", "p"), ("LeakyRelu", "p", "q", {"alpha": 0.2}), ("Add", "X q", "O")],
        [rs.Residual(D(4, "identity"), P())],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_sums_with_earlier_outputs_are_residual_links(name: str, onnx: Any) -> None:
    nodes, layers = BLOCKS[name]
    opset = 20 if any(node[0] == "Gelu" for node in nodes) else 13 if "node by node" in name else 17
    proto = graph(onnx, nodes, NUMBERS, opset)
    net = rs.from_onnx(proto)
    assert net.architecture.layers == rs.Network(*layers, inputs=4).architecture.layers
    assert_runs_alike(proto, net)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Gemm", "X W", "p"), ("Clip", "p zero two", "q"), ("Add", "q X", "O")], r"\(Clip\), after layer 1"),
        ([("Gemm", "X W", "p"), ("Add", "p X", "q"), ("Tanh", "q", "O")], r"\(Tanh\) .* where a residual link begins"),
        ([("PRelu", "X s", "q"), ("Tanh", "q", "O")], r"\(Tanh\) follows a parametric ReLU"),
        ([("MatMul", "X thin", "p"), ("Add", "p X", "O")], r"\(Add\) adds 4 numbers to 1"),
        ([("LayerNormalization", "X g h", "O", {"axis": 0})], "normalises over more than the numbers of a row"),
        ([("LayerNormalization", "X X h", "O")], "with constant numbers"),
        ([("Sub", "X h", "x"), ("LayerNormalization", "x g", "O")], r"follows .*\(Sub\), which would have to become"),
        ([("Gemm", "X W", "x"), *CENTRED, ("Mul", "d g", "O")], "'O' has different numbers for the neurons"),
        ([("Gemm", "X W", "x"), *CENTRED, ("Mul", "d g", "k"), ("Tanh", "k", "O")], "part of no layer normalisation"),
        (
            [("Gemm", "X W", "x"), *CENTRED, ("Identity", "d", "O")],
            r"\(Sub\) follows a parametric ReLU, or stands",
        ),
    ],
)
def test_what_is_no_such_layer_is_refused_by_its_node(nodes: list[Any], message: str, onnx: Any) -> None:
    proto = graph(onnx, nodes, NUMBERS | {"thin": drawn(4, 1)}, 17)
    with pytest.raises(rs.ModelFileError, match=message):
        rs.from_onnx(proto)


TORCH: list[tuple[Callable[[Any], list[Any]], list[Any]]] = [
    (lambda nn: [nn.Linear(6, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2)], [D(4, "identity"), LN("gelu"), D(2)]),
    (lambda nn: [nn.LayerNorm(6, eps=0.01, bias=False), nn.Linear(6, 2)], [LN(bias=False, epsilon=0.01), D(2)]),
    (lambda nn: [nn.LayerNorm(6, elementwise_affine=False), nn.Linear(6, 2)], [LN(bias=False), D(2)]),
    (lambda nn: [nn.Linear(6, 3), nn.ReLU(), nn.LayerNorm(3), nn.BatchNorm1d(3)], [D(3, "relu"), LN()]),
    (
        lambda nn: [nn.Linear(6, 3), nn.LayerNorm(3), nn.LeakyReLU(0.2), nn.Linear(3, 2)],
        [D(3, "identity"), LN(), P(), D(2)],
    ),
    (lambda nn: [nn.Linear(6, 3), nn.PReLU(3)], [D(3, "identity"), P()]),
    (lambda nn: [nn.Linear(6, 3), nn.PReLU(), nn.Linear(3, 2)], [D(3, "identity"), P(), D(2)]),
    (lambda nn: [nn.PReLU(init=-0.5), nn.Linear(6, 2)], [P(), D(2)]),
    (lambda nn: [nn.Linear(6, 3), nn.Tanh(), nn.PReLU(3), nn.Dropout(), nn.Softmax(-1)], None),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("made", "layers"), TORCH)
def test_normalisations_and_slopes_of_torch_are_taken_over(made: Any, layers: Any, dtype: str, torch: Any) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(*made(torch.nn)).to(getattr(torch, dtype)).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    if layers is None:
        with pytest.raises(rs.ParameterError, match=r"layer 4: Softmax\(dim=-1\) follows a parametric ReLU"):
            rs.from_torch(module)
        return
    net = rs.from_torch(module)
    expected = rs.Network(*layers, inputs=6)
    assert net.architecture.layers == expected.architecture.layers
    X = drawn(20, 6, dtype=dtype)
    with torch.no_grad():
        theirs = module(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(net(X), theirs, rtol=0, atol=100 * np.finfo(dtype).eps * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize(
    "settings",
    [
        {"dynamo": False, "opset_version": 13},
        {"dynamo": False, "opset_version": 17},
        pytest.param({"dynamo": True, "verbose": False}, marks=pytest.mark.slow),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")  # of the exporters
def test_a_module_with_links_is_read_as_torch_exports_it(
    settings: dict[str, Any], torch: Any, onnx: Any, tmp_path: Path
) -> None:
    if settings["dynamo"]:
        pytest.importorskip("onnxscript")
    nn = torch.nn

    class Before(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 5), nn.PReLU(5))

        def forward(self, x: Any) -> Any:
            return x + self.inner(x)

    class After(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(5, 5), nn.GELU(), nn.Linear(5, 5))

        def forward(self, x: Any) -> Any:
            return torch.relu(self.inner(x) + x)

    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), Before(), After(), nn.LayerNorm(5), nn.Linear(5, 2)).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    X = drawn(16, 4)
    torch.onnx.export(module, (torch.from_numpy(X),), tmp_path / "net.onnx", **settings)
    net = rs.from_onnx(tmp_path / "net.onnx")
    before = rs.Residual(LN(), D(5, "identity"), P())
    after = rs.Residual(D(5, "gelu"), D(5, "identity"))
    expected = rs.Network(D(5, "tanh"), before, after, P(), LN(), D(2, "identity"), inputs=4)
    assert net.architecture.layers == expected.architecture.layers
    with torch.no_grad():
        np.testing.assert_allclose(net(X), module(torch.from_numpy(X)).numpy(), rtol=0, atol=1e-5)


KERAS: list[tuple[Callable[[Any], list[Any]], list[Any]]] = [
    (
        lambda l: [l.Dense(4), l.LayerNormalization(), l.ReLU(), l.Dense(2)],
        [D(4, "identity"), LN("relu", epsilon=1e-3), D(2)],
    ),
    (lambda l: [l.LayerNormalization(center=False, epsilon=0.5), l.Dense(2)], [LN(bias=False, epsilon=0.5), D(2)]),
    (lambda l: [l.LayerNormalization(scale=False, axis=1), l.Dense(2)], [LN(epsilon=1e-3), D(2)]),
    (lambda l: [l.LayerNormalization(scale=False, center=False)], [LN(bias=False, epsilon=1e-3)]),
    (lambda l: [l.Dense(3), l.PReLU("random_normal")], [D(3, "identity"), P()]),
    (lambda l: [l.Dense(3), l.PReLU("random_normal", shared_axes=[1]), l.Dense(2)], [D(3, "identity"), P(), D(2)]),
]


@pytest.mark.parametrize(("made", "layers"), KERAS)
def test_normalisations_and_slopes_of_keras_are_taken_over(made: Any, layers: list[Any], keras: Any) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), *made(keras.layers)])
    for variable in model.variables:
        variable.assign(variable + 0.3 * drawn(*variable.shape))
    net = rs.from_keras(model)
    assert net.architecture.layers == rs.Network(*layers, inputs=6).architecture.layers
    X = drawn(20, 6)
    theirs = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(net(X), theirs, rtol=0, atol=1e-5 * (1 + np.abs(theirs).max()))


def test_functional_models_of_keras_have_their_additions_as_links(keras: Any) -> None:
    layers, inputs = keras.layers, keras.Input((5,))
    first = layers.Dense(5, "tanh")(inputs)
    second = layers.Add()([layers.Dense(5, "gelu")(layers.LayerNormalization()(first)), first])
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(3, "silu"), layers.Dense(5)])
    third = second + inner(layers.Dropout(0.5)(second))
    model = keras.Model(inputs, layers.Dense(2, "softmax")(layers.Add()([third, inputs])))
    net = rs.from_keras(model)
    expected = rs.Network(
        rs.Residual(
            *(D(5, "tanh"), rs.Residual(LN(epsilon=1e-3), D(5, "gelu")), rs.Residual(D(3, "silu"), D(5, "identity"))),
        ),
        D(2, "softmax"),
        inputs=5,
    )
    assert net.architecture.layers == expected.architecture.layers
    X = drawn(20, 5)
    np.testing.assert_allclose(net(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
def test_what_keras_normalises_otherwise_is_refused(keras: Any) -> None:
    layers = keras.layers
    for layer, message in (
        (layers.LayerNormalization(rms_scaling=True), r"\(LayerNormalization\) divides by .* \(rms_scaling=True\)"),
        (layers.RMSNormalization(), r"\(RMSNormalization\) is no part"),
        (layers.GroupNormalization(2), r"\(GroupNormalization\) is no part"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_keras(keras.Sequential([keras.Input((4,)), layer, layers.Dense(2)]))
