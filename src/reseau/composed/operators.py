"""What skl2onnx's operators are given and give, where we write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.base import is_classifier

from reseau.composed.steps import Cells
from reseau.errors import ReseauError
from reseau.export.onnx_graph import Graph

TENSORS: dict[str, Any] = {"float32": FloatTensorType, "float64": DoubleTensorType}
Converter = Callable[[Any, Any, Any], None]  # of the scope, the operator and the container


def precision(operator: Any) -> str:
    """In which its numbers are."""
    return "float64" if any(isinstance(v.type, DoubleTensorType) for v in operator.inputs) else "float32"


def is_text(variable: Any) -> bool:
    """Whether a tensor of skl2onnx is text."""
    return isinstance(variable.type, StringTensorType)


def cells(g: Graph, operator: Any) -> Cells:
    """The inputs of an operator: text, and all else in the graph's precision."""
    tensors, widths = [], []
    for variable in operator.inputs:
        as_it_is = is_text(variable) or isinstance(variable.type, TENSORS[g.dtype.name])
        tensors.append(variable.full_name if as_it_is else g.cast(variable.full_name, g.dtype))
        shape = variable.type.shape
        width = shape[1] if len(shape) == 2 else None
        if len(operator.inputs) == 1:
            width = getattr(operator.raw_operator, "n_features_in_", width)
        widths.append(width or 1)
    return Cells(g, tensors, widths, [is_text(variable) for variable in operator.inputs])


def hand_over(scope: Any, container: Any, g: Graph, results: Iterable[tuple[str, Any]]) -> None:
    """Move what has grown into skl2onnx's own graph, with each result under the name of one of its variables."""
    prefix = scope.get_unique_variable_name("reseau")
    own = {tensor.name for tensor in g.weights} | {name for node in g.nodes for name in node.output}
    renamed = {name: f"{prefix}/{name}" for name in own}
    for weight in g.weights:
        weight.name = renamed[weight.name]
        container.initializers.append(weight)
    for node in g.nodes:
        container.add_node(
            node.op_type,
            [renamed.get(name, name) for name in node.input],
            [renamed[name] for name in node.output],
            op_domain=node.domain,
            name=f"{prefix}/{node.name}",
            **{attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute},
        )
    for result, variable in results:
        name = variable.full_name
        container.add_node("Identity", [renamed.get(result, result)], [name], name=f"{name}/Identity")


def declared(scope: Any, estimator: Any, inputs: Any, kind: str) -> tuple[str, str]:
    """Let skl2onnx write an estimator that an operator has in it; gives its labels and what it predicts.

    Of a classifier these are probabilities; of a regressor there are no labels, and both are what it predicts.
    """
    if type(estimator) not in sklearn_operator_name_map:
        raise ReseauError(
            f"A step of the pipeline cannot be written as ONNX: neither skl2onnx nor we know a "
            f"{type(estimator).__name__}."
        )
    inner = scope.declare_local_operator(sklearn_operator_name_map[type(estimator)], estimator)
    inner.inputs = inputs
    if is_classifier(estimator):
        inner.outputs.append(scope.declare_local_variable("inner_label", Int64TensorType()))
    inner.outputs.append(scope.declare_local_variable("inner_values", TENSORS[kind]()))
    return inner.outputs[0].full_name, inner.outputs[-1].full_name


def row(g: Graph, numbers: Any) -> Any:
    """Numbers as a constant (1, n) of the graph's precision."""
    return np.asarray(numbers, np.float64).astype(g.dtype).reshape(1, -1)
