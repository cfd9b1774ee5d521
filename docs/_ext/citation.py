"""The directive `citation`: how the library is cited, from `CITATION.cff` of the checkout where it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

FILE = Path(__file__).parents[2] / "CITATION.cff"


class Citation(SphinxDirective):
    """One sentence, and an entry for BibTeX."""

    def run(self) -> list[nodes.Node]:
        said: dict[str, Any] = {"title": self.config.project, "authors": [{"name": self.config.author}]}
        if FILE.exists():
            self.env.note_dependency(str(FILE))
            said |= yaml.safe_load(FILE.read_text("utf-8"))
        sentence, entry = cited({"version": self.config.version, **said})
        return [
            nodes.paragraph("", f"In a sentence, with the version that you used: {sentence}"),
            nodes.paragraph("", "For BibTeX:"),
            nodes.literal_block(entry, entry, language="bibtex"),
        ]


def cited(said: dict[str, Any]) -> tuple[str, str]:
    """A sentence, and an entry for BibTeX, of what stands in a CITATION.cff."""
    names = [_name(author) for author in said["authors"]]
    year, address = str(said.get("date-released", ""))[:4], said.get("url") or said.get("repository-code") or ""
    when, where = f" ({year})" if year else "", f" {address}" if address else ""
    sentence = f"{', '.join(names)}{when}. {said['title']}, version {said['version']}.{where}"
    lines = {
        "author": " and ".join(f"{{{name}}}" for name in names),
        "title": said["title"],
        "version": said["version"],
        "year": year,
        "url": address,
    }
    entry = "\n".join(
        ["@software{reseau,", *(f"  {name} = {{{value}}}," for name, value in lines.items() if value), "}"]
    )
    return sentence, entry


def _name(author: dict[str, str]) -> str:
    return author.get("name") or " ".join(filter(None, [author.get("given-names"), author.get("family-names")]))


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("citation", Citation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
