"""fit_many: the bytes of single fits, what each network gets of an argument, what is refused, and how it ends early."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numerics import EVERY_OPTIMIZER

import reseau as rs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 5))
T = np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
SPARSE = scipy.sparse.random_array((70, 30), density=0.2, rng=np.random.default_rng(1), format="csr")
WEIGHTS = RNG.uniform(0, 2, 70)
HELD_OUT = (X[60:], T[60:])


def small(seed: int = 0, **options: Any) -> rs.Network:
    return rs.Network(rs.Dense(6, "tanh"), rs.Dense(2), seed=seed, **options)


def state(net: rs.Network) -> tuple[Any, ...]:
    """Everything that a fit changes."""
    return net.built, net.parameters.tobytes() if net.built else None, net.generator_state


def told(history: rs.History) -> tuple[Any, ...]:
    """All of a History but the time it took."""
    return history.loss, history.validation_loss, history.best_epoch, history.diverged, history.planned


# Networks of many shapes, each with its arguments of fit.
CASES: dict[str, tuple[Callable[..., rs.Network], dict[str, Any]]] = {
    "float32": (small, {"X": X, "y": T, "epochs": 4}),
    "float64": (lambda **o: small(dtype="float64", **o), {"X": X, "y": T, "epochs": 3, "batch_size": 7}),
    "built": (lambda **o: small(inputs=5, seed=3, **o), {"X": X, "y": T, "epochs": 3, "shuffle": False}),
    "classes": (
        lambda **o: rs.Network(rs.Dense(9), rs.Dense(3), loss="cross_entropy", seed=1, **o),
        {"X": X.astype("float32"), "y": LABELS, "epochs": 5, "l2": 0.1},
    ),
    "dropout": (
        lambda **o: rs.Network(rs.Dropout(0.2), rs.Dense(20, dropout=0.5), rs.Dense(2), seed=2, **o),
        {"X": X, "y": T, "epochs": 4, "batch_size": 70},
    ),
    "kinds": (
        lambda **o: rs.Network(
            rs.Dense(5), rs.PReLU(), rs.Residual(rs.LayerNorm(), rs.Dense(5)), rs.Dense(1), seed=5, dtype="float64", **o
        ),
        {"X": X, "y": T[:, 0], "epochs": 6, "sample_weight": WEIGHTS},
    ),
    "sparse": (small, {"X": SPARSE, "y": T, "epochs": 3, "batch_size": 16}),
    "validation": (
        lambda **o: small(seed=8, **o),
        {"X": X[:60], "y": T[:60], "epochs": 7, "validation_data": HELD_OUT, "keep_best": True, "optimizer": "rmsprop"},
    ),
    "callback": (
        lambda **o: small(seed=9, **o),
        {"X": X, "y": T, "epochs": 50, "callback": lambda history: history.epochs == 3},
    ),
    "bfloat16": (lambda **o: rs.Network(rs.Dense(40), rs.Dense(2), seed=4, **o), {"X": X, "y": T, "precision": "bf16"}),
    "large": (lambda **o: rs.Network(rs.Dense(300), rs.Dense(300), rs.Dense(2), seed=4, **o), {"X": X, "y": T}),
    **{
        f"optimizer {place}": (small, {"X": X, "y": T, "epochs": 2, "optimizer": optimizer})
        for place, optimizer in enumerate(EVERY_OPTIMIZER)
    },
}
DEFAULTS: dict[str, Any] = {
    "optimizer": None, "epochs": 10, "batch_size": 32, "validation_data": None, "sample_weight": None, "l2": 0.0,
    "shuffle": True, "precision": None, "keep_best": False, "callback": None,
}  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2, 3, 100])
def test_each_network_ends_with_the_bytes_of_a_fit_of_its_own(engine, threads):
    cases = [case for name, case in CASES.items() if engine == "native" or name != "large"]
    alone = [make(engine=engine) for make, _ in cases]
    histories = [net.fit(**arguments) for net, (_, arguments) in zip(alone, cases, strict=True)]
    together = [make(engine=engine) for make, _ in cases]
    columns = {name: [case[name] for _, case in cases] for name in ("X", "y")}
    columns |= {name: [case.get(name, value) for _, case in cases] for name, value in DEFAULTS.items()}
    found = rs.fit_many(together, **columns, threads=threads)
    assert [told(history) for history in found] == [told(history) for history in histories]
    assert [state(net) for net in together] == [state(net) for net in alone]
    assert all(history.seconds > 0 for history in found)


@pytest.mark.parametrize("many", [1, 2, 30])
def test_what_is_given_once_is_for_all(engine, many):
    alone = [small(seed, engine=engine) for seed in range(many)]
    together = [small(seed, engine=engine) for seed in range(many)]
    plan: dict[str, Any] = {
        "optimizer": rs.Adam(0.01),
        "epochs": 3,
        "sample_weight": WEIGHTS,
        "validation_data": (X, T),
    }
    histories = [net.fit(X, T, **plan) for net in alone]
    assert [told(h) for h in rs.fit_many(together, X, T, **plan)] == [told(h) for h in histories]
    assert [state(net) for net in together] == [state(net) for net in alone]


@pytest.mark.usefixtures("native")
def test_networks_of_both_engines_can_be_trained_together():
    engines = ["reference", "native", "reference", "native", None, "native"]
    alone, together = ([small(seed, engine=engine) for seed, engine in enumerate(engines)] for _ in range(2))
    losses = [net.fit(X, T, epochs=3).loss for net in alone]
    assert [history.loss for history in rs.fit_many(together, X, T, epochs=3, threads=3)] == losses
    assert [state(net) for net in together] == [state(net) for net in alone]


def test_a_second_call_goes_on_as_a_second_fit_does(engine):
    alone, together = ([small(seed, engine=engine) for seed in range(3)] for _ in range(2))
    for _ in range(2):
        rs.fit_many(together, X, T, epochs=2, threads=2)
        for net in alone:
            net.fit(X, T, epochs=2)
    assert [state(net) for net in together] == [state(net) for net in alone]


def test_views_taken_before_see_the_result(engine):
    nets = [small(seed, inputs=5, engine=engine) for seed in range(2)]
    views = [net.layers[0].W for net in nets]
    before = [view.copy() for view in views]
    rs.fit_many(nets, X, T, epochs=1, threads=2)
    assert all(not np.array_equal(view, old) for view, old in zip(views, before, strict=True))


@pytest.mark.usefixtures("native")
def test_a_call_in_each_of_several_threads_gives_the_bytes_of_each_alone():
    def work(place: int) -> None:
        nets = [small(seed) for seed in range(6)]
        rs.fit_many(nets, X, T, epochs=20, threads=2)
        results[place] = [state(net) for net in nets]

    results: list[Any] = [None] * 3
    workers = [threading.Thread(target=work, args=(place,)) for place in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    at_once = list(results)
    work(0)
    assert at_once == [results[0]] * 3


def test_no_thread_is_left():
    before = threading.active_count()
    rs.fit_many([small(seed) for seed in range(9)], X, T, epochs=2, threads=4)
    assert threading.active_count() == before


def test_the_state_of_numpy_s_errors_and_of_other_threads_is_left_alone():
    with np.errstate(all="raise"):
        rs.fit_many([small(seed) for seed in range(3)], X, T, epochs=2, threads=2, validation_data=(X, T))
        with pytest.raises(FloatingPointError):
            np.float64(1) / np.float64(0)


# --- what each network gets ---------------------------------------------------------------------------------------


def same(nets: int, X: Any, y: Any, one_by_one: list[tuple[Any, Any]], **options: Any) -> None:
    """Assert that fit_many with these arguments does what a fit with each of the others does."""
    alone, together = ([small(seed) for seed in range(nets)] for _ in range(2))
    for net, (X_n, y_n) in zip(alone, one_by_one, strict=True):
        net.fit(X_n, y_n, epochs=2)
    rs.fit_many(together, X, y, epochs=2, **options)
    assert [state(net) for net in together] == [state(net) for net in alone]


HALVES = [X[:35], X[35:]]
T_HALVES = [T[:35], T[35:]]


@pytest.mark.parametrize("kind", [list, tuple, lambda them: [pd.DataFrame(each) for each in them], np.stack])
def test_arrays_of_each_are_a_list_a_tuple_frames_or_an_array_of_three_dimensions(kind):
    pairs = list(zip(HALVES, T_HALVES, strict=True))
    same(2, kind(HALVES), kind(T_HALVES), pairs)
    same(2, X[:35], kind(T_HALVES), [(X[:35], T[:35]), (X[:35], T[35:])])
    same(2, kind(HALVES), T[:35], [(X[:35], T[:35]), (X[35:], T[:35])])


def test_nested_lists_are_told_by_their_depth():
    same(2, HALVES[0].tolist(), T_HALVES[0].tolist(), [(HALVES[0], T_HALVES[0])] * 2)
    nested = [half.tolist() for half in HALVES], [half.tolist() for half in T_HALVES]
    same(2, *nested, list(zip(HALVES, T_HALVES, strict=True)))


def one_output(seed: int) -> rs.Network:
    return rs.Network(rs.Dense(1), seed=seed, dtype="float64")


@pytest.mark.parametrize(
    ("y", "each"),
    [
        ([T[:, 0], T[:, 1]], [T[:, 0], T[:, 1]]),
        ([T[:, 0].tolist(), T[:, 1].tolist()], [T[:, 0], T[:, 1]]),
        ([pd.Series(T[:, 0]), pd.Series(T[:, 1])], [T[:, 0], T[:, 1]]),
        (T[:, 0], [T[:, 0], T[:, 0]]),
        (T[:, 0].tolist(), [T[:, 0], T[:, 0]]),
        (T[:, :1].tolist(), [T[:, 0], T[:, 0]]),
        (list(T[:, :1]), [T[:, 0], T[:, 0]]),
    ],
    ids=["arrays", "lists", "series", "array", "list", "column", "rows"],
)
def test_targets_of_one_dimension_are_for_each_where_there_are_as_many_as_samples(y, each):
    alone, together = ([one_output(seed) for seed in range(2)] for _ in range(2))
    for net, y_n in zip(alone, each, strict=True):
        net.fit(X, y_n, epochs=1)
    rs.fit_many(together, X, y, epochs=1)
    assert [state(net) for net in together] == [state(net) for net in alone]


def test_two_samples_with_two_targets_are_not_taken_for_the_targets_of_two_networks():
    alone, together = ([small(seed) for seed in range(3)] for _ in range(2))
    for net in alone:
        net.fit(X[:2], [[1, 2], [3, 4]], epochs=1)
    rs.fit_many(together, X[:2], [[1, 2], [3, 4]], epochs=1)
    assert [state(net) for net in together] == [state(net) for net in alone]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sample_weight", [WEIGHTS, None]),
        ("sample_weight", [None, WEIGHTS.tolist()]),
        ("sample_weight", [None, None]),
        ("sample_weight", np.stack([WEIGHTS, 1 - WEIGHTS / 3])),
        ("validation_data", [(X, T), None]),
        ("validation_data", [[X[:9], T[:9]], (X, T)]),
        ("validation_data", [None, None]),
        ("optimizer", ["sgd", rs.RMSprop(0.1)]),
        ("optimizer", (None, "adamw")),
        ("epochs", range(1, 3)),
        ("epochs", np.array([3, 1])),
        ("batch_size", pd.Series([3, 100])),
        ("l2", np.logspace(-3, 0, 2)),
        ("shuffle", np.array([True, False])),
        ("precision", [None, "bf16"]),
        ("callback", [None, lambda history: history.epochs == 2]),
    ],
)
def test_a_list_has_one_value_for_each_network(name, values):
    alone, together = ([small(seed) for seed in range(2)] for _ in range(2))
    for net, value in zip(alone, list(values), strict=True):
        net.fit(X, T, **{"epochs": 3, name: value})
    rs.fit_many(together, X, T, **{"epochs": 3, name: values}, threads=2)
    assert [state(net) for net in together] == [state(net) for net in alone]


@pytest.mark.parametrize("pair", [(X, T), [X, T], (X.tolist(), T.tolist()), [SPARSE[:, :5], T]])
def test_a_pair_is_the_validation_data_of_all_even_of_two_networks(pair):
    nets = [small(seed) for seed in range(2)]
    for history in rs.fit_many(nets, X, T, epochs=2, validation_data=pair):
        assert len(history.validation_loss) == 2


def test_networks_may_come_from_anywhere_and_be_none():
    made = []
    histories = rs.fit_many((made.append(net := small(seed)) or net for seed in range(3)), X, T, epochs=1)
    assert len(histories) == 3
    assert all(net.built for net in made)
    assert rs.fit_many([], X, T) == []


def test_shared_data_are_looked_at_once(monkeypatch):
    from reseau import data

    looked = []
    for name in ("rows", "targets", "weights"):
        real = getattr(data, name)
        monkeypatch.setattr(data, name, lambda *a, real=real, name=name, **o: looked.append(name) or real(*a, **o))
    rs.fit_many([small(seed) for seed in range(9)], X, T, sample_weight=WEIGHTS, epochs=1)
    assert looked == ["rows", "targets", "weights"]
    looked.clear()
    rs.fit_many([small(seed) for seed in range(9)], [X] * 9, [T] * 9, epochs=1)
    assert looked == ["rows", "targets"]
    looked.clear()  # each precision looks for itself
    rs.fit_many([small(seed, dtype=("float32", "float64")[seed % 2]) for seed in range(4)], X, T, epochs=1)
    assert looked == ["rows", "targets"] * 2


# --- what it refuses ----------------------------------------------------------------------------------------------

BAD = X.copy()
BAD[3, 2] = np.nan


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, r"^epochs is 0, but must be a whole number of at least 1"),
        ({"epochs": [1, 0, 2]}, r"^networks\[1\]: epochs is 0, but must be a whole number of at least 1"),
        ({"epochs": [1, 2]}, r"epochs has 2 entries, but there are 3 networks; give one for all of them, or a list of"),
        ({"epochs": np.ones((3, 1), int)}, "epochs is array"),
        ({"l2": np.array([0, 0, -1.0])}, r"networks\[2\]: l2 is -1.0"),
        ({"optimizer": ["sgd", "adam", "lbfgs"]}, r"networks\[2\]: optimizer is 'lbfgs', which is unknown"),
        ({"optimizer": rs.Adam}, "^optimizer is .* but must be an optimizer such as Adam"),
        ({"precision": [None, None, "bf8"]}, r"networks\[2\]: precision is 'bf8'"),
        ({"keep_best": [False, True, False]}, r"networks\[1\]: keep_best=True needs validation_data"),
        ({"callback": 3}, "callback is 3, but must be a function"),
        ({"callback": [None, None, "print"]}, r"networks\[2\]: callback is 'print', but must be a function"),
        ({"threads": 0}, "^threads is 0"),
        ({"threads": [1, 2, 3]}, r"^threads is \[1, 2, 3\]"),
        ({"X": BAD}, r"X holds nan at row 3, column 2"),
        ({"X": [X, X, BAD]}, r"networks\[2\]: X\[2\] holds nan at row 3, column 2"),
        ({"X": [X, X]}, "X has 2 entries, but there are 3 networks"),
        ({"X": X[0]}, r"X has 1 dimension\(s\)"),
        ({"X": [X, X[:, :4], X], "networks": {"inputs": 5}}, r"networks\[1\]: X\[1\] has 4 columns, but the network"),
        ({"y": [T, T, T[:9]]}, r"networks\[2\]: X has 70 rows but y\[2\] has 9 rows"),
        ({"y": [T, T]}, "y has 2 entries, but there are 3 networks"),
        ({"y": T[:, 0]}, r"networks\[0\]: y has shape \(70,\), but the network has 2 output"),
        ({"sample_weight": [None, WEIGHTS[1:], None]}, r"networks\[1\]: sample_weight has shape \(69,\)"),
        ({"sample_weight": WEIGHTS[1:]}, r"sample_weight has shape \(69,\), but must be \(70,\)"),
        ({"sample_weight": [WEIGHTS] * 4}, "sample_weight has 4 entries, but there are 3 networks"),
        ({"validation_data": [(X, T)] * 2}, "validation_data has 2 entries, but there are 3 networks"),
        ({"validation_data": [(X, T), None, (X, T[1:])]}, r"networks\[2\]: X has 70 rows but validation y has 69 rows"),
        ({"validation_data": X}, r"validation_data must be \(X, y\), or .* but is of type ndarray"),
        ({"validation_data": (X, None)}, "validation y has 0 dimension"),
        ({"checkpoint": [None, 3, None]}, r"networks\[1\]: checkpoint is 3, but must be the path of a folder"),
        ({"checkpoint": ""}, "checkpoint is '', but must be the path of a folder"),
        ({"checkpoint": "a\0b"}, "checkpoint is .* but must be the path of a folder"),
        ({"checkpoint": ["a\0b", "a\0b", None]}, r"checkpoint\[1\] is 'a.x00b', the folder of checkpoint\[0\]"),
        ({"checkpoint": __file__}, "test_many.py.*is a file; name a folder"),
        ({"checkpoint": ["a", "b", "./a"]}, r"checkpoint\[2\] is './a', the folder of checkpoint\[0\]"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_refused_call_changes_no_network(options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nets = [small(seed, **options.get("networks", {})) for seed in range(3)]
    before = [pickle.dumps(net) for net in nets]
    options = {name: value for name, value in options.items() if name != "networks"}
    with pytest.raises(rs.ReseauError, match=words):
        rs.fit_many(nets, **{"X": X, "y": T, **options})
    assert [pickle.dumps(net) for net in nets] == before


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        (lambda: small(), "networks is Network.* but must be a list of networks"),
        (lambda: None, "networks is None, but must be a list of networks"),
        (lambda: np.array("abc"), "networks is .*abc.*, but must be a list of networks"),
        (lambda: [small(), 3], r"networks\[1\] is 3, but must be a Network"),
        (lambda: [rs.MLPRegressor()], r"networks\[0\] is MLPRegressor\(\), but must be a Network"),
        (
            lambda: [small(), *[small(1)] * 2],
            r"networks\[2\] is networks\[1\] once more; each must be a network of its",
        ),
        (lambda: [(net := small(inputs=5)), copy.copy(net)], r"networks\[1\] is networks\[0\] once more"),
    ],
    ids=["one", "none", "text", "number", "estimator", "twice", "shallow copy"],
)
def test_what_is_no_list_of_networks_is_refused(networks, words):
    with pytest.raises(rs.ParameterError, match=words):
        rs.fit_many(networks(), X, T)


def test_deep_copies_are_networks_of_their_own():
    net = small(inputs=5)
    others = [copy.deepcopy(net) for _ in range(3)]
    rs.fit_many([net, *others], X, T, epochs=2, threads=2)
    assert len({state(each)[1] for each in [net, *others]}) == 1


def test_weights_that_are_not_finite_are_refused_before_any_network_is_trained():
    nets = [small(seed, inputs=5) for seed in range(3)]
    nets[2].layers[1].W[0, 0] = np.inf
    before = [pickle.dumps(net) for net in nets]
    with pytest.raises(rs.ReseauError, match=r"networks\[2\]: The network's layers\.1\.W holds inf"):
        rs.fit_many(nets, X, T)
    assert [pickle.dumps(net) for net in nets] == before


def test_networks_that_do_not_fit_in_memory_are_refused_before_any_is_trained():
    nets = [small(), rs.Network(rs.Dense(10**8), rs.Dense(10**8), rs.Dense(2), seed=1), small(2)]
    before = [pickle.dumps(net) for net in nets]
    with pytest.raises(rs.ParameterError, match=r"networks\[1\]: The network has 10,0.* parameters, more than fit in"):
        rs.fit_many(nets, X, T)
    assert [pickle.dumps(net) for net in nets] == before


def test_networks_that_fit_in_memory_each_but_not_together_are_refused(monkeypatch):
    from reseau import engine

    monkeypatch.setattr(engine, "fits_in_memory", lambda n_bytes: n_bytes <= 4 * 50 * 5)  # 6 · 6 + 7 · 2 = 50 numbers
    rs.fit_many([small(seed) for seed in range(5)], X, T, epochs=1)
    nets = [small(seed) for seed in range(6)]
    with pytest.raises(rs.ParameterError, match="The networks have 300 parameters together, more than fit in memory"):
        rs.fit_many(nets, X, T, epochs=1)
    assert not any(net.built for net in nets)


# --- what goes wrong on the way -----------------------------------------------------------------------------------


def test_a_network_that_diverges_is_told_once_and_the_others_go_on(engine):
    rates = [0.01, 1e30, 0.01, 1e30]
    alone, together = ([small(seed, engine=engine) for seed in range(4)] for _ in range(2))
    optimizers = [rs.SGD(rate) for rate in rates]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        histories = [net.fit(X, T, optimizer=how, epochs=5) for net, how in zip(alone, optimizers, strict=True)]
    with pytest.warns(RuntimeWarning) as caught:
        found = rs.fit_many(together, X, T, optimizer=optimizers, epochs=5, threads=3)
    (warning,) = caught
    assert str(warning.message).startswith("networks[1]: training has diverged: ")
    assert str(warning.message).endswith(" The same or the like befell 1 more, as each History tells.")
    assert warning.filename == __file__
    assert [history.diverged for history in found] == [history.diverged for history in histories]
    assert [history.diverged is None for history in found] == [True, False, True, False]
    assert [state(net) for net in together] == [state(net) for net in alone]


def test_what_is_said_of_shared_data_is_said_once():
    close = np.column_stack([X, 1e9 + np.arange(70.0) / 10])
    with pytest.warns(UserWarning, match="values of column 5 lie too close together for float32") as caught:
        rs.fit_many([small(seed) for seed in range(4)], close, T, epochs=1)
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_an_error_in_a_callback_ends_the_call_with_whole_epochs(engine, threads):
    def fail(history: rs.History) -> None:
        if history.epochs == 3:
            raise IndexError("the disk is full")

    nets, twins = ([small(seed, engine=engine) for seed in range(6)] for _ in range(2))
    untouched = [state(net) for net in nets]
    callbacks = [None, fail, None, None, None, None]
    endless = [1, 2_000_000, *[1_000_000] * 4]  # the longest begins first, if there are several threads
    with pytest.raises(IndexError, match="the disk is full"):
        rs.fit_many(nets, X, T, epochs=endless, callback=callbacks, threads=threads)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fit_many")]
    twins[1].fit(X, T, epochs=3)
    assert state(nets[1]) == state(twins[1])
    if threads == 1:
        assert [state(net) for net in nets[2:]] == untouched[2:]


def test_calls_of_callbacks_never_overlap():
    inside, most, calls = 0, 0, 0

    def look(history: rs.History) -> None:
        nonlocal inside, most, calls
        inside += 1
        most, calls = max(most, inside), calls + 1
        threading.Event().wait(0.002)  # lets other threads run
        inside -= 1

    rs.fit_many([small(seed) for seed in range(6)], X, T, epochs=4, callback=look, threads=4)
    assert (most, calls) == (1, 24)


def test_a_callback_is_called_with_the_history_of_its_network():
    seen: dict[int, list[rs.History]] = {}
    callbacks = [lambda history, place=place: seen.setdefault(place, []).append(history) for place in range(3)]
    histories = rs.fit_many([small(seed) for seed in range(3)], X, T, epochs=2, callback=callbacks, threads=3)
    assert all(all(each is histories[place] for each in seen[place]) for place in range(3))
    assert [len(seen[place]) for place in range(3)] == [2, 2, 2]


def test_a_network_that_is_built_anew_by_a_callback_is_said_and_ends_the_call():
    nets = [small(seed) for seed in range(3)]
    with pytest.raises(rs.ReseauError, match="built anew while it was trained"):
        rs.fit_many(nets, X, T, epochs=3, callback=lambda history: nets[1].build(5), threads=1)


def test_a_run_in_a_folder_is_taken_up_by_each_network(engine, tmp_path):
    def run(epochs: int, **options: Any) -> list[Any]:
        nets = [small(seed, engine=engine) for seed in range(3)]
        histories = rs.fit_many(nets, X, T, epochs=epochs, **options)
        return [*map(state, nets), *map(told, histories)]

    through = run(5)
    nets = [small(seed, engine=engine) for seed in range(3)]
    with pytest.raises(KeyboardInterrupt):
        rs.fit_many(nets, X, T, epochs=5, checkpoint=tmp_path / "runs", callback=interrupt_at(2), threads=2)
    assert (tmp_path / "runs" / "0").is_dir()
    assert run(5, checkpoint=tmp_path / "runs", threads=2) == through
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["0", "1", "2"]
    assert run(5, checkpoint=str(tmp_path / "runs")) == through  # nothing is left to do
    assert run(5, checkpoint=[tmp_path / "runs" / "0", None, tmp_path / "other"]) == through


def interrupt_at(epoch: int) -> Callable[[rs.History], None]:
    def interrupt(history: rs.History) -> None:
        if history.epochs == epoch:
            raise KeyboardInterrupt

    return interrupt


# In a process of its own: trains many networks, and is sent SIGINT from another thread.
INTERRUPTED = """
import json, os, signal, sys, threading, time
import numpy as np, reseau as rs

threads, validated, engine = int(sys.argv[1]), sys.argv[2] == "True", sys.argv[3]
rng = np.random.default_rng(0)
X, T = rng.normal(size=(300, 8)), rng.normal(size=(300, 2))
plan = dict(validation_data=(X, T)) if validated else {}

def network(seed):
    return rs.Network(rs.Dense(16, "tanh"), rs.Dense(2), seed=seed, engine=engine)

def interrupt():
    while sum(net.built for net in nets) < (threads if engine == "native" else 1):
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)

nets = [network(seed) for seed in range(8)]
rs.fit_many([network(99)], X, T, epochs=1, **plan)  # what is imported is there
threading.Thread(target=interrupt, daemon=True).start()
heard = False
try:
    rs.fit_many(nets, X, T, epochs=1_000_000, threads=threads, **plan)
except KeyboardInterrupt:
    heard = True
alone = threading.active_count()
begun = [net for net in nets if net.built]
untouched = all(net.generator_state == network(net.seed).generator_state for net in nets if not net.built)
whole = 0
for net in begun:
    twin, end = network(net.seed), net.parameters.tobytes()
    begins = rs.Network(rs.Dense(16, "tanh"), rs.Dense(2), seed=net.seed, engine=engine, inputs=8)
    if begins.parameters.tobytes() == end:  # on a slow machine, interrupted before its first epoch ended
        whole += 1
        continue
    met = []
    def look(history):
        met.append(twin.parameters.tobytes() == end)
        return met[-1] or len(met) > 100_000
    twin.fit(X, T, epochs=1_000_000, callback=look)
    whole += met[-1] and twin.generator_state == net.generator_state
print(json.dumps([heard, len(begun), whole, untouched, alone]))
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("threads", "validated", "engine"),
    [(1, False, "native"), (2, False, "native"), (3, True, "native"), (3, False, "reference")],
)
def test_ctrl_c_leaves_whole_epochs_and_untouched_networks(threads, validated, engine, request):
    if engine == "native":
        request.getfixturevalue("native")
    command = [sys.executable, "-c", INTERRUPTED, str(threads), str(validated), engine]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    heard, begun, whole, untouched, alive = json.loads(done.stdout)
    assert heard
    assert begun == whole == (threads if engine == "native" else 1)
    assert untouched
    assert alive == 1
