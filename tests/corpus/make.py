"""Makes the corpus of a format version: a model file of every kind, and what each predicted when it was written.

python tests/corpus/make.py writes into the folder of the present version what is not there yet: what is there is never
written again, since it stands for the files that users have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import reseau as rs
from reseau.files.model_file import FORMAT_VERSION
from reseau.training.checkpoints import NAME
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise

FOLDER = Path(__file__).parent / f"v{FORMAT_VERSION}"
ROWS = 60


def networks(X: Any) -> dict[str, rs.Network | rs.Ensemble]:
    """Networks of both precisions, with every activation, without bias, with dropout; and several as one."""
    chain = [rs.Dense(3, name) for name, entry in ACTIVATIONS.items() if isinstance(entry, Elementwise)]
    every = rs.Network(*chain, rs.Dense(2, "softmax"), loss="cross_entropy", inputs=4, seed=1)
    every.parameters[...] *= 0.7
    lecture = rs.Network(rs.Dense(2, "sigmoid", bias=False), inputs=4, dtype="float64", seed=2)
    dropout = rs.Network(rs.Dense(5, "tanh", dropout=0.25, init="he_normal"), rs.Dense(1, "identity"), seed=3)
    dropout.fit(X, X[:, :1], epochs=2)
    members = [rs.Network(rs.Dense(n, "tanh"), rs.Dense(2), loss="cross_entropy", inputs=4, seed=n) for n in (3, 3, 4)]
    return {"every_activation": every, "lecture": lecture, "dropout": dropout, "ensemble": rs.Ensemble(members)}


def estimators(X: Any) -> dict[str, Any]:
    """Estimators of every kind of target."""
    options = {"hidden_layer_sizes": (5,), "max_iter": 4, "tol": 0.5, "n_iter_no_change": 1}
    labels = np.array(["ga", "bu", "zo"])[np.arange(ROWS) % 3]
    indicators = (X[:, :3] > 0).astype(int)
    return {
        "classifier": rs.MLPClassifier(random_state=np.random.RandomState(5), **options).fit(X, labels),
        "classifier_float32": rs.MLPClassifier(solver="sgd", **options).fit(X.astype(np.float32), X[:, 0] > 0),
        "classifier_several": rs.MLPClassifier(early_stopping=True, **options).fit(X, indicators),
        "regressor": rs.MLPRegressor(activation="gelu", solver="lbfgs", max_iter=3000, tol=0.1).fit(X, X[:, :2]),
        "regressor_poisson": rs.MLPRegressor("poisson", **{**options, "n_iter_no_change": np.inf, "tol": 9.0}).fit(
            X, np.arange(ROWS) % 4
        ),
    }


def pipelines(X: Any) -> dict[str, Any]:
    """Pipelines of every scaler."""
    options = {"hidden_layer_sizes": (3,), "max_iter": 4, "tol": 0.5, "n_iter_no_change": 1, "random_state": 6}
    labels = np.array([7, -2])[np.arange(ROWS) % 2]
    inner = Pipeline([("low", MinMaxScaler((-1, 2), clip=True)), ("nothing", "passthrough"), ("large", MaxAbsScaler())])
    several = make_pipeline(inner, RobustScaler(), FunctionTransformer(), rs.MLPRegressor(**options))
    return {
        "pipeline": make_pipeline(StandardScaler(), rs.MLPClassifier(**options)).fit(X, labels),
        "pipeline_of_pipelines": several.fit(X.astype(np.float32), X[:, :2]),
    }


def table(rng: np.random.Generator) -> pa.Table:
    """A table with columns of every kind."""
    day = np.datetime64("2024-01-15") + np.arange(ROWS) * 5
    mass: list[Any] = [None if row % 11 == 0 else f"{value:.3f}" for row, value in enumerate(rng.normal(3, 1, ROWS))]
    return pa.table(
        {
            "code": [f"id-{row}" for row in range(ROWS)],
            "day": [str(value) for value in day],
            "island": [["Dream", "Biscoe", "Île"][row % 3] if row else "rare" for row in range(ROWS)],
            "mass": mass,
            "tagged": [row % 2 == 0 for row in range(ROWS)],
            "species": [["Adelie", "Gentoo"][row % 5 > 1] for row in range(ROWS)],
            "length": [float(row % 7) + 0.25 for row in range(ROWS)],
        }
    )


def main() -> None:
    """Write what is missing in the folder."""
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(ROWS, 4)), 3)
    known = FOLDER / "predictions.json"
    predictions: dict[str, Any] = json.loads(known.read_text()) if known.exists() else {"X": X[:5].tolist()}
    before = set(predictions)
    for name, model in {**networks(X), **estimators(X), **pipelines(X)}.items():
        if name not in before:
            rs.save(model, FOLDER / f"{name}.reseau")
            predictions[name] = predicted(model, X[:5]).tolist()
    if "table_classes" not in before:
        tables_and_checkpoint(rng, X, predictions)
    if "as_written_classes" not in before:
        tables_as_written(rng, predictions)
    if "table_ensemble" not in before:
        table_of_an_ensemble(predictions)
    known.write_text(json.dumps(predictions, indent=1) + "\n")


def predicted(model: Any, X: Any) -> Any:
    """What the corpus keeps of a model: outputs, probabilities or numbers."""
    if isinstance(model, rs.Network | rs.Ensemble):
        return model(X)
    last = model[-1] if isinstance(model, Pipeline) else model
    method = "predict_proba" if hasattr(last, "classes_") else "predict"
    return getattr(model, method)(X.astype(last.network_.dtype))


def tables_and_checkpoint(rng: np.random.Generator, X: Any, predictions: dict[str, Any]) -> None:
    """The table models, and a checkpoint."""
    rows = table(rng)
    pyarrow.csv.write_csv(rows.slice(0, 5), FOLDER / "table.csv")
    for name, target in (("table_classes", "species"), ("table_quantity", "length")):
        model = rs.TableModel.train(rows, target, layers=(4,), epochs=3)
        model.save(FOLDER / f"{name}.reseau")
        found = model.predict(FOLDER / "table.csv")
        predictions[name] = found.values.to_pylist() if found.probabilities is None else found.probabilities.tolist()
    net = rs.Network(rs.Dense(3, "relu"), rs.Dense(2, "relu"), seed=7)
    options = {"validation_data": (X[50:], X[50:, :2]), "keep_best": True, "epochs": 3}
    net.fit(X[:50], X[:50, :2], checkpoint=FOLDER, **options)
    (FOLDER / NAME).rename(FOLDER / "checkpoint.reseau")
    predictions["checkpoint"] = rs.load(FOLDER / "checkpoint.reseau")(X[:5]).tolist()


def tables_as_written(rng: np.random.Generator, predictions: dict[str, Any]) -> None:
    """Table models of columns as people write them, far out values and what the user says of them."""
    day = np.datetime64("2024-01-15") + np.arange(ROWS) * 5
    size = rng.lognormal(3, 2, ROWS)
    columns = {
        "price": [f"{value:,.2f}".translate(str.maketrans(",.", " ,")) + " €" for value in size],
        "postcode": [["01000", "75001", "2A004"][row % 3] for row in range(ROWS)],
        "new": ["n.d." if row == 4 else ["oui", "non"][row % 2] for row in range(ROWS)],
        "sold": [f"{value.item():%d/%m/%y}" if row else "9999-12-31" for row, value in enumerate(day)],
        "at": [f"{row % 24}h{row % 60:02}" for row in range(ROWS)],
        "state": [["NA", "good", "poor", "-9"][row % 4] for row in range(ROWS)],
        "score": ["-9999" if row % 13 == 0 else f"{value:.2f}" for row, value in enumerate(rng.normal(size=ROWS))],
        "grade": [["None", "low", "high"][row % 3] for row in range(ROWS)],
        "margin": [f"{value:.1f} %".replace(".", ",") for value in 10 + np.log(size)],
    }
    rows = pa.table(columns)
    pyarrow.csv.write_csv(rows.slice(0, 5), FOLDER / "as_written.csv")
    asked = {"missing": [-9999], "text": ["state"], "layers": (4,), "epochs": 3}
    for name, target in (("as_written_classes", "grade"), ("as_written_quantity", "margin")):
        model = rs.TableModel.train(rows, target, **asked)
        model.save(FOLDER / f"{name}.reseau")
        found = model.predict(FOLDER / "as_written.csv")
        predictions[name] = found.values.to_pylist() if found.probabilities is None else found.probabilities.tolist()


def table_of_an_ensemble(predictions: dict[str, Any]) -> None:
    """A table model whose network is an ensemble."""
    rows = table(np.random.default_rng(1))
    models = [rs.TableModel.train(rows, "species", preset="fast", layers=(4,), epochs=3, seed=seed) for seed in (0, 1)]
    model = models[0]
    model.network = rs.Ensemble([one.network for one in models])
    model.save(FOLDER / "table_ensemble.reseau")
    found = model.predict(FOLDER / "table.csv").probabilities
    assert found is not None
    predictions["table_ensemble"] = found.tolist()


if __name__ == "__main__":
    main()
