"""The table of layers, and the architecture they make: where its parameters lie in the one flat vector.

All parameters of a network are one contiguous vector: for each layer in turn W (n_in, n_out) by rows, then b (n_out).
Everything else (per-layer views, files, optimizers, both engines) is a way of looking at that vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from reseau.arrays import Array
from reseau.checks import integer, known, real
from reseau.errors import ParameterError, ReseauError
from reseau.vocabulary.activations import ACTIVATIONS, Elementwise, RowWise
from reseau.vocabulary.initializers import INITIALIZERS
from reseau.vocabulary.losses import LOSSES, Loss


@dataclass(frozen=True)
class Dense:
    """A layer of n neurons, every one connected to every input: A = σ(X W + b).

    Dropout keeps the neurons of a layer from relying on one another (Srivastava, Hinton, Krizhevsky, Sutskever,
    Salakhutdinov 2014): in training, A = σ(X W + b) · M/(1 − p), where each number of M, anew for every row of every
    step, is 0 with probability p and else 1, so that the mean is that without dropout. Only `Network.fit` drops;
    outputs, errors, gradients and the Jacobian are those of the whole layer.

    Parameters
    ----------
    neurons : int
        The number of neurons, n ≥ 1; the width of the layer's output.
    activation : str or None
        σ: "identity", "sigmoid", "tanh", "softmax", "log_softmax", "relu", "leaky_relu", "elu", "selu", "gelu",
        "gelu_tanh", "silu", "mish", "softplus", "softsign", "hard_sigmoid", "hard_swish" or "exponential", the names of
        the table `reseau.vocabulary.activations.ACTIVATIONS`. None lets the layer's place in a network decide: ReLU in
        a hidden layer; in the last the activation that the loss simplifies with (identity for the squared error,
        softmax for the cross-entropy, sigmoid for the binary one, exponential for Poisson's), or identity.
    bias : bool
        Whether b is added; False gives the lecture's layer, O = σ(X W).
    init : str or None
        How W is drawn: "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform" or
        "lecun_normal", the names of `reseau.vocabulary.initializers.INITIALIZERS`; None takes the one that suits the
        activation.
    dropout : float
        p, the probability that the output of a neuron is dropped in training, 0 ≤ p < 1. Hidden layers with an
        activation of each number alone may have it, the last layer and softmax may not.

    Raises
    ------
    ParameterError
        For a number of neurons below 1, a name that is not in its table, a softmax of one neuron, or a dropout out of
        range or where there can be none.

    Examples
    --------
    >>> import reseau as rs
    >>> rs.Dense(64, "tanh")
    Dense(neurons=64, activation='tanh', bias=True, init=None, dropout=0.0)
    >>> rs.Network(rs.Dense(64), rs.Dense(1))
    Network(Dense(64, 'relu'), Dense(1, 'identity'), loss='squared_error', dtype='float32')
    """

    neurons: int
    activation: str | None = None
    bias: bool = True
    init: str | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", integer("neurons", self.neurons, low=1))
        if self.activation is not None:
            object.__setattr__(self, "activation", _name("activation", self.activation, ACTIVATIONS))
        if not isinstance(self.bias, bool | np.bool_):
            raise ParameterError(f"bias is {self.bias!r}, but must be True or False.")
        object.__setattr__(self, "bias", bool(self.bias))
        if self.init is not None:
            known("init", self.init, INITIALIZERS)
        object.__setattr__(self, "dropout", real("dropout", self.dropout, low=0, high=1, includes_high=False))
        if self.activation is None:
            return
        if self.neurons == 1 and self.sigma.distribution is not None:
            raise ParameterError(
                f"Dense(1, {self.activation!r}) gives the same number whatever its inputs are: {self.activation} "
                "shares out 1 among the neurons of its layer and needs at least 2 neurons. For two classes use "
                "Dense(2, 'softmax'), or Dense(1, 'sigmoid') with loss='binary_cross_entropy'; for a number "
                "Dense(1, 'identity')."
            )
        if self.dropout and self.sigma.row_wise:  # what is sent back through it needs the row undropped
            raise ParameterError(
                f"dropout is {self.dropout}, but a layer with the activation {self.activation!r} cannot have it; give "
                "it to the layer before."
            )

    @property
    def sigma(self) -> Elementwise | RowWise:
        """The activation's entry in the table."""
        if self.activation is None:
            raise ReseauError(f"The activation of {self} is not given; its place in a network decides it.")
        return ACTIVATIONS[self.activation]

    @property
    def initializer(self) -> str:
        """The name of the initialisation in force."""
        return self.init if self.init is not None else self.sigma.initializer

    def n_parameters(self, n_in: int) -> int:
        """How many parameters the layer has on n_in inputs."""
        return n_in * self.neurons + (self.neurons if self.bias else 0)


LAYERS: dict[str, type[Dense]] = {"dense": Dense}
"""Every kind of layer by its name."""


def _name(parameter: str, value: object, table: Mapping[str, Any]) -> str:
    """A name of a table, for which its entry may stand too."""
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and table.get(name) is value else known(parameter, value, table)


@dataclass(frozen=True)
class Architecture:
    """What a network computes, without the numbers: inputs, layers and loss. Both engines take it as it is.

    Layers that are given no activation get the one of their place.
    """

    inputs: int
    layers: tuple[Dense, ...]
    loss: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _with_activations(self.layers, LOSSES[self.loss]))

    @property
    def outputs(self) -> int:
        """The width of the last layer."""
        return self.layers[-1].neurons

    @property
    def error(self) -> Loss:
        """The loss's entry in the table, for outputs like the last layer's."""
        return LOSSES[self.loss].of(self.layers[-1].sigma)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """n_0 (the inputs), n_1, ..., n_L (the outputs)."""
        return (self.inputs, *(layer.neurons for layer in self.layers))

    @cached_property
    def n_parameters(self) -> int:
        """The length of the flat vector."""
        return sum(layer.n_parameters(n_in) for n_in, layer in zip(self.widths, self.layers, strict=False))

    @property
    def simplifies(self) -> bool:
        """Whether output and loss are a pair for which ∂E/∂Z = o − t."""
        return self.error.simplifies_with == self.layers[-1].activation

    def places(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield, layer by layer, (offset of W, n_in, n_out, offset of b); the offset of b is −1 without bias."""
        offset = 0
        for n_in, layer in zip(self.widths, self.layers, strict=False):
            n_out = layer.neurons
            after = offset + n_in * n_out
            yield offset, n_in, n_out, after if layer.bias else -1
            offset += layer.n_parameters(n_in)

    def views(self, vector: Array) -> list[tuple[Array, Array | None]]:
        """Split a flat vector into (W, b) of each layer; views of it, where the array library has views."""
        xp_reshape = vector.__array_namespace__().reshape
        return [
            (xp_reshape(vector[w : w + n_in * n_out], (n_in, n_out)), vector[b : b + n_out] if b >= 0 else None)
            for w, n_in, n_out, b in self.places()
        ]

    def describe(self) -> dict[str, Any]:
        """The architecture as JSON-able values; `from_description` reads it back."""
        return {"inputs": self.inputs, "layers": [_describe(layer) for layer in self.layers], "loss": self.loss}


def _describe(layer: Dense) -> dict[str, Any]:
    kinds = {kind: name for name, kind in LAYERS.items()}
    values = {f.name: getattr(layer, f.name) for f in fields(layer)}
    if not layer.dropout:  # so that releases which do not know it yet can read what does without
        del values["dropout"]
    return {"type": kinds[type(layer)], **values}


def default_output(loss: Loss) -> str:
    """The activation of a last layer that is given none."""
    return loss.simplifies_with or "identity"


def _with_activations(layers: tuple[Dense, ...], loss: Loss) -> tuple[Dense, ...]:
    """The layers, each with an activation."""
    defaults = ["relu"] * (len(layers) - 1) + [default_output(loss)]
    return tuple(
        replace(layer, activation=default) if layer.activation is None else layer
        for layer, default in zip(layers, defaults, strict=True)
    )


def check_network(layers: tuple[Dense, ...], loss: str | Loss) -> tuple[tuple[Dense, ...], str]:
    """Refuse what is no network, or one whose loss is not defined for its outputs.

    Returns
    -------
    layers : tuple of Dense
        Each with its activation.
    loss : str
        The loss's name.
    """
    loss = _name("loss", loss, LOSSES)
    layers = _check_layers(layers, loss)
    check_output(layers[-1], loss)
    return layers, loss


def _check_layers(layers: tuple[Dense, ...], loss: str) -> tuple[Dense, ...]:
    """Refuse no layers, things that are no layers, and what no last layer can be; return each with its activation."""
    if not layers:
        raise ParameterError("A network needs at least one layer: Network(Dense(10, 'softmax'), ...).")
    for place, layer in enumerate(layers):
        if not isinstance(layer, tuple(LAYERS.values())):
            raise ParameterError(f"Layer {place} is {layer!r}, but must be a layer such as Dense(10, 'tanh').")
    entry, last = LOSSES[loss], layers[-1]
    if entry.distribution and last.neurons == 1:
        raise ParameterError(
            f"loss={loss!r} compares distributions over classes and needs at least 2 output neurons; for two "
            "classes use Dense(2, 'softmax'), or Dense(1, 'sigmoid') with loss='binary_cross_entropy'."
        )
    if last.dropout:
        raise ParameterError(
            f"dropout is {last.dropout} in the last layer, whose dropped outputs the loss would compare as zeros; "
            "give it to a hidden layer."
        )
    return _with_activations(layers, entry)


def check_output(last: Dense, loss: str) -> None:
    """Refuse a last layer whose outputs the loss is not defined for."""
    entry = LOSSES[loss]
    if entry.takes(last.sigma):
        return
    fitting = [a.name for a in ACTIVATIONS.values() if entry.takes(a)]
    needed = "rows that are distributions over classes, summing to 1" if entry.distribution else f"{entry.outputs}"
    others = [name for name, other in LOSSES.items() if other.simplifies_with == last.activation]
    raise ParameterError(
        f"loss={loss!r} is defined for outputs in {needed}, but the last layer's activation {last.activation!r} gives "
        f"values in {last.sigma.range}; use one of {', '.join(fitting)}"
        + (f" (best: {entry.simplifies_with!r})" if entry.simplifies_with else "")
        + "".join(f", or loss={name!r}, which goes with {last.activation!r}" for name in others)
        + "."
    )


def architecture_from_description(description: dict[str, Any]) -> Architecture:
    """Rebuild an architecture from what `Architecture.describe` gave, checking every value.

    Outputs that the loss is not defined for are let through: earlier releases made such networks, whose files still
    predict. `reseau.data.targets` refuses to compare them with anything.
    """
    layers = []
    for place, values in enumerate(description["layers"]):
        values = dict(values)
        kind = known(f"the type of layer {place}", values.pop("type", None), LAYERS)
        layers.append(LAYERS[kind](**values))
    loss = known("loss", description["loss"], LOSSES)
    return Architecture(integer("inputs", description["inputs"], low=1), _check_layers(tuple(layers), loss), loss)
