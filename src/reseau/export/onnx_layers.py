"""The layers of a network as nodes of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseau.errors import ReseauError
from reseau.export.common import check_finite
from reseau.export.onnx_graph import Graph

if TYPE_CHECKING:
    from reseau.network import Network

LARGEST = 2**31 - 2**20  # bytes; protobuf ends at 2 GiB, of which some are left for what is not weights


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
