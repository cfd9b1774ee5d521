"""History: what a fit did, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class History:
    """What a fit did.

    Attributes
    ----------
    loss : list of float
        For each epoch the mean error E of its rows, as met on the way (before each batch's update, with dropout where
        a layer has it), without the l2 penalty.
    validation_loss : list of float
        The mean error of the validation data after each epoch; empty without validation data.
    metrics : dict of str to list of float
        Each metric that `fit` was asked for, after each epoch: of the validation data where there are any, else of the
        training's; NaN where it is not defined, or the epoch diverged.
    seconds : float
        Wall-clock time spent so far.
    best_epoch : int or None
        The epoch, from 1, with the smallest validation loss so far, the first of equal ones; None before there is one
        that is finite.
    diverged : int or None
        The epoch, from 1, in which the loss, a weight or the optimizer's state was no longer finite, or loss or weights
        had grown to 10⁶ times the start. It is the last one here (with the loss as far as it came, and a validation
        loss of NaN), and its weights were given up. None if all went well.
    planned : int
        How many epochs there will be, if nothing ends training before.
    stopped_early : bool
        Whether it has ended before, because the validation loss no longer fell (`patience`) or a callback asked for it.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int | None = None
    diverged: int | None = None
    planned: int = 0
    metrics: dict[str, list[float]] = field(default_factory=dict)
    stopped_early: bool = False

    @property
    def columns(self) -> dict[str, list[float]]:
        """What there is of each epoch, by name: "loss", "validation_loss" if there is any, and each metric's."""
        validation = {"validation_loss": self.validation_loss} if self.validation_loss else {}
        return {"loss": self.loss, **validation, **self.metrics}

    @property
    def epochs(self) -> int:
        """How many epochs there were, with one that diverged."""
        return len(self.loss)
