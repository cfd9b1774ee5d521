"""Models that the studio is begun with."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from studio_page import Page, dense, same_bytes

import reseau as rs
from reseau.studio import PENGUINS
from reseau.studio.refusal import Refusal
from reseau.studio.session import Studio


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(PENGUINS, tmp_path)
    return tmp_path


@pytest.fixture
def penguins(folder):
    model = rs.TableModel.train("penguins.csv", "species", preset="fast", layers=(8,), epochs=10)
    model.save("penguins.reseau")
    return model


def _opened(path):
    return Page(Studio([path]))


def _code(page):
    code = page.session.take("python")[2].decode()
    Path("code.py").write_text(code, "utf-8")
    return code, runpy.run_path("code.py")["net"]


def test_a_table_model_opens_with_its_weights_on_its_table(penguins):
    page = _opened("penguins.reseau")
    assert same_bytes(page.parameters(), penguins.network.parameters)
    assert page.state["data"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    frame = page.look()
    table = page.session._data.table_data
    said = penguins.predict("penguins.csv").values.to_numpy(zero_copy_only=False)
    truth = np.array(table.classes)[table.truth(table.rows_val)]
    assert frame["scores"]["validation_score"] == pytest.approx((said[table.rows_val] == truth).mean())
    page.train(2)
    assert not same_bytes(page.parameters(), penguins.network.parameters)
    code, net = _code(page)
    assert same_bytes(net.parameters, page.parameters()), code
    page.run("rewind")
    assert same_bytes(page.parameters(), penguins.network.parameters)
    page.close()


def test_its_columns_stay_as_they_are_with_another_network_and_go_with_another_target(penguins):
    page = _opened("penguins.reseau")
    page.change(network={"layers": [dense(4), dense(3, "softmax")]})
    assert "start" not in page.document["network"]
    assert "like" in page.document["data"]
    page.train(1)
    code, net = _code(page)
    assert same_bytes(net.parameters, page.parameters()), code
    page.change(data={"target": "island"})
    assert "like" not in page.document["data"]
    page.train(1)
    page.close()


def test_a_network_opens_on_samples_that_it_can_learn(folder):
    net = rs.Network(rs.Dense(5, "relu"), rs.Dense(3), loss="cross_entropy", inputs=2, seed=7)
    net.save("three.reseau")
    page = _opened("three.reseau")
    assert same_bytes(page.parameters(), net.parameters)
    assert len(page.state["data"]["classes"]) == 3
    page.train(2)
    code, made = _code(page)
    assert same_bytes(made.parameters, page.parameters()), code
    again = Page(page.studio, page.document)
    again.paused()
    assert same_bytes(again.parameters(), page.parameters())
    with pytest.raises(Refusal, match=r"begins with three\.reseau"):
        page.session.take("session")
    page.close()
    again.close()


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (rs.Network(rs.Dense(3), loss="cross_entropy", inputs=7), "7 inputs and 3 outputs"),
        (rs.Network(rs.Dense(1), loss=rs.Huber(2.0), inputs=2), "numbers of its own"),
        (rs.Network(rs.Residual(rs.Dense(4), rs.Dense(2)), rs.Dense(1), inputs=2), "residual link over several"),
    ],
)
def test_what_cannot_be_shown_is_told(folder, network, words):
    network.save("net.reseau")
    with pytest.raises(rs.ReseauError, match=words):
        Studio(["net.reseau"])


def test_the_mean_of_networks_and_a_table_that_is_gone_are_told(folder, penguins):
    rs.TableModel.train("penguins.csv", "species", layers=(4,), epochs=2).save("several.reseau")
    with pytest.raises(rs.ReseauError, match=r"mean of 8 networks.*--preset fast"):
        Studio(["several.reseau"])
    folder.joinpath("penguins.csv").unlink()
    with pytest.raises(rs.ReseauError, match=r"was trained on penguins\.csv, which lies neither beside it"):
        Studio(["penguins.reseau"])
    folder.joinpath("broken.reseau").write_bytes(b"nothing")
    with pytest.raises(rs.ModelFileError):
        Studio(["broken.reseau"])


def test_a_document_that_begins_with_a_model_that_is_not_here_is_refused(penguins):
    page = _opened("penguins.reseau")
    other = Page(Studio(["penguins.csv"]), page.document)
    refused = next(event for event in other.seen if event["type"] == "refused")
    assert refused["code"] == "unknown_model"
    assert other.document["data"]["target"] == "species"
    page.close()
    other.close()
