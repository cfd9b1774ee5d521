"""HTML in which whatever is no HTML yet is escaped, and numbers as a language writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10

from reseau.formulas.typesetting import figures
from reseau.formulas.words import Words
from reseau.visible import visible

VOID = {"meta", "br", "path", "rect", "circle"}  # elements without a content, those of SVG closed as XML is
LONGEST = 160  # characters of a name or a cell; the middle of the rest is left out
THOUSANDS = Words(",", "\N{NARROW NO-BREAK SPACE}")
PERCENT = Words("%", "\N{NO-BREAK SPACE}%")
GROUPS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
UNGROUPED = 4  # digits, such as those of a year
TAG = re.compile(r"<[^>]*>")  # what is no element is escaped
RAISED = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: str) -> Html:
    """Any text as HTML, without characters that hide or turn what is around them."""
    return value if isinstance(value, Html) else Html(escape(visible(value)))


def joined(*parts: str) -> Html:
    """Parts, one behind the other."""
    return Html("".join(map(text, parts)))


def tag(element: str, /, *parts: str, **attributes: str | float | None) -> Html:
    """An element; attributes that are None are left out, `class_` is class, and underscores are hyphens."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value if isinstance(value, str) else f"{value:.5g}")}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in VOID:
        return Html(f"<{element}{given}/>")
    return Html(f"<{element}{given}>{joined(*parts)}</{element}>")


def name(value: object, width: int = LONGEST) -> Html:
    """A name or a cell of a table, whose direction is its own, and whose middle is left out where it is long."""
    return tag("bdi", short_of(str(value), width))


def plain(html: str) -> Html:
    """The same text without elements, such as pictures and titles have it."""
    return Html(TAG.sub("", text(html)))


def short_of(value: str, width: int = LONGEST) -> str:
    """A text in one line, whose middle is left out where it is long."""
    value = visible(value[: 2 * width] + value[2 * width :][-width:])
    return value if len(value) <= width else f"{value[: width - width // 3 - 1]}…{value[-(width // 3) :]}"


@dataclass(frozen=True)
class Language:
    """Words and numbers in a language, "en" or "fr"."""

    lang: str

    def __call__(self, words: Words, **parts: str) -> Html:
        """Words, and in their places the parts, which are escaped where they are no HTML."""
        set_ = {key: text(part) for key, part in parts.items()}
        return Html(text(words.in_(self.lang)).format(**set_))

    def number(self, value: float, digits: int = 4) -> str:
        """A number to so many significant digits."""
        if not isfinite(value):
            return "–"
        shown = figures(float(value), digits)
        whole = self._grouped(shown.whole)
        decimals = (self._mark + shown.decimals) if shown.decimals else ""
        power = "" if shown.exponent is None else f"·10{str(shown.exponent).replace('-', '−').translate(RAISED)}"
        return whole + decimals + power

    def count(self, value: int) -> str:
        """A whole number, all of whose digits count."""
        return self._grouped(str(int(value)))

    def fixed(self, value: float, decimals: int) -> str:
        """A number with so many decimals."""
        if not isfinite(value):
            return "–"
        written = f"{value:.{decimals}f}"
        whole, _, rest = written.removeprefix("-").partition(".")
        sign = "−" if written.startswith("-") and written.strip("-0.") else ""
        return sign + self._grouped(whole) + (self._mark + rest if rest else "")

    def estimate(self, value: float, error: float) -> str:
        """A number and its error, whose first two digits say how many decimals both have."""
        if not (isfinite(value) and isfinite(error) and error > 0):
            return f"{self.number(value)} ± {self.number(error, 2)}"
        size = max(abs(value), error)
        decimals = 1 - floor(log10(error))
        if not 1e-4 <= size < 1e7 or decimals > 8:
            return f"{self.number(value)} ± {self.number(error, 2)}"
        return f"{self.fixed(value, max(decimals, 0))} ± {self.fixed(error, max(decimals, 0))}"

    def share(self, value: float, decimals: int = 1) -> str:
        """A share as a percentage; what is neither nothing nor all does not look so."""
        if not isfinite(value):
            return "–"
        least = 10.0 ** -(decimals + 2)
        below, above = 0 < value < least / 2, 1 - least / 2 < value < 1
        sign = "< " if below else "> " if above else ""
        shown = least if below else 1 - least if above else value
        return sign + self.fixed(100 * shown, decimals) + PERCENT.in_(self.lang)

    def _grouped(self, whole: str) -> str:
        long = len(whole.lstrip("−")) > UNGROUPED
        return GROUPS.sub(THOUSANDS.in_(self.lang), whole) if long else whole

    @property
    def _mark(self) -> str:
        return "." if self.lang == "en" else ","
