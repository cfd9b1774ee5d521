"""Time of a training step, Réseau beside PyTorch, in one process.

For each network both train on the same data with the same batch size, optimizer (Adam, 0.001), activation (ReLU),
loss (softmax cross-entropy) and precision (float32), in turn, several rounds each; the table gives the medians and
their ratio, and the loss after the first epoch from the same initial weights without shuffling, which must agree.
PyTorch gets its fastest eager setting, the better of 1 thread and all, with its fused Adam; both read the rows from
memory that is already there.

    pip install '.[bench]' && python benchmarks/steps.py [--rounds 5] [--json steps.json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

import reseau as rs
from reseau import engine

CASES = [((2, 8, 2), 32), ((20, 64, 64, 2), 32), ((100, 256, 256, 10), 64), ((784, 512, 512, 10), 128)]
SECONDS_A_ROUND = 0.4


@dataclass
class Result:
    """One network: medians over the rounds in µs per step, the losses they must agree on."""

    network: str
    batch: int
    reseau: float
    torch: float
    ratio: float
    reseau_threads: int
    torch_threads: int
    reseau_loss: float
    torch_loss: float


def rows_for(widths: tuple[int, ...], batch: int) -> int:
    """Rows of an epoch: 16 to 512 batches, fewer for larger networks."""
    work = batch * sum(a * b for a, b in pairwise(widths))
    return batch * max(16, min(512, int(2e9 / work)))


def ours(
    widths: tuple[int, ...], batch: int, X: np.ndarray, y: np.ndarray
) -> tuple[rs.Network, Callable[[int, int], float]]:
    layers = [rs.Dense(n, "relu") for n in widths[1:-1]] + [rs.Dense(widths[-1], "softmax")]
    net = rs.Network(*layers, loss="cross_entropy", inputs=widths[0], seed=0)

    def epochs(count: int, threads: int) -> float:
        start = time.perf_counter()
        net.fit(X, y, optimizer=rs.Adam(0.001), epochs=count, batch_size=batch, shuffle=False, threads=threads)
        return time.perf_counter() - start

    return net, epochs


def theirs(net: rs.Network, batch: int, X: np.ndarray, y: np.ndarray) -> Callable[[int, int], tuple[float, float]]:
    """The same network in PyTorch, from the same weights; returns (seconds, mean loss of the last epoch)."""
    import torch

    modules: list[torch.nn.Module] = []
    for layer in net.layers:
        linear = torch.nn.Linear(*layer.W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.W.T.copy()))
            linear.bias.copy_(torch.from_numpy(layer.b.copy()))
        modules += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    loss = torch.nn.CrossEntropyLoss()
    X_batches, y_batches = torch.from_numpy(X).split(batch), torch.from_numpy(y).split(batch)

    def epochs(count: int, threads: int) -> tuple[float, float]:
        torch.set_num_threads(threads)
        start = time.perf_counter()
        for _ in range(count):
            total = torch.zeros(())
            for X_batch, y_batch in zip(X_batches, y_batches, strict=True):
                optimizer.zero_grad(set_to_none=True)
                E = loss(model(X_batch), y_batch)
                E.backward()
                optimizer.step()
                total += E.detach()
        return time.perf_counter() - start, float(total) / len(X_batches)

    return epochs


def measure(widths: tuple[int, ...], batch: int, rounds: int) -> Result:
    rng = np.random.default_rng(0)
    rows = rows_for(widths, batch)
    X = rng.normal(size=(rows, widths[0])).astype(np.float32)
    y = rng.integers(0, widths[-1], rows)
    net, our_epochs = ours(widths, batch, X, y)
    their_epochs = theirs(net, batch, X, y)

    # One epoch from the same weights: the same loss, and a first estimate of the time.
    _, torch_loss = their_epochs(1, 1)
    reseau_loss = net.fit(X, y, optimizer=rs.Adam(0.001), epochs=1, batch_size=batch, shuffle=False).loss[0]
    if abs(reseau_loss - torch_loss) > 1e-3 * torch_loss:
        sys.exit(f"The losses differ on {widths}: {reseau_loss} and {torch_loss}; they are not doing the same work.")

    all_threads = engine.threads()
    settings = sorted({1, all_threads})
    steps = rows // batch
    count = {
        name: max(1, int(SECONDS_A_ROUND / run(1, 1)))
        for name, run in (("ours", our_epochs), ("theirs", lambda n, t: their_epochs(n, t)[0]))
    }
    times: dict[tuple[str, int], list[float]] = {(name, t): [] for name in count for t in settings}
    for _ in range(rounds):
        for threads in settings:
            times["ours", threads].append(our_epochs(count["ours"], threads) / (count["ours"] * steps))
            times["theirs", threads].append(their_epochs(count["theirs"], threads)[0] / (count["theirs"] * steps))
    median = {key: statistics.median(values) for key, values in times.items()}
    our_threads = min(settings, key=lambda t: median["ours", t])
    their_threads = min(settings, key=lambda t: median["theirs", t])
    us, them = median["ours", our_threads], median["theirs", their_threads]
    name = "-".join(map(str, widths))
    return Result(name, batch, us * 1e6, them * 1e6, them / us, our_threads, their_threads, reseau_loss, torch_loss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is not installed: pip install '.[bench]'")
    print(
        f"Réseau {rs.__version__} ({engine.info()['instruction_set']}) beside PyTorch {torch.__version__}, "
        f"{os.cpu_count()} processors"
    )
    print(
        f"{'network':<20} {'batch':>5} {'Réseau µs':>10} {'PyTorch µs':>11} {'PyTorch/Réseau':>15}   loss of "
        "the first epoch"
    )
    results = []
    for widths, batch in CASES:
        r = measure(widths, batch, arguments.rounds)
        results.append(r)
        print(
            f"{r.network:<20} {r.batch:>5} {r.reseau:>10.1f} {r.torch:>11.1f} {r.ratio:>15.1f}   "
            f"{r.reseau_loss:.5f} {r.torch_loss:.5f}"
        )
    if arguments.json:
        machine = {"processor": platform.processor() or platform.machine(), "cpus": os.cpu_count(), **engine.info()}
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(
                {"machine": machine, "torch": torch.__version__, "results": [asdict(r) for r in results]},
                file,
                indent=1,
            )


if __name__ == "__main__":
    main()
