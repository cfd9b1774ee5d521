"""Effects of levels: by hand, by the analysis of variance, and out of fold."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import f_oneway
from sklearn.metrics import r2_score

import reseau as rs
from reseau.tables.columns import kinds as columns
from reseau.tables.columns.category import LEAST_LEVELS, MAX_LEVELS, Category
from reseau.tables.columns.effects import effects_of
from reseau.tables.columns.kinds import from_json, to_json
from reseau.tables.learning.settings import FOLDS
from reseau.tables.learning.splits import folds_of
from reseau.tables.reading.table import Column


def read(description: Category, values: list[Any]) -> Any:
    return description.read(Column("c", pa.chunked_array([pa.array(values, pa.large_string())]), str))


def detailed(values: list[Any], T: Any) -> Category:
    """The description of a column of these labels, where the target says T of each row."""
    labels, rows = read(Category("c"), values), np.arange(len(values))
    return Category("c").fit(labels, rows).detailed(labels, rows, 32, np.asarray(T, float).reshape(len(values), -1))


def encoded(description: Category, values: list[Any]) -> Any:
    """The effects alone."""
    return columns.encode([description], [read(description, values)], len(values))[:, len(description.marked) :]


def by_analysis_of_variance(places: list[int], n: int, t: list[Fraction]) -> list[float]:
    """The best linear estimate of each level's own mean, less the mean of all, in fractions."""
    N, groups = len(t), {k: [x for p, x in zip(places, t, strict=True) if p == k] for k in sorted(set(places))}
    mean, k = sum(t) / Fraction(N), len(groups)
    own = {level: sum(group) / Fraction(len(group)) for level, group in groups.items()}
    within = sum((x - own[p]) ** 2 for p, x in zip(places, t, strict=True)) / Fraction(N - k)
    square = sum(len(group) * (own[level] - mean) ** 2 for level, group in groups.items()) / Fraction(k - 1)
    rows_of_a_level = (N - Fraction(sum(len(group) ** 2 for group in groups.values()), N)) / (k - 1)
    between = (square - within) / rows_of_a_level
    assert between > 0
    return [
        float((own[i] - mean) * len(groups[i]) / (len(groups[i]) + within / between)) if i in groups else 0.0
        for i in range(n)
    ]


def test_the_effects_of_two_levels_are_those_worked_out_by_hand():
    # Means 2 and 6 around 4; within levels the variance is (1 + 1 + 1 + 1)/2 = 2, between them (16 − 2)/2 = 7,
    # so that 2/(2 + 2/7) = 7/8 is left of −2 and 2.
    found = effects_of(np.array([0, 0, 1, 1]), 3, np.array([[1.0], [3.0], [5.0], [7.0]]))
    np.testing.assert_allclose(found, [[-1.75], [1.75], [0.0]], rtol=1e-14)


def test_levels_of_one_size_are_drawn_by_the_f_statistic_towards_the_mean():
    rng = np.random.default_rng(0)
    t = rng.normal(size=(12, 9)) + rng.normal(size=(12, 1))
    F = f_oneway(*t).statistic
    expected = (t.mean(axis=1) - t.mean()) * (1 - 1 / F)  # the closed form for levels of as many rows each
    np.testing.assert_allclose(
        effects_of(np.repeat(np.arange(12), 9), 12, t.reshape(-1, 1))[:, 0], expected, rtol=1e-12
    )


def test_levels_of_other_sizes_have_the_estimates_of_the_analysis_of_variance():
    rng = np.random.default_rng(1)
    places = rng.choice(9, 150, p=np.arange(1, 10) / 45)
    places[places == 4] = 5  # a level that has no row
    whole = rng.integers(-50, 50, 150) + 40 * places
    expected = by_analysis_of_variance(places.tolist(), 9, [Fraction(int(x), 10) for x in whole])
    np.testing.assert_allclose(effects_of(places, 9, whole[:, None] / 10)[:, 0], expected, rtol=1e-12)
    assert expected[4] == 0


def test_each_signal_has_effects_of_its_own():
    rng = np.random.default_rng(2)
    places, T = rng.integers(0, 7, 100), rng.normal(size=(100, 3)) + np.arange(3)
    alone = np.hstack([effects_of(places, 7, T[:, j : j + 1]) for j in range(3)])
    np.testing.assert_allclose(effects_of(places, 7, T), alone, rtol=1e-12)


def test_levels_that_do_not_differ_have_next_to_no_effect():
    places, t = np.tile(np.arange(10), 4), np.repeat([0.0, 1.0, 2.0, 3.0], 10)
    assert (np.abs(effects_of(places, 10, t[:, None])) < 1e-12).all()
    t[0] += 0.5  # less than there is within levels
    assert 0 < np.abs(effects_of(places, 10, t[:, None])).max() < 0.01 * 0.5


@pytest.mark.parametrize("rows", [1, 4])
def test_where_the_level_says_all_its_effect_is_its_mean_and_that_of_none_is_0(rows):
    own = np.arange(8.0) ** 2
    found = effects_of(np.repeat(np.arange(8), rows), 10, np.repeat(own, rows)[:, None])[:, 0]
    assert (found[8:] == 0).all()
    if rows > 1:
        np.testing.assert_allclose(found[:8], own - own.mean(), rtol=1e-12)


def test_a_column_that_says_all_is_learned_and_a_level_never_seen_predicted():
    labels = [f"c{i}" for i in range(40)] * 8
    answers = ["ab"[int(label[1:]) % 2] for label in labels]
    model = rs.TableModel.train({"c": labels, "y": answers}, "y", epochs=40, layers=(16,), learning_rate=0.01)
    assert model.scores.accuracy == 1.0
    predicted = model.predict({"c": ["c4", "c5", "never", None]})
    assert predicted.values.to_pylist()[:2] == ["a", "b"]
    assert np.isfinite(predicted.probabilities).all()


# --- in a column ------------------------------------------------------------------------------------------------------

MANY = [f"c{i}" for i in range(40)]


def some(n: int = 400, seed: int = 0) -> tuple[list[str], Any]:
    rng = np.random.default_rng(seed)
    places = rng.integers(0, len(MANY), n)
    return [MANY[i] for i in places], rng.normal(size=len(MANY))[places] + rng.normal(size=n)


def test_columns_of_many_levels_have_effects_and_others_none():
    few = [f"c{i}" for i in range(LEAST_LEVELS - 1)] * 3 + ["once", "twice"]
    assert not detailed(few, np.arange(len(few))).follows_target
    enough = [*few, "twice"]
    description = detailed(enough, np.arange(len(enough)))
    assert description.follows_target
    assert description.features[-1] == "c: effect"
    assert len(description.effects) == len(description.known) + 2


def test_effects_of_the_training_rows_deviate_by_1_and_are_those_of_the_level():
    labels, t = some()
    description = detailed(labels, t)
    found = encoded(description, labels)[:, 0].astype(float)
    assert (found**2).mean() == pytest.approx(1, rel=1e-5)
    effects = effects_of(np.array([description.known.index(label) for label in labels]), 40, t[:, None])[:, 0]
    of_rows = np.array([effects[description.known.index(label)] for label in labels])
    np.testing.assert_allclose(found, of_rows / np.sqrt((of_rows**2).mean()), rtol=1e-6)


def test_a_level_never_seen_has_the_effect_of_the_levels_met_once_and_without_them_none():
    labels, t = some()
    description = detailed(labels, t)
    assert encoded(description, ["never"]).tolist() == [[0.0]]
    high = [f"once {i}" for i in range(20)]  # whose rows all lie high
    description = detailed([*labels, *high], [*t, *[5.0] * 20])
    assert encoded(description, ["never"]).tolist() == encoded(description, ["once 3"]).tolist()
    assert encoded(description, ["never"])[0, 0] > 1


def test_a_missing_cell_has_the_effect_of_missing_cells():
    labels, t = some()
    with_gaps = [None if i % 10 == 0 else label for i, label in enumerate(labels)]
    t = np.where(np.arange(400) % 10 == 0, t - 9, t)
    description = detailed(with_gaps, t)
    assert encoded(description, [None, "NA"]).tolist() == [[pytest.approx(encoded(description, [None])[0, 0])]] * 2
    assert encoded(description, [None])[0, 0] < -1
    assert encoded(detailed(labels, t), [None]).tolist() == [[0.0]]


def test_levels_beyond_those_with_an_input_have_an_effect_of_their_own():
    rng = np.random.default_rng(3)
    n = MAX_LEVELS + 30
    labels = [f"c{i:03}" for i in range(n) for _ in range(3 if i < MAX_LEVELS else 2)]
    own = {f"c{i:03}": 3 * rng.normal() for i in range(n)}
    description = detailed(labels, [own[label] + 0.1 * rng.normal() for label in labels])
    assert (len(description.levels), len(description.rarer)) == (MAX_LEVELS, 30)
    assert set(description.known) == set(own)
    found = encoded(description, list(own))[:, 0]
    assert np.corrcoef(found, list(own.values()))[0, 1] > 0.99


def test_each_class_is_a_signal_of_its_own():
    labels, t = some(600)
    for answers, signals in ((["a", "b"], 1), (["a", "b", "c"], 3)):
        y = [answers[min(int(abs(value)), len(answers) - 1)] for value in t]
        model = rs.TableModel.train({"c": labels, "y": y}, "y", preset="fast", epochs=1, layers=(2,))
        effects = [name for name in model.columns[0].features if "effect" in name]
        assert effects == (["c: effect"] if signals == 1 else ["c: effect 1", "c: effect 2", "c: effect 3"])
        found = encoded(model.columns[0], labels)
        T = np.array([[answer == kind for kind in answers[-signals:]] for answer in y], float)
        np.testing.assert_allclose(found, encoded(detailed(labels, T), labels), rtol=1e-6)


# --- out of fold ------------------------------------------------------------------------------------------------------


def out_of_fold(labels: list[Any], T: Any, folds: Any, out: int = 0) -> tuple[Any, Category]:
    T = np.asarray(T, float).reshape(len(labels), -1)
    description = detailed(labels, T)
    values, rows = [read(description, labels)], np.arange(len(labels))
    X = columns.encode([description], values, len(labels))
    columns.encode_out_of_fold([description], values, X, rows, folds, out, T)
    return X, description


def test_a_training_row_has_the_effects_that_the_other_folds_tell():
    labels, t = some(1200)
    folds = folds_of(1200, np.random.default_rng(5))
    X, description = out_of_fold(labels, t, folds, 2)
    marked = len(description.marked)
    assert (X[:, :marked].argmax(axis=1) == [description.levels.index(label) for label in labels]).all()
    for fold in range(FOLDS):
        told = [row for row in range(1200) if folds[row] not in (fold, 2)]
        others = detailed([labels[row] for row in told], t[told])
        inside = [label for label, f in zip(labels, folds, strict=True) if f == fold]
        np.testing.assert_allclose(X[folds == fold, marked:], encoded(others, inside), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("signals", [1, 3])
def test_what_a_training_row_is_told_does_not_change_with_its_own_target(signals):
    labels, _ = some()
    rng = np.random.default_rng(6)
    T = rng.normal(size=(400, signals)) if signals == 1 else np.eye(3)[rng.integers(0, 3, 400)]
    folds = folds_of(400, rng)
    X, _ = out_of_fold(labels, T, folds, folds[1])
    for row in (0, 17, 399):
        assert folds[row] != folds[1]
        changed = T.copy()
        changed[row] = 1000.0 if signals == 1 else np.roll(T[row], 1)
        other, _ = out_of_fold(labels, changed, folds, folds[1])
        assert other[folds == folds[row]].tobytes() == X[folds == folds[row]].tobytes()
        assert (other[folds != folds[row]] != X[folds != folds[row]]).any()


@pytest.mark.parametrize("out", range(FOLDS))
def test_a_member_is_told_nothing_of_the_targets_of_its_fold(out):
    """Nor by what the rows that it learns from are told: with a level's other rows its own targets would be known."""
    labels, t = some()
    folds = folds_of(400, np.random.default_rng(8))
    X, _ = out_of_fold(labels, t, folds, out)
    other, _ = out_of_fold(labels, np.where(folds == out, 1e6, t), folds, out)
    assert other.tobytes() == X.tobytes()


def test_a_level_of_one_fold_alone_has_no_effect_there():
    labels, t = some()
    labels, folds = labels + ["alone"] * 5, np.append(folds_of(400, np.random.default_rng(7)), [3] * 5)
    X, description = out_of_fold(labels, np.append(t, [9.0] * 5), folds)
    assert (X[-5:, len(description.marked) :] == 0).all()
    assert encoded(description, ["alone"])[0, 0] > 1


@pytest.mark.parametrize("levels", [250, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_levels_are_learned(levels):
    rng = np.random.default_rng(levels)
    rows = 20 * levels
    places = rng.integers(0, levels, rows)
    x = rng.normal(size=rows)
    y = rng.normal(size=levels)[places] + 0.5 * x + 0.2 * rng.normal(size=rows)
    table = pa.table({"c": [f"level {i}" for i in places], "x": x, "y": y})
    first = rows * 3 // 4
    model = rs.TableModel.train(table.slice(0, first), "y", epochs=30)
    held_out = table.slice(first)
    assert r2_score(y[first:], model.predict(held_out).values.to_numpy()) > 0.85
    assert model.scores.r2 > 0.85


# --- in files ---------------------------------------------------------------------------------------------------------


def test_a_description_with_effects_survives_its_file():
    labels, t = some()
    description = detailed(labels, t)
    assert from_json(to_json(description)) == description


@pytest.mark.parametrize(
    "changed",
    [
        {"effects": [0.0] * 5},
        {"effects": [0.5] * 41},
        {"rarer": ["other"]},
        {"rarer": ["c0", "c0"]},
        {"levels": ["c0", *MANY]},
    ],
)
def test_effects_of_another_number_and_levels_that_are_there_twice_are_refused(changed):
    labels, t = some()
    with pytest.raises(rs.ReseauError, match="The levels and effects of column 'c' do not fit one another"):
        from_json({**to_json(detailed(labels, t)), **changed})
