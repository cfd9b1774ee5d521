"""How a model tells numbers: predicted beside actual, the errors, and whether intervals hold what they say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reseau.errors import ParameterError
from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading.cells import Codes, Floats
from reseau.tables.targets.quantity import MOST_RESIDUALS, Quantity
from reseau.tables.understanding.page.seen import histogram

if TYPE_CHECKING:
    from reseau.tables.targets.target import Values

MOST_POINTS = 1500
BINS = 30
COVERAGES = (0.5, 0.8, 0.9)
TAIL = 0.005  # of the errors at either end, that has the outermost steps of their histogram


@dataclass(frozen=True)
class Coverage:
    """Of intervals: the share of rows that they promise to hold, the share that they hold, and their median width."""

    promised: float
    held: float
    width: float


@dataclass(frozen=True)
class QuantitySeen:
    """What a model says of rows whose number is known.

    Attributes
    ----------
    y, predicted : ndarray
        Of some of the rows.
    rows : int
        How many there are in all.
    errors : tuple of int
        How many errors, actual minus predicted, there are in each step.
    edges : ndarray
        The ends of the steps; what is beyond counts for the outermost.
    bias, median : float
        The mean of the errors, and the median of their sizes.
    coverages : tuple of Coverage
    out_of_fold : bool
        Whether the intervals are made from the errors of other folds, or are the model's own.
    losses : ndarray of shape (rows,)
        The sizes of the errors.
    """

    y: Floats
    predicted: Floats
    rows: int
    errors: tuple[int, ...]
    edges: Floats
    bias: float
    median: float
    coverages: tuple[Coverage, ...]
    out_of_fold: bool
    losses: Floats

    @classmethod
    def of(cls, target: Quantity, evidence: Evidence) -> QuantitySeen:
        """Of the rows of some evidence."""
        y, predicted = evidence.y, target.numbers(evidence.O)
        some = np.arange(len(y))
        if len(y) > MOST_POINTS:
            some = np.sort(np.random.default_rng(0).choice(len(y), MOST_POINTS, replace=False))
        error = y - predicted
        low, high = np.quantile(error, [TAIL, 1 - TAIL])
        counts, edges = histogram(np.clip(error, low, high), BINS)
        folds = np.unique(evidence.folds)
        coverages = [
            coverage
            for promised in COVERAGES
            if (coverage := _coverage(target, evidence.O, y, evidence.folds, promised)) is not None
        ]
        return cls(
            y[some],
            predicted[some],
            len(y),
            tuple(counts.tolist()),
            edges,
            float(error.mean()),
            float(np.median(np.abs(error))),
            tuple(coverages),
            len(folds) > 1,
            np.abs(error),
        )


def _coverage(target: Quantity, O: Values, y: Floats, folds: Codes, promised: float) -> Coverage | None:
    """How many rows of each fold lie in the intervals that the errors of the others make; None for too few rows."""
    numbers = np.unique(folds)
    residuals = target.taught(y)[:, 0] - O[:, 0].astype(np.float64)
    low, high = np.empty(len(y)), np.empty(len(y))
    try:
        for fold in numbers:
            inside = folds == fold
            own = target if len(numbers) == 1 else replace(target, residuals=_some(residuals[~inside]))
            low[inside], high[inside] = own.interval(O[inside], promised)
    except ParameterError:  # too few rows for such an interval
        return None
    return Coverage(promised, float(((low <= y) & (y <= high)).mean()), float(np.median(high - low)))


def _some(residuals: Floats) -> tuple[float, ...]:
    """Residuals in increasing order; of many quantiles of them, as a target keeps them."""
    if len(residuals) > MOST_RESIDUALS:
        residuals = np.quantile(residuals, np.linspace(0.0, 1.0, MOST_RESIDUALS))
    return tuple(np.sort(residuals).tolist())
