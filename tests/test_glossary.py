"""The two glossaries say the same: equal terms and symbols, in the same order, each with its name in the other."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
ENTRY = re.compile(r"^- \*\*(?P<name>[^*]+)\*\*(?P<symbols>[^(:]*?)(?: \(\*(?P<other>[^*]+)\*\))?\s?: \S", re.M)


def entries(page: str) -> list[tuple[str, str, str]]:
    text = (DOCS / page).read_text("utf-8")
    found = [entry.groups() for entry in ENTRY.finditer(text)]
    assert len(found) == text.count("\n- ")  # no entry is written in another way
    return [(name, symbols.strip(", \N{NO-BREAK SPACE}"), other or name) for name, symbols, other in found]


def test_each_term_has_its_name_in_the_other_language_and_the_same_symbol():
    english, french = entries("glossary.md"), entries("glossaire.md")
    assert [(other, symbols, name) for name, symbols, other in english] == french
    assert len(french) > 50


def test_no_term_is_there_twice():
    for page in ("glossary.md", "glossaire.md"):
        names = [name for name, _, _ in entries(page)]
        assert len(set(names)) == len(names)
