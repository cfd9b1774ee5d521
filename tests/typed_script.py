"""What a user writes, as `mypy --strict` has to let it through; `test_types.py` asks it to."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import reseau as rs
from reseau.arrays import FloatArray
from reseau.names import ActivationName


def network(activation: ActivationName = "tanh") -> rs.Network:
    hidden = [rs.Dense(8, activation, init="he_normal", dropout=0.1), rs.LayerNorm(), rs.PReLU()]
    return rs.Network(*hidden, rs.Residual(rs.Dense(8, "gelu")), rs.Dense(2), loss="cross_entropy", inputs=3, seed=0)


def scaled(O: npt.NDArray[np.float32], T: npt.NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
    return (O - T) ** 2, 2 * (O - T)


def error(T: FloatArray, O: FloatArray) -> float:
    return float(np.abs(T - O).max())


class Tensor:
    def __array__(self) -> npt.NDArray[np.float32]:
        return np.ones((3, 3), np.float32)


class Told(rs.Callback):
    def on_epoch_end(self, history: rs.History) -> bool:
        return history.loss[-1] < 0.1


def trained(X: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> rs.Network:
    net = network()
    history = net.fit(
        X,
        y,
        optimizer=rs.AdamW(rs.Cosine(1e-3, warmup=0.05), weight_decay=0.01),
        epochs=3,
        batch_size=16,
        validation_data=(X, y),
        metrics=["accuracy", "auc"],
        precision="bf16x3",
        patience=2,
        callback=[Told(), lambda history: history.epochs > 1],
        checkpoint=Path("here"),
        verbose=True,
    )
    assert_type(history, rs.History)
    assert_type(history.loss, list[float])
    assert_type(history.metrics["accuracy"], list[float])
    assert_type(history.best_epoch, int | None)
    net.fit(X.tolist(), y.tolist(), optimizer="adam", validation_data=[X, y], metrics="accuracy")
    net.fit(X, y, optimizer=rs.SGD(lambda progress: 0.1 * (1 - progress), momentum=0.9))
    net.fit(rs.ArrowRows("rows.parquet", "y"), optimizer=rs.LevenbergMarquardt(goal=1e-6), metrics=error)
    return net


def looked_at(net: rs.Network, X: list[list[float]], y: list[int]) -> None:
    assert_type(net(X), FloatArray)
    assert_type(net(Tensor()), FloatArray)
    assert_type(net([np.ones(3), np.ones(3)]), FloatArray)
    assert_type(net([(Fraction(1, 2), True, 3)]), FloatArray)
    assert_type(net.predict(X, threads=1), FloatArray)
    assert_type(net.errors(X, y), FloatArray)
    assert_type(net.evaluate(X, y, metrics=("mae", "r2")), dict[str, float])
    assert_type(net.gradient(X, y)[0], tuple[FloatArray | None, ...])
    assert_type(net.value_and_gradient(X, y), tuple[float, FloatArray])
    assert_type(net.jacobian(X), FloatArray)
    assert_type(net.jvp(X, [1.0, 0.0, 0.0]), FloatArray)
    assert_type(net.vjp(X, np.ones(2)), FloatArray)
    assert_type(net.hessian_vector(X, [1.0, 0.0, 0.0]), FloatArray)
    assert_type(net.activations(X), list[FloatArray])
    assert_type(net.layer_gradients(X, y), list[FloatArray])
    assert_type(net.step(X, y, learning_rate=0.5), float)
    assert_type(net.parameters, FloatArray)
    assert_type(net.n_parameters, int)
    assert_type(net.summary(X), str)
    first = net.layers[0]
    assert_type(first.W, FloatArray)
    assert_type(first.b, FloatArray | None)
    assert_type(net.layers[1].gamma, FloatArray)
    assert_type(first.tensors["W"], FloatArray)
    first.W = [[0.0] * 8] * 3
    first.b = np.zeros(8)
    first.W[0, 0] = 1.0
    net.loss = "squared_error"
    net.loss = rs.Huber(1.5)
    net.loss = scaled
    rs.Network(rs.Dense(7, groups=[3, 4]), loss="cross_entropy")
    other = rs.Network(rs.Dense(1), loss=net.loss, dtype=np.float64, engine="reference")
    assert_type(other, rs.Network)


def at_the_blackboard(net: rs.Network) -> str:
    board = net.blackboard([[1, 2, 3]], [1], learning_rate=0.5, lang="fr", focus={"rows": 0})
    assert_type(board.dW1, FloatArray)
    assert_type(board["E"], FloatArray)
    assert_type(board.steps[0].W1_new, FloatArray)
    assert_type(board.errors, FloatArray)
    assert_type(board.difference, float | None)
    return f"{board.to_html()}{board.to_latex()}"


def estimators(X: npt.NDArray[np.float64], y: list[str]) -> Iterator[float]:
    model = rs.MLPClassifier(
        (16, 8),
        activation="logistic",
        solver="adam",
        learning_rate="adaptive",
        random_state=np.random.RandomState(0),
        early_stopping_metric="loss",
        class_weight={"a": 2.0},
        loss=rs.Focal(1.5),
    )
    assert_type(model.fit(X, y, X_val=X, y_val=y), rs.MLPClassifier)
    assert_type(model.partial_fit(X, y, classes=["a", "b"]), rs.MLPClassifier)
    assert_type(model.predict_proba(X), FloatArray)
    assert_type(model.decision_function(X), FloatArray)
    assert_type(model.predict(X).shape, tuple[Any, ...])
    assert_type(model.classes_.shape, tuple[Any, ...])
    assert_type(model.jacobian(X), FloatArray)
    assert_type(model.network_, rs.Network)
    assert_type(model.loss_curve_, list[float])
    assert_type(model.coefs_[0], FloatArray)
    yield model.score(X, y)
    regressor = rs.MLPRegressor("gaussian", hidden_layers=[rs.Dense(8)], optimizer=rs.Adam(0.01), n_iter_no_change=5)
    assert_type(regressor.fit(X, X[:, 0]), rs.MLPRegressor)
    assert_type(regressor.predict(X), FloatArray)
    assert_type(regressor.predict_std(X), FloatArray)
    yield regressor.set_params(alpha=0.1).score(X, X[:, 0])


def tables() -> None:
    model = rs.TableModel.train("penguins.csv", "species", preset="fast", metrics="mcc", seed=3)
    assert_type(model, rs.TableModel)
    predictions = model.predict({"island": ["Dream"]})
    assert_type(predictions.notes, tuple[str, ...])
    assert_type(model.histories, tuple[rs.History, ...])
    data = rs.TableData("penguins.csv", "species", columns={"island": "category"})
    net = rs.Network(rs.Dense(4), rs.Dense(3), loss="cross_entropy")
    histories = rs.fit_many([net], data.X, data.y, epochs=[3], optimizer=["adam"], precision=[None])
    assert_type(histories, list[rs.History])
    classifier = rs.TableClassifier(preset="best", activation="relu", class_weight="balanced", random_state=0)
    assert_type(classifier.fit(data.X, data.y), rs.TableClassifier)
    assert_type(classifier.predict_proba(data.X), npt.NDArray[np.float32])
    regressor = rs.TableRegressor(loss="huber", layers=(16,))
    assert_type(regressor.fit(data.X, data.y).predict(data.X), npt.NDArray[np.float64])


def kept(net: rs.Network) -> None:
    net.save("net.reseau")
    again: rs.Network = rs.load("net.reseau")
    assert_type(again, rs.Network)
    rs.to_onnx(net, "net.onnx", dtype="float32")
    assert_type(rs.from_onnx("net.onnx"), rs.Network)
    assert_type(rs.Ensemble([net, net])([[1.0, 2.0, 3.0]]), FloatArray)
    found = rs.find_learning_rate(net, [[1.0, 2.0, 3.0]], [0])
    assert_type(found.suggestion, float)
