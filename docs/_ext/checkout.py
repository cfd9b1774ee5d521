"""Links between pages and files of the checkout, which are written as they work where the files are read.

A file that is shown as a page leads there: the README is the front page. Any other may be downloaded. A link to what
is not in the checkout is a warning, and so the end of a build under -W.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx import addnodes

CHECKOUT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index",
    "CHANGELOG.md": "changes",
    "CONTRIBUTING.md": "contributing",
    "benchmarks/README.md": "benchmarks",
    "docs/decisions": "decisions/index",
}
CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`(?!\]))", re.M | re.S)  # in which nothing is a link
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def include(app: Any, path: Any, parent: str, content: list[str]) -> None:
    """A file of the checkout that becomes a page: its links and pictures, as a page in `docs` writes them."""
    folder = PurePosixPath(posixpath.normpath(f"docs/{path}")).parent

    def moved(link: re.Match[str]) -> str:
        before, target, after = link.groups()
        there = posixpath.normpath(str(folder / target))
        there = f"docs/{PAGES[there]}.md" if there in PAGES else there
        return before + posixpath.relpath(there, "docs") + after

    parts = CODE.split(content[0])
    content[0] = "".join(part if place % 2 else LINK.sub(moved, part) for place, part in enumerate(parts))


def lead_to_pages(app: Any, document: nodes.document) -> None:
    """Links from a page to a file that is shown as another page; to Markdown or a notebook that is none, as a file."""
    here = PurePosixPath("docs", app.env.docname).parent
    for link in [*document.findall(addnodes.download_reference), *document.findall(addnodes.pending_xref)]:
        if link.get("reftype") != "myst":
            continue
        target = link["reftarget"]
        if link.get("refdomain") == "doc":
            ending = ".ipynb" if Path(f"{target}.ipynb").is_file() else ".md"  # without which it is written there
            target = posixpath.relpath(target + ending, app.srcdir / PurePosixPath(app.env.docname).parent)
        path = posixpath.normpath(str(here / target))
        if path in PAGES:
            address = app.builder.get_relative_uri(app.env.docname, PAGES[path])
            link.replace_self(nodes.reference("", "", *link.children, internal=True, refuri=address))
        elif link.get("refdomain") == "doc" and not path.startswith("docs/") and (CHECKOUT / path).is_file():
            file = addnodes.download_reference("", "", *link.children, reftype="myst", reftarget=target)
            link.replace_self(file)


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("include-read", include)
    app.connect("doctree-read", lead_to_pages, priority=100)  # before the files to be downloaded are collected
    return {"parallel_read_safe": True, "parallel_write_safe": True}
