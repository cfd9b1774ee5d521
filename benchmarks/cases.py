"""What is measured: networks with their data, and the work that no implementation of them can avoid."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]

LEARNING_RATES = {"adam": 0.001, "sgd": 0.0001}
MOMENTUM = 0.9
FULL_BATCH = 10_000  # rows from which on a batch is all the data
STATES = {"adam": 2, "sgd": 1}  # vectors as long as the parameters that the optimizer keeps


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes
    ----------
    task : {"train", "infer"}
        A training step on a batch, or the outputs of a batch.
    widths : tuple of int
        Inputs, neurons of each hidden layer, outputs.
    batch : int
        Rows.
    activation : {"relu", "tanh", "sigmoid", "gelu"}
        Of the hidden layers.
    output : {"softmax", "identity"}
        Activation of the last layer: softmax trains on cross-entropy, identity on ½ (t − o)² summed over the outputs.
    optimizer : {"adam", "sgd"}
        SGD has momentum.
    dtype : {"float32", "float64"}
        Of everything.
    """

    task: Literal["train", "infer"]
    widths: tuple[int, ...]
    batch: int
    activation: str = "relu"
    output: str = "softmax"
    optimizer: str = "adam"
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """Everything that tells it from the others, as one line."""
        parts = [self.task, "-".join(map(str, self.widths)), f"({self.batch})", self.activation, self.output]
        parts += [self.optimizer] if self.task == "train" else []
        return " ".join([*parts, self.dtype])

    @property
    def shape(self) -> str:
        """Widths and batch alone."""
        return f"{'-'.join(map(str, self.widths))} ({self.batch})"

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return np.dtype(self.dtype).itemsize

    @property
    def batches(self) -> int:
        """Batches of a training epoch: 16 to 512, fewer for larger networks; one where the batch is all the data."""
        if self.batch >= FULL_BATCH:
            return 1
        return max(16, min(512, int(1e9 / (self.batch * self._weights))))

    @property
    def _weights(self) -> int:
        return sum(a * b for a, b in pairwise(self.widths))

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self._weights + sum(self.widths[1:])

    @property
    def flops(self) -> int:
        """Floating-point operations of the matrix products of a step: forward, ∂E/∂W, and ∂E/∂A but of the inputs."""
        products = self._weights
        if self.task == "train":
            products = 3 * self._weights - self.widths[0] * self.widths[1]
        return 2 * self.batch * products

    @property
    def bytes(self) -> int:
        """What a step must move: the rows, and the parameters; in training these and the states are also written."""
        if self.task == "train":
            numbers = self.batch * self.widths[0] + 2 * (1 + STATES[self.optimizer]) * self.parameters
        else:
            numbers = self.batch * (self.widths[0] + self.widths[-1]) + self.parameters
        return numbers * self.itemsize

    @property
    def working_set(self) -> int:
        """Bytes that a step goes through, which say whose bandwidth counts: that of a cache or that of memory."""
        if self.task == "infer":
            return self.bytes
        return self.itemsize * (self.batch * self.widths[0] + (1 + STATES[self.optimizer]) * self.parameters)


@dataclass(frozen=True)
class Problem:
    """A case's numbers, the same for every peer.

    Attributes
    ----------
    X : ndarray of shape (rows, inputs)
        Of as many whole batches as an epoch has, or the one batch of an inference.
    y : ndarray of shape (rows,) or (rows, outputs)
        Labels (int64) for softmax, numbers for identity.
    weights : list of (W, b)
        W (n_in, n_out), b (n_out,) of each layer.
    """

    X: Array
    y: Array
    weights: list[tuple[Array, Array]]


def problem(case: Case) -> Problem:
    """Random numbers for a case, always the same."""
    rng = np.random.default_rng(0)
    rows = case.batch * (case.batches if case.task == "train" else 1)
    outputs = case.widths[-1]
    X = rng.standard_normal((rows, case.widths[0]), dtype=np.float32).astype(case.dtype, copy=False)
    if case.output == "softmax":
        y = rng.integers(0, outputs, rows)
        y[: min(rows, outputs)] = np.arange(min(rows, outputs))  # every class occurs, as scikit-learn wants it
    else:
        y = rng.standard_normal((rows, outputs)).astype(case.dtype)
    weights = [
        (rng.normal(0, a**-0.5, (a, b)).astype(case.dtype), rng.normal(0, 0.01, b).astype(case.dtype))
        for a, b in pairwise(case.widths)
    ]
    return Problem(X, y, weights)


def _train(*widths: int, batch: int, **more: str) -> Case:
    return Case("train", widths, batch, **more)


def _infer(*widths: int, batch: int, **more: str) -> Case:
    return Case("infer", widths, batch, **more)


CASES: list[Case] = [
    _train(2, 8, 2, batch=32),
    _train(2, 8, 2, batch=32, output="identity"),
    _train(4, 32, 16, 4, batch=10_000, activation="tanh"),
    _train(20, 64, 64, 2, batch=32),
    _train(20, 64, 64, 2, batch=32, output="identity"),
    _train(100, 256, 256, 10, batch=64),
    _train(100, 256, 256, 10, batch=64, activation="tanh"),
    _train(100, 256, 256, 10, batch=64, activation="sigmoid"),
    _train(100, 256, 256, 10, batch=64, activation="gelu"),
    _train(100, 256, 256, 10, batch=64, optimizer="sgd"),
    _train(100, 256, 256, 10, batch=64, dtype="float64"),
    _train(784, 512, 512, 10, batch=128),
    _train(784, 512, 512, 10, batch=128, optimizer="sgd"),
    _train(784, 512, 512, 10, batch=128, dtype="float64"),
    _train(1024, 2048, 2048, 10, batch=512),
    _train(30, 1, 1, batch=7, output="identity"),
    _train(13, 37, 5, batch=17),
    _train(13, 37, 5, batch=17, activation="tanh", optimizer="sgd", dtype="float64"),
    _train(1000, 1000, 1, batch=1, output="identity"),
    _train(1000, 1000, 1, batch=1, output="identity", optimizer="sgd"),
    _train(20, 64, 3, batch=32),
    _train(4, 64, 2, batch=64, output="identity"),  # deep Q-learning on CartPole
    _train(28, 300, 300, 300, 300, 300, 1, batch=100, activation="tanh", output="identity"),  # OpenNN's of HIGGS
    _train(64, 128, 1000, batch=64),
    _infer(2, 8, 2, batch=1, output="identity"),
    _infer(20, 64, 64, 2, batch=1, output="identity"),
    _infer(20, 64, 64, 2, batch=1, output="identity", dtype="float64"),
    _infer(13, 37, 5, batch=1, activation="tanh"),
    _infer(100, 256, 256, 10, batch=1),
    _infer(784, 512, 512, 10, batch=1, output="identity"),
    _infer(20, 64, 64, 3, batch=1000),
    _infer(64, 128, 1000, batch=1000),
    _infer(100, 256, 256, 10, batch=10_000),
    _infer(100, 256, 256, 10, batch=10_000, activation="gelu"),
    _infer(784, 512, 512, 10, batch=10_000),
    _infer(784, 512, 512, 10, batch=1000, dtype="float64"),
    _infer(1024, 2048, 2048, 10, batch=4096),
    _infer(100, 256, 256, 10, batch=1_000_000),
]
