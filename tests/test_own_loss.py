"""A loss of one's own: a Python function of outputs and targets, in both engines."""

from __future__ import annotations

import pickle
import signal

import numpy as np
import pytest
import scipy.sparse

import reseau as rs


def squares(O, T):
    return 0.5 * (O - T) ** 2, O - T


def squares_of_rows(O, T):
    return 0.5 * ((O - T) ** 2).sum(axis=1), O - T


def absolute(O, T):
    return np.abs(O - T), np.sign(O - T)


def problem(rows: int = 40, outputs: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    return X, np.sin(X @ rng.normal(size=(3, outputs)))


def network(
    loss="squared_error", engine=None, outputs: int = 2, activation: str = "tanh", dtype="float64"
) -> rs.Network:
    layers = rs.Dense(6, "tanh"), rs.Dense(outputs, activation)
    return rs.Network(*layers, loss=loss, inputs=3, seed=0, engine=engine, dtype=dtype)


# --- it is the loss of the table that it repeats --------------------------------------------------------------------


@pytest.mark.parametrize("function", [squares, squares_of_rows])
def test_the_squared_error_written_out_trains_like_the_one_of_the_table(engine, function):
    X, T = problem()
    own, theirs = network(function, engine), network(engine=engine)
    s = np.random.default_rng(1).uniform(size=len(X)) * (np.arange(len(X)) % 5 > 0)
    plan = {"epochs": 3, "batch_size": 7, "l2": 0.1, "sample_weight": s, "validation_data": (X, T)}
    told, expected = own.fit(X, T, **plan), theirs.fit(X, T, **plan)
    np.testing.assert_allclose(own.parameters, theirs.parameters, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(told.loss, expected.loss, rtol=1e-12)
    np.testing.assert_allclose(told.validation_loss, expected.validation_loss, rtol=1e-12)
    np.testing.assert_allclose(own.errors(X, T).sum(axis=1), theirs.errors(X, T).sum(axis=1), rtol=1e-12)
    E, g = own.value_and_gradient(X, T, l2=0.1)
    E_table, g_table = theirs.value_and_gradient(X, T, l2=0.1)
    assert pytest.approx(E_table, rel=1e-13) == E
    np.testing.assert_allclose(g, g_table, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("activation", ["softmax", "identity", "sigmoid"])
def test_the_derivative_goes_back_through_any_output(engine, activation):
    X, T = problem()
    net = network(lambda O, T: (np.exp(O - T), np.exp(O - T)), engine, activation=activation)
    _, g = net.value_and_gradient(X, T)
    w, h = net.parameters, 1e-6
    for k in range(0, w.size, 3):
        before, ends = w[k], []
        for w[k] in (before + h, before - h):
            ends.append(float(np.exp(net(X) - T).sum(axis=1).mean()))
        w[k] = before
        assert g[k] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-8)


def test_dropout_residual_links_and_sparse_rows_go_with_it(engine):
    X, T = problem()
    X = np.maximum(X, 0)
    for rows in (X, scipy.sparse.csr_matrix(X)):
        nets = [
            rs.Network(
                rs.Dense(6, dropout=0.3), rs.Residual(rs.Dense(6)), rs.Dense(2), loss=loss, seed=3, engine=engine
            )
            for loss in (squares, "squared_error")
        ]
        for net in nets:
            net.fit(rows, T, epochs=2, batch_size=8)
        np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(nets[0].errors(rows, T), nets[1].errors(rows, T), rtol=1e-4, atol=1e-6)


def test_targets_may_have_other_columns_than_there_are_outputs(engine):
    def until(O, T):  # of a duration that was only seen to its end where T[:, 1] is 1, exponentially distributed
        time, seen = T[:, :1], T[:, 1:]
        return np.exp(O) * time - seen * O, np.exp(O) * time - seen

    X = np.zeros((4, 1))
    T = np.array([[1.0, 1], [2.0, 1], [3.0, 0], [2.0, 1]])
    net = rs.Network(rs.Dense(1), loss=until, dtype="float64", seed=0, engine=engine)
    net.fit(X, T, epochs=2000, batch_size=4, optimizer=rs.SGD(0.3))
    assert net(X)[0, 0] == pytest.approx(np.log(3 / 8), abs=1e-9)  # the rate: events over time
    labels = rs.Network(rs.Dense(3), loss=lambda O, T: (O[:, 0] * T[:, 0], T * [1, 0, 0]), dtype="float64", seed=0)
    labels.fit(X, [0, 1, 2, 1], epochs=1)


def test_a_loss_that_couples_the_rows_of_a_batch_is_called_once_with_all_of_them(engine):
    sizes = []

    def spread(O, T):  # the variance of the batch, in equal parts on its rows
        sizes.append(len(O))
        d = O - O.mean(axis=0)
        return (d**2).sum() / len(O) * np.ones(len(O)) / len(O), 2 * d / len(O)

    X, T = problem(30)
    net = network(spread, engine)
    net.fit(X, T, epochs=1, batch_size=12, threads=2)
    assert sizes[-3:] == [12, 12, 6]
    for call in (net.value_and_gradient, net.errors):
        sizes.clear()
        call(X, T)
        assert sizes == [30]


def test_the_bytes_are_the_same_for_any_number_of_threads(native):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(900, 40)).astype("f4"), rng.normal(size=(900, 20)).astype("f4")
    seen = set()
    for threads in (1, 2, 3):
        net = rs.Network(rs.Dense(64), rs.Dense(20), loss=squares_of_rows, seed=0, engine="native")
        net.fit(X, T, epochs=2, batch_size=300, threads=threads)
        E, g = net.value_and_gradient(X, T, threads=threads)
        seen.add((net.parameters.tobytes(), g.tobytes(), E, net.errors(X, T, threads=threads).tobytes()))
    assert len(seen) == 1


def test_missing_targets_and_weights_of_outputs_count_as_in_the_table(engine):
    X, T = problem()
    T[::3, 0], T[5] = np.nan, np.nan
    plan = {"masked_targets": True, "output_weights": [2.0, 0.5]}
    own, theirs = network(squares, engine), network(engine=engine)
    np.testing.assert_allclose(
        own.value_and_gradient(X, T, **plan)[1], theirs.value_and_gradient(X, T, **plan)[1], rtol=1e-11, atol=1e-14
    )
    np.testing.assert_allclose(own.errors(X, T, masked_targets=True), theirs.errors(X, T, masked_targets=True))
    for net in (own, theirs):
        net.fit(X, T, epochs=2, validation_data=(X, T), **plan)
    np.testing.assert_allclose(own.parameters, theirs.parameters, rtol=1e-10, atol=1e-12)


def test_fit_many_trains_networks_with_it_side_by_side():
    X, T = problem()
    alone, together = ([network(loss) for loss in (squares, absolute, "huber")] for _ in range(2))
    for net in alone:
        net.fit(X, T, epochs=2)
    rs.fit_many(together, X, T, epochs=2, threads=2)
    assert [net.parameters.tobytes() for net in alone] == [net.parameters.tobytes() for net in together]


def test_what_the_function_does_with_its_arrays_is_its_own_affair(engine):
    kept = []

    def careless(O, T):
        kept.append(O)
        e, G = squares(O, T)
        O[...] = T[...] = np.nan
        return e, G

    X, T = problem()
    before = T.copy()
    own, theirs = network(careless, engine), network(engine=engine)
    for net in (own, theirs):
        net.fit(X, T, epochs=2)
    np.testing.assert_allclose(own.parameters, theirs.parameters, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(T, before)
    assert len({id(O) for O in kept}) == len(kept)


def test_what_is_not_numpy_s_is_read_as_an_array(engine):
    X, T = problem()
    own = network(lambda O, T: [(O - T).tolist(), np.ones(O.shape, dtype=int).tolist()], engine)
    own.fit(X, T, epochs=1)
    np.testing.assert_allclose(own.errors(X, T), own(X) - T, rtol=1e-12)


# --- what is looked at before the first use -------------------------------------------------------------------------


@pytest.mark.parametrize("function", [squares, squares_of_rows, absolute, lambda O, T: ((O > T) * 1.0, 0 * O)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_derivatives_pass_and_so_do_kinks_and_jumps(function, dtype):
    X, T = problem()
    net = network(function, dtype=dtype, activation="identity")
    net.errors(X, T)
    rs.OwnLoss(absolute).check(net.layers[-1].description.sigma, 1, np.random.default_rng(0).normal(size=(8, 1)))


def test_a_kink_at_the_very_output_takes_any_slope_between():
    sigma = network().layers[-1].description.sigma
    O = sigma.value(np.random.default_rng(0).normal(size=(8, 1)))  # as outputs are made up there
    for slope in (-1.0, 0.0, 0.3, 1.0):
        rs.OwnLoss(lambda O, T, slope=slope: (np.abs(O - T), np.where(O == T, slope, np.sign(O - T)))).check(
            sigma, 1, O
        )
    with pytest.raises(rs.ParameterError, match=r"it is 1\.5, but differences of the value give"):
        rs.OwnLoss(lambda O, T: (np.abs(O - T), np.where(O == T, 1.5, np.sign(O - T)))).check(sigma, 1, O)


def test_a_function_in_single_precision_is_looked_at_with_its_digits():
    def single(O, T):
        r = (O - T).astype(np.float32)
        return 0.5 * r * r + 100, r

    X, T = problem()
    network(single).errors(X, T)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda O, T: (0.5 * (O - T) ** 2, T - O),
        lambda O, T: (0.5 * (O - T) ** 2, 2 * (O - T)),
        lambda O, T: (0.5 * (O - T) ** 2, (O - T) / len(O)),
        lambda O, T: (0.5 * (O - T) ** 2, (O - T) * [1, 1.01]),
        lambda O, T: (np.abs(O - T), 2 * np.sign(O - T)),
    ],
)
def test_a_wrong_derivative_is_refused_with_output_claim_and_difference(engine, wrong):
    X, T = problem()
    net = rs.Network(rs.Dense(2), loss=wrong, engine=engine, seed=0)
    state = net.generator_state
    message = r"of output [01] of row \d+, at o = \S+, t = \S+, it is \S+, but differences of the value give \S+\. It"
    for call in (net.fit, net.fit):
        with pytest.raises(rs.ParameterError, match=message):
            call(X, T)
    assert not net.built
    assert net.generator_state == state


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda O, T: 3.0, r"returned 3\.0, of type float, but must return a pair"),
        (lambda O, T: None, "returned None, but must return a pair"),
        (
            lambda O, T: (((O - T) ** 2).mean(), O - T),
            r"values of shape \(\), but must return one for each row, \(8,\)",
        ),
        (lambda O, T: (O - T, (O - T)[:, 0]), r"a derivative of shape \(8,\), but must return .* \(8, 2\)"),
        (lambda O, T: ("ab", O - T), "returned a value of type <U2, but must return numbers"),
        (lambda O, T: (O - T, None), "returned a derivative of type object"),
    ],
)
def test_what_is_no_pair_of_the_right_shapes_is_refused(wrong, message):
    X, T = problem()
    with pytest.raises(rs.ParameterError, match=message):
        network(wrong).errors(X, T)


@pytest.mark.parametrize("wrong", [3, "mine", dict])
def test_what_is_no_function_is_no_loss(wrong):
    with pytest.raises(rs.ParameterError):
        rs.OwnLoss(wrong)
    with pytest.raises(rs.ParameterError, match=r"^loss is"):
        network(wrong)


def test_one_value_a_row_has_no_weights_of_outputs():
    X, T = problem()
    with pytest.raises(rs.ParameterError, match="output_weights needs the value of each output"):
        network(squares_of_rows).value_and_gradient(X, T, output_weights=[1, 2])


def test_a_loss_of_one_s_own_is_not_for_the_blackboard():
    X, T = problem()
    with pytest.raises(rs.ParameterError, match="of which no formula is known"):
        network(squares).blackboard(X[:1], T[:1])


# --- when it fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_what_it_raises_ends_the_fit_with_the_last_complete_epoch(engine, error):
    calls = 0

    def fails(O, T):
        nonlocal calls
        calls += len(O) == 10
        if calls > 9:  # in the third epoch
            raise error("enough")
        return squares(O, T)

    X, T = problem()
    failing, whole = network(fails, engine), network(squares, engine)
    with pytest.raises(error, match="enough"):
        failing.fit(X, T, epochs=5, batch_size=10, threads=2)
    whole.fit(X, T, epochs=2, batch_size=10)
    assert failing.parameters.tobytes() == whole.parameters.tobytes()
    calls = -1000
    failing.fit(X, T, epochs=1)


def test_what_it_raises_reaches_the_caller_from_large_networks_too(native):
    def fails(O, T):
        if len(O) == 64:
            raise LookupError("no")
        return squares(O, T)

    net = rs.Network(rs.Dense(200), rs.Dense(2), loss=fails, inputs=100, engine="native", seed=0)
    X = np.random.default_rng(0).normal(size=(64, 100))
    before = net.parameters.copy()
    with pytest.raises(LookupError, match="no"):
        net.fit(X, X[:, :2], batch_size=64, epochs=20, threads=2)
    with pytest.raises(LookupError, match="no"):
        net.value_and_gradient(X, X[:, :2], threads=2)
    assert net.parameters.tobytes() == before.tobytes()
    with pytest.raises(LookupError, match="no"):
        rs.fit_many([net, network()], [X, problem()[0]], [X[:, :2], problem()[1]], batch_size=64, threads=2)


def test_ctrl_c_within_it_is_ctrl_c(native, interruptible):
    def pressed(O, T):
        if len(O) == 10:
            signal.raise_signal(signal.SIGINT)
        return squares(O, T)

    X, T = problem()
    with pytest.raises(KeyboardInterrupt):
        network(pressed).fit(X, T, batch_size=10)


def test_outputs_that_are_no_longer_finite_are_told_as_ever(engine):
    def strict(O, T):
        assert np.isfinite(O).all()
        return squares(O, T)

    X, T = problem()
    net = network(strict, engine, activation="identity", dtype="float32")
    with pytest.warns(RuntimeWarning, match="training has diverged"):
        history = net.fit(X, T, optimizer=rs.SGD(1e25), epochs=5, batch_size=10)
    assert history.diverged
    assert np.isfinite(net.parameters).all()


# --- files, copies, checkpoints -------------------------------------------------------------------------------------


def test_a_file_keeps_the_network_but_not_the_function(tmp_path):
    X, T = problem()
    net = network(squares)
    net.save(tmp_path / "own.reseau")
    loaded = rs.load(tmp_path / "own.reseau")
    np.testing.assert_array_equal(loaded(X), net(X))
    for call in (loaded.fit, loaded.errors, loaded.value_and_gradient):
        with pytest.raises(rs.ReseauError, match=r"whose function no file keeps; give it again, as in net\.loss = f"):
            call(X, T)
    loaded.loss = squares
    net.fit(X, T, epochs=1, shuffle=False)
    loaded.fit(X, T, epochs=1, shuffle=False)
    np.testing.assert_array_equal(loaded.parameters, net.parameters)


def test_another_loss_may_be_given_if_it_goes_with_the_outputs():
    X, T = problem()
    net = network()
    net.loss = "huber"
    assert net.loss == "huber"
    np.testing.assert_array_equal(net.errors(X, T), network("huber").errors(X, T))
    with pytest.raises(rs.ParameterError, match="cross_entropy"):
        net.loss = "cross_entropy"
    assert net.loss == "huber"
    assert net.architecture.loss == "huber"


def test_copies_have_the_function():
    X, T = problem()
    net = network(squares)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.errors(X, T), net.errors(X, T))
    assert again.loss.function is squares
    assert "OwnLoss(squares)" in repr(net)
    assert "loss OwnLoss(squares)" in net.summary()


def test_a_checkpoint_knows_the_function_by_its_name(tmp_path):
    X, T = problem()
    network(squares).fit(X, T, epochs=1, checkpoint=tmp_path)
    network(squares).fit(X, T, epochs=1, checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match=r"own_loss is 'squares', but now it is 'absolute'"):
        network(absolute).fit(X, T, epochs=1, checkpoint=tmp_path)


def test_exports_need_only_the_outputs(tmp_path):
    net = network(squares)
    net.to_c(tmp_path / "own.c")
    onnx = pytest.importorskip("onnx")
    net.to_onnx(tmp_path / "own.onnx")
    onnx.load(tmp_path / "own.onnx")
    np.testing.assert_allclose(rs.from_onnx(tmp_path / "own.onnx")(problem()[0]), net(problem()[0]))


# --- another loss for a network that is there -----------------------------------------------------------------------


def test_a_loss_with_more_outputs_for_a_target_is_refused_where_weights_are_there_and_changes_nothing():
    net = rs.Network(rs.Dense(1), inputs=2, seed=0)
    with pytest.raises(rs.ParameterError, match="has 2 outputs for each target, but the last layer has the weights of"):
        net.loss = rs.Quantile([0.1, 0.9])
    assert net.loss == "squared_error"
    assert net([[1.0, 2.0]]).shape == (1, 1)
    not_there = rs.Network(rs.Dense(1, "increasing"), seed=0)
    not_there.loss = rs.Quantile([0.1, 0.9])
    not_there.fit([[0.0], [1.0]], [0.0, 1.0], epochs=1)
    assert not_there([[0.5]]).shape == (1, 2)
