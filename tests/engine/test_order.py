"""The order of rows and what is dropped: the published generators, computed independently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseau.engine.order import GOLDEN, fmix, keeps, mix, row_order

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


# --- what is dropped ----------------------------------------------------------------------------------------------


def murmur3_finaliser(x: int) -> int:
    """Appleby's mixing of 32 bits, in Python's own integers."""
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) % 2**32
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) % 2**32
    return x ^ (x >> 16)


def kept(seed: int, step: int, layer: int, row: int, neuron: int, p: float) -> bool:
    """The documented mask, number by number."""
    start = splitmix64_finaliser((splitmix64_finaliser(MASK - seed) + step) & MASK)
    key = splitmix64_finaliser((start + layer * 2**32 + row) & MASK)
    first, stride = key // 2**32, key % 2**32 | 1
    return murmur3_finaliser((first + neuron * stride) % 2**32) >= int(p * 2**32)


def test_the_mixing_of_32_bits_is_that_of_the_published_hash():
    # MurmurHash3's hash of no bytes is its finaliser of the seed: the test vectors at en.wikipedia.org/wiki/MurmurHash.
    published = {0: 0, 1: 0x514E28B7, 0xFFFFFFFF: 0x81F16F39}
    assert fmix(np.array(list(published), dtype=np.uint32)).tolist() == list(published.values())
    assert [murmur3_finaliser(seed) for seed in published] == list(published.values())


@given(
    st.integers(0, 2**63 - 1),
    st.integers(1, 2**40),
    st.integers(0, 200),
    st.integers(1, 5),
    st.integers(1, 40),
    st.floats(0, 1, exclude_max=True),
)
def test_what_is_kept_is_what_the_documented_numbers_say(seed, step, layer, rows, neurons, p):
    mask = keeps(seed, step, layer, rows, neurons, p)
    assert mask.dtype == bool
    assert mask.tolist() == [[kept(seed, step, layer, r, j, p) for j in range(neurons)] for r in range(rows)]


@pytest.mark.parametrize("p", [0.0, 2.0**-33, 0.1, 0.5, 0.9, 1 - 2.0**-53])
def test_as_many_neurons_are_kept_as_the_probability_says(p):
    rows, neurons = 500, 400
    masks = np.stack([keeps(12345, step, layer, rows, neurons, p) for step in (1, 2) for layer in (0, 1)])
    for axes in ((1, 2), (0, 2), (0, 1), (0, 1, 2)):  # of each mask, row, neuron, and in all
        counts = masks.sum(axis=axes)
        n = masks.size / counts.size
        assert np.abs(counts - n * (1 - p)).max() <= 6 * np.sqrt(n * p * (1 - p)) + n * 2.0**-32


def test_every_seed_step_layer_and_row_has_a_mask_of_its_own():
    masks = [
        keeps(seed, step, layer, 20, 100, 0.5)
        for seed in (0, 1, 2**63 - 1)
        for step in (1, 2, 3)
        for layer in (0, 1, 2)
    ]
    rows = np.concatenate(masks).astype(float) - 0.5
    assert len({row.tobytes() for row in rows}) == len(rows)
    # Any two of them agree in as many neurons as by chance: 100/2, standard deviation √100/2.
    agreements = rows @ rows.T + np.eye(len(rows)) * -25
    assert np.abs(agreements).max() * 2 < 6 * np.sqrt(100) / 2
