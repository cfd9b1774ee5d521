"""Whether every link, picture and script of the built pages leads to something that is there, and none to another host.

    python docs/check_links.py docs/_build/html

Links that a reader follows may lead out of the site; they are not followed here. What a page loads may not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

FOLLOWED = {("a", "href")}  # by a reader; everything else is loaded with the page
LOADED = {"src", "href", "data", "poster"}


@dataclass
class Page:
    """What leads to somewhere, and the places that others may lead to."""

    links: list[tuple[str, str, str]] = field(default_factory=list)  # element, attribute, address
    places: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (tag, name) == ("a", "name"):
                self.page.places.add(value or "")
            elif name in LOADED and value:
                self.page.links.append((tag, name, value))


def read(html: str) -> Page:
    """The links and places of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.page


def pages_of(root: Path) -> list[Path]:
    """The pages that Sphinx built; the notebooks in `lite` are an application of its own."""
    return [path for path in sorted(root.rglob("*.html")) if path.relative_to(root).parts[0] != "lite"]


def broken(root: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere, and for each thing that a page loads from elsewhere."""
    pages = {path: read(path.read_text("utf-8")) for path in pages_of(root)}
    for path, page in pages.items():
        here = path.relative_to(root)
        for tag, name, address in page.links:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if (tag, name) not in FOLLOWED:
                    yield f"{here}: <{tag} {name}> loads {address} from another host"
                continue
            target, place = urldefrag(address)
            file = (path.parent / unquote(urlsplit(target).path)).resolve() if target else path
            file = file / "index.html" if file.is_dir() else file
            if not file.exists():
                yield f"{here}: {address} is not there"
            elif place and file in pages and unquote(place) not in pages[file].places:
                yield f"{here}: {address} names no place on that page"


def main(root: str) -> int:
    """Print what is wrong; 1 if anything is."""
    folder = Path(root).resolve()
    if not (folder / "index.html").exists():
        print(f"{folder} holds no site; build it first.")
        return 1
    found = list(broken(folder))
    print("\n".join(found) if found else f"Every link in {len(pages_of(folder))} pages leads somewhere.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
