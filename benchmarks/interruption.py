"""How soon Ctrl-C is heard: the least and the largest of several tries, and the bound, in seconds.

    pip install . && python benchmarks/interruption.py

A thread sends SIGINT to its own process, 0.2 s after the call began. It exits with 1 where even the quickest try took
longer than the bound, in the last column; a busy machine only ever adds time.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

import reseau as rs


def fit(rows: int, width: int, threads: int) -> Callable[[], object]:
    """Training without end."""
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(rows, width)).astype("float32"), rng.normal(size=(rows, 8))
    net = rs.Network(rs.Dense(width, "tanh"), rs.Dense(8, "identity"), inputs=width, seed=0, engine="native")
    return lambda: net.fit(X, T, epochs=1_000_000_000, batch_size=256, threads=threads)


def wide(width: int, rows: int) -> tuple[rs.Network, np.ndarray]:
    """A network that takes its time for these rows."""
    layer = rs.Dense(width, "gelu")
    net = rs.Network(layer, layer, rs.Dense(1), inputs=16, engine="native")
    return net, np.ones((rows, 16), dtype=np.float32)


def predict() -> Callable[[], object]:
    net, X = wide(2048, 400_000)
    return lambda: net(X, threads=1)


def differentiate() -> Callable[[], object]:
    net, X = wide(512, 4_000)
    return lambda: net.parameter_jacobian(X, threads=1)


def fit_many(epochs: int, threads: int) -> Callable[[], object]:
    """Many networks, each of which is through in no time, or without end."""
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(512, 32)).astype("float32"), rng.normal(size=(512, 8))
    nets = [rs.Network(rs.Dense(32, "tanh"), rs.Dense(8, "identity"), seed=0, engine="native") for _ in range(1000)]
    return lambda: rs.fit_many(nets, X, T, epochs=epochs, batch_size=256, threads=threads)


# What is called, and the bound. The calls may have to give back gigabytes first.
CASES: dict[str, tuple[Callable[[], Callable[[], object]], float]] = {
    "fit, short epochs, 1 thread": (lambda: fit(512, 32, 1), 0.1),
    "fit, short epochs, 2 threads": (lambda: fit(512, 32, 2), 0.1),
    "fit, long epochs, 1 thread": (lambda: fit(60_000, 256, 1), 0.1),
    "fit, long epochs, 2 threads": (lambda: fit(60_000, 256, 2), 0.1),
    "fit_many, short fits, 2 threads": (lambda: fit_many(50, 2), 0.1),
    "fit_many, long fits, 2 threads": (lambda: fit_many(1_000_000_000, 2), 0.1),
    "outputs": (predict, 0.5),
    "parameter Jacobian": (differentiate, 0.5),
}


def latency(call: Callable[[], object]) -> float:
    """From the signal to the exception."""
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        time.sleep(0.2)
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    try:
        call()
        sender.join()  # the call was over first
    except KeyboardInterrupt:
        return time.perf_counter() - sent
    raise RuntimeError("the call was over before it was interrupted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=5)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in a background job too
    late = False
    for name, (prepare, bound) in CASES.items():
        found = [latency(prepare()) for _ in range(arguments.tries)]
        late = late or min(found) > bound
        print(f"{name:<34}{min(found):8.3f}{max(found):8.3f}{bound:8.3f}", flush=True)
    if late:
        sys.exit("Ctrl-C is heard later than it may.")


if __name__ == "__main__":
    main()
