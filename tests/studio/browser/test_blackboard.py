"""In a browser: a learning step is worked out on the blackboard, in French, by the keyboard alone."""

from __future__ import annotations

import re

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright").expect


def test_a_step_is_worked_out_stage_by_stage_in_french_by_the_keyboard(visit) -> None:
    tab = visit(lang="fr")
    keys = tab.page.keyboard
    tab.button("Choisir un exemple").focus()
    keys.press("Enter")
    diagram = tab.page.get_by_role("group", name="Dessin du réseau")
    expect(diagram.get_by_role("button", name=re.compile("^Entrée x1, sortie a"))).to_be_visible()
    tab.button("Développer").focus()
    keys.press("Enter")
    sheet = tab.page.get_by_role("document", name=re.compile("^Tableau noir"))
    expect(sheet).to_contain_text("=")
    assert sheet.locator("math").count() > 3

    sheet.focus()
    stages = tab.page.get_by_role("combobox", name="Étapes")
    titles = stages.get_by_role("option").all_inner_texts()
    assert len(titles) > 3
    shown = sheet.inner_text()
    keys.press("ArrowRight")
    expect(sheet).not_to_have_text(shown, use_inner_text=True)
    keys.press("ArrowLeft")
    expect(sheet).to_have_text(shown, use_inner_text=True)
    for place in range(1, len(titles)):
        keys.press("Shift+ArrowRight")
        expect(stages).to_have_value(str(place))
        expect(sheet.get_by_role("heading", name=titles[place].rpartition(" · ")[2]).first).to_be_visible()
    keys.press("Home")
    expect(stages).to_have_value("0")
    keys.press("End")
    expect(tab.page.get_by_role("group", name="Tableau noir").get_by_role("button", name="Suivant →")).to_be_disabled()

    tab.button("EN, English").focus()
    keys.press("Enter")
    expect(tab.page.get_by_role("combobox", name="Stages").get_by_role("option").first).not_to_have_text(titles[0])
