"""What a model is made of, as exports and pictures take it: an encoder, a network and a decoder.

The encoder makes the network's inputs X of what the model is given, the decoder makes what the model says of the
network's outputs O. Each gives its own code in C, NumPy and ONNX, so that no export asks what kind of model it writes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from reseau.errors import ParameterError

if TYPE_CHECKING:
    from reseau.ensemble import Ensemble
    from reseau.export import c_code, numpy_code
    from reseau.export.onnx_graph import Graph
    from reseau.network import Network

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaling:
    """x' = (x - shift)/scale of each column, held within low .. high; shift and scale (columns,)."""

    shift: Floats
    scale: Floats
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, X: Floats) -> Floats:
        """X' (rows, columns) of X."""
        return np.clip((X - self.shift) / self.scale, self.low, self.high)

    def slope(self, X: Floats) -> Floats:
        """∂x'/∂x (rows, columns) at X: 1/scale, and 0 where x' is held."""
        scaled = (X - self.shift) / self.scale
        return np.where((scaled < self.low) | (scaled > self.high), 0.0, 1 / self.scale)

    def back(self, X: Floats) -> Floats:
        """The X that give X'."""
        return X * self.scale + self.shift


class Encoder(ABC):
    """What makes the inputs of a network.

    Attributes
    ----------
    names : list of str or None
        What the network's inputs are, where that is known.
    scalings : tuple of Scaling
        What `predict` itself does to X, in their order.
    """

    scalings: tuple[Scaling, ...] = ()

    @property
    @abstractmethod
    def names(self) -> list[str] | None: ...

    def behind(self, scalings: Sequence[Scaling], names: list[str] | None) -> Encoder:
        """The same behind the scalers of a pipeline, whose inputs have these names; None keeps its own."""
        raise ParameterError("a pipeline scales numbers alone, but its model takes the columns of a table.")

    def samples(self) -> Floats | None:
        """X (rows, inputs) of what the model may be given, for self-tests; None if any numbers may."""
        return None

    @abstractmethod
    def in_c(self, file: c_code.File, decoder: Any) -> c_code.Code:
        """What a C file has besides the network: its own code, and that of the decoder behind it."""

    @abstractmethod
    def in_numpy(self, decoder: Any) -> numpy_code.Code:
        """What a script has before the network, and how it is tried out."""

    @abstractmethod
    def in_onnx(self, g: Graph, inputs: int, taken: Sequence[str]) -> tuple[str, list[Any], Any]:
        """Add its nodes; return the tensor X, the descriptions of the graph's inputs, and what metadata tell of them.

        No input of the graph may have a name that is `taken`.
        """


class Decoder(ABC):
    """What makes a model's answer of the outputs of its network.

    Attributes
    ----------
    names : list of str or None
        What the network's outputs are, where that is known.
    kind : str
        What metadata call a model that answers so.
    onnx_outputs : tuple of str
        Names that are kept for the outputs of its graph.
    scaling : Scaling or None
        Of which `predict` takes the outputs back.
    """

    kind: ClassVar[str]
    onnx_outputs: ClassVar[tuple[str, ...]]
    scaling: Scaling | None = None

    @property
    def names(self) -> list[str] | None:
        """What the network's outputs are, where that is known."""
        return None

    def in_unit_of(self, scaling: Scaling) -> Decoder:
        """The same where the network has learned a target that is scaled."""
        raise ParameterError("a target that is scaled has to be a number, but this model predicts something else.")

    @abstractmethod
    def in_c(self, file: c_code.File) -> Any:
        """What the encoder before it puts into a C file."""

    @abstractmethod
    def in_numpy(self, outputs: int) -> numpy_code.Code:
        """What a script has behind the network."""

    @abstractmethod
    def in_onnx(self, g: Graph, network: Network | Ensemble, X: str) -> tuple[list[Any], dict[str, Any]]:
        """Add the network and its own nodes behind X; return the descriptions of the graph's outputs, and metadata."""


@dataclass(frozen=True)
class Parts:
    """A model taken apart; an ensemble is a network whose outputs are the mean of those of its `networks`."""

    encoder: Encoder
    network: Network | Ensemble
    decoder: Decoder
