"""Generated tables, each for one of the difficulties that real tables mix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3

Random = np.random.Generator


def numbered(X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Columns x0, x1, ... and y."""
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(y=y)


def friedman1(_: Random) -> pd.DataFrame:
    """A smooth function of five of ten numbers."""
    return numbered(*make_friedman1(3000, noise=1.0, random_state=0))


def friedman2(_: Random) -> pd.DataFrame:
    """An impedance: columns of very different scales."""
    return numbered(*make_friedman2(2000, noise=100.0, random_state=0))


def friedman3(_: Random) -> pd.DataFrame:
    """A phase: steep where a denominator vanishes."""
    return numbered(*make_friedman3(1000, noise=0.1, random_state=0))


def jagged(rng: Random) -> pd.DataFrame:
    """A level for each hour of the day and each month, in no order."""
    hour, month, weekend = rng.integers(0, 24, 4000), rng.integers(1, 13, 4000), rng.integers(0, 2, 4000)
    of_hour, of_month = rng.normal(size=(2, 24)), rng.normal(size=12)
    y = of_hour[weekend, hour] + of_month[month - 1] + 0.4 * rng.normal(size=4000)
    return pd.DataFrame({"hour": hour, "month": month, "weekend": weekend, "noise": rng.normal(size=4000), "y": y})


def wide(rng: Random) -> pd.DataFrame:
    """300 rows, 500 columns, two of which matter."""
    X = rng.normal(size=(300, 500))
    return numbered(X, 2 * X[:, 17] - X[:, 321] + 0.7 * rng.normal(size=300))


def levels(rng: Random, rows: int, count: int) -> pd.DataFrame:
    """A category with many levels, an effect each."""
    level, x, z = rng.integers(0, count, rows), rng.normal(size=rows), rng.normal(size=rows)
    y = rng.normal(size=count)[level] + 0.5 * x + 0.3 * rng.normal(size=rows)
    return pd.DataFrame({"level": [f"L{i:04}" for i in level], "x": x, "z": z, "y": y})


def levels250(rng: Random) -> pd.DataFrame:
    """Twenty rows of each of 250 levels."""
    return levels(rng, 5000, 250)


def levels1000(rng: Random) -> pd.DataFrame:
    """Eight rows of each of 1,000 levels."""
    return levels(rng, 8000, 1000)


def pair(rng: Random) -> pd.DataFrame:
    """Two categories that say nothing alone and all together."""
    one, other, x = rng.integers(0, 8, 3000), rng.integers(0, 8, 3000), rng.normal(size=3000)
    table = np.stack([rng.permutation([0, 1] * 4) for _ in range(8)])
    chance = 1 / (1 + np.exp(-(2.5 * (2 * table[one, other] - 1) + 0.5 * x)))
    y = np.where(rng.random(3000) < chance, "yes", "no")
    return pd.DataFrame({"one": [f"a{i}" for i in one], "other": [f"b{i}" for i in other], "x": x, "y": y})


def periodic(rng: Random) -> pd.DataFrame:
    """Five periods of a wave, modulated by another column."""
    x, phase = rng.random(2500), rng.random(2500)
    y = np.sin(10 * np.pi * x) * (1 + phase) + phase + 0.2 * rng.normal(size=2500)
    return pd.DataFrame({"x": x, "phase": phase, "noise": rng.normal(size=2500), "y": y})


def lognormal(rng: Random) -> pd.DataFrame:
    """A product of factors: a heavy tail."""
    X = rng.normal(size=(3000, 6))
    kind = rng.integers(0, 5, 3000)
    y = np.exp(10 + 0.8 * X[:, 0] + 0.4 * np.abs(X[:, 1]) + 0.3 * kind + 0.3 * rng.normal(size=3000))
    return numbered(X, y.round(2)).assign(kind=[f"k{i}" for i in kind])


def zeros(rng: Random) -> pd.DataFrame:
    """Sums of which two thirds are none at all."""
    X = rng.normal(size=(4000, 5))
    spends = rng.random(4000) < 1 / (1 + np.exp(1 - 1.5 * X[:, 0] - X[:, 1]))
    amount = np.exp(3 + 0.5 * X[:, 2] + 0.5 * X[:, 0] + 0.3 * rng.normal(size=4000))
    return numbered(X, np.where(spends, amount, 0.0).round(2))


MADE: dict[str, Callable[[Random], pd.DataFrame]] = {
    make.__name__: make
    for make in (
        friedman1,
        friedman2,
        friedman3,
        jagged,
        wide,
        levels250,
        levels1000,
        pair,
        periodic,
        lognormal,
        zeros,
    )
}
