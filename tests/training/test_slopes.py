"""Training on values and derivatives: the gradient, what is trained, and what it is good for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chains import CHAINS, N, chains
from numerics import EVERY_OPTIMIZER, central_difference, norm, outputs_for, smooth_problem
from test_derivatives import PARAMETERS, network_of_jax

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")


def check_gradient(net: rs.Network) -> None:
    """Hold E and its gradient against differences of errors and Jacobians."""
    w, X, T = smooth_problem(net.architecture, rows=5)
    if not w.size:
        return
    net.parameters[...] = w
    rng = np.random.default_rng(0)
    J = net.jacobian(X)
    dy, s, l2, weight = J + rng.normal(size=J.shape), rng.uniform(0.1, 2.0, 5), 0.3, 0.7

    def error(v: Any) -> float:
        net.parameters[...] = v
        slopes = ((net.jacobian(X) - dy) ** 2).sum(axis=(1, 2))
        return float(s @ (net.errors(X, T).sum(axis=1) + 0.5 * weight * slopes) / s.sum())

    def objective(v: Any) -> float:
        return error(v) + 0.5 * l2 * net.architecture.squares(v) / float(s.sum())

    numerical, exact = central_difference(objective, w), error(w)
    net.parameters[...] = w
    E, g = net.value_and_gradient(X, T, dy=dy, dy_weight=weight, sample_weight=s, l2=l2)
    assert pytest.approx(exact, rel=1e-12) == E
    assert norm(g - numerical) <= 1e-6 * max(norm(numerical), 1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_is_the_numerical_one_for_every_activation(engine, activation):
    layers = rs.Dense(4, activation), rs.Dense(3, "tanh"), rs.Dense(3, activation)
    check_gradient(rs.Network(*layers, inputs=2, dtype="float64", engine=engine))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_the_gradient_is_the_numerical_one_for_every_kind_of_layer(engine, kind, name):
    check_gradient(rs.Network(*chains(kind)[name], inputs=N, dtype="float64", engine=engine))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_the_numerical_one_for_every_loss(engine, loss):
    for output in sorted(outputs_for(loss)):
        layers = rs.Dense(4, "tanh"), rs.Dense(2, output)
        check_gradient(rs.Network(*layers, loss=loss, inputs=2, dtype="float64", engine=engine))


@pytest.mark.parametrize("widths", [(1, 1), (3, 40, 37, 1), (40, 2, 3), (2, 1, 20)])
def test_the_gradient_is_the_numerical_one_at_odd_sizes(engine, widths):
    layers = [rs.Dense(n, "silu", bias=n != 37) for n in widths[1:]]
    check_gradient(rs.Network(*layers, inputs=widths[0], dtype="float64", engine=engine))


def half_squares(O: Any, T: Any) -> Any:
    return 0.5 * (O - T) ** 2, O - T


def half_squares_of_rows(O: Any, T: Any) -> Any:
    return 0.5 * ((O - T) ** 2).sum(axis=1), O - T


@pytest.mark.parametrize("outputs", [3, 20])
@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("squared_error", "identity"),
        ("squared_error", "softmax"),
        ("huber", "tanh"),
        ("binary_cross_entropy", "sigmoid"),
        ("cross_entropy", "softmax"),
        (half_squares, "identity"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_gradient_counts_what_is_there_with_the_weight_of_its_output(engine, loss, output, outputs):
    net = rs.Network(
        rs.Dense(4, "tanh"), rs.Dense(outputs, output), loss=loss, inputs=2, dtype="float64", seed=0, engine=engine
    )
    rng, rows = np.random.default_rng(outputs), 7
    X, T = rng.normal(size=(rows, 2)), rng.uniform(0.05, 0.95, (rows, outputs))
    missing = rng.uniform(size=T.shape) < 0.3
    T = T / T.sum(axis=1, keepdims=True) if output == "softmax" else T
    missing = missing[:, :1].repeat(outputs, axis=1) if loss == "cross_entropy" else missing
    missing[3], c, s = True, np.array([0.0, *rng.uniform(0.5, 2, outputs - 1)]), rng.uniform(0.0, 2.0, rows)
    J = net.jacobian(X)
    dy, s[2] = J + rng.normal(size=J.shape), 0
    dy[1, :, 0], dy[4, 1] = np.nan, np.nan
    counts = ~np.isnan(dy) & ~missing[:, :, None]
    w, masked = net.parameters.copy(), np.where(missing, np.nan, T)

    def error(v: Any) -> float:
        net.parameters[...] = v
        of_slopes = (np.where(counts, net.jacobian(X) - dy, 0) ** 2).sum(axis=2)
        e = np.where(missing, 0, net.errors(X, T)) + 0.5 * 0.7 * of_slopes
        return float(s @ (e @ c) / s.sum())

    numerical, exact = central_difference(error, w), error(w)
    net.parameters[...] = w
    before = dy.tobytes()
    plan = {"dy": dy, "dy_weight": 0.7, "sample_weight": s, "output_weights": c, "masked_targets": True}
    E, g = net.value_and_gradient(X, masked, **plan)
    assert pytest.approx(exact, rel=1e-12) == E
    assert norm(g - numerical) <= 1e-6 * norm(numerical)
    assert dy.tobytes() == before
    history = net.fit(X, masked, **plan, epochs=1, batch_size=rows, optimizer=rs.SGD(1e-9))
    assert history.loss[0] == pytest.approx(exact, rel=1e-10)


def test_the_slopes_of_a_missing_label_do_not_count(engine):
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(3, "softmax"), loss="cross_entropy", inputs=2, seed=0, engine=engine)
    X, dy = np.array([[0.5, -1.0], [2.0, 0.0]]), np.ones((2, 3, 2))
    E, g = net.value_and_gradient(X, [2, -1], dy=dy, masked_targets=True)
    E_alone, g_alone = net.value_and_gradient(X[:1], [2], dy=dy[:1])
    assert pytest.approx(E_alone / 2, rel=1e-6) == E
    np.testing.assert_allclose(g, g_alone / 2, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("function", [half_squares, half_squares_of_rows])
def test_a_loss_of_one_s_own_learns_derivatives_like_the_one_it_repeats(engine, function):
    rng = np.random.default_rng(0)
    X, T, dy = rng.normal(size=(50, 2)), rng.normal(size=(50, 3)), rng.normal(size=(50, 3, 2))
    trained = []
    for loss in (function, "squared_error"):
        layers = rs.Dense(9, "tanh"), rs.LayerNorm("silu"), rs.Dense(3)
        net = rs.Network(*layers, loss=loss, inputs=2, dtype="float64", seed=3, engine=engine)
        history = net.fit(X, T, dy=dy, dy_weight=0.5, epochs=3, batch_size=16, validation_data=(X, T))
        trained.append((net.parameters, history.loss, history.validation_loss))
    for own, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("function", [half_squares, half_squares_of_rows])
def test_what_ends_a_run_counts_the_derivatives_beside_a_loss_of_one_s_own(engine, function):
    X, dy = np.linspace(-1, 1, 30)[:, None], np.zeros((30, 2, 1))
    net = rs.Network(rs.Dense(5, "tanh"), rs.Dense(2), loss=function, inputs=1, seed=0, engine=engine)
    with pytest.warns(RuntimeWarning, match="training has diverged"):
        history = net.fit(X, np.hstack([X, X]), dy=dy, epochs=20, optimizer=rs.SGD(1e6))
    assert history.stopped == "diverged"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_missing_ones_weights_and_losses_of_one_s_own_are_the_same_bytes_with_any_threads(native, dtype):
    rng, rows = np.random.default_rng(0), 1500
    X, T, dy = (rng.normal(size=(rows, *shape)).astype(dtype) for shape in ((2,), (3,), (3, 2)))
    T[rng.uniform(size=T.shape) < 0.2] = np.nan
    for loss in ("squared_error", half_squares):
        found = set()
        for threads in (1, 2, 3):
            net = rs.Network(rs.Dense(17, "tanh"), rs.Dense(3), loss=loss, dtype=dtype, seed=3)
            plan = {"dy": dy, "masked_targets": True, "output_weights": [1, 0.5, 2], "threads": threads}
            net.fit(X, T, **plan, epochs=2, batch_size=700)
            found.add(net.parameters.tobytes())
        assert len(found) == 1


# jax.value_and_grad of the mean, with the weights 1 and 3, of ½ |o − t|² + ½ 0.7 |jacrev(o) − dy|² of the network and
# the rows of test_derivatives.py.
T = [[0.2, 0.8], [0.6, 0.4]]
DY = [[[0.1, -0.2], [0.3, 0.0]], [[-0.5, 0.4], [0.2, 0.1]]]
E_OF_JAX = 0.21537138049593096
G_OF_JAX = [
    *(0.0363291648978732, -0.003831031151459419, -0.06507398349306566),
    *(0.006606080412931606, -0.0009010461792525315, -0.012668936971742338),
    *(0.020877170711190763, -0.0020165540296600997, -0.03620016713540067),
    *(0.06548609571716069, 0.020141713631103043, -0.015770686733775206),
    *(0.05986592063324918, -0.019939850584028314, -0.02267714016077513),
    *(0.05302464433365167, -0.05302464433365158, -0.007763234305468479, 0.007763234305468469),
    *(-0.009090386158558394, 0.009090386158558379, 0.061660632246821896, -0.061660632246821834),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
def test_the_gradient_is_that_of_jax(engine, dtype, tolerance):
    net = network_of_jax(engine, dtype)
    assert len(PARAMETERS) == len(G_OF_JAX)
    X = [[0.5, -1.0], [2.0, 0.25]]
    E, g = net.value_and_gradient(X, T, dy=DY, dy_weight=0.7, sample_weight=[1.0, 3.0])
    assert pytest.approx(E_OF_JAX, rel=10 * tolerance) == E
    np.testing.assert_allclose(g, G_OF_JAX, rtol=0, atol=tolerance)


def problem(rows: int, dtype: str = "float64") -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(rows)
    X = rng.uniform(-1, 1, size=(rows, 2)).astype(dtype)
    y = np.sin(3 * X[:, 0]) * X[:, 1]
    dy = np.stack([3 * np.cos(3 * X[:, 0]) * X[:, 1], np.sin(3 * X[:, 0])], axis=1)
    return X, y, dy


LAYERS = rs.Dense(17, "tanh"), rs.LayerNorm("silu"), rs.PReLU(), rs.Residual(rs.Dense(17, "gelu")), rs.Dense(1)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_both_engines_train_alike(native, optimizer):
    X, y, dy = problem(50)
    trained = []
    for engine in ("reference", "native"):
        net = rs.Network(*LAYERS, dtype="float64", seed=3, engine=engine)
        history = net.fit(X, y, dy=dy, dy_weight=0.5, optimizer=optimizer, epochs=3, batch_size=16, l2=0.01)
        trained.append((net.parameters, history.loss))
    (w, losses), (w_native, losses_native) = trained
    np.testing.assert_allclose(losses_native, losses, rtol=1e-8)
    np.testing.assert_allclose(w_native, w, rtol=0, atol=1e-8 * np.abs(w).max())


TREATMENTS: list[dict[str, Any]] = [
    {"accumulate": 2},
    {"accumulate": 3, "clip_norm": 0.1},
    {"clip_value": 0.01},
    {"average": 0.9},
    {"l1": 0.01, "max_norm": 0.5},
    {"layer_rates": [0.1, 1, 1, 1, 2]},
    {"optimizer": rs.Adam(rs.Cosine(0.01, warmup=0.2))},
]


@pytest.mark.parametrize("treatment", TREATMENTS, ids="-".join)
def test_both_engines_treat_gradients_by_slopes_alike(native, treatment):
    X, y, dy = problem(50)
    trained = []
    for engine in ("reference", "native"):
        net = rs.Network(*LAYERS, dtype="float64", seed=3, engine=engine)
        history = net.fit(X, y, dy=dy, dy_weight=0.5, epochs=3, batch_size=16, **treatment)
        trained.append((net.parameters, history.loss))
    (w, losses), (w_native, losses_native) = trained
    np.testing.assert_allclose(losses_native, losses, rtol=1e-8)
    np.testing.assert_allclose(w_native, w, rtol=0, atol=1e-8 * np.abs(w).max())
    untreated = rs.Network(*LAYERS, dtype="float64", seed=3)
    untreated.fit(X, y, dy=dy, dy_weight=0.5, epochs=3, batch_size=16)
    assert norm(untreated.parameters - w) > 1e-6


def test_batches_that_are_accumulated_make_the_step_of_one(engine):
    X, y, dy = problem(48)
    one, of_three = (rs.Network(*LAYERS, dtype="float64", seed=3, engine=engine) for _ in range(2))
    plan = {"dy": dy, "dy_weight": 0.5, "epochs": 2, "shuffle": False, "optimizer": rs.SGD(0.01)}
    one.fit(X, y, batch_size=48, **plan)
    of_three.fit(X, y, batch_size=16, accumulate=3, **plan)
    np.testing.assert_allclose(of_three.parameters, one.parameters, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_result_is_the_same_bytes_with_any_threads(native, dtype):
    X, y, dy = problem(1500, dtype)
    found = set()
    for threads in (1, 2, 3):
        net = rs.Network(*LAYERS, dtype=dtype, seed=3)
        net.fit(X, y, dy=dy, epochs=2, batch_size=700, threads=threads)  # in chunks of rows, with those of the pass
        E, g = net.value_and_gradient(X, y, dy=dy, threads=threads)
        found.add((net.parameters.tobytes(), E, g.tobytes()))
    assert len(found) == 1


def test_derivatives_of_weight_0_change_nothing_but_rounding(engine):
    X, y, dy = problem(40)
    with_them, without = (rs.Network(*LAYERS, dtype="float64", seed=0, engine=engine) for _ in range(2))
    with_them.fit(X, y, dy=dy, dy_weight=0, epochs=3)
    without.fit(X, y, epochs=3)
    np.testing.assert_allclose(with_them.parameters, without.parameters, rtol=0, atol=1e-10)


def test_the_loss_of_an_epoch_counts_the_derivatives(engine):
    X, y, dy = problem(20)
    net = rs.Network(rs.Dense(5, "tanh"), rs.Dense(1), inputs=2, dtype="float64", seed=0, engine=engine)
    expected = net.errors(X, y).sum() / 20 + 0.5 * 2 * ((net.jacobian(X)[:, 0] - dy) ** 2).sum() / 20
    history = net.fit(X, y, dy=dy, dy_weight=2, epochs=1, batch_size=20, optimizer=rs.SGD(1e-6))
    assert history.loss[0] == pytest.approx(expected, rel=1e-10)


def test_half_the_samples_with_their_derivatives_leave_a_smaller_error_than_all_without():
    def sampled(rows: int, seed: int) -> tuple[Any, Any, Any]:
        X = np.random.default_rng(seed + 100 * rows).uniform(-1, 1, (rows, 2))
        bell, phase = np.exp(-(X**2).sum(axis=1)), 3 * X[:, 0] + X[:, 1]
        slope = bell[:, None] * (np.cos(phase)[:, None] * [3, 1] - 2 * X * np.sin(phase)[:, None])
        return X, bell * np.sin(phase), slope

    def error(rows: int, by_slopes: bool) -> float:
        """The root of the mean square on new points, of three surrogates."""
        squares = []
        for seed in range(3):
            X, y, dy = sampled(rows, seed)
            net = rs.Network(rs.Dense(20, "tanh"), rs.Dense(20, "tanh"), rs.Dense(1), dtype="float64", seed=seed)
            net.fit(X, y, dy=dy if by_slopes else None, epochs=1500, batch_size=rows, optimizer=rs.Adam(5e-3))
            X_new, y_new, _ = sampled(2000, 9)
            squares.append(np.mean((net(X_new)[:, 0] - y_new) ** 2))
        return float(np.sqrt(np.mean(squares)))

    assert error(40, by_slopes=True) < 0.7 * error(80, by_slopes=False)


def test_a_checkpoint_goes_on_to_the_same_bytes_and_knows_the_derivatives(tmp_path):
    X, y, dy = problem(30)

    def net() -> rs.Network:
        return rs.Network(*LAYERS, dtype="float64", seed=5)

    class Stopped(Exception):
        pass

    def stop(history: rs.History) -> None:
        if history.epochs == 2:
            raise Stopped

    whole, stopped, resumed = net(), net(), net()
    whole.fit(X, y, dy=dy, dy_weight=0.5, epochs=5)
    with pytest.raises(Stopped):
        stopped.fit(X, y, dy=dy, dy_weight=0.5, epochs=5, checkpoint=tmp_path, callback=stop)
    for others in ({"dy": dy}, {"dy": dy + 1, "dy_weight": 0.5}, {}):
        with pytest.raises(rs.ReseauError):
            net().fit(X, y, epochs=5, checkpoint=tmp_path, **others)
    resumed.fit(X, y, dy=dy, dy_weight=0.5, epochs=5, checkpoint=tmp_path)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()


def test_many_networks_learn_derivatives_as_each_alone():
    X, y, dy = problem(30)

    def nets() -> list[rs.Network]:
        return [rs.Network(*LAYERS, seed=seed) for seed in range(3)]

    alone = nets()
    for net, slopes, weight in zip(alone, (dy, None, 2 * dy), (0.5, 1.0, 2.0), strict=True):
        net.fit(X, y, dy=slopes, dy_weight=weight, epochs=2)
    together = nets()
    rs.fit_many(together, X, y, dy=[dy, None, 2 * dy], dy_weight=[0.5, 1.0, 2.0], epochs=2)
    assert [net.parameters.tobytes() for net in together] == [net.parameters.tobytes() for net in alone]
    shared, one = nets(), nets()[0]
    rs.fit_many(shared, X, y, dy=dy, epochs=2)
    one.fit(X, y, dy=dy, epochs=2)
    assert shared[0].parameters.tobytes() == one.parameters.tobytes()


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"dy": np.ones((4, 3))}, rs.DataError, r"dy has shape \(4, 3\), but must be \(4, 1, 2\) or \(4, 2\)"),
        ({"dy": np.ones((3, 2))}, rs.DataError, r"dy has shape \(3, 2\)"),
        ({"dy": [[np.nan, 0.0]] * 4}, rs.DataError, "dy holds nan at row 0, column 0.*, or give masked_targets=True"),
        ({"dy": [[np.inf, 0.0]] * 4, "masked_targets": True}, rs.DataError, "dy holds inf at row 0, column 0"),
        ({"dy": "slopes"}, rs.DataError, "dy"),
        ({"dy": np.ones((4, 2)), "dy_weight": -1}, rs.ParameterError, "dy_weight is -1"),
        ({"dy": np.ones((4, 2)), "dy_weight": "much"}, rs.ParameterError, "dy_weight is 'much'"),
        ({"dy_weight": 2}, rs.ParameterError, "dy_weight is 2, but there is no dy"),
        ({"dy": np.ones((4, 2)), "precision": "bf16"}, rs.ParameterError, "precision is 'bf16', but derivatives"),
    ],
)
def test_derivatives_that_cannot_be_used_are_refused_and_nothing_changes(change, kind, said):
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1), seed=0)
    with pytest.raises(kind, match=said):
        net.fit(np.ones((4, 2)), np.ones(4), **change)
    assert not net.built


def test_dropout_and_sparse_samples_are_refused_with_derivatives():
    import scipy.sparse

    X, y, dy = problem(10)
    with pytest.raises(rs.ParameterError, match="Layer 0 has dropout, with which the outputs in training"):
        rs.Network(rs.Dense(3, "tanh", dropout=0.5), rs.Dense(1)).fit(X, y, dy=dy)
    with pytest.raises(rs.DataError, match=r"X is sparse, but derivatives \(dy\) are learnt of dense samples"):
        rs.Network(rs.Dense(3, "tanh"), rs.Dense(1)).fit(scipy.sparse.csr_matrix(X), y, dy=dy)


@pytest.mark.parametrize("method", [rs.LevenbergMarquardt, rs.BayesianRegularization])
def test_least_squares_are_refused_with_derivatives(method):
    X, y, dy = problem(10)
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(1), seed=0, dtype="float64")
    with pytest.raises(rs.ParameterError, match=f"optimizer is {method.__name__}, which is for targets alone, but dy"):
        net.fit(X, y, dy=dy, optimizer=method())
    assert not net.built
