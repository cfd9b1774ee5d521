"""Networks and estimators as ONNX graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.errors import ReseauError
from reseau.export.models import check_finite, class_labels
from reseau.export.onnx_graph import Graph, finished, tensor

if TYPE_CHECKING:
    import onnx

    from reseau.estimators.perceptron import Perceptron
    from reseau.network import Network

LARGEST = 2**31 - 2**20  # bytes; protobuf ends at 2 GiB, of which some are left for what is not weights
OUTPUTS = ("label", "probabilities", "prediction")  # of estimators
Array = np.ndarray[Any, Any]


def layers(g: Graph, net: Network, X: str, name: str) -> str:
    """The layers of a network, from the tensor X to one of this name, both of the graph's precision."""
    check_finite(net, g.dtype.name)
    size = net.n_parameters * g.dtype.itemsize
    if size > LARGEST:
        raise ReseauError(
            f"The network's {net.n_parameters:,} parameters take {size / 2**30:.1f} GiB, but one ONNX file holds at "
            "most 2; give it fewer neurons, or keep it as a model file (save)."
        )
    A = X
    for place, layer in enumerate(net.layers, start=1):
        with g.within(f"layer {place}/"):
            parameters = [g.weight(f"W{place}", layer.W.astype(g.dtype, copy=False))]
            if layer.b is not None:
                parameters.append(g.weight(f"b{place}", layer.b.astype(g.dtype, copy=False)))
            A = g("Gemm", A, *parameters)
            A = layer.description.sigma.code.onnx(g, A)
    g.nodes[-1].output[0] = g.nodes[-1].name = name  # the node that gave A
    return name


def network_model(net: Network, dtype: str, opset: int) -> onnx.ModelProto:
    """The graph of a network, from X to O."""
    architecture = net.architecture
    g = Graph(dtype, ("X", "O"), opset)
    inputs = [tensor("X", g.dtype, "N", architecture.inputs)]
    outputs = [tensor(layers(g, net, "X", "O"), g.dtype, "N", architecture.outputs)]
    return finished(g, inputs, outputs, "network", net.loss)


def estimator_model(estimator: Perceptron, dtype: str, opset: int) -> onnx.ModelProto:
    """The graph of a fitted estimator, from X to what it predicts."""
    from sklearn.base import is_classifier

    net = estimator.network_
    g = Graph(dtype, ("X", *OUTPUTS), opset)
    names = getattr(estimator, "feature_names_in_", None)
    facts: dict[str, Any] = {"inputs": None if names is None else [str(name) for name in names]}
    inputs = [tensor("X", g.dtype, "N", net.architecture.inputs)]
    if not is_classifier(estimator):
        outputs = [tensor(layers(g, net, "X", "prediction"), g.dtype, "N", net.architecture.outputs)]
        return finished(g, inputs, outputs, "regressor", net.loss, facts)
    decided, probabilities = decisions(g, estimator, "X", "probabilities")
    outputs = [
        indicators(g, decided, len(estimator.classes_), "label")
        if estimator._several
        else labels(g, decided, estimator.classes_, "label"),
        tensor(probabilities, g.dtype, "N", len(estimator.classes_)),
    ]
    facts["classes"] = label_table(estimator.classes_).tolist()
    return finished(g, inputs, outputs, "classifier", net.loss, facts)


def decisions(g: Graph, classifier: Any, X: str, name: str) -> tuple[str, str]:
    """Write what a classifier decides, int64, and its probabilities under a name.

    What it decides is the place of the class, (N,); where a row has several labels, the indicators (N, labels).
    """
    net = classifier.network_
    if classifier._several:
        O = layers(g, net, X, name)
        return g.cast(g("Greater", O, 0.5), np.int64), O
    class_labels(classifier)  # refuses a single class
    if net.architecture.outputs == 1:
        O = layers(g, net, X, g.free("O"))
        P = g("Concat", g("Sub", 1.0, O), O, axis=1, name=name)
        return g("Squeeze", g.cast(g("Greater", O, 0.5), np.int64), np.array([1])), P
    P = layers(g, net, X, name)
    return g("ArgMax", P, axis=1, keepdims=0), P


def indicators(g: Graph, decided: str, width: int, name: str) -> Any:
    """Give indicators (N, width) a name; describes them."""
    g("Identity", decided, name=name)
    return tensor(name, np.int64, "N", width)


def labels(g: Graph, place: str, classes: Any, name: str) -> Any:
    """Look up the labels of places (N,) in the table of classes, which keep value and type; describes them."""
    table = label_table(classes)
    g("Gather", g.weight("classes", table), place, axis=0, name=name)
    return tensor(name, table.dtype, "N")


def label_table(classes: Any) -> Array:
    """The classes as a tensor holds them: text as objects, objects as what they all are.

    Raises
    ------
    ReseauError
        For classes that are neither text, numbers nor booleans, and for text that is not UTF-8.
    """
    table: Array = np.asarray(classes)
    if table.dtype.kind == "O" and not all(isinstance(label, str) for label in table):
        kinds = {type(label) for label in table}
        if kinds == {bool}:
            table = table.astype(bool)
        elif all(issubclass(kind, (int, np.integer)) for kind in kinds):
            small = table.max() < 2**63
            if table.min() >= -(2**63 if small else 0) and table.max() < 2**64:  # else no one type holds them
                table = table.astype(np.int64 if small else np.uint64)
        elif all(issubclass(kind, (float, np.floating)) for kind in kinds):
            table = table.astype(np.float64)
    if table.dtype.kind == "O":
        odd = [label for label in table if not isinstance(label, str)]
        if odd:
            raise ReseauError(
                f"The class {odd[0]!r} is of type {type(odd[0]).__name__}, for which ONNX has no tensors; make the "
                "classes text, or numbers of one type."
            )
    if table.dtype.kind in "OU":
        for label in table:
            try:
                str(label).encode()
            except UnicodeEncodeError:
                raise ReseauError(f"The class {label!r} is not UTF-8 text, as ONNX has it; rename it.") from None
        return table.astype(object)
    if table.dtype.kind not in "biuf" or table.dtype.itemsize > 8:
        raise ReseauError(f"The classes are of type {table.dtype}; ONNX takes text, numbers and booleans.")
    return table
