"""JAX: a whole epoch in one compiled scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from cases import LEARNING_RATES, MOMENTUM, STATES, Array, Case, Problem

from peers.peer import Peer, Setting


def forward(case: Case) -> Callable[[Any, Any], Any]:
    """The function (parameters, X) → scores of the last layer."""
    import jax

    activation = {
        "relu": jax.nn.relu,
        "tanh": jax.numpy.tanh,
        "sigmoid": jax.nn.sigmoid,
        "gelu": lambda Z: jax.nn.gelu(Z, approximate=False),
    }[case.activation]

    def scores(parameters: Any, X: Any) -> Any:
        *hidden, (W, b) = parameters
        for V, c in hidden:
            X = activation(X @ V + c)
        return X @ W + b

    return scores


def update(optimizer: str) -> Callable[..., tuple[Any, ...]]:
    """The function (w, g, t, states...) → (w, states...) of an optimizer, t = 1, 2, ... being the step."""
    import jax.numpy as jnp

    gamma = LEARNING_RATES[optimizer]

    def adam(w: Any, g: Any, t: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        return w - gamma * m_hat / (jnp.sqrt(v_hat) + 1e-8), m, v

    def sgd(w: Any, g: Any, t: Any, v: Any) -> tuple[Any, ...]:
        v = MOMENTUM * v - gamma * g
        return w + v, v

    return adam if optimizer == "adam" else sgd


def options(setting: Setting) -> dict[str, bool | str]:
    """For the compiler: threads are all or one, which holds for the products that XLA gives to Eigen; and YNNPACK."""
    chosen: dict[str, bool | str] = {} if setting.threads > 1 else {"xla_cpu_multi_thread_eigen": False}
    return chosen | ({"xla_cpu_experimental_ynn_fusion_type": ""} if setting.way == "without YNNPACK" else {})


class Jax(Peer):
    """One jitted `lax.scan` over an epoch's batches, its buffers donated; a jitted forward pass."""

    name = "JAX"
    packages = ("jax", "jaxlib")

    def settings(self, processors: int) -> list[Setting]:
        # From 0.10 on XLA gives products to YNNPACK unless it is told not to.
        with_ynnpack = tuple(int(part) for part in version("jaxlib").split(".")[:2]) >= (0, 10)
        ways = ("with YNNPACK", "without YNNPACK") if with_ynnpack else ("",)
        return [Setting(threads, way) for way in ways for threads in sorted({1, processors})]

    def lacks(self, case: Case) -> str | None:
        return None

    @contextmanager
    def using(self, setting: Setting) -> Iterator[None]:
        import jax

        # Or it would compute float64 cases in float32; the others say float32 themselves.
        with jax.enable_x64(True):
            yield

    def forget(self) -> None:
        import jax

        jax.clear_caches()

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        import jax
        import jax.numpy as jnp

        scores, step = forward(case), update(case.optimizer)

        def error(parameters: Any, X: Any, y: Any) -> Any:
            Z = scores(parameters, X)
            if case.output == "softmax":
                return -jnp.take_along_axis(jax.nn.log_softmax(Z), y[:, None], axis=1).mean()
            return 0.5 * jnp.square(Z - y).sum(axis=1).mean()

        def one(state: Any, batch: Any) -> tuple[Any, Any]:
            (w, *states), t = state
            E, g = jax.value_and_grad(error)(w, *batch)
            t = t + 1
            new = jax.tree.map(lambda w, g, *states: step(w, g, t, *states), w, g, *states)
            columns = jax.tree.structure((0,) * (1 + len(states)))
            return (jax.tree.transpose(jax.tree.structure(w), columns, new), t), E

        def scan(state: Any, X: Any, y: Any) -> tuple[Any, Any]:
            state, E = jax.lax.scan(one, state, (X, y))
            return state, E.mean()

        X = jnp.asarray(problem.X.reshape(case.batches, case.batch, -1))
        y = jnp.asarray(problem.y.reshape(case.batches, case.batch, *problem.y.shape[1:]))
        y = y.astype("int32") if case.output == "softmax" else y
        w = jax.tree.map(jnp.array, problem.weights)
        states = (jax.tree.map(jnp.zeros_like, w) for _ in range(STATES[case.optimizer]))
        state = ((w, *states), jnp.zeros((), case.dtype))
        epoch = jax.jit(scan, donate_argnums=0).lower(state, X, y).compile(compiler_options=options(setting))

        def epochs(count: int) -> float:
            nonlocal state
            for _ in range(count):
                state, E = epoch(state, X, y)
            return float(E)

        return epochs

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        import jax
        import jax.numpy as jnp

        scores = forward(case)

        def outputs(parameters: Any, X: Any) -> Any:
            Z = scores(parameters, X)
            return jax.nn.softmax(Z) if case.output == "softmax" else Z

        w, X = jax.tree.map(jnp.array, problem.weights), jnp.asarray(problem.X)
        compiled = jax.jit(outputs).lower(w, X).compile(compiler_options=options(setting))
        return lambda: compiled(w, X).block_until_ready()
