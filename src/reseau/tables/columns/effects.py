"""How the target goes with the levels of a column: its mean for each level, drawn towards that of all rows.

The mean of n rows of a level is known to the variance w/n, where w is that within levels; the levels themselves differ
by the variance b. The best linear estimate of a level's own mean from both is m̄ + (m − m̄) n/(n + w/b), an estimate by
empirical Bayes [1]; w and b are those of an analysis of variance.

[1] D. Micci-Barreca, A Preprocessing Scheme for High-Cardinality Categorical Attributes, 2001.
"""

from __future__ import annotations

import numpy as np

from reseau.tables.reading.cells import Codes, Floats

LEAST_BETWEEN = 1e-3  # of the variance within levels: that between them, where fewer rows than levels say it is nothing


def effects_of(places: Codes, n: int, T: Floats) -> Floats:
    """The effect of each of n levels on each signal: (n, signals), 0 for a level that has no row.

    Parameters
    ----------
    places : ndarray of shape (rows,)
        The level of each row.
    n : int
        How many levels there are.
    T : ndarray of shape (rows, signals)
        What the target says: a number, or 1 for the rows of a class.
    """
    counts = np.bincount(places, minlength=n).astype(np.float64)[:, None]  # (n, 1)
    at_least_one = np.maximum(counts, 1.0)
    mean = T.mean(axis=0)
    D = T - mean
    sums = np.stack([np.bincount(places, D[:, j], minlength=n) for j in range(D.shape[1])], axis=1)
    means = sums / at_least_one
    met = max(int((counts > 0).sum()), 2)
    within = ((D - means[places]) ** 2).sum(axis=0) / max(len(D) - met, 1)
    typical = (len(D) - (counts**2).sum() / len(D)) / (met - 1)  # rows of a level, for the variance between them
    between = ((counts * means**2).sum(axis=0) / (met - 1) - within) / max(typical, 1.0)
    draw = within / np.maximum(between, LEAST_BETWEEN * within + np.finfo(float).tiny)
    return np.asarray(sums / (at_least_one + draw))
