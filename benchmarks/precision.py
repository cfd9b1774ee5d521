"""precision="bf16" against float32: the time of a training step, in turn.

    pip install . && python benchmarks/precision.py

The same network, data and optimizer (Adam); ratios of medians. What it means for the accuracy,
`python benchmarks/fashion_mnist.py` shows on a real data set.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

import reseau as rs
from reseau import engine

SHAPES = [((20, 64, 64, 2), 32), ((100, 256, 256, 10), 64), ((784, 512, 512, 10), 128), ((1024, 2048, 2048, 10), 512)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn in float32")
    arguments = parser.parse_args()
    print(f"{engine.info()['instruction_set']}, {engine.threads()} threads\n")
    print(f"{'network (batch)':<28}{'float32, µs':>12}{'bf16, µs':>12}{'ratio':>8}")
    for widths, batch in SHAPES:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((16 * batch, widths[0]), dtype=np.float32)
        y = rng.integers(0, widths[-1], 16 * batch)
        layers = [*(rs.Dense(n) for n in widths[1:-1]), rs.Dense(widths[-1], "softmax")]
        nets = {precision: rs.Network(*layers, loss="cross_entropy", seed=0) for precision in (None, "bf16")}
        times: dict[str | None, list[float]] = {precision: [] for precision in nets}
        epochs = 1
        for turn in range(1 + arguments.rounds):  # the first sets the length of the others
            for precision, net in nets.items():
                start = time.perf_counter()
                net.fit(X, y, epochs=epochs, batch_size=batch, precision=precision)
                times[precision].append((time.perf_counter() - start) / (16 * epochs))
            if turn == 0:
                epochs = max(1, round(arguments.seconds / (16 * times[None].pop())))
                times["bf16"].pop()
        full, half = (statistics.median(found) for found in times.values())
        name = f"{'-'.join(map(str, widths))} ({batch})"
        print(f"{name:<28}{full * 1e6:>12.1f}{half * 1e6:>12.1f}{full / half:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
