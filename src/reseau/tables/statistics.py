"""Where the values of a column lie, and how far apart."""

from __future__ import annotations

import numpy as np

from reseau.tables.cells import Floats

ROUNDING = 1e-12  # of the median: what differs by less does not differ
NOTHING = 1e-100  # nor does what differs by less than this, so that no quotient of float32's numbers overflows, nor z²


def mean_and_deviation(present: Floats) -> tuple[float, float]:
    """Mean and standard deviation; the latter is 0 where the values do not vary beyond rounding."""
    mean, deviation = float(present.mean()), float(present.std())
    flat = deviation <= 1e-12 * max(abs(mean), float(np.abs(present).max()))
    return mean, 0.0 if flat else deviation


def mean_and_scale(present: Floats) -> tuple[float, float]:
    """Mean and what to divide by: the standard deviation, or 1 where that is 0."""
    mean, deviation = mean_and_deviation(present)
    return mean, deviation or 1.0


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
