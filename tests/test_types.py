"""What type checkers and editors know of the public face."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from reseau import engine, names
from reseau.checks import DTYPES
from reseau.estimators import parameters
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.regressor import MLPRegressor
from reseau.estimators.rules import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from reseau.export.c import WEIGHTS
from reseau.formulas.words import LANGUAGES
from reseau.tables.learning.settings import PRESETS, Given, Settings
from reseau.tables.reading.unreadable import WAYS
from reseau.tables.table_data import AS
from reseau.tables.targets.table import TASKS
from reseau.training.metrics import METRICS
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS
from reseau.vocabulary.precisions import PRECISIONS

HERE = Path(__file__).parent
TABLES: dict[str, Iterable[str]] = {
    "ActivationName": ACTIVATIONS,
    "InitializerName": INITIALIZERS,
    "LossName": LOSSES,
    "OptimizerName": OPTIMIZERS,
    "LeastSquaresName": LEAST_SQUARES,
    "MetricName": METRICS,
    "PrecisionName": PRECISIONS,
    "DtypeName": DTYPES,
    "EngineName": engine.NAMES,
    "Language": LANGUAGES,
    "WeightsPlace": WEIGHTS,
    "PresetName": PRESETS,
    "TaskName": TASKS,
    "ColumnKind": AS,
    "UnreadableName": WAYS,
    "HiddenActivationName": parameters.HIDDEN,
    "ClassificationLossName": CLASSIFICATION_LOSSES,
    "RegressionLossName": REGRESSION_LOSSES,
    "ClassificationSolverName": MLPClassifier._solvers,
    "RegressionSolverName": MLPRegressor._solvers,
    "RateName": parameters.RATES,
}


@pytest.mark.parametrize("alias", TABLES)
def test_the_names_that_editors_complete_are_those_of_the_table_in_its_order(alias: str) -> None:
    assert get_args(getattr(names, alias)) == tuple(TABLES[alias])


def test_all_names_are_held_against_a_table() -> None:
    assert [name for name, value in vars(names).items() if get_args(value)] == list(TABLES)


def test_what_editors_complete_of_a_table_model_s_settings_are_these_with_their_types() -> None:
    of_settings, given = get_type_hints(Settings), get_type_hints(Given)
    assert list(given) == list(of_settings)
    assert {name for name in given if given[name] != of_settings[name]} == {"layers"}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of both scripts, as a user has it: of the installed package, without this project's settings."""
    pytest.importorskip("mypy")
    here = tmp_path_factory.mktemp("typed")
    files = [shutil.copy(HERE / f"typed_{name}.py", here) for name in ("script", "mistakes")]
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unreachable", "--config-file=", "--no-pretty", *files]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=600)
    assert done.stderr == ""
    return done.stdout.splitlines()


def errors(lines: list[str], file: str) -> list[tuple[int, str]]:
    found = [re.search(rf"{file}:(\d+): error: .*\[([\w-]+)\]$", line) for line in lines]
    return [(int(match[1]), match[2]) for match in found if match]


@pytest.mark.slow
def test_a_user_s_script_passes_the_strictest_checks_and_what_it_gets_has_a_type(checked: list[str]) -> None:
    assert [line for line in checked if "typed_script.py" in line] == []
    assert "checked 2 source files" in checked[-1]


@pytest.mark.slow
def test_each_of_a_user_s_mistakes_is_refused(checked: list[str]) -> None:
    text = (HERE / "typed_mistakes.py").read_text("utf-8")
    expected = [(n, line.split("  # ")[1]) for n, line in enumerate(text.splitlines(), start=1) if "  # " in line]
    assert len(expected) > 50
    assert errors(checked, "typed_mistakes.py") == expected
