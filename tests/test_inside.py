"""The numbers of every layer, and how the error follows them."""

from __future__ import annotations

import numpy as np
import pytest
from chains import CHAINS, N, chains
from numerics import central_difference, norm, outputs_for, smooth_problem

import reseau as rs
from reseau.engine import reference
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_the_numbers_of_each_layer_are_those_of_the_network_that_ends_there(engine, kind, name):
    layers = rs.Network(*chains(kind)[name], inputs=N).architecture.layers
    net = rs.Network(*layers, inputs=N, dtype="float64", seed=1, engine=engine)
    X = np.random.default_rng(0).normal(size=(9, N))
    found = net.activations(X)
    assert [A.shape[1] for A in found] == list(net.architecture.widths[1:])
    for l, (A, Z) in enumerate(zip(found, net.activations(X, scores=True), strict=True), start=1):
        part = rs.Network(*layers[:l], inputs=N, dtype="float64", engine=engine)
        part.parameters[...] = net.parameters[: part.n_parameters]
        assert A.tobytes() == part(X).tobytes()
        passed = layers[l - 1].sigma.value(Z)
        start = l - layers[l - 1].residual
        passed = passed + [X, *found][start] if layers[l - 1].residual else passed
        np.testing.assert_allclose(A, passed, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_the_same_bytes_in_any_batch_and_with_any_threads(native, dtype):
    net = rs.Network(rs.Dense(70, "gelu"), rs.LayerNorm(), rs.Dense(3, "softmax"), inputs=5, dtype=dtype, seed=0)
    X = np.random.default_rng(0).normal(size=(400, 5))
    whole = net.activations(X, threads=1)
    assert whole[-1].tobytes() == net(X).tobytes()
    for A, of_two, of_some in zip(whole, net.activations(X, threads=2), net.activations(X[7:9]), strict=True):
        assert of_two.tobytes() == A.tobytes()
        assert of_some.tobytes() == A[7:9].tobytes()


def check_layer_gradients(net: rs.Network) -> None:
    """Hold ∂E/∂A_l against differences of the errors of what follows layer l, computed by the equations."""
    w, X, T = smooth_problem(net.architecture, rows=3)
    net.parameters[...] = w
    found = net.layer_gradients(X, T)
    architecture = net.architecture
    forward = reference.trace(architecture, w, X)
    views = architecture.views(w)

    def error_from(l: int, A_l: np.ndarray) -> float:
        A = [*forward.A[:l], A_l]
        Z = forward.Z[-1]
        for k in range(l, len(architecture.layers)):
            layer = architecture.layers[k]
            Z = layer.scores(A[k], views[k])
            own = layer.sigma.value(Z)
            A.append(own + A[k + 1 - layer.residual] if layer.residual else own)
        return float(architecture.error.value(A[-1], T).sum())

    for l, G in enumerate(found, start=1):
        numerical = central_difference(lambda A, l=l: error_from(l, A), forward.A[l], h=1e-6).reshape(G.shape)
        assert norm(G - numerical) <= 1e-5 * max(norm(numerical), 1e-3)


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_the_gradient_by_each_layer_is_the_numerical_one_for_every_kind_of_layer(engine, kind, name):
    check_layer_gradients(rs.Network(*chains(kind)[name], inputs=N, dtype="float64", engine=engine))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_by_each_layer_is_the_numerical_one_for_every_loss(engine, loss):
    for output in sorted(outputs_for(loss)):
        layers = rs.Dense(4, "tanh"), rs.Dense(3, "silu"), rs.Dense(3, output)
        check_layer_gradients(rs.Network(*layers, loss=loss, inputs=2, dtype="float64", engine=engine))


def test_the_gradient_by_each_layer_makes_that_of_the_weights(engine):
    net = rs.Network(rs.Dense(6, "tanh"), rs.Dense(2), inputs=3, dtype="float64", seed=2, engine=engine)
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    A, O = net.activations(X)
    by_A, by_O = net.layer_gradients(X, T)
    (dW1, db1), (dW2, _) = net.gradient(X, T)
    np.testing.assert_allclose(by_O, O - T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(dW2, A.T @ by_O / 50, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dW1, X.T @ (by_A * (1 - A * A)) / 50, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(db1, (by_A * (1 - A * A)).mean(axis=0), rtol=1e-12, atol=1e-14)


def test_labels_are_targets_too(engine):
    net = rs.Network(rs.Dense(3, "softmax"), loss="cross_entropy", inputs=2, seed=0, engine=engine)
    X, labels = [[0.5, -1.0], [2.0, 0.0]], [2, 0]
    by_labels, by_rows = net.layer_gradients(X, labels), net.layer_gradients(X, np.eye(3)[labels])
    assert by_labels[0].tobytes() == by_rows[0].tobytes()


def test_samples_and_targets_that_cannot_be_used_are_refused():
    net = rs.Network(rs.Dense(1), inputs=2)
    with pytest.raises(rs.DataError, match="X holds nan"):
        net.activations([[np.nan, 1.0]])
    with pytest.raises(rs.ParameterError, match="scores is 'yes'"):
        net.activations([[0.0, 1.0]], scores="yes")
    with pytest.raises(rs.DataError, match="X has 1 rows but y has 2 rows"):
        net.layer_gradients([[0.0, 1.0]], [1.0, 2.0])
