"""Pipelines as model files: what comes back is the same pipeline, byte for byte in what it predicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app
from reseau.files import model_file

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)) * [1.0, 1e-3, 50.0] + [1e5, 0.0, -3.0]
LABELS = np.array(["b", "a", "c"])[np.arange(60) % 3]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0}
STEPS: dict[str, list[Any]] = {
    "standard": [StandardScaler()],
    "parts": [
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        StandardScaler(with_mean=False, with_std=False),
    ],
    "others": [MinMaxScaler((-1, 3), clip=True), MaxAbsScaler(), RobustScaler(quantile_range=(10.0, 80.0))],
    "nothing": ["passthrough", None, FunctionTransformer(), FunctionTransformer(validate=True)],
    "nested": [Pipeline([("a", StandardScaler()), ("b", Pipeline([("c", "passthrough"), ("d", RobustScaler())]))])],
    "none": [],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STEPS)
def test_a_pipeline_comes_back_with_the_same_bytes(name: str, dtype: str, tmp_path: Path) -> None:
    given = X.astype(dtype)
    model = make_pipeline(*STEPS[name], rs.MLPClassifier(**SMALL)).fit(given, LABELS)
    rs.save(model, tmp_path / "m.reseau")
    again = rs.load(tmp_path / "m.reseau")
    assert type(again) is Pipeline
    assert [step for step, _ in again.steps] == [step for step, _ in model.steps]
    assert again.predict_proba(given).tobytes() == model.predict_proba(given).tobytes()
    assert again.predict(given).tolist() == model.predict(given).tolist()
    assert again.score(given, LABELS) == model.score(given, LABELS)
    assert again.classes_.tolist() == model.classes_.tolist()
    assert again[-1].n_features_in_ == 3
    for (_, ours), (_, theirs) in zip(again.steps, model.steps, strict=True):
        if isinstance(theirs, StandardScaler | MinMaxScaler | MaxAbsScaler | RobustScaler | FunctionTransformer):
            assert str(ours.get_params()) == str(theirs.get_params())
            learned = {key: value for key, value in vars(theirs).items() if key.endswith("_")}
            assert {key for key in vars(ours) if key.endswith("_")} == set(learned)
            for key, value in learned.items():
                np.testing.assert_array_equal(getattr(ours, key), value)
    rs.save(again, tmp_path / "again.reseau")
    assert (tmp_path / "again.reseau").read_bytes() == (tmp_path / "m.reseau").read_bytes()


def test_names_of_columns_and_frames_between_the_steps_come_back(tmp_path: Path, recwarn: Any) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "ç"])
    model = make_pipeline(MinMaxScaler(), StandardScaler(), rs.MLPRegressor(**SMALL)).set_output(transform="pandas")
    model.fit(frame, X[:, :2])
    rs.save(model, tmp_path / "m.reseau")
    recwarn.clear()
    again = rs.load(tmp_path / "m.reseau")
    assert again.feature_names_in_.tolist() == ["a", "b", "ç"]
    assert again.predict(frame).tobytes() == model.predict(frame).tobytes()
    assert not list(recwarn)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "ç"]])


def test_the_best_of_a_search_is_saved(tmp_path: Path) -> None:
    for best in (make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL)), rs.MLPClassifier(**SMALL)):
        key = "mlpclassifier__alpha" if isinstance(best, Pipeline) else "alpha"
        search = GridSearchCV(best, {key: [1e-4, 1.0]}, cv=2).fit(X, LABELS)
        rs.save(search, tmp_path / "m.reseau")
        again = rs.load(tmp_path / "m.reseau")
        assert type(again) is type(best)
        assert again.predict_proba(X).tobytes() == search.predict_proba(X).tobytes()


def test_searches_and_what_is_frozen_are_saved_as_what_is_in_them(tmp_path: Path) -> None:
    search = GridSearchCV(rs.MLPClassifier(**SMALL), {"alpha": [1e-4, 1.0]}, cv=2)
    model = make_pipeline(FrozenEstimator(StandardScaler().fit(X)), search).fit(X, LABELS)
    rs.save(model, tmp_path / "m.reseau")
    again = rs.load(tmp_path / "m.reseau")
    assert [type(step) for _, step in again.steps] == [StandardScaler, rs.MLPClassifier]
    assert again.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()


def test_a_scaled_target_is_refused_with_what_to_save(tmp_path: Path) -> None:
    target = TransformedTargetRegressor(rs.MLPRegressor(**SMALL), transformer=StandardScaler())
    for model, words in (
        (target, "a TransformedTargetRegressor cannot"),
        (make_pipeline(target), "that ends in a Trans"),
    ):
        with pytest.raises(rs.ParameterError, match=f"{words}.*save its regressor_"):
            rs.save(model.fit(X, X[:, 0]), tmp_path / "m.reseau")
    assert not list(tmp_path.iterdir())


def test_networks_and_table_models_are_saved_as_by_their_own_method(tmp_path: Path) -> None:
    net = rs.Network(rs.Dense(2, "tanh"), inputs=3, seed=0)
    table = rs.TableModel.train(
        pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60.0) ** 2}), "y", preset="fast", epochs=1
    )
    for model in (net, table, rs.MLPClassifier(**SMALL).fit(X, LABELS)):
        model.save(tmp_path / "own.reseau")
        rs.save(model, tmp_path / "m.reseau")
        assert (tmp_path / "own.reseau").read_bytes() == (tmp_path / "m.reseau").read_bytes()


def test_a_column_without_numbers_is_refused(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL)).fit(X, LABELS)
    model[0].mean_[1] = np.nan
    with pytest.raises(rs.ReseauError, match="'standardscaler' takes nan off column 1"):
        rs.save(model, tmp_path / "m.reseau")
    assert not list(tmp_path.iterdir())


def changed(path: Path, change: Any) -> None:
    description, tensors = model_file.read(path)
    change(description, tensors)
    model_file.write(path, description, tensors)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d, t: t.pop("steps.0.mean_"), "'steps.0.mean_' is missing"),
        (lambda d, t: t.update({"steps.0.mean_": np.zeros(4)}), "steps.0.mean_.* shape"),
        (lambda d, t: t.update({"steps.0.scale_": np.zeros(3)}), "divides it by 0"),
        (lambda d, t: t.update({"steps.9.scale_": np.zeros(3)}), "has no place"),
        (lambda d, t: d["steps"][0].update(type="PCA"), "PCA|enum|one of"),
        (lambda d, t: d["steps"][0].update(columns=4), "takes 4 columns"),
        (lambda d, t: d["steps"][0].update(parameters={"no": 1}), "no"),
        (lambda d, t: d["steps"].reverse(), "behind the estimator"),
        (lambda d, t: d["steps"].pop(), "its last"),
        (lambda d, t: d["steps"].append({"name": "x", "type": "passthrough"}), "behind the estimator"),
        (lambda d, t: d["steps"][0].update(name="mlpclassifier"), "stands twice"),
        (lambda d, t: d.update(steps=[]), "steps"),
    ],
)
def test_a_file_that_describes_no_pipeline_is_refused(change: Any, says: str, tmp_path: Path) -> None:
    rs.save(make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL)).fit(X, LABELS), tmp_path / "m.reseau")
    changed(tmp_path / "m.reseau", change)
    with pytest.raises(rs.ModelFileError, match=says):
        rs.load(tmp_path / "m.reseau")


def test_the_commands_know_pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = make_pipeline(StandardScaler(), rs.MLPClassifier(**SMALL))
    rs.save(model.fit(pd.DataFrame(X, columns=["a", "b", "c"]), LABELS), "m.reseau")
    run = CliRunner().invoke
    shown = run(app, ["show", "m.reseau"])
    assert shown.exit_code == 0, shown.output
    assert "m.reseau: a pipeline of scikit-learn\n\nstandardscaler: StandardScaler()\n" in shown.stdout
    assert "Classes: a, b, c" in shown.stdout
    assert json.loads(run(app, ["show", "--json", "m.reseau"]).stdout)["kind"] == "pipeline"
    assert "in order (pipeline, 31 weights" in run(app, ["verify", "m.reseau"]).stdout
    assert "\nFeatures: a, b, c\n" in shown.stdout
    pytest.importorskip("skl2onnx")
    exported = run(app, ["export", "m.reseau", "m.onnx"])
    assert exported.exit_code == 0, exported.output
    for output in ("m.c", "m.py"):
        assert run(app, ["export", "m.reseau", output]).exit_code == 0
        assert "shift1" in Path(output).read_text()
    refused = run(app, ["predict", "m.reseau", "m.c"])
    assert refused.exit_code == 2
    assert "holds a Pipeline" in refused.stderr
