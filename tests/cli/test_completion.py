"""What a shell offers, as it asks for it; and the command as a module."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from reseau.training.metrics import METRICS
from reseau.version import __version__
from reseau.vocabulary.activations import ACTIVATIONS

MODULE = [sys.executable, "-m", "reseau"]


def offered(line: str) -> list[str]:
    asked = {"_RESEAU_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    command = [sys.executable, "-c", "from reseau.cli import app; app(prog_name='reseau')"]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("reseau bla", ["blackboard"]),
        ("reseau train x.csv --activation le", [name for name in ACTIVATIONS if name.startswith("le")]),
        ("reseau train x.csv --metric ", list(METRICS)),
        ("reseau train x.csv --preset ", ["fast", "standard", "best"]),
        ("reseau train x.csv --loss huber", ["huber"]),
        ("reseau train x.csv --precision bf16x", ["bf16x3", "bf16x6"]),
        *(
            (f"reseau {command} --lang ", ["en", "fr"])
            for command in ("train x", "blackboard x", "check x", "studio", "exercise")
        ),
        ("reseau exercise --output-activation so", ["softmax", "softplus", "softsign"]),
        ("reseau blackboard x y --optimizer ada", ["adam", "adamw", "adagrad"]),
    ],
)
def test_a_shell_is_offered_commands_and_the_names_of_tables(line: str, names: list[str]) -> None:
    assert offered(line) == names


def test_the_module_is_the_command() -> None:
    done = subprocess.run([*MODULE, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"reseau {__version__}\n"
