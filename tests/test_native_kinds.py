"""The kinds of layers in C++ that no layer in Python asks for yet: against NumPy and numerical differentiation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numerics import central_difference, norm

from reseau.vocabulary.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("native")

EPSILON = 1e-3
# Inputs, and layers as (kind, neurons, activation): beside narrow layers and layers in panels, with whole and parted
# vectors, first and last and one after another, with activations of a number and of a row.
CHAINS = {
    "between": (6, (("dense", 20, "tanh"), ("layer_norm", 20, "gelu"), ("dense", 3, "identity"))),
    "at the ends": (33, (("layer_norm", 33, "identity"), ("dense", 4, "tanh"), ("layer_norm", 4, "identity"))),
    "in a row": (17, (("dense", 3, "softmax"), ("layer_norm", 3, "softplus"), ("layer_norm", 3, "softmax"))),
    "wide": (5, (("dense", 70, "silu"), ("layer_norm", 70, "sigmoid"), ("dense", 2, "identity"))),
}
ROWS = 29


class Chain(NamedTuple):
    inputs: int
    layers: list[tuple[Any, ...]]  # as the extension module takes them
    w: np.ndarray[Any, Any]
    X: np.ndarray[Any, Any]
    T: np.ndarray[Any, Any]

    def outputs(self, w: Any, X: Any) -> Any:
        """By the formulas."""
        from reseau import _native

        A = X
        for kind, n_in, n, activation, first, second, _, epsilon in self.layers:
            if kind == "dense":
                Z = A @ w[first : first + n_in * n].reshape(n_in, n) + w[second : second + n]
            else:
                centred = A - A.mean(axis=1, keepdims=True)
                normed = centred / np.sqrt(A.var(axis=1, keepdims=True) + epsilon)
                Z = w[first : first + n] * normed + w[second : second + n]
            A = ACTIVATIONS[_native.activations()[activation]].value(Z)
        return A

    def error(self, w: Any) -> float:
        return float(((self.outputs(w, self.X) - self.T) ** 2).sum() / 2 / len(self.X))


def chain(name: str, dtype: str = "float64", rows: int = ROWS) -> Chain:
    from reseau import _native

    rng = np.random.default_rng(len(name))
    inputs, described = CHAINS[name]
    layers: list[tuple[Any, ...]] = []
    n_in, size = inputs, 0
    for kind, n, activation in described:
        weights = n_in * n if kind == "dense" else n
        place = _native.activations().index(activation)
        layers.append((kind, n_in, n, place, size, size + weights, 0.0, EPSILON if kind == "layer_norm" else 0.0))
        size += weights + n
        n_in = n
    w, X, T = rng.normal(0, 0.6, size), rng.normal(size=(rows, inputs)), rng.normal(size=(rows, n_in))
    return Chain(inputs, layers, w.astype(dtype), X.astype(dtype), T.astype(dtype))


def model(problem: Chain, instruction_set: str | None = None) -> Any:
    from reseau import _native
    from reseau.engine import native

    kind = {"float32": _native.ModelFloat32, "float64": _native.ModelFloat64}[problem.w.dtype.name]
    simplifies = _native.activations()[problem.layers[-1][3]] == "identity"
    made = kind(
        instruction_set or native.instruction_set(),
        problem.layers,
        _native.losses().index("squared_error"),
        simplifies,
        _native.Purpose.inputs,
        False,
        False,
        (-np.inf, np.inf),
    )
    made.pack(problem.w)
    return made


def gradient(problem: Chain, l2: float = 0.0, threads: int = 1, instruction_set: str | None = None) -> Any:
    g = np.empty_like(problem.w)
    E = model(problem, instruction_set).gradient(problem.X, problem.T, None, None, l2, g, threads, None, None)
    return E, g


def predicted(problem: Chain, X: Any) -> Any:
    from reseau import _native
    from reseau.engine import native

    caller = {"float32": _native.CallerFloat32, "float64": _native.CallerFloat64}[problem.w.dtype.name]
    return caller(native.instruction_set(), problem.layers, problem.w, lambda: 1)(np.ascontiguousarray(X), None)


def trained(problem: Chain, threads: int, instruction_set: str) -> Any:
    from reseau import _native

    kind = {"float32": _native.TrainerFloat32, "float64": _native.TrainerFloat64}[problem.w.dtype.name]
    adam = _native.optimizers().index("adam")
    w = problem.w.copy()
    trainer = kind(model(problem, instruction_set), adam, _native.optimizer_states()[adam])
    trainer.run(
        w,
        problem.X,
        problem.T,
        None,
        None,
        hyperparameters=[1e-2, 0.9, 0.999, 1e-8, 0.0],
        epochs=3,
        batch_size=700,
        shuffle=True,
        seed=1,
        l2=0.1,
        threads=threads,
        order=None,
        record=None,
        resume=False,
        leave=False,
        guard=True,
        starts=None,
        columns=None,
    )
    return w


def test_a_row_of_two_numbers_is_normalised_to_minus_one_and_one():
    from reseau import _native

    identity = _native.activations().index("identity")
    layers = [("layer_norm", 2, 2, identity, 0, 2, 0.0, 0.0)]
    w = np.array([3.0, 5.0, 0.25, 0.5])  # γ, β
    problem = Chain(2, layers, w, np.array([[1.0, 3.0], [10.0, 2.0]]), np.zeros((2, 2)))
    assert predicted(problem, problem.X).tolist() == [[-2.75, 5.5], [3.25, -4.5]]


@pytest.mark.parametrize("name", CHAINS)
def test_outputs_are_those_of_the_formula_for_one_row_and_for_many(name):
    problem = chain(name)
    O = predicted(problem, problem.X)
    np.testing.assert_allclose(O, problem.outputs(problem.w, problem.X), rtol=1e-13, atol=1e-14)
    assert np.array_equal(predicted(problem, problem.X[7:8]), O[7:8])


@pytest.mark.parametrize("name", CHAINS)
def test_the_gradient_is_the_numerical_one(name):
    problem = chain(name)
    E, g = gradient(problem)
    np.testing.assert_allclose(E, problem.error(problem.w), rtol=1e-13)
    assert norm(g - central_difference(problem.error, problem.w)) <= 1e-7 * norm(g)


@pytest.mark.parametrize("name", CHAINS)
def test_the_jacobians_are_the_numerical_ones(name):
    problem = chain(name, rows=3)
    n = problem.layers[-1][2]
    J, by_w = np.empty((3, n, problem.inputs)), np.empty((3, n, problem.w.size))
    model(problem).jacobian(problem.X, J, 1)
    model(problem).parameter_jacobian(problem.X, by_w, 1)
    h = 1e-5
    for i, step in enumerate(h * np.eye(problem.inputs)):
        slope = (problem.outputs(problem.w, problem.X + step) - problem.outputs(problem.w, problem.X - step)) / (2 * h)
        assert norm(J[:, :, i] - slope) <= 1e-7 * norm(J)
    for i, step in enumerate(h * np.eye(problem.w.size)):
        slope = (problem.outputs(problem.w + step, problem.X) - problem.outputs(problem.w - step, problem.X)) / (2 * h)
        assert norm(by_w[:, :, i] - slope) <= 1e-7 * norm(by_w)


def test_the_penalty_counts_neither_gamma_nor_beta():
    problem = chain("between")
    penalty = ROWS * (gradient(problem, l2=0.5)[1] - gradient(problem)[1]) / 0.5
    expected = np.zeros_like(problem.w)
    for kind, _, _, _, W, b, *_ in problem.layers:
        if kind == "dense":
            expected[W:b] = problem.w[W:b]
    np.testing.assert_allclose(penalty, expected, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_training_gives_the_same_bytes_on_any_threads_and_every_instruction_set(name, dtype):
    from reseau import _native

    problem = chain(name, dtype, rows=1500)
    sets = [name for name in _native.instruction_sets() if name != "portable"] or ["portable"]
    results = {trained(problem, threads, each).tobytes() for each in sets for threads in (1, 2, 3)}
    assert len(results) == 1
    assert not np.array_equal(np.frombuffer(results.pop(), dtype), problem.w)
