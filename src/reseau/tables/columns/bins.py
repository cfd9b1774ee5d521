"""A number in bins between quantiles: how far through each bin it is, and where it ranks.

The edges e_0 < e_1 < ... < e_n of the bins are quantiles of the training rows, or all of their values where these are
few. The share of bin i that lies below x is t_i = (x − e_{i−1})/(e_i − e_{i−1}), kept within 0 and 1, so that a layer
on the t_i is a line with a bend at each edge [1]. Where x ranks, as the normal quantile Φ⁻¹(p) of its place p among the
training rows, is taken for such a line too, through the rank of each edge.

[1] Y. Gorishniy, I. Rubachev, A. Babenko, On Embeddings for Numerical Features in Tabular Deep Learning, 2022.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from reseau.tables.columns.statistics import NOTHING, ROUNDING
from reseau.tables.reading.cells import Floats

X32 = npt.NDArray[np.float32]

AT_ONCE = 4096  # rows, whose shares in double are then still in the second cache
LEAST_EDGES = 3  # with two values, as with a 0 and a 1, a bin says what the number itself says


def edges_of(present: Floats, bins: int) -> Floats:
    """The edges of at most so many bins, none of them narrower than rounding; empty where a bin tells nothing new."""
    values = np.unique(present)
    if len(values) > bins + 1:
        values = np.unique(np.quantile(present, np.linspace(0.0, 1.0, bins + 1)))
    values = np.concatenate([values[:1], values[1:][~too_narrow(values)]])
    return values if bins and len(values) >= LEAST_EDGES else np.empty(0)


def too_narrow(edges: Floats) -> npt.NDArray[np.bool_]:
    """Whether each bin is no wider than rounding."""
    return np.asarray(np.diff(edges) <= np.maximum(ROUNDING * np.abs(edges[1:]), NOTHING))


def ranks_of(edges: Floats, present: Floats) -> Floats:
    """The normal quantile of each edge among these values, scaled to mean 0 and deviation 1 over them."""
    ordered = np.sort(present)
    below = np.searchsorted(ordered, edges, "left") + np.searchsorted(ordered, edges, "right")
    n = len(ordered)
    ranks = ndtri(np.clip(below / 2 / n, 0.5 / n, 1 - 0.5 / n))
    met = np.interp(present, edges, ranks)
    return np.asarray((ranks - met.mean()) / (met.std() or 1.0))


def shares(x: Floats, edges: Floats, T: X32) -> None:
    """Write how much of each bin lies below each number into T, (rows, bins)."""
    widths = np.diff(edges)
    for start in range(0, len(x), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        T[block] = np.clip((x[block, None] - edges[:-1]) / widths, 0.0, 1.0)


def slopes(x: Floats, edges: Floats) -> Floats:
    """∂t_i/∂x (rows, bins): 1 over the width of the bin that x is in, 0 of all others."""
    inside = (x[:, None] >= edges[:-1]) & (x[:, None] < edges[1:])
    return np.where(inside, 1 / np.diff(edges), 0.0)
