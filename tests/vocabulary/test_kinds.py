"""Kinds of layers, drawn from the table: gradients and Jacobians in both engines, files, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from chains import CHAINS, N, chains, one
from numerics import central_difference, norm

import reseau as rs
from reseau.vocabulary.layers import LAYERS, architecture_from_description


def problem(kind: str, name: str, engine: str | None, dtype: str = "float64") -> tuple[rs.Network, Any, Any]:
    """A network with weights of all sizes, samples and targets."""
    net = rs.Network(*chains(kind)[name], inputs=N, dtype=dtype, seed=0, engine=engine)
    rng = np.random.default_rng(len(name))
    net.parameters[...] = rng.normal(0.2, 0.6, net.n_parameters)
    X = rng.normal(size=(7, N)).astype(dtype)
    return net, X, rng.uniform(0.1, 0.9, (7, net.architecture.outputs)).astype(dtype)


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_the_gradient_is_the_numerical_one(kind, name, engine):
    net, X, T = problem(kind, name, engine)
    w, s, l2 = net.parameters.copy(), np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0, 1.0]), 0.3

    def objective(v: Any) -> float:
        net.parameters[...] = v
        E = net.errors(X, T).sum(axis=1)
        return float((s @ E + 0.5 * l2 * net.architecture.squares(net.parameters)) / s.sum())

    numerical = central_difference(objective, w) if w.size else w
    net.parameters[...] = w
    _, g = net.value_and_gradient(X, T, sample_weight=s, l2=l2)
    assert norm(g - numerical) <= 1e-7 * (1 + norm(g))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_both_jacobians_are_the_numerical_ones(kind, name, engine):
    net, X, _ = problem(kind, name, engine)
    numerical = central_difference(lambda x: net(x.reshape(1, -1))[0], X[0])
    assert norm(net.jacobian(X[:1])[0] - numerical) <= 1e-7 * (1 + norm(numerical))

    def outputs(v: Any) -> Any:
        before = net.parameters.copy()
        net.parameters[...] = v
        O = net(X)
        net.parameters[...] = before
        return O

    if not net.n_parameters:
        assert net.parameter_jacobian(X).shape == (7, N, 0)
        return
    of_parameters = central_difference(outputs, net.parameters.copy())
    assert norm(net.parameter_jacobian(X) - of_parameters) <= 1e-7 * (1 + norm(of_parameters))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_engines_agree_after_training_and_threads_change_no_byte(kind, name, dtype, native):
    X, T = problem(kind, name, None, dtype)[1:]
    X, T = np.tile(X, (9, 1)), np.tile(T, (9, 1))
    trained = {}
    for case in ("reference", 1, 2, 3):
        net = problem(kind, name, "reference" if case == "reference" else native, dtype)[0]
        net.fit(X, T, epochs=3, batch_size=16, optimizer=rs.Adam(0.01), threads=None if case == "reference" else case)
        trained[case] = net
    w = trained[1].parameters
    assert w.tobytes() == trained[2].parameters.tobytes() == trained[3].parameters.tobytes()
    assert norm(w - trained["reference"].parameters) <= 3e3 * np.finfo(dtype).eps * (1 + norm(w))
    O = trained[1](X)
    assert all(trained[1](X[r : r + 1]).tobytes() == O[r : r + 1].tobytes() for r in range(len(X)))
    assert norm(O - trained["reference"](X)) <= 3e3 * np.finfo(dtype).eps * (1 + norm(O))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_instruction_set_gives_the_same_bytes(kind, name, dtype, native, monkeypatch):
    from reseau._native import instruction_sets
    from reseau.engine import native as engine

    X, T = problem(kind, name, native, dtype)[1:]
    found = set()
    for each in set(instruction_sets()) - {"portable"}:  # which has no fused multiply-adds
        monkeypatch.setattr(engine, "instruction_set", lambda each=each: each)
        net = problem(kind, name, native, dtype)[0]
        bytes_before = [array.tobytes() for array in (net(X), net.jacobian(X), net.parameter_jacobian(X))]
        net.fit(X, T, epochs=3, batch_size=4, l2=0.1, optimizer=rs.Adam(0.01))
        found.add((*bytes_before, net.parameters.tobytes()))
    assert len(found) <= 1


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_zeros_of_either_sign_gives_the_same_bytes_alone_and_among_others(kind, dtype, native):
    net = rs.Network(one(kind), inputs=N, dtype=dtype, engine=native)
    net.parameters[...] = np.linspace(-1, 1, net.n_parameters)
    X = np.array([[-0.0, 0.0, -0.0, 0.0, -1.0], [0.0, -0.0, -0.0, 0.0, 1.0], [-0.0] * 5, [0.0] * 5] * 3, dtype)
    O = net(X)
    assert all(net(X[r : r + 1]).tobytes() == O[r : r + 1].tobytes() for r in range(len(X)))


@pytest.mark.parametrize(("kind", "name"), CHAINS)
def test_a_file_brings_back_the_same_layers_and_numbers(kind, name, tmp_path):
    net, X, _ = problem(kind, name, None)
    net.save(tmp_path / "net.reseau")
    loaded = rs.load(tmp_path / "net.reseau")
    assert loaded.architecture == net.architecture
    assert repr(loaded) == repr(net)
    assert loaded.tensors().keys() == net.tensors().keys()
    assert loaded(X).tobytes() == net(X).tobytes()


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_shows_its_tensors_and_its_row_of_the_summary(kind):
    net = rs.Network(rs.Dense(N), one(kind), rs.Dense(1), inputs=3, seed=0)
    view, letters = net.layers[1], LAYERS[kind].letters
    assert [name for name in letters if getattr(view, name) is not None] == list(view.tensors)
    assert all(np.shares_memory(tensor, net.parameters) for tensor in view.tensors.values())
    with pytest.raises(AttributeError, match=rf"^{type(view.description).__name__}\(.* no 'omega'\.$"):
        _ = view.omega
    assert [letter in net.summary().splitlines()[0].split() for letter in letters] == [True] * len(letters)
    assert len(net.gradient(np.ones((2, 3)), [0.0, 1.0])[1]) == len(letters)


def test_a_row_is_normalised_by_its_own_mean_and_variance(engine):
    net = rs.Network(rs.LayerNorm(epsilon=0.75), inputs=4, dtype="float64", engine=engine)
    assert net.layers[0].gamma.tolist() == [1.0] * 4
    assert net.layers[0].beta.tolist() == [0.0] * 4
    net.layers[0].gamma[...], net.layers[0].beta[...] = [1, 2, 3, 4], [5, 6, 7, 8]
    # Of 0, 2, 4, 6: μ = 3, s² = 5; of 1, 1, 1, 1: x − μ = 0. With ε = 0.75, √(s² + ε) = √5.75.
    expected = [[5 - 3 / 5.75**0.5, 6 - 2 / 5.75**0.5, 7 + 3 / 5.75**0.5, 8 + 12 / 5.75**0.5], [5, 6, 7, 8]]
    np.testing.assert_allclose(net([[0, 2, 4, 6], [1, 1, 1, 1]]), expected, rtol=1e-14)


def test_a_normalised_row_far_from_zero_keeps_its_digits(engine):
    net = rs.Network(rs.LayerNorm(), inputs=3, dtype="float32", engine=engine)
    near, far = net([[-1, 0, 1]]), net([[2**20 - 1, 2**20, 2**20 + 1]])  # exact in float32, so that x − μ is
    np.testing.assert_allclose(far, near, rtol=1e-6)


@pytest.mark.parametrize("width", [2, 17, 784])
@pytest.mark.parametrize("number", [0.1, 255.3, 10000.1, -123456789.0, 1e30])
def test_a_row_of_equal_numbers_is_one_of_zeros_however_far_from_zero_they_are(width, number, engine):
    for dtype in ("float32", "float64"):
        net = rs.Network(rs.LayerNorm(), inputs=width, dtype=dtype, engine=engine)
        assert not net(np.full((3, width), number)).any()
        assert not net(np.full((1, width), number)).any()


def test_the_slope_of_each_number_below_zero_is_learned(engine):
    net = rs.Network(rs.PReLU(0.5), inputs=3, dtype="float64", engine=engine)
    assert net([[-2.0, 0.0, 3.0]]).tolist() == [[-1.0, 0.0, 3.0]]
    net.layers[0].alpha[...] = [0.25, 7, 7]
    assert net([[-2.0, 0.0, 3.0]]).tolist() == [[-0.5, 0.0, 3.0]]
    ((alpha,),) = net.gradient([[-2.0, 0.0, 3.0]], [[0.5, 0.0, 3.0]])
    assert alpha.tolist() == [2.0, 0.0, 0.0]  # (o − t) min(0, a) = (−0.5 − 0.5)(−2)
    assert net.jacobian([[-2.0, 0.0, 3.0]])[0].diagonal().tolist() == [0.25, 7.0, 1.0]


def test_a_residual_link_adds_what_went_in(engine):
    net = rs.Network(rs.Residual(rs.Dense(2, "relu", bias=False)), inputs=2, dtype="float64", engine=engine)
    net.layers[0].W[...] = [[1, 0], [0, -1]]
    assert net([[3.0, 5.0]]).tolist() == [[6.0, 5.0]]
    assert net.jacobian([[3.0, 5.0]])[0].tolist() == [[2.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("kind", LAYERS)
def test_the_penalty_counts_weights_alone(kind):
    net = rs.Network(one(kind), rs.Dense(N, "identity", bias=False), inputs=N, dtype="float64", seed=0)
    net.parameters[...] = 3.0
    counted = sum(view.tensors["W"].size for view in net.layers if "W" in view.tensors)
    assert net.architecture.squares(net.parameters) == 9.0 * counted


def test_dropout_of_the_inputs_follows_the_mask_of_the_first_layer(engine):
    from reseau import engine as engines
    from reseau.engine.order import keeps

    net = rs.Network(rs.Dropout(0.4), rs.Dense(1, "identity"), inputs=6, dtype="float64", seed=3, engine=engine)
    rng = np.random.default_rng(0)
    X, T, w = rng.normal(size=(8, 6)), rng.normal(size=(8, 1)), net.parameters.copy()
    trainer = engines.get(engine).Trainer(net.architecture, net.parameters, rs.SGD(0.5), 99, 1)
    trainer.run(X, T, None, epochs=1, batch_size=8, shuffle=False, l2=0.0)
    A = X * keeps(99, 1, 0, 8, 6, 0.4) / 0.6
    delta = (A @ w[:6, None] + w[6] - T) / 8
    expected = w - 0.5 * np.concatenate([(A.T @ delta).ravel(), delta.sum(axis=0)])
    np.testing.assert_allclose(net.parameters, expected, rtol=1e-13, atol=1e-15)
    assert net(X).tobytes() != (A @ w[:6, None]).tobytes()  # what is asked of the network is not dropped


def test_a_dense_layer_before_a_parametric_relu_needs_no_activation():
    net = rs.Network(rs.Dense(4), rs.PReLU(), rs.Dense(4), rs.LayerNorm(), rs.Dense(2), loss="cross_entropy")
    activations = [layer.activation for layer in net.architecture_on(3).layers]
    assert activations == ["identity", "identity", "relu", "identity", "softmax"]


def test_a_link_that_ends_where_another_does_ends_in_a_layer_that_changes_nothing():
    net = rs.Network(rs.Residual(rs.Dense(3), rs.Residual(rs.Dense(3))), rs.Dense(1))
    assert str(net).startswith(
        "Network(Dense(3, 'relu'), Dense(3, 'relu', residual=1), Dropout(0.0, residual=3), Dense(1, 'identity')"
    )


def test_the_repr_of_a_network_makes_it_again():
    net = rs.Network(rs.Dense(4), rs.LayerNorm(bias=False), rs.Residual(rs.PReLU(0.1), rs.Dropout(0.5)), rs.Dense(2))
    names = {**{kind.__name__: kind for kind in LAYERS.values()}, "Network": rs.Network}
    assert repr(eval(repr(net), names)) == repr(net)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.LayerNorm(epsilon=0.0), "epsilon is 0.0, but must be .* above 0"),
        (lambda: rs.LayerNorm("swish"), "activation is 'swish'.*silu"),
        (lambda: rs.LayerNorm(bias=1), "bias is 1, but must be True or False"),
        (lambda: rs.PReLU(float("nan")), "slope is nan"),
        (lambda: rs.PReLU(dropout=1.0), "dropout is 1.0"),
        (lambda: rs.Dropout(1.0), "dropout is 1.0, but must be .* below 1"),
        (lambda: rs.Dropout(-0.1), "dropout is -0.1"),
        (lambda: rs.Residual(), "Residual has no layers"),
        (lambda: rs.Residual(64), "Layer 0 of Residual is 64"),
        (lambda: rs.Residual(rs.Dense), "Layer 0 of Residual is <class"),
        (lambda: rs.Network(rs.LayerNorm, rs.Dense(1)), "Layer 0 is <class"),
        (lambda: rs.Network(rs.Dense(1), rs.LayerNorm(), rs.Dense(1)), r"LayerNorm\(\) stands on a single number"),
        (lambda: rs.Network(rs.Dense(4), rs.Residual(rs.Dense(5)), rs.Dense(1)), "adds the 4 outputs of layer 0"),
        (lambda: rs.Network(rs.Residual(rs.Dense(5)), rs.Dense(1), inputs=4), "adds the 4 inputs of the network"),
        (lambda: rs.Network(rs.Dense(4, residual=2), rs.Dense(1)), "over 2 layers, but is number 1"),
        (
            lambda: rs.Network(rs.LayerNorm(epsilon=1e-300)),
            r"LayerNorm\(epsilon=1e-300\) has epsilon 1e-300.*0.0 in float32",
        ),
        (lambda: rs.Network(rs.LayerNorm(epsilon=1e300)), r"has epsilon 1e\+300, which is inf in float32"),
        (lambda: rs.Network(rs.PReLU(-1e300)), r"PReLU\(-1e\+300\) has alpha -1e\+300, which is -inf in float32"),
        (lambda: rs.Network(rs.Dense(4), rs.Dropout(0.5)), "dropout is 0.5 in the last layer"),
        (lambda: rs.Network(rs.Dense(4, "softmax"), rs.Dropout(0.5)), "dropout is 0.5 in the last layer"),
        (
            lambda: rs.Network(rs.Dense(3), rs.Residual(rs.Dense(3, "softmax")), loss="cross_entropy"),
            "the last layer's residual link gives .*let a Dense layer stand last, .*goes with 'identity'",
        ),
        (
            lambda: rs.Network(rs.Dense(3), rs.PReLU(), loss="poisson"),
            "activation 'identity' gives values .*let a Dense layer stand last, with one of sigmoid",
        ),
    ],
)
def test_what_makes_no_network_is_refused_by_name(make, words):
    with pytest.raises(rs.ParameterError, match=words):
        make()


@pytest.mark.parametrize("first", [rs.LayerNorm(), rs.PReLU(), rs.Dropout(0.5), rs.Residual(rs.Dense(N))])
def test_sparse_rows_are_refused_where_all_zeros_are_needed(first, engine):
    X = scipy.sparse.random(9, N, 0.5, "csr", random_state=0)
    net = rs.Network(first, rs.Dense(1), engine=engine, seed=0)
    with pytest.raises(rs.DataError, match=r"X is sparse, but .* give X.toarray\(\)"):
        net.fit(X, np.ones(9))
    assert not net.built
    net.fit(X.toarray(), np.ones(9), epochs=1)
    with pytest.raises(rs.DataError, match="validation X is sparse"):
        net.fit(X.toarray(), np.ones(9), validation_data=(X, np.ones(9)))
    for ask in (net, lambda X: net.errors(X, np.ones(9))):
        with pytest.raises(rs.DataError, match="X is sparse"):
            ask(X)


def test_sparse_rows_train_where_a_dense_layer_stands_first(engine):
    X = scipy.sparse.random(40, N, 0.5, "csr", random_state=0)
    trained = []
    for samples in (X, X.toarray()):
        net = rs.Network(
            rs.Dense(8), rs.LayerNorm(), rs.Residual(rs.Dense(8)), rs.Dense(1), engine=engine, seed=0, dtype="float64"
        )
        net.fit(samples, np.asarray(X.sum(axis=1)), epochs=2)
        trained.append(net.parameters)
    np.testing.assert_allclose(trained[0], trained[1], rtol=1e-12, atol=1e-14)


def test_a_constant_that_one_precision_has_no_number_for_is_one_of_the_other(tmp_path):
    X = np.ones((2, 3))
    net = rs.Network(rs.LayerNorm(epsilon=1e-300), rs.PReLU(1e300), inputs=3, dtype="float64")
    assert np.array_equal(net(X), np.zeros((2, 3)))
    for export in (net.to_c, net.to_onnx):
        with pytest.raises(rs.ParameterError, match=r"has epsilon 1e-300, which is 0\.0 in float32"):
            export(tmp_path / ("net.c" if export == net.to_c else "net.onnx"), dtype="float32")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("layer_norm", {"neurons": 3}, "layer 0: a value of a layer_norm is 'neurons', which is unknown.*epsilon"),
        ("dense", {}, "layer 0: a dense needs neurons, which is missing"),
        ("dropout", {}, "layer 0: a dropout needs dropout, which is missing"),
        ("prelu", {"activation": "tanh"}, "layer 0: a value of a prelu is 'activation', which is unknown"),
        ("prelu", {"slope": "steep"}, "layer 0: slope is 'steep', but must be a finite number"),
        ("dropout", {"dropout": 0.0, "residual": 2}, "over 2 layers, but is number 1"),
    ],
)
def test_a_description_of_a_layer_that_fits_none_is_refused_with_its_place(kind, values, words):
    with pytest.raises(rs.ParameterError, match=words):
        architecture_from_description({"inputs": 3, "layers": [{"type": kind, **values}], "loss": "squared_error"})
