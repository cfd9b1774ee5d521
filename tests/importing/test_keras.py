"""Models of Keras run here with equal outputs, or are refused by their layer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numerics import drawn

import reseau as rs

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on JAX


@pytest.fixture(scope="module")
def keras() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("jax") is not None and importlib.util.find_spec("tensorflow") is None:
            patch.setenv("KERAS_BACKEND", "jax")
        return pytest.importorskip("keras")


KERAS_NAMES = {"linear": "identity", "hard_silu": "hard_swish"} | {
    name: name
    for name in (
        *("sigmoid", "tanh", "softmax", "log_softmax", "relu", "elu", "selu", "gelu", "silu", "mish", "softplus"),
        *("softsign", "hard_sigmoid", "exponential"),
    )
}


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_a_keras_model_gives_the_same_outputs_here(name: str, keras: Any) -> None:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            *(keras.Input((2, 3)), layers.Flatten(), layers.Dense(8, name), layers.Dropout(0.3)),
            keras.Sequential([keras.Input((8,)), layers.Dense(5, use_bias=False), layers.Activation(name)]),
            layers.Dense(3, activation=name),
        ]
    )
    for layer in (model.layers[1], model.layers[-1]):
        layer.bias.assign(drawn(*layer.bias.shape))
    net = rs.from_keras(model)
    ours = KERAS_NAMES[name]
    assert [layer.description for layer in net.layers] == [
        rs.Dense(8, ours),
        rs.Dense(5, ours, bias=False),
        rs.Dense(3, ours),
    ]
    X = drawn(20, 2, 3)
    theirs = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(net(X.reshape(20, 6)), theirs, rtol=2e-5, atol=2e-6)


def test_a_functional_chain_and_layers_of_activations_are_read(keras: Any) -> None:
    layers = keras.layers
    inputs = x = keras.Input((4,))
    for layer in (
        *(layers.Dense(6), layers.LeakyReLU(negative_slope=0.01), layers.Dense(5), layers.ReLU(), layers.Dense(5)),
        *(layers.ELU(), layers.Dropout(0.5), layers.Dense(3), layers.Softmax()),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    net = rs.from_keras(model)
    names = [layer.description.activation for layer in net.layers]
    assert names == ["leaky_relu", "relu", "elu", "softmax"]
    assert net.loss == "cross_entropy"
    X = drawn(20, 4)
    np.testing.assert_allclose(net(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda k, l: [k.Input((2,)), l.Dense(3, "relu6")], r"\(Dense\) with activation=relu6, after layer 1"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.LeakyReLU()], r"\(LeakyReLU\) with negative_slope=0.3"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.ReLU(max_value=6)], r"\(ReLU\) with max_value=6"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.BatchNormalization()], r"\(BatchNormalization\) is no part"),
        (lambda k, l: [k.Input((2,)), l.Normalization(), l.Dense(3)], r"\(Normalization\) is no part"),
        (lambda k, l: [k.Input((2,)), l.Dense(3), l.Lambda(lambda x: x)], r"\(Lambda\) is no part"),
        (lambda k, l: [k.Input((2, 2)), l.Dense(3)], "inputs with 3 axes; flatten them"),
        (lambda k, l: [l.Dense(3)], "has no weights yet"),
        (lambda k, l: [k.Input((2,)), l.Dense(3, dtype="mixed_float16")], "computes in float16"),
    ],
)
def test_other_keras_models_are_refused_by_their_layer(
    made: Callable[[Any, Any], list[Any]], message: str, keras: Any
) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_keras(keras.Sequential(made(keras, keras.layers)))


def test_a_layer_called_twice_is_two_layers_and_one_of_two_models_is_read_as_there(keras: Any) -> None:
    inputs = keras.Input((3,))
    first, second = keras.layers.Dense(3, "tanh"), keras.layers.Dense(3)
    first.build((None, 3))
    first.bias.assign([0.1, 0.2, 0.3])
    X = drawn(20, 3)
    for model, layers in (
        (keras.Model(inputs, second(first(first(inputs)))), 3),
        (keras.Model(inputs, first(second(inputs))), 2),
    ):
        net = rs.from_keras(model)
        assert len(net.layers) == layers
        np.testing.assert_allclose(net(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


def test_a_model_that_learnt_its_inputs_at_the_first_call_is_read(keras: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")])
    X = drawn(20, 3)
    theirs = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(rs.from_keras(model)(X), theirs, rtol=0, atol=1e-6)


def test_keras_models_that_are_no_chain_are_refused(keras: Any) -> None:
    class Own(keras.Model):  # type: ignore[misc, name-defined]
        def call(self, x: Any) -> Any:
            return x

    inputs = keras.Input((3,))
    first, second = keras.layers.Dense(3), keras.layers.Dense(3)
    skipping = keras.Model(inputs, keras.layers.Add()([inputs, second(first(inputs))]))
    own = Own()
    own(np.zeros((1, 3), np.float32))
    for model, message in (
        (skipping, r"\(Add\) does not simply follow layer"),
        (own, "is a model of your own"),
        (3, "of type int, but must be a Keras model"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_keras(model)
