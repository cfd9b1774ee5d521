"""Loggers: what they write is read back by who reads such files, whatever ends the fit."""

from __future__ import annotations

import csv
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reseau as rs

X = np.linspace(-1, 1, 20).reshape(-1, 1)
T = X**2
PLAN = {"validation_data": (X[::2], T[::2]), "metrics": ("mae", "r2"), "optimizer": rs.Adam(rs.Cosine(0.01))}
COLUMNS = ["loss", "validation_loss", "mae", "r2", "learning_rate"]


def small(seed: int = 0) -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), seed=seed)


def told(history: rs.History) -> list[list[float]]:
    columns = [history.loss, history.validation_loss, *history.metrics.values(), history.learning_rate]
    return [list(row) for row in zip(*columns, strict=True)]


def fail_at(epoch: int):
    def fail(history: rs.History) -> None:
        if history.epochs == epoch:
            raise KeyboardInterrupt

    return fail


# --- CSV ----------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[list[float]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", *COLUMNS]
    assert [row[0] for row in rows] == [str(epoch) for epoch in range(1, len(rows) + 1)]
    return [[float(cell) for cell in row[1:]] for row in rows]


def test_a_csv_file_has_each_epoch_s_numbers_to_the_last_digit(tmp_path):
    logger = rs.CSVLogger(tmp_path / "log.csv")
    for epochs in (5, 2):  # each fit writes it anew
        history = small().fit(X, T, epochs=epochs, callback=logger, **PLAN)
        assert read(tmp_path / "log.csv") == told(history)


def test_a_row_is_there_as_soon_as_its_epoch_is_over(tmp_path):
    seen = []
    path = tmp_path / "log.csv"
    look = lambda history: seen.append(len(path.read_text("utf-8").splitlines()))  # noqa: E731
    small().fit(X, T, epochs=3, callback=[rs.CSVLogger(path), look])
    assert seen == [2, 3, 4]


def test_a_fit_taken_up_writes_its_earlier_epochs_too(tmp_path):
    path = tmp_path / "log.csv"
    plan = {**PLAN, "epochs": 6, "checkpoint": tmp_path / "run", "checkpoint_every": 2}
    with pytest.raises(KeyboardInterrupt):
        small().fit(X, T, callback=[rs.CSVLogger(str(path)), fail_at(5)], **plan)
    assert len(read(path)) == 5
    history = small().fit(X, T, callback=rs.CSVLogger(path), **plan)
    assert read(path) == told(history)
    assert history.epochs == 6


def test_names_of_metrics_are_quoted_where_they_have_to_be(tmp_path):
    def own(T, O):
        return 1.0

    own.__name__ = 'a,"b"'
    small().fit(X, T, epochs=1, metrics=own, callback=rs.CSVLogger(tmp_path / "log.csv"))
    with open(tmp_path / "log.csv", encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["epoch", "loss", 'a,"b"', "learning_rate"]


def test_a_diverged_epoch_is_written_too(tmp_path):
    with pytest.warns(RuntimeWarning, match="diverged"):
        history = small().fit(
            X, T * 1e30, optimizer=rs.SGD(1e3), epochs=50, callback=rs.CSVLogger(tmp_path / "log.csv")
        )
    assert len(pd.read_csv(tmp_path / "log.csv")) == history.epochs


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (3, "^path is 3, but must be the path of a file"),
        ("", "^path is ''"),
        (".", r"^path is '\.', which is a folder; name a file in it"),
        ("none/log.csv", "^path is 'none/log.csv', but there is no folder 'none'"),
    ],
)
def test_what_is_no_file_is_refused_at_once(path, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rs.ParameterError, match=words):
        rs.CSVLogger(path)
    assert list(tmp_path.iterdir()) == []


def test_a_logger_of_one_fit_is_not_lent_to_another(tmp_path):
    logger = rs.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(rs.ReseauError, match="This CSVLogger is logging another fit; give each a logger of its own"):
        small().fit(X, T, callback=[logger, logger])
    history = small().fit(X, T, epochs=2, callback=logger, **PLAN)  # it is free again
    assert read(tmp_path / "log.csv") == told(history)


def test_many_networks_have_a_file_each(tmp_path):
    paths = [tmp_path / f"{place}.csv" for place in range(3)]
    nets = [small(seed) for seed in range(3)]
    histories = rs.fit_many(nets, X, T, epochs=3, callback=[rs.CSVLogger(path) for path in paths], **PLAN)
    assert [read(path) for path in paths] == [told(history) for history in histories]


# --- TensorBoard --------------------------------------------------------------------------------------------------


def events(folder: Path) -> list[tuple[int, str, float]]:
    """(step, tag, value) of all scalars in a folder, as the format of TensorFlow's records has them."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.iterdir()):
        raw, place = path.read_bytes(), 0
        while place < len(raw):
            (length,) = struct.unpack_from("<Q", raw, place)
            event = Event.FromString(raw[place + 12 : place + 12 + length])
            place += 16 + length  # the length, its checksum, the event, its checksum
            if event.HasField("session_log"):
                found = [entry for entry in found if entry[0] < event.step]
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return found


def expected(history: rs.History) -> list[tuple[int, str, float]]:
    return [
        (epoch, name, float(np.float32(value)))
        for epoch, row in enumerate(told(history), start=1)
        for name, value in zip(COLUMNS, row, strict=True)
    ]


def test_tensorboard_finds_each_epoch_s_numbers(tmp_path):
    pytest.importorskip("tensorboardX")
    history = small().fit(X, T, epochs=4, callback=rs.TensorBoardLogger(tmp_path / "new" / "run"), **PLAN)
    assert events(tmp_path / "new" / "run") == expected(history)


def test_tensorboard_forgets_what_came_after_the_checkpoint(tmp_path):
    pytest.importorskip("tensorboardX")
    folder = tmp_path / "board"
    plan = {**PLAN, "epochs": 6, "checkpoint": tmp_path / "run", "checkpoint_every": 2}
    with pytest.raises(KeyboardInterrupt):
        small().fit(X, T, callback=[rs.TensorBoardLogger(folder), fail_at(5)], **plan)
    assert events(folder)[-1][0] == 5
    for path in folder.iterdir():  # the names tell of the second
        path.rename(folder / f"0{path.name}")
    history = small().fit(X, T, callback=rs.TensorBoardLogger(folder), **plan)
    found = events(folder)
    assert sorted(found) == sorted(expected(history))


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("")
    with pytest.raises(rs.ParameterError, match="which is a file; name a folder"):
        rs.TensorBoardLogger(tmp_path / "file")
    with pytest.raises(rs.ParameterError, match="is 3, but must be the path"):
        rs.TensorBoardLogger(3)


# --- MLflow -------------------------------------------------------------------------------------------------------


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    found = pytest.importorskip("mlflow")
    found.set_tracking_uri((tmp_path / "runs").as_uri())
    found.set_experiment("tests")
    yield found
    while found.active_run() is not None:
        found.end_run()


def runs(mlflow):
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("tests")
    return client, client.search_runs([experiment.experiment_id])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_mlflow_has_a_run_with_each_epoch_s_numbers(mlflow):
    net = small()
    history = net.fit(X, T, epochs=3, callback=rs.MLflowLogger("first"), **PLAN)
    client, (run,) = runs(mlflow)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    assert run.data.tags["network"] == repr(net)
    for name, values in zip(COLUMNS, np.array(told(history)).T.tolist(), strict=True):
        kept = client.get_metric_history(run.info.run_id, name)
        assert [(metric.step, metric.value) for metric in kept] == list(enumerate(values, start=1))
    assert mlflow.active_run() is None


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_an_active_run_of_mlflow_is_used_and_left_active(mlflow):
    with mlflow.start_run() as outer:
        small().fit(X, T, epochs=2, callback=rs.MLflowLogger())
        assert mlflow.active_run().info.run_id == outer.info.run_id
    client, (run,) = runs(mlflow)
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "loss")] == [1, 2]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_run_of_mlflow_says_how_the_fit_ended(mlflow):
    with pytest.raises(KeyboardInterrupt):
        small().fit(X, T, epochs=3, callback=[rs.MLflowLogger("killed"), fail_at(2)])
    with pytest.warns(RuntimeWarning, match="diverged"):
        small().fit(X, T * 1e30, optimizer=rs.SGD(1e3), epochs=50, callback=rs.MLflowLogger("failed"))
    small().fit(X, T, epochs=9, callback=[rs.MLflowLogger("finished"), lambda history: True])
    assert {run.info.run_name: run.info.status.lower() for run in runs(mlflow)[1]} == {
        name: name for name in ("killed", "failed", "finished")
    }


@pytest.mark.parametrize(
    ("make", "package", "extra"),
    [
        (lambda: rs.TensorBoardLogger("folder"), "tensorboardX", "tensorboard"),
        (lambda: rs.MLflowLogger(), "mlflow", "mlflow"),
    ],
)
def test_a_missing_package_is_said_with_the_way_to_have_it(make, package, extra, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == package else find(name, *a))
    with pytest.raises(rs.ReseauError, match=rf"needs {package}; install it with: pip install 'reseau\[{extra}\]'"):
        make()
