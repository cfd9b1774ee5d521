"""Checkpoints: a run that was stopped anywhere ends with the bytes of one that never was."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.files import model_file
from reseau.training.checkpoints import NAME, Checkpoints

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(90, 5)), rng.normal(size=(90, 2))
X_VAL, Y_VAL = rng.normal(size=(30, 5)), rng.normal(size=(30, 2))


class Stop(Exception):
    pass


def network(engine: str | None = None, seed: int | None = 3, dtype: str = "float32") -> rs.Network:
    layers = (rs.Dense(9, "tanh", dropout=0.2), rs.Dense(2, "identity"))
    return rs.Network(*layers, seed=seed, dtype=dtype, engine=engine)


def fit(net: rs.Network, stop_at: int | None = None, **options: Any) -> rs.History:
    def stop(history: rs.History) -> None:
        if history.epochs == stop_at:
            raise Stop

    settings = {
        "optimizer": rs.Adam(0.01),
        "epochs": 12,
        "batch_size": 16,
        "callback": None if stop_at is None else stop,
    }
    return net.fit(X, Y, **{**settings, **options})


OPTIONS = [
    {},
    {"optimizer": rs.SGD(0.05, momentum=0.9, nesterov=True), "l2": 0.1},
    {"optimizer": rs.RMSprop(0.01), "shuffle": False},
    {"validation_data": (X_VAL, Y_VAL), "keep_best": True, "optimizer": rs.Adam(0.1)},
    {"checkpoint_every": 4},
    {"sample_weight": np.linspace(0, 2, 90)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "default")
def test_a_run_that_was_stopped_ends_with_the_bytes_of_one_that_was_not(
    engine: str, tmp_path: Path, options: dict[str, Any]
) -> None:
    whole = network(engine)
    expected = fit(whole, **{k: v for k, v in options.items() if k != "checkpoint_every"})
    for stop_at in (3, 8):
        with pytest.raises(Stop):
            fit(network(engine), stop_at, checkpoint=tmp_path, **options)
    resumed = network(engine)
    history = fit(resumed, checkpoint=tmp_path, **options)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()
    assert history.loss == expected.loss
    assert history.validation_loss == expected.validation_loss
    assert history.best_epoch == expected.best_epoch
    again = network(engine)
    assert fit(again, checkpoint=tmp_path, **options).loss == expected.loss  # it is over: nothing is trained
    assert again.parameters.tobytes() == whole.parameters.tobytes()


def test_what_comes_after_a_resumed_run_is_the_same_too(tmp_path: Path) -> None:
    whole, resumed = network(), network()
    fit(whole)
    with pytest.raises(Stop):
        fit(network(), 5, checkpoint=tmp_path)
    fit(resumed, checkpoint=tmp_path)
    fit(whole)
    fit(resumed)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()


def test_bfloat16_and_float64_are_resumed(tmp_path: Path) -> None:
    for place, options in enumerate(({"precision": "bf16"}, {"dtype": "float64"})):
        make = {"dtype": options.pop("dtype", "float32")}
        whole, resumed, folder = network(**make), network(**make), tmp_path / str(place)
        fit(whole, **options)
        with pytest.raises(Stop):
            fit(network(**make), 5, checkpoint=folder, **options)
        fit(resumed, checkpoint=folder, **options)
        assert resumed.parameters.tobytes() == whole.parameters.tobytes()


def test_the_network_of_a_checkpoint_can_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        fit(network(), 5, checkpoint=tmp_path)
    five = network()
    fit(five, epochs=4)  # the fifth epoch's callback stopped it before that was written
    loaded = rs.load(tmp_path / NAME)
    np.testing.assert_array_equal(loaded.parameters, five.parameters)


def test_the_best_weights_come_back(engine: str) -> None:
    losses: list[float] = []
    kept: list[bytes] = []
    net = network(engine)

    def note(history: rs.History) -> None:
        losses.append(history.validation_loss[-1])
        kept.append(net.parameters.tobytes())

    history = fit(net, validation_data=(X_VAL, Y_VAL), keep_best=True, callback=note, optimizer=rs.Adam(0.1))
    assert history.best_epoch == int(np.argmin(losses)) + 1
    assert net.parameters.tobytes() == kept[history.best_epoch - 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 17}, "its batch_size is 16, but now it is 17"),
        ({"optimizer": rs.Adam(0.02)}, "its optimizer.learning_rate is"),
        ({"epochs": 13}, "its epochs is 12, but now it is 13"),
        ({"l2": 0.5}, "its l2 is"),
        ({"shuffle": False}, "its shuffle is"),
        ({"sample_weight": np.ones(90)}, "its data are others"),
    ],
)
def test_another_run_s_checkpoint_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    fit(network(), checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match=message):
        fit(network(), checkpoint=tmp_path, **change)


def test_another_seed_or_network_is_refused(tmp_path: Path) -> None:
    fit(network(), checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match="its seed is 3, but now it is 4"):
        fit(network(seed=4), checkpoint=tmp_path)
    with pytest.raises(rs.ParameterError, match=r"its network\.dtype is"):
        fit(network(dtype="float64"), checkpoint=tmp_path)


def test_bad_places_and_numbers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(rs.ParameterError, match="which is a file; name a folder"):
        fit(network(), checkpoint=file)
    with pytest.raises(rs.ParameterError, match="checkpoint_every is 0"):
        fit(network(), checkpoint=tmp_path, checkpoint_every=0)
    with pytest.raises(rs.ParameterError, match="keep_best=True needs validation_data"):
        fit(network(), keep_best=True)
    network_file = tmp_path / "other" / NAME
    network_file.parent.mkdir()
    rs.Network(rs.Dense(1), inputs=2).save(network_file)
    with pytest.raises(rs.ParameterError, match="is no checkpoint"):
        fit(network(), checkpoint=network_file.parent)
    network_file.write_bytes(network_file.read_bytes()[:-3])
    with pytest.raises(rs.ModelFileError):
        fit(network(), checkpoint=network_file.parent)


DAMAGES: dict[str, Any] = {
    "run": [None, "x", [1]],
    "generator": [None, 5, {"a": 1}],
    "seed": [None, "x", -1, 0.5],
    "steps": [None, "x", -1],
    "epochs": [None, [], 0, 2, 1e300],
    "seconds": [None, "x"],
    "best_epoch": ["x", 99],
    "finished": [None, 1],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_checkpoint_with_a_damaged_description_is_refused_and_the_network_stays_as_it_was(
    name: str, tmp_path: Path
) -> None:
    fit(network(), checkpoint=tmp_path)
    path = tmp_path / NAME
    description, tensors = model_file.read(path)
    without = {key: value for key, value in description.items() if key != name}
    for damaged in [without, *({**description, name: value} for value in DAMAGES[name])]:
        model_file.write(path, damaged, tensors)
        net = network()
        net.build(5)
        before, state = net.parameters.copy(), net.generator_state
        with pytest.raises(rs.ModelFileError, match=r"cannot be gone on from.*delete that file"):
            fit(net, checkpoint=tmp_path)
        assert np.array_equal(net.parameters, before)
        assert net.generator_state == state


@pytest.mark.parametrize("tensor", ["parameters", "state.0", "history.loss", "history.validation_loss"])
def test_a_checkpoint_that_lacks_numbers_is_refused(tensor: str, tmp_path: Path) -> None:
    fit(network(), checkpoint=tmp_path)
    description, tensors = model_file.read(tmp_path / NAME)
    short = tensors[tensor][:-1] if len(tensors[tensor]) else np.zeros(1)
    for damaged in ({key: value for key, value in tensors.items() if key != tensor}, {**tensors, tensor: short}):
        model_file.write(tmp_path / NAME, description, damaged)
        with pytest.raises(rs.ModelFileError, match="cannot be gone on from"):
            fit(network(), checkpoint=tmp_path)


SCRIPT = """
import sys, numpy as np, reseau as rs
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(200, 8)), rng.normal(size=(200, 3))
rs.Network(rs.Dense(3)).fit(X, Y, epochs=1, checkpoint=sys.argv[1] + "-other")  # imports what it takes
net = rs.Network(rs.Dense(20, "relu"), rs.Dense(3), seed=1)
print("ready", flush=True)
net.fit(X, Y, epochs=int(sys.argv[2]), batch_size=32, checkpoint=sys.argv[1], checkpoint_every=2)
print(net.parameters.tobytes().hex())
"""
LONGEST_LIFE = 0.05  # seconds from the beginning of the training


def test_weights_that_are_not_finite_are_neither_kept_nor_gone_on_from(tmp_path: Path) -> None:
    net = network()
    fit(net, epochs=2, checkpoint=tmp_path)
    before = (tmp_path / NAME).read_bytes()
    checkpoints = Checkpoints(tmp_path, model_file.read(tmp_path / NAME)[0]["run"], net.architecture)
    for kept in ("parameters", "best"):
        snapshot = checkpoints.read(net.dtype, 2)
        assert snapshot is not None
        spoilt = snapshot.parameters.copy()
        spoilt[-1] = np.nan  # the last bias
        with pytest.raises(rs.ReseauError, match=r"layer 2 has parameters that are not finite .* b\[1\] = nan"):
            checkpoints.write(dataclasses.replace(snapshot, **{kept: spoilt}))
    assert (tmp_path / NAME).read_bytes() == before
    description, tensors = model_file.read(tmp_path / NAME)
    tensors["parameters"][0] = np.inf
    model_file.write(tmp_path / NAME, description, tensors)
    resumed = network()
    with pytest.raises(rs.ModelFileError, match="cannot be gone on from: its parameters are not all finite"):
        fit(resumed, checkpoint=tmp_path, epochs=2)


def killed_again_and_again(folder: Path, times: int, epochs: int) -> str:
    """Run the script, killing it at random moments of its training, and then to its end; what it prints."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(epochs)]
    random = np.random.default_rng(7)
    reached = [0]
    for _ in range(times):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(float(random.uniform(0, LONGEST_LIFE)))
            assert process.poll() is None, "the training ended before it was killed; give it more epochs"
            process.send_signal(signal.SIGKILL)
        if (folder / NAME).exists():
            rs.load(folder / NAME)  # raises if it is not whole
            reached.append(model_file.read_header(folder / NAME).description["epochs"])
    assert reached == sorted(reached)  # no kill loses what was there
    assert times == 0 or len(set(reached)) > times // 3  # and they came while there was something to lose
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_killed_at_any_moment_it_can_always_go_on_to_the_same_end(tmp_path: Path) -> None:
    times = int(os.environ.get("RESEAU_KILLS", "10"))
    epochs = 100 * (times + 10)
    killed = killed_again_and_again(tmp_path / "killed", times, epochs)
    assert killed == killed_again_and_again(tmp_path / "whole", 0, epochs)
    assert [path.name for path in (tmp_path / "killed").iterdir()] == [NAME]  # nothing half-written is left
