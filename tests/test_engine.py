"""The one door: which engine and how many threads, and what is said when the native engine is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reseau as rs
from reseau import engine as engines

# Makes `import reseau.engine.native` fail as it does where no compiler was found.
WITHOUT_NATIVE = "import sys; sys.modules['reseau._native'] = None\n"


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESEAU_")}
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=False
    )


def test_both_engines_have_the_same_face(engine):
    module = engines.get(engine)
    assert engine == module.NAME
    for name in ("predictor", "outputs", "errors", "gradient", "jacobian", "parameter_jacobian", "Trainer"):
        assert callable(getattr(module, name))


def test_an_unknown_engine_is_refused_with_the_known():
    with pytest.raises(rs.ParameterError, match=r"engine is 'cuda', which is unknown.*Known: native, reference"):
        engines.get("cuda")


def test_the_environment_chooses_the_engine(monkeypatch, engine):
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    assert engine == engines.get().NAME
    assert engines.info()["engine"] == engine
    monkeypatch.setenv("RESEAU_ENGINE", "fast")
    with pytest.raises(rs.ParameterError, match="RESEAU_ENGINE is 'fast'"):
        engines.get()


def test_native_is_in_force_where_it_was_built(native, monkeypatch):
    monkeypatch.delenv("RESEAU_ENGINE", raising=False)
    assert engines.get().NAME == "native"


def test_a_network_s_own_engine_comes_before_the_environment(monkeypatch, engine):
    monkeypatch.setenv("RESEAU_ENGINE", "reference" if engine == "native" else "native")
    net = rs.Network(rs.Dense(1, "identity"), inputs=1, engine=engine)
    assert net([[1.0]]).shape == (1, 1)


@pytest.fixture
def eight_processors(monkeypatch):
    """Processors without a quota, and nothing said about threads."""
    for name in ("RESEAU_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(engines, "_quota", lambda: engines.MOST_THREADS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def test_threads_are_those_asked_for_then_the_environment_s_then_the_processors(monkeypatch, eight_processors):
    monkeypatch.setenv("RESEAU_THREADS", "3")
    assert engines.threads(5) == 5
    assert engines.threads() == 3
    monkeypatch.delenv("RESEAU_THREADS")
    assert engines.threads() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5})  # a moment later
    assert engines.threads() == 1


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
    assert engines.threads() == threads
    monkeypatch.setenv("RESEAU_THREADS", "6")
    assert engines.threads() == 6


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", " ", "²"])
def test_a_number_of_threads_in_the_environment_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("RESEAU_THREADS", value)
    with pytest.raises(rs.ParameterError, match=r"RESEAU_THREADS is .* must be a whole number of at least 1"):
        engines.threads()


def test_info_says_what_would_compute():
    info = engines.info()
    assert set(info) == {"version", "engine", "instruction_set", "threads", "native_missing_because"}
    assert info["version"] == rs.__version__
    assert info["engine"] in engines.NAMES
    assert isinstance(info["instruction_set"], str)
    assert info["threads"] >= 1


def test_without_the_native_engine_the_reference_runs_and_says_so_once():
    done = run_python(
        WITHOUT_NATIVE
        + "import reseau as rs\n"
        + "for _ in range(3): print(rs.Network(rs.Dense(1, 'identity', bias=False), inputs=1)([[0.0]]))\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[[0.]]") == 3
    assert done.stderr.count("RuntimeWarning") == 1
    assert "without its native engine" in done.stderr
    assert "--force-reinstall --no-cache-dir" in done.stderr


def test_without_the_native_engine_asking_for_the_reference_warns_of_nothing():
    code = WITHOUT_NATIVE + "import reseau as rs\nrs.Network(rs.Dense(1), inputs=1, engine='reference')([[0.0]])\n"
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    done = run_python(code.replace(", engine='reference'", ""), RESEAU_ENGINE="reference")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("asked", ["argument", "environment"])
def test_without_the_native_engine_asking_for_it_is_refused(asked):
    argument = ", engine='native'" if asked == "argument" else ""
    code = WITHOUT_NATIVE + f"import reseau as rs\nrs.Network(rs.Dense(1), inputs=1{argument})([[0.0]])\n"
    done = run_python(code, **({"RESEAU_ENGINE": "native"} if asked == "environment" else {}))
    assert done.returncode != 0
    assert "ParameterError: The native engine is not available" in done.stderr


@pytest.mark.parametrize("environment", [{}, {"RESEAU_ENGINE": "reference"}])
def test_without_the_native_engine_info_says_why(environment):
    done = run_python(
        WITHOUT_NATIVE + "import json\nfrom reseau import engine\nprint(json.dumps(engine.info()))\n", **environment
    )
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert info["engine"] == "reference"
    assert info["native_missing_because"]


def test_info_refuses_the_missing_native_engine_as_one_error():
    done = run_python(WITHOUT_NATIVE + "from reseau import engine\nengine.info()\n", RESEAU_ENGINE="native")
    assert "ParameterError: The native engine is not available" in done.stderr


def test_an_unknown_instruction_set_is_refused_with_the_known(native):
    done = run_python("import reseau as rs\nrs.Network(rs.Dense(1), inputs=1)([[0.0]])\n", RESEAU_ISA="mmx")
    assert done.returncode != 0
    assert "ParameterError" in done.stderr
    assert "RESEAU_ISA is 'mmx'" in done.stderr
    assert "portable" in done.stderr


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
    [("200000 100000\n", 2), ("50000 100000\n", 1), ("150000 100000\n", 2), ("max 100000\n", engines.MOST_THREADS)],
)
def test_a_container_s_quota_bounds_the_threads(tmp_path, content, processors):
    assert engines._quota(kernel_shows(tmp_path, "0::/\n", {f"{V2}/cpu.max": content})) == processors


@pytest.mark.parametrize(
    ("quota", "period", "processors"),
    [("400000", "100000", 4), ("125000", "50000", 3), ("1000", "100000", 1), ("-1", "100000", engines.MOST_THREADS)],
)
@pytest.mark.parametrize("path", ["/", HOST_PATH])
def test_a_quota_of_the_first_version_of_control_groups_bounds_the_threads(tmp_path, quota, period, processors, path):
    # Docker mounts the container's group where the outermost one is; the path may all the same be that on the host.
    files = {f"{V1}/cpu.cfs_quota_us": quota + "\n", f"{V1}/cpu.cfs_period_us": period + "\n"}
    root = kernel_shows(tmp_path, f"12:cpuset:/\n4:cpu,cpuacct:{path}\n1:name=systemd:/a:b\n0::/\n", files)
    assert engines._quota(root) == processors


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
    assert engines._quota(kernel_shows(tmp_path, "0::/pod/job/step\n", files)) == processors


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert engines._quota(tmp_path) == engines.MOST_THREADS
    assert engines._quota(kernel_shows(tmp_path / "a", "0::/../..\n", {})) == engines.MOST_THREADS


def test_the_quota_in_force_bounds_the_threads(monkeypatch, eight_processors):
    monkeypatch.setattr(engines, "_quota", lambda: 3)
    assert engines.threads() == 3
