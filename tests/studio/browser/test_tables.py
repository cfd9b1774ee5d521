"""In a browser: a table of one's own is dropped, learnt from and taken away, and what is no table is refused."""

from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from studio_in_browser import parameters, until

import reseau as rs

expect = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright").expect

SHOPS = "area;town;open since;rent\n" + "".join(
    f"{20 + 3 * k},5;{('Lyon', 'Nantes', 'Metz')[k % 3]};{1990 + k % 30};{(300, 250, 200)[k % 3] + 4 * k}\n"
    for k in range(120)
)


def test_an_own_table_is_learnt_from_and_all_of_it_is_taken_away(visit, tmp_path: Path) -> None:
    (tmp_path / "shops.csv").write_text(SHOPS, "utf-8")
    tab = visit()
    tab.page.get_by_role("tab", name="Tables").click()
    with tab.page.expect_file_chooser() as choosing:
        tab.page.get_by_text("choose a file").click()
    choosing.value.set_files(tmp_path / "shops.csv")
    expect(tab.button("shops.csv 120 rows")).to_have_attribute("aria-pressed", "true")
    expect(tab.page.get_by_role("combobox", name="To predict")).to_have_value("rent")
    expect(tab.region("Data")).to_contain_text("90 to learn from, 30 held out")

    tab.choose("To predict", "town")
    expect(tab.region("Result")).to_contain_text("Accuracy")
    tab.choose("To predict", "rent")
    expect(tab.region("Result")).to_contain_text("R²")
    tab.press("Columns (4)")
    columns = tab.page.get_by_role("dialog", name="Columns: shops.csv")
    expect(columns.get_by_role("row", name="area")).to_contain_text("20,5")
    tab.choose("Kind: open since", "left out")
    columns.get_by_role("button", name="Close").click()
    expect(tab.page.get_by_role("group", name="Inputs")).to_contain_text("4 inputs")  # the area, and three towns

    tab.train(50)
    model = tab.model(tmp_path)
    code = tab.take(tmp_path, "Take away", "Python code", "Download")
    expect(tab.page.get_by_role("dialog", name="The same in Python")).to_contain_text("rs.TableData")
    tab.page.keyboard.press("Escape")
    onnx, written = (tab.take(tmp_path, "Take away", name) for name in ("ONNX", "C code"))
    predictions = tab.take(tmp_path, "Take away", "Predictions (CSV)")

    saving = "\nnet.save('net.reseau')\n"
    subprocess.run([sys.executable, "-c", code.read_text("utf-8") + saving], cwd=tmp_path, check=True, timeout=60)
    assert parameters(rs.load(tmp_path / "net.reseau")) == parameters(model)

    with predictions.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120
    said = np.array([float(row["prediction"]) for row in rows])
    np.testing.assert_allclose(said, np.array(model.predict(tmp_path / "shops.csv").table["prediction"]), rtol=1e-5)
    np.testing.assert_allclose(said, _said_by_onnx(onnx, rows), rtol=1e-4)
    assert zipfile.is_zipfile(written)


def _said_by_onnx(path: Path, rows: list[dict[str, str]]) -> np.ndarray:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path)
    given = {}
    for put in session.get_inputs():
        cells = [row[put.name].replace(",", ".") for row in rows]
        kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}.get(put.type, object)
        given[put.name] = np.array(cells, kind).reshape(-1, 1)
    return session.run(None, given)[0].ravel()


def test_a_table_is_dropped_on_the_page(visit) -> None:
    tab = visit()
    tab.drop("dropped.csv", SHOPS.encode())
    expect(tab.button("dropped.csv 120 rows")).to_have_attribute("aria-pressed", "true")
    expect(tab.region("Result")).to_contain_text("R²")


@pytest.mark.parametrize(
    ("lang", "begins"), [("en", "The table cannot be read."), ("fr", "Le tableau ne peut pas être lu.")]
)
def test_what_is_no_table_is_refused_and_changes_nothing(visit, heard, lang: str, begins: str) -> None:
    heard.expected.append(r"status of 422.*/tables\?name=")
    tab = visit(lang=lang)
    before = tab.epoch()
    tab.drop("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe")
    said = until(tab.told)
    assert len(said) == 1
    assert said[0].startswith(begins)
    assert tab.epoch() == before
    expect(tab.button("Circles" if lang == "en" else "Cercles")).to_have_attribute("aria-pressed", "true")


def test_the_table_of_the_command_line_is_there_from_the_beginning(serve, visit, tmp_path: Path) -> None:
    (tmp_path / "shops.csv").write_text(SHOPS, "utf-8")
    tab = visit(serve("shops.csv", "--target", "town").address)
    expect(tab.button("shops.csv 120 rows")).to_have_attribute("aria-pressed", "true")
    expect(tab.page.get_by_role("combobox", name="To predict")).to_have_value("town")
    tab.epochs(1)
    assert tab.epoch() == 1
