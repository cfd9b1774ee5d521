"""Rows as they are learned from, in a temporary file: read as they were written, where there is room."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reseau.stored import converted
from reseau.stored.converted import Converted

GROUPS = [7, 1, 12]
rng = np.random.default_rng(0)
X = [rng.normal(size=(rows, 3)).astype(np.float32) for rows in GROUPS]
Y = [rng.integers(0, 9, rows) for rows in GROUPS]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def written() -> Converted:
    found = Converted.where_there_is_room(GROUPS, (X[0], Y[0]))
    assert found is not None
    for group in (2, 0, 1):
        for first in range(0, GROUPS[group], 5):
            rows = slice(first, first + 5)
            assert found.write(group, first, X[group][rows], Y[group][rows])
    return found


@pytest.mark.usefixtures("there")
def test_any_rows_of_a_group_are_read_as_they_were_written() -> None:
    found = written()
    for group, rows in enumerate(GROUPS):
        for first in range(rows):
            for last in range(first + 1, rows + 1):
                x, y = np.empty((last - first, 3), np.float32), np.empty(last - first, np.int64)
                found.read(group, first, x, y)
                assert x.tobytes() == X[group][first:last].tobytes()
                assert y.tobytes() == Y[group][first:last].tobytes()


def test_nobody_sees_the_file_and_it_goes_with_the_object(there: Path) -> None:
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    found = written()
    assert list(there.iterdir()) == []
    assert pickle.loads(pickle.dumps(found)) is None
    del found
    gc.collect()
    assert (os.listdir("/proc/self/fd") if before else []) == before


@pytest.mark.usefixtures("there")
def test_a_file_that_is_cut_short_is_an_error() -> None:
    found = written()
    os.ftruncate(found._file.fileno(), 100)
    with pytest.raises(OSError, match="was cut short"):
        found.read(2, 0, np.empty((12, 3), np.float32), np.empty(12, np.int64))


def test_there_is_none_where_less_than_twice_its_size_is_free(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(GROUPS) * (3 * 4 + 8)
    for free, enough in ((2 * size, True), (2 * size - 1, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, free=free: shutil._ntuple_diskusage(1 << 40, 0, free))
        assert (Converted.where_there_is_room(GROUPS, (X[0], Y[0])) is not None) == enough


def test_there_is_none_in_a_folder_that_is_in_memory(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not converted._is_in_memory(str(there)) or there.is_relative_to("/dev/shm")
    if not os.path.ismount("/dev/shm") or not os.access("/dev/shm", os.W_OK):
        pytest.skip("no /dev/shm")
    assert converted._is_in_memory("/dev/shm")
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    assert Converted.where_there_is_room(GROUPS, (X[0], Y[0])) is None


@pytest.mark.usefixtures("there")
def test_a_disk_that_is_full_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = written()

    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    assert not found.write(0, 0, X[0], Y[0])
