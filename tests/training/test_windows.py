"""Fits on rows that stay on disk: each row once an epoch, the order by the seed alone, the bytes of fits in memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseau as rs
from reseau.engine.order import permutation, row_order
from reseau.errors import DataError, ParameterError
from reseau.stored.converted import Converted
from reseau.stored.rows import Block
from reseau.training import windows
from reseau.training.windows import Windows

ROWS, NAMES = 500, ["a", "b", "c"]
rng = np.random.default_rng(1)
X = rng.normal(size=(ROWS, 3))
Y = np.column_stack([X @ [1.0, -2.0, 0.5], np.arange(ROWS) / ROWS])
LABELS = (X @ [1.0, 1.0, 1.0] > 0).astype(np.int64)
TABLE = pa.table({**dict(zip(NAMES, X.T, strict=True)), "y": Y[:, 0], "place": Y[:, 1], "label": LABELS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts")
    for part in range(2):  # row groups of 100, 100, 50
        pq.write_table(TABLE.slice(250 * part, 250), path / f"part-{part}.parquet", row_group_size=100)
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of some 130 rows, which end in the midst of groups."""
    monkeypatch.setattr(windows, "WINDOW", 2600)


def rows(folder: Path, targets: Any = ("y", "place")) -> rs.ArrowRows:
    return rs.ArrowRows(folder, targets if isinstance(targets, str) else list(targets), inputs=NAMES)


def network(engine: str | None = None, seed: int = 3, outputs: int = 2) -> rs.Network:
    return rs.Network(rs.Dense(7, "tanh", dropout=0.2), rs.Dense(outputs, "identity"), seed=seed, engine=engine)


def order_of(stored: rs.ArrowRows, seed: int, epoch: int, in_a_step: int) -> tuple[list[float], list[int]]:
    """The places of the rows as an epoch has them, and how many each window has."""
    looked_through = Windows(stored, lambda y: np.asarray(y, np.float32), np.dtype(np.float32))
    made = looked_through.runs(epoch, in_a_step)
    parts = [
        window.T[row_order(window.rows, seed, run), 1]
        for run, window in enumerate(looked_through._windows(seed, epoch, True, in_a_step), start=made)
    ]
    assert looked_through.runs(1, in_a_step) == len(parts)
    return np.round(np.concatenate(parts) * ROWS).astype(int).tolist(), [len(part) for part in parts]


@pytest.mark.usefixtures("small")
def test_an_epoch_takes_each_row_once_in_an_order_of_its_own(folder: Path) -> None:
    orders = {(seed, epoch): order_of(rows(folder), seed, epoch, 16) for seed in (0, 1) for epoch in range(3)}
    for order, sizes in orders.values():
        assert sorted(order) == list(range(ROWS))
        assert len(sizes) > 3
        assert all(size % 16 == 0 for size in sizes[:-1])
    assert len({tuple(order) for order, _ in orders.values()}) == len(orders)
    assert order_of(rows(folder), 1, 2, 16) == orders[1, 2]


def test_all_rows_are_shuffled_where_a_window_holds_them(folder: Path) -> None:
    order, sizes = order_of(rows(folder), 0, 0, 16)
    assert len(sizes) == 1
    # Of a shuffle the mean distance between neighbours is a third of all; 6 standard errors away is chance no more.
    distance = np.abs(np.diff(order)) / ROWS
    assert abs(distance.mean() - 1 / 3) < 6 * distance.std() / np.sqrt(ROWS)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 1000])
def test_a_permutation_has_each_place_once(n: int) -> None:
    assert sorted(permutation(n, 7, 3).tolist()) == list(range(n))
    if n == 1000:
        assert permutation(n, 7, 3).tolist() != permutation(n, 7, 4).tolist() != permutation(n, 3, 7).tolist()


def test_all_permutations_of_few_places_are_about_as_frequent() -> None:
    counts = np.unique([permutation(4, seed, 1) @ [64, 16, 4, 1] for seed in range(4800)], return_counts=True)[1]
    assert len(counts) == 24
    assert ((counts - 200) ** 2 / 200).sum() < 60  # χ² of 23 degrees of freedom, which is above in 4 of 100,000 cases


OPTIONS: list[dict[str, Any]] = [
    {},
    {"optimizer": rs.Adam(rs.Cosine(0.01, warmup=0.1)), "accumulate": 2},
    {"optimizer": rs.SGD(0.05, momentum=0.9), "average": 0.9, "l2": 0.01, "output_weights": [1, 2]},
    {"batch_size": 333, "clip_norm": 0.1},
]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "default")
def test_in_the_order_of_the_files_it_is_the_fit_of_the_same_rows_in_memory(
    folder: Path, engine: str, options: dict[str, Any]
) -> None:
    given = {"epochs": 3, "shuffle": False, "optimizer": rs.Adam(0.01), **options}
    here, there = network(engine), network(engine)
    expected, history = here.fit(X, Y, **given), there.fit(rows(folder), **given)
    assert there.parameters.tobytes() == here.parameters.tobytes()
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)  # a sum in another order
    assert history.learning_rate == expected.learning_rate


class Weighted(rs.ArrowRows):
    """Rows of which each counts by the input c."""

    def blocks(self, group: int) -> Iterator[Block]:
        for block in super().blocks(group):
            yield Block(block.columns, block.y, np.abs(block.columns[2]))

    @property
    def weight(self) -> float:
        return float(np.abs(X[:, 2]).sum())


@pytest.mark.usefixtures("small")
def test_rows_that_count_differently_are_learned_as_in_memory(folder: Path, engine: str) -> None:
    given: dict[str, Any] = {"epochs": 3, "shuffle": False, "optimizer": rs.Adam(0.01), "accumulate": 2}
    here, there = network(engine), network(engine)
    expected = here.fit(X, Y, sample_weight=np.abs(X[:, 2]), **given)
    history = there.fit(Weighted(folder, ["y", "place"], inputs=NAMES), **given)
    assert there.parameters.tobytes() == here.parameters.tobytes()
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)  # a sum in another order


NO_ROOM: dict[str, Any] = {
    "less than twice": lambda patch: patch.setattr(
        shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 0)
    ),
    "full at once": lambda patch: patch.setattr(Converted, "write", lambda *arguments: False),
    "full meanwhile": lambda patch: patch.setattr(Converted, "write", lambda self, group, *rows: group < 3),
    "no folder": lambda patch: patch.setattr(tempfile, "tempdir", "/nowhere/at/all"),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("how", NO_ROOM)
def test_files_are_unpacked_once_but_where_the_disk_has_no_room_to_the_same_bytes(
    folder: Path, engine: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    real = rs.ArrowRows.blocks

    def blocks(*arguments: Any) -> Any:
        nonlocal read
        read += 1
        return real(*arguments)

    monkeypatch.setattr(rs.ArrowRows, "blocks", blocks)
    here, there = network(engine), network(engine)
    here.fit(rows(folder), epochs=3)
    assert read == 6  # groups
    NO_ROOM[how](monkeypatch)
    there.fit(rows(folder), epochs=3)
    assert read == 6 + 4 * 6
    assert there.parameters.tobytes() == here.parameters.tobytes()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_is_written_anew_meanwhile_is_noticed(tmp_path: Path, engine: str, gone: bool) -> None:
    for part in range(2):
        pq.write_table(TABLE.slice(250 * part, 250), tmp_path / f"part-{part}.parquet", row_group_size=100)
    two, net, stored = network(engine), network(engine), rows(tmp_path)
    two.fit(stored, epochs=2)

    def spoil(history: rs.History) -> None:
        if history.epochs == 2:
            (tmp_path / "part-1.parquet").unlink()
        if history.epochs == 2 and not gone:
            pq.write_table(TABLE.slice(0, 250), tmp_path / "part-1.parquet", row_group_size=100)

    with pytest.raises(DataError, match=r"part-1.parquet was written anew or removed since it was opened"):
        net.fit(stored, epochs=4, callback=spoil)
    assert net.parameters.tobytes() == two.parameters.tobytes()


@pytest.mark.usefixtures("small")
def test_a_shuffled_epoch_is_a_fit_of_the_rows_in_that_order(folder: Path, engine: str) -> None:
    here, there = network(engine), network(engine)
    there.build(3)
    drawn = np.random.default_rng()
    drawn.bit_generator.state = there.generator_state
    order = order_of(rows(folder), int(drawn.integers(2**63)), 0, 32)[0]
    there.fit(rows(folder), epochs=1)
    here.fit(X[order], Y[order], epochs=1, shuffle=False)
    assert there.parameters.tobytes() == here.parameters.tobytes()


@pytest.mark.usefixtures("small", "native")
def test_the_bytes_are_the_same_for_any_number_of_threads(folder: Path) -> None:
    found = []
    for threads in (1, 2, 3):
        net = network()
        net.fit(rows(folder), epochs=3, batch_size=128, threads=threads)
        found.append(net.parameters.tobytes())
    assert len(set(found)) == 1


@pytest.mark.usefixtures("small")
def test_validation_and_metrics_are_those_of_arrays(folder: Path, engine: str) -> None:
    net = rs.Network(rs.Dense(5), rs.Dense(2), loss="cross_entropy", seed=0, engine=engine)
    stored = rows(folder, "label")
    history = net.fit(stored, validation_data=stored, epochs=3, patience=5, metrics=("accuracy", "auc"))
    told = net.evaluate(X, LABELS, metrics=("accuracy", "auc"))
    best = history.best_epoch
    assert best is not None
    assert history.validation_loss[best - 1] == pytest.approx(told["loss"], rel=1e-6)
    assert history.metrics["accuracy"][best - 1] == told["accuracy"]
    assert history.metrics["auc"][best - 1] == pytest.approx(told["auc"], rel=1e-9)


@pytest.mark.usefixtures("small")
def test_fit_many_gives_each_network_the_bytes_of_a_fit_of_its_own(folder: Path) -> None:
    nets, alone = [network(seed=seed) for seed in range(3)], [network(seed=seed) for seed in range(3)]
    stored = rows(folder)
    each = [(stored, stored), (rows(folder, ("place", "y")), None), (stored, (X, Y))]
    histories = rs.fit_many(nets, [x for x, _ in each], epochs=2, threads=2, validation_data=[v for _, v in each])
    for net, other, history, (x, validation) in zip(nets, alone, histories, each, strict=True):
        assert other.fit(x, epochs=2, validation_data=validation).validation_loss == history.validation_loss
        assert net.parameters.tobytes() == other.parameters.tobytes()


class Cut(Exception):
    pass


@pytest.mark.usefixtures("small")
def test_an_epoch_that_cannot_be_read_to_its_end_has_not_taken_place(
    folder: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, two, calls = rows(folder), network(engine), 0
    two.fit(stored, epochs=2)
    real = rs.ArrowRows.blocks

    def blocks(self: rs.ArrowRows, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 6 + 2 * 6 + 5:  # the groups that are looked through, of two epochs, and most of the third
            raise Cut
        return real(self, *arguments)

    monkeypatch.setattr(rs.ArrowRows, "blocks", blocks)
    monkeypatch.setattr(Converted, "where_there_is_room", lambda *arguments: None)
    net = network(engine)
    with pytest.raises(Cut):
        net.fit(stored, epochs=4)
    assert net.parameters.tobytes() == two.parameters.tobytes()


@pytest.mark.usefixtures("small")
def test_a_fit_that_diverges_keeps_the_parameters_of_the_epoch_before(
    folder: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(engine)
    net.build(3)
    before = net.parameters.tobytes()
    message = (
        r"training has diverged: the loss is .* at step \d+ of epoch 1.* Rows are those of 250 that were looked at"
    )
    monkeypatch.setattr(windows, "LOOKED_AT", 300)
    with pytest.warns(RuntimeWarning, match=message):
        history = net.fit(rows(folder), optimizer=rs.SGD(1e6), epochs=3)
    assert history.diverged == 1
    assert net.parameters.tobytes() == before


def test_a_run_that_was_stopped_ends_with_the_bytes_of_one_that_was_not(
    folder: Path, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 2600)
    given = {"epochs": 5, "optimizer": rs.Adam(0.01), "average": 0.9, "validation_data": (X, Y)}
    whole, resumed = network(engine), network(engine)
    expected = whole.fit(rows(folder), **given)

    def stop(history: rs.History) -> None:
        if history.epochs == 2:
            raise Cut

    with pytest.raises(Cut):
        network(engine).fit(rows(folder), checkpoint=tmp_path, callback=stop, **given)
    history = resumed.fit(rows(folder), checkpoint=tmp_path, **given)
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()
    assert history.loss == expected.loss
    with pytest.raises(ParameterError, match="is of another training: its data are others"):
        network(engine).fit(rows(folder, ("place", "y")), checkpoint=tmp_path, **given)
    with pytest.raises(ParameterError, match="its data are others"):  # the same rows, but not in these groups
        network(engine).fit(rs.ArrowRows(TABLE, ["y", "place"], inputs=NAMES), checkpoint=tmp_path, **given)


TRAIN = """
import sys, reseau as rs
from reseau.training import windows
windows.WINDOW = 2600
folder, checkpoint, slow = sys.argv[1:]
net = rs.Network(rs.Dense(7, "tanh"), rs.Dense(1), seed=3)
wait = (lambda history: __import__("time").sleep(0.05)) if slow == "slow" else None
rows = rs.ArrowRows(folder, "y", inputs=["a", "b", "c"])
net.fit(rows, epochs=40, checkpoint=checkpoint or None, callback=wait)
print(net.parameters.tobytes().hex())
"""


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_bytes_of_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    def run(checkpoint: str) -> str:
        command = [sys.executable, "-c", TRAIN, str(folder), checkpoint, "fast"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    process = subprocess.Popen([sys.executable, "-c", TRAIN, str(folder), str(tmp_path), "slow"])
    file = tmp_path / "checkpoint.reseau"
    while process.poll() is None and not file.exists():
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert file.exists()
    assert run(str(tmp_path)) == run("")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"y": Y}, ParameterError, "y is given beside ArrowRows"),
        ({"sample_weight": np.ones(ROWS)}, ParameterError, "sample_weight is given beside ArrowRows"),
        ({"dy": np.ones((ROWS, 2, 3))}, ParameterError, "dy is given beside ArrowRows"),
        ({"optimizer": "lm"}, ParameterError, "LevenbergMarquardt takes all rows at once"),
        ({"validation_data": (X[:, :2], Y)}, DataError, "validation X has 2 columns"),
    ],
)
def test_what_rows_on_disk_do_not_go_with_is_refused(
    folder: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    net = network()
    with pytest.raises(error, match=message):
        net.fit(rows(folder), **options)
    assert not net.built


def test_columns_that_will_hardly_be_learnt_are_said_by_name(folder: Path) -> None:
    table = TABLE.set_column(1, "b", pa.array(X[:, 1] * 1e6))
    with pytest.warns(UserWarning, match=r"columns are on wildly different scales: .*'b'"):
        network().fit(rs.ArrowRows(table, ["y", "place"], inputs=NAMES), epochs=1)
