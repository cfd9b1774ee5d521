"""In a browser: the page is there for those who use the keyboard, a screen reader, a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright").expect

AXE = Path(__file__).parents[3] / "studio" / "node_modules" / "axe-core" / "axe.min.js"
FOUND = """async (root) => {
    await Promise.allSettled(document.getAnimations().map((one) => one.finished));
    return (await axe.run(root, { resultTypes: ["violations"] })).violations
        .filter((one) => ["serious", "critical"].includes(one.impact))
        .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}"""
WIDTHS = {1280: 800, 400: 800, 320: 640}

# What Tab should come to: of those that go together with the arrows, the one whose turn it is.
OPERATED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
    .filter((one) => one.tabIndex >= 0 && !one.closest("[inert]"))
    .filter((one) => one.type !== "radio" || one.checked)
    .map((one) => (one.dataset.seen = String(Math.random())))"""
FOCUSED = """async () => {
    await new Promise(requestAnimationFrame);
    await Promise.allSettled(document.getAnimations().map((one) => one.finished));
    const one = document.activeElement;
    if (one === document.body) return null;
    const shows = (at) => {
        const style = getComputedStyle(at);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    };
    const box = one.getBoundingClientRect();
    const within = [one, one.closest("label"), one.parentElement].filter(Boolean);
    const drawn = one.querySelector?.(":scope > rect");
    const thick = drawn && parseFloat(getComputedStyle(drawn).strokeWidth) >= 2;
    const name = (one.ariaLabel || one.textContent || one.outerHTML).trim().slice(0, 60);
    const shown = within.some(shows) || Boolean(thick);
    return { seen: one.dataset.seen ?? "", name, shown, left: box.left, right: box.right };
}"""


def _found(tab, within=None) -> list[str]:
    """What axe-core finds, in the whole page or within a part of it."""
    if not AXE.is_file():
        pytest.skip("no axe-core: cd studio && npm ci")
    if not tab.page.evaluate("'axe' in window"):
        tab.page.evaluate(AXE.read_text("utf-8") + "; undefined")
    return (within or tab.page.locator("html")).evaluate(FOUND)


@pytest.fixture
def faults():
    """What axe-core finds, by where."""
    found: dict[str, list[str]] = {}
    yield found
    assert {where: one for where, one in found.items() if one} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, faults, scheme: str) -> None:
    tab = visit(color_scheme=scheme)
    tab.train(3)
    tab.press("Choose a sample")
    for width, height in WIDTHS.items():
        tab.page.set_viewport_size({"width": width, "height": height})
        faults[f"{width} px"] = _found(tab)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    for width in (400, 1280):
        tab.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        header, training = tab.page.get_by_role("banner"), tab.region("Training")
        menus = {"Take away": header, "More": header, "Stop the training: Never by itself": training}
        for menu, within in menus.items():
            tab.press(menu)
            faults[f"{menu}, {width} px"] = _found(tab, within)
            tab.page.keyboard.press("Escape")
            expect(tab.button(menu)).to_be_focused()
    for name, way in {"The same in Python": "Python code", "Link": "Link to this session"}.items():
        tab.press("Take away", way)
        dialog = tab.page.get_by_role("dialog", name=name)
        expect(dialog.get_by_role("button", name="Copy")).to_be_enabled()
        faults[name] = _found(tab, dialog)
        tab.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_is_opened(visit, faults, scheme: str) -> None:
    tab = visit(color_scheme=scheme)
    tab.page.get_by_role("tab", name="Tables").click()
    tab.press("penguins.csv 344 rows")
    tab.train(1)
    tab.page.keyboard.press("?")
    faults["help"] = _found(tab, tab.page.get_by_role("dialog"))
    tab.page.keyboard.press("Escape")
    tab.press("Columns (8)")
    faults["columns"] = _found(tab, tab.page.get_by_role("dialog"))
    tab.page.keyboard.press("Escape")
    tab.press("Layer 1: settings")
    faults["a layer"] = _found(tab, tab.region("Network"))
    tab.region("Network").get_by_role("button", name="As a table").click()
    faults["weights as a table"] = _found(tab, tab.region("Network"))
    tab.region("Network").get_by_role("button", name="As a table").click()
    tab.press("Choose a sample")
    views = tab.region("Look inside").get_by_role("tab")
    for place in range(views.count()):
        views.nth(place).click()
        if tab.button("Work it out").is_visible():
            tab.press("Work it out")
            expect(tab.page.get_by_role("document")).to_contain_text("=")
        faults[views.nth(place).inner_text()] = _found(tab, tab.region("Look inside"))


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_is_come_to_by_tab_and_shows_that_it_is(visit, width: int) -> None:
    tab = visit(viewport={"width": width, "height": WIDTHS[width]})
    wanted = set(tab.page.evaluate(OPERATED))
    unseen, hidden = [], []
    for _ in range(len(wanted) + 10):
        tab.page.keyboard.press("Tab")
        focused = tab.page.evaluate(FOCUSED)
        if focused is None:
            break
        wanted.discard(focused["seen"])
        if not focused["shown"]:
            unseen.append(focused["name"])
        if focused["right"] <= 0 or focused["left"] >= width:
            hidden.append(focused["name"])
    left = [
        tab.page.evaluate("(seen) => document.querySelector(`[data-seen='${seen}']`)?.outerHTML", one) for one in wanted
    ]
    assert (left, unseen, hidden) == ([], [], [])
