"""Products of derivatives with vectors: against the Jacobian, numerical differentiation and JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chains import CHAINS, N, chains
from numerics import norm, smooth_problem

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("error")


def check_products(net: rs.Network, rows: int = 6) -> None:
    """Hold all products against the Jacobian, and that of the Hessian against differences of Jacobians."""
    w, X, _ = smooth_problem(net.architecture, rows)
    net.parameters[...] = w
    J = net.jacobian(X)
    rng = np.random.default_rng(0)
    v, u = rng.normal(size=X.shape), rng.normal(size=J.shape[:2])
    np.testing.assert_allclose(net.jvp(X, v), np.einsum("roi,ri->ro", J, v), rtol=0, atol=1e-13 * norm(J) * norm(v))
    np.testing.assert_allclose(net.vjp(X, u), np.einsum("roi,ro->ri", J, u), rtol=0, atol=1e-13 * norm(J) * norm(u))
    h = 1e-5
    numerical = (net.jacobian(X + h * v) - net.jacobian(X - h * v)) / (2 * h)
    H = net.hessian_vector(X, v)
    assert H.shape == J.shape
    assert norm(H - numerical) <= 1e-6 * max(norm(numerical), 1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_products_are_those_of_the_jacobian_and_of_its_differences_for_every_activation(engine, activation):
    layers = (rs.Dense(4, activation), rs.Dense(3, "tanh"), rs.Dense(3, activation))
    check_products(rs.Network(*layers, inputs=2, dtype="float64", engine=engine))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_products_are_those_of_the_jacobian_and_of_its_differences_for_every_kind_of_layer(engine, kind, name):
    check_products(rs.Network(*chains(kind)[name], inputs=N, dtype="float64", engine=engine))


@pytest.mark.parametrize("widths", [(1, 1), (3, 1), (40, 2), (5, 37, 17), (20, 3, 33, 2), (130, 9)])
def test_products_are_right_at_odd_sizes(engine, widths):
    layers = [rs.Dense(n, "silu") for n in widths[1:]]
    check_products(rs.Network(*layers, inputs=widths[0], dtype="float64", engine=engine))


# jax.jvp, jax.vjp and jax.jvp of jax.jacrev (jax 0.4 to 0.7, float64), one row at a time, of
# softmax(gelu(γ (a − mean(a))/√(var(a) + 1e-5) + β) W2 + b2), a = silu(x W1 + b1), gelu with approximate=False.
PARAMETERS = [
    *(0.5, -1.0, 0.25, 1.5, 0.75, -0.5, 0.1, -0.2, 0.3),
    *(1.5, 0.5, -1.0, 0.1, 0.2, 0.3),
    *(1.0, -0.5, 0.5, 2.0, -1.5, 0.25, 0.0, 0.5),
]
X = [[0.5, -1.0], [2.0, 0.25]]
JVP = [[-0.005085858425651088, 0.0050858584256510886], [0.05196676476126714, -0.05196676476126704]]
VJP = [[0.0008565316469411504, -0.003386127995767749], [0.0033411921793839814, 0.04064566966064236]]
HVP = [
    [[-0.021713404706914952, -0.02793302868896877], [0.021713404706914973, 0.027933028688968763]],
    [[0.05166940860285149, 0.7122861738847749], [-0.051669408602851574, -0.7122861738847746]],
]


def network_of_jax(engine: str | None = None, dtype: str = "float64") -> rs.Network:
    layers = rs.Dense(3, "silu"), rs.LayerNorm("gelu"), rs.Dense(2, "softmax")
    net = rs.Network(*layers, inputs=2, dtype=dtype, engine=engine)
    net.parameters[...] = PARAMETERS
    return net


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-5)])
def test_products_are_those_of_jax(engine, dtype, tolerance):
    net = network_of_jax(engine, dtype)
    v, u = [1.0, -2.0], [0.5, 2.0]
    for found, expected in ((net.jvp(X, v), JVP), (net.vjp(X, u), VJP), (net.hessian_vector(X, v), HVP)):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_s_products_are_the_same_bytes_in_any_batch_and_with_any_threads(native, dtype):
    link = rs.Residual(rs.Dense(65, "silu"))
    layers = rs.Dense(65, "tanh"), rs.LayerNorm("gelu"), rs.PReLU(), link, rs.Dense(3, "softmax")
    net = rs.Network(*layers, inputs=7, dtype=dtype, seed=0)
    rng = np.random.default_rng(1)
    X, v, u = rng.normal(size=(301, 7)), rng.normal(size=(301, 7)), rng.normal(size=(301, 3))
    for product, vectors in ((net.jvp, v), (net.vjp, u), (net.hessian_vector, v)):
        whole = product(X, vectors, threads=1)
        assert np.isfinite(whole).all()
        assert product(X, vectors, threads=2).tobytes() == whole.tobytes()
        for rows in (slice(0, 1), slice(3, 8), slice(100, 201)):
            assert product(X[rows], vectors[rows]).tobytes() == whole[rows].tobytes()


def test_one_vector_stands_for_all_rows(engine):
    net = network_of_jax(engine)
    for product, vector in ((net.jvp, [1.0, -2.0]), (net.vjp, [0.5, 2.0]), (net.hessian_vector, [1.0, -2.0])):
        assert product(X, vector).tobytes() == product(X, [vector] * len(X)).tobytes()


def test_the_hessian_of_straight_lines_is_0_and_that_of_every_output_is_symmetric(engine):
    lines = rs.Network(rs.Dense(9, "relu"), rs.Dense(4), inputs=3, seed=0, engine=engine)
    assert not lines.hessian_vector([[0.5, -1.0, 2.0]], [1.0, 2.0, 3.0]).any()
    net = rs.Network(rs.Dense(9, "tanh"), rs.Dense(4, "softmax"), inputs=3, dtype="float64", seed=0, engine=engine)
    H = np.stack([net.hessian_vector([[0.5, -1.0, 2.0]], unit)[0] for unit in np.eye(3)], axis=-1)
    assert norm(H) > 0.1
    np.testing.assert_allclose(H, H.transpose(0, 2, 1), rtol=0, atol=1e-15 * norm(H) * 10)


@pytest.mark.parametrize(
    ("product", "vector", "said"),
    [
        (
            "jvp",
            [1.0],
            r"v has shape \(1,\), but must be \(2, 2\), a number for each input of each row of X, or \(2,\)",
        ),
        ("jvp", [[1.0, 2.0]], r"v has shape \(1, 2\)"),
        ("vjp", np.ones((2, 3)), r"u has shape \(2, 3\), but must be \(2, 2\), a number for each output"),
        ("hessian_vector", [[[1.0, 2.0]]], r"v has shape \(1, 1, 2\)"),
        ("jvp", [1.0, np.nan], "v holds nan at row 1"),
        ("hessian_vector", [[1.0, 2.0], [np.inf, 0.0]], "v holds inf at row 1, column 0"),
        ("vjp", ["a", "b"], "u holds 'a'"),
        ("jvp", None, "v "),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(product, vector, said):
    with pytest.raises(rs.DataError, match=said):
        getattr(network_of_jax(), product)(X, vector)


def test_products_of_samples_that_cannot_be_used_are_refused():
    net: Any = network_of_jax()
    with pytest.raises(rs.DataError, match="X has 3 columns, but the network has 2 inputs"):
        net.jvp(np.ones((1, 3)), [1.0, 2.0])
    with pytest.raises(rs.ReseauError, match="does not know its inputs"):
        rs.Network(rs.Dense(1)).vjp(X, [1.0])
