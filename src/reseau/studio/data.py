"""Data of a document: samples as networks take them, what may be drawn over, and what outputs say in people's units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reseau import data as checked
from reseau.blackboard import Names
from reseau.errors import ReseauError
from reseau.studio import toys
from reseau.studio.refusal import Refusal
from reseau.studio.toys import TOYS, Toy
from reseau.vocabulary.intervals import CLOSED_UNIT
from reseau.vocabulary.losses import LOSSES
from reseau.vocabulary.losses.residuals import SquaredError

if TYPE_CHECKING:
    from reseau.network import Network

Floats32: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[Any]

MARGIN = 0.05  # of an axis beyond the outermost sample, at each end


@dataclass(frozen=True)
class Axis:
    """What may be drawn over: its name, and from where to where."""

    name: str
    low: float
    high: float

    @classmethod
    def around(cls, name: str, values: Numbers) -> Axis:
        """One on which all values have their place, with a margin."""
        low, high = float(values.min()), float(values.max())
        margin = MARGIN * (high - low) or 1.0
        return cls(name, low - margin, high + margin)

    def places(self, count: int) -> npt.NDArray[np.float64]:
        """So many places, evenly from end to end."""
        return np.linspace(self.low, self.high, count)


class Data(ABC):
    """Samples, and what is known of them.

    Attributes
    ----------
    description : dict
        As the document has it.
    task : {"classification", "regression"}
    target : str
        What is predicted.
    classes : list of str
        Their names; none of a regression.
    inputs : list of str
        The names of the network's inputs.
    axes : list of Axis
    notes : list of str
        What was noticed in reading.
    X, X_val : ndarray of shape (rows, inputs), float32
    losses : dict
        Those that it can be learned by, the usual one first, each with the activation of the outputs that it goes with.
    """

    description: dict[str, Any]
    task: str
    target: str
    classes: list[str]
    inputs: list[str]
    axes: list[Axis]
    notes: list[str]
    X: Floats32
    X_val: Floats32
    losses: Mapping[str, str]

    def is_taught_alike(self, loss: str) -> bool:
        """Whether the same data go with this loss too."""
        return True

    @abstractmethod
    def labels(self, validation: bool) -> Numbers:
        """The target of each sample: the place of its class, or a number as people have it, (rows,)."""

    @abstractmethod
    def taught(self, loss: str, validation: bool = False) -> Numbers:
        """What `Network.fit` is given as y, by a loss."""

    @abstractmethod
    def numbers(self, network: Network, O: Numbers) -> npt.NDArray[np.float64]:
        """What outputs of a regression say, in people's unit: (rows, 1)."""

    @abstractmethod
    def across(self, axis: int, validation: bool) -> npt.NDArray[np.float64]:
        """Where each sample lies on an axis, (rows,)."""

    @abstractmethod
    def on(self, places: Mapping[int, Numbers]) -> Floats32:
        """The inputs X (places, inputs) at places on some axes, by their numbers; all else is as is typical."""

    def names(self, validation: bool, row: int, lang: str) -> Names:
        """What the blackboard calls the inputs and outputs of a sample."""
        return Names()

    def outputs(self, loss: str) -> int:
        """How many outputs a network has for it."""
        if self.task == "regression":
            return LOSSES[loss].per_target
        return 1 if self.yes_or_no(loss) else len(self.classes)

    def yes_or_no(self, loss: str) -> bool:
        """Whether one output stands for two classes: the loss has an error for each neuron by itself."""
        return len(self.classes) == 2 and not LOSSES[loss].distribution

    def check(self, network: Network) -> None:
        """Refuse a network that cannot learn it, with the library's own words."""
        architecture = network.architecture
        wanted = self.outputs(str(network.loss))
        if architecture.outputs != wanted:
            message = f"the network has {architecture.outputs} outputs, but {self.target!r} takes {wanted}."
            raise Refusal("network_refused", message, message=message)
        for validation in (False, True):
            rows = len(self.X_val) if validation else len(self.X)
            if not rows:
                continue
            y = self.taught(str(network.loss), validation)
            try:
                checked.targets(y, "validation y" if validation else "y", architecture, rows, network.dtype)
            except ReseauError as error:
                raise Refusal("network_refused", str(error), message=str(error)) from None

    def check_sample(self, sample: Mapping[str, Any]) -> None:
        """Refuse a sample that there is not."""
        count = self.size[sample["part"] == "validation"]
        if sample["row"] >= count:
            raise Refusal("malformed", f"row is {sample['row']}, but there are {count} samples of {sample['part']}.")

    def predicted(self, network: Network, O: Numbers) -> npt.NDArray[np.float64]:
        """What outputs say: of classes the probability of each, (rows, classes); else a number, (rows, 1)."""
        if self.task == "regression":
            return self.numbers(network, O)
        if network.architecture.layers[-1].range_like.distribution == "logarithms":
            O = np.exp(O)
        if self.yes_or_no(str(network.loss)):
            O = np.hstack([1 - O, O])
        return np.clip(O, 0.0, 1.0).astype(np.float64)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Samples that are learned from, and held out."""
        return len(self.X), len(self.X_val)

    def describe(self) -> dict[str, Any]:
        """As `DataInfo` has it."""
        return {
            "task": self.task,
            "target": self.target,
            "classes": self.classes,
            "inputs": self.inputs,
            "axes": [{"name": axis.name, "low": axis.low, "high": axis.high} for axis in self.axes],
            "training": self.size[0],
            "validation": self.size[1],
            "notes": self.notes,
        }


def classification_losses() -> dict[str, str]:
    """Losses of classes, with the outputs they go with: those of chances, and the lecture's ½(t − o)² of yes and no."""
    found = {name: loss.output for name, loss in LOSSES.items() if CLOSED_UNIT.contains(loss.targets)}
    found = dict(sorted(found.items(), key=lambda entry: not LOSSES[entry[0]].distribution))
    yes_or_no = next(output for name, output in found.items() if not LOSSES[name].distribution)
    return {**found, SquaredError.name: yes_or_no}


def regression_losses() -> dict[str, str]:
    """Losses of numbers, with the outputs they go with."""
    return {name: loss.output for name, loss in LOSSES.items() if not CLOSED_UNIT.contains(loss.targets)}


LOSSES_OF = {"classification": classification_losses(), "regression": regression_losses()}


class ToyData(Data):
    """Samples made up, of a document's `Toy`."""

    target = "y"

    def __init__(self, toy: Toy, description: dict[str, Any]) -> None:
        self.description = description
        settings = toy.settings(description["noise"], description["classes"], description["seed"])
        X, y = toy.make(description["samples"], **settings)
        self.X, self._y, self.X_val, self._y_val = toys.split(X, y, description["held_out"], seed=description["seed"])
        self.task, self.losses = toy.task, LOSSES_OF[toy.task]
        self.inputs = [f"x{place}" for place in range(1, toy.inputs + 1)]
        count = description["classes"] if toy.many_classes else 2
        self.classes = [str(place) for place in range(count)] if toy.task == "classification" else []
        self.axes = [Axis.around(name, X[:, place]) for place, name in enumerate(self.inputs)]
        self.notes = []

    def labels(self, validation: bool) -> Numbers:
        return self._y_val if validation else self._y

    def taught(self, loss: str, validation: bool = False) -> Numbers:
        y = self.labels(validation)
        if self.task == "regression" or LOSSES[loss].distribution or self.yes_or_no(loss):
            return y
        return np.eye(len(self.classes))[y]

    def numbers(self, network: Network, O: Numbers) -> npt.NDArray[np.float64]:
        return network.architecture.error.points(O).astype(np.float64)

    def across(self, axis: int, validation: bool) -> npt.NDArray[np.float64]:
        return (self.X_val if validation else self.X)[:, axis].astype(np.float64)

    def on(self, places: Mapping[int, Numbers]) -> Floats32:
        X = np.repeat(np.median(self.X, axis=0, keepdims=True), len(next(iter(places.values()))), axis=0)
        for place, numbers in places.items():
            X[:, place] = numbers
        return X


def toy_data(description: dict[str, Any]) -> ToyData:
    """The samples that a document's `Toy` describes."""
    toy = TOYS.get(description["name"])
    if toy is None:
        raise Refusal(
            "unknown_toy",
            f"There are no samples called {description['name']!r}; there are {', '.join(TOYS)}.",
            name=description["name"],
        )
    return ToyData(toy, description)
