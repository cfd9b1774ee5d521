"""Fits that end no better than constant outputs: how they are told from others, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reseau.arrays import FloatArray
from reseau.engine import equations, reference
from reseau.training import divergence
from reseau.training.constants import loss_of_constants, room_below
from reseau.training.loop import Samples
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import Loss

# So short a fit may end where it likes.
LEAST_EPOCHS, LEAST_STEPS = 10, 40
# All of these are shares of the room below the loss of constant outputs, see `room_below`.
SUSPECT = 0.5  # from here on the outputs themselves are looked at
STILL = 0.01  # less than this between the last two quarters of the epochs is no progress
WORSE = 0.1  # so far above that loss is more than chance
_CHANCE = 1e-3
CONSTANT = 0.01  # of the targets' standard deviation: outputs that spread less say next to nothing of the row
SMALL = 0.01  # inputs and targets that spread less are out of scale
_VANISHED = 1.0  # scores that spread less are not at the end of any range, but all the same
UNMOVED, _AT_ALL = 0.01, 1e-6  # of the largest weight: so far weights have hardly moved, or not at all
_ROWS, _NUMBERS = 512, 2**22  # are looked at, at most


def is_suspect(losses: Sequence[float], steps: float, of_constants: Callable[[], tuple[float, float]]) -> bool:
    """Whether a fit of so many steps was long enough, and ends with a loss that makes its outputs worth looking at.

    It is compared with the loss of constant outputs, and the room below.
    """
    if len(losses) < LEAST_EPOCHS or steps < LEAST_STEPS:
        return False
    best, room = of_constants()
    return room > 0 and losses[-1] >= best - (1 - SUSPECT) * room


def of_fit(
    architecture: Architecture,
    w: FloatArray,
    samples: Samples,
    losses: Sequence[float] | None,
    start: FloatArray | None,
    way_out: str,
    units: tuple[float, float] = (1.0, 0.0),
) -> str | None:
    """What is to be said of a fit whose loss is suspect, if its outputs are no better than constant ones.

    Targets that no input tells anything of are no reason by themselves: a network that has followed their noise has
    other outputs for other rows.

    Parameters
    ----------
    architecture, w
        The network with the weights it ended with.
    samples : Samples
        What was learnt.
    losses : sequence of float or None
        Of its epochs, as they are told; None if it went on as long as there was progress.
    start : ndarray of shape (n_parameters,) or None
        The weights it began with.
    way_out : str
        What to do where nothing in particular is found.
    units : float, float
        (a, c) with which the loss E is told as a E + c.

    Returns
    -------
    str or None
        Without saying which fit it was.
    """
    looked = _some(samples)
    if looked is None:
        return None
    X, T, s = looked[:3]
    assert isinstance(X, np.ndarray)
    best = loss_of_constants(architecture, T, s)
    room = room_below(best, architecture, T, s)
    if not room > 0:
        return None
    a, c = units
    with np.errstate(all="ignore"):
        dense = reference.dense_targets(architecture, T, np.dtype(np.float64)).astype(np.float64)
        spread = dense.std(axis=0)
        trace = equations.trace(architecture, w, X.astype(w.dtype, copy=False))
        O = trace.O.astype(np.float64)
        e = equations.output_error(architecture, trace.Z[-1], trace.O, dense.astype(w.dtype)).sum(axis=1)
        loss = float(np.average(e, weights=s))
        constant = O.shape == dense.shape and bool((O.std(axis=0) <= CONSTANT * spread).all())
        scales = [
            *divergence.out_of_scale(samples.X, samples.T, architecture.error),
            *_small(X, dense, architecture.error),
        ]
    if not np.isfinite(loss) or not (spread > 0).any():
        return None
    moved = np.inf if start is None else float(np.abs(w - start).max()) / max(float(np.abs(start).max()), SMALL)
    still = losses is None or abs(_mean(losses, 0.5, 0.75) - _mean(losses, 0.75, 1.0)) <= STILL * a * room
    worse, no_better = loss > best + WORSE * room, loss >= best - _CHANCE * room
    if not (worse and scales) and not (still and (constant or worse or moved <= _AT_ALL or (no_better and scales))):
        return None
    met = f"the loss is {a * loss + c:g}, and that of constant outputs {a * best + c:g}"
    if constant:
        met += "; the outputs are next to the same for every row"
    first = "other weights to begin with" + ("" if start is None else " and a smaller learning rate")
    causes = scales or _silent(architecture, trace, w, first)
    if moved <= _AT_ALL or (not causes and moved <= UNMOVED):
        causes.append("The weights have hardly moved: use a larger learning rate, or more epochs.")
    return f"{met}. {' '.join(causes or [way_out])}"


def _some(samples: Samples) -> Samples | None:
    """Rows from everywhere that count, dense; None if that would be too much."""
    rows, width = samples.X.shape
    counting = np.arange(rows) if samples.s is None else np.flatnonzero(samples.s)
    count = min(len(counting), _ROWS, _NUMBERS // width)
    if count < 2:
        return None
    chosen = counting[np.linspace(0, len(counting) - 1, count).astype(np.int64)]
    return Samples(samples.X[chosen], samples.T[chosen], None if samples.s is None else samples.s[chosen])


def _mean(losses: Sequence[float], first: float, last: float) -> float:
    part = losses[int(first * len(losses)) : max(int(last * len(losses)), 1)]
    return sum(part) / max(len(part), 1)


def _small(X: FloatArray, T: FloatArray, loss: Loss) -> list[str]:
    """What is to be said of inputs and of targets that hardly differ from row to row, a sentence each."""
    causes = []
    if (x := float(X.std(axis=0, dtype=np.float64).max())) == 0:
        causes.append("The inputs are the same for every row: there is nothing to tell one from the other by.")
    elif x < SMALL:
        causes.append(
            f"The inputs hardly differ, no column of X spreads by more than {x:.3g}: standardise the columns."
        )
    if 0 < (t := float(T.std(axis=0).max())) < SMALL:
        causes.append(f"The targets hardly differ, y spreads by {t:.3g}: {divergence.scaled(loss)}.")
    return causes


def _silent(architecture: Architecture, trace: equations.Trace, w: FloatArray, first: str) -> list[str]:
    """The first hidden layer whose neurons are the same for every row, in a sentence; `first` is to be done then."""
    eps = float(np.finfo(w.dtype).eps)
    layers = zip(architecture.layers[:-1], trace.Z, trace.A[1:-1], strict=False)
    for l, (layer, Z, A) in enumerate(layers, start=1):
        if np.ptp(A, axis=0).max() > 8 * eps * np.abs(A).max(initial=0):
            continue
        told = f"All neurons of layer {l}, {layer}, give"
        if not A.any():
            return [f"{told} 0 for every row, and so learn nothing more: use {first}, or another activation."]
        if np.ptp(Z, axis=0).max() < _VANISHED:
            return [f"{told} the same for every row, as its weights have become next to 0: use a smaller penalty."]
        return [f"{told} the same for every row, being at the end of their range: use {first}, or smaller inputs."]
    return []
