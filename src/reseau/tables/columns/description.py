"""What every description of a column has, and what those have in common that are one value."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from reseau.errors import DataError, ParameterError, ReseauError
from reseau.tables.columns import bins as binning
from reseau.tables.columns.jumps import with_jumps
from reseau.tables.columns.statistics import mean_and_deviation, median_and_spread
from reseau.tables.columns.words import BETWEEN, BY_RANK, IS_MISSING, edge, say
from reseau.tables.reading import cells as read
from reseau.tables.reading.cells import Codes, Floats, Labels
from reseau.tables.reading.table import Column
from reseau.visible import plural

Rows = npt.NDArray[np.int64]
X32 = npt.NDArray[np.float32]
Values = Floats | Labels

OF_BINS = 0.3  # chosen among 1, 0.3 and 0.15 on benchmarks/tables: -1.5 % error of numbers, -0.5 % of classes
LIMIT = 5.0  # of |z|; with asinh 74 spreads: one 1e6 among normal numbers, if not cut, costs R² 0.1
# Spreads from the median, 13 deviations of a normal number. Outliers cannot hide behind it as they do behind the
# deviation, which they widen. Squashing numbers that have none costs R² (uniform ones 0.02, Boston's houses 0.03).
FAR = 10.0
STILL = 1e-12  # the limit of what did not vary beyond rounding: nothing was learned of how other numbers matter
NO_LIMIT = sys.float_info.max

D = TypeVar("D", bound="Description")


@dataclass(frozen=True)
class Description(ABC):
    """What every kind of column has: a name, and how to read, fit and encode it."""

    name: str
    kind: ClassVar[str]

    @property
    def features(self) -> list[str]:
        """The names of the inputs that this column gives."""
        return self.inputs_in("en")

    @abstractmethod
    def inputs_in(self, lang: str) -> list[str]:
        """The names of the inputs in a language."""

    @property
    def paces(self) -> list[float]:
        """By what each input is multiplied while it is learned from."""
        return [1.0] * len(self.features)

    @abstractmethod
    def read(self, column: Column) -> Values:
        """Read the cells; a `DataError` names the first that cannot be read."""

    @abstractmethod
    def fit(self: D, values: Any, rows: Rows) -> D:
        """Return the description with the statistics of these rows."""

    @abstractmethod
    def encode(self, values: Any, X: X32) -> None:
        """Write the inputs into X, (rows, number of features)."""

    def detailed(self, values: Any, rows: Rows, bins: int, T: Floats) -> Description:
        """Return the fitted description with what else these rows tell, in further inputs; or why it is left out.

        Parameters
        ----------
        values : ndarray or Labels
            Of all rows.
        rows : ndarray of int
            The training rows.
        bins : int
            How many bins a number has at most.
        T : ndarray of shape (training rows, signals)
            What the target says of each training row.
        """
        return self

    @property
    def follows_target(self) -> bool:
        """Whether what a column gives was taken from the target of the training rows."""
        return False

    def encode_out_of_fold(self, values: Any, X: X32, rows: Rows, folds: Codes, out: int, T: Floats) -> None:
        """Write what the target tells of training rows into X, for each taken from rows of other folds.

        If what is told of any row came from the fold that a member does not learn from, the member could learn the
        targets there: with each label and what other folds tell of it, a fold's own part is known too.

        Parameters
        ----------
        values : ndarray or Labels
            Of all rows.
        X : ndarray of shape (rows, inputs)
            What `encode` wrote.
        rows : ndarray of int
            The training rows.
        folds : ndarray of shape (training rows,)
            The fold of each.
        out : int
            The fold that tells nothing of any row.
        T : ndarray of shape (training rows, signals)
            What the target says of each.
        """
        return

    def check(self) -> None:
        """Raise a ReseauError if the parts of a description that a file holds do not fit one another."""
        return

    def slopes(self, values: Any) -> tuple[Floats, Floats] | None:
        """The first two derivatives of its first inputs by its values, (rows, inputs); None for what is no number."""
        return None

    def grid(self, values: Any, most: int) -> Any:
        """At most so many values, of those that were read, by which it is seen what follows the column."""
        raise ParameterError(f"the column {self.name!r} ({self.taken_for}) has no values to go through.")

    def shown(self, values: Any) -> npt.NDArray[Any]:
        """Values as people have them: numbers, dates as datetime64, or texts."""
        return np.asarray(values)

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

    def inputs_in(self, lang: str) -> list[str]:
        """Return the names of the inputs."""
        return [self.name, *self.is_missing_in(lang)]

    def is_missing_in(self, lang: str) -> list[str]:
        """The name of the last input, which says whether the value is missing, if there is such a one."""
        return [say(IS_MISSING, lang, name=self.name)] * self.missing

    def _filled(self, values: Floats, X: X32) -> Floats:
        """Return the values with the missing ones filled, and mark those in X."""
        absent = np.isnan(values)
        if self.missing:
            X[:, -1] = absent
        return np.where(absent, self.fill, values)


@dataclass(frozen=True, kw_only=True)
class Scaled(Scalar):
    """What numbers and dates share: z = (x - centre) / scale; asinh(z) if `squash`; kept within `limit`; and bins.

    `fit` takes mean and standard deviation, unless a value lies far from the median: then the median and the spread
    (`median_and_spread`), which outliers hardly move, and asinh, which brings these near. `fill` is the median. Where
    the values are one but for rounding, the limit is `STILL`: no number then makes an input that training never saw.
    """

    centre: float = 0.0
    scale: float = 1.0
    limit: float = NO_LIMIT
    squash: bool = False
    edges: tuple[float, ...] = ()  # of its bins, if it has any
    ranks: tuple[float, ...] = ()  # the normal quantiles of the edges

    def fit(self: S, values: Floats, rows: Rows) -> S:
        """Return the description with the statistics of these rows."""
        values = values[rows]
        present = values[~np.isnan(values)]
        missing = len(present) < len(values)
        if not len(present):
            return replace(self, missing=missing, limit=STILL)
        median, spread = median_and_spread(present)
        mean, deviation = mean_and_deviation(present)
        if not deviation:
            return replace(self, fill=median, missing=missing, centre=median, limit=STILL)
        far = bool((np.abs(present - median) > FAR * spread).any())
        centre, scale = (median, spread) if far else (mean, deviation)
        return replace(self, fill=median, missing=missing, centre=centre, scale=scale, limit=LIMIT, squash=far)

    def detailed(self: S, values: Floats, rows: Rows, bins: int, T: Floats) -> S:
        """Return the description with bins between the quantiles of these rows, and the ranks of their edges."""
        if self.still:
            return self
        values = values[rows]
        known = ~np.isnan(values)
        present = values[known]
        edges = with_jumps(present, T[known], binning.edges_of(present, bins))
        if not len(edges):
            return self
        ranks = binning.ranks_of(edges, present)
        return replace(self, edges=tuple(edges.tolist()), ranks=tuple(ranks.tolist()))

    def grid(self, values: Floats, most: int) -> Floats:
        """Quantiles of the values from the smallest to the largest, or all values where they are few."""
        present = np.unique(values[~np.isnan(values)])
        if not len(present):
            raise DataError(f"the column {self.name!r} is missing in each row, so that it has no values to go through.")
        if len(present) <= most:
            return present
        quantiles = np.quantile(values[~np.isnan(values)], np.linspace(0, 1, most), method="inverted_cdf")
        return np.unique(quantiles)

    @property
    def still(self) -> bool:
        """Whether it did not vary at training."""
        return self.limit <= STILL

    def check(self) -> None:
        """Refuse edges that do not increase, and other ranks than edges."""
        if len(self.edges) == 1 or len(self.edges) != len(self.ranks) or not (np.diff(self.edges) > 0).all():
            raise ReseauError(f"The edges and ranks of column {self.name!r} do not fit one another.")

    @property
    def placed(self) -> list[str]:
        """The names of the inputs that say where a value lies: scaled, by rank, and in bins."""
        return self.placed_in("en")

    def placed_in(self, lang: str) -> list[str]:
        """The same in a language."""
        measured = self.measured_in(lang)
        if not self.edges:
            return [measured]
        steps = pairwise(edge(value, lang) for value in self.edges)
        between = (say(BETWEEN, lang, name=measured, low=low, high=high) for low, high in steps)
        return [measured, say(BY_RANK, lang, name=measured), *between]

    @property
    def paces(self) -> list[float]:
        """Bins are learned from more slowly than what else there is, as they are many, of which most are 1 together."""
        places = range(len(self.features))
        return [OF_BINS if len(self.placed) > place > 1 else 1.0 for place in places]

    def measured_in(self, lang: str) -> str:
        """What the number is, in a language."""
        return self.name

    def _place(self, filled: Floats, X: X32) -> None:
        """Write these inputs into the first columns of X."""
        z = (filled - self.centre) / self.scale
        X[:, 0] = np.clip(np.arcsinh(z) if self.squash else z, -self.limit, self.limit)
        if self.edges:
            X[:, 1] = np.interp(filled, self.edges, self.ranks)
            binning.shares(filled, np.array(self.edges), X[:, 2 : 1 + len(self.edges)])

    def _slopes(self, values: Floats) -> tuple[Floats, Floats]:
        """Their slopes, and how these change: 0 where z is held and in other bins, NaN without a value."""
        z = (values - self.centre) / self.scale
        held = self.still | (np.abs(np.arcsinh(z) if self.squash else z) > self.limit)
        r = np.hypot(1, z) if self.squash else 1 + 0 * z
        slope, bend = 1 / r / self.scale, (-(z / r) / r / r if self.squash else 0 * z) / self.scale / self.scale
        first, second = np.where(held, 0.0, slope)[:, None], np.where(held, 0.0, bend)[:, None]
        if self.edges:
            shares = binning.slopes(values, np.array(self.edges)) + 0 * values[:, None]
            first = np.hstack([first, (shares @ np.diff(self.ranks))[:, None], shares])
            second = np.hstack([second, 0 * first[:, 1:]])
        return first, second


S = TypeVar("S", bound=Scaled)
