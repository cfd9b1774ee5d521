"""Products in tile order: against the order itself, and the code for matrix instructions by emulation.

Few processors have these instructions. On the others each of them stops the program with SIGILL, and
`tiles/emulator.cpp` does then what the manual says; so the very code that a processor with them runs is run here, where
it can be compared.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import floor, log2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tile_order import SMALLEST, flushed, fma, tile_product

import reseau as rs
from reseau.vocabulary.precisions import PRECISIONS, bfloat16

pytestmark = pytest.mark.usefixtures("native")

Array = np.ndarray[Any, np.dtype[Any]]


# --- the order itself ---------------------------------------------------------------------------------------------


def rounded(x: Fraction) -> float:
    """The nearest float32, ties to even; zero where that, without a smallest exponent, would be subnormal."""
    if x == 0:
        return 0.0
    exponent = floor(log2(abs(x.numerator)) - log2(x.denominator))
    exponent += (abs(x) >= Fraction(2) ** (exponent + 1)) - (abs(x) < Fraction(2) ** exponent)
    found = round(x / Fraction(2) ** (exponent - 23)) * Fraction(2) ** (exponent - 23)
    return 0.0 if abs(found) < Fraction(SMALLEST) else float(found)


def test_the_multiply_add_of_the_oracle_is_that_of_exact_arithmetic():
    rng = np.random.default_rng(0)
    count = 20_000
    a, b = (bfloat16(numbers(rng, (count,), spread)) for spread in (20, 40))
    c = numbers(rng, (count,), 40)
    c[::3] = -(a[::3] * b[::3]) * (1 + rng.integers(-3, 4, len(c[::3])) * 2.0**-23)  # what cancels
    below = slice(1, None, 3)  # around the smallest normal number
    a[below], b[below] = 2.0**-63, rng.choice([1, -1], len(a[below])) * 2.0**-64
    c[below] = SMALLEST * rng.choice([1.0, 1 + 2.0**-23, 1.5, 2.0], len(c[below]))
    found = fma(a, b, c)
    whole = [Fraction(float(x)) for x in flushed(a)], [Fraction(float(x)) for x in flushed(b)], flushed(c)
    expected = [rounded(x * y + Fraction(float(z))) for x, y, z in zip(*whole, strict=True)]
    assert found.tolist() == expected
    assert any(x == 0 for x in expected)


# --- networks of linear layers, whose numbers are products alone ----------------------------------------------------


def numbers(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> Array:
    """Numbers of both signs, of many magnitudes and with zeros."""
    x = rng.normal(size=shape) * 2.0 ** rng.uniform(-spread, spread, shape)
    return np.where(rng.random(shape) < 0.05, 0, x).astype(np.float32)


SHAPES = [
    # rows and widths
    (1, (1, 1)),
    (5, (31, 3)),
    (16, (32, 16)),
    (33, (33, 17)),
    (70, (70, 40)),
    (40, (100, 37, 5)),
    pytest.param(50, (20, 64, 70, 2), marks=pytest.mark.slow),
]
# How far from 1 factors lie: near it, far from it, and where products and their sums are subnormal, or nearly.
SCALES = {
    "near 1": (0, 2, 0),
    "of many magnitudes": (0, 12, 0),
    "nearly subnormal": (-58, 3, -58),
    "subnormal": (-63, 2, -64),
}


def problem(rows: int, widths: tuple[int, ...], scale: str) -> tuple[Array, Array, list[Array]]:
    """Parameters without biases, X, and each layer's W."""
    rng = np.random.default_rng([rows, *widths])
    of_X, spread, of_W = SCALES[scale]
    X = numbers(rng, (rows, widths[0]), spread) * np.float32(2.0**of_X)
    W = [numbers(rng, shape, spread) for shape in pairwise(widths)]
    W[0] *= np.float32(2.0**of_W)
    return np.concatenate([each.ravel() for each in W]), X, W


def parts_of(x: Array, parts: int) -> list[Array]:
    found, rest = [], flushed(x)
    for _ in range(parts):
        found.append(bfloat16(rest))
        rest = flushed(rest - found[-1])
    return found


def product(A: Array, B: Array, parts: int) -> Array:
    with np.errstate(all="ignore"):
        return tile_product(parts_of(A, parts), parts_of(B, parts)) + np.float32(0)


def outputs(X: Array, W: list[Array], parts: int) -> list[Array]:
    """A_0, A_1, ... of linear layers."""
    A = [X]
    for each in W:
        A.append(product(A[-1], each, parts))
    return A


def gradient(X: Array, W: list[Array], T: Array, parts: int) -> Array:
    """Of the mean squared error."""
    A = outputs(X, W, parts)
    delta = flushed(flushed(A[-1] - T) * np.float32(1 / len(X)))
    found = []
    for l in range(len(W) - 1, -1, -1):
        found.insert(0, product(np.ascontiguousarray(flushed(A[l]).T), delta, parts).ravel())
        delta = product(delta, np.ascontiguousarray(W[l].T), parts)
    return np.concatenate(found)


def sets() -> list[str]:
    """The instruction sets with fused multiply-adds; the others round twice where a product is subnormal."""
    from reseau import _native

    return [name for name in _native.instruction_sets() if name != "portable"] or ["portable"]


Engine = Callable[..., Array]


def in_process(name: str) -> Engine:
    """What an instruction set of this process computes: (what, precision, w, X, T, widths, threads)."""
    from reseau import _native

    def run(what: str, precision: str, w: Array, X: Array, T: Array, widths: tuple[int, ...], threads: int) -> Array:
        layers, place = [], 0
        for n_in, n_out in pairwise(widths):
            layers.append(("dense", n_in, n_out, 0, place, -1, 0.0, 0.0, -1, ()))
            place += n_in * n_out
        how = getattr(_native.Precision, precision)
        if what == "predict":
            return _native.CallerFloat32(name, layers, w, lambda: threads, how)(X, threads)
        purpose, bounds = _native.Purpose.backward, (-np.inf, np.inf)
        loss = _native.losses().index("squared_error")
        model = _native.ModelFloat32(name, layers, loss, (), True, purpose, False, how, bounds)
        model.pack(w)
        g = np.empty_like(w)
        model.gradient(X, T, None, None, 0.0, g, threads, None, None)
        return g

    return run


def check(run: Engine, precision: str, rows: int, widths: tuple[int, ...], scale: str, threads: int) -> None:
    """Outputs and gradient are those of the order, number for number."""
    w, X, W = problem(rows, widths, scale)
    parts = PRECISIONS[precision].parts
    with np.errstate(all="ignore"):
        O = outputs(X, W, parts)[-1]
        T = (O * np.random.default_rng(0).choice([0.5, 2.0], O.shape)).astype(np.float32)
        g = gradient(X, W, T, parts)
    np.testing.assert_array_equal(run("predict", precision, w, X, T, widths, threads).reshape(O.shape), O)
    np.testing.assert_array_equal(run("gradient", precision, w, X, T, widths, threads), g)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("rows", "widths"), SHAPES, ids=str)
@pytest.mark.parametrize("precision", ["bf16x3", "bf16x6"])
def test_sums_are_those_of_tile_order_on_every_instruction_set(precision, rows, widths, scale):
    for name in sets():
        check(in_process(name), precision, rows, widths, scale, threads=2)


# --- the code for matrix instructions -----------------------------------------------------------------------------

SOURCES = Path(__file__).parents[2] / "src" / "native"
HERE = Path(__file__).parent / "tiles"
FLAGS = ["-std=c++20", "-O1", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", f"-I{SOURCES}"]
AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"]
BUILDS = {
    "kernels": [*AVX512, "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-DRESEAU_ISA=isa_avx512_amx"],
    "machine": [],
    "model": [],
    "train": [],
}


def can_be_emulated() -> bool:
    """Whether the rest of that build runs here: Linux, and a processor with AVX-512 and its bfloat16."""
    from reseau import _native

    on_linux = platform.system() == "Linux" and platform.machine() == "x86_64"
    return on_linux and "avx512_bf16" in _native.instruction_sets() and shutil.which("c++") is not None


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The kernels for matrix instructions in a program of their own; takes a quarter of a minute to build, with -O1."""
    if not can_be_emulated():
        pytest.skip("the kernels for matrix instructions do not run here, not even emulated")
    folder = tmp_path_factory.mktemp("tiles")
    sources = [(SOURCES / f"{name}.cpp", flags) for name, flags in BUILDS.items()]
    sources += [(HERE / "emulator.cpp", ["-mavx2", "-mfma"]), (HERE / "driver.cpp", [])]
    for source, flags in sources:
        command = ["c++", *FLAGS, *flags, "-c", str(source), "-o", str(folder / f"{source.stem}.o")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if source.stem == "kernels" and "-mamx" in done.stderr:
            pytest.skip("the compiler knows no matrix instructions")
        assert (done.returncode, done.stderr) == (0, "")
    objects = [str(folder / f"{source.stem}.o") for source, _ in sources]
    subprocess.run(["c++", *objects, "-pthread", "-o", str(folder / "driver")], check=True)

    def run(
        what: str,
        precision: str,
        w: Array,
        X: Array,
        T: Array,
        widths: tuple[int, ...],
        threads: int,
        *,
        batch: int = 1,
        epochs: int = 1,
        activation: int = 0,
        bias: bool = False,
    ) -> Array:
        number = 1 + list(PRECISIONS).index(precision)
        words = [what, number, threads, len(X), batch, epochs, activation, int(bias), *widths]
        given = b"".join(each.tobytes() for each in ((w, X) if what == "predict" else (w, X, T)))
        command = [str(folder / "driver"), *map(str, words)]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        has_them = "amx_tile" in Path("/proc/cpuinfo").read_text()
        assert has_them or int(done.stderr) > 0
        return np.frombuffer(done.stdout, np.float32)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("rows", "widths"), SHAPES, ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_matrix_instructions_sum_in_tile_order(precision, rows, widths, scale, driver):
    check(driver, precision, rows, widths, scale, threads=2)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [513, 1061])
def test_matrix_instructions_go_on_from_one_chunk_of_rows_to_the_next(precision, rows, driver):
    check(driver, precision, rows, (40, 17), "near 1", threads=3)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_that_are_fetched_from_beyond_the_second_cache_give_the_same_sums(precision, driver):
    check(driver, precision, 40, (400, 200), "near 1", threads=1)  # over 128 KB, half of the driver's second cache


# Widths, rows, batch: tiles left over in every dimension, several chunks of rows, units shared among threads.
TRAINED = [
    ((1, 1, 1), 5, 2),
    ((30, 1, 1), 129, 33),
    ((13, 37, 5), 129, 129),
    ((300, 3), 17, 7),
    ((20, 64, 64, 2), 200, 32),
    ((33, 70, 5), 1200, 1100),
    ((97, 131, 65, 10), 301, 150),
]


@pytest.mark.slow
@pytest.mark.parametrize(("widths", "rows", "batch"), TRAINED, ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_matrix_instructions_train_is_the_same_bytes_for_any_threads_and_as_elsewhere(
    precision, widths, rows, batch, driver
):
    from reseau import _native

    rng = np.random.default_rng(rows)
    X, T = (rng.normal(size=(rows, n)).astype(np.float32) for n in (widths[0], widths[-1]))
    layers = [*(rs.Dense(n, "tanh") for n in widths[1:-1]), rs.Dense(widths[-1], "identity")]
    net = rs.Network(*layers, inputs=widths[0], seed=1, engine="native")
    tanh = _native.activations().index("tanh")
    found = {
        driver(
            "train", precision, net.parameters, X, T, widths, threads, batch=batch, epochs=2, activation=tanh, bias=True
        ).tobytes()
        for threads in (1, 2, 3)
    }
    assert len(found) == 1
    net.fit(X, T, optimizer=rs.Adam(0.01), epochs=2, batch_size=batch, shuffle=False, precision=precision)
    if precision != "bf16":
        assert found == {net.parameters.tobytes()}
        return
    # The order of the sums is another where the processor has no matrix instructions, and nothing else.
    np.testing.assert_allclose(np.frombuffer(found.pop(), np.float32), net.parameters, atol=0.02)
