"""The gradient and the Jacobian: against numerical differentiation, and the engines against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numerics import (
    RoundingBounds,
    central_difference,
    norm,
    outputs_for,
    smooth_problem,
    targets_for,
    uniform_network,
    whole,
)

import reseau as rs
from reseau import engine as engines
from reseau.engine import equations, reference
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Architecture, Dense
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")

POSITIONS = ("hidden first", "hidden middle", "output")
# The outputs each loss is not defined for, found by trying, so that the table is not its own judge.
OUTSIDE = [(loss, name) for loss in LOSSES for name in ACTIVATIONS.keys() - outputs_for(loss)]


def layers_with(activation: str, loss: str, position: str, bias: bool) -> tuple[Dense, ...]:
    """4, 3 and 3 neurons with the activation in its place, else tanh, and the loss's own output at the end.

    The last has 3 for each of the outputs that the loss has for a target.
    """
    places = {"hidden first": 0, "hidden middle": 1, "output": 2}
    names = ["tanh", "tanh", LOSSES[loss].output]
    names[places[position]] = activation
    return tuple(Dense(n, name, bias=bias) for n, name in zip((4, 3, 3 * LOSSES[loss].per_target), names, strict=True))


def mean_error(engine: str, architecture: Architecture, w: Any, X: Any, T: Any) -> float:
    """E from the errors alone, without the code of the gradient."""
    return float(engines.get(engine).errors(architecture, w, X, whole(architecture, T), 1).sum(axis=1).mean())


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_is_the_numerical_one_for_every_activation_loss_and_position(
    engine, activation, loss, position, bias
):
    layers = layers_with(activation, loss, position, bias)
    if position == "output" and (loss, activation) in OUTSIDE:
        with pytest.raises(rs.ParameterError, match="is defined for outputs in"):
            rs.Network(*layers, loss=loss, inputs=3, engine=engine)
        return
    net = rs.Network(*layers, loss=loss, inputs=3, dtype="float64", engine=engine)
    w, X, T = smooth_problem(net.architecture, rows=5)
    net.parameters[...] = w
    E, g = net.value_and_gradient(X, T)
    numerical = central_difference(lambda v: mean_error(engine, net.architecture, v, X, T), w)
    assert norm(numerical) > 1e-3  # or the relative error would say nothing
    assert norm(g - numerical) < 1e-6 * norm(numerical)
    assert pytest.approx(mean_error(engine, net.architecture, w, X, T), rel=1e-14) == E


@pytest.mark.parametrize("loss", LOSSES)
def test_the_weights_of_samples_and_the_l2_penalty_are_in_the_gradient(engine, loss):
    net = rs.Network(
        *layers_with("silu", loss, "hidden first", True), loss=loss, inputs=3, dtype="float64", engine=engine
    )
    w, X, T = smooth_problem(net.architecture, rows=6)
    net.parameters[...] = w
    s, l2 = np.array([0.0, 3.0, 0.5, 1.0, 2.0, 0.25]), 0.8
    is_weight = np.ones(w.size, dtype=bool)
    for view in net.architecture.views(is_weight):
        view["b"][...] = False

    def objective(v: Any) -> float:
        E = engines.get(engine).errors(net.architecture, v, X, whole(net.architecture, T), 1).sum(axis=1)
        return float((s @ E + 0.5 * l2 * np.sum(v[is_weight] ** 2)) / s.sum())

    E, g = net.value_and_gradient(X, T, sample_weight=s, l2=l2)
    numerical = central_difference(objective, w)
    assert norm(g - numerical) < 1e-6 * norm(numerical)
    assert pytest.approx(np.average(net.errors(X, T).sum(axis=1), weights=s), rel=1e-14) == E


def test_a_weight_of_two_is_the_same_as_the_row_twice(engine):
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(2, "identity"), inputs=3, dtype="float64", seed=1, engine=engine)
    _, X, T = smooth_problem(net.architecture, rows=4)
    twice = [0, 0, 1, 2, 3, 3]
    E, g = net.value_and_gradient(X, T, sample_weight=[2, 1, 1, 2], l2=0.3)
    E_twice, g_twice = net.value_and_gradient(X[twice], T[twice], l2=0.3)
    assert pytest.approx(E_twice, rel=1e-14) == E
    assert norm(g - g_twice) <= 1e-14 * norm(g_twice)


def test_labels_and_their_one_hot_rows_are_the_same_targets(engine):
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(3, "softmax"), loss="cross_entropy", inputs=2, seed=3, engine=engine)
    X, labels = np.random.default_rng(0).normal(size=(7, 2)), np.array([0, 1, 2, 2, 1, 0, 2])
    E, g = net.value_and_gradient(X, labels)
    E_hot, g_hot = net.value_and_gradient(X, np.eye(3)[labels])
    assert E_hot == E
    assert g.tobytes() == g_hot.tobytes()
    assert net.errors(X, labels).tobytes() == net.errors(X, np.eye(3)[labels]).tobytes()


def test_the_cross_entropy_of_log_softmax_is_that_of_softmax(engine):
    X, labels = np.random.default_rng(0).normal(0, 3, size=(9, 4)), np.arange(9) % 3
    found = {}
    for output in ("softmax", "log_softmax"):
        net = rs.Network(rs.Dense(3, output), loss="cross_entropy", inputs=4, dtype="float64", seed=0, engine=engine)
        found[output] = net.errors(X, labels), *net.value_and_gradient(X, np.eye(3)[labels])
    (e, E, g), (e_log, E_log, g_log) = found.values()
    np.testing.assert_allclose(e_log, e, rtol=1e-13, atol=1e-15)
    assert E_log == pytest.approx(E, rel=1e-13)
    np.testing.assert_allclose(g_log, g, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "pair",
    [
        ("squared_error", "identity"),
        ("binary_cross_entropy", "sigmoid"),
        ("cross_entropy", "softmax"),
        ("poisson", "exponential"),
    ],
)
def test_the_simplified_pairs_stay_exact_where_the_output_saturates(engine, pair):
    loss, output = pair
    net = rs.Network(rs.Dense(2, output), loss=loss, inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = [300.0, -300.0, 0.0, 0.0]
    T = [[0.0, 1.0]]  # as wrong as can be
    E, g = net.value_and_gradient([[1.0]], T)
    O = net([[1.0]])
    assert np.isfinite(E)
    np.testing.assert_array_equal(g.reshape(2, 2), np.vstack([O - T, O - T]))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_jacobian_is_the_numerical_one_for_every_activation(engine, activation):
    net = rs.Network(
        rs.Dense(4, activation), rs.Dense(3, "tanh"), rs.Dense(3, activation), inputs=2, dtype="float64", engine=engine
    )
    w, X, _ = smooth_problem(net.architecture, rows=4)
    net.parameters[...] = w
    J = net.jacobian(X)
    assert J.shape == (4, 3, 2)
    for row in range(4):
        numerical = central_difference(lambda x: net(x[None, :])[0], X[row])
        assert norm(J[row] - numerical) < 1e-6 * max(norm(numerical), 1e-3)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_jacobian_of_the_parameters_is_the_numerical_one_for_every_activation(engine, activation, bias):
    layers = (rs.Dense(4, activation, bias=bias), rs.Dense(3, "tanh"), rs.Dense(3, activation, bias=bias))
    net = rs.Network(*layers, inputs=2, dtype="float64", engine=engine)
    w, X, _ = smooth_problem(net.architecture, rows=4)
    net.parameters[...] = w
    J = net.parameter_jacobian(X)
    assert J.shape == (4, 3, w.size)

    def outputs(v: Any) -> Any:
        return engines.get(engine).predictor(net.architecture, v, lambda: 1)(X, None)

    numerical = central_difference(outputs, w)
    for row in range(4):
        assert norm(J[row] - numerical[row]) < 1e-6 * max(norm(numerical[row]), 1e-3)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("output", ["identity", "softmax", "log_softmax", "softplus"])
@pytest.mark.parametrize("widths", [(3, 2), (20, 1, 3), (13, 37, 5), (1, 1, 2), (100, 4, 16, 33), (3, 129, 2)])
def test_the_jacobian_of_the_parameters_makes_the_gradient_of_each_row(engine, widths, output, precision):
    # of E = ½ Σ_j (t_j − o_j)², which is (o − t) J
    architecture = uniform_network(widths, "tanh", output, "squared_error", bias=True)
    net = rs.Network(architecture.layers, inputs=widths[0], dtype=precision, seed=1, engine=engine)
    rng = np.random.default_rng(widths)
    X, T = rng.normal(size=(67, widths[0])).astype(precision), rng.normal(size=(67, widths[-1])).astype(precision)
    J = net.parameter_jacobian(X)
    assert J.dtype == precision
    residuals = (net(X) - T).astype(np.float64)
    for r in range(67):
        _, g = net.value_and_gradient(X[r : r + 1], T[r : r + 1])
        size = norm(J[r]) * norm(residuals[r])
        assert norm(residuals[r] @ J[r].astype(np.float64) - g) <= 30 * max(widths) * np.finfo(precision).eps * size


def test_the_jacobian_of_the_parameters_finds_a_line_of_least_squares_in_one_step_of_gauss_and_newton(engine):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    net = rs.Network(rs.Dense(1), inputs=4, dtype="float64", seed=0, engine=engine)
    J, residuals = net.parameter_jacobian(X)[:, 0, :], net(X)[:, 0] - y
    net.parameters[...] -= np.linalg.lstsq(J, residuals, rcond=None)[0]
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(30)]), y, rcond=None)[0]
    np.testing.assert_allclose(net.parameters, exact, rtol=1e-12)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_both_engines_are_within_rounding_of_the_exact_result_for_every_activation(engine, activation, loss, precision):
    layers = layers_with(activation, loss, "hidden first", bias=True)
    architecture = Architecture(5, layers, loss)
    w, X, T = smooth_problem(architecture, rows=9)
    check_against_exact(engine, architecture, w, X, T, precision)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 7, 17, 33, 129])
@pytest.mark.parametrize("widths", [(30, 1, 1), (13, 37, 5), (1000, 3), (1, 1, 1), (16, 64, 32, 8), (3, 129, 2)])
def test_both_engines_are_within_rounding_of_the_exact_result_for_odd_sizes(engine, widths, rows, precision):
    rng = np.random.default_rng([rows, *widths])
    for loss, output, bias in (("squared_error", "sigmoid", True), ("binary_cross_entropy", "sigmoid", False)):
        architecture = uniform_network(widths, "tanh", output, loss, bias)
        w = rng.normal(0.0, 1.0, architecture.n_parameters) / np.sqrt(max(widths))
        X = rng.normal(0.0, 1.0, (rows, widths[0]))
        T = targets_for(loss, rows, widths[-1], rng)
        check_against_exact(engine, architecture, w, X, T, precision, s=rng.uniform(0.1, 2.0, rows), l2=0.7)


def check_against_exact(
    engine: str, architecture: Architecture, w: Any, X: Any, T: Any, precision: str, s: Any = None, l2: float = 0.0
) -> None:
    """Compare all that an engine computes with the reference in float64, on numbers that float32 can hold."""
    module = engines.get(engine)
    w, X, T = (a.astype(np.float32).astype(np.float64) for a in (w, X, whole(architecture, T)))
    w_, X_, T_ = (a.astype(precision) for a in (w, X, T))
    bounds = RoundingBounds(architecture, w, X, T, precision)
    rows = X.shape[0]

    O = module.predictor(architecture, w_, lambda: 2)(X_, None)
    assert O.dtype == precision
    assert O.shape == (rows, architecture.outputs)
    assert norm(O - reference.forward(architecture, w, X)) <= bounds.outputs

    e, exact_e = module.errors(architecture, w_, X_, T_, 2), reference.errors(architecture, w, X, T, 1)
    assert e.dtype == precision
    assert e.shape == O.shape
    assert norm(e - exact_e) <= bounds.errors

    for weights, penalty in ((None, 0.0), (s, l2)):
        total = float(rows) if weights is None else float(weights.sum())
        share = np.full(rows, 1 / total) if weights is None else weights / total
        E, g = module.gradient(architecture, w_, X_, T_, weights, penalty, 2)
        exact_E, exact_g = reference.gradient(architecture, w, X, T, weights, penalty, 1)
        assert g.dtype == precision
        assert g.shape == w.shape
        assert abs(E - exact_E) <= bounds.errors + 2 * O.size * bounds.eps * abs(exact_E)
        assert norm(g - exact_g) <= bounds.gradient(share, penalty / total)

    J = module.jacobian(architecture, w_, X_, 2)
    assert J.dtype == precision
    assert J.shape == (rows, architecture.outputs, architecture.inputs)
    assert norm(J - reference.jacobian(architecture, w, X, 1)) <= bounds.jacobian()


def test_the_bounds_on_rounding_are_small_enough_to_catch_a_wrong_term():
    architecture = uniform_network((13, 37, 5), "tanh", "sigmoid", "squared_error", bias=True)
    rng = np.random.default_rng(0)
    w = rng.normal(0.0, 1.0, architecture.n_parameters) / np.sqrt(37)
    X, T = rng.normal(size=(17, 13)), rng.normal(size=(17, 5))
    share = np.full(17, 1 / 17)
    _, g = reference.gradient(architecture, w, X, T, None, 0.0, 1)
    _, without_last_row = reference.gradient(architecture, w, X[:-1], T[:-1], None, 0.0, 1)
    missing = norm(g - without_last_row * 16 / 17)
    assert RoundingBounds(architecture, w, X, T, "float32").gradient(share) < missing
    assert RoundingBounds(architecture, w, X, T, "float64").gradient(share) < 1e-8 * missing


@pytest.mark.parametrize("rows", [1, 5, 33])
def test_inputs_of_the_other_precision_are_read_as_they_are(engine, rows):
    rng = np.random.default_rng(rows)
    X = rng.normal(size=(rows, 6)).astype(np.float32)
    for precision in ("float32", "float64"):
        net = rs.Network(rs.Dense(9, "tanh"), rs.Dense(2, "identity"), inputs=6, dtype=precision, seed=0, engine=engine)
        assert net(X).tobytes() == net(X.astype(np.float64)).tobytes()


def test_the_derivatives_live_on_strict_array_api_arrays_as_on_numpy():
    xp = pytest.importorskip("array_api_strict")
    for activation in ACTIVATIONS:
        for loss, entry in LOSSES.items():
            architecture = uniform_network((3, 4, 3 * entry.per_target), activation, entry.output, loss, bias=True)
            w, X, T = smooth_problem(architecture, rows=4)
            T, s = whole(architecture, T), np.array([1.0, 0.5, 2.0, 1.0])
            E, g = equations.value_and_gradient(architecture, w, X, T, s, 0.1)
            E_strict, g_strict = equations.value_and_gradient(architecture, *(xp.asarray(a) for a in (w, X, T, s)), 0.1)
            assert E_strict == pytest.approx(E, rel=1e-14), (activation, loss)
            assert norm(np.from_dlpack(g_strict) - g) <= 1e-14 * norm(g), (activation, loss)
