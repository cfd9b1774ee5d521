"""scikit-learn's own tests of its perceptrons, as they are installed, with our estimators in the place of its own.

Run as a script, this lists which of them pass, and which are left out and why:

    python tests/test_scikit_learn_suite.py
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from collections import defaultdict
from pathlib import Path

import pytest
import sklearn

VERSION = "1.9."  # of scikit-learn, whose tests the table below speaks of
MODULE = "sklearn.neural_network.tests.test_mlp"
IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"

# The tests of what is private to scikit-learn; each is shown to fail, so that none stays here without need.
LEFT_OUT = {
    "test_fit": "makes a fitted estimator of an unfitted one, attribute by attribute, private ones too",
    "test_gradient": "calls the private _loss_grad_lbfgs; tests/test_gradients.py checks our gradients",
}

CONFTEST = '''"""What scikit-learn's own conftest gives to these tests."""

import pytest


@pytest.fixture
def global_random_seed():
    return 42
'''
PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-c", "pytest.ini"]


def why_not() -> str | None:
    """Why the tests can't be run here, or None."""
    if not sklearn.__version__.startswith(VERSION):
        return f"scikit-learn is {sklearn.__version__}, but LEFT_OUT was written for {VERSION}x"
    try:
        found = importlib.util.find_spec(MODULE)
    except ModuleNotFoundError:
        found = None
    return None if found else f"scikit-learn was installed without {MODULE}"


def outcomes(folder: Path) -> tuple[dict[str, dict[str, bool]], str]:
    """Run the tests in a folder: which case of which test passes, and what pytest printed."""
    source = importlib.util.find_spec(MODULE)
    assert source is not None
    text = Path(str(source.origin)).read_text("utf-8")
    assert text.count(IMPORT) == 1
    (folder / "test_mlp.py").write_text(
        text.replace(IMPORT, IMPORT.replace("sklearn.neural_network", "reseau")), "utf-8"
    )
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n", "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [*PYTEST, "--junitxml=report.xml"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr  # all have passed, or some have failed
    passed: dict[str, dict[str, bool]] = defaultdict(dict)
    for case in xml.etree.ElementTree.parse(folder / "report.xml").iter("testcase"):
        name = case.attrib["name"]
        # neither failed, nor skipped, nor stopped by an error
        passed[name.partition("[")[0]][name] = not any(child.tag in ("failure", "error", "skipped") for child in case)
    return dict(passed), run.stdout


def report(passed: dict[str, dict[str, bool]]) -> str:
    """What passes, and what is left out and why."""
    lines = []
    for test, cases in passed.items():
        count = f" ({len(cases)} cases)" if len(cases) > 1 else ""
        if test in LEFT_OUT:
            lines.append(f"left out  {test}{count}: {LEFT_OUT[test]}")
        else:
            lines.append(f"{'passes' if all(cases.values()) else 'FAILS':<10}{test}{count}")
    every = [done for test, cases in passed.items() if test not in LEFT_OUT for done in cases.values()]
    lines.append(f"{sum(every)} of {len(every)} cases pass; {len(LEFT_OUT)} tests are left out")
    return "\n".join(lines)


@pytest.mark.slow
def test_scikit_learn_s_own_tests_pass_but_for_those_of_its_private_parts(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    passed, printed = outcomes(tmp_path)
    print(report(passed))  # noqa: T201
    assert len(passed) > 40  # there were 44
    failed = {test for test, cases in passed.items() if not all(cases.values())}
    assert sorted(failed - LEFT_OUT.keys()) == [], printed
    assert sorted(LEFT_OUT.keys() - passed.keys()) == [], "of LEFT_OUT, not in scikit-learn's file"
    assert sorted(LEFT_OUT.keys() - failed) == [], "left out for nothing: they pass"


def main() -> None:
    """Print what passes, and what is left out and why."""
    reason = why_not()
    if reason is not None:
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        passed, printed = outcomes(Path(folder))
    print(report(passed))  # noqa: T201
    if any(not all(cases.values()) for test, cases in passed.items() if test not in LEFT_OUT):
        sys.exit(f"\n{printed}")


if __name__ == "__main__":
    main()
