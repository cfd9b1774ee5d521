"""What of a network exports write: the layers that change something when it predicts, one after another.

Of an ensemble each network has its own, whose names begin with its number: "m2_W1".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from reseau.arrays import FloatArray
from reseau.vocabulary.layers import Layer
from reseau.vocabulary.layers.code import named

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.network import Network


@dataclass(frozen=True)
class Step:
    """A layer as files number it.

    Attributes
    ----------
    place : int
        Its number, from 1.
    layer : Layer
        What it is.
    tensors : mapping of str to ndarray
        Its numbers by their letters.
    n_in, n_out : int
        How many inputs and outputs it has.
    link : int or None
        The step whose outputs a residual link adds to this one's, 0 for the inputs.
    member : int
        The number of its network among several, from 1; 0 of a network alone.
    """

    place: int
    layer: Layer
    tensors: Mapping[str, FloatArray]
    n_in: int
    n_out: int
    link: int | None
    member: int = 0

    @property
    def stem(self) -> str:
        """What its names begin with: "" of a network alone."""
        return f"m{self.member}_" if self.member else ""

    @property
    def where(self) -> str:
        """Which layer it is, in words."""
        return f"{f'Network {self.member}, layer' if self.member else 'Layer'} {self.place}"

    @property
    def tensor_names(self) -> dict[str, str]:
        """The letter of each tensor, and what it is called: "W", "W1"."""
        return {letter: f"{self.stem}{letter}{self.place}" for letter in self.tensors}

    @property
    def activation(self) -> str:
        """The name of its activation, "" where its kind has none unless it is given one."""
        implied = next(field.default for field in fields(self.layer) if field.name == "activation")
        name = self.layer.sigma.name
        return "" if name == implied else name

    @property
    def words(self) -> str:
        """What it is: "relu" of a dense layer, "layer normalisation relu"."""
        return " ".join(word for word in (self.layer.code.title, self.activation) if word)

    def equation(self, x: str) -> str:
        """What it computes, of a row of this name, but for the link."""
        Z = named(self.layer.code.equation, {"x": x} | self.tensor_names)
        return f"{self.activation}({Z})" if self.activation else Z

    def meaning(self, between: str, of_input: str) -> str:
        """What the places in its tensors mean; `between` stands between two axes."""
        places = {
            letter: f"{self.tensor_names[letter]}[{between.join('ij'[2 - values.ndim :])}]"
            for letter, values in self.tensors.items()
        }
        return self.layer.code.meaning.format(input=of_input, **places)


def members(network: Network | Ensemble) -> list[list[Step]]:
    """The steps of each of the networks whose mean a model's outputs are; of one alone without its number."""
    several = len(network.networks) > 1
    return [steps(net, place if several else 0) for place, net in enumerate(network.networks, start=1)]


def steps(network: Network, member: int = 0) -> list[Step]:
    """The layers that change something outside training; one that does not where there is no other."""
    architecture = network.architecture
    found: list[Step] = []
    made_by = [0]  # of A_0, A_1, ...: by which step
    for l, (layer, view) in enumerate(zip(architecture.layers, network.layers, strict=True), start=1):
        if layer.only_trains and not layer.residual and (found or l < len(architecture.layers)):
            made_by.append(made_by[-1])
            continue
        link = made_by[l - layer.residual] if layer.residual else None
        n_in, n_out = architecture.widths[l - 1 : l + 1]
        found.append(Step(len(found) + 1, layer, view.tensors, n_in, n_out, link, member))
        made_by.append(len(found))
    return found
