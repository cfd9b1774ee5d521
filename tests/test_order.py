"""The order of rows: the published generator and shuffle, computed independently."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reseau.order import GOLDEN, mix, row_order

MASK = 2**64 - 1


def splitmix64_finaliser(z: int) -> int:
    """Steele, Lea and Flood's mixing function, in Python's own integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fisher_yates(rows: int, seed: int, epoch: int) -> list[int]:
    """The documented order, place by place."""
    s = splitmix64_finaliser((splitmix64_finaliser(seed) + epoch) & MASK)
    order = list(range(rows))
    for i in range(rows - 1, 0, -1):
        r = splitmix64_finaliser((s + i * 0x9E3779B97F4A7C15) & MASK) >> 32
        j = r * (i + 1) // 2**32
        order[i], order[j] = order[j], order[i]
    return order


def test_the_mixing_is_that_of_the_published_generator():
    # SplitMix64 started from 1234567: the test vector at rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64.
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    states = [(1234567 + k * GOLDEN) & MASK for k in range(1, 6)]
    assert [int(mix(np.uint64(state))) for state in states] == published
    assert [splitmix64_finaliser(state) for state in states] == published


@given(st.integers(0, 200), st.integers(0, 2**63 - 1), st.integers(0, 10_000))
def test_the_order_is_the_documented_shuffle_and_a_permutation(rows, seed, epoch):
    order = row_order(rows, seed, epoch)
    assert order.dtype == np.int64
    assert order.tolist() == fisher_yates(rows, seed, epoch)
    assert sorted(order.tolist()) == list(range(rows))


def test_the_order_differs_from_epoch_to_epoch_and_seed_to_seed_and_is_the_same_again():
    orders = {tuple(row_order(100, seed, epoch)) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25
    assert row_order(100, 3, 4).tolist() == row_order(100, 3, 4).tolist()


def test_every_row_comes_to_every_place_equally_often():
    rows, epochs = 8, 8000
    counts = np.zeros((rows, rows))
    for epoch in range(epochs):
        counts[np.arange(rows), row_order(rows, 0, epoch)] += 1
    expected = epochs / rows
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    freedom = (rows - 1) ** 2
    assert abs(chi_squared - freedom) < 6 * np.sqrt(2 * freedom)
