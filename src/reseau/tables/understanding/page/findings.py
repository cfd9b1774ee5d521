"""Something noticed about a table: words, and the numbers and names that stand in them, in no language yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from reseau.tables.understanding.page import words as w

if TYPE_CHECKING:
    from reseau.formulas.words import Words

MOST_NAMED = 8  # columns or classes in one sentence


class Share(float):
    """A number that is told as a percentage."""


class Counted(NamedTuple):
    """A number of things, with their noun for one and for several."""

    number: int
    noun: tuple[Words, Words]


class Typed(NamedTuple):
    """What is typed into a shell."""

    text: str


@dataclass(frozen=True)
class Finding:
    """Something noticed.

    Attributes
    ----------
    words : Words
    grave : bool
        Whether it may make the scores, or the model, wrong.
    parts : dict
        What stands in the places of the words: names and cells (str), numbers (float), `Share`, `Counted`, `Typed`,
        other `Words`, and lists of such.
    """

    words: Words
    grave: bool = False
    parts: dict[str, Any] = field(default_factory=dict)


def few(names: list[Any]) -> list[Any]:
    """Some of the names, and how many more there are."""
    rest = len(names) - MOST_NAMED
    return [*names[:MOST_NAMED], Counted(rest, w.OTHERS)] if rest > 0 else names
