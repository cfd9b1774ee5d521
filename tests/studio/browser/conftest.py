"""Chromium, a studio that tests share, and tabs whose every complaint fails their test; skipped where one lacks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import reseau.studio

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from studio_in_browser import Heard, Served, Tab

PAGE = Path(reseau.studio.__file__).with_name("page")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
Visit = Callable[..., "Tab"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all tests, as there can be but one Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("no browser: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        # As root, as in containers, Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def chromium(browser: Browser) -> Browser:
    """The browser, where there is a page of the studio to be shown in it."""
    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built: cd studio && npm ci && npm run build")
    return browser


@pytest.fixture(scope="session")
def shared(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio that many tests share: each tab has a session of its own."""
    from studio_in_browser import Served

    served = Served(tmp_path_factory.mktemp("studio"))
    yield served
    served.end()


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What the browser tells of a test's tabs; anything unexpected fails the test."""
    from studio_in_browser import Heard

    heard = Heard()
    yield heard
    assert heard.unexpected() == []


@pytest.fixture
def serve(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a studio of the test's own, with arguments."""
    from studio_in_browser import Served

    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(tmp_path, *arguments))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.end()


@pytest.fixture
def visit(chromium: Browser, shared: Served, heard: Heard) -> Iterator[Visit]:
    """Opens a tab of a browser of its own, in English, on the shared studio or on another address."""
    from studio_in_browser import Tab

    contexts = []

    def open_tab(address: str | None = None, *, ready: bool = True, lang: str = "en", **settings: Any) -> Tab:
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **settings}
        context = chromium.new_context(locale=f"{lang}-{lang.upper() if lang == 'fr' else 'GB'}", **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        heard.listen(context)
        tab = Tab(context.new_page())
        tab.page.goto(shared.address if address is None else address)
        return tab.ready() if ready else tab

    yield open_tab
    for context in contexts:
        context.close()
