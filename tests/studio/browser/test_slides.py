"""In a browser: what keys, taps, a screen and a printer make of a blackboard's slides; and the page without slides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import reseau as rs
from reseau.blackboard import Blackboard, Names
from reseau.formulas.words import LANGUAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parents[3] / "studio" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {1920: 1080, 1280: 720, 400: 800}


def board_of(*widths: int, lang: str = "en", last: str = "sigmoid", **options: Any) -> Blackboard:
    layers = [rs.Dense(n, "sigmoid") for n in widths[1:-1]]
    net = rs.Network(*layers, rs.Dense(widths[-1], last), inputs=widths[0], dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    net.parameters[...] = rng.normal(0.0, 1.0, net.n_parameters)
    T = np.eye(widths[-1])[:1]
    return net.blackboard(rng.normal(size=(1, widths[0])), T, learning_rate=0.5, lang=lang, **options)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens a board's slides; any complaint of the browser fails the test."""
    complaints: list[str] = []
    contexts = []

    def show(board: Blackboard, width: int = 1920, slides: bool = True, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": SCREENS[width]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith("file:") else complaints.append(request.url))
        board.to_html(tmp_path / "board.html", slides=slides)
        page.goto((tmp_path / "board.html").as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


def told(page: Page) -> str:
    return page.locator(".turn p").inner_text()


def count(page: Page) -> int:
    return page.locator(".slide").count()


# The least size of a letter, in pixels of the screen, and what stands out of its slide.
MEASURED = """() => {
    const out = [];
    let least = Infinity;
    for (const slide of document.querySelectorAll(".slide")) {
        const all = slide.getBoundingClientRect(), scale = all.height / 1080;
        const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const one = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
            if (!text || one.closest("title, desc")) continue;
            const svg = one.closest("svg"), box = one.getBoundingClientRect();
            const size = parseFloat(getComputedStyle(one).fontSize) * (svg ? svg.getScreenCTM().a : scale);
            least = Math.min(least, size);
            if (box.right > all.right + 1 || box.bottom > all.bottom + 1 || box.left < all.left - 1) out.push(text);
        }
    }
    return [least, out];
}"""


@pytest.mark.parametrize("widths", [(2, 2, 1), (3, 4, 2)], ids=str)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_slides_of_a_classroom_are_readable_from_the_last_row(show: Any, widths: tuple[int, ...], lang: str) -> None:
    for width in (1920, 1280):
        least, out = show(board_of(*widths, lang=lang), width).evaluate(MEASURED)
        assert out == []
        assert least >= 26 * width / 1920  # raised figures and numbers of a drawing among them


def test_what_does_not_fit_a_slide_is_split_or_scaled_never_cut_off(show: Any) -> None:
    names = Names([f"a column with a long name, number {i}" for i in range(30)], [f"class {i}" for i in range(9)])
    net = rs.Network(rs.Dense(64, "tanh"), rs.Dense(9, "softmax"), loss="cross_entropy", inputs=30, seed=0)
    wide = {"digits": 9, "focus": {"inputs": range(0, 30, 4)}}
    boards = [net.blackboard(np.ones((1, 30)), [1], names=names, **more) for more in ({}, wide)]
    boards.append(board_of(6, 6, 6))
    for board in boards:
        for width in SCREENS:
            _, out = show(board, width).evaluate(MEASURED)
            assert out == []


def test_a_stage_is_revealed_step_by_step_and_the_keys_turn_slides(show: Any) -> None:
    page = show(board_of(2, 2, 1))
    n = count(page)
    assert told(page) == f"1 of {n}"
    hidden = lambda: page.locator(".slide.shown .later").count()  # noqa: E731
    page.keyboard.press("PageDown")
    before = hidden()
    assert before > 0
    page.keyboard.press("ArrowRight")
    assert 0 < hidden() < before
    page.keyboard.press("ArrowLeft")
    assert hidden() == before
    while hidden():
        page.keyboard.press(" ")
        assert told(page) == f"2 of {n}"
    page.keyboard.press(" ")
    assert told(page) == f"3 of {n}"
    page.keyboard.press("ArrowLeft")
    assert (told(page), hidden()) == (f"2 of {n}", 0)
    page.keyboard.press("End")
    assert (told(page), hidden()) == (f"{n} of {n}", 0)
    assert page.locator(".turn .on").is_disabled()
    page.keyboard.press("ArrowRight")
    assert told(page) == f"{n} of {n}"
    page.keyboard.press("Home")
    assert told(page) == f"1 of {n}"
    assert page.locator(".turn .back").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert told(page) == f"1 of {n}"


def test_taps_and_buttons_turn_slides_too(show: Any) -> None:
    page = show(board_of(2, 2, 1, lang="fr"), has_touch=True)
    n = count(page)
    while told(page) == f"1 sur {n}":
        page.touchscreen.tap(1500, 500)
    assert told(page) == f"2 sur {n}"
    page.touchscreen.tap(100, 500)
    assert told(page) == f"1 sur {n}"
    page.keyboard.press("PageDown")
    page.get_by_role("button", name="Précédent").click()
    assert told(page) == f"1 sur {n}"


def test_a_window_of_another_size_keeps_everything_within(show: Any) -> None:
    page = show(board_of(3, 4, 2))
    page.keyboard.press("End")
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_function("document.querySelector('.slide.shown').getBoundingClientRect().width < 901")
    assert page.evaluate(MEASURED)[1] == []
    assert told(page) == f"{count(page)} of {count(page)}"


def test_without_scripts_it_is_a_page_to_read(show: Any) -> None:
    board = board_of(2, 2, 1)
    page = show(board, 400, java_script_enabled=False)
    headings = page.get_by_role("heading").all_inner_texts()
    assert headings == [title for stage, _ in board.stages() for title in stage.split(" · ")]
    assert all(heading.is_visible() for heading in page.get_by_role("heading").all())
    assert not page.locator(".turn").is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_printed_each_stage_has_a_page_of_its_own(show: Any, scripts: bool) -> None:
    board = board_of(2, 2, 1)
    printed = show(board, java_script_enabled=scripts).pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(board.stages())


def test_nothing_moves_for_those_who_do_not_want_it(show: Any) -> None:
    durations = {}
    for wish in ("reduce", "no-preference"):
        page = show(board_of(2, 2, 1), reduced_motion=wish)
        durations[wish] = page.locator(".slide > *").first.evaluate("one => getComputedStyle(one).transitionDuration")
    assert durations == {"reduce": "0s", "no-preference": "0.25s"}


@pytest.mark.parametrize("slides", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(show: Any, slides: bool, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("no axe-core: cd studio && npm ci")
    for width in (1280, 400):
        page = show(board_of(3, 4, 2), width, slides, color_scheme=scheme, bypass_csp=True)
        page.evaluate(AXE.read_text("utf-8") + "; undefined")
        found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
        assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
