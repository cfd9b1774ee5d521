"""How formulas are set: figures, parentheses, indices, and what French does otherwise; MathML and LaTeX beside text."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reseau.blackboard.html import MathmlSetter
from reseau.blackboard.latex import LatexSetter
from reseau.formulas.trees import (
    DOTS,
    HALF,
    PI,
    Blank,
    Cases,
    Condition,
    Expression,
    Kronecker,
    Minus,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    Where,
    absolute,
    erf,
    exp,
    log,
    maximum,
    named,
    root,
    sign,
    tanh,
)
from reseau.formulas.typesetting import Figures, TextSetter, figures, missing_decimals
from reseau.formulas.words import LANGUAGES, NARROW, Words

x, y, z = Symbol("x"), Symbol("y"), Symbol("z")


def text(formula: Expression, lang: str = "en", digits: int = 4) -> str:
    return TextSetter(lang, digits).set(formula)


def number(value: float, digits: int = 4, lang: str = "en") -> str:
    return text(Number(value), lang, digits)


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        # rounded to significant digits
        (0.123456, 4, "0.1235"), (12.3456, 4, "12.35"), (1.23456, 2, "1.2"), (0.00123456, 3, "0.00123"),
        (0.66, 1, "0.7"),
        # a rounding that reaches the next power of ten
        (0.999996, 4, "1.000"), (9.99996, 4, "10.00"), (0.0999996, 4, "0.1000"),
        # what is exact is written as such, what is rounded keeps its zeros
        (0.5, 4, "0.5"), (1.0, 4, "1"), (-2.0, 4, "−2"), (0.50001, 4, "0.5000"), (0.99999, 4, "1.000"),
        (120.0, 4, "120"),
        # rounding errors of doubles are no rounding
        (0.1 + 0.2, 4, "0.3"), (1 - 0.9, 4, "0.1"), (0.1 * 3, 15, "0.3"), (1 / 3, 15, "0.333333333333333"),
        # powers of ten
        (1e6, 4, "1·10⁶"), (1234567.0, 4, "1.235·10⁶"), (999999.0, 4, "1.000·10⁶"),
        # groups of three digits, of five and more
        (123456.0, 6, f"123{NARROW}456"), (12345.0, 5, f"12{NARROW}345"), (1234.5, 6, "1234.5"),
        (-98765.4, 6, f"−98{NARROW}765.4"),
        (1e-4, 4, "0.0001"), (0.00012345, 3, "0.000123"), (0.000099, 4, "9.9·10⁻⁵"), (6.305e-8, 4, "6.305·10⁻⁸"),
        (9.99999e-5, 4, "0.0001000"), (1e-300, 4, "1·10⁻³⁰⁰"), (5e-324, 1, "5·10⁻³²⁴"),
        (1.7976931348623157e308, 4, "1.798·10³⁰⁸"),
        # signs, zeros and what is no number
        (-0.25, 4, "−0.25"), (-1e-7, 4, "−1·10⁻⁷"), (0.0, 4, "0"), (-0.0, 4, "0"), (inf, 4, "∞"), (-inf, 4, "−∞"),
        (nan, 4, "?"),
    ],
)  # fmt: skip
def test_a_number_is_rounded_to_its_significant_digits(value, digits, expected):
    assert number(value, digits) == expected


def test_figures_are_the_parts_of_a_number():
    assert figures(-12.345, 3) == Figures("−12", "3")
    assert figures(6.3e-8, 4) == Figures("6", "3", -8)
    assert figures(-1.0, 4).negative
    assert not figures(1.0, 4).negative


@given(st.floats(min_value=1e-12, max_value=1e12), st.integers(1, 15), st.booleans())
def test_what_is_shown_is_the_nearest_number_of_so_many_digits(value, digits, negative):
    value = -value if negative else value
    shown = number(value, digits).replace("−", "-").replace(NARROW, "")
    superscripts = {ord(raised): plain for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True)}
    read = Fraction(shown.replace("·10", "e").translate(superscripts))
    # Half a unit in the last of the digits.
    assert abs(read - Fraction(value)) <= abs(Fraction(value)) * Fraction(1, 2 * 10 ** (digits - 1))
    figures_shown = re.sub(r"·.*|[-.]", "", shown).lstrip("0")
    assert len(figures_shown) <= max(digits, 6)  # below a million nothing is written with a power of ten


def test_the_type_of_a_constant_says_how_it_is_written():
    third = 0.3333333333333333
    assert text(Number(Decimal("0.044715"))) == "0.044715"
    assert text(Number(Decimal("123.456789"))) == "123.456789"
    assert text(Number(123456789)) == f"123{NARROW}456{NARROW}789"
    assert text(Number(-7)) == "−7"
    assert text(Number(Fraction(-7, 3))) == "−7/3"
    assert text(Number(Fraction(6, 3))) == "2"
    assert text(HALF) == "½"
    assert text(Number(third)) == "0.3333"
    assert text(Number(third), digits=2) == "0.33"


def test_french_has_decimal_commas_semicolons_and_its_own_names():
    assert number(0.5, lang="fr") == "0,5"
    assert number(6.305e-8, lang="fr") == "6,305·10⁻⁸"
    assert text(Number(Decimal("0.01")), "fr") == "0,01"
    assert text(maximum(0, Number(0.5)), "fr") == "max(0\N{NARROW NO-BREAK SPACE}; 0,5)"
    assert text(maximum(0, Number(0.5))) == "max(0, 0.5)"
    assert [text(log(x), lang) for lang in LANGUAGES] == ["log x", "ln x"]
    assert [text(sign(x), lang) for lang in LANGUAGES] == ["sign x", "sgn x"]
    assert [text(log(1 + x), lang) for lang in LANGUAGES] == ["log(1 + x)", "ln(1 + x)"]
    cases = Cases(((x, Condition(x, ">", Number(0))),), y)
    assert [text(cases, lang) for lang in LANGUAGES] == [
        "x for x > 0, else y",
        f"x pour x > 0{NARROW}; sinon y",
    ]
    where = Where(x, ((x, y), (z, Number(1))))
    assert [text(where, lang) for lang in LANGUAGES] == [
        "x, where x = y, z = 1",
        f"x, où x = y{NARROW}; z = 1",
    ]


def test_words_have_a_text_for_every_language_and_french_keeps_its_signs_on_the_line():
    words = Words("“yes”: now; why? so!", "« oui » : maintenant ; pourquoi ? voilà !")
    assert LANGUAGES == ("en", "fr")
    assert words.in_("en") == "“yes”: now; why? so!"
    wide, thin = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
    assert words.in_("fr") == f"«{wide}oui{wide}»{wide}: maintenant{thin}; pourquoi{thin}? voilà{thin}!"


# --- parentheses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        # negative numbers
        (Number(-2) + x, "−2 + x"), (x + Number(-2), "x + (−2)"), (x - Number(-2), "x − (−2)"),
        (Number(3) * Number(-2), "3 · (−2)"), (Number(-3) * Number(2), "(−3) · 2"), (Number(-2) ** 2, "(−2)²"),
        (-Number(-2), "−(−2)"), (Number(-1) / Number(-2), "(−1)/(−2)"), (exp(-Number(-2)), "e^−(−2)"),
        # sums and differences
        (x - (y + z), "x − (y + z)"), (x - (y - z), "x − (y − z)"), (x + (y - z), "x + y − z"), (-(x + y), "−(x + y)"),
        ((x + y) * z, "(x + y) z"), (2 * (x + y), "2(x + y)"), (x * (y - z), "x (y − z)"), (x + (-y), "x − y"),
        (x * -y, "x (−y)"), (-(x * y), "−x y"), (Minus(Minus(x)), "−(−x)"), (Sum((Minus(x), y)), "−x + y"),
        # products: a dot before figures, else side by side
        (x * y, "x y"), (2 * x, "2x"), (x * 2, "x · 2"), (Number(2) * Number(3), "2 · 3"), (Number(0.5) * x, "0.5 x"),
        (HALF * x, "½ x"), (Number(2) * Number(3) ** 2, "2 · 3²"), (x * (y / z), "x (y/z)"), ((x / y) * z, "(x/y) z"),
        (x * Number(Fraction(1, 3)), "x · (1/3)"),
        # quotients
        (x / y, "x/y"), (x / (y * z), "x/(y z)"), ((x * y) / z, "x y/z"), (x / (y / z), "x/(y/z)"),
        ((x + 1) / (y - 1), "(x + 1)/(y − 1)"), (1 / (1 + x) ** 2, "1/(1 + x)²"), (x / -y, "x/(−y)"),
        (-(x / y), "−x/y"), (Number(1) / Number(Fraction(1, 3)), "1/(1/3)"),
        # powers
        (x**2, "x²"), ((x + y) ** 2, "(x + y)²"), ((x * y) ** 2, "(x y)²"), ((x / y) ** 2, "(x/y)²"),
        ((x**2) ** 3, "(x²)³"), (-(x**2), "−x²"), ((-x) ** 2, "(−x)²"), (x**-2, "x⁻²"), (x**12, "x¹²"),
        (x ** Symbol("t"), "xᵗ"), (exp(x) ** 2, "(e^x)²"), (log(x) ** 2, "(log x)²"), (absolute(x) ** 2, "|x|²"),
        (root(x) ** 2, "(√x)²"), (Number(Fraction(1, 3)) ** 2, "(1/3)²"), (x ** (y + 1), "x^{y + 1}"),
        # exponentials
        (exp(x), "e^x"), (exp(-x), "e^−x"), (exp(-(2 * z)), "e^−2z"), (exp(x + y), "e^{x + y}"),
        (exp(Symbol("z", index=("j",))), "e^{z_j}"), (exp(Number(0.5)), "e^0.5"), (exp(x / y), "e^{x/y}"),
        # functions
        (root(x), "√x"), (root(x + y), "√(x + y)"), (root(x * y), "√(x y)"), (root(2 * PI), "√(2π)"),
        (absolute(x - y), "|x − y|"), (tanh(x), "tanh(x)"), (erf(x / root(2)), "erf(x/√2)"),
        (maximum(0, x), "max(0, x)"),
        (named("φ′")(Symbol("Z", label="2")), "φ′(Z₂)"), (x * log(y), "x log y"), (log(1 + exp(x)), "log(1 + e^x)"),
        # sums over an index
        (SumOver("j", Symbol("e", index=("j",)), ""), "Σ_j e_j"), (SumOver("i", x + y, ""), "Σ_i (x + y)"),
        (x / SumOver("i", y, ""), "x/Σ_i y"), (log(SumOver("i", y, "")), "log Σ_i y"),
        (Number(0.5) * SumOver("i", y, ""), "0.5 (Σ_i y)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_parentheses_stand_where_they_are_needed_and_only_there(formula, expected):
    assert text(formula) == expected


SMALL = Number(6.3e-5)  # 6.3·10⁻⁵, which is a product to the eye


def test_a_number_with_a_power_of_ten_is_put_in_parentheses_like_the_product_that_it_is():
    assert text(SMALL**2) == "(6.3·10⁻⁵)²"
    assert text(1 - SMALL**2) == "1 − (6.3·10⁻⁵)²"
    assert text(root(SMALL)) == "√(6.3·10⁻⁵)"
    assert text(exp(SMALL)) in ("e^(6.3·10⁻⁵)", "e^{6.3·10⁻⁵}")
    assert text(exp(-SMALL)) in ("e^−(6.3·10⁻⁵)", "e^{−6.3·10⁻⁵}", "e^{−(6.3·10⁻⁵)}")
    assert text(1 / SMALL) == "1/(6.3·10⁻⁵)"
    assert text(x - SMALL) == "x − 6.3·10⁻⁵"


def test_in_latex_and_mathml_too_what_has_an_exponent_is_one_thing():
    latex, mathml = LatexSetter(), MathmlSetter()
    # 10^{-5}^{2} is no LaTeX at all, and a fraction under an exponent would lift its numerator alone.
    for base in (SMALL, Number(Fraction(1, 3)), Number(1) / Number(3), Symbol("O", mark="*")):
        squared = latex.set(base**2)
        assert re.search(r"\)\}?\^\{2\}$|^\{.*\}\^\{2\}$", squared), squared
        if not isinstance(base, Symbol):
            assert ")</mo>" in mathml.set(base**2)


def test_minus_is_the_sign_not_the_hyphen_in_every_form():
    for setter in (TextSetter(), MathmlSetter()):
        set_ = setter.set(Number(-2.5) - x ** Number(-3))
        assert "−" in set_
        assert "-" not in re.sub(r"<[^>]*>", "", set_)


# --- a random formula, read back ----------------------------------------------------------------------------------

VALUES = {"x": Fraction(3, 2), "y": Fraction(-2, 5), "z": Fraction(7)}


def trees() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(
        st.sampled_from([x, y, z]),
        st.integers(-9, 99).map(Number),
        st.fractions(-3, 3, max_denominator=7).map(Number),
    )

    def larger(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        two = st.tuples(parts, parts)
        return st.one_of(
            two.map(lambda p: p[0] + p[1]),
            two.map(lambda p: p[0] - p[1]),
            two.map(lambda p: p[0] * p[1]),
            two.map(lambda p: Quotient(*p)),
            parts.map(Minus),
            st.tuples(parts, st.integers(-3, 3)).map(lambda p: Power(p[0], Number(p[1]))),
        )

    return st.recursive(leaves, larger, max_leaves=8)


def read_back(shown: str) -> Fraction:
    """The value of a formula set as text, read by Python: what stands side by side is multiplied."""
    plain = shown.replace("−", "-").replace("·", "*").replace("½", "H")
    plain = re.sub(
        "[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "**" + found[0].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")), plain
    )
    plain = re.sub(r"(?<=[0-9a-zH)]) ?(?=[a-zH(])", "*", plain)
    plain = re.sub(r"\d+", r"F(\g<0>)", plain)
    return eval(plain, {"F": Fraction, "H": Fraction(1, 2), **VALUES})


@given(trees())
def test_a_formula_set_as_text_means_what_it_means(formula):
    try:
        value = formula.evaluate(VALUES, exact=True)
    except ZeroDivisionError:
        assume(False)
    assert read_back(text(formula)) == value, text(formula)


# --- letters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "shown", "latex"),
    [
        (Symbol("x"), "x", "x"),
        (Symbol("learning_rate", "γ"), "γ", r"\gamma"),
        (Symbol("W", label="1"), "W₁", "W_{1}"),
        (Symbol("W", label="12"), "W₁₂", "W_{12}"),
        (Symbol("w", index=(2, 3)), "w₂₃", "w_{23}"),
        (Symbol("w", index=(10, 3)), "w_10,3", "w_{10,3}"),
        (Symbol("z", index=("j",)), "z_j", "z_{j}"),
        (Symbol("D", index=("i", "j")), "D_ij", "D_{ij}"),
        (Symbol("t", "o", index=("j",), mark="*"), "o*_j", r"o_{j}^{\ast}"),
        (Symbol("W", label="2", mark="T"), "W₂ᵀ", r"W_{2}^{\top}"),
        (Symbol("W", label="2", mark="′"), "W₂′", "W_{2}'"),
        (Symbol("m_hat", "m", mark="^"), "m\N{COMBINING CIRCUMFLEX ACCENT}", r"\hat{m}"),
        (Symbol("beta_1", "β", "1"), "β₁", r"\beta_{1}"),
        (Symbol("ΔW", label="1"), "ΔW₁", r"\Delta W_{1}"),
        (Symbol("∂E"), "∂E", r"\partial E"),
        (Symbol("m", label=Symbol("W", label="1")), "m_W1", "m_{W_{1}}"),
    ],
    ids=str,
)
def test_letters_carry_their_indices_and_marks(symbol, shown, latex):
    assert text(symbol) == shown
    assert re.sub(" +", " ", LatexSetter().set(symbol)) == latex


def test_other_small_things():
    assert text(Kronecker("i", "j")) == "δ_ij"
    assert text(Sum((x, DOTS, y))) == "x + ⋯ + y"
    assert text(PI) == "π"
    assert text(Product((Number(2), PI))) == "2π"
    assert set(text(Blank())) == {"_"}
    assert TextSetter().equation(x, y, "←") == "x ← y"
    assert TextSetter().condition(Condition(absolute(x), "≤", Number(1))) == "|x| ≤ 1"


def test_latex_and_mathml_set_the_same_formulas():
    latex, french, mathml = LatexSetter(), LatexSetter("fr"), MathmlSetter()
    assert latex.set(1 / (1 + exp(-z))) == r"\frac{1}{1 + e^{-z}}"
    assert latex.set(root(x + 1)) == r"\sqrt{x + 1}"
    assert latex.set(Number(-1.5)) == "-1.5"
    assert french.set(Number(-1.5)) == "-1{,}5"
    assert french.set(log(x)).startswith(r"\ln")
    assert latex.set(Number(6.305e-8)) == r"6.305 \cdot 10^{-8}"
    assert latex.set(Number(Fraction(-7, 3))) == r"-\tfrac{7}{3}"
    assert mathml.set(x / y) == "<mfrac><mrow><mi>x</mi></mrow><mrow><mi>y</mi></mrow></mfrac>"
    assert mathml.set(Number(1.5)) == "<mn>1.5</mn>"
    assert MathmlSetter("fr").set(Number(1.5)) == "<mn>1,5</mn>"
    assert mathml.set(root(x)) == "<msqrt><mi>x</mi></msqrt>"


def test_fractions_of_more_digits_than_python_writes_are_set_by_their_decimals():
    long = 10**5000
    assert TextSetter().set(Number(Fraction(4 * long + 1, 3 * long))) == "1.333"
    assert TextSetter().set(Number(Fraction(long))) == "∞"  # beyond the largest float
    assert TextSetter().set(Number(Fraction(1, long))) == "0"
    assert TextSetter().set(Number(Fraction(999, 10_000_000))) == "999/10000000"


def test_what_is_no_formula_is_refused():
    with pytest.raises(TypeError, match="str cannot be set"):
        TextSetter().set("x")  # type: ignore[arg-type]


def test_numbers_of_a_column_lack_what_the_longest_has_more():
    assert missing_decimals(["1.25", "−3", "0.5", ""], ".") == ["", ".00", "0", ".00"]
    assert missing_decimals(["1", "22"], ".") == ["", ""]
    assert missing_decimals(["1,5", "2"], ",") == ["", ",0"]
