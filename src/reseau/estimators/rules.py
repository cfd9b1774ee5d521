"""What scikit-learn does in its own way: names, first weights, validation rows, units of losses and bounds."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import scipy.special
from sklearn.model_selection import train_test_split

from reseau.errors import DataError, ParameterError
from reseau.vocabulary.activations import ACTIVATIONS, Activation

_WEIGHT_FACTORS = {"logistic": 2.0}  # by scikit-learn's name of the hidden activation; 6 for all others


def activation_name(sigma: Activation) -> str:
    """What scikit-learn calls an activation, or would."""
    return sigma.scikit_learn or sigma.name


# Every activation by scikit-learn's name, and by ours.
ACTIVATIONS_BY_NAME = {**{activation_name(entry): entry for entry in ACTIVATIONS.values()}, **ACTIVATIONS}


def weight_bound(sigma: Activation, n_in: int, n_out: int) -> float:
    """±√(6/(n_in + n_out)), or √2 for sigmoids: between these a layer's first weights and biases are drawn evenly."""
    return float(np.sqrt(_WEIGHT_FACTORS.get(activation_name(sigma), 6.0) / (n_in + n_out)))


def _mean_over_outputs(T: Any) -> tuple[float, Any]:
    return 1 / T.shape[1], 0.0


def _half_deviance(T: Any) -> tuple[float, Any]:
    return 1.0, (scipy.special.xlogy(T, T) - T).sum(axis=1, dtype=np.float64)


_UNITS = {"poisson": _half_deviance}  # of all other losses the mean over outputs


def regression_units(loss: str, T: Any) -> tuple[float, Any]:
    """a and c, with which scikit-learn's error of a row is a E + c: the mean over outputs, or half the deviance."""
    return _UNITS.get(loss, _mean_over_outputs)(T)


def split(arrays: list[Any], fraction: float, strata: Any, random: np.random.RandomState) -> list[Any]:
    """Take validation rows aside for `early_stopping`, those that scikit-learn takes.

    Parameters
    ----------
    arrays : list of array-like of as many rows
        What to cut, such as X and y.
    fraction : float
        `validation_fraction`.
    strata : ndarray of shape (rows, 1) or None
        The class of each row, where these are to be kept in proportion.
    random : RandomState
        What the rows are drawn from.

    Returns
    -------
    list
        Of each array the rows for training, then those for validation.

    Raises
    ------
    ParameterError, DataError
        Where there would be too few rows on one side, in the words of the estimator's parameters.
    """
    rows = arrays[0].shape[0]
    aside = ceil(fraction * rows)
    if fraction == 0:
        raise ParameterError(
            "validation_fraction is 0.0, but early_stopping=True needs validation rows; give a number above 0 and "
            "below 1, such as 0.1."
        )
    values, firsts, counts = np.unique(
        np.zeros(rows) if strata is None else strata, return_index=True, return_counts=True
    )
    for part, count in (("training", rows - aside), ("validation", aside)):
        if count < 1 or (count < len(values) and counts.min() > 1):
            raise DataError(
                f"With early_stopping=True and validation_fraction={fraction}, {count} of {rows} row(s) are left for "
                f"{part}, but it needs at least {len(values)}; change validation_fraction, or give more rows."
            )
    if aside < 2 and (strata is None or counts.min() > 1):
        raise DataError(
            "The validation set is too small: early_stopping=True needs at least 2 rows in it, and "
            f"validation_fraction={fraction} of {rows} row(s) makes {aside}; raise validation_fraction, or give more "
            "rows."
        )
    try:
        cut: list[Any] = train_test_split(*arrays, random_state=random, test_size=fraction, stratify=strata)
    except ValueError as error:
        raise DataError(
            f"early_stopping=True takes validation rows of both classes aside, but row {firsts[np.argmin(counts)]} is "
            "the only one of its class; give more such rows, or take early_stopping=False. (scikit-learn's words: "
            f"{error})"
        ) from None
    return cut


def bounds(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Between what a cross-entropy's errors lie where probabilities lie between ε and 1 − ε, as in scikit-learn."""
    epsilon = np.finfo(dtype).eps
    return float(-np.log1p(-epsilon)), float(-np.log(epsilon))
