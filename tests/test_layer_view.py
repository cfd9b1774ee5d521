"""A layer of a network with its numbers: what is assigned to it goes into the network, or is refused."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle

import numpy as np
import pytest

import reseau as rs
from reseau import layer_view
from reseau.vocabulary.layers import LAYERS


def network(dtype="float64"):
    layers = rs.Dense(2, "tanh"), rs.LayerNorm(), rs.PReLU(), rs.Dense(1, bias=False)
    return rs.Network(*layers, inputs=2, dtype=dtype, seed=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("place", "letter"), [(0, "W"), (0, "b"), (1, "gamma"), (1, "beta"), (2, "alpha"), (3, "W")])
def test_what_is_assigned_to_a_tensor_goes_into_the_network_s_parameters(dtype, place, letter):
    net = network(dtype)
    flat, shape = net.parameters, net.layers[place].tensors[letter].shape
    rest = flat.sum() - net.layers[place].tensors[letter].sum()
    values = np.arange(8.0, 8.0 + np.prod(shape)).reshape(shape)
    setattr(net.layers[place], letter, values.tolist())
    np.testing.assert_array_equal(getattr(net.layers[place], letter), values)
    assert getattr(net.layers[place], letter).dtype == dtype
    assert net.parameters is flat
    np.testing.assert_allclose(flat.sum(), rest + values.sum(), rtol=1e-6)


def test_the_network_predicts_by_what_was_assigned():
    net = rs.Network(rs.Dense(1, "identity"), inputs=2, dtype="float64")
    net([[0.0, 0.0]])  # what was made ready for predicting is to know of it
    net.layers[0].W = [[2.0], [3.0]]
    net.layers[0].b = [1.0]
    assert net([[1.0, 10.0]]).tolist() == [[33.0]]


def test_a_tensor_can_be_changed_by_what_python_does_in_place():
    net = rs.Network(rs.Dense(1, "identity"), inputs=2, dtype="float64")
    net.parameters[...] = [1.0, 2.0, 0.0]
    net.layers[0].W -= 0.5
    net.layers[0].b += 4
    assert net.parameters.tolist() == [0.5, 1.5, 4.0]


def test_a_tensor_may_be_assigned_its_own_transpose():
    net = rs.Network(rs.Dense(2, "identity", bias=False), inputs=2, dtype="float64")
    net.layers[0].W = [[1.0, 2.0], [3.0, 4.0]]
    net.layers[0].W = net.layers[0].W.T
    assert net.parameters.tolist() == [1.0, 3.0, 2.0, 4.0]


def test_numbers_that_are_not_finite_are_taken_as_they_are():
    net = rs.Network(rs.Dense(1, "identity", bias=False), inputs=2)
    net.layers[0].W = [[np.nan], [np.inf]]
    assert np.isnan(net.parameters[0])
    assert np.isposinf(net.parameters[1])


REFUSED = [
    (
        lambda net: setattr(net.layers[0], "W", [[1.0, 2.0]]),
        rs.DataError,
        r"shape \(2, 2\), but .* \(1, 2\)",
    ),
    (lambda net: setattr(net.layers[0], "b", 0.0), rs.DataError, r"shape \(2,\), but .* shape \(\); .*b\[\.\.\.\] = 0"),
    (lambda net: setattr(net.layers[0], "W", [["a", "b"], ["c", "d"]]), rs.DataError, "W holds 'a' at row 0"),
    (lambda net: setattr(net.layers[3], "b", [0.0]), rs.ParameterError, "Dense.* has no b to be set"),
    (lambda net: setattr(net.layers[0], "gamma", [1.0]), rs.ParameterError, "gamma of Dense.* cannot be set"),
    (lambda net: setattr(net.layers[0], "activation", "relu"), rs.ParameterError, "make a new network of other layers"),
    (lambda net: setattr(net.layers[0], "tensors", {}), rs.ParameterError, "tensors of Dense.* cannot be set"),
    (lambda net: setattr(net, "layers", [rs.Dense(1)]), rs.ParameterError, r"net.layers cannot be set.*Network\(\*lay"),
    (
        lambda net: net.layers.__setitem__(0, rs.Dense(2)),
        rs.ParameterError,
        r"net.layers\[0\] cannot be set",
    ),
    (lambda net: net.layers.__delitem__(1), rs.ParameterError, r"net.layers\[1\] cannot be deleted"),
]


@pytest.mark.parametrize(("change", "kind", "words"), REFUSED)
def test_what_cannot_be_assigned_is_refused_and_changes_nothing(change, kind, words):
    net = network()
    before, described = net.parameters.copy(), repr(net)
    with pytest.raises(kind, match=words):
        change(net)
    np.testing.assert_array_equal(net.parameters, before)
    assert repr(net) == described


def test_layers_can_be_gone_through_taken_from_and_copied():
    net = network()
    first, *others = net.layers
    assert [len(others), len(net.layers[1:])] == [3, 3]
    for other in (copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(net.layers))[0]):
        np.testing.assert_array_equal(other.W, first.W)


def test_a_layer_lists_its_own_tensors_for_completion():
    listed = [[name for name in dir(layer) if not name.startswith("_")] for layer in network().layers]
    assert listed[0] == ["W", "b", "description", "tensors"]
    assert listed[1] == ["beta", "description", "gamma", "tensors"]
    assert listed[2] == ["alpha", "description", "tensors"]


def test_type_checkers_know_the_tensors_of_every_kind():
    tree = ast.parse(inspect.getsource(layer_view))
    (for_types,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and node.orelse
    )
    known = {method.name for method in for_types.body if isinstance(method, ast.FunctionDef)}
    assert known == {letter for kind in LAYERS.values() for letter in kind.letters}
