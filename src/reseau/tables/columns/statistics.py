"""Where the values of a column lie, and how far apart."""

from __future__ import annotations

import numpy as np

from reseau.tables.reading.cells import Floats

ROUNDING = 1e-12  # of the median: what differs by less does not differ
WHOLE = 2.0**53  # beyond it all numbers of float64 are whole
ULPS = 2  # units in the last place of float32, by which a number differs once it was computed in two ways
NOTHING = 1e-100  # nor does what differs by less than this, so that no quotient of float32's numbers overflows, nor z²


def mean_and_deviation(present: Floats) -> tuple[float, float]:
    """Mean and standard deviation; the latter is 0 where the values do not vary beyond rounding."""
    mean, low, high = float(present.mean()), float(present.min()), float(present.max())
    least = ROUNDING * max(abs(low), abs(high))
    if high - low <= least or _are_one_in_single(present, low, high):
        return mean, 0.0
    deviation = float(present.std())
    return mean, 0.0 if deviation <= least else deviation


def _are_one_in_single(present: Floats, low: float, high: float) -> bool:
    """Whether they are numbers of float32 that differ by its rounding; whole numbers such as times are exact."""
    largest = max(abs(low), abs(high))
    whole = largest < WHOLE and low.is_integer() and high.is_integer()
    if whole or largest > np.finfo(np.float32).max:
        return False
    near = high - low <= ULPS * float(np.spacing(np.float32(largest)))
    return near and bool((present == present.astype(np.float32)).all())


def median_and_spread(present: Floats) -> tuple[float, float]:
    """Median, and what to divide by: how wide the middle half of the values is.

    Where half of them or more are one value, the quartiles say little of the others: it is then the median distance of
    those that differ from that value; where none differs, 1.
    """
    low, median, high = np.percentile(present, [25.0, 50.0, 75.0])
    distances = np.abs(present - median)
    differing = distances[distances > max(ROUNDING * abs(median), NOTHING)]
    if not len(differing):
        return float(median), 1.0
    return float(median), float(high - low if 2 * len(differing) > len(present) else np.median(differing))
