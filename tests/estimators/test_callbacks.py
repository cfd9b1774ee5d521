"""scikit-learn's own protocol of callbacks."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reseau as rs

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SPECIES = load_iris(return_X_y=True)
FAST: dict[str, Any] = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 5}


class Notes:
    """A callback that writes down what it hears, and keeps the models of the tasks."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.stop_after, self.heard, self.models, self.weights = stop_after, [], [], None

    def setup(self, estimator: Any, context: Any) -> None:
        self.heard.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.heard.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, metadata: Any, fitted_estimator: Any
    ) -> bool:
        self.heard.append(f"end {context.task_name}")
        if fitted_estimator is not None:
            self.models.append(fitted_estimator)
        self.weights = metadata
        return len(self.models) >= self.stop_after


@pytest.mark.parametrize(("solver", "name"), [("adam", "epoch"), ("sgd", "epoch"), ("lbfgs", "lbfgs-iter")])
def test_each_epoch_or_iteration_is_a_task_of_the_fit(solver: str, name: str) -> None:
    notes = Notes()
    model = rs.MLPClassifier(**FAST, solver=solver).set_callbacks(notes).fit(X, SPECIES, np.ones(150))
    alone = rs.MLPClassifier(**FAST, solver=solver).fit(X, SPECIES, np.ones(150))
    assert model.coefs_[0].tobytes() == alone.coefs_[0].tobytes()
    rest = [f"begin {name}", f"end {name}"] * (solver == "lbfgs")  # begun, as nobody knows which iteration is the last
    epochs = [f"begin {name}", f"end {name}"] * 5 + rest
    assert notes.heard == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    assert list(notes.weights) == ["sample_weight"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_model_of_a_task_stays_as_it_was_then(solver: str) -> None:
    notes = Notes()
    rs.MLPRegressor(**FAST, solver=solver).set_callbacks(notes).fit(X, X[:, 0])
    *tasks, whole = notes.models
    for epochs, model in enumerate(tasks, start=1):
        expected = rs.MLPRegressor(**{**FAST, "max_iter": epochs}, solver=solver).fit(X, X[:, 0])
        np.testing.assert_array_equal(model.predict(X), expected.predict(X))
        if solver == "adam":
            assert model.loss_curve_ == expected.loss_curve_
    np.testing.assert_array_equal(whole.predict(X), tasks[-1].predict(X))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_a_true_return_value_stops_without_a_warning(solver: str) -> None:
    model = rs.MLPClassifier(**{**FAST, "max_iter": 50}, solver=solver).set_callbacks(Notes(3)).fit(X, SPECIES)
    assert model.n_iter_ == 3


def test_an_error_reaches_the_caller_after_the_teardown_and_changes_nothing() -> None:
    class Broken(Notes):
        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            super().on_fit_task_begin(estimator, context)
            if len(self.models) == 2:
                raise RuntimeError("mine")

    broken = Broken()
    model = rs.MLPClassifier(**FAST).set_callbacks(broken)
    before = dict(vars(model))
    with pytest.raises(RuntimeError, match="mine"):
        model.fit(X, SPECIES)
    assert broken.heard[-1] == "teardown"
    assert vars(model) == before


def test_scikit_learn_s_own_monitor_and_progress_bar_go_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = rs.MLPClassifier(**FAST).set_callbacks(monitor, callback.ProgressBar()).fit(X, SPECIES)
    *epochs, whole = sorted(monitor.get_logs().data, key=lambda entry: -len(entry["task_id_path"]))
    assert [entry["task_name"] for entry in epochs] == ["epoch"] * 5
    assert whole["accuracy"] == epochs[-1]["accuracy"] == model.score(X, SPECIES)
    assert "MLPClassifier" in capsys.readouterr().out


def test_searches_and_pipelines_pass_their_callbacks_on() -> None:
    bar = callback.ProgressBar()
    pipeline = make_pipeline(StandardScaler(), rs.MLPClassifier(**FAST))
    GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2).set_callbacks(bar).fit(X, SPECIES)
    assert not hasattr(pipeline[-1], "_skl_callbacks")
    notes = Notes()
    model = rs.MLPClassifier(**FAST).set_callbacks(notes)
    GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2).fit(X, SPECIES)
    assert notes.heard.count("begin fit") == notes.heard.count("teardown") == 5


def test_copies_keep_them_and_partial_fit_tells_them_nothing() -> None:
    notes = Notes()
    model = rs.MLPClassifier(**FAST).set_callbacks(notes).partial_fit(X, SPECIES, classes=[0, 1, 2])
    assert notes.heard == []
    clone(model).fit(X, SPECIES)
    assert notes.heard[-1] == "teardown"
    assert pickle.loads(pickle.dumps(model)).fit(X, SPECIES).n_iter_ == 5
    with pytest.raises(TypeError, match="callbacks must be instances"):
        model.set_callbacks(print)
