"""Metrics: their numbers are scikit-learn's, on whatever network, and what they are not defined for is refused."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
import scipy.sparse
import sklearn.metrics as sk

import reseau as rs
from reseau.training.metrics import METRICS

rng = np.random.default_rng(5)
X = rng.normal(size=(90, 4))
LABELS = (X[:, 0] + rng.normal(size=90) > 0).astype(int) + (X[:, 1] > 0.5)
YES = (X[:, :2] + rng.normal(size=(90, 2)) > 0).astype(float)
NUMBERS = X[:, :2] ** 2 + rng.normal(size=(90, 2))
WEIGHTS = rng.uniform(0, 3, size=90)

SOFTMAX = (lambda **o: rs.Network(rs.Dense(5), rs.Dense(3), loss="cross_entropy", seed=1, inputs=4, **o), LABELS)
LOGARITHMS = (
    lambda **o: rs.Network(rs.Dense(3, "log_softmax"), loss="cross_entropy", seed=1, inputs=4, **o),
    np.eye(3)[LABELS],
)
TWO = (lambda **o: rs.Network(rs.Dense(2), loss="cross_entropy", seed=1, inputs=4, **o), YES[:, 0].astype(int))
SIGMOID = (lambda **o: rs.Network(rs.Dense(1), loss="binary_cross_entropy", seed=1, inputs=4, **o), YES[:, 0])
SEVERAL = (lambda **o: rs.Network(rs.Dense(2), loss="binary_cross_entropy", seed=1, inputs=4, **o), YES)
SQUARED = (lambda **o: rs.Network(rs.Dense(2, "sigmoid"), seed=1, inputs=4, **o), YES)
IDENTITY = (lambda **o: rs.Network(rs.Dense(2), seed=1, inputs=4, **o), NUMBERS)
ONE = (lambda **o: rs.Network(rs.Dense(1), seed=1, inputs=4, **o), NUMBERS[:, 0])


OF_NUMBERS = {
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "median_absolute_error": sk.median_absolute_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
}
OF_GUESSES = {
    "f1": sk.f1_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
}
AVERAGED = ("f1", "precision", "recall")


def by_hand(name: str, truth: np.ndarray, O: np.ndarray, s: np.ndarray | None) -> float:
    """The same number straight from scikit-learn."""
    classes = O.shape[1]
    if name in OF_NUMBERS:
        return OF_NUMBERS[name](truth, O, sample_weight=s)
    if truth.ndim == 1 and classes > 1:  # labels
        guess = O.argmax(axis=1)
        if name in OF_GUESSES:
            average = (
                {"average": "binary" if classes == 2 else "macro", "zero_division": 0.0} if name in AVERAGED else {}
            )
            return OF_GUESSES[name](truth, guess, sample_weight=s, **average)
        if name == "brier":
            return sk.brier_score_loss(truth, O[:, 1] if classes == 2 else O, sample_weight=s)
        if name == "accuracy":
            return sk.accuracy_score(truth, guess, sample_weight=s)
        if name == "log_loss":
            return sk.log_loss(truth, O, sample_weight=s)
        scores = O[:, 1] if classes == 2 else O
        if s is None:
            return sk.roc_auc_score(truth, scores, multi_class="ovr")
        eye = np.eye(classes)[truth]
        return np.mean([sk.roc_auc_score(eye[:, k], O[:, k], sample_weight=s) for k in range(classes)])
    if name == "accuracy":
        return sk.accuracy_score(truth.reshape(O.shape) == 1, O > 0.5, sample_weight=s)
    function = {**OF_GUESSES, "log_loss": sk.log_loss, "brier": sk.brier_score_loss}.get(name, sk.roc_auc_score)
    said = O > 0.5 if name in OF_GUESSES else O
    return np.mean([function(t, o, sample_weight=s) for t, o in zip(truth.reshape(O.shape).T, said.T, strict=True)])


CLASSES = [name for name, entry in METRICS.items() if entry.of == "classes"]
QUANTITIES = [name for name, entry in METRICS.items() if entry.of == "numbers"]


def test_the_table_has_both_kinds():
    assert set(CLASSES) | set(QUANTITIES) == set(METRICS)
    assert len(CLASSES) == 9
    assert len(QUANTITIES) == 6


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("make", "y", "names"),
    [
        (*SOFTMAX, CLASSES),
        (*LOGARITHMS, CLASSES),
        (*TWO, CLASSES),
        (*SIGMOID, [*CLASSES, *QUANTITIES]),
        (*SEVERAL, [*CLASSES, *QUANTITIES]),
        (*SQUARED, CLASSES),
        (*IDENTITY, QUANTITIES),
        (*ONE, QUANTITIES),
    ],
    ids=["softmax", "logarithms", "two", "sigmoid", "several", "squared", "identity", "one"],
)
def test_the_numbers_are_scikit_learn_s(make, y, names, weighted, engine):
    net, s = make(engine=engine, dtype="float64"), WEIGHTS if weighted else None
    found = net.evaluate(X, y, metrics=names, sample_weight=s)
    assert list(found) == ["loss", *names]
    O = net(X)
    if net.layers[-1].description.activation == "log_softmax":
        y, O = y.argmax(axis=1), np.exp(O)
    for name in names:
        assert found[name] == pytest.approx(by_hand(name, y, O, s), rel=1e-9), name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("make", "y"), [SOFTMAX, SIGMOID, SEVERAL, IDENTITY, ONE])
def test_the_loss_is_the_mean_error(make, y, weighted, engine):
    net, s = make(engine=engine, dtype="float64"), WEIGHTS if weighted else None
    E = net.errors(X, y).sum(axis=1)
    assert net.evaluate(X, y, sample_weight=s) == {"loss": pytest.approx(np.average(E, weights=s), rel=1e-12)}
    assert net.value_and_gradient(X, y, sample_weight=s)[0] == pytest.approx(np.average(E, weights=s), rel=1e-12)


def test_each_epoch_is_measured_on_the_validation_data(engine):
    make, y = SOFTMAX
    net, seen = make(engine=engine), []
    held = (X[60:], y[60:])
    history = net.fit(
        X[:60], y[:60], epochs=4, validation_data=held, metrics=("accuracy", "auc"),
        callback=lambda history: seen.append(net.evaluate(*held, metrics=("accuracy", "auc"))),
    )  # fmt: skip
    assert history.metrics == {name: [numbers[name] for numbers in seen] for name in ("accuracy", "auc")}
    assert history.validation_loss == [numbers["loss"] for numbers in seen]


def test_without_validation_data_it_is_measured_on_the_training_s_with_their_weights(engine):
    make, y = ONE
    net, seen = make(engine=engine), []
    history = net.fit(
        X, y, epochs=3, metrics="mae", sample_weight=WEIGHTS,
        callback=lambda history: seen.append(net.evaluate(X, y, metrics="mae", sample_weight=WEIGHTS)["mae"]),
    )  # fmt: skip
    assert history.metrics == {"mae": seen}


def test_metrics_change_nothing_in_the_training(engine):
    make, y = SIGMOID
    nets = [make(engine=engine) for _ in range(2)]
    for net, metrics in zip(nets, ((), ("auc", lambda T, O: 3.0)), strict=True):
        net.fit(X, y, epochs=3, metrics=metrics)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_a_function_of_targets_and_outputs_is_a_metric_by_its_name():
    make, y = SOFTMAX

    def top_two(T, O):
        return np.mean([label in np.argsort(o)[-2:] for label, o in zip(T, O, strict=True)])

    found = make().evaluate(X, y, metrics=[top_two, "accuracy"])
    assert list(found) == ["loss", "top_two", "accuracy"]
    assert found["top_two"] == sk.top_k_accuracy_score(y, make()(X), k=2)
    make, y = ONE
    largest = make().evaluate(X, y, metrics=sk.max_error)["max_error"]  # a function of scikit-learn as it is
    assert largest == pytest.approx(np.abs(make()(X)[:, 0] - y).max(), rel=1e-6)


def test_sparse_samples_are_measured_as_dense_ones(engine):
    make, y = SIGMOID
    thin = np.where(np.abs(X) > 0.7, X, 0)
    net = make(engine=engine, dtype="float64")
    dense = net.evaluate(thin, y, metrics=CLASSES)
    assert net.evaluate(scipy.sparse.csr_array(thin), y, metrics=CLASSES) == pytest.approx(dense, rel=1e-12)
    plan = {"epochs": 2, "metrics": CLASSES}
    of_dense = make(engine=engine, dtype="float64").fit(thin, y, **plan)
    of_sparse = make(engine=engine, dtype="float64").fit(scipy.sparse.csc_matrix(thin), y, **plan)
    for name in CLASSES:
        assert of_sparse.metrics[name] == pytest.approx(of_dense.metrics[name], rel=1e-9)


def test_what_rows_do_not_define_is_nan():
    make, y = SIGMOID
    assert isnan(make().evaluate(X[:5], np.ones(5), metrics="auc")["auc"])
    make, y = ONE
    found = make().evaluate(X[:1], y[:1], metrics=("r2", "mae"))
    assert isnan(found["r2"])
    assert not isnan(found["mae"])


def test_rows_without_weight_do_not_define_anything():
    make, y = SIGMOID
    s = y.copy()  # the rows of one class
    assert isnan(make().evaluate(X, y, metrics="auc", sample_weight=s)["auc"])
    only = np.zeros(90)
    only[4] = 2
    make, y = ONE
    found = make().evaluate(X, y, metrics=QUANTITIES, sample_weight=only)
    alone = make().evaluate(X[4:5], y[4:5], metrics=QUANTITIES)
    assert found == pytest.approx(alone, nan_ok=True)


def test_no_metrics_are_none():
    make, y = ONE
    assert make().fit(X, y, epochs=1, metrics=None).metrics == {}
    assert list(make().evaluate(X, y, metrics=None)) == ["loss"]


def test_a_function_cannot_change_the_targets():
    make, y = ONE
    with pytest.raises(ValueError, match="read-only"):
        make().fit(X, y, epochs=2, metrics=lambda T, O: T.sort(axis=0))


def test_outputs_that_are_not_finite_give_nan():
    net = rs.Network(rs.Dense(1, "exponential"), inputs=1, dtype="float64")
    net.parameters[...] = [1.0, 0.0]
    found = net.evaluate([[0.0], [800.0]], [1.0, 2.0], metrics=QUANTITIES)
    assert all(isnan(found[name]) for name in QUANTITIES)


def test_a_diverged_epoch_has_nan():
    make, y = ONE
    with pytest.warns(RuntimeWarning, match="training has diverged"):
        history = make().fit(X, y * 1e30, optimizer=rs.SGD(1e3), epochs=50, metrics="mse")
    assert len(history.metrics["mse"]) == history.epochs
    assert isnan(history.metrics["mse"][-1])


def test_targets_that_are_not_there_do_not_count():
    """As a fit on masked targets would measure them."""
    T, O = np.array([[1.0, nan], [2.0, 5.0], [nan, 1.0]]), np.array([[1.0, 9.0], [4.0, 6.0], [0.0, 1.0]])
    architecture = rs.Network(rs.Dense(2), inputs=1).architecture
    assert METRICS["mae"].measured(T, O, None, architecture) == (2 / 2 + 1 / 2) / 2
    assert METRICS["mse"].measured(T, O, np.array([1.0, 3.0, 0.0]), architecture) == (3.0 + 1.0) / 2
    yes = np.array([[1.0, nan], [0.0, 1.0], [nan, nan]])
    binary = rs.Network(rs.Dense(2), inputs=1, loss="binary_cross_entropy").architecture
    assert METRICS["accuracy"].measured(yes, np.full((3, 2), 0.9), None, binary) == 1 / 2


@pytest.mark.parametrize(
    ("case", "metrics", "words"),
    [
        (SOFTMAX, "acuracy", r"^metrics is 'acuracy', which is unknown. Did you mean 'accuracy'"),
        (SOFTMAX, "roc_auc", r"Did you mean 'auc' \(roc_auc\)\? Known: accuracy, log_loss, auc, f1, "),
        (SOFTMAX, 3, r"^metrics is 3, but must be names or functions of targets and outputs, such as \('accuracy',\)"),
        (SOFTMAX, ("accuracy", 3), "^metrics is 3, which is unknown"),
        (SOFTMAX, ("auc", "accuracy", "auc"), r"^metrics holds 'auc': twice; give each a name of its own"),
        (SOFTMAX, "mse", r"^metrics holds 'mse', which compares numbers, but y holds class labels; take 'accuracy', "),
        (IDENTITY, "accuracy", r"^metrics holds 'accuracy', which needs classes, targets of 0 and 1 or labels"),
        (IDENTITY, "accuracy", r"but y holds [-0-9.]+ at row 0, column 0; for numbers take 'mse', 'rmse', 'mae', "),
        (ONE, "auc", r"but y holds [-0-9.]+ at row 0; for numbers"),
    ],
)  # fmt: skip
def test_a_metric_that_does_not_fit_is_refused_before_anything_is_done(case, metrics, words):
    make, y = case
    with pytest.raises(rs.ReseauError, match=words):
        make().evaluate(X, y, metrics=metrics)
    net = make()
    before = net.parameters.tobytes()
    with pytest.raises(rs.ReseauError, match=words):
        net.fit(X, y, metrics=metrics)
    assert net.parameters.tobytes() == before


def test_a_metric_of_probabilities_is_refused_for_outputs_that_are_none():
    net = rs.Network(rs.Dense(1, "tanh"), inputs=4)
    with pytest.raises(rs.ParameterError, match="needs probabilities, but the last layer's activation 'tanh' gives"):
        net.evaluate(X, YES[:, 0], metrics="log_loss")
    assert net.evaluate(X, YES[:, 0], metrics=("accuracy", "auc"))["auc"] >= 0


@pytest.mark.parametrize("name", ["loss", "learning_rate"])
def test_names_that_a_history_has_for_itself_are_refused(name):
    def own(T, O):
        return 0.0

    own.__name__ = name
    with pytest.raises(rs.ParameterError, match=f"metrics holds '{name}': a function of this name, which History has"):
        ONE[0]().evaluate(X, ONE[1], metrics=own)


@pytest.mark.parametrize("answer", [None, "good", [1.0], np.ones(2), 1j])
def test_a_function_must_return_a_number(answer):
    def own(T, O):
        return answer

    with pytest.raises(rs.ParameterError, match=r"The metric own returned .*, but must return a number"):
        ONE[0]().evaluate(X, ONE[1], metrics=own)


def test_many_networks_have_the_metrics_of_all_or_each_its_own():
    nets = [ONE[0]() for _ in range(3)]
    for history in rs.fit_many(nets, X, ONE[1], epochs=2, metrics=("mse", "mae")):
        assert list(history.metrics) == ["mse", "mae"]
    several = rs.fit_many(nets, X, ONE[1], epochs=2, metrics=[["mse"], None, ("r2", "mae")], threads=2)
    assert [list(history.metrics) for history in several] == [["mse"], [], ["r2", "mae"]]
    with pytest.raises(rs.ParameterError, match="metrics has 2 entries, but there are 3 networks"):
        rs.fit_many(nets, X, ONE[1], metrics=[["mse"], ["mae"]])
    with pytest.raises(rs.ParameterError, match=r"networks\[1\]: metrics is 'msee', which is unknown"):
        rs.fit_many(nets, X, ONE[1], metrics=[["mse"], ["msee"], None])


# --- several outputs for a target ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["gaussian", rs.StudentT(5)], ids=range(2))
def test_of_a_predicted_distribution_the_means_are_compared(loss, engine):
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(4), loss=loss, seed=0, engine=engine)
    history = net.fit(X, T, epochs=2, metrics=("mae", "r2"))
    means = net(X)[:, ::2]
    assert history.metrics["mae"][-1] == pytest.approx(sk.mean_absolute_error(T, means))
    assert history.metrics["r2"][-1] == pytest.approx(sk.r2_score(T, means))
    found = net.evaluate(X, np.where(T > 1, np.nan, T), metrics="mae", masked_targets=True)["mae"]
    each = [sk.mean_absolute_error(t[t <= 1], m[t <= 1]) for t, m in zip(T.T, means.T, strict=True)]
    assert found == pytest.approx(np.mean(each))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("levels", "nearest"),
    [
        ([0.1, 0.5, 0.9], [1]),
        ([0.5, 0.8, 0.9], [0]),
        ([0.05, 0.1, 0.6], [2]),
        ([0.1, 0.9], [0, 1]),
        ([0.1, 0.3, 0.7, 0.9], [1, 2]),
    ],
)
def test_of_quantiles_that_nearest_to_the_median_is_compared(levels, nearest):
    X, y = np.linspace(-1, 1, 30).reshape(-1, 1), np.linspace(-1, 1, 30) ** 2
    net = rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), loss=rs.Quantile(levels), seed=0, inputs=1)
    predicted = net(X)[:, nearest].mean(axis=1)
    assert net.evaluate(X, y, metrics="mae")["mae"] == pytest.approx(sk.mean_absolute_error(y, predicted))
    model = rs.MLPRegressor(rs.Quantile(levels), (4,), max_iter=2, random_state=0).fit(X, y)
    assert model.score(X, y) == pytest.approx(sk.r2_score(y, model.predict(X)[:, nearest].mean(axis=1)))
