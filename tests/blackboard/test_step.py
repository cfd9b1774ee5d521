"""The numbers of a blackboard: by hand, in fractions, and against both engines."""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import exp
from typing import Any

import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER, RoundingBounds, norm, targets_for

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")

# --- by hand ------------------------------------------------------------------------------------------------------

SAMPLE, WANTED, RATE = [0.5, -1.0, 2.0], [1.0, 0.0], 0.5
W1 = [[0.1, -0.2, 0.3, 0.4], [0.5, 0.6, -0.7, 0.8], [-0.9, 0.15, 0.25, -0.35]]
B1 = [0.01, -0.02, 0.03, 0.04]
W2 = [[0.2, -0.4, 0.6], [-0.8, 0.1, 0.3], [0.5, -0.7, 0.9], [-0.25, 0.45, -0.65]]
B2 = [-0.1, 0.2, 0.05]
W3 = [[0.7, -0.5], [0.35, 0.85], [-0.95, 0.15]]
B3 = [0.12, -0.34]


def into(row: list[float], W: list[list[float]], b: list[float]) -> list[float]:
    """The sums of a layer."""
    sums = []
    for j in range(len(b)):
        total = b[j]
        for i in range(len(row)):
            total += row[i] * W[i][j]
        sums.append(total)
    return sums


def tanh_by_hand(z: float) -> float:
    return (1 - exp(-2 * z)) / (1 + exp(-2 * z))


def sigmoid_by_hand(z: float) -> float:
    return 1 / (1 + exp(-z))


def forward_by_hand(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> dict[str, Any]:
    Z1 = into(SAMPLE, W1, b1)
    A1 = [tanh_by_hand(z) for z in Z1]
    Z2 = into(A1, W2, b2)
    A2 = [sigmoid_by_hand(z) for z in Z2]
    Z3 = into(A2, W3, b3)
    below = exp(Z3[0]) + exp(Z3[1])
    A3 = [exp(Z3[0]) / below, exp(Z3[1]) / below]
    e = [(WANTED[j] - A3[j]) ** 2 / 2 for j in range(2)]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "Z3": Z3, "A3": A3, "e": e, "E": e[0] + e[1]}


def outer(column: list[float], row: list[float]) -> list[list[float]]:
    return [[x * d for d in row] for x in column]


def back(delta: list[float], W: list[list[float]]) -> list[float]:
    """What a layer sends back: for each of its inputs, the sum over its neurons."""
    return [sum(delta[j] * W[i][j] for j in range(len(delta))) for i in range(len(W))]


def step_by_hand() -> dict[str, Any]:
    p = forward_by_hand(W1, B1, W2, B2, W3, B3)
    S = p["A3"]
    p["dA3"] = [S[0] - WANTED[0], S[1] - WANTED[1]]
    p["D3"] = [[S[0] * (1 - S[0]), -S[0] * S[1]], [-S[1] * S[0], S[1] * (1 - S[1])]]
    p["delta3"] = [p["dA3"][0] * p["D3"][0][j] + p["dA3"][1] * p["D3"][1][j] for j in range(2)]
    p["dW3"], p["db3"] = outer(p["A2"], p["delta3"]), p["delta3"]
    p["dA2"] = back(p["delta3"], W3)
    p["D2"] = [a * (1 - a) for a in p["A2"]]
    p["delta2"] = [p["dA2"][j] * p["D2"][j] for j in range(3)]
    p["dW2"], p["db2"] = outer(p["A1"], p["delta2"]), p["delta2"]
    p["dA1"] = back(p["delta2"], W2)
    p["D1"] = [1 - a * a for a in p["A1"]]
    p["delta1"] = [p["dA1"][j] * p["D1"][j] for j in range(4)]
    p["dW1"], p["db1"] = outer(SAMPLE, p["delta1"]), p["delta1"]
    for l, W, b in ((1, W1, B1), (2, W2, B2), (3, W3, B3)):
        p[f"change_W{l}"] = [[-RATE * g for g in row] for row in p[f"dW{l}"]]
        p[f"change_b{l}"] = [-RATE * g for g in p[f"db{l}"]]
        p[f"W{l}_new"] = [
            [w + d for w, d in zip(*rows, strict=True)] for rows in zip(W, p[f"change_W{l}"], strict=True)
        ]
        p[f"b{l}_new"] = [w + d for w, d in zip(b, p[f"change_b{l}"], strict=True)]
    after = forward_by_hand(*(p[f"{letter}{l}_new"] for l in (1, 2, 3) for letter in "Wb"))
    p.update(O_new=after["A3"], E_new=after["E"], X=SAMPLE, T=WANTED, O=p["A3"], dO=p["dA3"])
    p.update(W1=W1, W2=W2, W3=W3, b1=B1, b2=B2, b3=B3)
    return p


def deep_network(**options: Any) -> rs.Network:
    layers = rs.Dense(4, "tanh"), rs.Dense(3, "sigmoid"), rs.Dense(2, "softmax")
    net = rs.Network(*layers, inputs=3, **{"dtype": "float64", **options})
    net.parameters[...] = np.concatenate([np.ravel(part) for part in (W1, B1, W2, B2, W3, B3)])
    return net


def test_every_number_of_a_step_is_that_worked_out_by_hand():
    expected = step_by_hand()
    board = deep_network().blackboard([SAMPLE], [WANTED], learning_rate=RATE)
    assert set(board.steps[0]) == set(expected) - {"O", "dO"}
    for name, value in expected.items():
        part = board[name]
        value = np.asarray(value)
        # A row stands for the one sample, so that rows may come first.
        assert part.shape in (value.shape, (1, *value.shape)), name
        # No number here is larger than 2, and each takes fewer than a hundred roundings.
        np.testing.assert_allclose(part.reshape(value.shape), value, rtol=0, atol=1e-13, err_msg=name)
    assert expected["E_new"] < expected["E"]


def test_a_float32_network_is_worked_out_in_double_precision_from_its_decimals():
    board = deep_network(dtype="float32").blackboard(np.float32([SAMPLE]), [WANTED], learning_rate=RATE)
    for name, value in step_by_hand().items():
        assert board[name].dtype == np.float64
        np.testing.assert_allclose(board[name].reshape(np.shape(value)), value, rtol=0, atol=1e-13, err_msg=name)


def test_targets_in_float32_are_read_as_decimals_too():
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, seed=0)
    board = net.blackboard([[0.1]], [[0.3]])
    assert board.X.tolist() == [[0.1]]
    assert board.T.tolist() == [[0.3]]


def test_parts_are_items_attributes_and_an_iterable_mapping():
    board = deep_network().blackboard([SAMPLE], [WANTED], learning_rate=RATE)
    (step,) = board.steps
    assert board.dW2 is board["dW2"] is step.dW2 is step["dW2"]
    assert board.O is board.A3
    assert board.dO is board.dA3
    assert len(step) == len(list(step)) == len(dict(step))
    assert "W1_new" in step
    with pytest.raises(KeyError):
        board["dW9"]
    with pytest.raises(AttributeError, match=r"'dW9'.*dW3"):
        board.dW9  # noqa: B018
    assert repr(board) == "Blackboard(3-4-3-2, steps=1, lang='en')"


# --- against both engines -----------------------------------------------------------------------------------------

PAIRS = [
    (activation, loss)
    for activation, sigma in ACTIVATIONS.items()
    for loss, entry in LOSSES.items()
    if entry.takes(sigma)
]


def network(
    *activations: str, loss: str = "squared_error", bias: bool = True, engine: str | None = None, seed: int = 0
) -> rs.Network:
    """2 inputs, 3 neurons a layer, weights that keep every function near where it bends."""
    widths = [3] * (len(activations) - 1) + [3 * LOSSES[loss].per_target]
    layers = [rs.Dense(n, activation, bias=bias) for n, activation in zip(widths, activations, strict=True)]
    net = rs.Network(*layers, loss=loss, inputs=2, dtype="float64", engine=engine)
    net.parameters[...] = np.random.default_rng(seed).normal(0.0, 0.6, net.n_parameters)
    return net


def samples(loss: str, rows: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, 2)), targets_for(loss, rows, 3 * LOSSES[loss].per_target, rng)


def compare(net: rs.Network, X: Any, T: Any) -> None:
    """The blackboard's error and gradient with those of the network's engine, both rounding in float64."""
    board = net.blackboard(X, T, learning_rate=0.25)
    bounds = RoundingBounds(net.architecture, net.parameters, X, T, "float64")
    assert norm(board.e - net.errors(X, T)) <= bounds.errors
    assert norm(board.O - net(X)) <= bounds.outputs
    E, g = net.value_and_gradient(X, T)
    assert pytest.approx(E, rel=1e-13, abs=bounds.errors) == board.E
    rows = len(X)
    gradients, updated = [], []
    for l, (dW, db) in enumerate(net.gradient(X, T), start=1):
        assert board[f"dW{l}"].shape == dW.shape
        gradients += [board[f"dW{l}"].ravel()] + ([] if db is None else [board[f"db{l}"]])
        updated += [board[f"W{l}_new"].ravel()] + ([] if db is None else [board[f"b{l}_new"]])
        assert (f"b{l}" in board.steps[0]) == (db is not None)
    bound = max(bounds.gradient(np.full(rows, 1 / rows)), 1e-14 * norm(g))
    assert norm(g) > 0
    assert norm(np.concatenate(gradients) - g) <= 4 * bound  # a factor for the pairs whose ∂E/∂o bends more than by 1
    assert bound < 1e-9 * max(1.0, norm(g))  # a bound that bounds something
    net.step(X, T, learning_rate=0.25)
    assert norm(np.concatenate(updated) - net.parameters) <= bound + 1e-15 * norm(net.parameters)
    assert board.E_new == pytest.approx(net.errors(X, T).sum(axis=1).mean(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_output_with_every_loss_has_the_gradient_of_the_engines(engine, activation, loss, bias):
    compare(network("tanh", activation, loss=loss, bias=bias, engine=engine), *samples(loss))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_hidden_activation_has_the_gradient_of_the_engines(engine, activation):
    compare(network("sigmoid", activation, "softmax", loss="cross_entropy", engine=engine), *samples("cross_entropy"))
    compare(network(activation, "identity", engine=engine), *samples("squared_error", rows=1))


def test_the_parts_of_a_batch_are_each_other_s_products():
    # For activations that are not of whole rows: what no engine tells, D and delta and what is sent back.
    X, T = samples("squared_error", rows=4)
    board = network("tanh", "sigmoid", "identity").blackboard(X, T, learning_rate=0.25)
    np.testing.assert_allclose(board.dO, (board.O - T) / 4, rtol=1e-15)
    for l in (1, 2, 3):
        np.testing.assert_allclose(board[f"delta{l}"], board[f"dA{l}"] * board[f"D{l}"], rtol=1e-14)
    np.testing.assert_allclose(board.D2, board.A2 * (1 - board.A2), rtol=1e-15)
    np.testing.assert_allclose(board.dA1, board.delta2 @ board.W2.T, rtol=1e-14)
    np.testing.assert_allclose(board.E, board.e.sum() / 4, rtol=1e-14)


def test_the_delta_of_a_simplifying_pair_is_the_product_that_it_simplifies():
    X, T = samples("cross_entropy", rows=4)
    board = network("tanh", "softmax", loss="cross_entropy").blackboard(X, T, learning_rate=0.25)
    assert board.D2.shape == (4, 3, 3)
    np.testing.assert_allclose(board.delta2, (board.O - T) / 4, rtol=1e-14)
    np.testing.assert_allclose(board.delta2, np.einsum("ri,rij->rj", board.dO, board.D2), rtol=0, atol=1e-14)


def test_labels_are_read_as_distributions():
    net = network("tanh", "softmax", loss="cross_entropy")
    X, _ = samples("cross_entropy", rows=3)
    by_label, by_row = net.blackboard(X, [2, 0, 1]), net.blackboard(X, np.eye(3)[[2, 0, 1]])
    assert by_label.T.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert by_label.E == by_row.E
    assert by_label.W1_new.tobytes() == by_row.W1_new.tobytes()


@pytest.mark.usefixtures("native")
def test_the_native_engine_s_difference_is_told_and_small():
    board = network("tanh", "sigmoid").blackboard(*samples("squared_error"))
    assert 0 <= board.difference < 1e-13


# --- optimizers and several steps ---------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_five_steps_are_five_epochs_of_a_fit_on_one_batch(engine, optimizer):
    X, T = samples("squared_error", rows=6)
    net = network("tanh", "identity", engine=engine)
    board = net.blackboard(X, T, optimizer=optimizer, steps=5)
    history = net.fit(X, T, optimizer=optimizer, epochs=5, batch_size=6, shuffle=False)
    np.testing.assert_allclose(board.errors[:5], history.loss, rtol=1e-11)
    assert board.errors[5] == pytest.approx(net.errors(X, T).sum(axis=1).mean(), rel=1e-11)
    for l, layer in enumerate(net.layers, start=1):
        # m̂/√v̂ passes on the relative error of small gradients.
        np.testing.assert_allclose(board.steps[4][f"W{l}_new"], layer.W, rtol=0, atol=1e-11)
        np.testing.assert_allclose(board.steps[4][f"b{l}_new"], layer.b, rtol=0, atol=1e-11)


def test_without_an_optimizer_the_learning_rate_is_the_lecture_s():
    X, T = samples("squared_error")
    net = network("tanh")
    assert net.blackboard(X, T).W1_new.tobytes() == net.blackboard(X, T, learning_rate=0.1).W1_new.tobytes()
    by_optimizer = net.blackboard(X, T, optimizer=rs.SGD(0.1))
    assert by_optimizer.W1_new.tobytes() == net.blackboard(X, T).W1_new.tobytes()


def test_the_state_of_an_optimizer_is_worked_out_by_hand():
    # o = w x = 2, ∂E/∂w = (2 − 1) · 2 = 2; momentum: v ← −0.5 · 2 = −1, w = 0; then o = 0, g = −2, v = −0.5 + 1 = 0.5.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64")
    net.parameters[...] = 1.0
    board = net.blackboard([[2.0]], [[1.0]], optimizer=rs.SGD(0.5, momentum=0.5), steps=2)
    first, second = board.steps
    found = [float(step[name].item()) for step in (first, second) for name in ("v_W1_before", "dW1", "v_W1", "W1_new")]
    assert found == [0.0, 2.0, -1.0, 0.0, -1.0, -2.0, 0.5, 0.5]
    assert first.change_W1.item() == -1.0
    assert (second.task.t, len(board.steps)) == (2, 2)


def test_every_step_continues_from_the_last():
    X, T = samples("squared_error")
    board = network("tanh", "sigmoid").blackboard(X, T, optimizer=rs.Adam(0.05), steps=4)
    assert board.errors.shape == (5,)
    assert len(board.steps) == 4
    assert [step.task.t for step in board.steps] == [1, 2, 3, 4]
    assert [float(step.E) for step in board.steps] == board.errors[:4].tolist()
    assert [float(step.E_new) for step in board.steps] == board.errors[1:].tolist()
    for before, after in zip(board.steps, board.steps[1:], strict=False):
        for name in ("W1", "b1", "W2", "b2"):
            assert before[f"{name}_new"].tobytes() == after[name].tobytes()
            assert before[f"m_{name}"].tobytes() == after[f"m_{name}_before"].tobytes()
            assert before[f"v_{name}"].tobytes() == after[f"v_{name}_before"].tobytes()
        assert before.O_new.tobytes() == after.O.tobytes()
        assert before.E_new == after.E


def test_several_steps_are_the_same_as_one_after_the_other():
    X, T = samples("squared_error")
    net = network("tanh", "sigmoid")
    board = net.blackboard(X, T, learning_rate=0.25, steps=3)
    for step in board.steps:
        single = net.blackboard(X, T, learning_rate=0.25)
        assert single.E == step.E
        net.parameters[...] = np.concatenate([single[f"{name}_new"].ravel() for name in ("W1", "b1", "W2", "b2")])
    assert single.W2_new.tobytes() == board.steps[-1].W2_new.tobytes()


# --- what it leaves alone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
def test_the_network_and_the_samples_stay_as_they_are(exact):
    net = network("tanh", "sigmoid")
    X, T = samples("squared_error")
    before = net.parameters.tobytes(), X.tobytes(), T.tobytes()
    board = net.blackboard(X, T, optimizer=rs.SGD(0.5, momentum=0.5), steps=2, exact=exact)
    board.to_text()
    assert (net.parameters.tobytes(), X.tobytes(), T.tobytes()) == before
    assert net.parameters.flags.writeable
    assert X.flags.writeable
    assert T.flags.writeable


def test_a_board_keeps_its_numbers_when_the_network_is_trained_on():
    net = network("tanh", "identity")
    X, T = samples("squared_error")
    board = net.blackboard(X, T)
    kept = board.W1.copy(), board.X.copy(), board.to_text()
    net.fit(X, T, epochs=2)
    X[...] = 0
    assert board.W1.tolist() == kept[0].tolist()
    assert board.X.tolist() == kept[1].tolist()
    assert board.to_text() == kept[2]


def test_parts_cannot_be_written_to():
    board = network("tanh", "sigmoid").blackboard(*samples("squared_error"), steps=2)
    for step in board.steps:
        for name in step:
            assert not step[name].flags.writeable, name
    with pytest.raises(ValueError, match="read-only"):
        board.W1[0, 0] = 1.0
    with pytest.raises(TypeError):
        board["W1"] = 1.0


def test_dropout_is_left_out_and_said():
    X, T = samples("squared_error")
    layers = rs.Dense(3, "tanh", dropout=0.5), rs.Dense(3, "identity")
    net = rs.Network(*layers, inputs=2, dtype="float64", seed=0)
    whole = rs.Network(rs.Dense(3, "tanh"), rs.Dense(3, "identity"), inputs=2, dtype="float64", seed=0)
    dropped, undropped = net.blackboard(X, T, steps=2), whole.blackboard(X, T, steps=2)
    for mine, theirs in zip(dropped.steps, undropped.steps, strict=True):
        assert all(mine[name].tobytes() == theirs[name].tobytes() for name in theirs)
    said = "In training, each output of this layer is dropped with probability 0.5; on the board none is."
    assert dropped.to_text(width=200).count(said) == 2  # once a step
    assert dropped.to_text(width=200).replace(f"\n{said}\n", "") == undropped.to_text(width=200)


# --- exactly ------------------------------------------------------------------------------------------------------


def fractions(array: Any) -> Any:
    """Nested lists of what must be fractions."""
    flat = array.ravel().tolist() if array.ndim else [array.item()]
    assert all(type(value) is Fraction for value in flat), flat
    return array.tolist()


def rational_network(dtype: str = "float64") -> rs.Network:
    net = rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=2, dtype=dtype)
    # W₁, b₁, W₂, b₂
    net.parameters[...] = [1.0, -1.0, 0.5, 2.0, 0.0, 1 / 3, 2 / 3, -3.0, 0.1]
    return net


def test_a_rational_step_is_that_worked_out_in_fractions():
    board = rational_network().blackboard([[3.0, 0.2]], [[1.0]], learning_rate=0.5, exact=True)
    F = Fraction
    # z₁ = 3 · 1 + 1/5 · 1/2 + 0 = 31/10; z₂ = −3 + 2/5 + 1/3 = −34/15; ReLU keeps the first.
    assert fractions(board.W1) == [[1, -1], [F(1, 2), 2]]
    assert fractions(board.Z1) == [[F(31, 10), F(-34, 15)]]
    assert fractions(board.A1) == [[F(31, 10), 0]]
    # o = 31/10 · 2/3 + 1/10 = 13/6, e = ½ (1 − 13/6)² = 49/72
    assert fractions(board.O) == [[F(13, 6)]]
    assert fractions(board.e) == [[F(49, 72)]]
    assert fractions(board.E) == F(49, 72)
    # δ₂ = 7/6; ∂E/∂W₂ = (217/60, 0); sent back (7/9, −7/2); the second neuron is shut.
    assert fractions(board.dO) == fractions(board.delta2) == [[F(7, 6)]]
    assert fractions(board.dW2) == [[F(217, 60)], [0]]
    assert fractions(board.db2) == [F(7, 6)]
    assert fractions(board.dA1) == [[F(7, 9), F(-7, 2)]]
    assert fractions(board.D1) == [[1, 0]]
    assert fractions(board.delta1) == [[F(7, 9), 0]]
    assert fractions(board.dW1) == [[F(7, 3), 0], [F(7, 45), 0]]
    # half of it is taken off
    assert fractions(board.W1_new) == [[1 - F(7, 6), -1], [F(1, 2) - F(7, 90), 2]]
    assert fractions(board.b1_new) == [F(-7, 18), F(1, 3)]
    assert fractions(board.W2_new) == [[F(2, 3) - F(217, 120)], [-3]]
    assert fractions(board.b2_new) == [F(1, 10) - F(7, 12)]
    # z₁ = −1/2 + 19/225 − 7/18 < 0 and z₂ stays: what is left is the bias.
    assert 3 * F(-1, 6) + F(1, 5) * F(19, 45) - F(7, 18) < 0
    assert fractions(board.O_new) == [[F(-29, 60)]]
    assert fractions(board.E_new) == F(89, 60) ** 2 / 2
    for name in board.steps[0]:
        fractions(board[name])


def test_a_rational_batch_shares_in_fractions():
    board = rational_network().blackboard([[3.0, 0.2], [3.0, 0.2], [0.0, 0.0]], [[1.0], [1.0], [0.0]], exact=True)
    # the third row: z = (0, 1/3), o = −1 + 1/10 = −9/10, e = 81/200
    assert fractions(board.E) == (2 * Fraction(49, 72) + Fraction(81, 200)) / 3
    assert fractions(board.dO) == [[Fraction(7, 18)], [Fraction(7, 18)], [Fraction(-3, 10)]]
    assert fractions(board.db2) == [Fraction(7, 9) - Fraction(3, 10)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_read_as_the_simplest_fractions_of_their_precision(dtype):
    net = rational_network(dtype)
    board = net.blackboard([[0.1, 1 / 7]], [[2 / 3]], learning_rate=0.3, exact=True)
    assert fractions(board.X) == [[Fraction(1, 10), Fraction(1, 7)]]
    assert fractions(board.T) == [[Fraction(2, 3)]]
    assert fractions(board.b1) == [0, Fraction(1, 3)]
    assert fractions(board.W2) == [[Fraction(2, 3)], [-3]]
    assert fractions(board.change_b2)[0] == -Fraction(3, 10) * fractions(board.db2)[0]


def test_the_sigmoid_is_exact_at_zero_and_a_float_elsewhere():
    net = rs.Network(rs.Dense(2, "sigmoid", bias=False), inputs=1, dtype="float64")
    net.parameters[...] = [0.0, 0.5]
    board = net.blackboard([[1.0]], [[1.0, 1.0]], learning_rate=0.5, exact=True)
    half, other = board.O[0]
    assert (type(half), half) == (Fraction, Fraction(1, 2))
    assert type(other) is float
    assert other == pytest.approx(1 / (1 + exp(-0.5)), rel=1e-15)
    assert (type(board.D1[0, 0]), board.D1[0, 0]) == (Fraction, Fraction(1, 4))
    assert (type(board.e[0, 0]), board.e[0, 0]) == (Fraction, Fraction(1, 8))
    assert board.W1_new[0, 0] == Fraction(1, 2) * Fraction(1, 2) * Fraction(1, 4)


def test_exact_softmax_of_equal_scores_is_in_fractions():
    net = rs.Network(rs.Dense(3, "softmax"), loss="cross_entropy", inputs=1, dtype="float64")
    net.parameters[...] = 0.0
    board = net.blackboard([[2.0]], [1], learning_rate=1, exact=True)
    assert fractions(board.O) == [[Fraction(1, 3)] * 3]
    assert fractions(board.delta1) == [[Fraction(1, 3), Fraction(-2, 3), Fraction(1, 3)]]
    assert fractions(board.dW1) == [[Fraction(2, 3), Fraction(-4, 3), Fraction(2, 3)]]
    assert float(board.E) == pytest.approx(1.0986122886681098, rel=1e-15)  # log 3


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_exact_and_rounded_boards_agree_on_every_part(activation, loss):
    net = network("relu", activation, loss=loss)
    net.parameters[...] = np.round(net.parameters, 1)
    X, T = samples(loss, rows=2)
    X, T = np.round(X, 1), np.round(T, 1) if not LOSSES[loss].distribution else np.eye(3)[:2]
    rounded = net.blackboard(X, T, learning_rate=0.5)
    exactly = net.blackboard(X, T, learning_rate=0.5, exact=True)
    assert list(exactly.steps[0]) == list(rounded.steps[0])
    for name in rounded.steps[0]:
        scale = 1.0 + float(np.abs(rounded[name]).max())
        found = exactly[name].astype(float)
        assert found.shape == rounded[name].shape
        np.testing.assert_allclose(found, rounded[name], rtol=1e-10, atol=1e-13 * scale, err_msg=name)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_an_exact_board_takes_every_optimizer(optimizer):
    net = rational_network()
    X, T = [[3.0, 0.2], [1.0, 1.0]], [[1.0], [0.5]]
    rounded = net.blackboard(X, T, optimizer=optimizer, steps=2)
    exactly = net.blackboard(X, T, optimizer=optimizer, steps=2, exact=True)
    for mine, theirs in zip(exactly.steps, rounded.steps, strict=True):
        for name in theirs:
            np.testing.assert_allclose(mine[name].astype(float), theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("form", ["to_text", "to_html", "to_latex", "to_markdown"])
def test_an_exact_board_can_be_set_after_several_steps(form):
    board = rational_network().blackboard([[3.0, 0.2]], [[1.0]], learning_rate=0.5, exact=True, steps=3)
    assert getattr(board, form)()


# --- what overflows -----------------------------------------------------------------------------------------------

FORMS = ("to_text", "to_html", "to_latex", "to_markdown")


@pytest.mark.parametrize("size", [1e3, 1e155, 1e300])
@pytest.mark.parametrize("activation", ["identity", "relu", "sigmoid", "tanh", "softmax", "exponential", "gelu"])
def test_huge_numbers_neither_raise_nor_warn(activation, size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sign in (-1, 1):
            net = network(activation, activation)
            net.parameters[...] = sign * size * np.sign(net.parameters)
            board = net.blackboard([[1.0, -2.0]], [[0.5, 0.0, 1.0]], learning_rate=0.5, steps=2)
            assert all(len(getattr(board, form)()) > 1000 for form in FORMS)
            str(board)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
        ("exponential", "poisson"),
        ("sigmoid", "poisson"),
    ],
)
def test_saturated_outputs_neither_raise_nor_warn(activation, loss):
    for size in (1e3, 1e300):
        net = network("identity", activation, loss=loss)
        net.parameters[...] = size * np.sign(net.parameters)
        X, T = samples(loss)
        board = net.blackboard(X, T, learning_rate=0.5)
        assert all(len(getattr(board, form)()) > 1000 for form in FORMS)


@pytest.mark.parametrize(
    ("activation", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("sigmoid", "poisson")]
)
def test_saturated_outputs_do_not_raise_in_exact_mode(activation, loss):
    net = network("identity", activation, loss=loss)
    net.parameters[...] = 1e3 * np.sign(net.parameters)
    X, T = samples(loss, rows=2)
    board = net.blackboard(X, T, learning_rate=0.5, exact=True)
    rounded = net.blackboard(X, T, learning_rate=0.5)
    np.testing.assert_allclose(board.O.astype(float), rounded.O, rtol=1e-12)
    np.testing.assert_allclose(board.e.astype(float), rounded.e, rtol=1e-12)
    np.testing.assert_allclose(board.dO.astype(float), rounded.dO, rtol=1e-12)


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh"])
def test_huge_numbers_do_not_raise_in_exact_mode(activation):
    net = network(activation, activation)
    net.parameters[...] = 1e200 * np.sign(net.parameters)
    board = net.blackboard([[1e150, -2.0]], [[0.5, 0.0, 1.0]], learning_rate=0.5, exact=True)
    assert all(len(getattr(board, form)()) > 1000 for form in FORMS)


def test_an_error_that_is_no_number_is_not_said_to_rise_to_it():
    net = network("identity", "identity")
    net.parameters[...] = 1e200 * np.sign(net.parameters)
    text = net.blackboard([[1e100, -2e100]], [[0.5, 0.0, 1.0]], learning_rate=0.5).to_text()
    assert "from ∞ to ?" not in text
    assert "differs by at most ?" not in " ".join(text.split())


def test_every_elementwise_activation_at_zero_does_not_raise_in_exact_mode():
    for name, entry in ACTIVATIONS.items():
        if isinstance(entry, Elementwise):
            net = rs.Network(rs.Dense(1, name), rs.Dense(1, "identity"), inputs=1, dtype="float64")
            net.parameters[...] = [0.0, 0.0, 1.0, 0.0]
            board = net.blackboard([[1.0]], [[1.0]], exact=True)
            assert float(board.A1.item()) == pytest.approx(float(entry.value(np.zeros((1, 1))).item()), abs=1e-15)
