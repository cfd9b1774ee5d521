"""What the runs of the tests skipped is told at the end of `.ci/run`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "skipped.py"
TESTS = """
import pytest
@pytest.mark.parametrize("n", ["[1]", "a b"])
def test_of_two(n): pytest.skip("no tool\\n\\nat all")
@pytest.mark.skipif({flag}, reason="no package")
def test_of_one_run(): pass
@pytest.mark.xfail
def test_that_fails(): assert False
def test_that_runs(): pass
"""


@pytest.mark.skipif(not SCRIPT.exists(), reason="not a checkout")
def test_each_run_s_skips_and_what_never_ran_are_listed(tmp_path: Path) -> None:
    for run in ("first", "second"):
        (tmp_path / "test_it.py").write_text(TESTS.format(flag=run == "first"))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
        subprocess.run(
            [*command, f"--junit-xml={run}.xml", "test_it.py"], cwd=tmp_path, check=True, capture_output=True
        )
    done = subprocess.run(
        [sys.executable, SCRIPT, "first.xml", "second.xml"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "first: 2 tests ran, 3 were skipped",
        "      2 no tool",
        "      1 no package",
        "second: 3 tests ran, 2 were skipped",
        "      2 no tool",
        "2 tests ran in none of these runs:",
        "  test_it.py::test_of_two (2): no tool",
    ]
