"""Which rows are learned from, and which are held out: by chance, by class, by group, by time."""

from __future__ import annotations

import numpy as np

from reseau.arrays import FloatArray
from reseau.errors import DataError
from reseau.tables.columns.description import Rows
from reseau.tables.learning.settings import FOLDS
from reseau.tables.reading.cells import Codes
from reseau.visible import plural


def split(
    rows: int, share: float, rng: np.random.Generator, strata: Codes | None = None, groups: Codes | None = None
) -> tuple[Rows, Rows]:
    """Draw a share of the rows, of each class in proportion, or whole groups.

    Parameters
    ----------
    rows : int
        How many there are.
    share : float
        Of the rows to draw, at least 0 and below 1.
    rng : numpy.random.Generator
        What draws.
    strata : ndarray of shape (rows,) or None
        The class of each row. A class keeps at least one row that is not drawn.
    groups : ndarray of shape (rows,) or None
        The group of each row. Those of a group are all drawn, or none of them.

    Returns
    -------
    rest, drawn : ndarray of int
        The row numbers, in increasing order.
    """
    if groups is not None:
        return split_groups(groups, share, rng)
    wanted = round(rows * share)
    order = rng.permutation(rows)
    if strata is None:
        return np.sort(order[wanted:]), np.sort(order[:wanted])
    counts = np.bincount(strata)
    exact = counts * share
    quota = np.minimum(np.floor(exact), np.maximum(counts - 1, 0)).astype(np.int64)
    for i in np.argsort(quota - exact, kind="stable"):  # largest remainders first
        if quota.sum() < wanted and quota[i] < counts[i] - 1:
            quota[i] += 1
    by_class = order[np.argsort(strata[order], kind="stable")]
    place = np.arange(rows) - np.repeat(np.cumsum(counts) - counts, counts)  # within its class
    drawn = place < quota[strata[by_class]]
    return np.sort(by_class[~drawn]), np.sort(by_class[drawn])


def folds_of(
    rows: int,
    rng: np.random.Generator,
    strata: Codes | None = None,
    groups: Codes | None = None,
    most: int = FOLDS,
) -> Codes:
    """Draw the fold of each row, (rows,); folds are of one size, and each has its part of every class.

    The rows of a group are in one fold, and of few groups there are fewer folds than `most`.
    """
    if groups is not None:
        return folds_of_groups(groups, most, rng, strata)
    order = rng.permutation(rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    folds = np.empty(rows, np.int64)
    folds[order] = np.arange(rows) % most
    return folds


def folds_of_groups(groups: Codes, most: int, rng: np.random.Generator, strata: Codes | None = None) -> Codes:
    """Draw the fold of each row, (rows,), so that the rows of a group are in one.

    The groups are gone through from the largest to the smallest, those of one size in any order. Each goes where there
    is least yet of the classes it has, every class counted as a share of its rows; and of such folds to that with the
    fewest rows.

    Parameters
    ----------
    groups : ndarray of shape (rows,)
        Of each row.
    most : int
        How many folds there are; as many as groups, where these are fewer.
    rng : numpy.random.Generator
        What draws.
    strata : ndarray of shape (rows,) or None
        The class of each row.
    """
    groups = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(groups)
    _refuse_single(len(sizes))
    classes = np.zeros(len(groups), np.int64) if strata is None else strata
    k = int(classes.max()) + 1
    counts = np.bincount(groups * k + classes, minlength=len(sizes) * k).reshape(-1, k)
    shares = counts / np.maximum(counts.sum(axis=0), 1)  # (groups, classes)
    folds = min(most, len(sizes))
    there, rows = np.zeros((folds, k)), np.zeros(folds, np.int64)
    fold_of = np.empty(len(sizes), np.int64)
    order = rng.permutation(len(sizes))
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        alike = there @ shares[group]
        fold = np.where(alike == alike.min(), rows, np.iinfo(np.int64).max).argmin()
        fold_of[group] = fold
        there[fold] += shares[group]
        rows[fold] += sizes[group]
    return np.asarray(fold_of[groups])


def split_groups(groups: Codes, share: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Draw whole groups with about a share of the rows; at least one, and not all.

    Returns
    -------
    rest, drawn : ndarray of int
        The row numbers, in increasing order.
    """
    groups = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(groups)
    _refuse_single(len(sizes))
    order = rng.permutation(len(sizes))
    wanted, rows = share * len(groups), np.cumsum(sizes[order])
    n = int(np.abs(rows - wanted).argmin()) + 1 if share else 0
    drawn = np.isin(groups, order[: min(n, len(sizes) - 1)])
    return np.nonzero(~drawn)[0], np.nonzero(drawn)[0]


def split_by_time(times: FloatArray, share: float) -> tuple[Rows, Rows]:
    """Hold about a share of the rows out, the latest; rows of one time are all held out, or none of them.

    Returns
    -------
    rest, held_out : ndarray of int
        The row numbers, in increasing order.
    """
    starts = _starts(times)
    wanted = len(times) * (1 - share)  # rows that are learned from
    begin = starts[np.abs(starts - wanted).argmin()]
    later = times >= np.sort(times)[begin]
    return np.nonzero(~later)[0], np.nonzero(later)[0]


def parts_by_time(times: FloatArray, parts: int) -> list[tuple[Rows, Rows]]:
    """Rows to learn from and to score, so many times: of parts + 1 periods each but the first, after all before it."""
    starts = _starts(times)
    wanted = len(times) * np.arange(1, parts + 1) / (parts + 1)
    begins = np.unique(starts[np.abs(starts[:, None] - wanted).argmin(axis=0)])
    if len(begins) < parts:
        raise DataError(
            f"the rows are of {plural(len(starts) + 1, 'different time')}, which cannot be cut into {parts + 1} "
            f"periods of about as many rows; cross-validate with fewer parts (--cv {max(len(begins), 2)})."
        )
    period = np.searchsorted(np.sort(times)[begins], times, side="right")
    return [(np.nonzero(period < k)[0], np.nonzero(period == k)[0]) for k in range(1, parts + 1)]


def _starts(times: FloatArray) -> Rows:
    """Where, among the rows in order of time, one begins that is later than that before it."""
    starts = np.nonzero(np.diff(np.sort(times)))[0] + 1
    if not len(starts):
        raise DataError("all rows to learn from are of one time; at least two are needed, to learn from the earlier.")
    return starts


def _refuse_single(groups: int) -> None:
    if groups < 2:
        raise DataError("all rows to learn from are of one group; at least two are needed, to learn from one another.")
