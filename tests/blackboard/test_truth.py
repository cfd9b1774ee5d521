"""What stands on a board is true to its digits: where numbers cancel, where outputs saturate, where they overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numerics import targets_for
from printed import lies

import reseau as rs
from reseau.blackboard import Blackboard
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("error")

PAIRS = [(a, loss) for a, sigma in ACTIVATIONS.items() for loss, entry in LOSSES.items() if entry.takes(sigma)]


def at(activation: str, loss: Any, z: float, hidden: bool = False, **options: Any) -> Blackboard:
    """Outputs with the scores z, 0 and −z/2, in turn."""
    entry = LOSSES[loss] if isinstance(loss, str) else loss
    n = 2 * entry.per_target if entry.per_target > 1 else 3
    layers = [rs.Dense(n, activation, bias=False)] + [rs.Dense(n, "identity", bias=False)] * hidden
    net = rs.Network(*layers, loss=loss, inputs=1, dtype="float64")
    net.layers[0].W[...] = np.resize([z, 0.0, -z / 2], n)
    for layer in net.layers[1:]:
        layer.W[...] = 0.37 + 0.11 * np.arange(n * n).reshape(n, n)
    T = targets_for(entry.name, 1, n, np.random.default_rng(2)).round(2)
    return net.blackboard([[1.0]], np.eye(n)[:1] if entry.distribution else T, learning_rate=0.1, **options)


QUICK, SLOW = [12.0, -40.0], [0.001, 1.7, -12.0, 20.0, 40.0, -800.0, 800.0]


@pytest.mark.parametrize(
    "scores", [pytest.param(QUICK, id="near"), pytest.param(SLOW, marks=pytest.mark.slow, id="far")]
)
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_equation_comes_to_its_result_at_any_score(activation: str, loss: str, scores: list[float]) -> None:
    for z in scores:
        assert lies(at(activation, loss, z)) == [], z


@pytest.mark.parametrize(
    "scores", [pytest.param([-20.0], id="near"), pytest.param([*SLOW, -1e6, 1e300], marks=pytest.mark.slow, id="far")]
)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_equation_of_a_hidden_layer_comes_to_its_result(activation: str, scores: list[float]) -> None:
    for z in scores:
        assert lies(at(activation, "squared_error", z, hidden=True)) == [], z


def one(w: float, target: float, activation: str, loss: Any = "squared_error", **options: Any) -> str:
    """The board of one neuron with the weight w and the input 1."""
    net = rs.Network(rs.Dense(1, activation, bias=False), loss=loss, inputs=1, dtype="float64")
    net.layers[0].W[...] = w
    return net.blackboard([[1.0]], [[target]], learning_rate=0.5, **options).to_text(width=300)


def test_a_difference_has_the_digits_that_its_result_takes() -> None:
    shown = one(12.0, 0.0, "sigmoid")
    # φ(12) = 0.99999385582539..., φ′(12) = 6.14413685...e-6: with ten digits after the decimal point
    assert "φ′(z₁⁽¹⁾) = 0.999993856 (1 − 0.999993856) = 6.144·10⁻⁶" in shown
    assert f"{0.999993856 * (1 - 0.999993856):.3e}" == "6.144e-06"
    assert "  φ′(z₁⁽¹⁾) = 0,7311 (1 − 0,7311) = 0,1966\n" in one(1.0, 0.0, "sigmoid", lang="fr")


def test_a_step_that_the_digits_would_hide_is_seen() -> None:
    shown = one(0.5, 0.499975, "identity")  # o − o* = 0.000025, Δw = −0.0000125
    assert "W₁′ = W₁ + ΔW₁ = [0.5] + [−1.250·10⁻⁵] = [0.499988]" in shown.replace("−1.25·", "−1.250·")
    assert "= [0.5] + [−0.5] = [0]" in one(0.5, -0.5, "identity")


@pytest.mark.parametrize(
    ("z", "activation", "slope"),
    [
        (20.0, "tanh", "1.699·10⁻¹⁷"),
        (40.0, "tanh", "7.219·10⁻³⁵"),
        (40.0, "sigmoid", "4.248·10⁻¹⁸"),
        (800.0, "tanh", ""),
    ],
)
def test_a_derivative_that_rounding_has_lost_is_told_and_no_false_line_stands(
    z: float, activation: str, slope: str
) -> None:
    shown = one(z, 0.0, activation)
    letter = "φ" if activation == "sigmoid" else "tanh"
    assert "a₁⁽¹⁾ cannot be told from 1 with the digits of double precision." in shown
    assert (f"{letter}′(z₁⁽¹⁾) = {slope}\n" in shown) is bool(slope)
    assert f"the computation goes on with:\n  {letter}′(Z₁) ≈ [0]\n" in shown
    assert "  δ₁ ≈ [0]\n" in shown
    for untrue_line in ("1 − 1²", "1 (1 − 1)", "′(z₁⁽¹⁾) = 0\n", "′(Z₁) = [0]", "[0] = [0]\n\nThe gradient"):
        assert untrue_line not in shown.partition("3. Backward")[2]


def test_a_saturated_error_is_worked_out_from_the_score() -> None:
    shown = one(1000.0, 0.0, "sigmoid", "binary_cross_entropy")
    assert "  e_j = log(1 + e^{z_j⁽¹⁾}) − o*_j z_j⁽¹⁾\n  e₁ = log(1 + e^1000) − 0 · 1000 = 1000\n" in shown
    assert "log(1 − 1)" not in shown
    assert "δ₁ = O − O* = [1] − [0] = [1]" in shown
    french = one(-1000.0, 1.0, "sigmoid", "binary_cross_entropy", lang="fr")
    assert "a₁⁽¹⁾ ne se distingue pas de 0 avec les chiffres de la double précision." in french
    assert "  e₁ = ln(1 + e^−1000) − 1 · (−1000) = 1000\n" in french


def test_what_is_too_large_for_a_double_is_told() -> None:
    shown = one(800.0, 1.0, "exponential", "poisson")
    assert "  a₁⁽¹⁾ = e^800\n  A₁ = exp(Z₁)\n" in shown
    assert "∞ stands for it:\n  A₁ ≈ [∞]\n" in shown
    assert "e^800 = ∞" not in shown


WITH_SCORES = [
    loss
    for loss in (
        *LOSSES.values(),
        rs.BinaryCrossEntropy(0.1),
        rs.CrossEntropy(0.2),
        rs.Tweedie(1.0),
        rs.Tweedie(2.0),
        rs.Tweedie(3.0),
    )
    if loss.scores_formula is not None
]


@pytest.mark.parametrize("loss", WITH_SCORES, ids=str)
def test_the_formula_of_scores_is_the_error_of_the_engines(loss: Any) -> None:
    rng = np.random.default_rng(3)
    Z, T = rng.normal(0.0, 2.0, (4, 3)), targets_for(loss.name, 4, 3, rng)
    expected = loss.value_from_scores(Z, T)
    for r, j in np.ndindex(*Z.shape):
        found = loss.scores_formula.evaluate({"z": Z[r], "o": Z[r], "t": T[r], "j": j})
        assert found == pytest.approx(expected[r, j], rel=1e-12, abs=1e-14)


def test_every_loss_that_simplifies_tells_its_error_from_the_scores() -> None:
    without = [name for name, loss in LOSSES.items() if loss.simplifies_with and loss.scores_formula is None]
    assert without == ["squared_error"]  # whose output is the score
