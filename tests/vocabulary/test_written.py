"""Formulas of activations as code: in C, NumPy and ONNX."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reseau.formulas.trees import (
    HALF,
    Cases,
    Condition,
    Number,
    SumOver,
    Symbol,
    Where,
    absolute,
    exp,
    log,
    maximum,
    minimum,
    phi,
    tanh,
)
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.activations.written import C, NumPy, Unwritable, to_onnx

z, a, k = Symbol("z"), Symbol("a"), Symbol("k")


@pytest.mark.parametrize(
    ("formula", "in_c", "in_numpy"),
    [
        (z, "z", "z"),
        (Number(-3), "-3.0", "-3"),
        (Number(Decimal("1e-7")), "1.0e-07", "1E-7"),
        (HALF * z, "0.5 * z", "0.5 * z"),
        (Number(Fraction(1, 6)) * z, "1.0 / 6.0 * z", "1 / 6 * z"),
        (z * Number(Fraction(1, 6)), "z * (1.0 / 6.0)", "z * (1 / 6)"),
        (1 - (z - 2), "1.0 - (z - 2.0)", "1 - (z - 2)"),
        (-(z + 1), "-(z + 1.0)", "-(z + 1)"),
        (z - -z, "z - (-z)", "z - (-z)"),
        (z / (z / a), "z / (z / a)", "z / (z / a)"),
        ((z + 1) / (2 * a), "(z + 1.0) / (2.0 * a)", "(z + 1) / (2 * a)"),
        (1 - a**3, "1.0 - a * a * a", "1 - a * a * a"),
        (1 / a**2, "1.0 / (a * a)", "1 / (a * a)"),
        (z * phi(z) + tanh(absolute(z)), "z * sigmoid(z) + tanh(fabs(z))", "z * sigmoid(z) + np.tanh(np.abs(z))"),
        (maximum(0, z), "z < 0.0 ? 0.0 : z", "np.maximum(z, 0)"),
        (1 + minimum(6, z), "1.0 + (z > 6.0 ? 6.0 : z)", "1 + np.minimum(z, 6)"),
        (minimum(1, maximum(-1, z)), "z <= -1.0 ? -1.0 : z >= 1.0 ? 1.0 : z", "np.clip(z, -1, 1)"),
        (exp(z), "exp(z)", "np.exp(z)"),
        (Where(2 * k * z, ((k, Number(0.25)),)), "0.5 * z", "0.5 * z"),
        (
            Cases(((z, Condition(z, ">", Number(0))), (Number(1), Condition(absolute(z), "≤", Number(3)))), a + 1),
            "z > 0.0 ? z : fabs(z) <= 3.0 ? 1.0 : a + 1.0",
            "np.where(z > 0, z, np.where(np.abs(z) <= 3, 1, a + 1))",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_formula_is_written_with_the_parentheses_it_needs(formula, in_c, in_numpy):
    assert C().write(formula) == in_c
    assert NumPy().write(formula) == in_numpy


@pytest.mark.parametrize(
    "formula",
    [
        1 / (1 + exp(-z)),
        exp(z) - 1,
        exp(2 * z),
        log(1 + exp(z)),
        (1 + absolute(z)) ** 2,
        z**-1,
        z**HALF,
        Where(k * k, ((k, tanh(z)),)),
        SumOver("i", Symbol("z", index=("i",)), "z"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("language", [C, NumPy])
def test_what_could_overflow_lose_digits_or_cost_twice_is_left_to_be_written_by_hand(formula, language):
    with pytest.raises(Unwritable, match="write it by hand"):
        language().write(formula)


@pytest.mark.parametrize("formula", [maximum(0, z + 1), minimum(1, maximum(0, z / 6 + HALF))])
def test_c_would_compute_twice_what_it_bounds(formula):
    with pytest.raises(Unwritable):
        C().write(formula)
    assert NumPy().write(formula)


@pytest.mark.parametrize("formula", [exp(z), Cases(((z, Condition(z, ">", Number(0))),), Number(0)), z**2])
def test_onnx_takes_no_more_than_it_can_say(formula):
    with pytest.raises(Unwritable):
        to_onnx(lambda *_: "node", formula, "Z")


def _combined(inner):
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (2 + absolute(p[1]))),
        inner.map(lambda x: -x),
        inner.map(tanh),
        inner.map(lambda x: minimum(2, maximum(-1, x))),
        inner.map(lambda x: maximum(HALF, x)),
        pairs.map(lambda p: Cases(((p[0], Condition(z, ">", Number(0))),), p[1])),
    )


FORMULAS = st.recursive(
    st.sampled_from([z, a, a**2, HALF, Number(-3), Number(Fraction(-1, 3))]), _combined, max_leaves=8
)


@given(FORMULAS)
def test_the_code_in_numpy_has_the_value_of_its_formula(formula):
    Z, A = np.array([-2.5, -1e-3, 0.75, 3.0]), np.array([0.125, -0.5, 1.0, 0.3])
    found = eval(NumPy().write(formula), {"np": np, "z": Z, "a": A})
    expected = [formula.evaluate({"z": x, "a": y}) for x, y in zip(Z, A, strict=True)]
    np.testing.assert_allclose(np.broadcast_to(found, 4), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("entry", ACTIVATIONS.values(), ids=lambda entry: entry.name)
def test_nothing_is_written_by_hand_that_its_formula_would_say(entry):
    given_by_hand = [
        (entry.by_hand.c, C(), entry.formula),
        (entry.by_hand.c_derivative, C(), entry.derivative_formula),
        (entry.by_hand.numpy, NumPy(), entry.formula),
    ]
    for text, language, formula in given_by_hand:
        if text is not None:
            with pytest.raises(Unwritable):
                language.write(formula)
