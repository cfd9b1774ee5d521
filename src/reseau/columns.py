"""Columns that will hardly be learnt as they are: their values merge, or spread wildly more or less than others'."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from reseau.array_likes import NumberArray, column, column_name, is_frame
from reseau.arrays import FloatArray, IntArray, SparseRows
from reseau.checks import frames_within

# Values merge where a column keeps less than this share of its different ones; rounding alone hardly merges any.
_KEPT = 0.75
_SAMPLE = 256  # rows are looked at
_ROUNDINGS = 2.0**-42  # floats that are nearer than a thousand roundings of float64 are not different
_WILD = 1e3  # times as much spread
_RARE = 10  # a column of few ones among zeros spreads little; it is taken for at least this part of its range
_FEW = 5  # numbers of a sparse column that tell of its size
_MOST, _MOST_OF_NORMAL = (0.05, 0.95), 3.29  # quantiles, and how many standard deviations lie between them
_NOISE, _TINY = 1e-14, 1e-8  # of the widest spread, and at most: what rounding leaves of a column that would be 0


def warn_of_columns(
    values: object,
    array: NumberArray | SparseRows,
    name: str,
    dtype: np.dtype[Any],
    of_scales: type[Warning] | None = UserWarning,
) -> None:
    """Say which columns have values that merge in the precision they are learnt in, or else which two spread wildly.

    Parameters
    ----------
    values : array-like
        What the user gave, for the names of its columns.
    array : ndarray or SparseRows of shape (rows, columns)
        The same, finite numbers.
    name : str
        What to call it.
    dtype : numpy.dtype
        The network's precision.
    of_scales : type of Warning or None
        What to warn with of columns that spread wildly; None leaves that out.

    Warns
    -----
    UserWarning
        At most once.
    """
    if not isinstance(array, SparseRows) and _warn_of_merged(values, array, name, dtype):
        return
    told = None if of_scales is None else _wild_scales(values, array)
    if told is not None:
        warnings.warn(f"{name}: {told}", of_scales, stacklevel=frames_within())


def _warn_of_merged(values: object, array: NumberArray, name: str, dtype: np.dtype[Any]) -> bool:
    """Say which columns have different values that become one in the precision they are learnt in."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if size <= (dtype.itemsize if kind == "f" else 2) and not is_frame(values):
        return False
    n, width = array.shape
    count = min(_SAMPLE, max(64, 2**19 // width))
    chosen = np.arange(min(n, count))
    if n > count:  # neighbours, as in a table in the order of time, and rows from everywhere
        around = np.linspace(0, n - 1, count // 2).astype(np.int64)
        chosen = np.union1d(np.arange(n // 2 - count // 4, n // 2 + count // 4), around)
    sample = array[chosen]
    blocks: list[tuple[Any, NumberArray]] = [(np.arange(width), sample)]
    if kind == "f" and size <= dtype.itemsize:  # a frame, whose whole numbers may have become floats beside others
        exact = 2.0 ** (np.finfo(dtype).nmant + 1)  # up to here they stay what they are
        suspects = np.flatnonzero((np.abs(sample) >= exact).any(axis=0)).tolist()
        blocks = [([c], column(values, c, name)[chosen, None]) for c in suspects]
    merged = []
    for places, cells in blocks:
        before, after = _different(cells, dtype)
        merged += [(places[c], before[c], after[c]) for c in np.flatnonzero(after < _KEPT * before)]
    if not merged:
        return False
    first, before, after = merged[0]
    more = f" (and of {len(merged) - 1} more)" if len(merged) > 1 else ""
    warnings.warn(
        f"{name}: values of {column_name(int(first), values)}{more} lie too close together for {dtype}, which "
        f"keeps {np.finfo(dtype).precision + 1} digits: {before} different ones become {after}. Subtract the "
        "column's smallest value from it, or scale it"
        + (", or use a network with dtype='float64'." if dtype == np.float32 else "."),
        stacklevel=frames_within(),
    )
    return True


def _different(cells: NumberArray, dtype: np.dtype[Any]) -> tuple[IntArray, IntArray]:
    """How many different values each column has, and how many in this precision."""
    ascending = np.sort(cells, axis=0)
    with np.errstate(all="ignore"):
        if cells.dtype.kind == "f":
            apart = np.diff(ascending, axis=0) > _ROUNDINGS * np.maximum(np.abs(ascending[0]), np.abs(ascending[-1]))
        else:
            apart = ascending[1:] != ascending[:-1]
        there = np.diff(ascending.astype(dtype), axis=0) != 0
    return 1 + apart.sum(axis=0), 1 + there.sum(axis=0)


def _spreads(array: NumberArray) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """The standard deviation of each column, 0 of what is constant; as most values have it, and as all may have it.

    A few values that are far out make no column wide, and a few that are not as the others make one less narrow. None
    where no two can be wildly apart: no deviation is above half of a column's extent, or taken for less than a tenth.
    """
    n, width = array.shape
    count = min(n, _SAMPLE, max(16, 2**20 // width))
    sample = array[np.linspace(0, n - 1, count).astype(np.int64)].astype(np.float64)
    with np.errstate(all="ignore"):
        extent = sample.max(axis=0) - sample.min(axis=0)
        there = extent[extent > 0]
        if there.size == 0 or there.max() <= 2 * _WILD / _RARE * there.min():
            return None
        spread = sample.std(axis=0)
        exact = np.finfo(array.dtype).eps if array.dtype.kind == "f" else 0.0
        spread[extent <= _RARE * exact * np.abs(sample).max(axis=0)] = 0  # rounding, at most
        most = np.diff(np.quantile(sample, _MOST, axis=0), axis=0)[0] / _MOST_OF_NORMAL
    return spread, np.minimum(spread, most), np.where(spread > 0, np.maximum(spread, extent / _RARE), 0)


def _sizes(rows: SparseRows) -> FloatArray:
    """The root of the mean square of the numbers in each column of the first rows; 0 where there are few."""
    block = rows.block(0, _SAMPLE)
    squares = np.square(block.numbers, dtype=np.float64)
    counts, sums = (np.bincount(block.columns, weights=w, minlength=rows.width) for w in (None, squares))
    with np.errstate(all="ignore"):
        return np.where(counts >= _FEW, np.sqrt(sums / np.maximum(counts, 1)), 0)


def _wild_scales(values: object, array: NumberArray | SparseRows) -> str | None:
    """What names the columns that spread most and least, if that is wildly apart."""
    sparse = isinstance(array, SparseRows)
    spreads = (_sizes(array),) * 3 if isinstance(array, SparseRows) else _spreads(array)
    if spreads is None:
        return None
    spread, wide, narrow = spreads
    if not np.isfinite(wide).all():
        return None
    widest = int(np.argmax(wide))
    there = narrow > min(_NOISE * wide[widest], _TINY)
    if not there.any():
        return None
    narrowest = int(np.argmin(np.where(there, narrow, np.inf)))
    if wide[widest] <= _WILD * narrow[narrowest]:
        return None
    does = "are about" if sparse else "spread by"
    scaler = "MaxAbsScaler" if sparse else "StandardScaler"
    return (
        f"columns are on wildly different scales: the values of {column_name(widest, values)} {does} "
        f"{spread[widest]:.3g}, those of {column_name(narrowest, values)} {does} {spread[narrowest]:.3g}. No learning "
        f"rate suits both; standardise the columns, such as with sklearn.preprocessing.{scaler}."
    )
