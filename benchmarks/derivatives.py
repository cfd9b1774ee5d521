"""Derivatives of the outputs by the inputs beside JAX, and what a loss of one's own costs beside the native one.

    pip install '.[bench]' && python benchmarks/derivatives.py [--rounds 9]

JAX's are compiled: `jacfwd` and `jacrev` under `vmap` for the Jacobian of each row, `jvp` and `vjp` for the products.
Before anybody is timed, both must give the same numbers. All take turns, and the ratios are those of their medians;
above 1, Réseau is faster. The loss of one's own is the squared error as a Python function.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import reseau as rs

SHAPES = [((4, 16, 1), 1000), ((20, 64, 64, 2), 1000), ((100, 256, 256, 10), 200)]
Sides = dict[str, Callable[[], Any]]


def of_jax(net: rs.Network, X: np.ndarray, v: np.ndarray, u: np.ndarray) -> dict[str, Sides]:
    """What JAX computes, by what it is and how."""
    import jax
    import jax.numpy as jnp

    weights = [(jnp.asarray(layer.W), jnp.asarray(layer.b)) for layer in net.layers]
    rows, directions, weights_of_outputs = jnp.asarray(X), jnp.asarray(v), jnp.asarray(u)

    def f(x: Any) -> Any:
        for W, b in weights[:-1]:
            x = jnp.tanh(x @ W + b)
        W, b = weights[-1]
        return x @ W + b

    forward, back = (jax.jit(jax.vmap(kind(f))) for kind in (jax.jacfwd, jax.jacrev))
    jvp = jax.jit(jax.vmap(lambda x, d: jax.jvp(f, (x,), (d,))[1]))
    vjp = jax.jit(jax.vmap(lambda x, g: jax.vjp(f, x)[1](g)[0]))
    return {
        "jacobian": {"jax jacfwd": lambda: forward(rows), "jax jacrev": lambda: back(rows)},
        "jvp": {"jax": lambda: jvp(rows, directions)},
        "vjp": {"jax": lambda: vjp(rows, weights_of_outputs)},
    }


def median_turns(sides: Sides, rounds: int) -> dict[str, float]:
    """Seconds of one call of each, who take turns of some tens of milliseconds."""
    counts, seconds = {}, {name: [] for name in sides}
    for name, side in sides.items():
        np.asarray(side())  # compiled
        start = time.perf_counter()
        np.asarray(side())
        counts[name] = max(1, round(0.05 / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                np.asarray(side())
            seconds[name].append((time.perf_counter() - start) / counts[name])
    return {name: statistics.median(times) for name, times in seconds.items()}


def report(what: str, sides: Sides, rounds: int) -> None:
    seconds = median_turns(sides, rounds)
    for name, time_of in seconds.items():
        print(f"{what:34s} {name:11s} {1e3 * time_of:9.3f} ms  {time_of / seconds['reseau']:6.2f}", flush=True)


def of_shape(widths: tuple[int, ...], rows: int, rounds: int) -> None:
    rng = np.random.default_rng(0)
    X, v = (rng.normal(size=(rows, widths[0])).astype(np.float32) for _ in range(2))
    u = rng.normal(size=(rows, widths[-1])).astype(np.float32)
    hidden = (rs.Dense(n, "tanh") for n in widths[1:-1])
    net = rs.Network(*hidden, rs.Dense(widths[-1]), inputs=widths[0], seed=0)
    ours: Sides = {"jacobian": lambda: net.jacobian(X), "jvp": lambda: net.jvp(X, v), "vjp": lambda: net.vjp(X, u)}
    for what, theirs in of_jax(net, X, v, u).items():
        for name, side in theirs.items():
            if not np.allclose(side(), ours[what](), rtol=1e-3, atol=1e-4):
                raise SystemExit(f"{name} does not compute the {what} that reseau computes")
        report(f"{what} {'-'.join(map(str, widths))} x {rows}", {"reseau": ours[what], **theirs}, rounds)


def of_own_loss(widths: tuple[int, ...], batch: int, rounds: int) -> None:
    """A step with the native squared error, and with the same as a Python function."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64 * batch, widths[0])).astype(np.float32)
    T = rng.normal(size=(64 * batch, widths[-1])).astype(np.float32)

    def squares(O: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 0.5 * (O - T) ** 2, O - T

    def training(loss: Any) -> Callable[[], Any]:
        net = rs.Network(*(rs.Dense(n, "tanh") for n in widths[1:-1]), rs.Dense(widths[-1]), loss=loss, seed=0)
        return lambda: net.fit(X, T, epochs=5, batch_size=batch).loss

    seconds = median_turns({"reseau": training("squared_error"), "own": training(squares)}, rounds)
    native, own = (1e6 * seconds[name] / 320 for name in ("reseau", "own"))
    what = f"a step {'-'.join(map(str, widths))}, {batch} rows"
    print(f"{what:34s} native {native:7.1f} us, own loss {own:7.1f} us: {own - native:.1f} us more", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for widths, rows in SHAPES:
        of_shape(widths, rows, rounds)
    for widths, batch in (((20, 64, 64, 2), 32), ((100, 256, 256, 10), 64)):
        of_own_loss(widths, batch, rounds)


if __name__ == "__main__":
    main()
