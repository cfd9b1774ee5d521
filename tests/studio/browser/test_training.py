"""In a browser: a network is edited, trained, looked into and changed by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from studio_in_browser import parameters, until

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright").expect


def test_a_network_that_is_edited_learns_and_comes_back_to_its_first_weights(visit, tmp_path: Path) -> None:
    tab = visit()
    tab.press("Moons")
    tab.button("Add a layer here").nth(1).click()
    expect(tab.page.get_by_role("group", name="Layer 3", exact=True)).to_be_visible()
    tab.press("Layer 1: one neuron more", "Layer 1: one neuron more", "Layer 3: one neuron less")
    tab.choose("Layer 2: activation", "ReLU")
    expect(tab.page.get_by_role("group", name="Layer 1", exact=True)).to_contain_text("6")
    expect(tab.page.get_by_role("combobox", name="Layer 2: activation")).to_have_value("relu")
    tab.page.get_by_role("slider", name="Samples 400").fill("500")
    expect(tab.region("Data")).to_contain_text("375 to learn from, 125 held out")
    first = tab.model(tmp_path)
    assert first.layers[0].W.shape == (2, 6)
    before = tab.accuracy()

    tab.train(100)
    assert tab.accuracy() > max(before, 90)
    made = tab.epoch()
    curve = tab.page.get_by_role("group", name="Loss over the epochs")
    expect(curve).to_contain_text(f"Epoch {made:,}")
    assert tab.epoch() == made  # it is paused
    tab.epochs(1)
    assert tab.epoch() == made + 1

    tab.press("One step")
    expect(tab.region("Training")).to_contain_text("step 1 of 12")
    assert tab.epoch() == made + 1

    tab.press("Back to the first weights")
    until(lambda: tab.epoch() == 0)
    assert parameters(tab.model(tmp_path)) == parameters(first)


def test_space_s_e_and_r_train_step_and_go_back(visit) -> None:
    tab = visit()
    tab.page.keyboard.press("Space")
    until(lambda: tab.epoch() > 3)
    tab.page.keyboard.press("Space")
    made = tab.paused()
    tab.page.keyboard.press("e")
    until(lambda: tab.epoch() == made + 1)
    tab.page.keyboard.press("s")
    expect(tab.region("Training")).to_contain_text(re.compile("step 1 of"))
    tab.page.keyboard.press("r")
    until(lambda: tab.epoch() == 0)
    tab.page.keyboard.press("?")
    expect(tab.page.get_by_role("dialog", name="Keyboard and help")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)


def test_a_weight_is_set_by_keyboard(visit, tmp_path: Path) -> None:
    tab = visit()
    first = tab.model(tmp_path)
    tab.button("Layer 1: settings").focus()
    node = tab.page.get_by_role("button", name=re.compile("^Layer 1, neuron 1"))
    tab.page.get_by_role("button", name=re.compile("^Input x1")).focus()
    tab.page.keyboard.press("ArrowRight")
    expect(node).to_be_focused()
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("ArrowDown")
    focused = tab.page.locator(":focus")
    expect(focused).to_have_accessible_name(re.compile("^Weight from Input x2 to Layer 1, neuron 1"))
    tab.page.keyboard.press("Enter")
    expect(focused).to_have_role("textbox")
    tab.page.keyboard.type("-2.5")
    tab.page.keyboard.press("Escape")
    expect(focused).to_have_role("button")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("-2.5")
    tab.page.keyboard.press("Enter")
    expect(focused).to_have_accessible_name(re.compile("^Weight .*: −2.5$"))

    changed = tab.model(tmp_path)
    weights = changed.layers[0].W
    assert weights[1, 0] == -2.5
    weights[1, 0] = first.layers[0].W[1, 0]
    assert parameters(changed) == parameters(first)


def test_runs_that_are_kept_stand_side_by_side(visit) -> None:
    tab = visit()
    tab.page.get_by_role("tab", name="Comparison").click()
    tab.train(5)
    tab.press("Keep this run")
    first = tab.page.get_by_role("listitem").filter(has_text="Run 1")
    expect(first).to_contain_text(f"{tab.epoch():,} epochs")
    tab.press("Layer 1: one neuron more")
    until(lambda: tab.epoch() == 0)
    tab.train(5)
    tab.press("Keep this run")
    expect(tab.page.get_by_role("img", name="The boundary of run 2")).to_be_visible()
    differing = tab.page.get_by_role("table", name="What differs")
    expect(differing).to_contain_text("5")
    tab.press("Use its settings: Run 1")
    expect(tab.page.get_by_role("group", name="Layer 1", exact=True)).to_contain_text("4")
    tab.press("Forget: Run 1")
    expect(first).to_have_count(0)


def test_a_training_is_saved_as_an_animation(visit, heard, tmp_path: Path) -> None:
    tab = visit()
    tab.train(30)
    tab.page.get_by_role("tab", name="Animation").click()
    with Image.open(tab.take(tmp_path, "Save as GIF")) as picture:
        assert picture.n_frames > 1
    page = tab.take(tmp_path, "Save as a page")
    heard.expected.append(f"request to {page.as_uri()}$")
    played = visit(page.as_uri(), ready=False)
    expect(played.page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize(
    ("lang", "curve", "optimizer", "descent", "rate", "play", "sentence"),
    [
        ("en", "Sine", "Optimizer", "gradient descent", "Learning rate", "Train", "beyond all numbers"),
        ("fr", "Sinus", "Optimiseur", "descente de gradient", "Taux d’apprentissage", "Entraîner", "dépassé tous"),
    ],
)  # fmt: skip
def test_a_fit_that_diverges_is_told_once(visit, lang, curve, optimizer, descent, rate, play, sentence) -> None:
    tab = visit(lang=lang)
    tab.press(curve)
    tab.choose(optimizer, descent)
    tab.write(rate, "1000")
    tab.press(play)
    said = until(tab.told)
    assert len(said) == 1
    assert sentence in said[0]
    expect(tab.button(play)).to_be_visible()
