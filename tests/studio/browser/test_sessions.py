"""In a browser: sessions come back, from the same tab, a link or a file, and go on without disturbing one another."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from studio_in_browser import parameters, until

import reseau as rs

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright").expect


def test_a_tab_that_is_reloaded_goes_on(visit, tmp_path: Path) -> None:
    tab = visit()
    tab.press("XOR", "Layer 2: one neuron more")
    tab.epochs(3)
    made = parameters(tab.model(tmp_path))
    tab.page.reload()
    tab.ready()
    assert tab.epoch() == 3
    expect(tab.button("XOR")).to_have_attribute("aria-pressed", "true")
    assert parameters(tab.model(tmp_path)) == made
    assert "token" not in tab.page.url


def test_a_link_gives_the_same_session_to_another_browser(visit, tmp_path: Path) -> None:
    tab = visit()
    tab.press("Spirals")
    tab.epochs(2)
    tab.write("Learning rate", "0.02")
    tab.epochs(2)
    made = parameters(tab.model(tmp_path))
    tab.press("Take away", "Link to this session")
    link = tab.page.get_by_role("dialog", name="Link").get_by_role("textbox", name="Link")
    expect(link).to_have_value(re.compile("^http://127.0.0.1:"))
    other = visit(link.input_value())
    until(lambda: other.epoch() == 4)
    assert parameters(other.model(tmp_path)) == made
    other.epochs(1)
    assert (other.epoch(), tab.epoch()) == (5, 4)


def test_a_session_file_brings_the_session_back(visit, tmp_path: Path) -> None:
    tab = visit()
    tab.drop(
        "points.csv",
        b"a,b,is\n" + b"".join(b"%d,%d,%s\n" % (k, k * k % 17, (b"low", b"high")[k % 17 > 8]) for k in range(80)),
    )
    expect(tab.button("points.csv 80 rows")).to_have_attribute("aria-pressed", "true")
    tab.epochs(3)
    made = parameters(tab.model(tmp_path))
    session = tab.take(tmp_path, "Take away", "Session (file)")
    other = visit()
    other.press("Take away")
    with other.page.expect_file_chooser() as choosing:
        other.page.get_by_text("Open a session file…").click()
    choosing.value.set_files(session)
    expect(other.button("points.csv 80 rows")).to_have_attribute("aria-pressed", "true")
    until(lambda: other.epoch() == 3)
    assert parameters(other.model(tmp_path)) == made


def test_two_tabs_do_not_disturb_one_another(visit, tmp_path: Path) -> None:
    one, other = visit(), visit()
    other.press("Waves")
    other.epochs(1)
    still = parameters(other.model(tmp_path))
    one.press("Train")
    until(lambda: one.epoch() > 50)
    other.press("Layer 1: one neuron more", "Layer 1: one neuron less")
    until(lambda: other.epoch() == 0)
    other.epochs(1)
    assert parameters(other.model(tmp_path)) == still  # begun anew, from the same first weights
    begun = one.epoch()
    until(lambda: one.epoch() > begun)
    one.press("Pause")
    assert other.epoch() == 1
    expect(one.button("Circles")).to_have_attribute("aria-pressed", "true")


def test_a_session_goes_on_in_the_tab_that_was_opened_last(visit) -> None:
    tab = visit()
    tab.epochs(2)
    key = tab.page.evaluate("sessionStorage.getItem('reseau.session')")
    other = visit()
    other.page.evaluate("key => sessionStorage.setItem('reseau.session', key)", key)
    other.page.reload()
    other.ready()
    assert other.epoch() == 2
    expect(tab.page.get_by_text("This session goes on in another tab.")).to_be_visible()
    tab.press("Go on here")
    expect(other.page.get_by_text("This session goes on in another tab.")).to_be_visible()
    tab.epochs(1)
    assert tab.epoch() == 3


def test_a_tab_that_is_closed_trains_no_more(visit) -> None:
    tab = visit()
    key = tab.page.evaluate("sessionStorage.getItem('reseau.session')")
    tab.press("Train")
    until(lambda: tab.epoch() > 20)
    begun, began = tab.epoch(), time.monotonic()
    until(lambda: tab.epoch() > begun + 20)
    last = tab.epoch()
    pace = (last - begun) / (time.monotonic() - began)
    tab.page.close()
    other = visit()
    other.page.evaluate("key => sessionStorage.setItem('reseau.session', key)", key)
    time.sleep(1)
    other.page.reload()
    other.ready()
    expect(other.button("Train")).to_be_visible()
    made = other.epoch()
    assert made < last + 2 * pace  # it took longer to look, yet
    time.sleep(0.3)
    assert other.epoch() == made


def test_a_connection_that_is_lost_is_told(serve, visit, heard) -> None:
    heard.expected += [r"WebSocket connection to .* failed", r"ERR_CONNECTION_REFUSED"]
    served = serve()
    english, french = visit(served.address), visit(served.address, lang="fr")
    served.kill()
    expect(english.page.get_by_text("The connection is lost.")).to_be_visible()
    expect(french.page.get_by_text("La connexion est coupée.")).to_be_visible()
    expect(english.button("Train")).to_be_disabled()


def test_a_page_without_the_token_says_how_to_come_by_it(visit, shared) -> None:
    tab = visit(shared.home, ready=False)
    expect(tab.page.get_by_text("Open the whole address")).to_be_visible()


def test_the_model_of_the_command_line_goes_on_from_its_weights(serve, visit, tmp_path: Path) -> None:
    rows = "".join(f"{k},{k * k % 17},{('low', 'high')[k % 17 > 8]}\n" for k in range(80))
    (tmp_path / "points.csv").write_text("a,b,is\n" + rows)
    data = rs.TableData(tmp_path / "points.csv", "is")
    net = rs.Network(rs.Dense(5, "relu"), rs.Dense(2, "softmax"), loss="cross_entropy", inputs=data.X.shape[1], seed=7)
    net.fit(data.X, data.y, epochs=3)
    data.model(net).save(tmp_path / "points.reseau")
    tab = visit(serve("points.reseau").address)
    expect(tab.page.get_by_role("group", name="Layer 1")).to_contain_text("5")
    assert parameters(tab.model(tmp_path)) == parameters(net)
    tab.epochs(1)
    assert parameters(tab.model(tmp_path)) != parameters(net)
