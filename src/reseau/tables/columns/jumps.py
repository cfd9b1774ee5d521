"""Where the target jumps with a number: edges of bins there, which quantiles would miss.

Between two edges a layer on bins is a line. Where the target changes from one value to the next, as with a threshold by
which it was made, that line is too flat whatever is learned. So windows of rows in the order of the number are looked
at: whether a step in the midst says more of the target than a line does, by an F test [1], and more of what bins leave
of it too. The first alone would take curves for steps, the second the bends of what was fitted.

[1] R. A. Fisher, Statistical Methods for Research Workers, 1925.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from reseau.tables.columns import bins as binning
from reseau.tables.reading.cells import Codes, Floats

MOST_JUMPS = 3  # of a column
LEAST_WINDOW = 16  # rows on each side of a step: that 32 rows are parted by chance, 16 and 16, is one in 6e8
MOST_ROWS = 20_000  # that are looked at, evenly spaced in the order of the number
CHANCE = 1e-6  # of such a step anywhere in a column where there is none
SMALL = 1e-3  # of the target's variance: what a step leaves is taken for no less


def with_jumps(x: Floats, T: Floats, edges: Floats) -> Floats:
    """The edges of bins, and two more, the values on both sides, where the target jumps.

    Parameters
    ----------
    x : ndarray of shape (rows,)
        The numbers, none missing.
    T : ndarray of shape (rows, signals)
        What the target says: a number, or 1 for the rows of a class.
    edges : ndarray of shape (edges,)
        As `bins.edges_of` makes them; empty where there are none.
    """
    varying = T.var(axis=0) > 0
    if not len(edges) or len(x) < 2 * LEAST_WINDOW or not varying.any():
        return edges
    order = np.argsort(x, kind="stable")
    if len(order) > MOST_ROWS:
        order = order[np.linspace(0, len(order) - 1, MOST_ROWS).astype(np.int64)]
    x, T = x[order], (T - T.mean(axis=0))[order][:, varying]
    per_bin = len(x) // len(edges)
    for _ in range(MOST_JUMPS):
        place = _jump(x, T, T - _fitted(x, T, edges), per_bin)
        if place is None:
            break
        wider = np.union1d(edges, x[place - 1 : place + 1])
        if len(wider) == len(edges) or binning.too_narrow(wider).any():
            break
        edges = wider
    return edges


def _fitted(x: Floats, T: Floats, edges: Floats) -> Floats:
    """What bins say of the target, (rows, signals)."""
    shares = np.ones((len(x), len(edges)), np.float32)  # the last stays 1, of a constant
    binning.shares(x, edges, shares[:, :-1])
    S = shares.astype(np.float64)
    return np.asarray(S @ np.linalg.lstsq(S.T @ S, S.T @ T, rcond=None)[0])


def _jump(x: Floats, T: Floats, R: Floats, per_bin: int) -> int | None:
    """The first row behind the surest step of the target T, and of what is left of it R, if there is one."""
    n, signals = T.shape
    least, found = CHANCE / max(n * signals, 1), None
    sums, floor = [_Sums.of(t) for t in (T, R)], SMALL * T.var(axis=0)
    for h in sorted({LEAST_WINDOW, max(per_bin // 2, LEAST_WINDOW), max(per_bin, LEAST_WINDOW)}):
        behind = np.arange(h, min(n - h + 1, n))
        behind = behind[x[behind] > x[behind - 1]]
        if not len(behind):
            continue
        F = np.minimum(*(each.of_steps(behind, h, floor) for each in sums)).max(axis=1)
        chance = f_distribution.sf(F, 1, 2 * h - 3)
        surest = int(np.argmin(chance))
        if chance[surest] < least:
            least, found = float(chance[surest]), int(behind[surest])
    return found


@dataclass(frozen=True)
class _Sums:
    """Of the rows before each, (rows + 1, signals): Σ t, Σ i t and Σ t², where i is the row's place."""

    ones: Floats
    along: Floats
    squares: Floats

    @classmethod
    def of(cls, T: Floats) -> _Sums:
        nothing, i = np.zeros((1, T.shape[1])), np.arange(len(T))[:, None]
        return cls(*(np.concatenate([nothing, np.cumsum(t, axis=0)]) for t in (T, i * T, T * T)))

    def of_steps(self, k: Codes, h: int, floor: Floats) -> Floats:
        """F of a step before each row k, in a window of h rows on each side, (k, signals).

        The places in a window are u = -h + ½, ..., h - ½, and s = sign(u) is the step. A line leaves of it
        s - u h²/Σu², with Σu² = h (4h² - 1)/6.
        """
        low, high, of_u = k - h, k + h, h * (4 * h * h - 1) / 6
        total = self.ones[high] - self.ones[low]
        by_step = self.ones[high] - 2 * self.ones[k] + self.ones[low]
        by_line = self.along[high] - self.along[low] - (k[:, None] - 0.5) * total
        left = self.squares[high] - self.squares[low] - total**2 / (2 * h) - by_line**2 / of_u
        gained = (by_step - by_line * h * h / of_u) ** 2 / (2 * h - h**4 / of_u)
        return np.asarray(gained / np.maximum(left - gained, 2 * h * floor) * (2 * h - 3))
