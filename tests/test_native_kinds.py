"""Kinds of layers and residual links in C++, against the equations in NumPy and numerical differentiation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numerics import EVERY_OPTIMIZER, central_difference, norm

from reseau.engine.order import keeps, row_order
from reseau.errors import ReseauError
from reseau.vocabulary.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("native")

Array = Any
EPSILON = 1e-3
ROWS = 29


# --- the equations, in NumPy ------------------------------------------------------------------------------------------


class Map(NamedTuple):
    """A kind of layer: z of its parameters p and of a; and of p, a and δ = ∂E/∂z, ∂E/∂a and ∂E/∂p."""

    size: Callable[[int, int], int]  # of p, for (n_in, n)
    z: Callable[[Array, Array], Array]
    back: Callable[[Array, Array, Array], tuple[Array, Array]]
    bias: bool = True
    penalised: bool = False


def normalised(a: Array) -> tuple[Array, Array]:
    """x̂, and the 1/√(σ² + ε) of each row."""
    scale = 1 / np.sqrt(a.var(axis=1, keepdims=True) + EPSILON)
    return (a - a.mean(axis=1, keepdims=True)) * scale, scale


def norm_back(gamma: Array, a: Array, delta: Array) -> tuple[Array, Array]:
    x_hat, scale = normalised(a)
    g = gamma * delta
    along = (g * x_hat).mean(axis=1, keepdims=True)
    return scale * (g - g.mean(axis=1, keepdims=True) - x_hat * along), (delta * x_hat).sum(axis=0)


MAPS = {
    "dense": Map(
        size=lambda n_in, n: n_in * n,
        z=lambda p, a: a @ p.reshape(a.shape[1], -1),
        back=lambda p, a, delta: (delta @ p.reshape(a.shape[1], -1).T, (a.T @ delta).ravel()),
        penalised=True,
    ),
    "layer_norm": Map(size=lambda n_in, n: n, z=lambda p, a: p * normalised(a)[0], back=norm_back),
    "dropout": Map(size=lambda n_in, n: 0, z=lambda p, a: a, back=lambda p, a, delta: (delta, p), bias=False),
    "prelu": Map(
        size=lambda n_in, n: n,
        z=lambda p, a: np.maximum(0, a) + p * np.minimum(0, a),
        back=lambda p, a, delta: (np.where(a > 0, delta, p * delta), (delta * np.minimum(0, a)).sum(axis=0)),
        bias=False,
    ),
}


class Layer(NamedTuple):
    kind: str
    n: int
    activation: str = "identity"
    plus: int = -1
    dropout: float = 0.0


class Chain(NamedTuple):
    inputs: int
    layers: tuple[Layer, ...]
    w: Array
    X: Array
    T: Array

    def places(self) -> list[tuple[slice, slice]]:
        """Where the parameters of each layer's map lie in w, and where its bias."""
        found, n_in, at = [], self.inputs, 0
        for layer in self.layers:
            middle = at + MAPS[layer.kind].size(n_in, layer.n)
            end = middle + (layer.n if MAPS[layer.kind].bias else 0)
            found.append((slice(at, middle), slice(middle, end)))
            n_in, at = layer.n, end
        return found

    def tuples(self) -> list[tuple[Any, ...]]:
        """The layers as the extension module takes them."""
        from reseau import _native

        described, n_in = [], self.inputs
        for layer, (p, b) in zip(self.layers, self.places(), strict=True):
            offsets = tuple(place.start if place.stop > place.start else -1 for place in (p, b))
            sigma = _native.activations().index(layer.activation)
            epsilon = EPSILON if layer.kind == "layer_norm" else 0.0
            described.append((layer.kind, n_in, layer.n, sigma, *offsets, layer.dropout, epsilon, layer.plus, ()))
            n_in = layer.n
        return described

    def trace(self, w: Array, X: Array, masks: dict[int, Array]) -> tuple[list[Array], list[Array], list[Array]]:
        """Z_1..Z_L, what the activations gave, and A_0..A_L."""
        Z, own, A = [], [], [X]
        for l, (layer, (p, b)) in enumerate(zip(self.layers, self.places(), strict=True), start=1):
            Z.append(MAPS[layer.kind].z(w[p], A[-1]) + (w[b] if b.stop > b.start else 0.0))
            own.append(ACTIVATIONS[layer.activation].value(Z[-1]))
            kept = own[-1] * masks[l] if l in masks else own[-1]
            A.append(kept + A[layer.plus] if layer.plus >= 0 else kept)
        return Z, own, A

    def outputs(self, w: Array, X: Array) -> Array:
        return self.trace(w, X, {})[2][-1]

    def error(self, w: Array) -> float:
        return float(((self.outputs(w, self.X) - self.T) ** 2).sum() / 2 / len(self.X))

    def penalised(self) -> Array:
        """1 for each parameter that the penalty counts."""
        counted = np.zeros_like(self.w)
        for layer, (p, _) in zip(self.layers, self.places(), strict=True):
            counted[p] = MAPS[layer.kind].penalised
        return counted

    def gradient(self, w: Array, X: Array, T: Array, masks: dict[int, Array]) -> Array:
        """∂E/∂w by the chain rule."""
        Z, own, A = self.trace(w, X, masks)
        dA = [np.zeros_like(a) for a in A]
        dA[-1] = (A[-1] - T) / len(X)
        dw = np.empty_like(w)
        for l in range(len(self.layers), 0, -1):
            layer, (p, b) = self.layers[l - 1], self.places()[l - 1]
            G = dA[l] * masks[l] if l in masks else dA[l]
            delta = ACTIVATIONS[layer.activation].pullback(Z[l - 1], own[l - 1], G)
            sent, dw[p] = MAPS[layer.kind].back(w[p], A[l - 1], delta)
            dw[b] = delta.sum(axis=0)[: b.stop - b.start]
            dA[l - 1] = dA[l - 1] + sent
            if layer.plus >= 0:
                dA[layer.plus] = dA[layer.plus] + dA[l]
        return dw

    def trained(self, optimizer: Any, epochs: int, batch_size: int, seed: int, l2: float) -> Array:
        """The weights after some epochs, in float64."""
        w, t = self.w.astype("float64"), 0
        state = optimizer.init(w)
        for epoch in range(epochs):
            order = row_order(len(self.X), seed, epoch)
            for start in range(0, len(order), batch_size):
                batch, t = order[start : start + batch_size], t + 1
                masks = {
                    l: keeps(seed, t, l - 1, len(batch), layer.n, layer.dropout) / (1 - layer.dropout)
                    for l, layer in enumerate(self.layers, start=1)
                    if layer.dropout > 0
                }
                X, T = self.X[batch].astype("float64"), self.T[batch].astype("float64")
                g = self.gradient(w, X, T, masks) + l2 / len(batch) * self.penalised() * w
                w, state = optimizer.update(w, g, state, t)
        return w


# --- the chains -------------------------------------------------------------------------------------------------------

# Inputs and layers: narrow layers and layers in panels, with whole and parted vectors, first, last and one after
# another, with activations of a number, of its value or its score, and of a row.
NORMS = {
    "between": (6, (Layer("dense", 20, "tanh"), Layer("layer_norm", 20, "gelu"), Layer("dense", 3))),
    "at the ends": (33, (Layer("layer_norm", 33), Layer("dense", 4, "tanh"), Layer("layer_norm", 4))),
    "in a row": (
        17,
        (Layer("dense", 3, "softmax"), Layer("layer_norm", 3, "softplus"), Layer("layer_norm", 3, "softmax")),
    ),
    "wide": (5, (Layer("dense", 70, "silu"), Layer("layer_norm", 70, "sigmoid"), Layer("dense", 2))),
}
LINKS = {
    "one block": (6, (Layer("dense", 20, "tanh"), Layer("dense", 20, "gelu", plus=1), Layer("dense", 3))),
    "over two layers": (
        4,
        (Layer("dense", 9, "tanh"), Layer("dense", 33, "silu"), Layer("dense", 9, "sigmoid", 1), Layer("dense", 2)),
    ),
    "around one layer": (9, (Layer("dense", 9, "tanh", plus=0), Layer("dense", 9, "tanh", plus=1))),
    "from the inputs to the outputs": (7, (Layer("dense", 12, "elu"), Layer("dense", 7, plus=0))),
    "of rows": (
        5,
        (Layer("dense", 5, "softmax", plus=0), Layer("dense", 5, "log_softmax", 1), Layer("dense", 5, "softmax", 1)),
    ),
    "several from one": (
        3,
        (
            Layer("dense", 21, "tanh"),
            Layer("dense", 21, "mish", 1),
            Layer("dense", 21, "tanh", 1),
            Layer("dense", 21, "softmax", 1),
            Layer("dense", 1),
        ),
    ),
    "nested and crossing": (
        18,
        (
            Layer("dense", 18, "tanh", 0),
            Layer("dense", 18, "gelu"),
            Layer("dense", 18, "softsign", 0),
            Layer("dense", 18, "tanh", 1),
            Layer("dense", 18, "softplus", 2),
            Layer("dense", 18, "sigmoid", 0),
        ),
    ),
    "of narrow layers": (
        40,
        (
            Layer("dense", 2, "tanh"),
            Layer("dense", 17, "gelu"),
            Layer("dense", 2, "sigmoid", 1),
            Layer("dense", 2, plus=3),
        ),
    ),
    "wide with norms": (
        8,
        (
            Layer("dense", 37, "tanh"),
            Layer("layer_norm", 37),
            Layer("dense", 33, "gelu"),
            Layer("dense", 37, plus=1),
            Layer("layer_norm", 37, "tanh", 2),
            Layer("dense", 2),
        ),
    ),
    "with dropout": (
        6,
        (
            Layer("dense", 19, "tanh", dropout=0.3),
            Layer("dense", 19, "gelu", 1, dropout=0.5),
            Layer("layer_norm", 19, "tanh", 1, dropout=0.2),
            Layer("dense", 3),
        ),
    ),
}
DROPOUTS = {
    "dropped inputs": (19, (Layer("dropout", 19, dropout=0.2), Layer("dense", 9, "tanh"), Layer("dense", 2))),
    "dropped rows": (
        5,
        (Layer("dense", 11, "softmax"), Layer("dropout", 11, dropout=0.5), Layer("layer_norm", 11), Layer("dense", 2)),
    ),
    "dropped sums": (
        17,
        (
            Layer("dropout", 17, dropout=0.1),
            Layer("layer_norm", 17, plus=0),
            Layer("dropout", 17, dropout=0.3),
            Layer("dense", 17, "tanh", 1),
            Layer("dropout", 17, plus=2, dropout=0.2),
            Layer("dropout", 17, dropout=0.1),
        ),
    ),
    "nothing dropped": (3, (Layer("dropout", 3), Layer("dropout", 3), Layer("dense", 2, "gelu"), Layer("dropout", 2))),
}
SLOPES = {
    "slopes between": (6, (Layer("dense", 20), Layer("prelu", 20), Layer("dense", 3))),
    "slopes at the ends": (33, (Layer("prelu", 33), Layer("dense", 4, "tanh"), Layer("prelu", 4))),
    "slopes everywhere": (
        11,
        (
            Layer("dropout", 11, dropout=0.1),
            Layer("prelu", 11, plus=0),
            Layer("dense", 39, "gelu"),
            Layer("prelu", 39, plus=3, dropout=0.2),
            Layer("layer_norm", 39),
            Layer("prelu", 39, plus=3),
            Layer("prelu", 39),
            Layer("dense", 2, "softmax"),
            Layer("prelu", 2),
        ),
    ),
}
CHAINS = NORMS | LINKS | DROPOUTS | SLOPES


def chain(name: str, dtype: str = "float64", rows: int = ROWS) -> Chain:
    inputs, layers = CHAINS[name]
    rng = np.random.default_rng(len(name))
    size = Chain(inputs, layers, None, None, None).places()[-1][1].stop
    w = rng.normal(0, 2 / np.sqrt(max(layer.n for layer in layers)), size)
    X, T = rng.normal(size=(rows, inputs)), rng.normal(size=(rows, layers[-1].n))
    return Chain(inputs, layers, w.astype(dtype), X.astype(dtype), T.astype(dtype))


# --- the native engine ------------------------------------------------------------------------------------------------


def classes(dtype: np.dtype[Any]) -> tuple[Any, Any, Any]:
    from reseau import _native

    if dtype == np.float32:
        return _native.ModelFloat32, _native.TrainerFloat32, _native.CallerFloat32
    return _native.ModelFloat64, _native.TrainerFloat64, _native.CallerFloat64


def sets() -> list[str]:
    """The instruction sets whose bytes are the same: all that have fused multiply-adds."""
    from reseau import _native

    return [name for name in _native.instruction_sets() if name != "portable"] or ["portable"]


def model(problem: Chain, instruction_set: str | None = None, precision: str = "full") -> Any:
    from reseau import _native
    from reseau.engine import native

    last = problem.layers[-1]
    made = classes(problem.w.dtype)[0](
        instruction_set or native.instruction_set(),
        problem.tuples(),
        _native.losses().index("squared_error"),
        (),
        last.activation == "identity" and last.plus < 0 and last.dropout == 0,
        _native.Purpose.inputs,
        False,
        getattr(_native.Precision, precision),
        (-np.inf, np.inf),
    )
    made.pack(problem.w)
    return made


def gradient(problem: Chain, l2: float = 0.0, threads: int = 1, **options: Any) -> tuple[float, Array]:
    g = np.empty_like(problem.w)
    E = model(problem, **options).gradient(problem.X, problem.T, None, None, l2, g, threads, None, None)
    return E, g


def predicted(
    problem: Chain, X: Array, instruction_set: str | None = None, threads: int = 1, precision: str = "full"
) -> Array:
    from reseau import _native
    from reseau.engine import native

    caller, name = classes(problem.w.dtype)[2], instruction_set or native.instruction_set()
    predict = caller(name, problem.tuples(), problem.w, lambda: threads, getattr(_native.Precision, precision))
    return predict(np.ascontiguousarray(X), None)


def jacobians(problem: Chain, threads: int = 1, **options: Any) -> tuple[Array, Array]:
    rows, n = len(problem.X), problem.layers[-1].n
    J = np.empty((rows, n, problem.inputs), problem.w.dtype)
    by_w = np.empty((rows, n, problem.w.size), problem.w.dtype)
    made = model(problem, **options)
    made.jacobian(problem.X, J, threads)
    made.parameter_jacobian(problem.X, by_w, threads)
    return J, by_w


def trained(
    problem: Chain,
    optimizer: Any,
    epochs: int,
    batch_size: int,
    threads: int = 1,
    l2: float = 0.1,
    numbers: dict[str, Any] | None = None,
    **options: Any,
) -> Array:
    """The weights after some epochs; `numbers` in place of the optimizer's hyperparameters."""
    from reseau import _native

    w, place = problem.w.copy(), _native.optimizers().index(optimizer.name)
    trainer = classes(w.dtype)[1](model(problem, **options), place, None)
    trainer.run(
        w,
        problem.X,
        problem.T,
        None,
        None,
        hyperparameters=optimizer.hyperparameters() if numbers is None else numbers,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=True,
        seed=1,
        l2=l2,
        threads=threads,
        order=None,
        record=None,
        resume=False,
        leave=False,
        guard=(1e300, 1e300),
        rates=None,
        starts=None,
        columns=None,
    )
    return w


# --- single numbers, by hand ------------------------------------------------------------------------------------------


def test_a_row_of_two_numbers_is_normalised_to_minus_one_and_one(monkeypatch):
    monkeypatch.setitem(globals(), "EPSILON", 0.0)
    w = np.array([3.0, 5.0, 0.25, 0.5])  # γ, β
    problem = Chain(2, (Layer("layer_norm", 2),), w, np.array([[1.0, 3.0], [10.0, 2.0]]), np.zeros((2, 2)))
    assert predicted(problem, problem.X).tolist() == [[-2.75, 5.5], [3.25, -4.5]]


def test_a_link_adds_the_inputs_to_the_outputs():
    w = np.array([2.0, 0.0, 1.0, -1.0, 0.5, 0.0])  # W = [[2, 0], [1, −1]], b = (½, 0)
    problem = Chain(2, (Layer("dense", 2, "relu", plus=0),), w, np.array([[1.0, 3.0]]), np.array([[0.0, 5.0]]))
    assert predicted(problem, problem.X).tolist() == [[6.5, 3.0]]  # (5½, −3) through ReLU, and (1, 3)
    E, g = gradient(problem)
    assert E == (6.5**2 + 2**2) / 2
    assert g.tolist() == [6.5, 0.0, 19.5, 0.0, 6.5, 0.0]
    J, _ = jacobians(problem)
    assert J.tolist() == [[[3.0, 1.0], [0.0, 1.0]]]


# --- every chain ------------------------------------------------------------------------------------------------------


def test_a_slope_is_that_of_what_is_not_positive():
    w = np.array([0.25, 0.5, 3.0])
    problem = Chain(3, (Layer("prelu", 3),), w, np.array([[-2.0, 3.0, 0.0]]), np.zeros((1, 3)))
    assert predicted(problem, problem.X).tolist() == [[-0.5, 3.0, 0.0]]
    assert gradient(problem)[1].tolist() == [1.0, 0.0, 0.0]  # (o − t) min(0, x)
    assert jacobians(problem)[0].tolist() == [np.diag([0.25, 1.0, 3.0]).tolist()]


def test_a_network_without_parameters_gives_its_inputs_and_trains_to_nothing():
    X = np.array([[1.0, -2.0, 0.5]])
    layers = (Layer("dropout", 3, dropout=0.5), Layer("dropout", 3, plus=0))
    problem = Chain(3, layers, np.empty(0), X, np.array([[2.0, -3.0, 1.0]]))
    assert predicted(problem, X).tolist() == [[2.0, -4.0, 1.0]]
    E, g = gradient(problem)
    assert (E, g.size) == (0.5, 0)
    J, by_w = jacobians(problem)
    assert J.tolist() == [(2 * np.eye(3)).tolist()]
    assert by_w.size == 0
    assert trained(problem, EVERY_OPTIMIZER[0], epochs=2, batch_size=1).size == 0


@pytest.mark.parametrize("name", CHAINS)
def test_outputs_are_those_of_the_formula_for_one_row_and_for_many(name):
    problem = chain(name)
    O = predicted(problem, problem.X)
    np.testing.assert_allclose(O, problem.outputs(problem.w, problem.X), rtol=1e-12, atol=1e-13)
    assert np.array_equal(predicted(problem, problem.X[7:8]), O[7:8])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_a_row_is_predicted_with_the_same_bytes_in_any_batch_on_any_threads_and_every_instruction_set(name, dtype):
    problem = chain(name, dtype, rows=300)
    O = predicted(problem, problem.X)
    for rows in (1, 2, 4, 5, 64, 65):
        for first in (0, 101):
            assert predicted(problem, problem.X[first : first + rows]).tobytes() == O[first : first + rows].tobytes()
    for each in sets():
        assert predicted(problem, problem.X, each, threads=3).tobytes() == O.tobytes()
        assert predicted(problem, problem.X[:1], each).tobytes() == O[:1].tobytes()


@pytest.mark.parametrize("name", CHAINS)
def test_the_gradient_is_the_numerical_one_and_that_of_the_chain_rule(name):
    problem = chain(name)
    E, g = gradient(problem)
    np.testing.assert_allclose(E, problem.error(problem.w), rtol=1e-13)
    assert norm(g - central_difference(problem.error, problem.w)) <= 1e-7 * norm(g)
    assert norm(g - problem.gradient(problem.w, problem.X, problem.T, {})) <= 1e-13 * norm(g)


@pytest.mark.parametrize("name", CHAINS)
def test_the_errors_are_those_of_the_outputs(name):
    problem = chain(name)
    e = np.empty_like(problem.T)
    model(problem).errors(problem.X, problem.T, None, e, 1)
    expected = (problem.outputs(problem.w, problem.X) - problem.T) ** 2 / 2
    np.testing.assert_allclose(e, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", CHAINS)
def test_the_jacobians_are_the_numerical_ones(name):
    problem = chain(name, rows=3)
    J, by_w = jacobians(problem)
    h = 1e-5
    for i, step in enumerate(h * np.eye(problem.inputs)):
        slope = (problem.outputs(problem.w, problem.X + step) - problem.outputs(problem.w, problem.X - step)) / (2 * h)
        assert norm(J[:, :, i] - slope) <= 1e-7 * norm(J)
    assert norm(by_w - central_difference(lambda w: problem.outputs(w, problem.X), problem.w)) <= 1e-7 * norm(by_w)


@pytest.mark.parametrize("name", CHAINS)
def test_the_penalty_counts_the_weights_of_dense_layers_alone(name):
    problem = chain(name)
    penalty = ROWS * (gradient(problem, l2=0.5)[1] - gradient(problem)[1]) / 0.5
    np.testing.assert_allclose(penalty, problem.penalised() * problem.w, atol=1e-11)


@pytest.mark.parametrize("name", CHAINS)
def test_training_gives_the_weights_of_the_equations(name):
    problem = chain(name)
    for optimizer in EVERY_OPTIMIZER:
        w = trained(problem, optimizer, epochs=3, batch_size=12)
        expected = problem.trained(optimizer, epochs=3, batch_size=12, seed=1, l2=0.1)
        assert norm(w - expected) <= 1e-9 * norm(expected - problem.w), optimizer


@pytest.mark.parametrize("name", CHAINS)
def test_training_in_single_precision_comes_as_near_as_that_is(name):
    problem = chain(name, "float32")
    w = trained(problem, EVERY_OPTIMIZER[0], epochs=2, batch_size=12)
    expected = problem.trained(EVERY_OPTIMIZER[0], epochs=2, batch_size=12, seed=1, l2=0.1)
    assert norm(w - expected) <= 1e-5 * norm(expected - problem.w)


@pytest.mark.parametrize(("precision", "error"), [("bf16", 0.03), ("bf16x3", 1e-4), ("bf16x6", 1e-5)])
@pytest.mark.parametrize("name", CHAINS)
def test_the_gradient_in_bfloat16_is_near_and_has_the_same_bytes_everywhere(name, precision, error):
    problem = chain(name, "float32", rows=1500)
    _, exact = gradient(problem)
    # Matrix instructions sum single bfloat16 in an order of their own.
    same = [each for each in sets() if precision != "bf16" or each != "avx512_amx"]
    results = {
        gradient(problem, threads=threads, instruction_set=each, precision=precision)[1].tobytes()
        for each in same
        for threads in (1, 2)
    }
    assert len(results) == 1
    g = np.frombuffer(results.pop(), np.float32)
    assert norm(g - exact) <= error * norm(exact)
    assert not np.array_equal(g, exact)


@pytest.mark.parametrize("precision", ["bf16x3", "bf16x6"])
@pytest.mark.parametrize("name", CHAINS)
def test_outputs_in_split_factors_are_the_same_bytes_everywhere_and_in_any_batch(name, precision):
    problem = chain(name, "float32", rows=150)
    results = {
        b"".join(
            predicted(problem, problem.X[begin : begin + size], each, threads, precision).tobytes()
            for begin in range(0, 150, size)
        )
        for each in sets()
        for threads, size in ((1, 150), (2, 150), (1, 70), (1, 1))
    }
    assert len(results) == 1
    exact = predicted(problem, problem.X)
    assert norm(np.frombuffer(results.pop(), np.float32).reshape(exact.shape) - exact) <= 1e-4 * norm(exact)


@pytest.mark.parametrize("name", ["one block", "several from one", "of narrow layers", "wide with norms"])
def test_sparse_rows_go_through_links_behind_the_first_layer_as_others_do(name):
    from reseau import _native
    from reseau.engine import native

    problem = chain(name)
    X = problem.X * (np.random.default_rng(0).random(problem.X.shape) < 0.3)
    rows, columns = np.nonzero(X)
    numbers = np.ascontiguousarray(X[rows, columns]).reshape(-1, 1)
    starts = np.searchsorted(rows, np.arange(len(X) + 1)).astype(np.int64)
    losses, purpose = _native.losses().index("squared_error"), _native.Purpose.backward
    simplifies = problem.layers[-1].activation == "identity" and problem.layers[-1].plus < 0
    made = _native.ModelFloat64(
        native.instruction_set(),
        problem.tuples(),
        losses,
        (),
        simplifies,
        purpose,
        True,
        _native.Precision.full,
        (-np.inf, np.inf),
    )
    made.pack(problem.w)
    g = np.empty_like(problem.w)
    made.gradient(numbers, problem.T, None, None, 0.0, g, 1, starts, columns.astype(np.int32))
    expected = problem.gradient(problem.w, X, problem.T, {})
    assert norm(g - expected) <= 1e-13 * norm(expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_derivatives_have_the_same_bytes_on_any_threads_and_every_instruction_set(name, dtype):
    problem = chain(name, dtype, rows=150)
    results = {
        tuple(
            array.tobytes()
            for array in (
                *jacobians(problem, threads, instruction_set=each),
                gradient(problem, 0.1, threads, instruction_set=each)[1],
            )
        )
        for each in sets()
        for threads in (1, 2, 3, 4)
    }
    assert len(results) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_training_gives_the_same_bytes_on_any_threads_and_every_instruction_set(name, dtype):
    problem = chain(name, dtype, rows=1500)
    adam = EVERY_OPTIMIZER[3]
    results = {
        trained(problem, adam, epochs=3, batch_size=700, threads=threads, instruction_set=each).tobytes()
        for each in sets()
        for threads in (1, 2, 3, 4)
    }
    assert len(results) == 1
    assert not np.array_equal(np.frombuffer(results.pop(), dtype), problem.w)


# --- hyperparameters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=repr)
def test_hyperparameters_are_taken_by_name_in_any_order(optimizer):
    problem = chain("one block")
    numbers = dict(reversed(optimizer.hyperparameters().items()))
    given = trained(problem, optimizer, 2, 12, numbers=numbers)
    assert given.tobytes() == trained(problem, optimizer, 2, 12).tobytes()


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=repr)
def test_a_missing_or_an_unknown_hyperparameter_is_named_and_nothing_trained(optimizer):
    problem, numbers = chain("one block"), optimizer.hyperparameters()
    for name in numbers:
        without = {other: value for other, value in numbers.items() if other != name}
        with pytest.raises(ReseauError, match=f"'{name}' is missing: .*'{optimizer.name}' takes {', '.join(numbers)}"):
            trained(problem, optimizer, 1, 12, numbers=without)
    with pytest.raises(ReseauError, match=f"'Momentum' is unknown: .*'{optimizer.name}' takes {', '.join(numbers)}"):
        trained(problem, optimizer, 1, 12, numbers={**numbers, "Momentum": 0.5})
