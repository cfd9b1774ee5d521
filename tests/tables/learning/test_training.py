"""How the members of a table's network are trained: folds, rounds, out-of-fold scores, checkpoints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import reseau as rs
from reseau.tables.columns import kinds as columns
from reseau.tables.columns.kinds import Number
from reseau.tables.learning import training
from reseau.tables.learning.settings import FOLDS, MOST_INPUTS, Settings
from reseau.tables.learning.splits import folds_of, split
from reseau.tables.reading.table import read_table

ROWS = 180
RNG = np.random.default_rng(4)
PLACES = RNG.integers(0, 35, ROWS)
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(10, 3, ROWS),
        "weight": np.where(np.arange(ROWS) % 9 == 0, np.nan, RNG.lognormal(2, 1, ROWS)),
        "place": [f"place {i}" for i in PLACES],
    }
)
TABLE["price"] = TABLE["size"] ** 2 + 30 * np.sin(PLACES) + RNG.normal(size=ROWS)
TABLE["sort"] = np.array(["small", "large", "odd"])[np.where(PLACES % 6 == 0, 2, TABLE["size"] > 10)]
TARGETS = {"price": "sort", "sort": "price"}  # and what is left out
QUICK: dict[str, Any] = {"layers": (6,), "epochs": 4, "learning_rate": 0.01}
BOTH = pytest.mark.parametrize("target", TARGETS)


def trained(target: str, table: pd.DataFrame = TABLE, **options: Any) -> rs.TableModel:
    return rs.TableModel.train(table, target, ignore=[TARGETS[target]], **{**QUICK, **options})


def saved(model: rs.TableModel, folder: Path) -> bytes:
    model.save(folder / "model.reseau")
    return (folder / "model.reseau").read_bytes()


# --- folds ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=10, max_size=200), st.integers(0, 3))
def test_folds_are_of_one_size_and_each_has_its_part_of_every_class(classes: list[int], seed: int) -> None:
    strata = np.array(classes)
    for found in (
        folds_of(len(strata), np.random.default_rng(seed), strata),
        folds_of(97, np.random.default_rng(seed)),
    ):
        sizes = np.bincount(found, minlength=FOLDS)
        assert len(sizes) == FOLDS
        assert sizes.max() - sizes.min() <= 1
    folds = folds_of(len(strata), np.random.default_rng(seed), strata)
    for k in np.unique(strata):
        of_class = np.bincount(folds[strata == k], minlength=FOLDS)
        assert of_class.max() - of_class.min() <= 1


def test_folds_are_drawn_by_the_seed() -> None:
    drawn = [folds_of(200, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    rng = np.random.default_rng(0)
    assert folds_of(200, rng).tolist() != folds_of(200, rng).tolist()


# --- members ----------------------------------------------------------------------------------------------------------


def test_a_preset_says_how_many_networks_there_are_and_whether_numbers_have_bins() -> None:
    for preset, networks in (("fast", 1), ("standard", 8), ("best", 32)):
        model = trained("price", preset=preset, epochs=1, layers=(2,))
        assert len(model.network.networks) == len(model.histories) == model.training["members"] == networks
        assert isinstance(model.network, rs.Network if networks == 1 else rs.Ensemble)
        assert {bool(d.edges) for d in model.columns if isinstance(d, Number)} == {networks > 1}
    assert trained("price", epochs=1, layers=(2,)).training["preset"] == "standard"
    with pytest.raises(rs.ParameterError, match=r"preset is 'bset', which is unknown\. Did you mean 'best'"):
        trained("price", preset="bset")


def test_many_numbers_have_fewer_bins_each() -> None:
    most = Settings().bins_for(1)
    assert most > 8
    assert [Settings().bins_for(numbers) for numbers in (0, MOST_INPUTS // most)] == [most, most]
    many = 2 * MOST_INPUTS // most
    assert MOST_INPUTS - many < Settings().bins_for(many) * many <= MOST_INPUTS  # as many as there is room for
    assert Settings().bins_for(MOST_INPUTS + 1) == 0
    assert Settings(preset="fast").bins_for(1) == 0


def test_members_are_networks_of_other_weights() -> None:
    model = trained("price", epochs=1)
    assert len({net.parameters.tobytes() for net in model.network.networks}) == 8


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_no_weight_is_a_remainder_that_the_penalty_left(activation: str) -> None:
    penguins = Path(__file__).parents[3] / "examples" / "penguins.csv"
    model = rs.TableModel.train(penguins, "species", layers=(4,), activation=activation)
    weights = [np.abs(layer.W) for member in model.network.networks for layer in member.layers]
    assert all((W[W > 0] > 1e-13 * W.max()).all() for W in weights)
    assert any((W == 0).any() for W in weights) == (activation == "relu")


@BOTH
def test_members_are_the_same_for_any_threads_and_trained_together_or_one_by_one(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = saved(trained(target, threads=1), tmp_path)
    assert saved(trained(target, threads=2), tmp_path) == together
    for at_once in (1, 200_000):  # bytes, of which each member takes a part
        monkeypatch.setattr(training, "MOST_COPIED", at_once)
        for threads in (1, 2, 3):
            assert saved(trained(target, threads=threads), tmp_path) == together


@BOTH
@pytest.mark.parametrize("preset", ["fast", "standard", "best"])
def test_scores_are_those_of_the_networks_that_have_not_learned_from_a_row(target: str, preset: str) -> None:
    table = TABLE.drop(columns="place")  # whose effects are other ones out of fold
    model = trained(target, table, preset=preset, seed=3)
    y = table[target].to_numpy()
    classes = sorted(set(y)) if target == "sort" else None
    strata = None if classes is None else np.searchsorted(classes, y)
    X = columns.encode(model.columns, columns.read_columns(model.columns, read_table(table)), ROWS)

    rng = np.random.default_rng(3)
    split(ROWS, 0.0, rng, strata)
    rounds, O = max(len(model.network.networks) // FOLDS, 1), []
    scored = np.arange(ROWS)
    for place in range(rounds):
        folds = folds_of(ROWS, rng, strata)
        members = model.network.networks[place * FOLDS : (place + 1) * FOLDS]
        if preset == "fast":
            scored = np.nonzero(folds == 0)[0]
        O.append(np.stack([members[fold](X[[row]])[0] for row, fold in zip(scored, folds[scored], strict=True)]))
    mean = np.mean(O, axis=0, dtype=np.float64)
    assert model.scores.rows == len(scored)
    if classes is None:
        predicted = mean[:, 0] * model.target.scale + model.target.mean
        assert model.scores.r2 == pytest.approx(metrics.r2_score(y[scored], predicted), rel=1e-5)
        assert model.scores.rmse == pytest.approx(metrics.root_mean_squared_error(y[scored], predicted), rel=1e-5)
    else:
        loss = metrics.log_loss(strata[scored], mean / mean.sum(axis=1, keepdims=True), labels=range(3))
        assert model.scores.log_loss == pytest.approx(loss, rel=1e-5)
        assert model.scores.accuracy == pytest.approx(metrics.accuracy_score(strata[scored], mean.argmax(axis=1)))


def test_the_best_epoch_of_a_member_is_chosen_on_its_fold() -> None:
    table = TABLE.drop(columns="place")
    model = trained("price", table, epochs=30, learning_rate=0.05)
    X = columns.encode(model.columns, columns.read_columns(model.columns, read_table(table)), ROWS)
    t = (table["price"].to_numpy() - model.target.mean) / model.target.scale
    rng = np.random.default_rng(0)
    split(ROWS, 0.0, rng)
    folds = folds_of(ROWS, rng)
    for fold, (net, history) in enumerate(zip(model.network.networks, model.histories, strict=True)):
        held = net.errors(X[folds == fold], t[folds == fold].astype(np.float32)).sum(axis=1).mean()
        assert held == pytest.approx(min(history.validation_loss), rel=1e-5)


def test_scores_out_of_fold_are_no_better_than_those_on_rows_never_seen() -> None:
    """Labels and numbers that say nothing of the target: whoever looks at a row's own target finds something."""
    rng = np.random.default_rng(0)
    places = rng.integers(0, 100, 800)
    noise = pd.DataFrame({"place": [f"p{i}" for i in places], "x": rng.normal(size=800), "y": rng.normal(size=800)})
    model = rs.TableModel.train(noise, "y", epochs=20)
    assert model.columns[0].follows_target
    assert model.scores.r2 < 0.05  # of the epochs the best is taken, of each of eight members
    noise["y"] = rng.integers(0, 2, 800)
    assert rs.TableModel.train(noise, "y", task="classification", epochs=20).scores.log_loss > np.log(2) - 0.02


def test_nothing_of_rows_that_are_held_out_goes_into_the_model(tmp_path: Path) -> None:
    _, held_out = split(ROWS, 0.25, np.random.default_rng(0))
    other = TABLE.copy()
    other.loc[held_out, ["size", "price"]] *= 7
    other.loc[held_out, "place"] = "place 0"
    models = [trained("price", table, test_size=0.25) for table in (TABLE, other)]
    assert models[0].columns == models[1].columns
    assert any(d.follows_target for d in models[0].columns)
    assert models[0].target == models[1].target
    tensors = [model.network.tensors() for model in models]
    assert all((tensors[0][name] == tensors[1][name]).all() for name in tensors[0])
    assert models[0].scores == models[0].evaluate(TABLE.iloc[held_out])
    assert models[0].scores.rows == models[0].training["held_out"] == ROWS // 4


@BOTH
def test_a_table_of_few_rows_is_scored_on_each_of_them(target: str) -> None:
    model = trained(target, TABLE.iloc[: training.FOLDS + 3], epochs=2)
    assert model.scores.rows == FOLDS + 3


# --- cut off and taken up again ---------------------------------------------------------------------------------------


class Stopped(Exception):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stopped])
@pytest.mark.parametrize(("preset", "after"), [("fast", 3), ("standard", 3), ("standard", 17), ("best", 100)])
@pytest.mark.parametrize("at_once", [1, training.MOST_COPIED])
def test_a_training_that_was_interrupted_is_taken_up_and_ends_with_the_same_bytes(
    error: type[BaseException], preset: str, after: int, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "MOST_COPIED", at_once)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)
    made, stop = 0, 0

    def interrupt(history: rs.History) -> None:
        nonlocal made
        made += 1
        if made == stop:
            raise error

    expected = trained("sort", preset=preset, threads=1, callback=interrupt)
    all_epochs, made, stop = made, 0, after
    with pytest.raises(error):
        trained("sort", preset=preset, threads=1, checkpoint=tmp_path / "kept", callback=interrupt)
    made = stop = 0
    model = trained("sort", preset=preset, threads=2, checkpoint=tmp_path / "kept", callback=interrupt)
    assert made < all_epochs  # not all was done anew
    assert saved(model, tmp_path) == saved(expected, tmp_path)
    assert [history.loss for history in model.histories] == [history.loss for history in expected.histories]


KILLED = """\
import os, sys
import reseau as rs
from reseau.tables.learning import training

training.CHECKPOINT_EVERY = 1
made = 0
def kill(history):
    global made
    made += 1
    if made == int(sys.argv[3]):
        os._exit(9)
table, out = sys.argv[1:3]
model = rs.TableModel.train(
    table, "price", layers=(6,), epochs=4, learning_rate=0.01, threads=1, checkpoint="kept", callback=kill
)
model.save(out)
"""


def test_a_training_that_was_killed_ends_with_the_same_bytes(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    expected = saved(rs.TableModel.train(tmp_path / "t.csv", "price", **QUICK), tmp_path)
    codes = []
    for epochs in ("14", "14", "0"):
        command = [sys.executable, "-c", KILLED, "t.csv", "out.reseau", epochs]
        codes.append(subprocess.run(command, cwd=tmp_path, check=False, timeout=120).returncode)
    assert codes == [9, 9, 0]
    assert (tmp_path / "out.reseau").read_bytes() == expected


def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path: Path) -> None:
    trained("price", checkpoint=tmp_path / "kept", seed=0)
    with pytest.raises(rs.ReseauError, match=str(tmp_path / "kept")):
        trained("price", checkpoint=tmp_path / "kept", seed=1)
