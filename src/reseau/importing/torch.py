"""`from_torch`: an `nn.Sequential` of linear layers and activations, as a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from reseau.errors import ParameterError
from reseau.importing.chain import Array, Chain
from reseau.network import Network

_WAY_OUT = (
    "give an nn.Sequential of Linear, activations, Dropout and Flatten, or torch.onnx.export it and use from_onnx"
)


def from_torch(module: Any, *, loss: str | None = None) -> Network:
    """Take over the weights of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of Linear, activations that Réseau has too, Dropout, Flatten, Identity, and Sequentials of such; on any device.
        A copy is made: the network does not share its weights.
    loss : str or None
        What the network is to be trained on with, a name of `reseau.losses.LOSSES`. None takes the one that suits the
        output: "cross_entropy" for a softmax, "binary_cross_entropy" for a sigmoid, "poisson" for an exponential,
        "squared_error" for all others.

    Returns
    -------
    Network
        With the outputs that the module has after `module.eval()`, up to rounding: dropout is left out. A module that
        ends in raw scores (logits), as nn.CrossEntropyLoss takes them, gives raw scores here too; append an
        nn.Softmax(dim=-1) for probabilities.

    Raises
    ------
    ParameterError
        For anything but a chain of such layers; it names the layer.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> rs.from_torch(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)))  # doctest: +SKIP
    Network(Dense(8, 'tanh'), Dense(1, 'identity'), loss='squared_error', inputs=4, dtype='float32')
    """
    torch = sys.modules.get("torch")  # whoever has a module has loaded it
    if torch is None or not isinstance(module, torch.nn.Module):
        what = "a state_dict, which knows nothing of activations" if isinstance(module, dict) else type(module).__name__
        raise ParameterError(f"module is {what}, but must be a torch.nn.Module; {_WAY_OUT}.")
    chain = Chain("the module")
    for place, part in _parts(torch, module, ""):
        what = f"{place or 'the module'}: {part}".replace("\n", " ")
        kind = type(part).__name__
        if any(isinstance(p, torch.nn.parameter.UninitializedParameter) for p in part.parameters()):
            raise ParameterError(f"{what} has no weights yet; call the module once first.")
        if part._forward_hooks or part._forward_pre_hooks:
            raise ParameterError(f"{what} has hooks, which may do anything; remove them first.")
        if type(part).forward is torch.nn.Linear.forward:
            W = _numbers(part.weight).T
            chain.linear(W, None if part.bias is None else _numbers(part.bias), what)
        elif isinstance(part, torch.nn.Flatten):
            if (part.start_dim, part.end_dim) not in ((1, -1), (1, 1)):
                raise ParameterError(f"{what} joins rows; {_WAY_OUT}.")
        elif kind == "Identity" or "Dropout" in kind:
            continue
        elif _is_function(part):
            chain.apply(partial(_applied, torch, part), what)
        else:
            raise ParameterError(f"{what} is no part of a network of dense layers; {_WAY_OUT}.")
    return chain.network(loss)


def _parts(torch: Any, module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The modules that do something, in order, with their places: "2", or "2.0" in a Sequential of its own."""
    if type(module).forward is not torch.nn.Sequential.forward:
        yield place, module
        return
    if module._forward_hooks or module._forward_pre_hooks:
        raise ParameterError(f"{place or 'the module'} has hooks, which may do anything; remove them first.")
    for index, child in enumerate(module):  # named_children would give a module that stands there twice but once
        yield from _parts(torch, child, f"{place}.{index}" if place else f"layer {index}")


def _is_function(module: Any) -> bool:
    """Whether it computes with nothing but its input, as PyTorch's own modules of activations do."""
    own = type(module).__module__ == "torch.nn.modules.activation"
    return own and not module.state_dict() and not list(module.children())


def _applied(torch: Any, module: Any, Z: Array) -> Array:
    with torch.no_grad():
        return np.asarray(module(torch.from_numpy(Z.copy())).cpu().numpy())


def _numbers(parameter: Any) -> Array:
    tensor = parameter.detach().cpu()
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise ParameterError(f"the module's weights are {tensor.dtype}; convert it first: module.float().")
    return np.array(tensor.numpy())
