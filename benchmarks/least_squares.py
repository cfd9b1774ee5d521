"""Levenberg and Marquardt's method beside SciPy's `least_squares` on the same Jacobian, and torch-levenberg-marquardt.

    pip install '.[bench]' && python benchmarks/least_squares.py [--rounds 7]

Two kinds of problems. NIST's regressions (tests/strd.py) are solved from both starts, where the digits that are right
are told too. Networks of several widths learn a noisy function for as many steps as SciPy needs to evaluate its
Jacobian so often, from the same weights, and the losses reached are told. SciPy gets residuals and Jacobian from the
same native engine, so that what is compared is the method around them. All take turns, and the ratios are those of
their medians; above 1, Réseau is faster. torch-levenberg-marquardt takes part if it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.optimize

import reseau as rs

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from strd import PROBLEMS

STEPS = 30
SHAPES = [(1, 10, 200), (4, 20, 1000), (10, 50, 5000)]  # inputs, neurons, rows
Side = Callable[[], tuple[float, float]]  # seconds, and how good the end is


def scipy_s(net: rs.Network, X: np.ndarray, y: np.ndarray, method: str, most: int | None) -> None:
    """Train a network by SciPy, to the end or for so many evaluations."""

    def residuals(w: np.ndarray) -> np.ndarray:
        net.parameters[...] = w
        return net(X)[:, 0] - y

    def jacobian(w: np.ndarray) -> np.ndarray:
        net.parameters[...] = w
        return net.parameter_jacobian(X)[:, 0, :]

    start = net.parameters.copy()
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    with np.errstate(all="ignore"):
        found = scipy.optimize.least_squares(residuals, start, jacobian, method=method, max_nfev=most, **tight)
    net.parameters[...] = found.x


def torch_s(inputs: int, neurons: int, X: np.ndarray, y: np.ndarray) -> Side:
    import torch
    import torch_levenberg_marquardt as tlm

    rows, targets = torch.tensor(X), torch.tensor(y).reshape(-1, 1)

    def turn() -> tuple[float, float]:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(inputs, neurons), torch.nn.Tanh(), torch.nn.Linear(neurons, 1))
        model = model.double()
        module = tlm.training.LevenbergMarquardtModule(model=model, loss_fn=tlm.loss.MSELoss())
        start = time.perf_counter()
        for _ in range(STEPS):
            module.training_step(rows, targets)
        seconds = time.perf_counter() - start
        return seconds, float(((model(rows) - targets) ** 2).mean() / 2)

    return turn


def of_nist(name: str, start: int) -> dict[str, Side]:
    problem = PROBLEMS[name]
    X, y = np.array(problem.x).reshape(-1, 1), np.array(problem.y)

    def turn(train: Callable[[rs.Network], object]) -> tuple[float, float]:
        net = problem.network(start)
        began = time.perf_counter()
        train(net)
        seconds = time.perf_counter() - began
        return seconds, problem.digits(net) if np.isfinite(net.parameters).all() else 0.0

    return {
        "reseau": lambda: turn(lambda net: net.fit(X, y, optimizer="lm")),
        "scipy lm": lambda: turn(lambda net: scipy_s(net, X, y, "lm", 10_000)),
        "scipy trf": lambda: turn(lambda net: scipy_s(net, X, y, "trf", 2_000)),
    }


def of_width(inputs: int, neurons: int, rows: int) -> dict[str, Side]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, inputs))
    y = np.sin(2 * X[:, 0]) + 0.1 * (X**2).sum(axis=1) + 0.1 * rng.normal(size=rows)

    def turn(train: Callable[[rs.Network], object]) -> tuple[float, float]:
        net = rs.Network(rs.Dense(neurons, "tanh"), rs.Dense(1), inputs=inputs, dtype="float64", seed=0)
        began = time.perf_counter()
        train(net)
        seconds = time.perf_counter() - began
        return seconds, net.value_and_gradient(X, y)[0]

    sides: dict[str, Side] = {
        "reseau": lambda: turn(lambda net: net.fit(X, y, optimizer="lm", epochs=STEPS)),
        "scipy lm": lambda: turn(lambda net: scipy_s(net, X, y, "lm", STEPS)),
        "scipy trf": lambda: turn(lambda net: scipy_s(net, X, y, "trf", STEPS)),
    }
    if importlib.util.find_spec("torch_levenberg_marquardt"):
        sides["torch"] = torch_s(inputs, neurons, X, y)
    return sides


def report(what: str, sides: dict[str, Side], rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for place in range(rounds + 1):  # the first warms up
        for name, side in sides.items():
            result = side()
            if place:
                found[name].append(result)
    seconds = {name: statistics.median(one for one, _ in results) for name, results in found.items()}
    for name, results in found.items():
        ratio = seconds[name] / seconds["reseau"]
        print(f"{what:16s} {name:10s} {1e3 * seconds[name]:9.2f} ms  {ratio:6.2f}  {results[-1][1]:.3g}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print("problem          who             time     ratio  digits right")
    for name in PROBLEMS:
        for start in (0, 1):
            report(f"{name} {start + 1}", of_nist(name, start), rounds)
    print("\nnetwork          who             time     ratio  loss")
    for inputs, neurons, rows in SHAPES:
        report(f"{inputs}-{neurons}-1 x {rows}", of_width(inputs, neurons, rows), rounds)


if __name__ == "__main__":
    main()
