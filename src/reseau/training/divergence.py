"""What is said of a fit whose numbers stopped being finite: where that was, and what it most likely comes from."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from reseau.arrays import Failure, FloatArray, IntArray, SparseRows
from reseau.training.history import History
from reseau.vocabulary.optimizers import Optimizer

if TYPE_CHECKING:
    from reseau.network import Network

# Inputs, targets and weights of networks that train well are of the order of 1, and so is the loss they begin with; and
# no data make a learning rate useful that is far above 1.
LARGE, LARGE_LOSS, LARGE_RATE = 100.0, 1e4, 100.0
BLOCK = 4096  # rows whose errors are computed at once


def of_training(
    network: Network,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    history: History,
    failure: Failure,
    optimizer: Optimizer,
    l2: float,
    batch_size: int,
    start: FloatArray,
    keeps_best: bool,
) -> str:
    """The warning of a run that failed in its last epoch; `start` are the weights it began with."""
    epoch = history.epochs
    if failure.part == "loss":
        met = f"the loss is {history.loss[-1]} at step {failure.step} of epoch {epoch}"
    else:
        what = "some weights are" if failure.part == "weights" else "the optimizer's state is"
        met = f"{what} not finite after step {failure.step} of epoch {epoch}, its last"
    kept = f"of epoch {epoch - 1}" if epoch > 1 else "from before the fit"
    if keeps_best:
        kept = f"of epoch {history.best_epoch}, the best"
    advice = _advice(network, X, T, failure, optimizer.learning_rate, l2 / batch_size, start)
    return f"training has diverged: {met}. The network has the weights {kept}. {advice}"


def _advice(
    network: Network,
    X: FloatArray | SparseRows,
    T: FloatArray | IntArray,
    failure: Failure,
    rate: float,
    decay: float,
    start: FloatArray,
) -> str:
    """What to change. To blame are the data (or the weights) where the loss was huge before any step, else the rate."""
    at_first = _loss(network, start, X, T)
    if not isfinite(at_first) or (rate <= LARGE_RATE and (at_first > LARGE_LOSS or failure.part == "state")):
        causes = out_of_scale(X, T)
        if not causes and (w := float(np.abs(start).max())) > LARGE:
            causes.append(f"The weights it began with are out of scale, up to {w:g}: begin with smaller ones.")
        if causes:
            return " ".join(causes)
    if rate <= LARGE_RATE and rate * decay > 1:  # each step then takes more than the whole of a weight from it
        return f"Use a smaller l2, which takes {rate * decay:g} times a weight from it at each step."
    return f"Use a smaller learning rate (now {rate:g})."


def out_of_scale(X: FloatArray | SparseRows, T: FloatArray | IntArray) -> list[str]:
    """What is to be said of inputs and of targets that are far above 1, a sentence each."""
    causes = []
    if (x := _largest(X))[0] > LARGE:
        causes.append(f"The inputs are out of scale, X holds {_at(X, x)}: standardise the columns.")
    if T.ndim == 2 and (t := _largest(T))[0] > LARGE:
        causes.append(f"The targets are out of scale, y holds {_at(T, t)}: standardise them.")
    return causes


def of_validation(history: History, X: FloatArray | SparseRows, T: FloatArray | IntArray) -> str | None:
    """The warning that validation losses are not finite, if the run itself went well and some are not."""
    wrong = [epoch for epoch, loss in enumerate(history.validation_loss, start=1) if not isfinite(loss)]
    if history.diverged is not None or not wrong:
        return None
    first, count = wrong[0], len(wrong)
    named = [f"validation {name} holds {_at(A, _largest(A))}" for name, A in (("X", X), ("y", T)) if len(A.shape) == 2]
    return (
        f"The validation loss is {history.validation_loss[first - 1]} after epoch {first}"
        f"{f' and {count - 1} more' if count > 1 else ''}, though the training's is finite; such an epoch is never the "
        f"best. Compare the scale of the validation data with that of the training's: {' and '.join(named)}."
    )


def _loss(network: Network, w: FloatArray, X: FloatArray | SparseRows, T: FloatArray | IntArray) -> float:
    """The mean error of all rows with other weights."""
    now, total = network.parameters.copy(), 0.0
    network.parameters[...] = w
    try:
        with np.errstate(all="ignore"):
            for first in range(0, len(X), BLOCK):
                rows = slice(first, first + BLOCK)
                total += float(network.errors(X[rows], T[rows]).sum(dtype="float64"))
    finally:
        network.parameters[...] = now
    return total / len(X)


def _largest(A: FloatArray | SparseRows | IntArray) -> tuple[float, int]:
    """The largest absolute value, and its place among all numbers that are there."""
    numbers = A.numbers if isinstance(A, SparseRows) else A.reshape(-1)
    if len(numbers) == 0:
        return 0.0, 0
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    place = high if numbers[high] >= -numbers[low] else low
    return abs(float(numbers[place])), place


def _at(A: FloatArray | SparseRows | IntArray, largest: tuple[float, int]) -> str:
    """That value itself, and where it is."""
    place = largest[1]
    if isinstance(A, SparseRows):
        row, column = int(np.searchsorted(A.starts, place, side="right")) - 1, int(A.columns[place])
        return f"{A.numbers[place]:g} at row {row}, column {column}"
    row, column = divmod(place, A.shape[1])
    return f"{A[row, column]:g} at row {row}, column {column}"
