"""The package as it is installed: what importing it loads and costs, what it exports and ships."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.resources
import inspect
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import reseau
from reseau.vocabulary.layers import LAYERS
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS
from reseau.vocabulary.schedules import SCHEDULES

CHECKOUT = Path(__file__).parents[1]


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_importing_reseau_loads_no_heavy_library() -> None:
    loaded = run_python("import sys, reseau; print(*sys.modules)").split()
    assert "reseau" in loaded
    heavy = {
        "matplotlib",
        "narwhals",
        "pyarrow",
        "rich",
        "safetensors",
        "scipy",
        "sklearn",
        "typer",
    }
    assert heavy.isdisjoint(loaded)


def test_the_first_network_costs_no_heavy_library_either() -> None:
    code = "import sys, reseau; reseau.Network(reseau.Dense(2)); print(*sys.modules)"
    assert {"pyarrow", "rich", "sklearn", "typer"}.isdisjoint(run_python(code).split())


def test_the_public_names_are_these_and_every_kind_of_layer_optimizer_schedule_and_loss_with_numbers() -> None:
    with_numbers = [type(loss) for loss in LOSSES.values() if loss.numbers()]
    entries = (*LAYERS.values(), *OPTIMIZERS.values(), *SCHEDULES.values(), *LEAST_SQUARES.values(), *with_numbers)
    tables = {entry.__name__ for entry in entries}
    tables.remove("Function")  # which is given as the function itself
    assert set(reseau.__all__) == tables | {
        "ArrowRows",
        "CSVLogger",
        "CalibrationDisplay",
        "Callback",
        "DataError",
        "DecisionBoundaryDisplay",
        "EffectDisplay",
        "Ensemble",
        "ErrorHistogramDisplay",
        "Exercise",
        "ExplanationDisplay",
        "FitDisplay",
        "History",
        "ImportanceDisplay",
        "LossCurveDisplay",
        "MLPClassifier",
        "MLPRegressor",
        "MLflowLogger",
        "ModelFileError",
        "Network",
        "NetworkDisplay",
        "OwnLoss",
        "ParameterError",
        "RegressionDisplay",
        "ReseauError",
        "Residual",
        "TableClassifier",
        "TableData",
        "TableModel",
        "TableRegressor",
        "TensorBoardLogger",
        "TrainingStateDisplay",
        "__version__",
        "check",
        "exercise",
        "find_learning_rate",
        "fit_many",
        "from_keras",
        "from_matlab",
        "from_onnx",
        "from_sklearn",
        "from_torch",
        "load",
        "marks",
        "save",
        "to_c",
        "to_onnx",
        "to_python",
        "variants",
    }


@pytest.mark.parametrize("name", reseau.__all__)
def test_a_public_name_can_be_had(name: str) -> None:
    assert getattr(reseau, name) is not None
    assert name in dir(reseau)


def test_what_is_listed_of_the_package_are_its_public_names_alone() -> None:
    importlib.import_module("reseau.engine")  # which Python then has among the names of the package
    assert {name for name in dir(reseau) if not name.startswith("__")} == set(reseau.__all__) - {"__version__"}


@pytest.mark.parametrize("name", ["Network", "Adam", "Dense", "Huber", "Cosine", "History", "Ensemble", "ArrowRows"])
def test_what_is_listed_of_a_thing_is_told_of_and_no_leftover(name: str) -> None:
    kind = getattr(reseau, name)
    members = {name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}
    asked = {name: member for name, member in members.items() if callable(member) or isinstance(member, property)}
    assert [name for name, member in members.items() if inspect.ismodule(member)] == []
    assert [name for name in asked if not inspect.getdoc(getattr(kind, name))] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Netwrok"):
        _ = reseau.Netwrok


def test_the_version_is_the_distribution_s() -> None:
    assert reseau.__version__ == importlib.metadata.version("reseau")


def test_the_types_are_shipped() -> None:
    package = importlib.resources.files("reseau")
    assert package.joinpath("py.typed").is_file()
    assert package.joinpath("_native.pyi").is_file()


def test_the_command_is_installed() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="reseau")
    assert command.dist is not None
    assert command.dist.name == "reseau"
    assert callable(command.load())


def test_the_stub_names_what_the_extension_module_has() -> None:
    native = pytest.importorskip("reseau._native", reason="installed without the native engine")
    stub = importlib.resources.files("reseau").joinpath("_native.pyi").read_text("utf-8")
    body = ast.parse(stub).body
    assert public(names_defined(body)) == public(vars(native))
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    for name in public(classes):
        assert public(members(classes[name], classes)) == public(dir(getattr(native, name)))


def names_defined(body: list[ast.stmt]) -> set[str]:
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def members(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    """The names a class of the stub defines or inherits."""
    parents = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
    return names_defined(node.body).union(*(members(parent, classes) for parent in parents))


def public(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def readme_blocks(language: str = "") -> list[str]:
    text = CHECKOUT.joinpath("README.md").read_text("utf-8")
    return re.findall(rf"^```{language}.*\n((?:.*\n)*?)^```$", text, re.MULTILINE)


def test_the_readme_begins_with_the_two_commands() -> None:
    job, tests = (block.splitlines() for block in readme_blocks()[:2])
    assert len(job) == len(tests) == 1
    assert job[0].startswith("pip install ")
    assert "reseau train examples/penguins.csv" in job[0]
    assert tests[0].startswith("pip install '.[test]' && ")
    assert tests[0].endswith("pytest -n auto")


def test_the_readme_s_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = readme_blocks("python")
    assert blocks
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)


@pytest.mark.slow
def test_the_readme_s_commands_run_in_a_checkout_as_they_are_printed(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "examples", tmp_path / "examples")
    commands = [readme_blocks()[0].partition(" && ")[2]]
    commands += [line[2:] for block in readme_blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    ran = set()
    for command in commands:
        program, name, *arguments = shlex.split(command, comments=True)
        assert program == "reseau", command
        if name == "studio":
            continue  # which ends when it is told to
        done = subprocess.run(
            [sys.executable, "-m", "reseau", name, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        # The table of answers waits for its reader's numbers, and check says so.
        assert done.returncode == (2 if name == "check" else 0), (command, done.stdout, done.stderr)
        assert ("fill in values first" in done.stderr) == (name == "check")
        ran.add(name)
    assert ran >= {"train", "predict", "explain", "blackboard", "export", "exercise", "check", "show", "info"}
