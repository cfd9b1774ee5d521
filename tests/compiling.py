"""Compilers, and the functions of C files that were exported."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reseau.ensemble import Ensemble
from reseau.vocabulary.layers import Architecture

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
PICKY = ["-Wconversion", "-Wshadow", "-Wdouble-promotion"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILERS = {
    "cc": ["cc", "-std=c99", *STRICT, *PICKY, "-O2"],
    # What these are for is the language; without -O they take a third of the time.
    "c++": ["c++", "-std=c++11", "-x", "c++", *STRICT, *PICKY],
    "c++17": ["c++", "-std=c++17", "-x", "c++", *STRICT, *PICKY],
    "cc, C23": ["cc", "-std=gnu2x", *STRICT, *PICKY],
    "gcc, sanitized": ["gcc", "-std=c99", *STRICT, *SANITIZED],
    "cc, as fast as it goes": ["cc", "-std=gnu11", "-Wall", "-O3", "-march=native"],  # with fused multiply-adds
    "cc, as if there were no NaN": ["cc", "-std=gnu11", "-Wall", "-Ofast"],
    "clang": ["clang", "-std=c99", *STRICT, *PICKY, "-O2"],
    "clang++": ["clang++", "-std=c++11", "-x", "c++", *STRICT],
    "clang, sanitized": ["clang", "-std=c99", *STRICT, *SANITIZED],
}
QUICK = "cc"


def compilers(*, sanitized: bool = True) -> list[Any]:
    names = [name for name in COMPILERS if sanitized or "sanitized" not in name]
    return [pytest.param(name, marks=[] if name == QUICK else pytest.mark.slow) for name in names]


def compiled(compiler: str, *arguments: str | Path, folder: Path) -> None:
    command = COMPILERS[compiler]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]}")
    done = subprocess.run([*command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def self_test(compiler: str, source: Path) -> subprocess.CompletedProcess[str]:
    program = source.with_suffix(".test")
    compiled(compiler, "-DRESEAU_TEST", source.name, "-x", "none", "-lm", "-o", program, folder=source.parent)
    return subprocess.run([program], capture_output=True, text=True, check=False)


class Exported:
    """The functions of an exported network in a shared library, as functions of rows."""

    def __init__(self, library: ctypes.CDLL, name: str, architecture: Architecture | Ensemble, dtype: str) -> None:
        self.library, self.name, self.dtype = library, name, dtype
        self.inputs, self.outputs = architecture.inputs, architecture.outputs

    def _each(self, function: str, X: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        results = []
        for x in np.ascontiguousarray(X, dtype=self.dtype):
            result = np.full(shape, np.nan, self.dtype)
            getattr(self.library, f"{self.name}_{function}")(x.ctypes.data_as(ctypes.c_void_p), pointer(result))
            results.append(result)
        return np.array(results)

    def predict(self, X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return self._each("predict", X, (self.outputs,))

    def jacobian(self, X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return self._each("jacobian", X, (self.outputs, self.inputs))


def pointer(array: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def shared_library(compiler: str, sources: list[Path], folder: Path, name: str = "all") -> ctypes.CDLL:
    # Linked by itself: with -Ofast GCC 12 adds what makes the thread that loads it take the smallest numbers for 0.
    library, objects = folder / f"{name}.so", [source.with_suffix(".o").name for source in sources]
    compiled(compiler, "-fPIC", "-c", *(source.name for source in sources), folder=folder)
    driver = COMPILERS[compiler][0]
    subprocess.run([driver, "-shared", *objects, "-lm", "-o", library], cwd=folder, check=True)
    return ctypes.CDLL(str(library))
