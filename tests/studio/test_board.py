"""The blackboard of a sample."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from studio_page import Page, dense

from reseau.studio.session import Studio


@pytest.fixture
def page():
    page = Page(Studio())
    yield page
    page.close()


def _ask(page, row=0, part="training", lang="en", digits=4):
    return page.ask("board", sample={"part": part, "row": row}, lang=lang, digits=digits)


def test_a_step_of_the_optimizer_in_force_is_worked_out_in_stages(page):
    page.change(training={"optimizer": "sgd", "learning_rate": 0.25})
    page.train(1)
    board = _ask(page, row=3, part="validation")
    tree = ElementTree.fromstring(board["html"].replace("&#x2061;", ""))
    sections = tree.findall("section[@class='stage']")
    assert len(sections) == len(board["stages"]) == len(list(tree))
    for section, title in zip(sections, board["stages"], strict=True):
        assert section[0].text == title.split(" · ")[0]
    assert board["stages"][0] == "At the blackboard: a learning step"
    text = "".join(tree.itertext())
    assert "0.25" in text
    data, net = page.session._data, page.session._run.network
    y = data.labels(True)[3:4]
    expected = net.blackboard(data.X_val[3:4], y, learning_rate=0.25).stages()
    assert [title for title, _ in expected] == board["stages"]
    for section, (_, content) in zip(
        re.findall(r"(?s)<section.*?>\n(.*?)\n</section>", board["html"]), expected, strict=True
    ):
        assert section == content


def test_it_has_no_style_and_no_script_of_its_own(page):
    html = _ask(page)["html"]
    assert not re.search(r"<style|<script|\sstyle=|\son\w+=", html)


def test_it_speaks_french_and_names_columns_and_classes(page):
    key = page.welcome["tables"][0]["table"]
    page.ask("change", data=page.studio.table_described(key))
    html = _ask(page, lang="fr", digits=3)["html"]
    assert 'lang="fr"' in html
    assert "Au tableau" in html
    assert "bill_length_mm" in html
    assert "species = Gentoo" in html


def test_a_network_that_fills_no_blackboard_is_refused(page):
    page.change(network={"layers": [dense(200), dense(200), dense(2, "softmax")]})
    refused = _ask(page)
    assert (refused["type"], refused["code"]) == ("refused", "too_large_to_look")
    assert _ask(page, row=1000)["code"] == "malformed"


def test_a_wide_network_is_shown_by_the_ends_of_its_layers(page):
    page.change(network={"layers": [dense(64), dense(64), dense(2, "softmax")]})
    assert "⋯" in _ask(page)["html"]
