"""TableModel: from a table to a trained network and back to predictions."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import reseau as rs
from reseau.tables.columns.category import Category
from reseau.tables.columns.kinds import LeftOut, Number
from reseau.tables.learning.fitting import LEAST_ROWS
from reseau.tables.learning.settings import default_batch_size, default_epochs
from reseau.tables.learning.splits import split
from reseau.tables.model import TableModel
from reseau.tables.targets.quantity import Quantity
from reseau.tables.targets.scores import ClassScores, QuantityScores

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def penguins() -> pd.DataFrame:
    return pd.read_csv(PENGUINS)


@pytest.fixture(scope="module")
def species() -> TableModel:
    return TableModel.train(PENGUINS, "species", preset="fast", test_size=0.2, epochs=20)


@pytest.fixture(scope="module")
def mass() -> TableModel:
    return TableModel.train(PENGUINS, "body_mass_g", preset="fast", test_size=0.2, epochs=40)


def test_the_penguins_are_told_apart(species: TableModel) -> None:
    assert isinstance(species.scores, ClassScores)
    assert species.scores.rows == round(0.2 * 344)
    assert species.scores.accuracy >= 0.95
    assert species.scores.baseline == pytest.approx(30 / 69)  # Adelie: 152 of 344
    assert {d.name: d.kind for d in species.columns} == {
        "island": "category",
        "bill_length_mm": "number",
        "bill_depth_mm": "number",
        "flipper_length_mm": "number",
        "body_mass_g": "number",
        "sex": "category",
        "year": "number",
    }
    assert species.training["missing"]["sex"] == 11


def test_the_mass_of_a_penguin_is_predicted_in_grams(mass: TableModel) -> None:
    assert isinstance(mass.scores, QuantityScores)
    assert mass.scores.r2 > 0.7
    predicted = np.array(mass.predict(PENGUINS).values)
    known = penguins()["body_mass_g"].notna().to_numpy()
    truth = penguins()["body_mass_g"].to_numpy()
    assert metrics.r2_score(truth[known], predicted[known]) > 0.7
    assert mass.training["rows"] == 342
    assert "2 rows without a value in 'body_mass_g' left out" in mass.notes


def test_statistics_come_from_the_training_rows_alone(species: TableModel) -> None:
    rng = np.random.default_rng(0)
    codes = penguins()["species"].astype("category").cat.codes.to_numpy().astype(np.int64)
    train, _ = split(344, 0.2, rng, codes)
    lengths = penguins()["bill_length_mm"].to_numpy()[train]
    description = next(d for d in species.columns if d.name == "bill_length_mm")
    assert isinstance(description, Number)
    assert description.centre == pytest.approx(np.nanmean(lengths))
    assert description.scale == pytest.approx(np.nanstd(lengths))
    assert description.fill == np.nanmedian(lengths)


def test_what_stands_in_held_out_rows_does_not_change_the_model(species: TableModel, tmp_path: Path) -> None:
    frame = penguins()
    codes = frame["species"].astype("category").cat.codes.to_numpy().astype(np.int64)
    _, held_out = split(344, 0.2, np.random.default_rng(0), codes)
    frame.loc[held_out, "body_mass_g"] += 1000
    frame.to_csv(tmp_path / "penguins.csv", index=False, na_rep="NA")
    other = TableModel.train(tmp_path / "penguins.csv", "species", preset="fast", test_size=0.2, epochs=20)
    assert other.columns == species.columns
    np.testing.assert_array_equal(other.network.parameters, species.network.parameters)


def test_predictions_keep_the_rows_and_their_order(species: TableModel) -> None:
    frame = penguins()
    all_rows = species.predict(frame)
    assert all_rows.table.num_rows == 344
    assert all_rows.table.column_names == [
        "prediction",
        "species=Adelie",
        "species=Chinstrap",
        "species=Gentoo",
    ]
    order = np.random.default_rng(1).permutation(344)
    shuffled = species.predict(frame.iloc[order])
    assert shuffled.values.to_pylist() == np.array(all_rows.values)[order].tolist()
    assert all_rows.probabilities is not None
    np.testing.assert_allclose(all_rows.probabilities.sum(axis=1), 1, rtol=1e-5)
    most = all_rows.probabilities.argmax(axis=1)
    assert [species.target.classes[i] for i in most] == all_rows.values.to_pylist()  # type: ignore[union-attr]


def test_a_table_with_the_target_is_scored_as_scikit_learn_would(species: TableModel) -> None:
    predictions = species.predict(PENGUINS)
    accuracy = metrics.accuracy_score(penguins()["species"], predictions.values.to_pylist())
    assert predictions.scores == species.evaluate(PENGUINS)
    assert isinstance(predictions.scores, ClassScores)
    assert predictions.scores.accuracy == pytest.approx(accuracy)


def test_the_target_is_not_needed_to_predict(species: TableModel) -> None:
    predictions = species.predict(penguins().drop(columns="species"))
    assert predictions.scores is None
    assert predictions.values == species.predict(PENGUINS).values
    with pytest.raises(rs.DataError, match="no column 'species'"):
        species.evaluate(penguins().drop(columns="species"))


def test_a_target_the_model_does_not_know_is_not_scored_and_said(species: TableModel) -> None:
    frame = penguins()
    frame["species"] = "Emperor"
    predictions = species.predict(frame)
    assert predictions.scores is None
    assert any("344 rows of classes unknown" in note for note in predictions.notes)


def test_extra_columns_and_unseen_levels_are_accepted_and_said(species: TableModel) -> None:
    frame = penguins().assign(colour="black")
    frame["island"] = "Moon"
    predictions = species.predict(frame)
    assert predictions.table.num_rows == 344
    assert any("'colour'" in note for note in predictions.notes)
    assert any("'Moon'" in note and "344 rows" in note for note in predictions.notes)


def test_a_model_survives_its_file(species: TableModel, tmp_path: Path) -> None:
    species.save(tmp_path / "m.reseau")
    loaded = rs.load(tmp_path / "m.reseau")
    assert isinstance(loaded, TableModel)
    assert loaded.describe() == species.describe()
    assert loaded.predict(PENGUINS).table == species.predict(PENGUINS).table
    json.dumps(species.describe(), allow_nan=False)


def test_the_warning_of_a_training_that_diverges_names_the_line_of_the_caller() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["x", "y"])
    with (
        pytest.warns(RuntimeWarning, match="training has diverged") as told,
        pytest.raises(rs.ReseauError, match=r"diverged with the learning rate 1e\+30"),
    ):
        TableModel.train(table, "y", preset="fast", learning_rate=1e30, epochs=3)
    assert [w.filename for w in told] == [__file__]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    contents = []
    for seed, threads in ((0, 1), (0, 2), (1, 1)):
        model = TableModel.train(PENGUINS, "species", epochs=3, seed=seed, threads=threads)
        model.save(tmp_path / "m.reseau")
        contents.append((tmp_path / "m.reseau").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize(("values", "kind"), [([3, 7], "int64"), ([True, False], "bool"), (["b", "a"], "large_string")])
def test_classes_come_back_with_their_type(values: list[Any], kind: str) -> None:
    x = np.linspace(0, 1, 40)
    table = pa.table({"x": x, "y": [values[int(v > 0.5)] for v in x]})
    predicted = TableModel.train(table, "y", preset="fast", epochs=60, learning_rate=0.05).predict(table).values
    assert str(predicted.type) == kind
    assert (np.array(predicted.to_pylist()) == np.array(table["y"].to_pylist())).mean() > 0.9


def test_ignored_identifier_and_constant_columns_do_not_matter(species: TableModel) -> None:
    frame = penguins()
    frame.insert(0, "penguin_id", np.random.default_rng(0).permutation(9999)[:344])
    frame["planet"] = "Earth"
    frame["noise"] = np.random.default_rng(0).normal(size=344)
    model = TableModel.train(frame, "species", ignore=["noise"], preset="fast", test_size=0.2, epochs=20)
    out = {d.name: d.taken_for for d in model.columns if isinstance(d, LeftOut)}
    assert out == {"penguin_id": "identifier", "planet": "constant", "noise": "ignored"}
    np.testing.assert_array_equal(model.network.parameters, species.network.parameters)
    model.predict(PENGUINS)  # without the columns that were left out


def test_the_weights_kept_are_those_of_the_best_epoch_of_each_member() -> None:
    model = TableModel.train(PENGUINS, "species", epochs=30, learning_rate=0.05)
    best = [int(np.argmin(history.validation_loss)) + 1 for history in model.histories]
    assert model.training["best_epochs"] == [history.best_epoch for history in model.histories] == best
    assert len(best) == 8
    assert min(best) < 30
    shorter = TableModel.train(PENGUINS, "species", epochs=max(best), learning_rate=0.05)
    for net, other in zip(model.network.networks, shorter.network.networks, strict=True):
        assert net.parameters.tobytes() == other.parameters.tobytes()


def test_without_held_out_rows_all_are_learned_from_and_scored() -> None:
    model = TableModel.train(PENGUINS, "species", epochs=20)
    assert isinstance(model.scores, ClassScores)
    assert (model.training["held_out"], model.scores.rows) == (0, 344)
    assert model.scores.accuracy >= 0.95
    assert model.training["class_counts"] == [152, 68, 124]  # as the penguins were counted
    lengths = penguins()["bill_length_mm"].to_numpy()
    description = next(d for d in model.columns if d.name == "bill_length_mm")
    assert isinstance(description, Number)
    assert description.centre == pytest.approx(np.nanmean(lengths))


def test_one_network_is_scored_on_the_rows_on_which_its_epoch_was_chosen() -> None:
    model = TableModel.train(PENGUINS, "species", preset="fast", epochs=1)
    assert model.scores is not None
    assert model.scores.rows == model.training["validation"] == 344 // 8


def test_no_hidden_layer_is_a_linear_model() -> None:
    model = TableModel.train(PENGUINS, "species", preset="fast", epochs=30, layers=(), learning_rate=0.02)
    assert len(model.network.layers) == 1
    assert model.scores is not None
    assert model.scores.accuracy > 0.9  # type: ignore[union-attr]


def test_the_callback_sees_the_history_of_each_epoch_and_stops_by_returning_true() -> None:
    seen = []

    def stop(history: rs.History) -> bool:
        seen.append((history.epochs, history.planned, len(history.validation_loss)))
        return history.epochs == 2

    model = TableModel.train(PENGUINS, "species", epochs=5, callback=stop)
    assert sorted(seen) == [(1, 5, 1)] * (8 + 3) + [(2, 5, 2)] * (8 + 3)  # three were tried on a part of the inputs
    assert [history.epochs for history in model.histories] == [2] * 8
    seen.clear()
    TableModel.train(PENGUINS, "species", preset="fast", epochs=5, callback=stop)
    assert seen == [(1, 5, 1), (2, 5, 2)]


@pytest.mark.parametrize(("preset", "members"), [("fast", 1), ("standard", 8 + 3), ("best", 32 + 3)])
def test_progress_counts_the_epochs_of_all_members(preset: str, members: int) -> None:
    seen: list[tuple[int, int]] = []
    TableModel.train(
        PENGUINS,
        "species",
        preset=preset,
        layers=(2,),
        epochs=2,
        progress=lambda epoch, of, *_: seen.append((epoch, of)),
    )
    assert seen == [(epoch, 2 * members) for epoch in range(1, 2 * members + 1)]


@pytest.mark.parametrize(("preset", "members"), [("fast", 3), ("standard", 8 + 3 + 3)])
def test_progress_counts_what_is_tried_too(preset: str, members: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 200))
    seen: list[tuple[int, int]] = []
    TableModel.train(
        {"x": x[0], "y": np.exp(2 * x[0] + x[1])},  # skewed: two other forms are tried by three members at most
        "y",
        preset=preset,
        layers=(2,),
        epochs=2,
        progress=lambda epoch, of, *_: seen.append((epoch, of)),
    )
    assert seen == [(epoch, 2 * members) for epoch in range(1, 2 * members + 1)]


def test_a_few_odd_texts_count_as_missing_then_and_later() -> None:
    frame = penguins().astype({"body_mass_g": object}).dropna()
    frame.loc[frame.index[:3], "body_mass_g"] = "not weighed"
    frame["body_mass_g"] = frame["body_mass_g"].astype(str)
    model = TableModel.train(frame, "species", preset="fast", epochs=2)
    assert any("'not weighed'" in note and "3 cells" in note for note in model.notes)
    model.predict(frame)
    frame.loc[frame.index[5], "body_mass_g"] = "heavy"
    with pytest.raises(rs.DataError, match=r"column 'body_mass_g': 'heavy' \(the table, row 6\)"):
        model.predict(frame)


def test_an_infinite_cell_is_refused_at_predict(species: TableModel) -> None:
    frame = penguins()
    frame.loc[2, "body_mass_g"] = np.inf
    with pytest.raises(rs.DataError, match=r"row 3.*infinite"):
        species.predict(frame)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"layers": (64, 0)}, "layers is 0"),
        ({"activation": "rel"}, "relu"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"test_size": 1.0}, "test_size"),
        ({"test_size": 0.001}, "holds out none of 344 rows"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"task": "guess"}, "task"),
        ({"ignore": ["specie"]}, "did you mean 'species'"),
        ({"ignore": ["species"]}, "cannot be ignored"),
    ],
)
def test_a_bad_setting_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(rs.ReseauError, match=says):
        TableModel.train(PENGUINS, "species", **settings)


def test_too_few_rows_are_refused() -> None:
    rows = LEAST_ROWS - 1
    table = pa.table({"x": list(range(rows)), "y": ["a", "b", *["a"] * (rows - 2)]})
    with pytest.raises(rs.DataError, match=f"9 rows.*at least {LEAST_ROWS}"):
        TableModel.train(table, "y")


def test_a_table_with_nothing_to_learn_from_is_refused() -> None:
    table = pa.table({"c": ["k"] * 20, "y": ["a", "b"] * 10})
    with pytest.raises(rs.DataError, match="no column to learn 'y' from: 'c' always 'k'"):
        TableModel.train(table, "y")


def test_a_class_with_a_single_row_stays_in_the_training_rows() -> None:
    strata = np.array([0] * 50 + [1] * 49 + [2])
    for seed in range(10):
        rest, drawn = split(100, 0.5, np.random.default_rng(seed), strata)
        assert 99 in rest
        assert len(drawn) == 50


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=200),
    st.floats(0, 0.9),
    st.integers(0, 3),
)
def test_a_split_takes_each_row_once_and_each_class_in_proportion(classes: list[int], share: float, seed: int) -> None:
    strata = np.array(classes)
    rest, drawn = split(len(strata), share, np.random.default_rng(seed), strata)
    assert sorted([*rest, *drawn]) == list(range(len(strata)))
    for k in np.unique(strata):
        count = int((strata == k).sum())
        taken = int((strata[drawn] == k).sum())
        assert count * share - 1 <= taken <= count * share + 1
        assert taken < count


def test_batches_grow_with_the_table_and_steps_stay_within_bounds() -> None:
    assert [default_batch_size(rows) for rows in (10, 500, 5_000, 10**6)] == [16, 16, 128, 512]
    assert default_epochs(300, 16) == 200
    assert default_epochs(10**6, 512) == 40
    assert default_epochs(10**7, 512) * 10**7 / 512 < 120_000  # steps
    assert default_epochs(10**9, 512) == 4


def test_a_category_without_a_level_in_the_training_rows_is_still_encoded() -> None:
    table = pa.table({"x": np.arange(40) % 7, "c": [None] * 39 + ["a"], "y": ["a", "b"] * 20})
    model = TableModel.train(table, "y", preset="fast", epochs=1)
    assert isinstance(model.columns[1], Category)
    assert model.predict(table).table.num_rows == 40


def test_a_category_of_intervals_has_them_as_pandas_writes_them() -> None:
    x = np.linspace(0, 1, 40)
    frame = pd.DataFrame({"x": x, "c": pd.cut(x, 4), "y": x > 0.5})
    (described,) = [d for d in TableModel.train(frame, "y", preset="fast", epochs=1).columns if d.name == "c"]
    assert isinstance(described, Category)
    assert described.levels == tuple(str(interval) for interval in frame["c"].cat.categories)


def test_one_column_to_ignore_may_be_given_alone() -> None:
    frame = pd.DataFrame({"x": np.arange(40) % 7, "z": np.arange(40) % 5, "xz": np.arange(40) % 3, "y": [0, 1] * 20})
    model = TableModel.train(frame, "y", ignore="xz", preset="fast", epochs=1)
    assert [d.name for d in model.columns if isinstance(d, LeftOut)] == ["xz"]


@pytest.mark.parametrize("layers", [64, "64", None])
def test_layers_that_are_no_tuple_are_refused(layers: object) -> None:
    with pytest.raises(rs.ParameterError, match="must be a tuple of whole numbers"):
        TableModel.train(pd.DataFrame({"x": [1.0], "y": [2.0]}), "y", layers=layers)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"epoch": 3}, "the setting is 'epoch', which is unknown. Did you mean 'epochs'"),
        ({"hidden": (3,)}, "the setting is 'hidden', which is unknown. Known: preset, layers, activation, epochs"),
        ({"callback": 3}, "callback is 3, but must be a function of the History"),
        ({"progress": "bar"}, "progress is 'bar', but must be a function"),
        ({"progress": True}, "progress is True, but must be a function"),
        ({"ignore": 3}, "no column '3'"),
        ({"ignore": [True]}, r"ignore is \[True\], but must be a list of the names"),
        ({"missing": [None]}, r"missing is \[None\], but must be a list of the marks"),
        ({"category": "x", "number": ["x"]}, "the column 'x' is asked to be category and number"),
        ({"date": "x=year"}, "the order of dates is 'year', which is unknown. .*year-month-day"),
        ({"decimal": "point"}, "decimal is 'point', but must be '.' or ','"),
        ({"ignore": b"x"}, "ignore is b'x', but must be a list of the names"),
        ({"ignore": np.array(1.0)}, "ignore is .*, but must be a list of the names"),
        ({"ignore": ["x", "z"]}, "no column 'z'"),
        ({"checkpoint": 3}, "path is 3, but must be the path"),
        ({"target": ["y"]}, r"no column \['y'\]"),
        ({"target": np.zeros(3)}, "no column array"),
        ({"threads": "2"}, "threads is '2'"),
    ],
)
def test_parameters_that_are_none_are_refused_with_the_way_out(parameters: dict[str, Any], words: str) -> None:
    frame = pd.DataFrame({"x": np.arange(40) % 7, "y": [0, 1] * 20})
    with pytest.raises(rs.ReseauError, match=words):
        TableModel.train(frame, **{"target": "y", "epochs": 1, **parameters})


def test_columns_to_ignore_may_be_any_collection_of_names() -> None:
    frame = pd.DataFrame({"x": np.arange(40) % 7, "z": np.arange(40) % 5, "y": [0, 1] * 20})
    for ignore in (("z",), ["z"], {"z"}, {"z": 1}, np.array(["z"]), pd.Index(["z"]), (name for name in "z")):
        model = TableModel.train(frame, "y", ignore=ignore, preset="fast", epochs=1)
        assert [d.name for d in model.columns if isinstance(d, LeftOut)] == ["z"]


def test_the_target_of_a_blackboard_is_a_cell(mass: TableModel) -> None:
    boards = [str(mass.blackboard(PENGUINS, target=target)[0]) for target in ("4000", 4000, 4000.0)]
    assert boards[0] == boards[1] == boards[2]
    for target in (["4000"], True, np.zeros(2)):
        with pytest.raises(rs.ParameterError, match=r"target is .*, but must be text or a number"):
            mass.blackboard(PENGUINS, target=target)  # type: ignore[arg-type]
    with pytest.raises(rs.ParameterError, match="lang is"):
        mass.blackboard(PENGUINS, lang=np.zeros(2))  # type: ignore[arg-type]


# --- what was decided holds at prediction -----------------------------------------------------------------------------


def sales(rows: int = 120) -> dict[str, list[str]]:
    """A table as a French spreadsheet writes it."""
    rng = np.random.default_rng(0)
    price = rng.uniform(1, 5000, rows).round(2)
    day = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(d)) for d in rng.integers(0, 300, rows)]
    return {
        "prix": [f"{p:,.2f}".translate(str.maketrans(",.", "\u202f,")) + " €" for p in price],
        "code": [["01000", "75001", "2A004"][i % 3] for i in range(rows)],
        "neuf": [["oui", "non"][i % 2] for i in range(rows)],
        "vendu": [d.strftime("%d/%m/%y") for d in day],
        "marge": [f"{p / 60 + 5 * (i % 2):.1f} %".replace(".", ",") for i, p in enumerate(price)],
    }


def written(columns: Mapping[str, Sequence[str]], separator: str = ";") -> io.StringIO:
    lines = [separator.join(columns), *(separator.join(row) for row in zip(*columns.values(), strict=True))]
    return io.StringIO("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def margins() -> TableModel:
    return TableModel.train(written(sales()), "marge", preset="fast", epochs=5)


def test_a_table_as_a_spreadsheet_writes_it_is_read_and_told(margins: TableModel) -> None:
    assert {d.name: d.kind for d in margins.columns} == {
        "prix": "number",
        "code": "category",
        "neuf": "boolean",
        "vendu": "date",
    }
    assert isinstance(margins.target, Quantity)
    assert margins.target.unit == "%"
    told = "; ".join(margins.notes)
    for words in (
        "separated by semicolons",
        "decimal commas are read as such in 'prix'",
        "code: '01000' and others are taken for codes",
        "vendu: two-digit years",
        "'marge' is predicted as a number in %",
    ):
        assert words in told


def test_a_file_and_a_frame_of_its_texts_give_the_same_model(margins: TableModel, tmp_path: Path) -> None:
    pd.DataFrame(sales()).to_parquet(tmp_path / "sales.parquet")
    for data in (sales(), pd.DataFrame(sales()), tmp_path / "sales.parquet", written(sales(), "\t")):
        other = TableModel.train(data, "marge", preset="fast", epochs=5)
        assert other.columns == margins.columns
        assert other.network.parameters.tobytes() == margins.network.parameters.tobytes()


def test_rows_are_read_as_the_model_learnt_to_whatever_they_come_in(margins: TableModel) -> None:
    row = {name: cells[7] for name, cells in sales().items() if name != "marge"}
    price = float(row["prix"].replace("\u202f", "").replace(",", ".").rstrip(" €"))
    day = datetime.datetime.strptime(row["vendu"], "%d/%m/%y").date()
    typed = {"prix": price, "code": row["code"], "neuf": row["neuf"] == "oui", "vendu": day}
    expected = margins.predict(sales()).values[7].as_py()
    for data in (
        row,
        [row],
        {name: [cell] for name, cell in row.items()},
        typed,
        pd.DataFrame([typed]),
        pl.LazyFrame([row]),
        pa.Table.from_pylist([typed]),
        written({name: [cell] for name, cell in row.items()}, "\t"),
        written({name: [cell] for name, cell in row.items()}, ";"),
    ):
        assert margins.predict(data).values.to_pylist() == pytest.approx([expected], rel=1e-6)


def test_what_was_learnt_of_commas_holds_whatever_their_share() -> None:
    columns = {"x": [f"{i % 7},5" for i in range(60)], "n": [str(i % 5) for i in range(60)], "y": ["a", "b"] * 30}
    model = TableModel.train(written(columns), "y", preset="fast", epochs=1)
    few = {"x": ["1", "2", "3", "4,25"], "n": ["1", "2", "2,5", "3"]}
    typed = {"x": [1, 2, 3, 4.25], "n": [1, 2, 2.5, 3]}
    np.testing.assert_array_equal(model.predict(written(few)).probabilities, model.predict(typed).probabilities)
    with pytest.raises(rs.DataError, match=r"column 'x': '4.25' .*line 3\) is not a number.* with decimal commas"):
        model.predict(written({"x": ["1", "4.25"], "n": ["1", "2"]}))


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize(
    ("trained", "cell", "either"),
    [
        ("{}.7", "1,184", "1184 or 1.184"),
        ("{}.125", "-2,406 ", "-2406 or -2.406"),
        ("{},7", "1.184", "1.184 or 1184"),
        ("{},7 %", "15.680 %", "15.68 or 15680"),
        ("{}", "1,184", "1184 or 1.184"),
    ],
)
def test_what_may_be_a_thousand_times_as_much_is_refused(trained: str, cell: str, either: str, separator: str) -> None:
    columns = {"x": [trained.format(i) for i in range(60)], "y": ["a", "b"] * 30}
    model = TableModel.train(written(columns, ";"), "y", preset="fast", epochs=1)
    with pytest.raises(rs.DataError, match=rf"column 'x': '{cell.strip()}' \(the text, line 2\) may be {either}"):
        model.predict(written({"x": [cell], "z": ["0"]}, separator))


@pytest.mark.parametrize(
    ("trained", "cells", "values"),
    [
        ("{}.7", ["1,184", "2.5"], [1184, 2.5]),  # what stands beside proves the mark
        ("{},7", ["1.184", "1.184.000"], [1184, 1184000]),
        ("{}", ["1,184", "2.5"], [1184, 2.5]),
        ("1,{}84", ["1,184"], [1184]),  # groups as at training
        ("1.{}84,5", ["1.184"], [1184]),
        ("{}", ["1184"], [1184]),
    ],
)
def test_groups_are_read_where_they_can_be_nothing_else(trained: str, cells: list[str], values: list[float]) -> None:
    columns = {"x": [trained.format(i % 10) for i in range(60)], "y": ["a", "b"] * 30}
    model = TableModel.train(written(columns, "\t"), "y", preset="fast", epochs=1)
    of_text, typed = model.predict(written({"x": cells, "z": cells}, "\t")), model.predict({"x": values})
    np.testing.assert_array_equal(of_text.probabilities, typed.probabilities)


@pytest.mark.parametrize("x", [[i / 60 for i in range(60)], [f"0.{i}1" for i in range(10, 70)]])
def test_a_share_is_refused_where_no_number_had_a_unit(x: list[Any]) -> None:
    model = TableModel.train({"x": x, "y": ["a", "b"] * 30}, "y", preset="fast", epochs=1)
    with pytest.raises(rs.DataError, match=r"column 'x': '5 %' \(the table, row 1\) is a share"):
        model.predict({"x": "5 %"})
    np.testing.assert_array_equal(model.predict({"x": "$5"}).probabilities, model.predict({"x": 5.0}).probabilities)


def test_a_model_of_typed_numbers_reads_the_decimals_of_computers() -> None:
    model = TableModel.train({"x": [i / 8 for i in range(60)], "y": ["a", "b"] * 30}, "y", preset="fast", epochs=1)
    typed = model.predict({"x": [1.184]}).probabilities
    np.testing.assert_array_equal(model.predict(written({"x": ["1.184"]})).probabilities, typed)
    with pytest.raises(rs.DataError, match=r"'1\.184' .* may be 1\.184 or 1184"):
        model.predict(written({"x": ["1.184"], "z": ["0"]}, ";"))


def test_a_target_that_may_be_a_thousand_times_as_much_is_not_scored() -> None:
    columns = {"x": [str(i) for i in range(60)], "y": [f"{i},5" for i in range(60)]}
    predicted = TableModel.train(written(columns), "y", preset="fast", epochs=1).predict(
        written({"x": ["1"], "y": ["1.184"]})
    )
    assert predicted.scores is None
    assert any("'1.184' (the text, line 2) may be 1.184 or 1184" in note for note in predicted.notes)


def test_marks_that_the_user_names_are_missing_at_prediction_too() -> None:
    x = [-9999.0 if i % 10 == 0 else i / 7 for i in range(60)]
    model = TableModel.train({"x": x, "y": ["a", "b"] * 30}, "y", missing=[-9999], preset="fast", epochs=1)
    predicted = model.predict({"x": [-9999, None, "-9999", "NA"]}).probabilities
    assert predicted is not None
    assert (predicted == predicted[0]).all()


@pytest.mark.parametrize("target", [12.5, np.float32(12.5), "12,5", "12,50 %"])
def test_the_target_of_a_blackboard_is_a_number_or_written_as_in_its_column(target: Any) -> None:
    columns = {"x": [str(i) for i in range(60)], "y": [f"{i},5 %" for i in range(60)]}
    model = TableModel.train(written(columns), "y", preset="fast", epochs=1)
    board, _ = model.blackboard({"x": 1}, target=target)
    assert str(board) == str(model.blackboard({"x": 1, "y": 12.5})[0])
    with pytest.raises(rs.DataError, match=r"'12\.5' \(the target given\) is not a number with a decimal comma"):
        model.blackboard({"x": 1}, target="12.5")


@pytest.mark.parametrize("written_as", ["-9999", "-9 999,00 €", "-9999,0", "−9.999 €"])
def test_a_number_that_marks_a_missing_value_does_so_however_it_is_written(written_as: str) -> None:
    prices = [written_as if i % 10 == 0 else f"{i},50 €" for i in range(60)]
    margins = [written_as if i % 20 == 1 else f"{i},25 €" for i in range(60)]
    model = TableModel.train(written({"x": prices, "y": margins}), "y", missing=[-9999], preset="fast", epochs=1)
    assert not any("stands apart" in note for note in model.notes)
    assert model.training["missing"] == {"x": 6, "y": 3}
    of_text = model.predict(written({"x": [written_as, "NA", "-9999"], "z": ["0"] * 3})).values.to_numpy()
    typed = model.predict({"x": [-9999.0, None, float("nan")]}).values.to_numpy()
    np.testing.assert_array_equal(of_text, typed)
    assert (typed == typed[0]).all()


@pytest.mark.parametrize("mark", [-1.5, "-1.5", "-1,5"])
def test_a_decimal_that_marks_a_missing_value_may_have_a_point(mark: Any) -> None:
    x = ["-1,50" if i % 10 == 0 else f"{i},5" for i in range(60)]
    y = ["-1,50" if i % 20 == 1 else f"{i},25" for i in range(60)]
    model = TableModel.train(written({"x": x, "y": y}), "y", missing=[mark], preset="fast", epochs=1)
    assert model.training["missing"] == {"x": 6, "y": 3}
    predicted = model.predict({"x": [-1.5, None]}).values.to_numpy()
    assert predicted[0] == predicted[1]


def test_an_odd_text_is_no_sentinel_of_another_notation() -> None:
    prices = ["$5" if i == 3 else "12.5" if i == 5 else f"{i},50 €" for i in range(100)]
    model = TableModel.train(written({"x": prices, "y": ["a", "b"] * 50}), "y", preset="fast", epochs=1)
    assert model.predict({"x": [5.0, 12.5]}).notes == ()


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("neuf", "peut-être", "neither true nor false (oui or non)"),
        ("neuf", "yes", "neither true nor false (oui or non)"),
        ("prix", "5.75", "is not a number, and this column held numbers with decimal commas"),
        ("prix", "5 $", "is not a number"),
        ("vendu", "12/31/24", "is not a date (day-month-year)"),
    ],
)
def test_the_bad_cell_is_named_and_not_a_good_one(margins: TableModel, column: str, cell: str, says: str) -> None:
    columns = {name: cells[:10] for name, cells in sales(10).items()}
    columns[column][4] = cell
    with pytest.raises(rs.DataError) as caught:
        margins.predict(written(columns))
    for words in (f"column {column!r}: {cell!r} (the text, line 6)", says, "correct it, or leave the cell empty"):
        assert words in str(caught.value)


def test_values_missing_only_at_prediction_are_said(margins: TableModel) -> None:
    columns = {name: [*cells[:3], ""] for name, cells in sales(10).items()}
    told = "; ".join(margins.predict(columns).notes)
    for name in ("prix", "neuf", "vendu", "code"):
        assert f"{name}: missing in 1 row, and never at training" in told


def test_how_a_text_is_read_is_kept_with_the_model(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7}!{'ab'[i % 2]}\n" for i in range(40))
    model = TableModel.train(io.StringIO(rows), "column 2", sep="!", header="none", preset="fast", epochs=1)
    model.save(tmp_path / "m.reseau")
    loaded = rs.load(tmp_path / "m.reseau")
    assert isinstance(loaded, TableModel)
    assert loaded.reading == {"sep": "!", "header": "none"}
    predicted = loaded.predict(io.StringIO("3!a\n4!b\n"))
    assert predicted.table.num_rows == 2
    assert predicted.scores is not None


@pytest.mark.parametrize("spoilt", ["one 1e6", "2 % of -9999", "log-normal"])
def test_outliers_in_a_column_do_not_spoil_what_is_learnt(spoilt: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] + 0.2 * rng.normal(size=3000)
    if spoilt == "one 1e6":
        x[17, 0] = 1e6
    elif spoilt == "log-normal":
        x[:, 1] = np.exp(2 * x[:, 1])
    else:
        x[rng.choice(3000, 60, replace=False), 0] = -9999
    model = TableModel.train(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}, "y", preset="fast", test_size=0.2, epochs=40
    )
    assert isinstance(model.scores, QuantityScores)
    assert model.scores.r2 > 0.85


def test_a_table_s_training_tells_callbacks_and_loggers_too(tmp_path):
    path = tmp_path / "log.csv"
    table = {"a": list(range(150)), "b": [value % 7 for value in range(150)]}
    model = rs.TableModel.train(table, "a", preset="fast", epochs=2, layers=(2,), callback=[rs.CSVLogger(path)])
    assert path.read_text("utf-8").splitlines()[0] == "epoch,loss,validation_loss,learning_rate"
    assert len(path.read_text("utf-8").splitlines()) == 1 + model.histories[0].epochs


def changed(model: TableModel, table: pd.DataFrame, name: str, answer: str) -> Any:
    """How the answers follow a column of numbers, by differences."""
    h = 1e-2 * float(table[name].std())
    ahead, behind = (model.predict(table.assign(**{name: table[name] + shift})) for shift in (h, -h))
    if answer == "probabilities":
        return (ahead.probabilities - behind.probabilities).astype(float) / (2 * h)  # type: ignore[operator]
    return (ahead.values.to_numpy() - behind.values.to_numpy())[:, None] / (2 * h)


def test_the_jacobian_is_in_the_units_of_the_table(species: TableModel, mass: TableModel) -> None:
    table = penguins().dropna()
    for model, answer in ((species, "probabilities"), (mass, "values")):
        J = model.jacobian(table)
        assert list(J) == [d.name for d in model.columns if d.kind == "number"]
        for name, slopes in J.items():
            numerical = changed(model, table, name, answer)
            assert slopes.shape == numerical.shape
            smooth = np.abs(slopes - numerical) < 0.05 * np.abs(numerical).max()
            assert smooth.mean() > 0.8  # between two of ReLU's kinks
    assert np.median(mass.jacobian(table)["flipper_length_mm"]) > 5  # grams a millimetre


def test_the_jacobian_is_nan_where_a_number_is_missing_and_0_far_out() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=60), "c": ["a", "b"] * 30})
    table["y"] = 2 * table["x"]
    model = TableModel.train(table, "y", preset="fast", epochs=5)
    J = model.jacobian({"x": [0.1, None, 1e9], "c": ["a", "a", "b"]})
    assert list(J) == ["x"]
    assert np.isfinite(J["x"][0, 0])
    assert J["x"][0, 0] != 0
    assert np.isnan(J["x"][1, 0])
    assert J["x"][2, 0] == 0


@pytest.mark.parametrize(
    ("written", "thousands", "expected"),
    [
        ("1,184", ",", 1184.0),
        ("1,184", "comma", 1184.0),
        ("1,184", ".", 1.184),
        ("1,184", " ", 1.184),
        ("1.184", ".", 1184.0),
        ("1.184", ",", 1.184),
        ("1.184", "'", 1.184),
        ("1 184", " ", 1184.0),
        ("1'184", "'", 1184.0),
        ("1.184.000,5", ",", 1184000.5),  # can be one thing only
    ],
)
def test_what_groups_digits_may_be_said(written: str, thousands: str, expected: float) -> None:
    table = {"x": [written, "950", "20"] * 10, "y": ["a", "b", "c"] * 10}
    model = TableModel.train(table, "y", thousands=thousands, epochs=1, test_size=0)
    number = model.columns[0]
    assert isinstance(number, Number)
    assert number.fill == pytest.approx(np.median([expected, 950, 20]))
    assert number.centre == pytest.approx(np.mean([expected, 950, 20]))


def test_groups_that_were_said_are_read_at_prediction_though_none_was_met(tmp_path: Path) -> None:
    table = {"x": [str(100 + 7 * i) for i in range(40)], "y": [str(i % 7) for i in range(40)]}
    TableModel.train(table, "y", task="regression", thousands=",", epochs=2).save(tmp_path / "m.reseau")
    model = rs.load(tmp_path / "m.reseau")
    assert isinstance(model, TableModel)
    assert model.predict({"x": ["1,184"]}).values == model.predict({"x": ["1184"]}).values
    with pytest.raises(rs.DataError, match=r"may be 1184 or 1\.184"):
        TableModel.train(table, "y", task="regression", epochs=2).predict({"x": ["1,184"]})


FAR_DAYS = ["1066-10-14", "9999-12-31", "0001-01-01", "1677-09-20", "2262-04-12", "1789-07-14"]


def test_dates_beyond_what_nanoseconds_reach_are_read_from_text_and_types_alike() -> None:
    n = 10 * len(FAR_DAYS)
    texts = {"day": FAR_DAYS * 10, "y": [float(i % 7) for i in range(n)]}
    days = [datetime.date.fromisoformat(day) for day in texts["day"]]
    seconds = np.array(texts["day"], "datetime64[s]")
    model = TableModel.train(texts, "y", task="regression", epochs=2)
    assert [d.kind for d in model.columns] == ["date"]
    for cells in (days, seconds, pd.Series(seconds), pl.Series(days), pa.array(days)):
        again = TableModel.train(texts | {"day": cells}, "y", task="regression", epochs=2)
        assert again.columns == model.columns
        assert again.predict({"day": FAR_DAYS}).values == model.predict({"day": FAR_DAYS}).values
