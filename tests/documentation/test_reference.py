"""That the reference has all there is: each public name on a page, each table on one, and no broken link unnoticed."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import reseau

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {path.stem: path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")}


def loaded(name: str) -> ModuleType:
    """A script beside the pages."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_is_described_on_one_page() -> None:
    described = Counter(
        re.findall(r"^\.\. auto(?:class|function|exception):: reseau\.(\w+)$", "".join(PAGES.values()), re.M)
    )
    assert described == Counter(name for name in reseau.__all__ if name != "__version__")


def test_every_page_of_the_reference_is_listed() -> None:
    listed = re.findall(r"^(\w+)$", PAGES["index"].split("```{toctree}")[1], re.M)
    assert sorted(listed) == sorted(PAGES.keys() - {"index"})


def test_every_table_of_the_vocabulary_has_a_page() -> None:
    tables = {page for page, text in PAGES.items() if f"```{{entries}} {page}\n" in text}
    assert tables == {"activations", "initializers", "layers", "losses", "optimizers", "schedules"}


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("<a href='b.html'>b</a>", None),
        ("<a href='b.html#there'>b</a>", None),
        ("<a href='#here' id='here'>a</a>", None),
        ("<a href='https://example.org'>b</a>", None),
        ("<img src='data:image/png;base64,AA'>", None),
        ("<a href='c.html'>c</a>", "index.html: c.html is not there"),
        ("<a href='b.html#gone'>b</a>", "index.html: b.html#gone names no place on that page"),
        ("<a href='#gone'>a</a>", "index.html: #gone names no place on that page"),
        ("<img src='picture.png'>", "index.html: picture.png is not there"),
        (
            "<script src='https://example.org/a.js'></script>",
            "index.html: <script src> loads https://example.org/a.js from another host",
        ),
        (
            "<link rel='stylesheet' href='//example.org/a.css'>",
            "index.html: <link href> loads //example.org/a.css from another host",
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_found(page: str, wrong: str | None, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "b.html").write_text("<p id='there'>b</p>")
    assert list(loaded("check_links").broken(tmp_path)) == ([wrong] if wrong else [])


def test_a_folder_without_a_site_is_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert loaded("check_links").main(str(tmp_path)) == 1
    assert "build it first" in capsys.readouterr().out
