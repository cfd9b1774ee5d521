"""The order in which an epoch takes the rows: computed from seed and epoch, so that both engines take the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau.arrays import IntArray

_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)
GOLDEN = 0x9E3779B97F4A7C15  # 2⁶⁴ divided by the golden ratio, odd: the step of SplitMix64


def mix(x: np.uint64 | np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): 64 well-mixed bits of each 64-bit number."""
    z = np.asarray(x, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def row_order(rows: int, seed: int, epoch: int) -> IntArray:
    """The order in which an epoch takes the rows: a shuffle of 0..rows−1 that depends on `seed` and `epoch` alone.

    Fisher and Yates' shuffle, from the last place down: place i changes with place ⌊r_i (i + 1)/2³²⌋, r_i the upper
    32 bits of mix(s + i·GOLDEN), where s = mix(mix(seed) + epoch). The native engine does the same (`row_order` in
    train.cpp).
    """
    order = list(range(rows))
    start = int(mix(np.uint64((int(mix(np.uint64(seed))) + epoch) & int(_MASK))))
    i = np.arange(rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        r = mix(np.uint64(start) + i * np.uint64(GOLDEN)) >> np.uint64(32)
        partners = ((r * (i + np.uint64(1))) >> np.uint64(32)).tolist()
    for place in range(rows - 1, 0, -1):
        other = partners[place]
        order[place], order[other] = order[other], order[place]
    return np.asarray(order, dtype=np.int64)
