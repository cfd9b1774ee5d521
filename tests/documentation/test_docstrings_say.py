"""What the reference says of each public name: what goes in, what comes out, what is refused, an example, a source."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reseau

NAMES = [name for name in reseau.__all__ if name != "__version__"]
CLASSES = [name for name in NAMES if isinstance(getattr(reseau, name), type)]
FUNCTIONS = [name for name in NAMES if name not in CLASSES]
REFUSES = {"real", "integer", "boolean", "known", "_real", "_integer"}  # the checks of parameters
ELSEWHERE = re.compile(r"\b(as (for|of|in|by)|see|those of|the same as)\b[^.]*`", re.I | re.S)


INNER = set(re.findall(r'"(\w+)",', Path(__file__).parents[2].joinpath("docs/_ext/inner.py").read_text("utf-8")))


def sections(thing: Any) -> set[str]:
    """The headings of a docstring."""
    return set(re.findall(r"^(\w[\w ]*)\n-{3,}$", inspect.getdoc(thing) or "", re.M))


def taken(thing: Any) -> list[str]:
    """The parameters of what is called."""
    return [name for name in inspect.signature(thing).parameters if name != "self"]


def unnamed(thing: Any) -> list[str]:
    """The parameters that a docstring says nothing of, unless it says where they are described."""
    said = inspect.getdoc(thing) or ""
    known = re.findall(r"^[\w*, ]+(?= :|$)", said, re.M) if {"Parameters", "Attributes"} & sections(thing) else []
    names = {name.strip(" *") for line in known for name in line.split(",")} | set(re.findall(r"`(\w+)`", said))
    return [] if ELSEWHERE.search(said) else [name for name in taken(thing) if name not in names]


def refuses(function: Callable[..., Any]) -> bool:
    """Whether a function raises an error itself, or checks a parameter."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    called = {getattr(n.func, "attr", getattr(n.func, "id", "")) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return any(isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(tree)) or bool(called & REFUSES)


def made(kind: type) -> list[Callable[..., Any]]:
    """What runs when an object is made."""
    found = [vars(base).get(name) for base in kind.__mro__ for name in ("__init__", "__post_init__")]
    return [f for f in found if inspect.isfunction(f) and f.__module__.startswith("reseau") and _is_written(f)]


def _is_written(function: Callable[..., Any]) -> bool:
    return not function.__code__.co_filename.startswith("<")  # as a dataclass makes them


def methods(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The methods of a class that are ours, classmethods too."""
    for name in dir(kind):
        function = getattr(inspect.getattr_static(kind, name), "__func__", inspect.getattr_static(kind, name))
        if (
            not name.startswith("_")
            and name not in INNER
            and inspect.isfunction(function)
            and function.__module__.startswith("reseau")
        ):
            yield name, function


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_what_goes_in(name: str) -> None:
    thing = getattr(reseau, name)
    if not (isinstance(thing, type) and issubclass(thing, Exception)):
        assert not unnamed(thing)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_comes_out(name: str) -> None:
    function = getattr(reseau, name)
    if inspect.signature(function).return_annotation not in (None, "None"):
        assert "Returns" in sections(function)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_is_said(name: str) -> None:
    thing = getattr(reseau, name)
    if any(map(refuses, made(thing) if isinstance(thing, type) else [thing])):
        assert "Raises" in sections(thing)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name: str) -> None:
    thing = getattr(reseau, name)
    several = [thing, *(getattr(thing, method) for method, _ in methods(thing))] if name in CLASSES else [thing]
    assert any("Examples" in sections(one) for one in several)


@pytest.mark.parametrize("name", [name for name in CLASSES if ".vocabulary." in getattr(reseau, name).__module__])
def test_what_is_of_the_vocabulary_says_where_it_comes_from(name: str) -> None:
    if name != "OwnLoss":
        assert re.search(r"\b(19|20)\d\d\b", inspect.getdoc(getattr(reseau, name)) or "")


@pytest.mark.parametrize("name", [name for name in CLASSES if ".vocabulary." not in getattr(reseau, name).__module__])
def test_every_method_says_what_goes_in(name: str) -> None:
    kind = getattr(reseau, name)
    silent = {method: unnamed(getattr(kind, method)) for method, _ in methods(kind)}
    assert not {method: names for method, names in silent.items() if names}


@pytest.mark.parametrize("name", [name for name in CLASSES if ".vocabulary." not in getattr(reseau, name).__module__])
def test_a_method_that_does_something_says_what_comes_out(name: str) -> None:
    """The first line of any other says it: "∂O/∂X for each sample"."""
    does = re.compile(r"(Draw|Find|Make|Return|Score|Train|Work)\b")
    for method, function in methods(getattr(reseau, name)):
        thing = getattr(getattr(reseau, name), method)
        if does.match(inspect.getdoc(thing) or "") and inspect.signature(function).return_annotation != "None":
            assert "Returns" in sections(thing), method
