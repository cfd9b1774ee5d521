"""A training run step by step: the order of rows, the record of batches, bounds of errors, weights left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.vocabulary.losses import NO_BOUNDS

ROWS, BATCH = 23, 5


def problem(
    loss: str, outputs: int = 3, dtype: str = "float64", engine: str | None = None
) -> tuple[rs.Network, Any, Any]:
    output = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, "identity")
    layers = (rs.Dense(19, "tanh"), rs.Dense(outputs, output))
    net = rs.Network(*layers, loss=loss, inputs=6, dtype=dtype, seed=1, engine=engine)
    rng = np.random.default_rng(2)
    X = rng.normal(size=(ROWS, 6))
    labels = rng.integers(outputs, size=ROWS)
    T = labels if loss == "cross_entropy" else np.eye(outputs)[labels]
    return net, X, T


def run(
    net: rs.Network, X: Any, T: Any, s: Any = None, threads: int = 1, bounds: Any = NO_BOUNDS, **options: Any
) -> Any:
    trainer = net.trainer(rs.SGD(0.1), inputs=6, threads=threads, bounds=bounds)
    return trainer, trainer.run(X, T, s, **{"epochs": 1, "batch_size": BATCH, "shuffle": False, "l2": 0.0, **options})


def test_rows_are_taken_in_the_order_given(engine: str) -> None:
    order = np.random.default_rng(3).permutation(ROWS)
    net, X, T = problem("squared_error", engine=engine)
    other, *_ = problem("squared_error", engine=engine)
    _, given = run(net, X, T, order=order, shuffle=True)
    _, sorted_first = run(other, np.ascontiguousarray(X[order]), np.ascontiguousarray(T[order]))
    assert given == sorted_first
    assert net.parameters.tobytes() == other.parameters.tobytes()


@pytest.mark.parametrize("weighted", [False, True])
def test_each_batch_is_recorded_before_its_step(engine: str, weighted: bool) -> None:
    net, X, T = problem("squared_error", engine=engine)
    s = np.random.default_rng(4).uniform(0, 2, ROWS) if weighted else None
    record = np.zeros((5, 2))
    expected = []
    step_by_step, *_ = problem("squared_error", engine="reference")
    for start in range(0, ROWS, BATCH):
        here = slice(start, start + BATCH)
        e = step_by_step.errors(X[here], T[here]).sum(axis=1)
        W = sum((layer.W**2).sum() for layer in step_by_step.layers)
        expected.append((e.sum() if s is None else (s[here] * e).sum(), W))
        _, g = step_by_step.value_and_gradient(X[here], T[here], sample_weight=None if s is None else s[here], l2=0.3)
        step_by_step.parameters[...] -= 0.1 * g
    run(net, X, T, s, record=record, l2=0.3)
    np.testing.assert_allclose(record, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_recorded_is_the_same_for_any_threads_and_instruction_set(
    native: None, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    from reseau._native import instruction_sets
    from reseau.engine import native as engine

    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(300, 70)), rng.normal(size=(300, 5))
    records = set()
    for isa in {"avx2", "avx512"} & set(instruction_sets()):
        monkeypatch.setenv("RESEAU_ISA", isa)
        engine.instruction_set.cache_clear()
        for threads in (1, 2, 3):
            net = rs.Network(rs.Dense(130, "relu"), rs.Dense(5), inputs=70, dtype=dtype, seed=0, engine="native")
            record = np.zeros((5, 2))
            trainer = net.trainer(rs.Adam(), inputs=70, threads=threads)
            trainer.run(X, T.astype(dtype), None, epochs=1, batch_size=64, shuffle=False, l2=0.1, record=record)
            records.add(record.tobytes())
    monkeypatch.undo()
    engine.instruction_set.cache_clear()
    assert len(records) == 1


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_errors_of_cross_entropies_are_kept_within_bounds(engine: str, loss: str) -> None:
    net, X, T = problem(loss, engine=engine)
    net.parameters[...] *= 40  # saturated
    epsilon = 0.01
    bounds = (-np.log1p(-epsilon), -np.log(epsilon))
    P = np.clip(net(X), epsilon, 1 - epsilon)
    one_hot = np.eye(3)[T] if loss == "cross_entropy" else T
    e = -one_hot * np.log(P)
    if loss == "binary_cross_entropy":
        e -= (1 - one_hot) * np.log(1 - P)
    E, g = net.value_and_gradient(X, T, bounds=bounds)
    assert pytest.approx(e.sum() / ROWS, rel=1e-12) == E
    free, same = net.value_and_gradient(X, T)
    assert free != pytest.approx(E, rel=1e-3)
    np.testing.assert_array_equal(g, same)  # the gradient knows no bounds
    _, (epoch,) = run(net, X, T, bounds=bounds, batch_size=ROWS)
    assert epoch == pytest.approx(E, rel=1e-12)


def test_bounds_let_an_error_that_is_no_number_through(engine: str) -> None:
    net, X, T = problem("cross_entropy", engine=engine)
    net.parameters[...] = np.nan
    assert np.isnan(net.value_and_gradient(X, T, bounds=(0.1, 2.0))[0])


def test_weights_left_with_the_engine_go_on_and_come_back(engine: str) -> None:
    net, X, T = problem("squared_error", engine=engine)
    other, *_ = problem("squared_error", engine=engine)
    options = {"epochs": 1, "batch_size": BATCH, "shuffle": False, "l2": 0.0}
    left, brought = (n.trainer(rs.Adam(0.01), inputs=6, threads=1) for n in (net, other))
    for _ in range(3):
        left.run(X, T, None, **options, leave=True)
        brought.run(X, T, None, **options)
    assert left.finite()
    left.take_back()
    assert net.parameters.tobytes() == other.parameters.tobytes()
    net.parameters[...] = other.parameters[...] = 0.5  # whoever has taken them back may change them
    for trainer in (left, brought):
        trainer.run(X, T, None, **options)
    assert net.parameters.tobytes() == other.parameters.tobytes()


def test_weights_that_are_not_finite_are_known_where_they_are(engine: str) -> None:
    net, X, T = problem("squared_error", engine=engine)
    trainer = net.trainer(rs.SGD(1e300), inputs=6, threads=1)
    with np.errstate(all="ignore"):
        trainer.run(X, T, None, epochs=1, batch_size=BATCH, shuffle=False, l2=0.0, leave=True)
    assert not trainer.finite()
