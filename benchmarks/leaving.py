"""Models that leave and arrive: exported C on one row, and networks trained elsewhere that run here.

    pip install '.[bench]' && python benchmarks/leaving.py

One row at a time, as in a control loop or a service: the exported C called from C, our own call from Python, and ONNX
Runtime (one thread) from Python on the exported file. Then networks that scikit-learn, PyTorch and Keras trained: their
own predictions beside ours after `from_sklearn`, `from_torch` and `from_keras`, which have to be equal. Everybody in
turn, medians of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

import reseau as rs

SHAPES = [(4, 8, 3), (20, 64, 64, 2), (64, 128, 10), (784, 128, 10)]
COMPILERS = {"C, -O2": ["cc", "-O2"], "C, -O3 -march=native": ["cc", "-O3", "-march=native"]}
TURN = 0.05  # seconds
PAUSE = 0.02  # seconds before a turn, in which the threads of the turn before stop spinning
CLOCK = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "m.h"

int main(int count, char **words)
{
    static float x[M_INPUTS], o[M_OUTPUTS];
    long calls = count > 1 ? atol(words[1]) : 1;
    struct timespec begin, end;
    for (int i = 0; i < M_INPUTS; i++)
        x[i] = (float)i / M_INPUTS;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long c = 0; c < calls; c++) {
        m_predict(x, o);
        x[0] = o[0]; /* so that no call can be left out */
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.17g\\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / calls);
    return 0;
}
"""


def nanoseconds(call: Callable[[], object], seconds: float = TURN) -> float:
    """Of one call, over as many as fill the time."""
    count = 1
    while True:
        begin = time.perf_counter()
        for _ in range(count):
            call()
        took = time.perf_counter() - begin
        if took > seconds / 2:
            return took / count * 1e9
        count *= 4


def program(net: rs.Network, folder: Path, compiler: list[str]) -> Callable[[], float]:
    """The exported C in a program that times itself; returns what gives the nanoseconds of a call."""
    net.to_c(folder / "m.c")
    (folder / "clock.c").write_text(CLOCK)
    binary = folder / "-".join(["clock", *compiler]).replace("=", "_")
    subprocess.run(
        [*compiler, "-D_POSIX_C_SOURCE=200809L", "m.c", "clock.c", "-lm", "-o", binary], cwd=folder, check=True
    )

    def run(calls: int) -> float:
        return float(subprocess.run([binary, str(calls)], check=True, capture_output=True, text=True).stdout)

    calls = max(1, int(TURN * 1e9 / run(100)))
    return lambda: run(calls)


def one_row(shape: tuple[int, ...], rounds: int) -> dict[str, float]:
    """Nanoseconds of a row for everybody."""
    import onnxruntime

    layers = [rs.Dense(n, "relu") for n in shape[1:-1]]
    net = rs.Network(*layers, rs.Dense(shape[-1], "softmax"), loss="cross_entropy", inputs=shape[0], seed=0)
    x = np.random.default_rng(0).normal(size=(1, shape[0])).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timers: dict[str, Callable[[], float]] = {
            label: program(net, folder, compiler) for label, compiler in COMPILERS.items()
        }
        rs.to_onnx(net, folder / "m.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / "m.onnx", options)
        feed = {"X": x}
        np.testing.assert_allclose(session.run(None, feed)[0], net(x), rtol=1e-4, atol=1e-6)
        timers["Réseau from Python"] = lambda: nanoseconds(lambda: net(x))
        timers["ONNX Runtime from Python"] = lambda: nanoseconds(lambda: session.run(None, feed))
        return in_turn(timers, rounds)


def timer(call: Callable[[Any], object], rows: Any) -> Callable[[], float]:
    """What times a call with these rows."""
    return lambda: nanoseconds(lambda: call(rows))


def in_turn(timers: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of the rounds of each."""
    times: dict[str, list[float]] = {label: [] for label in timers}
    for _ in range(rounds):
        for label, timer in timers.items():
            time.sleep(PAUSE)
            times[label].append(timer())
    return {label: statistics.median(values) for label, values in times.items()}


def trained_elsewhere() -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Of each library: its own prediction of digits, and ours of the same network."""
    import keras
    import torch
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MLPClassifier((64, 64), max_iter=30, random_state=0).fit(X, y)
    ours = rs.from_sklearn(theirs)
    found = {"scikit-learn": (theirs.predict_proba, ours.predict_proba)}

    torch.manual_seed(0)
    sequential = torch.nn.Sequential(
        *(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU()),
        *(torch.nn.Linear(64, 10), torch.nn.Softmax(dim=1)),
    )
    optimizer = torch.optim.Adam(sequential.parameters(), 0.01)
    for _ in range(50):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(torch.log(sequential(torch.from_numpy(X))), torch.from_numpy(y)).backward()
        optimizer.step()
    sequential.eval()

    def of_torch(X: Any) -> Any:
        with torch.inference_mode():
            return sequential(torch.from_numpy(X)).numpy()

    found["PyTorch"] = (of_torch, rs.from_torch(sequential))

    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((64,)), dense(64, "relu"), dense(64, "relu"), dense(10, "softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(X, y, epochs=5, verbose=0)
    found["Keras"] = (model.predict_on_batch, rs.from_keras(model))
    return found


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    rounds = arguments.parse_args().rounds
    labels = [*COMPILERS, "Réseau from Python", "ONNX Runtime from Python"]
    print("One row, float32, nanoseconds\n")
    print(f"| network | {' | '.join(labels)} |\n| --- |{' ---: |' * len(labels)}")
    for shape in SHAPES:
        found = one_row(shape, rounds)
        print(f"| {'-'.join(map(str, shape))} | {' | '.join(f'{found[label]:,.0f}' for label in labels)} |")
    print("\nDigits, 64-64-64-10, trained elsewhere: their time over ours, and the largest difference\n")
    print("| trained by | one row | 1797 rows | difference |\n| --- | ---: | ---: | ---: |")
    from sklearn.datasets import load_digits

    X = (load_digits().data / 16).astype(np.float32)
    for label, (theirs, ours) in trained_elsewhere().items():
        difference = float(np.abs(theirs(X) - ours(X)).max())
        assert difference < 1e-5
        ratios = []
        for rows in (X[:1], X):
            timers = {"theirs": timer(theirs, rows), "ours": timer(ours, rows)}
            times = in_turn(timers, rounds)
            ratios.append(times["theirs"] / times["ours"])
        print(f"| {label} | {ratios[0]:.1f} | {ratios[1]:.1f} | {difference:.1e} |")


if __name__ == "__main__":
    main()
