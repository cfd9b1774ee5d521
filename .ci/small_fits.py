"""What `.ci/sanitize valgrind` runs: training, prediction and derivatives at odd sizes, every entry of the tables once.

All results are written to /dev/null, because memcheck looks at every byte that is handed to the system.
"""

from pathlib import Path
from typing import Any

import numpy as np

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS
from reseau.vocabulary.precisions import PRECISIONS

RNG = np.random.default_rng(0)
ROWS, WIDTHS = 23, (5, 19, 33, 3)
X = RNG.normal(size=(ROWS, WIDTHS[0]))
T = RNG.dirichlet(np.ones(WIDTHS[-1]), size=ROWS)  # between 0 and 1, of sum 1: good for every loss
LABELS = T.argmax(axis=1)


def look(sink: Any, *, activation: str = "tanh", loss: str = "squared_error", optimizer: str = "adam") -> None:
    """Train and call a network with one entry of each table in each precision."""
    output = LOSSES[loss].simplifies_with or "identity"
    layers = [rs.Dense(n, activation) for n in WIDTHS[1:-1]] + [rs.Dense(WIDTHS[-1], output)]
    for dtype, y, threads in (("float32", T, 1), ("float64", LABELS if loss == "cross_entropy" else T, 2)):
        net = rs.Network(*layers, loss=loss, inputs=WIDTHS[0], dtype=dtype, seed=0, engine="native")
        options = {"sample_weight": np.linspace(0, 1, ROWS), "l2": 0.1, "threads": threads}
        net.fit(X.astype(dtype), y, optimizer=OPTIMIZERS[optimizer](0.01), epochs=2, batch_size=9, **options)
        if dtype == "float32":
            for precision in PRECISIONS:
                net.fit(X, y, optimizer=OPTIMIZERS[optimizer](0.01), batch_size=9, precision=precision, **options)
                sink.write(net(X, precision=precision))
        E, g = net.value_and_gradient(X, y, **options)
        for result in (net.parameters, np.array(E), g, net(X), net.errors(X, y), net.jacobian(X)):
            sink.write(np.ascontiguousarray(result))


with np.errstate(all="ignore"), Path("/dev/null").open("wb", buffering=0) as sink:
    for name in ACTIVATIONS:
        look(sink, activation=name)
    for name in LOSSES:
        look(sink, loss=name)
    for name in OPTIMIZERS:
        look(sink, optimizer=name)
