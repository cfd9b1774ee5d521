"""Network: what it is, what it computes, and what it refuses; training is in test_training.py."""

from __future__ import annotations

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import reseau as rs


def small(**options) -> rs.Network:
    options = {"inputs": 3, "seed": 0} | options
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(2, "identity", bias=False), **options)


# --- what it is ---------------------------------------------------------------------------------------------------


def test_layer_views_are_writable_and_share_memory_with_the_flat_vector():
    net = small()
    first, last = net.layers
    assert first.W.shape == (3, 4)
    assert first.b.shape == (4,)
    assert last.W.shape == (4, 2)
    assert last.b is None
    assert net.n_parameters == net.parameters.size == 3 * 4 + 4 + 4 * 2
    assert net.parameters.dtype == first.W.dtype == np.float32
    first.W[1, 2] = 42
    first.b[3] = 43
    assert net.parameters[1 * 4 + 2] == 42
    assert net.parameters[12 + 3] == 43
    net.parameters[-1] = 44
    assert net.layers[1].W[3, 1] == 44
    assert first.description == rs.Dense(4, "tanh")


def test_a_changed_weight_is_seen_by_the_next_call(engine):
    net = small(engine=engine, dtype="float64")
    X = np.eye(3)
    before = net(X)
    net.layers[1].W[...] *= 2
    np.testing.assert_array_equal(net(X), 2 * before)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", np.float32, np.float64, np.dtype("float32"), "f4", "f8", "double", np.single, float]
)
def test_the_precision_may_be_named_or_given_as_a_type(engine, dtype):
    net = small(dtype=dtype, engine=engine)
    X, T = np.ones((5, 3)), np.ones((5, 2))
    jacobians = net.jacobian(X), net.parameter_jacobian(X)
    for array in (net.parameters, net(X), net.errors(X, T), *jacobians, net.gradient(X, T)[0][0]):
        assert array.dtype == net.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "float16"}, r"dtype is 'float16'.*Known: float32, float64"),
        ({"dtype": None}, "dtype is None"),
        ({"dtype": int}, "dtype is 'int'"),
        ({"dtype": np.float16}, "dtype is 'float16'"),
        ({"dtype": [("a", "f4")]}, r"dtype is \[\('a', 'f4'\)\]"),
        ({"inputs": 0}, "inputs is 0, but must be a whole number of at least 1"),
        ({"inputs": -1}, "inputs is -1"),
        ({"inputs": 2.5}, "inputs is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"seed": 1.5}, r"seed is 1\.5"),
        ({"seed": True}, "seed is True"),
        ({"seed": np.array([1, 2])}, r"seed is array\(\[1, 2\]\)"),
        ({"engine": "gpu"}, r"engine is 'gpu'.*Known: native, reference"),
        ({"engine": rs}, "engine is <module"),
        ({"loss": None}, "loss is None"),
        ({"loss": 3}, "loss is 3.*Known: squared_error"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_by_name(options, words):
    with pytest.raises(rs.ParameterError, match=words):
        small(**options)


def test_the_same_seed_draws_the_same_weights_and_another_seed_others():
    assert small(seed=7).parameters.tobytes() == small(seed=7).parameters.tobytes()
    assert small(seed=7).parameters.tobytes() != small(seed=8).parameters.tobytes()
    assert small(seed=None).parameters.tobytes() != small(seed=None).parameters.tobytes()


def test_numpy_s_whole_numbers_are_seeds_and_inputs_like_those_of_python():
    expected = small(seed=7, inputs=3).parameters.tobytes()
    assert small(seed=np.int64(7), inputs=np.uint8(3)).parameters.tobytes() == expected
    small(seed=10**40)
    small(seed=np.uint64(2**64 - 1))


@pytest.mark.parametrize("change", [{"bit_generator": "MT19937"}, {"state": {}}, {"state": {"state": -1, "inc": 3}}])
def test_a_state_of_no_such_generator_is_refused_and_the_generator_goes_on(change):
    net = small()
    state = net.generator_state
    for wrong in ({**state, **change}, change, None):
        with pytest.raises(rs.ParameterError, match="generator_state is"):
            net.generator_state = wrong
    assert net.generator_state == state


def test_building_again_draws_anew_and_forgets_what_was_called_before(engine):
    net = small(engine=engine)
    X = np.random.default_rng(0).normal(size=(7, 3))
    before = net(X), net(X[:1])
    net.build(3)
    for O, rows in zip(before, (X, X[:1]), strict=True):
        np.testing.assert_allclose(net(rows), np.tanh(rows @ net.layers[0].W + net.layers[0].b) @ net.layers[1].W, 1e-5)
        assert not np.allclose(net(rows), O)
    net.build(5)
    assert net(np.ones((7, 5))).shape == (7, 2)
    with pytest.raises(rs.DataError, match="has 3 columns, but the network has 5 inputs"):
        net(X)


def test_building_again_after_a_fit_leaves_nothing_of_it(engine):
    net = small(engine=engine)
    X = np.random.default_rng(0).normal(size=(40, 3))
    net.fit(X, X[:, :2], epochs=1)
    net(X)
    net.build(2)
    net.fit(X[:, :2], X[:, :2], epochs=1)
    exact = np.tanh(X[:, :2] @ net.layers[0].W + net.layers[0].b) @ net.layers[1].W
    np.testing.assert_allclose(net(X[:, :2]), exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("inputs", [0, -2, 2.5, "3", None, True, 10**14])
def test_a_refused_build_changes_nothing(engine, inputs):
    net, X = small(engine=engine), np.ones((5, 3))
    kept, O, state = net.parameters, net(X).tobytes(), net.generator_state
    with pytest.raises(rs.ParameterError, match=r"inputs is|more than fit in memory"):
        net.build(inputs)
    assert net.parameters is kept
    assert net(X).tobytes() == O
    assert net.generator_state == state
    assert net.architecture.inputs == 3


def test_the_drawn_weights_are_the_same_numbers_in_both_precisions():
    np.testing.assert_array_equal(
        small(dtype="float32").parameters, small(dtype="float64").parameters.astype(np.float32)
    )


def test_a_network_that_does_not_know_its_inputs_says_so():
    net = rs.Network(rs.Dense(2))
    assert not net.built
    asked = [
        lambda: net.parameters,
        lambda: net.layers,
        lambda: net.n_parameters,
        lambda: net.summary(),
        lambda: net(np.ones((1, 2))),
    ]
    for ask in asked:
        with pytest.raises(rs.ReseauError, match="fit it, or give inputs="):
            ask()


def test_the_summary_names_every_layer_its_shapes_formula_and_parameters():
    text = rs.Network(
        rs.Dense(64, "relu"), rs.Dense(10, "softmax", bias=False), loss="cross_entropy", inputs=784
    ).summary()
    first, second = text.splitlines()[1:3]
    for words in ("1 ", "(784, 64)", " 64 ", "relu", "max(0, z)", str(784 * 64 + 64)):
        assert words in first
    for words in ("2 ", "(64, 10)", " - ", "softmax", "e^{z_j}", str(640)):
        assert words in second
    assert "784 inputs, 10 outputs, loss cross_entropy" in text
    assert f"{784 * 64 + 64 + 640} parameters" in text
    assert len({len(line) for line in text.splitlines()[:3]}) == 1  # the columns are aligned


def test_the_summary_and_the_repr_show_dropout():
    net = rs.Network(rs.Dense(6, "tanh", dropout=0.25), rs.Dense(2, "identity"), inputs=3)
    first, second = net.summary().splitlines()[1:3]
    assert ", dropout 0.25" in first
    assert "dropout" not in second
    assert repr(net).startswith("Network(Dense(6, 'tanh', dropout=0.25), Dense(2, 'identity'), ")
    assert eval(repr(net), {"Network": rs.Network, "Dense": rs.Dense}).architecture == net.architecture


def test_the_repr_is_the_call_that_makes_the_network():
    net = rs.Network(
        rs.Dense(3, "tanh", bias=False), rs.Dense(2, "softmax"), loss="cross_entropy", inputs=4, dtype="float64"
    )
    assert (
        repr(net)
        == "Network(Dense(3, 'tanh', bias=False), Dense(2, 'softmax'), loss='cross_entropy', inputs=4, dtype='float64')"
    )
    again = eval(repr(net), {"Network": rs.Network, "Dense": rs.Dense})
    assert again.architecture == net.architecture
    assert again.dtype == net.dtype
    assert repr(rs.Network(rs.Dense(2))) == "Network(Dense(2, 'identity'), loss='squared_error', dtype='float32')"


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"]
)
def test_a_copy_computes_and_trains_the_same_and_shares_nothing(engine, copied):
    net = small(engine=engine)
    X, T = np.random.default_rng(0).normal(size=(9, 3)), np.ones((9, 2))
    net.fit(X, T, epochs=2, batch_size=4)
    twin = copied(net)
    assert twin.parameters.tobytes() == net.parameters.tobytes()
    assert twin(X).tobytes() == net(X).tobytes()
    assert not np.shares_memory(twin.parameters, net.parameters)
    twin.layers[0].W[0, 0] += 1
    assert twin.parameters[0] == net.parameters[0] + 1
    twin.layers[0].W[0, 0] = net.parameters[0]
    # The generator is copied too: both go on with the same order of rows.
    assert twin.fit(X, T, epochs=3, batch_size=4).loss == net.fit(X, T, epochs=3, batch_size=4).loss
    assert twin.parameters.tobytes() == net.parameters.tobytes()


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"]
)
def test_a_network_that_was_called_can_be_copied_and_the_copy_has_its_own_weights(engine, copied):
    net, X = small(engine=engine), np.ones((1, 3))
    before = net(X)
    twin = copied(net)
    twin.parameters[...] = 0
    assert net(X).tobytes() == before.tobytes()
    assert twin(X).tobytes() != before.tobytes()


@pytest.mark.parametrize("change", ["fit", "step"])
def test_a_network_that_joblib_maps_read_only_is_trained_as_any_other(engine, change, tmp_path):
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(2, "identity"), inputs=3, seed=0, engine=engine)
    X, T = np.ones((5, 3)), np.full((5, 2), 0.5)
    joblib.dump(net, tmp_path / "net.joblib")
    mapped = joblib.load(tmp_path / "net.joblib", mmap_mode="r")
    assert not mapped.parameters.flags.writeable
    assert mapped(X).tobytes() == net(X).tobytes()
    for each in (net, mapped):
        each.fit(X, T, epochs=2) if change == "fit" else each.step(X, T, learning_rate=0.1)
    assert mapped.parameters.tobytes() == net.parameters.tobytes()
    assert mapped(X).tobytes() == net(X).tobytes()


def test_a_network_not_yet_built_can_be_copied():
    net = copy.deepcopy(rs.Network(rs.Dense(2), seed=1))
    assert not net.built
    assert not pickle.loads(pickle.dumps(net)).built


# --- what it computes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_forward_pass_is_that_of_the_blackboard(engine, dtype):
    net = small(dtype=dtype, engine=engine)
    net.layers[0].b[...] = [0.1, -0.2, 0.3, -0.4]
    X = np.random.default_rng(1).normal(size=(6, 3))
    W1, b1, W2 = (a.astype(float) for a in (net.layers[0].W, net.layers[0].b, net.layers[1].W))
    O = np.tanh(X @ W1 + b1) @ W2
    np.testing.assert_allclose(net(X), O, rtol=0, atol=20 * np.finfo(dtype).eps)
    T = np.random.default_rng(2).normal(size=(6, 2))
    np.testing.assert_allclose(net.errors(X, T), 0.5 * (T - O) ** 2, rtol=0, atol=100 * np.finfo(dtype).eps)


def test_the_gradient_has_the_shapes_of_the_layers(engine):
    net = small(engine=engine)
    (dW1, db1), (dW2, db2) = net.gradient(np.ones((5, 3)), np.ones((5, 2)))
    assert dW1.shape == (3, 4)
    assert db1.shape == (4,)
    assert dW2.shape == (4, 2)
    assert db2 is None
    E, g = net.value_and_gradient(np.ones((5, 3)), np.ones((5, 2)))
    assert isinstance(E, float)
    np.testing.assert_array_equal(g, np.concatenate([dW1.ravel(), db1, dW2.ravel()]))


def test_the_gradient_is_the_caller_s_own(engine):
    net = small(engine=engine)
    X, T = np.ones((5, 3)), np.ones((5, 2))
    _, g = net.value_and_gradient(X, T)
    kept = g.copy()
    net.value_and_gradient(2 * X, T)
    np.testing.assert_array_equal(g, kept)
    g[...] = 0
    assert net.value_and_gradient(X, T)[1].tobytes() == kept.tobytes()


def test_the_jacobian_has_outputs_by_inputs_for_each_row(engine):
    net = rs.Network(rs.Dense(2, "identity"), inputs=3, engine=engine)
    J = net.jacobian(np.random.default_rng(0).normal(size=(7, 3)))
    assert J.shape == (7, 2, 3)
    np.testing.assert_array_equal(J, np.broadcast_to(net.layers[0].W.T, (7, 2, 3)))  # O = X W + b


def test_a_step_moves_the_parameters_by_minus_gamma_times_the_gradient(engine):
    net = small(dtype="float64", engine=engine)
    X, T = np.random.default_rng(3).normal(size=(4, 3)), np.random.default_rng(4).normal(size=(4, 2))
    before, (E, g) = net.parameters.copy(), net.value_and_gradient(X, T)
    view = net.layers[0].W
    assert net.step(X, T, learning_rate=0.25) == E
    np.testing.assert_array_equal(net.parameters, before - 0.25 * g)
    assert np.shares_memory(view, net.parameters)
    assert net.errors(X, T).sum(axis=1).mean() < E


@pytest.mark.parametrize("learning_rate", [0, -1, float("nan"), "0.1", None])
def test_a_step_refuses_a_learning_rate_that_is_not_above_zero(learning_rate):
    with pytest.raises(rs.ParameterError, match="learning_rate is"):
        small().step(np.ones((1, 3)), np.ones((1, 2)), learning_rate=learning_rate)


@pytest.mark.parametrize(
    "learning_rate",
    [1e38, 1e300],
)
def test_a_step_that_would_leave_no_finite_weights_is_refused_and_changes_nothing(engine, learning_rate):
    net = small(engine=engine)
    before = net.parameters.copy()
    words = r"learning_rate is 1e\+\d+, with which W\[0, 0\] of layer 1 would be -?inf.*use a smaller one"
    with pytest.raises(rs.ParameterError, match=words):
        net.step(np.ones((4, 3)), np.full((4, 2), 1e3), learning_rate=learning_rate)
    np.testing.assert_array_equal(net.parameters, before)


def test_a_step_names_the_first_bias_that_would_not_be_finite(engine):
    net = rs.Network(rs.Dense(2), inputs=1, engine=engine)
    with pytest.raises(rs.ParameterError, match=r"with which b\[1\] of layer 1 would be inf"):
        net.step([[0.0]], [[0.0, 1e18]], learning_rate=1e30)


@pytest.mark.filterwarnings("error")
def test_what_overflows_is_not_finite_and_numpy_says_nothing_of_it(engine):
    net = rs.Network(rs.Dense(4), rs.Dense(2, "exponential"), inputs=3, seed=0, engine=engine)
    X, T = np.ones((2, 3)) * [[1e30], [-1e30]], np.full((2, 2), 1.0)
    assert not np.isfinite(net(X)).all()
    assert not np.isfinite(net(scipy.sparse.csr_matrix(X))).all()
    assert not np.isfinite(net.errors(X, T)).all()
    assert not np.isfinite(net.value_and_gradient(X, T)[0])
    assert not np.isfinite(net.jacobian(X)).all()
    assert not np.isfinite(net.parameter_jacobian(X)).all()
    board = rs.Network(rs.Dense(1), inputs=1, seed=0).blackboard([[1e30]], [[1.0]], learning_rate=1e300, steps=2)
    assert "E" in str(board)
    assert not np.isfinite(board["E_new"])


def test_a_step_from_weights_that_are_no_numbers_names_them(engine):
    net = small(engine=engine)
    net.layers[1].W[2, 1] = np.nan
    with pytest.raises(rs.ReseauError, match=r"layer 2 has parameters that are not finite.*W\[2, 1\] = nan"):
        net.step(np.ones((4, 3)), np.ones((4, 2)), learning_rate=0.1)


@pytest.mark.parametrize(
    "bounds",
    [None, 3, "ab", "01", ("0", "1"), (1,), (1, 2, 3), (1, 0), (np.nan, 1), (0, np.nan), (0, 1j), {0, 1}, (True, 2)],
)
def test_bounds_that_are_no_two_numbers_in_order_are_refused(bounds):
    with pytest.raises(rs.ParameterError, match=r"bounds is .*, but must be two numbers \(low, high\)"):
        small().value_and_gradient(np.ones((1, 3)), np.ones((1, 2)), bounds=bounds)


@pytest.mark.parametrize("bounds", [(0.5, 2.0), [0.5, 2], np.array([0.5, 2.0]), (np.float32(0.5), np.int64(2))])
def test_bounds_keep_the_errors_of_a_cross_entropy_between_them(engine, bounds):
    net = rs.Network(rs.Dense(2), loss="cross_entropy", inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = [1.0, 0.0, 0.0, 0.0]
    X, labels = [[-50.0], [50.0]], [0, 0]  # errors of 50 and of e^−50
    assert net.value_and_gradient(X, labels, bounds=bounds)[0] == (2 + 0.5) / 2
    assert net.value_and_gradient(X, labels, bounds=(-np.inf, np.inf))[0] == pytest.approx(25)


def test_a_jacobian_of_the_parameters_beyond_the_memory_is_refused(engine):
    net = rs.Network(rs.Dense(1000), rs.Dense(1000), inputs=2, engine=engine)
    words = (
        r"not enough memory for the Jacobian of the parameters.*200,800\.0 GB.*shape \(50000, 1000, 1004000\).*fewer"
    )
    with pytest.raises(rs.ReseauError, match=words):
        net.parameter_jacobian(np.zeros((50_000, 2)))


def test_no_rows_give_no_outputs(engine):
    net = small(engine=engine)
    O = net(np.empty((0, 3)))
    assert O.shape == (0, 2)
    assert O.dtype == np.float32


@given(st.integers(1, 40), st.integers(1, 5), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_outputs_of_a_row_do_not_depend_on_the_other_rows(rows, inputs, outputs, seed):
    net = rs.Network(
        rs.Dense(3, "tanh"), rs.Dense(outputs, "softmax"), inputs=inputs, dtype="float64", seed=seed, engine="reference"
    )
    X = np.random.default_rng(seed).normal(size=(rows, inputs))
    np.testing.assert_allclose(net(X), np.vstack([net(x[None, :]) for x in X]), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(net(X).sum(axis=1), 1, rtol=1e-14)


# --- what it takes and refuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda X: X.astype(np.float32),
        lambda X: X.astype(np.int8),
        lambda X: X.astype(object),
        lambda X: X.tolist(),
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X[::-1][::-1],
        scipy.sparse.csr_matrix,
        scipy.sparse.csr_array,
        pd.DataFrame,
        lambda X: pl.DataFrame(X, schema=["a", "b", "c"]),
        lambda X: np.ma.masked_array(X),
    ],
    ids=[
        "Fortran",
        "float32",
        "int8",
        "object",
        "lists",
        "strided",
        "reversed",
        "sparse matrix",
        "sparse",
        "pandas",
        "polars",
        "masked",
    ],
)
def test_matrices_of_all_kinds_give_the_same_outputs(engine, convert):
    net = small(dtype="float64", engine=engine)
    X = np.array([[1.0, 0.0, -3.0], [0.0, 5.0, 2.0], [4.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    assert net(convert(X)).tobytes() == net(X).tobytes()


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 64, 65, 200])
def test_any_number_of_rows_is_what_each_row_is_alone(engine, rows):
    net = small(engine=engine)
    X = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    alone = np.concatenate([net(X[r : r + 1]) for r in range(rows)])
    np.testing.assert_allclose(net(X), alone, atol=1e-6)  # NumPy's products may differ in the last place
    np.testing.assert_allclose(net(X.astype(np.float64)), alone, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 5, 200])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_one_bad_number_among_many_rows_is_named_with_its_place(engine, rows, bad):
    X = np.zeros((rows, 3))
    X[rows - 1, 1] = bad
    with pytest.raises(rs.DataError, match=f"row {rows - 1}, column 1"):
        small(engine=engine)(X)


def test_the_inputs_are_never_written_to(engine):
    net = small(dtype="float64", engine=engine)
    X, T = np.ones((8, 3)), np.ones((8, 2))
    X.flags.writeable = T.flags.writeable = False
    net(X), net.errors(X, T), net.gradient(X, T), net.jacobian(X), net.parameter_jacobian(X), net.fit(X, T, epochs=2)
    np.testing.assert_array_equal(X, 1)


BAD_X = [
    ([1.0, 2.0, 3.0], r"X has 1 dimension\(s\), shape \(3,\).*reshape\(1, -1\)"),
    (5.0, r"X has 0 dimension\(s\)"),
    (np.ones((2, 3, 1)), r"X has 3 dimension\(s\)"),
    (np.ones((4, 2)), "X has 2 columns, but the network has 3 inputs"),
    (np.ones((4, 0)), "X is empty"),
    ([[1.0, np.nan, 2.0]], "X holds nan at row 0, column 1"),
    ([[0, 0, 0], [1.0, 2.0, -np.inf]], "X holds -inf at row 1, column 2"),
    ([[1.0, 2.0, 1e39]], "X holds 1e[+]39 at row 0, column 2, which is too large for float32.*dtype='float64'"),
    ([[1.0, "two", 3.0]], "X holds 'two' at row 0, column 1, which is not a number"),
    (np.array([[1.0, "two", 3.0]], dtype=object), "X holds 'two' at row 0, column 1, which is not a number"),
    (np.array([[1.0, "2", 3.0]], dtype=object), "X holds the text '2' at row 0, column 1.*astype"),
    ([["1", "2", "3"]], "X holds the text '1' at row 0, column 0.*astype"),
    (np.array([[1.0, None, 3.0]], dtype=object), "X holds a missing value at row 0, column 1"),
    ([[1.0, 2.0], [1.0]], "X cannot be read as an array"),
    (np.ones((2, 3), dtype=complex), "X holds values of type complex128"),
    (np.zeros((2, 3), dtype="datetime64[D]"), "X holds values of type datetime64"),
    ([[10**400, 0, 0]], "X holds a number at row 0, column 0 that is too large for float64"),
    (None, "X has 0 dimension"),
]


@pytest.mark.parametrize(("X", "words"), BAD_X, ids=[words[:50] for _, words in BAD_X])
@pytest.mark.parametrize("method", ["call", "errors", "gradient", "jacobian", "parameter_jacobian", "step", "fit"])
def test_inputs_that_are_no_finite_matrix_are_refused_everywhere_alike(method, X, words):
    net = small()
    T = np.ones((len(X) if hasattr(X, "__len__") else 1, 2))
    before = net.parameters.copy()
    calls = {
        "call": lambda: net(X),
        "errors": lambda: net.errors(X, T),
        "gradient": lambda: net.gradient(X, T),
        "jacobian": lambda: net.jacobian(X),
        "parameter_jacobian": lambda: net.parameter_jacobian(X),
        "step": lambda: net.step(X, T, learning_rate=0.1),
        "fit": lambda: net.fit(X, T),
    }
    with pytest.raises(rs.DataError, match=words):
        calls[method]()
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("method", ["errors", "gradient", "jacobian", "parameter_jacobian", "step", "fit"])
def test_an_empty_matrix_is_refused_where_there_is_nothing_to_compute(method):
    net, X, T = small(), np.empty((0, 3)), np.empty((0, 2))
    calls = {
        "errors": lambda: net.errors(X, T),
        "gradient": lambda: net.gradient(X, T),
        "jacobian": lambda: net.jacobian(X),
        "parameter_jacobian": lambda: net.parameter_jacobian(X),
        "step": lambda: net.step(X, T, learning_rate=0.1),
        "fit": lambda: net.fit(X, T),
    }
    with pytest.raises(rs.DataError, match="X is empty"):
        calls[method]()


def test_numbers_too_large_for_float32_are_taken_by_a_float64_network(engine):
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 2
    assert net([[1e300]])[0, 0] == 2e300
    assert net(np.full((3, 1), 1e308) / 2).tolist() == [[1e308]] * 3  # their sum overflows, they do not


def test_threads_must_be_a_whole_number_above_zero():
    for threads in (0, -1, 1.5, "2", True):
        with pytest.raises(rs.ParameterError, match="threads is"):
            small()(np.ones((1, 3)), threads=threads)


@pytest.mark.parametrize("neurons", [10**9, 10**20])
def test_a_network_beyond_the_memory_is_refused_and_the_network_is_as_before(neurons):
    net = rs.Network(rs.Dense(neurons), rs.Dense(neurons), rs.Dense(1))
    with pytest.raises(rs.ParameterError, match="more than fit in memory"):
        net.fit([[1.0]], np.zeros((1, 1)))
    assert not net.built


@pytest.mark.parametrize("precision", [None, "bf16x6"])
def test_predict_is_a_call_by_another_name(engine, precision):
    net = rs.Network(rs.Dense(8, "tanh"), rs.Dense(3), loss="cross_entropy", inputs=4, seed=0, engine=engine)
    X = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    assert net.predict(X, precision=precision, threads=1).tobytes() == net(X, precision=precision).tobytes()
    with pytest.raises(rs.DataError, match="X has 3 columns, but the network has 4 inputs"):
        net.predict(X[:, :3])
