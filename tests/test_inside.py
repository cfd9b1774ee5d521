"""The numbers of every layer, and how the error follows them."""

from __future__ import annotations

import numpy as np
import pytest
from chains import CHAINS, N, chains
from numerics import central_difference, norm, outputs_for, smooth_problem, whole

import reseau as rs
from reseau.engine import equations
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
    of_all = net.activations(X, threads=1)
    assert of_all[-1].tobytes() == net(X).tobytes()
    for A, of_two, of_some in zip(of_all, net.activations(X, threads=2), net.activations(X[7:9]), strict=True):
        assert of_two.tobytes() == A.tobytes()
        assert of_some.tobytes() == A[7:9].tobytes()


def check_layer_gradients(net: rs.Network) -> None:
    """Hold ∂E/∂A_l against differences of the errors of what follows layer l, computed by the equations."""
    w, X, T = smooth_problem(net.architecture, rows=3)
    net.parameters[...] = w
    found = net.layer_gradients(X, T)
    architecture = net.architecture
    forward = equations.trace(architecture, w, X)
    views = architecture.views(w)

    def error_from(l: int, A_l: np.ndarray) -> float:
        A = [*forward.A[:l], A_l]
        Z = forward.Z[-1]
        for k in range(l, len(architecture.layers)):
            layer = architecture.layers[k]
            Z = layer.scores(A[k], views[k])
            own = layer.sigma.value(Z)
            A.append(own + A[k + 1 - layer.residual] if layer.residual else own)
        return float(architecture.error.value(A[-1], whole(architecture, T)).sum())

    for l, G in enumerate(found, start=1):
        numerical = central_difference(lambda A, l=l: error_from(l, A), forward.A[l], h=1e-6).reshape(G.shape)
        assert norm(G - numerical) <= 1e-5 * max(norm(numerical), 1e-3)


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_the_gradient_by_each_layer_is_the_numerical_one_for_every_kind_of_layer(engine, kind, name):
    check_layer_gradients(rs.Network(*chains(kind)[name], inputs=N, dtype="float64", engine=engine))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_by_each_layer_is_the_numerical_one_for_every_loss(engine, loss):
    for output in sorted(outputs_for(loss)):
        layers = rs.Dense(4, "tanh"), rs.Dense(3, "silu"), rs.Dense(3 * LOSSES[loss].per_target, output)
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


@pytest.mark.parametrize("loss", LOSSES)
def test_a_missing_target_adds_nothing_to_the_gradients(engine, loss):
    outputs = {LOSSES[loss].output} | ({"softmax"} if loss == "squared_error" else set())
    n = 3 * LOSSES[loss].per_target
    for output in sorted(outputs):
        net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(n, output), loss=loss, inputs=2, dtype="float64", engine=engine)
        w, X, T = smooth_problem(net.architecture, rows=4)
        net.parameters[...] = w
        missing = np.array([[False] * 3, [True] * 3, [False, True, False], [True, False, True]])
        missing = missing[:, :1].repeat(3, axis=1) if LOSSES[loss].distribution else missing
        masked = np.where(missing, np.nan, T)
        by_A, by_O = net.layer_gradients(X, masked, masked_targets=True)
        of_outputs = whole(net.architecture, missing)
        np.testing.assert_array_equal(by_O, np.where(of_outputs, 0, net.layer_gradients(X, T)[1]))
        J = rs.Network(rs.Dense(n, output), inputs=4, dtype="float64", engine=engine)
        J.parameters[...] = w[-J.n_parameters :]
        by_rows = J.vjp(net.activations(X)[0], by_O)
        np.testing.assert_allclose(by_A, by_rows, rtol=1e-10, atol=1e-12)


def test_a_missing_label_adds_nothing_to_the_gradients(engine):
    net = rs.Network(rs.Dense(3, "softmax"), loss="cross_entropy", inputs=2, seed=0, engine=engine)
    X = [[0.5, -1.0], [2.0, 0.0]]
    by_labels, of_all = net.layer_gradients(X, [2, -1], masked_targets=True), net.layer_gradients(X, [2, 0])
    np.testing.assert_array_equal(by_labels[0], [of_all[0][0], [0, 0, 0]])
    with pytest.raises(rs.DataError, match=r"y holds nan .*, or give masked_targets=True"):
        net.layer_gradients(X, [2, np.nan])


@pytest.mark.parametrize("output", ["identity", "softmax", "sigmoid"])
def test_the_gradients_of_a_loss_of_one_s_own_are_those_of_the_one_it_repeats(engine, output):
    def squares(O, T):
        return 0.5 * (O - T) ** 2, O - T

    layers = rs.Dense(40, "tanh"), rs.LayerNorm("silu"), rs.Dense(3, output)
    own, theirs = (
        rs.Network(*layers, loss=loss, inputs=2, dtype="float64", seed=0, engine=engine)
        for loss in (squares, "squared_error")
    )
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(300, 2)), rng.uniform(size=(300, 3))
    T[5], T[7, 1] = np.nan, np.nan
    told = own.layer_gradients(X, T, masked_targets=True)
    for G, expected in zip(told, theirs.layer_gradients(X, T, masked_targets=True), strict=True):
        np.testing.assert_allclose(G, expected, rtol=1e-10, atol=1e-15)


def test_samples_and_targets_that_cannot_be_used_are_refused():
    net = rs.Network(rs.Dense(1), inputs=2)
    with pytest.raises(rs.DataError, match="X holds nan"):
        net.activations([[np.nan, 1.0]])
    with pytest.raises(rs.ParameterError, match="scores is 'yes'"):
        net.activations([[0.0, 1.0]], scores="yes")
    with pytest.raises(rs.DataError, match="X has 1 rows but y has 2 rows"):
        net.layer_gradients([[0.0, 1.0]], [1.0, 2.0])


def on_rows(net: rs.Network, X: object) -> tuple[list[list[str]], list[str]]:
    """What the summary says of each layer's numbers on these rows, and its advice."""
    lines = net.summary(X).splitlines()
    L = len(net.layers)
    assert lines[0].split()[-3:] == ["flat", "stuck", "parameters"]
    cells = [line.replace(" %", "%").split()[-3:-1] for line in lines[1 : L + 1]]
    return cells, lines[L + 2 :]


def test_the_summary_counts_dead_neurons_and_says_what_to_do(engine):
    net = rs.Network(rs.Dense(4, "relu"), rs.Dense(1), inputs=1, dtype="float64", engine=engine)
    # z = x, −x, −1 and −2: on x in (0, 4) half of the numbers are flat in the first two, and the last two are dead.
    net.layers[0].W[...] = [[1.0, -1.0, 0.0, 0.0]]
    net.layers[0].b[...] = [0.0, 0.0, -1.0, -2.0]
    cells, advice = on_rows(net, [[1.0], [2.0], [-1.0], [-2.0]])
    assert cells == [["75%", "2"], ["-", "-"]]
    (line,) = advice
    assert line.startswith("Layer 1: 2 of 4 neurons (relu) are dead: the slope is 0 on all of these rows")
    assert "smaller learning rate" in line


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softsign"])
def test_the_summary_counts_saturated_neurons_and_says_what_to_do(engine, activation):
    net = rs.Network(rs.Dense(2, activation), rs.Dense(1), inputs=1, engine=engine)
    net.layers[0].W[...] = [[1e-3, 9.0]]
    net.layers[0].b[...] = 0
    cells, advice = on_rows(net, [[1.0], [-2.0], [3.0]])
    assert cells == [["50%", "1"], ["-", "-"]]
    assert advice[0].startswith(f"Layer 1: 1 of 2 neurons ({activation}) is saturated: the slope is next to 0")


def test_a_share_is_0_or_100_percent_only_where_it_is_exactly_that():
    net = rs.Network(rs.Dense(1, "relu"), rs.Dense(1), inputs=1, seed=0)
    net.layers[0].W[...] = 1
    X = np.ones((1000, 1))
    assert on_rows(net, X)[0][0] == ["0%", "0"]
    X[0] = -1
    assert on_rows(net, X)[0][0] == ["1%", "0"]
    assert on_rows(net, -X)[0][0] == ["99%", "0"]
    assert on_rows(net, -np.ones((9000, 1)))[0][0] == ["100%", "1"]


def test_a_healthy_network_is_given_no_advice_and_rows_of_softmax_are_not_judged(engine):
    pairs = ("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "binary_cross_entropy")
    for output, loss in pairs:
        layers = rs.Dense(20, "tanh"), rs.LayerNorm(), rs.Dense(2, output)
        net = rs.Network(*layers, loss=loss, inputs=3, seed=0, engine=engine)
        net.layers[-1].b[...] = [50.0, -50.0]
        cells, advice = on_rows(net, np.random.default_rng(0).normal(size=(200, 3)))
        assert [cell[1] for cell in cells] == ["0", "0", "-"]
        assert advice == []


def test_the_last_layer_is_judged_where_its_slope_counts():
    net = rs.Network(rs.Dense(1, "sigmoid"), loss="squared_error", inputs=1)
    net.parameters[...] = [0.0, 50.0]
    cells, advice = on_rows(net, [[1.0], [2.0]])
    assert cells == [["100%", "1"]]
    assert "saturated" in advice[0] or "dead" in advice[0]  # 1 − a is 0 in float32


def test_the_summary_without_samples_is_as_it_was():
    net = rs.Network(rs.Dense(2, "tanh"), rs.Dense(1), inputs=3)
    assert "flat" not in net.summary()
    with pytest.raises(rs.DataError, match="X has 2 columns"):
        net.summary([[1.0, 2.0]])
