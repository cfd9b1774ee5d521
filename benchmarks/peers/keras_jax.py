"""Keras 3 on JAX."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cases import LEARNING_RATES, MOMENTUM, Case, Problem

from peers.peer import Peer, Setting

os.environ["KERAS_BACKEND"] = "jax"  # read when keras is first imported


class Keras(Peer):
    """`fit` with a whole epoch as one execution. Its threads are JAX's; inference on this backend is JAX's too."""

    name = "Keras"
    packages = ("keras", "jax")

    def settings(self, processors: int) -> list[Setting]:
        return [Setting(processors)]

    def lacks(self, case: Case) -> str | None:
        return None if case.task == "train" else "its inference on JAX is JAX's"

    @contextmanager
    def using(self, setting: Setting) -> Iterator[None]:
        import jax

        with jax.enable_x64(True):
            yield

    def forget(self) -> None:
        import keras

        keras.utils.clear_session()

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        import keras

        def gelu(Z: Any) -> Any:
            return keras.activations.gelu(Z, approximate=False)

        def squared_error(y: Any, O: Any) -> Any:
            return 0.5 * keras.ops.sum(keras.ops.square(O - y), axis=-1)

        activation = gelu if case.activation == "gelu" else case.activation
        *hidden, outputs = case.widths[1:]
        layers = [keras.layers.Dense(n, activation, dtype=case.dtype) for n in hidden]
        layers.append(keras.layers.Dense(outputs, dtype=case.dtype))
        net = keras.Sequential([keras.Input((case.widths[0],), dtype=case.dtype), *layers])
        for layer, weights in zip(layers, problem.weights, strict=True):
            layer.set_weights(list(weights))
        gamma = LEARNING_RATES[case.optimizer]
        if case.optimizer == "adam":
            optimizer = keras.optimizers.Adam(gamma, epsilon=1e-8)
        else:
            optimizer = keras.optimizers.SGD(gamma, momentum=MOMENTUM)
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        net.compile(
            optimizer,
            cross_entropy if case.output == "softmax" else squared_error,
            jit_compile=True,
            steps_per_execution=case.batches,
        )

        def epochs(count: int) -> float:
            history = net.fit(problem.X, problem.y, batch_size=case.batch, epochs=count, shuffle=False, verbose=0)
            return float(history.history["loss"][-1])

        return epochs
