"""The page as a whole: one file, that is HTML, escaped, complete in each language, and the same each time."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd
import pytest

import reseau as rs
from reseau.formulas.words import LANGUAGES, Same, Words
from reseau.tables.learning.evidence import Evidence
from reseau.tables.reading import stored_table
from reseau.tables.understanding.page import words
from reseau.tables.understanding.page.contents import Contents
from reseau.tables.understanding.page.of_classes import ClassesSeen, reliability_of
from reseau.tables.understanding.page.of_quantity import COVERAGES, QuantitySeen
from reseau.tables.understanding.page.seen import Seen, histogram, written_date
from reseau.tables.understanding.page.whole import page

VOID = {"meta", "br", "path", "rect", "circle"}
EVIL = '<script>alert("x")</script>\'&amp;\u202eא'
N = 160
RNG = np.random.default_rng(8)
X = RNG.normal(size=N)
TABLE = pd.DataFrame(
    {
        EVIL: X,
        "level": RNG.choice(["<b>one</b>", '"two"', "\u202ethree"], N),
        "when": pd.date_range("2024-01-01", periods=N),
        "yes": RNG.random(N) > 0.3,
        "some": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),
        "always": "<i>",
    }
)
TABLE["class " + EVIL] = np.array(["<a>", "b\u202e", "&c;"])[RNG.integers(0, 3, N)]
TABLE["price"] = np.exp(X + 0.1 * RNG.normal(size=N))
QUICK: dict[str, Any] = {"layers": (4,), "epochs": 2}
SECTIONS = {
    "classes": ["data", "noticed", "scores", "curves", "confusion", "calibration", "importance", "effects"],
    "numbers": ["data", "noticed", "scores", "curves", "errors", "intervals", "importance", "effects"],
}
ENDS = ["hardest", "repeat"]


class Page(HTMLParser):
    """What is in a page; an element that is closed before those within it is an error."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(content.decode("utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(model: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    model.report(file, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def models() -> dict[str, rs.TableModel]:
    return {
        "classes": rs.TableModel.train(TABLE, "class " + EVIL, **QUICK),
        "numbers": rs.TableModel.train(TABLE, "price", ignore=["level"], **QUICK),
    }


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("task", SECTIONS)
def test_a_page_has_all_its_sections_and_nothing_from_elsewhere(models, task, lang):
    content = report(models[task], lang=lang)
    found = Page(content)
    assert found.named("html") == [{"lang": lang}]
    assert [section["id"] for section in found.named("section")] == SECTIONS[task] + ENDS
    assert [link["href"] for link in found.named("a")] == [f"#{name}" for name in SECTIONS[task] + ENDS]
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "i", "b onerror"} - {"b"}
    assert b"http" not in content
    assert b"url(" not in content
    assert b"@import" not in content
    assert all(key not in {"src", "onload", "onerror"} for _, attributes in found.tags for key in attributes)
    assert all({"class", "role", "viewbox", "width", "height"} == set(svg) for svg in found.named("svg"))
    assert len(found.named("title")) == 1 + len(found.named("svg"))
    assert all("scope" in heading for heading in found.named("th"))
    assert len(content) < 200_000


@pytest.mark.parametrize("task", SECTIONS)
def test_whatever_comes_from_the_table_is_shown_and_never_obeyed(models, task):
    content = report(models[task]).decode()
    found = Page(content.encode())
    assert any('<script>alert("x")</script>' in text for text in found.texts)
    assert "\u202e" not in content
    assert "<script" not in content
    shown = {"classes": {"<a>", "&c;", "b\\u202e"}, "numbers": {EVIL.replace("\u202e", "\\u202e")}}[task]
    assert shown <= set(found.texts)


def test_the_same_model_gives_the_same_bytes_and_another_language_the_same_numbers(models):
    model = models["classes"]
    assert report(model) == report(model, threads=1)
    again = rs.TableModel.train(TABLE, "class " + EVIL, threads=1, **QUICK)
    assert report(again) == report(model)
    english, french = (report(model, lang=lang).decode() for lang in LANGUAGES)
    paths = [re.findall(r' d="[^"]*"', content) for content in (english, french)]
    assert paths[0] == paths[1]


def test_french_has_decimal_commas_and_spaces_that_do_not_break(models):
    found = Page(report(models["numbers"], lang="fr"))
    text = "".join(text for text in found.texts if "{" not in text)
    assert not re.search(r"[^\u00a0\s][:;?!](?=\s)", text.replace("::", ""))
    assert not re.search(r" [:;?!%]", text)
    assert re.search(r"R² de|\d,\d+ ± \d,\d+", text)
    assert "Prédire price" in text


def test_a_model_from_a_file_is_reported_on_with_a_table_and_not_without(models, tmp_path):
    models["numbers"].save(tmp_path / "m.reseau")
    loaded: Any = rs.load(tmp_path / "m.reseau")
    found = Page(report(loaded, data=TABLE.iloc[:30]))
    sections = [section["id"] for section in found.named("section")]
    assert sections == [name for name in SECTIONS["numbers"] if name != "curves"] + ENDS
    path = tmp_path / "page.html"
    path.write_bytes(b"as it was")
    with pytest.raises(rs.DataError, match="has no rows of its training"):
        loaded.report(path)
    with pytest.raises(rs.ParameterError, match="lang is 'de'"):
        models["numbers"].report(path, lang="de")
    assert path.read_bytes() == b"as it was"


def test_rows_of_several_files_are_called_by_file_and_line(tmp_path):
    for part in range(2):
        TABLE[["some", "price"]][80 * part : 80 * part + 80].to_csv(tmp_path / f"part-{part}.csv", index=False)
    model = rs.TableModel.train(tmp_path, "price", preset="fast", **QUICK)
    contents = Contents.of(model, model.evidence, "", [str(tmp_path)], None)
    for row in contents.hardest:
        assert row.file == f"part-{(row.row - 1) // 80}.csv"
        assert row.line == (row.row - 1) % 80 + 2
    found = Page(report(model))
    first = contents.hardest[0]
    at = found.texts.index(first.file, found.texts.index("line of the file"))
    assert found.texts[at + 1] == f", {first.line}"
    assert {"part-0.csv", "part-1.csv"} <= set(found.texts)


def test_an_estimator_is_reported_on_with_rows_that_it_has_not_seen():
    X_new, y = TABLE[["yes", "some"]], TABLE["price"]
    estimator = rs.TableRegressor(preset="fast", **QUICK).fit(X_new[:100], y[:100])
    found = Page(report(estimator, data=X_new[100:], y=y[100:]))
    assert "60 rows" in " ".join(found.texts)
    classifier = rs.TableClassifier(preset="fast", **QUICK).fit(X_new[:100], TABLE["level"][:100])
    Page(report(classifier, data=X_new[100:], y=TABLE["level"][100:]))
    with pytest.raises(rs.DataError, match="has no rows of its training"):
        report(estimator)


def test_a_page_is_made_of_three_rows_and_of_one(models):
    for rows in (3, 1):
        for model in models.values():
            Page(report(model, data=TABLE.iloc[:rows]))


@pytest.mark.parametrize(
    "options",
    [{"preset": "fast"}, {"test_size": 0.2}, {"cv": 2, "preset": "fast"}, {"test": TABLE[:40]}, {"time": "when"}],
    ids=lambda options: next(iter(options)),
)
def test_a_page_tells_which_rows_were_scored_however_they_are_chosen(options):
    model = rs.TableModel.train(TABLE, "price", ignore=["level", EVIL], **QUICK, **options)
    text = " ".join(Page(report(model)).texts)
    expected = {
        "preset": "on which the epoch was chosen",
        "test_size": "held out of the training",
        "cv": "Cross-validation",
        "test": "of another table, that were not learned from",
        "time": "the latest by",
    }[next(iter(options))]
    assert expected in text


def test_many_classes_with_long_names_and_many_columns_stay_a_page():
    classes, columns = 60, 300
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(600, columns)), columns=[f"column {i} {'x' * 400}" for i in range(columns)])
    table["y"] = [f"class {i % classes} {'long ' * 100}" for i in range(600)]
    model = rs.TableModel.train(table, "y", preset="fast", layers=(2,), epochs=1)
    content = report(model)
    assert len(content) < 600_000
    found = Page(content)
    assert any("100 number" in text for text in found.texts)  # the columns that are not told one by one
    assert any("The commonest 40 of 60." in text for text in found.texts)


def test_the_page_of_a_file_tells_its_digest_and_the_command(models, tmp_path):
    import hashlib

    path = tmp_path / "prices.csv"
    TABLE.to_csv(path, index=False)
    model = models["numbers"]
    content = page(model, Evidence.of(model, path), command="reseau train 'a & b'")
    found = Page(content)
    assert {hashlib.sha256(path.read_bytes()).hexdigest(), "reseau train 'a & b'", "prices.csv"} <= set(found.texts)
    assert str(Path(tmp_path)) not in content.decode()


def test_free_text_that_is_used_is_not_said_to_be_left_out():
    rng = np.random.default_rng(2)
    good = rng.random(N) > 0.5
    words_of = [" ".join(rng.choice(["the", "box", "came", "with", "some", "paper", "in", "it"], 6)) for _ in range(N)]
    said = [f"{text} {'lovely' if g else 'broken'} {i}" for i, (text, g) in enumerate(zip(words_of, good, strict=True))]
    table = {"review": said, "noise": [f"{i} {text}" for i, text in enumerate(words_of)], "x": X, "good": good}
    model = rs.TableModel.train(table, "good", **QUICK)
    used = {d.name for d in model.columns if d.features}
    seen = {column.name: column.used for column in Seen.of(model, model.evidence).columns}
    assert seen == {name: name in used for name in ("review", "noise", "x")}
    assert "review" in used
    text = " ".join(Page(report(model)).texts)
    assert f"{N} different texts, such as" in text
    assert ("nothing that tells the target" in text) is ("noise" not in used)


def test_rows_of_a_table_that_stays_on_disk_are_called_by_their_places_there(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_table, "LARGE", 1)
    monkeypatch.setattr(stored_table, "SAMPLED", 100)
    y = np.random.default_rng(3).normal(size=400)
    path = tmp_path / "large.parquet"
    pd.DataFrame({"x": np.arange(400.0) % 17, "y": y}).to_parquet(path, row_group_size=100)
    model = rs.TableModel.train(path, "y", preset="fast", **QUICK)
    contents = Contents.of(model, model.evidence, "", [str(path)], None)
    assert contents.rows == 400
    for row in contents.hardest:
        assert row.actual == y[row.row - 1]
    text = " ".join(Page(report(model)).texts)
    assert f"What follows is of {model.evidence.table.rows} rows, drawn from the 400 rows that stay on disk." in text


# --- what it is made of -----------------------------------------------------------------------------------------------


def test_confusions_rates_and_reliability_are_counted():
    y = np.array([0, 0, 0, 1, 1, 2])
    P = np.array([[0.8, 0.2, 0], [0.6, 0.4, 0], [0.3, 0.7, 0], [0, 1, 0], [0.9, 0.1, 0], [0, 0.4, 0.6]])
    seen = ClassesSeen.of(["a", "b", "c"], y, P)
    assert seen.matrix == ((2, 1, 0), (1, 1, 0), (0, 0, 1))
    assert [(c.is_, c.taken_for, c.rows, c.share) for c in seen.confusions] == [
        ("a", "b", 1, pytest.approx(1 / 3)),
        ("b", "a", 1, 0.5),
    ]
    assert [(r.recall, r.precision) for r in seen.rates] == [
        (pytest.approx(2 / 3), pytest.approx(2 / 3)),
        (0.5, 0.5),
        (1.0, 1.0),
    ]
    np.testing.assert_allclose(seen.losses[:2], -np.log([0.8, 0.6]))


def test_probabilities_that_are_met_lie_on_the_diagonal():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    so = rng.random(20_000) < p
    seen = reliability_of("", p, so)
    assert sum(seen.rows) == sum(seen.steps) == 20_000
    np.testing.assert_allclose(seen.said, seen.met, atol=4 * np.sqrt(0.25 / 2000))
    assert seen.error < 0.02
    assert reliability_of("", p**3, so).error > 0.1
    assert reliability_of("", np.ones(50), np.ones(50, np.bool_)).rows == (50,)


def test_intervals_hold_about_what_they_promise_of_rows_of_other_folds(models):
    model = models["numbers"]
    seen = QuantitySeen.of(model.target, model.evidence)
    assert [c.promised for c in seen.coverages] == list(COVERAGES)
    for coverage in seen.coverages:
        assert coverage.held == pytest.approx(coverage.promised, abs=4 * np.sqrt(0.25 / N))
    assert sum(seen.errors) == seen.rows == N
    assert seen.bias == pytest.approx((model.evidence.y - model.target.numbers(model.evidence.O)).mean())


def test_the_hardest_rows_have_the_largest_losses():
    table = pd.DataFrame({"x": X, "y": X})
    table.loc[77, "y"] = 50.0
    model = rs.TableModel.train(table, "y", **QUICK)
    found = Page(report(model))
    start = found.texts.index("The hardest rows", found.texts.index("The hardest rows") + 1)
    assert "78" in found.texts[start : start + 15]


def test_a_histogram_counts_all_numbers_whatever_their_size():
    for values in ([0.0, 1.0, 2.0], [1e300, 1e300], [1e-300, 2e-300], [-1e17, 1e17], [5.0], [1e16, 1e16 + 2]):
        counts, edges = histogram(np.array(values), 8)
        assert counts.sum() == len(values)
        assert len(edges) == len(counts) + 1


def test_dates_are_written_as_people_do():
    assert written_date(0.5) == "1970-01-01 12:00:00"
    assert written_date(-1.0) == "1969-12-31"


# --- words ------------------------------------------------------------------------------------------------------------


def catalogue() -> dict[str, Words]:
    found: dict[str, Words] = {}
    for name, value in vars(words).items():
        entries = value.values() if isinstance(value, dict) else [value]
        for place, entry in enumerate(entries):
            for one in entry if isinstance(entry, tuple) and not isinstance(entry, Words) else [entry]:
                if isinstance(one, Words):
                    found[f"{name} {place} {one.en[:12]}"] = one
    return found


CATALOGUE = catalogue()
EVERY = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)


def test_the_catalogue_is_found():
    assert len(CATALOGUE) > 120


def test_no_words_are_left_that_no_section_says():
    folder = Path(str(words.__file__)).parent
    said = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    assert [name for name in vars(words) if name.isupper() and not re.search(rf"\bw\.{name}\b", said)] == []


@EVERY
def test_both_languages_have_the_same_places(entry):
    of_english, of_french = (
        {field for _, field, _, _ in Formatter().parse(text) if field is not None} for text in entry
    )
    assert of_english == of_french or "" in entry
    assert (entry.en == entry.fr) is isinstance(entry, Same) or len(entry.en.split()) == 1 or "{" in entry.en


@EVERY
def test_french_is_set_as_french_is(entry):
    assert "'" not in entry.fr
    assert not re.search(r"[^\s\u00a0][:;?!](\s|$)", entry.fr)
