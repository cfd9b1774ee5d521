"""Layers of every kind, drawn from the table, as C, NumPy and ONNX, in every place of a chain."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chains import CHAINS, N, chains
from compiling import QUICK, Exported, compilers, self_test, shared_library
from numerics import norm

import reseau as rs
from reseau.export.steps import steps
from reseau.vocabulary.layers import LAYERS

DTYPES = ["float32", "float64"]
# Of what a chain of at most five layers of five neurons, with weights of order 1, makes of a rounding; a normalisation
# divides by a deviation that is not far from 1 either.
ROUNDINGS = 1e3


def network(layers: list[Any], dtype: str, inputs: int = N, engine: str | None = None) -> rs.Network:
    net = rs.Network(*layers, inputs=inputs, dtype=dtype, seed=0, engine=engine)
    net.parameters[...] = np.random.default_rng(3).normal(0.2, 0.6, net.n_parameters)  # rounded where it is float32
    return net


def exact(layers: list[Any], dtype: str, X: Any, inputs: int = N) -> tuple[Any, Any]:
    """O and ∂O/∂X of the same numbers by the equations of the reference engine, in float64."""
    net = network(layers, "float64", inputs, "reference")
    net.parameters[...] = network(layers, dtype, inputs).parameters
    return net(X.astype(float)), net.jacobian(X.astype(float))


def samples(dtype: str, inputs: int = N) -> Any:
    return np.random.default_rng(5).normal(size=(6, inputs)).astype(dtype)


def assert_close(found: Any, expected: Any, dtype: str) -> None:
    assert norm(found - expected) <= ROUNDINGS * np.finfo(dtype).eps * (1 + norm(expected))


D, LN, P, R = rs.Dense, rs.LayerNorm, rs.PReLU, rs.Residual
# What the chains of the table have not: other widths, options of a kind, links that share their start or their end.
OTHERS: dict[str, tuple[int, list[Any]]] = {
    "one": (1, [R(D(1, "sigmoid")), P(), D(1)]),
    "wide": (3, [D(19, "softplus"), LN("softmax", bias=False, epsilon=0.5), P(-0.5), D(7)]),
    "shared": (4, [R(R(R(D(4, "tanh")), LN()), P(0.1), D(4, "softmax", dropout=0.5)), R(rs.Dropout(0.3), LN("gelu"))]),
    "deep": (3, [R(D(3, "tanh"), R(D(3, "elu"), R(D(3, "tanh"), R(D(3, "silu"), R(D(3, "softmax"))))))]),
    "dropped": (2, [R(rs.Dropout(0.5)), D(2, "tanh"), rs.Dropout(0.0)]),
}


@pytest.mark.parametrize("compiler", compilers(sanitized=False))
@pytest.mark.parametrize("kind", [*LAYERS, "others"])
def test_c_gives_the_outputs_and_derivatives_of_the_equations(kind: str, compiler: str, tmp_path: Path) -> None:
    cases = OTHERS if kind == "others" else {name: (N, layers) for name, layers in chains(kind).items()}
    names = {name: f"net{place}" for place, name in enumerate(cases)}
    for dtype in DTYPES:
        for name, (inputs, layers) in cases.items():
            network(layers, dtype, inputs).to_c(tmp_path / f"{names[name]}.c")
        library = shared_library(compiler, [tmp_path / f"{name}.c" for name in names.values()], tmp_path, dtype)
        for name, (inputs, layers) in cases.items():
            X = samples(dtype, inputs)
            O, J = exact(layers, dtype, X, inputs)
            found = Exported(library, names[name], network(layers, dtype, inputs).architecture, dtype)
            assert_close(found.predict(X), O, dtype)
            assert_close(found.jacobian(X), J, dtype)


@pytest.mark.parametrize("weights", ["inside", "file"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(*case, marks=[] if case[1] == "in links in links" else pytest.mark.slow)
        for case in [*CHAINS, *(("others", name) for name in OTHERS)]
    ],
)
def test_the_file_tests_itself_whatever_its_layers_are(
    kind: str, name: str, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, layers = OTHERS[name] if kind == "others" else (N, chains(kind)[name])
    monkeypatch.chdir(tmp_path)
    for dtype in DTYPES:
        network(layers, dtype, inputs).to_c("net.c", weights=weights)
        done = self_test(QUICK, tmp_path / "net.c")
        assert "net: passed" in done.stdout, done.stdout


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_self_test_of_a_deep_network_passes_and_notices_a_changed_number(dtype: str, tmp_path: Path) -> None:
    blocks = [rs.Residual(rs.LayerNorm(), D(8, "relu"), rs.PReLU(), D(8, "identity")) for _ in range(40)]
    net = rs.Network(D(8, "relu"), *blocks, D(3, "softmax"), inputs=4, seed=0, dtype=dtype, loss="cross_entropy")
    net.to_c(tmp_path / "net.c")
    assert "net: passed" in self_test(QUICK, tmp_path / "net.c").stdout
    text = (tmp_path / "net.c").read_text()
    changed = re.sub(r"(net_gamma2\[.*?= \{\s*)1\.0", r"\g<1>1.5", text, count=1, flags=re.DOTALL)
    assert changed != text
    (tmp_path / "net.c").write_text(changed)
    assert "net: FAILED" in self_test(QUICK, tmp_path / "net.c").stdout


@pytest.mark.parametrize(
    ("kind", "tensor"), [(kind, letter) for kind, entry in LAYERS.items() for letter in entry.letters]
)
def test_the_self_test_notices_a_changed_number_of_every_tensor(kind: str, tensor: str, tmp_path: Path) -> None:
    network(chains(kind)["hidden"], "float32").to_c(tmp_path / "net.c")
    text = (tmp_path / "net.c").read_text()
    numbers = re.search(rf"float net_{tensor}2\[.*?= \{{(.*?)\}};", text, re.DOTALL)
    assert numbers is not None
    changed = re.sub(r"-?\d\.\d+f", lambda found: f"{float(found[0][:-1]) + 1e-3}f", numbers[1])
    (tmp_path / "net.c").write_text(text.replace(numbers[1], changed))
    done = self_test(QUICK, tmp_path / "net.c")
    assert done.returncode == 1
    assert "net: FAILED" in done.stdout


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "name"), [*CHAINS, *(("others", name) for name in OTHERS)])
def test_the_script_gives_the_outputs_of_the_equations(kind: str, name: str, dtype: str, tmp_path: Path) -> None:
    inputs, layers = OTHERS[name] if kind == "others" else (N, chains(kind)[name])
    rs.to_python(network(layers, dtype, inputs), tmp_path / "net.py")
    X = samples(dtype, inputs)
    O = runpy.run_path(str(tmp_path / "net.py"))["predict"](X)
    assert O.dtype == dtype
    assert_close(O, exact(layers, dtype, X, inputs)[0], dtype)


def test_the_file_beside_a_script_holds_the_tensors_of_every_kind(tmp_path: Path) -> None:
    layers = [LN(), D(400, "relu"), R(P(), D(400)), D(2)]
    net = network(layers, "float32", 300)
    rs.to_python(net, tmp_path / "net.py")
    with np.load(tmp_path / "net.npz") as tables:
        assert list(tables) == ["gamma1", "beta1", "W2", "b2", "alpha3", "W4", "b4", "W5", "b5"]
        for name, tensor in zip(tables, net.tensors().values(), strict=True):
            np.testing.assert_array_equal(tables[name], tensor)
    assert "gamma1[j] multiplies its number j" in (tmp_path / "net.py").read_text()
    X = samples("float32", 300)
    found = runpy.run_path(str(tmp_path / "net.py"))["predict"](X)
    assert norm(found - net(X)) <= 300 * ROUNDINGS * np.finfo("float32").eps * norm(net(X))


@pytest.mark.parametrize("opset", [13, 17, 18])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "name"), [*CHAINS, *(("others", name) for name in OTHERS)])
def test_onnxruntime_gives_the_outputs_of_the_equations(
    kind: str, name: str, dtype: str, opset: int, tmp_path: Path
) -> None:
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    inputs, layers = OTHERS[name] if kind == "others" else (N, chains(kind)[name])
    rs.to_onnx(network(layers, dtype, inputs), tmp_path / "net.onnx", opset=opset)
    onnx.checker.check_model(str(tmp_path / "net.onnx"), full_check=True)
    X = samples(dtype, inputs)
    (O,) = runtime.InferenceSession(str(tmp_path / "net.onnx")).run(["O"], {"X": X})
    assert O.dtype == dtype
    assert_close(O, exact(layers, dtype, X, inputs)[0], dtype)


def test_a_graph_has_the_operators_that_its_version_and_precision_have(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    net = network([LN(), P(), rs.Dropout(0.5), R(D(N, "identity"))], "float32")

    def operators(**settings: Any) -> list[str]:
        rs.to_onnx(net, tmp_path / "net.onnx", **settings)
        return [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node]

    assert operators() == ["LayerNormalization", "PRelu", "Gemm", "Add"]
    assert operators(opset=13)[:2] == ["ReduceMean", "Sub"]
    assert "LayerNormalization" not in operators(dtype="float64")


def test_what_only_trains_takes_no_number_in_a_file() -> None:
    net = network(
        [rs.Dropout(0.1), D(3, "tanh", dropout=0.5), rs.Dropout(0.2), R(LN(), D(3)), rs.Dropout(0.0)], "float32"
    )
    found = steps(net)
    assert [(step.place, type(step.layer), step.link) for step in found] == [(1, D, None), (2, LN, None), (3, D, 1)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_link_from_the_inputs_begins_behind_the_scalers_of_a_pipeline(tmp_path: Path) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = samples("float64") * 10 + 100
    pipeline = make_pipeline(StandardScaler(), rs.MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0))
    pipeline.fit(X, X)
    pipeline[-1]._network = net = network([R(LN(), D(N, "tanh")), R(P())], "float64")
    scaled = pipeline[0].transform(X)
    rs.to_c(pipeline, tmp_path / "net.c")
    rs.to_python(pipeline, tmp_path / "net.py")
    library = shared_library(QUICK, [tmp_path / "net.c"], tmp_path)
    found = Exported(library, "net", net.architecture, "float64")
    assert_close(found.predict(X), net(scaled), "float64")
    assert_close(found.jacobian(X), net.jacobian(scaled) / pipeline[0].scale_, "float64")
    assert_close(runpy.run_path(str(tmp_path / "net.py"))["predict"](X), net(scaled), "float64")
