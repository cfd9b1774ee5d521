"""The loss of constant outputs: what a network reaches that has learnt nothing of its inputs."""

from __future__ import annotations

from math import nan

import numpy as np

from reseau.arrays import FloatArray, IntArray
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
    T : ndarray of shape (rows, outputs), or (rows,)
        Targets, or labels.
    s : ndarray of shape (rows,) or None
        How much each row counts.

    Returns
    -------
    float
        NaN where outputs and targets are not of the same kind, where targets are missing, and for a loss whose best
        constants are not known: one's own, one that predicts scales too, and one over distributions other than the
        entropy.
    """
    loss = architecture.error
    unknown = loss.distribution and not (loss.is_entropy and loss.is_plain)
    if loss.own or unknown or loss.deviation is not None or (T.min() < 0 if T.ndim == 1 else np.isnan(T.min())):
        return nan
    with np.errstate(all="ignore"):
        return _loss_of_constants(architecture, T, s)


def _loss_of_constants(architecture: Architecture, T: FloatArray | IntArray, s: FloatArray | None) -> float:
    if T.ndim == 1:
        shares = np.bincount(T, weights=s, minlength=architecture.outputs)
    elif T.shape[1] != architecture.outputs:
        return nan
    else:
        shares = np.average(T, axis=0, weights=s) if s is not None else T.mean(axis=0, dtype=np.float64)
    loss = architecture.error
    if loss.distribution:
        p = shares[shares > 0] / shares.sum()
        return float(-(p * np.log(p)).sum())
    others = loss.constants(T[:: max(1, len(T) // _LOOKED_AT)].astype(np.float64))
    totals, block = np.zeros(2), max(1, _AT_ONCE // T.shape[1])
    for first in range(0, len(T), block):
        part = T[first : first + block].astype(np.float64)
        for place, constants in enumerate((shares, others)):
            e = loss.value(np.broadcast_to(constants, part.shape), part).sum(axis=1)
            totals[place] += e.sum() if s is None else e @ s[first : first + block]
    return float(totals.min()) / (len(T) if s is None else float(s.sum()))
