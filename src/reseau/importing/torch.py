"""`from_torch`: an `nn.Sequential` of linear layers, activations and normalisations, as a network."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from reseau.errors import ParameterError
from reseau.importing.chain import Affine, Array, Chain
from reseau.network import Network
from reseau.vocabulary.losses import NamedLoss

_WAY_OUT = (
    "give an nn.Sequential of Linear, LayerNorm, activations, Dropout and Flatten, or torch.onnx.export it and use"
    " from_onnx"
)
# Of torch.nn. Only a class itself is known: one derived from it may do anything.
_UNCHANGED = ("AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout", "Identity")
_FUNCTIONS = (
    *("CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid"),
    *("LogSoftmax", "Mish", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmin", "Softplus"),
    *("Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold"),
)
_KNOWN = ("BatchNorm1d", "Flatten", "LayerNorm", "Linear", "PReLU", "RReLU", "Sequential")
_HINTS = {
    "OptimizedModule": "give its _orig_mod, of which it was compiled",
    "DataParallel": "give its module",
    "DistributedDataParallel": "give its module",
}


def from_torch(module: Any, *, loss: NamedLoss | None = None) -> Network:
    """Take over the weights of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of Linear, LayerNorm, PReLU, activations that Réseau has too, BatchNorm1d, Dropout, Flatten, Identity, and
        Sequentials of such; on any device. Modules of a class of your own, derived ones too, are refused, as are those
        with hooks, a forward of their own or parametrizations. A copy is made: the network does not share its weights.
    loss : str, loss or None
        What the network is to be trained on with, a name of `reseau.vocabulary.losses.LOSSES`. None takes the one that
        suits the output: "cross_entropy" for a softmax or its log, "binary_cross_entropy" for a sigmoid, "poisson" for
        an exponential, "squared_error" for all others.

    Returns
    -------
    Network
        With the outputs that the module has after `module.eval()`, up to rounding: dropout is left out. A module that
        ends in raw scores (logits), as nn.CrossEntropyLoss takes them, gives raw scores here too; append an
        nn.Softmax(dim=-1) for probabilities.

    Raises
    ------
    ParameterError
        For anything but a chain of such layers; it names the layer: "layer 3.inner" is module[3].inner.

    Notes
    -----
    BatchNorm1d becomes part of the layer beside it. Between layers, ReLU6 and Hardtanh become hard sigmoids, and leaky
    ReLUs of any slope two neurons, max(0, z) − λ max(0, −z), with the weights of the next layer to match. A PReLU of
    one slope becomes one with a slope for each neuron, all the same. No module of torch.nn adds what came before: write
    a module with residual links with torch.onnx.export, and read that with `from_onnx`.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> rs.from_torch(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)))  # doctest: +SKIP
    Network(Dense(8, 'tanh'), Dense(1, 'identity'), loss='squared_error', inputs=4, dtype='float32')
    """
    torch = sys.modules.get("torch")  # whoever has a module has loaded it
    if torch is None or not isinstance(module, torch.nn.Module):
        raise ParameterError(f"module is {_said(module)}, but must be a torch.nn.Module; {_WAY_OUT}.")
    everywhere = torch.nn.modules.module
    if everywhere._global_forward_hooks or everywhere._global_forward_pre_hooks:
        raise ParameterError("PyTorch has hooks for all modules, which may do anything; remove them first.")
    chain = Chain("the module")
    for place, part in _parts(torch, module, ""):
        kind = type(part).__name__
        what = f"{place}: {part}".replace("\n", " ")
        if kind == "Linear":
            W = _numbers(torch, part.weight, what).T
            chain.linear(W, None if part.bias is None else _numbers(torch, part.bias, what), what)
        elif kind == "BatchNorm1d":
            chain.affine(_normalised(torch, part, what), what)
        elif kind == "LayerNorm":
            if len(part.normalized_shape) != 1:
                raise ParameterError(f"{what} normalises over {len(part.normalized_shape)} axes, not rows; {_WAY_OUT}.")
            chain.norm(*_scale_and_shift(torch, part, what), part.eps, what)
        elif kind == "PReLU":
            chain.prelu(_numbers(torch, part.weight, what), what)
        elif kind == "RReLU":  # evaluated with the mean of its slopes
            chain.apply(partial(_leaky, (part.lower + part.upper) / 2), what)
        elif kind == "Flatten":
            if (part.start_dim, part.end_dim) not in ((1, -1), (1, 1)):
                raise ParameterError(f"{what} joins rows; {_WAY_OUT}.")
        elif kind in _FUNCTIONS:
            chain.apply(partial(_applied, torch, part), what)
    return chain.network(loss)


def _said(module: Any) -> str:
    """What was given instead of a module."""
    if isinstance(module, dict):
        return "a state_dict, which knows nothing of activations"
    if isinstance(module, type):
        return f"the class {module.__name__}, not an instance of it"
    if isinstance(module, str | bytes):
        return f"{type(module).__name__}, not what torch.load makes of it"
    return type(module).__name__


def _is(torch: Any, module: Any, names: tuple[str, ...]) -> bool:
    """Whether the module is of one of these classes of torch.nn, and not of one derived from it."""
    kind = type(module)
    return kind.__name__ in names and kind is getattr(torch.nn, kind.__name__, None)


def _parts(torch: Any, module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The modules that do something, in order, with their places: "layer 2", or "layer 2.0" in a Sequential there."""
    where = f"layer {place}" if place else "the module"
    kind = type(module).__name__
    if not _is(torch, module, (*_KNOWN, *_FUNCTIONS, *_UNCHANGED)):
        raise ParameterError(f"{where}: {kind} {_unknown(torch, module)}.")
    if module._forward_hooks or module._forward_pre_hooks:
        raise ParameterError(
            f"{where}: {kind} has hooks, which may do anything; remove them first (remove_weight_norm and "
            "prune.remove do, where they came from there)."
        )
    if "forward" in vars(module):
        raise ParameterError(f"{where}: {kind} has a forward of its own, which may do anything; {_WAY_OUT}.")
    if kind != "Sequential":
        yield where, module
        return
    for name, child in module._modules.items():  # named_children would give a module that stands there twice but once
        yield from _parts(torch, child, f"{place}.{name}" if place else name)


def _unknown(torch: Any, module: Any) -> str:
    """Why a module is not taken, and what to do."""
    nn, kind = torch.nn, type(module)
    if not isinstance(module, nn.Module):
        return "is no module; leave it out"
    if isinstance(module, torch.jit.ScriptModule):
        return (
            "is compiled, so that what it does is not to be seen; give the nn.Module that it was made of, or "
            "torch.onnx.export it and use from_onnx"
        )
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        return "has no weights yet; call the module once first"
    if nn.utils.parametrize.type_before_parametrizations(module) is not kind:
        return (
            "computes its weights from others (parametrizations); make them weights first: "
            "torch.nn.utils.parametrize.remove_parametrizations(that_module, name)"
        )
    if kind.__name__ in _HINTS:
        return f"is not taken; {_HINTS[kind.__name__]}"
    if isinstance(module, nn.Sequential):
        return (
            "is a class of your own, which may do anything; if it does no more than nn.Sequential, give "
            "nn.Sequential(*that_module)"
        )
    own = "" if kind.__module__.startswith("torch.") else "is a class of your own, which may do anything, and "
    return f"{own}is no part of a network of dense layers; {_WAY_OUT}"


def _applied(torch: Any, module: Any, Z: Array) -> Array:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a softmax that has to guess its axis, which is that of the neurons here
        return np.asarray(module(torch.from_numpy(Z.copy())).cpu().numpy())


def _leaky(slope: float, Z: Array) -> Array:
    return np.where(Z > 0, Z, slope * Z)


def _scale_and_shift(torch: Any, module: Any, what: str) -> tuple[Array | None, Array | None]:
    """What a module multiplies by and adds, where it does."""
    gamma, beta = (None if part is None else _numbers(torch, part, what) for part in (module.weight, module.bias))
    return gamma, beta


def _normalised(torch: Any, module: Any, what: str) -> Affine:
    """(x − mean)/√(variance + ε)·weight + bias, with the statistics that training left."""
    if module.running_mean is None or module.running_var is None:
        raise ParameterError(f"{what} normalises by the rows at hand (track_running_stats=False); {_WAY_OUT}.")
    mean, variance = (
        _numbers(torch, buffer, what).astype(np.float64) for buffer in (module.running_mean, module.running_var)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        k = 1 / np.sqrt(variance + module.eps)
    if module.weight is not None:
        k = k * _numbers(torch, module.weight, what)
    shift = 0.0 if module.bias is None else _numbers(torch, module.bias, what)
    return Affine(k, shift - mean * k)


def _numbers(torch: Any, parameter: Any, what: str) -> Array:
    tensor = parameter.detach()
    if tensor.is_meta:
        raise ParameterError(f"{what} has weights without numbers (on the device 'meta'); load them first.")
    if tensor.dtype not in (torch.float32, torch.float64):
        way_out = "Réseau computes with real numbers" if tensor.is_complex() else "convert it first: module.float()"
        raise ParameterError(f"{what} has weights of {tensor.dtype}; {way_out}.")
    try:
        return np.array(tensor.cpu().resolve_neg().numpy())
    except (TypeError, RuntimeError, NotImplementedError) as error:  # sparse, quantized, spread over machines
        raise ParameterError(f"{what} has weights that are no plain array of numbers: {error}") from error
