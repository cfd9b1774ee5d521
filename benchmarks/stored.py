"""Rows that stay on disk beside the same rows in memory: peak memory, and the time of an epoch.

    python benchmarks/stored.py                     # 2 GB of Parquet in a temporary folder, 20 numbers and a target
    python benchmarks/stored.py --gigabytes 0.2 --hidden 128,128 --table

Each way is a process of its own. What counts is the fastest epoch of several; the first pass, which checks every cell,
is told besides. With --table a table model is trained on the files too, with the preset fast; it leaves them on disk
where they are 128 MiB and more.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

INPUTS, FILES = 20, 8


def write(folder: Path, gigabytes: float, group: int) -> int:
    """Random numbers, in row groups of so many rows; return the bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    w = rng.normal(size=INPUTS)
    rows = int(gigabytes * 1e9 / 8 / (INPUTS + 1) / FILES)
    schema = pa.schema([(name, pa.float64()) for name in [*(f"x{i}" for i in range(INPUTS)), "y"]])
    for part in range(FILES):
        with pq.ParquetWriter(folder / f"part-{part}.parquet", schema) as writer:
            for first in range(0, rows, group):
                X = rng.normal(size=(min(group, rows - first), INPUTS))
                y = np.tanh(X @ w / 2) + X[:, 0] * X[:, 1]
                writer.write_table(pa.Table.from_arrays([*map(pa.array, X.T), pa.array(y)], schema=schema), group)
    return sum(path.stat().st_size for path in folder.iterdir())


def run(way: str, folder: str, hidden: list[int], epochs: int) -> None:
    """Train in this process, and print what it took."""
    import reseau as rs

    ends = [time.perf_counter()]
    options = {"epochs": epochs, "batch_size": 256, "callback": lambda history: ends.append(time.perf_counter())}
    net = rs.Network(*(rs.Dense(neurons) for neurons in hidden), rs.Dense(1), seed=0)
    if way == "on disk":
        net.fit(rs.ArrowRows(folder, "y"), **options)
    elif way == "in memory":
        import pyarrow.parquet as pq

        table = pq.read_table(folder)
        X = np.empty((table.num_rows, INPUTS), np.float32)
        for i in range(INPUTS):
            X[:, i] = table[f"x{i}"].to_numpy()
        y = table["y"].to_numpy().astype(np.float32)
        del table
        ends[0] = time.perf_counter()
        net.fit(X, y, **options)
    else:
        rs.TableModel.train(folder, "y", preset="fast", **options)
    took = np.diff(ends)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "linux" else 1e9) * 1.024
    print(json.dumps({"peak": peak, "first": took[0], "epoch": min(took[1:])}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--group", type=int, default=100_000, help="rows of a row group")
    parser.add_argument("--hidden", default="64,64")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--table", action="store_true", help="a table model too")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        run(*given.run, [int(neurons) for neurons in given.hidden.split(",")], given.epochs)
        return
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), given.gigabytes, given.group)
        print(f"{size / 1e9:.2f} GB of Parquet; hidden layers {given.hidden}")
        print(f"{'':12}{'peak memory':>14}{'first epoch':>14}{'an epoch':>12}")
        found = {}
        for way in ("in memory", "on disk", *["a table"] * given.table):
            again = [sys.executable, __file__, "--run", way, folder]
            options = ["--hidden", given.hidden, "--epochs", str(given.epochs)]
            told = subprocess.run([*again, *options], check=True, capture_output=True, text=True).stdout
            found[way] = json.loads(told)
            numbers = found[way]
            print(
                f"{way:12}{numbers['peak']:>11.2f} GB{numbers['first']:>12.1f} s{numbers['epoch']:>10.1f} s", flush=True
            )
        print(f"on disk at {found['in memory']['epoch'] / found['on disk']['epoch']:.0%} of the speed in memory")


if __name__ == "__main__":
    main()
