"""Intervals of numbers: where the values of an activation lie, and which of them a loss takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any


@dataclass(frozen=True)
class Interval:
    """The numbers between two ends; an end that is not itself reached is open."""

    low: float
    high: float
    includes_low: bool = False
    includes_high: bool = False

    def contains(self, other: Interval) -> bool:
        """Whether every number of `other` lies in this interval."""
        above = self.low < other.low or (self.low == other.low and self.includes_low >= other.includes_low)
        below = other.high < self.high or (self.high == other.high and self.includes_high >= other.includes_high)
        return above and below

    def lacks(self, values: Any) -> Any:
        """Which numbers of an array lie outside."""
        below = values < self.low if self.includes_low or self.low == -inf else values <= self.low
        return below | (values > self.high if self.includes_high or self.high == inf else values >= self.high)

    def __str__(self) -> str:
        return f"{'[' if self.includes_low else '('}{self.low:g}, {self.high:g}{']' if self.includes_high else ')'}"


EVERYWHERE = Interval(-inf, inf)
POSITIVE = Interval(0.0, inf)
NON_NEGATIVE = Interval(0.0, inf, includes_low=True)
UNIT = Interval(0.0, 1.0)
CLOSED_UNIT = Interval(0.0, 1.0, includes_low=True, includes_high=True)
