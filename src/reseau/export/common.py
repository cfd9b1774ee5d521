"""What every export asks of a network: the precision, finite numbers, a line that sums it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from reseau.checks import finite_layers, precision_of
from reseau.export.steps import steps

if TYPE_CHECKING:
    from reseau.network import Network


def dtype_of(network: Network, dtype: npt.DTypeLike | None) -> str:
    """The precision asked for, or that of the network."""
    return network.dtype.name if dtype is None else precision_of(dtype).name


def check_finite(network: Network, dtype: str) -> None:
    """Refuse parameters that are not finite, or not in the precision asked for, and constants that are 0 there."""
    for layer in network.architecture.layers:
        layer.check_precision(precision_of(dtype))
    finite_layers((layer.tensors for layer in network.layers), dtype)


def summary(network: Network) -> str:
    """The widths of the layers and what they are, in a line.

    Examples
    --------
    >>> import reseau as rs
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "identity"), inputs=3))
    '3 inputs -> 2 tanh -> 1 identity'
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Residual(rs.LayerNorm(), rs.Dense(2, "gelu")), inputs=2))
    '2 inputs -> 2 tanh -> 2 layer normalisation -> 2 gelu + a1'
    """
    inputs = network.architecture.inputs
    layers = [
        f"{step.n_out} {step.words}" + (f" + a{step.link}" if step.link else " + inputs" if step.link == 0 else "")
        for step in steps(network)
    ]
    return " -> ".join([f"{inputs} input{'s' if inputs > 1 else ''}", *layers])
