"""Formulas: those of the tables have the values of the tables' functions, exactly where they can; numbers put in."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import exp as e_to
from typing import Any

import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER

from reseau.formulas.trees import (
    DOTS,
    HALF,
    PI,
    Blank,
    Cases,
    Condition,
    Kronecker,
    Minus,
    Number,
    Product,
    Sum,
    SumOver,
    Symbol,
    Where,
    absolute,
    exp,
    log,
    maximum,
    named,
    replaced,
    root,
    symbols_of,
)
from reseau.formulas.typesetting import TextSetter
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise, RowWise
from reseau.vocabulary.intervals import Interval
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import SGD, Adam

pytestmark = pytest.mark.filterwarnings("error")

EPS = float(np.finfo(np.float64).eps)
POINTS = np.array(sorted({sign * z for z in (0, 1e-9, 1e-3, *np.arange(1, 41) / 4) for sign in (-1.0, 1.0)}))
ROWS = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [-3.0, 3.0, 0.25], [7.0, 7.5, -6.0]])
ELEMENTWISE = [name for name, entry in ACTIVATIONS.items() if isinstance(entry, Elementwise)]
ROW_WISE = [name for name, entry in ACTIVATIONS.items() if isinstance(entry, RowWise)]

x, y = Symbol("x"), Symbol("y")


def as_text(formula: Any) -> str:
    return TextSetter().set(formula)


# --- the formulas of the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formula_of_an_activation_has_the_value_of_its_function(name):
    entry = ACTIVATIONS[name]
    for z, value in zip(POINTS, entry.value(POINTS), strict=True):
        # A formula as it is written rounds against numbers of size 1 and z, which the function knows to avoid.
        tolerance = 16 * EPS * (1 + abs(z)) * max(1.0, abs(value))
        assert entry.formula.evaluate({"z": z}) == pytest.approx(value, rel=0, abs=tolerance)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formula_of_a_derivative_has_the_value_of_its_function(name):
    entry = ACTIVATIONS[name]
    A = entry.value(POINTS)
    for z, a, slope in zip(POINTS, A, entry.derivative(POINTS, A), strict=True):
        # The derivative of GELU multiplies numbers off by eps with a cubic of z.
        tolerance = 16 * EPS * (1 + abs(z)) ** 3 * max(1.0, abs(slope))
        assert entry.derivative_formula.evaluate({"z": z, "a": a}) == pytest.approx(slope, rel=0, abs=tolerance)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formula_of_a_second_derivative_has_the_value_of_its_function(name):
    entry = ACTIVATIONS[name]
    A = entry.value(POINTS)
    for z, a, curve in zip(POINTS, A, entry.second_derivative(POINTS, A), strict=True):
        tolerance = 16 * EPS * (1 + abs(z)) ** 4 * max(1.0, abs(curve))
        assert entry.second_derivative_formula.evaluate({"z": z, "a": a}) == pytest.approx(curve, rel=0, abs=tolerance)


@pytest.mark.parametrize("name", ROW_WISE)
def test_the_formula_of_the_second_derivative_of_a_row_has_the_value_of_its_functions(name):
    entry = ACTIVATIONS[name]
    A = entry.value(ROWS)
    n = ROWS.shape[1]
    for i, k in np.ndindex(n, n):
        G, dZ = np.zeros_like(ROWS), np.zeros_like(ROWS)
        G[:, i] = dZ[:, k] = 1
        changed = entry.pullback_changed(ROWS, A, G, dZ)
        for r, j in np.ndindex(*ROWS.shape):
            curve = entry.second_derivative_formula.evaluate({"a": A[r], "i": i, "j": j, "k": k})
            assert curve == pytest.approx(changed[r, j], rel=0, abs=16 * EPS)


@pytest.mark.parametrize("name", ROW_WISE)
def test_the_formulas_of_a_row_wise_activation_have_the_values_of_its_functions(name):
    entry = ACTIVATIONS[name]
    A = entry.value(ROWS)
    D = entry.jacobian(A)
    for r, j in np.ndindex(*ROWS.shape):
        value = entry.formula.evaluate({"z": ROWS[r], "j": j})
        assert value == pytest.approx(A[r, j], rel=0, abs=16 * EPS * (1 + np.abs(ROWS[r]).max()))
        for i in range(ROWS.shape[1]):
            slope = entry.derivative_formula.evaluate({"a": A[r], "i": i, "j": j})
            assert slope == pytest.approx(D[r, i, j], rel=0, abs=16 * EPS)


@pytest.mark.parametrize("name", [name for name, entry in LOSSES.items() if entry.per_target == 1])
def test_the_formulas_of_a_loss_have_the_values_of_its_functions(name):
    entry = LOSSES[name]
    points = (-2.5, -1.0, -0.2, 0.0, 0.1, 0.5, 0.9, 1.0, 1.2, 3.0)
    inside = [
        [p for p in points if domain.contains(Interval(p, p, True, True))] for domain in (entry.outputs, entry.targets)
    ]
    assert min(map(len, inside)) >= 3
    for o in inside[0]:
        for t in inside[1]:
            O, T = np.array([[o]]), np.array([[t]])
            values = {"o": [o], "t": [t], "j": 0}
            assert entry.formula.evaluate(values) == pytest.approx(entry.value(O, T).item(), rel=8 * EPS, abs=8 * EPS)
            slope = entry.derivative(O, T).item()
            assert entry.derivative_formula.evaluate(values) == pytest.approx(slope, rel=8 * EPS, abs=8 * EPS)


def test_the_place_says_which_output_and_which_target_are_compared():
    values = {"o": [5.0, 1.0], "t": [0.0, 4.0], "j": 1}
    assert LOSSES["squared_error"].formula.evaluate(values) == 4.5  # ½ (4 − 1)²
    assert LOSSES["squared_error"].derivative_formula.evaluate(values) == -3.0


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_the_equations_of_an_optimizer_take_the_steps_of_its_update(optimizer):
    w = formula_w = np.array([[-1.0, 0.5, 2.0], [0.25, -3.0, 0.125]])
    state = optimizer.init(w)
    values: dict[str, Any] = dict(optimizer.hyperparameters())
    values.update((equation.left.name, np.zeros_like(w)) for equation in optimizer.equations if equation.state)
    for t in range(1, 6):
        g = np.cos(t * np.arange(1.0, 7.0)).reshape(2, 3)
        w, state = optimizer.update(w, g, state, t)
        values.update(w=formula_w, g=g, t=t)
        for equation in optimizer.equations:
            values[equation.left.name] = equation.right.evaluate(values)
        formula_w = formula_w + values["change"]
        np.testing.assert_allclose(formula_w, w, rtol=1e-14)
    kept = [values[equation.left.name] for equation in optimizer.equations if equation.state]
    for mine, theirs in zip(kept, state, strict=False):  # plain gradient descent has nothing to keep
        np.testing.assert_allclose(mine, theirs, rtol=1e-14, atol=1e-15)


# --- exactly ------------------------------------------------------------------------------------------------------

FRACTIONS = [Fraction(n, 7) for n in range(-35, 36)]


def gate(z: Fraction) -> Fraction:
    return min(Fraction(1), max(Fraction(0), z / 6 + Fraction(1, 2)))


EXACTLY: dict[str, tuple[Callable[[Fraction], Fraction], Callable[[Fraction], Fraction]]] = {
    "identity": (lambda z: z, lambda z: Fraction(1)),
    "relu": (lambda z: max(z, Fraction(0)), lambda z: Fraction(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else z / 100, lambda z: Fraction(1) if z > 0 else Fraction(1, 100)),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "hard_sigmoid": (gate, lambda z: Fraction(1, 6) if -3 < z < 3 else Fraction(0)),
    "hard_swish": (
        lambda z: z * gate(z),
        lambda z: Fraction(0) if z <= -3 else Fraction(1) if z >= 3 else z / 3 + Fraction(1, 2),
    ),
}


@pytest.mark.parametrize("name", EXACTLY)
def test_what_is_rational_stays_so_and_is_exact(name):
    entry = ACTIVATIONS[name]
    value, derivative = EXACTLY[name]
    for z in FRACTIONS:
        a = entry.formula.evaluate({"z": z}, exact=True)
        assert (type(a), a) == (Fraction, value(z))
        slope = entry.derivative_formula.evaluate({"z": z, "a": a}, exact=True)
        assert (type(slope), slope) == (Fraction, derivative(z))


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("sigmoid", Fraction(1, 2), Fraction(1, 4)),
        ("tanh", Fraction(0), Fraction(1)),
        ("elu", Fraction(0), Fraction(1)),
        ("silu", Fraction(0), Fraction(1, 2)),
        ("exponential", Fraction(1), Fraction(1)),
    ],
)
def test_at_zero_these_are_rational_too(name, value, slope):
    entry = ACTIVATIONS[name]
    a = entry.formula.evaluate({"z": Fraction(0)}, exact=True)
    assert (type(a), a) == (Fraction, value)
    d = entry.derivative_formula.evaluate({"z": Fraction(0), "a": a}, exact=True)
    assert (type(d), d) == (Fraction, slope)


def test_softmax_of_zeros_is_rational():
    entry = ACTIVATIONS["softmax"]
    row = [Fraction(0)] * 3
    a = [entry.formula.evaluate({"z": row, "j": j}, exact=True) for j in range(3)]
    assert a == [Fraction(1, 3)] * 3
    assert all(type(value) is Fraction for value in a)
    for i, j in np.ndindex(3, 3):
        slope = entry.derivative_formula.evaluate({"a": a, "i": i, "j": j}, exact=True)
        assert slope == (Fraction(2, 9) if i == j else Fraction(-1, 9))


def test_what_is_not_rational_becomes_the_float():
    value = ACTIVATIONS["sigmoid"].formula.evaluate({"z": Fraction(1, 3)}, exact=True)
    assert not isinstance(value, Fraction)
    assert value == pytest.approx(1 / (1 + e_to(-1 / 3)), rel=4 * EPS)


@pytest.mark.parametrize(
    ("name", "value", "slope"),  # at o = 1/3, t = 3/4
    [
        ("squared_error", Fraction(25, 288), Fraction(-5, 12)),
        ("absolute_error", Fraction(5, 12), Fraction(-1)),
        ("huber", Fraction(25, 288), Fraction(-5, 12)),
        ("binary_cross_entropy", None, Fraction(3, 8) - Fraction(9, 4)),
        ("cross_entropy", None, Fraction(-9, 4)),
        ("poisson", None, Fraction(-5, 4)),
    ],
)
def test_losses_are_exact_where_they_are_rational(name, value, slope):
    values = {"o": [Fraction(1, 3)], "t": [Fraction(3, 4)], "j": 0}
    e = LOSSES[name].formula.evaluate(values, exact=True)
    assert value is None or (type(e), e) == (Fraction, value)
    assert (value is None) == (not isinstance(e, Fraction))
    d = LOSSES[name].derivative_formula.evaluate(values, exact=True)
    assert (type(d), d) == (Fraction, slope)


def test_the_far_branch_of_huber_is_exact_too():
    values = {"o": [Fraction(-2)], "t": [Fraction(1, 3)], "j": 0}
    assert LOSSES["huber"].formula.evaluate(values, exact=True) == Fraction(7, 3) - Fraction(1, 2)
    assert LOSSES["huber"].derivative_formula.evaluate(values, exact=True) == Fraction(-1)


def test_roots_are_exact_of_squares_only():
    assert root(x).evaluate({"x": Fraction(9, 16)}, exact=True) == Fraction(3, 4)
    value = root(x).evaluate({"x": Fraction(1, 2)}, exact=True)
    assert not isinstance(value, Fraction)
    assert value == pytest.approx(0.5**0.5, rel=2 * EPS)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
def test_equations_are_evaluated_on_fractions_as_far_as_roots_allow(optimizer):
    exactly: dict[str, Any] = {k: Fraction(str(v)) for k, v in optimizer.hyperparameters().items() if type(v) is float}
    exactly.update((equation.left.name, Fraction(0)) for equation in optimizer.equations if equation.state)
    exactly.update(w=Fraction(1, 3), g=Fraction(9, 16), t=1)
    floats = {k: float(v) for k, v in exactly.items()}
    for equation in optimizer.equations:
        exactly[equation.left.name] = equation.right.evaluate(exactly, exact=True)
        floats[equation.left.name] = equation.right.evaluate(floats)
        if equation.state and optimizer.name != "nadam":  # whose momentum has powers of 0.96
            assert type(exactly[equation.left.name]) is Fraction
    # 1 − β₂ and 1 − β₂ᵗ lose three digits at β₂ = 0.999.
    assert float(exactly["change"]) == pytest.approx(floats["change"], rel=1e-12)


def test_plain_gradient_descent_and_momentum_are_exact():
    w = {"w": Fraction(1), "g": Fraction(2, 3), "learning_rate": Fraction(1, 10), "momentum": Fraction(9, 10), "t": 1}
    (plain,) = SGD(0.1).equations
    assert plain.right.evaluate(w, exact=True) == Fraction(-1, 15)
    memory, change = SGD(0.1, momentum=0.9, nesterov=True).equations
    v = memory.right.evaluate({**w, "v": Fraction(1, 2)}, exact=True)
    assert (type(v), v) == (Fraction, Fraction(9, 20) - Fraction(1, 15))
    ahead = change.right.evaluate({**w, "v": v}, exact=True)
    assert (type(ahead), ahead) == (Fraction, Fraction(9, 10) * v - Fraction(1, 15))


# --- filled in with numbers ---------------------------------------------------------------------------------------


def test_numbers_take_the_place_of_symbols():
    assert as_text(ACTIVATIONS["sigmoid"].formula.plug({"z": 0.5})) == "1/(1 + e^−0.5)"
    assert as_text(ACTIVATIONS["sigmoid"].derivative_formula.plug({"z": 0.5, "a": 0.25})) == "0.25 (1 − 0.25)"
    assert as_text(LOSSES["squared_error"].formula.plug({"o": [9.0, 0.25], "t": [8.0, 1.0], "j": 1})) == "½ (1 − 0.25)²"


def test_a_symbol_without_a_value_stays():
    assert as_text((x + y).plug({"x": 2})) == "2 + y"
    assert as_text(ACTIVATIONS["gelu"].formula.plug({"z": 2.0})).startswith("2")


def test_a_plugged_formula_has_the_value_of_the_formula():
    for name in ELEMENTWISE:
        entry = ACTIVATIONS[name]
        for z in (-4.0, -0.7, 0.0, 0.3, 3.5):
            a = float(entry.value(np.array([z]))[0])
            for formula in (entry.formula, entry.derivative_formula):
                plugged = formula.plug({"z": z, "a": a})
                assert not list(symbols_of(plugged)), name
                assert plugged.evaluate({}) == formula.evaluate({"z": z, "a": a})


def test_a_sum_is_written_out_up_to_six_terms_then_has_dots():
    total = SumOver("i", Symbol("z", index=("i",)), "z")
    assert as_text(total.plug({"z": [4.0]})) == "4"
    assert as_text(total.plug({"z": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})) == "1 + 2 + 3 + 4 + 5 + 6"
    assert as_text(total.plug({"z": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]})) == "1 + 2 + ⋯ + 7"


def test_the_sum_of_softmax_is_written_out_with_the_place_above():
    formula = ACTIVATIONS["softmax"].formula
    assert as_text(formula.plug({"z": [0.5, 2.0], "j": 1})) == "e^2/(e^0.5 + e^2)"
    assert as_text(formula.plug({"z": [0.5, 2.0], "j": 0})) == "e^0.5/(e^0.5 + e^2)"


def test_deltas_of_kronecker_become_one_or_zero():
    formula = ACTIVATIONS["softmax"].derivative_formula
    assert as_text(formula.plug({"a": [0.25, 0.75], "i": 0, "j": 0})) == "0.25 (1 − 0.25)"
    assert as_text(formula.plug({"a": [0.25, 0.75], "i": 0, "j": 1})) == "0.25 (0 − 0.75)"
    assert Kronecker("i", "j").evaluate({"i": 2, "j": 2}) == 1
    assert Kronecker("i", "j").evaluate({"i": 2, "j": 1}) == 0


def test_of_several_cases_the_one_that_holds_is_written():
    elu = ACTIVATIONS["elu"].formula
    assert as_text(elu.plug({"z": 2.0})) == "2"
    assert as_text(elu.plug({"z": -2.0})) == "e^−2 − 1"
    assert as_text(elu.plug({"z": 0.0})) == "e^0 − 1"
    swish = ACTIVATIONS["hard_swish"].derivative_formula
    assert [as_text(swish.plug({"z": z})) for z in (-3.0, 3.0, 1.5)] == ["0", "1", "1.5/3 + ½"]
    huber = LOSSES["huber"].formula
    assert as_text(huber.plug({"o": [3.0], "t": [0.5], "j": 0})) == "|2.5| − ½"
    assert as_text(huber.plug({"o": [1.0], "t": [0.5], "j": 0})) == "½ · 0.5²"


def test_letters_are_replaced_wherever_they_stand():
    z, a, b = Symbol("z"), Symbol("a"), Symbol("b")
    formula = Cases(((absolute(a) + 1, Condition(z, ">", Number(0))),), -(a * z) / a**2)
    assert replaced(formula, {a: b}) == Cases(((absolute(b) + 1, Condition(z, ">", Number(0))),), -(b * z) / b**2)
    assert replaced(formula, {z: b}) == Cases(((absolute(a) + 1, Condition(b, ">", Number(0))),), -(a * b) / a**2)


def test_definitions_are_put_in_where_their_letters_stood():
    formula = Where(2 * Symbol("s") + x, ((Symbol("s"), x**2),))
    assert formula.evaluate({"x": 3}) == 21
    assert as_text(formula.plug({"x": 3})) == "2 · 9 + 3"


# --- making formulas ----------------------------------------------------------------------------------------------


def test_operators_keep_the_order_in_which_a_formula_was_written():
    assert as_text(1 + x) == "1 + x"
    assert as_text(x - 1 - y) == "x − 1 − y"
    assert as_text(1 - (x - y)) == "1 − (x − y)"
    assert as_text(2 * x * y) == "2x y"
    assert as_text(x / y / 2) == "x/y/2"
    assert x + 1 + y == Sum((x, Number(1), y))
    assert (x * 2) * y == Product((x, Number(2), y))


def test_every_operator_has_its_value():
    values = {"x": 7.0, "y": 2.0}
    cases = [
        (x + y, 9.0), (1 + x, 8.0), (x - y, 5.0), (1 - x, -6.0), (x * y, 14.0), (3 * x, 21.0), (x / y, 3.5),
        (14 / x, 2.0), (x**y, 49.0), (-x, -7.0), (maximum(x, y), 7.0), (absolute(-x), 7.0), (HALF * x, 3.5),
        (2 * PI, 6.283185307179586), (Number(Decimal("0.01")) * x, 0.07), (log(exp(y)), 2.0),
    ]  # fmt: skip
    for formula, value in cases:
        assert formula.evaluate(values) == pytest.approx(value, rel=4 * EPS)


def test_comparisons_hold_as_their_sign_says():
    table = {"<": (True, False, False), "≤": (True, True, False), ">": (False, False, True), "≥": (False, True, True)}
    for sign, expected in table.items():
        condition = Condition(x, sign, Number(2))
        assert tuple(condition.holds({"x": value}) for value in (1, 2, 3)) == expected
    cases = Cases(((Number(10), Condition(x, "<", Number(2))), (Number(20), Condition(x, "<", Number(4)))), Number(30))
    assert [cases.evaluate({"x": value}) for value in (1, 3, 5)] == [10, 20, 30]


def test_an_index_is_a_letter_looked_up_or_a_place_from_one():
    values = {"z": [10, 20, 30], "i": 2}
    assert Symbol("z", index=("i",)).evaluate(values) == 30
    assert Symbol("z").at(1).evaluate(values) == 10


def test_what_has_no_value_says_so():
    for formula, words in ((DOTS, "dots"), (Blank(), "blank"), (named("σ")(x), "σ is only a name")):
        with pytest.raises(TypeError, match=words):
            formula.evaluate({"x": 1.0})
        assert formula.plug({}) == formula


def test_the_letters_of_a_formula_are_found_in_the_order_of_reading():
    (equation,) = SGD(0.1).equations
    assert [symbol.name for symbol in symbols_of(equation.right)] == ["learning_rate", "g"]
    assert [symbol.name for symbol in symbols_of(Adam().equations[0].right)] == ["beta_1", "m", "beta_1", "g"]
    letters = symbols_of(Where(Cases(((x, Condition(y, ">", Number(0))),), Minus(x)), ((Symbol("s"), y),)))
    assert [symbol.name for symbol in letters] == ["x", "y", "x", "s", "y"]
