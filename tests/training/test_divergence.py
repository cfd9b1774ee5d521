"""Fits whose numbers stop being finite, or grow beyond measure: where they end, with what weights and what warning."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER

import reseau as rs
from reseau.arrays import Guard, SparseRows
from reseau.files import model_file
from reseau.training.checkpoints import NAME

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5))
Y = rng.normal(size=(64, 2))
LABELS = (X[:, 0] > 0).astype(int)


def network(engine: str | None = None, dtype: str = "float32", loss: str = "squared_error", **options: Any) -> Any:
    output = "softmax" if loss == "cross_entropy" else "identity"
    layers = (rs.Dense(16, options.pop("activation", "tanh"), **options), rs.Dense(2, output))
    return rs.Network(*layers, loss=loss, inputs=5, seed=0, dtype=dtype, engine=engine)


def told(net: rs.Network, X: Any, y: Any, **options: Any) -> tuple[rs.History, list[str]]:
    """The history of a fit, and what it warned of; nothing else may warn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = net.fit(X, y, **options)
    assert all(w.category is RuntimeWarning and w.filename == __file__ for w in caught)
    return history, [str(w.message) for w in caught]


def after(epoch: int, net: rs.Network, X: Any, y: Any, **options: Any) -> bytes:
    """The weights of the same fit after so many epochs, taken from its callback."""
    kept = [net.parameters.tobytes()]
    told(net, X, y, **options, callback=lambda history: kept.append(net.parameters.tobytes()))
    return kept[epoch]


# --- the run ----------------------------------------------------------------------------------------------------------


# Rates so high that the numbers go bad after some epochs, in the loss or (with one step an epoch) in the weights alone.
GOING_BAD = {
    "loss": {"optimizer": rs.SGD(2.5), "batch_size": 16, "epochs": 60},
    "momentum": {"optimizer": rs.SGD(1.0, momentum=0.9), "batch_size": 7, "epochs": 60},
    "nesterov": {"optimizer": rs.SGD(2.0, momentum=0.9, nesterov=True), "batch_size": 64, "epochs": 400},
    "weight decay": {"optimizer": rs.AdamW(1e-3, weight_decay=1e5), "batch_size": 64, "epochs": 60},
    "penalty": {"optimizer": rs.SGD(0.1), "l2": 1e4, "batch_size": 32, "epochs": 60},
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("plan", GOING_BAD.values(), ids=GOING_BAD)
def test_a_run_ends_with_the_first_bad_epoch_and_the_weights_from_before_it(engine, plan, threads):
    net = network(engine)
    history, words = told(net, X, 10 * Y, **plan, threads=threads)
    assert history.diverged == history.epochs < plan["epochs"]
    assert np.isfinite(history.loss[:-1]).all()
    assert np.isfinite(net.parameters).all()
    assert len(words) == 1
    assert words[0].startswith("training has diverged: ")
    assert f"of epoch {history.epochs}" in words[0]
    kept = f"of epoch {history.epochs - 1}" if history.epochs > 1 else "from before the fit"
    assert f"the weights {kept}" in words[0]
    assert net.parameters.tobytes() == after(history.epochs - 1, network(engine), X, 10 * Y, **plan)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_only_the_last_step_made_infinite_are_noticed(engine, dtype):
    # o = w x with w = 0 and one step: the loss is met before the step, and is ½; w becomes γ x = ∞ at the largest γ.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype=dtype, engine=engine)
    net.parameters[...] = 0
    rate = float(np.finfo(dtype).max)
    history, (words,) = told(net, [[4.0]], [[1.0]], optimizer=rs.SGD(rate), epochs=1)
    assert history.loss == [0.5]
    assert history.diverged == 1
    assert net.parameters.tolist() == [0]
    assert "some weights are not finite after step 1 of epoch 1, its last" in words
    assert "the weights from before the fit" in words
    assert "learning rate" in words


@pytest.mark.parametrize("outputs", [1, 2, 40])
@pytest.mark.parametrize("place", ["first", "last", "bias"])
def test_a_single_infinite_weight_is_noticed_wherever_it_is(engine, outputs, place):
    # As above, for one weight of a layer that is narrow, or not, or wider than a panel.
    net = rs.Network(rs.Dense(outputs, "identity"), inputs=37, engine=engine)
    net.parameters[...] = 0
    x, t = np.zeros((1, 37)), np.zeros((1, outputs))
    j = {"first": 0, "last": outputs - 1, "bias": outputs // 2}[place]
    x[0, {"first": 0, "last": 36, "bias": 5}[place]] = 0 if place == "bias" else 4
    t[0, j] = 4 if place == "bias" else 1
    history, words = told(net, x, t, optimizer=rs.SGD(3e38), epochs=3)
    assert history.diverged == 1
    assert "some weights are not finite" in words[0]
    assert not net.parameters.any()


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=repr)
@pytest.mark.parametrize("kind", ["dense", "sparse", "bf16", "float64", "dropout", "weighted"])
def test_a_trainer_tells_the_same_on_both_engines(native, optimizer, kind):
    # An input of 1e30: for float32 and its squared error that is too much at the step that meets it.
    spoilt = X.copy()
    spoilt[41, 2] = 1e200 if kind == "float64" else 1e30
    samples: Any = SparseRows.of(spoilt) if kind == "sparse" else spoilt
    s = np.linspace(1, 2, 64) if kind == "weighted" else None
    found = []
    for engine in ("native", "reference"):
        net = network(
            engine,
            dtype="float64" if kind == "float64" else "float32",
            activation="relu",
            dropout=0.3 if kind == "dropout" else 0.0,
        )
        options = {"precision": "bf16"} if kind == "bf16" else {}
        trainer = net.trainer(optimizer, inputs=5, threads=2, seed=1, sparse=kind == "sparse", **options)
        before = net.parameters.tobytes()
        losses = trainer.run(
            samples, Y.astype(net.dtype), s, epochs=5, batch_size=8, shuffle=False, l2=0.1, guard=Guard()
        )
        assert not trainer.finite()
        assert net.parameters.tobytes() == before
        assert len(losses) == 1
        assert not np.isfinite(losses[0])
        found.append(trainer.failure)
    assert found == [(6, "loss")] * 2  # row 41 is in the sixth batch of 8


def test_without_guard_a_trainer_goes_on(engine):
    net = network(engine)
    trainer = net.trainer(rs.SGD(1e30), inputs=5, threads=1)
    losses = trainer.run(X, Y.astype("float32"), None, epochs=4, batch_size=16, shuffle=False, l2=0.0)
    assert len(losses) == 4
    assert not np.isfinite(losses).any()
    assert trainer.failure is None
    assert not trainer.finite()
    assert not np.isfinite(net.parameters).all()


# --- growth -----------------------------------------------------------------------------------------------------------


def loss_of(net: rs.Network, X: Any, y: Any) -> float:
    return float(net.errors(X, y).sum(axis=1, dtype="float64").mean())


@pytest.mark.parametrize("batch_size", [1, 16, 64])
def test_a_loss_that_grows_to_a_million_times_the_start_ends_the_run_while_all_is_finite(engine, batch_size):
    # One weight: w moves by −γ x² (w − 1), away from 1 by the factor |1 − γ x²| = 2 at each step, the loss by 4.
    x = np.ones((64, 1))
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 0
    history, (words,) = told(net, x, x, optimizer=rs.SGD(3.0), epochs=40, batch_size=batch_size)
    steps = 64 // batch_size  # of an epoch; the loss before step n is ½ 4^(n − 1), from n = 1
    # The first epoch n whose mean is above ½ 10⁶, and the step k in it with which the sum so far says so.
    n, k, total = 1, 0, 0.0
    while total <= 0.5e6 * steps:
        if k == steps:
            n, k, total = n + 1, 0, 0.0
        total += 0.5 * 4.0 ** ((n - 1) * steps + k)
        k += 1
    assert (history.diverged, history.epochs) == (n, n)
    assert f"at step {k} of epoch {n}, more than 10⁶ times that at the start" in words
    assert "(0.5)" in words
    assert "Use a smaller learning rate (now 3)" in words
    assert np.isfinite(history.loss).all()
    assert net.parameters[0] == 1 - (-2.0) ** ((n - 1) * steps)  # as the epoch before left it


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "binary_cross_entropy", "cross_entropy", "poisson"])
def test_no_epoch_before_the_last_has_grown_so_far(engine, loss):
    output = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax", "poisson": "exponential"}.get(loss)
    net = rs.Network(rs.Dense(8, "relu"), rs.Dense(2, output or "identity"), loss=loss, seed=0, inputs=5, engine=engine)
    y = LABELS if loss == "cross_entropy" else Y if output is None else (Y > 0).astype(float)
    at_first = loss_of(net, X, y)
    history, words = told(net, X, y, optimizer=rs.SGD(1e4), epochs=30, batch_size=64)
    assert history.diverged == history.epochs
    assert "has diverged" in words[0]
    assert max(history.loss[:-1]) <= 1e6 * max(at_first, 1)
    assert np.isfinite(net.parameters).all()


def test_weights_that_grow_to_a_million_times_the_start_end_the_run(engine):
    # A sigmoid that is right or wrong for certain has no gradient left: the loss stays as it is.
    net = rs.Network(rs.Dense(1, "sigmoid", bias=False), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = 0
    x, y = [[1.0], [2.0]], [[1.0], [1.0]]
    # At w = 0 the gradient is the mean of (½ − 1) ¼ x, −3/16.
    for rate, ends in ((4e6, None), (6e6, 1)):
        net.parameters[...] = 0
        history, words = told(net, x, y, optimizer=rs.SGD(rate), epochs=3)
        assert history.diverged == ends
        assert [("some weights are above 1e+06 after step 1 of epoch 1" in w) for w in words] == [True] * (ends or 0)
    assert net.parameters.tolist() == [0]


def test_large_weights_are_right_for_large_targets_and_small_inputs(engine):
    # The weight that is right is 10⁸; each step takes nine tenths of what is missing.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, dtype="float64", engine=engine)
    for x, t, rate in ((1.0, 1e8, 0.9), (1e-8, 1.0, 0.9e16), (1e-4, 1e4, 0.9e8)):
        net.parameters[...] = 0
        history, words = told(net, [[x]], [[t]], optimizer=rs.SGD(rate), epochs=30)
        assert (history.diverged, words) == (None, [])
        assert net.parameters[0] == pytest.approx(1e8)


def test_a_warm_start_that_has_converged_may_lose_what_it_had(engine):
    # The loss begins at ½ 10⁻¹² and goes up to 0.005 with Adam's first steps, which know no size of gradients.
    x = np.linspace(-1, 1, 50)[:, None]
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, dtype="float64", engine=engine)
    net.parameters[...] = [2.0, 1e-6]
    history, words = told(net, x, 2 * x, optimizer=rs.Adam(0.1), epochs=5)
    assert max(history.loss) > 1e6 * 0.5e-12
    assert (history.diverged, words) == (None, [])


def test_a_single_row_far_out_is_no_divergence(engine):
    # Of 20,000 rows one has a target of 10⁴, and an error of 10⁸/2 where the others have next to none.
    y = np.zeros((20000, 1))
    y[777] = 1e4
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, seed=0, engine=engine)
    net.parameters[...] = 0
    history, words = told(net, np.zeros((20000, 1)), y, optimizer=rs.SGD(1e-3), epochs=1, batch_size=1000)
    assert (history.diverged, words) == (None, [])


def test_a_grown_loss_is_told_the_same_by_both_engines_and_by_sparse_rows(native):
    found = []
    for engine in ("native", "reference"):
        for rows in (X, SparseRows.of(X)):
            net = network(engine, dtype="float64", activation="identity")
            trainer = net.trainer(rs.SGD(2.0), inputs=5, threads=2, seed=1, sparse=rows is not X)
            s = np.linspace(1, 2, 64)
            trainer.run(rows, Y, s, epochs=50, batch_size=8, shuffle=True, l2=0.0, guard=Guard(loss=1e5))
            found.append(trainer.failure)
    assert found[0].part == "loss"
    assert found == found[:1] * 4


def test_a_grown_run_is_taken_up_from_its_checkpoint_as_it_ended(engine, tmp_path: Path):
    plan = {"optimizer": rs.SGD(2.0), "batch_size": 64, "epochs": 60, "checkpoint": tmp_path}
    nets = [network(engine, activation="identity") for _ in range(2)]
    (first, words), (second, same_words) = (told(net, X, Y, **plan) for net in nets)
    assert first.diverged is not None
    assert np.isfinite(first.loss).all()
    assert (first.diverged, first.loss, words) == (second.diverged, second.loss, same_words)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_gradients_whose_squares_overflow_end_the_run(engine):
    # g = −x δ = 1e25: g² is infinite in float32, and Adam would leave the weight alone for ever.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, engine=engine)
    net.parameters[...] = 0
    history, (words,) = told(net, [[1e15]], [[1e10]], epochs=50)
    assert history.diverged == 1
    assert net.parameters.tolist() == [0]
    assert "the optimizer's state is not finite" in words
    assert "X holds 1e+15 at row 0, column 0" in words
    assert "learning rate" not in words


def test_after_a_diverged_run_the_network_trains_as_any_other(engine):
    net = network(engine)
    told(net, X, Y, optimizer=rs.SGD(1e30), epochs=5)
    history, words = told(net, X, Y, epochs=20)
    assert words == []
    assert history.loss[-1] < history.loss[0]


def test_a_network_whose_weights_are_not_finite_is_refused(engine):
    net = network(engine)
    net.layers[1].W[3, 1] = np.nan
    before = net.parameters.tobytes()
    with pytest.raises(rs.ReseauError, match=r"layers\.1\.W holds nan.*give it other weights"):
        net.fit(X, Y)
    assert net.parameters.tobytes() == before


def test_warnings_that_are_errors_leave_the_same_weights(engine):
    nets = [network(engine) for _ in range(2)]
    told(nets[0], X, Y, optimizer=rs.SGD(1e30), epochs=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="diverged"):
            nets[1].fit(X, Y, optimizer=rs.SGD(1e30), epochs=5)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_the_callback_is_told_of_the_bad_epoch_too(engine):
    seen = []
    net = network(engine)
    told(
        net,
        X,
        Y,
        optimizer=rs.SGD(1e30),
        epochs=9,
        callback=lambda history: seen.append((history.epochs, history.diverged)),
    )
    assert seen[-1] == (len(seen), len(seen))


# --- its cause --------------------------------------------------------------------------------------------------------

SPOILT_X, SPOILT_Y = X.copy(), Y.copy()
SPOILT_X[7, 3] = -1e30
SPOILT_Y[9, 1] = 1e25
INPUTS, TARGETS, RATE = "The inputs are out of scale", "The targets are out of scale", "smaller learning rate"


@pytest.mark.parametrize(
    ("options", "causes", "place"),
    [
        ({"X": SPOILT_X}, {INPUTS}, "X holds -1e+30 at row 7, column 3"),
        ({"y": SPOILT_Y}, {TARGETS}, "y holds 1e+25 at row 9, column 1"),
        ({"y": SPOILT_Y, "optimizer": rs.SGD(1e30)}, {TARGETS}, "y holds 1e+25"),
        ({"y": 1e19 * Y}, {TARGETS}, "y holds -2.96718e+19 at row 46, column 1"),
        ({"X": 1e6 * X, "optimizer": rs.SGD(0.01)}, {INPUTS}, "X holds -3.77228e+06 at row 60, column 3"),
        ({"y": 1e6 * Y, "optimizer": rs.SGD(0.01)}, {TARGETS}, "y holds"),
        ({"X": 1e12 * X, "y": 1e10 * Y}, {INPUTS, TARGETS}, "X holds"),
        ({"X": 1e30 * X, "y": LABELS}, {INPUTS}, "X holds"),
        ({"optimizer": rs.SGD(50.0)}, {RATE}, "(now 50)"),
        ({"optimizer": rs.SGD(1e30)}, {RATE}, "(now 1e+30)"),
        ({"optimizer": rs.Adam(1e30)}, {RATE}, "(now 1e+30)"),
        ({"optimizer": rs.SGD(0.01), "l2": 1e6}, {"smaller l2"}, "312.5 times"),
    ],
    ids=lambda value: value if isinstance(value, str) else ", ".join(sorted(value)),
)
def test_the_warning_names_the_likely_cause(engine, options, causes, place):
    labels = options.get("y") is LABELS
    net = network(engine, loss="cross_entropy" if labels else "squared_error", activation="relu")
    history, (words,) = told(net, **{"X": X, "y": Y, "epochs": 50, **options})
    assert history.diverged is not None
    assert np.isfinite(net.parameters).all()
    assert {cause for cause in (INPUTS, TARGETS, RATE, "smaller l2") if cause in words} == causes
    assert place in words


def test_weights_that_were_out_of_scale_from_the_beginning_are_named(engine):
    net = network(engine, activation="relu")
    net.parameters[...] *= 1e15
    history, (words,) = told(net, X, Y, epochs=5)
    assert history.diverged == 1
    assert "The weights it began with are out of scale" in words


def test_what_counts_nothing_may_be_of_any_size(engine):
    s = np.ones(64)
    s[9] = 0
    nets = [network(engine, dtype="float64") for _ in range(2)]
    big = Y.copy()
    big[9, 1] = 1e200
    histories = [net.fit(X, y, sample_weight=s, epochs=5) for net, y in zip(nets, (Y, big), strict=True)]
    assert histories[0].loss == histories[1].loss
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


# --- validation and the best epoch ------------------------------------------------------------------------------------


def test_a_validation_loss_that_is_not_finite_is_said_and_never_the_best(engine):
    net = network(engine, activation="relu")
    history, (words,) = told(net, X, Y, epochs=6, validation_data=(1e30 * X, Y), keep_best=True)
    assert history.epochs == 6
    assert history.diverged is None
    assert history.best_epoch is None
    assert not np.isfinite(history.validation_loss).any()
    assert "validation loss is inf after epoch 1 and 5 more" in words
    assert "validation X holds -3.77228e+30 at row 60, column 3" in words
    plain = network(engine, activation="relu")
    plain.fit(X, Y, epochs=6)
    assert net.parameters.tobytes() == plain.parameters.tobytes()


def test_a_first_validation_loss_that_is_not_finite_gives_way_to_a_finite_one(engine):
    # ½ w² x² overflows at the first epoch's w, and not where the training has brought w close to 0.
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=1, engine=engine)
    net.parameters[...] = 1
    data = {"X": [[1.0]], "y": [[0.0]], "validation_data": [[[1e21]], [[0.0]]]}
    history, words = told(net, **data, optimizer=rs.SGD(0.9), epochs=8, keep_best=True)
    assert history.validation_loss[0] == np.inf
    assert history.best_epoch == 8
    assert len(words) == 1


def test_a_diverged_run_comes_back_to_its_best_epoch(engine):
    plan = {"optimizer": rs.SGD(2.5), "batch_size": 16, "epochs": 60, "validation_data": (X, 10 * Y)}
    net = network(engine)
    history, (words,) = told(net, X, 10 * Y, **plan, keep_best=True)
    assert history.diverged == history.epochs == len(history.validation_loss)
    assert np.isnan(history.validation_loss[-1])
    assert history.best_epoch == 1 + int(np.argmin(history.validation_loss[:-1]))
    assert f"the weights of epoch {history.best_epoch}, the best" in words
    assert net.parameters.tobytes() == after(history.best_epoch, network(engine), X, 10 * Y, **plan)


@pytest.mark.parametrize("kept", [True, False])
def test_of_equal_epochs_the_first_is_the_best(engine, kept):
    # Without biases the validation rows of zeros give zeros, whatever the weights.
    net = rs.Network(rs.Dense(4, "tanh", bias=False), rs.Dense(2, "identity", bias=False), inputs=5, seed=0)
    plan = {"epochs": 4, "validation_data": (np.zeros((3, 5)), np.ones((3, 2)))}
    weights = []
    history = net.fit(X, Y, **plan, keep_best=kept, callback=lambda _: weights.append(net.parameters.tobytes()))
    assert history.validation_loss == [1.0] * 4
    assert history.best_epoch == 1
    assert net.parameters.tobytes() == weights[0 if kept else 3]


# --- checkpoints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 3])
def test_a_checkpoint_of_a_diverged_run_says_so_when_it_is_taken_up(engine, tmp_path: Path, every):
    plan = {**GOING_BAD["loss"], "checkpoint": tmp_path, "checkpoint_every": every}
    net, again = network(engine), network(engine)
    history, words = told(net, X, 10 * Y, **plan)
    assert history.diverged is not None
    loaded = rs.load(tmp_path / NAME)
    assert loaded.parameters.tobytes() == net.parameters.tobytes()
    _, tensors = model_file.read(tmp_path / NAME)
    assert all(np.isfinite(tensor).all() for name, tensor in tensors.items() if not name.startswith("history"))
    calls: list[rs.History] = []
    taken_up, same_words = told(again, X, 10 * Y, **plan, callback=calls.append)
    assert calls == []  # nothing is trained
    assert same_words == words
    assert taken_up.diverged == history.diverged
    np.testing.assert_array_equal(taken_up.loss, history.loss)
    assert again.parameters.tobytes() == net.parameters.tobytes()


@pytest.mark.parametrize("name", ["parameters", "state.0"])
def test_a_checkpoint_that_holds_what_is_not_finite_is_refused(tmp_path: Path, name):
    network().fit(X, Y, epochs=2, checkpoint=tmp_path)
    description, tensors = model_file.read(tmp_path / NAME)
    spoilt = tensors[name].copy()
    spoilt[3] = np.nan
    model_file.write(tmp_path / NAME, description, {**tensors, name: spoilt})
    net = network()
    before = net.parameters.tobytes()
    with pytest.raises(rs.ModelFileError, match=f"its {name} are not all finite: the training had diverged"):
        net.fit(X, Y, epochs=2, checkpoint=tmp_path)
    assert net.parameters.tobytes() == before
