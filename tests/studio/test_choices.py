"""What the studio offers: the curves of activations, which the page draws."""

from __future__ import annotations

from math import tanh

import numpy as np
import pytest

from reseau.studio.choices import choices
from reseau.vocabulary.activations import ACTIVATIONS

ENTRIES = {entry["name"]: entry for entry in choices()["activations"]}


def places(curve: dict[str, object]) -> list[float]:
    return list(np.linspace(curve["low"], curve["high"], len(curve["values"])))


def test_the_curve_of_tanh_is_that_of_mathematics() -> None:
    curve = ENTRIES["tanh"]["curve"]
    for z, value, slope in zip(places(curve), curve["values"], curve["derivatives"], strict=True):
        assert value == pytest.approx(tanh(z), rel=1e-5, abs=1e-12)
        assert slope == pytest.approx(1 - tanh(z) ** 2, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("name", [name for name, sigma in ACTIVATIONS.items() if not sigma.row_wise])
def test_derivatives_add_up_to_the_curve(name: str) -> None:
    curve = ENTRIES[name]["curve"]
    z, A, D = (np.array(numbers, dtype=float) for numbers in (places(curve), curve["values"], curve["derivatives"]))
    # The trapezoidal rule errs by about h² between places, by h where the derivative jumps.
    h = z[1] - z[0]
    risen = np.concatenate([[0], np.cumsum((D[1:] + D[:-1]) / 2 * h)])
    np.testing.assert_allclose(risen, A - A[0], atol=2 * h * (1 + abs(A).max() / 100), rtol=h**2)


def test_an_activation_of_a_whole_layer_has_no_curve() -> None:
    assert all(("curve" in ENTRIES[name]) == (not sigma.row_wise) for name, sigma in ACTIVATIONS.items())
