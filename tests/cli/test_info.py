"""`reseau info`, `--version`, `--help`."""

from __future__ import annotations

import json
import subprocess
import sys

from typer.testing import CliRunner, Result

import reseau as rs
from reseau import engine
from reseau.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_info_tells_what_would_compute() -> None:
    result = run("info")
    assert result.exit_code == 0
    for value in (rs.__version__, engine.info()["instruction_set"]):
        assert str(value) in result.stdout
    assert json.loads(run("info", "--json").stdout) == engine.info()


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"reseau {rs.__version__}\n"


def test_alone_it_prints_its_help() -> None:
    result = run()
    for command in ("train", "predict", "show", "verify", "info"):
        assert command in result.stdout + result.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['reseau', 'train', '--help']\nfrom reseau.cli import main\ntry:\n    "
        "main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "--target" in done.stdout
    assert {"numpy", "pyarrow", "sklearn", "matplotlib"}.isdisjoint(done.stderr.split())
