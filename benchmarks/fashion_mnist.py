"""Fashion-MNIST, 784-256-128-10: test accuracy and time of Réseau beside scikit-learn.

Both train on the 60,000 images with the same layers (ReLU, softmax), Adam (0.001), batch size and number of epochs,
in float32, without penalty, in one process; Réseau a second time with precision="bf16". The accuracy is on the 10,000
test images. The data are Debian's package dataset-fashion-mnist:

    apt-get install dataset-fashion-mnist
    pip install . && python benchmarks/fashion_mnist.py [--epochs 15] [--batch-size 128]
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import reseau as rs
from reseau import engine

FOLDER = Path("/usr/share/datasets/fashion-mnist")


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes in the IDX format: 00 00 08, the number of dimensions, each dimension as 4 bytes, the data."""
    with gzip.open(path) as file:
        content = file.read()
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", count=dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the four .gz files are")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        sys.exit(f"{arguments.folder} does not exist; apt-get install dataset-fashion-mnist, or give --folder.")
    X, X_test = (
        read_idx(arguments.folder / f"{part}-images-idx3-ubyte.gz").reshape(-1, 784).astype(np.float32) / 255
        for part in ("train", "t10k")
    )
    y, y_test = (
        read_idx(arguments.folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64) for part in ("train", "t10k")
    )
    print(
        f"{len(X)} images to train on, {len(X_test)} to test; 784-256-128-10, Adam(0.001), batches of "
        f"{arguments.batch_size}, "
    )
    print(f"{arguments.epochs} epochs; {engine.info()['instruction_set']}, {engine.threads()} threads")

    seconds = {}
    for precision in (None, "bf16"):
        net = rs.Network(
            rs.Dense(256, "relu"), rs.Dense(128, "relu"), rs.Dense(10, "softmax"), loss="cross_entropy", seed=0
        )
        plan = {"epochs": arguments.epochs, "batch_size": arguments.batch_size, "precision": precision}
        start = time.perf_counter()
        net.fit(X, y, optimizer=rs.Adam(0.001), **plan)
        seconds[precision] = time.perf_counter() - start
        accuracy = float((net(X_test).argmax(axis=1) == y_test).mean())
        print(f"Réseau{'' if precision is None else ', bf16':<8}  accuracy {accuracy:.4f}  {seconds[precision]:7.2f} s")
    ours = seconds[None]

    model = MLPClassifier(
        (256, 128),
        alpha=0.0,
        batch_size=arguments.batch_size,
        max_iter=arguments.epochs,
        n_iter_no_change=arguments.epochs,
        random_state=0,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to stop after so many epochs
        model.fit(X, y)
    theirs = time.perf_counter() - start
    print(f"scikit-learn  accuracy {model.score(X_test, y_test):.4f}  {theirs:7.2f} s   {theirs / ours:.1f} times ours")


if __name__ == "__main__":
    main()
