"""fit: epochs, batches, validation, callbacks, weights, seeds, and what it refuses."""

from __future__ import annotations

import signal

import numpy as np
import pytest

import reseau as rs
from reseau.training.fit import Fit
from reseau.training.settings import Settings
from reseau.vocabulary.optimizers import OPTIMIZERS


def problem(rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    return X, np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)


def small(engine: str | None = None, seed: int | None = 0, dtype: str = "float32", **options) -> rs.Network:
    return rs.Network(rs.Dense(6, "tanh"), rs.Dense(2, "identity"), seed=seed, dtype=dtype, engine=engine, **options)


# --- what it does -------------------------------------------------------------------------------------------------


def test_fit_infers_the_inputs_and_lowers_the_loss(engine):
    X, T = problem()
    net = small(engine)
    assert not net.built
    history = net.fit(X, T, epochs=60, optimizer=rs.Adam(0.02))
    assert net.architecture.inputs == 3
    assert history.epochs == len(history.loss) == 60
    assert all(isinstance(value, float) for value in history.loss)
    assert history.loss[-1] < 0.2 * history.loss[0]
    assert history.validation_loss == []
    assert history.seconds > 0


def test_the_default_is_adam_for_ten_epochs_of_batches_of_32(engine):
    X, T = problem()
    net, other = small(engine), small(engine)
    history = net.fit(X, T)
    assert history.epochs == 10
    other.fit(
        X, T, optimizer=rs.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8), epochs=10, batch_size=32
    )
    assert net.parameters.tobytes() == other.parameters.tobytes()


def test_the_seed_fixes_every_byte(engine):
    X, T = problem()
    first, again, other = small(engine, 5), small(engine, 5), small(engine, 6)
    histories = [net.fit(X, T, epochs=4, batch_size=7) for net in (first, again, other)]
    assert first.parameters.tobytes() == again.parameters.tobytes()
    assert histories[0].loss == histories[1].loss
    assert first.parameters.tobytes() != other.parameters.tobytes()


def test_two_fits_of_a_network_take_different_orders(engine):
    X, T = problem()
    net = small(engine, inputs=3)
    start = net.parameters.copy()
    losses = []
    for _ in range(2):
        net.parameters[...] = start
        losses.append(net.fit(X, T, epochs=1, batch_size=4).loss)
    assert losses[0] != losses[1]


def test_fitting_again_goes_on_from_the_present_parameters(engine):
    X, T = problem()
    net = small(engine, dtype="float64")
    plan = {"optimizer": rs.SGD(0.1), "batch_size": 8, "shuffle": False}
    net.fit(X, T, epochs=3, **plan)
    middle = net.parameters.copy()
    net.fit(X, T, epochs=2, **plan)
    through = small(engine, dtype="float64")
    through.fit(X, T, epochs=5, **plan)
    np.testing.assert_array_equal(net.parameters, through.parameters)  # plain gradient descent remembers nothing else
    assert not np.array_equal(middle, net.parameters)


def test_views_taken_before_a_fit_see_its_result(engine):
    X, T = problem()
    net = small(engine, inputs=3)
    vector, W = net.parameters, net.layers[0].W
    before = W.copy()
    net.fit(X, T, epochs=1)
    assert net.parameters is vector
    assert not np.array_equal(W, before)
    assert np.shares_memory(W, net.parameters)


def test_one_epoch_over_all_rows_is_one_step(engine):
    X, T = problem()
    net, other = small(engine, dtype="float64", inputs=3), small(engine, dtype="float64", inputs=3)
    history = net.fit(X, T, optimizer=rs.SGD(0.3), epochs=1, batch_size=1000, shuffle=False)
    assert history.loss[0] == pytest.approx(other.step(X, T, learning_rate=0.3), rel=1e-14)
    np.testing.assert_allclose(net.parameters, other.parameters, rtol=1e-13, atol=1e-15)


def test_the_loss_of_an_epoch_is_the_mean_over_rows_as_met_on_the_way(engine):
    X, T = problem(10)
    net, twin = small(engine, dtype="float64", inputs=3), small(engine, dtype="float64", inputs=3)
    loss = net.fit(X, T, optimizer=rs.SGD(0.1), epochs=1, batch_size=4, shuffle=False).loss[0]
    met = [twin.step(X[a:b], T[a:b], learning_rate=0.1) * (b - a) for a, b in ((0, 4), (4, 8), (8, 10))]
    assert loss == pytest.approx(sum(met) / 10, rel=1e-13)


def test_validation_is_the_mean_error_after_each_epoch(engine):
    X, T = problem()
    net = small(engine, dtype="float64")
    seen = []
    history = net.fit(
        X[:30],
        T[:30],
        epochs=3,
        validation_data=(X[30:], T[30:]),
        callback=lambda history: seen.append(net.errors(X[30:], T[30:]).sum(axis=1).mean()),
    )
    np.testing.assert_allclose(history.validation_loss, seen, rtol=1e-14)


def test_validation_rows_count_by_their_weights(engine):
    X, T = problem()
    weights = np.random.default_rng(3).uniform(0, 2, len(T) - 30)
    net, seen = small(engine=engine), []
    history = net.fit(
        X[:30],
        T[:30],
        epochs=3,
        validation_data=(X[30:], T[30:], weights),
        callback=lambda history: seen.append(np.average(net.errors(X[30:], T[30:]).sum(axis=1), weights=weights)),
    )
    np.testing.assert_allclose(history.validation_loss, seen, rtol=1e-6)


def test_validation_and_callbacks_change_nothing_in_the_training(engine):
    X, T = problem()
    nets = [small(engine) for _ in range(3)]
    plans = [{}, {"validation_data": (X, T)}, {"callback": lambda history: None}]
    losses = [net.fit(X, T, epochs=4, batch_size=9, **plan).loss for net, plan in zip(nets, plans, strict=True)]
    assert losses[0] == losses[1] == losses[2]
    assert len({net.parameters.tobytes() for net in nets}) == 1


def test_the_callback_sees_each_epoch_and_stops_by_returning_true(engine):
    X, T = problem()
    seen = []

    def stop(history: rs.History) -> bool:
        seen.append(history.epochs)
        return history.epochs == 3

    history = small(engine).fit(X, T, epochs=50, callback=stop)
    assert seen == [1, 2, 3]
    assert history.epochs == 3


@pytest.mark.parametrize("every_epoch", [False, True])
def test_a_network_that_is_built_anew_while_it_is_trained_is_said(engine, every_epoch):
    X, T = problem()
    net = small(engine)

    def build(history: rs.History) -> None:
        if every_epoch or history.epochs == 3:
            net.build(X.shape[1])

    with pytest.raises(rs.ReseauError, match=r"built anew while it was trained.*has none of this training"):
        net.fit(X, T, epochs=3, callback=build)
    net.fit(X, T, epochs=3)


def test_an_error_in_the_callback_reaches_the_caller_and_leaves_whole_epochs(engine):
    X, T = problem()
    net, twin = small(engine), small(engine)

    def fail(history: rs.History) -> None:
        if history.epochs == 2:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        net.fit(X, T, epochs=5, callback=fail)
    twin.fit(X, T, epochs=2)
    assert net.parameters.tobytes() == twin.parameters.tobytes()


@pytest.mark.parametrize("answer", [True, np.bool_(True), np.array(True), np.float32(0.1) < 1], ids=repr)
def test_the_truth_of_a_library_stops_too(answer):
    X, T = problem()
    assert small().fit(X, T, epochs=5, callback=lambda history: answer).epochs == 1


@pytest.mark.parametrize(
    "answer",
    [False, np.bool_(False), np.array(False), None, 1, 0, 1.0, "stop", "", [True], np.array([True, True])],
    ids=repr,
)
def test_whatever_else_a_callback_returns_lets_training_go_on(answer):
    X, T = problem()
    assert small().fit(X, T, epochs=3, callback=lambda history: answer).epochs == 3


def test_ctrl_c_leaves_the_last_complete_epoch_and_a_network_that_can_be_trained(engine):
    X, T = problem()
    net, twin = small(engine), small(engine)

    def interrupt(history: rs.History) -> None:
        if history.epochs == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.fit(X, T, epochs=50, callback=interrupt, validation_data=(X, T), keep_best=True)
    twin.fit(X, T, epochs=3)
    assert net.parameters.tobytes() == twin.parameters.tobytes()
    assert net.fit(X, T, epochs=30).loss[-1] < twin.errors(X, T).sum(axis=1).mean()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_ctrl_c_within_an_epoch_of_the_reference_engine_leaves_whole_epochs():
    X, T = problem(200)
    net, twin = small("reference", inputs=3), small("reference", inputs=3)
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, T, epochs=1_000_000, batch_size=5)
    finally:
        signal.signal(signal.SIGALRM, before)
    met = [twin.parameters.tobytes()]
    twin.fit(X, T, epochs=200, batch_size=5, callback=lambda history: met.append(twin.parameters.tobytes()))
    assert net.parameters.tobytes() in met


def test_shuffling_changes_the_way_but_not_shuffling_takes_rows_as_they_come(engine):
    X, T = problem()
    plain, shuffled = small(engine), small(engine)
    assert (
        plain.fit(X, T, epochs=1, batch_size=4, shuffle=False).loss != shuffled.fit(X, T, epochs=1, batch_size=4).loss
    )


def test_rows_with_weight_zero_do_not_count(engine):
    X, T = problem(12)
    s = np.array([1.0, 0.0, 2.0, 1.0] * 3)
    kept = s > 0
    nets = [small(engine, dtype="float64") for _ in range(2)]
    plan = {"optimizer": rs.SGD(0.1), "epochs": 3, "shuffle": False}
    X_spoilt = X.copy()
    X_spoilt[~kept] = 1e6
    weighted = nets[0].fit(X_spoilt, T, sample_weight=s, batch_size=4, **plan)
    plain = nets[1].fit(X[kept], T[kept], sample_weight=s[kept], batch_size=3, **plan)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(weighted.loss, plain.loss, rtol=1e-12)


def test_a_batch_without_weight_takes_no_step(engine):
    X, T = problem(8)
    nets = [small(engine, dtype="float64") for _ in range(2)]
    plan = {"optimizer": rs.Adam(0.1), "epochs": 2, "batch_size": 4, "shuffle": False}
    nets[0].fit(X, T, sample_weight=[1, 1, 1, 1, 0, 0, 0, 0], **plan)
    nets[1].fit(X[:4], T[:4], **plan)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-12, atol=1e-14)


def test_l2_draws_the_weights_to_zero_and_leaves_the_biases(engine):
    X, T = np.zeros((4, 3)), np.full((4, 2), 5.0)
    net = rs.Network(rs.Dense(2, "identity"), seed=0, dtype="float64", inputs=3, engine=engine)
    W = net.layers[0].W.copy()
    net.fit(X, T, optimizer=rs.SGD(0.5), epochs=1, batch_size=4, l2=0.8)
    np.testing.assert_allclose(net.layers[0].W, W * (1 - 0.5 * 0.8 / 4), rtol=1e-14)
    np.testing.assert_allclose(net.layers[0].b, 0.5 * 5, rtol=1e-14)  # b − γ ∂E/∂b = 0 − ½ (0 − 5)


def test_the_recorded_loss_leaves_the_penalty_out(engine):
    X, T = problem(8)
    losses = [
        small(engine, dtype="float64").fit(X, T, optimizer=rs.SGD(0.1), epochs=1, batch_size=8, l2=l2).loss[0]
        for l2 in (0.0, 100.0)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-14)


def test_labels_train_as_their_one_hot_rows(engine):
    X, _ = problem()
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    nets = [
        rs.Network(rs.Dense(5, "relu"), rs.Dense(3, "softmax"), loss="cross_entropy", seed=2, engine=engine)
        for _ in range(2)
    ]
    losses = [net.fit(X, y, epochs=3).loss for net, y in zip(nets, (labels, np.eye(3)[labels]), strict=True)]
    assert losses[0] == losses[1]
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_a_diverging_fit_warns_and_names_the_epoch_and_the_learning_rate(engine):
    X, T = problem()
    with pytest.warns(RuntimeWarning) as caught:
        history = small(engine).fit(100 * X, T, optimizer=rs.SGD(1e30), epochs=5)
    mine = [str(w.message) for w in caught if "diverged" in str(w.message)]
    assert len(mine) == 1
    assert "learning rate (now 1e+30)" in mine[0]
    first = next(i for i, value in enumerate(history.loss, start=1) if not np.isfinite(value))
    assert f"of epoch {first}" in mine[0]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("rows", [513, 1024, 1300])
@pytest.mark.parametrize("neurons", [2, 20, 70])
def test_a_step_on_more_rows_than_are_summed_at_once_is_exact_where_all_numbers_are(engine, neurons, rows, precision):
    # 512 rows are summed at once: of a narrow layer, of less than a panel, of several panels. With small whole
    # numbers, and weights that sum to a power of two, nothing is rounded in any order.
    rng = np.random.default_rng(rows)
    X, T = rng.integers(-2, 3, (rows, 37)).astype(float), rng.integers(-3, 4, (rows, 3)).astype(float)
    s = np.ones(rows)
    s[: 2048 - rows if rows > 1024 else 1024 - rows] = 2
    net = rs.Network(rs.Dense(neurons, "identity"), rs.Dense(3, "identity"), inputs=37, dtype=precision, engine=engine)
    first, last = net.layers
    for view in (first.W, first.b, last.W, last.b):
        view[...] = rng.integers(-1, 2, view.shape) * (rng.random(view.shape) < 0.2)
    W, b, V, c = (view.astype(float) for view in (first.W, first.b, last.W, last.b))
    A = X @ W + b
    delta = s[:, None] / s.sum() * (A @ V + c - T)
    net.fit(X, T, sample_weight=s, optimizer=rs.SGD(1.0), epochs=1, batch_size=rows, threads=3)
    np.testing.assert_array_equal(last.W, V - A.T @ delta)
    np.testing.assert_array_equal(last.b, c - delta.sum(axis=0))
    np.testing.assert_array_equal(first.W, W - X.T @ (delta @ V.T))
    np.testing.assert_array_equal(first.b, b - (delta @ V.T).sum(axis=0))


@pytest.mark.parametrize("rows", [1, 2, 31, 32, 33])
@pytest.mark.parametrize("batch_size", [1, 7, 32, 1000])
def test_rows_and_batches_of_all_sizes_are_trained_on(engine, rows, batch_size):
    X, T = problem(rows)
    net, twin = small(engine, dtype="float64", inputs=3), small("reference", dtype="float64", inputs=3)
    plan = {"optimizer": rs.SGD(0.05), "epochs": 2, "batch_size": batch_size}
    loss, expected = net.fit(X, T, **plan).loss, twin.fit(X, T, **plan).loss
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    np.testing.assert_allclose(net.parameters, twin.parameters, rtol=0, atol=1e-12)


# --- what it refuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs is 0, but must be a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"epochs": True}, "epochs is True"),
        ({"epochs": np.float64(3)}, "epochs is"),
        ({"shuffle": "no"}, "shuffle is 'no', but must be True or False"),
        ({"shuffle": 1}, "shuffle is 1, but must be True or False"),
        ({"shuffle": None}, "shuffle is None, but must be True or False"),
        ({"shuffle": np.array([True])}, "shuffle is .*but must be True or False"),
        ({"keep_best": "no"}, "keep_best is 'no', but must be True or False"),
        ({"keep_best": 0}, "keep_best is 0, but must be True or False"),
        ({"checkpoint": ""}, "checkpoint is '', but must be the path of a folder"),
        ({"checkpoint": b"folder"}, "checkpoint is b'folder', but must be the path of a folder"),
        ({"checkpoint": 3}, "checkpoint is 3, but must be the path of a folder"),
        ({"checkpoint": True}, "checkpoint is True, but must be the path of a folder"),
        ({"checkpoint": ["folder"]}, r"checkpoint is \['folder'\], but must be the path of a folder"),
        ({"checkpoint": "a\0b"}, "but must be the path of a folder"),
        ({"checkpoint": __file__}, "test_fit.py', which is a file; name a folder"),
        ({"checkpoint": f"{__file__}/a/b"}, "test_fit.py/a/b', where '.*test_fit.py' is a file; name a folder"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": -4}, "batch_size is -4"),
        ({"batch_size": "auto"}, "batch_size is 'auto'"),
        ({"l2": -0.1}, "l2 is -0.1, but must be a finite number at least 0"),
        ({"l2": np.nan}, "l2 is nan"),
        ({"optimizer": "Adam"}, "optimizer is 'Adam', which is unknown. Did you mean 'adam'"),
        ({"optimizer": "lbfgs"}, "optimizer is 'lbfgs', which is unknown. Known: sgd, adam, adamw, rmsprop"),
        ({"optimizer": 0.01}, "optimizer is 0.01, but must be .* or the name of one: sgd, adam, adamw, rmsprop"),
        ({"optimizer": rs.Adam}, "but must be an optimizer such as Adam"),
        ({"callback": 3}, "callback is 3, but must be a function"),
        ({"threads": 0}, "threads is 0"),
        ({"validation_data": np.ones((2, 3))}, r"validation_data must be \(X, y\), or \(X, y, sample_weight\)"),
        ({"validation_data": (np.ones((2, 3)),)}, "validation_data must be .* but is of type tuple of 1"),
        ({"validation_data": (np.ones((2, 3)), np.ones((2, 2)), np.ones(2), 1)}, "but is of type tuple of 4"),
        ({"validation_data": {"X": 1, "y": 2}}, "but is of type dict"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_before_anything_is_built(options, words):
    X, T = problem()
    net = small()
    with pytest.raises(rs.ParameterError, match=words):
        net.fit(X, T, **options)
    assert not net.built


@pytest.mark.parametrize(("name", "kind"), OPTIMIZERS.items())
def test_the_name_of_an_optimizer_stands_for_it_as_it_is_by_default(name, kind):
    X, T = problem()
    by_name, by_object = small(), small()
    assert by_name.fit(X, T, optimizer=name).loss == by_object.fit(X, T, optimizer=kind()).loss
    assert by_name.parameters.tobytes() == by_object.parameters.tobytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.ones((39, 2))}, "X has 40 rows but y has 39 rows"),
        ({"y": np.ones(40)}, r"y has shape \(40,\)"),
        ({"X": np.ones(40)}, r"X has 1 dimension\(s\)"),
        ({"X": np.empty((0, 3))}, "X is empty"),
        ({"sample_weight": np.ones(39)}, r"sample_weight has shape \(39,\), but must be \(40,\)"),
        (
            {"validation_data": (np.ones((2, 4)), np.ones((2, 2)))},
            "validation X has 4 columns, but the network has 3 inputs",
        ),
        ({"validation_data": (np.ones((2, 3)), np.ones((3, 2)))}, "validation y has 3 rows"),
        (
            {"validation_data": (np.ones((2, 3)), np.ones((2, 2)), [1, -1])},
            "validation sample_weight holds -1 at row 1",
        ),
        ({"validation_data": (np.full((2, 3), np.nan), np.ones((2, 2)))}, "validation X holds nan at row 0"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_anything_is_built(change, words):
    X, T = problem()
    net = small()
    with pytest.raises(rs.DataError, match=words):
        net.fit(**({"X": X, "y": T} | change))
    assert not net.built


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([5e-324] * 40, "sample_weight holds nothing above 4.94066e-324, but some weight must be at least 1e-292"),
        ([1e-309] * 40, "sample_weight holds nothing above 1e-309"),
        ([3e-308] * 40, "sample_weight holds nothing above 3e-308"),
        ([1e300] * 40, r"sample_weight sums to 4e\+301, but may sum to 1.34e\+154 at most; divide it by"),
        ([1e308] * 40, "sample_weight sums to inf"),
    ],
    ids=["smallest", "subnormal", "products", "large", "largest"],
)
def test_weights_that_float64_cannot_divide_by_are_refused(engine, weights, words):
    X, T = problem()
    net = small(engine)
    with pytest.raises(rs.DataError, match=words):
        net.fit(X, T, sample_weight=weights)
    assert not net.built


@pytest.mark.parametrize("tiny", [5e-324, 1e-310])
def test_weights_that_vanish_beside_the_others_count_nothing(engine, tiny):
    X, T = problem()
    s = np.ones(40)
    s[5:9] = 0
    nets = [small(engine) for _ in range(2)]
    losses = [
        net.fit(X, T, sample_weight=np.where(s == 0, fill, s), epochs=2, batch_size=1, shuffle=False).loss
        for net, fill in zip(nets, (0, tiny), strict=True)
    ]
    assert losses[0] == losses[1]
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


@pytest.mark.parametrize("scale", [2.0**-969, 2.0**-500, 2.0**500])
def test_only_the_ratios_of_weights_count(engine, scale):
    X, T = problem()
    s = np.random.default_rng(1).uniform(0.5, 2, 40)
    nets = [small(engine) for _ in range(2)]
    losses = [
        net.fit(X, T, sample_weight=f * s, epochs=2, batch_size=8).loss for net, f in zip(nets, (1, scale), strict=True)
    ]
    assert losses[0] == losses[1]
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": np.int64(2)},
        {"epochs": np.uint8(2), "shuffle": np.bool_(True)},
        {"validation_data": [[[1, 2, 3]], [[1, 2]]]},
        {"keep_best": np.True_, "validation_data": [np.ones((2, 3)), np.ones((2, 2))]},
    ],
    ids=lambda options: "-".join(options),
)
def test_numpy_s_numbers_and_truths_and_lists_are_taken(options):
    X, T = problem()
    history = small().fit(X, T, **{"epochs": 2, **options})
    assert history.epochs == 2
    assert len(history.validation_loss) == (2 if "validation_data" in options else 0)


def test_another_run_s_checkpoint_is_refused_before_anything_is_built(tmp_path):
    X, T = problem()
    small().fit(X, T, epochs=1, checkpoint=tmp_path)
    net, state = small(), small().generator_state
    with pytest.raises(rs.ParameterError, match="is of another training"):
        net.fit(X, T, epochs=2, checkpoint=tmp_path)
    assert not net.built
    assert net.generator_state == state


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            [rs.Dense(3), rs.LayerNorm(epsilon=0.5), rs.Dense(2)],
            r"its network\.layers\[1\]\.epsilon is 1e-05, but now it is 0\.5",
        ),
        (
            [rs.Dense(3), rs.PReLU(), rs.Dense(2)],
            r"its network\.layers\[0\]\.activation is 'relu', but now it is 'identity'",
        ),
        ([rs.Dense(3), rs.LayerNorm(), rs.PReLU(), rs.Dense(2)], r"its network\.layers are 3, but now they are 4"),
    ],
)
def test_what_is_other_in_the_run_of_a_checkpoint_is_told_by_its_place(layers, words, tmp_path):
    X, T = problem()
    rs.Network(rs.Dense(3), rs.LayerNorm(), rs.Dense(2)).fit(X, T, epochs=1, checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match=words):
        rs.Network(*layers).fit(X, T, epochs=1, checkpoint=tmp_path)


def test_a_fitted_network_refuses_another_width():
    X, T = problem()
    net = small()
    net.fit(X, T, epochs=1)
    with pytest.raises(rs.DataError, match="X has 4 columns, but the network has 3 inputs"):
        net.fit(np.ones((5, 4)), np.ones((5, 2)))


def test_whoever_looks_on_can_ask_the_trainer_how_far_it_has_come_while_it_runs(engine):
    X, T = problem()
    seen = []
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(2, "identity"), inputs=3, engine=engine, seed=0)
    fit = Fit(
        net,
        X,
        T,
        Settings(epochs=3, batch_size=8),
        validation_data=None,
        sample_weight=None,
        checkpoint=None,
        callback=lambda history: seen.append(fit.trainer.progress().epochs),
        threads=1,
    )
    assert fit.trainer is None
    fit.completed()
    assert seen == [1, 2, 3]
    assert fit.trainer is None  # what it has packed is freed


# --- what it leaves alone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fit_leaves_the_floating_point_state_of_its_thread_as_it_was(engine, threads):
    tiny = np.full(64, 1e-30, dtype=np.float32)
    X, T = np.zeros((512, 64)), np.zeros((512, 1))
    net = rs.Network(rs.Dense(64, "identity"), rs.Dense(1, "identity"), inputs=64, engine=engine, seed=0)
    net.fit(X, T, epochs=2, threads=threads)
    assert (tiny * np.float32(1e-10) * np.float32(1e20) > 0).all()  # 1e-40 on the way, which is subnormal


@pytest.mark.usefixtures("native")
def test_weights_too_small_for_a_normal_number_become_zero_in_training_but_not_in_calls():
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, engine="native")
    net.layers[0].W[...] = 1e-40
    assert net(np.array([[1.0]]))[0, 0] == np.float32(1e-40)
    net.fit(np.zeros((1, 1)), np.zeros((1, 1)), optimizer=rs.SGD(0.1), epochs=1)
    assert net.layers[0].W[0, 0] == 0
