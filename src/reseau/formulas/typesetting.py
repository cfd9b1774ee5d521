"""How a formula is set: the walk through its tree, the figures of its numbers, and the setting as plain text.

A `Setter` knows one form (text, LaTeX, MathML); the walk and the rules for parentheses are the same for all.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite, isnan
from typing import NamedTuple

from reseau.formulas.decimals import exactly
from reseau.formulas.trees import (
    HALF,
    Blank,
    Call,
    Cases,
    Clause,
    Condition,
    Constant,
    Dots,
    Expression,
    Kronecker,
    Minus,
    Named,
    Number,
    Odd,
    Place,
    Power,
    Product,
    Quotient,
    Sum,
    SumOver,
    Symbol,
    Where,
    to_float,
)
from reseau.formulas.words import BETWEEN_ARGUMENTS, DECIMAL_MARK, ELSE, FOR, FUNCTIONS, NARROW, ODD, WHERE

# How strongly the parts of a formula hold together: what holds less than its place needs gets parentheses.
SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


GROUPS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
UNGROUPED = 4  # digits, such as those of a year


class Figures(NamedTuple):
    """A number as figures: what comes before the decimals, the decimals, and a power of ten or None."""

    whole: str
    decimals: str
    exponent: int | None = None

    @property
    def negative(self) -> bool:
        """Whether it begins with a minus."""
        return self.whole.startswith("−")

    @property
    def grouped(self) -> Figures:
        """The same, with five digits and more before the decimals in groups of three."""
        return self._replace(whole=GROUPS.sub(NARROW, self.whole)) if len(self.whole.lstrip("−")) > UNGROUPED else self


LONGEST_FRACTION = 12  # characters
ALL_DIGITS = 15  # what a float surely keeps of a decimal
LARGEST_PLAIN = 1e6  # from here on, and below the other, a number is written with a power of ten
SMALLEST_PLAIN = 1e-4
CLOSE = 1e-12  # relatively: a float this near to its rounded figures is taken for exactly that, as 0.1 + 0.2 for 0.3


def figures(value: float, digits: int) -> Figures:
    """Round to so many significant digits; zeros at the end tell of rounding, so that 0.5 is 0.5 and not 0.5000."""
    if not isfinite(value):
        return Figures("?" if isnan(value) else "∞" if value > 0 else "−∞", "")
    sign = "−" if value < 0 else ""
    size = abs(value)
    if size == 0:
        return Figures("0", "")
    mantissa, power = f"{size:.{digits - 1}e}".split("e")
    exponent = int(power)
    rounded = float(f"{mantissa}e{power}")
    exact = abs(rounded - size) <= CLOSE * size
    if SMALLEST_PLAIN <= rounded < LARGEST_PLAIN:
        text = f"{rounded:.{max(digits - 1 - exponent, 0)}f}"
        shown = None
    else:
        text, shown = mantissa, exponent
    whole, _, decimals = text.partition(".")
    if exact:
        decimals = decimals.rstrip("0")
    return Figures(sign + whole, decimals, shown)


@dataclass(frozen=True)
class Setter(ABC):
    """Sets formulas in one form.

    Parameters
    ----------
    lang : {"en", "fr"}
        Of the words and of the decimal mark.
    digits : int
        To how many significant digits floats are rounded.
    """

    lang: str = "en"
    digits: int = 4
    division_is_a_bar = True  # so that what is above and below it needs no parentheses
    aside = ""  # between a formula and what its letters mean

    def set(self, node: Expression, least: int = 0) -> str:
        """A formula; in parentheses if it holds less than `least`."""
        text = self._set(node)
        return self.parentheses(text) if self.precedence(node) < least else text

    def precedence(self, node: Expression) -> int:
        """How strongly a node holds together."""
        divided = POWER if self.division_is_a_bar else PRODUCT
        match node:
            case Number(value=value, digits=digits):
                if value < 0:
                    return SUM
                if as_fraction(value):
                    return ATOM if value == HALF.value and not self.division_is_a_bar else divided
                return PRODUCT if self._figures(value, digits).exponent is not None else ATOM
            case Sum() | Minus() | Cases() | Where() | Clause():
                return SUM
            case Product() | SumOver():
                return PRODUCT
            case Quotient():
                return divided
            case Power():
                return POWER
            case Symbol(mark=mark, layer=layer):
                return POWER if layer or mark in ("*", "′", "T", "²") else ATOM
            case Call(function=function):
                if function.name in ("abs", "max", "min"):
                    return ATOM
                return ATOM if function.name == "√" and self.division_is_a_bar else POWER
        return ATOM

    def _set(self, node: Expression) -> str:
        match node:
            case Number(value=value, digits=digits):
                return self.constant(value, digits)
            case Named(letter=letter):
                return self.letter(letter)
            case Symbol():
                return self.symbol(node)
            case Sum(terms=terms):
                return self.sum(terms)
            case Minus(of=of):
                return self.operator("−", prefix=True) + self.set(of, PRODUCT)
            case Product(factors=factors):
                return self.product(factors)
            case Quotient(above=above, below=below):
                return self.quotient(above, below)
            case Power(base=base, exponent=exponent):
                return self.power(self.set(base, ATOM), exponent)
            case Call():
                return self.call(node)
            case SumOver(index=index, body=body):
                return self.sum_over(index, self.set(body, PRODUCT))
            case Place(index=index):
                return self.letter(index)
            case Kronecker(i=i, j=j):
                return self.symbol(Symbol("δ", index=(i, j)))
            case Cases():
                return self.cases([(self.set(v), self.condition(c)) for v, c in node.cases], self.set(node.otherwise))
            case Where(body=body, definitions=definitions):
                return self.set(body) + self.aside + self.set(Clause(definitions))
            case Clause(definitions=definitions):
                return self.where([self.equation(left, right) for left, right in definitions])
            case Dots():
                return self.operator("⋯", prefix=True)
            case Blank():
                return self.blank()
        raise TypeError(f"{type(node).__name__} cannot be set.")

    def equation(self, left: Expression, right: Expression, sign: str = "=") -> str:
        """Left, a sign, and right."""
        return self.set(left) + self.operator(sign) + self.set(right)

    def condition(self, condition: Condition | Odd) -> str:
        """A comparison, or what an index is."""
        if isinstance(condition, Odd):
            return self.letter(condition.index) + self.word(ODD.in_(self.lang))
        return self.equation(condition.left, condition.right, condition.sign)

    def constant(self, value: Constant, digits: int = 0) -> str:
        """A number, after its type."""
        if as_fraction(value):
            return self.fraction(Fraction(value))
        return self.figures(self._figures(value, digits).grouped)

    def _figures(self, value: Constant, digits: int = 0) -> Figures:
        """A number that is not set as a fraction."""
        if isinstance(value, Decimal):
            return figures(float(value), ALL_DIGITS)
        if as_whole(value):
            return Figures(str(value).replace("-", "−"), "")
        return figures(to_float(value), digits or self.digits)

    def number(self, value: float) -> str:
        """A float, rounded."""
        return self.figures(figures(value, self.digits).grouped)

    def sum(self, terms: tuple[Expression, ...]) -> str:
        """Terms, with their signs between them."""
        text = self.set(terms[0])
        for term in terms[1:]:
            if isinstance(term, Minus):
                text += self.operator("−") + self.set(term.of, PRODUCT)
            else:
                text += self.operator("+") + self.set(term, PRODUCT)
        return text

    def product(self, factors: tuple[Expression, ...]) -> str:
        """Factors side by side, with a dot before a number, whose figures would else run together with the last."""
        text, before = "", None
        for factor in factors:
            plain = isinstance(factor, Number) and not as_fraction(factor.value)  # 2 · 3·10⁻⁵ needs none
            apart = (before is not None and not plain) or isinstance(factor, Quotient | Sum)
            piece = self.set(factor, POWER if apart else PRODUCT)
            if before is None:
                text = piece
            elif begins_with_a_number(factor):
                text += self.operator("·") + piece
            else:
                text += self.beside(before) + piece
            before = factor
        return text

    def quotient(self, above: Expression, below: Expression) -> str:
        """One above the other."""
        return self.bar(self.set(above), self.set(below))

    def name(self, call: Call) -> str:
        """The name of a function in the language."""
        name = call.function.name
        return FUNCTIONS[name].in_(self.lang) if name in FUNCTIONS else name

    @property
    def separator(self) -> str:
        """What stands between the arguments of a function."""
        return BETWEEN_ARGUMENTS.in_(self.lang)

    @property
    def mark(self) -> str:
        """What stands before the decimals."""
        return DECIMAL_MARK.in_(self.lang)

    # --- what each form writes in its own way -------------------------------------------------------------------------

    @abstractmethod
    def figures(self, figures: Figures) -> str:
        """A number."""

    @abstractmethod
    def fraction(self, value: Fraction) -> str:
        """A fraction of whole numbers."""

    @abstractmethod
    def letter(self, letter: str) -> str:
        """A letter."""

    @abstractmethod
    def word(self, word: str) -> str:
        """A word behind a letter."""

    @abstractmethod
    def symbol(self, symbol: Symbol) -> str:
        """A letter with its indices and marks."""

    @abstractmethod
    def operator(self, sign: str, prefix: bool = False) -> str:
        """A sign between two things, or before one."""

    @abstractmethod
    def beside(self, left: Expression) -> str:
        """What separates a factor from the next, which is no number."""

    @abstractmethod
    def parentheses(self, text: str) -> str:
        """Something in parentheses."""

    @abstractmethod
    def bar(self, above: str, below: str) -> str:
        """A division."""

    @abstractmethod
    def power(self, base: str, exponent: Expression) -> str:
        """A base with an exponent."""

    @abstractmethod
    def call(self, call: Call) -> str:
        """A function of something."""

    @abstractmethod
    def sum_over(self, index: str, body: str) -> str:
        """Σ over an index."""

    @abstractmethod
    def cases(self, cases: list[tuple[str, str]], otherwise: str) -> str:
        """Values with their conditions, and the value for all else."""

    @abstractmethod
    def where(self, definitions: list[str]) -> str:
        """What the letters of a formula mean."""

    @abstractmethod
    def blank(self) -> str:
        """A place to write in."""


def as_fraction(value: Constant) -> bool:
    """Whether a number is set as a fraction: a short one; of a long one its decimals are easier to read."""
    return isinstance(value, Fraction) and value.denominator != 1 and _is_short(value)


def as_whole(value: Constant) -> bool:
    """Whether it is set with all the digits of a whole number."""
    return isinstance(value, int | Fraction) and Fraction(value).denominator == 1 and _is_short(Fraction(value))


def as_written(value: Constant, digits: int) -> Decimal:
    """What a number is worth as it is set to so many significant digits."""
    if isinstance(value, Decimal) or as_fraction(value) or as_whole(value):
        return exactly(value)
    return Decimal(f"{to_float(value):.{digits - 1}e}")


def _is_short(value: Fraction) -> bool:
    """Whether a fraction is easier to read than its decimals; Python writes no number of thousands of digits."""
    largest = max(abs(value.numerator), value.denominator)
    return largest < 10**LONGEST_FRACTION and len(str(value)) <= LONGEST_FRACTION


def begins_with_a_number(node: Expression) -> bool:
    """Whether its setting begins with a figure or a minus."""
    match node:
        case Number():
            return True
        case Power(base=base):
            return begins_with_a_number(base)
        case Product(factors=factors):
            return begins_with_a_number(factors[0])
        case Quotient(above=above):
            return begins_with_a_number(above)
    return False


def missing_decimals(texts: Sequence[str], mark: str) -> list[str]:
    """What each number of a column lacks at its end for its decimals to stand under those of the others."""
    ends = [text.partition(mark)[1:] for text in texts]
    longest = max(len(decimals) for _, decimals in ends)
    marked = any(sign for sign, _ in ends)
    return [(mark if marked and not sign else "") + "0" * (longest - len(decimals)) for sign, decimals in ends]


# --- plain text -------------------------------------------------------------------------------------------------------

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789−t", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵗ")
MARKS = {"": "", "^": "\N{COMBINING CIRCUMFLEX ACCENT}", "*": "*", "′": "′", "T": "ᵀ", "²": "²"}
BLANK = "__________"


class TextSetter(Setter):
    """Sets formulas on one line of Unicode text."""

    division_is_a_bar = False
    aside = ", "

    def figures(self, figures: Figures) -> str:
        text = figures.whole + (self.mark + figures.decimals if figures.decimals else "")
        if figures.exponent is None:
            return text
        return f"{text}·10{str(figures.exponent).replace('-', '−').translate(SUPERSCRIPTS)}"

    def fraction(self, value: Fraction) -> str:
        return "½" if value == HALF.value else str(value).replace("-", "−")

    def letter(self, letter: str) -> str:
        return letter

    def word(self, word: str) -> str:
        return f" {word}"

    def symbol(self, symbol: Symbol) -> str:
        text = symbol.written
        if symbol.mark in ("*", "^"):
            text += MARKS[symbol.mark]
        below = [i.on_the_line if isinstance(i, Symbol) else str(i) for i in symbol.below]
        if below:
            digits, short = all(i.isdecimal() for i in below), all(len(i) == 1 for i in below)
            if digits and (short or len(below) == 1):
                text += "".join(below).translate(SUBSCRIPTS)
            else:
                text += "_" + ("" if short and not digits else ",").join(below)
        above = MARKS[symbol.mark] if symbol.mark in ("T", "′", "²") else ""
        return text + above + (f"⁽{symbol.layer.translate(SUPERSCRIPTS)}⁾" if symbol.layer else "")

    def operator(self, sign: str, prefix: bool = False) -> str:
        return sign if prefix else f" {sign} "

    def beside(self, left: Expression) -> str:
        return "" if isinstance(left, Number) and isinstance(left.value, int) else " "

    def parentheses(self, text: str) -> str:
        return f"({text})"

    def bar(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def quotient(self, above: Expression, below: Expression) -> str:
        return self.bar(self.set(above, PRODUCT), self.set(below, PRODUCT if isinstance(below, SumOver) else POWER))

    def power(self, base: str, exponent: Expression) -> str:
        text = self.set(exponent)
        small = text.translate(SUPERSCRIPTS)
        return base + (self.raised(exponent) if set(small) & set(text) else small)

    def raised(self, exponent: Expression) -> str:
        """An exponent on the line, after a sign that lifts it."""
        text = self.set(exponent)
        return f"^{{{text}}}" if set(text) & set(" /_·") else f"^{text}"

    def call(self, call: Call) -> str:
        name = self.name(call)
        inside = self.separator.join(map(self.set, call.arguments))
        match name:
            case "exp" if not call.function.only_a_name:
                return f"e{self.raised(call.arguments[0])}"
            case "abs":
                return f"|{inside}|"
            case "√":
                return f"√{self.set(call.arguments[0], ATOM)}"
        bare = call.function.name in FUNCTIONS and isinstance(call.arguments[0], Symbol | SumOver)
        return f"{name} {inside}" if bare else f"{name}({inside})"

    def sum_over(self, index: str, body: str) -> str:
        return f"Σ_{index} {body}"

    def cases(self, cases: list[tuple[str, str]], otherwise: str) -> str:
        word = FOR.in_(self.lang)
        parts = [f"{value} {word} {condition}" for value, condition in cases]
        return self.separator.join([*parts, f"{ELSE.in_(self.lang)} {otherwise}"])

    def where(self, definitions: list[str]) -> str:
        return f"{WHERE.in_(self.lang)} {self.separator.join(definitions)}"

    def blank(self) -> str:
        return BLANK
