"""The built pages in a browser: what does not fit, what fails, what asks another host.

    python docs/look.py docs/_build/html [FOLDER]

Each is seen narrow and wide, light and dark; with FOLDER, pictures of their tops are put there. It needs playwright,
and Chromium, of which CHROMIUM may name the program. With axe-core's script in AXE, each page is also asked whether
everybody can read it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from check_links import pages_of
from playwright.sync_api import Browser, Route, sync_playwright

WIDTHS = (400, 1280)
SCHEMES = ("light", "dark")
BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE = """async () => (await axe.run("article", {preload: false, resultTypes: ["violations"]})).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => `${v.id}, ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 160)}`)"""


def look(browser: Browser, path: Path, name: str, pictures: Path | None, axe: str | None) -> Iterator[str]:
    """What is wrong with one page."""
    troubles: list[str] = []
    page = browser.new_page()
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def only_files(route: Route) -> None:
        if not route.request.url.startswith(("file:", "data:")):
            troubles.append(f"asks for {route.request.url}")
        route.continue_()

    page.route("**/*", only_files)
    for width in WIDTHS:
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if page.url == "about:blank":
                page.goto(path.as_uri())
            if (beyond := page.evaluate(BEYOND)) > 0:
                troubles.append(f"is {beyond} pixels wider than {width}")
            if pictures:
                page.screenshot(path=pictures / f"{name.replace('/', '_')}-{width}-{scheme}.png")
            if axe and width == min(WIDTHS):
                page.evaluate("dispatchEvent(new Event('resize'))")
                page.evaluate(axe)
                troubles += [f"{scheme}, {found}" for found in page.evaluate(AXE)]
    page.close()
    for trouble in dict.fromkeys(troubles):
        yield f"{name}: {trouble}"


def main(root: str, pictures: str | None = None) -> int:
    """Print what is wrong; 1 if anything is."""
    folder, seen = Path(root).resolve(), Path(pictures) if pictures else None
    if seen:
        seen.mkdir(parents=True, exist_ok=True)
    axe = Path(os.environ["AXE"]).read_text("utf-8") if "AXE" in os.environ else None
    found: list[str] = []
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for path in pages_of(folder):
            found += look(browser, path, path.relative_to(folder).with_suffix("").as_posix(), seen, axe)
        browser.close()
    print("\n".join(found) if found else "Every page fits, fails nowhere and asks nobody.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
