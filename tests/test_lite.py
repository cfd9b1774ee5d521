"""docs/lite.py, which makes the page of JupyterLite and lets the documentation's pages link to it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
LITE = runpy.run_path(str(CHECKOUT / "docs" / "lite.py"))


def test_the_pages_that_tell_of_it_have_a_place_for_the_link_and_the_notebooks_are_there() -> None:
    for page, notebook in LITE["PAGES"].items():
        text = (CHECKOUT / "docs" / page).with_suffix(".md").read_text("utf-8")
        assert text.count(LITE["MARK"]) == 1
        assert notebook in text
        assert (LITE["NOTEBOOKS"] / notebook).is_file()


def test_built_pages_link_to_their_notebook_and_those_that_are_not_built_do_not_matter(tmp_path: Path) -> None:
    page = tmp_path / "sans-installer.html"
    page.write_text(f"<p>a</p>{LITE['MARK']}<p>à</p>", "utf-8")
    LITE["link"](tmp_path)
    text = page.read_text("utf-8")
    assert text.startswith("<p>a</p><p><a href")
    assert text.endswith("</a></p><p>à</p>")
    assert 'href="lite/notebooks/index.html?path=lecon.ipynb"' in text


@pytest.mark.slow
def test_the_folder_holds_the_notebooks_and_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlite_core", reason="no jupyterlite: pip install '.[lite]'")
    LITE["build"](tmp_path / "lite")
    notebooks = json.loads((tmp_path / "lite" / "api" / "contents" / "all.json").read_text("utf-8"))["content"]
    assert {each["path"] for each in notebooks} == {"lesson.ipynb", "lecon.ipynb"}
    wheels = json.loads((tmp_path / "lite" / "pypi" / "all.json").read_text("utf-8"))
    assert list(wheels) == ["reseau"]
    assert (tmp_path / "lite" / "notebooks" / "index.html").is_file()
