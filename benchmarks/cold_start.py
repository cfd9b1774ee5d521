"""From a cold process to a network fitted on iris, 4-100-3, 200 epochs: seconds, beside scikit-learn and PyTorch.

    pip install '.[bench]' && python benchmarks/cold_start.py

Each is a Python process of its own, in turn; the medians of their wall-clock times. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROGRAMS = {
    "numpy, imported alone": ("numpy", "import numpy"),
    "numpy and reseau, imported": ("reseau", "import numpy, reseau"),
    "Réseau": (
        "reseau",
        """
import sys
import numpy as np
import reseau as rs
X, y = np.load(sys.argv[1]), np.load(sys.argv[2])
net = rs.Network(rs.Dense(100), rs.Dense(3, "softmax"), loss="cross_entropy", seed=0)
net.fit(X, y, optimizer=rs.Adam(0.001), epochs=200, batch_size=150)
assert (net(X).argmax(axis=1) == y).mean() > 0.9
""",
    ),
    "scikit-learn": (
        "sklearn",
        """
import sys, warnings
import numpy as np
from sklearn.neural_network import MLPClassifier
X, y = np.load(sys.argv[1]), np.load(sys.argv[2])
warnings.simplefilter("ignore")
model = MLPClassifier((100,), max_iter=200, n_iter_no_change=200, random_state=0).fit(X, y)
assert model.score(X, y) > 0.9
""",
    ),
    "PyTorch": (
        "torch",
        """
import sys
import numpy as np
import torch
X, y = torch.from_numpy(np.load(sys.argv[1])), torch.from_numpy(np.load(sys.argv[2]))
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 100), torch.nn.ReLU(), torch.nn.Linear(100, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(X), y).backward()
    optimizer.step()
assert (net(X).argmax(1) == y).float().mean() > 0.9
""",
    ),
}


def main() -> None:
    from sklearn.datasets import load_iris

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    X, y = load_iris(return_X_y=True)
    programs = {name: text for name, (package, text) in PROGRAMS.items() if importlib.util.find_spec(package)}
    times: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("X.npy", "y.npy")]
        np.save(files[0], X.astype(np.float32))
        np.save(files[1], y.astype(np.int64))
        for _ in range(1 + arguments.rounds):  # the first fills the system's cache of files
            for name, text in programs.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", text, *files], check=True)
                times[name].append(time.perf_counter() - start)
    for name, found in times.items():
        print(f"{name:<28}{statistics.median(found[1:]):6.2f} s")


if __name__ == "__main__":
    main()
