"""How the documentation is built: Sphinx, with pages in Markdown whose cells are run, and nothing that needs a network.

The formulas of the prose are written between dollars and become MathML here; those of the blackboard already are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx import addnodes

import reseau

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Réseau"
author = "Réseau developers"
project_copyright = author
release = version = reseau.__version__

extensions = ["myst_nb", "checkout", "citation", "commands", "docstrings", "languages", "vocabulary"]
exclude_patterns = ["_build", "_ext"]
smartquotes_action = "q"  # apostrophes and quotation marks; French is written with its own

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_show_tb = True  # a cell that fails is a warning with its traceback, and so, under -W, the end of the build
nb_execution_timeout = 60
nb_merge_streams = True  # what a cell prints bit by bit is one block
nb_ipywidgets_js: dict[str, Any] = {}  # they would come from the network

default_role = "py:obj"  # of docstrings: names in backticks lead to what they name, where it is described
autodoc_typehints = "none"  # the sections say what is passed, in words
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # several names in a line, as of parameters
add_module_names = False

html_theme = "furo"
html_title = f"Réseau {release}"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_js_files = ["docs.js"]
html_favicon = "_static/mark.svg"
html_math_renderer = "mathml"
html_copy_source = False


def inline(translator: Any, node: nodes.math) -> None:
    """A formula in a sentence."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    translator.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>\n')
    raise nodes.SkipNode


def without_empty_heads(app: Any, document: nodes.document) -> None:
    """A table whose head says nothing has none."""
    for head in list(document.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def cards(app: Any, doctree: Any, name: str) -> None:
    """The index of the gallery ends with a card for each of its pages: the page's picture, its name and its title."""
    if name != "gallery/index":
        return
    for toctree in app.env.get_doctree(name).findall(addnodes.toctree):  # as written; in `doctree` it is hidden already
        deck = nodes.container(classes=["cards"])
        for short, page in toctree["entries"]:
            pictures = list(app.env.get_doctree(page).findall(nodes.image))[:1]  # none where a cell failed
            words = nodes.strong(text=short), nodes.inline(text=app.env.titles[page].astext())
            card = [*(picture.deepcopy() for picture in pictures), *words]
            address = app.builder.get_relative_uri(name, page)
            deck += nodes.paragraph("", "", nodes.reference("", "", *card, refuri=address, internal=True))
        doctree.children[0] += deck


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.connect("doctree-read", without_empty_heads)
    app.connect("doctree-resolved", cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
