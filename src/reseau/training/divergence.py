"""What a fit that diverges is: how far its numbers may grow, what is said of it, and what it most likely comes from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import isfinite

import numpy as np

from reseau.arrays import FloatArray, Guard, IntArray, SparseRows, are_labels
from reseau.training.history import History
from reseau.training.loop import Run, Samples
from reseau.training.settings import Settings
from reseau.vocabulary.intervals import EVERYWHERE
from reseau.vocabulary.losses import Loss

# Inputs, targets and weights of networks that train well are of the order of 1, and so is the loss they begin with; and
# no data make a learning rate useful that is far above 1.
LARGE, LARGE_LOSS, LARGE_RATE = 100.0, 1e4, 100.0
GROWTH = 1e6  # times the start: so far no fit grows that comes back
LEAST_LOSS = 0.01  # a start below that, and the loss of constant outputs, is taken for it: a warm start may be near 0
BLOCK = 4096  # rows whose errors are computed at once
LOOKED_AT = 256  # rows that tell the loss at the start

Errors = Callable[[FloatArray, Samples], FloatArray]  # of weights and samples, the error of each output neuron


def guard_of(
    errors: Errors, samples: Samples, start: FloatArray, steps: float, of_constants: Callable[[], float]
) -> Guard:
    """How large loss and weights may become in a fit of so many steps that begins with the weights `start`.

    The loss may not grow to 10⁶ times what it is at the start, or what constant outputs have, if that is more. The
    weights may not to 10⁶ times the largest, or 1; times as much as targets are above 1, and inputs below, which make
    such weights right.
    """
    first = samples.block(0, LOOKED_AT)
    x, t = _largest(first.X)[0], 1.0 if are_labels(first.T) else _largest(first.T)[0]
    weight = max(float(np.abs(start).max(initial=0)), 1.0) * max(t, 1.0) / min(x or 1.0, 1.0)
    loss = most = sys.float_info.max
    if steps > 1 and isfinite(at_first := _loss(errors, start, first)):  # a single one meets no other loss
        # Errors that are logarithms of densities may be below 0, and as large there. NaN gives way to the others.
        loss = min(GROWTH * max(LEAST_LOSS, abs(at_first), abs(of_constants())), most)
    return Guard(loss, min(GROWTH * weight, most))


def of_training(
    errors: Errors,
    samples: Samples,
    history: History,
    run: Run,
    settings: Settings,
    start: FloatArray,
    guard: Guard,
    loss: Loss,
) -> str:
    """The warning of a run that failed in its last epoch; `start` are the weights it began with."""
    epoch, failure = history.epochs, run.failure
    assert failure is not None
    if failure.part == "loss" and isfinite(history.loss[-1]):
        met = (
            f"the loss is {history.loss[-1]:g} at step {failure.step} of epoch {epoch}, more than 10⁶ times that at "
            f"the start, or of constant outputs ({guard.loss / GROWTH:g})"
        )
    elif failure.part == "loss":
        met = f"the loss is {history.loss[-1]} at step {failure.step} of epoch {epoch}"
    elif failure.part == "growth":
        met = (
            f"some weights are above {guard.weight:g} after step {failure.step} of epoch {epoch}, its last, and none "
            f"was above {np.abs(start).max():g} at the start"
        )
    else:
        what = "some weights are" if failure.part == "weights" else "the optimizer's state is"
        met = f"{what} not finite after step {failure.step} of epoch {epoch}, its last"
    kept = f"of epoch {epoch - 1}" if epoch > 1 else "from before the fit"
    if run.best is not None:
        kept = f"of epoch {history.best_epoch}, the best"
    advice = _advice(_loss(errors, start, samples), samples, failure.part, settings, start, loss)
    return f"training has diverged: {met}. The network has the weights {kept}. {advice}"


def _advice(at_first: float, samples: Samples, part: str, settings: Settings, start: FloatArray, loss: Loss) -> str:
    """What to change. To blame are the data (or the weights) where the loss was huge before any step, else the rate."""
    scales = out_of_scale(samples.X, samples.T, loss)
    if settings.least_squares is not None:  # which begins nowhere else
        return " ".join(scales) or "Begin with other weights, or scale the data."
    rate = settings.optimizer.rate
    if not isfinite(at_first) or (rate <= LARGE_RATE and (at_first > LARGE_LOSS or part == "state")):
        causes = scales
        if not causes and (w := float(np.abs(start).max())) > LARGE:
            causes.append(f"The weights it began with are out of scale, up to {w:g}: begin with smaller ones.")
        if causes:
            return " ".join(causes)
    decay = settings.l2 / min(settings.batch_size, samples.X.shape[0])
    if rate <= LARGE_RATE and rate * decay > 1:  # each step then takes more than the whole of a weight from it
        return f"Use a smaller l2, which takes {rate * decay:g} times a weight from it at each step."
    return " ".join([f"Use a smaller learning rate (now {rate:g}).", *scales])


def out_of_scale(X: FloatArray | SparseRows, T: FloatArray | IntArray, loss: Loss) -> list[str]:
    """What is to be said of inputs and of targets that are far above 1, a sentence each."""
    causes = []
    if (x := _largest(X))[0] > LARGE:
        causes.append(f"The inputs are out of scale, X holds {_at(X, x)}: standardise the columns.")
    if not are_labels(T) and (t := _largest(T))[0] > LARGE:
        causes.append(f"The targets are out of scale, y holds {_at(T, t)}: {scaled(loss)}.")
    return causes


def scaled(loss: Loss) -> str:
    """What is to be done with targets that are out of scale; what lies on one side of 0 has to stay there."""
    return "standardise them" if loss.targets == EVERYWHERE else "divide them by their mean"


def of_validation(history: History, validation: Samples) -> str | None:
    """The warning that validation losses are not finite, if the run itself went well and some are not."""
    wrong = [epoch for epoch, loss in enumerate(history.validation_loss, start=1) if not isfinite(loss)]
    if history.diverged is not None or not wrong:
        return None
    first, count = wrong[0], len(wrong)
    arrays = [("X", validation.X)] if are_labels(validation.T) else [("X", validation.X), ("y", validation.T)]
    named = [f"validation {name} holds {_at(A, _largest(A))}" for name, A in arrays]
    return (
        f"The validation loss is {history.validation_loss[first - 1]} after epoch {first}"
        f"{f' and {count - 1} more' if count > 1 else ''}, though the training's is finite; such an epoch is never the "
        f"best. Compare the scale of the validation data with that of the training's: {' and '.join(named)}."
    )


def _loss(errors: Errors, w: FloatArray, samples: Samples) -> float:
    """The mean error of all rows with some weights; what is not finite in a row that counts nothing does neither."""
    total, weight, rows = 0.0, 0.0, samples.X.shape[0]
    with np.errstate(all="ignore"):
        for first in range(0, rows, BLOCK):
            block = samples.block(first, first + BLOCK)
            e = errors(w, block).sum(axis=1, dtype="float64")
            s = np.ones(len(e)) if block.s is None else block.s
            total += float((e * s)[s > 0].sum())
            weight += float(s.sum())
    return total / weight if weight else 0.0


def _largest(A: FloatArray | SparseRows | IntArray) -> tuple[float, int]:
    """The largest absolute value, and its place among all numbers that are there."""
    numbers = A.numbers if isinstance(A, SparseRows) else A.reshape(-1)
    if len(numbers) == 0:
        return 0.0, 0
    if np.isnan(numbers[low := int(np.argmin(numbers))]):  # targets that are missing
        numbers = np.where(np.isnan(numbers), 0, numbers)
        low = int(np.argmin(numbers))
    high = int(np.argmax(numbers))
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
