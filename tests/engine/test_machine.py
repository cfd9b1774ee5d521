"""How many threads there are to be: those asked for, the environment's, the processors, their quotas."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import threadpoolctl

import reseau as rs
from reseau.engine import machine


@pytest.fixture
def eight_processors(monkeypatch):
    """Processors without a quota, and nothing said about threads."""
    for name in ("RESEAU_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "_quota", lambda: machine.MOST_THREADS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def test_threads_are_those_asked_for_then_the_environment_s_then_the_processors(monkeypatch, eight_processors):
    monkeypatch.setenv("RESEAU_THREADS", "3")
    assert machine.threads(5) == 5
    assert machine.threads() == 3
    monkeypatch.delenv("RESEAU_THREADS")
    assert machine.threads() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5})  # a moment later
    assert machine.threads() == 1


@pytest.mark.parametrize(
    ("value", "threads"),
    [
        ("4", 4),
        (" 4 ", 4),
        ("4,2", 4),
        ("4,2,1", 4),
        ("16", 8),
        *((v, 8) for v in ["", "0", "-1", "four", "1.5", ",2"]),
    ],
)
def test_openmp_s_variable_bounds_the_threads_and_what_is_no_number_in_it_does_not(
    monkeypatch, eight_processors, value, threads
):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert machine.threads() == threads
    monkeypatch.setenv("RESEAU_THREADS", "6")
    assert machine.threads() == 6


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", " ", "²"])
def test_a_number_of_threads_in_the_environment_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("RESEAU_THREADS", value)
    with pytest.raises(rs.ParameterError, match=r"RESEAU_THREADS is .* must be a whole number of at least 1"):
        machine.threads()


def test_no_number_of_threads_is_too_large_for_the_kernels(engine):
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, engine=engine)
    assert net([[1.0]], threads=10**20) == net([[1.0]], threads=1)


HOST_PATH = "/docker/0123abc"
V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/cpu"


def kernel_shows(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A root directory with /proc/self/cgroup and some files."""
    for name, content in {"proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("content", "processors"),
    [("200000 100000\n", 2), ("50000 100000\n", 1), ("150000 100000\n", 2), ("max 100000\n", machine.MOST_THREADS)],
)
def test_a_container_s_quota_bounds_the_threads(tmp_path, content, processors):
    assert machine._quota(kernel_shows(tmp_path, "0::/\n", {f"{V2}/cpu.max": content})) == processors


@pytest.mark.parametrize(
    ("quota", "period", "processors"),
    [("400000", "100000", 4), ("125000", "50000", 3), ("1000", "100000", 1), ("-1", "100000", machine.MOST_THREADS)],
)
@pytest.mark.parametrize("path", ["/", HOST_PATH])
def test_a_quota_of_the_first_version_of_control_groups_bounds_the_threads(tmp_path, quota, period, processors, path):
    # Docker mounts the container's group where the outermost one is; the path may all the same be that on the host.
    files = {f"{V1}/cpu.cfs_quota_us": quota + "\n", f"{V1}/cpu.cfs_period_us": period + "\n"}
    root = kernel_shows(tmp_path, f"12:cpuset:/\n4:cpu,cpuacct:{path}\n1:name=systemd:/a:b\n0::/\n", files)
    assert machine._quota(root) == processors


@pytest.mark.parametrize(
    ("outer", "inner", "own", "processors"),
    [("max", "300000", "max", 3), ("200000", "300000", "max", 2), ("max", "300000", "100000", 1)],
)
def test_the_least_quota_from_the_process_s_group_outwards_counts(tmp_path, outer, inner, own, processors):
    files = {
        f"{V2}/pod/cpu.max": f"{outer} 100000\n",
        f"{V2}/pod/job/cpu.max": f"{inner} 100000\n",
        f"{V2}/pod/job/step/cpu.max": f"{own} 100000\n",
        f"{V2}/pod/other/cpu.max": "10000 100000\n",
        f"{V2}/pod/job/step/within/cpu.max": "10000 100000\n",
    }
    assert machine._quota(kernel_shows(tmp_path, "0::/pod/job/step\n", files)) == processors


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert machine._quota(tmp_path) == machine.MOST_THREADS
    assert machine._quota(kernel_shows(tmp_path / "a", "0::/../..\n", {})) == machine.MOST_THREADS


def test_the_quota_in_force_bounds_the_threads(monkeypatch, eight_processors):
    monkeypatch.setattr(machine, "_quota", lambda: 3)
    assert machine.threads() == 3


def test_blas_works_in_one_thread_until_the_last_who_asked_for_it_has_ended():
    def of_blas():
        libraries = threadpoolctl.threadpool_info()
        return {library["num_threads"] for library in libraries if library["user_api"] == "blas"}

    inside, may_end = threading.Event(), threading.Event()

    def another():
        with machine.one_blas_thread():
            inside.set()
            may_end.wait(60)

    with machine.one_blas_thread():
        assert of_blas() == {1}  # and all libraries are loaded
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        thread = threading.Thread(target=another)
        with machine.one_blas_thread(), machine.one_blas_thread():
            thread.start()
            assert inside.wait(60)
        assert of_blas() == {1}
        may_end.set()
        thread.join()
        assert of_blas() == {2}
        with pytest.raises(KeyError), machine.one_blas_thread():
            raise KeyError
        assert of_blas() == {2}
