"""Formulas on fractions: what is rational stays a fraction; of all else the tables' own functions give the float."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from reseau.formulas.fractions import each, floats, rational
from reseau.formulas.trees import Symbol, log, root
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES

x = Symbol("x")


def never() -> float:
    raise AssertionError("not asked")


def test_a_rational_value_is_a_fraction_and_asks_nothing_else():
    assert rational(x / 3 + x**2, {"x": Fraction(1, 2)}, never) == Fraction(5, 12)
    assert rational(root(x), {"x": Fraction(4, 9)}, never) == Fraction(2, 3)


@pytest.mark.parametrize("formula", [root(x), log(x), 1 / (x - 2)])
def test_what_is_not_rational_or_not_there_is_asked_for(formula):
    assert rational(formula, {"x": Fraction(2)}, lambda: np.array([[7.5]])) == 7.5


def test_floats_are_the_nearest_and_beyond_the_largest_infinite():
    numbers = np.array([Fraction(1, 3), 2, 0.5, Fraction(10**400), Fraction(-(10**400))], dtype=object)
    assert floats(numbers).tolist() == [1 / 3, 2.0, 0.5, math.inf, -math.inf]


def test_a_function_is_applied_place_by_place():
    A, B = np.array([[1, 2]], dtype=object), np.array([[3, 4]], dtype=object)
    assert each(Fraction, A, B).tolist() == [[Fraction(1, 3), Fraction(1, 2)]]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_on_fractions_is_near_that_on_floats(name):
    entry = ACTIVATIONS[name]
    on_fractions = entry.on_fractions()
    Z = np.array([[Fraction(-7, 2), Fraction(0), Fraction(1, 3)], [Fraction(5), Fraction(-1, 8), Fraction(0)]])
    A, G = on_fractions.value(Z), np.array([[Fraction(1, 2), Fraction(-1, 3), Fraction(2)]] * 2)
    expected = entry.value(floats(Z))
    np.testing.assert_allclose(floats(A), expected, rtol=1e-13, atol=1e-15)
    pulled = entry.pullback(floats(Z), expected, floats(G))
    np.testing.assert_allclose(floats(on_fractions.pullback(Z, A, G)), pulled, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "z", "a"),
    [
        ("sigmoid", 0, Fraction(1, 2)),
        ("relu", Fraction(1, 3), Fraction(1, 3)),
        ("softsign", Fraction(-3), Fraction(-3, 4)),
    ],
)
def test_what_is_known_to_be_rational_is_exactly_that(name, z, a):
    found = ACTIVATIONS[name].on_fractions().value(np.array([[Fraction(z)]]))
    assert found.tolist() == [[a]]
    assert isinstance(found[0, 0], Fraction)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_on_fractions_is_near_that_on_floats(name):
    entry = LOSSES[name]
    on_fractions = entry.on_fractions()
    O, T = np.array([[Fraction(1, 4), Fraction(3, 4)]]), np.array([[Fraction(0), Fraction(1)]])
    T = np.repeat(T[:, :: entry.per_target], entry.per_target, axis=1)
    for ours, theirs in ((on_fractions.value, entry.value), (on_fractions.derivative, entry.derivative)):
        np.testing.assert_allclose(floats(ours(O, T)), theirs(floats(O), floats(T)), rtol=1e-13, atol=1e-15)
    if entry.simplifies_with is not None:
        Z = np.array([[Fraction(-1, 2), Fraction(2)]])
        found = on_fractions.value_from_scores(Z, T)
        np.testing.assert_allclose(floats(found), entry.value_from_scores(floats(Z), floats(T)), rtol=1e-13)
