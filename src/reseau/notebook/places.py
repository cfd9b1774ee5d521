"""Places of numbers on the lines of a diagram, such that they can be read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def apart(starts: Points, ends: Points, sizes: Points, radius: float) -> Points:
    """Find a place on each line for a box, such that it lies on no other box and on as few other lines as can be.

    Parameters
    ----------
    starts, ends : ndarray of shape (n_in, 2) and (n_out, 2)
        Every start is joined with every end.
    sizes : ndarray of shape (n_in · n_out, 2)
        Width and height of the boxes.
    radius : float
        Of the circles at the ends.

    Returns
    -------
    ndarray of shape (n_in · n_out, 2)
        The middles of the boxes.
    """
    y0, y1 = starts[:, 1].repeat(len(ends)), np.tile(ends[:, 1], len(starts))
    x0, across = starts[0, 0], ends[0, 0] - starts[0, 0]
    middles: Points = np.zeros_like(sizes)
    for i, (width, height) in enumerate(sizes):
        margin = min((radius + width / 2) / across, 0.45)
        ts = np.linspace(margin, 1 - margin, 25)
        ts = ts[np.argsort(np.abs(ts - 0.3), kind="stable")]  # of equal places that nearest to the start, as one reads
        x, y = x0 + ts * across, y0[i] + ts * (y1[i] - y0[i])
        at = np.stack([x, y], axis=1)
        away = np.abs(middles[:i] - at[:, None]) - (sizes[:i] + sizes[i]) / 2
        sides = ts[:, None, None] + np.array([[-0.5], [0.5]]) * width / across
        ys = y0 + sides * (y1 - y0)  # of all lines, where the box begins and ends
        crossed = (ys.min(axis=1) < y[:, None] + height / 2) & (ys.max(axis=1) > y[:, None] - height / 2)
        middles[i] = at[np.argmin(100 * (away < 0).all(axis=2).sum(axis=1) + crossed.sum(axis=1))]
    return middles
