"""What is random in training: the order of rows and what is dropped.

Both are computed from the seed and the place in the training run, so that both engines take the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reseau.arrays import BoolArray, IntArray

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


def permutation(n: int, *numbers: int) -> IntArray:
    """Shuffle 0..n−1, n below 2³², depending on these numbers from 0 on alone: the order of groups of rows in an epoch.

    Place i gets the key mix(s + i·GOLDEN), whose lower bits give way to i, so that no two keys are the same; the keys
    in increasing order give the order of the places. s mixes the numbers, one after the other.
    """
    start = 0
    for number in numbers:
        start = int(mix(np.uint64((start + number + GOLDEN) & int(_MASK))))
    i = np.arange(n, dtype=np.uint64)
    lower = np.uint64((1 << max(n - 1, 0).bit_length()) - 1)
    with np.errstate(over="ignore"):
        keys = (mix(np.uint64(start) + i * np.uint64(GOLDEN)) & ~lower) | i
    keys.sort()
    return (keys & lower).astype(np.int64)


def keeps(seed: int, step: int, layer: int, rows: int, neurons: int, p: float, first: int = 0) -> BoolArray:
    """Which neurons of a layer with dropout p are kept for which rows of a batch, (rows, neurons).

    Neuron j of row r is dropped where x_j < ⌊p 2³²⌋, with x_j = fmix(h + j·(l | 1)) in 32 bits, where h and l are the
    upper and the lower half of mix(mix(mix(~seed) + step) + (layer·2³² | r)). Steps count from 1 over the whole
    training run, layers and rows from 0; r is the row's place in the batch, counted from
    `first` on: in a step of several batches, among the rows of them all. A seed is below 2⁶³, so ~seed is none, and the
    masks have nothing in common with the order of rows. The native engine does the same (`drop` in dropout.h).
    """
    start = int(mix(np.uint64((int(mix(~np.uint64(seed))) + step) & int(_MASK))))
    r = np.arange(first, first + rows, dtype=np.uint64) | np.uint64(layer << 32)
    with np.errstate(over="ignore"):
        k = mix(np.uint64(start) + r)[:, None]
        begin, stride = (k >> np.uint64(32)).astype(np.uint32), k.astype(np.uint32) | np.uint32(1)
        x = fmix(begin + np.arange(neurons, dtype=np.uint32) * stride)
    return x >= np.uint32(p * 2**32)


def fmix(x: np.ndarray[Any, np.dtype[np.uint32]]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """MurmurHash3's 32-bit finaliser (Appleby 2011): 32 well-mixed bits of each 32-bit number."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))
