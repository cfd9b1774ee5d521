"""A chain of dense layers as it is met elsewhere, and which activation it is that stands between two of them.

An activation is recognised by what it computes, not by its name: GELU is one module in one place, six nodes in another.
Whatever stands between two layers is applied to one small matrix of numbers, and must give there what an entry of
`reseau.activations.ACTIVATIONS` gives, up to the rounding of float32. So a leaky ReLU of another slope is told from
ours, and a function that nobody has thought of is recognised or refused alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.activations import ACTIVATIONS
from reseau.errors import ParameterError, ReseauError
from reseau.layers import Dense
from reseau.losses import LOSSES
from reseau.network import DTYPES, Network

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# A few roundings of float32, in which other libraries may compute, of numbers like z and σ(z). The nearest two entries
# of the table, the forms of GELU, are a hundred times as far apart.
TOLERANCE = 4e-6
NEAR = 30.0  # within which everything must be finite; beyond, a form that overflows is no other function


def _probe() -> Floats:
    """Numbers on both sides of zero and of every kink, near and far, four in each row; all of them in float32."""
    near = np.linspace(-12, 12, 385)  # sixteenths
    far = np.concatenate([np.linspace(12.5, NEAR, 36), np.geomspace(40, 1e4, 12)])
    small = np.geomspace(1e-6, 1e-2, 13)
    z = np.concatenate([near, far, -far, small, -small])
    z = np.append(z, np.zeros(-len(z) % 4))
    places = np.random.default_rng(0).permutation(len(z))  # so that a row has small and large ones
    return z[places].reshape(-1, 4).astype(np.float32).astype(np.float64)


PROBE = _probe()


@cache
def _values() -> dict[str, Floats]:
    with np.errstate(over="ignore"):
        return {name: entry.value(PROBE) for name, entry in ACTIVATIONS.items()}


def recognise(value: Array) -> str | None:
    """The name of the activation that takes this value at `PROBE`, or None."""
    value = np.asarray(value, dtype=np.float64)
    if value.shape != PROBE.shape or not np.isfinite(value[np.abs(PROBE) <= NEAR]).all():
        return None
    for name, expected in _values().items():
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(value - expected) <= TOLERANCE * (1 + np.abs(PROBE) + np.abs(expected))
        if (close | ~np.isfinite(value) | ~np.isfinite(expected)).all():
            return name
    return None


def default_loss(activation: str, outputs: int) -> str:
    """The loss that simplifies with an output's activation; the squared error where there is none."""
    for loss in LOSSES.values():
        if loss.simplifies_with == activation and not (loss.distribution and outputs == 1):
            return loss.name
    return "squared_error"


class Chain:
    """Layers as they come, each with the activations that follow it.

    Parameters
    ----------
    source : str
        What the layers come from, for messages: "the module".
    error : type
        Of the errors raised.
    """

    def __init__(self, source: str, error: type[ReseauError] = ParameterError) -> None:
        self._source = source
        self._error = error
        self._parameters: list[tuple[Array, Array | None]] = []
        self._activations: list[str] = []  # one fewer while a layer is open
        self._value: Array = PROBE
        self._since: list[str] = []  # what was applied since the last layer

    def apply(self, function: Callable[[Floats], Array], what: str) -> None:
        """Apply a function to what the layer so far gives; `what` is it and its place, for messages."""
        try:
            with np.errstate(all="ignore"):
                self._value = np.asarray(function(self._value), dtype=np.float64)
        except Exception as error:  # whatever another library raises on a matrix
            raise self._error(f"{what} cannot be applied to a matrix of numbers: {error}") from error
        self._since.append(what)

    def linear(self, W: Array, b: Array | None, what: str) -> None:
        """Begin a layer: weights (n_in, n_out) and biases (n_out,)."""
        self._close()
        if W.ndim != 2 or 0 in W.shape:
            raise self._error(f"{what} has weights of shape {W.shape}, but must have a matrix of them.")
        if self._parameters and self._parameters[-1][0].shape[1] != W.shape[0]:
            raise self._error(
                f"{what} takes {W.shape[0]} inputs, but the layer before gives {self._parameters[-1][0].shape[1]}."
            )
        first = self._parameters[0][0] if self._parameters else W
        for array in (W,) if b is None else (W, b):
            if array.dtype.name not in DTYPES:
                raise self._error(
                    f"{what} holds {array.dtype}, but Réseau computes in {' or '.join(DTYPES)}; convert "
                    f"{self._source} first."
                )
            if array.dtype != first.dtype:
                raise self._error(
                    f"{what} holds {array.dtype} where the first layer holds {first.dtype}; convert {self._source} to "
                    "one of them first."
                )
        if b is not None and b.shape != (W.shape[1],):
            raise self._error(f"{what} has biases of shape {b.shape}, but must have {W.shape[1]}.")
        self._parameters.append((W, b))

    def applied(self, value: Array, since: list[str]) -> None:
        """Say at once all that was applied since the last layer: its value at `PROBE`, and what it was."""
        self._value, self._since = value, since

    def _close(self) -> None:
        name = recognise(self._value)
        if name is None or (not self._parameters and name != "identity"):
            after = f"after layer {len(self._parameters)}" if self._parameters else "before the first layer"
            raise self._error(
                f"{', then '.join(self._since)}, {after} of {self._source}, "
                + (
                    f"computes none of the activations that Réseau has: {', '.join(ACTIVATIONS)}; train "
                    f"{self._source} with one of them."
                    if self._parameters
                    else "changes the inputs; leave it out, and give the network inputs so changed."
                )
            )
        if self._parameters:
            self._activations.append(name)
        self._value, self._since = PROBE, []

    def network(self, loss: str | None = None) -> Network:
        """The network; without a loss, with the one that suits its output."""
        if not self._parameters:
            raise self._error(f"{self._source[0].upper()}{self._source[1:]} has no dense layer.")
        self._close()
        layers = [
            Dense(W.shape[1], activation, bias=b is not None)
            for (W, b), activation in zip(self._parameters, self._activations, strict=True)
        ]
        W, _ = self._parameters[0]
        last = layers[-1]
        net = Network(
            *layers,
            loss=default_loss(last.activation, last.neurons) if loss is None else loss,
            inputs=W.shape[0],
            dtype=W.dtype.name,
            seed=0,  # what it draws is replaced
        )
        for view, (W, b) in zip(net.layers, self._parameters, strict=True):
            view.W[...] = W
            if view.b is not None:
                view.b[...] = b
        return net
