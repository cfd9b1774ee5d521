"""Precisions: products of bfloat16 and of sums of bfloat16, whatever computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numerics import targets_for
from scipy import sparse

import reseau as rs
from reseau.engine import equations
from reseau.vocabulary.layers import Architecture, Dense
from reseau.vocabulary.precisions import PRECISIONS, Split, bfloat16


def test_rounding_to_bfloat16_takes_the_nearest_and_of_two_as_near_the_even_one():
    rng = np.random.default_rng(0)
    special = np.float32([0.0, -0.0, 1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 3.4e38, 1e-45])
    x = np.concatenate([rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32), special])
    x = x[np.isfinite(x)]
    # The bfloat16 on both sides of x: its first digits, and the next number's; beyond the largest lies infinity.
    below = x.view(np.uint32) & np.uint32(0xFFFF0000)
    above = below + np.uint32(0x10000)
    next_in_line = np.where(
        np.isinf(above.view(np.float32)), np.copysign(2.0**128, x.astype(float)), above.view(np.float32)
    )
    distances = np.abs(below.view(np.float32).astype(float) - x), np.abs(next_in_line - x)
    goes_up = (distances[1] < distances[0]) | ((distances[1] == distances[0]) & ((above >> 16) % 2 == 0))
    assert bfloat16(x).view(np.uint32).tolist() == np.where(goes_up, above, below).tolist()
    assert bfloat16(np.float32([np.inf, -np.inf])).tolist() == [np.inf, -np.inf]
    assert np.isnan(bfloat16(np.float32([np.nan, -np.nan]))).all()


def test_a_number_is_the_sum_of_its_parts_to_the_digits_they_have():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    x = np.concatenate([x[np.isfinite(x)], np.float32([3.4028235e38, -3.4028235e38, 3.3961776e38, 0.0])])
    x = x[(np.abs(x) > 1e-30) | (x == 0)]  # whose parts are normal numbers
    with np.errstate(over="raise", invalid="raise"):
        for parts, digits in ((2, 16), (3, 24)):
            found = Split.of(x, parts).parts
            assert all((bfloat16(part) == part).all() for part in found)
            left = x.astype(float) - np.sum([part.astype(float) for part in found], axis=0)
            assert (np.abs(left) <= 2.0 ** (-digits) * np.abs(x)).all()
            assert parts < 3 or not left.any()


def exact_problem(widths: tuple[int, ...], rows: int) -> tuple[np.ndarray, Architecture, dict[str, Any]]:
    """Parameters and samples of whole numbers, of which every product's factors have at most 8 bits."""
    rng = np.random.default_rng([rows, *widths])
    architecture = Architecture(widths[0], tuple(Dense(n, "identity") for n in widths[1:]), "squared_error")
    w = rng.choice([-1.0, 1.0], architecture.n_parameters)
    w *= rng.random(architecture.n_parameters) < 2 / max(widths)  # few, so that sums stay small
    X = rng.choice([0, 0, 1], (rows, widths[0])).astype(float)
    T = rng.integers(5, 7, (rows, widths[-1])).astype(float)
    weights = np.ones(rows)
    weights[: 2 ** int(np.ceil(np.log2(rows))) - rows] = 2  # so that the mean is over a power of two
    forward = equations.trace(architecture, w, X)
    deltas, _ = equations.backward(architecture, w, forward, weights[:, None] / weights.sum() * (forward.O - T))
    for factor in [w, *forward.A[:-1], *deltas]:
        assert (bfloat16(factor.astype(np.float32)) == factor).all()
    return w, architecture, {"X": X, "y": T, "sample_weight": weights, "batch_size": rows}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [1, 2, 7, 64, 65, 130, 520])
@pytest.mark.parametrize("widths", [(3, 5), (7, 1, 2), (16, 32, 16), (13, 37, 33, 5), (1, 65, 130, 3)], ids=str)
def test_where_all_factors_are_bfloat16_anyway_a_step_is_that_of_full_precision(widths, rows, precision, engine):
    w, architecture, samples = exact_problem(widths, rows)
    after = []
    for each in (None, precision):
        net = rs.Network(*architecture.layers, inputs=widths[0], seed=0, engine=engine)
        net.parameters[...] = w
        net.fit(**samples, optimizer=rs.SGD(1.0), epochs=1, shuffle=False, precision=each)
        after.append(net.parameters.copy())
    assert (after[0] != w).any()
    assert (after[0] == after[1]).all()


# How far the gradient may be from that of exact products, least and most.
ERRORS = {"bf16": (1e-4, 0.05), "bf16x3": (3e-7, 1e-4), "bf16x6": (0, 1e-6)}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "softmax", "gelu"])
@pytest.mark.parametrize("rows", [1, 33, 600])
def test_the_products_of_a_step_are_of_parts_and_nothing_else_changes(activation, rows, precision, engine):
    rng = np.random.default_rng(rows)
    layers = [rs.Dense(37, activation), rs.Dense(21, "tanh"), rs.Dense(3, "softmax")]
    net = rs.Network(*layers, loss="cross_entropy", inputs=11, seed=0, engine=engine)
    X, y, before = rng.normal(size=(rows, 11)), rng.integers(0, 3, rows), net.parameters.astype(float)
    net.fit(X, y, optimizer=rs.SGD(1.0), epochs=1, batch_size=rows, shuffle=False, precision=precision)

    def rounded(A: np.ndarray) -> Split:
        parts = Split.of(A.astype(np.float32), PRECISIONS[precision].parts).parts
        return Split([part.astype(float) for part in parts])

    T = np.eye(3)[y]
    _, g = equations.value_and_gradient(net.architecture, before, X, T, rounded=rounded)
    _, exact = equations.value_and_gradient(net.architecture, before, X, T)
    step = before - net.parameters
    # A factor in the middle of two bfloat16 may go the other way in float32, but few do; without rounding all differ.
    # Beside that stands the rounding of float32, in the parameters and in the sums.
    rounding = 1e-6 * (np.linalg.norm(exact) + np.linalg.norm(before) / 16)
    assert np.linalg.norm(step - g) < 0.05 * np.linalg.norm(exact - g) + rounding
    least, most = ERRORS[precision]
    assert least <= np.linalg.norm(exact - g) / np.linalg.norm(exact) < most


def trained(
    rows: int, widths: tuple[int, ...], batch_size: int, precision: str, **options: Any
) -> tuple[bytes, list[float]]:
    rng = np.random.default_rng(rows)
    layers = [rs.Dense(n, "relu", dropout=0.2) for n in widths[1:-1]]
    net = rs.Network(*layers, rs.Dense(widths[-1], "identity"), inputs=widths[0], seed=1, engine="native")
    X, T = rng.normal(size=(rows, widths[0])), targets_for("squared_error", rows, widths[-1], rng)
    history = net.fit(X, T, epochs=3, batch_size=batch_size, precision=precision, **options)
    return net.parameters.tobytes(), history.loss


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("widths", "rows", "batch_size"),
    [((13, 37, 5), 129, 129), ((20, 64, 64, 2), 200, 32), ((97, 131, 65, 10), 301, 150), ((33, 130, 7), 1200, 1100)],
    ids=str,
)
def test_weights_are_the_same_bytes_for_any_number_of_threads(widths, rows, batch_size, precision):
    assert len({str(trained(rows, widths, batch_size, precision, threads=threads)) for threads in (1, 2, 3, 7)}) == 1


@pytest.mark.parametrize("precision", PRECISIONS)
def test_training_reaches_what_full_precision_reaches(precision, engine):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 8)).astype("float32")
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)
    reached = []
    for each in (None, precision):
        net = rs.Network(
            rs.Dense(32, "tanh"), rs.Dense(2, "softmax"), loss="cross_entropy", inputs=8, seed=0, engine=engine
        )
        reached.append(net.fit(X, y, optimizer=rs.Adam(0.01), epochs=30, precision=each).loss[-1])
    assert reached[0] < 0.1
    assert reached[1] == pytest.approx(reached[0], rel=0.1)
    assert reached[1] != reached[0]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_divergence_is_told_as_in_full_precision(precision, engine):
    X, T = np.full((8, 3), 1e6), np.full((8, 2), -1e6)
    net = rs.Network(rs.Dense(5, "relu"), rs.Dense(2, "identity"), inputs=3, seed=0, engine=engine)
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="training has diverged"):
        net.fit(X, T, optimizer=rs.SGD(1.0), epochs=20, precision=precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_computes_in_float64_has_no_bfloat16(precision):
    net = rs.Network(rs.Dense(1), inputs=1, dtype="float64")
    told = rf"precision is '{precision}', but the network has dtype float64"
    with pytest.raises(rs.ParameterError, match=told):
        net.fit([[1.0]], [1.0], precision=precision)
    with pytest.raises(rs.ParameterError, match=told):
        net([[1.0]], precision=precision)


def test_another_precision_is_refused_with_the_ones_there_are():
    net = rs.Network(rs.Dense(1), inputs=1)
    with pytest.raises(
        rs.ParameterError, match=r"precision is 'fp16', which is unknown\..*Known: bf16, bf16x3, bf16x6\."
    ):
        net.fit([[1.0]], [1.0], precision="fp16")
    for other in ("fp16", "", 16, ["bf16"], np.float32):
        with pytest.raises(rs.ParameterError, match=r"precision is .*which is unknown.*Known: bf16, bf16x3, bf16x6\."):
            net([[1.0]], precision=other)


# --- outputs ------------------------------------------------------------------------------------------------------


def a_network(engine: str, inputs: int = 21) -> rs.Network:
    layers = [rs.Dense(37, "tanh"), rs.Dense(70, "relu"), rs.Dense(3, "softmax")]
    return rs.Network(*layers, loss="cross_entropy", inputs=inputs, seed=0, engine=engine)


@pytest.mark.parametrize(
    ("precision", "least", "most"), [("bf16", 1e-5, 0.01), ("bf16x3", 1e-8, 1e-5), ("bf16x6", 0, 2e-6)]
)
def test_outputs_in_a_precision_are_as_near_as_it_is(precision, least, most, engine):
    net = a_network(engine)
    X = np.random.default_rng(0).normal(size=(200, 21))
    exact = net(X)
    found = net(X, precision=precision)
    assert found.dtype == np.float32
    assert least <= np.abs(found - exact).max() < most
    assert net(X).tobytes() == exact.tobytes()  # without it, nothing changes


@pytest.mark.parametrize("precision", PRECISIONS)
def test_outputs_follow_the_parameters_and_take_any_rows(precision, engine):
    net = a_network(engine)
    X = np.random.default_rng(0).normal(size=(9, 21))
    before = net(X, precision=precision)
    assert net(X.tolist(), precision=precision).tolist() == before.tolist()
    assert net(sparse.csr_array(X), precision=precision).shape == (9, 3)
    assert net(X[:0], precision=precision).shape == (0, 3)
    net.parameters[...] *= 2
    assert (net(X, precision=precision) != before).any()
    with pytest.raises(rs.DataError):
        net(np.full((1, 21), np.nan), precision=precision)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_is_predicted_to_the_same_bytes_in_any_batch_in_a_precision(precision):
    net = a_network("native")
    X = np.random.default_rng(0).normal(size=(150, 21))
    whole = net(X, precision=precision)
    for size in (1, 3, 8, 17, 65):
        for threads in (1, 2):
            pieces = [net(X[i : i + size], precision=precision, threads=threads) for i in range(0, 150, size)]
            assert np.concatenate(pieces).tobytes() == whole.tobytes(), size


@pytest.mark.parametrize("precision", ["bf16x3", "bf16x6"])
def test_what_float32_holds_makes_no_nan_where_factors_are_split(precision, engine):
    largest, tiny = np.finfo(np.float32).max, np.finfo(np.float32).smallest_normal
    net = rs.Network(rs.Dense(4, "identity", bias=False), inputs=4, seed=0, engine=engine)
    net.layers[0].W[...] = np.diag([0.5, largest, 1.0, tiny])
    X = np.diag([largest, 0.25, 1e-40, largest])
    with np.errstate(all="ignore"):
        O = net(X, precision=precision)
    assert np.isfinite(O).all()
    # Beside the largest numbers, the parts that are left out of a tiny factor are subnormal, and count as zero.
    np.testing.assert_allclose(np.diag(O)[[0, 1]], [largest / 2, largest / 4], rtol=2e-5)
    np.testing.assert_allclose(O[3, 3], float(largest) * float(tiny), rtol=2**-8)
    assert abs(O[2, 2]) <= tiny
