"""What scikit-learn reckons in its own way: the order of rows, the bounds of a cross-entropy, the loss of an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau.arrays import IntArray


def shuffled(rows: int, random: np.random.RandomState) -> IntArray:
    """The places 0, ..., rows − 1 in the order in which scikit-learn draws them."""
    places = np.arange(rows)
    random.shuffle(places)
    return places


def bounds(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Between what a cross-entropy's errors lie where probabilities lie between ε and 1 − ε, as in scikit-learn."""
    epsilon = np.finfo(dtype).eps
    return float(-np.log1p(-epsilon)), float(-np.log(epsilon))


class EpochLoss:
    """The loss of an epoch as scikit-learn reckons it: of each batch its mean error with the penalty, before its step.

    Parameters
    ----------
    rows, batch_size : int
        How the epoch is cut.
    alpha : float
        λ of the penalty ½ λ Σ W².
    weights : ndarray of shape (rows,) or None
        How much each row counts.
    a, c : float, and float or ndarray of shape (rows,)
        Of the estimator's `_units`.

    Attributes
    ----------
    record : ndarray of shape (batches, 2)
        What the trainer fills in.
    """

    def __init__(self, rows: int, batch_size: int, alpha: float, weights: Any, a: float, c: Any) -> None:
        self.starts = np.arange(0, rows, batch_size)
        self.sizes = np.diff(self.starts, append=rows)
        self.weights, self.alpha, self.a = weights, alpha, a
        self.offsets = None if np.ndim(c) == 0 else c if weights is None else c * weights
        self.record = np.zeros((len(self.starts), 2))

    def loss(self, order: IntArray) -> float:
        """The mean over the batches, each as often as it has rows, of the epoch that took the rows in this order."""
        errors = self.a * self.record[:, 0]
        if self.offsets is not None:
            errors += np.add.reduceat(self.offsets[order], self.starts)
        totals = self.sizes if self.weights is None else np.add.reduceat(self.weights[order], self.starts)
        with np.errstate(invalid="ignore", divide="ignore"):
            losses = np.where(totals > 0, (errors + 0.5 * self.alpha * self.record[:, 1]) / totals, 0.0)
        return float((losses * self.sizes).sum() / self.sizes.sum())
