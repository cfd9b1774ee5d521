"""Columns of free text: what they tell, out of fold, in files and in other languages."""

from __future__ import annotations

import ctypes
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from compiling import compilers, pointer, self_test, shared_library
from sklearn.linear_model import Ridge

import reseau as rs
from reseau.errors import DataError, ReseauError
from reseau.tables.columns import ngrams
from reseau.tables.columns.kinds import encode, read_columns
from reseau.tables.columns.left_out import LeftOut
from reseau.tables.columns.text import Text, Texts
from reseau.tables.reading.table import Column, read_table

WORDS = {"Été": 1.0, "MAISON": -2.0, "vélo": 0.5, "grand": 2.0, "Straße": -1.0, "кот": 0.0, "東京都": 1.5, "x": 0.3}
CLASSES = {"phone": ["smartphone", "mobile phone", "5G handset"], "shoe": ["leather boots", "sneaker", "trail shoes"]}


def rows_of_words(n: int, seed: int = 0) -> tuple[list[str | None], np.ndarray]:
    rng = np.random.default_rng(seed)
    chosen = [list(rng.choice(list(WORDS), 3)) for _ in range(n)]
    texts = [None if i % 11 == 0 else f"{' '.join(words)}, n° {i}" for i, words in enumerate(chosen)]
    return texts, np.array([0.0 if i % 11 == 0 else sum(map(WORDS.get, words)) for i, words in enumerate(chosen)])


def titles(n: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(1)
    kinds = rng.choice(list(CLASSES), n)
    brands = ["Nova", "Kelvo", "Brisk", "Zen"]
    return [f"{rng.choice(brands)} {rng.choice(CLASSES[kind])} {rng.integers(10**6)}" for kind in kinds], list(kinds)


def noise(n: int, seed: int = 2) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return [" ".join("".join(rng.choice(letters, 5)) for _ in range(3)) for _ in range(n)], rng.normal(size=n)


def texts_of(cells: list[str | None]) -> Texts:
    column = Column("t", pa.chunked_array([pa.array(cells, pa.large_string())]), str)
    return Text("t").read(column)


def column_of(model: rs.TableModel) -> Any:
    return next(d for d in model.columns if d.name == "t")


@pytest.fixture(scope="module")
def model() -> rs.TableModel:
    cells, y = rows_of_words(120)
    return rs.TableModel.train({"t": cells, "y": y}, "y", preset="fast", epochs=30)


def test_titles_that_name_the_product_tell_its_class() -> None:
    cells, kinds = titles(120)
    model = rs.TableModel.train({"t": cells, "z": range(1, 241, 2), "kind": kinds}, "kind", preset="fast", epochs=20)
    assert model.scores.accuracy >= 0.95
    assert column_of(model).features == ["t: effect"]


def test_what_texts_tell_is_used_and_said(model: rs.TableModel) -> None:
    description = column_of(model)
    assert description.features == ["t: effect", "t is missing"]
    assert model.scores.r2 > 0.7
    assert (description.taken_for, description.kind) == ("free text", "text")
    assert description.told == f"pieces of its words explain {description.explained:.0%} of the target out of fold"


def test_texts_that_tell_nothing_are_left_out_and_it_is_said() -> None:
    cells, y = noise(150)
    model = rs.TableModel.train({"t": cells, "z": y + 1, "y": y}, "y", preset="fast", epochs=1)
    assert column_of(model) == LeftOut("t", "free text", "nothing in its words goes with the target in 150 rows")


def test_texts_of_noise_seldom_seem_to_tell_something() -> None:
    rows = np.arange(80)
    for seed in range(10):
        cells, y = noise(80, seed)
        assert isinstance(Text("t").fit(texts_of(cells), rows).detailed(texts_of(cells), rows, 0, y[:, None]), LeftOut)


def test_texts_of_noise_that_are_asked_for_are_used_and_learn_no_target() -> None:
    cells, y = noise(150)
    model = rs.TableModel.train({"t": cells, "y": y}, "y", text="t", epochs=40)
    assert column_of(model).features == ["t: effect"]
    assert model.scores.r2 < 0.05


def test_texts_that_are_all_there_is_are_used() -> None:
    cells, y = noise(60)
    assert column_of(rs.TableModel.train({"t": cells, "y": y}, "y", preset="fast", epochs=1)).kept


def test_nothing_to_learn_from_is_refused_with_the_reasons() -> None:
    cells, y = noise(60)
    with pytest.raises(DataError, match=r"no column to learn 'y' from: 't' nothing in its words .*; 'u' nothing in"):
        rs.TableModel.train({"t": cells, "u": cells[::-1], "y": y}, "y")


def test_effects_are_those_of_ridge_regression() -> None:
    cells, y = rows_of_words(90)
    values, rows, T = texts_of(cells), np.arange(10, 90), np.stack([y[10:], y[10:] ** 2], axis=1)
    fitted = Text("t").fit(values, rows).detailed(values, rows, 0, T)
    assert isinstance(fitted, Text)
    x = values.pieces.toarray()[values.codes]
    ridge = Ridge(fitted.penalty, fit_intercept=False).fit(x[rows], T - T.mean(axis=0))
    expected = x @ ridge.coef_.T / fitted.spread
    X = np.empty((90, 3), np.float32)
    fitted.encode(values, X)
    np.testing.assert_allclose(X[:, :2], expected, atol=2e-5 * abs(expected).max())
    np.testing.assert_array_equal(X[:, 2], [cell is None for cell in cells])
    folds, out = np.arange(80) % 4, 3
    fitted.encode_out_of_fold(values, X, rows, folds, out, T)
    for fold in range(4):
        learned, inside = (folds != fold) & (folds != out), folds == fold
        ridge.fit(x[rows][learned], T[learned] - T[learned].mean(axis=0))
        told = x[rows][inside] @ ridge.coef_.T / fitted.spread
        np.testing.assert_allclose(X[rows[inside], :2], told, atol=1e-6 * abs(expected).max())
    X[rows[folds == 3], :2] = np.nan
    changed = np.where((folds == 3)[:, None], -T, T)  # the targets of the fold that is out
    before = X.copy()
    fitted.encode_out_of_fold(values, X, rows, folds, out, changed)
    np.testing.assert_array_equal(X[rows[folds != 3]], before[rows[folds != 3]])


def test_a_text_has_length_1_and_counts_by_their_logarithm() -> None:
    values = texts_of(["bib", "bib bib", None, "?!"])
    x = values.pieces.toarray()
    np.testing.assert_allclose(np.linalg.norm(x, axis=1)[values.codes], [1, 1, 0, 0])
    counts = ngrams.counted(values.texts).toarray()
    once, twice = counts[values.codes[0]], counts[values.codes[1]]
    np.testing.assert_array_equal(twice, 2 * once)
    np.testing.assert_allclose(x[values.codes[1]], np.sign(once) * abs(x[values.codes[0]]))


def test_the_same_bytes_come_of_any_number_of_threads(tmp_path: Path) -> None:
    cells, y = rows_of_words(60)
    for threads in (1, 2):
        model = rs.TableModel.train({"t": cells, "y": y}, "y", epochs=2, threads=threads)
        model.save(tmp_path / f"{threads}.reseau")
    assert (tmp_path / "1.reseau").read_bytes() == (tmp_path / "2.reseau").read_bytes()


def test_a_file_holds_it_and_weights_of_other_slots_are_refused(model: rs.TableModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m.reseau")
    assert rs.load(tmp_path / "m.reseau").columns == model.columns
    with pytest.raises(ReseauError, match="weights of column 't' are not 2048 for each"):
        Text("t", weights=(1.0,), spread=(1.0,)).check()


ASKED: dict[str, Any] = {"t": ["grand vélo", None, "", "MAISON x", "NA", "words never met"]}


def test_frames_of_all_kinds_and_single_rows_are_predicted_alike(model: rs.TableModel) -> None:
    expected = model.predict(ASKED).values.to_pylist()
    for frame in (pd.DataFrame(ASKED), pl.DataFrame(ASKED), pa.table(ASKED)):
        assert model.predict(frame).values.to_pylist() == expected
    assert [model.predict({"t": cell}).values[0].as_py() for cell in ASKED["t"]] == expected
    assert expected[1] == expected[2] == expected[4]
    assert len({*expected}) == 4


def test_missing_texts_are_told_where_none_was_missing_at_training() -> None:
    cells, y = rows_of_words(60)
    model = rs.TableModel.train({"t": [c or "x" for c in cells], "y": y}, "y", text="t", preset="fast", epochs=1)
    notes = model.predict({"t": [None, "x"]}).notes
    assert "t: missing in 1 row, and never at training; taken for one that says nothing" in notes


def test_it_has_no_derivatives(model: rs.TableModel) -> None:
    assert model.jacobian(ASKED) == {}


def test_texts_are_explained_and_reported_on(model: rs.TableModel, tmp_path: Path) -> None:
    cells, y = rows_of_words(120)
    table = {"t": cells, "y": y}
    effect = model.effect(table, "t", points=5)
    assert (effect.kind, len(effect.grid)) == ("text", 5)
    assert set(effect.grid) <= set(cells)
    told = model.predict({"t": effect.grid.tolist()}).values.to_numpy()
    np.testing.assert_allclose(effect.mean[:, 0], told, atol=1e-6)
    assert effect.mean[0] < effect.mean[-1]
    assert model.importance(table).means[0] > 0
    assert "t" in str(model.explain(table, 2))
    model.report(tmp_path / "report.html", data=table)
    assert "free text" in (tmp_path / "report.html").read_text()
    rs.EffectDisplay.from_effect(effect)


def inputs(model: rs.TableModel, data: Any) -> np.ndarray:
    table = read_table(data)
    return encode(model.columns, read_columns(model.columns, table), table.rows)


HARD = [
    *("Été à la MAISON…", "été a la maison", "e\u0301te\u0301", "NA", "", "Straße STRASSE", "東京都の天気", "😀 x²"),
    *("a", "ab", "abc", "abcd " * 50, "Tiếng Việt", "İI ıi", "-", "?", "_", "grand-grand/GRAND", "\u200bx\ufeffy"),
    *(None, "हिन्दी में", "x" * 500),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c_reads_texts_as_python_does(model: rs.TableModel, dtype: str, tmp_path: Path) -> None:
    model.to_c(tmp_path / "t.c", name="it", dtype=dtype)
    library = shared_library("cc", [tmp_path / "t.c"], tmp_path)
    X = inputs(model, {"t": HARD})
    for cell, x in zip(HARD, X, strict=True):
        row, found = ctypes.c_char_p(None if cell is None else cell.encode()), np.full(len(x), np.nan, dtype)
        assert library.it_encode(ctypes.byref(row), pointer(found)) == 0
        np.testing.assert_allclose(found, x, rtol=1.2e-7, atol=1e-7, err_msg=repr(cell))


@pytest.mark.parametrize("compiler", compilers())
def test_the_c_file_tests_itself(compiler: str, model: rs.TableModel, tmp_path: Path) -> None:
    model.to_c(tmp_path / "t.c")
    assert "t: passed" in self_test(compiler, tmp_path / "t.c").stdout


def test_c_reads_bytes_that_are_no_utf_8_without_going_beyond(model: rs.TableModel, tmp_path: Path) -> None:
    model.to_c(tmp_path / "t.c", name="it")
    library = shared_library("cc", [tmp_path / "t.c"], tmp_path)
    for wrong in (b"\xff", b"abc\xe2", b"\x80\x80\xf0\x9f", b"\xc3"):
        found = np.full(2, np.nan, np.float32)
        assert library.it_encode(ctypes.byref(ctypes.c_char_p(wrong)), pointer(found)) == 0
        assert np.isfinite(found).all()


def test_the_script_reads_texts_as_python_does(model: rs.TableModel, tmp_path: Path) -> None:
    rs.to_python(model, tmp_path / "t.py")
    script = runpy.run_path(str(tmp_path / "t.py"))
    X = inputs(model, {"t": HARD})
    np.testing.assert_allclose(script["encode"]([{"t": cell} for cell in HARD]), X, rtol=1.2e-7, atol=1e-7)


def test_onnx_is_refused_with_the_way_out(model: rs.TableModel, tmp_path: Path) -> None:
    with pytest.raises(ReseauError, match=r"column 't' is free text.*no operator of ONNX.*--ignore"):
        model.to_onnx(tmp_path / "t.onnx")
    assert not list(tmp_path.iterdir())


def test_the_blackboard_names_what_a_text_becomes(model: rs.TableModel) -> None:
    board, _ = model.blackboard({"t": ["grand vélo"], "y": [1.0]})
    assert "t: effect" in str(board)
