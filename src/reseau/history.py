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
    seconds : float
        Wall-clock time spent so far.
    best_epoch : int or None
        The epoch, from 1, with the smallest validation loss so far; None before there is one.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best_epoch: int | None = None

    @property
    def epochs(self) -> int:
        """How many epochs were completed."""
        return len(self.loss)
