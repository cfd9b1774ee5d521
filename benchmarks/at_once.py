"""Fits at once: how many more small networks two or more Python threads train in the same time than one.

    pip install . && python benchmarks/at_once.py [--threads 2]

Each thread fits 20-64-64-2 networks (batches of 32, Adam) one after the other, as a search over hyperparameters does
under joblib's threading backend. Rounds with one thread and with all take turns; the ratio is that of their medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import reseau as rs
from reseau import engine

WIDTHS = (20, 64, 64, 2)
ROWS, EPOCHS, FITS = 3200, 20, 4


def fit(X: np.ndarray, y: np.ndarray, seed: int) -> None:
    """Train one network."""
    layers = [*(rs.Dense(n) for n in WIDTHS[1:-1]), rs.Dense(WIDTHS[-1], "softmax")]
    net = rs.Network(*layers, loss="cross_entropy", inputs=WIDTHS[0], seed=seed)
    net.fit(X, y, epochs=EPOCHS, threads=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=engine.threads(), help="Python threads")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, WIDTHS[0]), dtype=np.float32)
    y = rng.integers(0, WIDTHS[-1], ROWS)
    rates: dict[int, list[float]] = {1: [], arguments.threads: []}
    with ThreadPoolExecutor(arguments.threads) as pool:
        for _ in range(arguments.rounds):
            for threads, found in rates.items():
                start = time.perf_counter()
                waves = [pool.submit(lambda: [fit(X, y, seed) for seed in range(FITS)]) for _ in range(threads)]
                for wave in waves:
                    wave.result()
                found.append(threads * FITS / (time.perf_counter() - start))
    one, many = (statistics.median(found) for found in rates.values())
    print(f"{'-'.join(map(str, WIDTHS))}, {ROWS} rows, {EPOCHS} epochs in batches of 32")
    print(f"fits a second: {one:.1f} in one thread, {many:.1f} in {arguments.threads}: {many / one:.2f} times as many")


if __name__ == "__main__":
    main()
