"""What the inputs that a column gives are called, in each language; in English so they are kept in files and code."""

from __future__ import annotations

from reseau.formulas.words import DECIMAL_MARK, Words

IS_MISSING = Words("{name} is missing", "{name} manque")
IS_RARE = Words("{name} is rare", "{name} est rare")
BY_RANK = Words("{name} by rank", "{name} par rang")
BETWEEN = Words("{name} from {low} to {high}", "{name} de {low} à {high}")
EFFECT = Words("{name}: effect{number}", "{name} : effet{number}")
MEASURED = Words("{name}: {measure}", "{name} : {measure}")
DAYS, PART_OF_DAY = Words("days", "jours"), Words("part of the day", "part du jour")
CIRCULAR = Words("{name}: {part} of time of {cycle}", "{name} : {part} du moment {cycle}")
OF_CYCLES = {
    "year": Words("year", "de l’année"),
    "week": Words("week", "de la semaine"),
    "day": Words("day", "du jour"),
}


def say(words: Words, lang: str, **fields: object) -> str:
    """Words in a language, with what goes into them."""
    return words.in_(lang).format(**fields)


def edge(value: float, lang: str) -> str:
    """The edge of a bin."""
    return f"{value:.6g}".replace(".", DECIMAL_MARK.in_(lang))
