"""What is said of a release in several places is the same in all of them, and the workflows hold to their promises."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml

import reseau

CHECKOUT = Path(__file__).parents[1]
WORKFLOWS = sorted(CHECKOUT.glob(".github/workflows/*.yml"))
CONDA = {"python-fastjsonschema": "fastjsonschema"}  # what has another name there


def read(path: str) -> Any:
    return yaml.safe_load(CHECKOUT.joinpath(path).read_text("utf-8"))


def test_the_conda_recipe_asks_for_what_the_package_asks_for() -> None:
    asked = [re.sub(r"\s", "", line).partition(";") for line in requires("reseau") or []]
    elsewhere = re.compile("extra==|=='emscripten'|==\"emscripten\"")
    ours = {package for package, _, where in asked if not elsewhere.search(where)}
    assert ours
    run = [line.split() for line in read("recipe/recipe.yaml")["requirements"]["run"] if line != "python"]
    assert {CONDA.get(name, name) + bound for name, bound in run} == ours


def test_the_recipe_and_the_citation_are_of_this_version() -> None:
    assert read("recipe/recipe.yaml")["context"]["version"] == reseau.__version__
    citation = read("CITATION.cff")
    assert citation["version"] == reseau.__version__
    released = f"\n## [{citation['version']}] - {citation['date-released']}\n"
    assert released in CHECKOUT.joinpath("CHANGELOG.md").read_text("utf-8")


def test_there_are_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_named_by_commit_and_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    assert used
    for line in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_may_read_at_most_but_for_the_one_that_publishes(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        rights = {"id-token": "write"} if (path.stem, name) == ("release", "publish") else {"contents": "read"}
        assert job["permissions"].items() <= rights.items(), name
        for step in job["steps"]:
            if "checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            assert "cache" not in step.get("with", {})


def test_what_is_published_is_built_of_the_source_distribution() -> None:
    jobs = read(".github/workflows/release.yml")["jobs"]
    assert set(jobs["publish"]["needs"]) == {"sdist", "wheels", "pure"}
    for name in ("wheels", "pure"):
        assert jobs[name]["needs"] == "sdist"
        assert not any("checkout@" in step.get("uses", "") for step in jobs[name]["steps"])
