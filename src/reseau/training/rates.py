"""The learning rates of a run: what its schedule gives, so many epochs at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reseau.arrays import FloatArray
from reseau.vocabulary.schedules import Schedule

_AT_ONCE = 2**16  # rates that are there at the same time, unless a single epoch has more


class Follows(Protocol):
    """What is asked for the losses that a schedule follows; see `Rules`."""

    def followed(self) -> Sequence[float]:
        """The loss of each epoch so far."""


class Rates:
    """The learning rates of a run's steps.

    Parameters
    ----------
    schedule : Schedule or None
        What they follow; None leaves the optimizer's own.
    epochs : int
        Of the whole run.
    rows, in_a_step : int
        How many there are, and how many make a step. A step without weight, which is not made, is counted too.

    Attributes
    ----------
    at_once : int
        How many epochs may run before the rates of the next have to be known.
    """

    def __init__(self, schedule: Schedule | None, epochs: int, rows: int, in_a_step: int) -> None:
        self.schedule = schedule
        self.steps: int = -(-rows // in_a_step)
        self.total: int = epochs * self.steps
        self.at_once = 2**62
        if schedule is not None:
            self.at_once = 1 if schedule.follows_loss else max(1, _AT_ONCE // self.steps)

    def of(self, made: int, epochs: int, rules: Follows) -> FloatArray | None:
        """Those of so many epochs after those that were made."""
        if self.schedule is None:
            return None
        known = rules.followed() if self.schedule.follows_loss else ()
        return self.schedule.rates(made * self.steps, epochs * self.steps, self.total, self.steps, known)

    def last(self, rates: FloatArray | None, epochs: int, otherwise: float) -> list[float]:
        """Of what `of` gave that of each epoch's last step, for the first of its epochs."""
        if rates is None:
            return [otherwise] * epochs
        at_ends: list[float] = rates[self.steps - 1 :: self.steps].tolist()
        return at_ends[:epochs]
