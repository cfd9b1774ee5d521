"""What every export asks of a network: the precision, finite numbers, a line that sums it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from reseau.checks import finite_layers, precision_of
from reseau.export.steps import Step, members

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network


def dtype_of(network: Network | Ensemble, dtype: npt.DTypeLike | None) -> str:
    """The precision asked for, or that of the network."""
    return network.dtype.name if dtype is None else precision_of(dtype).name


def check_finite(network: Network | Ensemble, dtype: str) -> None:
    """Refuse parameters that are not finite, or not in the precision asked for, and constants that are 0 there."""
    for net in network.networks:
        for layer in net.architecture.layers:
            layer.check_precision(precision_of(dtype))
        finite_layers((layer.tensors for layer in net.layers), dtype)


def title(network: Network | Ensemble) -> str:
    """What a file is that holds a network and nothing else."""
    return "A dense neural network" if len(network.networks) == 1 else "The mean of dense neural networks"


def summary(network: Network | Ensemble) -> str:
    """The widths of the layers and what they are, in a line; of an ensemble how many networks are so.

    Examples
    --------
    >>> import reseau as rs
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Dense(1, "identity"), inputs=3))
    '3 inputs -> 2 tanh -> 1 identity'
    >>> summary(rs.Network(rs.Dense(2, "tanh"), rs.Residual(rs.LayerNorm(), rs.Dense(2, "gelu")), inputs=2))
    '2 inputs -> 2 tanh -> 2 layer normalisation -> 2 gelu + a1'
    >>> summary(rs.Ensemble([rs.Network(rs.Dense(n, "tanh"), rs.Dense(1), inputs=3) for n in (2, 2, 4)]))
    '2 x 3 inputs -> 2 tanh -> 1 identity; 1 x 3 inputs -> 4 tanh -> 1 identity'
    """
    chains = [_chain(network.inputs, found) for found in members(network)]
    if len(chains) == 1:
        return chains[0]
    return "; ".join(f"{chains.count(chain)} x {chain}" for chain in dict.fromkeys(chains))


def _chain(inputs: int, found: list[Step]) -> str:
    """The widths of a network's layers."""
    layers = [
        f"{step.n_out} {step.words}" + (f" + a{step.link}" if step.link else " + inputs" if step.link == 0 else "")
        for step in found
    ]
    return " -> ".join([f"{inputs} input{'s' if inputs > 1 else ''}", *layers])
