"""Each precision against float32: the time of a training step and of many rows' outputs, in turn.

    pip install . && python benchmarks/precision.py

The same network, data and optimizer (Adam); ratios of medians. What it means for the accuracy,
`python benchmarks/fashion_mnist.py` shows on a real data set.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import reseau as rs
from reseau import engine
from reseau.vocabulary.precisions import PRECISIONS

SHAPES = [((20, 64, 64, 2), 32), ((100, 256, 256, 10), 64), ((784, 512, 512, 10), 128), ((1024, 2048, 2048, 10), 512)]


ROWS = 16  # batches


def in_turn(work: Callable[[str | None, int], object], rounds: int, seconds: float) -> list[float]:
    """Seconds that the work takes in float32 and in each precision when it is repeated, medians of so many turns."""
    times: dict[str | None, list[float]] = {precision: [] for precision in (None, *PRECISIONS)}
    repeats = 1
    for turn in range(1 + rounds):  # the first sets the length of the others
        for precision, found in times.items():
            start = time.perf_counter()
            work(precision, repeats)
            found.append((time.perf_counter() - start) / repeats)
        if turn == 0:
            repeats = max(1, round(seconds / times[None][0]))
            times = {precision: [] for precision in times}
    return [statistics.median(found) for found in times.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn in float32")
    arguments = parser.parse_args()
    print(f"{engine.info()['instruction_set']}, {engine.threads()} threads; µs in float32, and as many times as fast\n")
    for what in ("step", "outputs"):
        print(f"{what + ' (rows)':<28}{'float32':>12}" + "".join(f"{precision:>10}" for precision in PRECISIONS))
        for widths, batch in SHAPES:
            rng = np.random.default_rng(0)
            X = rng.standard_normal((ROWS * batch, widths[0]), dtype=np.float32)
            y = rng.integers(0, widths[-1], ROWS * batch)
            layers = [*(rs.Dense(n) for n in widths[1:-1]), rs.Dense(widths[-1], "softmax")]
            nets = {
                precision: rs.Network(*layers, loss="cross_entropy", inputs=widths[0], seed=0)
                for precision in (None, *PRECISIONS)
            }

            def step(precision: str | None, epochs: int, nets=nets, X=X, y=y, batch=batch) -> object:
                return nets[precision].fit(X, y, epochs=epochs, batch_size=batch, precision=precision)

            def outputs(precision: str | None, calls: int, nets=nets, X=X) -> object:
                return [nets[precision](X, precision=precision) for _ in range(calls)]

            is_step = what == "step"
            full, *others = in_turn(step if is_step else outputs, arguments.rounds, arguments.seconds)
            name = f"{'-'.join(map(str, widths))} ({batch if is_step else ROWS * batch})"
            of_one = full / ROWS if is_step else full
            print(f"{name:<28}{of_one * 1e6:>12.1f}" + "".join(f"{full / each:>10.2f}" for each in others), flush=True)
        print()


if __name__ == "__main__":
    main()
