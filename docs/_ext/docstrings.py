"""Docstrings as pages: what of them is markup, which members are shown, and where their references lead.

The docstrings are plain text with sections in NumPy's style. Of reStructuredText they use backticks and examples alone,
so that whatever else it would read into them, such as the stars of o* and the bars of |r|, is kept from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from docutils import nodes
from inner import INNER
from sphinx import addnodes
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

# What modules and tables are described on which page, for docstrings that name them.
PAGES = {
    "reseau.blackboard.html.STYLE": "reference/blackboard",
    "reseau.export.onnx": "model-files",
    "reseau.tables.reading.table.read_table": "tables",
    "reseau.tables.understanding.shapley": "tables",
    "reseau.vocabulary.activations": "reference/activations",
    "reseau.vocabulary.activations.ACTIVATIONS": "reference/activations",
    "reseau.vocabulary.initializers": "reference/initializers",
    "reseau.vocabulary.initializers.INITIALIZERS": "reference/initializers",
    "reseau.vocabulary.losses.LOSSES": "reference/losses",
    "reseau.vocabulary.optimizers": "reference/optimizers",
    "reseau.vocabulary.schedules": "reference/schedules",
}

NAMED = {"Parameters", "Attributes"}  # whose names napoleon escapes itself
# Backticks as they stand, or a character that would be markup: a star, a bar, the underscore at the end of a word.
MARKUP = re.compile(r"(`+[^`]+`+)|(\\|\*|\||_(?!\w))")


def plain(lines: list[str]) -> Iterator[str]:
    """The lines with what is no markup escaped; heads of parameters, examples and literal blocks as they are."""
    section, example = "", False
    for place, line in enumerate(lines):
        if place + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[place + 1]):
            section = line
        example = bool(line) and (example or line.lstrip().startswith(">>>"))
        named = section in NAMED and line[:1].strip()  # "name : type"
        name, of, text = line.partition(" : ") if named else ("", "", line)
        yield line if example else name + of + MARKUP.sub(lambda m: m[1] or rf"\{m[2]}", text)


def escape(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """What autodoc calls with each docstring, before its sections become fields."""
    lines[:] = list(plain(lines))
    if what in ("property", "attribute"):
        lines.insert(0, "")  # napoleon would take what stands before a colon in the first line for a type


def skip(app: Any, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what is not for users, and what scikit-learn or Python gave a class and describe themselves."""
    function = getattr(obj, "fget", None) or getattr(obj, "__func__", obj)
    home = getattr(function, "__module__", None) or ""
    return True if name in INNER or not home.startswith("reseau") else None


def tidy(app: Any, document: nodes.document) -> None:
    """Of the types in the sections, names of classes are references; other words, such as rows, are words."""
    for node in list(document.findall(addnodes.pending_xref)):
        word = node.get("reftarget", "")
        if (node.get("refdomain"), node.get("reftype")) == ("py", "class") and re.fullmatch("[a-z]\\w*", word):
            node.replace_self(node.children)
    for field in document.findall(nodes.field_body):
        for text in list(field.findall(nodes.Text)):
            if text.startswith((" -- ", ") -- ")):
                text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ", 1)))


def resolve(app: Any, env: Any, node: Any, content: nodes.Element) -> nodes.Element | None:
    """A name in backticks that Sphinx does not find: of a page, a call, or the end of the name of a class or member."""
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"].partition("(")[0]
    page, anchor = PAGES.get(name), ""
    if page is None and re.fullmatch(r"[\w.]+", name):
        page, anchor = _place(name, env.domains["py"].objects)
    if page is not None:
        address = app.builder.get_relative_uri(node["refdoc"], page)
        return nodes.reference("", "", content, internal=True, refuri=f"{address}#{anchor}" if anchor else address)
    if name.startswith("reseau."):
        LOGGER.warning("no page describes %s", name, location=node, type="ref", subtype="python")
    return None


def _place(name: str, objects: Mapping[str, Any]) -> tuple[str | None, str]:
    """The page and the place of what a name ends in; of an attribute that has none of its own, of its class."""
    owner, _, last = name.rpartition(".")
    for wanted in (name, owner):
        if f"reseau.{wanted}" in objects:
            found = [f"reseau.{wanted}"]
        elif wanted and (wanted != last or last[0].isupper()):
            found = [full for full in objects if full == wanted or full.endswith(f".{wanted}")]
        else:
            continue
        if len(found) == 1:
            return objects[found[0]].docname, objects[found[0]].node_id
    return None, ""


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-process-docstring", escape, priority=100)  # before napoleon, whose priority is 500
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", tidy)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
