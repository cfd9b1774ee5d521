"""What is recognised between two layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reseau.activations import ACTIVATIONS
from reseau.importing.chain import PROBE, recognise
from reseau.network import DTYPES

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
        lambda z: np.full_like(z, np.nan),
        lambda z: np.zeros_like(z),
    ],
)
def test_what_is_nearly_an_activation_is_none(function: Callable[[Array], Array]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert recognise(function(PROBE)) is None
