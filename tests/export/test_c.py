"""Models as C files: compiled without warnings, they give what the engines give."""

from __future__ import annotations

import ctypes
import math
import re
import runpy
import shutil
import subprocess
import sys
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import every_column
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from compiling import QUICK, Exported, compiled, compilers, pointer, self_test, shared_library
from mpmath import mp
from numerics import RoundingBounds, smooth_problem, uniform_network
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs
from reseau.export import c, c_text
from reseau.tables.columns import kinds as columns_module
from reseau.tables.columns.category import Category
from reseau.tables.columns.kinds import Date
from reseau.tables.reading.table import read_table
from reseau.tables.targets.quantity import Quantity
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise
from reseau.vocabulary.activations.code import C_FUNCTIONS
from reseau.vocabulary.layers import Architecture

EXAMPLES = Path(__file__).parents[2] / "examples"
PENGUINS = EXAMPLES / "penguins.csv"


def network_for(architecture: Architecture, w: np.ndarray[Any, Any], dtype: str) -> rs.Network:
    net = rs.Network(*architecture.layers, loss=architecture.loss, inputs=architecture.inputs, dtype=dtype)
    net.parameters[...] = w
    return net


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiler", compilers(sanitized=False))
def test_every_activation_gives_what_the_engines_give(compiler: str, tmp_path: Path) -> None:
    cases = {}
    for activation in ACTIVATIONS:  # hidden with and without bias, and as output
        first, second = rs.Dense(4, activation), rs.Dense(5, activation, bias=False)
        between, last = rs.Dense(6, "tanh", bias=False), rs.Dense(3, activation)
        architecture = Architecture(5, (first, between, second, between, last), "squared_error")
        w, X, T = smooth_problem(architecture, 8)
        for dtype in ("float32", "float64"):
            name = f"{activation}_{dtype}"
            network_for(architecture, w, dtype).to_c(tmp_path / f"{name}.c")
            cases[name] = (architecture, w, X, T, dtype)
    library = shared_library(compiler, [tmp_path / f"{name}.c" for name in cases], tmp_path)
    for name, (architecture, w, X, T, dtype) in cases.items():
        found = Exported(library, name, architecture, dtype)
        net, bounds = network_for(architecture, w, dtype), RoundingBounds(architecture, w, X, T, dtype)
        # Both are off from the exact numbers by no more than the bounds.
        assert np.linalg.norm(found.predict(X) - net(X)) <= 2 * bounds.outputs, name
        assert np.linalg.norm(found.jacobian(X) - net.jacobian(X)) <= 2 * bounds.jacobian(), name


@pytest.mark.filterwarnings("ignore:overflow")
def test_huge_scores_neither_overflow_nor_give_nan(tmp_path: Path) -> None:
    names = [name for name, entry in ACTIVATIONS.items() if name != "exponential"]
    for dtype in ("float32", "float64"):
        for name in names:
            net = rs.Network(rs.Dense(2, name, bias=False), inputs=2, dtype=dtype)
            net.layers[0].W[...] = np.eye(2)
            net.to_c(tmp_path / f"{name}_{dtype}.c")
    library = shared_library(QUICK, sorted(tmp_path.glob("*.c")), tmp_path)
    for dtype, huge in (("float32", 1e37), ("float64", 1e307)):
        for name in names:
            architecture = Architecture(2, (rs.Dense(2, name, bias=False),), "squared_error")
            found = Exported(library, f"{name}_{dtype}", architecture, dtype)
            X = np.array([[z, -z] for z in (90.0, 104.0, 710.0, 745.0, 1e3, 1e10, huge)])
            net = network_for(architecture, np.eye(2).ravel(), dtype)
            eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).smallest_normal
            O, J = net(X), net.jacobian(X)
            # As in test_activations: a few roundings, and half an ulp of z seen through e^z
            small = np.where(np.abs(X) < 1e3, np.abs(X), 0)
            assert (np.abs(found.predict(X) - O) <= 16 * eps * np.abs(O) * (1 + small) + 4 * tiny).all(), name
            assert (np.abs(found.jacobian(X) - J) <= 16 * eps).all(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_by_tanh_keeps_its_last_digits_far_to_the_left(dtype: str, tmp_path: Path) -> None:
    # e^2u with a 2u down to −700: half an ulp of 2u would be 350 ulp. Exact to 30 digits, by mpmath.
    net = rs.Network(rs.Dense(1, "gelu_tanh", bias=False), inputs=1, dtype=dtype)
    net.parameters[...] = 1
    net.to_c(tmp_path / "gelu.c")
    rs.to_python(net, tmp_path / "gelu.py")
    library = shared_library(QUICK, [tmp_path / "gelu.c"], tmp_path)
    script: dict[str, Any] = {"__name__": "gelu"}
    exec((tmp_path / "gelu.py").read_text(), script)
    z = np.linspace(-9.2 if dtype == "float32" else -20.9, -0.1, 400, dtype=dtype)
    with mp.workdps(60):
        twice_u = [2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3) for x in map(mp.mpf, map(float, z))]
        exact = np.array([float(mp.mpf(float(x)) / (1 + mp.exp(-u))) for x, u in zip(z, twice_u, strict=True)])
    for predict in (Exported(library, "gelu", net.architecture, dtype).predict, script["predict"]):
        found = predict(z[:, None])[:, 0].astype(float)
        assert (np.abs(found - exact) <= 4 * np.finfo(dtype).eps * np.abs(exact)).all()


@pytest.mark.parametrize("compiler", [QUICK, "cc, as if there were no NaN"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_is_not_hidden(dtype: str, compiler: str, tmp_path: Path) -> None:
    for name in ACTIVATIONS:
        net = rs.Network(rs.Dense(3, name), rs.Dense(2, "identity"), inputs=2, seed=0, dtype=dtype)
        net.to_c(tmp_path / f"{name}.c")
    library = shared_library(compiler, sorted(tmp_path.glob("*.c")), tmp_path)
    for name in ACTIVATIONS:
        found = Exported(library, name, Architecture(2, (rs.Dense(2),), "squared_error"), dtype)
        X = np.array([[np.nan, 1.0], [1.0, -np.nan]])
        assert np.isnan(found.predict(X)).all(), name
        assert np.isnan(found.jacobian(X)).all(), name
        assert np.isfinite(found.predict(np.array([[0.5, 1.0]]))).all(), name


def test_models_of_every_kind_go_into_one_translation_unit(trained: tuple[rs.TableModel, Any], tmp_path: Path) -> None:
    model, _ = trained
    for name in ("first", "second"):
        model.to_c(tmp_path / f"{name}.c")
        model.network.to_c(tmp_path / f"{name}_net.c", weights="file")
    names = ["first", "second", "first_net", "second_net"]
    (tmp_path / "all.c").write_text(
        "".join(f'#include "{name}.c"\n' for name in names) + "int main(void) { return 0; }\n"
    )
    for compiler in ("cc", "c++"):
        compiled(compiler, "all.c", "-x", "none", "-lm", "-o", "all", folder=tmp_path)


def test_two_rows_of_memory_serve_any_number_of_layers(tmp_path: Path) -> None:
    widths = [7, 30, 20, 25, 3, 2]
    net = rs.Network(*(rs.Dense(n, "tanh") for n in widths), inputs=40, seed=0)
    _, source = c.sources(net.parts(), "net.h")
    body = source[source.index("void net_predict(") : source.index("void net_jacobian(")]
    assert re.findall(r"float [^;]*;", body[body.index("{") :]) == ["float u[20], v[30];"]
    assert f"take {4 * 50} and " in " ".join(source.replace("*", " ").split())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_in_a_file_of_their_own_are_loaded(dtype: str, tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(6, "tanh"), rs.Dense(2, "softmax", bias=False), inputs=3, seed=0, dtype=dtype)
    net.to_c(tmp_path / "net.c", weights="file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.bin", "net.c", "net.h"]
    expected = b"".join(np.asarray(w, f"<f{net.dtype.itemsize}").tobytes() for w in net.tensors().values())
    assert (tmp_path / "net.bin").read_bytes() == expected
    done = self_test(QUICK, tmp_path / "net.c")
    assert done.returncode == 1  # run elsewhere, it does not find the file
    done = subprocess.run([tmp_path / "net.test", tmp_path / "net.bin"], capture_output=True, text=True, check=False)
    assert "net: passed" in done.stdout
    library = shared_library(QUICK, [tmp_path / "net.c"], tmp_path)
    found = Exported(library, "net", net.architecture, dtype)
    X = np.array([[0.5, -1.0, 2.0]], dtype)
    assert np.isnan(found.predict(X)).all()
    (tmp_path / "cut.bin").write_bytes(expected[:-1])
    (tmp_path / "long.bin").write_bytes(expected + b"0")
    (tmp_path / "other.bin").write_bytes(bytes([expected[0] ^ 1]) + expected[1:])
    for name, code in {"none.bin": 1, "cut.bin": 2, "long.bin": 2, "other.bin": 2, "net.bin": 0}.items():
        assert library.net_load(str(tmp_path / name).encode()) == code
    np.testing.assert_allclose(found.predict(X), net(X), rtol=1e-6)
    assert library.net_load(str(tmp_path / "cut.bin").encode()) == 2
    assert np.isnan(found.jacobian(X)).all()


def test_where_weights_are_is_one_of_two(tmp_path: Path) -> None:
    with pytest.raises(rs.ParameterError, match="weights is 'embed'"):
        small().to_c(tmp_path / "net.c", weights="embed")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_codes_of_an_entry_use_what_its_kind_may(activation: str) -> None:
    entry = ACTIVATIONS[activation]
    if isinstance(entry, Elementwise):
        assert "z" in re.findall(r"\w+", entry.code.c)
        assert "a" not in re.findall(r"\w+", entry.code.c)
    else:
        assert c_text.calls(f"{entry.code.c} {entry.code.c_derivative}", C_FUNCTIONS)


@pytest.mark.parametrize("compiler", compilers())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_file_tests_itself(compiler: str, dtype: str, tmp_path: Path) -> None:
    layers = [rs.Dense(20, "gelu"), rs.Dense(10, "log_softmax", bias=False), rs.Dense(4, "softmax")]
    rs.Network(*layers, loss="cross_entropy", inputs=30, seed=3).to_c(tmp_path / "small.c", dtype=dtype)
    done = self_test(compiler, tmp_path / "small.c")
    assert done.returncode == 0, done.stdout
    assert "small: passed" in done.stdout


@pytest.mark.parametrize("table", ["W1", "b1", "W2"])
def test_the_self_test_notices_a_changed_number(table: str, tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(6, "tanh"), rs.Dense(2, "identity", bias=False), inputs=4, seed=1)
    net.layers[0].b[...] = 0.25
    net.to_c(tmp_path / "net.c")
    text = (tmp_path / "net.c").read_text()
    start = text.index("{", text.index(f"float net_{table}[")) + 1
    first = re.search(r"-?\d\.\d+", text[start:])
    assert first is not None
    changed = repr(float(first.group()) + 1e-3)
    place = start + first.start()
    (tmp_path / "net.c").write_text(text[:place] + changed + text[place + len(first.group()) :])
    done = self_test(QUICK, tmp_path / "net.c")
    assert done.returncode == 1
    assert "net: FAILED" in done.stdout


def test_the_numbers_are_those_of_the_network(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for dtype, name in (("float32", "single"), ("float64", "twice")):
        net = rs.Network(rs.Dense(3, "identity"), inputs=2, dtype=dtype)
        net.parameters[...] = rng.normal(size=9) * 10.0 ** rng.integers(-30, 30, 9)
        header, source = c.sources(net.parts(), f"{name}.h")
        for letter, values in (("W1", net.layers[0].W), ("b1", net.layers[0].b)):
            body = re.search(rf"{letter}\[.*?= \{{(.*?)\}};", source, re.DOTALL)
            assert body is not None
            numbers = re.findall(r"-?\d[\d.e+-]*", body.group(1))
            np.testing.assert_array_equal(np.array(numbers, dtype=dtype), np.ravel(values))
        assert f"void {name}_predict(const {'float' if dtype == 'float32' else 'double'} x[" in header


def test_a_network_can_be_written_in_the_other_precision(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(1, "identity"), inputs=3, dtype="float64", seed=0)
    _, in_float = c.sources(net.parts(), "n.h", dtype="float32")
    assert "double" not in in_float[: in_float.index("#ifdef RESEAU_TEST")].split("*/", 1)[1]
    assert "float" not in c.sources(net.parts(), "n.h")[1].split("*/", 1)[1]


def test_the_same_network_gives_the_same_bytes_and_ascii(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(4, "mish"), rs.Dense(1, "sigmoid"), inputs=3, seed=0)
    assert c.sources(net.parts(), "n.h") == c.sources(net.parts(), "n.h")
    assert "".join(c.sources(net.parts(), "n.h")).isascii()


# --- tables -----------------------------------------------------------------------------------------------------------

LEVELS = ['a "quoted" one', "Montréal", "what??/", "back\\slash", "*/ int x;", "two\nlines"]


def awkward_table(rows: int = 240) -> pa.Table:
    """Every kind of column, with names and texts that C does not take as they are."""
    rng = np.random.default_rng(5)
    start = datetime(1995, 12, 30, 6)
    dates = [start + timedelta(hours=int(h)) for h in rng.integers(0, 24 * 4000, rows)]
    size = rng.normal(3.0, 2.0, rows)
    place = [LEVELS[i] for i in rng.integers(0, len(LEVELS), rows)]
    rare = ["common" if i % 3 else f"rare {i}" if i % 60 == 0 else "usual" for i in range(rows)]
    flag = rng.integers(0, 2, rows).astype(bool)
    return pa.table(
        {
            "température (°C)": pa.array(np.where(rng.random(rows) < 0.1, np.nan, size), from_pandas=True),
            "int": rng.normal(1e6, 1.0, rows),
            "2nd place": [None if i % 17 == 0 else text for i, text in enumerate(place)],
            "2nd-place": rare,
            "flag": [None if i % 23 == 0 else bool(f) for i, f in enumerate(flag)],
            "sure": flag,
            "when": [None if i % 31 == 0 else date for i, date in enumerate(dates)],
            "day": [datetime(d.year, d.month, d.day) for d in dates],
            "constant": [1] * rows,
            "y": size * 3 + flag + np.array([d.month for d in dates]) + 100.0,
            "class": ["é" if s > 3 else "no" for s in size],
        }
    )


@pytest.fixture(scope="module", params=["species", "class", "y"])
def trained(request: pytest.FixtureRequest) -> tuple[rs.TableModel, Any]:
    if request.param == "species":
        return rs.TableModel.train(PENGUINS, "species", preset="fast", epochs=20), PENGUINS
    table = awkward_table()
    return rs.TableModel.train(
        table, request.param, ignore=["class", "y"][request.param == "class"], preset="fast", epochs=20
    ), table


def new_rows(table: Any) -> Any:
    """Rows with cells that were not there at training: missing ones, unknown levels, far numbers and dates."""
    if isinstance(table, Path):
        return table
    few = table.slice(0, 40).to_pydict()
    few["2nd place"][:3] = ["elsewhere", "", "montréal"]
    few["2nd-place"][:2] = [None, "elsewhere"]
    few["int"][:4] = [1e30, -1e30, None, 0.0]
    few["sure"][:1] = [None]
    far = [datetime(1600, 2, 29, 23, 59, 59), datetime(2000, 12, 31), datetime(1900, 3, 1), datetime(1969, 12, 31, 12)]
    few["when"][:4] = far
    few["day"][:4] = [*far[::-1][:3], None]
    return pa.table(few)


def c_rows(model: rs.TableModel, table: Any) -> tuple[type[ctypes.Structure], list[ctypes.Structure]]:
    """The rows of a table as the struct of the header, missing cells as NAN or NULL."""
    read, descriptions = read_table(table), model.parts().encoder.columns
    cells = []
    for description in descriptions:
        values = description.read(read.columns[description.name])
        if isinstance(description, Category):
            levels = [*values.levels, None]
            cells.append([None if (text := levels[code]) is None else text.encode() for code in values.codes])
        else:
            cells.append(list(values * 86400.0 if isinstance(description, Date) else values))
    types = [ctypes.c_char_p if isinstance(d, Category) else ctypes.c_double for d in descriptions]

    class Row(ctypes.Structure):
        _fields_ = [(f"member_{i}", kind) for i, kind in enumerate(types)]

    return Row, [Row(*row) for row in zip(*cells, strict=True)]


def assert_inputs(found: np.ndarray[Any, Any], X: np.ndarray[Any, Any], features: list[str]) -> None:
    """Inputs are equal, but for asinh, sine and cosine: those of two libraries may be rounded to neighbours."""
    circular = np.array([bool(re.search("(sin|cos) of time", feature)) for feature in features])
    eps = np.finfo("float32").eps
    np.testing.assert_allclose(found[:, ~circular], X[:, ~circular], rtol=eps)
    np.testing.assert_allclose(found[:, circular], X[:, circular], rtol=0, atol=eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_encoded_and_predicted_as_in_python(
    trained: tuple[rs.TableModel, Any], dtype: str, tmp_path: Path
) -> None:
    model, table = trained
    table = new_rows(table)
    model.to_c(tmp_path / "table.c", name="it", dtype=dtype)
    library = shared_library(QUICK, [tmp_path / "table.c"], tmp_path)
    descriptions = model.parts().encoder.columns
    X = columns_module.encode(
        model.columns, columns_module.read_columns(model.columns, read_table(table)), read_table(table).rows
    )
    predictions = model.predict(table)
    quantity = predictions.probabilities is None
    expected = predictions.values.to_numpy()[:, None] if quantity else predictions.probabilities
    _, rows = c_rows(model, table)
    assert len(rows) == len(X)
    found_X = np.full(X.shape, np.nan, dtype)
    found = np.full(expected.shape, np.nan, "float64" if quantity else dtype)
    for row, x, o in zip(rows, found_X, found, strict=True):
        assert library.it_encode(ctypes.byref(row), pointer(x)) == 0
        assert library.it_predict_row(ctypes.byref(row), pointer(o)) == 0
    assert_inputs(found_X, X, [feature for d in descriptions for feature in d.features])
    net = model.network
    w64, X64 = net.parameters.astype("float64"), X.astype("float64")
    T = np.full((len(X), net.architecture.outputs), 0.5)
    bound = 2 * RoundingBounds(net.architecture, w64, X64, T, "float32").outputs
    if quantity:  # Python rounds to 7 digits of the scale
        bound = model.target.scale * (bound + 1e-6)
    assert np.linalg.norm(found - expected) <= bound


@pytest.mark.parametrize("compiler", compilers())
def test_the_file_of_a_table_model_tests_itself(
    compiler: str, trained: tuple[rs.TableModel, Any], tmp_path: Path
) -> None:
    model, _ = trained
    model.to_c(tmp_path / "table.c")
    done = self_test(compiler, tmp_path / "table.c")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "table: passed" in done.stdout


def test_names_and_classes_are_there_as_text(trained: tuple[rs.TableModel, Any], tmp_path: Path) -> None:
    model, _ = trained
    model.to_c(tmp_path / "it.c")
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)

    def texts(name: str, count: int) -> list[str]:
        return [text.decode() for text in (ctypes.c_char_p * count).in_dll(library, name)]

    features = [feature for d in model.columns for feature in d.features]
    assert texts("it_input_names", len(features)) == features
    names = [d.name for d in model.parts().encoder.columns]
    assert texts("it_column_names", len(names)) == names
    if model.target.task == "classification":
        assert texts("it_class_names", len(model.target.labels)) == model.target.labels
    else:
        assert texts("it_output_names", 1) == [model.target.name]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_names_from_strangers_are_visible_and_harmless(tmp_path: Path) -> None:
    hostile = [
        "*/ #error",
        "//\\",
        "??/",
        "\x1b]52;c;eA==\x07",
        "\u202eevil",
        "a\nb",
        'q"',
        "a\u2028b",
        "it's \\",
        "/*",
        "\x7f",
    ]
    texts = [hostile[i % len(hostile)] for i in range(110)]
    numbers = np.random.default_rng(0).normal(size=(2, 110))
    table = pa.table({hostile[0]: texts, hostile[3]: numbers[0], hostile[4]: numbers[1], hostile[5]: texts[::-1]})
    model = rs.TableModel.train(table, hostile[5], preset="fast", epochs=1)
    frame = pd.DataFrame(np.tile(numbers, (6, 1)).T[:, : len(hostile)], columns=hostile)
    pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier((3,), max_iter=1, random_state=0)).fit(frame, texts)
    for what, name in ((model, "table"), (pipeline, "pipeline")):
        rs.to_c(what, tmp_path / f"{name}.c")
        rs.to_python(what, tmp_path / f"{name}.py")
        for ending in ("c", "h", "py"):
            text = (tmp_path / f"{name}.{ending}").read_text()
            assert {unicodedata.category(character) for character in text if character != "\n"} & {
                "Cc",
                "Cf",
                "Zl",
            } == set()
        for compiler in ("cc", "c++"):
            done = self_test(compiler, tmp_path / f"{name}.c")
            assert done.returncode == 0, done.stdout
        script = runpy.run_path(str(tmp_path / f"{name}.py"))
        assert set(script["classes"].tolist()) == set(texts)
    library = shared_library(QUICK, [tmp_path / "pipeline.c"], tmp_path)
    found = (ctypes.c_char_p * len(hostile)).in_dll(library, "pipeline_input_names")
    assert [name.decode() for name in found] == hostile


def test_a_name_that_is_no_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert c_text.text(name) == '"caf\\351"'
    assert c_text.plain(name) == "caf\\udce9"
    with pytest.raises(rs.ParameterError, match="half of a surrogate pair"):
        c_text.text("\ud800")


def test_a_value_that_cannot_be_used_is_refused_by_the_number_of_its_column(tmp_path: Path) -> None:
    table = awkward_table()
    model = rs.TableModel.train(table, "y", preset="fast", epochs=2)
    model.to_c(tmp_path / "it.c")
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)
    names = [d.name for d in model.parts().encoder.columns]
    Row, rows = c_rows(model, table.slice(1, 1))
    o = np.full(1, 7.0)
    bad = {"int": [math.inf, -1e39], "flag": [2.0, -1.0, 0.5], "when": [1e14, -math.inf]}
    for name, values in bad.items():
        for value in values:
            row = Row.from_buffer_copy(rows[0])
            setattr(row, f"member_{names.index(name)}", value)
            assert library.it_predict_row(ctypes.byref(row), pointer(o)) == names.index(name) + 1
    assert o[0] == 7.0
    assert library.it_predict_row(ctypes.byref(rows[0]), pointer(o)) == 0
    assert o[0] != 7.0


MACROS = [
    *["M_PI", "FLT_MAX", "MAXFLOAT", "FP_NAN", "FP_ILOGB0", "MATH_ERRNO", "MATH_ERREXCEPT", "NAN", "INFINITY"],
    *["HUGE_VAL", "EOF", "NULL", "DBL_MAX", "DBL_EPSILON", "INT_MAX", "EDOM", "I", "errno", "stdin", "stdout"],
    *["complex", "bool", "true", "false", "unix", "linux", "environ", "h_errno", "math_errhandling", "st_mtime"],
    *["sa_handler", "PRId64", "SCNu8", "BUFSIZ", "RAND_MAX", "class", "nullptr", "constexpr", "restrict", "and"],
    *["compl", "isnan", "B50", "MIN", "TRUE"],
]
HEADERS = [
    *["complex", "errno", "fenv", "float", "inttypes", "iso646", "limits", "math", "netdb", "netinet/in"],
    *["signal", "stdbool", "stdio", "stdlib", "sys/param", "sys/stat", "termios", "tgmath", "time", "unistd"],
    *["wchar"],
]


def test_columns_named_like_macros_are_members_wherever_the_header_is_included(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=40) for name in MACROS}
    model = rs.TableModel.train(pa.table({**table, "y": sum(table.values())}), "y", preset="fast", epochs=1)
    model.to_c(tmp_path / "net.c")
    includes = "".join(f"#include <{header}.h>\n" for header in HEADERS)
    (tmp_path / "all.c").write_text(f'#define _GNU_SOURCE\n{includes}#include "net.c"\n')
    for std in ("c99", "gnu17", "gnu2x"):
        command = ["cc", f"-std={std}", "-Wall", "-Werror", "-c", "all.c"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_empty_text_is_missing_everywhere(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    texts = ["a", "b", "", None, "c"] * 12
    table = pa.table({"t": texts, "u": ["x", "y"] * 30, "y": np.arange(60.0) % 5})
    for column in ("t", "u"):  # one that had missing cells at training, one that had none
        model = rs.TableModel.train(table, "y", preset="fast", epochs=5, task="regression")
        folder = tmp_path / column
        folder.mkdir()
        model.to_c(folder / "it.c")
        model.to_onnx(folder / "it.onnx")
        rs.to_python(model, folder / "it.py")
        library = shared_library(QUICK, [folder / "it.c"], folder)
        script = runpy.run_path(str(folder / "it.py"))
        session = onnxruntime.InferenceSession(str(folder / "it.onnx"))

        class Row(ctypes.Structure):
            _fields_ = [("t", ctypes.c_char_p), ("u", ctypes.c_char_p)]

        found = {}
        for cell in ("", None, "never seen"):
            cells = {"t": "a", "u": "x", column: cell}
            o = np.zeros(1)
            struct = Row(*(None if text is None else text.encode() for text in cells.values()))
            assert library.it_predict_row(ctypes.byref(struct), pointer(o)) == 0
            filled = {name: np.array([[text or ""]], object) for name, text in cells.items()}
            found[cell] = [
                model.predict(pa.table({name: pa.array([text], pa.string()) for name, text in cells.items()}))
                .values[0]
                .as_py(),
                float(o[0]),
                float(script["quantity"](script["predict"](script["encode"]([cells])))[0]),
                float(session.run(["prediction"], filled)[0][0]),
            ]
            np.testing.assert_allclose(found[cell], found[cell][0], rtol=1e-5)
        assert found[""] == found[None]
        assert (found[""] != found["never seen"]) is (column == "t")


@pytest.mark.parametrize("compiler", compilers())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_of_every_kind_are_encoded_as_in_python(compiler: str, dtype: str, tmp_path: Path) -> None:
    model = every_column.model()
    model.to_c(tmp_path / "it.c", dtype=dtype)
    done = self_test(compiler, tmp_path / "it.c")
    assert done.returncode == 0, done.stdout
    if "sanitized" in compiler:
        return
    library = shared_library(compiler, [tmp_path / "it.c"], tmp_path)

    class Row(ctypes.Structure):
        _fields_ = [
            (f"member_{i}", ctypes.c_char_p if isinstance(d, Category) else ctypes.c_double)
            for i, d in enumerate(every_column.COLUMNS)
        ]

    cells = []
    for d in every_column.COLUMNS:
        column = every_column.ROWS[d.name]
        if isinstance(d, Category):
            cells.append([None if cell is None else cell.encode() for cell in column])
        elif isinstance(d, Date):
            cells.append([every_column.days(cell) * 86400 for cell in column])
        else:
            cells.append([math.nan if cell is None else cell for cell in column])
    X = every_column.encoded()
    found = np.full(X.shape, np.nan, dtype)
    for row, x in zip(zip(*cells, strict=True), found, strict=True):
        assert library.it_encode(ctypes.byref(Row(*row)), pointer(x)) == 0
    assert_inputs(found, X, every_column.FEATURES)


def test_columns_of_every_kind_are_encoded_in_the_script_as_in_python(tmp_path: Path) -> None:
    rs.to_python(every_column.model(), tmp_path / "it.py")
    done = subprocess.run([sys.executable, tmp_path / "it.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    script = runpy.run_path(str(tmp_path / "it.py"))
    rows = [dict(zip(every_column.ROWS, row, strict=True)) for row in zip(*every_column.ROWS.values(), strict=True)]
    np.testing.assert_array_equal(script["encode"](rows), every_column.encoded())
    (written,) = script["encode"]([{**rows[2], "at": "1970-01-01T08:30", "flag": "-", "size": "NA", "sent": "-9999"}])
    (plain,) = script["encode"]([{**rows[2], "at": "08:30:00", "flag": None, "size": None, "sent": None}])
    np.testing.assert_array_equal(written, plain)


def test_a_time_that_no_day_has_is_refused(tmp_path: Path) -> None:
    model = rs.TableModel(
        (Date("at", "time of day", cycles=("day",)),),
        Quantity("y", 0.0, 1.0),
        rs.Network(rs.Dense(1, "identity"), inputs=3, seed=0),
        None,
        {},
    )
    model.to_c(tmp_path / "it.c")
    assert "double at; /* seconds since midnight; NAN if missing */" in (tmp_path / "it.h").read_text()
    library = shared_library(QUICK, [tmp_path / "it.c"], tmp_path)
    x = np.zeros(3, "float32")
    codes = [library.it_encode(ctypes.byref(ctypes.c_double(v)), pointer(x)) for v in (0, 86399, -1, 86401, 1e9)]
    assert codes == [0, 0, 1, 1, 1]


def test_the_members_of_the_struct_are_names_that_c_and_cpp_allow() -> None:
    names = ["a b", "a-b", "int", "class", "été", "9", "", "日本", "_x", "NULL", "AGE", "X"]
    assert c_text.identifiers(names, "column") == [
        *["a_b", "a_b_2", "int_", "class_", "ete", "column_9", "column", "column_2", "x", "NULL_", "AGE_", "X"]
    ]


# --- refusals and files -----------------------------------------------------------------------------------------------


def small() -> rs.Network:
    return rs.Network(rs.Dense(1, "identity"), inputs=2, seed=0)


@pytest.mark.parametrize(
    ("path", "options", "says"),
    [
        ("net.h", {}, "has to end in .c"),
        ("net", {}, "has to end in .c"),
        ("net.c", {"name": "2nd"}, "name is '2nd'"),
        ("net.c", {"name": "a b"}, "name is 'a b'"),
        ("net.c", {"name": ""}, "name is ''"),
        ("net.c", {"dtype": "float16"}, "dtype is 'float16'"),
        ('a".c', {}, "quotes"),
    ],
)
def test_what_cannot_be_written_is_refused(path: str, options: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(rs.ParameterError, match=re.escape(says)):
        small().to_c(tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_a_network_without_parameters_or_with_some_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(rs.ReseauError, match="does not know its inputs"):
        rs.Network(rs.Dense(1)).to_c(tmp_path / "net.c")
    net = rs.Network(rs.Dense(1), inputs=2, dtype="float64")
    net.layers[0].b[...] = 1e60
    net.to_c(tmp_path / "large.c")
    with pytest.raises(rs.ReseauError, match="layer 1 has parameters that are not finite in float32"):
        net.to_c(tmp_path / "net.c", dtype="float32")
    net.layers[0].b[...] = np.nan
    for write in (rs.to_c, rs.to_python):
        with pytest.raises(rs.ReseauError, match="not finite"):
            write(net, tmp_path / ("net.c" if write is rs.to_c else "net.py"))
    assert {path.name for path in tmp_path.iterdir()} == {"large.c", "large.h"}


def test_a_text_that_c_cannot_hold_is_refused(tmp_path: Path) -> None:
    table = pa.table({"x": ["a\0b", "c"] * 20, "y": [0.0, 1.0, 2.0, 5.0] * 10})
    model = rs.TableModel.train(table, "y", task="regression", preset="fast", epochs=1)
    with pytest.raises(rs.ParameterError, match="NUL"):
        model.to_c(tmp_path / "net.c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blocked", ["net.c", "net.h"])
def test_both_files_are_written_or_none(blocked: str, tmp_path: Path) -> None:
    (tmp_path / blocked).mkdir()
    with pytest.raises(OSError, match="folder"):
        small().to_c(tmp_path / "net.c")
    assert [path.name for path in tmp_path.iterdir()] == [blocked]
    with pytest.raises(FileNotFoundError, match="none"):
        small().to_c(tmp_path / "none" / "net.c")


def test_a_failure_between_the_two_files_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    replace, calls = os.replace, []

    def failing(source: object, target: object) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(source))
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="No space left") as error:
        small().to_c(tmp_path / "net.c")
    assert error.value.filename == str(tmp_path / "net.c")
    assert not list(tmp_path.iterdir())


def test_names_begin_with_the_files_name_or_the_one_given(tmp_path: Path) -> None:
    small().to_c(tmp_path / "2 my-Net.c")
    assert "void model_2_my_Net_predict(" in (tmp_path / "2 my-Net.h").read_text()
    assert '#include "2 my-Net.h"' in (tmp_path / "2 my-Net.c").read_text()
    small().to_c(tmp_path / "net.c", name="digits")
    assert "void digits_predict(" in (tmp_path / "net.h").read_text()


# --- the NumPy script -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_script_gives_what_the_engines_give(activation: str, dtype: str, tmp_path: Path) -> None:
    architecture = uniform_network((5, 4, 3), activation, activation, "squared_error", activation != "relu")
    w, X, T = smooth_problem(architecture, 6)
    net = network_for(architecture, w, dtype)
    rs.to_python(net, tmp_path / "net.py")
    O = runpy.run_path(str(tmp_path / "net.py"))["predict"](X)
    assert O.dtype == dtype
    assert np.linalg.norm(O - net(X)) <= 2 * RoundingBounds(architecture, w, X, T, dtype).outputs


def test_the_script_encodes_and_predicts_rows_as_the_model(trained: tuple[rs.TableModel, Any], tmp_path: Path) -> None:
    model, table = trained
    if isinstance(table, Path):
        table = pa.Table.from_pydict(
            {name: column.cells for name, column in read_table(table).columns.items() if name != model.target.name}
        )
    else:
        table = new_rows(table)
    rs.to_python(model, tmp_path / "it.py")
    script = runpy.run_path(str(tmp_path / "it.py"))
    X = columns_module.encode(
        model.columns, columns_module.read_columns(model.columns, read_table(table)), table.num_rows
    )
    found = script["encode"](table.to_pylist())
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, X)
    O, predictions = script["predict"](found), model.predict(table)
    net, T = model.network, np.full((len(X), model.network.architecture.outputs), 0.5)
    bound = (
        2
        * RoundingBounds(net.architecture, net.parameters.astype("float64"), X.astype("float64"), T, "float32").outputs
    )
    if predictions.probabilities is None:
        difference = script["quantity"](O) - predictions.values.to_numpy()
        assert np.linalg.norm(difference) <= model.target.scale * (bound + 1e-6)
    else:
        assert script["classes"].tolist() == list(model.target.classes)
        assert script["labels"](O).tolist() == predictions.values.to_pylist()
        assert np.linalg.norm(O - predictions.probabilities) <= bound


def test_the_script_runs_alone_and_needs_numpy_only(trained: tuple[rs.TableModel, Any], tmp_path: Path) -> None:
    model, _ = trained
    for what, name in ((model, "it.py"), (model.network, "net.py")):
        rs.to_python(what, tmp_path / name)
        imports = re.findall(r"^(?:import|from) (\w+)", (tmp_path / name).read_text(), re.MULTILINE)
        assert set(imports) <= {"math", "numpy"}
        done = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) >= 5


# --- the examples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["c", "cpp", "f90"])
def test_the_example_program_links_the_file_and_predicts(language: str, tmp_path: Path) -> None:
    tools = {"c": ["cc", "-std=c99"], "cpp": ["c++", "-std=c++11"], "f90": ["gfortran"]}
    if any(shutil.which(tool) is None for tool in ("cc", tools[language][0])):
        pytest.skip(f"no {tools[language][0]}")
    model = rs.TableModel.train(PENGUINS, "species", preset="fast", epochs=40)
    model.to_c(tmp_path / "penguins.c")
    program = EXAMPLES / "embedded" / f"predict.{language}"
    warnings = ["-Wall", "-Wextra", "-Werror", "-I", str(tmp_path)]
    for command in (
        ["cc", "-std=c99", *warnings, "-c", "penguins.c"],
        [*tools[language], *warnings, str(program), "penguins.o", "-lm", "-o", "program"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    names = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
    cells = [["Biscoe"], [46.1], [13.2], [211.0], [4500.0], pa.nulls(1), [2007.0]]
    predicted = model.predict(pa.table(dict(zip(names, cells, strict=True))))
    assert predicted.probabilities is not None
    shown = re.findall(r"^(\w+) +([\d.e-]+)$", done.stdout, re.MULTILINE)[:3]
    assert [name for name, _ in shown] == ["Adelie", "Chinstrap", "Gentoo"]
    np.testing.assert_allclose([float(p) for _, p in shown], predicted.probabilities[0], atol=1e-4)
