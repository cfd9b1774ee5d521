"""The lesson's notebooks for the browser, with Python in it: a page of JupyterLite, into docs/_build/html/lite.

    pip install '.[docs,lite]' && make docs lite

The wheel in Python alone is built and lies beside the notebooks, so that no registry is asked for it. Python itself,
Pyodide, is loaded from its makers' network by whoever opens a notebook. To serve that too, name the archive of a
release of theirs in JUPYTERLITE_PYODIDE_URL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parent.parent
NOTEBOOKS = CHECKOUT / "examples" / "notebooks"
SITE = CHECKOUT / "docs" / "_build" / "html"
PAGES = {"without-installing.html": "lesson.ipynb", "sans-installer.html": "lecon.ipynb"}
WORDS = {"lesson.ipynb": "Open the notebook in this browser", "lecon.ipynb": "Ouvrir le notebook dans ce navigateur"}
PYODIDE = "JUPYTERLITE_PYODIDE_URL"
MARK = "<!-- lite -->"  # in these pages: where the link goes


def build(out: Path) -> None:
    """Build the page of JupyterLite, anew, into a folder."""
    shutil.rmtree(out, ignore_errors=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", "pypi", str(CHECKOUT)]
        subprocess.run(wheel, check=True, cwd=folder, env=os.environ | {"RESEAU_PURE": "1"})
        lite = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", name, "--output-dir", str(out)]
        lite += ["--contents", str(NOTEBOOKS), "--no-sourcemaps"]
        given = Path(os.environ.get(PYODIDE, ""))
        here = {PYODIDE: str(given.resolve())} if given.is_file() else {}  # else an address, or nothing
        subprocess.run(lite, check=True, cwd=folder, env=os.environ | here)


def link(site: Path) -> None:
    """Let the pages of the documentation that tell of it link to it, if they are built."""
    for page, notebook in PAGES.items():
        path = site / page
        if path.exists():
            anchor = f'<p><a href="lite/notebooks/index.html?path={notebook}">{WORDS[notebook]}</a></p>'
            path.write_text(path.read_text("utf-8").replace(MARK, anchor), "utf-8")


if __name__ == "__main__":
    build(SITE / "lite")
    link(SITE)
