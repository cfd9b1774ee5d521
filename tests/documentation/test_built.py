"""What the site's extensions make, where Sphinx is installed: tables, commands, and the theme's words in French."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("furo")

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from reseau.cli import app as command_line

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def extensions() -> Iterator[Path]:
    folder = DOCS / "_ext"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def site(extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages with the tables, the commands and a French page, built as the whole site is."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    tables = ("activations", "initializers", "layers", "losses", "optimizers", "schedules")
    (source / "reference").mkdir()
    for table in tables:
        (source / "reference" / f"{table}.md").write_text(f"# {table}\n\n```{{entries}} {table}\n```\n")
    (source / "commands.md").write_text("# Commands\n\n```{commands}\n```\n")
    (source / "page.md").write_text("---\nlang: fr\n---\n# Une page\n\n## Une partie\n\nDu texte.\n", "utf-8")
    names = "\n".join(["commands", "page", *(f"reference/{table}" for table in tables)])
    (source / "index.md").write_text(f"# Site\n\n```{{toctree}}\n{names}\n```\n")
    classes = "\n\n".join(f".. autoclass:: reseau.{name}" for name in ("Adam", "LossCurveDisplay"))
    (source / "classes.md").write_text(f"---\norphan: true\n---\n# Classes\n\n```{{eval-rst}}\n{classes}\n```\n")
    settings = {
        "extensions": ["myst_parser", "commands", "docstrings", "languages", "vocabulary"],
        "html_theme": "furo",
        "default_role": "py:obj",
        "napoleon_custom_sections": [("Attributes", "params_style")],
        "smartquotes": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Sphinx will change in itself
        Sphinx(source, None, out, out / ".trees", "html", settings, None, StringIO(), freshenv=True).build()
    return out


def page(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")


@pytest.mark.parametrize("table", ["activations", "initializers", "layers", "losses", "optimizers", "schedules"])
def test_every_entry_of_a_table_is_on_its_page_with_its_formulas(table: str, site: Path) -> None:
    from vocabulary import TABLES

    found = page(site, f"reference/{table}")
    for name in TABLES[table][1]:
        section = found.find(id=name)
        assert section is not None, name
        formulas = section.find_all("math")
        assert formulas, name
        for formula in formulas:
            ElementTree.fromstring(str(formula))
        assert (section.find("svg") is None) == (table == "layers")


def test_an_activation_is_drawn_with_its_derivative(site: Path) -> None:
    section = page(site, "reference/activations").find(id="tanh")
    assert section.find("svg")["aria-label"] == "tanh, its derivative"
    assert [part["class"] for part in section.find_all("path")] == [["axis"], ["line"], ["dashed"]]


def test_an_optimizer_leads_to_its_class(site: Path) -> None:
    section = page(site, "reference/optimizers").find(id="adam")
    assert section.find("a", href="../classes.html#reseau.Adam") is not None


def test_every_command_and_option_is_on_the_page_in_the_order_of_help(site: Path) -> None:
    import typer

    commands = typer.main.get_command(command_line).commands
    found = page(site, "commands")
    assert [s["id"] for s in found.find_all("section") if s["id"].startswith("reseau-")] == [
        f"reseau-{n}" for n in commands
    ]
    for name, command in commands.items():
        said = found.find(id=f"reseau-{name}").get_text()
        for parameter in command.params:
            if not getattr(parameter, "hidden", False) and parameter.param_type_name == "option":
                assert all(spelling in said for spelling in parameter.opts), parameter.name
                assert parameter.help in said, parameter.name


def test_around_a_french_page_the_theme_speaks_french(site: Path) -> None:
    found = page(site, "page")
    found.find("article").decompose()
    assert found.html["lang"] == "fr"
    said = found.get_text(" ") + " ".join(
        str(t.get("aria-label", "")) + str(t.get("title", "")) for t in found.find_all()
    )
    for english in ("Skip", "Back to", "On this", "Next", "Previous", "Toggle", "Search", "Light", "Made with"):
        assert english not in said
    assert found.find("a", string="Commands")["lang"] == "en"


def test_around_an_english_page_it_speaks_english(site: Path) -> None:
    found = page(site, "commands")
    assert found.html["lang"] == "en"
    assert "Skip to content" in found.get_text()
    assert found.find("a", string="Une page")["lang"] == "fr"


def test_words_that_the_theme_has_changed_are_told(extensions: Path) -> None:
    from languages import translated

    with pytest.raises(ValueError, match="no longer says"):
        translated("<p>another theme</p>", "page")


def test_what_is_no_markup_in_a_docstring_is_kept(extensions: Path) -> None:
    from docstrings import plain

    lines = ["e = ½ (o* − o)² for |r| in best_, `Adam`", "", ">>> 2 * 3", "6"]
    assert list(plain(lines)) == [r"e = ½ (o\* − o)² for \|r\| in best\_, `Adam`", *lines[1:]]


def test_several_attributes_in_one_line_keep_their_names(site: Path) -> None:
    assert "ax_, figure_ (matplotlib Axes and Figure) – Where it was drawn." in page(site, "classes").get_text()


def test_a_citation_has_what_the_file_says(extensions: Path) -> None:
    from citation import cited

    authors = [{"given-names": "Ada", "family-names": "Lovelace"}, {"name": "Some developers"}]
    said = {"title": "Réseau", "version": "0.1.0", "authors": authors, "date-released": date(2026, 11, 28)}
    sentence, entry = cited(said)
    assert sentence == "Ada Lovelace, Some developers (2026). Réseau, version 0.1.0."
    assert "author = {{Ada Lovelace} and {Some developers}}," in entry
    assert "year = {2026}," in entry
    assert "url" not in entry
