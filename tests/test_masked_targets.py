"""Targets that are missing, and outputs that count more or less than others: around every loss, in both engines."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES

PAIRS = [(loss.name, loss.output) for loss in LOSSES.values()] + [
    ("squared_error", "tanh"),
    ("squared_error", "softmax"),
    ("cross_entropy", "log_softmax"),
    ("poisson", "softplus"),
]
LINE = np.arange(4.0).reshape(-1, 1)


def problem(loss: str, targets: int, rows: int = 21) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X, T, where targets are missing, and weights of the outputs of which one is 0."""
    rng = np.random.default_rng(targets)
    X, T = rng.normal(size=(rows, 4)), rng.uniform(0.05, 0.95, (rows, targets))
    missing = rng.uniform(size=(rows, targets)) < 0.3
    if LOSSES[loss].distribution:
        T, missing = T / T.sum(axis=1, keepdims=True), np.repeat(missing[:, :1], targets, axis=1)
    missing[3] = True
    return X, T, missing, np.array([0.0, *rng.uniform(0.5, 2, targets - 1)])


def network(loss: str, activation: str, targets: int, engine: str | None = None, dtype: str = "float64") -> rs.Network:
    layers = rs.Dense(5, "tanh"), rs.Dense(targets * LOSSES[loss].per_target, activation)
    return rs.Network(*layers, loss=loss, inputs=4, dtype=dtype, seed=1, engine=engine)


# --- what counts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [3, 20])
@pytest.mark.parametrize(("loss", "activation"), PAIRS)
def test_what_is_missing_has_no_error_and_the_rest_the_error_it_has_otherwise(engine, loss, activation, targets):
    X, T, missing, _ = problem(loss, targets)
    net = network(loss, activation, targets, engine)
    e = net.errors(X, np.where(missing, np.nan, T), masked_targets=True)
    of_outputs = np.repeat(missing, LOSSES[loss].per_target, axis=1)
    np.testing.assert_array_equal(e, np.where(of_outputs, 0, net.errors(X, T)))


@pytest.mark.parametrize("targets", [3, 20])
@pytest.mark.parametrize(("loss", "activation"), PAIRS)
def test_the_gradient_is_that_of_the_weighted_errors_of_what_is_there(engine, loss, activation, targets):
    X, T, missing, c = problem(loss, targets)
    net = network(loss, activation, targets, engine)
    masked, each = np.where(missing, np.nan, T), LOSSES[loss].per_target

    def mean_error() -> float:
        e = np.where(np.repeat(missing, each, axis=1), 0, net.errors(X, T))
        return float((e * np.repeat(c, each)).sum(axis=1).mean())

    E, g = net.value_and_gradient(X, masked, masked_targets=True, output_weights=c)
    assert pytest.approx(mean_error(), rel=1e-12) == E
    w, h = net.parameters, 1e-5
    for k in range(0, w.size, 7):
        before, ends = w[k], []
        for w[k] in (before + h, before - h):
            ends.append(mean_error())
        w[k] = before
        assert g[k] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6, abs=1e-8)


def test_the_gradient_of_a_linear_map_is_the_one_of_the_textbook(engine):
    X, T = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0, np.nan], [np.nan, 4.0], [np.nan, np.nan]])
    net = rs.Network(rs.Dense(2, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    net.layers[0].W[...] = [[2.0, 3.0]]
    assert net.errors(X, T, masked_targets=True).tolist() == [[0.5, 0.0], [0.0, 2.0], [0.0, 0.0]]
    E, g = net.value_and_gradient(X, T, masked_targets=True, output_weights=[2, 3])
    # Over three rows, though one has no target: (2 · ½ + 3 · 2)/3; x (o − t): 2 · 1 (2 − 1) and 3 · 2 (6 − 4).
    assert pytest.approx(7 / 3) == E
    np.testing.assert_allclose(g, [2 / 3, 12 / 3], rtol=1e-15)
    [(dW, _)] = net.gradient(X, T, masked_targets=True, output_weights=[2, 3])
    np.testing.assert_array_equal(dW, [g])


def test_a_missing_target_masks_all_quantiles_of_it(engine):
    net = rs.Network(rs.Dense(1), loss=rs.Quantile([0.25, 0.75]), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = [0.0, 0.0, 1.0, 0.0]  # o = 1, 1 + log 2
    X, y, o = np.zeros((2, 1)), [3.0, np.nan], np.array([1.0, 1.0 + np.log(2)])
    e = net.errors(X, y, masked_targets=True)
    np.testing.assert_allclose(e, [[0.25, 0.75] * (3 - o), [0, 0]], rtol=1e-15)
    E, g = net.value_and_gradient(X, y, masked_targets=True, output_weights=[2])
    assert pytest.approx(e.sum()) == E  # twice the errors of one row, over two rows
    # ∂E/∂b: both quantiles rise with the first score, the second with half of the other.
    np.testing.assert_allclose(g[2:], [-0.25 - 0.75, -0.75 / 2], rtol=1e-15)


def test_the_weight_of_a_target_counts_for_mean_and_scale(engine):
    net = rs.Network(rs.Dense(4), loss="gaussian", inputs=1, dtype="float64", seed=0, engine=engine)
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(9, 1)), rng.normal(size=(9, 2))
    T[::3, 0] = np.nan
    e = net.errors(X, T, masked_targets=True)
    assert not e[::3, :2].any()
    assert e[::3, 2:].all()
    E, _ = net.value_and_gradient(X, T, masked_targets=True, output_weights=[3, 0.5])
    assert pytest.approx((e @ [3, 3, 0.5, 0.5]).mean(), rel=1e-14) == E
    history = net.fit(
        X, T, masked_targets=True, output_weights=[3, 0.5], optimizer=rs.SGD(1e-9), epochs=1, validation_data=(X, T)
    )
    assert history.validation_loss == [pytest.approx(E, rel=1e-6)]
    with pytest.raises(rs.ParameterError, match="output_weights has 4 numbers, but the network has outputs for 2 tar"):
        net.fit(X, T, masked_targets=True, output_weights=[3, 3, 0.5, 0.5])


def test_an_infinite_error_does_not_count_where_its_target_is_missing_or_its_output_without_weight(engine):
    net = rs.Network(rs.Dense(2, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    net.layers[0].W[...] = [[1e200, 1.0]]
    E, g = net.value_and_gradient([[1.0]], [[np.nan, 2.0]], masked_targets=True)
    assert (E, g.tolist()) == (0.5, [0.0, -1.0])
    E, g = net.value_and_gradient([[1.0]], [[0.0, 2.0]], output_weights=[0, 1])
    assert (E, g.tolist()) == (0.5, [0.0, -1.0])


def test_weights_of_1_and_no_missing_target_change_nothing_but_digits(engine):
    X, T, _, _ = problem("huber", 3)
    net = network("huber", "identity", 3, engine)
    E, g = net.value_and_gradient(X, T)
    with_weights = net.value_and_gradient(X, T, output_weights=np.ones(3), masked_targets=True)
    assert pytest.approx(E, rel=1e-14) == with_weights[0]
    np.testing.assert_allclose(with_weights[1], g, rtol=1e-13, atol=1e-16)
    assert net.value_and_gradient(X, T, masked_targets=True)[1].tobytes() == g.tobytes()


def test_a_weight_for_each_class_is_a_weight_of_the_row(engine):
    X, _, _, _ = problem("cross_entropy", 3)
    y, c = np.arange(len(X)) % 3, np.array([1.0, 5.0, 0.5])
    net = network("cross_entropy", "softmax", 3, engine)
    E, g = net.value_and_gradient(X, y, output_weights=c)
    s = c[y]
    E_rows, g_rows = net.value_and_gradient(X, y, sample_weight=s)  # over Σs instead of the rows
    assert pytest.approx(E_rows * s.sum() / len(X), rel=1e-12) == E
    np.testing.assert_allclose(g, g_rows * s.sum() / len(X), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("mark", [-1, np.nan, None, pd.NA])
def test_a_missing_label_masks_its_row(engine, mark):
    X, y = np.arange(12.0).reshape(6, 2) / 6, [0, 1, 2, 0, 1, 2]
    net = rs.Network(rs.Dense(3), loss="cross_entropy", inputs=2, dtype="float64", seed=0, engine=engine)
    labels = [*y[:4], mark, mark]
    e = net.errors(X, labels, masked_targets=True)
    np.testing.assert_array_equal(e[:4], net.errors(X[:4], y[:4]))
    assert not e[4:].any()
    E, g = net.value_and_gradient(X, labels, masked_targets=True)
    E_there, g_there = net.value_and_gradient(X[:4], y[:4])
    assert pytest.approx(E_there * 4 / 6, rel=1e-13) == E
    np.testing.assert_allclose(g, g_there * 4 / 6, rtol=1e-12, atol=1e-15)
    rows = np.eye(3)[y]
    rows[4:] = np.nan
    np.testing.assert_array_equal(net.value_and_gradient(X, rows, masked_targets=True)[1], g)


# --- fit ----------------------------------------------------------------------------------------------------------


def test_fit_learns_each_output_from_the_rows_that_have_it(engine):
    X = np.linspace(-1, 1, 60).reshape(-1, 1)
    T = np.hstack([X, -X, 2 * X])
    T[::2, 0], T[1::2, 1], T[10:50, 2] = np.nan, np.nan, np.nan
    net = rs.Network(rs.Dense(3), dtype="float64", seed=0, engine=engine)
    history = net.fit(
        X, T, masked_targets=True, optimizer=rs.SGD(0.5), epochs=150, batch_size=10, validation_data=(X, T)
    )
    np.testing.assert_allclose(net([[0.5]]), [[0.5, -0.5, 1.0]], atol=1e-6)
    assert history.validation_loss[-1] < 1e-10
    assert history.validation_loss[0] > history.validation_loss[-1]


def test_both_engines_learn_the_same_from_masked_and_weighted_targets(native):
    X, T, missing, c = problem("binary_cross_entropy", 3)
    nets = [network("binary_cross_entropy", "sigmoid", 3, engine) for engine in ("native", "reference")]
    T[missing] = np.nan
    told = [
        net.fit(X, T, epochs=4, batch_size=8, masked_targets=True, output_weights=c, validation_data=(X, T), l2=0.1)
        for net in nets
    ]
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(told[0].loss, told[1].loss, rtol=1e-12)
    e = nets[0].errors(X, T, masked_targets=True) * c
    assert told[0].validation_loss[-1] == pytest.approx(e.sum(axis=1).mean(), rel=1e-12)


def test_masked_and_weighted_fits_have_the_same_bytes_for_any_number_of_threads(native):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(600, 30)).astype("f4"), rng.normal(size=(600, 20)).astype("f4")
    T[rng.uniform(size=T.shape) < 0.4] = np.nan
    bytes_of = set()
    for threads in (1, 2, 3):
        net = rs.Network(rs.Dense(64), rs.Dense(20), seed=0, engine="native")
        net.fit(X, T, masked_targets=True, output_weights=np.arange(20), epochs=2, batch_size=200, threads=threads)
        bytes_of.add(net.parameters.tobytes())
    assert len(bytes_of) == 1


def test_fit_many_gives_each_network_its_masks_and_weights():
    X, T, missing, c = problem("squared_error", 3)
    masked = np.where(missing, np.nan, T)
    plan = [({"masked_targets": True, "output_weights": c}, masked), ({"output_weights": [1, 2, 3]}, T), ({}, T)]
    alone = [network("squared_error", "identity", 3) for _ in plan]
    for net, (options, y) in zip(alone, plan, strict=True):
        net.fit(X, y, epochs=2, **options)
    together = [network("squared_error", "identity", 3) for _ in plan]
    rs.fit_many(
        together,
        X,
        [y for _, y in plan],
        epochs=2,
        masked_targets=[True, False, False],
        output_weights=[c, [1, 2, 3], None],
    )
    assert [net.parameters.tobytes() for net in together] == [net.parameters.tobytes() for net in alone]
    same = [network("squared_error", "identity", 3) for _ in range(3)]
    rs.fit_many(same, X, T, epochs=2, output_weights=[1, 2, 3])  # one weight an output, not one a network
    assert same[0].parameters.tobytes() == same[2].parameters.tobytes() == alone[1].parameters.tobytes()


def test_a_checkpoint_of_other_weights_is_refused(tmp_path):
    X, T, _, _ = problem("squared_error", 3)
    network("squared_error", "identity", 3).fit(X, T, epochs=1, checkpoint=tmp_path, output_weights=[1, 2, 3])
    again = network("squared_error", "identity", 3)
    again.fit(X, T, epochs=1, checkpoint=tmp_path, output_weights=np.array([1.0, 2.0, 3.0]))
    with pytest.raises(rs.ParameterError, match="output_weights"):
        network("squared_error", "identity", 3).fit(X, T, epochs=1, checkpoint=tmp_path)


def test_a_fit_that_diverges_names_a_target_that_is_there():
    X, T = LINE, np.array([[np.nan], [1e30], [1.0], [2.0]])
    net = rs.Network(rs.Dense(1), seed=0)
    with pytest.warns(RuntimeWarning, match=r"y holds 1e\+30 at row 1, column 0"):
        net.fit(X, T, masked_targets=True, optimizer=rs.SGD(1.0), epochs=50)


def test_metrics_compare_what_is_there():
    X, _, _, _ = problem("cross_entropy", 3)
    y, s = np.arange(len(X)) % 3, np.linspace(1, 2, len(X))
    labels = np.where(np.arange(len(X)) % 4 == 0, -1, y)
    net = network("cross_entropy", "softmax", 3)
    there = labels >= 0
    told = net.evaluate(X, labels, metrics=("accuracy", "log_loss"), masked_targets=True, sample_weight=s)
    right = net(X)[there].argmax(axis=1) == y[there]
    assert told["accuracy"] == pytest.approx(np.average(right, weights=s[there]), rel=1e-12)
    rest = net.evaluate(X[there], y[there], metrics="log_loss", sample_weight=s[there])
    assert told["log_loss"] == pytest.approx(rest["log_loss"], rel=1e-12)
    assert np.isnan(net.evaluate(X, [-1] * len(X), metrics="accuracy", masked_targets=True)["accuracy"])
    history = net.fit(X, labels, epochs=1, metrics="accuracy", masked_targets=True)
    right = net(X)[there].argmax(axis=1) == y[there]
    assert history.metrics["accuracy"][-1] == pytest.approx(right.mean())


# --- what is taken for missing --------------------------------------------------------------------------------------

THERE = [[1.0, np.nan], [np.nan, 2.0], [3.0, 4.0], [np.nan, np.nan]]
NONE = [[None if np.isnan(x) else x for x in row] for row in THERE]
TABLE = pd.DataFrame(NONE, columns=["a", "b"])
KINDS = {
    "NaN": THERE,
    "float32": np.array(THERE, "f4"),
    "None": NONE,
    "objects with NA": np.array([[pd.NA if x is None else x for x in row] for row in NONE], dtype=object),
    "Int64": TABLE.astype("Int64"),
    "pandas": TABLE.astype(float),
    "pandas objects": TABLE.astype(object),
    "arrow in pandas": TABLE.astype("double[pyarrow]"),
    "polars": pl.DataFrame(TABLE.to_dict("list"), strict=False),
    "polars whole numbers": pl.DataFrame({"a": [1, None, 3, None], "b": [None, 2, 4, None]}),
    "arrow": pa.table({"a": [1, None, 3, None], "b": [None, 2.0, 4.0, None]}),
    "masked": np.ma.masked_invalid(THERE),
    "masked whole numbers": np.ma.masked_equal([[1, 9], [9, 2], [3, 4], [9, 9]], 9),
}


@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_whatever_stands_for_missing_is_missing(y):
    net = rs.Network(rs.Dense(2, "identity"), inputs=1, dtype="float64", seed=0)
    E = np.nan_to_num((net(LINE) - np.array(THERE)) ** 2 / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(net.errors(LINE, y, masked_targets=True), E, rtol=1e-14)
        net.fit(LINE, y, masked_targets=np.True_, epochs=1)


@pytest.mark.parametrize("y", [pd.Series([1, None, 0, 1], dtype="Int64"), pl.Series([1, None, 0, 1]), [1, None, 0, 1]])
def test_a_column_of_labels_may_be_missing_here_and_there(y):
    net = rs.Network(rs.Dense(2), loss="cross_entropy", inputs=1, dtype="float64", seed=0)
    expected = net.errors(LINE, [1, 0, 0, 1])
    expected[1] = 0
    np.testing.assert_array_equal(net.errors(LINE, y, masked_targets=True), expected)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [[1.0, 2.0, np.nan, 4.0], [1, 2, None, 4]])
def test_without_masked_targets_a_missing_one_is_refused_with_the_way_out(y):
    net = rs.Network(rs.Dense(1), inputs=1, seed=0)
    way_out = "at row 2; replace .* or give masked_targets=True, with which missing targets count nothing"
    for call in (net.errors, net.value_and_gradient, net.gradient, net.fit):
        with pytest.raises(rs.DataError, match=way_out):
            call(LINE, y)
    with pytest.raises(rs.DataError, match=r"^validation y holds .* or give masked_targets=True"):
        net.fit(LINE, LINE, validation_data=(LINE, y))
    with pytest.raises(rs.DataError, match=way_out):
        net.step(LINE, y, learning_rate=0.1)
    with pytest.raises(rs.DataError, match=r"before fitting or calling\.$"):  # which has no such parameter
        net.blackboard(LINE, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.inf, np.nan, 1.0], "y holds inf at row 1"),
        ([1.0, "x", None, 1.0], "y holds 'x' at row 1"),
        ([np.nan] * 4, "^y holds no target that is not missing"),
    ],
)
def test_with_masked_targets_only_what_is_missing_is_let_through(y, message):
    net = rs.Network(rs.Dense(1), inputs=1, seed=0)
    before = net.parameters.tobytes()
    with pytest.raises(rs.DataError, match=message):
        net.fit(LINE, y, masked_targets=True)
    assert net.parameters.tobytes() == before


def test_a_validation_set_without_any_target_is_refused():
    net = rs.Network(rs.Dense(2), loss="cross_entropy", inputs=1, seed=0)
    with pytest.raises(rs.DataError, match=r"^validation y holds no target that is not missing"):
        net.fit(LINE, [0, 1, 0, 1], masked_targets=True, validation_data=(LINE, [-1] * 4))


def test_a_distribution_that_is_missing_in_part_is_refused_by_its_row():
    net = rs.Network(rs.Dense(3), loss="cross_entropy", inputs=1, seed=0)
    T = np.full((4, 3), 1 / 3)
    T[1], T[2, :2] = np.nan, np.nan
    with pytest.raises(rs.DataError, match="Row 2 of y has 2 of 3 numbers missing"):
        net.errors(LINE, T, masked_targets=True)


@pytest.mark.parametrize("wrong", [-2, 3, 1.5])
def test_a_label_that_is_none_is_still_refused(wrong):
    net = rs.Network(rs.Dense(3), loss="cross_entropy", inputs=1, seed=0)
    with pytest.raises(rs.DataError, match=r"at row 3, but a label must be .* or -1 or NaN where it is missing"):
        net.errors(LINE, [0, 1, None, wrong], masked_targets=True)


@pytest.mark.parametrize("wrong", [1, "yes", None, [True]])
def test_masked_targets_is_true_or_false(wrong):
    net = rs.Network(rs.Dense(1), inputs=1, seed=0)
    with pytest.raises(rs.ParameterError, match="masked_targets is"):
        net.fit(LINE, LINE, masked_targets=wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([1.0], r"^output_weights has 1 numbers, but the network has outputs for 2 target"),
        ([1.0, -1.0], r"^output_weights\[1\] is -1.0, but must be a finite number at least 0"),
        ([1.0, np.nan], r"^output_weights\[1\] is nan"),
        ([0, 0], "at least one output needs a weight above 0"),
        (3.0, "^output_weights is 3.0, but must be a list of one number for each output"),
        ([["a"], ["b"]], "^output_weights is "),
        ("ab", "^output_weights is 'ab'"),
    ],
)
def test_weights_of_outputs_are_refused_by_their_place(wrong, message):
    net = rs.Network(rs.Dense(2), inputs=1, seed=0)
    for call in (net.fit, net.value_and_gradient):
        with pytest.raises(rs.ParameterError, match=message):
            call(LINE, np.hstack([LINE, LINE]), output_weights=wrong)


def test_the_pairs_of_this_file_are_pairs_of_the_tables():
    assert all(LOSSES[loss].takes(ACTIVATIONS[activation]) for loss, activation in PAIRS)


@pytest.mark.parametrize("options", [{"masked_targets": True}, {"output_weights": [1e-3, 1e-3]}])
def test_what_is_said_of_constant_outputs_is_not_said_of_what_was_not_compared(options):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(200, 1)), rng.normal(size=(200, 2))
    if "masked_targets" in options:
        T[::2, 0] = T[1::2, 1] = np.nan
    net = rs.Network(rs.Dense(2, bias=False), inputs=1, seed=0)
    net.parameters[...] = 0
    net.fit(X, T, epochs=20, optimizer=rs.SGD(1e-9), **options)
