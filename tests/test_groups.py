"""Several columns of classes in one network: groups of outputs with a distribution each, in both engines."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import compiling
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.metrics import log_loss, roc_auc_score

import reseau as rs
from reseau.training.constants import loss_of_constants

# Among at most 16 numbers rows lie abreast; the others have groups that end within vectors, and one of a single neuron.
GROUPS = [(3, 4), (2, 1, 2), (20, 3), (3, 17, 5, 8)]
LOSSES = ["cross_entropy", rs.CrossEntropy(0.1), "focal", rs.Focal(0.7)]
ACTIVATIONS = ["softmax", "log_softmax"]


def network(
    groups: tuple[int, ...],
    activation: str | None = None,
    loss: Any = "cross_entropy",
    engine: str | None = None,
    dtype: str = "float64",
) -> rs.Network:
    layers = rs.Dense(4, "tanh"), rs.Dense(sum(groups), activation, groups=groups)
    return rs.Network(*layers, loss=loss, inputs=3, dtype=dtype, seed=1, engine=engine)


def problem(groups: tuple[int, ...], rows: int = 21, missing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """X, and of each group the label, or -1 where it is missing."""
    rng = np.random.default_rng(rows)
    Y = np.column_stack([rng.integers(0, n, rows) for n in groups])
    return rng.normal(size=(rows, 3)), np.where(rng.random(Y.shape) < missing, -1, Y)


def one_hot(Y: np.ndarray, groups: tuple[int, ...]) -> np.ndarray:
    """Labels as rows of zeros and ones, NaN where they are missing."""
    return np.hstack(
        [np.where(y[:, None] < 0, np.nan, np.arange(n) == y[:, None]) for y, n in zip(Y.T, groups, strict=True)]
    )


def columns(O: np.ndarray, groups: tuple[int, ...]) -> list[np.ndarray]:
    return np.split(O, np.cumsum(groups)[:-1], axis=1)


# --- values and gradients ---------------------------------------------------------------------------------------------

# import torch
# Z = torch.tanh(X @ W1 + b1) @ W2 + b2  # in float64, with the numbers below
# E = sum(
#     c * torch.nn.functional.cross_entropy(
#         Z[:, a:b], Y[:, k], ignore_index=-1, label_smoothing=epsilon, reduction="sum") / 3
#     for k, (a, b, c) in enumerate(((0, 3, weights[0]), (3, 5, weights[1]))))
# E.backward()
OF_TORCH = [
    (
        "cross_entropy",
        None,
        1.46652293345128,
        [
            -0.246709236809282,
            0.019859033600261,
            0.509516225089463,
            0.444396886279639,
            0.069137774181324,
            0.324381618704984,
            0.171966040369991,
            0.043916966867324,
            -0.215883007237315,
            -0.052843413529715,
            0.052843413529715,
            0.290952263822152,
            -0.074213697658059,
            -0.216738566164093,
            0.11578491285681,
            -0.11578491285681,
            -0.064964253085038,
            0.16536464512618,
            -0.100400392041142,
            0.167066121356909,
            -0.167066121356909,
        ],
    ),
    (
        rs.CrossEntropy(label_smoothing=0.1),
        [2.0, 0.5],
        2.230543353967654,
        [
            -0.165955782907445,
            0.309133626285331,
            0.803096825673411,
            0.905706189715129,
            -0.280434746757538,
            0.411270682913337,
            0.323922841369395,
            0.071155252694587,
            -0.395078094063982,
            -0.019542591642116,
            0.019542591642116,
            0.536081951891946,
            -0.135226527854992,
            -0.400855424036955,
            0.055417901062184,
            -0.055417901062184,
            -0.107706283947854,
            0.286284845807916,
            -0.178578561860061,
            0.083533060678455,
            -0.083533060678455,
        ],
    ),
]


@pytest.mark.parametrize(("loss", "weights", "E", "gradient"), OF_TORCH)
@pytest.mark.parametrize("as_rows", [False, True])
def test_the_error_is_the_sum_of_the_columns_cross_entropies_as_pytorch_has_them(
    engine, loss, weights, E, gradient, as_rows
):
    layers = rs.Dense(2, "tanh"), rs.Dense(5, groups=(3, 2))
    net = rs.Network(*layers, loss=loss, inputs=2, dtype="float64", engine=engine)
    net.parameters[...] = [
        0.5,
        -1.0,
        0.25,
        0.75,
        0.1,
        -0.2,
        1.0,
        -0.5,
        0.25,
        0.5,
        -1.0,
        0.75,
        0.5,
        -0.25,
        1.5,
        0.0,
        0.0,
        0.1,
        -0.1,
        0.2,
        0.3,
    ]
    X, Y = np.array([[1.0, 2.0], [-0.5, 0.5], [0.3, -1.2]]), np.array([[2, 0], [-1, 1], [0, -1]])
    y = one_hot(Y, (3, 2)) if as_rows else Y
    found, g = net.value_and_gradient(X, y, masked_targets=True, output_weights=weights)
    assert found == pytest.approx(E, rel=1e-14)
    np.testing.assert_allclose(g, gradient, atol=1e-14)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_is_that_of_the_errors_with_labels_missing_and_weights_of_columns_and_classes(
    engine, groups, loss, activation
):
    net = network(groups, activation, loss, engine)
    X, Y = problem(groups, missing=0.3)
    rng = np.random.default_rng(0)
    for c in (None, rng.uniform(0, 2, len(groups)), np.array([0.0, *rng.uniform(0.5, 2, sum(groups) - 1)])):
        each = np.ones(1) if c is None else np.repeat(c, groups) if len(c) == len(groups) else c

        def mean_error(w: np.ndarray, each: np.ndarray = each) -> float:
            net.parameters[...] = w
            return float((each * net.errors(X, Y, masked_targets=True)).sum(axis=1).mean())

        w = net.parameters.copy()
        E, g = net.value_and_gradient(X, Y, masked_targets=True, output_weights=c)
        assert pytest.approx(mean_error(w), rel=1e-12) == E
        moved, h = slice(0, None, 11), 1e-5
        differences = [
            (mean_error(w + h * unit) - mean_error(w - h * unit)) / (2 * h) for unit in np.eye(w.size)[moved]
        ]
        net.parameters[...] = w
        np.testing.assert_allclose(g[moved], differences, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["cross_entropy", rs.CrossEntropy(0.1), "focal"], ids=str)
def test_each_group_has_the_errors_of_a_network_of_its_own(engine, groups, activation, loss):
    net = network(groups, activation, loss, engine)
    X, Y = problem(groups, missing=0.2)
    e = columns(net.errors(X, Y, masked_targets=True), groups)
    for k, (n, W, b) in enumerate(
        zip(groups, columns(net.layers[1].W, groups), np.split(net.layers[1].b, np.cumsum(groups)[:-1]), strict=True)
    ):
        if n == 1:
            np.testing.assert_array_equal(e[k], 0)
            continue
        own = rs.Network(
            rs.Dense(4, "tanh"), rs.Dense(n, activation), loss=loss, inputs=3, dtype="float64", engine=engine
        )
        own.layers[0].W[...], own.layers[0].b[...] = net.layers[0].W, net.layers[0].b
        own.layers[1].W[...], own.layers[1].b[...] = W, b
        np.testing.assert_allclose(columns(net(X), groups)[k], own(X), rtol=1e-13)
        np.testing.assert_allclose(e[k], own.errors(X, Y[:, k], masked_targets=True), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_network_of_one_layer_learns_what_a_network_for_each_column_does(engine, smoothing):
    groups, loss = (3, 17, 5), rs.CrossEntropy(smoothing)
    X, Y = problem(groups, rows=60)
    together = rs.Network(rs.Dense(25, groups=groups), loss=loss, inputs=3, dtype="float64", seed=3, engine=engine)
    W, how = together.layers[0].W.copy(), {"optimizer": rs.Adam(0.05), "epochs": 4, "batch_size": 7, "shuffle": False}
    history, losses = together.fit(X, Y, **how), 0.0
    for k, (n, w) in enumerate(zip(groups, columns(W, groups), strict=True)):
        alone = rs.Network(rs.Dense(n), loss=loss, inputs=3, dtype="float64", seed=3, engine=engine)
        alone.layers[0].W[...] = w
        losses = losses + np.array(alone.fit(X, Y[:, k], **how).loss)
        np.testing.assert_allclose(columns(together(X), groups)[k], alone(X), rtol=1e-12)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_native_engine_computes_what_the_reference_engine_does(native, groups, activation, dtype):
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for rows in (1, 3, 40):
        X, Y = problem(groups, rows, missing=0.2 if rows > 1 else 0.0)
        two = [network(groups, activation, rs.CrossEntropy(0.05), engine, dtype) for engine in ("reference", "native")]
        asked = {
            "outputs": lambda net: net(X),  # noqa: B023
            "errors": lambda net: net.errors(X, Y, masked_targets=True),  # noqa: B023
            "gradients": lambda net: np.hstack(net.layer_gradients(X, Y, masked_targets=True)),  # noqa: B023
            "jacobian": lambda net: net.jacobian(X),  # noqa: B023
            "jvp": lambda net: net.jvp(X, [1.0, -2.0, 0.5]),  # noqa: B023
            "vjp": lambda net: net.vjp(X, np.linspace(-1, 2, sum(groups))),  # noqa: B023
            "hessian_vector": lambda net: net.hessian_vector(X, [1.0, -2.0, 0.5]),  # noqa: B023
            "fit": lambda net: net.fit(X, Y, masked_targets=True, epochs=3, batch_size=8).loss,  # noqa: B023
            "fitted": lambda net: net.parameters,
        }
        for what, ask in asked.items():
            expected, found = map(ask, two)
            np.testing.assert_allclose(found, expected, rtol=10 * tolerance, atol=tolerance, err_msg=what)
        np.testing.assert_array_equal(two[1](X), np.vstack([two[1](x[None]) for x in X]))


@pytest.mark.parametrize("groups", [(3, 4), (3, 17, 5, 8)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_derivatives_by_the_inputs_are_those_of_the_outputs(engine, groups, activation):
    net = network(groups, activation, engine=engine)
    x, v, n = np.array([0.3, -0.7, 1.1]), np.array([1.0, -2.0, 0.5]), sum(groups)
    J = approx_fprime(x, lambda x: net(x[None])[0], 1e-7)
    np.testing.assert_allclose(net.jacobian(x[None])[0], J, atol=1e-6)
    np.testing.assert_allclose(net.jvp(x[None], v)[0], J @ v, atol=1e-6)
    np.testing.assert_allclose(net.vjp(x[None], np.arange(n) - 2.0)[0], (np.arange(n) - 2.0) @ J, atol=3e-5)
    change = approx_fprime(x, lambda x: net.jvp(x[None], v)[0], 1e-7)
    np.testing.assert_allclose(net.hessian_vector(x[None], v)[0], change, atol=1e-5)


def test_slopes_are_learnt_of_groups_too(engine):
    X, Y = problem((3, 4), 5, missing=0.3)
    net, dy = network((3, 4), engine=engine), np.zeros((5, 7, 3))
    E, g = net.value_and_gradient(X, Y, masked_targets=True, dy=dy)
    there = np.repeat(Y >= 0, (3, 4), axis=1)
    of_slopes = 0.5 * (np.where(there[:, :, None], net.jacobian(X), 0) ** 2).sum() / 5
    assert pytest.approx(net.errors(X, Y, masked_targets=True).sum() / 5 + of_slopes, rel=1e-12) == E
    w, h = net.parameters, 1e-6
    before, ends = w[7], []
    for w[7] in (before + h, before - h):
        ends.append(net.value_and_gradient(X, Y, masked_targets=True, dy=dy)[0])
    assert g[7] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5)


def test_groups_go_into_hidden_layers_before_links_and_dropout(native):
    layers = rs.Residual(rs.Dense(7, "softmax", groups=(3, 4), dropout=0.2)), rs.Dense(2)
    X, y = np.random.default_rng(0).normal(size=(30, 7)), np.arange(30.0) % 5
    losses = [
        rs.Network(*layers, loss="cross_entropy", inputs=7, dtype="float64", seed=0, engine=engine)
        .fit(X, y % 2, epochs=3)
        .loss
        for engine in ("reference", "native")
    ]
    np.testing.assert_allclose(*losses, rtol=1e-12)


# --- targets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "y",
    [
        pd.DataFrame({"colour": [2, None, 0], "size": [0, 3, None]}),
        [[2, 0], [None, 3], [0, None]],
        np.array([[2, 0], [np.nan, 3], [0, np.nan]], dtype=np.float32),
        np.asfortranarray([[2, 0], [-1, 3], [0, -1]], dtype=np.int8),
        one_hot(np.array([[2, 0], [-1, 3], [0, -1]]), (3, 4)),
    ],
    ids=["frame", "lists", "floats", "integers", "rows"],
)
def test_labels_may_be_missing_in_one_column_alone(engine, y):
    net, X = network((3, 4), engine=engine), problem((3, 4), 3)[0]
    e, O = net.errors(X, y, masked_targets=True), net(X)
    expected = np.zeros((3, 7))
    for row, place in ((0, 2), (2, 0), (0, 3), (1, 6)):
        expected[row, place] = -np.log(O[row, place])
    np.testing.assert_allclose(e, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([[0, 0], [0, 4], [0, 0]], r"y holds 4 at row 1, column 1, but a label must be a whole number from 0 to 3"),
        ([[0, 0], [3, 0], [0, 0]], r"y holds 3 at row 1, column 0, .*from 0 to 2, .*numpy.unique\(y\[:, 0\]"),
        ([[0, 0], [0.5, 0], [0, 0]], r"y holds 0.5 at row 1, column 0"),
        ([[0, 0], [-1, 0], [0, 0]], r"y holds -1 at row 1, column 0"),
        ([[0, 0], [np.nan, 0], [0, 0]], r"masked_targets=True"),
        ([0, 1, 2], r"y has shape \(3,\), .*groups of \(3, 4\) outputs, .* must be \(3, 2\), .* or \(3, 7\)"),
        (np.zeros((3, 3)), r"y has shape \(3, 3\)"),
        (np.zeros((3, 2, 1)), r"y has shape \(3, 2, 1\)"),
        (np.eye(3, 7), r"Row 0 of y\[:, 3:7\] sums to 0"),
        ([["a", "b"]] * 3, r"y holds 'a'"),
        ([[0, 0], [0, 0]], r"X has 3 rows but y has 2 rows"),
    ],
)
def test_other_targets_are_refused_with_their_place(y, said):
    with pytest.raises(rs.DataError, match=said):
        network((3, 4)).errors(np.zeros((3, 3)), y)


def test_a_group_of_a_distribution_is_missing_as_a_whole():
    y = one_hot(np.array([[2, 1]]), (3, 4))
    y[0, 4] = np.nan
    with pytest.raises(rs.DataError, match=r"Row 0 of y\[:, 3:7\] has 1 of 4 numbers missing"):
        network((3, 4)).errors(np.zeros((1, 3)), y, masked_targets=True)
    with pytest.raises(rs.DataError, match="no target that is not missing"):
        network((3, 4)).fit(np.zeros((2, 3)), [[-1, -1], [-1, -1]], masked_targets=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"groups": (3, 3)}, r"groups is \(3, 3\), 6 neurons in all, but the layer has 7"),
        ({"groups": (3, 0, 4)}, r"groups\[1\]"),
        ({"groups": (3, 4.5)}, r"groups\[1\]"),
        ({"groups": 7}, r"groups is 7, but must be the numbers of neurons in each group"),
        ({"groups": (1,) * 7}, r"some group must have 2 neurons"),
        ({"groups": (3, 4), "activation": "relu"}, r"'relu', which takes none; .* 'softmax' and 'log_softmax'"),
    ],
)
def test_groups_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(rs.ParameterError, match=said):
        rs.Dense(7, **arguments)


def test_groups_go_with_a_loss_over_distributions_or_a_softmax_that_was_asked_for():
    with pytest.raises(rs.ParameterError, match=r"'identity', which takes none"):
        rs.Network(rs.Dense(7, groups=(3, 4)), loss="squared_error")
    net = rs.Network(rs.Dense(7, "softmax", groups=(3, 4)), loss="squared_error", inputs=3)
    y = one_hot(np.array([[2, 1]]), (3, 4))
    assert net.errors(np.zeros((1, 3)), y).shape == (1, 7)
    with pytest.warns(UserWarning, match=r"Row 0 of y sums to 2.*groups of \(3, 4\) columns that sum to 1"):
        net.fit(np.zeros((1, 3)), y[:, ::-1] + np.eye(1, 7), epochs=1)


def test_one_group_is_the_softmax_of_all_and_numpys_sizes_are_numbers():
    assert rs.Dense(7, groups=(7,)) == rs.Dense(7, groups=[]) == rs.Dense(7)
    assert rs.Dense(7, groups=np.array([3, 4])) == rs.Dense(7, groups=[3, 4])
    assert repr(rs.Dense(7, groups=(3, 4))) == (
        "Dense(neurons=7, activation=None, bias=True, init=None, dropout=0.0, groups=(3, 4))"
    )
    assert str(network((3, 4))) == (
        "Network(Dense(4, 'tanh'), Dense(7, 'softmax', groups=(3, 4)), loss='cross_entropy', inputs=3, dtype='float64')"
    )


def test_weights_of_outputs_are_one_for_each_column_or_for_each_class():
    X, Y = problem((3, 4))
    with pytest.raises(rs.ParameterError, match=r"3 numbers, .* 2 target\(s\); .* or for each of their 7 classes"):
        network((3, 4)).fit(X, Y, output_weights=[1, 2, 3])
    each = [network((3, 4)).fit(X, Y, output_weights=c, epochs=2).loss for c in ([2, 0.5], [2] * 3 + [0.5] * 4)]
    assert each[0] == each[1]
    both = rs.fit_many([network((3, 4)), network((3, 4))], X, Y, output_weights=[2, 0.5], epochs=2)
    assert [history.loss for history in both] == [each[0]] * 2


# --- what is said of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_metrics_are_scikit_learns_of_each_column(activation):
    groups = (3, 2)
    X, Y = problem(groups, 40, missing=0.2)
    net = network(groups, activation)
    P = columns(np.exp(net(X)) if activation == "log_softmax" else net(X), groups)
    there = (Y >= 0).T
    found = net.evaluate(X, Y, metrics=("accuracy", "log_loss", "auc"), masked_targets=True)
    of_columns = [log_loss(y[t], p[t], labels=range(n)) for y, t, p, n in zip(Y.T, there, P, groups, strict=True)]
    assert found["log_loss"] == pytest.approx(np.mean(of_columns), rel=1e-12)
    assert found["loss"] == pytest.approx(sum(l * t.mean() for l, t in zip(of_columns, there, strict=True)), rel=1e-12)
    right = [(p.argmax(axis=1) == y) | ~t for y, t, p in zip(Y.T, there, P, strict=True)]
    assert found["accuracy"] == pytest.approx(np.mean((right[0] & right[1])[there.any(axis=0)]))
    aucs = [roc_auc_score(Y[there[0], 0] == j, P[0][there[0], j]) for j in range(3)]
    aucs.append(roc_auc_score(Y[there[1], 1], P[1][there[1], 1]))
    assert found["auc"] == pytest.approx(np.mean(aucs), rel=1e-12)
    with pytest.raises(rs.ParameterError, match="compares numbers, but y holds class labels"):
        net.evaluate(X, Y, metrics=("mse",), masked_targets=True)
    full = np.abs(Y)
    found = net.evaluate(X, one_hot(full, groups), metrics=("mse",))["mse"]
    assert found == pytest.approx(((net(X) - one_hot(full, groups)) ** 2).mean(), rel=1e-12)


def test_the_loss_of_constants_is_the_sum_of_the_columns_entropies():
    _, Y = problem((3, 4), 50)
    of_columns = [np.bincount(y) / 50 for y in Y.T]
    expected = -sum((p[p > 0] * np.log(p[p > 0])).sum() for p in of_columns)
    assert loss_of_constants(network((3, 4)).architecture, Y) == pytest.approx(expected, rel=1e-12)
    assert loss_of_constants(network((3, 4)).architecture, one_hot(Y, (3, 4))) == pytest.approx(expected, rel=1e-12)


def test_the_validation_loss_and_patience_see_all_columns():
    X, Y = problem((3, 4), 40)
    net = network((3, 4))
    history = net.fit(X[:30], Y[:30], validation_data=(X[30:], Y[30:]), epochs=5, patience=5, metrics=("accuracy",))
    assert min(history.validation_loss) == pytest.approx(net.errors(X[30:], Y[30:]).sum(axis=1).mean(), rel=1e-9)


# --- files and exports ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [(3, 4), (2, 1, 2)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_files_keep_the_groups_and_exports_compute_them(tmp_path: Path, groups, activation):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, X = network(groups, activation), problem(groups)[0]
    net.save(tmp_path / "net.reseau")
    loaded = rs.load(tmp_path / "net.reseau")
    assert loaded.architecture == net.architecture
    np.testing.assert_array_equal(loaded(X), net(X))
    net.to_onnx(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    np.testing.assert_allclose(session.run(None, {"X": X})[0], net(X), rtol=1e-12)
    rs.to_python(net, tmp_path / "net.py")
    np.testing.assert_allclose(runpy.run_path(str(tmp_path / "net.py"))["predict"](X), net(X), rtol=1e-13)
    net.to_c(tmp_path / "net.c")
    done = compiling.self_test(compiling.QUICK, tmp_path / "net.c")
    assert done.returncode == 0, done.stdout
    with pytest.raises(rs.ReseauError):
        rs.from_onnx(tmp_path / "net.onnx")


def test_the_board_works_each_group_out_by_itself():
    X, Y = problem((3, 4), 1)
    net = network((3, 4), loss=rs.CrossEntropy(0.1))
    board = net.blackboard(X, Y)
    E, g = net.value_and_gradient(X, Y)
    assert float(board.E) == pytest.approx(E, rel=1e-12)
    np.testing.assert_allclose(np.ravel(board.dW2), g[16:44], atol=1e-14)
    S = net(X)[0]
    text = str(net.blackboard(X, Y, focus={2: [0, 1, 4]}))
    assert "within each group of neurons by itself; the groups have 3 and 4 neurons" in " ".join(text.split())
    assert f"= {S[4]:.4f}" in text
    assert "dans chaque groupe de neurones" in " ".join(str(net.blackboard(X, Y, lang="fr", exact=True)).split())


def test_the_summary_names_the_groups():
    assert "softmax     e^{z_j}/Σ_i e^{z_i}, groups (3, 4)" in network((3, 4)).summary()
