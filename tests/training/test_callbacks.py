"""Callbacks: what they are told and when, how they end a fit, and that they hear of its end however it comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reseau as rs

X = np.linspace(-1, 1, 20).reshape(-1, 1)
T = X**2


def small(engine: str | None = None, seed: int = 0) -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), seed=seed, engine=engine)


class Noting(rs.Callback):
    """Notes what it is told in a list that others may share."""

    def __init__(self, notes: list[Any] | None = None, name: str = "", stop_at: int = 0, fail_in: str = "") -> None:
        self.notes, self.name = [] if notes is None else notes, name
        self.stop_at, self.fail_in = stop_at, fail_in

    def _note(self, *what: Any) -> None:
        self.notes.append(f"{self.name}{' '.join(map(str, what))}")
        if what[0] == self.fail_in:
            raise LookupError(f"{self.name}failed in {what[0]}")

    def on_fit_begin(self, network, history):
        self.network = network
        self._note("begin", history.epochs, history.planned)

    def on_epoch_end(self, history):
        self._note("epoch", history.epochs)
        return history.epochs == self.stop_at

    def on_fit_end(self, history):
        self._note("end", history.epochs, history.stopped_early)


def test_a_callback_is_told_of_the_beginning_each_epoch_and_the_end(engine):
    noting, net = Noting(), small(engine)
    net.fit(X, T, epochs=3, callback=noting)
    assert noting.notes == ["begin 0 3", "epoch 1", "epoch 2", "epoch 3", "end 3 False"]
    assert noting.network is net


def test_a_true_answer_stops_and_all_are_still_told_of_that_epoch(engine):
    notes: list[str] = []
    history = small(engine).fit(X, T, epochs=9, callback=[Noting(notes, "a ", stop_at=2), Noting(notes, "b ")])
    assert notes == [
        "a begin 0 9", "b begin 0 9", "a epoch 1", "b epoch 1", "a epoch 2", "b epoch 2",
        "a end 2 True", "b end 2 True",
    ]  # fmt: skip
    assert history.stopped_early


def test_functions_callbacks_and_lists_of_both_are_taken():
    notes: list[Any] = []
    for callback in ([], (), None, [lambda history: notes.append(history.epochs)], (Noting(notes), notes.append)):
        small().fit(X, T, epochs=1, callback=callback)
    assert notes[:3] == [1, "begin 0 1", "epoch 1"]


def test_what_has_the_three_methods_need_not_be_derived():
    class Own:
        def __init__(self):
            self.told = []

        def on_fit_begin(self, network, history):
            self.told.append("begin")

        def on_epoch_end(self, history):
            self.told.append("epoch")
            return np.True_

        def on_fit_end(self, history):
            self.told.append("end")

    own = Own()
    small().fit(X, T, epochs=5, callback=own)
    assert own.told == ["begin", "epoch", "end"]


def test_a_method_that_is_not_written_does_nothing():
    class OnlyTheEnd(rs.Callback):
        def on_fit_end(self, history):
            self.epochs = history.epochs

    only = OnlyTheEnd()
    small().fit(X, T, epochs=2, callback=only)
    assert only.epochs == 2


def test_callbacks_change_nothing_in_the_training(engine):
    nets = [small(engine) for _ in range(2)]
    for net, callback in zip(nets, (None, [Noting(), Noting()]), strict=True):
        net.fit(X, T, epochs=4, batch_size=3, callback=callback)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_the_end_is_told_too_when_an_error_or_ctrl_c_ends_the_fit(error, engine):
    notes: list[str] = []

    def fail(history: rs.History) -> None:
        if history.epochs == 2:
            raise error

    with pytest.raises(error):
        small(engine).fit(X, T, epochs=9, callback=[Noting(notes), fail])
    assert notes[-1] == "end 2 False"


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_an_epoch_whose_metric_fails_is_not_in_the_history(error, engine):
    class Ended(rs.Callback):
        def on_fit_end(self, history):
            self.lengths = {name: len(values) for name, values in history.columns.items()}

    def own(T, O):
        calls.append(1)
        if len(calls) == 3:
            raise error
        return 0.0

    calls, ended = [], Ended()
    with pytest.raises(error):
        small(engine).fit(X, T, epochs=9, metrics=("mse", own), validation_data=(X, T), callback=ended)
    assert ended.lengths == dict.fromkeys(["loss", "validation_loss", "mse", "own", "learning_rate"], 2)


def test_who_has_not_heard_of_the_beginning_does_not_hear_of_the_end():
    notes: list[str] = []
    callbacks = [Noting(notes, "a "), Noting(notes, "b ", fail_in="begin"), Noting(notes, "c ")]
    with pytest.raises(LookupError, match="b failed in begin"):
        small().fit(X, T, epochs=2, callback=callbacks)
    assert notes == ["a begin 0 2", "b begin 0 2", "a end 0 False"]


def test_an_error_at_the_end_reaches_the_caller_when_all_have_been_told():
    notes: list[str] = []
    net, whole = small(), small()
    with pytest.raises(LookupError, match="a failed in end"):
        net.fit(X, T, epochs=2, callback=[Noting(notes, "a ", fail_in="end"), Noting(notes, "b ")])
    assert notes[-2:] == ["a end 2 False", "b end 2 False"]
    whole.fit(X, T, epochs=2)
    assert net.parameters.tobytes() == whole.parameters.tobytes()


def test_weights_may_be_given_when_the_fit_begins(engine):
    class Begin(rs.Callback):
        def on_fit_begin(self, network, history):
            network.parameters[...] = 0

    net = small(engine)
    net.fit(X, T, epochs=1, callback=Begin())
    assert not net.layers[0].W.any()  # no gradient comes through weights of 0


def test_a_network_may_be_drawn_anew_when_the_fit_begins_but_not_for_other_inputs(engine):
    class Build(rs.Callback):
        def __init__(self, inputs):
            self.inputs = inputs

        def on_fit_begin(self, network, history):
            network.build(self.inputs)

    assert small(engine).fit(X, T, epochs=2, callback=Build(1)).epochs == 2
    with pytest.raises(rs.ReseauError, match="built anew while it was trained"):
        small(engine).fit(X, T, epochs=2, callback=Build(5))


def test_at_the_end_the_network_has_the_weights_that_stay():
    class Seen(rs.Callback):
        def on_fit_begin(self, network, history):
            self.network = network

        def on_fit_end(self, history):
            self.weights = self.network.parameters.tobytes()

    seen, net = Seen(), small()
    plan = {"optimizer": rs.SGD(0.1), "validation_data": (X, -T), "keep_best": True}  # which gets worse and worse
    history = net.fit(X, T, epochs=20, callback=seen, **plan)
    assert history.best_epoch != 20
    assert seen.weights == net.parameters.tobytes()


def test_a_fit_taken_up_begins_with_its_epochs_and_a_finished_one_ends_at_once(tmp_path):
    plan = {"epochs": 4, "checkpoint": tmp_path}
    with pytest.raises(LookupError):
        small().fit(X, T, callback=[Noting(fail_in="end"), lambda history: history.epochs == 9 or None], **plan)
    noting = Noting()
    small().fit(X, T, callback=noting, **plan)
    assert noting.notes == ["begin 4 4", "end 4 False"]


def test_of_many_networks_each_has_its_callbacks():
    notes: list[list[str]] = [[], [], []]
    shared: list[str] = []
    callbacks = [[Noting(notes[place]), Noting(shared)] for place in range(3)]
    nets = [small(seed=seed) for seed in range(3)]
    rs.fit_many(nets, X, T, epochs=2, callback=callbacks, threads=2)
    assert notes == [["begin 0 2", "epoch 1", "epoch 2", "end 2 False"]] * 3
    assert len(shared) == 12
    assert [callback.network for callback, _ in callbacks] == nets
    one = Noting()
    rs.fit_many(nets, X, T, epochs=1, callback=one)
    assert sorted(one.notes) == sorted(["begin 0 1", "epoch 1", "end 1 False"] * 3)


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (3, "^callback is 3, but must be a function of the History, a reseau.Callback, or a list of these"),
        ("print", "^callback is 'print'"),
        ([None], r"^callback\[0\] is None"),
        ([print, 3], r"^callback\[1\] is 3"),
        (Noting, r"^callback is the class Noting, but must be an object of it: Noting\(\.\.\.\)"),
        ([rs.Callback], r"^callback\[0\] is the class Callback"),
    ],
)
def test_what_is_no_callback_is_refused_before_anything_is_built(callback, words):
    net = small()
    with pytest.raises(rs.ParameterError, match=words):
        net.fit(X, T, callback=callback)
    assert not net.built
    with pytest.raises(rs.ParameterError, match=words.replace("^", "")):
        rs.fit_many([net], X, T, callback=callback if not isinstance(callback, list) else [callback])
    assert not net.built
