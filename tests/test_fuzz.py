"""Every public callable with drawn arguments: nothing but success, an error of ours, or a plain word of Python's.

Run as a script, this draws as many as wanted, from a seed, and lists what was neither:

    python tests/test_fuzz.py 100000 7
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import random
import re
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

import reseau as rs
from reseau.blackboard import Names
from reseau.vocabulary.layers import Layer
from reseau.vocabulary.least_squares import LEAST_SQUARES
from reseau.vocabulary.losses import Loss
from reseau.vocabulary.optimizers import OPTIMIZERS
from reseau.vocabulary.schedules import SCHEDULES
from reseau.vocabulary.schedules.function import Function

ROWS, COLUMNS = 12, 3
DRAWS = 20_000

X = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
LABELS = np.arange(ROWS) % 3
NUMBERS = X[:, 0] ** 2
FRAME = pd.DataFrame(
    {"length": X[:, 0], "width": X[:, 1], "kind": ["a", "b", "c", "a"] * 3, "size": np.arange(ROWS) * 2.5}
)

with warnings.catch_warnings():  # of matrices, of which SciPy silences NumPy only where it is imported first
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.matrix(X)

# --- what is drawn ----------------------------------------------------------------------------------------------------


class Odd:
    """An object like none that is expected."""

    def __repr__(self) -> str:
        return "Odd()"


class Failing:
    """An array of another library that NumPy cannot read."""

    shape, requires_grad, dtype, device = (ROWS, COLUMNS), True, "torch.bfloat16", "cuda:0"

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("no numbers for NumPy")

    def __len__(self) -> int:
        return ROWS


def holding(value: Any) -> Any:
    array = X.astype(object)
    array[5, 1] = value
    return array


# Whole numbers large enough to let a training run for ever stand apart.
LARGE: list[Any] = [10**30, 2**63, 2**40]  # beyond any memory
SCALARS: list[Any] = [
    *(None, True, False, 0, 1, 2, 3, -1, 7, 0.5, 1.0, -0.5, 1e300, float("nan"), float("inf"), -0.0, 1j),
    *("", "abc", "relu", "adam", "é", "x\0y", "a/b", b"bytes", Fraction(1, 3), Decimal("0.1")),
    *(
        np.float32(0.1),
        np.int64(2),
        np.bool_(True),
        np.str_("tanh"),
        np.array(3),
        np.array("abc"),
        np.datetime64("2020"),
    ),
    *(int, len, Odd(), Odd, ..., NotImplemented, range(3), slice(2), pd.NA, pd.NaT, np.ma.masked, np.dtype("f4")),
    *([], (), {}, set(), [1], (1, 2), [None], ["a", "b"], {"a": 1}, {1, 2}, [[1], [1, 2]], [1, "a"], (0.5, 2), [[]]),
]
ARRAYS: list[Any] = [
    *(X.astype(dtype) for dtype in ("f4", ">f8", "f2", "g", "i1", "u8", "?", "c16", "U", "S", "O", "M8[s]", "m8[s]")),
    *(
        X[:5],
        X[:, :2],
        X[0],
        X[:, 0],
        X[None],
        X[:0],
        X[:, :0],
        X.T,
        X[::-1, ::-1],
        np.asfortranarray(X),
        X[:, [0, 0, 1, 2]],
    ),
    *(np.zeros(0), np.array(1.0), np.array(None), MATRIX, np.zeros(ROWS, [("a", "f8"), ("b", "i4")])),
    *(
        holding(value)
        for value in (np.nan, "x", "1", None, pd.NA, 1j, {}, [1], np.ones(2), Odd(), 10**400, Fraction(1, 3))
    ),
    *(np.where(X > 1, value, X) for value in (np.nan, np.inf, -np.inf, 1e300, 1e-300)),
    *(np.ma.masked_array(X), np.ma.masked_array(X, mask=X > 1), list(np.ma.masked_array(X, mask=X > 1))),
    *(X.tolist(), [[1, 2, 3]] * ROWS, [["a", "b", "c"]] * ROWS, [X[0], X[1, :2]], iter(X), (row for row in X)),
    *(sp.csr_matrix(X), sp.csc_array(X > 0), sp.coo_matrix(X * 1j), sp.coo_array(X[0]), sp.csr_matrix((ROWS, 0))),
    *(
        pd.DataFrame(X),
        pd.DataFrame(X, columns=list("aab")),
        pd.DataFrame(X > 0).astype("Sparse[bool]"),
        pd.Series(X[:, 0]),
    ),
    *(
        pd.DataFrame({"a": [1, None] * 6}, dtype="Int64"),
        pd.DataFrame(),
        FRAME,
        FRAME[:0],
        pl.DataFrame(X),
        pl.Series(X[:, 0]),
    ),
    *(
        pl.DataFrame(X).lazy(),
        pa.table({"a": X[:, 0]}),
        pa.array(X[:, 0]),
        pl.DataFrame({"a": [None] * ROWS}),
        Failing(),
    ),
    *(
        LABELS,
        LABELS.astype("u1"),
        LABELS.astype(str),
        LABELS * 1.0,
        LABELS - 1,
        LABELS[:5],
        np.eye(3)[LABELS],
        NUMBERS,
    ),
    *(
        np.full(ROWS, 2**63, "u8"),
        np.zeros(ROWS),
        LABELS.astype(object),
        pd.Series(LABELS, dtype="category"),
        LABELS == 1,
    ),
    *(np.array(["a", None, 1] * 4, object), np.array([np.nan, 1.0, 2.0] * 4), LABELS[:, None], np.eye(3)[LABELS] * 0.9),
]
PATHS: list[Any] = [
    *(
        "out.reseau",
        "out.c",
        "out.onnx",
        "missing/out.c",
        "folder",
        "folder.c",
        "",
        "x\0y.c",
        "n" * 300 + ".c",
        "\udcff.c",
    ),
    *(Path("out.reseau"), Path("folder"), b"out.c", io.BytesIO(), 3, None, "other.txt", "model.reseau", "model.onnx"),
]
OBJECTS: list[Any] = [
    *(
        rs.Dense(2),
        rs.Dense(2, "softmax"),
        rs.SGD(),
        rs.Adam(0.1),
        rs.History(),
        rs.Network(rs.Dense(1)),
        rs.MLPClassifier(),
    ),
]
POOL = [*SCALARS, *ARRAYS, *PATHS, *OBJECTS]

# What a parameter of that name takes; others, and now and then these, are drawn from the pool.
GOOD: dict[str, list[Any]] = {
    "X": [X, X.astype("f4"), pd.DataFrame(X, columns=list("abc")), sp.csr_matrix(X), X.tolist()],
    "y": [LABELS, NUMBERS, NUMBERS[:, None], np.eye(3)[LABELS]],
    "data": [FRAME, pl.DataFrame(FRAME.to_dict("list")), "table.csv", "missing.csv"],
    "sample_weight": [None, np.ones(ROWS), np.arange(ROWS)],
    "validation_data": [None, (X, LABELS), (X, NUMBERS), (X, "y"), (1, 2, 3), [X, LABELS]],
    "optimizer": [None, rs.SGD(0.1), rs.Adam(), rs.RMSprop()],
    "epochs": [1, 2],
    "steps": [1, 2],
    "max_iter": [1, 2],
    "max_fun": [5],
    "batch_size": [4, 32, None],
    "layers": [(), (3,)],
    "threads": [None, 1, 2],
    "loss": ["squared_error", "cross_entropy", "binary_cross_entropy", "poisson", None],
    "inputs": [COLUMNS, None, 1],
    "hidden_layer_sizes": [(3,), 2, (), (2, 2)],
    "activation": ["relu", "tanh", "softmax", "logistic"],
    "target": ["kind", "size", "width", NUMBERS, None],
    "path": PATHS,
    "model": [rs.Network(rs.Dense(1), inputs=2), "model.onnx", rs.MLPClassifier()],
    "lang": ["en", "fr"],
    "row": [1, 2, ROWS],
    "solver": ["adam", "sgd", "lbfgs"],
    "callback": [None, lambda history: None, lambda history: history.epochs == 1, [rs.Callback()]],
    "metrics": [(), "accuracy", ("mse", "r2"), lambda T, O: 0.5],
    "patience": [None, 1],
    "min_delta": [0.0, 0.1],
    "verbose": [False, 0],
    "progress": [None, lambda *told: None],
    "checkpoint": [None, "run"],
    "learning_rate": [0.1, 0.01, None, "constant"],
    "classes": [[0, 1, 2], None],
    "ignore": [(), "width", ["width", "length"]],
    "task": [None, "classification", "regression"],
    "shuffle": [True, False],
    "precision": [None, "bf16", "bf16x3", "bf16x6"],
    "bounds": [(0.0, 10.0), (float("-inf"), float("inf"))],
    "history": [rs.History([1.0, 0.5], [], 0.1, None, learning_rate=[0.1, 0.1])],
    "y_true": [NUMBERS, X[:, :2], np.where(X > 1, np.nan, X)[:, :2]],
    "y_pred": [X[:, 0], X[:, :2]],
    "x": [X[:, 0]],
    "errors": [X[:, 0]],
    "states": [{"mu": [1.0, 0.5], "gamma": [3.0, 2.0]}],
    "names": [None, Names(["a", "b", "c"], ["o"])],
}
UNBOUNDED = {"epochs", "steps", "max_iter", "max_fun", "n_iter_no_change", "neurons", "hidden_layer_sizes", "layers"}

# What other files of the project call with what they have made, and scikit-learn's own.
INTERNAL = {
    "trainer",
    "from_description",
    "from_flat",
    "own_parameters",
    "architecture_on",
    "build_as",
    "check_fits",
    "init",
    "update",
    "scalars",
    "n_parameters",
    "on_fit_begin",
    "on_epoch_end",
    "on_fit_end",
}
INTERNAL |= {"evidence_of", "label_of", "rows_of"}  # what pictures ask of models of tables
INTERNAL |= {"truth", "values"}  # ... and what the studio asks of the arrays of a table
INTERNAL |= {
    "check_text",
    "heading",
    "in_decimals",
    "language",
    "lines",
    "of_step",
    "template",
}  # and sheets of an exercise
INTERNAL |= {"rates", "times"}  # what the loop asks of a schedule
INTERNAL |= {"blocks", "check_same", "held", "frame", "refuse"}  # ... and of rows that stay on disk
INTERNAL |= {name for name in vars(Layer) if not name.startswith("_")}  # what engines, exports and boards ask of a kind
INTERNAL |= {
    "get_params",
    "get_metadata_routing",
    "score",
    *(f"set_{name}_request" for name in ("fit", "partial_fit", "score")),
}


@dataclass
class Subject:
    """Something public to be called, how often, and what it may change."""

    name: str
    call: Callable[[random.Random], tuple[Callable[..., Any], Any]]  # the callable, and the object it belongs to
    share: float = 1.0


def networks() -> list[Any]:
    """Networks of each kind, one of them not yet built."""
    return [
        rs.Network(rs.Dense(3, "tanh"), rs.Dense(3, "softmax"), loss="cross_entropy", inputs=COLUMNS, seed=0),
        rs.Network(rs.Dense(2, "relu"), rs.Dense(1, "identity"), inputs=COLUMNS, seed=0, dtype="float64"),
        rs.Network(rs.Dense(1, "sigmoid"), loss="binary_cross_entropy", inputs=COLUMNS, seed=0, engine="reference"),
        rs.Network(rs.Dense(1, "identity"), seed=0),
    ]


def estimators() -> list[Any]:
    """Estimators of each kind, fitted and not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings: dict[str, Any] = {"hidden_layer_sizes": (3,), "max_iter": 2, "max_fun": 5, "random_state": 0}
        return [
            rs.MLPClassifier(**settings),
            rs.MLPClassifier(**settings).fit(X, LABELS),
            rs.MLPClassifier(**settings, early_stopping=True, validation_fraction=0.3).fit(X, LABELS > 0),
            rs.MLPClassifier(**settings).fit(pd.DataFrame(X, columns=list("abc")), LABELS.astype(str)),
            rs.MLPRegressor(**settings),
            rs.MLPRegressor(**settings).fit(X, NUMBERS),
            rs.MLPRegressor(**settings, solver="lbfgs").fit(X, X[:, :2]),
        ]


def methods(kind: type) -> list[str]:
    """The public methods, and the call itself where there is one."""
    if issubclass(kind, Loss):  # what engines and boards ask of one
        return []
    names = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name, None))]
    return [name for name in names if name not in INTERNAL] + ["__call__"] * ("__call__" in vars(kind))


HEAVY = {"fit": 1.0, "partial_fit": 1.0, "to_onnx": 0.1, "to_c": 0.3, "blackboard": 0.2, "train": 0.4, "plot": 0.02}
HEAVY |= {
    "variants": 0.1,
    "from_estimator": 0.02,
    "from_predictions": 0.02,
    "from_history": 0.02,
    "from_onnx": 0.3,
    "from_torch": 0.3,
    "from_keras": 0.3,
}


def subjects() -> list[Subject]:
    """All of `reseau.__all__`: functions, classes, and the methods of their objects."""
    table = rs.TableModel.train(FRAME, "size", preset="fast", epochs=1, layers=(2,))
    quick: dict[str, Any] = {"preset": "fast", "epochs": 1, "layers": (2,)}
    drawing = rs.NetworkDisplay(weights=[X[:2]], biases=[None], activations=["tanh"])
    pools: dict[type, list[Any]] = {
        rs.Network: networks(),
        rs.MLPClassifier: estimators()[:4],
        rs.MLPRegressor: estimators()[4:],
        rs.TableModel: [table],
        rs.TableData: [rs.TableData(FRAME, "size", held_out=0.2)],
        rs.TableClassifier: [rs.TableClassifier(**quick), rs.TableClassifier(**quick).fit(X, LABELS)],
        rs.TableRegressor: [rs.TableRegressor(**quick), rs.TableRegressor(**quick).fit(X, NUMBERS)],
        rs.Ensemble: [rs.Ensemble([networks()[0]]), rs.Ensemble([networks()[1], networks()[1]])],
        rs.NetworkDisplay: [drawing],
        rs.LossCurveDisplay: [rs.LossCurveDisplay(loss=[1.0, 0.5], validation_loss=[])],
        rs.TrainingStateDisplay: [rs.TrainingStateDisplay(states={"mu": [1.0, 0.5]})],
        rs.ErrorHistogramDisplay: [rs.ErrorHistogramDisplay(errors=X[:, 0])],
        rs.RegressionDisplay: [rs.RegressionDisplay(y_true=NUMBERS, y_pred=X[:, 0])],
        rs.DecisionBoundaryDisplay: [rs.DecisionBoundaryDisplay(xx0=[0, 1], xx1=[0, 1], response=[[0, 1], [1, 0]])],
        rs.FitDisplay: [rs.FitDisplay(x=X[:, 0], y_true=NUMBERS, y_pred=X[:, 1])],
        rs.ImportanceDisplay: [rs.ImportanceDisplay(importance=table.importance(repeats=1))],
        rs.EffectDisplay: [rs.EffectDisplay(effect=table.effect(FRAME, "length", lines=2))],
        rs.ExplanationDisplay: [rs.ExplanationDisplay(explanation=table.explain(FRAME))],
        rs.CalibrationDisplay: [rs.CalibrationDisplay(y_true=[0, 1], y_prob=[0.2, 0.7])],
        rs.Exercise: [rs.exercise(seed=1), rs.exercise("2-2", "softmax", loss="cross_entropy", rows=2, steps=2)],
        rs.Dense: [rs.Dense(2)],
        rs.LayerNorm: [rs.LayerNorm()],
        rs.PReLU: [rs.PReLU()],
        rs.Dropout: [rs.Dropout(0.5)],
        rs.Residual: [rs.Residual(rs.Dense(2))],
        rs.History: [rs.History([1.0], [], 0.1, None)],
        **{kind: [kind(0.1)] for kind in (*OPTIMIZERS.values(), *SCHEDULES.values()) if kind is not Function},
        **{kind: [kind()] for kind in LEAST_SQUARES.values()},
    }
    found = []
    for name in rs.__all__:
        public = getattr(rs, name)
        if isinstance(public, type) and issubclass(public, BaseException):
            continue
        if not callable(public):
            continue
        if public is not rs.TableModel:  # which `train` makes
            found.append(Subject(name, lambda draw, public=public: (public, None), HEAVY.get(name, 1.0)))
        if not isinstance(public, type):
            continue
        for method in methods(public):
            share = HEAVY.get(method, 1.0)

            def call(
                draw: random.Random, public: type = public, method: str = method
            ) -> tuple[Callable[..., Any], Any]:
                if public not in pools:  # of the class itself
                    return getattr(public, method), None
                thing = copy.deepcopy(draw.choice(pools[public]))
                return getattr(thing, method), thing

            found.append(Subject(f"{name}.{method}", call, share))
    return found


# --- how an outcome is judged -----------------------------------------------------------------------------------------

PLAIN = re.compile(
    "unexpected keyword argument|takes no arguments|missing .*argument|takes .*positional argument|multiple values for"
    "|required positional"
)
NOT_OURS = re.compile(
    "encountered in|invalid value|divide by zero|Conversion of an array|discard|elementwise|ragged|mismatch"
)


def objection(error: BaseException) -> str | None:
    """Why an error should not have reached a user, or None."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename.replace(os.sep, "/")
    if isinstance(error, rs.ReseauError | NotFittedError | OSError):
        return None
    if isinstance(error, TypeError) and PLAIN.search(str(error)) and "nanobind" not in str(error):
        return None
    if isinstance(error, ValueError | TypeError | AttributeError) and "/sklearn/" in last:  # of y, by its contract
        return None
    return str(error)[:150]


def noise(said: warnings.WarningMessage) -> str | None:
    """Why a warning should not have reached a user, or None."""
    text = str(said.message)
    ours = issubclass(said.category, UserWarning | RuntimeWarning) and not NOT_OURS.search(text)
    return None if ours else f"{said.category.__name__}: {text[:150]}"


def state(thing: Any) -> Any:
    """What a refused call must leave as it is."""
    if isinstance(thing, rs.Network):
        return thing.built, thing.parameters.tobytes() if thing.built else None
    if isinstance(thing, rs.Ensemble):
        return [net.parameters.tobytes() for net in thing]
    if isinstance(thing, rs.TableModel):
        return thing.network.parameters.tobytes(), len(vars(thing))
    if not hasattr(thing, "get_params"):
        return repr(thing)
    names = {name for name in vars(thing) if name != "_trainer"}
    if not names & {"_network", "model_"}:
        return names
    samples = pd.DataFrame(X, columns=list("abc")) if hasattr(thing, "feature_names_in_") else X
    try:
        return names, np.asarray(thing.predict(samples)).tobytes(), str(getattr(thing, "classes_", None))
    except Exception as error:
        return names, str(error)


def arguments(call: Callable[..., Any], draw: random.Random) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by the signature: most of them good, one or two from the pool."""
    import inspect

    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    odd = draw.choice([0, 1, 1, 1, 2, 2, 5])
    strange = set(draw.sample(range(len(parameters)), min(odd, len(parameters)))) if parameters else set()
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for place, parameter in enumerate(parameters):
        name, needed = parameter.name, parameter.default is parameter.empty
        good = GOOD.get(name, [None if needed else parameter.default])
        pool = POOL if name in UNBOUNDED else [*POOL, *LARGE]
        value = draw.choice(pool) if place in strange else draw.choice(good)
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [draw.choice([*OBJECTS[:2], value]) for _ in range(draw.randint(0, 3))]
        elif parameter.kind is parameter.VAR_KEYWORD:
            key = draw.choice(
                ["epochs", "layers", "learning_rate", "epoch", "seed", "test_size", "batch_size", "digits"]
            )
            if draw.random() < 0.3:
                named[key] = draw.choice([*SCALARS, 0.1, 1])
            elif "epochs" not in named:
                named["epochs"] = 1
        elif needed or place in strange or (name in GOOD and draw.random() < 0.5):
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[name] = value
        if needed and draw.random() < 0.01:
            named.pop(name, None)
    if draw.random() < 0.01:
        named["unheard_of"] = 1
    return positional, named


def prepare(folder: Path) -> None:
    """Put files where the drawn paths may find some."""
    (folder / "folder").mkdir()
    (folder / "folder.c").mkdir()
    networks()[0].save(folder / "model.reseau")
    networks()[0].to_onnx(folder / "model.onnx")
    (folder / "other.txt").write_text("no model\n")
    FRAME.to_csv(folder / "table.csv", index=False)


def shown(positional: list[Any], named: dict[str, Any]) -> str:
    cells = [repr(value) for value in positional] + [f"{name}={value!r}" for name, value in named.items()]
    return ", ".join(re.sub(r"\s+", " ", cell)[:60] for cell in cells)


def fuzz(draws: int, seed: int) -> Iterator[tuple[str, str]]:
    """Call everything so many times; yield what was wrong, and the first call that showed it."""
    draw = random.Random(seed)
    everything = subjects()
    chosen = draw.choices(everything, [subject.share for subject in everything], k=draws)
    met: Counter[str] = Counter()
    for subject in chosen:
        try:
            call, thing = subject.call(draw)
        except AttributeError:  # a method that this object does not have, such as "lbfgs" has no partial_fit
            continue
        positional, named = arguments(call, draw)
        before = None if thing is None else state(thing)
        wrong: list[str] = []
        with warnings.catch_warnings(record=True) as said, contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("always")
            try:
                call(*positional, **named)
                failed = False
            except Exception as error:
                failed = True
                why = objection(error)
                if why is not None:
                    frames = traceback.extract_tb(error.__traceback__)
                    inside = [frame for frame in frames if "/reseau/" in frame.filename.replace(os.sep, "/")]
                    at = inside[-1] if inside else frames[-1]
                    wrong.append(f"{type(error).__name__} in {Path(at.filename).name}:{at.lineno}: {why}")
        wrong += ["a warning of another's: " + why for warning in said if (why := noise(warning)) is not None]
        if failed and thing is not None and state(thing) != before:
            wrong.append("a refused call has changed its object")
        for what in wrong:
            kind = f"{subject.name}: {what[:60].rpartition(': ')[0] or what[:40]}"
            met[kind] += 1
            if met[kind] == 1:
                yield f"{subject.name}: {what}", shown(positional, named)


@pytest.mark.slow
def test_whatever_is_passed_to_whatever_is_public_is_taken_or_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    prepare(tmp_path)
    found = list(fuzz(DRAWS, seed=0))
    assert not found, "\n".join(f"{what}\n    {call}" for what, call in found)


def main(draws: int = DRAWS, seed: int = 0) -> None:
    """List what is wrong as it is found."""
    os.environ["MPLBACKEND"] = "agg"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(Path(folder))
        for what, call in fuzz(draws, seed):
            print(f"{what}\n    {call}", flush=True)  # noqa: T201
        os.chdir("/")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
