"""Levenberg and Marquardt's method, Bayesian regularisation: certified minima, steps, ends, and what is refused."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import threadpoolctl
from strd import PROBLEMS

import reseau as rs
from reseau.training import least_squares


def problem(rows: int = 60, outputs: int = 2) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    return X, np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])][:outputs], axis=1) + 0.1 * rng.normal(size=(rows, outputs))


def small(engine: str | None = None, dtype: str = "float64", outputs: int = 2, seed: int = 0) -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(outputs), inputs=3, seed=seed, dtype=dtype, engine=engine)


# --- Levenberg and Marquardt ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", PROBLEMS)
def test_nist_s_problems_are_solved_to_eight_certified_digits_and_more(engine, name, start):
    of = PROBLEMS[name]
    net = of.network(start, engine=engine)
    history = net.fit(np.array(of.x).reshape(-1, 1), of.y, optimizer=rs.LevenbergMarquardt())
    assert of.digits(net) >= 9
    assert history.stopped == "mu_max"
    if name != "Lanczos1":  # whose residuals are the rounding of its data
        assert 2 * len(of.y) * history.loss[-1] == pytest.approx(of.rss, rel=1e-9)
    assert all(after <= before for before, after in zip(history.loss, history.loss[1:], strict=False))


def test_a_first_step_solves_the_damped_normal_equations(engine):
    X, T = problem()
    net = small(engine)
    w = net.parameters.copy()
    J, e = net.parameter_jacobian(X).reshape(-1, w.size), (net(X) - T).reshape(-1)
    damped = J.T @ J / len(X) + 1e4 * np.eye(w.size)  # so much that the step has no curve
    net.fit(X, T, optimizer=rs.LevenbergMarquardt(mu=1e4), epochs=1)
    np.testing.assert_allclose(net.parameters - w, -np.linalg.solve(damped, J.T @ e / len(X)), rtol=1e-3)


def test_the_minimum_is_the_one_that_scipy_finds_from_there(engine):
    X = np.linspace(-2, 2, 30).reshape(-1, 1)
    T = 2 / (1 + np.exp(1 - 3 * X)) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    layers = rs.Dense(1, "sigmoid"), rs.Dense(1)
    net, twin = (rs.Network(*layers, inputs=1, dtype="float64", seed=0, engine=engine) for _ in range(2))
    net.fit(X, T, optimizer="lm")

    def residuals(w: Any) -> Any:
        twin.parameters[...] = w
        return (twin(X) - T)[:, 0]

    def jacobian(w: Any) -> Any:
        twin.parameters[...] = w
        return twin.parameter_jacobian(X)[:, 0]

    found = scipy.optimize.least_squares(
        residuals, net.parameters * 1.001, jacobian, xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    np.testing.assert_allclose(net.parameters, found.x, rtol=1e-6)
    assert net.value_and_gradient(X, T)[0] <= found.cost / len(X) * (1 + 1e-14)


def test_a_row_of_weight_three_is_a_row_that_is_there_three_times(engine):
    X, T = problem()
    s = np.random.default_rng(1).integers(0, 4, len(X))
    weighted, repeated = small(engine), small(engine)
    for method in (rs.LevenbergMarquardt(), rs.BayesianRegularization()):
        plan = {"optimizer": method, "epochs": 5}
        first = weighted.fit(X, T, sample_weight=s, **plan)
        second = repeated.fit(np.repeat(X, s, axis=0), np.repeat(T, s, axis=0), **plan)
        np.testing.assert_allclose(weighted.parameters, repeated.parameters, rtol=1e-7, atol=1e-9)
        for name, values in first.state.items():
            np.testing.assert_allclose(values, second.state[name], rtol=1e-6)


def test_the_penalty_is_that_of_the_gradient(engine):
    X, T = problem()
    net = small(engine)
    net.fit(X, T, optimizer=rs.LevenbergMarquardt(), l2=0.7, sample_weight=np.linspace(0, 2, len(X)))
    _, g = net.value_and_gradient(X, T, l2=0.7, sample_weight=np.linspace(0, 2, len(X)))
    assert np.abs(g).max() < 1e-8
    _, g = net.value_and_gradient(X, T, sample_weight=np.linspace(0, 2, len(X)))
    assert np.abs(g).max() > 1e-3


def test_blocks_of_rows_and_sparse_rows_give_the_same(engine, monkeypatch):
    X, T = problem()
    X[X < 0] = 0
    plan: Any = {"optimizer": rs.LevenbergMarquardt(), "epochs": 4, "sample_weight": np.arange(len(X))}
    whole, blocks, sparse = (small(engine) for _ in range(3))
    whole.fit(X, T, **plan)
    sparse.fit(scipy.sparse.csr_matrix(X), T, **plan)
    monkeypatch.setattr(least_squares, "BLOCK", 7 * 2 * whole.n_parameters)
    blocks.fit(X, T, **plan)
    for other in (blocks, sparse):
        np.testing.assert_allclose(other.parameters, whole.parameters, rtol=1e-9)


@pytest.mark.parametrize("method", [rs.LevenbergMarquardt(), rs.BayesianRegularization()], ids=["lm", "br"])
def test_all_kinds_of_layers_and_a_row_wise_activation_are_trained(engine, method):
    X, T = problem()
    inside = (rs.Dense(4, "softmax"), rs.LayerNorm(), rs.Residual(rs.Dense(4, "tanh")), rs.Dense(3), rs.PReLU())
    net = rs.Network(*inside, rs.Dense(2, "leaky_relu"), dtype="float64", seed=1, engine=engine)
    net.build(3)
    net_before, _ = net.value_and_gradient(X, T)
    history = net.fit(X, T, optimizer=method, epochs=15)
    assert history.loss[-1] < 0.7 * net_before


def test_a_network_in_single_precision_is_trained_in_double_and_rounded(engine):
    X, T = problem()
    net, twin = small(engine, "float32"), small(engine)
    twin.parameters[...] = net.parameters
    first = net.fit(X, T, optimizer="lm", l2=0.3)
    second = twin.fit(X, T, optimizer="lm", l2=0.3)
    assert net.parameters.dtype == np.float32
    assert first.stopped == "mu_max"
    assert first.loss[-1] == pytest.approx(second.loss[-1], rel=1e-3)
    doubled = small(engine)
    doubled.parameters[...] = net.parameters
    assert first.loss[-1] == pytest.approx(doubled.value_and_gradient(X, T.astype("f4"))[0], rel=1e-12)


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_each_reason_to_stop_is_in_the_history(engine):
    X, T = problem()

    def ends(epochs: int | None = None, l2: float = 0.0, **numbers: Any) -> rs.History:
        return small(engine).fit(X, T, optimizer=rs.LevenbergMarquardt(**numbers), epochs=epochs, l2=l2)

    assert ends(l2=0.3).stopped == "mu_max"
    assert (ends(3).stopped, ends(3).epochs) == ("epochs", 3)
    by_goal = ends(goal=0.2)
    assert by_goal.stopped == "goal"
    assert by_goal.loss[-1] <= 0.2 < by_goal.loss[-2]
    by_gradient = ends(min_grad=0.05)
    assert by_gradient.stopped == "min_grad"
    assert by_gradient.state["gradient"][-1] <= 0.05 < by_gradient.state["gradient"][-2]
    assert by_gradient.loss[-1] == by_gradient.loss[-2]  # no step was made
    stops = small(engine).fit(X, T, optimizer="lm", callback=lambda history: history.epochs == 2)
    assert (stops.stopped, stops.epochs) == ("callback", 2)
    assert small(engine).fit(X, T, epochs=2).stopped == "epochs"


def test_mu_shrinks_after_a_step_and_grows_until_there_is_one(engine):
    X, T = problem()
    history = small(engine).fit(X, T, optimizer=rs.LevenbergMarquardt(mu=0.5, mu_dec=0.25, mu_inc=4.0), epochs=20)
    exponents = np.log(np.array([0.5, *history.state["mu"]]) / 0.5) / np.log(4)
    np.testing.assert_allclose(exponents, exponents.round(), atol=1e-9)
    assert np.diff(exponents).min() >= -1 - 1e-9
    assert len(history.state["mu"]) == len(history.state["gradient"]) == 20


def test_training_ends_when_the_validation_loss_has_not_fallen_for_max_fail_epochs(engine):
    X, T = problem()
    held = problem(25)[0], np.random.default_rng(9).normal(size=(25, 2))
    net = small(engine)
    history = net.fit(X, T, optimizer=rs.LevenbergMarquardt(max_fail=3), validation_data=held, keep_best=True)
    assert history.stopped == "max_fail"
    assert history.best_epoch == int(np.argmin(history.validation_loss)) + 1 == history.epochs - 3
    assert net.errors(*held).sum(axis=1).mean() == pytest.approx(history.validation_loss[history.best_epoch - 1])
    deaf = small(engine).fit(X, T, optimizer=rs.LevenbergMarquardt(max_fail=None), validation_data=held, epochs=40)
    assert deaf.stopped == "epochs"


def test_a_network_that_fits_exactly_or_has_nothing_to_learn_ends_at_once(engine):
    X, _ = problem()
    net = small(engine)
    history = net.fit(X, net(X), optimizer="lm")
    assert (history.stopped, history.epochs, history.loss) == ("goal", 1, [0.0])


@pytest.mark.parametrize("method", [rs.LevenbergMarquardt(), rs.BayesianRegularization()], ids=["lm", "br"])
def test_a_run_that_was_killed_goes_on_from_its_checkpoint_with_the_same_bytes(engine, tmp_path, method):
    X, T = problem()
    plan: Any = {"optimizer": method, "epochs": 12}
    through = small(engine)
    history = through.fit(X, T, **plan)

    def dies(history: rs.History) -> None:
        if history.epochs == 5:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small(engine).fit(X, T, checkpoint=tmp_path, callback=dies, **plan)
    again = small(engine)
    resumed = again.fit(X, T, checkpoint=tmp_path, **plan)
    assert again.parameters.tobytes() == through.parameters.tobytes()
    assert (resumed.loss, resumed.state, resumed.stopped) == (history.loss, history.state, history.stopped)
    finished = small(engine).fit(X, T, checkpoint=tmp_path, **plan)
    assert (finished.loss, finished.state, finished.stopped) == (history.loss, history.state, history.stopped)
    with pytest.raises(rs.ParameterError, match=r"its optimizer\.mu is"):
        small(engine).fit(X, T, checkpoint=tmp_path, optimizer=type(method)(mu=0.5), epochs=12)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_the_weights_of_the_last_complete_step():
    X, T = problem(20_000)
    net = rs.Network(rs.Dense(30, "tanh"), rs.Dense(2), inputs=3, seed=0, dtype="float64")
    twin = rs.Network(rs.Dense(30, "tanh"), rs.Dense(2), inputs=3, seed=0, dtype="float64")
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, T, optimizer="lm", epochs=100_000)
    met = [twin.parameters.tobytes()]

    def note(history: rs.History) -> bool:
        met.append(twin.parameters.tobytes())
        return met[-1] == net.parameters.tobytes()

    if net.parameters.tobytes() not in met:
        twin.fit(X, T, optimizer="lm", epochs=300, callback=note)
    assert net.parameters.tobytes() in met


def test_many_networks_are_trained_side_by_side_as_each_alone(engine):
    X, T = problem()
    nets, twins = [[small(engine, seed=seed) for seed in range(4)] for _ in range(2)]
    methods = ["lm", rs.BayesianRegularization(), None, rs.LevenbergMarquardt(mu=1.0)]
    plan: Any = {"optimizer": methods, "epochs": [6, 7, None, None], "l2": [0, 0, 0, 0.3]}
    histories = rs.fit_many(nets, X, T, threads=2, **plan)
    assert [history.epochs for history in histories[:3]] == [6, 7, 10]
    assert histories[3].stopped == "mu_max"
    for net, twin, method, epochs, l2 in zip(nets, twins, *plan.values(), strict=True):
        twin.fit(X, T, optimizer=method, epochs=epochs, l2=l2)
        assert net.parameters.tobytes() == twin.parameters.tobytes()


@pytest.mark.parametrize("method", ["lm", "br"])
def test_the_steps_of_a_small_network_are_the_same_whatever_the_threads_of_blas(monkeypatch, method):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (60, 2))
    y = np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])
    seen = []

    def factored(H: Any, damping: Any, original: Any = least_squares.factored) -> Any:
        libraries = threadpoolctl.threadpool_info()
        seen.append({library["num_threads"] for library in libraries if library["user_api"] == "blas"})
        return original(H, damping)

    monkeypatch.setattr(least_squares, "factored", factored)

    def trained(threads: int) -> bytes:
        net = rs.Network(rs.Dense(10, "tanh"), rs.Dense(10, "tanh"), rs.Dense(1), dtype="float64", seed=0)
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            net.fit(X, y, optimizer=method, epochs=5)
        return net.parameters.tobytes()

    assert trained(1) == trained(2)
    assert seen
    assert all(threads == {1} for threads in seen)
    monkeypatch.setattr(least_squares, "ALONE", 0)  # as if it were large
    trained(2)
    assert seen[-1] == {2}


def test_networks_side_by_side_have_the_bytes_of_each_alone_when_others_end_before_them():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (60, 2))
    y = np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])
    epochs = [5, 40, 5, 40, 10, 60, 5, 30]  # of which a thread has some, and ends before the other
    layers = rs.Dense(10, "tanh"), rs.Dense(10, "tanh"), rs.Dense(1)
    nets, twins = ([rs.Network(*layers, dtype="float64", seed=seed) for seed in range(8)] for _ in range(2))
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        rs.fit_many(nets, X, y, optimizer="br", epochs=epochs, threads=2)
        for net, twin, count in zip(nets, twins, epochs, strict=True):
            twin.fit(X, y, optimizer="br", epochs=count)
            assert net.parameters.tobytes() == twin.parameters.tobytes()


# --- Bayesian regularisation ------------------------------------------------------------------------------------------


def test_alpha_beta_and_gamma_of_a_linear_network_maximise_the_evidence(engine):
    rng = np.random.default_rng(3)
    X, w = rng.normal(size=(40, 6)), rng.normal(size=6)
    y = X @ w + 0.3 * rng.normal(size=40)
    net = rs.Network(rs.Dense(1, bias=False), inputs=6, dtype="float64", seed=0, engine=engine)
    history = net.fit(X, y, optimizer=rs.BayesianRegularization(), epochs=200)
    alpha, beta, gamma = (history.state[name][-1] for name in ("alpha", "beta", "gamma"))

    def log_evidence(logs: Any) -> Any:  # of y ~ N(0, X Xᵀ/α + I/β)
        a, b = np.exp(logs)
        C = X @ X.T / a + np.eye(40) / b
        return -0.5 * (np.linalg.slogdet(C)[1] + y @ np.linalg.solve(C, y))

    best = scipy.optimize.minimize(lambda logs: -log_evidence(logs), [0.0, 0.0], method="Nelder-Mead", tol=1e-12)
    np.testing.assert_allclose(np.log([alpha, beta]), best.x, atol=1e-5)
    eigenvalues = np.linalg.eigvalsh(beta * X.T @ X)
    assert gamma == pytest.approx((eigenvalues / (eigenvalues + alpha)).sum(), rel=1e-6)
    np.testing.assert_allclose(net.parameters, np.linalg.solve(beta * X.T @ X + alpha * np.eye(6), beta * X.T @ y))


def test_the_effective_number_of_parameters_hardly_depends_on_the_width():
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 60)
    y = np.sin(4 * x) + 0.1 * rng.normal(size=60)
    gammas = []
    for width in (10, 20):
        net = rs.Network(rs.Dense(width, "tanh"), rs.Dense(1), dtype="float64", seed=0)
        history = net.fit(x.reshape(-1, 1), y, optimizer="br", epochs=300)
        gammas.append(history.state["gamma"][-1])
        assert 1 / np.sqrt(history.state["beta"][-1]) == pytest.approx(0.1, rel=0.25)
        assert np.abs(net(x.reshape(-1, 1))[:, 0] - np.sin(4 * x)).max() < 0.15
    assert 4 < gammas[0] < 13
    assert gammas[1] == pytest.approx(gammas[0], abs=2)


# Small regressions: how many inputs and rows, the noise, and what is learnt.
NOISY: dict[str, tuple[int, int, float, Any]] = {
    "sine": (1, 60, 0.1, lambda X: np.sin(4 * X[:, 0])),
    "sinc": (1, 50, 0.1, lambda X: np.sinc(3 * X[:, 0])),
    "step": (1, 60, 0.2, lambda X: np.tanh(8 * X[:, 0])),
    "line": (1, 30, 0.3, lambda X: 1 + 2 * X[:, 0]),
    "damped": (1, 80, 0.15, lambda X: np.exp(-X[:, 0] - 1) * np.cos(6 * X[:, 0])),
    "product": (2, 80, 0.1, lambda X: 2 * X[:, 0] * X[:, 1]),
    "bump": (2, 100, 0.1, lambda X: np.exp(-4 * (X**2).sum(axis=1))),
    "ripple": (2, 120, 0.2, lambda X: np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1])),
    "friedman": (5, 120, 0.2, lambda X: np.sin(np.pi * X[:, 0] * X[:, 1]) + X[:, 2] ** 2 + (2 * X[:, 3] + X[:, 4]) / 4),
    "quadratic": (3, 80, 0.2, lambda X: X[:, 0] ** 2 - X[:, 1] + X[:, 2] * X[:, 0] / 2),
}


@pytest.mark.slow
def test_without_validation_rows_bayesian_regularisation_is_better_on_fresh_rows_than_early_stopping_with_some():
    ratios = []
    for number, (inputs, rows, noise, f) in enumerate(NOISY.values()):
        errors = {"lm": 0.0, "br": 0.0}
        for seed in range(3):
            rng = np.random.default_rng([seed, number])
            X, fresh = rng.uniform(-1, 1, (rows, inputs)), rng.uniform(-1, 1, (1000, inputs))
            y = f(X) + noise * rng.normal(size=rows)
            cut = 4 * rows // 5
            stopping: Any = {"validation_data": (X[cut:], y[cut:]), "keep_best": True}
            for name, learnt, plan in (("lm", slice(cut), stopping), ("br", slice(None), {})):
                net = rs.Network(rs.Dense(12, "tanh"), rs.Dense(1), dtype="float64", seed=seed)
                net.fit(X[learnt], y[learnt], optimizer=name, epochs=300, **plan)
                errors[name] += float(((net(fresh)[:, 0] - f(fresh)) ** 2).mean())
        ratios.append(errors["br"] / errors["lm"])
    assert np.exp(np.mean(np.log(ratios))) < 0.8
    assert sum(ratio <= 1 for ratio in ratios) >= 8


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mu", 0, "mu is 0, but must be a finite number above 0"),
        ("mu_dec", 1.0, "mu_dec is 1.0, but must be a finite number above 0 and below 1"),
        ("mu_inc", 1, "mu_inc is 1, but must be a finite number above 1"),
        ("mu_max", 1e-4, "mu_max is 0.0001, but must be a finite number at least 0.001"),
        ("min_grad", -1, "min_grad is -1, but must be a finite number at least 0"),
        ("goal", "x", "goal is 'x'"),
        ("max_fail", 0, "max_fail is 0, but must be a whole number of at least 1, or None"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(name, value, words):
    with pytest.raises(rs.ParameterError, match=words):
        rs.LevenbergMarquardt(**{name: value})


@pytest.mark.parametrize(
    ("layers", "loss", "options", "words"),
    [
        ((rs.Dense(1, "sigmoid"),), "binary_cross_entropy", {}, "is for loss='squared_error', but .* 'binary_cross"),
        ((rs.Dense(2, "tanh", dropout=0.5), rs.Dense(1)), "squared_error", {}, "layer 1 drops at random"),
        ((rs.Dense(100_000), rs.Dense(1)), "squared_error", {}, "3 matrices of 500,001 × 500,001 numbers, 6,000 GB"),
        ((rs.Dense(1),), "squared_error", {"precision": "bf16"}, "precision is 'bf16'"),
        ((rs.Dense(1),), "squared_error", {"l2": 0.1, "optimizer": "br"}, "l2 is 0.1, but Bayesian"),
        ((rs.Dense(1),), "squared_error", {"optimizer": "trainlm"}, r"Did you mean 'lm' \(trainlm\)"),
        ((rs.Dense(1),), "squared_error", {"optimizer": rs.LevenbergMarquardt}, "must be an optimizer"),
    ],
)
def test_what_least_squares_cannot_train_is_refused_before_anything_is_built(layers, loss, options, words):
    net = rs.Network(*layers, loss=loss)
    with pytest.raises(rs.ParameterError, match=words):
        net.fit(np.ones((5, 2 if len(layers) == 1 else 3)), np.ones(5), **{"optimizer": "lm", **options})
    assert not net.built


def test_a_loss_that_is_not_finite_at_the_start_is_said_and_nothing_changes(engine):
    net = rs.Network(rs.Dense(1, "exponential", bias=False), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 1000.0
    with pytest.warns(RuntimeWarning, match="diverged: the loss is inf at step 1 of epoch 1.*Begin with other weights"):
        history = net.fit([[1.0], [2.0]], [1.0, 2.0], optimizer="lm")
    assert (history.diverged, history.stopped, net.parameters.tolist()) == (1, "diverged", [1000.0])


def test_an_error_whose_sum_overflows_ends_no_bayesian_regularisation(engine):
    X, y = problem()
    net = small(engine)
    history = net.fit(X, y / np.abs(y).max() * 1.5e154, optimizer="br", epochs=3)
    assert history.epochs == 3
    assert np.isfinite(history.state["alpha"]).all()
    assert min(history.state["beta"]) > 0


def test_a_blackboard_shows_steps_of_optimizers_alone():
    net = small()
    with pytest.raises(rs.ParameterError, match=r"optimizer is LevenbergMarquardt\(.* but must be an optimizer"):
        net.blackboard(np.ones((1, 3)), np.ones((1, 2)), optimizer=rs.LevenbergMarquardt())


def test_targets_that_are_missing_and_weights_of_outputs_count_as_in_the_gradient(engine, monkeypatch):
    X, T = problem()
    T[::3, 1] = np.nan
    weights: Any = {"output_weights": [1.0, 3.0], "masked_targets": True, "sample_weight": np.linspace(0, 2, len(X))}
    net, blocks = small(engine), small(engine)
    net.fit(X, T, optimizer="lm", l2=0.7, **weights)
    _, g = net.value_and_gradient(X, T, l2=0.7, **weights)
    assert np.abs(g).max() < 1e-7
    monkeypatch.setattr(least_squares, "BLOCK", 7 * 2 * net.n_parameters)
    net = small(engine)
    for one, epochs in ((net, 4), (blocks, 4)):
        monkeypatch.setattr(least_squares, "BLOCK", 2**21 if one is net else 7 * 2 * net.n_parameters)
        one.fit(X, T, optimizer="lm", epochs=epochs, **weights)
    np.testing.assert_allclose(net.parameters, blocks.parameters, rtol=1e-8)
