"""The one door to the two engines.

Both have the same five names: `errors`, `gradient`, `jacobian` and `Trainer`, on arrays that `reseau.data` has checked,
and `predictor`, which looks at its X itself. `reference` is the equations for people; `native` the same equations fused
in C++. RESEAU_ENGINE=reference forces the first, RESEAU_THREADS=n bounds the threads, RESEAU_ISA=portable|avx2|avx512
the native engine's instruction set.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from reseau.checks import integer, known
from reseau.errors import ParameterError

NAMES = ("native", "reference")
REINSTALL = "pip install --force-reinstall --no-cache-dir"  # pip keeps the wheel it built without a compiler
MOST_THREADS = 1024  # more gain nothing, and the kernels count them in 32 bits


@cache
def _native_failure() -> str | None:
    """Why the native engine is not there, or None if it is."""
    try:
        importlib.import_module("reseau.native")
    except ImportError as error:
        if importlib.util.find_spec("reseau._native") is None:
            return "it was not built, for want of a C++20 compiler when reseau was installed"
        return str(error)
    return None


def _missing(failure: str) -> ParameterError:
    return ParameterError(
        f"The native engine is not available: {failure}. Use engine='reference', or install a C++20 compiler "
        f"and reinstall reseau with {REINSTALL}."
    )


@cache
def _warn_once(failure: str) -> None:
    warnings.warn(
        f"Réseau runs without its native engine, on the slower reference engine: {failure}. To have it, install a "
        f"compiler, and reseau again with {REINSTALL}.",
        RuntimeWarning,
        stacklevel=4,
    )


def default_name() -> str:
    """The engine in force: RESEAU_ENGINE, else native where it was built, else reference."""
    wanted = os.environ.get("RESEAU_ENGINE")
    if wanted:
        return known("The environment variable RESEAU_ENGINE", wanted, NAMES)
    return "native" if _native_failure() is None else "reference"


def get(name: str | None = None) -> Any:
    """The module of an engine; None takes the one in force, and says once at run time if the native one is missing."""
    chosen = default_name() if name is None else known("engine", name, NAMES)
    if chosen == "native" and (failure := _native_failure()):
        raise _missing(failure)
    if chosen == "reference" and name is None and not os.environ.get("RESEAU_ENGINE"):
        _warn_once(_native_failure() or "")
    return importlib.import_module(f"reseau.{chosen}")


def threads(wanted: int | None = None) -> int:
    """How many threads to use at most: `wanted`, else RESEAU_THREADS, else the processors this process may use."""
    if wanted is not None:
        return min(integer("threads", wanted, low=1), MOST_THREADS)
    variable = os.environ.get("RESEAU_THREADS")
    if variable:
        if not variable.isdecimal() or int(variable) < 1:
            raise ParameterError(
                f"The environment variable RESEAU_THREADS is {variable!r}, but must be a whole number of at least 1."
            )
        return min(int(variable), MOST_THREADS)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _quota(), MOST_THREADS)


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many processors a container may use: its quota of each period (cgroups, version 2), rounded up."""
    try:
        quota, period = file.read_text().split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return MOST_THREADS


def info() -> dict[str, Any]:
    """What would compute: version, engine, its instruction set, threads, and why native is missing if it is.

    Examples
    --------
    >>> sorted(info())
    ['engine', 'instruction_set', 'native_missing_because', 'threads', 'version']
    """
    from reseau import __version__

    failure, name = _native_failure(), default_name()
    if name == "native" and failure is not None:
        raise _missing(failure)
    module = importlib.import_module(f"reseau.{name}")
    return {
        "version": __version__,
        "engine": module.NAME,
        "instruction_set": module.instruction_set(),
        "threads": threads(),
        "native_missing_because": failure,
    }
