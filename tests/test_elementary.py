"""The native engine's elementary functions, within 1 ulp in float32 and 2 in float64, on samples.

The activations that are elementary functions themselves show them. All functions on every float32 there is are measured
by benchmarks/accuracy.py, whose short form runs here too.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import reseau as rs
from reseau import engine as engines

pytestmark = pytest.mark.usefixtures("native")

TOOL = Path(__file__).parents[1] / "benchmarks" / "accuracy.py"
BOUNDS = {"float32": 1.0, "float64": 2.0}
EXACT: dict[str, Callable[[Any], Any]] = {
    "exponential": mp.exp,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "tanh": mp.tanh,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
}
# What comes of the largest negative number, of zero and of the largest number; None where that comes back.
SPECIAL = {
    "exponential": (0.0, 1.0, np.inf),
    "elu": (-1.0, 0.0, None),
    "tanh": (-1.0, 0.0, 1.0),
    "sigmoid": (0.0, 0.5, 1.0),
    "softplus": (0.0, np.log(2), None),
}


@pytest.fixture
def fused() -> None:
    """Skip where the build has no fused multiply-add, without which the bounds are not kept."""
    if engines.info()["instruction_set"] == "portable" and platform.machine() in ("x86_64", "AMD64"):
        pytest.skip("no fused multiply-adds in the instruction set in force")


def values(name: str, z: Any, precision: str) -> Any:
    """σ(z) of the native engine, through a network o = σ(x)."""
    net = rs.Network(rs.Dense(1, name, bias=False), inputs=1, dtype=precision, engine="native")
    net.parameters[...] = 1
    return net(np.asarray(z, dtype=precision)[:, None])[:, 0]


def errors_in_ulp(name: str, z: Any, computed: Any) -> list[float]:
    info = np.finfo(computed.dtype)
    smallest, digits = np.log2(info.smallest_subnormal), info.nmant
    found = []
    with mp.workdps(60):
        for point, value in zip(z.astype(float), computed.astype(float), strict=True):
            exact = EXACT[name](mp.mpf(point))
            ulp = mp.mpf(2) ** max(int(mp.floor(mp.log(abs(exact), 2))) - digits, int(smallest))
            found.append(float(abs(mp.mpf(value) - exact) / ulp))
    return found


@pytest.mark.usefixtures("fused")
@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", EXACT)
def test_values_are_within_the_bound(name, precision):
    rng = np.random.default_rng(0)
    limit = {"float32": 88.0, "float64": 709.0}[precision]
    sizes = 10.0 ** rng.uniform(-20, 0, 500)
    z = np.concatenate(
        [rng.uniform(-limit, limit, 500), rng.uniform(-20, 20, 1000), rng.uniform(-1, 1, 1000), sizes, -sizes]
    )
    z = z.astype(precision)
    errors = errors_in_ulp(name, z, values(name, z, precision))
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[precision], float(z[worst])


@pytest.mark.usefixtures("fused")
@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", sorted(EXACT.keys() - {"tanh", "elu"}))
def test_results_below_the_smallest_normal_number_are_within_the_bound(name, precision):
    low, high = {"float32": (-103.0, -87.5), "float64": (-744.0, -709.0)}[precision]
    z = np.random.default_rng(1).uniform(low, high, 300).astype(precision)
    computed = values(name, z, precision)
    assert computed.min() > 0
    assert computed.max() < np.finfo(precision).smallest_normal
    assert max(errors_in_ulp(name, z, computed)) <= BOUNDS[precision]


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", ["elu", "tanh"])
def test_subnormal_arguments_come_back_unchanged(name, precision):
    smallest = np.finfo(precision).smallest_subnormal
    z = np.array([-3 * smallest, -smallest, smallest, 5 * smallest], dtype=precision)
    np.testing.assert_array_equal(values(name, z, precision), z)


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", EXACT)
def test_the_largest_numbers_give_the_limits_and_zero_the_exact_value(name, precision):
    largest = np.finfo(precision).max
    computed = values(name, [-largest, 0.0, largest], precision)
    expected = np.array([largest if y is None else y for y in SPECIAL[name]], dtype=precision)
    np.testing.assert_array_equal(computed, expected)


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("CXX") is None and shutil.which("c++") is None, reason="no C++ compiler")
@pytest.mark.usefixtures("fused")
def test_every_97th_float_is_within_the_bounds():
    command = [sys.executable, str(TOOL), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
