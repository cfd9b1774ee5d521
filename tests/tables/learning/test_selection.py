"""Which inputs go with the target, and networks on more inputs than their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

import reseau as rs
from reseau.tables.columns.kinds import LeftOut
from reseau.tables.learning.selection import LEAST_INPUTS, on_inputs, related
from reseau.tables.model import TableModel


def test_of_noise_next_to_nothing_is_chosen_and_of_signals_all() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3000)).astype(np.float32)
    S = np.stack([X[:, 7] - X[:, 11] + rng.normal(size=400), X[:, 2000] * 0.5 + rng.normal(size=400)], axis=1)
    chosen = related(X, S)
    assert chosen[[7, 11, 2000]].all()
    assert chosen.sum() <= LEAST_INPUTS + 3
    X[:, 7] = 1.0  # what does not vary goes with nothing
    assert not related(X, S)[7]


def test_a_network_on_more_inputs_does_not_see_the_others() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 9)).astype(np.float32)
    chosen = np.zeros(9, np.bool_)
    chosen[[1, 4, 8]] = True
    for layers in ([rs.Dense(5, "tanh"), rs.Dense(2, "softmax")], [rs.Dense(2, "softmax")]):
        net = rs.Network(*layers, inputs=3, loss="cross_entropy", seed=0)
        whole = on_inputs(net, chosen)
        assert whole.inputs == 9
        np.testing.assert_array_equal(whole(X), net(X[:, chosen]))
        assert on_inputs(net, np.ones(3, np.bool_)) is net


def wide(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 200)), columns=[f"x{i}" for i in range(200)])
    return frame.assign(y=3 * frame["x3"] + 2 * frame["x77"] + rng.normal(size=rows) / 2)


def test_of_two_hundred_columns_the_two_that_matter_are_found_and_most_others_left_out() -> None:
    model = TableModel.train(wide(200, 0), "y")
    unseen = wide(1000, 1)
    scores = model.evaluate(unseen)
    assert scores.r2 > 0.9  # type: ignore[attr-defined]  # a quantity; 0.98 is what the noise leaves
    out = {d.name: d.taken_for for d in model.columns if isinstance(d, LeftOut)}
    assert set(out.values()) == {"unrelated"}
    assert len(out) > 150
    assert {"x3", "x77"}.isdisjoint(out)
    np.testing.assert_array_equal(
        model.predict(unseen[[name for name in unseen if name not in out]]).values, model.predict(unseen).values
    )
    assert len(model.training["selected"]) == 8


def test_all_columns_are_kept_where_each_has_a_little_to_say() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 40))
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(40)]).assign(y=X.sum(axis=1))
    model = TableModel.train(frame, "y", epochs=60)
    assert "selected" not in model.training
    assert sum(bool(d.features) for d in model.columns) == 40
