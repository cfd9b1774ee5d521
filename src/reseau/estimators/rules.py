"""What scikit-learn does in its own way: names, first weights, validation rows, units of losses and bounds."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.model_selection import train_test_split

from reseau.errors import DataError, ParameterError
from reseau.names import ActivationName, LossName
from reseau.vocabulary.activations import ACTIVATIONS, Activation
from reseau.vocabulary.intervals import CLOSED_UNIT
from reseau.vocabulary.losses import LOSSES, Loss, NamedLoss, OwnLoss, check_loss, known_loss, loss_of

_WEIGHT_FACTORS = {"logistic": 2.0}  # by scikit-learn's name of the hidden activation; 6 for all others


def activation_name(sigma: Activation) -> str:
    """What scikit-learn calls an activation, or would."""
    return sigma.scikit_learn or sigma.name


# Every activation by scikit-learn's name, and by ours.
ACTIVATIONS_BY_NAME = {**{activation_name(entry): entry for entry in ACTIVATIONS.values()}, **ACTIVATIONS}


def weight_bound(sigma: Activation, n_in: int, n_out: int) -> float:
    """±√(6/(n_in + n_out)), or √2 for sigmoids: between these a layer's first weights and biases are drawn evenly."""
    return float(np.sqrt(_WEIGHT_FACTORS.get(activation_name(sigma), 6.0) / (n_in + n_out)))


# Of numbers: every loss but those of probabilities.
REGRESSION_LOSSES = {name: entry for name, entry in LOSSES.items() if entry.targets != CLOSED_UNIT}


LOG_LOSS = "log_loss"  # scikit-learn's name for the cross-entropies, of which the labels choose one
_ENTROPIES = {entry.distribution: entry for entry in LOSSES.values() if entry.is_entropy}


class _LogLoss(NamedTuple):
    """What those who ask for it may call it."""

    aliases: tuple[str, ...]


def class_output(one_of_many: bool) -> ActivationName:
    """The activation of the outputs for classes: of which one is right, or each may be."""
    return _ENTROPIES[one_of_many].output


# Of classes: that, the focal loss that goes with the labels, and every other loss that is defined for both outputs.
CLASSIFICATION_LOSSES: dict[str, _LogLoss | Loss] = {
    LOG_LOSS: _LogLoss(tuple(alias for entry in _ENTROPIES.values() for alias in (entry.name, *entry.aliases))),
    **{
        name: entry
        for name, entry in LOSSES.items()
        if not entry.is_entropy
        and entry.targets.contains(CLOSED_UNIT)
        and all(entry.for_labels(one).takes(ACTIVATIONS[class_output(one)]) for one in (False, True))
        and entry.for_labels(True) is entry
    },
}


def is_own(loss: object) -> bool:
    """Whether it is a loss of the user's own, or the function for one."""
    return isinstance(loss, OwnLoss) or (callable(loss) and not isinstance(loss, type))


def check_class_loss(loss: object) -> str | Loss:
    """Return a loss of classes, or one's own, or raise ParameterError."""
    if is_own(loss):
        return loss_of(check_loss(loss))
    if isinstance(loss, Loss) and loss.per_target == 1:
        possible = [(loss.for_labels(one), ACTIVATIONS[class_output(one)]) for one in (False, True)]
        if all(entry.takes(sigma) for entry, sigma in possible):
            return loss
    return known_loss(loss, CLASSIFICATION_LOSSES)


def class_loss(loss: object, one_of_many: bool) -> NamedLoss:
    """The loss of a network for an estimator's loss of classes."""
    loss = check_class_loss(loss)
    if isinstance(loss, str):
        return check_loss(_ENTROPIES[one_of_many] if loss == LOG_LOSS else LOSSES[loss].for_labels(one_of_many))
    return check_loss(loss.for_labels(one_of_many))


def check_regression_loss(loss: object) -> NamedLoss:
    """Return a loss of numbers, or one's own, or raise ParameterError."""
    if is_own(loss) or (isinstance(loss, Loss) and loss.name in REGRESSION_LOSSES):
        return check_loss(loss)
    return cast("LossName", known_loss(loss, REGRESSION_LOSSES))


def regression_units(loss: Loss, T: Any) -> tuple[float, Any]:
    """a and c, with which the estimator's error of a row is a E + c.

    A loss that scikit-learn averages over the outputs is divided by their number. From every loss that of the best
    outputs, o = t, is taken off: of all but Poisson's it is 0, of which half the deviance then remains.
    """
    c = -np.where(np.isnan(T), 0, loss.least(T)).sum(axis=1, dtype=np.float64)  # nothing for what is missing
    return 1 / T.shape[1] if loss.scikit_learn_averages else 1.0, c if c.any() else 0.0


def split(
    arrays: list[Any], fraction: float, strata: Any, random: np.random.RandomState, *, always: bool = False
) -> list[Any]:
    """Take validation rows aside for `early_stopping`, those that scikit-learn takes.

    Parameters
    ----------
    arrays : list of array-like of as many rows
        What to cut, such as X and y.
    fraction : float
        `validation_fraction`.
    strata : ndarray of shape (rows, 1) or (rows,), or None
        The class of each row, where these are to be kept in proportion.
    random : RandomState
        What the rows are drawn from.
    always : bool
        Whether that is to be done as far as it can where scikit-learn refuses: with classes of a single row, and with
        fewer validation rows than classes.

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
    few = min(aside, rows - aside) < len(values) or counts.min() < 2
    if always and few and aside >= 2:
        if aside > rows - len(values):
            raise DataError(
                f"early_stopping=True and validation_fraction={fraction} take {aside} of {rows} row(s) aside, but each "
                f"of {len(values)} classes is to keep one for training; lower validation_fraction, give more rows, or "
                "take stratify=None."
            )
        return _spread(arrays, strata, aside, random)
    for part, count in (("training", rows - aside), ("validation", aside)):
        if count < 1 or (count < len(values) and counts.min() > 1 and not always):
            raise DataError(
                f"With early_stopping=True and validation_fraction={fraction}, {count} of {rows} row(s) are left for "
                f"{part}, but it needs at least {len(values)}; change validation_fraction, or give more rows."
            )
    if aside < 2 and (strata is None or counts.min() > 1 or always):
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
            "the only one of its class; give more such rows, or take stratify=True, which leaves it for training, or "
            f"early_stopping=False. (scikit-learn's words: {error})"
        ) from None
    return cut


def _spread(arrays: list[Any], strata: Any, aside: int, random: np.random.RandomState) -> list[Any]:
    """Take rows aside at equal distances among the rows ordered by class; one row of each class is left."""
    order = random.permutation(len(strata))
    by_class = order[np.argsort(strata[order], kind="stable")]
    left = np.flatnonzero(np.diff(strata[by_class], prepend=-1))  # the first of each
    among = np.delete(by_class, left)
    held = among[((np.arange(aside) + 0.5) * len(among) / aside).astype(np.intp)]
    trained = order[~np.isin(order, held)]
    return [array[rows] for array in arrays for rows in (trained, held)]


def bounds(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Between what a cross-entropy's errors lie where probabilities lie between ε and 1 − ε, as in scikit-learn."""
    epsilon = np.finfo(dtype).eps
    return float(-np.log1p(-epsilon)), float(-np.log(epsilon))


def seed_of(random: np.random.RandomState) -> int:
    """Draw the seed of another generator."""
    return int(random.randint(np.iinfo(np.int32).max))


def largest(array: Any) -> float:
    """The largest absolute value of those that are there."""
    return max(float(np.fmax.reduce(array, None)), -float(np.fmin.reduce(array, None))) if array.size else 0.0


def check_length(y: Any, rows: int) -> None:
    """Refuse targets, or columns of labels, that are not as many as the rows."""
    found = len(y[0]) if isinstance(y, list) else y.shape[0]
    if found != rows:
        raise DataError(f"X has {rows} rows but y has {found}; they must have one target for each sample.")
