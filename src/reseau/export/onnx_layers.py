"""The layers of a network, or of several side by side, as nodes of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseau.errors import ReseauError
from reseau.export.common import check_finite
from reseau.export.onnx_graph import Graph
from reseau.export.steps import Step, members

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network

LARGEST = 2**31 - 2**20  # bytes; protobuf ends at 2 GiB, of which some are left for what is not weights


def layers(g: Graph, net: Network | Ensemble, X: str, name: str) -> str:
    """The layers of a network, from the tensor X to one of this name, both of the graph's precision.

    Of an ensemble it is the mean of what its networks give; runtimes have Sum in both precisions, Mean in float32.
    """
    check_finite(net, g.dtype.name)
    size = net.n_parameters * g.dtype.itemsize
    if size > LARGEST:
        raise ReseauError(
            f"The network's {net.n_parameters:,} parameters take {size / 2**30:.1f} GiB, but one ONNX file holds at "
            "most 2; give it fewer neurons, or keep it as a model file (save)."
        )
    found = members(net)
    if len(found) == 1:
        return _chain(g, found[0], X, name)
    outputs = []
    for place, of_one in enumerate(found, start=1):
        with g.within(f"network {place}/"):
            outputs.append(_chain(g, of_one, X, g.free(f"network {place}/O")))
    return g("Div", g("Sum", *outputs), float(len(found)), name=name)


def _chain(g: Graph, found: list[Step], X: str, name: str) -> str:
    """The layers of one network."""
    outputs = [X]  # of each step
    for step in found:
        with g.within(f"layer {step.place}/"):
            tensors = {
                letter: g.weight(name, step.tensors[letter].astype(g.dtype, copy=False))
                for letter, name in step.tensor_names.items()
            }
            A = step.layer.code.onnx(g, outputs[-1], tensors)
            A = step.layer.sigma.code.onnx(g, A)
            if step.link is not None:
                A = g("Add", A, outputs[step.link])
        outputs.append(A)
    if outputs[-1] == X:
        g("Identity", X)
    g.nodes[-1].output[0] = g.nodes[-1].name = name  # the node that gave A
    return name
