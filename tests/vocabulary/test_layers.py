"""Layers and the architecture they make."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from numerics import outputs_for

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Architecture, architecture_from_description
from reseau.vocabulary.losses import LOSSES


@pytest.mark.parametrize("neurons", [0, -3, 2.0, "8", None, True, [4]])
def test_a_number_of_neurons_that_is_no_whole_number_above_zero_is_refused(neurons):
    with pytest.raises(rs.ParameterError, match=r"neurons is .*, but must be a whole number of at least 1"):
        rs.Dense(neurons)


def test_an_unknown_activation_is_refused_with_the_nearest_and_all_the_known():
    with pytest.raises(rs.ParameterError, match="Did you mean 'sigmoid'") as refusal:
        rs.Dense(4, "sigmoïd")
    for name in ACTIVATIONS:
        assert name in str(refusal.value)


@pytest.mark.parametrize("activation", [3, np.sqrt, "", ["tanh"], replace(ACTIVATIONS["tanh"], name="mine")])
def test_an_activation_that_is_no_name_is_refused_with_all_the_known(activation):
    with pytest.raises(rs.ParameterError, match=r"activation is .* unknown\. Known: identity, sigmoid"):
        rs.Dense(4, activation)


@pytest.mark.parametrize(("activation", "near"), [("ReLU", "relu"), ("Softmax", "softmax"), (np.tanh, "tanh")])
def test_a_function_or_another_spelling_is_refused_with_the_name_it_is_near(activation, near):
    with pytest.raises(rs.ParameterError, match=f"Did you mean '{near}'"):
        rs.Dense(4, activation)


def test_an_entry_of_a_table_stands_for_its_name():
    assert rs.Dense(4, ACTIVATIONS["gelu"]) == rs.Dense(4, "gelu")
    net = rs.Network(rs.Dense(2), loss=LOSSES["huber"])
    assert net.loss == "huber"


def test_numpy_s_truth_and_numbers_are_those_of_python():
    layer = rs.Dense(np.int64(4), "tanh", bias=np.False_, dropout=np.float32(0.5))
    assert layer == rs.Dense(4, "tanh", bias=False, dropout=0.5)
    assert type(layer.bias) is bool
    assert type(layer.dropout) is float


def test_a_bias_or_initialisation_that_makes_no_sense_is_refused():
    with pytest.raises(rs.ParameterError, match="bias is 1, but must be True or False"):
        rs.Dense(4, bias=1)
    with pytest.raises(rs.ParameterError, match=r"init is 'glorot'.*Known: glorot_uniform"):
        rs.Dense(4, init="glorot")


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, np.nan, np.inf, "0.5", None, True, 0.5j])
def test_a_dropout_that_is_no_probability_below_one_is_refused(dropout):
    with pytest.raises(rs.ParameterError, match=r"dropout is .*, but must be a finite number at least 0 and below 1"):
        rs.Dense(4, dropout=dropout)


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_dropout_after_an_activation_of_whole_rows_is_a_layer_of_its_own(activation):
    net = rs.Network(rs.Dense(4, activation, dropout=0.5), rs.Dense(1))
    assert str(net) == (
        f"Network(Dense(4, '{activation}'), Dropout(0.5), Dense(1, 'identity'), loss='squared_error', dtype='float32')"
    )


@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_a_distribution_over_a_single_neuron_is_refused_in_any_layer(activation):
    with pytest.raises(rs.ParameterError, match=rf"Dense\(1, '{activation}'\) gives the same number.*Dense\(1, 'sig"):
        rs.Dense(1, activation)


# The pairs of the lecture, written out once more so that the table is not its own judge.
PAIRS = {
    "binary_cross_entropy": "sigmoid",
    "binary_focal": "sigmoid",
    "cross_entropy": "softmax",
    "focal": "softmax",
    **dict.fromkeys(("poisson", "gamma", "tweedie", "negative_binomial"), "exponential"),
    **dict.fromkeys(("gaussian", "student_t"), "mean_scale"),
}


def last_of(loss: str) -> str:
    """What goes with a loss: its pair, or of any that is defined everywhere, identity."""
    return PAIRS.get(loss, "identity")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_layer_without_an_activation_has_relu_or_in_the_last_place_what_goes_with_the_loss(loss):
    layers = (rs.Dense(5), rs.Dense(4, "tanh"), rs.Dense(3, bias=False), rs.Dense(2))
    expected = (rs.Dense(5, "relu"), layers[1], rs.Dense(3, "relu", bias=False), rs.Dense(2, last_of(loss)))
    assert Architecture(3, layers, loss).layers == expected
    net = rs.Network(*layers, loss=loss, inputs=3)
    assert net.architecture.layers == tuple(layer.description for layer in net.layers) == expected
    assert repr(net).startswith("Network(Dense(5, 'relu'), ")
    assert f"Dense(2, '{last_of(loss)}'), loss" in repr(net)
    assert f" {last_of(loss)} " in net.summary()
    assert [layer["activation"] for layer in net.describe()["layers"]] == ["relu", "tanh", "relu", last_of(loss)]


def test_an_activation_that_is_given_stays_in_the_last_layer_too():
    assert rs.Network(rs.Dense(2, "relu"), inputs=1).architecture.layers[0].activation == "relu"


def test_a_single_layer_without_an_activation_is_the_last():
    assert rs.Network(rs.Dense(2), loss="poisson").architecture_on(3).layers == (rs.Dense(2, "exponential"),)


def test_the_weights_of_a_layer_without_an_activation_are_drawn_as_its_place_wants():
    found = [rs.Network(rs.Dense(5), rs.Dense(4), loss=loss, inputs=4, seed=0).parameters for loss in LOSSES]
    for loss, parameters in zip(LOSSES, found, strict=True):
        named = rs.Network(rs.Dense(5, "relu"), rs.Dense(4, last_of(loss)), loss=loss, inputs=4, seed=0)
        assert parameters.tobytes() == named.parameters.tobytes()
    he = rs.Network(rs.Dense(5), rs.Dense(4, "relu"), inputs=4, seed=0).parameters
    assert he.tobytes() != found[0].tobytes()


def test_a_layer_asked_for_its_activation_outside_a_network_says_who_decides():
    with pytest.raises(rs.ReseauError, match="its place in a network decides"):
        _ = rs.Dense(4).sigma


def test_dropout_in_the_last_layer_is_refused():
    rs.Network(rs.Dense(4, dropout=0.5), rs.Dense(1))
    with pytest.raises(rs.ParameterError, match=r"dropout is 0\.25 in the last layer.*give it to a hidden layer"):
        rs.Network(rs.Dense(4, dropout=0.5), rs.Dense(1, dropout=0.25))


def test_a_layer_is_a_value_that_cannot_be_changed():
    layer = rs.Dense(np.int64(4), "tanh")
    assert layer == rs.Dense(4, "tanh")
    assert type(layer.neurons) is int
    assert hash(layer) == hash(rs.Dense(4, "tanh"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.neurons = 5


def test_the_flat_vector_holds_each_layer_in_turn_weights_by_rows_then_bias():
    architecture = Architecture(
        2, (rs.Dense(3, "tanh"), rs.Dense(2, "identity", bias=False), rs.Dense(1, "sigmoid")), "squared_error"
    )
    assert architecture.widths == (2, 3, 2, 1)
    assert architecture.n_parameters == (2 * 3 + 3) + 3 * 2 + (2 + 1) == 18
    vector = np.arange(18.0)
    first, second, third = architecture.views(vector)
    W1, b1, W2, W3, b3 = first["W"], first["b"], second["W"], third["W"], third["b"]
    assert W1.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert b1.tolist() == [6, 7, 8]
    assert W2.tolist() == [[9, 10], [11, 12], [13, 14]]
    assert list(second) == ["W"]
    assert W3.tolist() == [[15], [16]]
    assert b3.tolist() == [17]
    assert all(np.shares_memory(vector, part) for part in (W1, b1, W2, W3, b3))


def test_a_description_is_read_back_as_the_same_architecture():
    architecture = Architecture(
        5, (rs.Dense(3, "relu", init="he_uniform"), rs.Dense(2, "softmax", bias=False)), "cross_entropy"
    )
    assert architecture_from_description(architecture.describe()) == architecture


def test_a_description_mentions_dropout_only_where_there_is_some():
    architecture = Architecture(5, (rs.Dense(3, dropout=0.25), rs.Dense(2, "identity")), "squared_error")
    description = architecture.describe()
    assert description["layers"][0]["dropout"] == 0.25
    assert "dropout" not in description["layers"][1]
    assert architecture_from_description(description) == architecture


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": 0}, "inputs is 0"),
        ({"inputs": "many"}, "inputs is 'many'"),
        ({"loss": "square"}, "loss is 'square'"),
        ({"layers": []}, "at least one layer"),
        ({"layers": [{"type": "conv", "neurons": 2}]}, "type of layer 0 is 'conv'"),
        ({"layers": [{"neurons": 2}]}, "type of layer 0 is None"),
        ({"layers": [{"type": "dense", "neurons": -2}]}, "neurons is -2"),
        (
            {"layers": [{"type": "dense", "neurons": 2, "dropout": "0.5"}, {"type": "dense", "neurons": 2}]},
            "dropout is '0",
        ),
        ({"layers": [{"type": "dense", "neurons": 2, "dropout": 0.5}]}, "dropout is 0.5 in the last layer"),
    ],
)
def test_a_description_with_a_wrong_value_is_refused_by_name(change, words):
    description = Architecture(5, (rs.Dense(3), rs.Dense(2, "identity")), "squared_error").describe()
    with pytest.raises(rs.ParameterError, match=words):
        architecture_from_description({**description, **change})


def test_a_network_without_layers_or_with_other_things_is_refused():
    with pytest.raises(rs.ParameterError, match="at least one layer"):
        rs.Network()
    with pytest.raises(rs.ParameterError, match=r"Layer 1 is 3, but must be a layer such as Dense"):
        rs.Network(rs.Dense(2), 3)


def test_layers_may_come_as_one_list_tuple_or_generator():
    layers = [rs.Dense(3, "tanh"), rs.Dense(2)]
    expected = rs.Network(*layers).architecture_on(4)
    for given in (layers, tuple(layers), (layer for layer in layers), iter(layers)):
        assert rs.Network(given).architecture_on(4) == expected
    for empty in ([], (), iter(())):
        with pytest.raises(rs.ParameterError, match="at least one layer"):
            rs.Network(empty)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (([rs.Dense(2)], rs.Dense(3)), r"Layer 0 is \[Dense"),
        ((rs.Dense(2), [rs.Dense(3)]), r"Layer 1 is \[Dense"),
        (([rs.Dense(2), 3],), "Layer 1 is 3"),
        ((rs.Dense,), "Layer 0 is <class"),
        (("tanh",), "Layer 0 is 'tanh'"),
        ((64, 10), "Layer 0 is 64"),
        (({rs.Dense(2)},), r"Layer 0 is \{Dense"),
        ((None,), "Layer 0 is None"),
    ],
)
def test_what_is_no_layer_is_refused_with_its_place(layers, words):
    with pytest.raises(rs.ParameterError, match=rf"{words}.*must be a layer such as Dense\(10, 'tanh'\)"):
        rs.Network(*layers)


def test_the_outputs_that_losses_are_defined_for_hold_those_of_the_lecture():
    assert outputs_for("binary_cross_entropy") >= {"sigmoid", "softmax"}
    assert outputs_for("cross_entropy") == {"softmax", "log_softmax"}
    assert outputs_for("poisson") >= {"sigmoid", "softmax", "softplus", "exponential"}
    for loss in ("binary_cross_entropy", "poisson"):
        assert not outputs_for(loss) & {"identity", "tanh", "relu", "hard_sigmoid", "log_softmax"}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_output_the_loss_is_not_defined_for_is_refused_with_those_that_fit(loss):
    fitting = outputs_for(loss)
    for name in fitting:
        rs.Network(rs.Dense(2, name), loss=loss)
    for name in set(ACTIVATIONS) - fitting:
        with pytest.raises(rs.ParameterError, match=f"activation '{name}' gives values in .*; use one of ") as refusal:
            rs.Network(rs.Dense(2, name), loss=loss)
        assert f"best: {last_of(loss)!r}" in str(refusal.value)
        assert set(str(refusal.value).split("use one of ")[1].split(" (best")[0].split(", ")) == fitting


def test_an_output_that_is_no_distribution_is_refused_with_the_loss_that_it_goes_with():
    with pytest.raises(rs.ParameterError, match=r"summing to 1.*or loss='binary_cross_entropy', which goes with 'sigm"):
        rs.Network(rs.Dense(3, "sigmoid"), loss="cross_entropy")


@pytest.mark.parametrize("last", [rs.Dense(1), rs.Dense(1, "sigmoid"), rs.Dense(1, "relu")])
def test_a_distribution_over_one_class_is_refused(last):
    with pytest.raises(rs.ParameterError, match=r"needs at least 2 output neurons.*Dense\(1, 'sigmoid'\)"):
        rs.Network(rs.Dense(4), last, loss="cross_entropy")


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(rs.ParameterError, match="Did you mean 'cross_entropy'"):
        rs.Network(rs.Dense(2, "softmax"), loss="crossentropy")
