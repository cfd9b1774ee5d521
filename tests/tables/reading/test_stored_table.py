"""Tables that stay on disk: drawn rows tell what columns are, and all others are learned from."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseau as rs
from reseau.errors import DataError, ParameterError
from reseau.tables.columns import kinds as columns_module
from reseau.tables.learning import encoded_rows
from reseau.tables.learning.encoded_rows import EncodedRows, Encoder
from reseau.tables.reading import stored_table
from reseau.tables.reading.stored_table import SampledTable, kept_on_disk, sampled
from reseau.tables.reading.table import read_table
from reseau.training import windows

ROWS = 900
rng = np.random.default_rng(0)
PLACE = rng.choice(["north", "south", "east"], ROWS)
SIZE = rng.normal(size=ROWS)
TEXT = [None if i % 50 == 0 else f"{value:.3f}" for i, value in enumerate(rng.exponential(size=ROWS))]
TEXT[377] = "unknown thing"
PRICE = SIZE * (PLACE == "north") - SIZE * (PLACE == "south") + 0.1 * rng.normal(size=ROWS)
TABLE = pa.table({"row": np.arange(ROWS), "place": PLACE, "size": SIZE, "text": TEXT, "price": PRICE})
OPTIONS: dict[str, Any] = {"preset": "fast", "epochs": 6, "batch_size": 16, "ignore": ["row"], "learning_rate": 0.01}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of which a quarter of the rows is drawn, in files that are as if they were large."""
    monkeypatch.setattr(stored_table, "LARGE", 1)
    monkeypatch.setattr(stored_table, "SAMPLED", ROWS // 4)
    monkeypatch.setattr(stored_table, "PIECE", 70)
    monkeypatch.setattr(encoded_rows, "LEAST_ROWS", 64)
    monkeypatch.setattr(encoded_rows, "MOST_ROWS", 64)
    monkeypatch.setattr(windows, "WINDOW", 6000)
    return write(TABLE, tmp_path / "table")


def write(table: pa.Table, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for part in range(3):
        pq.write_table(table.slice(300 * part, 300), folder / f"part-{part}.parquet", row_group_size=120)
    return folder


def drawn(folder: Path, seed: int = 0) -> SampledTable:
    table = sampled(folder, seed, all_rows=False)
    assert table is not None
    return table


def test_all_rows_are_drawn_where_there_are_no_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for sampled_rows in (ROWS, ROWS + 1, 10**6):
        monkeypatch.setattr(stored_table, "SAMPLED", sampled_rows)
        assert drawn(folder).numbers.tolist() == list(range(ROWS))


def test_rows_are_drawn_from_everywhere_by_the_seed_alone(folder: Path) -> None:
    first, again, other = drawn(folder, 1), drawn(folder, 1), drawn(folder, 2)
    assert abs(first.rows - ROWS // 4) < 6 * np.sqrt(ROWS * 3 / 16)  # standard errors of a binomial number
    assert first.columns["row"].cells.to_pylist() == first.numbers.tolist() == again.numbers.tolist()
    assert first.numbers.tolist() != other.numbers.tolist()
    assert np.bincount(first.numbers // 120).min() > 0


def test_small_files_and_others_than_parquet_and_arrow_are_read_as_ever(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(TABLE, tmp_path / "one.csv")
    for data in (tmp_path / "one.csv", tmp_path / "none.parquet", TABLE, "-", {"a": [1]}):
        assert sampled(data, 0, all_rows=False) is None
    monkeypatch.setattr(stored_table, "LARGE", 1 << 30)
    assert sampled(folder, 0, all_rows=False) is None


def encoder_of(table: SampledTable) -> tuple[Encoder, Any, Any]:
    from reseau.tables.learning import fitting
    from reseau.tables.learning.settings import Settings

    asked = {"category": (), "number": (), "date": (), "text": (), "missing": (), "decimal": None, "thousands": None}
    material = fitting.read(table, "price", None, fitting.OfRows(), Settings(), {**asked, "ignore": ()})
    columns = tuple(d.fit(v, material.usable) for d, v in zip(material.columns, material.values, strict=True))
    X = columns_module.encode(columns, material.values, table.rows)
    return Encoder(table, columns, material.target.fitted(material.y)), X, material.y


def test_all_rows_but_those_held_back_are_learned_from_as_they_are_encoded_in_memory(folder: Path) -> None:
    table = drawn(folder)
    assert 377 not in table.numbers
    encoder, X, y = encoder_of(table)
    learned = np.arange(0, table.rows, 2)
    stored = EncodedRows(encoder, X, y, learned, encoder.target, np.ones(X.shape[1], np.bool_))
    blocks = [block for group in range(len(stored.groups)) for block in stored.blocks(group)]
    found = np.concatenate([block.rows(np.dtype(np.float32)) for block in blocks])
    t = np.concatenate([block.y for block in blocks])
    kept = np.setdiff1d(np.arange(ROWS), table.numbers[1::2])
    cells = TABLE["text"].to_pylist()
    cells[377] = None
    whole = read_table(TABLE.set_column(3, "text", pa.array(cells)))
    expected = columns_module.encode(encoder.columns, columns_module.read_columns(encoder.columns, whole), ROWS)
    assert stored.rows == len(kept) == len(found)
    np.testing.assert_array_equal(found, expected[kept])
    np.testing.assert_allclose(t.ravel(), encoder.target.taught(PRICE[kept]).ravel(), rtol=1e-6)
    assert len(encoder.notes) == 1
    assert "text: 1 cell that cannot be read is read as missing: 'unknown thing' (" in encoder.notes[0]
    assert "part-1.parquet, row 78)" in encoder.notes[0]


def test_a_model_of_a_table_on_disk_tells_all_rows_and_is_the_same_for_any_number_of_threads(folder: Path) -> None:
    models = [rs.TableModel.train(folder, "price", threads=threads, **OPTIONS) for threads in (1, 2)]
    first, second = (model.network.networks[0].parameters.tobytes() for model in models)
    assert first == second
    model = models[0]
    assert model.training["rows"] == model.training["table_rows"] == ROWS
    assert "the table stays on disk" in model.notes[0]
    predictions = model.predict(TABLE, unreadable="missing")
    rest = 1 - np.var(predictions.values.to_numpy() - PRICE) / np.var(PRICE)
    assert rest > 0.8  # the noise leaves 0.985 to be told


def test_predictions_of_a_table_on_disk_are_those_of_the_table_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = rs.TableModel.train(TABLE, "price", **{**OPTIONS, "text": ["text"], "epochs": 1})
    found = [model.predict(folder, keep=["row", "size"], unreadable="missing")]
    with pytest.raises(DataError, match="has no column 'weight'"):
        model.predict(folder, keep=["weight"])
    monkeypatch.setattr(stored_table, "LARGE", 1 << 30)
    found.append(model.predict(folder, keep=["row", "size"], unreadable="missing"))
    here, there = found
    assert here.table.combine_chunks().equals(there.table.combine_chunks())
    assert here.scores == there.scores is not None
    assert here.notes == there.notes


@pytest.mark.parametrize("least", [1, 1 << 30])
def test_a_stream_is_kept_on_disk_where_it_is_large(
    folder: Path, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_table, "LARGE", least)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    table = TABLE.set_column(1, "place", TABLE["place"].dictionary_encode())
    batches = table.to_batches(max_chunksize=100)
    found = kept_on_disk(pa.RecordBatchReader.from_batches(table.schema, batches))
    assert len(list(temporary.iterdir())) == (least == 1)
    if least == 1:
        assert sum(piece.rows for piece in found.tables(found.columns)) == ROWS
        assert sampled(found, 0, all_rows=False) is not None
    else:
        assert found.equals(table)
    del found
    gc.collect()
    assert list(temporary.iterdir()) == []
    model = rs.TableModel.train(
        pa.RecordBatchReader.from_batches(table.schema, batches), "price", **{**OPTIONS, "epochs": 1}
    )
    again = model.predict(pa.RecordBatchReader.from_batches(table.schema, batches), unreadable="missing")
    assert again.values.equals(model.predict(TABLE, unreadable="missing").values)


def test_a_training_that_was_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut(history: rs.History) -> None:
        if history.epochs == 6:
            raise Cut

    whole = rs.TableModel.train(folder, "price", **OPTIONS)
    with pytest.raises(Cut):
        rs.TableModel.train(folder, "price", checkpoint=tmp_path / "run", callback=cut, **OPTIONS)
    resumed = rs.TableModel.train(folder, "price", checkpoint=tmp_path / "run", **OPTIONS)
    assert resumed.network.networks[0].parameters.tobytes() == whole.network.networks[0].parameters.tobytes()


def test_rows_without_a_target_are_left_out_and_said(folder: Path) -> None:
    labels = pa.array([None if i % 9 == 0 else "dear" if price > 0 else "cheap" for i, price in enumerate(PRICE)])
    write(TABLE.set_column(4, "price", labels), folder)
    model = rs.TableModel.train(folder, "price", **{**OPTIONS, "epochs": 2})
    assert model.training["rows"] == ROWS - ROWS // 9
    assert any("100 rows without a known value in 'price' left out" in note for note in model.notes)


def test_where_anything_is_said_of_rows_a_table_is_read_while_it_fits(folder: Path) -> None:
    model = rs.TableModel.train(folder, "price", weight="row", **OPTIONS)
    assert "stays on disk" not in " ".join(model.notes)
    assert model.evidence is not None
    assert model.evidence.table.rows == ROWS


def test_what_is_said_of_rows_beside_their_cells_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_table, "TOO_LARGE", 1)
    # a stream cannot be read once more, as files are
    stream = pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches())
    with pytest.raises(ParameterError, match="weight is given for the stream, which is too large for the memory"):
        rs.TableModel.train(stream, "price", weight="row", **OPTIONS)
    with pytest.raises(ParameterError, match=r"weight is given for .*table, which is too large for the memory"):
        rs.TableModel.train(folder, "price", weight="row", **OPTIONS)


def test_names_of_columns_are_those_of_a_table_in_memory(folder: Path) -> None:
    names = ["", " place ", "size.of it", "text", "price"]
    write(TABLE.rename_columns(names), folder)
    expected = list(read_table(TABLE.rename_columns(names)).columns)
    table = drawn(folder)
    assert list(table.columns) == table.whole.columns == expected
    first = next(table.whole.tables([expected[0], expected[2]]))
    assert first.columns["size.of it"].cells.to_pylist() == SIZE[: first.rows].tolist()
    model = rs.TableModel.train(folder, "price", **{**OPTIONS, "ignore": ["column 1"], "epochs": 1})
    predictions = model.predict(folder, keep=["column 1"], unreadable="missing")
    assert predictions.table["column 1"].to_pylist() == list(range(ROWS))
    write(TABLE.rename_columns(["a", "a ", "size", "text", "price"]), folder)
    with pytest.raises(DataError, match="2 columns are named 'a'; give each its own name"):
        rs.TableModel.train(folder, "price", **OPTIONS)


def test_files_with_other_columns_are_refused_by_name(folder: Path) -> None:
    pq.write_table(TABLE.drop_columns(["size"]), folder / "part-1.parquet")
    with pytest.raises(DataError, match=r"part-1.parquet has other columns than .*part-0.parquet: 'size'"):
        rs.TableModel.train(folder, "price", **OPTIONS)


def test_any_row_is_explained_beside_some_that_are_drawn(folder: Path) -> None:
    in_memory = read_table(TABLE)
    model = rs.TableModel.train(in_memory, "price", **OPTIONS)
    some = read_table(TABLE.take(pa.array(drawn(folder).numbers)))
    for row in (1, 120, 121, 300, 301, 695, 900):
        found, expected = model.explain(folder, row), model.explain(in_memory, row, background=some)
        assert (found.row, found.cells, found.columns) == (row, expected.cells, expected.columns)
        np.testing.assert_array_equal(found.contributions, expected.contributions)
        assert found.table == found.background == str(folder)
    with pytest.raises(DataError, match=f"{folder.name} has 900 rows, so there is no row 901"):
        model.explain(folder, 901)
    np.testing.assert_array_equal(model.effect(folder, "size").mean, model.effect(some, "size").mean)
    np.testing.assert_array_equal(model.importance(folder).means, model.importance(some).means)
