"""precision="bf16" against float32: the time of a training step, in turn, and the loss reached.

    pip install . && python benchmarks/precision.py

The same network, data, order of rows and optimizer (Adam); ratios of medians. The targets come from a random network,
so that there is something to learn. `python benchmarks/fashion_mnist.py` shows what it means for a real data set.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

import reseau as rs
from reseau import engine

SHAPES = [((20, 64, 64, 2), 32), ((100, 256, 256, 10), 64), ((784, 512, 512, 10), 128), ((1024, 2048, 2048, 10), 512)]


def network(widths: tuple[int, ...], seed: int) -> rs.Network:
    """ReLU layers and softmax."""
    layers = [*(rs.Dense(n) for n in widths[1:-1]), rs.Dense(widths[-1], "softmax")]
    return rs.Network(*layers, loss="cross_entropy", inputs=widths[0], seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn in float32")
    arguments = parser.parse_args()
    print(f"{engine.info()['instruction_set']}, {engine.threads()} threads\n")
    print(f"{'network (batch)':<28}{'float32, µs':>12}{'bf16, µs':>12}{'ratio':>8}{'loss, float32':>16}{'bf16':>10}")
    for widths, batch in SHAPES:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((16 * batch, widths[0]), dtype=np.float32)
        y = network(widths, seed=1)(X).argmax(axis=1)
        nets = {precision: network(widths, seed=0) for precision in (None, "bf16")}
        times: dict[str | None, list[float]] = {precision: [] for precision in nets}
        losses: dict[str | None, float] = {}
        epochs = 1
        for turn in range(1 + arguments.rounds):  # the first sets the length of the others
            for precision, net in nets.items():
                start = time.perf_counter()
                losses[precision] = net.fit(X, y, epochs=epochs, batch_size=batch, precision=precision).loss[-1]
                times[precision].append((time.perf_counter() - start) / (16 * epochs))
            if turn == 0:
                epochs = max(1, round(arguments.seconds / (16 * times[None].pop())))
                times["bf16"].pop()
        full, half = (statistics.median(found) for found in times.values())
        name = f"{'-'.join(map(str, widths))} ({batch})"
        print(
            f"{name:<28}{full * 1e6:>12.1f}{half * 1e6:>12.1f}{full / half:>8.2f}{losses[None]:>16.3g}"
            f"{losses['bf16']:>10.3g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
