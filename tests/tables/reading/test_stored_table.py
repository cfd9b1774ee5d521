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
from reseau.errors import DataError
from reseau.stored.converted import Converted
from reseau.tables.columns import kinds as columns_module
from reseau.tables.learning import encoded_rows, training
from reseau.tables.learning.encoded_rows import EncodedRows, Encoder, Whole
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
    table = sampled(folder, seed)
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
        assert sampled(data, 0) is None
    monkeypatch.setattr(stored_table, "LARGE", 1 << 30)
    assert sampled(folder, 0) is None


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
    whole = Whole.of(encoder, X, y, np.arange(table.rows), np.arange(0))
    stored = whole.but(np.arange(0, table.rows, 2), encoder.target, np.ones(X.shape[1], np.bool_))
    blocks = [block for group in range(len(stored.groups)) for block in stored.blocks(group)]
    found = np.concatenate([block.rows(np.dtype(np.float32)) for block in blocks])
    t = np.concatenate([block.y for block in blocks])
    kept = np.setdiff1d(np.arange(ROWS), table.numbers[1::2])
    cells = TABLE["text"].to_pylist()
    cells[377] = None
    in_memory = read_table(TABLE.set_column(3, "text", pa.array(cells)))
    expected = columns_module.encode(encoder.columns, columns_module.read_columns(encoder.columns, in_memory), ROWS)
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
        assert sampled(found, 0) is not None
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


SAID_TABLE = TABLE.drop_columns(["text"])
SAID_TABLE = SAID_TABLE.append_column(
    "kind", pa.array(np.where(PRICE > 0.5, "dear", np.where(PRICE < 0, "cheap", "fair")))
)
SAID_TABLE = SAID_TABLE.append_column("shop", pa.array([f"shop {i * 7919 % 40}" for i in range(ROWS)]))
SAID_TABLE = SAID_TABLE.append_column(
    "day", pa.array(np.arange(ROWS) * 997 % 90 + 19_000, pa.int32()).cast(pa.date32())
)
SAID_TABLE = SAID_TABLE.append_column("counts", pa.array(np.where(np.arange(ROWS) % 10, np.arange(ROWS) % 7 + 0.25, 0)))
# What a label with many others says of the target is told out of fold in memory alone.
SAID: dict[str, dict[str, Any]] = {
    "weight": {"weight": "counts", "ignore": ["shop", "row", "kind"]},
    "weights": {"weight": np.arange(ROWS) % 5, "ignore": ["shop", "row", "kind", "counts"]},
    "groups": {"groups": "shop", "ignore": ["row", "kind", "counts"]},
    "groups held out": {"groups": "shop", "test_size": 0.25, "ignore": ["row", "kind", "counts"]},
    "time": {"time": "day", "ignore": ["shop", "row", "kind", "counts"]},
    "time and groups": {"time": "day", "groups": "shop", "weight": "counts", "ignore": ["row", "kind"]},
    "balanced": {"target": "kind", "class_weight": "balanced", "weight": "counts", "ignore": ["shop", "row", "price"]},
    "by class": {
        "target": "kind",
        "class_weight": {"dear": 3, "fair": 0},
        "ignore": ["shop", "row", "price", "counts"],
    },
    "parts in time": {"time": "day", "cv": 2, "ignore": ["shop", "row", "kind", "counts"]},
}


def learned_by_members(data: Any, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[rs.TableModel, Any]:
    """A model, and inputs, targets and weights of what each of its networks learned from and was validated on."""
    seen: list[Any] = []

    def fit_many(networks: Any, X: Any, y: Any, *, validation_data: Any, sample_weight: Any, **how: Any) -> Any:
        for place, given in enumerate(X):
            if isinstance(given, EncodedRows):
                assert sample_weight is None
                blocks = [block for group in range(len(given.groups)) for block in given.blocks(group)]
                s = [block.s for block in blocks if block.s is not None]
                part = np.concatenate([block.rows(np.dtype(np.float32)) for block in blocks])
                t = np.concatenate([block.y for block in blocks])
                seen.append((part, t, np.concatenate(s) if s else None, validation_data[place]))
                assert given.weight == pytest.approx(len(part) if not s else np.concatenate(s).sum())
            else:
                seen.append((given, y[place], sample_weight and sample_weight[place], validation_data[place]))
        return real(networks, X, y, validation_data=validation_data, sample_weight=sample_weight, **how)

    real = rs.fit_many
    monkeypatch.setattr(training, "fit_many", fit_many)
    options = {**OPTIONS, "epochs": 1, "target": "price", **said}
    model = rs.TableModel.train(data, **options)
    monkeypatch.setattr(training, "fit_many", real)
    return model, seen


@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_where_all_rows_are_drawn_what_is_said_of_them_is_what_it_is_in_memory(
    folder: Path, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(SAID_TABLE, folder)
    monkeypatch.setattr(stored_table, "SAMPLED", ROWS)
    stored, learned = learned_by_members(folder, said, monkeypatch)
    in_memory, expected = learned_by_members(SAID_TABLE, said, monkeypatch)
    assert len(learned) == len(expected)
    for (X, t, s, held), (X_here, t_here, s_here, held_here) in zip(learned, expected, strict=True):
        np.testing.assert_array_equal(X, X_here)
        np.testing.assert_array_equal(t, t_here)
        assert (s is None) == (s_here is None)
        if s is not None:
            np.testing.assert_allclose(s, s_here, rtol=1e-14)  # the mean is a sum in another order
        for part, part_here in zip(held, held_here, strict=True):
            np.testing.assert_allclose(part, part_here, rtol=1e-14)
    for name in (
        "rows",
        "held_out",
        "batch_size",
        "epochs",
        "validation",
        "folds",
        *said.keys() & {"weight", "groups"},
    ):
        assert stored.training.get(name) == in_memory.training.get(name), name
    assert stored.evidence is not None
    assert in_memory.evidence is not None
    assert stored.evidence.rows.tolist() == in_memory.evidence.rows.tolist()
    assert [note for note in stored.notes if "weight 0" in note] == [n for n in in_memory.notes if "weight 0" in n]


def members_rows(monkeypatch: pytest.MonkeyPatch) -> list[EncodedRows]:
    """A list that gets the rows of each member when they are made."""
    seen: list[EncodedRows] = []
    real = Whole.but

    def but(*arguments: Any) -> EncodedRows:
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(Whole, "but", but)
    return seen


def test_no_member_learns_from_a_row_whose_group_it_is_told_by(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(SAID_TABLE, folder)
    seen = members_rows(monkeypatch)
    model = rs.TableModel.train(folder, "price", groups="shop", **{**OPTIONS, "preset": "standard", "epochs": 1})
    shop = np.array(SAID_TABLE["shop"].to_pylist())
    row = np.arange(ROWS)
    assert len(seen) >= 8
    for rows in seen:
        learned = np.concatenate(
            [np.nonzero(rows._learned.of(g))[0] + begin for g, (begin, _) in enumerate(rows.encoder.spans)]
        )
        drawn = rows.encoder.table.numbers
        told_by = np.setdiff1d(drawn, learned)
        assert not set(shop[told_by]) & set(shop[learned])
        assert set(learned) == set(row[~np.isin(shop, shop[told_by])])
    assert model.training["groups"] == "shop"
    assert model.training["held_out"] == 0


def test_what_is_learned_from_is_before_all_that_is_scored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(SAID_TABLE, folder)
    seen = members_rows(monkeypatch)
    model = rs.TableModel.train(folder, "price", time="day", weight="counts", **{**OPTIONS, "epochs": 1})
    day, counts = (
        SAID_TABLE[name].cast(kind).to_numpy() for name, kind in (("day", pa.int32()), ("counts", pa.float64()))
    )
    assert model.evidence is not None
    scored = seen[0].encoder.table.numbers[model.evidence.rows]
    before = (day < day[scored].min()) & (counts > 0)
    assert 0.7 < before.sum() / (counts > 0).sum() < 0.9  # a fifth of the rows is later
    learned = np.concatenate([seen[0]._learned.of(g) for g in range(len(seen[0].encoder.spans))])
    assert not learned[~before].any()
    assert model.training["rows"] == (counts > 0).sum()
    assert model.training["held_out"] == ((day >= day[scored].min()) & (counts > 0)).sum()
    weights = seen[0].whole.weights
    assert weights is not None
    np.testing.assert_allclose(weights[before], counts[before] / counts[before].mean(), rtol=1e-12)
    assert f"{(counts == 0).sum()} rows of weight 0 left out" in model.notes


def test_what_is_said_wrongly_of_a_row_on_disk_is_refused_with_its_place(folder: Path) -> None:
    counts = np.ones(ROWS)
    counts[431] = -1
    write(SAID_TABLE.set_column(SAID_TABLE.schema.get_field_index("counts"), "counts", pa.array(counts)), folder)
    with pytest.raises(DataError, match=r"the weight in 'counts' is '?-1.*part-1.parquet, row 132\)"):
        rs.TableModel.train(folder, "price", weight="counts", **OPTIONS)
    with pytest.raises(DataError, match="weight has shape"):
        rs.TableModel.train(folder, "price", weight=counts[:-1] + 2, **OPTIONS)
    with pytest.raises(DataError, match="groups has 899 labels, but there are 900 rows"):
        rs.TableModel.train(folder, "price", groups=counts[:-1], **OPTIONS)


def test_rows_are_encoded_once_for_all_members_and_the_model_is_the_same_where_the_disk_has_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    real = stored_table.StoredTable.pieces

    def pieces(*arguments: Any) -> Any:
        nonlocal read
        read += 1
        return real(*arguments)

    monkeypatch.setattr(stored_table.StoredTable, "pieces", pieces)
    options = {**OPTIONS, "preset": "standard", "epochs": 2}
    model = rs.TableModel.train(folder, "price", **options)
    assert read == 9  # groups
    monkeypatch.setattr(Converted, "where_there_is_room", lambda *arguments: None)
    anew = rs.TableModel.train(folder, "price", **options)
    assert read > 9 * 2 * 8
    for here, there in zip(model.network.networks, anew.network.networks, strict=True):
        assert here.parameters.tobytes() == there.parameters.tobytes()
    assert anew.notes == model.notes


def test_a_file_that_is_written_anew_meanwhile_is_noticed(folder: Path) -> None:
    def spoil(history: rs.History) -> None:
        write(TABLE.slice(0, 800), folder)

    with pytest.raises(DataError, match=r"part-\d.parquet was written anew or removed since it was opened"):
        rs.TableModel.train(folder, "price", callback=spoil, **OPTIONS)


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
