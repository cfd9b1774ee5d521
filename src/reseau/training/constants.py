"""The loss of constant outputs: what a network reaches that has learnt nothing of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import nan
from typing import Any

import numpy as np

from reseau.arrays import FloatArray, IntArray, are_labels, missing
from reseau.vocabulary.layers import Architecture

_AT_ONCE = 2**16  # targets
_LOOKED_AT = 4096  # rows that tell the medians


def loss_of_constants(architecture: Architecture, T: FloatArray | IntArray, s: FloatArray | None = None) -> float:
    """The mean error of outputs that are the mean of the targets, or what the loss takes else, for every row.

    That is their median, or of quantiles these. No constants have a smaller one, but for losses whose best constants
    are neither: those are a little off.

    Parameters
    ----------
    architecture : Architecture
        Whose loss it is.
    T : ndarray of shape (rows, outputs), or (rows,), or (rows, groups)
        Targets, or labels.
    s : ndarray of shape (rows,) or None
        How much each row counts.

    Returns
    -------
    float
        NaN where outputs and targets are not of the same kind, where targets are missing, for targets that are
        constants themselves of a loss that predicts scales too, and for a loss whose best constants are not known:
        one's own, and one over distributions other than the entropy.
    """
    loss = architecture.error
    unknown = loss.distribution and not (loss.is_entropy and loss.is_plain)
    if loss.own or unknown or missing(T.min(keepdims=True)).any():
        return nan
    with np.errstate(all="ignore"):
        return _loss_of_constants(architecture, T, s)


def room_below(best: float, architecture: Architecture, T: FloatArray | IntArray, s: FloatArray | None = None) -> float:
    """How far below this loss of constant outputs, for the same targets, it may come: to that of outputs o = t.

    A loss that predicts scales too is as small as these; of it, a logarithm, 1 is as much as half of another.
    """
    loss = architecture.error
    if loss.deviation is not None or are_labels(T):
        return best if are_labels(T) else 1.0
    with np.errstate(all="ignore"):
        return best - _mean(loss.least, T, s)


def _loss_of_constants(architecture: Architecture, T: FloatArray | IntArray, s: FloatArray | None) -> float:
    if architecture.error.distribution and are_labels(T):
        columns = zip(T.reshape(len(T), -1).T, architecture.groups or (architecture.outputs,), strict=True)
        shares = np.concatenate([np.bincount(labels, weights=s, minlength=n) for labels, n in columns])
    elif T.shape[1] != architecture.outputs:
        return nan
    else:
        shares = np.average(T, axis=0, weights=s) if s is not None else T.mean(axis=0, dtype=np.float64)
    loss = architecture.error
    if loss.distribution:
        groups = np.split(shares, list(accumulate(loss.groups))[:-1])
        return sum(_entropy(of_group[of_group > 0] / of_group.sum()) for of_group in groups)
    others = loss.constants(T[:: max(1, len(T) // _LOOKED_AT)].astype(np.float64))

    def mean_error(constants: Any) -> float:
        return _mean(lambda T: loss.value(np.broadcast_to(constants, T.shape), T), T, s)

    if loss.deviation is not None:
        return mean_error(others) if others[1::2].all() else nan
    return min(mean_error(shares), mean_error(others))


def _mean(error: Callable[[FloatArray], FloatArray], T: FloatArray | IntArray, s: FloatArray | None) -> float:
    """The mean error of the rows, which are not all taken at once."""
    total, block = 0.0, max(1, _AT_ONCE // T.shape[1])
    for first in range(0, len(T), block):
        e = error(T[first : first + block].astype(np.float64)).sum(axis=1)
        total += float(e.sum() if s is None else e @ s[first : first + block])
    return total / (len(T) if s is None else float(s.sum()))


def _entropy(p: FloatArray) -> float:
    return float(-(p * np.log(p)).sum())
