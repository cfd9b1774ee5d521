"""Intervals of numbers."""

from __future__ import annotations

import numpy as np

from reseau.vocabulary.intervals import Interval


def test_an_interval_holds_another_only_with_its_ends():
    closed = Interval(0.0, 1.0, includes_low=True, includes_high=True)
    opened = Interval(0.0, 1.0)
    assert closed.contains(opened)
    assert closed.contains(closed)
    assert not opened.contains(closed)
    assert not opened.contains(Interval(0.0, 1.0, includes_high=True))
    assert not closed.contains(Interval(-0.1, 0.5))
    assert Interval(-np.inf, np.inf).contains(closed)
    assert str(opened) == "(0, 1)"
    assert str(closed) == "[0, 1]"
