"""Tables that are given to the studio, and what is refused of them."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from studio_page import Page, checks

import reseau as rs
from reseau.studio import PENGUINS, tables
from reseau.studio.refusal import Refusal
from reseau.studio.session import Studio

CHECK = checks("TableInfo")


@pytest.fixture(scope="module")
def studio():
    return Studio()


def _frame(rows=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=rows).astype(str),
            "size": rng.normal(size=rows).round(3),
            "sort": rng.choice(["plain", "striped"], rows),
            "same": "x",
            "id": [f"k{place:05}" for place in range(rows)],
            "sold": rng.choice(["yes", "no"], rows),
        }
    )


def _csv(frame):
    return frame.to_csv(index=False).encode()


def test_a_table_is_told_column_by_column(studio):
    frame = _frame()
    frame.loc[3:7, "size"] = np.nan
    info = studio.upload("sales.csv", _csv(frame))
    CHECK(info)
    assert (info["name"], info["rows"], info["target"]) == ("sales.csv", 60, "sold")
    kinds = {column["name"]: column["kind"] for column in info["columns"]}
    assert kinds == {
        "when": "date",
        "size": "number",
        "sort": "category",
        "same": "ignore",
        "id": "ignore",
        "sold": "category",
    }
    size = info["columns"][1]
    assert (size["missing"], size["distinct"]) == (5, frame["size"].nunique())
    assert size["examples"] == [str(value) for value in frame["size"].iloc[:3]]


def test_the_penguins_of_the_package_are_those_of_the_examples():
    example = Path(__file__).parents[2] / "examples" / "penguins.csv"
    assert PENGUINS.read_bytes() == example.read_bytes()


def test_the_same_file_is_the_same_table(studio):
    one, two = (studio.upload("sales.csv", _csv(_frame())) for _ in range(2))
    assert one["table"] == two["table"]
    assert studio.upload("sales.csv", _csv(_frame(61)))["table"] != one["table"]


@pytest.mark.parametrize("form", ["parquet", "csv.gz", "zip", "arrow", "jsonl"])
def test_other_forms_are_read_too(studio, form):
    frame, file = _frame(), io.BytesIO()
    if form == "parquet":
        frame.to_parquet(file)
    elif form == "csv.gz":
        file.write(gzip.compress(_csv(frame)))
    elif form == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("sales.csv", _csv(frame))
    elif form == "arrow":
        frame.to_feather(file)
    else:
        file.write(frame.to_json(orient="records", lines=True).encode())
    info = studio.upload(f"sales.{form}", file.getvalue())
    assert info["rows"] == 60
    assert [column["name"] for column in info["columns"]] == list(frame)


def test_columns_are_taken_for_what_is_said(studio):
    page = Page(studio)
    info = studio.upload("sales.csv", _csv(_frame()))
    described = {**studio.table_described(info["table"]), "columns": {"size": "ignore", "when": "text"}}
    page.ask("change", data=described)
    assert "size" not in page.state["data"]["inputs"]
    assert {"sort=plain", "sort=striped"} <= set(page.state["data"]["inputs"])
    assert page.document["data"] == described
    page.close()


def test_what_is_noticed_in_a_table_is_told_with_the_data(studio):
    frame = _frame()
    frame["size"] = frame["size"].astype(str)
    frame.loc[2, "size"] = "unknown"
    page = Page(studio)
    info = studio.upload("sales.csv", _csv(frame))
    page.ask("change", data=studio.table_described(info["table"]))
    assert any("unknown" in note for note in page.state["data"]["notes"])
    page.close()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "table_unreadable", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "table_unreadable", "a picture"),
        (b"a,a\n1,2\n", "table_unreadable", "both named"),
        (b"PK\x03\x04 broken", "table_unreadable", "damaged"),
        (b"PAR1 broken", "table_unreadable", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_the_librarys_words(studio, content, code, words):
    with pytest.raises(Refusal, match=words) as refused:
        studio.upload("sales.csv", content)
    assert (refused.value.code, refused.value.values["name"]) == (code, "sales.csv")


@pytest.mark.parametrize(("what", "most"), [("bytes", 100), ("rows", 59), ("columns", 5), ("cells", 359)])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_too_large_is_refused(studio, monkeypatch, what, most, form):
    monkeypatch.setitem(tables.LIMITS, what, most)
    file = io.BytesIO(_csv(_frame()))
    if form == "parquet":
        _frame().to_parquet(file := io.BytesIO())
    with pytest.raises(Refusal) as refused:
        studio.upload(f"sales.{form}", file.getvalue())
    assert refused.value.code == "too_large"
    assert (refused.value.values["what"], refused.value.values["most"]) == (what, most)


def test_what_unpacks_to_too_much_is_refused(studio, monkeypatch):
    monkeypatch.setattr(tables, "UNPACKED", 1000)
    wide = pa.table({"x": pa.array(["y" * 100] * 60).dictionary_encode()})
    pa.parquet.write_table(wide.cast(pa.schema([("x", pa.string())])), file := io.BytesIO(), use_dictionary=False)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", "0" * 10_000)
    for name, content in (
        ("a.csv.gz", gzip.compress(b"x\n" + b"1\n" * 10_000)),
        ("a.parquet", file.getvalue()),
        ("a.xlsx", archive.getvalue()),
    ):
        with pytest.raises(Refusal) as refused:
            studio.upload(name, content)
        assert refused.value.code == "too_large"


def test_what_takes_too_long_to_read_is_refused(studio, monkeypatch):
    monkeypatch.setattr(tables, "SECONDS", 0.05)
    monkeypatch.setattr(tables, "_read", lambda name, content: time.sleep(1))
    with pytest.raises(Refusal) as refused:
        studio.upload("sales.csv", b"a,b\n1,2\n")
    assert refused.value.code == "too_slow"


def test_a_table_that_is_not_there_is_refused(studio):
    page = Page(studio)
    described = {**studio.table_described(page.welcome["tables"][0]["table"]), "table": "nowhere"}
    refused = page.ask("change", data=described)
    assert (refused["type"], refused["code"]) == ("refused", "unknown_table")
    assert page.run("pause")["document"]["data"]["kind"] == "toy"
    page.close()


@pytest.mark.parametrize(
    ("target", "words"), [("id", "too few rows"), ("nothing", "no column 'nothing'"), ("same", "single")]
)
def test_a_target_that_cannot_be_predicted_is_refused(studio, target, words):
    page = Page(studio)
    info = studio.upload("sales.csv", _csv(_frame()))
    refused = page.ask("change", data=studio.table_described(info["table"], target))
    assert (refused["type"], refused["code"]) == ("refused", "table_unreadable")
    assert words in refused["message"]
    page.close()


def test_of_many_uploads_the_oldest_are_forgotten():
    studio = Studio()
    infos = [studio.upload("sales.csv", f"a,b\n{n},1\n{n},2\n".encode()) for n in range(12)]
    names = {info["table"] for info in studio.welcome("", None, False)["tables"]}
    assert infos[0]["table"] not in names
    assert infos[-1]["table"] in names
    assert len(names) == 11  # with the penguins


def test_the_studio_begins_with_the_table_that_it_is_given():
    studio = Studio([PENGUINS])
    page = Page(studio)
    assert page.document["data"]["target"] == "species"
    assert page.state["data"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    page.close()
    other = studio.beginning(page.document["data"]["table"], "body_mass_g")
    page = Page(studio, other)
    assert page.state["data"]["task"] == "regression"
    page.close()


def test_a_table_of_the_command_line_that_cannot_be_read_is_the_librarys_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Studio([tmp_path / "nothing.csv"])
    tmp_path.joinpath("empty.csv").write_text("")
    with pytest.raises(rs.DataError, match="is empty"):
        Studio([tmp_path / "empty.csv"])


def test_losses_of_tables_are_those_that_their_target_can_be_learned_by(studio):
    page = Page(studio)
    key = page.welcome["tables"][0]["table"]
    page.ask("change", data=studio.table_described(key, "body_mass_g"))
    page.change(network={"loss": "poisson"})
    assert page.document["network"]["layers"][-1]["activation"] == "exponential"
    page.train(1)
    refused = page.change(network={"loss": "student_t"})
    assert refused["code"] == "network_refused"
    assert "can be learned by squared_error" in refused["message"]
    page.ask("change", data=studio.table_described(key))
    assert page.document["network"]["loss"] == "cross_entropy"
    page.close()
