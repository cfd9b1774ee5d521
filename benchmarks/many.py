"""Many small networks in one call: `fit_many` in one thread and in all, joblib over scikit-learn, and JAX's vmap.

    pip install '.[bench]' && python benchmarks/many.py [--networks 1000] [--threads 2]

Each network is 4-16-1 (tanh) and learns 200 rows, the same for all, for 100 epochs in batches of 32 with Adam. All
take turns, and the ratios are those of their medians. scikit-learn's estimators are fitted by joblib's threads and by
its processes; they are fewer, and their time is scaled to the number of the others. JAX trains all networks as one, by
a compiled scan over all steps under `vmap`. Making the networks, starting processes and compiling are not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

import reseau as rs
from reseau import engine

INPUTS, HIDDEN, ROWS, EPOCHS, BATCH, RATE = 4, 16, 200, 100, 32, 0.001
Side = Callable[[], tuple[float, float]]  # the seconds of all networks, and their mean loss in the last epoch


def ours(X: np.ndarray, y: np.ndarray, networks: int, threads: int) -> Side:
    def turn() -> tuple[float, float]:
        nets = [
            rs.Network(rs.Dense(HIDDEN, "tanh"), rs.Dense(1), inputs=INPUTS, seed=seed, engine="native")
            for seed in range(networks)
        ]
        start = time.perf_counter()
        histories = rs.fit_many(nets, X, y, optimizer=rs.Adam(RATE), epochs=EPOCHS, batch_size=BATCH, threads=threads)
        seconds = time.perf_counter() - start
        return seconds, statistics.fmean(history.loss[-1] for history in histories)

    return turn


def one_of_scikit_learn(X: np.ndarray, y: np.ndarray, seed: int) -> float:
    model = MLPRegressor(
        hidden_layer_sizes=(HIDDEN,),
        activation="tanh",
        alpha=0,
        batch_size=BATCH,
        learning_rate_init=RATE,
        max_iter=EPOCHS,
        tol=0,
        n_iter_no_change=EPOCHS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(X, y.ravel()).loss_)


def scikit_learn(X: np.ndarray, y: np.ndarray, networks: int, threads: int, few: int, backend: str) -> Side:
    def turn() -> tuple[float, float]:
        start = time.perf_counter()
        losses = parallel(joblib.delayed(one_of_scikit_learn)(X, y, seed) for seed in range(few))
        return (time.perf_counter() - start) * networks / few, statistics.fmean(losses)

    parallel = joblib.Parallel(n_jobs=threads, backend=backend)
    parallel(joblib.delayed(one_of_scikit_learn)(X, y, seed) for seed in range(threads))  # processes are there
    return turn


def jax_vmap(X: np.ndarray, y: np.ndarray, networks: int) -> Side:
    import jax
    import jax.numpy as jnp

    steps = -(-ROWS // BATCH)
    # The last batch is filled up with rows that count nothing, as all have to be of one shape.
    X_all = jnp.zeros((steps * BATCH, INPUTS), jnp.float32).at[:ROWS].set(X)
    y_all = jnp.zeros((steps * BATCH, 1), jnp.float32).at[:ROWS].set(y)

    def error(w: tuple[jax.Array, ...], X: jax.Array, y: jax.Array, s: jax.Array) -> jax.Array:
        W, b, V, c = w
        return (s * 0.5 * jnp.square(jnp.tanh(X @ W + b) @ V + c - y).sum(axis=1)).sum() / s.sum()

    def step(state: tuple, places: jax.Array) -> tuple[tuple, jax.Array]:
        w, m, v, t = state
        s = (places < ROWS).astype(jnp.float32)
        E, g = jax.value_and_grad(error)(w, X_all[places], y_all[places], s)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        w = jax.tree.map(lambda w, m, v: w - RATE * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), w, m, v)
        return (w, m, v, t), E * s.sum()

    def epoch(state: tuple, key: jax.Array) -> tuple[tuple, jax.Array]:
        order = jnp.concatenate([jax.random.permutation(key, ROWS), jnp.arange(ROWS, steps * BATCH)])
        state, errors = jax.lax.scan(step, state, order.reshape(steps, BATCH))
        return state, errors.sum() / ROWS

    def train(key: jax.Array) -> tuple[tuple, jax.Array]:
        first, second, orders = jax.random.split(key, 3)
        W = jax.random.normal(first, (INPUTS, HIDDEN)) * (2 / (INPUTS + HIDDEN)) ** 0.5
        V = jax.random.normal(second, (HIDDEN, 1)) * (2 / (HIDDEN + 1)) ** 0.5
        w = (W, jnp.zeros(HIDDEN), V, jnp.zeros(1))
        nothing = jax.tree.map(jnp.zeros_like, w)
        state, losses = jax.lax.scan(epoch, (w, nothing, nothing, 0), jax.random.split(orders, EPOCHS))
        return state[0], losses[-1]

    keys = jax.random.split(jax.random.key(0), networks)
    compiled = jax.jit(jax.vmap(train)).lower(keys).compile()

    def turn() -> tuple[float, float]:
        start = time.perf_counter()
        _, losses = jax.block_until_ready(compiled(keys))
        return time.perf_counter() - start, float(losses.mean())

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=engine.threads(), help="of the last line of ours, and of joblib")
    parser.add_argument("--few", type=int, default=32, help="networks that scikit-learn fits in a turn")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # in threads; processes do it themselves
    networks, threads = arguments.networks, arguments.threads
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, INPUTS), dtype=np.float32)
    y = np.sin(X.sum(axis=1, keepdims=True)) + 0.1 * rng.standard_normal((ROWS, 1), dtype=np.float32)

    sides = {f"fit_many, {n} thread{'s' * (n > 1)}": ours(X, y, networks, n) for n in sorted({1, threads})}
    for backend in ("threading", "loky"):
        sides[f"scikit-learn, joblib {backend}"] = scikit_learn(X, y, networks, threads, arguments.few, backend)
    if importlib.util.find_spec("jax") is not None:
        sides["JAX, vmap"] = jax_vmap(X, y, networks)
    else:
        print("JAX is not installed.")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, turn in sides.items():
            found[name].append(turn())
    print(f"{networks} networks {INPUTS}-{HIDDEN}-1, {ROWS} rows, {EPOCHS} epochs in batches of {BATCH}")
    print(f"{'':<30}{'seconds':>10}{'times all of ours':>20}{'loss':>10}")
    seconds = {name: statistics.median(turn[0] for turn in turns) for name, turns in found.items()}
    all_of_ours = seconds[f"fit_many, {threads} thread{'s' * (threads > 1)}"]
    for name, turns in found.items():
        print(f"{name:<30}{seconds[name]:>10.3f}{seconds[name] / all_of_ours:>20.2f}{turns[-1][1]:>10.4f}")


if __name__ == "__main__":
    main()
