"""Pages in another language than the site's: what the theme says around them, and what of it is in which language.

A page says its language by `lang` in its front matter. The theme has no translations, so that its words are replaced in
what it wrote. Where one of them is not found any more, the build ends.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from docutils import nodes

SITE = "en"
ALWAYS = {
    'aria-label="Toggle site navigation sidebar"': 'aria-label="Afficher ou cacher la navigation du site"',
    'aria-label="Toggle table of contents sidebar"': 'aria-label="Afficher ou cacher le sommaire de la page"',
    'aria-label="Toggle Light / Dark / Auto color theme"': 'aria-label="Thème clair, sombre ou automatique"',
    'placeholder="Search"': 'placeholder="Rechercher"',
    'aria-label="Search"': 'aria-label="Rechercher"',
    'title="Index"': 'title="Index"',
    'title="Search"': 'title="Recherche"',
    ">Skip to content<": ">Aller au contenu<",
    ">Back to top<": ">Haut de la page<",
    "<title>Contents</title>": "<title>Sommaire</title>",
    "<title>Menu</title>": "<title>Menu</title>",
    "<title>Expand</title>": "<title>Déplier</title>",
    "<title>Light mode</title>": "<title>Thème clair</title>",
    "<title>Dark mode</title>": "<title>Thème sombre</title>",
    "<title>Auto light/dark, in light mode</title>": "<title>Thème automatique, clair</title>",
    "<title>Auto light/dark, in dark mode</title>": "<title>Thème automatique, sombre</title>",
    "Copyright &#169;": "Droits d’auteur &#169;",
    "Made with": "Fait avec",
    "Sphinx</a> and": "Sphinx</a> et",
    "@pradyunsg</a>'s": "@pradyunsg</a>,",
}
SOMETIMES = {
    "On this page": "Sur cette page",
    ">Next<": ">Suivant<",
    ">Previous<": ">Précédent<",
    '<div class="title">Home</div>': '<div class="title">Accueil</div>',
    'title="Link to this heading"': 'title="Lien vers ce titre"',
    'title="Link to this code"': 'title="Lien vers ce programme"',
    'title="Link to this image"': 'title="Lien vers cette image"',
    'title="Link to this table"': 'title="Lien vers ce tableau"',
    "Toggle navigation of": "Déplier",
    '<p class="admonition-title">Note</p>': '<p class="admonition-title">Remarque</p>',
    '<p class="admonition-title">Tip</p>': '<p class="admonition-title">Conseil</p>',
    '<p class="admonition-title">Warning</p>': '<p class="admonition-title">Attention</p>',
    '<p class="admonition-title">Important</p>': '<p class="admonition-title">Important</p>',
    '<span class="caption-text">Walk-through</span>': '<span class="caption-text">Pas à pas</span>',
    '<span class="caption-text">Gallery</span>': '<span class="caption-text">Galerie</span>',
    '<span class="caption-text">Guides</span>': '<span class="caption-text">Guides</span>',
    '<span class="caption-text">Reference</span>': '<span class="caption-text">Référence</span>',
    '<span class="caption-text">How it works</span>': '<span class="caption-text">Comment cela marche</span>',
    '<span class="caption-text">Project</span>': '<span class="caption-text">Projet</span>',
}
LINK = re.compile(r'<a class="(?:current )?reference internal" href="([^"#]*)(#[^"]*)?"')


def language_of(app: Any, page: str) -> str:
    """The language of a page."""
    return (app.env.metadata.get(page) or {}).get("lang", SITE)


def say_languages(app: Any, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """A page says its own language to browsers and screen readers, and that of the titles which lead to others."""
    here = context["language"] = language_of(app, name)

    def marked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link[1])).removesuffix(".html")
        there = language_of(app, target) if link[1] else here
        return link[0] if there == here else f'{link[0]} lang="{there}"'

    if "furo_navigation_tree" in context:
        context["furo_navigation_tree"] = LINK.sub(marked, context["furo_navigation_tree"])
    for neighbour in filter(None, (context.get("prev"), context.get("next"))):
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), neighbour["link"])).removesuffix(".html")
        if language_of(app, page) != here:
            neighbour["title"] = f'<span lang="{language_of(app, page)}">{neighbour["title"]}</span>'


def translate(app: Any, exception: Exception | None) -> None:
    """French pages have the theme's words in French."""
    if exception is not None or app.builder.format != "html":
        return
    for page in app.env.found_docs:
        if language_of(app, page) == "fr":
            path = Path(app.builder.get_outfilename(page))
            path.write_text(translated(path.read_text("utf-8"), page), "utf-8")


def translated(html: str, page: str) -> str:
    """A page with the theme's words in French."""
    if ">Aller au contenu<" in html:  # by an earlier build, which this one left as it was
        return html
    for english in ALWAYS:
        if english not in html:
            raise ValueError(f"the theme no longer says {english!r}, which is to be in French on {page}")
    for english, french in (ALWAYS | SOMETIMES).items():
        html = html.replace(english, french)
    return html


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("html-page-context", say_languages, priority=900)  # after the theme
    app.connect("build-finished", translate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
