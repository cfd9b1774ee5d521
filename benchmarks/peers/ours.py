"""Réseau."""

from __future__ import annotations

from collections.abc import Callable

from cases import LEARNING_RATES, MOMENTUM, Array, Case, Problem

import reseau as rs
from peers.peer import Peer, Setting
from reseau import engine


def network(case: Case, problem: Problem) -> rs.Network:
    """The case's network, with its weights."""
    *hidden, outputs = case.widths[1:]
    layers = [*(rs.Dense(n, case.activation) for n in hidden), rs.Dense(outputs, case.output)]
    loss = "cross_entropy" if case.output == "softmax" else "squared_error"
    net = rs.Network(*layers, loss=loss, inputs=case.widths[0], dtype=case.dtype)
    for layer, (W, b) in zip(net.layers, problem.weights, strict=True):
        layer.W[...] = W
        layer.b[...] = b
    return net


class Reseau(Peer):
    """`Network.fit`, all epochs in one call, and calling the network."""

    name = "Réseau"
    packages = ()

    def versions(self) -> dict[str, str]:
        return {"reseau": rs.__version__}

    def lacks(self, case: Case) -> str | None:
        return None

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        net, (X, y) = network(case, problem), (problem.X, problem.y)
        gamma = LEARNING_RATES[case.optimizer]
        optimizer = rs.Adam(gamma) if case.optimizer == "adam" else rs.SGD(gamma, momentum=MOMENTUM)

        def epochs(count: int) -> float:
            history = net.fit(
                X,
                y,
                optimizer=optimizer,
                epochs=count,
                batch_size=case.batch,
                shuffle=False,
                threads=setting.threads,
            )
            return float(history.loss[-1])

        return epochs

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        net, X = network(case, problem), problem.X
        if setting.threads == engine.threads():  # as it comes
            return lambda: net(X)
        return lambda: net(X, threads=setting.threads)
