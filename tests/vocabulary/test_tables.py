"""What holds for every entry of every table: activations, losses, optimizers and initialisations."""

import ast
import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import typer
from sklearn.exceptions import ConvergenceWarning

import reseau as rs
from reseau.cli import app
from reseau.estimators.rules import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.layers import LAYERS
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS

TABLES = {"activation": ACTIVATIONS, "loss": LOSSES, "init": INITIALIZERS, "optimizer": OPTIMIZERS}
ENTRIES = [(parameter, entry) for parameter, table in TABLES.items() for entry in table.values()]


def _name(value):
    return value if isinstance(value, str) else value.name


@pytest.mark.parametrize(("parameter", "entry"), ENTRIES, ids=_name)
def test_every_entry_says_where_it_comes_from_by_author_and_year(parameter, entry):
    assert re.search(r"^[A-Z].* (19|20)\d\d, ", entry.source)


@pytest.mark.parametrize("entry", OPTIMIZERS.values(), ids=_name)
def test_the_docstring_of_an_optimizer_names_its_source(entry):
    assert entry.source in entry.__doc__


@pytest.mark.parametrize("table", [ACTIVATIONS, INITIALIZERS])
def test_entries_are_written_by_the_names_of_their_parts_alone(table):
    for kind in {type(entry) for entry in table.values()}:
        with pytest.raises(TypeError, match="positional argument"):
            kind("name")


def _ask(parameter, value):
    """Ask for an entry by its name, where users do."""
    match parameter:
        case "activation":
            rs.Dense(3, value)
        case "init":
            rs.Dense(3, init=value)
        case "loss":
            rs.Network(rs.Dense(3), loss=value)
        case "optimizer":
            rs.Network(rs.Dense(1)).fit([[0.0], [1.0]], [0.0, 1.0], optimizer=value)


def silu(): ...


class LeakyReLU: ...


ELSEWHERE = [
    # scikit-learn
    ("activation", "logistic", "'sigmoid' (logistic)"),
    ("activation", "exp", "'exponential' (exp)"),
    ("loss", "log_loss", "'binary_cross_entropy' or 'cross_entropy' (log_loss)"),
    ("loss", "mean_squared_error", "'squared_error' (mean_squared_error)"),
    # MATLAB
    ("activation", "logsig", "'sigmoid' (logsig)"),
    ("activation", "tansig", "'tanh' (tansig)"),
    ("activation", "purelin", "'identity' (purelin)"),
    ("activation", "poslin", "'relu' (poslin)"),
    ("activation", "elliotsig", "'softsign' (elliotsig)"),
    ("loss", "crossentropy", "'cross_entropy'"),
    ("loss", "mse", "'squared_error' (mse)"),
    ("loss", "mae", "'absolute_error' (mae)"),
    ("optimizer", "sgdm", "'sgd' (sgdm)"),
    ("optimizer", "traingdm", "'sgd' (traingdm)"),
    # Keras
    ("activation", "linear", "'identity' (linear)"),
    ("activation", "swish", "'silu' (swish)"),
    ("activation", "hard_silu", "'hard_swish' (hard_silu)"),
    ("loss", "mean_absolute_error", "'absolute_error' (mean_absolute_error)"),
    ("loss", "binary_crossentropy", "'binary_cross_entropy'"),
    ("loss", "categorical_crossentropy", "'cross_entropy' (categorical_crossentropy)"),
    ("loss", "sparse_categorical_crossentropy", "'cross_entropy' (sparse_categorical_crossentropy)"),
    ("optimizer", "RMSprop", "'rmsprop'"),
    # PyTorch
    ("activation", "SiLU", "'silu'"),
    ("activation", "Hardswish", "'hard_swish'"),
    ("activation", "LogSoftmax", "'log_softmax'"),
    ("activation", silu, "'silu'"),
    ("activation", LeakyReLU, "'leaky_relu'"),
    ("loss", "MSELoss", "'squared_error' (mse_loss)"),
    ("loss", "L1Loss", "'absolute_error' (l1_loss)"),
    ("loss", "SmoothL1Loss", "'huber' (smooth_l1_loss)"),
    ("loss", "BCELoss", "'binary_cross_entropy' (bce_loss)"),
    ("loss", "bce", "'binary_cross_entropy' (bce)"),
    ("loss", "BCEWithLogitsLoss", "'binary_cross_entropy' (bce_with_logits_loss)"),
    ("loss", "CrossEntropyLoss", "'cross_entropy' (cross_entropy_loss)"),
    ("loss", "NLLLoss", "'cross_entropy' (nll_loss)"),
    ("loss", "nll", "'cross_entropy' (nll)"),
    ("loss", "PoissonNLLLoss", "'poisson' (poisson_nll_loss)"),
    ("init", "xavier_uniform", "'glorot_uniform' (xavier_uniform)"),
    ("init", "kaiming_normal_", "'he_normal' (kaiming_normal)"),
    ("init", "glorot", "'glorot_uniform' or 'glorot_normal' (glorot)"),
    # case, hyphens and blanks, words in both languages, and slips
    ("activation", "TANH", "'tanh'"),
    ("activation", "Leaky ReLU", "'leaky_relu'"),
    ("activation", "log-softmax", "'log_softmax'"),
    ("activation", "Sigmoïde", "'sigmoid' (sigmoïde)"),
    ("activation", "tangente hyperbolique", "'tanh' (tangente hyperbolique)"),
    ("activation", "swissh", "'silu' (swish)"),
    ("loss", "Squared-Error", "'squared_error'"),
    ("loss", "entropie croisée", "'cross_entropy' (entropie croisée)"),
    ("optimizer", "ADAM", "'adam'"),
    ("optimizer", "adam_w", "'adamw'"),
    ("optimizer", "gradient descent", "'sgd' (gradient descent)"),
]


@pytest.mark.parametrize(("parameter", "value", "meant"), ELSEWHERE)
def test_a_name_that_other_libraries_use_is_refused_with_ours(parameter, value, meant):
    with pytest.raises(rs.ParameterError) as refusal:
        _ask(parameter, value)
    assert f"{parameter} is {value!r}, which is unknown. Did you mean {meant}? Known: " in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["", "?", "zzz", "\N{COMBINING ACUTE ACCENT}", "x" * 1000, 3, None.__class__, np.sqrt]
)
@pytest.mark.parametrize("parameter", ["activation", "init", "loss"])
def test_what_is_near_no_name_is_refused_without_a_guess(parameter, value):
    if parameter == "loss" and value is np.sqrt:
        value = [np.sqrt]  # a function is a loss of one's own
    with pytest.raises(rs.ParameterError, match=f"^{parameter} is .*, which is unknown. Known: "):
        _ask(parameter, value)


@pytest.mark.parametrize(("parameter", "entry"), ENTRIES, ids=_name)
def test_no_name_of_an_entry_is_another_name_of_a_second(parameter, entry):
    others = {name for name in TABLES[parameter] if name != entry.name}
    assert not others & set(entry.aliases)


@pytest.mark.parametrize(
    ("activation", "meant"),
    [("swish", "'silu' (swish)"), ("logsig", "'logistic' (logsig)"), ("linear", "'identity' (linear)")],
)
def test_an_estimator_s_activation_is_looked_for_in_the_same_way(activation, meant):
    model = rs.MLPClassifier(activation=activation)
    with pytest.raises(rs.ParameterError, match=re.escape(f"Did you mean {meant}?")):
        model.fit([[0.0], [1.0]], [0, 1])


def test_an_estimator_s_loss_is_looked_for_in_the_same_way():
    with pytest.raises(rs.ParameterError, match=r"Did you mean 'squared_error' \(mse\)"):
        rs.MLPRegressor("mse").fit([[0.0], [1.0]], [0, 1])
    for asked in ("logloss", "cross_entropy", "binary_cross_entropy", "categorical_crossentropy", "bce", "nll"):
        with pytest.raises(rs.ParameterError, match=rf"loss is '{asked}', which is unknown\. Did you mean 'log_loss'"):
            rs.MLPClassifier(loss=asked).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("loss", ["rmse", "msle", "nse", "l3", "bcd", "mre"])
def test_a_short_name_is_not_taken_for_the_short_name_of_another_loss(loss):
    with pytest.raises(rs.ParameterError, match=r"which is unknown\. Known"):
        rs.Network(rs.Dense(1), loss=loss)


@pytest.mark.parametrize(
    ("of", "parameter", "table"),
    [
        (rs.Dense, "activation", ACTIVATIONS),
        (rs.Dense, "init", INITIALIZERS),
        (rs.Network, "loss", LOSSES),
        (rs.Network.fit, "optimizer", {**OPTIMIZERS, **LEAST_SQUARES}),
        (rs.MLPRegressor, "loss", REGRESSION_LOSSES),
        (rs.MLPClassifier, "loss", CLASSIFICATION_LOSSES),
    ],
)
def test_the_docstring_of_a_parameter_names_all_entries_in_their_order(of, parameter, table):
    about = re.search(rf"^{parameter} : .*(?:\n    .*)*", inspect.cleandoc(of.__doc__), re.MULTILINE)
    assert list(dict.fromkeys(re.findall(r'"(\w+)"', about[0]))) == list(table)


def test_the_docstring_of_a_network_names_every_kind_of_layer():
    about = re.search(r"^\*layers : (.*)", inspect.cleandoc(rs.Network.__doc__), re.MULTILINE)
    assert set(re.findall(r"\b[A-Z]\w+", about[1])) == {kind.__name__ for kind in LAYERS.values()} | {"Residual"}


@pytest.mark.parametrize(
    ("command", "option", "table"),
    [
        ("exercise", "activation", ACTIVATIONS),
        ("exercise", "loss", LOSSES),
        ("train", "activation", ACTIVATIONS),
        ("blackboard", "optimizer", OPTIMIZERS),
    ],
)
def test_the_help_of_an_option_names_all_entries_in_their_order(command, option, table):
    options = {o.name: o.help for o in typer.main.get_command(app).commands[command].params}
    names = re.findall(r"\w+", options[option].partition(": ")[2])
    assert [name for name in names if name != "or"] == list(table)


@pytest.mark.parametrize(("theirs", "ours"), [("logistic", "sigmoid"), ("exp", "exponential")])
def test_scikit_learn_s_name_of_an_activation_stands_for_ours(theirs, ours):
    X, y = np.linspace(-1, 1, 12).reshape(-1, 2), np.linspace(0, 1, 6)
    models = [rs.MLPRegressor(activation=name, solver="lbfgs", max_iter=5, random_state=0) for name in (theirs, ours)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first, second = (model.fit(X, y).predict(X) for model in models)
    assert models[0].network_.layers[0].description.activation == ours
    assert first.tobytes() == second.tobytes()


def test_an_estimator_with_a_name_of_ours_can_be_taken_over():
    X, y = np.linspace(-1, 1, 12).reshape(-1, 2), np.linspace(0, 1, 6)
    model = rs.MLPRegressor(activation="sigmoid", solver="lbfgs", random_state=0).fit(X, y)
    np.testing.assert_array_equal(rs.from_sklearn(model).predict(X), model.predict(X))


NAMES = {name for table in TABLES.values() for name in table}


def _compared(tree):
    """The texts that a module compares something with; what is asked of `solver` is scikit-learn's, and no entry."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and not (isinstance(node.left, ast.Attribute) and node.left.attr == "solver"):
            for side in (node.left, *node.comparators):
                yield from (part for part in ast.walk(side) if isinstance(part, ast.Constant))
        elif isinstance(node, ast.MatchValue):
            yield from (part for part in ast.walk(node) if isinstance(part, ast.Constant))


def test_no_module_asks_whether_an_entry_has_a_certain_name():
    root = Path(rs.__file__).parent
    found = [
        f"{path.relative_to(root)}:{text.lineno}: {text.value!r}"
        for path in root.rglob("*.py")
        for text in _compared(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text.value, str) and text.value in NAMES
    ]
    assert not found
