"""fit_many and tables where joblib has other processes: the same bytes, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import reseau as rs
from reseau.errors import ParameterError
from reseau.training import in_tasks

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.py"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4000, 40))  # 1.3 MB, which joblib maps into the memory of its processes, read-only
Y = np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    """No process outlives these tests."""
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


def networks() -> list[rs.Network]:
    return [
        rs.Network(rs.Dense(6, "tanh"), rs.Dense(2), seed=1),
        rs.Network(rs.Dense(8, dropout=0.2), rs.Dense(2), seed=2, inputs=40, dtype="float64"),
        rs.Network(rs.Dense(3000), rs.Dense(100), rs.Dense(2), seed=3, inputs=40),  # parameters that are mapped too
    ]


def everything(nets: list[rs.Network], histories: list[rs.History]) -> list[Any]:
    """All that a fit changes, and tells."""
    return [
        (net.parameters.tobytes(), net.generator_state, history.loss, history.validation_loss, history.best_epoch)
        for net, history in zip(nets, histories, strict=True)
    ]


def test_networks_trained_in_processes_of_joblib_have_the_same_bytes(tmp_path: Path) -> None:
    how: dict[str, Any] = {"epochs": [3, 2, 1], "optimizer": "adam", "validation_data": (X[:50], Y[:50])}
    here, there = networks(), networks()
    expected = everything(here, rs.fit_many(here, X, Y, **how))
    with joblib.parallel_config(backend="loky", n_jobs=2):
        histories = rs.fit_many(there, X, Y, **how, checkpoint=tmp_path)
        assert everything(there, histories) == expected
        again = networks()
        assert everything(again, rs.fit_many(again, X, Y, **how, checkpoint=tmp_path)) == expected
    assert len(list(tmp_path.iterdir())) == 3
    there[0].fit(X, Y, epochs=1)  # goes on as ever
    here[0].fit(X, Y, epochs=1)
    assert there[0].parameters.tobytes() == here[0].parameters.tobytes()


@pytest.mark.slow
def test_a_table_s_members_are_trained_so_too(tmp_path: Path) -> None:
    table = {"a": X[:80, 0], "b": X[:80, 1], "y": Y[:80, 0]}
    rs.TableModel.train(table, "y", epochs=2, cv=2).save(tmp_path / "here.reseau")
    with joblib.parallel_config(backend="loky", n_jobs=2):
        rs.TableModel.train(table, "y", epochs=2, cv=2).save(tmp_path / "there.reseau")
    assert (tmp_path / "here.reseau").read_bytes() == (tmp_path / "there.reseau").read_bytes()


@pytest.mark.parametrize("chosen", [{"backend": "threading"}, {"backend": "sequential"}, {"n_jobs": 2}, {}])
def test_without_processes_being_chosen_there_are_none(chosen: dict[str, Any]) -> None:
    with joblib.parallel_config(**chosen):
        assert in_tasks.backend() == ""
    with joblib.parallel_config(backend="loky"):
        assert in_tasks.backend() == "LokyBackend"


def test_joblib_is_not_imported_to_look_for_its_backend() -> None:
    code = "import sys; from reseau.training import in_tasks; print([in_tasks.backend()], 'joblib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[''] False\n"


@pytest.mark.parametrize("heard", [{"verbose": True}, {"callback": lambda history: None}])
def test_what_could_not_be_heard_is_refused(heard: dict[str, Any]) -> None:
    nets = networks()
    before = nets[1].parameters.copy()
    with joblib.parallel_config(backend="loky"), pytest.raises(ParameterError, match=r"callback.*LokyBackend.*outside"):
        rs.fit_many(nets, X, Y, **heard)
    assert not nets[0].built
    np.testing.assert_array_equal(nets[1].parameters, before)


def test_errors_and_warnings_reach_the_caller() -> None:
    nets = networks()[:1]
    with joblib.parallel_config(backend="loky", n_jobs=2):
        with pytest.raises(rs.ReseauError, match="X"):
            rs.fit_many(nets, X[:5] * np.nan, Y[:5])
        with pytest.warns(RuntimeWarning, match=r"networks\[0\]: .*diverged"):
            rs.fit_many(nets, X, Y, optimizer=rs.SGD(1e6), epochs=5)


@pytest.mark.slow
def test_a_worker_of_dask_that_is_killed_changes_no_byte() -> None:
    pytest.importorskip("distributed")
    environment = {**os.environ, "ROWS": "6000"}
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert "while it trained" in done.stdout
    here, there = re.findall(r"[0-9a-f]{64}", done.stdout)
    assert here == there
