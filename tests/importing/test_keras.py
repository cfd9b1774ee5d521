"""Models of Keras run here with equal outputs, or are refused by their layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numerics import drawn

import reseau as rs
from reseau.checks import DTYPES
from reseau.vocabulary.optimizers import Optimizer

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on JAX


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
        (
            lambda k, l: [k.Input((2,)), l.Dense(3, "tanh"), l.BatchNormalization()],
            r"\(BatchNormalization\) changes what the last activation gives",
        ),
        (
            lambda k, l: [k.Input((2,)), l.Dense(3, "tanh"), l.Rescaling(2.0), l.Activation("tanh"), l.Dense(1)],
            r"\(Activation\) with activation=tanh follows layer .*\(Rescaling\)",
        ),
        (
            lambda k, l: [k.Input((2, 2)), l.LayerNormalization(), l.Flatten()],
            r"\(LayerNormalization\) takes inputs with",
        ),
        (
            lambda k, l: [k.Input((2, 2)), l.Flatten("channels_first"), l.Dense(3)],
            r"\(Flatten\) puts the numbers in an",
        ),
        (
            lambda k, l: [k.Input((4,)), l.Dense(4), l.Reshape((2, 2)), l.Softmax()],
            r"\(Softmax\) takes inputs with 3 ax",
        ),
        (lambda k, l: [k.Input((2,)), l.Masking(), l.Dense(3)], r"\(Masking\) is no part"),
        (
            lambda k, l: [k.Input((2,)), l.Dense(3, activation="celu"), l.RepeatVector(2)],
            r"\(RepeatVector\) is no part",
        ),
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
    forked = keras.Model(inputs, keras.layers.Add()([first(inputs), second(inputs)]))
    joined = keras.Model(inputs, keras.layers.Concatenate()([inputs, second(first(inputs))]))
    own = Own()
    own(np.zeros((1, 3), np.float32))
    for model, message in (
        (forked, r"\(Dense\) does not simply follow layer"),
        (joined, r"\(Concatenate\) does not simply follow layer"),
        (own, "is a model of your own"),
        (3, "of type int, but must be a Keras model"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_keras(model)


def test_layers_of_a_class_of_one_s_own_are_refused(keras: Any) -> None:
    layers = keras.layers

    class Dense(layers.Dense):  # type: ignore[misc, name-defined]
        def call(self, x: Any) -> Any:
            return -super().call(x)

    class Dropout(layers.Dropout):  # type: ignore[misc, name-defined]
        pass

    class Sequential(keras.Sequential):  # type: ignore[misc, name-defined]
        def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
            return 2 * super().call(x)

    class Functional(keras.Model):  # type: ignore[misc, name-defined]
        def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
            return 2 * super().call(x)

    for own in (Dense(3), Dropout(0.5)):
        with pytest.raises(rs.ParameterError, match=rf"\({type(own).__name__}\) is a layer of a class of your own"):
            rs.from_keras(keras.Sequential([keras.Input((3,)), layers.Dense(3), own]))
    model = Sequential([keras.Input((3,)), layers.Dense(3)])
    with pytest.raises(rs.ParameterError, match=r"model of your own.*give keras.Sequential\(that_model.layers\)"):
        rs.from_keras(model)
    with pytest.raises(rs.ParameterError, match="model of your own"):
        rs.from_keras(keras.Sequential([keras.Input((3,)), model]))
    inputs = keras.Input((3,))
    with pytest.raises(rs.ParameterError, match="model of your own"):
        rs.from_keras(Functional(inputs, layers.Dense(3)(inputs)))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3)])
    model.layers[0].call = lambda x: x
    with pytest.raises(rs.ParameterError, match="a call or hooks of its own"):
        rs.from_keras(model)


def test_calls_that_are_more_than_a_layer_are_refused(keras: Any) -> None:
    layers, inputs = keras.layers, keras.Input((3,))
    hidden = layers.Dense(3)(inputs)
    for outputs, message in (
        (layers.Dense(2)(inputs * 2.0), r"\(Multiply\) is an operation on a tensor; make it a layer \(Rescaling"),
        (layers.Dense(2)(keras.ops.relu(hidden)), r"\(\w+\) is an operation on a tensor"),
        (layers.Dense(2)(layers.Dropout(0.5)(hidden, training=True)), r"\(Dropout\) is called with training=True"),
        ([hidden, layers.Dense(2)(hidden)], "has 1 inputs and 2 outputs"),
    ):
        with pytest.raises(rs.ParameterError, match=message):
            rs.from_keras(keras.Model(inputs, outputs))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "of type NoneType"),
        (b"PK", "of type bytes, .* load it with"),
        ("model.keras", "of type str, .* load it with"),
        ([], "of type list"),
    ],
)
def test_what_is_no_model_says_what_is(given: Any, message: str, keras: Any) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_keras(given)
    with pytest.raises(rs.ParameterError, match="the class Sequential"):
        rs.from_keras(keras.Sequential)


FOLDED: list[tuple[Callable[[Any, Any], list[Any]], list[rs.Dense]]] = [
    (
        lambda k, l: [k.Input((2, 3)), l.Rescaling(1 / 255, offset=-0.5), l.Flatten(), l.Dense(4, "relu"), l.Dense(2)],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((2, 3)), l.Rescaling([1, 2, 3.0]), l.Reshape((6,)), l.Dense(2, use_bias=False)],
        [rs.Dense(2, "identity", bias=False)],
    ),
    (
        lambda k, l: [
            k.Input((6,)),
            l.Normalization(mean=[1, 2, 3, 0, 0, -1.0], variance=[1, 4, 9, 1, 0.1, 1]),
            l.Dense(2),
        ],
        [rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [
            k.Input((2, 3)),
            l.Normalization(mean=[1, 2, 3.0], variance=[1, 4, 9.0]),
            l.Flatten(),
            l.Dense(2),
        ],
        [rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((6,)), l.Normalization(axis=None, mean=3.0, variance=4.0, invert=True), l.Dense(2)],
        [rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [
            k.Input((6,)),
            l.Dense(4),
            l.BatchNormalization(),
            l.ReLU(),
            l.BatchNormalization(scale=False),
            l.Dense(2),
        ],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((2, 3)), l.BatchNormalization(axis=1), l.Flatten(), l.Dense(2, use_bias=False)],
        [rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((6,)), l.Identity(), l.Dense(4), l.LeakyReLU(), l.Dense(2)],
        [rs.Dense(8, "relu"), rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((6,)), l.Dense(4, "relu6"), l.Dense(2)],
        [rs.Dense(4, "hard_sigmoid"), rs.Dense(2, "identity")],
    ),
    (
        lambda k, l: [k.Input((6,)), l.Dense(4), l.ReLU(max_value=1.0), l.Dense(2)],
        [rs.Dense(4, "hard_sigmoid"), rs.Dense(2, "identity")],
    ),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("made", "layers"), FOLDED)
def test_what_is_no_layer_becomes_part_of_one(made: Any, layers: list[rs.Dense], dtype: str, keras: Any) -> None:
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        model = keras.Sequential(made(keras, keras.layers))
    finally:
        keras.config.set_dtype_policy(before)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for variable in layer.variables:
                variable.assign(0.5 + np.abs(drawn(*variable.shape)))
    net = rs.from_keras(model)
    assert [layer.description for layer in net.layers] == layers
    X = drawn(30, *model.input_shape[1:]).astype(dtype)  # an Input of Keras is in float32
    theirs = keras.ops.convert_to_numpy(model(X))
    # On PyTorch, Keras multiplies matrices of float64 in float32.
    np.testing.assert_allclose(net(X.reshape(30, 6)), theirs, rtol=0, atol=200 * np.finfo(np.float32).eps)


def test_what_was_learnt_beside_a_layer_is_in_its_weights(keras: Any) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)])
    model.layers[0].enable_lora(2)
    model.layers[0].lora_kernel_b.assign(drawn(2, 4))
    X = drawn(20, 3)
    np.testing.assert_allclose(rs.from_keras(model)(X), keras.ops.convert_to_numpy(model(X)), rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_quantized_layer_is_refused(keras: Any) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model.quantize("int8")
    with pytest.raises(rs.ParameterError, match=r"\(Dense\) is quantized to int8"):
        rs.from_keras(model)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda of: of.Adam(), rs.Adam(epsilon=1e-7, epsilon_hat=True)),
        (lambda of: of.AdamW(), rs.AdamW(epsilon=1e-7, epsilon_hat=True, weight_decay=0.004)),
        (lambda of: of.SGD(0.1, momentum=0.9, nesterov=True), rs.SGD(0.1, momentum=0.9, nesterov=True)),
    ],
)
def test_a_training_goes_the_same_way_in_both_as_the_guide_says(
    theirs: Callable[[Any], Any], ours: Optimizer, keras: Any
) -> None:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
    net = rs.from_keras(model)
    X, y = drawn(48, 4), np.arange(48) % 3
    model.compile(theirs(keras.optimizers), "sparse_categorical_crossentropy")
    model.fit(X, y, epochs=10, batch_size=16, shuffle=False, verbose=0)
    net.fit(X, y, optimizer=ours, epochs=10, batch_size=16, shuffle=False)
    for dense, layer in zip(model.layers, net.layers, strict=True):
        np.testing.assert_allclose(layer.W, keras.ops.convert_to_numpy(dense.kernel), rtol=0, atol=1e-5)
        np.testing.assert_allclose(layer.b, keras.ops.convert_to_numpy(dense.bias), rtol=0, atol=1e-5)
