"""The one door: which engine computes, and what is said when the native one is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
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
    for name in (
        "predictor",
        "outputs",
        "errors",
        "gradient",
        "jacobian",
        "parameter_jacobian",
        "parameter_jacobians",
        "Trainer",
    ):
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


def test_jacobians_go_by_the_parameters_as_they_are_at_each_call(engine):
    net = rs.Network(rs.Dense(3, "tanh"), rs.Dense(2), inputs=2, dtype="float64", seed=0, engine=engine)
    jacobians = net.compute.parameter_jacobians(net.architecture, net.parameters, 1)
    X = np.random.default_rng(0).normal(size=(5, 2))
    for rows in (X, X[:3], X):
        net.parameters[...] *= 0.9
        np.testing.assert_array_equal(jacobians(rows), net.parameter_jacobian(rows))
