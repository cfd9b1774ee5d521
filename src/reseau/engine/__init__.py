"""The one door to the two engines.

Both have the same names (`door.Engine`). `reference` is the equations for people; `native` the same equations fused in
C++. RESEAU_ENGINE=reference forces the first, RESEAU_ISA=portable|avx2|avx512|avx512_bf16|avx512_amx the native
engine's instruction set, RESEAU_THREADS=n bounds the threads. threadpoolctl and OMP_NUM_THREADS bound them too: see
`threads`.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from reseau.checks import frames_within, known
from reseau.engine.machine import fits_in_memory, one_blas_thread, threads
from reseau.errors import ParameterError
from reseau.packages import IN_WEBASSEMBLY
from reseau.version import __version__

if TYPE_CHECKING:
    from reseau.engine.door import Engine

__all__ = ["NAMES", "default_name", "fits_in_memory", "get", "info", "one_blas_thread", "threads"]

NAMES = ("native", "reference")
PURE = "this is the wheel in Python alone, for every machine and for WebAssembly"
REINSTALL = "pip install --force-reinstall --no-cache-dir"  # pip keeps the wheel it built without a compiler


@cache
def _native() -> Engine | str:
    """The native engine, or why it is not there."""
    try:
        from reseau.engine import native
    except ImportError as error:
        if importlib.util.find_spec("reseau._native") is None:
            return PURE if _is_pure() else "it was not built, for want of a C++20 compiler when reseau was installed"
        return str(error)
    engine: Engine = native  # mypy says here what it lacks
    return engine


@cache
def _is_pure() -> bool:
    """Whether what is installed is the wheel for every machine, which has no native engine by intention."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        wheel = distribution("reseau").read_text("WHEEL") or ""
    except PackageNotFoundError:
        return False
    return "Tag: py3-none-any" in wheel.splitlines()


def _way_to_native(failure: str) -> str:
    """What to install, to have the native engine."""
    return "reseau's wheel for your machine" if failure == PURE else f"a C++20 compiler, and reseau with {REINSTALL}"


@cache
def _warn_once(failure: str) -> None:
    warnings.warn(
        f"Réseau runs without its native engine, on the slower reference engine: {failure}. To have it, install "
        f"{_way_to_native(failure)}.",
        RuntimeWarning,
        stacklevel=frames_within(),
    )


def default_name() -> str:
    """The engine in force: RESEAU_ENGINE, else native where it was built, else reference."""
    wanted = os.environ.get("RESEAU_ENGINE")
    if wanted:
        return known("The environment variable RESEAU_ENGINE", wanted, NAMES)
    return "reference" if isinstance(_native(), str) else "native"


def get(name: str | None = None) -> Engine:
    """The module of an engine; None takes the one in force, and says once at run time if the native one is missing.

    In WebAssembly nobody misses it.
    """
    chosen = default_name() if name is None else known("engine", name, NAMES)
    if chosen == "reference" and name is None and not os.environ.get("RESEAU_ENGINE") and not IN_WEBASSEMBLY:
        _warn_once(str(_native()))
    return _module(chosen)


def _module(name: str) -> Engine:
    """An engine by its name."""
    if name == "reference":
        from reseau.engine import reference

        return reference
    native = _native()
    if isinstance(native, str):
        raise ParameterError(
            f"The native engine is not available: {native}. Use engine='reference', or install "
            f"{_way_to_native(native)}."
        )
    return native


def info() -> dict[str, Any]:
    """What would compute: version, engine, its instruction set, threads, and why native is missing if it is.

    Examples
    --------
    >>> sorted(info())
    ['engine', 'instruction_set', 'native_missing_because', 'threads', 'version']
    """
    engine, native = _module(default_name()), _native()
    return {
        "version": __version__,
        "engine": engine.NAME,
        "instruction_set": engine.instruction_set(),
        "threads": threads(),
        "native_missing_because": native if isinstance(native, str) else None,
    }
