"""The house has floors: a file imports from its own folder and from floors below, and there is no circle of imports.

All imports count, those inside functions too, but not those for type checkers alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import reseau

# From the top down; what stands on one floor knows nothing of each other.
FLOORS = """
__init__ __main__
cli
studio
models
importing display composed
estimators tables
many
ensemble
network
model inside prediction layer_view
derivatives
exercises
blackboard training export
plots notebook
parts files stored
data
columns
array_likes
engine
vocabulary
formulas
checks
packages
errors
arrays visible version
_native names
"""
FLOOR_OF = {name: place for place, names in enumerate(FLOORS.split("\n")) for name in names.split()}

ROOT = Path(reseau.__file__).parent
# Each file by its name in the package: "network", "engine.native", "engine" for the __init__.py of a folder.
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imports(source: str) -> Iterator[str]:
    """What a file of the package imports of the package, by the names of `FILES`."""
    tree = ast.parse(source)
    for_types = {
        id(node)
        for choice in ast.walk(tree)
        if isinstance(choice, ast.If) and ast.unparse(choice.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in choice.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (_known(alias.name) for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"from {'.' * node.level}{node.module or ''}: names of modules are written in full"
            if node.module is not None and _is_ours(node.module):
                yield from (_known(f"{node.module}.{alias.name}") for alias in node.names)


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "reseau"


def _known(name: str) -> str:
    """The file that has what an import names."""
    place = name.removeprefix("reseau").removeprefix(".")
    while place and place not in FILES and place not in FLOOR_OF:
        place = place.rpartition(".")[0]
    return place or "__init__"


def house(name: str) -> str:
    """The folder or file of the root to which a file belongs."""
    return name.split(".")[0]


def leads_up(file: str, imported: str) -> bool:
    return house(file) != house(imported) and FLOOR_OF[house(imported)] <= FLOOR_OF[house(file)]


EDGES = {name: set(imports(path.read_text("utf-8"))) for name, path in FILES.items()}


def test_every_file_has_a_floor():
    assert {house(name) for name in FILES} - set(FLOOR_OF) == set()


def test_the_floors_are_those_that_contributors_read_of():
    text = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8")
    rows = text.partition("| in `src/reseau/`, from the top down | |\n| --- | --- |\n")[2].partition("\n\n")[0]
    told = [set(re.findall(r"`(\w+)(?:/|\.py)`", row.split(" | ")[0])) for row in rows.splitlines()]
    assert told == [names for line in FLOORS.split("\n") if (names := set(line.split()) - {"_native"})]


def test_no_import_leads_up():
    upwards = {(file, to) for file, several in EDGES.items() for to in several if leads_up(file, to)}
    assert sorted(upwards) == []


def test_no_files_import_one_another_in_a_circle():
    try:
        TopologicalSorter(EDGES).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_only_the_public_names_are_imported_by_strings():
    """What an import names can be read, so that nothing leads up unseen."""
    names = {"import_module", "__import__", "exec", "eval"}
    found = {
        file
        for file, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Name) and node.id in names) or (isinstance(node, ast.Attribute) and node.attr in names)
    }
    assert found == {"__init__"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy\nfrom math import pi\nfrom reseau_of_others import x", []),
        ("import reseau", ["__init__"]),
        ("import reseau.engine.native as native, os", ["engine.native"]),
        ("from reseau import load, engine, _native", ["__init__", "engine", "_native"]),
        ("from reseau.engine import get, native", ["engine", "engine.native"]),
        ("from reseau.network import Network", ["network"]),
        ("def f():\n    class A:\n        from reseau.errors import DataError", ["errors"]),
        ("try:\n    import reseau.data\nexcept ImportError:\n    pass", ["data"]),
        ("if TYPE_CHECKING:\n    from reseau.network import Network\nelse:\n    import reseau.data", ["data"]),
        ("if not TYPE_CHECKING:\n    import reseau.data", ["data"]),
        ("import typing\nif typing.TYPE_CHECKING:\n    import reseau.data", []),
    ],
)
def test_imports_are_found_wherever_they_stand(source, expected):
    assert list(imports(source)) == expected


def test_a_relative_import_is_told():
    with pytest.raises(AssertionError, match=r"from \.\.errors: names of modules are written in full"):
        list(imports("from ..errors import DataError"))


@pytest.mark.parametrize(
    ("file", "imported", "up"),
    [
        ("network", "engine", False),
        ("engine.native", "engine.machine", False),
        ("engine.native", "network", True),
        ("blackboard.board", "training.fit", True),
        ("cli.train", "__init__", True),
        ("__init__", "cli.train", False),
    ],
)
def test_own_folder_and_floors_below_are_the_ways_open(file, imported, up):
    assert leads_up(file, imported) == up
