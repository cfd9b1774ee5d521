"""Whether whole numbers are labels: those of households, shops or zip codes, whose order says little of the target.

Bins follow the target wherever it changes slowly with a number. What they leave of it is compared between the levels,
which are the different numbers, and within them, by an analysis of variance [1].

[1] R. A. Fisher, Statistical Methods for Research Workers, 1925.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import f as f_distribution

from reseau.tables.columns import bins as binning
from reseau.tables.reading.cells import Floats

BINS = 24
LEAST_ROWS = 3  # of a level, on average
CHANCE = 1e-6  # of such a difference between levels that are alike
LEAST_SHARE = 0.05  # of the variance, that lies between levels beside what bins say of it
# What order says is little where the levels say so many times more, or about as much in a degree of freedom.
TIMES, ALIKE = 2.0, 0.6


def jagged(values: Floats, T: Floats) -> bool:
    """Whether the target jumps from one number to the next.

    Parameters
    ----------
    values : ndarray of shape (rows,)
        The numbers; NaN where one is missing.
    T : ndarray of shape (rows, signals)
        What the target says: a number, or 1 for the rows of a class.
    """
    present = ~np.isnan(values)
    x, T = values[present], T[present]
    if not len(x) or np.mod(x, 1.0).any():
        return False
    levels, places = np.unique(x, return_inverse=True)
    n, k = len(x), len(levels)
    if k <= BINS + 1 or n < LEAST_ROWS * k:  # bins tell so few levels apart
        return False
    edges = binning.edges_of(x, BINS)
    shares = np.ones((k, max(len(edges), 1)), np.float32)  # the last stays 1, of a constant
    if len(edges):
        binning.shares(levels, edges, shares[:, :-1])
    S = shares.astype(np.float64)
    counts = np.bincount(places).astype(np.float64)[:, None]
    means = np.stack([np.bincount(places, t) for t in T.T], axis=1) / counts  # (k, signals)
    fitted = S @ np.linalg.lstsq(np.sqrt(counts) * S, np.sqrt(counts) * means, rcond=None)[0]
    of_levels, of_rows = k - S.shape[1], n - k  # degrees of freedom
    if of_levels < 1 or of_rows < 1:
        return False
    between = (counts * (means - fitted) ** 2).sum(axis=0) / of_levels
    within = ((T - means[places]) ** 2).sum(axis=0) / of_rows
    varying = within > 0
    if not varying.all():  # levels that tell all
        return bool((between[~varying] > 0).any()) or bool(varying.any() and jagged(x, T[:, varying]))
    typical = n / k  # rows of a level
    share = (between - within) / typical / T.var(axis=0)
    of_bins = (counts * (fitted - T.mean(axis=0)) ** 2).sum(axis=0)
    says_little = share > TIMES * (of_bins / n / T.var(axis=0) - S.shape[1] / n)
    says_little |= between > ALIKE * of_bins / max(S.shape[1] - 1, 1)
    chance = f_distribution.sf(between / within, of_levels, of_rows) * T.shape[1]
    return bool(((chance < CHANCE) & (share > LEAST_SHARE) & says_little).any())
