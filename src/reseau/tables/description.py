"""What every description of a column has, and what those have in common that are one value."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from reseau.tables import cells as read
from reseau.tables.cells import Floats, Labels
from reseau.tables.statistics import mean_and_scale, median_and_spread
from reseau.tables.table import Column
from reseau.visible import plural

Rows = npt.NDArray[np.int64]
X32 = npt.NDArray[np.float32]
Values = Floats | Labels

LIMIT = 5.0  # of |z|; with asinh 74 spreads: one 1e6 among normal numbers, if not cut, costs R² 0.1
# Spreads from the median, 13 deviations of a normal number. Outliers cannot hide behind it as they do behind the
# deviation, which they widen. Squashing numbers that have none costs R² (uniform ones 0.02, Boston's houses 0.03).
FAR = 10.0
NO_LIMIT = sys.float_info.max

D = TypeVar("D", bound="Description")


@dataclass(frozen=True)
class Description(ABC):
    """What every kind of column has: a name, and how to read, fit and encode it."""

    name: str
    kind: ClassVar[str]

    @property
    @abstractmethod
    def features(self) -> list[str]:
        """The names of the inputs that this column gives."""

    @abstractmethod
    def read(self, column: Column) -> Values:
        """Read the cells; a `DataError` names the first that cannot be read."""

    @abstractmethod
    def fit(self: D, values: Any, rows: Rows) -> D:
        """Return the description with the statistics of these rows."""

    @abstractmethod
    def encode(self, values: Any, X: X32) -> None:
        """Write the inputs into X, (rows, number of features)."""

    def slopes(self, values: Any) -> tuple[Floats, Floats] | None:
        """The first two derivatives of its first input by its values, (rows,) each; None where these are no numbers."""
        return None

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that count as missing in this column."""
        return read.MISSING

    @property
    def sentinels(self) -> tuple[float, ...]:
        """The numbers that count as missing in this column."""
        return ()

    def absent(self, column: Column, values: Any) -> int:
        """How many cells are missing, which were read as these values."""
        return int(read.without(column.cells, self.marks).null_count)

    def remarks(self, values: Any) -> list[str]:
        """Tell what is remarkable about values to be encoded."""
        return []

    @property
    def summary(self) -> str:
        """A few words on what was learned from the training rows."""
        return ""

    @property
    def cell_kind(self) -> str:
        """What kind of cells it reads: its own kind, but for times of day."""
        return self.kind

    @property
    def taken_for(self) -> str:
        """What the column was taken for, in a word or two."""
        return self.kind

    @property
    def told(self) -> str:
        """What is told of it beside that."""
        return self.summary


@dataclass(frozen=True, kw_only=True)
class Scalar(Description):
    """What numbers, booleans and dates share: one value, and a last input that says whether it is missing."""

    fill: float = 0.0  # for missing
    missing: bool = False  # whether values were missing at training
    also_missing: tuple[str, ...] = ()  # texts that count as missing in this column, beside the usual marks

    @property
    def marks(self) -> tuple[str, ...]:
        """The texts that count as missing in this column."""
        return (*read.MISSING, *self.also_missing)

    @property
    def sentinels(self) -> tuple[float, ...]:
        """The numbers that count as missing in this column."""
        return tuple(read.as_numbers(self.also_missing))

    def absent(self, column: Column, values: Floats) -> int:
        """How many cells are missing, which were read as these values."""
        return int(np.isnan(values).sum())

    def remarks(self, values: Floats) -> list[str]:
        """Tell of missing values where none was missing at training."""
        count = int(np.isnan(values).sum())
        if self.missing or not count:
            return []
        return [f"{self.name}: missing in {plural(count, 'row')}, and never at training; taken as {self.typical}"]

    @property
    def typical(self) -> str:
        """What stands for a missing value, in words."""
        return f"the median, {self.fill:.6g}"

    @property
    def features(self) -> list[str]:
        """Return the names of the inputs."""
        return [self.name] + [f"{self.name} is missing"] * self.missing

    def _filled(self, values: Floats, X: X32) -> Floats:
        """Return the values with the missing ones filled, and mark those in X."""
        absent = np.isnan(values)
        if self.missing:
            X[:, -1] = absent
        return np.where(absent, self.fill, values)


@dataclass(frozen=True, kw_only=True)
class Scaled(Scalar):
    """What numbers and dates share: z = (x - centre) / scale; asinh(z) if `squash`; kept within `limit`.

    `fit` takes mean and standard deviation, unless a value lies far from the median: then the median and the spread
    (`median_and_spread`), which outliers hardly move, and asinh, which brings these near. `fill` is the median.
    """

    centre: float = 0.0
    scale: float = 1.0
    limit: float = NO_LIMIT
    squash: bool = False

    def fit(self: S, values: Floats, rows: Rows) -> S:
        """Return the description with the statistics of these rows."""
        values = values[rows]
        present = values[~np.isnan(values)]
        missing = len(present) < len(values)
        if not len(present):
            return replace(self, missing=missing, limit=LIMIT)
        median, spread = median_and_spread(present)
        far = bool((np.abs(present - median) > FAR * spread).any())
        centre, scale = (median, spread) if far else mean_and_scale(present)
        return replace(self, fill=median, missing=missing, centre=centre, scale=scale, limit=LIMIT, squash=far)

    def _within(self, filled: Floats) -> Floats:
        """Return z."""
        z = (filled - self.centre) / self.scale
        return np.clip(np.arcsinh(z) if self.squash else z, -self.limit, self.limit)

    def _slopes(self, values: Floats) -> tuple[Floats, Floats]:
        """∂z/∂x and ∂²z/∂x² of each value: 0 where z is kept within its limit, NaN where there is none."""
        z = (values - self.centre) / self.scale
        held = np.abs(np.arcsinh(z) if self.squash else z) > self.limit
        r = np.hypot(1, z) if self.squash else 1 + 0 * z
        slope, bend = 1 / r / self.scale, (-(z / r) / r / r if self.squash else 0 * z) / self.scale / self.scale
        return np.where(held, 0.0, slope), np.where(held, 0.0, bend)


S = TypeVar("S", bound=Scaled)
