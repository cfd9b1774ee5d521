"""The architecture that layers make: where its parameters lie in the one flat vector, and what is refused.

All parameters of a network are one contiguous vector: for each layer in turn its tensors by rows, such as W
(n_in, n_out), then b (n_out). Everything else (per-layer views, files, optimizers, both engines) is a way of looking at
that vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any

from reseau.arrays import Array, FloatArray, namespace
from reseau.checks import integer, known
from reseau.errors import ParameterError
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers.layer import Layer, Tensor
from reseau.vocabulary.layers.residual import Residual, chain
from reseau.vocabulary.layers.table import LAYERS
from reseau.vocabulary.losses import (
    LOSSES,
    Loss,
    NamedLoss,
    check_loss,
    describe_loss,
    loss_from_description,
    loss_of,
)


@dataclass(frozen=True)
class Architecture:
    """What a network computes, without the numbers: inputs, layers and loss. Both engines take it as it is.

    Layers that are given no activation get the one of their place.
    """

    inputs: int
    layers: tuple[Layer, ...]
    loss: NamedLoss

    def __post_init__(self) -> None:
        loss = loss_of(self.loss)
        object.__setattr__(self, "layers", _with_activations(self.layers, loss))
        _check_widths(self.layers, self.inputs)
        loss.check_outputs(self.outputs)

    @property
    def outputs(self) -> int:
        """The width of the last layer."""
        return self.widths[-1]

    @property
    def targets(self) -> int:
        """How many targets a row has; of groups of outputs each has one."""
        return len(self.groups) or self.outputs // loss_of(self.loss).per_target

    @property
    def groups(self) -> tuple[int, ...]:
        """How many outputs are in each group, of classes of which one is right; none where all are one, or no classes.

        That is where the loss compares distributions.
        """
        return self.layers[-1].range_like.groups if loss_of(self.loss).distribution else ()

    @property
    def weighable(self) -> tuple[int, int | None]:
        """How many weights of outputs there may be: of targets, and of classes where several columns of them are."""
        return self.targets, self.outputs if self.groups else None

    def of_outputs(self, of_targets: Array) -> Array:
        """One number for each output, of one for each target; or of one for each output, itself."""
        xp = namespace(of_targets)
        if self.groups and of_targets.shape[0] == self.targets:
            return xp.concat([xp.repeat(of_targets[k : k + 1], n) for k, n in enumerate(self.groups)])
        return xp.repeat(of_targets, self.outputs // of_targets.shape[0])

    @property
    def error(self) -> Loss:
        """The loss's entry in the table, for outputs like the last layer's."""
        return loss_of(self.loss).of(self.layers[-1].range_like).in_groups(self.groups)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """n_0 (the inputs), n_1, ..., n_L (the outputs)."""
        widths = [self.inputs]
        for layer in self.layers:
            width = layer.width(widths[-1])
            assert width is not None
            widths.append(width)
        return tuple(widths)

    @cached_property
    def places(self) -> tuple[dict[str, tuple[int, Tensor]], ...]:
        """For each layer its tensors by name, each with the place in the flat vector at which it begins."""
        offset, places = 0, []
        for n_in, layer in zip(self.widths, self.layers, strict=False):
            here = {}
            for tensor in layer.tensors(n_in):
                here[tensor.name] = offset, tensor
                offset += tensor.size
            places.append(here)
        return tuple(places)

    @cached_property
    def n_parameters(self) -> int:
        """The length of the flat vector."""
        return sum(tensor.size for here in self.places for _, tensor in here.values())

    @property
    def simplifies(self) -> bool:
        """Whether output and loss are a pair of which error and ∂E/∂Z come from the raw scores."""
        last = self.layers[-1]
        return not last.residual and self.error.simplifies_with == last.activation

    def views(self, vector: Array) -> list[dict[str, Array]]:
        """Split a flat vector into each layer's tensors by name; views of it, where the array library has views."""
        reshape = namespace(vector).reshape
        return [
            {name: reshape(vector[start : start + tensor.size], tensor.shape) for name, (start, tensor) in here.items()}
            for here in self.places
        ]

    def named(self, vector: FloatArray) -> dict[str, FloatArray]:
        """Each layer's tensors in a flat vector by name, as files have them: "layers.0.W", "layers.0.b", ..."""
        views = self.views(vector)
        return {f"layers.{place}.{name}": view for place, here in enumerate(views) for name, view in here.items()}

    def squares(self, vector: FloatArray) -> float:
        """Σ W² of what the penalty counts."""
        return sum(
            float((W * W).sum(dtype="float64"))
            for view, here in zip(self.views(vector), self.places, strict=True)
            for name, W in view.items()
            if here[name][1].penalised
        )

    @property
    def needs_zeros(self) -> str | None:
        """Why sparse rows are of no use here, in words; None where they are."""
        if any(layer.residual == l for l, layer in enumerate(self.layers, start=1)):
            return "a residual link leads from the inputs on"
        return None if self.layers[0].takes_sparse_rows else f"the first layer is {self.layers[0]}"

    def describe(self) -> dict[str, Any]:
        """The architecture as JSON-able values; `architecture_from_description` reads it back."""
        return {
            "inputs": self.inputs,
            "layers": [layer.describe() for layer in self.layers],
            **describe_loss(self.loss),
        }


def _with_activations(layers: tuple[Layer, ...], loss: Loss) -> tuple[Layer, ...]:
    """The layers, each with an activation."""

    def default(place: int, layer: Layer) -> str:
        if place == len(layers) - 1:
            return "identity" if layer.residual else loss.output
        return "identity" if layers[place + 1].activates else layer.default_activation

    return tuple(
        layer.but(activation=default(place, layer)) if layer.activation is None else layer
        for place, layer in enumerate(layers)
    )


def _check_widths(layers: Sequence[Layer], inputs: int | None) -> None:
    """Refuse a residual link between unequal widths, as far as they are known, and a layer on too few inputs."""
    widths = [inputs]
    for l, layer in enumerate(layers, start=1):
        if widths[-1] is not None:
            layer.check_inputs(widths[-1])
        widths.append(layer.width(widths[-1]))
        if layer.residual > l:
            raise ParameterError(
                f"Layer {l - 1}, {layer}, has a residual link over {layer.residual} layers, but is number {l} of the "
                "network."
            )
        n, n_from = widths[l], widths[l - layer.residual]
        if n is not None and n_from is not None and n != n_from:
            source = f"layer {l - layer.residual - 1}" if layer.residual < l else "the network"
            whose = "outputs" if layer.residual < l else "inputs"
            raise ParameterError(
                f"A residual link adds the {n_from} {whose} of {source} to the {n} outputs of layer {l - 1}, {layer}, "
                f"but can only add as many; let Residual end in Dense({n_from})."
            )


def check_network(layers: tuple[Layer | Residual, ...], loss: object) -> tuple[tuple[Layer, ...], NamedLoss]:
    """Refuse what is no network, or one whose loss is not defined for its outputs.

    Returns
    -------
    layers : tuple of Layer
        One after another, each with its activation; the last with all outputs that the loss has for a target, if it
        was given one neuron.
    loss : str or Loss
        The loss's name where that says all, else the loss.
    """
    named = check_loss(loss)
    chained = _check_layers(_with_outputs(layers, loss_of(named)), named)
    check_output(chained[-1], named)
    return chained, named


def _with_outputs(layers: tuple[Layer | Residual, ...], loss: Loss) -> tuple[Layer | Residual, ...]:
    """The layers, the last with as many neurons as the loss has outputs for a target, where it was given one."""
    last = layers[-1] if layers else None
    if not isinstance(last, Layer) or not last.of_neurons or last.width(None) != 1 or loss.per_target == 1:
        return layers
    return *layers[:-1], last.but(neurons=loss.per_target)


def _check_layers(layers: tuple[Layer | Residual, ...], loss: NamedLoss) -> tuple[Layer, ...]:
    """Refuse no layers, things that are no layers, and what no last layer can be; return each with its activation."""
    if not layers:
        raise ParameterError("A network needs at least one layer: Network(Dense(10, 'softmax'), ...).")
    for place, layer in enumerate(layers):
        if not isinstance(layer, Layer | Residual):
            raise ParameterError(f"Layer {place} is {layer!r}, but must be a layer such as Dense(10, 'tanh').")
    chained = chain(layers)
    entry, last = loss_of(loss), chained[-1]
    if entry.distribution and last.width(None) == 1:
        raise ParameterError(
            f"loss={loss!r} compares distributions over classes and needs at least 2 output neurons; for two "
            "classes use Dense(2, 'softmax'), or Dense(1, 'sigmoid') with loss='binary_cross_entropy'."
        )
    if last.dropout:
        raise ParameterError(
            f"dropout is {last.dropout} in the last layer, whose dropped outputs the loss would compare as zeros; "
            "give it to a hidden layer."
        )
    chained = _with_activations(chained, entry)
    _check_widths(chained, None)
    width = last.width(None)
    if width is not None:
        entry.check_outputs(width)
    return chained


def check_output(last: Layer, loss: NamedLoss) -> None:
    """Refuse a last layer whose outputs the loss is not defined for."""
    entry, like = loss_of(loss), last.range_like
    if entry.takes(like):
        return
    fitting = [a.name for a in ACTIVATIONS.values() if entry.takes(a)]
    needed = entry.needed
    others = [name for name, other in LOSSES.items() if other.simplifies_with == like.name]
    what = "residual link" if last.residual else f"activation {last.activation!r}"
    way_out = (
        "use one of" if last.takes_activation and not last.residual else "let a Dense layer stand last, with one of"
    )
    raise ParameterError(
        f"loss={loss!r} is defined for outputs in {needed}, but the last layer's {what} gives "
        f"values in {like.range}; {way_out} {', '.join(fitting)}"
        + (f" (best: {entry.output!r})" if entry.output in fitting else "")
        + "".join(f", or loss={name!r}, which goes with {like.name!r}" for name in others)
        + "."
    )


def layer_from_description(values: dict[str, Any], name: str) -> Layer:
    """Rebuild a layer from what its `describe` gave; `name` is what to call it in an error."""
    values = dict(values)
    kind = known(f"the type of {name}", values.pop("type", None), list(LAYERS))
    try:
        return _from_values(kind, values)
    except ParameterError as error:
        raise ParameterError(f"{name}: {error}") from None


def _from_values(kind: str, values: dict[str, Any]) -> Layer:
    """Rebuild a layer of a kind."""
    entry: Any = LAYERS[kind]
    taken = {field.name: field for field in fields(entry) if field.init}
    for name in values:
        known(f"a value of a {kind}", name, list(taken))
    for name, field in taken.items():
        if field.default is MISSING and name not in values:
            raise ParameterError(f"a {kind} needs {name}, which is missing.")
    layer: Layer = entry(**values)
    return layer


def architecture_from_description(description: dict[str, Any]) -> Architecture:
    """Rebuild an architecture from what `Architecture.describe` gave, checking every value.

    Outputs that the loss is not defined for are let through: earlier releases made such networks, whose files still
    predict. `reseau.data.targets` refuses to compare them with anything.
    """
    layers = [layer_from_description(values, f"layer {place}") for place, values in enumerate(description["layers"])]
    loss = loss_from_description(description)
    return Architecture(integer("inputs", description["inputs"], low=1), _check_layers(tuple(layers), loss), loss)
