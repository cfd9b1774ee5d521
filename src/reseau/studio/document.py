"""Documents: what makes a session. They are checked beyond what the schema says, and made into networks and fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from reseau.errors import ReseauError
from reseau.network import Network
from reseau.studio.refusal import Refusal
from reseau.training.settings import Settings
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Architecture, Layer, Residual
from reseau.vocabulary.layers.table import LAYERS
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.optimizers import OPTIMIZERS, Optimizer
from reseau.vocabulary.schedules import SCHEDULES, Constant
from reseau.vocabulary.schedules.schedule import OfRate

if TYPE_CHECKING:
    from reseau.studio.data import Data

Document: TypeAlias = dict[str, Any]

VERSION = 1
MOST_PARAMETERS = 1_000_000  # each frame holds them all
NO_END = 10_000_000  # epochs of a fit that goes on until it is paused
LOOKS: dict[str, Any] = {"neurons": 8, "activation": "tanh", "bias": True, "dropout": 0.0, "residual": False}

# Those that go out from a learning rate alone; others need a function.
RATES: dict[str, type[OfRate]] = {name: kind for name, kind in SCHEDULES.items() if issubclass(kind, OfRate)}


def beginning() -> Document:
    """What the studio opens with."""
    return {
        "version": VERSION,
        "data": {
            "kind": "toy",
            "name": "circles",
            "samples": 400,
            "noise": 0.1,
            "classes": 2,
            "seed": 0,
            "held_out": 0.25,
        },
        "network": {
            "layers": [
                {"kind": "dense", "neurons": 4, "activation": "tanh"},
                {"kind": "dense", "neurons": 3, "activation": "tanh"},
                {"kind": "dense", "neurons": 2, "activation": "softmax"},
            ],
            "loss": "cross_entropy",
            "seed": 0,
        },
        "training": {
            "optimizer": "adam",
            "learning_rate": 0.01,
            "schedule": Constant.name,
            "batch_size": 32,
            "l2": 0.0,
            "epochs": None,
            "patience": None,
            "stop_loss": None,
        },
        "fits": [],
    }


def check_version(document: Document) -> None:
    """Refuse a document of a later form."""
    if document["version"] > VERSION:
        raise Refusal(
            "newer_version",
            f"The session is of version {document['version']}, but this Réseau knows version {VERSION}; update Réseau.",
            version=document["version"],
        )


# --- the network ------------------------------------------------------------------------------------------------------


def has(kind: type[Layer]) -> dict[str, bool]:
    """Which of what a document says of a layer this kind lets one choose."""
    chosen = {field.name for field in fields(kind) if field.init}
    return {name: name in chosen for name in LOOKS}


def completed(
    network: dict[str, Any], data: Data, before: dict[str, Any] | None = None, task: str = ""
) -> dict[str, Any]:
    """The network of a document as it is on these data: every layer with all it has, the last as wide as they want.

    A loss that was there `before`, on data of another task or where it is none of theirs, gives way to that which goes
    with the data. So does an output that the loss does not take, where the loss has changed.
    """
    loss = network["loss"]
    chosen = before is None or loss != before["loss"]
    if not chosen and (task != data.task or loss not in data.losses):
        loss = next(iter(data.losses))
    if loss not in data.losses and loss in LOSSES:
        raise _refused(
            f"loss is {loss!r}, which is none of {data.task} here; {data.target!r} can be learned by "
            f"{', '.join(data.losses)}."
        )
    layers = [_whole(layer, place) for place, layer in enumerate(network["layers"])]
    last = layers[-1]
    if loss in data.losses:
        if "neurons" in last:
            last["neurons"] = data.outputs(loss)
        changed = before is not None and loss != before["loss"]
        if changed and "activation" in last and not _taken(last["activation"], loss, last.get("neurons", 0)):
            last["activation"] = data.losses[loss]
    return {**network, "layers": layers, "loss": loss}


def _taken(activation: str, loss: str, neurons: int) -> bool:
    """Whether a loss is defined for the values of an activation, of so many neurons; of none that is not known."""
    sigma = ACTIVATIONS.get(activation)
    return sigma is None or (LOSSES[loss].takes(sigma) and (neurons > 1 or sigma.distribution is None))


def _whole(layer: dict[str, Any], place: int) -> dict[str, Any]:
    """A layer with all that its kind lets one choose, and nothing besides."""
    kind = LAYERS.get(layer["kind"])
    if kind is None:
        raise _refused(f"layer {place + 1} is a {layer['kind']!r}, but the kinds of layers are {', '.join(LAYERS)}.")
    if layer.get("neurons", 1) < 1:
        raise Refusal("layer_empty", f"Layer {place + 1} has no neurons; give it 1 at least.", layer=place + 1)
    usual = {field.name: field.default for field in fields(kind) if field.default not in (MISSING, None)}
    usual = {**LOOKS, **usual, "residual": False}
    chosen = {name: layer.get(name, usual[name]) for name, there in has(kind).items() if there}
    return {"kind": layer["kind"], **chosen}


def layer_of(layer: Mapping[str, Any]) -> Layer | Residual:
    """The library's layer that a document describes."""
    values = {name: value for name, value in layer.items() if name not in ("kind", "residual")}
    made = LAYERS[layer["kind"]](**values)
    return Residual(made) if layer.get("residual") else made


def architecture_of(network: Mapping[str, Any], data: Data) -> Architecture:
    """What a network is on these data; a `Refusal` with the library's own words for none."""
    return _unbuilt(network, data)[1]


def network_of(network: Mapping[str, Any], data: Data) -> Network:
    """The network with its first weights, on these data.

    Raises
    ------
    Refusal
        network_refused, with the library's own words.
    """
    made, architecture = _unbuilt(network, data)
    made.build_as(architecture)
    data.check(made)
    return made


def _unbuilt(network: Mapping[str, Any], data: Data) -> tuple[Network, Architecture]:
    try:
        made = Network(*map(layer_of, network["layers"]), loss=network["loss"], seed=network["seed"])
        architecture = made.architecture_on(len(data.inputs))
    except ReseauError as error:
        raise _refused(str(error)) from None
    if len(architecture.layers) != len(network["layers"]):
        raise _refused(
            "dropout after an activation of whole rows, such as softmax, is a layer of its own; add a layer of the "
            "kind dropout."
        )
    if architecture.n_parameters > MOST_PARAMETERS:
        raise _refused(
            f"the network has {architecture.n_parameters:,} parameters, but the studio shows at most "
            f"{MOST_PARAMETERS:,}; give it fewer neurons."
        )
    return made, architecture


def _refused(message: str) -> Refusal:
    return Refusal("network_refused", message, message=message)


# --- the training -----------------------------------------------------------------------------------------------------


def optimizer_of(training: Mapping[str, Any]) -> Optimizer:
    """The library's optimizer that a document describes."""
    kind, rate = OPTIMIZERS[training["optimizer"]], training["learning_rate"]
    return kind(rate if training["schedule"] == Constant.name else RATES[training["schedule"]](rate))


def constant_optimizer(training: Mapping[str, Any]) -> Optimizer:
    """The same at its learning rate, whatever that follows."""
    return OPTIMIZERS[training["optimizer"]](training["learning_rate"])


def planned(training: Mapping[str, Any]) -> int:
    """The epochs of its fit, if nothing ends it before."""
    return NO_END if training["epochs"] is None else int(training["epochs"])


def settings_of(training: Mapping[str, Any]) -> Settings:
    """The settings of its fit; patience is looked after by the run, which knows what is shown meanwhile."""
    return Settings(
        optimizer=optimizer_of(training),
        epochs=planned(training),
        batch_size=training["batch_size"],
        l2=training["l2"],
    )


def check_training(training: Mapping[str, Any], data: Data) -> None:
    """Refuse a training that there cannot be on these data, with the library's own words where they are its."""
    for what, table in (("optimizer", OPTIMIZERS), ("schedule", RATES)):
        if training[what] not in table:
            raise _training_refused(f"{what} is {training[what]!r}, but must be one of {', '.join(table)}.")
    if training["schedule"] != Constant.name and training["epochs"] is None:
        raise _training_refused(
            f"the schedule {training['schedule']} goes by how many epochs there will be; say after how many to stop."
        )
    if training["patience"] is not None and not len(data.X_val):
        raise _training_refused("patience looks at samples that are held out, but there are none; hold some out.")
    try:
        settings_of(training)
    except ReseauError as error:
        raise _training_refused(str(error)) from None


def _training_refused(message: str) -> Refusal:
    return Refusal("training_refused", message, message=message)
