"""Time of a fit against rows, epochs and parameters, with the exponent of each.

    pip install '.[plot]' && python benchmarks/scaling.py [--plot scaling.png]

One quantity is varied, the others stay. The slope of log(time) over log(quantity), by least squares, is 1 where the
cost is linear; the fastest of the rounds is taken. Parameters are varied by the width of the hidden layers.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

import reseau as rs

INPUTS, OUTPUTS = 100, 10


@dataclass(frozen=True)
class Fit:
    """One fit: its rows, epochs, and neurons in each of two hidden layers."""

    rows: int = 6400
    epochs: int = 4
    hidden: int = 256

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((a + 1) * b for a, b in pairwise((INPUTS, self.hidden, self.hidden, OUTPUTS)))

    def seconds(self) -> float:
        """How long it takes."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.rows, INPUTS), dtype=np.float32)
        y = rng.integers(0, OUTPUTS, self.rows)
        layers = [rs.Dense(self.hidden), rs.Dense(self.hidden), rs.Dense(OUTPUTS, "softmax")]
        net = rs.Network(*layers, loss="cross_entropy", inputs=INPUTS, seed=0)
        start = time.perf_counter()
        net.fit(X, y, epochs=self.epochs, batch_size=64)
        return time.perf_counter() - start


SERIES: dict[str, list[Fit]] = {
    "rows": [Fit(rows=rows) for rows in (1600, 6400, 25_600, 102_400)],
    "epochs": [Fit(epochs=epochs) for epochs in (1, 4, 16, 64)],
    "parameters": [Fit(hidden=hidden) for hidden in (128, 256, 512, 1024)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the times there; needs matplotlib")
    arguments = parser.parse_args()
    measured: dict[str, tuple[list[int], list[float], float]] = {}
    for quantity, fits in SERIES.items():
        amounts = [getattr(fit, quantity) for fit in fits]
        rounds = [[fit.seconds() for fit in fits] for _ in range(arguments.rounds)]
        times = [min(column) for column in zip(*rounds, strict=True)]
        slope = float(np.polyfit(np.log(amounts), np.log(times), 1)[0])
        measured[quantity] = amounts, times, slope
        print(f"{quantity}: time grows as {quantity}^{slope:.2f}")
        for amount, seconds in zip(amounts, times, strict=True):
            print(f"{amount:>12,}{seconds * 1e3:>12.1f} ms{seconds / amount * 1e6:>14.3g} µs each")
    if arguments.plot:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 3.6), layout="constrained")
        for axes, (quantity, (amounts, times, slope)) in zip(figure.subplots(1, 3), measured.items(), strict=True):
            axes.loglog(amounts, times, "o", color="black")
            linear = [times[-1] * amount / amounts[-1] for amount in amounts]
            axes.loglog(amounts, linear, color="grey", linewidth=1, label="linear")
            axes.set_xlabel(quantity)
            axes.set_ylabel("seconds")
            axes.set_title(f"slope {slope:.2f}")
            axes.grid(alpha=0.3)
            axes.legend(frameon=False)
        figure.savefig(arguments.plot, dpi=150)


if __name__ == "__main__":
    main()
