"""What is said of rows: weights, classes' weights, groups and times, given as columns, options and arrays."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
import scipy.sparse
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app

RNG = np.random.default_rng(7)
ROWS = 120
TABLE = pa.table(
    {
        "x": RNG.normal(size=ROWS),
        "sort": ["a", "b", "c"] * (ROWS // 3),
        "w": RNG.choice([0.0, 0.5, 2.0], ROWS),
        "g": [f"patient {i}" for i in RNG.integers(0, 20, ROWS)],
    }
).append_column("y", pa.array(RNG.normal(size=ROWS)))
QUICK: dict[str, Any] = {"preset": "fast", "epochs": 3, "layers": (8,), "threads": 1}


def outputs(model: rs.TableModel, table: pa.Table = TABLE) -> bytes:
    return model.predict(table).values.to_numpy().tobytes()


def test_scores_with_groups_are_of_groups_that_were_not_learned_from():
    # Rows of a group are alike but for x, so that who has seen the group knows y; nothing else tells it.
    rng = np.random.default_rng(3)
    of = np.repeat(np.arange(30), 8)
    y = rng.normal(size=30)[of]
    table = pa.table({"level": rng.permutation(30)[of] + 0.01 * rng.normal(size=240), "g": of, "y": y})
    how: dict[str, Any] = {"epochs": 200, "learning_rate": 0.02, "threads": 1, "preset": "fast", "layers": (64,)}
    leaking = rs.TableModel.train(table, "y", ignore=["g"], **how)
    honest = rs.TableModel.train(table, "y", groups="g", **how)
    assert leaking.scores.r2 > honest.scores.r2 + 0.3
    assert honest.training["groups"] == "g"
    assert [d.name for d in honest.columns if not d.features] == ["g"]


@pytest.mark.parametrize("groups", [2, 3])
def test_few_groups_tell_of_a_category_of_many_levels_too(groups):
    rng = np.random.default_rng(8)
    level = rng.integers(0, 40, 600)
    y = rng.normal(size=40)[level] + 0.1 * rng.normal(size=600)
    table = pa.table({"level": [f"level {i}" for i in level], "y": y})
    model = rs.TableModel.train(table, "y", groups=np.arange(600) % groups, epochs=40, threads=1)
    assert model.columns[0].follows_target
    assert model.scores.r2 > 0.9


def test_a_share_that_is_held_out_is_of_whole_groups():
    groups = np.repeat(np.arange(20), 6)
    model = rs.TableModel.train(TABLE, "y", groups=groups, ignore=["g"], test_size=0.22, **QUICK)
    assert model.training["held_out"] in (24, 30)  # 26.4 rows are asked for
    assert model.scores.rows == model.training["held_out"]
    few = rs.TableModel.train(TABLE, "y", groups=np.repeat([0, 1, 2], 40), epochs=2, layers=(8,), threads=1)
    assert len(few.network.networks) == 8
    assert few.training["folds"] == 3
    assert few.scores.rows == ROWS


def test_a_column_and_an_array_of_weights_and_groups_give_the_same_network():
    named = rs.TableModel.train(TABLE, "y", weight="w", groups="g", **QUICK)
    bare = TABLE.drop_columns(["w", "g"])
    given = rs.TableModel.train(bare, "y", weight=TABLE["w"].to_numpy(), groups=TABLE["g"].to_pylist(), **QUICK)
    assert outputs(named) == outputs(given)
    assert outputs(given) != outputs(rs.TableModel.train(bare, "y", groups=TABLE["g"].to_pylist(), **QUICK))
    assert outputs(given) != outputs(rs.TableModel.train(bare, "y", weight=TABLE["w"].to_numpy(), **QUICK))


def test_weights_count_by_their_proportions():
    bare, w = TABLE.drop_columns(["w", "g"]), TABLE["w"].to_numpy()
    once = rs.TableModel.train(bare, "y", weight=w, **QUICK)
    assert outputs(once) == outputs(rs.TableModel.train(bare, "y", weight=8 * w, **QUICK))
    plain = rs.TableModel.train(bare, "y", **QUICK)
    assert outputs(plain) == outputs(rs.TableModel.train(bare, "y", weight=np.full(ROWS, 0.3), **QUICK))


def test_a_row_of_weight_0_might_as_well_not_be_there():
    bare, there = TABLE.drop_columns(["w", "g"]), TABLE["x"].to_numpy() < 0.8
    weighed = rs.TableModel.train(bare, "y", weight=there.astype(float), **QUICK)
    without = rs.TableModel.train(bare.filter(pa.array(there)), "y", **QUICK)
    assert outputs(weighed) == outputs(without)
    assert f"{(~there).sum()} rows of weight 0 left out" in weighed.notes
    assert weighed.training["missing"] == {}


def test_heavy_rows_are_learned_more_than_light_ones():
    # Two parts of the rows contradict each other; those that weigh more are believed.
    x = np.tile(np.linspace(-1, 1, 60), 2)
    up = np.arange(120) < 60
    table = pa.table({"x": x, "y": np.where(up, x, -x)})
    how: dict[str, Any] = {"epochs": 60, "learning_rate": 0.02, "threads": 1, "preset": "fast"}
    for heavy, sign in ((up, 1), (~up, -1)):
        model = rs.TableModel.train(table, "y", weight=np.where(heavy, 20.0, 1.0), **how)
        low, high = model.predict(pa.table({"x": [-0.9, 0.9]})).values.to_pylist()
        assert sign * (high - low) > 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight": "sort"}, r"column 'sort': 'a' \(the table, row 1\) is not a number, and a weight is one"),
        ({"weight": "y"}, "weight is 'y', which is the target"),
        ({"groups": "y"}, "groups is 'y', which is the target"),
        ({"weight": "v"}, "no column 'v'"),
        ({"weight": "x"}, r"the weight in 'x' is -.* \(the table, row \d+\); a weight cannot be negative"),
        ({"weight": np.ones(3)}, r"weight has shape \(3,\), but must be \(120,\)"),
        ({"weight": np.zeros(ROWS)}, "weight holds only zeros"),
        ({"groups": [1, 2, 3]}, "groups has 3 labels, but there are 120 rows"),
        ({"groups": ["one"] * ROWS}, "of one group; at least two are needed"),
        ({"groups": [None, *range(1, ROWS)]}, r"the group in 'groups' is missing \(the table, row 1\)"),
        ({"groups": 3}, "groups is 3, but must be the name of a column"),
        ({"weight": "w", "category": ["w"]}, "'w' is asked to be left out and category"),
        ({"weight": np.eye(1, ROWS)[0]}, "1 row with a value in 'y' and a weight above 0; at least 10"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_by_its_place(given, message):
    with pytest.raises(rs.ReseauError, match=message):
        rs.TableModel.train(TABLE, "y", **QUICK, **given)


def test_the_command_takes_columns_of_weights_and_groups_whose_numbers_have_decimal_commas_too(tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "m.reseau"
    pyarrow.csv.write_csv(TABLE, path)
    options = ["--preset", "fast", "--epochs", "3", "--layers", "8", "--threads", "1", "--weight", "w", "--groups", "g"]
    run = CliRunner().invoke(app, ["train", str(path), "--target", "y", "-o", str(model), *options, "--json"])
    assert run.exit_code == 0, run.output
    facts = json.loads(run.stdout)["training"]
    assert (facts["weight"], facts["groups"]) == ("w", "g")
    expected = rs.TableModel.train(path, "y", weight="w", groups="g", **QUICK)
    assert outputs(rs.load(model)) == outputs(expected)
    told = CliRunner().invoke(app, ["show", str(model)]).stdout
    assert "weighed by w, in groups by g" in told
    text = "x;w;y\n" + "".join(f"{i};{i % 3 + 1},5;{i * i}\n" for i in range(40))
    comma = tmp_path / "comma.csv"
    comma.write_text(text, "utf-8")
    plain = {"x": list(range(40)), "w": [i % 3 + 1.5 for i in range(40)], "y": [i * i for i in range(40)]}
    rows = pa.table({"x": [1, 2]})
    found = outputs(rs.TableModel.train(comma, "y", weight="w", **QUICK), rows)
    assert found == outputs(rs.TableModel.train(plain, "y", weight="w", **QUICK), rows)


DAYS = np.datetime64("2021-03-01") + np.arange(ROWS)[::-1]  # the first row is the latest
DATED = TABLE.append_column("day", pa.array(np.char.add("d ", DAYS.astype(str)).tolist())).append_column(
    "written", pa.array([f"{day.day}.{day.month}.{day.year}" for day in DAYS.tolist()])
)


@pytest.mark.parametrize(
    "time",
    [
        "written",
        DAYS,
        np.arange(ROWS)[::-1],
        pa.array(DAYS),
        [str(day) for day in DAYS],
    ],
    ids=["a column of German dates", "dates", "numbers", "arrow", "text"],
)
def test_the_rows_held_out_are_the_latest(time):
    model = rs.TableModel.train(DATED, "y", time=time, ignore=["day"], **QUICK)
    np.testing.assert_array_equal(model.evidence.rows, np.arange(ROWS // 5))
    assert model.training["held_out"] == ROWS // 5
    assert model.training.get("time") == (time if isinstance(time, str) else None)


def test_a_time_stays_an_input_unless_it_is_ignored():
    with_it = rs.TableModel.train(DATED, "y", time="written", **QUICK)
    without = rs.TableModel.train(DATED, "y", time="written", ignore="written", **QUICK)
    assert "written" in [d.name for d in with_it.columns if d.features]
    assert "written" not in [d.name for d in without.columns if d.features]


def test_balanced_classes_count_alike_whatever_their_rows():
    rng = np.random.default_rng(4)
    x = rng.normal(size=400)
    rare = np.where(x + rng.normal(size=400) > 2.2, "yes", "no")
    table = pa.table({"x": x, "y": rare})
    plain = rs.TableModel.train(table, "y", epochs=60, metrics="recall", threads=1)
    balanced = rs.TableModel.train(table, "y", epochs=60, metrics="recall", class_weight="balanced", threads=1)
    counts = np.unique(rare, return_counts=True)[1]
    by_hand = rs.TableModel.train(
        table, "y", epochs=60, threads=1, class_weight={"no": 1.0, "yes": counts[0] / counts[1]}, metrics="recall"
    )
    assert balanced.scores.metrics["recall"][0] > plain.scores.metrics["recall"][0] + 0.3
    np.testing.assert_allclose(balanced.evidence.O, by_hand.evidence.O, atol=1e-3)
    classifier = rs.TableClassifier(epochs=60, class_weight="balanced", random_state=0, threads=1).fit(
        table.select(["x"]), rare
    )
    np.testing.assert_array_equal(classifier.predict_proba(table.select(["x"])), balanced.predict(table).probabilities)


def test_a_class_that_is_a_number_is_given_as_such():
    table = {"x": np.arange(60.0), "y": [0.5, 1.0, 2.5] * 20}
    how: dict[str, Any] = {"task": "classification", **QUICK}
    by_number = rs.TableModel.train(table, "y", class_weight={1.0: 3, 2.5: 2}, **how)
    by_text = rs.TableModel.train(table, "y", class_weight={"1": 3, "2.5": 2}, **how)
    np.testing.assert_array_equal(by_number.evidence.O, by_text.evidence.O)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"time": "sort"}, "the time 'sort' is taken for category, such as 'a'; give a column of numbers or dates"),
        ({"time": "nosuch"}, "nosuch"),
        ({"time": [1, 2]}, "time has 2 .* but there are 120 rows"),
        ({"time": np.ones(ROWS)}, "the time 'time' is taken for constant"),
        ({"time": [None, *range(ROWS - 1)]}, r"the time in 'time' is missing"),
        ({"time": "y"}, "time is 'y', which is the target"),
        ({"class_weight": "balanced"}, "class_weight is 'balanced', but 'y' is a number, which has no classes"),
        ({"target": "sort", "class_weight": {"d": 2}}, "the class is 'd', which is unknown. Known: a, b, c"),
        ({"target": "sort", "class_weight": {"a": -1}}, "class_weight of 'a' is -1"),
        ({"target": "sort", "class_weight": {"a": 0, "b": 0, "c": 0}}, "so that no row counts"),
        ({"target": "sort", "class_weight": [1, 2, 3]}, "must be 'balanced', or a weight for each class"),
    ],
)
def test_times_and_weights_of_classes_that_cannot_be_used_are_refused(given, message):
    with pytest.raises(rs.ReseauError, match=message):
        rs.TableModel.train(TABLE, **{"target": "y", **QUICK, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.array("abc"), r"groups is array\('abc', .*but must be the name of a column, or a list of a value"),
        (np.array(3), r"groups is array\(3\), but must be the name of a column"),
        (pd.DataFrame({"a": range(40), "b": range(40)}), "column 'groups' is a frame of 2 columns; give one of them"),
        (scipy.sparse.csr_array(np.ones((40, 1))), "must be the name of a column, or a list of a value for each row"),
    ],
)
def test_what_is_no_column_of_values_is_refused(given, words):
    with pytest.raises(rs.ReseauError, match=words):
        rs.TableModel.train({"x": range(40), "y": range(40)}, "y", groups=given)
