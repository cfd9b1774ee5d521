"""A call of an estimator that is refused, or fails on the way, changes nothing."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

import reseau as rs
from reseau.engine import reference
from reseau.estimators import attempt
from reseau.training.lbfgs import minimize
from reseau.training.loop import Samples

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
y = np.arange(60) % 3
two = np.arange(60) % 2
lonely = np.where(np.arange(60) == 7, 1, 0)
s_nan = np.where(np.arange(60) == 5, np.nan, 1.0)
frame = pd.DataFrame(X, columns=list("abcd"))
FAST: dict[str, Any] = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
WILD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 1e200, "activation": "identity", "momentum": 0.0}


@pytest.fixture(autouse=True)
def _unfinished_fits_are_fine() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def parts(value: Any) -> Any:
    """A value with arrays as their bytes, so that two can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes() if value.dtype.kind != "O" else value.tolist()
    if isinstance(value, np.random.RandomState):
        return parts(value.get_state(legacy=False))
    if isinstance(value, dict):
        return {key: parts(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [parts(part) for part in value]
    if isinstance(value, rs.Network):
        return value.describe(), parts(value.parameters)
    return value


def state(model: Any) -> Any:
    """Everything that an estimator is, the optimizer's state included."""
    return parts(vars(pickle.loads(pickle.dumps(model))))


def classifier(**settings: Any) -> rs.MLPClassifier:
    return rs.MLPClassifier(**{**FAST, **settings})


def regressor(**settings: Any) -> rs.MLPRegressor:
    return rs.MLPRegressor(**{**FAST, **settings})


def fit(settings: dict[str, Any], X: Any, y: Any, **more: Any) -> Callable[[Any], Any]:
    return lambda model: model.set_params(**settings).fit(X, y, **more)


def part(X: Any, y: Any, **more: Any) -> Callable[[Any], Any]:
    return lambda model: model.partial_fit(X, y, **more)


# What is called, what is told, and of what an estimator it may be asked besides a fitted one.
CLASSIFYING: dict[str, tuple[Callable[[Any], Any], str]] = {
    "text with a missing label": (fit({}, X, np.where(y == 1, None, "a")), "no label at row 1"),
    "columns of classes, and one alone": (fit({}, X, np.c_[y, y], X_val=X, y_val=y), "y_val is one label a row"),
    "too few rows": (fit({"early_stopping": True}, X[:9], y[:9]), "validation set is too small"),
    "a lonely class": (fit({"early_stopping": True}, X, lonely), "row 7 is the only one of its class"),
    "a NaN weight": (fit({}, X, two, sample_weight=s_nan), "sample_weight holds nan at row 5"),
    "no weight in training": (
        fit({"early_stopping": True, "validation_fraction": 0.5}, X, two, sample_weight=(np.arange(60) == 7) * 1.0),
        "only zeros in the rows that early_stopping=True",
    ),
    "a shorter y": (fit({}, X, y[:-1]), "X has 60 rows but y has 59"),
    "no y": (fit({}, X, None), "requires y to be passed"),
    "a NaN in X": (fit({}, np.where(X > 2, np.nan, X), y), "(?i)nan"),
    "a parameter out of range": (fit({"alpha": -1.0}, X, y), "alpha is -1.0"),
    "a generator as random_state": (fit({"random_state": np.random.default_rng(0)}, X, y), "random_state is"),
    "more neurons than fit in memory": (
        fit({"hidden_layer_sizes": (10**9, 10**9)}, X, y),
        "hidden_layer_sizes=.*memory",
    ),
    "a missing label by parts": (part(X, [None, 1, 2] * 20, classes=[0, 1, 2]), "no label at row 0"),
}
CONTINUED = {
    "other columns": (fit({"warm_start": True}, X[:, :2], y), "4 features"),
    "other layers": (fit({"warm_start": True, "hidden_layer_sizes": 7}, X, y), "other layers"),
    "other classes": (fit({"warm_start": True}, X, y + 1), "same classes"),
    "text for numbers": (fit({"warm_start": True}, X, y.astype(str)), "such as '0' at row 0.*y.astype.int"),
    "a class that is not known": (part(X, y + 1), "3 at row 2"),
    "classes that are not those": (part(X, y, classes=[0, 1, 2, 3]), "not the same as on last call"),
    "a NaN in a batch": (part(np.where(X > 2, np.nan, X), y), "(?i)nan"),
}
REGRESSING: dict[str, tuple[Callable[[Any], Any], str]] = {
    "negative counts": (fit({"loss": "poisson"}, X, X[:, 0]), "needs targets in"),
    "a NaN target": (fit({}, X, pd.Series([1.0, None] * 30)), "nan at row 1"),
    "a text as target": (fit({}, X, ["a"] * 60), "'a' at row 0"),
    "targets beyond the precision": (fit({}, X.astype(np.float32), np.where(y == 2, 1e25, 1)), "1e.25 at row 2"),
    "divergence": (fit({}, X * 1e200, X[:, 0]), r"in step 1 of epoch 1\. The inputs are out of scale, X holds"),
    "divergence by the rate": (fit(WILD, X, X[:, 0]), r"of epoch [123]\. Use a smaller learning_rate_init than 1e.200"),
    "squares that overflow": (
        fit({}, X.astype(np.float32) * 1000, X[:, 0] * 5e18),
        "float32, so that .* The targets are out of scale",
    ),
    "squares that overflow in a batch": (part(X * 1e60, X[:, 0] * 1e100), "squares of the gradient"),
    "a penalty beyond light rows": (
        fit({}, X, X[:, 0], sample_weight=np.full(60, 1e-200)),
        "sample_weight of at most 1e-200: divide it by its largest value",
    ),
    "a penalty beyond everything": (fit({"alpha": 1e300, "solver": "lbfgs"}, X, X[:, 0]), r"alpha than 1e.300\.$"),
    "divergence of lbfgs": (
        fit({"solver": "lbfgs"}, X * 1e200, X[:, 0]),
        r"in iteration 1\. The inputs are out of scale",
    ),
    "divergence of a batch": (part(X * 1e200, X[:, 0]), "in step 1 of epoch 1"),
    "divergence of a warm start": (fit({"warm_start": True}, X * 1e200, X[:, 0]), "in step 1 of epoch 1"),
    "divergence of a warm lbfgs": (fit({"warm_start": True, "solver": "lbfgs"}, X * 1e200, X[:, 0]), "in iteration 1"),
}
CALLS = {**CLASSIFYING, **CONTINUED, **REGRESSING}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("before", ["unfitted", "fitted", "fitted with names", "fitted by parts"])
@pytest.mark.parametrize("name", CALLS)
def test_a_refused_call_leaves_the_estimator_as_it_was(
    engine: str, name: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (before, name) == ("fitted with names", "other columns") or (before == "unfitted" and name in CONTINUED):
        return
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    call, words = CALLS[name]
    regresses = name in REGRESSING
    model = (rs.MLPRegressor if regresses else rs.MLPClassifier)(**{**FAST, "random_state": np.random.RandomState(3)})
    target = X[:, 0] if regresses else y
    if before.startswith("fitted"):
        model.fit(frame if before == "fitted with names" else X, target)
    if before == "fitted by parts":
        model = clone(model)
        for _ in range(3):
            model.partial_fit(X, target, **({} if regresses else {"classes": [0, 1, 2]}))
    parameters, kept = model.get_params(), state(model)
    with pytest.raises(ValueError, match=words):
        call(model)
    model.set_params(**parameters)
    assert state(model) == kept
    if before == "unfitted":
        with pytest.raises(NotFittedError):
            check_is_fitted(model)
        assert not any(hasattr(model, attribute) for attribute in ("classes_", "n_features_in_", "coefs_", "network_"))
    else:
        other = pickle.loads(pickle.dumps(model))  # and learns on as if nothing had been
        for each in (model, other):
            each.partial_fit(X, target)
        assert state(model) == state(other)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_refused_first_partial_fit_keeps_no_classes(solver: str) -> None:
    model = rs.MLPClassifier(**FAST, solver=solver)
    with pytest.raises(rs.DataError, match="classes not in"):
        model.partial_fit(X, y, classes=["0", "1"] if solver == "none" else [0, 1])
    assert not hasattr(model, "classes_")
    model.partial_fit(X, y.astype(str), classes=["0", "1", "2"])
    assert model.classes_.tolist() == ["0", "1", "2"]


def test_a_warning_made_an_error_changes_nothing_either() -> None:
    model = rs.MLPClassifier(**FAST).fit(X, y)
    kept = state(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            model.fit(X, two)
    assert state(model) == kept


def test_arrays_that_somebody_holds_stay_those_of_the_network() -> None:
    model = rs.MLPRegressor(**FAST).fit(X, X[:, 0])
    held, numbers = model.coefs_[0], model.coefs_[0].copy()
    for call in (part(X * 1e200, X[:, 0]), fit({"warm_start": True}, X * 1e200, X[:, 0])):
        with pytest.raises(rs.ReseauError, match="non-finite"):
            call(model)
        np.testing.assert_array_equal(held, numbers)
    model.partial_fit(X, X[:, 0])
    assert not np.array_equal(held, numbers)


def test_after_lbfgs_the_optimizer_s_state_of_earlier_batches_is_forgotten() -> None:
    model, fresh = (rs.MLPClassifier(**FAST) for _ in range(2))
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2])
    for each in (model, fresh):
        each.set_params(solver="lbfgs").fit(X, y).set_params(solver="adam").partial_fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], fresh.coefs_[0])


# --- divergence -------------------------------------------------------------------------------------------------------


def test_a_diverging_fit_ends_with_the_first_epoch_that_is_not_finite(engine: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = rs.MLPRegressor(hidden_layer_sizes=(5,), max_iter=10**6, verbose=False, random_state=0, **WILD)
    with pytest.raises(rs.ReseauError, match=r"It happened in step 1 of epoch [123]\."):
        model.fit(X, X[:, 0])  # else for hours


def test_with_early_stopping_the_best_weights_stay_and_one_warning_tells(engine: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = rs.MLPRegressor(
        hidden_layer_sizes=(20,), solver="sgd", activation="identity", learning_rate_init=0.5, early_stopping=True,
        random_state=0, n_iter_no_change=1000, max_iter=1000,
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, X[:, 0] * 10)
    assert [str(warning.message)[:21] for warning in caught] == ["Training has diverged"]
    assert model.n_iter_ == len(model.validation_scores_) == len(model.loss_curve_) < 1000
    assert f"of epoch {model.n_iter_}." in str(caught[0].message)
    assert caught[0].filename == __file__
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.network_.parameters).all()


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


class Interrupting:
    """A stream that is interrupted at a line that begins with some words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def write(self, text: str) -> None:
        if text.startswith(self.words):
            raise KeyboardInterrupt

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("before", ["unfitted", "fitted", "continued"])
def test_an_interrupted_lbfgs_leaves_the_estimator_as_it_was(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = rs.MLPClassifier(**FAST, warm_start=before == "continued")
    if before != "unfitted":
        model.fit(X, y)
    model.set_params(solver="lbfgs", max_iter=50, verbose=True)
    kept = state(model)
    monkeypatch.setattr("sys.stdout", Interrupting("Iteration 4"))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    monkeypatch.undo()
    assert state(model) == kept
    model.fit(X, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_interrupted_minimize_leaves_the_last_accepted_weights(dtype: str) -> None:
    class Interrupted:
        """An engine that is interrupted in the 8th iteration, when the parameters are those of a trial step."""

        def gradient(self, *arguments: Any, **options: Any) -> Any:
            if len(losses) == 7:
                raise KeyboardInterrupt
            return reference.gradient(*arguments, **options)

    def network() -> rs.Network:
        return rs.Network(rs.Dense(5, "tanh"), rs.Dense(1, "identity"), inputs=4, dtype=dtype, seed=0)

    samples, losses = Samples(X, np.sin(3 * X[:, :1]).astype(dtype)), []
    expected, net = network(), network()
    minimize(reference, expected.architecture, expected.parameters, samples, threads=1, max_iterations=7)
    with pytest.raises(KeyboardInterrupt):
        minimize(Interrupted(), net.architecture, net.parameters, samples, threads=1, callback=losses.append)
    np.testing.assert_array_equal(net.parameters, expected.parameters)


def test_an_interrupted_partial_fit_goes_back_to_the_last_batch_and_warns(engine: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = rs.MLPClassifier(**FAST)
    for _ in range(2):
        model.partial_fit(X, y, classes=[0, 1, 2])
    expected = state(model.partial_fit(X, y))
    run = model._trainer.run

    def interrupted(*arguments: Any, **more: Any) -> None:
        run(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(model._trainer, "run", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user, after 0 epochs"):
        model.partial_fit(X, y)
    monkeypatch.undo()
    found = state(model)
    assert {**found, "n_iter_": 1} == expected


@pytest.mark.parametrize("how", ["fit", "partial_fit"])
def test_a_first_call_interrupted_before_it_has_learnt_anything_changes_nothing(
    how: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model, again = classifier(), classifier().fit(X, y)
    expected, make = state(again), rs.Network.trainer

    def interrupted(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    def trainer(self: rs.Network, *arguments: Any, **more: Any) -> Any:
        made = make(self, *arguments, **more)
        monkeypatch.setattr(made, "run", interrupted)
        return made

    monkeypatch.setattr(rs.Network, "trainer", trainer)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y) if how == "fit" else model.partial_fit(X, y, classes=[0, 1, 2])
    assert vars(model).keys() == vars(classifier()).keys()
    with pytest.raises(KeyboardInterrupt):
        again.fit(X, y + 5)
    assert state(again) == expected


@pytest.mark.parametrize("name", ["unfitted", "fitted", "warm", "lbfgs"])
def test_an_interruption_while_the_fit_takes_over_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier(solver="lbfgs" if name == "lbfgs" else "adam", warm_start=name in ("warm", "lbfgs"))
    if name != "unfitted":
        model.fit(frame, y)
    before, take = state(model), attempt._take_slots

    def interrupted(into: Any, of: Any) -> None:
        if into is model:  # the last that is done
            raise KeyboardInterrupt
        take(into, of)

    monkeypatch.setattr(attempt, "_take_slots", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(frame if name == "warm" else frame.rename(columns={"a": "z"}) if name == "fitted" else frame, y)
    assert state(model) == before


# --- who holds what, and subclasses -----------------------------------------------------------------------------------


def test_attributes_that_somebody_holds_are_those_of_the_fitted_estimator() -> None:
    model = classifier()
    held = vars(model)
    model.fit(frame, y)
    assert held is vars(model)
    assert held["feature_names_in_"].tolist() == list("abcd")
    model.fit(X, y).partial_fit(X, y)
    assert held is vars(model)
    assert "feature_names_in_" not in held


def test_what_is_set_while_an_estimator_is_being_fitted_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier()

    class Setting:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            model.set_params(alpha=0.5).note = "read"
            return y

    model.fit(X, Setting())
    assert (model.alpha, model.note) == (0.5, "read")
    assert model.classes_.tolist() == [0, 1, 2]


class Slotted(rs.MLPRegressor):
    """A subclass that keeps a parameter, and what it has met, in slots."""

    __slots__ = ("_sizes", "seen")

    @property
    def hidden_layer_sizes(self) -> Any:
        return self._sizes

    @hidden_layer_sizes.setter
    def hidden_layer_sizes(self, sizes: Any) -> None:
        self._sizes = sizes

    def _name_network(self) -> None:
        super()._name_network()
        self.seen = self._sizes


def test_a_subclass_may_have_slots() -> None:
    model = Slotted(**FAST)
    with pytest.raises(rs.ReseauError):
        model.fit(X * 1e200, X[:, 0])
    assert not hasattr(model, "seen")
    assert model.fit(X, X[:, 0]).seen == (5,)
    np.testing.assert_array_equal(model.predict(X), regressor().fit(X, X[:, 0]).predict(X))


# --- several threads, mapped files ------------------------------------------------------------------------------------


class Slow:
    """Targets that keep who reads them waiting."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.reached.set()
        assert self.go_on.wait(60)
        return y


@pytest.mark.parametrize("how", ["fit", "partial_fit"])
def test_a_second_thread_that_fits_the_same_estimator_is_told_and_others_may_predict(how: str) -> None:
    model = rs.MLPClassifier(**FAST).fit(X, y)
    expected, slow = model.predict_proba(X), Slow()
    thread = threading.Thread(target=getattr(model, how), args=(X, slow))
    thread.start()
    assert slow.reached.wait(60)
    try:
        for again in (model.fit, model.partial_fit):
            with pytest.raises(rs.ReseauError, match="being fitted by another thread; fit a clone"):
                again(X, y)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
        clone(model).fit(X, y)
        pickle.loads(pickle.dumps(model)).fit(X, y)
    finally:
        slow.go_on.set()
        thread.join()
    model.fit(X, y)


def test_predicting_beside_a_partial_fit_does_not_keep_the_weights_of_meanwhile(native: None) -> None:
    model, alone = (rs.MLPClassifier((64, 64), random_state=0) for _ in range(2))
    stop = threading.Event()

    def predict() -> None:
        while not stop.is_set():
            model.predict_proba(X[:1])

    for each in (model, alone):
        each.partial_fit(X, y, classes=[0, 1, 2])
    thread = threading.Thread(target=predict)
    thread.start()
    try:
        for _ in range(200):
            model.partial_fit(X, y)
    finally:
        stop.set()
        thread.join()
    for _ in range(200):
        alone.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_what_joblib_maps_read_only_predicts_and_goes_on_training(
    engine: str, solver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESEAU_ENGINE", engine)
    model = rs.MLPClassifier(**FAST, solver=solver, warm_start=True).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for call in (lambda each: each.fit(X, y), lambda each: each.partial_fit(X, y)):
        if solver == "lbfgs" and call.__code__.co_names[0] == "partial_fit":
            continue
        mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
        assert not mapped._network.parameters.flags.writeable
        np.testing.assert_array_equal(mapped.predict_proba(X), model.predict_proba(X))
        expected = pickle.loads(pickle.dumps(model))
        assert state(call(mapped)) == state(call(expected))
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    mapped.coefs_[0][...] = 0.0
    mapped.network_.fit(X, y, epochs=1)
    assert np.isfinite(mapped.predict_proba(X)).all()
