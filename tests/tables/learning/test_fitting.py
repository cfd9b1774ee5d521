"""What a model is scored on, and by which loss it learns: cross-validation, a test table, losses, metrics."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from sklearn.metrics import mean_pinball_loss, r2_score
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app
from reseau.tables.targets.scores import over_parts, spread_lines

ROWS = 150
RNG = np.random.default_rng(11)
X = RNG.normal(size=ROWS)
TABLE = pa.table(
    {
        "x": X,
        "sort": RNG.choice(["plain", "striped"], ROWS),
        "count": RNG.poisson(np.exp(0.5 + X)),
        "amount": np.exp(X + RNG.normal(size=ROWS)),
        "kind": np.where(X + RNG.normal(size=ROWS) > 0, "large", "small"),
    }
)
QUICK: dict[str, Any] = {"preset": "fast", "epochs": 3, "layers": (8,), "threads": 1}


def test_each_part_is_scored_by_a_model_that_has_not_learned_from_it():
    # The target is noise but for its row: who has seen a row knows it by x, and nobody else does.
    table = pa.table({"x": np.arange(60.0), "y": np.random.default_rng(0).normal(size=60)})
    model = rs.TableModel.train(table, "y", cv=3, preset="fast", epochs=30, learning_rate=0.01, threads=1)
    assert [list(part) for part in model.training["cv"]] == [["R²", "RMSE", "MAE"]] * 3
    assert max(part["R²"] for part in model.training["cv"]) < 0.2
    assert model.training["held_out"] == 0


def test_a_cross_validation_leaves_the_model_what_it_is_without_and_is_in_the_file(tmp_path):
    plain = rs.TableModel.train(TABLE, "kind", **QUICK)
    model = rs.TableModel.train(TABLE, "kind", cv=4, metrics=["auc"], **QUICK)
    for tensor, other in zip(plain.network.tensors().values(), model.network.tensors().values(), strict=True):
        np.testing.assert_array_equal(tensor, other)
    assert model.training["cv"] == rs.TableModel.train(TABLE, "kind", cv=4, metrics="auc", **QUICK).training["cv"]
    model.save(tmp_path / "m.reseau")
    again = rs.load(tmp_path / "m.reseau")
    assert again.training["cv"] == model.training["cv"]
    assert again.scores == model.scores
    assert set(again.training["cv"][0]) == {"accuracy", "log loss", "auc"}


def test_a_score_that_is_not_defined_in_a_part_is_left_out_of_the_spread(tmp_path):
    table = {"x": np.arange(60.0), "y": ["no"] * 58 + ["yes"] * 2}
    model = rs.TableModel.train(table, "y", cv=3, metrics="auc", **QUICK)
    found = [part["auc"] for part in model.training["cv"]]
    assert found.count(None) == 1  # the rare class is in two of three parts
    there = [value for value in found if value is not None]
    assert over_parts(model.training["cv"])["auc"].mean == pytest.approx(np.mean(there))
    assert "defined in 2 of 3" in "\n".join(spread_lines(model.training["cv"]))
    model.save(tmp_path / "m.reseau")
    assert rs.load(tmp_path / "m.reseau").training["cv"] == model.training["cv"]
    model.report(tmp_path / "report.html", lang="fr")


def test_a_test_table_is_what_the_model_is_scored_on():
    train, test = TABLE.slice(0, 100), TABLE.slice(100)
    model = rs.TableModel.train(train, "amount", test=test, **QUICK)
    predicted = model.predict(test).values.to_numpy()
    assert model.scores.rows == 50
    assert model.scores.r2 == pytest.approx(r2_score(test["amount"].to_numpy(), predicted), abs=1e-6)
    assert model.training["rows"] == 100
    assert "R²" in model.training["out_of_fold"]
    np.testing.assert_array_equal(model.evidence.rows, np.arange(50))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (TABLE.drop_columns(["x"]), "lacks 1 column that the model was trained on: 'x'"),
        (TABLE.drop_columns(["amount"]), "amount"),
        (TABLE.set_column(0, "x", pa.array(["much"] * ROWS)), "'much'"),
        (TABLE.set_column(3, "amount", pa.nulls(ROWS)), "no row with a known value in 'amount'"),
    ],
)
def test_a_test_table_that_cannot_be_used_is_refused_before_the_training(test, message):
    def never(*_: Any) -> None:
        raise AssertionError("it was trained")

    with pytest.raises(rs.DataError, match=message):
        rs.TableModel.train(TABLE, "amount", test=test, progress=never, **QUICK)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cv": 1}, "cv is 1, but must be a whole number of at least 2"),
        ({"cv": 500}, "cv is 500, but there are 150 rows"),
        ({"cv": 3, "groups": np.arange(ROWS) % 2}, "cv is 3, but there are 2 groups"),
        ({"cv": 3, "test_size": 0.2}, "cv and test_size both say which rows"),
        ({"test": TABLE, "test_size": 0.2}, "test and test_size both say which rows"),
        ({"test": TABLE, "time": "x"}, "test and time both say which rows"),
        ({"loss": "focal"}, "column 'amount'|which is no loss of|classes"),
        ({"loss": "gaussian"}, "loss is 'gaussian', which is no loss of regression; 'amount' can be learned by"),
        ({"loss": "binary_cross_entropy"}, "which is no loss of regression"),
        ({"loss": "poison"}, "Did you mean 'poisson'"),
        ({"target": "x", "loss": "poisson"}, r"of numbers in \[0, inf\), but the target 'x' is -"),
        ({"target": "count", "loss": "gamma"}, r"of numbers in \(0, inf\), but the target 'count' is 0"),
        ({"metrics": "acuracy"}, "Did you mean 'accuracy'"),
        ({"metrics": ["auc"], "task": "regression"}, "'auc', which compares classes, but 'amount' is predicted by reg"),
        ({"metrics": [max]}, "metrics holds the function 'max', but a table model's are named: accuracy"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(given, message):
    with pytest.raises(rs.ReseauError, match=message):
        rs.TableModel.train(TABLE, **{"target": "amount", **QUICK, **given})


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "log_cosh", "poisson", "tweedie"])
def test_a_quantity_is_learned_by_the_loss_that_is_asked_for(loss, tmp_path):
    model = rs.TableModel.train(TABLE, "count", loss=loss, preset="fast", epochs=60, learning_rate=0.01, threads=1)
    assert model.scores.task == "regression"  # few whole numbers would be classes
    assert model.scores.r2 > 0.3
    model.save(tmp_path / "m.reseau")
    again = rs.load(tmp_path / "m.reseau")
    assert again.target == model.target
    np.testing.assert_array_equal(again.predict(TABLE).values, model.predict(TABLE).values)


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_the_loss_of_a_quantile_predicts_it(level):
    model = rs.TableModel.train(TABLE, "amount", loss=rs.Quantile(level), epochs=80, learning_rate=0.005, threads=1)
    amount, predicted = model.evidence.y, model.target.numbers(model.evidence.O)
    assert abs((amount <= predicted).mean() - level) < 0.1
    constant = np.full(ROWS, np.quantile(amount, level))
    assert mean_pinball_loss(amount, predicted, alpha=level) < mean_pinball_loss(amount, constant, alpha=level)


def test_the_task_follows_from_the_loss_and_the_metrics():
    assert rs.TableModel.train(TABLE, "count", metrics="mae", **QUICK).target.task == "regression"
    assert rs.TableModel.train(TABLE, "count", loss="focal", **QUICK).target.task == "classification"
    assert rs.TableModel.train(TABLE, "count", metrics="auc", **QUICK).target.task == "classification"


def test_the_command_cross_validates_tests_and_tells_metrics(tmp_path):
    path, test, out = tmp_path / "t.csv", tmp_path / "test.csv", str(tmp_path / "m.reseau")
    pyarrow.csv.write_csv(TABLE, path)
    pyarrow.csv.write_csv(TABLE.slice(0, 40), test)
    quick = ["-o", out, "--preset", "fast", "--epochs", "3", "--metric", "mape"]
    said = CliRunner().invoke(app, ["train", str(path), "-t", "amount", "--cv", "3", "--test", str(test), *quick])
    assert said.exit_code == 0, said.output
    assert "Scores on 40 rows of test.csv" in said.output
    assert "Cross-validation, 3 parts of the rows" in said.output
    assert "mape" in said.output
    said = CliRunner().invoke(
        app, ["train", str(path), "-t", "kind", "--class-weight", "large=2", "--loss", "focal", *quick[:-2], "--json"]
    )
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["network"]["loss"] == "focal"


@pytest.mark.parametrize("wrong", ["yes", "large=", "=2", "large=much", "large=nan"])
def test_a_weight_of_a_class_that_is_none_is_refused(wrong, tmp_path):
    path = tmp_path / "t.csv"
    pyarrow.csv.write_csv(TABLE, path)
    said = CliRunner().invoke(app, ["train", str(path), "-t", "kind", "--class-weight", wrong])
    assert said.exit_code == 2
    assert "--class-weight is" in said.stderr


def test_parts_are_scored_in_processes_that_pickle_what_they_are_given():
    import joblib

    rng = np.random.default_rng(5)
    table = {"a": rng.normal(size=120), "y": rng.normal(size=120)}
    here = rs.TableModel.train(table, target="y", cv=3, preset="fast", epochs=2, seed=0)
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        there = rs.TableModel.train(table, target="y", cv=3, preset="fast", epochs=2, seed=0)
    assert there.training["cv"] == here.training["cv"]
