"""Words in each language, and those of formulas."""

from __future__ import annotations

import re
from typing import NamedTuple

NARROW = "\N{NARROW NO-BREAK SPACE}"  # before ; ? and ! in French, and between groups of three digits


class Words(NamedTuple):
    """The same words in each language; there is no way to leave one out."""

    en: str
    fr: str

    def in_(self, lang: str) -> str:
        """The words in a language, "en" or "fr".

        French spaces do not break before the double signs and within guillemets; before ; ? and ! they are narrow.
        """
        if lang == "en":
            return self.en
        return re.sub(r" (?=[:»])|(?<=«) ", "\N{NO-BREAK SPACE}", re.sub(r" (?=[;?!])", NARROW, self.fr))


class Same(Words):
    """Words that are the same in each language, such as a name."""

    def __new__(cls, text: str) -> Same:
        return super().__new__(cls, text, text)


LANGUAGES = Words._fields
DECIMAL_MARK = Words(".", ",")
BETWEEN_ARGUMENTS = Words(", ", " ; ")  # where the comma marks the decimals, a semicolon separates
FOR = Words("for", "pour")
ELSE = Words("else", "sinon")
WHERE = Words("where", "où")
ODD = Words("odd", "impair")
FUNCTIONS = {"log": Words("log", "ln"), "sign": Words("sign", "sgn")}  # the others have one name everywhere
