"""Dropout: what a step with it does, and that nothing else knows of it. Its masks are tested with the order of rows."""

from __future__ import annotations

import numpy as np
import pytest
from numerics import central_difference, norm

import reseau as rs
from reseau import engine as engines
from reseau.engine.order import keeps
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise

ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if isinstance(entry, Elementwise)]


def network(engine: str, *dropout: float, activation: str = "tanh", dtype: str = "float64") -> rs.Network:
    hidden = [rs.Dense(n, activation, dropout=p) for n, p in zip((19, 6), dropout, strict=True)]
    return rs.Network(*hidden, rs.Dense(2, "identity"), inputs=3, dtype=dtype, seed=0, engine=engine)


def problem(rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 3)), rng.normal(size=(rows, 2))


def test_a_step_follows_the_numerical_gradient_of_what_is_left_of_the_network(engine):
    X, T = problem(7)
    net = network(engine, 0.5, 0.2)
    w, seed = net.parameters.copy(), 12345
    trainer = engines.get(engine).Trainer(net.architecture, net.parameters, rs.SGD(1.0), seed, 1)
    for step in (1, 2, 3):

        def error(w: np.ndarray, step: int = step) -> float:
            A = X
            for layer, p in enumerate(net.architecture.views(w)):
                A = A @ p["W"] + p["b"]
                if layer < 2:
                    share = (0.5, 0.2)[layer]
                    A = np.tanh(A) * keeps(seed, step, layer, *A.shape, share) / (1 - share)
            return float(((A - T) ** 2).sum() / 2 / len(X))

        (loss,) = trainer.run(X, T, None, epochs=1, batch_size=7, shuffle=False, l2=0.0)
        numerical = central_difference(error, w)
        assert loss == pytest.approx(error(w), rel=1e-13)
        assert norm(numerical) > 1e-3
        assert norm((w - net.parameters) - numerical) < 1e-6 * norm(numerical)
        w = net.parameters.copy()


def test_only_training_drops(engine):
    X, T = problem()
    net = network(engine, 0.5, 0.2)
    whole = network(engine, 0.0, 0.0)
    history = net.fit(X, T, epochs=2, batch_size=9, validation_data=(X, T))
    whole.parameters[...] = net.parameters
    assert net(X).tobytes() == whole(X).tobytes()
    assert net(X[:1]).tobytes() == whole(X[:1]).tobytes()
    assert net.errors(X, T).tobytes() == whole.errors(X, T).tobytes()
    assert net.jacobian(X).tobytes() == whole.jacobian(X).tobytes()
    (E, g), (whole_E, whole_g) = net.value_and_gradient(X, T), whole.value_and_gradient(X, T)
    assert (E, g.tobytes()) == (whole_E, whole_g.tobytes())
    assert history.validation_loss[-1] == pytest.approx(E, rel=1e-13)
    assert net.step(X, T, learning_rate=0.1) == whole.step(X, T, learning_rate=0.1)
    assert net.parameters.tobytes() == whole.parameters.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ELEMENTWISE)
def test_a_dropout_that_drops_nothing_changes_no_byte(engine, activation, dtype):
    X, T = problem()
    trained = []
    for p in (0.0, 1e-300):  # 1 − p is 1
        net = network(engine, p, p, activation=activation, dtype=dtype)
        net.parameters[...] *= 0.1  # for the sake of exponentials of exponentials
        history = net.fit(X, T, optimizer=rs.SGD(0.001), epochs=2, batch_size=9, l2=0.1)
        trained.append((net.parameters.tobytes(), history.loss))
    assert trained[0] == trained[1]


def test_a_fit_watched_by_a_callback_is_that_of_one_call(engine):
    X, T = problem()
    nets = [network(engine, 0.5, 0.2) for _ in range(2)]
    losses = [
        net.fit(X, T, epochs=5, batch_size=9, callback=callback).loss
        for net, callback in zip(nets, (None, lambda history: None), strict=True)
    ]
    assert losses[0] == losses[1]
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_the_seed_fixes_what_is_dropped(engine):
    X, T = problem()
    nets = [network(engine, 0.5, 0.2) for _ in range(3)]
    for net in nets[:2]:
        net.fit(X, T, epochs=2, batch_size=9, shuffle=False)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()
    trainer = engines.get(engine).Trainer(nets[2].architecture, nets[2].parameters, rs.Adam(), 5, 1)
    trainer.run(X, T, None, epochs=2, batch_size=9, shuffle=False, l2=0.0)
    assert nets[0].parameters.tobytes() != nets[2].parameters.tobytes()


def test_a_copy_of_a_network_with_dropout_trains_to_the_same_bytes(engine):
    import copy

    X, T = problem()
    net = network(engine, 0.5, 0.2)
    other = copy.deepcopy(net)
    for each in (net, other):
        each.fit(X, T, epochs=2, batch_size=9)
    assert net.parameters.tobytes() == other.parameters.tobytes()


def test_a_layer_of_which_nothing_is_left_trains_the_bias_of_the_next_alone(engine):
    X, T = problem()
    net = network(engine, 0.0, 1 - 2.0**-40)
    before = net.parameters.copy()
    net.fit(X, T, epochs=1, batch_size=40)
    changed = net.parameters != before
    assert not changed[:-2].any()
    assert changed[-2:].all()
