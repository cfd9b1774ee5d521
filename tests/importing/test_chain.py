"""What is recognised between two layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reseau.checks import DTYPES
from reseau.importing.chain import PROBE, read, recognise
from reseau.vocabulary.activations import ACTIVATIONS

Array = npt.NDArray[Any]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_activation_is_recognised_from_its_values_in_either_precision(name: str, dtype: str) -> None:
    with np.errstate(over="ignore"):
        assert recognise(ACTIVATIONS[name].value(PROBE.astype(dtype))) == name


@pytest.mark.parametrize(
    "function",
    [
        lambda z: np.where(z > 0, z, 0.0101 * z),
        lambda z: np.clip(z, 0, 6),
        lambda z: np.clip(0.2 * z + 0.5, 0, 1),
        lambda z: np.where(z > 0, z, 0.99 * np.expm1(np.minimum(z, 0))),
        lambda z: z + 1e-4,
        lambda z: z[::-1],
        lambda z: np.cumsum(np.abs(z), axis=1),
        lambda z: np.exp(z) / np.exp(z).sum(axis=0),
        lambda z: z[:, :2],
        lambda z: np.maximum(z, z - np.log(np.exp(z).sum(axis=1, keepdims=True))),  # z where a row has a positive one
        lambda z: np.full_like(z, np.nan),
        lambda z: np.zeros_like(z),
    ],
)
def test_what_is_nearly_an_activation_is_none(function: Callable[[Array], Array]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert recognise(function(PROBE)) is None


def soft(z: Array, k: float) -> Array:
    return np.logaddexp(0, k * z) / k


@pytest.mark.parametrize(
    ("function", "activation", "around"),
    [
        (lambda z: np.where(z > 0, z, 0.2 * z), "relu", (1, 0, 1, 0, 0.2)),
        (lambda z: np.where(z > 0, z, -3 * z), "relu", (1, 0, 1, 0, -3)),
        (np.abs, "relu", (1, 0, 1, 0, -1)),
        (lambda z: np.clip(z, 0, 6), "hard_sigmoid", (1, -3, 6, 0, None)),
        (lambda z: np.clip(z, -1, 1), "hard_sigmoid", (3, 0, 2, -1, None)),
        (lambda z: np.clip(0.2 * z + 0.5, 0, 1), "hard_sigmoid", (1.2, 0, 1, 0, None)),
        (lambda z: np.clip(1 - z, -2, 3), "hard_sigmoid", (-1.2, 0.6, 5, -2, None)),
        (lambda z: soft(z, 2), "softplus", (2, 0, 0.5, 0, None)),
        (lambda z: soft(z, -1), "softplus", (-1, 0, -1, 0, None)),  # log φ(z)
        (lambda z: np.where(z > 0, z, 0.5 * np.expm1(np.minimum(z, 0) / 0.5)), "elu", (2, 0, 0.5, 0, None)),  # CELU
        (lambda z: z / (1 + np.exp(-1.702 * z)), "silu", (1.702, 0, 1 / 1.702, 0, None)),
    ],
)
def test_some_functions_are_an_activation_with_other_weights(
    function: Callable[[Array], Array], activation: str, around: tuple[Any, ...]
) -> None:
    with np.errstate(over="ignore"):
        reading = read(function(PROBE))
    assert reading is not None
    assert reading.activation == activation
    found = (reading.before.scale, reading.before.shift, reading.after.scale, reading.after.shift)
    np.testing.assert_allclose(found, around[:4], rtol=1e-12, atol=1e-12)
    assert reading.slope == around[4]


@pytest.mark.parametrize(
    "function",
    [
        lambda z: 2 * z,
        lambda z: np.minimum(z, 6),
        lambda z: np.where(z > 1, z, 0),
        lambda z: np.where(z > 0, z, 0.5 * np.expm1(np.minimum(z, 0))),  # ELU with α = ½
        lambda z: np.clip(z, 0, 6) ** 2,
        lambda z: np.zeros_like(z),
        lambda z: np.full_like(z, np.nan),
    ],
)
def test_others_are_not(function: Callable[[Array], Array]) -> None:
    assert read(function(PROBE)) is None
