"""Peak memory of a fit on a large X, against X alone.

    pip install . && python benchmarks/memory.py

A process of its own makes a float32 X in C order, notes its resident size, fits a network on it, and notes the largest
resident size it ever had. The difference is what the fit needs beside the data: no second X.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

import reseau as rs

COLUMNS = 100
WIDTHS = (256, 256, 10)
MB = 1e6


def resident() -> float:
    """MB of memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MB


def peak() -> float:
    """MB of memory this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB


def child(gigabytes: float) -> None:
    """Fit, and print the sizes as JSON."""
    rows = int(gigabytes * 1e9 / (4 * COLUMNS))
    rng = np.random.default_rng(0)
    X = rng.random((rows, COLUMNS), dtype=np.float32)
    y = rng.integers(0, WIDTHS[-1], rows)
    net = rs.Network(*(rs.Dense(n) for n in WIDTHS[:-1]), rs.Dense(WIDTHS[-1], "softmax"), loss="cross_entropy", seed=0)
    net.fit(X[:1000], y[:1000], epochs=1, batch_size=1000)  # what is loaded and allocated once is there before
    before = resident()
    history = net.fit(X, y, epochs=1, batch_size=1000)
    sizes = {"X": X.nbytes / MB, "y": y.nbytes / MB, "parameters": net.parameters.nbytes / MB, "before": before}
    print(json.dumps(sizes | {"peak": peak(), "rows": rows, "seconds": history.seconds}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of X")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not Path("/proc/self/statm").exists():
        sys.exit("This measures with Linux's /proc.")
    if arguments.child:
        child(arguments.gigabytes)
        return
    command = [sys.executable, __file__, "--child", "--gigabytes", str(arguments.gigabytes)]
    sizes = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{sizes['rows']:.0f} rows of {COLUMNS}, {'-'.join(map(str, (COLUMNS, *WIDTHS)))}, batches of 1000, one epoch\n"
    )
    for name, label in (("X", "X"), ("y", "y (int64)"), ("parameters", "parameters")):
        print(f"{label:<24}{sizes[name]:>10.1f} MB")
    print(f"{'resident before the fit':<24}{sizes['before']:>10.1f} MB")
    print(f"{'peak':<24}{sizes['peak']:>10.1f} MB")
    beside = sizes["peak"] - sizes["before"]
    print(
        f"{'the fit beside its data':<24}{beside:>10.1f} MB, {beside / sizes['X']:.1%} of X; {sizes['seconds']:.1f} s"
    )


if __name__ == "__main__":
    main()
