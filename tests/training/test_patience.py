"""Early stopping: when the validation loss no longer falls, training ends and the best weights come back."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

import reseau as rs
from reseau.training.fit import Waiting
from reseau.training.settings import Settings


def problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    return X, (X[:, :1] + rng.normal(size=(60, 1)) > 0).astype(float)  # noise, so that it is soon learnt by heart


def small(engine: str | None = None) -> rs.Network:
    return rs.Network(
        rs.Dense(20, "tanh"), rs.Dense(1), loss="binary_cross_entropy", seed=0, dtype="float64", engine=engine
    )


X, T = problem()
PLAN = {"optimizer": rs.Adam(0.03), "validation_data": (X[40:], T[40:])}


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "ends"),
    [
        ([5, 4, 3, 2, 1], 1, 0.0, None),
        ([5, 4, 4, 3], 1, 0.0, 3),  # an equal one is not better
        ([5, 4, 4, 3, 3.5, 3.2], 2, 0.0, 6),
        ([5, 4.5, 3.9, 3.4, 2.8, 2.5], 2, 1.0, None),  # each second one is more than 1 below the last that was better
        ([5, 4, 4, 2], 2, 1.0, 3),  # 1 below is not more than 1 below
        ([nan, inf, nan], 3, 0.0, 3),
        ([nan, 3, nan, 4], 2, 0.0, 4),
        ([5, 4, 3], 2, 10.0, 3),
    ],
)
def test_patience_counts_epochs_since_the_last_that_was_better(losses, patience, min_delta, ends):
    waiting = Waiting(Settings(patience=patience, min_delta=min_delta))
    over = [epoch for epoch, loss in enumerate(losses, start=1) if waiting.is_over(loss)]
    assert (over or [None])[0] == ends


def test_training_ends_so_many_epochs_after_the_best_with_its_weights(engine):
    net, whole = small(engine), small(engine)
    kept = []
    long = whole.fit(X[:40], T[:40], epochs=60, **PLAN, callback=lambda _: kept.append(whole.parameters.copy()))
    history = net.fit(X[:40], T[:40], epochs=60, patience=4, **PLAN)
    losses = long.validation_loss
    best = int(np.argmin(losses[: history.epochs]))
    assert history.validation_loss == losses[: history.epochs]
    assert (history.best_epoch, history.epochs) == (best + 1, best + 1 + 4)
    assert history.stopped_early
    assert not long.stopped_early
    assert net.parameters.tobytes() == kept[best].tobytes()


def test_without_an_end_of_patience_all_epochs_are_made_and_the_best_weights_still_come_back():
    net, kept = small(), small()
    history = net.fit(X[:40], T[:40], epochs=30, patience=100, **PLAN)
    assert (history.epochs, history.stopped_early) == (30, False)
    kept.fit(X[:40], T[:40], epochs=30, keep_best=True, **PLAN)
    assert net.parameters.tobytes() == kept.parameters.tobytes()


def test_patience_that_ends_with_the_last_epoch_has_stopped_nothing_early():
    epochs = small().fit(X[:40], T[:40], epochs=60, patience=4, **PLAN).epochs
    assert not small().fit(X[:40], T[:40], epochs=epochs, patience=4, **PLAN).stopped_early


def test_the_best_epoch_is_that_of_the_smallest_loss_though_it_fell_by_less_than_min_delta():
    history = small().fit(X[:40], T[:40], epochs=60, patience=3, min_delta=0.5, **PLAN)
    assert history.epochs == 4  # none is half lower than the first
    assert history.best_epoch == 1 + int(np.argmin(history.validation_loss)) > 1


@pytest.mark.parametrize("halt", [3, 6])
def test_a_run_taken_up_from_its_checkpoint_ends_where_it_would_have(tmp_path, halt, engine):
    plan = {**PLAN, "epochs": 60, "patience": 4, "metrics": ("accuracy", "auc")}
    whole = small(engine)
    expected = whole.fit(X[:40], T[:40], **plan)
    assert halt < expected.epochs

    def stop(history: rs.History) -> None:
        if history.epochs == halt:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(engine).fit(X[:40], T[:40], **plan, checkpoint=tmp_path, callback=stop)
    for _ in range(2):  # taken up, then found finished
        net = small(engine)
        history = net.fit(X[:40], T[:40], **plan, checkpoint=tmp_path)
        assert net.parameters.tobytes() == whole.parameters.tobytes()
        history.seconds = expected.seconds
        assert history == expected
    with pytest.raises(rs.ParameterError, match=r"of another training: its patience is 4, but now it is 5"):
        small(engine).fit(X[:40], T[:40], **{**plan, "patience": 5}, checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match=r"of another training: its metrics are 2, but now they are 1"):
        small(engine).fit(X[:40], T[:40], **{**plan, "metrics": "auc"}, checkpoint=tmp_path)


def test_a_run_that_a_callback_stopped_is_found_so(tmp_path):
    for _ in range(2):
        history = small().fit(X, T, epochs=5, checkpoint=tmp_path, callback=lambda history: history.epochs == 2)
        assert (history.epochs, history.stopped_early) == (2, True)


def test_many_networks_have_each_their_patience():
    alone, together = ([small() for _ in range(3)] for _ in range(2))
    patience = [2, None, 5]
    expected = [net.fit(X[:40], T[:40], epochs=40, patience=p, **PLAN) for net, p in zip(alone, patience, strict=True)]
    found = rs.fit_many(together, X[:40], T[:40], epochs=40, patience=patience, **PLAN)
    assert [history.validation_loss for history in found] == [history.validation_loss for history in expected]
    assert [net.parameters.tobytes() for net in together] == [net.parameters.tobytes() for net in alone]
    assert len({history.epochs for history in found}) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patience": 3}, r"^patience=3 needs validation_data: the best epoch is that with the smallest loss on it"),
        ({"patience": 0}, r"^patience is 0, but must be a whole number of at least 1, or None"),
        ({"patience": 2.5}, r"^patience is 2.5"),
        ({"patience": "auto"}, r"^patience is 'auto'"),
        ({"min_delta": 0.1}, r"^min_delta is 0.1, which does nothing without patience"),
        ({"min_delta": -0.1, "patience": 3}, r"^min_delta is -0.1, but must be a finite number at least 0"),
        ({"min_delta": nan, "patience": 3}, r"^min_delta is nan"),
    ],
)
def test_patience_that_makes_no_sense_is_refused_before_anything_is_built(options, words):
    net = small()
    with pytest.raises(rs.ParameterError, match=words):
        net.fit(X, T, **options)
    assert not net.built
