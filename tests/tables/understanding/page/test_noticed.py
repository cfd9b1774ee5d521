"""What is noticed in a table: each thing where it is, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import reseau as rs
from reseau.tables.reading.cells import Labels
from reseau.tables.understanding.page import words as w
from reseau.tables.understanding.page.alike import alike
from reseau.tables.understanding.page.findings import MOST_NAMED, Counted, few
from reseau.tables.understanding.page.leaks import leaks
from reseau.tables.understanding.page.noticed import notice
from reseau.tables.understanding.page.seen import Seen

N = 200
RNG = np.random.default_rng(5)
X = RNG.normal(size=N)
NOISE = RNG.normal(size=N)


@dataclass
class Named:
    """All that is asked of a description here."""

    name: str


def labels(codes: Any) -> Labels:
    codes = np.asarray(codes, np.int64)
    return Labels(codes, pa.array([f"level {i}" for i in range(codes.max() + 1)], pa.large_string()))


def found_by(values: dict[str, Any], y: Any, task: str) -> list[str]:
    columns: Any = [(Named(name), of) for name, of in values.items()]
    return [finding.parts["column"] for finding in leaks(columns, np.asarray(y), task, "y")]


# --- leaks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "y",
    [3 * X + 1, -X, np.exp(4 * X), X + 1e-3 * NOISE, np.round(X, 1)],
    ids=["linear", "falling", "exp", "near", "round"],
)
def test_a_column_that_rises_or_falls_with_a_number_is_a_leak(y):
    assert found_by({"x": X, "noise": NOISE}, y, "regression") == ["x"]


@pytest.mark.parametrize("y", [X + NOISE, X + 0.3 * NOISE, X * NOISE, NOISE], ids=["half", "good", "product", "none"])
def test_a_good_column_is_no_leak(y):
    assert found_by({"x": X}, y, "regression") == []


def test_labels_that_give_the_number_are_a_leak_and_those_met_once_tell_nothing():
    level = RNG.integers(0, 12, N)
    of_levels = RNG.normal(size=12)[level] + 1e-4 * NOISE
    assert found_by({"level": labels(level), "row": labels(np.arange(N))}, of_levels, "regression") == ["level"]


def test_a_threshold_is_a_leak_of_classes_and_so_are_labels_and_missing_cells():
    y = (X > 0.3).astype(np.int64)
    level = np.where(y == 1, RNG.integers(0, 5, N), RNG.integers(5, 9, N))
    columns = {
        "x": X,
        "level": labels(level),
        "missing": np.where(y == 1, np.nan, NOISE),
        "noise": NOISE,
        "blurred": X + 0.3 * NOISE,
    }
    assert set(found_by(columns, y, "classification")) == {"x", "level", "missing"}


def test_a_rare_class_that_no_column_tells_makes_no_leak():
    y = (np.arange(N) < 1).astype(np.int64)  # always guessing 0 is right in 99.5 %
    assert found_by({"noise": NOISE, "level": labels(RNG.integers(0, 5, N))}, y, "classification") == []


def test_a_few_rows_say_nothing_of_leaks():
    assert found_by({"x": X[:20]}, X[:20], "regression") == []


def test_of_many_leaks_some_have_a_sentence_and_the_others_are_named():
    columns: Any = [(Named(f"x{i}"), X * (i + 1)) for i in range(20)]
    findings = leaks(columns, X, "regression", "y")
    assert [finding.words for finding in findings] == [w.LEAK_OF_NUMBER] * 5 + [w.MORE_LEAKS]
    named = findings[-1].parts["columns"]
    assert len(named) == MOST_NAMED + 1
    assert named[-1] == Counted(15 - MOST_NAMED, w.OTHERS)


# --- copies -----------------------------------------------------------------------------------------------------------


def parts_of(values: dict[str, Any], y: Any, task: str) -> dict[Any, dict[str, Any]]:
    columns: Any = [(Named(name), of) for name, of in values.items()]
    return {finding.words: finding.parts for finding in alike(columns, np.asarray(y), task, "y", False)}


def test_copies_are_counted_with_what_they_are_copies_of():
    x, level, y = X.copy(), RNG.integers(0, 3, N), RNG.integers(0, 2, N)
    x[10:13], level[10:13], y[10:13] = x[0], level[0], y[0]
    x[50], level[50], y[50] = np.nan, level[51], y[51]
    x[51] = np.nan
    found = parts_of({"x": x, "level": labels(level)}, y, "classification")
    assert list(found) == [w.COPIES]
    assert found[w.COPIES]["rows"] == Counted(4 + 2, w.ROWS)


def test_the_same_inputs_with_other_classes_bound_what_can_be_right():
    level, y = np.repeat([0, 1], 50), np.zeros(100, np.int64)
    y[:10] = 1  # 10 of 50 with level 0
    found = parts_of({"level": labels(level)}, y, "classification")
    assert found[w.CONTRADICTING_CLASSES]["rows"] == Counted(50, w.ROWS)
    assert found[w.CONTRADICTING_CLASSES]["share"] == 0.9
    assert w.COPIES_NOTED in found


def test_the_same_inputs_with_other_numbers_bound_r2():
    level, y = np.repeat([0, 1], 50), np.tile([0.0, 1.0], 50)
    y[50:] += 10
    found = parts_of({"level": labels(level)}, y, "regression")
    within, total = 0.25, 0.25 + 25.0
    assert found[w.CONTRADICTING_NUMBERS]["r2"] == pytest.approx(1 - within / total)


def test_columns_that_tell_the_same_are_named_whatever_their_labels():
    level = RNG.integers(0, 3, N)
    columns: Any = {"a": labels(level), "x": X, "b": labels(2 - level), "z": X + 0.0, "n": NOISE}
    findings = alike([(Named(name), of) for name, of in columns.items()], NOISE, "regression", "y", False)  # type: ignore[misc]
    names = [finding.parts["columns"] for finding in findings if finding.words is w.SAME_COLUMNS]
    assert names == [["a", "b"], ["x", "z"]]


# --- all of it, on models ---------------------------------------------------------------------------------------------


def noticed_by(table: Any, **options: Any) -> tuple[rs.TableModel, dict[Any, dict[str, Any]]]:
    model = rs.TableModel.train(table, "y", preset="fast", layers=(2,), epochs=1, **options)
    assert model.evidence is not None
    findings, _ = notice(model, model.evidence, Seen.of(model, model.evidence))
    return model, {finding.words: finding.parts for finding in findings}


def noticed(table: Any, target: str = "y", **options: Any) -> tuple[dict[Any, dict[str, Any]], list[str]]:
    model = rs.TableModel.train(table, target, preset="fast", layers=(2,), epochs=1, **options)
    assert model.evidence is not None
    findings, notes = notice(model, model.evidence, Seen.of(model, model.evidence))
    assert [f.grave for f in findings] == sorted((f.grave for f in findings), reverse=True)
    return {finding.words: finding.parts for finding in findings}, notes


def test_nothing_is_noticed_where_there_is_nothing():
    assert noticed({"x": X, "level": RNG.choice(list("abc"), N), "y": X + NOISE}) == ({}, [])


def test_rare_classes_and_a_common_one_are_told_with_their_names():
    y = np.array(["common"] * 191 + ["rare"] * 5 + ["<other>"] * 4)
    found, _ = noticed({"x": X, "y": y})
    assert found[w.RARE]["classes"] == ["<other>", "rare"]
    assert found[w.RARE]["count"] == Counted(2, w.RARE_CLASSES)
    assert found[w.IMBALANCE]["label"] == "common"
    assert found[w.IMBALANCE]["share"] == pytest.approx(0.955)


def test_a_skewed_target_is_told_with_how_it_was_learned():
    y = np.exp(3 * X)
    model, found = noticed_by({"x": X, "y": y})
    assert found[w.SKEWED]["median"] == pytest.approx(np.median(y))
    assert found[w.SKEWED]["learned"] is {"": w.LEARNED_AS[""], "log": w.LEARNED_AS["log"]}.get(
        model.target.form, w.LEARNED_AS_MEAN
    )
    assert noticed_by({"x": X, "y": y}, loss="poisson")[1][w.SKEWED]["learned"] is w.LEARNED_AS_MEAN
    assert w.SKEWED not in noticed({"x": X, "y": X})[0]


def test_copies_that_are_kept_in_groups_are_no_warning():
    rows = np.tile(X[:100], 2)
    table = {
        "x": rows,
        "n": np.tile(NOISE[:100], 2),
        "y": rows + np.tile(NOISE[:100], 2),
        "g": np.tile(np.arange(100), 2),
    }
    assert w.COPIES in noticed(table, ignore="g")[0]
    found, _ = noticed(table, groups="g")
    assert w.COPIES not in found
    assert found[w.COPIES_NOTED]["rows"] == Counted(N, w.ROWS)


def test_copies_among_few_possible_values_are_no_warning():
    discrete = {"a": RNG.integers(0, 5, N), "b": RNG.choice(list("uvw"), N), "y": RNG.choice(list("pq"), N)}
    assert set(noticed(discrete, number=["a"])[0]) == {w.COPIES_NOTED, w.CONTRADICTING_CLASSES}


def test_a_number_that_is_met_again_and_again_is_told():
    found, _ = noticed({"x": NOISE, "y": np.where(X > 0.5, X, 0.0)})
    assert found[w.HUMP]["value"] == 0.0
    assert found[w.HUMP]["share"] == pytest.approx((X <= 0.5).mean())


def test_marks_of_missing_values_are_told_once_in_words_of_the_page():
    x = np.where(np.arange(N) % 20 == 3, -9999.0, X)
    found, notes = noticed({"x": x, "y": NOISE})
    parts = found[w.SENTINELS]
    assert (parts["marks"], parts["rows"], parts["option"].text) == (["-9999"], Counted(10, w.ROWS), "--missing -9999")
    assert notes == []


def test_rows_without_a_target_are_told_once():
    found, notes = noticed({"x": X, "y": np.where(np.arange(N) < 7, np.nan, NOISE)})
    assert found[w.TARGET_MISSING]["rows"] == Counted(7, w.ROWS)
    assert notes == []


def test_columns_missing_in_many_rows_or_where_the_target_differs_are_told():
    table = pd.DataFrame(
        {
            "seldom": np.where(RNG.random(N) < 0.8, np.nan, NOISE),
            "tells": np.where(X > 0.7, np.nan, NOISE),
            "chance": np.where(RNG.random(N) < 0.2, np.nan, NOISE),
            "x": NOISE,
        }
    )
    found, _ = noticed(table.assign(y=X))
    assert [name for name, _ in found[w.MANY_MISSING]["columns"]] == ["seldom"]
    assert found[w.MISSING_TELLS_NUMBER]["column"] == "tells"
    assert found[w.MISSING_TELLS_NUMBER]["there"] == pytest.approx(X[X > 0.7].mean())
    found, _ = noticed(table.assign(y=np.where(X + 0.5 * NOISE > 0.7, "high", "low")))
    assert found[w.MISSING_TELLS_CLASS]["column"] == "tells"


def test_only_some_names_stand_in_a_sentence():
    assert few(["a", "b"]) == ["a", "b"]
    assert few(list("abcdefghij"))[-1] == Counted(2, w.OTHERS)
