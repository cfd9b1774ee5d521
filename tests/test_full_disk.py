"""A full disk: whatever is written is an error that names the file, and what was there stays as it was."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.training.checkpoints import NAME

PENGUINS = Path(__file__).parents[1] / "examples" / "penguins.csv"
SIZE = 64 << 10  # bytes; a model of 20,000 parameters takes more


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system in memory, nearly full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no mount")
    if done.returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def network() -> rs.Network:
    return rs.Network(rs.Dense(200, "tanh"), rs.Dense(2), inputs=100, seed=0)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "net.reseau": lambda path: network().save(path),
    "net.c": lambda path: network().to_c(path),
    "net.py": lambda path: rs.to_python(network(), path),
    "net.onnx": lambda path: rs.to_onnx(network(), path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_does_not_fit_is_named_and_the_old_one_stays(disk: Path, name: str) -> None:
    path = disk / name
    path.write_text("what was there")
    with pytest.raises(OSError, match=name) as raised:
        WRITERS[name](path)
    assert raised.value.errno == errno.ENOSPC
    assert path.read_text() == "what was there"
    assert [other.name for other in disk.iterdir()] == [name]


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(disk: Path) -> None:
    X, Y = np.ones((8, 20)), np.ones((8, 2))

    def fit(net: rs.Network, epochs: int) -> None:
        net.fit(X, Y, epochs=epochs, optimizer=rs.Adam(), checkpoint=disk)

    def fill(history: rs.History) -> None:
        (disk / "other").write_bytes(bytes(SIZE // 2))

    net = rs.Network(rs.Dense(90, "tanh"), rs.Dense(2), seed=0)  # 25 kB with the optimizer's state
    with pytest.raises(OSError, match=NAME) as raised:
        net.fit(X, Y, epochs=4, optimizer=rs.Adam(), checkpoint=disk, callback=fill)
    assert raised.value.errno == errno.ENOSPC
    assert sorted(other.name for other in disk.iterdir()) in (["other"], [NAME, "other"])
    if (disk / NAME).exists():
        rs.load(disk / NAME)
    (disk / "other").unlink()
    resumed, whole = (rs.Network(rs.Dense(90, "tanh"), rs.Dense(2), seed=0) for _ in range(2))
    fit(resumed, 4)
    whole.fit(X, Y, epochs=4, optimizer=rs.Adam())
    assert resumed.parameters.tobytes() == whole.parameters.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["train", str(PENGUINS), "--target", "species", "--layers", "200,100", "--epochs", "1", "-q", "-o", "m.reseau"],
        ["export", "MODEL", "m.c"],
        ["export", "MODEL", "m.py"],
        ["predict", "MODEL", str(PENGUINS), "-o", "m.csv"],
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-1:]),
)
def test_a_command_says_that_the_disk_is_full(disk: Path, tmp_path: Path, arguments: list[str]) -> None:
    model = tmp_path / "model.reseau"
    rs.TableModel.train(PENGUINS, "species", layers=(200, 100), preset="fast", epochs=1).save(model)
    (disk / "other").write_bytes(bytes(SIZE - 8192))
    arguments = [str(model) if word == "MODEL" else word for word in arguments]
    command = [sys.executable, "-m", "reseau", *arguments]
    done = subprocess.run(command, cwd=disk, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(f"Error: {arguments[-1]}: no space left on device.")
    assert [other.name for other in disk.iterdir()] == ["other"]
